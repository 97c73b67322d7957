//! A store without a thread of its own: whoever has a work does it, one at a time.
//!
//! Where nothing has to be made durable there is nothing to do together, and to wake two threads takes longer than most
//! works. What callers of a writer may rely on holds here too.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use super::{Outcome, WriteError, answer_of, run};
use crate::base::limits::WRITER_QUEUE_MAX;
use crate::kernel::store::{Store, StoreError, Tx};

/// A store, and who is at it.
#[derive(Debug)]
pub(super) struct Here {
    /// `None` once it has panicked, and is lost.
    store: Mutex<Option<Box<dyn Store>>>,
    /// The thread whose work is being done.
    at_work: Mutex<Option<ThreadId>>,
    /// How many are there, the one at work among them.
    callers: AtomicUsize,
}

impl Here {
    pub(super) fn new(store: Box<dyn Store>) -> Here {
        Here { store: Mutex::new(Some(store)), at_work: Mutex::new(None), callers: AtomicUsize::new(0) }
    }

    pub(super) fn submit<T, E: From<WriteError>>(
        &self,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, E>,
        waits: bool,
    ) -> Result<T, E> {
        if *lock(&self.at_work) == Some(thread::current().id()) {
            return Err(WriteError::Inside.into());
        }
        let _caller = Caller(&self.callers);
        // As many may wait as in a queue, beside the one at work.
        if self.callers.fetch_add(1, Ordering::Relaxed) > WRITER_QUEUE_MAX && !waits {
            return Err(WriteError::Busy.into());
        }
        let mut store = lock(&self.store);
        let Some(kept) = store.as_mut() else { return Err(WriteError::Stopped.into()) };
        let (mut work, mut outcome) = (Some(work), Outcome::Undone(StoreError::Refused));
        *lock(&self.at_work) = Some(thread::current().id());
        let committed = catch_unwind(AssertUnwindSafe(|| {
            kept.transact(&mut |tx| {
                outcome = run(&mut work, tx);
                Ok(())
            })
        }));
        *lock(&self.at_work) = None;
        match committed {
            Ok(committed) => answer_of(outcome, committed),
            Err(_) => {
                *store = None;
                Err(WriteError::Stopped.into())
            }
        }
    }

    pub(super) fn close(self) -> Option<Box<dyn Store>> {
        self.store.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One who was counted, until they are gone.
struct Caller<'a>(&'a AtomicUsize);

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Nothing that is locked here is left half-done: panics are caught within.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
