//! Proofs of the log, from the nodes that are kept.

use super::checkpoint::{Kept, covering, current};
use super::erase::entry_of;
use super::{LogError, with_nodes};
use crate::kernel::entry::Entry;
use crate::kernel::store::Tx;
use crate::log::offline::{Consistency, Inclusion};
use crate::log::proof;
use crate::log::tree::{Node, leaf_hash};

/// The proof that the entry of an id is in the log, with the entry. It leads to the last checkpoint.
///
/// # Errors
/// [`LogError::NoEntry`]; [`LogError::NoCheckpoint`] if the entry is younger than the last checkpoint.
pub fn inclusion(tx: &mut dyn Tx, id: &str) -> Result<(Entry, Inclusion), LogError> {
    inclusion_in(tx, id, None)
}

/// The same, leading to the checkpoint of so many entries if a size is given.
///
/// # Errors
/// [`LogError::NoEntry`]; [`LogError::NoCheckpoint`] if there is none of that size, or the entry is younger than it.
pub fn inclusion_in(tx: &mut dyn Tx, id: &str, size: Option<u64>) -> Result<(Entry, Inclusion), LogError> {
    let entry = entry_of(tx, id)?;
    let proof = proof_at(tx, entry.index, size)?;
    Ok((entry, proof))
}

/// The same of an entry that was dropped and is known from elsewhere: the hash of it is here.
///
/// # Errors
/// [`LogError::Exported`] if it is none of this log; [`LogError::NoCheckpoint`] as for any.
pub fn inclusion_of(tx: &mut dyn Tx, entry: &Entry, size: Option<u64>) -> Result<Inclusion, LogError> {
    if tx.node(Node { level: 0, index: entry.index })? != Some(leaf_hash(&entry.to_bytes())) {
        return Err(LogError::Exported(format!("its entry {} is not that of this log", entry.index)));
    }
    proof_at(tx, entry.index, size)
}

fn proof_at(tx: &mut dyn Tx, index: u64, size: Option<u64>) -> Result<Inclusion, LogError> {
    let needed = index.saturating_add(1);
    let kept = match size {
        Some(size) => Some(checkpoint_of(tx, size)?),
        None => current(tx)?,
    };
    let Kept { size, note } = kept.filter(|kept| kept.size >= needed).ok_or(LogError::NoCheckpoint(needed))?;
    let hashes =
        with_nodes(|node| tx.node(node), |node| proof::inclusion(index, size, node))?.map_err(LogError::NoProof)?;
    Ok(Inclusion { index, hashes, checkpoint: note })
}

/// The proof that the log of an older checkpoint, of `old` entries, is the beginning of the one of the last checkpoint.
///
/// # Errors
/// [`LogError::NoCheckpoint`] if the last one is not of so many; `old` is 0, of which there is nothing to prove.
pub fn consistency(tx: &mut dyn Tx, old: u64) -> Result<Consistency, LogError> {
    let Kept { size, note } = current(tx)?.filter(|kept| kept.size >= old).ok_or(LogError::NoCheckpoint(old))?;
    let hashes =
        with_nodes(|node| tx.node(node), |node| proof::consistency(old, size, node))?.map_err(LogError::NoProof)?;
    Ok(Consistency { old, hashes, checkpoint: note })
}

/// The checkpoint of exactly so many entries.
///
/// # Errors
/// [`LogError::NoCheckpoint`]
pub fn checkpoint_of(tx: &mut dyn Tx, size: u64) -> Result<Kept, LogError> {
    covering(tx, size)?.filter(|kept| kept.size == size).ok_or(LogError::NoCheckpoint(size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::log::append::Log;
    use crate::kernel::log::testing::{Memory, ORIGIN, World, event, signer};
    use crate::kernel::store::Store as _;

    #[test]
    fn proofs_hold_for_whoever_has_the_key() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let mut entries = Vec::new();
        let known = [signer().verifier()];
        for round in 0..7 {
            entries.extend((0..=round).map(|n| store.append(&log, &world, event(n))));
            let size = entries.len() as u64;
            let done = store.transact(&mut |tx| {
                let kept = log.checkpoint(tx, &signer())?;
                assert_eq!(checkpoint_of(tx, size)?, kept);
                for entry in &entries {
                    let (read, proof) = inclusion(tx, &entry.id)?;
                    assert_eq!(&read, entry);
                    assert_eq!(inclusion_in(tx, &entry.id, Some(size))?, (read, proof.clone()));
                    let leaf = leaf_hash(&entry.to_bytes());
                    let text = proof.to_string();
                    let proof = Inclusion::parse(&text).expect("it comes back");
                    assert_eq!(proof.check(leaf, ORIGIN, &known).map(|head| head.size), Ok(size));
                    assert!(proof.check(leaf_hash(b"other"), ORIGIN, &known).is_err());
                }
                for old in (0..=round).map(|round| (round + 1) * (round + 2) / 2) {
                    let proof = consistency(tx, old)?;
                    let kept = checkpoint_of(tx, old)?.note;
                    assert_eq!(proof.check(&kept, ORIGIN, &known).map(|head| head.size), Ok(size));
                }
                Ok(())
            });
            assert_eq!(done, Ok(()));
        }
    }

    #[test]
    fn what_is_not_signed_is_not_proved() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let first = store.append(&log, &world, event(0));
        let done = store.transact(&mut |tx| {
            assert_eq!(inclusion(tx, &first.id), Err(LogError::NoCheckpoint(1)));
            log.checkpoint(tx, &signer())?;
            assert!(inclusion(tx, &first.id).is_ok());
            let second = log.append(tx, &world, event(1))?;
            assert_eq!(inclusion(tx, &second.id), Err(LogError::NoCheckpoint(2)));
            assert_eq!(inclusion_in(tx, &second.id, Some(1)), Err(LogError::NoCheckpoint(2)));
            assert_eq!(inclusion_in(tx, &first.id, Some(2)), Err(LogError::NoCheckpoint(2)));
            assert_eq!(consistency(tx, 2), Err(LogError::NoCheckpoint(2)));
            assert!(matches!(consistency(tx, 0), Err(LogError::NoProof(_))));
            assert_eq!(inclusion(tx, "ent_0"), Err(LogError::NoEntry("ent_0".to_owned())));
            Ok(())
        });
        assert_eq!(done, Ok(()));
    }
}
