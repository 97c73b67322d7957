//! What each rule can do: fail, match, change an answer. A rule is judged over all kinds of requests together: it is
//! enough that it does its work for one of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::asked::{Asked, Encoded, Size};
use super::memory::Kept;
use super::{About, Example, Finding, Verdict, Witness};
use crate::analysis::decision::{Does, Rule};
use crate::analysis::diff::Told;
use crate::analysis::formula::{F, Formulas};
use crate::analysis::question::{Found, Kind};
use crate::analysis::solver::Model;
use crate::base::span::Span;
use crate::types::typed::{ActionId, Answer, Effect, TypedPolicy};

/// Whether something exists, over the kinds that were looked at.
#[derive(Clone, Debug)]
enum Exists {
    No,
    Yes,
    Unknown(String),
}

/// What is asked of a rule: whether there is a request …
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    /// … that this rule alone decides.
    Decides,
    /// … of which it matches where that matters.
    Works,
    /// … of which it matches.
    Matches,
    /// … that the rules would let through against the invariant.
    Breaks,
    /// … of which it fails.
    Fails,
}

/// What is only asked whether it exists; each implies those behind it.
const EXISTING: [Test; 3] = [Test::Decides, Test::Works, Test::Matches];

struct State {
    name: Arc<str>,
    span: Span,
    does: Does,
    /// A request of which the rule matches; one where that matters; one that the rule alone decides.
    matches: Exists,
    works: Exists,
    decides: Exists,
    /// Of an invariant: a request that the rules would let through against it. Of all rules: one that fails.
    breaks: Verdict,
    fails: Verdict,
}

impl State {
    fn exists(&mut self, test: Test) -> Option<&mut Exists> {
        match test {
            Test::Decides => Some(&mut self.decides),
            Test::Works => Some(&mut self.works),
            Test::Matches => Some(&mut self.matches),
            Test::Breaks | Test::Fails => None,
        }
    }

    fn shown(&mut self, test: Test) -> &mut Verdict {
        if test == Test::Breaks { &mut self.breaks } else { &mut self.fails }
    }

    /// Whether nothing more is to be found out by a test: something was found, by it or by a stronger one.
    fn is_settled(&mut self, test: Test) -> bool {
        match self.exists(test) {
            Some(exists) => matches!(exists, Exists::Yes),
            None => matches!(self.shown(test), Verdict::Refuted(_)),
        }
    }

    /// What a test found in an earlier run: a request that was kept has to show it of this rule and no other.
    fn recall(&mut self, test: Test, kept: &Kept, kind: &Kind, machine: &mut dyn Witness) -> bool {
        if let (None, Kept::Something(Some(request))) = (self.exists(test), kept)
            && !machine.decide(0, request).rules.contains(&self.name)
        {
            return false;
        }
        self.take(test, kept, kind, machine)
    }

    /// What a test has found. Where a request is to be shown, the machine has to say so too: if not, this is refused.
    fn take(&mut self, test: Test, kept: &Kept, kind: &Kind, machine: &mut dyn Witness) -> bool {
        if let Some(exists) = self.exists(test) {
            match kept {
                Kept::Nothing => {}
                Kept::Unknown(reason) => *exists = Exists::Unknown(reason.clone()),
                // Where the encoding is too wide it may not exist; but nothing is claimed of the rule then.
                Kept::Something(_) => {
                    for weaker in EXISTING.into_iter().skip_while(|other| *other != test) {
                        self.exists(weaker).into_iter().for_each(|exists| *exists = Exists::Yes);
                    }
                }
            }
            return true;
        }
        let verdict = match kept {
            Kept::Nothing => return true,
            Kept::Unknown(reason) => Verdict::Undecided(reason.clone()),
            Kept::Something(None) => return false,
            Kept::Something(Some(request)) => {
                let told = machine.decide(0, request);
                if !is_shown(test, &told) {
                    return false;
                }
                Verdict::Refuted(Some(Box::new(Example { kind: kind.clone(), request: request.clone(), told })))
            }
        };
        *self.shown(test) = verdict;
        true
    }
}

/// Whether the machine's answer shows what a test looks for.
fn is_shown(test: Test, told: &Told) -> bool {
    match test {
        Test::Breaks => told.kind == "violated",
        // What the machine can't read is an error too, but of no rule.
        _ => told.kind == "error" && told.answer == Answer::Deny && !told.rules.is_empty(),
    }
}

/// Which rule: whether it is an invariant, its place, and its instance.
type Key = (bool, (usize, usize), usize);

/// A rule on the action that is looked at.
struct Listed {
    key: Key,
    /// Says which rule it is of those on the action.
    name: String,
}

/// Of one rule, when there is what its tests ask for.
struct Goals {
    decides: F,
    works: F,
    matches: F,
    breaks: F,
    fails: F,
}

impl Goals {
    fn of(&self, test: Test) -> F {
        match test {
            Test::Decides => self.decides,
            Test::Works => self.works,
            Test::Matches => self.matches,
            Test::Breaks => self.breaks,
            Test::Fails => self.fails,
        }
    }
}

pub(super) struct Rules<'a> {
    policy: &'a TypedPolicy,
    everything: bool,
    states: BTreeMap<Key, State>,
}

impl<'a> Rules<'a> {
    pub(super) fn new(policy: &'a TypedPolicy, everything: bool) -> Rules<'a> {
        Rules { policy, everything, states: BTreeMap::new() }
    }

    /// The rules on an action that are looked at, in the order of the tree.
    fn listed(&mut self, action: ActionId) -> Vec<Listed> {
        let policy = self.policy;
        let mut all = Vec::new();
        for (number, instance) in policy.instances.iter().enumerate() {
            if !self.everything && !policy.modules[instance.module.index()].own {
                continue;
            }
            let mut add = |key: Key, name: &str, span: Span, does: Does| {
                let id: Arc<str> = format!("{}.{name}", instance.prefix).into();
                all.push(Listed { key, name: format!("{} {id}", all.len()) });
                self.states.entry(key).or_insert_with(|| State {
                    name: id,
                    span,
                    does,
                    matches: Exists::No,
                    works: Exists::No,
                    decides: Exists::No,
                    breaks: Verdict::Proved,
                    fails: Verdict::Proved,
                });
            };
            for (at, def) in policy.policies.iter().enumerate() {
                if def.module != instance.module || def.shadow || !def.actions.contains(&action) {
                    continue;
                }
                for (place, rule) in def.rules.iter().enumerate() {
                    let does = match &rule.effect {
                        Effect::Allow => Does::Allow,
                        Effect::Deny => Does::Deny,
                        Effect::RequireApproval(_) => Does::RequireApproval,
                    };
                    add((false, (at, place), number), &rule.name, rule.span, does);
                }
            }
            for (at, def) in policy.invariants.iter().enumerate() {
                if def.module == instance.module && def.actions.contains(&action) {
                    add((true, (at, 0), number), &def.name, def.span, Does::Violation);
                }
            }
        }
        all
    }

    pub(super) fn of_kind(&mut self, asked: &mut Asked<'_, '_>, machine: &mut dyn Witness) {
        let listed = self.listed(asked.action);
        let mut open: Vec<(usize, Test)> = Vec::new();
        for (number, rule) in listed.iter().enumerate() {
            let Some(state) = self.states.get_mut(&rule.key) else { continue };
            for test in EXISTING.into_iter().chain([Test::Breaks, Test::Fails]) {
                let is_asked = test != Test::Breaks || state.does == Does::Violation;
                if !is_asked || state.is_settled(test) {
                    continue;
                }
                match asked.recall(&question(rule, test)) {
                    Some(kept) if state.recall(test, &kept, &asked.kind, machine) => {}
                    _ => open.push((number, test)),
                }
            }
        }
        if open.is_empty() {
            return;
        }
        let small = goals(asked.encoded(Size::Small), &listed);
        let mut work = Work { listed: &listed, small, full: None, states: &mut self.states, asked, machine };
        for test in EXISTING {
            let rules = open.iter().filter(|(_, of)| *of == test).map(|(number, _)| *number).collect();
            work.exist(test, rules, &open);
        }
        for (number, test) in &open {
            if *test == Test::Breaks {
                work.show(*number, *test);
            }
        }
        work.fail(open.iter().filter(|(_, of)| *of == Test::Fails).map(|(number, _)| *number).collect());
    }

    pub(super) fn findings(self) -> Vec<Finding> {
        let mut all = Vec::new();
        for state in self.states.into_values() {
            let finding = |about: About, text: String, verdict: Verdict| Finding {
                about,
                name: state.name.clone(),
                text,
                span: state.span,
                second: None,
                verdict,
            };
            let name = &state.name;
            if state.does == Does::Violation {
                let text = format!("the rules imply `{name}` without its guard");
                all.push(finding(About::Invariant, text, state.breaks.clone()));
            }
            if !matches!(state.fails, Verdict::Proved) {
                all.push(finding(About::Error, format!("`{name}` never fails"), state.fails.clone()));
            }
            let (about, text, exists) = match (&state.matches, &state.works, &state.decides) {
                (Exists::Yes, Exists::Yes, Exists::Yes) => continue,
                (Exists::Yes, Exists::Yes, decides) => (About::Redundant, "changes some answer", decides),
                (Exists::Yes, works, _) => match state.does {
                    Does::Allow => (About::Shadowed, "allows something that nothing denies", works),
                    Does::RequireApproval => (About::Gate, "asks for an approval that is not denied anyway", works),
                    Does::Deny | Does::Violation => (About::Redundant, "denies something that is allowed", works),
                },
                (matches, ..) => (About::Vacuous, "matches some request", matches),
            };
            // An invariant that never has to guard is what is wanted of it.
            if state.does == Does::Violation {
                continue;
            }
            let verdict = match exists {
                Exists::No => Verdict::Refuted(None),
                Exists::Unknown(reason) => Verdict::Undecided(reason.clone()),
                Exists::Yes => continue,
            };
            all.push(finding(about, format!("`{name}` {text}"), verdict));
        }
        all
    }
}

/// The name of a question among those of a kind of request.
fn question(rule: &Listed, test: Test) -> String {
    let test = match test {
        Test::Decides => "decides",
        Test::Works => "works",
        Test::Matches => "matches",
        Test::Breaks => "breaks",
        Test::Fails => "fails",
    };
    format!("rule {} {test}", rule.name)
}

/// For each of the parts, whether another one holds.
fn another(formulas: &mut Formulas, parts: &[F]) -> Vec<F> {
    let mut behind = vec![F::FALSE; parts.len()];
    let mut any = F::FALSE;
    for (behind, part) in behind.iter_mut().zip(parts).rev() {
        *behind = any;
        any = formulas.either(any, *part);
    }
    let mut before = F::FALSE;
    for (all, part) in behind.iter_mut().zip(parts) {
        *all = formulas.either(before, *all);
        before = formulas.either(before, *part);
    }
    behind
}

/// What the tests ask for.
fn goals(encoded: &mut Encoded<'_>, listed: &[Listed]) -> Vec<Goals> {
    let decided = &encoded.decided;
    let cx = &encoded.question.world;
    let known: Vec<F> = cx.terms().map(|(_, def)| def.known).collect();
    let formulas = &mut encoded.question.world.cx.formulas;
    let known = formulas.and(known);
    let sound = formulas.both(decided.valid, !decided.error);
    // Of each rule, whether another one does the same: denials and invariants do.
    let mut alone: BTreeMap<Key, (&Rule, F)> = BTreeMap::new();
    for does in [&[Does::Allow][..], &[Does::Deny, Does::Violation], &[Does::RequireApproval]] {
        let alike: Vec<&Rule> = decided.rules.iter().filter(|rule| does.contains(&rule.does) && !rule.shadow).collect();
        let conditions: Vec<F> = alike.iter().map(|rule| rule.condition.yes).collect();
        for (rule, other) in alike.into_iter().zip(another(formulas, &conditions)) {
            alone.insert((rule.does == Does::Violation, rule.place, rule.instance), (rule, other));
        }
    }
    let denied = formulas.either(decided.denied, decided.violated);
    let mut all = Vec::with_capacity(listed.len());
    for rule in listed {
        let Some((rule, another)) = alone.get(&rule.key) else {
            let none = F::FALSE;
            all.push(Goals { decides: none, works: none, matches: none, breaks: none, fails: none });
            continue;
        };
        let yes = rule.condition.yes;
        let works = match rule.does {
            Does::Allow => formulas.and([sound, yes, !denied]),
            Does::Deny | Does::Violation => formulas.and([sound, yes, decided.allowed]),
            Does::RequireApproval => formulas.and([sound, yes, decided.allowed, !denied]),
        };
        let decides = formulas.both(works, !*another);
        all.push(Goals {
            decides,
            works,
            matches: formulas.both(decided.valid, yes),
            // What would be let through if nothing guarded it.
            breaks: decides,
            fails: formulas.and([decided.valid, known, rule.condition.error]),
        });
    }
    all
}

/// What is left to be asked about rules, of a kind of request.
struct Work<'w, 'a, 'm> {
    listed: &'w [Listed],
    small: Vec<Goals>,
    full: Option<Vec<Goals>>,
    states: &'w mut BTreeMap<Key, State>,
    asked: &'w mut Asked<'a, 'm>,
    machine: &'w mut dyn Witness,
}

impl Work<'_, '_, '_> {
    fn goal(&mut self, size: Size, number: usize, test: Test) -> F {
        let goals = match size {
            Size::Small => &self.small,
            Size::Full => self.full.get_or_insert_with(|| goals(self.asked.encoded(size), self.listed)),
        };
        goals.get(number).map_or(F::FALSE, |goals| goals.of(test))
    }

    /// That one of them has what a test asks for.
    fn any(&mut self, size: Size, rules: &[usize], test: Test) -> F {
        let each: Vec<F> = rules.iter().map(|number| self.goal(size, *number, test)).collect();
        self.asked.encoded(size).question.world.cx.formulas.or(each)
    }

    /// An answer; nothing if the machine does not agree with it.
    fn take(&mut self, number: usize, test: Test, answer: &Kept) -> bool {
        let Some(rule) = self.listed.get(number) else { return false };
        let Some(state) = self.states.get_mut(&rule.key) else { return false };
        if !state.take(test, answer, &self.asked.kind, self.machine) {
            return false;
        }
        self.asked.keep(&question(rule, test), answer);
        true
    }

    fn is_settled(&mut self, number: usize, test: Test) -> bool {
        let state = self.listed.get(number).and_then(|rule| self.states.get_mut(&rule.key));
        state.is_none_or(|state| state.is_settled(test))
    }

    /// Whether there is what a test of some rules asks for. All are asked together, as long as there is for one of them:
    /// what is found for one often is there for others as well, also by the tests that are still open.
    fn exist(&mut self, test: Test, mut left: Vec<usize>, open: &[(usize, Test)]) {
        left.retain(|number| !self.is_settled(*number, test));
        self.rule_out(test, &mut left);
        self.look_for(Size::Small, true, test, &mut left, open);
        if self.asked.encoded(Size::Small).question.world.cut {
            self.prove(test, &mut left);
        }
        self.look_for(Size::Full, false, test, &mut left, open);
        for number in left {
            if self.is_settled(number, test) {
                continue;
            }
            let goal = self.goal(Size::Full, number, test);
            match self.asked.encoded(Size::Full).question.find(&[goal]) {
                Found::None(_) => _ = self.take(number, test, &Kept::Nothing),
                Found::Undecided(reason) => _ = self.take(number, test, &Kept::Unknown(reason)),
                Found::Some(model) => {
                    self.take(number, test, &Kept::Something(None));
                    self.look(Size::Full, &model, open);
                }
            }
        }
    }

    /// Of some no search is needed.
    fn rule_out(&mut self, test: Test, left: &mut Vec<usize>) {
        left.retain(|number| {
            let is_possible = self.goal(Size::Small, *number, test) != F::FALSE;
            if !is_possible {
                self.take(*number, test, &Kept::Nothing);
            }
            is_possible
        });
    }

    /// Looks for requests for all of them together, and for those that are left after each again.
    fn look_for(&mut self, size: Size, exact: bool, test: Test, left: &mut Vec<usize>, open: &[(usize, Test)]) {
        while !left.is_empty() {
            let any = self.any(size, left, test);
            match self.asked.encoded(size).find(&[any], exact) {
                Found::None(_) => {
                    if !exact {
                        for number in left.drain(..) {
                            self.take(number, test, &Kept::Nothing);
                        }
                    }
                    return;
                }
                Found::Some(model) => {
                    self.look(size, &model, open);
                    let before = left.len();
                    left.retain(|number| !self.is_settled(*number, test));
                    if left.len() == before {
                        return;
                    }
                }
                Found::Undecided(_) => return,
            }
        }
    }

    /// Proves of as many as possible that there is nothing, where few elements are spelt out.
    fn prove(&mut self, test: Test, left: &mut Vec<usize>) {
        if left.len() > 1 {
            let any = self.any(Size::Small, left, test);
            if let Found::None(_) = self.asked.encoded(Size::Small).find(&[any], false) {
                for number in left.drain(..) {
                    self.take(number, test, &Kept::Nothing);
                }
                return;
            }
        }
        left.retain(|number| {
            let goal = self.goal(Size::Small, *number, test);
            let is_proved = matches!(self.asked.encoded(Size::Small).find(&[goal], false), Found::None(_));
            if is_proved {
                self.take(*number, test, &Kept::Nothing);
            }
            !is_proved
        });
    }

    /// What else a model is that is looked for.
    fn look(&mut self, size: Size, model: &Model, open: &[(usize, Test)]) {
        let open = open.iter().copied().filter(|(_, test)| EXISTING.contains(test));
        let open: Vec<(usize, Test)> = open.filter(|(number, test)| !self.is_settled(*number, *test)).collect();
        let goals: Vec<F> = open.iter().map(|(number, test)| self.goal(size, *number, *test)).collect();
        let holds = model.hold(&self.asked.encoded(size).question.world.cx, &goals);
        for ((number, test), holds) in open.into_iter().zip(holds) {
            if holds && !self.is_settled(number, test) {
                self.take(number, test, &Kept::Something(None));
            }
        }
    }

    /// Looks for a request to be shown.
    fn show(&mut self, number: usize, test: Test) {
        let (listed, machine) = (self.listed, &mut *self.machine);
        let goal = |encoded: &mut Encoded<'_>| {
            let goals = goals(encoded, listed);
            goals.get(number).map_or(F::FALSE, |goals| goals.of(test))
        };
        let answer = self.asked.find(&goal, &mut |request| is_shown(test, &machine.decide(0, request)));
        self.take(number, test, &answer);
    }

    /// Whether rules fail: most never do, which is found out of all of them together.
    fn fail(&mut self, mut left: Vec<usize>) {
        self.rule_out(Test::Fails, &mut left);
        if left.len() > 1 {
            let any = self.any(Size::Small, &left, Test::Fails);
            if let Found::None(_) = self.asked.encoded(Size::Small).find(&[any], false) {
                for number in left.drain(..) {
                    self.take(number, Test::Fails, &Kept::Nothing);
                }
            }
        }
        for number in left {
            self.show(number, Test::Fails);
        }
    }
}
