//! Failures to error codes, in this one place.

mod account;
mod redact;
mod server;

pub(in crate::methods) use account::of_account;
use account::sign_in_again;
pub(in crate::methods) use redact::without_secrets;
use server::no_server;
pub(in crate::methods) use server::nobody_signed_in;

use plexsync_protocol::error::{
    AnswerTooLarge, Code, ErrorObject, IdentityChanged, IdentityUnavailable, InvalidParams,
    Missing, NotConfigured, PlexTimeout, PlexUnreachable, RefusedByPlex, TimeoutPhase,
};
use std::sync::Arc;

use serde::Serialize;

use crate::http::error::HttpError;
use crate::identity::IdentityError;
use crate::plex::{self, PlexError, Refusal, Router};
use crate::stash::{SETTINGS_PAGE, StashError, without_options};

pub(super) fn of_identity(error: IdentityError) -> ErrorObject {
    match error {
        IdentityError::Unavailable { path, reason, hint } => {
            let path = path.display().to_string();
            ErrorObject::new(
                Code::IdentityUnavailable,
                format!("identity unavailable: `{path}`: {reason}; {hint}"),
            )
            .with_data(&IdentityUnavailable { path, reason })
        }
        IdentityError::Changed { device_id } => {
            let message = match &device_id {
                Some(id) => {
                    format!(
                        "identity changed: the id on disk is `{id}`, not the `if_device_id` of the call"
                    )
                }
                None => "identity changed: there is no id on disk".to_owned(),
            };
            ErrorObject::new(Code::IdentityChanged, message)
                .with_data(&IdentityChanged { device_id })
        }
        IdentityError::InvalidId { reason } => ErrorObject::invalid_params("/device_id", reason),
        IdentityError::Interrupted => {
            ErrorObject::new(Code::Cancelled, "cancelled before anything was written")
        }
    }
}

/// Who reads a message: its hint names what he can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// A program, and who wrote or configured it.
    Host,
    /// A user of Stash, who has settings and no options.
    StashUser,
}

/// `router` is the one that the call's account has.
pub(super) fn of_plex(
    error: PlexError,
    reader: Reader,
    router: Option<&Arc<dyn Router>>,
) -> ErrorObject {
    let server = router.and_then(|router| router.server());
    match error {
        PlexError::Invalid { pointer, reason } => ErrorObject::invalid_params(pointer, reason),
        PlexError::Http(error) => of_http(error, reader, server.as_deref()),
        PlexError::NotConfigured { missing: Missing::Server, message }
            if reader == Reader::StashUser =>
        {
            let message = format!("{message}; set `plex_url` in {SETTINGS_PAGE}");
            not_configured(Missing::Server, message)
        }
        PlexError::NotConfigured { missing, message } => not_configured(missing, message),
        PlexError::NoServer(error) => no_server(*error, reader),
        PlexError::NoSection(error) => no_section(*error, "/folder", reader),
        PlexError::Refused(refusal) => {
            let server = refused_by(refusal.status, router);
            refused(*refusal, reader, server.as_deref())
        }
    }
}

/// The account's server that has answered with this status; not where it has refused a token that is not the account's.
pub(super) fn refused_by(status: u16, router: Option<&Arc<dyn Router>>) -> Option<String> {
    router.and_then(|router| match status {
        401 | 403 => router.lender(),
        _ => router.server(),
    })
}

/// `server` is the account's, if no URL is configured.
fn of_http(error: HttpError, reader: Reader, server: Option<&str>) -> ErrorObject {
    let message = match (reader, server) {
        (Reader::Host, Some(server)) if !matches!(error, HttpError::TooLarge { .. }) => {
            format!("{error}; {}", of_the_account(server, reader))
        }
        (Reader::Host, _) => error.to_string(),
        (Reader::StashUser, server) => in_stash(&error, server),
    };
    match error {
        HttpError::Unreachable { kind, .. } => {
            ErrorObject::new(Code::PlexUnreachable, message).with_data(&PlexUnreachable { kind })
        }
        HttpError::Timeout { phase, .. } => {
            ErrorObject::new(Code::PlexTimeout, message).with_data(&PlexTimeout { phase })
        }
        HttpError::TooLarge { max_bytes } => {
            ErrorObject::new(Code::AnswerTooLarge, message).with_data(&AnswerTooLarge { max_bytes })
        }
    }
}

/// The message for a user of Stash: the time of a task or a hook is not his to set.
fn in_stash(error: &HttpError, server: Option<&str>) -> String {
    let (reason, hint) = match error {
        HttpError::Timeout {
            phase: TimeoutPhase::Response | TimeoutPhase::Body, reason, ..
        } => (reason, "Plex may be busy: wait, then try again, or restart it".to_owned()),
        HttpError::Unreachable { reason, hint, .. } | HttpError::Timeout { reason, hint, .. } => {
            let hint = without_options(hint);
            let place = match server {
                Some(server) => of_the_account(server, Reader::StashUser),
                None => format!("Plex's URL is `plex_url` in {SETTINGS_PAGE}"),
            };
            (reason, format!("{hint}; {place}"))
        }
        HttpError::TooLarge { .. } => return error.to_string(),
    };
    format!("{reason}; {hint}")
}

/// Where the way to a server comes from that nobody has configured, and who knows more.
fn of_the_account(server: &str, reader: Reader) -> String {
    let more = match reader {
        Reader::Host => {
            "`server.list` with `probe`, by hand `plexsync-worker servers --probe`, tries all ways to it"
        }
        Reader::StashUser => "the task *Check Plex connection* tries it",
    };
    match server {
        "" => format!("a server of the account is meant: {more}"),
        name => format!("it is `{name}`, a server of the account: {more}"),
    }
}

/// Data of invalid params, with the locations.
#[derive(Serialize)]
struct NoSection {
    #[serde(flatten)]
    params: InvalidParams,
    locations: Vec<String>,
}

/// No library section holds the folder that the param at `pointer` names.
pub(super) fn no_section(error: plex::NoSection, pointer: &str, reader: Reader) -> ErrorObject {
    let hint = match reader {
        Reader::Host => "name a folder as Plex sees it, or add it to a library".to_owned(),
        Reader::StashUser => format!(
            "if Plex sees the same files under another name, set `path_map` in {SETTINGS_PAGE}, then run *Scan Plex library*"
        ),
    };
    let pointer = if error.section.is_some() { "/section" } else { pointer };
    let reason = "no library section holds the folder".to_owned();
    let params = InvalidParams { pointer: pointer.to_owned(), reason };
    ErrorObject::new(Code::InvalidParams, format!("{error}; {hint}"))
        .with_data(&NoSection { params, locations: error.locations })
}

fn refused(refusal: Refusal, reader: Reader, server: Option<&str>) -> ErrorObject {
    let hint = refusal_hint(refusal.status, refusal.warning.as_deref(), reader, server);
    let message = format!("{refusal}; {hint}");
    let Refusal { status, message: words, server, asked, refused, .. } = refusal;
    let data = RefusedByPlex {
        status,
        message: words,
        server,
        asked: Some(asked),
        refused: Some(refused),
    };
    ErrorObject::new(Code::RefusedByPlex, message).with_data(&data)
}

/// What to do about a status outside 2xx. Without the token that the account could not lend there is nothing to check but
/// why, which is the answer's `warning`.
pub(super) fn refusal_hint(
    status: u16,
    warning: Option<&str>,
    reader: Reader,
    server: Option<&str>,
) -> String {
    match (status, warning, server) {
        (401 | 403, Some(warning), _) => warning.to_owned(),
        (401, None, Some(server)) => {
            format!("`{server}` does not take the account's token; {}", sign_in_again(reader))
        }
        (403, None, Some(server)) => {
            format!("the account may not do this at `{server}`: sign in with its owner's")
        }
        (300..=399 | 404, _, Some(server)) => of_the_account(server, reader),
        (_, _, Some(_)) => status_hint(status, Reader::Host),
        (_, _, None) => status_hint(status, reader),
    }
}

fn status_hint(status: u16, reader: Reader) -> String {
    let (host, setting) = match status {
        401 => ("check the token: it is missing, of another server, or was revoked", "plex_token"),
        403 => ("use the token of an account that may manage the libraries", "plex_token"),
        404 => ("check the URL: expected `http://host:32400`, without a path", "plex_url"),
        301 | 308 => ("use `https://` in the URL", "plex_url"),
        300..=399 => ("something in front of Plex answers: use Plex's own URL", "plex_url"),
        429 => return "Plex has too much to do: wait, then try again".to_owned(),
        503 => return "Plex is starting or in maintenance: wait, then try again".to_owned(),
        _ => return "look into Plex's own log".to_owned(),
    };
    match reader {
        Reader::Host => host.to_owned(),
        Reader::StashUser => format!("{host}; set `{setting}` in {SETTINGS_PAGE}"),
    }
}

pub(super) fn not_configured(missing: Missing, message: impl Into<String>) -> ErrorObject {
    let message = message.into();
    let data = NotConfigured::new(missing, message.as_str());
    ErrorObject::new(Code::NotConfigured, message).with_data(&data)
}

/// Settings that can't be read: `missing` would have been one of them.
pub(super) fn of_stash(error: &StashError, missing: Missing) -> ErrorObject {
    not_configured(missing, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_token_was_lent_a_refusal_says_why() {
        for status in [401, 403] {
            for reader in [Reader::Host, Reader::StashUser] {
                assert_eq!(refusal_hint(status, Some("no token"), reader, None), "no token");
                assert!(refusal_hint(status, None, reader, None).contains("the token"));
                let of_account = refusal_hint(status, None, reader, Some("Box"));
                assert!(of_account.contains("`Box`"), "{of_account}");
                assert!(!of_account.contains("plex_token"), "{of_account}");
            }
        }
        let hint = refusal_hint(503, Some("no token"), Reader::Host, None);
        assert!(hint.contains("maintenance"), "{hint}");
    }
}
