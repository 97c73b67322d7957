//! The head of a log, C2SP `tlog-checkpoint`: whose log it is, how long, and its root.

use std::fmt;

use base64ct::{Base64, Encoding as _};

use crate::base::hash::Digest;

/// The head of a log; its text is what is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Whose log it is: a name that no other log has, such as `pdl.example/log`.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root of its tree.
    pub root: Digest,
    /// Lines that say more.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// Reads the text of a note; `None` if it is not written as checkpoints are.
    #[must_use]
    pub fn parse(text: &str) -> Option<Checkpoint> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let root = Base64::decode_vec(root).ok()?.try_into().ok().map(Digest)?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        let read = Checkpoint { origin: origin.to_owned(), size: size.parse().ok()?, root, extensions };
        let is_whole = !read.origin.is_empty() && read.extensions.iter().all(|line| !line.is_empty());
        // Numbers and hashes are written in one way only.
        (is_whole && read.to_string() == text).then_some(read)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, Base64::encode_string(&self.root.0))?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::tree::leaf_hash;

    #[test]
    fn texts_come_back() {
        let plain = Checkpoint {
            origin: "pdl.example/log".to_owned(),
            size: 42,
            root: leaf_hash(b"x"),
            extensions: Vec::new(),
        };
        let longer = Checkpoint { extensions: vec!["key 1".to_owned(), "more".to_owned()], ..plain.clone() };
        for checkpoint in [plain, longer] {
            assert_eq!(Checkpoint::parse(&checkpoint.to_string()), Some(checkpoint));
        }
    }

    #[test]
    fn other_texts_are_none() {
        let root = Base64::encode_string(&leaf_hash(b"x").0);
        for text in [
            String::new(),
            format!("a\n1\n{root}"),
            format!("\n1\n{root}\n"),
            format!("a\n01\n{root}\n"),
            format!("a\n+1\n{root}\n"),
            format!("a\n-1\n{root}\n"),
            format!("a\n18446744073709551616\n{root}\n"),
            format!("a\n1\n{}\n", &root[..40]),
            format!("a\n1\n{root}\n\n"),
            "a\n1\n".to_owned(),
        ] {
            assert_eq!(Checkpoint::parse(&text), None, "{text:?}");
        }
    }
}
