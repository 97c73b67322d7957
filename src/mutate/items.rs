//! The points of everything that decides: functions, policies, invariants, lifecycles, parameters of modules.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::span::Span;
use crate::mutate::constants::{Place, changed, neighbours};
use crate::mutate::expressions::{Around, Expressions};
use crate::mutate::reach::Reach;
use crate::mutate::rows::{RowChange, Rows};
use crate::mutate::{Change, Item, Kind, Point, show};
use crate::types::operator::Operator;
use crate::types::ty::{Interval, Type};
use crate::types::typed::{
    Const, Effect, EnumId, Expr, ExprKind, FunctionBody, FunctionId, Gate, LetDef, ModuleId, PolicyDef, PolicyId,
    RuleDef, TableRow, TypedPolicy,
};

/// All points of chosen modules, each with the name of its module.
pub(super) fn points(policy: &TypedPolicy, modules: &BTreeSet<ModuleId>) -> Vec<(Arc<str>, Point)> {
    let mut found = Vec::new();
    let mut add = |module: ModuleId, points: &dyn Fn(&str, &mut Vec<Point>)| {
        let name = &policy.modules[module.index()].name;
        if modules.contains(&module) {
            let mut own = Vec::new();
            points(name, &mut own);
            found.extend(own.into_iter().map(|point| (name.clone(), point)));
        }
    };
    for (at, def) in policy.functions.iter().enumerate() {
        add(def.module, &|module, out| function(policy, FunctionId(at as u32), module, out));
    }
    for (at, def) in policy.policies.iter().enumerate() {
        add(def.module, &|module, out| rules(policy, PolicyId(at as u32), def, module, out));
    }
    for (at, def) in policy.invariants.iter().enumerate() {
        add(def.module, &|module, out| invariant(policy, at as u32, module, out));
    }
    for (at, def) in policy.instances.iter().enumerate() {
        add(def.module, &|_, out| arguments(policy, at, out));
    }
    let reach = Reach::new(policy);
    for (at, def) in policy.enums.iter().enumerate() {
        let of = EnumId(at as u32);
        let module = def.qualified.strip_suffix(&*def.name).and_then(|start| start.strip_suffix('.'));
        let module = policy.modules.iter().position(|other| Some(&*other.name) == module);
        if let Some(module) = module.filter(|_| reach.steps_are_asked(of)) {
            add(ModuleId(module as u32), &|_, out| steps(policy, of, out));
        }
    }
    found
}

fn function(policy: &TypedPolicy, id: FunctionId, module: &str, out: &mut Vec<Point>) {
    let def = &policy.functions[id.index()];
    let path: Arc<str> = format!("{module}.{}", def.name).into();
    let around = Around::of_type(&def.result);
    match &def.body {
        FunctionBody::Expr(body) => {
            Expressions { policy, item: Item::Function(id), path, next: 0, points: out }.visit(body, &around);
        }
        FunctionBody::Table(rows) => table(policy, id, &path, rows, out),
    }
}

fn table(policy: &TypedPolicy, id: FunctionId, path: &str, rows: &[TableRow], out: &mut Vec<Point>) {
    let def = &policy.functions[id.index()];
    let around = Around::row(&def.result);
    let patterns = rows.iter().map(|row| row.patterns.clone()).collect();
    let values = rows.iter().map(|row| &row.value).collect();
    let all = Rows::new(policy, def.parameters.iter().map(|parameter| &parameter.ty), patterns, values);
    let mut next = 0;
    for (at, row) in rows.iter().enumerate() {
        let path: Arc<str> = format!("{path}({})", show::patterns(policy, &row.patterns)).into();
        for change in all.changes(at) {
            let (kind, what, change) = match change {
                RowChange::Removed => (Kind::Row, "the row is removed".to_owned(), Change::RowRemoved(id, at)),
                RowChange::Pattern(column, pattern, what) => {
                    (Kind::Pattern, what, Change::Pattern(id, at, column, *pattern))
                }
            };
            out.push(Point { path: path.clone(), what, kind, span: row.span, change });
        }
        let mut walk = Expressions { policy, item: Item::Function(id), path, next, points: out };
        walk.visit(&row.value, &around);
        next = walk.next;
    }
}

fn rules(policy: &TypedPolicy, id: PolicyId, def: &PolicyDef, module: &str, out: &mut Vec<Point>) {
    let path = format!("{module}.{}", def.name);
    if def.shadow {
        let what = "the shadow policy counts".to_owned();
        let change = Change::ShadowRemoved(id);
        out.push(Point {
            path: path.as_str().into(),
            what,
            kind: Kind::Shadow,
            span: first_line(policy, def.span),
            change,
        });
    }
    let mut next = lets(policy, Item::Policy(id), &def.lets, &path, out);
    for (at, rule) in def.rules.iter().enumerate() {
        let path: Arc<str> = format!("{path}.{}", rule.name).into();
        let span = first_line(policy, rule.span);
        let mut add = |kind: Kind, what: String, change: Change| {
            out.push(Point { path: path.clone(), what, kind, span, change });
        };
        add(Kind::Rule, "the rule is removed".to_owned(), Change::RuleRemoved(id, at));
        if let Some(code) = &rule.code {
            let other: Arc<str> = changed(code).into();
            add(Kind::Code, format!("the code `{code}` becomes `{other}`"), Change::RuleCode(id, at, other));
        }
        if let Effect::RequireApproval(gate) = &rule.effect {
            for (what, gate) in gates(policy, gate) {
                add(Kind::Gate, what, Change::Gate(id, at, Box::new(gate)));
            }
        }
        for (place, (obligation, _)) in rule.obligations.iter().enumerate() {
            let name = &policy.obligations[obligation.index()].name;
            let what = format!("the obligation `{name}` is dropped");
            add(Kind::Obligation, what, Change::ObligationRemoved(id, at, place));
        }
        let mut walk = Expressions { policy, item: Item::Policy(id), path: path.clone(), next, points: out };
        rule_expressions(&mut walk, rule);
        next = walk.next;
    }
}

/// In the order of `walk::of_policy`.
fn rule_expressions<'p>(walk: &mut Expressions<'p, '_>, rule: &'p RuleDef) {
    walk.visit(&rule.condition, &Around::condition());
    if let Effect::RequireApproval(gate) = &rule.effect {
        walk.visit(&gate.from, &Around::nothing());
        // Less than one is nobody.
        walk.visit(&gate.quorum, &Around::within(Interval { low: 1, high: i64::MAX }));
        let times = gate.within.iter().chain(gate.escalations.iter().flat_map(|(group, after)| [group, after]));
        times.for_each(|expr| walk.visit(expr, &Around::nothing()));
    }
    for (obligation, arguments) in &rule.obligations {
        let parameters = walk.policy.obligations[obligation.index()].parameters.iter();
        for (argument, parameter) in arguments.iter().zip(parameters) {
            walk.visit(argument, &Around::of_type(&parameter.ty));
        }
    }
}

/// A gate with something in it that is otherwise.
fn gates(policy: &TypedPolicy, gate: &Gate) -> Vec<(String, Gate)> {
    let text = |expr: &Expr| show::source(policy, expr.span);
    let mut found = Vec::new();
    // One that is constant is changed as constants are, one of the module's parameters as those are.
    if !matches!(gate.quorum.kind, ExprKind::Const(_) | ExprKind::Parameter(_)) {
        let quorum = text(&gate.quorum);
        let what = format!("`quorum {quorum}` becomes `quorum {quorum} + 1`");
        found.push((what, Gate { quorum: one_more(&gate.quorum), ..gate.clone() }));
    }
    if let Some(within) = &gate.within {
        found.push((format!("`within {}` is dropped", text(within)), Gate { within: None, ..gate.clone() }));
    }
    for (at, (group, after)) in gate.escalations.iter().enumerate() {
        let mut escalations = gate.escalations.clone();
        escalations.remove(at);
        let what = format!("`escalate to {} after {}` is dropped", text(group), text(after));
        found.push((what, Gate { escalations, ..gate.clone() }));
    }
    let what = if gate.distinct { "`distinct` is dropped" } else { "`distinct` is added" };
    found.push((what.to_owned(), Gate { distinct: !gate.distinct, ..gate.clone() }));
    found
}

fn one_more(number: &Expr) -> Expr {
    let ty = Type::Int(Interval::FULL);
    let one = Expr { kind: ExprKind::Const(Const::Int(1)), ty: ty.clone(), span: number.span, fallible: false };
    let kind = ExprKind::Operator(Operator::IntAdd, vec![number.clone(), one]);
    Expr { kind, ty, span: number.span, fallible: true }
}

fn lets(policy: &TypedPolicy, item: Item, lets: &[LetDef], path: &str, out: &mut Vec<Point>) -> u32 {
    let mut next = 0;
    for def in lets {
        let path = format!("{path}.{}", def.name).into();
        let mut walk = Expressions { policy, item, path, next, points: out };
        walk.visit(&def.value, &Around::nothing());
        next = walk.next;
    }
    next
}

fn invariant(policy: &TypedPolicy, at: u32, module: &str, out: &mut Vec<Point>) {
    let def = &policy.invariants[at as usize];
    let path: Arc<str> = format!("{module}.{}", def.name).into();
    let span = first_line(policy, def.span);
    let mut add = |kind: Kind, what: String, change: Change| {
        out.push(Point { path: path.clone(), what, kind, span, change });
    };
    add(Kind::Rule, "the invariant is removed".to_owned(), Change::InvariantRemoved(at));
    if let Some(code) = &def.code {
        let other: Arc<str> = changed(code).into();
        add(Kind::Code, format!("the code `{code}` becomes `{other}`"), Change::InvariantCode(at, other));
    }
    let next = lets(policy, Item::Invariant(at), &def.lets, &path, out);
    let mut walk = Expressions { policy, item: Item::Invariant(at), path, next, points: out };
    walk.visit(&def.violated, &Around::condition());
}

fn steps(policy: &TypedPolicy, of: EnumId, out: &mut Vec<Point>) {
    let def = &policy.enums[of.index()];
    let Some(lifecycle) = &def.lifecycle else { return };
    for (from, name) in def.variants.iter().enumerate() {
        for (to, other) in def.variants.iter().enumerate() {
            let is_there = lifecycle.steps[from].contains(&(to as u32));
            let word = if is_there { "removed" } else { "added" };
            out.push(Point {
                path: def.qualified.clone(),
                what: format!("the step `{name} -> {other}` is {word}"),
                kind: Kind::Lifecycle,
                span: first_line(policy, def.span),
                change: Change::Step(of, from as u32, to as u32),
            });
        }
    }
}

fn arguments(policy: &TypedPolicy, at: usize, out: &mut Vec<Point>) {
    let instance = &policy.instances[at];
    let parameters = &policy.modules[instance.module.index()].parameters;
    for (place, (parameter, value)) in parameters.iter().zip(&instance.arguments).enumerate() {
        let interval = if let Type::Int(interval) = &parameter.ty { *interval } else { Interval::FULL };
        for neighbour in neighbours(policy, value, Place { interval, ordered: false }) {
            let (other, what) = neighbour.told(policy, value);
            out.push(Point {
                path: format!("{}({})", instance.prefix, parameter.name).into(),
                what,
                kind: Kind::Parameter,
                span: instance.span,
                change: Change::Argument(at as u32, place, other),
            });
        }
    }
}

/// Items are long; where one begins says enough.
fn first_line(policy: &TypedPolicy, span: Span) -> Span {
    let line = policy.sources.text(span).lines().next().unwrap_or_default();
    Span { end: span.start + line.len() as u32, ..span }
}
