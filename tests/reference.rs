//! The reference evaluator: what the language means, said a second time and as simply as it can be.
//!
//! It walks the typed tree, knows no bytecode and shares nothing with the compiler and the machine but the operations on
//! scalars (`pdl::data`), which outside vectors test. It is slow, evaluates everything, and is meant to be read next to
//! the language reference.

pub mod decide;
pub mod evaluate;
pub mod json;
pub mod operators;
pub mod text;
pub mod value;
pub mod world;
