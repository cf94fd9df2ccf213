//! `identity.get` and `identity.reset`.

use serde::{Deserialize, Serialize};

/// The product's name, as Plex shows it.
pub const PRODUCT: &str = "PlexSync";
/// The device's name, as Plex shows it in its list of devices.
pub const DEVICE_NAME: &str = "PlexSync Plugin";
/// The identity's file in the data folder.
pub const FILE_NAME: &str = "device_id.json";
/// Its backup, beside it.
pub const BACKUP_NAME: &str = "device_id.json.bak";
/// Most characters of an id.
const MAX_ID_LENGTH: usize = 255;

/// Whether a text can be an id: 1 to 255 printable ASCII characters, not all of them spaces.
///
/// An id travels as an HTTP header value, so nothing else could be sent byte for byte.
pub fn is_device_id(text: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
        && text.bytes().any(|byte| byte != b' ')
}

/// Where the worker's identity came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Origin {
    /// It was on disk.
    Loaded,
    /// There was no file: it is new.
    Created,
    /// The file was missing or damaged: it was taken from the backup.
    Recovered,
    /// The file was damaged and there was no backup: it is new, and Plex will see a new device.
    Regenerated,
    /// `identity.reset` made it.
    Reset,
    /// `identity.reset` was given it.
    Adopted,
}

/// Result of `identity.get` and, with `previous`, of `identity.reset`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Identity {
    /// The id, exactly as on disk.
    #[cfg_attr(
        test,
        schemars(length(min = 1, max = 255), regex(pattern = r"^[ -~]*[!-~][ -~]*$"))
    )]
    pub device_id: String,
    /// Where it came from.
    pub origin: Origin,
    /// The file it lives in.
    pub path: String,
    /// Always [`PRODUCT`].
    #[cfg_attr(test, schemars(extend("const" = PRODUCT)))]
    pub product: String,
    /// Always [`DEVICE_NAME`].
    #[cfg_attr(test, schemars(extend("const" = DEVICE_NAME)))]
    pub device_name: String,
    /// The identity headers, for a host that makes its own requests.
    pub headers: IdentityHeaders,
    /// A sentence for the user when something happened to the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}

impl Identity {
    /// The identity with this id; product, device name and headers follow from it.
    pub fn new(
        device_id: String,
        origin: Origin,
        path: String,
        headers: IdentityHeaders,
        warning: Option<String>,
    ) -> Self {
        Self {
            device_id,
            origin,
            path,
            product: PRODUCT.to_owned(),
            device_name: DEVICE_NAME.to_owned(),
            headers,
            warning,
        }
    }
}

/// Result of `identity.reset`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ResetResult {
    /// The identity from now on.
    #[serde(flatten)]
    pub identity: Identity,
    /// The id before; null where there was none.
    pub previous: Option<String>,
}

impl ResetResult {
    /// `identity` in place of the id `previous`.
    pub fn new(identity: Identity, previous: Option<String>) -> Self {
        Self { identity, previous }
    }
}

/// Params of `identity.reset`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ResetParams {
    /// Reset only if this is the id on disk, compared under the lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_device_id: Option<String>,
    /// Adopt this id instead of making a new one: for moving an existing device here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        test,
        schemars(length(min = 1, max = 255), regex(pattern = r"^[ -~]*[!-~][ -~]*$"))
    )]
    pub device_id: Option<String>,
}

/// The X-Plex-* headers that identify the device to Plex. They are on every request, on every hop.
///
/// Nothing in them changes with a kernel update, a host name or a container id: Plex shows a changed value as a
/// changed device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IdentityHeaders {
    /// The id.
    #[serde(rename = "X-Plex-Client-Identifier")]
    pub client_identifier: String,
    /// [`PRODUCT`].
    #[serde(rename = "X-Plex-Product")]
    pub product: String,
    /// The worker's version.
    #[serde(rename = "X-Plex-Version")]
    pub version: String,
    /// Stands in brackets in Plex's "New Device" message, so it is the product's name, too.
    #[serde(rename = "X-Plex-Platform")]
    pub platform: String,
    /// The version of the platform: the worker's.
    #[serde(rename = "X-Plex-Platform-Version")]
    pub platform_version: String,
    /// The operating system's name, without a version.
    #[serde(rename = "X-Plex-Device")]
    pub device: String,
    /// [`DEVICE_NAME`].
    #[serde(rename = "X-Plex-Device-Name")]
    pub device_name: String,
    /// `controller`, as other Plex API clients say it.
    #[serde(rename = "X-Plex-Provides")]
    pub provides: String,
}

impl IdentityHeaders {
    /// The headers of the device `device_id`, sent by a worker of version `version`.
    pub fn new(device_id: &str, version: &str) -> Self {
        Self {
            client_identifier: device_id.to_owned(),
            product: PRODUCT.to_owned(),
            version: version.to_owned(),
            platform: PRODUCT.to_owned(),
            platform_version: version.to_owned(),
            device: operating_system().to_owned(),
            device_name: DEVICE_NAME.to_owned(),
            provides: "controller".to_owned(),
        }
    }

    /// Name and value of each header, in the order in which they are sent.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("X-Plex-Client-Identifier", self.client_identifier.as_str()),
            ("X-Plex-Product", &self.product),
            ("X-Plex-Version", &self.version),
            ("X-Plex-Platform", &self.platform),
            ("X-Plex-Platform-Version", &self.platform_version),
            ("X-Plex-Device", &self.device),
            ("X-Plex-Device-Name", &self.device_name),
            ("X-Plex-Provides", &self.provides),
        ]
        .into_iter()
    }
}

fn operating_system() -> &'static str {
    match std::env::consts::OS {
        "linux" => "Linux",
        "macos" => "macOS",
        "windows" => "Windows",
        "freebsd" => "FreeBSD",
        other => other,
    }
}
