//! Case files: requests with the decisions that are expected, as data, so that another program can read them too.
//!
//! ```json
//! {"about": "who may restart what", "policy": "policy.pdl"}
//! {"row": "3/1", "says": "an agent without a grant is refused"}
//! {"entities": [{"type": "Agent", "id": "ci"}]}
//! {"case": "no grant", "rows": ["3/1"], "request": {…}, "expect": {"decision": "DENY", "codes": ["NO_GRANT"]}}
//! {"equivalent": "acme.gate.limit: `>` becomes `>=`", "why": "no request can have that amount"}
//! ```
//!
//! One object a line; which member it has says what it is. See `docs/language/tests.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::fit;
use crate::cli::exact::Exact;
use crate::cli::files;
use crate::cli::status::Failure;
use crate::vm::decision::Decision;
use crate::vm::decode::Options;
use crate::vm::machine::{Machine, Question, Scratch};
use crate::vm::store::fault::EntitiesRefused;

/// The largest case file, in bytes.
const CASES_BYTES_MAX: usize = 64 << 20;

/// A file of cases.
#[derive(Debug)]
pub struct CaseFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Its cases, in order.
    pub cases: Vec<Case>,
    /// Mutants that no request tells apart.
    pub equivalents: Vec<Equivalent>,
    rows: Vec<Row>,
}

/// A request, and what is expected of the decision on it.
#[derive(Debug)]
pub struct Case {
    /// What it is about, unique in its file.
    pub name: String,
    /// The line in its file, counted from 1.
    pub line: usize,
    /// The registered entities; those of several cases in a row are the same.
    pub entities: Option<Arc<str>>,
    /// The request, as it was written.
    pub request: Box<str>,
    /// The kernel's facts.
    pub facts: Option<Box<str>>,
    expect: Exact,
    rows: Vec<String>,
}

/// A mutant that is said to be the same policy.
#[derive(Debug)]
pub struct Equivalent {
    /// The mutant's name.
    pub mutant: String,
    /// The line in its file.
    pub line: usize,
}

/// A row of a table in somebody's specification.
#[derive(Debug)]
struct Row {
    id: String,
    line: usize,
    elsewhere: bool,
}

/// A line, before it is known what it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    about: Option<String>,
    policy: Option<String>,
    modules: Option<Vec<String>>,
    row: Option<String>,
    says: Option<String>,
    elsewhere: Option<String>,
    #[serde(borrow)]
    entities: Option<&'a RawValue>,
    case: Option<String>,
    rows: Option<Vec<String>>,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
    #[serde(borrow)]
    facts: Option<&'a RawValue>,
    #[serde(borrow)]
    expect: Option<&'a RawValue>,
    differs: Option<String>,
    equivalent: Option<String>,
    why: Option<String>,
}

/// What a line is, as far as members tell.
enum Kind<'a> {
    About,
    Row { id: String, elsewhere: bool },
    Entities(&'a RawValue),
    Case { name: String, rows: Vec<String>, request: &'a RawValue, facts: Option<&'a RawValue>, expect: Exact },
    Equivalent(String),
}

/// Reads a case file.
///
/// # Errors
/// Names the line that is faulty.
pub fn read(path: &Path) -> Result<CaseFile, Failure> {
    let bytes = files::read(path, CASES_BYTES_MAX)?;
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Failure::new(format!("`{}` is not UTF-8", files::shown(path))))?;
    parse(path, text).map_err(|(line, why)| Failure::new(format!("`{}`, line {line}: {why}", files::shown(path))))
}

/// The line that is faulty, and why.
type LineFault = (usize, String);

fn parse(path: &Path, text: &str) -> Result<CaseFile, LineFault> {
    let mut file = CaseFile { path: path.to_owned(), cases: Vec::new(), equivalents: Vec::new(), rows: Vec::new() };
    let mut entities: Option<Arc<str>> = None;
    let mut names = BTreeSet::new();
    for (at, written) in text.lines().enumerate() {
        let line = at + 1;
        if written.trim().is_empty() {
            continue;
        }
        match kind(written).map_err(|why| (line, why))? {
            Kind::About => {}
            Kind::Row { id, elsewhere } => file.rows.push(Row { id, line, elsewhere }),
            Kind::Entities(given) => entities = Some(given.get().into()),
            Kind::Equivalent(mutant) => file.equivalents.push(Equivalent { mutant, line }),
            Kind::Case { name, rows, request, facts, expect } => {
                if !names.insert(name.clone()) {
                    return Err((line, format!("there are two cases {name:?}")));
                }
                file.cases.push(Case {
                    name,
                    line,
                    entities: entities.clone(),
                    request: request.get().into(),
                    facts: facts.map(|facts| facts.get().into()),
                    expect,
                    rows,
                });
            }
        }
    }
    Ok(file)
}

/// What is wrong with a line, and in which column; its number in the file is said before.
fn json_fault(error: &serde_json::Error) -> String {
    let shown = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    shown.strip_suffix(&place).map_or(shown.clone(), |what| format!("column {}: {what}", error.column()))
}

/// Which kind of line it is; a sentence where it is none.
fn kind(written: &str) -> Result<Kind<'_>, String> {
    // A list of values in their order would be taken for an object otherwise.
    if !written.trim_start().starts_with('{') {
        return Err("a line is an object".to_owned());
    }
    let line: Line<'_> = serde_json::from_str(written).map_err(|error| json_fault(&error))?;
    // The members that belong together; whatever else is there does not belong to the line.
    let has = |names: &[&str]| -> Result<(), String> {
        let there = [
            ("about", line.about.is_some()),
            ("policy", line.policy.is_some()),
            ("modules", line.modules.is_some()),
            ("row", line.row.is_some()),
            ("says", line.says.is_some()),
            ("elsewhere", line.elsewhere.is_some()),
            ("entities", line.entities.is_some()),
            ("case", line.case.is_some()),
            ("rows", line.rows.is_some()),
            ("request", line.request.is_some()),
            ("facts", line.facts.is_some()),
            ("expect", line.expect.is_some()),
            ("differs", line.differs.is_some()),
            ("equivalent", line.equivalent.is_some()),
            ("why", line.why.is_some()),
        ];
        match there.iter().find(|(name, is_there)| *is_there && !names.contains(name)) {
            Some((stray, _)) => Err(format!("`{stray}` does not belong to a line with `{}`", names[0])),
            None => Ok(()),
        }
    };
    let missing = |name: &str, of: &str| format!("`{name}` is missing beside `{of}`");
    if line.about.is_some() {
        has(&["about", "policy", "modules"])?;
        return Ok(Kind::About);
    }
    if let Some(id) = &line.row {
        has(&["row", "says", "elsewhere"])?;
        line.says.as_ref().ok_or_else(|| missing("says", "row"))?;
        return Ok(Kind::Row { id: id.clone(), elsewhere: line.elsewhere.is_some() });
    }
    if let Some(name) = line.case.clone() {
        has(&["case", "rows", "request", "facts", "expect", "differs"])?;
        let expect = line.expect.ok_or_else(|| missing("expect", "case"))?;
        let expect = Exact::read(expect.get());
        for member in ["decision", "codes"] {
            if expect.get(member).is_none() {
                return Err(missing(member, "expect"));
            }
        }
        let request = line.request.ok_or_else(|| missing("request", "case"))?;
        return Ok(Kind::Case { name, rows: line.rows.unwrap_or_default(), request, facts: line.facts, expect });
    }
    if let Some(entities) = line.entities {
        has(&["entities"])?;
        return Ok(Kind::Entities(entities));
    }
    if let Some(mutant) = &line.equivalent {
        has(&["equivalent", "why"])?;
        line.why.as_ref().ok_or_else(|| missing("why", "equivalent"))?;
        return Ok(Kind::Equivalent(mutant.clone()));
    }
    Err("has none of `about`, `row`, `entities`, `case`, `equivalent`".to_owned())
}

/// What is wrong in a file beside its cases: a row that no case shows, a case of a row that is not there.
#[derive(Debug, PartialEq, Eq)]
pub struct FileFault {
    /// The line.
    pub line: usize,
    /// A sentence.
    pub message: String,
}

impl CaseFile {
    /// Rows of which no case is one, cases of rows that nobody declared, rows and explanations that are there twice.
    #[must_use]
    pub fn faults(&self) -> Vec<FileFault> {
        let mut faults = Vec::new();
        let mut declared: BTreeMap<&str, &Row> = BTreeMap::new();
        for row in &self.rows {
            if declared.insert(&row.id, row).is_some() {
                faults.push(FileFault { line: row.line, message: format!("the row {} is declared twice", row.id) });
            }
        }
        let mut shown = BTreeSet::new();
        for case in &self.cases {
            for id in &case.rows {
                shown.insert(&**id);
                if !declared.contains_key(&**id) {
                    let message = format!("the case {:?} is of the row {id}, which is not declared", case.name);
                    faults.push(FileFault { line: case.line, message });
                }
            }
        }
        for row in &self.rows {
            match (row.elsewhere, shown.contains(&*row.id)) {
                (false, false) => {
                    faults.push(FileFault { line: row.line, message: format!("no case shows the row {}", row.id) });
                }
                (true, true) => {
                    let message = format!("the row {} is said to be elsewhere, and cases show it", row.id);
                    faults.push(FileFault { line: row.line, message });
                }
                _ => {}
            }
        }
        let mut explained = BTreeSet::new();
        for Equivalent { mutant, line } in &self.equivalents {
            if !explained.insert(mutant) {
                faults.push(FileFault { line: *line, message: format!("the mutant {mutant:?} is explained twice") });
            }
        }
        faults.sort_by_key(|fault| fault.line);
        faults
    }

    /// How many rows there are, and how many of them are elsewhere.
    #[must_use]
    pub fn row_counts(&self) -> (usize, usize) {
        (self.rows.len(), self.rows.iter().filter(|row| row.elsewhere).count())
    }

    /// Decides every case in order, loading entities when they change, until `then` says that it is enough.
    ///
    /// # Errors
    /// A sentence, where entities are refused.
    pub fn decide_all(&self, machine: &Machine, mut then: impl FnMut(&Case, Decision) -> bool) -> Result<(), String> {
        let mut loaded: Option<&Arc<str>> = None;
        let mut scratch = Scratch::default();
        machine.load_entities(b"[]").map_err(told)?;
        for case in &self.cases {
            if let Some(entities) = &case.entities
                && !loaded.is_some_and(|loaded| Arc::ptr_eq(loaded, entities))
            {
                machine.load_entities(entities.as_bytes()).map_err(|refused| {
                    format!("the entities before line {} are refused: {}", case.line, told(refused))
                })?;
                loaded = Some(entities);
            }
            let question = Question {
                request: case.request.as_bytes(),
                facts: case.facts.as_deref().map(str::as_bytes),
                options: Options::STRICT,
            };
            if !then(case, machine.decide(question, &mut scratch).decision()) {
                break;
            }
        }
        Ok(())
    }
}

fn told(refused: EntitiesRefused) -> String {
    let faults: Vec<String> = refused.faults().iter().map(ToString::to_string).collect();
    faults.join("; ")
}

impl Case {
    /// How the decision is not what is expected: sentences, none if it is.
    #[must_use]
    pub fn misses(&self, decision: &Decision) -> Vec<String> {
        fit::misses(&self.expect, &Exact::of_decision(Some(decision)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<CaseFile, LineFault> {
        parse(Path::new("cases.jsonl"), text)
    }

    const CASE: &str = r#"{"case":"c","rows":["1/a"],"request":{},"expect":{"decision":"DENY","codes":[]}}"#;

    fn faults(text: &str) -> Vec<String> {
        let file = parsed(text).expect("the file can be read");
        file.faults().into_iter().map(|fault| format!("{}: {}", fault.line, fault.message)).collect()
    }

    #[test]
    fn rows_are_declared_and_shown() {
        assert_eq!(faults(&format!("{{\"row\":\"1/a\",\"says\":\"x\"}}\n{CASE}")), [""; 0]);
        assert_eq!(faults(CASE), ["1: the case \"c\" is of the row 1/a, which is not declared"]);
        assert_eq!(faults("{\"row\":\"1/a\",\"says\":\"x\"}"), ["1: no case shows the row 1/a"]);
        assert_eq!(
            faults(&format!("{{\"row\":\"1/a\",\"says\":\"x\",\"elsewhere\":\"y\"}}\n{CASE}")),
            ["1: the row 1/a is said to be elsewhere, and cases show it"]
        );
        assert_eq!(
            faults(&format!("{CASE}\n{{\"row\":\"1/a\",\"says\":\"x\"}}\n\n{{\"row\":\"1/a\",\"says\":\"x\"}}")),
            ["4: the row 1/a is declared twice"]
        );
    }

    #[test]
    fn lines_are_one_thing() {
        for (line, why) in [
            ("{}", "has none of"),
            ("[]", "a line is an object"),
            (r#"{"case":"c","request":{},"expect":{"decision":"DENY"}}"#, "`codes` is missing"),
            (r#"{"case":"c","expect":{"decision":"DENY","codes":[]}}"#, "`request` is missing"),
            (r#"{"case":"c","request":{}}"#, "`expect` is missing"),
            (r#"{"row":"1/a"}"#, "`says` is missing"),
            (r#"{"equivalent":"m"}"#, "`why` is missing"),
            (r#"{"row":"1/a","says":"x","request":{}}"#, "`request` does not belong"),
            (r#"{"about":"x","colour":"red"}"#, "unknown field `colour`"),
        ] {
            let (at, told) = parsed(line).expect_err(line);
            assert_eq!(at, 1);
            assert!(told.contains(why), "{line}: {told}");
        }
        let twice = parsed(&format!("{CASE}\n{CASE}")).expect_err("a name is used once");
        assert_eq!(twice, (2, "there are two cases \"c\"".to_owned()));
    }
}
