//! Packages: which files belong together, and which module each of them is.
//!
//! Nothing here reads a disk.

use std::sync::Arc;

use crate::base::span::SourceMap;
use crate::syntax::ast;

/// Everything that is looked at together, parsed.
#[derive(Clone, Debug)]
pub struct Package {
    /// The package's name; of a single file, the module's.
    pub name: Arc<str>,
    /// Its version, `0.0.0` for a single file.
    pub version: Arc<str>,
    /// All sources.
    pub sources: SourceMap,
    /// All modules; the place is the `ModuleId`. The package's own sorted by file name, then dependencies', then the
    /// standard library's.
    pub modules: Vec<LoadedModule>,
    /// The names of all modules that could be named, looked at or not: for suggestions. Sorted.
    pub known: Vec<Arc<str>>,
}

/// A module: one file.
#[derive(Clone, Debug)]
pub struct LoadedModule {
    /// The dotted name.
    pub name: Arc<str>,
    /// The package's own.
    pub own: bool,
    /// The tree.
    pub file: ast::File,
}
