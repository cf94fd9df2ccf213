//! The program in a shell: real shells complete its arguments, `call` takes words, every manual page that is named exists.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use plexsync_harness::fake_plex::Fault;
use plexsync_harness::{FakePlex, skip};

use crate::{host, worker};

/// What a shell prints for `script`, with this program as `plexsync-worker`; none if the shell is not installed.
fn in_shell(shell: &str, arguments: &[&str], script: &str) -> Option<String> {
    let folder = worker().parent().map(Path::to_path_buf).unwrap_or_default();
    let script = format!("export PATH='{}':$PATH; {script}", folder.display());
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(shell);
    command.args(arguments).arg(script).env("HOME", home.path());
    match command.output() {
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{shell}: {errors}");
            Some(String::from_utf8_lossy(&output.stdout).into_owned())
        }
        Err(_) => {
            skip(format!("{shell} is not installed"));
            None
        }
    }
}

/// Words that must be offered after a beginning of a line.
const OFFERED: [(&str, &[&str]); 4] = [
    ("call", &["identity.get", "plex.request", "doctor.run"]),
    ("identity", &["show", "adopt", "reset"]),
    ("completions", &["bash", "fish", "zsh"]),
    ("", &["call", "doctor", "identity"]),
];

fn offers(shell: &str, ask: impl Fn(&str, &str) -> Option<String>) {
    for (words, expected) in OFFERED {
        let Some(offered) = ask(words, expected[0]) else { return };
        let offered: BTreeSet<_> = offered.split_whitespace().collect();
        for word in expected {
            assert!(offered.contains(word), "{shell}, `{words}`: {offered:?}");
        }
    }
}

#[test]
fn bash_completes() {
    offers("bash", |words, _| {
        let script = format!(
            "source <(plexsync-worker completions bash); COMP_WORDS=(plexsync-worker {words} ''); \
             COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); _plexsync__worker plexsync-worker '' '{words}'; \
             echo ${{COMPREPLY[@]}}"
        );
        in_shell("bash", &["-c"], &script)
    });
}

#[test]
fn fish_completes() {
    offers("fish", |words, _| {
        let words = if words.is_empty() { String::new() } else { format!("{words} ") };
        let script = format!(
            "plexsync-worker completions fish | source; complete -C 'plexsync-worker {words}'"
        );
        in_shell("fish", &["-c"], &script)
    });
}

/// zsh completes on a terminal only; here its functions for it say what they would offer.
#[test]
fn zsh_completes() {
    if Command::new("zsh").arg("--version").output().is_err() {
        return skip("zsh is not installed");
    }
    offers("zsh", |words, first| {
        let words = if words.is_empty() { String::new() } else { format!("{words} ") };
        let script = format!(
            "zmodload zsh/zpty; zpty z 'zsh -f -i'; \
             zpty -w z 'PROMPT=; autoload -Uz compinit; compinit -u -D; \
             source <(plexsync-worker completions zsh); compdef _plexsync-worker plexsync-worker; \
             zstyle \":completion:*\" list-colors no=; LISTMAX=0; echo REA\"\"DY'; \
             zpty -r -m z line '*READY*'; zpty -w -n z 'plexsync-worker {words}'$'\\t\\t'; \
             zpty -r -m z line '*{first}*'; sleep 1; print -r -- $line; \
             while zpty -r -t z line; do print -r -- $line; done"
        );
        // A list that never comes would be waited for without end.
        let shown = in_shell("timeout", &["60", "zsh", "-f", "-c"], &script)?;
        // What steers the terminal is no word.
        let mut plain = String::new();
        let mut letters = shown.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\u{1b}' => drop(letters.by_ref().find(char::is_ascii_alphabetic)),
                letter if letter.is_control() => plain.push(' '),
                letter => plain.push(letter),
            }
        }
        Some(plain)
    });
}

#[test]
fn the_shell_s_own_name_is_the_default_and_another_one_is_named() {
    let scripts = host().env("SHELL", "/usr/bin/fish").arg("completions").run("");
    assert!(scripts.stdout.starts_with("# Print an optspec"), "{}", scripts.stdout);
    let refused = host().env("SHELL", "/bin/ksh").arg("completions").run("");
    assert_eq!(refused.status.code(), Some(2));
    assert!(refused.stderr.contains("none of: bash"), "{}", refused.stderr);
}

#[test]
fn every_manual_page_that_is_named_exists() {
    let mut open = vec![Vec::new()];
    let mut seen = 0;
    while let Some(names) = open.pop() {
        let output = host().arg("man").args(&names).run("");
        assert!(output.status.success(), "{names:?}: {}", output.stderr);
        let page = output.stdout.replace("\\-", "-");
        assert!(page.contains(".SH NAME"), "{names:?}");
        let name = [&["plexsync-worker".to_owned()], &names[..]].concat().join("-");
        for rest in page.split(&format!("{name}-")).skip(1) {
            let Some((next, _)) = rest.split_once("(1)") else { continue };
            if next.chars().all(|letter| letter.is_ascii_lowercase()) {
                open.push([&names[..], &[next.to_owned()]].concat());
            }
        }
        seen += 1;
    }
    assert!(seen > 8, "{seen}");
    let whole = host().arg("man").run("").stdout;
    for heading in ["FILES", "ENVIRONMENT", "EXIT STATUS", "EXAMPLES"] {
        assert!(whole.contains(heading), "{heading}");
    }
    let unknown = host().args(["man", "nonsense"]).run("");
    assert_eq!(unknown.status.code(), Some(2));
    assert!(unknown.stderr.contains("`nonsense` is not a command"), "{}", unknown.stderr);
}

#[test]
fn params_are_words_or_one_object() {
    let plex = FakePlex::start();
    let call = |arguments: &[&str]| {
        let typed = host().plex(&plex).args(["call", "plex.request"]).args(arguments).run("");
        assert!(typed.status.success(), "{arguments:?}: {}", typed.stderr);
        plex.requests().pop().unwrap()
    };
    let asked = call(&[
        "path=/library/sections/1/all",
        "query:={\"type\": 1, \"a\": \"b=c\"}",
        "retries:=0",
    ]);
    assert_eq!(asked.path(), "/library/sections/1/all");
    assert_eq!(asked.query_value("a").as_deref(), Some("b=c"));
    assert_eq!(call(&["path=/a=b?c=:=d"]).target, "/a=b?c=:=d");
    assert_eq!(call(&["{\"path\": \"/identity\"}"]).path(), "/identity");
    for (arguments, told) in [
        (&["path=/", "method"][..], "param `2` is none: expected words such as"),
        (&["=x"], "param `1` is none"),
        (&["path=/", "path=/identity"], "`path` is given twice"),
        (&["retries:=no"], "`retries:=` is followed by invalid JSON"),
        (&["path=/", "token=abc"], "`PLEX_TOKEN`"),
        (&["path=/", "token:=\"abc\""], "`PLEX_TOKEN`"),
    ] {
        let refused = host().plex(&plex).args(["call", "plex.request"]).args(arguments).run("");
        assert_eq!(
            (refused.status.code(), refused.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(
            refused.stderr.contains(told) && !refused.stderr.contains("abc"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn a_script_gets_the_body_and_a_failure() {
    let plex = FakePlex::start();
    let call = |arguments: &[&str]| host().plex(&plex).args(["call"]).args(arguments).run("");
    let json = call(&["plex.request", "path=/identity", "--fail", "--body"]);
    assert!(json.stdout.starts_with("{\n  \"MediaContainer\": {"), "{}", json.stdout);
    let text = call(&["plex.request", "path=/identity", "parse=text", "--body"]);
    assert!(text.stdout.starts_with("{\"MediaContainer\":{"), "{}", text.stdout);
    let bytes = call(&["plex.request", "path=/photo/:/transcode", "parse=base64", "--body"]);
    assert!(bytes.stdout.contains("JFIF"), "{}", bytes.stdout);
    assert_eq!(call(&["plex.request", "path=/identity", "parse=none", "--body"]).stdout, "");
    plex.fault(Fault::answer(503, &[], "<h1>Maintenance</h1>").always().on("/library"));
    let refused = call(&["plex.request", "path=/library/sections", "retries:=0"]);
    assert!(refused.status.success(), "{}", refused.stderr);
    let refused = call(&["plex.request", "path=/library/sections", "retries:=0", "--fail"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.contains("\"status\": 503"), "{}", refused.stdout);
    assert!(refused.stderr.contains("status `503`"), "{}", refused.stderr);
    let data = tempfile::tempdir().unwrap();
    for flag in ["--body", "--fail"] {
        let other = host().data_dir(data.path()).args(["call", "identity.reset", flag]).run("");
        assert_eq!(other.status.code(), Some(2));
        assert!(other.stderr.contains("answers of `plex.request`"), "{}", other.stderr);
    }
    let made = std::fs::read_dir(data.path()).unwrap().count();
    assert_eq!(made, 0, "nothing is reset before the flags are read");
}
