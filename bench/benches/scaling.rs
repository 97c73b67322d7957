//! What a package costs as it grows: parsing, checking, compiling, writing the bundle, loading and verifying it; beside
//! Cedar's parser and validator on as many policies of the same kind.

use std::fmt::Write as _;
use std::str::FromStr as _;

use cedar_policy::{PolicySet, Schema, ValidationMode, Validator};
use pdl::bytecode::bundle::{self, LoadOptions};
use pdl::bytecode::verify::{Limits, verify};
use pdl::compile::compile;
use pdl::diagnostic::Diagnostics;
use pdl_bench::generate::{Numbers, package};
use pdl_bench::{check, contents, machine, measure_long, parse};

fn main() {
    machine();
    for rules in [1_000, 10_000, 100_000] {
        let samples = if rules > 10_000 { 3 } else { 9 };
        pdl(rules, samples);
        if rules <= 10_000 {
            cedar(rules, samples);
        }
        println!();
    }
}

fn pdl(rules: u64, samples: usize) {
    let files = package(rules);
    let size = files.iter().map(|(_, text)| text.len()).sum::<usize>();
    println!("{rules} rules over 100 actions: {} KB of source", size / 1024);
    let parsed = measure_long(samples, || {
        std::hint::black_box(parse(&files, &mut Diagnostics::default()));
    });
    println!("  PDL    parse               {}", parsed.show());
    let checked = measure_long(samples, || {
        std::hint::black_box(check(&files));
    });
    println!("         parse and check     {}", checked.show());
    let typed = check(&files);
    let built = measure_long(samples, || {
        std::hint::black_box(compile(&typed, &mut Diagnostics::default()).expect("it fits"));
    });
    println!("         compile             {}", built.show());
    let compiled = compile(&typed, &mut Diagnostics::default()).expect("it fits");
    let bytes = bundle::write(&contents(&compiled.program)).expect("it can be written");
    let written = measure_long(samples, || {
        std::hint::black_box(bundle::write(&contents(&compiled.program)).expect("it can be written"));
    });
    println!("         write the bundle    {}", written.show());
    let loaded = measure_long(samples, || {
        std::hint::black_box(bundle::read(&bytes, &LoadOptions::UNSIGNED).expect("it can be read"));
    });
    println!("         load and verify     {}   {} KB", loaded.show(), bytes.len() / 1024);
    let verified = measure_long(samples, || {
        std::hint::black_box(verify(compiled.program.clone(), &Limits::STANDARD).expect("it verifies"));
    });
    println!("         verify (and clone)  {}", verified.show());
}

const CEDAR_SCHEMA: &str = "
    entity Agent { level: Long, team: String };
    entity Service { kind: String, environment: String, frozen: Bool };
";

fn cedar(rules: u64, samples: usize) {
    let mut numbers = Numbers(7);
    let mut schema = CEDAR_SCHEMA.to_owned();
    for action in 0..100 {
        let _ = writeln!(
            schema,
            "action act_{action} appliesTo {{ principal: Agent, resource: Service, context: {{ amount: Long, region: String }} }};"
        );
    }
    let mut text = String::new();
    for rule in 0..rules {
        let action = rule % 100;
        let (team, kind, level, amount) =
            (numbers.below(1 + rules / 500), numbers.below(10), numbers.below(8) + 1, numbers.below(900_000) + 1);
        let effect = if numbers.below(4) == 0 { "forbid" } else { "permit" };
        let _ = writeln!(
            text,
            "{effect} (principal, action == Action::\"act_{action}\", resource) when {{ principal.team == \"team-{team}\" && \
             resource.kind == \"kind-{kind}\" && principal.level >= {level} && context.amount < {amount} }};"
        );
    }
    let schema = Schema::from_cedarschema_str(&schema).expect("a schema").0;
    let validator = Validator::new(schema);
    let checked = measure_long(samples, || {
        let policies = PolicySet::from_str(&text).expect("policies");
        assert!(validator.validate(&policies, ValidationMode::Strict).validation_passed());
    });
    println!("  Cedar  parse and validate  {}", checked.show());
}
