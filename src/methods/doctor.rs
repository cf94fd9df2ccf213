//! `doctor.run`.

use std::sync::Arc;

use plexsync_protocol::doctor::{Check, CheckState, DoctorParams, DoctorReport};
use plexsync_protocol::error::{Code, ErrorObject};
use tokio::runtime::Handle;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::{Worker, params, scan, timeout};
use crate::doctor::{self, MakeIdentity, Subject};
use crate::json_text::JsonText;
use crate::rpc::{Handling, Request, Slow, StashCall};
use crate::stash::SETTINGS_PAGE;

pub(super) fn run(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let Request { params, stash, .. } = request;
    let params: DoctorParams = params::read(params.as_deref())?;
    let subject = subject(worker, stash.clone(), params.create);
    let worker = worker.clone();
    let work = async move {
        // The probe blocks its thread.
        let runtime = Handle::current();
        let work = tokio::task::spawn_blocking(move || runtime.block_on(doctor::run(subject)));
        let report = work.await.map_err(|_| {
            ErrorObject::new(Code::InternalError, "the checks ended before they were done")
        })?;
        if stash.is_some() {
            log(&report);
        }
        scan::besides(&worker, stash.as_ref(), Instant::now() + timeout(stash.as_deref())).await;
        Ok(JsonText::of(&report))
    };
    Ok(Handling::Slow(Slow { first: None, timeout: None, work: Box::pin(work) }))
}

fn subject(worker: &Arc<Worker>, stash: Option<Arc<StashCall>>, create: bool) -> Subject {
    let setup = &worker.setup;
    let parent = stash.as_ref().map(|call| worker.stash(call));
    let keeper = worker.clone();
    let folder = worker.data_folder(stash.as_deref());
    let store = worker.store(stash.as_deref()).ok();
    let means = store.and_then(|store| worker.means(stash.as_deref(), store).ok());
    let make: MakeIdentity =
        Box::new(move || keeper.identity(stash.as_deref()).map_err(|error| error.message));
    Subject {
        folder,
        sources: setup.sources.clone(),
        plex_ca: setup.plex_ca.clone(),
        plex: worker.plex.clone(),
        means,
        secrets: setup.secrets.clone(),
        version: setup.version,
        stash: parent,
        make_identity: create.then_some(make),
    }
}

/// A Stash user sees log lines only: one for each check that is not ok, and one that sums up. Checks that were not made
/// for the same reason share a line.
fn log(report: &DoctorReport) {
    let bad: Vec<_> = report.checks.iter().filter(|check| check.state != CheckState::Ok).collect();
    let alike = |one: &&Check, other: &&Check| {
        (one.state, &one.message, &one.hint) == (other.state, &other.message, &other.hint)
    };
    for checks in bad.chunk_by(alike) {
        let names: Vec<_> = checks.iter().map(|check| check.name.as_str()).collect();
        let Check { state, message, hint, .. } = checks[0];
        let line =
            format!("{}: {message}; {}", names.join(", "), hint.as_deref().unwrap_or_default());
        match state {
            CheckState::Failure => error!("{line}"),
            _ => warn!("{line}"),
        }
    }
    match (bad.len(), well(report)) {
        (0, well) => info!("All is well: {well}"),
        (bad, well) => {
            let (all, verb) = (report.checks.len(), if bad == 1 { "is" } else { "are" });
            let well = if well.is_empty() { well } else { format!("; {well}") };
            info!(
                "{bad} of {all} checks {verb} not well{well}; the settings are in {SETTINGS_PAGE}"
            );
        }
    }
}

/// Which Plex it is, and what it has, as far as that is known.
fn well(report: &DoctorReport) -> String {
    let told = ["plex_server", "plex_account", "plex_libraries"];
    let is_told =
        |check: &&Check| check.state == CheckState::Ok && told.contains(&check.name.as_str());
    let checks = report.checks.iter().filter(is_told);
    checks.map(|check| check.message.as_str()).collect::<Vec<_>>().join("; ")
}
