//! `pdl test`: runs the `test` blocks of a package, and files of cases, on the way that every decision takes: compiled,
//! written to a bundle, read and verified again, asked in JSON.

mod case_results;
mod cases;
mod claims;
mod coverage;
mod fit;
mod judge;
mod mutate;
mod world;

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::json;

use self::case_results::CaseResults;
use self::claims::Claims;
use self::coverage::Coverage;
use self::world::World;
use super::answer;
use super::args::{Format, ReportFormat, TestArgs};
use super::exact::Exact;
use super::load;
use super::output::{GREEN, Output, RED, paint};
use super::policy::{self, Built, Warnings};
use super::report;
use super::status::{Failure, Status};
use crate::base::span::Span;
use crate::bytecode::bundle::SignaturePolicy;
use crate::bytecode::program::SiteId;
use crate::diagnostic::render::clean;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::types::typed::{ModuleId, TestCase, TestDef};
use crate::vm::decision::Decision;
use crate::vm::decode::Options;
use crate::vm::machine::{Machine, Question, Scratch};

/// Runs the tests, and measures what they cover if that is asked.
pub fn run(args: &TestArgs, output: &mut Output) -> Result<Status, Failure> {
    let start = Instant::now();
    let path = args.path.clone().map_or_else(load::around_here, Ok)?;
    let built = policy::build(&path, Warnings::Shown, output)?;
    let machine = through_bundle(&built)?;
    let tests: Vec<&TestDef> = built.policy.tests.iter().filter(|test| is_chosen(args, &built, test)).collect();
    let files = args.cases.iter().map(|path| cases::read(path)).collect::<Result<Vec<_>, _>>()?;
    let modules = chosen_modules(args, &built)?;
    let claims = Claims::new(&built)?;
    let claims = claims.as_ref();
    let results: Vec<TestResult<'_>> = tests.iter().map(|test| test_result(&built, &machine, claims, test)).collect();
    let cases = files.iter().map(|file| case_results::judge(file, &machine, claims)).collect();
    let coverage = match args.coverage || args.coverage_min.is_some() {
        true => Some(coverage::measure(&built, &modules, &tests, &files)?),
        false => None,
    };
    let run = Run { built: &built, results, cases, coverage, time_ms: start.elapsed().as_millis() };
    if args.mutate && run.is_passed() {
        return mutate::run(args.format, &built, &modules, &tests, &files, output);
    }
    match args.format {
        Format::Human => run.show(output)?,
        Format::Json => output.data(&format!("{:#}\n", run.document()))?,
    }
    if args.mutate {
        return Err(Failure::new("the policy is changed only once all tests pass as it is"));
    }
    let is_covered = run.is_covered(args, output);
    Ok(if run.is_passed() && is_covered { Status::Success } else { Status::Fault })
}

/// Runs all tests of a package: how many there are, and what failed.
pub fn failures(built: &Built) -> Result<(usize, Vec<Diagnostic>), Failure> {
    let machine = through_bundle(built)?;
    let claims = Claims::new(built)?;
    let results = built.policy.tests.iter().map(|test| test_result(built, &machine, claims.as_ref(), test));
    let failures = results.flat_map(|result| result.failures).map(|failure| failure.diagnostic);
    Ok((built.policy.tests.len(), failures.collect()))
}

/// The modules to measure: those that are named, else the package's own.
fn chosen_modules(args: &TestArgs, built: &Built) -> Result<BTreeSet<ModuleId>, Failure> {
    let modules = &built.policy.modules;
    let ids = (0..modules.len() as u32).map(ModuleId);
    if args.module.is_empty() {
        return Ok(ids.filter(|id| modules[id.index()].own).collect());
    }
    let find = |name: &String| {
        let found = ids.clone().find(|id| *modules[id.index()].name == **name);
        found.ok_or_else(|| {
            let known: Vec<&str> = modules.iter().map(|module| &*module.name).collect();
            Failure::new(format!("`{}` has no module `{name}`", built.name))
                .help(format!("it has {}", known.join(", ")))
        })
    };
    args.module.iter().map(find).collect()
}

fn is_chosen(args: &TestArgs, built: &Built, test: &TestDef) -> bool {
    let Some(filter) = &args.filter else { return true };
    full_name(built, test).contains(filter.as_str())
}

/// `acme.release: a web app needs two managers`
fn full_name(built: &Built, test: &TestDef) -> String {
    format!("{}: {}", built.policy.modules[test.module.index()].name, test.name)
}

fn through_bundle(built: &Built) -> Result<Machine, Failure> {
    let bytes = built.bundle()?;
    policy::machine(policy::read(std::path::Path::new(&built.name), &bytes, &SignaturePolicy::None)?)
}

/// What became of a test.
struct TestResult<'a> {
    test: &'a TestDef,
    name: String,
    failures: Vec<TestFailure>,
}

/// An expectation that was not met, or a test that could not be run.
struct TestFailure {
    diagnostic: Diagnostic,
    misses: Vec<String>,
    expected: Option<String>,
    decision: Option<Decision>,
}

fn test_result<'a>(built: &Built, machine: &Machine, claims: Option<&Claims>, test: &'a TestDef) -> TestResult<'a> {
    let mut failures = Vec::new();
    let decided = decide_all(built, machine, test, |case, decision| {
        for expected in &case.expects {
            let misses = judge::misses(expected, &decision);
            if misses.is_empty() {
                continue;
            }
            let place = |site: SiteId| Some(first_line(built, *built.compiled.sites.get(site.0 as usize)?));
            failures.push(TestFailure {
                diagnostic: judge::diagnostic(test, expected, &misses, &decision, place),
                misses,
                expected: Some(judge::expectation(expected)),
                decision: Some(decision.clone()),
            });
        }
    });
    if let Err(why) = decided {
        let message = format!("the test {:?} can't be run: {why}", test.name);
        let diagnostic = Diagnostic::error(Code::TestFailed, test.span.at_start(), message);
        failures.push(TestFailure { diagnostic, misses: vec![why], expected: None, decision: None });
    }
    for refuted in claims.map(|claims| claims.of_test(test)).unwrap_or_default() {
        let message = format!("the test {:?} failed: {}", test.name, refuted.message);
        let diagnostic = Diagnostic::error(Code::TestFailed, refuted.span, message).label("does not hold");
        failures.push(TestFailure { diagnostic, misses: vec![refuted.message], expected: None, decision: None });
    }
    TestResult { test, name: full_name(built, test), failures }
}

/// Rules are long; where one begins says enough.
fn first_line(built: &Built, span: Span) -> Span {
    let line = built.policy.sources.text(span).lines().next().unwrap_or_default();
    Span { end: span.start + line.len() as u32, ..span }
}

/// Decides all requests of a test with its entities.
///
/// # Errors
/// A sentence, where the entities are refused.
fn decide_all(
    built: &Built,
    machine: &Machine,
    test: &TestDef,
    mut then: impl FnMut(&TestCase, Decision),
) -> Result<(), String> {
    let world = World { policy: &built.policy, test };
    machine.load_entities(world.entities()?.as_bytes()).map_err(|refused| {
        let faults: Vec<String> = refused.faults().iter().map(ToString::to_string).collect();
        format!("its entities are refused: {}", faults.join("; "))
    })?;
    let mut scratch = Scratch::default();
    for case in &test.cases {
        let entry = machine.image().entries.get(case.action.index());
        let is_read = |at: usize| entry.and_then(|entry| entry.context_read.get(at)).copied().unwrap_or(true);
        let (request, facts) = (world.request(case), world.facts(case, is_read));
        let question =
            Question { request: request.as_bytes(), facts: Some(facts.as_bytes()), options: Options::STRICT };
        then(case, machine.decide(question, &mut scratch).decision());
    }
    Ok(())
}

/// All that is to be told.
struct Run<'a> {
    built: &'a Built,
    results: Vec<TestResult<'a>>,
    cases: Vec<CaseResults<'a>>,
    coverage: Option<Coverage>,
    time_ms: u128,
}

impl Run<'_> {
    fn failed(&self) -> usize {
        self.results.iter().filter(|result| !result.failures.is_empty()).count()
    }

    fn is_passed(&self) -> bool {
        self.failed() == 0 && self.cases.iter().all(CaseResults::passed)
    }

    fn show(&self, output: &mut Output) -> Result<(), Failure> {
        let color = output.color_data();
        let mut text = String::new();
        for result in &self.results {
            let word = if result.failures.is_empty() { paint(color, GREEN, "ok  ") } else { paint(color, RED, "FAIL") };
            text.push_str(&format!("{word} {}\n", clean(&result.name)));
        }
        self.cases.iter().for_each(|cases| text.push_str(&cases.line(color)));
        for failure in self.results.iter().flat_map(|result| &result.failures) {
            let mut sink = Diagnostics::default();
            sink.push(failure.diagnostic.clone());
            let counts = sink.counts();
            text.push('\n');
            let shown = report::text(ReportFormat::Human, &self.built.sources, &sink.finish(), counts, color);
            text.push_str(shown.trim_end_matches('\n'));
            text.push('\n');
            if let Some(decision) = &failure.decision {
                text.push_str(&answer::text(decision, None, color));
            }
        }
        self.cases.iter().for_each(|cases| text.push_str(&cases.details(color)));
        if let Some(coverage) = &self.coverage {
            text.push_str(&coverage.text(&self.built.sources));
        }
        output.data(&text)?;
        let (failed, all) = (self.failed(), self.results.len());
        let tests = report::count(all, "test");
        let mut verdict = match (all, failed) {
            (0, _) => "no tests".to_owned(),
            (_, 0) => format!("{tests} passed"),
            _ => format!("{failed} of {tests} failed"),
        };
        if !self.cases.is_empty() {
            let all: usize = self.cases.iter().map(CaseResults::count).sum();
            let failed: usize = self.cases.iter().map(CaseResults::failed).sum();
            let cases = report::count(all, "case");
            verdict.push_str(&match failed {
                0 => format!(", {cases} passed"),
                _ => format!(", {failed} of {cases} failed"),
            });
        }
        output.say(&format!("{}: {verdict} in {} ms\n", self.built.name, self.time_ms));
        Ok(())
    }

    /// With every digit of the numbers in decisions.
    fn document(&self) -> Exact {
        let place = |span| self.built.sources.place(span);
        let failure = |failure: &TestFailure| {
            let told = json!({
                "at": place(failure.diagnostic.primary.span),
                "expected": failure.expected,
                "messages": failure.misses,
            });
            Exact::from(told).with("decision", Exact::of_decision(failure.decision.as_ref()))
        };
        let tests = self.results.iter().map(|result| {
            let told = json!({
                "name": &*result.test.name,
                "module": &*self.built.policy.modules[result.test.module.index()].name,
                "at": place(result.test.span),
                "passed": result.failures.is_empty(),
            });
            Exact::from(told).with("failures", Exact::List(result.failures.iter().map(failure).collect()))
        });
        let mut document = Exact::from(json!({ "package": &*self.built.policy.name }))
            .with("tests", Exact::List(tests.collect()))
            .with("passed", json!(self.results.len() - self.failed()))
            .with("failed", json!(self.failed()));
        if !self.cases.is_empty() {
            document = document.with("cases", Exact::List(self.cases.iter().map(CaseResults::document).collect()));
        }
        if let Some(coverage) = &self.coverage {
            document = document.with("coverage", coverage.document(&self.built.sources));
        }
        document
    }

    /// Whether enough is covered, and says so if not.
    fn is_covered(&self, args: &TestArgs, output: &mut Output) -> bool {
        let (Some(coverage), Some(least)) = (&self.coverage, args.coverage_min) else { return true };
        let is_enough = coverage.is_at_least(least);
        if !is_enough {
            let message = format!("the tests cover {} %, less than {least} %", coverage.percent());
            output.failure(&Failure::new(message));
        }
        is_enough
    }
}
