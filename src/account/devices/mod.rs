//! The account's devices, as plex.tv lists them: what each row is, and whether it may be removed.

#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod phantom;
mod remove;
mod row;

use std::collections::BTreeMap;

use plexsync_protocol::device::{Device, Kept, KeptReason, Phantom};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answers::shown;
use super::{AccountError, Ask, Caller, on_disk};
use crate::secret::{Secret, Secrets};
pub use remove::Wish;
use row::Row;

/// Where plex.tv lists the devices; as XML only.
const LIST: &str = "/devices.xml";
/// What others use. A device that can do one of these is kept.
const USED_BY_OTHERS: [&str; 6] =
    ["server", "client", "player", "pubsub-player", "sync-target", "provider-playback"];

/// When the newest row of each maker was seen.
type Newest = BTreeMap<String, Option<OffsetDateTime>>;

/// What a row is judged by.
#[derive(Debug, Clone)]
pub struct Judge {
    /// This worker's own id.
    pub device_id: String,
    /// Tokens that are used here.
    pub tokens: Vec<Secret>,
    /// A device that was seen within so many days is kept.
    pub days: u32,
    /// What time it is.
    pub now: OffsetDateTime,
    /// What no text may show.
    pub secrets: Secrets,
}

impl Caller {
    /// The account's devices, judged.
    ///
    /// # Errors
    /// Those of [`Caller::ask`]; a list that can't be read is `-32010`, never an empty one.
    pub async fn devices(
        &self,
        token: &Secret,
        judge: &Judge,
    ) -> Result<Vec<Device>, AccountError> {
        let judge = judge.clone();
        self.of_rows(token, move |rows| judge.all(&rows)).await
    }

    /// The id that the stored sign-in's token was made for, as plex.tv's list has it: no other answer tells. `None` if
    /// no row has this token.
    ///
    /// # Errors
    /// As [`Caller::devices`], or there is no sign-in to use.
    pub async fn device_of_token(&self) -> Result<Option<String>, AccountError> {
        let token = self.on_disk(Self::stored).await?.token;
        let (its, secrets) = (token.clone(), self.secrets.clone());
        self.of_rows(&token, move |rows| {
            let row = rows.into_iter().find(|row| row.token.expose() == its.expose());
            row.map(|row| shown(&row.device_id, &secrets))
        })
        .await
    }

    /// What `make` makes of the list: of thousands of rows not on the runtime's thread.
    async fn of_rows<T: Send + 'static>(
        &self,
        token: &Secret,
        make: impl FnOnce(Vec<Row>) -> T + Send + 'static,
    ) -> Result<T, AccountError> {
        let reply = self.ask(&Ask::get(LIST, Some(token)), "to list the devices").await?;
        on_disk(move || row::read(&reply.body).map(make)).await
    }
}

impl Judge {
    fn all(&self, rows: &[Row]) -> Vec<Device> {
        let phantoms: Vec<_> = rows.iter().map(|row| phantom::of(row, &self.device_id)).collect();
        let mut newest = BTreeMap::new();
        for (row, phantom) in rows.iter().zip(&phantoms) {
            if let Some(Phantom { maker, .. }) = phantom {
                let seen = newest.entry(maker.clone()).or_insert(row.last_seen_at);
                *seen = row.last_seen_at.max(*seen);
            }
        }
        let rows = rows.iter().zip(phantoms);
        rows.map(|(row, phantom)| self.device(row, phantom, &newest)).collect()
    }

    fn device(&self, row: &Row, phantom: Option<Phantom>, newest: &Newest) -> Device {
        // What is shown of a row may hold its token.
        let _held = self.secrets.remember_until_dropped(&row.token);
        let shown = |text: &str| shown(text, &self.secrets);
        Device {
            id: shown(&row.id),
            name: shown(&row.name),
            product: shown(&row.product),
            version: shown(&row.version),
            platform: shown(&row.platform),
            device_id: shown(&row.device_id),
            provides: shown(&row.provides),
            created_at: time_of(row.created_at),
            last_seen_at: time_of(row.last_seen_at),
            this: row.device_id == self.device_id,
            kept_because: self.kept(row, phantom.as_ref(), newest),
            phantom,
        }
    }

    fn kept(&self, row: &Row, phantom: Option<&Phantom>, newest: &Newest) -> Option<Kept> {
        let provides = row.provides.split(',').map(str::trim);
        let used = provides.clone().find(|one| USED_BY_OTHERS.contains(one));
        let kept = |reason, why: String| Some(Kept::new(reason, why));
        if row.device_id == self.device_id {
            return kept(KeptReason::ThisDevice, "it is this worker's own device".to_owned());
        }
        if self.tokens.iter().any(|token| token.expose() == row.token.expose()) {
            return kept(KeptReason::TokenInUse, "its token is used here".to_owned());
        }
        if let Some(used) = used {
            return kept(KeptReason::Provides, format!("it is a `{used}`, which others use"));
        }
        if row.is_connected() {
            let why = "it has a connection or synchronised items";
            return kept(KeptReason::Connected, why.to_owned());
        }
        let Some(Phantom { maker, .. }) = phantom else {
            let why = "nothing shows that a program left it behind; its age proves nothing";
            return kept(KeptReason::UnknownMaker, why.to_owned());
        };
        if let Some(why) = self.recent(row) {
            return kept(KeptReason::Recent, why);
        }
        if newest.get(maker) == Some(&row.last_seen_at) {
            let why =
                format!("it is the newest device of {maker} and may carry a token that is in use");
            return kept(KeptReason::Newest, why);
        }
        None
    }

    /// Why a row counts as recent. A time in the future is one, too: clocks differ.
    fn recent(&self, row: &Row) -> Option<String> {
        let Some(seen) = row.last_seen_at else {
            return Some("plex.tv does not say when it was last seen".to_owned());
        };
        let days = (self.now - seen).whole_days();
        (days < i64::from(self.days)).then(|| match days.max(0) {
            0 => "it was seen less than a day ago".to_owned(),
            1 => "it was seen a day ago".to_owned(),
            days => format!("it was seen {days} days ago"),
        })
    }
}

fn time_of(time: Option<OffsetDateTime>) -> Option<String> {
    time?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests;
