//! Entry points for fuzzers: plex.tv's list of devices.

use plexsync_protocol::device::Device;
use time::OffsetDateTime;

use super::{Judge, remove, row};
use crate::secret::{Secret, Secrets};

/// The devices of a list, judged, with the token of each, and whether it may be removed by force; `None` if it is not
/// one. `own` is this worker's id and, were it a token, one that is used here.
pub fn devices(body: &[u8], own: &str, now: i64) -> Option<Vec<(Device, String, bool)>> {
    let rows = row::read(body).ok()?;
    let now = OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let judge = Judge {
        device_id: own.to_owned(),
        tokens: vec![Secret::new(own)],
        days: 30,
        now,
        secrets: Secrets::default(),
    };
    let devices = judge.all(&rows);
    let goes = |device: &Device| remove::refusal(&devices, &device.id, true).is_none();
    let goes: Vec<_> = devices.iter().map(goes).collect();
    let tokens = rows.iter().map(|row| row.token.expose().to_owned());
    let judged = devices.into_iter().zip(tokens).zip(goes);
    Some(judged.map(|((device, token), goes)| (device, token, goes)).collect())
}
