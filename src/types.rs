//! From the syntax tree to the typed tree: packages and modules, names, types, constants, exhaustiveness.
//!
//! This layer never looks at bytecode. Everything that leaves it as a `TypedPolicy` compiles.

pub mod operator;
pub mod ty;
pub mod typed;
