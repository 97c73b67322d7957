//! What lies between compiler and machine: instructions, programs, their schema, the verifier, the bundle.
//!
//! This layer never sees syntax or types of the source, and does no I/O. `docs/bytecode.md` and `docs/bundle.md` say the
//! same for readers.

pub mod assemble;
pub mod bundle;
pub mod disassemble;
pub mod encode;
pub mod info;
pub mod op;
pub mod program;
pub mod schema;
pub mod verify;
pub mod wire;
