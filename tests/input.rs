//! What comes in: JSON, requests, facts, entities; and the digests of it.

mod digests;
mod entities;
mod json;
mod requests;
#[cfg(feature = "compiler")]
mod states;
mod world;
