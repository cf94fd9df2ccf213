//! The parent Stash, where it is the one that started this program: it has written to stdin how it can be reached, and
//! then its settings and the plugin's own folder count.

use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use plexsync_protocol::stash::{PluginInput, ServerConnection};
use serde_json::Value;

use super::Check;
use crate::commands::{Setting, Streams, wait_for};
use crate::stash::{SETTINGS_PAGE, Settings, Stash, StashError, plugin_data};

const NAME: &str = "stash";

/// What is known by way of Stash.
#[derive(Default)]
pub(super) struct Parent {
    pub(super) data_folder: Option<PathBuf>,
    pub(super) settings: Option<Settings>,
}

/// Tells whether Stash is the parent, and whose settings it has.
pub(super) fn check(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    checks: &mut Vec<Check>,
) -> io::Result<Parent> {
    if !is_the_parent() {
        checks.push(Check::ok(NAME, "not started by Stash"));
        return Ok(Parent::default());
    }
    let most = u64::try_from(setting.options.max_message).unwrap_or(u64::MAX);
    // Stash writes at once; a person at a terminal would not.
    let connection = match streams.conversation {
        true => None,
        false => connection(streams.input.take(most)),
    };
    if let Some(connection) = connection {
        return ask(setting, &connection, checks);
    }
    checks.push(Check::warning(
        NAME,
        "started by Stash, which did not say how it can be reached",
        "let it start `doctor` as a plugin's task with `interface: raw`",
    ));
    Ok(Parent::default())
}

fn ask(
    setting: &Setting<'_>,
    connection: &ServerConnection,
    checks: &mut Vec<Check>,
) -> io::Result<Parent> {
    let id = &setting.options.stash_plugin;
    let stash = Stash::new(connection, id.clone(), setting.secrets.clone());
    let asking = async { (stash.version().await, stash.settings().await) };
    let (version, settings) = wait_for(asking)?;
    let who = match version {
        Ok(version) => format!("started by Stash {version}"),
        Err(_) => "started by a Stash that does not tell its version".to_owned(),
    };
    checks.push(told(&who, id, &settings, setting.options.plex_url.is_some()));
    let data_folder = plugin_data(connection, &setting.working_folder);
    Ok(Parent { data_folder, settings: settings.ok() })
}

fn told(who: &str, id: &str, settings: &Result<Settings, StashError>, has_server: bool) -> Check {
    match settings {
        Err(error) => Check::told(NAME, &format!("{who}: {error}")),
        Ok(settings) if settings.plex_url.is_some() || has_server => {
            Check::ok(NAME, format!("{who}, which tells the settings of the plugin `{id}`"))
        }
        Ok(_) => Check::warning(
            NAME,
            format!("{who}, whose settings of the plugin `{id}` have no `plex_url`"),
            format!("enter it at {SETTINGS_PAGE}, or name another plugin with `--stash-plugin ID`"),
        ),
    }
}

/// The connection in the first line: a plugin's input, alone or as the param of `RPCRunner.Run`.
fn connection(input: impl Read) -> Option<ServerConnection> {
    let mut line = Vec::new();
    BufReader::new(input).read_until(b'\n', &mut line).ok()?;
    let message: Value = serde_json::from_slice(&line).ok()?;
    let input = message.pointer("/params/0").unwrap_or(&message);
    let input: PluginInput = serde_json::from_str(&input.to_string()).ok()?;
    Some(input.server_connection)
}

/// Stash sets no variable that could tell, so its program's name has to: `stash`, or `stash-linux` as it is released.
#[cfg(target_os = "linux")]
fn is_the_parent() -> bool {
    let Some(parent) = rustix::process::getppid() else { return false };
    let name = std::fs::read_to_string(format!("/proc/{}/comm", parent.as_raw_nonzero()));
    name.is_ok_and(|name| name.trim_end() == "stash" || name.starts_with("stash-"))
}

#[cfg(not(target_os = "linux"))]
fn is_the_parent() -> bool {
    false
}
