//! Rules: their conditions, and the clauses that go with their effect.

use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, ClauseKind};
use crate::types::expr::Checker;
use crate::types::policies::clauses::{self, Conditions};
use crate::types::policies::{gates, messages};
use crate::types::typed::{Effect, RuleDef};

/// Types a rule. A faulty one is there as well, so that rules keep their places.
pub fn rule(checker: &mut Checker<'_, '_>, rule: &ast::Rule) -> RuleDef {
    clauses::report_repeated(checker, rule.clauses.iter());
    report_misplaced(checker, rule);
    let mark = checker.known.mark();
    let mut conditions = Conditions::none();
    for clause in &rule.clauses {
        let found = match &clause.kind {
            ClauseKind::When(expr) => clauses::condition(checker, expr, false),
            ClauseKind::Unless(expr) => clauses::condition(checker, expr, true),
            _ => continue,
        };
        conditions.add(checker, found);
    }
    report_constant(checker, rule, &conditions);

    // From here on the rule matches: what its conditions say holds.
    let effect = match rule.effect {
        ast::Effect::Allow => Effect::Allow,
        ast::Effect::Deny => Effect::Deny,
        ast::Effect::RequireApproval => Effect::RequireApproval(gates::gate(checker, rule)),
    };
    let (mut code, mut message, mut obligations) = (None, None, Vec::new());
    for clause in &rule.clauses {
        match &clause.kind {
            ClauseKind::Code(name) => code = Some(clauses::code(checker, name)),
            ClauseKind::Because(text) => message = Some(messages::message(checker, text)),
            ClauseKind::Oblige { name, arguments } => {
                obligations.extend(clauses::obligation(checker, name, arguments, clause.span));
            }
            _ => (),
        }
    }
    checker.known.back_to(mark);
    RuleDef {
        name: rule.name.text.clone(),
        effect,
        condition: conditions.joined(rule.name.span),
        code,
        message,
        obligations,
        span: rule.span,
    }
}

fn report_misplaced(checker: &mut Checker<'_, '_>, rule: &ast::Rule) {
    for clause in &rule.clauses {
        let approval = rule.effect == ast::Effect::RequireApproval;
        match (&clause.kind, rule.effect) {
            (
                ClauseKind::From(_)
                | ClauseKind::Quorum(_)
                | ClauseKind::Within(_)
                | ClauseKind::Escalate { .. }
                | ClauseKind::Distinct,
                effect,
            ) if !approval => {
                let place = if effect == ast::Effect::Deny { "a `deny` rule" } else { "an `allow` rule" };
                clauses::misplaced(checker, clause, place, "only `require approval` asks people");
            }
            (ClauseKind::Code(_), ast::Effect::Allow) => clauses::misplaced(
                checker,
                clause,
                "an `allow` rule",
                "codes say why something is denied or has to be approved",
            ),
            (ClauseKind::Oblige { .. }, ast::Effect::Deny) => clauses::misplaced(
                checker,
                clause,
                "a `deny` rule",
                "obligations go with what is allowed: put it on an `allow` or `require approval` rule",
            ),
            _ => (),
        }
    }
}

fn report_constant(checker: &mut Checker<'_, '_>, rule: &ast::Rule, conditions: &Conditions) {
    let Some(last) = conditions.span else { return };
    if conditions.unknown {
        return;
    }
    if let Some(fault) = conditions.never(format!("rule `{}` can never match", rule.name.text)) {
        let help = "nothing that the declarations allow makes it true; correct it, or remove the rule";
        checker.session.sink.push(fault.help(help));
    } else if conditions.truth.always() && !conditions.fallible() {
        checker.session.sink.push(
            Diagnostic::error(Code::AlwaysTrue, last, format!("rule `{}` always matches", rule.name.text))
                .label("always true")
                .help("remove the condition if that is meant, or correct it"),
        );
    }
}
