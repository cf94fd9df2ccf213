//! The secrets of a sign-in, of its servers and of Stash stay inside, however those who know them spell them in what they
//! answer: in every reply, the log at trace, every file that is not theirs, and what the system shows of the process.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use plexsync_harness::fake_plex::Section;
use plexsync_harness::fake_plex_tv::{DeviceRow, Resource, plex_tv_error, portal};
use plexsync_harness::{FakePlex, FakePlexTv, Fault, Host};
use serde_json::{Value, json};

use crate::host;

type Spelling = (&'static str, fn(&str) -> String);

const SPELLINGS: [Spelling; 6] = [
    ("as it is", str::to_owned),
    ("percent escapes", |secret| secret.bytes().map(|byte| format!("%{byte:02x}")).collect()),
    ("JSON escapes", |secret| secret.bytes().map(|byte| format!("\\u{byte:04X}")).collect()),
    ("character references", |secret| secret.bytes().map(|byte| format!("&#{byte};")).collect()),
    ("base64", |secret| STANDARD.encode(secret).trim_end_matches('=').to_owned()),
    ("hexadecimal digits", |secret| secret.bytes().map(|byte| format!("{byte:02x}")).collect()),
];

/// Does it once for each spelling, all at the same time: most of it is waiting. The number differs for each.
pub(super) fn in_every_spelling(test: impl Fn(fn(&str) -> String, usize) + Sync) {
    std::thread::scope(|scope| {
        for (number, (name, spell)) in SPELLINGS.into_iter().enumerate() {
            let (thread, test) = (std::thread::Builder::new().name(name.to_owned()), &test);
            thread.spawn_scoped(scope, move || test(spell, number)).unwrap();
        }
    });
}

/// The servers, a host at trace, and what was told.
struct Scene {
    tv: FakePlexTv,
    plex: FakePlex,
    host: Host,
    told: Vec<String>,
    spell: fn(&str) -> String,
}

impl Scene {
    fn new(spell: fn(&str) -> String, format: &str) -> Self {
        let (tv, plex) = (FakePlexTv::start(), FakePlex::start());
        plex.set_machine_identifier("m1");
        plex.tell_events();
        let name = format!("Box {}", spell(&plex.token()));
        let with_token = format!("{}/?echo={}", plex.url(), spell(&plex.token()));
        tv.set_resources(vec![Resource::of(&plex, &name).local(&with_token)]);
        let builder = host().env("PLEXSYNC_PLEX_TV", tv.url()).env("PLEXSYNC_LOG", "trace");
        let builder = builder.env("RUST_BACKTRACE", "full").arg("--log-format").arg(format);
        Self { tv, plex, host: builder.start(), told: Vec::new(), spell }
    }

    /// Whatever comes of it is told.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        match self.host.call(method, params) {
            Ok(mut result) => {
                // A body is handed on as the server wrote it.
                drop(result.as_object_mut().and_then(|members| members.remove("body")));
                self.told.push(result.to_string());
                result
            }
            Err(error) => {
                self.told.push(format!("{error} {}", json!(error.data)));
                Value::Null
            }
        }
    }

    fn all_calls(&mut self) {
        for (method, params) in [
            ("auth.status", json!({"timeout_ms": 5000})),
            ("auth.start", json!({})),
            ("auth.finish", json!({"timeout_ms": 100})),
            ("server.list", json!({"probe": true})),
            ("server.choose", json!({"server": "m1"})),
            ("device.list", json!({})),
            ("device.remove", json!({"ids": ["1"], "dry_run": false})),
            ("plex.request", json!({"path": "/library/sections", "retries": 0})),
            ("plex.find", json!({"path": "/data/film.mp4"})),
            ("plex.scan", json!({"path": "/data/film.mp4", "wait_ms": 1})),
            ("plex.scan", json!({"folder": "/nowhere"})),
            ("doctor.run", json!({})),
        ] {
            self.ask(method, params);
        }
    }

    /// A library, and the stream of a scan that is waited for, that say this.
    fn echo_in_a_library(&mut self, text: &str) {
        let location = format!("/data/{text}");
        self.plex.set_sections(vec![Section::new("1", text, "movie", &["/data", &location])]);
        let item = json!({"ratingKey": "7", "type": "movie", "title": text, "summary": text,
            "Media": [{"Part": [{"file": "/data/film.mp4"}]}]});
        let listing = json!({"MediaContainer": {"size": 1, "title1": text, "Metadata": [item]}});
        self.plex.set_listing("1", &listing.to_string());
        self.all_calls();
        let wait = json!({"path": "/data/new.mp4", "wait_ms": 60_000});
        let call = self.host.start_call("plex.scan", wait);
        // Which ends with what the stream tells, after the first look for the file.
        let looks = |scene: &Self| {
            let requests = scene.plex.requests();
            let asked = requests.iter().filter_map(|request| request.query_value("file"));
            asked.filter(|file| file == "/data/new.mp4").count()
        };
        while looks(self) == 0 && self.host.is_running() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let activity = json!({"uuid": text, "type": text, "title": text, "subtitle": text});
        let data = json!({"event": text, "uuid": text, "Activity": activity});
        self.plex.tell("activity", &json!({"ActivityNotification": data}));
        self.plex.tell(text, &json!(text));
        for event in ["started", "updated", "ended"] {
            self.plex.tell_scan("u1", "1", event);
        }
        let waited = self.host.wait(call).unwrap();
        assert_eq!(waited["waited"], "ended");
        self.told.push(waited.to_string());
    }

    /// plex.tv, then Plex, says this in all the ways in which they say something.
    fn echo(&mut self, secrets: &[&str]) {
        let text = secrets.iter().map(|it| (self.spell)(it)).collect::<Vec<_>>().join(" ");
        let page = format!("<html><body>{text}</body></html>");
        let (html, answer) =
            ([("Content-Type", "text/html"), ("X-Echo", &*text)], json!({"message": text}));
        let xml = [("Content-Type", "application/xml"), ("X-Plex-Token", &*text)];
        let faults = [
            plex_tv_error(503, 1, &text),
            portal(403),
            Fault::answer(200, &html, page.clone()),
            Fault::Redirect(
                302,
                format!("http://elsewhere.invalid/?echo={}", text.replace(' ', "")),
            ),
            // This one ends a sign-in.
            plex_tv_error(403, 1, &text),
        ];
        for fault in faults {
            self.tv.fault(fault.always());
            self.all_calls();
            self.tv.no_faults();
        }
        let faults = [
            Fault::answer(
                403,
                &[("Content-Type", "application/json"), ("X-Echo", &*text)],
                answer.to_string(),
            ),
            Fault::answer(500, &html, page),
            Fault::answer(200, &xml, format!("<Response code=\"{text}\"><a>{text}</a></Response>")),
            Fault::answer(401, &xml, format!("<Response status=\"{text}\"/>")),
            Fault::Redirect(
                302,
                format!("http://elsewhere.invalid/?echo={}", text.replace(' ', "")),
            ),
        ];
        for fault in faults {
            for prefix in ["/library", "/identity", "/:/eventsource"] {
                self.plex.fault(fault.clone().always().on(prefix));
            }
            self.all_calls();
            self.plex.no_faults();
        }
    }

    /// None of these, in this spelling or as it is, was told, logged, or left in a file but the account's own.
    fn assert_silent(&mut self, secrets: &[&str]) {
        let shown = super::system::shown(self.host.pid());
        self.told.extend(shown.into_iter().map(|(name, text)| format!("{name}: {text}")));
        self.host.close_stdin();
        self.host.wait_exit(plexsync_harness::host::PATIENCE);
        let log = self.host.stderr();
        assert!(log.contains("/api/v2/user"), "at trace there is a log");
        self.told.push(log);
        self.told.extend(files(&self.host.data_dir(), &["account.json", "server.json"]));
        for secret in secrets {
            let spelled = (self.spell)(secret);
            for text in &self.told {
                let found = [*secret, &spelled].into_iter().find(|it| text.contains(*it));
                assert_eq!(found, None, "`{secret}` got out: {text}");
            }
        }
    }
}

/// Names and contents of all files below a folder, but for these.
fn files(folder: &Path, but: &[&str]) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap().flatten();
    let files = files.filter(|file| !but.iter().any(|but| file.file_name() == *but));
    files
        .map(|file| {
            format!(
                "{:?} {}",
                file.file_name(),
                String::from_utf8_lossy(&fs::read(file.path()).unwrap())
            )
        })
        .collect()
}

#[test]
fn what_a_sign_in_and_its_servers_know_is_not_told_in_any_spelling() {
    in_every_spelling(|spell, number| {
        let mut scene = Scene::new(spell, ["text", "json", "stash"][number % 3]);
        let code = scene.ask("auth.start", json!({}))["user_code"].as_str().unwrap().to_owned();
        let waiting = fs::read(scene.host.data_dir().join("sign_in.json")).unwrap();
        let waiting: Value = serde_json::from_slice(&waiting).unwrap();
        let pin = waiting["pin_id"].to_string();
        scene.echo(&[&pin]);
        let code =
            scene.ask("auth.start", json!({}))["user_code"].as_str().map_or(code, str::to_owned);
        let device = scene.ask("identity.get", json!({}))["device_id"].as_str().unwrap().to_owned();
        assert!(scene.tv.claim(&code, "alice"));
        let (token, server) = (scene.tv.token("alice", &device).unwrap(), scene.plex.token());
        let (shown, other) = (spell(&token), spell("another-token-of-alice"));
        scene
            .tv
            .set_user("alice", json!({"username": shown, "title": format!("Alice \u{7}{shown}")}));
        scene.tv.add_device(DeviceRow::new([
            ("id", "1"),
            ("name", &*other),
            ("product", "PlexAPI"),
            ("clientIdentifier", "0x1a2b3c4d5e6f"),
            ("platform", &*shown),
            ("token", "another-token-of-alice"),
            ("lastSeenAt", "1"),
        ]));
        let done = scene.ask("auth.finish", json!({"timeout_ms": 25_000}));
        assert_eq!(
            (&done["signed_in"], &done["account"]["title"]),
            (&json!(true), &json!("Alice REDACTED"))
        );
        scene.ask("server.choose", json!({"server": "m1"}));
        assert_eq!(scene.ask("plex.request", json!({"path": "/library/sections"}))["status"], 200);
        scene.echo(&[&token, &server]);
        scene.echo_in_a_library(&format!("{} {}", spell(&token), spell(&server)));
        assert_eq!(scene.ask("auth.logout", json!({}))["signed_in"], false);
        scene.assert_silent(&[&token, &server, &pin, "another-token-of-alice"]);
        let left = files(&scene.host.data_dir(), &[]);
        assert!(left.iter().all(|it| !it.contains(&token) && !it.contains(&server)), "{left:?}");
        for request in scene.tv.requests() {
            assert!(![&token, &server].iter().any(|it| request.target.contains(it.as_str())));
            let sent = request.header("X-Plex-Token");
            assert!(sent.is_none_or(|sent| sent == token), "{request:?}");
        }
        for request in scene.plex.requests() {
            let sent = request.header("X-Plex-Token");
            assert!(sent.is_none_or(|sent| sent == server), "{request:?}");
        }
    });
}

/// The cookie of the session and the token among the settings, in Stash's log and in what waits.
#[test]
#[cfg(unix)]
fn what_stash_tells_is_not_told_in_any_spelling() {
    use plexsync_harness::fake_stash::{FakeStash, Plugin};
    in_every_spelling(|spell, _| {
        let (stash, plex, folder) =
            (FakeStash::start(), FakePlex::start(), tempfile::tempdir().unwrap());
        plex.set_sections(vec![Section::new("1", "Scenes", "movie", &["/plex"])]);
        let settings = json!({"plex_url": plex.url(), "plex_token": plex.token()});
        stash.configure("plexsync", settings.clone());
        stash.add_scene("45", &["/plex/a/film.mp4"]);
        let (cookie, token) = (stash.cookie(), plex.token());
        let plugin: Plugin =
            crate::package::install_worker(folder.path()).variable("PLEXSYNC_LOG", "trace");
        let text = format!("{} {}", spell(&cookie), spell(&token));
        let page = json!({"message": text}).to_string();
        let mut told = Vec::new();
        let mut all = || {
            let mut runs = plugin.run_hooks(&stash, "Scene.Create.Post", 45, &Value::Null);
            for task in ["Check Plex connection", "Scan Plex library", "Show waiting scans"] {
                runs.push(plugin.run_task(&stash, task, &json!({})));
            }
            for (method, params) in [
                ("plex.find", json!({"path": "/plex/a/film.mp4"})),
                ("plex.scan", json!({"path": "/plex/a/film.mp4", "wait_ms": 1})),
                ("plex.request", json!({"path": "/library/sections", "parse": "none"})),
            ] {
                let arguments = json!({"method": method, "params": params});
                runs.push(plugin.run_operation(&stash, &arguments));
            }
            for run in runs {
                told.extend(run.log.iter().map(|line| line.text.clone()));
                told.push(format!("{:?} {}", run.error, run.output));
            }
        };
        for prefix in ["/library/sections/1/refresh", "/library/sections"] {
            for status in [403, 404] {
                let fault =
                    Fault::answer(status, &[("Content-Type", "application/json")], page.clone());
                plex.fault(fault.always().on(prefix));
                all();
                plex.no_faults();
            }
        }
        for field in ["configuration", "findScene"] {
            let stash = FakeStash::start();
            stash.configure("plexsync", settings.clone());
            let (cookie, token) = (stash.cookie(), plex.token());
            stash.fail_field(field, &format!("{} {}", spell(&cookie), spell(&token)));
            let run = plugin.run_hooks(&stash, "Scene.Create.Post", 45, &Value::Null).remove(0);
            let said = run.log.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
            let said = format!(
                "{said} {:?} {} {:?}",
                run.error,
                run.output,
                files(&plugin.folder.join("data"), &[])
            );
            for secret in [&cookie, &token] {
                // Without its settings the worker does not know the token, which Stash does not tell either.
                let is_known = *secret == cookie || field == "findScene";
                assert!(!is_known || !said.contains(&*spell(secret)), "{field}: {said}");
            }
        }
        told.extend(files(&plugin.folder.join("data"), &[]));
        assert!(told.iter().any(|text| text.contains("REDACTED")), "{told:?}");
        for secret in [&cookie, &token] {
            let spelled = spell(secret);
            for text in &told {
                assert!(
                    !text.contains(secret.as_str()) && !text.contains(&spelled),
                    "got out: {text}"
                );
            }
        }
    });
}
