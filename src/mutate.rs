//! Mutants of a policy: the same policy with one thing changed that a test should notice.
//!
//! `mutants` goes through the typed tree of some modules and gives every point at which it can be changed, in source order;
//! a mutant is applied to a tree and taken back again, so that thousands can be tried on one copy. This layer runs
//! nothing and never looks at files: who has tests to run on a mutant compiles it as any policy.
//!
//! Not changed are messages, documentation, claims, tests, and declarations of types: nothing of it decides.

mod constants;
mod expressions;
mod items;
pub mod reach;
mod rows;
mod show;
mod walk;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use crate::base::span::Span;
use crate::types::typed::{
    Const, Effect, EnumId, Expr, FunctionBody, FunctionDef, FunctionId, Gate, InvariantDef, LifecycleDef, ModuleId,
    Pattern, PolicyDef, PolicyId, TypedPolicy,
};

macro_rules! kinds {
    ($($name:ident $word:literal $what:literal;)*) => {
        /// What is changed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $(#[doc = concat!($what, ".")] $name,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            /// Its name in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$name => $word,)*
                }
            }

            /// What is changed, as the manual says it.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self {
                    $(Kind::$name => $what,)*
                }
            }
        }
    };
}

kinds! {
    Rule "rule" "a rule or an invariant is removed";
    Condition "condition" "a question is negated, `not` taken away, a part of `and`, `or`, `implies` dropped, the one made the other, a whole condition negated";
    Comparison "comparison" "`<` becomes `<=` or `>=`, `==` becomes `!=`, and so on";
    Quantifier "quantifier" "`any` becomes `all`, `all` becomes `any`";
    Branch "branch" "the branches of an `if` are swapped";
    Default "default" "`a ?? b` becomes `b`";
    Arithmetic "arithmetic" "`+` becomes `-`, `min` becomes `max`, `contains_all` becomes `contains_any` and the other way round; of `*`, `/`, `abs`, a negation, `union`, `intersect`, `except` only the first operand stays; a difference of moments is turned round";
    Argument "argument" "two arguments of a call are swapped, where their parameters are of one type";
    Constant "constant" "a constant becomes its neighbour: a number or a time one more and one less, another variant, text, address or entity, the other Bool; a collection loses an element, a set of states of a lifecycle gains one";
    Row "row" "the result of a row or an arm becomes its neighbour, or the row is removed where others take over";
    Pattern "pattern" "a number or the end of a range in a row or an arm moves by one, or an alternative is dropped";
    Gate "gate" "`within` is dropped, an escalation is dropped, `distinct` is added or dropped, a quorum that is computed becomes one more";
    Obligation "obligation" "an obligation is dropped";
    Code "code" "a code becomes another";
    Shadow "shadow" "a shadow policy counts";
    Lifecycle "lifecycle" "a step that is there is removed, one that is not is added";
    Parameter "parameter" "the value of a module's parameter becomes its neighbour";
}

/// A policy with one thing changed.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// What is changed and how, without places, so that it stays the same while other lines come and go:
    /// ``acme.release.production.newcomers: `subject.level < 3` becomes `subject.level <= 3` ``.
    pub name: Arc<str>,
    /// The part of the name that says how: `` `a < b` becomes `a <= b` ``.
    pub what: Arc<str>,
    /// The module.
    pub module: Arc<str>,
    /// What is changed.
    pub kind: Kind,
    /// Where.
    pub span: Span,
    change: Change,
}

/// An item whose expressions are numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Function(FunctionId),
    Policy(PolicyId),
    Invariant(u32),
}

/// A change of the tree.
#[derive(Clone, Debug)]
enum Change {
    /// The expression of this number in an item.
    Expr(Item, u32, Box<Expr>),
    RowRemoved(FunctionId, usize),
    Pattern(FunctionId, usize, usize, Pattern),
    RuleRemoved(PolicyId, usize),
    RuleCode(PolicyId, usize, Arc<str>),
    Gate(PolicyId, usize, Box<Gate>),
    ObligationRemoved(PolicyId, usize, usize),
    ShadowRemoved(PolicyId),
    InvariantRemoved(u32),
    InvariantCode(u32, Arc<str>),
    /// The step between two states is there or not.
    Step(EnumId, u32, u32),
    Argument(u32, usize, Const),
}

/// A point of the tree that can be changed, before it has its name.
struct Point {
    /// What the name begins with.
    path: Arc<str>,
    what: String,
    kind: Kind,
    span: Span,
    change: Change,
}

/// All mutants of some modules, in source order.
#[must_use]
pub fn mutants(policy: &TypedPolicy, modules: &BTreeSet<ModuleId>) -> Vec<Mutant> {
    let mut points = items::points(policy, modules);
    points.sort_by_key(|(_, point)| (point.span.file, point.span.start));
    let mut seen: HashMap<String, u32> = HashMap::new();
    let named = points.into_iter().map(|(module, point)| {
        let name = format!("{}: {}", point.path, point.what);
        let count = seen.entry(name.clone()).or_insert(0);
        *count += 1;
        let name = if *count == 1 { name } else { format!("{name} ({count})") };
        let Point { what, kind, span, change, .. } = point;
        Mutant { name: name.into(), what: what.into(), module, kind, span, change }
    });
    named.collect()
}

/// What a mutant has changed, to change it back.
#[derive(Debug)]
#[must_use = "the tree stays changed"]
pub struct Undo(Before);

#[derive(Debug)]
enum Before {
    Function(FunctionId, Box<FunctionDef>),
    Policy(PolicyId, Box<PolicyDef>),
    Invariant(u32, Box<InvariantDef>),
    Lifecycle(EnumId, Option<LifecycleDef>),
    Arguments(u32, Vec<Const>),
}

impl Mutant {
    /// Changes the tree that the mutant was made of, or a copy of it.
    pub fn apply(&self, policy: &mut TypedPolicy) -> Undo {
        let before = match &self.change {
            Change::Expr(Item::Function(id), ..) | Change::RowRemoved(id, _) | Change::Pattern(id, ..) => {
                Before::Function(*id, Box::new(policy.functions[id.index()].clone()))
            }
            Change::Expr(Item::Policy(id), ..)
            | Change::RuleRemoved(id, _)
            | Change::RuleCode(id, ..)
            | Change::Gate(id, ..)
            | Change::ObligationRemoved(id, ..)
            | Change::ShadowRemoved(id) => Before::Policy(*id, Box::new(policy.policies[id.index()].clone())),
            Change::Expr(Item::Invariant(at), ..) | Change::InvariantRemoved(at) | Change::InvariantCode(at, _) => {
                Before::Invariant(*at, Box::new(policy.invariants[*at as usize].clone()))
            }
            Change::Step(of, ..) => Before::Lifecycle(*of, policy.enums[of.index()].lifecycle.clone()),
            Change::Argument(at, ..) => Before::Arguments(*at, policy.instances[*at as usize].arguments.clone()),
        };
        self.change(policy);
        Undo(before)
    }

    /// A copy of the tree, changed.
    #[must_use]
    pub fn mutated(&self, policy: &TypedPolicy) -> TypedPolicy {
        let mut copy = policy.clone();
        self.change(&mut copy);
        copy
    }

    fn change(&self, policy: &mut TypedPolicy) {
        match &self.change {
            Change::Expr(item, number, expr) => {
                let roots = match item {
                    Item::Function(id) => walk::of_function_mut(&mut policy.functions[id.index()]),
                    Item::Policy(id) => walk::of_policy_mut(&mut policy.policies[id.index()]),
                    Item::Invariant(at) => walk::of_invariant_mut(&mut policy.invariants[*at as usize]),
                };
                let place = walk::nth_mut(roots, *number).expect("the mutant was made of this tree");
                *place = Expr::clone(expr);
                // What the checker knew to be there, or to fit, may have hung on what was changed.
                let roots = match item {
                    Item::Function(id) => walk::of_function_mut(&mut policy.functions[id.index()]),
                    Item::Policy(id) => walk::of_policy_mut(&mut policy.policies[id.index()]),
                    Item::Invariant(at) => walk::of_invariant_mut(&mut policy.invariants[*at as usize]),
                };
                roots.into_iter().for_each(walk::may_fail);
            }
            Change::RowRemoved(id, row) => {
                if let FunctionBody::Table(rows) = &mut policy.functions[id.index()].body {
                    rows.remove(*row);
                }
            }
            Change::Pattern(id, row, column, pattern) => {
                if let FunctionBody::Table(rows) = &mut policy.functions[id.index()].body {
                    rows[*row].patterns[*column] = pattern.clone();
                }
            }
            Change::RuleRemoved(id, rule) => {
                policy.policies[id.index()].rules.remove(*rule);
            }
            Change::RuleCode(id, rule, code) => policy.policies[id.index()].rules[*rule].code = Some(code.clone()),
            Change::Gate(id, rule, gate) => {
                policy.policies[id.index()].rules[*rule].effect = Effect::RequireApproval(Gate::clone(gate));
            }
            Change::ObligationRemoved(id, rule, at) => {
                policy.policies[id.index()].rules[*rule].obligations.remove(*at);
            }
            Change::ShadowRemoved(id) => policy.policies[id.index()].shadow = false,
            // It keeps its place, so that nothing else is numbered otherwise.
            Change::InvariantRemoved(at) => policy.invariants[*at as usize].actions.clear(),
            Change::InvariantCode(at, code) => policy.invariants[*at as usize].code = Some(code.clone()),
            Change::Step(of, from, to) => {
                if let Some(lifecycle) = &mut policy.enums[of.index()].lifecycle {
                    let steps = &mut lifecycle.steps[*from as usize];
                    match steps.binary_search(to) {
                        Ok(at) => drop(steps.remove(at)),
                        Err(at) => steps.insert(at, *to),
                    }
                }
            }
            Change::Argument(at, parameter, value) => {
                policy.instances[*at as usize].arguments[*parameter] = value.clone();
            }
        }
    }
}

impl Undo {
    /// Makes the tree what it was.
    pub fn undo(self, policy: &mut TypedPolicy) {
        match self.0 {
            Before::Function(id, def) => policy.functions[id.index()] = *def,
            Before::Policy(id, def) => policy.policies[id.index()] = *def,
            Before::Invariant(at, def) => policy.invariants[at as usize] = *def,
            Before::Lifecycle(of, lifecycle) => policy.enums[of.index()].lifecycle = lifecycle,
            Before::Arguments(at, arguments) => policy.instances[at as usize].arguments = arguments,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
