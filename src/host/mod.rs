//! Everything between bytes and a call. Three kinds of threads, each with one job: the reader brings what the host
//! sends and what ends the conversation, the loop (the main thread) answers, and what may wait runs elsewhere: identity
//! calls on one thread, in order, and calls to the network on a runtime that is made for the first of them.

pub mod envelope;
pub mod framing;
pub mod reader;
pub mod session;
pub mod streams;
mod batch;
mod ordered;
mod output;
mod slow;
mod typed;

use std::time::Instant;

use crate::rpc::Outcome;

/// What happens outside of the loop.
#[derive(Debug)]
pub enum Event {
    /// The host has sent bytes.
    Bytes(Vec<u8>),
    /// The host will send no more.
    End,
    /// The process was asked to stop, at this moment: the loop may come to it late, after a reply that was read late.
    Stop(Instant),
    /// Nobody reads the replies any more.
    HostGone,
    /// The ordered call that ran is done.
    Ordered(Outcome),
    /// This slow call is done.
    Slow(CallKey, Outcome),
    /// This slow call has progress to report.
    Progress(CallKey),
}

/// Names a slow call.
pub type CallKey = u64;
