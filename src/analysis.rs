//! What a policy means over **all** requests: differences between two versions, proofs of claims, counterexamples.
//!
//! A decision is about one request. This layer reads the typed tree as a formula about every request at once, and asks
//! a solver for a request that makes it true. Two promises hold it together:
//!
//! - *No request* is a proof. So everything is encoded exactly or too wide (as if more requests existed), never too narrow.
//! - *A request* is only shown after it has been decided by the real machine. What the machine answers otherwise is
//!   reported as undecided, with the reason; it is never a guess.
//!
//! Every search has a budget that counts steps, not time, so that the same sources always give the same result.
//!
//! Data flows one way: typed tree → symbolic values (`encode`) → formulas (`formula`) → solver (`solver`, which knows SAT
//! and asks `text` and `linear` about the atoms) → model → request (`request`).

pub mod budget;
pub mod context;
pub mod decision;
pub mod demand;
pub mod diff;
pub mod display;
pub mod encode;
pub mod explain;
pub mod formula;
pub mod key;
pub mod linear;
pub mod numbers;
pub mod pin;
pub mod question;
pub mod region;
pub mod request;
pub mod sat;
pub mod smt;
pub mod solver;
pub mod text;
pub mod value;
pub mod verify;
pub mod world;
