//! The engine: what decides now, and decisions that are in the log before anybody hears of them.
//!
//! What neighbours may rely on:
//!
//! - A decision is made of one snapshot: a bundle and a version of the registry that belong together. A change of either
//!   makes another snapshot; decisions that are under way go on with theirs and say which it was.
//! - When [`Kernel::decide`] returns, the entry of the decision is durable, and with an `ALLOW` its permit.
//! - Whatever fails, the answer is `DENY`, with the reason; and the failure is an entry where one can be written.
//! - `REQUIRE_APPROVAL` gives the decision with its gates, and no permit.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::{Map, Value};

use super::entry::Kind;
use super::environment::{Environment, Still};
use super::error::KernelError;
use super::forms;
use super::govern::Governing;
use super::govern::operators::{self, Operator};
use super::json::canonical;
use super::log::append::{Event, Log};
use super::modes::Modes;
use super::permit::{Issuer, Verifier};
use super::record::{Asked, Secrets};
use super::registry;
use super::store::{Object, Store as Kept, Tx};
use super::touch::Touches;
use super::writer::Writer;
use crate::base::hash::Digest;
use crate::bytecode::bundle::LoadOptions;
use crate::data::duration::Duration;
use crate::log::note::{Signer, is_name};
use crate::vm::canonical::Form;
use crate::vm::decision::Decision;
use crate::vm::decode::World;
use crate::vm::machine::{Machine, Question, Scratch};
use crate::vm::store::Store;
use crate::vm::store::directory::Directory;

/// How a kernel is run.
#[derive(Debug)]
pub struct Settings {
    /// What is demanded of a bundle before it decides anything.
    pub bundles: LoadOptions,
    /// Who makes permits.
    pub issuer: Issuer,
    /// Who governs the kernel if nobody was ever appointed, as in a store that is begun. A store that has operators has its
    /// own, and these are not looked at.
    pub founders: Vec<Operator>,
    /// How long a permit can be started.
    pub start_within: Duration,
    /// How long what was started may take, before it counts as abandoned.
    pub run_within: Duration,
    /// The name of the log, as its checkpoints have it: `example.com/kernel`. It never changes.
    pub origin: String,
    /// Who signs the log's checkpoints, if anybody does here; of the name of the log. The key is never stored.
    pub signer: Option<Signer>,
}

/// The Execution Kernel over a store. Shared between threads.
#[derive(Debug)]
pub struct Kernel {
    pub(super) shared: Arc<Shared>,
    pub(super) writer: Writer,
    active: RwLock<Result<Arc<Active>, KernelError>>,
    pub(super) modes: RwLock<Arc<Modes>>,
    /// Held while a bundle or entities are changed: changes wait for one another.
    pub(super) change: Mutex<()>,
    /// Held while events are delivered: one after the other.
    pub(super) delivery: Mutex<()>,
}

/// What works in the store have to have.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) log: Log,
    pub(super) environment: Arc<dyn Environment>,
    pub(super) settings: Settings,
    pub(super) verifier: Verifier,
    pub(super) governing: Governing,
}

/// What decides: a bundle, and a version of the registry under its schema.
#[derive(Debug)]
pub struct Active {
    pub(super) machine: Arc<Machine>,
    pub(super) store: Arc<Store>,
    pub(super) secrets: Arc<Secrets>,
    pub(super) touches: Arc<Touches>,
    /// The name of the bundle.
    pub bundle: Digest,
    /// The version of the registry.
    pub registry: u64,
}

impl Active {
    pub(super) fn world(&self) -> World<'_> {
        World { image: self.machine.image(), plan: self.machine.plan(), store: &self.store }
    }

    /// What the entities say to those who ask outside of a decision.
    pub(super) fn directory(&self) -> Directory<'_> {
        Directory::new(self.machine.image(), &self.store)
    }

    /// The machine that decides.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The entities that it decides with.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The digest of the entities.
    #[must_use]
    pub fn registry_digest(&self) -> Digest {
        self.store.digest(self.machine.image())
    }

    /// Whether its entities are those with this digest, also in the form that it had once.
    pub(super) fn is_version(&self, digest: Digest) -> bool {
        self.store.is_version(self.machine.image(), digest)
    }

    /// The entities, as a document that can be loaded.
    #[must_use]
    pub fn entities(&self) -> String {
        self.store.canonical(self.machine.image(), Form::Wire, |_| true)
    }

    /// The same piece by piece.
    pub(super) fn pass_entities(&self, to: &mut dyn FnMut(&[u8])) {
        self.store.pass_canonical(self.machine.image(), Form::Wire, to);
    }

    /// Decides again what was decided with this bundle and this version; writes nothing.
    #[must_use]
    pub fn again(&self, asked: &Asked) -> Decision {
        let question = Question { facts: Some(asked.facts.as_bytes()), ..Question::strict(asked.request.as_bytes()) };
        self.machine.redecided(&self.store, question, &mut Scratch::default())
    }
}

impl Kernel {
    /// Opens a kernel over a store, and begins its log if the store is empty.
    ///
    /// A bundle that was active and is refused now, by the settings or because it was damaged, decides nothing: then every
    /// decision is a denial that says so, until another bundle is activated.
    ///
    /// # Errors
    /// The store can't be read or written; [`KernelError::OtherLog`] if the store's log, or the one that is signed, has
    /// another name than the settings say; [`KernelError::Forbidden`] if the founders can't be appointed.
    pub fn open(
        store: Box<dyn Kept>,
        environment: Arc<dyn Environment>,
        settings: Settings,
    ) -> Result<Kernel, KernelError> {
        let Settings { origin, signer, .. } = &settings;
        if !is_name(origin) || signer.as_ref().is_some_and(|signer| signer.name() != origin) {
            return Err(KernelError::OtherLog(origin.clone()));
        }
        let verifier = settings.issuer.verifier();
        let shared = Arc::new(Shared {
            log: Log::default(),
            environment: Arc::new(Still::new(environment)),
            settings,
            verifier,
            governing: Governing::default(),
        });
        let writer = Writer::suited(store)?;
        let for_work = Arc::clone(&shared);
        writer.submit(move |tx| {
            begin(tx, &for_work)?;
            operators::open(tx, &for_work)
        })??;
        let kernel = Kernel {
            shared,
            writer,
            active: RwLock::new(Err(KernelError::NoBundle)),
            modes: RwLock::default(),
            change: Mutex::new(()),
            delivery: Mutex::new(()),
        };
        kernel.reload();
        kernel.reload_modes();
        Ok(kernel)
    }

    /// What decides now.
    ///
    /// # Errors
    /// Why nothing does.
    pub fn active(&self) -> Result<Arc<Active>, KernelError> {
        self.active.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn replace(&self, active: Result<Arc<Active>, KernelError>) {
        *self.active.write().unwrap_or_else(PoisonError::into_inner) = active;
    }

    /// Takes what decides from the store: when it is opened, and when it is not known what became of a change.
    pub(super) fn reload(&self) {
        let found = self.writer.submit(registry::find_current);
        let found = found.and_then(|found| found.ok_or(KernelError::NoBundle));
        self.replace(found.and_then(|found| found.build(&self.shared.settings.bundles)).map(Arc::new));
    }

    /// Appends one event, and gives the id of its entry.
    pub(super) fn append(&self, event: Event) -> Result<String, KernelError> {
        let shared = Arc::clone(&self.shared);
        self.writer.submit(move |tx| Ok(shared.log.append(tx, &*shared.environment, event)?.id))
    }

    /// Reads from the store, in a transaction of its own.
    ///
    /// # Errors
    /// That of the work, or of the store.
    pub fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Tx) -> Result<T, KernelError> + Send + 'static,
    ) -> Result<T, KernelError> {
        self.writer.submit(work)
    }

    /// Stops, and gives the store back.
    ///
    /// # Errors
    /// The store panicked, and is lost.
    pub fn close(self) -> Result<Box<dyn Kept>, KernelError> {
        Ok(self.writer.close()?)
    }
}

/// Begins the log of an empty store; of another one, makes sure that it is the log that is meant.
fn begin(tx: &mut dyn Tx, shared: &Shared) -> Result<(), KernelError> {
    let origin = &shared.settings.origin;
    if let Some(object) = tx.get("meta", "kernel")? {
        let body: Map<String, Value> = serde_json::from_slice(&object.body).unwrap_or_default();
        let is_ours = body.get("origin").and_then(Value::as_str) == Some(origin);
        return if is_ours { forms::bring_up(tx, &object, body) } else { Err(KernelError::OtherLog(origin.clone())) };
    }
    if tx.log_size()? > 0 {
        return Err(KernelError::Damaged("the store has a log, and nothing says whose".to_owned()));
    }
    let mut body = Map::new();
    body.insert("format".to_owned(), 1.into());
    body.insert("origin".to_owned(), origin.clone().into());
    let event = Event::new(Kind::KernelCreated, body.clone());
    let entry = shared.log.append(tx, &*shared.environment, event)?.id;
    body.insert("entry".to_owned(), entry.into());
    body.insert(forms::MEMBER.to_owned(), forms::FORM.into());
    put(tx, "meta", "kernel", 0, "open", None, &body.into())?;
    Ok(())
}

/// Writes an object.
pub(super) fn put(
    tx: &mut dyn Tx,
    kind: &str,
    key: &str,
    version: u64,
    state: &str,
    due_ms: Option<i64>,
    body: &Value,
) -> Result<(), KernelError> {
    let (kind, key, state) = (kind.to_owned(), key.to_owned(), state.to_owned());
    tx.put(&Object { kind, key, version, state, due_ms, body: canonical(body).into_bytes() })?;
    Ok(())
}
