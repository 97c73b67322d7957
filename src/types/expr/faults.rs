//! Faults that several kinds of expressions share.

use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic};
use crate::types::expr::Checked;
use crate::types::relate::show_interval;
use crate::types::ty::{Interval, Type};
use crate::types::typed::Const;
use crate::types::world::World;

/// An integer that does not fit its place.
pub fn out_of_range(span: Span, computed: Interval, allowed: Interval, constant: bool) -> Diagnostic {
    let allowed_text = show_interval(allowed);
    if constant {
        return Diagnostic::error(Code::OutOfRange, span, format!("{} is not in {allowed_text}", computed.low))
            .label("out of range");
    }
    let what = if computed == Interval::FULL { "any integer".to_owned() } else { show_interval(computed) };
    let fault =
        Diagnostic::error(Code::OutOfRange, span, format!("this can be {what}, and only {allowed_text} fits here"))
            .label("computed from the bounds of its parts");
    let mut ways = Vec::new();
    if computed.low < allowed.low {
        ways.push(format!("`max(…, {})`", allowed.low));
    }
    if computed.high > allowed.high {
        ways.push(format!("`min(…, {})`", allowed.high));
    }
    fault.help(format!("compare it with the bounds first, or use {}", ways.join(" and ")))
}

/// An Int where a Decimal is needed.
pub fn mixed_numbers(found: &Checked, message: &str) -> Diagnostic {
    let span = found.expr.span;
    let fault = Diagnostic::error(Code::MixedNumbers, span, format!("{message}, but this is an Int"));
    match found.value() {
        Some(Const::Int(value)) => {
            let text = format!("{value}.0");
            fault.label("an Int").help(format!("write `{text}`")).fix(span, text)
        }
        _ => fault.label("an Int").help("convert it: `decimal(…)`"),
    }
}

/// An operator that the operands do not have.
pub fn no_operator(world: &World, operator: &str, at: Span, operands: &[&Checked], needs: &str) -> Diagnostic {
    let types: Vec<String> =
        operands.iter().map(|operand| format!("`{}`", world.show_plain(&operand.expr.ty))).collect();
    let span = match operands {
        [only] => only.expr.span,
        _ => at,
    };
    let mut fault = Diagnostic::error(
        Code::NoSuchOperator,
        span,
        format!("`{operator}` can't be used with {}", types.join(" and ")),
    )
    .label(needs.to_owned());
    if let [left, right] = operands {
        for operand in [left, right] {
            fault = fault.secondary(operand.expr.span, format!("`{}`", world.show_plain(&operand.expr.ty)));
        }
    }
    fault
}

/// The type of an Int of one value.
pub fn exactly(value: i64) -> Type {
    Type::Int(Interval { low: value, high: value })
}
