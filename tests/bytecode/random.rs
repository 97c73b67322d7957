//! Whatever bytes, words and texts are thrown at it, this layer answers and never panics.

use std::sync::LazyLock;

use pdl::bytecode::assemble::assemble_suite;
use pdl::bytecode::bundle::{Contents, LoadOptions, read, write};
use pdl::bytecode::disassemble::disassemble;
use pdl::bytecode::info::{OPS, Width};
use pdl::bytecode::op::Op;
use pdl::bytecode::program::{Program, SiteId};
use pdl::bytecode::verify::{Limits, certify, verify};
use pdl::bytecode::wire::{from_bytes, to_bytes};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

use super::suite;

static PROGRAMS: LazyLock<Vec<Program>> =
    LazyLock::new(|| suite("accept.pdlasm").into_iter().map(|case| case.program).collect());

static BUNDLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let bundle = |program: &Program| {
        let contents = Contents {
            package: "acme",
            version: "1",
            edition: "2026",
            compiler: "test",
            program,
            source_map: None,
            sources: None,
        };
        write(&contents).expect("the bundle is small")
    };
    PROGRAMS.iter().map(bundle).collect()
});

/// An instruction whose operands are likely to be in range.
fn instruction() -> impl Strategy<Value = Op> {
    (0..OPS.len(), [0..8_u32, 0..8_u32, 0..24_u32]).prop_map(|(row, numbers)| {
        let info = &OPS[row];
        let fitting = |(operand, number): (&pdl::bytecode::info::OperandInfo, u32)| match operand.role.width() {
            Width::Short => number % 8,
            Width::Medium | Width::Wide => number,
        };
        let numbers: Vec<u32> = info.operands.iter().zip(numbers).map(fitting).collect();
        Op::from_numbers(info.code, &numbers).expect("the operands fit")
    })
}

/// Puts instructions into the last function of a program, and gives those that may fail their sites.
fn with_code(mut program: Program, at: usize, code: &[Op]) -> Program {
    let start = at % program.code.len();
    for (place, op) in program.code[start..].iter_mut().zip(code) {
        *place = *op;
    }
    let failing = (0..).zip(&program.code).filter(|(_, op)| op.info().fails);
    program.fault_sites = failing.map(|(at, _)| (at, SiteId(0))).collect();
    program.site_count = program.site_count.max(1);
    program
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(of in any::<proptest::sample::Index>(), changes in vec((any::<u32>(), any::<u8>()), 1..6)) {
        let mut bytes = BUNDLES[of.index(BUNDLES.len())].clone();
        for (at, byte) in changes {
            let at = at as usize % bytes.len();
            bytes[at] = byte;
        }
        let _ = read(&bytes, &LoadOptions::UNSIGNED);
    }

    #[test]
    fn changed_programs_never_panic(
        of in any::<proptest::sample::Index>(),
        part in 0..4,
        changes in vec((any::<u32>(), any::<u8>()), 1..4),
    ) {
        let mut program = PROGRAMS[of.index(PROGRAMS.len())].clone();
        let change = |bytes: &mut Vec<u8>| {
            for (at, byte) in &changes {
                let at = *at as usize % bytes.len().max(1);
                if let Some(place) = bytes.get_mut(at) {
                    *place = *byte;
                }
            }
        };
        macro_rules! change_part {
            ($($part:tt)*) => {{
                let mut bytes = to_bytes(&program.$($part)*);
                change(&mut bytes);
                if let Ok(changed) = from_bytes(&bytes) {
                    program.$($part)* = changed;
                    prop_assert_eq!(to_bytes(&program.$($part)*), bytes);
                }
            }};
        }
        match part {
            0 => change_part!(schema),
            1 => change_part!(constants),
            2 => change_part!(functions),
            _ => change_part!(code),
        }
        let _ = verify(program, &Limits::STANDARD);
    }

    #[test]
    fn random_instructions_never_panic(
        of in any::<proptest::sample::Index>(),
        at in any::<usize>(),
        code in vec(instruction(), 1..12),
    ) {
        let mut program = with_code(PROGRAMS[of.index(PROGRAMS.len())].clone(), at, &code);
        if certify(&mut program).is_ok() {
            let text = disassemble(&program);
            let verified = verify(program.clone(), &Limits::STANDARD);
            prop_assert_eq!(verified.map(|_| ()), Ok(()));
            let again = assemble_suite(&text).map(|mut cases| cases.pop().map(|case| case.program));
            prop_assert_eq!(again, Ok(Some(program)));
        }
    }

    #[test]
    fn random_words_are_instructions_or_not(word in any::<[u8; 8]>()) {
        if let Some(op) = Op::decode(word) {
            prop_assert_eq!(op.encode(), word);
        }
    }

    #[test]
    fn random_texts_never_panic(text in "[a-z{}()#@:, \n\"0-9-]{0,80}") {
        let _ = assemble_suite(&text);
        let _ = assemble_suite(&format!("enum K {{ a }}\nentity A\naction x subject {{ A }} {{ f: Int }}\nfn f entry x -> Bool {{\n{text}"));
    }
}
