//! A worker's surroundings: a plex.tv, a Plex, a Stash, and a data folder of a known device.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use plexsync_harness::fake_plex::Section;
use plexsync_harness::fake_plex_tv::Resource;
use plexsync_harness::fake_stash::{FakeStash, hook_args};
use plexsync_harness::host::Canary;
use plexsync_harness::{FakePlex, FakePlexTv, Fault};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::answer::listing;
use crate::rig::{OLD, Told, command, feed, folder, id_of, lived_in, worker};
use crate::story::ACCOUNT_S;
use crate::talk::wait_until;

/// Whose sign-in it is.
pub(crate) const WHO: &str = "alice";
/// What nobody else may read.
const PRIVATE: [&str; 3] = ACCOUNT_S;

pub(crate) struct World {
    pub(crate) tv: FakePlexTv,
    pub(crate) plex: FakePlex,
    stash: FakeStash,
    folder: TempDir,
    pub(crate) data: PathBuf,
    /// Not on rclone and the like.
    has_modes: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        let folder = folder();
        let data = folder.path().join("data");
        Self::with(folder, data)
    }

    /// With a data folder on this disk.
    pub(crate) fn on(root: &Path) -> Self {
        let data = tempfile::tempdir_in(root).unwrap().keep();
        Self::with(folder(), data)
    }

    fn with(folder: TempDir, data: PathBuf) -> Self {
        let (tv, plex, stash) = (FakePlexTv::start(), FakePlex::start(), FakeStash::start());
        fs::create_dir_all(&data).unwrap();
        lived_in(&data);
        plex.set_machine_identifier("m1");
        plex.set_sections(vec![Section::new("1", "Scenes", "movie", &["/plex"])]);
        let other = Resource::server("Attic", "m2", "a-token-of-the-attic");
        tv.set_resources(vec![Resource::of(&plex, "Box"), other]);
        let has_modes = has_modes(&data);
        let world = Self { tv, plex, stash, folder, data, has_modes };
        fs::create_dir(world.media()).unwrap();
        let path_map = format!("{}=/plex", world.media().display());
        let settings = json!({"plex_url": world.plex.url(), "plex_token": world.plex.token(), "path_map": path_map});
        world.stash.configure("plexsync", settings);
        world
    }

    fn media(&self) -> PathBuf {
        self.folder.path().join("media")
    }

    /// A scene with a file in each of these folders.
    pub(crate) fn scene(&self, id: u64, folders: &[&str]) {
        let file = |folder: &&str| {
            let path = self.media().join(folder).join("film.mp4");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "film").unwrap();
            path.to_str().unwrap().to_owned()
        };
        let paths: Vec<_> = folders.iter().map(file).collect();
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        self.stash.add_scene(&id.to_string(), &paths);
    }

    /// What Stash says when a scene was made: call 0.
    pub(crate) fn hook(&self, id: u64) -> String {
        let mut args = hook_args("Scene.Create.Post", id, &Value::Null);
        args["method"] = json!("plex.scan");
        self.run(&args)
    }

    /// What Stash says when a user has all that waits be sent: call 0.
    pub(crate) fn send(&self) -> String {
        self.run(&json!({"method": "scan.pending", "params": {"send": true}}))
    }

    fn run(&self, args: &Value) -> String {
        let input = self.stash.input(self.folder.path().join("plexsync"), args);
        json!({"method": "RPCRunner.Run", "params": [input], "id": 0}).to_string()
    }

    pub(crate) fn command(&self, prefix: &[&str]) -> Command {
        let mut command = command(prefix, worker(), &self.data);
        command.env("PLEXSYNC_PLEX_TV", self.tv.url());
        command
    }

    /// So many workers that start together and are asked this.
    pub(crate) fn start(
        &self,
        prefix: &[&str],
        count: usize,
        line: impl Fn(usize) -> String,
    ) -> Vec<Child> {
        let start = |_| self.command(prefix).spawn().unwrap();
        let mut children: Vec<Child> = (0..count).map(start).collect();
        for (number, child) in children.iter_mut().enumerate() {
            feed(child, &[&line(number)]);
        }
        children
    }

    pub(crate) fn ask_behind(&self, prefix: &[&str], line: &str) -> Told {
        told(self.start(prefix, 1, |_| line.to_owned())).remove(0)
    }

    /// The result of an undisturbed call.
    #[track_caller]
    pub(crate) fn call(&self, method: &str, params: &Value) -> Value {
        let told = self.ask_behind(&[], &line(method, params));
        let result = told.reply(1).and_then(|reply| reply.get("result"));
        result.unwrap_or_else(|| panic!("an undisturbed `{method}` failed: {told:?}")).clone()
    }

    /// The output of an undisturbed call by Stash.
    #[track_caller]
    pub(crate) fn output(&self, line: &str) -> Value {
        let told = self.ask_behind(&[], line);
        let result = &told.reply(0).unwrap_or_else(|| panic!("{told:?}"))["result"];
        assert!(result["error"].is_null() && result["output"].is_object(), "{told:?}");
        result["output"].clone()
    }

    /// A code that waits and that the user has entered.
    pub(crate) fn claimed(&self) {
        let begun = self.call("auth.start", &json!({"renew": true}));
        // Without a code it was the end of a sign-in that was begun before.
        let is_claimed = |code| self.tv.claim(code, WHO);
        assert!(begun["user_code"].as_str().is_none_or(is_claimed), "{begun}");
    }

    pub(crate) fn signed_in(&self) {
        self.claimed();
        assert_eq!(self.call("auth.finish", &json!({}))["signed_in"], true);
    }

    /// What Plex was asked to scan, each as often as it was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.plex.scans().into_iter().filter_map(|scan| scan.path).collect()
    }

    /// It keeps its port: somebody else's server could answer there.
    pub(crate) fn plex_goes_away(&self) {
        self.plex.fault(Fault::Maintenance.always());
    }

    /// Plex is back, the claims of killed workers are over, and the user has all that waits be sent.
    pub(crate) fn all_is_sent(&self) {
        self.plex.no_faults();
        let file = self.data.join("scans.json");
        if let Ok(text) = fs::read_to_string(&file) {
            let mut state: Value = serde_json::from_str(&text)
                .unwrap_or_else(|error| panic!("`scans.json` is torn: {error}: {text}"));
            for note in state["waiting"].as_array_mut().into_iter().flatten() {
                note.as_object_mut().unwrap().remove("claimed");
            }
            fs::write(&file, state.to_string()).unwrap();
        }
        // rclone opens a file that was written in place only when it has written it back.
        wait_until("all that waits is sent", || {
            let told = self.ask_behind(&[], &self.send());
            let result = &told.reply(0).unwrap_or_else(|| panic!("{told:?}"))["result"];
            let error = result["error"].as_str();
            assert!(error.is_none_or(|error| error.contains("it comes and goes")), "{told:?}");
            result["output"]["waiting"] == json!([])
        });
    }

    /// Tokens are where they belong, the identity is what it was, and not much is left over.
    pub(crate) fn assert_sound(&self, told: &[&Told], what: &str) {
        let tokens = [self.tv.token(WHO, OLD), Some(self.plex.token())];
        let canary = Canary::of(tokens.iter().flatten().map(String::as_str));
        for told in told {
            let said = format!("{:?} {}", told.replies, told.stderr);
            assert_eq!(canary.found(what, &said), None);
        }
        let mut left = 0;
        for name in listing(&self.data) {
            let path = self.data.join(&name);
            let Ok(about) = fs::metadata(&path) else { continue };
            left += usize::from(name.ends_with(".tmp"));
            // What libfuse keeps of a file that was replaced while somebody had it open.
            let is_kept = name.starts_with(".fuse_hidden");
            if is_kept || PRIVATE.iter().any(|private| name.contains(private)) {
                let mode = about.permissions().mode() & 0o777;
                let mode = if self.has_modes { mode } else { 0 };
                assert_eq!(mode & 0o077, 0, "{what}: `{name}` has mode {mode:o}");
            } else if about.is_file() {
                let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
                assert_eq!(canary.found(&name, &text), None, "{what}");
            }
        }
        assert!(left <= 4, "{what}: {:?}", listing(&self.data));
        self.assert_tokens_went_home(what);
        assert_eq!(id_of(&self.data), OLD, "{what}");
    }

    fn assert_tokens_went_home(&self, what: &str) {
        for request in self.plex.requests() {
            let token = request.header("X-Plex-Token");
            let is_its = token.is_none_or(|token| token == self.plex.token());
            assert!(is_its, "{what}: a strange token at Plex: {request:?}");
        }
        for request in self.tv.requests() {
            let token = request.header("X-Plex-Token");
            let is_its = token.is_none_or(|token| token != self.plex.token());
            assert!(is_its, "{what}: Plex's token at plex.tv: {request:?}");
        }
    }

    /// After somebody has written each of the files.
    pub(crate) fn assert_tidy(&self, what: &str) {
        let is_left = |name: &&String| name.ends_with(".tmp") || name.starts_with("scans.json.");
        let names = listing(&self.data);
        let left: Vec<_> = names.iter().filter(is_left).collect();
        assert!(left.is_empty(), "{what}: nobody has cleaned up: {left:?}");
    }
}

/// Whether files on this disk can be for their owner alone.
fn has_modes(folder: &Path) -> bool {
    let probe = tempfile::NamedTempFile::new_in(folder).unwrap();
    fs::metadata(probe.path()).unwrap().permissions().mode() & 0o077 == 0
}

/// What these workers have told, to their ends.
pub(crate) fn told(children: Vec<Child>) -> Vec<Told> {
    let told = |child: Child| Told::of(&child.wait_with_output().unwrap());
    children.into_iter().map(told).collect()
}

/// Call 1 of a host.
pub(crate) fn line(method: &str, params: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string()
}
