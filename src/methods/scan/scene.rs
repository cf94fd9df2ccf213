//! Which folders a hook is about.

use plexsync_protocol::stash::HookContext;
use serde::Deserialize;
use serde_json::Value;

use crate::remote_path::RemotePath;
use crate::scans::Changed;

/// What a hook says of its scene.
pub(in crate::methods) enum Scene {
    /// The path of its file: Stash no longer has it.
    Destroyed(String),
    /// Stash knows its files by this id.
    Known(String),
    /// No hook names a scene like this.
    Nameless,
}

/// Whether the hook is about a scene whose files came, moved or went. An edit has an input; a scan that found a moved
/// file has none.
pub(super) fn moves_files(hook: &HookContext) -> bool {
    let has_input = hook.input.as_ref().is_some_and(|input| input.get() != "null");
    hook.trigger.starts_with("Scene.") && (!has_input || hook.trigger.ends_with(".Destroy.Post"))
}

impl Scene {
    pub(in crate::methods) fn of(hook: &HookContext) -> Self {
        match (input_path(hook), &hook.id) {
            (Some(path), _) => Self::Destroyed(path),
            (None, Some(Value::String(id))) => Self::Known(id.clone()),
            (None, Some(Value::Number(id))) => Self::Known(id.to_string()),
            (None, _) => Self::Nameless,
        }
    }
}

fn input_path(hook: &HookContext) -> Option<String> {
    #[derive(Deserialize)]
    struct Destroyed {
        path: Option<String>,
    }
    let destroyed: Destroyed = serde_json::from_str(hook.input.as_deref()?.get()).ok()?;
    destroyed.path.filter(|path| !path.is_empty())
}

/// The folders of these files, each once, in order.
pub(super) fn folders(files: Vec<String>) -> Vec<Changed> {
    let mut folders: Vec<(RemotePath, Changed)> = Vec::new();
    for file in files {
        let Some(folder) = RemotePath::folder_of(&file) else { continue };
        match folders.iter_mut().find(|(known, _)| known.is_same(&folder)) {
            Some((_, changed)) => changed.files.push(file),
            None => {
                let changed = Changed { folder: folder.to_string(), files: vec![file] };
                folders.push((folder, changed));
            }
        }
    }
    folders.into_iter().map(|(_, changed)| changed).collect()
}
