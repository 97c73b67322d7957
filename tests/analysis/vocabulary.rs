//! A change of what requests and entities may say, held against the machines of both versions: an answer that differs
//! for some random request of either version has to be one that was told.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use pdl::analysis::diff::Diff;
use pdl::analysis::question::Kind;
use pdl::analysis::request::Request;
use pdl::types::typed::{FieldDef, TypedPolicy};

use crate::analysis::house::House;
use crate::analysis::pairs::{OPTIONS, compared};
use crate::analysis::samples::{directions, is_open, requests};
use crate::generate::random::Random;

const BASE: &str = r#"module m
enum Kind { web, page, app }
record Part { name: String max 6, size: Int in 0..=9 }
entity Team in Team
entity Person in Team { level: Int in 0..=5 }
entity Agent in Team { level: Int in 0..=5, tags: Set<String> max 4, owner: Person }
presented entity Service { kind: Kind, frozen: Bool, by: Person, limits: Map<String, Int in 0..=9> max 3 }
action deploy {
    subject: Agent | Person
    resource: Service
    context {
        cost: Decimal
        note: String max 8
        size: Int?
        some: Int in 0..=9
        names: List<String max 4> max 3
        flags: Set<Bool>
        kinds: Set<Kind>
        parts: List<Part> max 3
        at: Timestamp @kernel
        who: Person
    }
}
"#;

/// What is asked of the fields: little, some, and much.
const RULES: [&str; 3] = [
    "policy p on deploy { allow ok when context.cost > 1.0 or not resource.frozen }",
    "policy p on deploy {
        allow ok when context.some > 2
        deny cold when resource.frozen and resource.kind == web
    }",
    r#"policy p on deploy {
        allow ok when (context.size ?? 3) >= 3 or "a" in context.names or resource.kind in {page, app}
        deny full when any(part in context.parts: part.size > 5 and part.name != "b") unless context.who == resource.by
        deny set when context.kinds contains_any {web} and context.names.size > 1
    }"#,
];

/// What is replaced by what.
const CHANGES: [(&str, &str); 28] = [
    ("some: Int in 0..=9", "some: Int in 0..=5"),
    ("some: Int in 0..=9", "some: Int in 3..=12"),
    ("note: String max 8", "note: String max 1"),
    ("size: Int?", "size: Int"),
    ("size: Int?", "size: Int in 1..=4"),
    ("cost: Decimal", "cost: Decimal?"),
    ("names: List<String max 4> max 3", "names: List<String max 4> max 1"),
    ("names: List<String max 4> max 3", "names: List<String max 1> max 3"),
    ("names: List<String max 4> max 3", "names: List<String max 4> max 3?"),
    ("flags: Set<Bool>", "flags: Set<Bool> max 1"),
    ("kinds: Set<Kind>", "kinds: Set<Kind> max 1"),
    ("parts: List<Part> max 3", "parts: List<Part> max 1"),
    ("size: Int in 0..=9 }\nentity", "size: Int in 0..=4 }\nentity"),
    ("name: String max 6,", "name: String max 1,"),
    ("name: String max 6,", "name: String max 6?,"),
    ("max 3 }\naction", "max 1 }\naction"),
    ("limits: Map<String, Int in 0..=9>", "limits: Map<String, Int in 2..=9>"),
    ("{ web, page, app }", "{ web, page }"),
    ("{ web, page, app }", "{ web, page, app, other }"),
    ("{ web, page, app }", "{ app, page, web }"),
    ("tags: Set<String> max 4", "tags: Set<String> max 1"),
    ("Agent in Team { level: Int in 0..=5", "Agent in Team { level: Int in 1..=5"),
    ("Person in Team { level: Int in 0..=5 }", "Person in Team { level: Int in 0..=3 }"),
    ("subject: Agent | Person", "subject: Agent"),
    ("who: Person", "who: Person?"),
    ("by: Person", "by: Person?"),
    ("at: Timestamp @kernel", "at: Timestamp @kernel, more: Bool?"),
    ("frozen: Bool, by", "frozen: Bool?, by"),
];

/// A request or the entities as a version is asked: without the fields that it does not declare.
fn as_asked(policy: &TypedPolicy, kind: &Kind, asked: &Request) -> Request {
    let parse = |text: &str| serde_json::from_str::<Value>(text).expect("it is JSON");
    let (mut request, mut facts, mut entities) = (parse(&asked.request), parse(&asked.facts), parse(&asked.entities));
    let action = policy.actions.iter().find(|action| action.wire == kind.action).expect("both have the action");
    let keep = |fields: &[FieldDef], members: Option<&mut Map<String, Value>>, kernel: Option<bool>| {
        let declared = |name: &str| fields.iter().any(|field| &*field.name == name && kernel != Some(!field.kernel));
        if let Some(members) = members {
            members.retain(|name, _| declared(name));
        }
    };
    keep(&action.context, facts.as_object_mut(), Some(true));
    for place in ["/context", "/action/properties"] {
        keep(&action.context, request.pointer_mut(place).and_then(Value::as_object_mut), Some(false));
    }
    let of_entity = |entity: &mut Value| {
        let ty = entity["type"].as_str().unwrap_or_default().to_owned();
        let def = policy.entity_types.iter().find(|def| *def.wire == ty).expect("both have the type");
        keep(&def.attributes, entity.get_mut("properties").and_then(Value::as_object_mut), None);
    };
    for name in ["subject", "resource"] {
        of_entity(&mut request[name]);
    }
    entities.as_array_mut().into_iter().flatten().for_each(of_entity);
    Request { request: request.to_string(), facts: facts.to_string(), entities: entities.to_string() }
}

fn held(houses: &[House; 2], found: &Diff, random: &mut Random) -> Result<usize, String> {
    let mut differences = 0;
    for side in 0..2 {
        for (kind, request) in requests(&houses[side].policy, random, 4) {
            let told = [0, 1].map(|side| houses[side].told(&as_asked(&houses[side].policy, &kind, &request)));
            // A registry that one version refuses is another registry, not another answer.
            if told.iter().any(|told| told.reasons.starts_with("entities are refused")) {
                continue;
            }
            let ways = directions(&told);
            if ways.is_empty() {
                continue;
            }
            differences += 1;
            let listed = found.changes.iter().any(|of| of.kind == kind && ways.contains(&of.direction));
            if !listed && !ways.iter().any(|way| is_open(found, &kind, *way)) {
                return Err(format!("{ways:?} is not told of {request:#?}\n{told:#?}"));
            }
        }
    }
    Ok(differences)
}

#[test]
fn changes_of_the_vocabulary_are_told() {
    let (mut faults, mut differences, mut undecided) = (String::new(), 0, 0);
    for (at, (from, to)) in CHANGES.iter().enumerate() {
        assert!(BASE.contains(from), "{from}");
        for (number, rules) in RULES.iter().enumerate() {
            let old = House::of(&format!("{BASE}{rules}"));
            let Ok(new) =
                crate::analysis::house::try_typed(&format!("{}{rules}", BASE.replace(from, to))).and_then(House::new)
            else {
                // A rule asks for what is not there any more.
                continue;
            };
            let mut random = Random::new(at as u64 * 10 + number as u64);
            // Both ways: what one takes no longer the other takes more of.
            for turned in [false, true] {
                let clone = |house: &House| House::new(house.policy.clone()).expect("it was one");
                let houses = if turned { [clone(&new), clone(&old)] } else { [clone(&old), clone(&new)] };
                let found = compared(&houses, OPTIONS);
                undecided += usize::from(!found.undecided.is_empty());
                match held(&houses, &found, &mut random) {
                    Ok(count) => differences += count,
                    Err(fault) => {
                        let _ = writeln!(faults, "{from} → {to}, rules {number}, turned {turned}: {fault}");
                    }
                }
            }
        }
    }
    println!("{differences} requests differ, {undecided} comparisons in part undecided");
    assert!(faults.is_empty(), "{faults}");
    assert!(differences > 500 && undecided == 0);
}
