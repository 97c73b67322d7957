//! `prove` blocks: claims over all requests.

use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, ClaimKind};
use crate::types::expr::{Checked, Checker, Session};
use crate::types::package::Package;
use crate::types::policies::{checker_on, lets};
use crate::types::resolve::Expected;
use crate::types::typed::{Answer, Claim, Expr, PolicyId, ProveDef};
use crate::types::world::{Definition, ProveSource, dotted};

/// Types a block of claims.
pub fn prove(session: &mut Session<'_>, package: &Package, source: &ProveSource) -> ProveDef {
    let module = source.source.module;
    let item = source.source.get(package);
    let mut def = ProveDef {
        name: source.name.clone(),
        module,
        actions: source.actions.clone(),
        lets: Vec::new(),
        claims: Vec::new(),
        span: item.span,
    };
    let ast::ItemKind::Prove(written) = &item.kind else { return def };
    let mut checker = checker_on(session, module, &source.actions, &written.on);
    for line in &written.lets {
        def.lets.extend(lets::check_let(&mut checker, line));
    }
    for claim in &written.claims {
        if let Some(typed) = typed(&mut checker, claim) {
            def.claims.push((typed, claim.span));
        }
    }
    if written.claims.is_empty() {
        let message = format!("`{}` claims nothing", written.name.text);
        checker.fail(
            Diagnostic::error(Code::BadClaim, written.name.span, message)
                .label("empty")
                .help("add a claim: `never allow when …`, `always deny when …`, `at most one of a, b`"),
        );
    }
    lets::warn_of_unused(&mut checker);
    def
}

fn typed(checker: &mut Checker<'_, '_>, claim: &ast::Claim) -> Option<Claim> {
    match &claim.kind {
        ClaimKind::Never(effect, condition) => {
            Some(Claim::Never(answer(*effect), condition_of(checker, condition.as_ref(), claim)))
        }
        ClaimKind::Always(effect, condition) => {
            Some(Claim::Always(answer(*effect), condition_of(checker, condition.as_ref(), claim)))
        }
        ClaimKind::PolicyImplies(one, two) => {
            let (first, second) = (policy(checker, one), policy(checker, two));
            let (first, second) = (first?, second?);
            if first == second {
                return says_nothing(checker, two, "every policy implies itself");
            }
            Some(Claim::PolicyImplies(first, second))
        }
        ClaimKind::RuleImplies(one, two) => {
            let (first, second) = (rule(checker, one), rule(checker, two));
            let (first, second) = (first?, second?);
            if first == second {
                return says_nothing(checker, two, "every rule implies itself");
            }
            Some(Claim::RuleImplies(first, second))
        }
        ClaimKind::AtMostOne(paths) => {
            let rules: Vec<Option<(PolicyId, u32)>> = paths.iter().map(|path| rule(checker, path)).collect();
            let rules = rules.into_iter().collect::<Option<Vec<_>>>()?;
            for (at, one) in rules.iter().enumerate() {
                if rules[..at].contains(one) {
                    let message = format!("rule `{}` is named twice", dotted(&paths[at].parts));
                    return says_nothing(checker, &paths[at], &message);
                }
            }
            if let [only] = paths.as_slice() {
                return says_nothing(checker, only, "of one rule there is never more than one");
            }
            Some(Claim::AtMostOne(rules))
        }
        ClaimKind::Error => None,
    }
}

fn condition_of(checker: &mut Checker<'_, '_>, condition: Option<&ast::Expr>, claim: &ast::Claim) -> Expr {
    let Some(condition) = condition else { return Checked::bool(true, claim.span).expr };
    let found = checker.condition(condition);
    if !found.is_unknown() && found.truth.never() {
        checker.session.sink.push(
            Diagnostic::error(Code::AlwaysFalse, condition.span, "this claim is about no request at all")
                .label("never true")
                .help("correct the condition"),
        );
    }
    found.expr
}

fn says_nothing(checker: &mut Checker<'_, '_>, path: &ast::Path, message: &str) -> Option<Claim> {
    checker
        .fail(Diagnostic::error(Code::BadClaim, path.span, message).label("claims nothing").help("name another one"));
    None
}

fn policy(checker: &mut Checker<'_, '_>, path: &ast::Path) -> Option<PolicyId> {
    match checker.world().resolve(checker.module, path, Expected::Policy, checker.session.sink)? {
        Definition::Policy(id) => Some(id),
        _ => None,
    }
}

fn rule(checker: &mut Checker<'_, '_>, path: &ast::Path) -> Option<(PolicyId, u32)> {
    match checker.world().resolve(checker.module, path, Expected::Rule, checker.session.sink)? {
        Definition::Rule(policy, place) => Some((policy, place)),
        _ => None,
    }
}

fn answer(effect: ast::Effect) -> Answer {
    match effect {
        ast::Effect::Allow => Answer::Allow,
        ast::Effect::Deny => Answer::Deny,
        ast::Effect::RequireApproval => Answer::RequireApproval,
    }
}
