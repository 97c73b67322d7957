//! Commitments: what an entry has of a value that may be forgotten.
//!
//! In place of the value the entry has `{"commitment":"sha256:…"}`, the SHA-256 of 32 random bytes and the value's canonical
//! JSON behind them. Those bytes are kept as a content; its digest *is* the commitment, so it is found by it. Without the
//! salt nobody can try which value it was; once the content is erased, nobody can tell any more, and the entry and its leaf
//! are what they were.
//!
//! The member `committed` of the body lists where the commitments are, as JSON Pointers. Only the kernel writes it: something
//! in a request that looks like a commitment is not one, and can't make the kernel reveal or erase a content.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::LogError;
use crate::base::hash::Digest;
use crate::kernel::entry::Entry;
use crate::kernel::environment::Environment;
use crate::kernel::json::{canonical, scan};
use crate::kernel::store::Tx;

/// The member of a body that lists its commitments.
pub const LIST: &str = "committed";
/// The one member of a commitment.
const MEMBER: &str = "commitment";
/// How long a salt is.
const SALT_BYTES: usize = 32;

/// A value with its salt: what is kept, and what an entry has in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The digest of the content.
    pub commitment: Digest,
    content: Vec<u8>,
}

/// Commits to a value.
///
/// # Errors
/// The system has no random bytes.
pub fn seal(value: &Value, environment: &dyn Environment) -> Result<Sealed, LogError> {
    let mut content = vec![0; SALT_BYTES];
    environment.random(&mut content)?;
    content.extend(canonical(value).into_bytes());
    Ok(Sealed { commitment: Digest::of(&content), content })
}

/// Puts commitments in place of the values at some places of a body, and gives the contents that have to be kept. What was
/// committed to before comes with its place.
pub(super) fn commit(
    body: &mut Map<String, Value>,
    places: &[String],
    sealed: Vec<(String, Sealed)>,
    environment: &dyn Environment,
) -> Result<Vec<Vec<u8>>, LogError> {
    if body.contains_key(LIST) {
        return Err(LogError::LikeCommitment(format!("/{LIST}")));
    }
    if places.is_empty() && sealed.is_empty() {
        return Ok(Vec::new());
    }
    let sealed: BTreeMap<String, Sealed> = sealed.into_iter().collect();
    let mut places: Vec<String> = places.iter().chain(sealed.keys()).cloned().collect();
    places.sort();
    let mut contents = Vec::new();
    for (at, place) in places.iter().enumerate() {
        // A value within another one that is committed to would be in two contents, or in none.
        let is_within = |other: &String| {
            place.strip_prefix(other.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if places.iter().take(at).any(is_within) {
            return Err(LogError::NoSuchPlace(place.clone()));
        }
        let value = at_mut(body, place).ok_or_else(|| LogError::NoSuchPlace(place.clone()))?;
        let Sealed { commitment, content } = match sealed.get(place) {
            Some(sealed) => sealed.clone(),
            None => seal(value, environment)?,
        };
        let commitment = Value::String(commitment.to_string());
        *value = Value::Object(Map::from_iter([(MEMBER.to_owned(), commitment)]));
        contents.push(content);
    }
    body.insert(LIST.to_owned(), places.into_iter().map(Value::String).collect());
    Ok(contents)
}

/// The commitments of an entry, by where they are in its body.
///
/// # Errors
/// [`LogError::LikeCommitment`] if the list names a place where none is.
pub fn commitments(entry: &Entry) -> Result<BTreeMap<String, Digest>, LogError> {
    let wrong = |place: &str| LogError::LikeCommitment(place.to_owned());
    let Some(list) = entry.body.get(LIST) else { return Ok(BTreeMap::new()) };
    let list = list.as_array().ok_or_else(|| wrong(LIST))?;
    list.iter()
        .map(|place| {
            let place = place.as_str().ok_or_else(|| wrong(LIST))?;
            let digest = at(&entry.body, place).and_then(read_commitment).ok_or_else(|| wrong(place))?;
            Ok((place.to_owned(), digest))
        })
        .collect()
}

/// An entry as it was before its values were hidden, as far as they are still there.
#[derive(Clone, Debug, PartialEq)]
pub struct Revealed {
    /// The entry. Where something was erased, its commitment stands.
    pub entry: Entry,
    /// Where that is.
    pub erased: Vec<String>,
}

/// Puts the contents of an entry back where its commitments are.
///
/// # Errors
/// The store can't be read, or what it has is not what was committed to.
pub fn reveal(tx: &mut dyn Tx, entry: Entry) -> Result<Revealed, LogError> {
    reveal_from(entry, &mut |digest| Ok(tx.content(digest)?))
}

/// The same with contents from elsewhere: `None` for one that is not there any more.
///
/// # Errors
/// Those of `content`, or what it gives is not what was committed to.
pub fn reveal_from(
    entry: Entry,
    content: &mut dyn FnMut(Digest) -> Result<Option<Vec<u8>>, LogError>,
) -> Result<Revealed, LogError> {
    let commitments = commitments(&entry)?;
    let (mut entry, mut erased) = (entry, Vec::new());
    entry.body.remove(LIST);
    for (place, digest) in commitments {
        let Some(content) = content(digest)? else {
            erased.push(place);
            continue;
        };
        let value = opened(digest, &content).ok_or_else(|| LogError::LikeCommitment(place.clone()))?;
        let slot = at_mut(&mut entry.body, &place).ok_or_else(|| LogError::LikeCommitment(place.clone()))?;
        *slot = value;
    }
    Ok(Revealed { entry, erased })
}

/// The value of a content, if it is one that was committed to.
#[must_use]
pub fn opened(commitment: Digest, content: &[u8]) -> Option<Value> {
    if Digest::of(content) != commitment {
        return None;
    }
    let text = std::str::from_utf8(content.get(SALT_BYTES..)?).ok()?;
    scan::check(text).ok()?;
    serde_json::from_str(text).ok()
}

fn read_commitment(value: &Value) -> Option<Digest> {
    let members = value.as_object().filter(|members| members.len() == 1)?;
    Digest::parse(members.get(MEMBER)?.as_str()?)
}

/// The parts of a JSON Pointer below the first one, with that one.
fn parts(place: &str) -> Option<(String, Vec<String>)> {
    let mut parts = place.strip_prefix('/')?.split('/').map(|part| part.replace("~1", "/").replace("~0", "~"));
    let first = parts.next()?;
    Some((first, parts.collect()))
}

/// A place in an array, written in the one way.
fn position(part: &str) -> Option<usize> {
    part.parse::<usize>().ok().filter(|position| position.to_string() == part)
}

fn at<'v>(body: &'v Map<String, Value>, place: &str) -> Option<&'v Value> {
    let (first, rest) = parts(place)?;
    rest.iter().try_fold(body.get(&first)?, |value, part| match value {
        Value::Object(members) => members.get(part),
        Value::Array(values) => values.get(position(part)?),
        _ => None,
    })
}

fn at_mut<'v>(body: &'v mut Map<String, Value>, place: &str) -> Option<&'v mut Value> {
    let (first, rest) = parts(place)?;
    rest.iter().try_fold(body.get_mut(&first)?, |value, part| match value {
        Value::Object(members) => members.get_mut(part),
        Value::Array(values) => values.get_mut(position(part)?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kernel::entry::Kind;
    use crate::kernel::log::append::{Event, Log};
    use crate::kernel::log::testing::{Memory, World, body};
    use crate::kernel::store::Store as _;

    fn request() -> Value {
        json!({ "context": { "email": "a@b.example", "a/b": [1, { "~": "secret" }], "other": true } })
    }

    fn sensitive() -> Event {
        Event {
            sensitive: ["/request/context/email", "/request/context/a~1b/1/~0"].map(str::to_owned).to_vec(),
            ..Event::new(Kind::Decision, body(json!({ "request": request() })))
        }
    }

    fn reveal_in(store: &mut Memory, entry: &Entry) -> Result<Revealed, LogError> {
        let mut revealed = None;
        store
            .transact(&mut |tx| {
                revealed = Some(reveal(tx, entry.clone()));
                Ok(())
            })
            .expect("nothing fails");
        revealed.expect("it was run")
    }

    #[test]
    fn values_are_hidden_and_put_back() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let entry = store.append(&log, &world, sensitive());
        let text = String::from_utf8(entry.to_bytes()).expect("it is text");
        assert!(!text.contains("a@b.example") && !text.contains("secret"), "{text}");
        let places = commitments(&entry).expect("they are commitments");
        assert_eq!(places.len(), 2);
        let revealed = reveal_in(&mut store, &entry).expect("all is there");
        assert_eq!(revealed.entry.body["request"], request());
        assert_eq!(revealed.erased, [""; 0]);
        // The commitment is what anybody computes from the content: the salt, and the value's canonical text.
        let content = &store.contents[&places["/request/context/email"]];
        assert_eq!(&content[SALT_BYTES..], b"\"a@b.example\"");
        assert_eq!(Digest::of(content), places["/request/context/email"]);
        // The same value is another commitment the next time.
        let again = store.append(&log, &world, sensitive());
        assert!(commitments(&again).expect("they are").values().all(|one| !places.values().any(|other| one == other)));
    }

    #[test]
    fn what_only_looks_like_a_commitment_is_left() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let secret = store.append(&log, &world, sensitive());
        let stolen = commitments(&secret).expect("they are")["/request/context/email"];
        let fake = json!({ "request": { "commitment": stolen.to_string() } });
        let entry = store.append(&log, &world, Event::new(Kind::Decision, body(fake.clone())));
        assert_eq!(commitments(&entry), Ok(BTreeMap::new()));
        assert_eq!(reveal_in(&mut store, &entry).map(|revealed| Value::Object(revealed.entry.body)), Ok(fake));
        // And nobody but this module writes the list.
        let mut listed = body(json!({ "committed": ["/request"] }));
        assert!(matches!(commit(&mut listed, &[], Vec::new(), &world), Err(LogError::LikeCommitment(_))));
    }

    #[test]
    fn places_have_to_be_there_and_apart() {
        let world = World::new();
        for places in [
            &["/request/nothing"][..],
            &["request"],
            &[""],
            &["/request/context/a~1b/7"],
            &["/request/context/a~1b/01"],
            &["/request/context", "/request/context/email"],
            &["/request/context/email", "/request/context/email"],
        ] {
            let places: Vec<String> = places.iter().map(|place| (*place).to_owned()).collect();
            let mut body = body(json!({ "request": request() }));
            assert!(
                matches!(commit(&mut body, &places, Vec::new(), &world), Err(LogError::NoSuchPlace(_))),
                "{places:?}"
            );
        }
    }

    #[test]
    fn what_was_sealed_before_is_what_is_committed_to() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let sealed = seal(&"it arrived".into(), &world).expect("there is chance");
        let mut event = Event::new(Kind::Decision, body(json!({ "evidence": null, "open": 1 })));
        event.sealed.push(("/evidence".to_owned(), sealed.clone()));
        let entry = store.append(&log, &world, event);
        assert_eq!(commitments(&entry), Ok(BTreeMap::from([("/evidence".to_owned(), sealed.commitment)])));
        let revealed = reveal_in(&mut store, &entry).expect("all is there");
        assert_eq!(Value::Object(revealed.entry.body), json!({ "evidence": "it arrived", "open": 1 }));
        // The same is another one the next time, so that nobody can try what it was.
        assert_ne!(seal(&"it arrived".into(), &world).expect("there is chance").commitment, sealed.commitment);
        let mut elsewhere = body(json!({ "other": null }));
        let places = vec![("/evidence".to_owned(), sealed)];
        assert!(matches!(commit(&mut elsewhere, &[], places, &world), Err(LogError::NoSuchPlace(_))));
    }

    #[test]
    fn other_contents_are_not_put_back() {
        let (mut store, world, log) = (Memory::default(), World::new(), Log::default());
        let entry = store.append(&log, &world, sensitive());
        let digest = commitments(&entry).expect("they are")["/request/context/email"];
        let content = store.contents[&digest].clone();
        assert_eq!(opened(digest, &content), Some("a@b.example".into()));
        assert_eq!(opened(digest, &content[1..]), None);
        assert_eq!(opened(Digest::of(&content[..40]), &content[..40]), None);
        store.contents.insert(digest, b"other".to_vec());
        assert!(reveal_in(&mut store, &entry).is_err());
    }
}
