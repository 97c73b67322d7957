//! One answer from one thread to another that waits for nothing else: what a channel would do, with less of everything.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Thread};

/// Where the answer is put, once.
#[derive(Debug)]
pub(super) struct Slot<A> {
    found: Mutex<Found<A>>,
    waiting: Thread,
}

#[derive(Debug)]
enum Found<A> {
    Nothing,
    Answer(A),
    /// There will be none.
    Broken,
}

/// Who has it gives an answer, or is dropped: then whoever waits is told that there is none.
#[derive(Debug)]
pub(super) struct Promise<A>(Option<Arc<Slot<A>>>);

/// A promise to this thread.
pub(super) fn promise<A>() -> (Promise<A>, Arc<Slot<A>>) {
    let slot = Arc::new(Slot { found: Mutex::new(Found::Nothing), waiting: thread::current() });
    (Promise(Some(Arc::clone(&slot))), slot)
}

impl<A> Slot<A> {
    /// Waits for the answer; `None` if there is none. For the thread to which it was promised, once.
    pub(super) fn wait(&self) -> Option<A> {
        loop {
            let found = {
                let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::replace(&mut *found, Found::Nothing)
            };
            match found {
                Found::Answer(answer) => return Some(answer),
                Found::Broken => return None,
                // Threads are woken for other reasons, too.
                Found::Nothing => thread::park(),
            }
        }
    }

    fn put(&self, what: Found<A>) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = what;
        self.waiting.unpark();
    }
}

impl<A> Promise<A> {
    /// Answers.
    pub(super) fn keep(mut self, answer: A) {
        if let Some(slot) = self.0.take() {
            slot.put(Found::Answer(answer));
        }
    }
}

impl<A> Drop for Promise<A> {
    fn drop(&mut self) {
        if let Some(slot) = self.0.take() {
            slot.put(Found::Broken);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_comes_from_another_thread() {
        let (promise, slot) = promise();
        // A token to go on that has nothing to do with it.
        thread::current().unpark();
        thread::scope(|scope| {
            scope.spawn(|| promise.keep(7));
            assert_eq!(slot.wait(), Some(7));
        });
    }

    #[test]
    fn a_promise_that_is_dropped_is_told() {
        let (promise, slot) = promise::<u8>();
        thread::scope(|scope| {
            scope.spawn(move || drop(promise));
            assert_eq!(slot.wait(), None);
        });
    }
}
