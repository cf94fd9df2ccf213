//! Messages: method names, limits, and the params of notifications.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Values of a message's `method`.
pub mod method {
    /// Returns the identity; creates one if there is none.
    pub const IDENTITY_GET: &str = "identity.get";
    /// Replaces the identity with a new or a given one.
    pub const IDENTITY_RESET: &str = "identity.reset";
    /// Sends one request to Plex.
    pub const PLEX_REQUEST: &str = "plex.request";
    /// Asks Plex to look at one folder.
    pub const PLEX_SCAN: &str = "plex.scan";
    /// Finds the items that have a file.
    pub const PLEX_FIND: &str = "plex.find";
    /// Tells what waits to be scanned in Stash; sends or forgets it.
    pub const SCAN_PENDING: &str = "scan.pending";
    /// Begins a sign-in to plex.tv.
    pub const AUTH_START: &str = "auth.start";
    /// Waits until a sign-in is complete.
    pub const AUTH_FINISH: &str = "auth.finish";
    /// Tells whether this device is signed in.
    pub const AUTH_STATUS: &str = "auth.status";
    /// Signs out.
    pub const AUTH_LOGOUT: &str = "auth.logout";
    /// Lists the account's servers.
    pub const SERVER_LIST: &str = "server.list";
    /// Chooses one of them.
    pub const SERVER_CHOOSE: &str = "server.choose";
    /// Lists the account's devices.
    pub const DEVICE_LIST: &str = "device.list";
    /// Removes devices from the account.
    pub const DEVICE_REMOVE: &str = "device.remove";
    /// Checks data folder, identity, configuration and the connection to Plex.
    pub const DOCTOR_RUN: &str = "doctor.run";
    /// The OpenRPC document (OpenRPC specification, "Service Discovery Method").
    pub const RPC_DISCOVER: &str = "rpc.discover";
    /// Stash's task, hook or operation (Stash `pkg/plugin/common/rpc.go`).
    pub const STASH_RUN: &str = "RPCRunner.Run";
    /// Stash asks the running task to stop.
    pub const STASH_STOP: &str = "RPCRunner.Stop";
    /// A notification: stop the call whose id is in `params.id`.
    pub const CANCEL: &str = "$/cancelRequest";
    /// Answered with null (Language Server Protocol).
    pub const SHUTDOWN: &str = "shutdown";
    /// A notification: the host will send no more (Language Server Protocol).
    pub const EXIT: &str = "exit";
    /// A notification to the host: the progress of a call.
    pub const PROGRESS: &str = "$/progress";
}

/// Largest message read by default, in bytes (`--max-message`).
pub const MAX_MESSAGE: usize = 16 * 1024 * 1024;
/// Most calls in one batch.
pub const MAX_BATCH: usize = 1000;
/// Most calls that run at once.
pub const MAX_RUNNING: usize = 64;
/// Most calls that wait for one of these places; a batch counts as one.
pub const MAX_WAITING: usize = 256;
/// How long accepted calls may go on after the end of input.
pub const DRAIN: Duration = Duration::from_secs(10);
/// How long they may go on after SIGTERM or SIGINT. Stash kills one second after its SIGINT.
pub const DRAIN_ON_SIGNAL: Duration = Duration::from_millis(800);

/// Params of [`method::CANCEL`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CancelParams {
    /// The id of the call to stop, as it was sent.
    #[cfg_attr(test, schemars(with = "crate::document::Id"))]
    pub id: Box<RawValue>,
}

/// Params of [`method::PROGRESS`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Progress {
    /// The call's `progress_token`, as it was sent.
    #[cfg_attr(test, schemars(with = "crate::document::Id"))]
    pub token: serde_json::Value,
    /// Entries of the listing so far; seconds of a sign-in or of a wait for a file; devices that were removed.
    pub done: u64,
    /// Entries in all, if known; seconds that its code lasts.
    pub total: Option<u64>,
}
