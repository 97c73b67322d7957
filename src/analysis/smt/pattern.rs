//! Patterns as expressions of SMT-LIB, from their syntax and not from the automaton that `data::pattern` makes of it.

use easy_smt::SExpr;
use regex_syntax::hir::{Class, Hir, HirKind, Look};
use regex_syntax::utf8::Utf8Sequences;

use super::script::Script;
use crate::base::limits::NESTING_MAX;

/// How many runs of bytes a class of characters may take.
const RUNS_MAX: usize = 256;
/// How often something may be repeated.
const TIMES_MAX: u32 = 256;

/// The texts that the pattern matches as a whole; nothing if it has what can't be said, or is too large.
pub(super) fn expression(script: &Script<'_>, source: &str) -> Option<SExpr> {
    let limit = u32::try_from(4 * NESTING_MAX).ok()?;
    let hir = regex_syntax::ParserBuilder::new().nest_limit(limit).build().parse(source).ok()?;
    let HirKind::Concat(parts) = hir.kind() else { return said(script, &hir) };
    // That it begins and ends there says nothing of a whole text.
    let is = |part: &Hir, look: Look| matches!(part.kind(), HirKind::Look(other) if *other == look);
    let parts = match parts.split_first() {
        Some((first, behind)) if is(first, Look::Start) => behind,
        _ => parts,
    };
    let parts = match parts.split_last() {
        Some((last, before)) if is(last, Look::End) => before,
        _ => parts,
    };
    Some(script.chain(each(script, parts)?))
}

fn said(script: &Script<'_>, hir: &Hir) -> Option<SExpr> {
    Some(match hir.kind() {
        HirKind::Empty => script.exactly(b""),
        HirKind::Literal(literal) => script.exactly(&literal.0),
        HirKind::Class(Class::Bytes(class)) => {
            script.any_of(class.iter().map(|range| script.range(range.start(), range.end())).collect())
        }
        HirKind::Class(Class::Unicode(class)) => {
            let mut runs = Vec::new();
            for range in class.iter() {
                for run in Utf8Sequences::new(range.start(), range.end()) {
                    let bytes = run.as_slice().iter().map(|range| script.range(range.start, range.end));
                    runs.push(script.chain(bytes));
                }
                if runs.len() > RUNS_MAX {
                    return None;
                }
            }
            script.any_of(runs)
        }
        HirKind::Look(_) => return None,
        HirKind::Repetition(repetition) => {
            if repetition.min > TIMES_MAX || repetition.max.is_some_and(|max| max > TIMES_MAX) {
                return None;
            }
            let inner = said(script, &repetition.sub)?;
            script.times(inner, repetition.min.into(), repetition.max.map(u64::from))
        }
        HirKind::Capture(capture) => said(script, &capture.sub)?,
        HirKind::Concat(parts) => script.chain(each(script, parts)?),
        HirKind::Alternation(parts) => script.any_of(each(script, parts)?),
    })
}

fn each(script: &Script<'_>, parts: &[Hir]) -> Option<Vec<SExpr>> {
    parts.iter().map(|part| said(script, part)).collect()
}
