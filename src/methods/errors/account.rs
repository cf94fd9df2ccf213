//! Failures of calls about the account.

use plexsync_protocol::error::{
    Code, ErrorObject, Missing, NotConfigured, RefusedByPlex, SignInIncomplete, SignInState,
};

use super::server::no_server;
use super::{Reader, not_configured, of_http};
use crate::account::{AccountError, FileError, NotSignedIn, Refusal};
use crate::files::Problem;
use crate::http::error::HttpError;
use crate::target;

pub(in crate::methods) fn of_account(error: AccountError, reader: Reader) -> ErrorObject {
    match error {
        AccountError::Http(error) => match reader {
            Reader::Host => of_http(error, reader, None),
            Reader::StashUser => in_stash(error),
        },
        AccountError::Refused(refusal) => {
            let hint = match refusal.status {
                401 => sign_in_again(reader),
                429 => "plex.tv has too much to do: wait a few minutes, then try again",
                500.. => "plex.tv has a problem of its own: wait, then try again",
                _ => "check what answers in plex.tv's place: a portal or a proxy may",
            };
            let message = format!("{refusal}; {hint}");
            let Refusal { status, message: words, server, .. } = refusal;
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
        AccountError::Unclear(unclear) => no_server(target::no_server(unclear), reader),
    }
}

/// A user of Stash has no options, and none of his settings is about plex.tv.
fn in_stash(error: HttpError) -> ErrorObject {
    let hint =
        "check the internet connection of the machine that Stash runs on, then run the task again";
    let message = match &error {
        HttpError::Unreachable { reason, .. } | HttpError::Timeout { reason, .. } => {
            format!("{reason}; {hint}")
        }
        HttpError::TooLarge { .. } => error.to_string(),
    };
    ErrorObject { message, ..of_http(error, Reader::Host, None) }
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

pub(super) fn sign_in_again(reader: Reader) -> &'static str {
    match reader {
        Reader::Host => "sign in with `auth.start`, by hand with `plexsync-worker login`",
        Reader::StashUser => "run the task *Sign in to Plex*",
    }
}
