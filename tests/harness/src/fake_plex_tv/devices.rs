//! The account's list of devices, `devices.xml`.

use std::time::UNIX_EPOCH;

use crate::http::Response;

use super::State;

/// One row: its attributes as they stand in the XML, and what stands between its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRow {
    /// Names and values.
    pub attributes: Vec<(String, String)>,
    /// `Connection` and `SyncList`, as XML.
    pub children: String,
}

impl DeviceRow {
    /// A row with these attributes.
    pub fn new<'a>(attributes: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { attributes: attributes.into_iter().map(owned).collect(), children: String::new() }
    }

    /// The row that a sign-in leaves.
    pub(super) fn of_sign_in(id: usize, identifier: &str, token: &str) -> Self {
        Self::new([
            // As many digits as plex.tv's have.
            ("id", &*(900_000_000 + id).to_string()),
            ("name", "PlexSync Plugin"),
            ("product", "PlexSync"),
            ("provides", "controller"),
            ("clientIdentifier", identifier),
            ("token", token),
            ("createdAt", "1764000000"),
            ("lastSeenAt", "1764000000"),
        ])
    }

    /// A row as python-plexapi leaves one wherever it runs without a fixed identifier, seen so many days ago.
    pub fn phantom(id: &str, days: u64) -> Self {
        let number: u64 = id.parse().unwrap_or_default();
        let seen = UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs()) - days * 86_400;
        Self::new([
            ("id", id),
            ("name", "old-laptop"),
            ("product", "PlexAPI"),
            ("version", "4.15.4"),
            ("platform", "Linux"),
            ("provides", "controller"),
            // Drawn at random, which its highest bit tells.
            ("clientIdentifier", &*format!("{:#014x}", 0x1b00_0000_0000 + number)),
            ("createdAt", &*seen.to_string()),
            ("lastSeenAt", &*seen.to_string()),
        ])
    }

    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<String> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    fn xml(&self) -> String {
        let escape =
            |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let attributes: String = self
            .attributes
            .iter()
            .map(|(name, value)| format!(" {name}=\"{}\"", escape(value)))
            .collect();
        format!("<Device{attributes}>{}</Device>", self.children)
    }
}

impl State {
    pub(super) fn devices(&self) -> Response {
        let rows: String = self.rows.iter().map(DeviceRow::xml).collect();
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MediaContainer size=\"2\" publicAddress=\"192.0.2.1\">{rows}</MediaContainer>"
        );
        Response::text(200, "application/xml; charset=utf-8", body)
    }

    /// A row's token dies with it. Whether there was such a row.
    pub(super) fn delete_device(&mut self, id: &str) -> bool {
        let is_it = |row: &DeviceRow| row.attribute("id").as_deref() == Some(id);
        let Some(place) = self.rows.iter().position(is_it) else { return false };
        let row = self.rows.remove(place);
        self.tokens.retain(|token| Some(&token.value) != row.attribute("token").as_ref());
        true
    }
}
