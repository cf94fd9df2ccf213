//! `doctor.run`: checks of the installation, each with a hint. It writes nothing but, if the caller allows it, a first
//! identity: without one Plex can't be asked.

mod account;
mod configuration;
mod folder;
mod identity;
mod plex;
mod sign_in;
mod status;
mod waiting;

use std::path::PathBuf;
use std::sync::Arc;

use plexsync_protocol::doctor::{Check, CheckState, DoctorReport};
use plexsync_protocol::identity::Identity;

use self::account::SignIn;
use crate::plex::Plex;
use crate::secret::Secrets;
use crate::stash::{Stash, without_options};
use crate::target::{Given, Means, Source, Sources};

/// Loads the identity or creates the first one. The error is a message.
pub type MakeIdentity = Box<dyn Fn() -> Result<Arc<Identity>, String> + Send>;

/// What is checked.
pub struct Subject {
    /// The data folder, if one is known.
    pub folder: Option<Given<PathBuf>>,
    /// Server and token, by flag and environment.
    pub sources: Sources,
    pub plex_ca: Option<Given<PathBuf>>,
    pub plex: Plex,
    /// What the account's servers are looked for with.
    pub means: Option<Means>,
    pub secrets: Secrets,
    /// For `X-Plex-Version`.
    pub version: &'static str,
    /// The parent Stash, if it is the one that asks; then hints name its settings.
    pub stash: Option<Stash>,
    /// Makes a first identity; `None` if nothing may be written.
    pub make_identity: Option<MakeIdentity>,
}

/// Runs all checks. Blocks its thread for seconds if the network is slow; needs a tokio runtime.
pub async fn run(subject: Subject) -> DoctorReport {
    let mut checks = Vec::new();
    let settings = match &subject.stash {
        Some(stash) => settings(stash, &mut checks).await,
        None => Some(Source::default()),
    };
    let is_known = settings.is_some() || subject.sources.are_complete().0;
    let sources = settings.map_or_else(|| subject.sources.clone(), |it| subject.sources.and(it));
    let mut configured = Vec::new();
    let (chosen, stored) = (sources.choose(), SignIn::of(&subject));
    let account = configuration::check(&subject, &chosen, stored.is_there(), &mut configured);
    let has_server = account.server.is_some() || stored.is_there();
    let device = folder::check(&subject, has_server, &mut checks);
    checks.extend(subject.folder.iter().flat_map(|folder| sign_in::check(&folder.value)));
    // Settings that can't be read were reported: that nothing is configured would not be true.
    checks.extend(configured.into_iter().filter(|_| is_known));
    let account =
        account::check(&subject, stored, &chosen, account, device.as_ref(), &mut checks).await;
    plex::check(&subject, account, device, &mut checks).await;
    waiting::check(&subject, &mut checks);
    for check in &mut checks {
        // A server may echo the token in its name.
        check.message = subject.secrets.redact(&check.message).into_owned();
        check.hint = check.hint.as_ref().map(|hint| subject.shown(hint));
    }
    DoctorReport::new(checks)
}

impl Subject {
    /// The hint for a Stash user, who has settings, or for the others, who have options.
    fn hint<'a>(&self, in_stash: &'a str, elsewhere: &'a str) -> &'a str {
        if self.stash.is_some() { in_stash } else { elsewhere }
    }

    fn shown(&self, hint: &str) -> String {
        let hint = self.secrets.redact(hint);
        if self.stash.is_some() { without_options(&hint) } else { hint.into_owned() }
    }
}

async fn settings(stash: &Stash, checks: &mut Vec<Check>) -> Option<Source> {
    const NAME: &str = "stash";
    let version =
        stash.version().await.map_or_else(|_| String::new(), |version| format!(" {version}"));
    match stash.settings().await {
        Ok(settings) => {
            checks.push(ok(NAME, format!("Stash{version} has the plugin's settings")));
            Some(Source::from(&settings))
        }
        Err(error) => {
            let hint = "until then Plex's URL and token are not known";
            checks.push(failure(NAME, error.to_string(), hint));
            None
        }
    }
}

fn ok(name: &str, message: impl Into<String>) -> Check {
    Check::new(name, CheckState::Ok, message)
}

fn warning(name: &str, message: impl Into<String>, hint: impl Into<String>) -> Check {
    Check::new(name, CheckState::Warning, message).with_hint(hint)
}

fn failure(name: &str, message: impl Into<String>, hint: impl Into<String>) -> Check {
    Check::new(name, CheckState::Failure, message).with_hint(hint)
}
