//! The registry: the entities that decisions are made with, every version of them that there ever was.
//!
//! A version is a whole document of entities, or a patch of the version before it. It belongs to one bundle, whose schema
//! its entities have; a bundle that is activated begins with a version of its own. So a version says all that a decision
//! needs beside the request and the facts. Every [`SNAPSHOT_EVERY`]th version is kept whole, so that none is far from one.
//!
//! A change that breaks the schema or the hierarchy changes nothing. One that holds is an entry, and decides from the moment
//! at which the call returns; decisions that were begun before it may still be those of the version before.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value, json};

use super::engine::{Active, Kernel, Shared, put};
use super::entry::Kind;
use super::error::KernelError;
use super::govern::act::Act;
use super::govern::is_about;
use super::log::append::Event;
use super::record::{Principal, Secrets};
use super::store::{Pieces, Query, Tx};
use super::touch::Touches;
use crate::base::hash::{Digest, Hasher};
use crate::base::limits::SNAPSHOT_EVERY;
use crate::bytecode::bundle::LoadOptions;
use crate::data::timestamp::Timestamp;
use crate::vm::machine::Machine;
use crate::vm::store::Store;
use crate::vm::store::fault::EntitiesRefused;

const KIND: &str = "registry";
/// What it is called where somebody wants to look at it.
const REGISTRY: &str = "entities";

/// A change of the registry that holds, and is not stored yet.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) bundle: Digest,
    pub(super) digest: Digest,
    pub(super) snapshot: Option<Document>,
    pub(super) patch: Option<Vec<u8>>,
    pub(super) principal: Principal,
}

/// All entities of a version as a document, which is written as it is stored. A hundred thousand are thirty megabytes.
#[derive(Debug)]
pub(super) struct Document {
    active: Arc<Active>,
    digest: Digest,
    bytes: usize,
}

impl Document {
    pub(super) fn of(active: &Arc<Active>) -> Document {
        let (mut hasher, mut bytes) = (Hasher::default(), 0_usize);
        active.pass_entities(&mut |piece| {
            hasher.add(piece);
            bytes = bytes.saturating_add(piece.len());
        });
        Document { active: Arc::clone(active), digest: hasher.finish(), bytes }
    }
}

impl Pieces for Document {
    fn digest(&self) -> Digest {
        self.digest
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn write(&self, to: &mut dyn FnMut(&[u8])) {
        self.active.pass_entities(to);
    }
}

/// What a version is made of, as it is in the store.
#[derive(Debug)]
pub(super) struct Found {
    version: u64,
    name: Digest,
    digest: Digest,
    bundle: Vec<u8>,
    snapshot: Vec<u8>,
    /// From the first to the last.
    patches: Vec<Vec<u8>>,
}

impl Found {
    /// Makes it ready to decide.
    pub(super) fn build(self, options: &LoadOptions) -> Result<Active, KernelError> {
        let machine = Machine::load(&self.bundle, options)?;
        let mut store = load(&machine, &self.snapshot)?;
        for patch in &self.patches {
            store = store.patch(machine.image(), machine.plan(), patch).map_err(EntitiesRefused::from)?;
        }
        let active = active(Arc::new(machine), store, self.version);
        if active.bundle != self.name || !active.is_version(self.digest) {
            return Err(KernelError::Damaged(format!("version {} of the registry", self.version)));
        }
        Ok(active)
    }
}

/// The entities of a patch and those that were there before.
pub(super) fn patch(machine: &Machine, before: &Store, patch: &[u8]) -> Result<Store, KernelError> {
    Ok(before.patch(machine.image(), machine.plan(), patch).map_err(EntitiesRefused::from)?)
}

pub(super) fn load(machine: &Machine, document: &[u8]) -> Result<Store, KernelError> {
    Ok(Store::load(machine.image(), machine.plan(), document).map_err(EntitiesRefused::from)?)
}

pub(super) fn active(machine: Arc<Machine>, store: Store, registry: u64) -> Active {
    let secrets = Arc::new(Secrets::of(machine.image().schema()));
    let touches = Arc::new(Touches::of(machine.image().schema()));
    let bundle = machine.origin().map_or(Digest([0; 32]), |origin| origin.name);
    Active { machine, store: Arc::new(store), secrets, touches, bundle, registry }
}

impl Kernel {
    /// Replaces all entities by those of a document. Gives the new version.
    ///
    /// # Errors
    /// Everything that is wrong with the document, or why it could not be stored. The old entities stay.
    pub fn load_entities(&self, principal: &Principal, document: &[u8]) -> Result<u64, KernelError> {
        self.change_entities(principal, |active| {
            let store = load(&active.machine, document)?;
            Ok((store, None))
        })
    }

    /// Adds, replaces and removes single entities, as [`Machine::patch_entities`] does. Gives the new version.
    ///
    /// # Errors
    /// Everything that is wrong with the patch, or why it could not be stored. The old entities stay.
    pub fn patch_entities(&self, principal: &Principal, patch: &[u8]) -> Result<u64, KernelError> {
        self.change_entities(principal, |active| {
            let (image, plan) = (active.machine.image(), active.machine.plan());
            let store = active.store.patch(image, plan, patch).map_err(EntitiesRefused::from)?;
            Ok((store, Some(patch.to_vec())))
        })
    }

    fn change_entities(
        &self,
        principal: &Principal,
        make: impl FnOnce(&Active) -> Result<(Store, Option<Vec<u8>>), KernelError>,
    ) -> Result<u64, KernelError> {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let made = self.active().and_then(|old| Ok((make(&old)?, old)));
        let ((store, patch), old) = match made {
            Ok(made) => made,
            Err(why) => return self.refuse_act(principal, Act::patch_registry(false), why),
        };
        let version = old.registry.checked_add(1).ok_or(KernelError::UnknownVersion)?;
        let (machine, secrets, touches) =
            (Arc::clone(&old.machine), Arc::clone(&old.secrets), Arc::clone(&old.touches));
        let next = Active { machine, store: Arc::new(store), secrets, touches, bundle: old.bundle, registry: version };
        let next = Arc::new(next);
        let is_whole = patch.is_none() || version.checked_rem(SNAPSHOT_EVERY) == Some(0);
        let change = Change {
            version,
            bundle: next.bundle,
            digest: next.registry_digest(),
            snapshot: is_whole.then(|| Document::of(&next)),
            patch,
            principal: principal.clone(),
        };
        let act = Act::patch_registry(is_about(principal, Some(&old), &next));
        let written =
            self.govern(principal, act, |tx, shared, allowed| write(tx, shared, change, &[("allowed", allowed)]));
        self.settle(written, next)?;
        Ok(version)
    }

    /// Exchanges what decides once a change is durable. If it is not known whether it is, the store is asked.
    pub(super) fn settle(&self, written: Result<(), KernelError>, next: Arc<Active>) -> Result<(), KernelError> {
        match written {
            Ok(()) => self.replace(Ok(next)),
            Err(KernelError::Forbidden(why)) => return Err(KernelError::Forbidden(why)),
            Err(error) => {
                self.reload();
                return Err(error);
            }
        }
        Ok(())
    }

    /// The bundle and the entities of a version, ready to decide.
    ///
    /// The bundle's signatures are not asked for again: it decided then.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], there is no such version, or it can't be made any more.
    pub fn version(&self, who: &Principal, version: u64) -> Result<Active, KernelError> {
        let found = self.look_at_all(who, REGISTRY, move |tx, _| find(tx, version))?;
        found.ok_or(KernelError::UnknownVersion)?.build(&LoadOptions::UNSIGNED)
    }

    /// The version that was current at a time.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], there was none, or the store can't be read.
    pub fn version_at(&self, who: &Principal, time: Timestamp) -> Result<u64, KernelError> {
        self.look_at_all(who, REGISTRY, move |tx, _| {
            let Some((mut high, _)) = current(tx)? else { return Err(KernelError::UnknownVersion) };
            // Times never go back, so that one half of the versions is always out of question.
            let mut low: u64 = 0;
            while low < high {
                let middle = low.midpoint(high).saturating_add(u64::from(low.abs_diff(high) == 1));
                let body = body(tx, middle)?.ok_or_else(|| damaged(middle))?;
                let began = text(&body, "time").and_then(|time| Timestamp::parse(time).ok());
                if began.ok_or_else(|| damaged(middle))? <= time {
                    low = middle;
                } else {
                    high = middle.saturating_sub(1);
                }
            }
            if low == 0 { Err(KernelError::UnknownVersion) } else { Ok(low) }
        })
    }

    /// The bundle and the entities that were current at a time: what could this agent do last Tuesday?
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], there were none, or they can't be made any more.
    pub fn at(&self, who: &Principal, time: Timestamp) -> Result<Active, KernelError> {
        self.version(who, self.version_at(who, time)?)
    }

    /// What decides now, for who wants to look at it: [`Kernel::active`] is for whoever embeds the kernel.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or why nothing does.
    pub fn entities(&self, who: &Principal) -> Result<Arc<Active>, KernelError> {
        self.look_at_all(who, REGISTRY, |_, _| Ok(()))?;
        self.active()
    }
}

fn key(version: u64) -> String {
    format!("{version:020}")
}

pub(super) fn damaged(version: u64) -> KernelError {
    KernelError::Damaged(format!("version {version} of the registry"))
}

pub(super) fn text<'b>(body: &'b Map<String, Value>, name: &str) -> Option<&'b str> {
    body.get(name)?.as_str()
}

fn digest(body: &Map<String, Value>, name: &str) -> Option<Digest> {
    text(body, name).and_then(Digest::parse)
}

fn body(tx: &mut dyn Tx, version: u64) -> Result<Option<Map<String, Value>>, KernelError> {
    let Some(object) = tx.get(KIND, &key(version))? else { return Ok(None) };
    serde_json::from_slice(&object.body).map(Some).map_err(|_| damaged(version))
}

/// What the store says of one version: its bundle, the digest of its entities, and the contents that it is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) bundle: Digest,
    pub(super) digest: Digest,
    pub(super) snapshot: Option<Digest>,
    pub(super) patch: Option<Digest>,
}

pub(super) fn step(tx: &mut dyn Tx, version: u64) -> Result<Option<Step>, KernelError> {
    let Some(body) = body(tx, version)? else { return Ok(None) };
    let named = |name: &str| digest(&body, name).ok_or_else(|| damaged(version));
    let (bundle, of_entities) = (named("bundle")?, named("digest")?);
    let (snapshot, patch) = (digest(&body, "snapshot"), digest(&body, "patch"));
    Ok(Some(Step { bundle, digest: of_entities, snapshot, patch }))
}

/// The current version, and how often its object was written.
pub(super) fn current(tx: &mut dyn Tx) -> Result<Option<(u64, u64)>, KernelError> {
    let (kind, state) = (KIND.to_owned(), Some("current".to_owned()));
    let found = tx.find(&Query { kind, state, due_until_ms: None, after: None, limit: 2 })?;
    match &found[..] {
        [] => Ok(None),
        [one] => {
            let version = one.key.parse().map_err(|_| KernelError::Damaged("the registry".to_owned()))?;
            Ok(Some((version, one.version)))
        }
        _ => Err(KernelError::Damaged("two versions of the registry are current".to_owned())),
    }
}

pub(super) fn find_current(tx: &mut dyn Tx) -> Result<Option<Found>, KernelError> {
    match current(tx)? {
        Some((version, _)) => find(tx, version),
        None => Ok(None),
    }
}

/// What a version is made of.
fn find(tx: &mut dyn Tx, version: u64) -> Result<Option<Found>, KernelError> {
    let Some(last) = body(tx, version)? else { return Ok(None) };
    let content = |tx: &mut dyn Tx, of: Option<Digest>| -> Result<Vec<u8>, KernelError> {
        tx.content(of.ok_or_else(|| damaged(version))?)?.ok_or_else(|| damaged(version))
    };
    let name = digest(&last, "bundle").ok_or_else(|| damaged(version))?;
    let is = digest(&last, "digest").ok_or_else(|| damaged(version))?;
    let (mut at, mut step, mut patches) = (version, last, Vec::new());
    while !step.contains_key("snapshot") {
        patches.push(content(tx, digest(&step, "patch"))?);
        at = at.checked_sub(1).ok_or_else(|| damaged(version))?;
        step = body(tx, at)?.ok_or_else(|| damaged(version))?;
    }
    patches.reverse();
    let snapshot = content(tx, digest(&step, "snapshot"))?;
    let bundle = super::bundles::content_of(tx, name)?;
    let bundle = content(tx, bundle)?;
    Ok(Some(Found { version, name, digest: is, bundle, snapshot, patches }))
}

/// Writes a version: its object, its contents, its entry.
pub(super) fn write(
    tx: &mut dyn Tx,
    shared: &Shared,
    change: Change,
    links: &[(&str, &str)],
) -> Result<(), KernelError> {
    let Change { version, bundle, digest, snapshot, patch, principal } = change;
    let previous = current(tx)?;
    if previous.map_or(0, |(number, _)| number).checked_add(1) != Some(version) {
        return Err(KernelError::Damaged("the registry was changed by somebody else".to_owned()));
    }
    let mut members = Map::new();
    members.insert("bundle".to_owned(), bundle.to_string().into());
    members.insert("digest".to_owned(), digest.to_string().into());
    if let Some(snapshot) = snapshot {
        members.insert("snapshot".to_owned(), tx.put_pieces(&snapshot)?.to_string().into());
    }
    if let Some(patch) = patch {
        members.insert("patch".to_owned(), tx.put_content(&patch)?.to_string().into());
    }
    let mut told = members.clone();
    told.insert("version".to_owned(), version.into());
    told.insert("principal".to_owned(), principal.to_json());
    let mut event = Event::new(Kind::RegistryChanged, told);
    if let Some((number, _)) = previous {
        let before = body(tx, number)?.ok_or_else(|| damaged(number))?;
        let entry = text(&before, "entry").ok_or_else(|| damaged(number))?;
        event = event.link("parent", entry);
    }
    for (name, id) in links {
        event = event.link(name, id);
    }
    let entry = shared.log.append(tx, &*shared.environment, event)?;
    members.insert("entry".to_owned(), entry.id.into());
    members.insert("time".to_owned(), entry.time.to_string().into());
    if let Some((number, written)) = previous {
        let before = tx.get(KIND, &key(number))?.ok_or_else(|| damaged(number))?;
        tx.put(&super::store::Object { state: "past".to_owned(), version: written, ..before })?;
    }
    put(tx, KIND, &key(version), 0, "current", None, &json!(members))
}
