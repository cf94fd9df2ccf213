//! Stash's package manager (Stash `pkg/pkg`): what an install, an update and an uninstall do to a plugin's folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Plugin;

/// Lists what the package manager wrote; only that is removed.
const MANIFEST: &str = "manifest";

/// Packages of one source, below `<plugins path>/<local path>`.
#[derive(Debug, Clone)]
pub struct PackageManager {
    folder: PathBuf,
}

/// An entry of a source's index.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Package {
    id: String,
    #[serde(rename = "name")]
    _name: String,
    version: String,
    date: String,
    path: PathBuf,
    sha256: String,
    #[serde(rename = "requires", default)]
    _requires: Vec<String>,
    #[serde(rename = "metadata", default)]
    _metadata: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Installed {
    id: String,
    version: String,
    date: String,
    files: Vec<PathBuf>,
}

impl PackageManager {
    /// Packages from a source with this local path; Stash's own source has `community`.
    pub fn new(plugins: &Path, local_path: &str) -> Self {
        Self { folder: plugins.join(local_path) }
    }

    /// Installs a package, or installs it again over itself. The index is a file or an `http` URL.
    ///
    /// # Errors
    /// What stands in Stash's log then: the job itself always ends well.
    pub fn install(&self, index: &Path, id: &str) -> Result<PathBuf, String> {
        let package = find(index, id)?;
        let zip = read(&beside(index, &package.path)).map_err(|error| error.to_string())?;
        let sum = hex(&Sha256::digest(&zip));
        if sum != package.sha256 {
            return Err(format!("checksum mismatch: expected {}, got {sum}", package.sha256));
        }
        let folder = self.folder.join(id);
        if folder.join(MANIFEST).exists() {
            self.remove_files(id)?;
        }
        let files = unpack(&zip, &folder).map_err(|error| error.to_string())?;
        let Package { id, version, date, .. } = package;
        let installed = Installed { id, version, date, files };
        let text = serde_json::to_string_pretty(&installed).map_err(|error| error.to_string())?;
        fs::write(folder.join(MANIFEST), text).map_err(|error| error.to_string())?;
        Ok(folder)
    }

    /// Installs what the index has if its date is later than the installed one's; whether it was.
    ///
    /// # Errors
    /// As [`install`](Self::install), and when the package is not installed.
    pub fn update(&self, index: &Path, id: &str) -> Result<bool, String> {
        let is_newer = find(index, id)?.date > self.installed(id)?.date;
        if is_newer {
            self.install(index, id)?;
        }
        Ok(is_newer)
    }

    /// Removes the files that the package brought, and the folder if nothing else is left in it.
    ///
    /// # Errors
    /// When the package is not installed, or a file can't be removed.
    pub fn uninstall(&self, id: &str) -> Result<(), String> {
        self.remove_files(id)?;
        let _ = fs::remove_dir(self.folder.join(id));
        Ok(())
    }

    /// Every plugin below the folder: Stash reads each `*.yml` as one.
    ///
    /// # Errors
    /// A folder can't be read, or Stash would not load one of the plugins.
    pub fn plugins(&self) -> Result<Vec<Plugin>, String> {
        let mut found = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).map_err(|error| error.to_string())? {
                let path = entry.map_err(|error| error.to_string())?.path();
                match path.extension() {
                    _ if path.is_dir() => folders.push(path),
                    Some(extension) if extension == "yml" => found.push(Plugin::load(&path)?),
                    _ => {}
                }
            }
        }
        Ok(found)
    }

    fn installed(&self, id: &str) -> Result<Installed, String> {
        let text = fs::read_to_string(self.folder.join(id).join(MANIFEST));
        let text = text.map_err(|error| format!("package {id} is not installed: {error}"))?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    /// Removes what the manifest lists, then the manifest.
    fn remove_files(&self, id: &str) -> Result<(), String> {
        let folder = self.folder.join(id);
        for file in self.installed(id)?.files.iter().chain([&PathBuf::from(MANIFEST)]) {
            match fs::remove_file(folder.join(file)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(format!("{}: {error}", file.display()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn find(index: &Path, id: &str) -> Result<Package, String> {
    let text = read(index).map_err(|error| error.to_string())?;
    let packages: Vec<Package> =
        serde_saphyr::from_slice(&text).map_err(|error| error.to_string())?;
    let package = packages.into_iter().find(|package| package.id == id);
    package.ok_or_else(|| format!("the index has no package {id}"))
}

fn beside(index: &Path, path: &Path) -> PathBuf {
    index.parent().map_or_else(|| path.to_owned(), |folder| folder.join(path))
}

/// The bytes of a file, or of what an `http` URL returns.
fn read(location: &Path) -> io::Result<Vec<u8>> {
    let Some(url) = location.to_str().and_then(|text| text.strip_prefix("http://")) else {
        return fs::read(location);
    };
    let (host, path) = url.split_once('/').unwrap_or((url, ""));
    let mut socket = TcpStream::connect(host)?;
    write!(socket, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    match head {
        Some(end) if answer.get(8..13) == Some(b" 200 ") => Ok(answer.split_off(end + 4)),
        _ => Err(io::Error::other(format!("`{}` is not there", location.display()))),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes the zip's files with its modes, less the umask. Folders have no entry of their own; a symlink becomes a file
/// that holds its target.
fn unpack(zip: &[u8], folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut archive = zip::ZipArchive::new(io::Cursor::new(zip)).map_err(io::Error::other)?;
    let mut files = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(io::Error::other)?;
        if entry.is_dir() {
            continue;
        }
        let name = entry.enclosed_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let path = folder.join(&name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content)?;
        let mut file = create(&path, entry.unix_mode().unwrap_or(0o666))?;
        file.write_all(&content)?;
        files.push(name);
    }
    Ok(files)
}

/// A file that is there keeps its mode and its inode: one that runs is busy then.
fn create(path: &Path, mode: u32) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode & 0o777);
    #[cfg(not(unix))]
    let _ = mode;
    options.open(path)
}
