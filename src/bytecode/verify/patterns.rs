//! The patterns of a program, compiled: the machine takes them from here.

use crate::base::limits;
use crate::bytecode::program::Program;
use crate::bytecode::verify::error::{Reason, VerifyError};
use crate::data::pattern::{Pattern, PatternError};

pub(super) fn compile(program: &Program) -> Result<Vec<Pattern>, VerifyError> {
    let mut patterns = Vec::with_capacity(program.patterns.len());
    let mut bytes_left = limits::PATTERNS_DFA_BYTES_MAX;
    for (at, source) in program.patterns.iter().enumerate() {
        let refuse = |reason| VerifyError::item(reason, "pattern", at);
        let source = program.strings.get(source.0 as usize).ok_or(refuse(Reason::StringRange))?;
        let pattern = Pattern::regex(source).map_err(|error| {
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
