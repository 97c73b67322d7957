//! What the tests of a package cover: which rules matched, which conditions were seen true and false, which rows of
//! tables were taken.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::cases::CaseFile;
use super::{decide_all, through_bundle};
use crate::base::span::{SourceMap, Span};
use crate::cli::policy::Built;
use crate::cli::status::Failure;
use crate::compile::compile;
use crate::compile::coverage::{Instrumented, Item, Part, Seen, instrument};
use crate::diagnostic::Diagnostics;
use crate::diagnostic::render::clean;
use crate::types::typed::{ModuleId, TestDef};
use crate::vm::decision::Decision;

/// How much of an uncovered part is quoted, in characters.
const QUOTE_CHARS: usize = 60;

/// What is covered.
#[derive(Debug)]
pub struct Coverage {
    items: Vec<(Item, bool)>,
}

/// Runs tests and cases on the package with probes for some modules. They have been judged without.
pub fn measure(
    built: &Built,
    modules: &BTreeSet<ModuleId>,
    tests: &[&TestDef],
    files: &[CaseFile],
) -> Result<Coverage, Failure> {
    let instrumented = instrument(&built.policy, modules);
    let Instrumented { policy, items, .. } = &instrumented;
    let mut sink = Diagnostics::default();
    let Some(compiled) = compile(policy, &mut sink) else {
        return Err(Failure::new(format!("`{}` is too large for its coverage to be measured", built.name)));
    };
    let probed = Built { name: built.name.clone(), policy: policy.clone(), sources: built.sources.clone(), compiled };
    let machine = through_bundle(&probed)?;
    let mut covered = vec![false; items.len()];
    let mut cover = |decision: Decision| {
        let seen = decision.shadow.iter().filter(|rule| rule.error.is_none());
        for at in seen.filter_map(|rule| instrumented.covered_by(&rule.id)) {
            covered[at] = true;
        }
    };
    // What can't be run, because its entities are refused, has failed already and covers nothing.
    for test in tests {
        let _ = decide_all(&probed, &machine, test, |_, decision| cover(decision));
    }
    for file in files {
        let _ = file.decide_all(&machine, |_, decision| {
            cover(decision);
            true
        });
    }
    Ok(Coverage { items: items.iter().copied().zip(covered).collect() })
}

impl Coverage {
    fn counts(&self, part: Option<Part>) -> (usize, usize) {
        let of = self.items.iter().filter(|(item, _)| part.is_none_or(|part| item.part == part));
        let (covered, all): (Vec<bool>, Vec<()>) = of.map(|&(_, covered)| (covered, ())).unzip();
        (covered.into_iter().filter(|&covered| covered).count(), all.len())
    }

    /// In hundredths, rounded down: 100 means everything.
    #[must_use]
    pub fn percent(&self) -> usize {
        let (covered, all) = self.counts(None);
        (covered * 100).checked_div(all).unwrap_or(100)
    }

    /// Whether at least so many hundredths are covered.
    #[must_use]
    pub fn is_at_least(&self, percent: u8) -> bool {
        let (covered, all) = self.counts(None);
        covered * 100 >= all * usize::from(percent)
    }

    /// What is missing at each place, in source order.
    fn missing(&self) -> BTreeMap<(Span, Part), Vec<Seen>> {
        let mut missing: BTreeMap<(Span, Part), Vec<Seen>> = BTreeMap::new();
        for (item, _) in self.items.iter().filter(|(_, covered)| !covered) {
            missing.entry((item.span, item.part)).or_default().push(item.seen);
        }
        missing
    }

    /// For people: three counts, and what is missing with its place.
    #[must_use]
    pub fn text(&self, sources: &SourceMap) -> String {
        let mut out = String::from("\n");
        for ((span, part), seen) in self.missing() {
            let what = clean(&quote(sources, span));
            let _ = writeln!(out, "{}: {}: {what}", clean(&sources.place(span)), lack(part, &seen));
        }
        let of = |part| {
            let (covered, all) = self.counts(Some(part));
            format!("{covered} of {all}")
        };
        let _ = writeln!(
            out,
            "covered {} %: {} rules matched, {} outcomes of conditions seen, {} rows taken",
            self.percent(),
            of(Part::Rule),
            of(Part::Condition),
            of(Part::Row)
        );
        out
    }

    /// For programs.
    #[must_use]
    pub fn document(&self, sources: &SourceMap) -> Value {
        let of = |part| {
            let (covered, all) = self.counts(Some(part));
            json!({ "covered": covered, "all": all })
        };
        let missing = self.missing().into_iter().map(|((span, part), seen)| {
            json!({
                "part": name(part),
                "at": sources.place(span),
                "missing": lack(part, &seen),
                "text": quote(sources, span),
            })
        });
        json!({
            "percent": self.percent(),
            "rules": of(Part::Rule),
            "conditions": of(Part::Condition),
            "rows": of(Part::Row),
            "missing": missing.collect::<Vec<_>>(),
        })
    }
}

fn name(part: Part) -> &'static str {
    match part {
        Part::Rule => "rule",
        Part::Condition => "condition",
        Part::Row => "row",
    }
}

fn lack(part: Part, seen: &[Seen]) -> &'static str {
    match (part, seen) {
        (Part::Rule, _) => "never matched",
        (Part::Row, _) => "never taken",
        (Part::Condition, [Seen::True]) => "never true",
        (Part::Condition, [Seen::False]) => "never false",
        (Part::Condition, _) => "never looked at",
    }
}

/// The first line of a part.
fn quote(sources: &SourceMap, span: Span) -> String {
    let line = sources.text(span).lines().next().unwrap_or_default().trim_end();
    let mut quote: String = line.chars().take(QUOTE_CHARS).collect();
    if quote.len() < line.len() {
        quote.push('…');
    }
    quote
}
