//! The rules of one action: every active policy and invariant on it, in source order.

use crate::bytecode::program::{Effect, Entry, FunctionId, Gate, MessagePart, Rule};
use crate::compile::index::{self, Candidate};
use crate::compile::lower::{ActionState, Lowering};
use crate::compile::pool::Pool;
use crate::compile::shape::Unit;
use crate::types::typed::{
    self, ActionDef, ActionId, Const, Expr, ExprKind, InvariantDef, LetDef, ObligationId, PolicyDef, RuleDef,
    TypedPolicy,
};

/// A policy or an invariant, of one instance of its module.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Policy(&'a PolicyDef),
    Invariant(&'a InvariantDef),
}

impl<'a> Part<'a> {
    fn lets(self) -> &'a [LetDef] {
        match self {
            Part::Policy(policy) => &policy.lets,
            Part::Invariant(invariant) => &invariant.lets,
        }
    }
}

/// What is active on each action.
#[derive(Debug)]
pub(super) struct Active<'a> {
    parts: Vec<Vec<(Unit, Part<'a>)>>,
}

impl Active<'_> {
    /// Nothing is active on this action.
    pub(super) fn leave_out(&mut self, action: ActionId) {
        self.parts[action.index()].clear();
    }
}

/// Finds what is active, in the order of instances.
pub(super) fn active(policy: &TypedPolicy) -> Active<'_> {
    let mut parts = vec![Vec::new(); policy.actions.len()];
    let mut of_module: Vec<Vec<(u32, Part<'_>)>> = vec![Vec::new(); policy.modules.len()];
    for (number, def) in policy.policies.iter().enumerate() {
        of_module[def.module.index()].push((number as u32, Part::Policy(def)));
    }
    for (number, def) in policy.invariants.iter().enumerate() {
        of_module[def.module.index()].push(((policy.policies.len() + number) as u32, Part::Invariant(def)));
    }
    for (number, instance) in policy.instances.iter().enumerate() {
        for &(unit, part) in &of_module[instance.module.index()] {
            let actions = match part {
                Part::Policy(def) => &def.actions,
                Part::Invariant(def) => &def.actions,
            };
            for action in actions {
                parts[action.index()].push((Unit { number: unit, instance: number as u32 }, part));
            }
        }
    }
    Active { parts }
}

/// Adds the entry of an action.
pub(super) fn compile_action<'a>(
    policy: &'a TypedPolicy,
    active: &Active<'a>,
    pool: &mut Pool,
    number: u32,
    action: &'a ActionDef,
) {
    let parts = &active.parts[number as usize];
    let mut state = ActionState::new(number, action);
    for &(unit, part) in parts {
        let mut lowering = Lowering::new(policy, pool, Some(&mut state), unit, part.lets());
        part.lets().iter().for_each(|def| lowering.count(&def.value));
        match part {
            Part::Policy(def) => def.rules.iter().for_each(|rule| lowering.count(&rule.condition)),
            Part::Invariant(def) => lowering.count(&def.violated),
        }
    }
    let mut rules: Vec<(Rule, Candidate)> = Vec::new();
    for &(unit, part) in parts {
        let mut lowering = Lowering::new(policy, pool, Some(&mut state), unit, part.lets());
        match part {
            Part::Policy(def) => {
                rules.extend(def.rules.iter().map(|rule| lowering.rule(rule, def.shadow)));
            }
            Part::Invariant(def) => rules.push(lowering.invariant(def)),
        }
    }
    // Sites are numbered as they come; spans with instances are their order.
    rules.sort_by_key(|(rule, _)| pool.sites.items[rule.site.0 as usize]);
    let candidates: Vec<&Candidate> = rules.iter().map(|(_, candidate)| candidate).collect();
    let index = index::build(pool, &candidates);
    let rules = rules.into_iter().map(|(rule, _)| rule).collect();
    pool.entries.push(Entry { inputs: state.inputs, rules, index, cost: 0 });
}

impl<'a> Lowering<'a, '_> {
    fn rule(&mut self, def: &'a RuleDef, shadow: bool) -> (Rule, Candidate) {
        let (condition, may_fail) = self.value_function(&def.condition);
        let candidate = index::candidate(self, &def.condition);
        let (effect, gate) = match &def.effect {
            typed::Effect::Allow => (Effect::Allow, None),
            typed::Effect::Deny => (Effect::Deny, None),
            typed::Effect::RequireApproval(gate) => (Effect::RequireApproval, Some(self.gate(gate))),
        };
        let rule = Rule {
            id: self.rule_id(&def.name),
            effect,
            shadow,
            condition,
            may_fail,
            code: def.code.as_ref().map(|code| self.pool.string(code)),
            message: self.message(def.message.as_deref()),
            gate,
            obligations: def.obligations.iter().map(|(id, items)| self.obligation(*id, items)).collect(),
            site: self.pool.site(def.span, self.unit.instance),
        };
        (rule, candidate)
    }

    fn invariant(&mut self, def: &'a InvariantDef) -> (Rule, Candidate) {
        let (condition, may_fail) = self.value_function(&def.violated);
        let candidate = index::candidate(self, &def.violated);
        let rule = Rule {
            id: self.rule_id(&def.name),
            effect: Effect::Violation,
            shadow: false,
            condition,
            may_fail,
            code: def.code.as_ref().map(|code| self.pool.string(code)),
            message: self.message(def.message.as_deref()),
            gate: None,
            obligations: Vec::new(),
            site: self.pool.site(def.span, self.unit.instance),
        };
        (rule, candidate)
    }

    fn rule_id(&mut self, name: &str) -> crate::bytecode::program::StringId {
        let prefix = &self.policy.instances[self.unit.instance as usize].prefix;
        self.pool.string(&format!("{prefix}.{name}"))
    }

    fn message(&mut self, parts: Option<&'a [typed::MessagePart]>) -> Vec<MessagePart> {
        let parts = parts.unwrap_or_default().iter();
        parts
            .map(|part| match part {
                typed::MessagePart::Text(text) => MessagePart::Text(self.pool.string(text)),
                typed::MessagePart::Read(expr) => MessagePart::Value(self.value_function(expr).0),
            })
            .collect()
    }

    fn gate(&mut self, gate: &'a typed::Gate) -> Gate {
        Gate {
            from: self.value_function(&gate.from).0,
            quorum: self.value_function(&gate.quorum).0,
            within_ms: gate.within.as_ref().map(|within| self.milliseconds(within)),
            escalations: (gate.escalations.iter())
                .map(|(to, after)| (self.value_function(to).0, self.milliseconds(after)))
                .collect(),
            distinct: gate.distinct,
        }
    }

    fn milliseconds(&self, expr: &Expr) -> i64 {
        match self.constant_of(expr) {
            Some(Const::Duration(duration)) => duration.0,
            _ => unreachable!("the checker wants a constant duration"),
        }
    }

    /// The value of a constant or of a parameter of the module.
    pub(super) fn constant_of(&self, expr: &Expr) -> Option<Const> {
        match &expr.kind {
            ExprKind::Const(value) => Some(value.clone()),
            ExprKind::Parameter(id) => {
                Some(self.policy.instances[self.unit.instance as usize].arguments[id.0 as usize].clone())
            }
            _ => None,
        }
    }

    fn obligation(&mut self, id: ObligationId, items: &'a [Expr]) -> (u32, Vec<FunctionId>) {
        (id.0, items.iter().map(|item| self.value_function(item).0).collect())
    }
}
