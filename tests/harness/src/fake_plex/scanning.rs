//! Scans that take their time, one after the other, and bring what has changed on the disk.

use std::collections::VecDeque;
use std::time::{Duration, Instant, UNIX_EPOCH};

use serde_json::{Value, json};

use super::library::{Library, Scan, Section};

/// A scan's steps: it is told to have started, to go on, its items are there, it goes on, it has ended.
const STEPS: u32 = 4;
const ITEMS: u32 = 2;
/// What is told about a new item (states of a timeline entry): created, matching, loading, processed.
const STATES: [u8; 4] = [0, 2, 4, 5];

/// What has changed on the disk since the last scan of its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    New(String),
    Gone(String),
}

/// The scans that run or wait.
#[derive(Debug, Default)]
pub(super) struct Scanning {
    /// How long each takes. Without it what has changed is there at once, and nothing is told.
    pub(super) takes: Option<Duration>,
    /// No activity names its section, as those of old servers.
    pub(super) is_nameless: bool,
    pub(super) changes: Vec<Change>,
    pub(super) appeared: Vec<(String, Instant)>,
    queue: VecDeque<Running>,
    begun_ever: u64,
}

#[derive(Debug, Clone)]
struct Running {
    uuid: String,
    scan: Scan,
    /// When it began; of one that waits, when it was asked for.
    begun: Instant,
    step: u32,
}

/// An event's name and its data.
pub(super) type Told = (&'static str, Value);

impl Running {
    fn progress(&self) -> u32 {
        100 * self.step / STEPS
    }

    /// What `/activities` and the event stream tell: the section is not named in the beginning.
    fn activity(&self, is_nameless: bool) -> Value {
        let mut activity = json!({"uuid": self.uuid, "type": "library.update.section", "cancellable": false,
            "userID": 1, "title": "Scanning", "subtitle": "", "progress": self.progress()});
        if self.step > 0 && !is_nameless {
            activity["Context"] = json!({"librarySectionID": self.scan.section});
        }
        activity
    }

    fn told(&self, is_nameless: bool) -> Told {
        let event = match self.step {
            0 => "started",
            STEPS => "ended",
            _ => "updated",
        };
        let notification =
            json!({"event": event, "uuid": self.uuid, "Activity": self.activity(is_nameless)});
        ("activity", json!({"ActivityNotification": notification}))
    }
}

impl Library {
    /// Begins a scan, or lets it wait for those before it.
    pub(super) fn begin(&mut self, scan: Scan) {
        self.scans.push(scan.clone());
        let now = Instant::now();
        if self.scanning.takes.is_none() {
            self.bring(&scan, now);
            return;
        }
        self.scanning.begun_ever += 1;
        let uuid = format!("5ca00000-0000-4000-8000-{:012}", self.scanning.begun_ever);
        self.scanning.queue.push_back(Running { uuid, scan, begun: now, step: 0 });
    }

    /// A server that ends forgets what it was asked for.
    pub(super) fn forget_scans(&mut self) {
        self.scanning.queue.clear();
        self.sections.iter_mut().for_each(|section| section.refreshing = false);
    }

    /// Lets the scans come as far as they are by now, and returns what is told of it.
    pub(super) fn advance(&mut self) -> Vec<Told> {
        let (now, mut told) = (Instant::now(), Vec::new());
        let Some(takes) = self.scanning.takes else { return told };
        while let Some(first) = self.scanning.queue.front_mut() {
            let (running, at) = (first.clone(), first.begun + takes * first.step / STEPS);
            if at > now {
                break;
            }
            first.step += 1;
            if running.step == STEPS {
                self.scanning.queue.pop_front();
                let next = self.scanning.queue.front_mut();
                next.into_iter().for_each(|next| next.begun = next.begun.max(at));
            }
            told.extend(self.step(&running, at));
        }
        told
    }

    fn step(&mut self, running: &Running, at: Instant) -> Vec<Told> {
        if let Some(section) = self.find_mut(&running.scan.section) {
            section.refreshing = running.step < STEPS;
            if running.step == STEPS {
                section.scanned_at = UNIX_EPOCH.elapsed().map_or(0, |time| time.as_secs());
            }
        }
        match running.step {
            ITEMS => self.bring(&running.scan, at),
            _ => vec![running.told(self.scanning.is_nameless)],
        }
    }

    /// What has changed in a scanned folder: new files get items, those of files that are gone go to the trash.
    fn bring(&mut self, scan: &Scan, at: Instant) -> Vec<Told> {
        let Some(section) = self.sections.iter_mut().find(|section| section.key == scan.section)
        else {
            return Vec::new();
        };
        let mut told = Vec::new();
        self.scanning.changes.retain(|change| {
            let (Change::New(file) | Change::Gone(file)) = change;
            let is_scanned = section.holds(file)
                && scan.path.as_deref().is_none_or(|folder| is_below(file, folder));
            if !is_scanned {
                return true;
            }
            match change {
                Change::New(_) => {
                    let key = section.add(file);
                    self.scanning.appeared.push((file.clone(), at));
                    told.extend(STATES.map(|state| timeline(&section.key, &key, state)));
                }
                Change::Gone(_) => section.trash(file),
            }
            false
        });
        told
    }

    /// The activities of now.
    pub(super) fn activities(&self) -> Value {
        let is_running = |running: &&Running| running.step > 0;
        let running = self.scanning.queue.iter().filter(is_running);
        // What stands there is the step that comes next.
        let shown = running.map(|next| Running { step: next.step - 1, ..next.clone() });
        let shown: Vec<_> = shown.map(|it| it.activity(self.scanning.is_nameless)).collect();
        json!({"size": shown.len(), "Activity": shown})
    }

    fn find_mut(&mut self, key: &str) -> Option<&mut Section> {
        self.sections.iter_mut().find(|section| section.key == key)
    }
}

fn timeline(section: &str, item: &str, state: u8) -> Told {
    let entry = json!({"identifier": "com.plexapp.plugins.library", "sectionID": section, "itemID": item, "type": 1,
        "title": "", "state": state});
    ("timeline", json!({"TimelineEntry": entry}))
}

pub(super) fn is_below(file: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches(['/', '\\']);
    file.strip_prefix(folder).is_some_and(|rest| rest.starts_with(['/', '\\']))
}
