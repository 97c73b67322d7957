//! The one integration binary: one module for each subject, in the order of the alphabet.

#[cfg(feature = "analysis")]
mod analysis;
#[cfg(feature = "cli")]
mod book;
mod bytecode;
mod capabilities;
#[cfg(feature = "compiler")]
mod check;
#[cfg(feature = "compiler")]
mod check_robust;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "compiler")]
mod codes;
#[cfg(feature = "compiler")]
mod compile;
#[cfg(feature = "compiler")]
mod corpus;
mod data_pattern;
mod data_scalars;
#[cfg(feature = "compiler")]
mod diagnostics;
#[cfg(feature = "compiler")]
mod differential;
#[cfg(feature = "compiler")]
mod document;
#[cfg(feature = "compiler")]
mod editors;
mod embed;
#[cfg(feature = "cli")]
mod examples;
#[cfg(feature = "compiler")]
mod generate;
#[cfg(feature = "cli")]
mod governed;
mod input;
#[cfg(feature = "kernel")]
mod kernel;
#[cfg(feature = "kernel")]
mod log;
mod machine;
#[cfg(feature = "cli")]
mod mutate;
#[cfg(feature = "compiler")]
mod reference;
#[cfg(feature = "compiler")]
mod syntax;
mod tidy;
#[cfg(feature = "compiler")]
mod typing;
mod vectors_url;
