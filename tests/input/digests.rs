//! Canonical texts and digests: against the vectors of RFC 8785, by meaning, and there and back again.

use std::fs;

use pdl::vm::canonical::{Form, key_order, push_object, push_string};
use pdl::vm::decode::{Options, Scratch, World, decode};
use pdl::vm::digest::{Canonical, canonical, canonical_in};
use pdl::vm::input::Fail;
use pdl::vm::json::{JsonError, Reader, Shape};
use pdl::vm::memory::Local;
use pdl::vm::store::Store;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use serde_json::{Value as Json, json};

use crate::input::requests::{facts, request};
use crate::input::world;

/// A number as ECMAScript writes it. The core writes none: its numbers are strings or come from decimals.
fn number(value: f64) -> String {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').expect("it has an exponent");
    match exponent.parse::<i32>().expect("it is a number") {
        -7..21 => format!("{value}"),
        exponent if exponent > 0 => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// The next value in the layout of RFC 8785: read by the core's reader, with strings and objects written by the core.
fn layout(reader: &mut Reader<'_>) -> Result<String, JsonError> {
    let mut out = String::new();
    match reader.peek()? {
        Shape::Null => reader.null().map(|()| out.push_str("null"))?,
        Shape::Bool => out.push_str(&reader.bool()?.to_string()),
        Shape::Number => out.push_str(&number(reader.number()?.parse().expect("it is a number"))),
        Shape::String => push_string(&mut out, &reader.string()?.characters().collect::<String>()),
        Shape::Array => {
            let mut elements = Vec::new();
            let mut more = reader.first_element()?;
            while more {
                elements.push(layout(reader)?);
                more = reader.next_element()?;
            }
            out.push_str(&format!("[{}]", elements.join(",")));
        }
        Shape::Object => {
            let mut members = Vec::new();
            let mut key = reader.first_key()?;
            while let Some(name) = key {
                members.push((name.characters().collect(), layout(reader)?));
                key = reader.next_key()?;
            }
            push_object(&mut out, members);
        }
    }
    Ok(out)
}

#[test]
fn strings_and_keys_are_laid_out_as_rfc_8785_has_them() {
    let mut count = 0;
    for file in fs::read_dir("tests/vectors/jcs/input").expect("the folder is there") {
        let path = file.expect("the folder can be read").path();
        let name = path.file_name().expect("a file has a name");
        let input = fs::read(&path).expect("it can be read");
        let output = fs::read_to_string(path.with_file_name("../output").join(name)).expect("there is an output");
        let written = Reader::new(&input).and_then(|mut reader| layout(&mut reader));
        assert_eq!(written, Ok(output), "{}", path.display());
        count += 1;
    }
    assert_eq!(count, 6);
}

fn texts_in(form: Form, request: &str, facts: &Json) -> Result<Canonical, Fail> {
    let (image, plan) = world::image();
    let store = Store::load(&image, &plan, world::ENTITIES.as_bytes()).expect("the entities are sound");
    let world = World { image: &image, plan: &plan, store: &store };
    canonical_in(world, Options::STRICT, form, request.as_bytes(), Some(facts.to_string().as_bytes()))
}

fn texts(request: &Json) -> Canonical {
    texts_in(Form::Digest, &request.to_string(), &facts()).unwrap_or_else(|error| panic!("{request}: {error}"))
}

/// A request that gives nearly everything.
fn full() -> Json {
    let mut request = request();
    request["context"] = json!({
        "commit": "4f2", "cost": 12.5, "unread": ["y", "x"], "level": 10, "count": 9_007_199_254_740_993_i64,
        "wait": "PT90M", "at": "2026-01-31T12:00:00.5+01:00", "ip": "::ffff:10.0.0.1", "net": "10.0.0.0/8",
        "url": "HTTPS://Example.com:443/a/../b", "path": "/srv//app/../x", "kind": "page", "waits": ["2m", "PT60S"],
        "point": {"x": 1, "label": null}, "points": [{"label": "ä", "x": 2}, {"x": 1}], "counts": {"b": 1, "a": 2, "\u{1f600}": 3},
        "person": "ann", "anyone": {"type": "Agent", "id": "x", "properties": {"level": 1, "tags": [], "unread": {"k": 7}}},
        "people": ["bob", "ann"], "urgent": true, "note": "just so",
    });
    request["resource"]["properties"] = json!({"region": "us"});
    request
}

#[test]
fn the_canonical_texts_of_a_full_request() {
    let texts = texts(&full());
    let shown = format!("request\n{}\n\nfacts\n{}\n\nbinding\n{}\n", texts.request, texts.facts, texts.binding);
    insta::assert_snapshot!("input_canonical", shown);
}

#[test]
fn a_binding_covers_what_people_agree_to_and_nothing_else() {
    let first = texts(&full());
    let changed = |pointer: &str, value: Json| {
        let mut request = full();
        *request.pointer_mut(pointer).expect("the pointer leads somewhere") = value;
        texts(&request)
    };
    for (pointer, value) in [
        ("/subject/id", json!("other")),
        ("/subject/properties/level", json!(6)),
        ("/subject/properties/unread", json!({"k": 1})),
        ("/resource/properties/region", json!("eu")),
        ("/context/commit", json!("4f3")),
        ("/context/count", json!(9_007_199_254_740_992_i64)),
        ("/context/unread", json!([])),
        ("/context/anyone/properties/unread", json!({"k": 8})),
    ] {
        let changed = changed(pointer, value);
        assert_ne!(changed.binding, first.binding, "{pointer}");
        assert_ne!(changed.request, first.request, "{pointer}");
    }
    let advisory = changed("/context/note", json!("why not"));
    assert_eq!(advisory.binding, first.binding);
    assert_ne!(advisory.request, first.request);
    let later = texts_in(Form::Digest, &full().to_string(), &json!({"now": "2027-01-31T12:00:00Z", "votes": 2}));
    let later = later.expect("the facts are right");
    assert_eq!((&later.binding, &later.request), (&first.binding, &first.request));
    assert_ne!(later.digests().facts, first.digests().facts);
    // An action of another name, an entity of another type.
    let mut read = json!({"subject": {"type": "Person", "id": "ann"}, "action": {"name": "read"}, "resource": {"type": "Document", "id": "web"}});
    let budget = json!({"budget": 1});
    let of = |request: &Json| texts_in(Form::Digest, &request.to_string(), &budget).expect("it is right").binding;
    let before = of(&read);
    read["resource"]["id"] = json!("wob");
    assert_ne!(of(&read), before);
}

#[test]
fn what_means_the_same_has_the_same_digests() {
    let first = texts(&full()).digests();
    let mut request = full();
    request["action"]["name"] = json!("acme.deploy");
    request["subject"]["type"] = json!("acme.Agent");
    let context = request["context"].as_object_mut().expect("an object");
    for (key, value) in [
        ("wait", json!("1h30m")),
        ("at", json!("2026-01-31T11:00:00.500Z")),
        ("ip", json!("10.0.0.1")),
        ("url", json!("https://example.com/b")),
        ("path", json!("/srv/x")),
        ("waits", json!(["1m", "2m"])),
        ("person", json!({"id": "ann", "type": "acme.Person"})),
        ("people", json!(["ann", "bob"])),
        ("short", json!(null)),
    ] {
        context.insert(key.to_owned(), value);
    }
    let cost = context.shift_remove("cost").expect("it is there");
    request["action"]["properties"] = json!({ "cost": cost });
    assert_eq!(texts(&request).digests(), first);
    let text = full().to_string().replace("12.5", "1.2500000e1").replace("\"4f2\"", "\"\\u0034f2\"");
    assert_eq!(texts_in(Form::Digest, &text, &facts()).expect("it is right").digests(), first);
}

/// Values of every field, each valid.
fn context() -> impl Strategy<Value = Json> {
    let strings = prop_oneof!["[a-c]{0,3}", any::<String>().prop_map(|text| text.chars().take(20).collect())];
    let set = |strings: BoxedStrategy<String>| prop::collection::btree_set(strings, 0..=3).prop_map(|set| json!(set));
    let counts = prop::collection::btree_map(strings.clone(), any::<i64>(), 0..=3).prop_map(|map| json!(map));
    let point = (0..=10, prop::option::of(strings.clone())).prop_map(|(x, label)| json!({"x": x, "label": label}));
    let people = subsequence(vec!["ann", "bob"], 0..=2).prop_map(|people| json!(people));
    let all = (
        (strings.clone(), any::<i64>(), set(strings.clone().boxed()), set(strings.boxed())),
        (any::<i64>(), 0..=10, any::<bool>(), prop::sample::select(vec!["webapp", "page", "automation"])),
        (counts, prop::collection::vec(point, 0..=3), people),
        (0..100_000_000_i64, 0..4_000_000_000_u32, any::<[u16; 8]>()),
    );
    all.prop_map(
        |((commit, cost, tags, unread), (count, level, urgent, kind), (counts, points, people), (wait, ip, v6))| {
            let cost = serde_json::from_str::<Json>(&format!(
                "{}.{:06}",
                cost / 1_000_000_000,
                cost.unsigned_abs() % 1_000_000
            ));
            json!({
                "commit": commit, "cost": cost.expect("it is a number"), "tags": tags, "unread": unread, "count": count,
                "level": level, "urgent": urgent, "kind": kind, "counts": counts, "points": points, "people": people,
                "wait": format!("{wait}ms"), "ip": std::net::Ipv4Addr::from(ip).to_string(),
                "net": format!("{}/128", std::net::Ipv6Addr::from(v6)),
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_decoded_and_written_again_is_the_same(context in context(), left_out in any::<[bool; 11]>()) {
        let mut request = request();
        request["context"] = context;
        let optional = ["tags", "count", "level", "urgent", "kind", "counts", "points", "people", "wait", "ip", "net"];
        for (name, _) in optional.iter().zip(left_out).filter(|&(_, left_out)| left_out) {
            request["context"][name] = Json::Null;
        }
        // serde has no decimals; the text is what counts.
        let text = request.to_string();
        let wire = texts_in(Form::Wire, &text, &facts());
        let wire = wire.map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?.request;
        prop_assert_eq!(&texts_in(Form::Wire, &wire, &facts()).expect("it is right").request, &wire);
        let digest = texts_in(Form::Digest, &text, &facts()).expect("it is right");
        prop_assert_eq!(texts_in(Form::Digest, &wire, &facts()).expect("it is right"), digest);
        let written: Json = serde_json::from_str(&wire).expect("it is JSON");
        for (name, value) in written["context"].as_object().expect("an object") {
            let given = &request["context"][name];
            match (given.as_array(), value.as_array()) {
                (Some(given), Some(value)) => prop_assert_eq!(given.len(), value.len()),
                _ if ["commit", "count", "level", "urgent", "kind", "ip", "counts"].contains(&name.as_str()) => {
                    prop_assert_eq!(given, value);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn keys_are_in_the_order_of_their_utf_16_units(
        [left, right] in prop::array::uniform2("[a-c\u{7f}\u{80}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,3}"),
    ) {
        let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        prop_assert_eq!(key_order(&left, &right), units(&left).cmp(&units(&right)));
    }

    #[test]
    fn no_change_of_a_request_makes_it_panic(
        changes in prop::collection::vec((any::<Index>(), any::<u8>()), 1..4), cut in prop::option::of(any::<Index>()),
    ) {
        let mut bytes = full().to_string().into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let (image, plan) = world::image();
        let store = Store::load(&image, &plan, world::ENTITIES.as_bytes()).expect("the entities are sound");
        let world = World { image: &image, plan: &plan, store: &store };
        let facts = facts().to_string();
        let (mut scratch, mut local) = (Scratch::default(), Local::default());
        let result = decode(world, Options::STRICT, &bytes, Some(facts.as_bytes()), &mut scratch, &mut local);
        // What is decoded for digests is refused where a decision refuses it.
        let canonical = canonical(world, Options::STRICT, &bytes, Some(facts.as_bytes()));
        prop_assert_eq!(result.map(drop), canonical.map(drop));
        let _ = decode(world, Options::STRICT, facts.as_bytes(), Some(&bytes), &mut scratch, &mut local);
        let _ = Store::load(&image, &plan, &bytes);
        let _ = store.patch(&image, &plan, &bytes);
    }

    #[test]
    fn no_change_of_the_entities_makes_it_panic(at in any::<Index>(), byte in any::<u8>()) {
        let mut bytes = world::ENTITIES.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let (image, plan) = world::image();
        let _ = Store::load(&image, &plan, &bytes);
    }
}
