//! What a policy means, held against what the machine answers.

mod agree;
mod explain;
mod house;
mod pairs;
mod samples;
mod verify;
mod vocabulary;
