//! Decodes one value by its type. What is not to be built is checked all the same.

use crate::base::limits::STRING_DEFAULT_BYTES_MAX;
use crate::bytecode::schema::{Schema, Type, TypeId};
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::ip::{IpAddr, IpNet};
use crate::data::similar::best_match;
use crate::data::timestamp::Timestamp;
use crate::data::{path, url};
use crate::vm::canonical::key_order;
use crate::vm::compare::compare;
use crate::vm::decode::names::{Fields, Names, Plan};
use crate::vm::decode::trace::Trace;
use crate::vm::input::{Fail, InputErrorKind, expected, fail};
use crate::vm::json::keys::Keys;
use crate::vm::json::{NextKey, Reader, Shape, Text};
use crate::vm::memory::{Heap, Memory, UrlValue};
use crate::vm::value::{EntityRef, Region, Seq, StrRef, Value, Variant};

/// Whether a value is read by anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// It is built.
    Built,
    /// It is checked and forgotten.
    Checked,
}

/// Where values are built, and how strings and entities are known there.
pub trait Sink {
    /// Which heap this is.
    const REGION: Region;

    /// The heap.
    fn heap(&mut self) -> &mut Heap;

    /// All heaps that values may refer to.
    fn memory(&self) -> Memory<'_>;

    /// A string that is known already.
    fn known(&self, text: &str) -> Option<StrRef>;

    /// The number of a string that has just been added to the heap at this place.
    fn added(&mut self, at: u32) -> StrRef;

    /// Whether entities of a type come with their attributes here.
    fn presents(&self, ty: u32) -> bool;

    /// The registered entity with this type and id; a sentence that says why there is none.
    fn registered(&mut self, ty: u32, id: Text<'_>) -> Result<EntityRef, String>;

    /// Notes an entity that came with its attributes. Their values lie in order.
    fn present(&mut self, ty: u32, id: Text<'_>, attributes: Option<&[Value]>) -> EntityRef;

    /// Whether an attribute of such an entity is read by anybody.
    fn reads(&self, ty: u32, attribute: usize) -> bool;

    /// The number of a string.
    #[inline]
    fn string(&mut self, text: Text<'_>) -> StrRef {
        match text.plain() {
            Some(text) => match self.known(text) {
                Some(known) => known,
                None => {
                    let at = self.heap().texts.add(text);
                    self.added(at)
                }
            },
            None => {
                self.heap().texts.pending().extend(text.characters());
                self.take_pending()
            }
        }
    }

    /// A string that is known already, perhaps with escapes.
    fn known_text(&mut self, text: Text<'_>) -> Option<StrRef> {
        if let Some(text) = text.plain() {
            return self.known(text);
        }
        self.heap().texts.pending().extend(text.characters());
        let memory = self.memory();
        let known = self.known(memory.heap(Self::REGION).texts.pending_text());
        self.heap().texts.cancel();
        known
    }

    /// The number of the string that has been written behind the heap's last one.
    fn take_pending(&mut self) -> StrRef {
        let memory = self.memory();
        let known = self.known(memory.heap(Self::REGION).texts.pending_text());
        match known {
            Some(known) => {
                self.heap().texts.cancel();
                known
            }
            None => {
                let at = self.heap().texts.finish();
                self.added(at)
            }
        }
    }
}

/// The buffers of a decoder, used again and again.
#[derive(Clone, Debug, Default)]
pub struct Buffers {
    /// Values of collections and objects that are not finished.
    pub work: Vec<Value>,
    /// Keys of objects that nobody builds.
    pub keys: Keys,
    /// A string without its escapes, or a normalised text that is not kept.
    pub text: String,
    /// Whether the document seems to be canonical, so that keys are expected in that order. Any order is read.
    pub is_sorted: bool,
    /// Whether it is.
    pub trace: Trace,
}

/// A decoder at some place of a document.
#[derive(Debug)]
pub struct Decoder<'d, 's, S> {
    /// The document.
    pub reader: Reader<'d>,
    /// What the types are.
    pub schema: &'s Schema,
    /// How objects are decoded.
    pub plan: &'s Plan,
    /// Where values go.
    pub sink: S,
    /// What is in the making.
    pub buffers: &'s mut Buffers,
}

/// How long a time is in UTC, to the second.
const SECONDS: usize = "2026-01-01T00:00:00Z".len();

/// How many keys are looked for where fields may be left out.
const KEYS_AHEAD: usize = 4;

/// No place: what is decoded there is checked and forgotten.
const NOWHERE: usize = usize::MAX;

impl<'d, S: Sink> Decoder<'d, '_, S> {
    /// Decodes a value of a type.
    pub fn value(&mut self, ty: TypeId, want: Want) -> Result<Value, Fail> {
        let place = self.reserve(1);
        self.value_to(ty, want, place)?;
        Ok(self.buffers.work.pop().unwrap_or(Value::INTERNAL))
    }

    /// Decodes a value of a type to a place among those that are in the making, if there is such a place.
    //
    // Values are written where they will lie, and not handed up: they are built of pieces of different sizes, and who copies
    // one right behind that waits for the processor to bring these together.
    pub fn value_to(&mut self, ty: TypeId, want: Want, place: usize) -> Result<(), Fail> {
        let shape = self.reader.peek()?;
        let offset = self.reader.offset();
        let schema = self.schema;
        let mut ty = ty;
        let mut of = schema.ty(ty);
        while let &Type::Optional(inner) = of {
            if shape == Shape::Null {
                self.reader.null()?;
                self.put(place, Value::Absent);
                return Ok(());
            }
            ty = inner;
            of = schema.ty(ty);
        }
        match of {
            Type::Bool => {
                self.expect(shape, Shape::Bool, ty)?;
                let value = self.reader.bool()?;
                self.put(place, Value::Bool(value));
            }
            &Type::Int { low, high } => {
                self.expect(shape, Shape::Number, ty)?;
                let number = match self.reader.small_int() {
                    Some(number) => number,
                    None => self.int(offset)?,
                };
                if number < low || high < number {
                    return Err(out_of_range(offset, number, low, high));
                }
                self.buffers.trace.number(offset, self.reader.offset());
                self.put(place, Value::Int(number));
            }
            Type::Decimal => {
                self.expect(shape, Shape::Number, ty)?;
                let text = self.reader.number()?;
                self.buffers.trace.number(offset, self.reader.offset());
                match Decimal::parse_json(text) {
                    Ok(number) => self.put(place, Value::Decimal(number.0)),
                    Err(error) => return Err(fail(InputErrorKind::NumberUnfit, offset, None, error.to_string())),
                }
            }
            &Type::String { bytes_max } => {
                let text = self.expect_string(shape, ty)?;
                check_length(text, bytes_max, offset)?;
                match want {
                    Want::Built => {
                        let string = self.sink.string(text);
                        self.put(place, Value::String(string));
                    }
                    Want::Checked => self.put(place, Value::Absent),
                }
            }
            Type::Enum(of) => {
                let text = self.expect_string(shape, ty)?;
                let Some(names) = self.plan.variants.get(*of as usize) else { return Err(internal(offset)) };
                match names.find(usize::MAX, text) {
                    Some(at) => self.put(place, Value::Enum(Variant { of: *of, at: at as u32 })),
                    None => return Err(self.unknown_variant(*of, text, offset)),
                }
            }
            Type::Duration | Type::Timestamp | Type::Ip | Type::Net | Type::Url | Type::Path => {
                let text = self.expect_string(shape, ty)?;
                check_length(text, STRING_DEFAULT_BYTES_MAX, offset)?;
                match self.scalar(schema.ty(ty), text, want) {
                    Ok(value) => self.put(place, value),
                    Err(message) => return Err(fail(InputErrorKind::UnreadableText, offset, None, message)),
                }
            }
            Type::Record(at) => {
                self.expect(shape, Shape::Object, ty)?;
                let Some(fields) = self.plan.records.get(*at as usize) else { return Err(internal(offset)) };
                self.record(fields, want, place)?;
            }
            Type::Entity(types) => {
                let value = self.entity(types, ty, shape, want)?;
                self.put(place, value);
            }
            &Type::Set(element, max) => {
                self.expect(shape, Shape::Array, ty)?;
                let value = self.set(element, max, want)?;
                self.put(place, value);
            }
            &Type::List(element, max) => {
                self.expect(shape, Shape::Array, ty)?;
                let mark = self.buffers.work.len();
                self.elements(element, max, want, false)?;
                let value = match want {
                    Want::Built => Value::List(self.finish(mark)),
                    Want::Checked => self.forget(mark),
                };
                self.put(place, value);
            }
            &Type::Map(element, max) => {
                self.expect(shape, Shape::Object, ty)?;
                let value = self.map(element, max, want)?;
                self.put(place, value);
            }
            // Looked through above.
            Type::Optional(_) => return Err(internal(offset)),
        }
        Ok(())
    }

    #[inline]
    fn put(&mut self, place: usize, value: Value) {
        if let Some(of) = self.buffers.work.get_mut(place) {
            *of = value;
        }
    }

    /// A whole number that is long or faulty.
    #[cold]
    fn int(&mut self, offset: usize) -> Result<i64, Fail> {
        let text = self.reader.number()?;
        text.parse().map_err(|_| not_an_int(offset, text))
    }

    #[inline]
    pub(super) fn expect(&self, found: Shape, shape: Shape, ty: TypeId) -> Result<(), Fail> {
        if found == shape { Ok(()) } else { Err(self.wrong_type(found, ty)) }
    }

    #[inline]
    fn expect_string(&mut self, found: Shape, ty: TypeId) -> Result<Text<'d>, Fail> {
        self.expect(found, Shape::String, ty)?;
        Ok(self.reader.string()?)
    }

    #[cold]
    fn wrong_type(&self, found: Shape, ty: TypeId) -> Fail {
        let message = format!("{} should stand here, not {}", expected(self.schema, ty), shape_name(found));
        fail(InputErrorKind::WrongType, self.reader.offset(), None, message)
    }

    #[cold]
    fn unknown_variant(&self, of: u32, text: Text<'_>, offset: usize) -> Fail {
        let text: String = text.characters().take(64).collect();
        let of = &self.schema.enums[of as usize];
        let help = best_match(&text, of.variants.iter().map(|name| &**name));
        let help = help.map_or(String::new(), |name| format!("; did you mean `{name}`?"));
        let message = format!("{} has no variant `{}`{help}", of.name, text.escape_debug());
        fail(InputErrorKind::UnknownVariant, offset, None, message)
    }

    /// Reads the types that are written as strings.
    fn scalar(&mut self, ty: &Type, text: Text<'d>, want: Want) -> Result<Value, String> {
        let Decoder { sink, buffers, .. } = self;
        let Buffers { text: buffer, trace, .. } = &mut **buffers;
        match ty {
            Type::Duration => {
                let read = Duration::parse_json(text.read(buffer)).map_err(|error| error.to_string())?;
                trace.written(text.plain(), read, buffer);
                return Ok(Value::Duration(read.0));
            }
            Type::Timestamp => {
                let read = Timestamp::parse(text.read(buffer)).map_err(|error| error.to_string())?;
                // In UTC and to the second there is one way to write a time.
                if !text.plain().is_some_and(|text| text.len() == SECONDS && text.ends_with('Z')) {
                    trace.written(text.plain(), read, buffer);
                }
                return Ok(Value::Timestamp(read.millis()));
            }
            Type::Ip => {
                let read = IpAddr::parse(text.read(buffer)).map_err(|error| error.to_string())?;
                trace.written(text.plain(), read, buffer);
                if want == Want::Built {
                    return Ok(sink.heap().add_ip(S::REGION, read));
                }
            }
            Type::Net => {
                let read = IpNet::parse(text.read(buffer)).map_err(|error| error.to_string())?;
                trace.written(text.plain(), read, buffer);
                if want == Want::Built {
                    return Ok(sink.heap().add_net(S::REGION, read));
                }
            }
            Type::Url => {
                let pending = sink.heap().texts.pending();
                let parts = url::parse_into(text.read(buffer), pending).map_err(|error| error.to_string())?;
                trace.is_odd |= text.plain() != Some(sink.heap().texts.pending_text());
                if want == Want::Built {
                    let text = sink.take_pending();
                    return Ok(sink.heap().add_url(S::REGION, UrlValue { text, parts }));
                }
                sink.heap().texts.cancel();
            }
            _ => {
                let pending = sink.heap().texts.pending();
                path::parse_into(text.read(buffer), pending).map_err(|error| error.to_string())?;
                trace.is_odd |= text.plain() != Some(sink.heap().texts.pending_text());
                if want == Want::Built {
                    return Ok(Value::Path(sink.take_pending()));
                }
                sink.heap().texts.cancel();
            }
        }
        Ok(Value::Absent)
    }

    /// Moves the values behind the mark to the heap.
    fn finish(&mut self, mark: usize) -> Seq {
        let values = self.buffers.work.get(mark..).unwrap_or_default();
        let seq = self.sink.heap().add_values(S::REGION, values);
        self.buffers.work.truncate(mark);
        seq
    }

    fn forget(&mut self, mark: usize) -> Value {
        self.buffers.work.truncate(mark);
        Value::Absent
    }

    /// Decodes the elements of an array; those of a set stand in the order of their texts in a log.
    fn elements(&mut self, element: TypeId, max: u32, want: Want, of_set: bool) -> Result<(), Fail> {
        let mut count = 0;
        let mut before = None;
        let numbers = self.buffers.trace.count();
        let mut more = self.reader.first_element()?;
        while more {
            count += 1;
            if count > max {
                return Err(self.too_many(max));
            }
            let from = self.reader.offset();
            let place = if want == Want::Built { self.reserve(1) } else { NOWHERE };
            self.value_to(element, want, place)?;
            if of_set {
                self.trace_order(&mut before, from);
            }
            more = self.reader.next_element()?;
        }
        // Where numbers stand within elements, their texts are in another order with quotes around these.
        if of_set && count > 1 && !matches!(self.schema.ty(element), Type::Int { .. } | Type::Decimal) {
            self.buffers.trace.is_odd |= self.buffers.trace.count() > numbers;
        }
        Ok(())
    }

    /// Notes whether the element of a set that begins here, and was taken, stands behind the one before it.
    #[inline]
    fn trace_order(&mut self, before: &mut Option<(usize, usize)>, from: usize) {
        if self.buffers.trace.is_on {
            let to = self.reader.offset();
            let text = |(from, to): (usize, usize)| self.reader.slice(from, to);
            let is_behind = before.is_none_or(|before| text(before) < text((from, to)));
            self.buffers.trace.is_odd |= !is_behind;
            *before = Some((from, to));
        }
    }

    #[cold]
    fn too_many(&mut self, max: u32) -> Fail {
        let _ = self.reader.peek();
        let message = format!("there are more than {max} elements");
        fail(InputErrorKind::TooManyElements, self.reader.offset(), None, message)
    }

    /// A set is built to be checked, because only values tell what stands twice: `PT60S` and `1m` are one. A set of strings
    /// need not be.
    fn set(&mut self, element: TypeId, max: u32, want: Want) -> Result<Value, Fail> {
        if want == Want::Checked && matches!(self.schema.ty(element), Type::String { .. }) {
            return self.check_strings(element, max);
        }
        let offset = self.reader.offset();
        let mark = self.buffers.work.len();
        self.elements(element, max, Want::Built, true)?;
        let memory = self.sink.memory();
        let values = self.buffers.work.get_mut(mark..).unwrap_or_default();
        values.sort_unstable_by(|&left, &right| compare(memory, left, right));
        if values.windows(2).any(|pair| compare(memory, pair[0], pair[1]).is_eq()) {
            return Err(self.duplicate_element(offset, element));
        }
        Ok(match want {
            Want::Built => Value::Set(self.finish(mark)),
            Want::Checked => self.forget(mark),
        })
    }

    /// Checks a set of strings that nobody reads.
    fn check_strings(&mut self, element: TypeId, max: u32) -> Result<Value, Fail> {
        let offset = self.reader.offset();
        let mark = self.buffers.keys.mark();
        let &Type::String { bytes_max } = self.schema.ty(element) else { return Err(internal(offset)) };
        let mut count = 0;
        let mut before = None;
        let mut more = self.reader.first_element()?;
        while more {
            count += 1;
            if count > max {
                return Err(self.too_many(max));
            }
            let shape = self.reader.peek()?;
            let at = self.reader.offset();
            let text = self.expect_string(shape, element)?;
            self.trace_order(&mut before, at);
            check_length(text, bytes_max, at)?;
            self.buffers.keys.push(at + 1, text);
            more = self.reader.next_element()?;
        }
        match self.buffers.keys.close(mark, self.reader.text()) {
            None => Ok(Value::Absent),
            Some(start) => Err(twice_in_set(start.saturating_sub(1))),
        }
    }

    /// Reads the set again, one by one, to find the element that stands twice.
    #[cold]
    fn duplicate_element(&mut self, offset: usize, element: TypeId) -> Fail {
        let mut seen: Vec<(Value, usize)> = Vec::new();
        self.reader.seek(offset);
        let mut more = self.reader.first_element().unwrap_or(false);
        while more {
            let _ = self.reader.peek();
            let at = self.reader.offset();
            let Ok(value) = self.value(element, Want::Built) else { break };
            seen.push((value, at));
            more = self.reader.next_element().unwrap_or(false);
        }
        let memory = self.sink.memory();
        seen.sort_unstable_by(|left, right| compare(memory, left.0, right.0).then(left.1.cmp(&right.1)));
        let twice = seen.windows(2).filter(|pair| compare(memory, pair[0].0, pair[1].0).is_eq());
        let found = twice.map(|pair| pair[1].1).min().unwrap_or(offset);
        twice_in_set(found)
    }

    fn map(&mut self, element: TypeId, max: u32, want: Want) -> Result<Value, Fail> {
        let mark = self.buffers.work.len();
        let key_mark = self.buffers.keys.mark();
        let mut count = 0;
        let mut before: Option<&str> = None;
        let mut key = self.reader.first_key()?;
        while let Some(name) = key {
            count += 1;
            let start = self.reader.key_start(name);
            if count > max {
                return Err(self.too_many(max));
            }
            if self.buffers.trace.is_on {
                let is_behind = |key: &str| before.is_none_or(|before| key_order(before, key).is_lt());
                self.buffers.trace.is_odd |= !name.plain().is_some_and(is_behind);
                before = name.plain();
            }
            check_length(name, STRING_DEFAULT_BYTES_MAX, start.saturating_sub(1))?;
            self.buffers.keys.push(start, name);
            let name = if want == Want::Built { Value::String(self.sink.string(name)) } else { Value::Absent };
            let place = if want == Want::Built {
                self.buffers.work.push(name);
                self.reserve(1)
            } else {
                NOWHERE
            };
            self.value_to(element, want, place)?;
            key = self.reader.next_key()?;
        }
        if let Some(start) = self.buffers.keys.close(key_mark, self.reader.text()) {
            return Err(duplicate_key(start.saturating_sub(1)));
        }
        if want == Want::Checked {
            return Ok(Value::Absent);
        }
        let memory = self.sink.memory();
        let (entries, _) = self.buffers.work.get_mut(mark..).unwrap_or_default().as_chunks_mut::<2>();
        entries.sort_unstable_by(|left, right| compare(memory, left[0], right[0]));
        Ok(Value::Map(self.finish(mark)))
    }

    fn record(&mut self, fields: &Fields, want: Want, place: usize) -> Result<(), Fail> {
        let Some(required) = fields.required else {
            let value = self.wide_record(fields, want)?;
            self.put(place, value);
            return Ok(());
        };
        let offset = self.reader.offset();
        let mark = self.buffers.work.len();
        if want == Want::Built {
            self.buffers.work.resize(mark + fields.list.len(), Value::Absent);
        }
        let mut seen: u64 = 0;
        self.members(fields, |decoder, at, start| {
            if seen >> at & 1 == 1 {
                return Err(duplicate_key(start));
            }
            seen |= 1 << at;
            let Some(field) = fields.list.get(at) else { return Err(internal(start)) };
            decoder.value_to(field.ty, want, if want == Want::Built { mark + at } else { NOWHERE })
        })?;
        match required & !seen {
            0 if want == Want::Built => {
                let record = self.finish(mark);
                self.put(place, Value::Record(record));
                Ok(())
            }
            0 => {
                self.put(place, Value::Absent);
                Ok(())
            }
            lacking => Err(missing(offset, fields.names.get(lacking.trailing_zeros() as usize))),
        }
    }

    fn wide_record(&mut self, fields: &Fields, want: Want) -> Result<Value, Fail> {
        let mark = self.reserve(fields.list.len());
        self.object(fields, mark, |_, _| Ok(want))?;
        Ok(match want {
            Want::Built => Value::Record(self.finish(mark)),
            Want::Checked => self.forget(mark),
        })
    }

    /// Makes room for the fields of an object; a field that has not been given is an error value.
    pub fn reserve(&mut self, count: usize) -> usize {
        let mark = self.buffers.work.len();
        self.buffers.work.resize(mark + count, Value::INTERNAL);
        mark
    }

    /// Decodes an object to the places behind the mark and sees that nothing is missing.
    pub(super) fn object(
        &mut self,
        fields: &Fields,
        mark: usize,
        want: impl Fn(&Self, usize) -> Result<Want, Fail>,
    ) -> Result<(), Fail> {
        let offset = self.reader.offset();
        self.fill(fields, mark, want)?;
        self.complete(fields, mark, offset, |_| true)
    }

    /// Decodes an object to the places behind the mark. `want` says of each field whether it is built, or that it may
    /// not stand here.
    pub fn fill(
        &mut self,
        fields: &Fields,
        mark: usize,
        want: impl Fn(&Self, usize) -> Result<Want, Fail>,
    ) -> Result<(), Fail> {
        self.fill_with(fields, mark, want, |_, _, _| {})
    }

    /// The same; `taken` is called behind each field, with its place and where its key stands.
    #[inline]
    pub fn fill_with(
        &mut self,
        fields: &Fields,
        mark: usize,
        want: impl Fn(&Self, usize) -> Result<Want, Fail>,
        taken: impl Fn(&mut Self, usize, usize),
    ) -> Result<(), Fail> {
        self.members(fields, |decoder, at, start| {
            if decoder.buffers.work.get(mark + at).is_some_and(|value| !value.is_error()) {
                return Err(duplicate_key(start));
            }
            let want = want(decoder, at).map_err(|mut error| {
                error.offset = start;
                error
            })?;
            let Some(field) = fields.list.get(at) else { return Err(internal(start)) };
            decoder.value_to(field.ty, want, mark + at)?;
            taken(decoder, at, start);
            Ok(())
        })
    }

    /// Reads an object and calls `member` before the value of each field, with the place of the field and the offset of
    /// the key.
    #[inline]
    fn members(
        &mut self,
        fields: &Fields,
        mut member: impl FnMut(&mut Self, usize, usize) -> Result<(), Fail>,
    ) -> Result<(), Fail> {
        let is_sorted = self.buffers.is_sorted;
        let mut step = 0;
        let mut key = self.reader.first_key_or(fields.names.key(fields.at_step(0, is_sorted)))?;
        loop {
            let (at, start) = match key {
                NextKey::Expected => {
                    let at = fields.at_step(step, is_sorted);
                    (at, self.reader.offset() - fields.names.key(at).len())
                }
                NextKey::Other(name) => match fields.names.find(fields.at_step(step, is_sorted), name) {
                    Some(at) => {
                        self.buffers.trace.is_odd |= fields.step_of(at, is_sorted) < step;
                        (at, self.reader.key_start(name).saturating_sub(1))
                    }
                    None => return Err(self.unknown_field(name, &fields.names)),
                },
                NextKey::End => return Ok(()),
            };
            member(self, at, start)?;
            step = fields.step_of(at, is_sorted).saturating_add(1);
            // What may be left out often is.
            let ahead = |ahead: usize| fields.names.key(fields.at_step(step.saturating_add(ahead), is_sorted));
            let (next, which) = self.reader.next_key_among(KEYS_AHEAD, ahead)?;
            (key, step) = (next, step.saturating_add(which));
        }
    }

    /// Makes absent what may be, among the fields that `counts` names; what else is missing is an error.
    pub fn complete(
        &mut self,
        fields: &Fields,
        mark: usize,
        offset: usize,
        counts: impl Fn(usize) -> bool,
    ) -> Result<(), Fail> {
        let places = self.buffers.work.get_mut(mark..).unwrap_or_default();
        for (at, (place, field)) in places.iter_mut().zip(&fields.list).enumerate() {
            if place.is_error() && counts(at) {
                if !field.optional {
                    return Err(missing(offset, fields.names.get(at)));
                }
                *place = Value::Absent;
            }
        }
        Ok(())
    }

    #[cold]
    pub(crate) fn unknown_field(&self, name: Text<'d>, names: &Names) -> Fail {
        let offset = self.reader.key_start(name).saturating_sub(1);
        let name: String = name.characters().take(64).collect();
        let help = best_match(&name, names.iter()).map_or(String::new(), |name| format!("; did you mean `{name}`?"));
        let message = format!("there is no field `{}` here{help}", name.escape_debug());
        fail(InputErrorKind::UnknownField, offset, None, message)
    }
}

/// What a shape is called.
#[must_use]
pub fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Object => "an object",
        Shape::Array => "an array",
        Shape::String => "a string",
        Shape::Number => "a number",
        Shape::Bool => "true or false",
        Shape::Null => "null",
    }
}

#[inline]
pub(super) fn check_length(text: Text<'_>, bytes_max: u32, offset: usize) -> Result<(), Fail> {
    // What is written is never shorter than what it means.
    if text.raw().len() <= bytes_max as usize {
        return Ok(());
    }
    check_length_exactly(text, bytes_max, offset)
}

#[cold]
fn check_length_exactly(text: Text<'_>, bytes_max: u32, offset: usize) -> Result<(), Fail> {
    if text.characters().map(char::len_utf8).sum::<usize>() <= bytes_max as usize {
        return Ok(());
    }
    Err(fail(InputErrorKind::TooLong, offset, None, format!("the string is longer than {bytes_max} bytes")))
}

/// That a field has to be there.
#[cold]
pub fn missing(offset: usize, name: &str) -> Fail {
    fail(InputErrorKind::MissingField, offset, Some(name), "this field is missing".to_owned())
}

/// That a key stands twice.
#[cold]
pub fn duplicate_key(offset: usize) -> Fail {
    fail(InputErrorKind::DuplicateKey, offset, None, "the same key stands twice in one object".to_owned())
}

#[cold]
fn twice_in_set(offset: usize) -> Fail {
    fail(InputErrorKind::DuplicateElement, offset, None, "this element stands in the set already".to_owned())
}

#[cold]
fn not_an_int(offset: usize, text: &str) -> Fail {
    let shown: String = text.chars().take(40).collect();
    let message = if text.contains(['.', 'e', 'E']) {
        format!("`{shown}` is not written as a whole number")
    } else {
        format!("`{shown}` does not fit into 64 bits")
    };
    fail(InputErrorKind::NumberUnfit, offset, None, message)
}

#[cold]
fn out_of_range(offset: usize, number: i64, low: i64, high: i64) -> Fail {
    fail(InputErrorKind::OutOfRange, offset, None, format!("{number} is not between {low} and {high}"))
}

/// A schema that the verifier should have refused.
#[cold]
pub(crate) fn internal(offset: usize) -> Fail {
    fail(InputErrorKind::Malformed, offset, None, "the schema is broken here".to_owned())
}
