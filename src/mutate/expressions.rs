//! The points of expressions.

use std::sync::Arc;

use crate::base::span::Span;
use crate::mutate::constants::{Place, neighbours};
use crate::mutate::rows::{RowChange, Rows};
use crate::mutate::show;
use crate::mutate::{Change, Item, Kind, Point};
use crate::types::operator::Operator;
use crate::types::ty::{Interval, Type};
use crate::types::typed::{Const, Expr, ExprKind, Quantifier, TypedPolicy};

/// What stands around an expression.
#[derive(Clone)]
pub(super) struct Around {
    /// It is a whole condition of a rule or an invariant.
    condition: bool,
    /// It is the result of a row or an arm.
    row: bool,
    /// The integers that may stand here.
    interval: Interval,
    /// In which arms of a `match` it stands: `in the arm `a`: `.
    arms: Arc<str>,
    /// `not` stands before it.
    negated: bool,
    /// It is compared, with this operator if it is on the right, with an Int of this interval.
    compared: Option<(Operator, Option<Interval>)>,
}

impl Around {
    /// Nothing that matters.
    pub(super) fn nothing() -> Around {
        Around {
            condition: false,
            row: false,
            interval: Interval::FULL,
            arms: Arc::from(""),
            negated: false,
            compared: None,
        }
    }

    /// The condition of a rule or an invariant.
    pub(super) fn condition() -> Around {
        Around { condition: true, ..Around::nothing() }
    }

    /// A place for values of a type.
    pub(super) fn of_type(ty: &Type) -> Around {
        Around::within(interval(ty))
    }

    /// A place for integers of an interval.
    pub(super) fn within(interval: Interval) -> Around {
        Around { interval, ..Around::nothing() }
    }

    /// The result of a row.
    pub(super) fn row(ty: &Type) -> Around {
        Around { row: true, ..Around::of_type(ty) }
    }
}

fn interval(ty: &Type) -> Interval {
    match ty {
        Type::Int(interval) => *interval,
        _ => Interval::FULL,
    }
}

/// Goes through the expressions of one item, in the order of `walk`.
pub(super) struct Expressions<'p, 'o> {
    pub(super) policy: &'p TypedPolicy,
    pub(super) item: Item,
    /// What the names begin with.
    pub(super) path: Arc<str>,
    /// The number of the next expression.
    pub(super) next: u32,
    pub(super) points: &'o mut Vec<Point>,
}

impl<'p> Expressions<'p, '_> {
    /// Adds the points of an expression and of everything below.
    pub(super) fn visit(&mut self, expr: &'p Expr, around: &Around) {
        let at = At { number: self.next, arms: around.arms.clone() };
        self.next += 1;
        self.own(expr, around, &at);
        for (place, part) in expr.parts().into_iter().enumerate() {
            let around = self.around(expr, place, around);
            self.visit(part, &around);
        }
    }

    fn around(&self, expr: &'p Expr, place: usize, around: &Around) -> Around {
        let inner = Around { arms: around.arms.clone(), ..Around::nothing() };
        match &expr.kind {
            ExprKind::Operator(Operator::Not, _) => Around { negated: true, ..inner },
            ExprKind::Operator(operator, operands) if is_comparison(*operator) => {
                let other = &operands[1 - place];
                let of = if let Type::Int(interval) = other.ty { Some(interval) } else { None };
                let seen = if place == 1 { *operator } else { turned(*operator) };
                Around { compared: Some((seen, of)), ..inner }
            }
            ExprKind::Call(function, _) => {
                let parameter = &self.policy.functions[function.index()].parameters[place];
                Around { interval: interval(&parameter.ty), ..inner }
            }
            ExprKind::Record(record, _) => {
                let field = &self.policy.records[record.index()].fields[place];
                Around { interval: interval(&field.ty), ..inner }
            }
            ExprKind::If(..) if place > 0 => Around { interval: around.interval, row: around.row, ..inner },
            ExprKind::Default(..) if place > 0 => Around { interval: around.interval, ..inner },
            ExprKind::Match(_, arms) if place > 0 => {
                let arm = show::pattern(self.policy, &arms[place - 1].0);
                let arms = format!("{}in the arm `{arm}` ", around.arms).into();
                Around { interval: around.interval, row: true, arms, ..inner }
            }
            _ => inner,
        }
    }

    fn own(&mut self, expr: &'p Expr, around: &Around, at: &At) {
        let is_leaf = match &expr.kind {
            ExprKind::Const(value) => {
                self.constant(expr, value, around, at);
                false
            }
            ExprKind::Operator(operator, operands) => self.operator(expr, *operator, operands, around, at),
            ExprKind::Default(_, default) => {
                let what = becomes(&self.text(expr), &self.text(default));
                self.add(Kind::Default, expr.span, what, with(expr, default.kind.clone()), at);
                false
            }
            ExprKind::If(condition, yes, no) => {
                let what = format!("the branches of `if {}` are swapped", self.text(condition));
                let kind = ExprKind::If(condition.clone(), no.clone(), yes.clone());
                self.add(Kind::Branch, condition.span, what, with(expr, kind), at);
                false
            }
            ExprKind::Match(scrutinee, arms) => {
                self.arms(expr, scrutinee, arms, at);
                false
            }
            ExprKind::Quantifier(quantifier, local, over, body) => {
                let other = match quantifier {
                    Quantifier::Any => Some((Quantifier::All, "`any` becomes `all`")),
                    Quantifier::All => Some((Quantifier::Any, "`all` becomes `any`")),
                    Quantifier::Count => None,
                };
                if let Some((other, words)) = other {
                    let what = format!("{words} in `{}`", self.text(expr));
                    let kind = ExprKind::Quantifier(other, *local, over.clone(), body.clone());
                    self.add(Kind::Quantifier, expr.span, what, with(expr, kind), at);
                }
                true
            }
            ExprKind::Call(function, arguments) => {
                self.swapped(expr, *function, arguments, at);
                true
            }
            ExprKind::Set(items) => {
                self.dropped_items(expr, items, &|items| ExprKind::Set(items), at);
                false
            }
            ExprKind::List(items) => {
                self.dropped_items(expr, items, &|items| ExprKind::List(items), at);
                false
            }
            ExprKind::Map(_) | ExprKind::Record(..) => false,
            ExprKind::Local(_)
            | ExprKind::Parameter(_)
            | ExprKind::Subject
            | ExprKind::Resource
            | ExprKind::Context(_)
            | ExprKind::ActionName
            | ExprKind::Attribute(..)
            | ExprKind::Field(..)
            | ExprKind::Matches(..)
            | ExprKind::IsPresent(_)
            | ExprKind::Narrowed(_)
            | ExprKind::IsType(..)
            | ExprKind::StepsTo(..)
            | ExprKind::Acyclic(..) => true,
        };
        if is_leaf && expr.ty == Type::Bool && !around.negated {
            self.negated(expr, at);
        } else if around.condition && is_compound(expr) {
            self.add(Kind::Condition, expr.span, "the condition is negated".to_owned(), not(expr), at);
        }
    }

    fn negated(&mut self, expr: &'p Expr, at: &At) {
        let text = self.text(expr);
        let what = format!("`{text}` becomes `not {}`", in_parentheses(&text));
        self.add(Kind::Condition, expr.span, what, not(expr), at);
    }

    /// Whether it is a question that can be negated, and was not.
    fn operator(&mut self, expr: &'p Expr, operator: Operator, operands: &'p [Expr], around: &Around, at: &At) -> bool {
        match operator {
            Operator::And | Operator::Or | Operator::Implies => {
                self.connective(expr, operator, operands, at);
                false
            }
            Operator::Not => {
                let inner = &operands[0];
                let text = self.text(inner);
                let what = format!("`not {}` becomes `{text}`", in_parentheses(&text));
                self.add(Kind::Condition, inner.span, what, inner.clone(), at);
                false
            }
            _ if is_comparison(operator) => {
                self.comparison(expr, operator, operands, around, at);
                // Negated it is another comparison.
                false
            }
            _ => {
                self.arithmetic(expr, operator, operands, at);
                true
            }
        }
    }

    fn connective(&mut self, expr: &'p Expr, operator: Operator, operands: &'p [Expr], at: &At) {
        let (left, right) = (&operands[0], &operands[1]);
        let is_same = |part: &Expr| matches!(part.kind, ExprKind::Operator(inner, _) if inner == operator);
        // Of a longer chain each part is dropped by itself.
        if !is_same(left) || operator == Operator::Implies {
            let what = format!("`{}` is dropped", self.text(left));
            self.add(Kind::Condition, left.span, what, right.clone(), at);
        }
        if !is_same(right) || operator == Operator::Implies {
            let what = format!("`{}` is dropped", self.text(right));
            let rest = if operator == Operator::Implies { not(left) } else { left.clone() };
            self.add(Kind::Condition, right.span, what, rest, at);
        }
        let (word, other, other_word) = match operator {
            Operator::And => ("and", Operator::Or, "or"),
            Operator::Or => ("or", Operator::And, "and"),
            _ => ("implies", Operator::And, "and"),
        };
        let what = format!("`{word} {}` becomes `{other_word} …`", self.text(right));
        let kind = ExprKind::Operator(other, operands.to_vec());
        self.add(Kind::Condition, right.span, what, with(expr, kind), at);
    }

    fn comparison(&mut self, expr: &'p Expr, operator: Operator, operands: &'p [Expr], around: &Around, at: &At) {
        let (left, right) = (self.text(&operands[0]), self.text(&operands[1]));
        let (moved, negated) = match operator {
            Operator::Less => (Some(Operator::LessEqual), Operator::GreaterEqual),
            Operator::LessEqual => (Some(Operator::Less), Operator::Greater),
            Operator::Greater => (Some(Operator::GreaterEqual), Operator::LessEqual),
            Operator::GreaterEqual => (Some(Operator::Greater), Operator::Less),
            Operator::Equal => (None, Operator::NotEqual),
            _ => (None, Operator::Equal),
        };
        let is_same = |other: Operator| match (&operands[0].ty, &operands[1].kind) {
            (Type::Int(interval), ExprKind::Const(Const::Int(bound))) => {
                holds(operator, *interval, *bound) == holds(other, *interval, *bound)
            }
            _ => false,
        };
        let negated = (!around.negated).then_some(negated);
        for other in [moved, negated].into_iter().flatten().filter(|&other| !is_same(other)) {
            let what =
                becomes(&format!("{left} {} {right}", sign(operator)), &format!("{left} {} {right}", sign(other)));
            let kind = ExprKind::Operator(other, operands.to_vec());
            self.add(Kind::Comparison, expr.span, what, with(expr, kind), at);
        }
    }

    fn arithmetic(&mut self, expr: &'p Expr, operator: Operator, operands: &'p [Expr], at: &At) {
        use Operator as O;
        let other = match operator {
            O::IntAdd => O::IntSubtract,
            O::IntSubtract => O::IntAdd,
            O::IntMin => O::IntMax,
            O::IntMax => O::IntMin,
            O::DecimalAdd => O::DecimalSubtract,
            O::DecimalSubtract => O::DecimalAdd,
            O::DecimalMin => O::DecimalMax,
            O::DecimalMax => O::DecimalMin,
            O::DurationAdd => O::DurationSubtract,
            O::DurationSubtract => O::DurationAdd,
            O::TimestampAdd => O::TimestampSubtract,
            O::TimestampSubtract => O::TimestampAdd,
            O::ContainsAll => O::ContainsAny,
            O::ContainsAny => O::ContainsAll,
            O::IntMultiply
            | O::IntDivide
            | O::IntNegate
            | O::IntAbs
            | O::DecimalMultiply
            | O::DecimalDivide
            | O::DecimalNegate
            | O::DecimalAbs
            | O::DurationMultiply
            | O::DurationNegate
            | O::SetUnion
            | O::SetIntersect
            | O::SetExcept => {
                let what = becomes(&self.text(expr), &self.text(&operands[0]));
                self.add(Kind::Arithmetic, expr.span, what, operands[0].clone(), at);
                return;
            }
            O::TimestampDifference => {
                let (one, other) = (&operands[0], &operands[1]);
                let what = becomes(&self.text(expr), &format!("{} - {}", self.text(other), self.text(one)));
                let kind = ExprKind::Operator(operator, vec![other.clone(), one.clone()]);
                self.add(Kind::Arithmetic, expr.span, what, with(expr, kind), at);
                return;
            }
            _ => return,
        };
        let what = format!("{} in `{}`", becomes(word(operator), word(other)), self.text(expr));
        self.add(Kind::Arithmetic, expr.span, what, with(expr, ExprKind::Operator(other, operands.to_vec())), at);
    }

    fn swapped(&mut self, expr: &'p Expr, function: crate::types::typed::FunctionId, arguments: &'p [Expr], at: &At) {
        let parameters = &self.policy.functions[function.index()].parameters;
        for one in 0..arguments.len() {
            for other in one + 1..arguments.len() {
                let (first, second) = (self.text(&arguments[one]), self.text(&arguments[other]));
                if parameters[one].ty != parameters[other].ty || first == second {
                    continue;
                }
                let mut swapped = arguments.to_vec();
                swapped.swap(one, other);
                let what = format!("`{first}` and `{second}` are swapped in `{}`", self.text(expr));
                self.add(Kind::Argument, expr.span, what, with(expr, ExprKind::Call(function, swapped)), at);
            }
        }
    }

    fn dropped_items(&mut self, expr: &'p Expr, items: &'p [Expr], make: &dyn Fn(Vec<Expr>) -> ExprKind, at: &At) {
        for (place, item) in items.iter().enumerate().filter(|_| items.len() > 1) {
            let mut left = items.to_vec();
            left.remove(place);
            let what = format!("the element `{}` is dropped", self.text(item));
            self.add(Kind::Constant, item.span, what, with(expr, make(left)), at);
        }
    }

    fn arms(&mut self, expr: &'p Expr, scrutinee: &'p Expr, arms: &'p [(crate::types::typed::Pattern, Expr)], at: &At) {
        let patterns = arms.iter().map(|(pattern, _)| vec![pattern.clone()]).collect();
        let values = arms.iter().map(|(_, value)| value).collect();
        let rows = Rows::new(self.policy, std::iter::once(&scrutinee.ty), patterns, values);
        for (place, (pattern, value)) in arms.iter().enumerate() {
            let name = show::pattern(self.policy, pattern);
            for change in rows.changes(place) {
                let mut arms = arms.to_vec();
                let (kind, what) = match change {
                    RowChange::Removed => {
                        arms.remove(place);
                        (Kind::Row, format!("the arm `{name}` is removed"))
                    }
                    RowChange::Pattern(_, pattern, what) => {
                        arms[place].0 = *pattern;
                        (Kind::Pattern, format!("in the arm `{name}` {what}"))
                    }
                };
                self.add(kind, value.span, what, with(expr, ExprKind::Match(Box::new(scrutinee.clone()), arms)), at);
            }
        }
    }

    fn constant(&mut self, expr: &'p Expr, value: &Const, around: &Around, at: &At) {
        // A rule without a condition has a constant one.
        if around.condition {
            return;
        }
        let ordered = matches!(around.compared, Some((operator, _)) if !is_equality(operator));
        let place = Place { interval: around.interval, ordered };
        let kind = if around.row { Kind::Row } else { Kind::Constant };
        let is_same = |other: &Const| match (around.compared, value, other) {
            (Some((operator, Some(interval))), Const::Int(bound), Const::Int(other)) => {
                holds(operator, interval, *bound) == holds(operator, interval, *other)
            }
            _ => false,
        };
        for neighbour in neighbours(self.policy, value, place) {
            let (other, what) = neighbour.told(self.policy, value);
            if !is_same(&other) {
                self.add(kind, expr.span, what, with(expr, ExprKind::Const(other)), at);
            }
        }
    }

    fn add(&mut self, kind: Kind, span: Span, what: String, expr: Expr, at: &At) {
        self.points.push(Point {
            path: self.path.clone(),
            what: format!("{}{what}", at.arms),
            kind,
            span,
            change: Change::Expr(self.item, at.number, Box::new(expr)),
        });
    }

    /// How the source has it; a constant by its value, whatever the source calls it.
    fn text(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Const(value) => show::value(self.policy, value),
            _ => show::source(self.policy, expr.span),
        }
    }
}

/// Where a point is.
struct At {
    number: u32,
    arms: Arc<str>,
}

fn becomes(from: &str, to: &str) -> String {
    format!("`{from}` becomes `{to}`")
}

fn with(expr: &Expr, kind: ExprKind) -> Expr {
    Expr { kind, ..expr.clone() }
}

fn not(expr: &Expr) -> Expr {
    with(expr, ExprKind::Operator(Operator::Not, vec![expr.clone()]))
}

/// Whether it is a condition that no other point negates.
fn is_compound(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Operator(Operator::And | Operator::Or | Operator::Implies, _)
            | ExprKind::If(..)
            | ExprKind::Match(..)
    )
}

/// In parentheses, if `not` before it would take in only a part.
fn in_parentheses(text: &str) -> String {
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    let is_open = text.chars().any(|c| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            ' ' if !quoted && depth == 0 => return true,
            _ => {}
        }
        false
    });
    if is_open { format!("({text})") } else { text.to_owned() }
}

fn is_comparison(operator: Operator) -> bool {
    is_equality(operator)
        || matches!(operator, Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual)
}

fn is_equality(operator: Operator) -> bool {
    matches!(operator, Operator::Equal | Operator::NotEqual)
}

/// The comparison with its sides the other way round.
fn turned(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessEqual => Operator::GreaterEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterEqual => Operator::LessEqual,
        other => other,
    }
}

/// For which integers of an interval a comparison with a bound holds: from, to, and whether those or all others.
fn holds(operator: Operator, of: Interval, bound: i64) -> (Option<(i64, i64)>, bool) {
    let (bound, low, high) = (i128::from(bound), i128::from(of.low), i128::from(of.high));
    let (from, to, is) = match operator {
        Operator::Less => (low, bound - 1, true),
        Operator::LessEqual => (low, bound, true),
        Operator::Greater => (bound + 1, high, true),
        Operator::GreaterEqual => (bound, high, true),
        Operator::Equal => (bound, bound, true),
        _ => (bound, bound, false),
    };
    let (from, to) = (from.max(low), to.min(high));
    ((from <= to).then_some((from as i64, to as i64)), is)
}

fn sign(operator: Operator) -> &'static str {
    match operator {
        Operator::Less => "<",
        Operator::LessEqual => "<=",
        Operator::Greater => ">",
        Operator::GreaterEqual => ">=",
        Operator::Equal => "==",
        _ => "!=",
    }
}

fn word(operator: Operator) -> &'static str {
    use Operator as O;
    match operator {
        O::IntAdd | O::DecimalAdd | O::DurationAdd | O::TimestampAdd => "+",
        O::IntSubtract | O::DecimalSubtract | O::DurationSubtract | O::TimestampSubtract => "-",
        O::IntMin | O::DecimalMin => "min",
        O::IntMax | O::DecimalMax => "max",
        O::ContainsAll => "contains_all",
        _ => "contains_any",
    }
}
