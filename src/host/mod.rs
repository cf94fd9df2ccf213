//! Everything between bytes and a call. Three kinds of threads, each with one job: the reader reads stdin and
//! watches for what ends the conversation, the loop (the main thread) answers, and what may wait runs elsewhere:
//! identity calls on one thread, in order, and calls to the network on a runtime that is made for the first of them.

pub mod envelope;
pub mod events;
pub mod framing;
pub mod reader;
pub mod session;
pub mod streams;
mod batch;
mod ordered;
mod output;
mod slow;
pub mod typed;

use std::time::Instant;

use crate::rpc::Outcome;

/// What the other threads report to the loop.
#[derive(Debug)]
pub enum Event {
    /// The host has sent bytes.
    Bytes(Vec<u8>),
    /// The host will send no more.
    End,
    /// A signal came, at this moment: the loop may receive the event late, after a reply that was read late.
    Stop(Instant),
    /// The host has closed the replies' pipe.
    #[cfg_attr(windows, expect(dead_code, reason = "only the reader on Unix sees it"))]
    HostGone,
    /// The ordered call that was running is done.
    Ordered(Outcome),
    /// A slow call is done.
    Slow(CallKey, Outcome),
    /// A slow call has progress to report.
    Progress(CallKey),
}

/// Names a slow call.
pub type CallKey = u64;
