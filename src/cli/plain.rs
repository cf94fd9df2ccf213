//! Options as hosts give them, read without clap: it makes its whole help first, and a hook's user waits for that.
//! What is not plainly right goes to clap, which knows what to say.

use std::ffi::{OsStr, OsString};

use clap::ValueEnum;

use super::Flags;

impl Flags {
    /// The options, if these arguments are nothing but options, each given once and with a value that it can have.
    pub fn plain(arguments: impl IntoIterator<Item = OsString>) -> Option<Self> {
        let mut flags = Self::default();
        let mut seen = Vec::new();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let (name, value) = match split(&argument)? {
                (name, Some(value)) => (name.to_owned(), value),
                (name, None) => (name.to_owned(), arguments.next().filter(is_value)?),
            };
            if value.is_empty() || seen.contains(&name) {
                return None;
            }
            flags.set(&name, value)?;
            seen.push(name);
        }
        Some(flags)
    }

    fn set(&mut self, name: &str, value: OsString) -> Option<()> {
        if let Some(path) = match name {
            "data-dir" => Some(&mut self.data_dir),
            "plex-token-file" => Some(&mut self.plex_token_file),
            "plex-ca" => Some(&mut self.plex_ca),
            _ => None,
        } {
            *path = Some(value.into());
            return Some(());
        }
        let text = value.into_string().ok()?;
        match name {
            "plex-url" => self.plex_url = Some(text),
            "stash-plugin" => self.stash_plugin = Some(text),
            "log" => self.log = Some(text),
            "wire" => self.wire = ValueEnum::from_str(&text, false).ok()?,
            "log-format" => self.log_format = ValueEnum::from_str(&text, false).ok()?,
            "max-message" => self.max_message = Some(text.parse().ok()?),
            _ => return None,
        }
        Some(())
    }
}

/// `--name` or `--name=value`.
fn split(argument: &OsStr) -> Option<(&str, Option<OsString>)> {
    let option = argument.to_str()?.strip_prefix("--")?;
    Some(match option.split_once('=') {
        Some((name, value)) => (name, Some(value.into())),
        None => (option, None),
    })
}

/// A value that begins with a hyphen is more likely an option whose predecessor lacks its value.
fn is_value(value: &OsString) -> bool {
    !value.as_encoded_bytes().starts_with(b"-")
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use proptest::prelude::*;

    use super::super::Arguments;
    use super::*;

    fn plain(arguments: &[&str]) -> Option<Flags> {
        Flags::plain(arguments.iter().map(OsString::from))
    }

    /// What clap makes of them; none where it is more than options, or wrong.
    fn by_clap(arguments: &[&str]) -> Option<Flags> {
        let parsed = Arguments::try_parse_from(["worker"].iter().chain(arguments)).ok()?;
        parsed.command.is_none().then_some(parsed.flags)
    }

    #[test]
    fn every_option_is_known() {
        use clap::CommandFactory;
        let command = Arguments::command();
        let options = command.get_arguments().filter_map(clap::Arg::get_long);
        for option in options.filter(|name| !["help", "version"].contains(name)) {
            let value = match option {
                "wire" => "lines",
                "log-format" => "json",
                _ => "1",
            };
            let (name, joined) = (format!("--{option}"), format!("--{option}={value}"));
            for arguments in [vec![name.as_str(), value], vec![joined.as_str()]] {
                let read = plain(&arguments).map(|flags| format!("{flags:?}"));
                assert_eq!(read, by_clap(&arguments).map(|flags| format!("{flags:?}")));
                assert!(read.is_some(), "{arguments:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_clap_reads(
            words in prop::collection::vec(
                prop_oneof![
                    "--(data-dir|plex-url|plex-token-file|wire|max-message|plex-ca|stash-plugin|log|log-format)",
                    "--(data-dir|plex-url|wire|max-message|log)=(a|lines|Lines|16|-1| |b=c)?",
                    "(/tmp/a b|lines|json|7|-7|\\+7|007|-|--|é|doctor|--help|--data|--Wire|-v)",
                    ".{0,6}",
                ],
                0..6,
            ),
        ) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            if let Some(flags) = plain(&words) {
                prop_assert_eq!(
                    Some(format!("{flags:?}")),
                    by_clap(&words).map(|flags| format!("{flags:?}")),
                    "{:?}", words
                );
            }
        }
    }
}
