//! The Execution Kernel.

#[path = "kernel/damage.rs"]
mod damage;
#[cfg(feature = "compiler")]
#[path = "kernel/engine.rs"]
mod engine;
#[path = "kernel/log.rs"]
mod log;
#[path = "kernel/plain.rs"]
mod plain;
#[path = "kernel/reading.rs"]
mod reading;
#[path = "kernel/room.rs"]
mod room;
#[path = "kernel/store.rs"]
mod store;
#[path = "kernel/writer.rs"]
mod writer;
