//! Source text to a tree, and back: tokens, grammar, AST, formatter.
//!
//! This layer never looks at types or files. `parse` never fails: it gives a tree, with error nodes where something
//! could not be read, and all faults found.

pub mod ast;
