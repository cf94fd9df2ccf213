//! A disk, a Plex and an outbox with its calls, to which events happen.

use super::*;

pub(super) struct World {
    disk: Arc<FakeDisk>,
    pub(super) plex: FakePlex,
    outbox: Outbox,
    calls: Vec<Call>,
    /// When hooks begin, by the true time.
    due: Vec<(i64, String, String)>,
    _data: tempfile::TempDir,
}

impl World {
    pub(super) fn new(traits: Traits) -> Self {
        let disk = Arc::new(FakeDisk::new(traits, &["/m", "/m/a", "/m/b", "/m/b/c"]));
        for folder in FOLDERS {
            disk.write(&format!("{folder}/0"), None);
        }
        // A location that is gone or empty is a disk that is away.
        SECTIONS.iter().for_each(|(_, location)| disk.write(&format!("{location}/stays"), None));
        disk.wait(1_000 * SECOND);
        let mut plex = FakePlex::default();
        (0..2).for_each(|section| plex.look(&disk, section, "/m"));
        // In memory, if there is such a folder: a history writes a hundred times.
        let memory = Path::new("/dev/shm");
        let data = match memory.is_dir() {
            true => tempfile::tempdir_in(memory).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        let clock = disk.clone();
        let clock = Arc::new(move || Time(clock.our_time()).into());
        let outbox = Outbox::with(data.path(), disk.clone(), clock);
        Self { disk, plex, outbox, calls: Vec::new(), due: Vec::new(), _data: data }
    }

    pub(super) fn happen(&mut self, event: &Event) {
        // A look between two changes in one tick of a disk's clock sees no difference, and nothing is that quick.
        self.disk.wait(5 * MILLISECOND);
        match *event {
            Event::Change { how, folder, file, late } => self.change(how, folder, file, late),
            Event::Wait(milliseconds) => self.disk.wait(milliseconds * MILLISECOND),
            Event::Step(call) if !self.calls.is_empty() => {
                let call = self.calls.remove(call % self.calls.len());
                let next = self.step(call);
                self.calls.extend(next);
            }
            Event::Send(call) if !self.calls.is_empty() => {
                let mut call = Some(self.calls.remove(call % self.calls.len()));
                for _ in 0..9 {
                    call = call
                        .and_then(|call| if call.is_sent() { Some(call) } else { self.step(call) });
                }
                self.calls.extend(call);
            }
            Event::Run => {
                let _all_end = self.finish_calls();
            }
            Event::Kill(call) if !self.calls.is_empty() => {
                let call = call % self.calls.len();
                // Nobody can remember what a hook was about that was killed before it noted it.
                if !matches!(self.calls[call], Call::Hook { .. }) {
                    self.calls.remove(call);
                }
            }
            Event::Step(_) | Event::Send(_) | Event::Kill(_) => {}
            Event::Away(is_away) => self.plex.is_away = is_away,
            Event::Refuse(section, refuses) => self.plex.refuses[section] = refuses,
            Event::Clock(milliseconds) => self.disk.step_clock(milliseconds * MILLISECOND),
            // Between a look and a request nobody can tell that a disk goes.
            Event::Mount(is_mounted) if is_mounted || !self.calls.iter().any(Call::is_asking) => {
                self.disk.mount(is_mounted);
            }
            Event::Mount(_) => {}
            Event::Task => self.calls.push(Call::Task),
        }
        let now = self.disk.true_time();
        let (begun, due) = self.due.drain(..).partition(|(time, ..)| *time <= now);
        self.due = due;
        let begun: Vec<_> = begun;
        self.calls.extend(begun.into_iter().map(|(_, folder, file)| Call::Hook { folder, file }));
    }

    fn change(&mut self, how: How, folder: usize, file: usize, late: i64) {
        let disk = self.disk.clone();
        if !disk.is_mounted() {
            return;
        }
        let name = FOLDERS[folder];
        let path = format!("{name}/{file}");
        let is_there = disk.exists(&path);
        let mut changed = vec![path.clone()];
        match how {
            How::Create | How::CopyOld => {
                if is_there {
                    disk.remove(&path);
                }
                disk.make_folder(parent(name));
                disk.make_folder(name);
                let old = disk.modified(&format!("{name}/0")).unwrap_or(SECOND);
                disk.write(&path, matches!(how, How::CopyOld).then_some(old));
            }
            How::InPlace if is_there => disk.write(&path, None),
            How::Rename if is_there => {
                let to = format!("{name}/renamed{file}");
                disk.rename(&path, &to);
                changed.push(to);
            }
            How::Delete if is_there => disk.remove(&path),
            How::Move if is_there => {
                let to = FOLDERS[(folder + 1) % FOLDERS.len()];
                if !disk.exists(to) {
                    return;
                }
                let to = format!("{to}/{file}");
                disk.rename(&path, &to);
                changed.push(to);
            }
            How::RemoveFolder if disk.exists(name) && name != SECTIONS[1].1 => {
                let below = disk.folders().into_iter().filter(|below| is_within(below, name));
                changed = below.flat_map(|below| disk.content(&below).into_keys()).collect();
                disk.remove(name);
            }
            How::Replace if disk.exists(name) => {
                changed = disk.content(name).into_keys().collect();
                let names: Vec<_> = (0..=file).map(|file| file.to_string()).collect();
                disk.swap(name, &names);
                changed.extend(names.iter().map(|file| format!("{name}/{file}")));
            }
            _ => return,
        }
        let time = self.disk.true_time() + late * MILLISECOND;
        for file in changed {
            self.due.push((time, parent(&file).to_owned(), file));
        }
    }

    fn step(&mut self, call: Call) -> Option<Call> {
        match call {
            Call::Hook { folder, file } => {
                let arrived = self.outbox.arrive(&Arrival {
                    server: Some(SERVER.to_owned()),
                    folders: vec![Changed { folder, files: vec![file] }],
                    hook: true,
                    ..Arrival::default()
                });
                let queue = arrived.folders.into_iter().filter_map(|verdict| match verdict {
                    Verdict::Ask(ticket) => Some(ticket),
                    Verdict::Skipped | Verdict::Waiting => None,
                });
                let (queue, more, sweep) = (queue.collect(), arrived.more, arrived.sweep);
                Some(Call::Sends { hook: true, more, sweep, queue, asking: None })
            }
            Call::Task => {
                let (queue, sweep) = (VecDeque::new(), Sweep::default());
                Some(Call::Sends { hook: false, more: true, sweep, queue, asking: None })
            }
            Call::Sends { hook, more, sweep, queue, asking: Some(asking) } => {
                self.ask(hook, more, sweep, queue, asking)
            }
            Call::Sends { hook, more, sweep, queue, asking: None } => {
                self.begin(hook, more, sweep, queue)
            }
        }
    }

    /// The next ticket, or what else waits.
    fn begin(
        &mut self,
        hook: bool,
        more: bool,
        mut sweep: Sweep,
        mut queue: VecDeque<Ticket>,
    ) -> Option<Call> {
        let locations: Vec<_> = SECTIONS.map(|(_, location)| location.to_owned()).into();
        let Some(mut ticket) = queue.pop_front() else {
            if !more {
                return None;
            }
            let most = if hook { 50 } else { usize::MAX };
            let pick = Pick { server: SERVER.to_owned(), most, hook, locations };
            let queue: VecDeque<_> = self.outbox.pick(&pick, &mut sweep).into();
            let more = !hook && !queue.is_empty();
            return Some(Call::Sends { hook, more, sweep, queue, asking: None });
        };
        let mut asking = None;
        let is_meant = |(key, _): &&(&str, &str)| {
            ticket.section.as_ref().is_none_or(|only| only == key)
                && !ticket.later.iter().any(|later| later == key)
        };
        let meant: Vec<_> = SECTIONS.iter().filter(is_meant).copied().collect();
        match self.outbox.stand_in(SERVER, &mut ticket, &locations) {
            StandIn::Wait(reason, _) => {
                let outcome = Outcome::NotAsked(Some(reason));
                self.outbox.finish(SERVER, hook, &[(ticket, outcome)]);
            }
            StandIn::Ask => {
                let is_asked = |section: &usize| {
                    let section = &SECTIONS[*section];
                    meant.contains(section) && is_within(ticket.target(), section.1)
                };
                let sections = (0..2).filter(is_asked).collect();
                let (taken, refused) = (Vec::new(), Vec::new());
                asking = Some(Asking { ticket, is_marked: false, sections, taken, refused });
            }
        }
        Some(Call::Sends { hook, more, sweep, queue, asking })
    }

    /// One request, or the end of a ticket.
    fn ask(
        &mut self,
        hook: bool,
        more: bool,
        sweep: Sweep,
        mut queue: VecDeque<Ticket>,
        mut asking: Asking,
    ) -> Option<Call> {
        if !asking.is_marked {
            self.outbox.look(&mut asking.ticket);
            asking.is_marked = true;
            return Some(Call::Sends { hook, more, sweep, queue, asking: Some(asking) });
        }
        let outcome = match asking.sections.pop() {
            Some(section) => {
                let key = SECTIONS[section].0.to_owned();
                match self.plex.refresh(&self.disk, section, asking.ticket.target()) {
                    Some(200) => asking.taken.push(key),
                    Some(status) => asking.refused.push((key, status.to_string())),
                    None => {
                        let reason = "no connection".to_owned();
                        let away = Outcome::Away { reason, restarted: true };
                        let mut done = vec![(asking.ticket, away)];
                        done.extend(queue.into_iter().map(|it| (it, Outcome::NotAsked(None))));
                        self.outbox.finish(SERVER, hook, &done);
                        return None;
                    }
                }
                return Some(Call::Sends { hook, more, sweep, queue, asking: Some(asking) });
            }
            None => {
                let Asking { taken, refused, .. } = asking;
                Outcome::Answered { taken, refused }
            }
        };
        queue.extend(self.outbox.finish(SERVER, hook, &[(asking.ticket, outcome)]).again);
        Some(Call::Sends { hook, more, sweep, queue, asking: None })
    }

    /// All hooks that are to come have come, Plex is well, and one task runs.
    pub(super) fn end(&mut self) -> Result<(), String> {
        self.disk.wait(401 * SECOND);
        self.happen(&Event::Mount(true));
        self.finish_calls()?;
        self.plex.is_away = false;
        self.plex.refuses = [false; 2];
        self.disk.wait(3_700 * SECOND);
        let mut waits = Vec::new();
        // A location is asked for once a minute in the place of what is gone.
        for _ in 0..3 {
            self.calls.push(Call::Task);
            self.finish_calls()?;
            waits = self.outbox.pending().map_err(|problem| problem.reason)?;
            if waits.is_empty() {
                break;
            }
            self.disk.wait(61 * SECOND);
        }
        if !waits.is_empty() {
            return Err(format!("still waits: {waits:?}"));
        }
        if self.plex.was_emptied {
            return Err("Plex was told to look at a library whose disk is away".to_owned());
        }
        let seen = std::mem::take(&mut self.plex.seen);
        (0..2).for_each(|section| self.plex.look(&self.disk, section, "/m"));
        match seen == self.plex.seen {
            true => Ok(()),
            false => Err(format!("Plex knows {seen:?}, there is {:?}", self.plex.seen)),
        }
    }

    fn finish_calls(&mut self) -> Result<(), String> {
        for _ in 0..10_000 {
            let Some(call) = self.calls.pop() else { return Ok(()) };
            let next = self.step(call);
            self.calls.extend(next);
            self.disk.wait(MILLISECOND);
        }
        Err("a call does not end".to_owned())
    }
}
