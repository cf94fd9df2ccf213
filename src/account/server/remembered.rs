//! What `server.json` remembers: ways, tokens, and searches that were in vain.

use std::time::Duration;

use time::OffsetDateTime;

use super::choice::{self, Which};
use super::resources::Server;
use super::{Finder, Way};
use crate::account::files::{ServerFile, StoredServer};

/// So long after a search in vain, or a 401 that stayed, plex.tv is not asked again.
pub(super) const PAUSE: Duration = Duration::from_secs(60);

/// The identifier of the server that is meant, as far as the cache knows.
pub fn identifier_in(cache: &ServerFile, which: &Which) -> Option<String> {
    choice::in_cache(cache, which)
}

pub(super) fn found_at(cache: &ServerFile, identifier: &str) -> Option<OffsetDateTime> {
    cache.servers.get(identifier)?.found_at
}

/// Whether plex.tv is not to be asked about a server now. A time in the future counts as none.
pub(super) fn is_paused(cache: &ServerFile, identifier: &str, now: OffsetDateTime) -> bool {
    let failed_at = cache.servers.get(identifier).and_then(|server| server.failed_at);
    let age = failed_at.map(|at| now - at);
    age.is_some_and(|age| !age.is_negative() && age.unsigned_abs() < PAUSE)
}

impl Finder {
    /// Remembers the way to a server; only the token of one by the relay.
    pub(super) async fn remember(
        &self,
        server: &Server,
        way: &Way,
        is_relay: bool,
        servers: &[Server],
    ) {
        let automatic = choice::automatic(servers).map(|it| it.machine_identifier.clone());
        let now = Some(OffsetDateTime::now_utc());
        let stored = StoredServer {
            name: server.name.clone(),
            uri: (!is_relay).then(|| way.url.to_string()),
            token: way.token.clone(),
            found_at: now.filter(|_| !is_relay),
            failed_at: None,
        };
        let identifier = server.machine_identifier.clone();
        self.change(move |cache| {
            cache.automatic = automatic;
            cache.servers.insert(identifier, stored);
        })
        .await;
    }

    /// Remembers which server is meant, before the way to it is known.
    pub(super) async fn note(&self, server: &Server, servers: &[Server]) {
        let automatic = choice::automatic(servers).map(|it| it.machine_identifier.clone());
        let (identifier, name) = (server.machine_identifier.clone(), server.name.clone());
        self.change(move |cache| {
            cache.automatic = automatic;
            entry(cache, identifier, name);
        })
        .await;
    }

    /// Remembers that a search found no way to a server, or that a 401 stayed.
    pub(super) async fn remember_failure(&self, identifier: &str, name: &str) {
        let (identifier, name) = (identifier.to_owned(), name.to_owned());
        self.change(move |cache| {
            entry(cache, identifier, name).failed_at = Some(OffsetDateTime::now_utc());
        })
        .await;
    }

    /// Changes the cache, unless the sign-in is gone: then nothing of it may come back.
    pub(super) async fn change(&self, change: impl FnOnce(&mut ServerFile) + Send + 'static) {
        if !self.may_write {
            return;
        }
        self.caller
            .on_disk(|caller| {
                let Ok(stored) = caller.stored() else { return };
                let device_id = caller.identity.device_id.clone();
                caller.store.change_servers(stored.pin_id, |cache| {
                    if cache.device_id != device_id {
                        cache.forget_but_chosen();
                        cache.device_id = device_id;
                    }
                    change(cache);
                });
            })
            .await;
    }
}

/// What is known of a server, which may be nothing yet.
pub(super) fn entry(cache: &mut ServerFile, identifier: String, name: String) -> &mut StoredServer {
    let new = StoredServer {
        name: String::new(),
        uri: None,
        token: None,
        found_at: None,
        failed_at: None,
    };
    let entry = cache.servers.entry(identifier).or_insert(new);
    if !name.is_empty() {
        entry.name = name;
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_ends_after_a_minute_and_no_clock_makes_it_longer() {
        let mut cache = ServerFile::default();
        let now = OffsetDateTime::now_utc();
        for (seconds, paused) in [(0, true), (59, true), (60, false), (-1, false), (-1000, false)] {
            entry(&mut cache, "a".to_owned(), "Box".to_owned()).failed_at =
                Some(now - time::Duration::seconds(seconds));
            assert_eq!(is_paused(&cache, "a", now), paused, "{seconds}");
        }
        assert!(!is_paused(&cache, "b", now));
    }

    #[test]
    fn a_server_keeps_its_name_until_there_is_another() {
        let mut cache = ServerFile::default();
        for (told, name) in [("Box", "Box"), ("", "Box"), ("Attic", "Attic")] {
            assert_eq!(entry(&mut cache, "a".to_owned(), told.to_owned()).name, name);
        }
    }
}
