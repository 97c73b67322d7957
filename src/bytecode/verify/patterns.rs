//! The patterns of a program, compiled: the machine takes them from here.

use std::collections::BTreeMap;

use crate::base::limits;
use crate::bytecode::program::Program;
use crate::bytecode::verify::VerifiedProgram;
use crate::bytecode::verify::error::{Reason, VerifyError};
use crate::data::pattern::{Pattern, PatternError};

/// Patterns that are compiled already, by their source.
//
// INVARIANT: each is what its source compiles to.
#[derive(Debug, Default)]
pub struct KnownPatterns(BTreeMap<Box<str>, Pattern>);

impl KnownPatterns {
    /// Those of a program.
    #[must_use]
    pub fn of(verified: &VerifiedProgram) -> KnownPatterns {
        let Program { patterns, strings, .. } = verified.program();
        let sources = patterns.iter().filter_map(|source| strings.get(source.0 as usize).cloned());
        KnownPatterns(sources.zip(verified.patterns().iter().cloned()).collect())
    }
}

pub(super) fn compile(program: &Program, known: &KnownPatterns) -> Result<Vec<Pattern>, VerifyError> {
    let mut patterns = Vec::with_capacity(program.patterns.len());
    let mut bytes_left = limits::PATTERNS_DFA_BYTES_MAX;
    for (at, source) in program.patterns.iter().enumerate() {
        let refuse = |reason| VerifyError::item(reason, "pattern", at);
        let source = program.strings.get(source.0 as usize).ok_or(refuse(Reason::StringRange))?;
        let pattern = known.0.get(source).cloned().map_or_else(|| Pattern::regex(source), Ok).map_err(|error| {
            refuse(match error {
                PatternError::TooLong | PatternError::TooLarge => Reason::PatternTooLong,
                _ => Reason::PatternInvalid,
            })
        })?;
        bytes_left = bytes_left.checked_sub(pattern.size_bytes()).ok_or(refuse(Reason::PatternTooLong))?;
        patterns.push(pattern);
    }
    Ok(patterns)
}
