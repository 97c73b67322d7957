//! Who can do something, and what somebody can do: as conditions over all requests, and by name over the entities that
//! are loaded.

use std::sync::Arc;

use crate::analysis::decision::{Decided, decide};
use crate::analysis::formula::F;
use crate::analysis::pin::{self, Pins, Registry};
use crate::analysis::question::{Found, Kind, Question};
use crate::analysis::region;
use crate::analysis::request::Request;
use crate::analysis::value::{Term, Word, same_word};
use crate::types::typed::{Answer, TypedPolicy};

/// Who is left open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// Who asks.
    Subject,
    /// What it is about.
    Resource,
}

/// Somebody, or everybody of a type, gets an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Can {
    /// The kind of requests.
    pub kind: Kind,
    /// Who is left open: this entity; nothing if it is said of all.
    pub who: Option<Arc<str>>,
    /// What is answered.
    pub answer: Answer,
    /// Each is enough; an empty one says that nothing has to hold.
    pub conditions: Vec<String>,
    /// There are more conditions than are told, or they say too little.
    pub cut: bool,
}

/// What was found out.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// Over all requests.
    pub conditions: Vec<Can>,
    /// Over the entities that are loaded.
    pub list: Vec<Can>,
    /// What is not known, and why.
    pub undecided: Vec<String>,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'q> {
    /// Who is given.
    pub id: &'q Arc<str>,
    /// Who is left open.
    pub open: Open,
    /// The entities that are loaded, if any are.
    pub registry: Option<&'q Registry>,
    /// Conditions that are told of everybody, and of each.
    pub most: [usize; 2],
    /// Steps for each kind of request.
    pub steps: u64,
}

/// Answers for one kind of requests. The machine is asked with the entities that are loaded, else with those of the
/// request.
pub fn who(
    policy: &TypedPolicy,
    kind: &Kind,
    asking: Asking<'_>,
    machine: &mut dyn FnMut(&Request) -> Answer,
    result: &mut Who,
) {
    let nobody = Registry::default();
    let registry = asking.registry.unwrap_or(&nobody);
    let (mut question, (decided, pins)) = Question::new(&[policy], kind, asking.steps, |world| {
        let decided = decide(world, 0);
        let given = if asking.open == Open::Subject { world.resource } else { world.subject };
        let pins = match asking.registry {
            Some(_) => pin::parties(world, 0, &[(given, asking.id.clone())], registry),
            None => Pins { fields: Vec::new(), registry: vec![is(world, given, asking.id)], doubts: Vec::new() },
        };
        (decided, pins)
    });
    let given = pins.all();
    let open = if asking.open == Open::Subject { question.world.subject } else { question.world.resource };
    let def = question.world.term(open).clone();
    let mut asker = Asker { question: &mut question, decided: &decided, kind, asking, machine, result };
    for answer in [Answer::Allow, Answer::RequireApproval] {
        if let Some(can) = asker.can(&given, answer, None, asking.most[0]) {
            asker.result.conditions.push(can);
        }
    }
    if def.presented || asking.registry.is_none() {
        return;
    }
    for id in registry.ids(&def.ty) {
        let mut given = given.clone();
        given.push(is(&mut asker.question.world, open, id));
        for answer in [Answer::Allow, Answer::RequireApproval] {
            if let Some(can) = asker.can(&given, answer, Some(id.clone()), asking.most[1]) {
                asker.result.list.push(can);
            }
        }
    }
}

fn is(world: &mut crate::analysis::world::World<'_>, term: Term, id: &Arc<str>) -> F {
    let own = world.term(term).id.clone();
    same_word(&mut world.cx, &own, &Word::Known(id.clone()))
}

struct Asker<'s, 'a> {
    question: &'s mut Question<'a>,
    decided: &'s Decided,
    kind: &'s Kind,
    asking: Asking<'s>,
    machine: &'s mut dyn FnMut(&Request) -> Answer,
    result: &'s mut Who,
}

impl Asker<'_, '_> {
    /// When this is answered, if it ever is.
    fn can(&mut self, given: &[F], answer: Answer, who: Option<Arc<str>>, most: usize) -> Option<Can> {
        let goal = self.decided.answers(&mut self.question.world, answer);
        let mut asked = given.to_vec();
        asked.push(goal);
        let known = self.question.world.cx.formulas.and(given.iter().copied());
        let follows = self.question.world.cx.formulas.implies(known, goal);
        let mut can = Can { kind: self.kind.clone(), who, answer, conditions: Vec::new(), cut: false };
        for number in 0.. {
            let model = match self.question.find(&asked) {
                Found::None(_) => break,
                Found::Undecided(reason) => {
                    self.undecided(&can, &reason);
                    break;
                }
                Found::Some(model) => model,
            };
            if number >= most {
                can.cut = true;
                break;
            }
            let request = self.request(&model);
            if (self.machine)(&request) != answer {
                let doubts = self.question.doubts();
                self.undecided(&can, &doubts);
                break;
            }
            let region = region::around(self.question, &self.decided.leaves, &model, follows, &[]);
            asked.push(!region.formula);
            can.conditions.push(region.condition().unwrap_or_default());
            if !region.exact {
                can.cut = true;
                break;
            }
        }
        (!can.conditions.is_empty()).then_some(can)
    }

    fn request(&self, model: &crate::analysis::solver::Model) -> Request {
        use crate::analysis::request::{request, request_among};
        match self.asking.registry {
            None => request(&self.question.world, model, 0),
            Some(registry) => {
                let (request, facts) = request_among(&self.question.world, model, 0, registry.keys());
                Request { request: request.to_string(), facts: facts.to_string(), entities: String::new() }
            }
        }
    }

    fn undecided(&mut self, can: &Can, reason: &str) {
        let Kind { action, subject, resource } = &can.kind;
        let who = can.who.as_ref().map_or_else(String::new, |who| format!(" of \"{who}\""));
        let why = format!("{subject} {action} {resource}{who}: {reason}");
        if !self.result.undecided.contains(&why) {
            self.result.undecided.push(why);
        }
    }
}
