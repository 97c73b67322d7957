//! A copy of a package that tells which of its claims a request refutes.
//!
//! Claims are proved over all requests elsewhere, and are no part of a bundle. But every request that is decided anyway,
//! such as those of tests, can be held against them. As in [`super::coverage`], what has to be known of a request is asked
//! by additional rules in shadow policies: the condition of a claim, and, where a claim is about rules, those rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::types::ty::Type;
use crate::types::typed::{
    Answer, Claim, Const, Effect, Expr, ExprKind, ModuleId, PolicyDef, PolicyId, ProveDef, RuleDef, TypedPolicy,
};

/// A package with probes for its claims.
#[derive(Clone, Debug)]
pub struct Instrumented {
    /// The package: as it was, and shadow policies behind.
    pub policy: TypedPolicy,
}

/// A claim: the place of its block in `TypedPolicy::proves`, and its own place there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimId {
    /// The block.
    pub prove: usize,
    /// The claim.
    pub claim: usize,
}

/// Adds probes for all claims; nothing where nothing is claimed.
#[must_use]
pub fn instrument(policy: &TypedPolicy) -> Option<Instrumented> {
    let mut policies = policy.policies.clone();
    let mut named = BTreeSet::new();
    for (at, prove) in policy.proves.iter().enumerate() {
        let asked = prove.claims.iter().enumerate().map(|(place, (claim, _))| match claim {
            Claim::Never(_, condition) | Claim::Always(_, condition) => (place, condition.clone()),
            Claim::PolicyImplies(..) | Claim::AtMostOne(_) | Claim::RuleImplies(..) => (place, always(prove)),
        });
        let rules = asked.map(|(place, condition)| probe(prove_probe(at, place), condition)).collect();
        policies.push(PolicyDef {
            name: Arc::from("?claims"),
            module: prove.module,
            shadow: true,
            actions: prove.actions.clone(),
            lets: prove.lets.clone(),
            rules,
            span: prove.span,
        });
        for (claim, _) in &prove.claims {
            match claim {
                Claim::Never(..) | Claim::Always(..) => {}
                Claim::PolicyImplies(one, other) => named.extend([*one, *other]),
                Claim::AtMostOne(rules) => named.extend(rules.iter().map(|(policy, _)| *policy)),
                Claim::RuleImplies((one, _), (other, _)) => named.extend([*one, *other]),
            }
        }
    }
    if policy.proves.is_empty() {
        return None;
    }
    for id in named {
        let of = &policy.policies[id.index()];
        let rules = of.rules.iter().enumerate();
        let rules = rules.map(|(place, rule)| probe(rule_probe((id, place as u32)), rule.condition.clone())).collect();
        policies.push(PolicyDef { name: Arc::from("?rules"), shadow: true, rules, ..of.clone() });
    }
    Some(Instrumented { policy: TypedPolicy { policies, ..policy.clone() } })
}

/// No rule of a source can have such a name.
fn prove_probe(prove: usize, claim: usize) -> String {
    format!("?{prove}_{claim}")
}

fn rule_probe((policy, rule): (PolicyId, u32)) -> String {
    format!("?rule{}_{rule}", policy.0)
}

fn probe(name: String, condition: Expr) -> RuleDef {
    let span = condition.span;
    RuleDef {
        name: name.into(),
        effect: Effect::Deny,
        condition: Expr { fallible: true, ..condition },
        code: None,
        message: None,
        obligations: Vec::new(),
        span,
    }
}

fn always(prove: &ProveDef) -> Expr {
    Expr { kind: ExprKind::Const(Const::Bool(true)), ty: Type::Bool, span: prove.span, fallible: false }
}

impl Instrumented {
    /// The claims that a request refutes, by its answer and by the ids of the shadow rules that matched.
    pub fn refuted<'a>(&self, answer: Answer, matched: impl Iterator<Item = &'a str>) -> Vec<ClaimId> {
        let mut by_name: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for id in matched {
            if let Some((instance, name)) = id.rsplit_once('.') {
                by_name.entry(name).or_default().insert(instance);
            }
        }
        let matched = Matched { policy: &self.policy, by_name };
        let mut refuted = Vec::new();
        for (prove, def) in self.policy.proves.iter().enumerate() {
            for (claim, (said, _)) in def.claims.iter().enumerate() {
                if matched.by_name.contains_key(&*prove_probe(prove, claim)) && matched.refutes(said, answer) {
                    refuted.push(ClaimId { prove, claim });
                }
            }
        }
        refuted
    }
}

/// Which probes matched, in which instances of their modules.
struct Matched<'a> {
    policy: &'a TypedPolicy,
    by_name: BTreeMap<&'a str, BTreeSet<&'a str>>,
}

impl Matched<'_> {
    /// Whether a claim that is about this request does not hold for it.
    fn refutes(&self, claim: &Claim, answer: Answer) -> bool {
        match claim {
            Claim::Never(never, _) => answer == *never,
            Claim::Always(always, _) => answer != *always,
            Claim::PolicyImplies(one, other) => self.in_some_instance(&[*one, *other], |instance| {
                self.permits(*one, instance) && !self.permits(*other, instance)
            }),
            Claim::AtMostOne(rules) => {
                let policies: Vec<PolicyId> = rules.iter().map(|(policy, _)| *policy).collect();
                self.in_some_instance(&policies, |instance| {
                    rules.iter().filter(|rule| self.matches(**rule, instance)).count() > 1
                })
            }
            Claim::RuleImplies(one, other) => self.in_some_instance(&[one.0, other.0], |instance| {
                self.matches(*one, instance) && !self.matches(*other, instance)
            }),
        }
    }

    /// Rules of one module are compared within each of its instances, those of several over all instances.
    fn in_some_instance(&self, policies: &[PolicyId], holds: impl Fn(Option<&str>) -> bool) -> bool {
        let modules: BTreeSet<ModuleId> =
            policies.iter().map(|policy| self.policy.policies[policy.index()].module).collect();
        if modules.len() > 1 {
            return holds(None);
        }
        let instances = self.policy.instances.iter().filter(|instance| modules.contains(&instance.module));
        instances.map(|instance| &*instance.prefix).any(|prefix| holds(Some(prefix)))
    }

    fn matches(&self, rule: (PolicyId, u32), instance: Option<&str>) -> bool {
        let Some(instances) = self.by_name.get(&*rule_probe(rule)) else { return false };
        instance.is_none_or(|instance| instances.contains(instance))
    }

    /// Whether the rules of a policy alone would answer ALLOW.
    fn permits(&self, policy: PolicyId, instance: Option<&str>) -> bool {
        let rules = self.policy.policies[policy.index()].rules.iter().enumerate();
        let mut allowed = false;
        for (place, _) in rules.clone().filter(|(place, _)| self.matches((policy, *place as u32), instance)) {
            match self.policy.policies[policy.index()].rules[place].effect {
                Effect::Allow => allowed = true,
                Effect::Deny | Effect::RequireApproval(_) => return false,
            }
        }
        allowed
    }
}
