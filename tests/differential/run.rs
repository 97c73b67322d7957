//! One package, compiled and loaded, and its decisions next to those of the reference.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use pdl::base::span::Span;
use pdl::bytecode::op::Op;
use pdl::bytecode::verify::{Limits, verify};
use pdl::compile::compile;
use pdl::diagnostic::Diagnostics;
use pdl::types::typed::TypedPolicy;
use pdl::vm::asked::{Asked, Part};
use pdl::vm::canonical::Form;
use pdl::vm::decide::Kind;
use pdl::vm::decision::{Decision, Digests, ErrorReport};
use pdl::vm::decode;
use pdl::vm::digest::canonical_in;
use pdl::vm::machine::{Machine, Question, Scratch};
use pdl::vm::run::Meter;
use serde_json::Value as Json;

use crate::differential::reach::{Reach, mnemonic};
use crate::generate::mutations::{self, mutate};
use crate::generate::random::Random;
use crate::generate::worlds::{Documents, Values};
use crate::reference::decide::{self as reference, Decision as Expected, decide, place};
use crate::reference::world::{Request, World};

/// A package that can be asked both ways.
pub struct Subject {
    pub policy: TypedPolicy,
    pub machine: Machine,
    sites: Vec<Span>,
    /// What decisions said that are determined by the same rules alone.
    constants: Mutex<BTreeMap<Constant, Decision>>,
}

/// The action, the kind, the rules.
type Constant = (u32, Kind, Vec<u32>);

/// Counts steps and notes which instructions ran.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pub steps: u64,
    ran: BTreeSet<&'static str>,
}

impl Meter for Trace {
    fn step(&mut self, op: Op) {
        self.steps += 1;
        self.ran.insert(mnemonic(op));
    }
}

impl Subject {
    /// Compiles, verifies and loads.
    pub fn new(policy: TypedPolicy) -> Result<Subject, String> {
        let mut sink = Diagnostics::default();
        let Some(compiled) = compile(&policy, &mut sink) else {
            let messages: Vec<String> = sink.finish().into_iter().map(|fault| fault.message).collect();
            return Err(format!("can't be compiled: {}", messages.join("; ")));
        };
        let verified =
            verify(compiled.program, &Limits::STANDARD).map_err(|error| format!("is not verified: {error}"))?;
        let machine = Machine::new(verified).map_err(|error| format!("can't be loaded: {error}"))?;
        Ok(Subject { policy, machine, sites: compiled.sites, constants: Mutex::default() })
    }

    /// Asks for random requests in a random world, sound and faulty ones.
    pub fn compare(&self, random: &mut Random, requests: usize, reach: &mut Reach) -> Result<(), String> {
        let names: BTreeSet<&str> = self.machine.image().code().iter().map(|&op| mnemonic(op)).collect();
        names.into_iter().for_each(|name| *reach.written.entry(name).or_default() += 1);
        let values = Values::of(&self.policy);
        let mut scratch = Scratch::default();
        for _ in 0..requests.div_ceil(6) {
            let world = values.world(random);
            let entities = values.entities_json(&world).to_string();
            self.machine
                .load_entities(entities.as_bytes())
                .map_err(|faults| format!("entities are refused: {faults:?}\n{entities}"))?;
            for _ in 0..6 {
                let request = values.request(random, &world);
                let documents = values.documents(random, &request);
                self.sound(&world, &request, &documents, &mut scratch, reach)
                    .map_err(|difference| format!("{difference}\nentities {entities}"))?;
                let kind = *random.pick(mutations::KINDS);
                if kind == "too_large" && random.chance(70) {
                    continue;
                }
                if let Some(faulty) = mutate(random, &self.policy, &request, &documents, kind) {
                    self.faulty(&faulty, &mut scratch)
                        .map_err(|difference| format!("{difference}\nentities {entities}"))?;
                    *reach.inputs.entry(kind).or_default() += 1;
                }
            }
        }
        Ok(())
    }

    /// A sound request, decided both ways.
    pub fn sound(
        &self,
        world: &World,
        request: &Request,
        documents: &Documents,
        scratch: &mut Scratch,
        reach: &mut Reach,
    ) -> Result<(), String> {
        let expected = decide(&self.policy, world, request);
        *reach.kinds.entry(expected.kind).or_default() += 1;
        expected.faults.iter().for_each(|fault| *reach.faults.entry(*fault).or_default() += 1);

        let (text, facts) = (documents.request.to_string(), documents.facts.to_string());
        let question = Question { facts: Some(facts.as_bytes()), ..Question::strict(text.as_bytes()) };
        let mut decided = self.machine.decide(question, scratch);
        let quick = decided.kind();
        let (mut decision, approved) = (decided.decision(), decided.approved());
        if self.machine.decision(question, scratch) != decision {
            return Err(format!("reasons alone differ from an answer with reasons\nrequest {text}\nfacts {facts}"));
        }
        let logged = self.recorded(question, scratch).and_then(|()| self.redecided(question, scratch));
        logged.map_err(|what| format!("{what}\nrequest {text}\nfacts {facts}"))?;
        let found = self.comparable(&mut decision);
        let expected_json = expected.json.to_string();
        if found != expected_json || quick.name() != expected.kind.name() {
            return Err(format!(
                "decided differently\nrequest {text}\nfacts {facts}\nmachine   ({}) {found}\nreference ({}) {expected_json}",
                quick.name(),
                expected.kind.name(),
            ));
        }
        let expected = reference::approved(&self.policy, world, request);
        self.approved(approved, expected.as_ref(), reach)
            .map_err(|difference| format!("once approved: {difference}\nrequest {text}\nfacts {facts}"))?;
        self.cost(question, scratch, reach).map_err(|difference| format!("request {text}\nfacts {facts}\n{difference}"))
    }

    /// What a log keeps, made at once, is what decisions, digests and texts give one by one.
    fn recorded(&self, question: Question<'_>, scratch: &mut Scratch) -> Result<(), String> {
        let store = self.machine.entities();
        let mut recorded = self.machine.recorded(&store, question, scratch);
        let (approved, asked, decision) = (recorded.approved(), recorded.asked, recorded.decision);
        let mut decided = self.machine.decide(question, scratch);
        let single = (decided.record(), decided.approved());
        let approved = approved.map(|approved| Decision { digests: Digests::default(), ..approved });
        if (&decision, &approved) != (&single.0, &single.1) {
            return Err(format!("recorded\n{decision:?} {approved:?}\none by one\n{single:?}"));
        }
        let world = decode::World { image: self.machine.image(), plan: self.machine.plan(), store: &store };
        let texts = canonical_in(world, question.options, Form::Wire, question.request, question.facts).ok();
        let found = asked.as_ref().map(|asked| (asked.request(), asked.facts.text().to_owned()));
        if found != texts.map(|texts| (texts.request, texts.facts)) {
            return Err(format!("{found:?} is recorded as asked"));
        }
        asked.iter().flat_map(left_out).try_for_each(|(found, expected)| {
            if found == expected { Ok(()) } else { Err(format!("{expected} is, with something left out, {found}")) }
        })
    }

    /// What is decided again for a log is what it was, of the request as it came and as the log has it; and decisions that
    /// are determined by the same rules alone say the same.
    fn redecided(&self, question: Question<'_>, scratch: &mut Scratch) -> Result<(), String> {
        let store = self.machine.entities();
        let recorded = self.machine.recorded(&store, question, scratch);
        let (decision, asked) = (recorded.decision, recorded.asked);
        let mut again = |question: Question<'_>| {
            let redecided = self.machine.redecide(&store, question, scratch);
            let constant = redecided.constant().map(|(action, rules)| (action, redecided.kind(), rules.to_vec()));
            let found = redecided.decision();
            if found != decision {
                return Err(format!("decided again\n{found:?}\nand not\n{decision:?}"));
            }
            let Some(constant) = constant else { return Ok(()) };
            let said = Decision { digests: Digests::default(), assumed_presented: false, ..found };
            let mut constants = self.constants.lock().expect("nobody panicked");
            let before = constants.entry(constant).or_insert_with(|| said.clone());
            if *before == said { Ok(()) } else { Err(format!("the same rules say\n{said:?}\nand said\n{before:?}")) }
        };
        again(question)?;
        let Some(asked) = asked else { return Ok(()) };
        let (request, facts) = (asked.request(), asked.facts.text().to_owned());
        again(Question { request: request.as_bytes(), facts: Some(facts.as_bytes()), ..question })?;
        // And so is what means the same and is written in another way: its digests are not those of its bytes.
        otherwise(&request).iter().try_for_each(|request| {
            let question = Question { request: request.as_bytes(), facts: Some(facts.as_bytes()), ..question };
            again(question).map_err(|what| format!("{what}\nas {request}"))
        })?;
        otherwise(&facts).iter().try_for_each(|facts| {
            let question = Question { request: request.as_bytes(), facts: Some(facts.as_bytes()), ..question };
            again(question).map_err(|what| format!("{what}\nwith facts {facts}"))
        })
    }

    /// A decision as text, with places; sentences are not compared.
    fn comparable(&self, decision: &mut Decision) -> String {
        decision.locate(|site| self.sites.get(site.0 as usize).map(|span| place(*span)));
        let found = decision.to_json();
        match &decision.error {
            Some(ErrorReport::Evaluation { kind, .. }) => {
                found.replacen(&format!(",\"message\":\"{}\"", kind.sentence()), "", 1)
            }
            _ => found,
        }
    }

    /// What a request comes to once all have agreed, both ways.
    fn approved(&self, found: Option<Decision>, expected: Option<&Expected>, reach: &mut Reach) -> Result<(), String> {
        let found = found.map(|mut decision| self.comparable(&mut decision));
        let told = expected.map(|expected| expected.json.to_string());
        if found != told {
            return Err(format!("machine {found:?}\nreference {told:?}"));
        }
        if let Some(expected) = expected {
            *reach.approved.entry(expected.kind).or_default() += 1;
        }
        Ok(())
    }

    /// No decision takes more steps than certified.
    fn cost(&self, question: Question<'_>, scratch: &mut Scratch, reach: &mut Reach) -> Result<(), String> {
        let store = self.machine.entities();
        let decoded = self.machine.decode(&store, question, scratch).map_err(|error| error.to_string())?;
        let (_, trace) = self.machine.answer(&store, &decoded, scratch, Trace::default());
        let certified = self.machine.image().program.entries[decoded.action as usize].cost;
        if trace.steps > certified {
            return Err(format!("took {} steps, {certified} are certified", trace.steps));
        }
        trace.ran.into_iter().for_each(|name| *reach.ran.entry(name).or_default() += 1);
        Ok(())
    }

    /// A faulty request, which must be refused for what is wrong with it.
    fn faulty(&self, faulty: &mutations::Faulty, scratch: &mut Scratch) -> Result<(), String> {
        let question = Question { facts: Some(faulty.facts.as_bytes()), ..Question::strict(faulty.request.as_bytes()) };
        self.recorded(question, scratch)?;
        let mut decided = self.machine.decide(question, scratch);
        let found = decided.input_error().map_or("none", |error| error.kind.name());
        if found != faulty.kind || decided.kind().name() != "error" {
            let mut shown = faulty.request.clone();
            shown.truncate(shown.floor_char_boundary(4000));
            let decision = decided.decision().to_json();
            return Err(format!(
                "{} expected\nrequest {shown}\nfacts {}\nmachine {decision}",
                faulty.kind, faulty.facts
            ));
        }
        Ok(())
    }
}

/// The texts of a request without one of its fields, each next to what it should be.
fn left_out(asked: &Asked<'_>) -> Vec<(Json, Json)> {
    let json = |text: &str| -> Json { serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}")) };
    let all = json(&asked.request());
    let mut pairs = Vec::new();
    for (part, members) in asked.parts() {
        for (field, text) in members.iter() {
            let found = asked.request_without(|other, name| other == part && name.name == field.name);
            let mut expected = all.clone();
            let fields = match part {
                Part::Context => &mut expected["context"],
                Part::Resource | Part::Subject => &mut expected[part.name()]["properties"],
            };
            let taken = fields.as_object_mut().and_then(|fields| fields.shift_remove(&*field.name));
            pairs.extend([(json(&found), expected), (json(text), taken.unwrap_or_default())]);
        }
    }
    pairs
}

/// Other texts of the same document, each of which differs from the canonical one in one way.
fn otherwise(canonical: &str) -> Vec<String> {
    let document: Json = serde_json::from_str(canonical).expect("it is JSON");
    let mut others = vec![format!("{canonical}\n"), canonical.replacen(':', ": ", 1)];
    // Numbers with more digits than others read are left alone.
    if serde_json::to_string(&document).is_ok_and(|text| text == canonical) {
        others.push(reversed(&document));
    }
    // The last string has a character in it that is escaped and need not be.
    let quoted = canonical.rfind("\":\"").map(|at| at + 3);
    if let Some((at, character)) = quoted.and_then(|at| Some((at, canonical.get(at..)?.chars().next()?)))
        && character.is_ascii_alphanumeric()
    {
        let (before, after) = canonical.split_at(at);
        others.push(format!("{before}\\u{:04x}{}", u32::from(character), &after[1..]));
    }
    others
}

/// The document with the keys of each object the other way round.
fn reversed(value: &Json) -> String {
    match value {
        Json::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .rev()
                .map(|(key, value)| format!("{}:{}", Json::from(key.as_str()), reversed(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Json::Array(items) => {
            format!("[{}]", items.iter().map(reversed).collect::<Vec<_>>().join(","))
        }
        scalar => scalar.to_string(),
    }
}
