//! `doctor.run`.

use std::sync::Arc;

use plexsync_protocol::doctor::{CheckState, DoctorParams};
use plexsync_protocol::error::{Code, ErrorObject};
use tokio::runtime::Handle;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::{Worker, params, scan, timeout};
use crate::doctor::{self, MakeIdentity, Subject};
use crate::json_text::JsonText;
use crate::rpc::{Handling, Request, Slow, StashCall};

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
    let make: MakeIdentity =
        Box::new(move || keeper.identity(stash.as_deref()).map_err(|error| error.message));
    Subject {
        folder,
        sources: setup.sources.clone(),
        plex_ca: setup.plex_ca.clone(),
        plex: worker.plex.clone(),
        secrets: setup.secrets.clone(),
        version: setup.version,
        stash: parent,
        make_identity: create.then_some(make),
    }
}

/// A Stash user sees log lines only: one for each check that is not ok, and one that sums up.
fn log(report: &plexsync_protocol::doctor::DoctorReport) {
    let mut bad = 0;
    for check in report.checks.iter().filter(|check| check.state != CheckState::Ok) {
        let hint = check.hint.as_deref().unwrap_or_default();
        let line = format!("{}: {}; {hint}", check.name, check.message);
        match check.state {
            CheckState::Failure => error!("{line}"),
            _ => warn!("{line}"),
        }
        bad += 1;
    }
    match bad {
        0 => info!("all is well: {} checks", report.checks.len()),
        _ => info!("{bad} of {} checks are not well", report.checks.len()),
    }
}
