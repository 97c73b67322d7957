//! Decisions from bytes: an image, entities and the room to decide in.

use crate::base::hash::Digest;
use crate::vm::decision::{Decision, Digests, ErrorReport};
use crate::vm::decode::names::Plan;
use crate::vm::decode::{Options, Scratch, World, decode};
use crate::vm::digest;
use crate::vm::image::Image;
use crate::vm::input::{Document, Fail};
use crate::vm::memory::Local;
use crate::vm::report::report;
use crate::vm::run::{Run, Unmetered, Work};
use crate::vm::decide::Sets;
use crate::vm::store::Store;

/// Decides requests with one policy and one set of entities.
#[derive(Debug)]
pub struct Decider<'a> {
    world: World<'a>,
    options: Options,
    bundle: Option<Digest>,
    registry: Option<Digest>,
    scratch: Scratch,
    local: Local,
    work: Work,
    sets: Sets,
}

impl<'a> Decider<'a> {
    /// Makes room. `bundle` is what the policy is called in decisions.
    #[must_use]
    pub fn new(image: &'a Image, plan: &'a Plan, store: &'a Store, options: Options, bundle: Option<Digest>) -> Decider<'a> {
        let registry = store.is_loaded().then(|| store.digest(image));
        Decider {
            world: World { image, plan, store },
            options,
            bundle,
            registry,
            scratch: Scratch::default(),
            local: Local::default(),
            work: Work::default(),
            sets: Sets::default(),
        }
    }

    /// Decides a request, and tells why.
    pub fn decide(&mut self, request: &[u8], facts: Option<&[u8]>) -> Decision {
        let World { image, store, .. } = self.world;
        let decoded = decode(self.world, self.options, request, facts, &mut self.scratch, &mut self.local);
        let decoded = match decoded {
            Ok(decoded) => decoded,
            Err(error) => return self.refuse(error),
        };
        let stack = image.entries.get(decoded.action as usize).map_or(0, |entry| entry.stack);
        self.work.begin(image, stack);
        let mut run = Run {
            image,
            entities: store,
            inputs: &self.scratch.inputs,
            local: &mut self.local,
            work: &mut self.work,
            meter: Unmetered,
        };
        let mut decision = report(&mut run, &mut self.sets, decoded.action);
        decision.assumed_presented = decoded.assumed_presented;
        decision.digests = self.digests(request, facts);
        decision
    }

    fn refuse(&self, error: Fail) -> Decision {
        let path = match (error.document, error.path.as_str()) {
            (Document::Request, path) => path.to_owned(),
            (Document::Facts, "") => "facts".to_owned(),
            (Document::Facts, path) => format!("facts.{path}"),
        };
        let code = error.kind.name().to_owned();
        let mut decision = Decision::refused(ErrorReport::Input { code, path, message: error.message });
        decision.digests = Digests { bundle: self.bundle, registry: self.registry, ..Digests::default() };
        decision
    }

    fn digests(&self, request: &[u8], facts: Option<&[u8]>) -> Digests {
        let own = digest::canonical(self.world, self.options, request, facts).ok().map(|texts| texts.digests());
        Digests {
            bundle: self.bundle,
            registry: self.registry,
            facts: own.map(|digests| digests.facts),
            request: own.map(|digests| digests.request),
            binding: own.map(|digests| digests.binding),
        }
    }
}
