//! What a policy answers, as formulas: for one action, and subject and resource of one type each.

use std::sync::Arc;

use crate::analysis::encode::{Encoder, Leaf, Truth};
use crate::analysis::formula::F;
use crate::analysis::key;
use crate::analysis::value::{Sym, pairwise};
use crate::analysis::world::World;
use crate::base::span::Span;
use crate::types::typed::{Answer, Effect, Expr, Gate, ObligationId};

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Grants.
    Allow,
    /// Denies.
    Deny,
    /// Is an invariant.
    Violation,
    /// Asks for approval.
    RequireApproval,
}

/// A rule or an invariant.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id in decisions.
    pub id: Arc<str>,
    /// What it does.
    pub does: Does,
    /// It is reported and does not count.
    pub shadow: bool,
    /// Where.
    pub span: Span,
    /// The policy (its place in the typed tree) and the rule's place in it; of an invariant its place alone.
    pub place: (usize, usize),
    /// The instance of the module.
    pub instance: usize,
    /// What its condition comes to.
    pub condition: Truth,
    /// Its code.
    pub code: Option<Arc<str>>,
    /// Its gate.
    pub gate: Option<GateSym>,
    /// Its obligations.
    pub obligations: Vec<Obliged>,
    /// What follows from it, as a text: equal texts mean equal gates, obligations, codes and messages.
    pub follows: Arc<str>,
    /// When its gate or an argument is an error.
    pub consequence: F,
}

/// An obligation.
#[derive(Clone, Debug)]
pub struct Obliged {
    /// Its name.
    pub name: Arc<str>,
    /// Its arguments.
    pub arguments: Vec<Argument>,
}

/// An argument of an obligation.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its value.
    pub sym: Sym,
    /// The same as PDL.
    pub text: String,
}

/// A gate.
#[derive(Clone, Debug)]
pub struct GateSym {
    /// The group.
    pub from: Sym,
    /// How many.
    pub quorum: Sym,
    /// Until when, in milliseconds.
    pub within: Option<Sym>,
    /// To whom next, and after how long.
    pub escalations: Vec<(Sym, Sym)>,
    /// Voters of other gates don't count.
    pub distinct: bool,
}

/// All that is decided of a request.
#[derive(Clone, Debug)]
pub struct Decided {
    /// The rules, in source order.
    pub rules: Vec<Rule>,
    /// When the request and the entities are accepted.
    pub valid: F,
    /// When some rule fails that counts.
    pub error: F,
    /// An invariant is violated.
    pub violated: F,
    /// A rule denies.
    pub denied: F,
    /// A rule allows.
    pub allowed: F,
    /// A rule asks for approval.
    pub asked: F,
    /// The conditions that all of it is made of.
    pub leaves: Vec<Leaf>,
}

impl Decided {
    /// When this is the answer.
    pub fn answers(&self, world: &mut World<'_>, answer: Answer) -> F {
        let formulas = &mut world.cx.formulas;
        let passes = formulas.and([self.valid, !self.error, !self.violated, !self.denied, self.allowed]);
        match answer {
            Answer::Allow => formulas.both(passes, !self.asked),
            Answer::RequireApproval => formulas.both(passes, self.asked),
            Answer::Deny => !passes,
        }
    }
}

/// Encodes what a side of the world decides.
pub fn decide(world: &mut World<'_>, side: usize) -> Decided {
    let policy = world.sides[side];
    let mut rules: Vec<Rule> = Vec::new();
    let mut leaves: Vec<Leaf> = Vec::new();
    let possible = is_possible(world, side);
    if let (Some(action), true) = (world.action[side], possible) {
        let on = |actions: &[crate::types::typed::ActionId]| actions.iter().any(|id| id.index() == action);
        for (number, instance) in policy.instances.iter().enumerate() {
            for (at, def) in policy.policies.iter().enumerate() {
                if def.module != instance.module || !on(&def.actions) {
                    continue;
                }
                let mut encoder = Encoder::new(world, side, number, &def.lets);
                for (place, rule) in def.rules.iter().enumerate() {
                    let condition = encoder.condition(&rule.condition);
                    let (does, gate) = match &rule.effect {
                        Effect::Allow => (Does::Allow, None),
                        Effect::Deny => (Does::Deny, None),
                        Effect::RequireApproval(gate) => (Does::RequireApproval, Some(gate)),
                    };
                    let (gate, obligations, consequence) = consequences(&mut encoder, gate, &rule.obligations);
                    rules.push(Rule {
                        id: format!("{}.{}", instance.prefix, rule.name).into(),
                        does,
                        shadow: def.shadow,
                        span: rule.span,
                        place: (at, place),
                        instance: number,
                        condition,
                        code: rule.code.clone(),
                        gate,
                        obligations,
                        follows: key::follows(policy, instance, rule).into(),
                        consequence,
                    });
                }
                add(&mut leaves, encoder.take_leaves());
            }
            for (at, def) in policy.invariants.iter().enumerate() {
                if def.module != instance.module || !on(&def.actions) {
                    continue;
                }
                let mut encoder = Encoder::new(world, side, number, &def.lets);
                let condition = encoder.condition(&def.violated);
                add(&mut leaves, encoder.take_leaves());
                rules.push(Rule {
                    id: format!("{}.{}", instance.prefix, def.name).into(),
                    does: Does::Violation,
                    shadow: false,
                    span: def.span,
                    place: (at, 0),
                    instance: number,
                    condition,
                    code: def.code.clone(),
                    gate: None,
                    obligations: Vec::new(),
                    follows: key::follows_of_invariant(policy, instance, def).into(),
                    consequence: F::FALSE,
                });
            }
        }
        rules.sort_by_key(|rule| (rule.span, rule.instance));
    }
    join(world, side, rules, leaves)
}

fn add(leaves: &mut Vec<Leaf>, new: Vec<Leaf>) {
    for leaf in new {
        if !leaves.iter().any(|known| known.yes == leaf.yes && known.no == leaf.no) {
            leaves.push(leaf);
        }
    }
}

/// Whether the side has the action, for subject and resource of these types.
fn is_possible(world: &World<'_>, side: usize) -> bool {
    let Some(action) = world.action[side] else { return false };
    let policy = world.sides[side];
    let def = &policy.actions[action];
    [(world.subject, &def.subject), (world.resource, &def.resource)].into_iter().all(|(term, allowed)| {
        let name = &world.term(term).ty;
        allowed.iter().any(|ty| policy.entity_types[ty.index()].wire == *name)
    })
}

fn consequences<'a>(
    encoder: &mut Encoder<'_, 'a>,
    gate: Option<&'a Gate>,
    obligations: &'a [(ObligationId, Vec<Expr>)],
) -> (Option<GateSym>, Vec<Obliged>, F) {
    let mut errors = Vec::new();
    let gate = gate.map(|gate| {
        let mut value = |encoder: &mut Encoder<'_, 'a>, expr: &'a Expr| {
            let value = encoder.value(expr);
            errors.push(value.error);
            value.sym
        };
        let quorum = value(encoder, &gate.quorum);
        let gate = GateSym {
            from: value(encoder, &gate.from),
            quorum: quorum.clone(),
            within: gate.within.as_ref().map(|within| value(encoder, within)),
            escalations: gate
                .escalations
                .iter()
                .map(|(to, after)| (value(encoder, to), value(encoder, after)))
                .collect(),
            distinct: gate.distinct,
        };
        // A quorum below one is an error of its own.
        if let Sym::Number(choice) = &quorum {
            let cx = &mut encoder.world.cx;
            let too_small =
                pairwise(cx, choice, &vec![(F::TRUE, ())], |cx, sum, ()| cx.formulas.at_most(&cx.numbers, sum, 0));
            errors.push(too_small);
        }
        gate
    });
    let mut all = Vec::with_capacity(obligations.len());
    for (id, arguments) in obligations {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let value = encoder.value(argument);
            errors.push(value.error);
            values.push(Argument { sym: value.sym, text: encoder.shown(argument) });
        }
        all.push(Obliged { name: encoder.obligation(*id), arguments: values });
    }
    let consequence = encoder.world.cx.formulas.or(errors);
    (gate, all, consequence)
}

/// When a side accepts the request and the entities, as far as anything was read of them by either side.
pub fn accepts(world: &mut World<'_>, side: usize) -> F {
    let possible = is_possible(world, side);
    let valid = world.valid[side].clone();
    let formulas = &mut world.cx.formulas;
    let valid = formulas.and(valid);
    formulas.both(valid, F::constant(possible))
}

fn join(world: &mut World<'_>, side: usize, rules: Vec<Rule>, leaves: Vec<Leaf>) -> Decided {
    let valid = accepts(world, side);
    let formulas = &mut world.cx.formulas;
    let counting = |does: Does| rules.iter().filter(move |rule| rule.does == does && !rule.shadow);
    let violated = formulas.or(counting(Does::Violation).map(|rule| rule.condition.yes));
    let denied = formulas.or(counting(Does::Deny).map(|rule| rule.condition.yes));
    let allowed = formulas.or(counting(Does::Allow).map(|rule| rule.condition.yes));
    let asked = formulas.or(counting(Does::RequireApproval).map(|rule| rule.condition.yes));
    let mut errors: Vec<F> = rules.iter().filter(|rule| !rule.shadow).map(|rule| rule.condition.error).collect();
    // What follows from a rule is looked at only where the rule determines the answer.
    let passes = formulas.and([!violated, !denied, allowed]);
    for rule in rules.iter().filter(|rule| !rule.shadow && rule.consequence != F::FALSE) {
        let determines = match rule.does {
            Does::RequireApproval => passes,
            Does::Allow => formulas.both(passes, !asked),
            Does::Deny | Does::Violation => F::FALSE,
        };
        errors.push(formulas.and([determines, rule.condition.yes, rule.consequence]));
    }
    let error = formulas.or(errors);
    Decided { rules, valid, error, violated, denied, allowed, asked, leaves }
}

/// When the first gate asks for no less than the second: the same group, as many people or more, no more time.
pub fn at_least_as_strict(world: &mut World<'_>, gate: &GateSym, than: &GateSym) -> F {
    let mut parts = vec![world.equal(&gate.from, &than.from)];
    parts.push(!less(world, &gate.quorum, &than.quorum));
    parts.push(F::constant(gate.distinct || !than.distinct));
    match (&gate.within, &than.within) {
        (Some(one), Some(other)) => parts.push(!less(world, other, one)),
        (None, Some(_)) => parts.push(F::FALSE),
        (_, None) => {}
    }
    // Whoever may agree in the end could before, and no earlier.
    for (to, after) in &gate.escalations {
        let mut found = Vec::new();
        for (known, then) in &than.escalations {
            let same = world.equal(to, known);
            let earlier = less(world, after, then);
            found.push(world.cx.formulas.both(same, !earlier));
        }
        parts.push(world.cx.formulas.or(found));
    }
    world.cx.formulas.and(parts)
}

fn less(world: &mut World<'_>, one: &Sym, other: &Sym) -> F {
    match (one, other) {
        (Sym::Number(one), Sym::Number(other)) => pairwise(&mut world.cx, one, other, |cx, one, other| {
            one.plus(other, -1).map_or(F::TRUE, |difference| cx.formulas.at_most(&cx.numbers, &difference, -1))
        }),
        _ => F::TRUE,
    }
}
