//! The damage of the past: which devices programs left behind, and how they are removed without harm.

use plexsync_harness::fake_plex_tv::DeviceRow;
use plexsync_harness::{FakePlexTv, Fault, Host};
use serde_json::{Value, json};

use crate::host;

/// A phantom with this id, last seen so many days ago.
fn phantom(id: &str, days: u64) -> DeviceRow {
    let device = format!("0x1f5e66d2{id}");
    row(id, "PlexAPI", &device, "controller", days)
}

fn row(id: &str, product: &str, device: &str, provides: &str, days: u64) -> DeviceRow {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let seen = (now - days * 86_400).to_string();
    let token = format!("the-token-of-device-{id}");
    DeviceRow::new([
        ("name", "a1b2c3d4e5f6"),
        ("product", product),
        ("version", "4.18.2"),
        ("platform", "Linux"),
        ("provides", provides),
        ("clientIdentifier", device),
        ("id", id),
        ("token", &token),
        ("createdAt", &seen),
        ("lastSeenAt", &seen),
    ])
}

/// A host that is signed in, and plex.tv with these devices beside its own.
fn signed_in(rows: Vec<DeviceRow>) -> (FakePlexTv, Host) {
    let tv = FakePlexTv::start();
    let mut host = host().env("PLEXSYNC_PLEX_TV", tv.url()).start();
    let begun = host.call("auth.start", json!({})).unwrap();
    assert!(tv.claim(begun["user_code"].as_str().unwrap(), "alice"));
    host.call("auth.finish", json!({"timeout_ms": 25_000})).unwrap();
    rows.into_iter().for_each(|row| tv.add_device(row));
    (tv, host)
}

fn remove(host: &mut Host, ids: &[&str]) -> Value {
    host.call("device.remove", json!({"ids": ids, "dry_run": false})).unwrap()
}

fn column(rows: &Value, name: &str) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row[name].as_str().unwrap_or_default().to_owned()).collect()
}

fn deleted(tv: &FakePlexTv) -> Vec<String> {
    tv.requests_of("DELETE", "/devices/").into_iter().map(|request| request.target).collect()
}

#[test]
fn a_list_says_what_each_device_is_and_holds_no_token() {
    let (_tv, mut host) = signed_in(vec![
        phantom("2001", 200),
        phantom("2002", 100),
        row("3001", "Home Assistant", "33333333-3333-4333-8333-333333333333", "controller", 900),
        row("3002", "Plex for Android (TV)", "fedc-com-plexapp-android", "player", 900),
    ]);
    let own = host.call("identity.get", json!({})).unwrap()["device_id"].clone();
    let list = host.call("device.list", json!({})).unwrap();
    let devices = list["devices"].as_array().unwrap();
    let this: Vec<_> = devices.iter().filter(|device| device["this"] == true).collect();
    assert_eq!((this.len(), &this[0]["device_id"]), (1, &own));
    let by_id = |id: &str| devices.iter().find(|device| device["id"] == id).unwrap();
    let old = by_id("2001");
    assert_eq!(old["phantom"]["certainty"], "sure");
    assert_eq!(old["kept_because"], Value::Null);
    assert!(old["last_seen_at"].as_str().unwrap().ends_with('Z'), "{old}");
    for (id, reason) in [("2002", "newest"), ("3001", "unknown_maker"), ("3002", "provides")] {
        assert_eq!(by_id(id)["kept_because"]["reason"], reason, "{id}");
    }
    assert_eq!(by_id("3001")["phantom"], Value::Null);
    assert!(!list.to_string().contains("the-token-of"), "{list}");
    let recent = host.call("device.list", json!({"days": 300})).unwrap();
    assert_eq!(recent["devices"][1]["kept_because"]["reason"], "recent");
}

#[test]
fn a_dry_run_is_the_default_and_removes_nothing() {
    let (tv, mut host) = signed_in(vec![phantom("2001", 200), phantom("2002", 100)]);
    let told = host.call("device.remove", json!({"ids": ["2001", "2002", "2001"]})).unwrap();
    assert_eq!((&told["dry_run"], &told["would_remove"]), (&json!(true), &json!(["2001"])));
    assert_eq!(told["refused"][0]["reason"], "newest");
    assert_eq!(deleted(&tv), Vec::<String>::new());
}

#[test]
fn what_is_removed_is_gone_and_what_is_kept_says_why() {
    let twice = vec![phantom("2009", 300), phantom("2009", 300)];
    let rows = vec![phantom("2001", 200), phantom("2002", 100), phantom("2003", 1)];
    let (tv, mut host) = signed_in([rows, twice].concat());
    let ids = ["2001", "2003", "2009", "9999", "../user", ""];
    let told = remove(&mut host, &ids);
    assert_eq!(told["removed"], json!(["2001"]));
    let expected = ["recent", "ambiguous_id", "not_listed", "not_listed", "not_listed"];
    assert_eq!(column(&told["refused"], "reason"), expected);
    assert_eq!(deleted(&tv), ["/devices/2001.xml"]);
    let list = host.call("device.list", json!({})).unwrap();
    assert!(!column(&list["devices"], "id").contains(&"2001".to_owned()));
}

#[test]
fn force_lifts_recent_and_newest_and_nothing_else() {
    let (_tv, mut host) = signed_in(vec![
        phantom("2001", 1),
        phantom("2002", 50),
        row("3001", "Sonarr", "22222222-2222-4222-8222-222222222222", "", 1),
        row("3002", "PlexAPI", "0x1f5e66d20001", "server", 900),
    ]);
    let params = json!({"ids": ["2001", "2002", "3001", "3002"], "dry_run": false, "force": true});
    let told = host.call("device.remove", params).unwrap();
    assert_eq!(told["removed"], json!(["2001", "2002"]));
    assert_eq!(column(&told["refused"], "reason"), ["unknown_maker", "provides"]);
}

#[test]
fn it_stops_when_plex_tv_says_so_and_names_what_is_left() {
    for status in [401, 429] {
        let (tv, mut host) = signed_in(vec![
            phantom("2001", 200),
            phantom("2002", 100),
            phantom("2003", 90),
            phantom("2004", 80),
        ]);
        tv.fault(Fault::answer(status, &[], "").always().on("/devices/2002.xml"));
        let told = remove(&mut host, &["2001", "2002", "2003"]);
        assert_eq!(told["removed"], json!(["2001"]), "{status}");
        assert_eq!(told["failed"], json!([{"id": "2002", "status": status}]));
        assert_eq!(told["left"], json!(["2003"]));
    }
}

#[test]
fn a_failure_of_one_holds_up_no_other() {
    let (tv, mut host) = signed_in(vec![
        phantom("2001", 200),
        phantom("2002", 100),
        phantom("2003", 90),
        phantom("2004", 80),
    ]);
    tv.fault(Fault::answer(500, &[], "").always().on("/devices/2001.xml"));
    tv.hold_on("/devices/2002.xml");
    let params = json!({"ids": ["2001", "2002", "2003"], "dry_run": false});
    let removal = host.start_call("device.remove", params);
    tv.wait_held(1);
    // It is said to be gone, and still listed.
    tv.add_device(phantom("2002", 100));
    tv.release();
    let told = host.wait(removal).unwrap();
    assert_eq!(told["removed"], json!(["2003"]));
    assert_eq!(
        told["failed"],
        json!([{"id": "2001", "status": 500}, {"id": "2002", "status": 200}])
    );
    assert_eq!(told["left"], json!([]));
}

#[test]
fn a_device_that_vanished_meanwhile_counts_as_removed() {
    let (tv, mut host) = signed_in(vec![phantom("2001", 200), phantom("2002", 100)]);
    tv.hold_on("/devices/2001.xml");
    let removal = host.start_call("device.remove", json!({"ids": ["2001"], "dry_run": false}));
    tv.wait_held(1);
    tv.remove_device("2001");
    tv.release();
    assert_eq!(host.wait(removal).unwrap()["removed"], json!(["2001"]));
}

#[test]
fn a_list_that_can_t_be_read_is_an_error_and_removes_nothing() {
    let page = "<html><body>log in</body></html>";
    let (tv, mut host) = signed_in(vec![phantom("2001", 200), phantom("2002", 100)]);
    for (fault, code) in [
        (Fault::answer(200, &[("Content-Type", "text/html")], page), -32010),
        (Fault::answer(200, &[], "<MediaContainer><Device id=\"2001\""), -32010),
        (Fault::answer(200, &[], ""), -32010),
        (Fault::answer(401, &[], ""), -32013),
        (Fault::answer(429, &[], ""), -32013),
        (Fault::answer(503, &[], ""), -32013),
    ] {
        tv.fault(fault.times(2).on("/devices.xml"));
        let listed = host.call("device.list", json!({})).unwrap_err();
        let removed = host.call("device.remove", json!({"ids": ["2001"], "dry_run": false}));
        assert_eq!((listed.code, removed.unwrap_err().code), (code, code));
    }
    assert_eq!(deleted(&tv), Vec::<String>::new());
}

#[test]
fn without_a_second_list_there_is_a_warning() {
    let (tv, mut host) = signed_in(vec![phantom("2001", 200), phantom("2002", 100)]);
    tv.hold_on("/devices/2001.xml");
    let removal = host.start_call("device.remove", json!({"ids": ["2001"], "dry_run": false}));
    tv.wait_held(1);
    tv.fault(Fault::answer(503, &[], "").always().on("/devices.xml"));
    tv.release();
    let told = host.wait(removal).unwrap();
    assert_eq!(told["removed"], json!(["2001"]));
    assert!(told["warning"].as_str().unwrap().contains("could not be read again"), "{told}");
}

#[test]
fn without_a_sign_in_nothing_is_asked() {
    let tv = FakePlexTv::start();
    let mut host =
        host().env("PLEXSYNC_PLEX_TV", tv.url()).env("PLEX_TOKEN", "a-configured-token").start();
    for (method, params) in [("device.list", json!({})), ("device.remove", json!({"ids": ["1"]}))] {
        let error = host.call(method, params).unwrap_err();
        assert_eq!((error.code, error.datum("missing")), (-32014, &json!("token")), "{method}");
    }
    assert!(tv.requests().is_empty(), "{:?}", tv.requests());
}

#[test]
fn params_that_make_no_sense_are_refused() {
    let mut host = host().start();
    let many: Vec<_> = (0..101).map(|id: u32| id.to_string()).collect();
    for (method, params, pointer) in [
        ("device.list", json!({"days": 36_501}), "/days"),
        ("device.list", json!({"days": -1}), "/days"),
        ("device.list", json!({"all": true}), "/all"),
        ("device.remove", json!({}), "/ids"),
        ("device.remove", json!({"ids": []}), "/ids"),
        ("device.remove", json!({"ids": many}), "/ids"),
        ("device.remove", json!({"ids": [1]}), "/ids/0"),
    ] {
        let error = host.call(method, params.clone()).unwrap_err();
        assert_eq!((error.code, error.datum("pointer")), (-32602, &json!(pointer)), "{params}");
    }
}

#[cfg(unix)]
#[test]
fn a_task_in_stash_lists_phantoms_and_removes_nothing() {
    use plexsync_harness::fake_stash::{FakeStash, Level};
    let (tv, host) = signed_in(vec![phantom("2001", 200), phantom("2002", 100)]);
    let (stash, folder) = (FakeStash::start(), tempfile::tempdir().unwrap());
    let plugin =
        crate::package::install_worker(folder.path()).variable("PLEXSYNC_PLEX_TV", tv.url());
    let data = plugin.folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    for name in ["device_id.json", "account.json"] {
        std::fs::copy(host.data_dir().join(name), data.join(name)).unwrap();
    }
    let run = plugin.run_task(&stash, "List phantom devices", &json!({}));
    assert_eq!(run.error, None, "{:?}", run.log);
    let info = run.log.iter().filter(|line| line.level == Level::Info);
    let info: Vec<_> = info.map(|line| line.text.as_str()).collect();
    assert!(info[0].starts_with("`a1b2c3d4e5f6` (id 2001) was left by python-plexapi"), "{info:?}");
    assert!(
        info[2].starts_with(
            "Your account has 3 devices; left behind by programs: 2; of these can be removed"
        ),
        "{info:?}"
    );
    assert_eq!(deleted(&tv), Vec::<String>::new());
}

/// What the command does in the data folder of a signed-in host.
fn typed(tv: &FakePlexTv, host: &Host, arguments: &[&str]) -> plexsync_harness::host::Output {
    let builder = crate::host().env("PLEXSYNC_PLEX_TV", tv.url()).data_dir(host.data_dir());
    builder.arg("devices").args(arguments).run("")
}

#[test]
fn a_person_sees_each_device_and_what_can_be_removed() {
    let (tv, host) = signed_in(vec![phantom("2001", 200), phantom("2002", 100)]);
    let shown = typed(&tv, &host, &[]);
    assert_eq!(shown.status.code(), Some(0), "{}", shown.stderr);
    for text in [
        "2001  a1b2c3d4e5f6: PlexAPI 4.18.2, last seen 20",
        "surely left behind by python-plexapi or @ctrl/plex: its identifier was drawn at random",
        "kept: it is the newest device of python-plexapi",
        "kept: it is this worker's own device",
        "3 devices; left behind by programs: 2; of these can be removed: 1.",
        "devices remove --phantoms",
    ] {
        assert!(shown.stdout.contains(text), "{text}: {}", shown.stdout);
    }
    assert!(shown.stderr.contains("device `"), "{}", shown.stderr);
    let json = typed(&tv, &host, &["--json"]).stdout;
    let list: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(list["devices"].as_array().unwrap().len(), 3);
}

#[test]
fn a_removal_needs_a_yes() {
    let (tv, host) = signed_in(vec![phantom("2001", 200), phantom("2002", 100)]);
    let refused = typed(&tv, &host, &["remove", "--phantoms"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stderr.contains("confirm with `--yes`"), "{}", refused.stderr);
    assert_eq!(deleted(&tv), Vec::<String>::new());
    let removed = typed(&tv, &host, &["remove", "--phantoms", "--yes"]);
    assert_eq!(removed.status.code(), Some(0), "{}", removed.stderr);
    assert!(removed.stderr.contains("signs out whatever still uses"), "{}", removed.stderr);
    assert!(
        removed.stderr.contains("The newest device of each program stays"),
        "{}",
        removed.stderr
    );
    assert_eq!(removed.stdout, "1 removed.\n");
    assert_eq!(deleted(&tv), ["/devices/2001.xml"]);
    let nothing = typed(&tv, &host, &["remove", "--phantoms", "--yes"]);
    assert!(nothing.stderr.contains("There is nothing to remove."), "{}", nothing.stderr);
    let forced = typed(&tv, &host, &["remove", "--phantoms", "--force", "--yes"]);
    assert_eq!(forced.stdout, "1 removed.\n", "{}", forced.stderr);
}

#[test]
fn what_is_only_likely_needs_a_word_more() {
    let card = |id: &str, device: &str, days| row(id, "PlexAPI", device, "controller", days);
    let (tv, host) =
        signed_in(vec![card("2001", "0x242ac12003", 200), card("2002", "0x242ac12004", 100)]);
    let sure = typed(&tv, &host, &["remove", "--phantoms", "--yes"]);
    assert!(sure.stderr.contains("There is nothing to remove."), "{}", sure.stderr);
    let likely = typed(&tv, &host, &["remove", "--phantoms", "--likely", "--yes"]);
    assert_eq!(likely.stdout, "1 removed.\n", "{}", likely.stderr);
    assert_eq!(deleted(&tv), ["/devices/2001.xml"]);
}

#[test]
fn ids_that_are_kept_or_unknown_say_why() {
    let (tv, host) = signed_in(vec![phantom("2001", 200), phantom("2002", 100)]);
    let told = typed(&tv, &host, &["remove", "2002", "77", "--yes"]);
    assert!(told.stderr.contains("77  is not listed"), "{}", told.stderr);
    assert!(told.stderr.contains("; kept: it is the newest"), "{}", told.stderr);
    assert!(told.stderr.contains("There is nothing to remove."), "{}", told.stderr);
    assert_eq!((told.status.code(), deleted(&tv)), (Some(0), Vec::new()));
    let forced = typed(&tv, &host, &["remove", "2001", "2002", "--yes"]);
    assert!(forced.stderr.contains("1 device to remove."), "{}", forced.stderr);
    assert!(forced.stdout.contains("2002  kept: it is the newest"), "{}", forced.stdout);
    let (tv, host) = signed_in(vec![phantom("2001", 200), phantom("2002", 100)]);
    tv.fault(Fault::answer(429, &[], "").always().on("/devices/2001.xml"));
    let told = typed(&tv, &host, &["remove", "2001", "--yes"]);
    assert_eq!(told.status.code(), Some(1));
    assert!(told.stdout.contains("2001  not removed: plex.tv gave status 429"), "{}", told.stdout);
}

#[test]
fn ten_thousand_devices_are_listed_and_some_of_them_removed() {
    let rows = (0..10_000).map(|id: u64| phantom(&format!("{id:04}"), 50 + id % 300));
    let (tv, mut host) = signed_in(rows.collect());
    let list = host.call("device.list", json!({})).unwrap();
    let devices = list["devices"].as_array().unwrap();
    let free = devices.iter().filter(|device| device["kept_because"].is_null());
    // As many as were seen 50 days ago are the newest.
    assert_eq!((devices.len(), free.count()), (10_001, 10_000 - 34));
    let told = remove(&mut host, &["0049", "0050", "0300"]);
    assert_eq!(told["removed"], json!(["0049", "0050"]));
    assert_eq!(told["refused"][0]["reason"], "newest");
    assert_eq!(deleted(&tv).len(), 2);
}

#[test]
fn odd_devices_are_shown_and_kept() {
    let long = "9".repeat(400);
    let (_tv, mut host) = signed_in(vec![
        row("", "PlexAPI", "0x1f5e66d20001", "controller", 300),
        row("-7", "PlexAPI", "0x1f5e66d20002", "controller", 300),
        row("1/../2", "PlexAPI", "0x1f5e66d20003", "controller", 300),
        row(&long, "PlexAPI", "0x1f5e66d20004", "controller", 300),
        row("5", "PlexAPI", "0X1F5E66D20005", "controller", 300),
        row("6", "PlexAPI", "", "controller", 300),
        row("7", "PlexAPI \u{202e}\u{7}", "0x1f5e66d20006", " , ,controller", 300),
        phantom("2000", 40),
    ]);
    let list = host.call("device.list", json!({})).unwrap();
    let devices = list["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 9);
    let by_id = |id: &str| devices.iter().find(|device| device["id"] == id).unwrap();
    for id in ["5", "6", "7"] {
        assert_eq!(by_id(id)["kept_because"]["reason"], "unknown_maker", "{id}");
    }
    assert_eq!(by_id("7")["product"], "PlexAPI ");
    let told = remove(&mut host, &["", "-7", "1/../2", "5", "6", "7"]);
    assert_eq!(told["removed"], json!([]));
    let reasons = column(&told["refused"], "reason");
    assert_eq!(reasons[..3], ["not_listed"; 3]);
    assert_eq!(reasons[3..], ["unknown_maker"; 3]);
}

#[test]
fn lines_fit_the_terminal_and_a_removal_asks_first() {
    use crate::terminal::{on_a_terminal_of, shown, types};
    for columns in [80, 40] {
        let odd = [
            ("name", "居間のテレビ・二階の寝室のテレビ・子供部屋のテレビ・書斎のテレビ"),
            ("id", "3001"),
        ];
        let (tv, host) =
            signed_in(vec![phantom("2001", 200), phantom("2002", 100), DeviceRow::new(odd)]);
        let terminal = |arguments: &str| {
            let arguments = format!("--plex-tv {} devices {arguments} 2>&1", tv.url());
            on_a_terminal_of(columns, &host.data_dir(), &arguments)
        };
        let Some(mut script) = terminal("") else { return };
        let text = shown(&mut script, "devices remove --phantoms");
        // Folder and device, and a command to copy, stand on a line however long they are.
        let is_whole = |line: &&str| line.contains("data folder `") || line.contains("Remove them");
        for line in text.lines().filter(|line| !is_whole(line)) {
            assert!(textwrap::core::display_width(line.trim_end()) <= columns, "{line}");
        }
        assert!(text.contains("\r\n    "), "{text}");
        for (answer, said, code) in [("n", "Nothing was removed.", 1), ("y", "1 removed.", 0)] {
            let mut script = terminal("remove --phantoms").unwrap();
            let asked = shown(&mut script, "Remove them? [y/N]");
            assert!(asked.contains("2001  a1b2c3d4e5f6: PlexAPI"), "{asked}");
            assert!(!asked.contains("2002  "), "{asked}");
            types(&mut script, &format!("{answer}\n"));
            shown(&mut script, said);
            assert_eq!(script.wait().unwrap().code(), Some(code));
            assert_eq!(deleted(&tv).len(), usize::from(code == 0));
        }
    }
}
