//! From a request to an answer: which rules are looked at, in which order, and what follows.
//!
//! | kind | when, strictest first | rules that are listed |
//! | --- | --- | --- |
//! | `error` | the condition of a rule that counts is an error, or a gate or an obligation of a decision that would be `approval` or `allowed` is | the rule of the error with the smallest site |
//! | `violated` | an invariant is violated | violated invariants, and denials that match |
//! | `denied` | a denial matches | denials that match |
//! | `not_permitted` | no allowance matches | none |
//! | `approval` | an approval rule matches | approval rules that match |
//! | `allowed` | else | allowances that match |
//!
//! What requires approval is `allowed` once all gates are met. Then both determine it that match: the allowances and the
//! approval rules, with the obligations of both.
//!
//! Rules that the index leaves out have a false condition. Once the answer is certain, only rules that may fail are still
//! looked at, since an error would change it; so the answer never depends on the order in which rules are looked at. A
//! list of all determining rules is made when somebody asks for it.

use crate::bytecode::program::{Entry, FunctionId, Gate};
use crate::vm::compare::{compare, find};
use crate::vm::entities::Entities;
use crate::vm::image::Image;
use crate::vm::plan::{EntryPlan, KeyPlan, RuleSet, bits, compare_all, scalar};
use crate::vm::run::{Meter, Run};
use crate::vm::value::{Fault, FaultKind, Value};

/// What a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// It may not be done.
    Deny,
    /// It may be done once those have agreed whom the gates name.
    RequireApproval,
    /// It may be done.
    Allow,
}

/// Why, strictest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The request or the evaluation was faulty.
    Error,
    /// An invariant would be violated.
    Violated,
    /// A rule denies it.
    Denied,
    /// No rule allows it.
    NotPermitted,
    /// A rule asks for approval.
    Approval,
    /// A rule allows it, and nothing takes that away.
    Allowed,
}

impl Answer {
    /// All of them.
    pub const ALL: &[Answer] = &[Answer::Deny, Answer::RequireApproval, Answer::Allow];

    /// The one of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Answer> {
        Answer::ALL.iter().copied().find(|answer| answer.name() == name)
    }

    /// The name in decisions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Answer::Deny => "DENY",
            Answer::RequireApproval => "REQUIRE_APPROVAL",
            Answer::Allow => "ALLOW",
        }
    }
}

impl Kind {
    /// All of them.
    pub const ALL: &[Kind] =
        &[Kind::Error, Kind::Violated, Kind::Denied, Kind::NotPermitted, Kind::Approval, Kind::Allowed];

    /// The one of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The answer that follows.
    #[must_use]
    pub fn answer(self) -> Answer {
        match self {
            Kind::Error | Kind::Violated | Kind::Denied | Kind::NotPermitted => Answer::Deny,
            Kind::Approval => Answer::RequireApproval,
            Kind::Allowed => Answer::Allow,
        }
    }

    /// The name in decisions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Error => "error",
            Kind::Violated => "violated",
            Kind::Denied => "denied",
            Kind::NotPermitted => "not_permitted",
            Kind::Approval => "approval",
            Kind::Allowed => "allowed",
        }
    }
}

/// How much of a decision is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The kind.
    Kind,
    /// The kind and all rules that determine it.
    Rules,
    /// What it comes to once all its gates are met, and all rules that determine that: where approval is required, the
    /// allowances and the approval rules.
    Approved,
}

/// What came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The kind.
    pub kind: Kind,
    /// Of kind `Error`: the error with the smallest site, and the rule (its place in the entry) that had it.
    pub error: Option<(Fault, u32)>,
}

/// Sets of rules, kept from one decision to the next.
#[derive(Clone, Debug, Default)]
pub struct Sets {
    /// The rules that the index does not leave out.
    pub candidates: RuleSet,
    /// The rules whose condition turned out true, among those that were looked at.
    pub matched: RuleSet,
    key: Vec<Value>,
}

impl Sets {
    fn begin(&mut self, plan: &EntryPlan) {
        self.candidates.words.clear();
        self.candidates.words.extend_from_slice(&plan.rest.words);
        self.matched.words.clear();
        self.matched.words.resize(plan.rest.words.len(), 0);
    }
}

/// Decides the request that lies in `run.inputs` and `run.local`, on the action with that number.
///
/// The run's room must have been made ready with [`Work::begin`](crate::vm::run::Work::begin); a second decision on the
/// same request may follow without that and finds the values that were kept.
pub fn decide<E: Entities, M: Meter>(run: &mut Run<'_, E, M>, sets: &mut Sets, action: u32, extent: Extent) -> Outcome {
    let image: &Image = run.image;
    let place = action as usize;
    let (Some(plan), Some(entry)) = (image.entries.get(place), image.program.entries.get(place)) else {
        return Outcome { kind: Kind::Error, error: Some((Fault::INTERNAL, 0)) };
    };
    sets.begin(plan);
    find_candidates(run, plan, sets);
    let mut search = Search { run, sets, plan, error: None };
    let wanted = if extent == Extent::Kind { Wanted::First } else { Wanted::All };
    let violated = search.look_at(&plan.violations, wanted);
    // Denials that match are listed beside violated invariants.
    let more = if violated && extent == Extent::Kind { Wanted::Errors } else { wanted };
    let denied = search.look_at(&plan.denials, more);
    let certain = violated || denied;
    let allowed = search.look_at(&plan.allowances, if certain { Wanted::Errors } else { wanted });
    let permitted = !certain && allowed;
    let asks = search.look_at(&plan.approvals, if permitted { Wanted::All } else { Wanted::Errors });
    if permitted {
        if asks {
            search.check_gates(entry);
        }
        if asks {
            search.check_obligations(entry, &plan.approvals);
        }
        if !asks || extent == Extent::Approved {
            search.check_obligations(entry, &plan.allowances);
        }
    }
    let kind = match () {
        () if search.error.is_some() => Kind::Error,
        () if violated => Kind::Violated,
        () if denied => Kind::Denied,
        () if !allowed => Kind::NotPermitted,
        () if asks && extent != Extent::Approved => Kind::Approval,
        () => Kind::Allowed,
    };
    Outcome { kind, error: search.error }
}

/// Looks at the shadow rules that the last decision's index does not leave out, and calls `report` for each that matches
/// or fails.
pub fn look_at_shadow<E: Entities, M: Meter>(
    run: &mut Run<'_, E, M>,
    sets: &Sets,
    action: u32,
    mut report: impl FnMut(&mut Run<'_, E, M>, u32, Result<(), Fault>),
) {
    let image: &Image = run.image;
    let Some(plan) = image.entries.get(action as usize) else { return };
    for (at, (&shadow, &candidates)) in plan.shadow.words.iter().zip(&sets.candidates.words).enumerate() {
        for bit in bits(shadow & candidates) {
            let rule = at as u32 * 64 + bit;
            let Some(&condition) = plan.conditions.get(rule as usize) else { continue };
            match run.value(condition) {
                Value::Bool(false) => {}
                Value::Bool(true) => report(run, rule, Ok(())),
                other => report(run, rule, Err(other.fault().unwrap_or(Fault::INTERNAL))),
            }
        }
    }
}

/// Which rules of a class still matter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// All that match.
    All,
    /// Whether one matches; then only errors.
    First,
    /// Errors.
    Errors,
}

struct Search<'r, 'a, E, M> {
    run: &'r mut Run<'a, E, M>,
    sets: &'r mut Sets,
    plan: &'r EntryPlan,
    error: Option<(Fault, u32)>,
}

impl<E: Entities, M: Meter> Search<'_, '_, E, M> {
    /// Looks at the candidates of a class and says whether one matches, as far as that is wanted.
    fn look_at(&mut self, class: &RuleSet, wanted: Wanted) -> bool {
        let plan = self.plan;
        let mut certain = wanted == Wanted::Errors;
        let mut found = false;
        for (at, &members) in class.words.iter().enumerate() {
            let fallible = plan.fallible.words.get(at).copied().unwrap_or(0);
            let mut open = members & self.sets.candidates.words.get(at).copied().unwrap_or(0);
            if certain {
                open &= fallible;
            }
            while open != 0 {
                let bit = open.trailing_zeros();
                open &= open - 1;
                let rule = at as u32 * 64 + bit;
                let Some(&condition) = plan.conditions.get(rule as usize) else { continue };
                match self.run.value(condition) {
                    Value::Bool(false) => {}
                    Value::Bool(true) => {
                        self.sets.matched.insert(rule);
                        found = true;
                        if wanted == Wanted::First {
                            certain = true;
                            open &= fallible;
                        }
                    }
                    other => self.fail(other.fault().unwrap_or(Fault::INTERNAL), rule),
                }
            }
        }
        found
    }

    #[cold]
    fn fail(&mut self, fault: Fault, rule: u32) {
        let error = (fault, rule);
        self.error = Some(self.error.map_or(error, |other| other.min(error)));
    }

    /// The gates of all approval rules that match have to make sense: a quorum of at least one, and groups.
    fn check_gates(&mut self, entry: &Entry) {
        let plan = self.plan;
        for (at, &members) in plan.approvals.words.iter().enumerate() {
            let matched = self.sets.matched.words.get(at).copied().unwrap_or(0);
            for bit in bits(members & matched) {
                let rule = at as u32 * 64 + bit;
                let Some(of) = entry.rules.get(rule as usize) else { continue };
                let faulty = match &of.gate {
                    None => Some(Fault::INTERNAL),
                    Some(gate) => self.gate_fault(gate, Fault { site: of.site, kind: FaultKind::QuorumTooSmall }),
                };
                if let Some(fault) = faulty {
                    self.fail(fault, rule);
                }
            }
        }
    }

    /// Arguments of obligations of determining rules must not be errors. Where one can be, its rule was looked at.
    fn check_obligations(&mut self, entry: &Entry, class: &RuleSet) {
        let plan = self.plan;
        for (at, &members) in plan.obliged.words.iter().enumerate() {
            let matched = self.sets.matched.words.get(at).copied().unwrap_or(0);
            for bit in bits(members & matched & class.words.get(at).copied().unwrap_or(0)) {
                let rule = at as u32 * 64 + bit;
                let Some(of) = entry.rules.get(rule as usize) else { continue };
                for &argument in of.obligations.iter().flat_map(|(_, arguments)| arguments) {
                    if let Some(fault) = self.run.value(argument).fault() {
                        self.fail(fault, rule);
                    }
                }
            }
        }
    }

    fn gate_fault(&mut self, gate: &Gate, too_small: Fault) -> Option<Fault> {
        let quorum = match self.run.value(gate.quorum) {
            Value::Int(1..) => None,
            Value::Int(_) => Some(too_small),
            other => Some(other.fault().unwrap_or(Fault::INTERNAL)),
        };
        let groups = std::iter::once(gate.from).chain(gate.escalations.iter().map(|&(group, _)| group));
        let group = groups.filter_map(|group| self.group_fault(group)).min();
        quorum.into_iter().chain(group).min()
    }

    fn group_fault(&mut self, group: FunctionId) -> Option<Fault> {
        match self.run.value(group) {
            Value::Entity(_) => None,
            other => Some(other.fault().unwrap_or(Fault::INTERNAL)),
        }
    }
}

/// Adds the rules that the keys of the index find.
fn find_candidates<E: Entities, M: Meter>(run: &mut Run<'_, E, M>, plan: &EntryPlan, sets: &mut Sets) {
    let Sets { candidates, key, .. } = sets;
    for of in &plan.keys {
        match of {
            KeyPlan::Equal { values, constants, rules, all } => {
                key.clear();
                for &value in values {
                    key.push(run.value(value));
                }
                if key.iter().any(|value| is_unknown(*value)) {
                    add_all(candidates, all);
                    continue;
                }
                let memory = run.memory();
                let bucket = |at: usize| constants.get(at * key.len()..(at + 1) * key.len()).unwrap_or(&[]);
                let (mut low, mut high) = (0, rules.len());
                while low < high {
                    let middle = low + (high - low) / 2;
                    match compare_all(memory, bucket(middle), key) {
                        std::cmp::Ordering::Less => low = middle + 1,
                        std::cmp::Ordering::Greater => high = middle,
                        std::cmp::Ordering::Equal => {
                            add(candidates, rules, middle);
                            break;
                        }
                    }
                }
            }
            KeyPlan::Member { set, constants, rules, all } => {
                let Value::Set(seq) = run.value(*set) else {
                    add_all(candidates, all);
                    continue;
                };
                let memory = run.memory();
                let elements = memory.values(seq);
                if elements.len() <= constants.len() {
                    for &element in elements {
                        if let Ok(at) = constants.binary_search_by(|&constant| compare(memory, constant, element)) {
                            add(candidates, rules, at);
                        }
                    }
                } else {
                    for (at, &constant) in constants.iter().enumerate() {
                        if find(memory, elements, constant).is_ok() {
                            add(candidates, rules, at);
                        }
                    }
                }
            }
            KeyPlan::Bounds { value, bounds, rules, above, all } => {
                let Some(value) = scalar(run.value(*value)) else {
                    add_all(candidates, all);
                    continue;
                };
                let found = if *above {
                    rules.get(..bounds.partition_point(|&bound| bound <= value))
                } else {
                    rules.get(bounds.partition_point(|&bound| bound < value)..)
                };
                for &rule in found.unwrap_or(&[]) {
                    candidates.insert(rule);
                }
            }
        }
    }
}

fn is_unknown(value: Value) -> bool {
    matches!(value, Value::Error(_) | Value::Absent)
}

fn add(candidates: &mut RuleSet, rules: &[Vec<u32>], bucket: usize) {
    for &rule in rules.get(bucket).map_or(&[][..], Vec::as_slice) {
        candidates.insert(rule);
    }
}

fn add_all(candidates: &mut RuleSet, all: &RuleSet) {
    for (word, more) in candidates.words.iter_mut().zip(&all.words) {
        *word |= more;
    }
}
