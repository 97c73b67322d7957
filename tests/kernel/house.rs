//! What the tests of a whole kernel stand on: time that is turned by hand, chance that comes out the same, a kernel.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use pdl::build::{Sources, build};
use pdl::data::duration::Duration;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::entry::{Entry, Kind};
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::govern::operators::{Operator, Role};
use pdl::kernel::permit::Issuer;
use pdl::kernel::record::Principal;
use pdl::kernel::store::{Store, Tx};
use pdl::kernel::{Kernel, Settings};
use pdl::{Digest, LoadOptions};

/// Time that is turned by hand, and numbers that don't come twice.
#[derive(Debug)]
pub struct World {
    now: AtomicI64,
    chance: AtomicU64,
    /// How often there is chance until there is none for once; below zero, there always is.
    left: AtomicI64,
}

impl World {
    pub fn new() -> Arc<World> {
        let now = Timestamp::parse("2026-11-20T10:00:00Z").expect("it is a time").millis();
        Arc::new(World { now: AtomicI64::new(now), chance: AtomicU64::new(0), left: AtomicI64::new(-1) })
    }

    /// Has no number for whoever asks for one after so many others.
    pub fn run_dry(&self, after: u8) {
        self.left.store(after.into(), Ordering::Relaxed);
    }

    /// Has them again. Gives whether somebody was left without.
    pub fn fill_up(&self) -> bool {
        // From -1 on it counts down; nothing of it is left where somebody was left without.
        self.left.swap(-1, Ordering::Relaxed) < -1
    }

    /// So many seconds later.
    pub fn turn(&self, seconds: i64) {
        self.turn_millis(seconds * 1_000);
    }

    /// So many milliseconds later.
    pub fn turn_millis(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Environment for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::Relaxed)).expect("it is a time")
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        if self.left.load(Ordering::Relaxed) != -1 && self.left.fetch_sub(1, Ordering::Relaxed) == 0 {
            self.left.store(-2, Ordering::Relaxed);
            return Err(NoRandomness);
        }
        for part in buffer.chunks_mut(32) {
            let next = Digest::of(&self.chance.fetch_add(1, Ordering::Relaxed).to_le_bytes());
            part.copy_from_slice(&next.0[..part.len()]);
        }
        Ok(())
    }
}

pub fn settings() -> Settings {
    Settings {
        bundles: LoadOptions::UNSIGNED,
        founders: vec![
            Operator::person(
                who("Person", "olga"),
                &[Role::Admin, Role::PolicyManager, Role::RegistryManager, Role::Caretaker, Role::Responder],
            ),
            Operator::person(who("Person", "arthur"), &[Role::Auditor]),
        ],
        issuer: Issuer::shared(&[7; 32]).expect("it is long enough"),
        start_within: Duration(60_000),
        run_within: Duration(600_000),
        origin: "pdl.example/log".to_owned(),
        signer: None,
    }
}

pub fn open(store: impl Store + 'static, world: &Arc<World>) -> Kernel {
    open_with(store, world, settings())
}

/// The same with other settings.
pub fn open_with(store: impl Store + 'static, world: &Arc<World>, settings: Settings) -> Kernel {
    let world: Arc<dyn Environment> = Arc::<World>::clone(world);
    Kernel::open(Box::new(store), world, settings).expect("it opens")
}

pub fn bundle(text: &str) -> Vec<u8> {
    bundle_of("house", text)
}

/// That of a package with one file, which is called as it is.
pub fn bundle_of(package: &str, text: &str) -> Vec<u8> {
    let files = [(&*format!("{package}.pdl"), text)];
    let built = build(&Sources { package, version: "1.0.0", files: &files });
    built.unwrap_or_else(|error| panic!("{error}")).bundle
}

pub fn who(ty: &str, id: &str) -> Principal {
    Principal::new(ty, id).expect("it is short")
}

/// Somebody who may look at all that is kept.
pub fn reader() -> Principal {
    who("Person", "olga")
}

/// All entries, as they are in the log.
pub fn log(kernel: &Kernel) -> Vec<Entry> {
    let read = |tx: &mut dyn Tx| {
        let rows = tx.entries(0, u32::MAX)?;
        Ok(rows.iter().map(|(_, bytes)| Entry::read(bytes).expect("it was written")).collect())
    };
    kernel.read(read).expect("the store is there")
}

/// What the entries behind the first so many tell of.
pub fn kinds(kernel: &Kernel, behind: usize) -> Vec<Kind> {
    log(kernel).iter().skip(behind).map(|entry| entry.kind).collect()
}
