//! `devices`: the account's devices, and removing those that programs left behind.

use std::fmt::Write as _;
use std::io;

use plexsync_protocol::device::{
    Certainty, Device, DeviceList, DeviceListParams, DeviceRemoval, DeviceRemoveParams, Kept,
    KeptReason, MAX_IDS,
};
use plexsync_protocol::message::method;
use textwrap::{Options, WordSplitter};

use super::{End, Setting, Streams};
use crate::cli::{DevicesCommand, RemoveArguments};

/// What lines begin with that go on.
const INDENT: &str = "    ";

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
    streams.output.write_all(rows(&list.devices, streams.width).as_bytes())?;
    let is_phantom = |device: &&Device| device.phantom.is_some();
    let phantoms = list.devices.iter().filter(is_phantom).count();
    let is_free = |device: &&Device| is_phantom(device) && device.kept_because.is_none();
    let removable = list.devices.iter().filter(is_free).count();
    let summary = format!(
        "{}; left behind by programs: {phantoms}; of these can be removed: {removable}.",
        devices_of(list.devices.len())
    );
    writeln!(streams.output, "{}", wrapped(&summary, streams.width, ""))?;
    if removable > 0 {
        writeln!(streams.output, "Remove them: plexsync-worker devices remove --phantoms")?;
    }
    Ok(End::Fine)
}

fn devices_of(count: usize) -> String {
    format!("{count} {}", if count == 1 { "device" } else { "devices" })
}

/// A text that begins with `first`, in lines of the terminal's width, where it is one.
fn wrapped(text: &str, width: Option<usize>, first: &str) -> String {
    let Some(width) = width else { return format!("{first}{text}") };
    let options = Options::new(width).initial_indent(first).subsequent_indent(INDENT);
    // A line is broken between words: names and programs have hyphens.
    textwrap::fill(text, options.word_splitter(WordSplitter::NoHyphenation))
}

/// Two lines a device: they are read on narrow terminals, too.
fn rows(devices: &[Device], width: Option<usize>) -> String {
    let mut text = String::new();
    for device in devices {
        let name = if device.name.is_empty() { "(no name)" } else { &device.name };
        let product = match &device.product[..] {
            "" => String::new(),
            product => format!(": {} {}", product, device.version).trim_end().to_owned(),
        };
        let seen = device.last_seen_at.as_deref().and_then(|time| time.get(..10));
        let seen = seen.unwrap_or("at an unknown time");
        let id = if device.id.is_empty() { "-" } else { &device.id };
        // Writing to a string can't fail.
        let row = format!("{id}  {name}{product}, last seen {seen}");
        let _ = writeln!(text, "{}", wrapped(&row, width, ""));
        let _ = writeln!(text, "{}", wrapped(&what(device), width, INDENT));
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
        if self.explain(&list.devices, &devices)? == 0 {
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
        let RemoveArguments { ids, phantoms, likely, .. } = &self.arguments;
        let is_meant = |device: &Device| match &device.phantom {
            Some(phantom) => {
                self.is_free(device) && (*likely || phantom.certainty == Certainty::Sure)
            }
            None => false,
        };
        let devices = devices.iter().filter(|device| match phantoms {
            true => is_meant(device),
            false => ids.contains(&device.id),
        });
        devices.cloned().collect()
    }

    /// Whether nothing keeps a device.
    fn is_free(&self, device: &Device) -> bool {
        let is_lifted = |reason| matches!(reason, KeptReason::Recent | KeptReason::Newest);
        match &device.kept_because {
            None => true,
            Some(kept) => self.arguments.force && is_lifted(kept.reason),
        }
    }

    /// Shows the devices and what a removal means. Returns how many can be removed.
    fn explain(&mut self, all: &[Device], devices: &[Device]) -> io::Result<usize> {
        let width = self.streams.width;
        self.streams.errors.write_all(rows(devices, width).as_bytes())?;
        let unknown = self.arguments.ids.iter().filter(|id| !all.iter().any(|it| it.id == **id));
        for id in unknown {
            writeln!(self.streams.errors, "{id}  is not listed")?;
        }
        let free = devices.iter().filter(|device| self.is_free(device)).count();
        let text = match free {
            0 => "There is nothing to remove.".to_owned(),
            count => format!(
                "{} to remove. A removal signs out whatever still uses the device's token.",
                devices_of(count)
            ),
        };
        writeln!(self.streams.errors, "{}", wrapped(&text, width, ""))?;
        if self.arguments.phantoms && !self.arguments.force {
            let text = "The newest device of each program stays: it may be in use. `--force` removes it, too.";
            writeln!(self.streams.errors, "{}", wrapped(text, width, ""))?;
        }
        Ok(free)
    }

    fn remove(self, ids: Vec<String>) -> io::Result<End> {
        let mut told = Vec::new();
        let (mut is_whole, mut broken) = (true, None);
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
                    Err(error) => {
                        broken = Some(error);
                        break;
                    }
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
        match broken {
            // What was done before is told, too.
            Some(error) => self.streams.show(Err(error)),
            None => Ok(if is_whole { End::Fine } else { End::Failed }),
        }
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
