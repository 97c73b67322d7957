//! A whole kernel, over a store whose process is killed or whose disk loses its power: a crowd does everything with it, and
//! when it is back the log tells of nothing that must never happen, and of everything that somebody was told.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use pdl::build::{Sources, build};
use pdl::data::duration::Duration;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::govern::operators::{Operator, Role};
use pdl::kernel::log::verify::{Options, verify};
use pdl::kernel::permit::Issuer;
use pdl::kernel::record::Principal;
use pdl::kernel::store::{Store, StoreError, Tx};
use pdl::kernel::{Kernel, KernelError, Settings};
use pdl::{Digest, LoadOptions};

use super::Chance;
use super::audit::{Ack, Audit, Ledger, compare, hold, kept};
use super::crowd::{Crowd, ENTITIES, POLICY};

const ORIGIN: &str = "crash.example/log";
const WORKERS: u64 = 3;

/// Real time, and chance that no other process has.
#[derive(Debug, Default)]
pub struct Outside(AtomicU64);

impl Environment for Outside {
    fn now(&self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
        Timestamp::from_millis(now.as_millis() as i64).expect("it is a time")
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        for part in buffer.chunks_mut(32) {
            let chance = RandomState::new().build_hasher().finish();
            let next = format!("{chance} {} {}", std::process::id(), self.0.fetch_add(1, Ordering::Relaxed));
            part.copy_from_slice(&Digest::of(next.as_bytes()).0[..part.len()]);
        }
        Ok(())
    }
}

/// The bundle that the crowd lives by.
pub fn bundle() -> Vec<u8> {
    let files = [("crowd.pdl", POLICY)];
    let built = build(&Sources { package: "crowd", version: "1.0.0", files: &files });
    built.unwrap_or_else(|error| panic!("{error}")).bundle
}

/// Opens a kernel, and activates a bundle if nobody came so far before.
pub fn open(store: Box<dyn Store>, outside: Arc<dyn Environment>, bundle: &[u8]) -> Result<Kernel, KernelError> {
    let olga = Principal::new("Person", "olga").expect("it is short");
    let roles = [Role::Admin, Role::PolicyManager, Role::RegistryManager];
    let settings = Settings {
        bundles: LoadOptions::UNSIGNED,
        founders: vec![Operator::person(olga.clone(), &roles)],
        issuer: Issuer::shared(&[7; 32]).expect("it is long enough"),
        start_within: Duration(60),
        run_within: Duration(90),
        origin: ORIGIN.to_owned(),
        signer: None,
    };
    let kernel = Kernel::open(store, outside, settings)?;
    if matches!(kernel.active(), Err(KernelError::NoBundle)) {
        kernel.activate(&olga, bundle, Some(ENTITIES))?;
    }
    Ok(kernel)
}

/// Lives with a store, and says on the standard output what was acknowledged; so many steps of each worker.
pub fn live(store: Box<dyn Store>, bundle: &Path, most: u64) {
    let bundle = std::fs::read(bundle).expect("it can be read");
    let outside = Arc::new(Outside::default());
    let environment: Arc<dyn Environment> = Arc::<Outside>::clone(&outside);
    let kernel = open(store, environment, &bundle).expect("it opens");
    let crowd = Crowd::find(&kernel).expect("it can be read");
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (kernel, crowd) = (&kernel, &crowd);
            let seed = outside.now().millis() as u64 ^ (worker << 50);
            scope.spawn(move || {
                let mut chance = Chance(seed);
                for _ in 0..most {
                    // One write, past what captures the output of tests.
                    let mut tell = |ack: Ack| {
                        std::io::stdout().lock().write_all(ack.line().as_bytes()).expect("somebody listens");
                    };
                    crowd.act(kernel, &mut |end| chance.below(end), &mut tell);
                }
            });
        }
    });
}

/// What has to hold of what is left, whenever that was. Gives how many entries there are.
pub fn check(store: &mut dyn Store, acks: &[Ack]) -> Result<u64, StoreError> {
    store.check()?;
    let mut audited: Audit<u64> = Ok(0);
    store.transact(&mut |tx| {
        let options = Options { origin: ORIGIN, known: &[], trusted: &[], threads: 1 };
        let report = verify(tx, &options, &mut |_| {})?;
        audited = audit(tx, acks).and_then(|size| {
            hold!(report.is_sound() && report.size == size, "of {size} entries: {:?}", report.findings);
            Ok(size)
        });
        Ok(())
    })?;
    audited.map_err(StoreError::Corrupt)
}

fn audit(tx: &mut dyn Tx, acks: &[Ack]) -> Audit<u64> {
    let mut ledger = Ledger::of_moving_time(5_000);
    ledger.read_on(tx)?;
    compare(&ledger, tx)?;
    kept(&ledger, acks)?;
    Ok(ledger.size)
}
