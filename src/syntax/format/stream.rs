//! The tokens of a file with what stands between them: comments, blank lines, line starts.

use crate::base::span::FileId;
use crate::diagnostic::Diagnostics;
use crate::syntax::lexer::{self, Lexed};
use crate::syntax::parse::{split, words};
use crate::syntax::token::{Lexeme, Token};

/// A comment on lines of its own, before a token.
#[derive(Clone, Debug)]
pub struct Lead {
    /// Its text, with the slashes.
    pub text: String,
    /// Whether a blank line stands before it.
    pub blank: bool,
}

/// What stands around one token.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Comments on their own lines before it.
    pub leads: Vec<Lead>,
    /// A comment behind it on its line.
    pub trail: Option<String>,
    /// Whether a blank line stands right before it.
    pub blank: bool,
    /// Whether it is the first on its line.
    pub first: bool,
}

/// The tokens of a file.
#[derive(Debug)]
pub struct Stream<'a> {
    /// The source.
    pub text: &'a str,
    /// The tokens.
    pub tokens: Vec<Lexeme>,
    /// What stands around each; one more for the end of the file.
    pub around: Vec<Around>,
    /// The items.
    pub items: Vec<split::ItemRange>,
    /// Line starts.
    pub lines: split::Lines,
}

impl<'a> Stream<'a> {
    /// Reads a text that has no faults.
    pub fn read(text: &'a str) -> Stream<'a> {
        Stream::of(text, lexer::lex(FileId(0), text, &mut Diagnostics::default()))
    }

    /// The same of some of its tokens and comments.
    pub fn of(text: &'a str, lexed: Lexed) -> Stream<'a> {
        let Lexed { mut tokens, comments, .. } = lexed;
        words::before_splitting(&mut tokens);
        let lines = split::Lines::of(text, &tokens);
        let items = split::items(text, &tokens, &lines);
        for item in &items {
            words::within_item(&mut tokens[item.start..item.end]);
        }
        let mut around = attach(text, &tokens, &comments);
        for (at, lexeme) in tokens.iter().enumerate() {
            if lexeme.token == Token::Comma {
                free_comma(&mut around, at);
            }
        }
        Stream { text, tokens, around, items, lines }
    }

    /// The text of a token, as it is written in the canonical form.
    pub fn word(&self, at: usize) -> String {
        let lexeme = self.tokens[at];
        let text = &self.text[lexeme.start as usize..lexeme.end as usize];
        if lexeme.token == Token::Doc { text.trim_end().to_owned() } else { text.to_owned() }
    }

    /// The kind of a token; past the end, one that nothing accepts.
    pub fn token(&self, at: usize) -> Token {
        self.tokens.get(at).map_or(Token::Bad, |lexeme| lexeme.token)
    }

    /// Some of the tokens as the splitter takes them.
    pub fn source(&self, start: usize, end: usize) -> split::Source<'_> {
        split::Source { tokens: &self.tokens[start..end], lines: self.lines.slice(start, end) }
    }

    /// The pieces of a body as ranges of tokens.
    pub fn pieces(&self, body: split::Body, start: usize, end: usize) -> Vec<(usize, usize)> {
        let mut at = start;
        let pieces = split::pieces(body, self.source(start, end));
        let range = |piece: split::Source<'_>| {
            let from = at;
            at += piece.tokens.len();
            (from, at)
        };
        pieces.into_iter().map(range).collect()
    }

    /// The index of the bracket that closes the one at `open`.
    pub fn partner(&self, open: usize) -> usize {
        let mut depth = 0usize;
        for at in open..self.tokens.len() {
            if self.token(at).opens() {
                depth += 1;
            } else if self.token(at).closes() {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
        }
        self.tokens.len().saturating_sub(1)
    }

    /// Whether a comment stands within a range of tokens: behind its first token begins and before its last one ends.
    pub fn has_inner_comment(&self, start: usize, end: usize) -> bool {
        (start..end).any(|at| {
            (at > start && !self.around[at].leads.is_empty()) || (at + 1 < end && self.around[at].trail.is_some())
        })
    }
}

fn attach(text: &str, tokens: &[Lexeme], comments: &[(u32, u32)]) -> Vec<Around> {
    let mut around: Vec<Around> = vec![Around::default(); tokens.len() + 1];
    let mut comments = comments.iter().copied().peekable();
    let mut last_end = 0usize;
    for at in 0..=tokens.len() {
        let start = tokens.get(at).map_or(text.len(), |lexeme| lexeme.start as usize);
        let mut newlines = 0;
        while let Some((from, to)) = comments.next_if(|&(from, _)| (from as usize) < start) {
            newlines = text[last_end..from as usize].matches('\n').count();
            let comment = text[from as usize..to as usize].trim_end().to_owned();
            last_end = to as usize;
            let is_trail = newlines == 0 && at > 0 && around[at].leads.is_empty() && around[at - 1].trail.is_none();
            if is_trail {
                around[at - 1].trail = Some(comment);
            } else {
                around[at].leads.push(Lead { text: comment, blank: newlines > 1 });
            }
            newlines = 0;
        }
        newlines += text[last_end..start].matches('\n').count();
        around[at].blank = newlines > 1;
        around[at].first = newlines > 0 || at == 0;
        last_end = tokens.get(at).map_or(text.len(), |lexeme| lexeme.end as usize);
    }
    around
}

/// Commas come and go, so what stands around one goes to its neighbours.
fn free_comma(around: &mut [Around], at: usize) {
    let mut moved = std::mem::take(&mut around[at].leads);
    if let Some(trail) = around[at].trail.take() {
        if at > 0 && around[at - 1].trail.is_none() && moved.is_empty() {
            around[at - 1].trail = Some(trail);
        } else {
            moved.push(Lead { text: trail, blank: false });
        }
    }
    around[at + 1].leads.splice(0..0, moved);
}
