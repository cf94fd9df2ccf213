//! Which values are in force, and what gave them.

use super::Check;
use crate::cli::{Given, Options, Token, read_token_file};
use crate::commands::Setting;
use crate::plex::Account;
use crate::secret::Secret;
use crate::stash::Settings;

/// A token shorter than this is not shown at all: its end would be too much of it.
const SHOWN_FROM: usize = 12;

/// Tells the configuration; returns server and token as requests would use them.
pub(super) fn check(
    setting: &Setting<'_>,
    of_stash: Option<Settings>,
    checks: &mut Vec<Check>,
) -> Account {
    let options = with_settings(setting.options.clone(), of_stash.unwrap_or_default());
    let server = options.plex_url.as_ref().and_then(|url| server(url, checks));
    if options.plex_url.is_none() {
        checks.push(Check::warning(
            "plex_url",
            "no Plex server is configured",
            "give `--plex-url URL` or `PLEX_URL`; in Stash, the plugin's setting `plex_url`",
        ));
    }
    let token = options.plex_token.as_ref().and_then(|given| token(given, checks));
    if options.plex_token.is_none() && server.is_some() {
        checks.push(Check::warning(
            "plex_token",
            "no token is configured",
            "give `PLEX_TOKEN` or `--plex-token-file FILE`; in Stash, the plugin's setting `plex_token`",
        ));
    }
    if let Some(token) = &token {
        setting.secrets.remember(token);
    }
    if let Some(file) = &options.plex_ca {
        checks.push(authority(file));
    }
    Account { server, token }
}

/// The options, completed with what the user entered in Stash.
fn with_settings(mut options: Options, settings: Settings) -> Options {
    const BY: &str = "Stash's settings";
    let own = options.plex_url.as_ref().map(|given| given.value.clone());
    let account = Account { server: own, token: None };
    let account = account.completed(settings.plex_url.as_deref(), settings.plex_token.as_ref());
    let given = |value| Given { value, by: BY };
    options.plex_url = options.plex_url.or_else(|| account.server.map(given));
    let token = account.token.map(|token| Given { value: Token::Value(token), by: BY });
    options.plex_token = options.plex_token.or(token);
    options
}

/// Only the origin is shown: a user may have put a secret into the rest.
fn server(given: &Given<String>, checks: &mut Vec<Check>) -> Option<String> {
    let url = url::Url::parse(given.value.trim()).ok();
    match url.filter(|url| matches!(url.scheme(), "http" | "https")) {
        Some(url) => {
            let origin = url.origin().ascii_serialization();
            checks.push(Check::ok("plex_url", format!("`{origin}`, from `{}`", given.by)));
            Some(given.value.clone())
        }
        None => {
            checks.push(Check::failure(
                "plex_url",
                format!("the value of `{}` is no URL", given.by),
                "expected something like `http://192.168.1.10:32400`",
            ));
            None
        }
    }
}

fn token(given: &Given<Token>, checks: &mut Vec<Check>) -> Option<Secret> {
    let read = match &given.value {
        Token::Value(secret) => Ok(secret.clone()),
        Token::File(path) => read_token_file(path),
    };
    match read {
        Ok(secret) => {
            let shown = ending(secret.expose());
            checks.push(Check::ok("plex_token", format!("{shown}, from `{}`", given.by)));
            Some(secret)
        }
        Err(reason) => {
            let cure = "let the file hold the token alone, readable by its owner alone";
            checks.push(Check::failure("plex_token", reason, cure));
            None
        }
    }
}

fn ending(token: &str) -> String {
    let letters: Vec<char> = token.chars().collect();
    match letters.len() {
        length if length < SHOWN_FROM => "set".to_owned(),
        length => format!("ends in `{}`", letters[length - 4..].iter().collect::<String>()),
    }
}

fn authority(given: &Given<std::path::PathBuf>) -> Check {
    let shown = given.value.display();
    match std::fs::File::open(&given.value) {
        Ok(_) => Check::ok("plex_ca", format!("`{shown}`, from `{}`", given.by)),
        Err(error) => Check::failure(
            "plex_ca",
            format!("`{shown}`, from `{}`, can't be read: {error}", given.by),
            "name a PEM file that this user can read",
        ),
    }
}
