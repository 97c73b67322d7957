//! Source text to a tree, and back: tokens, grammar, AST, formatter.
//!
//! This layer never looks at types or files. `parse` never fails: it gives a tree, with error nodes where something
//! could not be read, and all faults found.
//!
//! ```
//! use pdl::base::span::SourceMap;
//! use pdl::diagnostic::Diagnostics;
//! use pdl::syntax::parse;
//!
//! let mut sources = SourceMap::default();
//! let file = sources.add("kinds.pdl", "enum Kind { webapp, page }\nenum { x }\n");
//! let mut diagnostics = Diagnostics::default();
//! let tree = parse::parse(file, &sources.file(file).text, &mut diagnostics);
//! assert_eq!(tree.items.len(), 2);
//! assert_eq!(diagnostics.counts().errors, 1);
//! ```

pub mod ast;
mod build;
pub mod format;
mod lexer;
pub mod parse;
pub mod token;
