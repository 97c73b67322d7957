//! Which entries stand where: from where each one stands and where it says it belongs, what is missing, what is there more
//! than once, and what stands elsewhere for no such reason.

use std::collections::BTreeMap;

use super::finding::{Finding, Findings};

/// The most stretches that are remembered. An order that is more torn than this is told as far as it goes.
const RUNS_MAX: usize = 100_000;

/// Entries that follow each other both in where they stand and in where they belong.
#[derive(Clone, Debug)]
struct Run {
    /// Where the first stands.
    at: u64,
    /// Where it belongs.
    index: u64,
    count: u64,
    /// The id of the first.
    id: Option<String>,
}

impl Run {
    /// Behind where the last belongs.
    fn end(&self) -> u64 {
        self.index.saturating_add(self.count)
    }

    /// How much farther back in the log it belongs than it stands.
    fn offset(&self) -> i128 {
        i128::from(self.index).saturating_sub(self.at.into())
    }
}

/// The order of the entries of a log.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// Nothing before this is looked for.
    start: u64,
    runs: Vec<Run>,
    is_torn: bool,
}

impl Order {
    /// The order of a log whose entries before a place were dropped.
    pub(super) fn from(start: u64) -> Order {
        Order { start, ..Order::default() }
    }

    /// Where an entry belongs that does not say so itself: behind the one before it.
    pub(super) fn expected(&self, at: u64) -> u64 {
        let offset = self.runs.last().map_or(0, Run::offset);
        u64::try_from(i128::from(at).saturating_add(offset)).unwrap_or(at)
    }

    /// An entry that stands at `at` and belongs at `index`. The id is asked for if it is the first of its stretch.
    pub(super) fn push(&mut self, at: u64, index: u64, id: impl FnOnce() -> Option<String>) {
        if let Some(run) = self.runs.last_mut()
            && run.at.checked_add(run.count) == Some(at)
            && run.end() == index
        {
            run.count = run.count.saturating_add(1);
        } else if self.runs.len() < RUNS_MAX {
            self.runs.push(Run { at, index, count: 1, id: id() });
        } else {
            self.is_torn = true;
        }
    }

    /// Behind the last place where any entry belongs.
    pub(super) fn reach(&self) -> u64 {
        self.runs.iter().map(Run::end).max().unwrap_or(0).max(self.start)
    }

    /// Tells what is wrong with the order.
    pub(super) fn tell(self, findings: &mut Findings) {
        let Order { start, mut runs, is_torn } = self;
        findings.more |= is_torn;
        // By where they belong: what is between two is missing, where they overlap is there twice.
        runs.sort_by_key(|run| (run.index, run.at));
        let mut missing: Vec<(u64, u64)> = Vec::new();
        let mut doubled: Vec<Run> = Vec::new();
        let mut reach = start;
        for run in &runs {
            if run.index > reach {
                missing.push((reach, run.index));
            }
            let overlap = reach.min(run.end()).saturating_sub(run.index);
            if overlap > 0 {
                doubled.push(Run { count: overlap, ..run.clone() });
            }
            reach = reach.max(run.end());
        }
        for &(from, to) in &missing {
            findings.push(Finding::Missing { from, to });
        }
        for Run { at, index, count, id } in &doubled {
            findings.push(Finding::Duplicate { at: *at, index: *index, count: *count, id: id.clone() });
        }
        // What is missing before an entry, and what is doubled, moves it; whatever else does is a reordering.
        runs.sort_by_key(|run| run.at);
        let copies: BTreeMap<u64, u64> = doubled.iter().map(|copy| (copy.at, copy.count)).collect();
        let gone = sums(missing.into_iter().map(|(from, to)| (from, to.saturating_sub(from))));
        let added = sums(copies.iter().map(|(at, count)| (*at, *count)));
        for run in runs {
            // The beginning of a stretch may be copies, and the rest not.
            let copied = copies.get(&run.at).copied().unwrap_or(0);
            let run = Run {
                at: run.at.saturating_add(copied),
                index: run.index.saturating_add(copied),
                count: run.count.saturating_sub(copied),
                id: run.id.filter(|_| copied == 0),
            };
            let moved = before(&gone, run.index).saturating_sub(before(&added, run.at));
            // Where the store itself has a hole, what is behind it stands where it belongs.
            if run.count > 0 && run.offset() != moved && run.offset() != 0 {
                let Run { at, index, count, id } = run;
                findings.push(Finding::Reordered { at, index, count, id });
            }
        }
    }
}

/// How many there are up to each place, from how many there are at each.
fn sums(counts: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, i128)> {
    let sum = |sum: &mut i128, (place, count): (u64, u64)| {
        *sum = sum.saturating_add(count.into());
        Some((place, *sum))
    };
    counts.scan(0, sum).collect()
}

/// How many there are before a place.
fn before(sums: &[(u64, i128)], place: u64) -> i128 {
    let count = sums.partition_point(|(at, _)| *at < place);
    count.checked_sub(1).and_then(|last| sums.get(last)).map_or(0, |(_, sum)| *sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(places: &[(u64, u64)]) -> Vec<Finding> {
        let (mut order, mut findings) = (Order::default(), Findings::default());
        places.iter().for_each(|(at, index)| order.push(*at, *index, || None));
        order.tell(&mut findings);
        findings.list
    }

    fn stand(indexes: &[u64]) -> Vec<Finding> {
        told(&(0..).zip(indexes.iter().copied()).collect::<Vec<_>>())
    }

    #[test]
    fn orders_are_told() {
        let reordered = |at, index, count| Finding::Reordered { at, index, count, id: None };
        let duplicate = |at, index, count| Finding::Duplicate { at, index, count, id: None };
        let missing = |from, to| Finding::Missing { from, to };
        assert_eq!(stand(&[]), []);
        assert_eq!(stand(&[0, 1, 2, 3]), []);
        // Dropped, with and without closing the gap.
        assert_eq!(stand(&[0, 1, 4, 5]), [missing(2, 4)]);
        assert_eq!(stand(&[1, 2]), [missing(0, 1)]);
        assert_eq!(told(&[(0, 0), (1, 1), (4, 4), (5, 5)]), [missing(2, 4)]);
        // Put in once more.
        assert_eq!(stand(&[0, 1, 1, 2, 3]), [duplicate(2, 1, 1)]);
        assert_eq!(stand(&[0, 1, 2, 3, 1, 4]), [duplicate(4, 1, 1)]);
        // Written over by another.
        assert_eq!(stand(&[0, 1, 1, 3]), [missing(2, 3), duplicate(2, 1, 1)]);
        // Swapped.
        assert_eq!(stand(&[0, 2, 1, 3]), [reordered(1, 2, 1), reordered(2, 1, 1)]);
        assert_eq!(stand(&[0, 3, 2, 1, 4]), [reordered(1, 3, 1), reordered(3, 1, 1)]);
        // A stretch moved.
        assert_eq!(stand(&[0, 3, 4, 1, 2, 5]), [reordered(1, 3, 2), reordered(3, 1, 2)]);
        // Swapped, behind a gap.
        assert_eq!(stand(&[1, 2, 4, 3, 5]), [missing(0, 1), reordered(2, 4, 1)]);
    }
}
