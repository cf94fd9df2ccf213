//! A plugin's manifest, read as strictly as Stash reads it, and its tasks and hooks run (Stash `pkg/plugin/config.go`).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{FakeStash, Launch, Run, hook_args};

/// An installed plugin.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// Name of the manifest without `.yml`.
    pub id: String,
    /// The manifest's folder.
    pub folder: PathBuf,
    manifest: Manifest,
    environment: Vec<(OsString, OsString)>,
    launcher: Vec<String>,
}

/// Unknown keys anywhere and keys given twice are errors.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Manifest {
    name: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "url")]
    _url: Option<String>,
    version: Option<String>,
    #[serde(default)]
    interface: Interface,
    #[serde(default)]
    exec: Vec<String>,
    #[serde(rename = "errLog")]
    _err_log: Option<String>,
    #[serde(default)]
    tasks: Vec<Operation>,
    #[serde(default)]
    hooks: Vec<Operation>,
    #[serde(default)]
    settings: BTreeMap<String, Setting>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Interface {
    #[default]
    Raw,
    Rpc,
}

/// A task or a hook.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Operation {
    name: String,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(default)]
    exec_args: Vec<String>,
    #[serde(default)]
    default_args: BTreeMap<String, String>,
    #[serde(default)]
    triggered_by: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Setting {
    #[serde(rename = "type")]
    _kind: SettingType,
    display_name: Option<String>,
    description: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum SettingType {
    String,
    Number,
    Boolean,
}

impl Plugin {
    /// Reads a manifest.
    ///
    /// # Errors
    /// Why Stash would not load it.
    ///
    /// # Panics
    /// When `manifest` is no path of a file.
    pub fn load(manifest: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(manifest).map_err(|error| error.to_string())?;
        let id = manifest.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        let folder = manifest.parent().expect("a file has a folder").to_owned();
        let manifest = serde_saphyr::from_str(&text).map_err(|error| error.to_string())?;
        Ok(Self { id, folder, manifest, environment: Vec::new(), launcher: Vec::new() })
    }

    /// Sets a variable, as in Stash's own environment.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Has the program started by this one, as a Stash of another user would start it (`setpriv`).
    #[must_use]
    pub fn started_by(mut self, launcher: &[&str]) -> Self {
        self.launcher = launcher.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// The manifest's version.
    pub fn version(&self) -> Option<&str> {
        self.manifest.version.as_deref()
    }

    /// The program and its arguments, as the manifest has them.
    pub fn exec(&self) -> &[String] {
        &self.manifest.exec
    }

    /// What the manifest gives to each task and hook when the caller brings nothing.
    pub fn default_arguments(&self) -> impl Iterator<Item = Value> {
        let operations = self.manifest.tasks.iter().chain(&self.manifest.hooks);
        operations.map(|operation| with_defaults(&Value::Null, &operation.default_args))
    }

    /// Names of the tasks, in order.
    pub fn tasks(&self) -> Vec<&str> {
        self.manifest.tasks.iter().map(|task| task.name.as_str()).collect()
    }

    /// Every trigger that starts the plugin, in order.
    pub fn triggers(&self) -> Vec<&str> {
        let hooks = self.manifest.hooks.iter();
        hooks.flat_map(|hook| hook.triggered_by.iter().map(String::as_str)).collect()
    }

    /// The settings' keys, with name and description as the user sees them.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.manifest.settings.iter().map(|(key, setting)| {
            (
                key.as_str(),
                setting.display_name.as_deref().unwrap_or_default(),
                setting.description.as_deref().unwrap_or_default(),
            )
        })
    }

    /// Runs a task as its button does, with more arguments than the manifest has where the caller brings some.
    ///
    /// # Panics
    /// When there is no such task, or the plugin misbehaves beyond what Stash bears.
    pub fn run_task(&self, stash: &FakeStash, name: &str, arguments: &Value) -> Run {
        let task = self.manifest.tasks.iter().find(|task| task.name == name);
        let task = task.unwrap_or_else(|| panic!("the plugin has no task `{name}`"));
        let run = self.run(stash, &task.exec_args, &with_defaults(arguments, &task.default_args));
        let failure = run.error.as_ref().map(|error| format!("Plugin returned error: {error}"));
        stash.log_run(self.name(), &run, failure);
        run
    }

    /// Runs every hook that has this trigger, one after the other.
    ///
    /// # Panics
    /// When the plugin misbehaves beyond what Stash bears.
    pub fn run_hooks(&self, stash: &FakeStash, trigger: &str, id: u64, input: &Value) -> Vec<Run> {
        let has_trigger = |hook: &&Operation| hook.triggered_by.iter().any(|it| it == trigger);
        let arguments = hook_args(trigger, id, input);
        let run = |hook: &Operation| {
            let arguments = with_defaults(&arguments, &hook.default_args);
            let run = self.run(stash, &hook.exec_args, &arguments);
            let failed = |error| format!("{trigger} [{}]: returned error: {error}", self.name());
            stash.log_run(self.name(), &run, run.error.as_ref().map(failed));
            run
        };
        self.manifest.hooks.iter().filter(has_trigger).map(run).collect()
    }

    /// Runs `runPluginOperation` with these arguments: no task, no defaults. Its error goes to the caller, not into the
    /// log.
    ///
    /// # Panics
    /// When the plugin misbehaves beyond what Stash bears.
    pub fn run_operation(&self, stash: &FakeStash, arguments: &Value) -> Run {
        let run = self.run(stash, &[], arguments);
        stash.log_run(self.name(), &run, None);
        run
    }

    fn name(&self) -> &str {
        self.manifest.name.as_ref().unwrap_or(&self.id)
    }

    fn run(&self, stash: &FakeStash, exec_args: &[String], arguments: &Value) -> Run {
        let input = stash.input(&self.folder, arguments);
        let launch = self.launch(exec_args);
        match self.manifest.interface {
            Interface::Raw => launch.run_raw(&input),
            Interface::Rpc => launch.run_rpc(&input),
        }
    }

    /// The program: on the search path first, in the plugin's folder second. `{pluginDir}` stands for the folder in
    /// arguments only.
    fn launch(&self, exec_args: &[String]) -> Launch {
        let (program, arguments) =
            self.manifest.exec.split_first().expect("`exec` names a program");
        let program = on_search_path(program).unwrap_or_else(|| self.folder.join(program));
        let folder = self.folder.to_string_lossy();
        let launch = match self.launcher.split_first() {
            None => Launch::new(program),
            Some((launcher, words)) => {
                words.iter().fold(Launch::new(launcher), Launch::argument).argument(program)
            }
        };
        let launch = arguments
            .iter()
            .chain(exec_args)
            .fold(launch, |launch, it| launch.argument(it.replace("{pluginDir}", &folder)));
        self.environment.iter().fold(launch, |launch, (name, value)| launch.variable(name, value))
    }
}

/// The caller's arguments, and the manifest's for keys that it did not give.
fn with_defaults(arguments: &Value, defaults: &BTreeMap<String, String>) -> Value {
    let mut all: Map<String, Value> =
        defaults.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
    all.extend(arguments.as_object().cloned().unwrap_or_default());
    Value::Object(all)
}

#[expect(clippy::disallowed_methods, reason = "the search path is Stash's, which the test plays")]
fn on_search_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let candidates = std::env::split_paths(&path).map(|folder| folder.join(program));
    candidates.into_iter().find(|candidate| candidate.is_file())
}
