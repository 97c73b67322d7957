//! One thread that owns the store, and does together what many threads ask for.
//!
//! To make a transaction durable takes about as long for one work as for a hundred. So callers hand in what they want done;
//! whatever waits is done in one transaction, each work as a part of it, and all are answered once it is durable. What
//! callers may rely on:
//!
//! - Works are done one after the other, in the order in which they came. Each sees what those before it did.
//! - A work is done as a whole or not at all. One that gives an error or panics is undone, and no other one with it.
//! - No answer leaves before the transaction is durable, an error of the work neither: it may come of what a work before it
//!   did. If the transaction fails, that is the answer to all of it.
//! - What waits is bounded. One work more is refused at once, and nothing of it was done.
//! - A writer that is dropped does what waits, and then closes its store.
//!
//! A work runs on the writer's thread and keeps all others waiting. It must not ask the same writer for anything; that is
//! refused.
//!
//! ```
//! use pdl::kernel::store::memory::Memory;
//! use pdl::kernel::writer::{WriteError, Writer};
//!
//! let writer = Writer::new(Box::new(Memory::new()))?;
//! let index = writer.submit(|tx| Ok::<u64, WriteError>(tx.append("ent_1", "decision", b"{}")?))?;
//! assert_eq!(index, 0);
//! # Ok::<(), WriteError>(())
//! ```

#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod here;
mod promise;

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use self::here::Here;
use self::promise::{Promise, promise};
use super::store::{Store, StoreError, Tx};
use crate::base::limits::{WRITER_GROUP_MAX, WRITER_QUEUE_MAX};

/// How often the writer lets others run before it begins, as long as fewer works are there than the last time. Callers that
/// were answered together come back one by one, and a group of one costs as much as a group of all.
const ROUNDS_MAX: usize = 64;

/// Why a work has no answer of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// The store failed. If it failed to make the transaction durable, it is not known whether the work was done.
    Store(StoreError),
    /// The work panicked, with this text. It was undone.
    Panicked(String),
    /// Too many works wait. Nothing was done.
    Busy,
    /// The work was handed in by a work. Nothing was done.
    Inside,
    /// The writer has stopped. It is not known whether the work was done.
    Stopped,
    /// The system has no thread for a writer.
    NoThread(String),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::Store(error) => error.fmt(f),
            WriteError::Panicked(text) => write!(f, "the work panicked: {text}"),
            WriteError::Busy => f.write_str("too much waits for the store"),
            WriteError::Inside => f.write_str("a work can't wait for another one"),
            WriteError::Stopped => f.write_str("the writer of the store has stopped"),
            WriteError::NoThread(why) => write!(f, "there is no thread for the writer of the store: {why}"),
        }
    }
}

impl std::error::Error for WriteError {}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> WriteError {
        WriteError::Store(error)
    }
}

/// The thread that owns a store.
#[derive(Debug)]
pub struct Writer {
    /// The store, if it needs no thread; then there is none.
    here: Option<Here>,
    // INVARIANT: else both are there until the writer is closed or dropped.
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<Box<dyn Store>>>,
}

impl Writer {
    /// Begins to write to a store.
    ///
    /// # Errors
    /// [`WriteError::NoThread`].
    pub fn new(store: Box<dyn Store>) -> Result<Writer, WriteError> {
        let (queue, jobs) = sync_channel(WRITER_QUEUE_MAX);
        let thread = thread::Builder::new().name("pdl-writer".to_owned()).spawn(move || write(store, &jobs));
        let thread = thread.map_err(|error| WriteError::NoThread(error.to_string()))?;
        Ok(Writer { here: None, queue: Some(queue), thread: Some(thread) })
    }

    /// A writer without a thread: each work is done on the thread of who hands it in, as soon as those before it are done,
    /// in a transaction of its own. For stores that have nothing to make durable.
    #[must_use]
    pub fn on_callers(store: Box<dyn Store>) -> Writer {
        Writer { here: Some(Here::new(store)), queue: None, thread: None }
    }

    /// The one of both that suits a store.
    ///
    /// # Errors
    /// [`WriteError::NoThread`].
    pub fn suited(store: Box<dyn Store>) -> Result<Writer, WriteError> {
        if store.is_durable() { Writer::new(store) } else { Ok(Writer::on_callers(store)) }
    }

    /// Has a work done, and waits until it is durable.
    ///
    /// # Errors
    /// That of the work, then undone, or why it has no answer: see [`WriteError`].
    pub fn submit<T, E>(&self, work: impl FnOnce(&mut dyn Tx) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<WriteError> + Send + 'static,
    {
        self.hand_in(work, false)
    }

    /// The same for long work in many rounds, which can wait for its turn: where too much waits, it waits as well.
    ///
    /// # Errors
    /// As [`Writer::submit`], but never [`WriteError::Busy`].
    pub fn submit_patiently<T, E>(
        &self,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<WriteError> + Send + 'static,
    {
        self.hand_in(work, true)
    }

    fn hand_in<T, E>(
        &self,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, E> + Send + 'static,
        waits: bool,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<WriteError> + Send + 'static,
    {
        if let Some(here) = &self.here {
            return here.submit(work, waits);
        }
        let (Some(queue), Some(thread)) = (&self.queue, &self.thread) else { return Err(WriteError::Stopped.into()) };
        if thread.thread().id() == thread::current().id() {
            return Err(WriteError::Inside.into());
        }
        let (promise, slot) = promise();
        let work = Work { work: Some(work), outcome: Outcome::Undone(StoreError::Refused), promise };
        let job: Box<dyn Job> = Box::new(work);
        let handed = if waits {
            queue.send(job).map_err(|lost| TrySendError::Disconnected(lost.0))
        } else {
            queue.try_send(job)
        };
        match handed {
            Ok(()) => slot.wait().unwrap_or_else(|| Err(WriteError::Stopped.into())),
            Err(TrySendError::Full(_)) => Err(WriteError::Busy.into()),
            Err(TrySendError::Disconnected(_)) => Err(WriteError::Stopped.into()),
        }
    }

    /// Does what waits, stops, and gives the store back.
    ///
    /// # Errors
    /// [`WriteError::Stopped`] if the store panicked, and is lost.
    pub fn close(mut self) -> Result<Box<dyn Store>, WriteError> {
        self.stop().ok_or(WriteError::Stopped)
    }

    fn stop(&mut self) -> Option<Box<dyn Store>> {
        if let Some(here) = self.here.take() {
            return here.close();
        }
        drop(self.queue.take());
        self.thread.take()?.join().ok()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.stop());
    }
}

/// A work of any type.
trait Job: Send {
    /// Does it. An error is one of the store, and that of the whole transaction.
    fn run(&mut self, tx: &mut dyn Tx);

    /// Answers it, once it is known what became of the transaction.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Work<T, E, W> {
    work: Option<W>,
    outcome: Outcome<T, E>,
    promise: Promise<Result<T, E>>,
}

enum Outcome<T, E> {
    Done(Result<T, E>),
    Panicked(String),
    /// The part itself failed.
    Undone(StoreError),
}

impl<T, E, W> Job for Work<T, E, W>
where
    T: Send,
    E: From<WriteError> + Send,
    W: FnOnce(&mut dyn Tx) -> Result<T, E> + Send,
{
    fn run(&mut self, tx: &mut dyn Tx) {
        self.outcome = run(&mut self.work, tx);
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        self.promise.keep(answer_of(self.outcome, committed));
    }
}

thread_local! {
    /// The number of the work that this thread does, if it does one, and how many it has done.
    static AT_WORK: Cell<(bool, u64)> = const { Cell::new((false, 0)) };
}

/// A number for the work that this thread does now, which no other work of this thread has; none outside of works.
pub(super) fn at_work() -> Option<u64> {
    let (is_at_work, number) = AT_WORK.get();
    is_at_work.then_some(number)
}

/// Does a work as a part of a transaction.
fn run<T, E, W: FnOnce(&mut dyn Tx) -> Result<T, E>>(work: &mut Option<W>, tx: &mut dyn Tx) -> Outcome<T, E> {
    let mut outcome = None;
    let part = tx.part(&mut |tx| {
        let work = work.take().ok_or(StoreError::Refused)?;
        // A work that panicked is undone, so that nobody sees what it left behind.
        AT_WORK.set((true, AT_WORK.get().1.wrapping_add(1)));
        let done = catch_unwind(AssertUnwindSafe(|| work(tx)));
        AT_WORK.set((false, AT_WORK.get().1));
        let is_kept = matches!(done, Ok(Ok(_)));
        outcome = Some(done.map_or_else(|panic| Outcome::Panicked(text(&*panic)), Outcome::Done));
        if is_kept { Ok(()) } else { Err(StoreError::Refused) }
    });
    match (part, outcome) {
        // It was not undone for being refused: the store has failed, and whatever the work said counts for nothing.
        (Err(error), None | Some(Outcome::Done(Ok(_)))) => Outcome::Undone(error),
        (_, Some(outcome)) => outcome,
        (Ok(()), None) => Outcome::Undone(StoreError::Refused),
    }
}

/// The answer to a work, once it is known what became of the transaction.
fn answer_of<T, E: From<WriteError>>(outcome: Outcome<T, E>, committed: Result<(), StoreError>) -> Result<T, E> {
    match (committed, outcome) {
        (Ok(()), Outcome::Done(answer)) => answer,
        (Ok(()), Outcome::Panicked(text)) => Err(WriteError::Panicked(text).into()),
        (Err(error), _) | (Ok(()), Outcome::Undone(error)) => Err(WriteError::Store(error).into()),
    }
}

/// What a panic says.
#[cold]
fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a text".to_owned())
}

/// The thread of the writer.
fn write(mut store: Box<dyn Store>, queue: &Receiver<Box<dyn Job>>) -> Box<dyn Store> {
    let mut group: Vec<Box<dyn Job>> = Vec::new();
    let mut expected = 0;
    // It ends when the writer is dropped and nothing waits any more.
    while let Ok(first) = queue.recv() {
        group.push(first);
        gather(&mut group, queue, expected);
        expected = group.len();
        let committed = store.transact(&mut |tx| {
            group.iter_mut().for_each(|job| job.run(tx));
            Ok(())
        });
        group.drain(..).for_each(|job| job.answer(committed.clone()));
    }
    store
}

/// Takes what waits, and a little later what has come by then.
fn gather(group: &mut Vec<Box<dyn Job>>, queue: &Receiver<Box<dyn Job>>, expected: usize) {
    for _ in 0..ROUNDS_MAX {
        let room = WRITER_GROUP_MAX.saturating_sub(group.len());
        group.extend(queue.try_iter().take(room));
        if group.len() >= expected.min(WRITER_GROUP_MAX) {
            return;
        }
        thread::yield_now();
    }
}
