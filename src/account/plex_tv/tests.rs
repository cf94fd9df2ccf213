use plexsync_harness::fake_plex_tv::{plex_tv_error, portal};
use plexsync_harness::{FakePlexTv, Fault};

use super::*;

fn plex_tv(urls: [&str; 2]) -> PlexTv {
    let one = PlexTv::new(Options { url: Some(urls[0].to_owned()), ..Options::default() }).unwrap();
    PlexTv { origins: urls.map(|url| origin(url).unwrap()), ..one }
}

fn soon() -> Time {
    let limit = Duration::from_secs(20);
    Time { deadline: Instant::now() + limit, connect: limit }
}

async fn ask(plex_tv: &PlexTv, home: Home) -> Result<u16, HttpError> {
    let identity = IdentityHeaders::new("box", "2.0.0");
    let ask = Ask { home, ..Ask::get("/api/v2/ping", None) };
    plex_tv.send(&identity, &ask, soon()).await.map(|reply| reply.status)
}

#[test]
fn only_where_a_token_may_go_is_an_origin() {
    for good in [
        "https://plex.tv",
        "https://tv.example:8443/",
        "http://127.0.0.1:8",
        "http://[::1]",
        " http://localhost:1 ",
    ] {
        assert!(origin(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "plex.tv",
        "http://plex.tv",
        "http://127.0.0.1.example",
        "http://192.168.1.1",
        "ftp://127.0.0.1",
        "https://plex.tv/api",
        "https://plex.tv/?a",
        "https://plex.tv/#a",
        "https://me@plex.tv",
        "https://:x@plex.tv",
    ] {
        assert!(origin(bad).is_err(), "{bad}");
    }
    let plain = PlexTv::new(Options::default()).unwrap();
    assert_eq!(plain.url(), "https://plex.tv");
    assert_eq!(plain.at("https://plex.tv").unwrap().origins, plain.origins);
    assert_eq!(plain.at("https://tv.example").unwrap().url(), "https://tv.example");
}

#[tokio::test]
async fn the_other_origin_is_asked_after_a_lost_connection_and_never_after_an_answer() {
    let (one, other) = (FakePlexTv::start(), FakePlexTv::start());
    let plex_tv = plex_tv([&one.url(), &other.url()]);
    let counts = || (one.requests().len(), other.requests().len());
    assert_eq!(ask(&plex_tv, Home::PlexTv).await.unwrap(), 200);
    assert_eq!(counts(), (1, 0));
    assert_eq!(ask(&plex_tv, Home::Clients).await.unwrap(), 200);
    assert_eq!(counts(), (1, 1));
    for fault in
        [portal(503), Fault::RateLimited(None), plex_tv_error(401, 1001, "no"), portal(302)]
    {
        one.fault(fault);
        ask(&plex_tv, Home::PlexTv).await.unwrap();
    }
    one.fault(Fault::LengthTooLong);
    ask(&plex_tv, Home::PlexTv).await.unwrap_err();
    assert_eq!(counts(), (6, 1));
    one.fault(Fault::CloseWithoutAnswer.always());
    assert_eq!(ask(&plex_tv, Home::PlexTv).await.unwrap(), 200);
    other.fault(Fault::CloseWithoutAnswer.always());
    ask(&plex_tv, Home::PlexTv).await.unwrap_err();
}

#[tokio::test]
async fn where_both_origins_are_one_it_is_asked_once() {
    let tv = FakePlexTv::start();
    tv.fault(Fault::CloseWithoutAnswer.always());
    ask(&plex_tv([&tv.url(), &tv.url()]), Home::PlexTv).await.unwrap_err();
    assert_eq!(tv.requests().len(), 1);
}

#[test]
fn a_post_says_that_it_has_no_body_and_resources_have_a_home_of_their_own() {
    let token = Secret::new("t0ken");
    assert!(Ask::resources(&token).home == Home::Clients);
    let identity = IdentityHeaders::new("box", "2.0.0");
    for (method, length) in [(Method::POST, Some("0")), (Method::GET, None), (Method::DELETE, None)]
    {
        let ask = Ask { method, ..Ask::get("/api/v2/pins", None) };
        let sent = request(&origin("https://plex.tv").unwrap(), &identity, &ask).unwrap();
        let told = sent.headers.get(CONTENT_LENGTH).map(|value| value.to_str().unwrap());
        assert_eq!(told, length, "{ask:?}");
    }
}

#[tokio::test]
async fn a_redirect_to_elsewhere_is_an_answer() {
    let (one, elsewhere) = (FakePlexTv::start(), FakePlexTv::start());
    one.fault(Fault::Redirect(302, format!("{}/api/v2/ping", elsewhere.url())));
    assert_eq!(ask(&plex_tv([&one.url(), &one.url()]), Home::PlexTv).await.unwrap(), 302);
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn every_request_says_which_device_asks() {
    let tv = FakePlexTv::start();
    ask(&plex_tv([&tv.url(), &tv.url()]), Home::PlexTv).await.unwrap();
    let requests = tv.requests();
    for (name, value) in IdentityHeaders::new("box", "2.0.0").iter() {
        assert_eq!(requests[0].header(name), Some(value));
    }
    assert_eq!(requests[0].header("Accept"), Some("application/json"));
    assert_eq!(requests[0].header("X-Plex-Token"), None);
}
