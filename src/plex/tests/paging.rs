//! Listings that come page by page.

use std::sync::Mutex;

use super::server::Reply::{Close, Keep};
use super::*;

fn page(offset: u32, total: u32, keys: &[u32]) -> String {
    let entries: Vec<_> = keys.iter().map(|key| json!({"ratingKey": key.to_string()})).collect();
    let size = keys.len();
    json!({"MediaContainer": {"size": size, "totalSize": total, "offset": offset, "Metadata": entries}})
        .to_string()
}

fn xml(offset: u32, keys: &[u32]) -> server::Reply {
    let entries: String = keys.iter().map(|key| format!("<Video key=\"{key}\"/>")).collect();
    let size = keys.len();
    let body = format!(
        "<?xml version=\"1.0\"?>\n<MediaContainer size=\"{size}\" totalSize=\"3\" offset=\"{offset}\">{entries}</MediaContainer>"
    );
    let length = body.len();
    Keep(format!("HTTP/1.1 200 OK\r\nContent-Type: text/xml;charset=utf-8\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes())
}

#[tokio::test]
async fn pages_are_asked_for_and_joined() {
    let server =
        Server::start([Keep(ok(&page(0, 3, &[1, 2]))), Close(vec![]), Keep(ok(&page(2, 3, &[3])))]);
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen_steps = Arc::clone(&steps);
    let params = json!({"path": "/library/sections/1/all", "all_pages": true});
    let call = RequestCall {
        progress: Some(Box::new(move |done, total| {
            seen_steps.lock().unwrap().push((done, total));
        })),
        ..call(server.url(), params)
    };
    let answer = Plex::new(Options::default()).request(call).await.unwrap();
    let container = &body(&answer)["MediaContainer"];
    let keys: Vec<_> =
        container["Metadata"].as_array().unwrap().iter().map(|entry| &entry["ratingKey"]).collect();
    assert_eq!(keys, ["1", "2", "3"]);
    assert_eq!(container["size"], 3);
    assert_eq!(*steps.lock().unwrap(), [(2, Some(3)), (3, Some(3))]);
    assert_eq!(server.seen().len(), 3, "the second page was lost once");
    let starts: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| {
            assert_eq!(seen.header("X-Plex-Container-Size"), Some("100"));
            seen.header("X-Plex-Container-Start").unwrap().to_owned()
        })
        .collect();
    assert_eq!(starts, ["0", "2", "2"]);
}

#[tokio::test]
async fn pages_in_xml_are_joined() {
    let server = Server::start([xml(0, &[1, 2]), xml(2, &[3])]);
    let params = json!({"path": "/a", "all_pages": true, "headers": {"Accept": "text/xml"}});
    let answer = ask(server.url(), params).await.unwrap();
    let container = &body(&answer)["MediaContainer"];
    assert_eq!(container["Video"], json!([{"key": "1"}, {"key": "2"}, {"key": "3"}]));
    assert_eq!(container["size"], "3");
    assert_eq!(answer.body.encoding, plexsync_protocol::plex::BodyEncoding::Xml);
}

#[tokio::test]
async fn what_is_no_listing_is_answered_as_it_is() {
    for (reply, status, expected) in [
        (ok(r#"{"a":1}"#), 200, json!({"a": 1})),
        (ok("[1]"), 200, json!([1])),
        (ok("no json"), 200, json!("no json")),
        (ok(""), 200, Value::Null),
        (http("401 No", "", "{}"), 401, json!({})),
    ] {
        let server = Server::start([Keep(reply)]);
        let answer = ask(server.url(), json!({"path": "/", "all_pages": true})).await.unwrap();
        assert_eq!((answer.status, body(&answer)), (status, expected));
        assert_eq!(server.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_page_that_fails_is_the_answer() {
    let server = Server::start([Keep(ok(&page(0, 3, &[1]))), Keep(http("500 No", "", "{}"))]);
    let answer = ask(server.url(), json!({"path": "/", "all_pages": true})).await.unwrap();
    assert_eq!((answer.status, body(&answer)), (500, json!({})));

    let server = Server::start([Keep(ok(&page(0, 3, &[1]))), Keep(ok("[]"))]);
    let outcome = ask(server.url(), json!({"path": "/", "all_pages": true})).await;
    assert_eq!(kind(outcome), UnreachableKind::Protocol);
}

#[tokio::test]
async fn the_limit_is_for_the_sum() {
    let pages = [page(0, 2, &[1]), page(1, 2, &[2])];
    let sum = pages.iter().map(String::len).sum::<usize>();
    for (limit, fits) in [(sum, true), (sum - 1, false)] {
        let server = Server::start(pages.iter().map(|page| Keep(ok(page))));
        let params = json!({"path": "/", "all_pages": true, "max_bytes": limit});
        match ask(server.url(), params).await {
            Ok(answer) => assert!(fits, "{}", answer.status),
            Err(error) => {
                assert_eq!(error, PlexError::TooLarge { max_bytes: limit as u64 });
                assert!(!fits);
            }
        }
    }
}

#[tokio::test]
async fn a_server_that_ignores_paging_is_asked_no_end() {
    let all = page(0, 500, &[1, 2]);
    let server = Server::start([Keep(ok(&all)), Keep(ok(&all)), Keep(ok(&all))]);
    let answer = ask(server.url(), json!({"path": "/", "all_pages": true})).await.unwrap();
    assert_eq!(body(&answer)["MediaContainer"]["Metadata"].as_array().unwrap().len(), 2);
    assert_eq!(server.seen().len(), 2);
}
