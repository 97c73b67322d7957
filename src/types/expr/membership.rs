//! What is in what: elements of collections, entities in the hierarchy, addresses in networks, paths, URLs and parts
//! of strings; sets with sets.

use std::collections::HashSet;

use crate::base::limits::COLLECTION_MAX;
use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, BinaryOp};
use crate::types::expr::compare::word;
use crate::types::expr::{Checked, Checker, faults};
use crate::types::interval;
use crate::types::narrow::{self, Fact, Truth, Values, Variants};
use crate::types::operator::Operator;
use crate::types::relate;
use crate::types::ty::{Interval, Type};
use crate::types::typed::{Const, EntityTypeId};
use crate::types::world::World;

impl Checker<'_, '_> {
    /// `a in b`
    pub(super) fn member_of(&mut self, left: &ast::Expr, right: &ast::Expr, at: Span, span: Span) -> Checked {
        let (item, of) = self.element_and_collection(left, right);
        if item.is_unknown() || of.is_unknown() {
            return Checked::unknown(span);
        }
        match (&item.expr.ty, &of.expr.ty) {
            (Type::Entity(_), Type::Entity(_)) => self.entity_in(Operator::EntityIn, item, of, at, span),
            (Type::Entity(_), Type::Set(element, _)) if matches!(**element, Type::Entity(_)) => {
                self.entity_in(Operator::EntityInAny, item, of, at, span)
            }
            (Type::IpAddr, Type::IpNet) => self.simple(Operator::IpInNet, item, of, span),
            (Type::IpNet, Type::IpNet) => self.simple(Operator::NetInNet, item, of, span),
            (Type::Path, Type::Path) => self.simple(Operator::PathInPath, item, of, span),
            (Type::Url, Type::Url) => self.simple(Operator::UrlInUrl, item, of, span),
            (_, Type::Set(..) | Type::List(..)) => self.element_of(item, of, at, span),
            _ => {
                let fault =
                    faults::no_operator(self.world(), "in", at, &[&item, &of], "nothing that can be in the other");
                let fault = match (&item.expr.ty, &of.expr.ty) {
                    (Type::String(_), Type::String(_)) => fault.help("for a part of a text write `text contains part`"),
                    (Type::String(_), Type::Map(..)) => fault.help("for a key write `map contains key`"),
                    (Type::Entity(_), Type::String(_)) => fault.help("name an entity by its type and id: `Team::\"x\"`"),
                    (Type::Url, Type::String(_)) => fault.help("for a domain write `host_in(url, \"domain\")`"),
                    _ => fault.help("an element is in a set or list, an entity in an entity, an address in a network, a path in a path, a URL in a URL"),
                };
                self.fail(fault)
            }
        }
    }

    // An element may be a bare variant, and a set may be written with bare variants: either may tell about the other.
    fn element_and_collection(&mut self, item: &ast::Expr, collection: &ast::Expr) -> (Checked, Checked) {
        let literal =
            matches!(collection.kind, ast::ExprKind::Set(_) | ast::ExprKind::List(_) | ast::ExprKind::EmptyBraces);
        let (item, collection) = if literal {
            let item = self.infer(item, None);
            let element = Box::new(relate::inner(&item.expr.ty).clone());
            let hint = match collection.kind {
                ast::ExprKind::List(_) => Type::List(element, COLLECTION_MAX),
                _ => Type::Set(element, COLLECTION_MAX),
            };
            let known = !item.is_unknown();
            let collection = self.infer(collection, known.then_some(&hint));
            (item, collection)
        } else {
            let collection = self.infer(collection, None);
            let hint = element_of(&collection.expr.ty).cloned();
            let item = self.infer(item, hint.as_ref());
            (item, collection)
        };
        (self.present(item), self.present(collection))
    }

    /// `a contains b`
    pub(super) fn contains_one(&mut self, left: &ast::Expr, right: &ast::Expr, at: Span, span: Span) -> Checked {
        let (item, of) = self.element_and_collection(right, left);
        if item.is_unknown() || of.is_unknown() {
            return Checked::unknown(span);
        }
        match (&of.expr.ty, &item.expr.ty) {
            (Type::String(_), Type::String(_)) => self.simple(Operator::StringContains, of, item, span),
            (Type::Map(..), Type::String(_)) => self.simple(Operator::MapHasKey, of, item, span),
            (Type::Set(..) | Type::List(..), _) => self.element_of(item, of, at, span),
            _ => {
                let fault =
                    faults::no_operator(self.world(), "contains", at, &[&of, &item], "does not contain such things");
                let fault = match (&of.expr.ty, &item.expr.ty) {
                    (Type::IpNet | Type::Path | Type::Url | Type::Entity(_), _) => {
                        fault.help("turn it round: `… in …`")
                    }
                    _ => fault.help("a set or list contains elements, a map keys, a string parts"),
                };
                self.fail(fault)
            }
        }
    }

    fn element_of(&mut self, item: Checked, of: Checked, at: Span, span: Span) -> Checked {
        let Some(element) = element_of(&of.expr.ty) else { return Checked::unknown(span) };
        if !relate::alike(element, &item.expr.ty) {
            if matches!((&item.expr.ty, element), (Type::Int(_), Type::Decimal)) {
                let fault = faults::mixed_numbers(&item, "the elements are Decimals");
                return self.fail(fault);
            }
            let world = self.world();
            let (one, two) = (world.show_plain(&item.expr.ty), world.show_plain(&of.expr.ty));
            let mut fault =
                Diagnostic::error(Code::DifferentTypes, at, format!("`{one}` is never an element of `{two}`"))
                    .label("of different types")
                    .secondary(item.expr.span, format!("`{one}`"))
                    .secondary(of.expr.span, format!("`{two}`"));
            match &item.expr.ty {
                Type::Set(inner, _) if relate::alike(inner, element) => {
                    fault = fault.help("for several elements use `contains_all` or `contains_any`");
                }
                Type::List(inner, _) if relate::alike(inner, element) => {
                    fault = fault.help("for several elements use `contains_all` or `contains_any` with a set: `{ … }`");
                }
                _ => {}
            }
            return self.fail(fault);
        }
        self.contains(Operator::Contains, of, item, span)
    }

    /// `Contains` with what it says of the element, where the collection is constant.
    pub(super) fn contains(&mut self, operator: Operator, of: Checked, item: Checked, span: Span) -> Checked {
        let truth = match of.value() {
            Some(Const::Set(values) | Const::List(values)) => self.one_of(&item, values),
            _ => Truth::default(),
        };
        let found = self.simple(operator, of, item, span);
        if found.value().is_some() { found } else { Checked { expr: found.expr, truth } }
    }

    fn one_of(&self, item: &Checked, values: &[Const]) -> Truth {
        if values.is_empty() {
            return Truth::constant(false);
        }
        match item.expr.ty {
            Type::Enum(id) => {
                let count = self.world().enums[id.index()].variants.len();
                let variants = values.iter().filter_map(|value| match value {
                    Const::Enum(_, variant) => Some(*variant),
                    _ => None,
                });
                self.among(&item.expr, id, &Variants::of(count, variants))
            }
            Type::Int(possible) => {
                let inside: HashSet<i64> = values
                    .iter()
                    .filter_map(|value| match value {
                        Const::Int(value) if (possible.low..=possible.high).contains(value) => Some(*value),
                        _ => None,
                    })
                    .collect();
                let hull = inside.iter().copied().map(interval::exactly).reduce(interval::hull);
                let all = i128::from(possible.high) - i128::from(possible.low) < inside.len() as i128;
                let fact = |interval: Interval| Fact::values(Values::Int(interval));
                Truth::of(narrow::path_of(&item.expr), hull.map(fact), (!all).then_some(fact(possible)))
            }
            _ => Truth::default(),
        }
    }

    fn simple(&mut self, operator: Operator, left: Checked, right: Checked, span: Span) -> Checked {
        self.operate(operator, vec![left.expr, right.expr], Type::Bool, span, false)
    }

    // Whether the hierarchy of types lets the one be in the other at all.
    fn entity_in(&mut self, operator: Operator, item: Checked, of: Checked, at: Span, span: Span) -> Checked {
        let world = self.world();
        let group = match &of.expr.ty {
            Type::Set(element, _) => element,
            ty => ty,
        };
        let (Type::Entity(lower), Type::Entity(upper)) = (&item.expr.ty, group) else { return Checked::unknown(span) };
        let presented =
            |types: &[EntityTypeId]| types.iter().copied().find(|ty| world.entity_types[ty.index()].presented);
        if let Some(ty) = presented(lower).or_else(|| presented(upper)) {
            let def = &world.entity_types[ty.index()];
            return self.fail(
                Diagnostic::error(
                    Code::ImpossibleHierarchy,
                    at,
                    format!("entities of type `{}` have no hierarchy", def.name),
                )
                .label("nothing is in them, and they are in nothing")
                .secondary(def.span, "a presented type: its attributes come with the request")
                .help("compare them with `==`, or declare the type without `presented`"),
            );
        }
        let possible = lower.is_empty()
            || upper.is_empty()
            || lower.iter().any(|from| upper.iter().any(|to| from == to || can_be_in(world, *from, *to)));
        if !possible {
            let (one, two) = (world.show(&item.expr.ty), world.show(group));
            return self.fail(
                Diagnostic::error(Code::ImpossibleHierarchy, at, format!("`{one}` can never be in `{two}`"))
                    .label("always false")
                    .secondary(item.expr.span, format!("`{one}`"))
                    .secondary(of.expr.span, format!("`{two}`"))
                    .help(format!(
                        "declare `entity {} in {}`, if it should be",
                        first_name(world, lower),
                        first_name(world, upper)
                    )),
            );
        }
        self.simple(operator, item, of, span)
    }

    /// `a contains_all b`, `a contains_any b`
    pub(super) fn contains_several(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        at: Span,
        span: Span,
    ) -> Checked {
        let Some((left, right, _)) = self.two_sets(op, left, right, at, None) else { return Checked::unknown(span) };
        let operator = if op == BinaryOp::ContainsAll { Operator::ContainsAll } else { Operator::ContainsAny };
        self.simple(operator, left, right, span)
    }

    /// `a union b`, `a intersect b`, `a except b`
    pub(super) fn sets(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        at: Span,
        span: Span,
        expected: Option<&Type>,
    ) -> Checked {
        let Some((left, right, joined)) = self.two_sets(op, left, right, at, expected) else {
            return Checked::unknown(span);
        };
        let (Type::Set(element, one), Type::Set(_, two)) = (&left.expr.ty, &right.expr.ty) else {
            return Checked::unknown(span);
        };
        let sum = one.saturating_add(*two);
        let (operator, element, max, may_fail) = match op {
            BinaryOp::Union => (Operator::SetUnion, Box::new(joined), sum.min(COLLECTION_MAX), sum > COLLECTION_MAX),
            BinaryOp::Intersect => (Operator::SetIntersect, element.clone(), *one.min(two), false),
            _ => (Operator::SetExcept, element.clone(), *one, false),
        };
        self.operate(operator, vec![left.expr, right.expr], Type::Set(element, max), span, may_fail)
    }

    // Two sets of alike elements, and what their elements have in common.
    fn two_sets(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        at: Span,
        expected: Option<&Type>,
    ) -> Option<(Checked, Checked, Type)> {
        let (left, right) = self.same_hint(left, right, expected);
        let (left, right) = (self.present(left), self.present(right));
        if left.is_unknown() || right.is_unknown() {
            return None;
        }
        if let (Type::Set(one, _), Type::Set(two, _)) = (&left.expr.ty, &right.expr.ty)
            && relate::alike(one, two)
            && let Some(joined) = relate::join(one, two)
        {
            return Some((left, right, joined));
        }
        let fault = faults::no_operator(self.world(), word(op), at, &[&left, &right], "not two sets of the same");
        let fault = match (&left.expr.ty, op) {
            (Type::Set(element, _), BinaryOp::ContainsAll | BinaryOp::ContainsAny)
                if relate::alike(element, &right.expr.ty) =>
            {
                fault.help("for one element write `contains`")
            }
            _ => fault.help("both sides have to be sets of the same type"),
        };
        self.fail(fault);
        None
    }

    /// `a starts_with b`, `a ends_with b`
    pub(super) fn text_part(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        at: Span,
        span: Span,
    ) -> Checked {
        let left = self.infer(left, None);
        let left = self.present(left);
        let right = self.infer(right, None);
        let right = self.present(right);
        if left.is_unknown() || right.is_unknown() {
            return Checked::unknown(span);
        }
        let operator = if op == BinaryOp::StartsWith { Operator::StringStartsWith } else { Operator::StringEndsWith };
        if let (Type::String(_), Type::String(_)) = (&left.expr.ty, &right.expr.ty) {
            return self.simple(operator, left, right, span);
        }
        let fault = faults::no_operator(self.world(), word(op), at, &[&left, &right], "not two strings");
        let fault = match &left.expr.ty {
            Type::Url => fault.help(
                "a prefix of a URL's text is not what it seems; write `url in url\"…\"` or `host_in(url, \"domain\")`",
            ),
            Type::Path => fault.help("a prefix of a path's text is not what it seems; write `path in path\"…\"`"),
            _ => fault,
        };
        self.fail(fault)
    }
}

fn element_of(ty: &Type) -> Option<&Type> {
    match ty {
        Type::Set(element, _) | Type::List(element, _) => Some(element),
        _ => None,
    }
}

fn first_name<'w>(world: &'w World, types: &[EntityTypeId]) -> &'w str {
    types.first().map_or("_", |ty| &world.entity_types[ty.index()].name)
}

/// Whether an entity of the one type can lie below one of the other, directly or over others.
#[must_use]
pub fn can_be_in(world: &World, from: EntityTypeId, to: EntityTypeId) -> bool {
    let mut seen = HashSet::new();
    let mut open = vec![from];
    while let Some(ty) = open.pop() {
        for parent in &world.entity_types[ty.index()].parents {
            if *parent == to {
                return true;
            }
            if seen.insert(*parent) {
                open.push(*parent);
            }
        }
    }
    false
}
