use std::path::Path;

use super::*;

const NAMES: [&str; 4] =
    ["--plex-url", "PLEX_URL", "PLEXAPI_AUTH_SERVER_BASEURL", "Stash's settings"];
const HERE: &str = "http://here:32400";
const THERE: &str = "https://there:32400/plex";

/// One source for each of [`NAMES`]; each token is called after its place.
fn sources(list: &[(Option<&str>, bool)]) -> Sources {
    let source = |(place, (url, has_token)): (usize, &(Option<&str>, bool))| Source {
        url: url.map(|url| Given::new(url.to_owned(), NAMES[place])),
        token: has_token
            .then(|| Given::new(Token::Text(Secret::new(format!("token-{place}"))), NAMES[place])),
        server: None,
    };
    Sources::new(list.iter().enumerate().map(source).collect(), Secrets::default())
}

fn chosen(sources: &Sources) -> (Option<String>, Option<String>) {
    let chosen = sources.choose();
    let token = chosen.token.map(|token| token.value.unwrap().expose().to_owned());
    (chosen.url.map(|url| url.value), token)
}

#[test]
fn a_token_goes_to_the_server_of_its_own_source_or_of_none() {
    let (here, there) = (Some(HERE), Some(THERE));
    for (list, server, token) in [
        // A flag's URL and a variable's token: that belongs to the variable's URL.
        ([(here, false), (there, true), (None, false), (None, false)], here, None),
        ([(here, false), (None, true), (None, false), (None, false)], here, Some("token-1")),
        ([(here, false), (here, true), (None, false), (None, false)], here, Some("token-1")),
        // Plex's URL and python-plexapi's token.
        ([(None, false), (here, false), (there, true), (None, false)], here, None),
        ([(None, false), (here, false), (None, true), (None, false)], here, Some("token-2")),
        // A variable's URL and the settings' token.
        ([(None, false), (here, false), (None, false), (there, true)], here, None),
        ([(None, false), (here, false), (None, false), (here, true)], here, Some("token-3")),
        ([(None, false), (None, true), (None, false), (here, true)], here, Some("token-1")),
        // The token of another server is passed over, the one behind it is this server's.
        ([(here, false), (there, true), (here, true), (None, false)], here, Some("token-2")),
        ([(None, false), (None, false), (None, false), (None, true)], None, Some("token-3")),
    ] {
        let expected = (server.map(str::to_owned), token.map(str::to_owned));
        assert_eq!(chosen(&sources(&list)), expected, "{list:?}");
    }
}

#[test]
fn every_combination_of_sources_keeps_the_rule() {
    let urls = [None, Some(HERE), Some(THERE)];
    for combination in 0..6_usize.pow(4) {
        let list: Vec<_> = (0..4)
            .map(|place| combination / 6_usize.pow(place) % 6)
            .map(|digit| (urls[digit % 3], digit / 3 == 1))
            .collect();
        let sources = sources(&list);
        let (server, token) = chosen(&sources);
        let named = list.iter().find_map(|(url, _)| *url).map(str::to_owned);
        assert_eq!(server, named, "{list:?}");
        // The first source that has a token for this server, or for none, is the one.
        let fits = |url: Option<&str>| url.is_none() || url.map(str::to_owned) == server;
        let first = list.iter().position(|(url, has_token)| *has_token && fits(*url));
        assert_eq!(token, first.map(|place| format!("token-{place}")), "{list:?}");
        assert_eq!(sources.are_complete(), (server.is_some(), token.is_some()));
        let passed_over = token.is_none() && list.iter().any(|(_, has_token)| *has_token);
        assert_eq!(sources.choose().warnings.len(), usize::from(passed_over), "{list:?}");
    }
}

#[test]
fn a_server_is_the_same_however_its_url_is_written() {
    let list = [(Some("http://HERE:32400/"), false), (Some("\"http://here:32400/web\""), true)];
    assert_eq!(chosen(&sources(&list)).1.as_deref(), Some("token-1"));
    let broken = [(Some("here"), false), (Some("here"), true)];
    assert_eq!(chosen(&sources(&broken)).1.as_deref(), Some("token-1"));
    let other = [(Some("here"), false), (Some("there"), true)];
    assert_eq!(chosen(&sources(&other)).1, None);
}

#[test]
fn the_first_token_decides_even_if_it_is_broken() {
    let token = |token, by| Source { token: Some(Given::new(token, by)), ..Source::default() };
    let missing = Token::File("/no/such/file".into());
    let sources = Sources::new(
        vec![
            token(missing, "--plex-token-file"),
            token(Token::Text(Secret::new("good")), "PLEX_TOKEN"),
        ],
        Secrets::default(),
    );
    let account = sources.choose().account();
    let reason = account.token.unwrap_err();
    assert!(
        reason.contains("`/no/such/file` of `--plex-token-file`: there is no such file"),
        "{reason}"
    );
    assert!(sources.choose_server().token.is_none(), "a call with its own token does not look");
}

#[test]
fn a_call_with_its_own_token_goes_to_the_same_server() {
    let by = "PLEX_URL";
    let url = Some(Given::new("\"http://here:32400/web\"".to_owned(), by));
    let server = Some(Given::new("Attic".to_owned(), by));
    let sources = Sources::default()
        .and(Source { url, ..Source::default() })
        .and(Source { server, ..Source::default() });
    for chosen in [sources.choose(), sources.choose_server()] {
        assert_eq!(chosen.url, Some(Given::new(HERE.to_owned(), by)));
        assert_eq!(chosen.server, Some(Given::new("Attic".to_owned(), by)));
    }
}

fn read(path: &Path) -> Chosen {
    let token = Given::new(Token::File(path.to_owned()), "PLEX_TOKEN_FILE");
    Sources::new(vec![Source { token: Some(token), ..Source::default() }], Secrets::default())
        .choose()
}

#[test]
fn a_token_file_is_read_as_an_identity_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let utf_16 = |big: bool, mark: bool, text: &str| -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
    };
    for bytes in [
        b"t0ken".to_vec(),
        b"  t0ken\r\n\n".to_vec(),
        b"\xef\xbb\xbft0ken\n".to_vec(),
        b"\"t0ken\"\n".to_vec(),
        "t0ken\u{a0}\n".into(),
        utf_16(false, true, "t0ken\r\n"),
        utf_16(true, true, "t0ken\r\n"),
        utf_16(false, false, "t0ken"),
        utf_16(true, false, "t0ken"),
    ] {
        std::fs::write(&file, &bytes).unwrap();
        let token = read(&file).token.unwrap().value;
        assert_eq!(token.unwrap().expose(), "t0ken", "{bytes:?}");
    }
}

#[test]
fn a_token_file_without_a_token_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let refused = |path: &Path| {
        let problem = read(path).token.unwrap().value.unwrap_err();
        assert!(problem.reason.contains(&path.display().to_string()), "{problem:?}");
        assert!(problem.reason.contains("PLEX_TOKEN_FILE"), "{problem:?}");
        assert!(!problem.hint.is_empty());
        problem.reason
    };
    assert!(refused(&file).ends_with("there is no such file"));
    assert!(refused(folder.path()).contains("it is a folder"));
    for (content, told) in [
        (String::new(), "is empty"),
        (" \r\n\t".to_owned(), "is empty"),
        ("\u{feff}".to_owned(), "is empty"),
        ("two words".to_owned(), "a character that no token has"),
        ("one\ntwo".to_owned(), "a character that no token has"),
        ("X-Plex-Token=abc".to_owned(), "a name with a token behind it"),
        ("/run/secrets/other".to_owned(), "is a path"),
        ("x".repeat(5000), "longer than 4096"),
        ("x".repeat(64 * 1024 + 1), "more than 65536 bytes"),
    ] {
        std::fs::write(&file, &content).unwrap();
        assert!(refused(&file).contains(told), "{told}: {}", refused(&file));
    }
    #[cfg(unix)]
    assert!(refused(Path::new("/dev/null")).contains("not a regular file"));
}

/// Kubernetes keeps a secret behind two links, and swaps the inner one to renew it.
#[cfg(unix)]
#[test]
fn a_token_file_behind_links_is_read_anew_at_each_call() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let renew = |version: &str| {
        std::fs::create_dir(at(version)).unwrap();
        std::fs::write(at(version).join("token"), version).unwrap();
        symlink(version, at("..new")).unwrap();
        std::fs::rename(at("..new"), at("..data")).unwrap();
    };
    renew("first");
    symlink("..data/token", at("token")).unwrap();
    let token = Given::new(Token::File(at("token")), "PLEX_TOKEN_FILE");
    let sources =
        Sources::new(vec![Source { token: Some(token), ..Source::default() }], Secrets::default());
    assert_eq!(sources.choose().account().token.unwrap().unwrap().expose(), "first");
    renew("second");
    assert_eq!(sources.choose().account().token.unwrap().unwrap().expose(), "second");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_token_file_holds_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("token");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert!(read(&pipe).token.unwrap().value.unwrap_err().reason.contains("not a regular file"));
}

#[cfg(unix)]
#[test]
fn a_token_file_of_wide_mode_is_used_with_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "t0ken\n").unwrap();
    for (mode, told) in [
        (0o600, None),
        (0o400, None),
        (0o444, Some("read")),
        (0o440, Some("read")),
        (0o644, Some("read")),
        (0o666, Some("written")),
        (0o620, Some("written")),
    ] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let chosen = read(&file);
        assert_eq!(chosen.token.unwrap().value.unwrap().expose(), "t0ken", "{mode:o}");
        let warning = chosen.warnings.first().map(sentence);
        match told {
            None => assert_eq!(warning, None, "{mode:o}"),
            Some(told) => assert!(warning.unwrap().contains(told), "{mode:o}"),
        }
    }
}

#[test]
fn tokens_are_secrets_as_they_were_written_and_as_they_are_sent() {
    let secrets = Secrets::default();
    let written = Token::Text(Secret::new("\"t0ken\u{200b}-x\""));
    let token = Some(Given::new(written, "PLEX_TOKEN"));
    let source = Source { token, ..Source::default() };
    let sources = Sources::new(vec![source], secrets.clone());
    assert!(!secrets.redact("was \"t0ken\u{200b}-x\"").contains("t0ken"));
    sources.choose().token.unwrap().value.unwrap();
    assert_eq!(secrets.redact("t0ken-x"), "REDACTED");
}
