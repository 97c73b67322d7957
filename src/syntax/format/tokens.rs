//! Tokens to documents: spaces between them, brackets, and where long expressions break.

use super::doc::Doc;
use super::stream::Stream;
use crate::syntax::parse::split::{Body, is_name};
use crate::syntax::token::Token;

/// Operators at which a long expression breaks, weakest first.
const LEVELS: &[&[Token]] = &[
    &[Token::Then, Token::Else],
    &[Token::Implies],
    &[Token::Or],
    &[Token::And],
    &[Token::Coalesce],
    &[Token::Union, Token::Intersect, Token::Except],
    &[Token::Plus],
];

impl Stream<'_> {
    /// The layout of some tokens; the comment behind the last one is left to the caller.
    pub fn doc(&self, start: usize, end: usize) -> Doc {
        self.level(start, end, 0)
    }

    /// The same on one line, whatever its length.
    pub fn flat(&self, start: usize, end: usize) -> String {
        let mut out = String::new();
        super::doc::render(&self.doc(start, end), 0, 0, usize::MAX / 2, &mut out);
        out
    }

    fn level(&self, start: usize, end: usize, level: usize) -> Doc {
        let Some(operators) = LEVELS.get(level) else { return self.plain(start, end) };
        let breaks: Vec<usize> =
            self.top_level(start, end).filter(|&at| at > start && operators.contains(&self.token(at))).collect();
        if breaks.is_empty() {
            return self.level(start, end, level + 1);
        }
        let mut parts = Vec::new();
        let mut rest = Vec::new();
        let mut from = start;
        for to in breaks.iter().copied().chain([end]) {
            let part = self.level(from, to, level + 1);
            if from == start {
                parts.push(part);
            } else {
                self.join(from, Doc::Line, &mut rest);
                rest.push(part);
            }
            from = to;
        }
        parts.push(Doc::Nest(rest));
        Doc::group(parts)
    }

    /// Whether an expression has an operator at which it may break.
    pub fn breaks_at_operator(&self, start: usize, end: usize) -> bool {
        self.top_level(start, end).any(|at| LEVELS.iter().any(|operators| operators.contains(&self.token(at))))
    }

    /// The tokens of a range that stand in no bracket within it, the brackets themselves included.
    pub fn top_level(&self, start: usize, end: usize) -> impl Iterator<Item = usize> {
        let mut depth = 0usize;
        (start..end).filter(move |&at| {
            let token = self.token(at);
            if token.closes() {
                depth = depth.saturating_sub(1);
            }
            let top = depth == 0;
            if token.opens() {
                depth += 1;
            }
            top
        })
    }

    /// What stands between a token and the one before it: comments, else the separator.
    pub fn join(&self, at: usize, separator: Doc, out: &mut Vec<Doc>) {
        let mut broken = false;
        if let Some(trail) = at.checked_sub(1).and_then(|before| self.trail_before(before)) {
            out.push(Doc::text(format!(" {trail}")));
            out.push(Doc::Hard);
            broken = true;
        }
        for lead in &self.around[at].leads {
            if !broken {
                out.push(Doc::Hard);
            }
            out.push(Doc::text(lead.text.clone()));
            out.push(Doc::Hard);
            broken = true;
        }
        if !broken {
            out.push(separator);
        }
    }

    /// The comment behind a token, or behind the one before the comma that it is.
    fn trail_before(&self, at: usize) -> Option<&str> {
        let at = if self.token(at) == Token::Comma { at.checked_sub(1)? } else { at };
        self.around[at].trail.as_deref()
    }

    /// Tokens one after the other, brackets as groups.
    fn plain(&self, start: usize, end: usize) -> Doc {
        let mut parts: Vec<Doc> = Vec::new();
        let mut at = start;
        let mut generic = 0usize;
        while at < end {
            let token = self.token(at);
            // A comma goes right behind the word, before any comment.
            if token == Token::Comma {
                if at > start && self.around[at - 1].trail.is_none() {
                    parts.push(Doc::text(","));
                }
                at += 1;
                continue;
            }
            if at > start {
                let space = self.spaced(at, generic > 0);
                let separator = match self.token(at - 1) {
                    // What a doc comment is about begins a line.
                    Token::Doc => Doc::Hard,
                    _ if space => Doc::text(" "),
                    _ => Doc::All(Vec::new()),
                };
                let commented =
                    self.token(at - 1) == Token::Comma && at >= start + 2 && self.around[at - 2].trail.is_some();
                if commented {
                    parts.push(Doc::text(","));
                }
                self.join(at, separator, &mut parts);
            }
            if token == Token::Less && self.opens_generic(at) {
                generic += 1;
            } else if token == Token::Greater && generic > 0 {
                generic -= 1;
            }
            if token.opens() {
                let close = self.partner(at).min(end.saturating_sub(1));
                parts.push(self.bracket(at, close));
                at = close + 1;
            } else {
                parts.push(Doc::text(self.word(at)));
                at += 1;
            }
        }
        Doc::All(parts)
    }

    fn opens_generic(&self, at: usize) -> bool {
        at > 0 && self.token(at - 1) == Token::Word && matches!(self.word(at - 1).as_str(), "Set" | "List" | "Map")
    }

    /// Whether a minus has no operand before it.
    fn is_prefix(&self, at: usize) -> bool {
        let Some(before) = at.checked_sub(1) else { return true };
        let token = self.token(before);
        let ends = (token.ends_operand() && token != Token::Comma && token != Token::Distinct) || is_name(token);
        self.token(at) == Token::Minus && !ends
    }

    /// Whether a space stands between a token and the one before it.
    fn spaced(&self, at: usize, generic: bool) -> bool {
        let (before, token) = (self.token(at - 1), self.token(at));
        let name_before = is_name(before) && !matches!(before, Token::To | Token::After | Token::By | Token::Of);
        match (before, token) {
            (Token::OpenParen | Token::OpenBracket, _) | (Token::Dot | Token::DoubleColon | Token::At_, _) => false,
            (_, Token::CloseParen | Token::CloseBracket | Token::Comma | Token::Colon | Token::Dot) => false,
            (Token::Comma | Token::Bar, _) | (Token::RangeOpen, Token::FatArrow | Token::Bar) => true,
            // Side by side they would be `??`.
            (Token::Question, Token::Question) => true,
            (_, Token::DoubleColon | Token::Question | Token::RangeInclusive | Token::RangeOpen) => false,
            (Token::RangeInclusive | Token::RangeOpen, _) => false,
            (_, Token::Less) if self.opens_generic(at) => false,
            (Token::Less, _) if self.opens_generic(at - 1) => false,
            (_, Token::Greater) if generic => false,
            (Token::Minus, _) if self.is_prefix(at - 1) => false,
            (Token::Any | Token::All | Token::Count | Token::Acyclic, Token::OpenParen) => false,
            (_, Token::OpenParen) => !(name_before || matches!(before, Token::CloseParen | Token::CloseBracket)),
            (_, Token::OpenBracket) => {
                !(name_before || matches!(before, Token::CloseParen | Token::CloseBracket | Token::String))
            }
            _ => true,
        }
    }

    /// A pair of brackets with what is in it.
    fn bracket(&self, open: usize, close: usize) -> Doc {
        let (first, last) = (self.word(open), self.word(close));
        if open + 1 == close {
            let mut parts = vec![Doc::text(first)];
            self.join(close, Doc::All(Vec::new()), &mut parts);
            parts.push(Doc::text(last));
            return Doc::All(parts);
        }
        let in_braces = self.token(open) == Token::OpenBrace;
        let is_match = in_braces && self.top_level(open + 1, close).any(|at| self.token(at) == Token::FatArrow);
        let labelled = in_braces
            && matches!(self.token(open + 1), Token::Word | Token::String)
            && self.token(open + 2) == Token::Colon;
        let before = open.checked_sub(1).map(|before| self.token(before));
        let is_list = match self.token(open) {
            Token::OpenParen => before.is_some_and(is_name),
            _ => true,
        };
        let quantified = matches!(before, Some(Token::Any | Token::All | Token::Count | Token::Acyclic));
        let elements =
            if is_list && !quantified { self.elements(open + 1, close, labelled) } else { vec![(open + 1, close)] };
        let indexed = self.token(open) == Token::OpenBracket && !self.spaced_bracket(open);
        let separate = is_list && !quantified && !indexed;
        let edge = if labelled || is_match { Doc::Line } else { Doc::SoftLine };
        let forced = is_match || (labelled && self.around[open + 1].first);
        let mut inside = Vec::new();
        let count = elements.len();
        for (number, (from, to)) in elements.into_iter().enumerate() {
            let separator = match number {
                _ if forced => Doc::Hard,
                0 => edge.clone(),
                _ => Doc::Line,
            };
            self.join(from, separator, &mut inside);
            inside.push(self.doc(from, to));
            if number + 1 < count {
                inside.push(Doc::text(","));
            } else if separate {
                inside.push(Doc::BreakComma);
            }
        }
        let mut closing = Vec::new();
        self.join(close, if forced { Doc::Hard } else { edge }, &mut closing);
        // Comments before the closing bracket stand with the elements; the bracket itself does not.
        let mut parts = vec![Doc::text(first)];
        if closing.len() > 1 {
            closing.pop();
            inside.extend(closing);
            parts.push(Doc::Nest(inside));
            parts.push(Doc::Hard);
        } else {
            parts.push(Doc::Nest(inside));
            parts.extend(closing);
        }
        parts.push(Doc::text(last));
        Doc::group(parts)
    }

    fn spaced_bracket(&self, open: usize) -> bool {
        open == 0 || self.spaced(open, false)
    }

    /// The elements between brackets, without their commas.
    fn elements(&self, start: usize, end: usize, labelled: bool) -> Vec<(usize, usize)> {
        if labelled && self.token(start) == Token::Word {
            let pieces = self.pieces(Body::Fields, start, end);
            return pieces.into_iter().map(|(from, to)| (from, self.without_comma(from, to))).collect();
        }
        let mut out = Vec::new();
        let mut from = start;
        let mut generic = 0usize;
        for at in self.top_level(start, end) {
            match self.token(at) {
                Token::Less if self.opens_generic(at) => generic += 1,
                Token::Greater => generic = generic.saturating_sub(1),
                Token::Comma if generic == 0 => {
                    out.push((from, at));
                    from = at + 1;
                }
                _ => {}
            }
        }
        if from < end {
            out.push((from, end));
        }
        out
    }

    /// The end of a range without a comma at it.
    pub fn without_comma(&self, start: usize, end: usize) -> usize {
        if end > start && self.token(end - 1) == Token::Comma { end - 1 } else { end }
    }
}
