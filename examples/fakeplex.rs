//! A Plex to develop against, in any language: a media server and a plex.tv on the loopback, which misbehave on demand.
//!
//! ```sh
//! cargo run --example fakeplex
//! ```
//!
//! It prints the variables to start a worker with, then a line for each request and each new device. Enter a code that
//! `auth.start` or `plexsync-worker login` shows, as a user does on plex.tv/link: it is claimed. Ctrl-D or Ctrl-C ends.
#![expect(clippy::print_stdout, reason = "a program that tells what it sees")]

use std::io::BufRead;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use plexsync_harness::fake_plex_tv::Resource;
use plexsync_harness::http::Request;
use plexsync_harness::{FakePlex, FakePlexTv};

/// How often it looks for what is new.
const LOOK: Duration = Duration::from_millis(100);

#[expect(clippy::disallowed_methods, reason = "a program reads its input")]
fn main() {
    let (plex, tv) = (Arc::new(FakePlex::start()), Arc::new(FakePlexTv::start()));
    tv.set_resources(vec![Resource::of(&plex, "Attic")]);
    println!("export PLEX_URL={} PLEX_TOKEN={}", plex.url(), plex.token());
    println!("export PLEXSYNC_PLEX_TV={}   # to sign in, leave the two above out", tv.url());
    thread::spawn({
        let (plex, tv) = (Arc::clone(&plex), Arc::clone(&tv));
        move || tell(&plex, &tv)
    });
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let code = line.trim().to_uppercase();
        match tv.claim(&code, "alice") {
            _ if code.is_empty() => {}
            true => println!("{code} is claimed: alice is signed in"),
            false => println!("{code} is no code that waits; there are: {}", tv.codes().join(", ")),
        }
    }
}

/// Tells each request and each new device, in the order of arrival.
fn tell(plex: &FakePlex, tv: &FakePlexTv) {
    let (mut seen, mut seen_by_tv, mut events) = (0, 0, 0);
    loop {
        let requests = plex.requests();
        requests.iter().skip(seen).for_each(|request| show("plex", request));
        seen = requests.len();
        let requests = tv.requests();
        requests.iter().skip(seen_by_tv).for_each(|request| show("plex.tv", request));
        seen_by_tv = requests.len();
        let all = plex.events();
        all.iter().skip(events).for_each(|event| println!("{event}"));
        events = all.len();
        thread::sleep(LOOK);
    }
}

fn show(who: &str, request: &Request) {
    let device = request.header("X-Plex-Client-Identifier").unwrap_or("nobody");
    println!("{who}: {} {} from {device}", request.method, request.target);
}
