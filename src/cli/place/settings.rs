//! `kernel.toml`: how a kernel is run.
//!
//! ```toml
//! [log]
//! origin = "example.com/pdl"
//!
//! [permits]
//! start_within = "5m"
//! run_within = "1h"
//!
//! [bundles]
//! signers = ["ed25519-public-key:…"]
//! ```
//!
//! It says nothing that decides a request; whoever may write it may also write the state beside it.

use ed25519_dalek::VerifyingKey;
use serde::Deserialize;

use super::super::key;
use super::super::status::Failure;
use crate::bytecode::bundle::{LoadOptions, PublicKey, SignaturePolicy};
use crate::bytecode::verify::Limits;
use crate::data::duration::Duration;

/// How a kernel is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The name of its log.
    pub origin: String,
    /// How long a permit can be started.
    pub start_within: Duration,
    /// How long what was started may take.
    pub run_within: Duration,
    /// Who all have to have signed a bundle.
    pub signers: Vec<VerifyingKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    log: LogTable,
    permits: PermitsTable,
    #[serde(default)]
    bundles: BundlesTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogTable {
    origin: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PermitsTable {
    start_within: String,
    run_within: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct BundlesTable {
    #[serde(default)]
    signers: Vec<String>,
}

impl Settings {
    /// Reads them. An error is one sentence.
    pub fn parse(text: &str) -> Result<Settings, String> {
        let document: Document =
            toml::from_str(text).map_err(|error| error.message().lines().collect::<Vec<_>>().join(", "))?;
        let time = |name: &str, text: &str| match Duration::parse(text) {
            Ok(time) if time > Duration::ZERO => Ok(time),
            Ok(_) => Err(format!("`{name}` has to be longer than no time")),
            Err(error) => Err(format!("`{name}`: {error}")),
        };
        let PermitsTable { start_within, run_within } = document.permits;
        let signer = |text: &String| {
            key::parse_public(text).ok_or_else(|| format!("`{text}` among the `signers` is no public key"))
        };
        Ok(Settings {
            origin: document.log.origin,
            start_within: time("start_within", &start_within)?,
            run_within: time("run_within", &run_within)?,
            signers: document.bundles.signers.iter().map(signer).collect::<Result<_, _>>()?,
        })
    }

    /// Their text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let signers: Vec<String> = self.signers.iter().map(|key| quoted(key::public_text(key).trim_end())).collect();
        format!(
            "# How this kernel is run. What decides is in kernel.db.\n\n\
             [log]\n\
             # The name of the log in its checkpoints. It can't change once there is one.\n\
             origin = {}\n\n\
             [permits]\n\
             # How long a permit can be started, and how long what was started may take.\n\
             start_within = \"{}\"\n\
             run_within = \"{}\"\n\n\
             [bundles]\n\
             # Who all have to have signed a bundle; if it is nobody, any bundle is taken.\n\
             signers = [{}]\n",
            quoted(&self.origin),
            self.start_within,
            self.run_within,
            signers.join(", ")
        )
    }

    /// What is demanded of bundles.
    pub fn bundles(&self) -> Result<LoadOptions, Failure> {
        let mut keys: Vec<PublicKey> = self.signers.iter().map(|key| PublicKey(key.to_bytes())).collect();
        keys.sort();
        keys.dedup();
        let signatures = match keys.len() {
            0 => SignaturePolicy::None,
            at_least => SignaturePolicy::Demand { at_least, keys },
        };
        Ok(LoadOptions { signatures, limits: Limits::STANDARD })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings {
            origin: "example.com/\"pdl\"".to_owned(),
            start_within: Duration::parse("5m").expect("it is a time"),
            run_within: Duration::parse("1h30m").expect("it is a time"),
            signers: vec![ed25519_dalek::SigningKey::from_bytes(&[7; 32]).verifying_key()],
        }
    }

    #[test]
    fn they_are_read_as_they_are_written() {
        let text = settings().to_text();
        assert_eq!(Settings::parse(&text), Ok(settings()), "{text}");
    }

    #[test]
    fn faults_are_said() {
        let text = settings().to_text();
        for (from, to, why) in [
            ("[log]", "[logs]", "unknown field `logs`"),
            ("\"5m\"", "\"0s\"", "`start_within` has to be longer than no time"),
            ("\"1h30m\"", "\"soon\"", "`run_within`:"),
            ("public-key:", "public-kez:", "among the `signers` is no public key"),
            ("run_within", "run_withim", "unknown field `run_withim`"),
        ] {
            let told = Settings::parse(&text.replace(from, to)).expect_err("it is faulty");
            assert!(told.contains(why), "{told}");
        }
    }
}
