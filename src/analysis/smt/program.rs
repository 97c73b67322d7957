//! How a program is started: with limits that it does not set itself.

use std::fmt;

use super::Program;

/// How many kibibytes of memory it may take.
const KIBIBYTES_MAX: u32 = 4 << 20;
/// How many steps one search may take for a second of it, by the count of each program: the same on each machine.
const STEPS_Z3: u32 = 1_000_000;
const STEPS_CVC5: u32 = 400_000;
/// How much longer than it should a question may take before the system ends it.
const PATIENCE: u32 = 2;

impl Program {
    fn arguments(self, seconds: u32) -> Vec<String> {
        match self {
            Program::Z3 => {
                vec![
                    "-smt2".into(),
                    "-in".into(),
                    format!("rlimit={}", STEPS_Z3.saturating_mul(seconds)),
                    format!("-T:{}", seconds.saturating_mul(8 * PATIENCE)),
                ]
            }
            Program::Cvc5 => vec![
                "--quiet".into(),
                "--lang=smt2".into(),
                "--incremental".into(),
                "--strings-exp".into(),
                format!("--rlimit-per={}", STEPS_CVC5.saturating_mul(seconds)),
                format!("--tlimit={}", seconds.saturating_mul(8_000 * PATIENCE)),
            ],
        }
    }
}

/// Starts a program, for a question that may take about so many seconds. It ends when what is given back does.
pub(super) fn start(program: Program, seconds: u32) -> Result<easy_smt::Context, String> {
    let mut builder = easy_smt::ContextBuilder::new();
    if cfg!(unix) {
        let limit = seconds.saturating_mul(PATIENCE);
        // The shell becomes the program, so that to end the one is to end the other. What it complains of is for nobody.
        let limits = format!("ulimit -t {limit}; ulimit -v {KIBIBYTES_MAX}; exec \"$0\" \"$@\" 2>/dev/null");
        let arguments =
            ["-c".to_owned(), limits, program.name().to_owned()].into_iter().chain(program.arguments(seconds));
        builder.solver("/bin/sh").solver_args(arguments);
    } else {
        builder.solver(program.name()).solver_args(program.arguments(seconds));
    }
    let cannot = |fault: &dyn fmt::Display| format!("{program} can't be asked: {fault}; is it installed?");
    let mut context = builder.build().map_err(|fault| cannot(&fault))?;
    context.set_logic("ALL").map_err(|fault| cannot(&fault))?;
    Ok(context)
}
