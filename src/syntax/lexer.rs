//! Text to tokens: the one door to logos.
//!
//! Every fault is reported here and stands for something that the grammar can go on with: `&&` is taken as `and`, an
//! unterminated string ends with its line, a number that is none becomes a faulty expression. Comments are kept in a
//! list beside the tokens for the formatter; `///` comments are tokens. Nothing here looks at more than one token.

mod faults;
mod literal;

use logos::Logos;

pub use self::faults::plain_word;
pub use self::literal::{MessagePiece, message, tagged, unescape};
use super::token::{Lexeme, Token};
use crate::base::limits::NAME_BYTES_MAX;
use crate::base::span::{FileId, Span};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};

/// The tokens of a file, and what stands between them.
#[derive(Clone, Debug, Default)]
pub struct Lexed {
    /// The tokens, in source order.
    pub tokens: Vec<Lexeme>,
    /// The `//` comments as first and past byte, in source order.
    pub comments: Vec<(u32, u32)>,
    /// Where faults were reported, in source order: the parser says nothing about what follows from them.
    pub faults: Vec<u32>,
}

#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq)]
#[logos(skip r"[ \t\n\r]+")]
enum Raw {
    #[regex("[A-Za-z_][A-Za-z0-9_]*")]
    Word,
    #[regex(r"[0-9][0-9A-Za-z_]*(\.[0-9][0-9A-Za-z_]*)?")]
    Number,
    #[token("\"")]
    Quote,
    #[token("//")]
    Comment,
    #[token("/*")]
    Block,
    #[token("(")]
    OpenParen,
    #[token(")")]
    CloseParen,
    #[token("[")]
    OpenBracket,
    #[token("]")]
    CloseBracket,
    #[token("{")]
    OpenBrace,
    #[token("}")]
    CloseBrace,
    #[token(",")]
    Comma,
    #[token(".")]
    Dot,
    #[token(":")]
    Colon,
    #[token("::")]
    DoubleColon,
    #[token("=")]
    Assign,
    #[token("=>")]
    FatArrow,
    #[token("->")]
    Arrow,
    #[token("==")]
    Equal,
    #[token("!=")]
    NotEqual,
    #[token("<")]
    Less,
    #[token("<=")]
    LessEqual,
    #[token(">")]
    Greater,
    #[token(">=")]
    GreaterEqual,
    #[token("+")]
    Plus,
    #[token("-")]
    Minus,
    #[token("*")]
    Star,
    #[token("/")]
    Slash,
    #[token("|")]
    Bar,
    #[token("?")]
    Question,
    #[token("??")]
    Coalesce,
    #[token("@")]
    At,
    #[token("..=")]
    RangeInclusive,
    #[token("..")]
    RangeOpen,
    // What other languages write, so that it can be taken for what is meant.
    #[token("&&")]
    #[token("&")]
    Ampersand,
    #[token("||")]
    Bars,
    #[token("!")]
    Bang,
    #[token("===")]
    #[token("!==")]
    TripleEqual,
    #[token(":=")]
    Define,
    #[token("<>")]
    Diamond,
}

/// The tokens of a text; faults go to the sink.
pub fn lex(file: FileId, text: &str, diagnostics: &mut Diagnostics) -> Lexed {
    let mut lexer = Lexer { file, text, out: Lexed::default(), diagnostics };
    lexer.hidden_characters();
    lexer.run();
    lexer.out.faults.sort_unstable();
    lexer.out
}

struct Lexer<'a> {
    file: FileId,
    text: &'a str,
    out: Lexed,
    diagnostics: &'a mut Diagnostics,
}

impl Lexer<'_> {
    fn run(&mut self) {
        let text = self.text;
        let mut raw = Raw::lexer(text);
        while let Some(found) = raw.next() {
            let (start, end) = (raw.span().start, raw.span().end);
            let next = match found {
                Ok(kind) => self.one(kind, start, end),
                Err(()) => self.other(start),
            };
            if next != end {
                // Something was read by hand: go on behind it.
                raw = Raw::lexer(text);
                raw.bump(next);
            }
        }
    }

    /// Takes one raw token and says where to go on.
    fn one(&mut self, kind: Raw, start: usize, end: usize) -> usize {
        let token = match kind {
            Raw::Word => return self.word(start, end),
            Raw::Number => {
                let end = self.number_end(start, self.word_end(end));
                let token = self.number(start, end);
                return self.push(token, start, end);
            }
            Raw::Quote => return self.string(start),
            Raw::Comment => return self.comment(start),
            Raw::Block => return self.block_comment(start),
            Raw::OpenParen => Token::OpenParen,
            Raw::CloseParen => Token::CloseParen,
            Raw::OpenBracket => Token::OpenBracket,
            Raw::CloseBracket => Token::CloseBracket,
            Raw::OpenBrace => Token::OpenBrace,
            Raw::CloseBrace => Token::CloseBrace,
            Raw::Comma => Token::Comma,
            Raw::Dot => Token::Dot,
            Raw::Colon => Token::Colon,
            Raw::DoubleColon => Token::DoubleColon,
            Raw::Assign => Token::Assign,
            Raw::FatArrow => Token::FatArrow,
            Raw::Arrow => Token::Arrow,
            Raw::Equal => Token::Equal,
            Raw::NotEqual => Token::NotEqual,
            Raw::Less => Token::Less,
            Raw::LessEqual => Token::LessEqual,
            Raw::Greater => Token::Greater,
            Raw::GreaterEqual => Token::GreaterEqual,
            Raw::Plus => Token::Plus,
            Raw::Minus => Token::Minus,
            Raw::Star => Token::Star,
            Raw::Slash => Token::Slash,
            Raw::Bar => Token::Bar,
            Raw::Question => Token::Question,
            Raw::Coalesce => Token::Coalesce,
            Raw::At => Token::At_,
            Raw::RangeInclusive => Token::RangeInclusive,
            Raw::RangeOpen => Token::RangeOpen,
            Raw::Ampersand => self.foreign(start, end, "and", Token::And),
            Raw::Bars => self.foreign(start, end, "or", Token::Or),
            Raw::Bang => self.foreign(start, end, "not", Token::Not),
            Raw::TripleEqual if self.text.as_bytes()[start] == b'!' => self.foreign(start, end, "!=", Token::NotEqual),
            Raw::TripleEqual => self.foreign(start, end, "==", Token::Equal),
            Raw::Define => self.foreign(start, end, "=", Token::Assign),
            Raw::Diamond => self.foreign(start, end, "!=", Token::NotEqual),
        };
        self.push(token, start, end)
    }

    fn push(&mut self, token: Token, start: usize, end: usize) -> usize {
        self.out.tokens.push(Lexeme { token, start: start as u32, end: end as u32 });
        end
    }

    /// A word: a keyword, a name, or the tag before a string.
    fn word(&mut self, start: usize, end: usize) -> usize {
        let long_end = self.word_end(end);
        if long_end != end {
            return self.foreign_word(start, long_end);
        }
        let word = &self.text[start..end];
        if let Some(token) = Token::keyword(word) {
            return self.push(token, start, end);
        }
        if self.text.as_bytes().get(end) == Some(&b'"') {
            return self.tagged_string(start, end);
        }
        if word.len() > NAME_BYTES_MAX {
            let message = format!("a name has at most {NAME_BYTES_MAX} bytes, this one has {}", word.len());
            self.report(Diagnostic::error(Code::NameTooLong, self.span(start, end), message));
        }
        self.push(Token::Word, start, end)
    }

    /// Where a word ends that may have letters of other scripts in it.
    fn word_end(&self, end: usize) -> usize {
        if self.text.as_bytes().get(end).is_none_or(u8::is_ascii) {
            return end;
        }
        let rest = &self.text[end..];
        end + rest.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(rest.len())
    }

    /// A `//` comment, or a `///` one, which is a token; `////…` is a plain comment.
    fn comment(&mut self, start: usize) -> usize {
        let end = self.line_end(start);
        let line = &self.text[start..end];
        if line.starts_with("///") && !line.starts_with("////") {
            return self.push(Token::Doc, start, end);
        }
        self.out.comments.push((start as u32, end as u32));
        end
    }

    fn line_end(&self, start: usize) -> usize {
        self.text[start..].find('\n').map_or(self.text.len(), |at| start + at)
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start as u32, end as u32)
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.out.faults.push(diagnostic.primary.span.start);
        self.diagnostics.push(diagnostic);
    }

    /// What another language writes for a sign of this one: said once, and taken for what is meant.
    fn foreign(&mut self, start: usize, end: usize, ours: &str, token: Token) -> Token {
        let span = self.span(start, end);
        let theirs = &self.text[start..end];
        let diagnostic = Diagnostic::error(Code::StrayCharacter, span, format!("`{theirs}` means nothing here"))
            .help(format!("write `{ours}`"))
            .fix(span, ours);
        // What is meant is known, so what follows can be judged: not noted among the faults.
        self.diagnostics.push(diagnostic);
        token
    }
}
