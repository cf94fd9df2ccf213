use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;

fn ask(tv: &FakePlexTv, method: &str, path: &str, token: &str) -> (u16, Value) {
    let mut socket = TcpStream::connect(tv.server.address()).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nAccept: application/json\r\nX-Plex-Client-Identifier: box\r\n\
         X-Plex-Token: {token}\r\nConnection: close\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn sign_in(tv: &FakePlexTv) -> String {
    let (status, pin) = ask(tv, "POST", "/api/v2/pins", "");
    assert_eq!((status, &pin["expiresIn"]), (201, &json!(900)));
    let path = format!("/api/v2/pins/{}", pin["id"]);
    assert_eq!(ask(tv, "GET", &path, "").1["authToken"], Value::Null);
    let code = pin["code"].as_str().unwrap();
    assert!(tv.claim(code, "alice") && !tv.claim(code, "alice"));
    ask(tv, "GET", &path, "").1["authToken"].as_str().unwrap().to_owned()
}

#[test]
fn a_claimed_code_gives_a_token_and_ends_the_one_before() {
    let tv = FakePlexTv::start();
    let first = sign_in(&tv);
    assert_eq!(ask(&tv, "GET", "/api/v2/user", &first).1["username"], "alice");
    let second = sign_in(&tv);
    assert_eq!(ask(&tv, "GET", "/api/v2/user", &first).0, 401);
    assert_eq!(ask(&tv, "GET", "/api/v2/user", &second).0, 200);
    assert_eq!(ask(&tv, "DELETE", "/api/v2/users/signout", &second).0, 204);
    assert_eq!(ask(&tv, "GET", "/api/v2/user", &second).0, 401);
}

#[test]
fn an_expired_code_is_one_that_nobody_knows() {
    let tv = FakePlexTv::start();
    let (_, pin) = ask(&tv, "POST", "/api/v2/pins", "");
    tv.expire(pin["code"].as_str().unwrap());
    let (status, body) = ask(&tv, "GET", &format!("/api/v2/pins/{}", pin["id"]), "");
    assert_eq!((status, &body["errors"][0]["code"]), (404, &json!(1020)));
}

#[test]
fn resources_and_devices_are_listed() {
    let (tv, plex) = (FakePlexTv::start(), crate::FakePlex::start());
    let token = tv.mint("alice", "box");
    let direct = "https://10-0-0-7.0123.plex.direct:32400";
    tv.set_resources(vec![Resource::of(&plex, "Attic").remote(direct)]);
    let (_, list) = ask(&tv, "GET", "/api/v2/resources?includeHttps=1", &token);
    assert_eq!(list[0]["connections"][0]["uri"], plex.url());
    assert_eq!(list[0]["connections"][1]["address"], "10.0.0.7");
    tv.add_device(DeviceRow::new([("id", "7"), ("name", "an \"odd\" <name>")]));
    assert_eq!(tv.devices().len(), 2);
    assert_eq!(ask(&tv, "GET", "/devices.xml", &token).0, 200);
    assert_eq!(ask(&tv, "DELETE", "/devices/7.xml", &token).0, 200);
    assert_eq!(ask(&tv, "DELETE", "/devices/7.xml", &token).0, 404);
}
