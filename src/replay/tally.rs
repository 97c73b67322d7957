//! What came of rows: counts, and the first few of each sort.

use std::collections::BTreeMap;

use super::gates::Gate;
use super::shadow::Shadow;
use crate::base::limits::NAMES_COUNTED_MAX;
use crate::vm::decide::{Answer, Kind};

/// How a decision has changed: what permits more first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// What was denied is allowed.
    DenyToAllow,
    /// What was denied is allowed once somebody has agreed.
    DenyToApproval,
    /// What somebody had to agree to is allowed.
    ApprovalToAllow,
    /// Fewer have to agree, or others, or within a longer time.
    Loosened,
    /// What was allowed has to be agreed to.
    AllowToApproval,
    /// What somebody could agree to is denied.
    ApprovalToDeny,
    /// What was allowed is denied.
    AllowToDeny,
    /// More have to agree.
    Tightened,
}

impl Change {
    /// All of them, in their order.
    pub const ALL: [Change; 8] = [
        Change::DenyToAllow,
        Change::DenyToApproval,
        Change::ApprovalToAllow,
        Change::Loosened,
        Change::AllowToApproval,
        Change::ApprovalToDeny,
        Change::AllowToDeny,
        Change::Tightened,
    ];

    /// Whether more is permitted than before.
    #[must_use]
    pub fn is_widening(self) -> bool {
        self <= Change::Loosened
    }

    /// The name for people: `DENY → ALLOW`.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Change::DenyToAllow => "DENY → ALLOW",
            Change::DenyToApproval => "DENY → REQUIRE_APPROVAL",
            Change::ApprovalToAllow => "REQUIRE_APPROVAL → ALLOW",
            Change::Loosened => "approval by fewer or others",
            Change::AllowToApproval => "ALLOW → REQUIRE_APPROVAL",
            Change::ApprovalToDeny => "REQUIRE_APPROVAL → DENY",
            Change::AllowToDeny => "ALLOW → DENY",
            Change::Tightened => "approval by more",
        }
    }

    /// The name for programs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Change::DenyToAllow => "deny_to_allow",
            Change::DenyToApproval => "deny_to_approval",
            Change::ApprovalToAllow => "approval_to_allow",
            Change::Loosened => "approval_loosened",
            Change::AllowToApproval => "allow_to_approval",
            Change::ApprovalToDeny => "approval_to_deny",
            Change::AllowToDeny => "allow_to_deny",
            Change::Tightened => "approval_tightened",
        }
    }

    fn at(self) -> usize {
        Change::ALL.iter().position(|change| *change == self).unwrap_or_default()
    }
}

/// Why a row could not be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lost {
    /// It is neither a request nor a row.
    Malformed,
    /// It has too many bytes.
    TooLong,
    /// It does not say what was decided, and there is no other policy to hold it against.
    NothingRecorded,
    /// It has not the facts of the kernel that the policy wants.
    Facts,
    /// It names an entity that is not among those that were loaded.
    Entities,
    /// Something that was asked was erased, or is kept as a commitment alone.
    Erased,
    /// Nothing was decided: the kernel itself denied.
    Kernel,
    /// It was decided on something that is done to the kernel itself.
    Governing,
    /// What is needed to decide it again is not there, or is damaged.
    Damaged,
}

impl Lost {
    /// The reason in one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Lost::Malformed => "malformed",
            Lost::TooLong => "too_long",
            Lost::NothingRecorded => "nothing_recorded",
            Lost::Facts => "facts",
            Lost::Entities => "entities",
            Lost::Erased => "erased",
            Lost::Kernel => "kernel",
            Lost::Governing => "governing",
            Lost::Damaged => "damaged",
        }
    }

    /// The reason in words.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Lost::Malformed => "it is no request",
            Lost::TooLong => "it has too many bytes",
            Lost::NothingRecorded => "nothing says what was decided",
            Lost::Facts => "the facts are not those that the policy wants",
            Lost::Entities => "an entity is not among those that were loaded",
            Lost::Erased => "something of it was erased or is a commitment",
            Lost::Kernel => "the kernel itself denied, and nothing was decided",
            Lost::Governing => "it was done to the kernel itself",
            Lost::Damaged => "what it was decided with is not there",
        }
    }
}

/// That a row could not be replayed, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreplayed {
    /// The reason.
    pub lost: Lost,
    /// More of it, in words; may be empty.
    pub why: String,
}

/// A rule that determines one of two decisions and not the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleKey {
    /// The new one; else the old one.
    pub is_new: bool,
    /// The rule's id; the code of an error of the request.
    pub id: String,
    /// What it does.
    pub effect: String,
}

/// A decision, as far as an example needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The answer.
    pub answer: Answer,
    /// Why, if that is known.
    pub kind: Option<Kind>,
    /// The rules that determine it, by id and effect.
    pub rules: Vec<(String, String)>,
    /// Whom it asks.
    pub gates: Vec<Gate>,
    /// What it says of itself, if it says something.
    pub why: Option<String>,
}

/// A row whose decision has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// Who asked.
    pub subject: Option<String>,
    /// What for.
    pub action: Option<String>,
    /// On what.
    pub resource: Option<String>,
    /// The request, if it is not too long to be shown.
    pub request: Option<String>,
    /// The facts, likewise.
    pub facts: Option<String>,
    /// What was decided.
    pub old: Told,
    /// What is decided now.
    pub new: Told,
}

/// Counts by change.
pub type Counts = [u64; Change::ALL.len()];

/// What a shadow rule did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shadowed {
    /// Its condition was true.
    pub matched: u64,
    /// Its condition was an error.
    pub failed: u64,
    /// If it counted, and it alone of all shadow rules, what is allowed or could be agreed to would be denied.
    pub denies: u64,
    /// What is allowed would have to be agreed to.
    pub asks: u64,
    /// What no rule allows would be allowed, or could be agreed to.
    pub permits: u64,
}

/// What came of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    examples_max: usize,
    /// How many rows there were.
    pub rows: u64,
    /// How many are decided as they were.
    pub same: u64,
    counts: Counts,
    /// Why rows could not be replayed.
    pub lost: BTreeMap<Lost, u64>,
    /// The first rows that could not be replayed, by number.
    pub unreplayed: BTreeMap<u64, Unreplayed>,
    /// The first rows of each change, by number.
    pub examples: BTreeMap<(Change, u64), Example>,
    /// Changes by rule.
    pub rules: BTreeMap<RuleKey, Counts>,
    /// Changes by subject, of at most [`NAMES_COUNTED_MAX`] subjects, the first by name.
    pub subjects: BTreeMap<String, Counts>,
    /// Changes by action, likewise.
    pub actions: BTreeMap<String, Counts>,
    /// Shadow rules by id and effect.
    pub shadow: BTreeMap<(String, &'static str), Shadowed>,
}

impl Tally {
    /// Nothing yet; of each sort so many are to be shown.
    #[must_use]
    pub fn new(examples_max: usize) -> Tally {
        Tally {
            examples_max,
            rows: 0,
            same: 0,
            counts: Counts::default(),
            lost: BTreeMap::new(),
            unreplayed: BTreeMap::new(),
            examples: BTreeMap::new(),
            rules: BTreeMap::new(),
            subjects: BTreeMap::new(),
            actions: BTreeMap::new(),
            shadow: BTreeMap::new(),
        }
    }

    /// How many rows have changed so.
    #[must_use]
    pub fn changed(&self, change: Change) -> u64 {
        self.counts.get(change.at()).copied().unwrap_or_default()
    }

    /// How many rows have changed.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// How many could not be replayed.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.lost.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether anything is more permitted than before.
    #[must_use]
    pub fn is_widened(&self) -> bool {
        Change::ALL.into_iter().any(|change| change.is_widening() && self.changed(change) > 0)
    }

    pub(super) fn same(&mut self) {
        add(&mut self.rows, 1);
        add(&mut self.same, 1);
    }

    /// A row could not be replayed.
    pub fn lose(&mut self, number: u64, unreplayed: Unreplayed) {
        add(&mut self.rows, 1);
        add(self.lost.entry(unreplayed.lost).or_default(), 1);
        self.unreplayed.insert(number, unreplayed);
        if self.unreplayed.len() > self.examples_max {
            self.unreplayed.pop_last();
        }
    }

    /// Rows that could not be replayed and were counted elsewhere, and the first of them by number.
    pub fn leave(&mut self, counts: impl Iterator<Item = (Lost, u64)>, named: BTreeMap<u64, Unreplayed>) {
        for (lost, count) in counts {
            add(&mut self.rows, count);
            add(self.lost.entry(lost).or_default(), count);
        }
        self.unreplayed.extend(named);
        while self.unreplayed.len() > self.examples_max {
            self.unreplayed.pop_last();
        }
    }

    /// Whether a row is among the first of its change, as far as is known.
    pub(super) fn is_wanted(&self, change: Change, number: u64) -> bool {
        let mut of_change = self.examples.range((change, 0)..=(change, u64::MAX));
        self.examples_max > 0
            && (of_change.clone().count() < self.examples_max
                || of_change.next_back().is_some_and(|((_, last), _)| number < *last))
    }

    pub(super) fn change(
        &mut self,
        number: u64,
        change: Change,
        subject: Option<String>,
        action: Option<String>,
        rules: Vec<RuleKey>,
        example: Option<Example>,
    ) {
        add(&mut self.rows, 1);
        count(&mut self.counts, change);
        rules.into_iter().for_each(|rule| count(self.rules.entry(rule).or_default(), change));
        for (names, name) in [(&mut self.subjects, subject), (&mut self.actions, action)] {
            if let Some(name) = name {
                count(names.entry(name).or_default(), change);
                bound(names);
            }
        }
        if let Some(example) = example {
            self.examples.insert((change, number), example);
            self.bound_examples(change);
        }
    }

    pub(super) fn shadowed(&mut self, id: &str, effect: &'static str, seen: Shadowed) {
        add_shadow(self.shadow.entry((id.to_owned(), effect)).or_default(), seen);
    }

    /// Tells of all shadow rules, of those too that never matched.
    pub fn watch(&mut self, shadow: &Shadow<'_>) {
        for (id, effect) in shadow.rules() {
            self.shadowed(id, effect, Shadowed::default());
        }
    }

    /// Adds what came of other rows.
    pub fn add(&mut self, other: Tally) {
        add(&mut self.rows, other.rows);
        add(&mut self.same, other.same);
        add_counts(&mut self.counts, &other.counts);
        for (lost, count) in other.lost {
            add(self.lost.entry(lost).or_default(), count);
        }
        self.unreplayed.extend(other.unreplayed);
        while self.unreplayed.len() > self.examples_max {
            self.unreplayed.pop_last();
        }
        self.examples.extend(other.examples);
        Change::ALL.into_iter().for_each(|change| self.bound_examples(change));
        for (rule, counts) in other.rules {
            add_counts(self.rules.entry(rule).or_default(), &counts);
        }
        for (names, others) in [(&mut self.subjects, other.subjects), (&mut self.actions, other.actions)] {
            for (name, counts) in others {
                add_counts(names.entry(name).or_default(), &counts);
            }
            bound(names);
        }
        for (rule, seen) in other.shadow {
            add_shadow(self.shadow.entry(rule).or_default(), seen);
        }
    }

    fn bound_examples(&mut self, change: Change) {
        loop {
            let of_change = self.examples.range((change, 0)..=(change, u64::MAX));
            let Some(last) = of_change.map(|(key, _)| *key).nth(self.examples_max) else { return };
            self.examples.remove(&last);
        }
    }
}

fn add(count: &mut u64, more: u64) {
    *count = count.saturating_add(more);
}

fn count(counts: &mut Counts, change: Change) {
    if let Some(count) = counts.get_mut(change.at()) {
        add(count, 1);
    }
}

fn add_counts(counts: &mut Counts, more: &Counts) {
    counts.iter_mut().zip(more).for_each(|(count, more)| add(count, *more));
}

fn add_shadow(to: &mut Shadowed, more: Shadowed) {
    let Shadowed { matched, failed, denies, asks, permits } = more;
    add(&mut to.matched, matched);
    add(&mut to.failed, failed);
    add(&mut to.denies, denies);
    add(&mut to.asks, asks);
    add(&mut to.permits, permits);
}

/// Keeps the first names. One of them is among the first of every part too, so that what is kept of it is never less than
/// all, in whatever parts it was counted.
fn bound(names: &mut BTreeMap<String, Counts>) {
    while names.len() > NAMES_COUNTED_MAX {
        names.pop_last();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(numbers: impl Iterator<Item = u64>) -> Tally {
        let mut tally = Tally::new(2);
        for number in numbers {
            match number % 4 {
                0 => tally.same(),
                1 => tally.lose(number, Unreplayed { lost: Lost::Malformed, why: number.to_string() }),
                _ => {
                    let change = Change::ALL[(number % 3) as usize];
                    let told =
                        Told { answer: Answer::Deny, kind: None, rules: Vec::new(), gates: Vec::new(), why: None };
                    let example = tally.is_wanted(change, number).then(|| Example {
                        subject: None,
                        action: None,
                        resource: None,
                        request: Some(number.to_string()),
                        facts: None,
                        old: told.clone(),
                        new: told.clone(),
                    });
                    let rule = RuleKey { is_new: true, id: format!("r{}", number % 5), effect: "deny".to_owned() };
                    tally.change(number, change, Some(format!("s{number}")), None, vec![rule], example);
                }
            }
        }
        tally
    }

    #[test]
    fn parts_add_up_to_the_whole_in_any_order() {
        let whole = tally(0..1_000);
        for parts in [2, 3, 7] {
            let mut sum = Tally::new(2);
            for part in (0..parts).rev() {
                sum.add(tally((0..1_000).filter(|number| number % parts == part)));
            }
            assert_eq!(sum, whole);
        }
        assert_eq!(whole.examples.len(), 6);
        assert_eq!(whole.unreplayed.keys().copied().collect::<Vec<_>>(), [1, 5]);
    }

    #[test]
    fn names_are_bounded_by_their_order() {
        let mut names: BTreeMap<String, Counts> = BTreeMap::new();
        for number in (0..NAMES_COUNTED_MAX + 10).rev() {
            count(names.entry(format!("{number:08}")).or_default(), Change::Loosened);
            bound(&mut names);
        }
        assert_eq!(names.len(), NAMES_COUNTED_MAX);
        assert!(names.contains_key("00000000") && !names.contains_key(&format!("{NAMES_COUNTED_MAX:08}")));
    }
}
