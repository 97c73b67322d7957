//! Proofs: that an entry is in a tree, and that a tree is the beginning of a later one. RFC 6962, sections 2.1.1 and 2.1.2.

use std::fmt;

use super::tree::{Node, complete_subtrees, empty_root, node_hash};
use crate::base::hash::Digest;

/// Why no proof can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoProof {
    /// There is no such leaf, or no tree of that size.
    OutOfRange,
    /// A node of the tree that the proof needs is not there.
    MissingNode(Node),
}

impl fmt::Display for NoProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoProof::OutOfRange => f.write_str("the tree is not that large"),
            NoProof::MissingNode(Node { level, index }) => write!(f, "node {index} of level {level} is missing"),
        }
    }
}

impl std::error::Error for NoProof {}

/// Why a proof does not prove what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadProof {
    /// The sizes or the index make no sense together.
    OutOfRange,
    /// It has more or fewer hashes than such a proof has.
    WrongLength,
    /// It leads to another root.
    WrongRoot,
}

impl fmt::Display for BadProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BadProof::OutOfRange => "the sizes make no sense together",
            BadProof::WrongLength => "the proof has the wrong number of hashes",
            BadProof::WrongRoot => "the proof leads to another root",
        })
    }
}

impl std::error::Error for BadProof {}

/// The proof that the leaf at `index` is in the tree of `size` leaves: the neighbours on the way up.
///
/// # Errors
/// There is no such leaf, or `node` does not know a complete node.
pub fn inclusion(index: u64, size: u64, mut node: impl FnMut(Node) -> Option<Digest>) -> Result<Vec<Digest>, NoProof> {
    if index >= size {
        return Err(NoProof::OutOfRange);
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    // From the root down, so the neighbours come in the opposite order.
    while end - start > 1 {
        let split = start + half(end - start);
        if index < split {
            proof.push(root_of(split, end, &mut node)?);
            end = split;
        } else {
            proof.push(root_of(start, split, &mut node)?);
            start = split;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `old` leaves is the beginning of the one of `new` leaves.
///
/// # Errors
/// `old` is not between 1 and `new`, or `node` does not know a complete node.
pub fn consistency(old: u64, new: u64, mut node: impl FnMut(Node) -> Option<Digest>) -> Result<Vec<Digest>, NoProof> {
    if old == 0 || old > new {
        return Err(NoProof::OutOfRange);
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, new);
    while end != old {
        let split = start + half(end - start);
        if old <= split {
            proof.push(root_of(split, end, &mut node)?);
            end = split;
        } else {
            proof.push(root_of(start, split, &mut node)?);
            start = split;
        }
    }
    // The old tree itself is known to whoever checks, unless it was parted on the way.
    if start > 0 {
        proof.push(root_of(start, end, &mut node)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root of the tree of `size` leaves.
///
/// # Errors
/// `node` does not know a complete node.
pub fn root(size: u64, mut node: impl FnMut(Node) -> Option<Digest>) -> Result<Digest, NoProof> {
    root_of(0, size, &mut node)
}

/// Checks that a leaf is in a tree.
///
/// # Errors
/// Says why it can't be said so.
pub fn check_inclusion(leaf: Digest, index: u64, size: u64, proof: &[Digest], root: Digest) -> Result<(), BadProof> {
    if index >= size {
        return Err(BadProof::OutOfRange);
    }
    // RFC 9162, section 2.1.3.2.
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for other in proof {
        if last == 0 {
            return Err(BadProof::WrongLength);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(other, &hash);
            if node & 1 == 0 {
                // No neighbour on the right for some levels: they are passed over.
                let levels = node.trailing_zeros();
                node = node.checked_shr(levels).unwrap_or(0);
                last = last.checked_shr(levels).unwrap_or(0);
            }
        } else {
            hash = node_hash(&hash, other);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last == 0, hash == root) {
        (false, _) => Err(BadProof::WrongLength),
        (true, false) => Err(BadProof::WrongRoot),
        (true, true) => Ok(()),
    }
}

/// Checks that one tree is the beginning of another. Of a tree without leaves there is nothing to be checked, and no
/// proof: it is the beginning of every tree.
///
/// # Errors
/// Says why it can't be said so.
pub fn check_consistency(
    old: u64,
    new: u64,
    old_root: Digest,
    new_root: Digest,
    proof: &[Digest],
) -> Result<(), BadProof> {
    if old == 0 || old > new {
        return Err(BadProof::OutOfRange);
    }
    if old == new {
        return match (proof.is_empty(), old_root == new_root) {
            (false, _) => Err(BadProof::WrongLength),
            (true, false) => Err(BadProof::WrongRoot),
            (true, true) => Ok(()),
        };
    }
    // RFC 9162, section 2.1.4.2.
    let mut proof = proof.iter();
    let mut first = || proof.next().ok_or(BadProof::WrongLength);
    let start = if old.is_power_of_two() { old_root } else { *first()? };
    let (mut node, mut last) = (old - 1, new - 1);
    let levels = node.trailing_ones();
    node = node.checked_shr(levels).unwrap_or(0);
    last = last.checked_shr(levels).unwrap_or(0);
    let (mut old_hash, mut new_hash) = (start, start);
    for other in proof {
        if last == 0 {
            return Err(BadProof::WrongLength);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(other, &old_hash);
            new_hash = node_hash(other, &new_hash);
            if node & 1 == 0 {
                let levels = node.trailing_zeros();
                node = node.checked_shr(levels).unwrap_or(0);
                last = last.checked_shr(levels).unwrap_or(0);
            }
        } else {
            new_hash = node_hash(&new_hash, other);
        }
        node >>= 1;
        last >>= 1;
    }
    match (last == 0, old_hash == old_root && new_hash == new_root) {
        (false, _) => Err(BadProof::WrongLength),
        (true, false) => Err(BadProof::WrongRoot),
        (true, true) => Ok(()),
    }
}

/// The largest power of two below a size of at least 2: where RFC 6962 parts a tree.
fn half(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The root of the leaves from `start` to before `end`, where a subtree begins at `start`.
fn root_of(start: u64, end: u64, node: &mut impl FnMut(Node) -> Option<Digest>) -> Result<Digest, NoProof> {
    let mut root = None;
    for part in complete_subtrees(start, end).into_iter().rev() {
        let hash = node(part).ok_or(NoProof::MissingNode(part))?;
        root = Some(root.map_or(hash, |right| node_hash(&hash, &right)));
    }
    Ok(root.unwrap_or_else(empty_root))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::log::tree::{Frontier, leaf_hash};

    const SIZE: u64 = 70;

    struct Tree {
        nodes: BTreeMap<Node, Digest>,
        roots: Vec<Digest>,
    }

    fn tree() -> Tree {
        let (mut frontier, mut nodes) = (Frontier::default(), BTreeMap::new());
        let mut roots = vec![frontier.root()];
        for at in 0..SIZE {
            frontier.append(leaf_hash(&at.to_be_bytes()), |node, hash| _ = nodes.insert(node, hash));
            roots.push(frontier.root());
        }
        Tree { nodes, roots }
    }

    #[test]
    fn every_inclusion_is_proved_and_no_other() {
        let Tree { nodes, roots } = tree();
        let node = |node| nodes.get(&node).copied();
        for size in 1..=SIZE {
            let new_root = roots[size as usize];
            assert_eq!(root(size, node), Ok(new_root));
            for index in 0..size {
                let leaf = leaf_hash(&index.to_be_bytes());
                let proof = inclusion(index, size, node).expect("it is there");
                assert_eq!(check_inclusion(leaf, index, size, &proof, new_root), Ok(()));
                let other = leaf_hash(b"another");
                assert!(check_inclusion(other, index, size, &proof, new_root).is_err());
                assert!(check_inclusion(leaf, index, size, &proof, other).is_err());
                assert!(check_inclusion(leaf, (index + 1) % size, size, &proof, new_root).is_err() || size == 1);
                let longer = [&proof[..], &[other]].concat();
                assert!(check_inclusion(leaf, index, size, &longer, new_root).is_err());
                if let Some((_, shorter)) = proof.split_last() {
                    assert!(check_inclusion(leaf, index, size, shorter, new_root).is_err());
                }
            }
            assert_eq!(inclusion(size, size, node), Err(NoProof::OutOfRange));
        }
    }

    #[test]
    fn every_consistency_is_proved_and_no_other() {
        let Tree { nodes, roots } = tree();
        let node = |node| nodes.get(&node).copied();
        for new in 1..=SIZE {
            for old in 1..=new {
                let (old_root, new_root) = (roots[old as usize], roots[new as usize]);
                let proof = consistency(old, new, node).expect("they are there");
                assert_eq!(check_consistency(old, new, old_root, new_root, &proof), Ok(()), "{old} of {new}");
                let other = leaf_hash(b"another");
                assert!(check_consistency(old, new, other, new_root, &proof).is_err(), "{old} of {new}");
                assert!(check_consistency(old, new, old_root, other, &proof).is_err(), "{old} of {new}");
                let longer = [&proof[..], &[other]].concat();
                assert!(check_consistency(old, new, old_root, new_root, &longer).is_err(), "{old} of {new}");
                if let Some((_, shorter)) = proof.split_last() {
                    assert!(check_consistency(old, new, old_root, new_root, shorter).is_err(), "{old} of {new}");
                }
            }
            assert_eq!(check_consistency(0, new, roots[0], roots[new as usize], &[]), Err(BadProof::OutOfRange));
            assert_eq!(consistency(0, new, node), Err(NoProof::OutOfRange));
            assert_eq!(consistency(new + 1, new, node), Err(NoProof::OutOfRange));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let missing = Node { level: 1, index: 1 };
        let Tree { nodes, .. } = tree();
        let node = |node| nodes.get(&node).copied().filter(|_| node != missing);
        assert_eq!(inclusion(0, 4, node), Err(NoProof::MissingNode(missing)));
    }
}
