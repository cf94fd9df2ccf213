//! The recipes of the contract's page, each read from it and tried as it is written there.

use std::path::Path;
use std::time::Duration;

use plexsync_harness::fake_plex::Section;
use plexsync_harness::{FakePlex, Host};
use serde_json::{Deserializer, Value, json};

const OLD: &str = "/media/movies/Heet/Heet.mkv";
const NEW: &str = "/media/movies/Heat/Heat.mkv";

/// Headings of the recipes, and the calls of each.
fn recipes() -> Vec<(String, Vec<Value>)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/README.md");
    let page = std::fs::read_to_string(file).unwrap();
    let part = page.split("\n## ").find_map(|part| part.strip_prefix("Recipes\n")).unwrap();
    let recipe = |part: &str| {
        let heading = part.lines().next().unwrap().to_owned();
        let blocks =
            part.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap());
        let calls = blocks.flat_map(|block| Deserializer::from_str(block).into_iter::<Value>());
        (heading, calls.map(Result::unwrap).collect())
    };
    part.split("\n### ").skip(1).map(recipe).collect()
}

/// A Plex with one film, `10`, in section `1`, and a host.
fn setup() -> (FakePlex, Host) {
    let plex = FakePlex::start();
    plex.set_sections(vec![Section::new("1", "Movies", "movie", &["/media/movies"])]);
    let film = json!({"ratingKey": "10", "type": "movie", "title": "Heet", "Media": [{"Part": [{"file": OLD}]}]});
    plex.set_listing("1", &json!({"MediaContainer": {"size": 1, "Metadata": [film]}}).to_string());
    let host = crate::host().plex(&plex).start();
    (plex, host)
}

/// What Plex's own page would show of the film.
fn film(plex: &FakePlex) -> Value {
    plex.item("10")
}

fn tags(film: &Value, kind: &str) -> Vec<String> {
    let tags = film[kind].as_array().into_iter().flatten();
    tags.map(|tag| tag["tag"].as_str().unwrap().to_owned()).collect()
}

fn locked(film: &Value) -> Vec<String> {
    let fields = film["Field"].as_array().into_iter().flatten();
    fields.map(|field| field["name"].as_str().unwrap().to_owned()).collect()
}

/// Does what the recipe says, and returns the last result.
fn follow(host: &mut Host, calls: &[Value]) -> Value {
    let mut last = Value::Null;
    for call in calls {
        last = host.call(call["method"].as_str().unwrap(), call["params"].clone()).unwrap();
        assert!(call["method"] != "plex.request" || last["status"] == 200, "{call}: {last}");
    }
    last
}

/// Each request is as it stands here, and comes from this one device.
fn arrived(plex: &FakePlex, expected: &[(&str, &str)]) {
    let requests = plex.requests();
    let seen: Vec<_> = requests.iter().map(|it| (&it.method[..], &it.target[..])).collect();
    assert_eq!(seen, expected);
    for request in requests {
        assert_eq!(request.header("x-plex-product"), Some("PlexSync"));
        assert_eq!(request.header("x-plex-token"), Some(plex.token().as_str()));
        assert_eq!(request.header("accept"), Some("application/json"));
    }
    assert_eq!(plex.devices().len(), 1);
}

fn one(plex: &FakePlex, method: &str, target: &str) {
    arrived(plex, &[(method, target)]);
}

#[test]
fn an_event_stream_is_no_answer() {
    let (plex, mut host) = setup();
    plex.tell_events();
    plex.tell("ping", &json!({}));
    let params = json!({"path": "/:/eventsource/notifications", "timeout_ms": 500});
    let error = host.call("plex.request", params).unwrap_err();
    assert_eq!((error.code, error.datum("phase")), (-32011, &json!("body")), "{error}");
}

#[test]
fn each_does_what_it_says() {
    let mut tried = 0;
    for (heading, calls) in recipes() {
        let (plex, mut host) = setup();
        try_one(&heading, &calls, &plex, &mut host);
        tried += 1;
    }
    assert_eq!(tried, 11);
}

fn try_one(heading: &str, calls: &[Value], plex: &FakePlex, host: &mut Host) {
    const IDENTIFIER: &str = "identifier=com.plexapp.plugins.library";
    match heading {
        "Edit fields and lock them" => {
            follow(host, calls);
            let target = "/library/sections/1/all?id=10&summary.locked=1&summary.value=Crime%20%26%20coffee.\
                 &title.locked=1&title.value=Heat&type=1";
            one(plex, "PUT", target);
            let film = film(plex);
            assert_eq!(
                (&film["title"], &film["summary"]),
                (&json!("Heat"), &json!("Crime & coffee."))
            );
            assert_eq!(locked(&film), ["summary", "title"]);
            // Plex's next refresh takes nothing back.
            let refresh = json!({"method": "PUT", "path": "/library/metadata/10/refresh"});
            host.call("plex.request", refresh).unwrap();
            assert_eq!(plex.item("10")["title"], "Heat");
        }
        "Replace tags" => {
            let before = json!({"method": "PUT", "path": "/library/metadata/10", "query": {"genre[0].tag.tag": "Old"}});
            host.call("plex.request", before).unwrap();
            plex.clear();
            follow(host, calls);
            let target = "/library/metadata/10?genre.locked=1&genre%5B0%5D.tag.tag=Crime&genre%5B1%5D.tag.tag=1990s";
            one(plex, "PUT", target);
            assert_eq!(tags(&film(plex), "Genre"), ["Crime", "1990s"]);
            assert_eq!(locked(&film(plex)), ["genre"]);
        }
        "Take tags away" => {
            let query = json!({"genre[0].tag.tag": "Crime", "genre[1].tag.tag": "1990s", "genre[2].tag.tag": "Drama"});
            let before = json!({"method": "PUT", "path": "/library/metadata/10", "query": query});
            host.call("plex.request", before).unwrap();
            plex.clear();
            follow(host, calls);
            one(plex, "PUT", "/library/metadata/10?genre%5B%5D.tag.tag-=Crime%2C1990s");
            assert_eq!(tags(&film(plex), "Genre"), ["Drama"]);
        }
        "A poster" => {
            for (number, call) in calls.iter().enumerate() {
                plex.clear();
                follow(host, std::slice::from_ref(call));
                let request = plex.requests().remove(0);
                match number {
                    0 => {
                        one(
                            plex,
                            "POST",
                            "/library/metadata/10/posters?url=https%3A%2F%2Fexample.org%2Fheat.jpg",
                        );
                        assert_eq!(request.header("content-length"), Some("0"));
                    }
                    1 => {
                        one(plex, "POST", "/library/metadata/10/posters");
                        assert_eq!(request.body, b"\xff\xd8\xff\xe0 and the rest of it");
                        let path = film(plex)["thumb"].clone();
                        let image = host.call("plex.request", json!({"path": path})).unwrap();
                        assert_eq!(image["body"], calls[1]["params"]["body_base64"]);
                    }
                    _ => {
                        one(plex, "PUT", "/library/metadata/10?thumb.locked=1");
                        assert_eq!(locked(&film(plex)), ["thumb"]);
                    }
                }
            }
        }
        "Rate" => {
            follow(host, calls);
            let [nine, none] =
                ["9", "-1"].map(|it| format!("/:/rate?{IDENTIFIER}&key=10&rating={it}"));
            arrived(plex, &[("PUT", &nine), ("PUT", &none)]);
            assert_eq!(film(plex)["userRating"], Value::Null);
            follow(host, &calls[..1]);
            assert_eq!(film(plex)["userRating"], 9.0);
        }
        "Mark as watched" => {
            follow(host, &calls[..1]);
            assert_eq!(film(plex)["viewCount"], 1);
            follow(host, &calls[1..]);
            assert_eq!(film(plex)["viewCount"], Value::Null);
            let [on, off] =
                ["scrobble", "unscrobble"].map(|it| format!("/:/{it}?{IDENTIFIER}&key=10"));
            arrived(plex, &[("GET", &on), ("GET", &off)]);
            // It is not sent twice: Plex would count it twice.
            plex.clear();
            plex.fault(plexsync_harness::Fault::Maintenance.times(1));
            let params = calls[0]["params"].clone();
            assert_eq!(host.call("plex.request", params).unwrap()["status"], 503);
            assert_eq!(plex.requests().len(), 1);
        }
        "Refresh an item" => {
            let edit = json!({"method": "PUT", "path": "/library/metadata/10", "query": {"title.value": "Lost"}});
            host.call("plex.request", edit).unwrap();
            plex.clear();
            follow(host, calls);
            one(plex, "PUT", "/library/metadata/10/refresh");
            assert_eq!(film(plex)["title"], "Heet");
        }
        "Analyze" => {
            follow(host, calls);
            one(plex, "PUT", "/library/metadata/10/analyze");
            assert_eq!(plex.analyses("10"), 1);
        }
        "Is a scan running?" => {
            plex.scans_take(Duration::from_secs(600));
            host.call("plex.scan", json!({"folder": "/media/movies"})).unwrap();
            plex.clear();
            host.call("plex.scan", json!({"folder": "/media/movies"})).unwrap();
            let running = follow(host, calls);
            let list = &running["body"]["MediaContainer"]["Activity"];
            assert_eq!(list[0]["type"], "library.update.section", "{running}");
            assert_eq!(plex.requests().last().unwrap().target, "/activities");
        }
        "Empty the trash" => {
            plex.remove_file(OLD);
            host.call("plex.scan", json!({"folder": "/media/movies"})).unwrap();
            assert!(!film(plex)["deletedAt"].is_null());
            plex.clear();
            follow(host, calls);
            one(plex, "PUT", "/library/sections/1/emptyTrash");
            let found = host.call("plex.find", json!({"path": OLD})).unwrap();
            assert_eq!(found["missing"], json!([OLD]));
        }
        "A file was renamed" => {
            plex.scans_take(Duration::from_millis(200));
            plex.remove_file(OLD);
            plex.add_file(NEW);
            let found = follow(host, calls);
            assert_eq!(found["items"][0]["file"], NEW, "{found}");
            assert!(!film(plex)["deletedAt"].is_null());
            let folders: Vec<_> = plex.scans().into_iter().filter_map(|scan| scan.path).collect();
            assert_eq!(folders, ["/media/movies/Heet", "/media/movies/Heat"]);
        }
        heading => panic!("`{heading}` is not tried"),
    }
}
