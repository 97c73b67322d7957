//! Which expressions are the same: a number for every structure, so that what several rules ask is computed once.
//!
//! Only what can't fail is shared: an error is reported where it is written, and two places are two places.

use std::collections::HashMap;
use std::sync::Arc;

use crate::types::operator::Operator;
use crate::types::ty::Type;
use crate::types::typed::{Const, Expr, ExprKind, LocalId, Pattern, PatternSource, Quantifier};

/// The number of a structure.
pub(super) type Shape = u32;

/// What stands at the top of a structure; its parts follow as numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Head {
    Const(Const),
    Let(u32, LocalId),
    /// A quantifier's variable: how many quantifiers further out it belongs to.
    Bound(u32),
    Parameter(u32, u32),
    Subject,
    Resource,
    Context(Arc<str>),
    ActionName,
    /// With the types that the entity may be of here: where fewer are known, fewer are looked for.
    Attribute(Arc<str>, Vec<u32>),
    Field(u32),
    Operator(Operator),
    Matches(PatternSource),
    IsPresent,
    Narrowed,
    Default,
    IsType(Vec<u32>),
    StepsTo,
    If,
    Match(Vec<Pattern>),
    Quantifier(Quantifier),
    Acyclic,
    Call(u32, u32),
    Set,
    List,
    Map(Vec<Arc<str>>),
    Record(u32),
}

/// The shapes met in one action.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    places: HashMap<(Head, Vec<Shape>), Shape>,
    /// How often each is asked for, at places that would each compute it.
    counts: HashMap<Shape, u32>,
    /// By address of the expression, unit and instance: the tree does not move while it is compiled.
    known: HashMap<(usize, u32, u32), Option<Known>>,
    /// The variables of the quantifiers around what is looked at.
    binders: Vec<LocalId>,
}

/// What is known of an expression: its shape, and how many quantifiers around it its variables belong to.
#[derive(Clone, Copy, Debug)]
struct Known {
    shape: Shape,
    open: u32,
}

/// How dear an expression has to be, in instructions, before sharing it pays for the call.
const WORTH_SHARING: u32 = 6;

/// Where an expression stands: which policy, invariant or function, and of which instance of its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) number: u32,
    pub(super) instance: u32,
}

impl Shapes {
    /// The shape of an expression; none if it reads a parameter of a function, or the variable of a quantifier around it.
    pub(super) fn of(&mut self, expr: &Expr, unit: Unit, is_let: &dyn Fn(LocalId) -> bool) -> Option<Shape> {
        self.look(expr, unit, is_let).filter(|known| known.open == 0).map(|known| known.shape)
    }

    fn look(&mut self, expr: &Expr, unit: Unit, is_let: &dyn Fn(LocalId) -> bool) -> Option<Known> {
        let key = (std::ptr::from_ref(expr) as usize, unit.number, unit.instance);
        if let Some(&known) = self.known.get(&key) {
            return known;
        }
        let known = self.compute(expr, unit, is_let);
        self.known.insert(key, known);
        known
    }

    fn compute(&mut self, expr: &Expr, unit: Unit, is_let: &dyn Fn(LocalId) -> bool) -> Option<Known> {
        let head = match &expr.kind {
            ExprKind::Const(value) => Head::Const(value.clone()),
            ExprKind::Local(local) if is_let(*local) => Head::Let(unit.number, *local),
            ExprKind::Local(local) => {
                let out = self.binders.iter().rev().position(|binder| binder == local)?;
                Head::Bound(out as u32)
            }
            ExprKind::Parameter(id) => Head::Parameter(unit.instance, id.0),
            ExprKind::Subject => Head::Subject,
            ExprKind::Resource => Head::Resource,
            ExprKind::Context(name) => Head::Context(name.clone()),
            ExprKind::ActionName => Head::ActionName,
            ExprKind::Attribute(entity, name) => {
                let types = if let Type::Entity(types) = &entity.ty {
                    types.iter().map(|id| id.0).collect()
                } else {
                    Vec::new()
                };
                Head::Attribute(name.clone(), types)
            }
            ExprKind::Field(_, place) => Head::Field(*place),
            ExprKind::Operator(operator, _) => Head::Operator(*operator),
            ExprKind::Matches(_, pattern) => Head::Matches(pattern.clone()),
            ExprKind::IsPresent(_) => Head::IsPresent,
            ExprKind::Narrowed(_) => Head::Narrowed,
            ExprKind::Default(..) => Head::Default,
            ExprKind::IsType(_, types) => Head::IsType(types.iter().map(|id| id.0).collect()),
            ExprKind::StepsTo(..) => Head::StepsTo,
            ExprKind::If(..) => Head::If,
            ExprKind::Match(_, arms) => Head::Match(arms.iter().map(|(pattern, _)| pattern.clone()).collect()),
            ExprKind::Quantifier(quantifier, ..) => Head::Quantifier(*quantifier),
            ExprKind::Acyclic(..) => Head::Acyclic,
            ExprKind::Call(function, _) => Head::Call(function.0, unit.instance),
            ExprKind::Set(_) => Head::Set,
            ExprKind::List(_) => Head::List,
            ExprKind::Map(items) => Head::Map(items.iter().map(|(key, _)| key.clone()).collect()),
            ExprKind::Record(record, _) => Head::Record(record.0),
        };
        let mut open = if let Head::Bound(out) = head { out + 1 } else { 0 };
        let mut parts = Vec::new();
        let mut whole = true;
        let bound = bound_in(expr);
        expr.for_each_part(&mut |part| {
            let binds = bound.filter(|(_, over)| !std::ptr::eq(*over, part));
            if let Some((local, _)) = binds {
                self.binders.push(local);
            }
            match self.look(part, unit, is_let) {
                Some(known) => {
                    parts.push(known.shape);
                    open = open.max(if binds.is_some() { known.open.saturating_sub(1) } else { known.open });
                }
                None => whole = false,
            }
            if binds.is_some() {
                self.binders.pop();
            }
        });
        // Whether a let is the same let depends on the instance too.
        if matches!(head, Head::Let(..)) {
            parts.push(unit.instance);
        }
        if !whole {
            return None;
        }
        let next = self.places.len() as Shape;
        Some(Known { shape: *self.places.entry((head, parts)).or_insert(next), open })
    }

    /// Counts what an expression asks for. What is met again is not looked into again: its parts are computed once,
    /// within it.
    pub(super) fn count(&mut self, expr: &Expr, unit: Unit, is_let: &dyn Fn(LocalId) -> bool) {
        if worth_sharing(expr)
            && let Some(shape) = self.of(expr, unit, is_let)
        {
            let count = self.counts.entry(shape).or_insert(0);
            *count += 1;
            if *count > 1 {
                return;
            }
        }
        expr.for_each_part(&mut |part| self.count(part, unit, is_let));
    }

    /// Whether an expression is computed once for the whole action: its shape then.
    pub(super) fn shared(&mut self, expr: &Expr, unit: Unit, is_let: &dyn Fn(LocalId) -> bool) -> Option<Shape> {
        if !worth_sharing(expr) {
            return None;
        }
        let shape = self.of(expr, unit, is_let)?;
        self.counts.get(&shape).is_some_and(|&count| count > 1).then_some(shape)
    }
}

fn worth_sharing(expr: &Expr) -> bool {
    !expr.fallible && weight(expr) >= WORTH_SHARING
}

/// About how many instructions it takes, up to a little over what matters.
fn weight(expr: &Expr) -> u32 {
    let own = match &expr.kind {
        ExprKind::Matches(..) | ExprKind::Quantifier(..) | ExprKind::Acyclic(..) | ExprKind::Call(..) => WORTH_SHARING,
        ExprKind::Operator(
            Operator::StringContains
            | Operator::ContainsAll
            | Operator::ContainsAny
            | Operator::SetUnion
            | Operator::SetIntersect
            | Operator::SetExcept
            | Operator::EntityInAny
            | Operator::UrlInUrl
            | Operator::UrlHostInDomain
            | Operator::PathInPath
            | Operator::MapGet,
            _,
        ) => WORTH_SHARING,
        _ => 1,
    };
    let mut sum = own;
    expr.for_each_part(&mut |part| {
        if sum < WORTH_SHARING {
            sum += weight(part);
        }
    });
    sum
}

/// The variable that an expression binds, and what that goes over: in all its other parts it is bound.
pub(super) fn bound_in(expr: &Expr) -> Option<(LocalId, &Expr)> {
    match &expr.kind {
        ExprKind::Quantifier(_, local, over, _) | ExprKind::Acyclic(local, over, _, _) => Some((*local, over)),
        _ => None,
    }
}
