//! URLs: the type; parser and operations follow.

/// A parsed, normalised URL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url {
    /// The normalised text.
    pub text: String,
}
