//! The log of a running kernel: read while it grows, proved to others, exported, its head signed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::thread;

use pdl::data::duration::Duration;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::entry::{Entry, Kind};
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::govern::operators::{Operator, Role};
use pdl::kernel::log::LogError;
use pdl::kernel::log::append::{Event, Log};
use pdl::kernel::log::export::verify_files;
use pdl::kernel::log::finding::Finding;
use pdl::kernel::log::search::Search;
use pdl::kernel::log::verify::{Options, Report};
use pdl::kernel::permit::Issuer;
use pdl::kernel::reading::Against;
use pdl::kernel::record::Principal;
use pdl::kernel::replay;
use pdl::kernel::retain::Old;
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{self, Sqlite};
use pdl::kernel::store::{Object, Store, StoreError, Tx};
use pdl::kernel::sweep::Swept;
use pdl::kernel::{Kernel, KernelError, Settings};
use pdl::log::note::Signer;
use pdl::log::tree::leaf_hash;
use pdl::{Digest, LoadOptions};
use serde_json::{Map, json};

use super::room::Room;

const ORIGIN: &str = "pdl.example/log";

/// A clock that is turned by hand, and chance that never comes twice.
#[derive(Debug, Default)]
struct World {
    chance: AtomicU64,
    /// Milliseconds since the clock was made.
    gone: AtomicI64,
}

impl World {
    /// So many seconds later.
    fn turn(&self, seconds: i64) {
        self.gone.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }
}

impl Environment for World {
    fn now(&self) -> Timestamp {
        let made = Timestamp::parse("2026-11-21T10:00:00Z").expect("it is a time");
        Timestamp::from_millis(made.millis() + self.gone.load(Ordering::Relaxed)).expect("it is a time")
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        let digest = Digest::of(&self.chance.fetch_add(1, Ordering::Relaxed).to_be_bytes()).0;
        buffer.iter_mut().zip(digest).for_each(|(byte, chance)| *byte = chance);
        Ok(())
    }
}

fn signer(seed: u8) -> Signer {
    Signer::from_seed(ORIGIN, &[seed; 32]).expect("it is a name")
}

fn settings(origin: &str, signer: Option<Signer>) -> Settings {
    Settings {
        bundles: LoadOptions::UNSIGNED,
        founders: vec![
            Operator::person(Principal::new("Person", "olga").expect("it is short"), &[Role::Admin]),
            Operator::person(auditor(), &[Role::Auditor]),
            Operator::person(officer(), &[Role::PrivacyOfficer, Role::Caretaker]),
        ],
        issuer: Issuer::shared(&[7; 32]).expect("it is long enough"),
        start_within: Duration(60_000),
        run_within: Duration(600_000),
        origin: origin.to_owned(),
        signer,
    }
}

fn open(store: Box<dyn Store>, world: &Arc<World>, settings: Settings) -> Result<Kernel, KernelError> {
    Kernel::open(store, Arc::<World>::clone(world), settings)
}

fn kernel(world: &Arc<World>) -> Kernel {
    open(Box::new(Memory::new()), world, settings(ORIGIN, Some(signer(7)))).expect("it opens")
}

fn auditor() -> Principal {
    Principal::new("Person", "ada").expect("it is short")
}

fn officer() -> Principal {
    Principal::new("Person", "pia").expect("it is short")
}

/// A decision that nothing can make is an entry too, and costs little.
fn grow(kernel: &Kernel, count: usize) {
    (0..count).for_each(|_| assert!(kernel.decide(&auditor(), b"{}", None).entry.is_some()));
}

/// The same until there are so many entries.
fn grow_to(kernel: &Kernel, size: u64) {
    let there = kernel.read(|tx| Ok(tx.log_size()?)).expect("it can be read");
    grow(kernel, usize::try_from(size - there).expect("they are few"));
}

fn verify(kernel: &Kernel, trusted: &[String]) -> Report {
    let against = Against { known: &[], trusted, threads: 2 };
    kernel.verify_log(&auditor(), &against, &mut |_| {}).expect("it can be read")
}

#[test]
fn the_name_of_a_log_never_changes() {
    let world = Arc::new(World::default());
    let store = kernel(&world).close().expect("it is there");
    let other = "other.example/log";
    let refused = open(store, &world, settings(other, None)).expect_err("it is another log");
    assert_eq!(refused, KernelError::OtherLog(other.to_owned()));
    // Nor is it signed under another name, or has one that can't be signed.
    for origin in [other, "", "a log", "a+log"] {
        let refused = open(Box::new(Memory::new()), &world, settings(origin, Some(signer(7))));
        assert_eq!(refused.err(), Some(KernelError::OtherLog(origin.to_owned())));
    }
    for origin in ["", "a log", "a+log"] {
        let refused = open(Box::new(Memory::new()), &world, settings(origin, None));
        assert_eq!(refused.err(), Some(KernelError::OtherLog(origin.to_owned())));
    }
}

#[test]
fn a_head_is_signed_by_who_has_the_key() {
    let world = Arc::new(World::default());
    let kernel = kernel(&world);
    assert_eq!(kernel.checkpoint(), Ok(None));
    let first = kernel.sign_checkpoint().expect("it is signed");
    assert_eq!(kernel.checkpoint(), Ok(Some(first.clone())));
    assert_eq!(kernel.sign_checkpoint().as_ref(), Ok(&first), "nothing has changed");
    grow(&kernel, 3);
    let report = verify(&kernel, std::slice::from_ref(&first.note));
    assert!(report.is_sound(), "{report:?}");
    // Kept here and elsewhere, it is one.
    assert_eq!((report.size, report.covered, report.checkpoints), (first.size + 3, first.size, 1));

    // The same log, without a key: nothing is signed, and what was signed is of nobody who is known.
    let store = kernel.close().expect("it is there");
    let kernel = open(store, &world, settings(ORIGIN, None)).expect("it opens");
    assert_eq!(kernel.sign_checkpoint(), Err(KernelError::NoSigner));
    assert!(matches!(&verify(&kernel, &[]).findings[..], [Finding::Checkpoint { .. }]));
    let against = Against { known: &[signer(7).verifier()], trusted: &[], threads: 1 };
    assert!(kernel.verify_log(&auditor(), &against, &mut |_| {}).expect("it can be read").is_sound());
}

#[test]
fn a_log_that_grows_is_verified_as_it_was() {
    let room = Room::new();
    let store = Sqlite::create(room.path("log"), &sqlite::Options::PLAIN).expect("it is made");
    let world = Arc::new(World::default());
    let mut store: Box<dyn Store> = Box::new(store);
    // More than are read at once.
    let begun = open(store, &world, settings(ORIGIN, Some(signer(7)))).expect("it opens");
    store = begun.close().expect("it is there");
    let log = Log::default();
    let done: Result<(), StoreError> = store.transact(&mut |tx| {
        for number in 0..5_000 {
            let body = Map::from_iter([("number".to_owned(), json!(number))]);
            log.append(tx, &*world, Event::new(Kind::Decision, body))?;
        }
        Ok(())
    });
    assert_eq!(done, Ok(()));
    let kernel = open(store, &world, settings(ORIGIN, Some(signer(7)))).expect("it opens");
    let is_over = AtomicBool::new(false);
    let mut reports = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let _ = kernel.decide(&auditor(), b"{}", None);
                let _ = kernel.sign_checkpoint();
            }
        });
        for _ in 0..2 {
            let mut decided = 0;
            let against = Against { known: &[], trusted: &[], threads: 2 };
            let report = kernel.verify_log(&auditor(), &against, &mut |progress| {
                // In the middle of it, decisions are made.
                if progress.done < progress.of {
                    decided += usize::from(kernel.decide(&auditor(), b"{}", None).entry.is_some());
                }
            });
            reports.push((report, decided));
        }
        // Whatever came of it, the other thread ends.
        is_over.store(true, Ordering::Relaxed);
    });
    for (report, decided) in reports {
        let report = report.expect("it can be read");
        assert!(report.is_sound() && report.size >= 5_001, "{report:?}");
        assert!(decided >= 1, "it was read in rounds");
    }
    let page = kernel.search(&auditor(), &Search { limit: 5, ..Search::default() }).expect("it can be read");
    assert_eq!(page.entries.len(), 5);
}

type Folder = BTreeMap<String, Vec<u8>>;

#[test]
fn others_are_given_files_and_proofs() {
    let world = Arc::new(World::default());
    let kernel = kernel(&world);
    let ada = auditor();
    let mut files = Folder::default();
    let unsigned = kernel.export_log(&ada, None, &[], &mut files, &mut |_| {});
    assert_eq!(unsigned, Err(KernelError::Log(LogError::NoCheckpoint(0))));
    grow_to(&kernel, 300);
    let old = kernel.sign_checkpoint().expect("it is signed");
    grow_to(&kernel, 600);
    let new = kernel.sign_checkpoint().expect("it is signed");
    grow(&kernel, 1);

    let known = [signer(7).verifier()];
    let mut written = Vec::new();
    let kept = kernel.export_log(&ada, None, &[], &mut files, &mut |progress| written.push(progress.done));
    assert_eq!(kept.as_ref(), Ok(&new));
    assert_eq!(written, [256, 512, 600]);
    let options = Options { origin: ORIGIN, known: &known, trusted: std::slice::from_ref(&old.note), threads: 1 };
    let report = verify_files(&mut files, &options, &mut |_| {}).expect("they can be read");
    assert!(report.is_sound() && report.covered == 600, "{report:?}");
    assert_eq!(kernel.export_log(&ada, Some(300), &[], &mut Folder::default(), &mut |_| {}), Ok(old.clone()));

    let page = kernel.search(&ada, &Search { limit: 1, before: Some(100), ..Search::default() }).expect("it is read");
    let entry: Entry = page.entries.into_iter().next().expect("there are some");
    assert_eq!((entry.index, page.next), (99, Some(99)));
    assert_eq!(kernel.entry(&ada, &entry.id), Ok(entry.clone()));
    for (size, last) in [(None, 600), (Some(300), 300)] {
        let (proved, proof) = kernel.prove(&ada, &entry.id, size).expect("it is in it");
        assert_eq!(proved, entry);
        let head = proof.check(leaf_hash(&entry.to_bytes()), ORIGIN, &known).expect("it holds");
        assert_eq!(head.size, last);
    }
    let grown = kernel.prove_growth(300).expect("it has grown");
    assert_eq!(grown.check(&old.note, ORIGIN, &known).map(|head| head.size), Ok(600));
    // What is hidden is put back for who may see it.
    let append = {
        let world = Arc::clone(&world);
        move |tx: &mut dyn Tx| {
            let body = Map::from_iter([("email".to_owned(), json!("a@b.example"))]);
            let event = Event { sensitive: vec!["/email".to_owned()], ..Event::new(Kind::Decision, body) };
            Ok(Log::default().append(tx, &*world, event)?)
        }
    };
    let entry = kernel.read(append).expect("it is appended");
    assert!(entry.body["email"].get("commitment").is_some());
    assert_eq!(
        kernel.reveal(&ada, &entry.id).map(|revealed| revealed.entry.body["email"].clone()),
        Ok(json!("a@b.example"))
    );
    assert_eq!(kernel.entry(&ada, "ent_0"), Err(KernelError::Log(LogError::NoEntry("ent_0".to_owned()))));
}

#[test]
fn a_sweep_signs_once_an_hour_if_there_is_something_to_sign_for() {
    let opened = |signer| {
        let world = Arc::new(World::default());
        let environment: Arc<dyn Environment> = Arc::<World>::clone(&world);
        let kernel = Kernel::open(Box::new(Memory::new()), environment, settings(ORIGIN, signer)).expect("it opens");
        (world, kernel)
    };
    let (world, kernel) = opened(Some(signer(7)));
    let sweep = || kernel.sweep(&officer()).expect("she may").signed;
    let size = kernel.read(|tx| Ok(tx.log_size()?)).expect("it can be read");
    assert_eq!(sweep(), None);
    world.turn(3_599);
    assert_eq!((sweep(), kernel.checkpoint()), (None, Ok(None)));
    world.turn(1);
    assert_eq!(sweep(), Some(size));
    assert_eq!(kernel.checkpoint().map(|kept| kept.map(|kept| kept.size)), Ok(Some(size)));
    world.turn(7_200);
    assert_eq!(sweep(), None);
    grow(&kernel, 1);
    assert_eq!(sweep(), None);
    world.turn(3_600);
    assert_eq!(sweep(), Some(size + 1));
    // Without the key nothing is signed, and nothing is wrong.
    let (world, kernel) = opened(None);
    world.turn(3_600);
    assert_eq!(kernel.sweep(&officer()), Ok(Swept::default()));
}

/// Other secrets of an entry go with it; evidence is the record's, and goes by its age or by request.
#[test]
fn evidence_stays_when_its_entry_is_dropped() {
    let world = Arc::new(World::default());
    let kernel = kernel(&world);
    let (ada, pia) = (auditor(), officer());
    let write = {
        let world = Arc::clone(&world);
        move |tx: &mut dyn Tx| {
            let body = json!({ "evidence": "{\"n\":1}", "email": "a@b.example" });
            let sensitive = ["/evidence", "/email"].map(str::to_owned).to_vec();
            let body = body.as_object().cloned().expect("it is one");
            let event = Event { sensitive, ..Event::new(Kind::RecordCreated, body) };
            let entry = Log::default().append(tx, &*world, event)?;
            let [evidence, email] = ["evidence", "email"]
                .map(|name| entry.body[name]["commitment"].as_str().and_then(Digest::parse).expect("it is hidden"));
            let body = json!({ "entry": entry.id, "time": entry.time.to_string() }).to_string().into_bytes();
            let (kind, key, state) = ("evidence".to_owned(), evidence.to_string(), String::new());
            tx.put(&Object { kind, key, version: 0, state, due_ms: None, body })?;
            Ok((entry, evidence, email))
        }
    };
    let (entry, evidence, email) = kernel.read(write).expect("it is written");
    grow_to(&kernel, 300);
    kernel.sign_checkpoint().expect("it is signed");
    let mut files = Folder::default();
    kernel.export_log(&ada, None, &[], &mut files, &mut |_| {}).expect("it is exported");
    let against = Against { known: &[], trusted: &[], threads: 2 };
    let archive = kernel.archive(&mut files, &against, &mut |_| {}).expect("it is whole");
    kernel.compact_log(&pia, &archive, 256, "they are old").expect("it is done").expect("there was something");
    assert_eq!(kernel.entry(&ada, &entry.id), Err(KernelError::Log(LogError::NoEntry(entry.id.clone()))));
    let olga = Principal::new("Person", "olga").expect("it is short");
    assert_eq!(kernel.evidence(&olga, evidence), Ok(Some("{\"n\":1}".to_owned())));
    assert_eq!(kernel.read(move |tx| Ok(tx.content(email)?)), Ok(None));
    world.turn(60);
    assert_eq!(kernel.tidy(&pia, Old::Evidence, Duration(1)), Ok(1));
    assert_eq!(kernel.evidence(&olga, evidence), Ok(None));
    assert_eq!(kernel.read(move |tx| Ok(tx.content(evidence)?)), Ok(None));
    let last = kernel.read(|tx| Ok(tx.log_size()?)).expect("it can be read") - 1;
    let told = kernel.read(move |tx| Ok(tx.entries(last, 1)?)).expect("it can be read").remove(0).1;
    let told = Entry::read(&told).expect("it is one");
    assert_eq!((told.kind, &told.links["erased"]), (Kind::ContentErased, &entry.id));
    assert_eq!(told.body["contents"], json!({ "/evidence": evidence.to_string() }));
    assert!(verify(&kernel, &[]).is_sound());
}

#[test]
fn what_is_archived_can_be_dropped() {
    let world = Arc::new(World::default());
    let kernel = kernel(&world);
    let ada = auditor();
    grow_to(&kernel, 600);
    kernel.sign_checkpoint().expect("it is signed");
    let mut files = Folder::default();
    kernel.export_log(&ada, None, &[], &mut files, &mut |_| {}).expect("it is exported");
    let against = Against { known: &[], trusted: &[], threads: 2 };
    let archive = kernel.archive(&mut files, &against, &mut |_| {}).expect("it is whole");
    // Only whoever may erase drops anything.
    assert!(matches!(kernel.compact_log(&ada, &archive, 300, "they are old"), Err(KernelError::Forbidden(_))));
    let (pia, before) = (officer(), kernel.read(|tx| Ok(tx.log_size()?)).expect("it can be read"));
    let told =
        kernel.compact_log(&pia, &archive, 300, "they are old").expect("it is done").expect("there was something");
    assert_eq!((told.index, told.kind), (before + 1, Kind::LogCompacted), "behind what allowed it");
    assert_eq!(told.body["principal"], json!({ "type": "Person", "id": "pia" }));
    assert_eq!(kernel.compact_log(&pia, &archive, 300, "they are old"), Ok(None));
    let report = verify(&kernel, &[]);
    assert!(report.is_sound() && report.dropped == 256 && report.size == before + 3, "{report:?}");
    // The kernel goes on, and opens again; what was dropped is not found.
    grow(&kernel, 1);
    let kernel =
        open(kernel.close().expect("it is there"), &world, settings(ORIGIN, Some(signer(7)))).expect("it opens");
    grow(&kernel, 1);
    let search = Search { kinds: vec![Kind::KernelCreated], limit: 10, ..Search::default() };
    assert_eq!(kernel.search(&ada, &search).expect("it can be read").entries, []);
    assert_eq!(verify(&kernel, &[]).dropped, 256);
    // What is not there is not taken for replayed.
    let replayed = kernel.replay(&ada, &replay::Options::default(), &mut |_| {}).expect("it can be read");
    assert_eq!((replayed.dropped, replayed.is_whole()), (256, false));
}
