//! Making values while a decision runs: strings, sets, lists, maps and records in the local heap.
//!
//! The buffers are kept from one decision to the next.

use crate::base::limits::{LOCAL_TEXT_BYTES_MAX, LOCAL_VALUES_MAX};
use crate::data::ip::IpAddr;
use crate::vm::compare::{compare_strings, make_set};
use crate::vm::entities::Entities;
use crate::vm::image::Image;
use crate::vm::memory::{Heap, Memory};
use crate::vm::ops::graph::Room;
use crate::vm::value::{Region, Seq, StrRef, Value};

/// Room for what is being made.
#[derive(Clone, Debug, Default)]
pub struct Buffers {
    /// Elements.
    pub values: Vec<Value>,
    /// A text.
    pub text: String,
    /// A graph that is judged.
    pub graph: Room,
    order: Vec<u32>,
}

/// What can be read while a decision runs.
#[inline]
pub fn reading<'a, E: Entities>(image: &'a Image, entities: &'a E, local: &'a Heap) -> Memory<'a> {
    Memory { program: &image.heap, store: entities.heap(), local }
}

/// What it takes to make a value.
#[derive(Debug)]
pub struct Maker<'a, E> {
    /// The program.
    pub image: &'a Image,
    /// The entities.
    pub entities: &'a E,
    /// Where the value will lie.
    pub heap: &'a mut Heap,
    /// Where its elements lie until it is made.
    pub values: &'a mut Vec<Value>,
    /// Where its text lies until it is made.
    pub text: &'a mut String,
    order: &'a mut Vec<u32>,
}

impl<'a, E: Entities> Maker<'a, E> {
    /// A maker for one value.
    #[inline]
    pub fn new(image: &'a Image, entities: &'a E, heap: &'a mut Heap, buffers: &'a mut Buffers) -> Maker<'a, E> {
        let Buffers { values, text, order, .. } = buffers;
        Maker { image, entities, heap, values, text, order }
    }

    /// What can be read.
    #[inline]
    #[must_use]
    pub fn memory(&self) -> Memory<'_> {
        reading(self.image, self.entities, self.heap)
    }

    /// The string whose text lies in `text`: that of the program or the store, if one of them knows it.
    #[must_use]
    pub fn string(self) -> Value {
        if let Some(known) = self.image.find_string(self.text).or_else(|| self.entities.find_string(self.text)) {
            return Value::String(known);
        }
        let texts = &mut self.heap.texts;
        if texts.len_bytes() + self.text.len() > LOCAL_TEXT_BYTES_MAX || texts.len() >= LOCAL_VALUES_MAX {
            return Value::EXHAUSTED;
        }
        Value::String(StrRef::local(texts.add(self.text)))
    }

    /// An address.
    #[inline]
    #[must_use]
    pub fn ip(self, ip: IpAddr) -> Value {
        if self.heap.ips.len() >= LOCAL_VALUES_MAX {
            return Value::EXHAUSTED;
        }
        self.heap.add_ip(Region::Local, ip)
    }

    /// What `kind` says, of the values that lie in `values`.
    #[inline]
    #[must_use]
    pub fn seq(self, kind: fn(Seq) -> Value) -> Value {
        if self.heap.values.len() + self.values.len() > LOCAL_VALUES_MAX {
            return Value::EXHAUSTED;
        }
        kind(self.heap.add_values(Region::Local, self.values))
    }

    /// The set of the values that lie in `values`.
    #[must_use]
    pub fn set(self) -> Value {
        let memory = reading(self.image, self.entities, self.heap);
        make_set(memory, self.values);
        self.seq(Value::Set)
    }

    /// The map of keys and values that lie in turn in `values`; of equal keys the last counts.
    #[must_use]
    pub fn map(self) -> Value {
        let memory = reading(self.image, self.entities, self.heap);
        let values = &*self.values;
        let key = |entry: u32| match values.get(entry as usize * 2) {
            Some(&Value::String(key)) => key,
            _ => StrRef(0),
        };
        self.order.clear();
        self.order.extend(0..values.len() as u32 / 2);
        self.order.sort_unstable_by(|&left, &right| {
            compare_strings(memory, key(left), key(right)).then_with(|| right.cmp(&left))
        });
        self.order.dedup_by(|later, earlier| compare_strings(memory, key(*later), key(*earlier)).is_eq());
        if self.heap.values.len() + values.len() > LOCAL_VALUES_MAX {
            return Value::EXHAUSTED;
        }
        let start = self.heap.values.len() as u32;
        for &entry in &*self.order {
            let entry = entry as usize * 2;
            self.heap.values.extend_from_slice(values.get(entry..entry + 2).unwrap_or(&[]));
        }
        Value::Map(Seq { region: Region::Local, start, len: self.order.len() as u32 * 2 })
    }
}
