//! The crate as others use it: the examples run, the front door holds, machines are shared and exchanged.

#[path = "../examples/embed.rs"]
#[allow(dead_code, reason = "an example has a `main`")]
mod example;

#[cfg(feature = "kernel")]
#[path = "../examples/kernel.rs"]
#[allow(dead_code, reason = "an example has a `main`")]
mod kernel_example;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use pdl::{Answer, Kind, LoadOptions, Machine, PublicKey, Question, Scratch};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/embed")
}

fn case(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn machine() -> Machine {
    let machine = Machine::load(&case("first.pdlb"), &LoadOptions::UNSIGNED).expect("the bundle is loaded");
    machine.load_entities(&case("entities.json")).expect("the entities are loaded");
    machine
}

#[test]
fn the_example_gives_the_three_answers() {
    let path = |name: &str| folder().join(name).to_string_lossy().into_owned();
    let requests = ["read.json", "purge.json", "send.json"].map(path);
    let told = example::run(&path("first.pdlb"), &path("entities.json"), &requests).expect("it runs");
    let lines: Vec<&str> = told.lines().collect();
    let [allowed, asked, denied] = lines[..] else { panic!("three answers: {told}") };
    assert_eq!(allowed, "go ahead");
    assert!(asked.starts_with("ask first: ") && asked.contains(r#""id":"mailbox-owners""#), "{asked}");
    assert!(denied.starts_with("no: ") && denied.contains("TOO_MANY_RECIPIENTS"), "{denied}");
}

#[cfg(feature = "kernel")]
#[test]
fn the_example_of_the_kernel_runs_what_is_allowed_and_nothing_else() {
    let path = |name: &str| folder().join(name).to_string_lossy().into_owned();
    let room = crate::kernel::room::Room::new();
    let requests = ["read.json", "purge.json", "send.json"].map(path);
    let store = room.path("kernel.db").to_string_lossy().into_owned();
    let told = kernel_example::run(&store, &path("first.pdlb"), &path("entities.json"), &requests).expect("it runs");
    assert!(told.starts_with("read ran\npeople are asked: asked by: Agent::\"ci\"\n"), "{told}");
    assert!(told.ends_with("\ndenied\n"), "{told}");
}

#[test]
fn the_example_gives_errors_of_its_inputs_back() {
    let path = |name: &str| folder().join(name).to_string_lossy().into_owned();
    let run =
        |bundle: &str, entities: &str| example::run(&path(bundle), &path(entities), &[]).map_err(|e| e.to_string());
    assert_eq!(
        run("read.json", "entities.json"),
        Err("this is not a bundle: its header does not begin with `PDLB`".into())
    );
    let refused = run("first.pdlb", "read.json").expect_err("a request is no array of entities");
    assert!(refused.starts_with("the entities"), "{refused}");
    assert_eq!(run("first.pdlb", "entities.json"), Ok(String::new()));
}

/// What is checked in is what `pdl build` made; an older one that still loads decides the same.
#[cfg(feature = "compiler")]
#[test]
fn the_bundle_of_the_cases_is_that_of_the_first_example() {
    use pdl::build::{Sources, build};
    let text = include_str!("../examples/first/policy.pdl");
    let built =
        build(&Sources { package: "first", version: "0.0.0", files: &[("policy.pdl", text)] }).expect("it is right");
    if std::env::var_os("PDL_BLESS").is_some() {
        fs::write(folder().join("first.pdlb"), &built.bundle).expect("the case can be written");
    }
    let (mut scratch, mut other) = (Scratch::default(), Scratch::default());
    let fresh = Machine::load(&built.bundle, &LoadOptions::UNSIGNED).expect("what is built is loaded");
    let kept = Machine::load(&case("first.pdlb"), &LoadOptions::UNSIGNED);
    let kept =
        kept.unwrap_or_else(|error| panic!("tests/cases/embed/first.pdlb: {error}; set PDL_BLESS=1 to write it"));
    for request in include_str!("../examples/first/requests.jsonl").lines() {
        let question = Question::strict(request.as_bytes());
        let (left, right) =
            (fresh.decide(question, &mut scratch).decision(), kept.decide(question, &mut other).decision());
        assert_eq!(left.to_json(), right.to_json(), "set PDL_BLESS=1 to write tests/cases/embed/first.pdlb");
    }
}

#[cfg(feature = "compiler")]
#[test]
fn building_in_memory_reports_every_fault() {
    use pdl::build::{Sources, build};
    let files = [("b.pdl", "module b\nenum {}\n"), ("a.pdl", "module a\nfn f() -> Int = true\n")];
    let error = build(&Sources { package: "p", version: "1.0.0", files: &files }).expect_err("both are faulty");
    let text = error.to_string();
    assert!(text.contains("a.pdl:2") && text.contains("b.pdl:2"), "{text}");
    assert!(!error.is_too_large);
    // The order in which files are named does not matter.
    let right = [("b.pdl", "module b\nenum Kind { x }\n"), ("a.pdl", "module a\nenum Kind { x }\n")];
    let turned = [right[1], right[0]];
    let bundle = |files| build(&Sources { package: "p", version: "1.0.0", files }).expect("it is right").bundle;
    assert_eq!(bundle(&right), bundle(&turned));
}

#[test]
fn what_is_shared_between_threads_may_be() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Machine>();
    shared::<pdl::vm::store::Store>();
    shared::<pdl::Decision>();
    shared::<pdl::LoadError>();
    shared::<pdl::EntitiesRefused>();
    shared::<pdl::InputError>();
    shared::<LoadOptions>();
    fn sent<T: Send + 'static>() {}
    sent::<Scratch>();
    #[cfg(feature = "compiler")]
    shared::<pdl::build::BuildError>();
}

#[test]
fn errors_say_by_name_what_is_wrong() {
    let refused = |bytes: &[u8], options: &LoadOptions| Machine::load(bytes, options).expect_err("it is refused");
    let bundle = case("first.pdlb");
    let cut = refused(&bundle[..bundle.len() - 1], &LoadOptions::UNSIGNED);
    assert_eq!((cut.name(), cut.section()), ("cut_short", Some("sources")));
    let mut newer = bundle.clone();
    newer[4] = 0xff;
    let newer = refused(&newer, &LoadOptions::UNSIGNED);
    assert!(newer.is_unknown_format() && newer.section() == Some("header"));
    let unsigned = refused(&bundle, &LoadOptions::signed_by(vec![PublicKey([7; 32])], 1));
    assert!(unsigned.is_about_signatures(), "{unsigned}");
    let expected = if cfg!(feature = "signatures") { "unsigned" } else { "no_signatures" };
    assert_eq!((unsigned.name(), unsigned.section()), (expected, Some("signatures")));
    let dear = refused(&bundle, &LoadOptions::UNSIGNED.cost_max(3));
    assert_eq!((dear.name(), dear.is_about_program()), ("refused", true));
    assert!(dear.to_string().contains("cost_too_high"), "{dear}");

    let faults =
        machine().load_entities(br#"[{"type":"Team","id":"a"},{"type":"Team","id":"a"},{"type":"Robot","id":"b"}]"#);
    let faults = faults.expect_err("they are refused");
    let names: Vec<&str> = faults.faults().iter().map(|fault| fault.kind.name()).collect();
    assert_eq!(names, ["duplicate", "unknown_type"]);
    assert!(faults.to_string().ends_with("(and 1 more)"), "{faults}");
}

#[cfg(feature = "signatures")]
#[test]
fn a_bundle_signed_as_demanded_is_loaded_and_says_by_whom() {
    use pdl::bytecode::bundle::{public_key, sign};
    let (seeds, bundle) = ([[1; 32], [2; 32], [3; 32]], case("first.pdlb"));
    let keys: Vec<PublicKey> = seeds[..2].iter().map(public_key).collect();
    let once = sign(&bundle, &seeds[0]).expect("it is signed");
    let twice = sign(&once, &seeds[1]).expect("it is signed");
    let both = LoadOptions::signed_by(keys.clone(), 2);
    let machine = Machine::load(&twice, &both).expect("both signed");
    let mut signers: Vec<PublicKey> =
        machine.origin().expect("it came in a bundle").signatures.iter().map(|signature| signature.signer).collect();
    let mut expected = keys;
    signers.sort_unstable();
    expected.sort_unstable();
    assert_eq!(signers, expected);
    assert_eq!(Machine::load(&once, &both).expect_err("one is missing").name(), "too_few_signers");
    let stranger = sign(&bundle, &seeds[2]).expect("it is signed");
    assert_eq!(Machine::load(&stranger, &both).expect_err("nobody knows the signer").name(), "stranger");
}

/// A record has digests and places; the same for the same question, whoever asked before.
#[test]
fn a_record_says_what_was_decided_upon() {
    let machine = machine();
    let mut scratch = Scratch::default();
    let request = case("send.json");
    let record = machine.decide(Question::strict(&request), &mut scratch).record();
    assert_eq!(record.digests.bundle, machine.origin().map(|origin| origin.name));
    assert!(record.digests.registry.is_some() && record.digests.request.is_some() && record.digests.binding.is_some());
    assert!(record.rules[0].at.as_deref().is_some_and(|at| at.starts_with("policy.pdl:")), "{:?}", record.rules);
    let _ = machine.decide(Question::strict(b"{"), &mut scratch).record();
    assert_eq!(machine.decide(Question::strict(&request), &mut scratch).record(), record);
}

/// A new bundle takes the place of the old one by the exchange of an `Arc`; decisions under way end with the old one.
#[test]
fn threads_decide_while_bundles_and_entities_change() {
    let active = RwLock::new(Arc::new(machine()));
    let current = || Arc::clone(&active.read().expect("nobody panicked"));
    let (purge, read) = (case("purge.json"), case("read.json"));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                // One scratch serves every machine, old and new.
                let mut scratch = Scratch::default();
                let mut decisions = 0;
                while !is_over.load(Ordering::Relaxed) || decisions < 100 {
                    let machine = current();
                    let mut decided = machine.decide(Question::strict(&purge), &mut scratch);
                    assert_eq!(decided.answer(), Answer::RequireApproval);
                    let decision = decided.decision();
                    assert_eq!((decision.gates[0].from.id.as_str(), decision.gates[0].quorum), ("mailbox-owners", 2));
                    assert_eq!(machine.decide(Question::strict(&read), &mut scratch).kind(), Kind::Allowed);
                    decisions += 2;
                }
            });
        }
        let (bundle, entities) = (case("first.pdlb"), case("entities.json"));
        for round in 0..20 {
            let next = Machine::load(&bundle, &LoadOptions::UNSIGNED).expect("the bundle is loaded");
            next.load_entities(&entities).expect("the entities are loaded");
            *active.write().expect("nobody panicked") = Arc::new(next);
            let patch = format!(r#"{{"upsert":[{{"type":"Team","id":"t{round}"}}]}}"#);
            current().patch_entities(patch.as_bytes()).expect("a patch");
            current().load_entities(&entities).expect("the entities are loaded");
            assert!(current().patch_entities(br#"{"remove":[{"type":"Team","id":"ghost"}]}"#).is_err());
        }
        is_over.store(true, Ordering::Relaxed);
    });
}
