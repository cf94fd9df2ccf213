//! `identity`: show, adopt, reset. What Plex will show is printed before the change.

mod plexapi;

use std::io;

use plexsync_protocol::identity::{ResetParams, is_device_id};
use plexsync_protocol::message::method;
use serde::Serialize;
use serde_json::value::to_raw_value;

use super::{End, Setting, Streams};
use crate::cli::IdentityCommand;
use crate::rpc::Outcome;

/// Where Plex's user removes an unused device.
const REMOVE: &str = "can be removed in Settings > Authorized Devices";

/// Carries out one of the identity's commands.
pub(super) fn identity(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    command: IdentityCommand,
) -> io::Result<End> {
    match command {
        IdentityCommand::Show => {
            let identity = setting.call(method::IDENTITY_GET, None);
            if identity.is_ok() {
                writeln!(streams.errors, "{}", setting.whose())?;
            }
            streams.show(identity)
        }
        IdentityCommand::Adopt { id: Some(id), .. } => adopt(setting, streams, id),
        IdentityCommand::Adopt { id: None, .. } => match plexapi::identifier(setting.environment) {
            Ok(found) => {
                writeln!(streams.errors, "python-plexapi's id is `{}`, {}", found.id, found.from)?;
                adopt(setting, streams, found.id)
            }
            Err(reason) => {
                writeln!(streams.errors, "error: {reason}")?;
                Ok(End::Failed)
            }
        },
        IdentityCommand::Reset { yes } => reset(setting, streams, yes),
    }
}

fn adopt(setting: &Setting<'_>, streams: &mut Streams<'_>, id: String) -> io::Result<End> {
    if !is_device_id(&id) {
        writeln!(
            streams.errors,
            "error: this is not a valid id: expected 1 to 255 printable ASCII characters, not all of them spaces"
        )?;
        return Ok(End::Usage);
    }
    writeln!(streams.errors, "{}", setting.whose())?;
    match setting.device_id() {
        Some(now) if now == id => {
            writeln!(
                streams.errors,
                "Plex will show nothing new: `{id}` is the identity already."
            )?;
        }
        now => {
            writeln!(
                streams.errors,
                "Plex will show `{id}` as a new device once, unless it knows that one already.{}",
                former(now.as_deref())
            )?;
        }
    }
    let params = ResetParams { device_id: Some(id), ..ResetParams::default() };
    streams.show(replace(setting, &params))
}

fn reset(setting: &Setting<'_>, streams: &mut Streams<'_>, yes: bool) -> io::Result<End> {
    if !yes && !streams.conversation {
        writeln!(
            streams.errors,
            "error: a reset makes Plex show a new device, and stdin is not a terminal to ask on: confirm with `--yes`"
        )?;
        return Ok(End::Usage);
    }
    let now = setting.device_id();
    writeln!(streams.errors, "{}", setting.whose())?;
    writeln!(streams.errors, "Plex will show a new device once.{}", former(now.as_deref()))?;
    if !yes && !streams.agreed("Replace the identity?")? {
        writeln!(streams.errors, "Nothing was changed.")?;
        return Ok(End::Failed);
    }
    // The user confirmed the end of this id and of no other.
    let params = ResetParams { if_device_id: now.filter(|_| !yes), device_id: None };
    streams.show(replace(setting, &params))
}

fn former(now: Option<&str>) -> String {
    now.map(|now| format!(" The former one, `{now}`, {REMOVE}.")).unwrap_or_default()
}

fn replace(setting: &Setting<'_>, params: &impl Serialize) -> Outcome {
    setting.call(method::IDENTITY_RESET, to_raw_value(params).ok())
}
