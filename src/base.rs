//! What every layer may use: spans, the source map, interned names, typed ids, limits, and how texts are put together.
//!
//! This layer knows nothing of the language.

pub mod hash;
pub mod limits;
pub(crate) mod short;
pub mod span;
pub mod text;
