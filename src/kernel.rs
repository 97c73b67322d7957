//! The Execution Kernel: the one gate between an agent that asks and whatever acts, and the record of everything that
//! passed it.
//!
//! ```text
//! request ─▶ decide ─▶ ALLOW ────────────▶ permit ─▶ started ─▶ completed | failed | abandoned
//!               │ └──▶ REQUIRE_APPROVAL ─▶ gate ─▶ votes ─▶ decide again ─▶ permit
//!               └────▶ DENY                                         every arrow is an entry in the log
//! ```
//!
//! It loads compiled bundles and knows nothing of the compiler; it is called and knows nothing of transport. What it keeps
//! lies in a [`store`]: state as objects, history as the entries of a tamper-evident log, both changed in one
//! transaction or not at all. An error in it is a denial to whoever asked, and never anything else.

mod admit;
pub mod approvals;
pub mod ask;
pub mod auditing;
pub mod bundles;
pub mod engine;
pub mod entry;
pub mod environment;
pub mod error;
mod forms;
pub mod gate;
pub mod govern;
pub mod id;
pub mod invoke;
pub mod json;
pub mod log;
pub(crate) mod members;
pub mod modes;
pub mod outbox;
pub mod permit;
mod present;
pub mod reading;
pub mod record;
pub mod records;
pub mod registry;
pub mod replay;
pub mod retain;
pub mod running;
pub mod scope;
pub mod scopes;
pub mod store;
pub mod sweep;
mod touch;
pub mod writer;

pub use engine::{Kernel, Settings};
pub use error::KernelError;
