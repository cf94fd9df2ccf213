//! Removing devices, one at a time: the list is read anew before and afterwards.

use hyper::Method;
use plexsync_protocol::device::{
    Device, DeviceRemoval, FailedDevice, Kept, KeptReason, RefusedDevice,
};

use super::Judge;
use crate::account::plex_tv::Home;
use crate::account::{AccountError, Ask, Caller};
use crate::secret::Secret;

/// What is to be removed.
#[derive(Debug, Clone)]
pub struct Wish {
    pub ids: Vec<String>,
    pub dry_run: bool,
    /// Remove what is kept because it is recent or the newest, too.
    pub force: bool,
}

/// Called after each removal: how many were tried, of how many.
type Progress<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

impl Caller {
    /// Removes devices. A row that vanished meanwhile counts as removed.
    ///
    /// # Errors
    /// Those of [`Caller::devices`], before anything was removed.
    pub async fn remove_devices(
        &self,
        token: &Secret,
        judge: &Judge,
        wish: Wish,
        progress: Progress<'_>,
    ) -> Result<DeviceRemoval, AccountError> {
        let devices = self.devices(token, judge).await?;
        let mut removal = DeviceRemoval::default();
        removal.dry_run = wish.dry_run;
        let mut ids = Vec::new();
        for id in wish.ids {
            match refusal(&devices, &id, wish.force) {
                Some(kept) => removal.refused.push(RefusedDevice::new(id, kept)),
                None => ids.push(id),
            }
        }
        if wish.dry_run {
            removal.would_remove = Some(ids);
            return Ok(removal);
        }
        self.remove_each(token, ids, &mut removal, progress).await;
        self.verify(token, judge, &mut removal).await;
        Ok(removal)
    }

    async fn remove_each(
        &self,
        token: &Secret,
        ids: Vec<String>,
        removal: &mut DeviceRemoval,
        progress: Progress<'_>,
    ) {
        let total = ids.len() as u64;
        let mut ids = ids.into_iter();
        for done in 1..=total {
            let Some(id) = ids.next() else { break };
            let status = self.remove(token, &id).await;
            progress(done, total);
            match status {
                Some(200..=299 | 404) => removal.removed.push(id),
                status => removal.failed.push(FailedDevice::new(id, status)),
            }
            // The sign-in is over, there were too many requests, or nobody is there.
            if matches!(status, None | Some(401 | 429)) {
                removal.left.extend(ids);
                break;
            }
        }
    }

    /// The status of plex.tv's answer, if there was one.
    async fn remove(&self, token: &Secret, id: &str) -> Option<u16> {
        let ask = Ask {
            method: Method::DELETE,
            home: Home::PlexTv,
            path: format!("/devices/{id}.xml"),
            shown: "/devices/ID.xml",
            token: Some(token),
        };
        self.send(&ask).await.ok().map(|reply| reply.status)
    }

    /// What is still listed was not removed.
    async fn verify(&self, token: &Secret, judge: &Judge, removal: &mut DeviceRemoval) {
        if removal.removed.is_empty() {
            return;
        }
        match self.devices(token, judge).await {
            Ok(devices) => {
                let is_listed = |id: &String| devices.iter().any(|device| device.id == *id);
                let (listed, gone) = removal.removed.drain(..).partition(is_listed);
                removal.removed = gone;
                let listed = Vec::into_iter(listed);
                removal.failed.extend(listed.map(|id| FailedDevice::new(id, Some(200))));
            }
            Err(_) => {
                let warning =
                    "the list could not be read again: whether the devices are gone is not checked";
                removal.warning = Some(warning.to_owned());
            }
        }
    }
}

/// Why the device with this id is kept.
pub(super) fn refusal(devices: &[Device], id: &str, force: bool) -> Option<Kept> {
    let mut found = devices.iter().filter(|device| device.id == id);
    // The id becomes part of a path.
    let is_number = !id.is_empty() && id.bytes().all(|digit| digit.is_ascii_digit());
    let kept = match (found.next().filter(|_| is_number), found.next()) {
        (None, _) => {
            let why = "plex.tv does not list it: take its id from a new list";
            return Some(Kept::new(KeptReason::NotListed, why));
        }
        (Some(_), Some(_)) => {
            let why = "plex.tv lists several devices with this id";
            return Some(Kept::new(KeptReason::AmbiguousId, why));
        }
        (Some(device), None) => device.kept_because.clone()?,
    };
    let is_lifted = force && matches!(kept.reason, KeptReason::Recent | KeptReason::Newest);
    (!is_lifted).then_some(kept)
}
