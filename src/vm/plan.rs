//! What a decision on one action needs, worked out at load: which rules stand in which class, how the index is searched,
//! what is read.

mod failing;
mod reads;
pub mod states;

use crate::bytecode::program::{ConstantId, Effect, Entry, FunctionId, Index, Key, MessagePart, Program, Rule};
use crate::vm::compare::compare;
use crate::vm::image::Callee;
use crate::vm::memory::{Heap, Memory};
use crate::vm::plan::failing::{Flags, failing};
use crate::vm::plan::reads::Reads;
use crate::vm::value::Value;

/// What a decision on one action needs.
#[derive(Clone, Debug, Default)]
pub struct EntryPlan {
    /// How many words a set of its rules has.
    pub words: u32,
    /// How many slots a run of any of its functions needs at most.
    pub stack: u32,
    /// The conditions of the rules, in order.
    pub conditions: Vec<FunctionId>,
    /// Invariants that count.
    pub violations: RuleSet,
    /// Denials that count.
    pub denials: RuleSet,
    /// Approvals that count.
    pub approvals: RuleSet,
    /// Allowances that count.
    pub allowances: RuleSet,
    /// Shadow rules of all effects.
    pub shadow: RuleSet,
    /// Rules that can be in error: by their condition, or by an argument of an obligation.
    pub fallible: RuleSet,
    /// Rules with an obligation of which an argument can be an error.
    pub obliged: RuleSet,
    /// Rules that are always looked at.
    pub rest: RuleSet,
    /// How the others are found.
    pub keys: Vec<KeyPlan>,
    /// For each field of the action's context whether anything reads it.
    pub context_read: Vec<bool>,
    /// For each entity type and attribute whether any function of the entry reads it.
    pub attributes_read: Vec<Vec<bool>>,
}

/// A set of rules of one entry: a bit for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    /// The words, the first rule in the lowest bit of the first.
    pub words: Vec<u64>,
}

impl RuleSet {
    /// The rules among `count` for which it holds.
    fn of(rules: &[Rule], holds: impl Fn(&Rule) -> bool) -> RuleSet {
        let mut set = RuleSet { words: vec![0; rules.len().div_ceil(64)] };
        for (at, rule) in rules.iter().enumerate() {
            if holds(rule) {
                set.insert(at as u32);
            }
        }
        set
    }

    /// Puts a rule in.
    #[inline]
    pub fn insert(&mut self, rule: u32) {
        if let Some(word) = self.words.get_mut(rule as usize / 64) {
            *word |= 1 << (rule % 64);
        }
    }

    /// Whether a rule is in.
    #[must_use]
    pub fn has(&self, rule: u32) -> bool {
        self.words.get(rule as usize / 64).is_some_and(|word| word & (1 << (rule % 64)) != 0)
    }

    /// The rules, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().enumerate().flat_map(|(at, &word)| bits(word).map(move |bit| at as u32 * 64 + bit))
    }
}

/// The bits of a word that are set, ascending.
#[inline]
pub fn bits(mut word: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        if word == 0 {
            return None;
        }
        let bit = word.trailing_zeros();
        word &= word - 1;
        Some(bit)
    })
}

/// How the rules of a key are found.
#[derive(Clone, Debug)]
pub enum KeyPlan {
    /// All values equal the constants.
    Equal {
        /// The values.
        values: Vec<FunctionId>,
        /// The constants of all buckets, one bucket after the other, sorted.
        constants: Vec<Value>,
        /// The rules of each bucket.
        rules: Vec<Vec<u32>>,
        /// All of them.
        all: RuleSet,
    },
    /// A set has the constant.
    Member {
        /// The set.
        set: FunctionId,
        /// The constants, sorted.
        constants: Vec<Value>,
        /// The rules of each.
        rules: Vec<Vec<u32>>,
        /// All of them.
        all: RuleSet,
    },
    /// A value lies below or above the bounds.
    Bounds {
        /// The value.
        value: FunctionId,
        /// The bounds, ascending.
        bounds: Vec<i64>,
        /// The rule of each.
        rules: Vec<u32>,
        /// Whether the value has to be at least the bound, or else at most.
        above: bool,
        /// All of them.
        all: RuleSet,
    },
}

pub(super) fn entry_plans(program: &Program, callees: &[Callee], constants: &[Value], heap: &Heap) -> Vec<EntryPlan> {
    let mut reads = Reads::new(program);
    let (fails, meets_unknown) = failing(program);
    let flags = Flags { fails: &fails, meets_unknown: &meets_unknown };
    program.entries.iter().map(|entry| entry_plan(entry, callees, flags, constants, heap, &mut reads)).collect()
}

fn entry_plan(
    entry: &Entry,
    callees: &[Callee],
    flags: Flags<'_>,
    constants: &[Value],
    heap: &Heap,
    reads: &mut Reads<'_>,
) -> EntryPlan {
    let rules = &entry.rules;
    let counting = |effect: Effect| RuleSet::of(rules, |rule| rule.effect == effect && !rule.shadow);
    let mut rest = RuleSet::of(rules, |_| false);
    for &rule in &entry.index.rest {
        rest.insert(rule);
    }
    let roots = roots(entry);
    let is_set = |flags: &[bool], id: FunctionId| flags.get(id.0 as usize).copied().unwrap_or(true);
    let can_fail = |&id: &FunctionId| is_set(flags.fails, id) || is_set(flags.meets_unknown, id);
    let is_obliged = |rule: &Rule| rule.obligations.iter().any(|(_, arguments)| arguments.iter().any(can_fail));
    // What the bundle says of a rule is not enough: if it understated what may fail, a quick answer could differ from the
    // whole decision. So whatever has an instruction that may fail counts too.
    let is_fallible = |rule: &Rule| rule.may_fail || can_fail(&rule.condition) || is_obliged(rule);
    let stack = roots.iter().filter_map(|id| callees.get(id.0 as usize)).map(|callee| callee.stack).max();
    let (context_read, attributes_read) = reads.of(entry, &roots);
    EntryPlan {
        words: rules.len().div_ceil(64) as u32,
        stack: stack.unwrap_or(0),
        conditions: rules.iter().map(|rule| rule.condition).collect(),
        violations: counting(Effect::Violation),
        denials: counting(Effect::Deny),
        approvals: counting(Effect::RequireApproval),
        allowances: counting(Effect::Allow),
        shadow: RuleSet::of(rules, |rule| rule.shadow),
        fallible: RuleSet::of(rules, is_fallible),
        obliged: RuleSet::of(rules, is_obliged),
        rest,
        keys: key_plans(&entry.index, rules.len(), constants, heap),
        context_read,
        attributes_read,
    }
}

/// The functions that a decision on an entry starts with.
fn roots(entry: &Entry) -> Vec<FunctionId> {
    let mut roots = Vec::new();
    for key in &entry.index.keys {
        match key {
            Key::Equal { values, .. } => roots.extend_from_slice(values),
            Key::Member { set, .. } => roots.push(*set),
            Key::Below { value, .. } | Key::Above { value, .. } => roots.push(*value),
        }
    }
    for rule in &entry.rules {
        roots.push(rule.condition);
        roots.extend(rule.message.iter().filter_map(|part| match part {
            MessagePart::Value(function) => Some(*function),
            MessagePart::Text(_) => None,
        }));
        if let Some(gate) = &rule.gate {
            roots.extend([gate.from, gate.quorum]);
            roots.extend(gate.escalations.iter().map(|&(group, _)| group));
        }
        roots.extend(rule.obligations.iter().flat_map(|(_, arguments)| arguments.iter().copied()));
    }
    roots
}

fn key_plans(index: &Index, rule_count: usize, constants: &[Value], heap: &Heap) -> Vec<KeyPlan> {
    let empty = Heap::default();
    let memory = Memory { program: heap, store: &empty, local: &empty };
    let value_of = |id: &ConstantId| constants.get(id.0 as usize).copied().unwrap_or(Value::INTERNAL);
    let all_of = |rules: &mut dyn Iterator<Item = u32>| {
        let mut all = RuleSet { words: vec![0; rule_count.div_ceil(64)] };
        rules.for_each(|rule| all.insert(rule));
        all
    };
    let bounds_of = |value: FunctionId, pairs: &[(ConstantId, u32)], above: bool| {
        let mut pairs: Vec<(i64, u32)> =
            pairs.iter().map(|(bound, rule)| (scalar(value_of(bound)).unwrap_or(i64::MAX), *rule)).collect();
        pairs.sort_unstable();
        KeyPlan::Bounds {
            value,
            all: all_of(&mut pairs.iter().map(|&(_, rule)| rule)),
            bounds: pairs.iter().map(|&(bound, _)| bound).collect(),
            rules: pairs.iter().map(|&(_, rule)| rule).collect(),
            above,
        }
    };
    let key_plan = |key: &Key| match key {
        Key::Equal { values, buckets } => {
            let mut buckets: Vec<(Vec<Value>, Vec<u32>)> =
                buckets.iter().map(|(ids, rules)| (ids.iter().map(value_of).collect(), rules.clone())).collect();
            buckets.sort_by(|(left, _), (right, _)| compare_all(memory, left, right));
            KeyPlan::Equal {
                values: values.clone(),
                all: all_of(&mut buckets.iter().flat_map(|(_, rules)| rules.iter().copied())),
                constants: buckets.iter().flat_map(|(constants, _)| constants.iter().copied()).collect(),
                rules: buckets.into_iter().map(|(_, rules)| rules).collect(),
            }
        }
        Key::Member { set, buckets } => {
            let mut buckets: Vec<(Value, Vec<u32>)> =
                buckets.iter().map(|(id, rules)| (value_of(id), rules.clone())).collect();
            buckets.sort_by(|(left, _), (right, _)| compare(memory, *left, *right));
            KeyPlan::Member {
                set: *set,
                all: all_of(&mut buckets.iter().flat_map(|(_, rules)| rules.iter().copied())),
                constants: buckets.iter().map(|&(constant, _)| constant).collect(),
                rules: buckets.into_iter().map(|(_, rules)| rules).collect(),
            }
        }
        Key::Below { value, rules } => bounds_of(*value, rules, false),
        Key::Above { value, rules } => bounds_of(*value, rules, true),
    };
    index.keys.iter().map(key_plan).collect()
}

/// The order of two tuples of values.
#[inline]
pub fn compare_all(memory: Memory<'_>, left: &[Value], right: &[Value]) -> std::cmp::Ordering {
    for (&left, &right) in left.iter().zip(right) {
        let order = compare(memory, left, right);
        if order.is_ne() {
            return order;
        }
    }
    std::cmp::Ordering::Equal
}

/// The number that orders a value of Int, Decimal, Duration or Timestamp.
#[inline]
#[must_use]
pub fn scalar(value: Value) -> Option<i64> {
    match value {
        Value::Int(value) | Value::Decimal(value) | Value::Duration(value) | Value::Timestamp(value) => Some(value),
        _ => None,
    }
}
