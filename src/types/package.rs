//! Packages: the parsed files that are looked at together, and which module each of them is.
//!
//! A file is one module. Of dependencies and of the standard library only those modules are looked at that a `use` or
//! an `include` reaches. Nothing here reads a disk: whoever loads a package hands in what was parsed.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::span::{SourceMap, Span};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, ItemKind};
use crate::syntax::parse;
use crate::types::stdlib;
use crate::types::world::dotted;

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

/// Makes a package of parsed files (own ones and those of dependencies, in their order): refuses modules that are
/// declared twice, leaves out what nothing reaches, and adds what is used of the standard library.
///
/// The standard library's sources are added behind the others, so the ids of files stay as they are.
#[must_use]
pub fn assemble(
    name: &str,
    version: &str,
    mut sources: SourceMap,
    found: Vec<LoadedModule>,
    sink: &mut Diagnostics,
) -> Package {
    let found = distinct(found, sink);
    let mut known: Vec<Arc<str>> = found.iter().map(|module| module.name.clone()).collect();
    known.extend(stdlib::names().map(Arc::from));
    known.sort_unstable();
    known.dedup();
    let places: HashMap<Arc<str>, usize> =
        found.iter().enumerate().map(|(at, module)| (module.name.clone(), at)).collect();

    let mut reached: Vec<bool> = found.iter().map(|module| module.own).collect();
    let mut open: Vec<usize> = (0..found.len()).filter(|&at| found[at].own).collect();
    let mut standard: Vec<LoadedModule> = Vec::new();
    let mut standard_open = 0;
    loop {
        let names = if let Some(at) = open.pop() {
            named_modules(&found[at].file)
        } else if let Some(module) = standard.get(standard_open) {
            standard_open += 1;
            named_modules(&module.file)
        } else {
            break;
        };
        for name in names {
            if let Some(&at) = places.get(name.as_str()) {
                if !std::mem::replace(&mut reached[at], true) {
                    open.push(at);
                }
            } else if let Some(text) = stdlib::source(&name)
                && !standard.iter().any(|module| *module.name == name)
            {
                let file_name = format!("std/{}.pdl", name.trim_start_matches("std."));
                let file = parse::parse_bytes(&mut sources, file_name, text.as_bytes(), sink);
                standard.push(LoadedModule { name: name.into(), own: false, file });
            }
        }
    }
    let mut modules: Vec<LoadedModule> =
        found.into_iter().zip(reached).filter(|(_, reached)| *reached).map(|(module, _)| module).collect();
    modules.extend(standard);
    Package { name: name.into(), version: version.into(), sources, modules, known }
}

/// The name of a file's module: that of its header, or else that of the file, without folders and ending.
#[must_use]
pub fn module_name(file: &ast::File, path: &str) -> String {
    match &file.module {
        Some(header) => dotted(&header.path.parts),
        None => {
            let name = path.rsplit('/').next().unwrap_or(path);
            name.strip_suffix(".pdl").unwrap_or(name).to_owned()
        }
    }
}

/// The modules whose names nobody had before; of the others it is reported.
fn distinct(found: Vec<LoadedModule>, sink: &mut Diagnostics) -> Vec<LoadedModule> {
    let place = |module: &LoadedModule| match &module.file.module {
        Some(header) => header.path.span,
        None => Span::new(module.file.file, 0, 0),
    };
    let mut first: HashMap<Arc<str>, Span> = HashMap::new();
    let mut kept = Vec::with_capacity(found.len());
    for module in found {
        let span = place(&module);
        let name = module.name.clone();
        if &*name == "std" || name.starts_with("std.") {
            sink.push(
                Diagnostic::error(Code::ReservedModule, span, format!("a module can't be named `{name}`"))
                    .label("`std` is the standard library")
                    .help("choose another name"),
            );
            continue;
        }
        if let Some(&before) = first.get(&name) {
            let mut fault =
                Diagnostic::error(Code::DuplicateModule, span, format!("the module `{name}` is declared twice"))
                    .label("again")
                    .secondary(before, "first declared here");
            fault = match module.file.module {
                Some(_) => fault.help("a module is one file: rename one of them, or put all into one file"),
                None => fault.help("this file has no header and is named by its file: begin it with `module name`"),
            };
            sink.push(fault);
            continue;
        }
        first.insert(name, span);
        kept.push(module);
    }
    kept
}

/// All modules that a file may name: of `use a.b` both `a.b` and `a`.
fn named_modules(file: &ast::File) -> Vec<String> {
    let mut names = Vec::new();
    for item in &file.items {
        match &item.kind {
            ItemKind::Use(written) => {
                names.push(dotted(&written.path.parts));
                if written.names.is_none()
                    && let Some((_, before)) = written.path.parts.split_last()
                {
                    names.push(dotted(before));
                }
            }
            ItemKind::Include(written) => names.push(dotted(&written.path.parts)),
            _ => {}
        }
    }
    names
}
