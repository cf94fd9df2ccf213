use super::*;
use crate::secret::Secret;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn lines(chosen: Option<Format>, level: &str) -> (Lines, Written) {
    let written = Written::default();
    let secrets = Secrets::default();
    secrets.remember(&Secret::new("s3cret/tok+n=="));
    let lines = Lines {
        level: super::level(level).unwrap(),
        chosen,
        guess: Format::Text,
        secrets,
        log: Log::default(),
        writer: Mutex::new(Box::new(written.clone())),
        dropped: AtomicU64::new(0),
    };
    (lines, written)
}

fn logged(format: Format, level: &str, act: impl FnOnce()) -> String {
    let (lines, written) = lines(Some(format), level);
    tracing::subscriber::with_default(lines, act);
    String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn each_format_has_its_line() {
    let act = || tracing::warn!(path = "/a", "two\nlines");
    assert_eq!(logged(Format::Text, "info", act), "WARN  two lines path=/a\n");
    assert_eq!(logged(Format::Stash, "info", act), "\u{1}w\u{2}two lines path=/a\n");
    let json: serde_json::Value = serde_json::from_str(&logged(Format::Json, "info", act)).unwrap();
    assert_eq!(
        (&json["message"], &json["path"], &json["level"]),
        (&"two\nlines".into(), &"/a".into(), &"warn".into())
    );
}

#[test]
fn secrets_are_taken_out_in_every_spelling_and_format() {
    for format in [Format::Text, Format::Json, Format::Stash] {
        for spelling in [
            "s3cret/tok+n==",
            "s3cret%2Ftok%2Bn%3D%3D",
            "czNjcmV0L3RvaytuPT0=",
            "czNjcmV0L3RvaytuPT0",
        ] {
            let line = logged(format, "info", || tracing::info!(url = spelling, "{spelling}"));
            assert!(!line.contains(spelling) && line.contains("REDACTED"), "{line}");
        }
    }
}

#[test]
fn a_chosen_format_stays_and_a_guess_gives_way() {
    for (chosen, before, after) in
        [(Some(Format::Json), Format::Json, Format::Json), (None, Format::Text, Format::Stash)]
    {
        let (lines, _) = lines(chosen, "info");
        assert_eq!(lines.format(), before);
        lines.log.use_stash_format();
        assert_eq!(lines.format(), after);
    }
}

#[test]
fn a_level_is_one_of_six_words() {
    for (text, expected) in [
        ("off", LevelFilter::OFF),
        ("ERROR", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("Info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ] {
        assert_eq!(level(text), Ok(expected));
    }
    for text in ["", " ", "silly", "warning", "verbose", "3", "info,", "plexsync=info"] {
        assert!(level(text).unwrap_err().contains("`warn`"), "{text}");
    }
}

#[test]
fn rust_log_is_read_for_this_program_only() {
    for (text, expected) in [
        ("debug", Some(LevelFilter::DEBUG)),
        ("plexsync_worker=debug", Some(LevelFilter::DEBUG)),
        ("plexsync-worker=warn", Some(LevelFilter::WARN)),
        ("plexsync-worker", Some(LevelFilter::TRACE)),
        ("plexsync_worker::http=trace", Some(LevelFilter::TRACE)),
        ("plexsync_worker=debug,warn", Some(LevelFilter::DEBUG)),
        ("error,hyper=trace", Some(LevelFilter::ERROR)),
        ("myapp=debug", None),
        ("myapp", None),
        ("myapp=off,hyper=error", None),
        ("info/a pattern,off", Some(LevelFilter::INFO)),
        (" , ", None),
    ] {
        assert_eq!(level_of_rust_log(text), Ok(expected), "{text}");
    }
    assert!(level_of_rust_log("plexsync_worker=silly").is_err());
}

#[test]
fn progress_is_a_number_for_stash() {
    assert_eq!(
        logged(Format::Stash, "info", || tracing::info!(progress = 0.25, "a")),
        "\u{1}p\u{2}0.25\n"
    );
}

#[test]
fn no_line_is_too_long_for_stash() {
    let line = logged(Format::Stash, "info", || tracing::info!("{}", "é".repeat(100_000)));
    assert!(line.len() <= MAX_LINE + 1 && line.ends_with('\n'));
}

#[test]
fn only_own_events_of_the_level_are_written() {
    assert_eq!(logged(Format::Text, "info", || tracing::debug!("x")), "");
    assert_eq!(logged(Format::Text, "trace", || tracing::info!(target: "rpc", "x")), "");
    assert_eq!(logged(Format::Text, "trace", || tracing::info!(target: "hyper", "x")), "");
    assert_ne!(logged(Format::Text, "trace", || tracing::trace!("x")), "");
}
