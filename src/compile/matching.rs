//! Tables and `match`: rows of patterns to tests and jumps.
//!
//! Rows are tried from the top, patterns from the left. A value that is an error is the result as soon as a pattern has
//! to look at it.

use crate::bytecode::op::{Op, Slot, U24};
use crate::compile::function::{Builder, Label};
use crate::compile::lower::Lowering;
use crate::types::ty::Type;
use crate::types::typed::{Const, Expr, Pattern};

/// A value that is matched.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column<'t> {
    pub(super) slot: Slot,
    pub(super) ty: &'t Type,
    pub(super) fails: bool,
}

/// From how many arms on a jump table is used.
const SWITCH_ARMS_MIN: usize = 4;

/// Puts the value of the first row that matches into the slot; whether it may be an error.
pub(super) fn rows<'a>(
    lowering: &mut Lowering<'a, '_>,
    b: &mut Builder,
    columns: &[Column<'_>],
    rows: &[(&'a [Pattern], &'a Expr)],
    dst: Slot,
) -> bool {
    let end = b.label();
    let failed: Vec<Label> = columns.iter().map(|_| b.label()).collect();
    let mut fails = columns.iter().any(|column| column.fails);
    if let ([column], true) = (columns, rows.len() >= SWITCH_ARMS_MIN)
        && let Type::Enum(of) = column.ty
        && let Some(plan) = switch_plan(lowering, of.0, rows)
    {
        fails |= switch(lowering, b, column, of.0, &plan, rows, failed[0], end, dst);
    } else {
        for (place, (patterns, value)) in rows.iter().enumerate() {
            let next = b.label();
            // The rows cover everything, so that the last one needs no test, unless it has to look for an error.
            let certain = place + 1 == rows.len() && columns.iter().all(|column| !column.fails);
            if !certain {
                for ((pattern, column), &failed) in patterns.iter().zip(columns).zip(&failed) {
                    test(lowering, b, pattern, column, failed, next);
                }
            }
            fails |= lowering.lower(b, value, dst);
            b.jump(end);
            b.place(next);
            if place + 1 == rows.len() && !certain {
                // Nobody comes here, but the instruction behind must be reached with a value.
                fails |= lowering.lower(b, value, dst);
                b.jump(end);
            }
        }
    }
    for (column, &failed) in columns.iter().zip(&failed) {
        b.place(failed);
        if column.fails {
            b.emit(Op::Raise { a: dst, b: column.slot });
            b.jump(end);
        }
    }
    b.place(end);
    fails
}

/// For each variant the row that it takes, if all patterns are made of variants.
fn switch_plan(lowering: &Lowering<'_, '_>, of: u32, rows: &[(&[Pattern], &Expr)]) -> Option<Vec<usize>> {
    let variants = lowering.policy.enums[of as usize].variants.len() as u32;
    (0..variants)
        .map(|variant| rows.iter().position(|(patterns, _)| takes(&patterns[0], variant) == Some(true)))
        .collect::<Option<Vec<usize>>>()
        .filter(|_| rows.iter().all(|(patterns, _)| takes(&patterns[0], 0).is_some()))
}

fn takes(pattern: &Pattern, variant: u32) -> Option<bool> {
    match pattern {
        Pattern::Any => Some(true),
        Pattern::Const(Const::Enum(_, own)) => Some(*own == variant),
        Pattern::Or(parts) => {
            let taken: Option<Vec<bool>> = parts.iter().map(|part| takes(part, variant)).collect();
            taken.map(|taken| taken.contains(&true))
        }
        Pattern::Const(_) | Pattern::Range(..) | Pattern::Present | Pattern::Absent => None,
    }
}

#[expect(clippy::too_many_arguments, reason = "the state of one match, used once")]
fn switch<'a>(
    lowering: &mut Lowering<'a, '_>,
    b: &mut Builder,
    column: &Column<'_>,
    of: u32,
    plan: &[usize],
    rows: &[(&'a [Pattern], &'a Expr)],
    failed: Label,
    end: Label,
    dst: Slot,
) -> bool {
    let labels: Vec<Label> = rows.iter().map(|_| b.label()).collect();
    let mut targets: Vec<Label> = plan.iter().map(|&row| labels[row]).collect();
    // A value that can't be an error has no need of a way for one: any will do.
    targets.push(if column.fails { failed } else { targets[0] });
    b.switch(lowering.pool, column.slot, of, &targets);
    let mut fails = false;
    for ((_, value), &label) in rows.iter().zip(&labels) {
        b.place(label);
        fails |= lowering.lower(b, value, dst);
        b.jump(end);
    }
    fails
}

/// Goes on if the pattern matches, jumps to `next` if it does not, to `failed` if the value is an error.
fn test(
    lowering: &mut Lowering<'_, '_>,
    b: &mut Builder,
    pattern: &Pattern,
    column: &Column<'_>,
    failed: Label,
    next: Label,
) {
    if matches!(pattern, Pattern::Any) {
        return;
    }
    if column.fails {
        b.jump_error(column.slot, failed);
    }
    let mark = b.mark();
    match pattern {
        Pattern::Or(parts) => {
            let (last, rest) = parts.split_last().expect("an or-pattern has parts");
            let matched = b.label();
            for part in rest {
                let other = b.label();
                let sound = Column { fails: false, ..*column };
                test(lowering, b, part, &sound, failed, other);
                b.jump(matched);
                b.place(other);
            }
            test(lowering, b, last, &Column { fails: false, ..*column }, failed, next);
            b.place(matched);
        }
        Pattern::Present => b.jump_absent(column.slot, next),
        Pattern::Absent => {
            let is = b.slot();
            b.emit(Op::IsPresent { a: is, b: column.slot });
            b.jump_true(is, next);
        }
        Pattern::Any => {}
        Pattern::Const(_) | Pattern::Range(..) => {
            let (slot, ty) = unwrapped(lowering, b, column, next);
            compare(lowering, b, pattern, slot, ty, next);
        }
    }
    b.release(mark);
}

/// The value of an optional, after a test that it is there.
fn unwrapped<'t>(
    lowering: &mut Lowering<'_, '_>,
    b: &mut Builder,
    column: &Column<'t>,
    next: Label,
) -> (Slot, &'t Type) {
    let Type::Optional(inner) = column.ty else { return (column.slot, column.ty) };
    b.jump_absent(column.slot, next);
    let slot = b.slot();
    let site = lowering.pool.site(crate::base::span::Span::default(), lowering.unit.instance);
    b.emit_failing(Op::Unwrap { a: slot, b: column.slot }, site);
    (slot, inner)
}

fn compare(lowering: &mut Lowering<'_, '_>, b: &mut Builder, pattern: &Pattern, slot: Slot, ty: &Type, next: Label) {
    let (is, bound) = (b.slot(), b.slot());
    match pattern {
        Pattern::Const(value) => {
            let k = lowering.pool.constant(value, ty);
            match U24::new(k.0) {
                Some(k) => b.emit(Op::EqualConst { a: is, b: slot, k }),
                None => {
                    b.emit(Op::Const { a: bound, k: k.0 });
                    b.emit(Op::Equal { a: is, b: slot, c: bound });
                }
            }
            b.jump_false(is, next);
        }
        Pattern::Range(low, high) => {
            if let Some(low) = low {
                lowering.constant(b, low, ty, bound);
                b.emit(Op::LessEqual { a: is, b: bound, c: slot });
                b.jump_false(is, next);
            }
            if let Some(high) = high {
                lowering.constant(b, high, ty, bound);
                b.emit(Op::LessEqual { a: is, b: slot, c: bound });
                b.jump_false(is, next);
            }
        }
        Pattern::Any | Pattern::Or(_) | Pattern::Present | Pattern::Absent => unreachable!("tested by `test`"),
    }
}
