//! A difference for people: as text, and as Markdown for a pull request.

use std::fmt::Write as _;

use super::Meaning;
use crate::analysis::diff::{Change, Direction};
use crate::analysis::request::Request;
use crate::base::span::Span;
use crate::cli::output::{GREEN, RED, YELLOW, paint};
use crate::cli::report::count;
use crate::diagnostic::render::clean;
use crate::diagnostic::{Code, Diagnostic};
use crate::types::typed::Answer;

/// The answer as decisions have it.
#[must_use]
pub fn answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Allow => "ALLOW",
        Answer::Deny => "DENY",
        Answer::RequireApproval => "REQUIRE_APPROVAL",
    }
}

impl Meaning<'_> {
    /// One line that says it all.
    #[must_use]
    pub fn verdict(&self) -> String {
        let diff = &self.diff;
        if diff.is_equivalent() {
            let by = diff.second.map(|program| format!(", in part by {program}")).unwrap_or_default();
            let proof = format!("proved for {} of requests{by}", count(diff.kinds, "kind"));
            return if diff.schema.is_empty() {
                format!("equivalent: {proof}")
            } else {
                format!("every answer is the same ({proof}); {} of the vocabulary", count(diff.schema.len(), "change"))
            };
        }
        let (widened, other): (Vec<_>, Vec<_>) = diff.changes.iter().partition(|change| change.direction.widens());
        let meant = widened.iter().filter(|change| self.is_allowed(change)).count();
        let mut parts = Vec::new();
        if !widened.is_empty() {
            let meant = if meant > 0 { format!(" ({meant} of them meant)") } else { String::new() };
            parts.push(format!("{} more permitted than before{meant}", count(widened.len(), "region")));
        }
        if !other.is_empty() {
            parts.push(format!("{} changed otherwise", count(other.len(), "region")));
        }
        if !diff.undecided.is_empty() {
            parts.push(format!("{} undecided", count(diff.undecided.len(), "question")));
        }
        parts.push(format!("{} of {} of requests unchanged", diff.same, count(diff.kinds, "kind")));
        parts.join(", ")
    }

    /// The condition of a region, `in` and all.
    #[must_use]
    pub fn condition(&self, change: &Change) -> String {
        let condition = change.region.condition().unwrap_or_else(|| "always".to_owned());
        if change.region.exact { condition } else { format!("{condition}, among others") }
    }

    /// Where a rule stands.
    #[must_use]
    pub fn place(&self, side: usize, span: Span) -> String {
        self.built(side).sources.place(span)
    }

    fn rules(&self, change: &Change) -> Vec<String> {
        let line = |rule: &crate::analysis::diff::Responsible| {
            let version = if rule.side == 0 { "old" } else { "new" };
            format!("{version} {} {}", self.place(rule.side, rule.span), rule.id)
        };
        change.responsible.iter().map(line).collect()
    }

    fn told(&self, change: &Change, side: usize) -> String {
        let told = &change.told[side];
        let rules: Vec<&str> = told.rules.iter().map(|rule| &**rule).collect();
        let by = if rules.is_empty() { format!(" ({})", told.kind) } else { format!(" by {}", rules.join(", ")) };
        format!("{}{by}", answer(told.answer))
    }

    /// The changes as diagnostics of the new version; what permits more and is not meant is an error.
    #[must_use]
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        let somewhere = self.new.policy.actions.first().map(|action| action.span);
        let mut all = Vec::new();
        for change in &self.diff.changes {
            let kind = &change.kind;
            let span = (change.responsible.iter().find(|rule| rule.side == 1).map(|rule| rule.span))
                .or_else(|| {
                    self.new.policy.actions.iter().find(|action| action.wire == kind.action).map(|def| def.span)
                })
                .or(somewhere);
            let Some(span) = span else { continue };
            let message = format!(
                "{} for {} on {} by {}: {}",
                change.direction,
                kind.action,
                kind.resource,
                kind.subject,
                self.condition(change)
            );
            let code = if self.is_unmeant(change) { Code::Widened } else { Code::AnswerChanged };
            all.push(Diagnostic::new(code, span, message).help(format!("for example {}", change.witness[1].request)));
        }
        for undecided in &self.diff.undecided {
            let kind = &undecided.kind;
            let action = self.new.policy.actions.iter().find(|action| action.wire == kind.action).map(|def| def.span);
            let Some(span) = action.or(somewhere) else { continue };
            let message =
                format!("whether {} for {} is undecided: {}", undecided.direction, kind.action, undecided.reason);
            all.push(Diagnostic::new(Code::MeansUndecided, span, message));
        }
        all
    }
}

/// For a terminal.
#[must_use]
pub fn human(meaning: &Meaning<'_>, color: bool) -> String {
    let mut out = String::new();
    for change in &meaning.diff.schema {
        let _ = writeln!(out, "{} {}: {}", change.how.name(), clean(&change.what), clean(&change.detail));
    }
    if !meaning.diff.schema.is_empty() {
        out.push('\n');
    }
    for change in &meaning.diff.changes {
        let hue = if meaning.is_unmeant(change) {
            RED
        } else if change.direction.widens() {
            YELLOW
        } else {
            GREEN
        };
        let meant = if change.direction.widens() && meaning.is_allowed(change) { " (meant)" } else { "" };
        let kind = &change.kind;
        let title = paint(color, hue, &change.direction.to_string());
        let _ = writeln!(out, "{title}{meant}: {} by {} on {}", kind.action, kind.subject, kind.resource);
        let _ = writeln!(out, "  when    {}", clean(&meaning.condition(change)));
        for line in meaning.rules(change) {
            let _ = writeln!(out, "  rule    {}", clean(&line));
        }
        let _ = writeln!(out, "  before  {}", clean(&meaning.told(change, 0)));
        let _ = writeln!(out, "  after   {}", clean(&meaning.told(change, 1)));
        for (name, text) in documents(change) {
            let _ = writeln!(out, "  {name:<7} {}", clean(&text));
        }
        out.push('\n');
    }
    for undecided in &meaning.diff.undecided {
        let kind = &undecided.kind;
        let title = paint(color, YELLOW, "undecided");
        let _ = writeln!(
            out,
            "{title}: {} for {} by {} on {}",
            undecided.direction, kind.action, kind.subject, kind.resource
        );
        let _ = writeln!(out, "  because {}\n", clean(&undecided.reason));
    }
    for (kind, direction) in &meaning.diff.cut {
        let _ =
            writeln!(out, "there is more: {direction} for {} by {} on {}\n", kind.action, kind.subject, kind.resource);
    }
    let _ = writeln!(out, "{}", meaning.verdict());
    out
}

/// The witness: the documents of the new version, and those of the old one where they are others.
fn documents(change: &Change) -> Vec<(&'static str, String)> {
    let [old, new] = &change.witness;
    let mut all = Vec::new();
    let mut add = |name: &'static str, of: fn(&Request) -> &String| {
        let (before, after) = (of(old), of(new));
        if !["{}", "[]"].contains(&after.as_str()) {
            all.push((name, after.clone()));
        }
        if before != after && !["{}", "[]"].contains(&before.as_str()) {
            all.push(("  (old)", before.clone()));
        }
    };
    add("ask", |request| &request.request);
    add("facts", |request| &request.facts);
    add("with", |request| &request.entities);
    all
}

/// For a pull request.
#[must_use]
pub fn markdown(meaning: &Meaning<'_>) -> String {
    let mut out = format!("### What the change of `{}` means\n\n{}\n", text(&meaning.new.name), meaning.verdict());
    let unmeant = meaning.unmeant();
    if unmeant > 0 {
        let _ = writeln!(
            out,
            "\n**{} more is permitted than before, and nobody said that it should be.**",
            count(unmeant, "time")
        );
    }
    for direction in Direction::ALL {
        let changes: Vec<&Change> =
            meaning.diff.changes.iter().filter(|change| change.direction == direction).collect();
        if changes.is_empty() {
            continue;
        }
        let sign = if direction.widens() { "🔴" } else { "🔵" };
        let _ = writeln!(out, "\n#### {sign} {direction}\n");
        for change in changes {
            let kind = &change.kind;
            let meant = if direction.widens() && meaning.is_allowed(change) { " (meant)" } else { "" };
            let _ = writeln!(
                out,
                "- {} by {} on {}{meant}, when {}",
                code(&kind.action),
                code(&kind.subject),
                code(&kind.resource),
                code(&meaning.condition(change))
            );
            for line in meaning.rules(change) {
                let _ = writeln!(out, "  - {}", code(&line));
            }
            let _ = writeln!(
                out,
                "  - before: {}, after: {}",
                text(&meaning.told(change, 0)),
                text(&meaning.told(change, 1))
            );
            let _ = writeln!(out, "  <details><summary>a request</summary>\n");
            for (name, document) in documents(change) {
                let _ = writeln!(out, "  {}: {}", name.trim(), code(&document));
                let _ = writeln!(out);
            }
            let _ = writeln!(out, "  </details>");
        }
    }
    if !meaning.diff.schema.is_empty() {
        out.push_str("\n#### Vocabulary\n\n");
        for change in &meaning.diff.schema {
            let _ = writeln!(out, "- {} {}: {}", change.how.name(), code(&change.what), code(&change.detail));
        }
    }
    if !meaning.diff.undecided.is_empty() {
        out.push_str("\n#### Undecided\n\n");
        for undecided in &meaning.diff.undecided {
            let _ = writeln!(
                out,
                "- {} for {}: {}",
                undecided.direction,
                code(&undecided.kind.action),
                text(&undecided.reason)
            );
        }
    }
    out
}

/// A span of code in Markdown, whatever is in it.
fn code(inner: &str) -> String {
    let inner = clean(inner);
    let longest = inner.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    if longest > 0 { format!("{fence} {inner} {fence}") } else { format!("{fence}{inner}{fence}") }
}

/// Text in Markdown in which nothing has a meaning of its own.
fn text(inner: &str) -> String {
    let mut out = String::new();
    for c in clean(inner).chars() {
        if "\\`*_{}[]<>()#+-!|".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
