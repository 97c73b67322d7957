//! `pdl keygen`: a key pair for signing bundles.

use std::path::PathBuf;

use serde_json::json;

use super::args::{Format, KeygenArgs};
use super::files::{self, Access};
use super::key;
use super::output::Output;
use super::status::{Failure, Status};

/// Writes the private key so that only its owner can read it, and the public key beside it. Never overwrites.
pub fn run(args: &KeygenArgs, output: &mut Output) -> Result<Status, Failure> {
    let key = key::generate()?;
    let mut public_path = args.output.clone().into_os_string();
    public_path.push(".pub");
    let public_path = PathBuf::from(public_path);
    files::refuse_existing(&public_path)?;
    files::create(&args.output, key::private_text(&key).as_bytes(), Access::Owner)?;
    let public = key::public_text(&key.verifying_key());
    files::create(&public_path, public.as_bytes(), Access::Everybody)?;
    let (private_file, public_file) = (args.output.display().to_string(), public_path.display().to_string());
    match args.format {
        Format::Human => {
            output.data(&public)?;
            output.say(&format!("wrote the private key to {private_file}, the public key to {public_file}\n"));
        }
        Format::Json => {
            let document =
                json!({ "public_key": public.trim_end(), "private_file": private_file, "public_file": public_file });
            output.data(&format!("{document:#}\n"))?;
        }
    }
    Ok(Status::Success)
}
