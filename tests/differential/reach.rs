//! What a run has met, so that a generator that no longer reaches something is noticed.

use std::collections::BTreeMap;
use std::fmt;

use pdl::bytecode::op::Op;

use crate::generate::mutations;
use crate::reference::decide::Kind;
use crate::reference::value::FaultKind;

/// Counts.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    pub packages: usize,
    /// Pieces that the checker refused and that were taken out.
    pub dropped: usize,
    /// Packages that have the instruction.
    pub written: BTreeMap<&'static str, u64>,
    /// Decisions in which the instruction ran.
    pub ran: BTreeMap<&'static str, u64>,
    /// Decisions of sound requests, by kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// What decisions come to that require approval, once all have agreed.
    pub approved: BTreeMap<Kind, u64>,
    /// Errors of evaluation, of decisions and of shadow rules.
    pub faults: BTreeMap<FaultKind, u64>,
    /// Faulty requests, by kind of error.
    pub inputs: BTreeMap<&'static str, u64>,
}

/// The errors that programs can have. An absent value that is needed, an attribute of an entity that nobody registered
/// and a quorum below one the checker rules out.
const FAULTS: &[FaultKind] = &[FaultKind::Overflow, FaultKind::Inexact, FaultKind::TooManyElements];

macro_rules! mnemonics {
    ($($code:literal $variant:ident $mnemonic:literal
       ($($operand:ident : $role:ident $($ty:ident)?),*) $cost:ident $fails:ident $doc:literal;)*) => {
        /// The mnemonics of all instructions.
        pub const MNEMONICS: &[&str] = &[$($mnemonic),*];

        /// The mnemonic of an instruction.
        pub fn mnemonic(op: Op) -> &'static str {
            match op {
                $(Op::$variant { .. } => $mnemonic,)*
            }
        }
    };
}

pdl::for_each_op!(mnemonics);

impl Reach {
    pub fn decisions(&self) -> u64 {
        self.kinds.values().sum()
    }

    /// Fails where something is rarer than one in a thousand of what it is one of.
    pub fn check(&self) {
        let mut rare = Vec::new();
        let mut ask = |what: &str, name: &str, count: u64, of: u64| {
            if count == 0 || count * 1000 < of {
                rare.push(format!("{what} {name}: {count} of {of}"));
            }
        };
        for name in MNEMONICS {
            ask("packages with", name, self.written.get(name).copied().unwrap_or(0), self.packages as u64);
            ask("decisions that run", name, self.ran.get(name).copied().unwrap_or(0), self.decisions());
        }
        for kind in Kind::ALL {
            ask("decisions of kind", kind.name(), self.kinds.get(&kind).copied().unwrap_or(0), self.decisions());
        }
        let allowed = self.approved.get(&Kind::Allowed).copied().unwrap_or(0);
        ask("decisions that are", "approved", allowed, self.decisions());
        let faults = self.faults.values().sum();
        for fault in FAULTS {
            ask("errors", fault.name(), self.faults.get(fault).copied().unwrap_or(0), faults);
        }
        let inputs = self.inputs.values().sum();
        for kind in mutations::KINDS {
            ask("faulty requests", kind, self.inputs.get(kind).copied().unwrap_or(0), inputs);
        }
        assert!(rare.is_empty(), "too rare:\n{}", rare.join("\n"));
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} packages, {} pieces taken out, {} decisions", self.packages, self.dropped, self.decisions())?;
        writeln!(f, "kinds {:?}", self.kinds)?;
        writeln!(f, "errors {:?}", self.faults)?;
        writeln!(f, "faulty requests {:?}", self.inputs)?;
        let scarce: Vec<String> = MNEMONICS
            .iter()
            .map(|name| (self.ran.get(name).copied().unwrap_or(0), self.written.get(name).copied().unwrap_or(0), name))
            .filter(|(ran, written, _)| *ran < 20 || *written < 10)
            .map(|(ran, written, name)| format!("{name} {ran}/{written}"))
            .collect();
        writeln!(f, "seldom: {}", scarce.join(", "))
    }
}
