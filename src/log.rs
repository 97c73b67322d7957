//! Tamper-evident logs: an append-only list of entries whose whole history a few bytes stand for.
//!
//! The tree and its proofs are those of RFC 6962 (and RFC 9162, which says the same in other words); how a log is laid
//! out in files is C2SP `tlog-tiles`, how its head is signed C2SP `signed-note` and `tlog-checkpoint`. So anybody can check
//! a log of ours with software that is not ours.
//!
//! This layer knows bytes and hashes. What an entry says, where tiles are kept and when a head is signed is for whoever
//! uses it.
//!
//! ```text
//! entry ─▶ leaf hash ─▶ Frontier (append) ─▶ nodes ─▶ tile files
//!                           │                  └────▶ proofs of inclusion and consistency
//!                           └─▶ root ─▶ Checkpoint ─▶ signed note
//! ```

pub mod checkpoint;
pub mod note;
pub mod offline;
pub mod proof;
pub mod tile;
pub mod tree;
