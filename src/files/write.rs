//! Writing, so that a crash at any instruction leaves the old bytes or the new ones, whole.
//!
//! The order of every write is: a temporary file beside the target, its bytes to the disk, the name to the temporary
//! file, the folder to the disk. An `fsync` that failed is final for that temporary file: the kernel has marked its
//! pages clean, and a second `fsync` would lie (Rebello and others, USENIX ATC 2020).

use std::cell::Cell;
use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::cleanup::temporary_name;
use super::folder::{parent, sync_file, sync_folder};
use super::lock::POLL;
use super::{Obstacle, Problem, read, system};

/// How long a writer starts again whose temporary file is missing: another process cleaned up, or it has got its name, and the
/// file system shows what was there before for as long as it keeps it in a cache (FUSE: 1 s).
const LOSSES: Duration = Duration::from_secs(2);

/// How often a rename is tried at least: on a slow disk the first refusal may come late.
const TRIES: usize = 3;

/// What became of a new name.
#[derive(Debug, PartialEq, Eq)]
pub enum Created {
    /// It is ours, and on disk.
    Done,
    /// Another process has it, and it is on disk.
    Taken,
}

/// Gives `bytes` the name `path`, unless that name exists: of many who try, one succeeds, with and without a lock.
///
/// # Errors
///
/// Those of the system; [`ErrorKind::Unsupported`] where the file system knows no call for that.
pub fn create(path: &Path, bytes: &[u8]) -> io::Result<Created> {
    let created = with_temporary(path, bytes, None, |temporary| temporary.name_it(path, bytes))?;
    sync_folder(parent(path))?;
    Ok(created)
}

/// What became of a replacement.
#[derive(Debug)]
pub enum Replaced {
    /// The new bytes are there, and on disk.
    Done,
    /// The old bytes were not the expected ones any more: nothing was changed.
    Stale,
    /// The new bytes are there, but a power cut may take them away again.
    Unsynced(io::Error),
}

/// Whose a file is after it was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Ours alone, whatever it was before.
    Ours,
    /// As before, as far as the system lets us, but never writable by others.
    AsBefore,
}

/// Puts `bytes` under the name `path`, over the file or the link that is there, if `still` holds at the last moment.
///
/// A link is replaced, not followed: see [`super::follow`].
///
/// # Errors
///
/// Those of the system, and one where neither a file nor a link is under the name.
pub fn replace(
    path: &Path,
    bytes: &[u8],
    access: Access,
    still: impl Fn() -> bool,
) -> io::Result<Replaced> {
    match replace_soon(path, bytes, access, still)? {
        Replaced::Done => {
            Ok(sync_folder(parent(path)).map_or_else(Replaced::Unsynced, |()| Replaced::Done))
        }
        replaced => Ok(replaced),
    }
}

/// As [`replace`], but the system brings the new name to the disk when it likes, within half a minute: after a power cut the
/// old bytes may be back, whole.
///
/// # Errors
///
/// As [`replace`].
pub fn replace_soon(
    path: &Path,
    bytes: &[u8],
    access: Access,
    still: impl Fn() -> bool,
) -> io::Result<Replaced> {
    let about = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Ok(about) if about.is_dir() => return Err(in_the_way(&Obstacle::Folder)),
        Ok(about) if !about.is_file() && !about.is_symlink() => {
            return Err(in_the_way(&Obstacle::NotRegular));
        }
        about => Some(about?).filter(|about| access == Access::AsBefore && about.is_file()),
    };
    let refused = Cell::new(false);
    let is_ours = with_temporary(path, bytes, about.as_ref(), |temporary| {
        temporary.rename(path, bytes, &still, &refused)
    })?;
    Ok(if is_ours { Replaced::Done } else { Replaced::Stale })
}

/// Tries it with a temporary file of `bytes`, again with another one where that is taken away.
fn with_temporary<T>(
    target: &Path,
    bytes: &[u8],
    old: Option<&Metadata>,
    attempt: impl Fn(&Temporary) -> io::Result<T>,
) -> io::Result<T> {
    let start = Instant::now();
    loop {
        let temporary = Temporary::beside(target)?;
        match temporary.write(target, bytes, old).and_then(|()| attempt(&temporary)) {
            Err(error) if temporary.is_lost(&error) => pause_after_loss(start)?,
            outcome => return outcome,
        }
    }
}

/// What counts is what is on disk: a call that reports a failure may have done its work (an NFS RENAME sent twice). A disk
/// that keeps sizes in a cache (FUSE) shows a part of it at the first look.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    let look = || read::read(path, bytes.len() as u64).is_ok_and(|read| read == bytes);
    look() || look()
}

fn in_the_way(obstacle: &Obstacle) -> io::Error {
    io::Error::other(Problem::from(obstacle))
}

fn no_space(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

fn pause_after_loss(start: Instant) -> io::Result<()> {
    if start.elapsed() > LOSSES {
        return Err(io::Error::other("another process removes the temporary files"));
    }
    thread::sleep(POLL);
    Ok(())
}

/// A temporary file; removed unless it got a name.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    /// A name beside `target`, with nothing under it yet.
    fn beside(target: &Path) -> io::Result<Self> {
        Ok(Self { path: parent(target).join(temporary_name(target)?) })
    }

    /// Writes `bytes` down to the disk, as accessible as `old`, else for the owner only.
    fn write(&self, target: &Path, bytes: &[u8], old: Option<&Metadata>) -> io::Result<()> {
        let mode = system::mode_for_owner(old);
        let mut file = system::open_own(OpenOptions::new().create_new(true), mode, &self.path)?;
        file.write_all(bytes)?;
        system::resemble(&file, old)?;
        sync_file(&file, target)
    }

    /// Tries the best call first: file systems differ in what they know, and in the errors that say so.
    fn name_it(&self, path: &Path, bytes: &[u8]) -> io::Result<Created> {
        type Attempt<'a> = (&'a str, &'a dyn Fn() -> io::Result<()>);
        let attempts: [Attempt<'_>; 3] = [
            ("RENAME_NOREPLACE", &|| system::rename_no_replace(&self.path, path)),
            ("link", &|| system::link(&self.path, path)),
            ("O_EXCL", &|| write_new(path, bytes)),
        ];
        let mut refused = Vec::new();
        for (name, attempt) in attempts {
            let Err(error) = attempt() else { return Ok(Created::Done) };
            if holds(path, bytes) {
                return Ok(Created::Done);
            }
            if error.kind() == ErrorKind::AlreadyExists {
                return Ok(Created::Taken);
            }
            if no_space(&error) || self.is_lost(&error) {
                return Err(error);
            }
            refused.push(format!("{name}: {error}"));
        }
        let refused = refused.join(", ");
        let text =
            format!("its file system can't create a file only where there is none ({refused})");
        Err(io::Error::new(ErrorKind::Unsupported, text))
    }

    /// Whether the target was replaced; not where `still` does not hold. `refused` is set as soon as a rename has failed.
    fn rename(
        &self,
        target: &Path,
        bytes: &[u8],
        still: impl Fn() -> bool,
        refused: &Cell<bool>,
    ) -> io::Result<bool> {
        let start = Instant::now();
        let mut tries = 0;
        // A rename that failed may have taken the old file away, and no more: nobody but us has what was in it then.
        while still() || (refused.get() && read::is_missing(target)) {
            let Err(error) = system::rename(&self.path, target) else { return Ok(true) };
            refused.set(true);
            if holds(target, bytes) {
                return Ok(true);
            }
            tries += 1;
            // What we say ourselves will not pass.
            let is_final = no_space(&error) || error.get_ref().is_some() || self.is_lost(&error);
            if is_final || (tries >= TRIES && start.elapsed() >= system::REFUSALS) {
                return Err(error);
            }
            thread::sleep(POLL);
        }
        // What is there is not what was expected; it may be ours, shown only later. Until then nobody else should have the
        // lock.
        while !holds(target, bytes) {
            if !refused.get() || start.elapsed() >= LOSSES {
                return Ok(false);
            }
            thread::sleep(POLL);
        }
        Ok(true)
    }

    /// Whether another process has cleaned this file up.
    fn is_lost(&self, error: &io::Error) -> bool {
        let is_missing =
            || fs::symlink_metadata(&self.path).is_err() && parent(&self.path).is_dir();
        error.kind() == ErrorKind::NotFound && is_missing()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing to remove; names are random, so it is not another's.
        let _gone = system::patiently(|| fs::remove_file(&self.path));
    }
}

/// The last resort: the name first, the bytes then. After a crash in between the file is torn, but no host knows its
/// content yet.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = system::create_new(path)?;
    let written = file.write_all(bytes).and_then(|()| sync_file(&file, path));
    if written.is_err() {
        let _gone = fs::remove_file(path);
    }
    written
}
