//! Reading entries as fast as they can be taken apart: where the members of a body stand, and nothing built.
//!
//! It does not check that an entry is canonical, which is what a verification does. What is told apart here is either
//! compared byte by byte with what ought to stand there, or read strictly by whoever takes it; so a text that is no entry
//! can't be taken for a decision that is right. Keys stand in order and so none stands twice.

/// The members that a body of a decision may have, in their order in the log.
const NAMES: [&str; 21] = [
    "answer",
    "bundle",
    "codes",
    "committed",
    "digests",
    "enforced",
    "error",
    "facts",
    "gate",
    "gates",
    "given",
    "kind",
    "mode",
    "obligations",
    "of",
    "principal",
    "registry",
    "request",
    "rules",
    "shadow",
    "trouble",
];

/// A part of a text: from, to.
type Place = (usize, usize);

/// An entry, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Skimmed {
    /// Where it stands in the log.
    pub(super) at: u64,
    /// All of it.
    pub(super) text: String,
    places: [Option<Place>; NAMES.len()],
    id: Place,
    kind: Place,
    /// Whether the body has a member that decisions don't have.
    pub(super) is_strange: bool,
}

impl Skimmed {
    /// Takes an entry apart. Gives its bytes back if it is not written as entries are.
    pub(super) fn read(at: u64, bytes: Vec<u8>) -> Result<Skimmed, Vec<u8>> {
        let text = String::from_utf8(bytes).map_err(std::string::FromUtf8Error::into_bytes)?;
        let mut skimmed =
            Skimmed { at, text, places: [None; NAMES.len()], id: (0, 0), kind: (0, 0), is_strange: false };
        match skimmed.places() {
            Some(()) => Ok(skimmed),
            None => Err(skimmed.text.into_bytes()),
        }
    }

    fn places(&mut self) -> Option<()> {
        let mut skim = Skim { bytes: self.text.as_bytes(), at: 0 };
        skim.expect(b"{\"body\":")?;
        let (places, text) = (&mut self.places, &self.text);
        let mut next = 0;
        let mut is_strange = false;
        skim.object(|(from, to), value| {
            let name = text.get(from..to);
            let found = NAMES.iter().skip(next).position(|known| Some(*known) == name);
            match found {
                Some(found) => {
                    next = found.saturating_add(next);
                    if let Some(place) = places.get_mut(next) {
                        *place = Some(value);
                    }
                }
                None => is_strange = true,
            }
        })?;
        self.is_strange = is_strange;
        skim.expect(b",\"id\":")?;
        self.id = skim.string()?;
        skim.expect(b",\"index\":")?;
        skim.value()?;
        skim.expect(b",\"kind\":")?;
        self.kind = skim.string()?;
        skim.expect(b",\"links\":")?;
        skim.value()?;
        skim.expect(b",\"time\":")?;
        skim.value()?;
        skim.expect(b",\"version\":1}")?;
        (skim.at == skim.bytes.len()).then_some(())
    }

    fn text_at(&self, (from, to): Place) -> &str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// The id, as it is written.
    pub(super) fn id(&self) -> &str {
        self.text_at(self.id)
    }

    /// The name of the kind.
    pub(super) fn kind(&self) -> &str {
        self.text_at(self.kind)
    }

    /// The text of a member of the body.
    pub(super) fn member(&self, name: &str) -> Option<&str> {
        let at = NAMES.binary_search(&name).ok()?;
        self.places.get(at).copied().flatten().map(|place| self.text_at(place))
    }
}

/// What a string in the log stands for, where it is written behind its first quote and before its last one; appended.
pub(super) fn unescape(inside: &str, out: &mut String) -> Option<()> {
    let mut rest = inside;
    while let Some(at) = rest.bytes().position(|byte| byte == b'\\') {
        out.push_str(rest.get(..at)?);
        let escape = rest.get(at.saturating_add(1)..)?;
        let (character, length) = match escape.bytes().next()? {
            b'"' => ('"', 1),
            b'\\' => ('\\', 1),
            b'b' => ('\u{8}', 1),
            b'f' => ('\u{c}', 1),
            b'n' => ('\n', 1),
            b'r' => ('\r', 1),
            b't' => ('\t', 1),
            b'u' => (char::from(u8::from_str_radix(escape.get(1..5)?, 16).ok()?), 5),
            _ => return None,
        };
        out.push(character);
        rest = escape.get(length..)?;
    }
    out.push_str(rest);
    Some(())
}

struct Skim<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Skim<'_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn step(&mut self, by: usize) {
        self.at = self.at.saturating_add(by);
    }

    fn expect(&mut self, what: &[u8]) -> Option<()> {
        if !self.rest().starts_with(what) {
            return None;
        }
        self.step(what.len());
        Some(())
    }

    /// Passes a string; gives where its inside is.
    fn string(&mut self) -> Option<Place> {
        self.expect(b"\"")?;
        let from = self.at;
        loop {
            let found = self.rest().iter().position(|&byte| byte == b'"' || byte == b'\\')?;
            self.step(found);
            if self.peek() == Some(b'"') {
                let to = self.at;
                self.step(1);
                return Some((from, to));
            }
            self.step(2);
        }
    }

    /// Passes a value; gives where it is.
    fn value(&mut self) -> Option<Place> {
        let from = self.at;
        match self.peek()? {
            b'"' => _ = self.string()?,
            b'{' | b'[' => {
                let mut depth: usize = 0;
                loop {
                    let found = self.rest().iter().position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']'))?;
                    self.step(found);
                    match self.peek()? {
                        b'"' => _ = self.string()?,
                        b'{' | b'[' => {
                            depth = depth.checked_add(1)?;
                            self.step(1);
                        }
                        _ => {
                            depth = depth.checked_sub(1)?;
                            self.step(1);
                            if depth == 0 {
                                break;
                            }
                        }
                    }
                }
            }
            _ => {
                let length = self.rest().iter().position(|byte| matches!(byte, b',' | b'}' | b']'))?;
                self.step(length);
            }
        }
        Some((from, self.at))
    }

    /// Passes an object, and shows where the inside of each key, and each value, is. Keys are plain and in order.
    fn object(&mut self, mut member: impl FnMut(Place, Place)) -> Option<()> {
        self.expect(b"{")?;
        if self.expect(b"}").is_some() {
            return Some(());
        }
        let mut before: &[u8] = b"";
        loop {
            let (from, to) = self.string()?;
            let key = self.bytes.get(from..to)?;
            if key <= before || key.iter().any(|byte| !byte.is_ascii() || *byte == b'\\') {
                return None;
            }
            before = key;
            self.expect(b":")?;
            let value = self.value()?;
            member((from, to), value);
            if self.expect(b"}").is_some() {
                return Some(());
            }
            self.expect(b",")?;
        }
    }
}
