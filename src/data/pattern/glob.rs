//! Globs, translated to regular expressions.
//!
//! | glob | matches |
//! | --- | --- |
//! | `*` | any characters but `/`, also none |
//! | `**` | any characters, also none |
//! | `?` | one character but `/` |
//! | `[a-z_]`, `[!a-z_]` | one character of the class, or not of it; never `/` |
//! | `{a,b*,}` | one of the alternatives, which may nest |
//! | `\*` | the character after the backslash |
//! | anything else | itself |
//!
//! `**` is nothing but its row says: `a/**/b` has two slashes at least. In a class a `-` at either end is itself, and
//! `[`, `]`, `\`, a `!` that is first, and any other `-` take a backslash. Nothing is taken literally because it
//! would otherwise be wrong: a class or a brace that does not end, a class that is empty or runs backwards or names
//! `/`, braces without a comma, a lone `]` or `}`, `***` and a `\` at the end are errors.

use std::fmt;
use std::iter::Peekable;
use std::str::CharIndices;

use super::PatternError;
use crate::base::limits::{NESTING_MAX, PATTERN_BYTES_MAX};

/// What is wrong with a glob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GlobFault {
    /// A `[` without its `]`.
    ClassUnclosed,
    /// A class without characters.
    ClassEmpty,
    /// A range whose end comes before its start.
    ClassRange,
    /// A `/` in a class, which never matches one.
    ClassSlash,
    /// A character in a class that takes a backslash: `[`, or a `-` in the middle, or a first `^`, which elsewhere
    /// means what `!` means here.
    ClassCharacter,
    /// A `]` without its `[`.
    ClassUnopened,
    /// A `{` without its `}`.
    BraceUnclosed,
    /// A `}` without its `{`.
    BraceUnopened,
    /// Braces without a comma.
    BraceSingle,
    /// Braces nested too deeply.
    BraceDepth,
    /// Three stars or more in a row.
    Stars,
    /// A backslash with nothing after it.
    Escape,
}

impl fmt::Display for GlobFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GlobFault::ClassUnclosed => "`[` is not closed",
            GlobFault::ClassEmpty => "the class is empty",
            GlobFault::ClassRange => "the range ends before it starts",
            GlobFault::ClassSlash => "a class never matches `/`",
            GlobFault::ClassCharacter => "this character takes a backslash in a class",
            GlobFault::ClassUnopened => "`]` closes nothing; it takes a backslash",
            GlobFault::BraceUnclosed => "`{` is not closed",
            GlobFault::BraceUnopened => "`}` closes nothing; it takes a backslash",
            GlobFault::BraceSingle => "braces take alternatives with commas between them",
            GlobFault::BraceDepth => "braces are nested too deeply",
            GlobFault::Stars => "three stars in a row",
            GlobFault::Escape => "a backslash takes a character after it",
        })
    }
}

type Characters<'g> = Peekable<CharIndices<'g>>;

/// The regular expression, in the syntax of the crate `regex`, that matches the texts the glob matches if it is
/// anchored at both ends. It is a pattern itself, and like one has at most [`PATTERN_BYTES_MAX`] bytes.
pub fn glob_to_regex(glob: &str) -> Result<String, PatternError> {
    if glob.len() > PATTERN_BYTES_MAX {
        return Err(PatternError::TooLong);
    }
    let regex = translate(glob).map_err(|(offset, fault)| PatternError::Glob { offset: offset as u32, fault })?;
    // It has to be a pattern itself: bundles hold the translation.
    if regex.len() > PATTERN_BYTES_MAX { Err(PatternError::TooLong) } else { Ok(regex) }
}

/// A brace that is open: where, and whether it has had a comma.
struct Brace {
    offset: usize,
    comma: bool,
}

fn translate(glob: &str) -> Result<String, (usize, GlobFault)> {
    let mut regex = String::with_capacity(glob.len() * 2);
    let mut braces: Vec<Brace> = Vec::new();
    let mut characters = glob.char_indices().peekable();
    while let Some((offset, character)) = characters.next() {
        match character {
            '*' => {
                let mut stars = 1;
                while characters.next_if(|&(_, next)| next == '*').is_some() {
                    stars += 1;
                }
                regex.push_str(match stars {
                    1 => "[^/]*",
                    2 => "(?s:.)*",
                    _ => return Err((offset, GlobFault::Stars)),
                });
            }
            '?' => regex.push_str("[^/]"),
            '[' => translate_class(offset, &mut characters, &mut regex)?,
            ']' => return Err((offset, GlobFault::ClassUnopened)),
            '{' => {
                if braces.len() == NESTING_MAX {
                    return Err((offset, GlobFault::BraceDepth));
                }
                braces.push(Brace { offset, comma: false });
                regex.push_str("(?:");
            }
            '}' => match braces.pop() {
                Some(brace) if brace.comma => regex.push(')'),
                Some(brace) => return Err((brace.offset, GlobFault::BraceSingle)),
                None => return Err((offset, GlobFault::BraceUnopened)),
            },
            ',' => match braces.last_mut() {
                Some(brace) => {
                    brace.comma = true;
                    regex.push('|');
                }
                None => regex.push(','),
            },
            '\\' => match characters.next() {
                Some((_, escaped)) => push_literal(escaped, &mut regex),
                None => return Err((offset, GlobFault::Escape)),
            },
            literal => push_literal(literal, &mut regex),
        }
    }
    match braces.pop() {
        Some(brace) => Err((brace.offset, GlobFault::BraceUnclosed)),
        None => Ok(regex),
    }
}

/// Translates a class from after its `[`, which is at `start`, to its `]`.
fn translate_class(
    start: usize,
    characters: &mut Characters<'_>,
    regex: &mut String,
) -> Result<(), (usize, GlobFault)> {
    let negated = characters.next_if(|&(_, next)| next == '!').is_some();
    if let Some(&(offset, '^')) = characters.peek() {
        return Err((offset, GlobFault::ClassCharacter));
    }
    regex.push_str(if negated { "[^/" } else { "[" });
    let mut first = true;
    loop {
        let (offset, character) = characters.next().ok_or((start, GlobFault::ClassUnclosed))?;
        if character == ']' {
            if first {
                return Err((start, GlobFault::ClassEmpty));
            }
            break;
        }
        let last = matches!(characters.peek(), Some((_, ']')));
        if character == '-' && (first || last) {
            push_literal('-', regex);
            first = false;
            continue;
        }
        first = false;
        let low = class_character(start, offset, character, characters)?;
        push_literal(low, regex);
        let mut ahead = characters.clone();
        let is_range = matches!(ahead.next(), Some((_, '-'))) && !matches!(ahead.peek(), Some((_, ']')));
        if is_range {
            characters.next();
            let (end, character) = characters.next().ok_or((start, GlobFault::ClassUnclosed))?;
            let high = class_character(start, end, character, characters)?;
            if high < low {
                return Err((offset, GlobFault::ClassRange));
            }
            regex.push('-');
            push_literal(high, regex);
        }
    }
    // A range may span the slash without naming it.
    regex.push_str(if negated { "]" } else { "&&[^/]]" });
    Ok(())
}

/// One character of a class, of which the first character of its text, at `offset`, has been taken.
fn class_character(
    start: usize,
    offset: usize,
    character: char,
    characters: &mut Characters<'_>,
) -> Result<char, (usize, GlobFault)> {
    let character = match character {
        '\\' => match characters.next() {
            Some((_, escaped)) => escaped,
            None => return Err((start, GlobFault::ClassUnclosed)),
        },
        '[' | '-' => return Err((offset, GlobFault::ClassCharacter)),
        plain => plain,
    };
    if character == '/' { Err((offset, GlobFault::ClassSlash)) } else { Ok(character) }
}

/// Writes a character that stands for itself, in a class or out of one.
fn push_literal(character: char, regex: &mut String) {
    if matches!(
        character,
        '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' | '#' | '&' | '-' | '~'
    ) {
        regex.push('\\');
    }
    regex.push(character);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translations() {
        for (glob, regex) in [
            ("", ""),
            ("a.b", r"a\.b"),
            ("*", "[^/]*"),
            ("**", "(?s:.)*"),
            ("?", "[^/]"),
            ("[a-z]", "[a-z&&[^/]]"),
            ("[!a-z]", "[^/a-z]"),
            ("[-a-]", r"[\-a\-&&[^/]]"),
            (r"[\]\-\!]", r"[\]\-!&&[^/]]"),
            ("{a,{b,c},}", "(?:a|(?:b|c)|)"),
            ("a,b", "a,b"),
            (r"\*\\\a", r"\*\\a"),
        ] {
            assert_eq!(glob_to_regex(glob).as_deref(), Ok(regex), "{glob}");
        }
    }

    #[test]
    fn faults() {
        for (glob, offset, fault) in [
            ("a[bc", 1, GlobFault::ClassUnclosed),
            ("a[bc\\", 1, GlobFault::ClassUnclosed),
            ("a[b-", 1, GlobFault::ClassUnclosed),
            ("a[", 1, GlobFault::ClassUnclosed),
            ("é[]", 2, GlobFault::ClassEmpty),
            ("[!]", 0, GlobFault::ClassEmpty),
            ("[z-a]", 1, GlobFault::ClassRange),
            ("[a/]", 2, GlobFault::ClassSlash),
            (r"[a\/]", 2, GlobFault::ClassSlash),
            ("[+-/]", 3, GlobFault::ClassSlash),
            ("[^a]", 1, GlobFault::ClassCharacter),
            ("[a-b-c]", 4, GlobFault::ClassCharacter),
            ("[[:alpha:]]", 1, GlobFault::ClassCharacter),
            ("a]", 1, GlobFault::ClassUnopened),
            ("a{b,c", 1, GlobFault::BraceUnclosed),
            ("a}", 1, GlobFault::BraceUnopened),
            ("a{b}", 1, GlobFault::BraceSingle),
            ("{}", 0, GlobFault::BraceSingle),
            ("a***", 1, GlobFault::Stars),
            ("a\\", 1, GlobFault::Escape),
        ] {
            assert_eq!(glob_to_regex(glob), Err(PatternError::Glob { offset, fault }), "{glob}");
        }
        let deep = "{".repeat(NESTING_MAX + 1);
        let fault = GlobFault::BraceDepth;
        assert_eq!(glob_to_regex(&deep), Err(PatternError::Glob { offset: NESTING_MAX as u32, fault }));
        assert_eq!(glob_to_regex(&"a".repeat(PATTERN_BYTES_MAX + 1)), Err(PatternError::TooLong));
        assert_eq!(glob_to_regex(&".".repeat(PATTERN_BYTES_MAX)), Err(PatternError::TooLong));
    }
}
