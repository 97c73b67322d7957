//! Comparisons: `==`, `!=`, `<`, `<=`, `>`, `>=`.

use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, BinaryOp};
use crate::types::expr::{Checked, Checker, faults};
use crate::types::interval;
use crate::types::narrow::{self, Fact, Facts, Truth, Values, Variants};
use crate::types::operator::Operator;
use crate::types::relate;
use crate::types::ty::{Interval, Type};
use crate::types::typed::{Const, EnumId, Expr};

impl Checker<'_, '_> {
    /// Types two operands that should be of one type: the one that can be understood by itself first.
    pub(super) fn same_hint(&mut self, left: &ast::Expr, right: &ast::Expr, hint: Option<&Type>) -> (Checked, Checked) {
        if self.needs_hint(left) && !self.needs_hint(right) {
            let right = self.infer(right, hint);
            if right.is_unknown() && hint.is_none() {
                // What the left side means only the right side could have told.
                return (Checked::unknown(left.span), right);
            }
            let ty = relate::inner(&right.expr.ty).clone();
            let left = self.infer(left, hint_of(&ty).or(hint));
            return (left, right);
        }
        let alone = !self.needs_hint(left);
        let left = self.infer(left, hint);
        if left.is_unknown() && alone && hint.is_none() && self.needs_hint(right) {
            return (left, Checked::unknown(right.span));
        }
        let ty = relate::inner(&left.expr.ty).clone();
        let right = self.infer(right, hint_of(&ty).or(hint));
        (left, right)
    }

    // Whether an expression may mean nothing without knowing its type.
    fn needs_hint(&self, expr: &ast::Expr) -> bool {
        match &expr.kind {
            ast::ExprKind::Name(name) => {
                !self.locals.iter().any(|local| local.name == name.text)
                    && !matches!(&*name.text, "subject" | "resource")
                    && !self.world().variants_named(&name.text).is_empty()
            }
            ast::ExprKind::EmptyBraces | ast::ExprKind::Record(_) => true,
            ast::ExprKind::Set(items) | ast::ExprKind::List(items) => {
                items.first().is_none_or(|first| self.needs_hint(first))
            }
            ast::ExprKind::Paren(inner) => self.needs_hint(inner),
            ast::ExprKind::If(_, yes, no) => self.needs_hint(yes) && self.needs_hint(no),
            _ => false,
        }
    }

    /// A comparison.
    pub(super) fn comparison(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        at: Span,
        span: Span,
    ) -> Checked {
        let (left, right) = self.same_hint(left, right, None);
        if left.is_unknown() || right.is_unknown() {
            return Checked::unknown(span);
        }
        let (left, right) = (self.present(left), self.present(right));
        if left.is_unknown() || right.is_unknown() {
            return Checked::unknown(span);
        }
        if !relate::alike(&left.expr.ty, &right.expr.ty) {
            let fault = self.different(&left, &right, at);
            return self.fail(fault);
        }
        let operator = operator(op);
        let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
        if ordered && !has_order(&left.expr.ty) {
            let fault = faults::no_operator(self.world(), word(op), at, &[&left, &right], "has no order");
            return self.fail(
                fault.help("numbers, times, strings and enums have an order; the rest can be compared with `==`"),
            );
        }
        if !relate::overlap(&left.expr.ty, &right.expr.ty) {
            let (one, two) = (self.world().show(&left.expr.ty), self.world().show(&right.expr.ty));
            return self.fail(
                Diagnostic::error(Code::DifferentTypes, at, format!("an entity of `{one}` is never one of `{two}`"))
                    .label("always the same answer")
                    .secondary(left.expr.span, format!("`{one}`"))
                    .secondary(right.expr.span, format!("`{two}`")),
            );
        }
        let truth = self.truth_of(operator, &left, &right);
        let compared = self.operate(operator, vec![left.expr, right.expr], Type::Bool, span, false);
        if compared.value().is_some() { compared } else { Checked { expr: compared.expr, truth } }
    }

    fn different(&self, left: &Checked, right: &Checked, at: Span) -> Diagnostic {
        let number = |ty: &Type| matches!(ty, Type::Int(_) | Type::Decimal);
        if number(&left.expr.ty) && number(&right.expr.ty) {
            let int = if matches!(left.expr.ty, Type::Int(_)) { left } else { right };
            return faults::mixed_numbers(int, "the other side is a Decimal");
        }
        let world = self.world();
        let (one, two) = (world.show_plain(&left.expr.ty), world.show_plain(&right.expr.ty));
        let fault = Diagnostic::error(Code::DifferentTypes, at, format!("`{one}` and `{two}` can't be compared"))
            .label("of different types")
            .secondary(left.expr.span, format!("`{one}`"))
            .secondary(right.expr.span, format!("`{two}`"));
        match (&left.expr.ty, &right.expr.ty) {
            (Type::Enum(id), Type::String(_)) => match right.value() {
                Some(Const::String(text)) if world.variant(*id, text).is_some() => {
                    fault.help(format!("write the variant without quotation marks: `{text}`"))
                }
                _ => fault,
            },
            (Type::Entity(_), Type::String(_)) => {
                fault.help("compare with an entity, `Type::\"…\"`, or read the id: `….id`")
            }
            (Type::Url | Type::Path, Type::String(_)) => {
                fault.help("compare with a literal of its type, or read `….text`")
            }
            (Type::Set(element, _) | Type::List(element, _), other) if relate::alike(element, other) => {
                fault.help("ask whether it is an element: `… contains …`")
            }
            _ => fault,
        }
    }

    fn truth_of(&self, operator: Operator, left: &Checked, right: &Checked) -> Truth {
        match (&left.expr.ty, &right.expr.ty) {
            (Type::Int(one), Type::Int(two)) => int_truth(operator, (&left.expr, *one), (&right.expr, *two)),
            (Type::Enum(id), _) => match (left.value(), right.value()) {
                (None, Some(Const::Enum(_, variant))) => self.enum_truth(operator, &left.expr, *id, *variant),
                (Some(Const::Enum(_, variant)), None) => {
                    self.enum_truth(mirrored(operator), &right.expr, *id, *variant)
                }
                _ => Truth::default(),
            },
            (Type::Bool, _) => {
                let (other, value) = match (left.value(), right.value()) {
                    (None, Some(Const::Bool(value))) => (left, *value),
                    (Some(Const::Bool(value)), None) => (right, *value),
                    _ => return Truth::default(),
                };
                let same = match operator {
                    Operator::Equal => value,
                    Operator::NotEqual => !value,
                    _ => return Truth::default(),
                };
                if same { other.truth.clone() } else { other.truth.clone().negated() }
            }
            _ => Truth::default(),
        }
    }

    fn enum_truth(&self, operator: Operator, expr: &Expr, id: EnumId, variant: u32) -> Truth {
        let count = self.world().enums[id.index()].variants.len();
        let end = count as u32;
        let allowed = match operator {
            Operator::Equal => Variants::of(count, [variant]),
            Operator::NotEqual => Variants::all(count).without(&Variants::of(count, [variant])),
            Operator::Less => Variants::of(count, 0..variant),
            Operator::LessEqual => Variants::of(count, 0..variant.saturating_add(1)),
            Operator::Greater => Variants::of(count, variant.saturating_add(1)..end),
            _ => Variants::of(count, variant..end),
        };
        self.among(expr, id, &allowed)
    }

    /// What it says that the value of an enum is one of some variants.
    pub(super) fn among(&self, expr: &Expr, id: EnumId, allowed: &Variants) -> Truth {
        let possible = self.variants_of(expr, id);
        let rest = possible.without(allowed);
        let chosen = possible.without(&rest);
        let fact = |set: Variants| (!set.is_empty()).then_some(Fact::values(Values::Enum(set)));
        Truth::of(narrow::path_of(expr), fact(chosen), fact(rest))
    }
}

fn hint_of(ty: &Type) -> Option<&Type> {
    (*ty != Type::Unknown).then_some(ty)
}

fn int_truth(operator: Operator, left: (&Expr, Interval), right: (&Expr, Interval)) -> Truth {
    let (one, two) = (left.1, right.1);
    let less = |or_equal: bool| both(interval::below(one, two, or_equal), interval::above(two, one, or_equal));
    let more = |or_equal: bool| both(interval::above(one, two, or_equal), interval::below(two, one, or_equal));
    let equal = interval::intersect(one, two).map(|common| (common, common));
    let unequal = both(
        if two.low == two.high { interval::without(one, two.low) } else { Some(one) },
        if one.low == one.high { interval::without(two, one.low) } else { Some(two) },
    );
    let (yes, no) = match operator {
        Operator::Equal => (equal, unequal),
        Operator::NotEqual => (unequal, equal),
        Operator::Less => (less(false), more(true)),
        Operator::LessEqual => (less(true), more(false)),
        Operator::Greater => (more(false), less(true)),
        _ => (more(true), less(false)),
    };
    // Where one side is an error nothing is known of the other. Of itself a fact may be kept: it is read as the error.
    let (left, right) = ((left.0, right.0.fallible), (right.0, left.0.fallible));
    let facts = |pair: Option<(Interval, Interval)>| -> Option<Facts> {
        let (one, two) = pair?;
        let fact = |((expr, other_fails), interval): ((&Expr, bool), Interval)| {
            if other_fails {
                return None;
            }
            Some((narrow::path_of(expr)?, Fact::values(Values::Int(interval))))
        };
        Some([(left, one), (right, two)].into_iter().filter_map(fact).collect())
    };
    Truth { yes: facts(yes), no: facts(no) }
}

fn both(left: Option<Interval>, right: Option<Interval>) -> Option<(Interval, Interval)> {
    Some((left?, right?))
}

fn has_order(ty: &Type) -> bool {
    matches!(ty, Type::Int(_) | Type::Decimal | Type::Duration | Type::Timestamp | Type::String(_) | Type::Enum(_))
}

fn operator(op: BinaryOp) -> Operator {
    match op {
        BinaryOp::Equal => Operator::Equal,
        BinaryOp::NotEqual => Operator::NotEqual,
        BinaryOp::Less => Operator::Less,
        BinaryOp::LessEqual => Operator::LessEqual,
        BinaryOp::Greater => Operator::Greater,
        _ => Operator::GreaterEqual,
    }
}

fn mirrored(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessEqual => Operator::GreaterEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterEqual => Operator::LessEqual,
        same => same,
    }
}

/// The operator as it is written.
pub(super) fn word(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Implies => "implies",
        BinaryOp::Or => "or",
        BinaryOp::And => "and",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEqual => ">=",
        BinaryOp::In => "in",
        BinaryOp::Contains => "contains",
        BinaryOp::ContainsAll => "contains_all",
        BinaryOp::ContainsAny => "contains_any",
        BinaryOp::StartsWith => "starts_with",
        BinaryOp::EndsWith => "ends_with",
        BinaryOp::StepsTo => "->",
        BinaryOp::Default => "??",
        BinaryOp::Union => "union",
        BinaryOp::Intersect => "intersect",
        BinaryOp::Except => "except",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
    }
}
