//! What the account's files and the outbox are for, each a story: what is there, what is asked, and what must hold
//! afterwards, whatever was done to the worker that was asked.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::case::Case;
use crate::rig::{OLD, Told};
use crate::scenario::HANGS;
use crate::world::{WHO, World, line};

pub(crate) struct Story {
    name: &'static str,
    prepare: fn(&World),
    line: fn(&World) -> String,
    after: fn(&World, &Told, &str),
}

const BEGIN: Story = Story {
    name: "a sign-in is begun",
    prepare: |_| {},
    line: |_| line("auth.start", &json!({})),
    after: |world, told, what| {
        let next = world.call("auth.start", &json!({}));
        if let Some(code) = result(told).and_then(|result| result.get("user_code")) {
            assert_eq!(&next["user_code"], code, "{what}: told, then found: {told:?}");
        }
        assert!(world.tv.claim(next["user_code"].as_str().unwrap(), WHO), "{what}: {next}");
        assert_signs_in(world, what);
    },
};
const COMPLETE: Story = Story {
    name: "a sign-in is completed",
    prepare: World::claimed,
    line: |_| line("auth.finish", &json!({})),
    after: |world, _, what| {
        assert_signs_in(world, what);
        let pins = world.tv.requests_of("POST", "/api/v2/pins").len();
        assert_eq!(pins, 1, "{what}: a second code was needed");
    },
};
const RENEW: Story = Story {
    name: "a sign-in is renewed",
    prepare: |world| {
        CHOSEN.get_ready(world);
        world.claimed();
    },
    line: |_| line("auth.finish", &json!({})),
    after: |world, _, what| {
        assert_signs_in(world, what);
        assert_uses_box(world, what);
    },
};
const LOOK: Story = Story {
    name: "who is signed in?",
    prepare: World::signed_in,
    line: |_| line("auth.status", &json!({})),
    after: |world, told, what| {
        if let Some(result) = result(told) {
            assert_eq!(result["signed_in"], true, "{what}: {told:?}");
        }
        assert_signed_in(world, what);
    },
};
const OUT: Story = Story {
    name: "a sign-out",
    prepare: |world| CHOSEN.get_ready(world),
    line: |_| line("auth.logout", &json!({})),
    after: |world, told, what| {
        if result(told).is_some() {
            assert_eq!(files(world), [""; 0], "{what}: told, but {told:?}");
        }
        world.call("auth.logout", &json!({}));
        assert_eq!(files(world), [""; 0], "{what}");
        assert_eq!(world.call("auth.status", &json!({}))["token_state"], "none", "{what}");
    },
};
const CHOSEN: Story = Story {
    name: "a server is chosen",
    prepare: World::signed_in,
    line: |_| line("server.choose", &json!({"server": "Box"})),
    after: |world, told, what| {
        let told_so = result(told).is_some_and(|result| result.get("warning").is_none());
        let list = world.call("server.list", &json!({}));
        let is_chosen = list["servers"][0]["chosen"] == true;
        assert!(is_chosen || !told_so, "{what}: {told:?}, then {list}");
        world.call("server.choose", &json!({"server": "Box"}));
        assert_uses_box(world, what);
    },
};
const REQUEST: Story = Story {
    name: "a request to the account's server",
    prepare: |world| CHOSEN.get_ready(world),
    line: |_| line("plex.request", &json!({"path": "/library/sections"})),
    after: |world, told, what| {
        if let Some(result) = result(told) {
            assert_eq!(result["status"], 200, "{what}: {told:?}");
        }
        assert_uses_box(world, what);
    },
};
const NOTE: Story = Story {
    name: "a folder is noted while Plex is off",
    prepare: |world| {
        world.scene(1, &["a"]);
        world.plex_goes_away();
    },
    line: |world| world.hook(1),
    after: |world, told, what| {
        world.all_is_sent();
        let is_promised = outcome(told) == Some("waiting") && !said_it_forgets(told);
        assert!(!is_promised || asked(world, "a"), "{what}: a lost folder: {told:?}");
        assert_is_asked_in_the_end(world, what);
    },
};
const NOTE_MORE: Story = Story {
    name: "one more is noted while Plex is known to be off",
    prepare: |world| {
        world.scene(1, &["a"]);
        world.scene(2, &["b"]);
        world.plex_goes_away();
        assert_eq!(world.output(&world.hook(2))["outcome"], "waiting");
    },
    line: |world| world.hook(1),
    after: |world, told, what| {
        (NOTE.after)(world, told, what);
        assert!(asked(world, "b"), "{what}: the folder that waited is lost: {told:?}");
    },
};
const ASK: Story = Story {
    name: "a folder is asked for",
    prepare: |world| world.scene(1, &["a"]),
    line: |world| world.hook(1),
    after: |world, told, what| {
        if outcome(told) == Some("asked") {
            assert!(asked(world, "a"), "{what}: {told:?}");
        }
        world.all_is_sent();
        let is_promised = outcome(told) == Some("waiting") && !said_it_forgets(told);
        assert!(!is_promised || asked(world, "a"), "{what}: a lost folder: {told:?}");
        assert_is_asked_in_the_end(world, what);
    },
};
const SEND: Story = Story {
    name: "what waits is sent",
    prepare: |world| {
        world.scene(1, &["a", "b", "c"]);
        world.plex_goes_away();
        assert_eq!(world.output(&world.hook(1))["outcome"], "waiting");
        world.plex.no_faults();
    },
    line: World::send,
    after: |world, told, what| {
        world.all_is_sent();
        for folder in ["a", "b", "c"] {
            assert!(asked(world, folder), "{what}: `{folder}` is lost: {told:?}");
        }
        assert_is_asked_in_the_end(world, what);
    },
};

pub(crate) const ALL: [Story; 11] =
    [BEGIN, COMPLETE, RENEW, LOOK, OUT, CHOSEN, REQUEST, NOTE, NOTE_MORE, ASK, SEND];
pub(crate) const QUICK: [Story; 4] = [COMPLETE, OUT, NOTE, SEND];

/// Those that leave something behind.
pub(crate) const LASTING: [Story; 9] =
    [BEGIN, COMPLETE, RENEW, OUT, CHOSEN, NOTE, NOTE_MORE, ASK, SEND];

/// The account's files.
pub(crate) const ACCOUNT_S: [&str; 3] = ["account.json", "sign_in.json", "server.json"];
/// These, and the outbox.
pub(crate) const HOLDS: [&str; 4] = ["account.json", "sign_in.json", "server.json", "scans.json"];

fn result(told: &Told) -> Option<&Value> {
    told.reply(1)?.get("result")
}

/// What Stash was told of the folder.
fn outcome(told: &Told) -> Option<&str> {
    told.reply(0)?["result"]["output"]["outcome"].as_str()
}

/// It could not be written, and the user was told what follows from that.
pub(crate) fn said_it_forgets(told: &Told) -> bool {
    told.stderr.contains("what it misses is not remembered")
}

/// strace counts a thread's calls, and which thread works on the disk is chance: the fault has met what wakes the
/// runtime, which no disk can do.
fn hit_the_runtime(told: &Told) -> bool {
    // Where no write works, not even the log tells of it.
    told.stderr.contains("runtime/io/driver.rs") || told.stderr.is_empty()
}

pub(crate) fn asked(world: &World, folder: &str) -> bool {
    world.asked().contains(&format!("/plex/{folder}"))
}

fn files(world: &World) -> Vec<&'static str> {
    ACCOUNT_S.into_iter().filter(|name| world.data.join(name).exists()).collect()
}

#[track_caller]
fn assert_signs_in(world: &World, what: &str) {
    let done = world.call("auth.finish", &json!({}));
    assert_eq!(done["account"]["username"], WHO, "{what}: {done}");
    assert!(!world.data.join("sign_in.json").exists(), "{what}: the code still waits");
    assert_signed_in(world, what);
}

#[track_caller]
fn assert_signed_in(world: &World, what: &str) {
    let status = world.call("auth.status", &json!({}));
    assert_eq!(status["token_state"], "valid", "{what}: {status}");
    let stored = std::fs::read_to_string(world.data.join("account.json")).unwrap();
    let stored: Value = serde_json::from_str(&stored).unwrap();
    assert_eq!(stored["token"].as_str(), world.tv.token(WHO, OLD).as_deref(), "{what}");
}

#[track_caller]
fn assert_uses_box(world: &World, what: &str) {
    world.call("server.choose", &json!({"server": "m1"}));
    let answer = world.call("plex.request", &json!({"path": "/library/sections"}));
    assert_eq!(answer["status"], 200, "{what}: {answer}");
    let status = world.call("auth.status", &json!({}));
    assert_eq!(status["server"]["machine_identifier"], "m1", "{what}: {status}");
}

/// Whatever became of the call, the next one does its work, and cleans up.
#[track_caller]
fn assert_is_asked_in_the_end(world: &World, what: &str) {
    world.scene(9, &["z"]);
    // For a minute after it was away a hook leaves Plex alone.
    let outcome = &world.output(&world.hook(9))["outcome"];
    assert!(["asked", "waiting"].iter().any(|fine| outcome == fine), "{what}: {outcome}");
    world.all_is_sent();
    assert!(asked(world, "z"), "{what}");
}

impl Story {
    /// The end of this story is the beginning of another.
    fn get_ready(&self, world: &World) {
        (self.prepare)(world);
        let told = world.ask_behind(&[], &(self.line)(world));
        assert!(result(&told).is_some(), "{told:?}");
    }

    /// In this world, which is fresh.
    pub(crate) fn begin(&self, world: &World) {
        (self.prepare)(world);
    }

    pub(crate) fn line(&self, world: &World) -> String {
        (self.line)(world)
    }
}

impl Case for Story {
    type Ground = World;

    fn name(&self) -> &str {
        self.name
    }

    fn prepared(&self) -> World {
        let world = World::new();
        (self.prepare)(&world);
        world
    }

    fn data<'g>(&self, world: &'g World) -> &'g Path {
        &world.data
    }

    fn act(&self, world: &World, prefix: &[&str]) -> Told {
        world.ask_behind(prefix, &(self.line)(world))
    }

    fn judge(&self, world: &World, (told, took): (&Told, Duration), what: &str) {
        assert!(took < HANGS, "{what}: it took {took:?}");
        // An error that says why it is internal is no panic.
        let is_internal = |reply: &Value| {
            reply["error"]["message"].as_str().is_some_and(|told| told.contains("see the log"))
        };
        let is_broken = told.panicked() || told.replies.iter().any(is_internal);
        assert!(!is_broken || hit_the_runtime(told), "{what}: {told:?}");
        world.assert_sound(&[told], what);
        (self.after)(world, told, what);
        world.assert_sound(&[], what);
        world.assert_tidy(what);
    }

    fn calls(&self) -> usize {
        1
    }
}
