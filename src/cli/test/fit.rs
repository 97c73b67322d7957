//! Whether a decision has what a case expects of it: members that are not named may be anything.

use serde_json::Value;

/// How the one does not fit the other: a sentence for each place, none if it fits.
#[must_use]
pub fn misses(expected: &Value, actual: &Value) -> Vec<String> {
    let mut misses = Vec::new();
    compare("", expected, actual, &mut misses);
    misses
}

fn compare(path: &str, expected: &Value, actual: &Value, misses: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(wanted), Value::Object(given)) => {
            for (name, value) in wanted {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match given.get(name) {
                    Some(there) => compare(&path, value, there, misses),
                    // What is absent is left out.
                    None if value.is_null() => {}
                    None => misses.push(format!("`{path}`: expected {value}, and there is none")),
                }
            }
        }
        (Value::Array(wanted), Value::Array(given)) => {
            if wanted.len() != given.len() {
                let given: Vec<&Value> = given.iter().map(name_of).collect();
                let given = serde_json::to_string(&given).unwrap_or_default();
                misses.push(format!("`{path}`: expected {expected}, got {given}"));
                return;
            }
            for (at, (wanted, given)) in wanted.iter().zip(given).enumerate() {
                compare(&format!("{path}[{at}]"), wanted, given, misses);
            }
        }
        (Value::String(_), Value::Object(_)) => compare(path, expected, name_of(actual), misses),
        _ if expected == actual => {}
        _ => misses.push(format!("`{path}`: expected {expected}, got {actual}")),
    }
}

/// A rule, gate or obligation by its name; anything else as it is.
fn name_of(value: &Value) -> &Value {
    match value {
        Value::Object(members) => members.get("id").or_else(|| members.get("name")).unwrap_or(&Value::Null),
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_named_may_be_anything() {
        let decision = json!({
            "decision": "DENY", "codes": ["A", "B"],
            "rules": [{ "id": "m.a", "effect": "deny" }, { "id": "m.b", "effect": "deny" }],
            "obligations": [{ "name": "tell", "arguments": { "cost": 10 } }],
        });
        let fits = |expected: Value| misses(&expected, &decision);
        assert_eq!(fits(json!({ "decision": "DENY", "codes": ["A", "B"] })), [""; 0]);
        assert_eq!(fits(json!({ "rules": ["m.a", { "effect": "deny" }] })), [""; 0]);
        assert_eq!(fits(json!({ "obligations": ["tell"], "error": null })), [""; 0]);
        assert_eq!(fits(json!({ "obligations": [{ "arguments": { "cost": 10 } }] })), [""; 0]);
        assert_eq!(fits(json!({ "codes": ["A"] })), ["`codes`: expected [\"A\"], got [\"A\",\"B\"]"]);
        assert_eq!(fits(json!({ "codes": ["B", "A"] })).len(), 2);
        assert_eq!(fits(json!({ "rules": ["m.a"] })), ["`rules`: expected [\"m.a\"], got [\"m.a\",\"m.b\"]"]);
        assert_eq!(
            fits(json!({ "obligations": [{ "arguments": { "cost": 11 } }] })),
            ["`obligations[0].arguments.cost`: expected 11, got 10"]
        );
        assert_eq!(fits(json!({ "error": {} })), ["`error`: expected {}, and there is none"]);
    }
}
