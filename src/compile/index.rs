//! How the rules that can match are found: by what their conditions demand of one value.
//!
//! A condition that is a conjunction is false as soon as one conjunct is, whatever the others are, errors included. So a
//! rule that demands `resource.kind == page` need not be looked at for other kinds. Only demands on values that can't
//! fail and are always there are used.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::bytecode::program::{ConstantId, ConstantValue, FunctionId, Index, Key};
use crate::compile::lower::Lowering;
use crate::compile::pool::Pool;
use crate::compile::shape::Shape;
use crate::types::operator::Operator;
use crate::types::ty::Type;
use crate::types::typed::{Const, Expr, ExprKind, LocalId};

/// With fewer rules than this on an action all are looked at.
const INDEXED_RULES_MIN: usize = 8;
/// A key pays when it spares looking at this many rules.
const KEY_RULES_MIN: usize = 4;

/// One demand on a value: its shape, a function that gives it, and the constant.
#[derive(Clone, Copy, Debug)]
struct Demand {
    shape: Shape,
    value: FunctionId,
    constant: ConstantId,
}

/// What a rule demands.
#[derive(Clone, Debug, Default)]
pub(super) struct Candidate {
    equal: Vec<Demand>,
    /// The value is one of these.
    one_of: Vec<(Shape, FunctionId, Vec<ConstantId>)>,
    member: Vec<Demand>,
    below: Vec<Demand>,
    above: Vec<Demand>,
}

/// Looks for demands in a condition.
pub(super) fn candidate<'a>(lowering: &mut Lowering<'a, '_>, condition: &'a Expr) -> Candidate {
    let mut candidate = Candidate::default();
    collect(lowering, condition, &mut HashSet::new(), &mut candidate);
    candidate.equal.sort_by_key(|demand| demand.shape);
    candidate.equal.dedup_by_key(|demand| demand.shape);
    candidate
}

/// A `let` is looked into once: what it demands it demands once, and `let`s of `let`s double with every step.
fn collect<'a>(lowering: &mut Lowering<'a, '_>, expr: &'a Expr, seen: &mut HashSet<LocalId>, into: &mut Candidate) {
    match &expr.kind {
        ExprKind::Operator(Operator::And, operands) => {
            operands.iter().for_each(|part| collect(lowering, part, seen, into));
        }
        ExprKind::Local(local) => {
            if let Some(value) = lowering.let_value(*local).filter(|_| seen.insert(*local)) {
                collect(lowering, value, seen, into);
            }
        }
        ExprKind::Operator(operator, operands) if operands.len() == 2 => {
            if let Some(constant) = lowering.constant_of(&operands[1]) {
                demand(lowering, *operator, &operands[0], &constant, &operands[1].ty, into);
            } else if let Some(constant) = lowering.constant_of(&operands[0])
                && let Some(turned) = turned(*operator)
            {
                demand(lowering, turned, &operands[1], &constant, &operands[0].ty, into);
            } else if let (Operator::Contains, Some(Const::Set(items)), Type::Set(element, _)) =
                (operator, lowering.constant_of(&operands[0]), &operands[0].ty)
                && let Some((shape, value)) = value(lowering, &operands[1])
            {
                let constants = items.iter().map(|item| lowering.pool.constant(item, element)).collect();
                into.one_of.push((shape, value, constants));
            }
        }
        _ => {}
    }
}

/// The comparison with its operands the other way round.
fn turned(operator: Operator) -> Option<Operator> {
    match operator {
        Operator::Equal => Some(Operator::Equal),
        Operator::Less => Some(Operator::Greater),
        Operator::LessEqual => Some(Operator::GreaterEqual),
        Operator::Greater => Some(Operator::Less),
        Operator::GreaterEqual => Some(Operator::LessEqual),
        _ => None,
    }
}

fn demand<'a>(
    lowering: &mut Lowering<'a, '_>,
    operator: Operator,
    expr: &'a Expr,
    constant: &Const,
    ty: &Type,
    into: &mut Candidate,
) {
    let ordered = matches!(constant, Const::Int(_) | Const::Decimal(_) | Const::Duration(_) | Const::Timestamp(_));
    let list = match operator {
        Operator::Equal if is_scalar(constant) => &mut into.equal,
        Operator::Contains if matches!(expr.ty, Type::Set(..)) && is_scalar(constant) => &mut into.member,
        Operator::Less | Operator::LessEqual if ordered => &mut into.below,
        Operator::Greater | Operator::GreaterEqual if ordered => &mut into.above,
        _ => return,
    };
    if let Some((shape, value)) = value(lowering, expr) {
        let constant = lowering.pool.constant(constant, ty);
        list.push(Demand { shape, value, constant });
    }
}

fn is_scalar(value: &Const) -> bool {
    matches!(
        value,
        Const::Bool(_)
            | Const::Int(_)
            | Const::Decimal(_)
            | Const::Duration(_)
            | Const::Timestamp(_)
            | Const::String(_)
            | Const::Enum(..)
            | Const::Entity(..)
    )
}

/// A value that can't fail, is always there, and is cheap to have: a path.
fn value<'a>(lowering: &mut Lowering<'a, '_>, expr: &'a Expr) -> Option<(Shape, FunctionId)> {
    if expr.fallible || !is_path(lowering, expr) || matches!(expr.ty, Type::Optional(_)) {
        return None;
    }
    let shape = lowering.shape(expr)?;
    Some((shape, lowering.value_function(expr).0))
}

fn is_path<'a>(lowering: &Lowering<'a, '_>, expr: &'a Expr) -> bool {
    match &expr.kind {
        ExprKind::Subject | ExprKind::Resource | ExprKind::Context(_) => true,
        ExprKind::Attribute(inner, _) | ExprKind::Field(inner, _) => is_path(lowering, inner),
        ExprKind::Local(local) => lowering.let_value(*local).is_some_and(|value| is_path(lowering, value)),
        _ => false,
    }
}

/// Chooses keys so that every rule is under exactly one of them, or under none.
pub(super) fn build(pool: &Pool, candidates: &[&Candidate]) -> Index {
    let mut index = Index::default();
    let mut left: Vec<u32> = (0..candidates.len() as u32).collect();
    if candidates.len() >= INDEXED_RULES_MIN {
        whole_equalities(candidates, &mut left, &mut index.keys);
        single_equalities(candidates, &mut left, &mut index.keys);
        members(candidates, &mut left, &mut index.keys);
        ranges(pool, candidates, &mut left, &mut index.keys);
    }
    index.rest = left;
    index
}

/// Takes the groups that are large enough out of the rules that are left.
fn take_groups<K: Ord + Clone>(
    left: &mut Vec<u32>,
    mut key: impl FnMut(u32) -> Option<K>,
    mut make: impl FnMut(&K, &[u32]),
) {
    let mut groups: BTreeMap<K, Vec<u32>> = BTreeMap::new();
    for &rule in left.iter() {
        if let Some(key) = key(rule) {
            groups.entry(key).or_default().push(rule);
        }
    }
    let mut taken: Vec<u32> = Vec::new();
    for (key, rules) in groups.into_iter().filter(|(_, rules)| rules.len() >= KEY_RULES_MIN) {
        make(&key, &rules);
        taken.extend(rules);
    }
    taken.sort_unstable();
    left.retain(|rule| taken.binary_search(rule).is_err());
}

/// Rules that demand equality of the same values.
fn whole_equalities(candidates: &[&Candidate], left: &mut Vec<u32>, keys: &mut Vec<Key>) {
    let shapes = |rule: u32| -> Option<Vec<Shape>> {
        let equal = &candidates[rule as usize].equal;
        (!equal.is_empty()).then(|| equal.iter().map(|demand| demand.shape).collect())
    };
    take_groups(left, shapes, |_, rules| {
        let values = candidates[rules[0] as usize].equal.iter().map(|demand| demand.value).collect();
        let mut buckets: BTreeMap<Vec<ConstantId>, Vec<u32>> = BTreeMap::new();
        for &rule in rules {
            let constants = candidates[rule as usize].equal.iter().map(|demand| demand.constant).collect();
            buckets.entry(constants).or_default().push(rule);
        }
        keys.push(Key::Equal { values, buckets: buckets.into_iter().collect() });
    });
}

/// Rules that demand, of one value, equality with a constant or membership in a constant set: under the value that most ask.
fn single_equalities(candidates: &[&Candidate], left: &mut Vec<u32>, keys: &mut Vec<Key>) {
    let mut asked: HashMap<Shape, u32> = HashMap::new();
    let shapes_of = |rule: u32| {
        let candidate = candidates[rule as usize];
        let equal = candidate.equal.iter().map(|demand| demand.shape);
        equal.chain(candidate.one_of.iter().map(|(shape, _, _)| *shape)).collect::<Vec<Shape>>()
    };
    for &rule in left.iter() {
        for shape in shapes_of(rule) {
            *asked.entry(shape).or_insert(0) += 1;
        }
    }
    let best = |rule: u32| shapes_of(rule).into_iter().max_by_key(|shape| (asked[shape], std::cmp::Reverse(*shape)));
    take_groups(left, best, |&shape, rules| {
        let mut values = Vec::new();
        let mut buckets: BTreeMap<Vec<ConstantId>, Vec<u32>> = BTreeMap::new();
        for &rule in rules {
            let candidate = candidates[rule as usize];
            if let Some(demand) = candidate.equal.iter().find(|demand| demand.shape == shape) {
                values = vec![demand.value];
                buckets.entry(vec![demand.constant]).or_default().push(rule);
            } else if let Some((_, value, constants)) = candidate.one_of.iter().find(|(known, _, _)| *known == shape) {
                values = vec![*value];
                for constant in constants {
                    buckets.entry(vec![*constant]).or_default().push(rule);
                }
            }
        }
        keys.push(Key::Equal { values, buckets: buckets.into_iter().collect() });
    });
}

/// Rules that demand that a set has an element.
fn members(candidates: &[&Candidate], left: &mut Vec<u32>, keys: &mut Vec<Key>) {
    let first = |rule: u32| candidates[rule as usize].member.first().map(|demand| demand.shape);
    take_groups(left, first, |_, rules| {
        let set = candidates[rules[0] as usize].member[0].value;
        let mut buckets: BTreeMap<ConstantId, Vec<u32>> = BTreeMap::new();
        for &rule in rules {
            buckets.entry(candidates[rule as usize].member[0].constant).or_default().push(rule);
        }
        keys.push(Key::Member { set, buckets: buckets.into_iter().collect() });
    });
}

/// Rules that demand that a value lies below or above a bound.
fn ranges(pool: &Pool, candidates: &[&Candidate], left: &mut Vec<u32>, keys: &mut Vec<Key>) {
    let bound = |constant: ConstantId| match pool.constants[constant.0 as usize].value {
        ConstantValue::Int(value) => value,
        ConstantValue::Decimal(value) => value.0,
        ConstantValue::Duration(value) => value.0,
        ConstantValue::Timestamp(value) => value.millis(),
        _ => unreachable!("bounds are ordered"),
    };
    for below in [true, false] {
        let list = |rule: u32| {
            let candidate = candidates[rule as usize];
            if below { &candidate.below } else { &candidate.above }
        };
        take_groups(
            left,
            |rule| list(rule).first().map(|demand| demand.shape),
            |_, rules| {
                let value = list(rules[0])[0].value;
                let mut rules: Vec<(ConstantId, u32)> =
                    rules.iter().map(|&rule| (list(rule)[0].constant, rule)).collect();
                rules.sort_by_key(|&(constant, rule)| (bound(constant), rule));
                keys.push(if below { Key::Below { value, rules } } else { Key::Above { value, rules } });
            },
        );
    }
}
