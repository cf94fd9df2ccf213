//! The package's bytes, from given programs and a given date. The same inputs give the same bytes.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::PrimitiveDateTime;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// The package, named by its id.
pub(crate) const ZIP_NAME: &str = "plexsync.zip";
/// What a source's URL in Stash points to.
pub(crate) const INDEX_NAME: &str = "index.yml";

const ID: &str = "plexsync";
const NAME: &str = "PlexSync";
const DESCRIPTION: &str = "Tells Plex which folders changed, always as the same device.";
const MANIFEST: &str = include_str!("../stash-plugin/plexsync.yml");
const LICENSES: [(&str, &str); 2] = [
    ("LICENSE-APACHE", include_str!("../../LICENSE-APACHE")),
    ("LICENSE-MIT", include_str!("../../LICENSE-MIT")),
];
const LAUNCHER: &str = include_str!("launcher.sh");
const PROGRAM: &str = "plexsync-worker";

/// Platforms that the launcher knows, and Windows, which needs none.
const PLATFORMS: [&str; 8] = [
    "linux-x86_64",
    "linux-aarch64",
    "linux-armv7",
    "linux-armv6",
    "macos-x86_64",
    "macos-aarch64",
    "freebsd-x86_64",
    "windows-x86_64",
];

/// Stash's format, in UTC (`pkg/pkg/pkg.go`).
const DATE: StaticFormatDescription =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");

/// Permissions in the zip; Stash takes them over, less its umask.
const EXECUTABLE: u32 = 0o755;
const READABLE: u32 = 0o644;

/// The platform that Rust's name of a target means.
pub(crate) fn platform_of(target: &str) -> Result<String, String> {
    let (processor, system) = target.split_once('-').unwrap_or((target, ""));
    let system = match system {
        _ if system.contains("linux") => "linux",
        _ if system.contains("windows") => "windows",
        "apple-darwin" => "macos",
        "unknown-freebsd" => "freebsd",
        _ => system,
    };
    let platform = format!("{system}-{processor}");
    match PLATFORMS.contains(&&*platform) {
        true => Ok(platform),
        false => {
            Err(format!("no platform for `{target}`, expected one of {}", PLATFORMS.join(", ")))
        }
    }
}

/// A program for one platform.
#[derive(Debug, Clone)]
pub(crate) struct Binary {
    pub(crate) platform: String,
    pub(crate) path: PathBuf,
}

impl Binary {
    /// Reads `linux-x86_64=PATH`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let expected = || format!("expected PLATFORM=PATH with one of {}", PLATFORMS.join(", "));
        let (platform, path) = text.split_once('=').ok_or_else(expected)?;
        if !PLATFORMS.contains(&platform) || path.is_empty() {
            return Err(expected());
        }
        Ok(Self { platform: platform.to_owned(), path: path.into() })
    }

    fn is_windows(&self) -> bool {
        self.platform.starts_with("windows-")
    }
}

/// Both files of a release.
pub(crate) struct Package {
    pub(crate) zip: Vec<u8>,
    pub(crate) index: String,
}

impl Package {
    /// Packs these programs, and the file with the terms of what they are made of, released at this date.
    pub(crate) fn new(
        binaries: &[Binary],
        licenses: Option<&Path>,
        date: &str,
    ) -> Result<Self, Box<dyn Error>> {
        if binaries.is_empty() {
            return Err("no program is given, expected `--target` or `--binary`".into());
        }
        let mut files = files(binaries)?;
        if let Some(path) = licenses {
            let entry = Entry { content: content(path)?, mode: READABLE };
            files.insert("LICENSES-OF-PARTS.txt".to_owned(), entry);
        }
        let zip = pack(&files)?;
        let index = index(date, &zip);
        Ok(Self { zip, index })
    }
}

/// A file in the zip.
struct Entry {
    content: Vec<u8>,
    mode: u32,
}

/// Every file by its name. The manifest stands at the root and nothing below `data/`: Stash would overwrite the user's
/// identity, and remove it with the release after.
fn files(binaries: &[Binary]) -> Result<BTreeMap<String, Entry>, Box<dyn Error>> {
    let texts = [(format!("{ID}.yml"), MANIFEST)].into_iter();
    let texts = texts.chain(LICENSES.map(|(name, text)| (name.to_owned(), text)));
    let entry = |text: &str| Entry { content: text.into(), mode: READABLE };
    let mut files: BTreeMap<_, _> = texts.map(|(name, text)| (name, entry(text))).collect();
    let several = binaries.len() > 1;
    for binary in binaries {
        let name = match (binary.is_windows(), several) {
            (true, _) => format!("{PROGRAM}.exe"),
            (false, false) => PROGRAM.to_owned(),
            (false, true) => format!("bin/{PROGRAM}-{}", binary.platform),
        };
        if files.insert(name, Entry { content: content(&binary.path)?, mode: EXECUTABLE }).is_some()
        {
            return Err(format!("platform `{}` is given twice", binary.platform).into());
        }
    }
    if several {
        files.insert(PROGRAM.to_owned(), Entry { content: LAUNCHER.into(), mode: EXECUTABLE });
    }
    Ok(files)
}

fn content(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("`{}` can't be read: {error}", path.display()))
}

/// A zip in the files' order, with a fixed time and as if made on Unix: a Windows zip has no permissions.
fn pack(files: &BTreeMap<String, Entry>) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, entry) in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(DateTime::default())
            .system(System::Unix)
            .unix_permissions(entry.mode);
        zip.start_file(name, options)?;
        zip.write_all(&entry.content)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// The index of a source with this one package. A JSON string is a YAML string, colons and all.
fn index(date: &str, zip: &[u8]) -> String {
    let sum: String = Sha256::digest(zip).iter().map(|byte| format!("{byte:02x}")).collect();
    let version = env!("CARGO_PKG_VERSION");
    let lines = [
        ("- id", ID),
        ("  name", NAME),
        ("  version", version),
        ("  date", date),
        ("  path", ZIP_NAME),
        ("  sha256", &sum),
    ];
    let quoted = lines.map(|(key, value)| format!("{key}: {}\n", serde_json::json!(value)));
    format!("{}  metadata:\n    description: {}\n", quoted.concat(), serde_json::json!(DESCRIPTION))
}

/// A date as Stash writes it, checked.
pub(crate) fn parse_date(text: &str) -> Result<String, String> {
    match PrimitiveDateTime::parse(text, DATE) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("expected UTC as 2026-01-31 12:00:00".to_owned()),
    }
}

/// The date of a Unix time.
pub(crate) fn date_of(seconds: i64) -> Result<String, Box<dyn Error>> {
    Ok(OffsetDateTime::from_unix_timestamp(seconds)?.format(DATE)?)
}
