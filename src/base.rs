//! What every layer may use: spans, the source map, interned names, typed ids, limits, short pieces.
//!
//! This layer knows nothing of the language.

pub mod hash;
pub mod limits;
pub(crate) mod pieces;
pub mod span;
pub mod text;
