//! What a user of Stash reads about the identity: one line for each task. A user elsewhere reads results.

use plexsync_protocol::identity::{DEVICE_NAME, Identity, Origin, ResetResult};
use tracing::info;

use crate::rpc::StashCall;

/// The task that resets without asking again; its name is the manifest's.
const RESET_TASK: &str = "Reset identity: yes, become a new device";

/// The id was asked for.
pub(super) fn identity(stash: Option<&StashCall>, identity: &Identity) {
    if stash.is_some() {
        info!("This plugin's id is `{}`, {}", identity.device_id, origin(identity));
    }
}

/// A call came by a first id, for which nobody had asked.
pub(super) fn first(stash: Option<&StashCall>, identity: &Identity) {
    if stash.is_some() && identity.origin == Origin::Created {
        info!("This plugin's first id is `{}`, {}", identity.device_id, origin(identity));
    }
}

/// A reset without confirmation: what it would do, in the log and as the output's warning.
pub(super) fn unconfirmed(identity: &Identity) -> Identity {
    let sentence = format!(
        "Nothing was reset: this plugin's id is still `{}`. A reset makes a new id, and Plex will show one new device; the \
         old one can be removed there. If you want that, run the task *{RESET_TASK}*",
        identity.device_id
    );
    info!("{sentence}");
    let mut output = identity.clone();
    output.warning =
        Some(output.warning.map_or(sentence.clone(), |it| format!("{it} {sentence}.")));
    output
}

/// A reset: both ids, since the old one is the only way back.
pub(super) fn reset(stash: Option<&StashCall>, reset: &ResetResult) {
    let ResetResult { identity, previous, .. } = reset;
    if stash.is_none() {
        return info!("identity reset");
    }
    let id = &identity.device_id;
    let before = match previous {
        Some(previous) if previous == id => {
            return info!("This plugin's id is `{id}`, as before; its file was written anew");
        }
        Some(previous) => format!("before it was `{previous}`"),
        None => "there was none before".to_owned(),
    };
    let plex = match identity.origin {
        Origin::Adopted => "Plex sees the device that it knows by this id",
        _ => "Plex will show one new device; the old one can be removed there",
    };
    info!("This plugin's id is now `{id}`, {before}. {plex}");
}

fn origin(identity: &Identity) -> String {
    let path = &identity.path;
    match identity.origin {
        // A warning tells how it came to a new device.
        Origin::Created if identity.warning.is_none() => {
            format!("made just now in `{path}`: Plex will show one new device, `{DEVICE_NAME}`")
        }
        Origin::Recovered => format!("taken from the backup of `{path}`"),
        Origin::Created | Origin::Regenerated => format!("made just now in `{path}`"),
        _ => format!("loaded from `{path}`"),
    }
}
