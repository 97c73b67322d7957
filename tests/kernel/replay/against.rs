//! A log against another policy.

use std::collections::BTreeSet;
use std::sync::Mutex;

use pdl::kernel::replay::against::Logged;
use pdl::vm::machine::Decided;
use pdl::{LoadOptions, Machine};

use super::*;

/// What is shown of a decision: its request, its facts, what was answered, and what the other policy answers.
type Shown = BTreeMap<u64, (Vec<u8>, Option<Vec<u8>>, Answer, Answer)>;

fn against(kernel: &Kernel, policy: &[u8], threads: usize) -> (Report, Shown) {
    let policy = Arc::new(Machine::load(policy, &LoadOptions::UNSIGNED).expect("it loads"));
    let shown = Mutex::new(Shown::new());
    let report = kernel.replay_against(
        &auditor(),
        &policy,
        &options(threads),
        &|logged, decided| {
            let facts = logged.facts.map(<[u8]>::to_vec);
            let what = (logged.request.to_vec(), facts, logged.answer, decided.answer());
            let before = shown.lock().expect("nobody panicked").insert(logged.index(), what);
            assert_eq!(before, None, "it is shown once");
            assert_eq!(logged.kind.answer(), logged.answer);
            assert!(logged.id().starts_with("ent_") && logged.principal().contains("bot"));
            let is_told = |text: &str| text.starts_with('[') || text.starts_with("{\"commitment\":");
            assert!(is_told(logged.rules()) && is_told(logged.codes()));
        },
        &mut |_| {},
    );
    (report.expect("the store is there"), shown.into_inner().expect("nobody panicked"))
}

#[test]
fn another_policy_is_asked_what_was_asked() {
    for secret in ["", "@sensitive"] {
        let (kernel, _, decisions) = full(secret);
        let nobody = SHOP.replace(
            "when    context.cost * context.rate",
            "when    context.email == \"nobody\" and context.cost * context.rate",
        );
        let (report, shown) = against(&kernel, &bundle(&nobody, secret), 1);
        assert_eq!(
            (report.decisions, shown.len() as u64, &report.not_replayed),
            (decisions, decisions, &BTreeMap::new())
        );
        let entries = decided(&kernel);
        assert_eq!(
            shown.keys().copied().collect::<BTreeSet<u64>>(),
            entries.iter().map(|entry| entry.index).collect::<BTreeSet<u64>>()
        );
        for entry in &entries {
            let (request, facts, logged, other) = &shown[&entry.index];
            assert_eq!((logged.name(), *other), (entry.body["answer"].as_str().expect("it is text"), Answer::Deny));
            if let Some(text) = entry.body.get("request").and_then(|request| request.get("text")?.as_str())
                && secret.is_empty()
            {
                assert_eq!(request, text.as_bytes());
                let said = entry.body["facts"]["text"].as_str().expect("it is text");
                assert_eq!(facts.as_deref(), Some(said.as_bytes()));
            }
        }
        let denied = entries.iter().filter(|entry| entry.body["answer"] == "DENY").count() as u64;
        assert_eq!((report.same, report.different), (denied, decisions - denied));
        assert!(report.findings.iter().all(|found| found.outcome == Outcome::Different(vec!["answer"])));
        let (again, others) = against(&kernel, &bundle(&nobody, secret), 3);
        // To have asked the first time is an entry as well.
        assert_eq!((again, others), (Report { entries: report.entries + 1, ..report }, shown));
    }
}

#[test]
fn the_policy_that_decided_says_the_same_with_the_entities_of_each_version() {
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    kernel.activate(&olga(), &bundle(SHOP, "@sensitive"), Some(ENTITIES)).expect("it is activated");
    let mut decisions = ask(&kernel, &world);
    for of in [1, 1_000, 2] {
        kernel.patch_entities(&olga(), &limit(of)).expect("it holds");
        decisions += ask_some(&kernel);
    }
    let answers: BTreeSet<String> = decided(&kernel).iter().map(|entry| entry.body["answer"].to_string()).collect();
    assert_eq!(answers.len(), 3);
    let (report, _) = against(&kernel, &bundle(SHOP, "@sensitive"), 2);
    assert_eq!((report.same, report.decisions), (decisions, decisions), "{:?}", report.findings);
}

#[test]
fn what_can_not_be_asked_again_is_counted_apart() {
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    assert!(kernel.decide(&agent(), &request("1", "1", true), None).trouble.is_some());
    kernel.activate(&olga(), &bundle(SHOP, ""), Some(ENTITIES)).expect("it is activated");
    let large = kernel.decide(&agent(), &vec![b' '; (1 << 20) + 1], None);
    assert_eq!(large.answer(), Answer::Deny);
    let (report, shown) = against(&kernel, &bundle(SHOP, ""), 1);
    assert_eq!(report.not_replayed, BTreeMap::from([(Gap::Kernel, 1), (Gap::NotKept, 1)]));
    assert!(shown.is_empty());
    // Entities that the other policy can't read.
    let decisions = ask(&kernel, &world);
    let other = SHOP.replace("limit", "bound");
    let (report, shown) = against(&kernel, &bundle(&other, ""), 1);
    assert_eq!((report.not_replayed[&Gap::Version], shown.len()), (decisions + 1, 0));
    assert!(!report.is_sound());
    // Only who may read what is hidden may ask.
    let policy = Arc::new(Machine::load(&bundle(SHOP, ""), &LoadOptions::UNSIGNED).expect("it loads"));
    let refused = kernel.replay_against(&olga(), &policy, &options(1), &|_, _| panic!("nothing is shown"), &mut |_| {});
    assert!(matches!(refused, Err(KernelError::Forbidden(_))));
}

#[test]
fn what_panics_is_counted_and_the_others_are_decided() {
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    kernel.activate(&olga(), &bundle(SHOP, ""), Some(ENTITIES)).expect("it is activated");
    let decisions = ask(&kernel, &world);
    let policy = Arc::new(Machine::load(&bundle(SHOP, ""), &LoadOptions::UNSIGNED).expect("it loads"));
    let at = decided(&kernel)[3].index;
    let look = |logged: &Logged<'_>, _: &mut Decided<'_>| assert_ne!(logged.index(), at, "a defect");
    for threads in [1, 3] {
        let report = kernel.replay_against(&auditor(), &policy, &options(threads), &look, &mut |_| {});
        let report = report.expect("the store is there");
        assert_eq!((report.not_replayed.get(&Gap::Panicked), report.same), (Some(&1), decisions - 1));
        assert_eq!((report.findings[0].index, report.is_sound()), (at, false));
    }
}
