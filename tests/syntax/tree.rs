//! A tree as text, without places, to compare trees and to show what is kept of a faulty file.

use std::fmt::Write as _;

use pdl::syntax::ast::{self, ItemKind};

/// Everything in the tree but where it stood.
pub fn without_places(file: &ast::File) -> String {
    let shown = format!("{:?} {:?}", file.module, file.items);
    let mut out = String::with_capacity(shown.len());
    let mut rest = shown.as_str();
    // A span shows as `0:12..34`.
    while let Some(at) = rest.find("0:") {
        let tail = &rest[at + 2..];
        let from = tail.bytes().take_while(u8::is_ascii_digit).count();
        let to = tail[from..].strip_prefix("..").map(|tail| tail.bytes().take_while(u8::is_ascii_digit).count());
        match to {
            Some(to) if from > 0 && to > 0 => {
                out.push_str(&rest[..at]);
                rest = &tail[from + 2 + to..];
            }
            _ => {
                out.push_str(&rest[..at + 2]);
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    out
}

/// One line for each item, with the names of what it has.
pub fn outline(file: &ast::File) -> String {
    let mut out = String::new();
    if let Some(module) = &file.module {
        let _ = writeln!(out, "module {}", path(&module.path));
    }
    for item in &file.items {
        out.push_str(&item_line(&item.kind));
        out.push('\n');
    }
    out
}

fn path(path: &ast::Path) -> String {
    path.parts.iter().map(|part| &*part.text).collect::<Vec<_>>().join(".")
}

fn fields(fields: &[ast::Field]) -> String {
    let one = |field: &ast::Field| match field.ty.kind {
        ast::TypeKind::Error => format!("{}: ?", field.name.text),
        _ => field.name.text.to_string(),
    };
    fields.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn value(expr: &ast::Expr) -> &'static str {
    if matches!(expr.kind, ast::ExprKind::Error) { "?" } else { "…" }
}

fn clause(clause: &ast::Clause) -> String {
    match &clause.kind {
        ast::ClauseKind::When(e) => format!("when {}", value(e)),
        ast::ClauseKind::Unless(e) => format!("unless {}", value(e)),
        ast::ClauseKind::From(e) => format!("from {}", value(e)),
        ast::ClauseKind::Quorum(e) => format!("quorum {}", value(e)),
        ast::ClauseKind::Within(e) => format!("within {}", value(e)),
        ast::ClauseKind::Escalate { .. } => "escalate".into(),
        ast::ClauseKind::Distinct => "distinct".into(),
        ast::ClauseKind::Code(code) => format!("code {}", code.name.text),
        ast::ClauseKind::Because(_) => "because".into(),
        ast::ClauseKind::Oblige { name, .. } => format!("oblige {}", path(name)),
        ast::ClauseKind::Error => "?".into(),
    }
}

fn policy_line(line: &ast::PolicyLine) -> String {
    match line {
        ast::PolicyLine::Let(one) => format!("let {} = {}", one.name.text, value(&one.value)),
        ast::PolicyLine::Rule(rule) => {
            let clauses: Vec<String> = rule.clauses.iter().map(clause).collect();
            format!("{:?} {} [{}]", rule.effect, rule.name.text, clauses.join(", "))
        }
        ast::PolicyLine::Error(_) => "?".into(),
    }
}

fn invariant_line(line: &ast::InvariantLine) -> String {
    match line {
        ast::InvariantLine::Let(one) => format!("let {} = {}", one.name.text, value(&one.value)),
        ast::InvariantLine::Require(e) => format!("require {}", value(e)),
        ast::InvariantLine::Clause(one) => clause(one),
    }
}

fn item_line(item: &ItemKind) -> String {
    match item {
        ItemKind::Use(one) => format!("use {}", path(&one.path)),
        ItemKind::Include(one) => format!("include {}", path(&one.path)),
        ItemKind::Const(one) => format!("const {} = {}", one.name.text, value(&one.value)),
        ItemKind::Enum(one) => {
            let variants: Vec<&str> = one.variants.iter().map(|(_, name)| &*name.text).collect();
            format!("enum {} {{ {} }}", one.name.text, variants.join(" "))
        }
        ItemKind::Record(one) => format!("record {} {{ {} }}", one.name.text, fields(&one.fields)),
        ItemKind::GovernedRecord(one) => {
            let mut out = format!("record type {} {{ {} }}", one.name.text, fields(&one.fields));
            for (_, invariant) in &one.invariants {
                let lines: Vec<String> = invariant.lines.iter().map(invariant_line).collect();
                let _ = write!(out, "\n    invariant {}: {}", invariant.name.text, lines.join("; "));
            }
            out
        }
        ItemKind::Entity(one) => format!("entity {} {{ {} }}", one.name.text, fields(&one.fields)),
        ItemKind::Action(one) => {
            let context: Vec<String> = one.context.iter().map(|(_, all)| fields(all)).collect();
            let (subjects, resources) = (one.subject.len(), one.resource.len());
            format!(
                "action {}: {subjects} subject, {resources} resource, context {{ {} }}",
                one.name.text,
                context.join(" / ")
            )
        }
        ItemKind::Obligation(one) => format!("obligation {}", one.name.text),
        ItemKind::Function(one) => format!("fn {} = {}", one.name.text, value(&one.body)),
        ItemKind::Table(one) => format!("table {} of {} rows", one.name.text, one.rows.len()),
        ItemKind::Lifecycle(one) => format!("lifecycle {} of {} lines", one.name.text, one.lines.len()),
        ItemKind::Policy(one) => {
            let lines: Vec<String> = one.lines.iter().map(policy_line).collect();
            format!("policy {}\n    {}", one.name.text, lines.join("\n    "))
        }
        ItemKind::Invariant(one) => {
            let lines: Vec<String> = one.lines.iter().map(invariant_line).collect();
            format!("invariant {}: {}", one.name.text, lines.join("; "))
        }
        ItemKind::Prove(one) => format!("prove {} of {} claims", one.name.text, one.claims.len()),
        ItemKind::Test(one) => format!("test {:?} of {} lines", one.name, one.lines.len()),
        ItemKind::Error => "?".into(),
    }
}
