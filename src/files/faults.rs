//! A disk that answers calls wrongly, for the thread of a test.

use std::cell::RefCell;
use std::io;

use super::system::Call;

/// What a call answers instead of the truth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// Which call.
    pub(crate) call: Call,
    /// The error that it reports.
    pub(crate) errno: i32,
    /// Whether the call is carried out nevertheless: the error is a lie then.
    pub(crate) done: bool,
    /// How often; then the call works.
    pub(crate) times: usize,
}

thread_local! {
    static FAULTS: RefCell<Vec<Fault>> = const { RefCell::new(Vec::new()) };
}

/// Runs `run` on such a disk.
pub(crate) fn with<T>(faults: &[Fault], run: impl FnOnce() -> T) -> T {
    FAULTS.replace(faults.to_vec());
    let outcome = run();
    FAULTS.take();
    outcome
}

pub(super) fn call<T>(call: Call, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let fault = FAULTS.with_borrow_mut(|faults| {
        let fault = faults.iter_mut().find(|fault| fault.call == call && fault.times > 0)?;
        fault.times -= 1;
        Some(*fault)
    });
    match fault {
        None => make(),
        Some(fault) => {
            let _made = fault.done.then(make);
            Err(io::Error::from_raw_os_error(fault.errno))
        }
    }
}
