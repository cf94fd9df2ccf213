//! What a person types: `call`, `identity`, and what clap gives away with them.

use plexsync_harness::host::Output;
use plexsync_harness::{FakePlex, HostBuilder};
use serde_json::Value;

use crate::host;

#[test]
fn a_call_prints_its_result() {
    let plex = FakePlex::start();
    let typed = host().plex(&plex).args(["call", "plex.request"]);
    let params = r#"{"path": "/identity"}"#;
    for output in [typed.clone().arg(params).run(""), typed.arg("-").run(params)] {
        assert!(output.status.success(), "{}", output.stderr);
        let result: Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(result["status"], 200);
        assert!(output.stdout.starts_with("{\n  \""), "{}", output.stdout);
        assert!(!output.stdout.contains('\x1b'), "{}", output.stdout);
    }
}

#[test]
fn a_call_and_a_host_are_the_same_device() {
    let typed = host();
    let output = typed.clone().args(["call", "identity.get"]).run("");
    let result: Value = serde_json::from_str(&output.stdout).unwrap();
    let mut host = typed.start();
    assert_eq!(host.call("identity.get", Value::Null).unwrap()["device_id"], result["device_id"]);
}

#[test]
fn a_failure_is_1_and_a_mistake_is_2() {
    for (arguments, code, told) in [
        (vec!["call", "identity.gte"], 2, "a similar value exists: 'identity.get'"),
        (vec!["identity.get"], 2, "`plexsync-worker call identity.get`"),
        (vec!["--plex-token", "abc"], 2, "can read a token on the command line"),
        (vec!["call", "plex.request", r#"{"path": 1}"#], 1, "/path"),
        (vec!["call", "plex.request", r#"{"path": "/identity"}"#], 1, "(-32014)"),
        (vec!["call", "plex.request", "{path}"], 2, "the params are invalid JSON"),
        (vec!["call", "plex.request", r#"{"path": "/", "token": "abc"}"#], 2, "`PLEX_TOKEN`"),
        (vec!["call", "plex.request", r#"{"path": "/", "\u0074oken": "abc"}"#], 2, "`PLEX_TOKEN`"),
        (vec!["call", "plex.request", r#"[{"path": "/", "token": "abc"}]"#], 2, "`PLEX_TOKEN`"),
        (vec!["call", "plex.request", r#"{"path": "/", "token": ""}"#], 1, "(-32014)"),
        (vec!["--log", "silly"], 2, "`warn`"),
        (vec!["--max-message", "0"], 2, "0 is not in 64.."),
        (vec!["call"], 2, "<METHOD>"),
        (vec!["--plex-ulr", "x"], 2, "--plex-url"),
    ] {
        let output = host().args(&arguments).run("");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", output.stderr);
        assert!(output.stderr.contains(told), "{arguments:?}: {}", output.stderr);
        assert_eq!(output.stdout, "", "{arguments:?}");
    }
}

#[test]
fn a_token_comes_by_stdin_and_too_much_of_it_is_named() {
    let plex = FakePlex::start();
    let typed = host().env("PLEX_URL", plex.url()).args(["call", "plex.request", "-"]);
    let params = serde_json::json!({"path": "/library/sections", "token": plex.token()});
    let output = typed.clone().run(params.to_string());
    assert!(output.stdout.contains("\"status\": 200"), "{}", output.stderr);
    let output = typed.args(["--max-message", "64"]).run(format!("{:>65}", params.to_string()));
    assert_eq!(output.status.code(), Some(2));
    assert!(
        output.stderr.contains("longer than `64` bytes: raise `--max-message`"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_level_in_the_environment_that_is_none_is_one_warning() {
    let logged = |name: &str, level: &str| {
        let mut host = host().env(name, level).start();
        host.notify("plex.nonsense", Value::Null);
        host.call("identity.get", Value::Null).unwrap();
        host.close_stdin();
        host.wait_exit(plexsync_harness::host::PATIENCE);
        host.stderr()
    };
    for level in ["warning", "verbose", "silly"] {
        let log = logged("PLEXSYNC_LOG", level);
        assert_eq!(log.matches("`PLEXSYNC_LOG` is not a log level").count(), 1, "{log}");
        assert!(log.contains("plex.nonsense"), "what failed is logged all the same: {log}");
    }
    let log = logged("RUST_LOG", "myapp=debug,hyper=off");
    assert!(log.contains("plex.nonsense") && !log.contains("RUST_LOG"), "{log}");
    assert!(!logged("RUST_LOG", "plexsync_worker=off").contains("plex.nonsense"));
}

/// `docker exec` of a command in Stash's container means the plugin's identity.
#[test]
fn a_program_beside_the_manifest_uses_the_plugins_data() {
    // A copy made here could still be open for writing in the child of another test's thread, and then not be started.
    let plugin = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = plugin.path().join("plexsync-worker");
    std::fs::hard_link(crate::worker(), &program).unwrap();
    std::fs::write(plugin.path().join("plexsync.yml"), "name: PlexSync").unwrap();
    let typed = host().without_data_dir().binary(program).env("HOME", plugin.path());
    let output = typed.args(["identity", "show"]).run("");
    let data = plugin.path().canonicalize().unwrap().join("data");
    // Windows' long form of a path, which the program does not show.
    let shown = data.display().to_string().replace(r"\\?\", "");
    let whose = format!("data folder `{shown}`, device `{}`", printed_id(&output));
    assert_eq!(output.stderr.lines().next(), Some(&*whose));
    assert!(data.join("device_id.json").is_file());
}

#[test]
fn bash_completes_subcommands() {
    let script = host().args(["completions", "bash"]).run("").stdout;
    let complete = |words: &str, index: usize| {
        let asked = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={index}; _plexsync__worker plexsync-worker \
             \"${{COMP_WORDS[{index}]}}\" \"${{COMP_WORDS[{}]}}\"; echo \"${{COMPREPLY[*]}}\"",
            index - 1
        );
        let output = std::process::Command::new("bash").arg("-c").arg(asked).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    match complete("plexsync-worker identity ''", 2) {
        Err(_) => plexsync_harness::skip("bash is not installed"),
        Ok(offered) => {
            for word in ["show", "adopt", "reset"] {
                assert!(offered.contains(word), "{offered}");
            }
        }
    }
}

#[test]
fn help_is_a_subcommand_too() {
    for arguments in [&["help"][..], &["help", "doctor"], &["doctor", "--help"]] {
        let output = host().args(arguments).run("");
        assert!(output.status.success() && output.stdout.contains("Usage:"), "{}", output.stderr);
    }
}

#[test]
fn the_version_names_the_contract_s() {
    let output = host().arg("--version").run("");
    let (own, contract) = (env!("CARGO_PKG_VERSION"), plexsync_protocol::CONTRACT_VERSION);
    let expected = format!("plexsync-worker {own} (contract {contract})\n");
    assert_eq!(output.stdout, expected);
}

#[test]
fn completions_and_the_manual_know_every_command() {
    for arguments in [vec!["completions", "bash"], vec!["completions", "zsh"], vec!["man"]] {
        let output = host().args(&arguments).run("");
        assert!(output.status.success(), "{}", output.stderr);
        for word in ["call", "completions", "data"] {
            assert!(output.stdout.contains(word), "{arguments:?}: `{word}`");
        }
    }
}

#[test]
fn the_printed_document_is_the_one_that_hosts_discover() {
    let output = host().arg("openrpc").run("");
    let printed: Value = serde_json::from_str(&output.stdout).unwrap();
    let discovered = host().args(["call", "rpc.discover"]).run("");
    assert_eq!(printed, serde_json::from_str::<Value>(&discovered.stdout).unwrap());
}

/// The id that a command has printed.
fn printed_id(output: &Output) -> String {
    assert!(output.status.success(), "{}", output.stderr);
    let result: Value = serde_json::from_str(&output.stdout).unwrap();
    result["device_id"].as_str().unwrap().to_owned()
}

#[test]
fn an_id_is_adopted_and_shown() {
    let typed = host();
    let first = printed_id(&typed.clone().args(["identity", "show"]).run(""));
    let output = typed.clone().args(["identity", "adopt", "0x1b210a0b0c"]).run("");
    assert_eq!(printed_id(&output), "0x1b210a0b0c");
    assert!(output.stderr.contains("Plex will show `0x1b210a0b0c` as a new"), "{}", output.stderr);
    assert!(output.stderr.starts_with("data folder `"), "{}", output.stderr);
    assert!(output.stderr.contains(&first), "{}", output.stderr);
    assert_eq!(printed_id(&typed.clone().args(["identity", "show"]).run("")), "0x1b210a0b0c");
    let again = typed.clone().args(["identity", "adopt", "0x1b210a0b0c"]).run("");
    assert!(again.stderr.contains("nothing new"), "{}", again.stderr);
    let output = typed.clone().args(["identity", "adopt"]).run("");
    assert!(output.stderr.contains("--from-plexapi"), "{}", output.stderr);
    for arguments in [&["identity", "adopt"][..], &["identity", "adopt", "ü"], &["identity"]] {
        assert_eq!(typed.clone().args(arguments).run("").status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn the_id_of_python_plexapi_is_found_where_it_looks_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (home, file) = (folder.path().join("home"), folder.path().join("plexapi.ini"));
    let default = home.join(".config/plexapi");
    std::fs::create_dir_all(&default).unwrap();
    std::fs::write(default.join("config.ini"), "[header]\nidentifier = at-home\n").unwrap();
    std::fs::write(&file, "[auth]\nidentifier = none\n[header]\nIdentifier: named\n").unwrap();
    let adopt = |builder: HostBuilder| {
        builder.env("HOME", &home).args(["identity", "adopt", "--from-plexapi"]).run("")
    };
    assert_eq!(printed_id(&adopt(host())), "at-home");
    let named = host().env("PLEXAPI_CONFIG_PATH", &file);
    assert_eq!(printed_id(&adopt(named.clone())), "named");
    let output = adopt(named.env("PLEXAPI_HEADER_IDENTIFIER", "variable"));
    assert_eq!(printed_id(&output), "variable");
    assert!(output.stderr.contains("`PLEXAPI_HEADER_IDENTIFIER`"), "{}", output.stderr);

    let builder = host().env("PLEXAPI_CONFIG_PATH", folder.path());
    let output = adopt(builder);
    assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
    assert!(output.stderr.contains("can't be read"), "{}", output.stderr);
}

#[test]
fn a_reset_is_made_only_by_whoever_says_so() {
    let typed = host();
    let first = printed_id(&typed.clone().args(["identity", "show"]).run(""));
    for answer in ["", "y\n"] {
        let output = typed.clone().args(["identity", "reset"]).run(answer);
        assert_eq!(output.status.code(), Some(2), "{}", output.stderr);
        assert!(output.stderr.contains("`--yes`"), "{}", output.stderr);
    }
    assert_eq!(printed_id(&typed.clone().args(["identity", "show"]).run("")), first);
    let output = typed.clone().args(["identity", "reset", "--yes"]).run("");
    assert!(output.stderr.contains("a new device once"), "{}", output.stderr);
    assert_ne!(printed_id(&output), first);
}

#[test]
fn a_failure_is_told_the_same_way_by_every_command() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("device_id.json")).unwrap();
    let typed = host().data_dir(folder.path());
    let called = typed.clone().args(["call", "identity.get"]).run("");
    let shown = typed.args(["identity", "show"]).run("");
    assert!(called.stderr.contains("(-32001)"), "{}", called.stderr);
    assert!(called.stderr.contains("\"path\""), "{}", called.stderr);
    assert_eq!((called.status, called.stderr), (shown.status, shown.stderr));
}
