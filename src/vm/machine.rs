//! The machine as others use it: a program, the entities that are active now, and decisions.
//!
//! ```
//! use pdl::vm::machine::{Machine, Question, Scratch};
//!
//! # fn example(program: pdl::bytecode::verify::VerifiedProgram) -> Result<(), Box<dyn std::error::Error>> {
//! let machine = Machine::new(program)?;
//! let mut scratch = Scratch::default();
//! let request = br#"{"subject":{"type":"Agent","id":"ci"},"action":{"name":"deploy"},"resource":{"type":"Service","id":"web"}}"#;
//! let mut decided = machine.decide(Question::strict(request), &mut scratch);
//! println!("{}", decided.answer().name());
//! println!("{}", decided.decision().to_json());
//! # Ok(()) }
//! ```

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::bytecode::verify::VerifiedProgram;
use crate::vm::asked::Asked;
use crate::vm::canonical::Form;
use crate::vm::decide::{Answer, Extent, Kind, Outcome, Sets, decide};
use crate::vm::decision::{Decision, Digests, ErrorReport};
use crate::vm::decode::names::Plan;
use crate::vm::decode::trace;
use crate::vm::decode::{self, Decoded, Options, World, decode};
use crate::vm::digest::{self, Canonical, canonical};
use crate::vm::image::{Image, ImageError};
use crate::vm::input::{Fail, InputError};
use crate::vm::load::Origin;
use crate::vm::memory::Local;
use crate::vm::report::{is_constant, report, tell};
use crate::vm::run::{Meter, Run, Unmetered, Work};
use crate::vm::store::Store;
use crate::vm::store::fault::EntitiesRefused;

/// A program with the entities that are active now. It can be shared between threads; each decides with a [`Scratch`] of
/// its own.
#[derive(Debug)]
pub struct Machine {
    image: Image,
    plan: Plan,
    origin: Option<Box<Origin>>,
    active: RwLock<Arc<Store>>,
    /// Held while entities are replaced or patched, so that no change is lost.
    change: Mutex<()>,
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The request: JSON, at most `REQUEST_BYTES_MAX` bytes.
    pub request: &'a [u8],
    /// The kernel's facts: a JSON object of fields marked `@kernel`, if there are any.
    pub facts: Option<&'a [u8]>,
    /// How both are read.
    pub options: Options,
}

impl<'a> Question<'a> {
    /// A request without facts, read strictly.
    #[must_use]
    pub fn strict(request: &'a [u8]) -> Question<'a> {
        Question { request, facts: None, options: Options::STRICT }
    }
}

/// Room for a decision, to be used again and again: once it has grown, decisions allocate nothing.
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    decode: decode::Scratch,
    local: Local,
    work: Work,
    sets: Sets,
    text: String,
    traced: trace::Room,
    rules: Vec<u32>,
}

impl Scratch {
    pub(super) fn parts(&mut self) -> (&mut decode::Scratch, &mut Local) {
        (&mut self.decode, &mut self.local)
    }
}

impl Machine {
    /// A machine for a program, without entities.
    ///
    /// # Errors
    /// Only where the verifier has a defect: a constant is not what it should be.
    pub fn new(program: VerifiedProgram) -> Result<Machine, ImageError> {
        let image = Image::new(program)?;
        let plan = Plan::new(image.schema());
        let active = RwLock::new(Arc::new(Store::empty(&image)));
        Ok(Machine { image, plan, origin: None, active, change: Mutex::new(()) })
    }

    /// The same machine, whose decisions say where they come from.
    #[must_use]
    pub(crate) fn with_origin(self, origin: Origin) -> Machine {
        Machine { origin: Some(Box::new(origin)), ..self }
    }

    /// The bundle that the program came in: its name, its package, who signed it. `None` if it came in none.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.origin.as_deref()
    }

    /// The program as it runs.
    #[must_use]
    pub fn image(&self) -> &Image {
        &self.image
    }

    /// How requests and entities of the schema are decoded.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The entities that are active now.
    #[must_use]
    pub fn entities(&self) -> Arc<Store> {
        // A store is never changed, so that a thread that panicked can't have left half of one behind.
        Arc::clone(&self.active.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces all entities by those of a JSON document of at most
    /// [`ENTITIES_BYTES_MAX`](crate::base::limits::ENTITIES_BYTES_MAX) bytes and
    /// [`ENTITIES_MAX`](crate::base::limits::ENTITIES_MAX) entities.
    ///
    /// Decisions that are under way go on with the old ones; the old ones are freed with the last of these. Building takes
    /// place beside them: only the last step, the exchange of a pointer, waits for anybody. Changes wait for one another.
    ///
    /// # Errors
    /// Everything that is wrong with the document; the old entities stay.
    pub fn load_entities(&self, document: &[u8]) -> Result<(), EntitiesRefused> {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        self.activate(Store::load(&self.image, &self.plan, document)?);
        Ok(())
    }

    /// Adds, replaces and removes single entities, as a JSON document says: `{"upsert": [entity…], "remove": [{"type":
    /// …, "id": …}…]}`. An entity that is replaced is given whole. Decisions that are under way go on with the old ones.
    ///
    /// A patch gives what the changed document would give, and costs time and memory in proportion to all entities.
    ///
    /// # Errors
    /// Everything that is wrong with the document, a reference that it would leave dangling included; the old entities
    /// stay.
    pub fn patch_entities(&self, document: &[u8]) -> Result<(), EntitiesRefused> {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        self.activate(self.entities().patch(&self.image, &self.plan, document)?);
        Ok(())
    }

    fn activate(&self, store: Store) {
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(store);
    }

    /// Answers a request, with the entities that are active now. A faulty request is denied, with kind `error`; there is
    /// no request without an answer.
    pub fn decide<'a>(&'a self, question: Question<'a>, scratch: &'a mut Scratch) -> Decided<'a> {
        self.decide_with(self.entities(), question, scratch)
    }

    /// The same with entities that the caller keeps: a store of this machine's program, which need not be active.
    pub fn decide_with<'a>(
        &'a self,
        store: Arc<Store>,
        question: Question<'a>,
        scratch: &'a mut Scratch,
    ) -> Decided<'a> {
        let decoded = self.decode(&store, question, scratch);
        let outcome = decoded.map(|decoded| {
            let action = decoded.action;
            let outcome =
                self.run(&store, action, scratch, Unmetered, |run, sets| decide(run, sets, action, Extent::Kind));
            (decoded, outcome)
        });
        Decided { machine: self, store, question, scratch, outcome }
    }

    /// The decision on a request with all its reasons, without digests: what [`decide`](Machine::decide) and then
    /// [`Decided::decision`] give, for half the work where nobody waits for the answer alone. Allocates.
    pub fn decision(&self, question: Question<'_>, scratch: &mut Scratch) -> Decision {
        self.decision_with(&self.entities(), question, scratch)
    }

    /// The same with entities that the caller keeps: a store of this machine's program, which need not be active.
    pub fn decision_with(&self, store: &Store, question: Question<'_>, scratch: &mut Scratch) -> Decision {
        let decoded = self.decode(store, question, scratch);
        self.reasons(store, decoded.as_ref(), scratch, Extent::Rules)
    }

    /// Decides for a log: the decision with all its reasons and its digests, and what was asked, all of one decoding and
    /// one run. What [`decide_with`](Machine::decide_with) and then [`record`](Decided::record) and the texts would give,
    /// for a third of the work.
    ///
    /// ```
    /// # use pdl::vm::machine::{Machine, Question, Scratch};
    /// # fn example(machine: &Machine, request: &[u8]) {
    /// let (store, mut scratch) = (machine.entities(), Scratch::default());
    /// let recorded = machine.recorded(&store, Question::strict(request), &mut scratch);
    /// println!("{}", recorded.decision.to_json());
    /// match &recorded.asked {
    ///     Some(asked) => println!("{} {} {}", asked.action.name, asked.request(), asked.facts.text()),
    ///     None => println!("it could not be read"),
    /// }
    /// # }
    /// ```
    pub fn recorded<'m, 's>(
        &'m self,
        store: &'m Store,
        question: Question<'_>,
        scratch: &'s mut Scratch,
    ) -> Recorded<'m, 's> {
        let (decision, decoded) = self.digested(store, question, scratch);
        let decoded = decoded.ok();
        let asked = decoded.as_ref().map(|decoded| {
            let world = World { image: &self.image, plan: &self.plan, store };
            digest::asked(world, decoded, &scratch.decode, &scratch.local, Form::Wire)
        });
        Recorded { decision, asked, machine: self, store, scratch, decoded }
    }

    /// The decision of [`recorded`](Machine::recorded) without what was asked, for who has that already: a log that is
    /// replayed.
    pub fn redecided(&self, store: &Store, question: Question<'_>, scratch: &mut Scratch) -> Decision {
        self.redecide(store, question, scratch).decision()
    }

    /// The same, not put into words yet.
    pub fn redecide<'m, 's>(
        &'m self,
        store: &'m Store,
        question: Question<'_>,
        scratch: &'s mut Scratch,
    ) -> Redecided<'m, 's> {
        let mut digests = self.digests_alone(store);
        let outcome = self.traced(store, question, scratch, &mut digests).map(|decoded| {
            let mut rules = std::mem::take(&mut scratch.rules);
            let (outcome, is_constant) = self.run(store, decoded.action, scratch, Unmetered, |run, sets| {
                let outcome = decide(run, sets, decoded.action, Extent::Rules);
                (outcome, is_constant(run, sets, decoded.action, outcome, &mut rules))
            });
            scratch.rules = rules;
            (decoded, outcome, is_constant)
        });
        Redecided { digests, machine: self, store, scratch, outcome }
    }

    /// Decodes what a log has: with the digests from its own bytes, where these are canonical.
    fn traced(
        &self,
        store: &Store,
        question: Question<'_>,
        scratch: &mut Scratch,
        digests: &mut Digests,
    ) -> Result<Decoded, Fail> {
        let options = Options { extent: decode::Extent::Traced, ..question.options };
        let decoded = self.decode(store, Question { options, ..question }, scratch)?;
        let Scratch { decode, traced, .. } = scratch;
        if let Some(asked) = decode.trace().digests(question.request, question.facts.unwrap_or(b"{}"), traced) {
            add(asked, digests);
            return Ok(decoded);
        }
        let decoded = self.decode(store, everything(question), scratch)?;
        self.add_digests(store, &decoded, scratch, digests);
        Ok(decoded)
    }

    fn digested(
        &self,
        store: &Store,
        question: Question<'_>,
        scratch: &mut Scratch,
    ) -> (Decision, Result<Decoded, Fail>) {
        let decoded = self.decode(store, everything(question), scratch);
        let mut decision = self.reasons(store, decoded.as_ref(), scratch, Extent::Rules);
        decision.digests = self.digests_alone(store);
        if let Ok(decoded) = &decoded {
            self.add_digests(store, decoded, scratch, &mut decision.digests);
        }
        (decision, decoded)
    }

    /// The digests of what decides.
    fn digests_alone(&self, store: &Store) -> Digests {
        let bundle = self.origin.as_ref().map(|origin| origin.name);
        Digests { bundle, registry: Some(store.digest(&self.image)), ..Digests::default() }
    }

    /// Those of what was decoded last, everything of it.
    fn add_digests(&self, store: &Store, decoded: &Decoded, scratch: &mut Scratch, digests: &mut Digests) {
        let world = World { image: &self.image, plan: &self.plan, store };
        add(digest::digests(world, decoded, &scratch.decode, &scratch.local, &mut scratch.text), digests);
    }

    fn reasons(
        &self,
        store: &Store,
        decoded: Result<&Decoded, &Fail>,
        scratch: &mut Scratch,
        extent: Extent,
    ) -> Decision {
        let decoded = match decoded {
            Ok(decoded) => decoded,
            Err(error) => return refused(error),
        };
        let decision =
            self.run(store, decoded.action, scratch, Unmetered, |run, sets| report(run, sets, decoded.action, extent));
        self.located(decision, decoded)
    }

    /// A decision that says where its rules stand.
    fn located(&self, mut decision: Decision, decoded: &Decoded) -> Decision {
        decision.assumed_presented = decoded.assumed_presented;
        if let Some(origin) = self.origin() {
            decision.locate(|site| origin.place(site));
        }
        decision
    }

    /// Decodes a request and decides nothing: the first half of a decision, for those who measure.
    ///
    /// # Errors
    /// As of a decision of kind `error` that never ran.
    pub fn decode(&self, store: &Store, question: Question<'_>, scratch: &mut Scratch) -> Result<Decoded, Fail> {
        let world = World { image: &self.image, plan: &self.plan, store };
        decode(world, question.options, question.request, question.facts, &mut scratch.decode, &mut scratch.local)
    }

    /// Decides what was decoded last into `scratch`, with the same store: the second half of a decision.
    pub fn answer<M: Meter + Default>(
        &self,
        store: &Store,
        decoded: &Decoded,
        scratch: &mut Scratch,
        meter: M,
    ) -> (Outcome, M) {
        self.run(store, decoded.action, scratch, meter, |run, sets| {
            let outcome = decide(run, sets, decoded.action, Extent::Kind);
            (outcome, std::mem::take(&mut run.meter))
        })
    }

    /// Runs something of an action's entry, on what was decoded last.
    pub(super) fn run<M: Meter, T>(
        &self,
        store: &Store,
        action: u32,
        scratch: &mut Scratch,
        meter: M,
        what: impl FnOnce(&mut Run<'_, Store, M>, &mut Sets) -> T,
    ) -> T {
        let stack = self.image.entries.get(action as usize).map_or(0, |plan| plan.stack);
        scratch.work.begin(&self.image, stack);
        self.go_on(store, scratch, meter, what)
    }

    /// The same where something was run already on what was decoded last: values that were kept are found again.
    fn go_on<M: Meter, T>(
        &self,
        store: &Store,
        scratch: &mut Scratch,
        meter: M,
        what: impl FnOnce(&mut Run<'_, Store, M>, &mut Sets) -> T,
    ) -> T {
        let Scratch { decode, local, work, sets, .. } = scratch;
        let mut run = Run { image: &self.image, entities: store, inputs: &decode.inputs, local, work, meter };
        what(&mut run, sets)
    }
}

fn add(asked: digest::Digests, digests: &mut Digests) {
    digests.facts = Some(asked.facts);
    digests.request = Some(asked.request);
    digests.binding = Some(asked.binding);
}

/// The same question, of which everything is decoded.
fn everything(question: Question<'_>) -> Question<'_> {
    Question { options: Options { extent: decode::Extent::Everything, ..question.options }, ..question }
}

/// The decision on a request that could not be read.
#[cold]
fn refused(error: &Fail) -> Decision {
    Decision::refused(ErrorReport::Input {
        code: error.kind.name().to_owned(),
        document: error.document,
        path: error.path.clone(),
        message: error.message.clone(),
    })
}

/// A decision of a log, made again and not put into words yet.
//
// INVARIANT: `scratch` holds what the decision was made of, the rules that determine it included.
#[derive(Debug)]
pub struct Redecided<'m, 's> {
    /// The digests of all that it was made of.
    pub digests: Digests,
    machine: &'m Machine,
    store: &'m Store,
    scratch: &'s mut Scratch,
    outcome: Result<(Decoded, Outcome, bool), Fail>,
}

impl Redecided<'_, '_> {
    /// Why it came to its answer.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.outcome.as_ref().map_or(Kind::Error, |(_, outcome, _)| outcome.kind)
    }

    /// The action and the rules that determine the decision, by their place among those of the action: if that is all that
    /// its reasons depend on. Then decisions of one bundle that have the same here, and the same kind, differ in nothing but
    /// their digests: no message has a value in it, nobody is asked, nothing is obliged, and no shadow rule matches.
    #[must_use]
    pub fn constant(&self) -> Option<(u32, &[u32])> {
        match &self.outcome {
            Ok((decoded, _, true)) => Some((decoded.action, &self.scratch.rules)),
            _ => None,
        }
    }

    /// The decision with all its reasons. Allocates.
    #[must_use]
    pub fn decision(self) -> Decision {
        let Redecided { digests, machine, store, scratch, outcome } = self;
        let decision = match &outcome {
            Ok((decoded, outcome, _)) => {
                let told =
                    machine.go_on(store, scratch, Unmetered, |run, sets| tell(run, sets, decoded.action, *outcome));
                machine.located(told, decoded)
            }
            Err(error) => refused(error),
        };
        Decision { digests, ..decision }
    }
}

/// A decision with everything that a log keeps of it.
#[derive(Debug)]
pub struct Recorded<'m, 's> {
    /// The decision, with its digests.
    pub decision: Decision,
    /// What was asked. `None` if it could not be read: then the decision says what was wrong.
    pub asked: Option<Asked<'m>>,
    machine: &'m Machine,
    store: &'m Store,
    scratch: &'s mut Scratch,
    decoded: Option<Decoded>,
}

impl Recorded<'_, '_> {
    /// The same as [`Decided::approved`], without decoding once more; with the digests of the decision.
    pub fn approved(&mut self) -> Option<Decision> {
        let decoded = self.decoded.as_ref().filter(|_| self.decision.kind == Kind::Approval)?;
        let mut approved = self.machine.reasons(self.store, Ok(decoded), self.scratch, Extent::Approved);
        approved.digests.clone_from(&self.decision.digests);
        Some(approved)
    }
}

/// An answer, and on demand its reasons.
#[derive(Debug)]
pub struct Decided<'a> {
    machine: &'a Machine,
    store: Arc<Store>,
    question: Question<'a>,
    scratch: &'a mut Scratch,
    outcome: Result<(Decoded, Outcome), Fail>,
}

impl Decided<'_> {
    /// The answer.
    #[must_use]
    pub fn answer(&self) -> Answer {
        self.kind().answer()
    }

    /// Why.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.outcome.as_ref().map_or(Kind::Error, |(_, outcome)| outcome.kind)
    }

    /// What was wrong with the request or the facts, if anything was.
    #[must_use]
    pub fn input_error(&self) -> Option<&InputError> {
        self.outcome.as_ref().err().map(|error| &**error)
    }

    /// What the request is about, if it could be read.
    #[must_use]
    pub fn decoded(&self) -> Option<&Decoded> {
        self.outcome.as_ref().ok().map(|(decoded, _)| decoded)
    }

    /// The entities that it was decided with.
    #[must_use]
    pub fn entities(&self) -> &Store {
        &self.store
    }

    /// Members of the request that were ignored, where the options ask for that.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.scratch.decode.ignored
    }

    /// The decision with all its reasons, and where the rules stand if the bundle knows; without digests. Decides once
    /// more, this time looking at all rules that matter; allocates.
    pub fn decision(&mut self) -> Decision {
        let decoded = self.outcome.as_ref().map(|(decoded, _)| decoded);
        self.machine.reasons(&self.store, decoded, self.scratch, Extent::Rules)
    }

    /// What an answer that requires approval comes to once all its gates are met: a decision of kind `allowed`, with the
    /// rules and the obligations of its allowances and of its approval rules together, in source order, and without gates.
    /// `None` if the answer is another one: no approval makes anything else of it.
    ///
    /// It is of kind `error` if an argument of an obligation of an allowance is an error, which nobody had to know before;
    /// so the kind has to be looked at. It says nothing of whether the gates are met.
    pub fn approved(&mut self) -> Option<Decision> {
        if self.kind() != Kind::Approval {
            return None;
        }
        let decoded = self.outcome.as_ref().map(|(decoded, _)| decoded);
        Some(self.machine.reasons(&self.store, decoded, self.scratch, Extent::Approved))
    }

    /// The decision with all its reasons and its digests: what a log keeps. Costs what [`decision`](Decided::decision)
    /// costs, a full decoding and five digests; that of the entities is computed once for each state of theirs.
    pub fn record(&mut self) -> Decision {
        let mut decision = self.decision();
        decision.digests = self.digests();
        decision
    }

    /// The canonical texts of what was asked, from which digests are made.
    ///
    /// # Errors
    /// That of the request, if it is faulty.
    pub fn canonical(&self) -> Result<Canonical, Fail> {
        let Machine { image, plan, .. } = self.machine;
        let world = World { image, plan, store: &self.store };
        canonical(world, self.question.options, self.question.request, self.question.facts)
    }

    /// The digests of what was decided upon: of a faulty request those of bundle and registry only.
    #[must_use]
    pub fn digests(&self) -> Digests {
        let asked = self.canonical().ok().map(|canonical| canonical.digests());
        Digests {
            bundle: self.machine.origin.as_ref().map(|origin| origin.name),
            registry: Some(self.store.digest(&self.machine.image)),
            facts: asked.map(|asked| asked.facts),
            request: asked.map(|asked| asked.request),
            binding: asked.map(|asked| asked.binding),
        }
    }
}
