//! The way to Plex, walked as the device that is on disk. Without an identity nothing is sent.

use std::io;
use std::sync::Arc;

use plexsync_protocol::identity::{Identity, IdentityHeaders, Origin};
use plexsync_protocol::plex::{CONNECT_TIMEOUT_MS, RequestParams};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::identity::OnDisk;
use super::{Check, State};
use crate::commands::{Setting, runtime};
use crate::plex::{Account, Found, Limits, Plex, PlexError, RequestCall, Step};

/// A person waits: each question may take as long as each step of the way.
const LIMITS: Limits =
    Limits { timeout_ms: CONNECT_TIMEOUT_MS, connect_timeout_ms: CONNECT_TIMEOUT_MS, retries: 0 };

struct Asking<'a> {
    plex: Plex,
    identity: Arc<Identity>,
    account: Account,
    runtime: &'a Runtime,
}

/// Walks to the configured server, then asks it who it is, whether it takes the token, and whether it knows this device.
pub(super) fn check(
    setting: &Setting<'_>,
    account: Account,
    on_disk: Option<OnDisk>,
    checks: &mut Vec<Check>,
) -> io::Result<()> {
    let Some(server) = &account.server else { return Ok(()) };
    let runtime = runtime()?;
    let steps = runtime.block_on(setting.plex.walk(server));
    let there = steps.iter().all(|(_, found)| found.is_ok());
    checks.extend(steps.into_iter().map(told));
    match on_disk {
        _ if !there => {}
        Some(OnDisk { device_id, path }) => {
            let headers = IdentityHeaders::new(&device_id, setting.version);
            let identity = Arc::new(Identity::new(device_id, Origin::Loaded, path, headers, None));
            let plex = setting.plex.clone();
            Asking { plex, identity, account, runtime: &runtime }.ask_all(checks);
        }
        None => checks.push(Check::warning(
            "plex_server",
            "not asked: there is no identity, and no request is sent to Plex without one",
            "`plexsync-worker identity show` makes it; then ask again",
        )),
    }
    // A name that the system still looks for must not hold up the end.
    runtime.shutdown_background();
    Ok(())
}

fn told((step, found): (Step, Found)) -> Check {
    let name = match step {
        Step::Name => "plex_name",
        Step::Connection => "plex_connection",
        Step::Tls => "plex_tls",
    };
    match found {
        Ok(found) => Check::ok(name, found),
        Err(error) => Check::told(name, &error.to_string()),
    }
}

impl Asking<'_> {
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

    /// Each question only where the one before it was answered well.
    fn ask_all(self, checks: &mut Vec<Check>) {
        let has_token = self.account.token.is_some();
        let questions = [Self::server, Self::token, Self::device];
        for question in &questions[..if has_token { questions.len() } else { 1 }] {
            let answer = question(&self);
            let well = answer.state == State::Ok;
            checks.push(answer);
            if !well {
                break;
            }
        }
    }

    /// What Plex answers to everybody, without the token.
    fn server(&self) -> Check {
        const NAME: &str = "plex_server";
        match self.ask("/identity", Some("")) {
            Err(error) => Check::told(NAME, &error.to_string()),
            Ok((status, about)) => match about["machineIdentifier"].as_str() {
                Some(machine) if status == 200 => {
                    let version = about["version"].as_str().unwrap_or("of an unknown version");
                    Check::ok(NAME, format!("Plex {version} answers, machine `{machine}`"))
                }
                _ => Check::failure(
                    NAME,
                    format!("something answers with status `{status}`, but not as Plex does"),
                    "check host and port of the URL",
                ),
            },
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
