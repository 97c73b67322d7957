//! Replay: whole logs come out again; whatever is changed in one together with all its hashes is found; and nothing that
//! could not be run counts as replayed.

#[path = "replay/against.rs"]
mod against;
#[path = "replay/exported.rs"]
mod exported;
#[path = "replay/gaps.rs"]
mod gaps;
#[path = "replay/lies.rs"]
mod lies;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pdl::kernel::entry::{Entry, Kind};
use pdl::kernel::govern::operators::{Operator, Role};
use pdl::kernel::json::canonical;
use pdl::kernel::log::append::Log;
use pdl::kernel::log::erase::erase;
use pdl::kernel::log::verify::{self, verify};
use pdl::kernel::record::Principal;
use pdl::kernel::replay::{Finding, Gap, Options, Outcome, Report};
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::{Object, Query, Store, StoreError, Tx};
use pdl::kernel::{Kernel, KernelError, Settings};
use pdl::log::tree::{Frontier, leaf_hash};
use pdl::{Answer, Digest};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::house::{World, bundle_of, open_with, settings, who};

/// Every kind of answer; `secret` takes the place of what makes values sensitive.
const SHOP: &str = r#"module shop
entity Agent in Team { limit: Decimal }
entity Team {}
approver entity Person in Team {}
presented entity Order { owner: String secret  open: Bool }
obligation tell(cost: Decimal, whom: String)

action pay {
    subject:  Agent
    resource: Order
    context {
        cost:  Decimal
        rate:  Decimal
        email: String secret
        note:  String? @advisory
        spent: Decimal @kernel
        now:   Timestamp @kernel
    }
}

invariant never_free on pay { require context.cost > 0.0 }

policy paying on pay {
    allow within_limit
        when    context.cost * context.rate + context.spent <= subject.limit
        oblige  tell(context.cost, resource.owner)

    deny too_late
        when    context.now.year >= 2030
        because "{context.email} came too late"
        code    TOO_LATE

    require approval large
        when    context.cost >= 100.0
        from    Team::"board"
        quorum  2
        within  2h
        because "{context.email} pays {context.cost}"
}

shadow policy stricter on pay {
    deny closed when not resource.open because "{resource.owner} has closed it"
}
"#;

fn bundle(text: &str, secret: &str) -> Vec<u8> {
    bundle_of("shop", &text.replace("secret", secret))
}

fn open(store: impl Store + 'static, world: &Arc<World>) -> Kernel {
    let founders = vec![
        Operator::person(olga(), &[Role::Admin, Role::PolicyManager, Role::RegistryManager]),
        Operator::person(auditor(), &[Role::Auditor]),
    ];
    open_with(store, world, Settings { founders, ..settings() })
}

/// Whoever governs the kernel.
fn olga() -> Principal {
    who("Person", "olga")
}

/// Whoever may read what is hidden.
fn auditor() -> Principal {
    who("Person", "ida")
}

/// How many of the decisions are on what was done to the kernel itself.
fn acts(kernel: &Kernel) -> u64 {
    all(kernel).iter().filter(|entry| entry.kind == Kind::Decision && entry.body.contains_key("of")).count() as u64
}

fn agent() -> Principal {
    who("Agent", "bot")
}

fn entities(limit: &str) -> Vec<u8> {
    String::from_utf8_lossy(ENTITIES).replace("500", limit).into_bytes()
}

const ENTITIES: &[u8] = br#"[{"type":"Agent","id":"bot","properties":{"limit":500}},{"type":"Team","id":"board"}]"#;

fn request(cost: &str, rate: &str, open: bool) -> Vec<u8> {
    format!(
        r#"{{"subject":{{"type":"Agent","id":"bot"}},"action":{{"name":"pay"}},
        "resource":{{"type":"Order","id":"o\"1","properties":{{"owner":"zoé\n","open":{open}}}}},
        "context":{{"cost":{cost},"rate":{rate},"email":"zoe@shop.example","note":"so \\ be it"}}}}"#
    )
    .into_bytes()
}

fn limit(of: u64) -> Vec<u8> {
    format!(r#"{{"upsert":[{{"type":"Agent","id":"bot","properties":{{"limit":{of}}}}}]}}"#).into_bytes()
}

/// Asks for everything that comes to different answers. Gives how many decisions there were.
fn ask(kernel: &Kernel, world: &World) -> u64 {
    let facts: Option<&[u8]> = Some(br#"{"spent":0.25}"#);
    let long = String::from_utf8(request("1", "1", true)).expect("it is text");
    type Case<'a> = (Vec<u8>, Option<&'a [u8]>, &'a str);
    let asked: [Case<'_>; 15] = [
        (request("1.5", "1", true), facts, "allowed"),
        (request("1.50", "1", false), facts, "allowed"),
        (request("499", "1", true), facts, "approval"),
        (request("99", "10", true), facts, "not_permitted"),
        (request("0", "1", true), facts, "violated"),
        (request("9000000000000", "9000000000000", true), facts, "error"),
        (request("1", "1", true), None, "error"),
        (long.replace("zoe@", &"z".repeat(60_000)).into_bytes(), facts, "allowed"),
        (b"{\xff".to_vec(), facts, "error"),
        (b"{}".to_vec(), facts, "error"),
        (vec![b' '; 1 << 20], facts, "error"),
        (long.replace("o\\\"1", &"y".repeat(64_000)).into_bytes(), facts, "allowed"),
        (request("1", "1", true), Some(b"[1]"), "error"),
        (request("1", "1", true), Some(br#"{"now":"2031-01-01T00:00:00Z","spent":1}"#), "error"),
        (request("1", "1", true), Some(br#"{"spent":"much"}"#), "error"),
    ];
    for (request, facts, kind) in &asked {
        let verdict = kernel.decide(&agent(), request, *facts);
        assert_eq!(verdict.trouble, None);
        assert_eq!(verdict.decision.expect("it was decided").kind.name(), *kind);
    }
    const LATER: i64 = 5 * 366 * 24 * 3_600;
    world.turn(LATER);
    let late = kernel.decide(&agent(), &request("1", "1", true), facts);
    assert_eq!(late.decision.expect("it was decided").kind.name(), "denied");
    world.turn(-LATER);
    asked.len() as u64 + 1
}

fn options(threads: usize) -> Options {
    Options { threads: NonZeroUsize::new(threads).expect("it is not none"), ..Options::default() }
}

/// Replays, on one thread and on three: the reports are one.
fn replay(kernel: &Kernel) -> Report {
    let report = kernel.replay(&olga(), &options(1), &mut |_| {}).expect("the store is there");
    let mut last = None;
    let again = kernel.replay(&olga(), &options(3), &mut |progress| last = Some(progress)).expect("the store is there");
    assert_eq!(report, again);
    assert_eq!(last.map(|last| (last.done, last.of)), Some((report.entries, report.entries)));
    let lost: u64 = report.not_replayed.values().sum();
    assert_eq!(report.same + report.different + lost, report.decisions);
    // What was done to the kernel comes out again as well, but is not what is counted here.
    let acts = acts(kernel);
    Report { decisions: report.decisions - acts, same: report.same.saturating_sub(acts), ..report }
}

/// A kernel with a log of everything.
fn full(secret: &str) -> (Kernel, Arc<World>, u64) {
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    kernel.activate(&olga(), &bundle(SHOP, secret), Some(ENTITIES)).expect("it is activated");
    let mut decisions = ask(&kernel, &world);
    kernel.patch_entities(&olga(), &limit(1_000)).expect("it holds");
    decisions += ask_some(&kernel);
    kernel.activate(&olga(), &bundle(&stricter(), secret), None).expect("it is activated");
    decisions += ask_some(&kernel);
    for of in 3..10 {
        kernel.patch_entities(&olga(), &limit(of)).expect("it holds");
        decisions += ask_some(&kernel);
    }
    kernel.load_entities(&olga(), &entities("1000")).expect("they hold");
    decisions += ask(&kernel, &world);
    (kernel, world, decisions)
}

fn stricter() -> String {
    SHOP.replace("context.cost * context.rate +", "context.cost + context.cost * context.rate +")
}

fn ask_some(kernel: &Kernel) -> u64 {
    for cost in ["1", "3", "700"] {
        let verdict = kernel.decide(&agent(), &request(cost, "1", true), Some(br#"{"spent":1}"#));
        assert_eq!(verdict.trouble, None);
    }
    3
}

#[test]
fn a_log_with_every_kind_of_answer_comes_out_again() {
    for secret in ["", "@sensitive"] {
        let (kernel, _, decisions) = full(secret);
        let report = replay(&kernel);
        assert_eq!(report.findings, [], "{secret}");
        assert!(report.is_whole() && report.is_sound());
        assert_eq!((report.decisions, report.same, report.different), (decisions, decisions, 0));
        assert!(report.entries > decisions);
    }
}

#[test]
fn what_the_kernel_denied_itself_is_counted_apart() {
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    let none = kernel.decide(&agent(), &request("1", "1", true), None);
    assert!(none.trouble.is_some());
    kernel.activate(&olga(), &bundle(SHOP, ""), Some(ENTITIES)).expect("it is activated");
    let large = kernel.decide(&agent(), &vec![b' '; (1 << 20) + 1], None);
    assert_eq!(large.answer(), Answer::Deny);
    let decided = ask(&kernel, &world);
    let report = replay(&kernel);
    assert_eq!((report.same, report.decisions), (decided, decided + 2));
    assert_eq!(report.not_replayed, BTreeMap::from([(Gap::Kernel, 1), (Gap::NotKept, 1)]));
    assert!(report.is_sound() && !report.is_whole());
    let Outcome::NotReplayed(lost) = &report.findings[0].outcome else { panic!("{report:?}") };
    assert_eq!((report.findings[0].index, &lost.why[..]), (3, "no bundle is active"));
    assert!(report.findings[0].to_string().contains(": no bundle is active"), "{}", report.findings[0]);
}

#[test]
fn what_was_erased_is_not_replayed_and_never_counted_as_such() {
    let (kernel, world, decisions) = full("@sensitive");
    let ids: Vec<(u64, String)> = decided(&kernel).into_iter().map(|entry| (entry.index, entry.id)).collect();
    let environment = Arc::clone(&world);
    for (_, id) in ids.clone().into_iter().take(3) {
        let environment = Arc::clone(&environment);
        let done = kernel.read(move |tx| {
            Ok(erase(
                &Log::default(),
                tx,
                &*environment,
                &id,
                &json!({ "type": "Person", "id": "zoe" }),
                "asked",
                None,
            )?)
        });
        done.expect("it is erased").expect("there was something");
    }
    let report = replay(&kernel);
    assert_eq!((report.same, report.decisions), (decisions - 3, decisions));
    assert_eq!(report.not_replayed, BTreeMap::from([(Gap::Erased, 3)]));
    assert!(report.is_sound());
    let named: Vec<(u64, Option<String>)> =
        report.findings.iter().map(|found| (found.index, found.id.clone())).collect();
    let erased: Vec<(u64, Option<String>)> = ids.into_iter().take(3).map(|(at, id)| (at, Some(id))).collect();
    assert_eq!(named, erased);
}

#[test]
fn an_answer_of_which_a_part_was_erased_is_compared_as_far_as_it_is_there() {
    let (kernel, _, decisions) = full("@sensitive");
    // Only what was answered: the text that a rule was rendered to.
    let entries = decided(&kernel);
    let of_message = |entry: &&Entry| entry.body["rules"][0]["message"].get("commitment").is_some();
    let entry = entries.iter().find(of_message).expect("there is one");
    let commitment = entry.body["rules"][0]["message"]["commitment"].as_str().and_then(Digest::parse);
    let commitment = commitment.expect("it is a digest");
    assert_eq!(kernel.read(move |tx| Ok(tx.erase_content(commitment)?)), Ok(true));
    let report = replay(&kernel);
    assert_eq!((report.same, report.not_replayed.get(&Gap::Erased)), (decisions - 1, Some(&1)));
    // A lie beside it is still found.
    let index = entry.index;
    let kernel = changed(kernel, |entry| {
        if entry.index == index {
            entry.body.insert("kind".to_owned(), "denied".into());
        }
    });
    let report = replay(&kernel);
    assert_eq!((report.different, report.findings[0].index), (1, index));
    assert_eq!(report.findings[0].outcome, Outcome::Different(vec!["kind"]));
}

/// The decisions of a log.
fn decided(kernel: &Kernel) -> Vec<Entry> {
    all(kernel).into_iter().filter(is_asked).collect()
}

/// Whether it is the entry of a request that was decided, and not of something that was done to the kernel.
fn is_asked(entry: &Entry) -> bool {
    entry.kind == Kind::Decision && !entry.body.contains_key("of")
}

fn all(kernel: &Kernel) -> Vec<Entry> {
    let read = |tx: &mut dyn Tx| {
        let rows = tx.entries(0, u32::MAX)?;
        Ok(rows.into_iter().map(|(_, bytes)| Entry::read(&bytes).expect("it was written")).collect())
    };
    kernel.read(read).expect("the store is there")
}

/// All texts in JSON that are digests.
fn digests(text: &[u8], found: &mut Vec<Digest>) {
    let text = String::from_utf8_lossy(text);
    found.extend(text.match_indices("sha256:").filter_map(|(at, _)| Digest::parse(text.get(at..at + 71)?)));
}

/// Everything that a replay reads, in another store: entries changed by one, and objects by the other; with all hashes of
/// the tree made anew.
fn copied(
    from: &mut dyn Store,
    mut of_entry: impl FnMut(&mut Entry),
    mut of_object: impl FnMut(&mut Object, &mut Map<String, Value>),
) -> Memory {
    let (mut entries, mut objects, mut contents) = (Vec::new(), Vec::new(), Vec::new());
    let read = from.transact(&mut |tx| {
        let mut named = Vec::new();
        for kind in ["meta", "bundle", "registry", "operators"] {
            let query = Query { kind: kind.to_owned(), state: None, due_until_ms: None, after: None, limit: u32::MAX };
            objects.extend(tx.find(&query)?);
        }
        objects.iter().for_each(|object: &Object| digests(&object.body, &mut named));
        for (_, bytes) in tx.entries(0, u32::MAX)? {
            digests(&bytes, &mut named);
            entries.push(Entry::read(&bytes).expect("it was written"));
        }
        for digest in named {
            contents.extend(tx.content(digest)?);
        }
        Ok(())
    });
    read.expect("the store is there");
    let mut to = Memory::new();
    let written = to.transact(&mut |tx| {
        let mut tree = Frontier::default();
        for entry in &mut entries {
            of_entry(entry);
            let bytes = entry.to_bytes();
            tx.append(&entry.id, entry.kind.name(), &bytes)?;
            let mut nodes = Vec::new();
            tree.append(leaf_hash(&bytes), |node, hash| nodes.push((node, hash)));
            nodes.into_iter().try_for_each(|(node, hash)| tx.put_node(node, hash))?;
        }
        for object in &objects {
            let mut object = Object { version: 0, ..object.clone() };
            let mut body = serde_json::from_slice(&object.body).expect("it is an object");
            of_object(&mut object, &mut body);
            object.body = canonical(&Value::Object(body)).into_bytes();
            tx.put(&object)?;
        }
        contents.iter().try_for_each(|content| tx.put_content(content).map(|_| ()))
    });
    written.expect("there is room");
    to
}

/// A kernel whose log was written anew, and which is sound to who has nothing to hold it against.
fn changed(kernel: Kernel, of_entry: impl FnMut(&mut Entry)) -> Kernel {
    changed_in(&mut *kernel.close().expect("it is given back"), of_entry)
}

fn changed_in(store: &mut dyn Store, of_entry: impl FnMut(&mut Entry)) -> Kernel {
    let mut store = copied(store, of_entry, |_, _| {});
    let options = verify::Options { origin: "pdl.example/log", known: &[], trusted: &[], threads: 1 };
    let verified = store.transact(&mut |tx| {
        let report = verify(tx, &options, &mut |_| {})?;
        assert!(report.is_sound(), "{report:?}");
        Ok(())
    });
    verified.expect("the store is there");
    open(store, &World::new())
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().expect("it is an object")
}

/// A log, and what is in it.
struct Original {
    store: Box<dyn Store>,
    entries: Vec<Entry>,
}

/// Changes the first decision of a kind, and gives what the replay says of it.
fn found(log: &mut Original, kind: &str, change: impl Fn(&mut Map<String, Value>)) -> Vec<&'static str> {
    let chosen = |entry: &&Entry| entry.body["kind"] == kind && entry.body.get("committed").is_none();
    let entry = log.entries.iter().find(chosen).expect("there is one").clone();
    let decisions = log.entries.len() as u64;
    let kernel = changed_in(&mut *log.store, |other| {
        if other.id == entry.id {
            let before = other.body.clone();
            change(&mut other.body);
            assert_ne!(before, other.body, "something is changed");
        }
    });
    let report = replay(&kernel);
    assert_eq!((report.same, report.different), (decisions - 1, 1), "{report:?}");
    assert!(!report.is_sound() && !report.is_whole());
    let [Finding { index, id, outcome: Outcome::Different(members) }] = &report.findings[..] else {
        panic!("{:?}", report.findings)
    };
    assert_eq!((*index, id.as_ref()), (entry.index, Some(&entry.id)));
    let shown = report.findings[0].to_string();
    assert!(shown.contains(&entry.id) && members.iter().all(|member| shown.contains(member)), "{shown}");
    members.clone()
}

#[test]
fn a_lie_about_any_part_of_an_answer_is_found_though_all_hashes_fit() {
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    kernel.activate(&olga(), &bundle(SHOP, ""), Some(ENTITIES)).expect("it is activated");
    ask(&kernel, &world);
    let entries = decided(&kernel);
    let mut log = Original { store: kernel.close().expect("it is given back"), entries };
    let put = |member: &'static str, value: Value| {
        move |body: &mut Map<String, Value>| _ = body.insert(member.to_owned(), value.clone())
    };
    assert_eq!(found(&mut log, "not_permitted", put("answer", json!("ALLOW"))), ["answer"]);
    let allowed = |body: &mut Map<String, Value>| {
        body.insert("answer".to_owned(), "ALLOW".into());
        body.insert("kind".to_owned(), "allowed".into());
    };
    assert_eq!(found(&mut log, "denied", allowed), ["answer", "kind"]);
    assert_eq!(found(&mut log, "approval", allowed), ["answer", "kind"]);
    assert_eq!(found(&mut log, "error", allowed), ["answer", "kind"]);
    assert_eq!(found(&mut log, "allowed", put("kind", json!("denied"))), ["kind"]);
    assert_eq!(found(&mut log, "denied", put("codes", json!(["OTHER"]))), ["codes"]);
    assert_eq!(found(&mut log, "denied", put("codes", json!([]))), ["codes"]);
    let text = |member: &'static str, name: &'static str| {
        move |body: &mut Map<String, Value>| {
            object(&mut body[member][0]).insert(name.to_owned(), "another".into());
        }
    };
    assert_eq!(found(&mut log, "denied", text("rules", "message")), ["rules"]);
    assert_eq!(found(&mut log, "allowed", text("rules", "id")), ["rules"]);
    assert_eq!(found(&mut log, "allowed", text("obligations", "arguments")), ["obligations"]);
    assert_eq!(found(&mut log, "allowed", put("obligations", json!([]))), ["obligations"]);
    assert_eq!(
        found(&mut log, "allowed", put("shadow", json!([{ "id": "shop.closed", "effect": "deny" }]))),
        ["shadow"]
    );
    assert_eq!(found(&mut log, "approval", |body| body["gates"][0]["quorum"] = json!(1)), ["gates"]);
    assert_eq!(found(&mut log, "approval", |body| body["gates"][0]["from"]["id"] = json!("interns")), ["gates"]);
    assert_eq!(found(&mut log, "error", |body| body["error"]["code"] = json!("absent")), ["error"]);
    assert_eq!(found(&mut log, "error", |body| _ = body.remove("error")), ["error"]);
    assert_eq!(
        found(&mut log, "allowed", put("error", json!({ "at": null, "code": "absent", "rule": "x" }))),
        ["error"]
    );
    for name in ["request", "facts", "binding", "registry", "bundle"] {
        let other = Digest::of(b"another").to_string();
        assert_eq!(found(&mut log, "allowed", |body| body["digests"][name] = json!(other)), ["digests"], "{name}");
        assert_eq!(
            found(&mut log, "allowed", |body| _ = object(&mut body["digests"]).remove(name)),
            ["digests"],
            "{name}"
        );
    }
    assert_eq!(found(&mut log, "allowed", put("bundle", json!(Digest::of(b"another").to_string()))), ["bundle"]);
    assert_eq!(found(&mut log, "allowed", put("said", json!(true))), ["a member that decisions don't have"]);
    // What was asked: then the digests are not those, and what comes of it.
    let asked = |from: &'static str, to: &'static str| {
        move |body: &mut Map<String, Value>| {
            let text = body["request"]["text"].as_str().expect("it is text").replace(from, to);
            body["request"]["text"] = text.into();
        }
    };
    assert_eq!(found(&mut log, "not_permitted", asked("\"cost\":99", "\"cost\":98")), ["digests"]);
    assert_eq!(
        found(&mut log, "not_permitted", asked("\"cost\":99", "\"cost\":1")),
        ["answer", "digests", "kind", "obligations", "rules"]
    );
}

#[test]
fn lies_behind_commitments_are_found_too() {
    let (kernel, _, decisions) = full("@sensitive");
    let kernel = changed(kernel, |entry| {
        if is_asked(entry) && entry.body["answer"] == "DENY" {
            entry.body.insert("answer".to_owned(), "ALLOW".into());
        }
    });
    let lies = decided(&kernel)
        .iter()
        .filter(|entry| entry.body["kind"] != "allowed" && entry.body["answer"] == "ALLOW")
        .count();
    let report = replay(&kernel);
    assert!(lies > 10, "{lies}");
    assert_eq!((report.different, report.same), (lies as u64, decisions - lies as u64));
    for finding in &report.findings {
        assert_eq!(finding.outcome, Outcome::Different(vec!["answer"]));
    }
}

#[test]
fn a_denial_of_the_kernels_own_has_to_be_one() {
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    let none = kernel.decide(&agent(), &request("1", "1", true), None);
    assert!(none.trouble.is_some());
    let kernel = changed(kernel, |entry| {
        if is_asked(entry) {
            entry.body.insert("answer".to_owned(), "ALLOW".into());
        }
    });
    let report = replay(&kernel);
    assert_eq!((report.different, report.not_replayed.len()), (1, 0));
    assert_eq!(report.findings[0].outcome, Outcome::Different(vec!["answer"]));
}

/// Replays a log whose entries are as they were, over objects that are not.
fn with_objects(change: impl FnMut(&mut Object, &mut Map<String, Value>)) -> (Report, u64) {
    let (kernel, _, decisions) = full("");
    let mut store = kernel.close().expect("it is given back");
    let store = copied(&mut *store, |_| {}, change);
    (replay(&open(store, &World::new())), decisions)
}

#[test]
fn a_bundle_that_was_swapped_is_found() {
    // Another one under its name.
    let other = Digest::of(&bundle(&stricter(), "")).to_string();
    let (report, decisions) = with_objects(|object, body| {
        if object.kind == "bundle" && object.state != "kernel" && body["content"] != other.as_str() {
            body.insert("content".to_owned(), other.clone().into());
        }
    });
    let lost = report.not_replayed.get(&Gap::Bundle).copied().unwrap_or_default();
    assert!(lost > 0 && lost < decisions && report.same == decisions - lost && !report.is_sound(), "{report:?}");
    // Its name where the version says with what it was decided.
    let mut names = Vec::new();
    let (report, decisions) = with_objects(|object, body| {
        if object.kind == "bundle" && object.state != "kernel" {
            names.push(object.key.clone());
        }
        if object.kind == "registry" {
            assert_eq!(names.len(), 2);
            let other = names.iter().find(|name| body["bundle"] != name.as_str()).expect("there are two");
            body.insert("bundle".to_owned(), other.as_str().into());
        }
    });
    assert_eq!((report.different, report.same), (decisions, 0));
    let of = |finding: &Finding| matches!(&finding.outcome, Outcome::Different(members) if members.contains(&"bundle"));
    assert!(report.findings.iter().all(of), "{report:?}");
    // It is gone.
    let (report, decisions) = with_objects(|object, _| {
        if object.kind == "bundle" && object.state != "kernel" {
            object.kind = "lost".to_owned();
        }
    });
    assert_eq!(report.not_replayed, BTreeMap::from([(Gap::Bundle, decisions)]));
}

#[test]
fn a_version_of_the_registry_that_was_changed_is_found() {
    /// Members of a version in place of those of another one; and how many decisions are lost and how many differ.
    fn swapped(from: &str, to: &str, members: &[&str]) -> (u64, u64, u64) {
        let mut taken: Option<Map<String, Value>> = None;
        let (report, decisions) = with_objects(|object, body| {
            if object.kind == "registry" && object.key.ends_with(from) {
                taken = Some(body.clone());
            }
            if object.kind == "registry" && object.key.ends_with(to) {
                let taken = taken.as_ref().expect("it comes before");
                for &member in members {
                    body.insert(member.to_owned(), taken[member].clone());
                }
            }
        });
        let lost = report.not_replayed.get(&Gap::Version).copied().unwrap_or_default();
        assert_eq!((report.same, report.is_sound()), (decisions - lost - report.different, false), "{report:?}");
        (decisions, lost, report.different)
    }
    // The entities are not those of their digest. A patch is of one agent, and the next one puts it right.
    assert_eq!(swapped("04", "05", &["patch"]).1, 3);
    // Their digest was changed with them: then the decisions themselves say that they were made with others.
    let (_, lost, different) = swapped("04", "05", &["patch", "digest"]);
    assert_eq!((lost, different), (0, 3));
    // A version that is of another bundle in the middle.
    assert_eq!(swapped("02", "05", &["bundle"]).1, 3 * 6);
    // It is gone, and with it all that is made of it.
    let (report, decisions) = with_objects(|object, _| {
        if object.kind == "registry" && object.key.ends_with("05") {
            object.kind = "lost".to_owned();
        }
    });
    assert_eq!(report.not_replayed, BTreeMap::from([(Gap::Version, 3 * 6)]));
    assert_eq!(report.same, decisions - 3 * 6);
}

#[test]
fn everything_is_counted_and_only_the_first_are_named() {
    let (kernel, _, decisions) = full("");
    let kernel = changed(kernel, |entry| {
        if is_asked(entry) {
            entry.body.insert("answer".to_owned(), "MAYBE".into());
        }
    });
    let first: Vec<u64> = decided(&kernel).iter().map(|entry| entry.index).take(5).collect();
    for threads in [1, 2, 7] {
        let report =
            kernel.replay(&olga(), &Options { named_max: 5, ..options(threads) }, &mut |_| {}).expect("it can be read");
        assert_eq!(report.different, decisions);
        assert_eq!(report.findings.iter().map(|finding| finding.index).collect::<Vec<_>>(), first);
    }
    let later = kernel.replay(&olga(), &Options { from: first[4], ..options(2) }, &mut |_| {}).expect("it can be read");
    assert_eq!(later.different, decisions - 4);
}

/// A store that counts what is read of contents, and of which something may be damaged.
#[derive(Debug)]
struct Counting(Memory, Arc<AtomicU64>, Option<Damage>);

/// What of a store can't be read as it was written.
#[derive(Clone, Copy, Debug)]
enum Damage {
    /// An entry is cut in two.
    Cut(u64),
    /// An entry is damaged, and the store finds it.
    Entry(u64),
    /// A content is damaged, and the store finds it.
    Content(Digest),
}

impl Store for Counting {
    fn transact(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let count = Arc::clone(&self.1);
        let damage = self.2;
        self.0.transact(&mut |tx| work(&mut CountingTx(tx, &count, damage)))
    }

    fn check(&mut self) -> Result<(), StoreError> {
        self.0.check()
    }
}

struct CountingTx<'t>(&'t mut dyn Tx, &'t AtomicU64, Option<Damage>);

impl Tx for CountingTx<'_> {
    fn part(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let (count, damage) = (self.1, self.2);
        self.0.part(&mut |tx| work(&mut CountingTx(tx, count, damage)))
    }

    fn get(&mut self, kind: &str, key: &str) -> Result<Option<Object>, StoreError> {
        self.0.get(kind, key)
    }

    fn put(&mut self, object: &Object) -> Result<u64, StoreError> {
        self.0.put(object)
    }

    fn remove(&mut self, kind: &str, key: &str, version: u64) -> Result<(), StoreError> {
        self.0.remove(kind, key, version)
    }

    fn find(&mut self, query: &Query) -> Result<Vec<Object>, StoreError> {
        self.0.find(query)
    }

    fn log_size(&mut self) -> Result<u64, StoreError> {
        self.0.log_size()
    }

    fn append(&mut self, id: &str, kind: &str, entry: &[u8]) -> Result<u64, StoreError> {
        self.0.append(id, kind, entry)
    }

    fn entries(&mut self, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let mut rows = self.0.entries(from, limit)?;
        match self.2 {
            Some(Damage::Entry(at)) if rows.iter().any(|(index, _)| *index == at) => {
                return Err(StoreError::Corrupt("an entry".to_owned()));
            }
            Some(Damage::Cut(at)) => {
                rows.iter_mut()
                    .filter(|(index, _)| *index == at)
                    .for_each(|(_, bytes)| bytes.truncate(bytes.len() / 2));
            }
            _ => {}
        }
        Ok(rows)
    }

    fn dropped(&mut self) -> Result<u64, StoreError> {
        self.0.dropped()
    }

    fn drop_entries(&mut self, before: u64) -> Result<u64, StoreError> {
        self.0.drop_entries(before)
    }

    fn entries_of(&mut self, kind: &str, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.0.entries_of(kind, from, limit)
    }

    fn index_of(&mut self, id: &str) -> Result<Option<u64>, StoreError> {
        self.0.index_of(id)
    }

    fn put_node(&mut self, node: pdl::log::tree::Node, hash: Digest) -> Result<(), StoreError> {
        self.0.put_node(node, hash)
    }

    fn node(&mut self, node: pdl::log::tree::Node) -> Result<Option<Digest>, StoreError> {
        self.0.node(node)
    }

    fn put_content(&mut self, content: &[u8]) -> Result<Digest, StoreError> {
        self.0.put_content(content)
    }

    fn content(&mut self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        if let Some(Damage::Content(damaged)) = self.2
            && damaged == digest
        {
            return Err(StoreError::Corrupt("a content".to_owned()));
        }
        self.0.content(digest)
    }

    fn erase_content(&mut self, digest: Digest) -> Result<bool, StoreError> {
        self.0.erase_content(digest)
    }
}

#[test]
fn a_version_is_made_once_of_the_one_before() {
    let (world, count) = (World::new(), Arc::new(AtomicU64::new(0)));
    let kernel = open(Counting(Memory::new(), Arc::clone(&count), None), &world);
    kernel.activate(&olga(), &bundle(SHOP, ""), Some(ENTITIES)).expect("it is activated");
    for of in 1..200 {
        kernel.patch_entities(&olga(), &limit(of)).expect("it holds");
        assert_eq!(kernel.decide(&agent(), &request("1", "1", true), Some(br#"{"spent":0}"#)).trouble, None);
    }
    let acts = acts(&kernel);
    for threads in [1, 2, 5] {
        count.store(0, Ordering::Relaxed);
        let report = kernel.replay(&olga(), &options(threads), &mut |_| {}).expect("it can be read");
        assert!(report.is_whole() && report.decisions == 199 + acts, "{report:?}");
        // One content for each version, the snapshot that the first patch is of, and the bundle; and the policy of the
        // kernel with its operators.
        assert_eq!(count.load(Ordering::Relaxed), 201 + 2);
    }
}

#[test]
fn nothing_is_replayed_of_an_empty_log_and_a_store_that_fails_is_an_error() {
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    let report = replay(&kernel);
    assert_eq!(report, Report { entries: 3, ..Report::default() });
    assert!(report.is_whole() && report.is_sound());
    let none = kernel.replay(&olga(), &Options { from: 9, ..options(1) }, &mut |_| {}).expect("it can be read");
    assert_eq!(none, Report::default());
    let fails: Result<(), KernelError> = kernel.read(|_| Err(KernelError::Panicked));
    assert!(fails.is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is asked, what was answered comes out again.
    #[test]
    fn random_requests_come_out_again(
        asked in prop::collection::vec((0_u32..2_000, 0_u32..4, any::<bool>(), "[a-z\"\\\\é😀\n]{0,12}", any::<bool>(), 0_u64..3), 1..40),
        is_secret: bool,
    ) {
        let world = World::new();
        let kernel = open(Memory::new(), &world);
        let secret = if is_secret { "@sensitive" } else { "" };
        kernel.activate(&olga(), &bundle(SHOP, secret), Some(ENTITIES)).expect("it is activated");
        for (cost, rate, open, text, with_facts, change) in &asked {
            let request = json!({
                "subject": { "type": "Agent", "id": if *change == 2 { text } else { "bot" } },
                "action": { "name": "pay" },
                "resource": { "type": "Order", "id": text, "properties": { "owner": text, "open": open } },
                "context": { "cost": f64::from(*cost) / 4.0, "rate": rate, "email": text, "note": text },
            });
            if *change == 1 {
                kernel.patch_entities(&olga(), &limit(u64::from(*cost))).expect("it holds");
            }
            let facts = format!("{{\"spent\":{rate}}}");
            let facts = with_facts.then_some(facts.as_bytes());
            prop_assert_eq!(kernel.decide(&agent(), request.to_string().as_bytes(), facts).trouble, None);
        }
        let report = replay(&kernel);
        prop_assert_eq!(&report.findings, &[]);
        prop_assert_eq!(report.same, asked.len() as u64);
    }
}
