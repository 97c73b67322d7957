//! What a policy means, held against what the machine answers.

mod agree;
mod explain;
mod house;
mod pairs;
mod samples;
#[cfg(feature = "smt")]
mod second;
mod verify;
mod vocabulary;
