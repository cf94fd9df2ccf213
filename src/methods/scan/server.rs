//! The server of a Stash conversation, as the outbox knows it, and its folders under Stash's names.

use plexsync_protocol::error::{ErrorObject, Missing};

use super::super::account::{Has, Resolved};
use super::super::{Worker, errors};
use crate::plex::{Account, Section, server_key};
use crate::remote_path::RemotePath;
use crate::scans;
use crate::stash::{PathMap, SETTINGS_PAGE, Settings};

pub(super) struct Server {
    /// Origin and base path of its URL.
    pub(super) key: String,
    pub(super) account: Account,
    pub(super) path_map: PathMap,
}

impl Server {
    /// The server that these settings, or what stands above them, name.
    pub(super) fn of(worker: &Worker, settings: Settings) -> Result<Self, ErrorObject> {
        let resolved = worker.account_of(settings, Has::default()).with_server()?;
        let Resolved { account, settings } = resolved;
        let url = account.server.as_deref().unwrap_or_default();
        let key = server_key(url).map_err(|reason| {
            let message =
                format!("the configured `plex_url` {reason}; set `plex_url` in {SETTINGS_PAGE}");
            errors::not_configured(Missing::Server, message)
        })?;
        Ok(Self { key, account, path_map: settings.path_map })
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
