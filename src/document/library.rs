//! The modules that pages can be about: a package's own, those it uses, and the standard library whole.

use std::sync::Arc;

use crate::base::span::SourceMap;
use crate::diagnostic::Diagnostics;
use crate::document::markdown;
use crate::syntax::{ast, parse};
use crate::types::package::Package;
use crate::types::stdlib;

/// All modules that can be named.
#[derive(Debug)]
pub struct Library {
    /// The modules: first the package's own in the order of their files, at last the standard library's that the
    /// package does not use.
    pub modules: Vec<Module>,
}

/// A module.
#[derive(Debug)]
pub struct Module {
    /// The dotted name.
    pub name: Arc<str>,
    /// Whether it is the package's own.
    pub own: bool,
    /// The source.
    pub text: String,
    /// The tree of the source.
    pub file: ast::File,
}

impl Library {
    /// The modules of a package that was checked, and the standard library.
    #[must_use]
    pub fn of(package: &Package) -> Library {
        let own = package.modules.iter().map(|module| Module {
            name: module.name.clone(),
            own: module.own,
            text: package.sources.file(module.file.file).text.clone(),
            file: module.file.clone(),
        });
        let mut library = Library { modules: own.collect() };
        library.add_standard();
        library
    }

    /// The standard library alone.
    #[must_use]
    pub fn standard() -> Library {
        let mut library = Library { modules: Vec::new() };
        library.add_standard();
        library
    }

    fn add_standard(&mut self) {
        for name in stdlib::names() {
            if self.place(name).is_none()
                && let Some(text) = stdlib::source(name)
            {
                let mut sources = SourceMap::default();
                let file = sources.add(name, text);
                let text = sources.file(file).text.clone();
                let tree = parse::parse(file, &text, &mut Diagnostics::default());
                self.modules.push(Module { name: name.into(), own: false, text, file: tree });
            }
        }
    }

    /// The place of a module by its name.
    #[must_use]
    pub fn place(&self, name: &str) -> Option<usize> {
        self.modules.iter().position(|module| &*module.name == name)
    }

    /// The names of all modules.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.modules.iter().map(|module| &*module.name)
    }
}

impl Module {
    /// The first sentence of what is said above the header.
    #[must_use]
    pub fn summary(&self) -> String {
        self.file.module.as_ref().map(|header| markdown::first_sentence(&header.doc)).unwrap_or_default()
    }
}
