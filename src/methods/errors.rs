//! Failures to error codes, in this one place.

use plexsync_protocol::error::{
    AnswerTooLarge, Code, ErrorObject, IdentityChanged, IdentityUnavailable, InvalidParams,
    Missing, NotConfigured, PlexTimeout, PlexUnreachable, RefusedByPlex, SignInIncomplete,
    SignInState,
};
use serde::Serialize;

use crate::account::{self, AccountError, FileError, NotSignedIn};
use crate::files::Problem;
use crate::http::error::HttpError;
use crate::identity::IdentityError;
use crate::plex::{self, PlexError, Refusal};
use crate::stash::{SETTINGS_PAGE, StashError};

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
                Some(_) => "identity changed: the id on disk is another than `if_device_id`",
                None => "identity changed: there is no id on disk",
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

pub(super) fn of_plex(error: PlexError, reader: Reader) -> ErrorObject {
    match error {
        PlexError::Invalid { pointer, reason } => ErrorObject::invalid_params(pointer, reason),
        PlexError::Http(error) => of_http(error),
        PlexError::NotConfigured { missing, message } => not_configured(missing, message),
        PlexError::NoSection(error) => no_section(*error, "/folder", reader),
        PlexError::Refused(refusal) => refused(*refusal, reader),
    }
}

pub(super) fn of_http(error: HttpError) -> ErrorObject {
    let message = error.to_string();
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

pub(super) fn of_account(error: AccountError, reader: Reader) -> ErrorObject {
    match error {
        AccountError::Http(error) => of_http(error),
        AccountError::Refused(refusal) => {
            let hint = match refusal.status {
                401 => sign_in_again(reader),
                429 => "plex.tv has too much to do: wait a few minutes, then try again",
                500.. => "plex.tv has a problem of its own: wait, then try again",
                _ => "check what answers in plex.tv's place: a portal or a proxy may",
            };
            let message = format!("{refusal}; {hint}");
            let account::Refusal { status, message: words, server, .. } = refusal;
            let data = RefusedByPlex { status, message: words, server, asked: None, refused: None };
            ErrorObject::new(Code::RefusedByPlex, message).with_data(&data)
        }
        AccountError::File(FileError { path, problem: Problem { reason, hint } }) => {
            let message = format!("`{}`: {reason}; {hint}", path.display());
            let mut data = NotConfigured::new(Missing::Token, reason);
            data.path = Some(path.display().to_string());
            ErrorObject::new(Code::NotConfigured, message).with_data(&data)
        }
        AccountError::Incomplete(reason) => {
            let what = match reason {
                SignInState::Expired => "the code has expired",
                SignInState::Refused => "plex.tv has refused the sign-in",
                _ => "no sign-in has begun",
            };
            ErrorObject::new(Code::SignInIncomplete, format!("{what}; {}", sign_in_again(reader)))
                .with_data(&SignInIncomplete { reason })
        }
        AccountError::NotSignedIn(why) => {
            not_configured(Missing::Token, not_signed_in(&why, sign_in_again(reader)))
        }
    }
}

fn not_signed_in(why: &NotSignedIn, hint: &str) -> String {
    match why {
        NotSignedIn::None => format!("not signed in to plex.tv; {hint}"),
        NotSignedIn::OtherDevice(id) => format!(
            "the stored sign-in belongs to the device `{id}`, which this is not any more; {hint}"
        ),
        NotSignedIn::OtherPlexTv(url) => {
            format!("the stored sign-in was made at `{url}`; {hint}")
        }
        NotSignedIn::NoFolder => {
            "no data folder is known; give `--data-dir` or `PLEXSYNC_DATA_DIR`".to_owned()
        }
    }
}

fn sign_in_again(reader: Reader) -> &'static str {
    match reader {
        Reader::Host => "sign in with `auth.start`",
        Reader::StashUser => "run the task *Sign in to Plex*",
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

fn refused(refusal: Refusal, reader: Reader) -> ErrorObject {
    let message = format!("{refusal}; {}", status_hint(refusal.status, reader));
    let Refusal { status, message: words, server, asked, refused, what: _ } = refusal;
    let data = RefusedByPlex {
        status,
        message: words,
        server,
        asked: Some(asked),
        refused: Some(refused),
    };
    ErrorObject::new(Code::RefusedByPlex, message).with_data(&data)
}

/// What to do about a status outside 2xx.
pub(super) fn status_hint(status: u16, reader: Reader) -> String {
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
