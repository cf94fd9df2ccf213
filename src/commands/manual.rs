//! `completions` and `man`: what a shell and its user are told about this program.

use std::io;

use clap::CommandFactory;
use clap::builder::PossibleValue;
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::{End, Streams};
use crate::cli::{Arguments, Environment};

const NAME: &str = "plexsync-worker";

/// What clap does not know, for the program's own page: heading, and pairs of a term and its text.
const SECTIONS: [(&str, &[(&str, &str)]); 4] = [
    (
        "FILES",
        &[
            ("device_id.json", "The identity, in the data folder."),
            ("device_id.json.bak", "Its backup: a lost or damaged identity comes back from it."),
            (
                "account.json, sign_in.json, server.json",
                "The sign-in to plex.tv: its token, the code that waits, and the ways to the servers.",
            ),
            ("device_id.json.corrupt-TIME", "What a damaged file held: the newest five are kept."),
        ],
    ),
    (
        "ENVIRONMENT",
        &[
            ("PLEXSYNC_DATA_DIR", "The data folder."),
            (
                "PLEX_URL, PLEX_TOKEN, PLEX_TOKEN_FILE",
                "The server, and its token or the file that holds it.",
            ),
            (
                "PLEX_CA",
                "PEM file with a certificate authority to trust in addition to the system's.",
            ),
            ("PLEXSYNC_PLEX_TV", "URL in place of plex.tv, for tests."),
            ("PLEXSYNC_LOG, RUST_LOG", "The least important level that is logged."),
            ("HTTPS_PROXY, NO_PROXY", "The proxy for https, and what is reached without it."),
            ("NO_COLOR", "If it is set, no colours are used."),
        ],
    ),
    (
        "EXIT STATUS",
        &[
            ("0", "All was answered; a command did what it says."),
            (
                "1",
                "A fatal error, a reply that could not be written, or a call that failed; doctor has warnings.",
            ),
            ("2", "The arguments are wrong; doctor has found a failure."),
            ("128 + N", "A second signal N ended it."),
        ],
    ),
    (
        "EXAMPLES",
        &[
            ("plexsync-worker doctor", "Checks everything, with a hint for each problem."),
            (
                "plexsync-worker call plex.request path=/library/sections",
                "Sends one request to Plex.",
            ),
            (
                "echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"identity.get\"}' | plexsync-worker",
                "Is a host.",
            ),
        ],
    ),
];

/// Prints a completion script.
pub(super) fn completions(
    streams: &mut Streams<'_>,
    environment: Environment<'_>,
    shell: Option<Shell>,
) -> io::Result<End> {
    let own = || Shell::from_shell_path(environment("SHELL")?);
    let Some(shell) = shell.or_else(own) else {
        writeln!(
            streams.errors,
            "error: no shell is named, and `SHELL` is none of: bash, zsh, fish, elvish, powershell"
        )?;
        return Ok(End::Usage);
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), NAME, &mut script);
    let script = String::from_utf8_lossy(&script);
    // clap spells a name with a hyphen in two ways there, and bash finds no subcommand (clap #6421).
    let mut script = script.replace("plexsync__subcmd__worker", "plexsync__worker");
    if shell == Shell::Fish {
        script += &fish_arguments();
    }
    streams.output.write_all(script.as_bytes())?;
    Ok(End::Fine)
}

/// clap completes no arguments without a name there.
fn fish_arguments() -> String {
    let command = Arguments::command();
    let arguments = command.get_subcommands().flat_map(|command| {
        command
            .get_positionals()
            .map(|argument| (command.get_name(), argument.get_possible_values()))
    });
    let line = |(name, values): (&str, Vec<PossibleValue>)| {
        let values: Vec<_> = values.iter().map(PossibleValue::get_name).collect();
        let condition = format!("__fish_plexsync_worker_using_subcommand {name}");
        format!("complete -c {NAME} -n \"{condition}\" -f -a \"{}\"\n", values.join(" "))
    };
    arguments.filter(|(_, values)| !values.is_empty()).map(line).collect()
}

/// Prints a manual page: the program's, or that of the command with this name.
pub(super) fn page(streams: &mut Streams<'_>, names: &[String]) -> io::Result<End> {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    for name in names {
        let Some(found) = command.find_subcommand(name) else {
            writeln!(
                streams.errors,
                "error: `{name}` is not a command: see plexsync-worker --help"
            )?;
            return Ok(End::Usage);
        };
        command = found.clone();
    }
    Man::new(command).render(streams.output)?;
    if names.is_empty() {
        sections().to_writer(streams.output)?;
    }
    Ok(End::Fine)
}

fn sections() -> Roff {
    let mut page = Roff::new();
    for (heading, entries) in SECTIONS {
        page.control("SH", [heading]);
        for (term, text) in entries {
            page.control("TP", []).text([bold(*term)]).text([roman(*text)]);
        }
    }
    page
}
