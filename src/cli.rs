//! Arguments and environment to options. A flag beats the environment, the environment beats the default; an empty
//! variable counts as unset.

mod plain;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use plexsync_protocol::message::MAX_MESSAGE;

use crate::host::framing::Framing;
use crate::log::Format;
use crate::secret::Secret;

/// The program's version and that of the contract that it keeps.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (contract 2.0)");

/// What was typed.
#[derive(Debug, Parser, Default)]
#[command(name = "plexsync-worker", version = VERSION, about, disable_help_subcommand = true)]
pub struct Arguments {
    /// What to do instead of serving stdin and stdout.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The options.
    #[command(flatten)]
    pub flags: Flags,
}

/// Instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Call one method and print its result
    #[command(
        after_help = "Exit codes: 0 the result is printed, 1 the call failed, 2 it was typed wrongly."
    )]
    Call {
        /// The method, such as plex.request
        method: String,
        /// Its params as a JSON object; `-` reads them from stdin
        params: Option<String>,
    },
    /// Check folder, identity, configuration and the way to Plex; changes nothing
    #[command(after_help = "Exit codes: 0 all is well, 1 warnings, 2 failures.")]
    Doctor {
        /// Print one JSON object instead of lines
        #[arg(long)]
        json: bool,
    },
    /// Show the identity, or replace it
    Identity {
        /// What to do with it
        #[command(subcommand)]
        command: IdentityCommand,
    },
    /// Print the OpenRPC document of the methods
    Openrpc,
    /// Print a script that completes this program's arguments in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// What to do with the identity.
#[derive(Debug, Subcommand)]
pub enum IdentityCommand {
    /// Print the identity; one is made where there is none
    Show,
    /// Be the device with this id from now on: for moving an existing device here
    Adopt {
        /// The id
        #[arg(required_unless_present = "from_plexapi")]
        id: Option<String>,
        /// Take the id that python-plexapi has used on this machine
        #[arg(long, conflicts_with = "id")]
        from_plexapi: bool,
    },
    /// Make another identity: Plex shows a new device once
    Reset {
        /// Don't ask
        #[arg(long)]
        yes: bool,
    },
}

/// The options, as typed.
#[derive(Debug, Args, Default, Clone)]
pub struct Flags {
    /// Folder of device_id.json [env: PLEXSYNC_DATA_DIR, STASH_PLUGIN_DATA]
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Base URL of the Plex server [env: PLEX_URL, PLEXAPI_AUTH_SERVER_BASEURL]
    #[arg(long, global = true, value_name = "URL")]
    pub plex_url: Option<String>,
    /// File that holds the Plex token, readable by its owner alone [env: PLEX_TOKEN, PLEXAPI_AUTH_SERVER_TOKEN hold the token itself]
    #[arg(long, global = true, value_name = "FILE")]
    pub plex_token_file: Option<PathBuf>,
    /// How messages are told apart
    #[arg(long, global = true, value_enum, default_value_t)]
    pub wire: Wire,
    /// Longest message, in bytes [default: 16777216]
    #[arg(long, global = true, value_name = "BYTES")]
    pub max_message: Option<usize>,
    /// PEM file with a certificate authority to trust beside the system's [env: PLEX_CA]
    #[arg(long, global = true, value_name = "FILE")]
    pub plex_ca: Option<PathBuf>,
    /// The plugin whose settings to ask Stash for [default: plexsync]
    #[arg(long, global = true, value_name = "ID")]
    pub stash_plugin: Option<String>,
    /// error, warn, info, debug or trace [env: PLEXSYNC_LOG, RUST_LOG] [default: info]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log: Option<String>,
    /// Shape of the log on stderr
    #[arg(long, global = true, value_enum, default_value_t)]
    pub log_format: LogFormat,
}

/// How messages are told apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Wire {
    /// By the first line.
    #[default]
    Auto,
    /// One JSON value a line.
    Lines,
    /// Content-Length header blocks.
    Headers,
}

/// Shape of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Stash's in a Stash conversation, text on a terminal, else JSON.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// Stash's plugin protocol.
    Stash,
}

/// A value, and what gave it: a flag or a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given<T> {
    /// The value.
    pub value: T,
    /// The flag's or the variable's name.
    pub by: &'static str,
}

/// The options in force.
#[derive(Debug, Clone)]
pub struct Options {
    /// The data folder, where one was given.
    pub data_dir: Option<Given<PathBuf>>,
    /// The data folder where none was given and Stash is not the host; none where the platform tells none.
    pub platform_data_dir: Option<PathBuf>,
    /// URL of the Plex server.
    pub plex_url: Option<Given<String>>,
    /// Where the token is: in a file or here.
    pub plex_token: Option<Given<Token>>,
    /// The framing; none for the one that the first line shows.
    pub framing: Option<Framing>,
    /// Longest message, in bytes.
    pub max_message: usize,
    /// An additional certificate authority.
    pub plex_ca: Option<Given<PathBuf>>,
    /// The plugin whose settings to ask Stash for.
    pub stash_plugin: String,
    /// Level of the log.
    pub log: String,
    /// Format of the log, where one was chosen.
    pub log_format: Option<Format>,
    /// Proxy for https, and the hosts that are reached without it.
    pub https_proxy: Option<String>,
    /// Hosts that are reached without the proxy.
    pub no_proxy: Option<String>,
}

/// Where a token is.
#[derive(Debug, Clone)]
pub enum Token {
    /// In this file.
    File(PathBuf),
    /// Here.
    Value(Secret),
}

/// Looks a variable up.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

impl Options {
    /// The options that these flags and this environment give.
    pub fn new(flags: Flags, environment: Environment<'_>) -> Self {
        let variable = |name: &'static str| text(name, environment);
        let path = |flag: Option<PathBuf>, by, names: &[&'static str]| {
            given(flag, by, names, |name| path_of(name, environment))
        };
        Self {
            data_dir: path(
                flags.data_dir,
                "--data-dir",
                &["PLEXSYNC_DATA_DIR", "STASH_PLUGIN_DATA"],
            ),
            platform_data_dir: platform_data_dir(environment),
            plex_url: given(
                flags.plex_url,
                "--plex-url",
                &["PLEX_URL", "PLEXAPI_AUTH_SERVER_BASEURL"],
                variable,
            ),
            plex_token: given(
                flags.plex_token_file.map(Token::File),
                "--plex-token-file",
                &["PLEX_TOKEN", "PLEXAPI_AUTH_SERVER_TOKEN"],
                |name| variable(name).map(|value| Token::Value(Secret::new(value.trim()))),
            ),
            framing: flags.wire.framing(),
            max_message: flags.max_message.unwrap_or(MAX_MESSAGE),
            plex_ca: path(flags.plex_ca, "--plex-ca", &["PLEX_CA"]),
            stash_plugin: flags.stash_plugin.unwrap_or_else(|| "plexsync".to_owned()),
            log: flags
                .log
                .or_else(|| variable("PLEXSYNC_LOG"))
                .or_else(|| variable("RUST_LOG"))
                .unwrap_or("info".into()),
            log_format: flags.log_format.format(),
            https_proxy: ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
                .into_iter()
                .find_map(variable),
            no_proxy: ["no_proxy", "NO_PROXY"].into_iter().find_map(variable),
        }
    }
}

fn given<T>(
    flag: Option<T>,
    by: &'static str,
    names: &[&'static str],
    variable: impl Fn(&'static str) -> Option<T>,
) -> Option<Given<T>> {
    let flag = flag.map(|value| Given { value, by });
    flag.or_else(|| {
        names.iter().find_map(|name| variable(name).map(|value| Given { value, by: name }))
    })
}

fn path_of(name: &str, environment: Environment<'_>) -> Option<PathBuf> {
    environment(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn text(name: &str, environment: Environment<'_>) -> Option<String> {
    environment(name)?.into_string().ok().filter(|value| !value.trim().is_empty())
}

/// The platform's folder for an application's data (XDG Base Directory Specification on Linux and the BSDs).
fn platform_data_dir(environment: Environment<'_>) -> Option<PathBuf> {
    let folder = |name: &str| path_of(name, environment).filter(|path| path.is_absolute());
    let below_home =
        |place: &[&str]| Some(place.iter().fold(folder("HOME")?, |path, part| path.join(part)));
    let base = match std::env::consts::OS {
        "windows" => folder("APPDATA"),
        "macos" => below_home(&["Library", "Application Support"]),
        _ => folder("XDG_DATA_HOME").or_else(|| below_home(&[".local", "share"])),
    };
    base.map(|base| base.join("plexsync"))
}

impl Wire {
    fn framing(self) -> Option<Framing> {
        match self {
            Self::Auto => None,
            Self::Lines => Some(Framing::Lines),
            Self::Headers => Some(Framing::Headers),
        }
    }
}

impl LogFormat {
    fn format(self) -> Option<Format> {
        match self {
            Self::Auto => None,
            Self::Text => Some(Format::Text),
            Self::Json => Some(Format::Json),
            Self::Stash => Some(Format::Stash),
        }
    }
}

/// Why a token file is not used.
///
/// # Errors
/// A sentence for the log, without the file's content.
pub fn read_token_file(path: &Path) -> Result<Secret, String> {
    let shown = path.display();
    let metadata = std::fs::metadata(path)
        .map_err(|error| format!("token file `{shown}` can't be read: {error}"))?;
    if !metadata.is_file() || metadata.len() > 64 * 1024 {
        return Err(format!("token file `{shown}` must be a small regular file"));
    }
    if others_can_read(&metadata) {
        return Err(format!(
            "token file `{shown}` is not used because others can read it: run `chmod 600` on it"
        ));
    }
    let content = std::fs::read_to_string(path)
        .map_err(|error| format!("token file `{shown}` can't be read: {error}"))?;
    match content.trim() {
        "" => Err(format!("token file `{shown}` is empty")),
        token => Ok(Secret::new(token)),
    }
}

#[cfg(unix)]
fn others_can_read(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o044 != 0
}

#[cfg(not(unix))]
fn others_can_read(_: &std::fs::Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str], environment: &[(&str, &str)]) -> Options {
        let arguments =
            Arguments::try_parse_from(["plexsync-worker"].iter().chain(arguments)).unwrap();
        Options::new(arguments.flags, &|name| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn the_arguments_are_well_formed() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_flag_beats_the_environment_and_the_first_variable_the_second() {
        let both = [("PLEX_URL", "http://a"), ("PLEXAPI_AUTH_SERVER_BASEURL", "http://b")];
        let url = |arguments: &[&str], environment: &[(&str, &str)]| {
            options(arguments, environment).plex_url.map(|url| (url.value, url.by))
        };
        assert_eq!(
            url(&["--plex-url", "http://c"], &both),
            Some(("http://c".into(), "--plex-url"))
        );
        assert_eq!(url(&[], &both), Some(("http://a".into(), "PLEX_URL")));
        assert_eq!(
            url(&[], &[("PLEX_URL", ""), both[1]]),
            Some(("http://b".into(), "PLEXAPI_AUTH_SERVER_BASEURL"))
        );
        assert_eq!(url(&[], &[]), None);
    }

    #[test]
    fn no_arguments_are_the_defaults() {
        let parsed = Arguments::try_parse_from(["plexsync-worker"]).unwrap();
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Arguments::default()));
    }

    #[test]
    fn the_data_folder_of_the_platform() {
        let folder = |environment: &[(&str, &str)]| options(&[], environment).platform_data_dir;
        if cfg!(target_os = "linux") {
            assert_eq!(
                folder(&[("HOME", "/home/a")]),
                Some("/home/a/.local/share/plexsync".into())
            );
            assert_eq!(
                folder(&[("HOME", "/home/a"), ("XDG_DATA_HOME", "/data")]),
                Some("/data/plexsync".into())
            );
            assert_eq!(
                folder(&[("HOME", "/home/a"), ("XDG_DATA_HOME", "data")]),
                Some("/home/a/.local/share/plexsync".into())
            );
        }
        assert_eq!(folder(&[]), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_token_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "  t0ken\n").unwrap();
        for (mode, used) in
            [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o644, false)]
        {
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            let read = read_token_file(&file);
            assert_eq!(read.is_ok(), used, "{mode:o}");
            assert!(!format!("{read:?}").contains("t0ken"));
        }
        assert!(read_token_file(folder.path()).is_err());
    }
}
