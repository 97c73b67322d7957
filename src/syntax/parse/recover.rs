//! Reading on behind a fault: an item that the grammar refuses is tried piece by piece.
//!
//! A piece that is refused alone is reported and replaced by an error token of its kind; what is left is read as a
//! whole again. So each fault is reported once, and costs one line, clause, field or row of the tree. The work is
//! linear: every token is tried at most once as part of an item, a line and a clause, and then once more.

use super::explain::{self, Place};
use super::split::{self, Body, Source};
use super::{Failure, Parsed, Parser};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::token::{Lexeme, Token};

impl<'a> Parser<'a> {
    /// Reports what is wrong with an item and gives what can be kept of it.
    pub(super) fn recover_item(&mut self, source: Source<'_>, junk: bool) -> Option<Parsed> {
        if junk {
            return self.junk(source);
        }
        self.after_junk = false;
        let head = source.tokens.iter().position(|lexeme| lexeme.token.begins_item());
        let kind = source.token(head.unwrap_or(0));
        let failure = match self.attempt(Token::StartItem, source.tokens) {
            Ok(parsed) => return Some(parsed),
            Err(failure) => failure,
        };
        self.build.take_found();
        let Some(body) = body_kind(source, kind) else { return self.flat_item(source, &failure) };
        let Some(open) = source.tokens.iter().position(|lexeme| lexeme.token == Token::OpenBrace) else {
            if failure.expects(Token::OpenBrace) && kind != Token::Entity && failure.at < source.tokens.len() {
                return self.unopened_item(source, &failure, body);
            }
            return self.flat_item(source, &failure);
        };
        self.block_item(source, body, open)
    }

    /// An item without a body in braces: what stands before `=` may be kept.
    fn flat_item(&mut self, source: Source<'_>, failure: &Failure) -> Option<Parsed> {
        self.report(Token::StartItem, source.tokens, failure);
        if let Some(assign) = source.tokens.iter().position(|lexeme| lexeme.token == Token::Assign)
            && failure.at > assign
        {
            let mut kept = source.tokens[..=assign].to_vec();
            kept.push(filler(Token::BadExpr, &source.tokens[assign..]));
            if let Ok(parsed) = self.attempt(Token::StartItem, &kept) {
                return Some(parsed);
            }
            self.build.take_found();
        }
        self.error_item(source.tokens)
    }

    /// An item whose `{` is missing.
    fn unopened_item(&mut self, source: Source<'_>, failure: &Failure, body: Body) -> Option<Parsed> {
        self.report(Token::StartItem, source.tokens, failure);
        let (head, rest) = source.tokens.split_at(failure.at);
        let mut tokens = head.to_vec();
        tokens.push(filler(Token::OpenBrace, rest));
        let end = if rest.last().is_some_and(|last| last.token == Token::CloseBrace) { 1 } else { 0 };
        self.body(body, source.part(failure.at, source.tokens.len() - end), &mut tokens);
        tokens.push(filler(Token::CloseBrace, &rest[rest.len().saturating_sub(1)..]));
        let parsed = self.attempt(Token::StartItem, &tokens);
        parsed.ok().or_else(|| self.error_item(source.tokens))
    }

    fn block_item(&mut self, source: Source<'_>, body: Body, open: usize) -> Option<Parsed> {
        let tokens = source.tokens;
        let reported = self.reports;
        let (close, missing) = closing(source, open);
        let unclosed = self.unclosed;
        let mut kept = tokens[..=open].to_vec();
        kept.push(filler(Token::CloseBrace, &tokens[open..=open]));
        let head = self.attempt(Token::StartItem, &kept);
        self.build.take_found();
        if let Err(failure) = &head {
            self.report(Token::StartItem, &kept, failure);
        }
        kept.pop();
        self.body(body, source.part(open + 1, close), &mut kept);
        self.report_unclosed(tokens, open, unclosed + missing);
        kept.push(tokens.get(close).copied().unwrap_or_else(|| filler(Token::CloseBrace, &tokens[tokens.len() - 1..])));
        kept.extend(tokens.get(close + 1..).unwrap_or(&[]));
        if head.is_err() {
            return self.error_item(tokens);
        }
        match self.attempt(Token::StartItem, &kept) {
            Ok(parsed) => Some(parsed),
            Err(failure) => {
                self.build.take_found();
                if self.reports == reported {
                    self.report(Token::StartItem, &kept, &failure);
                }
                self.error_item(tokens)
            }
        }
    }

    /// Says that a brace is not closed, unless enough brackets within are known not to be.
    fn report_unclosed(&mut self, tokens: &[Lexeme], open: usize, unclosed: usize) {
        if self.unclosed >= unclosed {
            return;
        }
        let (first, last) = (tokens[open], tokens.last().map_or(0, |last| last.end));
        if self.has_fault(first.start, last) {
            self.reports += 1;
            self.unclosed += 1;
            return;
        }
        let span = self.span(first.start, first.end);
        let diagnostic = Diagnostic::error(Code::UnclosedDelimiter, span, "this `{` is not closed")
            .secondary(self.span(last, last), "`}` is expected here at the latest")
            .help("add `}` where the block ends");
        self.push(diagnostic);
    }

    /// Tries the pieces of a body; what can be kept goes to `kept`.
    fn body(&mut self, body: Body, source: Source<'_>, kept: &mut Vec<Lexeme>) {
        let pieces = split::pieces(body, source);
        let count = pieces.len();
        for (at, piece) in pieces.into_iter().enumerate() {
            self.next_token = source.tokens.get(piece_end(source, piece)).copied();
            let before = kept.len();
            match self.attempt(start_of(body), piece.tokens) {
                Ok(_) => kept.extend(piece.tokens),
                Err(failure) => {
                    self.build.take_found();
                    self.piece(body, piece, &failure, kept, true);
                }
            }
            self.build.take_found();
            let separated = kept.last().is_some_and(|last| last.token == Token::Comma);
            if matches!(body, Body::Table | Body::Enum) && !separated && kept.len() > before && at + 1 < count {
                self.missing_comma(body, piece, kept);
            }
        }
        self.next_token = None;
    }

    fn missing_comma(&mut self, body: Body, piece: Source<'_>, kept: &mut Vec<Lexeme>) {
        let Some(last) = piece.tokens.last() else { return };
        let was_bad = kept.last().is_some_and(|last| last.token == Token::BadLine);
        kept.push(Lexeme { token: Token::Comma, start: last.end, end: last.end });
        if was_bad {
            return;
        }
        let span = self.span(last.end, last.end);
        let what = if body == Body::Table { "a table row ends in a comma" } else { "variants are separated by commas" };
        self.push(Diagnostic::error(Code::MissingToken, span, what).help("add `,` here").fix(span, ","));
    }

    /// Reports a piece that was refused and keeps what can be kept.
    fn piece(&mut self, body: Body, piece: Source<'_>, failure: &Failure, kept: &mut Vec<Lexeme>, may_guess: bool) {
        let head = piece.tokens.iter().take_while(|lexeme| lexeme.token == Token::Doc).count();
        if may_guess && let Some(mended) = self.mend_first_word(body, piece, head) {
            let mended = Source { tokens: &mended, lines: piece.lines };
            match self.attempt(start_of(body), mended.tokens) {
                Ok(_) => kept.extend(mended.tokens),
                Err(failure) => {
                    self.build.take_found();
                    self.piece(body, mended, &failure, kept, false);
                }
            }
            return;
        }
        let open = piece.tokens.iter().position(|lexeme| lexeme.token == Token::OpenBrace);
        match (body, piece.token(head), open) {
            (Body::Policy, Token::Allow | Token::Deny | Token::Require, _) => return self.rule(piece, kept),
            (Body::Governed, Token::Invariant, Some(open)) => {
                return self.block_piece(Token::StartInvariant, Body::Invariant, piece, open, kept);
            }
            (Body::Action, Token::Context, Some(open)) if open == head + 1 => {
                return self.block_piece(Token::StartActionEntry, Body::Fields, piece, open, kept);
            }
            _ => {}
        }
        self.report(start_of(body), piece.tokens, failure);
        self.keep_stub(body, piece, head, kept);
    }

    /// What stays of a piece that was refused and reported.
    fn keep_stub(&mut self, body: Body, piece: Source<'_>, head: usize, kept: &mut Vec<Lexeme>) {
        let tokens = piece.tokens;
        let token = piece.token(head);
        let bad = |token: Token| filler(token, tokens);
        let is_line_body = matches!(body, Body::Policy | Body::Invariant | Body::Prove);
        match body {
            _ if is_line_body && token == Token::Let => {
                let assign = tokens.iter().position(|lexeme| lexeme.token == Token::Assign);
                let start = if body == Body::Prove { Token::StartClaim } else { Token::StartInvariantLine };
                if let Some(assign) = assign {
                    let mut stub = tokens[..=assign].to_vec();
                    stub.push(bad(Token::BadExpr));
                    if self.attempt(start, &stub).is_ok() {
                        kept.extend(stub);
                        return;
                    }
                }
                kept.push(bad(if body == Body::Invariant { Token::BadClause } else { Token::BadLine }));
            }
            Body::Fields | Body::Governed if token == Token::Word && piece.token(head + 1) == Token::Colon => {
                kept.extend(&tokens[..head + 2]);
                kept.push(bad(Token::BadType));
            }
            Body::Rule | Body::Invariant => match token {
                Token::When | Token::Unless | Token::From | Token::Quorum | Token::Within | Token::Require => {
                    kept.push(tokens[head]);
                    kept.push(bad(Token::BadExpr));
                }
                _ => kept.push(bad(Token::BadClause)),
            },
            Body::Table | Body::Enum => {
                kept.push(bad(Token::BadLine));
                let end = tokens.last().map_or(0, |last| last.end);
                kept.push(Lexeme { token: Token::Comma, start: end, end });
            }
            _ => kept.push(bad(Token::BadLine)),
        }
    }

    /// A rule: its head, then each clause.
    fn rule(&mut self, piece: Source<'_>, kept: &mut Vec<Lexeme>) {
        let next = self.next_token;
        let clauses = split::pieces(Body::Rule, piece);
        let Some((&(mut head), rest)) = clauses.split_first() else { return };
        let mut scratch = Vec::new();
        let mut first_clause: Option<Vec<Lexeme>> = None;
        let before = kept.len();
        self.next_token = rest.first().and_then(|first| first.tokens.first()).copied().or(next);
        if let Err(failure) = self.attempt(Token::StartRuleHead, head.tokens) {
            self.report(Token::StartRuleHead, head.tokens, &failure);
            // `allow name if …` and its like: the rest is a condition.
            // Behind a name a head is complete.
            let name_stands =
                self.attempt(Token::StartRuleHead, &head.tokens[..failure.at.min(head.tokens.len())]).is_ok();
            if name_stands && explain::is_condition_word(self.word(head.tokens, failure.at), head.token(failure.at)) {
                let mut clause = head.tokens[failure.at..].to_vec();
                clause[0].token = Token::When;
                first_clause = Some(clause);
            }
            if name_stands {
                head = head.part(0, failure.at);
            }
            if name_stands && self.attempt(Token::StartRuleHead, head.tokens).is_ok() {
                kept.extend(head.tokens);
            } else {
                kept.push(filler(Token::BadLine, piece.tokens));
            }
        } else {
            kept.extend(head.tokens);
        }
        let is_bad = kept.get(before).is_some_and(|first| first.token == Token::BadLine);
        let out = if is_bad { &mut scratch } else { kept };
        if let Some(clause) = first_clause {
            let lines = vec![u32::MAX; clause.len()];
            self.clause(Source { tokens: &clause, lines: &lines }, out);
        }
        for (at, clause) in rest.iter().enumerate() {
            self.next_token = rest.get(at + 1).and_then(|after| after.tokens.first()).copied().or(next);
            self.clause(*clause, out);
        }
        self.next_token = next;
    }

    fn clause(&mut self, clause: Source<'_>, kept: &mut Vec<Lexeme>) {
        match self.attempt(Token::StartClause, clause.tokens) {
            Ok(_) => kept.extend(clause.tokens),
            Err(failure) => {
                self.build.take_found();
                self.piece(Body::Rule, clause, &failure, kept, true);
            }
        }
        self.build.take_found();
    }

    /// A piece with a body of its own.
    fn block_piece(&mut self, start: Token, inner: Body, piece: Source<'_>, open: usize, kept: &mut Vec<Lexeme>) {
        let tokens = piece.tokens;
        let (close, missing) = closing(piece, open);
        let unclosed = self.unclosed;
        let mut mended = tokens[..=open].to_vec();
        mended.push(filler(Token::CloseBrace, &tokens[open..=open]));
        let head = self.attempt(start, &mended);
        self.build.take_found();
        if let Err(failure) = &head {
            self.report(start, &mended, failure);
        }
        mended.pop();
        self.body(inner, piece.part(open + 1, close), &mut mended);
        self.report_unclosed(tokens, open, unclosed + missing);
        mended.push(filler(Token::CloseBrace, &tokens[tokens.len() - 1..]));
        let behind = tokens.get(close + 1..).unwrap_or(&[]);
        if !(behind.is_empty() || matches!(behind, [comma] if comma.token == Token::Comma)) {
            let failure = Failure { at: 0, expected: Vec::new() };
            self.report(start, behind, &failure);
        }
        if head.is_ok() && self.attempt(start, &mended).is_ok() {
            kept.extend(mended);
        } else {
            kept.push(filler(Token::BadLine, tokens));
        }
        self.build.take_found();
    }

    /// A misspelt or foreign word at the start of a piece, said once and taken as what is meant.
    fn mend_first_word(&mut self, body: Body, piece: Source<'_>, head: usize) -> Option<Vec<Lexeme>> {
        let first = *piece.tokens.get(head)?;
        if !matches!(first.token, Token::Word | Token::If) || piece.token(head + 1) == Token::Colon {
            return None;
        }
        let word = self.word(piece.tokens, head);
        let meant = explain::meant(body, word)?;
        if meant == word {
            return None;
        }
        let span = self.span(first.start, first.end);
        let what = match body {
            Body::Rule => "clause",
            Body::Action => "entry",
            Body::Governed => "part of a record",
            _ => "line",
        };
        let diagnostic = Diagnostic::error(Code::UnexpectedToken, span, format!("no {what} begins with `{word}`"))
            .help(format!("did you mean `{meant}`?"));
        self.push(diagnostic);
        let mut mended = piece.tokens.to_vec();
        mended[head].token = Token::keyword(meant.split(' ').next().unwrap_or(meant))?;
        Some(mended)
    }

    /// Something between items that begins none.
    fn junk(&mut self, source: Source<'_>) -> Option<Parsed> {
        let first = *source.tokens.first()?;
        let word = self.word(source.tokens, 0);
        let span = self.span(first.start, first.end);
        let was_junk = std::mem::replace(&mut self.after_junk, true);
        if let Some(meant) = explain::meant_item(word).filter(|_| split::is_name(first.token)) {
            let diagnostic = Diagnostic::error(Code::UnexpectedToken, span, format!("no item begins with `{word}`"));
            self.push(diagnostic.help(format!("did you mean `{meant}`?")));
            let mut mended = source.tokens.to_vec();
            mended[0].token = Token::keyword(meant)?;
            super::words::within_item(&mut mended);
            return self.recover_item(Source { tokens: &mended, lines: source.lines }, false);
        }
        if !was_junk && !self.has_fault(first.start, first.end) {
            let diagnostic = explain::junk(span, first.token, word);
            self.push(diagnostic);
        }
        self.error_item(source.tokens)
    }

    /// Reports where the grammar stopped, unless a fault of the characters before that place is its cause.
    fn report(&mut self, start: Token, tokens: &[Lexeme], failure: &Failure) {
        let first = tokens.first().map_or(0, |first| first.start);
        let stopped = tokens.get(failure.at).or(tokens.last()).map_or(first, |lexeme| lexeme.end);
        if self.has_fault(first, stopped) {
            self.reports += 1;
            return;
        }
        if self.diagnostics.is_full() {
            // What will not be shown need not be explained.
            self.reports += 1;
            self.diagnostics.count_error();
            return;
        }
        let failure = &self.exact(start, tokens, failure);
        let place = Place { text: self.text, file: self.file, start, tokens, failure, next: self.next_token };
        let diagnostic = explain::failure(&place);
        self.push(diagnostic);
    }

    /// A failure with all that was expected. With the refused token in sight the parser may have closed constructs
    /// that could have gone on; with one in sight that it never knows, it closes none.
    fn exact(&self, start: Token, tokens: &[Lexeme], failure: &Failure) -> Failure {
        let mut probe = tokens.get(..failure.at).unwrap_or(tokens).to_vec();
        let end = probe.last().map_or(0, |last| last.end);
        probe.push(Lexeme { token: Token::Bad, start: end, end });
        let exact = self.attempt(start, &probe);
        self.build.take_found();
        match exact {
            Err(exact) => Failure { at: failure.at, expected: exact.expected },
            Ok(_) => Failure { at: failure.at, expected: failure.expected.clone() },
        }
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.reports += 1;
        self.unclosed += usize::from(diagnostic.code == Code::UnclosedDelimiter);
        self.diagnostics.push(diagnostic);
    }

    /// Whether the lexer has reported something in a range.
    fn has_fault(&self, start: u32, end: u32) -> bool {
        let at = self.faults.partition_point(|&fault| fault < start);
        self.faults.get(at).is_some_and(|&fault| fault <= end)
    }

    fn word(&self, tokens: &[Lexeme], at: usize) -> &'a str {
        tokens.get(at).and_then(|lexeme| self.text.get(lexeme.start as usize..lexeme.end as usize)).unwrap_or("")
    }
}

/// The index of the brace that closes the one at `open`, and how many are missing. Where it is missing itself, a `}`
/// that ends the last line is taken for it: what that one closed is then not closed within.
fn closing(source: Source<'_>, open: usize) -> (usize, usize) {
    let tokens = source.tokens;
    let mut depth = 0usize;
    for (at, lexeme) in tokens.iter().enumerate().skip(open) {
        match lexeme.token {
            Token::OpenBrace => depth += 1,
            Token::CloseBrace => {
                depth -= 1;
                if depth == 0 {
                    return (at, 0);
                }
            }
            _ => {}
        }
    }
    let last = tokens.len() - 1;
    let ends = last > open && tokens[last].token == Token::CloseBrace && source.first_on_line(last);
    (if ends { last } else { tokens.len() }, depth)
}

/// An error token that stands for some tokens.
fn filler(token: Token, tokens: &[Lexeme]) -> Lexeme {
    let start = tokens.first().map_or(0, |first| first.start);
    let end = tokens.last().map_or(start, |last| last.end);
    match token {
        Token::OpenBrace => Lexeme { token, start, end: start },
        Token::CloseBrace => Lexeme { token, start: end, end },
        _ => Lexeme { token, start, end },
    }
}

/// Where the token behind a piece is in what the piece is of.
fn piece_end(source: Source<'_>, piece: Source<'_>) -> usize {
    let end = piece.tokens.last().map_or(0, |last| last.end);
    source.tokens.partition_point(|lexeme| lexeme.end <= end)
}

/// What the body of an item is made of.
pub fn body_kind(source: Source<'_>, kind: Token) -> Option<Body> {
    Some(match kind {
        Token::Enum => Body::Enum,
        Token::Record if source.tokens.iter().take(64).any(|lexeme| lexeme.token == Token::Governed) => Body::Governed,
        Token::Record | Token::Entity => Body::Fields,
        Token::Action => Body::Action,
        Token::Table => Body::Table,
        Token::Lifecycle => Body::Lifecycle,
        Token::Policy => Body::Policy,
        Token::Invariant => Body::Invariant,
        Token::Prove => Body::Prove,
        Token::Test => Body::Test,
        _ => return None,
    })
}

/// What the grammar reads when it tries a piece.
fn start_of(body: Body) -> Token {
    match body {
        Body::Policy => Token::StartPolicyLine,
        Body::Rule => Token::StartClause,
        Body::Invariant => Token::StartInvariantLine,
        Body::Table => Token::StartRow,
        Body::Test => Token::StartTestLine,
        Body::Fields => Token::StartField,
        Body::Governed => Token::StartGovernedPart,
        Body::Enum => Token::StartVariant,
        Body::Action => Token::StartActionEntry,
        Body::Lifecycle => Token::StartLifecycleLine,
        Body::Prove => Token::StartClaim,
    }
}
