//! Assembly: a whole program as text, for tests, and for people who want to see what the machine runs.
//!
//! ```text
//! enum Kind { webapp page }
//! entity Agent { level: Int @presented }
//! action deploy subject { Agent } resource { Agent } { cost: Decimal }
//!
//! fn grown(Int) -> Bool {
//!     const r1, 3
//!     less r2, r0, r1
//!     return r2
//! }
//! fn rule entry deploy -> Bool {
//!     read r0, subject
//!     attribute r1, r0, Agent.level
//!     call r2, r1, grown
//!     return r2
//! }
//! entry deploy { rule deny acme.young condition rule }
//! ```
//!
//! Things are named, or numbered: `#7` stands for the number 7 wherever a name could stand, in range or not. What is left
//! out is filled in: strings, types, inputs of entries, slots of functions, sites (`@ 7` behind an instruction that may
//! fail), the index (all rules in its rest), and, where no `cost` is given, costs and which rules may fail. Comments are
//! `//` to the end of the line. `docs/bytecode.md` has the grammar.
//!
//! What `disassemble` writes of a verified program is assembled to the same program.
//!
//! A **suite** is a file of several programs: each begins with a line `program NAME`, what stands before the first is part
//! of all. `expect accept` and `expect refuse REASON` say what the verifier makes of it; lines that begin with `run` are
//! handed on as they are, to whoever runs the program.

mod code;
mod constants;
mod entries;
mod names;
mod schema;
mod text;

use std::collections::BTreeMap;
use std::fmt;

use crate::bytecode::program::{ConstantValue, MessagePart, Program, StringId};
use crate::bytecode::verify::{self, Limits};
use names::Names;
use text::Cursor;

pub(in crate::bytecode) use text::{is_word, quoted};

/// Why a text is not assembly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssembleError {
    /// The line, from 1.
    pub line: u32,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for AssembleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for AssembleError {}

type Parse<T = ()> = Result<T, AssembleError>;

/// What the verifier is expected to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Nothing is expected.
    None,
    /// The program can run.
    Accept,
    /// It is refused for the reason of this name.
    Refuse(String),
}

/// A program of a suite.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name; empty where the file is a single program without one.
    pub name: String,
    /// The line where it begins.
    pub line: u32,
    /// The program.
    pub program: Program,
    /// The limits to verify it with: standard ones but for `limit` lines.
    pub limits: Limits,
    /// What the verifier is expected to say.
    pub expectation: Expectation,
    /// The lines that begin with `run`, without that word: number and text.
    pub runs: Vec<(u32, String)>,
}

/// Assembles a text that holds one program.
///
/// # Errors
/// The first thing that is not assembly.
pub fn assemble(text: &str) -> Result<Program, AssembleError> {
    let mut cases = assemble_suite(text)?;
    match (cases.pop(), cases.is_empty()) {
        (Some(case), true) => Ok(case.program),
        _ => Err(AssembleError { line: 1, message: "there is not exactly one program".into() }),
    }
}

/// Assembles all programs of a suite.
///
/// # Errors
/// The first thing that is not assembly.
pub fn assemble_suite(text: &str) -> Result<Vec<Case>, AssembleError> {
    let mut shared = String::new();
    let mut parts: Vec<(String, u32, String)> = Vec::new();
    let mut runs: Vec<Vec<(u32, String)>> = vec![Vec::new()];
    for (number, line) in (1..).zip(text.lines()) {
        // Every part has as many lines as there were before it, so that places are right.
        if let Some(name) = line.strip_prefix("program ") {
            let blank = "\n".repeat(number as usize - 1 - shared.lines().count());
            parts.push((name.trim().to_owned(), number, format!("{shared}{blank}\n")));
            runs.push(Vec::new());
            continue;
        }
        let current = parts.last_mut().map_or(&mut shared, |part| &mut part.2);
        if let Some(run) = line.trim_start().strip_prefix("run ") {
            if let Some(runs) = runs.last_mut() {
                runs.push((number, run.to_owned()));
            }
        } else {
            current.push_str(line);
        }
        current.push('\n');
    }
    if parts.is_empty() {
        parts.push((String::new(), 1, shared));
    } else {
        runs.remove(0);
    }
    parts
        .into_iter()
        .zip(runs)
        .map(|((name, line, text), runs)| {
            let mut assembler = Assembler::new(&text)?;
            assembler.program()?;
            let (program, limits, expectation) = assembler.finish();
            Ok(Case { name, line, program, limits, expectation, runs })
        })
        .collect()
}

/// A program in the making. Its strings are in the order in which they came until `finish` sorts them.
struct Assembler<'a> {
    cursor: Cursor<'a>,
    program: Program,
    names: Names,
    strings: BTreeMap<Box<str>, u32>,
    verbatim: Option<Vec<Box<str>>>,
    limits: Limits,
    expectation: Expectation,
    /// Whether costs are left to the verifier.
    certify: bool,
    site_count: Option<u32>,
    extra_faults: Vec<(u32, u32)>,
}

impl<'a> Assembler<'a> {
    fn new(text: &'a str) -> Parse<Assembler<'a>> {
        let cursor = Cursor::new(text)?;
        let names = Names::of(&cursor);
        Ok(Assembler {
            cursor,
            program: Program::default(),
            names,
            strings: BTreeMap::new(),
            verbatim: None,
            limits: Limits::STANDARD,
            expectation: Expectation::None,
            certify: true,
            site_count: None,
            extra_faults: Vec::new(),
        })
    }

    fn program(&mut self) -> Parse {
        while let Some(word) = self.cursor.take_word() {
            match word {
                "type" => {
                    let ty = self.type_value()?;
                    self.program.schema.types.push(ty);
                }
                "string" => {
                    let text = self.cursor.string()?;
                    self.string(&text);
                }
                "strings" => {
                    let mut all = Vec::new();
                    while let Some(text) = self.cursor.take_string()? {
                        all.push(text.into_boxed_str());
                    }
                    self.verbatim = Some(all);
                }
                "enum" => self.declare_enum()?,
                "record" => self.declare_record()?,
                "entity" => self.declare_entity()?,
                "action" => self.declare_action()?,
                "obligation" => self.declare_obligation()?,
                "const" => self.declare_constant()?,
                "pattern" => self.declare_pattern()?,
                "selector" => self.declare_selector()?,
                "types" => self.declare_type_set()?,
                "switch" => self.declare_switch()?,
                "fn" => self.declare_function()?,
                "entry" => self.declare_entry()?,
                "sites" => self.site_count = Some(self.cursor.number()?),
                "fault" => {
                    let at = self.cursor.number()?;
                    self.cursor.expect("@")?;
                    let site = self.cursor.number()?;
                    self.extra_faults.push((at, site));
                }
                "limit" => self.limit()?,
                "expect" => self.expect()?,
                other => return Err(self.cursor.error(&format!("`{other}` begins nothing"))),
            }
        }
        self.cursor.end()
    }

    fn expect(&mut self) -> Parse {
        self.expectation = match self.cursor.word()? {
            "accept" => Expectation::Accept,
            "refuse" => Expectation::Refuse(self.cursor.word()?.to_owned()),
            _ => return Err(self.cursor.error("`accept` or `refuse` is expected")),
        };
        Ok(())
    }

    fn limit(&mut self) -> Parse {
        let what = self.cursor.word()?;
        let number = self.cursor.number()?;
        match what {
            "cost" => self.limits.cost_max = u64::from(number),
            "stack_slots" => self.limits.stack_slots_max = number,
            "call_depth" => self.limits.call_depth_max = number,
            "table" => self.limits.table_max = number,
            "code" => self.limits.code_max = number,
            "work" => self.limits.work_max = u64::from(number),
            _ => return Err(self.cursor.error("there is no such limit")),
        }
        Ok(())
    }

    /// A string of the program, by the order in which they came.
    fn string(&mut self, text: &str) -> StringId {
        if let Some(id) = self.strings.get(text) {
            return StringId(*id);
        }
        let id = self.strings.len() as u32;
        self.strings.insert(text.into(), id);
        StringId(id)
    }

    /// A string, or a number that is meant for one.
    fn string_reference(&mut self) -> Parse<StringId> {
        match self.cursor.take_raw()? {
            // Beyond every number given here, so that sorting leaves it alone.
            Some(number) => Ok(StringId(u32::MAX - number)),
            None => {
                let text = self.cursor.name()?;
                Ok(self.string(&text))
            }
        }
    }

    fn finish(mut self) -> (Program, Limits, Expectation) {
        let mut places = vec![0; self.strings.len()];
        for (place, id) in (0..).zip(self.strings.values()) {
            places[*id as usize] = place;
        }
        let sort = |id: &mut StringId| match places.get(id.0 as usize) {
            Some(place) => id.0 = *place,
            None => id.0 = u32::MAX - id.0,
        };
        for_each_string(&mut self.program, sort);
        self.program.strings = self.verbatim.unwrap_or_else(|| self.strings.into_keys().collect());
        for (at, site) in self.extra_faults {
            let sites = &mut self.program.fault_sites;
            let place = sites.partition_point(|(instruction, _)| *instruction <= at);
            sites.insert(place, (at, crate::bytecode::program::SiteId(site)));
        }
        if let Some(count) = self.site_count {
            self.program.site_count = count;
        }
        if self.certify {
            // A program that is refused keeps the costs that it has.
            let _ = verify::certify(&mut self.program);
        }
        (self.program, self.limits, self.expectation)
    }
}

/// Hands on every number of a string.
fn for_each_string(program: &mut Program, mut each: impl FnMut(&mut StringId)) {
    for constant in &mut program.constants {
        match &mut constant.value {
            ConstantValue::String(id)
            | ConstantValue::Url(id)
            | ConstantValue::Path(id)
            | ConstantValue::Entity(_, id) => each(id),
            ConstantValue::Map(entries) => entries.iter_mut().for_each(|(key, _)| each(key)),
            _ => {}
        }
    }
    program.patterns.iter_mut().for_each(&mut each);
    for rule in program.entries.iter_mut().flat_map(|entry| &mut entry.rules) {
        each(&mut rule.id);
        rule.code.iter_mut().for_each(&mut each);
        for part in &mut rule.message {
            if let MessagePart::Text(id) = part {
                each(id);
            }
        }
    }
}
