//! A registry to measure: agents with ten attributes each, some of them of every agent alone, in a hundred teams.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pdl::LoadOptions;
use pdl::base::hash::Digest;
use pdl::build::{Sources, build};
use pdl::data::duration::Duration;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::govern::operators::{Operator, Role};
use pdl::kernel::permit::Issuer;
use pdl::kernel::record::Principal;
use pdl::kernel::store::Store;
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

/// How many patches come one behind the other: enough for two versions that are kept whole.
pub const PATCHES: usize = 130;

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

/// The bundle under whose schema the entities are.
///
/// # Panics
/// Where it has faults.
#[must_use]
pub fn bundle() -> Vec<u8> {
    let files = [("shop.pdl", POLICY)];
    build(&Sources { package: "shop", version: "1.0.0", files: &files })
        .unwrap_or_else(|error| panic!("{error}"))
        .bundle
}

/// Who loads and patches.
///
/// # Panics
/// Never.
#[must_use]
pub fn operator() -> Principal {
    Principal::new("Person", "ada").expect("it is short")
}

/// A kernel over a store, where time stands still.
///
/// # Panics
/// It can't be opened.
#[must_use]
pub fn kernel(store: impl Store + 'static) -> Kernel {
    kernel_in(store, Arc::new(World::default()))
}

/// A kernel over a store, in an environment.
///
/// # Panics
/// It can't be opened.
#[must_use]
pub fn kernel_in(store: impl Store + 'static, environment: Arc<dyn Environment>) -> Kernel {
    let settings = Settings {
        bundles: LoadOptions::UNSIGNED,
        founders: vec![Operator::person(operator(), &[Role::Admin, Role::PolicyManager, Role::RegistryManager])],
        issuer: Issuer::shared(&[7; 32]).expect("it is long enough"),
        start_within: Duration(60_000),
        run_within: Duration(600_000),
        origin: "pdl.example/log".to_owned(),
        signer: None,
    };
    Kernel::open(Box::new(store), environment, settings).expect("it opens")
}

fn push_agent(out: &mut String, number: usize, step: usize) {
    let (level, limit, region) = (number % 10, number % 500 + step, number % 7);
    let (owner, team) = (number / 10, number % 100);
    let written = write!(
        out,
        r#"{{"type":"Agent","id":"agent-{number}","properties":{{"level":{level},"limit":{limit}.5,"region":"eu-{region}","name":"Agent number {number}","active":true,"owner":"agent-{owner}","tools":["deploy","restart"],"joined":"2026-11-20T10:00:00Z","score":{number},"note":"of step {step}"}},"in":["team-{team}"]}}"#,
    );
    written.expect("a text takes everything");
}

/// So many agents, and their teams, written piece by piece: whoever measures memory has none of it.
///
/// # Panics
/// It can't be written.
pub fn write_document(size: usize, mut to: impl Write) {
    let mut piece = String::from("[");
    for number in 0..size {
        push_agent(&mut piece, number, 0);
        piece.push(',');
        to.write_all(piece.as_bytes()).expect("there is room");
        piece.clear();
    }
    let teams: Vec<String> = (0..100).map(|team| format!(r#"{{"type":"Team","id":"team-{team}"}}"#)).collect();
    to.write_all(format!("{}]", teams.join(",")).as_bytes()).expect("there is room");
    to.flush().expect("there is room");
}

/// The same as a text.
///
/// # Panics
/// Never.
#[must_use]
pub fn document(size: usize) -> String {
    let mut out = Vec::with_capacity(size * 320 + 10_000);
    write_document(size, &mut out);
    String::from_utf8(out).expect("it is text")
}

/// A patch of one agent, another one with each step.
#[must_use]
pub fn patch(size: usize, step: usize) -> String {
    let mut out = String::from(r#"{"upsert":["#);
    push_agent(&mut out, step * 7_919 % size, step);
    out.push_str("]}");
    out
}

/// The first argument that is a number, or 100,000.
#[must_use]
pub fn size() -> usize {
    std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(100_000)
}
