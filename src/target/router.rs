//! The account's server of one call: found when the first request is sent, and looked for again once.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plexsync_protocol::error::{Missing, UnreachableKind};
use plexsync_protocol::identity::Identity;
use tokio::time::Instant;

use crate::account::server::{Finder, Lent, REMEMBERED, Servers, Unclear, Way, Which};
use crate::account::{AccountError, Caller, FileError, NotSignedIn, PlexTv, Refusal, Store, Time};
use crate::http::error::HttpError;
use crate::plex::{NoServer, Place, PlexError, Router, Sending, base_url};
use crate::secret::Secrets;

/// What looking for the account's servers takes.
#[derive(Clone)]
pub struct Means {
    pub servers: Arc<Servers>,
    pub plex_tv: PlexTv,
    pub store: Store,
    pub secrets: Secrets,
    /// Longest time for a connection that the user has configured.
    pub connect: Duration,
    /// Longest time for one of the connections that plex.tv lists.
    pub each: Duration,
}

impl Means {
    /// Looks for servers as this device, by `deadline`.
    pub fn finder(&self, identity: &Arc<Identity>, deadline: Instant) -> Finder {
        let caller = Caller {
            identity: Arc::clone(identity),
            plex_tv: self.plex_tv.clone(),
            store: self.store.clone(),
            secrets: self.secrets.clone(),
            time: Time { deadline, connect: self.connect },
        };
        Finder { servers: Arc::clone(&self.servers), caller, each: self.each, may_write: true }
    }
}

/// What the account gives to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Need {
    Server(Which),
    /// A token for the server at this URL.
    Token(String),
}

/// Routes the requests of one call.
pub(super) struct AccountRouter {
    means: Means,
    need: Need,
    /// There is no other token than the account's.
    lends: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    place: Option<Place>,
    way: Option<Way>,
    warning: Option<String>,
    has_searched: bool,
    has_renewed: bool,
}

impl fmt::Debug for AccountRouter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("AccountRouter").field("need", &self.need).finish_non_exhaustive()
    }
}

impl AccountRouter {
    pub(super) fn new(means: Means, need: Need, lends: bool) -> Self {
        Self { means, need, lends, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, way: Way) -> Place {
        let place = place(&way);
        let mut state = self.state();
        state.has_searched |= !way.is_remembered;
        state.way = Some(way);
        state.place = Some(place.clone());
        place
    }

    async fn lend(&self, finder: &Finder, url: &str) -> Result<Place, PlexError> {
        let Lent { way, warning } = finder.lend(url).await.map_err(of_account)?;
        // There is no other way than the configured one.
        self.state().has_searched = true;
        if let Some(way) = way {
            return Ok(self.keep(way));
        }
        let place = Place { url: base_url(url)?, host: None, token: None, connect_limit: None };
        let mut state = self.state();
        if let Some(warning) = &warning {
            tracing::warn!("{warning}");
        }
        state.warning = warning;
        state.place = Some(place.clone());
        Ok(place)
    }
}

impl Router for AccountRouter {
    fn find<'a>(
        &'a self,
        identity: &'a Arc<Identity>,
        deadline: Instant,
    ) -> Sending<'a, Result<Place, PlexError>> {
        Box::pin(async move {
            if let Some(place) = self.state().place.clone() {
                return Ok(place);
            }
            let finder = self.means.finder(identity, deadline);
            match &self.need {
                Need::Server(which) => {
                    let way = finder.find(which).await.map_err(of_account)?;
                    Ok(self.keep(way))
                }
                Need::Token(url) => self.lend(&finder, url).await,
            }
        })
    }

    fn find_again<'a>(
        &'a self,
        identity: &'a Arc<Identity>,
        deadline: Instant,
        refused: bool,
    ) -> Sending<'a, Option<Place>> {
        Box::pin(async move {
            let (way, is_first) = {
                let mut state = self.state();
                let done = if refused { &mut state.has_renewed } else { &mut state.has_searched };
                let is_first = !std::mem::replace(done, true);
                (state.way.clone(), is_first)
            };
            let finder = self.means.finder(identity, deadline);
            if let (Need::Token(url), false) = (&self.need, refused) {
                finder.forget(url);
            }
            let way = way.filter(|_| is_first)?;
            let other = match refused {
                true => finder.renew(&way).await,
                false => finder.find_again(&way).await,
            };
            other.map(|way| self.keep(way))
        })
    }

    fn warning(&self) -> Option<String> {
        self.state().warning.clone()
    }

    fn server(&self) -> Option<String> {
        match self.need {
            Need::Server(_) => {
                Some(self.state().way.as_ref().map(|way| way.name.clone()).unwrap_or_default())
            }
            Need::Token(_) => None,
        }
    }

    fn lender(&self) -> Option<String> {
        self.server().filter(|name| self.lends && !name.is_empty())
    }
}

fn place(way: &Way) -> Place {
    Place {
        url: way.url.clone(),
        host: way.host.clone(),
        token: way.token.clone(),
        connect_limit: way.is_remembered.then_some(REMEMBERED),
    }
}

/// Why a request has no server, or no token.
fn of_account(error: AccountError) -> PlexError {
    let missing = |missing, reason: String| NoServer {
        missing,
        reason,
        needs_sign_in: true,
        path: None,
        servers: Vec::new(),
        named_by_call: false,
    };
    let error = match error {
        AccountError::Http(error) => return error.into(),
        AccountError::Refused(Refusal { status: 401, .. }) => {
            missing(Missing::Token, "plex.tv does not take the stored sign-in any more".to_owned())
        }
        AccountError::Refused(refusal) => {
            // Not Plex's own answer, so it is none to the request.
            let reason = format!("the way to the server is not known: {refusal}");
            let hint = "wait, then try again";
            return HttpError::unreachable(UnreachableKind::Connect, reason, hint).into();
        }
        AccountError::File(FileError { path, problem }) => NoServer {
            path: Some(path.display().to_string()),
            needs_sign_in: false,
            ..missing(
                Missing::Token,
                format!("`{}`: {}; {}", path.display(), problem.reason, problem.hint),
            )
        },
        AccountError::NotSignedIn(why) => missing(Missing::Token, not_signed_in(&why)),
        AccountError::Unclear(unclear) => no_server(unclear),
        AccountError::Incomplete(_) => missing(Missing::Token, "not signed in".to_owned()),
    };
    PlexError::NoServer(Box::new(error))
}

/// Which server is meant is not clear.
pub fn no_server(unclear: Unclear) -> NoServer {
    NoServer {
        missing: Missing::Server,
        reason: unclear.reason,
        needs_sign_in: false,
        path: None,
        servers: unclear.servers,
        named_by_call: unclear.by_call,
    }
}

fn not_signed_in(why: &NotSignedIn) -> String {
    match why {
        NotSignedIn::OtherDevice(id) => {
            format!("the stored sign-in belongs to the device `{id}`, which this is not any more")
        }
        NotSignedIn::OtherPlexTv(url) => format!("the stored sign-in was made at `{url}`"),
        _ => "not signed in to plex.tv".to_owned(),
    }
}
