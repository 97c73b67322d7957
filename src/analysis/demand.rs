//! How much of a collection has to be spelt out.
//!
//! A collection of a request may have thousands of elements, but what rules ask of it can be answered by few: the
//! constants that are looked for, and one witness for each question of the kind "is there one that …". Taking all other
//! elements away changes no answer (questions about the size aside, which count what is not spelt out). How many that are
//! is known only after everything was encoded; so it is encoded once to see what is asked, and once more with as many
//! elements as that takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::analysis::formula::F;

/// A constant that is looked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Known {
    /// A text, as a word.
    Text(Arc<str>),
    /// A number.
    Number(i128),
    /// An entity: the name of its type, and its id.
    Entity(Arc<str>, Arc<str>),
}

/// What is asked of one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// The constants that are looked for.
    pub known: BTreeSet<Known>,
    /// How many other elements may have to be shown.
    pub witnesses: usize,
    /// How many of the first places of a list are looked at.
    pub places: usize,
    /// Whether its size matters.
    pub sized: bool,
    /// Whether it matters how many of its elements fit.
    pub counted: bool,
}

/// What is asked of all collections, by the path of their field.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    asked: BTreeMap<Arc<str>, Asked>,
}

#[derive(Clone, Debug, Default)]
struct Asked {
    known: BTreeSet<Known>,
    questions: BTreeSet<F>,
    places: usize,
    sized: bool,
    counted: bool,
    linked: BTreeSet<Arc<str>>,
}

impl Demands {
    fn at(&mut self, path: &Arc<str>) -> &mut Asked {
        self.asked.entry(path.clone()).or_default()
    }

    /// A constant is looked for.
    pub fn known(&mut self, path: &Arc<str>, known: Known) {
        self.at(path).known.insert(known);
    }

    /// A question that one element answers; the same question asks for nothing new.
    pub fn question(&mut self, path: &Arc<str>, question: F) {
        if question != F::TRUE && question != F::FALSE {
            self.at(path).questions.insert(question.positive());
        }
    }

    /// The size matters.
    pub fn sized(&mut self, path: &Arc<str>) {
        self.at(path).sized = true;
    }

    /// It matters how many elements fit, and so does the size.
    pub fn counted(&mut self, path: &Arc<str>) {
        let asked = self.at(path);
        asked.counted = true;
        asked.sized = true;
    }

    /// Places of a list are looked at.
    pub fn places(&mut self, path: &Arc<str>, count: usize) {
        let asked = self.at(path);
        asked.places = asked.places.max(count);
    }

    /// Two collections are compared: what is shown of one has to be found in the other.
    pub fn link(&mut self, one: &Arc<str>, other: &Arc<str>) {
        self.at(one).linked.insert(other.clone());
        self.at(other).linked.insert(one.clone());
    }

    /// What has to be spelt out of each.
    #[must_use]
    pub fn settled(&self) -> BTreeMap<Arc<str>, Demand> {
        let mut settled = BTreeMap::new();
        for path in self.asked.keys() {
            let mut group: BTreeSet<&Arc<str>> = BTreeSet::from([path]);
            let mut open = vec![path];
            while let Some(next) = open.pop() {
                for linked in self.asked.get(next).into_iter().flat_map(|asked| &asked.linked) {
                    if group.insert(linked) {
                        open.push(linked);
                    }
                }
            }
            let mut demand = Demand::default();
            for asked in group.iter().filter_map(|path| self.asked.get(*path)) {
                demand.known.extend(asked.known.iter().cloned());
                demand.witnesses += asked.questions.len();
                demand.places = demand.places.max(asked.places);
                demand.sized |= asked.sized;
                demand.counted |= asked.counted;
            }
            settled.insert(path.clone(), demand);
        }
        settled
    }
}
