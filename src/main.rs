//! The program; [`plexsync_worker::run`] says what it does.

fn main() -> std::process::ExitCode {
    plexsync_worker::run()
}
