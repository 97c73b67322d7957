//! One kind of request: what is remembered of it, and how it is encoded as soon as something else is asked.
//!
//! It is encoded twice, the second time only if the first was not enough. First with few elements of each collection
//! spelt out: most requests that are looked for are small, and most proofs do not depend on how many elements there are.
//! What is a proof there is one, since whatever is not spelt out may be anything; a request counts only where nothing of
//! it lies beyond what is spelt out. Then with as many elements as the questions ask for.

use super::claims::{self, Said};
use super::memory::{Kept, Memory};
use crate::analysis::decision::{Decided, decide};
use crate::analysis::formula::F;
use crate::analysis::question::{Found, Kind, Question, Second};
use crate::analysis::request::{Request, request};
use crate::analysis::smt::Program;
use crate::analysis::solver::Model;
use crate::analysis::world::WITNESSES_MAX;
use crate::types::typed::{ActionId, TypedPolicy};

/// So many elements of each collection are spelt out first.
const FEW: usize = 2;

/// How much of collections is spelt out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Small,
    Full,
}

/// A kind of request, with what is needed to ask about it.
pub(super) struct Asked<'a, 'm> {
    pub(super) policy: &'a TypedPolicy,
    pub(super) kind: Kind,
    pub(super) action: ActionId,
    steps: u64,
    /// Names all that answers depend on.
    key: String,
    memory: &'m mut dyn Memory,
    small: Option<Box<Encoded<'a>>>,
    full: Option<Box<Encoded<'a>>>,
}

impl<'a, 'm> Asked<'a, 'm> {
    pub(super) fn new(
        policy: &'a TypedPolicy,
        kind: Kind,
        action: ActionId,
        steps: u64,
        key: String,
        memory: &'m mut dyn Memory,
    ) -> Asked<'a, 'm> {
        Asked { policy, kind, action, steps, key, memory, small: None, full: None }
    }

    /// What is remembered of a question on this kind of request.
    pub(super) fn recall(&self, question: &str) -> Option<Kept> {
        self.memory.recall(&self.name(question))
    }

    /// This was found out.
    pub(super) fn keep(&mut self, question: &str, answer: &Kept) {
        let name = self.name(question);
        self.memory.keep(&name, answer);
    }

    fn name(&self, question: &str) -> String {
        format!("{} {question}", self.key)
    }

    /// The formulas; made when they are first needed. Where few elements are all that is asked for, those are all.
    pub(super) fn encoded(&mut self, size: Size) -> &mut Encoded<'a> {
        let Asked { policy, kind, action, steps, small, full, .. } = self;
        let policy: &'a TypedPolicy = policy;
        let encode = |witnesses_max: usize| {
            let (question, (decided, said)) = Question::within(&[policy], kind, *steps, witnesses_max, |world| {
                let decided = decide(world, 0);
                let said = claims::encode(world, policy, *action, &decided);
                (decided, said)
            });
            let small: Vec<F> = question.world.beyond.iter().map(|beyond| !*beyond).collect();
            Box::new(Encoded { question, decided, said, small })
        };
        let small = small.get_or_insert_with(|| encode(FEW));
        if size == Size::Small || !small.question.world.cut {
            return small;
        }
        full.get_or_insert_with(|| encode(WITNESSES_MAX))
    }

    /// Looks for a request to be shown, of which something holds. `is_shown` asks the machine.
    pub(super) fn find(
        &mut self,
        goal: &dyn Fn(&mut Encoded<'a>) -> F,
        is_shown: &mut dyn FnMut(&Request) -> bool,
    ) -> Kept {
        let encoded = self.encoded(Size::Small);
        let asked = goal(encoded);
        if asked == F::FALSE {
            return Kept::Nothing;
        }
        if let Found::Some(model) = encoded.find_small(&[asked], true) {
            let request = encoded.request(&model);
            if is_shown(&request) {
                return Kept::Something(Some(request));
            }
        }
        let is_cut = encoded.question.world.cut;
        if is_cut && let Found::None(_) = encoded.find(&[asked], false) {
            return Kept::Nothing;
        }
        let encoded = self.encoded(Size::Full);
        let asked = goal(encoded);
        if asked == F::FALSE {
            return Kept::Nothing;
        }
        let simple = encoded.question.world.simplicity();
        match encoded.question.find_small(&[asked], &simple) {
            Found::None(_) => Kept::Nothing,
            Found::Undecided(reason) => Kept::Unknown(reason),
            Found::Some(model) => {
                let request = encoded.request(&model);
                match is_shown(&request) {
                    true => Kept::Something(Some(request)),
                    false => Kept::Unknown(encoded.question.doubts()),
                }
            }
        }
    }
}

impl<'a> Asked<'a, '_> {
    /// The same, asked of another solver; and who proved that there is nothing.
    pub(super) fn find_by(
        &mut self,
        second: Second,
        reason: &str,
        goal: &dyn Fn(&mut Encoded<'a>) -> F,
        is_shown: &mut dyn FnMut(&Request) -> bool,
    ) -> (Kept, Option<Program>) {
        let encoded = self.encoded(Size::Full);
        let asked = goal(encoded);
        match encoded.question.find_by(second, &[asked], reason) {
            Found::None(program) => (Kept::Nothing, program),
            Found::Undecided(reason) => (Kept::Unknown(reason), None),
            Found::Some(model) => {
                let request = encoded.request(&model);
                match is_shown(&request) {
                    true => (Kept::Something(Some(request)), None),
                    false => (Kept::Unknown(encoded.question.doubts()), None),
                }
            }
        }
    }
}

/// What the policy decides of a kind of request, as formulas.
pub(super) struct Encoded<'a> {
    pub(super) question: Question<'a>,
    pub(super) decided: Decided,
    /// When a claim is refuted.
    pub(super) said: Said,
    /// What holds of a request of which all is spelt out.
    small: Vec<F>,
}

impl Encoded<'_> {
    /// Looks for a request; where it has to be `exact`, all of it is spelt out.
    pub(super) fn find(&mut self, all: &[F], exact: bool) -> Found {
        let mut asked = all.to_vec();
        if exact {
            asked.extend(&self.small);
        }
        self.question.find(&asked)
    }

    /// The same, for something to be shown.
    fn find_small(&mut self, all: &[F], exact: bool) -> Found {
        let mut asked = all.to_vec();
        if exact {
            asked.extend(&self.small);
        }
        let simple = self.question.world.simplicity();
        self.question.find_small(&asked, &simple)
    }

    /// The request that a model is.
    fn request(&self, model: &Model) -> Request {
        request(&self.question.world, model, 0)
    }
}
