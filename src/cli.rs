//! Arguments and environment to options. A flag beats the environment, the environment beats the default; an empty
//! variable counts as unset.

mod advice;
mod options;

use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser};
use clap::{ArgGroup, Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;
use plexsync_protocol::device::MAX_DAYS;
use tracing::level_filters::LevelFilter;

use crate::log;

pub use advice::advised;
pub use options::{Environment, Options};

/// The program's version and that of the contract that it keeps.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (contract 2.0)");
/// What `--max-message` may be, in bytes: no request is shorter.
const MAX_MESSAGES: std::ops::RangeInclusive<i64> = 64..=(1 << 31) - 1;

/// The command line.
#[derive(Debug, Parser, Default)]
#[command(name = "plexsync-worker", version = VERSION, about)]
pub struct Arguments {
    /// What to do instead of serving stdin and stdout.
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub flags: Flags,
}

/// Instead of serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Call one method and print its result
    #[command(after_help = CALL_HELP)]
    Call(CallArguments),
    /// Check data folder, identity, configuration and the connection to Plex, with a hint for each problem
    #[command(after_help = "Exit codes: 0 all is well, 1 warnings, 2 failures.")]
    Doctor {
        /// Print one JSON object instead of lines
        #[arg(long)]
        json: bool,
        /// Write nothing; by default a missing identity is created, so that Plex can be asked
        #[arg(long)]
        no_create: bool,
    },
    /// Show the identity, or replace it
    Identity {
        /// What to do with it
        #[command(subcommand)]
        command: IdentityCommand,
    },
    /// List the devices of the account, and remove those that programs left behind
    Devices {
        #[command(subcommand)]
        command: Option<DevicesCommand>,
        /// Print JSON instead of lines
        #[arg(long, global = true)]
        json: bool,
        /// Keep devices that were seen within so many days [default: 30]
        #[arg(long, global = true, value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_DAYS)))]
        days: Option<u32>,
    },
    /// Sign in to plex.tv with a code that is entered on plex.tv/link
    #[command(
        after_help = "Exit codes: 0 signed in, 1 the code has expired or the sign-in failed.\n\
            Ctrl-C leaves; the next login goes on with the same code."
    )]
    Login {
        /// Sign in anew although signed in; once completed, this signs out whatever else uses this device's token
        #[arg(long)]
        renew: bool,
        /// Print two JSON objects, a line each: the results of auth.start and auth.finish
        #[arg(long)]
        json: bool,
    },
    /// Sign out of plex.tv, and forget the sign-in
    Logout {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the account's Plex servers, or choose one
    #[command(args_conflicts_with_subcommands = true)]
    Servers {
        /// What to do instead of listing them
        #[command(subcommand)]
        command: Option<ServersCommand>,
        /// Try every connection, without a token
        #[arg(long)]
        probe: bool,
        /// Print one JSON object instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Print the OpenRPC document of the methods
    Openrpc,
    /// Print a script that completes this program's arguments in a shell
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell [default: that of $SHELL]
        shell: Option<Shell>,
    },
    /// Print the manual page, or that of a command
    #[command(after_help = "To read it: plexsync-worker man | man -l -")]
    Man {
        /// The command, such as `call` or `identity reset`
        command: Vec<String>,
    },
}

const COMPLETIONS_HELP: &str = "\
Where the script belongs:
  bash  ~/.local/share/bash-completion/completions/plexsync-worker
  zsh   a file _plexsync-worker in a folder of $fpath
  fish  ~/.config/fish/completions/plexsync-worker.fish";

const CALL_HELP: &str = "\
Examples:
  plexsync-worker call identity.get
  plexsync-worker call plex.request path=/library/sections
  plexsync-worker call plex.request path=/library/sections/1/all all_pages:=true --body
  plexsync-worker call plex.request path=/library/all 'query:={\"type\": 1}' --fail
  plexsync-worker call plex.request - < params.json

Exit codes: 0 the result is printed, 1 the call failed, 2 the arguments are wrong.
A token never belongs on the command line, where every user of this machine can read it: set PLEX_TOKEN, or give `-` \
and the params on stdin.";

/// What to call, and how to show it.
#[derive(Debug, Args)]
pub struct CallArguments {
    /// The method
    #[arg(value_parser = PossibleValuesParser::new(methods()))]
    pub method: String,
    /// Its params: `name=text` and `name:=json`, a word each; or one JSON object; or `-` to read it from stdin
    pub params: Vec<String>,
    /// Fail if Plex's answer has a status outside 2xx
    #[arg(long)]
    pub fail: bool,
    /// Print only the body of Plex's answer: JSON indented, text and files as they came
    #[arg(long)]
    pub body: bool,
}

/// Names of the methods, for completions and for `did you mean`.
fn methods() -> impl Iterator<Item = &'static str> {
    plexsync_protocol::summaries().into_iter().map(|(name, _)| name)
}

/// What to do with the account's servers.
#[derive(Debug, Subcommand)]
pub enum ServersCommand {
    /// Use this server from now on, unless a URL is configured
    Choose {
        /// Its name, in any letter case, or its identifier
        name: String,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// What to do with the identity.
#[derive(Debug, Subcommand)]
pub enum IdentityCommand {
    /// Print the identity; creates one if there is none
    Show,
    /// Use this id from now on, to move an existing device here
    #[command(group = ArgGroup::new("which").required(true))]
    Adopt {
        /// The id
        #[arg(group = "which")]
        id: Option<String>,
        /// Take the id that python-plexapi has used on this machine
        #[arg(long, group = "which")]
        from_plexapi: bool,
    },
    /// Replace it with a new one: Plex shows a new device once
    Reset {
        /// Don't ask
        #[arg(long)]
        yes: bool,
    },
}

/// What to do with the account's devices, instead of listing them.
#[derive(Debug, Subcommand)]
pub enum DevicesCommand {
    /// Remove devices; asks first
    #[command(
        group = ArgGroup::new("which").required(true),
        after_help = "A removal signs out whatever still uses the device's token. The newest device of each program stays, \
            unless --force is given.\nExit codes: 0 all is removed, 1 something is not, 2 the arguments are wrong."
    )]
    Remove(RemoveArguments),
}

/// Which devices to remove.
#[derive(Debug, Args)]
pub struct RemoveArguments {
    /// Ids out of the list
    #[arg(group = "which", value_name = "ID")]
    pub ids: Vec<String>,
    /// All that were surely left behind by a program and that nothing keeps
    #[arg(long, group = "which")]
    pub phantoms: bool,
    /// With --phantoms: those that were perhaps left behind, too
    #[arg(long, requires = "phantoms")]
    pub likely: bool,
    /// Remove what was seen lately and the newest of each program, too
    #[arg(long)]
    pub force: bool,
    /// Don't ask
    #[arg(long)]
    pub yes: bool,
}

/// The options on the command line. A command's own come first in its help.
#[derive(Debug, Args, Default, Clone)]
#[command(next_help_heading = "General options")]
pub struct Flags {
    /// Folder of device_id.json [env: PLEXSYNC_DATA_DIR, STASH_PLUGIN_DATA]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
    /// Base URL of the Plex server [env: PLEX_URL, PLEXAPI_AUTH_SERVER_BASEURL]
    #[arg(long, global = true, value_name = "URL", value_parser = NonEmptyStringValueParser::new(), value_hint = ValueHint::Url)]
    pub plex_url: Option<String>,
    /// File that holds the Plex token [env: PLEX_TOKEN_FILE; PLEX_TOKEN, PLEXAPI_AUTH_SERVER_TOKEN hold the token itself]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub plex_token_file: Option<PathBuf>,
    /// Which of the account's Plex servers is meant, by name or identifier, where no URL is given [env: PLEXSYNC_PLEX_SERVER]
    #[arg(long, global = true, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub plex_server: Option<String>,
    /// URL in place of plex.tv and clients.plex.tv, for tests: https, or http to this machine [env: PLEXSYNC_PLEX_TV]
    #[arg(long, global = true, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub plex_tv: Option<String>,
    /// Message framing on stdin and stdout: JSON lines or Content-Length headers; `auto` goes by the first line [default: auto]
    #[arg(long, global = true, value_name = "FRAMING", value_parser = ["auto", "lines", "headers"])]
    pub wire: Option<String>,
    /// Longest message, in bytes [default: 16777216]
    #[arg(long, global = true, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(MAX_MESSAGES))]
    pub max_message: Option<u32>,
    /// PEM file with a certificate authority to trust in addition to the system's [env: PLEX_CA]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub plex_ca: Option<PathBuf>,
    /// The plugin whose settings to ask Stash for [default: plexsync]
    #[arg(long, global = true, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    pub stash_plugin: Option<String>,
    /// off, error, warn, info, debug or trace [env: PLEXSYNC_LOG, RUST_LOG] [default: info]
    #[arg(long, global = true, value_name = "LEVEL", value_parser = log::level)]
    pub log: Option<LevelFilter>,
    /// Format of the log on stderr; `auto` is Stash's in a Stash conversation, text on a terminal, else json [default: auto]
    #[arg(long, global = true, value_name = "FORMAT", value_parser = ["auto", "text", "json", "stash"])]
    pub log_format: Option<String>,
}

#[cfg(test)]
mod tests;
