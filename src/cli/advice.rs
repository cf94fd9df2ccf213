//! What is said to somebody who mistyped, where clap's nearest word would mislead.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// The same error, with the tip that helps.
pub fn advised(mut error: Error) -> Error {
    let tip = match (error.kind(), of(&error, ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(method)) if method.contains('.') => {
            format!("a method is called with `plexsync-worker call {method}`")
        }
        (ErrorKind::UnknownArgument, _)
            if of(&error, ContextKind::InvalidArg).as_deref() == Some("--plex-token") =>
        {
            "every user of this machine can read a token on the command line: set PLEX_TOKEN, or give \
             --plex-token-file"
                .to_owned()
        }
        _ => return error,
    };
    for kind in [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg] {
        error.remove(kind);
    }
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}

fn of(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        _ => None,
    }
}
