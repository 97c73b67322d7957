//! Clauses: which may stand where and how often, conditions joined, codes, obligations.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::limits;
use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, ClauseKind};
use crate::types::expr::{Checked, Checker};
use crate::types::narrow::Truth;
use crate::types::operator::Operator;
use crate::types::resolve::Expected;
use crate::types::ty::Type;
use crate::types::typed::{Const, Expr, ExprKind, ObligationId};
use crate::types::world::Definition;

/// Conditions, one after the other, each read where those before it are true.
#[derive(Debug)]
pub struct Conditions {
    parts: Vec<Expr>,
    /// What they say together.
    pub truth: Truth,
    /// Some is faulty.
    pub unknown: bool,
    /// Where the last one stands.
    pub span: Option<Span>,
    /// The first that makes it impossible for all to be true, and how many stand before it.
    pub contradiction: Option<(Span, usize)>,
}

impl Conditions {
    /// None yet: always true.
    #[must_use]
    pub fn none() -> Conditions {
        Conditions { parts: Vec::new(), truth: Truth::constant(true), unknown: false, span: None, contradiction: None }
    }

    /// Adds a condition; its facts hold from here on, until the caller goes back.
    pub fn add(&mut self, checker: &mut Checker<'_, '_>, condition: Checked) {
        self.unknown |= condition.is_unknown();
        self.span = Some(condition.expr.span);
        let before = std::mem::take(&mut self.truth);
        let possible = !before.never();
        if let Some(facts) = &condition.truth.yes {
            checker.known.assume(facts);
        }
        self.truth = Truth::and(before, condition.truth);
        if possible && self.truth.never() {
            self.contradiction = Some((condition.expr.span, self.parts.len()));
        }
        self.parts.push(condition.expr);
    }

    /// A fault about the condition that makes it impossible for all to be true.
    #[must_use]
    pub fn never(&self, message: String) -> Option<Diagnostic> {
        let (span, before) = self.contradiction?;
        let label = if before == 0 { "never true" } else { "never true where those before it are" };
        let mut fault = Diagnostic::error(Code::AlwaysFalse, span, message).label(label);
        for part in self.parts.iter().take(before).rev().take(3) {
            fault = fault.secondary(part.span, "holds before it");
        }
        Some(fault)
    }

    /// Whether some of them may be an error.
    #[must_use]
    pub fn fallible(&self) -> bool {
        self.parts.iter().any(|part| part.fallible)
    }

    /// All, joined by `and`; as flat as can be, so that many conditions make no deep tree.
    #[must_use]
    pub fn joined(self, span: Span) -> Expr {
        let mut parts = self.parts;
        parts.retain(|part| !matches!(part.kind, ExprKind::Const(Const::Bool(true))));
        if parts.is_empty() {
            return Checked::bool(true, span).expr;
        }
        while parts.len() > 1 {
            let mut next = Vec::with_capacity(parts.len().div_ceil(2));
            let mut rest = parts.into_iter();
            while let Some(left) = rest.next() {
                next.push(match rest.next() {
                    Some(right) => and(left, right),
                    None => left,
                });
            }
            parts = next;
        }
        parts.pop().unwrap_or_else(|| Checked::bool(true, span).expr)
    }
}

/// `left and right`
pub fn and(left: Expr, right: Expr) -> Expr {
    let span = if left.span.file == right.span.file { left.span.to(right.span) } else { left.span };
    let fallible = left.fallible || right.fallible;
    Expr { kind: ExprKind::Operator(Operator::And, vec![left, right]), ty: Type::Bool, span, fallible }
}

/// `unless e` is `when not (e)`.
pub fn condition(checker: &mut Checker<'_, '_>, expr: &ast::Expr, negated: bool) -> Checked {
    let found = checker.condition(expr);
    if negated { checker.negate(found, expr.span) } else { found }
}

/// The word that begins a clause.
#[must_use]
pub fn word(kind: &ClauseKind) -> &'static str {
    match kind {
        ClauseKind::When(_) => "when",
        ClauseKind::Unless(_) => "unless",
        ClauseKind::From(_) => "from",
        ClauseKind::Quorum(_) => "quorum",
        ClauseKind::Within(_) => "within",
        ClauseKind::Escalate { .. } => "escalate",
        ClauseKind::Distinct => "distinct",
        ClauseKind::Code(_) => "code",
        ClauseKind::Because(_) => "because",
        ClauseKind::Oblige { .. } => "oblige",
        ClauseKind::Error => "",
    }
}

/// Reports clauses of which there may be one only.
pub fn report_repeated<'a>(checker: &mut Checker<'_, '_>, clauses: impl Iterator<Item = &'a ast::Clause>) {
    let mut first: HashMap<&str, Span> = HashMap::new();
    for clause in clauses {
        let word = word(&clause.kind);
        if matches!(word, "when" | "unless" | "escalate" | "oblige" | "") {
            continue;
        }
        match first.get(word) {
            None => _ = first.insert(word, clause.span),
            Some(before) => checker.session.sink.push(
                Diagnostic::error(Code::RepeatedClause, clause.span, format!("there is a `{word}` already"))
                    .label("again")
                    .secondary(*before, "first here")
                    .help("keep one of them"),
            ),
        }
    }
}

/// Reports a clause that does not belong there.
pub fn misplaced(checker: &mut Checker<'_, '_>, clause: &ast::Clause, place: &str, help: &str) {
    let word = word(&clause.kind);
    checker.session.sink.push(
        Diagnostic::error(Code::MisplacedClause, clause.span, format!("`{word}` does not belong to {place}"))
            .label("not here")
            .help(help),
    );
}

/// `code LEVEL_TOO_LOW`, `code "A-001"`
pub fn code(checker: &mut Checker<'_, '_>, code: &ast::CodeName) -> Arc<str> {
    let ast::Name { text, span } = &code.name;
    let is_good = if code.quoted { is_foreign_code(text) } else { is_own_code(text) };
    if is_good {
        return text.clone();
    }
    let message = format!("`{text}` is not written as codes are");
    let fault = Diagnostic::error(Code::BadCode, *span, message).label("not a code");
    let fault = match upper_snake(text) {
        Some(suggestion) if !code.quoted => fault
            .help(format!("write `{suggestion}`, or `\"{text}\"` where another system gives the code"))
            .fix(*span, suggestion),
        None if !code.quoted => fault.help("codes are capitals with `_` between the words: `LEVEL_TOO_LOW`"),
        _ => fault.help(format!(
            "in quotes stand letters, digits and `_`, `-`, `.`, a letter first, {} at most: `\"A-001\"`",
            limits::NAME_BYTES_MAX
        )),
    };
    checker.session.sink.push(fault);
    text.clone()
}

/// `LEVEL_TOO_LOW`: how codes are written that begin in a policy.
fn is_own_code(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        && !text.ends_with('_')
        && !text.contains("__")
}

/// `scope_expired`, `A-001`: how another system may have written it.
fn is_foreign_code(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && text.len() <= limits::NAME_BYTES_MAX
}

fn upper_snake(text: &str) -> Option<String> {
    let mut result = String::new();
    let mut before_was_lower = false;
    for c in text.chars() {
        let begins_word = c == '_' || (c.is_ascii_uppercase() && before_was_lower);
        if begins_word && !result.is_empty() && !result.ends_with('_') {
            result.push('_');
        }
        if c.is_ascii_alphanumeric() {
            result.push(c.to_ascii_uppercase());
        }
        before_was_lower = c.is_ascii_lowercase();
    }
    while result.ends_with('_') {
        result.pop();
    }
    result.starts_with(|c: char| c.is_ascii_uppercase()).then_some(result)
}

/// `oblige notify("x")`
pub fn obligation(
    checker: &mut Checker<'_, '_>,
    name: &ast::Path,
    arguments: &[ast::Expr],
    span: Span,
) -> Option<(ObligationId, Vec<Expr>)> {
    let world = checker.world();
    let found = world.resolve(checker.module, name, Expected::Obligation, checker.session.sink);
    let Some(Definition::Obligation(id)) = found else {
        arguments.iter().for_each(|argument| _ = checker.infer(argument, None));
        return None;
    };
    let def = &world.obligations[id.index()];
    if def.parameters.len() != arguments.len() {
        arguments.iter().for_each(|argument| _ = checker.infer(argument, None));
        let (wanted, given) = (def.parameters.len(), arguments.len());
        let message = format!(
            "obligation `{}` takes {wanted} {}, and {given} {} given",
            def.name,
            if wanted == 1 { "argument" } else { "arguments" },
            if given == 1 { "is" } else { "are" }
        );
        checker.session.sink.push(Diagnostic::error(Code::WrongCount, span, message).label(format!("{given} given")));
        return None;
    }
    let mut typed = Vec::with_capacity(arguments.len());
    for (argument, parameter) in arguments.iter().zip(&def.parameters) {
        let value = checker.check(argument, &parameter.ty);
        if value.expr.fallible {
            checker.session.sink.push(
                Diagnostic::error(
                    Code::ObligationMayFail,
                    argument.span,
                    "this may be an error in some requests, and an obligation has to be certain",
                )
                .label("may be an error")
                .help("hand over what it is computed from, or bound the numbers so that nothing can overflow"),
            );
        }
        typed.push(value.expr);
    }
    Some((id, typed))
}

#[cfg(test)]
mod tests {
    use super::upper_snake;

    #[test]
    fn codes_from_other_habits() {
        assert_eq!(upper_snake("levelTooLow").as_deref(), Some("LEVEL_TOO_LOW"));
        assert_eq!(upper_snake("level_too_low").as_deref(), Some("LEVEL_TOO_LOW"));
        assert_eq!(upper_snake("Level__Low_").as_deref(), Some("LEVEL_LOW"));
        assert_eq!(upper_snake("_"), None);
    }
}
