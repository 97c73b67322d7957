//! Logic and arithmetic; the other operators are sent to where they belong.

use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, BinaryOp, Literal, UnaryOp};
use crate::types::expr::compare::word;
use crate::types::expr::{Checked, Checker, faults};
use crate::types::interval::{self, Bounds};
use crate::types::narrow::Truth;
use crate::types::operator::Operator;
use crate::types::ty::Type;
use crate::types::typed::{Const, Expr, ExprKind};

impl Checker<'_, '_> {
    /// `a op b`; `at` is the operator.
    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        at: Span,
        span: Span,
        expected: Option<&Type>,
    ) -> Checked {
        match op {
            BinaryOp::And | BinaryOp::Or | BinaryOp::Implies => self.logic(op, left, right, span),
            BinaryOp::Equal
            | BinaryOp::NotEqual
            | BinaryOp::Less
            | BinaryOp::LessEqual
            | BinaryOp::Greater
            | BinaryOp::GreaterEqual => self.comparison(op, left, right, at, span),
            BinaryOp::In => self.member_of(left, right, at, span),
            BinaryOp::Contains => self.contains_one(left, right, at, span),
            BinaryOp::ContainsAll | BinaryOp::ContainsAny => self.contains_several(op, left, right, at, span),
            BinaryOp::StartsWith | BinaryOp::EndsWith => self.text_part(op, left, right, at, span),
            BinaryOp::StepsTo => self.steps_to(left, right, at, span),
            BinaryOp::Default => self.default(left, right, span, expected),
            BinaryOp::Union | BinaryOp::Intersect | BinaryOp::Except => self.sets(op, left, right, at, span, expected),
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => {
                self.arithmetic(op, left, right, at, span)
            }
        }
    }

    /// `not a`, `-a`
    pub(super) fn unary(&mut self, op: UnaryOp, inner: &ast::Expr, span: Span, expected: Option<&Type>) -> Checked {
        if op == UnaryOp::Not {
            let found = self.condition(inner);
            return self.negate(found, span);
        }
        // The least Int is no negated Int.
        if let ast::ExprKind::Literal(Literal::Int(text)) = &inner.kind
            && !text.starts_with('-')
        {
            return self.literal(&Literal::Int(format!("-{text}").into()), span, expected);
        }
        let found = self.infer(inner, expected);
        let found = self.present(found);
        match found.expr.ty {
            Type::Unknown => Checked::unknown(span),
            Type::Int(bounds) => {
                let Bounds { interval, may_overflow } = interval::negate(bounds);
                self.operate(Operator::IntNegate, vec![found.expr], Type::Int(interval), span, may_overflow)
            }
            Type::Decimal => self.operate(Operator::DecimalNegate, vec![found.expr], Type::Decimal, span, true),
            Type::Duration => self.operate(Operator::DurationNegate, vec![found.expr], Type::Duration, span, true),
            _ => {
                let fault = faults::no_operator(self.world(), "-", span, &[&found], "not a number");
                self.fail(fault)
            }
        }
    }

    fn logic(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr, span: Span) -> Checked {
        let left = self.condition(left);
        let facts = if op == BinaryOp::Or { left.truth.no.as_ref() } else { left.truth.yes.as_ref() };
        let right = self.under(facts, |checker| checker.condition(right));
        let unknown = left.is_unknown() || right.is_unknown();
        let (one, two) = (constant(&left), constant(&right));
        let truth = match op {
            BinaryOp::And => Truth::and(left.truth, right.truth),
            BinaryOp::Or => Truth::or(left.truth, right.truth),
            _ => Truth::and(left.truth, right.truth.negated()).negated(),
        };
        // What the other side says is known all the same.
        if unknown {
            return Checked { truth, ..Checked::unknown(span) };
        }
        // One side may decide alone, whatever the other is, or leave it to the other.
        let expr = match (op, one, two) {
            (BinaryOp::And, Some(false), _) | (BinaryOp::And, _, Some(false)) => return Checked::bool(false, span),
            (BinaryOp::Or, Some(true), _) | (BinaryOp::Or, _, Some(true)) => return Checked::bool(true, span),
            (BinaryOp::Implies, Some(false), _) | (BinaryOp::Implies, _, Some(true)) => {
                return Checked::bool(true, span);
            }
            (BinaryOp::And, Some(true), _) | (BinaryOp::Or, Some(false), _) | (BinaryOp::Implies, Some(true), _) => {
                right.expr
            }
            (BinaryOp::And, _, Some(true)) | (BinaryOp::Or, _, Some(false)) => left.expr,
            (BinaryOp::Implies, _, Some(false)) => {
                let fallible = left.expr.fallible;
                Expr { kind: ExprKind::Operator(Operator::Not, vec![left.expr]), ty: Type::Bool, span, fallible }
            }
            _ => {
                let operator = match op {
                    BinaryOp::And => Operator::And,
                    BinaryOp::Or => Operator::Or,
                    _ => Operator::Implies,
                };
                let fallible = left.expr.fallible || right.expr.fallible;
                let kind = ExprKind::Operator(operator, vec![left.expr, right.expr]);
                Expr { kind, ty: Type::Bool, span, fallible }
            }
        };
        Checked { expr, truth }
    }

    fn arithmetic(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr, at: Span, span: Span) -> Checked {
        let left = self.infer(left, None);
        let left = self.present(left);
        let right = self.infer(right, None);
        let right = self.present(right);
        if left.is_unknown() || right.is_unknown() {
            return Checked::unknown(span);
        }
        if op == BinaryOp::Divide {
            return self.divide(left, right, at, span);
        }
        if let (Type::Int(one), Type::Int(two)) = (&left.expr.ty, &right.expr.ty) {
            let (operator, Bounds { interval, may_overflow }) = match op {
                BinaryOp::Add => (Operator::IntAdd, interval::add(*one, *two)),
                BinaryOp::Subtract => (Operator::IntSubtract, interval::subtract(*one, *two)),
                _ => (Operator::IntMultiply, interval::multiply(*one, *two)),
            };
            return self.operate(operator, vec![left.expr, right.expr], Type::Int(interval), span, may_overflow);
        }
        use Operator as Op;
        let (operator, ty) = match (op, &left.expr.ty, &right.expr.ty) {
            (BinaryOp::Add, Type::Decimal, Type::Decimal) => (Op::DecimalAdd, Type::Decimal),
            (BinaryOp::Subtract, Type::Decimal, Type::Decimal) => (Op::DecimalSubtract, Type::Decimal),
            (BinaryOp::Multiply, Type::Decimal, Type::Decimal) => (Op::DecimalMultiply, Type::Decimal),
            (BinaryOp::Add, Type::Duration, Type::Duration) => (Op::DurationAdd, Type::Duration),
            (BinaryOp::Subtract, Type::Duration, Type::Duration) => (Op::DurationSubtract, Type::Duration),
            (BinaryOp::Multiply, Type::Duration, Type::Int(_)) => (Op::DurationMultiply, Type::Duration),
            (BinaryOp::Multiply, Type::Int(_), Type::Duration) => {
                return self.operate(Op::DurationMultiply, vec![right.expr, left.expr], Type::Duration, span, true);
            }
            (BinaryOp::Add, Type::Timestamp, Type::Duration) => (Op::TimestampAdd, Type::Timestamp),
            (BinaryOp::Add, Type::Duration, Type::Timestamp) => {
                return self.operate(Op::TimestampAdd, vec![right.expr, left.expr], Type::Timestamp, span, true);
            }
            (BinaryOp::Subtract, Type::Timestamp, Type::Duration) => (Op::TimestampSubtract, Type::Timestamp),
            (BinaryOp::Subtract, Type::Timestamp, Type::Timestamp) => {
                // The difference of two moments always fits.
                let operands = vec![left.expr, right.expr];
                return self.operate(Op::TimestampDifference, operands, Type::Duration, span, false);
            }
            _ => return self.no_arithmetic(op, &left, &right, at),
        };
        self.operate(operator, vec![left.expr, right.expr], ty, span, true)
    }

    fn no_arithmetic(&mut self, op: BinaryOp, left: &Checked, right: &Checked, at: Span) -> Checked {
        let fault = match (&left.expr.ty, &right.expr.ty) {
            (Type::Int(_), Type::Decimal) => faults::mixed_numbers(left, "the other side is a Decimal"),
            (Type::Decimal, Type::Int(_)) => faults::mixed_numbers(right, "the other side is a Decimal"),
            (one, two) => {
                let fault =
                    faults::no_operator(self.world(), word(op), at, &[left, right], "not known for these types");
                match (one, two) {
                    (Type::String(_), Type::String(_)) => {
                        fault.help("strings can't be joined; a message puts values into text: `because \"{…}\"`")
                    }
                    (Type::Set(..), Type::Set(..)) => fault.help("use `union`, `intersect` or `except`"),
                    _ => fault,
                }
            }
        };
        self.fail(fault)
    }

    fn divide(&mut self, left: Checked, right: Checked, at: Span, span: Span) -> Checked {
        let numbers = |ty: &Type| matches!(ty, Type::Int(_) | Type::Decimal);
        if !numbers(&left.expr.ty)
            || left.expr.ty == Type::Decimal && !numbers(&right.expr.ty)
            || !numbers(&right.expr.ty)
        {
            return self.no_arithmetic(BinaryOp::Divide, &left, &right, at);
        }
        if matches!((&left.expr.ty, &right.expr.ty), (Type::Int(_), Type::Decimal) | (Type::Decimal, Type::Int(_))) {
            return self.no_arithmetic(BinaryOp::Divide, &left, &right, at);
        }
        let zero = match right.value() {
            Some(Const::Int(value)) => *value == 0,
            Some(Const::Decimal(value)) => value.0 == 0,
            _ => {
                return self.fail(
                    Diagnostic::error(Code::DivisorNotConstant, right.expr.span, "only a constant can be divided by")
                        .label("may be zero in some request")
                        .help("multiply the other side of the comparison instead: `a > b * c` for `a / b > c`"),
                );
            }
        };
        if zero {
            return self.fail(
                Diagnostic::error(Code::CannotCalculate, right.expr.span, "nothing can be divided by zero")
                    .label("zero"),
            );
        }
        match (&left.expr.ty, right.value()) {
            (Type::Int(bounds), Some(Const::Int(divisor))) => {
                let Bounds { interval, may_overflow } = interval::divide(*bounds, *divisor);
                let operands = vec![left.expr, right.expr];
                self.operate(Operator::IntDivide, operands, Type::Int(interval), span, may_overflow)
            }
            _ => self.operate(Operator::DecimalDivide, vec![left.expr, right.expr], Type::Decimal, span, true),
        }
    }
}

fn constant(found: &Checked) -> Option<bool> {
    match found.value() {
        Some(Const::Bool(value)) => Some(*value),
        _ => None,
    }
}
