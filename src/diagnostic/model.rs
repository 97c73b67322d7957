//! A diagnostic as plain data, and the sink that phases push to.
//!
//! Texts are one sentence in lower case without a full stop, with the user's own words in backticks. They may hold any
//! characters of the source: each form makes them harmless for where it is shown.

use std::collections::BTreeSet;

use super::Code;
use crate::base::limits::DIAGNOSTICS_MAX;
use crate::base::span::Span;

/// How bad it is. Ordered from the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The source has no meaning: nothing is built.
    Error,
    /// Legal, but hardly meant.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// `error`, `warning` or `note`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// A place and what there is to say about it; the text may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// A few words in lower case.
    pub text: String,
}

/// A change of the source that mends the fault for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What to replace; empty to insert.
    pub span: Span,
    /// The new text; empty to delete.
    pub replacement: String,
}

/// One fault, complete: what, where, why and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong: one sentence.
    pub message: String,
    /// The place it is about.
    pub primary: Label,
    /// Other places that help to understand it, in any file, in the order in which they are to be read.
    pub secondary: Vec<Label>,
    /// What can be done, most useful first.
    pub help: Vec<String>,
    /// What a tool may do by itself.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A diagnostic as severe as its code says.
    #[must_use]
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: code.severity(),
            message: message.into(),
            primary: Label { span, text: String::new() },
            secondary: Vec::new(),
            help: Vec::new(),
            fix: None,
        }
    }

    /// An error.
    #[must_use]
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Error, ..Diagnostic::new(code, span, message) }
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::new(code, span, message) }
    }

    /// A note.
    #[must_use]
    pub fn note(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Note, ..Diagnostic::new(code, span, message) }
    }

    /// Says something at the primary place itself.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Diagnostic {
        self.primary.text = text.into();
        self
    }

    /// Points to one more place.
    #[must_use]
    pub fn secondary(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Adds a way to mend it.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help.push(text.into());
        self
    }

    /// Adds a way to mend it, where there is one: for "did you mean", which often has no answer.
    #[must_use]
    pub fn help_if(mut self, text: Option<impl Into<String>>) -> Diagnostic {
        self.help.extend(text.map(Into::into));
        self
    }

    /// Adds the change that mends it for certain.
    #[must_use]
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Diagnostic {
        self.fix = Some(Fix { span, replacement: replacement.into() });
        self
    }

    /// The primary place and all others, in the order in which they are to be read.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        std::iter::once(&self.primary).chain(&self.secondary)
    }
}

/// How many there are of each severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

impl Counts {
    /// Counts a list.
    #[must_use]
    pub fn of(diagnostics: &[Diagnostic]) -> Counts {
        let mut counts = Counts::default();
        diagnostics.iter().for_each(|diagnostic| counts.add(diagnostic.severity));
        counts
    }

    fn add(&mut self, severity: Severity) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Note => self.notes += 1,
        }
    }
}

/// The sink of a run. Keeps at most [`DIAGNOSTICS_MAX`] different faults, errors before anything else, and counts the
/// rest.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    kept: Vec<Diagnostic>,
    // What was pushed before, kept or not; bounded like `kept`.
    seen: BTreeSet<(Span, Code, String)>,
    counts: Counts,
    hidden: usize,
}

impl Diagnostics {
    /// Adds a fault. One that has the code, place and message of another is dropped.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.kept.len() < DIAGNOSTICS_MAX {
            if self.seen.insert((diagnostic.primary.span, diagnostic.code, diagnostic.message.clone())) {
                self.counts.add(diagnostic.severity);
                self.kept.push(diagnostic);
            }
            return;
        }
        if self.seen.contains(&(diagnostic.primary.span, diagnostic.code, diagnostic.message.clone())) {
            return;
        }
        self.counts.add(diagnostic.severity);
        self.hidden += 1;
        // A flood of warnings must not hide the error that stops the build.
        if diagnostic.severity == Severity::Error
            && let Some(milder) = self.kept.iter_mut().rev().find(|kept| kept.severity != Severity::Error)
        {
            *milder = diagnostic;
        }
    }

    /// Whether one more error would only be counted, so that nobody need put it into words.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.kept.len() >= DIAGNOSTICS_MAX && self.kept.iter().all(|kept| kept.severity == Severity::Error)
    }

    /// Counts an error that is not put into words, because the sink is full.
    pub fn count_error(&mut self) {
        self.counts.add(Severity::Error);
        self.hidden += 1;
    }

    /// Whether there is an error, so that later phases have nothing to work on.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.counts.errors > 0
    }

    /// Whether there is nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How many were found, those that will not be shown included.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The list in source order; where faults had to be left out, a last note says how many.
    #[must_use]
    pub fn finish(self) -> Vec<Diagnostic> {
        let mut list = self.kept;
        list.sort_by(|a, b| {
            let key = |d: &Diagnostic| (d.primary.span, d.severity, d.code);
            key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
        });
        if let (1.., Some(last)) = (self.hidden, list.last()) {
            let faults = if self.hidden == 1 { "fault" } else { "faults" };
            let message = format!("{} more {faults} not shown", self.hidden);
            list.push(Diagnostic::note(Code::MoreFaults, last.primary.span.at_end(), message));
        }
        list
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: T) {
        diagnostics.into_iter().for_each(|diagnostic| self.push(diagnostic));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::span::FileId;

    fn at(start: u32) -> Span {
        Span::new(FileId(0), start, start + 1)
    }

    #[test]
    fn source_order_without_repetition() {
        let mut found = Diagnostics::default();
        for start in [7, 3, 7] {
            found.push(Diagnostic::error(Code::StrayCharacter, at(start), "`§` means nothing here"));
        }
        assert_eq!(found.counts().errors, 2);
        let starts: Vec<u32> = found.finish().iter().map(|d| d.primary.span.start).collect();
        assert_eq!(starts, [3, 7]);
    }

    #[test]
    fn over_the_limit_there_is_one_note_and_errors_win() {
        let mut found = Diagnostics::default();
        for start in 0..DIAGNOSTICS_MAX as u32 {
            found.push(Diagnostic::warning(Code::StrayCharacter, at(start), "odd"));
        }
        found.push(Diagnostic::error(Code::BadNumber, at(9_000), "bad"));
        found.push(Diagnostic::warning(Code::StrayCharacter, at(9_001), "odd"));
        assert!(found.has_errors());
        let list = found.finish();
        assert_eq!(list.len(), DIAGNOSTICS_MAX + 1);
        assert_eq!(list.iter().filter(|d| d.severity == Severity::Error).count(), 1);
        assert_eq!(list.last().map(|d| d.message.as_str()), Some("2 more faults not shown"));
    }

    #[test]
    fn a_full_sink_says_so_and_counts() {
        let mut found = Diagnostics::default();
        found.push(Diagnostic::warning(Code::StrayCharacter, at(0), "odd"));
        for start in 1..DIAGNOSTICS_MAX as u32 {
            found.push(Diagnostic::error(Code::BadNumber, at(start), "bad"));
        }
        assert!(!found.is_full(), "an error still takes the place of the warning");
        found.push(Diagnostic::error(Code::BadNumber, at(9_000), "bad"));
        assert!(found.is_full());
        found.count_error();
        assert_eq!(found.counts().errors, DIAGNOSTICS_MAX + 1);
        assert_eq!(found.finish().last().map(|d| d.message.as_str()), Some("2 more faults not shown"));
    }
}
