//! The account's servers: found without a typed address, proved before a token goes there, remembered, chosen, used.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;

use plexsync_harness::fake_plex_tv::Resource;
use plexsync_harness::http::Request;
use plexsync_harness::{FakePlex, FakePlexTv, Fault, Host, HostBuilder, RpcError, TlsSetup};
use serde_json::{Value, json};

use crate::host;

const SECTIONS: &str = "/library/sections";
const RESOURCES: &str = "/api/v2/resources";

pub(crate) fn at(tv: &FakePlexTv) -> HostBuilder {
    host().env("PLEXSYNC_PLEX_TV", tv.url()).env("PLEXSYNC_LOG", "trace")
}

/// A fake server with this identifier.
pub(crate) fn plex(machine: &str) -> FakePlex {
    let plex = FakePlex::start();
    plex.set_machine_identifier(machine);
    plex
}

fn secure_plex(machine: &str) -> FakePlex {
    let plex = FakePlex::start_tls(TlsSetup::PlexDirect);
    plex.set_machine_identifier(machine);
    plex
}

/// The authorities of these servers, in one file.
fn trusting(
    builder: HostBuilder,
    folder: &tempfile::TempDir,
    servers: &[&FakePlex],
) -> HostBuilder {
    let pem: String = servers.iter().filter_map(|plex| plex.ca_pem()).collect();
    let file: PathBuf = folder.path().join("authorities.pem");
    fs::write(&file, pem).unwrap();
    builder.env("PLEX_CA", file)
}

/// A port at which nothing listens.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn sign_in(host: &mut Host, tv: &FakePlexTv) {
    let code = host.call("auth.start", json!({})).unwrap()["user_code"].clone();
    assert!(tv.claim(code.as_str().unwrap(), "alice"));
    let done = host.call("auth.finish", json!({"timeout_ms": 25_000})).unwrap();
    assert_eq!(done["signed_in"], true);
}

/// Signed in, with these resources.
pub(crate) fn signed_in(tv: &FakePlexTv, builder: HostBuilder, resources: Vec<Resource>) -> Host {
    tv.set_resources(resources);
    let mut host = builder.start();
    sign_in(&mut host, tv);
    host
}

fn get(host: &mut Host, params: Value) -> Result<Value, RpcError> {
    let mut params = params;
    params["path"] = json!(params.get("path").and_then(Value::as_str).unwrap_or(SECTIONS));
    host.call("plex.request", params)
}

fn status(host: &mut Host, params: Value) -> Value {
    get(host, params).unwrap()["status"].clone()
}

/// How often plex.tv was asked for the servers since the sign-in, which asks once.
pub(crate) fn searches(tv: &FakePlexTv) -> usize {
    tv.requests_of("GET", RESOURCES).len() - 1
}

pub(crate) fn tokens(plex: &FakePlex) -> Vec<String> {
    let token = |request: &Request| request.header("X-Plex-Token").map(str::to_owned);
    plex.requests().iter().filter_map(token).collect()
}

fn asked_for_identity(plex: &FakePlex) -> usize {
    let requests = plex.requests();
    let identity = requests.iter().filter(|request| request.path() == "/identity");
    let as_nobody = |request: &&Request| {
        assert_eq!(request.header("X-Plex-Token"), None);
        assert_eq!(request.header("X-Plex-Product"), Some("PlexSync"), "with our identity");
    };
    identity.inspect(as_nobody).count()
}

fn server_file(host: &Host) -> Value {
    serde_json::from_str(&fs::read_to_string(host.data_dir().join("server.json")).unwrap()).unwrap()
}

/// No token of these is in what the worker said.
fn keeps_silent(host: &mut Host, tokens: &[&str]) {
    let log = host.stderr();
    for token in tokens {
        assert!(!log.contains(token), "a token in the log: {log}");
    }
}

#[test]
fn nothing_is_typed_and_the_server_is_found_proved_and_remembered() {
    let (tv, plex) = (FakePlexTv::start(), plex("m1"));
    let mut host = signed_in(&tv, at(&tv), vec![Resource::of(&plex, "Box")]);
    let answer = get(&mut host, json!({})).unwrap();
    assert_eq!(answer["status"], 200);
    assert_eq!(answer["url"], format!("{}{SECTIONS}", plex.url()));
    let seen = plex.requests();
    assert_eq!((seen.len(), seen[0].path()), (2, "/identity"));
    assert_eq!(seen[0].header("X-Plex-Token"), None);
    assert_eq!(seen[1].header("X-Plex-Token"), Some(plex.token().as_str()));
    let asked = &tv.requests_of("GET", RESOURCES)[1];
    assert!(asked.target.ends_with("?includeHttps=1&includeRelay=1&includeIPv6=1"));
    let stored = server_file(&host);
    assert_eq!(stored["automatic"], "m1");
    assert_eq!(stored["servers"]["m1"]["name"], "Box");
    assert_eq!(searches(&tv), 1);
    for _ in 0..2 {
        host.restart();
        plex.clear();
        assert_eq!([(); 2].map(|()| status(&mut host, json!({}))), [200, 200]);
        assert_eq!(asked_for_identity(&plex), 1, "proved once a process");
        assert_eq!(searches(&tv), 1, "the next process asks plex.tv nothing");
    }
    let identity = host.call("identity.get", json!({})).unwrap();
    let account = tv.token("alice", identity["device_id"].as_str().unwrap());
    let account = account.unwrap();
    let asked = tv.requests_of("GET", RESOURCES);
    assert!(asked.iter().all(|request| request.header("X-Plex-Token") == Some(account.as_str())));
    keeps_silent(&mut host, &[&plex.token(), &account]);
}

#[test]
fn a_plex_direct_certificate_is_proof_enough_for_the_next_process() {
    let (tv, plex, folder) = (FakePlexTv::start(), secure_plex("m1"), tempfile::tempdir().unwrap());
    let builder = trusting(at(&tv), &folder, &[&plex]);
    let mut host = signed_in(&tv, builder, vec![Resource::of(&plex, "Box")]);
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!(asked_for_identity(&plex), 1);
    host.restart();
    plex.clear();
    assert_eq!(status(&mut host, json!({})), 200);
    let seen = plex.requests();
    assert_eq!((seen.len(), seen[0].path()), (1, SECTIONS), "one request, nothing else");
    assert_eq!(searches(&tv), 1);
}

#[test]
fn no_token_goes_to_who_is_not_the_server() {
    let (tv, real) = (FakePlexTv::start(), plex("m1"));
    let liars: Vec<FakePlex> = (0..6).map(|_| plex("m1")).collect();
    liars[0].set_machine_identifier("m2");
    liars[5].fault(Fault::Redirect(302, "/elsewhere".to_owned()).always().on("/identity"));
    let real_one = json!({"MediaContainer": {"machineIdentifier": "m1"}}).to_string();
    liars[5].respond("/elsewhere", 200, &[("Content-Type", "application/json")], real_one);
    liars[1].fault(Fault::Redirect(302, format!("{}/identity", real.url())).always());
    let page = format!(
        "{{\"MediaContainer\":{{\"machineIdentifier\":\"m1\",\"x\":\"{}\"}}}}",
        "x".repeat(70_000)
    );
    liars[2].respond("/identity", 200, &[("Content-Type", "application/json")], page);
    liars[3].respond("/identity", 200, &[("Content-Type", "text/html")], "<html>m1</html>");
    liars[4].respond("/identity", 503, &[], "{\"MediaContainer\":{\"machineIdentifier\":\"m1\"}}");
    let resource = Resource::server("Box", "m1", &real.token());
    let resource = liars.iter().fold(resource, |resource, liar| resource.local(&liar.url()));
    let mut host = signed_in(&tv, at(&tv), vec![resource.remote(&real.url())]);
    assert_eq!(status(&mut host, json!({})), 200);
    for liar in &liars {
        assert_eq!(liar.requests().len(), asked_for_identity(liar), "nothing but the question");
        assert_eq!(tokens(liar), Vec::<String>::new());
    }
    assert_eq!(tokens(&real), [real.token()]);
}

#[test]
fn dead_slow_and_foreign_addresses_hold_nothing_up() {
    let (tv, real, slow) = (FakePlexTv::start(), plex("m1"), plex("m1"));
    slow.hold();
    let closed = closed_port();
    let resource = Resource::server("Box", "m1", &real.token())
        .local(&format!(
            "https://172-17-0-99.0123456789abcdef0123456789abcdef.plex.direct:{closed}"
        ))
        .local(&format!("https://127-0-0-1.0123456789abcdef0123456789abcdef.plex.direct:{closed}"))
        .local(&format!("https://[::1]:{closed}"))
        .local(&format!(
            "https://169-254-1-1.0123456789abcdef0123456789abcdef.plex.direct:{closed}"
        ))
        .remote("https://no-such-host.invalid:32400")
        .local(&slow.url())
        .remote(&real.url());
    let mut host = signed_in(&tv, at(&tv), vec![resource]);
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!(tokens(&slow), Vec::<String>::new());
}

#[test]
fn https_comes_before_plain_http_and_the_relay_is_last_and_not_remembered() {
    let (tv, folder) = (FakePlexTv::start(), tempfile::tempdir().unwrap());
    let (secure, relay, plain) = (secure_plex("m1"), secure_plex("m1"), plex("m1"));
    for server in [&secure, &relay] {
        server.allow_token(&plain.token());
    }
    let builder = trusting(at(&tv), &folder, &[&secure, &relay]);
    let resource =
        Resource::server("Box", "m1", &plain.token()).local(&plain.url()).relay(&relay.url());
    let mut host = signed_in(&tv, builder, vec![resource.clone().remote(&secure.url())]);
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!((plain.requests().len(), relay.requests().len()), (0, 0), "not even asked");
    assert_eq!(tokens(&secure), [plain.token()]);

    tv.set_resources(vec![resource.clone()]);
    host.call("server.choose", json!({"server": "box"})).unwrap();
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!((tokens(&plain).len(), relay.requests().len()), (1, 0));

    drop(plain);
    let before = searches(&tv);
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!(tokens(&relay).len(), 1);
    assert_eq!(server_file(&host)["servers"]["m1"]["uri"], Value::Null);
    host.restart();
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!(searches(&tv), before + 2, "each process looks for something better");
}

#[test]
fn a_shared_server_gets_its_own_token_and_its_local_addresses_are_somebody_elses() {
    let (tv, shared, container) = (FakePlexTv::start(), plex("m1"), plex("m1"));
    let mut resource = Resource::server("Eve's", "m1", "x").shared(&shared.shared_token());
    resource.public_address_matches = false;
    let resource = resource.local(&container.url()).remote(&shared.url());
    let mut host = signed_in(&tv, at(&tv), vec![resource]);
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!(tokens(&shared), [shared.shared_token()]);
    assert!(container.requests().is_empty());
}

#[test]
fn a_server_that_moved_is_found_within_the_call() {
    let tv = FakePlexTv::start();
    for (method, attempts) in [("GET", Some(2)), ("PUT", Some(2)), ("POST", None)] {
        let (first, second) = (plex("m1"), plex("m1"));
        second.allow_token(&first.token());
        let resource =
            |plex: &FakePlex| Resource::server("Box", "m1", &first.token()).local(&plex.url());
        let mut host = signed_in(&tv, at(&tv), vec![resource(&first)]);
        assert_eq!(status(&mut host, json!({})), 200);
        tv.set_resources(vec![resource(&second)]);
        let token = first.token();
        drop(first);
        let moved = get(&mut host, json!({"method": method, "path": "/:/prefs"}));
        match attempts {
            Some(attempts) => assert_eq!(moved.unwrap()["attempts"], attempts, "{method}"),
            None => assert_eq!(moved.unwrap_err().code, -32010, "a POST is never sent twice"),
        }
        assert_eq!(status(&mut host, json!({})), 200, "{method}: the way was remembered");
        assert!(tokens(&second).iter().all(|seen| *seen == token));
        assert_eq!(second.requests()[0].path(), "/identity");
    }
}

#[test]
fn without_retries_the_next_call_has_the_new_way() {
    let (tv, first, second) = (FakePlexTv::start(), plex("m1"), plex("m1"));
    let resource =
        |plex: &FakePlex| Resource::server("Box", "m1", &second.token()).local(&plex.url());
    first.allow_token(&second.token());
    let mut host = signed_in(&tv, at(&tv), vec![resource(&first)]);
    assert_eq!(status(&mut host, json!({})), 200);
    tv.set_resources(vec![resource(&second)]);
    drop(first);
    assert_eq!(get(&mut host, json!({"retries": 0})).unwrap_err().code, -32010);
    assert_eq!(status(&mut host, json!({"retries": 0})), 200);
}

#[test]
fn a_search_in_vain_is_not_repeated_for_a_minute_unless_the_user_looks() {
    let (tv, gone) = (FakePlexTv::start(), plex("m1"));
    let resource = Resource::of(&gone, "Box");
    let mut host = signed_in(&tv, at(&tv), vec![resource.clone()]);
    assert_eq!(status(&mut host, json!({})), 200);
    drop(gone);
    let error = get(&mut host, json!({})).unwrap_err();
    assert_eq!((error.code, error.datum("kind").as_str()), (-32010, Some("connect")), "{error}");
    assert_eq!(searches(&tv), 2);
    for _ in 0..3 {
        host.restart();
        assert_eq!(get(&mut host, json!({})).unwrap_err().code, -32010);
    }
    assert_eq!(searches(&tv), 2, "a pause, across processes");
    let listed = host.call("server.list", json!({})).unwrap();
    assert_eq!(listed["servers"][0]["name"], "Box");
    assert_eq!(get(&mut host, json!({})).unwrap_err().code, -32010);
    assert_eq!(searches(&tv), 4, "the list, and a search of its own");
    let error = host.call("server.choose", json!({"server": "Box"})).unwrap_err();
    assert_eq!(error.code, -32010);
    assert_eq!(server_file(&host)["chosen"], Value::Null, "nothing is remembered");
}

#[test]
fn a_401_asks_for_the_token_again_once() {
    let (tv, plex) = (FakePlexTv::start(), plex("m1"));
    let stale = "a-token-that-was-revoked";
    let resource = |token: &str| Resource::server("Box", "m1", token).local(&plex.url());
    let mut host = signed_in(&tv, at(&tv), vec![resource(stale)]);
    host.call("server.choose", json!({"server": "Box"})).unwrap();
    tv.set_resources(vec![resource(&plex.token())]);
    let before = searches(&tv);
    // Whatever its method.
    let renewed = get(&mut host, json!({"method": "PUT", "path": "/:/prefs", "retries": 0}));
    assert_eq!(renewed.unwrap()["status"], 200);
    assert_eq!(tokens(&plex), [stale.to_owned(), plex.token()]);
    assert_eq!(searches(&tv), before + 1);

    tv.set_resources(vec![resource(stale)]);
    host.call("server.choose", json!({"server": "Box"})).unwrap();
    let before = searches(&tv);
    for _ in 0..3 {
        assert_eq!(status(&mut host, json!({})), 401, "it stands");
        host.restart();
    }
    assert_eq!(searches(&tv), before + 1);
    keeps_silent(&mut host, &[stale, &plex.token()]);

    // Another one that is no good either: asked once a call.
    host.call("server.choose", json!({"server": "Box"})).unwrap();
    tv.set_resources(vec![resource("another-that-was-revoked")]);
    let before = searches(&tv);
    assert_eq!(status(&mut host, json!({})), 401);
    assert_eq!(searches(&tv), before + 1);
}

#[test]
fn a_server_is_named_by_the_call() {
    let (tv, one, other) = (FakePlexTv::start(), plex("m1"), plex("m2"));
    let resources = vec![Resource::of(&one, "Box"), Resource::of(&other, "Attic")];
    let mut host = at(&tv).start();
    let error = get(&mut host, json!({"server": "Box"})).unwrap_err();
    assert_eq!((error.code, error.datum("missing")), (-32014, &json!("token")), "{error}");
    let error = get(&mut host, json!({"server": "192.168.1.5:32400"})).unwrap_err();
    assert!(error.code == -32602 && error.message.contains("http://"), "{error}");
    tv.set_resources(resources);
    sign_in(&mut host, &tv);
    for name in ["ATTIC", "m2"] {
        assert_eq!(status(&mut host, json!({"server": name})), 200, "{name}");
    }
    assert_eq!(tokens(&other), [other.token(), other.token()]);
    assert!(tokens(&one).is_empty());
    let error = get(&mut host, json!({"server": "cellar"})).unwrap_err();
    assert_eq!((error.code, error.datum("pointer")), (-32602, &json!("/server")), "{error}");
    assert_eq!(
        error.datum("servers")[1],
        json!({"name": "Attic", "machine_identifier": "m2", "owned": true})
    );
    let error = get(&mut host, json!({"server": "nas:32400"})).unwrap_err();
    assert!(error.code == -32602 && error.message.contains("http://"), "{error}");
    // An own token beats the account's, and an empty one sends none; plex.tv has no better one to offer.
    let before = searches(&tv);
    assert_eq!(status(&mut host, json!({"server": "Attic", "token": "an-own-token"})), 401);
    assert_eq!(status(&mut host, json!({"server": "Attic", "token": ""})), 401);
    assert_eq!(tokens(&other).last().unwrap(), "an-own-token");
    assert_eq!(searches(&tv), before);
}

#[test]
fn of_several_servers_one_is_chosen() {
    let (tv, one, other) = (FakePlexTv::start(), plex("m1"), plex("m2"));
    let resources = vec![Resource::of(&one, "Box"), Resource::of(&other, "Attic")];
    let mut host = signed_in(&tv, at(&tv), resources);
    let error = get(&mut host, json!({})).unwrap_err();
    assert_eq!((error.code, error.datum("missing")), (-32014, &json!("server")), "{error}");
    assert_eq!(error.datum("servers").as_array().unwrap().len(), 2);
    assert!(error.message.contains("`Box`, `Attic`"), "{error}");
    let chosen = host.call("server.choose", json!({"server": "attic"})).unwrap();
    assert_eq!((&chosen["name"], &chosen["uri"]), (&json!("Attic"), &json!(other.url())));
    assert_eq!((&chosen["chosen"], &chosen["in_use"]), (&json!(true), &json!(true)));
    host.restart();
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!(tokens(&other), [other.token()]);
    let named = at(&tv).data_dir(host.data_dir());
    for (builder, plex) in [
        (named.clone().arg("--plex-server").arg("box"), &one),
        (named.clone().env("PLEXSYNC_PLEX_SERVER", "m1"), &one),
        (
            named.clone().arg("--plex-server").arg("Attic").env("PLEXSYNC_PLEX_SERVER", "Box"),
            &other,
        ),
    ] {
        plex.clear();
        let mut host = builder.start();
        assert_eq!(status(&mut host, json!({})), 200);
        assert_eq!(tokens(plex), [plex.token()]);
    }
    let mut host = named.clone().env("PLEXSYNC_PLEX_SERVER", "box").start();
    let weak = host.call("server.choose", json!({"server": "m2"})).unwrap();
    assert!(weak["warning"].as_str().unwrap().contains("`PLEXSYNC_PLEX_SERVER`"), "{weak}");
    let mut host = named.env("PLEXSYNC_PLEX_SERVER", "cellar").start();
    let error = get(&mut host, json!({})).unwrap_err();
    assert_eq!((error.code, error.datum("missing")), (-32014, &json!("server")), "{error}");
    assert!(error.message.contains("`PLEXSYNC_PLEX_SERVER`"), "{error}");
    let error = host.call("server.choose", json!({"server": "cellar"})).unwrap_err();
    assert_eq!((error.code, error.datum("servers").as_array().unwrap().len()), (-32602, 2));
}

#[test]
fn a_configured_url_borrows_the_token_of_the_server_that_is_there() {
    let (tv, mine) = (FakePlexTv::start(), plex("m1"));
    let builder = at(&tv).env("PLEX_URL", mine.url());
    let mut host = signed_in(&tv, builder, vec![Resource::server("Box", "m1", &mine.token())]);
    for _ in 0..2 {
        assert_eq!(status(&mut host, json!({})), 200);
    }
    assert_eq!(asked_for_identity(&mine), 1);
    assert_eq!(tokens(&mine), [mine.token(), mine.token()]);
    assert_eq!(searches(&tv), 1);
    host.restart();
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!((asked_for_identity(&mine), searches(&tv)), (2, 1));
    mine.clear();
    assert_eq!(status(&mut host, json!({"token": ""})), 401);
    let foreign = get(&mut host, json!({"server": "http://127.0.0.1:1"})).unwrap_err();
    assert_eq!((foreign.code, foreign.datum("missing")), (-32014, &json!("token")));
    assert_eq!(status(&mut host, json!({"server": mine.url()})), 401, "never for a call's server");
    assert_eq!((mine.requests().len(), tokens(&mine)), (2, Vec::new()));
}

#[test]
fn a_configured_url_of_another_machine_borrows_nothing() {
    let (tv, foreign) = (FakePlexTv::start(), plex("m2"));
    let builder = at(&tv).env("PLEX_URL", foreign.url());
    let mut host = signed_in(&tv, builder, vec![Resource::server("Box", "m1", "a-token-of-box")]);
    let answer = get(&mut host, json!({})).unwrap();
    assert_eq!(answer["status"], 401);
    assert!(
        answer["warning"].as_str().unwrap().contains("none of the account's servers"),
        "{answer}"
    );
    for (method, params) in
        [("plex.find", json!({"path": "/m/a.mkv"})), ("plex.scan", json!({"folder": "/m"}))]
    {
        let refused = host.call(method, params).unwrap_err();
        assert!(refused.message.contains("so no token is sent to it"), "{refused}");
    }
    assert!(tokens(&foreign).is_empty());
    let sections = json!({"MediaContainer": {"Directory": [
        {"key": "1", "type": "movie", "Location": [{"path": "/m"}]}]}});
    let open = [("Content-Type", "application/json")];
    let open = plexsync_harness::Fault::answer(200, &open, sections.to_string());
    foreign.fault(open.always().on("/library/sections"));
    for (method, params) in
        [("plex.find", json!({"path": "/m/a.mkv"})), ("plex.scan", json!({"folder": "/m"}))]
    {
        let told = host.call(method, params).unwrap();
        let warning = told["warning"].as_str().unwrap_or_default();
        assert!(warning.contains("so no token is sent to it"), "{method}: {told}");
    }
    foreign.no_faults();
    let before = searches(&tv);
    host.restart();
    assert_eq!(status(&mut host, json!({})), 401);
    assert_eq!(searches(&tv), before, "not asked for a minute");
    drop(foreign);
    host.restart();
    assert_eq!(get(&mut host, json!({})).unwrap_err().code, -32010, "that error");
}

#[test]
fn nobody_is_asked_where_nobody_is_signed_in() {
    let (tv, plex) = (FakePlexTv::start(), plex("m1"));
    let mut host = at(&tv).env("PLEX_URL", plex.url()).start();
    assert_eq!(status(&mut host, json!({})), 401);
    assert_eq!((plex.requests().len(), tv.requests().len()), (1, 0));
    let mut bare = at(&tv).start();
    let error = get(&mut bare, json!({})).unwrap_err();
    assert_eq!((error.code, error.datum("missing")), (-32014, &json!("server")));
    assert!(error.message.contains("auth.start") && error.message.contains("PLEX_URL"), "{error}");
    let error = bare.call("server.list", json!({})).unwrap_err();
    assert_eq!((error.code, error.datum("missing")), (-32014, &json!("token")));
    assert_eq!(tv.requests().len(), 0);
}

#[test]
fn a_sign_in_of_another_device_or_another_plex_tv_is_not_used() {
    let (tv, elsewhere, plex) = (FakePlexTv::start(), FakePlexTv::start(), plex("m1"));
    let mut host = signed_in(&tv, at(&tv), vec![Resource::of(&plex, "Box")]);
    assert_eq!(status(&mut host, json!({})), 200);
    let mut other = at(&elsewhere).data_dir(host.data_dir()).start();
    let error = get(&mut other, json!({})).unwrap_err();
    assert_eq!((error.code, error.datum("missing")), (-32014, &json!("token")), "{error}");
    assert!(elsewhere.requests().is_empty());
    plex.clear();
    host.call("identity.reset", json!({})).unwrap();
    let error = get(&mut host, json!({})).unwrap_err();
    assert_eq!((error.code, error.datum("missing")), (-32014, &json!("token")), "{error}");
    assert!(error.message.contains("device"), "{error}");
    assert!(plex.requests().is_empty());
}

#[test]
fn a_token_without_a_url_goes_to_the_accounts_server() {
    let (tv, plex) = (FakePlexTv::start(), plex("m1"));
    let builder = at(&tv).token(&plex.token());
    let mut host = signed_in(
        &tv,
        builder,
        vec![Resource::server("Box", "m1", "an-account-token").local(&plex.url())],
    );
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!(tokens(&plex), [plex.token()]);
}

#[test]
fn a_refused_token_is_blamed_on_who_gave_it() {
    let (tv, plex) = (FakePlexTv::start(), plex("m1"));
    let resources = |token: &str| vec![Resource::server("Box", "m1", token).local(&plex.url())];
    let scan = |host: &mut Host| {
        let refused = host.call("plex.scan", json!({"folder": "/media/movies/Heat"}));
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, -32013, "{refused}");
        refused.to_string()
    };
    let mut own = signed_in(&tv, at(&tv).token("a-bad-token"), resources(&plex.token()));
    let told = scan(&mut own);
    assert!(told.contains("check the token") && !told.contains("account"), "{told}");
    let mut lent = signed_in(&tv, at(&tv), resources("a-token-that-was-revoked"));
    let told = scan(&mut lent);
    assert!(told.contains("`Box` does not take the account's token"), "{told}");
}

#[test]
fn a_scan_and_all_pages_go_to_the_accounts_server() {
    let (tv, plex) = (FakePlexTv::start(), plex("m1"));
    let mut host = signed_in(&tv, at(&tv), vec![Resource::of(&plex, "Box")]);
    plex.set_items("1", 250);
    let listed =
        get(&mut host, json!({"path": "/library/sections/1/all", "all_pages": true})).unwrap();
    assert_eq!(listed["body"]["MediaContainer"]["size"], 250);
    let sections = get(&mut host, json!({})).unwrap();
    let location =
        sections["body"]["MediaContainer"]["Directory"][0]["Location"][0]["path"].clone();
    let scanned = host.call("plex.scan", json!({"folder": location})).unwrap();
    assert_eq!((&scanned["outcome"], plex.scans().is_empty()), (&json!("asked"), false));
    assert_eq!((searches(&tv), asked_for_identity(&plex)), (1, 1));
}

#[test]
fn scans_and_finds_take_a_server_too() {
    let (tv, one, other) = (FakePlexTv::start(), plex("m1"), plex("m2"));
    let resources = vec![Resource::of(&one, "Box"), Resource::of(&other, "Attic")];
    let builder = at(&tv).env("PLEX_URL", one.url()).token(&one.token());
    let mut host = signed_in(&tv, builder, resources);
    let found = host.call("plex.find", json!({"path": "/media/movies/a.mkv", "server": "attic"}));
    assert_eq!(found.unwrap()["missing"], json!(["/media/movies/a.mkv"]));
    let scan = |host: &mut Host, server: &str| {
        host.call("plex.scan", json!({"folder": "/media/movies/Heat", "server": server}))
    };
    assert_eq!(scan(&mut host, "ATTIC").unwrap()["outcome"], "asked");
    assert!(one.requests().is_empty() && !other.scans().is_empty());
    assert_eq!(scan(&mut host, &one.url()).unwrap()["outcome"], "asked");
    let foreign = scan(&mut host, &other.url()).unwrap_err();
    assert_eq!((foreign.code, foreign.datum("missing")), (-32014, &json!("token")), "{foreign}");
    let unknown = scan(&mut host, "cellar").unwrap_err();
    assert_eq!((unknown.code, unknown.datum("servers").as_array().unwrap().len()), (-32602, 2));
    assert!(tokens(&one).iter().all(|token| *token == one.token()));
    assert!(tokens(&other).iter().all(|token| *token == other.token()));
    let params = json!({"path": "/media/movies/Heat/Heat.mkv", "server": "m2", "wait_ms": 300});
    assert_eq!(host.call("plex.scan", params).unwrap()["waited"], "timeout");
    let streams: Vec<_> =
        other.requests().into_iter().filter(|it| it.path().contains("eventsource")).collect();
    assert_eq!(streams.len(), 1, "the events come from the same server");
    assert_eq!(streams[0].header("X-Plex-Token"), Some(other.token().as_str()));
}

#[test]
fn many_calls_at_once_are_one_search() {
    let (tv, plex) = (FakePlexTv::start(), plex("m1"));
    let mut host = signed_in(&tv, at(&tv), vec![Resource::of(&plex, "Box")]);
    let calls: Vec<_> =
        (0..20).map(|_| host.start_call("plex.request", json!({"path": SECTIONS}))).collect();
    for call in calls {
        assert_eq!(host.wait(call).unwrap()["status"], 200);
    }
    assert_eq!(searches(&tv), 1);
}

#[test]
fn the_list_shows_what_can_be_reached_and_controls_no_terminal() {
    let (tv, plex, liar) = (FakePlexTv::start(), plex("m1"), plex("m9"));
    // Names and addresses that hold a token, even with something between its letters.
    let token = plex.token();
    let (half, rest) = token.split_at(8);
    let name = format!("B\u{1b}[31mox {half}\u{1b}{rest}");
    let odd = format!("http://h.invalid/?t={}\u{1b}[2J", plex.token());
    let box_ = Resource::of(&plex, &name).remote(&liar.url()).remote(&odd);
    let attic =
        Resource::server("Attic", "m2", "another-server-token").shared("a-guest-token-there");
    let mut host = signed_in(&tv, at(&tv), vec![box_, attic]);
    let listed = host.call("server.list", json!({})).unwrap();
    let first = &listed["servers"][0];
    assert_eq!(first["name"], "B[31mox REDACTED");
    assert_eq!(first["connections"][2]["uri"], "http://h.invalid/?t=REDACTED[2J");
    assert_eq!(
        (&first["owned"], &first["in_use"], &first["chosen"]),
        (&json!(true), &json!(true), &json!(false))
    );
    assert_eq!(first["connections"][0], json!({"uri": plex.url(), "local": true, "relay": false}));
    assert_eq!(listed["servers"][1]["in_use"], false);
    let probed = host.call("server.list", json!({"probe": true})).unwrap();
    let [good, bad] = [0, 1].map(|place| probed["servers"][0]["connections"][place].clone());
    assert_eq!(good["reachable"], true);
    assert_eq!(bad["reachable"], false);
    assert!(bad["problem"].as_str().unwrap().contains("is not this server"), "{bad}");
    assert!(tokens(&plex).is_empty() && tokens(&liar).is_empty());
    for text in [listed.to_string(), probed.to_string()] {
        for token in
            [plex.token(), "another-server-token".to_owned(), "a-guest-token-there".to_owned()]
        {
            assert!(!text.contains(&token), "{text}");
        }
    }
}

#[test]
fn a_remembered_address_that_is_another_servers_now_gets_no_token() {
    let (tv, old, new) = (FakePlexTv::start(), plex("m1"), plex("m1"));
    let resource = |plex: &FakePlex| Resource::server("Box", "m1", &new.token()).local(&plex.url());
    old.allow_token(&new.token());
    let mut host = signed_in(&tv, at(&tv), vec![resource(&old)]);
    assert_eq!(status(&mut host, json!({})), 200);
    old.set_machine_identifier("m2");
    old.clear();
    tv.set_resources(vec![resource(&new)]);
    host.restart();
    // Not sent before, so it is sent once: no retry is needed.
    assert_eq!(status(&mut host, json!({"retries": 0, "method": "PUT", "path": "/:/prefs"})), 200);
    assert_eq!((asked_for_identity(&old), tokens(&old)), (1, Vec::new()));
    assert_eq!(tokens(&new), [new.token()]);
}

#[test]
fn a_named_host_over_plain_http_is_held_to_its_address() {
    let (tv, mine) = (FakePlexTv::start(), plex("m1"));
    let named = format!("http://localhost:{}", mine.port());
    let resource = Resource::server("Box", "m1", &mine.token());
    let mut lent = signed_in(&tv, at(&tv).env("PLEX_URL", &named), vec![resource.clone()]);
    let mut found = signed_in(&tv, at(&tv), vec![resource.remote(&named)]);
    for host in [&mut lent, &mut found] {
        mine.clear();
        let answer = get(host, json!({})).unwrap();
        assert_eq!(answer["status"], 200);
        assert!(answer["url"].as_str().unwrap().starts_with(&mine.url()), "{answer}");
        let request = mine.requests().pop().unwrap();
        assert_eq!(request.header("Host"), Some(&named["http://".len()..]));
        assert_eq!(tokens(&mine), [mine.token()]);
    }
}

#[test]
fn a_configured_https_url_borrows_too() {
    let (tv, mine, folder) = (FakePlexTv::start(), secure_plex("m1"), tempfile::tempdir().unwrap());
    let builder = trusting(at(&tv), &folder, &[&mine]).env("PLEX_URL", mine.url());
    let mut host = signed_in(&tv, builder, vec![Resource::server("Box", "m1", &mine.token())]);
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!((asked_for_identity(&mine), tokens(&mine).len()), (1, 1));
}

#[test]
fn the_cache_may_be_torn_or_in_the_way() {
    let (tv, plex) = (FakePlexTv::start(), plex("m1"));
    let mut host = signed_in(&tv, at(&tv), vec![Resource::of(&plex, "Box")]);
    let file = host.data_dir().join("server.json");
    fs::write(&file, "{\"device_id\": \"x").unwrap();
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!(server_file(&host)["servers"]["m1"]["name"], "Box");
    assert!(host.stderr().contains("server.json"), "a warning says what was lost");
    let of_another =
        fs::read_to_string(&file).unwrap().replacen("device_id\": \"", "device_id\": \"x", 1);
    fs::write(&file, of_another).unwrap();
    let before = searches(&tv);
    assert_eq!(status(&mut host, json!({})), 200);
    assert_eq!(searches(&tv), before + 1, "tokens of another device are not used");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_eq!(status(&mut host, json!({})), 200, "without it");
    fs::remove_dir(&file).unwrap();
    let account = host.data_dir().join("account.json");
    fs::remove_file(&account).unwrap();
    fs::create_dir(&account).unwrap();
    let error = get(&mut host, json!({})).unwrap_err();
    assert_eq!((error.code, error.datum("missing")), (-32014, &json!("token")), "{error}");
    assert!(error.datum("path").as_str().unwrap().ends_with("account.json"));
}

#[test]
fn after_a_sign_out_nothing_is_left_to_use() {
    let (tv, plex) = (FakePlexTv::start(), plex("m1"));
    let mut host = signed_in(&tv, at(&tv), vec![Resource::of(&plex, "Box")]);
    assert_eq!(status(&mut host, json!({})), 200);
    host.call("auth.logout", json!({})).unwrap();
    plex.clear();
    let error = get(&mut host, json!({})).unwrap_err();
    assert_eq!((error.code, error.datum("missing")), (-32014, &json!("server")));
    assert!(plex.requests().is_empty() && !host.data_dir().join("server.json").exists());
}

#[test]
fn plex_tv_that_is_away_is_no_answer_of_plex() {
    let (tv, plex) = (FakePlexTv::start(), plex("m1"));
    let mut host = signed_in(&tv, at(&tv), vec![Resource::of(&plex, "Box")]);
    tv.fault(Fault::Maintenance.always());
    let error = get(&mut host, json!({})).unwrap_err();
    assert_eq!(error.code, -32010, "{error}");
    let error = host.call("server.list", json!({})).unwrap_err();
    assert_eq!((error.code, error.datum("status")), (-32013, &json!(503)), "{error}");
    tv.no_faults();
    assert_eq!(status(&mut host, json!({})), 200);
    let identity = host.call("identity.get", json!({})).unwrap();
    tv.revoke(&tv.token("alice", identity["device_id"].as_str().unwrap()).unwrap());
    assert_eq!(status(&mut host, json!({})), 200, "the way is known");
    let error = get(&mut host, json!({"server": "Attic"})).unwrap_err();
    assert_eq!((error.code, error.datum("missing")), (-32014, &json!("token")), "{error}");
}

#[test]
fn a_search_in_vain_is_remembered_where_nothing_was_known_before() {
    let (tv, gone) = (FakePlexTv::start(), plex("m1"));
    let resource = Resource::of(&gone, "Box");
    drop(gone);
    let mut host = signed_in(&tv, at(&tv), vec![resource]);
    for _ in 0..3 {
        assert_eq!(get(&mut host, json!({})).unwrap_err().code, -32010);
        host.restart();
    }
    assert_eq!(searches(&tv), 1, "a pause, across processes");
}

#[test]
fn a_search_that_ended_with_the_calls_time_was_in_vain() {
    let (tv, plex) = (FakePlexTv::start(), plex("m1"));
    let mut host = signed_in(&tv, at(&tv), vec![Resource::of(&plex, "Box")]);
    assert_eq!(status(&mut host, json!({})), 200);
    plex.hold();
    tv.hold_on(RESOURCES);
    for _ in 0..3 {
        host.restart();
        let error = get(&mut host, json!({"timeout_ms": 4000})).unwrap_err();
        assert_eq!((error.code, error.datum("kind")), (-32010, &json!("connect")), "{error}");
    }
    assert_eq!(searches(&tv), 2, "a pause, across processes");
}

#[test]
fn a_configured_url_asks_plex_tv_that_is_away_once_a_minute() {
    let (tv, mine) = (FakePlexTv::start(), plex("m1"));
    let builder = at(&tv).env("PLEX_URL", mine.url());
    let mut host = signed_in(&tv, builder, vec![Resource::server("Box", "m1", &mine.token())]);
    tv.fault(Fault::answer(503, &[], "").on(RESOURCES).always());
    assert_eq!(get(&mut host, json!({})).unwrap_err().code, -32010);
    let before = searches(&tv);
    host.restart();
    let answer = get(&mut host, json!({})).unwrap();
    let warning = answer["warning"].as_str().unwrap();
    assert!(warning.contains("a minute ago") && !warning.contains("none of"), "{warning}");
    assert_eq!(searches(&tv), before, "not asked for a minute");
}

#[test]
fn a_choice_that_can_t_be_stored_is_not_said_to_be_one() {
    let (tv, one, other) = (FakePlexTv::start(), plex("m1"), plex("m2"));
    let resources = vec![Resource::of(&one, "Box"), Resource::of(&other, "Attic")];
    let mut host = signed_in(&tv, at(&tv), resources);
    fs::create_dir(host.data_dir().join("server.json")).unwrap();
    let chosen = host.call("server.choose", json!({"server": "Attic"})).unwrap();
    assert_eq!((&chosen["chosen"], &chosen["in_use"]), (&json!(false), &json!(false)), "{chosen}");
    let warning = chosen["warning"].as_str().unwrap();
    assert!(warning.contains("`server.json`"), "{warning}");
    fs::remove_dir(host.data_dir().join("server.json")).unwrap();
    let chosen = host.call("server.choose", json!({"server": "Attic"})).unwrap();
    assert_eq!((&chosen["chosen"], chosen.get("warning")), (&json!(true), None), "{chosen}");
}
