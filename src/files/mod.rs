//! Files that must not be lost: read without a chance to hang, created once, replaced whole, under a lock. What is in
//! them is the caller's business.
//!
//! File systems differ in what they can do, and some report a failure of what they have done. So no answer of a system
//! call is the last word: what counts is what is on disk afterwards, and where a file system does not know a call the
//! next best one is tried.

mod cleanup;
mod folder;
mod lock;
mod problem;
mod read;
mod system;
mod write;
#[cfg(all(test, unix))]
pub(crate) mod faults;

pub use cleanup::{keep_broken, kept_broken, names, remove, remove_temporary, temporary_files};
pub use folder::{Exposed, Exposure, exposed, make_folder, parent};
pub use lock::{Lock, NoLock, Stopped, pause, unless_stopped};
pub use problem::Problem;
pub use read::{Obstacle, follow, open, read, read_settled, read_understood};
pub use system::{changed, each_name, lies_in_memory, may_list, may_write, mode, node};
pub use write::{Access, Created, Replaced, create, replace, replace_soon};

#[cfg(all(test, unix))]
pub(crate) use system::Call;

#[cfg(test)]
mod tests;
