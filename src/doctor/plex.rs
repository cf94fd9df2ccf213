//! The connection to Plex step by step, then four requests, sent as the device on disk.

use std::sync::Arc;

use plexsync_protocol::doctor::{Check, CheckState};
use plexsync_protocol::error::TimeoutPhase;
use plexsync_protocol::plex::{CONNECT_TIMEOUT_MS, RequestParams};
use serde_json::Value;

use super::identity::Device;
use super::status::{self, Answer};
use super::{Subject, failure, ok, warning};
use crate::http::error::HttpError;
use crate::plex::{Account, Found, Limits, Plex, PlexError, RequestCall, Step};

/// The user waits: each request may take as long as each step of the probe.
const LIMITS: Limits =
    Limits { timeout_ms: CONNECT_TIMEOUT_MS, connect_timeout_ms: CONNECT_TIMEOUT_MS, retries: 0 };

const SERVER: &str = "plex_server";
const ACCOUNT: &str = "plex_account";
const DEVICE: &str = "plex_device";
const LIBRARIES: &str = "plex_libraries";
type Request = (&'static str, &'static str, Option<&'static str>);
/// The checks with their paths, and with their token if it is not the configured one.
const REQUESTS: [Request; 4] = [
    (SERVER, "/identity", Some("")),
    (ACCOUNT, "/", None),
    (DEVICE, "/devices", None),
    (LIBRARIES, "/library/sections", None),
];

/// Probes the configured server, then asks it who it is, whether it takes the token, whether it knows this device, and
/// what libraries it has.
pub(super) async fn check(
    subject: &Subject,
    account: Account,
    device: Option<Device>,
    checks: &mut Vec<Check>,
) {
    let Some(server) = account.server.clone() else { return };
    let requests = match account.token {
        Ok(Some(_)) => &REQUESTS[..],
        // An unusable token was reported already.
        Ok(None) | Err(_) => &REQUESTS[..1],
    };
    let steps = subject.plex.walk(&server).await;
    let reached = steps.iter().all(|(_, found)| found.is_ok());
    checks.extend(steps.into_iter().map(step));
    if !reached {
        return checks.extend(requests.iter().map(|(name, ..)| not_reached(name)));
    }
    let Some(identity) = device else {
        checks.push(warning(
            SERVER,
            "not asked: no request is sent to Plex without an identity",
            "fix what is said above of the identity and its folder",
        ));
        return;
    };
    let scans = subject.stash.is_some();
    let asking = Asking { plex: &subject.plex, identity, account: &account, scans };
    asking.ask_all(requests, checks).await;
}

fn step((step, found): (Step, Found)) -> Check {
    let name = match step {
        Step::Name => "plex_name",
        Step::Connection => "plex_connection",
        Step::Tls => "plex_tls",
    };
    match found {
        Ok(found) => ok(name, found),
        Err(error) => failed(name, error),
    }
}

fn failed(name: &str, error: HttpError) -> Check {
    match error {
        HttpError::Timeout {
            phase: TimeoutPhase::Response | TimeoutPhase::Body, reason, ..
        } => failure(name, reason, "it may be busy: wait, then run this again, or restart it"),
        HttpError::Unreachable { reason, hint, .. } | HttpError::Timeout { reason, hint, .. } => {
            failure(name, reason, hint)
        }
        HttpError::TooLarge { .. } => status::not_plex(name, "very large"),
    }
}

fn not_reached(name: &str) -> Check {
    warning(name, "not checked: a step before it failed", "fix that first, then run this again")
}

struct Asking<'a> {
    plex: &'a Plex,
    identity: Device,
    account: &'a Account,
    /// It is asked for scans, which Plex grants to its owner only.
    scans: bool,
}

impl Asking<'_> {
    /// Sends each request only if the one before it succeeded.
    async fn ask_all(&self, requests: &[Request], checks: &mut Vec<Check>) {
        let (mut well, mut starting) = (true, None);
        for (name, path, token) in requests {
            if !well {
                checks.push(not_reached(name));
                continue;
            }
            let check = match self.ask(name, path, *token).await {
                Err(check) => check,
                Ok(answer) => match *name {
                    SERVER => server(&answer, &mut starting),
                    ACCOUNT => owner(&answer, starting.as_deref()),
                    DEVICE => device(&answer, &self.identity.device_id, self.scans),
                    _ => libraries(&answer),
                },
            };
            well = check.state != CheckState::Failure;
            checks.push(check);
        }
    }

    async fn ask(&self, name: &str, path: &str, token: Option<&str>) -> Result<Answer, Check> {
        let token = token.map(str::to_owned);
        let params = RequestParams { path: path.to_owned(), token, ..RequestParams::default() };
        let call = RequestCall {
            params,
            identity: Arc::clone(&self.identity),
            account: self.account.clone(),
            limits: LIMITS,
            progress: None,
        };
        match self.plex.request(call).await {
            Ok(answer) => Ok(Answer::of(&answer.into_json().into_bytes())),
            Err(PlexError::Http(error)) => Err(failed(name, error)),
            Err(other) => Err(failure(name, other.to_string(), "check the configuration above")),
        }
    }
}

/// What Plex answers without a token.
fn server(answer: &Answer, starting: &mut Option<String>) -> Check {
    let about = answer.container();
    *starting = about["startState"].as_str().map(str::to_owned);
    match about["machineIdentifier"].as_str() {
        Some(machine) if answer.status == 200 => {
            let version = about["version"].as_str().unwrap_or("of an unknown version");
            let message = format!("Plex {version} answers, machine `{machine}`");
            match starting {
                None => ok(SERVER, message),
                Some(state) => status::starting(SERVER, state),
            }
        }
        _ => status::refusal(SERVER, answer),
    }
}

fn owner(answer: &Answer, starting: Option<&str>) -> Check {
    let about = answer.container();
    match (answer.status, about["startState"].as_str().or(starting)) {
        (200, None) => {
            let name = about["friendlyName"].as_str().unwrap_or("unnamed");
            ok(ACCOUNT, format!("`{name}` accepts the token"))
        }
        (_, Some(state)) => status::starting(ACCOUNT, state),
        (status @ (401 | 403), _) if !answer.has("www-authenticate") => failure(
            ACCOUNT,
            format!("the token is not accepted (status `{status}`)"),
            answer.warning.clone().unwrap_or_else(|| {
                let hint = crate::plex::TOKEN_HINT;
                format!(
                    "take a token of this server's owner: this one is another server's, or was revoked; {hint}"
                )
            }),
        ),
        _ => status::refusal(ACCOUNT, answer),
    }
}

fn device(answer: &Answer, id: &str, scans: bool) -> Check {
    if answer.status != 200 {
        let status = answer.status;
        if scans {
            let message = format!("this token is not the owner's (status `{status}`)");
            let hint =
                "Plex may refuse to scan for it: use the token of the account that owns the server";
            return warning(DEVICE, message, hint);
        }
        let message =
            format!("not known (status `{status}`): only the owner's token may list devices");
        return ok(DEVICE, message);
    }
    let rows = answer.container()["Device"].as_array().cloned().unwrap_or_default();
    match rows.iter().find(|row| row["clientIdentifier"] == *id) {
        Some(row) => {
            let name = row["name"].as_str().unwrap_or("unnamed");
            ok(DEVICE, format!("`{id}` is known to the server as `{name}`"))
        }
        None => ok(
            DEVICE,
            format!("`{id}` is not in the server's list yet; Plex shows a new device once"),
        ),
    }
}

/// The folders are what `path_map` has to lead to.
fn libraries(answer: &Answer) -> Check {
    if answer.status != 200 {
        return match answer.status {
            status @ (401 | 403) => failure(
                LIBRARIES,
                format!("this token may not list them (status `{status}`)"),
                "use the token of an account that may manage the libraries",
            ),
            _ => status::refusal(LIBRARIES, answer),
        };
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |values: &Value| values.as_array().cloned().unwrap_or_default();
    let library = |library: &Value| {
        let folders = list(&library["Location"]);
        let folders: Vec<_> =
            folders.iter().map(|location| format!("`{}`", text(&location["path"]))).collect();
        format!("{} ({})", text(&library["title"]), folders.join(", "))
    };
    let libraries: Vec<_> = list(&answer.container()["Directory"]).iter().map(library).collect();
    match libraries.len() {
        0 => warning(LIBRARIES, "Plex has none", "add one that holds the folders of your media"),
        1 => ok(LIBRARIES, format!("1 library: {}", libraries[0])),
        count => ok(LIBRARIES, format!("{count} libraries: {}", libraries.join(", "))),
    }
}

impl Answer {
    fn container(&self) -> &Value {
        &self.body["MediaContainer"]
    }
}
