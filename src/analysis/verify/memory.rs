//! What was found out about one question in an earlier run, and is kept for a later one.
//!
//! A question is named by the digest of all that its answer depends on, so that nothing has to be forgotten when
//! something changes: what has changed is asked by another name.

use crate::analysis::request::Request;

/// What was found out about one question on one kind of request: is there a request of which this holds?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// There is none.
    Nothing,
    /// There is one; where it is shown to somebody, this one. Whoever shows it asks the machine again first.
    Something(Option<Request>),
    /// It is not known, and why.
    Unknown(String),
}

/// Where answers are kept.
pub trait Memory {
    /// What is known of the question of this name.
    fn recall(&self, question: &str) -> Option<Kept>;
    /// This was found out.
    fn keep(&mut self, question: &str, answer: &Kept);
}

/// Remembers nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forgetful;

impl Memory for Forgetful {
    fn recall(&self, _: &str) -> Option<Kept> {
        None
    }

    fn keep(&mut self, _: &str, _: &Kept) {}
}
