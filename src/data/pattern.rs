//! Patterns: globs and regular expressions, both compiled to one automaton that reads each byte of a text once.
//!
//! A pattern matches a **whole** text, never a part of one: `regex"a"` does not match `ba`. Write `.*` where you mean
//! "anywhere". Texts are UTF-8, and a character is a Unicode scalar value; case counts. `glob.rs` has the syntax of
//! globs. Regular expressions are those of the crate `regex`, flags and Unicode classes included, with what a
//! deterministic automaton can't do left out: look-around and back-references (no such syntax exists), and Unicode
//! word boundaries (`\b`; the ASCII form `(?-u:\b)` works). As there, `.` does not match a line feed unless the flag
//! `s` is on.
//!
//! A pattern has at most [`PATTERN_BYTES_MAX`] bytes and its automaton at most [`PATTERN_DFA_BYTES_MAX`]; making one
//! takes space and time bounded by the latter. Large counted repetitions of Unicode classes (`\w{50}`) are what goes
//! over it; `[a-z]{50}` does not. Matching allocates nothing and takes time linear in the text.

use std::error::Error;
use std::fmt;

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

use crate::base::limits::{NESTING_MAX, PATTERN_BYTES_MAX, PATTERN_DFA_BYTES_MAX};

mod glob;

pub use glob::{GlobFault, glob_to_regex};

/// Why a text is not a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PatternError {
    /// The pattern has more than [`PATTERN_BYTES_MAX`] bytes.
    TooLong,
    /// The automaton would have more than [`PATTERN_DFA_BYTES_MAX`] bytes.
    TooLarge,
    /// The glob is malformed.
    Glob {
        /// Where in the pattern, in bytes.
        offset: u32,
        /// What is wrong there.
        fault: GlobFault,
    },
    /// The regular expression is malformed; [`regex_fault`] says how.
    Regex,
    /// The regular expression has a Unicode word boundary, which no deterministic automaton can do.
    WordBoundary,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PatternError::TooLong => write!(f, "the pattern is longer than {PATTERN_BYTES_MAX} bytes"),
            PatternError::TooLarge => {
                write!(f, "the pattern's automaton is larger than {PATTERN_DFA_BYTES_MAX} bytes")
            }
            PatternError::Glob { fault, .. } => fault.fmt(f),
            PatternError::Regex => f.write_str("the regular expression is malformed"),
            PatternError::WordBoundary => {
                f.write_str("Unicode word boundaries are not supported; `(?-u:\\b)` is the ASCII one")
            }
        }
    }
}

impl Error for PatternError {}

/// A compiled pattern.
#[derive(Clone)]
pub struct Pattern {
    dfa: dense::DFA<Vec<u32>>,
    start: StateID,
}

impl fmt::Debug for Pattern {
    /// The automaton itself would fill pages.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pattern").field("size_bytes", &self.size_bytes()).finish_non_exhaustive()
    }
}

impl Pattern {
    /// Compiles a glob.
    pub fn glob(source: &str) -> Result<Pattern, PatternError> {
        compile(&glob_to_regex(source)?)
    }

    /// Compiles a regular expression.
    pub fn regex(source: &str) -> Result<Pattern, PatternError> {
        if source.len() > PATTERN_BYTES_MAX {
            return Err(PatternError::TooLong);
        }
        compile(source)
    }

    /// Whether the whole text matches.
    pub fn is_match(&self, text: &str) -> bool {
        let mut state = self.start;
        for &byte in text.as_bytes() {
            state = self.dfa.next_state(state, byte);
            // There are no bytes to quit on; if there were, not to match would be the answer.
            if self.dfa.is_special_state(state) && (self.dfa.is_dead_state(state) || self.dfa.is_quit_state(state)) {
                return false;
            }
        }
        // The automaton tells of a match one step after it, so that this says what holds at the end of the text.
        self.dfa.is_match_state(self.dfa.next_eoi_state(state))
    }

    /// Where the automaton begins. With [`step`](Pattern::step), for those who walk it themselves; a place is a number
    /// that only this pattern gave.
    pub fn start(&self) -> u32 {
        self.start.as_u32()
    }

    /// Where a byte leads from a place.
    pub fn step(&self, place: u32, byte: u8) -> u32 {
        self.dfa.next_state(self.state(place), byte).as_u32()
    }

    /// Whether the bytes that led to the place are a whole match.
    pub fn accepts(&self, place: u32) -> bool {
        self.dfa.is_match_state(self.dfa.next_eoi_state(self.state(place)))
    }

    /// Whether surely nothing that leads through the place is a match.
    pub fn is_dead(&self, place: u32) -> bool {
        let state = self.state(place);
        self.dfa.is_dead_state(state) || self.dfa.is_quit_state(state)
    }

    /// The class of a byte: two of the same class lead to the same place, from everywhere.
    pub fn class(&self, byte: u8) -> u8 {
        self.dfa.byte_classes().get(byte)
    }

    fn state(&self, place: u32) -> StateID {
        StateID::new(place as usize).unwrap_or(self.start)
    }

    /// The space that the automaton takes, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.dfa.memory_usage()
    }
}

fn syntax_config() -> syntax::Config {
    // A level of nested braces in a glob makes up to three levels of syntax.
    syntax::Config::new().nest_limit(4 * NESTING_MAX as u32)
}

fn compile(regex: &str) -> Result<Pattern, PatternError> {
    syntax::parse_with(regex, &syntax_config()).map_err(|_| PatternError::Regex)?;
    let dfa = dense::Builder::new()
        .syntax(syntax_config())
        .thompson(thompson::Config::new().nfa_size_limit(Some(PATTERN_DFA_BYTES_MAX)))
        .configure(
            // All threads are followed to the end, past any match on the way, because only the end counts.
            dense::Config::new()
                .match_kind(MatchKind::All)
                .start_kind(StartKind::Anchored)
                .accelerate(false)
                .dfa_size_limit(Some(PATTERN_DFA_BYTES_MAX))
                .determinize_size_limit(Some(PATTERN_DFA_BYTES_MAX)),
        )
        .build(regex)
        .map_err(|error| {
            // The syntax is right, so that what is wrong in the step before the automaton is its size.
            if error.is_size_limit_exceeded() || error.source().is_some() {
                PatternError::TooLarge
            } else {
                PatternError::WordBoundary
            }
        })?;
    let start =
        dfa.start_state(&start::Config::new().anchored(Anchored::Yes)).map_err(|_| PatternError::WordBoundary)?;
    Ok(Pattern { dfa, start })
}

/// What is wrong with a malformed regular expression, in a few words; for messages.
pub fn regex_fault(source: &str) -> Option<String> {
    let error = syntax::parse_with(source, &syntax_config()).err()?.to_string();
    // The text ends in a line `error: …`, after a drawing of the place.
    let fault = error.rsplit("error: ").next().unwrap_or(&error);
    Some(fault.lines().next().unwrap_or(fault).to_owned())
}
