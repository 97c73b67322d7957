//! Finds a key that stands twice in an object that nobody decodes.
//!
//! The keys of all open objects lie on one stack; an object's are sorted when it closes, so that no choice of keys
//! costs more than `n log n`, and nothing is allocated once the stack has grown. It holds places, not slices, so that one
//! stack serves all documents.

use std::cmp::Ordering;

use super::Text;

/// The keys of the objects that are open, by their places in the document.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    stack: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    start: u32,
    end: u32,
    escaped: bool,
}

/// Objects up to this many keys are searched pair by pair.
const FEW: usize = 8;

impl Keys {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.stack.clear();
    }

    /// Where an object's keys begin.
    #[inline]
    #[must_use]
    pub fn mark(&self) -> usize {
        self.stack.len()
    }

    /// Adds a key of the innermost object, which begins at this offset (behind its quote).
    #[inline]
    pub fn push(&mut self, start: usize, key: Text<'_>) {
        self.stack.push(Place { start: start as u32, end: (start + key.raw.len()) as u32, escaped: key.escaped });
    }

    /// Forgets the keys from the mark on; if one of them stood twice, the offset of the later one of the two.
    pub fn close(&mut self, mark: usize, document: &str) -> Option<usize> {
        let keys = self.stack.get_mut(mark..).unwrap_or_default();
        let found = if keys.len() <= FEW { twice_of_few(keys, document) } else { twice_of_many(keys, document) };
        self.stack.truncate(mark);
        found.map(|place| place.start as usize)
    }
}

fn twice_of_few(keys: &[Place], document: &str) -> Option<Place> {
    let twice = |&(at, key): &(usize, &Place)| keys[..at].iter().any(|other| order(*other, *key, document).is_eq());
    keys.iter().enumerate().find(twice).map(|(_, key)| *key)
}

fn twice_of_many(keys: &mut [Place], document: &str) -> Option<Place> {
    // Of equal keys the one further on in the document sorts last.
    keys.sort_unstable_by(|a, b| order(*a, *b, document).then(a.start.cmp(&b.start)));
    keys.windows(2).find(|pair| order(pair[0], pair[1], document).is_eq()).map(|pair| pair[1])
}

fn order(a: Place, b: Place, document: &str) -> Ordering {
    let text = |place: Place| Text {
        raw: document.get(place.start as usize..place.end as usize).unwrap_or(""),
        escaped: place.escaped,
    };
    match (text(a).plain(), text(b).plain()) {
        // Code points and the bytes of their UTF-8 have the same order.
        (Some(a), Some(b)) => a.cmp(b),
        _ => text(a).characters().cmp(text(b).characters()),
    }
}
