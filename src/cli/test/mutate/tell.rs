//! What is told of mutants.

use serde_json::{Value, json};

use super::{Outcome, Stale};
use crate::cli::args::{Format, ReportFormat};
use crate::cli::output::{Output, RED, paint};
use crate::cli::policy::Built;
use crate::cli::report;
use crate::cli::status::{Failure, Status};
use crate::diagnostic::render::clean;
use crate::diagnostic::{Code, Counts, Diagnostic};
use crate::mutate::Mutant;

/// The mutants with what became of them.
pub struct Report<'a> {
    pub built: &'a Built,
    pub mutants: &'a [Mutant],
    pub outcomes: Vec<Outcome>,
    pub stale: Vec<Stale>,
    pub time_ms: u128,
}

impl Report<'_> {
    /// Shows it, and says how the command ends.
    pub fn show(&self, format: Format, output: &mut Output) -> Result<Status, Failure> {
        let survivors: Vec<Diagnostic> = self.survivors().map(survivor).collect();
        match format {
            Format::Human => {
                let counts = Counts::of(&survivors);
                let color = output.color_data();
                let text = report::text(ReportFormat::Human, &self.built.sources, &survivors, counts, color);
                output.data(&text)?;
                for stale in &self.stale {
                    let told = format!("{}: {}, but {}", stale.place, stale.name, stale.why);
                    let word = paint(color, RED, &format!("error[{}]:", Code::StaleExplanation));
                    output.data(&format!("{word} {}\n", clean(&told)))?;
                }
                output.say(&format!("{}: {} in {} ms", self.built.name, self.summary(), self.time_ms));
            }
            Format::Json => output.data(&format!("{:#}\n", self.document()))?,
        }
        Ok(if survivors.is_empty() && self.stale.is_empty() { Status::Success } else { Status::Fault })
    }

    fn survivors(&self) -> impl Iterator<Item = &Mutant> {
        let outcomes = self.mutants.iter().zip(&self.outcomes);
        outcomes.filter(|(_, outcome)| **outcome == Outcome::Survived).map(|(mutant, _)| mutant)
    }

    fn count(&self, is_meant: impl Fn(&Outcome) -> bool) -> usize {
        self.outcomes.iter().filter(|outcome| is_meant(outcome)).count()
    }

    fn counts(&self) -> [(&'static str, usize); 4] {
        [
            ("killed", self.count(|outcome| matches!(outcome, Outcome::Killed(_)))),
            ("refused", self.count(|outcome| matches!(outcome, Outcome::Refused(_)))),
            ("explained", self.count(|outcome| matches!(outcome, Outcome::Explained))),
            ("survived", self.count(|outcome| matches!(outcome, Outcome::Survived))),
        ]
    }

    /// `312 mutants: 305 killed, 4 refused, 2 explained, 1 survived`
    fn summary(&self) -> String {
        let counts = self.counts().map(|(word, count)| format!("{count} {word}"));
        let mut summary = format!("{}: {}", report::count(self.mutants.len(), "mutant"), counts.join(", "));
        if !self.stale.is_empty() {
            summary.push_str(&format!("; {} that no longer hold", report::count(self.stale.len(), "explanation")));
        }
        summary
    }

    fn document(&self) -> Value {
        let mutants = self.mutants.iter().zip(&self.outcomes).map(|(mutant, outcome)| {
            let (word, killed_by, refused_for) = match outcome {
                Outcome::Killed(by) => ("killed", Some(by), None),
                Outcome::Refused(why) => ("refused", None, Some(why)),
                Outcome::Explained => ("explained", None, None),
                Outcome::Survived => ("survived", None, None),
            };
            let mut document = json!({
                "name": &*mutant.name,
                "module": &*mutant.module,
                "at": self.built.sources.place(mutant.span),
                "kind": mutant.kind.name(),
                "outcome": word,
            });
            for (name, value) in [("killed_by", killed_by), ("refused_for", refused_for)] {
                if let Some(value) = value {
                    document[name] = json!(value);
                }
            }
            document
        });
        let mut document = json!({
            "package": &*self.built.policy.name,
            "mutants": mutants.collect::<Vec<_>>(),
        });
        for (word, count) in self.counts() {
            document[word] = json!(count);
        }
        let stale = self.stale.iter();
        document["stale"] =
            stale.map(|stale| json!({ "name": stale.name, "at": stale.place, "why": stale.why })).collect();
        document
    }
}

fn survivor(mutant: &Mutant) -> Diagnostic {
    let message = format!("nothing notices when {}", mutant.what);
    Diagnostic::error(Code::MutantSurvived, mutant.span, message)
        .label("changed here")
        .help(format!("the name of this change is {}", mutant.name))
}
