//! JSON bodies, whole or in parts. The scanner is the contract's: built for speed, as that crate is, and not for size.

mod parts;

pub(crate) use self::parts::Parts;
pub(crate) use plexsync_protocol::json::check;
pub(crate) use plexsync_protocol::json::{BOM, Fault, name, skip_space, string, value};

#[cfg(test)]
pub(crate) mod tests;
