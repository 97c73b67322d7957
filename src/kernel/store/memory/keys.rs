//! A map of texts, most of which are ids of one word: those are kept as numbers.
//!
//! `permit_01JD3Q8Z0000000000000000AB` is a word and 128 bits, and ids of one word are in the order of their numbers. A
//! number needs no text of its own, and is compared at once where two ids of the same millisecond have to be read for twenty
//! bytes. What neighbours may rely on: any text is a key, and keys come in the order of their bytes.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::{BTreeMap, btree_map};
use std::iter;
use std::ops::Bound;
use std::sync::Arc;

use crate::kernel::id;

/// The upper and the lower half of a number: most differ in the first, and that is one comparison.
type Halves = (u64, u64);

/// A key, as it is kept.
#[derive(Clone, Debug)]
pub(super) enum Key {
    /// An id of the map's word.
    Number(Halves),
    /// Any other text.
    Text(Arc<str>),
}

/// The map.
#[derive(Debug)]
pub(super) struct Keys<T> {
    /// The word of the first id that came; ids of other words are texts.
    word: Option<Box<str>>,
    numbers: BTreeMap<Halves, T>,
    texts: BTreeMap<Arc<str>, T>,
}

impl<T> Default for Keys<T> {
    fn default() -> Keys<T> {
        Keys { word: None, numbers: BTreeMap::new(), texts: BTreeMap::new() }
    }
}

impl<T> Keys<T> {
    /// The number of an id of the map's word.
    fn number(&self, key: &str) -> Option<Halves> {
        let (word, number) = id::parts(key)?;
        (self.word.as_deref() == Some(word)).then_some(((number >> 64) as u64, number as u64))
    }

    pub(super) fn get(&self, key: &str) -> Option<&T> {
        match self.number(key) {
            Some(number) => self.numbers.get(&number),
            None => self.texts.get(key),
        }
    }

    /// What is there, and its key.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<(Key, &mut T)> {
        match self.number(key) {
            Some(number) => Some((Key::Number(number), self.numbers.get_mut(&number)?)),
            None => {
                let (text, _) = self.texts.get_key_value(key)?;
                let text = Arc::clone(text);
                Some((Key::Text(text), self.texts.get_mut(key)?))
            }
        }
    }

    /// Puts a value where none is. Gives its key; none if one is there, which stays.
    pub(super) fn insert(&mut self, key: &str, value: T) -> Option<Key> {
        if self.word.is_none() {
            self.word = id::parts(key).map(|(word, _)| word.into());
        }
        match self.number(key) {
            Some(number) => match self.numbers.entry(number) {
                btree_map::Entry::Occupied(_) => None,
                btree_map::Entry::Vacant(place) => {
                    place.insert(value);
                    Some(Key::Number(number))
                }
            },
            None => match self.texts.entry(key.into()) {
                btree_map::Entry::Occupied(_) => None,
                btree_map::Entry::Vacant(place) => {
                    let key = Arc::clone(place.key());
                    place.insert(value);
                    Some(Key::Text(key))
                }
            },
        }
    }

    /// Puts a value, whatever is there.
    pub(super) fn set(&mut self, key: Key, value: T) {
        match key {
            Key::Number(number) => drop(self.numbers.insert(number, value)),
            Key::Text(text) => drop(self.texts.insert(text, value)),
        }
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<T> {
        match key {
            Key::Number(number) => self.numbers.remove(number),
            Key::Text(text) => self.texts.remove(text),
        }
    }

    /// Takes out all values of a kind.
    pub(super) fn extract(&mut self, is_meant: impl Fn(&T) -> bool) -> Vec<(Key, T)> {
        let numbers = self.numbers.extract_if(.., |_, value| is_meant(value));
        let mut all: Vec<_> = numbers.map(|(number, value)| (Key::Number(number), value)).collect();
        let texts = self.texts.extract_if(.., |_, value| is_meant(value));
        all.extend(texts.map(|(text, value)| (Key::Text(text), value)));
        all
    }

    /// The values of a kind whose keys are behind one, in the order of the keys. Of those that are not meant no text is made.
    pub(super) fn behind(
        &self,
        after: Option<&str>,
        is_meant: impl Fn(&T) -> bool,
    ) -> impl Iterator<Item = (String, &T)> {
        let word = self.word.as_deref().unwrap_or_default();
        let from = after.and_then(|after| self.number(after)).map_or(Bound::Unbounded, Bound::Excluded);
        let is_behind = move |key: &str| after.is_none_or(|after| key > after);
        let mut texts = {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            self.texts.range::<str, _>((from, Bound::Unbounded))
        };
        let mut numbers = self.numbers.range((from, Bound::Unbounded));
        let mut next_text = None;
        let mut next_number = None;
        iter::from_fn(move || {
            if next_text.is_none() {
                next_text = texts.find(|(_, value)| is_meant(value)).map(|(text, value)| (text.to_string(), value));
            }
            if next_number.is_none() {
                let mut texts = numbers.by_ref().filter(|(_, value)| is_meant(value));
                next_number = texts.find_map(|(number, value)| {
                    Some((id::text(word, whole(*number)), value)).filter(|(text, _)| is_behind(text))
                });
            }
            match (&next_text, &next_number) {
                (Some((text, _)), Some((number, _))) if text < number => next_text.take(),
                (Some(_), None) => next_text.take(),
                _ => next_number.take(),
            }
        })
    }
}

fn whole((upper, lower): Halves) -> u128 {
    u128::from(upper) << 64 | u128::from(lower)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Ids of two words with near numbers, and texts that lie before, between and behind them.
    fn key() -> impl Strategy<Value = String> {
        prop_oneof![
            (0..12_u128).prop_map(|number| id::text("permit", number)),
            (0..12_u128).prop_map(|number| id::text("permit", u128::MAX.wrapping_sub(number))),
            (0..4_u128).prop_map(|number| id::text("ent", number)),
            "permit_0{0,27}",
            "[a-z]{0,2}",
            Just("permit_0000000000000000000000000a".to_owned()),
            Just("permit_80000000000000000000000000".to_owned()),
        ]
    }

    proptest! {
        /// As a map of texts.
        #[test]
        fn it_is_a_map_of_texts(steps in prop::collection::vec((0..5_u8, key(), 0..4_u8), 0..60)) {
            let (mut keys, mut model) = (Keys::default(), BTreeMap::new());
            for (step, key, value) in steps {
                match step {
                    0 | 1 => {
                        let is_new = !model.contains_key(&key);
                        prop_assert_eq!(keys.insert(&key, value).is_some(), is_new);
                        model.entry(key).or_insert(value);
                    }
                    2 => {
                        let found = keys.get_mut(&key).map(|(key, _)| key);
                        prop_assert_eq!(found.is_some(), model.contains_key(&key));
                        if let Some(found) = found {
                            prop_assert_eq!(keys.remove(&found), model.remove(&key));
                            if value > 1 {
                                keys.set(found, value);
                                model.insert(key, value);
                            }
                        }
                    }
                    3 => {
                        if let Some((_, kept)) = keys.get_mut(&key) {
                            *kept = value;
                            model.insert(key, value);
                        }
                    }
                    _ => {
                        let taken = keys.extract(|kept| *kept == value);
                        let before = model.len();
                        model.retain(|_, kept| *kept != value);
                        prop_assert_eq!(taken.len(), before.saturating_sub(model.len()));
                        if value == 3 {
                            taken.into_iter().for_each(|(key, kept)| keys.set(key, kept));
                            model = keys.behind(None, |_| true).map(|(key, kept)| (key, *kept)).collect();
                            prop_assert_eq!(model.len(), before);
                        }
                    }
                }
            }
            prop_assert_eq!(model.keys().filter_map(|key| keys.get(key)).count(), model.len());
            for after in model.keys().map(Some).chain([None, Some(&"permit_".to_owned()), Some(&"z".to_owned())]) {
                let found: Vec<_> = keys.behind(after.map(String::as_str), |kept| *kept != 1).collect();
                let wanted = model.iter().filter(|(key, kept)| after.is_none_or(|after| *key > after) && **kept != 1);
                prop_assert_eq!(found, wanted.map(|(key, kept)| (key.clone(), kept)).collect::<Vec<_>>());
            }
        }
    }
}
