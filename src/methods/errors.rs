//! Failures to error codes, in this one place.

use plexsync_protocol::error::{
    AnswerTooLarge, Code, ErrorObject, IdentityChanged, IdentityUnavailable, InvalidParams,
    Missing, NotConfigured, PlexTimeout, PlexUnreachable,
};
use serde::Serialize;

use crate::http::error::HttpError;
use crate::identity::IdentityError;
use crate::plex::PlexError;
use crate::stash::StashError;

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
            ErrorObject::new(Code::Cancelled, "cancelled: the worker was asked to stop")
        }
    }
}

pub(super) fn of_plex(error: PlexError) -> ErrorObject {
    match error {
        PlexError::Invalid { pointer, reason } => ErrorObject::invalid_params(pointer, reason),
        PlexError::Http(error) => of_http(error),
        PlexError::NotConfigured { missing, message } => not_configured(missing, message),
        PlexError::NoSection { folder, locations } => no_section(&folder, locations),
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

/// Data of invalid params, with the locations.
#[derive(Serialize)]
struct NoSection {
    #[serde(flatten)]
    params: InvalidParams,
    locations: Vec<String>,
}

fn no_section(folder: &str, locations: Vec<String>) -> ErrorObject {
    let reason = "no library section holds this folder".to_owned();
    let message = format!("{reason}: `{folder}`; the sections' locations are in `data.locations`");
    let params = InvalidParams { pointer: "/folder".to_owned(), reason };
    ErrorObject::new(Code::InvalidParams, message).with_data(&NoSection { params, locations })
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
