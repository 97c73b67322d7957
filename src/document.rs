//! Pages about policies, written from their sources: plain data in, Markdown out.
//!
//! A page says what a module declares, in the order of the source: what the tree knows, and what the `///` comments
//! say. The same sources give the same bytes, and how a source is laid out changes none of them. Nothing here checks
//! anything: whoever asks for pages has had the package checked. Nothing reads or writes files either.

pub mod library;
mod markdown;
mod names;
pub mod page;
pub mod region;

mod actions;
mod claims;
mod entities;
mod fields;
mod lifecycle;
mod rules;
mod tables;
mod types;
