//! An explanation for people.

use std::fmt::Write as _;

use super::Told;
use crate::analysis::decision::Does;
use crate::analysis::encode::Joint;
use crate::analysis::explain::{Holds, Near, Nearest, Node, RuleTree};
use crate::cli::answer;
use crate::cli::output::{DIM, GREEN, RED, YELLOW, paint};
use crate::cli::policy::Built;
use crate::cli::report;
use crate::data::duration::{Duration, Shown};
use crate::diagnostic::render::clean;
use crate::types::typed::Answer;
use crate::vm::decide::Kind;
use crate::vm::decision::GateReport;

/// The whole text.
pub fn human(built: &Built, told: &Told, asked: Option<&str>, color: bool) -> String {
    let mut out = answer::text(&told.decision, asked, color);
    let explanation = match &told.explanation {
        Ok(explanation) => explanation,
        Err(why) => {
            let _ = writeln!(out, "\n{}: {}", paint(color, YELLOW, "not explained"), clean(why));
            return out;
        }
    };
    let rules = told.rules();
    if told.decision.kind == Kind::NotPermitted {
        let text = if rules.is_empty() { "No rule could allow it." } else { "Nearest to allowing it:" };
        let _ = writeln!(out, "\n{text}");
    } else if !rules.is_empty() {
        out.push_str("\nBecause:\n");
    }
    for rule in rules {
        write_rule(&mut out, built, rule, color);
    }
    let mut gates = told.gates.iter();
    let all = &explanation.nearest[..];
    let never = all.iter().all(|(_, nearest)| *nearest == Nearest::Never) && !all.is_empty();
    if never {
        out.push_str("\nNothing that the caller says otherwise would change that: proved.\n");
    }
    for (answer, nearest) in all.iter().filter(|_| !never) {
        write_nearest(&mut out, *answer, nearest, &mut gates, color);
    }
    if !explanation.doubts.is_empty() {
        let doubts = explanation.doubts.join("; ");
        let _ = writeln!(out, "\n{}: {}", paint(color, YELLOW, "known only in part"), clean(&doubts));
    }
    out
}

/// What a rule does.
pub fn does(does: Does) -> &'static str {
    match does {
        Does::Allow => "allow",
        Does::Deny => "deny",
        Does::Violation => "invariant",
        Does::RequireApproval => "require approval",
    }
}

fn write_rule(out: &mut String, built: &Built, rule: &RuleTree, color: bool) {
    let at = paint(color, DIM, &format!("at {}", clean(&built.sources.place(rule.span))));
    let _ = write!(out, "  {} {} {at}", does(rule.does), rule.id);
    let misses = rule.condition.misses(true);
    if misses > 0 {
        let _ = write!(out, ": {} not so", report::count(misses, "condition"));
    }
    out.push('\n');
    let top = match &rule.condition {
        Node { joint: Joint::All, parts, .. } => &parts[..],
        condition => std::slice::from_ref(condition),
    };
    for part in top {
        write_node(out, part, true, 2, color);
    }
}

fn write_node(out: &mut String, node: &Node, wanted: bool, depth: usize, color: bool) {
    let fits = node.holds == if wanted { Holds::Yes } else { Holds::No };
    let (word, sequence) = match node.holds {
        Holds::Yes => ("yes  ", if fits { GREEN } else { RED }),
        Holds::No => ("no   ", if fits { GREEN } else { RED }),
        Holds::Error => ("error", RED),
        Holds::Unknown => ("?    ", YELLOW),
    };
    let _ = write!(out, "{:width$}{} ", "", paint(color, sequence, word), width = depth * 2);
    let text = match node.joint {
        Joint::Leaf => leaf(node, wanted, fits),
        Joint::All => "all of these:".to_owned(),
        Joint::Any => "one of these:".to_owned(),
        Joint::Not => "none of this:".to_owned(),
        Joint::Implies => "the second, if the first:".to_owned(),
        Joint::Named => format!("{}:", clean(&node.text)),
    };
    let _ = writeln!(out, "{}", clean(&text));
    for (at, part) in node.parts.iter().enumerate() {
        let turned = node.joint == Joint::Not || (node.joint == Joint::Implies && at == 0);
        write_node(out, part, wanted != turned, depth + 1, color);
    }
}

/// `subject.level >= 3: subject.level is 2, and the rule asks for >= 3`
fn leaf(node: &Node, wanted: bool, fits: bool) -> String {
    let said: Vec<String> = (node.reads.iter())
        .filter(|(text, value)| *text != *node.text || value == "an error")
        .map(|(text, value)| format!("{text} is {value}"))
        .collect();
    if said.is_empty() {
        return node.text.clone();
    }
    let mut text = format!("{}: {}", node.text, said.join(", "));
    if let [(of, _)] = &node.reads[..]
        && !fits
        && wanted
        && let Some(asked) = node.text.strip_prefix(of.as_str()).and_then(|rest| rest.strip_prefix(' '))
    {
        match asked.split_once(' ') {
            Some(("==", value)) => drop(write!(text, ", and the rule asks for {value}")),
            Some(("!=" | "<" | "<=" | ">" | ">=", _)) => drop(write!(text, ", and the rule asks for {asked}")),
            Some(("in", _)) => drop(write!(text, ", and the rule asks for one {asked}")),
            _ => {}
        }
    }
    text
}

fn write_nearest<'g>(
    out: &mut String,
    answer: Answer,
    nearest: &Nearest,
    gates: &mut impl Iterator<Item = &'g Vec<GateReport>>,
    color: bool,
) {
    let would = match answer {
        Answer::RequireApproval => "could be approved",
        _ => "would be allowed",
    };
    out.push('\n');
    match nearest {
        Nearest::Never => {
            let _ = writeln!(out, "Nothing that the caller says otherwise gives one that {would}: proved.");
        }
        Nearest::Undecided(reason) => {
            let word = paint(color, YELLOW, "undecided");
            let _ = writeln!(out, "Which request {would} is {word}: {}", clean(reason));
        }
        Nearest::Found(all) => {
            let _ = writeln!(out, "The nearest request that {would}:");
            for (at, near) in all.iter().enumerate() {
                if at > 0 {
                    out.push_str("  or\n");
                }
                write_near(out, near);
                for gate in gates.next().into_iter().flatten() {
                    let _ = writeln!(out, "    asks    {}", clean(&asks(gate)));
                }
            }
        }
    }
}

fn write_near(out: &mut String, near: &Near) {
    for change in &near.changes {
        let value = |value: &Option<crate::analysis::request::Json>| {
            value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string)
        };
        let (path, after, before) = (&change.path, value(&change.after), value(&change.before));
        let _ = writeln!(out, "    change  {}", clean(&format!("{path} to {after}, from {before}")));
    }
    let _ = writeln!(out, "    ask     {}", clean(&near.request.to_string()));
}

/// `2 of Team::"desk" within 1h`
pub fn asks(gate: &GateReport) -> String {
    let mut text = format!("{} of {}", gate.quorum, gate.from);
    if let Some(within) = gate.within_ms {
        let _ = write!(text, " within {}", Shown(Duration(within)));
    }
    for (group, after) in &gate.escalations {
        let _ = write!(text, ", then {group} after {}", Shown(Duration(*after)));
    }
    let _ = write!(text, ", for {}", gate.id);
    text
}
