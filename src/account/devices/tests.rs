use plexsync_protocol::device::{Certainty, Device, KeptReason};
use time::{Duration, OffsetDateTime};

use super::*;
use crate::account::devices::row::read;

const OWN: &str = "11111111-2222-4333-8444-555555555555";
const NOW: i64 = 1_790_000_000;

fn judge() -> Judge {
    Judge {
        device_id: OWN.to_owned(),
        tokens: vec![Secret::new("in-use")],
        days: 30,
        now: OffsetDateTime::from_unix_timestamp(NOW).unwrap(),
        secrets: Secrets::default(),
    }
}

/// A row: product, version, identifier, what it provides, its age in days, what is between its tags.
fn row(product: &str, version: &str, id: &str, provides: &str, days: i64, inner: &str) -> String {
    let seen = NOW - Duration::days(days).whole_seconds();
    format!(
        "<Device name=\"n\" product=\"{product}\" version=\"{version}\" platform=\"Linux\" provides=\"{provides}\" \
         clientIdentifier=\"{id}\" id=\"{days}\" token=\"secret\" createdAt=\"1\" lastSeenAt=\"{seen}\">{inner}</Device>"
    )
}

fn list(rows: &[String]) -> String {
    let rows = rows.concat();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MediaContainer size=\"2\" publicAddress=\"x\">\n {rows} </MediaContainer>"
    )
}

fn judged(rows: &[String]) -> Vec<Device> {
    judge().all(&read(list(rows).as_bytes()).unwrap())
}

/// What one row is, beside a newer one of each maker.
fn one(row: String) -> (Option<Certainty>, Option<KeptReason>) {
    let newer = [
        self::row("PlexAPI", "4", "0x9e5a10c2b7f1", "controller", 0, ""),
        self::row("Node.js App", "1.0", "00000007-0000-4000-8000-000000000000", "", 0, ""),
        self::row("PlexSync", "1", "another", "controller", 0, ""),
        self::row("Stash2Plex", "1", "another", "controller", 0, ""),
    ];
    let device = judged(&[&[row][..], &newer].concat()).remove(0);
    (device.phantom.map(|phantom| phantom.certainty), device.kept_because.map(|kept| kept.reason))
}

/// XML forbids them, and some readers take them.
#[test]
fn a_row_is_judged_as_it_is_shown_whatever_is_between_its_letters() {
    for hidden in ["&#27;", "\u{202e}", "\u{7}", "&#x2066;"] {
        let between = |text: &str| text.split("").collect::<Vec<_>>().join(hidden);
        for (id, provides, reason) in [
            (&*between(OWN), "controller", KeptReason::ThisDevice),
            ("another", &*between("server"), KeptReason::Provides),
        ] {
            let row = row("PlexSync", "1", id, provides, 400, "");
            assert_eq!(one(row).1, Some(reason), "{hidden}");
        }
    }
}

#[test]
fn a_phantom_is_known_by_product_and_identifier() {
    use Certainty::{Likely, Sure};
    let uuid = "0ebb065b-55fb-4509-9716-431a296c5c15";
    for (product, version, id, expected) in [
        ("PlexAPI", "4.18.1", "0x9e5a10c2b7f1", None),
        ("PlexAPI", "4.18.1", "0x1f5e66d2019a", Some(Sure)),
        ("plexapi", "4.18.1", "0x1F5E66D2019A", Some(Sure)),
        ("PlexAPI", "4.18.1", "0x10000000000", Some(Sure)),
        ("PlexAPI", "4.18.1", "0x242ac120003", None),
        ("PlexAPI", "4.18.1", "0x2fc00000001", None),
        ("PlexAPI", "4.18.1", "0x242ac12003", Some(Likely)),
        ("PlexAPI", "4.18.1", "0x1", Some(Likely)),
        ("Node.js App", "1.0", "00000008-0000-4000-8000-000000000000", Some(Likely)),
        ("PlexSync", "1.0.0", uuid, Some(Likely)),
        ("Stash2Plex", "1", uuid, Some(Likely)),
    ] {
        let number = id.strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16).unwrap());
        let expected = match (expected, number) {
            (None, Some(number)) if number & (1 << 40) != 0 => Some(Sure),
            (None, Some(_)) => Some(Likely),
            (expected, _) => expected,
        };
        let row = row(product, version, id, "controller", 400, "");
        assert_eq!(one(row), (expected, None), "{product} {id}");
    }
}

#[test]
fn everything_else_is_none_however_old() {
    let uuid = "33333333-3333-4333-8333-333333333333";
    for (product, version, id) in [
        ("Home Assistant", "2026.9.1", uuid),
        ("Sonarr", "4.0.17.2952", uuid),
        ("Radarr", "5", uuid),
        ("Tautulli", "v2.17.2", "abcdefabcdefabcdefabcdefabcdef01"),
        ("Trakt", "1", uuid),
        ("Plex Web", "4.150.0", "abcdefghijklmnopqrstuvwx"),
        ("Plex for Sonos", "1", uuid),
        ("PlexAPI", "4.18.1", uuid),
        ("PlexAPI", "4.18.1", "0x"),
        ("PlexAPI", "4.18.1", "0x1234567890123"),
        ("PlexAPI", "4.18.1", "0x1f5e66d2019g"),
        ("PlexAPI", "4.18.1", "1f5e66d2019a"),
        ("PlexAPI 2", "4.18.1", "0x1f5e66d2019a"),
        ("Kometa", "2", "0x1f5e66d2019a"),
        ("", "", "0x1f5e66d2019a"),
        ("Node.js App", "1.1", "00000008-0000-4000-8000-000000000000"),
        ("Node.js App", "1.0", "00000008-0000-1000-8000-000000000000"),
        ("Node.js App", "1.0", "0x1f5e66d2019a"),
    ] {
        for provides in ["", "controller"] {
            let row = row(product, version, id, provides, 4000, "");
            assert_eq!(one(row), (None, Some(KeptReason::UnknownMaker)), "{product} {id}");
        }
    }
}

#[test]
fn a_phantom_is_kept_for_a_reason() {
    let random = "0x1f5e66d2019a";
    let connection = "<Connection uri=\"http://192.168.1.2:32500\"/>";
    let lists = |size: &str| format!("<SyncList itemsCompleteCount=\"0\" {size} version=\"1\"/>");
    for (provides, days, inner, expected) in [
        ("controller", 400, String::new(), None),
        ("", 31, String::new(), None),
        ("", 30, String::new(), None),
        ("", 29, String::new(), Some(KeptReason::Recent)),
        ("", 0, String::new(), Some(KeptReason::Recent)),
        ("", -5, String::new(), Some(KeptReason::Recent)),
        ("server", 400, String::new(), Some(KeptReason::Provides)),
        ("controller, player", 400, String::new(), Some(KeptReason::Provides)),
        ("client,pubsub-player", 400, String::new(), Some(KeptReason::Provides)),
        ("sync-target", 400, String::new(), Some(KeptReason::Provides)),
        ("provider-playback", 400, String::new(), Some(KeptReason::Provides)),
        ("", 400, connection.to_owned(), Some(KeptReason::Connected)),
        ("", 400, lists("totalSize=\"0\""), None),
        ("", 400, lists("totalSize=\"3\""), Some(KeptReason::Connected)),
        ("", 400, lists(""), Some(KeptReason::Connected)),
    ] {
        let row = row("PlexAPI", "4", random, provides, days, &inner);
        assert_eq!(one(row).1, expected, "{provides:?} {days} {inner}");
    }
    let plain = row("PlexAPI", "4", random, "", 400, "");
    let kept = |row: String| one(row).1;
    assert_eq!(kept(plain.replace("\"secret\"", "\"in-use\"")), Some(KeptReason::TokenInUse));
    for odd in ["", "0", "never", "-1", "99999999999999999999"] {
        let seen = NOW - Duration::days(400).whole_seconds();
        let row =
            plain.replace(&format!("lastSeenAt=\"{seen}\""), &format!("lastSeenAt=\"{odd}\""));
        assert_eq!(kept(row), Some(KeptReason::Recent), "{odd}");
    }
    assert_eq!(kept(row("PlexSync", "1", OWN, "", 400, "")), Some(KeptReason::ThisDevice));
}

#[test]
fn this_device_is_known_by_the_number_of_its_identifier() {
    use KeptReason::{Newest, ThisDevice, UnknownMaker};
    let (own, upper) =
        ("0ebb065b-55fb-4509-9716-431a296c5c15", "0EBB065B-55FB-4509-9716-431A296C5C15");
    for (own, id, product, expected) in [
        (own, own, "PlexSync", ThisDevice),
        (own, upper, "PlexSync", Newest),
        ("0x2fc00000001", "0x2fc00000001", "PlexAPI", ThisDevice),
        ("0x2fc00000001", "0x02fc00000001", "PlexAPI", ThisDevice),
        ("0x2fc00000001", "0x02FC00000001", "PlexSync", ThisDevice),
        ("0x02fc00000001", "0x2fc00000001", "Stash2Plex", ThisDevice),
        ("0x1f5e66d2019a", "0x1F5E66D2019A", "Home Assistant", ThisDevice),
        ("0x2fc00000001", "0x2fc00000002", "PlexAPI", Newest),
        ("0x2fc00000001", "2fc00000001", "PlexSync", Newest),
        ("0x2fc00000001", "0x0002fc00000001", "PlexAPI", UnknownMaker),
        ("0x", "0x0", "PlexAPI", Newest),
    ] {
        let judge = Judge { device_id: own.to_owned(), ..judge() };
        let rows = read(list(&[row(product, "4", id, "", 400, "")]).as_bytes()).unwrap();
        let device = judge.all(&rows).remove(0);
        let kept = device.kept_because.unwrap().reason;
        assert_eq!((device.this, kept), (expected == ThisDevice, expected), "{own} {id}");
        assert_eq!(device.phantom.is_some(), expected == Newest, "{own} {id}");
    }
}

#[test]
fn the_newest_of_each_maker_is_kept() {
    let rows = [
        row("PlexAPI", "4", "0x1f5e66d2019a", "", 100, ""),
        row("PlexAPI", "4", "0x1f5e66d2019b", "", 90, ""),
        row("PlexAPI", "4", "0x1f5e66d2019c", "", 90, ""),
        row("Stash2Plex", "4", "x", "", 200, ""),
        row("PlexSync", "4", OWN, "", 1, ""),
    ];
    let kept = judged(&rows).into_iter().map(|device| device.kept_because.map(|kept| kept.reason));
    let newest = Some(KeptReason::Newest);
    let expected = [None, newest, newest, newest, Some(KeptReason::ThisDevice)];
    assert_eq!(kept.collect::<Vec<_>>(), expected);
}

#[test]
fn texts_can_steer_nothing_and_show_no_secret() {
    let judge = judge();
    judge.secrets.remember(&Secret::new("a-well-known-secret"));
    let row = row("PlexAPI", "4", "0x1f5e66d2019a", "", 100, "");
    let row = row.replace("name=\"n\"", "name=\"a&amp;b &#x9b;2J a-well-known-secret\"");
    let device = judge.all(&read(list(&[row]).as_bytes()).unwrap()).remove(0);
    assert!(device.name.starts_with("a&b 2J "), "{}", device.name);
    assert!(!device.name.contains("a-well-known-secret"), "{}", device.name);
}

#[test]
fn a_list_is_whole_or_an_error() {
    assert!(read(list(&[]).as_bytes()).unwrap().is_empty());
    assert!(read(b"<MediaContainer/>").unwrap().is_empty());
    let whole =
        list(&[row("PlexAPI", "4", "0x1", "", 1, ""), row("PlexAPI", "4", "0x2", "", 1, "")]);
    assert_eq!(read(whole.as_bytes()).unwrap().len(), 2);
    let cut = whole.rfind("</MediaContainer>").unwrap();
    for end in [0, 10, 60, cut / 2, cut - 5, cut, whole.len() - 1] {
        assert!(read(&whole.as_bytes()[..end]).is_err(), "{end}");
    }
    for foreign in [
        &b"{}"[..],
        b"<html><body>log in</body></html>",
        b"\xff\xfe",
        b"<errors><error code=\"1001\"/></errors>",
    ] {
        assert!(read(foreign).is_err());
    }
}
