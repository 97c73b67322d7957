//! The solver against an enumeration of everything, and what it has to find or must not.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::*;
use crate::analysis::formula::{Atom, Node};
use crate::analysis::numbers::{Linear, NumVar, Source};
use crate::analysis::text::{Domain, Lang, Measure, TextVar};

const AMPLE: u64 = 4_000_000;
/// All words that there are.
const WORDS: [&str; 4] = ["", "a", "ab", "b"];

fn ample() -> Budget {
    Budget::new(AMPLE)
}

/// A formula as a recipe.
#[derive(Clone, Debug)]
enum Recipe {
    Free(usize),
    /// Factors of the two numbers and of the size of the first text.
    AtMost([i128; 3], i128),
    /// Of the instant, its year, month and day, and sums of them.
    Dated(usize, i128),
    In(usize, usize, usize),
    Same,
    Before(bool),
    Not(Box<Recipe>),
    All(Vec<Recipe>),
    Any(Vec<Recipe>),
}

fn recipes() -> impl Strategy<Value = Recipe> {
    let atom = prop_oneof![
        (0..2_usize).prop_map(Recipe::Free),
        ([-2..=2_i128, -2..=2_i128, -1..=1_i128], -4..=4_i128)
            .prop_map(|(factors, bound)| Recipe::AtMost(factors, bound)),
        (0..2_usize, -2..=3_i128).prop_map(|(at, bound)| {
            let mut factors = [0; 3];
            factors[at] = 1;
            Recipe::AtMost(factors, bound)
        }),
        (0..2_usize, 0..6_usize, 0..WORDS.len()).prop_map(|(text, kind, word)| Recipe::In(text, kind, word)),
        (0..6_usize, -2..=3_i128).prop_map(|(kind, bound)| Recipe::Dated(kind, bound)),
        Just(Recipe::Same),
        any::<bool>().prop_map(Recipe::Before),
    ];
    atom.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Recipe::Not(Box::new(inner))),
            prop::collection::vec(inner.clone(), 1..=3).prop_map(Recipe::All),
            prop::collection::vec(inner, 1..=3).prop_map(Recipe::Any),
        ]
    })
}

/// The first millisecond of a year. The instant is this one or one of the two around it.
const NEW_YEAR: i128 = 1_704_067_200_000;

/// Two Booleans, two numbers between -1 and 1, two texts among [`WORDS`], the size of the first, an instant.
struct World {
    context: Context,
    free: [F; 2],
    numbers: [NumVar; 2],
    texts: [TextVar; 2],
    size: NumVar,
    instant: NumVar,
    /// Year, month and day.
    date: [NumVar; 3],
    axioms: Vec<F>,
    models: Vec<Model>,
    truths: HashMap<usize, Vec<bool>>,
}

impl World {
    fn new() -> World {
        let mut context = Context::default();
        let free = [context.formulas.free(), context.formulas.free()];
        let numbers = [(); 2].map(|()| context.numbers.variable(-1, 1));
        let texts = [context.texts.variable(Domain::Any(8)), context.texts.variable(Domain::Any(8))];
        let size = context.numbers.function(Source::Characters(texts[0]), 0, 8);
        let instant = context.numbers.variable(NEW_YEAR - 1, NEW_YEAR + 1);
        let date = [
            context.numbers.function(Source::Year(instant), 0, 9_999),
            context.numbers.function(Source::Month(instant), 1, 12),
            context.numbers.function(Source::Day(instant), 1, 31),
        ];
        let axioms = texts
            .iter()
            .map(|text| {
                let words: Vec<F> = WORDS
                    .iter()
                    .map(|word| {
                        let language = context.texts.language(Lang::Exactly(Arc::from(*word)));
                        context.formulas.atom(Atom::In(*text, language))
                    })
                    .collect();
                context.formulas.or(words)
            })
            .collect();
        let (models, truths) = (Vec::new(), HashMap::new());
        World { context, free, numbers, texts, size, instant, date, axioms, models, truths }
    }

    fn build(&mut self, recipe: &Recipe) -> F {
        match recipe {
            Recipe::Free(at) => self.free[*at],
            Recipe::AtMost(factors, bound) => {
                let mut sum = Linear::default();
                for (variable, factor) in self.numbers.iter().chain([&self.size]).zip(factors) {
                    sum = sum.plus(&Linear::variable(*variable), *factor).expect("it is small");
                }
                self.context.formulas.at_most(&self.context.numbers, &sum, *bound)
            }
            Recipe::Dated(kind, bound) => {
                let [year, month, day] = self.date;
                let (terms, near): (&[(NumVar, i128)], i128) = match kind {
                    0 => (&[(year, 1)], 2023),
                    1 => (&[(month, 1)], if *bound > 0 { 10 } else { 2 }),
                    2 => (&[(day, 1)], if *bound > 0 { 29 } else { 2 }),
                    3 => (&[(self.instant, 1)], NEW_YEAR),
                    4 => (&[(year, 1), (month, 2)], if *bound > 0 { 2045 } else { 2026 }),
                    _ => (&[(self.numbers[0], 1), (month, -1), (day, 1)], if *bound > 0 { 18 } else { 0 }),
                };
                let mut sum = Linear::default();
                for (variable, factor) in terms {
                    sum = sum.plus(&Linear::variable(*variable), *factor).expect("it is small");
                }
                self.context.formulas.at_most(&self.context.numbers, &sum, near + bound)
            }
            Recipe::In(text, kind, word) => {
                let word: Arc<str> = Arc::from(WORDS[*word]);
                let language = match kind {
                    0 => Lang::Exactly(word),
                    1 => Lang::StartsWith(word),
                    2 => Lang::EndsWith(word),
                    3 => Lang::Contains(word),
                    4 => Lang::Before(word),
                    _ => Lang::AtLeast(Measure::Characters, word.len() as i64),
                };
                let language = self.context.texts.language(language);
                self.context.formulas.atom(Atom::In(self.texts[*text], language))
            }
            Recipe::Same => self.context.formulas.atom(Atom::Same(self.texts[0], self.texts[1])),
            Recipe::Before(forth) => {
                let (one, other) = if *forth { (0, 1) } else { (1, 0) };
                self.context.formulas.atom(Atom::Before(self.texts[one], self.texts[other]))
            }
            Recipe::Not(inner) => !self.build(inner),
            Recipe::All(parts) => {
                let parts: Vec<F> = parts.iter().map(|part| self.build(part)).collect();
                self.context.formulas.and(parts)
            }
            Recipe::Any(parts) => {
                let parts: Vec<F> = parts.iter().map(|part| self.build(part)).collect();
                self.context.formulas.or(parts)
            }
        }
    }

    /// Whether any of all possible worlds makes the formulas true.
    fn is_possible(&mut self, formulas: &[F]) -> bool {
        if self.models.is_empty() {
            self.models = self.all_models();
        }
        let truths: Vec<Vec<bool>> = formulas.iter().map(|formula| self.truths(*formula)).collect();
        (0..self.models.len()).any(|world| truths.iter().all(|truths| truths[world]))
    }

    /// Whether a formula is true, in each of all possible worlds.
    fn truths(&mut self, formula: F) -> Vec<bool> {
        let truths = match self.truths.get(&formula.node()) {
            Some(known) => known.clone(),
            None => {
                let truths = match self.context.formulas.node(formula).clone() {
                    Node::True => vec![true; self.models.len()],
                    Node::Atom(atom) => {
                        self.models.iter().map(|model| model.atom_holds(&self.context, &atom)).collect()
                    }
                    Node::And(parts) => {
                        let parts: Vec<Vec<bool>> = parts.iter().map(|part| self.truths(*part)).collect();
                        (0..self.models.len()).map(|world| parts.iter().all(|part| part[world])).collect()
                    }
                };
                self.truths.insert(formula.node(), truths.clone());
                truths
            }
        };
        truths.into_iter().map(|truth| truth != formula.is_negated()).collect()
    }

    fn all_models(&self) -> Vec<Model> {
        let worlds = (0..4_u32)
            .flat_map(|free| (-1..=1_i128).map(move |x| (free, x)))
            .flat_map(|(free, x)| (-1..=1_i128).map(move |y| (free, x, y)))
            .flat_map(|(free, x, y)| (NEW_YEAR - 1..=NEW_YEAR + 1).map(move |instant| (free, x, y, instant)));
        let words: Vec<Arc<str>> = WORDS.iter().map(|word| Arc::from(*word)).collect();
        let pairs = words.iter().flat_map(|one| words.iter().map(move |other| (one, other)));
        let all = worlds.flat_map(|world| pairs.clone().map(move |pair| (world, pair)));
        all.map(|((free, x, y, instant), (t, u))| {
            let mut model = Model::default();
            model.free.extend((0..2).filter(|bit| free >> bit & 1 == 1));
            model.numbers.extend([(self.numbers[0], x), (self.numbers[1], y), (self.instant, instant)]);
            model.words.extend([(self.texts[0], t.clone()), (self.texts[1], u.clone())]);
            model
        })
        .collect()
    }
}

/// The same cases each time, unless `PDL_SEED` says which others and `PDL_CASES` how many.
fn config() -> ProptestConfig {
    let number = |name: &str, known: u64| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(known);
    let cases = u32::try_from(number("PDL_CASES", 100)).expect("these are not too many");
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(number("PDL_SEED", 3)), ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn what_is_decided_is_so(
        asserted in prop::collection::vec(recipes(), 0..=2),
        questions in prop::collection::vec(prop::collection::vec(recipes(), 0..=4), 1..=3),
    ) {
        let mut world = World::new();
        let (mut solver, mut again) = (Solver::new(), Solver::new());
        let mut always = world.axioms.clone();
        always.extend(asserted.iter().map(|recipe| world.build(recipe)));
        for formula in &always {
            solver.assert(*formula);
            again.assert(*formula);
        }
        for question in &questions {
            let assumptions: Vec<F> = question.iter().map(|recipe| world.build(recipe)).collect();
            let mut same = world.context.clone();
            let (mut budget, mut same_budget) = (ample(), ample());
            let outcome = solver.check(&mut world.context, &assumptions, &mut budget);
            prop_assert_eq!(&outcome, &again.check(&mut same, &assumptions, &mut same_budget));
            prop_assert_eq!(budget, same_budget);
            match outcome {
                Outcome::Sat(model) => {
                    for formula in always.iter().chain(&assumptions) {
                        prop_assert!(model.holds(&world.context, *formula));
                    }
                    prop_assert!(WORDS.contains(&&*model.word(&world.context, world.texts[0])));
                    let all: Vec<F> = always.iter().chain(&assumptions).copied().collect();
                    prop_assert!(world.is_possible(&all));
                }
                Outcome::Unsat(core) => {
                    prop_assert!(core.iter().all(|literal| assumptions.contains(literal)));
                    let all: Vec<F> = always.iter().chain(&core).copied().collect();
                    prop_assert!(!world.is_possible(&all));
                }
                Outcome::Undecided(reason) => prop_assert!(false, "{}", reason),
            }
        }
    }

    #[test]
    fn too_small_a_budget_decides_nothing_wrongly(question in prop::collection::vec(recipes(), 1..=4), steps in 0..200_u64) {
        let mut world = World::new();
        let mut solver = Solver::new();
        for formula in &world.axioms {
            solver.assert(*formula);
        }
        let assumptions: Vec<F> = question.iter().map(|recipe| world.build(recipe)).collect();
        prop_assert_eq!(
            solver.check(&mut world.context, &assumptions, &mut Budget::new(0)),
            Outcome::Undecided(Reason::Steps)
        );
        let all: Vec<F> = world.axioms.iter().chain(&assumptions).copied().collect();
        match solver.check(&mut world.context, &assumptions, &mut Budget::new(steps)) {
            Outcome::Sat(model) => prop_assert!(all.iter().all(|formula| model.holds(&world.context, *formula))),
            Outcome::Unsat(_) => prop_assert!(!world.is_possible(&all)),
            Outcome::Undecided(_) => {}
        }
        // The solver is none the worse for it.
        match solver.check(&mut world.context, &assumptions, &mut ample()) {
            Outcome::Sat(_) => prop_assert!(world.is_possible(&all)),
            Outcome::Unsat(_) => prop_assert!(!world.is_possible(&all)),
            Outcome::Undecided(reason) => prop_assert!(false, "{}", reason),
        }
    }

    #[test]
    fn less_of_a_cube_still_implies(cube in prop::collection::vec(recipes(), 0..=5), goal in recipes()) {
        let mut world = World::new();
        let mut solver = Solver::new();
        for formula in &world.axioms {
            solver.assert(*formula);
        }
        let cube: Vec<F> = cube.iter().map(|recipe| world.build(recipe)).collect();
        let goal = world.build(&goal);
        let implies = |world: &mut World, part: &[F]| {
            let all: Vec<F> = world.axioms.iter().chain(part).copied().chain([!goal]).collect();
            !world.is_possible(&all)
        };
        let least = solver.generalise(&mut world.context, &cube, goal, &mut ample());
        if implies(&mut world, &cube) {
            prop_assert!(implies(&mut world, &least));
            for literal in &least {
                let without: Vec<F> = least.iter().copied().filter(|other| other != literal).collect();
                prop_assert!(!implies(&mut world, &without));
            }
        } else {
            prop_assert_eq!(least, cube);
        }
    }
}

/// Random questions, asked of this solver and of others.
#[cfg(feature = "smt")]
mod oracle {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::analysis::smt::{self, Answer, Program};

    fn agrees(program: Program) {
        smt::check(program, 1, &Context::default(), &[]).expect_installed();
        let questions = prop::collection::vec(recipes(), 1..=4);
        let (mut runner, config) = (TestRunner::new(config()), config());
        let (mut sat, mut unsat, mut unknown) = (0, 0, 0);
        for _ in 0..config.cases {
            let question = questions.new_tree(&mut runner).expect("there are questions").current();
            let mut world = World::new();
            let mut all = world.axioms.clone();
            all.extend(question.iter().map(|recipe| world.build(recipe)));
            let own = Solver::new().check(&mut world.context, &all, &mut ample());
            match (own, smt::check(program, 1, &world.context, &all)) {
                (Outcome::Sat(_), Answer::Sat(_)) => sat += 1,
                (Outcome::Unsat(_), Answer::Unsat) => unsat += 1,
                (_, Answer::Unknown(_)) => unknown += 1,
                (own, other) => panic!("{own:?}, but {program}: {other:?}, of {question:?}"),
            }
        }
        println!("{program}: {sat} satisfiable, {unsat} not, {unknown} unknown");
        assert!(unknown * 10 <= config.cases, "{program} knows too little: {unknown}");
        assert!(sat.min(unsat) * 10 >= config.cases, "the questions are all of a kind: {sat}, {unsat}");
    }

    #[test]
    fn z3_agrees() {
        agrees(Program::Z3);
    }

    #[test]
    fn cvc5_agrees() {
        agrees(Program::Cvc5);
    }
}

fn at_most(context: &mut Context, variable: NumVar, bound: i128) -> F {
    context.formulas.at_most(&context.numbers, &Linear::variable(variable), bound)
}

fn equals(context: &mut Context, variable: NumVar, value: i128) -> F {
    context.formulas.equals(&context.numbers, &Linear::variable(variable), value)
}

fn model(outcome: Outcome) -> Model {
    match outcome {
        Outcome::Sat(model) => model,
        other => panic!("there is a model: {other:?}"),
    }
}

#[test]
fn preferences_are_met_in_order() {
    let mut context = Context::default();
    let [a, b, c] = [(); 3].map(|()| context.formulas.free());
    let x = context.numbers.variable(-100, 100);
    let large = !at_most(&mut context, x, 50);
    let small = at_most(&mut context, x, 10);
    let mut solver = Solver::new();
    solver.assert(context.formulas.or([!a, !b]));
    solver.assert(context.formulas.implies(c, large));
    let found = model(solver.smallest(&mut context, &[c], &[small, b, a, !c], &mut ample()));
    assert_eq!([a, b, c].map(|formula| found.holds(&context, formula)), [false, true, true]);
    assert_eq!(found.number(&context, x), 51);
    let found = model(solver.smallest(&mut context, &[], &[small, a, b, c], &mut ample()));
    assert_eq!([a, b, c].map(|formula| found.holds(&context, formula)), [true, false, false]);
    assert_eq!(found.number(&context, x), 0);
    assert_eq!(solver.smallest(&mut context, &[a, b], &[c], &mut ample()), Outcome::Unsat(vec![a, b]));
}

#[test]
fn instants_have_years_months_and_days() {
    let mut context = Context::default();
    let (first, last) = (-62_167_219_200_000, 253_402_300_799_999);
    let instant = context.numbers.variable(first, last);
    let year = context.numbers.function(Source::Year(instant), 0, 9_999);
    let month = context.numbers.function(Source::Month(instant), 1, 12);
    let day = context.numbers.function(Source::Day(instant), 1, 31);
    let on = |context: &mut Context, date: [i128; 3]| {
        let parts = [equals(context, year, date[0]), equals(context, month, date[1]), equals(context, day, date[2])];
        context.formulas.and(parts)
    };
    let mut solver = Solver::new();
    let leap_day = on(&mut context, [2024, 2, 29]);
    let found = model(solver.check(&mut context, &[leap_day], &mut ample()));
    assert_eq!(found.number(&context, instant), 1_709_164_800_000);
    let none = on(&mut context, [2023, 2, 29]);
    assert_eq!(solver.check(&mut context, &[none], &mut ample()), Outcome::Unsat(vec![none]));
    // What two instants have to do with each other.
    let other = context.numbers.variable(first, last);
    let other_year = context.numbers.function(Source::Year(other), 0, 9_999);
    let years = Linear::variable(other_year).plus(&Linear::variable(year), -1).expect("it is small");
    let later = context.formulas.equals(&context.numbers, &years, 30);
    let early = at_most(&mut context, year, 1_800);
    let found = model(solver.check(&mut context, &[later, early], &mut ample()));
    assert_eq!(found.number(&context, other_year) - found.number(&context, year), 30);
    let close = Linear::variable(other).plus(&Linear::variable(instant), -1).expect("it is small");
    let close = context.formulas.at_most(&context.numbers, &close, 1_000_000_000_000);
    let found = model(solver.check(&mut context, &[later, close, early], &mut ample()));
    assert!(found.holds(&context, close) && found.holds(&context, later));
}

/// A policy of a thousand rules, each with a beginning of one text, a constant of another, and a number.
#[test]
fn a_thousand_rules_are_not_many() {
    let mut context = Context::default();
    let [path, role] = [(); 2].map(|()| context.texts.variable(Domain::Any(4_096)));
    let amount = context.numbers.variable(0, 1 << 40);
    let lies_in = |context: &mut Context, text: TextVar, language: Lang| {
        let language = context.texts.language(language);
        context.formulas.atom(Atom::In(text, language))
    };
    let rule = |context: &mut Context, at: usize, limit: i128| {
        let begins = lies_in(context, path, Lang::StartsWith(format!("/area{at}/").into()));
        let is = lies_in(context, role, Lang::Exactly(format!("role{}", at % 50).into()));
        let below = at_most(context, amount, limit);
        context.formulas.and([begins, is, below])
    };
    let rules: Vec<F> = (0..1_000).map(|at| rule(&mut context, at, at as i128 * 10)).collect();
    let before = context.formulas.or(rules.iter().copied());
    let mut changed = rules.clone();
    changed[777] = rule(&mut context, 777, 7_775);
    let after = context.formulas.or(changed);
    let mut solver = Solver::new();
    let steps = |solver: &mut Solver, context: &mut Context, assumptions: &[F]| {
        let mut budget = ample();
        let outcome = solver.check(context, assumptions, &mut budget);
        (outcome, AMPLE - budget.steps_left)
    };
    let (outcome, taken) = steps(&mut solver, &mut context, &[after, !before]);
    let found = model(outcome);
    assert!(taken < 200_000, "{taken}");
    assert!(found.word(&context, path).starts_with("/area777/"));
    assert_eq!(&*found.word(&context, role), "role27");
    assert_eq!(found.number(&context, amount), 7_771);
    let (outcome, taken) = steps(&mut solver, &mut context, &[before, !after]);
    assert_eq!(outcome, Outcome::Unsat(vec![before, !after]));
    assert!(taken < 200_000, "{taken}");
}
