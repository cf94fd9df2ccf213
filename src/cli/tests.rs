use super::options::MANIFEST;
use super::*;
use crate::target::{Given, Source};

fn options(arguments: &[&str], environment: &[(&str, &str)]) -> Options {
    let arguments = Arguments::try_parse_from(["plexsync-worker"].iter().chain(arguments)).unwrap();
    let variable = |name: &str| {
        environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
    };
    Options::new(arguments.flags, &variable, || None)
}

#[test]
fn the_arguments_are_well_formed() {
    use clap::CommandFactory;
    Arguments::command().debug_assert();
}

/// Who gave URL and token, in the order in which they count.
fn named(arguments: &[&str], environment: &[(&str, &str)]) -> Vec<[Option<&'static str>; 2]> {
    let by = |source: &Source| {
        [source.url.as_ref().map(|url| url.by), source.token.as_ref().map(|token| token.by)]
    };
    options(arguments, environment).sources.iter().map(by).collect()
}

#[test]
fn each_token_stands_beside_the_url_of_its_own_source() {
    let all = [
        ("PLEX_URL", "http://a"),
        ("PLEX_TOKEN", "a"),
        ("PLEX_TOKEN_FILE", "/b"),
        ("PLEXAPI_AUTH_SERVER_BASEURL", "http://c"),
        ("PLEXAPI_AUTH_SERVER_TOKEN", "c"),
    ];
    let of_plexapi = [Some("PLEXAPI_AUTH_SERVER_BASEURL"), Some("PLEXAPI_AUTH_SERVER_TOKEN")];
    assert_eq!(
        named(&["--plex-url", "http://d", "--plex-token-file", "/d"], &all),
        [
            [Some("--plex-url"), Some("--plex-token-file")],
            [Some("PLEX_URL"), Some("PLEX_TOKEN")],
            of_plexapi
        ]
    );
    let empty = [("PLEX_URL", ""), ("PLEX_TOKEN", " "), all[2]];
    assert_eq!(named(&[], &empty), [[None; 2], [None, Some("PLEX_TOKEN_FILE")], [None; 2]]);
    assert_eq!(named(&[], &[]), [[None; 2]; 3]);
}

#[test]
fn the_level_of_the_log() {
    for (arguments, environment, level, warned) in [
        (&[][..], &[][..], LevelFilter::INFO, false),
        (&["--log", "warn"], &[("PLEXSYNC_LOG", "trace")], LevelFilter::WARN, false),
        (&[], &[("PLEXSYNC_LOG", "Debug "), ("RUST_LOG", "trace")], LevelFilter::DEBUG, false),
        (&[], &[("PLEXSYNC_LOG", ""), ("RUST_LOG", "error")], LevelFilter::ERROR, false),
        (&[], &[("PLEXSYNC_LOG", "warning"), ("RUST_LOG", "off")], LevelFilter::INFO, true),
        (&[], &[("RUST_LOG", "myapp=debug")], LevelFilter::INFO, false),
        (&[], &[("RUST_LOG", "plexsync_worker=loud")], LevelFilter::INFO, true),
    ] {
        let options = options(arguments, environment);
        assert_eq!(options.log, level, "{environment:?}");
        assert_eq!(options.warnings.len(), usize::from(warned), "{:?}", options.warnings);
    }
}

#[test]
fn values_that_make_no_sense_are_refused() {
    for arguments in [
        ["--log", "silly"],
        ["--log", ""],
        ["--log", "plexsync=debug"],
        ["--log-format", "xml"],
        ["--wire", "both"],
        ["--max-message", "0"],
        ["--max-message", "63"],
        ["--max-message", "-1"],
        ["--max-message", "16M"],
        ["--max-message", "18446744073709551615"],
        ["--plex-url", ""],
        ["--plex-token-file", ""],
        ["--plex-token", "abc"],
        ["--data-dir", ""],
        ["--stash-plugin", ""],
    ] {
        let parsed = Arguments::try_parse_from(["plexsync-worker"].iter().chain(&arguments));
        assert_eq!(parsed.unwrap_err().exit_code(), 2, "{arguments:?}");
    }
}

#[test]
fn no_arguments_are_the_defaults() {
    let parsed = Arguments::try_parse_from(["plexsync-worker"]).unwrap();
    assert_eq!(format!("{parsed:?}"), format!("{:?}", Arguments::default()));
}

#[test]
fn the_data_folder_of_the_platform() {
    let folder = |environment: &[(&str, &str)]| {
        options(&[], environment).default_data_dir.map(|folder| folder.value)
    };
    if cfg!(target_os = "linux") {
        assert_eq!(folder(&[("HOME", "/home/a")]), Some("/home/a/.local/share/plexsync".into()));
        assert_eq!(
            folder(&[("HOME", "/home/a"), ("XDG_DATA_HOME", "/data")]),
            Some("/data/plexsync".into())
        );
        assert_eq!(
            folder(&[("HOME", "/home/a"), ("XDG_DATA_HOME", "data")]),
            Some("/home/a/.local/share/plexsync".into())
        );
    }
    assert_eq!(folder(&[]), None);
}

#[test]
fn a_program_of_the_plugin_means_the_plugins_data() {
    let plugin = tempfile::tempdir().unwrap();
    let folder = |program: &str| {
        let program = Some(plugin.path().join(program));
        Options::new(Flags::default(), &|_| None, || program).default_data_dir
    };
    assert_eq!(folder("plexsync-worker"), None);
    std::fs::write(plugin.path().join(MANIFEST), "name: PlexSync").unwrap();
    let data = Some(Given::new(plugin.path().join("data"), MANIFEST));
    assert_eq!(folder("plexsync-worker"), data);
    assert_eq!(folder("bin/plexsync-worker-linux-x86_64"), data);
    assert_eq!(folder("target/plexsync-worker"), None);
}
