//! Policies and invariants: what each rule does, when, and what it says.

use crate::base::span::Span;
use crate::document::markdown::{self, block, code, paragraphs};
use crate::document::names::heading;
use crate::document::types::Writer;
use crate::syntax::ast::{Clause, ClauseKind, Doc, Effect, Invariant, InvariantLine, Policy, PolicyLine, Rule};

/// What stands beside the conditions of a rule.
#[derive(Debug, Default)]
struct Says {
    codes: Vec<String>,
    messages: Vec<String>,
    obligations: Vec<String>,
    /// From whom, how many, within which time, and to whom it goes after that.
    gate: Vec<String>,
}

impl Writer<'_> {
    /// The rules of a policy, each under a heading, with the `let` lines where they stand.
    pub fn policy(&self, policy: &Policy) -> String {
        let mut out = format!("On {}.\n", self.paths(&policy.on, "and"));
        if policy.shadow.is_some() {
            out.push_str("\nIn the shadow: what it would say is reported and decides nothing.\n");
        }
        let mut lets: Vec<(Span, &Doc)> = Vec::new();
        for line in &policy.lines {
            match line {
                PolicyLine::Let(one) => lets.push((one.span, &one.doc)),
                PolicyLine::Rule(rule) => {
                    self.push_lets(&mut out, &mut lets);
                    out.push_str(&format!("\n### {}\n\n", heading(effect(rule.effect), &rule.name.text)));
                    out.push_str(&self.rule(rule));
                }
                PolicyLine::Error(_) => {}
            }
        }
        self.push_lets(&mut out, &mut lets);
        out
    }

    fn push_lets(&self, out: &mut String, lets: &mut Vec<(Span, &Doc)>) {
        if !lets.is_empty() {
            out.push_str(&format!("\nThe rules below read:\n\n{}", self.code_with_comments(lets)));
            lets.clear();
        }
    }

    fn rule(&self, rule: &Rule) -> String {
        let mut parts = vec![paragraphs(&rule.doc, 3)];
        let conditions: Vec<String> = self.conditions(&rule.clauses).map(|span| self.excerpts.clause(span)).collect();
        parts.push(if conditions.is_empty() {
            "It always matches.\n".to_owned()
        } else {
            block("pdl", &conditions.join("\n"))
        });
        parts.push(self.says(&rule.clauses).list());
        parts.retain(|part| !part.is_empty());
        parts.join("\n")
    }

    fn conditions<'b>(&self, clauses: &'b [Clause]) -> impl Iterator<Item = Span> + use<'b> {
        let is_condition = |clause: &&Clause| matches!(clause.kind, ClauseKind::When(_) | ClauseKind::Unless(_));
        clauses.iter().filter(is_condition).map(|clause| clause.span)
    }

    fn says(&self, clauses: &[Clause]) -> Says {
        let mut says = Says::default();
        for clause in clauses {
            match &clause.kind {
                ClauseKind::When(_) | ClauseKind::Unless(_) | ClauseKind::Error => {}
                ClauseKind::Code(_) => says.codes.push(code(self.argument(clause).trim_matches('"'))),
                ClauseKind::Because(_) => says.messages.push(code(unquoted(&self.argument(clause)))),
                ClauseKind::Oblige { .. } => says.obligations.push(code(&self.argument(clause))),
                ClauseKind::From(group) => says.gate.push(format!("from {}", self.expr(group))),
                ClauseKind::Quorum(number) => says.gate.push(format!("quorum {}", self.expr(number))),
                ClauseKind::Within(time) => says.gate.push(format!("within {}", self.expr(time))),
                ClauseKind::Escalate { to, after } => {
                    says.gate.push(format!("after {} from {} too", self.expr(after), self.expr(to)));
                }
                ClauseKind::Distinct => says.gate.push("by people who voted on no other gate".to_owned()),
            }
        }
        says
    }

    /// What stands behind the word of a clause, on one line.
    fn argument(&self, clause: &Clause) -> String {
        let line = self.excerpts.line(clause.span);
        line.split_once(' ').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
    }

    /// The rules of a policy as a table, below the `let` lines that they read.
    pub fn rule_table(&self, policy: &Policy) -> String {
        let shadow = if policy.shadow.is_some() { ", in the shadow" } else { "" };
        let (mut lets, mut rows) = (Vec::new(), Vec::new());
        for line in &policy.lines {
            let rule = match line {
                PolicyLine::Rule(rule) => rule,
                PolicyLine::Let(one) => {
                    lets.push(self.excerpts.clause(one.span));
                    continue;
                }
                PolicyLine::Error(_) => continue,
            };
            let says = self.says(&rule.clauses);
            rows.push(vec![
                says.codes.join(", "),
                code(&rule.name.text),
                format!("{}{shadow}", effect_word(rule.effect)),
                self.condition_cell(self.conditions(&rule.clauses)),
                says.messages.join(" "),
                says.gate.join(", "),
                says.obligations.join(", "),
            ]);
        }
        let table = markdown::table(&["code", "rule", "effect", "when", "because", "approval", "obliges"], &rows);
        if lets.is_empty() { table } else { format!("{}\n{table}", block("pdl", &lets.join("\n"))) }
    }

    fn condition_cell(&self, conditions: impl Iterator<Item = Span>) -> String {
        let (mut when, mut unless) = (Vec::new(), Vec::new());
        for line in conditions.map(|span| self.excerpts.line(span)) {
            match (line.strip_prefix("when "), line.strip_prefix("unless ")) {
                (Some(condition), _) => when.push(code(condition)),
                (None, condition) => unless.push(code(condition.unwrap_or(&line))),
            }
        }
        let mut out = when.join(" and ");
        if !unless.is_empty() {
            out.push_str(&format!("{}unless {}", if out.is_empty() { "" } else { " " }, unless.join(" and unless ")));
        }
        if out.is_empty() { "always".to_owned() } else { out }
    }

    /// What has to hold, and what is said where it does not.
    pub fn invariant(&self, invariant: &Invariant) -> String {
        let mut out = String::new();
        if !invariant.on.is_empty() {
            out.push_str(&format!("On {}.\n\n", self.paths(&invariant.on, "and")));
        }
        let empty = Doc::new();
        let mut lines: Vec<(Span, &Doc)> = Vec::new();
        let mut clauses = Vec::new();
        for line in &invariant.lines {
            match line {
                InvariantLine::Let(one) => lines.push((one.span, &one.doc)),
                InvariantLine::Require(expr) => lines.push((self.excerpts.with_word(expr.span), &empty)),
                InvariantLine::Clause(clause) => {
                    lines.extend(self.conditions(std::slice::from_ref(clause)).map(|span| (span, &empty)));
                    clauses.push(clause.clone());
                }
            }
        }
        out.push_str(&self.code_with_comments(&lines));
        let says = self.says(&clauses).list();
        if says.is_empty() { out } else { format!("{out}\n{says}") }
    }

    /// Invariants as a table.
    pub fn invariant_table(&self, invariants: &[&Invariant]) -> String {
        let mut rows = Vec::new();
        for invariant in invariants {
            let (mut requires, mut clauses) = (Vec::new(), Vec::new());
            for line in &invariant.lines {
                match line {
                    InvariantLine::Let(_) => {}
                    InvariantLine::Require(expr) => requires.push(self.expr(expr)),
                    InvariantLine::Clause(clause) => clauses.push(clause.clone()),
                }
            }
            let says = self.says(&clauses);
            rows.push(vec![
                says.codes.join(", "),
                code(&invariant.name.text),
                requires.join(" and "),
                self.condition_cell(self.conditions(&clauses)),
                says.messages.join(" "),
            ]);
        }
        markdown::table(&["code", "invariant", "requires", "when", "because"], &rows)
    }
}

impl Says {
    fn list(&self) -> String {
        let mut out = String::new();
        for (word, texts) in [
            ("Code", &self.codes),
            ("Approval", &self.gate),
            ("Message", &self.messages),
            ("Obliges", &self.obligations),
        ] {
            if !texts.is_empty() {
                out.push_str(&format!("- {word}: {}\n", texts.join(", ")));
            }
        }
        out
    }
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
        Effect::RequireApproval => "Require approval",
    }
}

fn effect_word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
        Effect::RequireApproval => "require approval",
    }
}
