//! The account's servers: which one is meant, the way to it, and the token that it takes. A way is proved before a token
//! goes there, and remembered in `server.json`, so that the next process asks plex.tv nothing.

mod candidates;
mod choice;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod lend;
mod list;
mod proof;
mod race;
mod remembered;
pub(super) mod resources;
mod search;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hyper::header::{HeaderMap, HeaderValue};
use plexsync_protocol::error::UnreachableKind;
use tokio::time::Instant;
use url::Url;

pub use self::choice::{Unclear, Which, looks_like_host_and_port};
pub use self::lend::Lent;
use self::proof::{Limit, Place, Prover};
pub use self::remembered::identifier_in;
use super::files::{AccountFile, ServerFile};
use super::{AccountError, Caller};
use crate::http::client::Clients;
use crate::http::error::HttpError;
use crate::http::headers;
use crate::secret::Secret;

/// How long one connection is tried.
pub const PROBE: Duration = Duration::from_secs(3);
/// The same in a Stash hook.
pub const HOOK_PROBE: Duration = Duration::from_millis(1500);
/// How long making a remembered connection may take.
pub const REMEMBERED: Duration = Duration::from_secs(2);

/// What this process knows of servers, beside the files.
pub struct Servers {
    prover: Prover,
    known: Mutex<Known>,
    /// One search at a time: the others find its result.
    searching: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    /// Base URLs that were asked: which server is there, and to where its token may go.
    asked: BTreeMap<String, (Option<String>, Option<Place>)>,
    /// Ways by the relay, by identifier, and when they were found. Nothing on disk remembers them.
    relays: BTreeMap<String, (Way, Instant)>,
}

/// A way to a server that was proved, and the token for it.
#[derive(Debug, Clone)]
pub struct Way {
    /// The server's identifier.
    pub machine_identifier: String,
    /// Its name.
    pub name: String,
    /// The base URL.
    pub url: Url,
    /// In place of the URL's host in the `Host` header.
    pub host: Option<HeaderValue>,
    /// The account's token for this server.
    pub token: Option<Secret>,
    /// It was found before this call.
    pub is_remembered: bool,
}

/// Looks for servers in one call. Cheap to clone.
#[derive(Clone)]
pub struct Finder {
    pub servers: Arc<Servers>,
    pub caller: Caller,
    /// How long one connection is tried.
    pub each: Duration,
    /// What is found may be remembered.
    pub may_write: bool,
}

impl Servers {
    /// Servers are asked over the connections of `clients`, which the request that follows can use again.
    pub fn new(clients: Arc<Clients>) -> Self {
        let (known, searching) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { prover: Prover::new(clients), known, searching }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Finder {
    /// The way to a server: the remembered one, else one that is searched for.
    ///
    /// # Errors
    /// Which server is meant is not clear, there is no way to it, or plex.tv can't be asked.
    pub async fn find(&self, which: &Which) -> Result<Way, AccountError> {
        let (_, cache) = self.stored().await?;
        let Some(way) = self.remembered(&cache, which) else {
            return self.search(which, None).await;
        };
        let found_at = remembered::found_at(&cache, &way.machine_identifier);
        match self.proved(way).await {
            Ok(way) => Ok(way),
            Err(error) => {
                let is_late = Instant::now() >= self.caller.time.deadline;
                match self.search(which, found_at).await {
                    Err(AccountError::Http(_)) if is_late => Err(error.into()),
                    Err(AccountError::Http(_)) => Err(not_proved(error).into()),
                    outcome => outcome,
                }
            }
        }
    }

    /// Another way to the same server, after this one failed; `None` if there is none.
    pub async fn find_again(&self, way: &Way) -> Option<Way> {
        let identifier = &way.machine_identifier;
        self.servers.known().forget(identifier);
        let (_, cache) = self.stored().await.ok()?;
        let found_at = remembered::found_at(&cache, identifier);
        self.search(&Which::OfCall(identifier.clone()), found_at).await.ok()
    }

    /// Whether the server is at a remembered way now.
    pub async fn is_true(&self, way: &Way) -> bool {
        let Ok(headers) = self.headers() else { return false };
        let (prover, machine) = (&self.servers.prover, &way.machine_identifier);
        prover.prove(&way.url, machine, &headers, self.limit()).await.is_ok()
    }

    /// The stored sign-in, and the cache as far as it belongs to this device.
    async fn stored(&self) -> Result<(AccountFile, ServerFile), AccountError> {
        let reading = self.caller.on_disk(|caller| {
            let account = caller.stored()?;
            let mut cache = caller.store.servers();
            if cache.device_id != caller.identity.device_id {
                cache.forget_but_chosen();
            }
            Ok((account, cache))
        });
        let deadline = self.caller.time.deadline;
        tokio::time::timeout_at(deadline, reading).await.unwrap_or_else(|_| Err(late().into()))
    }

    /// The way that the cache remembers, not proved yet.
    fn remembered(&self, cache: &ServerFile, which: &Which) -> Option<Way> {
        let identifier = choice::in_cache(cache, which)?;
        if let Some(relay) = self.servers.known().relay(&identifier) {
            return Some(relay);
        }
        let stored = cache.servers.get(&identifier)?;
        let way = Way {
            url: candidates::base(stored.uri.as_deref()?)?,
            host: None,
            name: stored.name.clone(),
            token: Some(stored.token.clone()?),
            machine_identifier: identifier,
            is_remembered: true,
        };
        Some(self.told(way))
    }

    /// A way whose token the log does not show.
    fn told(&self, way: Way) -> Way {
        way.token.iter().for_each(|token| self.caller.secrets.remember(token));
        way
    }

    /// A remembered way, proved once a process unless its certificate does.
    async fn proved(&self, way: Way) -> Result<Way, HttpError> {
        if candidates::is_proved_by_certificate(&way.url) {
            return Ok(way);
        }
        let key = way.url.to_string();
        let is_this = |machine: &Option<String>| machine.as_ref() == Some(&way.machine_identifier);
        let known = self.servers.known().asked.get(&key).cloned();
        if let Some((machine, Some(Place { url, host }))) = known
            && is_this(&machine)
        {
            return Ok(Way { url, host, ..way });
        }
        let limit = Limit { each: self.each.min(REMEMBERED), ..self.limit() };
        let headers = self.headers()?;
        let identifier = way.machine_identifier.clone();
        let place = self.servers.prover.prove(&way.url, &identifier, &headers, limit).await?;
        self.servers.known().asked.insert(key, (Some(identifier), Some(place.clone())));
        Ok(Way { url: place.url, host: place.host, ..way })
    }

    fn limit(&self) -> Limit {
        Limit { each: self.each, connect: self.each, deadline: self.caller.time.deadline }
    }

    /// The headers of this device, without a token.
    fn headers(&self) -> Result<HeaderMap, HttpError> {
        headers::of_device(&self.caller.identity.headers).map_err(|_| {
            let reason = "the identity holds a character that no header can carry";
            HttpError::unreachable(UnreachableKind::Protocol, reason, "reset the identity")
        })
    }
}

impl Known {
    fn forget(&mut self, identifier: &str) {
        self.asked.retain(|_, (machine, _)| machine.as_deref() != Some(identifier));
        self.relays.remove(identifier);
    }

    fn relay(&self, identifier: &str) -> Option<Way> {
        let (way, found) = self.relays.get(identifier)?;
        (found.elapsed() < remembered::PAUSE).then(|| way.clone())
    }
}

/// Of a remembered way that had a limit of its own, and not the whole time of the call.
fn not_proved(error: HttpError) -> HttpError {
    match error {
        HttpError::Timeout { reason, .. } => HttpError::unreachable(
            UnreachableKind::Connect,
            reason,
            "start the server, or look at all ways with `server.list` and `probe`",
        ),
        other => other,
    }
}

fn late() -> HttpError {
    use plexsync_protocol::error::TimeoutPhase::Connect;
    HttpError::timeout(Connect, "the server was not found in time", "raise `timeout_ms`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(identifier: &str) -> Way {
        Way {
            machine_identifier: identifier.to_owned(),
            name: "Box".to_owned(),
            url: Url::parse("https://relay:8443").unwrap(),
            host: None,
            token: None,
            is_remembered: false,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_way_by_the_relay_is_known_for_a_minute() {
        let mut known = Known::default();
        known.relays.insert("m1".to_owned(), (way("m1"), Instant::now()));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(known.relay("m1").unwrap().machine_identifier, "m1");
        assert!(known.relay("m2").is_none());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(known.relay("m1").is_none());
    }

    #[tokio::test]
    async fn what_is_forgotten_of_a_server_is_nothing_of_others() {
        let mut known = Known::default();
        for identifier in ["m1", "m2"] {
            known.asked.insert(format!("http://{identifier}"), (Some(identifier.to_owned()), None));
            known.relays.insert(identifier.to_owned(), (way(identifier), Instant::now()));
        }
        known.forget("m1");
        assert_eq!(known.asked.keys().collect::<Vec<_>>(), ["http://m2"]);
        assert_eq!(known.relays.keys().collect::<Vec<_>>(), ["m2"]);
    }
}
