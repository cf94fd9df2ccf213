use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::*;

fn knowing(values: &[&str]) -> Secrets {
    let secrets = Secrets::default();
    values.iter().for_each(|value| secrets.remember(&Secret::new(*value)));
    secrets
}

fn percent(value: &str, upper_case: bool) -> String {
    let all: String = value.bytes().map(|byte| format!("%{byte:02x}")).collect();
    if upper_case { all.to_uppercase() } else { all }
}

fn unicode_escapes(value: &str) -> String {
    value.bytes().map(|byte| format!("\\u00{byte:02X}")).collect()
}

fn hexadecimal(value: &str) -> String {
    value.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Ways in which a server, a library or a log has written a token down.
fn spellings(value: &str) -> Vec<String> {
    let once = utf8_percent_encode(value, NON_ALPHANUMERIC).to_string();
    vec![
        value.to_owned(),
        once.replace('%', "%25"),
        once.to_lowercase(),
        once,
        percent(value, true),
        percent(value, false),
        percent(value, false).replace('%', "%25"),
        serde_json::Value::from(value).to_string(),
        unicode_escapes(value),
        value.bytes().map(|byte| format!("&#{byte};")).collect(),
        percent(&value.bytes().map(|byte| format!("&#x{byte:X};")).collect::<String>(), false),
        hexadecimal(value),
        hexadecimal(value).to_uppercase(),
        STANDARD.encode(value),
        STANDARD_NO_PAD.encode(value),
        URL_SAFE.encode(value),
        URL_SAFE_NO_PAD.encode(value),
        STANDARD.encode(value).replace('+', "%2B").replace('/', "%2f").replace('=', "%3D"),
    ]
}

proptest! {
    #[test]
    fn no_spelling_of_a_secret_is_shown(
        secret in "[a-z0-9_~.?>+/\"\\\\-]{8,40}",
        before in "[ a-z]{0,5}",
        behind in "[ a-z]{0,5}",
    ) {
        let secrets = knowing(&[&secret]);
        for spelling in spellings(&secret) {
            let text = format!("{before}<{spelling}>{behind}");
            let shown = secrets.redact(&text);
            prop_assert!(shown.contains(REDACTED), "{}", text);
            prop_assert!(!shown.contains(&secret), "{}", shown);
            prop_assert!(shown.len() <= before.len() + behind.len() + REDACTED.len() + 4, "{}", shown);
        }
    }

    #[test]
    fn base64_is_found_wherever_the_secret_stands_in_what_was_encoded(
        secret in "[A-Za-z0-9_.~-]{4,40}",
        before in "[ -~]{0,7}",
        behind in "[ -~]{0,7}",
    ) {
        let secrets = knowing(&[&secret]);
        for encode in [|text: String| STANDARD.encode(text), |text: String| URL_SAFE_NO_PAD.encode(text)] {
            let shown = secrets.redact(&encode(format!("{before}{secret}{behind}"))).into_owned();
            prop_assert!(shown.contains(REDACTED), "{}", shown);
            let rest = shown.replace(REDACTED, "");
            let digits = |bytes: usize| (bytes * 8).div_ceil(6);
            let (start, end) = (before.len(), before.len() + secret.len());
            let around = start * 8 / 6 + digits(end + behind.len()) - digits(end);
            // No digit with a bit of the secret is left.
            prop_assert!(rest.trim_end_matches('=').len() <= around, "{}", shown);
        }
    }

    #[test]
    fn any_text_is_taken(text in "(\\PC|%|\\\\|u00|[a-f0-9]|é|c3|a9){0,40}") {
        let shown = knowing(&["\u{e9}t\u{e9}", "abcd", "aaaa"]).redact(&text).into_owned();
        prop_assert!(shown == text || shown.contains(REDACTED));
    }
}

#[test]
fn only_what_can_be_a_secret_is_looked_for() {
    let (two, longest, too_long) = ("two", "x".repeat(LONGEST), "y".repeat(LONGEST + 1));
    let secrets = knowing(&["", two, "four", &longest, &too_long]);
    assert_eq!(secrets.redact("two four"), "two REDACTED");
    assert_eq!(secrets.redact(&longest), REDACTED);
    assert_eq!(secrets.redact(&too_long), too_long);
    drop(secrets.remember_until_dropped(&Secret::new(too_long)));
}

#[test]
fn a_secret_that_begins_or_overlaps_another_is_taken_out_whole() {
    let secrets = knowing(&["abcd", "abcdefgh", "ghijk"]);
    assert_eq!(secrets.redact("abcdefgh abcd"), "REDACTED REDACTED");
    assert_eq!(secrets.redact("<abcdefghijk>"), "<REDACTED>");
    assert_eq!(secrets.redact("abcdabcd"), "REDACTEDREDACTED");
}

#[test]
fn a_calls_secret_is_forgotten_some_calls_after_its_last_one() {
    let secrets = knowing(&["configured"]);
    let token = Secret::new("of-a-call");
    let first = secrets.remember_until_dropped(&token);
    let second = secrets.remember_until_dropped(&token);
    let configured = secrets.remember_until_dropped(&Secret::new("configured"));
    drop(first);
    assert_eq!(secrets.redact("of-a-call configured"), "REDACTED REDACTED");
    let later = || (0..MOST_ENDED).map(|number| Secret::new(format!("later-{number}")));
    later().for_each(|token| drop(secrets.remember_until_dropped(&token)));
    assert_eq!(secrets.redact("of-a-call configured"), "REDACTED REDACTED");
    drop((second, configured));
    assert_eq!(secrets.redact("of-a-call configured"), "REDACTED REDACTED");
    later().for_each(|token| drop(secrets.remember_until_dropped(&token)));
    assert_eq!(secrets.redact("of-a-call configured"), "of-a-call REDACTED");
}

#[test]
fn the_list_has_a_bound_and_keeps_what_is_named_again() {
    let secrets = knowing(&["configured"]);
    for number in 0..10_000 {
        secrets.remember(&Secret::new(format!("cookie-{number}")));
        secrets.remember(&Secret::new("configured"));
        let _of_call = secrets.remember_until_dropped(&Secret::new(format!("token-{number}")));
    }
    assert_eq!(secrets.0.read().unwrap().len(), MOST + MOST_ENDED);
    assert_eq!(secrets.redact("configured cookie-9999"), "REDACTED REDACTED");
    assert_eq!(secrets.redact("cookie-1 token-1"), "cookie-1 token-1");
}

#[test]
fn nothing_of_a_secret_is_in_debug_output() {
    let secrets = knowing(&["s3cret-token"]);
    let held = secrets.remember_until_dropped(&Secret::new("s3cret-token"));
    assert!(!format!("{secrets:?} {held:?} {:?}", Secret::new("s3cret-token")).contains("s3cret"));
}
