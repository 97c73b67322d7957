//! `pdl.toml`: what a package is called and what it depends on.
//!
//! ```toml
//! [package]
//! name = "acme-release"
//! version = "1.2.0"
//! language = "2026"
//!
//! [dependencies]
//! acme-guardrails = { path = "../guardrails" }
//! ```
//!
//! Faults are diagnostics at their place in the file, as those of sources are.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::base::limits::NAME_BYTES_MAX;
use crate::base::span::{FileId, Span};
use crate::build::EDITION;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};

/// The name of the file.
pub const FILE_NAME: &str = "pdl.toml";
/// The editions of the language that this `pdl` knows.
pub const EDITIONS: &[&str] = &[EDITION];

/// What a manifest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The packages it depends on, by name.
    pub dependencies: Vec<Dependency>,
}

/// A package that another depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// Its name, which its own manifest has to say too.
    pub name: String,
    /// Its folder, relative to that of this manifest.
    pub path: String,
    /// Where it stands.
    pub span: Span,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    package: PackageTable,
    #[serde(default)]
    dependencies: BTreeMap<Spanned<String>, DependencyTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PackageTable {
    name: Spanned<String>,
    version: Spanned<String>,
    language: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DependencyTable {
    path: Spanned<String>,
}

/// Reads the text of a manifest; `None` where there were faults.
pub fn parse(file: FileId, text: &str, sink: &mut Diagnostics) -> Option<Manifest> {
    let before = sink.counts().errors;
    let document: Document = match toml::from_str(text) {
        Ok(document) => document,
        Err(error) => {
            let place = span(file, error.span().unwrap_or(0..0));
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            sink.push(
                Diagnostic::error(Code::BadManifest, place, format!("pdl.toml can't be read: {message}")).help(
                    "a package has `[package]` with `name`, `version` and `language`, and perhaps `[dependencies]`",
                ),
            );
            return None;
        }
    };
    let PackageTable { name, version, language } = document.package;
    check_name(file, &name, sink);
    if !is_version(version.get_ref()) {
        let message = format!("`{}` is not a version", version.get_ref());
        let fault = Diagnostic::error(Code::BadManifest, span(file, version.span()), message);
        sink.push(fault.help("write three numbers: `1.0.0`, perhaps with more behind them: `1.0.0-rc.1`"));
    }
    if !EDITIONS.contains(&language.get_ref().as_str()) {
        let message = format!("`{}` is not an edition of the language that this pdl knows", language.get_ref());
        let fault = Diagnostic::error(Code::BadManifest, span(file, language.span()), message);
        sink.push(fault.help(format!("this pdl knows {}", EDITIONS.join(", "))));
    }
    let mut dependencies = Vec::new();
    for (dependency, table) in document.dependencies {
        check_name(file, &dependency, sink);
        let path = table.path.get_ref();
        // A package has to mean the same on every machine.
        if path.is_empty() || path.starts_with('/') || path.contains(['\\', ':']) {
            let message = format!("`{path}` is not a relative path");
            let fault = Diagnostic::error(Code::BadManifest, span(file, table.path.span()), message);
            sink.push(fault.help("name the folder of the dependency from this one, with `/`: `../guardrails`"));
        }
        dependencies.push(Dependency {
            span: span(file, table.path.span()),
            path: path.clone(),
            name: dependency.into_inner(),
        });
    }
    (sink.counts().errors == before).then(|| Manifest {
        name: name.into_inner(),
        version: version.into_inner(),
        dependencies,
    })
}

/// Whether a text may name a package: letters, digits, `-`, `_` and `.`, a letter first.
#[must_use]
pub fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "-_.".contains(character))
        && name != "std"
}

fn check_name(file: FileId, name: &Spanned<String>, sink: &mut Diagnostics) {
    if !is_name(name.get_ref()) {
        let message = format!("`{}` can't be the name of a package", name.get_ref());
        let fault = Diagnostic::error(Code::BadManifest, span(file, name.span()), message);
        sink.push(fault.help("use letters, digits, `-`, `_` and `.`, with a letter first; `std` is taken"));
    }
}

/// `1.2.3`, perhaps with `-…` or `+…` behind.
fn is_version(version: &str) -> bool {
    let (numbers, rest) = match version.find(['-', '+']) {
        Some(at) => version.split_at(at),
        None => (version, ""),
    };
    let parts: Vec<&str> = numbers.split('.').collect();
    let is_number = |part: &str| {
        !part.is_empty()
            && part.len() <= 9
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    parts.len() == 3
        && parts.into_iter().all(is_number)
        && version.len() <= NAME_BYTES_MAX
        && rest.len() != 1
        && rest.chars().all(|character| character.is_ascii_alphanumeric() || "-+.".contains(character))
}

fn span(file: FileId, range: Range<usize>) -> Span {
    Span::new(file, range.start as u32, range.end as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_names() {
        for good in ["0.0.0", "1.22.333", "1.0.0-rc.1", "1.0.0+build"] {
            assert!(is_version(good), "{good}");
        }
        for bad in ["", "1", "1.2", "1.2.3.4", "1.02.3", "1.2.x", "1.2.3-", "1.2.3 "] {
            assert!(!is_version(bad), "{bad}");
        }
        assert!(is_name("acme-release.eu_1"));
        for bad in ["", "1a", "a b", "ä", "std", "../x"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
