//! What a campaign repeats: a ground, something that a worker is asked there, and a judge of what came of it.

use std::path::Path;
use std::time::Duration;

use crate::rig::Told;

pub(crate) trait Case: Sync {
    type Ground;

    fn name(&self) -> &str;

    fn prepared(&self) -> Self::Ground;

    /// The worker's data folder.
    fn data<'g>(&self, ground: &'g Self::Ground) -> &'g Path;

    /// Asks a worker behind these words.
    fn act(&self, ground: &Self::Ground, prefix: &[&str]) -> Told;

    /// Asks undisturbed workers, whatever was done to that one.
    fn judge(&self, ground: &Self::Ground, told: (&Told, Duration), what: &str);

    /// How many calls it is.
    fn calls(&self) -> usize;
}
