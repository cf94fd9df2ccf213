//! The way to Plex, walked as the device that is on disk. Without an identity nothing is sent.

use std::io;
use std::sync::Arc;

use plexsync_protocol::identity::{Identity, IdentityHeaders, Origin};
use plexsync_protocol::plex::{CONNECT_TIMEOUT_MS, RequestParams};
use serde_json::Value;

use super::super::{Setting, runtime};
use super::identity::OnDisk;
use super::{Check, State};
use crate::plex::{Account, Limits, Plex, PlexError, RequestCall};

/// A person waits.
const LIMITS: Limits =
    Limits { timeout_ms: 10_000, connect_timeout_ms: CONNECT_TIMEOUT_MS, retries: 0 };

struct Asking {
    plex: Plex,
    identity: Arc<Identity>,
    account: Account,
    runtime: tokio::runtime::Runtime,
}

/// Asks the configured server who it is, whether it takes the token, and whether it knows this device.
pub(super) fn check(
    setting: &Setting<'_>,
    account: Account,
    on_disk: Option<OnDisk>,
    checks: &mut Vec<Check>,
) -> io::Result<()> {
    if account.server.is_none() {
        return Ok(());
    }
    let Some(OnDisk { device_id, path }) = on_disk else {
        checks.push(Check::warning(
            "plex_connection",
            "not checked: there is no identity, and nothing is sent to Plex without one",
            "`plexsync-worker identity show` makes it; then ask again",
        ));
        return Ok(());
    };
    let headers = IdentityHeaders::new(&device_id, setting.version);
    let identity = Arc::new(Identity::new(device_id, Origin::Loaded, path, headers, None));
    let has_token = account.token.is_some();
    let asking = Asking { plex: setting.plex.clone(), identity, account, runtime: runtime()? };
    let connection = asking.connection();
    let connected = connection.state == State::Ok;
    checks.push(connection);
    if connected && has_token {
        let token = asking.token();
        let accepted = token.state == State::Ok;
        checks.push(token);
        if accepted {
            checks.push(asking.device());
        }
    }
    Ok(())
}

impl Asking {
    fn ask(&self, path: &str, token: Option<&str>) -> Result<(u64, Value), PlexError> {
        let params = RequestParams {
            path: path.to_owned(),
            token: token.map(str::to_owned),
            ..RequestParams::default()
        };
        let call = RequestCall {
            params,
            identity: Arc::clone(&self.identity),
            account: self.account.clone(),
            limits: LIMITS,
            progress: None,
        };
        let answer = self.runtime.block_on(async { self.plex.request(call).await })?;
        let answer: Value =
            serde_json::from_slice(&answer.into_json().into_bytes()).unwrap_or_default();
        Ok((
            answer["status"].as_u64().unwrap_or_default(),
            answer["body"]["MediaContainer"].clone(),
        ))
    }

    /// DNS, TCP, TLS and the answer that Plex gives to everybody, without the token.
    fn connection(&self) -> Check {
        const NAME: &str = "plex_connection";
        match self.ask("/identity", Some("")) {
            Err(error) => Check::told(NAME, &error.to_string()),
            Ok((200, about)) if about["machineIdentifier"].is_string() => {
                let version = about["version"].as_str().unwrap_or("of an unknown version");
                Check::ok(NAME, format!("Plex {version} answers"))
            }
            Ok((status, _)) => Check::failure(
                NAME,
                format!("something answers with status `{status}`, but not as Plex does"),
                "check host and port of the URL",
            ),
        }
    }

    fn token(&self) -> Check {
        const NAME: &str = "plex_account";
        match self.ask("/", None) {
            Err(error) => Check::told(NAME, &error.to_string()),
            Ok((200, about)) => {
                let name = about["friendlyName"].as_str().unwrap_or("unnamed");
                let version = about["version"].as_str().unwrap_or("of an unknown version");
                Check::ok(NAME, format!("`{name}`, Plex {version}, accepts the token"))
            }
            Ok((status @ (401 | 403), _)) => Check::failure(
                NAME,
                format!("the token is not accepted (status `{status}`)"),
                "take a token of this server's owner: this one is another server's, or was revoked",
            ),
            Ok((status, _)) => Check::failure(
                NAME,
                format!("Plex answers the token with status `{status}`"),
                "look into the server's own log",
            ),
        }
    }

    fn device(&self) -> Check {
        const NAME: &str = "plex_device";
        let id = &self.identity.device_id;
        let rows = match self.ask("/devices", None) {
            Err(error) => return Check::told(NAME, &error.to_string()),
            Ok((200, list)) => list["Device"].as_array().cloned().unwrap_or_default(),
            Ok((status, _)) => {
                return Check::ok(
                    NAME,
                    format!(
                        "not told (status `{status}`): only the owner's token may list devices"
                    ),
                );
            }
        };
        match rows.iter().find(|row| row["clientIdentifier"] == **id) {
            Some(row) => {
                let name = row["name"].as_str().unwrap_or("unnamed");
                Check::ok(NAME, format!("`{id}` is known to the server as `{name}`"))
            }
            None => Check::ok(
                NAME,
                format!("`{id}` is not in the server's list yet; Plex shows a new device once"),
            ),
        }
    }
}
