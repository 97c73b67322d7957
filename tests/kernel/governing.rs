//! Who may do what to the kernel itself: every act by every sort of person, what is kept of it, and how nobody helps
//! themselves. And that the policy that is compiled in is the one of the sources.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use pdl::build::{Sources, build};
use pdl::data::duration::Duration;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::entry::{Entry, Kind};
use pdl::kernel::environment::Environment;
use pdl::kernel::govern::act::Act;
use pdl::kernel::govern::operators::{Change, Operator, Role};
use pdl::kernel::govern::{self, Forbidden};
use pdl::kernel::log::search::Search;
use pdl::kernel::modes::Mode;
use pdl::kernel::record::{self, Principal};
use pdl::kernel::retain::Old;
use pdl::kernel::running::Outcome;
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::store::{Object, Query, Store};
use pdl::kernel::{Kernel, KernelError, Settings};
use pdl::{Answer, Digest, LoadOptions};
use serde_json::{Value, json};

use super::engine::{ENTITIES, FACTS, SHOP, agent, bundle, kinds, limit, log, request, settings};
use super::house::World;
use super::room::Room;

fn person(id: &str) -> Principal {
    Principal::new("Person", id).expect("it is short")
}

/// One person for each role, called as it is.
fn staff() -> Vec<Operator> {
    Role::ALL.iter().map(|role| Operator::person(person(role.name()), &[*role])).collect()
}

fn of(role: Role) -> Principal {
    person(role.name())
}

fn governed_by(founders: Vec<Operator>) -> Settings {
    Settings { founders, ..settings(LoadOptions::UNSIGNED) }
}

fn opened(store: Box<dyn Store>, world: &Arc<World>, founders: Vec<Operator>) -> Result<Kernel, KernelError> {
    let world: Arc<dyn Environment> = Arc::<World>::clone(world);
    Kernel::open(store, world, governed_by(founders))
}

/// A kernel with its staff and a bundle.
fn staffed() -> (Arc<World>, Kernel) {
    let world = World::new();
    let kernel = opened(Box::new(Memory::new()), &world, staff()).expect("it opens");
    kernel.activate(&of(Role::PolicyManager), &bundle(SHOP), Some(ENTITIES)).expect("it is activated");
    (world, kernel)
}

fn forbidden<T: std::fmt::Debug>(result: Result<T, KernelError>) -> Forbidden {
    match result {
        Err(KernelError::Forbidden(why)) => why,
        other => panic!("it is not forbidden: {other:?}"),
    }
}

fn codes<T: std::fmt::Debug>(result: Result<T, KernelError>) -> Vec<String> {
    forbidden(result).codes
}

/// The last entry of the log.
fn last(kernel: &Kernel) -> Entry {
    log(kernel).pop().expect("there is one").0
}

/// Makes every decision on an act again, with the policy and the operators of then.
fn decided_again(kernel: &Kernel) -> usize {
    let governing = log(kernel).into_iter().filter(|(entry, _)| entry.body.get("of") == Some(&json!("kernel")));
    let again = governing.map(|(_, entry)| {
        assert_eq!(entry.kind, Kind::Decision);
        let asked = record::asked(&entry.body).expect("it could be read");
        let name = Digest::parse(entry.body["bundle"].as_str().expect("it is text")).expect("it is a digest");
        let version = entry.body["registry"].as_u64().expect("it is a number");
        let active = kernel.operators_version(name, version).expect("it is there");
        let decision = active.again(&asked);
        assert_eq!(entry.body["answer"], decision.answer().name());
        assert_eq!(entry.body["codes"], json!(decision.codes));
        for (digest, is) in [("registry", decision.digests.registry), ("request", decision.digests.request)] {
            assert_eq!(entry.body["digests"][digest], is.expect("it is known").to_string());
        }
    });
    again.count()
}

#[test]
fn the_policy_that_is_compiled_in_is_the_one_of_the_sources() {
    let files = [("governing.pdl", "module governing\n\ninclude std.kernel\n")];
    let built = build(&Sources { package: govern::PACKAGE, version: env!("CARGO_PKG_VERSION"), files: &files });
    let built = built.unwrap_or_else(|error| panic!("{error}")).bundle;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/kernel/std-kernel.pdlb");
    if std::env::var_os("PDL_BLESS").is_some() {
        fs::write(&path, &built).expect("it can be written");
    }
    let stored = fs::read(&path).expect("it can be read");
    assert!(stored == built, "the policy of the kernel is stale: PDL_BLESS=1 cargo test --all-features governing");
    // Blessed a moment ago, it is in the next build.
    assert!(std::env::var_os("PDL_BLESS").is_some() || govern::BUNDLE == stored);
}

#[test]
fn a_policy_that_was_tampered_with_governs_nothing() {
    assert!(govern::load(govern::BUNDLE).is_ok());
    for at in (0..govern::BUNDLE.len()).step_by(97) {
        let mut changed = govern::BUNDLE.to_vec();
        changed[at] ^= 1;
        assert!(govern::load(&changed).is_err(), "byte {at}");
    }
    assert!(govern::load(&govern::BUNDLE[..govern::BUNDLE.len() - 1]).is_err());
    // One that is sound and of somebody else is not taken either.
    assert!(matches!(govern::load(&bundle(SHOP)), Err(KernelError::Damaged(_))));
}

/// Everything that can be done by name, and what it is called.
type Does = fn(&Kernel, &Principal) -> Result<(), KernelError>;

fn acts() -> Vec<(&'static str, Does)> {
    vec![
        ("activate", |kernel, who| kernel.activate(who, &bundle(SHOP), None).map(drop)),
        ("activate", |kernel, who| {
            let name = kernel.active().expect("it decides").bundle;
            kernel.activate_kept(who, name, None)
        }),
        ("patch_registry", |kernel, who| kernel.load_entities(who, ENTITIES).map(drop)),
        ("patch_registry", |kernel, who| kernel.patch_entities(who, &limit("7")).map(drop)),
        ("change_mode", |kernel, who| kernel.set_mode(who, "pay", Mode::Strict).map(drop)),
        ("change_operators", |kernel, who| kernel.change_operators(who, &[appoint("new", &[])]).map(drop)),
        ("read_state", |kernel, who| kernel.permit(who, Act::read_state("gates", false)).map(drop)),
        ("read_log", |kernel, who| kernel.search(who, &Search { limit: 1, ..Search::default() }).map(drop)),
        ("erase", |kernel, who| {
            let first = log(kernel).remove(0).0.id;
            kernel.erase(who, &first, "the person asked for it").map(drop)
        }),
        ("verify_log", |kernel, who| kernel.permit(who, Act::verify_log()).map(drop)),
        ("export_log", |kernel, who| kernel.permit(who, Act::export_log()).map(drop)),
        ("revoke_scope", |kernel, who| kernel.permit(who, Act::revoke_scope("s", "it is abused")).map(drop)),
        ("settle", |kernel, who| kernel.permit(who, Act::settle("p", Outcome::Failed, "the host is gone")).map(drop)),
        ("tidy", |kernel, who| kernel.permit(who, Act::tidy("permits", Duration(1))).map(drop)),
        ("deliver", |kernel, who| kernel.permit(who, Act::deliver()).map(drop)),
        ("sweep", |kernel, who| kernel.permit(who, Act::sweep()).map(drop)),
        ("withdraw", |kernel, who| kernel.permit(who, Act::withdraw("g", false)).map(drop)),
    ]
}

/// Acts that are an entry for whoever may do them only if there is something to do, and here there is nothing.
fn quiet_acts() -> Vec<(&'static str, Does)> {
    vec![
        ("tidy", |kernel, who| kernel.tidy(who, Old::Permits, Duration(1)).map(drop)),
        ("tidy", |kernel, who| kernel.tidy(who, Old::Events, Duration(i64::MAX)).map(drop)),
        ("sweep", |kernel, who| kernel.sweep(who).map(drop)),
    ]
}

fn appoint(id: &str, roles: &[Role]) -> Change {
    Change::Appoint(Operator::person(person(id), roles))
}

/// Which roles may, as the policy's table has it.
fn may(role: Role, act: &str) -> bool {
    let roles: &[Role] = match act {
        "activate" => &[Role::PolicyManager],
        "patch_registry" => &[Role::RegistryManager],
        "change_mode" => &[Role::Admin, Role::PolicyManager, Role::Responder],
        "change_operators" => &[Role::Admin],
        "read_state" => &[Role::Admin, Role::PolicyManager, Role::RegistryManager, Role::Responder, Role::Auditor],
        "read_log" => &[Role::Responder, Role::Auditor, Role::PrivacyOfficer],
        "erase" => &[Role::PrivacyOfficer],
        "verify_log" => &[Role::Admin, Role::Auditor, Role::Caretaker],
        "export_log" => &[Role::Auditor],
        "revoke_scope" | "withdraw" => &[Role::Responder],
        "settle" => &[Role::Responder],
        "tidy" => &[Role::PrivacyOfficer, Role::Caretaker],
        "sweep" | "deliver" => &[Role::Caretaker],
        _ => panic!("{act} is not in the table"),
    };
    roles.contains(&role)
}

#[test]
fn whoever_may_not_is_refused_and_that_is_in_the_log() {
    let (_world, kernel) = staffed();
    let strangers = [person("eve"), Principal::new("Operator", "admin").expect("it is short"), agent()];
    for (name, act) in acts().into_iter().chain(quiet_acts()) {
        let others = Role::ALL.iter().filter(|role| !may(**role, name)).map(|role| of(*role));
        for who in strangers.iter().cloned().chain(others) {
            let before = (kinds(&kernel).len(), kernel.active().map(|active| active.registry));
            let why = forbidden(act(&kernel, &who));
            assert!(!why.codes.is_empty() && !why.messages.is_empty(), "{why}");
            // The denial is all that is new.
            let entry = last(&kernel);
            assert_eq!((kinds(&kernel).len(), kernel.active().map(|active| active.registry)), (before.0 + 1, before.1));
            assert_eq!((&entry.id, entry.kind, &entry.body["answer"]), (&why.entry, Kind::Decision, &json!("DENY")));
            assert_eq!(entry.body["of"], "kernel");
            assert_eq!(entry.body["principal"], json!({ "type": who.ty(), "id": who.id() }));
            assert!(entry.body["request"]["text"].as_str().is_some_and(|text| text.contains(name)), "{entry:?}");
        }
    }
    assert!(decided_again(&kernel) > 100);
}

#[test]
fn whoever_may_does_it_and_what_is_done_names_its_decision() {
    let (_world, kernel) = staffed();
    for (name, act) in acts() {
        for role in Role::ALL.iter().filter(|role| may(**role, name)) {
            let before = kinds(&kernel).len();
            act(&kernel, &of(*role)).unwrap_or_else(|error| panic!("{name} by {}: {error}", role.name()));
            let entries: Vec<Entry> = log(&kernel).into_iter().map(|(entry, _)| entry).skip(before).collect();
            assert_eq!((entries[0].kind, &entries[0].body["answer"]), (Kind::Decision, &json!("ALLOW")));
            for entry in &entries[1..] {
                assert_eq!(entry.links.get("allowed"), Some(&entries[0].id), "{entry:?}");
            }
            let changes = matches!(name, "activate" | "patch_registry" | "change_mode" | "change_operators");
            assert_eq!(entries.len() > 1, changes, "{name}");
        }
    }
    for (name, act) in quiet_acts() {
        for role in Role::ALL.iter().filter(|role| may(**role, name)) {
            let before = kinds(&kernel);
            act(&kernel, &of(*role)).unwrap_or_else(|error| panic!("{name} by {}: {error}", role.name()));
            assert_eq!(kinds(&kernel), before, "{name}");
        }
    }
    decided_again(&kernel);
}

/// Everything that can be looked at, by what it is called.
fn looks() -> Vec<(&'static str, Does)> {
    vec![
        ("operators", |kernel, who| kernel.operators(who).map(drop)),
        ("modes", |kernel, who| kernel.enforced(who).map(drop)),
        ("entities", |kernel, who| kernel.entities(who).map(drop)),
        ("entities", |kernel, who| kernel.version(who, 1).map(drop)),
        ("entities", |kernel, who| kernel.version_at(who, Timestamp::EPOCH).or_else(unknown).map(drop)),
        ("records", |kernel, who| kernel.record_types(who).map(drop)),
        ("records", |kernel, who| kernel.records(who, "Refund", None, None, 1).map(drop)),
        ("records", |kernel, who| kernel.record(who, "Refund", "r").map(drop)),
        ("records", |kernel, who| kernel.history(who, "Refund", "r", None, 1).or_else(no_record).map(drop)),
        ("evidence", |kernel, who| kernel.evidence(who, Digest::of(b"")).map(drop)),
        ("events", |kernel, who| kernel.events(who, None, 0, 1).map(drop)),
    ]
}

fn unknown(error: KernelError) -> Result<u64, KernelError> {
    if error == KernelError::UnknownVersion { Ok(0) } else { Err(error) }
}

fn no_record(error: KernelError) -> Result<Vec<Entry>, KernelError> {
    if matches!(error, KernelError::Record(_)) { Ok(Vec::new()) } else { Err(error) }
}

#[test]
fn whoever_may_look_leaves_no_trace_and_whoever_may_not_leaves_one() {
    let (_world, kernel) = staffed();
    for (name, look) in looks() {
        for role in Role::ALL {
            let before = kinds(&kernel).len();
            let seen = look(&kernel, &of(*role));
            if may(*role, "read_state") {
                seen.unwrap_or_else(|error| panic!("{name} by {}: {error}", role.name()));
                assert_eq!(kinds(&kernel).len(), before, "{name}");
            } else {
                let why = forbidden(seen);
                assert_eq!(why.codes, ["NOT_CONCERNED"], "{name}");
                let entry = last(&kernel);
                assert_eq!((kinds(&kernel).len(), &entry.id), (before + 1, &why.entry), "{name}");
                let asked = entry.body["request"]["text"].as_str().expect("it was read");
                assert!(asked.contains(name) && asked.contains("read_state"), "{asked}");
            }
        }
    }
    decided_again(&kernel);
}

#[test]
fn what_is_wrong_with_an_act_is_told_only_to_who_may_do_it() {
    let (_world, kernel) = staffed();
    let entries = kinds(&kernel).len();
    let eve = person("eve");
    for who in [&eve, &of(Role::Auditor)] {
        forbidden(kernel.activate(who, b"no bundle", None));
        forbidden(kernel.activate_kept(who, Digest::of(b"unknown"), None));
        forbidden(kernel.load_entities(who, b"[{}]"));
        forbidden(kernel.patch_entities(who, b"[]"));
        forbidden(kernel.set_mode(who, "fly", Mode::Permissive));
        forbidden(kernel.erase(who, "ent_none", "because"));
        forbidden(kernel.change_operators(who, &[Change::Remove(person("nobody"))]));
    }
    assert_eq!(kinds(&kernel).len(), entries + 14);
    assert!(matches!(kernel.activate(&of(Role::PolicyManager), b"no bundle", None), Err(KernelError::Bundle(_))));
    let unknown = Digest::of(b"unknown");
    let kept = kernel.activate_kept(&of(Role::PolicyManager), unknown, None);
    assert_eq!(kept, Err(KernelError::UnknownBundle(unknown)));
    assert!(matches!(kernel.load_entities(&of(Role::RegistryManager), b"[{}]"), Err(KernelError::Entities(_))));
    let unknown = KernelError::UnknownCapability("fly".to_owned());
    assert_eq!(kernel.set_mode(&of(Role::Admin), "fly", Mode::Permissive), Err(unknown));
    assert!(matches!(kernel.erase(&of(Role::PrivacyOfficer), "ent_none", "because"), Err(KernelError::Log(_))));
    let nobody = kernel.change_operators(&of(Role::Admin), &[Change::Remove(person("nobody"))]);
    assert!(matches!(nobody, Err(KernelError::Entities(_))));
    // What can't be done leaves nothing behind.
    assert_eq!(kinds(&kernel).len(), entries + 14);
}

#[test]
fn nobody_appoints_themselves_and_the_last_admin_stays() {
    let (_world, kernel) = staffed();
    let admin = of(Role::Admin);
    let change = |who: &Principal, changes: &[Change]| kernel.change_operators(who, changes);
    // Who is nobody, who has another role, and an admin who wants more.
    for who in [person("eve"), of(Role::PolicyManager), of(Role::Auditor), admin.clone()] {
        let own = [Change::Appoint(Operator::person(who.clone(), &[Role::Admin]))];
        assert!(forbidden(change(&who, &own)).codes.contains(&"OWN_APPOINTMENT".to_owned()));
    }
    assert_eq!(codes(change(&admin, &[Change::Remove(admin.clone())])), ["LAST_ADMIN", "OWN_APPOINTMENT"]);
    // Duties that do not go together, and what programs don't do.
    assert_eq!(codes(change(&admin, &[appoint("x", &[Role::Auditor, Role::Caretaker])])), ["DUTIES_CONFLICT"]);
    assert_eq!(codes(change(&admin, &[appoint("x", &[Role::Admin, Role::PrivacyOfficer])])), ["DUTIES_CONFLICT"]);
    let robot = Principal::new("Robot", "r").expect("it is short");
    let program = |role| [Change::Appoint(Operator::program(robot.clone(), &[role]))];
    assert_eq!(codes(change(&admin, &program(Role::Admin))), ["PERSON_NEEDED"]);
    assert_eq!(change(&admin, &program(Role::PolicyManager)), Ok(2));
    kernel.activate(&robot, &bundle(SHOP), None).expect("it may");
    // Another admin, who can take the first one's place; then the first one may no more, and nobody removes the last.
    let second = person("second");
    assert_eq!(change(&admin, &[appoint("second", &[Role::Admin])]), Ok(3));
    let away = Operator { suspended: true, ..Operator::person(admin.clone(), &[Role::Admin]) };
    assert_eq!(change(&second, &[Change::Appoint(away)]), Ok(4));
    assert_eq!(codes(change(&admin, &[Change::Remove(second.clone())])), ["OPERATOR_SUSPENDED", "LAST_ADMIN"]);
    assert_eq!(change(&second, &[Change::Remove(admin.clone())]), Ok(5));
    assert_eq!(codes(change(&admin, &[appoint("x", &[])])), ["NOT_AN_OPERATOR", "PERSON_NEEDED"]);
    assert!(codes(change(&second, &[Change::Remove(second.clone())])).contains(&"LAST_ADMIN".to_owned()));
    assert_eq!(kernel.operators(&second).map(|all| all.len()), Ok(8));
    decided_again(&kernel);
}

#[test]
fn nobody_changes_what_the_registry_says_of_them() {
    let world = World::new();
    let manager = person("manager");
    let roles = [Role::PolicyManager, Role::RegistryManager];
    let mut founders = staff();
    founders.push(Operator::person(manager.clone(), &roles));
    let kernel = opened(Box::new(Memory::new()), &world, founders).expect("it opens");
    let among = |team: &str| {
        format!(
            r#"[{{"type":"Agent","id":"bot","properties":{{"limit":1}}}},{{"type":"Team","id":"board"}},
                {{"type":"Person","id":"manager","in":[{team}]}}]"#
        )
    };
    let board = r#"{"type":"Team","id":"board"}"#;
    assert_eq!(codes(kernel.activate(&manager, &bundle(SHOP), Some(among(board).as_bytes()))), ["OWN_ENTITY"]);
    kernel.activate(&of(Role::PolicyManager), &bundle(SHOP), Some(among("").as_bytes())).expect("it is activated");
    assert_eq!(codes(kernel.activate(&manager, &bundle(SHOP), Some(among(board).as_bytes()))), ["OWN_ENTITY"]);
    assert_eq!(codes(kernel.load_entities(&manager, among(board).as_bytes())), ["OWN_ENTITY"]);
    assert_eq!(codes(kernel.load_entities(&manager, ENTITIES)), ["OWN_ENTITY"]);
    for patch in [
        format!(r#"{{"upsert":[{{"type":"Person","id":"manager","in":[{board}]}}]}}"#),
        format!(r#"{{"upsert":[{{"type":"shop.Person","id":"manager","in":[{board}]}}]}}"#),
        r#"{"remove":[{"type":"Person","id":"manager"}]}"#.to_owned(),
    ] {
        assert_eq!(codes(kernel.patch_entities(&manager, patch.as_bytes())), ["OWN_ENTITY"]);
        // Others may say it of them.
        kernel.patch_entities(&of(Role::RegistryManager), patch.as_bytes()).expect("it holds");
        kernel.load_entities(&of(Role::RegistryManager), among("").as_bytes()).expect("it holds");
    }
    kernel.load_entities(&of(Role::RegistryManager), among(board).as_bytes()).expect("it holds");
    // What says the same of them as before does not touch them.
    kernel.patch_entities(&manager, &limit("2")).expect("it holds");
    kernel.activate(&manager, &bundle(SHOP), None).expect("it is activated");
    kernel.load_entities(&manager, among(board).as_bytes()).expect("it holds");
}

#[test]
fn founders_are_appointed_once_and_as_the_policy_wants_it() {
    let world = World::new();
    let store = |kernel: Kernel| kernel.close().expect("it is given back");
    // Nobody was appointed: nobody governs.
    let kernel = opened(Box::new(Memory::new()), &world, Vec::new()).expect("it opens");
    assert_eq!(codes(kernel.activate(&of(Role::Admin), &bundle(SHOP), None)), ["NOT_AN_OPERATOR"]);
    decided_again(&kernel);
    let kept = store(kernel);
    // Founders without somebody who can appoint are refused.
    let world_of = || Arc::clone(&world);
    let path = Room::new();
    let file = path.path("store");
    drop(kept);
    let open = |founders| {
        let store = match Sqlite::open(&file, &Options::PLAIN) {
            Ok(store) => store,
            Err(_) => Sqlite::create(&file, &Options::PLAIN).expect("it can be made"),
        };
        opened(Box::new(store), &world_of(), founders)
    };
    let lonely = vec![Operator::person(person("eve"), &[Role::PolicyManager])];
    assert_eq!(codes(open(lonely)), ["LAST_ADMIN"]);
    let program = Operator::program(person("eve"), &[Role::Admin]);
    assert_eq!(codes(open(vec![program])), ["PERSON_NEEDED", "LAST_ADMIN"]);
    let kernel = open(staff()).expect("it opens");
    assert_eq!(kernel.operators(&of(Role::Admin)), Ok(sorted(staff())));
    drop(kernel);
    // Other founders are too late.
    let kernel = open(vec![Operator::person(person("eve"), &[Role::Admin])]).expect("it opens");
    assert_eq!(kernel.operators(&of(Role::Admin)), Ok(sorted(staff())));
    assert_eq!(codes(kernel.operators(&person("eve"))), ["NOT_CONCERNED"]);
    decided_again(&kernel);
}

fn sorted(mut operators: Vec<Operator>) -> Vec<Operator> {
    operators.sort_by(|one, other| one.principal.id().cmp(other.principal.id()));
    operators
}

#[test]
fn modes_are_changed_by_who_may_and_are_there_again() {
    let world = World::new();
    let room = Room::new();
    let path = room.path("store");
    let kernel = opened(Box::new(Sqlite::create(&path, &Options::PLAIN).expect("it can be made")), &world, staff());
    let kernel = kernel.expect("it opens");
    kernel.activate(&of(Role::PolicyManager), &bundle(SHOP), Some(ENTITIES)).expect("it is activated");
    assert_eq!(kernel.mode_of("pay", &agent()), Mode::Strict);
    for role in [Role::PolicyManager, Role::Responder] {
        assert_eq!(codes(kernel.set_mode(&of(role), "pay", Mode::Permissive)), ["ADMIN_NEEDED"]);
    }
    assert_eq!(kernel.mode_of("pay", &agent()), Mode::Strict);
    let snapshot = kernel.modes();
    let entry = kernel.set_mode(&of(Role::Admin), "pay", Mode::Permissive).expect("it may");
    // Not for whoever has made it so, and not for what began before.
    assert_eq!(kernel.mode_of("pay", &agent()), Mode::Permissive);
    assert_eq!(kernel.mode_of("pay", &of(Role::Admin)), Mode::Strict);
    assert_eq!(kernel.mode_of("shop.pay", &agent()), Mode::Strict);
    assert_eq!(snapshot.of("pay", &agent()), Mode::Strict);
    assert_eq!(codes(kernel.enforced(&of(Role::Caretaker))), ["NOT_CONCERNED"]);
    let enforced = kernel.enforced(&of(Role::Auditor)).expect("it may");
    let shown = enforced.iter().map(|one| (&*one.capability, one.mode, one.by.clone(), &*one.entry));
    assert_eq!(shown.collect::<Vec<_>>(), [("pay", Mode::Permissive, of(Role::Admin), &*entry)]);
    drop(kernel);
    let store = Sqlite::open(&path, &Options::PLAIN).expect("it is there");
    let kernel = opened(Box::new(store), &world, Vec::new()).expect("it opens");
    assert_eq!(kernel.mode_of("pay", &agent()), Mode::Permissive);
    // Whoever is on duty enforces it again, and a denial leaves it as it is.
    forbidden(kernel.set_mode(&person("eve"), "pay", Mode::Strict));
    assert_eq!(kernel.mode_of("pay", &agent()), Mode::Permissive);
    kernel.set_mode(&of(Role::Responder), "pay", Mode::Strict).expect("it may");
    assert_eq!(kernel.mode_of("pay", &agent()), Mode::Strict);
    let changed = last(&kernel);
    assert_eq!((changed.kind, &changed.links["parent"]), (Kind::ModeChanged, &entry));
    // A mode that can't be read makes nothing permissive.
    kernel.set_mode(&of(Role::Admin), "pay", Mode::Permissive).expect("it may");
    let damage = |tx: &mut dyn pdl::kernel::store::Tx| {
        let query = Query { kind: "mode".to_owned(), state: None, due_until_ms: None, after: None, limit: 1 };
        for object in tx.find(&query)? {
            tx.put(&Object { body: b"{}".to_vec(), ..object })?;
        }
        Ok(())
    };
    kernel.read(damage).expect("it can be written");
    drop(kernel);
    let store = Sqlite::open(&path, &Options::PLAIN).expect("it is there");
    let kernel = opened(Box::new(store), &world, Vec::new()).expect("it opens");
    assert_eq!(kernel.mode_of("pay", &agent()), Mode::Strict);
}

#[test]
fn the_log_is_read_and_erased_by_who_may() {
    let (_world, kernel) = staffed();
    assert_eq!(kernel.decide(&agent(), &request("1"), FACTS).answer(), Answer::Allow);
    let own = request("1");
    let entry = kernel.decide(&of(Role::PrivacyOfficer), &own, FACTS).entry.expect("it is told");
    let decisions = Search { kinds: vec![Kind::Decision], limit: 100, ..Search::default() };
    let shows = |who: &Principal, contents| {
        let page = kernel.search(who, &decisions).expect("it may");
        let shown = |entry: Entry| match contents {
            true => kernel.reveal(who, &entry.id).expect("it may").entry,
            false => entry,
        };
        let tells = |entry: Entry| entry.body.get("request").is_some_and(|text| text.to_string().contains("zoe"));
        page.entries.into_iter().any(|entry| tells(shown(entry)))
    };
    assert!(!shows(&of(Role::Responder), false) && !shows(&of(Role::Auditor), false));
    assert!(shows(&of(Role::Auditor), true));
    assert_eq!(codes(kernel.reveal(&of(Role::Responder), &entry)), ["CONTENTS_HIDDEN"]);
    // Whoever erases says why, and erases nothing that tells of themselves.
    let officer = of(Role::PrivacyOfficer);
    assert_eq!(codes(kernel.erase(&officer, &entry, "")), ["OWN_ENTRY", "REASON_MISSING"]);
    assert_eq!(codes(kernel.erase(&of(Role::Auditor), &entry, "because")), ["ROLE_MISSING", "PERSON_NEEDED"][..1]);
    let asked = log(&kernel).into_iter().find(|(entry, _)| {
        entry.kind == Kind::Decision && entry.body["principal"] == json!({ "type": "Agent", "id": "bot" })
    });
    let asked = asked.expect("it was decided").0.id;
    let erased = kernel.erase(&officer, &asked, "the person asked for it").expect("it may");
    let told = last(&kernel);
    assert_eq!((Some(&told), told.kind, &told.links["erased"]), (erased.as_ref(), Kind::ContentErased, &asked));
    let allowed = told.links["allowed"].clone();
    assert!(log(&kernel).iter().any(|(entry, _)| entry.id == allowed && entry.body["answer"] == "ALLOW"));
    assert_eq!(kernel.erase(&officer, &asked, "again"), Ok(None));
    // A reason that is too long is no reason.
    let long = forbidden(kernel.erase(&officer, &asked, &"x".repeat(5_000)));
    assert_eq!(last(&kernel).id, long.entry);
}

#[test]
fn who_is_no_operator_votes_where_they_are_asked() {
    let (_world, kernel) = staffed();
    let eve = person("eve");
    kernel.permit(&eve, Act::vote("g", true)).expect("she is asked");
    kernel.permit(&eve, Act::withdraw("g", true)).expect("it is hers");
    kernel.permit(&eve, Act::read_state("gates", true)).expect("they are hers");
    assert_eq!(codes(kernel.permit(&eve, Act::vote("g", false))), ["NOT_AN_APPROVER"]);
    // No role gives a vote, and whoever audits has none.
    for role in Role::ALL {
        assert!(codes(kernel.permit(&of(*role), Act::vote("g", false))).contains(&"NOT_AN_APPROVER".to_owned()));
    }
    assert_eq!(codes(kernel.permit(&of(Role::Auditor), Act::vote("g", true))), ["AUDITOR_VOTES"]);
    kernel.permit(&of(Role::Admin), Act::vote("g", true)).expect("they are asked as anybody else");
}

#[test]
fn operators_that_are_damaged_govern_nothing_and_it_is_told() {
    let (_world, kernel) = staffed();
    let damage = |tx: &mut dyn pdl::kernel::store::Tx| {
        let (kind, state) = ("operators".to_owned(), Some("current".to_owned()));
        for object in tx.find(&Query { kind, state, due_until_ms: None, after: None, limit: 1 })? {
            let mut body: Value = serde_json::from_slice(&object.body).expect("it is JSON");
            body["digest"] = json!(Digest::of(b"another").to_string());
            tx.put(&Object { body: body.to_string().into_bytes(), ..object })?;
        }
        Ok(())
    };
    kernel.read(damage).expect("it can be written");
    for (name, act) in acts().into_iter().chain(quiet_acts()) {
        let entries = kinds(&kernel).len();
        let why = act(&kernel, &of(Role::Admin)).expect_err("nobody governs");
        assert!(matches!(why, KernelError::Damaged(_)), "{name}: {why}");
        let told = last(&kernel);
        assert_eq!((kinds(&kernel).len(), &told.body["answer"]), (entries + 1, &json!("DENY")), "{name}");
        assert!(told.body["trouble"].as_str().is_some_and(|text| text.contains("operators")), "{told:?}");
    }
    // What the policy decides about goes on.
    assert_eq!(kernel.decide(&agent(), &request("1"), FACTS).answer(), Answer::Allow);
}
