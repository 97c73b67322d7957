//! From the sources of a package to its bundle, in one call and in memory: for programs that make policies, and for tests.
//!
//! This layer only joins the others. It reads no files and knows no `pdl.toml`: who has a package on a disk has `pdl build`.
//!
//! ```
//! use pdl::build::{Sources, build};
//! use pdl::{LoadOptions, Machine};
//!
//! let text = "module gate\n\
//!     presented entity Agent { level: Int in 0..=9 }\n\
//!     presented entity Door {}\n\
//!     action open { subject: Agent resource: Door }\n\
//!     policy doors on open { allow trusted when subject.level >= 3 }\n";
//! let built = build(&Sources { package: "gate", version: "1.0.0", files: &[("gate.pdl", text)] })?;
//! let machine = Machine::load(&built.bundle, &LoadOptions::UNSIGNED)?;
//! assert_eq!(machine.origin().map(|origin| &*origin.manifest.package), Some("gate"));
//!
//! let faulty = Sources { package: "gate", version: "1.0.0", files: &[("gate.pdl", "module gate\nenum {}\n")] };
//! let error = build(&faulty).expect_err("an enum has a name");
//! assert!(error.to_string().contains("gate.pdl:2"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use crate::base::limits::FILES_MAX;
use crate::base::span::{SourceMap, Span};
use crate::bytecode::bundle::{self, BundleError, Contents, Source, SourceSpan};
use crate::compile::{Compiled, compile};
use crate::diagnostic::{Diagnostic, Diagnostics, compact};
use crate::syntax::parse;
use crate::types::check::check;
use crate::types::package::{self, LoadedModule};
use crate::types::typed::TypedPolicy;

/// The edition of the language that this version compiles.
pub const EDITION: &str = "2026";

/// The sources of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sources<'a> {
    /// The name of the package: what the bundle says it is.
    pub package: &'a str,
    /// Its version: `1.0.0`.
    pub version: &'a str,
    /// The files, in any order: for each its path within the package, with `/`, and its text. A file is one module; without
    /// a header it is named by its file. At most [`FILES_MAX`] files of
    /// [`SOURCE_BYTES_MAX`](crate::base::limits::SOURCE_BYTES_MAX) bytes each. The standard library is there without
    /// being named.
    pub files: &'a [(&'a str, &'a str)],
}

/// A package that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The bundle, unsigned, with its source map and its sources: the same bytes for the same sources.
    pub bundle: Vec<u8>,
    /// Warnings and notes, in the order of the sources.
    pub diagnostics: Vec<Diagnostic>,
    /// The sources, which the diagnostics point into.
    pub sources: SourceMap,
}

/// Why there is no bundle.
///
/// Its text is that of [`compact::render`]; the other forms of [`diagnostic`](crate::diagnostic) show the same list.
#[derive(Clone, Debug)]
pub struct BuildError {
    /// Everything that is wrong with the sources, and all warnings; empty if nothing is.
    pub diagnostics: Vec<Diagnostic>,
    /// The sources, which the diagnostics point into.
    pub sources: SourceMap,
    /// Whether a limit of packages was passed although nothing is wrong with a single line: files, or bytes of the bundle.
    pub is_too_large: bool,
}

/// Parses, checks and compiles a package, and writes its bundle. All faults are reported, not only the first.
///
/// # Errors
/// There is at least one error among the diagnostics, or the package is larger than one may be.
pub fn build(sources: &Sources<'_>) -> Result<Built, BuildError> {
    let refused = |diagnostics, sources, is_too_large| BuildError { diagnostics, sources, is_too_large };
    if sources.files.len() > FILES_MAX {
        return Err(refused(Vec::new(), SourceMap::default(), true));
    }
    let mut files = sources.files.to_vec();
    files.sort_unstable();
    let (mut map, mut sink) = (SourceMap::default(), Diagnostics::default());
    let mut modules = Vec::with_capacity(files.len());
    for (name, text) in files {
        let file = parse::parse_bytes(&mut map, name, text.as_bytes(), &mut sink);
        modules.push(LoadedModule { name: package::module_name(&file, name).into(), own: true, file });
    }
    let package = package::assemble(sources.package, sources.version, map, modules, &mut sink);
    let policy = check(&package, &mut sink);
    let compiled = policy.as_ref().and_then(|policy| compile(policy, &mut sink));
    let diagnostics = sink.finish();
    let (Some(policy), Some(compiled)) = (policy, compiled) else {
        return Err(refused(diagnostics, package.sources, false));
    };
    match bundle(&policy, &compiled) {
        Ok(bundle) => Ok(Built { bundle, diagnostics, sources: package.sources }),
        Err(_) => Err(refused(diagnostics, package.sources, true)),
    }
}

/// The bundle of a package that was compiled, with its source map and its sources: the same bytes for the same sources,
/// wherever they lie.
///
/// # Errors
/// It would be larger than a bundle may be.
pub fn bundle(policy: &TypedPolicy, compiled: &Compiled) -> Result<Vec<u8>, BundleError> {
    let map = source_map(policy, compiled);
    let sources = policy.sources.iter();
    let sources: Vec<Source> =
        sources.map(|(_, file)| Source { name: file.name.as_str().into(), text: file.text.as_str().into() }).collect();
    bundle::write(&Contents {
        package: &policy.name,
        version: &policy.version,
        edition: EDITION,
        compiler: concat!("pdl ", env!("CARGO_PKG_VERSION")),
        program: &compiled.program,
        source_map: Some(&map),
        sources: Some(&sources),
    })
}

fn source_map(policy: &TypedPolicy, compiled: &Compiled) -> bundle::SourceMap {
    let span = |span: &Span| {
        let file = policy.sources.file(span.file);
        let ((line, column), (line_end, column_end)) = (file.line_column(span.start), file.line_column(span.end));
        SourceSpan { file: span.file.0, line, column, line_end, column_end }
    };
    bundle::SourceMap {
        files: policy.sources.iter().map(|(_, file)| file.name.as_str().into()).collect(),
        sites: compiled.sites.iter().map(span).collect(),
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_too_large {
            return f.write_str("the package is larger than a package may be");
        }
        f.write_str(compact::render(&self.sources, &self.diagnostics).trim_end())
    }
}

impl std::error::Error for BuildError {}
