//! `pdl verify`: what holds of a policy for every request.

mod cache;

use std::fmt::Write as _;

pub use self::cache::Cache;
use super::args::ReportFormat;
use super::args::meaning::VerifyArgs;
use super::decider::Claiming;
use super::load;
use super::output::{GREEN, Output, RED, YELLOW, paint};
use super::policy::{self, Built, Warnings};
use super::report;
use super::solver::second;
use super::status::{Failure, Status};
use crate::analysis::verify::{self, About, Finding, Options, Verdict};
use crate::diagnostic::render::clean;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::types::typed::Answer;

/// Proves, and says so in the exit status.
pub fn run(args: &VerifyArgs, output: &mut Output) -> Result<Status, Failure> {
    let path = match &args.path {
        Some(path) => path.clone(),
        None => load::around_here()?,
    };
    let built = policy::build(&path, Warnings::Hidden, output)?;
    let options = Options { steps: args.steps, everything: args.all, second: second(args.solver)? };
    let mut cache = Cache::open(args.cache.as_deref(), &built.name)?;
    let findings = verified(&built, options, &mut cache)?;
    cache.close()?;
    let text = match args.format {
        ReportFormat::Human => human(&built, &findings, output.color_data()),
        ReportFormat::Json => format!("{}\n", document(&built, &findings)),
        format => {
            let mut sink = Diagnostics::default();
            findings.iter().filter_map(diagnostic).for_each(|diagnostic| sink.push(diagnostic));
            let counts = sink.counts();
            report::text(format, &built.sources, &sink.finish(), counts, false)
        }
    };
    output.data(&text)?;
    Ok(status(&findings))
}

/// What was found out about a package.
pub fn verified(built: &Built, options: Options, cache: &mut Cache) -> Result<Vec<Finding>, Failure> {
    let mut machine = Claiming::new(built);
    let findings = verify::verify(&built.policy, options, &mut machine, cache);
    machine.failure().map_or(Ok(findings), Err)
}

/// The exit status: a refuted claim is worst, then what is undecided. Notes on rules change nothing.
#[must_use]
pub fn status(findings: &[Finding]) -> Status {
    let claims = || findings.iter().filter(|finding| finding.about == About::Claim);
    if claims().any(|finding| matches!(finding.verdict, Verdict::Refuted(_))) {
        Status::Refuted
    } else if claims().any(|finding| matches!(finding.verdict, Verdict::Undecided(_))) {
        Status::Undecided
    } else {
        Status::Success
    }
}

/// `3 claims proved, 1 refuted`
#[must_use]
pub fn summary(findings: &[Finding]) -> String {
    let count = |of: fn(&Verdict) -> bool| {
        findings.iter().filter(|finding| finding.about == About::Claim && of(&finding.verdict)).count()
    };
    let proved = count(|verdict| matches!(verdict, Verdict::Proved));
    let refuted = count(|verdict| matches!(verdict, Verdict::Refuted(_)));
    let undecided = count(|verdict| matches!(verdict, Verdict::Undecided(_)));
    let mut parts = vec![format!("{} proved", report::count(proved, "claim"))];
    if refuted > 0 {
        parts.push(format!("{refuted} refuted"));
    }
    if undecided > 0 {
        parts.push(format!("{undecided} undecided"));
    }
    let notes =
        findings.iter().filter(|finding| finding.about != About::Claim && diagnostic(finding).is_some()).count();
    if notes > 0 {
        parts.push(report::count(notes, "remark"));
    }
    parts.join(", ")
}

/// A finding as a diagnostic, if there is something to say.
#[must_use]
pub fn diagnostic(finding: &Finding) -> Option<Diagnostic> {
    let code = match (finding.about, &finding.verdict) {
        (_, Verdict::Proved) => return None,
        (About::Claim, Verdict::Refuted(_)) => Code::ClaimRefuted,
        (_, Verdict::Undecided(_)) => Code::MeansUndecided,
        (About::Invariant, _) => Code::GuardAtWork,
        (About::Error | About::Table, _) => Code::MayFail,
        (About::Vacuous, _) => Code::NeverMatches,
        (About::Shadowed | About::Redundant, _) => Code::NeverWorks,
        (About::Gate, _) => Code::NobodyAsked,
    };
    let message = match &finding.verdict {
        Verdict::Undecided(reason) => format!("whether {} is undecided: {reason}", finding.text),
        _ => format!("not so: {}", finding.text),
    };
    let diagnostic = Diagnostic::new(code, finding.span, message);
    Some(match &finding.verdict {
        Verdict::Refuted(Some(example)) => diagnostic.help(format!("for example {}", example.request.request)),
        _ => diagnostic,
    })
}

fn answer(answer: Answer) -> &'static str {
    super::diff::tell::answer(answer)
}

/// ` by z3`, where a proof is not ours.
fn by(finding: &Finding) -> String {
    finding.second.map(|program| format!(" by {program}")).unwrap_or_default()
}

/// For a terminal.
#[must_use]
pub fn human(built: &Built, findings: &[Finding], color: bool) -> String {
    let mut out = String::new();
    for finding in findings {
        let word = match (&finding.verdict, finding.about) {
            (Verdict::Proved, _) => paint(color, GREEN, "proved") + &by(finding),
            (Verdict::Refuted(_), About::Claim) => paint(color, RED, "refuted"),
            (Verdict::Refuted(_), About::Invariant) => paint(color, GREEN, "guarded"),
            (Verdict::Refuted(_), _) => paint(color, YELLOW, "not so"),
            (Verdict::Undecided(_), _) => paint(color, YELLOW, "undecided"),
        };
        let _ = writeln!(out, "{word}: {}", clean(&finding.text));
        let _ = writeln!(out, "  at      {} {}", clean(&built.sources.place(finding.span)), clean(&finding.name));
        match &finding.verdict {
            Verdict::Proved | Verdict::Refuted(None) => {}
            Verdict::Undecided(reason) => {
                let _ = writeln!(out, "  because {}", clean(reason));
            }
            Verdict::Refuted(Some(example)) => {
                let rules: Vec<&str> = example.told.rules.iter().map(|rule| &**rule).collect();
                let by = if rules.is_empty() { example.told.kind.clone() } else { format!("by {}", rules.join(", ")) };
                let _ = writeln!(out, "  answer  {} ({})", answer(example.told.answer), clean(&by));
                let request = &example.request;
                for (name, text) in [("ask", &request.request), ("facts", &request.facts), ("with", &request.entities)]
                {
                    if !["{}", "[]"].contains(&text.as_str()) {
                        let _ = writeln!(out, "  {name:<7} {}", clean(text));
                    }
                }
            }
        }
    }
    if !findings.is_empty() {
        out.push('\n');
    }
    let _ = writeln!(out, "{}: {}", clean(&built.name), summary(findings));
    out
}

fn document(built: &Built, findings: &[Finding]) -> serde_json::Value {
    use serde_json::json;
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| serde_json::Value::from(text));
    let one = |finding: &Finding| {
        let mut value = json!({
            "about": finding.about.name(),
            "name": &*finding.name,
            "text": finding.text,
            "at": built.sources.place(finding.span),
        });
        if let Some(program) = finding.second {
            value["solver"] = program.name().into();
        }
        match &finding.verdict {
            Verdict::Proved => value["verdict"] = "proved".into(),
            Verdict::Undecided(reason) => {
                value["verdict"] = "undecided".into();
                value["reason"] = reason.clone().into();
            }
            Verdict::Refuted(example) => {
                value["verdict"] = "refuted".into();
                if let Some(example) = example {
                    value["example"] = json!({
                        "request": parsed(&example.request.request),
                        "facts": parsed(&example.request.facts),
                        "entities": parsed(&example.request.entities),
                        "decision": answer(example.told.answer),
                        "kind": example.told.kind,
                        "rules": example.told.rules.iter().map(|rule| &**rule).collect::<Vec<&str>>(),
                    });
                }
            }
        }
        value
    };
    json!({ "package": built.name, "summary": summary(findings), "findings": findings.iter().map(one).collect::<Vec<_>>() })
}
