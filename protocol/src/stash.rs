//! What Stash sends to a plugin and reads from it (Stash `pkg/plugin/common/msg.go`).

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// Stash's input to a plugin. It holds the session cookie: it is never logged, so it has no `Debug`.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PluginInput {
    /// How to reach the parent Stash.
    pub server_connection: ServerConnection,
    /// The task's, hook's or operation's arguments; Go writes null for none.
    #[serde(default)]
    pub args: Option<RunArgs>,
}

/// How to reach the parent Stash, under the names of Go's struct.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase", default)]
pub struct ServerConnection {
    /// `http` or `https`.
    pub scheme: String,
    /// The address Stash listens on; `0.0.0.0` means this machine.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The session, null when Stash could not encode one.
    pub session_cookie: Option<SessionCookie>,
    /// Folder of Stash's configuration.
    pub dir: String,
    /// Folder of the plugin, perhaps relative to the working folder.
    pub plugin_dir: String,
}

/// A session cookie: the two members of Go's `http.Cookie` that matter.
#[derive(Clone, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct SessionCookie {
    /// Name of the cookie.
    pub name: String,
    /// Its value: a secret.
    pub value: String,
}

/// The members of `args` for the worker; others are ignored.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RunArgs {
    /// Name of one of the worker's methods.
    pub method: Option<String>,
    /// Its params: an object, or a string that holds one (manifest values are strings).
    #[cfg_attr(test, schemars(with = "Option<crate::document::RunParams>"))]
    pub params: Option<Box<RawValue>>,
    /// `true` or `"true"` (manifest values are strings): `identity.reset` without params is meant. Anything else does
    /// not count.
    #[serde(deserialize_with = "is_true")]
    #[cfg_attr(test, schemars(with = "Value"))]
    pub confirm: bool,
    /// `true` or `"true"`: `auth.start` waits until its code was entered, as `auth.finish` does, for 15 minutes at most.
    /// Anything else does not count.
    #[serde(deserialize_with = "is_true")]
    #[cfg_attr(test, schemars(with = "Value"))]
    pub wait: bool,
    /// Present when a hook started the plugin.
    #[serde(rename = "hookContext")]
    pub hook_context: Option<HookContext>,
}

fn is_true<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value == true || value == "true")
}

/// Which hook runs, and for what.
#[derive(Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub struct HookContext {
    /// Id of the scene, image, ... that the hook is about; 0 or absent if there is none.
    pub id: Option<Value>,
    /// The trigger, as `Scene.Create.Post`.
    #[serde(rename = "type")]
    pub trigger: String,
    /// What the user sent: null, object, array or string.
    #[cfg_attr(test, schemars(with = "Value"))]
    pub input: Option<Box<RawValue>>,
}

/// A plugin's result. An empty `error` would be an error without a text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PluginOutput {
    /// Why it failed; null if it succeeded.
    #[cfg_attr(test, schemars(length(min = 1)))]
    pub error: Option<String>,
    /// The result.
    #[serde(default)]
    pub output: Value,
}
