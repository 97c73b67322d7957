//! Whatever is done to a log is found, and called by its name.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::kernel::entry::Entry;
use crate::kernel::log::append::Log;
use crate::kernel::log::finding::Finding::*;
use crate::kernel::log::testing::{Memory, World, event, signer};
use crate::kernel::store::Store as _;

const SIZE: u64 = 29;
/// Sizes that were signed. The entries behind the last one are promised to nobody.
const SIGNED: [u64; 4] = [3, 8, 13, 22];
const COVERED: u64 = 22;

fn grown(size: u64, signed: &[u64]) -> (Memory, Log, World) {
    let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
    let done = store.transact(&mut |tx| {
        for number in 0..size {
            log.append(tx, &world, event(number))?;
            world.turn(10);
            if signed.contains(&(number + 1)) {
                log.checkpoint(tx, &signer())?;
            }
        }
        Ok(())
    });
    assert_eq!(done, Ok(()));
    (store, log, world)
}

fn sign(store: &mut Memory, log: &Log) -> String {
    let mut note = None;
    let done = store.transact(&mut |tx| {
        note = Some(log.checkpoint(tx, &signer())?.note);
        Ok(())
    });
    assert_eq!(done, Ok(()));
    note.expect("it was run")
}

static WHOLE: LazyLock<Memory> = LazyLock::new(|| grown(SIZE, &SIGNED).0);

fn id(store: &Memory, at: u64) -> Option<String> {
    Some(Entry::read(&store.rows[&at]).ok()?.id)
}

/// The same entries in another order, as rows.
fn lay_out(store: &mut Memory, order: &[u64]) {
    let rows: Vec<Vec<u8>> = order.iter().map(|at| store.rows[at].clone()).collect();
    store.rows = (0..).zip(rows).collect();
}

/// The last signed size that is not larger, and the first that is.
fn signed_around(at: u64) -> (u64, Option<u64>) {
    let before = SIGNED.iter().copied().filter(|size| *size <= at).max().unwrap_or(0);
    (before, SIGNED.iter().copied().find(|size| *size > at))
}

#[test]
fn a_log_as_it_was_written_is_sound() {
    let report = WHOLE.clone().report(&[]);
    assert!(report.is_sound(), "{report:?}");
    let Report { size, root, covered, checkpoints, .. } = report;
    assert_eq!((size, root, covered, checkpoints), (SIZE, WHOLE.root(), COVERED, 4));
    // And so is every beginning of it, an empty one too, signed or not.
    for size in 0..20 {
        assert_eq!(grown(size, &[]).0.findings(&[]), [], "{size} entries");
        let report = grown(size, &[size]).0.report(&[]);
        assert!(report.is_sound() && (report.covered == size || size == 0), "{report:?}");
    }
}

#[test]
fn what_an_empty_log_promised_is_kept() {
    let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
    let note = sign(&mut store, &log);
    store.append(&log, &world, event(0));
    // The log has it, too: it is one promise.
    assert_eq!(store.report(&[note]).checkpoints, 1);
    assert!(store.report(&[]).is_sound());
}

#[test]
fn progress_is_told() {
    let (mut store, mut told) = (WHOLE.clone(), Vec::new());
    let options = Options { origin: "x", known: &[], trusted: &[], threads: 1 };
    verify(&mut store, &options, &mut |progress| told.push(progress)).expect("it can be read");
    assert_eq!(told, [Progress { done: SIZE, of: SIZE }]);
}

#[test]
fn many_entries_on_many_threads() {
    let (mut store, world) = (WHOLE.clone(), World::new());
    // More than two rounds, made from one entry, without transactions that are copied.
    let (mut tree, mut nodes) = (Frontier::default(), BTreeMap::new());
    let entry = Entry::read(&store.rows[&0]).expect("it is an entry");
    store.rows = (0..10_000)
        .map(|index| {
            (index, Entry { index, id: crate::kernel::id::new("ent", &world).expect("it is"), ..entry.clone() })
        })
        .map(|(index, entry)| (index, entry.to_bytes()))
        .collect();
    store.objects.clear();
    store.rebuild();
    for row in store.rows.values() {
        tree.append(crate::log::tree::leaf_hash(row), |node, hash| _ = nodes.insert(node, hash));
    }
    let report = store.report(&[]);
    assert!(report.is_sound() && report.root == tree.root() && report.size == 10_000);
    let changed = store.rows.get_mut(&7_777).expect("it is there");
    let last = changed.len() - 1;
    changed[last] = b' ';
    assert_eq!(store.findings(&[]), [Changed { index: 7_777, id: None }]);
}

#[test]
fn lost_rows_behind_the_end_are_found_by_their_hashes() {
    let mut store = WHOLE.clone();
    (25..SIZE).for_each(|at| _ = store.rows.remove(&at));
    assert_eq!(store.findings(&[]), [Truncated { size: 25, promised: SIZE }]);
}

#[test]
fn what_only_an_outsider_knows() {
    let (mut store, log, _) = grown(SIZE, &SIGNED);
    let kept_elsewhere = sign(&mut store, &log);
    // The end of the log is gone with everything that tells of it.
    let mut shorter = grown(COVERED, &SIGNED).0;
    assert_eq!(shorter.findings(&[]), []);
    assert_eq!(shorter.findings(std::slice::from_ref(&kept_elsewhere)), [Truncated { size: COVERED, promised: SIZE }]);
    // What nobody inside has signed is written anew.
    let (mut other, log, world) = grown(COVERED, &SIGNED);
    (COVERED..SIZE).for_each(|number| _ = other.append(&log, &world, event(number + 1)));
    assert_eq!(other.findings(&[]), []);
    let forked = Forked { from: COVERED, to: SIZE, id: id(&other, COVERED) };
    assert_eq!(other.findings(&[kept_elsewhere]), [forked]);
    // What somebody gives as a checkpoint has to be one.
    let found = other.findings(&["nothing".to_owned()]);
    assert!(matches!(&found[..], [Checkpoint { which, .. }] if which == "kept elsewhere, number 1"), "{found:?}");
}

#[test]
fn other_logs_and_other_keys_are_not_taken() {
    let mut store = WHOLE.clone();
    let other = crate::log::note::Signer::from_seed("pdl.example/other", &[7; 32]).expect("it is a name");
    for (origin, known) in
        [("pdl.example/other", signer().verifier()), (super::super::testing::ORIGIN, other.verifier())]
    {
        let options = Options { origin, known: &[known], trusted: &[], threads: 1 };
        let report = verify(&mut store, &options, &mut |_| {}).expect("it can be read");
        assert_eq!(report.findings.len(), SIGNED.len(), "{:?}", report.findings);
        assert!(report.findings.iter().all(|finding| matches!(finding, Checkpoint { .. })));
        assert_eq!(report.covered, 0);
    }
}

#[test]
fn times_that_go_back_are_found() {
    let mut store = WHOLE.clone();
    let mut entry = Entry::read(&store.rows[&25]).expect("it is an entry");
    entry.time = Timestamp::EPOCH;
    store.rows.insert(25, entry.to_bytes());
    store.rebuild();
    assert_eq!(store.findings(&[]), [BackInTime { index: 25, id: Some(entry.id) }]);
}

#[test]
fn entries_that_are_none_are_found_if_their_hashes_fit() {
    let mut store = WHOLE.clone();
    store.rows.insert(25, b"{}".to_vec());
    store.rebuild();
    let why = crate::kernel::entry::read::Malformed::Members;
    assert_eq!(store.findings(&[]), [Malformed { index: 25, why }]);
}

#[test]
fn findings_are_bounded() {
    let mut store = grown(1_100, &[]).0;
    store.rows.values_mut().for_each(|row| row[0] = b' ');
    let report = store.report(&[]);
    assert_eq!(report.findings.len(), crate::base::limits::FINDINGS_MAX);
    assert!(report.more && !report.is_sound());
}

#[test]
fn a_hole_without_end_is_not_walked_through() {
    let mut store = WHOLE.clone();
    let row = store.rows.remove(&28).expect("it is there");
    store.rows.insert(1 << 50, row);
    let found = store.findings(&[]);
    assert!(matches!(&found[..], [Truncated { .. }]), "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 48 } else { 2_000 }))]

    #[test]
    fn a_changed_byte_of_an_entry(at in 0..SIZE, place: prop::sample::Index, change in 1..=255_u8) {
        let mut store = WHOLE.clone();
        let row = store.rows.get_mut(&at).expect("it is there");
        let place = place.index(row.len());
        row[place] ^= change;
        let id = id(&store, at);
        prop_assert_eq!(store.findings(&[]), [Changed { index: at, id }]);
    }

    #[test]
    fn a_changed_byte_of_a_node(at: prop::sample::Index, place in 0..32_usize, change in 1..=255_u8) {
        let mut store = WHOLE.clone();
        let node = *at.get(&store.nodes.keys().copied().collect::<Vec<_>>());
        store.nodes.get_mut(&node).expect("it is there").0[place] ^= change;
        // The last leaf has no node above it and no checkpoint: it may as well be the entry that was changed.
        let expected = match node {
            Node { level: 0, index } if index == SIZE - 1 => Changed { index, id: id(&store, index) },
            node => NodeChanged(node),
        };
        prop_assert_eq!(store.findings(&[]), [expected]);
    }

    #[test]
    fn a_missing_node(at: prop::sample::Index) {
        let mut store = WHOLE.clone();
        let node = *at.get(&store.nodes.keys().copied().collect::<Vec<_>>());
        store.nodes.remove(&node);
        prop_assert_eq!(store.findings(&[]), [NodeMissing(node)]);
    }

    #[test]
    fn a_changed_byte_of_a_checkpoint(which in 0..4_usize, part in 0..3, place: prop::sample::Index, change in 1..=255_u8) {
        let mut store = WHOLE.clone();
        let object = store.objects.values_mut().nth(which).expect("it is there");
        let bytes = match part {
            0 => object.body.clone(),
            1 => object.key.clone().into_bytes(),
            _ => object.state.clone().into_bytes(),
        };
        let mut bytes = bytes;
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        match (part, String::from_utf8(bytes.clone())) {
            (0, _) => object.body = bytes,
            (1, Ok(text)) => object.key = text,
            (_, Ok(text)) => object.state = text,
            _ => return Ok(()),
        }
        let found = store.findings(&[]);
        prop_assert!(!found.is_empty());
        prop_assert!(found.iter().all(|finding| matches!(finding, Checkpoint { .. } | Truncated { .. })), "{found:?}");
        prop_assert!(found.iter().any(|finding| matches!(finding, Checkpoint { .. })), "{found:?}");
    }

    #[test]
    fn swapped_entries(one in 0..SIZE, other in 0..SIZE, is_covered_up: bool) {
        prop_assume!(one < other);
        let mut store = WHOLE.clone();
        let mut order: Vec<u64> = (0..SIZE).collect();
        order.swap(one as usize, other as usize);
        lay_out(&mut store, &order);
        let mut expected = vec![
            Reordered { at: one, index: other, count: 1, id: id(&store, one) },
            Reordered { at: other, index: one, count: 1, id: id(&store, other) },
        ];
        if is_covered_up {
            store.rebuild();
            if let (from, Some(to)) = signed_around(one) {
                expected.push(Forked { from, to, id: id(&store, from) });
            }
        }
        prop_assert_eq!(store.findings(&[]), expected);
    }

    #[test]
    fn dropped_entries(from in 0..SIZE, count in 1..4_u64, closes: bool) {
        let to = SIZE.min(from + count);
        let mut store = WHOLE.clone();
        let order: Vec<u64> = (0..SIZE).filter(|at| !(from..to).contains(at)).collect();
        if closes {
            lay_out(&mut store, &order);
        } else {
            store.rows.retain(|at, _| order.contains(at));
        }
        let expected = if to == SIZE { Truncated { size: from, promised: SIZE } } else { Missing { from, to } };
        prop_assert_eq!(store.findings(&[]), [expected]);
    }

    #[test]
    fn dropped_entries_whose_traces_are_covered(at in 0..SIZE) {
        let mut store = WHOLE.clone();
        let order: Vec<u64> = (0..SIZE).filter(|kept| *kept != at).collect();
        lay_out(&mut store, &order);
        store.rebuild();
        let found = store.findings(&[]);
        if at < SIZE - 1 {
            prop_assert!(found.contains(&Missing { from: at, to: at + 1 }), "{found:?}");
        } else {
            // It was promised to nobody, and is gone with everything that told of it.
            prop_assert_eq!(found, []);
        }
    }

    #[test]
    fn doubled_entries(of in 0..SIZE, at in 0..=SIZE) {
        let mut store = WHOLE.clone();
        let mut order: Vec<u64> = (0..SIZE).collect();
        order.insert(at as usize, of);
        lay_out(&mut store, &order);
        let found = store.findings(&[]);
        let is_named = found.iter().any(|finding| matches!(finding, Duplicate { index, count: 1, .. } if *index == of));
        prop_assert!(is_named, "{found:?}");
    }

    #[test]
    fn an_entry_over_another(of in 0..SIZE, at in 0..SIZE) {
        prop_assume!(of != at);
        let mut store = WHOLE.clone();
        let row = store.rows[&of].clone();
        store.rows.insert(at, row);
        let found = store.findings(&[]);
        prop_assert!(found.iter().any(|finding| matches!(finding, Duplicate { index, .. } if *index == of)), "{found:?}");
        prop_assert!(found.contains(&Missing { from: at, to: at + 1 }), "{found:?}");
    }

    #[test]
    fn truncated_logs(size in 0..SIZE, keeps_nodes: bool) {
        let mut store = WHOLE.clone();
        store.rows.retain(|at, _| *at < size);
        if !keeps_nodes {
            store.rebuild();
        }
        let found = store.findings(&[]);
        if keeps_nodes {
            prop_assert_eq!(found, [Truncated { size, promised: SIZE }]);
        } else if size < COVERED {
            prop_assert_eq!(found, [Truncated { size, promised: COVERED }]);
        } else {
            prop_assert_eq!(found, []);
        }
    }

    #[test]
    fn tails_that_were_written_anew(from in 0..COVERED, longer in 0..9_u64) {
        // Another history from there on, whole in itself, with the checkpoints of the first.
        let (mut store, log, world) = grown(from, &[]);
        (from..SIZE + longer).for_each(|number| _ = store.append(&log, &world, event(number + 1)));
        store.objects = WHOLE.objects.clone();
        let (before, after) = signed_around(from);
        let id = id(&store, before);
        prop_assert_eq!(store.findings(&[]), [Forked { from: before, to: after.expect("it is covered"), id }]);
    }
}
