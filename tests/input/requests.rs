//! Requests and facts: what is accepted, and every kind of error with its path.

use std::collections::BTreeSet;
use std::fs;

use pdl::vm::decode::{Decoded, Extent, Options, Scratch, World, decode};
use pdl::vm::input::{Document, InputError, InputErrorKind};
use pdl::vm::memory::Local;
use pdl::vm::store::Store;
use pdl::vm::store::fault::EntityFaultKind;
use serde_json::{Value as Json, json};

use crate::input::world;

/// The request that the cases change.
pub fn request() -> Json {
    json!({
        "subject": { "type": "Agent", "id": "ci", "properties": { "level": 5, "tags": ["a"], "owner": "ann", "unread": {} } },
        "action": { "name": "deploy", "properties": {} },
        "resource": { "type": "Service", "id": "web" },
        "context": { "commit": "4f2", "cost": 0.10, "unread": ["x"] },
    })
}

/// The facts that go with it.
pub fn facts() -> Json {
    json!({ "now": "2026-01-31T12:00:00Z" })
}

/// Puts a value where a JSON pointer leads.
fn set(document: &mut Json, pointer: &str, value: Json) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer has a slash");
    let parent = document.pointer_mut(parent).and_then(Json::as_object_mut).expect("the pointer leads to an object");
    parent.insert(key.to_owned(), value);
}

/// The request of a case.
fn changed(case: &Json) -> Vec<u8> {
    if !case["request"].is_null() {
        return world::bytes(&case["request"]);
    }
    let mut request = request();
    for (pointer, value) in case["set"].as_object().into_iter().flatten() {
        set(&mut request, pointer, value.clone());
    }
    for pointer in case["remove"].as_array().into_iter().flatten() {
        let (parent, key) = pointer.as_str().and_then(|text| text.rsplit_once('/')).expect("a pointer has a slash");
        let parent = request.pointer_mut(parent).and_then(Json::as_object_mut).expect("it leads to an object");
        parent.shift_remove(key).expect("there is something to remove");
    }
    let mut text = request.to_string();
    if let Some([from, to]) = case["replace"].as_array().map(Vec::as_slice) {
        let (from, to) = (from.as_str().expect("a text"), to.as_str().expect("a text"));
        assert!(text.contains(from), "{text} has {from}");
        text = text.replacen(from, to, 1);
    }
    text.push_str(&" ".repeat(case["padding"].as_u64().unwrap_or(0) as usize));
    text.into_bytes()
}

fn outcome(case: &Json) -> (Result<Decoded, Box<InputError>>, Scratch) {
    let (image, plan) = world::image();
    let store = match case.get("entities") {
        Some(Json::Null) => Store::empty(&image),
        _ => Store::load(&image, &plan, world::ENTITIES.as_bytes()).expect("the entities are sound"),
    };
    let given = case.get("facts").map_or(Some(facts()), |facts| (!facts.is_null()).then(|| facts.clone()));
    let given = given.map(|facts| world::bytes(&facts));
    let (mut scratch, mut local) = (Scratch::default(), Local::default());
    let world = World { image: &image, plan: &plan, store: &store };
    let options = world::options(&case["options"]);
    (decode(world, options, &changed(case), given.as_deref(), &mut scratch, &mut local), scratch)
}

#[test]
fn every_case_is_answered_as_it_says_and_every_kind_of_error_has_one() {
    let text = fs::read_to_string("tests/cases/input/requests.jsonl").expect("the cases can be read");
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let case: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let (result, scratch) = outcome(&case);
        let mut fault = |what: &dyn std::fmt::Debug| faults.push(format!("{}: {what:?}", case["name"]));
        match (result, case["error"].as_str()) {
            (Ok(decoded), None) => {
                let assumed = case["assumed"].as_bool().unwrap_or(false);
                let ignored = case.get("ignored").cloned().unwrap_or(json!([]));
                if decoded.assumed_presented != assumed || json!(scratch.ignored) != ignored {
                    fault(&(decoded, scratch.ignored));
                }
            }
            (Err(error), Some(kind)) => {
                seen.insert(error.kind);
                let document = if case["document"] == "facts" { Document::Facts } else { Document::Request };
                let path = case["path"].as_str().unwrap_or(&error.path);
                let message = case["message"].as_str().unwrap_or("");
                if error.kind.name() != kind
                    || error.path != path
                    || error.document != document
                    || !error.message.contains(message)
                {
                    fault(&error);
                }
            }
            (result, _) => fault(&result),
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let all: BTreeSet<InputErrorKind> = InputErrorKind::ALL.iter().copied().collect();
    assert_eq!(seen, all);
}

#[test]
fn what_no_rule_reads_is_not_built_and_what_they_read_is() {
    let (image, plan) = world::image();
    let store = Store::load(&image, &plan, world::ENTITIES.as_bytes()).expect("the entities are sound");
    let mut request = request();
    request["subject"]["properties"]["unread"] = json!({ "unread key": 1 });
    request["context"]["unread"] = json!(["unread element"]);
    request["context"]["note"] = json!("unread note");
    let (mut scratch, mut local) = (Scratch::default(), Local::default());
    let world = World { image: &image, plan: &plan, store: &store };
    let facts = facts().to_string();
    for extent in [Extent::Read, Extent::Everything] {
        let options = Options { extent, ..Options::STRICT };
        let decoded =
            decode(world, options, request.to_string().as_bytes(), Some(facts.as_bytes()), &mut scratch, &mut local);
        decoded.expect("the request is right");
        let texts = &local.heap.texts;
        let mut built: Vec<&str> = (0..texts.len() as u32).map(|at| texts.get(at)).collect();
        built.sort_unstable();
        let unread =
            ["unread element", "unread key", "unread note"].into_iter().filter(|_| extent == Extent::Everything);
        let mut expected: Vec<&str> = ["4f2", "a", "ci"].into_iter().chain(unread).collect();
        expected.sort_unstable();
        assert_eq!(built, expected);
        assert_eq!(scratch.inputs.len(), image.program.entries[0].inputs.len());
        assert!(scratch.inputs.iter().all(|value| !value.is_error()));
    }
}

#[test]
fn the_documentation_names_every_kind() {
    let text = fs::read_to_string("docs/language/requests.md").expect("the page can be read");
    let named: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | ")).map(|(kind, _)| kind).collect();
    let inputs = InputErrorKind::ALL.iter().map(|kind| kind.name());
    let faults = EntityFaultKind::ALL.iter().map(|kind| kind.name());
    for kind in inputs.chain(faults) {
        assert!(named.contains(&kind), "docs/language/requests.md names {kind}");
    }
}
