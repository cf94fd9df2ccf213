//! Entry points for fuzzers: plex.tv's list of servers.

use super::{candidates, resources};
use crate::secret::Secrets;

/// What a list says of one server.
#[derive(Debug)]
pub struct Listed {
    /// Its name, as it is shown.
    pub name: String,
    /// Its identifier.
    pub machine_identifier: String,
    /// The account's token for it.
    pub token: Option<String>,
    /// Where it is tried.
    pub urls: Vec<url::Url>,
}

/// The servers of a list; `None` if it is not one.
pub fn servers(body: &[u8]) -> Option<Vec<Listed>> {
    let listed = |server: resources::Server| Listed {
        urls: candidates::of(&server).into_iter().map(|candidate| candidate.url).collect(),
        name: server.name,
        machine_identifier: server.machine_identifier,
        token: server.token.map(|token| token.expose().to_owned()),
    };
    Some(resources::read(body, &Secrets::default())?.into_iter().map(listed).collect())
}
