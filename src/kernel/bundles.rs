//! Bundles: kept by name, and one of them decides.
//!
//! A bundle is activated only if it verifies, is signed as the settings demand, and the entities that are there load under
//! its schema, or others that are given with it do. Else it is refused, nothing of it is kept, and the old one goes on.
//! Activation is an entry, and begins a version of the registry: the same entities under the schema of the new bundle.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value, json};

use super::engine::{Active, Kernel, put};
use super::entry::Kind;
use super::error::KernelError;
use super::govern::act::Act;
use super::govern::is_about;
use super::log::append::Event;
use super::record::Principal;
use super::records::fit;
use super::registry::{self, Change, Document};
use super::store::{Object, Query, Tx};
use crate::base::hash::Digest;
use crate::vm::machine::Machine;

const KIND: &str = "bundle";

impl Kernel {
    /// Keeps a bundle and lets it decide from now on, with the entities that are there, or with those of a document where
    /// one is given. Gives its name.
    ///
    /// # Errors
    /// Why it is refused; the bundle that is active stays, and so do its entities.
    pub fn activate(&self, who: &Principal, bundle: &[u8], entities: Option<&[u8]>) -> Result<Digest, KernelError> {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.active();
        let (next, told) = match self.prepare(bundle, entities, &old) {
            Ok((next, told)) => (Arc::new(next), told),
            Err(why) => return self.refuse_act(who, Act::activate(Digest::of(bundle), false), why),
        };
        let (name, version) = (next.bundle, next.registry);
        let act = Act::activate(name, is_about(who, old.as_deref().ok(), &next));
        let change = Change {
            version,
            bundle: name,
            digest: next.registry_digest(),
            snapshot: Some(Document::of(&next)),
            patch: None,
            principal: who.clone(),
        };
        let (bytes, by) = (bundle.to_vec(), who.to_json());
        let (machine, store) = (Arc::clone(&next.machine), Arc::clone(&next.store));
        let written = self.govern(who, act, move |tx, shared, allowed| {
            fit::check(tx, &machine, &store, shared.environment.now())?;
            let content = tx.put_content(&bytes)?;
            let (package, release) = told;
            let body = json!({
                "bundle": name.to_string(), "package": package, "version": release,
                "content": content.to_string(), "principal": by,
            });
            let told = body.as_object().cloned().unwrap_or_else(Map::new);
            let event = Event::new(Kind::BundleActivated, told).link("allowed", allowed);
            let entry = shared.log.append(tx, &*shared.environment, event)?.id;
            retire(tx, name)?;
            let kept = tx.get(KIND, &name.to_string())?.map_or(0, |object| object.version);
            put(tx, KIND, &name.to_string(), kept, "active", None, &body)?;
            registry::write(tx, shared, change, &[("allowed", allowed), ("bundle", &entry)])
        });
        self.settle(written, next)?;
        Ok(name)
    }

    /// What would decide with a bundle, and what the bundle says of itself: package and version.
    fn prepare(
        &self,
        bundle: &[u8],
        entities: Option<&[u8]>,
        old: &Result<Arc<Active>, KernelError>,
    ) -> Result<(Active, (String, String)), KernelError> {
        let machine = Machine::load(bundle, &self.shared.settings.bundles)?;
        let origin = machine.origin().ok_or_else(|| KernelError::Damaged("a bundle without a name".to_owned()))?;
        let manifest = &origin.manifest;
        let told = (manifest.package.to_string(), manifest.version.to_string());
        // What is stored counts: what is active may have been refused by these settings.
        let version = self.read(|tx| registry::current(tx))?.map_or(0, |(version, _)| version);
        let store = match (entities, old) {
            (Some(entities), _) => registry::load(&machine, entities)?,
            (None, Ok(old)) => registry::load(&machine, old.entities().as_bytes())?,
            (None, Err(_)) if version == 0 => registry::load(&machine, b"[]")?,
            (None, Err(_)) => return Err(KernelError::EntitiesNeeded),
        };
        let version = version.checked_add(1).ok_or(KernelError::UnknownVersion)?;
        Ok((registry::active(Arc::new(machine), store, version), told))
    }

    /// Lets a bundle decide again that is kept from before. See [`Kernel::activate`].
    ///
    /// # Errors
    /// It is not kept, or refused.
    pub fn activate_kept(&self, who: &Principal, name: Digest, entities: Option<&[u8]>) -> Result<(), KernelError> {
        match self.bundle(name)? {
            Some(bytes) => self.activate(who, &bytes, entities).map(|_| ()),
            None => self.refuse_act(who, Act::activate(name, false), KernelError::UnknownBundle(name)),
        }
    }

    /// The bytes of a bundle that is kept.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn bundle(&self, name: Digest) -> Result<Option<Vec<u8>>, KernelError> {
        self.read(move |tx| match content_of(tx, name)? {
            Some(content) => Ok(tx.content(content)?),
            None => Ok(None),
        })
    }
}

/// All that are active but for this one are so no more.
fn retire(tx: &mut dyn Tx, name: Digest) -> Result<(), KernelError> {
    let (kind, state) = (KIND.to_owned(), Some("active".to_owned()));
    for object in tx.find(&Query { kind, state, due_until_ms: None, after: None, limit: u32::MAX })? {
        if object.key != name.to_string() {
            tx.put(&Object { state: "kept".to_owned(), ..object })?;
        }
    }
    Ok(())
}

/// The content that has the bytes of a bundle.
pub(super) fn content_of(tx: &mut dyn Tx, name: Digest) -> Result<Option<Digest>, KernelError> {
    let Some(object) = tx.get(KIND, &name.to_string())? else { return Ok(None) };
    let body: Option<Value> = serde_json::from_slice(&object.body).ok();
    let content = body.as_ref().and_then(|body| Digest::parse(body.get("content")?.as_str()?));
    content.map(Some).ok_or_else(|| KernelError::Damaged(format!("the bundle {name}")))
}
