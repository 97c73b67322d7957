//! Strings and numbers: where they end, whether they are well formed, and what they say.

use std::sync::Arc;

use super::Lexer;
use crate::base::span::{FileId, Span};
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::Tag;
use crate::syntax::token::Token;

/// The words that may stand right before a string.
const TAGS: &[(&str, Tag)] = &[
    ("timestamp", Tag::Timestamp),
    ("ip", Tag::Ip),
    ("net", Tag::Net),
    ("url", Tag::Url),
    ("path", Tag::Path),
    ("glob", Tag::Glob),
    ("regex", Tag::Regex),
];

/// The units of durations, longest first.
const UNITS: &[&str] = &["w", "d", "h", "m", "s", "ms"];

impl Lexer<'_> {
    /// The end of a string whose opening quote is at `open`, and whether it is closed; it never goes past its line.
    fn string_end(&self, open: usize, quote: u8) -> (usize, bool) {
        let bytes = self.text.as_bytes();
        let mut at = open + 1;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'\n' => return (at, false),
                b'\\' if bytes.get(at + 1).is_some_and(|&next| next != b'\n') => at += 2,
                _ if byte == quote => return (at + 1, true),
                _ => at += 1,
            }
        }
        (self.text.len().min(at), false)
    }

    /// A string in double quotes.
    pub(super) fn string(&mut self, start: usize) -> usize {
        let end = self.closed_string(start, start);
        self.check_escapes(start, end);
        self.push(Token::String, start, end)
    }

    fn closed_string(&mut self, start: usize, open: usize) -> usize {
        let (end, closed) = self.string_end(open, b'"');
        if !closed {
            let message = "this string is not closed on its line";
            let diagnostic = Diagnostic::error(Code::UnterminatedString, self.span(start, end), message)
                .help("add `\"` where it ends; write `\\n` for a line break");
            self.report(diagnostic);
        }
        end
    }

    /// `glob"…"` and its like.
    pub(super) fn tagged_string(&mut self, start: usize, open: usize) -> usize {
        let word = &self.text[start..open];
        let known = TAGS.iter().any(|(tag, _)| *tag == word);
        let end = self.closed_string(start, open);
        if known {
            return self.push(Token::Tagged, start, end);
        }
        let diagnostic = Diagnostic::error(
            Code::UnexpectedToken,
            self.span(start, open),
            format!("no literal begins with `{word}\"`"),
        )
        .help("there are `timestamp\"…\"`, `ip\"…\"`, `net\"…\"`, `url\"…\"`, `path\"…\"`, `glob\"…\"`, `regex\"…\"`");
        self.report(diagnostic);
        self.push(Token::BadExpr, start, end)
    }

    /// `'…'`, as other languages have it: reported, and taken as a string.
    pub(super) fn single_quoted(&mut self, start: usize) -> usize {
        let (end, closed) = self.string_end(start, b'\'');
        if !closed {
            let message = "`'` means nothing here";
            self.report(Diagnostic::error(Code::StrayCharacter, self.span(start, start + 1), message));
            return start + 1;
        }
        let span = self.span(start, end);
        let mut diagnostic = Diagnostic::error(Code::StrayCharacter, span, "a string is written in double quotes")
            .help("write `\"` instead of `'`");
        let inside = &self.text[start + 1..end - 1];
        if !inside.contains(['"', '\\']) {
            diagnostic = diagnostic.fix(span, format!("\"{inside}\""));
        }
        self.diagnostics.push(diagnostic);
        self.push(Token::String, start, end)
    }

    fn check_escapes(&mut self, start: usize, end: usize) {
        let text = self.text;
        if !text[start..end].contains('\\') {
            return;
        }
        let mut at = start + 1;
        while let Some(found) = text[at..end].find('\\') {
            at += found;
            let (length, value) = escape(&text[at..end]);
            if value.is_none() {
                let shown = &text[at..at + length];
                let diagnostic = Diagnostic::error(
                    Code::BadEscape,
                    self.span(at, at + length),
                    format!("strings know no escape `{shown}`"),
                )
                .help("there are `\\n`, `\\t`, `\\\\`, `\\\"` and `\\u{…}` with the number of a character");
                // The string is still a string.
                self.diagnostics.push(diagnostic);
            }
            at += length;
        }
    }

    /// The end of a number with the dot in `1.`, which begins nothing else: a fault of the number.
    pub(super) fn number_end(&self, start: usize, end: usize) -> usize {
        let rest = &self.text.as_bytes()[end..];
        let goes_on = rest.get(1).is_some_and(|&byte| byte == b'.' || byte == b'_' || byte.is_ascii_alphabetic());
        let is_whole = !self.text[start..end].contains('.');
        if is_whole && rest.first() == Some(&b'.') && !goes_on { end + 1 } else { end }
    }

    /// What a word that begins with a digit is.
    pub(super) fn number(&mut self, start: usize, end: usize) -> Token {
        let text = &self.text[start..end];
        let digits = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
                && !part.starts_with('_')
                && !part.ends_with('_')
                && !part.contains("__")
        };
        match text.split_once('.') {
            None if digits(text) => return Token::Int,
            Some((whole, fraction)) if digits(whole) && digits(fraction) => return Token::Decimal,
            _ if is_duration(text) => return Token::Duration,
            _ => {}
        }
        let span = self.span(start, end);
        let unit_like = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '_');
        let is_time = ["ms", "s", "sec", "secs", "m", "min", "mins", "h", "hr", "hrs", "d", "day", "days", "w"]
            .contains(&unit_like)
            || text.bytes().filter(u8::is_ascii_digit).count() > 1 && UNITS.iter().any(|unit| text.ends_with(unit));
        let diagnostic = if is_time {
            Diagnostic::error(Code::BadDuration, span, format!("`{text}` is no duration"))
                .help("write whole numbers with `w`, `d`, `h`, `m`, `s` or `ms`, largest first: `1h30m`")
        } else if is_of_moment(text) {
            Diagnostic::error(Code::BadNumber, span, format!("`{text}` is no number"))
                .help("moments are written in quotes: `timestamp\"2026-01-31T12:00:00Z\"`")
        } else {
            Diagnostic::error(Code::BadNumber, span, format!("`{text}` is no number"))
                .help("numbers are written in decimal digits, `_` between them if it helps: `1_000`, `0.25`")
        };
        self.report(diagnostic);
        Token::BadExpr
    }
}

/// Whether it looks like what the lexer finds in a bare `2026-01-31T12:00:00Z`: `31T12` and `00Z`.
fn is_of_moment(text: &str) -> bool {
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('T') {
        Some((day, hour)) => digits(day) && digits(hour),
        None => text.strip_suffix('Z').is_some_and(digits),
    }
}

/// Digits and units, each unit smaller than the one before.
fn is_duration(text: &str) -> bool {
    let mut rest = text;
    let mut last_unit = None;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let after = &rest[digits..];
        let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = UNITS.iter().position(|unit| *unit == &after[..letters]);
        if digits == 0 || unit.is_none() || unit <= last_unit {
            return false;
        }
        last_unit = unit;
        rest = &after[letters..];
    }
    last_unit.is_some()
}

/// The length of the escape at the start of a text, and what it stands for.
fn escape(text: &str) -> (usize, Option<char>) {
    let mut chars = text.chars();
    chars.next();
    let Some(letter) = chars.next() else { return (1, None) };
    let value = match letter {
        'n' => '\n',
        't' => '\t',
        '\\' => '\\',
        '"' => '"',
        'u' if text[2..].starts_with('{') => {
            let Some(close) = text.find(['}', '"']).filter(|&at| text.as_bytes()[at] == b'}') else {
                return (2, None);
            };
            let digits = &text[3..close];
            let value = if (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
            } else {
                None
            };
            return (close + 1, value);
        }
        other => return (1 + other.len_utf8(), None),
    };
    (2, Some(value))
}

/// The inside of a string token, closed or not.
fn inside(text: &str, quote: char) -> &str {
    let rest = &text[1.min(text.len())..];
    match rest.strip_suffix(quote) {
        // `"ab\"`, not closed, ends in an escaped quote.
        Some(inner) if inner.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 0 => inner,
        _ => rest,
    }
}

/// What a string token says; faulty escapes, which the lexer has reported, are left out.
pub fn unescape(token: &str) -> Arc<str> {
    let quote = token.chars().next().unwrap_or('"');
    let mut rest = inside(token, quote);
    if !rest.contains('\\') {
        return rest.into();
    }
    let mut out = String::with_capacity(rest.len());
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let (length, value) = escape(&rest[at..]);
        out.extend(value);
        rest = &rest[(at + length).min(rest.len())..];
    }
    out.push_str(rest);
    out.into()
}

/// The kind and the raw text of a tagged string: only `\"` is an escape.
pub fn tagged(token: &str) -> (Tag, Arc<str>) {
    let open = token.find('"').unwrap_or(token.len());
    let tag = TAGS.iter().find(|(word, _)| *word == &token[..open]).map_or(Tag::Glob, |&(_, tag)| tag);
    let raw = inside(&token[open..], '"');
    let text = if raw.contains("\\\"") { unescape_quotes(raw) } else { raw.into() };
    (tag, text)
}

fn unescape_quotes(raw: &str) -> Arc<str> {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            ('\\', Some('"')) => {}
            ('\\', Some(next)) => {
                out.push('\\');
                out.push(next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    out.into()
}

/// A piece of a message as it is found: text, or the place of the path between braces.
#[derive(Debug)]
pub enum MessagePiece<'a> {
    /// Text, without escapes.
    Text(String),
    /// What stands between `{` and `}`, and where.
    Path(&'a str, Span),
    /// A brace without its partner.
    Stray(Span),
}

/// Splits a message literal that begins at `start` into text and paths; `{{` and `}}` are braces.
pub fn message(token: &str, file: FileId, start: u32) -> Vec<MessagePiece<'_>> {
    let inner = inside(token, '"');
    let base = start + 1;
    let span = |from: usize, to: usize| Span::new(file, base + from as u32, base + to as u32);
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut at = 0;
    while let Some(c) = inner[at..].chars().next() {
        let rest = &inner[at..];
        match c {
            '\\' => {
                let (length, value) = escape(rest);
                text.extend(value);
                at += length.min(rest.len());
            }
            '{' if rest.starts_with("{{") => {
                text.push('{');
                at += 2;
            }
            '}' if rest.starts_with("}}") => {
                text.push('}');
                at += 2;
            }
            '{' => {
                if !text.is_empty() {
                    pieces.push(MessagePiece::Text(std::mem::take(&mut text)));
                }
                let length = rest.find(['}', '\\']).filter(|&close| rest.as_bytes()[close] == b'}');
                match length {
                    Some(close) => {
                        pieces.push(MessagePiece::Path(&rest[1..close], span(at + 1, at + close)));
                        at += close + 1;
                    }
                    None => {
                        pieces.push(MessagePiece::Stray(span(at, at + 1)));
                        at += 1;
                    }
                }
            }
            '}' => {
                pieces.push(MessagePiece::Stray(span(at, at + 1)));
                at += 1;
            }
            _ => {
                text.push(c);
                at += c.len_utf8();
            }
        }
    }
    if !text.is_empty() {
        pieces.push(MessagePiece::Text(text));
    }
    pieces
}
