//! The server of a Stash conversation, as the outbox knows it, and its folders under Stash's names.

use plexsync_protocol::error::{ErrorObject, Missing};

use super::super::account::{Has, Resolved};
use super::super::errors;
use super::Conversation;
use crate::plex::{Account, Section, server_key};
use crate::remote_path::RemotePath;
use crate::scans;
use crate::stash::{PathMap, SETTINGS_PAGE, Settings};

/// In place of the identifier of the account's server, before its first request.
const NOT_FOUND_YET: &str = "account";

pub(super) struct Server {
    /// Origin and base path of its URL, or the identifier of a server of the account.
    pub(super) key: String,
    /// Its base URL, if the call names it.
    pub(super) url: Option<String>,
    pub(super) account: Account,
    pub(super) path_map: PathMap,
}

impl Server {
    /// The server that these settings, or what stands above them, name; else the account's.
    pub(super) async fn of(
        Conversation { worker, call, server, .. }: &Conversation,
        settings: Settings,
    ) -> Result<Self, ErrorObject> {
        let has = Has { server: server.as_deref(), token: None };
        let resolved = worker.account_of(call, settings, has).await?;
        let url = resolved.server_of(has);
        let resolved = if url.is_some() { resolved } else { resolved.with_server()? };
        let Resolved { account, settings, key } = resolved;
        if let Some(Err(reason)) = account.server.as_deref().map(server_key) {
            let message =
                format!("the configured `plex_url` {reason}; set `plex_url` in {SETTINGS_PAGE}");
            return Err(errors::not_configured(Missing::Server, message));
        }
        let key = key.unwrap_or_else(|| NOT_FOUND_YET.to_owned());
        Ok(Self { key, url, account, path_map: settings.path_map })
    }

    /// What Plex may call a folder of Stash's: the translated name first.
    pub(super) fn names(&self, folder: &str) -> Vec<RemotePath> {
        let Some(folder) = RemotePath::parse(folder) else { return Vec::new() };
        self.path_map.translate(&folder).into_iter().chain([folder]).collect()
    }
}

/// Sections as a scanner takes them.
pub(super) fn sections(list: Vec<scans::Section>) -> Vec<Section> {
    let section = |scans::Section { key, kind, locations }| Section {
        key,
        kind,
        locations: locations.iter().filter_map(|path| RemotePath::parse(path)).collect(),
    };
    list.into_iter().map(section).collect()
}

/// The same as the outbox keeps them.
pub(super) fn kept(list: &[Section]) -> Vec<scans::Section> {
    let section = |section: &Section| scans::Section {
        key: section.key.clone(),
        kind: section.kind.clone(),
        locations: section.locations.iter().map(|path| path.written().to_owned()).collect(),
    };
    list.iter().map(section).collect()
}
