//! The decision machine: values, memory, requests, entities, the loop, the decision.
//!
//! It takes a verified program, a snapshot of the entities and a request, and says `ALLOW`, `DENY` or
//! `REQUIRE_APPROVAL`. It never sees sources, reads no clock and does no I/O, and in the steady state it allocates
//! nothing.
//!
//! [`machine::Machine`] is where others begin. The parts, in the order in which a decision passes them:
//!
//! | module | holds |
//! | --- | --- |
//! | [`value`], [`memory`], `compare`, `strings` | what values are, where they lie, how they are ordered and found |
//! | [`load`], [`image`], [`plan`] | what is made of a program and its entries when they are loaded |
//! | [`json`], [`input`], [`decode`] | from bytes to values; what is wrong with a document, and where |
//! | [`entities`], [`store`] | what the machine wants of a store, and the store: load, patch, ancestors |
//! | [`run`], `ops`, `make` | the loop, what each instruction does, and how it makes values |
//! | [`decide`] | which rules are looked at, and what follows |
//! | `report`, [`decision`], `show`, `json_out` | the decision with its reasons, made on demand |
//! | [`records`] | governed records by themselves: lifecycle, attributes, invariants |
//! | [`canonical`], [`asked`], [`digest`] | the texts that a log keeps, and those that digests are of |
//!
//! What the verifier accepts stays within its bounds; every access is checked all the same, and what should not happen is
//! an error that denies.

pub mod asked;
pub mod canonical;
mod compare;
pub mod decide;
pub mod decision;
pub mod decode;
pub mod digest;
pub mod entities;
pub mod image;
pub mod input;
pub mod json;
mod json_out;
pub mod load;
pub mod machine;
mod make;
pub mod memory;
mod ops;
pub mod plan;
pub mod records;
mod report;
pub mod run;
mod show;
pub mod store;
mod strings;
pub mod value;
