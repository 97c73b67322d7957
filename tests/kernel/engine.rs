//! Decisions, registry, bundles and permits together: what is answered, what is kept of it, what is refused.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use ed25519_dalek::SigningKey;
use pdl::bytecode::bundle::{public_key, sign};
use pdl::data::timestamp::Timestamp;
use pdl::kernel::ask::Verdict;
use pdl::kernel::entry::{Entry, Kind};
use pdl::kernel::environment::Environment;
use pdl::kernel::govern::operators::{Operator, Role};
use pdl::kernel::log::commitment::reveal;
use pdl::kernel::permit::{Issuer, PermitState, StepRefused, Verifier};
use pdl::kernel::record::{self, Principal};
use pdl::kernel::replay;
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::store::{Store, StoreError, Tx};
use pdl::kernel::{Kernel, KernelError, Settings};
use pdl::vm::canonical::Form;
use pdl::{Answer, Digest, LoadOptions};
use serde_json::{Value, json};

use super::house::{self, World, bundle_of, open_with, who};
use super::room::Room;

pub const SHOP: &str = r#"module shop
entity Agent in Team { limit: Decimal }
entity Team {}
approver entity Person in Team {}
presented entity Order { owner: String @sensitive  open: Bool }

action pay {
    subject:  Agent
    resource: Order
    context {
        cost:  Decimal
        email: String @sensitive
        spent: Decimal @kernel
        now:   Timestamp @kernel
    }
}

policy paying on pay {
    allow within_limit when context.cost + context.spent <= subject.limit

    deny too_late
        when    context.now.year >= 2030
        because "{context.email} came too late"

    require approval large
        when    context.cost >= 100.0
        from    Team::"board"
        quorum  2
        because "{context.email} pays {context.cost}"
}
"#;

/// The same, but whose agents have to have a colour.
fn coloured() -> String {
    SHOP.replace("{ limit: Decimal }", "{ limit: Decimal  colour: String }")
}

/// The same, but stricter: nobody spends more than half of the limit.
fn stricter() -> String {
    SHOP.replace("context.cost + context.spent <=", "context.cost + context.cost + context.spent <=")
}

pub fn bundle(text: &str) -> Vec<u8> {
    bundle_of("shop", text)
}

pub fn settings(bundles: LoadOptions) -> Settings {
    let roles = [Role::Admin, Role::PolicyManager, Role::RegistryManager, Role::Caretaker];
    let founders = vec![Operator::person(operator(), &roles)];
    Settings { bundles, founders, ..house::settings() }
}

pub fn open(store: impl Store + 'static, world: &Arc<World>) -> Kernel {
    open_with(store, world, settings(LoadOptions::UNSIGNED))
}

pub fn operator() -> Principal {
    who("Person", "olga")
}

pub fn agent() -> Principal {
    who("Agent", "bot")
}

pub const ENTITIES: &[u8] =
    br#"[{"type":"Agent","id":"bot","properties":{"limit":50.5}},{"type":"Team","id":"board"}]"#;
pub const FACTS: Option<&[u8]> = Some(br#"{"spent":0.25}"#);

pub fn ready(world: &Arc<World>) -> Kernel {
    let kernel = open(Memory::new(), world);
    kernel.activate(&operator(), &bundle(SHOP), Some(ENTITIES)).expect("it is activated");
    kernel
}

pub fn request(cost: &str) -> Vec<u8> {
    format!(
        r#"{{"subject":{{"type":"Agent","id":"bot"}},"action":{{"name":"pay"}},
        "resource":{{"type":"Order","id":"o1","properties":{{"owner":"zoe","open":true}}}},
        "context":{{"cost":{cost},"email":"zoe@shop.example"}}}}"#
    )
    .into_bytes()
}

pub fn limit(of: &str) -> Vec<u8> {
    format!(r#"{{"upsert":[{{"type":"Agent","id":"bot","properties":{{"limit":{of}}}}}]}}"#).into_bytes()
}

/// All entries, as they are in the log, and with what is hidden.
pub fn log(kernel: &Kernel) -> Vec<(Entry, Entry)> {
    let read = |tx: &mut dyn Tx| {
        let mut entries = Vec::new();
        for (_, bytes) in tx.entries(0, u32::MAX)? {
            let entry = Entry::read(&bytes).expect("it was written");
            entries.push((entry.clone(), reveal(tx, entry)?.entry));
        }
        Ok(entries)
    };
    kernel.read(read).expect("the store is there")
}

pub fn kinds(kernel: &Kernel) -> Vec<Kind> {
    log(kernel).iter().map(|(entry, _)| entry.kind).collect()
}

/// Makes every decision of the log again, with the bundle and the version that its entry names. Gives how many there were.
fn replay(kernel: &Kernel) -> usize {
    let mut count = 0;
    for (_, entry) in log(kernel).into_iter().filter(|(entry, _)| entry.kind == Kind::Decision) {
        let asked = record::asked(&entry.body).expect("it could be read");
        let version = entry.body["registry"].as_u64().expect("it is a number");
        let is_governing = entry.body.get("of").is_some();
        let active = if is_governing {
            let bundle = Digest::parse(entry.body["bundle"].as_str().expect("it is text")).expect("it is a digest");
            kernel.operators_version(bundle, version).expect("it is there")
        } else {
            kernel.version(&operator(), version).expect("it is there")
        };
        assert_eq!(entry.body["bundle"], active.bundle.to_string());
        let again = active.again(&asked);
        assert_eq!(entry.body["answer"], again.answer().name());
        assert_eq!(entry.body["kind"], again.kind.name());
        let rules: Vec<&str> = again.rules.iter().map(|rule| rule.id.as_str()).collect();
        let logged = entry.body["rules"].as_array().expect("it is a list");
        assert_eq!(logged.iter().map(|rule| rule["id"].as_str().expect("it is text")).collect::<Vec<_>>(), rules);
        for (name, digest) in [
            ("bundle", again.digests.bundle),
            ("registry", again.digests.registry),
            ("request", again.digests.request),
            ("facts", again.digests.facts),
            ("binding", again.digests.binding),
        ] {
            assert_eq!(entry.body["digests"][name], digest.expect("it is known").to_string(), "{name}");
        }
        count += usize::from(!is_governing);
    }
    count
}

#[test]
fn an_answer_has_its_entry_and_an_allow_its_permit() {
    let world = World::new();
    let kernel = ready(&world);
    let allowed = kernel.decide(&agent(), &request("50.25"), FACTS);
    assert_eq!((allowed.answer(), &allowed.trouble), (Answer::Allow, &None));
    let denied = kernel.decide(&agent(), &request("50.250001"), FACTS);
    let asked = kernel.decide(&agent(), &request("1"), Some(b"{}"));
    assert_eq!((denied.answer(), asked.answer()), (Answer::Deny, Answer::Deny));
    kernel.patch_entities(&operator(), &limit("1000")).expect("it holds");
    let gated = kernel.decide(&agent(), &request("100"), FACTS);
    assert_eq!(gated.answer(), Answer::RequireApproval);
    assert_eq!(gated.decision.as_ref().map(|decision| decision.gates.len()), Some(1));
    for verdict in [&denied, &asked, &gated] {
        assert!(verdict.permit.is_none() && verdict.entry.is_some());
    }
    assert_eq!(
        kinds(&kernel),
        [
            Kind::KernelCreated,
            // The founders are appointed, and one of them activates.
            Kind::Decision,
            Kind::OperatorsChanged,
            Kind::Decision,
            Kind::BundleActivated,
            Kind::RegistryChanged,
            Kind::Decision,
            Kind::PermitIssued,
            Kind::Decision,
            Kind::Decision,
            Kind::Decision,
            Kind::RegistryChanged,
            Kind::Decision,
            Kind::GateOpened
        ]
    );
    let entries = log(&kernel);
    let (entry, _) = &entries[6];
    assert_eq!(Some(&entry.id), allowed.entry.as_ref());
    assert_eq!(entry.body["principal"], json!({ "type": "Agent", "id": "bot" }));
    assert_eq!((&entry.body["answer"], &entry.body["registry"]), (&json!("ALLOW"), &json!(1)));
    let permit = allowed.permit.expect("it was allowed");
    assert_eq!((&permit.claims().decision, permit.claims().registry), (&entry.id, 1));
    assert_eq!(entries[7].0.links["decision"], entry.id);
    assert_eq!(entries[7].0.body["permit"], permit.claims().id);
}

#[test]
fn what_is_sensitive_is_not_in_the_log_and_decided_again_all_the_same() {
    let world = World::new();
    let kernel = ready(&world);
    kernel.patch_entities(&operator(), &limit("1000")).expect("it holds");
    for cost in ["1", "100", "5000", "0.5"] {
        assert!(kernel.decide(&agent(), &request(cost), FACTS).trouble.is_none());
    }
    for (entry, _) in log(&kernel) {
        let text = String::from_utf8(entry.to_bytes()).expect("it is text");
        assert!(!text.contains("zoe"), "{text}");
    }
    let is_asked = |entry: &Entry| entry.kind == Kind::Decision && !entry.body.contains_key("of");
    let (_, revealed) = log(&kernel).into_iter().find(|(entry, _)| is_asked(entry)).expect("there is one");
    let asked = record::asked(&revealed.body).expect("it could be read");
    assert!(asked.request.contains("zoe@shop.example") && asked.facts.contains("\"spent\":0.25"), "{asked:?}");
    assert_eq!(replay(&kernel), 4);
}

#[test]
fn a_request_that_is_long_is_kept_beside_its_entry() {
    let world = World::new();
    let kernel = ready(&world);
    let owner = "x".repeat(60_000);
    let long = String::from_utf8(request("1")).expect("it is text").replace("\"zoe\"", &format!("\"{owner}\""));
    let id = format!("\"{}\"", "y".repeat(64_000));
    let longer = long.replace("\"o1\"", &id);
    for request in [long, longer] {
        assert_eq!(kernel.decide(&agent(), request.as_bytes(), FACTS).answer(), Answer::Allow);
    }
    assert_eq!(replay(&kernel), 2);
}

#[test]
fn nobody_but_the_kernel_says_what_time_it_is() {
    let world = World::new();
    let kernel = ready(&world);
    let verdict = kernel.decide(&agent(), &request("1"), Some(br#"{"spent":0,"n\u006fw":"2026-01-01T00:00:00Z"}"#));
    assert_eq!(verdict.answer(), Answer::Deny);
    let shown = verdict.decision.expect("it is a decision").to_json();
    assert!(shown.contains("kernel_field") && shown.contains("facts"), "{shown}");
    // And it says what time it is.
    world.turn_millis(4 * 366 * 24 * 3_600_000);
    let late = kernel.decide(&agent(), &request("1"), FACTS);
    assert_eq!(late.decision.expect("it is a decision").rules[0].id, "shop.too_late");
    // What could not be read is kept as it was given, and hidden.
    let garbage = kernel.decide(&agent(), b"{\xff ada", FACTS);
    assert_eq!((garbage.answer(), &garbage.trouble), (Answer::Deny, &None));
    let entries = log(&kernel);
    let (entry, revealed) = entries.last().expect("there is one");
    assert_eq!(revealed.body["given"]["request"], json!({ "hex": "7bff20616461" }));
    assert!(entry.body["given"].get("commitment").is_some());
    assert_eq!(record::asked(&revealed.body), None);
}

#[test]
fn without_a_bundle_everything_is_denied_and_told() {
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    let verdict = kernel.decide(&agent(), &request("1"), FACTS);
    assert_eq!((verdict.answer(), verdict.trouble), (Answer::Deny, Some(KernelError::NoBundle)));
    let entries = log(&kernel);
    assert_eq!(Some(&entries[3].0.id), verdict.entry.as_ref());
    assert_eq!(entries[3].0.body["trouble"], "no bundle is active");
    assert_eq!(kernel.load_entities(&operator(), b"[]"), Err(KernelError::NoBundle));
}

/// A store that fails while it is told to.
#[derive(Debug)]
struct Failing(Memory, Arc<AtomicBool>);

impl Store for Failing {
    fn transact(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let fails = self.1.load(Ordering::Relaxed);
        self.0.transact(&mut |tx| {
            work(tx)?;
            if fails { Err(StoreError::Full("no room".to_owned())) } else { Ok(()) }
        })
    }

    fn check(&mut self) -> Result<(), StoreError> {
        self.0.check()
    }
}

#[test]
fn an_answer_that_can_not_be_kept_is_a_denial() {
    let (world, fails) = (World::new(), Arc::new(AtomicBool::new(false)));
    let kernel = open(Failing(Memory::new(), Arc::clone(&fails)), &world);
    kernel.activate(&operator(), &bundle(SHOP), Some(ENTITIES)).expect("it is activated");
    assert_eq!(kernel.decide(&agent(), &request("1"), FACTS).answer(), Answer::Allow);
    let before = log(&kernel);
    fails.store(true, Ordering::Relaxed);
    let verdict = kernel.decide(&agent(), &request("1"), FACTS);
    assert_eq!((verdict.answer(), verdict.entry, verdict.permit), (Answer::Deny, None, None));
    assert!(matches!(verdict.trouble, Some(KernelError::Write(_))));
    // It is not known what became of a change: nothing is decided until the store can be read.
    assert!(kernel.patch_entities(&operator(), &limit("1")).is_err());
    assert!(kernel.active().is_err());
    fails.store(false, Ordering::Relaxed);
    assert_eq!(kernel.decide(&agent(), &request("1"), FACTS).answer(), Answer::Deny);
    assert_eq!(log(&kernel)[..before.len()], before[..]);
}

#[test]
fn a_patch_that_breaks_something_changes_nothing() {
    let world = World::new();
    let kernel = ready(&world);
    let entries = log(&kernel);
    for patch in [
        &br#"{"upsert":[{"type":"Agent","id":"bot","properties":{"limit":"much"}}]}"#[..],
        br#"{"upsert":[{"type":"Agent","id":"x","properties":{"limit":1}},{"type":"Agent","id":"bot"}]}"#,
        br#"{"upsert":[{"type":"Agent","id":"bot","properties":{"limit":1},"in":[{"type":"Team","id":"none"}]}]}"#,
        br#"{"remove":[{"type":"Agent","id":"nobody"}]}"#,
        b"[]",
    ] {
        assert!(matches!(kernel.patch_entities(&operator(), patch), Err(KernelError::Entities(_))));
    }
    assert!(matches!(kernel.load_entities(&operator(), b"[{}]"), Err(KernelError::Entities(_))));
    assert_eq!(log(&kernel), entries);
    assert_eq!(kernel.active().map(|active| active.registry), Ok(1));
    assert_eq!(kernel.decide(&agent(), &request("50.25"), FACTS).answer(), Answer::Allow);
}

#[test]
fn every_version_of_the_registry_can_be_had_again() {
    let world = World::new();
    let room = Room::new();
    let path = room.path("store");
    let kernel = open(Sqlite::create(&path, &Options::PLAIN).expect("it can be made"), &world);
    kernel.activate(&operator(), &bundle(SHOP), Some(ENTITIES)).expect("it is activated");
    let began = world.now();
    let mut seen = vec![(1, began, kernel.active().expect("it decides").entities())];
    for change in 2..140 {
        world.turn_millis(1_000);
        let version = match change {
            100 => kernel.load_entities(&operator(), ENTITIES),
            120 => kernel.activate(&operator(), &bundle(&stricter()), None).map(|_| 120),
            _ => kernel.patch_entities(&operator(), &limit(&change.to_string())),
        };
        assert_eq!(version, Ok(change));
        seen.push((change, world.now(), kernel.active().expect("it decides").entities()));
    }
    // Also by who opens the store later.
    drop(kernel);
    let kernel = open(Sqlite::open(&path, &Options::PLAIN).expect("it is there"), &world);
    assert_eq!(kernel.active().map(|active| active.registry), Ok(139));
    for (version, time, entities) in &seen {
        assert_eq!(&kernel.version(&operator(), *version).expect("it is there").entities(), entities, "{version}");
        assert_eq!(kernel.version_at(&operator(), *time), Ok(*version));
        let later = Timestamp::from_millis(time.millis() + 999).expect("it is a time");
        assert_eq!(kernel.version_at(&operator(), later), Ok(*version));
    }
    let before = Timestamp::from_millis(began.millis() - 1).expect("it is a time");
    assert_eq!(kernel.version_at(&operator(), before), Err(KernelError::UnknownVersion));
    assert!(matches!(kernel.version(&operator(), 140), Err(KernelError::UnknownVersion)));
    assert!(matches!(kernel.version(&operator(), 0), Err(KernelError::UnknownVersion)));
    assert_eq!(kernel.at(&operator(), seen[98].1).map(|active| active.registry), Ok(99));
}

/// Before 0.1 a version was named by the digest of the text of all entities.
#[test]
fn a_registry_is_found_under_its_former_name_and_under_no_other() {
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    kernel.activate(&operator(), &bundle(SHOP), Some(ENTITIES)).expect("it is activated");
    let active = kernel.active().expect("it decides");
    let name = active.registry_digest();
    let text = active.store().canonical(active.machine().image(), Form::Digest, |_| true);
    let former = Digest::of(text.as_bytes());
    let named = |kernel: &Kernel, name: Digest| {
        kernel.read(move |tx| {
            let mut version = tx.get("registry", "00000000000000000001")?.expect("it is there");
            let mut body: Value = serde_json::from_slice(&version.body).expect("it is JSON");
            body["digest"] = name.to_string().into();
            version.body = body.to_string().into_bytes();
            Ok(tx.put(&version)?)
        })
    };
    named(&kernel, former).expect("it is written");
    let (store, environment) = (kernel.close().expect("it is there"), Arc::<World>::clone(&world));
    let kernel = Kernel::open(store, environment, settings(LoadOptions::UNSIGNED)).expect("it opens");
    assert_eq!(kernel.active().map(|active| active.registry_digest()), Ok(former));
    assert_eq!(kernel.decide(&agent(), &request("1"), FACTS).answer(), Answer::Allow);
    // What was decided under that name comes out again.
    let replayed = kernel.replay(&operator(), &replay::Options::default(), &mut |_| {}).expect("it can be read");
    assert!(replayed.is_sound() && replayed.is_whole(), "{replayed:?}");
    kernel.patch_entities(&operator(), &limit("7")).expect("it is sound");
    kernel.load_entities(&operator(), ENTITIES).expect("they are sound");
    assert_eq!(kernel.active().map(|active| active.registry_digest()), Ok(name));
    named(&kernel, Digest::of(b"another")).expect("it is written");
    assert!(matches!(kernel.version(&operator(), 1), Err(KernelError::Damaged(_))));
}

#[test]
fn a_bundle_that_is_refused_leaves_the_old_one() {
    let world = World::new();
    let (seed, stranger) = ([1; 32], [2; 32]);
    let store: Box<dyn Store> = Box::new(Memory::new());
    let environment: Arc<dyn Environment> = Arc::<World>::clone(&world);
    let demanded = LoadOptions::signed_by(vec![public_key(&seed)], 1);
    let kernel = Kernel::open(store, environment, settings(demanded)).expect("it opens");
    let signed = |text: &str, seed: &[u8; 32]| sign(&bundle(text), seed).expect("it is signed");
    let first = kernel.activate(&operator(), &signed(SHOP, &seed), Some(ENTITIES)).expect("it is activated");
    let entries = log(&kernel);
    let mut broken = signed(&stricter(), &seed);
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    for refused in [bundle(&stricter()), signed(&stricter(), &stranger), broken] {
        assert!(matches!(kernel.activate(&operator(), &refused, None), Err(KernelError::Bundle(_))));
    }
    // Its agents have no colour.
    assert!(matches!(kernel.activate(&operator(), &signed(&coloured(), &seed), None), Err(KernelError::Entities(_))));
    let unknown = Digest::of(b"unknown");
    assert_eq!(kernel.activate_kept(&operator(), unknown, None), Err(KernelError::UnknownBundle(unknown)));
    assert_eq!(log(&kernel), entries);
    assert_eq!(kernel.active().map(|active| (active.bundle, active.registry)), Ok((first, 1)));
    // With entities that fit it is taken, and the first one can be had back.
    let colours = br#"[{"type":"Agent","id":"bot","properties":{"limit":50.5,"colour":"red"}}]"#;
    let second = kernel.activate(&operator(), &signed(&coloured(), &seed), Some(colours)).expect("it is activated");
    assert_ne!(first, second);
    assert!(matches!(kernel.activate_kept(&operator(), first, None), Err(KernelError::Entities(_))));
    kernel.activate_kept(&operator(), first, Some(ENTITIES)).expect("it is activated");
    assert_eq!(kernel.active().map(|active| (active.bundle, active.registry)), Ok((first, 3)));
    // Whoever demands another key later has nothing that decides, until a bundle is activated that has it.
    let store = kernel.close().expect("it is given back");
    let environment: Arc<dyn Environment> = Arc::<World>::clone(&world);
    let demanded = LoadOptions::signed_by(vec![public_key(&stranger)], 1);
    let kernel = Kernel::open(store, environment, settings(demanded)).expect("it opens");
    let verdict = kernel.decide(&agent(), &request("1"), FACTS);
    assert!(verdict.answer() == Answer::Deny && matches!(verdict.trouble, Some(KernelError::Bundle(_))));
    let other = signed(SHOP, &stranger);
    assert_eq!(kernel.activate(&operator(), &other, None), Err(KernelError::EntitiesNeeded));
    kernel.activate(&operator(), &other, Some(ENTITIES)).expect("it is activated");
    assert_eq!(kernel.decide(&agent(), &request("1"), FACTS).answer(), Answer::Allow);
}

fn permit(verdict: &Verdict) -> &str {
    verdict.permit.as_ref().expect("it was allowed").token()
}

#[test]
fn a_permit_is_started_once_for_its_own_request() {
    let world = World::new();
    let kernel = ready(&world);
    let state = |verdict: &Verdict| {
        let id = &verdict.permit.as_ref().expect("it was allowed").claims().id;
        kernel.permit_state(&operator(), id).expect("the store is there").expect("it is there")
    };
    let verdict = kernel.decide(&agent(), &request("1"), FACTS);
    let token = permit(&verdict);
    let refused = |why| Err(KernelError::Step(why));
    assert_eq!(kernel.complete(&agent(), token), refused(StepRefused::NotStarted));
    assert_eq!(kernel.start(&agent(), token, &request("2")).map(drop), refused(StepRefused::OtherRequest));
    assert!(matches!(kernel.start(&agent(), token, b"{}"), Err(KernelError::Request(_))));
    assert!(matches!(kernel.start(&agent(), &format!("{token}A"), &request("1")), Err(KernelError::Token(_))));
    let starts: Vec<bool> = thread::scope(|scope| {
        let start = || kernel.start(&agent(), token, &request("1")).is_ok();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
    });
    assert_eq!(starts.iter().filter(|&&started| started).count(), 1);
    assert_eq!(state(&verdict), PermitState::Started);
    kernel.complete(&agent(), token).expect("it was started");
    assert_eq!(kernel.fail(&agent(), token), refused(StepRefused::Ended));
    assert_eq!(state(&verdict), PermitState::Completed);
    // Those that nobody used, and those that nobody ended.
    let (unused, begun) =
        (kernel.decide(&agent(), &request("1"), FACTS), kernel.decide(&agent(), &request("2"), FACTS));
    world.turn_millis(59_999);
    kernel.start(&agent(), permit(&begun), &request("2")).expect("there is time");
    assert_eq!(kernel.sweep(&operator()).map(|swept| swept.permits), Ok(vec![]));
    world.turn_millis(1);
    assert_eq!(kernel.start(&agent(), permit(&unused), &request("1")).map(drop), refused(StepRefused::Expired));
    let id = |verdict: &Verdict| verdict.permit.as_ref().expect("it was allowed").claims().id.clone();
    assert_eq!(kernel.sweep(&operator()).map(|swept| swept.permits), Ok(vec![(id(&unused), PermitState::Expired)]));
    world.turn_millis(600_000);
    assert_eq!(kernel.sweep(&operator()).map(|swept| swept.permits), Ok(vec![(id(&begun), PermitState::Abandoned)]));
    assert_eq!(kernel.sweep(&operator()).map(|swept| swept.permits), Ok(vec![]));
    assert_eq!(kernel.complete(&agent(), permit(&begun)), refused(StepRefused::Ended));
    // Whoever sweeps is allowed to, where there is anything to sweep.
    let last: Vec<Kind> = kinds(&kernel).into_iter().rev().take(4).collect();
    assert_eq!(last, [Kind::PermitAbandoned, Kind::Decision, Kind::PermitExpired, Kind::Decision]);
}

/// A permit that is signed for who checks it without the kernel is the same permit, and is started once.
#[test]
fn a_permit_is_signed_for_whom_that_is_needed() {
    let key = SigningKey::from_bytes(&[3; 32]);
    let issuer = Issuer::shared(&[7; 32]).expect("it is long enough").signing_on_demand(key.clone());
    let kernel = open_with(Memory::new(), &World::new(), Settings { issuer, ..settings(LoadOptions::UNSIGNED) });
    kernel.activate(&operator(), &bundle(SHOP), Some(ENTITIES)).expect("it is activated");
    let verdict = kernel.decide(&agent(), &request("1"), FACTS);
    let plain = verdict.permit.as_ref().expect("it is allowed");
    let signed = kernel.signed(plain).expect("there is a key");
    assert_eq!(Verifier::public(key.verifying_key()).check(signed.token()), Ok(signed.clone()));
    kernel.start(&agent(), signed.token(), &request("1")).expect("it was issued");
    let again = kernel.start(&agent(), plain.token(), &request("1")).map(drop);
    assert_eq!(again, Err(KernelError::Step(StepRefused::Used)));
    kernel.complete(&agent(), plain.token()).expect("it was started");
    assert_eq!(ready(&World::new()).signed(plain), None);
}

/// Runs a future that is never long in waiting.
fn wait<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}

#[test]
fn work_that_obliges_is_not_run_by_who_can_not_fulfil_it() {
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    let obliging = SHOP
        .replace("action pay", "obligation tell(cost: Decimal)\n\naction pay")
        .replace("<= subject.limit", "<= subject.limit oblige tell(context.cost)");
    kernel.activate(&operator(), &bundle(&obliging), Some(ENTITIES)).expect("it is activated");
    let asked = kernel.invoke(&agent(), &request("1"), FACTS, |_| -> Result<(), ()> { unreachable!("nobody tells") });
    assert_eq!(asked.outcome, None);
    assert_eq!(asked.trouble, Some(KernelError::Obliged(vec!["tell".to_owned()])));
    // Whoever can, starts the permit itself.
    let permit = asked.verdict.permit.expect("it is allowed");
    kernel.start(&agent(), permit.token(), &request("1")).expect("it was not started before");
}

#[test]
fn work_runs_if_it_is_allowed_and_its_end_is_told() {
    let world = World::new();
    let kernel = ready(&world);
    let done = kernel.invoke(&agent(), &request("1"), FACTS, |permit| Ok::<_, ()>(permit.claims().action.clone()));
    assert_eq!((done.outcome, done.trouble), (Some(Ok("pay".to_owned())), None));
    let failed = kernel.invoke(&agent(), &request("1"), FACTS, |_| Err::<(), _>("no money"));
    assert_eq!(failed.outcome, Some(Err("no money")));
    let denied = kernel.invoke(&agent(), &request("70"), FACTS, |_| -> Result<(), ()> { unreachable!("it is denied") });
    assert_eq!((denied.verdict.answer(), denied.outcome), (Answer::Deny, None));
    let (who, asked) = (agent(), request("1"));
    let awaited =
        kernel.invoke_async(&who, &asked, FACTS, |permit| async move { Err::<(), _>(permit.claims().action.clone()) });
    assert_eq!(wait(awaited).outcome, Some(Err("pay".to_owned())));
    let panicked = thread::scope(|scope| {
        let invoke = || kernel.invoke(&agent(), &request("1"), FACTS, |_| -> Result<(), ()> { panic!("it is broken") });
        scope.spawn(invoke).join()
    });
    assert!(panicked.is_err());
    // What takes too long is told by the sweep; whoever comes later still learns that it ran, and that nobody was told.
    let slow = kernel.invoke(&agent(), &request("1"), FACTS, |_| {
        world.turn_millis(600_000);
        kernel.sweep(&operator())
    });
    assert_eq!(slow.outcome.expect("it ran").expect("it was swept").permits.len(), 1);
    assert_eq!(slow.trouble, Some(KernelError::Step(StepRefused::Ended)));
    let ends: Vec<Kind> = kinds(&kernel)
        .into_iter()
        .filter(|kind| matches!(kind, Kind::PermitCompleted | Kind::PermitFailed | Kind::PermitAbandoned))
        .collect();
    assert_eq!(
        ends,
        [Kind::PermitCompleted, Kind::PermitFailed, Kind::PermitFailed, Kind::PermitFailed, Kind::PermitAbandoned]
    );
}

#[test]
fn threads_decide_while_entities_and_bundles_change_and_all_can_be_decided_again() {
    let world = World::new();
    let kernel = ready(&world);
    let (old, new) = (bundle(SHOP), bundle(&stricter()));
    let is_over = AtomicBool::new(false);
    let mut answers: Vec<Answer> = Vec::new();
    thread::scope(|scope| {
        let decide = || {
            let mut answers = Vec::new();
            while !is_over.load(Ordering::Relaxed) || answers.len() < 20 {
                let verdict = kernel.decide(&agent(), &request("30"), FACTS);
                assert_eq!(verdict.trouble, None);
                assert_eq!(verdict.answer() == Answer::Allow, verdict.permit.is_some());
                answers.push(verdict.answer());
            }
            answers
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(decide)).collect();
        for round in 0..40_u32 {
            let changed = match round % 4 {
                0 => kernel.patch_entities(&operator(), &limit("20")).map(drop),
                1 => kernel.activate(&operator(), &new, None).map(drop),
                2 => kernel.patch_entities(&operator(), &limit("45")).map(drop),
                _ => kernel.activate(&operator(), &old, None).map(drop),
            };
            changed.expect("it holds");
        }
        is_over.store(true, Ordering::Relaxed);
        for thread in threads {
            answers.extend(thread.join().expect("it does not panic"));
        }
    });
    assert_eq!(kernel.active().map(|active| active.registry), Ok(41));
    assert_eq!(replay(&kernel), answers.len());
    let is_allowed = |entry: &Entry| entry.body.get("answer") == Some(&Value::from("ALLOW"));
    let allowed = log(&kernel).iter().filter(|(entry, _)| is_allowed(entry) && !entry.body.contains_key("of")).count();
    assert_eq!(answers.iter().filter(|answer| **answer == Answer::Allow).count(), allowed);
}
