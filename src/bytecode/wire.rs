//! Numbers, texts and lists as bytes, and back: the one form that every value has in a bundle.
//!
//! Numbers are little endian and of fixed width, lists and texts have their length (32 bits) before them, a variant of an
//! enum its tag (8 bits). There is one way to write a value, and nothing else is read: what was read is written as the
//! same bytes. Nothing here panics, and no list is given more room than the bytes that are left could fill.

// These bytes are a stranger's.
#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::fmt;

use crate::base::hash::Digest;
use crate::bytecode::op::Op;

/// Why bytes are not a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireError {
    /// There are fewer bytes than the value has.
    Short,
    /// There are more.
    Long,
    /// A text is not UTF-8.
    Utf8,
    /// A number is not one of those that may stand there.
    Tag,
    /// A word is not an instruction, or has bits set that mean nothing.
    Instruction,
    /// A value is outside the range of its type.
    Range,
}

impl fmt::Display for WireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WireError::Short => "it ends too early",
            WireError::Long => "there is more behind its end",
            WireError::Utf8 => "a text is not UTF-8",
            WireError::Tag => "a number is none of those that may stand there",
            WireError::Instruction => "a word is not an instruction",
            WireError::Range => "a value is outside the range of its type",
        })
    }
}

impl std::error::Error for WireError {}

/// Takes values off bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads these bytes from their start.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// So many bytes.
    ///
    /// # Errors
    /// There are fewer.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(WireError::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// As many bytes as the array has.
    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(WireError::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// A value.
    ///
    /// # Errors
    /// The bytes are not one.
    #[inline]
    pub fn read<T: Wire>(&mut self) -> Result<T, WireError> {
        T::read(self)
    }

    /// How many bytes are left.
    #[must_use]
    pub fn left(&self) -> usize {
        self.rest.len()
    }
}

/// A value that can be written as bytes and read back.
pub trait Wire: Sized {
    /// Writes it behind what is there.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads it.
    ///
    /// # Errors
    /// The bytes are not such a value.
    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError>;
}

/// The value that all of these bytes are.
///
/// # Errors
/// They are not one, or there are more.
pub fn from_bytes<T: Wire>(bytes: &[u8]) -> Result<T, WireError> {
    let mut reader = Reader::new(bytes);
    let value = reader.read()?;
    if reader.left() == 0 { Ok(value) } else { Err(WireError::Long) }
}

/// The bytes of a value.
#[must_use]
pub fn to_bytes<T: Wire>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    value.write(&mut out);
    out
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Wire for $number {
            #[inline]
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            #[inline]
            fn read(reader: &mut Reader<'_>) -> Result<$number, WireError> {
                reader.array().map(<$number>::from_le_bytes)
            }
        }
    )*};
}

numbers!(u8, u16, u32, u64, u128, i64);

impl Wire for bool {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn read(reader: &mut Reader<'_>) -> Result<bool, WireError> {
        match reader.read::<u8>()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::Tag),
        }
    }
}

impl Wire for Box<str> {
    fn write(&self, out: &mut Vec<u8>) {
        (self.len() as u32).write(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Box<str>, WireError> {
        let length: u32 = reader.read()?;
        let bytes = reader.take(length as usize)?;
        std::str::from_utf8(bytes).map(Box::from).map_err(|_| WireError::Utf8)
    }
}

impl Wire for Digest {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Digest, WireError> {
        reader.array().map(Digest)
    }
}

impl Wire for Op {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.encode());
    }

    #[inline]
    fn read(reader: &mut Reader<'_>) -> Result<Op, WireError> {
        Op::decode(reader.array()?).ok_or(WireError::Instruction)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write(&self, out: &mut Vec<u8>) {
        (self.len() as u32).write(out);
        self.iter().for_each(|item| item.write(out));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Vec<T>, WireError> {
        let length = reader.read::<u32>()? as usize;
        // An item has at least one byte. What it takes in memory may be more, but not without bound.
        let mut items = Vec::with_capacity(length.min(reader.left()).min(1 << 16));
        for _ in 0..length {
            items.push(reader.read()?);
        }
        Ok(items)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Option<T>, WireError> {
        if reader.read()? { reader.read().map(Some) } else { Ok(None) }
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
        self.1.write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<(A, B), WireError> {
        Ok((reader.read()?, reader.read()?))
    }
}

/// `Wire` for structs: their fields in order.
macro_rules! wire_structs {
    ($($name:ident { $($field:ident),* $(,)? })*) => {$(
        impl $crate::bytecode::wire::Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                $($crate::bytecode::wire::Wire::write(&self.$field, out);)*
            }

            fn read(
                reader: &mut $crate::bytecode::wire::Reader<'_>,
            ) -> Result<Self, $crate::bytecode::wire::WireError> {
                Ok($name { $($field: reader.read()?),* })
            }
        }
    )*};
}

/// `Wire` for numbers with a name.
macro_rules! wire_ids {
    ($($name:ident),* $(,)?) => {$(
        impl $crate::bytecode::wire::Wire for $name {
            #[inline]
            fn write(&self, out: &mut Vec<u8>) {
                $crate::bytecode::wire::Wire::write(&self.0, out);
            }

            #[inline]
            fn read(
                reader: &mut $crate::bytecode::wire::Reader<'_>,
            ) -> Result<Self, $crate::bytecode::wire::WireError> {
                reader.read().map($name)
            }
        }
    )*};
}

/// `Wire` for enums: the tag, and the parts in order.
macro_rules! wire_enums {
    ($($name:ident { $($tag:literal $variant:ident $(($($part:ident),*))? $({$($field:ident),*})?;)* })*) => {$(
        impl $crate::bytecode::wire::Wire for $name {
            fn write(&self, out: &mut Vec<u8>) {
                match self {
                    $($name::$variant $(($($part),*))? $({$($field),*})? => {
                        out.push($tag);
                        $($($crate::bytecode::wire::Wire::write($part, out);)*)?
                        $($($crate::bytecode::wire::Wire::write($field, out);)*)?
                    })*
                }
            }

            fn read(
                reader: &mut $crate::bytecode::wire::Reader<'_>,
            ) -> Result<Self, $crate::bytecode::wire::WireError> {
                Ok(match reader.read::<u8>()? {
                    $($tag => {
                        $($(let $part = reader.read()?;)*)?
                        $($(let $field = reader.read()?;)*)?
                        $name::$variant $(($($part),*))? $({$($field),*})?
                    })*
                    _ => return Err($crate::bytecode::wire::WireError::Tag),
                })
            }
        }
    )*};
}

pub(crate) use {wire_enums, wire_ids, wire_structs};
