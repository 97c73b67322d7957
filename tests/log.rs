//! Proofs of logs against the vectors of others: right ones are taken, wrong ones refused.

use std::fs;
use std::path::{Path, PathBuf};

use base64ct::{Base64, Encoding as _};
use pdl::base::hash::Digest;
use pdl::log::proof::{check_consistency, check_inclusion};
use serde_json::Value;

/// All files below a folder of `tests/vectors/rfc6962`, sorted.
fn vectors(folder: &str) -> Vec<(PathBuf, Value)> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/rfc6962").join(folder)];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).expect("it can be listed").map(|entry| entry.expect("it is there").path()));
        } else {
            let text = fs::read_to_string(&path).expect("it can be read");
            found.push((path, serde_json::from_str(&text).expect("a vector is JSON")));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    found
}

/// A hash, if there is one. Some vectors have texts of another length in its place; a hash of its own stands for each.
fn hash(value: &Value) -> Option<Digest> {
    let bytes = Base64::decode_vec(value.as_str()?).expect("hashes are in base64");
    let other = (!bytes.is_empty()).then(|| Digest::of_parts(&[b"instead of", &bytes]));
    bytes.try_into().map_or(other, |hash| Some(Digest(hash)))
}

fn hashes(value: &Value) -> Option<Vec<Digest>> {
    value.as_array().map_or(Some(Vec::new()), |list| list.iter().map(hash).collect())
}

fn inclusion(vector: &Value) -> Option<()> {
    let (index, size) = (vector["leafIdx"].as_u64()?, vector["treeSize"].as_u64()?);
    let (leaf, root) = (hash(&vector["leafHash"])?, hash(&vector["root"])?);
    check_inclusion(leaf, index, size, &hashes(&vector["proof"])?, root).ok()
}

fn consistency(vector: &Value) -> Option<()> {
    let (old, new) = (vector["size1"].as_u64()?, vector["size2"].as_u64()?);
    let (old_root, new_root) = (hash(&vector["root1"])?, hash(&vector["root2"])?);
    check_consistency(old, new, old_root, new_root, &hashes(&vector["proof"])?).ok()
}

#[test]
fn proofs_of_others() {
    let mut wrong = Vec::new();
    for (folder, check, count) in
        [("inclusion", inclusion as fn(&Value) -> Option<()>, 98), ("consistency", consistency, 98)]
    {
        let vectors = vectors(folder);
        assert_eq!(vectors.len(), count, "{folder}");
        assert!(vectors.iter().any(|(_, vector)| vector["wantErr"] == false), "some are right");
        for (path, vector) in vectors {
            if check(&vector).is_none() != (vector["wantErr"] == true) {
                wrong.push(format!("{}: {}", path.display(), vector["desc"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
