//! Invariants: what has to hold, and where.

use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, ClauseKind, InvariantLine};
use crate::types::expr::{Checked, Checker, Place, Session};
use crate::types::narrow::{Fact, Path, Root, Truth, Values};
use crate::types::operator::Operator;
use crate::types::package::Package;
use crate::types::policies::clauses::{self, Conditions};
use crate::types::policies::{checker_on, lets, messages};
use crate::types::ty::Type;
use crate::types::typed::{EntityTypeId, Expr, ExprKind, InvariantDef, LetDef};
use crate::types::world::{Definition, InvariantSource};

/// Types an invariant.
pub fn invariant(session: &mut Session<'_>, package: &Package, source: &InvariantSource) -> InvariantDef {
    let module = source.source.module;
    let mut def = InvariantDef {
        name: source.name.clone(),
        module,
        actions: source.actions.clone(),
        lets: Vec::new(),
        violated: Checked::bool(false, source.span).expr,
        code: None,
        message: None,
        span: source.span,
    };
    let Some(written) = source.ast(package) else { return def };
    def.span = written.span;
    let record = governed(session, package, source);
    let mut checker = checker_on(session, module, &source.actions, &written.on);
    let checker = &mut checker;
    report_clauses(checker, written);

    let (mut when, mut require) = (Conditions::none(), Conditions::none());
    if let Some(only) = record.and_then(|record| only_of(checker, record, source)) {
        when.add(checker, only);
    }
    for line in &written.lines {
        match line {
            InvariantLine::Let(line) => def.lets.extend::<Option<LetDef>>(lets::check_let(checker, line)),
            InvariantLine::Require(expr) => {
                let found = checker.condition(expr);
                require.add(checker, found);
            }
            InvariantLine::Clause(clause) => match &clause.kind {
                ClauseKind::When(expr) => {
                    let found = clauses::condition(checker, expr, false);
                    when.add(checker, found);
                }
                ClauseKind::Unless(expr) => {
                    let found = clauses::condition(checker, expr, true);
                    when.add(checker, found);
                }
                _ => (),
            },
        }
    }
    if require.span.is_none() && !has_error(written) {
        checker.session.sink.push(
            Diagnostic::error(
                Code::MissingClause,
                written.name.span,
                format!("invariant `{}` requires nothing", written.name.text),
            )
            .label("no `require`")
            .help("say what has to hold: `require not resource.frozen`"),
        );
    }
    report_constant(checker, written, &when, &require);
    checker.known.back_to(0);
    // The message is shown where the invariant is violated: its requirements do not hold there.
    if let Some(facts) = &when.truth.yes {
        checker.known.assume(facts);
    }
    for line in &written.lines {
        if let InvariantLine::Clause(clause) = line {
            match &clause.kind {
                ClauseKind::Code(name) => def.code = Some(clauses::code(checker, name)),
                ClauseKind::Because(text) => def.message = Some(messages::message(checker, text)),
                _ => (),
            }
        }
    }
    lets::warn_of_unused(checker);
    def.violated = violated(when, require, written);
    def
}

// `(all when) and not (all require)`
fn violated(when: Conditions, require: Conditions, written: &ast::Invariant) -> Expr {
    let span = written.name.span;
    let restricted = when.span.is_some();
    let require = require.joined(span);
    let (at, fallible) = (require.span, require.fallible);
    let broken = match require.kind {
        ExprKind::Const(crate::types::typed::Const::Bool(value)) => Checked::bool(!value, at).expr,
        _ => Expr { kind: ExprKind::Operator(Operator::Not, vec![require]), ty: Type::Bool, span: at, fallible },
    };
    if restricted { clauses::and(when.joined(span), broken) } else { broken }
}

fn governed(session: &Session<'_>, package: &Package, source: &InvariantSource) -> Option<EntityTypeId> {
    let ast::ItemKind::GovernedRecord(record) = &source.source.get(package).kind else { return None };
    let path = ast::Path { parts: vec![record.name.clone()], span: record.name.span };
    match session.world.lookup(source.source.module, &path) {
        Some(Definition::Entity(id)) => Some(id),
        _ => None,
    }
}

// An invariant of a governed record holds for that record, also on actions whose resource may be something else.
fn only_of(checker: &Checker<'_, '_>, record: EntityTypeId, source: &InvariantSource) -> Option<Checked> {
    let Place::Actions(request) = &checker.place else { return None };
    match &request.resource {
        Type::Entity(types) if types.len() > 1 && types.contains(&record) => {
            let span = source.span;
            let resource = Expr { kind: ExprKind::Resource, ty: request.resource.clone(), span, fallible: false };
            let others: Vec<EntityTypeId> = types.iter().copied().filter(|ty| *ty != record).collect();
            let fact = |types: Vec<EntityTypeId>| Some(Fact::values(Values::Types(types.into())));
            let path = Path { root: Root::Resource, steps: Vec::new() };
            let truth = Truth::of(Some(path), fact(vec![record]), fact(others));
            let kind = ExprKind::IsType(Box::new(resource), vec![record]);
            Some(Checked { expr: Expr { kind, ty: Type::Bool, span, fallible: false }, truth })
        }
        _ => None,
    }
}

fn has_error(written: &ast::Invariant) -> bool {
    written.lines.iter().any(|line| matches!(line, InvariantLine::Clause(ast::Clause { kind: ClauseKind::Error, .. })))
}

fn report_clauses(checker: &mut Checker<'_, '_>, written: &ast::Invariant) {
    let clauses = || {
        written.lines.iter().filter_map(|line| match line {
            InvariantLine::Clause(clause) => Some(clause),
            _ => None,
        })
    };
    clauses::report_repeated(checker, clauses());
    for clause in clauses() {
        let help = match &clause.kind {
            ClauseKind::Oblige { .. } => "a violated invariant is a DENY, and obligations go with what is allowed",
            ClauseKind::From(_)
            | ClauseKind::Quorum(_)
            | ClauseKind::Within(_)
            | ClauseKind::Escalate { .. }
            | ClauseKind::Distinct => "nobody can approve what violates an invariant; use a `require approval` rule",
            _ => continue,
        };
        clauses::misplaced(checker, clause, "an invariant", help);
    }
}

fn report_constant(checker: &mut Checker<'_, '_>, written: &ast::Invariant, when: &Conditions, require: &Conditions) {
    if when.unknown || require.unknown {
        return;
    }
    let name = &written.name.text;
    if let Some(fault) = when.never(format!("invariant `{name}` is about no request at all")) {
        checker.session.sink.push(fault.help("correct the condition, or remove the invariant"));
        return;
    }
    let Some(last) = require.span else { return };
    if let Some(fault) = require.never(format!("invariant `{name}` can never hold")) {
        let help = "every request that it is about would be denied; correct it, or write a `deny` rule";
        checker.session.sink.push(fault.help(help));
    } else if require.truth.always() && !require.fallible() {
        checker.session.sink.push(
            Diagnostic::error(Code::AlwaysTrue, last, format!("invariant `{name}` always holds"))
                .label("always true")
                .help("it guards nothing: correct it, or remove it"),
        );
    }
}
