//! Which request is sent again, and when.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

use hyper::header::{HeaderMap, RETRY_AFTER};
use hyper::{Method, StatusCode};

/// Longest pause before the first repetition; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause between two tries that a server did not ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What a second sending of a request could do (RFC 9110, section 9.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nothing: it only asks.
    Safe,
    /// No more than the first; but what the server answered to the first should be known.
    Idempotent,
    /// Something twice.
    Once,
}

/// The class of a method. PATCH is in the last one: RFC 5789 promises nothing of it.
pub(crate) fn class(method: &Method) -> Class {
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS => Class::Safe,
        Method::PUT | Method::DELETE => Class::Idempotent,
        _ => Class::Once,
    }
}

/// Whether to send again after a failure of the connection. `received`: whether a response had begun.
pub(crate) fn after_failure(class: Class, received: bool) -> bool {
    match class {
        Class::Safe => true,
        Class::Idempotent => !received,
        Class::Once => false,
    }
}

/// Whether to send again after this answer.
pub(crate) fn after_status(class: Class, status: StatusCode) -> bool {
    class == Class::Safe && matches!(status.as_u16(), 429 | 502..=504)
}

/// The pause before repetition number `repetition` (from 0), where the server may ask for a longer one.
pub(crate) fn pause(repetition: u32, asked: Option<Duration>) -> Duration {
    asked.unwrap_or_default().max(jittered(repetition, random()))
}

/// What the server asks for: seconds or a date (RFC 9110, section 10.2.3). A date in the past asks for nothing.
pub(crate) fn asked_pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        // More than the number can hold.
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(Duration::from_secs(u64::MAX))
        }
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).ok(),
    }
}

/// Full jitter: anything between nothing and the limit, so that workers that failed together don't return together.
fn jittered(repetition: u32, random: u64) -> Duration {
    let limit = FIRST_PAUSE.saturating_mul(1_u32.checked_shl(repetition).unwrap_or(u32::MAX));
    let limit = u64::try_from(limit.min(LONGEST_PAUSE).as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random % limit.saturating_add(1))
}

/// `RandomState` is keyed by the system's random source; nothing here needs more than that.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn which() {
        for (method, class_, failed, received, busy) in [
            (Method::GET, Class::Safe, true, true, true),
            (Method::HEAD, Class::Safe, true, true, true),
            (Method::OPTIONS, Class::Safe, true, true, true),
            (Method::PUT, Class::Idempotent, true, false, false),
            (Method::DELETE, Class::Idempotent, true, false, false),
            (Method::POST, Class::Once, false, false, false),
            (Method::PATCH, Class::Once, false, false, false),
        ] {
            assert_eq!(class(&method), class_);
            assert_eq!(after_failure(class_, false), failed, "{method}");
            assert_eq!(after_failure(class_, true), received, "{method}");
            assert_eq!(after_status(class_, StatusCode::SERVICE_UNAVAILABLE), busy, "{method}");
        }
        for status in 100..600 {
            let again = after_status(Class::Safe, StatusCode::from_u16(status).unwrap());
            assert_eq!(again, [429, 502, 503, 504].contains(&status), "{status}");
        }
    }

    #[test]
    fn retry_after() {
        let now = httpdate::parse_http_date("Mon, 23 Nov 2026 10:00:00 GMT").unwrap();
        for (text, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("18446744073709551615", Some(u64::MAX)),
            ("99999999999999999999", Some(u64::MAX)),
            ("Mon, 23 Nov 2026 10:00:30 GMT", Some(30)),
            ("Mon, 23 Nov 2026 09:00:00 GMT", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            assert_eq!(asked_pause(&headers, now), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(asked_pause(&HeaderMap::new(), now), None);
    }

    proptest! {
        #[test]
        fn pauses_stay_in_bounds(repetition in any::<u32>(), random in any::<u64>(), asked in 0..100_000_u64) {
            let limit = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(repetition)).min(LONGEST_PAUSE);
            prop_assert!(jittered(repetition, random) <= limit);
            let asked = Duration::from_millis(asked);
            let pause = pause(repetition, Some(asked));
            prop_assert!(pause >= asked && pause <= asked.max(limit));
        }
    }
}
