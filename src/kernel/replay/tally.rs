//! Working off tasks on many threads, and adding up what came of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::again::{Contents, Room, again};
use super::skim::{Look, Page};
use super::versions::Version;
use super::{Finding, Gap, Lost, Outcome, Report};
use crate::kernel::engine::Active;

/// Decisions that were made with one version.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) version: Result<Version, Lost>,
    pub(super) page: Arc<Page>,
    /// Their numbers on the page.
    pub(super) entries: Vec<u32>,
    pub(super) contents: Contents,
}

/// What came of some entries.
#[derive(Debug)]
pub(super) struct Tally {
    report: Report,
    named_max: usize,
    different: BTreeMap<u64, Finding>,
    not_replayed: BTreeMap<u64, Finding>,
}

impl Tally {
    pub(super) fn new(named_max: usize) -> Tally {
        let (different, not_replayed) = (BTreeMap::new(), BTreeMap::new());
        Tally { report: Report::default(), named_max, different, not_replayed }
    }

    /// An entry was looked at.
    pub(super) fn look(&mut self) {
        self.report.entries = self.report.entries.saturating_add(1);
    }

    /// A decision was replayed and came out, or not.
    pub(super) fn count(&mut self, finding: Option<Finding>) {
        let report = &mut self.report;
        report.decisions = report.decisions.saturating_add(1);
        let Some(finding) = finding else {
            report.same = report.same.saturating_add(1);
            return;
        };
        let named = match &finding.outcome {
            Outcome::Different(_) => {
                report.different = report.different.saturating_add(1);
                &mut self.different
            }
            Outcome::NotReplayed(lost) => {
                let count = report.not_replayed.entry(lost.gap).or_default();
                *count = count.saturating_add(1);
                &mut self.not_replayed
            }
        };
        keep(named, finding, self.named_max);
    }

    pub(super) fn add(&mut self, other: Tally) {
        let (report, more) = (&mut self.report, other.report);
        report.entries = report.entries.saturating_add(more.entries);
        report.decisions = report.decisions.saturating_add(more.decisions);
        report.same = report.same.saturating_add(more.same);
        report.different = report.different.saturating_add(more.different);
        for (gap, more) in more.not_replayed {
            let count = report.not_replayed.entry(gap).or_default();
            *count = count.saturating_add(more);
        }
        other.different.into_values().for_each(|finding| keep(&mut self.different, finding, self.named_max));
        other.not_replayed.into_values().for_each(|finding| keep(&mut self.not_replayed, finding, self.named_max));
    }

    pub(super) fn report(self) -> Report {
        let mut report = self.report;
        report.findings.extend(self.different.into_values().chain(self.not_replayed.into_values()));
        report.findings.sort_by_key(|finding| finding.index);
        report
    }
}

/// Keeps the first ones, in whatever order they come.
fn keep(named: &mut BTreeMap<u64, Finding>, finding: Finding, max: usize) {
    named.insert(finding.index, finding);
    if named.len() > max {
        named.pop_last();
    }
}

/// What works tasks off; each thread has one of its own, which it keeps from one batch to the next.
pub(super) trait Works: Send {
    fn work(&mut self, task: &Task);
}

/// Works off tasks, and does something else meanwhile.
pub(super) fn work_off<W: Works, T>(tasks: Vec<Task>, workers: &mut [W], meanwhile: impl FnOnce() -> T) -> T {
    let next = AtomicUsize::new(0);
    let work = |worker: &mut W| {
        while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
            worker.work(task);
        }
    };
    let Some((first, others)) = workers.split_first_mut() else { return meanwhile() };
    let count = others.len().min(tasks.len().saturating_sub(1));
    let others = others.get_mut(..count).unwrap_or_default();
    if others.is_empty() {
        work(first);
        return meanwhile();
    }
    thread::scope(|scope| {
        let spawn = |worker| thread::Builder::new().spawn_scoped(scope, || work(worker)).ok();
        let others: Vec<_> = others.iter_mut().filter_map(spawn).collect();
        let other = meanwhile();
        // Whatever is left, all of it where the system had no threads.
        work(first);
        for thread in others {
            // Decisions that panic are told where they are made; this is a defect of the replay itself.
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
        other
    })
}

/// Decides again, and counts.
#[derive(Debug)]
pub(super) struct Again {
    pub(super) tally: Tally,
    room: Room,
}

impl Again {
    pub(super) fn new(named_max: usize) -> Again {
        Again { tally: Tally::new(named_max), room: Room::default() }
    }
}

impl Works for Again {
    fn work(&mut self, task: &Task) {
        let version = task.active();
        for entry in task.entries() {
            self.tally.count(again(entry, &version, &task.contents, &mut self.room));
        }
    }
}

impl Task {
    /// Its entries.
    pub(super) fn entries(&self) -> impl Iterator<Item = Look<'_>> {
        self.entries.iter().filter_map(|number| self.page.get(*number))
    }

    /// With what its decisions are made.
    pub(super) fn active(&self) -> Result<Arc<Active>, Lost> {
        match &self.version {
            // All of the entities are hashed for that, once for each version; so it is done here and not where they are read.
            Ok(Version { active, digest: Some(digest), .. }) if !active.is_version(*digest) => {
                Err(Lost::new(Gap::Version, "its entities are not those that were stored"))
            }
            Ok(version) => Ok(Arc::clone(&version.active)),
            Err(lost) => Err(lost.clone()),
        }
    }
}
