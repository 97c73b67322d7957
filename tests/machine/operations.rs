//! Every instruction that computes, with ordinary, edge and error operands: `tests/cases/machine/*.ops`.
//!
//! A line is `mnemonic operands => result`. An operand is a literal (see `harness.rs`), or the plain number that the
//! instruction has; of `make_…` there are as many literals as it takes values. `!7:true` is an error of site 7 of the type of `true`; the
//! instruction's own errors have site 99. ` : literal` before the arrow gives the type of the result where the table
//! does not and it is not that of the first operand.

use std::collections::BTreeSet;
use std::fs;

use pdl::bytecode::info::{OPS, OperandType, Role, by_mnemonic};
use pdl::bytecode::program::{Effect, FunctionId, Index, Rule, Selector, SiteId};
use pdl::bytecode::schema::{Type, TypeId};
use pdl::vm::image::Image;
use pdl::vm::memory::Local;
use pdl::vm::run::{Run, Steps, Work};

use super::harness::{Builder, Literal, Teams, describe, literal};

struct Case {
    place: String,
    mnemonic: String,
    operands: Vec<Operand>,
    ty: Option<Literal>,
    expected: String,
}

enum Operand {
    Literal(Literal),
    Number(u32),
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut files: Vec<_> = fs::read_dir("tests/cases/machine").expect("the cases").flatten().collect();
    files.sort_by_key(|file| file.path());
    for file in files.iter().filter(|file| file.path().extension().is_some_and(|extension| extension == "ops")) {
        let text = fs::read_to_string(file.path()).expect("a case file");
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = format!("{}:{}: {line}", file.path().display(), number + 1);
            cases.push(case(place, line));
        }
    }
    cases
}

fn case(place: String, line: &str) -> Case {
    let (left, expected) = line.split_once("=>").unwrap_or_else(|| panic!("{place}: no arrow"));
    let (left, ty) = match left.rsplit_once(" : ") {
        Some((left, ty)) => (left, Some(literal(ty).0)),
        None => (left, None),
    };
    let (mnemonic, mut rest) = left.trim().split_once(' ').unwrap_or_else(|| panic!("{place}: no operands"));
    let info = by_mnemonic(mnemonic).unwrap_or_else(|| panic!("{place}: no such instruction"));
    let mut operands = Vec::new();
    let mut roles = info.operands.iter().skip(1).map(|operand| operand.role).peekable();
    while !rest.trim().is_empty() {
        let (next, after) = literal(rest);
        rest = after;
        let role = if mnemonic.starts_with("make_") { Some(Role::Input) } else { roles.next() };
        operands.push(match (role, next) {
            (Some(Role::Input | Role::Constant24 | Role::Constant | Role::Pattern), next) => Operand::Literal(next),
            (Some(_), Literal::Int(number)) => Operand::Number(number as u32),
            _ => panic!("{place}: too many operands, or not a number"),
        });
    }
    Case { place, mnemonic: mnemonic.to_owned(), operands, ty, expected: expected.trim().to_owned() }
}

/// A function for each case, in one program.
fn program(cases: &[Case]) -> (Image, Vec<FunctionId>) {
    let literals = cases.iter().flat_map(|case| &case.operands).filter_map(|operand| match operand {
        Operand::Literal(literal) => Some(literal),
        Operand::Number(_) => None,
    });
    let mut builder = Builder::new(literals, &["m.p.r"]);
    let int = builder.type_of(&Literal::Int(0));
    let label = builder.type_of(&Literal::Absent(Box::new(Literal::Text(String::new()))));
    builder.program.selectors =
        vec![Selector { columns: vec![(0, 0)], ty: int }, Selector { columns: vec![(0, 1)], ty: label }];
    builder.program.type_sets = vec![vec![0], vec![1], vec![0, 1]];
    let functions = cases.iter().map(|case| function(&mut builder, case)).collect();
    let bool = builder.ty(Type::Bool);
    let yes = builder.constant(&Literal::Bool(true));
    let condition = builder.function(Some(0), false, &[], bool, &format!("const 0 {}\nreturn 0", yes.0));
    let id = builder.string("m.p.r");
    let entry = &mut builder.program.entries[0];
    entry.index = Index { keys: vec![], rest: vec![0] };
    entry.rules.push(Rule {
        id,
        effect: Effect::Allow,
        shadow: false,
        condition,
        may_fail: false,
        code: None,
        message: vec![],
        gate: None,
        obligations: vec![],
        site: SiteId(0),
    });
    (builder.image(), functions)
}

fn function(builder: &mut Builder, case: &Case) -> FunctionId {
    let info = by_mnemonic(&case.mnemonic).expect("looked up before");
    let greatest = builder.constant(&Literal::Int(i64::MAX)).0;
    let out = case.operands.len() as u32;
    let (number, sum) = (out + 1, out + 2);
    let mut listing = String::new();
    let mut lines = 0;
    let mut emit = |line: String| {
        listing += &line;
        listing += "\n";
        lines += 1;
        lines
    };
    let mut numbers = vec![out];
    let takes_row = case.mnemonic.starts_with("make_");
    for (slot, operand) in case.operands.iter().enumerate() {
        let role = if takes_row { Role::Input } else { info.operands[slot + 1].role };
        match operand {
            Operand::Number(number) => numbers.push(*number),
            Operand::Literal(literal) if role == Role::Pattern => {
                let Literal::Text(text) = literal else { panic!("{}: a pattern is a string", case.place) };
                let pattern = builder.string(text);
                let at = builder.program.patterns.iter().position(|other| *other == pattern).unwrap_or_else(|| {
                    builder.program.patterns.push(pattern);
                    builder.program.patterns.len() - 1
                });
                numbers.push(at as u32);
            }
            Operand::Literal(literal) if role != Role::Input => numbers.push(builder.constant(literal).0),
            Operand::Literal(literal) => {
                let constant = builder.constant(literal).0;
                let at = emit(format!("const {slot} {constant}"));
                if let Literal::Error(site, _) = literal {
                    // An overflow makes the error; `raise` makes it one of any type.
                    emit(format!("const {number} {greatest}"));
                    emit(format!("int_add {sum} {number} {number} @{site}"));
                    emit(format!("jump_error {sum} {}", at + 4));
                    emit(format!("jump {}", at + 5));
                    emit(format!("raise {slot} {sum}"));
                }
                if !takes_row || slot == 0 {
                    numbers.push(slot as u32);
                }
            }
        }
    }
    match case.mnemonic.as_str() {
        "make_set" | "make_list" => numbers.push(out),
        "make_map" => numbers.push(out / 2),
        "make_record" => numbers.push(0),
        _ => {}
    }
    let operands: Vec<String> = numbers.iter().map(u32::to_string).collect();
    emit(format!("{} {} @99", case.mnemonic, operands.join(" ")));
    emit(format!("return {out}"));
    let result = result_type(builder, case, info.operands[0].ty);
    builder.function(None, false, &[], result, &listing)
}

fn result_type(builder: &mut Builder, case: &Case, out: OperandType) -> TypeId {
    // A union may have more elements than either set.
    builder.bound = 4_096;
    let ty = result_type_of(builder, case, out);
    builder.bound = 1_024;
    ty
}

fn result_type_of(builder: &mut Builder, case: &Case, out: OperandType) -> TypeId {
    let optional = |builder: &mut Builder, ty| {
        let inner = builder.ty(ty);
        builder.ty(Type::Optional(inner))
    };
    let int = Type::Int { low: i64::MIN, high: i64::MAX };
    let text = Type::String { bytes_max: 65_536 };
    if let Some(literal) = &case.ty {
        return builder.type_of(literal);
    }
    match out {
        OperandType::Bool => builder.ty(Type::Bool),
        OperandType::Int => builder.ty(int),
        OperandType::Decimal => builder.ty(Type::Decimal),
        OperandType::String => builder.ty(text),
        OperandType::Duration => builder.ty(Type::Duration),
        OperandType::Timestamp => builder.ty(Type::Timestamp),
        OperandType::OptionalInt => optional(builder, int),
        OperandType::OptionalString => optional(builder, text),
        OperandType::OptionalIp => optional(builder, Type::Ip),
        OperandType::OptionalPath => optional(builder, Type::Path),
        _ => match case.operands.first() {
            Some(Operand::Literal(literal)) => builder.type_of(literal),
            _ => panic!("{}: of what type is the result?", case.place),
        },
    }
}

#[test]
fn instructions_give_what_the_cases_say() {
    let cases = cases();
    let (image, functions) = program(&cases);
    let teams = Teams::new(&image);
    let (mut local, mut work) = (Local::default(), Work::default());
    work.begin(&image, 1_024);
    let mut wrong = Vec::new();
    for (case, &function) in cases.iter().zip(&functions) {
        let mut run = Run {
            image: &image,
            entities: &teams,
            inputs: &[],
            local: &mut local,
            work: &mut work,
            meter: Steps::default(),
        };
        let value = run.value(function);
        let shown = describe(&image, run.memory(), value);
        if shown != case.expected {
            wrong.push(format!("{}\n    gives {shown}", case.place));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Instructions that move values or steer are the matter of `flow.rs`.
#[test]
fn every_instruction_that_computes_has_cases() {
    let steering = ["const", "read", "raise", "jump", "switch", "return", "call", "force"];
    let looping = ["jump_true", "jump_false", "jump_error", "jump_absent", "iterate", "next", "element", "loop"];
    let judging = ["graph", "link", "acyclic"];
    let cases = cases();
    let covered: BTreeSet<&str> = cases.iter().map(|case| case.mnemonic.as_str()).collect();
    let missing: Vec<&str> = OPS
        .iter()
        .map(|info| info.mnemonic)
        .filter(|name| {
            !covered.contains(name) && !steering.contains(name) && !looping.contains(name) && !judging.contains(name)
        })
        .collect();
    assert!(missing.is_empty(), "no cases for {missing:?}");
}
