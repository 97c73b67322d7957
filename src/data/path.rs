//! Absolute paths: the type; parser and operations follow.

/// A normalised absolute path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    /// The normalised text.
    pub text: String,
}
