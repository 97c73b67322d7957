//! What a test expects of a gate: who is asked, how many, until when, and whom next.

use super::Scope;
use crate::base::span::Span;
use crate::data::duration::Duration;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, ClauseKind};
use crate::types::bodies::evaluate_constant;
use crate::types::policies::clauses;
use crate::types::ty::{Interval, Type};
use crate::types::typed::{Answer, Const, EntityTypeId, GateExpect, GroupExpect};

/// An `expect` line, as far as it is about a gate.
#[derive(Clone, Copy, Debug)]
pub struct Gate<'a> {
    /// The line.
    pub written: &'a ast::Expect,
    /// The answer that it expects.
    pub answer: Answer,
    /// Whether the rule that it names first has a gate; true where it names none.
    pub has_gate: bool,
}

impl Gate<'_> {
    /// How many have to agree.
    pub fn quorum(self, scope: &Scope<'_>, sink: &mut Diagnostics) -> Option<i64> {
        let expr = self.written.quorum.as_ref()?;
        if !self.is_there("quorum", expr.span, sink) {
            return None;
        }
        let at_least_one = Type::Int(Interval { low: 1, high: i64::MAX });
        match evaluate_constant(scope.world, scope.module, &[], expr, Some(&at_least_one), sink) {
            Some((_, Const::Int(quorum))) => Some(quorum),
            _ => None,
        }
    }

    /// Everything else.
    pub fn gate(self, scope: &Scope<'_>, sink: &mut Diagnostics) -> GateExpect {
        let mut gate = GateExpect::default();
        let mut seen: Vec<&str> = Vec::new();
        for ast::Clause { kind, span } in &self.written.gate {
            let word = clauses::word(kind);
            if !self.is_there(word, *span, sink) {
                continue;
            }
            if word != "escalate" && seen.contains(&word) {
                let message = format!("`{word}` stands here twice");
                sink.push(Diagnostic::error(Code::RepeatedClause, *span, message).help("keep one of them"));
                continue;
            }
            seen.push(word);
            match kind {
                ClauseKind::From(group) => gate.from = entity(scope, group, sink),
                ClauseKind::Within(within) => gate.within = duration(scope, within, sink),
                ClauseKind::Escalate { to, after } => {
                    let (to, after) = (entity(scope, to, sink), duration(scope, after, sink));
                    gate.escalations.extend(to.zip(after));
                }
                ClauseKind::Distinct => gate.distinct = true,
                _ => {}
            }
        }
        gate
    }

    /// Whether the answer has the gate that a word is about; else says so.
    fn is_there(self, word: &str, span: Span, sink: &mut Diagnostics) -> bool {
        let (message, place) = match self.answer {
            Answer::RequireApproval if self.has_gate => return true,
            Answer::RequireApproval => {
                (format!("the rule has no gate, so it has no `{word}`"), self.written.by[0].span)
            }
            _ => (format!("only `require_approval` has a gate, and so a `{word}`"), self.written.answer.span),
        };
        sink.push(
            Diagnostic::error(Code::TestQuorum, span, message)
                .secondary(place, "there is no gate here")
                .help(format!("remove the `{word}`, or name the rule of the gate first after `by`")),
        );
        false
    }
}

fn entity(scope: &Scope<'_>, expr: &ast::Expr, sink: &mut Diagnostics) -> Option<GroupExpect> {
    let types = (0..scope.world.entity_types.len() as u32).map(EntityTypeId).collect();
    match evaluate_constant(scope.world, scope.module, &[], expr, Some(&Type::Entity(types)), sink)? {
        (_, Const::Entity(ty, id)) => Some(GroupExpect { ty: scope.world.entity_types[ty.index()].wire.clone(), id }),
        _ => None,
    }
}

fn duration(scope: &Scope<'_>, expr: &ast::Expr, sink: &mut Diagnostics) -> Option<Duration> {
    match evaluate_constant(scope.world, scope.module, &[], expr, Some(&Type::Duration), sink)? {
        (_, Const::Duration(duration)) => Some(duration),
        _ => None,
    }
}
