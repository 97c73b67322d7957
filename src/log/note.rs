//! Signed notes: a text and signatures on it, C2SP `signed-note`, with Ed25519.
//!
//! ```text
//! pdl.example/log
//! 42
//! +sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=
//!
//! — pdl.example/log Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```

use std::fmt;

use base64ct::{Base64, Encoding as _};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::base::hash::Digest;

/// What Ed25519 is called in keys of notes.
const ED25519: u8 = 1;
/// The largest note that is read, in bytes.
pub const NOTE_BYTES_MAX: usize = 1_000_000;
/// How many signatures of a note are looked at.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// Why a note is not one, or a key none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// Not written as notes are.
    Malformed,
    /// A name of a key that is empty, or has white space or `+` in it.
    BadName,
    /// A key that is not written as keys of notes are, or of another sort than Ed25519.
    BadKey,
    /// No signature is of a key that is known.
    NoKnownSignature,
    /// A signature of a known key does not fit the text.
    BadSignature,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoteError::Malformed => "it is not written as signed notes are",
            NoteError::BadName => "a key's name is empty or has white space or `+` in it",
            NoteError::BadKey => "it is not an Ed25519 key as signed notes have them",
            NoteError::NoKnownSignature => "no known key has signed it",
            NoteError::BadSignature => "a signature does not fit",
        })
    }
}

impl std::error::Error for NoteError {}

/// Who checks notes: a name and a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    // INVARIANT: a name that a key may have.
    name: String,
    key: VerifyingKey,
}

impl Verifier {
    /// A verifier.
    ///
    /// # Errors
    /// [`NoteError::BadName`]
    pub fn new(name: &str, key: VerifyingKey) -> Result<Verifier, NoteError> {
        if !is_name(name) {
            return Err(NoteError::BadName);
        }
        Ok(Verifier { name: name.to_owned(), key })
    }

    /// Reads a verifier from its text, `name+hash+key`.
    ///
    /// # Errors
    /// [`NoteError::BadName`] and [`NoteError::BadKey`]
    pub fn parse(text: &str) -> Result<Verifier, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::BadKey);
        };
        let bytes = Base64::decode_vec(key).map_err(|_| NoteError::BadKey)?;
        let Some((&ED25519, key)) = bytes.split_first() else { return Err(NoteError::BadKey) };
        let key = key.try_into().ok().and_then(|key| VerifyingKey::from_bytes(key).ok()).ok_or(NoteError::BadKey)?;
        let verifier = Verifier::new(name, key)?;
        if verifier.to_string() == text && format!("{:08x}", verifier.id()) == id {
            Ok(verifier)
        } else {
            Err(NoteError::BadKey)
        }
    }

    /// Whose key it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A short hash of name and key, by which a signature is found.
    #[must_use]
    pub fn id(&self) -> u32 {
        let Digest([a, b, c, d, ..]) =
            Digest::of_parts(&[self.name.as_bytes(), &[b'\n', ED25519], self.key.as_bytes()]);
        u32::from_be_bytes([a, b, c, d])
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.id(), Base64::encode_string(&key))
    }
}

/// Who signs notes: a name and a private key.
#[derive(Clone)]
pub struct Signer {
    // INVARIANT: a name that a key may have.
    name: String,
    key: SigningKey,
}

impl Signer {
    /// A signer, from the 32 bytes that an Ed25519 key is made from.
    ///
    /// # Errors
    /// [`NoteError::BadName`]
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Signer, NoteError> {
        if !is_name(name) {
            return Err(NoteError::BadName);
        }
        Ok(Signer { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// Whose key it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Who checks what it signs.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// Signs a text, as [`sign`] does.
    ///
    /// # Errors
    /// [`NoteError::Malformed`]
    pub fn sign(&self, text: &str) -> Result<String, NoteError> {
        sign(text, &[(&self.name, &self.key)])
    }
}

/// Tells whose key it is, and nothing of the key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Signs a text, which ends in a line feed and has no empty line at its end.
///
/// # Errors
/// [`NoteError::Malformed`] for a text that can't be a note's, [`NoteError::BadName`].
pub fn sign(text: &str, signers: &[(&str, &SigningKey)]) -> Result<String, NoteError> {
    if !is_text(text) || signers.is_empty() {
        return Err(NoteError::Malformed);
    }
    let mut note = format!("{text}\n");
    for (name, key) in signers {
        let id = Verifier::new(name, key.verifying_key())?.id();
        let mut bytes = id.to_be_bytes().to_vec();
        bytes.extend(key.sign(text.as_bytes()).to_bytes());
        note.push_str(&format!("— {name} {}\n", Base64::encode_string(&bytes)));
    }
    Ok(note)
}

/// The text of a note that is signed by at least one of some keys, and the names of all of these that signed it.
///
/// Signatures of other keys are passed over. Of a known key a signature that does not fit is an error, whatever others say.
///
/// # Errors
/// Says what is wrong with it.
pub fn open<'n>(note: &'n str, known: &[Verifier]) -> Result<(&'n str, Vec<String>), NoteError> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(NoteError::Malformed);
    }
    // The last empty line parts text and signatures.
    let at = note.rfind("\n\n").ok_or(NoteError::Malformed)? + 1;
    let (text, signatures) = (&note[..at], &note[at + 1..]);
    if !is_text(text) || !signatures.ends_with('\n') {
        return Err(NoteError::Malformed);
    }
    let mut signed = Vec::new();
    for (at, line) in signatures.lines().enumerate() {
        let (name, encoded) =
            line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or(NoteError::Malformed)?;
        let bytes = Base64::decode_vec(encoded).map_err(|_| NoteError::Malformed)?;
        let Some((id, signature)) = bytes.split_first_chunk::<4>() else { return Err(NoteError::Malformed) };
        if !is_name(name) || signature.is_empty() || at >= NOTE_SIGNATURES_MAX {
            return Err(NoteError::Malformed);
        }
        let id = u32::from_be_bytes(*id);
        let Some(verifier) = known.iter().find(|known| known.name == name && known.id() == id) else { continue };
        let signature = Signature::from_slice(signature).map_err(|_| NoteError::BadSignature)?;
        verifier.key.verify_strict(text.as_bytes(), &signature).map_err(|_| NoteError::BadSignature)?;
        if !signed.iter().any(|known| known == name) {
            signed.push(name.to_owned());
        }
    }
    if signed.is_empty() { Err(NoteError::NoKnownSignature) } else { Ok((text, signed)) }
}

/// Whether it can be the text of a note: lines, each ended, and no control characters.
fn is_text(text: &str) -> bool {
    text.ends_with('\n') && text.len() < NOTE_BYTES_MAX && !text.chars().any(|c| c < ' ' && c != '\n')
}

/// Whether a key, and so a log, can have this name: it is not empty, and has no white space and no `+` in it.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('+') && !name.chars().any(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    // The keys and notes of the documentation of Go's golang.org/x/mod/sumdb/note, which the specification follows.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\
        \n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    #[test]
    fn notes_of_others_are_read() {
        let peter = Verifier::parse(PETER).expect("it is a key");
        assert_eq!(peter.to_string(), PETER);
        let (text, names) = open(NOTE, &[peter]).expect("it is signed");
        assert!(text.ends_with("what your problem is.\n"));
        assert_eq!(names, ["PeterNeumann"]);
    }

    #[test]
    fn what_is_signed_is_opened() {
        let (one, two) = (key(1), key(2));
        let known = |name: &str, key: &SigningKey| Verifier::new(name, key.verifying_key()).expect("it is a name");
        let note = sign("a text\n\nof two parts\n", &[("one", &one), ("two", &two)]).expect("it can be signed");
        assert_eq!(
            open(&note, &[known("two", &two), known("one", &one)]),
            Ok(("a text\n\nof two parts\n", vec!["one".to_owned(), "two".to_owned()]))
        );
        assert_eq!(open(&note, &[known("two", &two)]), Ok(("a text\n\nof two parts\n", vec!["two".to_owned()])));
        // Another key, or the same one under another name, is not known.
        assert_eq!(open(&note, &[known("one", &two)]), Err(NoteError::NoKnownSignature));
        assert_eq!(open(&note, &[known("three", &one)]), Err(NoteError::NoKnownSignature));
        let changed = note.replace("a text", "a test");
        assert_eq!(open(&changed, &[known("one", &one)]), Err(NoteError::BadSignature));
    }

    #[test]
    fn signers_have_their_verifiers() {
        let signer = Signer::from_seed("one", &[1; 32]).expect("it is a name");
        let note = signer.sign("a text\n").expect("it can be signed");
        assert_eq!(note, sign("a text\n", &[("one", &key(1))]).expect("it can be signed"));
        assert_eq!(open(&note, &[signer.verifier()]), Ok(("a text\n", vec!["one".to_owned()])));
        assert_eq!(signer.name(), "one");
        assert_eq!(format!("{signer:?}"), "Signer { name: \"one\", .. }");
        assert_eq!(Signer::from_seed("o+e", &[1; 32]).err(), Some(NoteError::BadName));
    }

    #[test]
    fn what_is_no_note_is_refused() {
        let peter = [Verifier::parse(PETER).expect("it is a key")];
        for note in [
            "",
            "text\n",
            "text\n\n",
            "\n\n— PeterNeumann x08g\n",
            &NOTE.replace("— ", "- "),
            &NOTE[..NOTE.len() - 1],
            &NOTE.replace("x08go", "x08g!"),
            &NOTE.replace("answer", "ans\twer"),
            &format!("{NOTE}\n"),
        ] {
            assert_eq!(open(note, &peter), Err(NoteError::Malformed), "{note:?}");
        }
        for bad in
            ["", "a+b", &PETER.replace("c74f", "C74F"), &PETER.replace("Peter", "Pet er"), &PETER[..PETER.len() - 4]]
        {
            assert!(Verifier::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(sign("no end", &[("a", &key(1))]), Err(NoteError::Malformed));
        assert_eq!(sign("text\n", &[]), Err(NoteError::Malformed));
        assert_eq!(sign("text\n", &[("a b", &key(1))]), Err(NoteError::BadName));
    }
}
