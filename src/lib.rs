//! **PDL**, a policy definition language for autonomous agents.
//!
//! Policies are parsed, type-checked and compiled to bytecode; a bundle of that bytecode is verified before it
//! runs; a request is answered with `ALLOW`, `DENY` or `REQUIRE_APPROVAL`.
//!
//! | feature | adds |
//! | --- | --- |
//! | (none) | load, verify, decide: what an embedding kernel needs |
//! | `signatures` | Ed25519 signatures of bundles: making them, demanding them |
//! | `compiler` | source to bundle: parser, checker, formatter, compiler |
//! | `cli` | the command `pdl` |

pub mod base;
pub mod bytecode;
pub mod data;
pub mod vm;

#[cfg(feature = "compiler")]
pub mod compile;
#[cfg(feature = "compiler")]
pub mod diagnostic;
#[cfg(feature = "compiler")]
pub mod syntax;
#[cfg(feature = "compiler")]
pub mod types;

#[cfg(feature = "cli")]
pub mod cli;
