//! A store that fails, at every single thing that it is asked for: what was under way is denied or is an error, and nothing
//! that must never happen has happened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use pdl::kernel::ask::Verdict;
use pdl::kernel::environment::Environment;
use pdl::kernel::gate::Verdict as Vote;
use pdl::kernel::record::Principal;
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::{Object, Query, Store, StoreError, Tx};
use pdl::kernel::{Kernel, KernelError};
use pdl::log::tree::Node;
use pdl::{Answer, Digest};

use super::audit::{Ledger, compare};
use super::crowd::{ENTITIES, POLICY};
use super::house::{World, bundle, settings, who};

/// When a store fails, and how.
#[derive(Debug, Default)]
struct Plan {
    /// After so many more things; never if it is below zero.
    left: AtomicI64,
    /// What was done before it was said that it could not be made durable.
    is_done: AtomicI64,
    /// Whether it is a store in a file, for which a thread writes, or one in memory.
    is_durable: AtomicBool,
    /// How often it has failed.
    failed: AtomicU64,
}

impl Plan {
    /// One thing more.
    fn step(&self) -> Result<(), StoreError> {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
            self.failed.fetch_add(1, Ordering::Relaxed);
            return Err(StoreError::Unavailable("the cable".to_owned()));
        }
        Ok(())
    }
}

/// A store that fails as planned.
#[derive(Debug)]
struct Fragile {
    inner: Memory,
    plan: Arc<Plan>,
}

impl Store for Fragile {
    fn is_durable(&self) -> bool {
        self.plan.is_durable.load(Ordering::Relaxed)
    }

    fn transact(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let plan = Arc::clone(&self.plan);
        let mut late = Ok(());
        self.inner.transact(&mut |tx| {
            let mut lost = None;
            work(&mut Lossy { tx, plan: &plan, lost: &mut lost })?;
            if let Some(error) = lost {
                return Err(error);
            }
            late = plan.step();
            // Whether it was done is not known to whoever is told that it failed.
            if plan.is_done.load(Ordering::Relaxed) > 0 { Ok(()) } else { late.clone() }
        })?;
        late
    }

    fn check(&mut self) -> Result<(), StoreError> {
        self.inner.check()
    }
}

struct Lossy<'t> {
    tx: &'t mut dyn Tx,
    plan: &'t Plan,
    /// After a failure the whole transaction is lost.
    lost: &'t mut Option<StoreError>,
}

impl Lossy<'_> {
    fn try_it<T>(&mut self, work: impl FnOnce(&mut dyn Tx) -> Result<T, StoreError>) -> Result<T, StoreError> {
        if let Some(error) = &*self.lost {
            return Err(error.clone());
        }
        self.plan.step().inspect_err(|error| *self.lost = Some(error.clone()))?;
        work(self.tx)
    }
}

impl Tx for Lossy<'_> {
    fn part(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        if let Some(error) = &*self.lost {
            return Err(error.clone());
        }
        let Lossy { tx, plan, lost } = self;
        tx.part(&mut |tx| work(&mut Lossy { tx, plan, lost }))
    }
    fn get(&mut self, kind: &str, key: &str) -> Result<Option<Object>, StoreError> {
        self.try_it(|tx| tx.get(kind, key))
    }
    fn put(&mut self, object: &Object) -> Result<u64, StoreError> {
        self.try_it(|tx| tx.put(object))
    }
    fn remove(&mut self, kind: &str, key: &str, version: u64) -> Result<(), StoreError> {
        self.try_it(|tx| tx.remove(kind, key, version))
    }
    fn find(&mut self, query: &Query) -> Result<Vec<Object>, StoreError> {
        self.try_it(|tx| tx.find(query))
    }
    fn log_size(&mut self) -> Result<u64, StoreError> {
        self.try_it(|tx| tx.log_size())
    }
    fn append(&mut self, id: &str, kind: &str, entry: &[u8]) -> Result<u64, StoreError> {
        self.try_it(|tx| tx.append(id, kind, entry))
    }
    fn dropped(&mut self) -> Result<u64, StoreError> {
        self.try_it(|tx| tx.dropped())
    }
    fn drop_entries(&mut self, before: u64) -> Result<u64, StoreError> {
        self.try_it(|tx| tx.drop_entries(before))
    }
    fn entries(&mut self, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.try_it(|tx| tx.entries(from, limit))
    }
    fn entries_of(&mut self, kind: &str, from: u64, limit: u32) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.try_it(|tx| tx.entries_of(kind, from, limit))
    }
    fn index_of(&mut self, id: &str) -> Result<Option<u64>, StoreError> {
        self.try_it(|tx| tx.index_of(id))
    }
    fn put_node(&mut self, node: Node, hash: Digest) -> Result<(), StoreError> {
        self.try_it(|tx| tx.put_node(node, hash))
    }
    fn node(&mut self, node: Node) -> Result<Option<Digest>, StoreError> {
        self.try_it(|tx| tx.node(node))
    }
    fn put_content(&mut self, content: &[u8]) -> Result<Digest, StoreError> {
        self.try_it(|tx| tx.put_content(content))
    }
    fn content(&mut self, digest: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.try_it(|tx| tx.content(digest))
    }
    fn erase_content(&mut self, digest: Digest) -> Result<bool, StoreError> {
        self.try_it(|tx| tx.erase_content(digest))
    }
}

/// A story that does everything, each time with orders of its own; and whether each step of it can be believed.
struct Story<'k> {
    kernel: &'k Kernel,
    world: &'k World,
    plan: &'k Plan,
    order: i64,
    /// How often the store had failed before the step.
    failed: u64,
}

impl Story<'_> {
    fn request(&self, action: &str, context: &str) -> Vec<u8> {
        let order = self.order;
        format!(
            r#"{{"subject":{{"type":"Agent","id":"bot"}},"action":{{"name":"{action}"}},
            "resource":{{"type":"Order","id":"o{order}"}},"context":{{{context}}}}}"#
        )
        .into_bytes()
    }

    /// Whether the store has failed since the last time.
    fn has_failed(&mut self) -> bool {
        let failed = self.plan.failed.load(Ordering::Relaxed);
        std::mem::replace(&mut self.failed, failed) != failed
    }

    /// An answer is a denial with a reason if the store failed for it, and has an entry unless that failed.
    fn answered(&mut self, verdict: &Verdict) -> Option<()> {
        let failed = self.has_failed();
        if failed {
            let is_denied = verdict.answer() == Answer::Deny && verdict.trouble.is_some() && verdict.permit.is_none();
            assert!(is_denied, "the store failed, and the answer is {verdict:?}");
        } else {
            assert!(verdict.entry.is_some(), "{verdict:?}");
        }
        (!failed).then_some(())
    }

    fn done<T>(&mut self, done: Result<T, KernelError>) -> Option<T> {
        let failed = self.has_failed();
        assert_eq!(failed, done.is_err(), "{:?}", done.err());
        done.ok()
    }

    fn ask(&mut self, text: &[u8], facts: Option<&[u8]>) -> Option<Verdict> {
        let verdict = self.kernel.decide(&who("Agent", "bot"), text, facts);
        self.answered(&verdict).map(|()| verdict)
    }

    fn start(&mut self, verdict: &Verdict, text: &[u8]) -> Option<String> {
        let token = verdict.permit.as_ref().expect("it is allowed").token().to_owned();
        let started = self.kernel.start(&who("Agent", "bot"), &token, text);
        self.done(started).map(|_| token)
    }

    /// As far as it goes: what the store does not do ends a part of it.
    fn tell(&mut self) {
        let bot = who("Agent", "bot");
        _ = self.has_failed();
        _ = self.pay(&bot);
        _ = self.large(&bot);
        _ = self.scoped(&bot);
        let patch = br#"{"upsert":[{"type":"Person","id":"eve"}]}"#;
        let patched = self.kernel.patch_entities(&who("Person", "olga"), patch);
        _ = self.done(patched);
    }

    fn pay(&mut self, bot: &Principal) -> Option<()> {
        let text = self.request("pay", r#""cost":40,"memo":"for the cat""#);
        let verdict = self.ask(&text, None)?;
        let token = self.start(&verdict, &text)?;
        let completed = self.kernel.complete(bot, &token);
        self.done(completed)
    }

    fn large(&mut self, bot: &Principal) -> Option<()> {
        let text = self.request("pay", r#""cost":100"#);
        let gate = self.ask(&text, None)?.gate.expect("people are asked");
        for person in ["ann", "ben"] {
            let rule = &gate.asked[0].rule;
            let voted = self.kernel.vote(&who("Person", person), &gate.id, rule, Vote::Approve, gate.binding);
            self.done(voted)?;
        }
        let verdict = self.kernel.spend(bot, &gate.id, None);
        self.answered(&verdict)?;
        // It is not started, and expires.
        assert_eq!(verdict.answer(), Answer::Allow);
        let other = self.request("pay", r#""cost":101"#);
        let gate = self.ask(&other, None)?.gate.expect("people are asked");
        let withdrawn = self.kernel.withdraw(bot, &gate.id);
        self.done(withdrawn).map(|_| ())
    }

    fn scoped(&mut self, bot: &Principal) -> Option<()> {
        let context = r#""incident":"i","allowed_actions":["restart"],"intent":"it leaks","max_attempts":4,"max_cost":2.5,
            "target_agents":["w"],"ttl":"60s""#;
        let text = self.request("open_scope", context);
        let scoping = self.kernel.create_scope(bot, &text, None);
        self.answered(&scoping.verdict)?;
        let scope = scoping.scope.expect("it is made").id;
        let context = format!(r#""scope_id":"{scope}","incident":"i","cost":0.5,"target_agents":["w"]"#);
        let text = self.request("restart", &context);
        let facts: Option<&[u8]> = Some(br#"{"risk":"low"}"#);
        let verdict = self.ask(&text, facts)?;
        let token = self.start(&verdict, &text)?;
        let failed = self.kernel.fail(bot, &token);
        self.done(failed)?;
        // One is not started, one not ended.
        self.ask(&text, facts)?;
        let verdict = self.ask(&text, facts)?;
        self.start(&verdict, &text)?;
        self.world.turn(700);
        let swept = self.kernel.sweep(&who("Person", "olga"));
        let failed = self.has_failed();
        let is_told = swept.as_ref().map_or(true, |swept| !swept.failed.is_empty());
        assert!(!is_told || failed, "{swept:?}");
        let text = self.request("end_scope", &format!(r#""scope_id":"{scope}","to":"revoked""#));
        let scoping = self.kernel.end_scope(bot, &text, None);
        self.answered(&scoping.verdict)?;
        assert_eq!(scoping.verdict.answer(), Answer::Allow);
        Some(())
    }
}

fn read_on(kernel: &Kernel, mut ledger: Ledger, compares: bool) -> Ledger {
    let read = kernel.read(move |tx| {
        let read = ledger.read_on(tx).and_then(|_| if compares { compare(&ledger, tx) } else { Ok(()) });
        Ok((ledger, read))
    });
    let (ledger, read) = read.expect("it can be read");
    read.unwrap_or_else(|why| panic!("{why}"));
    ledger
}

fn run(is_durable: bool, is_done: bool) {
    let (world, plan) = (World::new(), Arc::new(Plan::default()));
    plan.left.store(-1, Ordering::Relaxed);
    plan.is_durable.store(is_durable, Ordering::Relaxed);
    plan.is_done.store(is_done.into(), Ordering::Relaxed);
    let environment: Arc<dyn Environment> = Arc::<World>::clone(&world);
    let open = |store| Kernel::open(store, Arc::clone(&environment), settings()).expect("it opens");
    let mut kernel = open(Box::new(Fragile { inner: Memory::new(), plan: Arc::clone(&plan) }));
    kernel.activate(&who("Person", "olga"), &bundle(POLICY), Some(ENTITIES)).expect("it is activated");
    let mut ledger = read_on(&kernel, Ledger::default(), true);
    let (mut at, mut told) = (0, 0);
    loop {
        plan.left.store(at, Ordering::Relaxed);
        let before = plan.failed.load(Ordering::Relaxed);
        Story { kernel: &kernel, world: &world, plan: &plan, order: at, failed: 0 }.tell();
        let is_over = plan.failed.load(Ordering::Relaxed) == before;
        plan.left.store(-1, Ordering::Relaxed);
        // What the story left behind is swept, so that the next one finds nothing of it.
        world.turn(700);
        kernel.sweep(&who("Person", "olga")).expect("the store is there");
        let opens_again = at % 64 == 0;
        ledger = read_on(&kernel, ledger, opens_again);
        if opens_again {
            kernel = open(kernel.close().expect("it closes"));
        }
        if is_over {
            break;
        }
        (at, told) = (at + 1, told + 1);
    }
    assert!(told > 200, "a story of only {told} things");
    let kernel = open(kernel.close().expect("it closes"));
    read_on(&kernel, Ledger::default(), true);
}

#[test]
fn whatever_fails_is_undone_and_denied() {
    run(true, false);
}

#[test]
fn so_it_is_where_nobody_writes_for_others() {
    run(false, false);
}

/// The store has done it, and says that it failed: nobody knows, so nobody may rely on it.
#[test]
fn whatever_fails_late_is_denied_and_told() {
    run(true, true);
}
