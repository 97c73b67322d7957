//! Approvals: whose, how many, until when, and where it goes next.

use crate::base::span::Span;
use crate::data::duration::Duration;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, ClauseKind};
use crate::types::expr::{Checked, Checker, can_be_in};
use crate::types::interval;
use crate::types::narrow;
use crate::types::ty::{Interval, Type};
use crate::types::typed::{Const, EntityTypeId, Expr, ExprKind, Gate};

/// The gate of a `require approval` rule; what its conditions say holds already.
pub fn gate(checker: &mut Checker<'_, '_>, rule: &ast::Rule) -> Gate {
    let mut from = None;
    let mut quorum = None;
    let mut within = None;
    let mut escalations = Vec::new();
    let mut distinct = false;
    for clause in &rule.clauses {
        match &clause.kind {
            ClauseKind::From(expr) => from = Some(group(checker, expr)),
            ClauseKind::Quorum(expr) => quorum = Some(quorum_of(checker, expr)),
            ClauseKind::Within(expr) => within = Some(deadline(checker, expr)),
            ClauseKind::Escalate { to, after } => {
                let to = group(checker, to);
                escalations.push((to, deadline(checker, after)));
            }
            ClauseKind::Distinct => distinct = true,
            _ => (),
        }
    }
    let from = from.unwrap_or_else(|| {
        let missing = !rule.clauses.iter().any(|clause| matches!(clause.kind, ClauseKind::Error));
        if missing {
            checker.session.sink.push(
                Diagnostic::error(
                    Code::MissingClause,
                    rule.name.span,
                    format!("`{}` does not say who may approve", rule.name.text),
                )
                .label("no `from`")
                .help("name the group: `from Team::\"release-managers\"`"),
            );
        }
        Checked::unknown(rule.name.span).expr
    });
    let one = || Checked::constant(Const::Int(1), Type::Int(interval::exactly(1)), rule.name.span).expr;
    Gate { from, quorum: quorum.unwrap_or_else(one), within, escalations, distinct }
}

// A group that somebody who may approve can be in.
fn group(checker: &mut Checker<'_, '_>, expr: &ast::Expr) -> Expr {
    let found = checker.infer(expr, None);
    let found = checker.present(found);
    let world = checker.world();
    let Type::Entity(types) = &found.expr.ty else {
        if !found.is_unknown() {
            let ty = world.show_plain(&found.expr.ty);
            checker.session.sink.push(
                Diagnostic::error(
                    Code::TypeMismatch,
                    expr.span,
                    format!("a group of people is needed here, but this is `{ty}`"),
                )
                .label(format!("`{ty}`"))
                .help("name an entity: `Team::\"release-managers\"`"),
            );
        }
        return found.expr;
    };
    let is_named = found.value().is_some() || matches!(found.expr.kind, ExprKind::Parameter(_));
    if !is_named && narrow::path_of(&found.expr).is_none() {
        checker.session.sink.push(
            Diagnostic::error(Code::NotConstant, expr.span, "a group has to be named or read, not computed")
                .label("computed")
                .help("write a literal, `Team::\"…\"`, a parameter of the module, or a path such as `resource.owners`"),
        );
        return found.expr;
    }
    let approvers: Vec<EntityTypeId> = (0..world.entity_types.len() as u32)
        .map(EntityTypeId)
        .filter(|ty| world.entity_types[ty.index()].approver)
        .collect();
    let reachable = |group: &EntityTypeId| approvers.iter().any(|approver| can_be_in(world, *approver, *group));
    if !types.is_empty() && !types.iter().any(reachable) {
        let group = world.show(&found.expr.ty);
        let help = match approvers.first() {
            Some(_) if types.iter().any(|ty| approvers.contains(ty)) => {
                "name a group that people are in, not one of them".to_owned()
            }
            Some(first) => format!(
                "let approvers be in it: `approver entity {} in {group}`",
                world.entity_types[first.index()].name
            ),
            None => format!("declare who may approve: `approver entity Person in {group}`"),
        };
        checker.session.sink.push(
            Diagnostic::error(Code::NoApprover, expr.span, format!("nobody who may approve can be in `{group}`"))
                .label("nobody could ever approve")
                .help(help),
        );
    }
    found.expr
}

fn quorum_of(checker: &mut Checker<'_, '_>, expr: &ast::Expr) -> Expr {
    let found = checker.check(expr, &Type::Int(Interval::FULL));
    let Type::Int(bounds) = found.expr.ty else { return found.expr };
    if bounds.low < 1 {
        let mut fault = Diagnostic::error(
            Code::QuorumTooSmall,
            expr.span,
            format!("this quorum can be {}, and then nobody would have to agree", bounds.low.max(0).min(bounds.high)),
        )
        .label("may be less than 1");
        fault = if found.value().is_some() {
            fault.help("ask for at least one person, or remove the rule")
        } else {
            fault.help("let the rule match only where it is more: `when … > 0`").help("or use `max(…, 1)`")
        };
        checker.session.sink.push(fault);
    }
    found.expr
}

// A positive constant, or a parameter of the module.
fn deadline(checker: &mut Checker<'_, '_>, expr: &ast::Expr) -> Expr {
    let found = checker.check(expr, &Type::Duration);
    let span: Span = expr.span;
    let message = match (&found.expr.kind, found.is_unknown()) {
        (_, true) | (ExprKind::Parameter(_), _) => return found.expr,
        (ExprKind::Const(Const::Duration(Duration(millis))), _) if *millis > 0 => return found.expr,
        (ExprKind::Const(_), _) => "a deadline lies in the future: this is not positive",
        _ => "a deadline has to be constant, or a parameter of the module",
    };
    checker.session.sink.push(
        Diagnostic::error(Code::BadDeadline, span, message)
            .label("not a deadline")
            .help("write a duration such as `4h`"),
    );
    found.expr
}
