//! What is wrong with a source, as plain data, and every form in which it is shown.
//!
//! A phase makes a [`Diagnostic`] with a [`Code`] and pushes it to the sink [`Diagnostics`]; the command line takes
//! the finished list and hands it to one of the forms. This layer never knows who found a fault, never reads a file
//! and never prints: every form is a function from a list and a [`SourceMap`](crate::base::span::SourceMap) to text.
//!
//! ```
//! use pdl::base::span::{SourceMap, Span};
//! use pdl::diagnostic::{Code, Diagnostic, Diagnostics, compact};
//!
//! let mut sources = SourceMap::default();
//! let file = sources.add("release.pdl", "module acme\nlet x = 'no'\n");
//! let mut found = Diagnostics::default();
//! found.push(
//!     Diagnostic::error(Code::StrayCharacter, Span::new(file, 20, 21), "`'` means nothing here")
//!         .help("write strings in double quotes"),
//! );
//! assert_eq!(
//!     compact::render(&sources, &found.finish()),
//!     "E0104 release.pdl:2:9-2:10 `'` means nothing here\n  help: write strings in double quotes\n",
//! );
//! ```

mod code;
mod model;

pub mod compact;
pub mod explain;
pub mod github;
pub mod gitlab;
pub mod json;
pub mod render;
pub mod sarif;

pub use code::Code;
pub use model::{Counts, Diagnostic, Diagnostics, Fix, Label, Severity};
