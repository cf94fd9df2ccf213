//! The owner's list of devices, and the "New Device" messages.

use serde::Serialize;

use super::{Caller, plex_value};
use crate::http::Request;

/// Name of the fake server.
pub(super) const SERVER_NAME: &str = "Attic";
/// The header that says which device asks.
const IDENTIFIER: &str = "X-Plex-Client-Identifier";

/// One row of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Device {
    /// The row's number, as `DELETE /devices/NUMBER.xml` wants it.
    pub number: u64,
    /// Its `X-Plex-Client-Identifier`; `None` for a request that had none.
    pub identifier: Option<String>,
    /// Its latest `X-Plex-Device-Name`.
    pub name: Option<String>,
    /// Its latest `X-Plex-Product`.
    pub product: Option<String>,
    /// Its latest `X-Plex-Version`.
    pub version: Option<String>,
    /// Its latest `X-Plex-Platform`.
    pub platform: Option<String>,
    /// Its latest `X-Plex-Device`.
    pub device: Option<String>,
    /// Its latest `X-Plex-Provides`.
    pub provides: Option<String>,
    /// How many requests it sent.
    pub requests: u64,
    /// Other identifiers that stood in the same request (in a repeated header, or in the query): always a mistake.
    pub conflicting: Vec<String>,
}

/// The message that an owner gets about a device which Plex has not seen before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NewDevice {
    /// Its identifier; `None` for a request that had none.
    pub identifier: Option<String>,
    /// Its name.
    pub device: Option<String>,
    /// Its platform, which Plex shows in brackets.
    pub platform: Option<String>,
}

impl std::fmt::Display for NewDevice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.device.as_deref().unwrap_or("an unnamed device");
        let platform = self.platform.as_deref().unwrap_or("unknown");
        write!(formatter, "New Device: {name} ({platform}) was used to access {SERVER_NAME}")
    }
}

/// The list and the messages.
#[derive(Debug, Default)]
pub(super) struct Registry {
    devices: Vec<Device>,
    events: Vec<NewDevice>,
    rows_ever: u64,
    server_provides: Option<String>,
    server_version: Option<String>,
}

impl Registry {
    pub(super) fn devices(&self) -> &[Device] {
        &self.devices
    }

    pub(super) fn events(&self) -> &[NewDevice] {
        &self.events
    }

    pub(super) fn server_row(&self) -> (String, String) {
        let or = |value: &Option<String>, default: &str| value.clone().unwrap_or(default.into());
        (or(&self.server_provides, "server"), or(&self.server_version, "1.41.7.9823"))
    }

    /// Registers the device behind a request. Only a request with a valid token registers anything; one without an
    /// identifier is a new device each time.
    pub(super) fn see(&mut self, request: &Request, caller: Caller) {
        match caller {
            Caller::Nobody => return,
            Caller::Server => {
                self.server_provides = plex_value(request, "X-Plex-Provides");
                self.server_version = plex_value(request, "X-Plex-Version");
            }
            Caller::Owner | Caller::Shared => {}
        }
        let mut identifiers = identifiers(request).into_iter();
        let identifier = identifiers.next();
        let place = self.place_of(identifier, request);
        let device = &mut self.devices[place];
        device.requests += 1;
        device.conflicting.extend(identifiers);
        update(device, request);
    }

    fn place_of(&mut self, identifier: Option<String>, request: &Request) -> usize {
        let known = |device: &Device| identifier.is_some() && device.identifier == identifier;
        if let Some(place) = self.devices.iter().position(known) {
            return place;
        }
        self.events.push(NewDevice {
            identifier: identifier.clone(),
            device: plex_value(request, "X-Plex-Device-Name"),
            platform: plex_value(request, "X-Plex-Platform"),
        });
        self.rows_ever += 1;
        self.devices.push(Device { number: self.rows_ever, identifier, ..nameless() });
        self.devices.len() - 1
    }

    pub(super) fn forget(&mut self, identifier: &str) -> bool {
        let before = self.devices.len();
        self.devices.retain(|device| device.identifier.as_deref() != Some(identifier));
        self.devices.len() < before
    }

    /// Deletes a row by its number, and returns its identifier.
    pub(super) fn delete(&mut self, number: u64) -> Option<Device> {
        let place = self.devices.iter().position(|device| device.number == number)?;
        Some(self.devices.remove(place))
    }
}

fn nameless() -> Device {
    Device {
        number: 0,
        identifier: None,
        name: None,
        product: None,
        version: None,
        platform: None,
        device: None,
        provides: None,
        requests: 0,
        conflicting: Vec::new(),
    }
}

fn update(device: &mut Device, request: &Request) {
    let newest = |field: &mut Option<String>, name: &str| {
        if let Some(value) = plex_value(request, name) {
            *field = Some(value);
        }
    };
    newest(&mut device.name, "X-Plex-Device-Name");
    newest(&mut device.product, "X-Plex-Product");
    newest(&mut device.version, "X-Plex-Version");
    newest(&mut device.platform, "X-Plex-Platform");
    newest(&mut device.device, "X-Plex-Device");
    newest(&mut device.provides, "X-Plex-Provides");
}

/// Every different identifier of a request: headers first, then the query. An empty one is none.
pub(super) fn identifiers(request: &Request) -> Vec<String> {
    let headers = request.headers_named(IDENTIFIER).map(str::to_owned);
    let query = request.query().into_iter().filter(|(key, _)| key.eq_ignore_ascii_case(IDENTIFIER));
    let mut found: Vec<String> = Vec::new();
    for value in headers.chain(query.map(|(_, value)| value)) {
        if !value.is_empty() && !found.contains(&value) {
            found.push(value);
        }
    }
    found
}
