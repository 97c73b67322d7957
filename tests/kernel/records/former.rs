//! Stores of an earlier form: evidence that was kept as it was given is brought into the form of today when the kernel is
//! opened, and what a later kernel has written is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use pdl::base::hash::Digest;
use pdl::data::duration::Duration;
use pdl::kernel::entry::{Entry, Kind};
use pdl::kernel::environment::Environment;
use pdl::kernel::govern::operators::{Change, Operator, Role};
use pdl::kernel::log::append::{Event, Log};
use pdl::kernel::retain::Old;
use pdl::kernel::store::{Object, StoreError, Tx};
use pdl::kernel::writer::WriteError;
use pdl::kernel::{Kernel, KernelError};
use serde_json::{Map, Value, json};

use super::super::house::{World, log, reader, settings, who};
use super::ready;

fn opened(kernel: Kernel, world: &Arc<World>) -> Result<Kernel, KernelError> {
    let environment: Arc<dyn Environment> = Arc::<World>::clone(world);
    Kernel::open(kernel.close().expect("the store is there"), environment, settings())
}

/// Makes of what says the form of the store another.
fn of_form(kernel: &Kernel, form: Option<u64>) {
    let write = move |tx: &mut dyn Tx| {
        let mut meta = tx.get("meta", "kernel")?.expect("it was begun");
        let mut body: Map<String, Value> = serde_json::from_slice(&meta.body).expect("it is JSON");
        match form {
            Some(form) => body.insert("form".to_owned(), form.into()),
            None => body.remove("form"),
        };
        meta.body = Value::Object(body).to_string().into_bytes();
        Ok(tx.put(&meta)?)
    };
    kernel.read(write).expect("it is written");
}

/// Keeps evidence as it once was kept, with the entries of two changes that name it. Gives the first of them.
fn kept_plainly(kernel: &Kernel, world: &Arc<World>, evidence: &'static str) -> Entry {
    let world = Arc::clone(world);
    let write = move |tx: &mut dyn Tx| {
        let digest = tx.put_content(evidence.as_bytes())?.to_string();
        let (kind, key, state) = ("evidence".to_owned(), digest.clone(), String::new());
        tx.put(&Object { kind, key, version: 0, state, due_ms: None, body: b"{}".to_vec() })?;
        let body = Map::from_iter([("evidence".to_owned(), digest.into())]);
        let first = Log::default().append(tx, &*world, Event::new(Kind::RecordCreated, body.clone()))?;
        Log::default().append(tx, &*world, Event::new(Kind::RecordStepped, body))?;
        Ok(first)
    };
    kernel.read(write).expect("it is written")
}

#[test]
fn evidence_without_a_salt_is_brought_into_the_form_of_today() {
    let world = World::new();
    let kernel = ready(&world);
    let (olga, pia) = (reader(), who("Person", "pia"));
    let appointed = Change::Appoint(Operator::person(pia.clone(), &[Role::PrivacyOfficer]));
    kernel.change_operators(&olga, &[appointed]).expect("she is an admin");
    let old = kept_plainly(&kernel, &world, r#"{"n":1}"#);
    world.turn(60);
    let young = kept_plainly(&kernel, &world, r#"{"n":2}"#);
    let orphan = r#"{"n":3}"#;
    let of_orphan = move |tx: &mut dyn Tx| {
        let digest = tx.put_content(orphan.as_bytes())?;
        let (kind, key, state) = ("evidence".to_owned(), digest.to_string(), String::new());
        tx.put(&Object { kind, key, version: 0, state, due_ms: None, body: b"{}".to_vec() })?;
        Ok(digest)
    };
    let orphan = kernel.read(of_orphan).expect("it is written");
    of_form(&kernel, None);
    let before = log(&kernel);

    let kernel = opened(kernel, &world).expect("it opens");
    assert_eq!(log(&kernel), before, "nothing is told of it");
    let digest = |entry: &Entry| entry.body["evidence"].as_str().and_then(Digest::parse).expect("it is one");
    let kept = |kernel: &Kernel| [&old, &young].map(|entry| kernel.evidence(&olga, digest(entry)).expect("she may"));
    let texts = |texts: [Option<&str>; 2]| texts.map(|text| text.map(str::to_owned));
    assert_eq!(kept(&kernel), texts([Some(r#"{"n":1}"#), Some(r#"{"n":2}"#)]));
    // That of entries which are gone is gone.
    assert_eq!(kernel.evidence(&olga, orphan), Ok(None));
    assert_eq!(kernel.read(move |tx| Ok(tx.content(orphan)?)), Ok(None));
    // It is as old as its entry, and that it is removed is told of that.
    assert_eq!(kernel.tidy(&pia, Old::Evidence, Duration(30_000)), Ok(1));
    assert_eq!(kept(&kernel), texts([None, Some(r#"{"n":2}"#)]));
    let told = log(&kernel).pop().expect("it is told");
    assert_eq!((told.kind, &told.links["erased"]), (Kind::ContentErased, &old.id));
    let contents = BTreeMap::from([("/evidence".to_owned(), digest(&old).to_string())]);
    assert_eq!(told.body["contents"], json!(contents));
    // Once it is in the form of today, it is not looked at again; and it is erased with its entry.
    let kernel = opened(kernel, &world).expect("it opens");
    assert_eq!(kept(&kernel), texts([None, Some(r#"{"n":2}"#)]));
    kernel.erase(&pia, &young.id, "the person asked for it").expect("she may").expect("there was something");
    assert_eq!(kept(&kernel), texts([None, None]));
}

#[test]
fn a_store_of_a_later_form_is_refused_and_one_of_none() {
    for (form, is_later) in [(3, true), (u64::MAX, true), (0, false)] {
        let world = World::new();
        let kernel = ready(&world);
        of_form(&kernel, Some(form));
        let why = opened(kernel, &world).expect_err("nobody knows that form");
        match why {
            KernelError::Write(WriteError::Store(StoreError::Unknown(why))) => {
                assert!(is_later && why.contains(&form.to_string()), "{why}");
            }
            other => assert!(!is_later && matches!(other, KernelError::Damaged(_)), "{other}"),
        }
    }
}
