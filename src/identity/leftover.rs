//! What lies beside the identity's file: temporary files that a killed writer left, and the bytes of broken files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use plexsync_protocol::identity::FILE_NAME;

use super::publish::{Published, publish};

/// How many broken files are kept.
const KEPT: usize = 5;

/// Most broken files that can be kept within one second.
const KEPT_A_SECOND: u32 = 1000;

/// A name for a temporary file: `.device_id.json.<process>.<16 hexadecimal digits>.tmp`.
pub(super) fn temporary_name() -> io::Result<String> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!(".{FILE_NAME}.{}.{:016x}.tmp", std::process::id(), u64::from_ne_bytes(random)))
}

fn is_temporary(name: &str) -> bool {
    let middle = name
        .strip_prefix('.')
        .and_then(|name| name.strip_prefix(FILE_NAME)?.strip_prefix('.')?.strip_suffix(".tmp"));
    let Some((process, random)) = middle.and_then(|middle| middle.split_once('.')) else {
        return false;
    };
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    all_digits(process) && random.len() == 16 && random.bytes().all(is_hex)
}

/// Removes the temporary files of killed writers. Only for the holder of the lock: then nobody's is in use, and a
/// writer without the lock (it has none where locks don't work) starts again.
pub(super) fn sweep(folder: &Path) {
    for name in temporary_files(folder) {
        let _gone = fs::remove_file(folder.join(name));
    }
}

/// The temporary files in a folder.
pub(super) fn temporary_files(folder: &Path) -> Vec<String> {
    names(folder, is_temporary)
}

/// The broken files kept in a folder, oldest first.
pub(super) fn broken_files(folder: &Path) -> Vec<String> {
    let mut names = names(folder, is_broken);
    names.sort_unstable();
    names
}

fn names(folder: &Path, wanted: fn(&str) -> bool) -> Vec<String> {
    let names = all_names(folder).unwrap_or_default();
    names.into_iter().filter(|name| wanted(name)).collect()
}

/// Not by `std::fs::read_dir`: it panics where closing the folder fails.
#[cfg(unix)]
fn all_names(folder: &Path) -> io::Result<Vec<String>> {
    let folder = fs::File::open(folder)?;
    let names = rustix::fs::Dir::read_from(&folder)?.flatten();
    Ok(names.filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned)).collect())
}

#[cfg(not(unix))]
fn all_names(folder: &Path) -> io::Result<Vec<String>> {
    let names = fs::read_dir(folder)?.flatten().map(|entry| entry.file_name().into_string());
    Ok(names.filter_map(Result::ok).collect())
}

/// Keeps the bytes of a broken file as `device_id.json.corrupt-<time>`, and the newest five of such files.
///
/// A copy: the file itself stays, so that there is no moment without one.
pub(super) fn keep(folder: &Path, raw: &[u8], now: SystemTime) -> io::Result<PathBuf> {
    let stamp = stamp(now);
    let first = counts(folder, &stamp).max().map_or(1, |last| last + 1);
    for count in first..KEPT_A_SECOND {
        let name = match count {
            1 => format!("{FILE_NAME}.corrupt-{stamp}"),
            _ => format!("{FILE_NAME}.corrupt-{stamp}-{count:03}"),
        };
        let path = folder.join(&name);
        // Whoever holds no lock loses at worst one of several copies of the same bytes.
        if publish(&path, raw, true)? == Published::Done {
            forget_oldest(folder, &name);
            return Ok(path);
        }
    }
    Err(io::Error::other("too many broken files within one second"))
}

/// The counts of the broken files kept within one second. A name that has become free is not used again: it would be
/// taken for the oldest.
fn counts(folder: &Path, stamp: &str) -> impl Iterator<Item = u32> {
    let prefix = format!("{FILE_NAME}.corrupt-{stamp}");
    broken_files(folder).into_iter().filter_map(move |name| match name.strip_prefix(&prefix)? {
        "" => Some(1),
        count => count.strip_prefix('-')?.parse().ok(),
    })
}

/// The clock may be wrong, so the one just kept is never taken for the oldest.
fn forget_oldest(folder: &Path, newest: &str) {
    let mut names = broken_files(folder);
    names.retain(|name| name != newest);
    let surplus = names.len().saturating_sub(KEPT - 1);
    for name in &names[..surplus] {
        let _gone = fs::remove_file(folder.join(name));
    }
}

fn is_broken(name: &str) -> bool {
    let stamp = name.strip_prefix(FILE_NAME).and_then(|name| name.strip_prefix(".corrupt-"));
    let Some((date, rest)) = stamp.and_then(|stamp| stamp.split_once('T')) else {
        return false;
    };
    let (time, count) = rest.split_once('Z').unwrap_or_default();
    let count = count.strip_prefix('-').unwrap_or(if count.is_empty() { "000" } else { "" });
    [(date, 8), (time, 6), (count, 3)]
        .iter()
        .all(|(part, len)| part.len() == *len && all_digits(part))
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `20261123T092754Z`: names that sort by time, without the colons that Windows refuses.
fn stamp(now: SystemTime) -> String {
    let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (year, month, day) = date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Days since 1970 as year, month, day (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`): years begin in March, so that the leap day is their last.
fn date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_second() {
        let cases = [
            (0, "19700101T000000Z"),
            (951_782_400, "20000229T000000Z"),
            (1_795_426_074, "20261123T092754Z"),
            (4_070_908_800, "20990101T000000Z"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(stamp(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)), expected);
        }
        assert_eq!(stamp(SystemTime::UNIX_EPOCH - Duration::from_secs(9)), "19700101T000000Z");
    }

    #[test]
    fn every_day_has_its_date() {
        for days in 0..100_000 {
            let expected = time::UtcDateTime::UNIX_EPOCH + time::Duration::days(days);
            let (year, month, day) = date(days.unsigned_abs());
            let read = format!("{year:04}-{month:02}-{day:02}");
            assert_eq!(read, expected.date().to_string());
        }
    }

    #[test]
    fn only_our_own_names_are_ours() {
        assert!(is_temporary(&temporary_name().unwrap()));
        for foreign in [
            ".device_id.json.12.0123456789abcdeg.tmp",
            ".device_id.json.12.0123456789abcde.tmp",
            ".device_id.json.x.0123456789abcdef.tmp",
            ".device_id.json..0123456789abcdef.tmp",
            "device_id.json.12.0123456789abcdef.tmp",
            ".device_id.json.12.0123456789abcdef.tmp~",
            ".device_id.json.tmp",
        ] {
            assert!(!is_temporary(foreign), "{foreign}");
        }
        for ours in ["20261123T092754Z", "20261123T092754Z-002"] {
            assert!(is_broken(&format!("device_id.json.corrupt-{ours}")), "{ours}");
        }
        for foreign in
            ["mine", "20261123T092754", "20261123T092754Z-", "20261123T092754Z-2", "2026T1Z"]
        {
            assert!(!is_broken(&format!("device_id.json.corrupt-{foreign}")), "{foreign}");
        }
    }

    #[test]
    fn the_newest_five_are_kept_whatever_the_clock_says() {
        let folder = tempfile::tempdir().unwrap();
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for seconds in [4_070_908_800, 50, 50, 40, 30, 20, 10] {
            let kept =
                keep(folder.path(), format!("at {seconds}").as_bytes(), at(seconds)).unwrap();
            assert_eq!(fs::read(kept).unwrap(), format!("at {seconds}").as_bytes());
        }
        let expected = [
            "device_id.json.corrupt-19700101T000010Z",
            "device_id.json.corrupt-19700101T000040Z",
            "device_id.json.corrupt-19700101T000050Z",
            "device_id.json.corrupt-19700101T000050Z-002",
            "device_id.json.corrupt-20990101T000000Z",
        ];
        assert_eq!(broken_files(folder.path()), expected);
    }

    #[test]
    fn leftovers_go_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(temporary_name().unwrap()), "half").unwrap();
        fs::write(folder.path().join(".device_id.json.tmp"), "somebody else's").unwrap();
        sweep(folder.path());
        let left: Vec<_> =
            fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [".device_id.json.tmp"]);
    }
}
