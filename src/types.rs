//! From the syntax tree to the typed tree: packages and modules, names, types, constants, exhaustiveness.
//!
//! This layer never looks at bytecode. Everything that leaves it as a `TypedPolicy` compiles.

pub mod bodies;
pub mod check;
pub mod declare;
pub mod exhaustive;
pub mod expr;
pub mod fold;
pub mod functions;
pub mod graph;
pub mod instances;
pub mod interval;
pub mod narrow;
pub mod operator;
pub mod origins;
pub mod package;
pub mod policies;
pub mod references;
pub mod relate;
pub mod resolve;
pub mod stdlib;
pub mod test_blocks;
pub mod ty;
pub mod typed;
pub mod world;

pub use check::check;
