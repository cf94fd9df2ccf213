//! File systems of a trial's own, mounted for as long as it goes on.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use plexsync_harness::skip;
use tempfile::TempDir;

use crate::rig::{folder, runs};
use crate::talk::wait_until;

/// A mounted file system; it goes away with this.
pub(crate) struct Mount {
    _folder: TempDir,
    image: PathBuf,
    root: PathBuf,
}

impl Mount {
    /// Room for the smallest xfs there is, in bytes.
    const IMAGE: u64 = 320 << 20;

    /// A file system that `mkfs` makes, on a loop device; none, said so, where that can't be.
    pub(crate) fn image(mkfs: &str) -> Option<Self> {
        Self::new(mkfs, |mount| {
            File::create(&mount.image).unwrap().set_len(Self::IMAGE).unwrap();
            runs(mkfs, &["-q", mount.image.to_str().unwrap()]) && mount.mount_image()
        })
    }

    /// One in memory, with these options of mount(8).
    pub(crate) fn memory(options: &str) -> Option<Self> {
        Self::new("tmpfs", |mount| mount.mount(&["-t", "tmpfs", "-o", options, "tmpfs"]))
    }

    /// One folder over another.
    pub(crate) fn overlay() -> Option<Self> {
        Self::new("overlayfs", |mount| {
            let at = |name: &str| {
                let path = mount.root.with_file_name(name);
                fs::create_dir(&path).unwrap();
                path.display().to_string()
            };
            let layers =
                format!("lowerdir={},upperdir={},workdir={}", at("lower"), at("upper"), at("work"));
            mount.mount(&["-t", "overlay", "overlay", "-o", &layers])
        })
    }

    /// A btrfs whose folder `data` may hold so much: no kernel option is needed for its quotas.
    pub(crate) fn quota(limit: &str) -> Option<Self> {
        let disk = Self::image("mkfs.btrfs")?;
        let data = disk.root().join("data");
        let data = data.to_str().unwrap();
        let limited = runs("btrfs", &["quota", "enable", disk.path()])
            && runs("btrfs", &["subvolume", "create", data])
            && runs("btrfs", &["qgroup", "limit", limit, data]);
        if !limited {
            skip("btrfs has no quotas here");
        }
        limited.then_some(disk)
    }

    /// Everything is on the disk.
    pub(crate) fn sync(&self) {
        assert!(runs("sync", &["-f", self.path()]));
    }

    fn new(name: &str, make: impl FnOnce(&Self) -> bool) -> Option<Self> {
        let folder = folder();
        let (image, root) = (folder.path().join("image"), folder.path().join("mount"));
        fs::create_dir(&root).unwrap();
        let mount = Self { _folder: folder, image, root };
        let mounted = make(&mount);
        if !mounted {
            skip(format_args!("`{name}` makes nothing that can be mounted here"));
        }
        mounted.then_some(mount)
    }

    fn mount(&self, arguments: &[&str]) -> bool {
        runs("mount", &[arguments, &[self.path()]].concat())
    }

    /// Unmounts the image and mounts it once more. A container that was started meanwhile has the mount too: as long as
    /// it runs, the kernel goes on with what it knows, and reads nothing from the disk.
    pub(crate) fn again(&self) {
        assert!(runs("umount", &[self.path()]));
        let image = self.image.to_str().unwrap();
        wait_until("an image that nobody uses", || {
            let output = Command::new("losetup").args(["-j", image]).output().unwrap();
            output.status.success() && output.stdout.is_empty()
        });
        assert!(self.mount_image());
    }

    fn mount_image(&self) -> bool {
        self.mount(&["-o", "loop", self.image.to_str().unwrap()])
    }

    /// Where it is mounted.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The same, as an argument.
    pub(crate) fn path(&self) -> &str {
        self.root.to_str().unwrap()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        runs("umount", &["-l", self.path()]);
    }
}
