//! The nearest request that gets another answer: as few fields of the caller otherwise as can be, and of numbers the
//! nearest value.
//!
//! All sets of one field are tried before those of two, and these before those of three. What takes more is found by
//! leaving all fields open and closing one after the other again: then no field can be left out, though other fields
//! might be fewer.

use super::{Changed, Encoded, Machine, Near, Nearest};
use crate::analysis::formula::{F, Node};
use crate::analysis::numbers::Linear;
use crate::analysis::pin::{Asked, Control, Pin};
use crate::analysis::question::{Found, Question};
use crate::analysis::request::sent;
use crate::analysis::solver::Model;
use crate::analysis::value::Sym;
use crate::types::typed::Answer;

/// So many fields are tried together.
const TOGETHER_MAX: usize = 3;
/// So many sets of fields are tried.
const SETS_MAX: usize = 3_000;
/// So many requests are told that are equally near.
const TOLD_MAX: usize = 3;
/// After so many sets that can't be decided no more are tried.
const GIVEN_UP_MAX: usize = 8;

pub(super) fn nearest(
    question: &mut Question<'_>,
    encoded: &Encoded,
    given: &Model,
    asked: &Asked,
    wanted: Answer,
    machine: Machine<'_>,
) -> (Nearest, Option<String>) {
    let goal = encoded.decided.answers(&mut question.world, wanted);
    let (own, fixed): (Vec<&Pin>, Vec<&Pin>) =
        encoded.pins.fields.iter().partition(|pin| pin.control == Control::Caller && pin.formula != F::TRUE);
    let mut always: Vec<F> = encoded.pins.registry.iter().copied().chain(fixed.iter().map(|pin| pin.formula)).collect();
    always.push(goal);
    match question.find(&always) {
        Found::None(_) => return (Nearest::Never, None),
        Found::Undecided(reason) => return (Nearest::Undecided(reason), None),
        Found::Some(_) => {}
    }
    let mut search = Search { question, own, always, given, asked, wanted, machine, doubt: None, given_up: 0 };
    let mut tried = 0;
    for size in 1..=TOGETHER_MAX.min(search.own.len()) {
        let mut found: Vec<Near> = Vec::new();
        let mut set: Vec<usize> = (0..size).collect();
        loop {
            tried += 1;
            if tried > SETS_MAX || search.given_up > GIVEN_UP_MAX {
                break;
            }
            found.extend(search.within(&set));
            if found.len() >= TOLD_MAX || !next(&mut set, search.own.len()) {
                break;
            }
        }
        if !found.is_empty() {
            let doubt = search.doubt.map(|why| format!("whether something nearer would do: {why}"));
            return (Nearest::Found(found), doubt);
        }
        if search.given_up > GIVEN_UP_MAX {
            break;
        }
    }
    let mut open: Vec<usize> = (0..search.own.len()).collect();
    for at in 0..search.own.len() {
        let fewer: Vec<usize> = open.iter().copied().filter(|other| *other != at).collect();
        let assumed = search.assumed(&fewer);
        if matches!(search.question.find(&assumed), Found::Some(_)) {
            open = fewer;
        }
    }
    match search.within(&open) {
        Some(near) => {
            let doubt = format!("whether fewer than {} other fields would do", near.changes.len());
            (Nearest::Found(vec![near]), Some(doubt))
        }
        None => {
            let doubts = search.question.doubts();
            (Nearest::Undecided(search.doubt.unwrap_or(doubts)), None)
        }
    }
}

/// The next set of so many out of all, in order; none after the last.
fn next(set: &mut [usize], all: usize) -> bool {
    let size = set.len();
    for place in (0..size).rev() {
        if set[place] + (size - place) < all {
            let from = set[place] + 1;
            for (offset, slot) in set[place..].iter_mut().enumerate() {
                *slot = from + offset;
            }
            return true;
        }
    }
    false
}

struct Search<'s, 'w, 'a> {
    question: &'s mut Question<'a>,
    own: Vec<&'w Pin>,
    always: Vec<F>,
    given: &'w Model,
    asked: &'w Asked,
    wanted: Answer,
    machine: Machine<'s>,
    doubt: Option<String>,
    given_up: usize,
}

impl Search<'_, '_, '_> {
    /// What is fixed if these fields are open.
    fn assumed(&self, open: &[usize]) -> Vec<F> {
        let closed = self.own.iter().enumerate().filter(|(at, _)| !open.contains(at)).map(|(_, pin)| pin.formula);
        self.always.iter().copied().chain(closed).collect()
    }

    /// The nearest request in which nothing but these fields is otherwise.
    fn within(&mut self, open: &[usize]) -> Option<Near> {
        let mut assumed = self.assumed(open);
        let mut model = match self.question.find(&assumed) {
            Found::Some(model) => model,
            Found::None(_) => return None,
            Found::Undecided(reason) => {
                self.given_up += 1;
                self.doubt.get_or_insert(reason);
                return None;
            }
        };
        let pins: Vec<&Pin> = open.iter().filter_map(|at| self.own.get(*at).copied()).collect();
        for pin in &pins {
            if let Some(sum) = number(&pin.sym) {
                self.closer(&mut assumed, &mut model, &sum);
            }
        }
        // Of what has parts as many as can be stay as they are; the rest is simple.
        let mut preferences: Vec<F> = Vec::new();
        for pin in &pins {
            let parts = match self.question.world.cx.formulas.node(pin.formula) {
                Node::And(parts) if !pin.formula.is_negated() => parts.to_vec(),
                _ => Vec::new(),
            };
            preferences.extend(parts);
        }
        preferences.extend(self.question.world.simplicity());
        if let Found::Some(small) = self.question.find_small(&assumed, &preferences) {
            model = small;
        }
        let mut request = self.asked.request.clone();
        let mut changes = Vec::new();
        for pin in &pins {
            let of = |model: &Model| sent(&self.question.world, model, 0, &pin.sym, &pin.ty);
            let (before, after) = (of(self.given), of(&model));
            if before != after {
                request.set(&pin.place, after.clone());
                changes.push(Changed { path: pin.path.clone(), before, after });
            }
        }
        if (self.machine)(&request) == self.wanted {
            return Some(Near { changes, request });
        }
        let doubts = self.question.doubts();
        self.given_up += 1;
        self.doubt.get_or_insert(doubts);
        None
    }

    /// Brings a number as near to what it is as can be, and keeps it there.
    fn closer(&mut self, assumed: &mut Vec<F>, model: &mut Model, sum: &Linear) {
        let value = |question: &Question<'_>, model: &Model| model.sum(&question.world.cx, sum);
        let Some(from) = value(self.question, self.given) else { return };
        let distance = |question: &Question<'_>, model: &Model| {
            value(question, model).map_or(i128::MAX, |to| (to.saturating_sub(from)).saturating_abs())
        };
        let (mut low, mut high) = (0, distance(self.question, model));
        while low < high {
            let middle = low + (high - low) / 2;
            let near = self.near(sum, from, middle);
            assumed.push(near);
            let found = self.question.find(assumed);
            assumed.pop();
            match found {
                Found::Some(nearer) => {
                    high = distance(self.question, &nearer).min(middle);
                    *model = nearer;
                }
                Found::None(_) => low = middle + 1,
                Found::Undecided(_) => break,
            }
        }
        let near = self.near(sum, from, high);
        assumed.push(near);
    }

    fn near(&mut self, sum: &Linear, from: i128, distance: i128) -> F {
        let cx = &mut self.question.world.cx;
        let below = cx.formulas.at_most(&cx.numbers, sum, from.saturating_sub(distance).saturating_sub(1));
        let at_most = cx.formulas.at_most(&cx.numbers, sum, from.saturating_add(distance));
        cx.formulas.both(!below, at_most)
    }
}

/// The number that a field is, if it is one.
fn number(sym: &Sym) -> Option<Linear> {
    match sym {
        Sym::Number(choice) => match &choice[..] {
            [(F::TRUE, sum)] => Some(sum.clone()),
            _ => None,
        },
        Sym::Optional(_, Some(inner)) => number(inner),
        _ => None,
    }
}
