//! How many decisions of a log are made again in a second, and what the parts of that cost.
//!
//! The logs of the tool calls and of the coding agent, written by a kernel as it decides, without anything sensitive: what
//! lies behind commitments is not measured. Beside the whole, in the same run: the answer alone, what a replay has the
//! machine do (on the texts that the log has: decide with all reasons, and the digests), to read alone; and the log against
//! another policy, which is the same one here.
//!
//! `cargo bench --bench replay -- 200000` for another number of decisions.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use pdl::build::{Sources, build};
use pdl::data::duration::Duration;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::govern::operators::{Operator, Role};
use pdl::kernel::permit::Issuer;
use pdl::kernel::record::Principal;
use pdl::kernel::replay::Options;
use pdl::kernel::replay::against::Logged;
use pdl::kernel::store::Store;
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{self, Sqlite};
use pdl::kernel::{Kernel, Settings};
use pdl::vm::machine::{Decided, Question, Scratch};
use pdl::{Digest, LoadOptions};
use pdl_bench::{machine, measure, time};
use serde_json::{Value, json};

const TOOLS: &str = include_str!("../policies/tool_calls.pdl");
const TOOL_REQUESTS: &str = include_str!("../data/tool-calls/requests.jsonl");
const AGENT: &[(&str, &str)] = &[
    ("files.pdl", include_str!("../../examples/coding-agent/files.pdl")),
    ("guards.pdl", include_str!("../../examples/coding-agent/guards.pdl")),
    ("main.pdl", include_str!("../../examples/coding-agent/main.pdl")),
    ("messages.pdl", include_str!("../../examples/coding-agent/messages.pdl")),
    ("model.pdl", include_str!("../../examples/coding-agent/model.pdl")),
    ("network.pdl", include_str!("../../examples/coding-agent/network.pdl")),
    ("repository.pdl", include_str!("../../examples/coding-agent/repository.pdl")),
    ("shell.pdl", include_str!("../../examples/coding-agent/shell.pdl")),
];
const AGENT_REQUESTS: &str = include_str!("../data/coding-agent/requests.jsonl");
const AGENT_FACTS: &str = include_str!("../data/coding-agent/facts.json");
const AGENT_ENTITIES: &str = include_str!("../data/coding-agent/entities.json");

/// A clock that stands, and numbers that don't come twice.
#[derive(Debug)]
struct World(AtomicI64, AtomicU64);

impl Environment for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed)).expect("it is a time")
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        for part in buffer.chunks_mut(32) {
            let next = Digest::of(&self.1.fetch_add(1, Ordering::Relaxed).to_le_bytes());
            part.copy_from_slice(&next.0[..part.len()]);
        }
        Ok(())
    }
}

fn person(id: &str) -> Principal {
    Principal::new("Person", id).expect("it is short")
}

struct Workload<'a> {
    name: &'a str,
    files: Vec<(&'a str, &'a str)>,
    requests: Vec<Vec<u8>>,
    facts: Option<Vec<u8>>,
    entities: Option<&'a [u8]>,
}

fn kernel(store: impl Store + 'static) -> Kernel {
    let now = Timestamp::parse("2026-11-20T10:00:00Z").expect("it is a time").millis();
    let settings = Settings {
        bundles: LoadOptions::UNSIGNED,
        founders: vec![
            Operator::person(person("olga"), &[Role::Admin, Role::PolicyManager, Role::RegistryManager]),
            Operator::person(person("ida"), &[Role::Auditor]),
        ],
        issuer: Issuer::shared(&[7; 32]).expect("it is long enough"),
        start_within: Duration(60_000),
        run_within: Duration(600_000),
        origin: "pdl.example/bench".to_owned(),
        signer: None,
    };
    let world = World(AtomicI64::new(now), AtomicU64::new(0));
    Kernel::open(Box::new(store), Arc::new(world), settings).expect("it opens")
}

/// How many decisions of a log are gone through in a second, of CPU time of one core and by the clock.
fn rates(name: &str, size: usize, mut work: impl FnMut()) {
    let mut samples = Vec::new();
    for _ in 0..5 {
        let (begun, cpu) = (Instant::now(), cpu_time::ProcessTime::now());
        work();
        samples.push((cpu.elapsed().as_secs_f64(), begun.elapsed().as_secs_f64()));
    }
    let of = |pick: fn(&(f64, f64)) -> f64| {
        let mut seconds: Vec<f64> = samples.iter().map(pick).collect();
        seconds.sort_by(f64::total_cmp);
        let rate = |seconds: f64| size as f64 / seconds / 1e3;
        format!("{:.0}k/s ({:.0} – {:.0})", rate(seconds[2]), rate(seconds[4]), rate(seconds[0]))
    };
    println!("  {name:<20} {} of CPU time of one core, {} by the clock", of(|s| s.0), of(|s| s.1));
}

fn run(workload: &Workload<'_>, store: impl Store + 'static, size: usize) {
    let kernel = kernel(store);
    let who = person("olga");
    let sources = Sources { package: "bench", version: "1.0.0", files: &workload.files };
    let bundle = build(&sources).unwrap_or_else(|error| panic!("{error}")).bundle;
    kernel.activate(&who, &bundle, workload.entities).expect("it is activated");
    let facts = workload.facts.as_deref();
    let threads = 16;
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (kernel, who) = (&kernel, &who);
            scope.spawn(move || {
                for at in (thread..size).step_by(threads) {
                    let verdict = kernel.decide(who, &workload.requests[at % workload.requests.len()], facts);
                    assert!(verdict.trouble.is_none(), "{:?}", verdict.trouble);
                    assert!(verdict.decision.is_some_and(|decision| decision.error.is_none()));
                }
            });
        }
    });
    println!("{}", workload.name);
    // What the parts cost, of CPU time on one thread.
    let active = kernel.active().expect("it decides");
    let engine = pdl::vm::machine::Machine::load(&bundle, &LoadOptions::UNSIGNED).expect("it loads");
    engine.load_entities(active.entities().as_bytes()).expect("they load");
    let (store, mut scratch) = (engine.entities(), Scratch::default());
    let mut given = facts.map_or_else(|| json!({}), |facts| serde_json::from_slice(facts).expect("JSON"));
    given["now"] = "2026-11-20T10:00:00Z".into();
    let given = given.to_string();
    let question = |at: usize| {
        let request = &workload.requests[at % workload.requests.len()];
        std::hint::black_box(Question { facts: Some(given.as_bytes()), ..Question::strict(request) })
    };
    let batch = 10 * workload.requests.len();
    let decide = measure(20, batch, |at| {
        std::hint::black_box(engine.decide(question(at), &mut scratch).answer());
    });
    let logged: Vec<(String, String)> = (0..workload.requests.len())
        .map(|at| {
            let asked = engine.recorded(&store, question(at), &mut scratch).asked.expect("it can be read");
            (asked.request(), asked.facts.text().to_owned())
        })
        .collect();
    let again = measure(20, batch, |at| {
        let (request, facts) = &logged[at % logged.len()];
        let question = Question { facts: Some(facts.as_bytes()), ..Question::strict(request.as_bytes()) };
        let redecided = engine.redecide(&store, std::hint::black_box(question), &mut scratch);
        // What is constant is remembered, and not told again.
        if redecided.constant().is_none() {
            std::hint::black_box(redecided.decision());
        }
    });
    println!("  answer alone         {}", decide.show());
    println!("  decide again alone   {}", again.show());
    let entries = kernel.read(|tx| Ok(tx.log_size()?)).expect("the store is there");
    let begun = Instant::now();
    let mut at = 0;
    let mut bytes = 0;
    while at < entries {
        let (read, next) = kernel
            .read(move |tx| {
                let rows = tx.entries(at, 2_048)?;
                Ok((rows.iter().map(|(_, row)| row.len()).sum::<usize>(), at + rows.len() as u64))
            })
            .expect("the store is there");
        (at, bytes) = (next, bytes + read);
    }
    println!(
        "  read alone           {} an entry ({entries} entries of {} bytes)",
        time(begun.elapsed().as_nanos() as f64 / entries as f64),
        bytes / entries as usize
    );
    let policy = Arc::new(engine);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for threads in [1, cores] {
        let options = Options { threads: NonZeroUsize::new(threads).expect("it is some"), ..Options::default() };
        rates(&format!("replay, {threads} threads"), size, || {
            let report = kernel.replay(&who, &options, &mut |_| {}).expect("the store is there");
            assert!(report.is_whole() && report.decisions >= size as u64, "{:?}", report.findings.first());
        });
        rates(&format!("against, {threads} threads"), size, || {
            let look = |_: &Logged<'_>, _: &mut Decided<'_>| {};
            let report = kernel.replay_against(&person("ida"), &policy, &options, &look, &mut |_| {});
            assert_eq!(report.expect("the store is there").same, size as u64);
        });
    }
    println!();
}

fn main() {
    machine();
    let size = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let calls: Vec<Value> = TOOL_REQUESTS.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let requests: Vec<Vec<u8>> = calls.iter().map(|call| tool_call(call).to_string().into_bytes()).collect();
    // Where no action has one, the time is a fact that nobody declares.
    let tools_with_time =
        format!("{TOOLS}\naction at {{ subject: Agent, resource: Tool, context {{ now: Timestamp @kernel }} }}\n");
    let tools = Workload {
        name: "tool calls",
        files: vec![("tool_calls.pdl", &tools_with_time)],
        requests,
        facts: None,
        entities: None,
    };
    run(&tools, Memory::new(), size);
    let path = std::env::temp_dir().join(format!("pdl-bench-replay-{}", std::process::id()));
    let store = Sqlite::create(&path, &sqlite::Options::PLAIN).expect("it can be made");
    run(&Workload { name: "tool calls, in a file", ..tools }, store, size / 4);
    for end in ["", "-wal"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    let requests = AGENT_REQUESTS.lines().map(|line| line.as_bytes().to_vec()).collect();
    let mut facts: Value = serde_json::from_str(AGENT_FACTS).expect("JSON");
    // The time is the kernel's to say.
    facts.as_object_mut().expect("an object").remove("now");
    let facts = Some(facts.to_string().into_bytes());
    let entities = Some(AGENT_ENTITIES.as_bytes());
    let agent = Workload { name: "coding agent", files: AGENT.to_vec(), requests, facts, entities };
    run(&agent, Memory::new(), size);
}

/// The tool call as PDL has it: names of actions are names, and sets have no duplicates.
fn tool_call(call: &Value) -> Value {
    let tool = call["tool"].as_str().expect("a tool");
    let mut context = call.clone();
    for name in ["domains", "attachments", "fields"] {
        if let Some(Value::Array(items)) = context["args"].get_mut(name) {
            let mut seen = Vec::new();
            items.retain(|item| {
                let new = !seen.contains(item);
                seen.push(item.clone());
                new
            });
        }
    }
    json!({
        "subject": { "type": "Agent", "id": call["agent"]["id"] },
        "action": { "name": tool.replace('.', "_") },
        "resource": { "type": "Tool", "id": tool },
        "context": context,
    })
}
