//! `plex.scan`: which sections are asked, for which spelling of the folder, and what is told when Plex says no.

use std::collections::BTreeSet;

use plexsync_harness::fake_plex::{Fault, Section};
use plexsync_harness::{FakePlex, Host, RpcError};
use serde_json::{Value, json};

/// A Plex with sections of these locations, keyed 1, 2, ...
fn plex(sections: &[&[&str]]) -> FakePlex {
    let plex = FakePlex::start();
    let section = |(place, locations): (usize, &&[&str])| {
        Section::new(&(place + 1).to_string(), "Section", "movie", locations)
    };
    plex.set_sections(sections.iter().enumerate().map(section).collect());
    plex
}

fn scan(plex: &FakePlex, params: Value) -> Result<Value, RpcError> {
    started(plex).call("plex.scan", params)
}

fn started(plex: &FakePlex) -> Host {
    crate::host().plex(plex).start()
}

/// The refreshes that Plex took: section and folder.
fn asked(plex: &FakePlex) -> Vec<(String, String)> {
    let scans = plex.scans().into_iter();
    scans.map(|scan| (scan.section, scan.path.unwrap_or_default())).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|&(key, folder)| (key.to_owned(), folder.to_owned())).collect()
}

fn refuse(plex: &FakePlex, section: &str, status: u16) {
    let answer = Fault::answer(status, &[], "<h1>no entry</h1>");
    plex.fault(answer.always().on(&format!("/library/sections/{section}/refresh")));
}

#[test]
fn plex_is_asked_in_its_own_spelling() {
    for (params, location, sent) in [
        (json!({"folder": "/data/scenes/x"}), "/data/scenes", "/data/scenes/x"),
        (json!({"folder": "/data/x", "fresh": true}), "/data", "/data/x"),
        (json!({"path": "/data/scenes/x/a.mp4"}), "/data/scenes/", "/data/scenes/x"),
        (json!({"path": "/data/scenes/x/"}), "/data/scenes", "/data/scenes/x"),
        (json!({"path": r"D:\Media\x\"}), r"D:\Media", r"D:\Media\x"),
        (json!({"path": r"S:\a.mp4"}), r"S:\", r"S:\"),
        (json!({"folder": r"d:\media\X"}), r"D:\Media", r"D:\Media\X"),
        (json!({"folder": "D:/Media/X"}), r"D:\Media", r"D:\Media\X"),
        (json!({"folder": r"D:\Media/X/y"}), r"D:\Media", r"D:\Media\X\y"),
        (json!({"folder": r"S:\\Show"}), r"S:\", r"S:\Show"),
        (json!({"folder": r"\\NAS\Share\TV\Show"}), r"\\nas\share\tv\", r"\\nas\share\tv\Show"),
        (json!({"folder": "//nas/share/tv/Show"}), r"\\nas\share\tv\", r"\\nas\share\tv\Show"),
        (json!({"folder": "//10.0.0.7/s/f/a"}), "//10.0.0.7/s/f", "//10.0.0.7/s/f/a"),
        (json!({"folder": "/data//scenes//x"}), "/data/scenes", "/data/scenes/x"),
        (json!({"folder": "/data/scenes/x/"}), "/data/scenes", "/data/scenes/x"),
        (json!({"folder": "//data/scenes/x"}), "/data/scenes", "/data/scenes/x"),
        (json!({"folder": "/data/films/../scenes/./x"}), "/data/scenes", "/data/scenes/x"),
        (json!({"folder": "/V/Cafe\u{301}/X"}), "/V/Caf\u{e9}", "/V/Caf\u{e9}/X"),
        (json!({"folder": "/V/Caf\u{e9}/X"}), "/V/Cafe\u{301}", "/V/Cafe\u{301}/X"),
        (json!({"folder": "/data/#1 100% a+b&c?d"}), "/data", "/data/#1 100% a+b&c?d"),
    ] {
        let plex = plex(&[&[location]]);
        let result = scan(&plex, params.clone()).unwrap();
        let expected = json!({"outcome": "asked", "folder": sent, "section": "1", "status": 200});
        assert_eq!(result, expected, "{params}");
        assert_eq!(asked(&plex), pairs(&[("1", sent)]), "{params}");
    }
}

#[test]
fn every_section_that_holds_the_folder_is_asked_once_for_its_longest_location() {
    let plex = plex(&[
        &["/data"],
        &["/data/scenes/"],
        &["/data/scene", "/elsewhere"],
        &["/data", "/data/scenes"],
    ]);
    let result = scan(&plex, json!({"folder": "/data/scenes/x"})).unwrap();
    assert_eq!((&result["section"], &result["folder"]), (&json!("2"), &json!("/data/scenes/x")));
    let also = |key: &str| json!({"section": key, "folder": "/data/scenes/x", "status": 200});
    assert_eq!(result["also"], json!([also("1"), also("4")]));
    let folder = "/data/scenes/x";
    assert_eq!(asked(&plex), pairs(&[("2", folder), ("1", folder), ("4", folder)]));
    assert_eq!(plex.requests().len(), 4, "one list");
}

#[test]
fn a_given_section_is_the_only_one_and_must_hold_the_folder() {
    let plex = plex(&[&["/data"], &["/data"], &["/other"]]);
    let result = scan(&plex, json!({"folder": "/data/x", "section": "2"})).unwrap();
    assert_eq!((&result["section"], result.get("also")), (&json!("2"), None));
    assert_eq!(asked(&plex), pairs(&[("2", "/data/x")]));
    for (section, locations) in
        [("3", json!(["/other"])), ("TV", json!(["/data", "/data", "/other"]))]
    {
        let error = scan(&plex, json!({"folder": "/data/x", "section": section})).unwrap_err();
        assert_eq!(error.code, -32602, "{error}");
        assert_eq!(error.datum("pointer"), "/section");
        assert_eq!(error.datum("locations"), &locations);
        assert!(error.message.contains(section) && error.message.contains("/other"), "{error}");
    }
    assert_eq!(asked(&plex).len(), 1);
    let result = scan(&plex, json!({"folder": "/data/x", "section": ""})).unwrap();
    assert_eq!(result["also"][0]["section"], "2", "an empty key is no key");
}

#[test]
fn a_relative_folder_is_refused_before_anything_is_sent() {
    let plex = plex(&[&["/data"]]);
    for text in ["", "data/x", "./x", "x", "C:", "C:x", r"\x", r"\\nas"] {
        for name in ["folder", "path"] {
            let error = scan(&plex, json!({ name: text })).unwrap_err();
            assert_eq!(error.code, -32602, "{text}");
            assert_eq!(error.datum("pointer"), &format!("/{name}"));
            assert!(error.message.contains("absolute"), "{error}");
        }
    }
    for params in [json!({}), json!({"folder": "/a", "path": "/a"})] {
        assert_eq!(scan(&plex, params).unwrap_err().code, -32602);
    }
    assert_eq!(plex.requests().len(), 0);
}

#[test]
fn a_folder_in_no_section_is_told_with_the_locations_and_the_one_that_is_near() {
    let sections: &[&[&str]] = &[&["/Volumes/Films"], &["/data", r"D:\Media"]];
    let locations = json!(["/Volumes/Films", "/data", r"D:\Media"]);
    for (folder, near) in [
        ("/volumes/films/x", Some("`/Volumes/Films` differs in letter case only")),
        ("/Data/x", Some("`/data` differs in letter case only")),
        ("/database", None),
        ("/", None),
        (r"E:\Media", None),
        ("/data/../x", None),
    ] {
        let plex = plex(sections);
        let error = scan(&plex, json!({ "folder": folder })).unwrap_err();
        assert_eq!(error.code, -32602, "{error}");
        assert_eq!(error.datum("locations"), &locations);
        for location in locations.as_array().unwrap() {
            assert!(error.message.contains(location.as_str().unwrap()), "{error}");
        }
        assert_eq!(error.message.contains("letter case"), near.is_some(), "{error}");
        assert!(error.message.contains(near.unwrap_or_default()), "{error}");
        assert!(asked(&plex).is_empty());
    }
    let error = scan(&plex(sections), json!({"path": "/x/a.mp4"})).unwrap_err();
    assert_eq!(error.datum("pointer"), "/path");
    // One slash is no UNC path.
    let unc = plex(&[&["//10.0.0.7/share/films"]]);
    assert_eq!(scan(&unc, json!({"folder": "/10.0.0.7/share/films/a"})).unwrap_err().code, -32602);
}

#[test]
fn sections_and_locations_that_make_no_sense_are_skipped() {
    let plex = plex(&[&["/data"]]);
    let body = json!({"MediaContainer": {"Directory": [
        null, {"key": "8"}, {"key": null, "Location": [{"path": "/data"}]},
        {"key": "7", "Location": [null, {"path": null}, {"path": ""}, {"path": "data"}]},
        {"Location": [{"path": "/data"}]}, {"key": 1, "Location": [{"path": "/data"}]},
    ]}});
    let json = [("Content-Type", "application/json")];
    plex.respond("/library/sections", 200, &json, body.to_string());
    scan(&plex, json!({"folder": "/data/x"})).unwrap();
    assert_eq!(asked(&plex), pairs(&[("1", "/data/x")]));
    let error = scan(&plex, json!({"folder": "/elsewhere"})).unwrap_err();
    assert_eq!(error.datum("locations"), &json!(["/data"]));
}

/// Whatever the status is, and whether it is the list or a refresh that is refused: it is no success.
#[test]
fn a_refused_list_or_refresh_is_an_error() {
    let plex = plex(&[&["/data"]]);
    let mut host = started(&plex);
    for on in ["/library/sections", "/library/sections/1/refresh"] {
        for (status, hint) in [
            (301, "https://"),
            (302, "Plex's own URL"),
            (308, "https://"),
            (400, "log"),
            (401, "token"),
            (403, "token"),
            (404, "URL"),
            (429, "wait"),
            (500, "log"),
            (502, "log"),
            (503, "maintenance"),
            (521, "log"),
        ] {
            plex.no_faults();
            plex.fault(Fault::answer(status, &[], "<h1>No\n entry</h1>").always().on(on));
            let error = host.call("plex.scan", json!({"folder": "/data/x"})).unwrap_err();
            assert_eq!(error.code, -32013, "{status}: {error}");
            assert_eq!(error.datum("status"), status);
            assert_eq!(error.datum("message"), "No entry");
            assert_eq!(error.datum("server"), &plex.url());
            assert_eq!(error.datum("asked"), &json!([]));
            let refused = error.datum("refused").as_array().unwrap();
            assert_eq!(refused.len(), usize::from(on.ends_with("refresh")), "{error:?}");
            assert!(error.message.contains(hint), "{error}");
        }
    }
    plex.no_faults();
    plex.fault(Fault::Maintenance.always());
    let error = host.call("plex.scan", json!({"folder": "/data/x"})).unwrap_err();
    assert!(error.message.contains("database migrations"), "Plex's own words: {error}");
}

#[test]
fn all_sections_are_asked_before_a_refusal_is_told() {
    let plex = plex(&[&["/data"], &["/data/x"], &["/data"], &["/data"]]);
    refuse(&plex, "2", 403);
    refuse(&plex, "3", 500);
    let error = scan(&plex, json!({"folder": "/data/x"})).unwrap_err();
    let told =
        |key: &str, status: u16| json!({"section": key, "folder": "/data/x", "status": status});
    assert_eq!((error.code, error.datum("status")), (-32013, &json!(403)));
    assert_eq!(error.datum("asked"), &json!([told("1", 200), told("4", 200)]));
    assert_eq!(error.datum("refused"), &json!([told("2", 403), told("3", 500)]));
    assert!(error.message.contains("`2`, `3`") && error.message.contains("/data/x"), "{error}");
}

#[test]
fn a_section_that_does_not_answer_leaves_none_unasked() {
    let plex = plex(&[&["/data"], &["/data/x"], &["/data"]]);
    plex.fault(Fault::CloseWithoutAnswer.always().on("/library/sections/2/refresh"));
    let error = scan(&plex, json!({"folder": "/data/x"})).unwrap_err();
    assert_eq!((error.code, error.datum("kind")), (-32010, &json!("closed")));
    let asked: BTreeSet<_> = asked(&plex).into_iter().map(|(section, _)| section).collect();
    assert!(asked.contains("1") && asked.contains("3"), "{asked:?}");
    // Who refused is told before who was lost.
    refuse(&plex, "3", 403);
    assert_eq!(scan(&plex, json!({"folder": "/data/x"})).unwrap_err().code, -32013);
}

#[test]
fn a_token_in_a_refusal_is_not_passed_on() {
    let plex = plex(&[&["/data"]]);
    let page = format!("<p>no {} here</p>", plex.token());
    plex.fault(Fault::answer(401, &[], page).always());
    let error = scan(&plex, json!({"folder": "/data/x"})).unwrap_err();
    assert_eq!(error.datum("message"), "no REDACTED here");
    assert!(!format!("{error:?}").contains(&plex.token()));
}

#[test]
fn a_section_that_is_gone_makes_the_list_be_read_again() {
    let plex = plex(&[&["/data"], &["/data"]]);
    let list = |keys: &[&str]| {
        let section = |key: &&str| json!({"key": key, "Location": [{"path": "/data"}]});
        let sections: Vec<_> = keys.iter().map(section).collect();
        let body = json!({"MediaContainer": {"Directory": sections}}).to_string();
        Fault::answer(200, &[("Content-Type", "application/json")], body).on("/library/sections")
    };
    // Section 9 was removed, and 2 added, while the list was on its way.
    plex.fault(list(&["9", "1"]));
    let result = scan(&plex, json!({"folder": "/data/x"})).unwrap();
    assert_eq!((&result["section"], &result["also"][0]["section"]), (&json!("1"), &json!("2")));
    assert_eq!(asked(&plex), pairs(&[("1", "/data/x"), ("2", "/data/x")]), "each once");

    plex.fault(list(&["9"]).times(1));
    plex.set_sections(vec![Section::new("3", "Other", "movie", &["/other"])]);
    let error = scan(&plex, json!({"folder": "/data/x"})).unwrap_err();
    assert_eq!((error.code, error.datum("locations")), (-32602, &json!(["/other"])));
}

#[test]
fn a_list_of_something_else_is_no_list() {
    let plex = plex(&[&["/data"]]);
    plex.respond(
        "/library/sections",
        200,
        &[("Content-Type", "text/html")],
        "<html>Sign in</html>",
    );
    let error = scan(&plex, json!({"folder": "/data/x"})).unwrap_err();
    assert_eq!((error.code, error.datum("kind")), (-32010, &json!("protocol")));
}
