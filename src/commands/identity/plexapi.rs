//! The id that python-plexapi has used on this machine, found the way it finds it: `PLEXAPI_HEADER_IDENTIFIER`, else
//! `identifier` under `[header]` in its `config.ini`, else Python's `hex(uuid.getnode())`: the network card's address.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::cli::Environment;

/// What was found, and where.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: String,
    pub(super) from: String,
}

/// Finds the id, or says why it can't be known.
pub(super) fn identifier(environment: Environment<'_>) -> Result<Found, String> {
    const VARIABLE: &str = "PLEXAPI_HEADER_IDENTIFIER";
    if let Some(id) = environment(VARIABLE) {
        let id = id.into_string().map_err(|_| format!("`{VARIABLE}` is not UTF-8"))?;
        return Ok(Found { id, from: format!("from `{VARIABLE}`") });
    }
    if let Some(file) = config_file(environment)
        && let Some(id) = configured(&file)?
    {
        return Ok(Found { id, from: format!("from `{}`", file.display()) });
    }
    let id = of_network_card(Path::new("/sys/class/net")).ok_or(
        "python-plexapi's id can't be known: its configuration names none, and it is not clear which network card's \
         address it takes; take the id from Plex's list of devices: `identity adopt ID`",
    )?;
    Ok(Found { id, from: "made of the network card's address, as python-plexapi does".to_owned() })
}

fn config_file(environment: Environment<'_>) -> Option<PathBuf> {
    let home = || {
        let home = environment("HOME").or_else(|| environment("USERPROFILE"))?;
        Some(PathBuf::from(home).join(".config").join("plexapi").join("config.ini"))
    };
    environment("PLEXAPI_CONFIG_PATH").map(PathBuf::from).or_else(home)
}

/// A file that is there and can't be read does not mean that another id is the one.
fn configured(file: &Path) -> Result<Option<String>, String> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("`{}` can't be read: {error}", file.display())),
    };
    match header_identifier(&text) {
        // Python's configparser would put other values in its place.
        Some(id) if id.contains('%') => Err(format!(
            "`identifier` in `{}` holds a `%`: name the id itself, `identity adopt ID`",
            file.display()
        )),
        id => Ok(id),
    }
}

/// `identifier` under `[header]`, as Python's configparser reads it: names in any letter case, `=` or `:`, whole lines
/// of comment.
fn header_identifier(text: &str) -> Option<String> {
    let mut inside = false;
    for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = section.eq_ignore_ascii_case("header");
        } else if inside
            && !line.starts_with(['#', ';'])
            && let Some((name, value)) = line.split_once(['=', ':'])
            && name.trim().eq_ignore_ascii_case("identifier")
        {
            return Some(value.trim().to_owned());
        }
    }
    None
}

/// The address of the only network card whose maker gave it one: others are not the same after a restart (IEEE 802, the
/// two low bits of the first byte: 1 is multicast, 2 locally administered, as containers' are).
fn of_network_card(folder: &Path) -> Option<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let texts =
        entries.filter_map(|entry| std::fs::read_to_string(entry.path().join("address")).ok());
    let addresses = texts.filter_map(|text| address(text.trim()));
    let lasting: BTreeSet<u64> =
        addresses.filter(|address| *address != 0 && (address >> 40) & 0b11 == 0).collect();
    lasting.first().filter(|_| lasting.len() == 1).map(|address| format!("{address:#x}"))
}

/// Six bytes in hexadecimal, with colons between.
fn address(text: &str) -> Option<u64> {
    (text.len() == 17).then(|| u64::from_str_radix(&text.replace(':', ""), 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_configparser_reads() {
        for (text, expected) in [
            ("[header]\nidentifier = abc\n", Some("abc")),
            (
                "\u{feff}[auth]\nidentifier=no\r\n[Header]\r\n# identifier=no\r\nIDENTIFIER: a=b\r\n",
                Some("a=b"),
            ),
            ("[auth]\nidentifier = abc\n", None),
            ("[header]\nproduct = x\n", None),
            ("[header]\nidentifier =\n", Some("")),
        ] {
            assert_eq!(header_identifier(text).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn only_one_lasting_address_is_an_id() {
        let (lasting, made_up, other) =
            ("00:1b:21:0a:0b:0c\n", "02:42:ac:11:00:02\n", "00:1b:21:0a:0b:0d\n");
        for (addresses, id) in [
            (&[lasting][..], Some("0x1b210a0b0c")),
            (&[lasting, made_up, lasting, "00:00:00:00:00:00"], Some("0x1b210a0b0c")),
            (&[made_up], None),
            (&["01:00:5e:00:00:01"], None),
            (&[lasting, other], None),
            (&["", "00:11", "x:1:2:3:4:5", "00-1b-21-0a-0b-0c"], None),
            (&[], None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            for (card, address) in addresses.iter().enumerate() {
                let card = folder.path().join(format!("eth{card}"));
                std::fs::create_dir(&card).unwrap();
                std::fs::write(card.join("address"), address).unwrap();
            }
            assert_eq!(of_network_card(folder.path()).as_deref(), id, "{addresses:?}");
        }
    }
}
