//! Names on disk: looked at without a chance to hang, folders made and brought to the disk.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::file::{MAX_BYTES, Obstacle, State, classify};

/// What is under the name `path`.
pub(super) fn look(path: &Path) -> State {
    classify(read(path))
}

/// Reads a file of at most [`MAX_BYTES`]; opens nothing for writing, waits for nobody.
fn read(path: &Path) -> Result<Vec<u8>, Obstacle> {
    let file = open(path)?;
    let about = file.metadata().map_err(Obstacle::Io)?;
    if about.is_dir() {
        return Err(Obstacle::Folder);
    }
    if !about.is_file() {
        return Err(Obstacle::NoFile);
    }
    if about.len() > MAX_BYTES {
        return Err(Obstacle::TooLong);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or_default() + 64);
    let length = file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(Obstacle::Io)?;
    if length as u64 > MAX_BYTES { Err(Obstacle::TooLong) } else { Ok(bytes) }
}

/// Tells "nothing there" from "a link to nothing": only the first may ever lead to a new identity.
pub(super) fn open(path: &Path) -> Result<File, Obstacle> {
    for _ in 0..3 {
        let error = match reading().open(path) {
            Ok(file) => return Ok(file),
            Err(error) if error.kind() == ErrorKind::NotFound => error,
            Err(error) => return Err(Obstacle::Io(error)),
        };
        match fs::symlink_metadata(path) {
            Err(missing) if missing.kind() == ErrorKind::NotFound => return Err(Obstacle::Missing),
            Err(_) => return Err(Obstacle::Io(error)),
            // It came between the two calls, or the link leads nowhere: the next round tells.
            Ok(_) => {}
        }
    }
    Err(Obstacle::DanglingLink)
}

/// A FIFO would hold up an `open` without `O_NONBLOCK`; a terminal could become ours without `O_NOCTTY`.
fn reading() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(flags(rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY));
    }
    options
}

/// Options for a file that only its owner may use; never through a symlink, never waiting for a FIFO's other end.
pub(super) fn owned() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
        options.custom_flags(flags(OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW));
    }
    options
}

#[cfg(unix)]
fn flags(flags: rustix::fs::OFlags) -> i32 {
    flags.bits().cast_signed()
}

/// Makes a folder and its parents, for the owner only, down to the disk.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let named = |path: &&Path| !path.as_os_str().is_empty();
    let missing: Vec<&Path> =
        folder.ancestors().take_while(named).take_while(|path| !path.exists()).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    missing.into_iter().try_for_each(|path| sync_folder(parent(path)))
}

/// Brings a folder's names to the disk, where the system can and lets us.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = match File::open(folder) {
        // It may be written but not listed: there is no way to ask.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(()),
        folder => folder?,
    };
    match folder.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Ok(())
        }
        outcome => outcome,
    }
}

/// Windows has no such call: names go through the file system's journal.
#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// The folder of a file; a bare name's is the working folder.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
