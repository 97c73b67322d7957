//! What the log of the kernel costs: appending entries of about 700 bytes to a store, in memory and in a file, and verifying
//! all of them: by the kernel, in rounds between the transactions of others, and by whoever has the store alone.
//!
//! The first argument that is a number says how many entries, a million if there is none; the second one, if there is one,
//! how often each verification is done, else three times. Times are by the clock on the wall.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use pdl::LoadOptions;
use pdl::base::hash::Digest;
use pdl::data::duration::Duration;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::entry::Kind;
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::govern::operators::{Operator, Role};
use pdl::kernel::log::append::{Event, Log};
use pdl::kernel::log::verify::{Options, verify};
use pdl::kernel::permit::Issuer;
use pdl::kernel::reading::Against;
use pdl::kernel::record::Principal;
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{self, Sqlite};
use pdl::kernel::store::{Store, StoreError};
use pdl::kernel::{Kernel, KernelError, Settings};
use pdl::log::note::Signer;
use serde_json::json;

const ORIGIN: &str = "pdl.example/log";
/// How many entries are appended in one transaction: so many that syncing counts for little.
const GROUP: u64 = 10_000;

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

/// A decision as the kernel would log it.
fn event(number: u64) -> Event {
    let digest = Digest::of(&number.to_be_bytes()).to_string();
    let body = json!({
        "answer": "ALLOW", "kind": "allowed", "bundle": digest, "registry": "00000000000000000017",
        "digests": { "binding": digest, "request": digest, "entities": digest },
        "request": {
            "subject": { "type": "Agent", "id": format!("agent-{}", number % 100) },
            "action": { "name": "restart" },
            "resource": { "type": "Service", "id": format!("service-{}", number % 1_000) },
            "context": { "reason": "the service does not answer any more", "attempt": number % 5 }
        }
    });
    let serde_json::Value::Object(body) = body else { unreachable!("it is an object") };
    Event::new(Kind::Decision, body)
}

fn signer() -> Signer {
    Signer::from_seed(ORIGIN, &[7; 32]).expect("it is a name")
}

/// Does something so often, and shows how long it took.
fn time(what: &str, times: usize, mut work: impl FnMut()) {
    let mut taken: Vec<f64> = (0..times)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    taken.sort_by(f64::total_cmp);
    let (least, median, most) = (taken[0], taken[times / 2], taken[times - 1]);
    println!("  {what:<40} median {median:.2} s ({least:.2} – {most:.2}, {times} times)");
}

fn run(name: &str, store: impl Store + 'static, size: u64, times: usize) {
    let (log, world) = (Arc::new(Log::default()), Arc::new(World::default()));
    let who = Principal::new("Person", "ada").expect("it is short");
    let settings = Settings {
        bundles: LoadOptions::UNSIGNED,
        founders: vec![Operator::person(who.clone(), &[Role::Admin])],
        issuer: Issuer::shared(&[7; 32]).expect("it is long enough"),
        start_within: Duration(60_000),
        run_within: Duration(600_000),
        origin: ORIGIN.to_owned(),
        signer: Some(signer()),
    };
    let kernel = Kernel::open(Box::new(store), Arc::<World>::clone(&world), settings).expect("it opens");
    let begun = Instant::now();
    // It has begun the log itself.
    let mut number = kernel.read(|tx| Ok(tx.log_size()?)).expect("it can be read");
    let size = size.max(number);
    let mut bytes = 0;
    while number < size {
        let (log, world, end) = (Arc::clone(&log), Arc::clone(&world), size.min(number + GROUP));
        let appended = kernel.read(move |tx| {
            let mut bytes = 0;
            for number in number..end {
                bytes += log.append(tx, &*world, event(number))?.to_bytes().len();
            }
            Ok::<_, KernelError>(bytes)
        });
        bytes += appended.expect("there is room");
        kernel.sign_checkpoint().expect("it is signed");
        number = end;
    }
    let appended = begun.elapsed().as_secs_f64();
    println!("{name}: {size} entries of {} bytes", bytes / size.max(1) as usize);
    println!("  append, {GROUP} in a transaction: {appended:.2} s, {:.1} µs each", appended * 1e6 / size as f64);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    for threads in [1, cores] {
        time(&format!("verify, by the kernel, {threads} threads"), times, || {
            let against = Against { known: &[], trusted: &[], threads };
            let report = kernel.verify_log(&who, &against, &mut |_| {}).expect("the store is there");
            assert!(report.is_sound() && report.covered == size, "{report:?}");
        });
    }
    let mut store = kernel.close().expect("it is there");
    let known = [signer().verifier()];
    for threads in [1, cores] {
        time(&format!("verify, the store alone, {threads} threads"), times, || {
            let options = Options { origin: ORIGIN, known: &known, trusted: &[], threads };
            let verified = store.transact(&mut |tx| {
                let report = verify(tx, &options, &mut |_| {})?;
                assert!(report.is_sound() && report.covered == size, "{report:?}");
                Ok(())
            });
            verified.expect("the store is there");
        });
    }
}

fn main() -> Result<(), StoreError> {
    pdl_bench::machine();
    println!("command: {}", std::env::args().collect::<Vec<_>>().join(" "));
    println!("load: {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    let mut numbers = std::env::args().filter_map(|argument| argument.parse::<u64>().ok());
    let size = numbers.next().unwrap_or(1_000_000).max(1);
    let times = numbers.next().map_or(3, |times| times.clamp(1, 100) as usize);
    run("in memory", Memory::new(), size, times);
    let path = std::env::temp_dir().join(format!("pdl-bench-log-{}", std::process::id()));
    run("in a file", Sqlite::create(&path, &sqlite::Options::PLAIN)?, size, times);
    for end in ["", "-wal", "-tip"] {
        drop(std::fs::remove_file(format!("{}{end}", path.display())));
    }
    Ok(())
}
