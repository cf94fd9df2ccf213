//! What goes over the wire, and how often.

use super::server::{Reply, nobody};
use super::*;

use Reply::{Close, Hang, Keep};

#[tokio::test]
async fn a_request_carries_the_device_and_the_token() {
    let server = Server::start([Keep(ok(r#"{"b":1,"a":[]}"#))]);
    let params = json!({"path": "/library/sections?x=1", "query": {"y": true}, "headers": {"X-Plex-Language": "de"}});
    let answer = ask(server.url(), params).await.unwrap();
    assert_eq!((answer.status, answer.attempts), (200, 1));
    assert_eq!(answer.url, format!("{}/library/sections?x=1&y=1", server.url()));
    assert_eq!(body(&answer), json!({"b": 1, "a": []}));
    let seen = &server.seen()[0];
    assert_eq!(seen.first_line(), "GET /library/sections?x=1&y=1 HTTP/1.1");
    for (name, value) in identity().headers.iter() {
        assert_eq!(seen.header(name), Some(value));
        assert!(seen.text.contains(&format!("\r\n{name}: ")), "{}", seen.text);
    }
    assert_eq!(seen.header("x-plex-token"), Some(TOKEN));
    assert_eq!(seen.header("accept"), Some("application/json"));
    assert_eq!(seen.header("x-plex-language"), Some("de"));
    assert_eq!(seen.header("host"), Some(server.address.to_string().as_str()));
    let mut encodings: Vec<_> = seen
        .header("accept-encoding")
        .unwrap()
        .split([',', ' '])
        .filter(|e| !e.is_empty())
        .collect();
    encodings.sort_unstable();
    assert_eq!(encodings, ["br", "deflate", "gzip"]);
    for absent in ["cookie", "referer", "content-length", "content-type", "authorization"] {
        assert_eq!(seen.header(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn bodies_and_their_length() {
    for (params, length, content_type, sent) in [
        (json!({"method": "PUT"}), Some("0"), None, ""),
        (json!({"method": "POST"}), Some("0"), None, ""),
        (json!({"method": "DELETE"}), None, None, ""),
        (
            json!({"method": "POST", "body": {"a": 1}}),
            Some("7"),
            Some("application/json"),
            r#"{"a":1}"#,
        ),
        (json!({"method": "PATCH", "body": "a=1"}), Some("3"), None, "a=1"),
        (json!({"method": "PUT", "body_base64": "YWI="}), Some("2"), None, "ab"),
    ] {
        let server = Server::start([Keep(ok("{}"))]);
        let mut params = params;
        params["path"] = json!("/x");
        ask(server.url(), params.clone()).await.unwrap();
        let seen = &server.seen()[0];
        assert_eq!(seen.header("content-length"), length, "{params}");
        assert_eq!(seen.header("content-type"), content_type, "{params}");
        assert_eq!(seen.header("transfer-encoding"), None);
        assert_eq!(seen.body(), sent);
    }
}

#[tokio::test]
async fn an_empty_token_sends_none() {
    let server = Server::start([Keep(http("401 Unauthorized", "", ""))]);
    let answer = ask(server.url(), json!({"path": "/", "token": ""})).await.unwrap();
    assert_eq!(answer.status, 401);
    assert_eq!(server.seen()[0].header("x-plex-token"), None);
    assert_eq!(server.seen()[0].header("x-plex-client-identifier"), Some("the-device"));
}

#[tokio::test]
async fn bodies_that_are_not_read() {
    let server = Server::start([
        Keep(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nContent-Encoding: gzip\r\n\r\n".to_vec()),
        Keep(b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n".to_vec()),
        Hang(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n".to_vec()),
    ]);
    let plex = Plex::new(Options::default());
    for params in [
        json!({"path": "/", "method": "HEAD"}),
        json!({"path": "/"}),
        json!({"path": "/", "parse": "none", "max_bytes": 1}),
    ] {
        let answer = ask_of(&plex, server.url(), params).await.unwrap();
        assert_eq!(body(&answer), Value::Null);
    }
}

#[tokio::test]
async fn what_changes_things_is_sent_again_only_if_nothing_came_back() {
    for (method, tries) in [("GET", 2), ("PUT", 2), ("DELETE", 2), ("POST", 1), ("PATCH", 1)] {
        let server = Server::start([Close(vec![]), Keep(ok("{}"))]);
        let outcome = ask(server.url(), json!({"path": "/", "method": method})).await;
        assert_eq!(server.seen().len(), tries, "{method}");
        match tries {
            1 => assert_eq!(kind(outcome), UnreachableKind::Closed),
            _ => assert_eq!(outcome.unwrap().attempts, 2),
        }
    }
    let half = || Close(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab".to_vec());
    for (method, tries) in [("GET", 2), ("PUT", 1), ("POST", 1)] {
        let server = Server::start([half(), Keep(ok("{}"))]);
        let outcome = ask(server.url(), json!({"path": "/", "method": method})).await;
        assert_eq!(server.seen().len(), tries, "{method}");
        if tries == 1 {
            assert_eq!(kind(outcome), UnreachableKind::Closed);
        }
    }
    for method in ["PUT", "DELETE", "POST", "PATCH"] {
        let server = Server::start([Keep(http("503 Busy", "", "{}"))]);
        let answer = ask(server.url(), json!({"path": "/", "method": method})).await.unwrap();
        assert_eq!((answer.status, answer.attempts), (503, 1));
    }
    // The redirect has been received: the PUT may have done its work.
    let server = Server::start([Keep(http("307 There", "Location: /y\r\n", "")), Close(vec![])]);
    let outcome = ask(server.url(), json!({"path": "/", "method": "PUT"})).await;
    assert_eq!((kind(outcome), server.seen().len()), (UnreachableKind::Closed, 2));
}

#[tokio::test]
async fn nobody_there() {
    let url = format!("http://{}", nobody());
    for (retries, method) in [(1, "GET"), (1, "POST")] {
        let outcome =
            ask(url.clone(), json!({"path": "/", "retries": retries, "method": method})).await;
        assert_eq!(kind(outcome), UnreachableKind::Connect);
    }
    let outcome = ask("http://name.invalid".to_owned(), json!({"path": "/", "retries": 0})).await;
    assert_eq!(kind(outcome), UnreachableKind::Dns);
}

#[tokio::test]
async fn a_connection_that_died_unused_does_not_count() {
    for (method, retries) in [("GET", 0), ("PUT", 1), ("DELETE", 1)] {
        let server = Server::start([Keep(ok("1")), Close(vec![]), Keep(ok("2"))]);
        let plex = Plex::new(Options::default());
        ask_of(&plex, server.url(), json!({"path": "/"})).await.unwrap();
        let params = json!({"path": "/", "retries": retries, "method": method});
        let answer = ask_of(&plex, server.url(), params).await.unwrap();
        assert_eq!((body(&answer), answer.attempts), (json!(2), 1));
        let connections: Vec<_> = server.seen().iter().map(|seen| seen.connection).collect();
        assert_eq!(connections, [0, 0, 1]);
    }
}

#[tokio::test]
async fn what_changes_things_goes_out_once_where_the_call_has_no_retries() {
    for method in ["PUT", "DELETE"] {
        let server = Server::start([Keep(ok("1")), Close(vec![]), Keep(ok("2"))]);
        let plex = Plex::new(Options::default());
        ask_of(&plex, server.url(), json!({"path": "/"})).await.unwrap();
        let params = json!({"path": "/", "retries": 0, "method": method});
        let outcome = ask_of(&plex, server.url(), params).await;
        assert_eq!(kind(outcome), UnreachableKind::Closed, "{method}");
        let connections: Vec<_> = server.seen().iter().map(|seen| seen.connection).collect();
        assert_eq!(connections, [0, 1], "{method}");
    }
}

#[tokio::test]
async fn what_can_not_be_repeated_takes_a_new_connection() {
    let server = Server::start([Keep(ok("1")), Keep(ok("2")), Keep(ok("3"))]);
    let plex = Plex::new(Options::default());
    for method in ["GET", "POST", "PUT"] {
        ask_of(&plex, server.url(), json!({"path": "/", "method": method})).await.unwrap();
    }
    let connections: Vec<_> = server.seen().iter().map(|seen| seen.connection).collect();
    assert_eq!(connections, [0, 1, 0]);
}

fn to(location: &str) -> Reply {
    Keep(http("302 There", &format!("Location: {location}\r\n"), "{}"))
}

#[tokio::test]
async fn redirects_within_the_origin_keep_device_and_token() {
    let server = Server::start([
        to("/b"),
        to("c?X-Plex-Token=other&k=1"),
        to("/d"),
        to("/e"),
        to("/f"),
        Keep(ok("{}")),
    ]);
    let answer = ask(server.url(), json!({"path": "/a"})).await.unwrap();
    assert_eq!((answer.status, answer.attempts), (200, 1));
    assert_eq!(answer.url, format!("{}/f", server.url()));
    let seen = server.seen();
    let lines: Vec<_> = seen.iter().map(server::Seen::first_line).collect();
    assert_eq!(
        lines,
        ["/a", "/b", "/c?k=1", "/d", "/e", "/f"].map(|path| format!("GET {path} HTTP/1.1"))
    );
    for seen in seen {
        assert_eq!(seen.header("x-plex-token"), Some(TOKEN));
        assert_eq!(seen.header("x-plex-client-identifier"), Some("the-device"));
    }
}

#[tokio::test]
async fn the_sixth_redirect_is_the_answer() {
    let server = Server::start([to("/a"), to("/a"), to("/a"), to("/a"), to("/a"), to("/a")]);
    let answer = ask(server.url(), json!({"path": "/a"})).await.unwrap();
    assert_eq!((answer.status, server.seen().len()), (302, 6));
}

#[tokio::test]
async fn a_redirect_to_where_no_request_can_go_is_the_answer() {
    let server = Server::start([to(&format!("/{}", "a".repeat(70_000)))]);
    let answer = ask(server.url(), json!({"path": "/a"})).await.unwrap();
    assert_eq!((answer.status, server.seen().len()), (302, 1));
}

#[tokio::test]
async fn a_redirect_to_elsewhere_is_the_answer_and_sees_nothing() {
    let other = Server::start([]);
    let location = format!("{}/?X-Plex-Token={TOKEN}", other.url());
    let server = Server::start([to(&location)]);
    let answer = ask(server.url(), json!({"path": "/a"})).await.unwrap();
    assert_eq!(answer.status, 302);
    assert_eq!(answer.headers["location"], format!("{}/?X-Plex-Token=REDACTED", other.url()));
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn methods_and_bodies_of_redirects() {
    for (status, method, sent) in
        [(301, "GET", ""), (303, "GET", ""), (307, "POST", "x"), (308, "POST", "x")]
    {
        let reply = Keep(http(&format!("{status} There"), "Location: /b\r\n", ""));
        let server = Server::start([reply, Keep(ok("{}"))]);
        let params = json!({"path": "/a", "method": "POST", "body": "x"});
        ask(server.url(), params).await.unwrap();
        let seen = &server.seen()[1];
        assert_eq!(seen.first_line(), format!("{method} /b HTTP/1.1"), "{status}");
        assert_eq!(seen.body(), sent);
        assert_eq!(seen.header("content-length"), Some("1").filter(|_| !sent.is_empty()));
    }
}
