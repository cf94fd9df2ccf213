//! Flags and environment to the options in force.

use std::env::consts::OS;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use plexsync_protocol::message::MAX_MESSAGE;
use tracing::level_filters::LevelFilter;

use super::Flags;
use crate::host::framing::Framing;
use crate::log::{self, Format};
use crate::secret::Secret;
use crate::target::{Given, PLATFORM, Source, Token};

/// The manifest of the Stash plugin; it is in the plugin's folder.
pub(super) const MANIFEST: &str = "plexsync.yml";
/// The program's folder in the platform's data folder.
const FOLDER: &str = "plexsync";

/// The options, by flag, environment and default.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data folder, if one was given.
    pub data_dir: Option<Given<PathBuf>>,
    /// The data folder if none was given and Stash is not the host; `None` if the platform has no such folder.
    pub default_data_dir: Option<Given<PathBuf>>,
    /// The platform's data folder of 1.x, where it was another one: an identity in it moves to today's.
    pub former_data_dir: Option<PathBuf>,
    /// Server and token, by flag and environment; what counts more comes first.
    pub sources: Vec<Source>,
    /// One URL in place of plex.tv's two, if one was given.
    pub plex_tv: Option<Given<String>>,
    /// The framing; `None` for the one that the first line shows.
    pub framing: Option<Framing>,
    /// Longest message, in bytes.
    pub max_message: usize,
    /// An additional certificate authority.
    pub plex_ca: Option<Given<PathBuf>>,
    /// The plugin whose settings to ask Stash for.
    pub stash_plugin: String,
    /// The least important level that is logged.
    pub log: LevelFilter,
    /// Format of the log, if one was chosen.
    pub log_format: Option<Format>,
    /// Proxy for https.
    pub https_proxy: Option<String>,
    /// Hosts that are reached without the proxy.
    pub no_proxy: Option<String>,
    /// About values that can't be used, for the log.
    pub warnings: Vec<String>,
}

/// Reads an environment variable.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Options {
    /// The options that these flags and this environment give. `program` finds this program's file, if need be.
    pub fn new(
        flags: Flags,
        environment: Environment<'_>,
        program: impl FnOnce() -> Option<PathBuf>,
    ) -> Self {
        let variable = |name: &'static str| text(name, environment);
        let path = |flag: Option<PathBuf>, by, names: &[&'static str]| {
            let flag = flag.map(|value| Given::new(value, by));
            let named = |name: &&'static str| Some(Given::new(path_of(name, environment)?, name));
            flag.or_else(|| names.iter().find_map(named))
        };
        let mut warnings = Vec::new();
        let names = ["PLEXSYNC_DATA_DIR", "STASH_PLUGIN_DATA"];
        let data_dir = path(flags.data_dir, "--data-dir", &names);
        Self {
            default_data_dir: match data_dir {
                Some(_) => None,
                None => default_data_dir(environment, program()),
            },
            former_data_dir: former_data_dir(OS, environment),
            data_dir,
            plex_ca: path(flags.plex_ca, "--plex-ca", &["PLEX_CA"]),
            sources: sources(flags.plex_url, flags.plex_token_file, flags.plex_server, environment),
            plex_tv: plex_tv(flags.plex_tv, environment),
            framing: match flags.wire.as_deref() {
                Some("lines") => Some(Framing::Lines),
                Some("headers") => Some(Framing::Headers),
                _ => None,
            },
            max_message: flags.max_message.map_or(MAX_MESSAGE, |bytes| bytes as usize),
            stash_plugin: flags.stash_plugin.unwrap_or_else(|| "plexsync".to_owned()),
            log: flags.log.unwrap_or_else(|| log_level(&variable, &mut warnings)),
            log_format: match flags.log_format.as_deref() {
                Some("text") => Some(Format::Text),
                Some("json") => Some(Format::Json),
                Some("stash") => Some(Format::Stash),
                _ => None,
            },
            https_proxy: ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
                .into_iter()
                .find_map(variable),
            no_proxy: ["no_proxy", "NO_PROXY"].into_iter().find_map(variable),
            warnings,
        }
    }
}

/// Flags before Plex's own variables, and those before python-plexapi's.
fn sources(
    url: Option<String>,
    token_file: Option<PathBuf>,
    server: Option<String>,
    environment: Environment<'_>,
) -> Vec<Source> {
    let variable = |name| text(name, environment).map(|value| Given::new(value, name));
    let token = |name| {
        let token = |value| Token::Text(Secret::new(value));
        text(name, environment).map(|value| Given::new(token(value), name))
    };
    let file = path_of("PLEX_TOKEN_FILE", environment);
    let file = file.map(|file| Given::new(Token::File(file), "PLEX_TOKEN_FILE"));
    vec![
        Source {
            url: url.map(|url| Given::new(url, "--plex-url")),
            token: token_file.map(|file| Given::new(Token::File(file), "--plex-token-file")),
            server: server.map(|server| Given::new(server, "--plex-server")),
        },
        Source {
            url: variable("PLEX_URL"),
            token: token("PLEX_TOKEN").or(file),
            server: variable("PLEXSYNC_PLEX_SERVER"),
        },
        Source {
            server: None,
            url: variable("PLEXAPI_AUTH_SERVER_BASEURL"),
            token: token("PLEXAPI_AUTH_SERVER_TOKEN"),
        },
    ]
}

fn plex_tv(flag: Option<String>, environment: Environment<'_>) -> Option<Given<String>> {
    const NAME: &str = "PLEXSYNC_PLEX_TV";
    let flag = flag.map(|url| Given::new(url, "--plex-tv"));
    flag.or_else(|| Some(Given::new(text(NAME, environment)?, NAME)))
}

/// The level that the environment names. One that can't be read is `info`, with a warning.
fn log_level(
    variable: &impl Fn(&'static str) -> Option<String>,
    warnings: &mut Vec<String>,
) -> LevelFilter {
    let own =
        ("PLEXSYNC_LOG", variable("PLEXSYNC_LOG").map(|text| log::level(text.trim()).map(Some)));
    let general = ("RUST_LOG", variable("RUST_LOG").map(|text| log::level_of_rust_log(&text)));
    for (name, read) in [own, general] {
        match read {
            None | Some(Ok(None)) => {}
            Some(Ok(Some(level))) => return level,
            Some(Err(expected)) => {
                warnings.push(format!("`{name}` is not a log level: {expected}; using `info`"));
                break;
            }
        }
    }
    LevelFilter::INFO
}

fn path_of(name: &str, environment: Environment<'_>) -> Option<PathBuf> {
    environment(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A variable that is not UTF-8 is set and can't be used: the code that reads the value reports it.
fn text(name: &str, environment: Environment<'_>) -> Option<String> {
    let text = environment(name)?.to_string_lossy().into_owned();
    Some(text).filter(|text| !text.trim().is_empty())
}

/// The default folder: the plugin's own for a program that is part of it, so that a command in Stash's container uses
/// the plugin's identity; else the platform's.
fn default_data_dir(
    environment: Environment<'_>,
    program: Option<PathBuf>,
) -> Option<Given<PathBuf>> {
    // A package for several platforms has its programs in `bin/`.
    let of_plugin = |program: PathBuf| {
        let folders = program.ancestors().skip(1).take(2);
        let mut folders = folders.enumerate().filter(|(up, _)| *up == 0 || is_in_bin(&program));
        let (_, folder) = folders.find(|(_, folder)| folder.join(MANIFEST).is_file())?;
        Some(Given::new(folder.join("data"), MANIFEST))
    };
    let of_platform = || platform_data_dir(environment).map(|dir| Given::new(dir, PLATFORM));
    program.and_then(of_plugin).or_else(of_platform)
}

fn is_in_bin(program: &Path) -> bool {
    program.parent().is_some_and(|folder| folder.ends_with("bin"))
}

/// The platform's folder for an application's data (XDG Base Directory Specification on Linux and the BSDs). On
/// Windows it is the one that does not roam to other machines: an identity belongs to one.
fn platform_data_dir(environment: Environment<'_>) -> Option<PathBuf> {
    let folder = |name: &str| absolute(name, environment);
    let below_home =
        |place: &[&str]| Some(place.iter().fold(folder("HOME")?, |path, part| path.join(part)));
    let base = match OS {
        "windows" => folder("LOCALAPPDATA"),
        "macos" => below_home(&["Library", "Application Support"]),
        _ => folder("XDG_DATA_HOME").or_else(|| below_home(&[".local", "share"])),
    };
    base.map(|base| base.join(FOLDER))
}

/// On Windows 1.x used the folder that roams.
pub(super) fn former_data_dir(system: &str, environment: Environment<'_>) -> Option<PathBuf> {
    let roaming = absolute("APPDATA", environment).filter(|_| system == "windows");
    roaming.map(|base| base.join(FOLDER))
}

fn absolute(name: &str, environment: Environment<'_>) -> Option<PathBuf> {
    path_of(name, environment).filter(|path| path.is_absolute())
}
