//! PIN sign-ins, and the tokens that come of them.

use serde_json::{Value, json};

use super::answer::{CITY, POSTCODE, error, told};
use super::devices::DeviceRow;
use super::{State, Token};
use crate::http::{Request, Response};
use crate::watch::Event;

/// A sign-in under way.
#[derive(Debug)]
pub(super) struct Pin {
    pub(super) number: u64,
    pub(super) code: String,
    pub(super) token: Option<String>,
    identifier: String,
    product: String,
    lifetime: Option<Value>,
}

impl State {
    pub(super) fn new_pin(&mut self, request: &Request, identifier: String) -> Response {
        self.pins_ever += 1;
        let count = self.pins_ever;
        let pin = Pin {
            number: 4_000_000_000 + u64::from(self.port) * 10_000 + count,
            code: format!("K{count:03}"),
            token: None,
            identifier,
            product: request.header("X-Plex-Product").unwrap_or_default().to_owned(),
            lifetime: self.lifetime.clone(),
        };
        let body = pin.told();
        self.watcher.tell(Event::Code(pin.code.clone()));
        self.pins.push(pin);
        told(request, 201, &body)
    }

    /// A PIN is told only to the device that asked for it.
    pub(super) fn pin(&self, request: &Request, number: &str, identifier: &str) -> Response {
        let found = |pin: &&Pin| pin.number.to_string() == number && pin.identifier == identifier;
        match self.pins.iter().find(found) {
            Some(pin) => told(request, 200, &pin.told()),
            None => error(request, 404, 1020, "Code not found or expired"),
        }
    }

    pub(super) fn claim(&mut self, code: &str, account: &str) -> bool {
        let is_one = |pin: &Pin| pin.code == code && pin.token.is_none();
        let Some(place) = self.pins.iter().position(is_one) else { return false };
        let identifier = self.pins[place].identifier.clone();
        self.pins[place].token = Some(self.mint(account, &identifier));
        self.watcher.tell(Event::Claimed { code: code.to_owned(), account: account.to_owned() });
        true
    }

    pub(super) fn mint(&mut self, account: &str, identifier: &str) -> String {
        self.tokens_ever += 1;
        let value = format!("tvToken-{}_{:04}", self.port, self.tokens_ever);
        self.tokens.retain(|it| it.account != account || it.identifier != identifier);
        let (account, identifier) = (account.to_owned(), identifier.to_owned());
        self.rows.retain(|row| row.attribute("clientIdentifier") != Some(identifier.clone()));
        self.rows.push(DeviceRow::of_sign_in(self.tokens_ever, &identifier, &value));
        self.tokens.push(Token { account, identifier, value: value.clone() });
        value
    }
}

impl Pin {
    fn told(&self) -> Value {
        let mut body = json!({
            "id": self.number, "code": self.code, "product": self.product, "trusted": false,
            "qr": format!("https://plex.tv/api/v2/pins/qr/{}", self.code), "clientIdentifier": self.identifier,
            "location": {"code": "XX", "european_union_member": false, "continent_code": "EU", "country": "Nowhere",
                "city": CITY, "time_zone": "Europe/London", "postal_code": POSTCODE, "subdivisions": "", "coordinates": "1.5, 2.5"},
            "createdAt": "2026-01-01T00:00:00Z", "expiresAt": "2026-01-01T00:15:00Z", "authToken": self.token,
            "newRegistration": self.token.as_ref().map(|_| false),
        });
        if let Some(lifetime) = &self.lifetime {
            body["expiresIn"] = lifetime.clone();
        }
        body
    }
}
