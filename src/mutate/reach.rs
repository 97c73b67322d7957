//! Which actions a mutant can matter to: the others need neither be compiled nor asked about.

use std::collections::BTreeSet;

use crate::mutate::{Change, Item, Mutant, walk};
use crate::types::typed::{ActionId, EnumId, Expr, ExprKind, FunctionId, ModuleId, PolicyId, TypedPolicy};

/// What an item leads to.
#[derive(Clone, Debug, Default)]
struct Uses {
    functions: BTreeSet<FunctionId>,
    /// Enums whose steps are asked for.
    lifecycles: BTreeSet<EnumId>,
}

/// What leads where in a policy.
#[derive(Clone, Debug)]
pub struct Reach {
    policies: Vec<(ModuleId, Vec<ActionId>, Uses)>,
    invariants: Vec<(ModuleId, Vec<ActionId>, Uses)>,
}

impl Reach {
    /// Looks at a policy.
    #[must_use]
    pub fn new(policy: &TypedPolicy) -> Reach {
        let mut functions: Vec<Uses> = Vec::with_capacity(policy.functions.len());
        for def in &policy.functions {
            let uses = uses(&functions, walk::of_function(def));
            functions.push(uses);
        }
        let policies = policy.policies.iter();
        let invariants = policy.invariants.iter();
        Reach {
            policies: policies
                .map(|def| (def.module, def.actions.clone(), uses(&functions, walk::of_policy(def))))
                .collect(),
            invariants: invariants
                .map(|def| (def.module, def.actions.clone(), uses(&functions, walk::of_invariant(def))))
                .collect(),
        }
    }

    /// The actions on which a mutant of this policy may decide otherwise.
    #[must_use]
    pub fn of(&self, mutant: &Mutant, policy: &TypedPolicy) -> BTreeSet<ActionId> {
        match &mutant.change {
            Change::Expr(Item::Function(id), ..) | Change::RowRemoved(id, _) | Change::Pattern(id, ..) => {
                self.those(&|_, uses| uses.functions.contains(id))
            }
            Change::Expr(Item::Policy(PolicyId(at)), ..)
            | Change::RuleRemoved(PolicyId(at), _)
            | Change::RuleCode(PolicyId(at), ..)
            | Change::Gate(PolicyId(at), ..)
            | Change::ObligationRemoved(PolicyId(at), ..)
            | Change::ShadowRemoved(PolicyId(at)) => self.policies[*at as usize].1.iter().copied().collect(),
            Change::Expr(Item::Invariant(at), ..) | Change::InvariantRemoved(at) | Change::InvariantCode(at, _) => {
                self.invariants[*at as usize].1.iter().copied().collect()
            }
            Change::Step(of, ..) => self.those(&|_, uses| uses.lifecycles.contains(of)),
            Change::Argument(at, ..) => {
                let of = policy.instances[*at as usize].module;
                self.those(&|module, _| module == of)
            }
        }
    }

    fn those(&self, is_meant: &dyn Fn(ModuleId, &Uses) -> bool) -> BTreeSet<ActionId> {
        let meant = self.policies.iter().chain(&self.invariants).filter(|(module, _, uses)| is_meant(*module, uses));
        meant.flat_map(|(_, actions, _)| actions.iter().copied()).collect()
    }

    /// Whether anything that is on an action asks for the steps of a lifecycle.
    #[must_use]
    pub fn steps_are_asked(&self, of: EnumId) -> bool {
        self.policies.iter().chain(&self.invariants).any(|(_, _, uses)| uses.lifecycles.contains(&of))
    }
}

fn uses(functions: &[Uses], roots: Vec<&Expr>) -> Uses {
    let mut found = Uses::default();
    for root in roots {
        walk::for_each(root, &mut |expr| match &expr.kind {
            ExprKind::Call(function, _) => {
                found.functions.insert(*function);
                if let Some(inner) = functions.get(function.index()) {
                    found.functions.extend(&inner.functions);
                    found.lifecycles.extend(&inner.lifecycles);
                }
            }
            ExprKind::StepsTo(of, ..) => {
                found.lifecycles.insert(*of);
            }
            _ => {}
        });
    }
    found
}
