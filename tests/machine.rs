//! The machine, without the compiler: instructions one by one, control flow, decisions.

mod accepted;
mod decisions;
mod flow;
mod harness;
mod operations;
mod worlds;
