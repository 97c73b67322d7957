//! `pdl sign`: one more signature in a bundle.

use serde_json::json;

use super::args::{Format, SignArgs};
use super::files;
use super::key;
use super::output::Output;
use super::policy;
use super::status::{Failure, Status};
use crate::bytecode::bundle::{self, PublicKey, SignaturePolicy};

/// Signs a bundle, after it has passed the verifier: nobody is to vouch for what can't run.
pub fn run(args: &SignArgs, output: &mut Output) -> Result<Status, Failure> {
    let key = key::read_private(&args.key)?;
    let bytes = policy::bundle_bytes(&args.bundle)?;
    let loaded = policy::read(&args.bundle, &bytes, &SignaturePolicy::None)?;
    let signer = PublicKey(key.verifying_key().to_bytes());
    if loaded.signatures.iter().any(|signature| signature.signer == signer) {
        return Err(Failure::new(format!("`{}` has a signature by this key already", args.bundle.display())));
    }
    let signed = bundle::sign(&bytes, &key.to_bytes()).map_err(|error| policy::refused(&args.bundle, &error))?;
    let target = args.output.as_ref().unwrap_or(&args.bundle);
    let signer = signer.id();
    let is_stdout = files::is_stdin(target);
    if is_stdout {
        output.bytes(&signed)?;
    } else {
        files::replace(target, &signed)?;
    }
    match args.format {
        Format::Human => output.talk(&format!("signed {} as {signer}\n", loaded.name)),
        Format::Json if is_stdout => {}
        Format::Json => {
            let file = target.display().to_string();
            let document = json!({ "name": loaded.name.to_string(), "file": file, "signer": signer.to_string() });
            output.data(&format!("{document:#}\n"))?;
        }
    }
    Ok(Status::Success)
}
