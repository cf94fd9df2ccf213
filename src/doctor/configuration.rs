//! The values in use, and their sources.

use plexsync_protocol::doctor::Check;

use super::{Subject, failure, ok, warning};
use crate::plex::{Account, TOKEN_HINT, origin_of};
use crate::target::{Chosen, Given};

/// Checks server, token and certificate authority; returns the account as requests would use it, without a server
/// that can't be asked. What an account gives that is signed in is not missing.
pub(super) fn check(
    subject: &Subject,
    chosen: &Chosen,
    signed_in: bool,
    checks: &mut Vec<Check>,
) -> Account {
    let origin = chosen.url.as_ref().map(|url| origin_of(&url.value));
    if origin.is_some() || !signed_in {
        checks.push(server(subject, chosen, origin.as_ref()));
    }
    let mut account = chosen.account();
    account.server = account.server.filter(|_| matches!(origin, Some(Ok(_))));
    if chosen.token.is_some() || (chosen.url.is_some() && !signed_in) {
        checks.push(token(subject, chosen));
    }
    for odd in &chosen.warnings {
        checks.push(warning("configuration", &*odd.reason, odd.hint));
    }
    checks.extend(subject.plex_ca.as_ref().map(authority));
    account
}

/// Only the origin is shown: a user may have put a secret into the rest.
fn server(
    subject: &Subject,
    chosen: &Chosen,
    origin: Option<&Result<String, &'static str>>,
) -> Check {
    const NAME: &str = "plex_url";
    let by = chosen.url.as_ref().map_or("", |url| url.by);
    match origin {
        Some(Ok(origin)) => ok(NAME, format!("`{origin}`, from `{by}`")),
        Some(Err(reason)) => failure(
            NAME,
            format!("the URL in `{by}` {reason}"),
            "give one such as `http://192.168.1.10:32400`",
        ),
        None => {
            let hint = subject.hint(
                "run the task *Sign in to Plex*, or set `plex_url` in Settings > Plugins > PlexSync",
                "run `plexsync-worker login`, or give `--plex-url URL` or `PLEX_URL`, such as `http://192.168.1.10:32400`",
            );
            warning(NAME, "no Plex server is configured", hint)
        }
    }
}

fn token(subject: &Subject, chosen: &Chosen) -> Check {
    const NAME: &str = "plex_token";
    match chosen.token.as_ref().map(|token| (token.by, &token.value)) {
        Some((by, Ok(_))) => ok(NAME, format!("set, from `{by}`")),
        Some((_, Err(problem))) => failure(NAME, &*problem.reason, problem.hint),
        None => {
            let place = subject.hint(
                "set `plex_token` in Settings > Plugins > PlexSync",
                "set `PLEX_TOKEN`, or give `--plex-token-file FILE`",
            );
            warning(NAME, "no token is configured", format!("{place}; {TOKEN_HINT}"))
        }
    }
}

fn authority(given: &Given<std::path::PathBuf>) -> Check {
    const NAME: &str = "plex_ca";
    let (shown, by) = (given.value.display(), given.by);
    match std::fs::File::open(&given.value) {
        _ if given.value.is_dir() => {
            failure(NAME, format!("`{shown}`, from `{by}`, is a folder"), "name a PEM file")
        }
        Ok(_) => ok(NAME, format!("`{shown}`, from `{by}`")),
        Err(error) => failure(
            NAME,
            format!("`{shown}`, from `{by}`, can't be read: {error}"),
            "name a PEM file that this user can read",
        ),
    }
}
