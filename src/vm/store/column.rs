//! One attribute of all entities of a type, each value as narrow as the values beside it let it be.
//!
//! A column is a row of chunks. What a chunk has in common stands there once: that all are strings, of which heap, of which
//! enum. A chunk whose values have nothing in common has them as they are. A copy shares its chunks with the original until
//! one of both writes into one.

use std::sync::Arc;

use crate::vm::value::{EntityRef, Region, Row, Seq, StrRef, Value, Variant, WideRef};

/// How many values a chunk has.
const CHUNK: usize = 1_024;

/// The values of an attribute.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    // INVARIANT: all but the last have CHUNK values.
    chunks: Vec<Arc<Chunk>>,
    len: usize,
}

impl Column {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> Option<Value> {
        self.chunks.get(at / CHUNK)?.get(at % CHUNK)
    }

    pub(super) fn push(&mut self, value: Value) {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.push(Arc::new(Chunk::Absent(0)));
        }
        self.set(self.len, value);
        self.len += 1;
    }

    /// Puts a value in the place of another one, or behind the last.
    pub(super) fn set(&mut self, at: usize, value: Value) {
        if let Some(chunk) = self.chunks.get_mut(at / CHUNK) {
            Arc::make_mut(chunk).set(at % CHUNK, value);
        }
    }

    /// Gives back the room that grew in advance.
    pub(super) fn shrink(&mut self) {
        self.chunks.shrink_to_fit();
        if let Some(last) = self.chunks.last_mut().and_then(Arc::get_mut) {
            last.shrink();
        }
    }
}

#[derive(Clone, Debug)]
enum Chunk {
    /// So many that are absent.
    Absent(usize),
    Bytes(Vec<u8>),
    Words(Word, Vec<u32>),
    Pairs(Pair, Vec<u64>),
    Wide(Vec<Value>),
}

/// What 32 bits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Enum(u32),
    String,
    Path,
    Ip(Region),
    Net(Region),
    Url(Region),
}

/// What 64 bits are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pair {
    Int,
    Decimal,
    Duration,
    Timestamp,
    Entity(u16),
    Set(Region),
    List(Region),
    Map(Region),
    Record(Region),
}

/// A value by itself.
enum Cell {
    Absent,
    Byte(u8),
    Word(Word, u32),
    Pair(Pair, u64),
    Wide,
}

/// An absent Bool. None of ours has it, and no number of a string or a place either.
const NO_BYTE: u8 = u8::MAX;
const NO_WORD: u32 = u32::MAX;
const NO_PAIR: u64 = u64::MAX;

impl Pair {
    /// Whether all of the 64 bits may be set, so that there is nothing left to say that one is absent.
    fn is_full(self) -> bool {
        matches!(self, Pair::Int | Pair::Decimal | Pair::Duration | Pair::Timestamp)
    }
}

fn pair(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

fn parts(pair: u64) -> (u32, u32) {
    ((pair >> 32) as u32, pair as u32)
}

fn narrow(value: Value) -> Cell {
    let cell = match value {
        Value::Absent => Cell::Absent,
        Value::Bool(value) => Cell::Byte(value.into()),
        Value::Enum(Variant { of, at }) => Cell::Word(Word::Enum(of), at),
        Value::String(StrRef(at)) => Cell::Word(Word::String, at),
        Value::Path(StrRef(at)) => Cell::Word(Word::Path, at),
        Value::Ip(WideRef { region, at }) => Cell::Word(Word::Ip(region), at),
        Value::Net(WideRef { region, at }) => Cell::Word(Word::Net(region), at),
        Value::Url(WideRef { region, at }) => Cell::Word(Word::Url(region), at),
        Value::Int(value) => Cell::Pair(Pair::Int, value as u64),
        Value::Decimal(value) => Cell::Pair(Pair::Decimal, value as u64),
        Value::Duration(value) => Cell::Pair(Pair::Duration, value as u64),
        Value::Timestamp(value) => Cell::Pair(Pair::Timestamp, value as u64),
        Value::Entity(EntityRef { ty, id, row }) => match row.stored_at() {
            Some(row) => Cell::Pair(Pair::Entity(ty), pair(row, id.0)),
            None => Cell::Wide,
        },
        Value::Set(seq) => Cell::Pair(Pair::Set(seq.region), pair(seq.start, seq.len)),
        Value::List(seq) => Cell::Pair(Pair::List(seq.region), pair(seq.start, seq.len)),
        Value::Map(seq) => Cell::Pair(Pair::Map(seq.region), pair(seq.start, seq.len)),
        Value::Record(seq) => Cell::Pair(Pair::Record(seq.region), pair(seq.start, seq.len)),
        Value::Iterator(_) | Value::Graph(_) | Value::Error(_) => Cell::Wide,
    };
    match cell {
        Cell::Word(_, NO_WORD) => Cell::Wide,
        Cell::Pair(of, NO_PAIR) if !of.is_full() => Cell::Wide,
        cell => cell,
    }
}

#[inline]
fn of_word(of: Word, at: u32) -> Value {
    match of {
        _ if at == NO_WORD => Value::Absent,
        Word::Enum(of) => Value::Enum(Variant { of, at }),
        Word::String => Value::String(StrRef(at)),
        Word::Path => Value::Path(StrRef(at)),
        Word::Ip(region) => Value::Ip(WideRef { region, at }),
        Word::Net(region) => Value::Net(WideRef { region, at }),
        Word::Url(region) => Value::Url(WideRef { region, at }),
    }
}

#[inline]
fn of_pair(of: Pair, bits: u64) -> Value {
    let seq = |region| {
        let (start, len) = parts(bits);
        Seq { region, start, len }
    };
    match of {
        Pair::Int => Value::Int(bits as i64),
        Pair::Decimal => Value::Decimal(bits as i64),
        Pair::Duration => Value::Duration(bits as i64),
        Pair::Timestamp => Value::Timestamp(bits as i64),
        _ if bits == NO_PAIR => Value::Absent,
        Pair::Entity(ty) => {
            let (row, id) = parts(bits);
            Value::Entity(EntityRef { ty, id: StrRef(id), row: Row::stored(row) })
        }
        Pair::Set(region) => Value::Set(seq(region)),
        Pair::List(region) => Value::List(seq(region)),
        Pair::Map(region) => Value::Map(seq(region)),
        Pair::Record(region) => Value::Record(seq(region)),
    }
}

impl Chunk {
    #[inline]
    fn get(&self, at: usize) -> Option<Value> {
        match self {
            Chunk::Absent(len) => (at < *len).then_some(Value::Absent),
            Chunk::Bytes(cells) => {
                cells.get(at).map(|&cell| if cell == NO_BYTE { Value::Absent } else { Value::Bool(cell == 1) })
            }
            Chunk::Words(of, cells) => cells.get(at).map(|&cell| of_word(*of, cell)),
            Chunk::Pairs(of, cells) => cells.get(at).map(|&cell| of_pair(*of, cell)),
            Chunk::Wide(cells) => cells.get(at).copied(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Chunk::Absent(len) => *len,
            Chunk::Bytes(cells) => cells.len(),
            Chunk::Words(_, cells) => cells.len(),
            Chunk::Pairs(_, cells) => cells.len(),
            Chunk::Wide(cells) => cells.len(),
        }
    }

    /// At most one place behind the last.
    fn set(&mut self, at: usize, value: Value) {
        let cell = narrow(value);
        self.suit(&cell);
        match (self, cell) {
            (Chunk::Absent(len), _) => *len = (*len).max(at + 1),
            (Chunk::Bytes(cells), Cell::Byte(cell)) => put(cells, at, cell),
            (Chunk::Bytes(cells), _) => put(cells, at, NO_BYTE),
            (Chunk::Words(_, cells), Cell::Word(_, cell)) => put(cells, at, cell),
            (Chunk::Words(_, cells), _) => put(cells, at, NO_WORD),
            (Chunk::Pairs(_, cells), Cell::Pair(_, cell)) => put(cells, at, cell),
            (Chunk::Pairs(_, cells), _) => put(cells, at, NO_PAIR),
            (Chunk::Wide(cells), _) => put(cells, at, value),
        }
    }

    /// Makes of it one that can have such a value.
    fn suit(&mut self, cell: &Cell) {
        let suits = match (&*self, cell) {
            (Chunk::Wide(_), _)
            | (Chunk::Absent(_) | Chunk::Bytes(_) | Chunk::Words(..), Cell::Absent)
            | (Chunk::Bytes(_), Cell::Byte(_)) => true,
            (Chunk::Pairs(of, _), Cell::Absent) => !of.is_full(),
            (Chunk::Words(of, _), Cell::Word(new, _)) => of == new,
            (Chunk::Pairs(of, _), Cell::Pair(new, _)) => of == new,
            _ => false,
        };
        if suits {
            return;
        }
        let wide = |chunk: &Chunk| (0..chunk.len()).filter_map(|at| chunk.get(at)).collect();
        *self = match (&*self, cell) {
            (Chunk::Absent(len), Cell::Byte(_)) => Chunk::Bytes(vec![NO_BYTE; *len]),
            (Chunk::Absent(len), Cell::Word(of, _)) => Chunk::Words(*of, vec![NO_WORD; *len]),
            (Chunk::Absent(len), Cell::Pair(of, _)) if *len == 0 || !of.is_full() => {
                Chunk::Pairs(*of, vec![NO_PAIR; *len])
            }
            (chunk, _) => Chunk::Wide(wide(chunk)),
        };
    }

    fn shrink(&mut self) {
        match self {
            Chunk::Absent(_) => {}
            Chunk::Bytes(cells) => cells.shrink_to_fit(),
            Chunk::Words(_, cells) => cells.shrink_to_fit(),
            Chunk::Pairs(_, cells) => cells.shrink_to_fit(),
            Chunk::Wide(cells) => cells.shrink_to_fit(),
        }
    }
}

fn put<T>(cells: &mut Vec<T>, at: usize, cell: T) {
    match cells.get_mut(at) {
        Some(place) => *place = cell,
        None => {
            // As many as there are at once: rooms that double leave holes of all sizes behind.
            if cells.len() == cells.capacity() && !cells.is_empty() {
                cells.reserve_exact(CHUNK - cells.len().min(CHUNK - 1));
            }
            cells.push(cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One of each kind, twice where they differ in what a chunk has in common, and what nothing stands for.
    fn values() -> Vec<Value> {
        let seq = |region| Seq { region, start: 7, len: u32::MAX };
        let entity = |ty, row| Value::Entity(EntityRef { ty, id: StrRef(5), row });
        let mut values = vec![
            Value::Absent,
            Value::Bool(true),
            Value::Bool(false),
            Value::Int(-1),
            Value::Decimal(i64::MIN),
            Value::Duration(-1),
            Value::Timestamp(i64::MAX),
            Value::Enum(Variant { of: 1, at: 2 }),
            Value::Enum(Variant { of: 2, at: 2 }),
            Value::Enum(Variant { of: 2, at: u32::MAX }),
            Value::String(StrRef(0)),
            Value::Path(StrRef(9)),
            Value::String(StrRef(u32::MAX)),
            entity(1, Row::stored(3)),
            entity(2, Row::stored(3)),
            entity(2, Row::NONE),
            entity(2, Row::presented(3)),
            Value::INTERNAL,
        ];
        for region in [Region::Program, Region::Store] {
            let wide = WideRef { region, at: 4 };
            values.extend([Value::Ip(wide), Value::Net(wide), Value::Url(wide)]);
            let seq = seq(region);
            values.extend([Value::Set(seq), Value::List(seq), Value::Map(seq), Value::Record(seq)]);
            values.push(Value::Set(Seq { start: u32::MAX, ..seq }));
        }
        values
    }

    fn texts(column: &Column) -> Vec<String> {
        (0..column.len()).map(|at| format!("{:?}", column.get(at).expect("it is there"))).collect()
    }

    /// Whatever stands beside a value, before it or in its place, it comes back as it was put in.
    #[test]
    fn values_come_back() {
        for first in values() {
            for second in values() {
                for third in values() {
                    let mut column = Column::default();
                    column.push(first);
                    column.push(second);
                    column.push(third);
                    assert_eq!(texts(&column), [first, second, third].map(|value| format!("{value:?}")));
                    let copy = column.clone();
                    column.set(0, third);
                    column.shrink();
                    assert_eq!(texts(&column), [third, second, third].map(|value| format!("{value:?}")));
                    assert_eq!(texts(&copy), [first, second, third].map(|value| format!("{value:?}")));
                }
            }
        }
    }

    #[test]
    fn columns_are_as_long_as_what_was_put_in_and_copies_share_what_did_not_change() {
        let mut column = Column::default();
        let value = |at: usize| if at.is_multiple_of(3) { Value::Absent } else { Value::String(StrRef(at as u32)) };
        (0..3 * CHUNK + 7).for_each(|at| column.push(value(at)));
        assert_eq!(column.len(), 3 * CHUNK + 7);
        assert!((0..column.len()).all(|at| format!("{:?}", column.get(at)) == format!("{:?}", Some(value(at)))));
        assert!(column.get(column.len()).is_none() && column.get(usize::MAX).is_none());
        let before = column.clone();
        column.set(CHUNK, Value::String(StrRef(1)));
        let shared: Vec<bool> =
            column.chunks.iter().zip(&before.chunks).map(|(one, other)| Arc::ptr_eq(one, other)).collect();
        assert_eq!(shared, [true, false, true, true]);
    }

    #[test]
    fn what_is_alike_is_narrow() {
        let bytes = |column: &Column| match &*column.chunks[0] {
            Chunk::Absent(_) => 0,
            Chunk::Bytes(_) => 1,
            Chunk::Words(..) => 4,
            Chunk::Pairs(..) => 8,
            Chunk::Wide(_) => 16,
        };
        let of = |values: &[Value]| {
            let mut column = Column::default();
            values.iter().for_each(|&value| column.push(value));
            bytes(&column)
        };
        let (bool, text, int) = (Value::Bool(true), Value::String(StrRef(1)), Value::Int(1));
        assert_eq!([of(&[Value::Absent]), of(&[Value::Absent, bool]), of(&[text, Value::Absent])], [0, 1, 4]);
        assert_eq!([of(&[int, int]), of(&[int, Value::Absent]), of(&[text, bool])], [8, 16, 16]);
    }
}
