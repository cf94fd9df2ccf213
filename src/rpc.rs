//! The table of methods, carried by jsonrpc-core.
//!
//! Only [`IoHandler::handle_call`](jsonrpc_core::MetaIoHandler::handle_call) of that crate is used: its text layer
//! fails three of the specification's examples, runs positional arrays as calls and loses legal ids. Params and
//! results travel beside the call, in its metadata: jsonrpc-core's own are `Value`s, which reorder members and round
//! numbers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use jsonrpc_core::types::{Call, MethodCall};
use jsonrpc_core::{Id, MetaIoHandler, Metadata, Params, Value, Version};
use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::message::Progress;
use plexsync_protocol::stash::{HookContext, ServerConnection};
use serde_json::value::RawValue;

use crate::json_text::JsonText;

/// What a method ends with.
pub type Outcome = Result<JsonText, ErrorObject>;

/// Work that may block its thread.
pub type OrderedWork = Box<dyn FnOnce() -> Outcome + Send>;

/// Work that waits for the network. It runs on a tokio runtime, and ends when it is dropped.
pub type SlowWork = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Sends a `$/progress` notification to the host.
pub type ProgressSender = Box<dyn Fn(Progress) + Send + Sync>;

/// What Stash sends besides the call that its arguments name.
#[derive(Clone, Default)]
pub struct StashCall {
    /// How to reach the parent Stash.
    pub connection: ServerConnection,
    /// The hook that runs, if it is one.
    pub hook: Option<HookContext>,
    /// The caller's `args.confirm`: a reset without params is meant.
    pub confirm: bool,
    /// The caller's `args.wait`: a sign-in that is begun is waited for.
    pub wait: bool,
}

/// What a method is called with.
#[derive(Default)]
pub struct Request {
    /// The params as they were sent; `None` for absent ones and null.
    pub params: Option<Box<RawValue>>,
    /// The parent Stash, if it is the host.
    pub stash: Option<Arc<StashCall>>,
    /// Sends progress, if the host takes notifications.
    pub progress: Option<ProgressSender>,
    /// No earlier ordered work is unfinished: the state that it changes may be read now.
    pub in_turn: bool,
}

/// What a method returns.
pub enum Handling {
    Done(Outcome),
    /// May block: runs one at a time, in the order received.
    Ordered(OrderedWork),
    /// Waits for the network: many run at a time.
    Slow(Slow),
}

/// A call that waits for the network.
pub struct Slow {
    /// Ordered work that comes first. Its outcome is not sent.
    pub first: Option<OrderedWork>,
    /// How long the work takes at most by its own clock; `None` if its parts have their own limits.
    pub timeout: Option<Duration>,
    pub work: SlowWork,
}

impl From<Outcome> for Handling {
    fn from(outcome: Outcome) -> Self {
        Self::Done(outcome)
    }
}

impl From<ErrorObject> for Handling {
    fn from(error: ErrorObject) -> Self {
        Self::Done(Err(error))
    }
}

#[derive(Default)]
pub struct Methods {
    io: MetaIoHandler<Exchange>,
}

impl Methods {
    /// Adds a method. It is called in the order received and must not block: what may block or wait is returned.
    pub fn add(
        &mut self,
        name: &str,
        method: impl Fn(Request) -> Handling + Send + Sync + 'static,
    ) {
        self.io.add_method_with_meta(name, move |_: Params, exchange: Exchange| {
            let handling = method(exchange.take().request);
            exchange.set(handling);
            std::future::ready(Ok::<_, jsonrpc_core::Error>(Value::Null))
        });
    }

    /// Calls a method. A panic in it, or in its work, becomes an internal error.
    pub fn handle(&self, method: &str, request: Request) -> Handling {
        let exchange = Exchange::new(request);
        let call = Call::MethodCall(MethodCall {
            jsonrpc: Some(Version::V2),
            method: method.to_owned(),
            params: Params::None,
            id: Id::Num(0),
        });
        let called = catch_unwind(AssertUnwindSafe(|| {
            // Ready at once: methods return futures, they don't wait for them.
            self.io.handle_call(call, exchange.clone()).now_or_never();
        }));
        match (called, exchange.take().handling) {
            (Ok(()), None) => not_found(method).into(),
            (Ok(()), Some(handling)) => catching_panics(handling, method),
            (Err(_), _) => panicked(method).into(),
        }
    }
}

fn catching_panics(handling: Handling, method: &str) -> Handling {
    match handling {
        Handling::Done(outcome) => Handling::Done(outcome),
        Handling::Ordered(work) => Handling::Ordered(guarded(work, method)),
        Handling::Slow(Slow { first, timeout, work }) => {
            let name = method.to_owned();
            let work = AssertUnwindSafe(work).catch_unwind();
            Handling::Slow(Slow {
                first: first.map(|first| guarded(first, method)),
                timeout,
                work: Box::pin(async move { work.await.unwrap_or_else(|_| Err(panicked(&name))) }),
            })
        }
    }
}

fn guarded(work: OrderedWork, method: &str) -> OrderedWork {
    let name = method.to_owned();
    Box::new(move || catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(panicked(&name))))
}

fn not_found(method: &str) -> ErrorObject {
    ErrorObject::new(Code::MethodNotFound, format!("method `{method}` not found"))
}

fn panicked(method: &str) -> ErrorObject {
    ErrorObject::new(Code::InternalError, format!("internal error in `{method}`: see the log"))
}

/// jsonrpc-core's metadata: the request going in, its handling coming out.
#[derive(Clone)]
struct Exchange(Arc<Mutex<Passing>>);

#[derive(Default)]
struct Passing {
    request: Request,
    handling: Option<Handling>,
}

impl Metadata for Exchange {}

impl Exchange {
    fn new(request: Request) -> Self {
        Self(Arc::new(Mutex::new(Passing { request, handling: None })))
    }

    fn take(&self) -> Passing {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, handling: Handling) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).handling = Some(handling);
    }
}
