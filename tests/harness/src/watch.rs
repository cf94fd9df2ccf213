//! What the fakes see, as it happens.

use std::fmt;
use std::sync::mpsc::Sender;

use crate::fake_plex::{NewDevice, Scan};
use crate::http::{Request, Response};

/// Something that a fake has seen. As text it is one line: a word for its kind, then words, what may hold spaces last.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A request was answered.
    #[expect(missing_docs, reason = "the fields are a request's")]
    Request {
        /// `plex` or `plex.tv`.
        to: &'static str,
        method: String,
        target: String,
        /// 0 where the answer is none, or not HTTP.
        status: u16,
    },
    /// A device was seen for the first time.
    Device(NewDevice),
    /// A scan was asked for.
    Scan(Scan),
    /// A sign-in began: this code waits for somebody to enter it.
    Code(String),
    /// Somebody entered the code.
    Claimed {
        /// It can't be entered twice.
        code: String,
        /// Who did.
        account: String,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { to, method, target, status } => {
                write!(formatter, "request {to} {status} {method} {target}")
            }
            Self::Device(device) => {
                let identifier = device.identifier.as_deref().unwrap_or("-");
                write!(formatter, "device {identifier} {device}")
            }
            Self::Scan(Scan { section, path }) => {
                write!(formatter, "scan {section} {}", path.as_deref().unwrap_or("-"))
            }
            Self::Code(code) => write!(formatter, "code {code}"),
            Self::Claimed { code, account } => write!(formatter, "claimed {code} {account}"),
        }
    }
}

/// Who wants to be told; at first nobody.
#[derive(Debug, Default)]
pub(crate) struct Watcher(Option<Sender<Event>>);

impl Watcher {
    pub(crate) fn set(&mut self, watcher: Sender<Event>) {
        self.0 = Some(watcher);
    }

    pub(crate) fn request(&self, to: &'static str, request: &Request, answer: &Response) {
        let (method, target) = (request.method.clone(), request.target.clone());
        self.tell(Event::Request { to, method, target, status: answer.status() });
    }

    /// A watcher that is gone is told nothing.
    pub(crate) fn tell(&self, event: Event) {
        if let Some(watcher) = &self.0 {
            let _ = watcher.send(event);
        }
    }
}
