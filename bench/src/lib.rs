//! How things are measured here: samples of CPU time, their median and spread, and the machine that gave them.

pub mod generate;

use std::time::Duration;

use pdl::base::span::SourceMap;
use pdl::bytecode::verify::{Limits, VerifiedProgram, verify};
use pdl::diagnostic::Diagnostics;
use pdl::syntax::parse;
use pdl::types::package::{self, LoadedModule};
use pdl::types::typed::TypedPolicy;

/// What was measured: per operation, sorted.
#[derive(Clone, Debug)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// The median, in nanoseconds.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// A quantile, in nanoseconds.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> f64 {
        let at = (self.0.len() - 1) as f64 * quantile;
        self.0[at.round() as usize]
    }

    /// `median (p10 – p90)` in a unit that suits.
    #[must_use]
    pub fn show(&self) -> String {
        format!("{} ({} – {})", time(self.median()), time(self.quantile(0.1)), time(self.quantile(0.9)))
    }
}

/// Nanoseconds in a unit that suits.
#[must_use]
pub fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        n if n < 1e3 => format!("{n:.0} ns"),
        n if n < 1e6 => format!("{:.2} µs", n / 1e3),
        n if n < 1e9 => format!("{:.2} ms", n / 1e6),
        n => format!("{:.2} s", n / 1e9),
    }
}

/// The time that this thread has been on a CPU: what other programs take on a shared machine does not count.
#[must_use]
pub fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the time on the CPU");
    let nanoseconds = text.split(' ').next().and_then(|number| number.parse().ok()).expect("a number of nanoseconds");
    Duration::from_nanos(nanoseconds)
}

/// Runs an operation `batch` times a sample, as many samples as asked, after one sample that is thrown away.
pub fn measure(samples: usize, batch: usize, mut operation: impl FnMut(usize)) -> Samples {
    let mut taken = Vec::with_capacity(samples);
    for sample in 0..=samples {
        let start = cpu_time();
        for at in 0..batch {
            operation(at);
        }
        let spent = cpu_time() - start;
        if sample > 0 {
            taken.push(spent.as_nanos() as f64 / batch as f64);
        }
    }
    taken.sort_by(f64::total_cmp);
    Samples(taken)
}

/// The line that says on what it was measured.
pub fn machine() {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        model.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("").trim_matches([':', '\t', ' ']);
    println!("machine: {cores} cores, {model}; times are CPU time: median (p10 – p90)\n");
}

/// Parses and checks a policy of one file.
///
/// # Panics
/// Where it has faults: they are shown.
#[must_use]
pub fn check(name: &str, text: &str) -> TypedPolicy {
    let mut sink = Diagnostics::default();
    let mut sources = SourceMap::default();
    let file = parse::parse_bytes(&mut sources, name.to_owned(), text.as_bytes(), &mut sink);
    let module = LoadedModule { name: "bench".into(), own: true, file };
    let package = package::assemble("bench", "0.0.0", sources, vec![module], &mut sink);
    let typed = pdl::types::check::check(&package, &mut sink);
    let faults = sink.finish();
    typed.unwrap_or_else(|| panic!("{}", pdl::diagnostic::compact::render(&package.sources, &faults)))
}

/// Checks, compiles and verifies a policy of one file.
///
/// # Panics
/// Where it has faults.
#[must_use]
pub fn compile(name: &str, text: &str) -> VerifiedProgram {
    let compiled = pdl::compile::compile(&check(name, text), &mut Diagnostics::default()).expect("it fits");
    verify(compiled.program, &Limits::STANDARD).expect("it verifies")
}
