//! Types and names as code that leads to where they are declared.

use crate::document::library::{Library, Module};
use crate::document::markdown::{self, code, linked};
use crate::document::names::{Place, declared, dotted, heading};
use crate::syntax::ast;
use crate::syntax::format::Excerpts;

/// What is being written, and about what.
#[derive(Debug)]
pub struct Writer<'a> {
    /// All modules.
    pub known: &'a Library,
    /// The module that it is about.
    pub at: usize,
    /// The module whose page it stands on.
    pub page: usize,
    /// That module's source.
    pub excerpts: Excerpts<'a>,
    /// The modules that have pages to lead to; where it stands on a page, that page's module is among them.
    pub pages: &'a [usize],
}

impl<'a> Writer<'a> {
    /// A writer about a module.
    pub fn new(library: &'a Library, at: usize, pages: &'a [usize]) -> Writer<'a> {
        Writer { known: library, at, page: at, excerpts: Excerpts::new(&library.modules[at].text), pages }
    }

    /// A writer on the same page of what stands in another module.
    pub fn elsewhere(&self, module: usize) -> Writer<'a> {
        Writer { page: self.page, ..Writer::new(self.known, module, self.pages) }
    }

    /// The module that it is about.
    pub fn module(&self) -> &'a Module {
        &self.known.modules[self.at]
    }

    /// Where the heading of a declaration is, if a page has it.
    pub fn target(&self, place: Place) -> Option<String> {
        if !self.pages.contains(&place.module) {
            return None;
        }
        let module = self.known.modules.get(place.module)?;
        let (word, name) = declared(module.file.items.get(place.item)?)?;
        let anchor = markdown::anchor(&heading(word, &name.text));
        Some(if place.module == self.page { format!("#{anchor}") } else { format!("{}#{anchor}", page_name(module)) })
    }

    /// A name of a type, an action or the like.
    pub fn path(&self, path: &ast::Path) -> String {
        let target = self.known.find(self.at, path).and_then(|place| self.target(place));
        linked(&dotted(&path.parts), target.as_deref())
    }

    /// Some of them, each code: `A`, `B` or `C`.
    pub fn paths(&self, paths: &[ast::Path], word: &str) -> String {
        markdown::list(&paths.iter().map(|path| self.path(path)).collect::<Vec<_>>(), word)
    }

    /// A type, whose names lead to their declarations.
    pub fn ty(&self, ty: &ast::Type) -> String {
        let mut parts = Vec::new();
        self.parts(ty, &mut parts);
        let mut out = String::new();
        let mut plain = String::new();
        for (text, target) in parts {
            match target {
                Some(target) => {
                    out.push_str(&non_empty(&plain));
                    out.push_str(&linked(&text, Some(&target)));
                    plain.clear();
                }
                None => plain.push_str(&text),
            }
        }
        out + &non_empty(&plain)
    }

    fn parts(&self, ty: &ast::Type, out: &mut Vec<(String, Option<String>)>) {
        let plain = |text: String, out: &mut Vec<(String, Option<String>)>| out.push((text, None));
        match &ty.kind {
            ast::TypeKind::Name(path) => {
                let target = self.known.find(self.at, path).and_then(|place| self.target(place));
                out.push((dotted(&path.parts), target));
            }
            ast::TypeKind::Range(of, from, to) => {
                self.parts(of, out);
                plain(format!(" in {}..={}", self.excerpts.line(from.span), self.excerpts.line(to.span)), out);
            }
            ast::TypeKind::Generic(name, arguments) => {
                plain(format!("{}<", name.text), out);
                for (at, argument) in arguments.iter().enumerate() {
                    if at > 0 {
                        plain(", ".to_owned(), out);
                    }
                    self.parts(argument, out);
                }
                plain(">".to_owned(), out);
            }
            ast::TypeKind::Max(of, bound) => {
                self.parts(of, out);
                plain(format!(" max {}", self.excerpts.line(bound.span)), out);
            }
            ast::TypeKind::Optional(of) => {
                self.parts(of, out);
                plain("?".to_owned(), out);
            }
            ast::TypeKind::Error => {}
        }
    }

    /// An expression on one line.
    pub fn expr(&self, expr: &ast::Expr) -> String {
        code(&self.excerpts.line(expr.span))
    }
}

fn non_empty(text: &str) -> String {
    if text.is_empty() { String::new() } else { code(text) }
}

/// The file that a module's page is in: never that of the index, on disks neither that don't tell cases apart.
pub fn page_name(module: &Module) -> String {
    if module.name.eq_ignore_ascii_case("readme") {
        return format!("{}-module.md", module.name);
    }
    format!("{}.md", module.name)
}
