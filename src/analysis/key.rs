//! What a kind of request depends on, as a text: equal texts mean equal decisions, so that what did not change need not
//! be encoded, and what was proved once need not be proved again.
//!
//! The text has everything that is declared, each function, and each rule and claim on the action; and nothing of where
//! it stands. It is wide on purpose: a change that has nothing to do with an action may make a new key, a change that
//! has cannot keep the old one.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::analysis::diff::schema;
use crate::analysis::display;
use crate::base::hash::Digest;
use crate::types::typed::{
    ActionId, Claim, Const, Effect, Expr, FunctionBody, Instance, InvariantDef, LetDef, MessagePart, PolicyId, RuleDef,
    TypedPolicy,
};

/// Which search it is. Raised when the same text may come to mean something else, or to be answered otherwise: whatever
/// was kept before is asked again then.
pub const ENGINE: &str = "2";

/// What is common to all actions: the vocabulary and the functions.
#[must_use]
pub fn common(policy: &TypedPolicy) -> String {
    let mut text = String::new();
    for (name, (what, _)) in schema::declared(policy) {
        let _ = writeln!(text, "{name}: {what}");
    }
    for def in &policy.obligations {
        let parameters: Vec<String> =
            def.parameters.iter().map(|one| format!("{}: {}", one.name, schema::shown(policy, &one.ty))).collect();
        let _ = writeln!(text, "obligation {}({})", def.wire, parameters.join(", "));
    }
    for (number, (name, body)) in functions(policy).into_iter().enumerate() {
        let _ = writeln!(text, "fn {number} {name}{body}");
    }
    text
}

/// Each function: its name, and what it takes and gives.
#[must_use]
pub fn functions(policy: &TypedPolicy) -> Vec<(Arc<str>, String)> {
    let printer = Printer { policy, arguments: &[] };
    let mut all = Vec::with_capacity(policy.functions.len());
    for def in &policy.functions {
        let mut text = format!(": {} =", schema::shown(policy, &def.result));
        for parameter in &def.parameters {
            let _ = write!(text, " {}: {}", parameter.local.0, schema::shown(policy, &parameter.ty));
        }
        match &def.body {
            FunctionBody::Expr(body) => printer.expr(&mut text, body),
            FunctionBody::Table(rows) => {
                for row in rows {
                    let _ = write!(text, " | {:?} =>", row.patterns);
                    printer.expr(&mut text, &row.value);
                }
            }
        }
        all.push((def.name.clone(), text));
    }
    all
}

/// What is on one action: its rules, invariants and claims, of each instance.
#[must_use]
pub fn of_action(policy: &TypedPolicy, action: ActionId) -> String {
    let mut text = String::new();
    for instance in &policy.instances {
        let printer = Printer { policy, arguments: &instance.arguments };
        printer.instance(&mut text, instance, action);
    }
    text
}

/// What follows from a rule where it determines the answer: its gate, code, message and obligations, the last by name.
#[must_use]
pub fn follows(policy: &TypedPolicy, instance: &Instance, rule: &RuleDef) -> String {
    let printer = Printer { policy, arguments: &instance.arguments };
    let mut text = String::new();
    printer.gate(&mut text, &rule.effect);
    let _ = write!(text, " {:?}", rule.code);
    printer.message(&mut text, &rule.message);
    for (id, arguments) in &rule.obligations {
        let _ = write!(text, " oblige {}", policy.obligations[id.index()].wire);
        arguments.iter().for_each(|argument| printer.expr(&mut text, argument));
    }
    text
}

/// The same of an invariant: its code and message.
#[must_use]
pub fn follows_of_invariant(policy: &TypedPolicy, instance: &Instance, def: &InvariantDef) -> String {
    let printer = Printer { policy, arguments: &instance.arguments };
    let mut text = format!("{:?}", def.code);
    printer.message(&mut text, &def.message);
    text
}

/// The name of a text.
#[must_use]
pub fn digest(parts: &[&str]) -> Digest {
    let mut all = String::new();
    for part in parts {
        let _ = write!(all, "{}:{part}", part.len());
    }
    Digest::of(all.as_bytes())
}

struct Printer<'a> {
    policy: &'a TypedPolicy,
    arguments: &'a [Const],
}

impl Printer<'_> {
    /// By name: places in the tree move when something else is added.
    fn policy_name(&self, id: PolicyId) -> String {
        let def = &self.policy.policies[id.index()];
        format!("{}.{}", self.policy.modules[def.module.index()].name, def.name)
    }

    fn rule_name(&self, (policy, place): (PolicyId, u32)) -> String {
        let rule = self.policy.policies[policy.index()].rules.get(place as usize).map(|rule| rule.name.clone());
        format!("{}.{}", self.policy_name(policy), rule.unwrap_or_default())
    }

    fn expr(&self, text: &mut String, expr: &Expr) {
        // Locals by their numbers: the `let`s stand beside.
        let shown = display::precise(self.policy, self.arguments, expr, &|local| Some(format!("l{}", local.0)));
        let _ = write!(text, " {shown}");
    }

    fn lets(&self, text: &mut String, lets: &[LetDef]) {
        for def in lets {
            let _ = write!(text, " let l{} =", def.local.0);
            self.expr(text, &def.value);
        }
    }

    fn message(&self, text: &mut String, message: &Option<Vec<MessagePart>>) {
        for part in message.iter().flatten() {
            match part {
                MessagePart::Text(words) => {
                    let _ = write!(text, " {}", display::quoted(words));
                }
                MessagePart::Read(expr) => self.expr(text, expr),
            }
        }
    }

    fn gate(&self, text: &mut String, effect: &Effect) {
        match effect {
            Effect::Allow => text.push_str(" allow"),
            Effect::Deny => text.push_str(" deny"),
            Effect::RequireApproval(gate) => {
                let _ = write!(text, " require {}", gate.distinct);
                let escalated = gate.escalations.iter().flat_map(|(to, after)| [to, after]);
                for part in [&gate.from, &gate.quorum].into_iter().chain(&gate.within).chain(escalated) {
                    self.expr(text, part);
                }
            }
        }
    }

    fn instance(&self, text: &mut String, instance: &Instance, action: ActionId) {
        for def in self.policy.policies.iter().filter(|def| def.module == instance.module) {
            if !def.actions.contains(&action) {
                continue;
            }
            let _ = write!(text, "policy {} {} {}", instance.prefix, def.name, def.shadow);
            self.lets(text, &def.lets);
            for rule in &def.rules {
                let _ = write!(text, "\nrule {} {:?}", rule.name, rule.code);
                self.gate(text, &rule.effect);
                self.expr(text, &rule.condition);
                self.message(text, &rule.message);
                for (id, arguments) in &rule.obligations {
                    let _ = write!(text, " oblige {}", id.0);
                    arguments.iter().for_each(|argument| self.expr(text, argument));
                }
            }
            text.push('\n');
        }
        for def in self.policy.invariants.iter().filter(|def| def.module == instance.module) {
            if def.actions.contains(&action) {
                let _ = write!(text, "invariant {} {} {:?}", instance.prefix, def.name, def.code);
                self.lets(text, &def.lets);
                self.expr(text, &def.violated);
                self.message(text, &def.message);
                text.push('\n');
            }
        }
        for def in self.policy.proves.iter().filter(|def| def.module == instance.module) {
            if def.actions.contains(&action) {
                let module = &self.policy.modules[def.module.index()].name;
                let _ = write!(text, "prove {} {module}.{}", instance.prefix, def.name);
                self.lets(text, &def.lets);
                for (claim, _) in &def.claims {
                    match claim {
                        Claim::Never(answer, condition) => {
                            let _ = write!(text, " never {answer:?}");
                            self.expr(text, condition);
                        }
                        Claim::Always(answer, condition) => {
                            let _ = write!(text, " always {answer:?}");
                            self.expr(text, condition);
                        }
                        Claim::PolicyImplies(one, other) => {
                            let _ = write!(text, " {} implies {}", self.policy_name(*one), self.policy_name(*other));
                        }
                        Claim::AtMostOne(rules) => {
                            let names: Vec<String> = rules.iter().map(|rule| self.rule_name(*rule)).collect();
                            let _ = write!(text, " at most one of {}", names.join(", "));
                        }
                        Claim::RuleImplies(one, other) => {
                            let _ = write!(text, " rule {} implies {}", self.rule_name(*one), self.rule_name(*other));
                        }
                    }
                }
                text.push('\n');
            }
        }
    }
}
