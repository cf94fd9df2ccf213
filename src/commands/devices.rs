//! `devices`: the account's devices, and removing those that programs left behind.

use std::fmt::Write as _;
use std::io;

use plexsync_protocol::device::{
    Certainty, Device, DeviceList, DeviceListParams, DeviceRemoval, DeviceRemoveParams, Kept,
    KeptReason, MAX_IDS,
};
use plexsync_protocol::message::method;

use super::{End, Setting, Streams};
use crate::cli::{DevicesCommand, RemoveArguments};

/// Lists or removes devices.
pub(super) fn devices(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    command: Option<DevicesCommand>,
    json: bool,
    days: Option<u32>,
) -> io::Result<End> {
    let params = DeviceListParams { days, timeout_ms: None };
    let (text, list) = match setting.ask(method::DEVICE_LIST, &params) {
        Ok(answer) => answer,
        Err(error) => return streams.show(Err(error)),
    };
    match command {
        None if json => streams.show(Ok(text)),
        None => show_list(setting, streams, &list),
        Some(DevicesCommand::Remove(arguments)) => {
            Removing { setting, streams, arguments, json, days }.run(&list)
        }
    }
}

fn show_list(
    setting: &Setting<'_>,
    streams: &mut Streams<'_>,
    list: &DeviceList,
) -> io::Result<End> {
    writeln!(streams.errors, "{}", setting.whose())?;
    streams.output.write_all(rows(&list.devices).as_bytes())?;
    let is_phantom = |device: &&Device| device.phantom.is_some();
    let phantoms = list.devices.iter().filter(is_phantom).count();
    let removable = list.devices.iter().filter(|it| is_phantom(it) && it.kept_because.is_none());
    writeln!(
        streams.output,
        "{} devices; left behind by programs: {phantoms}; of these can be removed: {}.",
        list.devices.len(),
        removable.clone().count()
    )?;
    if removable.count() > 0 {
        writeln!(streams.output, "Remove them: plexsync-worker devices remove --phantoms")?;
    }
    Ok(End::Fine)
}

/// Two lines a device: they are read on narrow terminals, too.
fn rows(devices: &[Device]) -> String {
    let mut text = String::new();
    for device in devices {
        let name = if device.name.is_empty() { "(no name)" } else { &device.name };
        let product = [&device.product[..], &device.version].join(" ");
        let seen = device.last_seen_at.as_deref().and_then(|time| time.get(..10));
        let seen = seen.unwrap_or("an unknown day");
        let id = if device.id.is_empty() { "-" } else { &device.id };
        // Writing to a string can't fail.
        let _ = writeln!(text, "{id}  {name}: {}, last seen {seen}", product.trim());
        let _ = writeln!(text, "    {}", what(device));
    }
    text
}

/// What a device is, and what becomes of it.
fn what(device: &Device) -> String {
    let phantom = device.phantom.as_ref().map(|phantom| {
        let certainty = if phantom.certainty == Certainty::Sure { "surely" } else { "perhaps" };
        format!("{certainty} left behind by {}: {}", phantom.maker, phantom.why)
    });
    let kept = device.kept_because.as_ref().map(|Kept { why, .. }| format!("kept: {why}"));
    match (phantom, kept) {
        (Some(phantom), Some(kept)) => format!("{phantom}; {kept}"),
        (one, other) => one.or(other).unwrap_or_default(),
    }
}

struct Removing<'a, 'b, 's> {
    setting: &'a Setting<'s>,
    streams: &'a mut Streams<'b>,
    arguments: RemoveArguments,
    json: bool,
    days: Option<u32>,
}

impl Removing<'_, '_, '_> {
    fn run(mut self, list: &DeviceList) -> io::Result<End> {
        let devices = self.chosen(&list.devices);
        if !self.arguments.yes && !self.streams.conversation {
            writeln!(
                self.streams.errors,
                "error: a removal signs out whatever still uses the device, and stdin is not a terminal to ask on: \
                 confirm with `--yes`"
            )?;
            return Ok(End::Usage);
        }
        writeln!(self.streams.errors, "{}", self.setting.whose())?;
        self.explain(&list.devices, &devices)?;
        if devices.is_empty() {
            return Ok(End::Fine);
        }
        if !self.arguments.yes && !self.streams.agreed("Remove them?")? {
            writeln!(self.streams.errors, "Nothing was removed.")?;
            return Ok(End::Failed);
        }
        let ids = devices.iter().map(|device| device.id.clone()).collect();
        self.remove(ids)
    }

    /// The devices to remove: those named, or the phantoms that nothing keeps.
    fn chosen(&self, devices: &[Device]) -> Vec<Device> {
        let RemoveArguments { ids, phantoms, likely, force, .. } = &self.arguments;
        let is_lifted = |reason| matches!(reason, KeptReason::Recent | KeptReason::Newest);
        let is_free = |device: &Device| match &device.kept_because {
            None => true,
            Some(kept) => *force && is_lifted(kept.reason),
        };
        let is_meant = |device: &Device| match &device.phantom {
            Some(phantom) => is_free(device) && (*likely || phantom.certainty == Certainty::Sure),
            None => false,
        };
        let devices = devices.iter().filter(|device| match phantoms {
            true => is_meant(device),
            false => ids.contains(&device.id),
        });
        devices.cloned().collect()
    }

    fn explain(&mut self, all: &[Device], devices: &[Device]) -> io::Result<()> {
        self.streams.errors.write_all(rows(devices).as_bytes())?;
        let unknown = self.arguments.ids.iter().filter(|id| !all.iter().any(|it| it.id == **id));
        for id in unknown {
            writeln!(self.streams.errors, "{id}  is not listed")?;
        }
        match devices.len() {
            0 => writeln!(self.streams.errors, "There is nothing to remove.")?,
            count => writeln!(
                self.streams.errors,
                "{count} to remove. A removal signs out whatever still uses the device's token."
            )?,
        }
        if self.arguments.phantoms && !self.arguments.force {
            writeln!(
                self.streams.errors,
                "The newest device of each program stays: it may be in use. `--force` removes it, too."
            )?;
        }
        Ok(())
    }

    fn remove(self, ids: Vec<String>) -> io::Result<End> {
        let mut told = Vec::new();
        let mut is_whole = true;
        for ids in ids.chunks(MAX_IDS) {
            let params = DeviceRemoveParams {
                ids: ids.to_vec(),
                dry_run: false,
                days: self.days,
                force: self.arguments.force,
                timeout_ms: Some(u64::try_from(ids.len()).unwrap_or(1) * 30_000),
                progress_token: None,
            };
            let (_, removal): (_, DeviceRemoval) =
                match self.setting.ask(method::DEVICE_REMOVE, &params) {
                    Ok(answer) => answer,
                    Err(error) => return self.streams.show(Err(error)),
                };
            is_whole = removal.failed.is_empty() && removal.left.is_empty();
            told.push(removal);
            if !is_whole {
                break;
            }
        }
        if self.json {
            self.streams.json(&told)?;
        } else {
            told.iter().try_for_each(|removal| report(self.streams, removal))?;
        }
        Ok(if is_whole { End::Fine } else { End::Failed })
    }
}

fn report(streams: &mut Streams<'_>, removal: &DeviceRemoval) -> io::Result<()> {
    writeln!(streams.output, "{} removed.", removal.removed.len())?;
    for refused in &removal.refused {
        writeln!(streams.output, "{}  kept: {}", refused.id, refused.why)?;
    }
    for failed in &removal.failed {
        let status =
            failed.status.map_or("no answer".to_owned(), |status| format!("status {status}"));
        writeln!(streams.output, "{}  not removed: plex.tv gave {status}", failed.id)?;
    }
    if !removal.left.is_empty() {
        writeln!(streams.output, "{} not tried: run this again later.", removal.left.len())?;
    }
    if let Some(warning) = &removal.warning {
        writeln!(streams.errors, "warning: {warning}")?;
    }
    Ok(())
}
