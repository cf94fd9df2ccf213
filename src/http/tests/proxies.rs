//! Proxies of the environment: who is reached through one, and what is said of one that refuses.

use super::*;

fn settings(https: &str, no_proxy: &str) -> ProxySettings {
    ProxySettings { https: Some(https.to_owned()), no_proxy: Some(no_proxy.to_owned()) }
}

#[test]
fn no_proxy_is_read_as_other_programs_read_it() {
    for (no_proxy, target, proxied) in [
        ("", "https://plex:32400", true),
        ("*", "https://plex:32400", false),
        ("*", "https://10.0.0.7:32400", false),
        (" a , * ", "https://[::1]:32400", false),
        ("plex", "https://plex:32400", false),
        ("PLEX.", "https://plex:32400", false),
        ("plex:32400", "https://plex:32400", false),
        ("plex:32401", "https://plex:32400", true),
        ("plex:443", "https://plex", false),
        ("example.com", "https://plex.example.com", false),
        (".example.com", "https://plex.example.com", false),
        ("*.example.com", "https://plex.example.com", false),
        ("example.com", "https://notexample.com", true),
        ("example.com", "https://example.com.evil", true),
        ("127.0.0.1", "https://127.0.0.1:32400", false),
        ("127.0.0.1:32400", "https://127.0.0.1:32400", false),
        ("127.0.0.1:1", "https://127.0.0.1:32400", true),
        ("10.0.0.0/8", "https://10.9.8.7", false),
        ("10.0.0.0/8", "https://11.9.8.7", true),
        ("10.0.0.0/0", "https://11.9.8.7", false),
        ("10.0.0.0/x", "https://10.9.8.7", true),
        ("::1", "https://[::1]:32400", false),
        ("[::1]", "https://[::1]:32400", false),
        ("[::1]:32400", "https://[::1]:32400", false),
        ("[::1]:1", "https://[::1]:32400", true),
        ("fd00::/8", "https://[fd00::7]", false),
        ("fd00::/8", "https://[fe80::7]", true),
        ("0.0.0.0/0", "https://[fe80::7]", true),
        ("", "http://plex:32400", false),
    ] {
        let found =
            settings("http://proxy:3128", no_proxy).for_target(&Url::parse(target).unwrap());
        assert_eq!(found.unwrap().is_some(), proxied, "{no_proxy} {target}");
    }
}

#[test]
fn proxies_that_are_not_spoken_are_refused_with_what_is() {
    let target = Url::parse("https://plex").unwrap();
    for bad in ["ftp://proxy", "socks5://proxy:1080", "socks4a://u:secret@proxy", "http://", "a b"]
    {
        let error = settings(bad, "").for_target(&target).unwrap_err().to_string();
        assert!(error.contains("`HTTPS_PROXY`") && error.contains("`http://host:port`"), "{error}");
        assert!(!error.contains("secret"), "{error}");
        assert!(settings(bad, "*").for_target(&target).is_ok(), "{bad}: it is not asked for one");
    }
    for (good, expected) in
        [("proxy:3128", "http://proxy:3128/"), ("http://proxy", "http://proxy/")]
    {
        let url = settings(good, "").for_target(&target).unwrap().unwrap();
        assert_eq!(url.as_str(), expected);
    }
    assert!(settings("", "").for_target(&target).unwrap().is_none());
}

#[tokio::test]
async fn what_a_proxy_says_is_told_as_the_proxys() {
    let folder = tempfile::tempdir().unwrap();
    let ca_file = folder.path().join("ca.pem");
    let own = rcgen::generate_simple_self_signed(["plex".to_owned()]).unwrap();
    std::fs::write(&ca_file, own.cert.pem()).unwrap();
    for (said, expected) in [
        ("HTTP/1.1 407 Who\r\n\r\n", "asks for a user name and a password"),
        ("HTTP/1.1 302 Login\r\nLocation: http://login/\r\n\r\n", "(status `302`)"),
        ("HTTP/1.1 403 No\r\n\r\n", "refused to connect to `plex.example:443` (status `403`)"),
        ("SSH-2.0-OpenSSH\r\n\r\n", "did not answer as a proxy does"),
        ("", "did not answer as a proxy does"),
    ] {
        let proxy = listen(move |mut socket, _| {
            let head = head_of(&mut socket).unwrap();
            assert!(head.starts_with("CONNECT plex.example:443 HTTP/1.1\r\n"), "{head}");
            assert!(head.contains("Proxy-Authorization: Basic dTpwQHNz\r\n"), "{head}");
            let _ = socket.write_all(said.as_bytes());
        });
        let settings = settings(&format!("http://u:p%40ss@{proxy}"), "");
        let clients = Clients::new(Trust::Roots(Some(ca_file.clone())), settings, |_| ());
        let error = call(&clients, &request("GET", "https://plex.example/"), 0).await.error();
        assert!(error.starts_with(&format!("the https proxy `{proxy}` ")), "{error}");
        assert!(error.contains(expected) && !error.contains("p@ss"), "{error}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = settings(&format!("http://{nobody}"), "");
    let clients = Clients::new(Trust::Roots(Some(ca_file)), settings, |_| ());
    let error = call(&clients, &request("GET", "https://plex.example/"), 0).await.error();
    assert!(error.starts_with(&format!("the https proxy `{nobody}` refused")), "{error}");
}
