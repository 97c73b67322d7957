//! Proofs as texts that stand alone: whoever has the log's key and the text needs nothing else.
//!
//! Of an inclusion, C2SP `tlog-proof`:
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! index 1
//! bRPnEHMhXb2kJHNiPw0bIZV1sMv/JlRhc0MrEXBuSYc=
//!
//! pdl.example/log
//! 2
//! +sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=
//!
//! — pdl.example/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```
//!
//! Of a consistency, what C2SP `tlog-witness` has a witness be asked with: `old 1`, the hashes, an empty line, the
//! checkpoint.

use std::fmt;

use base64ct::{Base64, Encoding as _};

use super::checkpoint::Checkpoint;
use super::note::{self, NoteError, Verifier};
use super::proof::{BadProof, check_consistency, check_inclusion};
use crate::base::hash::Digest;

/// What a proof of inclusion begins with.
const INCLUSION_MARK: &str = "c2sp.org/tlog-proof@v1";
/// How many hashes a proof of a log of 64 bits has at most: a proof of consistency may have one more than levels.
const HASHES_MAX: usize = 65;

/// Why a text does not prove what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproved {
    /// It is not written as such proofs are.
    Malformed,
    /// Its checkpoint is not one, or not signed as it should be.
    Note(NoteError),
    /// Its checkpoint is not one of the log.
    OtherLog,
    /// Its hashes do not lead where they should.
    Proof(BadProof),
}

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unproved::Malformed => f.write_str("it is not written as proofs are"),
            Unproved::Note(fault) => write!(f, "its checkpoint: {fault}"),
            Unproved::OtherLog => f.write_str("its checkpoint is of another log"),
            Unproved::Proof(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Unproved {}

/// The checkpoint in a note of a log, if the log's key signed it.
///
/// # Errors
/// Says what is wrong with it.
pub fn open_checkpoint(note: &str, origin: &str, known: &[Verifier]) -> Result<Checkpoint, Unproved> {
    let (text, _) = note::open(note, known).map_err(Unproved::Note)?;
    let checkpoint = Checkpoint::parse(text).ok_or(Unproved::Malformed)?;
    if checkpoint.origin == origin { Ok(checkpoint) } else { Err(Unproved::OtherLog) }
}

/// That an entry is in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inclusion {
    /// Where it is.
    pub index: u64,
    /// The hashes beside the way from it to the root.
    pub hashes: Vec<Digest>,
    /// The signed head that the proof leads to.
    pub checkpoint: String,
}

impl Inclusion {
    /// Reads the text of a proof. What it may have of extra data is left aside: nobody vouches for it.
    ///
    /// # Errors
    /// [`Unproved::Malformed`]
    pub fn parse(text: &str) -> Result<Inclusion, Unproved> {
        let rest = text.strip_prefix(INCLUSION_MARK).and_then(|rest| rest.strip_prefix('\n'));
        let rest = rest.ok_or(Unproved::Malformed)?;
        let rest = match rest.strip_prefix("extra ") {
            Some(behind) => {
                let (extra, rest) = behind.split_once('\n').ok_or(Unproved::Malformed)?;
                Base64::decode_vec(extra).map_err(|_| Unproved::Malformed)?;
                rest
            }
            None => rest,
        };
        let (index, hashes, checkpoint) = read_parts(rest, "index ")?;
        Ok(Inclusion { index, hashes, checkpoint })
    }

    /// Checks that an entry is where the proof says, in the log whose name and key are given. Gives the head.
    ///
    /// # Errors
    /// Says why it can't be said so.
    pub fn check(&self, leaf: Digest, origin: &str, known: &[Verifier]) -> Result<Checkpoint, Unproved> {
        let checkpoint = open_checkpoint(&self.checkpoint, origin, known)?;
        check_inclusion(leaf, self.index, checkpoint.size, &self.hashes, checkpoint.root).map_err(Unproved::Proof)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for Inclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{INCLUSION_MARK}\nindex {}", self.index)?;
        write_rest(f, &self.hashes, &self.checkpoint)
    }
}

/// That a log has only grown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consistency {
    /// How many entries it had.
    pub old: u64,
    /// The hashes.
    pub hashes: Vec<Digest>,
    /// The signed head of today.
    pub checkpoint: String,
}

impl Consistency {
    /// Reads the text of a proof.
    ///
    /// # Errors
    /// [`Unproved::Malformed`]
    pub fn parse(text: &str) -> Result<Consistency, Unproved> {
        let (old, hashes, checkpoint) = read_parts(text, "old ")?;
        Ok(Consistency { old, hashes, checkpoint })
    }

    /// Checks that the log of an older checkpoint, which somebody kept, is the beginning of this one. Gives the new head.
    ///
    /// # Errors
    /// Says why it can't be said so.
    pub fn check(&self, kept: &str, origin: &str, known: &[Verifier]) -> Result<Checkpoint, Unproved> {
        let old = open_checkpoint(kept, origin, known)?;
        let new = open_checkpoint(&self.checkpoint, origin, known)?;
        if old.size != self.old {
            return Err(Unproved::Proof(BadProof::OutOfRange));
        }
        check_consistency(old.size, new.size, old.root, new.root, &self.hashes).map_err(Unproved::Proof)?;
        Ok(new)
    }
}

impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        write_rest(f, &self.hashes, &self.checkpoint)
    }
}

fn write_rest(f: &mut fmt::Formatter<'_>, hashes: &[Digest], checkpoint: &str) -> fmt::Result {
    hashes.iter().try_for_each(|hash| writeln!(f, "{}", Base64::encode_string(&hash.0)))?;
    write!(f, "\n{checkpoint}")
}

/// A number behind a word, hashes, and what is behind an empty line.
fn read_parts(text: &str, word: &str) -> Result<(u64, Vec<Digest>, String), Unproved> {
    let (head, checkpoint) = text.split_once("\n\n").ok_or(Unproved::Malformed)?;
    let mut lines = head.split('\n');
    let number = lines.next().and_then(|line| line.strip_prefix(word)).ok_or(Unproved::Malformed)?;
    let read: u64 = number.parse().map_err(|_| Unproved::Malformed)?;
    if read.to_string() != number {
        return Err(Unproved::Malformed);
    }
    let mut hashes = Vec::new();
    for line in lines {
        let hash = Base64::decode_vec(line).ok().and_then(|bytes| bytes.try_into().ok());
        hashes.push(Digest(hash.ok_or(Unproved::Malformed)?));
        if hashes.len() > HASHES_MAX {
            return Err(Unproved::Malformed);
        }
    }
    Ok((read, hashes, checkpoint.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::log::note::Signer;
    use crate::log::proof;
    use crate::log::tree::{Frontier, leaf_hash};

    const ORIGIN: &str = "pdl.example/log";

    /// Proofs of the entry 3 of 7, and of the 3 that there were before, with the older checkpoint.
    fn proofs() -> (Inclusion, Consistency, String, Signer) {
        let signer = Signer::from_seed(ORIGIN, &[7; 32]).expect("it is a name");
        let (mut tree, mut nodes) = (Frontier::default(), BTreeMap::new());
        let mut signed = Vec::new();
        for at in 0..7_u64 {
            tree.append(leaf_hash(&at.to_be_bytes()), |node, hash| _ = nodes.insert(node, hash));
            let (size, root) = (tree.size(), tree.root());
            let head = Checkpoint { origin: ORIGIN.to_owned(), size, root, extensions: Vec::new() };
            signed.push(signer.sign(&head.to_string()).expect("it can be signed"));
        }
        let node = |node| nodes.get(&node).copied();
        let hashes = proof::inclusion(3, 7, node).expect("it is there");
        let inclusion = Inclusion { index: 3, hashes, checkpoint: signed[6].clone() };
        let hashes = proof::consistency(3, 7, node).expect("it is there");
        let consistency = Consistency { old: 3, hashes, checkpoint: signed[6].clone() };
        (inclusion, consistency, signed[2].clone(), signer)
    }

    #[test]
    fn texts_come_back_and_prove() {
        let (inclusion, consistency, kept, signer) = proofs();
        let known = [signer.verifier()];
        let text = inclusion.to_string();
        assert_eq!(Inclusion::parse(&text), Ok(inclusion.clone()));
        let more = text.replace("\nindex", "\nextra eHg=\nindex");
        assert_eq!(Inclusion::parse(&more), Ok(inclusion.clone()));
        let leaf = leaf_hash(&3_u64.to_be_bytes());
        assert_eq!(inclusion.check(leaf, ORIGIN, &known).map(|head| head.size), Ok(7));
        assert_eq!(Consistency::parse(&consistency.to_string()), Ok(consistency.clone()));
        assert_eq!(consistency.check(&kept, ORIGIN, &known).map(|head| head.size), Ok(7));
    }

    #[test]
    fn what_proves_nothing_is_refused() {
        let (inclusion, consistency, kept, signer) = proofs();
        let known = [signer.verifier()];
        let leaf = leaf_hash(&3_u64.to_be_bytes());
        let other = leaf_hash(b"other");
        assert_eq!(inclusion.check(other, ORIGIN, &known), Err(Unproved::Proof(BadProof::WrongRoot)));
        assert_eq!(inclusion.check(leaf, "other.example/log", &known), Err(Unproved::OtherLog));
        assert_eq!(inclusion.check(leaf, ORIGIN, &[]), Err(Unproved::Note(NoteError::NoKnownSignature)));
        // The head that was kept has to be the one that the proof begins at.
        let now = consistency.checkpoint.clone();
        assert_eq!(consistency.check(&now, ORIGIN, &known), Err(Unproved::Proof(BadProof::OutOfRange)));
        let longer = Consistency { hashes: [&consistency.hashes[..], &[other]].concat(), ..consistency };
        assert_eq!(longer.check(&kept, ORIGIN, &known), Err(Unproved::Proof(BadProof::WrongLength)));
        // A note of the key that is no checkpoint.
        let note = signer.sign("a text\n").expect("it can be signed");
        assert_eq!(open_checkpoint(&note, ORIGIN, &known), Err(Unproved::Malformed));
    }

    #[test]
    fn other_texts_are_refused() {
        let text = proofs().0.to_string();
        for changed in [
            text.replace("@v1", "@v2"),
            text.replace("index 3", "index 03"),
            text.replace("index 3", "index -3"),
            text.replace("index 3", "old 3"),
            text.replace("\nindex", "\nextra !\nindex"),
            text.replace("index 3\n", "index 3\nAAAA\n"),
            text.replace("index 3\n", &format!("index 3\n{}", format!("{}\n", "A".repeat(43) + "=").repeat(63))),
            text.replace("\n\n", "\n"),
            String::new(),
        ] {
            assert_eq!(Inclusion::parse(&changed), Err(Unproved::Malformed), "{changed}");
        }
        assert_eq!(Consistency::parse(&text), Err(Unproved::Malformed));
    }
}
