//! What was asked, as a log keeps it: canonical texts in the form of the wire, which can be decoded again, and whose
//! members can be had and left out without reading the texts again.

use std::ops::Range;

use crate::bytecode::schema::{Action, Field};
use crate::vm::canonical::order::Object;
use crate::vm::canonical::{Writer, push_string};
use crate::vm::value::Value;

/// Room for most objects of a request, so that they need not grow.
const OBJECT_BYTES_USUAL: usize = 256;
/// What a request has around its objects, the names of its types and its ids.
const AROUND_BYTES: usize = 192;

/// A request that could be read, and the kernel's facts.
#[derive(Clone, Debug)]
pub struct Asked<'s> {
    /// The action; its name is the one on the wire.
    pub action: &'s Action,
    /// Who it is for.
    pub subject: Party<'s>,
    /// What it is done to.
    pub resource: Party<'s>,
    /// What the caller says.
    pub context: Members<'s>,
    /// What the kernel says, of what the action declares.
    pub facts: Members<'s>,
}

/// The subject or the resource.
#[derive(Clone, Debug)]
pub struct Party<'s> {
    /// The name of its type on the wire.
    pub ty: &'s str,
    /// Its id.
    pub id: String,
    /// The attributes that came with the request, if any may or did.
    pub properties: Option<Members<'s>>,
}

/// An object of fields, as a canonical text with the places of its members.
#[derive(Clone, Debug, Default)]
pub struct Members<'s> {
    text: String,
    places: Vec<Place<'s>>,
}

#[derive(Clone, Debug)]
struct Place<'s> {
    field: &'s Field,
    /// With the colon.
    key: Range<usize>,
    end: usize,
}

/// A part of a request that has fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The caller's context.
    Context,
    /// The resource's attributes.
    Resource,
    /// The subject's attributes.
    Subject,
}

impl Part {
    /// The member of a request.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Part::Context => "context",
            Part::Resource => "resource",
            Part::Subject => "subject",
        }
    }
}

impl<'s> Members<'s> {
    pub(super) fn write(
        writer: Writer<'_>,
        object: Object<'s>,
        values: &[Value],
        counts: impl Fn(&Field) -> bool,
    ) -> Members<'s> {
        let (mut text, mut places) =
            (String::with_capacity(OBJECT_BYTES_USUAL), Vec::with_capacity(object.fields.len()));
        writer.push_fields(&mut text, object, values, counts, |field, key, out| {
            places.push(Place { field, key, end: out.len() });
        });
        Members { text, places }
    }

    /// The text of the object.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same, for who needs nothing else of it.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    /// The members that are there, with the texts of their values, in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = (&'s Field, &str)> {
        self.places.iter().map(|place| (place.field, self.text.get(place.key.end..place.end).unwrap_or_default()))
    }

    /// The text of the object without some of its members.
    #[must_use]
    pub fn without(&self, hidden: impl Fn(&Field) -> bool) -> String {
        let mut out = String::with_capacity(self.text.len());
        self.push_without(&mut out, &hidden);
        out
    }

    fn push_without(&self, out: &mut String, hidden: &dyn Fn(&Field) -> bool) {
        if !self.places.iter().any(|place| hidden(place.field)) {
            out.push_str(&self.text);
            return;
        }
        out.push('{');
        let mut is_first = true;
        for place in self.places.iter().filter(|place| !hidden(place.field)) {
            if !is_first {
                out.push(',');
            }
            is_first = false;
            out.push_str(self.text.get(place.key.start..place.end).unwrap_or_default());
        }
        out.push('}');
    }
}

impl Asked<'_> {
    /// The request as a document that can be decoded again.
    #[must_use]
    pub fn request(&self) -> String {
        self.request_without(|_, _| false)
    }

    /// The same without some of its fields.
    #[must_use]
    pub fn request_without(&self, hidden: impl Fn(Part, &Field) -> bool) -> String {
        let objects = self.parts().fold(AROUND_BYTES, |sum, (_, members)| sum.saturating_add(members.text.len()));
        let mut out = String::with_capacity(objects);
        out.push_str("{\"action\":{\"name\":");
        push_string(&mut out, &self.action.name);
        out.push_str("},\"context\":");
        self.context.push_without(&mut out, &|field| hidden(Part::Context, field));
        for (part, party) in [(Part::Resource, &self.resource), (Part::Subject, &self.subject)] {
            out.push_str(",\"");
            out.push_str(part.name());
            out.push_str("\":{\"id\":");
            push_string(&mut out, &party.id);
            if let Some(properties) = &party.properties {
                out.push_str(",\"properties\":");
                properties.push_without(&mut out, &|field| hidden(part, field));
            }
            out.push_str(",\"type\":");
            push_string(&mut out, party.ty);
            out.push('}');
        }
        out.push('}');
        out
    }

    /// The parts that have fields, with these.
    pub fn parts(&self) -> impl Iterator<Item = (Part, &Members<'_>)> {
        let parties = [(Part::Resource, &self.resource), (Part::Subject, &self.subject)];
        let parties = parties.into_iter().filter_map(|(part, party)| Some((part, party.properties.as_ref()?)));
        std::iter::once((Part::Context, &self.context)).chain(parties)
    }
}
