//! File systems in user space, with all their ways to say no, mounted for as long as a trial goes on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::rig::{folder, have, is_root, runs};
use crate::talk::wait_until;

/// A mounted file system; it goes away with this.
pub(crate) struct Fuse {
    _folder: TempDir,
    root: PathBuf,
    server: Child,
}

/// What serves a file system: its name, and the words that mount the folder of the first path at the second one.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    tool: &'static str,
    words: fn(&str, &str) -> Vec<String>,
}

/// Each is mounted by people who keep their media, and Stash's folders, on it.
pub(crate) const SERVERS: [Server; 9] = [
    Server { name: "bindfs", tool: "bindfs", words: |from, to| words(&["bindfs", "-f", from, to]) },
    Server {
        name: "bindfs, chmod refused",
        tool: "bindfs",
        words: |from, to| words(&["bindfs", "-f", "--chmod-deny", "--chown-deny", from, to]),
    },
    Server { name: "rclone mount", tool: "rclone", words: |from, to| rclone(from, to, "off") },
    Server {
        name: "rclone mount, cached writes",
        tool: "rclone",
        words: |from, to| rclone(from, to, "writes"),
    },
    Server { name: "mergerfs", tool: "mergerfs", words: mergerfs },
    Server { name: "gocryptfs", tool: "gocryptfs", words: gocryptfs },
    Server { name: "sshfs", tool: "sshfs", words: |from, to| sshfs(from, to, &[]) },
    Server {
        name: "sshfs without links",
        tool: "sshfs",
        words: |from, to| sshfs(from, to, &["-o", "disable_hardlink", "-o", "workaround=rename"]),
    },
    Server {
        name: "a bare one, without links",
        tool: "python3",
        words: |from, to| {
            lying(
                from,
                to,
                &[
                    "link:EIO:refused",
                    "chmod:EPERM:refused",
                    "fsync:EINVAL:refused",
                    "fsyncdir:EACCES:refused",
                ],
            )
        },
    },
];

/// They do what they are asked for, and say that they have not.
pub(crate) const LIARS: [Server; 4] = [
    Server {
        name: "rename done, EIO told",
        tool: "python3",
        words: |from, to| lying(from, to, &["rename:EIO:done"]),
    },
    Server {
        name: "rename done, ENOENT told",
        tool: "python3",
        words: |from, to| lying(from, to, &["rename:ENOENT:done"]),
    },
    Server {
        name: "link done, EEXIST told",
        tool: "python3",
        words: |from, to| lying(from, to, &["link:EEXIST:done"]),
    },
    Server {
        name: "both done, EIO told",
        tool: "python3",
        words: |from, to| lying(from, to, &["link:EIO:done", "rename:EIO:done"]),
    },
];

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn rclone(from: &str, to: &str, cache: &str) -> Vec<String> {
    let cache_dir = format!("{from}.cache");
    words(&[
        "rclone",
        "mount",
        from,
        to,
        "--config",
        "/dev/null",
        "--cache-dir",
        &cache_dir,
        "--vfs-cache-mode",
        cache,
    ])
}

fn mergerfs(from: &str, to: &str) -> Vec<String> {
    let other = format!("{from}.other");
    fs::create_dir(&other).unwrap();
    words(&["mergerfs", "-f", "-o", "category.create=mfs", &format!("{from}:{other}"), to])
}

fn gocryptfs(from: &str, to: &str) -> Vec<String> {
    let password = ["-q", "-extpass", "echo", "-extpass", "password"];
    assert!(runs("gocryptfs", &[&password[..], &["-init", "-scryptn", "10", from]].concat()));
    words(&[&["gocryptfs", "-fg"], &password[..], &[from, to]].concat())
}

/// Without a network: the server is started in the place of `ssh`.
fn sshfs(from: &str, to: &str, options: &[&str]) -> Vec<String> {
    use std::os::unix::fs::PermissionsExt;
    let ssh = format!("{from}.ssh");
    fs::write(&ssh, "#!/bin/sh\nexec /usr/lib/openssh/sftp-server\n").unwrap();
    fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).unwrap();
    let (from, ssh) = (format!("localhost:{from}"), format!("ssh_command={ssh}"));
    words(&[&["sshfs", "-f", &from, to, "-o", &ssh], options].concat())
}

/// The first Python that knows FUSE: Debian's own has it, another in front of it may not.
fn python() -> Option<&'static str> {
    const KNOWS: &str = "try: import fusepy\nexcept ImportError: import fuse";
    ["python3", "/usr/bin/python3"].into_iter().find(|python| runs(python, &["-c", KNOWS]))
}

fn lying(from: &str, to: &str, lies: &[&str]) -> Vec<String> {
    let disk = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/lying_disk.py");
    words(&[&[python().unwrap(), disk, from, to], lies].concat())
}

impl Fuse {
    /// Mounts it; none, said so, where that can't be.
    pub(crate) fn mount(server: &Server) -> Option<Self> {
        if !is_root() || !have(&[server.tool, "mountpoint", "umount"]) {
            return None;
        }
        if server.tool == "python3" && python().is_none() {
            plexsync_harness::skip("no Python module for FUSE");
            return None;
        }
        let folder = folder();
        let (from, root) = (folder.path().join("from"), folder.path().join("root"));
        [&from, &root].iter().for_each(|path| fs::create_dir(path).unwrap());
        let words = (server.words)(from.to_str().unwrap(), root.to_str().unwrap());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut fuse = Self { _folder: folder, root, server: command.spawn().unwrap() };
        let path = fuse.root.to_str().unwrap().to_owned();
        let mut ended = false;
        wait_until("a mounted file system", || {
            ended = fuse.server.try_wait().unwrap().is_some();
            ended || runs("mountpoint", &["-q", &path])
        });
        if ended {
            plexsync_harness::skip(format_args!("{} can't be mounted", server.name));
        }
        (!ended).then_some(fuse)
    }

    /// Where it is mounted.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        runs("umount", &["-l", self.root.to_str().unwrap()]);
        let _ended = self.server.kill();
        let _reaped = self.server.wait();
    }
}
