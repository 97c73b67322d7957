//! Random packages as source text, random worlds and requests for them.
//!
//! Programs are typed by construction, over every construct and every operator of the language; what the checker may
//! refuse all the same (a condition that is always true, a row that is hidden) can be taken out piece by piece.
//! Everything follows from one number.

pub mod calls;
pub mod declarations;
pub mod expressions;
pub mod mutations;
pub mod package;
pub mod policies;
pub mod pools;
pub mod random;
pub mod scope;
pub mod tour;
pub mod worlds;
