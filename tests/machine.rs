//! The machine, without the compiler: instructions one by one, control flow, decisions.

mod decisions;
mod flow;
mod harness;
mod operations;
