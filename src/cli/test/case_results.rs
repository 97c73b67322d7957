//! What became of the cases of files, for people and for programs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::json;

use super::cases::CaseFile;
use super::claims::Claims;
use crate::cli::answer;
use crate::cli::exact::Exact;
use crate::cli::files;
use crate::cli::output::{GREEN, RED, paint};
use crate::cli::report::count;
use crate::diagnostic::render::clean;
use crate::vm::decision::Decision;
use crate::vm::machine::Machine;

/// What became of a file's cases.
#[derive(Debug)]
pub struct CaseResults<'a> {
    file: &'a CaseFile,
    failures: Vec<CaseFailure>,
    /// Entities were refused, so that the cases could not all be decided.
    is_stopped: bool,
}

/// A case that was not met, or what is wrong in its file.
#[derive(Debug)]
struct CaseFailure {
    line: usize,
    case: Option<String>,
    messages: Vec<String>,
    decision: Option<Decision>,
}

/// Decides the cases of a file and judges them.
#[must_use]
pub fn judge<'a>(file: &'a CaseFile, machine: &Machine, claims: Option<&Claims>) -> CaseResults<'a> {
    let mut failures = Vec::new();
    let decided = file.decide_all(machine, |case, decision| {
        let messages = case.misses(&decision);
        if !messages.is_empty() {
            let case_name = Some(case.name.clone());
            failures.push(CaseFailure { line: case.line, case: case_name, messages, decision: Some(decision) });
        }
        true
    });
    let is_stopped = decided.is_err();
    if let Err(why) = decided {
        failures.push(CaseFailure { line: 1, case: None, messages: vec![why], decision: None });
    }
    if let Some(claims) = claims {
        claims.of_cases(file, |case, refuted| {
            let (case_name, messages) = (Some(case.name.clone()), vec![refuted.message]);
            failures.push(CaseFailure { line: case.line, case: case_name, messages, decision: None });
        });
    }
    failures.extend(file.faults().into_iter().map(|fault| CaseFailure {
        line: fault.line,
        case: None,
        messages: vec![fault.message],
        decision: None,
    }));
    CaseResults { file, failures, is_stopped }
}

impl CaseResults<'_> {
    /// Whether all is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }

    /// How many cases there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.file.cases.len()
    }

    /// How many cases failed; all of them, if they could not all be decided.
    #[must_use]
    pub fn failed(&self) -> usize {
        if self.is_stopped {
            return self.count();
        }
        // A case may have failed in more than one way.
        let lines: BTreeSet<usize> =
            self.failures.iter().filter(|failure| failure.case.is_some()).map(|failure| failure.line).collect();
        lines.len()
    }

    fn path(&self) -> String {
        clean(&files::shown(&self.file.path))
    }

    /// `ok   cases.jsonl: 12 cases, 5 rows, 1 of them elsewhere`
    #[must_use]
    pub fn line(&self, color: bool) -> String {
        let word = if self.passed() { paint(color, GREEN, "ok  ") } else { paint(color, RED, "FAIL") };
        let mut line = format!("{word} {}: {}", self.path(), count(self.file.cases.len(), "case"));
        let (rows, elsewhere) = self.file.row_counts();
        if rows > 0 {
            let _ = write!(line, ", {}", count(rows, "row"));
        }
        if elsewhere > 0 {
            let _ = write!(line, ", {elsewhere} of them elsewhere");
        }
        line.push('\n');
        line
    }

    /// Every failure with its place and the decision.
    #[must_use]
    pub fn details(&self, color: bool) -> String {
        let mut out = String::new();
        for failure in &self.failures {
            let _ = write!(out, "\n{}:{}: ", self.path(), failure.line);
            if let Some(case) = &failure.case {
                let _ = write!(out, "the case {:?} failed: ", clean(case));
            }
            let _ = writeln!(out, "{}", clean(&failure.messages.join("; ")));
            if let Some(decision) = &failure.decision {
                out.push_str(&answer::text(decision, None, color));
            }
        }
        out
    }

    /// For programs, with every digit of the numbers in decisions.
    #[must_use]
    pub fn document(&self) -> Exact {
        let (rows, elsewhere) = self.file.row_counts();
        let failures = self.failures.iter().map(|failure| {
            let told = json!({
                "line": failure.line,
                "case": failure.case,
                "messages": failure.messages,
            });
            Exact::from(told).with("decision", Exact::of_decision(failure.decision.as_ref()))
        });
        let told = json!({
            "file": files::shown(&self.file.path),
            "cases": self.file.cases.len(),
            "rows": rows,
            "elsewhere": elsewhere,
            "passed": self.passed(),
        });
        Exact::from(told).with("failures", Exact::List(failures.collect()))
    }
}
