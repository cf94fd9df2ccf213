//! What programs leave behind. A row is a phantom by its product **and** its identifier: Home Assistant looks like one but
//! for its product, and a player that nobody has used for years looks like nothing else.

use plexsync_protocol::device::{Certainty, Phantom};
use uuid::{Uuid, Version};

use super::row::Row;

/// Bit 40 of a hardware address is set in no real one of a single card. Python draws a random number that has it where
/// it finds no card, at each start.
const RANDOM: u64 = 1 << 40;

/// What has left `row` behind, if that is known. `own` is this worker's id, whose own row is no phantom.
pub(super) fn of(row: &Row, own: &str) -> Option<Phantom> {
    if same_device(&row.device_id, own) {
        return None;
    }
    let likely = |maker: &str, why: &str| Some(Phantom::new(maker, Certainty::Likely, why));
    match row.product.as_str() {
        product if product.eq_ignore_ascii_case("PlexAPI") => {
            let maker = "python-plexapi or @ctrl/plex";
            if hardware_address(&row.device_id)? & RANDOM == 0 {
                return likely(
                    maker,
                    "its identifier is a network card's address: a program on that machine may still use it",
                );
            }
            Some(Phantom::new(
                maker,
                Certainty::Sure,
                "its identifier was drawn at random and never comes back; its token may still be in use somewhere",
            ))
        }
        "Node.js App" if row.version == "1.0" && is_random_uuid(&row.device_id) => likely(
            "node-plex-api",
            "node-plex-api makes a new identifier for each object; a program that runs may still use this one",
        ),
        product @ ("PlexSync" | "Stash2Plex") => {
            likely(product, "another installation of the plugin may still use it")
        }
        _ => None,
    }
}

/// Whether two identifiers are one device's: the same text, or the same hardware address.
pub fn same_device(one: &str, other: &str) -> bool {
    let number = hardware_address(one);
    one == other || (number.is_some() && number == hardware_address(other))
}

/// The number of `0x` and 1 to 12 hex digits: python-plexapi leaves out leading zeros, others don't.
fn hardware_address(identifier: &str) -> Option<u64> {
    let digits = identifier.strip_prefix("0x")?;
    let is_number =
        (1..=12).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_number.then(|| u64::from_str_radix(digits, 16).ok())?
}

fn is_random_uuid(identifier: &str) -> bool {
    let uuid = Uuid::try_parse(identifier).ok();
    uuid.is_some_and(|uuid| uuid.get_version() == Some(Version::Random))
}
