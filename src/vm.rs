//! The decision machine: values, memory, requests, entities, the loop, the decision.
//!
//! It takes a verified program, a snapshot of the entities and a request, and says `ALLOW`, `DENY` or
//! `REQUIRE_APPROVAL`. It never sees sources, reads no clock and does no I/O, and in the steady state it allocates
//! nothing.

pub mod canonical;
pub mod compare;
pub mod decide;
pub mod decision;
pub mod decode;
pub mod digest;
pub mod entities;
pub mod image;
pub mod input;
pub mod json;
pub mod json_out;
pub mod machine;
pub mod make;
pub mod memory;
pub mod ops;
pub mod plan;
pub mod report;
pub mod run;
pub mod show;
pub mod store;
pub mod strings;
pub mod value;
