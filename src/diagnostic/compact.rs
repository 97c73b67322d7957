//! The compact form: one line for each diagnostic, for snapshots and for `grep`.
//!
//! ```text
//! E0203 release.pdl:3:11-3:22 message: label
//!   also: release.pdl:1:1-1:4 text of a secondary label
//!   help: what to do
//!   fix: release.pdl:3:11-3:22 `replacement`
//! ```

use std::fmt::Write as _;

use super::render::{clean, place_range};
use super::{Code, Diagnostic};
use crate::base::span::SourceMap;

/// A list of diagnostics, each with a line of its own and indented lines below it.
#[must_use]
pub fn render(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        one(&mut out, sources, diagnostic);
    }
    out
}

fn one(out: &mut String, sources: &SourceMap, diagnostic: &Diagnostic) {
    let message = clean(&diagnostic.message);
    if diagnostic.code == Code::MoreFaults {
        let _ = writeln!(out, "{} {message}", diagnostic.code);
        return;
    }
    let _ = write!(out, "{} {} {message}", diagnostic.code, place_range(sources, diagnostic.primary.span));
    if !diagnostic.primary.text.is_empty() {
        let _ = write!(out, ": {}", clean(&diagnostic.primary.text));
    }
    out.push('\n');
    for label in &diagnostic.secondary {
        let _ = writeln!(out, "  also: {} {}", place_range(sources, label.span), clean(&label.text));
    }
    for help in &diagnostic.help {
        let _ = writeln!(out, "  help: {}", clean(help));
    }
    if let Some(fix) = &diagnostic.fix {
        let _ = writeln!(out, "  fix: {} `{}`", place_range(sources, fix.span), clean(&fix.replacement));
    }
}
