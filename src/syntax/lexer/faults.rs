//! Characters that do not belong into a source, and what is made of them.

use std::sync::Arc;

use super::Lexer;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::token::Token;

/// Letters and signs that look like ASCII, and what they look like.
const LOOK_ALIKES: &[(&str, &str)] = &[
    ("АВЕЅІЈКМНОРСТХҮԜ", "ABESIJKMHOPCTXYW"),
    ("аеорсухіјѕԁһԛԝҽ", "aeopcyxijsdhqwe"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX"),
    ("ορνιγ", "opviy"),
    ("‐‑–—−﹣－", "-------"),
    ("‚，；：．（）［］｛｝＝＜＞＋＊／｜？＠", ",,;:.()[]{}=<>+*/|?@"),
];

/// The ASCII character that another looks like.
pub(super) fn look_alike(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    // Full-width letters and digits stand in one block in the order of ASCII.
    if ('\u{ff01}'..='\u{ff5e}').contains(&c) {
        return char::from_u32(c as u32 - 0xfee0);
    }
    LOOK_ALIKES
        .iter()
        .find_map(|(theirs, ours)| theirs.chars().zip(ours.chars()).find(|&(their, _)| their == c).map(|(_, our)| our))
}

/// A word in ASCII: letters that only look like it are taken for what they look like.
pub fn plain_word(word: &str) -> Arc<str> {
    if word.is_ascii() {
        return word.into();
    }
    let plain: Option<String> = word.chars().map(|c| if c.is_ascii() { Some(c) } else { look_alike(c) }).collect();
    plain.map_or_else(|| word.into(), Into::into)
}

fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{180e}' | '\u{115f}' | '\u{3164}')
}

impl Lexer<'_> {
    /// Characters that nobody sees: a fault wherever they stand, in strings and comments too. A run of them is one.
    pub(super) fn hidden_characters(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            // The quick way for what nearly all sources are made of.
            if (0x20..0x7f).contains(&byte) || byte == b'\n' || byte == b'\t' || (byte >= 0x80 && !may_lead(byte)) {
                at += 1;
                continue;
            }
            let Some(c) = self.text.get(at..).and_then(|rest| rest.chars().next()) else {
                at += 1;
                continue;
            };
            if !is_bidi(c) && !c.is_control() {
                at += c.len_utf8();
                continue;
            }
            let rest = &self.text[at..];
            let same =
                |other: char| if is_bidi(c) { is_bidi(other) } else { !is_bidi(other) && is_hidden_control(other) };
            let end = at + rest.find(|other| !same(other)).unwrap_or(rest.len());
            let end = end.max(at + c.len_utf8());
            let span = self.span(at, end);
            let diagnostic = if is_bidi(c) {
                let message =
                    format!("an invisible character (U+{:04X}) makes this line show in another order", c as u32);
                Diagnostic::error(Code::BidiControl, span, message)
                    .help("delete it; what is read has to be what is meant")
            } else {
                let message = format!("a control character (U+{:04X}) stands here", c as u32);
                Diagnostic::error(Code::ControlCharacter, span, message)
                    .help("delete it; in a string write `\\u{…}` if it is meant")
            };
            self.diagnostics.push(diagnostic.fix(span, ""));
            at = end;
        }
    }

    /// A character that begins no token: reported, and taken as what it seems to be meant for.
    pub(super) fn other(&mut self, start: usize) -> usize {
        let Some(c) = self.text[start..].chars().next() else { return self.text.len() };
        let end = start + c.len_utf8();
        if is_bidi(c) || c.is_control() {
            // Reported with all others of its kind.
            return end;
        }
        match c {
            '\'' => self.single_quoted(start),
            '#' => self.hash(start),
            ';' => {
                let span = self.span(start, end);
                let diagnostic = Diagnostic::error(Code::StrayCharacter, span, "nothing ends with `;` here");
                self.diagnostics.push(diagnostic.help("delete it: a new line is enough").fix(span, ""));
                end
            }
            '“' | '”' | '„' | '«' => self.curly_quoted(start, end),
            _ if c.is_whitespace() => {
                let message = format!("this character (U+{:04X}) only looks like a space", c as u32);
                let span = self.span(start, end);
                let diagnostic = Diagnostic::error(Code::LookAlikeCharacter, span, message);
                self.diagnostics.push(diagnostic.help("put a plain space there").fix(span, " "));
                end
            }
            _ if is_invisible(c) => {
                let message = format!("an invisible character (U+{:04X}) stands between words", c as u32);
                let span = self.span(start, end);
                let diagnostic = Diagnostic::error(Code::StrayCharacter, span, message);
                self.diagnostics.push(diagnostic.help("delete it").fix(span, ""));
                end
            }
            _ if c.is_alphanumeric() => self.foreign_word(start, self.word_end(start)),
            _ => self.stray(start, end, c),
        }
    }

    /// A word with letters that names do not have.
    pub(super) fn foreign_word(&mut self, start: usize, end: usize) -> usize {
        let word = &self.text[start..end];
        let span = self.span(start, end);
        let plain: Option<String> = word.chars().map(|c| if c.is_ascii() { Some(c) } else { look_alike(c) }).collect();
        let odd = word.chars().find(|c| !c.is_ascii()).unwrap_or(' ');
        match plain {
            Some(plain) => {
                let looks = look_alike(odd).unwrap_or(' ');
                let message = format!("`{odd}` (U+{:04X}) in `{word}` only looks like `{looks}`", odd as u32);
                let diagnostic = Diagnostic::error(Code::LookAlikeCharacter, span, message)
                    .help(format!("write `{plain}` in plain letters"))
                    .fix(span, plain.clone());
                self.diagnostics.push(diagnostic);
                let token = if plain.starts_with(|c: char| c.is_ascii_digit()) {
                    Token::BadExpr
                } else {
                    Token::keyword(&plain).unwrap_or(Token::Word)
                };
                self.push(token, start, end)
            }
            None => {
                let message = format!("`{odd}` can't be part of a name");
                let diagnostic = Diagnostic::error(Code::StrayCharacter, span, message).help(
                    "names have the letters `a` to `z` and `A` to `Z`, digits and `_`; strings may have any text",
                );
                self.diagnostics.push(diagnostic);
                self.push(Token::Word, start, end)
            }
        }
    }

    /// Typographic quotes: a string if they close on the line.
    fn curly_quoted(&mut self, start: usize, end: usize) -> usize {
        let line_end = self.line_end(start);
        let close = self.text[end..line_end].find(['”', '“', '»', '"']);
        let span = self.span(start, end);
        let diagnostic = Diagnostic::error(Code::LookAlikeCharacter, span, "a string is written in straight quotes")
            .help("write `\"` on both sides");
        let Some(at) = close else {
            self.report(diagnostic);
            return end;
        };
        self.report(diagnostic);
        let close_length = self.text[end + at..].chars().next().map_or(1, char::len_utf8);
        self.push(Token::BadExpr, start, end + at + close_length)
    }

    /// `# …`, as other languages comment.
    fn hash(&mut self, start: usize) -> usize {
        let end = self.line_end(start);
        let span = self.span(start, start + 1);
        let diagnostic = Diagnostic::error(Code::StrayCharacter, span, "`#` begins no comment here").help("write `//`");
        self.diagnostics.push(diagnostic.fix(span, "//"));
        end
    }

    /// `/* … */`, which this language does not have: reported and passed over.
    pub(super) fn block_comment(&mut self, start: usize) -> usize {
        let mut depth = 0usize;
        let mut at = start;
        let bytes = self.text.as_bytes();
        while at + 1 < bytes.len() {
            match &bytes[at..at + 2] {
                b"/*" => {
                    depth += 1;
                    at += 2;
                }
                b"*/" => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        break;
                    }
                }
                _ => at += 1,
            }
        }
        let span = self.span(start, start + 2);
        if depth == 0 {
            let diagnostic = Diagnostic::error(Code::StrayCharacter, span, "there are no `/* … */` comments")
                .help("begin each line with `//`");
            self.diagnostics.push(diagnostic);
            return at;
        }
        // Passing over the rest of the file would hide its faults.
        let diagnostic = Diagnostic::error(Code::UnterminatedComment, span, "this `/*` comment is not closed")
            .help("there are no `/* … */` comments: begin each line with `//`");
        self.report(diagnostic);
        self.line_end(start)
    }

    /// Anything else; a run of the same character is one fault.
    fn stray(&mut self, start: usize, end: usize, c: char) -> usize {
        let rest = &self.text[end..];
        let end = end + rest.find(|other| other != c).unwrap_or(rest.len());
        let span = self.span(start, end);
        if let Some(plain) = look_alike(c) {
            let message = format!("`{c}` (U+{:04X}) only looks like `{plain}`", c as u32);
            let diagnostic = Diagnostic::error(Code::LookAlikeCharacter, span, message);
            self.report(diagnostic.help(format!("write `{plain}`")));
        } else {
            self.report(Diagnostic::error(Code::StrayCharacter, span, format!("`{c}` means nothing here")));
        }
        self.push(Token::Bad, start, end)
    }
}

fn is_hidden_control(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\t'
}

/// Whether a byte may begin a character that is looked for: U+0080 to U+009F, U+061C, U+200E to U+2069.
fn may_lead(byte: u8) -> bool {
    matches!(byte, 0xc2 | 0xd8 | 0xe2)
}
