//! A request that the analysis finds for an answer gets that answer; and the encoding says of every request what the
//! machine says.

use pdl::analysis::decision::decide;
use pdl::analysis::question::{Found, Question, kinds};
use pdl::analysis::request::request;
use pdl::types::typed::Answer;

use crate::analysis::house::{House, typed};

const ANSWERS: [Answer; 3] = [Answer::Deny, Answer::RequireApproval, Answer::Allow];

/// Finds a request for each answer of each kind of request and asks the machine. What is found, proved, undecided.
pub fn each_answer(house: &House, steps: u64) -> Result<[usize; 3], String> {
    let mut counts = [0; 3];
    for kind in kinds(&house.policy) {
        let (mut question, decided) = Question::new(&[&house.policy], &kind, steps, |world| decide(world, 0));
        for answer in ANSWERS {
            let goal = decided.answers(&mut question.world, answer);
            let valid = decided.valid;
            match question.find(&[goal, valid]) {
                Found::Some(model) => {
                    let asked = request(&question.world, &model, 0);
                    let (told, decision) = house.ask(&asked);
                    if told != answer && question.world.blurred.is_empty() {
                        return Err(format!(
                            "{kind:?}: {answer:?} was computed, {told:?} answered\n{asked:#?}\n{decision}"
                        ));
                    }
                    counts[usize::from(told != answer) * 2] += 1;
                }
                Found::None(_) => counts[1] += 1,
                Found::Undecided(_) => counts[2] += 1,
            }
        }
    }
    Ok(counts)
}

#[test]
fn a_policy_with_a_bit_of_everything() {
    let house = House::of(include_str!("../../examples/first/policy.pdl"));
    let counts = each_answer(&house, 1_000_000).unwrap_or_else(|fault| panic!("{fault}"));
    assert_eq!(counts[2], 0);
}

#[test]
fn numbers_are_exact() {
    let text = |condition: &str| {
        format!(
            "module m\npresented entity A {{ n: Int, d: Decimal, e: Duration }}\npresented entity B {{}}\n\
             action go {{ subject: A resource: B context {{ t: Timestamp, m: Int in 0..=9 }} }}\n\
             policy p on go {{ allow yes when {condition} }}\n"
        )
    };
    let cases = [
        ("subject.n + context.m == 12 and subject.n * 2 > 20", true),
        ("subject.n * 2 == 7", false),
        ("subject.n / 3 == -2 and subject.n < -7", true),
        ("subject.n / 3 == -2 and subject.n < -8", false),
        ("subject.d * 0.5 == 0.000001", true),
        ("context.t.hour == 23 and context.t.weekday == 7 and context.t.minute == 59", true),
        ("context.t.year == 2024 and context.t.month == 2 and context.t.day == 29", true),
        ("context.t.year < 2024 and context.t > timestamp\"2024-01-01T00:00:00Z\"", false),
        ("abs(subject.n) == 5 and subject.n < 0 and min(subject.n, context.m) == -5", true),
        ("subject.n + 1 < subject.n", false),
    ];
    for (condition, possible) in cases {
        let house = House::of(&text(condition));
        let [kind] = &kinds(&house.policy)[..] else { panic!("one kind") };
        let (mut question, decided) = Question::new(&[&house.policy], kind, 1_000_000_u64, |world| decide(world, 0));
        let goal = decided.answers(&mut question.world, Answer::Allow);
        match question.find(&[goal]) {
            Found::Some(model) => {
                let asked = request(&question.world, &model, 0);
                let (told, decision) = house.ask(&asked);
                assert!(possible && told == Answer::Allow, "{condition}: {asked:#?} {decision}");
            }
            Found::None(_) => assert!(!possible, "{condition} is possible"),
            Found::Undecided(reason) => panic!("{condition}: {reason}"),
        }
    }
    let _ = typed;
}
