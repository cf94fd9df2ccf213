//! Signed in with four characters: through kills, races, expiry, portals and lost connections, and out again.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use plexsync_harness::fake_plex_tv::{Resource, plex_tv_error, portal};
use plexsync_harness::{FakePlexTv, Fault, Host, HostBuilder};
use serde_json::{Value, json};

use crate::host;

/// Long enough for a busy machine, and no test waits for its end.
const LONG: u64 = 25_000;

fn at(tv: &FakePlexTv) -> HostBuilder {
    host().env("PLEXSYNC_PLEX_TV", tv.url())
}

/// One more process with the same data folder.
fn beside(host: &Host, tv: &FakePlexTv) -> Host {
    at(tv).data_dir(host.data_dir()).start()
}

fn start(host: &mut Host) -> Value {
    host.call("auth.start", json!({})).unwrap()
}

fn code(host: &mut Host) -> String {
    start(host)["user_code"].as_str().unwrap().to_owned()
}

fn finish(host: &mut Host) -> Value {
    host.call("auth.finish", json!({"timeout_ms": LONG})).unwrap()
}

fn state(host: &mut Host) -> String {
    let status = host.call("auth.status", json!({})).unwrap();
    status["token_state"].as_str().unwrap().to_owned()
}

/// Why a sign-in was not completed.
fn incomplete(host: &mut Host) -> String {
    let error = host.call("auth.finish", json!({"timeout_ms": LONG})).unwrap_err();
    assert_eq!(error.code, -32015, "{error}");
    error.datum("reason").as_str().unwrap().to_owned()
}

fn signed_in(tv: &FakePlexTv) -> Host {
    let mut host = at(tv).start();
    let code = code(&mut host);
    assert!(tv.claim(&code, "alice"));
    assert_eq!(finish(&mut host)["signed_in"], true);
    host
}

fn files(folder: &Path) -> Vec<&str> {
    let names = ["account.json", "sign_in.json", "server.json"];
    names.into_iter().filter(|name| folder.join(name).exists()).collect()
}

#[test]
fn four_letters_sign_in() {
    let tv = FakePlexTv::start();
    tv.set_resources(vec![
        Resource::server("Attic", "m1", "a-server-token-of-attic"),
        Resource { provides: "client,player".to_owned(), ..Resource::server("Phone", "p", "x") },
        Resource::server("Friend's", "m2", "x").shared("a-guest-token-at-friends"),
    ]);
    let mut host = at(&tv).start();
    let begun = start(&mut host);
    let code = begun["user_code"].as_str().unwrap();
    assert_eq!(begun["verification_uri"], "https://plex.tv/link");
    assert_eq!(begun["verification_uri_complete"], format!("https://plex.tv/link/?pin={code}"));
    assert!((895..=900).contains(&begun["expires_in"].as_u64().unwrap()), "{begun}");
    assert_eq!(begun.get("pending"), None);
    let not_yet = host.call("auth.finish", json!({"timeout_ms": 300})).unwrap();
    assert_eq!(not_yet, json!({"signed_in": false, "expires_at": begun["expires_at"]}));
    assert!(tv.claim(code, "alice@example.com"));
    let done = finish(&mut host);
    let account = json!({"id": 1017, "username": "alice", "title": "alice"});
    let expected = json!({"signed_in": true, "account": account, "servers": ["Attic", "Friend's"]});
    assert_eq!(done, expected);
    host.restart();
    assert_eq!(finish(&mut host), expected, "it can be asked again");
    assert_eq!(start(&mut host), json!({"signed_in": true, "account": account}));
    let status = host.call("auth.status", json!({})).unwrap();
    assert_eq!((&status["signed_in"], &status["token_state"]), (&json!(true), &json!("valid")));
    assert_eq!(status["account"], account);
    assert_eq!(files(&host.data_dir()), ["account.json"]);
    assert_eq!(tv.requests_of("POST", "/api/v2/pins").len(), 1);
    let asked = tv.requests_of("GET", "/api/v2/pins/");
    assert!(asked.iter().all(|request| request.header("X-Plex-Token").is_none()));
}

#[test]
fn a_code_is_told_again_until_it_is_entered_by_whatever_process() {
    let tv = FakePlexTv::start();
    let mut first = at(&tv).start();
    let told = start(&mut first);
    first.kill();
    let mut second = beside(&first, &tv);
    let again = start(&mut second);
    assert_eq!((&again["user_code"], &again["pending"]), (&told["user_code"], &json!(true)));
    assert_eq!(again["expires_at"], told["expires_at"]);
    assert_eq!(tv.requests_of("GET", "/api/v2/pins/").len(), 1, "asked about once");
    tv.fault(Fault::CloseWithoutAnswer);
    assert_eq!(start(&mut second)["user_code"], told["user_code"], "no answer: told again");
    assert!(tv.claim(told["user_code"].as_str().unwrap(), "alice"));
    let done = start(&mut second);
    assert_eq!((&done["signed_in"], &done["servers"]), (&json!(true), &json!([])));
    assert!(done["warning"].as_str().unwrap().contains("own"), "{done}");
    assert_eq!(tv.requests_of("POST", "/api/v2/pins").len(), 1);
}

#[test]
fn eight_processes_that_begin_together_tell_one_code() {
    let tv = FakePlexTv::start();
    let first = at(&tv).start();
    let mut hosts: Vec<Host> = (0..8).map(|_| beside(&first, &tv)).collect();
    let calls: Vec<_> =
        hosts.iter_mut().map(|host| host.start_call("auth.start", json!({}))).collect();
    let told: Vec<_> =
        hosts.iter_mut().zip(calls).map(|(host, call)| host.wait(call).unwrap()).collect();
    assert!(told.iter().all(|code| code["user_code"] == told[0]["user_code"]), "{told:?}");
    assert_eq!(tv.requests_of("POST", "/api/v2/pins").len(), 1);
}

#[test]
fn one_process_asks_and_all_hear_of_it() {
    let tv = FakePlexTv::start();
    let mut first = at(&tv).start();
    let code = code(&mut first);
    let mut hosts: Vec<Host> = (0..4).map(|_| beside(&first, &tv)).collect();
    tv.hold_on("/api/v2/pins/");
    let params = json!({"timeout_ms": LONG});
    let call = |host: &mut Host| host.start_call("auth.finish", params.clone());
    let calls: Vec<_> = hosts.iter_mut().map(call).collect();
    tv.wait_held(1);
    assert!(tv.claim(&code, "alice"));
    tv.release();
    for (host, call) in hosts.iter_mut().zip(calls) {
        assert_eq!(host.wait(call).unwrap()["account"]["username"], "alice");
    }
    // Who did not hold the lock may have asked once more at its end.
    assert!(tv.requests_of("GET", "/api/v2/pins/").len() <= 2);
}

#[test]
fn who_asks_may_die_and_another_goes_on() {
    let tv = FakePlexTv::start();
    let mut first = at(&tv).start();
    let code = code(&mut first);
    let mut second = beside(&first, &tv);
    tv.hold_on("/api/v2/pins/");
    let _never = first.start_call("auth.finish", json!({"timeout_ms": LONG}));
    tv.wait_held(1);
    let call = second.start_call("auth.finish", json!({"timeout_ms": LONG}));
    first.kill();
    assert!(tv.claim(&code, "alice"));
    tv.release();
    assert_eq!(second.wait(call).unwrap()["signed_in"], true);
}

#[test]
fn only_plex_tvs_own_word_ends_a_sign_in() {
    let tv = FakePlexTv::start();
    let mut host = at(&tv).start();
    let faults = [
        portal(200),
        portal(404),
        portal(401),
        portal(410),
        Fault::RateLimited(None),
        portal(503),
        plex_tv_error(404, 1002, "Not found"),
        Fault::CloseWithoutAnswer,
        Fault::NotHttp,
        Fault::CutJson,
        Fault::Redirect(302, "https://elsewhere.invalid/".to_owned()),
    ];
    let told = code(&mut host);
    for fault in faults {
        println!("{fault:?}");
        tv.no_faults();
        tv.fault(fault.always().on("/api/v2/pins/"));
        let not_yet = host.call("auth.finish", json!({"timeout_ms": 200})).unwrap();
        assert_eq!(not_yet["signed_in"], false);
    }
    tv.no_faults();
    assert_eq!(code(&mut host), told);
    for (fault, reason) in [
        (plex_tv_error(404, 1020, "Code not found or expired"), "expired"),
        (plex_tv_error(410, 1, "Gone"), "expired"),
        (plex_tv_error(401, 1001, "no"), "refused"),
        (plex_tv_error(403, 1041, "no"), "refused"),
    ] {
        code(&mut host);
        tv.fault(fault.on("/api/v2/pins/"));
        assert_eq!(incomplete(&mut host), reason);
        assert_eq!(incomplete(&mut host), "none", "nothing waits any more");
    }
}

/// The file says that the code has had its time; plex.tv still knows it.
fn make_it_old(host: &Host) {
    let file = host.data_dir().join("sign_in.json");
    let mut pending: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    pending["expires_at"] = json!("2026-01-01T00:00:00Z");
    fs::write(file, pending.to_string()).unwrap();
}

#[test]
fn a_code_that_was_entered_in_its_last_second_counts() {
    let tv = FakePlexTv::start();
    for by in ["auth.finish", "auth.start"] {
        let mut host = at(&tv).start();
        let code = code(&mut host);
        make_it_old(&host);
        assert!(tv.claim(&code, "alice"));
        tv.fault(Fault::CloseWithoutAnswer.on("/api/v2/pins/"));
        if by == "auth.start" {
            let error = host.call(by, json!({})).unwrap_err();
            assert_eq!(error.code, -32010, "no code is told while the old one may be a sign-in");
        }
        assert_eq!(host.call(by, json!({})).unwrap()["signed_in"], true);
    }
}

#[test]
fn a_sign_in_is_stored_before_plex_tv_is_asked_whose_it_is() {
    let tv = FakePlexTv::start();
    let mut host = at(&tv).start();
    let code = code(&mut host);
    assert!(tv.claim(&code, "alice"));
    tv.fault(Fault::RateLimited(None).always().on("/api/v2/user"));
    let error = host.call("auth.finish", json!({"timeout_ms": 1000})).unwrap_err();
    assert_eq!((error.code, error.datum("status")), (-32013, &json!(429)));
    assert_eq!(files(&host.data_dir()), ["account.json"]);
    tv.no_faults();
    tv.fault(portal(503).on("/api/v2/resources"));
    let done = finish(&mut host);
    assert_eq!((&done["account"]["username"], &done["servers"]), (&json!("alice"), &json!([])));
    assert!(done["warning"].as_str().unwrap().contains("could not be asked"), "{done}");
    let stored = fs::read_to_string(host.data_dir().join("account.json")).unwrap();
    assert!(stored.contains("\"username\": \"alice\""), "whose it is, is remembered");
}

#[test]
fn an_expired_code_is_replaced() {
    let tv = FakePlexTv::start();
    let mut host = at(&tv).start();
    let first = code(&mut host);
    make_it_old(&host);
    assert_eq!(incomplete(&mut host), "expired");
    let second = code(&mut host);
    assert_ne!(second, first);
    make_it_old(&host);
    let third = start(&mut host);
    assert_eq!((third.get("pending"), third["user_code"] != second), (None, true));
    tv.expire(third["user_code"].as_str().unwrap());
    let fourth = start(&mut host);
    assert_eq!((fourth.get("pending"), fourth["user_code"] != third["user_code"]), (None, true));
}

#[test]
fn what_plex_tv_says_of_a_codes_life_is_believed_within_reason() {
    let tv = FakePlexTv::start();
    for (says, seconds) in
        [(json!(1800), 1800), (json!(5), 60), (json!(100_000), 1800), (json!("soon"), 900)]
    {
        tv.set_lifetime(Some(says));
        let left = start(&mut at(&tv).start())["expires_in"].as_u64().unwrap();
        assert!((seconds - 5..=seconds).contains(&left), "{left}");
    }
    tv.set_lifetime(None);
    assert!(start(&mut at(&tv).start())["expires_in"].as_u64().unwrap() > 890);
}

#[test]
fn without_an_answer_no_code_is_told() {
    let tv = FakePlexTv::start();
    let mut host = at(&tv).start();
    for (fault, code) in [
        (Fault::CloseWithoutAnswer, -32010),
        (portal(200), -32010),
        (portal(503), -32013),
        (plex_tv_error(429, 1003, "Too many requests\u{1b}[31m"), -32013),
    ] {
        tv.fault(fault);
        let error = host.call("auth.start", json!({})).unwrap_err();
        assert_eq!(error.code, code, "{error}");
        if error.datum("status") == 429 {
            assert_eq!(error.datum("message"), "Too many requests[31m");
            assert_eq!(error.datum("server"), &json!(tv.url()));
        }
    }
    assert_eq!(files(&host.data_dir()), [""; 0]);
    assert_eq!(incomplete(&mut host), "none");
}

#[test]
fn a_second_sign_in_ends_the_first_and_forgets_its_servers() {
    let tv = FakePlexTv::start();
    let mut host = signed_in(&tv);
    let id =
        host.call("identity.get", json!({})).unwrap()["device_id"].as_str().unwrap().to_owned();
    let servers = json!({"device_id": id, "chosen": "m1", "automatic": "m2", "servers": {
        "m1": {"name": "Attic", "uri": "http://10.0.0.1:32400", "token": "an-old-server-token"}}});
    let file = host.data_dir().join("server.json");
    fs::write(&file, servers.to_string()).unwrap();
    let status = host.call("auth.status", json!({"check": false})).unwrap();
    let server =
        json!({"name": "Attic", "machine_identifier": "m1", "uri": "http://10.0.0.1:32400"});
    assert_eq!((&status["server"], &status["token_state"]), (&server, &json!("unknown")));
    let first = tv.token("alice", &id).unwrap();
    let begun = host.call("auth.start", json!({"renew": true})).unwrap();
    assert_eq!(state(&mut host), "valid", "the first one lives until then");
    assert!(tv.claim(begun["user_code"].as_str().unwrap(), "alice"));
    assert_eq!(finish(&mut host)["signed_in"], true);
    assert_ne!(tv.token("alice", &id).unwrap(), first);
    assert_eq!(state(&mut host), "valid");
    let servers: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!((&servers["chosen"], &servers["servers"]), (&json!("m1"), &json!({})));
}

#[test]
fn the_status_is_what_plex_tv_says_and_nothing_is_thrown_away() {
    let tv = FakePlexTv::start();
    let mut empty = at(&tv).start();
    let none = json!({"signed_in": false, "token_state": "none"});
    assert_eq!(empty.call("auth.status", json!({})).unwrap(), none);
    let mut host = signed_in(&tv);
    for (fault, expected) in [
        (plex_tv_error(401, 1001, "no"), "invalid"),
        (portal(200), "unknown"),
        (portal(503), "unknown"),
        (plex_tv_error(422, 1, "no"), "unknown"),
        (Fault::RateLimited(None), "unknown"),
        (Fault::CloseWithoutAnswer, "unknown"),
    ] {
        tv.no_faults();
        tv.fault(fault.always());
        let status = host.call("auth.status", json!({})).unwrap();
        assert_eq!(status["token_state"], expected);
        assert_eq!(status["signed_in"], expected == "unknown");
        assert_eq!(status["account"]["username"], "alice");
    }
    tv.no_faults();
    assert_eq!(state(&mut host), "valid");
}

#[test]
fn a_bad_token_begins_anew_and_a_silent_plex_tv_begins_nothing() {
    let tv = FakePlexTv::start();
    let mut host = signed_in(&tv);
    tv.fault(Fault::CloseWithoutAnswer.always());
    assert_eq!(host.call("auth.start", json!({})).unwrap_err().code, -32010);
    tv.no_faults();
    tv.fault(portal(503));
    assert_eq!(host.call("auth.start", json!({})).unwrap_err().code, -32013);
    assert_eq!(tv.requests_of("POST", "/api/v2/pins").len(), 1);
    let id = host.call("identity.get", json!({})).unwrap()["device_id"].clone();
    tv.revoke(&tv.token("alice", id.as_str().unwrap()).unwrap());
    assert!(code(&mut host).len() >= 4);
}

#[test]
fn a_sign_in_that_plex_tv_does_not_take_any_more_is_none() {
    let tv = FakePlexTv::start();
    let mut host = signed_in(&tv);
    assert_eq!(finish(&mut host)["signed_in"], true);
    let id = host.call("identity.get", json!({})).unwrap()["device_id"].clone();
    tv.revoke(&tv.token("alice", id.as_str().unwrap()).unwrap());
    let error = host.call("auth.finish", json!({})).unwrap_err();
    assert_eq!((error.code, error.datum("status")), (-32013, &json!(401)), "{error}");
    assert_eq!(files(&host.data_dir()), ["account.json"], "nothing is thrown away");
}

#[test]
fn a_sign_out_is_told_to_plex_tv_and_forgets_all() {
    let tv = FakePlexTv::start();
    let mut host = signed_in(&tv);
    let id = host.call("identity.get", json!({})).unwrap()["device_id"].clone();
    fs::write(host.data_dir().join("server.json"), "{}").unwrap();
    let out = host.call("auth.logout", json!({})).unwrap();
    assert_eq!(out, json!({"signed_in": false, "revoked": true}));
    assert_eq!(tv.token("alice", id.as_str().unwrap()), None);
    assert_eq!(files(&host.data_dir()), [""; 0]);
    assert_eq!(state(&mut host), "none");
    let nobody = host.call("auth.logout", json!({})).unwrap();
    assert_eq!(nobody, json!({"signed_in": false, "revoked": false}));
    assert_eq!(tv.requests_of("DELETE", "/").len(), 1);
    for fault in [Fault::CloseWithoutAnswer, portal(200), portal(503)] {
        let mut host = signed_in(&tv);
        tv.fault(fault);
        assert_eq!(host.call("auth.logout", json!({})).unwrap()["revoked"], false);
        assert_eq!(files(&host.data_dir()), [""; 0]);
    }
}

#[test]
fn a_sign_out_ends_a_sign_in_that_waits() {
    let tv = FakePlexTv::start();
    let mut host = at(&tv).start();
    code(&mut host);
    let waiting = host.start_call("auth.finish", json!({"timeout_ms": LONG}));
    tv.wait_for_requests(1, "GET", "/api/v2/pins/");
    host.call("auth.logout", json!({})).unwrap();
    let error = host.wait(waiting).unwrap_err();
    assert_eq!((error.code, error.datum("reason")), (-32015, &json!("none")));
}

#[test]
fn a_token_is_used_only_with_the_device_and_the_plex_tv_that_it_was_made_for() {
    let (tv, elsewhere) = (FakePlexTv::start(), FakePlexTv::start());
    let mut host = signed_in(&tv);
    let reset = host.call("identity.reset", json!({})).unwrap();
    let (old, new) = (&reset["previous"], &reset["device_id"]);
    let warning = reset["warning"].as_str().unwrap();
    assert!(warning.contains(old.as_str().unwrap()), "{warning}");
    let before = tv.requests().len();
    assert_eq!(state(&mut host), "other_device");
    assert_eq!(incomplete(&mut host), "none");
    assert_eq!(tv.requests().len(), before, "nobody was asked with it");
    let back = host.call("identity.reset", json!({"device_id": old})).unwrap();
    assert_eq!(back.get("warning"), None);
    assert_eq!(state(&mut host), "valid", "it comes back with the former id");
    assert_eq!(state(&mut beside(&host, &elsewhere)), "other_device");
    assert!(elsewhere.requests().is_empty());
    host.call("identity.reset", json!({"device_id": new})).unwrap();
    assert_eq!(host.call("auth.logout", json!({})).unwrap()["revoked"], true);
    let told = &tv.requests_of("DELETE", "/api/v2/users/signout")[0];
    assert_eq!(told.header("X-Plex-Client-Identifier"), old.as_str());
}

#[test]
fn a_code_of_a_former_device_is_not_told_again() {
    let tv = FakePlexTv::start();
    let mut host = at(&tv).start();
    let before = code(&mut host);
    host.call("identity.reset", json!({})).unwrap();
    assert_eq!(incomplete(&mut host), "none");
    let after = start(&mut host);
    assert_eq!((after["user_code"] != before, after.get("pending")), (true, None));
}

#[test]
fn files_that_can_t_be_used_are_named() {
    let tv = FakePlexTv::start();
    let mut host = at(&tv).start();
    host.call("identity.get", json!({})).unwrap();
    let file = host.data_dir().join("sign_in.json");
    fs::create_dir(&file).unwrap();
    for method in ["auth.start", "auth.finish"] {
        let error = host.call(method, json!({})).unwrap_err();
        assert_eq!((error.code, error.datum("missing")), (-32014, &json!("token")));
        assert_eq!(error.datum("path"), &json!(file));
        assert!(error.datum("reason").as_str().unwrap().contains("folder"), "{error}");
    }
    assert!(tv.requests_of("POST", "/").is_empty(), "no code was made");
    fs::remove_dir(&file).unwrap();
    for torn in ["", "{\"pin_id\":", "[]"] {
        fs::write(&file, torn).unwrap();
        fs::write(host.data_dir().join("account.json"), torn).unwrap();
        assert_eq!(incomplete(&mut host), "none");
        assert_eq!(state(&mut host), "none");
    }
    assert!(host.stderr().contains("loses the sign-in"), "{}", host.stderr());
    let code = code(&mut host);
    assert!(tv.claim(&code, "alice"));
    assert_eq!(finish(&mut host)["signed_in"], true);
}

/// Every file of a sign-in, and no file of anything else, holds what nobody may see.
#[test]
fn nothing_secret_gets_out() {
    for format in ["text", "json", "stash"] {
        let tv = FakePlexTv::start();
        tv.set_resources(vec![Resource::server("Attic", "m1", "a-server-token-of-attic")]);
        let builder = at(&tv).env("PLEXSYNC_LOG", "trace").arg("--log-format").arg(format);
        let mut host = builder.start();
        let mut told = Vec::new();
        let mut ask = |host: &mut Host, method: &str, params: Value| {
            let (text, result) = match host.call(method, params) {
                Ok(result) => (result.to_string(), Some(result)),
                Err(error) => (format!("{error} {:?}", error.data), None),
            };
            told.push(text);
            result.unwrap_or_default()
        };
        let code =
            ask(&mut host, "auth.start", json!({}))["user_code"].as_str().unwrap().to_owned();
        let pin: Value =
            serde_json::from_slice(&fs::read(host.data_dir().join("sign_in.json")).unwrap())
                .unwrap();
        let echo = format!("pin {} is odd", pin["pin_id"]);
        for fault in [plex_tv_error(503, 1, &echo), plex_tv_error(404, 1002, &echo), portal(200)] {
            tv.fault(fault);
            ask(&mut host, "auth.start", json!({}));
        }
        ask(&mut host, "auth.finish", json!({"timeout_ms": 100}));
        assert!(tv.claim(&code, "alice"));
        let id = ask(&mut host, "identity.get", json!({}))["device_id"].clone();
        let token = tv.token("alice", id.as_str().unwrap()).unwrap();
        tv.set_user("alice", json!({"title": format!("Alice {token}\u{7}")}));
        let done = ask(&mut host, "auth.finish", json!({"timeout_ms": LONG}));
        assert_eq!(done["account"]["title"], "Alice REDACTED");
        for method in ["auth.status", "auth.start", "identity.reset", "auth.status", "auth.logout"]
        {
            if method == "auth.logout" {
                tv.fault(plex_tv_error(403, 1, &token));
            }
            ask(&mut host, method, json!({}));
        }
        host.close_stdin();
        host.wait_exit(plexsync_harness::host::PATIENCE);
        told.push(host.stderr());
        assert!(told.last().unwrap().contains("/api/v2/pins/ID"), "the log tells what was asked");
        for secret in tv.secrets() {
            for text in &told {
                assert!(!text.contains(&secret), "`{secret}` got out: {text}");
            }
        }
        for request in tv.requests() {
            assert!(!request.target.contains(&token), "{}", request.target);
        }
    }
}

/// Starts one more process, lets it begin a call, and kills it so much later.
fn killed_in(first: &Host, tv: &FakePlexTv, method: &str, after: Duration) {
    let mut host = beside(first, tv);
    host.call("identity.get", json!({})).unwrap();
    let _never = host.start_call(method, json!({}));
    std::thread::sleep(after);
    host.kill();
}

/// Killed at any instruction, a sign-in goes on: a code that was told works until it is entered, and is a sign-in then.
fn killed(rounds: u64) {
    let tv = FakePlexTv::start();
    // Sooner and later than all that a call does, which takes a few milliseconds.
    let mut times = (0_u64..).map(|count| Duration::from_micros(count * 7919 % 30_000));
    let mut time = || times.next().unwrap();
    for round in 0..rounds {
        let first = at(&tv).start();
        killed_in(&first, &tv, "auth.start", time());
        let told = start(&mut beside(&first, &tv));
        let code = told["user_code"].as_str().unwrap();
        killed_in(&first, &tv, "auth.finish", time());
        if round % 2 == 0 {
            assert!(tv.claim(code, "alice"));
        }
        killed_in(&first, &tv, "auth.finish", time());
        killed_in(&first, &tv, "auth.start", time());
        let mut host = beside(&first, &tv);
        let result = start(&mut host);
        if round % 2 == 0 {
            assert_eq!(result["signed_in"], true, "{result}");
        } else {
            assert_eq!((&result["user_code"], &result["pending"]), (&json!(code), &json!(true)));
            assert!(tv.claim(code, "alice"));
        }
        assert_eq!(finish(&mut host)["account"]["username"], "alice");
        assert_eq!(state(&mut host), "valid");
        assert_eq!(files(&host.data_dir()), ["account.json"]);
        host.call("auth.logout", json!({})).unwrap();
        let left = fs::read_dir(host.data_dir()).unwrap().flatten();
        let left: Vec<_> = left.map(|entry| entry.file_name().into_string().unwrap()).collect();
        assert!(!left.iter().any(|name| name.ends_with(".tmp")), "{left:?}");
    }
}

/// The same between steps that can be told apart from outside.
#[test]
fn a_kill_between_two_steps_loses_no_sign_in() {
    let tv = FakePlexTv::start();
    for (method, held) in [
        ("auth.start", "/api/v2/pins"),
        ("auth.start", "/api/v2/pins/"),
        ("auth.finish", "/api/v2/pins/"),
        ("auth.finish", "/api/v2/user"),
        ("auth.finish", "/api/v2/resources"),
    ] {
        let first = at(&tv).start();
        let mut told = None;
        if held != "/api/v2/pins" {
            let code = code(&mut beside(&first, &tv));
            assert!(tv.claim(&code, "alice"));
            told = Some(code);
        }
        let mut host = beside(&first, &tv);
        tv.hold_on(held);
        let _never = host.start_call(method, json!({}));
        tv.wait_held(1);
        host.kill();
        tv.release();
        let mut host = beside(&first, &tv);
        let result = start(&mut host);
        assert_eq!(result.get("signed_in").is_some(), told.is_some(), "{method} {held}: {result}");
        if let Some(code) = result["user_code"].as_str() {
            assert!(tv.claim(code, "alice"));
        }
        assert_eq!(finish(&mut host)["account"]["username"], "alice");
        assert_eq!(state(&mut host), "valid");
    }
    let mut host = signed_in(&tv);
    tv.hold_on("/api/v2/users/signout");
    let _never = host.start_call("auth.logout", json!({}));
    tv.wait_held(1);
    host.kill();
    tv.release();
    let mut host = beside(&host, &tv);
    assert_eq!(state(&mut host), "invalid");
    assert_eq!(host.call("auth.logout", json!({})).unwrap()["revoked"], true);
}

#[test]
fn a_kill_loses_no_sign_in() {
    killed(8);
}

#[test]
#[ignore = "500 kills: cargo test --test promises five_hundred -- --ignored"]
fn five_hundred_kills_lose_no_sign_in() {
    killed(125);
}

#[test]
fn a_call_is_answered_in_its_time_whatever_plex_tv_does() {
    let tv = FakePlexTv::start();
    let mut host = signed_in(&tv);
    tv.hold_on("/");
    for (method, params) in [
        ("auth.status", json!({"timeout_ms": 300})),
        ("auth.start", json!({"timeout_ms": 300})),
        ("auth.finish", json!({"timeout_ms": 300})),
        ("auth.logout", json!({"timeout_ms": 300})),
    ] {
        let begun = Instant::now();
        let _any = host.call(method, params);
        assert!(begun.elapsed() < Duration::from_secs(5), "{method}");
    }
    for (method, most) in [("auth.finish", 1_800_000), ("auth.start", 86_400_000)] {
        for timeout in [0, most + 1] {
            let error = host.call(method, json!({"timeout_ms": timeout})).unwrap_err();
            assert_eq!((error.code, error.datum("pointer")), (-32602, &json!("/timeout_ms")));
        }
    }
}

#[test]
fn a_question_that_hangs_is_asked_again() {
    let tv = FakePlexTv::start();
    let mut host = at(&tv).start();
    let code = code(&mut host);
    tv.hold_on("/api/v2/pins/");
    let waiting = host.start_call("auth.finish", json!({"timeout_ms": 1_800_000}));
    tv.wait_for_requests(2, "GET", "/api/v2/pins/");
    assert!(tv.claim(&code, "alice"));
    tv.release();
    assert_eq!(host.wait(waiting).unwrap()["signed_in"], true);
}

#[test]
fn progress_tells_how_much_of_the_codes_life_is_over() {
    let tv = FakePlexTv::start();
    let mut host = at(&tv).start();
    let code = code(&mut host);
    let params = json!({"timeout_ms": LONG, "progress_token": "p"});
    let waiting = host.start_call("auth.finish", params);
    let report = host.read_reply();
    assert_eq!(
        (&report["method"], &report["params"]["token"]),
        (&json!("$/progress"), &json!("p"))
    );
    assert!(report["params"]["total"].as_u64().unwrap() > 890, "{report}");
    assert!(tv.claim(&code, "alice"));
    assert_eq!(host.wait(waiting).unwrap()["signed_in"], true);
}

#[test]
fn a_url_that_no_token_may_go_to_is_refused() {
    for url in ["http://plex.tv", "http://192.168.1.1:1", "plex.tv", "https://plex.tv/api"] {
        let mut host = host().env("PLEXSYNC_PLEX_TV", url).start();
        let error = host.call("auth.start", json!({})).unwrap_err();
        assert_eq!(error.code, -32014);
        assert!(error.message.contains("`PLEXSYNC_PLEX_TV`"), "{error}");
        assert_eq!(host.call("auth.logout", json!({})).unwrap()["revoked"], false);
    }
}

#[test]
fn a_host_in_rust_signs_in_with_types() {
    use plexsync_harness::client::protocol::sign_in::{
        FinishParams, FinishResult, LogoutParams, StartParams, StartResult, StatusParams,
        TokenState,
    };
    let tv = FakePlexTv::start();
    let builder = at(&tv);
    let client = builder.client().start().unwrap();
    let StartResult::Code(code) = client.auth_start(&StartParams::default()).wait().unwrap() else {
        panic!("a code")
    };
    assert!(tv.claim(&code.user_code, "alice"));
    let done = client.auth_finish(&FinishParams::default()).wait().unwrap();
    assert!(matches!(done, FinishResult::SignedIn(done) if done.account.username == "alice"));
    let status = client.auth_status(&StatusParams::default()).wait().unwrap();
    assert_eq!(status.token_state, TokenState::Valid);
    assert!(client.auth_logout(&LogoutParams::default()).wait().unwrap().revoked);
}

/// A person's command, and what it has said so far.
struct Typed {
    child: std::process::Child,
    said: std::sync::Arc<std::sync::Mutex<String>>,
}

impl Typed {
    fn start(tv: &FakePlexTv, data: &Path, arguments: &[&str]) -> Self {
        use std::io::Read;
        let mut command = std::process::Command::new(crate::worker());
        command.arg("--data-dir").arg(data).args(arguments).env("PLEXSYNC_PLEX_TV", tv.url());
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let said = std::sync::Arc::<std::sync::Mutex<String>>::default();
        let (mut output, heard) = (child.stdout.take().unwrap(), said.clone());
        std::thread::spawn(move || {
            let mut piece = [0; 1024];
            while let Ok(count @ 1..) = output.read(&mut piece) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..count]));
            }
        });
        Self { child, said }
    }

    fn said(&self, wanted: &str) -> String {
        let begun = Instant::now();
        loop {
            let said = self.said.lock().unwrap().clone();
            if said.contains(wanted) {
                return said;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "`{wanted}` is not in `{said}`");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn ends_with(mut self, code: i32) {
        assert_eq!(self.child.wait().unwrap().code(), Some(code));
    }
}

#[test]
fn a_person_signs_in_and_out() {
    let (tv, data) = (FakePlexTv::start(), tempfile::tempdir().unwrap());
    tv.set_resources(vec![Resource::server("Attic", "m1", "a-server-token-of-attic")]);
    let mut left = Typed::start(&tv, data.path(), &["login"]);
    let said = left.said("/link/?pin=");
    let code = tv.codes().pop().unwrap();
    assert!(
        said.contains(&format!("Open https://plex.tv/link and enter the code {code}")),
        "{said}"
    );
    left.child.kill().unwrap();
    left.child.wait().unwrap();
    let again = Typed::start(&tv, data.path(), &["login"]);
    again.said(&format!("enter the code {code}"));
    assert!(tv.claim(&code, "alice"));
    again.said("Signed in as alice.\nServers: Attic.\n");
    again.ends_with(0);
    let twice = Typed::start(&tv, data.path(), &["login"]);
    twice.said("Signed in as alice.");
    twice.ends_with(0);
    let out = Typed::start(&tv, data.path(), &["logout"]);
    out.said("Signed out.");
    out.ends_with(0);
    let late = Typed::start(&tv, data.path(), &["login"]);
    late.said("/link/?pin=");
    tv.expire(&tv.codes().pop().unwrap());
    late.ends_with(1);
    let json = Typed::start(&tv, data.path(), &["login", "--json"]);
    let said = json.said("\n");
    let begun: Value = serde_json::from_str(&said).unwrap();
    tv.expire(begun["user_code"].as_str().unwrap());
    json.ends_with(1);
}
