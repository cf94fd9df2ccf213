//! What a user of Stash reads in *Settings > Logs*: all that he ever sees of a task or a hook.

#![cfg(unix)]

use std::fs;
use std::path::PathBuf;

use plexsync_harness::fake_plex::Fault;
use plexsync_harness::fake_stash::{FakeStash, Launch, Plugin, Run};
use plexsync_harness::{FakePlex, TlsSetup};
use plexsync_protocol::message::MAX_MESSAGE;
use serde_json::{Value, json};

use crate::package::install_worker;

const CHECK: &str = "Check Plex connection";
const SCAN: &str = "Scan Plex library";
const SHOW: &str = "Show identity";
const RESET: &str = "Reset identity";
const REALLY_RESET: &str = "Reset identity: yes, become a new device";

/// A Stash with the plugin, and a Plex.
struct Setup {
    stash: FakeStash,
    plex: FakePlex,
    plugin: Plugin,
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "it goes away with the test, which only Linux looks into")
    )]
    folder: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        Self::with(FakePlex::start())
    }

    fn with(plex: FakePlex) -> Self {
        let (stash, folder) = (FakeStash::start(), tempfile::tempdir().unwrap());
        let plugin = install_worker(folder.path());
        let setup = Self { stash, plex, plugin, folder };
        setup.configure(&setup.plex.url(), &setup.plex.token());
        setup
    }

    /// The same, with an identity.
    fn settled() -> Self {
        let setup = Self::new();
        setup.settle();
        setup
    }

    fn settle(&self) {
        self.plugin.run_task(&self.stash, SHOW, &json!({}));
        self.stash.clear_log();
    }

    fn configure(&self, url: &str, token: &str) {
        self.stash.configure("plexsync", json!({"plex_url": url, "plex_token": token}));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.plugin.folder.join("data").join(name)
    }

    fn id(&self) -> String {
        let text = fs::read_to_string(self.file("device_id.json")).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        file["device_id"].as_str().unwrap().to_owned()
    }

    /// What the log page shows of this task.
    fn task(&self, name: &str) -> Vec<String> {
        self.read(|setup| setup.plugin.run_task(&setup.stash, name, &json!({})))
    }

    fn operation(&self, arguments: &Value) -> Vec<String> {
        self.read(|setup| setup.plugin.run_operation(&setup.stash, arguments))
    }

    /// A new scene.
    fn hook(&self) -> Vec<String> {
        // A library that this machine has no part of the path of: else it would be a disk that is away.
        self.stash.add_scene("45", &["D:\\Videos\\a.mp4"]);
        self.read(|setup| {
            setup.plugin.run_hooks(&setup.stash, "Scene.Create.Post", 45, &Value::Null).remove(0)
        })
    }

    fn read(&self, run: impl FnOnce(&Self) -> Run) -> Vec<String> {
        self.stash.clear_log();
        let run = run(self);
        assert_eq!(run.swallowed, None);
        let data = self.plugin.folder.join("data").display().to_string();
        let (url, token) = (self.plex.url(), self.plex.token());
        let server = url.split_once("://").unwrap().1.to_owned();
        let page = self.stash.log_page();
        for line in page.iter().chain(&run.error) {
            let foreign = [&token, "--", "timeout_ms", "`data.", "plexsync-worker"];
            assert!(foreign.iter().all(|word| !line.contains(word)), "not in Stash: {line}");
        }
        page.iter()
            .map(|line| line.replace(" [Plugin / PlexSync]", ":"))
            .map(|line| line.replace(&data, "DATA").replace(&url, "URL").replace(&server, "SERVER"))
            .filter(|line| !line.contains(": filesystem: "))
            .collect()
    }
}

/// The page's only line.
#[track_caller]
fn only(page: Vec<String>) -> String {
    let [line] = page.as_slice() else { panic!("one line is enough: {page:#?}") };
    line.clone()
}

/// What the check says of a Plex that is well.
const PLEX: &str = "Plex 1.41.7.9823-59f304c16 answers, machine `3f2a9d4c7b1e4a608d5f0c2b9e7a6d1835f4c0aa`; `Attic` \
                    accepts the token; 6 libraries: Movies (`/media/movies`, `/mnt/disk2/movies`), TV Shows (`/media/tv`), \
                    Everything (`/media`), Movies in 4K (`/media/movies 4k`), Music (`/media/music`), Windows (`D:\\Videos`)";
const SETTINGS: &str = "the settings are in Settings > Plugins > PlexSync";

fn not_checked(names: &str) -> String {
    format!(
        "warning: {names}: not checked: a step before it failed; fix that first, then run this again"
    )
}

fn not_well(bad: usize, all: usize) -> String {
    let verb = if bad == 1 { "is" } else { "are" };
    // What waits to be scanned is a check of every run.
    let all = all + 1;
    format!("info: {bad} of {all} checks {verb} not well; {SETTINGS}")
}

#[test]
fn a_task_that_ends_well_says_what_was_asked_for_in_one_line() {
    let setup = Setup::new();
    let first = only(setup.task(SHOW));
    let id = setup.id();
    let came =
        "made just now in `DATA/device_id.json`: Plex will show one new device, `PlexSync Plugin`";
    assert_eq!(first, format!("info: This plugin's id is `{id}`, {came}"));
    assert_eq!(
        only(setup.task(SHOW)),
        format!("info: This plugin's id is `{id}`, loaded from `DATA/device_id.json`")
    );
    assert_eq!(only(setup.task(CHECK)), format!("info: All is well: {PLEX}"));
    assert!(only(setup.task(SCAN)).starts_with("info: Plex was asked to scan all"));
}

#[test]
fn a_first_id_is_announced_by_whatever_task_makes_it() {
    for task in [CHECK, SCAN, REALLY_RESET] {
        let setup = Setup::new();
        let page = setup.task(task);
        let lines: Vec<_> = page.iter().filter(|line| line.contains("one new device")).collect();
        assert!(lines.len() == 1 && lines[0].contains(&setup.id()), "{task}: {page:#?}");
        assert!(page.len() <= 2 && page.iter().all(|line| line.starts_with("info: ")), "{page:#?}");
    }
}

#[test]
fn a_reset_is_explained_before_it_is_done() {
    let setup = Setup::settled();
    let id = setup.id();
    let explained = format!(
        "othing was reset: this plugin's id is still `{id}`. A reset makes a new id, and Plex will show one new device; the \
         old one can be removed there. If you want that, run the task *{REALLY_RESET}*"
    );
    assert_eq!(only(setup.task(RESET)), format!("info: N{explained}"));
    for confirm in [json!(false), json!("false"), json!("yes"), json!(1), json!(null), json!([])] {
        let arguments = json!({"method": "identity.reset", "params": "{}", "confirm": confirm});
        let run = setup.plugin.run_operation(&setup.stash, &arguments);
        assert_eq!((run.error, &run.output["device_id"]), (None, &json!(id)), "{confirm}");
        assert!(run.output["warning"].as_str().unwrap().contains(&explained), "{}", run.output);
        assert!(run.output.get("previous").is_none(), "the output is that of `identity.get`");
    }
    assert_eq!(setup.id(), id);

    let line = only(setup.task(REALLY_RESET));
    let new = setup.id();
    assert_ne!(new, id);
    let plex = "Plex will show one new device; the old one can be removed there";
    assert_eq!(
        line,
        format!("info: This plugin's id is now `{new}`, before it was `{id}`. {plex}")
    );
}

#[test]
fn the_way_back_to_a_former_id_needs_no_confirmation() {
    let setup = Setup::settled();
    let id = setup.id();
    setup.task(REALLY_RESET);
    let new = setup.id();
    let back = json!({"method": "identity.reset", "params": {"device_id": id}});
    let plex = "Plex sees the device that it knows by this id";
    assert_eq!(
        only(setup.operation(&back)),
        format!("info: This plugin's id is now `{id}`, before it was `{new}`. {plex}")
    );
    assert_eq!(setup.id(), id);
    let other = json!({"method": "identity.reset", "params": {"if_device_id": new}});
    let error = setup.plugin.run_operation(&setup.stash, &other).error.unwrap();
    assert!(error.contains(&format!("the id on disk is `{id}`")), "Stash drops `data`: {error}");
    let this = json!({"method": "identity.reset", "params": {"if_device_id": id}});
    assert!(only(setup.operation(&this)).contains(&format!("before it was `{id}`")));
}

/// What the user set up wrong, or Plex's state; what the check says; what the scan says.
fn expect(setup: &Setup, state: &str, check: &[String], scan: &str) {
    assert_eq!(setup.task(CHECK), check, "{state}");
    assert_eq!(only(setup.task(SCAN)), format!("error Plugin returned error: {scan}"), "{state}");
}

const AFTER_SERVER: &str = "plex_account, plex_device, plex_libraries";
const AFTER_CONNECTION: &str = "plex_server, plex_account, plex_device, plex_libraries";
const SET_TOKEN: &str = "set `plex_token` in Settings > Plugins > PlexSync";
const SET_URL: &str = "set `plex_url` in Settings > Plugins > PlexSync";
const URL_IS: &str = "Plex's URL is `plex_url` in Settings > Plugins > PlexSync";
const WHERE: &str =
    "Plex's support article \"Finding an authentication token\" shows where to find it";

#[test]
fn settings_that_are_missing_or_wrong_are_named() {
    let setup = Setup::settled();
    let (url, token) = (setup.plex.url(), setup.plex.token());
    let of = "the token in `Settings > Plugins > PlexSync`";
    setup.stash.configure("plexsync", json!({}));
    let hint = format!("run the task *Sign in to Plex*, or {SET_URL}");
    let none = format!("warning: plex_url: no Plex server is configured; {hint}");
    let error = format!("no Plex server is configured: {hint} (-32014)");
    expect(&setup, "no settings", &[none, not_well(1, 5)], &error);

    let refused =
        "`URL` refused a scan of all library sections with status `401` (401 Unauthorized)";
    let revoked = "check the token: it is missing, of another server, or was revoked";
    let error = format!("{refused}; {revoked}; {SET_TOKEN} (-32013)");
    setup.configure(&url, "");
    let none = format!("warning: plex_token: no token is configured; {SET_TOKEN}; {WHERE}");
    let known =
        "Plex 1.41.7.9823-59f304c16 answers, machine `3f2a9d4c7b1e4a608d5f0c2b9e7a6d1835f4c0aa`";
    let not_well =
        |bad: usize, all: usize| not_well(bad, all).replace("; the", &format!("; {known}; the"));
    expect(&setup, "no token", &[none, not_well(1, 9)], &error);

    setup.configure(&url, "wrong");
    let wrong = "error: plex_account: the token is not accepted (status `401`); take a token of this server's owner: this \
                 one is another server's, or was revoked";
    let lines =
        [format!("{wrong}; {WHERE}"), not_checked("plex_device, plex_libraries"), not_well(3, 12)];
    expect(&setup, "wrong token", &lines, &error);

    setup.configure(&url, &format!("X-Plex-Token={token}"));
    let pasted = format!(
        "{of} is a name with a token behind it (`X-Plex-Token=...`); give only what is between the `=` and the next `&`"
    );
    let lines = [format!("error: plex_token: {pasted}"), not_well(1, 9)];
    expect(&setup, "pasted token", &lines, &format!("{pasted} (-32014)"));
}

#[test]
fn a_url_that_is_not_plex_s_is_named() {
    let setup = Setup::settled();
    let token = setup.plex.token();
    setup.configure("plex:32400", &token);
    let wrong = "does not start with `http://` or `https://`; expected `http://host:port`";
    let line = format!(
        "error: plex_url: the URL in `Settings > Plugins > PlexSync` {wrong}; give one such as `http://192.168.1.10:32400`"
    );
    let error = format!("the configured `plex_url` {wrong}; {SET_URL} (-32014)");
    expect(&setup, "no scheme", &[line, not_well(1, 6)], &error);

    setup.stash.configure("plexsync", json!({"plex_url": setup.plex.url(), "path_map": "media"}));
    let wrong = "setting `path_map` of `Settings > Plugins > PlexSync` can't be used: entry `media` is not a pair of \
                 folders, expected `/folder/in/stash=/folder/in/plex`, several separated by `;`";
    let line = format!("error: stash: {wrong}; until then Plex's URL and token are not known");
    expect(&setup, "path map", &[line, not_well(1, 4)], &format!("{wrong} (-32014)"));

    setup.configure(&setup.plex.url(), &token);
    setup.plex.fault(Fault::answer(404, &[], "").always());
    let lines = [
        "error: plex_server: not found (status `404`): host and port answer, but this URL is not Plex's; check the path \
         in the URL: Plex's own has none, such as `http://192.168.1.10:32400`"
            .to_owned(),
        not_checked(AFTER_SERVER),
        not_well(4, 12),
    ];
    let error = format!(
        "`URL` refused a scan of all library sections with status `404`; check the URL: expected `http://host:32400`, \
         without a path; {SET_URL} (-32013)"
    );
    expect(&setup, "wrong path", &lines, &error);
}

#[test]
fn what_pasting_adds_to_a_setting_is_said_by_tasks_and_not_by_each_hook() {
    let setup = Setup::settled();
    let (url, token) = (setup.plex.url(), setup.plex.token());
    setup.configure(&format!("{url}/web/index.html#!/"), &format!("\"{token}\""));
    let of = "in `Settings > Plugins > PlexSync`";
    let page =
        format!("the URL {of} is the URL of Plex's web page; `/web` and what follows was removed");
    let quotes = format!("the token {of} is in quotes; they were removed");
    let scanned = setup.task(SCAN);
    assert_eq!(scanned[..2], [format!("warning: {page}"), format!("warning: {quotes}")]);
    assert_eq!(scanned.len(), 3, "{scanned:#?}");
    let checked = setup.task(CHECK);
    let check = |odd: &str| format!("warning: configuration: {odd}");
    let well = format!("info: 2 of 15 checks are not well; {PLEX}; {SETTINGS}");
    assert_eq!(checked, [check(&page), check(&quotes), well]);

    assert_eq!(setup.hook(), [""; 0], "a hook that does its work says nothing");
}

#[test]
fn both_interfaces_of_stash_show_the_same_page() {
    let setup = Setup::settled();
    let pages = [CHECK, SCAN, SHOW, RESET].map(|task| setup.task(task));
    let manifest = setup.plugin.folder.join("plexsync.yml");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("interface: raw", "interface: rpc")).unwrap();
    let setup = Setup { plugin: Plugin::load(&manifest).unwrap(), ..setup };
    assert_eq!([CHECK, SCAN, SHOW, RESET].map(|task| setup.task(task)), pages);
    setup.configure(&setup.plex.url(), "wrong");
    assert!(only(setup.task(SCAN)).contains("check the token"));
}

#[test]
fn a_plex_that_is_away_or_refuses_is_named() {
    let setup = Setup::settled();
    setup.plex.fault(Fault::Maintenance.always());
    let lines = [
        "error: plex_server: Plex is starting or in maintenance (status `503`); wait, then run this again; an update of \
         the database can take an hour; if there is a proxy in front, check that Plex runs behind it"
            .to_owned(),
        not_checked(AFTER_SERVER),
        not_well(4, 12),
    ];
    let error = "`URL` refused a scan of all library sections with status `503` (Plex Media Server is currently running \
                 database migrations.); Plex is starting or in maintenance: wait, then try again (-32013)";
    expect(&setup, "maintenance", &lines, error);

    setup.plex.no_faults();
    setup.plex.fault(Fault::answer(403, &[], "").always().on("/devices"));
    setup.plex.fault(Fault::answer(403, &[], "").always().on("/library/sections/all"));
    let shared = "warning: plex_device: this token is not the owner's (status `403`); Plex may refuse to scan for it: use \
                  the token of the account that owns the server";
    let well = format!("info: 1 of 13 checks is not well; {PLEX}; {SETTINGS}");
    let error = format!(
        "`URL` refused a scan of all library sections with status `403`; use the token of an account that may manage the \
         libraries; {SET_TOKEN} (-32013)"
    );
    expect(&setup, "a shared account", &[shared.to_owned(), well], &error);

    setup.plex.no_faults();
    setup.configure("http://127.0.0.1:1", &setup.plex.token());
    let down = "`127.0.0.1:1` refused the connection; check that it runs there";
    let lines =
        [format!("error: plex_connection: {down}"), not_checked(AFTER_CONNECTION), not_well(5, 12)];
    expect(&setup, "down", &lines, &format!("{down}; {URL_IS} (-32010)"));
}

#[test]
fn a_plex_that_hangs_is_not_the_user_s_time_limit() {
    let setup = Setup::settled();
    setup.plex.fault(Fault::StallBody.always());
    let page = setup.task(CHECK);
    let busy = "error: plex_server: the body from `SERVER` did not end in time; it may be busy: wait, then run this again, \
                or restart it";
    assert_eq!(page, [busy.to_owned(), not_checked(AFTER_SERVER), not_well(4, 12)]);
    let request = json!({"method": "plex.request", "params": {"path": "/", "timeout_ms": 3000}});
    let error = setup.plugin.run_operation(&setup.stash, &request).error.unwrap();
    assert!(error.contains("Plex may be busy: wait, then try again"), "{error}");
    assert!(!error.contains("timeout_ms"), "{error}");
}

#[test]
fn a_certificate_is_named_with_what_a_user_of_stash_can_do() {
    for (certificate, reason, hint) in [
        (
            TlsSetup::SelfSigned,
            "is self-signed (for `127.0.0.1`, `localhost`, valid until 01 Jan 4096)",
            "use the server's `plex.direct` name, or trust this certificate with `PLEX_CA` in Stash's environment",
        ),
        (
            TlsSetup::Expired,
            "has expired (for `127.0.0.1`, `localhost`, valid until 01 Jan 2020)",
            "check the clock, then restart Plex to renew it",
        ),
    ] {
        let setup = Setup::with(FakePlex::start_tls(certificate));
        setup.settle();
        let told = format!("the certificate of `SERVER` {reason}; {hint}");
        let lines =
            [format!("error: plex_tls: {told}"), not_checked(AFTER_CONNECTION), not_well(5, 13)];
        expect(&setup, reason, &lines, &format!("{told}; {URL_IS} (-32010)"));
    }
}

#[test]
fn a_refused_request_is_one_warning_and_a_good_one_is_none() {
    let setup = Setup::settled();
    let request = json!({"method": "plex.request", "params": {"path": "/identity", "retries": 0}});
    assert_eq!(setup.operation(&request), [""; 0]);
    for (status, hint) in [
        (
            401,
            format!(
                "check the token: it is missing, of another server, or was revoked; {SET_TOKEN}"
            ),
        ),
        (403, format!("use the token of an account that may manage the libraries; {SET_TOKEN}")),
        (
            404,
            format!(
                "if the path is right, check the URL: expected `http://host:32400`, without a path; {SET_URL}"
            ),
        ),
        (301, format!("use `https://` in the URL; {SET_URL}")),
        (308, format!("use `https://` in the URL; {SET_URL}")),
        (503, "Plex is starting or in maintenance: wait, then try again".to_owned()),
    ] {
        setup.plex.no_faults();
        setup.plex.fault(Fault::answer(status, &[], "").always());
        let line = only(setup.operation(&request));
        assert_eq!(
            line,
            format!("warning: `URL/identity` was answered with status `{status}`; {hint}")
        );
    }
}

#[test]
fn what_happened_to_the_identity_s_file_is_said_once() {
    let setup = Setup::settled();
    let (id, file, backup) =
        (setup.id(), setup.file("device_id.json"), setup.file("device_id.json.bak"));
    let loaded =
        |id: &str| format!("info: This plugin's id is `{id}`, loaded from `DATA/device_id.json`");
    let restored = |id: &str| {
        format!("info: This plugin's id is `{id}`, taken from the backup of `DATA/device_id.json`")
    };

    fs::remove_file(&file).unwrap();
    let missing = "warning: The identity's file was missing and was restored from its backup. Plex sees the same device as \
                   before.";
    assert_eq!(setup.task(SHOW), [missing.to_owned(), restored(&id)]);
    assert_eq!(setup.task(SHOW), [loaded(&id)]);

    fs::write(&file, format!("{{\"device_id\": \"{id}\", x")).unwrap();
    let salvaged = "warning: The identity's file is damaged, but its id could be read: Plex sees the same device as before. \
                    A reset to this very id writes the file anew.";
    assert_eq!(setup.task(SHOW), [salvaged.to_owned(), loaded(&id)]);
    assert_eq!(
        setup.task(CHECK)[0],
        format!(
            "warning: identity: `{id}`, read from `DATA/device_id.json`, which is damaged; Plex sees the same device; to write \
         the file anew, adopt this id: operation `identity.reset` (see the plugin's README)"
        )
    );
    assert_eq!(setup.task(RESET)[0], salvaged);
    assert_eq!(setup.hook(), [""; 0], "a thousand hooks would say it");
    let anew = json!({"method": "identity.reset", "params": {"device_id": id}});
    assert_eq!(
        only(setup.operation(&anew)),
        format!("info: This plugin's id is `{id}`, as before; its file was written anew")
    );
    assert_eq!(setup.task(SHOW), [loaded(&id)]);

    fs::write(&file, "{").unwrap();
    let page = setup.task(SHOW);
    let damaged = "warning: The identity's file was damaged and was restored from its backup. The damaged bytes are in \
                   `device_id.json.corrupt-";
    assert!(
        page[0].starts_with(damaged) && page[0].ends_with("Plex sees the same device as before."),
        "{page:#?}"
    );
    assert_eq!(page[1..], [restored(&id)]);

    fs::remove_file(&file).unwrap();
    assert_eq!(setup.hook(), [missing], "what happened once is said, by whatever it happened to");

    fs::write(&file, "{").unwrap();
    fs::remove_file(&backup).unwrap();
    let page = setup.task(SHOW);
    let lost = "warning: The identity's file was damaged and there was no backup to restore it from: this is a new \
                identity, and Plex will show a new device. ";
    assert!(page[0].starts_with(lost), "{page:#?}");
    let id = setup.id();
    assert_eq!(
        page[1..],
        [format!("info: This plugin's id is `{id}`, made just now in `DATA/device_id.json`")]
    );
}

#[test]
fn a_folder_that_can_t_be_used_is_an_error_of_every_task() {
    let setup = Setup::settled();
    let data = setup.plugin.folder.join("data");
    fs::remove_dir_all(&data).unwrap();
    fs::write(&data, "").unwrap();
    let unavailable = "error Plugin returned error: identity unavailable: `DATA/device_id.json`: it can't be read: Not a \
                       directory (os error 20); move away the file that is in the place of a folder (-32001)";
    for task in [SHOW, RESET, REALLY_RESET, SCAN] {
        assert_eq!(only(setup.task(task)), unavailable, "{task}");
    }
    let page = setup.task(CHECK);
    let folder = "error: data_folder: `DATA`, from `PluginDir`: `DATA` is not a folder; move away the file in its place";
    assert_eq!(page[0], folder);
    assert_eq!(page.len(), 3, "{page:#?}");
    assert_eq!(setup.plex.requests().len(), 0);
}

/// A Stash that file modes hold for: root's may write everywhere, so as root it is somebody else's.
#[cfg(target_os = "linux")]
fn bound_by_modes(mut setup: Setup) -> Setup {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let mode = |mode| fs::Permissions::from_mode(mode);
    if fs::metadata(setup.folder.path()).unwrap().uid() == 0 {
        fs::set_permissions(setup.folder.path(), mode(0o755)).unwrap();
        let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];
        setup.plugin = setup.plugin.started_by(&nobody);
    }
    fs::set_permissions(&setup.plugin.folder, mode(0o555)).unwrap();
    setup
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_can_t_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let setup = bound_by_modes(Setup::new());
    let denied =
        "Permission denied (os error 13); give the user that this process runs as access to it";
    let error = |what: &str| {
        format!("error Plugin returned error: identity unavailable: {what}: {denied} (-32001)")
    };
    for task in [SHOW, SCAN, RESET, REALLY_RESET] {
        assert_eq!(
            only(setup.task(task)),
            error("`DATA`: the data folder can't be made"),
            "{task}"
        );
    }
    let page = setup.task(CHECK);
    let folder =
        "error: data_folder: `DATA`, from `PluginDir`: does not exist, and can't be created in";
    assert!(page[0].starts_with(folder), "{page:#?}");
    assert!(page[0].ends_with("let the user that runs Stash own it (`chown`)"), "{page:#?}");
    assert_eq!(page[3..], [not_well(3, 8)], "{page:#?}");
    assert_eq!(setup.plex.requests().len(), 0);

    let data = setup.plugin.folder.join("data");
    let mode = |mode| fs::Permissions::from_mode(mode);
    fs::set_permissions(&setup.plugin.folder, mode(0o755)).unwrap();
    fs::create_dir(&data).unwrap();
    fs::write(setup.file("device_id.json"), "{\"device_id\": \"abc\"}").unwrap();
    fs::set_permissions(&data, mode(0o555)).unwrap();
    let backup = format!(
        "warning: The backup of the identity's file can't be written ({denied}): should the file get damaged, Plex will \
         show a new device."
    );
    let loaded = "info: This plugin's id is `abc`, loaded from `DATA/device_id.json`";
    assert_eq!(setup.task(SHOW), [backup.clone(), loaded.to_owned()]);
    assert_eq!(setup.task(RESET)[0], backup);
    assert_eq!(only(setup.task(REALLY_RESET)), error("`DATA/device_id.json`: it can't be written"));
    let hook = only(setup.hook());
    assert!(hook.starts_with("warning: `DATA/scans.json` can't be written"), "{hook}");
}

#[test]
fn settings_that_stash_does_not_give_are_told_as_such() {
    let setup = Setup::settled();
    setup.stash.fail_field("configuration", "database is locked");
    let page = setup.task(CHECK);
    assert!(page[0].starts_with("error: stash: stash at `http://127.0.0.1:"), "{page:#?}");
    assert!(page[0].contains("database is locked"), "{page:#?}");
    assert_eq!(page[1..], [not_well(1, 4)], "that nothing is configured would not be true");
    assert!(only(setup.task(SCAN)).contains("database is locked"));
}

#[test]
fn arguments_that_can_t_be_used_are_told_as_their_writer_wrote_them() {
    let setup = Setup::new();
    let methods = "`identity.get`, `identity.reset`, `plex.request`, `plex.scan`, `plex.find`, `scan.pending`";
    for (arguments, told) in [
        (json!({}), &["`args.method` is missing", methods][..]),
        (json!({"method": ""}), &["`args.method` is missing", methods]),
        (json!({"method": null}), &["`args.method` is missing", methods]),
        (json!({"method": 5}), &["`args.method`: expected a string", methods]),
        (json!({"method": ["identity.get"]}), &["`args.method`: expected a string"]),
        (
            json!({"method": "plex.scan", "hookContext": "x"}),
            &["`args.hookContext`: expected an object"],
        ),
        (
            json!({"method": "plex.scan", "hookContext": {"type": 5}}),
            &["`args.hookContext.type`: expected a string"],
        ),
        (json!({"method": "plex.scan", "params": "["}), &["`args.params` is a string"]),
        (json!(5), &["`args`: expected an object"]),
    ] {
        let run = setup.plugin.run_operation(&setup.stash, &arguments);
        let error = run.error.unwrap();
        assert!(told.iter().all(|told| error.contains(told)), "{arguments}: {error}");
        assert!(!error.contains("`params` must hold"), "{error}");
    }
}

#[test]
fn an_input_that_is_too_long_is_an_error_with_a_text() {
    let setup = Setup::settled();
    let cover = "x".repeat(MAX_MESSAGE);
    let long = json!({"method": "plex.scan", "hookContext": {"input": {"cover_image": cover}}});
    let input = setup.stash.input(&setup.plugin.folder, &long);
    let launch = Launch::new(setup.plugin.folder.join("plexsync-worker"));
    for run in [launch.run_raw(&input), launch.run_rpc(&input)] {
        let error = run.error.unwrap();
        assert!(error.contains("perhaps by a cover image: nothing was done"), "{error}");
        assert!(run.swallowed.is_none() && !error.contains("--"), "{error}");
    }
}

#[test]
fn the_page_holds_the_last_thirty_lines() {
    let setup = Setup::settled();
    for _ in 0..31 {
        setup.plugin.run_task(&setup.stash, SHOW, &json!({}));
    }
    let page = setup.stash.log_page();
    assert_eq!(page.len(), 30);
    assert!(
        page.iter().all(|line| line.starts_with("info [Plugin / PlexSync] This plugin's id is"))
    );
}
