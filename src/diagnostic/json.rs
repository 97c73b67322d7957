//! The form for programs: one JSON document for a run.
//!
//! The structs here are the contract, apart from the data they are made from. Lines and columns count from 1, columns
//! in characters, `offset` in bytes of the text with `\n` line ends and without a byte-order mark; ends are exclusive.
//!
//! ```json
//! { "diagnostics": [ {
//!     "code": "E0104", "title": "a character that means nothing", "severity": "error",
//!     "message": "`'` means nothing here", "label": "",
//!     "span": { "file": "release.pdl", "start": { "line": 2, "column": 9, "offset": 20 },
//!                                      "end": { "line": 2, "column": 10, "offset": 21 } },
//!     "related": [], "help": ["write strings in double quotes"], "fix": null } ],
//!   "errors": 1, "warnings": 0 }
//! ```

use serde::Serialize;

use super::{Counts, Diagnostic};
use crate::base::span::{self, SourceMap};

#[derive(Serialize)]
struct Document<'a> {
    diagnostics: Vec<Entry<'a>>,
    errors: usize,
    warnings: usize,
}

#[derive(Serialize)]
struct Entry<'a> {
    code: &'static str,
    title: &'static str,
    severity: &'static str,
    message: &'a str,
    label: &'a str,
    span: Place<'a>,
    related: Vec<Related<'a>>,
    help: &'a [String],
    fix: Option<Fix<'a>>,
}

#[derive(Serialize)]
struct Related<'a> {
    message: &'a str,
    span: Place<'a>,
}

#[derive(Serialize)]
struct Fix<'a> {
    span: Place<'a>,
    replacement: &'a str,
}

#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: u32,
    column: u32,
    offset: u32,
}

/// The document, indented, with a line end. `counts` are those of the whole run, not only of what is shown.
#[must_use]
pub fn render(sources: &SourceMap, diagnostics: &[Diagnostic], counts: Counts) -> String {
    let document = Document {
        diagnostics: diagnostics.iter().map(|diagnostic| entry(sources, diagnostic)).collect(),
        errors: counts.errors,
        warnings: counts.warnings,
    };
    let mut out = serde_json::to_string_pretty(&document).expect("strings and numbers are always JSON");
    out.push('\n');
    out
}

fn entry<'a>(sources: &'a SourceMap, diagnostic: &'a Diagnostic) -> Entry<'a> {
    Entry {
        code: diagnostic.code.id(),
        title: diagnostic.code.title(),
        severity: diagnostic.severity.word(),
        message: &diagnostic.message,
        label: &diagnostic.primary.text,
        span: place(sources, diagnostic.primary.span),
        related: diagnostic
            .secondary
            .iter()
            .map(|label| Related { message: &label.text, span: place(sources, label.span) })
            .collect(),
        help: &diagnostic.help,
        fix: diagnostic.fix.as_ref().map(|fix| Fix { span: place(sources, fix.span), replacement: &fix.replacement }),
    }
}

fn place(sources: &SourceMap, span: span::Span) -> Place<'_> {
    let file = sources.file(span.file);
    let position = |offset: u32| {
        let (line, column) = file.line_column(offset);
        Position { line, column, offset }
    };
    Place { file: &file.name, start: position(span.start), end: position(span.end) }
}
