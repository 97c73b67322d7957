//! The form for GitHub: workflow commands, which become annotations in a pull request.
//!
//! Columns are given for places within one line only: for others GitHub takes lines alone.

use std::fmt::Write as _;

use super::render::clean;
use super::{Code, Diagnostic, Severity};
use crate::base::span::SourceMap;

/// One line for each diagnostic.
#[must_use]
pub fn render(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let _ = write!(out, "::{command} {}title={}", place(sources, diagnostic), property(&title(diagnostic.code)));
        let _ = writeln!(out, "::{}", data(&message(diagnostic)));
    }
    out
}

fn title(code: Code) -> String {
    format!("{code}: {}", code.title())
}

fn place(sources: &SourceMap, diagnostic: &Diagnostic) -> String {
    if diagnostic.code == Code::MoreFaults {
        return String::new();
    }
    let span = diagnostic.primary.span;
    let file = sources.file(span.file);
    let ((line, column), (end_line, end_column)) = (file.line_column(span.start), file.line_column(span.end));
    let name = property(&clean(&file.name));
    if line == end_line {
        format!("file={name},line={line},col={column},endLine={end_line},endColumn={end_column},")
    } else {
        format!("file={name},line={line},endLine={end_line},")
    }
}

fn message(diagnostic: &Diagnostic) -> String {
    let mut message = clean(&diagnostic.message);
    if !diagnostic.primary.text.is_empty() {
        let _ = write!(message, ": {}", clean(&diagnostic.primary.text));
    }
    for help in &diagnostic.help {
        let _ = write!(message, "\nhelp: {}", clean(help));
    }
    message
}

/// What follows `::` has three characters escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// What stands before `::` has two more.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
