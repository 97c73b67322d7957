//! The Execution Kernel.

#[cfg(feature = "compiler")]
#[path = "kernel/approvals.rs"]
mod approvals;
#[cfg(feature = "compiler")]
#[path = "kernel/audit.rs"]
mod audit;
#[cfg(feature = "compiler")]
#[path = "kernel/crowd.rs"]
mod crowd;
#[path = "kernel/damage.rs"]
mod damage;
#[cfg(feature = "compiler")]
#[path = "kernel/damaged.rs"]
mod damaged;
#[cfg(feature = "compiler")]
#[path = "kernel/engine.rs"]
mod engine;
#[cfg(feature = "compiler")]
#[path = "kernel/faults.rs"]
mod faults;
#[cfg(feature = "compiler")]
#[path = "kernel/governing.rs"]
mod governing;
#[cfg(feature = "compiler")]
#[path = "kernel/house.rs"]
mod house;
#[path = "kernel/log.rs"]
mod log;
#[cfg(feature = "compiler")]
#[path = "kernel/model.rs"]
mod model;
#[path = "kernel/pages.rs"]
mod pages;
#[path = "kernel/plain.rs"]
mod plain;
#[path = "kernel/reading.rs"]
mod reading;
#[cfg(feature = "compiler")]
#[path = "kernel/records.rs"]
mod records;
#[cfg(feature = "compiler")]
#[path = "kernel/replay.rs"]
mod replay;
#[path = "kernel/room.rs"]
pub mod room;
#[cfg(feature = "compiler")]
#[path = "kernel/scopes.rs"]
mod scopes;
#[path = "kernel/store.rs"]
mod store;
#[cfg(feature = "compiler")]
#[path = "kernel/threads.rs"]
mod threads;
#[path = "kernel/writer.rs"]
mod writer;
