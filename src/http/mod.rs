//! One exchange over the network: clients, connections, names, TLS, sending, redirects, retries, and what failed.

pub(crate) mod classify;
pub(crate) mod client;
pub(crate) mod connect;
pub(crate) mod error;
pub(crate) mod probe;
pub(crate) mod redirect;
pub(crate) mod resolver;
pub(crate) mod retry;
pub(crate) mod send;
pub(crate) mod tls;
