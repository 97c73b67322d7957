//! An explanation as data.

use serde_json::{Value, json};

use super::{Told, tell};
use crate::analysis::encode::Joint;
use crate::analysis::explain::{Holds, Nearest, Node, RuleTree};
use crate::analysis::request::Json;
use crate::cli::diff::tell::answer;
use crate::cli::policy::Built;

/// The document.
pub fn document(built: &Built, told: &Told) -> Value {
    let mut all = json!({ "decision": parsed(&told.decision.to_json().to_string()) });
    let explanation = match &told.explanation {
        Ok(explanation) => explanation,
        Err(why) => {
            all["not_explained"] = why.clone().into();
            return all;
        }
    };
    all["rules"] = told.rules().into_iter().map(|one| rule(built, one)).collect();
    let mut gates = told.gates.iter();
    let nearest = |(wanted, nearest): &(_, Nearest)| {
        let mut value = json!({ "answer": answer(*wanted) });
        match nearest {
            Nearest::Never => value["verdict"] = "never".into(),
            Nearest::Undecided(reason) => {
                value["verdict"] = "undecided".into();
                value["reason"] = reason.clone().into();
            }
            Nearest::Found(all) => {
                value["verdict"] = "found".into();
                let one = |near: &crate::analysis::explain::Near| {
                    let changes: Vec<Value> = (near.changes.iter())
                        .map(|change| {
                            json!({ "field": change.path, "before": sent(&change.before), "after": sent(&change.after) })
                        })
                        .collect();
                    let asks: Vec<String> = gates.next().into_iter().flatten().map(tell::asks).collect();
                    json!({ "changes": changes, "request": parsed(&near.request.to_string()), "asks": asks })
                };
                value["requests"] = all.iter().map(one).collect();
            }
        }
        value
    };
    all["nearest"] = explanation.nearest.iter().map(nearest).collect();
    all["doubts"] = explanation.doubts.clone().into();
    all
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn sent(value: &Option<Json>) -> Value {
    value.as_ref().map_or(Value::Null, |value| parsed(&value.to_string()))
}

fn rule(built: &Built, rule: &RuleTree) -> Value {
    json!({
        "id": &*rule.id,
        "does": tell::does(rule.does),
        "at": built.sources.place(rule.span),
        "misses": rule.condition.misses(true),
        "condition": node(&rule.condition),
    })
}

fn node(of: &Node) -> Value {
    let mut value = json!({
        "text": of.text,
        "is": match of.holds {
            Holds::Yes => "true",
            Holds::No => "false",
            Holds::Error => "error",
            Holds::Unknown => "unknown",
        },
    });
    let joint = match of.joint {
        Joint::All => "all",
        Joint::Any => "any",
        Joint::Not => "not",
        Joint::Implies => "implies",
        Joint::Named => "named",
        Joint::Leaf => {
            let reads = of.reads.iter().map(|(text, value)| json!({ "name": text, "value": value }));
            value["reads"] = reads.collect();
            return value;
        }
    };
    value["joint"] = joint.into();
    value["parts"] = of.parts.iter().map(node).collect();
    value
}
