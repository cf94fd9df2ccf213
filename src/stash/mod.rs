//! The parent Stash: the user's settings and a scene's files, over GraphQL with the session cookie and nothing else.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use plexsync_protocol::stash::ServerConnection;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, COOKIE};
use reqwest::{Client, Response, StatusCode};
use tokio::sync::OnceCell;

use crate::secret::Secrets;

mod address;
mod error;
mod graphql;
mod path_map;
mod session;
mod settings;
mod tls;

pub use error::{SETTINGS_PAGE, StashError};
pub use path_map::PathMap;
pub use settings::Settings;

use address::Address;
use graphql::BadAnswer;
use session::Session;

/// Longest time for a connection: the user's save waits for it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest time for one question, its answer included.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest answer, in bytes. Every plugin's settings together are far smaller.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// Longest error text taken over from Stash, in characters.
const LONGEST_REASON: usize = 300;

/// The Stash that started this worker. Clones share one session; no client is built before the first question.
///
/// Runs on the caller's tokio runtime, with its I/O and time drivers.
#[derive(Clone)]
pub struct Stash(Arc<Parent>);

struct Parent {
    address: Address,
    plugin_id: String,
    session: Session,
    secrets: Secrets,
    client: OnceCell<Client>,
    settings: OnceCell<Settings>,
}

impl Stash {
    /// The Stash behind `connection`. `plugin_id` is whose settings to ask for: the name of the plugin's manifest
    /// without `.yml`, in its letter case. Cookies and the token are added to `secrets`.
    pub fn new(connection: &ServerConnection, plugin_id: String, secrets: Secrets) -> Self {
        let cookie = connection.session_cookie.as_ref();
        Self(Arc::new(Parent {
            address: Address::of(connection),
            plugin_id,
            session: Session::new(cookie, secrets.clone()),
            secrets,
            client: OnceCell::new(),
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

    /// Paths of the scene's files as Stash sees them, the primary file first; `None` where Stash has no such scene, as
    /// in a Destroy hook.
    ///
    /// # Errors
    /// Stash does not answer, or not with a scene.
    pub async fn scene_files(&self, scene_id: &str) -> Result<Option<Vec<String>>, StashError> {
        let question = graphql::scene_question(scene_id);
        let (status, body) = self.0.ask(question).await?;
        graphql::scene_answer(&body).map_err(|bad| self.0.bad_answer(status, bad))
    }
}

impl Parent {
    async fn ask_settings(&self) -> Result<Settings, StashError> {
        let (status, body) = self.ask(graphql::settings_question(&self.plugin_id)).await?;
        let saved = graphql::settings_answer(&body, &self.plugin_id)
            .map_err(|bad| self.bad_answer(status, bad))?;
        Settings::read(&saved, &self.secrets)
    }

    /// Sends one question; the answer's status (200 or 422, the two that carry GraphQL) and body.
    async fn ask(&self, question: Vec<u8>) -> Result<(StatusCode, Vec<u8>), StashError> {
        let client = self.client.get_or_try_init(async || self.client()).await?;
        let mut request = client
            .post(self.address.graphql())
            .header(CONTENT_TYPE, "application/json")
            .body(question);
        if let Some(cookie) = self.session.header() {
            request = request.header(COOKIE, cookie);
        }
        let answer = request.send().await.map_err(|error| self.failure(&error))?;
        let status = answer.status();
        match status {
            StatusCode::OK => self.session.renew(answer.headers()),
            StatusCode::UNPROCESSABLE_ENTITY => {}
            StatusCode::UNAUTHORIZED => return Err(StashError::Refused { address: self.name() }),
            _ => return Err(self.unexpected(status, "expected status 200")),
        }
        Ok((status, self.body(answer).await?))
    }

    async fn body(&self, mut answer: Response) -> Result<Vec<u8>, StashError> {
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.failure(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(self.unexpected(answer.status(), "expected at most 16 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// No proxy, even where Stash exported one: it is the parent. No redirects: the cookie goes nowhere else.
    fn client(&self) -> Result<Client, StashError> {
        let unusable = |reason: String| StashError::Unreachable { address: self.name(), reason };
        let tls = tls::config(&self.address).map_err(|error| unusable(error.to_string()))?;
        Client::builder()
            .tls_backend_preconfigured(tls)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .dns_resolver(Names)
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| unusable(innermost(&error)))
    }

    fn name(&self) -> String {
        self.address.to_string()
    }

    fn failure(&self, error: &reqwest::Error) -> StashError {
        let address = self.name();
        match error.is_timeout() && !error.is_connect() {
            true => StashError::Timeout { address, seconds: TIMEOUT.as_secs() },
            false => StashError::Unreachable { address, reason: innermost(error) },
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

/// Names by way of [`crate::http::resolver`], which works in a static program too.
struct Names;

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let addresses = crate::http::resolver::lookup(name.as_str()).await?.into_iter();
            // Port 0 stands for the URL's port.
            Ok(Box::new(addresses.map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

/// The innermost reason: the outer ones repeat the URL and "error sending request".
fn innermost(error: &dyn std::error::Error) -> String {
    let chain = std::iter::successors(Some(error), |error| error.source());
    chain.last().unwrap_or(error).to_string()
}

/// Where the plugin keeps its data; none where Stash does not tell the plugin's folder.
pub fn plugin_data(connection: &ServerConnection, working_folder: &Path) -> Option<PathBuf> {
    let told = !connection.plugin_dir.is_empty();
    told.then(|| plugin_dir(connection, working_folder).join("data"))
}

/// The plugin's folder. Stash gives it relative to its own working folder, which is the worker's too, when its
/// configuration stands there; so it is resolved once, before anything can change that folder.
fn plugin_dir(connection: &ServerConnection, working_folder: &Path) -> PathBuf {
    working_folder.join(&connection.plugin_dir)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_relative_plugin_folder_is_below_the_working_folder() {
        let cases = [
            ("plugins/community/plexsync", "/opt/stash/plugins/community/plexsync"),
            ("/root/.stash/plugins/plexsync", "/root/.stash/plugins/plexsync"),
            ("", "/opt/stash/"),
        ];
        for (plugin_dir, expected) in cases {
            let connection = ServerConnection {
                dir: "/etc/stash".to_owned(),
                plugin_dir: plugin_dir.to_owned(),
                ..ServerConnection::default()
            };
            let folder = super::plugin_dir(&connection, Path::new("/opt/stash"));
            assert_eq!(folder, Path::new(expected));
        }
    }
}
