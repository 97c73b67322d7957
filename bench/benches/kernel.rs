//! What an invocation through the kernel costs, and where the time goes: a decision, its entry, a permit issued, started and
//! completed, on a store in memory.
//!
//! Time on the wall, since the writer's thread works while the caller waits. The clock is the system's; chance is made of a
//! counter, so that none of it is the system's time for random bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pdl::build::{Sources, build};
use pdl::data::duration::Duration;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::entry::Kind;
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::govern::operators::{Operator, Role};
use pdl::kernel::log::append::{Event, Log};
use pdl::kernel::permit::Issuer;
use pdl::kernel::record::Principal;
use pdl::kernel::store::Store;
use pdl::kernel::store::memory::Memory;
use pdl::kernel::writer::{WriteError, Writer};
use pdl::kernel::{Kernel, Settings};
use pdl::vm::machine::{Question, Scratch};
use pdl::{Answer, LoadOptions};
use serde_json::json;

const POLICY: &str = "module shop
entity Agent in Team { limit: Decimal  level: Int in 1..=5 }
entity Team {}
presented entity Order { owner: String  open: Bool  lines: Int }

action pay {
    subject:  Agent
    resource: Order
    context { cost: Decimal  currency: String  reason: String @advisory  now: Timestamp @kernel }
}

policy paying on pay {
    allow within_limit when context.cost <= subject.limit and resource.open
    deny too_late when context.now.year >= 2100
    deny newcomers when subject.level < 2 and context.cost > 10.0
    deny of_others when resource.owner == \"nobody\"
}
";
const ENTITIES: &str = r#"[{"type":"Team","id":"payers"},
    {"type":"Agent","id":"a1","properties":{"limit":500.0,"level":3},"in":["payers"]}]"#;
const REQUEST: &str = r#"{"subject":{"type":"Agent","id":"a1"},"action":{"name":"pay"},
    "resource":{"type":"Order","id":"order-4711","properties":{"owner":"ann","open":true,"lines":4}},
    "context":{"cost":12.50,"currency":"EUR","reason":"the goods have come and are as they should be"}}"#;

/// The system's clock, and chance that never comes twice.
#[derive(Debug, Default)]
struct World(AtomicU64);

impl Environment for World {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        Timestamp::from_millis(i64::try_from(since).unwrap_or(0)).unwrap_or(Timestamp::EPOCH)
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        for part in buffer.chunks_mut(8) {
            let mut mixed = self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(0x9e37_79b9_7f4a_7c15);
            mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            part.copy_from_slice(&(mixed ^ mixed >> 31).to_le_bytes()[..part.len()]);
        }
        Ok(())
    }
}

/// Samples of the time on the wall for one operation, in nanoseconds, sorted.
fn measure(samples: usize, batch: usize, mut operation: impl FnMut()) -> Vec<f64> {
    let mut taken: Vec<f64> = (0..=samples)
        .map(|_| {
            let begun = Instant::now();
            (0..batch).for_each(|_| operation());
            begun.elapsed().as_nanos() as f64 / batch as f64
        })
        .collect();
    // The first one is thrown away.
    taken.remove(0);
    taken.sort_by(f64::total_cmp);
    taken
}

fn show(what: &str, samples: &[f64]) {
    let at = |quantile: f64| samples[((samples.len() - 1) as f64 * quantile).round() as usize] / 1e3;
    println!("  {what:<44} {:7.2} µs ({:.2} – {:.2})", at(0.5), at(0.1), at(0.9));
}

fn main() {
    let files = [("shop.pdl", POLICY)];
    let bundle = build(&Sources { package: "shop", version: "1.0.0", files: &files })
        .unwrap_or_else(|error| panic!("{error}"))
        .bundle;
    let admin = Principal::new("Person", "admin").expect("it is short");
    let roles = [Role::Admin, Role::PolicyManager, Role::RegistryManager];
    let settings = Settings {
        bundles: LoadOptions::UNSIGNED,
        founders: vec![Operator::person(admin.clone(), &roles)],
        issuer: Issuer::shared(&[7; 32]).expect("it is long enough"),
        start_within: Duration(60_000),
        run_within: Duration(600_000),
        origin: "pdl.example/bench".to_owned(),
        signer: None,
    };
    let world: Arc<dyn Environment> = Arc::new(World::default());
    let kernel = Kernel::open(Box::new(Memory::new()), Arc::clone(&world), settings).expect("it opens");
    kernel.activate(&admin, &bundle, None).expect("it is sound");
    kernel.load_entities(&admin, ENTITIES.as_bytes()).expect("they are sound");
    let who = Principal::new("Agent", "a1").expect("it is short");
    let request = REQUEST.as_bytes();

    println!("an invocation on a store in memory, a request of {} bytes", request.len());
    let invoke = || {
        let invoked = kernel.invoke(&who, request, None, |_| Ok::<(), ()>(()));
        assert!(invoked.verdict.answer() == Answer::Allow && invoked.trouble.is_none(), "{invoked:?}");
    };
    show("invoke: decide, issue, start, complete", &measure(40, 500, invoke));
    // For a profiler: that, and nothing else.
    if std::env::args().any(|argument| argument == "invoke") {
        show("again", &measure(200, 500, invoke));
        return;
    }
    let mut permits = Vec::new();
    show(
        "  decide, with the permit",
        &measure(40, 100, || {
            let verdict = kernel.decide(&who, request, None);
            permits.push(verdict.permit.expect("it is allowed"));
        }),
    );
    let mut next = permits.iter();
    show(
        "  start",
        &measure(30, 100, || {
            let permit = next.next().expect("there is one more");
            kernel.start(&who, permit.token(), request).map(drop).expect("it starts");
        }),
    );
    let mut next = permits.iter();
    show(
        "  complete",
        &measure(30, 100, || {
            let permit = next.next().expect("there is one more");
            kernel.complete(&who, permit.token()).expect("it ends");
        }),
    );

    let active = kernel.active().expect("a bundle decides");
    let (machine, store) = (active.machine(), active.store());
    let facts = format!("{{\"now\":\"{}\"}}", world.now());
    let question = Question { facts: Some(facts.as_bytes()), ..Question::strict(request) };
    let mut scratch = Scratch::default();
    show(
        "    of it the machine: the answer alone",
        &measure(40, 2_000, || {
            std::hint::black_box(machine.decide_with(Arc::clone(store), question, &mut scratch).answer());
        }),
    );
    show(
        "    of it the machine: all that is kept",
        &measure(40, 2_000, || {
            std::hint::black_box(machine.recorded(store, question, &mut scratch).asked.is_some());
        }),
    );

    let writer = Writer::new(Box::new(Memory::new())).expect("there is a thread");
    show(
        "an empty work through the writer",
        &measure(40, 1_000, || {
            writer.submit(|_| Ok::<(), WriteError>(())).expect("nothing fails");
        }),
    );
    let (mut memory, log) = (Memory::new(), Log::default());
    let body = json!({ "permit": "permit_01JD3Q8Z0000000000000000AB", "principal": { "type": "Agent", "id": "a1" } });
    let event = Event::new(Kind::PermitStarted, body.as_object().expect("an object").clone());
    let event = event.link("decision", "ent_01JD3Q8Z0000000000000000AB");
    show(
        "an entry of a permit",
        &measure(40, 1_000, || {
            let append =
                memory.transact(&mut |tx| log.append(tx, &*world, event.clone()).map(drop).map_err(Into::into));
            append.expect("nothing fails");
        }),
    );
}
