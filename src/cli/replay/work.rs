//! Judging parts on all cores while the next ones are read.

use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::cli::progress::Bar;
use crate::cli::status::Failure;
use crate::kernel::log::verify::Progress;
use crate::replay::{Judge, Room, Tally};

/// Some lines.
#[derive(Debug)]
pub struct Part {
    /// The number of the first one.
    pub first: u64,
    /// All of them.
    pub bytes: Vec<u8>,
}

impl Part {
    /// The lines with their numbers.
    pub fn lines(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (self.first..).zip(self.bytes.split(|byte| *byte == b'\n'))
    }

    /// Judges all lines that are not empty.
    pub fn judge(&self, judge: &Judge<'_>, room: &mut Room, tally: &mut Tally) {
        for (number, line) in self.lines() {
            if !line.iter().all(u8::is_ascii_whitespace) {
                judge.line(number, line, room, tally);
            }
        }
    }
}

/// Takes all parts and has them judged, as many at a time as there are cores.
pub fn over<P: Send>(
    mut next: impl FnMut() -> Result<Option<(P, Progress)>, Failure>,
    judge: impl Fn(&P, &mut Room, &mut Tally) + Sync,
    examples_max: usize,
    bar: &Bar,
) -> Result<Tally, Failure> {
    let threads = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN).get();
    let (sender, receiver) = sync_channel::<P>(threads);
    // Theirs alone: once all workers are gone, nothing waits for them.
    let receiver = Arc::new(Mutex::new(receiver));
    thread::scope(|scope| {
        let start = |receiver: Arc<Mutex<Receiver<P>>>| {
            let judge = &judge;
            scope.spawn(move || work(&receiver, judge, examples_max))
        };
        let workers: Vec<_> = (0..threads).map(|_| start(Arc::clone(&receiver))).collect();
        drop(receiver);
        let mut read = Ok(());
        loop {
            match next() {
                Ok(Some((part, progress))) => {
                    // Nobody takes it any more if all have panicked, which is told below.
                    if sender.send(part).is_err() {
                        break;
                    }
                    bar.show(progress);
                }
                Ok(None) => break,
                Err(failure) => {
                    read = Err(failure);
                    break;
                }
            }
        }
        drop(sender);
        let mut tally = Tally::new(examples_max);
        for worker in workers {
            match worker.join() {
                Ok(part) => tally.add(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        read.map(|()| tally)
    })
}

fn work<P>(receiver: &Mutex<Receiver<P>>, judge: &impl Fn(&P, &mut Room, &mut Tally), examples_max: usize) -> Tally {
    let (mut room, mut tally) = (Room::default(), Tally::new(examples_max));
    loop {
        let part = receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match part {
            Ok(part) => judge(&part, &mut room, &mut tally),
            Err(_) => return tally,
        }
    }
}
