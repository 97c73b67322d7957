//! What every store has to do, asked of each that there is.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pdl::base::hash::Digest;
use pdl::base::limits::ENTRY_BYTES_MAX;
use pdl::base::limits::{OBJECT_BYTES_MAX, STORE_KEY_BYTES_MAX};
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::store::{Object, Pieces, Query, Standing, Store, StoreError, Tx};
use pdl::log::tree::Node;
use proptest::prelude::*;

use super::plain::Plain;
use super::room::Room;

/// Asks each store the same.
fn each(test: impl Fn(&mut dyn Store)) {
    test(&mut Plain::default());
    test(&mut Memory::new());
    let room = Room::new();
    test(&mut Sqlite::create(room.path("store"), &Options::PLAIN).expect("it can be made"));
}

/// The stores that are not only for tests.
fn each_real(test: impl Fn(&mut dyn Store)) {
    test(&mut Memory::new());
    let room = Room::new();
    test(&mut Sqlite::create(room.path("store"), &Options::PLAIN).expect("it can be made"));
}

/// The result of a transaction.
fn done<T>(store: &mut dyn Store, mut work: impl FnMut(&mut dyn Tx) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let mut result = None;
    store.transact(&mut |tx| {
        result = Some(work(tx)?);
        Ok(())
    })?;
    Ok(result.expect("it was done"))
}

fn object(kind: &str, key: &str, version: u64, state: &str, due_ms: Option<i64>) -> Object {
    let (kind, key, state) = (kind.to_owned(), key.to_owned(), state.to_owned());
    Object { body: format!("{version}").into_bytes(), kind, key, version, state, due_ms }
}

fn query(kind: &str) -> Query {
    Query { kind: kind.to_owned(), state: None, due_until_ms: None, after: None, limit: 100 }
}

fn keys(found: Vec<Object>) -> Vec<String> {
    found.into_iter().map(|object| object.key).collect()
}

fn is_conflict<T>(result: &Result<T, StoreError>, kind: &str, key: &str) -> bool {
    matches!(result, Err(StoreError::Conflict { kind: k, key: of }) if k == kind && of == key)
}

#[test]
fn versions_count_changes() {
    each(|store| {
        let put =
            |store: &mut dyn Store, version| done(store, |tx| tx.put(&object("gate", "a", version, "open", None)));
        assert_eq!(put(store, 0), Ok(1));
        for wrong in [0, 2, u64::MAX] {
            assert!(is_conflict(&put(store, wrong), "gate", "a"), "{wrong}");
        }
        assert_eq!(put(store, 1), Ok(2));
        let kept = done(store, |tx| tx.get("gate", "a")).expect("it can be read").expect("it is there");
        assert_eq!((kept.version, kept.body.as_slice()), (2, b"1".as_slice()));
        for wrong in [0, 1, 3, u64::MAX] {
            assert!(is_conflict(&done(store, |tx| tx.remove("gate", "a", wrong)), "gate", "a"), "{wrong}");
        }
        assert!(is_conflict(&done(store, |tx| tx.remove("permit", "a", 2)), "permit", "a"));
        done(store, |tx| tx.remove("gate", "a", 2)).expect("it can be removed");
        assert_eq!(done(store, |tx| tx.get("gate", "a")), Ok(None));
        assert!(is_conflict(&put(store, 2), "gate", "a"));
        assert_eq!(put(store, 0), Ok(1));
    });
}

#[test]
fn an_object_is_turned_without_its_body() {
    each(|store| {
        let turn = |store: &mut dyn Store, version| {
            done(store, |tx| {
                let turned = tx.turn("gate", "a", version, ("closed", Some(7)))?;
                // Of a part that fails nothing stays.
                let failed = tx.part(&mut |tx| {
                    tx.turn("gate", "a", turned, ("lost", None))?;
                    Err(StoreError::Refused)
                });
                assert_eq!(failed, Err(StoreError::Refused));
                Ok(turned)
            })
        };
        assert!(is_conflict(&turn(store, 0), "gate", "a"), "it is not there");
        done(store, |tx| tx.put(&object("gate", "a", 0, "open", None))).expect("it is new");
        for wrong in [0, 2, u64::MAX] {
            assert!(is_conflict(&turn(store, wrong), "gate", "a"), "{wrong}");
        }
        assert_eq!(turn(store, 1), Ok(2));
        let kept = done(store, |tx| tx.get("gate", "a")).expect("it can be read");
        let expected = Object { version: 2, body: b"0".to_vec(), ..object("gate", "a", 0, "closed", Some(7)) };
        assert_eq!(kept, Some(expected));
        let standing = Standing { version: 2, state: "closed".to_owned(), due_ms: Some(7) };
        assert_eq!(done(store, |tx| tx.standing("gate", "a")), Ok(Some(standing)));
        assert_eq!(done(store, |tx| tx.standing("gate", "b")), Ok(None));
    });
    each_real(|store| {
        let long = "x".repeat(STORE_KEY_BYTES_MAX + 1);
        done(store, |tx| tx.put(&object("gate", "a", 0, "open", None))).expect("it is new");
        let turned = done(store, |tx| tx.turn("gate", "a", 1, (&long, None)));
        assert!(matches!(turned, Err(StoreError::TooLarge { what: "state", .. })), "{turned:?}");
    });
}

#[test]
fn objects_are_found_in_the_order_of_their_keys() {
    each(|store| {
        let kept = [
            ("b", "open", Some(20)),
            ("", "open", None),
            ("a\0", "closed", Some(10)),
            ("a", "open", Some(i64::MIN)),
            ("é", "open", Some(10)),
        ];
        let put = |tx: &mut dyn Tx| {
            kept.iter().try_for_each(|(key, state, due)| tx.put(&object("gate", key, 0, state, *due)).map(drop))
        };
        done(store, put).expect("they can be kept");
        done(store, |tx| tx.put(&object("permit", "c", 0, "open", Some(1)))).expect("it can be kept");
        let mut found = |query: Query| keys(done(store, |tx| tx.find(&query)).expect("they can be found"));
        let gates = query("gate");
        assert_eq!(found(gates.clone()), ["", "a", "a\0", "b", "é"]);
        assert_eq!(found(Query { state: Some("open".to_owned()), ..gates.clone() }), ["", "a", "b", "é"]);
        assert_eq!(found(Query { due_until_ms: Some(10), ..gates.clone() }), ["a", "a\0", "é"]);
        assert_eq!(found(Query { due_until_ms: Some(9), ..gates.clone() }), ["a"]);
        let open = Query { state: Some("open".to_owned()), due_until_ms: Some(20), ..gates.clone() };
        assert_eq!(found(open.clone()), ["a", "b", "é"]);
        assert_eq!(found(Query { after: Some("a".to_owned()), limit: 1, ..open }), ["b"]);
        assert_eq!(found(Query { after: Some(String::new()), ..gates.clone() }), ["a", "a\0", "b", "é"]);
        assert_eq!(found(Query { after: Some("é".to_owned()), ..gates.clone() }), [""; 0]);
        assert_eq!(found(Query { limit: 2, ..gates.clone() }), ["", "a"]);
        assert_eq!(found(Query { limit: 0, ..gates }), [""; 0]);
        assert_eq!(found(query("scope")), [""; 0]);
    });
}

#[test]
fn entries_are_appended() {
    each(|store| {
        let append = |store: &mut dyn Store, id, kind| done(store, |tx| tx.append(id, kind, id.as_bytes()));
        assert_eq!(done(store, |tx| tx.log_size()), Ok(0));
        assert_eq!(append(store, "one", "decision"), Ok(0));
        assert_eq!(append(store, "two", "gate"), Ok(1));
        assert_eq!(append(store, "three", "decision"), Ok(2));
        assert!(is_conflict(&append(store, "two", "decision"), "entry", "two"));
        assert_eq!(done(store, |tx| tx.log_size()), Ok(3));
        let entry = |index: u64, text: &str| (index, text.as_bytes().to_owned());
        let all = [entry(0, "one"), entry(1, "two"), entry(2, "three")];
        let read = |store: &mut dyn Store, from, limit| done(store, |tx| tx.entries(from, limit)).expect("can be read");
        assert_eq!(read(store, 0, 100), all);
        assert_eq!(read(store, 1, 1), all[1..2]);
        assert_eq!(read(store, 0, 0), []);
        assert_eq!(read(store, 3, 10), []);
        assert_eq!(read(store, u64::MAX, 10), []);
        let of = |store: &mut dyn Store, from, limit| done(store, |tx| tx.entries_of("decision", from, limit));
        assert_eq!(of(store, 0, 100), Ok(vec![all[0].clone(), all[2].clone()]));
        assert_eq!(of(store, 1, 100), Ok(vec![all[2].clone()]));
        assert_eq!(of(store, 0, 1), Ok(vec![all[0].clone()]));
        assert_eq!(of(store, u64::MAX, 1), Ok(Vec::new()));
        assert_eq!(done(store, |tx| tx.index_of("three")), Ok(Some(2)));
        assert_eq!(done(store, |tx| tx.index_of("four")), Ok(None));
    });
}

#[test]
fn nodes_and_contents_are_kept() {
    each(|store| {
        let node = Node { level: 3, index: 5 };
        let (hash, other) = (Digest::of(b"hash"), Digest::of(b"other"));
        assert_eq!(done(store, |tx| tx.node(node)), Ok(None));
        for _ in 0..2 {
            done(store, |tx| tx.put_node(node, hash)).expect("it can be kept");
        }
        assert!(is_conflict(&done(store, |tx| tx.put_node(node, other)), "node", "3/5"));
        assert_eq!(done(store, |tx| tx.node(node)), Ok(Some(hash)));
        assert_eq!(done(store, |tx| tx.node(Node { level: 3, index: u64::MAX })), Ok(None));
        assert_eq!(done(store, |tx| tx.nodes(3, 4, 3)), Ok(vec![None, Some(hash), None]));
        assert_eq!(done(store, |tx| tx.nodes(3, 6, 2)), Ok(vec![None, None]));
        assert_eq!(done(store, |tx| tx.nodes(2, 5, 1)), Ok(vec![None]));
        assert_eq!(done(store, |tx| tx.nodes(3, 5, 0)), Ok(vec![]));

        assert_eq!(done(store, |tx| tx.content(hash)), Ok(None));
        for _ in 0..2 {
            assert_eq!(done(store, |tx| tx.put_content(b"hash")), Ok(hash));
        }
        assert_eq!(done(store, |tx| tx.content(hash)), Ok(Some(b"hash".to_vec())));
        assert_eq!(done(store, |tx| tx.erase_content(hash)), Ok(true));
        assert_eq!(done(store, |tx| tx.erase_content(hash)), Ok(false));
        assert_eq!(done(store, |tx| tx.content(hash)), Ok(None));
    });
}

/// Everything that a transaction can do, with a name of its own.
fn touch(tx: &mut dyn Tx, name: &str) -> Result<(), StoreError> {
    tx.put(&object("kind", name, 0, "open", Some(1)))?;
    tx.append(name, "kind", name.as_bytes())?;
    tx.put_node(Node { level: 0, index: name.len() as u64 }, Digest::of(name.as_bytes()))?;
    tx.put_content(name.as_bytes()).map(drop)
}

fn is_touched(store: &mut dyn Store, name: &str) -> bool {
    let seen = done(store, |tx| {
        Ok([
            tx.get("kind", name)?.is_some(),
            tx.index_of(name)?.is_some(),
            tx.node(Node { level: 0, index: name.len() as u64 })?.is_some(),
            tx.content(Digest::of(name.as_bytes()))?.is_some(),
        ])
    });
    let seen = seen.expect("it can be read");
    assert!(seen.iter().all(|part| *part == seen[0]), "{name} was done by halves: {seen:?}");
    seen[0]
}

#[test]
fn parts_are_undone_alone() {
    each(|store| {
        done(store, |tx| {
            touch(tx, "a")?;
            let failed = tx.part(&mut |tx| {
                touch(tx, "bb")?;
                tx.part(&mut |tx| touch(tx, "ccc"))?;
                let failed = tx.part(&mut |tx| {
                    touch(tx, "dddd")?;
                    Err(StoreError::Refused)
                });
                assert_eq!(failed, Err(StoreError::Refused));
                assert_eq!(tx.index_of("dddd"), Ok(None));
                assert_eq!(tx.index_of("ccc"), Ok(Some(2)), "what was done is seen at once");
                Err(StoreError::Full("told so".to_owned()))
            });
            assert_eq!(failed, Err(StoreError::Full("told so".to_owned())));
            tx.part(&mut |tx| {
                touch(tx, "eeeee")?;
                let failed = tx.part(&mut |tx| {
                    tx.remove("kind", "a", 1)?;
                    tx.erase_content(Digest::of(b"a"))?;
                    tx.put(&object("kind", "eeeee", 1, "closed", None))?;
                    tx.append("a", "kind", b"it is there").map(drop)
                });
                assert!(is_conflict(&failed, "entry", "a"));
                Ok(())
            })
        })
        .expect("the whole did not fail");
        let touched = ["a", "bb", "ccc", "dddd", "eeeee"].map(|name| is_touched(store, name));
        assert_eq!(touched, [true, false, false, false, true]);
        let e = done(store, |tx| tx.get("kind", "eeeee")).expect("it can be read").expect("it is there");
        assert_eq!((e.version, e.state.as_str(), e.due_ms), (1, "open", Some(1)));
        assert_eq!(done(store, |tx| tx.log_size()), Ok(2));
        store.check().expect("it is whole");
    });
}

#[test]
fn a_transaction_that_fails_did_nothing() {
    each(|store| {
        let failed = done(store, |tx| {
            touch(tx, "a")?;
            tx.part(&mut |tx| touch(tx, "bb"))?;
            Err::<(), _>(StoreError::Refused)
        });
        assert_eq!(failed, Err(StoreError::Refused));
        assert!(!is_touched(store, "a") && !is_touched(store, "bb"));
        done(store, |tx| touch(tx, "a")).expect("nothing is in the way");
        assert!(is_touched(store, "a"));
    });
}

#[test]
fn work_that_panics_is_undone() {
    each_real(|store| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            store.transact(&mut |tx| {
                touch(tx, "a")?;
                tx.part(&mut |tx| {
                    touch(tx, "bb")?;
                    panic!("on purpose")
                })
            })
        }));
        assert!(panicked.is_err());
        assert!(!is_touched(store, "a") && !is_touched(store, "bb"));
        done(store, |tx| {
            touch(tx, "a")?;
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                tx.part(&mut |tx| {
                    touch(tx, "bb")?;
                    panic!("on purpose")
                })
            }));
            assert!(panicked.is_err());
            touch(tx, "ccc")
        })
        .expect("the rest is done");
        assert_eq!(["a", "bb", "ccc"].map(|name| is_touched(store, name)), [true, false, true]);
        store.check().expect("it is whole");
    });
}

#[test]
fn what_is_too_long_is_refused() {
    fn is_too_large<T>(result: &Result<T, StoreError>) -> bool {
        matches!(result, Err(StoreError::TooLarge { bytes, max, .. }) if *bytes == max + 1)
    }
    each_real(|store| {
        let (fits, long) = ("x".repeat(STORE_KEY_BYTES_MAX), "x".repeat(STORE_KEY_BYTES_MAX + 1));
        assert_eq!(done(store, |tx| tx.put(&object(&fits, &fits, 0, &fits, None))), Ok(1));
        assert!(done(store, |tx| tx.get(&fits, &fits)).expect("it can be read").is_some());
        for (kind, key, state) in [(long.as_str(), "", ""), ("", long.as_str(), ""), ("", "", long.as_str())] {
            assert!(is_too_large(&done(store, |tx| tx.put(&object(kind, key, 0, state, None)))));
        }
        let body = |bytes| Object { body: vec![7; bytes], ..object("k", "k", 0, "", None) };
        assert!(is_too_large(&done(store, |tx| tx.put(&body(OBJECT_BYTES_MAX + 1)))));
        assert_eq!(done(store, |tx| tx.put(&body(OBJECT_BYTES_MAX))), Ok(1));
        let entry = vec![7; ENTRY_BYTES_MAX + 1];
        assert!(is_too_large(&done(store, |tx| tx.append("id", "kind", &entry))));
        assert!(is_too_large(&done(store, |tx| tx.append(&long, "kind", b""))));
        assert!(is_too_large(&done(store, |tx| tx.append("id", &long, b""))));
        assert_eq!(done(store, |tx| tx.append(&fits, &fits, &entry[1..])), Ok(0));
    });
}

/// Contents that are longer than SQLite likes to have in one piece: kept, undone, and erased as all others are.
#[test]
fn large_contents_are_kept_and_undone() {
    let room = Room::new();
    let contents: Vec<Vec<u8>> = [(1 << 20) - 1, 1 << 20, (1 << 20) + 4_097]
        .into_iter()
        .map(|bytes| (0..bytes).map(|at| (at % 251) as u8).collect())
        .collect();
    let digests: Vec<Digest> = contents.iter().map(|content| Digest::of(content)).collect();
    let seen = |store: &mut dyn Store| -> Vec<bool> {
        let read = |tx: &mut dyn Tx| digests.iter().map(|digest| tx.content(*digest)).collect::<Result<Vec<_>, _>>();
        let read = done(store, read).expect("it can be read");
        read.iter()
            .zip(&contents)
            .map(|(read, kept)| read.as_ref().map(|read| assert!(read == kept)).is_some())
            .collect()
    };
    let path = room.path("store");
    let mut store = Sqlite::create(&path, &Options::PLAIN).expect("it can be made");
    done(&mut store, |tx| {
        let failed = tx.part(&mut |tx| {
            contents.iter().try_for_each(|content| tx.put_content(content).map(drop))?;
            Err(StoreError::Refused)
        });
        assert_eq!(failed, Err(StoreError::Refused));
        tx.put_content(&contents[2])
    })
    .expect("the rest is done");
    assert_eq!(seen(&mut store), [false, false, true]);
    done(&mut store, |tx| {
        tx.part(&mut |tx| contents.iter().try_for_each(|content| tx.put_content(content).map(drop)))?;
        let failed = tx.part(&mut |tx| tx.erase_content(digests[1]).and(Err(StoreError::Refused)));
        assert_eq!(failed, Err(StoreError::Refused));
        Ok(())
    })
    .expect("twice is once");
    assert_eq!(seen(&mut store), [true, true, true]);
    drop(store);
    let mut store = Sqlite::open(&path, &Options::PLAIN).expect("it can be opened again");
    store.check().expect("it is whole");
    assert_eq!(done(&mut store, |tx| tx.erase_content(digests[2])), Ok(true));
    assert_eq!(seen(&mut store), [true, true, false]);
}

/// A content that comes in pieces of some bytes each, and says what it is.
struct Parts<'c> {
    content: &'c [u8],
    says: (Digest, usize),
}

impl Pieces for Parts<'_> {
    fn digest(&self) -> Digest {
        self.says.0
    }

    fn bytes(&self) -> usize {
        self.says.1
    }

    fn write(&self, to: &mut dyn FnMut(&[u8])) {
        self.content.chunks(70_001).for_each(to);
    }
}

#[test]
fn contents_in_pieces_are_kept_as_a_whole_or_not_at_all() {
    let room = Room::new();
    let sqlite = Sqlite::create(room.path("store"), &Options::PLAIN).expect("it can be made");
    let stores: [Box<dyn Store>; 2] = [Box::new(sqlite), Box::new(Memory::new())];
    for mut store in stores {
        for bytes in [0_usize, 100_000, (1 << 20) - 1, 1 << 20, 3_000_000] {
            let content: Vec<u8> = (0..bytes).map(|at| (at % 241) as u8).collect();
            let digest = Digest::of(&content);
            let keep =
                |store: &mut dyn Store, says| done(store, |tx| tx.put_pieces(&Parts { content: &content, says }));
            let kept = |store: &mut dyn Store, of| done(store, |tx| tx.content(of)).expect("it can be read");
            // Neither under another name nor with another length.
            let other = Digest::of(b"another");
            assert!(keep(&mut *store, (other, bytes)).is_err());
            assert_eq!((kept(&mut *store, other), kept(&mut *store, digest)), (None, None), "{bytes}");
            if bytes > 1 << 20 {
                for wrong in [bytes - 1, bytes + 1] {
                    drop(keep(&mut *store, (digest, wrong)));
                    assert!(kept(&mut *store, digest).is_none_or(|kept| kept == content));
                }
            }
            for _twice in 0..2 {
                assert_eq!(keep(&mut *store, (digest, bytes)), Ok(digest));
                assert_eq!(kept(&mut *store, digest).as_ref(), Some(&content), "{bytes}");
            }
            let undone = done(&mut *store, |tx| {
                let part = tx.part(&mut |tx| {
                    tx.erase_content(digest)?;
                    tx.put_pieces(&Parts { content: &content, says: (digest, bytes) })?;
                    Err(StoreError::Refused)
                });
                assert_eq!(part, Err(StoreError::Refused));
                tx.content(digest)
            });
            assert_eq!(undone, Ok(Some(content.clone())));
        }
    }
}

/// What a transaction may do.
#[derive(Clone, Debug)]
enum Step {
    Put { kind: usize, key: usize, version: u64, state: usize, due: Option<i64> },
    Turn { kind: usize, key: usize, version: u64, state: usize, due: Option<i64> },
    Remove { kind: usize, key: usize, version: u64 },
    Append { id: usize, kind: usize },
    Node { level: u8, index: u64, hash: usize },
    Content(usize),
    Erase(usize),
    Find(Query),
    Drop(u64),
    Entries { kind: Option<usize>, from: u64, limit: u32 },
    Part { steps: Vec<Step>, fails: bool },
}

const NAMES: [&str; 5] = ["a", "b", "", "a\0", "é"];

fn a_step() -> impl Strategy<Value = Step> {
    let name = || 0..NAMES.len();
    let due = || proptest::option::of(-3_i64..3);
    let query = (name(), proptest::option::of(name()), due(), proptest::option::of(name()), 0_u32..4);
    let query = query.prop_map(|(kind, state, due_until_ms, after, limit)| {
        let text = |at: usize| NAMES[at].to_owned();
        Query { kind: text(kind), state: state.map(text), due_until_ms, after: after.map(text), limit }
    });
    let step = prop_oneof![
        6 => (name(), name(), 0_u64..4, name(), due())
            .prop_map(|(kind, key, version, state, due)| Step::Put { kind: kind % 2, key, version, state, due }),
        3 => (name(), name(), 0_u64..4, name(), due())
            .prop_map(|(kind, key, version, state, due)| Step::Turn { kind: kind % 2, key, version, state, due }),
        1 => (name(), name(), 0_u64..4).prop_map(|(kind, key, version)| Step::Remove { kind: kind % 2, key, version }),
        3 => (0_usize..40, name()).prop_map(|(id, kind)| Step::Append { id, kind }),
        1 => (0_u8..2, 0_u64..3, name()).prop_map(|(level, index, hash)| Step::Node { level, index, hash }),
        1 => name().prop_map(Step::Content),
        1 => name().prop_map(Step::Erase),
        2 => query.prop_map(Step::Find),
        1 => (0_u64..20).prop_map(Step::Drop),
        1 => (proptest::option::of(name()), 0_u64..20, 0_u32..5)
            .prop_map(|(kind, from, limit)| Step::Entries { kind, from, limit }),
    ];
    step.prop_recursive(3, 24, 6, |inner| {
        (proptest::collection::vec(inner, 0..6), any::<bool>()).prop_map(|(steps, fails)| Step::Part { steps, fails })
    })
}

/// Does a step, and writes down whatever came of it.
fn take(tx: &mut dyn Tx, step: &Step, told: &mut Vec<String>) {
    let text = match step {
        Step::Put { kind, key, version, state, due } => {
            format!("{:?}", tx.put(&object(NAMES[*kind], NAMES[*key], *version, NAMES[*state], *due)))
        }
        Step::Turn { kind, key, version, state, due } => {
            let turned = tx.turn(NAMES[*kind], NAMES[*key], *version, (NAMES[*state], *due));
            format!("{turned:?} {:?}", tx.standing(NAMES[*kind], NAMES[*key]))
        }
        Step::Remove { kind, key, version } => format!("{:?}", tx.remove(NAMES[*kind], NAMES[*key], *version)),
        Step::Append { id, kind } => {
            let entry = format!("{id} of {kind}");
            format!("{:?}", tx.append(&format!("id{id}"), NAMES[*kind], entry.as_bytes()))
        }
        Step::Node { level, index, hash } => {
            let node = Node { level: *level, index: *index };
            format!("{:?}", tx.put_node(node, Digest::of(NAMES[*hash].as_bytes())))
        }
        Step::Content(name) => format!("{:?}", tx.put_content(NAMES[*name].as_bytes())),
        Step::Erase(name) => format!("{:?}", tx.erase_content(Digest::of(NAMES[*name].as_bytes()))),
        Step::Drop(before) => format!("{:?} {:?}", tx.drop_entries(*before), tx.dropped()),
        Step::Find(query) => format!("{:?}", tx.find(query)),
        Step::Entries { kind: Some(kind), from, limit } => format!("{:?}", tx.entries_of(NAMES[*kind], *from, *limit)),
        Step::Entries { kind: None, from, limit } => format!("{:?}", tx.entries(*from, *limit)),
        Step::Part { steps, fails } => format!(
            "{:?}",
            tx.part(&mut |tx| {
                steps.iter().for_each(|step| take(tx, step, told));
                if *fails { Err(StoreError::Refused) } else { Ok(()) }
            })
        ),
    };
    told.push(text);
}

/// All that a store has of the names used here.
fn all(store: &mut dyn Store) -> String {
    let read = done(store, |tx| {
        let mut objects = Vec::new();
        for kind in NAMES {
            objects.extend(tx.find(&Query { limit: 1_000, ..query(kind) })?);
            for key in NAMES {
                objects.extend(tx.get(kind, key)?);
            }
        }
        let mut nodes = Vec::new();
        for (level, index) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
            nodes.push(tx.node(Node { level, index })?);
        }
        let contents: Result<Vec<_>, _> = NAMES.iter().map(|name| tx.content(Digest::of(name.as_bytes()))).collect();
        let ids: Result<Vec<_>, _> = (0..40).map(|id| tx.index_of(&format!("id{id}"))).collect();
        Ok(format!("{objects:?} {:?} {} {nodes:?} {:?} {:?}", tx.entries(0, 1_000)?, tx.log_size()?, contents?, ids?))
    });
    read.expect("it can be read")
}

#[test]
fn the_oldest_entries_can_be_dropped() {
    each(|store| {
        assert_eq!(done(store, |tx| tx.drop_entries(5)), Ok(0), "there are none");
        for number in 0..10_u64 {
            done(store, |tx| {
                tx.put_node(Node { level: 0, index: number }, Digest::of(&number.to_be_bytes()))?;
                tx.append(&format!("id{number}"), ["even", "odd"][number as usize % 2], &[number as u8; 400])
            })
            .expect("it can be kept");
        }
        assert_eq!(done(store, |tx| Ok((tx.drop_entries(4)?, tx.drop_entries(2)?))), Ok((4, 4)));
        let undone = done(store, |tx| tx.part(&mut |tx| tx.drop_entries(7).and(Err(StoreError::Refused))));
        assert_eq!(undone, Err(StoreError::Refused));
        let indexes = |found: Vec<(u64, Vec<u8>)>| found.into_iter().map(|(index, _)| index).collect::<Vec<_>>();
        let kept = |store: &mut dyn Store| {
            done(store, |tx| Ok((indexes(tx.entries(0, 3)?), indexes(tx.entries_of("odd", 0, 9)?), tx.log_size()?)))
        };
        assert_eq!(kept(store), Ok((vec![4, 5, 6], vec![5, 7, 9], 10)));
        let found = done(store, |tx| Ok((tx.index_of("id3")?, tx.index_of("id4")?, tx.dropped()?)));
        assert_eq!(found, Ok((None, Some(4), 4)));
        assert!(done(store, |tx| tx.node(Node { level: 0, index: 1 })).expect("it can be read").is_some());
        store.check().expect("it is whole");
        // The last one stays: what comes next is put behind it.
        assert_eq!(done(store, |tx| tx.drop_entries(u64::MAX)), Ok(9));
        assert_eq!(done(store, |tx| tx.append("id10", "even", b"")), Ok(10));
        assert_eq!(kept(store), Ok((vec![9, 10], vec![9], 11)));
        store.check().expect("it is whole");
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Each store tells the same of every step, and has the same in the end and after it was closed and opened.
    #[test]
    fn stores_do_what_a_plain_one_does(
        transactions in proptest::collection::vec((proptest::collection::vec(a_step(), 0..12), any::<bool>()), 1..8)
    ) {
        let room = Room::new();
        let path = room.path("store");
        let sqlite = Sqlite::create(&path, &Options::PLAIN).expect("it can be made");
        let mut stores: [Box<dyn Store>; 3] = [Box::new(Plain::default()), Box::new(Memory::new()), Box::new(sqlite)];
        for (steps, is_kept) in &transactions {
            let told = stores.each_mut().map(|store| {
                let mut told = Vec::new();
                let result = store.transact(&mut |tx| {
                    steps.iter().for_each(|step| take(tx, step, &mut told));
                    if *is_kept { Ok(()) } else { Err(StoreError::Refused) }
                });
                told.push(format!("{result:?}"));
                told
            });
            let [plain, memory, sqlite] = told;
            prop_assert_eq!(&plain, &memory);
            prop_assert_eq!(&plain, &sqlite);
        }
        let [plain, memory, sqlite] = stores.each_mut().map(|store| all(store.as_mut()));
        prop_assert_eq!(&plain, &memory);
        prop_assert_eq!(&plain, &sqlite);
        drop(stores);
        let mut again = Sqlite::open(&path, &Options::PLAIN).expect("it can be opened again");
        prop_assert_eq!(again.check(), Ok(()));
        prop_assert_eq!(plain, all(&mut again));
    }
}
