//! **PDL**, a policy definition language for autonomous agents.
//!
//! Policies are parsed, type-checked and compiled to bytecode; a bundle of that bytecode is verified before it
//! runs; a request is answered with `ALLOW`, `DENY` or `REQUIRE_APPROVAL`.
//!
//! # Deciding
//!
//! What an embedding program needs has its name at the top: a [`Machine`] is loaded from a bundle once, shared between
//! threads, and asked a [`Question`] for each request; each thread keeps a [`Scratch`]. `pdl build` makes the bundle, and
//! so does the module `build`, with the feature `compiler`.
//!
//! ```
//! use pdl::{Answer, LoadOptions, Machine, Question, Scratch};
//!
//! // `pdl build examples/first/policy.pdl -o first.pdlb`
//! let bundle = include_bytes!("../tests/cases/embed/first.pdlb");
//! let machine = Machine::load(bundle, &LoadOptions::UNSIGNED)?;
//! machine.load_entities(br#"[{ "type": "Team", "id": "mailbox-owners" }]"#)?;
//!
//! let request = br#"{
//!     "subject":  { "type": "Agent", "id": "helper", "properties": { "verified": true } },
//!     "action":   { "name": "send" },
//!     "resource": { "type": "Mailbox", "id": "support", "properties": { "archived": false } },
//!     "context":  { "recipients": 51 } }"#;
//! let mut scratch = Scratch::default();
//! let mut decided = machine.decide(Question::strict(request), &mut scratch);
//! assert_eq!(decided.answer(), Answer::Deny);
//!
//! // Why, if somebody asks.
//! let decision = decided.decision();
//! assert_eq!(decision.codes, ["TOO_MANY_RECIPIENTS"]);
//! assert_eq!(decision.rules[0].message.as_deref(), Some("51 people would get this; 50 are the most"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Everything is closed in itself: no clock, no files, no network, no threads, no global state, no `unsafe`. The same bundle,
//! entities, request and facts give the same decision, byte for byte, on every machine. A faulty request is a decision
//! too, a `DENY` of kind `error`, and [`Machine::decide`] has no error to forget. `docs/embedding.md` says more: signatures,
//! budgets, facts, changing entities, what allocates.
//!
//! # Features
//!
//! | feature | adds |
//! | --- | --- |
//! | (none) | load, verify, decide: what an embedding kernel needs |
//! | `signatures` | Ed25519 signatures of bundles: making them, demanding them |
//! | `kernel` | the Execution Kernel: decisions with permits, approvals, scopes and records, in a tamper-evident log |
//! | `compiler` | source to bundle: parser, checker, formatter, compiler |
//! | `analysis` | what a policy means, over all requests: differences, proofs, counterexamples; with `compiler` |
//! | `cli` | the command `pdl`, with `compiler`, `analysis` and `kernel` |
//!
//! `cli` and `signatures` are on unless `default-features = false`.
//!
//! # Stability
//!
//! The names at the top, what they give out, and `build` are the library. Before version 1.0 they change with the
//! second number of the version, and the changelog says so. The layers below are public because tests, benchmarks and
//! tools use them, and their parts may change with every version: [`base`], [`data`], [`bytecode`], [`vm`], and with the
//! feature `compiler` `diagnostic`, `syntax`, `types`, `document`, `compile` and `mutate`. Formats have versions of their
//! own.

pub mod base;
pub mod bytecode;
pub mod data;
pub mod vm;

#[cfg(feature = "analysis")]
pub mod analysis;
#[cfg(feature = "compiler")]
pub mod build;
#[cfg(feature = "compiler")]
pub mod compile;
#[cfg(feature = "compiler")]
pub mod diagnostic;
#[cfg(feature = "compiler")]
pub mod document;
#[cfg(feature = "compiler")]
pub mod mutate;
#[cfg(feature = "compiler")]
pub mod syntax;
#[cfg(feature = "compiler")]
pub mod types;

#[cfg(feature = "analysis")]
pub mod replay;

#[cfg(feature = "kernel")]
pub mod kernel;
#[cfg(feature = "kernel")]
pub mod log;

#[cfg(feature = "cli")]
pub mod cli;

pub use base::hash::Digest;
pub use bytecode::bundle::{LoadOptions, PublicKey, SignaturePolicy};
pub use vm::decide::{Answer, Kind};
pub use vm::decision::Decision;
pub use vm::decode::{Options, UnknownMembers, Unregistered};
pub use vm::input::{InputError, InputErrorKind};
pub use vm::load::{LoadError, Origin};
pub use vm::machine::{Decided, Machine, Question, Scratch};
pub use vm::store::fault::{EntitiesRefused, EntityFault, EntityFaultKind};
