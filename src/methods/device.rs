//! `device.*`: the devices of the account.

use std::sync::Arc;

use plexsync_protocol::device::{
    DAYS, DeviceList, DeviceListParams, DeviceRemoval, DeviceRemoveParams, MAX_DAYS, MAX_IDS,
};
use plexsync_protocol::error::ErrorObject;
use time::OffsetDateTime;
use tracing::{info, warn};

use super::account::Has;
use super::auth::{report, slow};
use super::{Worker, asked_timeout, params};
use crate::account::{AccountError, Caller, Judge, Wish};
use crate::json_text::JsonText;
use crate::plex::MAX_TIMEOUT_MS;
use crate::rpc::{Handling, Request, StashCall};
use crate::secret::Secret;

pub(super) fn list(worker: &Arc<Worker>, request: Request) -> Result<Handling, ErrorObject> {
    let params: DeviceListParams = params::read(request.params.as_deref())?;
    let timeout = asked_timeout(params.timeout_ms, &request, MAX_TIMEOUT_MS)?;
    let days = days(params.days)?;
    let (of, parent) = (worker.clone(), request.stash.clone());
    slow(worker, request, timeout, async move |call, stash| {
        let (token, judge) = judge(&of, parent.as_deref(), &call, days).await?;
        let list = DeviceList::new(call.devices(&token, &judge).await?);
        if stash {
            log_of(&list);
        }
        Ok(JsonText::of(&list))
    })
}

pub(super) fn remove(worker: &Arc<Worker>, mut request: Request) -> Result<Handling, ErrorObject> {
    let params: DeviceRemoveParams = params::read(request.params.as_deref())?;
    let timeout = asked_timeout(params.timeout_ms, &request, MAX_TIMEOUT_MS)?;
    let days = days(params.days)?;
    let DeviceRemoveParams { mut ids, dry_run, force, progress_token, .. } = params;
    if !(1..=MAX_IDS).contains(&ids.len()) {
        let reason = format!("expected 1 to {MAX_IDS} ids");
        return Err(ErrorObject::invalid_params("/ids", reason));
    }
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    let sender = request.progress.take();
    let (of, parent) = (worker.clone(), request.stash.clone());
    slow(worker, request, timeout, async move |call, stash| {
        let (token, judge) = judge(&of, parent.as_deref(), &call, days).await?;
        let report = report(stash, progress_token, sender);
        let progress = |done, total| {
            if let Some(report) = &report {
                report(done, Some(total));
            }
        };
        let wish = Wish { ids, dry_run, force };
        let removal = call.remove_devices(&token, &judge, wish, &progress).await?;
        if stash {
            log_of_removal(&removal);
        }
        Ok(JsonText::of(&removal))
    })
}

fn days(days: Option<u32>) -> Result<u32, ErrorObject> {
    let days = days.unwrap_or(DAYS);
    match days <= MAX_DAYS {
        true => Ok(days),
        false => Err(ErrorObject::invalid_params("/days", format!("expected 0 to {MAX_DAYS}"))),
    }
}

/// The account's token, and what devices are judged by. The configured token goes nowhere: it only marks its row.
async fn judge(
    worker: &Arc<Worker>,
    stash: Option<&StashCall>,
    call: &Caller,
    days: u32,
) -> Result<(Secret, Judge), AccountError> {
    let (stored, servers) = call.on_disk(|call| (call.stored(), call.store.servers())).await;
    let token = stored?.token;
    let configured = worker.account(stash, Has { server: Some("http://"), token: None }).await.ok();
    let configured = configured.and_then(|resolved| resolved.account.token.ok().flatten());
    let of_servers = servers.servers.into_values().filter_map(|server| server.token);
    let judge = Judge {
        device_id: call.identity.device_id.clone(),
        tokens: of_servers.chain(configured).chain([token.clone()]).collect(),
        days,
        now: OffsetDateTime::now_utc(),
        secrets: call.secrets.clone(),
    };
    Ok((token, judge))
}

/// A Stash user sees log lines only, and few of them at once.
fn log_of(list: &DeviceList) {
    let phantoms =
        list.devices.iter().filter_map(|device| Some((device, device.phantom.as_ref()?)));
    let removable = phantoms.clone().filter(|(device, _)| device.kept_because.is_none()).count();
    for (device, phantom) in phantoms.clone().take(20) {
        info!(
            "`{}` (id {}) was left by {}: {}",
            device.name, device.id, phantom.maker, phantom.why
        );
    }
    let (all, left) = (list.devices.len(), phantoms.count());
    info!(
        "Your account has {all} devices; left behind by programs: {left}; of these can be removed, as the plugin's \
         README says: {removable}"
    );
}

fn log_of_removal(removal: &DeviceRemoval) {
    match &removal.would_remove {
        Some(ids) => {
            info!("{} devices would be removed, {} are kept", ids.len(), removal.refused.len())
        }
        None => info!(
            "{} devices were removed, {} are kept",
            removal.removed.len(),
            removal.refused.len()
        ),
    }
    let open = removal.failed.len() + removal.left.len();
    if open > 0 {
        warn!(
            "{open} devices were not removed: plex.tv refused, or did not answer; run this again later"
        );
    }
    if let Some(warning) = &removal.warning {
        warn!("{warning}");
    }
}
