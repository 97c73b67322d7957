//! Whether a decision has what a case expects of it: members that are not named may be anything.

use serde_json::Value;

use crate::cli::exact::Exact;

/// How the one does not fit the other: a sentence for each place, none if it fits.
#[must_use]
pub fn misses(expected: &Exact, actual: &Exact) -> Vec<String> {
    let mut misses = Vec::new();
    compare("", expected, actual, &mut misses);
    misses
}

fn compare(path: &str, expected: &Exact, actual: &Exact, misses: &mut Vec<String>) {
    match (expected, actual) {
        (Exact::Object(wanted), Exact::Object(_)) => {
            for (name, value) in wanted {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                match (actual.get(name), value) {
                    (Some(there), _) => compare(&path, value, there, misses),
                    // What is absent is left out.
                    (None, Exact::Plain(Value::Null)) => {}
                    (None, _) => misses.push(format!("`{path}`: expected {value}, and there is none")),
                }
            }
        }
        (Exact::List(wanted), Exact::List(given)) => {
            if wanted.len() != given.len() {
                let given = Exact::List(given.iter().map(name_of).cloned().collect());
                misses.push(format!("`{path}`: expected {expected}, got {given}"));
                return;
            }
            for (at, (wanted, given)) in wanted.iter().zip(given).enumerate() {
                compare(&format!("{path}[{at}]"), wanted, given, misses);
            }
        }
        (Exact::Plain(Value::String(_)), Exact::Object(_)) => compare(path, expected, name_of(actual), misses),
        (Exact::Plain(wanted), Exact::Plain(given)) if wanted == given => {}
        (Exact::Number(wanted), Exact::Number(given)) if is_same(wanted.get(), given.get()) => {}
        _ => misses.push(format!("`{path}`: expected {expected}, got {actual}")),
    }
}

/// A rule, gate or obligation by its name; anything else as it is.
fn name_of(value: &Exact) -> &Exact {
    match value {
        Exact::Object(_) => value.get("id").or_else(|| value.get("name")).unwrap_or(&Exact::Plain(Value::Null)),
        _ => value,
    }
}

/// Whether two numbers of JSON are the same, to the last digit, however they are written.
fn is_same(one: &str, other: &str) -> bool {
    one == other || parts(one).is_some_and(|parts_of_one| Some(parts_of_one) == parts(other))
}

/// Sign, digits and power of ten of a number, with no zero that could be left out; `None` for a power beyond all sense.
fn parts(number: &str) -> Option<(bool, String, i64)> {
    let (is_negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (number, power) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    let power: i64 = power.strip_prefix('+').unwrap_or(power).parse().ok()?;
    let dropped = i64::try_from(digits.len().checked_sub(significant.len())?).ok()?;
    let power = power.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(dropped)?;
    let significant = significant.trim_start_matches('0').to_owned();
    Some(if significant.is_empty() { (false, significant, 0) } else { (is_negative, significant, power) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_named_may_be_anything() {
        let read = |value: Value| Exact::read(&value.to_string());
        let decision = read(json!({
            "decision": "DENY", "codes": ["A", "B"],
            "rules": [{ "id": "m.a", "effect": "deny" }, { "id": "m.b", "effect": "deny" }],
            "obligations": [{ "name": "tell", "arguments": { "cost": 10 } }],
        }));
        let fits = |expected: Value| misses(&read(expected), &decision);
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

    #[test]
    fn numbers_are_compared_to_the_last_digit() {
        for same in
            [["10", "10.0"], ["10", "1e1"], ["-0.40", "-4E-1"], ["0", "-0.00"], ["100e-2", "1"], ["0.010", "1e-2"]]
        {
            assert_eq!(misses(&Exact::read(same[0]), &Exact::read(same[1])), [""; 0], "{same:?}");
        }
        for [one, other] in [
            ["9223372036854.775807", "9223372036854.775808"],
            ["1", "-1"],
            ["10", "1"],
            ["0.1", "0.01"],
            ["1e400", "1e401"],
            ["1e99999999999999999999", "1e9"],
        ] {
            let told = misses(&Exact::read(one), &Exact::read(other));
            assert_eq!(told, [format!("``: expected {one}, got {other}")]);
        }
        assert_eq!(misses(&Exact::read("1"), &Exact::read("\"1\"")).len(), 1);
    }
}
