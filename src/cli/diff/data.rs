//! A difference as one JSON document.

use serde_json::{Value, json};

use super::Meaning;
use super::tell::answer;
use crate::analysis::diff::Change;
use crate::analysis::question::Kind;
use crate::cli::status::Status;

/// The document.
#[must_use]
pub fn document(meaning: &Meaning<'_>) -> Value {
    let diff = &meaning.diff;
    let verdict = match meaning.status() {
        Status::Widened => "widened",
        Status::Undecided => "undecided",
        Status::Changed => "changed",
        _ => "same",
    };
    let schema = diff.schema.iter().map(|change| {
        let side = usize::from(change.how != crate::analysis::diff::schema::How::Removed);
        json!({
            "what": change.what, "how": change.how.name(), "detail": change.detail,
            "at": meaning.place(side, change.span),
        })
    });
    let undecided = diff.undecided.iter().map(|undecided| {
        let mut value = kind(&undecided.kind);
        value["direction"] = undecided.direction.name().into();
        value["reason"] = undecided.reason.clone().into();
        value
    });
    let cut = diff.cut.iter().map(|(of, direction)| {
        let mut value = kind(of);
        value["direction"] = direction.name().into();
        value
    });
    let mut value = json!({
        "verdict": verdict,
        "equivalent": diff.is_equivalent(),
        "summary": meaning.verdict(),
        "kinds": diff.kinds,
        "unchanged": diff.same,
        "schema": schema.collect::<Vec<_>>(),
        "changes": diff.changes.iter().map(|one| change(meaning, one)).collect::<Vec<_>>(),
        "undecided": undecided.collect::<Vec<_>>(),
        "more": cut.collect::<Vec<_>>(),
    });
    if let Some(program) = diff.second {
        value["solver"] = program.name().into();
    }
    value
}

fn kind(of: &Kind) -> Value {
    json!({ "action": &*of.action, "subject": &*of.subject, "resource": &*of.resource })
}

fn change(meaning: &Meaning<'_>, of: &Change) -> Value {
    let side = |at: usize| {
        let (request, told) = (&of.witness[at], &of.told[at]);
        json!({
            "request": parsed(&request.request),
            "facts": parsed(&request.facts),
            "entities": parsed(&request.entities),
            "decision": answer(told.answer),
            "kind": told.kind,
            "rules": told.rules.iter().map(|rule| &**rule).collect::<Vec<&str>>(),
        })
    };
    let rules = of.responsible.iter().map(|rule| {
        json!({
            "id": &*rule.id,
            "version": if rule.side == 0 { "old" } else { "new" },
            "at": meaning.place(rule.side, rule.span),
        })
    });
    let mut value = kind(&of.kind);
    value["direction"] = of.direction.name().into();
    value["widens"] = of.direction.widens().into();
    value["meant"] = (of.direction.widens() && meaning.is_allowed(of)).into();
    value["condition"] = of.region.condition().into();
    value["exact"] = of.region.exact.into();
    value["rules"] = rules.collect::<Vec<_>>().into();
    value["before"] = side(0);
    value["after"] = side(1);
    value
}

/// A document within the document, its numbers as they are written.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}
