//! Reading what is under a name, without a chance to hang and without following a link that may be a trap.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::folder::parent;
use super::lock::POLL;
use super::{Problem, system};

/// Most links to follow, as on Linux.
const MOST_LINKS: usize = 40;

/// How long what is not understood is looked at again.
const PARTS: Duration = Duration::from_millis(100);

/// Why there are no bytes.
#[derive(Debug)]
pub enum Obstacle {
    /// There is nothing under this name.
    Missing,
    /// A file exists at one look and not at the next, while another process replaces it.
    Flickers,
    /// It is a symbolic link, and those are not followed here.
    Link,
    /// A symbolic link without a target: its volume may not be mounted.
    DanglingLink,
    /// A symbolic link that could be anybody's trap.
    ForeignLink,
    /// It is a folder.
    Folder,
    /// It is a FIFO, a socket or a device.
    NotRegular,
    /// It has more bytes than this.
    TooLong(u64),
    /// The system's own reason.
    Io(io::Error),
}

impl Obstacle {
    /// Whether it may pass in a moment: so it looks while another process replaces a file, and while another program has
    /// it open on Windows.
    pub fn may_pass(&self) -> bool {
        self.passes_within().is_some()
    }

    /// How long it may last, where it may pass. FUSE shows for 1 s what is there no more, counted from a look that a busy
    /// machine may have made late; rclone shows a file that it writes back for 5 s, and opens it only then.
    pub fn passes_within(&self) -> Option<Duration> {
        match self {
            Self::Flickers => Some(Duration::from_secs(8)),
            Self::Io(error) if system::may_pass(error) => Some(Duration::from_millis(1500)),
            _ => None,
        }
    }
}

impl From<&Obstacle> for Problem {
    fn from(obstacle: &Obstacle) -> Self {
        match obstacle {
            Obstacle::Missing => Self::new("there is no such file", "create it"),
            Obstacle::Flickers => {
                Self::new("it comes and goes", "end the other programs that write it")
            }
            Obstacle::Link => Self::new("it is a link, which is not followed here", "remove it"),
            Obstacle::DanglingLink => Self::new(
                "it is a link that leads nowhere",
                "mount the volume of its target, or remove the link",
            ),
            Obstacle::ForeignLink => Self::new(
                "it is a link of another user to a file that is not theirs, so it may be a trap",
                "remove the link, or make it as the user that this process runs as",
            ),
            Obstacle::Folder => Self::new(
                "it is a folder, as Docker makes one for a missing file",
                "remove it; if it is a mount, unmount it, and mount the folder that the file shall lie in",
            ),
            Obstacle::NotRegular => Self::new("it is not a regular file", "remove it"),
            Obstacle::TooLong(most) => {
                Self::new(format!("it has more than {most} bytes"), "move it away")
            }
            Obstacle::Io(error) => Self::from(error).because("it can't be read"),
        }
    }
}

/// Reads the file under this very name, if it has at most `most` bytes; a link is [`Obstacle::Link`].
///
/// # Errors
///
/// Whatever there is instead of a file that can be read.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Obstacle> {
    let file = open(path)?;
    let about = file.metadata().map_err(obstacle)?;
    if about.is_dir() {
        return Err(Obstacle::Folder);
    }
    if !about.is_file() {
        return Err(Obstacle::NotRegular);
    }
    if about.len() > most {
        return Err(Obstacle::TooLong(most));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default() + 64);
    let length = file.take(most + 1).read_to_end(&mut bytes).map_err(obstacle)?;
    if length as u64 > most { Err(Obstacle::TooLong(most)) } else { Ok(bytes) }
}

/// As [`read`], but looks again for so long at what may pass in a moment, at least as long as the system takes.
///
/// # Errors
///
/// As [`read`].
pub fn read_settled(path: &Path, most: u64, patience: Duration) -> Result<Vec<u8>, Obstacle> {
    let (start, patience) = (Instant::now(), patience.max(system::REFUSALS));
    loop {
        match read(path, most) {
            Err(obstacle) if obstacle.may_pass() && start.elapsed() < patience => {
                thread::sleep(POLL);
            }
            read => return read,
        }
    }
}

/// As [`read_settled`], with what the bytes mean to `parse`. What it does not understand is looked at again for 100 ms: a
/// disk that keeps sizes in a cache (FUSE) may show only a part of a file that has just been replaced.
///
/// # Errors
///
/// As [`read`].
pub fn read_understood<T, E>(
    path: &Path,
    most: u64,
    patience: Duration,
    parse: impl Fn(&[u8]) -> Result<T, E>,
) -> Result<(Vec<u8>, Result<T, E>), Obstacle> {
    let start = Instant::now();
    loop {
        let bytes = read_settled(path, most, patience)?;
        match parse(&bytes) {
            Err(_) if start.elapsed() < PARTS => thread::sleep(POLL),
            parsed => return Ok((bytes, parsed)),
        }
    }
}

/// Whether there is certainly nothing under this name, not even a link.
pub(super) fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// Opens what has this very name for reading, and never waits.
///
/// # Errors
///
/// [`Obstacle::Missing`] only for what is missing for certain: an `open` that answers "not found" may be wrong while
/// the file is being replaced (libfuse 636, 637).
pub fn open(path: &Path) -> Result<File, Obstacle> {
    for _ in 0..3 {
        let error = match system::open(path) {
            Ok(file) => return no_link(file, path),
            Err(error) => error,
        };
        match (fs::symlink_metadata(path), obstacle(error)) {
            (Err(missing), Obstacle::Flickers) if missing.kind() == ErrorKind::NotFound => {
                return Err(Obstacle::Missing);
            }
            (Ok(about), _) if about.is_symlink() => return Err(Obstacle::Link),
            (Ok(about), _) if about.is_dir() => return Err(Obstacle::Folder),
            (Ok(_), Obstacle::Flickers) => {}
            (Err(error), Obstacle::Flickers) | (_, Obstacle::Io(error)) => {
                return Err(Obstacle::Io(error));
            }
            (_, obstacle) => return Err(obstacle),
        }
    }
    Err(Obstacle::Flickers)
}

/// An error of `open` or `read`. "Too many links" is that of a link that has just been replaced by a file.
fn obstacle(error: io::Error) -> Obstacle {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::StaleNetworkFileHandle => Obstacle::Flickers,
        _ if system::is_link_loop(&error) => Obstacle::Flickers,
        _ => Obstacle::Io(error),
    }
}

/// There is no `O_NOFOLLOW` on Windows.
fn no_link(file: File, path: &Path) -> Result<File, Obstacle> {
    let is_link = || fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
    if cfg!(windows) && is_link() { Err(Obstacle::Link) } else { Ok(file) }
}

/// The target of the links at `path`; `path` itself if it is not a link. Each of the links has to belong to
/// this process's user, to root, or to the owner of its target, as Linux's `protected_symlinks` wants it.
///
/// # Errors
///
/// [`Obstacle::ForeignLink`], [`Obstacle::DanglingLink`], and what the system says.
pub fn follow(path: &Path) -> Result<PathBuf, Obstacle> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(link) = fs::symlink_metadata(&path) else { return Ok(path) };
        if !link.is_symlink() {
            return Ok(path);
        }
        let target = parent(&path).join(fs::read_link(&path).map_err(Obstacle::Io)?);
        let about = fs::symlink_metadata(&target).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Obstacle::DanglingLink,
            _ => Obstacle::Io(error),
        })?;
        if !system::is_trusted(&link, &about) {
            return Err(Obstacle::ForeignLink);
        }
        path = target;
    }
    Err(Obstacle::Io(io::Error::other("too many links")))
}
