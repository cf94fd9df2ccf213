//! Wakes tasks whose call has run out of time. Threads that wait need no timer.

use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Instant;

use crate::locked;
use crate::slot::Slot;

/// A thread that runs while there is something to wake.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    deadlines: Vec<(Instant, Weak<Slot>)>,
    running: bool,
}

impl Timer {
    /// Wakes the task behind `slot` at `deadline`.
    pub(crate) fn watch(self: &Arc<Self>, deadline: Instant, slot: &Arc<Slot>) {
        let mut state = locked(&self.state);
        state.deadlines.push((deadline, Arc::downgrade(slot)));
        if !state.running {
            let timer = Arc::clone(self);
            let thread = std::thread::Builder::new().name("plexsync-timer".into());
            // Without a thread the worker's own timeout has to do.
            state.running = thread.spawn(move || timer.run()).is_ok();
        }
        self.changed.notify_one();
    }

    fn run(&self) {
        let mut state = locked(&self.state);
        loop {
            let now = Instant::now();
            let due: Vec<_> = state.deadlines.extract_if(.., |(end, _)| *end <= now).collect();
            if !due.is_empty() {
                // A waker may poll at once, and come back here.
                drop(state);
                due.iter().filter_map(|(_, slot)| slot.upgrade()).for_each(|slot| slot.wake());
                state = locked(&self.state);
                continue;
            }
            state.deadlines.retain(|(_, slot)| slot.strong_count() > 0);
            let Some(next) = state.deadlines.iter().map(|(end, _)| *end).min() else {
                state.running = false;
                return;
            };
            let woken = self.changed.wait_timeout(state, next.saturating_duration_since(now));
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
