//! How things are measured here: samples of CPU time, their median and spread, and the machine that gave them.

pub mod generate;
pub mod registry;

use cpu_time::ThreadTime;

use pdl::base::span::SourceMap;
use pdl::bytecode::bundle::Contents;
use pdl::bytecode::program::Program;
use pdl::bytecode::verify::{Limits, VerifiedProgram, verify};
use pdl::diagnostic::Diagnostics;
use pdl::syntax::parse;
use pdl::types::package::{self, LoadedModule, Package};
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

/// What a sample takes at the least, in nanoseconds.
const SAMPLE_MIN: f64 = 1e8;

/// Runs an operation so often that a sample is long enough to be measured; see [`measure`].
pub fn measure_long(samples: usize, mut operation: impl FnMut()) -> Samples {
    let mut batch = 1;
    loop {
        let once = measure(1, batch, |_| operation()).median() * batch as f64;
        if once >= SAMPLE_MIN {
            return measure(samples, batch, |_| operation());
        }
        batch *= 4;
    }
}

/// Runs an operation `batch` times a sample, as many samples as asked, after one sample that is thrown away.
pub fn measure(samples: usize, batch: usize, mut operation: impl FnMut(usize)) -> Samples {
    let mut taken = Vec::with_capacity(samples);
    for sample in 0..=samples {
        // What other programs take on a shared machine does not count.
        let start = ThreadTime::now();
        for at in 0..batch {
            operation(at);
        }
        let spent = start.elapsed();
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

/// Parses the files of a package.
#[must_use]
pub fn parse(files: &[(String, String)], sink: &mut Diagnostics) -> Package {
    let mut sources = SourceMap::default();
    let mut modules = Vec::new();
    for (name, text) in files {
        let file = parse::parse_bytes(&mut sources, name.clone(), text.as_bytes(), sink);
        let header = file.module.as_ref().map_or("", |header| sources.text(header.path.span));
        modules.push(LoadedModule { name: header.into(), own: true, file });
    }
    package::assemble("bench", "0.0.0", sources, modules, sink)
}

/// Parses and checks a package.
///
/// # Panics
/// Where it has faults: they are shown.
#[must_use]
pub fn check(files: &[(String, String)]) -> TypedPolicy {
    let mut sink = Diagnostics::default();
    let package = parse(files, &mut sink);
    let typed = pdl::types::check(&package, &mut sink);
    let faults = sink.finish();
    typed.unwrap_or_else(|| panic!("{}", pdl::diagnostic::compact::render(&package.sources, &faults)))
}

/// Checks, compiles and verifies a package.
///
/// # Panics
/// Where it has faults.
#[must_use]
pub fn compile(files: &[(String, String)]) -> VerifiedProgram {
    let compiled = pdl::compile::compile(&check(files), &mut Diagnostics::default()).expect("it fits");
    verify(compiled.program, &Limits::STANDARD).expect("it verifies")
}

/// What goes into a bundle for a program, without sources.
#[must_use]
pub fn contents(program: &Program) -> Contents<'_> {
    Contents {
        package: "bench",
        version: "0.0.0",
        edition: "2026",
        compiler: "bench",
        program,
        source_map: None,
        sources: None,
    }
}
