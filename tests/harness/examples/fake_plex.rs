//! A Plex for tests in other languages: prints how to reach it, then a line for every device that Plex announces, until
//! stdin ends.
//!
//! ```sh
//! cargo run -p plexsync-harness --example fake_plex
//! ```
//!
//! `GET URL/__fake/requests` (and `devices`, `events`, `scans`) returns what it has seen, as JSON.
#![expect(clippy::disallowed_methods, reason = "a program has its own streams")]

use std::io::{self, Read, Write};
use std::thread;
use std::time::Duration;

use plexsync_harness::FakePlex;

/// How often the list is looked at.
const LOOK: Duration = Duration::from_millis(100);

fn main() -> io::Result<()> {
    serve(io::stdin(), io::stdout())
}

/// Serves until `input` ends.
pub(crate) fn serve(
    mut input: impl Read + Send + 'static,
    mut output: impl Write,
) -> io::Result<()> {
    let plex = FakePlex::start();
    // The conversations in `protocol/transcripts` need a path that never answers.
    plex.hold_on("/slow");
    writeln!(output, "PLEX_URL={}\nPLEX_TOKEN={}", plex.url(), plex.token())?;
    output.flush()?;
    let end = thread::spawn(move || io::copy(&mut input, &mut io::sink()));
    let mut shown = 0;
    loop {
        let is_last = end.is_finished();
        for event in plex.events().iter().skip(shown) {
            let identifier = event.identifier.as_deref().unwrap_or("no identifier");
            writeln!(output, "{event}: {identifier}")?;
            output.flush()?;
            shown += 1;
        }
        if is_last {
            return Ok(());
        }
        thread::sleep(LOOK);
    }
}
