//! Asking Plex to look at folders: one list of sections a call, and one request for each section that holds a folder.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use plexsync_protocol::identity::Identity;
use plexsync_protocol::plex::{RequestParams, SectionScan};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::{Account, Answer, Limits, Plex};
use crate::http::error::host_and_port;
use crate::http::send::Sender;
use crate::json_text::JsonText;
use crate::plex::error::PlexError;
use crate::plex::refusal::Refusal;
use crate::plex::request::PreparedRequest;
use crate::plex::request::auth::TOKEN_OF_CALL;
use crate::plex::request::query::quote;
use crate::plex::response::work::{self, Stop, Stopped};
use crate::plex::sections::{self, Section, Target};
use crate::remote_path::RemotePath;

/// What all scans of one call have in common.
pub struct ScanCall {
    /// Base URL of the server, if the call names one.
    pub server: Option<String>,
    /// The device that asks.
    pub identity: Arc<Identity>,
    /// The configured server and its token.
    pub account: Account,
    /// Retries, and the time for one connection.
    pub limits: Limits,
    /// When the call's time is over.
    pub deadline: Instant,
}

/// The scans of one call. They share one list of sections.
pub struct Scanner {
    plex: Plex,
    pub(super) call: ScanCall,
    list: Option<List>,
    warning: OnceLock<String>,
}

struct List {
    sections: Vec<Section>,
    /// Read in this call.
    is_new: bool,
    /// That, or read a moment before it.
    is_recent: bool,
}

/// A section that was asked, and its answer.
type Asked = (Target, Result<Answer, PlexError>);

impl Scanner {
    pub(super) fn new(plex: Plex, call: ScanCall) -> Self {
        Self { plex, call, list: None, warning: OnceLock::new() }
    }

    /// Takes the sections that an earlier call read, in place of a list of its own. A list that is not recent is read
    /// again before a folder is in no section, and when a section refuses.
    pub fn remember(&mut self, sections: Vec<Section>, is_recent: bool) {
        self.list = Some(List { sections, is_new: false, is_recent });
    }

    /// The sections, if this call read them.
    pub fn newly_read(&self) -> Option<&[Section]> {
        self.list.as_ref().filter(|list| list.is_new).map(|list| list.sections.as_slice())
    }

    /// About the server or the token that was used, for the user.
    pub fn warning(&self) -> Option<&str> {
        self.warning.get().map(String::as_str)
    }

    /// From now on requests end at `deadline`.
    pub fn set_deadline(&mut self, deadline: Instant) {
        self.call.deadline = deadline;
    }

    /// Plex's sections: the list that this call has, else a new one.
    ///
    /// # Errors
    /// As [`Scanner::folder`].
    pub async fn sections(&mut self) -> Result<&[Section], PlexError> {
        let list = match self.list.take() {
            Some(list) => list,
            None => self.read().await?,
        };
        Ok(&self.list.insert(list).sections)
    }

    /// Asks every section that holds a folder, or `only` that one: the section with the longest location first, the
    /// others in Plex's order; but for the sections `except` those. `folders` are names of one folder: the first that
    /// any section holds counts.
    ///
    /// # Errors
    /// [`PlexError::NoSection`], [`PlexError::Refused`] for any status outside 2xx, else as [`Plex::request`]; all
    /// sections were asked then.
    pub async fn folder(
        &mut self,
        folders: &[RemotePath],
        only: Option<&str>,
        except: &[String],
    ) -> Result<Vec<SectionScan>, PlexError> {
        let is_told = |target: &Target| !except.contains(&target.section);
        let mut targets = self.targets(folders, only).await?;
        targets.retain(is_told);
        let mut asked = self.ask(targets, Vec::new()).await;
        let refused = |(_, answer): &Asked| answer.as_ref().ok().map(|answer| answer.status);
        let mut refused: Vec<_> = asked.iter().filter_map(refused).collect();
        refused.retain(|status| !is_good(*status));
        let was_recent = self.list.as_ref().is_none_or(|list| list.is_recent);
        if refused.contains(&404) || !(was_recent || refused.is_empty()) {
            // A section was removed after the list was read, and another may hold the folder now; or Plex refuses
            // everything, which its list shows.
            match self.read().await {
                Ok(list) => self.list = Some(list),
                Err(error) if !was_recent => return Err(error),
                Err(_) => return self.judge(asked),
            }
            let mut targets = self.targets(folders, only).await?;
            targets.retain(is_told);
            asked = self.ask(targets, asked).await;
        }
        self.judge(asked)
    }

    /// Which sections hold the folder.
    async fn targets(
        &mut self,
        folders: &[RemotePath],
        only: Option<&str>,
    ) -> Result<Vec<Target>, PlexError> {
        let chosen = sections::choose(self.sections().await?, folders, only);
        if chosen.is_ok() || self.list.as_ref().is_some_and(|list| list.is_recent) {
            return chosen;
        }
        let list = self.read().await?;
        sections::choose(&self.list.insert(list).sections, folders, only)
    }

    /// Asks for all folders of all sections, or of `only` that one.
    ///
    /// # Errors
    /// As [`Scanner::folder`].
    pub async fn everything(&self, only: Option<&str>) -> Result<(), PlexError> {
        let section = only.unwrap_or("all");
        let answer = self.get(refresh(section, None)).await?;
        let what = match only {
            Some(key) => format!("a scan of library section `{key}`"),
            None => "a scan of all library sections".to_owned(),
        };
        self.accepted(&answer, what)
    }

    async fn read(&self) -> Result<List, PlexError> {
        let answer = self.get(RequestParams::get("/library/sections")).await?;
        self.accepted(&answer, "to list its library sections".to_owned())?;
        let sections = self.read_from(answer, |list, _| Ok(sections::read(list))).await?;
        Ok(List { sections, is_new: true, is_recent: true })
    }

    /// Asks one section after the other, but for those that `before` has an answer of.
    async fn ask(&self, targets: Vec<Target>, mut before: Vec<Asked>) -> Vec<Asked> {
        let mut asked = Vec::new();
        for target in targets {
            match before.iter().position(|(known, _)| *known == target) {
                Some(place) => asked.push(before.swap_remove(place)),
                None => {
                    let answer = self.get(refresh(&target.section, Some(&target.folder))).await;
                    asked.push((target, answer));
                }
            }
        }
        asked
    }

    /// A refusal says more than a lost connection: it names who took the scan, too.
    fn judge(&self, asked: Vec<Asked>) -> Result<Vec<SectionScan>, PlexError> {
        let (mut scans, mut refused, mut first, mut lost) = (Vec::new(), Vec::new(), None, None);
        for (Target { section, folder }, answer) in asked {
            match answer {
                Err(error) => drop(lost.get_or_insert(error)),
                Ok(answer) => {
                    let scan = SectionScan { section, folder, status: answer.status };
                    match is_good(answer.status) {
                        true => scans.push(scan),
                        false => {
                            refused.push(scan);
                            first.get_or_insert(answer);
                        }
                    }
                }
            }
        }
        match (first, lost) {
            (None, None) => Ok(scans),
            (None, Some(error)) => Err(error),
            (Some(answer), _) => {
                let refusal = Refusal::of(&answer, what(&scans, &refused), &self.plex.secrets);
                Err(Refusal { asked: scans, refused, ..refusal }.into())
            }
        }
    }

    pub(super) fn accepted(&self, answer: &Answer, what: String) -> Result<(), PlexError> {
        match is_good(answer.status) {
            true => Ok(()),
            false => Err(Refusal::of(answer, what, &self.plex.secrets).into()),
        }
    }

    pub(super) async fn get(&self, params: RequestParams) -> Result<Answer, PlexError> {
        let now = Instant::now();
        let mut prepared = self.prepare(&params)?;
        prepared.timeout = self.call.deadline.saturating_duration_since(now);
        let answer = self.plex.send(prepared, now, None).await?;
        if let Some(warning) = &answer.warning {
            self.warning.get_or_init(|| warning.clone());
        }
        Ok(answer)
    }

    /// What the body of an answer says: what a long one says is not found on the runtime's thread.
    pub(super) async fn read_from<T: Send + 'static>(
        &self,
        answer: Answer,
        read: impl FnOnce(&JsonText, &Stop) -> Result<Result<T, PlexError>, Stopped> + Send + 'static,
    ) -> Result<T, PlexError> {
        let (body, url) = (answer.body.value, answer.url);
        let peer = || Url::parse(&url).map(|url| host_and_port(&url)).unwrap_or_default();
        work::on(body.len(), self.call.deadline, peer, move |stop| read(&body, stop)).await?
    }

    pub(super) fn prepare(&self, params: &RequestParams) -> Result<PreparedRequest, PlexError> {
        let ScanCall { server, identity, account, limits, .. } = &self.call;
        let params = &RequestParams { server: server.clone(), ..params.clone() };
        let prepared = self.plex.prepare(params, identity, account, *limits);
        prepared.map_err(|error| match error {
            PlexError::NotConfigured { missing, message } => {
                // Neither `plex.scan` nor `plex.find` takes one.
                let message = message.replace(
                    TOKEN_OF_CALL,
                    "configure its URL and token, or name one of the account's servers",
                );
                PlexError::not_configured(missing, message)
            }
            error => error,
        })
    }

    /// Sends requests that are no exchange of one answer, within the call's time.
    pub(super) fn sender(&self, connect_limit: Duration) -> Sender<'_> {
        Sender::new(&self.plex.clients, self.call.deadline, connect_limit)
    }
}

/// What was refused, as the object of `refused`.
fn what(scans: &[SectionScan], refused: &[SectionScan]) -> String {
    let keys = |scans: &[SectionScan]| {
        let keys: Vec<_> = scans.iter().map(|scan| format!("`{}`", scan.section)).collect();
        keys.join(", ")
    };
    let folder = refused.first().map_or("", |scan| scan.folder.as_str());
    let others = match scans {
        [] => String::new(),
        scans => format!(" (taken by {})", keys(scans)),
    };
    format!("a scan of `{folder}` in library section {}{others}", keys(refused))
}

fn is_good(status: u16) -> bool {
    (200..300).contains(&status)
}

/// The request that makes Plex look at a folder of a section, or at all of them. All clients send a GET, though a POST
/// is documented.
fn refresh(section: &str, folder: Option<&str>) -> RequestParams {
    let query = folder.map(|folder| ("path".to_owned(), Value::from(folder)));
    RequestParams {
        query: BTreeMap::from_iter(query),
        ..RequestParams::get(format!("/library/sections/{}/refresh", quote(section)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_one_segment() {
        let path = refresh("1/../2?x", Some("/a")).path;
        assert_eq!(path, "/library/sections/1%2F..%2F2%3Fx/refresh");
    }
}
