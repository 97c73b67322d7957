//! Where entities come from: nobody may read attributes of an entity that the policy names.
//!
//! A decision knows the subject, the resource, and what their attributes and the context refer to: the registry has all
//! of these, or the decision is an error before any rule runs. An entity that the policy names, `Team::"shop"`, may be
//! known to nobody. Reading an attribute of the literal itself is refused where it is typed; here it is seen that none is
//! read over a detour either: a branch, a default, a set, a record, or a parameter of a function. So reading an attribute
//! can't fail.

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::types::operator::Operator;
use crate::types::typed::{Const, Expr, ExprKind, FunctionBody, FunctionDef, LetDef, LocalId};
use crate::types::world::World;

/// What the entities in a value may be.
#[derive(Clone, Debug, Default)]
struct Origin {
    /// Some that the policy names.
    named: bool,
    /// Some that come in over these parameters of the function at hand, by place.
    parameters: Vec<usize>,
}

impl Origin {
    fn and(mut self, other: Origin) -> Origin {
        self.named |= other.named;
        for parameter in other.parameters {
            if !self.parameters.contains(&parameter) {
                self.parameters.push(parameter);
            }
        }
        self
    }
}

/// What is known of a function.
#[derive(Clone, Debug, Default)]
struct Summary {
    /// Of entities that come in over these parameters attributes are read.
    reads: Vec<usize>,
    /// What its value may hold.
    result: Origin,
}

/// Reports every attribute of an entity that the policy names.
pub fn check(world: &World, sink: &mut Diagnostics) {
    let mut summaries: Vec<Summary> = Vec::with_capacity(world.functions.len());
    for function in &world.functions {
        let summary = summarise(&summaries, function, sink);
        summaries.push(summary);
    }
    for policy in &world.policies {
        let mut walk = Walk::new(&summaries, sink);
        walk.lets(&policy.lets);
        policy.rules.iter().for_each(|rule| walk.rule(rule));
    }
    for invariant in &world.invariants {
        let mut walk = Walk::new(&summaries, sink);
        walk.lets(&invariant.lets);
        walk.origin(&invariant.violated);
    }
    for prove in &world.proves {
        use crate::types::typed::Claim;
        let mut walk = Walk::new(&summaries, sink);
        walk.lets(&prove.lets);
        for (claim, _) in &prove.claims {
            if let Claim::Never(_, condition) | Claim::Always(_, condition) = claim {
                walk.origin(condition);
            }
        }
    }
}

fn summarise(summaries: &[Summary], function: &FunctionDef, sink: &mut Diagnostics) -> Summary {
    let mut walk = Walk::new(summaries, sink);
    for (place, parameter) in function.parameters.iter().enumerate() {
        walk.locals.insert(parameter.local, Origin { named: false, parameters: vec![place] });
    }
    let result = match &function.body {
        FunctionBody::Expr(body) => walk.origin(body),
        FunctionBody::Table(rows) => walk.all(rows.iter().map(|row| &row.value)),
    };
    Summary { reads: walk.reads, result }
}

struct Walk<'a> {
    summaries: &'a [Summary],
    sink: &'a mut Diagnostics,
    locals: HashMap<LocalId, Origin>,
    reads: Vec<usize>,
}

impl<'a> Walk<'a> {
    fn new(summaries: &'a [Summary], sink: &'a mut Diagnostics) -> Walk<'a> {
        Walk { summaries, sink, locals: HashMap::new(), reads: Vec::new() }
    }

    fn lets(&mut self, lets: &[LetDef]) {
        for def in lets {
            let origin = self.origin(&def.value);
            self.locals.insert(def.local, origin);
        }
    }

    fn rule(&mut self, rule: &crate::types::typed::RuleDef) {
        use crate::types::typed::{Effect, MessagePart};
        self.origin(&rule.condition);
        if let Effect::RequireApproval(gate) = &rule.effect {
            self.origin(&gate.from);
            self.origin(&gate.quorum);
            gate.escalations.iter().for_each(|(group, _)| _ = self.origin(group));
        }
        for part in rule.message.iter().flatten() {
            if let MessagePart::Read(expr) = part {
                self.origin(expr);
            }
        }
        rule.obligations.iter().flat_map(|(_, arguments)| arguments).for_each(|argument| _ = self.origin(argument));
    }

    fn all<'e>(&mut self, items: impl IntoIterator<Item = &'e Expr>) -> Origin {
        items.into_iter().fold(Origin::default(), |origin, item| {
            let other = self.origin(item);
            origin.and(other)
        })
    }

    /// Walks through an expression and says where the entities in its value come from.
    fn origin(&mut self, expr: &Expr) -> Origin {
        match &expr.kind {
            ExprKind::Const(value) => Origin { named: names_entities(value), parameters: Vec::new() },
            ExprKind::Parameter(_) => Origin { named: true, parameters: Vec::new() },
            ExprKind::Local(local) => self.locals.get(local).cloned().unwrap_or_default(),
            ExprKind::Subject | ExprKind::Resource | ExprKind::Context(_) | ExprKind::ActionName => Origin::default(),
            ExprKind::Attribute(base, _) => {
                let origin = self.origin(base);
                self.read(&origin, base, None);
                Origin::default()
            }
            ExprKind::Field(base, _) | ExprKind::Narrowed(base) => self.origin(base),
            ExprKind::Operator(operator, operands) => {
                let origin = self.all(operands);
                match operator {
                    Operator::SetUnion
                    | Operator::SetIntersect
                    | Operator::SetExcept
                    | Operator::ListGet
                    | Operator::MapGet => origin,
                    // All others give no entities.
                    _ => Origin::default(),
                }
            }
            ExprKind::Matches(base, _) | ExprKind::IsPresent(base) | ExprKind::IsType(base, _) => {
                self.origin(base);
                Origin::default()
            }
            ExprKind::StepsTo(_, from, to) => self.all([&**from, &**to]),
            ExprKind::Default(one, other) => self.all([&**one, &**other]),
            ExprKind::If(condition, yes, no) => {
                self.origin(condition);
                self.all([&**yes, &**no])
            }
            ExprKind::Match(value, arms) => {
                self.origin(value);
                self.all(arms.iter().map(|(_, arm)| arm))
            }
            ExprKind::Call(function, arguments) => {
                let origins: Vec<Origin> = arguments.iter().map(|argument| self.origin(argument)).collect();
                let summaries = self.summaries;
                let Some(summary) = summaries.get(function.index()) else { return Origin::default() };
                for &place in &summary.reads {
                    if let (Some(origin), Some(argument)) = (origins.get(place), arguments.get(place)) {
                        self.read(origin, argument, Some("the function reads them"));
                    }
                }
                let mut result = Origin { named: summary.result.named, parameters: Vec::new() };
                for &place in &summary.result.parameters {
                    result = result.and(origins.get(place).cloned().unwrap_or_default());
                }
                result
            }
            ExprKind::Quantifier(_, local, over, body) => {
                let origin = self.origin(over);
                self.locals.insert(*local, origin);
                self.origin(body);
                Origin::default()
            }
            ExprKind::Acyclic(local, over, node, edges) => {
                let origin = self.origin(over);
                self.locals.insert(*local, origin);
                self.origin(node);
                self.origin(edges);
                Origin::default()
            }
            ExprKind::Set(items) | ExprKind::List(items) | ExprKind::Record(_, items) => self.all(items),
            ExprKind::Map(items) => self.all(items.iter().map(|(_, value)| value)),
        }
    }

    /// Attributes are read of the entities in a value.
    fn read(&mut self, origin: &Origin, expr: &Expr, label: Option<&str>) {
        if origin.named {
            self.sink.push(
                Diagnostic::error(
                    Code::LiteralAttribute,
                    expr.span,
                    "this may be an entity that the policy names, and attributes of such can't be read",
                )
                .label(label.unwrap_or("not part of the request"))
                .help("a rule sees the subject, the resource and what the context refers to; an entity named in a policy serves `==` and `in`"),
            );
        }
        for &parameter in &origin.parameters {
            if !self.reads.contains(&parameter) {
                self.reads.push(parameter);
            }
        }
    }
}

fn names_entities(value: &Const) -> bool {
    match value {
        Const::Entity(..) => true,
        Const::Record(_, items) | Const::Set(items) | Const::List(items) => items.iter().any(names_entities),
        Const::Map(items) => items.iter().any(|(_, value)| names_entities(value)),
        Const::Absent
        | Const::Bool(_)
        | Const::Int(_)
        | Const::Decimal(_)
        | Const::String(_)
        | Const::Duration(_)
        | Const::Timestamp(_)
        | Const::Ip(_)
        | Const::Net(_)
        | Const::Url(_)
        | Const::Path(_)
        | Const::Enum(..) => false,
    }
}
