//! Entities: what is loaded, every kind of fault, patches, and the version of the registry.

use std::collections::BTreeSet;
use std::fs;

use pdl::base::hash::Digest;
use pdl::base::limits::{DIAGNOSTICS_MAX, ENTITIES_BYTES_MAX};
use pdl::vm::canonical::Form;
use pdl::vm::decode::names::Plan;
use pdl::vm::entities::Entities as _;
use pdl::vm::image::Image;
use pdl::vm::store::Store;
use pdl::vm::store::fault::{EntityFault, EntityFaultKind};
use serde_json::{Value as Json, json};

use crate::input::world::{self, ENTITIES, PERSON, SERVICE, TEAM};

fn loaded(image: &Image, plan: &Plan) -> Store {
    Store::load(image, plan, ENTITIES.as_bytes()).expect("the entities are sound")
}

fn outcome(case: &Json) -> Result<Store, Vec<EntityFault>> {
    let (image, plan) = world::image();
    if let Some(patch) = case.get("patch") {
        return loaded(&image, &plan).patch(&image, &plan, &world::bytes(patch));
    }
    if let Some(bytes) = case["bytes"].as_array() {
        let bytes: Vec<u8> = bytes.iter().filter_map(Json::as_u64).map(|byte| byte as u8).collect();
        return Store::load(&image, &plan, &bytes);
    }
    let mut entities =
        case.get("entities").cloned().unwrap_or_else(|| serde_json::from_str(ENTITIES).expect("it is JSON"));
    if let Some(entities) = entities.as_array_mut() {
        entities.extend(case["add"].as_array().into_iter().flatten().cloned());
    }
    Store::load(&image, &plan, &world::bytes(&entities))
}

#[test]
fn every_case_is_answered_as_it_says_and_every_kind_of_fault_has_one() {
    let text = fs::read_to_string("tests/cases/input/entities.jsonl").expect("the cases can be read");
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let case: Json = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        match (outcome(&case), case["faults"].as_array()) {
            (Ok(store), None) => {
                if json!(store.len()) != case["count"] {
                    wrong.push(format!("{}: {} entities", case["name"], store.len()));
                }
            }
            (Ok(_), Some(_)) => wrong.push(format!("{}: nothing is wrong", case["name"])),
            (Err(faults), expected) => {
                seen.extend(faults.iter().map(|fault| fault.kind));
                let shown: Vec<String> = faults
                    .iter()
                    .map(|fault| match &fault.entity {
                        Some(_) => format!("{} {fault}", fault.kind.name()),
                        None => format!("{} {}: {}", fault.kind.name(), fault.path, fault.message),
                    })
                    .collect();
                let expected: Vec<&str> = expected.into_iter().flatten().filter_map(Json::as_str).collect();
                let fits = shown.len() == expected.len()
                    && shown.iter().zip(&expected).all(|(shown, expected)| shown.starts_with(expected));
                if !fits {
                    wrong.push(format!("{}: {shown:#?}", case["name"]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A case of its own, for its length: nobody looks at the bytes.
    let (image, plan) = world::image();
    let faults = Store::load(&image, &plan, &vec![0; ENTITIES_BYTES_MAX + 1]).expect_err("it is too long");
    seen.extend(faults.iter().map(|fault| fault.kind));
    assert_eq!(seen, EntityFaultKind::ALL.iter().copied().collect());
}

#[test]
fn the_hierarchy_and_the_attributes_are_found_by_row() {
    let (image, plan) = world::image();
    let store = loaded(&image, &plan);
    let row = |ty, id| store.find(&image, ty, id).and_then(|entity| entity.row.stored_at()).expect("it is registered");
    let (acme, shop) = (row(TEAM, "acme"), row(TEAM, "shop"));
    let (ann, bob, web) = (row(PERSON, "ann"), row(PERSON, "bob"), row(SERVICE, "web"));
    let below = |below: u32| [acme, shop, ann, bob, web].map(|above| store.is_in(below, above));
    assert_eq!(below(acme), [true, false, false, false, false]);
    assert_eq!(below(shop), [true, true, false, false, false]);
    assert_eq!(below(ann), [true, true, true, false, false]);
    assert_eq!(below(bob), [false, false, false, true, false]);
    assert_eq!(below(web), [true, true, false, false, true]);
    // The team that the program names has the row that the program expects.
    let named =
        image.named.iter().find(|entity| u32::from(entity.ty) == TEAM).and_then(|entity| entity.row.stored_at());
    assert_eq!(named, Some(shop));
    let nobody =
        image.named.iter().find(|entity| u32::from(entity.ty) == PERSON).and_then(|entity| entity.row.stored_at());
    let nobody = nobody.expect("the program names nobody");
    assert!(!store.is_registered(nobody) && store.attribute(nobody, 0).is_none());
    assert!(
        store.attribute(ann, 0).is_some() && store.attribute(ann, 99).is_none() && store.attribute(9_999, 0).is_none()
    );
}

#[test]
fn the_version_of_a_registry_is_that_of_its_meaning() {
    let (image, plan) = world::image();
    let digest = |entities: &Json| {
        let store = Store::load(&image, &plan, entities.to_string().as_bytes()).expect("the entities are sound");
        store.digest(&image)
    };
    let mut entities: Json = serde_json::from_str(ENTITIES).expect("it is JSON");
    let first = digest(&entities);
    entities.as_array_mut().expect("an array").reverse();
    assert_eq!(digest(&entities), first);
    // Parents and friends in another order, written in another way.
    let web = entities.as_array_mut().expect("an array").first_mut().expect("web stands there");
    web["in"] = json!([{"type": "acme.Team", "id": "acme"}, "shop"]);
    assert_eq!(digest(&entities), first);
    entities[0]["properties"]["load"] = json!(2);
    assert_ne!(digest(&entities), first);
}

/// What the documentation says that the digest is, and what it was before.
#[test]
fn a_version_is_the_digest_of_the_digests_of_its_entities() {
    let (image, plan) = world::image();
    let store = loaded(&image, &plan);
    let texts: Vec<String> = store
        .registered()
        .map(|row| store.canonical(&image, Form::Digest, |other| other == row))
        .map(|text| text[1..text.len() - 1].to_owned())
        .collect();
    let key = |text: &String| {
        let entity: Json = serde_json::from_str(text).expect("it is JSON");
        ["type", "id"].map(|name| entity[name].as_str().expect("it has one").to_owned())
    };
    let mut sorted: Vec<([String; 2], String)> = texts.iter().map(|text| (key(text), text.clone())).collect();
    sorted.sort();
    let digests = sorted.iter().flat_map(|(_, text)| Digest::of(text.as_bytes()).0);
    let bytes: Vec<u8> = [b'['].into_iter().chain(digests).chain([b']']).collect();
    let (name, empty) = (store.digest(&image), Store::empty(&image));
    assert_eq!((name, empty.digest(&image)), (Digest::of(&bytes), Digest::of(b"[]")));
    assert_eq!(Store::load(&image, &plan, b"[]").expect("it is sound").digest(&image), Digest::of(b"[]"));
    // By its former name it is known too, and has it then; what is made of it has one of today.
    let mut pieces = Vec::new();
    store.pass_canonical(&image, Form::Digest, |piece| pieces.extend_from_slice(piece));
    assert_eq!(String::from_utf8(pieces).expect("it is text"), store.canonical(&image, Form::Digest, |_| true));
    let former = Digest::of(store.canonical(&image, Form::Digest, |_| true).as_bytes());
    assert!(!store.is_version(&image, Digest::of(b"another")) && store.is_version(&image, name));
    assert_eq!(store.digest(&image), name);
    assert!(store.is_version(&image, former));
    assert_eq!(store.digest(&image), former);
    let same = store.patch(&image, &plan, br#"{"upsert":[]}"#).expect("it is sound");
    assert_eq!(same.digest(&image), name);
}

/// Patches one after the other, with texts and parents that are new, give at each step what the whole document gives.
#[test]
fn a_row_of_patches_is_the_document_that_they_make() {
    let (image, plan) = world::image();
    let mut entities: Vec<Json> = serde_json::from_str(ENTITIES).expect("it is JSON");
    entities.extend((0..600).map(|n| json!({"type": "Team", "id": format!("t{n:03}"), "properties": {}})));
    let mut store = Store::load(&image, &plan, &world::bytes(&json!(entities))).expect("it is sound");
    let first = store.digest(&image);
    for step in 0..200_usize {
        // Teams that are there, are new, get other parents and lose them again.
        let named: Vec<usize> =
            if step % 7 == 0 { (step * 3..step * 3 + 300).collect() } else { vec![step * 31 % 900] };
        let upsert: Vec<Json> = named
            .iter()
            .map(|n| {
                let mut team = json!({"type": "Team", "id": format!("t{n:03}"), "properties": {}});
                if step % 3 == 0 && *n > 0 && *n < 600 {
                    team["in"] = json!([{"type": "Team", "id": format!("t{:03}", n - 1)}]);
                }
                team
            })
            .chain([{
                let (id, friends) = [("ann", json!(["bob"])), ("cyd", json!(["ann", "bob"]))][step % 2].clone();
                let person = json!({"level": step % 10, "manager": "bob", "friends": friends});
                json!({"type": "Person", "id": id, "in": ["t001"], "properties": person})
            }])
            .collect();
        for new in &upsert {
            match entities.iter().position(|old| old["type"] == new["type"] && old["id"] == new["id"]) {
                Some(at) => entities[at] = new.clone(),
                None => entities.push(new.clone()),
            }
        }
        store = store.patch(&image, &plan, &world::bytes(&json!({"upsert": upsert}))).expect("it is sound");
        if step % 20 == 0 || step == 199 {
            let whole = Store::load(&image, &plan, &world::bytes(&json!(entities))).expect("it is sound");
            let text = |store: &Store| store.canonical(&image, Form::Digest, |_| true);
            assert_eq!((store.len(), text(&store)), (whole.len(), text(&whole)), "step {step}");
            assert_eq!(store.digest(&image), whole.digest(&image), "step {step}");
            let row = |store: &Store, n: usize| {
                let team = store.find(&image, TEAM, &format!("t{n:03}"));
                team.and_then(|team| team.row.stored_at()).expect("it is there")
            };
            for (low, high) in (1..600_usize).flat_map(|n| [(n, n - 1), (n, n.saturating_sub(2)), (n - 1, n)]) {
                let is_in = |store: &Store| store.is_in(row(store, low), row(store, high));
                assert_eq!(is_in(&store), is_in(&whole), "step {step}: {low} in {high}");
            }
        }
    }
    assert_ne!(store.digest(&image), first);
}

#[test]
fn what_a_store_writes_is_what_it_was_loaded_from_and_a_patch_is_a_changed_document() {
    let (image, plan) = world::image();
    let store = loaded(&image, &plan);
    let written = store.canonical(&image, Form::Wire, |_| true);
    let again = Store::load(&image, &plan, written.as_bytes()).expect("it is sound");
    assert_eq!(again.digest(&image), store.digest(&image));
    let cat = json!({"type": "Person", "id": "cat", "properties": {"level": 2, "friends": ["bob"]}, "in": ["shop"]});
    let patch = json!({"upsert": [cat], "remove": [{"type": "Service", "id": "web"}]});
    let patched = store.patch(&image, &plan, patch.to_string().as_bytes()).expect("it is sound");
    let mut entities: Json = serde_json::from_str(ENTITIES).expect("it is JSON");
    let list = entities.as_array_mut().expect("an array");
    list.retain(|entity| entity["id"] != "web");
    list.push(cat);
    let whole = Store::load(&image, &plan, entities.to_string().as_bytes()).expect("it is sound");
    assert_eq!(patched.digest(&image), whole.digest(&image));
    assert_ne!(patched.digest(&image), store.digest(&image));
    insta::assert_snapshot!(
        "input_entities",
        patched.canonical(&image, Form::Digest, |_| true).replace("},{", "},\n{")
    );
}

#[test]
fn no_more_faults_are_told_than_anybody_reads() {
    let (image, plan) = world::image();
    let entities: Vec<Json> = (0..2_000).map(|at| json!({"type": "Nope", "id": format!("{at}")})).collect();
    let faults = Store::load(&image, &plan, json!(entities).to_string().as_bytes()).expect_err("all are wrong");
    assert_eq!(faults.len(), DIAGNOSTICS_MAX);
}

#[test]
fn many_entities_with_long_chains_are_loaded() {
    let (image, plan) = world::image();
    let mut entities: Vec<Json> = Vec::new();
    for at in 0..3_000 {
        let parents = if at == 0 { json!([]) } else { json!([format!("t{}", at - 1)]) };
        entities.push(json!({"type": "Team", "id": format!("t{at}"), "in": parents}));
    }
    for at in 0..3_000 {
        let properties =
            json!({"level": at % 11, "manager": format!("p{}", 2_999 - at), "friends": [format!("p{at}")]});
        entities.push(json!({"type": "Person", "id": format!("p{at}"), "properties": properties, "in": ["t2999"]}));
    }
    let store = Store::load(&image, &plan, json!(entities).to_string().as_bytes()).expect("the entities are sound");
    let row = |ty, id: &str| store.find(&image, ty, id).and_then(|entity| entity.row.stored_at()).expect("it is there");
    assert_eq!(store.len(), 6_000);
    assert!(store.is_in(row(PERSON, "p17"), row(TEAM, "t0")));
    assert!(!store.is_in(row(TEAM, "t0"), row(TEAM, "t2999")));
}
