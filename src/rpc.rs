//! The table of methods, carried by jsonrpc-core.
//!
//! Only [`IoHandler::handle_call`](jsonrpc_core::MetaIoHandler::handle_call) of that crate is used: its text layer
//! fails three of the specification's examples, runs positional arrays as calls and loses legal ids. Params and
//! results ride beside the call as JSON text, in its metadata: jsonrpc-core's own are `Value`s, which reorder
//! members and round numbers.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use futures_util::FutureExt;
use jsonrpc_core::types::{Call, Failure, MethodCall, Output, Success};
use jsonrpc_core::{ErrorCode, Id, MetaIoHandler, Metadata, Params, Value, Version};
use plexsync_protocol::error::{Code, ErrorObject};
use plexsync_protocol::message::{JsonText, Progress};
use plexsync_protocol::stash::StashCall;
use serde_json::value::RawValue;

/// What a method ends with.
pub type Outcome = Result<JsonText, ErrorObject>;

/// Work that takes its time.
pub type SlowWork = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Sends a `$/progress` notification to the host.
pub type ProgressSender = Box<dyn Fn(Progress) + Send + Sync>;

/// What a method is called with.
#[derive(Default)]
pub struct Request {
    /// The params as they came; none for absent ones and null.
    pub params: Option<Box<RawValue>>,
    /// The parent Stash, where it is the one who calls.
    pub stash: Option<Arc<StashCall>>,
    /// Where the host takes notifications: the way to send progress.
    pub progress: Option<ProgressSender>,
}

/// How a call goes on.
pub enum Handling {
    /// It took effect and is done.
    Done(Outcome),
    /// It is slow. Nothing of it has run yet, but what it needs to know was taken down.
    Slow(SlowWork),
}

/// Methods by name.
#[derive(Default)]
pub struct Methods {
    io: MetaIoHandler<Slot>,
}

impl Methods {
    /// Adds a method that is done at once. It runs in the order in which calls are received.
    pub fn quick(
        &mut self,
        name: &str,
        method: impl Fn(Request) -> Outcome + Send + Sync + 'static,
    ) {
        self.io.add_method_with_meta(name, move |_: Params, slot: Slot| {
            let outcome = method(slot.take_request());
            std::future::ready(slot.finish(outcome))
        });
    }

    /// Adds a method whose future runs beside others. The function itself is called in the order received: there
    /// it takes its snapshot of the state, and there it may be done already.
    pub fn slow<F>(
        &mut self,
        name: &str,
        method: impl Fn(Request) -> Result<F, Outcome> + Send + Sync + 'static,
    ) where
        F: Future<Output = Outcome> + Send + 'static,
    {
        self.io.add_method_with_meta(name, move |_: Params, slot: Slot| {
            let work = method(slot.take_request());
            async move {
                let outcome = match work {
                    Err(outcome) => outcome,
                    Ok(work) => {
                        not_at_once().await;
                        work.await
                    }
                };
                slot.finish(outcome)
            }
        });
    }

    /// Calls a method. A panic in it becomes an internal error.
    pub fn handle(&self, method: &str, request: Request) -> Handling {
        let slot = Slot::new(request);
        let call = Call::MethodCall(MethodCall {
            jsonrpc: Some(Version::V2),
            method: method.to_owned(),
            params: Params::None,
            id: Id::Num(0),
        });
        let started = catch_unwind(AssertUnwindSafe(|| {
            let mut work = self.io.handle_call(call, slot.clone());
            match work.poll_unpin(&mut Context::from_waker(Waker::noop())) {
                Poll::Ready(output) => Ok(output),
                Poll::Pending => Err(work),
            }
        }));
        match started {
            Ok(Ok(output)) => Handling::Done(slot.outcome(output, method)),
            Err(_) => Handling::Done(Err(panicked(method))),
            Ok(Err(work)) => {
                let method = method.to_owned();
                Handling::Slow(Box::pin(async move {
                    match AssertUnwindSafe(work).catch_unwind().await {
                        Ok(output) => slot.outcome(output, &method),
                        Err(_) => Err(panicked(&method)),
                    }
                }))
            }
        }
    }
}

fn panicked(method: &str) -> ErrorObject {
    ErrorObject::new(
        Code::InternalError,
        format!("internal error in `{method}`: the log tells where"),
    )
}

/// Slow work may need a runtime, which is there only when it is polled for the second time.
async fn not_at_once() {
    let mut first = true;
    std::future::poll_fn(
        |_| if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) },
    )
    .await;
}

/// What rides beside a call through jsonrpc-core.
#[derive(Clone)]
struct Slot(Arc<Mutex<Riders>>);

struct Riders {
    request: Request,
    result: Option<JsonText>,
}

impl Metadata for Slot {}

impl Slot {
    fn new(request: Request) -> Self {
        Self(Arc::new(Mutex::new(Riders { request, result: None })))
    }

    fn riders(&self) -> std::sync::MutexGuard<'_, Riders> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_request(&self) -> Request {
        std::mem::take(&mut self.riders().request)
    }

    fn finish(&self, outcome: Outcome) -> Result<Value, jsonrpc_core::Error> {
        match outcome {
            Ok(result) => {
                self.riders().result = Some(result);
                Ok(Value::Null)
            }
            Err(ErrorObject { code, message, data }) => {
                Err(jsonrpc_core::Error { code: ErrorCode::from(code), message, data })
            }
        }
    }

    fn outcome(&self, output: Option<Output>, method: &str) -> Outcome {
        match output {
            Some(Output::Success(Success { result, .. })) => {
                Ok(self.riders().result.take().unwrap_or_else(|| JsonText::of(&result)))
            }
            Some(Output::Failure(Failure { error, .. }))
                if error.code == ErrorCode::MethodNotFound =>
            {
                Err(ErrorObject::new(Code::MethodNotFound, format!("method `{method}` not found")))
            }
            Some(Output::Failure(Failure { error, .. })) => Err(ErrorObject {
                code: error.code.code(),
                message: error.message,
                data: error.data,
            }),
            None => Err(panicked(method)),
        }
    }
}
