//! From the syntax tree to the typed tree: packages and modules, names, types, constants, exhaustiveness.
//!
//! This layer never looks at bytecode. Everything that leaves it as a `TypedPolicy` compiles.

mod bodies;
pub mod check;
mod deadlines;
mod declare;
pub mod exhaustive;
mod expr;
mod fold;
mod functions;
mod graph;
mod instances;
mod interval;
mod narrow;
pub mod operator;
mod origins;
pub mod package;
mod parts;
mod policies;
mod references;
pub mod relate;
pub mod resolve;
pub mod stdlib;
mod test_blocks;
pub mod ty;
pub mod typed;
mod unguarded;
mod world;

pub use check::check;
pub use resolve::BUILTIN_TYPES;
