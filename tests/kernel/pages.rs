//! What the page of the log says: every kind of entry has its section, and its check in Python tells what is proved.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use pdl::kernel::entry::Kind;
use pdl::log::checkpoint::Checkpoint;
use pdl::log::note::Signer;
use pdl::log::offline::Inclusion;
use pdl::log::proof;
use pdl::log::tree::{Frontier, Node, leaf_hash};
use std::collections::BTreeMap;

use super::room::Room;

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kernel/log.md")).expect("the page is there")
}

#[test]
fn every_kind_of_entry_is_on_the_page() {
    let page = page();
    for kind in Kind::ALL {
        let heading = format!("\n### `{}`\n", kind.name());
        assert_eq!(page.matches(&heading).count(), 1, "{}", kind.name());
        assert!(page.contains(&format!("\n| `{}` | ", kind.name())), "{} is in the table of kinds", kind.name());
    }
    let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    assert!(headings.iter().all(|name| Kind::of_name(name).is_some()), "{headings:?}");
}

fn run(command: &str, arguments: &[&str]) -> Option<Output> {
    let output = Command::new(command).args(arguments).output();
    if output.is_err() {
        // Where everything is looked at, everything has to be there.
        assert!(std::env::var_os("CI").is_none(), "{command} is not there");
        eprintln!("{command} is not there: the check in Python was not tried");
    }
    output.ok()
}

#[test]
fn the_check_in_python_tells_what_is_proved() {
    let room = Room::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kernel/check.py");
    let signer = Signer::from_seed("pdl.example/log", &[7; 32]).expect("it is a name");
    let other = Signer::from_seed("pdl.example/log", &[8; 32]).expect("it is a name");
    let put = |name: &str, bytes: &[u8]| {
        fs::write(room.path(name), bytes).expect("there is room");
        room.path(name).display().to_string()
    };
    let key = put("log.pub", signer.verifier().to_string().as_bytes());
    let wrong_key = put("other.pub", other.verifier().to_string().as_bytes());
    let has_openssl = run("openssl", &["version"]).is_some();
    let entry = |index: u64| format!("{{\"number\":{index}}}");
    let (mut tree, mut nodes) = (Frontier::default(), BTreeMap::<Node, _>::new());
    (0..11)
        .for_each(|index| tree.append(leaf_hash(entry(index).as_bytes()), |node, hash| _ = nodes.insert(node, hash)));
    let head = Checkpoint { origin: "pdl.example/log".to_owned(), size: 11, root: tree.root(), extensions: Vec::new() };
    let checkpoint = signer.sign(&head.to_string()).expect("it can be signed");
    for index in [0, 6, 10] {
        let hashes = proof::inclusion(index, 11, |node| nodes.get(&node).copied()).expect("it is in it");
        let proof = Inclusion { index, hashes, checkpoint: checkpoint.clone() }.to_string();
        let (whole, proof_file) = (put("entry", entry(index).as_bytes()), put("proof", proof.as_bytes()));
        let check = |entry: &str, proof: &str, key: &str| {
            let mut arguments = vec![script.to_str().expect("it is text"), entry, proof];
            arguments.extend(Some(key).filter(|key| !key.is_empty()));
            run("python3", &arguments)
                .map(|output| (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
        };
        let Some((is_sound, said)) = check(&whole, &proof_file, "") else { return };
        assert!(is_sound && said == format!("entry {index} is among the 11 of pdl.example/log\n"), "{said}");
        let line = put("line", format!("{}\n", entry(index)).as_bytes());
        assert_eq!(check(&line, &proof_file, "").map(|(is_sound, _)| is_sound), Some(true));
        if has_openssl {
            let (is_sound, said) = check(&whole, &proof_file, &key).expect("it was there");
            assert!(is_sound && said.ends_with("and its head is signed\n"), "{said}");
            assert_eq!(check(&whole, &proof_file, &wrong_key).map(|(is_sound, _)| is_sound), Some(false));
        }
        let changed = put("changed", entry(index + 1).as_bytes());
        assert_eq!(check(&changed, &proof_file, "").map(|(is_sound, _)| is_sound), Some(false));
        for (from, to) in [
            (format!("index {index}\n"), format!("index {}\n", index ^ 1)),
            (format!("index {index}\n"), "index 11\n".to_owned()),
            ("\n11\n".to_owned(), "\n27\n".to_owned()),
        ] {
            let moved = proof.replacen(&from, &to, 1);
            assert_ne!(moved, proof);
            let moved = put("moved", moved.as_bytes());
            assert_eq!(check(&whole, &moved, "").map(|(is_sound, _)| is_sound), Some(false), "{from} {to}");
        }
    }
}
