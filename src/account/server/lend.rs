//! The token of the account for a server whose URL the user has configured without one.

use std::time::Duration;

use tokio::time::timeout_at;
use url::Url;

use super::candidates;
use super::choice;
use super::proof::{Limit, Place};
use super::remembered;
use super::{Finder, Way, late};
use crate::account::files::ServerFile;
use crate::account::{AccountError, NotSignedIn};

const NONE: &str = "is none of the account's servers";
/// plex.tv said so, or did not answer.
const PAUSED: &str = "was not known as one of the account's servers less than a minute ago";

/// What a configured URL gets.
#[derive(Debug, Clone)]
pub struct Lent {
    /// The way to the server that lends its token; none where no token is lent.
    pub way: Option<Way>,
    /// Why none is lent, for the user.
    pub warning: Option<String>,
}

impl Lent {
    fn nothing(warning: Option<String>) -> Self {
        Self { way: None, warning }
    }
}

impl Finder {
    /// Asks the server at a configured base URL who it is, without a token; the account's server with that identifier
    /// lends its token.
    ///
    /// # Errors
    /// The server can't be reached, or the stored sign-in can't be used.
    pub async fn lend(&self, url: &str) -> Result<Lent, AccountError> {
        let Some(base) = candidates::base(url.trim_end_matches('/')) else {
            return Ok(Lent::nothing(None));
        };
        match self.stored().await {
            Err(AccountError::NotSignedIn(NotSignedIn::None)) => {
                return Ok(Lent::nothing(None));
            }
            stored => drop(stored?),
        }
        let (machine, place) = self.asked(&base).await?;
        let Some(machine) = machine else {
            return Ok(Lent::nothing(Some(format!(
                "{} does not say which Plex server it is",
                shown(&base)
            ))));
        };
        let Some(place) = place else {
            let reason =
                "is not in a private network, so no token of the account goes there in clear";
            let hint = "use `https://`, or configure a token";
            return Ok(Lent::nothing(Some(format!("{} {reason}; {hint}", shown(&base)))));
        };
        let asking = self.token_for(&machine, &place);
        let asked = timeout_at(self.caller.time.deadline, asking).await;
        let asked = asked.unwrap_or_else(|_| Err(late().into()));
        if asked.is_err() {
            self.remember_failure(&machine, "").await;
        }
        Ok(match asked? {
            Ok(way) => Lent { way: Some(way), warning: None },
            Err(why) => Lent::nothing(Some(format!(
                "{} {why}, so no token is sent to it; configure one, or leave out the URL",
                shown(&base)
            ))),
        })
    }

    /// What the server at a base URL says, asked once a process.
    async fn asked(&self, base: &Url) -> Result<(Option<String>, Option<Place>), AccountError> {
        let key = base.to_string();
        if let Some(known) = self.servers.known().asked.get(&key).cloned() {
            return Ok(known);
        }
        let time = self.caller.time;
        let limit = Limit { each: Duration::MAX, connect: time.connect, deadline: time.deadline };
        let said = self.servers.prover.ask(base, &self.headers()?, limit).await?;
        if said.0.is_some() {
            self.servers.known().asked.insert(key, said.clone());
        }
        Ok(said)
    }

    /// The way with the token of the server that is there, or why there is none, as the end of a sentence about the URL.
    async fn token_for(
        &self,
        machine: &str,
        place: &Place,
    ) -> Result<Result<Way, &'static str>, AccountError> {
        let _turn = self.servers.searching.lock().await;
        let (account, cache) = self.stored().await?;
        let stored = cache.servers.get(machine);
        let way = |name: &str, token| {
            self.told(Way {
                machine_identifier: machine.to_owned(),
                name: name.to_owned(),
                url: place.url.clone(),
                host: place.host.clone(),
                token: Some(token),
                is_remembered: false,
            })
        };
        if let Some(token) = stored.and_then(|stored| stored.token.clone()) {
            return Ok(Ok(way(stored.map_or("", |it| it.name.as_str()), token)));
        }
        if remembered::is_paused(&cache, machine, time::OffsetDateTime::now_utc()) {
            return Ok(Err(PAUSED));
        }
        let servers = self.resources(&account).await?;
        let server = choice::with_identifier(&servers, machine);
        let Some((server, token)) = server.and_then(|it| Some((it, it.token.clone()?))) else {
            self.remember_failure(machine, "").await;
            return Ok(Err(NONE));
        };
        let (identifier, name) = (machine.to_owned(), server.name.clone());
        let (found, automatic) =
            (token.clone(), choice::automatic(&servers).map(|it| it.machine_identifier.clone()));
        let change = move |cache: &mut ServerFile| {
            cache.automatic = automatic;
            remembered::entry(cache, identifier, name).token = Some(found);
        };
        self.change(change).await;
        Ok(Ok(way(&server.name, token)))
    }

    /// Forgets who is at a configured URL.
    pub fn forget(&self, url: &str) {
        if let Some(base) = candidates::base(url.trim_end_matches('/')) {
            self.servers.known().asked.remove(base.as_str());
        }
    }
}

/// The configured URL's origin: the rest may hold anything.
fn shown(base: &Url) -> String {
    format!("`{}`", base.origin().ascii_serialization())
}
