//! The form for GitLab: a Code Quality report, which becomes annotations in a merge request.
//!
//! GitLab tells findings of one run from those of another by their fingerprint. It is made of what is found and of the
//! file, not of the line: what stands above may come and go. The same finding in the same file twice is numbered.

use std::collections::BTreeMap;

use serde::Serialize;

use super::render::clean;
use super::{Diagnostic, Severity};
use crate::base::hash::Digest;
use crate::base::span::SourceMap;

/// A finding of any kind in a Code Quality report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is found, in one sentence.
    pub description: String,
    /// The stable name of its kind: `E0301`.
    pub check: String,
    /// How bad it is.
    pub severity: Severity,
    /// The file, from the root of the repository.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
}

#[derive(Serialize)]
struct Issue<'a> {
    description: &'a str,
    check_name: &'a str,
    fingerprint: String,
    severity: &'static str,
    location: Location<'a>,
}

#[derive(Serialize)]
struct Location<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// One report, indented, with a line end.
#[must_use]
pub fn render(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    let findings: Vec<Finding> = diagnostics.iter().map(|diagnostic| finding(sources, diagnostic)).collect();
    report(&findings)
}

/// The finding that a diagnostic is.
#[must_use]
pub fn finding(sources: &SourceMap, diagnostic: &Diagnostic) -> Finding {
    let span = diagnostic.primary.span;
    let file = sources.file(span.file);
    let mut description = clean(&diagnostic.message);
    if !diagnostic.primary.text.is_empty() {
        description.push_str(": ");
        description.push_str(&clean(&diagnostic.primary.text));
    }
    Finding {
        description,
        check: diagnostic.code.to_string(),
        severity: diagnostic.severity,
        path: clean(&file.name),
        line: file.line_column(span.start).0,
    }
}

/// One report of findings, indented, with a line end.
#[must_use]
pub fn report(findings: &[Finding]) -> String {
    let mut seen: BTreeMap<(&str, &str, &str), u32> = BTreeMap::new();
    let issue = |finding: &'_ Finding, number: u32| {
        let Finding { description, check, path, .. } = finding;
        let parts = [check, path, description, &number.to_string()].map(|part| part.replace('\0', " "));
        Digest::of(parts.join("\0").as_bytes()).0.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    };
    let mut issues = Vec::with_capacity(findings.len());
    for finding in findings {
        let number = seen.entry((&finding.check, &finding.path, &finding.description)).or_default();
        issues.push(Issue {
            description: &finding.description,
            check_name: &finding.check,
            fingerprint: issue(finding, *number),
            severity: match finding.severity {
                Severity::Error => "critical",
                Severity::Warning => "minor",
                Severity::Note => "info",
            },
            location: Location { path: &finding.path, lines: Lines { begin: finding.line } },
        });
        *number += 1;
    }
    let mut out = serde_json::to_string_pretty(&issues).expect("strings and numbers are always JSON");
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_follow_what_is_found_and_not_the_line() {
        let finding = |line: u32, path: &str| Finding {
            description: "a fault".to_owned(),
            check: "E0301".to_owned(),
            severity: Severity::Error,
            path: path.to_owned(),
            line,
        };
        let fingerprints = |findings: &[Finding]| -> Vec<String> {
            let report: serde_json::Value = serde_json::from_str(&report(findings)).expect("it is JSON");
            let issues = report.as_array().expect("a list").iter();
            issues.map(|issue| issue["fingerprint"].as_str().expect("a text").to_owned()).collect()
        };
        let before = fingerprints(&[finding(3, "a.pdl"), finding(5, "a.pdl"), finding(3, "b.pdl")]);
        let after = fingerprints(&[finding(4, "a.pdl"), finding(9, "a.pdl"), finding(3, "b.pdl")]);
        assert_eq!(before, after);
        assert!(before[0] != before[1] && before[0] != before[2] && before[0].len() == 32);
        assert_eq!(report(&[]), "[]\n");
    }
}
