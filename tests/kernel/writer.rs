//! One thread that writes for many.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use pdl::base::limits::WRITER_QUEUE_MAX;
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::store::{Object, Store, StoreError, Tx};
use pdl::kernel::writer::{WriteError, Writer};

use super::room::Room;

/// How many threads ask.
const CALLERS: usize = 64;

fn writer(store: impl Store + 'static) -> Writer {
    Writer::new(Box::new(store)).expect("there is a thread")
}

/// Counts up, and says so in the log. Gives the count and the index of its entry.
fn count(tx: &mut dyn Tx, id: &str) -> Result<(u64, u64), WriteError> {
    let before = tx.get("counter", "one")?.unwrap_or_else(|| Object {
        kind: "counter".to_owned(),
        key: "one".to_owned(),
        version: 0,
        state: String::new(),
        due_ms: None,
        body: Vec::new(),
    });
    let version = tx.put(&before)?;
    Ok((version, tx.append(id, "count", id.as_bytes())?))
}

#[test]
fn many_threads_are_answered_one_by_one() {
    let room = Room::new();
    let path = room.path("store");
    let writer = writer(Sqlite::create(&path, &Options::PLAIN).expect("it can be made"));
    let rounds = 10;
    let counts: Vec<(String, u64, u64)> = thread::scope(|scope| {
        let ask = |caller: usize| {
            let writer = &writer;
            scope.spawn(move || {
                let one = |round: usize| {
                    let id = format!("{caller}-{round}");
                    let (count, index) = writer.submit({
                        let id = id.clone();
                        move |tx| count(tx, &id)
                    })?;
                    Ok((id, count, index))
                };
                (0..rounds).map(one).collect::<Result<Vec<_>, WriteError>>().expect("each is done")
            })
        };
        let callers: Vec<_> = (0..CALLERS).map(ask).collect();
        callers.into_iter().flat_map(|caller| caller.join().expect("it does not panic")).collect()
    });
    let total = (CALLERS * rounds) as u64;
    let seen: BTreeSet<u64> = counts.iter().map(|(_, count, _)| *count).collect();
    assert_eq!(seen, (1..=total).collect(), "each saw a count of its own");
    drop(writer);
    let mut store = Sqlite::open(&path, &Options::PLAIN).expect("the writer has closed it");
    store.check().expect("it is whole");
    store
        .transact(&mut |tx| {
            assert_eq!(tx.log_size()?, total);
            for (id, count, index) in &counts {
                assert_eq!((tx.index_of(id)?, *count), (Some(*index), index + 1), "{id}");
            }
            Ok(())
        })
        .expect("it can be read");
}

#[derive(Debug, PartialEq)]
enum Mine {
    Refused(u64),
    Write(WriteError),
}

impl From<WriteError> for Mine {
    fn from(error: WriteError) -> Mine {
        Mine::Write(error)
    }
}

#[test]
fn a_work_that_fails_is_undone_alone() {
    let room = Room::new();
    let writers = [
        writer(Memory::new()),
        writer(Sqlite::create(room.path("store"), &Options::PLAIN).expect("it can be made")),
        Writer::on_callers(Box::new(Memory::new())),
    ];
    for writer in writers {
        thread::scope(|scope| {
            for caller in 0..CALLERS {
                let writer = &writer;
                scope.spawn(move || {
                    let work = move |tx: &mut dyn Tx| {
                        let (_, index) = count(tx, &caller.to_string())?;
                        match caller % 4 {
                            0 => Err(Mine::Refused(index)),
                            1 => panic!("{caller} on purpose"),
                            _ => Ok(caller),
                        }
                    };
                    let answer = writer.submit(work);
                    match caller % 4 {
                        0 => assert!(matches!(answer, Err(Mine::Refused(_))), "{answer:?}"),
                        1 => {
                            let expected = WriteError::Panicked(format!("{caller} on purpose"));
                            assert_eq!(answer, Err(Mine::Write(expected)));
                        }
                        _ => assert_eq!(answer, Ok(caller)),
                    }
                });
            }
        });
        let mut store = writer.close().expect("it is given back");
        store
            .transact(&mut |tx| {
                assert_eq!(tx.log_size()?, CALLERS as u64 / 2);
                for caller in 0..CALLERS {
                    assert_eq!(tx.index_of(&caller.to_string())?.is_some(), caller % 4 > 1, "{caller}");
                }
                let counter = tx.get("counter", "one")?.expect("it was made");
                assert_eq!(counter.version, CALLERS as u64 / 2);
                Ok(())
            })
            .expect("it can be read");
    }
}

/// A store whose transactions are counted, stopped at a gate, and may fail at the end.
#[derive(Debug)]
struct Held {
    store: Memory,
    gate: Mutex<Receiver<Result<(), StoreError>>>,
    transactions: Arc<AtomicUsize>,
}

fn held() -> (Held, Sender<Result<(), StoreError>>, Arc<AtomicUsize>) {
    let (open, gate) = channel();
    let transactions = Arc::new(AtomicUsize::new(0));
    (Held { store: Memory::new(), gate: Mutex::new(gate), transactions: Arc::clone(&transactions) }, open, transactions)
}

impl Store for Held {
    fn transact(&mut self, work: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        self.transactions.fetch_add(1, Ordering::SeqCst);
        let gate = self.gate.get_mut().expect("nobody panicked with it");
        self.store.transact(&mut |tx| {
            work(tx)?;
            gate.recv().unwrap_or(Ok(()))
        })
    }

    fn check(&mut self) -> Result<(), StoreError> {
        self.store.check()
    }
}

/// Waits until something is so.
fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        thread::yield_now();
    }
}

#[test]
fn what_waits_is_done_together_and_answered_after() {
    let (store, open, transactions) = held();
    let writer = writer(store);
    let (answered, asked) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    thread::scope(|scope| {
        let ask = |id: usize| {
            let (writer, answered, asked) = (&writer, &answered, Arc::clone(&asked));
            scope.spawn(move || {
                let done = writer.submit(move |tx| {
                    asked.fetch_add(1, Ordering::SeqCst);
                    count(tx, &id.to_string())
                });
                answered.fetch_add(1, Ordering::SeqCst);
                done
            })
        };
        let first = ask(0);
        until(|| asked.load(Ordering::SeqCst) == 1);
        // The first is done and not durable yet: the others wait.
        let others: Vec<_> = (1..CALLERS).map(ask).collect();
        assert_eq!(answered.load(Ordering::SeqCst), 0);
        // None is answered before its transaction is through.
        open.send(Ok(())).expect("it listens");
        assert_eq!(first.join().expect("it does not panic"), Ok((1, 0)));
        until(|| asked.load(Ordering::SeqCst) > 1);
        assert_eq!(answered.load(Ordering::SeqCst), 1);
        drop(open);
        for other in others {
            other.join().expect("it does not panic").expect("it is done");
        }
    });
    let groups = transactions.load(Ordering::SeqCst);
    assert!((2..CALLERS).contains(&groups), "{groups} transactions for {CALLERS} works");
}

#[test]
fn a_commit_that_fails_is_the_answer_to_all() {
    let (store, open, _) = held();
    let writer = writer(store);
    let full = StoreError::Full("on purpose".to_owned());
    open.send(Err(full.clone())).expect("it listens");
    let answer: Result<(u64, u64), WriteError> = writer.submit(|tx| count(tx, "a"));
    assert_eq!(answer, Err(WriteError::Store(full.clone())));
    // What a work says of a state that never was does not get out.
    open.send(Err(full.clone())).expect("it listens");
    let answer: Result<(), Mine> = writer.submit(|_| Err(Mine::Refused(7)));
    assert_eq!(answer, Err(Mine::Write(WriteError::Store(full))));
    open.send(Ok(())).expect("it listens");
    assert_eq!(writer.submit(|tx| count(tx, "a")), Ok((1, 0)), "nothing was done before, and now it is");
}

#[test]
fn one_work_too_many_is_refused() {
    let (store, open, transactions) = held();
    let writer = writer(store);
    thread::scope(|scope| {
        let ask = || scope.spawn(|| writer.submit(|tx| Ok::<u64, WriteError>(tx.log_size()?)));
        let first = ask();
        until(|| transactions.load(Ordering::SeqCst) == 1);
        // The writer holds the first; the queue has room for so many more.
        let mut waiting = Vec::new();
        let refused = loop {
            let caller = thread::Builder::new()
                .stack_size(64 << 10)
                .spawn_scoped(scope, || writer.submit(|tx| Ok::<u64, WriteError>(tx.log_size()?)));
            waiting.push(caller.expect("there is a thread"));
            if waiting.len() > WRITER_QUEUE_MAX
                && let Some(at) = waiting.iter().position(|caller| caller.is_finished())
            {
                break waiting.swap_remove(at).join().expect("it does not panic");
            }
        };
        assert_eq!(refused, Err(WriteError::Busy));
        let (begun, begins) = channel();
        let writer = &writer;
        let patient = scope.spawn(move || {
            begun.send(()).expect("somebody listens");
            writer.submit_patiently(|tx| Ok::<u64, WriteError>(tx.log_size()?))
        });
        begins.recv().expect("it begins");
        (0..1_000).for_each(|_| thread::yield_now());
        drop(open);
        assert_eq!(patient.join().expect("it does not panic"), Ok(0), "it has waited");
        assert_eq!(first.join().expect("it does not panic"), Ok(0));
        let answers: Vec<_> = waiting.into_iter().map(|caller| caller.join().expect("it does not panic")).collect();
        // The queue was full when one was refused; whoever came later found room again.
        assert!(answers.iter().filter(|answer| **answer == Ok(0)).count() >= WRITER_QUEUE_MAX);
        assert!(answers.iter().all(|answer| matches!(answer, Ok(0) | Err(WriteError::Busy))));
    });
}

#[test]
fn a_work_can_not_wait_for_another() {
    for writer in [writer(Memory::new()), Writer::on_callers(Box::new(Memory::new()))].map(Arc::new) {
        let inner = Arc::clone(&writer);
        let answer: Result<(), WriteError> = writer.submit(move |_| inner.submit(|_| Ok::<(), WriteError>(())));
        assert_eq!(answer, Err(WriteError::Inside));
        assert_eq!(writer.submit(|_| Ok::<u8, WriteError>(7)), Ok(7), "it is forgotten who was at work");
    }
}

#[test]
fn a_store_without_a_thread_has_no_more_callers_than_a_queue_has_places() {
    let writer = Writer::on_callers(Box::new(Memory::new()));
    let (open, opened) = channel::<()>();
    thread::scope(|scope| {
        let (began, begun) = channel();
        let first = scope.spawn(|| {
            writer.submit(move |_| {
                began.send(()).expect("somebody waits");
                opened.recv().expect("it is opened");
                Ok::<(), WriteError>(())
            })
        });
        begun.recv().expect("the first one is at work");
        let waiting: Vec<_> =
            (0..=WRITER_QUEUE_MAX).map(|_| scope.spawn(|| writer.submit(|_| Ok::<(), WriteError>(())))).collect();
        // All but those that wait are refused, and there is one too many.
        while !waiting.iter().any(|caller| caller.is_finished()) {
            thread::yield_now();
        }
        open.send(()).expect("it waits");
        let answers: Vec<_> = waiting.into_iter().map(|caller| caller.join().expect("it does not panic")).collect();
        assert_eq!(answers.iter().filter(|answer| **answer == Err(WriteError::Busy)).count(), 1);
        assert_eq!(first.join().expect("it does not panic"), Ok(()));
    });
    assert_eq!(writer.submit(|_| Ok::<(), WriteError>(())), Ok(()));
}

/// A store that breaks.
#[derive(Debug)]
struct Broken;

impl Store for Broken {
    fn transact(&mut self, _: &mut dyn FnMut(&mut dyn Tx) -> Result<(), StoreError>) -> Result<(), StoreError> {
        panic!("on purpose")
    }

    fn check(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn nobody_waits_for_a_writer_that_is_gone() {
    for writer in [writer(Broken), Writer::on_callers(Box::new(Broken))] {
        for _ in 0..3 {
            assert_eq!(writer.submit(|_| Ok::<(), WriteError>(())), Err(WriteError::Stopped));
        }
        assert!(matches!(writer.close(), Err(WriteError::Stopped)));
    }
}

#[test]
fn a_writer_that_is_dropped_does_what_waits() {
    let (store, open, transactions) = held();
    let writer = Arc::new(writer(store));
    let callers: Vec<_> = (0..8)
        .map(|id: usize| {
            let writer = Arc::clone(&writer);
            thread::spawn(move || writer.submit(move |tx| count(tx, &id.to_string())))
        })
        .collect();
    until(|| transactions.load(Ordering::SeqCst) == 1);
    drop(writer);
    drop(open);
    let counts: BTreeSet<u64> =
        callers.into_iter().map(|caller| caller.join().expect("no panic").expect("it is done").0).collect();
    assert_eq!(counts, (1..=8).collect());
}
