//! All that is asked of a mutant, made ready once: documents as bytes, and what the policy itself answers.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::bytecode::program::SiteId;
use crate::cli::files;
use crate::cli::policy::Built;
use crate::cli::status::Failure;
use crate::cli::test::cases::{Case, CaseFile};
use crate::cli::test::world::World;
use crate::cli::test::{full_name, judge};
use crate::types::typed::{ActionId, ExpectDef, TestDef};
use crate::vm::decision::Decision;
use crate::vm::decode::Options;
use crate::vm::machine::{Machine, Question, Scratch};

/// How many questions are tried first because they noticed something before.
const NOTICED_MAX: usize = 8;

/// The questions, by the entities that they are asked with.
#[derive(Debug)]
pub struct Battery<'a> {
    groups: Vec<Group<'a>>,
}

#[derive(Debug)]
struct Group<'a> {
    entities: String,
    questions: Vec<Asked<'a>>,
}

/// A question, what is expected of it, and what the policy answers.
#[derive(Debug)]
struct Asked<'a> {
    name: String,
    action: ActionId,
    request: String,
    facts: Option<String>,
    expected: Expected<'a>,
    decision: Option<Decision>,
}

/// What is expected of an answer.
#[derive(Clone, Copy, Debug)]
enum Expected<'a> {
    /// In a `test` block.
    Block(&'a [ExpectDef]),
    /// In a file of cases.
    Case(&'a Case),
}

impl<'a> Battery<'a> {
    /// Makes the questions ready: those of tests, then those of files.
    pub fn new(
        built: &Built,
        machine: &Machine,
        tests: &[&'a TestDef],
        files: &'a [CaseFile],
    ) -> Result<Battery<'a>, Failure> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for test in tests {
            let world = World { policy: &built.policy, test };
            let mut questions = Vec::new();
            for case in &test.cases {
                let entry = machine.image().entries.get(case.action.index());
                let is_read = |at: usize| entry.and_then(|entry| entry.context_read.get(at)).copied().unwrap_or(true);
                questions.push(Asked {
                    name: full_name(built, test),
                    action: case.action,
                    request: world.request(case),
                    facts: Some(world.facts(case, is_read)),
                    expected: Expected::Block(&case.expects),
                    decision: None,
                });
            }
            let entities = world.entities().map_err(Failure::new)?;
            groups.push(Group { entities, questions });
        }
        files.iter().for_each(|file| groups.extend(of_file(built, file)));
        let mut battery = Battery { groups };
        battery.answer(machine);
        Ok(battery)
    }

    /// Notes what the policy answers.
    fn answer(&mut self, machine: &Machine) {
        let mut scratch = Scratch::default();
        for group in &mut self.groups {
            // Entities that are refused have failed the test before.
            let _ = machine.load_entities(group.entities.as_bytes());
            for asked in &mut group.questions {
                asked.decision = Some(asked.decide(machine, &mut scratch));
            }
        }
    }

    /// The actions that something is asked about.
    pub fn actions(&self) -> BTreeSet<ActionId> {
        self.groups.iter().flat_map(|group| &group.questions).map(|asked| asked.action).collect()
    }

    /// A question about one of these actions that is not answered as it should be: the first one, unless one of those
    /// that noticed something before does again.
    pub fn miss(&self, machine: &Machine, actions: &BTreeSet<ActionId>, notes: &mut Notes) -> Option<&str> {
        for at in 0..notes.noticed.len() {
            let (group, question) = notes.noticed[at];
            let (group, asked) = (&self.groups[group], &self.groups[group].questions[question]);
            let is_meant = actions.contains(&asked.action) && machine.load_entities(group.entities.as_bytes()).is_ok();
            if is_meant && asked.is_missed(machine, &mut notes.scratch) {
                return Some(&asked.name);
            }
        }
        for (group_at, group) in self.groups.iter().enumerate() {
            let questions = group.questions.iter().enumerate();
            let mut questions = questions.filter(|(_, asked)| actions.contains(&asked.action)).peekable();
            let Some((_, first)) = questions.peek() else { continue };
            if machine.load_entities(group.entities.as_bytes()).is_err() {
                return Some(&first.name);
            }
            if let Some((at, missed)) = questions.find(|(_, asked)| asked.is_missed(machine, &mut notes.scratch)) {
                notes.noticed.insert(0, (group_at, at));
                notes.noticed.truncate(NOTICED_MAX);
                return Some(&missed.name);
            }
        }
        None
    }
}

/// What is kept from one mutant to the next ones, which are about much the same.
#[derive(Debug, Default)]
pub struct Notes {
    scratch: Scratch,
    /// The questions that noticed something last, by group and place.
    noticed: Vec<(usize, usize)>,
}

impl Notes {
    /// Forgets, so that what comes next does not hang on who comes first.
    pub fn clear(&mut self) {
        self.noticed.clear();
    }
}

impl Asked<'_> {
    fn decide(&self, machine: &Machine, scratch: &mut Scratch) -> Decision {
        let facts = self.facts.as_deref().map(str::as_bytes);
        let question = Question { request: self.request.as_bytes(), facts, options: Options::STRICT };
        let mut decision = machine.decision(question, scratch);
        // Sites are numbered anew where a rule is gone.
        let reports = decision.rules.iter_mut().chain(&mut decision.shadow);
        reports.for_each(|report| {
            report.site = SiteId(0);
            report.at = None;
        });
        decision
    }

    fn is_missed(&self, machine: &Machine, scratch: &mut Scratch) -> bool {
        let decision = self.decide(machine, scratch);
        // What the policy answers is what is expected of it.
        self.decision.as_ref() != Some(&decision)
            && match self.expected {
                Expected::Block(expects) => expects.iter().any(|one| !judge::misses(one, &decision).is_empty()),
                Expected::Case(case) => !case.misses(&decision).is_empty(),
            }
    }
}

/// The cases of a file, by the entities that stand before them.
fn of_file<'a>(built: &Built, file: &'a CaseFile) -> Vec<Group<'a>> {
    let shown = files::shown(&file.path);
    let mut groups: Vec<Group<'a>> = Vec::new();
    for case in &file.cases {
        let entities = case.entities.as_deref().unwrap_or("[]");
        if groups.last().is_none_or(|group| group.entities != entities) {
            groups.push(Group { entities: entities.to_owned(), questions: Vec::new() });
        }
        // A request of no action is refused whatever the rules are.
        if let (Some(group), Some(action)) = (groups.last_mut(), action_of(built, &case.request)) {
            group.questions.push(Asked {
                name: format!("{shown}:{}: {}", case.line, case.name),
                action,
                request: case.request.to_string(),
                facts: case.facts.as_deref().map(str::to_owned),
                expected: Expected::Case(case),
                decision: None,
            });
        }
    }
    groups
}

fn action_of(built: &Built, request: &str) -> Option<ActionId> {
    let request: Value = serde_json::from_str(request).ok()?;
    let name = request.get("action")?.get("name")?.as_str()?;
    let at = built.policy.actions.iter().position(|action| *action.wire == *name)?;
    Some(ActionId(at as u32))
}
