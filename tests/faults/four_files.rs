//! The account's files and the outbox beyond single system calls: races, power cuts, full disks, other owners, odd
//! things in their places, and the disks that people have.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionread;
use serde_json::json;

use crate::answer::{NOBODY, listing, make, set_mode};
use crate::case::Case;
use crate::fuse::{Fuse, LIARS, SERVERS, Server};
use crate::mount::Mount;
use crate::power::lose_power;
use crate::rig::{Told, have, is_root, row, runs};
use crate::story::{self, Story, asked};
use crate::talk::{Process, wait_until};
use crate::world::{World, line, told};

/// What many processes do at once in a world, and what holds then. Tells a figure: requests that were not needed.
type Race = (&'static str, fn(&World, &[&str], usize) -> usize);

const RACES: [Race; 6] = [
    ("each begins a sign-in", begin),
    ("each completes the sign-in", complete),
    ("each chooses a server", choose),
    ("half choose a server, half sign out", choose_and_leave),
    ("each notes a folder of its own while Plex is off", note),
    ("each sends what waits", send),
];

fn begin(world: &World, prefix: &[&str], count: usize) -> usize {
    let told = told(world.start(prefix, count, |_| line("auth.start", &json!({}))));
    let code = |told: &Told| told.reply(1).unwrap()["result"]["user_code"].to_string();
    let codes: BTreeSet<_> = told.iter().map(code).collect();
    assert_eq!(codes.len(), 1, "{told:?}");
    assert_eq!(world.tv.requests_of("POST", "/api/v2/pins").len(), 1);
    0
}

fn complete(world: &World, prefix: &[&str], count: usize) -> usize {
    world.claimed();
    let told = told(world.start(prefix, count, |_| line("auth.finish", &json!({}))));
    for told in &told {
        let is_signed_in = told.reply(1).unwrap()["result"]["signed_in"] == true;
        assert!(is_signed_in, "{told:?}");
    }
    assert_eq!(world.call("auth.status", &json!({}))["token_state"], "valid");
    let asked = world.tv.requests_of("GET", "/api/v2/pins/").len();
    asked - 1
}

fn choose(world: &World, prefix: &[&str], count: usize) -> usize {
    world.signed_in();
    let params = json!({"server": "Box", "timeout_ms": 25_000});
    let told = told(world.start(prefix, count, |_| line("server.choose", &params)));
    for told in &told {
        assert_eq!(told.reply(1).unwrap()["result"]["machine_identifier"], "m1", "{told:?}");
    }
    let told_so = told.iter().any(|told| told.reply(1).unwrap()["result"]["warning"].is_null());
    let list = world.call("server.list", &json!({}));
    assert!(!told_so || list["servers"][0]["chosen"] == true, "{told:?}, then {list}");
    0
}

/// What was chosen goes with the sign-in: nothing of it comes back.
fn choose_and_leave(world: &World, prefix: &[&str], count: usize) -> usize {
    world.signed_in();
    let params = json!({"server": "Box", "timeout_ms": 25_000});
    let told = told(world.start(prefix, count, |number| match number % 2 {
        0 => line("server.choose", &params),
        _ => line("auth.logout", &json!({})),
    }));
    assert!(told.iter().any(|told| told.reply(1).unwrap()["result"]["signed_in"] == false));
    let files: Vec<_> = listing(&world.data);
    let left = files.iter().filter(|name| story::ACCOUNT_S.contains(&name.as_str()));
    assert_eq!(left.count(), 0, "{files:?} after a sign-out: {told:?}");
    0
}

fn note(world: &World, prefix: &[&str], count: usize) -> usize {
    let names: Vec<_> = (0..count).map(|number| format!("f{number}")).collect();
    (0..).zip(&names).for_each(|(id, name)| world.scene(id + 1, &[name]));
    world.plex_goes_away();
    let told = told(world.start(prefix, count, |number| world.hook(number as u64 + 1)));
    for told in &told {
        assert_eq!(told.reply(0).unwrap()["result"]["output"]["outcome"], "waiting", "{told:?}");
        assert!(!story::said_it_forgets(told), "{told:?}");
    }
    // A disk that keeps its listings for a while may show a note beside the file only later.
    wait_until("each folder is asked for", || {
        world.all_is_sent();
        names.iter().all(|name| asked(world, name))
    });
    world.asked().len().saturating_sub(count)
}

fn send(world: &World, prefix: &[&str], count: usize) -> usize {
    let names: Vec<_> = (0..12).map(|number| format!("f{number}")).collect();
    world.scene(1, &names.iter().map(String::as_str).collect::<Vec<_>>());
    world.plex_goes_away();
    assert_eq!(world.output(&world.hook(1))["outcome"], "waiting");
    world.plex.no_faults();
    let told = told(world.start(prefix, count, |_| world.send()));
    world.all_is_sent();
    for name in &names {
        assert!(asked(world, name), "`{name}` is lost: {told:?}");
    }
    world.asked().len() - names.len()
}

fn race((name, race): Race, world: &World, prefix: &[&str], count: usize) -> usize {
    println!("{name}");
    let figure = race(world, prefix, count);
    world.assert_sound(&[], name);
    // The next writers clean up.
    world.call("auth.logout", &json!({}));
    world.plex.no_faults();
    world.scene(99, &["last"]);
    world.output(&world.hook(99));
    world.assert_tidy(name);
    figure
}

/// A lock that each process is told that it has.
const NO_LOCK: [&str; 9] =
    ["strace", "-f", "-o", "/dev/null", "-e", "trace=flock", "-e", "inject=flock:retval=0", "--"];
/// A pause before each lock is taken.
const LATE: [&str; 8] = [
    "strace",
    "-f",
    "-o",
    "/dev/null",
    "-e",
    "trace=flock",
    "-e",
    "inject=flock:delay_enter=20000",
];

#[test]
fn account_and_outbox_are_shared_by_processes_that_start_together() {
    for one in RACES {
        race(one, &World::new(), &[], 8);
    }
    if have(&["strace"]) {
        race(RACES[3], &World::new(), &LATE, 4);
    }
}

#[test]
#[ignore = "minutes"]
fn full_races_for_account_and_outbox() {
    for one in RACES {
        let more: usize = (0..20).map(|_| race(one, &World::new(), &[], 24)).sum();
        let held = "one code, no lost folder, nothing comes back, no leftovers";
        let how = format!("24 processes, tmpfs: {}", one.0);
        row("started together", &how, 20, held, &format!("0 violations, {more} needless requests"));
    }
    if !have(&["strace"]) {
        return;
    }
    for one in RACES {
        let more: usize = (0..10).map(|_| race(one, &World::new(), &LATE, 8)).sum();
        let how = format!("8 processes, strace: {}", one.0);
        let figure = format!("0 violations, {more} needless requests");
        row("each paused before it locks", &how, 10, "the same", &figure);
    }
    for one in &RACES[1..4] {
        let _more: usize = (0..10).map(|_| race(*one, &World::new(), &NO_LOCK, 8)).sum();
        let how = format!("8 processes, strace: {}", one.0);
        row("everyone is told that it has the lock", &how, 10, "the same", "0 violations");
    }
}

/// `kill -9` or a power cut some time after the call was sent; whether it had answered.
fn cut(story: &Story, world: &World, after: Duration, end: impl FnOnce(u32)) -> bool {
    story.begin(world);
    let child = world.start(&[], 1, |_| story.line(world)).remove(0);
    sleep(after);
    end(child.id());
    let told = told(vec![child]).remove(0);
    let what = format!("{}: {after:?}", story.name());
    story.judge(world, (&told, Duration::ZERO), &what);
    has_done_it(&told)
}

/// Not an answer that says why it could not.
fn has_done_it(told: &Told) -> bool {
    told.replies.iter().any(|reply| reply.get("result").is_some_and(|it| it["error"].is_null()))
}

fn kills(stories: &[Story], trials: u32) -> usize {
    let mut answered = 0;
    for story in stories {
        for trial in 0..trials {
            let world = World::new();
            let after = Duration::from_micros(u64::from(trial) * 1730 % 60_000);
            answered += usize::from(cut(story, &world, after, |id| {
                let _ended = Process::below(id).map(|process| process.signal("KILL"));
            }));
        }
    }
    answered
}

/// Cuts the power at one moment after another.
fn power_cuts(disk: &Mount, stories: &[Story], trials: u32) -> usize {
    let mut answered = 0;
    for story in stories {
        for trial in 0..trials {
            let world = World::on(disk.root());
            story.begin(&world);
            disk.sync();
            let child = world.start(&[], 1, |_| story.line(&world)).remove(0);
            sleep(Duration::from_micros(u64::from(trial) * 18_790 % 300_000));
            let is_told = ioctl_fionread(child.stdout.as_ref().unwrap()).unwrap() > 0;
            lose_power(disk, trial % 2 == 0);
            let mut told = told(vec![child]).remove(0);
            disk.again();
            // Without power nobody is told anything; a shut down xfs may call a success what is not on the disk.
            told.replies.retain(|_| is_told);
            answered += usize::from(has_done_it(&told));
            let what = format!("{}: power cut {trial}", story.name());
            story.judge(&world, (&told, Duration::ZERO), &what);
        }
    }
    answered
}

fn power() -> bool {
    is_root() && have(&["xfs_io", "mount", "umount", "losetup", "sync"])
}

#[test]
fn killed_at_any_time_account_and_outbox_go_on() {
    kills(&story::QUICK, 4);
}

#[test]
fn account_and_outbox_outlive_the_power() {
    if !power() {
        return;
    }
    if let Some(disk) = Mount::image("mkfs.ext4") {
        power_cuts(&disk, &story::LASTING, 1);
    }
}

#[test]
#[ignore = "minutes"]
fn full_kills_for_account_and_outbox() {
    let answered = kills(&story::ALL, 50);
    let held = "signed in or told why not, no lost folder, leftovers go";
    let figure = format!("0 violations, {answered} had answered");
    row("`kill -9` at random", "11 stories, 0 to 60 ms after the call", 550, held, &figure);
}

#[test]
#[ignore = "minutes"]
fn full_power_cuts_for_account_and_outbox() {
    if !power() {
        return;
    }
    for (name, mkfs) in [("ext4", "mkfs.ext4"), ("xfs", "mkfs.xfs")] {
        let Some(disk) = Mount::image(mkfs) else { continue };
        let answered = power_cuts(&disk, &story::LASTING, 20);
        let how = format!("{} stories on {name}, 0 to 300 ms after the call", story::LASTING.len());
        let held = "told is found, nothing torn or lost";
        let figure = format!("0 violations, {answered} had answered");
        row("power cut", &how, 20 * story::LASTING.len(), held, &figure);
    }
}

/// No room, for files or for bytes: it is said, and with room again everything goes on.
fn no_room(options: &str) -> Option<()> {
    for story in &story::ALL {
        let disk = Mount::memory(options)?;
        let world = World::on(disk.root());
        story.begin(&world);
        let ballast = |number: usize| disk.root().join(format!("ballast-{number}"));
        let is_full = |number: usize| fs::write(ballast(number), [1; 4096]).is_err();
        let count = (0..).find(|number| is_full(*number)).unwrap();
        let told = story.act(&world, &[]);
        (0..=count).for_each(|number| drop(fs::remove_file(ballast(number))));
        let what = format!("{}: {options}", story.name());
        story.judge(&world, (&told, Duration::ZERO), &what);
    }
    Some(())
}

/// As nobody, in a folder or with a file of root's: it is said, nothing is changed, and root goes on.
fn denied(mode: &str, file_mode: Option<&str>) {
    for story in &story::ALL {
        let world = World::new();
        story.begin(&world);
        set_mode(world.data.parent().unwrap(), "755");
        let is_closed =
            |name: &String| file_mode.is_some() && story::HOLDS.contains(&name.as_str());
        for name in listing(&world.data) {
            let mode = if is_closed(&name) { file_mode.unwrap() } else { "644" };
            set_mode(&world.data.join(&name), mode);
        }
        set_mode(&world.data, mode);
        let before = contents(&world.data);
        let told = story.act(&world, &NOBODY);
        assert!(!told.panicked() && !told.replies.is_empty(), "{}: {told:?}", story.name());
        if mode == "755" {
            assert_eq!(contents(&world.data), before, "{}: {told:?}", story.name());
        }
        set_mode(&world.data, "700");
        listing(&world.data).iter().for_each(|name| set_mode(&world.data.join(name), "600"));
        let what = format!("{} as nobody in a folder of mode {mode}", story.name());
        story.judge(&world, (&told, Duration::ZERO), &what);
    }
}

fn contents(folder: &Path) -> Vec<(String, Option<Vec<u8>>)> {
    let read = |name: String| {
        let bytes = fs::read(folder.join(&name)).ok();
        (name, bytes)
    };
    listing(folder).into_iter().map(read).collect()
}

fn read_only() -> Option<()> {
    for story in &story::ALL {
        let disk = Mount::memory("size=1m")?;
        let world = World::on(disk.root());
        story.begin(&world);
        assert!(runs("mount", &["-o", "remount,ro", disk.path()]));
        let told = story.act(&world, &[]);
        assert!(runs("mount", &["-o", "remount,rw", disk.path()]));
        let what = format!("{}: read-only", story.name());
        story.judge(&world, (&told, Duration::ZERO), &what);
    }
    Some(())
}

/// Something odd in the place of a file: how it is made there.
type Odd = (&'static str, fn(&Path));

const ODD: [Odd; 7] = [
    ("a link to another's file", |path| {
        let elsewhere = path.with_file_name("precious");
        fs::write(&elsewhere, "precious").unwrap();
        std::os::unix::fs::symlink(elsewhere, path).unwrap();
    }),
    ("a link to nowhere", |path| std::os::unix::fs::symlink("nowhere", path).unwrap()),
    ("a folder", |path| fs::create_dir(path).unwrap()),
    ("a FIFO", |path| make("mkfifo", &[], path, &[])),
    ("`/dev/zero`", |path| make("mknod", &[], path, &["c", "1", "5"])),
    ("1 TB of nothing", |path| make("truncate", &["-s", "1T"], path, &[])),
    ("half a file", |path| fs::write(path, "{\"device_id\": \"x\", \"wai").unwrap()),
];

/// In the place of each file. The worker answers, and what a link leads to stays.
fn odd((what, make): Odd) -> Duration {
    let mut longest = Duration::ZERO;
    for name in story::HOLDS {
        for story in &story::ALL {
            let world = World::new();
            story.begin(&world);
            let path = world.data.join(name);
            let _missing = fs::remove_file(&path);
            make(&path);
            let start = Instant::now();
            let limited = ["prlimit", "--data=134217728"];
            let told = story.act(&world, &limited);
            longest = longest.max(start.elapsed());
            let what = format!("{what} in the place of `{name}`: {}", story.name());
            assert!(!told.panicked() && !told.replies.is_empty(), "{what}: {told:?}");
            let precious = world.data.join("precious");
            assert!(!precious.exists() || fs::read_to_string(&precious).unwrap() == "precious");
            assert!(!world.data.join("nowhere").exists(), "{what}: written through a link");
            let _folder = fs::remove_dir(&path);
            let _file = fs::remove_file(&path);
            let _other = fs::remove_file(precious);
            // What was lost was told; a new sign-in and a new scan work.
            world.signed_in();
            world.all_is_sent();
            world.call("server.choose", &json!({"server": "Box"}));
            world.assert_sound(&[&told], &what);
            world.assert_tidy(&what);
        }
    }
    longest
}

fn denials() -> bool {
    is_root() && have(&["chmod", "mount", "umount", "setpriv"])
}

#[test]
fn account_and_outbox_say_what_keeps_them_from_their_files() {
    if !denials() {
        return;
    }
    denied("755", None);
    denied("755", Some("600"));
    denied("000", None);
    no_room("size=64k");
    read_only();
}

#[test]
fn odd_things_in_the_places_of_the_files_harm_nobody() {
    if is_root() && have(&["mkfifo", "mknod", "truncate", "prlimit"]) {
        odd(ODD[0]);
        odd(ODD[3]);
    }
}

#[test]
#[ignore = "minutes"]
fn full_denials_for_account_and_outbox() {
    if !denials() {
        return;
    }
    let held = "an error that names the file, or done without; no write; later success";
    let denials: [(&str, &str, Option<&str>); 3] = [
        ("root's folder, its files can be read; as nobody", "755", None),
        ("root's folder and files; as nobody", "755", Some("600")),
        ("a folder of mode 0000; as nobody", "000", None),
    ];
    for (how, mode, file_mode) in denials {
        (0..5).for_each(|_| denied(mode, file_mode));
        row("not to be written", &format!("11 stories: {how}"), 55, held, "0 violations");
    }
    if (0..5).all(|_| read_only().is_some()) {
        row("not to be written", "11 stories: a read-only file system", 55, held, "0 violations");
    }
    for (name, options) in [("blocks", "size=64k"), ("inodes", "size=1m,nr_inodes=24")] {
        if (0..5).all(|_| no_room(options).is_some()) {
            let how = format!("11 stories: no {name} left on tmpfs");
            row("no room", &how, 55, held, "0 violations");
        }
    }
}

#[test]
#[ignore = "minutes"]
fn full_odd_things_in_the_places_of_the_files() {
    if !is_root() || !have(&["mkfifo", "mknod", "truncate", "prlimit"]) {
        return;
    }
    for one in ODD {
        let longest = odd(one);
        let trials = story::HOLDS.len() * story::ALL.len();
        let how = format!("4 files, 11 stories: {}", one.0);
        let held = "an answer, and nothing behind a link is written";
        row(
            "in the file's place",
            &how,
            trials,
            held,
            &format!("0 violations, {longest:?} at most"),
        );
    }
}

/// All stories, one after the other, and the races, on the disks that people have.
fn on_disks(
    servers: &[Server],
    stories: &[Story],
    (races, processes): (&[Race], usize),
    mut done: impl FnMut(&str),
) {
    for server in servers {
        let Some(disk) = Fuse::mount(server) else { continue };
        println!("{}", server.name);
        for story in stories {
            let world = World::on(disk.root());
            story.begin(&world);
            let told = story.act(&world, &[]);
            let what = format!("{} on {}", story.name(), server.name);
            assert_eq!(told.replies.len(), 1, "{what}: {told:?}");
            let is_done = told.replies[0].get("result").is_some_and(|it| it["error"].is_null());
            assert!(is_done && !story::said_it_forgets(&told), "{what}: {told:?}");
            story.judge(&world, (&told, Duration::ZERO), &what);
        }
        for one in races {
            race(*one, &World::on(disk.root()), &[], processes);
        }
        done(server.name);
    }
}

#[test]
fn account_and_outbox_live_on_every_disk() {
    on_disks(&SERVERS[..3], &story::QUICK, (&[RACES[1], RACES[4]], 4), |_| {});
    on_disks(&LIARS[..1], &story::QUICK, (&RACES, 8), |_| {});
}

#[test]
#[ignore = "minutes"]
fn full_disks_for_account_and_outbox() {
    for servers in [&SERVERS[..], &LIARS[..]] {
        on_disks(servers, &story::ALL, (&RACES, 16), |name| {
            let held = "done without a word of complaint, no lost folder, no leftovers";
            row(name, "11 stories, six races of 16 processes", 17, held, "0 violations");
        });
    }
}
