//! Diagnostics in the form that was asked for.

use super::args::ReportFormat;
use crate::base::span::SourceMap;
use crate::diagnostic::render::{Style, summary};
use crate::diagnostic::{Counts, Diagnostic, github, gitlab, json, render, sarif};

/// The text of a list in a form, data and all.
#[must_use]
pub fn text(
    format: ReportFormat,
    sources: &SourceMap,
    diagnostics: &[Diagnostic],
    counts: Counts,
    color: bool,
) -> String {
    match format {
        ReportFormat::Human => render::render(sources, diagnostics, Style { color, ascii: false }),
        ReportFormat::Json => json::render(sources, diagnostics, counts),
        ReportFormat::Sarif => sarif::render(sources, diagnostics),
        ReportFormat::Github => github::render(sources, diagnostics),
        ReportFormat::Gitlab => gitlab::render(sources, diagnostics),
    }
}

/// `3 modules`, `1 module`.
#[must_use]
pub fn count(number: usize, word: &str) -> String {
    if number == 1 { format!("1 {word}") } else { format!("{number} {word}s") }
}

/// `acme-release: 2 errors, 1 warning`.
#[must_use]
pub fn verdict(name: &str, counts: Counts) -> String {
    format!("{name}: {}\n", summary(counts))
}

/// `1,234,567`
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
