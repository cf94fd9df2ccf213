#![doc = include_str!("../README.md")]

mod account;
mod builder;
mod call;
mod client;
mod error;
mod event;
mod reply;
mod slot;
mod timer;
mod worker;

pub use builder::Builder;
pub use call::{Call, CancelHandle, Pending};
pub use client::Client;
pub use error::{CallError, Ended, Unreadable};
pub use event::Event;
pub use plexsync_protocol as protocol;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// No invariant spans a panic: what a lock protects is whole at every moment.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
