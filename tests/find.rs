//! `plex.find`: the items that have a file, out of a filter that is no exact match.

use plexsync_harness::fake_plex::{Fault, Paging, Section};
use plexsync_harness::{FakePlex, Host, RpcError};
use serde_json::{Value, json};

/// An item's key, and its files.
type Item<'a> = (&'a str, &'a [&'a str]);
/// A section's key, type, locations, and items.
type Of<'a> = (&'a str, &'a str, &'a [&'a str], &'a [Item<'a>]);

fn plex(sections: &[Of]) -> FakePlex {
    let plex = FakePlex::start();
    let section = |&(key, kind, locations, _): &Of| Section::new(key, "S", kind, locations);
    plex.set_sections(sections.iter().map(section).collect());
    for (key, kind, _, items) in sections {
        plex.set_listing(key, &listing(kind, items).to_string());
    }
    plex
}

fn listing(kind: &str, items: &[Item]) -> Value {
    let kind = if kind == "show" { "episode" } else { kind };
    let part = |file: &&str| json!({"Part": [{"file": file}]});
    let item = |(key, files): &Item| {
        let media: Vec<_> = files.iter().map(part).collect();
        json!({"ratingKey": key, "type": kind, "title": format!("Title {key}"), "Media": media})
    };
    let items: Vec<_> = items.iter().map(item).collect();
    json!({"MediaContainer": {"size": items.len(), "Metadata": items}})
}

fn started(plex: &FakePlex) -> Host {
    crate::host().plex(plex).start()
}

fn find(plex: &FakePlex, params: Value) -> Result<Value, RpcError> {
    started(plex).call("plex.find", params)
}

/// Path, key of the item, its section and its file.
fn items(found: &Value) -> Vec<[String; 4]> {
    let text = |item: &Value, name: &str| item[name].as_str().unwrap_or("not text").to_owned();
    let item =
        |item: &Value| ["path", "rating_key", "section", "file"].map(|name| text(item, name));
    found["items"].as_array().unwrap().iter().map(item).collect()
}

fn rows(expected: &[[&str; 4]]) -> Vec<[String; 4]> {
    expected.iter().map(|row| row.map(str::to_owned)).collect()
}

#[test]
fn one_item_out_of_all_that_the_filter_brings() {
    let season = ["/tv/Show/e1.mkv", "/tv/Show/e2.mkv", "/tv/Show/E2.mkv", "/tv/Show/e20.mkv"];
    let episodes: Vec<_> = season.iter().map(|file| (*file, std::slice::from_ref(file))).collect();
    let plex = self::plex(&[("2", "show", &["/tv"], &episodes)]);
    let found = find(&plex, json!({"path": "/tv/Show/e2.mkv"})).unwrap();
    assert_eq!(
        items(&found),
        rows(&[["/tv/Show/e2.mkv", "/tv/Show/e2.mkv", "2", "/tv/Show/e2.mkv"]])
    );
    let item = &found["items"][0];
    assert_eq!(
        (&item["type"], &item["title"]),
        (&json!("episode"), &json!("Title /tv/Show/e2.mkv"))
    );
    assert_eq!((&found["missing"], &found["unheld"]), (&json!([]), &json!([])));
}

#[test]
fn a_listing_that_means_harm_costs_little_time_and_memory() {
    let plex = self::plex(&[("1", "movie", &["/m"], &[])]);
    let part = json!({"file": "/m/a.mkv"});
    let same = |key: u32| json!({"ratingKey": key, "Media": [{"Part": [part]}]});
    let many = (0..60_000).map(same).collect::<Vec<_>>();
    let title = "x".repeat(1_000_000);
    let parts = vec![part.clone(); 60_000];
    let large = vec![json!({"ratingKey": 1, "title": title, "Media": [{"Part": parts}]})];
    for (items, expected) in [(many, 60_000), (large, 1)] {
        let body = json!({"MediaContainer": {"totalSize": items.len(), "Metadata": items}});
        let answer = Fault::answer(200, &[("Content-Type", "application/json")], body.to_string());
        plex.fault(answer.always().on("/library/sections/1/all"));
        let mut host = started(&plex);
        let found = host.call("plex.find", json!({"path": "/m/a.mkv"})).unwrap();
        assert_eq!(found["items"].as_array().unwrap().len(), expected);
        let peak = host.memory_kib().peak;
        assert!(peak < 200_000, "{peak} KiB");
        plex.no_faults();
    }
}

#[test]
fn a_section_of_each_type_is_asked_for_what_has_files() {
    for (kind, number) in [("movie", "1"), ("show", "4"), ("artist", "10"), ("photo", "13")] {
        let plex = self::plex(&[("7", kind, &["/m"], &[("1", &["/m/a.x"])])]);
        let found = find(&plex, json!({"path": "/m/a.x"})).unwrap();
        assert_eq!(items(&found).len(), 1, "{kind}");
        let asked = plex.requests();
        assert_eq!(asked.last().unwrap().query_value("type").as_deref(), Some(number), "{kind}");
    }
    let plex = self::plex(&[("7", "unheard-of", &["/m"], &[("1", &["/m/a.x"])])]);
    let found = find(&plex, json!({"path": "/m/a.x"})).unwrap();
    assert_eq!((&found["missing"], &found["unheld"]), (&json!(["/m/a.x"]), &json!([])));
}

#[test]
fn a_file_may_have_several_items_and_an_item_several_files() {
    let plex = self::plex(&[
        ("1", "movie", &["/m"], &[("10", &["/m/a.mkv", "/m/b.mkv"]), ("11", &["/m/c.mkv"])]),
        ("2", "show", &["/m/", "/tv"], &[("20", &["/m/a.mkv"]), ("21", &["/m/a.mkv"])]),
    ]);
    let found =
        find(&plex, json!({"paths": ["/m/a.mkv", "/m/gone.mkv", "/m/b.mkv", "/x/y.mkv"]})).unwrap();
    let expected = [
        ["/m/a.mkv", "10", "1", "/m/a.mkv"],
        ["/m/a.mkv", "20", "2", "/m/a.mkv"],
        ["/m/a.mkv", "21", "2", "/m/a.mkv"],
        ["/m/b.mkv", "10", "1", "/m/b.mkv"],
    ];
    assert_eq!(items(&found), rows(&expected));
    assert_eq!(found["missing"], json!(["/m/gone.mkv", "/x/y.mkv"]));
    assert_eq!(found["unheld"], json!(["/x/y.mkv"]));
    let only = find(&plex, json!({"path": "/m/a.mkv", "section": "2"})).unwrap();
    assert_eq!(items(&only), rows(&expected[1..3]));
}

#[test]
fn odd_names_are_found() {
    let long = format!("/m/{}.mkv", "x".repeat(250));
    let deep = format!("/m/{}a.mkv", "ü & folder/".repeat(400));
    for (file, path) in [
        ("/m/it's \"quoted\" & #1 100%?=+.mkv", "/m/it's \"quoted\" & #1 100%?=+.mkv"),
        ("/m/a\\b.mkv", "/m/a\\b.mkv"),
        ("/m/🎬 ✨.mkv", "/m/🎬 ✨.mkv"),
        ("/m/Ame\u{301}lie.mkv", "/m/Am\u{e9}lie.mkv"),
        ("/m/Am\u{e9}lie.mkv", "/m/Ame\u{301}lie.mkv"),
        ("/m/a/b.mkv", "/m//a/./x/../b.mkv"),
        (&long, &long),
        (&deep, &deep),
        ("D:\\Videos\\Heat.mkv", "d:/videos/HEAT.mkv"),
        ("\\\\nas\\share\\Heat.mkv", "\\\\NAS\\share\\Heat.mkv"),
    ] {
        let plex = self::plex(&[(
            "1",
            "movie",
            &["/m", "D:\\Videos", "\\\\nas\\share"],
            &[("5", &[file])],
        )]);
        let found = find(&plex, json!({"path": path})).unwrap();
        assert_eq!(items(&found), rows(&[[path, "5", "1", file]]), "{path}");
    }
}

#[test]
fn of_two_unicode_forms_the_one_that_was_named_counts() {
    let both: [&[&str]; 2] = [&["/m/Am\u{e9}lie.mkv"], &["/m/Ame\u{301}lie.mkv"]];
    let plex = self::plex(&[("1", "movie", &["/m"], &[("1", both[0]), ("2", both[1])])]);
    for (place, key) in [(0, "1"), (1, "2")] {
        let found = find(&plex, json!({"path": both[place][0]})).unwrap();
        assert_eq!(items(&found), rows(&[[both[place][0], key, "1", both[place][0]]]));
    }
}

#[test]
fn a_listing_of_many_pages_is_read_to_its_end() {
    let files: Vec<_> = (0..350).map(|number| format!("/m/{number}.mkv")).collect();
    let names: Vec<[&str; 1]> = files.iter().map(|file| [file.as_str()]).collect();
    let entries: Vec<Item> = names.iter().map(|name| (name[0], &name[..])).collect();
    let plex = self::plex(&[("1", "movie", &["/m"], &entries)]);
    let found = find(&plex, json!({"path": "/m/349.mkv"})).unwrap();
    assert_eq!(items(&found).len(), 1);
}

#[test]
fn an_odd_item_costs_no_other_and_an_odd_answer_is_an_error() {
    let plex = self::plex(&[("1", "movie", &["/m"], &[])]);
    let odd = json!([null, 7, {"title": "no key"}, {"ratingKey": "", "Media": []}, {"ratingKey": "2", "Media": 5},
        {"ratingKey": 3, "Media": [{"Part": [{"file": "/m/a.mkv"}, {}]}, {}]}]);
    plex.set_listing("1", &json!({"MediaContainer": {"size": 6, "Metadata": odd}}).to_string());
    let found = find(&plex, json!({"path": "/m/a.mkv"})).unwrap();
    assert_eq!(items(&found), rows(&[["/m/a.mkv", "3", "1", "/m/a.mkv"]]));
    let portal = Fault::answer(200, &[("Content-Type", "text/html")], "<html>log in</html>");
    plex.fault(portal.always().on("/library/sections/1/all"));
    assert_eq!(find(&plex, json!({"path": "/m/a.mkv"})).unwrap_err().code, -32010);
}

#[test]
fn a_section_that_fails_is_an_error_and_nothing_is_missing() {
    for status in [401, 403, 404, 500, 503] {
        let plex = self::plex(&[("1", "movie", &["/m"], &[])]);
        plex.fault(Fault::answer(status, &[], "").always().on("/library/sections/1/all"));
        let error = find(&plex, json!({"path": "/m/a.mkv"})).unwrap_err();
        assert_eq!(error.code, -32013, "{status}");
        assert_eq!(error.data.unwrap()["status"], status);
    }
}

#[test]
fn params_that_make_no_sense_are_refused() {
    let plex = self::plex(&[("1", "movie", &["/m"], &[])]);
    let mut host = started(&plex);
    let many = vec!["/m/a.mkv"; 101];
    for (params, pointer) in [
        (json!({}), "/path"),
        (json!({"path": "a.mkv"}), "/path"),
        (json!({"paths": []}), "/paths"),
        (json!({"paths": many}), "/paths"),
        (json!({"paths": ["/m/a.mkv", "b.mkv"]}), "/paths/1"),
        (json!({"path": "/m/a.mkv", "paths": ["/m/a.mkv"]}), "/paths"),
        (json!({"path": "/m/a.mkv", "timeout_ms": 0}), "/timeout_ms"),
        (json!({"path": "/m/a.mkv", "section": "9"}), "/section"),
        (json!({"path": "/m/a.mkv", "file": "b"}), "/file"),
    ] {
        let error = host.call("plex.find", params.clone()).unwrap_err();
        assert_eq!(error.code, -32602, "{params}");
        assert_eq!(error.data.unwrap()["pointer"], pointer, "{params}");
    }
}

#[test]
fn a_listing_that_changes_between_its_pages_loses_nothing_and_doubles_nothing() {
    let files: Vec<_> = (0..250).map(|number| format!("/m/{number}.mkv")).collect();
    let names: Vec<[&str; 1]> = files.iter().map(|file| [file.as_str()]).collect();
    let entries: Vec<Item> = names.iter().map(|name| (name[0], &name[..])).collect();
    // Ten entries go, and what was on the second page is on the first; or ten come.
    for (before, after) in [(0, 10), (10, 0)] {
        let plex = self::plex(&[("1", "movie", &["/m"], &entries[before..])]);
        let mut host = started(&plex);
        plex.hold_on("/library/sections/1/all");
        let call = host.start_call("plex.find", json!({"paths": ["/m/105.mkv"]}));
        plex.wait_held(1);
        plex.set_listing("1", &listing("movie", &entries[after..]).to_string());
        plex.release();
        let found = host.wait(call).unwrap();
        assert_eq!(items(&found), rows(&[["/m/105.mkv", "/m/105.mkv", "1", "/m/105.mkv"]]));
    }
}

#[test]
fn a_file_that_stands_twice_in_an_item_is_one() {
    let plex = self::plex(&[("1", "movie", &["/m"], &[("5", &["/m/a.mkv", "/m/a.mkv"])])]);
    let found = find(&plex, json!({"path": "/m/a.mkv"})).unwrap();
    assert_eq!(items(&found), rows(&[["/m/a.mkv", "5", "1", "/m/a.mkv"]]));
}

#[test]
fn one_section_that_fails_fails_the_call_though_others_have_the_file() {
    let plex = self::plex(&[
        ("1", "movie", &["/m"], &[("1", &["/m/a.mkv"])]),
        ("2", "show", &["/m"], &[("2", &["/m/a.mkv"])]),
    ]);
    plex.fault(Fault::answer(500, &[], "").always().on("/library/sections/2/all"));
    let error = find(&plex, json!({"path": "/m/a.mkv"})).unwrap_err();
    assert_eq!((error.code, error.datum("status")), (-32013, &json!(500)));
    let found = find(&plex, json!({"path": "/m/a.mkv", "section": "1"})).unwrap();
    assert_eq!(items(&found).len(), 1);
}

#[test]
fn an_item_that_a_listing_has_twice_is_one() {
    let twice: [Item; 2] = [("5", &["/m/a.mkv"]), ("5", &["/m/a.mkv"])];
    let plex = self::plex(&[("1", "movie", &["/m"], &twice)]);
    let found = find(&plex, json!({"path": "/m/a.mkv"})).unwrap();
    assert_eq!(items(&found), rows(&[["/m/a.mkv", "5", "1", "/m/a.mkv"]]));
}

#[test]
fn all_of_a_large_folder_is_read_only_where_the_name_brings_nothing() {
    let files: Vec<_> = (0..2000).map(|number| format!("/m/Ame\u{301}lie {number}.mkv")).collect();
    let names: Vec<[&str; 1]> = files.iter().map(|file| [file.as_str()]).collect();
    let entries: Vec<Item> = names.iter().map(|name| (name[0], &name[..])).collect();
    let plex = self::plex(&[("1", "movie", &["/m"], &entries)]);
    // The list of sections, a page of the folder, the name; and each page of the folder.
    for (path, requests) in [(&files[1999][..], 3), ("/m/Am\u{e9}lie 1999.mkv", 3 + 20)] {
        plex.clear();
        let found = find(&plex, json!({"path": path})).unwrap();
        assert_eq!(items(&found), rows(&[[path, &files[1999], "1", &files[1999]]]));
        assert_eq!(plex.requests().len(), requests, "{path}");
    }
    for paging in [Paging::Ignored, Paging::WithoutTotal, Paging::AtMost(7), Paging::Strict] {
        plex.set_paging(paging);
        let found = find(&plex, json!({"paths": [files[1999], "/m/gone.mkv"]})).unwrap();
        assert_eq!(items(&found).len(), 1, "{paging:?}");
        assert_eq!(found["missing"], json!(["/m/gone.mkv"]));
    }
}

#[test]
fn an_address_without_a_scheme_is_no_other_server() {
    let plex = self::plex(&[("1", "movie", &["/m"], &[("1", &["/m/a.mkv"])])]);
    let mut host = started(&plex);
    for method in ["plex.find", "plex.scan", "plex.request"] {
        for server in ["nas:32400", "192.168.1.9:32400", "nas:32400/", ""] {
            let params = json!({"path": "/m/a.mkv", "server": server});
            let error = host.call(method, params).unwrap_err();
            assert_eq!(error.code, -32602, "{method} {server}: {error}");
            assert_eq!(error.datum("pointer"), "/server");
            assert!(error.message.contains("`http://"), "{error}");
        }
    }
    let error = host.call("plex.find", json!({"path": "/m/a", "server": "http://nas:1"}));
    let error = error.unwrap_err();
    assert_eq!((error.code, error.datum("missing")), (-32014, &json!("token")));
    assert!(error.message.ends_with("or name one of the account's servers"), "{error}");
    assert!(plex.requests().is_empty(), "the configured server is not asked in its place");
}
