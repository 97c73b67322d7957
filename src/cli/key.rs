//! Key files: one line of text each, so that they go into a secret store, a mail or a repository as they are.
//!
//! ```text
//! ed25519-private-key:3f0c…   64 hexadecimal digits: the seed of RFC 8032
//! ed25519-public-key:9a51…    64 hexadecimal digits: the public key of RFC 8032
//! permit-key:77c0…            64 hexadecimal digits: what a kernel authenticates permits with
//! ```
//!
//! Empty lines and lines that begin with `#` are skipped.

use std::path::Path;

use ed25519_dalek::{SigningKey, VerifyingKey};

use super::files;
use super::status::Failure;
use crate::base::limits::KEY_FILE_BYTES_MAX;

const PRIVATE: &str = "ed25519-private-key:";
const PUBLIC: &str = "ed25519-public-key:";
const PERMIT: &str = "permit-key:";

/// Bytes that nobody can guess.
pub fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::new(format!("the system gives no random numbers: {error}")))?;
    Ok(bytes)
}

/// A new private key.
pub fn generate() -> Result<SigningKey, Failure> {
    Ok(SigningKey::from_bytes(&random()?))
}

/// The text of a private key's file.
#[must_use]
pub fn private_text(key: &SigningKey) -> String {
    format!("{PRIVATE}{}\n", hex(&key.to_bytes()))
}

/// The text of a public key's file.
#[must_use]
pub fn public_text(key: &VerifyingKey) -> String {
    format!("{PUBLIC}{}\n", hex(key.as_bytes()))
}

/// The text of the file of a key of permits.
#[must_use]
pub fn permit_text(key: &[u8; 32]) -> String {
    format!("{PERMIT}{}\n", hex(key))
}

/// Reads a key of permits.
pub fn read_permit(path: &Path) -> Result<[u8; 32], Failure> {
    read(path, PERMIT, PUBLIC, "permit")
}

/// The public key of a line.
#[must_use]
pub fn parse_public(line: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&line.trim().strip_prefix(PUBLIC).and_then(from_hex)?).ok()
}

/// Reads a private key.
pub fn read_private(path: &Path) -> Result<SigningKey, Failure> {
    let bytes = read(path, PRIVATE, PUBLIC, "private")?;
    Ok(SigningKey::from_bytes(&bytes))
}

/// Reads a public key.
pub fn read_public(path: &Path) -> Result<VerifyingKey, Failure> {
    let bytes = read(path, PUBLIC, PRIVATE, "public")?;
    VerifyingKey::from_bytes(&bytes)
        .map_err(|_| Failure::new(format!("`{}` holds a number that is not an Ed25519 public key", path.display())))
}

fn read(path: &Path, prefix: &str, other: &str, word: &str) -> Result<[u8; 32], Failure> {
    let bytes = files::read(path, KEY_FILE_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let wrong = |why: &str| {
        let form = format!("a {word} key is one line: `{prefix}` and 64 hexadecimal digits");
        Err(Failure::new(format!("`{}` is not a {word} key: {why}", path.display())).help(form))
    };
    let Some(line) = lines.next() else { return wrong("it is empty") };
    if lines.next().is_some() {
        return wrong("it has more than one line");
    }
    if line.starts_with(other) {
        return wrong(if other == PUBLIC { "it is a public one" } else { "it is a private one" });
    }
    match line.strip_prefix(prefix).and_then(from_hex) {
        Some(bytes) => Ok(bytes),
        None => wrong("it has another form"),
    }
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(digits: &str) -> Option<[u8; 32]> {
    let digits = digits.trim().as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        let value = char::from(high).to_digit(16)? * 16 + char::from(low).to_digit(16)?;
        *byte = u8::try_from(value).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_go_there_and_back() {
        let bytes: [u8; 32] = std::array::from_fn(|at| at as u8 * 7);
        assert_eq!(from_hex(&hex(&bytes)), Some(bytes));
        assert_eq!(from_hex(&hex(&bytes).to_uppercase()), Some(bytes));
        assert_eq!(from_hex(""), None);
        assert_eq!(from_hex(&"é".repeat(32)), None);
    }
}
