//! When to ask about a PIN again, and when to stop: decided from answers and times alone.

use std::time::Duration;

use plexsync_protocol::sign_in::SignInState;
use time::OffsetDateTime;

use super::Verdict;
use crate::secret::Secret;

/// The pause between two questions that were answered.
const PAUSE: Duration = Duration::from_secs(2);
/// The longest one, after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// No code lasts longer: what seems to is a clock that was set back.
const LONGEST_LIFE: Duration = Duration::from_secs(1800);

/// What follows from an answer, or from none.
#[derive(Debug)]
pub(super) enum Next {
    /// The token goes to disk.
    Store(Secret),
    /// The sign-in is over.
    End(SignInState),
    /// It is asked again after this time.
    AskAgain(Duration),
}

/// `expired`: whether the code had its time before the question was sent. `failures`: how many questions in a row had
/// no answer; counted on.
///
/// An expired code is asked about until there is an answer: it may have been claimed in its last second.
pub(super) fn next(answer: Option<Verdict>, expired: bool, failures: &mut u32) -> Next {
    match answer {
        Some(Verdict::Claimed(token)) => Next::Store(token),
        Some(Verdict::Ended(state)) => Next::End(state),
        Some(Verdict::Waiting) if expired => Next::End(SignInState::Expired),
        Some(Verdict::Waiting) => {
            *failures = 0;
            Next::AskAgain(PAUSE)
        }
        None => {
            *failures = failures.saturating_add(1);
            Next::AskAgain(pause(*failures))
        }
    }
}

/// The pause after this many failures in a row.
pub(super) fn pause(failures: u32) -> Duration {
    PAUSE.saturating_mul(1_u32.checked_shl(failures).unwrap_or(u32::MAX)).min(LONGEST_PAUSE)
}

/// How long a code still lasts by a clock that may have been set; none if it has had its time.
pub(super) fn left(expires_at: OffsetDateTime, now: OffsetDateTime) -> Option<Duration> {
    let left = Duration::try_from(expires_at - now).ok().filter(|left| !left.is_zero())?;
    Some(left.min(LONGEST_LIFE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::Duration as Span;

    use super::*;

    fn seconds(next: &Next) -> u64 {
        match next {
            Next::AskAgain(pause) => pause.as_secs(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_asks_every_two_seconds_and_slower_after_failures() {
        let mut failures = 0;
        let pauses = [None, None, None, None, Some(()), None]
            .map(|answer| seconds(&next(answer.map(|()| Verdict::Waiting), false, &mut failures)));
        assert_eq!(pauses, [4, 8, 10, 10, 2, 4]);
    }

    #[test]
    fn an_expired_code_is_asked_about_until_there_is_an_answer() {
        let mut failures = 0;
        assert_eq!(seconds(&next(None, true, &mut failures)), 4);
        let over = next(Some(Verdict::Waiting), true, &mut failures);
        assert!(matches!(over, Next::End(SignInState::Expired)));
        let late = next(Some(Verdict::Claimed(Secret::new("t"))), true, &mut failures);
        assert!(matches!(late, Next::Store(_)));
        for state in [SignInState::Expired, SignInState::Refused] {
            let ended = next(Some(Verdict::Ended(state)), false, &mut failures);
            assert!(matches!(ended, Next::End(known) if known == state));
        }
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_code_last_longer() {
        let now = OffsetDateTime::UNIX_EPOCH + Span::days(20_000);
        assert_eq!(left(now + Span::seconds(90), now), Some(Duration::from_secs(90)));
        assert_eq!(left(now, now), None);
        assert_eq!(left(now - Span::days(400), now), None);
        assert_eq!(left(now + Span::days(400), now), Some(LONGEST_LIFE));
    }

    proptest! {
        #[test]
        fn no_pause_is_longer_than_ten_seconds(failures in any::<u32>()) {
            prop_assert!((PAUSE..=LONGEST_PAUSE).contains(&pause(failures)));
        }
    }
}
