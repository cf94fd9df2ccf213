//! Times as the file holds them. The clock may be set back at any moment, and disks have clocks of their own.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// Nanoseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(pub i64);

impl Time {
    /// Before every other.
    pub const NEVER: Self = Self(i64::MIN);

    /// How long ago this was; `None` for a time in the future, which counts as no time at all.
    pub fn age(self, now: Self) -> Option<Duration> {
        now.after(self)
    }

    /// Whether this was less than `limit` ago; not if it is in the future.
    pub fn is_within(self, limit: Duration, now: Self) -> bool {
        self.age(now).is_some_and(|age| age < limit)
    }

    /// Whether it is of a clock that has finer steps than a second.
    pub fn is_fine(self) -> bool {
        self != Self::NEVER && self.0 % 1_000_000_000 != 0
    }

    /// How much later than `other` this is; `None` if it is earlier.
    pub fn after(self, other: Self) -> Option<Duration> {
        u64::try_from(self.0.saturating_sub(other.0)).ok().map(Duration::from_nanos)
    }
}

impl From<SystemTime> for Time {
    fn from(time: SystemTime) -> Self {
        let nanoseconds = |passed: Duration| i64::try_from(passed.as_nanos()).unwrap_or(i64::MAX);
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(passed) => Self(nanoseconds(passed)),
            Err(before) => Self(nanoseconds(before.duration()).saturating_neg()),
        }
    }
}

impl From<Time> for SystemTime {
    fn from(time: Time) -> Self {
        let passed = Duration::from_nanos(time.0.unsigned_abs());
        let moved = match time.0 >= 0 {
            true => Self::UNIX_EPOCH.checked_add(passed),
            false => Self::UNIX_EPOCH.checked_sub(passed),
        };
        moved.unwrap_or(Self::UNIX_EPOCH)
    }
}
