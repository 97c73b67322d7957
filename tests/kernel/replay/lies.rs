//! Every place of an entry, changed once.

use super::*;

/// Something else than a value, of the same form as far as that can be.
fn another(value: &Value) -> Value {
    match value {
        Value::Null => json!(0),
        Value::Bool(is) => json!(!is),
        Value::Number(number) => json!(number.as_i64().expect("it is a whole number") + 1),
        Value::String(text) => json!(format!("{text}x")),
        Value::Array(items) => json!([&items[..], &[json!("x")]].concat()),
        Value::Object(members) => {
            let mut members = members.clone();
            members.insert("x".to_owned(), json!("x"));
            Value::Object(members)
        }
    }
}

/// A value in all ways in which one place of it is changed, or is not there any more.
fn all_lies(value: &Value) -> Vec<Option<Value>> {
    let mut lies = vec![None, Some(another(value))];
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                for lie in all_lies(item) {
                    let mut items = items.clone();
                    items.splice(at..=at, lie);
                    lies.push(Some(Value::Array(items)));
                }
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                for lie in all_lies(member) {
                    let mut members = members.clone();
                    members.remove(name);
                    members.extend(lie.map(|lie| (name.clone(), lie)));
                    lies.push(Some(Value::Object(members)));
                }
            }
        }
        _ => {}
    }
    lies
}

/// What a decision is compared by in haste has to see every one of these, however small.
#[test]
fn no_place_of_an_entry_can_be_changed_without_being_found() {
    const LIES: usize = 160;
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    kernel.activate(&olga(), &bundle(SHOP, ""), Some(ENTITIES)).expect("it is activated");
    let facts: Option<&[u8]> = Some(br#"{"spent":0.25}"#);
    let asked = [("1.5", "1"), ("499", "1"), ("99", "10"), ("0", "1"), ("9000000000000", "9000000000000")];
    for (cost, rate) in asked.into_iter().flat_map(|asked| [asked; LIES]) {
        assert_eq!(kernel.decide(&agent(), &request(cost, rate, false), facts).trouble, None);
    }
    // Five years later everything is denied.
    world.turn(5 * 366 * 24 * 3_600);
    for _ in 0..LIES {
        assert_eq!(kernel.decide(&agent(), &request("1.5", "1", true), facts).trouble, None);
    }
    let entries = decided(&kernel);
    let mut lies: BTreeMap<String, Vec<Map<String, Value>>> = BTreeMap::new();
    for entry in &entries {
        let kind = entry.body["kind"].to_string();
        lies.entry(kind).or_insert_with(|| {
            // Who asked is not decided again, and all of it is there as long as the body is an object.
            let is_compared = |body: &Map<String, Value>| body.get("principal") == entry.body.get("principal");
            let bodies = all_lies(&Value::Object(entry.body.clone())).into_iter().flatten();
            bodies.filter_map(|body| body.as_object().cloned()).filter(is_compared).collect()
        });
    }
    assert_eq!(lies.len(), 6, "there is one of every kind");
    let mut changed_ones = Vec::new();
    let kernel = changed(kernel, |entry| {
        if is_asked(entry)
            && let Some(body) = lies.get_mut(&entry.body["kind"].to_string()).and_then(Vec::pop)
        {
            entry.body = body;
            changed_ones.push((entry.index, Value::Object(entry.body.clone()).to_string()));
        }
    });
    assert!(lies.values().all(Vec::is_empty), "all lies were told");
    assert!(changed_ones.len() > 6 * 50, "{}", changed_ones.len());
    let options = Options { named_max: usize::MAX, ..options(1) };
    let report = kernel.replay(&olga(), &options, &mut |_| {}).expect("the store is there");
    let found: Vec<u64> = report.findings.iter().map(|finding| finding.index).collect();
    let missed: Vec<_> = changed_ones.iter().filter(|(index, _)| !found.contains(index)).collect();
    assert!(missed.is_empty(), "{missed:?}");
    assert_eq!(found.len(), changed_ones.len(), "and nothing else is");
    assert_eq!(report.same + found.len() as u64, report.decisions);
}
