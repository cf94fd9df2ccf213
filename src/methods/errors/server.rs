//! Calls for the account's servers that have no server.

use plexsync_protocol::error::{
    Code, ErrorObject, InvalidParams, KnownServer, Missing, NotConfigured,
};
use serde::Serialize;

use super::account::sign_in_again;
use super::{Reader, not_configured};
use crate::plex::NoServer;

/// Data of invalid params, with the account's servers.
#[derive(Serialize)]
struct NoSuchServer {
    #[serde(flatten)]
    params: InvalidParams,
    servers: Vec<KnownServer>,
}

pub(super) fn no_server(error: NoServer, reader: Reader) -> ErrorObject {
    let NoServer { missing, reason, needs_sign_in, path, servers, named_by_call } = error;
    if named_by_call {
        let params = InvalidParams { pointer: "/server".to_owned(), reason: reason.clone() };
        return ErrorObject::invalid_params("/server", reason)
            .with_data(&NoSuchServer { params, servers });
    }
    let message = match needs_sign_in {
        true => format!("{reason}; {}", sign_in_again(reader)),
        false => reason,
    };
    let mut data = NotConfigured::new(missing, message.as_str());
    (data.path, data.servers) = (path, servers);
    ErrorObject::new(Code::NotConfigured, message).with_data(&data)
}

/// A call that names a server of the account, and nobody is signed in.
pub(in crate::methods) fn nobody_signed_in(reader: Reader) -> ErrorObject {
    let reason = "`server` names a server of the account, and nobody is signed in to plex.tv";
    not_configured(Missing::Token, format!("{reason}; {}", sign_in_again(reader)))
}
