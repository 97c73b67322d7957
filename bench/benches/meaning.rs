//! What it costs to say what a change means, and to prove what is claimed; beside parsing and checking the same sources.

use std::fmt::Write as _;

use pdl::analysis::diff::{self, Told, diff};
use pdl::analysis::request::Request;
use pdl::analysis::verify::{self, Forgetful, Witness, verify};
use pdl::types::typed::{Answer, TypedPolicy};
use pdl_bench::{check, machine, measure_long};

/// Believes what is computed: what the machine costs is measured elsewhere.
struct Believing;

impl diff::Decide for Believing {
    fn decide(&mut self, _: usize, _: &Request) -> Told {
        Told {
            answer: Answer::Deny,
            kind: String::new(),
            rules: Vec::new(),
            decision: String::new(),
            gates: String::new(),
            obligations: String::new(),
        }
    }
}

impl Witness for Believing {
    fn refutes(&mut self, _: usize, _: usize, _: &Request) -> bool {
        true
    }
}

/// Rules of four kinds over some actions; of the changed version one limit is another.
fn package(rules: usize, actions: usize, is_changed: bool) -> Vec<(String, String)> {
    let mut text = "module big\n\nentity Team in Team\n\
        entity Agent in Team { level: Int in 0..=100, tags: Set<String> }\n\
        presented entity Doc { owner: String, path: Path, size: Int in 0..=1000000 }\n"
        .to_owned();
    let per = rules / actions;
    for action in 0..actions {
        let _ = writeln!(
            text,
            "action act{action} {{ subject: Agent resource: Doc context {{ cost: Decimal, note: String }} }}"
        );
        let _ = writeln!(text, "policy p{action} on act{action} {{");
        for place in 0..per {
            let key = ((action * per + place) * 7_919) % 97;
            let is_other = is_changed && action == actions / 2 && place == 3;
            let limit = 10 + place + usize::from(is_other);
            let condition = match place % 4 {
                0 => format!("subject.level >= {} and context.note starts_with \"n{key}-{place}/\"", limit % 100),
                1 => format!("context.cost > {limit}.5 and subject in Team::\"t{key}\""),
                2 => format!("resource.size <= {} and subject.tags contains \"x{key}\"", limit * 100),
                _ => format!("resource.path in path\"/srv/d{key}\" and context.cost <= {limit}.0"),
            };
            let effect = if place % 3 == 0 { "deny" } else { "allow" };
            let _ = writeln!(text, "    {effect} r{action}_{place} when {condition}");
        }
        text.push_str("}\n");
    }
    vec![("big.pdl".to_owned(), text)]
}

fn of(old: &TypedPolicy, new: &TypedPolicy) -> usize {
    let found = diff(old, new, diff::Options::default(), &mut Believing);
    found.changes.len() + found.undecided.len()
}

fn main() {
    machine();
    for rules in [100, 1_000, 10_000] {
        let (old, new) = (package(rules, 50, false), package(rules, 50, true));
        let samples = if rules > 1_000 { 3 } else { 9 };
        let checked = measure_long(samples, || {
            std::hint::black_box((check(&old), check(&new)));
        });
        let (before, after) = (check(&old), check(&new));
        let found = of(&before, &after);
        let compared = measure_long(samples, || {
            std::hint::black_box(of(&before, &after));
        });
        println!("{rules} rules over 50 actions, one changed: {found} answers looked at");
        println!("  parse and check both versions   {}", checked.show());
        println!("  say what the change means       {}", compared.show());
        let proved = measure_long(samples.min(3), || {
            let options = verify::Options { everything: true, ..verify::Options::default() };
            std::hint::black_box(verify(&before, options, &mut Believing, &mut Forgetful));
        });
        println!("  verify all rules                {}", proved.show());
    }
}
