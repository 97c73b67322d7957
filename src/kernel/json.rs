//! Canonical JSON (RFC 8785) of what the kernel writes: one text for one value, so that a digest of it means something.
//!
//! Numbers are integers that every reader of JSON takes exactly, up to 2⁵³; what is larger, or has a point, is written as a
//! string by whoever makes the value.

pub mod scan;

use serde_json::Value;

use crate::vm::canonical::{key_order, push_string};

/// The canonical text.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    push(&mut out, value);
    out
}

fn push(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => {
            debug_assert!(number.as_i64().is_some_and(|number| number.unsigned_abs() <= 1 << 53), "{number}");
            out.push_str(&number.to_string());
        }
        Value::String(text) => push_string(out, text),
        Value::Array(values) => {
            out.push('[');
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                push(out, value);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<(&String, &Value)> = members.iter().collect();
            members.sort_by(|(one, _), (other, _)| key_order(one, other));
            out.push('{');
            for (at, (key, value)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                push_string(out, key);
                out.push(':');
                push(out, value);
            }
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_and_nothing_is_between() {
        let value = json!({ "b": [1, -2, { "y": null, "x": true }], "a": "\u{20}é\n", "": 0 });
        assert_eq!(canonical(&value), "{\"\":0,\"a\":\" é\\n\",\"b\":[1,-2,{\"x\":true,\"y\":null}]}");
    }
}
