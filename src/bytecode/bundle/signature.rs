//! Signatures: Ed25519 over the name of a bundle, by several signers.
//!
//! What is signed is `pdl bundle v1`, a line feed, and the 32 bytes of the name, so that a signature of a bundle is one of
//! nothing else.

use std::fmt;

use crate::base::hash::Digest;
use crate::base::limits;
use crate::bytecode::bundle::BundleError;
use crate::bytecode::wire::{Reader, Wire, WireError};

/// A public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

/// What a key is called: the first eight bytes of its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 8]);

impl PublicKey {
    /// What it is called.
    #[must_use]
    pub fn id(&self) -> KeyId {
        let [a, b, c, d, e, f, g, h, ..] = Digest::of(&self.0).0;
        KeyId([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A signature of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Of whom.
    pub signer: PublicKey,
    /// The 64 bytes of Ed25519.
    pub bytes: [u8; 64],
}

/// Which signatures a bundle has to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignaturePolicy {
    /// None. Those that are there have to be right all the same.
    None,
    /// Of at least so many of these keys.
    Demand {
        /// The keys that are trusted.
        keys: Vec<PublicKey>,
        /// How many have to have signed; taken as 1 if it is 0.
        at_least: usize,
    },
}

impl Wire for Signature {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.signer.0);
        out.extend_from_slice(&self.bytes);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Signature, WireError> {
        let signer = PublicKey(reader.read::<Digest>()?.0);
        let mut bytes = [0; 64];
        bytes.copy_from_slice(reader.take(64)?);
        Ok(Signature { signer, bytes })
    }
}

/// Whether the signatures are right, and enough.
pub(super) fn check(name: Digest, signatures: &[Signature], policy: &SignaturePolicy) -> Result<(), BundleError> {
    if signatures.len() > limits::SIGNATURES_MAX {
        return Err(BundleError::TooManySignatures);
    }
    if !signatures.is_sorted_by(|one, next| one.signer < next.signer) {
        return Err(BundleError::SignerTwice);
    }
    check_each(name, signatures)?;
    let SignaturePolicy::Demand { keys, at_least } = policy else { return Ok(()) };
    if cfg!(not(feature = "signatures")) {
        return Err(BundleError::NoSignatures);
    }
    let Some(first) = signatures.first() else { return Err(BundleError::Unsigned) };
    let found = signatures.iter().filter(|signature| keys.contains(&signature.signer)).count();
    let demanded = (*at_least).max(1);
    match found {
        0 => Err(BundleError::Stranger { signer: first.signer.id() }),
        _ if found < demanded => Err(BundleError::TooFewSigners { found, demanded }),
        _ => Ok(()),
    }
}

#[cfg(feature = "signatures")]
fn message(name: Digest) -> Vec<u8> {
    [&b"pdl bundle v1\n"[..], &name.0].concat()
}

#[cfg(feature = "signatures")]
fn check_each(name: Digest, signatures: &[Signature]) -> Result<(), BundleError> {
    for signature in signatures {
        let bad = BundleError::BadSignature { signer: signature.signer.id() };
        let Ok(key) = ed25519_dalek::VerifyingKey::from_bytes(&signature.signer.0) else { return Err(bad) };
        let bytes = ed25519_dalek::Signature::from_bytes(&signature.bytes);
        if key.verify_strict(&message(name), &bytes).is_err() {
            return Err(bad);
        }
    }
    Ok(())
}

/// Without the feature nobody can demand signatures, and none is looked into.
#[cfg(not(feature = "signatures"))]
fn check_each(_name: Digest, _signatures: &[Signature]) -> Result<(), BundleError> {
    Ok(())
}

/// The signature of a bundle's name by the key of a seed.
#[cfg(feature = "signatures")]
#[must_use]
pub fn sign_name(name: Digest, seed: &[u8; 32]) -> Signature {
    use ed25519_dalek::Signer as _;
    let key = ed25519_dalek::SigningKey::from_bytes(seed);
    let signer = PublicKey(key.verifying_key().to_bytes());
    Signature { signer, bytes: key.sign(&message(name)).to_bytes() }
}

/// The public key of a seed.
#[cfg(feature = "signatures")]
#[must_use]
pub fn public_key(seed: &[u8; 32]) -> PublicKey {
    PublicKey(ed25519_dalek::SigningKey::from_bytes(seed).verifying_key().to_bytes())
}
