//! Everything between bytes and a call: streams, framing, envelopes, and the loop that answers.

pub mod envelope;
pub mod framing;
mod output;
mod queue;
pub mod session;
pub mod stdio;
pub mod streams;
mod transport;
