//! What a registry costs: the memory of entities with ten attributes each in a kernel, and a patch of one of them.
//!
//! The first argument that is a number says how many entities, 100,000 if there is none.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use pdl::LoadOptions;
use pdl::base::hash::Digest;
use pdl::build::{Sources, build};
use pdl::data::duration::Duration;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::govern::operators::{Operator, Role};
use pdl::kernel::permit::Issuer;
use pdl::kernel::record::Principal;
use pdl::kernel::store::sqlite::{self, Sqlite};
use pdl::kernel::{Kernel, Settings};

const POLICY: &str = r#"module shop
entity Agent in Team {
    level: Int
    limit: Decimal
    region: String
    name: String
    active: Bool
    owner: Agent?
    tools: Set<String>
    joined: Timestamp
    score: Int
    note: String
}
entity Team {}
presented entity Order { open: Bool }
action pay { subject: Agent  resource: Order  context { cost: Decimal } }
policy paying on pay { allow within_limit when context.cost <= subject.limit }
"#;

/// A clock that stands still, and chance that never comes twice.
#[derive(Debug, Default)]
struct World(AtomicU64);

impl Environment for World {
    fn now(&self) -> Timestamp {
        Timestamp::EPOCH
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        let digest = Digest::of(&self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes()).0;
        buffer.iter_mut().zip(digest).for_each(|(byte, chance)| *byte = chance);
        Ok(())
    }
}

/// What the system says that the process has in memory, in MB; nothing where there is no such file.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) / 1_024.0
}

fn agent(number: usize, step: usize) -> String {
    format!(
        r#"{{"type":"Agent","id":"agent-{number}","properties":{{"level":{},"limit":{}.5,"region":"eu-{}","name":"Agent number {number}","active":true,"owner":"agent-{}","tools":["deploy","restart"],"joined":"2026-11-20T10:00:00Z","score":{number},"note":"of step {step}"}},"in":["team-{}"]}}"#,
        number % 10,
        number % 500 + step,
        number % 7,
        number / 10,
        number % 100,
    )
}

fn main() {
    pdl_bench::machine();
    let size: usize = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let files = [("shop.pdl", POLICY)];
    let bundle = build(&Sources { package: "shop", version: "1.0.0", files: &files })
        .unwrap_or_else(|error| panic!("{error}"))
        .bundle;
    let path = std::env::temp_dir().join(format!("pdl-bench-registry-{}", std::process::id()));
    let store = Sqlite::create(&path, &sqlite::Options::PLAIN).expect("there is room");
    let settings = Settings {
        bundles: LoadOptions::UNSIGNED,
        founders: vec![Operator::person(
            Principal::new("Person", "ada").expect("it is short"),
            &[Role::Admin, Role::PolicyManager, Role::RegistryManager],
        )],
        issuer: Issuer::shared(&[7; 32]).expect("it is long enough"),
        start_within: Duration(60_000),
        run_within: Duration(600_000),
        origin: "pdl.example/log".to_owned(),
        signer: None,
    };
    let kernel = Kernel::open(Box::new(store), Arc::new(World::default()), settings).expect("it opens");
    let who = Principal::new("Person", "ada").expect("it is short");
    kernel.activate(&who, &bundle, Some(b"[]")).expect("it is activated");
    let before = resident();
    {
        let mut all: Vec<String> = (0..size).map(|number| agent(number, 0)).collect();
        all.extend((0..100).map(|team| format!(r#"{{"type":"Team","id":"team-{team}"}}"#)));
        let document = format!("[{}]", all.join(","));
        drop(all);
        let begun = Instant::now();
        kernel.load_entities(&who, document.as_bytes()).expect("they are sound");
        println!("{size} entities, a document of {:.1} MB", document.len() as f64 / 1e6);
        println!("  load, and store durably       {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    }
    let active = kernel.active().expect("it decides");
    println!("  resident before and after     {before:.0} MB, {:.0} MB", resident());
    let mut times: Vec<f64> = (1..=130)
        .map(|step| {
            let patch = format!(r#"{{"upsert":[{}]}}"#, agent(step * 7_919 % size, step));
            let begun = Instant::now();
            kernel.patch_entities(&who, patch.as_bytes()).expect("it is sound");
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    drop(active);
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[times.len() * share / 100];
    println!(
        "  patch of one, stored durably  median {:.1} ms, p90 {:.1} ms, largest {:.1} ms",
        at(50),
        at(90),
        at(100 - 1)
    );
    println!("  resident after {} patches    {:.0} MB", times.len(), resident());
    drop(kernel);
    for end in ["", "-wal"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
}
