//! The entries of the log, one behind the other in a few large pieces of memory: most are short, and there are many.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::mem;

/// How large a piece is, unless an entry is larger. An entry lies in one piece.
const PIECE_BYTES: usize = 64 * 1_024;

/// The entries.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pieces: Vec<Vec<u8>>,
    places: Vec<Place>,
}

/// Where an entry lies, and of what kind it is.
#[derive(Clone, Copy, Debug)]
struct Place {
    piece: u32,
    begin: u32,
    end: u32,
    kind: u32,
}

/// Entries that were dropped, to be put back.
#[derive(Debug)]
pub(super) struct Dropped {
    pieces: Vec<Vec<u8>>,
    places: Vec<Place>,
}

impl Dropped {
    /// Of what kinds they are, in their order.
    pub(super) fn kinds(&self) -> impl Iterator<Item = usize> {
        self.places.iter().map(Place::kind)
    }
}

impl Place {
    fn kind(&self) -> usize {
        usize::try_from(self.kind).unwrap_or(usize::MAX)
    }
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Puts an entry behind the others; false if there is no room for more.
    pub(super) fn push(&mut self, kind: usize, entry: &[u8]) -> bool {
        let has_room = |piece: &Vec<u8>| piece.capacity().saturating_sub(piece.len()) >= entry.len();
        if !self.pieces.last().is_some_and(has_room) {
            self.pieces.push(Vec::with_capacity(PIECE_BYTES.max(entry.len())));
        }
        let Some(at) = self.pieces.len().checked_sub(1) else { return false };
        let Some(piece) = self.pieces.get_mut(at) else { return false };
        let end = piece.len().saturating_add(entry.len());
        let place = [at, piece.len(), end, kind].map(u32::try_from);
        let [Ok(at), Ok(begin), Ok(end), Ok(kind)] = place else { return false };
        piece.extend_from_slice(entry);
        self.places.push(Place { piece: at, begin, end, kind });
        true
    }

    /// Takes the last one away, and gives its kind.
    pub(super) fn pop(&mut self) -> Option<usize> {
        let place = self.places.pop()?;
        let count = usize::try_from(place.piece).ok()?.checked_add(1)?;
        self.pieces.truncate(count);
        self.pieces.last_mut()?.truncate(usize::try_from(place.begin).ok()?);
        Some(place.kind())
    }

    pub(super) fn get(&self, at: usize) -> Option<&[u8]> {
        self.read(self.places.get(at)?)
    }

    /// All behind so many.
    pub(super) fn behind(&self, count: usize) -> impl Iterator<Item = &[u8]> {
        self.places.get(count..).unwrap_or_default().iter().map(|place| self.read(place).unwrap_or_default())
    }

    fn read(&self, place: &Place) -> Option<&[u8]> {
        let piece = self.pieces.get(usize::try_from(place.piece).ok()?)?;
        piece.get(usize::try_from(place.begin).ok()?..usize::try_from(place.end).ok()?)
    }

    /// Takes the first ones away, and whatever pieces have no others in them.
    pub(super) fn drop_first(&mut self, count: usize) -> Dropped {
        let kept = self.places.split_off(count.min(self.places.len()));
        let places = mem::replace(&mut self.places, kept);
        let first = self.places.first().map_or(self.pieces.len(), |place| usize::try_from(place.piece).unwrap_or(0));
        let pieces = self.pieces.iter_mut().take(first).map(mem::take).collect();
        Dropped { pieces, places }
    }

    /// Puts them back. Whatever came after them is gone by then.
    pub(super) fn put_back(&mut self, dropped: Dropped) {
        let Dropped { pieces, mut places } = dropped;
        places.append(&mut self.places);
        self.places = places;
        for (at, piece) in pieces.into_iter().enumerate() {
            match self.pieces.get_mut(at) {
                Some(place) => *place = piece,
                None => self.pieces.push(piece),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(rows: &Rows) -> Vec<Vec<u8>> {
        let all: Vec<Vec<u8>> = rows.behind(0).map(<[u8]>::to_vec).collect();
        assert_eq!(all.len(), rows.len());
        (0..rows.len()).for_each(|at| assert_eq!(rows.get(at), all.get(at).map(Vec::as_slice)));
        assert_eq!((rows.get(rows.len()), rows.behind(rows.len()).count()), (None, 0));
        all
    }

    proptest! {
        /// As a list of lists. What was dropped is put back at once, or never.
        #[test]
        fn it_is_a_list(steps in prop::collection::vec((0..8_u8, 0..4_usize, 0..PIECE_BYTES + 9), 0..40)) {
            let (mut rows, mut model): (Rows, Vec<(usize, Vec<u8>)>) = Default::default();
            for (step, kind, number) in steps {
                match step {
                    0..=4 => {
                        // Mostly short ones.
                        let length = if step == 0 { number } else { number % 3_000 };
                        let entry = vec![u8::try_from(number % 251).expect("it is small"); length];
                        prop_assert!(rows.push(kind, &entry));
                        model.push((kind, entry));
                    }
                    5 => prop_assert_eq!(rows.pop(), model.pop().map(|(kind, _)| kind)),
                    _ => {
                        let count = number.checked_rem(model.len().saturating_add(1)).unwrap_or(0);
                        let dropped = rows.drop_first(count);
                        let rest = model.split_off(count);
                        let entries = rest.iter().map(|(_, entry)| entry.clone());
                        prop_assert_eq!(all(&rows), entries.collect::<Vec<_>>());
                        let kinds: Vec<usize> = model.iter().map(|(kind, _)| *kind).collect();
                        prop_assert_eq!(dropped.kinds().collect::<Vec<_>>(), kinds);
                        if step == 6 {
                            rows.put_back(dropped);
                            model.extend(rest);
                        } else {
                            model = rest;
                        }
                    }
                }
            }
            prop_assert_eq!(all(&rows), model.into_iter().map(|(_, entry)| entry).collect::<Vec<_>>());
        }
    }
}
