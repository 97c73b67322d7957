//! Where wide values lie: three heaps, of the program, of the entity store and of one decision.
//!
//! A heap is a handful of vectors. That of a decision is cleared and filled again, so that nothing is allocated once it
//! has grown to what requests need. Nothing here counts references or frees single values.

use crate::data::ip::{IpAddr, IpNet};
use crate::data::url::{UrlParts, UrlView};
use crate::vm::value::{EntityRef, Iter, Region, Seq, StrRef, Value, WideRef};

/// What wide values consist of.
#[derive(Clone, Debug, Default)]
pub struct Heap {
    /// Elements, entries and fields. Parts of a value lie before it.
    pub values: Vec<Value>,
    /// Strings.
    pub texts: Texts,
    /// Addresses.
    pub ips: Vec<IpAddr>,
    /// Networks.
    pub nets: Vec<IpNet>,
    /// URLs.
    pub urls: Vec<UrlValue>,
}

/// A URL.
#[derive(Clone, Copy, Debug)]
pub struct UrlValue {
    /// Its normalised text.
    pub text: StrRef,
    /// Where its parts lie in that.
    pub parts: UrlParts,
}

impl Heap {
    /// How many bytes all of it takes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        fn of<T>(values: &[T]) -> usize {
            size_of_val(values)
        }
        of(&self.values) + self.texts.len_bytes() + of(&self.ips) + of(&self.nets) + of(&self.urls)
    }

    /// Forgets everything and keeps the room.
    pub fn clear(&mut self) {
        self.values.clear();
        self.texts.clear();
        self.ips.clear();
        self.nets.clear();
        self.urls.clear();
    }

    /// Gives back the room that is not taken.
    pub fn shrink(&mut self) {
        self.values.shrink_to_fit();
        self.texts.buffer.shrink_to_fit();
        self.texts.ends.shrink_to_fit();
        self.ips.shrink_to_fit();
        self.nets.shrink_to_fit();
        self.urls.shrink_to_fit();
    }

    /// Appends values; `region` is the one that this heap is.
    #[inline]
    pub fn add_values(&mut self, region: Region, values: &[Value]) -> Seq {
        let start = self.values.len() as u32;
        self.values.extend_from_slice(values);
        Seq { region, start, len: values.len() as u32 }
    }

    /// Appends an address.
    pub fn add_ip(&mut self, region: Region, ip: IpAddr) -> Value {
        self.ips.push(ip);
        Value::Ip(WideRef { region, at: self.ips.len() as u32 - 1 })
    }

    /// Appends a network.
    pub fn add_net(&mut self, region: Region, net: IpNet) -> Value {
        self.nets.push(net);
        Value::Net(WideRef { region, at: self.nets.len() as u32 - 1 })
    }

    /// Appends a URL.
    pub fn add_url(&mut self, region: Region, url: UrlValue) -> Value {
        self.urls.push(url);
        Value::Url(WideRef { region, at: self.urls.len() as u32 - 1 })
    }
}

/// Strings in one buffer.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    buffer: String,
    ends: Vec<u32>,
}

impl Texts {
    /// How many there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many bytes all have together.
    #[inline]
    #[must_use]
    pub fn len_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Forgets all and keeps the room.
    pub fn clear(&mut self) {
        self.buffer.clear();
        self.ends.clear();
    }

    /// Appends a text and gives its place. All texts together stay below 4 GiB, which the limits of programs, stores and
    /// requests see to.
    #[inline]
    pub fn add(&mut self, text: &str) -> u32 {
        self.buffer.push_str(text);
        self.finish()
    }

    /// The buffer's end is where the next text is being written, piece by piece: `finish` or `cancel` ends that.
    #[inline]
    pub fn pending(&mut self) -> &mut String {
        &mut self.buffer
    }

    /// What has been written since the last text.
    #[inline]
    #[must_use]
    pub fn pending_text(&self) -> &str {
        self.buffer.get(self.end()..).unwrap_or("")
    }

    /// Makes what has been written the next text and gives its place.
    #[inline]
    pub fn finish(&mut self) -> u32 {
        self.ends.push(self.buffer.len() as u32);
        self.ends.len() as u32 - 1
    }

    /// Drops what has been written since the last text.
    #[inline]
    pub fn cancel(&mut self) {
        let end = self.end();
        self.buffer.truncate(end);
    }

    /// The text at a place that `add` gave.
    #[inline]
    #[must_use]
    pub fn get(&self, at: u32) -> &str {
        let at = at as usize;
        let start = if at == 0 { 0 } else { self.ends[at - 1] as usize };
        &self.buffer[start..self.ends[at] as usize]
    }

    fn end(&self) -> usize {
        self.ends.last().map_or(0, |&end| end as usize)
    }
}

/// What belongs to one decision: the request's values, and what the run makes.
#[derive(Clone, Debug, Default)]
pub struct Local {
    /// Its heap.
    pub heap: Heap,
    /// Entities of presented types, with their attributes.
    pub presented: Vec<Presented>,
    /// Attributes of registered entities that the request gave, few.
    pub overrides: Vec<Override>,
}

impl Local {
    /// Forgets everything and keeps the room.
    pub fn clear(&mut self) {
        self.heap.clear();
        self.presented.clear();
        self.overrides.clear();
    }
}

/// An entity whose attributes came with the request.
#[derive(Clone, Copy, Debug)]
pub struct Presented {
    /// Itself.
    pub entity: EntityRef,
    /// All attributes of its type in order; what no rule reads may be `Absent`.
    pub attributes: Seq,
}

/// An attribute marked `@presented` of a registered entity, given by the request.
#[derive(Clone, Copy, Debug)]
pub struct Override {
    /// The entity's row in the store.
    pub row: u32,
    /// The attribute.
    pub attribute: u32,
    /// The value that counts.
    pub value: Value,
}

/// All that a value may refer to.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a> {
    /// The program's constants and strings.
    pub program: &'a Heap,
    /// The entity store's.
    pub store: &'a Heap,
    /// The decision's.
    pub local: &'a Heap,
}

impl<'a> Memory<'a> {
    /// The heap of a region.
    #[inline]
    #[must_use]
    pub fn heap(self, region: Region) -> &'a Heap {
        match region {
            Region::Program => self.program,
            Region::Store => self.store,
            Region::Local => self.local,
        }
    }

    /// The text of a string. Numbers below the program's count of strings are the program's, those above it are the
    /// store's, and those with the highest bit the decision's.
    #[inline]
    #[must_use]
    pub fn text(self, string: StrRef) -> &'a str {
        if let Some(at) = string.local_at() {
            return self.local.texts.get(at);
        }
        match string.0.checked_sub(self.program.texts.len() as u32) {
            None => self.program.texts.get(string.0),
            Some(at) => self.store.texts.get(at),
        }
    }

    /// The values of a stretch.
    #[inline]
    #[must_use]
    pub fn values(self, seq: Seq) -> &'a [Value] {
        let start = seq.start as usize;
        &self.heap(seq.region).values[start..start + seq.len as usize]
    }

    /// The element at which an iterator stands.
    #[inline]
    #[must_use]
    pub fn element(self, iter: Iter) -> Value {
        let at = iter.at.wrapping_sub(u32::from(iter.stride)) as usize;
        self.heap(iter.region).values.get(at).copied().unwrap_or(Value::INTERNAL)
    }

    /// An address.
    #[inline]
    #[must_use]
    pub fn ip(self, at: WideRef) -> IpAddr {
        self.heap(at.region).ips[at.at as usize]
    }

    /// A network.
    #[inline]
    #[must_use]
    pub fn net(self, at: WideRef) -> IpNet {
        self.heap(at.region).nets[at.at as usize]
    }

    /// A URL.
    #[inline]
    #[must_use]
    pub fn url(self, at: WideRef) -> UrlValue {
        self.heap(at.region).urls[at.at as usize]
    }

    /// A URL with its parts.
    #[inline]
    #[must_use]
    pub fn url_view(self, at: WideRef) -> UrlView<'a> {
        let url = self.url(at);
        url.parts.view(self.text(url.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_lie_in_three_heaps() {
        let (mut program, mut store, mut local) = (Heap::default(), Heap::default(), Heap::default());
        program.texts.add("a");
        program.texts.add("b");
        store.texts.add("c");
        local.texts.add("d");
        let memory = Memory { program: &program, store: &store, local: &local };
        let texts = [StrRef(0), StrRef(1), StrRef(2), StrRef::local(0)].map(|string| memory.text(string));
        assert_eq!(texts, ["a", "b", "c", "d"]);
    }

    #[test]
    fn a_text_is_written_piece_by_piece() {
        let mut texts = Texts::default();
        texts.add("x");
        texts.pending().push_str("lost");
        texts.cancel();
        texts.pending().push_str("ke");
        texts.pending().push_str("pt");
        assert_eq!(texts.pending_text(), "kept");
        let at = texts.finish();
        assert_eq!((texts.get(0), texts.get(at)), ("x", "kept"));
    }
}
