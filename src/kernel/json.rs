//! Canonical JSON (RFC 8785) of what the kernel writes: one text for one value, so that a digest of it means something.
//!
//! Numbers are integers that every reader of JSON takes exactly, up to 2⁵³; what is larger, or has a point, is written as a
//! string by whoever makes the value.

pub(in crate::kernel) mod object;
pub mod scan;

use serde_json::{Map, Value};

use crate::base::text::Pieces;
use crate::vm::canonical::{key_order, push_string};

/// The canonical text.
#[must_use]
pub fn canonical(value: &Value) -> String {
    let mut out = String::new();
    push(&mut out, value);
    out
}

/// Appends the canonical text.
pub(super) fn push(out: &mut impl Pieces, value: &Value) {
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
        Value::Object(members) => push_members(out, members),
    }
}

/// Appends the canonical text of an object.
pub(super) fn push_members(out: &mut impl Pieces, members: &Map<String, Value>) {
    // Whoever writes them in order has nothing to sort.
    if members.keys().is_sorted_by(|one, other| key_order(one, other).is_le()) {
        return push_in_order(out, members.iter());
    }
    let mut members: Vec<(&String, &Value)> = members.iter().collect();
    members.sort_unstable_by(|(one, _), (other, _)| key_order(one, other));
    push_in_order(out, members.into_iter());
}

fn push_in_order<'v>(out: &mut impl Pieces, members: impl Iterator<Item = (&'v String, &'v Value)>) {
    out.push('{');
    for (at, (key, value)) in members.enumerate() {
        if at > 0 {
            out.push(',');
        }
        push_string(out, key);
        out.push(':');
        push(out, value);
    }
    out.push('}');
}

/// At least as many bytes as the canonical text has, and more only for control characters: what can be said of a value
/// without writing it.
pub(super) fn bytes_at_most(value: &Value) -> usize {
    // With what stands behind each: a comma, or a colon.
    let one_more = |bytes: usize| bytes.saturating_add(1);
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 24,
        Value::String(text) => text_bytes_at_most(text),
        Value::Array(values) => {
            values.iter().fold(2, |sum: usize, value| sum.saturating_add(one_more(bytes_at_most(value))))
        }
        Value::Object(members) => members.iter().fold(2, |sum: usize, (key, value)| {
            let member = one_more(text_bytes_at_most(key)).saturating_add(one_more(bytes_at_most(value)));
            sum.saturating_add(member)
        }),
    }
}

fn text_bytes_at_most(text: &str) -> usize {
    let more = |byte: u8| match byte {
        b'"' | b'\\' => 1,
        0..=0x1f => 5,
        _ => 0,
    };
    text.bytes().fold(text.len().saturating_add(2), |sum, byte| sum.saturating_add(more(byte)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lengths_are_told_without_writing() {
        for value in [
            json!(null),
            json!([]),
            json!({ "": {} }),
            json!({ "a\"": [1, -9_007_199_254_740_992_i64, true, false, null, "\\"], "é": "x\"y\\" }),
            json!(["\u{0}\n\u{1f}", { "\t": 0 }]),
        ] {
            let (told, is) = (bytes_at_most(&value), canonical(&value).len());
            assert!(told >= is && told <= is + 40, "{value}: {told} for {is}");
        }
    }

    #[test]
    fn keys_are_sorted_and_nothing_is_between() {
        let value = json!({ "b": [1, -2, { "y": null, "x": true }], "a": "\u{20}é\n", "": 0 });
        assert_eq!(canonical(&value), "{\"\":0,\"a\":\" é\\n\",\"b\":[1,-2,{\"x\":true,\"y\":null}]}");
    }
}
