//! Words, strings, numbers and signs of assembly, and a cursor over them.

use crate::bytecode::assemble::{AssembleError, Parse};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, digits, `_`, `.` and `-`, beginning with a letter or `_`.
    Word,
    /// In quotes; escapes not yet read.
    String,
    /// Digits, perhaps with a sign before them and a point among them.
    Number,
    Sign,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub line: u32,
    /// The first of its line.
    pub first: bool,
}

pub(super) struct Cursor<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
}

fn tokens(text: &str) -> Parse<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    for (line, rest) in (1..).zip(text.lines()) {
        let mut rest = rest.trim_start();
        let mut first = true;
        while let Some(begin) = rest.chars().next() {
            if rest.starts_with("//") {
                break;
            }
            let (kind, length) = match begin {
                '"' => (Kind::String, string_length(rest).ok_or_else(|| unclosed(line))?),
                '0'..='9' => (Kind::Number, number_length(rest)),
                '-' if rest[1..].starts_with(|c: char| c.is_ascii_digit()) => (Kind::Number, number_length(rest)),
                _ if begin.is_alphabetic() || begin == '_' => {
                    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
                    (Kind::Word, rest.find(|c| !part(c)).unwrap_or(rest.len()))
                }
                _ if rest.starts_with("->") || rest.starts_with("=>") => (Kind::Sign, 2),
                _ => (Kind::Sign, begin.len_utf8()),
            };
            let (token, behind) = rest.split_at(length);
            tokens.push(Token { kind, text: token, line, first });
            first = false;
            rest = behind.trim_start();
        }
    }
    Ok(tokens)
}

fn unclosed(line: u32) -> AssembleError {
    AssembleError { line, message: "a string does not end".into() }
}

fn string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn number_length(text: &str) -> usize {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    1 + text[1..].find(|c| !digits(c)).unwrap_or(text.len() - 1)
}

/// Writes a string in quotes, so that the cursor reads the same.
pub(in crate::bytecode) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || c == '\u{2028}' || c == '\u{2029}' => {
                out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether a name can stand without quotes.
pub(in crate::bytecode) fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Parse<Cursor<'a>> {
        Ok(Cursor { tokens: tokens(text)?, at: 0 })
    }

    pub(super) fn tokens(&self) -> &[Token<'a>] {
        &self.tokens
    }

    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    #[cold]
    pub(super) fn error(&self, message: &str) -> AssembleError {
        // What is complained of was taken already, mostly.
        let token = self.tokens.get(self.at.saturating_sub(1)).or(self.tokens.last());
        AssembleError { line: token.map_or(1, |token| token.line), message: message.to_owned() }
    }

    pub(super) fn end(&self) -> Parse {
        match self.peek() {
            None => Ok(()),
            Some(token) => Err(AssembleError { line: token.line, message: format!("unexpected `{}`", token.text) }),
        }
    }

    pub(super) fn take_word(&mut self) -> Option<&'a str> {
        let token = self.peek().filter(|token| token.kind == Kind::Word)?;
        self.at += 1;
        Some(token.text)
    }

    pub(super) fn word(&mut self) -> Parse<&'a str> {
        self.take_word().ok_or_else(|| self.unexpected("a word"))
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.kind == Kind::Word && token.text == word)
    }

    /// Takes this word, if it is next.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.kind != Kind::String && token.text == word);
        self.at += usize::from(found);
        found
    }

    /// Whether the sign follows the next token.
    pub(super) fn is_followed_by(&self, sign: &str) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|token| token.kind == Kind::Sign && token.text == sign)
    }

    pub(super) fn is_string(&self) -> bool {
        self.peek().is_some_and(|token| token.kind == Kind::String)
    }

    pub(super) fn is_number(&self) -> bool {
        self.peek().is_some_and(|token| token.kind == Kind::Number)
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        self.peek().is_some_and(|token| token.kind == Kind::Sign && token.text == sign)
    }

    pub(super) fn expect(&mut self, sign: &str) -> Parse {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    #[cold]
    fn unexpected(&self, wanted: &str) -> AssembleError {
        match self.peek() {
            Some(token) => {
                AssembleError { line: token.line, message: format!("{wanted} is expected, not `{}`", token.text) }
            }
            None => self.error(&format!("{wanted} is expected, not the end")),
        }
    }

    pub(super) fn take_string(&mut self) -> Parse<Option<String>> {
        let Some(token) = self.peek().filter(|token| token.kind == Kind::String) else { return Ok(None) };
        self.at += 1;
        let inner = &token.text[1..token.text.len() - 1];
        let mut out = String::with_capacity(inner.len());
        let mut rest = inner.chars();
        while let Some(c) = rest.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            match rest.next() {
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some('u') => {
                    let digits: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    let c = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    out.push(c.ok_or_else(|| self.error("no such character"))?);
                }
                Some(c @ ('"' | '\\')) => out.push(c),
                _ => return Err(self.error("no such escape")),
            }
        }
        Ok(Some(out))
    }

    pub(super) fn string(&mut self) -> Parse<String> {
        self.take_string()?.ok_or_else(|| self.unexpected("a string"))
    }

    /// A word or a string.
    pub(super) fn name(&mut self) -> Parse<String> {
        match self.take_string()? {
            Some(text) => Ok(text),
            None => self.word().map(str::to_owned),
        }
    }

    /// The text of a number.
    pub(super) fn digits(&mut self) -> Parse<&'a str> {
        let token =
            self.peek().filter(|token| token.kind == Kind::Number).ok_or_else(|| self.unexpected("a number"))?;
        self.at += 1;
        Ok(token.text)
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self) -> Parse<T> {
        let digits = self.digits()?;
        digits.parse().map_err(|_| self.error("the number does not fit"))
    }

    /// `#` and a number.
    pub(super) fn take_raw(&mut self) -> Parse<Option<u32>> {
        if self.take("#") { self.number().map(Some) } else { Ok(None) }
    }
}
