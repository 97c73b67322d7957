//! A copy of a package that tells which of its conditions were seen true and which false.
//!
//! To every part of a policy that tests can cover belongs a probe: an expression that is true exactly if the part was
//! seen in a certain way. Probes are the conditions of additional rules in shadow policies, which are reported with a
//! decision and never change it; so nothing needs to be known of how decisions are made.
//!
//! Parts are rules, the leaves of conditions (below `and`, `or`, `not`, `implies`, `if`), rows of tables and arms of
//! `match`. Leaves within quantifiers and `acyclic` count as seen if they were so for any element; leaves and rows of functions, if they
//! were so in any call of a rule. Since the language has no order of evaluation, every leaf is looked at whatever its
//! neighbours are; one that is an error was seen neither true nor false.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::shape::bound_in;
use crate::base::limits::PROBES_MAX;
use crate::base::span::Span;
use crate::types::operator::Operator;
use crate::types::ty::Type;
use crate::types::typed::{
    ActionId, Const, Effect, Expr, ExprKind, FunctionBody, FunctionDef, FunctionId, LetDef, LocalId, ModuleId, Pattern,
    PolicyDef, Quantifier, RuleDef, TableRow, TypedPolicy,
};

/// What can be covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// A rule or an invariant: its condition was true.
    Rule,
    /// A leaf of a condition.
    Condition,
    /// A row of a table, or an arm of a `match`: it was the one.
    Row,
}

/// How a part was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seen {
    /// A condition was true; a row was taken.
    True,
    /// A condition was false.
    False,
}

/// Something to cover: a part of the source, seen in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// Where.
    pub span: Span,
    /// What.
    pub part: Part,
    /// How.
    pub seen: Seen,
}

/// A package with probes.
#[derive(Clone, Debug)]
pub struct Instrumented {
    /// The package: as it was, and shadow policies behind.
    pub policy: TypedPolicy,
    /// What is to be covered, in source order.
    pub items: Vec<Item>,
    probes: HashMap<String, usize>,
}

impl Instrumented {
    /// What a shadow rule that matched shows to be covered: a place in `items`; nothing for the package's own rules.
    #[must_use]
    pub fn covered_by(&self, rule_id: &str) -> Option<usize> {
        let name = rule_id.rsplit('.').next()?;
        self.probes.get(name).copied()
    }
}

/// Adds probes for some of the modules. What the others do counts as far as it calls functions of these.
#[must_use]
pub fn instrument(policy: &TypedPolicy, modules: &BTreeSet<ModuleId>) -> Instrumented {
    let mut maker = Maker {
        modules,
        functions: policy.functions.clone(),
        function_probes: Vec::new(),
        policies: policy.policies.clone(),
        items: BTreeSet::new(),
        names: Vec::new(),
    };
    for at in 0..policy.functions.len() {
        let probes = maker.function(FunctionId(at as u32));
        maker.function_probes.push(probes);
    }
    for def in &policy.policies {
        let conditions = def.rules.iter().map(|rule| (rule.span, &rule.condition));
        let guarded = def.rules.iter().flat_map(|rule| {
            let quorum = match &rule.effect {
                Effect::RequireApproval(gate) => Some(&gate.quorum),
                _ => None,
            };
            let arguments = rule.obligations.iter().flat_map(|(_, arguments)| arguments);
            quorum.into_iter().chain(arguments).map(|value| (&rule.condition, value))
        });
        maker.shadow(def.module, &def.actions, &def.lets, conditions.collect(), guarded.collect(), def.span);
    }
    for def in &policy.invariants {
        maker.shadow(def.module, &def.actions, &def.lets, vec![(def.span, &def.violated)], Vec::new(), def.span);
    }
    let Maker { functions, policies, items, names, .. } = maker;
    let items: Vec<Item> = items.into_iter().collect();
    let probes = names
        .into_iter()
        .enumerate()
        .filter_map(|(at, item)| Some((probe_name(at), items.binary_search(&item).ok()?)))
        .collect();
    Instrumented { policy: TypedPolicy { functions, policies, ..policy.clone() }, items, probes }
}

/// No rule of a source can have such a name.
fn probe_name(at: usize) -> String {
    format!("?{at}")
}

struct Maker<'a> {
    modules: &'a BTreeSet<ModuleId>,
    functions: Vec<FunctionDef>,
    /// For each function of the package the probes that its calls give: a function of the same parameters to Bool each.
    function_probes: Vec<Vec<(Item, FunctionId)>>,
    policies: Vec<PolicyDef>,
    items: BTreeSet<Item>,
    /// The item of each probe rule, in the order of their names.
    names: Vec<Item>,
}

/// What binds a variable around a part: the variable and what it goes over.
type Around = Vec<(LocalId, Expr, Span)>;

impl Maker<'_> {
    /// A shadow policy with a rule for each probe of some conditions, of the `let`s that they read, and of quorums and
    /// arguments of obligations, each with the condition under which it is asked for.
    fn shadow(
        &mut self,
        module: ModuleId,
        actions: &[ActionId],
        lets: &[LetDef],
        conditions: Vec<(Span, &Expr)>,
        guarded: Vec<(&Expr, &Expr)>,
        span: Span,
    ) {
        let mut found = self.found(module);
        for (span, condition) in &conditions {
            found.add_own(Item { span: *span, part: Part::Rule, seen: Seen::True }, (*condition).clone(), &Vec::new());
        }
        for value in lets.iter().map(|def| &def.value).chain(conditions.into_iter().map(|(_, condition)| condition)) {
            self.walk(value, &mut Vec::new(), &mut found);
        }
        for (condition, value) in guarded {
            let mut inside = self.found(module);
            self.walk(value, &mut Vec::new(), &mut inside);
            for (item, probe) in inside.probes {
                let kind = ExprKind::Operator(Operator::And, vec![condition.clone(), probe]);
                let span = value.span;
                found.add(item, Expr { kind, ty: Type::Bool, span, fallible: true }, &Vec::new());
            }
        }
        if found.probes.is_empty() {
            return;
        }
        let mut rules = Vec::with_capacity(found.probes.len());
        for (item, condition) in found.probes {
            self.items.insert(item);
            if self.names.len() >= PROBES_MAX {
                continue;
            }
            rules.push(RuleDef {
                name: probe_name(self.names.len()).into(),
                effect: Effect::Deny,
                condition,
                code: None,
                message: None,
                obligations: Vec::new(),
                span: item.span,
            });
            self.names.push(item);
        }
        self.policies.push(PolicyDef {
            name: Arc::from("?coverage"),
            module,
            shadow: true,
            actions: actions.to_vec(),
            lets: lets.to_vec(),
            rules,
            span,
        });
    }

    /// The probes of a function: functions themselves, of the same parameters.
    fn function(&mut self, id: FunctionId) -> Vec<(Item, FunctionId)> {
        let def = self.functions[id.index()].clone();
        let mut found = self.found(def.module);
        let mut probes = Vec::new();
        match &def.body {
            FunctionBody::Expr(body) => self.walk(body, &mut Vec::new(), &mut found),
            FunctionBody::Table(rows) => {
                for (at, row) in rows.iter().enumerate() {
                    let item = Item { span: row.span, part: Part::Row, seen: Seen::True };
                    let hit = |(other, row): (usize, &TableRow)| TableRow {
                        value: bool(other == at, row.span),
                        ..row.clone()
                    };
                    if found.is_measured {
                        let body = FunctionBody::Table(rows.iter().enumerate().map(hit).collect());
                        probes.push((item, self.probe_function(&def, body)));
                    }
                    self.walk(&row.value, &mut Vec::new(), &mut found);
                }
            }
        }
        for (item, condition) in found.probes {
            let id = self.probe_function(&def, FunctionBody::Expr(condition));
            probes.push((item, id));
        }
        self.items.extend(probes.iter().map(|(item, _)| *item));
        probes
    }

    fn found(&self, module: ModuleId) -> Found {
        Found { is_measured: self.modules.contains(&module), probes: Vec::new() }
    }

    fn probe_function(&mut self, of: &FunctionDef, body: FunctionBody) -> FunctionId {
        let id = FunctionId(self.functions.len() as u32);
        self.functions.push(FunctionDef { result: Type::Bool, body, ..of.clone() });
        id
    }

    /// Finds what can be covered in an expression. `around` are the quantifiers that it stands in.
    fn walk(&self, expr: &Expr, around: &mut Around, found: &mut Found) {
        let is_opened = matches!(&expr.kind, ExprKind::Call(function, _)
            if self.function_probes.get(function.index()).is_some_and(|probes| !probes.is_empty()));
        if expr.ty == Type::Bool && is_leaf(expr) && !is_opened {
            let item = |seen| Item { span: expr.span, part: Part::Condition, seen };
            found.add_own(item(Seen::True), expr.clone(), around);
            found.add_own(item(Seen::False), not(expr.clone()), around);
        }
        match &expr.kind {
            ExprKind::Match(of, arms) => {
                for (at, (_, value)) in arms.iter().enumerate() {
                    let item = Item { span: value.span, part: Part::Row, seen: Seen::True };
                    let hit = |(other, (pattern, value)): (usize, &(Pattern, Expr))| {
                        (pattern.clone(), bool(other == at, value.span))
                    };
                    let kind = ExprKind::Match(of.clone(), arms.iter().enumerate().map(hit).collect());
                    found.add_own(item, Expr { kind, ty: Type::Bool, span: expr.span, fallible: true }, around);
                }
            }
            ExprKind::Call(function, arguments) => {
                for (item, probe) in self.function_probes.get(function.index()).into_iter().flatten() {
                    let kind = ExprKind::Call(*probe, arguments.clone());
                    found.add(*item, Expr { kind, ty: Type::Bool, span: expr.span, fallible: true }, around);
                }
            }
            _ => {}
        }
        let bound = bound_in(expr);
        let parts = expr.parts();
        for part in parts {
            let binds = bound.filter(|(_, over)| !std::ptr::eq(*over, part));
            if let Some((local, over)) = binds {
                around.push((local, over.clone(), expr.span));
            }
            self.walk(part, around, found);
            if binds.is_some() {
                around.pop();
            }
        }
    }
}

/// Probes as they are found in a module.
struct Found {
    is_measured: bool,
    probes: Vec<(Item, Expr)>,
}

impl Found {
    /// Adds a probe of a part that stands in the module itself, if it is measured.
    fn add_own(&mut self, item: Item, condition: Expr, around: &Around) {
        if self.is_measured {
            self.add(item, condition, around);
        }
    }

    fn add(&mut self, item: Item, condition: Expr, around: &Around) {
        let mut condition = Expr { fallible: true, ..condition };
        for (local, over, span) in around.iter().rev() {
            let kind = ExprKind::Quantifier(Quantifier::Any, *local, Box::new(over.clone()), Box::new(condition));
            condition = Expr { kind, ty: Type::Bool, span: *span, fallible: true };
        }
        self.probes.push((item, condition));
    }
}

/// Whether a Bool is neither made of others nor constant: a `let` is looked at where it stands, a quantifier by its body.
fn is_leaf(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Const(_) | ExprKind::Local(_) | ExprKind::If(..) | ExprKind::Match(..) | ExprKind::Quantifier(..) => {
            false
        }
        ExprKind::Operator(operator, _) => {
            !matches!(operator, Operator::And | Operator::Or | Operator::Implies | Operator::Not)
        }
        _ => true,
    }
}

fn not(expr: Expr) -> Expr {
    let span = expr.span;
    Expr { kind: ExprKind::Operator(Operator::Not, vec![expr]), ty: Type::Bool, span, fallible: true }
}

fn bool(value: bool, span: Span) -> Expr {
    Expr { kind: ExprKind::Const(Const::Bool(value)), ty: Type::Bool, span, fallible: false }
}
