//! A store without a thread of its own: whoever has a work does it, one at a time.
//!
//! Where nothing has to be made durable there is nothing to do together, and to wake two threads takes longer than most
//! works. What callers of a writer may rely on holds here too.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{Outcome, WriteError, answer_of, run};
use crate::base::limits::WRITER_QUEUE_MAX;
use crate::kernel::store::{Store, StoreError, Tx};

/// No thread has this number.
const NOBODY: u64 = 0;

thread_local! {
    /// The number of a thread, unlike that of any other.
    static NUMBER: u64 = {
        static LAST: AtomicU64 = AtomicU64::new(NOBODY);
        LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    };
}

/// A store, and who is at it.
#[derive(Debug)]
pub(super) struct Here {
    /// `None` once it has panicked, and is lost.
    store: Mutex<Option<Box<dyn Store>>>,
    /// The number of the thread whose work is being done, [`NOBODY`] if none is. Only a thread itself ever writes its own
    /// number, and takes it away again: so whoever reads theirs is within their own work.
    at_work: AtomicU64,
    /// How many are there, the one at work among them.
    callers: AtomicUsize,
}

impl Here {
    pub(super) fn new(store: Box<dyn Store>) -> Here {
        Here { store: Mutex::new(Some(store)), at_work: AtomicU64::new(NOBODY), callers: AtomicUsize::new(0) }
    }

    pub(super) fn submit<T, E: From<WriteError>>(
        &self,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, E>,
        waits: bool,
    ) -> Result<T, E> {
        let me = NUMBER.with(|number| *number);
        if self.at_work.load(Ordering::Relaxed) == me {
            return Err(WriteError::Inside.into());
        }
        let _caller = Caller(&self.callers);
        // As many may wait as in a queue, beside the one at work.
        if self.callers.fetch_add(1, Ordering::Relaxed) > WRITER_QUEUE_MAX && !waits {
            return Err(WriteError::Busy.into());
        }
        // Nothing is left half-done: panics are caught within.
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = store.as_mut() else { return Err(WriteError::Stopped.into()) };
        let (mut work, mut outcome) = (Some(work), Outcome::Undone(StoreError::Refused));
        self.at_work.store(me, Ordering::Relaxed);
        let committed = catch_unwind(AssertUnwindSafe(|| {
            kept.transact(&mut |tx| {
                outcome = run(&mut work, tx);
                Ok(())
            })
        }));
        self.at_work.store(NOBODY, Ordering::Relaxed);
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
