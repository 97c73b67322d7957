//! What the log of the kernel costs: appending entries of about 700 bytes to a store in a file, and verifying all of them.
//!
//! The first argument that is a number says how many entries, a million if there is none.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use pdl::base::hash::Digest;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::entry::Kind;
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::log::append::{Event, Log};
use pdl::kernel::log::verify::{Options, verify};
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{self, Sqlite};
use pdl::kernel::store::{Store, StoreError};
use pdl::log::note::Signer;
use serde_json::json;

const ORIGIN: &str = "pdl.example/log";
/// How many entries are appended in one transaction.
const GROUP: u64 = 1_000;

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

fn run(name: &str, store: &mut dyn Store, size: u64) -> Result<(), StoreError> {
    let (log, world) = (Log::default(), World::default());
    let signer = Signer::from_seed(ORIGIN, &[7; 32]).expect("it is a name");
    let begun = Instant::now();
    let (mut bytes, mut number) = (0, 0);
    while number < size {
        store.transact(&mut |tx| {
            for number in number..size.min(number + GROUP) {
                bytes += log.append(tx, &world, event(number))?.to_bytes().len();
            }
            log.checkpoint(tx, &signer).map(drop).map_err(Into::into)
        })?;
        number += GROUP;
    }
    let appended = begun.elapsed();
    println!("{name}: {size} entries of {} bytes", bytes / size as usize);
    println!(
        "  append, {GROUP} in a transaction   {:.2} s, {:.1} µs each",
        appended.as_secs_f64(),
        appended.as_secs_f64() * 1e6 / size as f64
    );
    let known = [signer.verifier()];
    for threads in [1, std::thread::available_parallelism().map_or(1, usize::from)] {
        let options = Options { origin: ORIGIN, known: &known, trusted: &[], threads };
        let begun = Instant::now();
        store.transact(&mut |tx| {
            let report = verify(tx, &options, &mut |_| {})?;
            assert!(report.is_sound() && report.covered == size, "{report:?}");
            Ok(())
        })?;
        println!("  verify, {threads} threads                {:.2} s", begun.elapsed().as_secs_f64());
    }
    Ok(())
}

fn main() -> Result<(), StoreError> {
    pdl_bench::machine();
    let size = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    run("in memory", &mut Memory::new(), size)?;
    let path = std::env::temp_dir().join(format!("pdl-bench-log-{}", std::process::id()));
    let mut store = Sqlite::create(&path, &sqlite::Options::PLAIN)?;
    let done = run("in a file", &mut store, size);
    drop(store);
    for end in ["", "-wal"] {
        let _ = std::fs::remove_file(format!("{}{end}", path.display()));
    }
    done
}
