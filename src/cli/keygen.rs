//! `pdl keygen`: a key pair for signing bundles.

use std::path::PathBuf;

use ed25519_dalek::SigningKey;

use super::args::KeygenArgs;
use super::files::{self, Access};
use super::key;
use super::output::Output;
use super::status::{Failure, Status};

/// Writes the private key so that only its owner can read it, and the public key beside it. Never overwrites.
pub fn run(args: &KeygenArgs, output: &mut Output) -> Result<Status, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::new(format!("the system gives no random numbers: {error}")))?;
    let key = SigningKey::from_bytes(&seed);
    let mut public_path = args.output.clone().into_os_string();
    public_path.push(".pub");
    let public_path = PathBuf::from(public_path);
    files::refuse_existing(&public_path)?;
    files::create(&args.output, key::private_text(&key).as_bytes(), Access::Owner)?;
    files::create(&public_path, key::public_text(&key.verifying_key()).as_bytes(), Access::Everybody)?;
    output.data(&key::public_text(&key.verifying_key()))?;
    output.talk(&format!(
        "wrote the private key to {}, the public key to {}\n",
        args.output.display(),
        public_path.display()
    ));
    Ok(Status::Success)
}
