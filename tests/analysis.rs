//! What a policy means, held against what the machine answers.

mod agree;
mod house;
mod pairs;
