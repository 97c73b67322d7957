//! The Merkle tree of RFC 6962, section 2.1: hashes of leaves and nodes, and appending.
//!
//! A node is named by its level and its index there: the node `(level, index)` stands for the leaves from
//! `index << level` on, `1 << level` of them, and exists once all of them do. It never changes from then on.

use crate::base::hash::Digest;

/// A node of a tree, complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// How far above the leaves, which are on level 0.
    pub level: u8,
    /// The how-manieth of its level, from 0.
    pub index: u64,
}

/// The hash of an entry.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], entry])
}

/// The hash of two nodes together.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    // In one piece: a hash of parts gathers them first, piece by piece.
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Digest::of(&bytes)
}

/// The root of a tree without leaves.
#[must_use]
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// What has to be known of a tree to append to it: the roots of its largest complete subtrees, from left to right.
///
/// ```
/// use pdl::log::tree::{Frontier, leaf_hash};
///
/// let mut tree = Frontier::default();
/// for entry in [b"one", b"two"] {
///     tree.append(leaf_hash(entry), |_, _| {});
/// }
/// assert_eq!(tree.size(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    // INVARIANT: one hash for each bit that is set in `size`, that of the highest bit first.
    roots: Vec<Digest>,
}

impl Frontier {
    /// The frontier of a tree of some size, from its complete nodes; `None` if one that is needed is not there.
    pub fn load(size: u64, mut node: impl FnMut(Node) -> Option<Digest>) -> Option<Frontier> {
        let roots = complete_subtrees(0, size).into_iter().map(&mut node).collect::<Option<Vec<_>>>()?;
        Some(Frontier { size, roots })
    }

    /// How many leaves there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf. `emit` is told every node that is complete now, from the leaf upward.
    ///
    /// # Panics
    /// After 2⁶⁴ leaves.
    pub fn append(&mut self, leaf: Digest, mut emit: impl FnMut(Node, Digest)) {
        let mut node = Node { level: 0, index: self.size };
        let mut hash = leaf;
        emit(node, hash);
        while node.index & 1 == 1 {
            // An odd index has a complete neighbour on its left, which is the last root.
            let left = self.roots.pop().expect("an odd index has a left neighbour");
            hash = node_hash(&left, &hash);
            node = Node { level: node.level + 1, index: node.index >> 1 };
            emit(node, hash);
        }
        self.roots.push(hash);
        self.size = self.size.checked_add(1).expect("no log is that long");
    }

    /// The root of the whole tree.
    #[must_use]
    pub fn root(&self) -> Digest {
        let mut roots = self.roots.iter().rev();
        let Some(last) = roots.next() else { return empty_root() };
        roots.fold(*last, |right, left| node_hash(left, &right))
    }
}

/// The largest complete nodes that together stand for the leaves from `start` to before `end`, from left to right, where
/// `start` is where a subtree of that size begins in a tree.
#[must_use]
pub fn complete_subtrees(start: u64, end: u64) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut at = start;
    while at < end {
        let left = end - at;
        // The largest power of two that fits into what is left, and begins at a multiple of itself.
        let level = left.ilog2().min(if at == 0 { u64::BITS - 1 } else { at.trailing_zeros() });
        nodes.push(Node { level: level as u8, index: at >> level });
        at += 1 << level;
    }
    nodes
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// As RFC 6962 defines it, by the letter.
    fn root_by_definition(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let split = 1 << (leaves.len() - 1).ilog2();
                node_hash(&root_by_definition(&leaves[..split]), &root_by_definition(&leaves[split..]))
            }
        }
    }

    #[test]
    fn roots_are_as_defined() {
        let leaves: Vec<Digest> = (0_u32..300).map(|n| leaf_hash(&n.to_be_bytes())).collect();
        let mut tree = Frontier::default();
        let mut nodes = BTreeMap::new();
        for (at, leaf) in leaves.iter().enumerate() {
            assert_eq!(tree.root(), root_by_definition(&leaves[..at]), "{at} leaves");
            let loaded = Frontier::load(at as u64, |node| nodes.get(&node).copied());
            assert_eq!(loaded.as_ref(), Some(&tree), "{at} leaves");
            tree.append(*leaf, |node, hash| {
                assert_eq!(nodes.insert(node, hash), None, "{node:?} is told once");
            });
        }
        for (node, hash) in nodes {
            let start = (node.index << node.level) as usize;
            assert_eq!(hash, root_by_definition(&leaves[start..start + (1 << node.level)]), "{node:?}");
        }
    }

    #[test]
    fn known_roots() {
        // RFC 6962, section 2.1: the hash of an empty list is the hash of an empty string.
        let text = Frontier::default().root().to_string();
        assert_eq!(text, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(
            leaf_hash(b"").to_string(),
            "sha256:6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
    }

    #[test]
    fn a_tree_that_is_not_all_there_is_not_loaded() {
        assert_eq!(Frontier::load(3, |_| None), None);
        assert_eq!(Frontier::load(0, |_| None), Some(Frontier::default()));
    }
}
