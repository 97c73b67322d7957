//! The conditions that a policy is made of: what has no `and`, `or`, `not` in it. They are what people read, so regions
//! of requests are said in them.

use std::cmp::Ordering;

use super::{Encoder, Val};
use crate::analysis::display;
use crate::analysis::formula::F;
use crate::data::decimal::Decimal;
use crate::data::duration::{Duration, Shown};
use crate::data::timestamp::Timestamp;
use crate::types::operator::Operator;
use crate::types::ty::Type;
use crate::types::typed::{Const, Expr, ExprKind, LocalId, Pattern, TypedPolicy};

/// A condition without parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// As it is written in PDL, with what names stand for in their place.
    pub text: String,
    /// Its opposite, likewise.
    pub negated: String,
    /// When it is true.
    pub yes: F,
    /// When it is false.
    pub no: F,
    /// What has to hold for it to be read at all: `x is present`.
    pub presumes: Vec<String>,
    /// Of a comparison of a number with a constant.
    pub bound: Option<Bound>,
}

/// A comparison of a number with a constant: below (`Less`), above (`Greater`) or exactly it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// What is compared, as PDL.
    pub term: String,
    /// How.
    pub order: Ordering,
    /// With what, in the units of its type.
    pub value: i128,
    /// The constant itself is left out.
    pub strict: bool,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    One,
    Millionth,
    Millisecond,
    Time,
}

impl Bound {
    /// Of an `Int`.
    #[must_use]
    pub fn whole(term: &str, order: Ordering, value: i128) -> Bound {
        Bound { term: term.to_owned(), order, value, strict: false, unit: Unit::One }
    }

    /// A value as PDL.
    #[must_use]
    pub fn show(&self, value: i128) -> String {
        let value = i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
        match self.unit {
            Unit::One => value.to_string(),
            Unit::Millionth => {
                let text = Decimal(value).to_string();
                if text.contains('.') { text } else { format!("{text}.0") }
            }
            Unit::Millisecond => Shown(Duration(value)).to_string(),
            Unit::Time => {
                format!("timestamp\"{}\"", Timestamp::from_millis(value).unwrap_or(Timestamp::EPOCH))
            }
        }
    }
}

impl<'a> Encoder<'_, 'a> {
    /// Notes a condition that has no conditions as parts.
    pub(super) fn note(&mut self, expr: &Expr, value: &Val) {
        if self.quiet > 0 || !matches!(expr.ty, Type::Bool) || !is_leaf(expr) {
            return;
        }
        let truth = self.truth(value);
        let constant = matches!(truth.yes, F::TRUE | F::FALSE) && truth.error == F::FALSE;
        if constant || self.is_noted(truth.yes, truth.no) {
            return;
        }
        if self.spell_out(expr) {
            return;
        }
        let bound = self.bound(expr);
        let text = self.shown(expr);
        let negated = self.opposite(expr).unwrap_or_else(|| negated(&text));
        let presumes = self.shown_with(expr, display::presumed);
        self.leaves.push(Leaf { text, negated, yes: truth.yes, no: truth.no, presumes, bound });
    }

    fn is_noted(&self, yes: F, no: F) -> bool {
        self.leaves.iter().any(|leaf| (leaf.yes == yes && leaf.no == no) || (leaf.yes == no && leaf.no == yes))
    }

    /// Notes what a pattern asks of a value that is written so.
    pub(super) fn note_pattern(&mut self, pattern: &Pattern, text: Option<&str>, fits: F) {
        let Some(text) = text else { return };
        if self.quiet > 0 || matches!(fits, F::TRUE | F::FALSE) || self.is_noted(fits, !fits) {
            return;
        }
        let show = |value: &Const| display::constant(self.policy, value);
        let text = match pattern {
            Pattern::Any | Pattern::Or(_) => return,
            Pattern::Const(value) => format!("{text} == {}", show(value)),
            Pattern::Present => format!("{text} is present"),
            Pattern::Absent => format!("{text} is absent"),
            Pattern::Range(Some(low), Some(high)) => format!("{text} >= {} and {text} <= {}", show(low), show(high)),
            Pattern::Range(Some(low), None) => format!("{text} >= {}", show(low)),
            Pattern::Range(None, Some(high)) => format!("{text} <= {}", show(high)),
            Pattern::Range(None, None) => return,
        };
        let negated = negated(&text);
        self.leaves.push(Leaf { text, negated, yes: fits, no: !fits, presumes: Vec::new(), bound: None });
    }

    /// The opposite of a comparison is a comparison.
    pub(super) fn opposite(&self, expr: &Expr) -> Option<String> {
        if let ExprKind::IsPresent(of) = &expr.kind {
            return Some(format!("{} is absent", self.shown_as_operand(of)));
        }
        let ExprKind::Operator(operator, operands) = &expr.kind else { return None };
        let operator = match operator {
            Operator::Equal => Operator::NotEqual,
            Operator::NotEqual => Operator::Equal,
            Operator::Less => Operator::GreaterEqual,
            Operator::LessEqual => Operator::Greater,
            Operator::Greater => Operator::LessEqual,
            Operator::GreaterEqual => Operator::Less,
            _ => return None,
        };
        let kind = ExprKind::Operator(operator, operands.clone());
        Some(self.shown(&Expr { kind, ty: Type::Bool, span: expr.span, fallible: expr.fallible }))
    }

    /// What a comparison with a constant says.
    fn bound(&self, expr: &Expr) -> Option<Bound> {
        let ExprKind::Operator(operator, operands) = &expr.kind else { return None };
        let [one, other] = &operands[..] else { return None };
        let constant = |expr: &Expr| match &expr.kind {
            ExprKind::Const(value) => number(value),
            ExprKind::Parameter(id) => number(self.policy.instances.get(self.instance)?.arguments.get(id.index())?),
            _ => None,
        };
        let (term, (value, unit), turned) = match (constant(one), constant(other)) {
            (None, Some(value)) => (one, value, false),
            (Some(value), None) => (other, value, true),
            _ => return None,
        };
        let (order, strict) = match (operator, turned) {
            (Operator::Equal, _) => (Ordering::Equal, false),
            (Operator::LessEqual, false) | (Operator::GreaterEqual, true) => (Ordering::Less, false),
            (Operator::Less, false) | (Operator::Greater, true) => (Ordering::Less, true),
            (Operator::GreaterEqual, false) | (Operator::LessEqual, true) => (Ordering::Greater, false),
            (Operator::Greater, false) | (Operator::Less, true) => (Ordering::Greater, true),
            _ => return None,
        };
        Some(Bound { term: self.shown_as_operand(term), order, value, strict, unit })
    }

    /// As a side of a comparison.
    fn shown_as_operand(&self, expr: &Expr) -> String {
        self.shown_with(expr, display::operand)
    }

    /// An expression as PDL.
    pub fn shown(&self, expr: &Expr) -> String {
        self.shown_with(expr, display::expression)
    }

    fn shown_with<T>(&self, expr: &Expr, display: Display<T>) -> T {
        let arguments = &self.policy.instances[self.instance].arguments;
        display(self.policy, arguments, expr, &|local| {
            let named = self.names.get(&local).cloned();
            named.or_else(|| self.lets.get(&local).map(|value| self.shown(value)))
        })
    }
}

/// One of the ways to write an expression.
type Display<T> = fn(&TypedPolicy, &[Const], &Expr, &dyn Fn(LocalId) -> Option<String>) -> T;

/// The opposite of a condition that has no simpler one.
#[must_use]
pub fn negated(text: &str) -> String {
    let one = !text.contains(' ') || ["any(", "all(", "acyclic(", "before("].iter().any(|word| is_call(word, text));
    if !one { format!("not ({text})") } else { format!("not {text}") }
}

/// Whether a text begins with this and the parenthesis that it opens is closed by the last character.
fn is_call(word: &str, text: &str) -> bool {
    let Some(inside) = text.strip_prefix(word) else { return false };
    let mut open = 1_usize;
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => open += 1,
            ')' if !quoted => open -= 1,
            _ => {}
        }
        if open == 0 {
            return at + 1 == inside.len();
        }
    }
    false
}

fn number(value: &Const) -> Option<(i128, Unit)> {
    match value {
        Const::Int(value) => Some(((*value).into(), Unit::One)),
        Const::Decimal(value) => Some((value.0.into(), Unit::Millionth)),
        Const::Duration(value) => Some((value.0.into(), Unit::Millisecond)),
        Const::Timestamp(value) => Some((value.millis().into(), Unit::Time)),
        _ => None,
    }
}

fn is_leaf(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Const(_)
        | ExprKind::Parameter(_)
        | ExprKind::Local(_)
        | ExprKind::If(..)
        | ExprKind::Match(..)
        | ExprKind::Default(..)
        | ExprKind::Narrowed(_)
        | ExprKind::Call(..) => false,
        ExprKind::Operator(operator, operands) => match operator {
            Operator::And | Operator::Or | Operator::Implies | Operator::Not => false,
            // `a == b` of two conditions has parts.
            Operator::Equal | Operator::NotEqual => !operands.iter().any(|operand| matches!(operand.ty, Type::Bool)),
            _ => true,
        },
        _ => true,
    }
}
