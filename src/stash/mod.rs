//! The parent Stash: the user's settings and a scene's files, over GraphQL, authenticated by the session cookie.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper::header::{CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue};
use hyper::{Method, StatusCode};
use plexsync_protocol::error::TimeoutPhase;
use plexsync_protocol::stash::ServerConnection;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::http::Request;
use crate::http::client::{Clients, Reuse};
use crate::http::error::HttpError;
use crate::http::proxy::ProxySettings;
use crate::http::send::Sender;
use crate::http::tls::Trust;
use crate::secret::Secrets;

mod address;
mod error;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod graphql;
mod path_map;
mod session;
mod settings;

pub use error::{SETTINGS_PAGE, StashError, without_options};
pub use path_map::PathMap;
pub use settings::Settings;

use address::Address;
use graphql::{BadAnswer, Saved};
use session::Session;

/// Longest time for a connection: in a hook the user waits.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest time for one query.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer, in bytes. Every plugin's settings together are far smaller.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;
/// Longest error text of Stash that is passed on, in characters.
const LONGEST_REASON: usize = 300;

/// The Stash that started this worker. Clones share one session; no client is built before the first query.
///
/// Runs on the caller's tokio runtime, with its I/O and time drivers.
#[derive(Clone)]
pub struct Stash(Arc<Parent>);

struct Parent {
    address: Address,
    plugin_id: String,
    session: Session,
    secrets: Secrets,
    clients: Clients,
    settings: OnceCell<Settings>,
}

impl Stash {
    /// The Stash behind `connection`. `plugin_id` is whose settings to ask for: the name of the plugin's manifest
    /// without `.yml`, in its letter case. Cookies and the token are added to `secrets`.
    pub fn new(connection: &ServerConnection, plugin_id: String, secrets: Secrets) -> Self {
        let cookie = connection.session_cookie.as_ref();
        let address = Address::of(connection);
        let trust = match address.is_loopback() {
            // Stash's certificate is self-signed, and loopback can't be intercepted.
            true => Trust::All,
            false if connection.dir.is_empty() => Trust::Roots(None),
            false => Trust::Exactly(Path::new(&connection.dir).join("stash.crt")),
        };
        Self(Arc::new(Parent {
            address,
            plugin_id,
            session: Session::new(cookie, secrets.clone()),
            secrets,
            // No proxy, even where Stash exported one: it is the parent.
            clients: Clients::new(trust, ProxySettings::default(), |_| ()),
            settings: OnceCell::new(),
        }))
    }

    /// The user's settings: asked for once, then kept. After an error the next call asks again.
    ///
    /// # Errors
    /// Stash does not answer, or not with settings that can be used.
    pub async fn settings(&self) -> Result<Settings, StashError> {
        self.0.settings.get_or_try_init(|| self.0.ask_settings()).await.cloned()
    }

    /// Its version, as `v0.30.1`.
    ///
    /// # Errors
    /// Stash does not answer, or not with a version.
    pub async fn version(&self) -> Result<String, StashError> {
        let (status, body) = self.0.ask(graphql::version_question()).await?;
        graphql::version_answer(&body).map_err(|bad| self.0.bad_answer(status, bad))
    }

    /// Paths of the scene's files as Stash sees them, the primary file first; `None` if Stash has no such scene, as
    /// in a Destroy hook.
    ///
    /// # Errors
    /// Stash does not answer, or not with a scene.
    pub async fn scene_files(&self, scene_id: &str) -> Result<Option<Vec<String>>, StashError> {
        let question = graphql::scene_question(scene_id);
        let (status, body) = self.0.ask(question).await?;
        graphql::scene_answer(&body).map_err(|bad| self.0.bad_answer(status, bad))
    }

    /// Settings and a scene's files, in one query. Where no answer comes, both halves have the same error.
    pub async fn settings_and_files(&self, scene_id: &str) -> SettingsAndFiles {
        let parent = &self.0;
        let question = graphql::settings_and_scene_question(&parent.plugin_id, scene_id);
        let (status, body) = match parent.ask(question).await {
            Ok(answer) => answer,
            Err(error) => {
                return SettingsAndFiles { settings: Err(error.clone()), files: Err(error) };
            }
        };
        let (saved, files) = graphql::settings_and_scene_answer(&body, &parent.plugin_id);
        let settings = parent.settings_of(status, saved);
        if let Ok(settings) = &settings {
            // Refused if there are some already: kept ones hold for the whole call.
            let _refused = parent.settings.set(settings.clone());
        }
        SettingsAndFiles { settings, files: files.map_err(|bad| parent.bad_answer(status, bad)) }
    }
}

/// What one query told: each half can fail without the other.
#[derive(Debug)]
pub struct SettingsAndFiles {
    /// As of [`Stash::settings`].
    pub settings: Result<Settings, StashError>,
    /// As of [`Stash::scene_files`].
    pub files: Result<Option<Vec<String>>, StashError>,
}

impl Parent {
    async fn ask_settings(&self) -> Result<Settings, StashError> {
        let (status, body) = self.ask(graphql::settings_question(&self.plugin_id)).await?;
        self.settings_of(status, graphql::settings_answer(&body, &self.plugin_id))
    }

    fn settings_of(
        &self,
        status: StatusCode,
        saved: Result<Saved, BadAnswer>,
    ) -> Result<Settings, StashError> {
        Settings::read(&saved.map_err(|bad| self.bad_answer(status, bad))?, &self.secrets)
    }

    /// Sends one query. Returns the response's status (200 or 422, the two that carry GraphQL) and body.
    async fn ask(&self, question: Vec<u8>) -> Result<(StatusCode, Vec<u8>), StashError> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(cookie) = self.session.header() {
            headers.insert(COOKIE, cookie);
        }
        let url = self.address.graphql().ok_or_else(|| {
            self.unreachable("its host is neither a host name nor an address".to_owned())
        })?;
        let request = Request { method: Method::POST, url, headers, body: Some(question.into()) };
        let sender = Sender::new(&self.clients, Instant::now() + TIMEOUT, CONNECT_TIMEOUT);
        // No redirects: the cookie goes nowhere else.
        let answer = sender.send_once(&request, Reuse::Pooled).await;
        let answer = answer.map_err(|failure| self.failure(failure.error))?;
        let status = answer.head.status;
        match status {
            StatusCode::OK => self.session.renew(&answer.head.headers),
            StatusCode::UNPROCESSABLE_ENTITY => {}
            StatusCode::UNAUTHORIZED => return Err(StashError::Refused { address: self.name() }),
            _ => return Err(self.unexpected(status, "expected status 200")),
        }
        let mut body = Vec::new();
        match sender.read(answer.body, MAX_ANSWER, &mut body).await.map_err(|failure| failure.error)
        {
            Ok(()) => Ok((status, body)),
            Err(HttpError::TooLarge { .. }) => {
                Err(self.unexpected(status, "expected at most 16 MiB"))
            }
            Err(error) => Err(self.failure(error)),
        }
    }

    fn name(&self) -> String {
        self.address.to_string()
    }

    fn unreachable(&self, reason: String) -> StashError {
        StashError::Unreachable { address: self.name(), reason }
    }

    fn failure(&self, error: HttpError) -> StashError {
        match error {
            HttpError::Timeout { phase: TimeoutPhase::Response | TimeoutPhase::Body, .. } => {
                StashError::Timeout { address: self.name(), seconds: TIMEOUT.as_secs() }
            }
            HttpError::Timeout { reason, .. } | HttpError::Unreachable { reason, .. } => {
                self.unreachable(reason)
            }
            HttpError::TooLarge { .. } => self.unreachable("its answer is too large".to_owned()),
        }
    }

    fn unexpected(&self, status: StatusCode, reason: &str) -> StashError {
        let (address, reason) = (self.name(), reason.to_owned());
        StashError::Unexpected { address, status: status.as_u16(), reason }
    }

    fn bad_answer(&self, status: StatusCode, bad: BadAnswer) -> StashError {
        match bad {
            BadAnswer::Shape => self.unexpected(status, "expected Stash's GraphQL"),
            BadAnswer::Errors(reason) => {
                // Before the cut: half a secret would not be found.
                let reason = self.secrets.redact(&reason);
                let reason = reason.chars().take(LONGEST_REASON).collect();
                StashError::Rejected { address: self.name(), status: status.as_u16(), reason }
            }
        }
    }
}

/// The plugin's data folder; `None` if Stash does not send the plugin's folder.
pub fn plugin_data(connection: &ServerConnection, working_folder: &Path) -> Option<PathBuf> {
    let is_sent = !connection.plugin_dir.is_empty();
    is_sent.then(|| plugin_dir(connection, working_folder).join("data"))
}

/// The plugin's folder. Stash sends it relative to its own working folder, which is the worker's too, if its
/// configuration is there; so it is resolved once, before anything can change the working folder.
fn plugin_dir(connection: &ServerConnection, working_folder: &Path) -> PathBuf {
    working_folder.join(&connection.plugin_dir)
}

#[cfg(test)]
mod tests;
