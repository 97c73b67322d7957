//! The versions of the registry, one after the other: each is made of the one before it, where that was made last, and else
//! of the last one that is kept whole. So a walk through all of them costs a patch for each, however many there are, and
//! only a few are held at once.

use std::collections::VecDeque;
use std::sync::Arc;

use super::rounds::Reads;
use super::{Gap, Lost};
use crate::base::hash::Digest;
use crate::base::limits::SNAPSHOT_EVERY;
use crate::bytecode::bundle::LoadOptions;
use crate::kernel::engine::Active;
use crate::kernel::error::KernelError;
use crate::kernel::govern;
use crate::kernel::registry::{self, Step};
use crate::kernel::store::{StoreError, Tx};
use crate::kernel::writer::WriteError;
use crate::vm::machine::Machine;

/// How many versions are held beside those that decide just now: decisions and changes that were under way together stand
/// in the log a little out of order.
const HELD: usize = 3;
/// How many bundles are held.
const MACHINES_HELD: usize = 8;

/// A version that is ready to decide.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) active: Arc<Active>,
    /// The bundle that it belongs to.
    bundle: Digest,
    /// The digest that its entities had when it was stored. It is held against them by whoever decides with it; as entities
    /// of another policy they have another one.
    pub(super) digest: Option<Digest>,
}

/// What makes the versions that entries name.
#[derive(Debug)]
pub(super) struct Versions<'k, R> {
    reads: &'k R,
    /// What decides in place of the bundles that versions belong to.
    instead: Option<Arc<Machine>>,
    machines: VecDeque<(Digest, Arc<Machine>)>,
    held: VecDeque<Version>,
    /// The operators that were made last.
    operators: Option<Version>,
}

/// What a version is made of.
#[derive(Debug)]
pub(super) struct Parts {
    bundle: Digest,
    digest: Digest,
    base: Base,
    /// From the first to the last.
    patches: Vec<Vec<u8>>,
}

#[derive(Debug)]
enum Base {
    Snapshot(Vec<u8>),
    Version(u64),
    /// Something of it is not there: it is one of the documents that were given, or none.
    Given,
}

/// Where it is found what versions are made of.
pub(super) trait Source {
    /// What is said of a version.
    fn step(&mut self, version: u64) -> Result<Option<Step>, KernelError>;

    /// A document or a patch.
    fn content(&mut self, digest: Digest) -> Result<Option<Vec<u8>>, KernelError>;
}

impl Source for &mut dyn Tx {
    fn step(&mut self, version: u64) -> Result<Option<Step>, KernelError> {
        registry::step(*self, version)
    }

    fn content(&mut self, digest: Digest) -> Result<Option<Vec<u8>>, KernelError> {
        Ok(Tx::content(*self, digest)?)
    }
}

impl<'k, R: Reads> Versions<'k, R> {
    /// The versions of a log, with another policy where one is given.
    pub(super) fn new(reads: &'k R, instead: Option<Arc<Machine>>) -> Versions<'k, R> {
        Versions { reads, instead, machines: VecDeque::new(), held: VecDeque::new(), operators: None }
    }

    /// Where they are read.
    pub(super) fn reads(&self) -> &'k R {
        self.reads
    }

    /// A version, or why there is none. An error is one of the store as a whole.
    pub(super) fn at(&mut self, version: u64) -> Result<Result<Version, Lost>, KernelError> {
        match self.made(version) {
            Ok(made) => Ok(Ok(made)),
            Err(fault) => match gap(&fault) {
                Some(gap) => Ok(Err(Lost { gap, why: fault.to_string() })),
                None => Err(fault),
            },
        }
    }

    /// The policy of the kernel itself with a version of its operators, or why there is none.
    pub(super) fn governing(&mut self, bundle: Digest, version: u64) -> Result<Result<Version, Lost>, KernelError> {
        match self.governed(bundle, version) {
            Ok(made) => Ok(Ok(made)),
            Err(fault) => match gap(&fault) {
                Some(gap) => Ok(Err(Lost { gap, why: fault.to_string() })),
                None => Err(fault),
            },
        }
    }

    fn governed(&mut self, bundle: Digest, version: u64) -> Result<Version, KernelError> {
        let held = self.operators.as_ref().filter(|held| held.bundle == bundle && held.active.registry == version);
        if let Some(held) = held {
            return Ok(held.clone());
        }
        let machine = self.machine(bundle)?;
        let stored = self.reads.operators(version)?;
        let (digest, active) = match stored {
            Some((digest, document)) => (digest, govern::entities(&machine, &document, version)?),
            // Before anybody was appointed there was nobody.
            None if version == 0 => {
                let active = govern::entities(&machine, b"[]", 0)?;
                (active.registry_digest(), active)
            }
            None => return Err(KernelError::UnknownVersion),
        };
        let made = Version { active: Arc::new(active), bundle, digest: Some(digest) };
        self.operators = Some(made.clone());
        Ok(made)
    }

    fn held(&self, version: u64) -> Option<&Version> {
        self.held.iter().find(|held| held.active.registry == version)
    }

    fn made(&mut self, version: u64) -> Result<Version, KernelError> {
        if let Some(held) = self.held(version) {
            return Ok(held.clone());
        }
        let have: Vec<u64> = self.held.iter().map(|held| held.active.registry).collect();
        let parts = self.reads.parts(version, &have)?;
        let machine = match &self.instead {
            Some(machine) => Arc::clone(machine),
            None => self.machine(parts.bundle)?,
        };
        let damaged = || registry::damaged(version);
        let mut patches = parts.patches.into_iter();
        let mut store = match parts.base {
            Base::Snapshot(document) => registry::load(&machine, &document)?,
            Base::Version(before) => {
                let before = self.held(before).filter(|before| before.bundle == parts.bundle);
                let patch = patches.next().ok_or_else(damaged)?;
                registry::patch(&machine, &before.ok_or_else(damaged)?.active.store, &patch)?
            }
            Base::Given => {
                let own = self.machine(parts.bundle)?;
                let reads = self.reads;
                let is_it = |document: &&Vec<u8>| {
                    registry::load(&own, document).is_ok_and(|store| store.digest(own.image()) == parts.digest)
                };
                registry::load(&machine, reads.given().iter().find(is_it).ok_or_else(damaged)?)?
            }
        };
        for patch in patches {
            store = registry::patch(&machine, &store, &patch)?;
        }
        let digest = Some(parts.digest).filter(|_| self.instead.is_none());
        let active = Arc::new(registry::active(machine, store, version));
        let made = Version { active, bundle: parts.bundle, digest };
        if self.held.len() >= HELD {
            self.held.pop_front();
        }
        self.held.push_back(made.clone());
        Ok(made)
    }

    fn machine(&mut self, name: Digest) -> Result<Arc<Machine>, KernelError> {
        if let Some((_, machine)) = self.machines.iter().find(|(other, _)| *other == name) {
            return Ok(Arc::clone(machine));
        }
        let bytes = self.reads.bundle(name)?;
        // Its signatures are not asked for again: it decided then.
        let machine = Machine::load(&bytes.ok_or(KernelError::UnknownBundle(name))?, &LoadOptions::UNSIGNED)?;
        if machine.origin().map(|origin| origin.name) != Some(name) {
            return Err(KernelError::UnknownBundle(name));
        }
        let machine = Arc::new(machine);
        if self.machines.len() >= MACHINES_HELD {
            self.machines.pop_front();
        }
        self.machines.push_back((name, Arc::clone(&machine)));
        Ok(machine)
    }
}

/// What it means for a version that something failed; `None` if it is not about this version.
fn gap(fault: &KernelError) -> Option<Gap> {
    match fault {
        KernelError::UnknownBundle(_) | KernelError::Bundle(_) => Some(Gap::Bundle),
        KernelError::UnknownVersion | KernelError::Damaged(_) | KernelError::Entities(_) => Some(Gap::Version),
        KernelError::Write(WriteError::Store(StoreError::Corrupt(_))) => Some(Gap::Version),
        _ => None,
    }
}

/// What a version is made of, from one that is there already or from the last one that is kept whole.
pub(super) fn parts(source: &mut impl Source, version: u64, have: &[u64]) -> Result<Parts, KernelError> {
    let damaged = || registry::damaged(version);
    let last = source.step(version)?.ok_or(KernelError::UnknownVersion)?;
    let (bundle, digest) = (last.bundle, last.digest);
    let (mut at, mut step, mut patches) = (version, last, Vec::new());
    let given = Parts { bundle, digest, base: Base::Given, patches: Vec::new() };
    let base = loop {
        if let Some(snapshot) = step.snapshot {
            let Some(snapshot) = source.content(snapshot)? else { return Ok(given) };
            break Base::Snapshot(snapshot);
        }
        if patches.len() as u64 > SNAPSHOT_EVERY {
            return Err(damaged());
        }
        let Some(patch) = source.content(step.patch.ok_or_else(damaged)?)? else { return Ok(given) };
        patches.push(patch);
        at = at.checked_sub(1).ok_or_else(damaged)?;
        if have.contains(&at) {
            break Base::Version(at);
        }
        let Some(before) = source.step(at)? else { return Ok(given) };
        step = before;
        if step.bundle != bundle {
            return Err(damaged());
        }
    };
    patches.reverse();
    Ok(Parts { bundle, digest, base, patches })
}
