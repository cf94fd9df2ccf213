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

/// Finds the id, or tells why it can't be known.
pub(super) fn identifier(environment: Environment<'_>) -> Result<Found, String> {
    const VARIABLE: &str = "PLEXAPI_HEADER_IDENTIFIER";
    if let Some(id) = environment(VARIABLE) {
        let id = id.into_string().map_err(|_| format!("`{VARIABLE}` is no text"))?;
        return Ok(Found { id, from: format!("from `{VARIABLE}`") });
    }
    if let Some(file) = config_file(environment)
        && let Some(id) = configured(&file)?
    {
        return Ok(Found { id, from: format!("from `{}`", file.display()) });
    }
    let folder = Path::new("/sys/class/net");
    let id = of_network_card(&addresses(folder))?;
    Ok(Found { id, from: "made of the network card's address, as python-plexapi does".to_owned() })
}

fn config_file(environment: Environment<'_>) -> Option<PathBuf> {
    let home = || {
        let home = environment("HOME").or_else(|| environment("USERPROFILE"))?;
        Some(PathBuf::from(home).join(".config").join("plexapi").join("config.ini"))
    };
    environment("PLEXAPI_CONFIG_PATH").map(PathBuf::from).or_else(home)
}

/// A file that is there and can't be read is no reason to take another id.
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

/// The addresses of all network cards but the loopback.
fn addresses(folder: &Path) -> BTreeSet<u64> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("address")).ok())
        .filter_map(|text| address(text.trim()))
        .filter(|address| *address != 0)
        .collect()
}

/// Six bytes in hexadecimal, with colons between.
fn address(text: &str) -> Option<u64> {
    let parts: Vec<_> = text.split(':').collect();
    let bytes = parts.iter().map(|part| u8::from_str_radix(part, 16).ok());
    (parts.len() == 6).then_some(())?;
    bytes.into_iter().try_fold(0, |sum, byte| Some(sum << 8 | u64::from(byte?)))
}

/// Only an address that the card's maker gave is the same after a restart (IEEE 802, the two low bits of the first
/// byte: 1 is multicast, 2 locally administered).
fn of_network_card(addresses: &BTreeSet<u64>) -> Result<String, String> {
    let lasting: Vec<u64> =
        addresses.iter().copied().filter(|address| (address >> 40) & 0b11 == 0).collect();
    let hint = "take the id from Plex's list of devices: `identity adopt ID`";
    match lasting.as_slice() {
        [address] => Ok(format!("{address:#x}")),
        [] if addresses.is_empty() => Err(format!(
            "no network card tells its address, so python-plexapi's id can't be known: {hint}"
        )),
        [] => Err(format!(
            "the network cards have made-up addresses (locally administered or multicast), as containers have: \
             python-plexapi may have had another id at every start; {hint}"
        )),
        several => {
            let ids: Vec<_> = several.iter().map(|address| format!("`{address:#x}`")).collect();
            Err(format!("python-plexapi's id may be any of {}: {hint}", ids.join(", ")))
        }
    }
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
        let id = |texts: &[&str]| {
            of_network_card(&texts.iter().filter_map(|text| address(text)).collect())
        };
        let (lasting, made_up) = ("00:1b:21:0a:0b:0c", "02:42:ac:11:00:02");
        assert_eq!(id(&[lasting]).unwrap(), "0x1b210a0b0c");
        assert_eq!(id(&[lasting, made_up, lasting]).unwrap(), "0x1b210a0b0c");
        assert!(id(&[made_up]).unwrap_err().contains("locally administered"));
        assert!(id(&["01:00:5e:00:00:01"]).unwrap_err().contains("multicast"));
        assert!(id(&[lasting, "00:1b:21:0a:0b:0d"]).unwrap_err().contains("`0x1b210a0b0d`"));
        assert!(id(&["", "00:11", "x:1:2:3:4:5"]).unwrap_err().contains("no network card"));
    }

    #[test]
    fn cards_are_read_from_their_folder_and_the_loopback_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for (name, address) in [("lo", "00:00:00:00:00:00\n"), ("eth0", "00:1b:21:0a:0b:0c\n")] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            std::fs::write(folder.path().join(name).join("address"), address).unwrap();
        }
        assert_eq!(addresses(folder.path()), BTreeSet::from([0x1b_210a_0b0c]));
    }
}
