//! What the kernel gives of what it keeps: the attributes of governed records, and the scope that a caller names.
//!
//! Whoever asks names a record by its type and its id. Wherever one stands, in the request or in the embedder's facts, its
//! attributes and its status are put there as they are stored at that moment; who gives them is refused. So is a record
//! that is not kept. The one exception is a record that is to be made: then the resource is what the caller proposes, and
//! must not be kept yet.
//!
//! What can't be read here is left as it is, for the machine to refuse in its own words; and it is said that it is not
//! sure that all was given. Should the machine not refuse it, whoever relies on this does.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use serde_json::value::RawValue;

use super::engine::Active;
use super::error::KernelError;
use super::members::{self, object, one};
use super::store::Tx;
use super::touch::{NOW, Touched};
use super::{records, scopes};
use crate::bytecode::schema::{EntityType, Field, Schema, Type, TypeId};
use crate::data::timestamp::Timestamp;
use crate::vm::decision::ErrorReport;
use crate::vm::input::{Document, InputErrorKind};

/// A time in quotes.
const TIME_BYTES: usize = 26;

/// What becomes of attributes of governed records that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// A caller has no business to give them.
    Refused,
    /// They are of an earlier moment, and give way to what is stored now.
    Replaced,
    /// They are of a record that is to be made: those of the resource stay, all others are refused.
    Proposed,
}

/// A request and its facts, with all that the kernel gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Presented {
    /// The request.
    pub(super) request: Vec<u8>,
    /// The facts.
    pub(super) facts: String,
    /// The id of the scope that was found.
    pub(super) scope: Option<String>,
    /// Whether all is given that has to be.
    pub(super) is_sure: bool,
}

/// Why it can't be given.
pub(super) enum Unpresented {
    /// The answer is this denial.
    Refused(ErrorReport),
    /// The store failed.
    Failed(KernelError),
}

impl From<KernelError> for Unpresented {
    fn from(error: KernelError) -> Unpresented {
        Unpresented::Failed(error)
    }
}

/// What is kept of records, for who fills it in.
trait Kept {
    /// The attributes of a record, if it is there. It is named at a path of a document, where it ought to be there or not.
    fn record(&mut self, ty: &str, id: &str, named: Named<'_>) -> Result<Option<String>, KernelError>;
}

#[derive(Clone, Copy)]
struct Named<'a> {
    document: Document,
    path: &'a str,
    ought_to_be: bool,
}

/// What is stored.
struct Stored<'a>(&'a mut dyn Tx);

impl Kept for Stored<'_> {
    fn record(&mut self, ty: &str, id: &str, _: Named<'_>) -> Result<Option<String>, KernelError> {
        Ok(records::find(self.0, ty, id)?.map(|record| record.properties))
    }
}

/// A store that nobody has any more: all in it is as it ought to be, but for one record.
struct Supposed<'a> {
    odd: Option<(Document, &'a str)>,
    is_asked: bool,
}

impl Kept for Supposed<'_> {
    fn record(&mut self, _: &str, _: &str, named: Named<'_>) -> Result<Option<String>, KernelError> {
        self.is_asked = true;
        let is_odd = self.odd == Some((named.document, named.path));
        Ok((named.ought_to_be != is_odd).then(|| "{}".to_owned()))
    }
}

/// What was refused, for who has the request and its facts but no store of that moment.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// Why.
    pub(super) why: ErrorReport,
    /// Whether that depends on what was stored.
    pub(super) is_supposed: bool,
}

/// What would be refused of a request and its facts if all records were as they ought to be, but for the one that is named
/// at a path: that one would not be there, or would be there already.
pub(super) fn refusal(
    active: &Active,
    touched: &Touched,
    given: Given,
    (request, facts_given): (&[u8], Option<&[u8]>),
    odd: Option<(Document, &str)>,
) -> Option<Refusal> {
    let mut supposed = Supposed { odd, is_asked: false };
    let found = match facts(facts_given, None) {
        Ok(facts) => fill(&mut supposed, active, touched, given, (request, &facts)).err(),
        Err(unpresented) => Some(unpresented),
    };
    match found? {
        Unpresented::Refused(why) => Some(Refusal { why, is_supposed: supposed.is_asked }),
        Unpresented::Failed(_) => None,
    }
}

/// The facts alone, for requests that touch nothing: with the time, where the action asks for it.
pub(super) fn facts(given: Option<&[u8]>, now: Option<Timestamp>) -> Result<String, Unpresented> {
    let mut time = String::with_capacity(TIME_BYTES);
    if let Some(now) = now {
        time.push('"');
        now.push(&mut time);
        time.push('"');
    }
    let time = now.map(|_| (NOW, time));
    let Some(given) = given else { return Ok(object(time)) };
    let given = members::read(given).map_err(|why| {
        refused(InputErrorKind::Malformed, Document::Facts, "", format!("the facts are no JSON object: {why}"))
    })?;
    if given.iter().any(|(key, _)| key == NOW) {
        return Err(reserved(NOW));
    }
    let time = time.iter().map(|(key, value)| (*key, &**value));
    Ok(object(time.chain(given.iter().map(|(key, value)| (&**key, value.get())))))
}

/// The request and the facts of an action, filled in.
pub(super) fn present(
    tx: &mut dyn Tx,
    active: &Active,
    touched: &Touched,
    given: Given,
    (request, facts_given): (&[u8], Option<&[u8]>),
    now: Timestamp,
) -> Result<Presented, Unpresented> {
    let facts = facts(facts_given, touched.clock.then_some(now))?;
    let unreadable = |facts| Presented { request: request.to_vec(), facts, scope: None, is_sure: false };
    let Some(filled) = fill(&mut Stored(tx), active, touched, given, (request, &facts))? else {
        return Ok(unreadable(facts));
    };
    let FilledIn { request: filled, mut facts, is_sure } = filled;
    let mut found = None;
    if let Some(field) = &touched.scope
        && let Some(id) = scope_id(&filled)
        && let Some(scope) = scopes::find(tx, &id)?
    {
        facts.push((field.clone(), scope.to_fact()));
        found = Some(id);
    }
    Ok(Presented { request: filled.into_bytes(), facts: object(facts), scope: found, is_sure })
}

/// A request and its facts with governed records in them.
struct FilledIn {
    request: String,
    facts: Vec<(String, String)>,
    is_sure: bool,
}

/// Fills governed records in. `None` if one of the documents can't be read.
fn fill(
    kept: &mut dyn Kept,
    active: &Active,
    touched: &Touched,
    given: Given,
    (request, facts): (&[u8], &str),
) -> Filled<Option<FilledIn>> {
    let mut filler = Filler { kept, active, given, document: Document::Request, is_sure: true };
    let Some(request) = filler.request(request, touched)? else { return Ok(None) };
    filler.given = if given == Given::Proposed { Given::Refused } else { given };
    filler.document = Document::Facts;
    let Some(facts) = filler.facts(facts, touched)? else { return Ok(None) };
    if let Some(field) = &touched.scope
        && facts.iter().any(|(name, _)| name == field)
    {
        return Err(reserved(field));
    }
    Ok(Some(FilledIn { request, facts, is_sure: filler.is_sure }))
}

/// The request alone, with governed records as they are now: of what a permit is for.
pub(super) fn request(
    tx: &mut dyn Tx,
    active: &Active,
    touched: &Touched,
    request: &[u8],
    now: Timestamp,
) -> Result<Vec<u8>, KernelError> {
    match present(tx, active, touched, Given::Replaced, (request, None), now) {
        Ok(presented) if presented.is_sure => Ok(presented.request),
        Ok(_) => Err(KernelError::Request("not all of it can be read".to_owned())),
        Err(Unpresented::Refused(ErrorReport::Input { message, .. })) => Err(KernelError::Request(message)),
        Err(Unpresented::Refused(ErrorReport::Evaluation { .. })) => Err(KernelError::Panicked),
        Err(Unpresented::Failed(error)) => Err(error),
    }
}

/// The scope that a request names: in its context, or in the properties of its action, which are context too.
fn scope_id(request: &str) -> Option<String> {
    let parts = members::read(request.as_bytes()).ok()?;
    let context = one(&parts, "context").and_then(|context| {
        let context = members::read(context.get().as_bytes()).ok()?;
        members::text(one(&context, scopes::ID_FIELD)?)
    });
    context.or_else(|| {
        let action = members::read(one(&parts, "action")?.get().as_bytes()).ok()?;
        let properties = members::read(one(&action, "properties")?.get().as_bytes()).ok()?;
        members::text(one(&properties, scopes::ID_FIELD)?)
    })
}

fn refused(kind: InputErrorKind, document: Document, path: &str, message: String) -> Unpresented {
    let (code, path) = (kind.name().to_owned(), path.to_owned());
    Unpresented::Refused(ErrorReport::Input { code, document, path, message })
}

fn reserved(name: &str) -> Unpresented {
    let message = format!("only the kernel says what `{name}` is");
    refused(InputErrorKind::KernelField, Document::Facts, name, message)
}

/// Fills governed records in. What can't be read is `None`, or stays as it is.
struct Filler<'a> {
    kept: &'a mut dyn Kept,
    active: &'a Active,
    given: Given,
    document: Document,
    is_sure: bool,
}

type Filled<T> = Result<T, Unpresented>;

impl Filler<'_> {
    fn schema(&self) -> &Schema {
        self.active.machine.image().schema()
    }

    fn request(&mut self, request: &[u8], touched: &Touched) -> Filled<Option<String>> {
        let Ok(parts) = members::read(request) else { return Ok(None) };
        if !touched.records {
            return Ok(String::from_utf8(request.to_vec()).ok());
        }
        let fields = self.context_of(touched, false);
        let mut out = Vec::new();
        for (name, value) in parts {
            let text = match name.as_str() {
                "subject" => self.party(value, "subject")?,
                "resource" if self.given == Given::Proposed => self.proposed(value)?,
                "resource" => self.party(value, "resource")?,
                "context" => self.fields(value, &fields, "context")?,
                "action" => self.action(value, &fields)?,
                _ => value.get().to_owned(),
            };
            out.push((name, text));
        }
        Ok(Some(object(out)))
    }

    fn facts(&mut self, facts: &str, touched: &Touched) -> Filled<Option<Vec<(String, String)>>> {
        let Ok(parts) = members::read(facts.as_bytes()) else { return Ok(None) };
        let fields = self.context_of(touched, true);
        let mut out = Vec::new();
        for (name, value) in parts {
            let text = self.field(value, &name, &fields, &name)?;
            out.push((name, text));
        }
        Ok(Some(out))
    }

    /// The fields of the context in which records can stand, that the kernel gives or that others give.
    fn context_of(&self, touched: &Touched, kernel: bool) -> Vec<Field> {
        let action = usize::try_from(touched.action).ok().and_then(|at| self.schema().actions.get(at));
        let fields = action.map_or(&[][..], |action| &action.context);
        fields.iter().filter(|field| field.kernel == kernel && self.reaches(field.ty)).cloned().collect()
    }

    fn reaches(&self, ty: TypeId) -> bool {
        self.active.touches.reaches(self.schema(), ty)
    }

    fn action(&mut self, value: &RawValue, fields: &[Field]) -> Filled<String> {
        let Ok(parts) = members::read(value.get().as_bytes()) else { return Ok(self.unsure(value)) };
        let mut out = Vec::new();
        for (name, value) in parts {
            let text = match name.as_str() {
                "properties" => self.fields(value, fields, "action.properties")?,
                _ => value.get().to_owned(),
            };
            out.push((name, text));
        }
        Ok(object(out))
    }

    /// An object of some fields.
    fn fields(&mut self, value: &RawValue, fields: &[Field], path: &str) -> Filled<String> {
        let Ok(parts) = members::read(value.get().as_bytes()) else { return Ok(self.unsure(value)) };
        let mut out = Vec::new();
        for (name, value) in parts {
            let text = self.field(value, &name, fields, &format!("{path}.{name}"))?;
            out.push((name, text));
        }
        Ok(object(out))
    }

    fn field(&mut self, value: &RawValue, name: &str, fields: &[Field], path: &str) -> Filled<String> {
        match fields.iter().find(|field| *field.name == *name) {
            Some(field) => self.value(value, field.ty, path),
            None => Ok(value.get().to_owned()),
        }
    }

    fn value(&mut self, value: &RawValue, ty: TypeId, path: &str) -> Filled<String> {
        let as_it_is = || Ok(value.get().to_owned());
        if value.get() == "null" || !self.reaches(ty) {
            return as_it_is();
        }
        match self.schema().ty(ty).clone() {
            Type::Optional(inner) => self.value(value, inner, path),
            Type::Entity(_) => self.party(value, path),
            Type::Record(at) => {
                let record = usize::try_from(at).ok().and_then(|at| self.schema().records.get(at));
                let fields = record.map_or_else(Vec::new, |record| record.fields.clone());
                self.fields(value, &fields, path)
            }
            Type::Set(inner, _) | Type::List(inner, _) => {
                let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value.get()) else {
                    return Ok(self.unsure(value));
                };
                let mut out = Vec::new();
                for (at, item) in items.into_iter().enumerate() {
                    out.push(self.value(item, inner, &format!("{path}[{at}]"))?);
                }
                Ok(format!("[{}]", out.join(",")))
            }
            Type::Map(inner, _) => {
                let Ok(parts) = members::read(value.get().as_bytes()) else { return Ok(self.unsure(value)) };
                let mut out = Vec::new();
                for (name, item) in parts {
                    let text = self.value(item, inner, &format!("{path}.{name}"))?;
                    out.push((name, text));
                }
                Ok(object(out))
            }
            _ => as_it_is(),
        }
    }

    fn type_of(&self, members: &[(String, &RawValue)]) -> Option<EntityType> {
        let name = members::text(one(members, "type")?)?;
        self.schema().entity_types.iter().find(|ty| *ty.name == *name || *ty.qualified == *name).cloned()
    }

    /// An entity: what is stored of it, if it is a governed record, and else what was given with that filled in.
    fn party(&mut self, value: &RawValue, path: &str) -> Filled<String> {
        let Ok(parts) = members::read(value.get().as_bytes()) else { return Ok(self.unsure(value)) };
        let Some(ty) = self.type_of(&parts) else { return Ok(self.unsure(value)) };
        if ty.governed_by.is_none() {
            let mut out = Vec::new();
            for (name, value) in parts {
                let text = match name.as_str() {
                    "properties" => self.fields(value, &ty.attributes, &format!("{path}.properties"))?,
                    _ => value.get().to_owned(),
                };
                out.push((name, text));
            }
            return Ok(object(out));
        }
        let Some(id) = one(&parts, "id").and_then(members::text) else { return Ok(self.unsure(value)) };
        let is_given = parts.iter().any(|(name, _)| name == "properties");
        if is_given && self.given != Given::Replaced {
            let message = format!("only the kernel says what {} {id:?} is", ty.name);
            return Err(refused(InputErrorKind::KernelField, self.document, &format!("{path}.properties"), message));
        }
        let named = Named { document: self.document, path, ought_to_be: true };
        let Some(properties) = self.kept.record(&ty.qualified, &id, named)? else {
            let message = format!("there is no {} {id:?}", ty.name);
            return Err(refused(InputErrorKind::UnknownEntity, self.document, path, message));
        };
        let mut out: Vec<(String, String)> = Vec::new();
        for (name, value) in parts {
            if name != "properties" {
                out.push((name, value.get().to_owned()));
            }
        }
        out.push(("properties".to_owned(), properties));
        Ok(object(out))
    }

    /// A record that is to be made: as it was given, unless there is one.
    fn proposed(&mut self, value: &RawValue) -> Filled<String> {
        let Ok(parts) = members::read(value.get().as_bytes()) else { return Ok(self.unsure(value)) };
        let Some(ty) = self.type_of(&parts).filter(|ty| ty.governed_by.is_some()) else {
            return self.party(value, "resource");
        };
        let Some(id) = one(&parts, "id").and_then(members::text) else { return Ok(self.unsure(value)) };
        let path = "resource";
        let named = Named { document: self.document, path, ought_to_be: false };
        if self.kept.record(&ty.qualified, &id, named)?.is_some() {
            let message = format!("there is a {} {id:?} already", ty.name);
            return Err(refused(InputErrorKind::GivenTwice, self.document, path, message));
        }
        Ok(value.get().to_owned())
    }

    /// What can't be read.
    fn unsure(&mut self, value: &RawValue) -> String {
        self.is_sure = false;
        value.get().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts_of(given: Option<&[u8]>) -> Result<String, String> {
        facts(given, Some(Timestamp::EPOCH)).map_err(|why| match why {
            Unpresented::Refused(ErrorReport::Input { code, .. }) => code,
            _ => "another failure".to_owned(),
        })
    }

    fn said(given: &str) -> Result<String, String> {
        facts_of(Some(given.as_bytes()))
    }

    #[test]
    fn the_time_is_added_to_what_is_said() {
        assert_eq!(facts_of(None).as_deref(), Ok("{\"now\":\"1970-01-01T00:00:00Z\"}"));
        let both = said(" { \"spent\" : 0.10, \"a\\u0062\": [ {} ] } ");
        assert_eq!(both.as_deref(), Ok("{\"now\":\"1970-01-01T00:00:00Z\",\"spent\":0.10,\"ab\":[ {} ]}"));
        // A key that stands twice stays twice, so that the machine refuses it.
        let twice = said("{\"a\":1,\"a\":2}");
        assert_eq!(twice.as_deref(), Ok("{\"now\":\"1970-01-01T00:00:00Z\",\"a\":1,\"a\":2}"));
    }

    #[test]
    fn nobody_else_says_what_time_it_is() {
        for given in ["{\"now\":\"2030-01-01T00:00:00Z\"}", "{\"a\":1,\"n\\u006fw\":null}"] {
            assert_eq!(said(given), Err("kernel_field".to_owned()), "{given}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for given in ["", "[]", "null", "{\"a\":1", "{} {}", "{\"a\":}", "\u{feff}{}"] {
            assert_eq!(said(given), Err("malformed".to_owned()), "{given}");
        }
        assert!(facts_of(Some(b"{\"a\":\"\xff\"}")).is_err());
        assert_eq!(facts(Some(b"{}"), None).ok().as_deref(), Some("{}"));
    }
}
