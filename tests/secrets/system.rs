//! What the system shows of a worker, and leaves behind of one that dies: to whom, and without a token.

use std::fs;
use std::path::Path;

/// Every entry of `/proc` about this process that can be read whole: its name, and what it says.
pub(super) fn shown(pid: u32) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    if cfg!(target_os = "linux") {
        let process = format!("/proc/{pid}");
        collect(Path::new(&process), "", &mut shown);
        let found = |name: &str| shown.iter().find(|(known, _)| known == name);
        let limits = &found("limits").unwrap().1;
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
        assert!(["cmdline", "status", "stat"].iter().all(|name| found(name).is_some()));
    }
    shown
}

fn collect(folder: &Path, prefix: &str, shown: &mut Vec<(String, String)>) {
    // The memory itself holds it, of course; the last are the network's, not the process's, and the same once more.
    const NOT: [&str; 7] = ["mem", "pagemap", "clear_refs", "net", "attr", "smaps", "numa_maps"];
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if NOT.contains(&&*name) {
            continue;
        }
        let name = format!("{prefix}{name}");
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&path, &format!("{name}/"), shown),
            Ok(kind) if kind.is_symlink() => shown.extend(
                fs::read_link(&path).ok().map(|target| (name, target.display().to_string())),
            ),
            _ => shown.extend(
                fs::read(&path)
                    .ok()
                    .map(|text| (name, String::from_utf8_lossy(&text).into_owned())),
            ),
        }
    }
}

/// Another user, and another program of the same user, must read neither environment nor memory. Root may read
/// everything: as root, the worker runs as somebody else.
#[test]
#[cfg(target_os = "linux")]
fn nobody_else_reads_what_a_token_may_be_in() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    use std::process::Command;

    use plexsync_harness::Host;

    const NOBODY: u32 = 65534;
    let folder = tempfile::tempdir().unwrap();
    let is_root = fs::metadata(folder.path()).unwrap().uid() == 0;
    let user = NOBODY.to_string();
    let as_user = ["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups"];
    let mut host = if is_root {
        let program = folder.path().join("worker");
        // Another process copies: what this one has open for writing, a child of another test's thread may have open.
        assert!(Command::new("cp").arg(crate::worker()).arg(&program).status().unwrap().success());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        chown(&data, Some(NOBODY), Some(NOBODY)).unwrap();
        let builder = Host::builder().binary(as_user[0]).without_data_dir().args(&as_user[1..]);
        builder.arg(program).env("PLEXSYNC_DATA_DIR", data)
    } else {
        crate::host()
    }
    .token(super::CANARY)
    .start();
    host.call("identity.get", serde_json::json!({})).unwrap();
    let reads = |entry: &str| {
        let path = format!("/proc/{}/{entry}", host.pid());
        let words: &[&str] = if is_root { &as_user } else { &["env"] };
        let mut command = Command::new(words[0]);
        // To open it is enough: nothing stands at the beginning of the memory.
        command.args(&words[1..]).args(["dd", "count=0", "status=none"]);
        command.arg(format!("if={path}")).output().unwrap().status.success()
    };
    assert!(reads("cmdline"), "what everybody reads of every process");
    for entry in ["environ", "mem", "maps", "smaps", "auxv", "fd/0", "root/etc/passwd"] {
        assert!(!reads(entry), "{entry}");
    }
    let environment = fs::metadata(format!("/proc/{}/environ", host.pid())).unwrap();
    assert_eq!(environment.uid(), 0, "it belongs to root");
}

/// Whatever its user's limit is.
#[test]
#[cfg(unix)]
fn a_worker_that_dies_leaves_no_core_dump() {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use plexsync_harness::host::{PATIENCE, Signal};

    let folder = tempfile::tempdir().unwrap();
    let script = "ulimit -c unlimited; \"$@\"";
    let words = ["-c", script, "sh", "sh", "-c", "kill -ABRT $$"];
    let others = Command::new("sh").args(words).current_dir(folder.path()).output().unwrap();
    let dumps = fs::read_dir(folder.path()).unwrap().count() > 0;
    if !dumps {
        return plexsync_harness::skip(format_args!(
            "no program leaves a core dump in its folder here ({})",
            others.status
        ));
    }
    for signal in [Signal::Abort, Signal::Quit] {
        let folder = tempfile::tempdir().unwrap();
        let builder = crate::host().binary("sh").without_data_dir().current_dir(folder.path());
        let builder = builder.args(["-c", "ulimit -c unlimited; exec \"$@\"", "sh"]);
        let data = folder.path().join("data");
        let builder = builder.arg(crate::worker()).env("PLEXSYNC_DATA_DIR", &data);
        let mut host = builder.token(super::CANARY).start();
        host.call("identity.get", serde_json::json!({})).unwrap();
        host.signal(signal);
        let status = host.wait_exit(PATIENCE);
        assert!(status.signal().is_some() && !status.core_dumped(), "{status}");
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
