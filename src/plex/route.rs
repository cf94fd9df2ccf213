//! The server of a request that names none: found when the request is sent, and looked for again when it can't be
//! reached. Who finds it is the caller's business.

use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{HOST, HeaderValue};
use plexsync_protocol::identity::Identity;
use tokio::time::Instant;
use url::Url;

use super::error::PlexError;
use crate::http::error::HttpError;
use crate::http::retry::{Route, Why};
use crate::http::{Request, headers};
use crate::secret::Secret;

/// What finding a server ends with.
pub type Sending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Where a request goes, and with which token.
#[derive(Debug, Clone)]
pub struct Place {
    /// Base URL.
    pub url: Url,
    /// In place of the URL's host in the `Host` header.
    pub host: Option<HeaderValue>,
    /// The token that may go there.
    pub token: Option<Secret>,
    /// How long a connection may take at most, if less than usual.
    pub connect_limit: Option<Duration>,
}

/// Finds the server of a call, whose requests share it.
pub trait Router: Debug + Send + Sync {
    /// Where requests of this device go, found by `deadline`.
    fn find<'a>(
        &'a self,
        identity: &'a Arc<Identity>,
        deadline: Instant,
    ) -> Sending<'a, Result<Place, PlexError>>;

    /// Another place, after the server could not be reached or did not take the token; `None` if there is none.
    fn find_again<'a>(
        &'a self,
        identity: &'a Arc<Identity>,
        deadline: Instant,
        refused: bool,
    ) -> Sending<'a, Option<Place>>;

    /// A sentence for the user about what was found.
    fn warning(&self) -> Option<String>;

    /// Name of the account's server, empty before it was found; none where a URL is configured, which only lacks a token.
    fn server(&self) -> Option<String>;

    /// The same where its token is the account's as well, and neither the call's own nor a configured one.
    fn lender(&self) -> Option<String>;
}

/// Finds the server of one request.
#[derive(Debug)]
pub(crate) struct Routing {
    router: Arc<dyn Router>,
    identity: Arc<Identity>,
    takes_token: bool,
}

impl Routing {
    pub(crate) fn new(
        router: Arc<dyn Router>,
        identity: &Arc<Identity>,
        takes_token: bool,
    ) -> Self {
        Self { router, identity: Arc::clone(identity), takes_token }
    }

    /// Where a request goes that has to be routed.
    pub(crate) async fn find(
        routing: Option<Self>,
        deadline: Instant,
    ) -> Result<Option<Routed>, PlexError> {
        let Some(routing) = routing else { return Ok(None) };
        let place = routing.router.find(&routing.identity, deadline).await?;
        Ok(Some(Routed { routing, place, deadline }))
    }
}

/// Where one request goes now.
pub struct Routed {
    routing: Routing,
    place: Place,
    deadline: Instant,
}

impl Routed {
    /// How long a connection may take, where `usual` is the longest.
    pub(crate) fn limit(&self, usual: Duration) -> Duration {
        self.place.connect_limit.map_or(usual, |limit| limit.min(usual))
    }

    pub(crate) fn warning(&self) -> Option<String> {
        self.routing.router.warning()
    }
}

impl Route for Routed {
    fn put_on(&self, request: &Request) -> Request {
        let mut request = request.clone();
        let Place { url, host, token, .. } = &self.place;
        let mut at = url.clone();
        at.set_path(&format!("{}{}", url.path().trim_end_matches('/'), request.url.path()));
        at.set_query(request.url.query());
        request.url = at;
        if let Some(host) = host {
            request.headers.insert(HOST, host.clone());
        }
        if let Some(token) = token.as_ref().filter(|_| self.routing.takes_token) {
            // One that no header can carry was never a token: Plex says so.
            let _unsendable = headers::put_token(&mut request.headers, token);
        }
        request
    }

    fn explain(&self, error: HttpError) -> HttpError {
        match self.place.connect_limit {
            Some(_) => error.not_in_time_is_unreachable(),
            None => error,
        }
    }

    fn change(&mut self, why: Why) -> Sending<'_, bool> {
        Box::pin(async move {
            let refused = why == Why::Unauthorized;
            if refused && !self.routing.takes_token {
                return false;
            }
            let Routing { router, identity, .. } = &self.routing;
            match router.find_again(identity, self.deadline, refused).await {
                Some(place) => {
                    self.place = place;
                    true
                }
                None => false,
            }
        })
    }
}
