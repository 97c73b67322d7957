//! The form for code scanning: a SARIF 2.1.0 log.
//!
//! Columns are in Unicode code points and the log says so. Offsets are left out: ours are of the text with `\n` line
//! ends, which need not be the bytes of the file.

use serde_json::{Map, Value, json};

use super::{Code, Diagnostic, Label, Severity};
use crate::base::span::{SourceMap, Span};

/// The log, indented, with a line end.
#[must_use]
pub fn render(sources: &SourceMap, diagnostics: &[Diagnostic]) -> String {
    // A note about the run as a whole is not a result in a file.
    let (of_run, results): (Vec<_>, Vec<_>) = diagnostics.iter().partition(|found| found.code == Code::MoreFaults);
    let notifications: Vec<Value> =
        of_run.iter().map(|found| json!({ "level": "note", "message": { "text": found.message } })).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "pdl",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": Code::ALL.iter().map(|&code| rule(code)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{ "executionSuccessful": true, "toolExecutionNotifications": notifications }],
            "results": results.iter().map(|found| result(sources, found)).collect::<Vec<_>>(),
        }],
    });
    format!("{log:#}\n")
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.id(),
        "name": code.name(),
        "shortDescription": { "text": code.title() },
        "help": { "text": format!("Run `pdl check --explain {code}`.") },
        "defaultConfiguration": { "level": level(code.severity()) },
    })
}

fn result(sources: &SourceMap, found: &Diagnostic) -> Value {
    let mut text = found.message.clone();
    for help in &found.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    let mut result = Map::new();
    result.insert("ruleId".to_owned(), json!(found.code.id()));
    result.insert("ruleIndex".to_owned(), json!(Code::ALL.iter().position(|&code| code == found.code)));
    result.insert("level".to_owned(), json!(level(found.severity)));
    result.insert("message".to_owned(), json!({ "text": text }));
    result.insert("locations".to_owned(), json!([location(sources, &found.primary, None)]));
    if !found.secondary.is_empty() {
        let related: Vec<Value> =
            found.secondary.iter().enumerate().map(|(at, label)| location(sources, label, Some(at + 1))).collect();
        result.insert("relatedLocations".to_owned(), json!(related));
    }
    if let Some(fix) = &found.fix {
        result.insert(
            "fixes".to_owned(),
            json!([{
                "description": { "text": found.help.first().unwrap_or(&found.message) },
                "artifactChanges": [{
                    "artifactLocation": { "uri": uri(&sources.file(fix.span.file).name) },
                    "replacements": [{
                        "deletedRegion": region(sources, fix.span),
                        "insertedContent": { "text": fix.replacement },
                    }],
                }],
            }]),
        );
    }
    Value::Object(result)
}

fn location(sources: &SourceMap, label: &Label, id: Option<usize>) -> Value {
    let mut location = Map::new();
    if let Some(id) = id {
        location.insert("id".to_owned(), json!(id));
    }
    location.insert(
        "physicalLocation".to_owned(),
        json!({
            "artifactLocation": { "uri": uri(&sources.file(label.span.file).name) },
            "region": region(sources, label.span),
        }),
    );
    if !label.text.is_empty() {
        location.insert("message".to_owned(), json!({ "text": label.text }));
    }
    Value::Object(location)
}

fn region(sources: &SourceMap, span: Span) -> Value {
    let file = sources.file(span.file);
    let ((line, column), (end_line, end_column)) = (file.line_column(span.start), file.line_column(span.end));
    json!({ "startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column })
}

/// A relative reference: everything but `/` and the unreserved characters of RFC 3986 in percent-encoding.
fn uri(name: &str) -> String {
    let mut uri = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
