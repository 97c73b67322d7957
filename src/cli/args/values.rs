//! Values on the command line that are more than words: principals, times, kinds of entries.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::base::hash::Digest;
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::timestamp::Timestamp;
use crate::kernel::entry::Kind;
use crate::kernel::gate::GateState;
use crate::kernel::govern::operators::{Operator, Role};
use crate::kernel::modes::Mode;
use crate::kernel::permit::PermitState;
use crate::kernel::record::Principal;
use crate::kernel::retain::Old;
use crate::kernel::scope::ScopeStatus;

/// A moment, said outright or from now on backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// This one.
    At(Timestamp),
    /// So long ago.
    Ago(Duration),
}

impl Moment {
    /// The moment itself; none if it lies before all times.
    #[must_use]
    pub fn before(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Moment::At(time) => Some(time),
            Moment::Ago(time) => now.checked_sub(time).ok(),
        }
    }
}

/// An entity by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityRef {
    /// The type's name on the wire.
    pub ty: String,
    /// The id.
    pub id: String,
}

/// Reads `2026-01-31T12:00:00Z`, `2026-01-31` (its beginning, in UTC) or `3d`, which is three days ago.
pub fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(ago) = Duration::parse(text) {
        return if ago < Duration::ZERO { Err("it lies in the future".to_owned()) } else { Ok(Moment::Ago(ago)) };
    }
    let whole = if text.len() == "2026-01-31".len() { format!("{text}T00:00:00Z") } else { text.to_owned() };
    Timestamp::parse(&whole)
        .map(Moment::At)
        .map_err(|error| format!("{error}; write 2026-01-31T12:00:00Z, 2026-01-31 or 3d"))
}

/// Reads a time such as `5m`, longer than none.
pub fn duration(text: &str) -> Result<Duration, String> {
    match Duration::parse(text) {
        Ok(duration) if duration > Duration::ZERO => Ok(duration),
        Ok(_) => Err("it has to be longer than no time".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads the name of a bundle.
pub fn digest(text: &str) -> Result<Digest, String> {
    Digest::parse(text).ok_or_else(|| "it is not `sha256:` and 64 hexadecimal digits".to_owned())
}

/// Reads an entity: `Agent::"ci"` as policies have it, or `Agent::ci`, which shells leave alone.
pub fn entity(text: &str) -> Result<EntityRef, String> {
    let form = "it is not written as Type::\"id\", such as Person::ann";
    let (ty, id) = text.split_once("::").ok_or(form)?;
    let id = match id.strip_prefix('"') {
        None => id.to_owned(),
        Some(quoted) => unquoted(quoted).ok_or(form)?,
    };
    if ty.is_empty() || id.is_empty() {
        return Err(form.to_owned());
    }
    Ok(EntityRef { ty: ty.to_owned(), id })
}

/// What stands before the quote that ends it; `\"` and `\\` are a quote and a backslash.
fn unquoted(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text.chars();
    loop {
        match rest.next()? {
            '"' => return rest.next().is_none().then_some(out),
            '\\' => out.push(rest.next().filter(|next| matches!(next, '"' | '\\'))?),
            other => out.push(other),
        }
    }
}

/// Reads who acts.
pub fn principal(text: &str) -> Result<Principal, String> {
    let EntityRef { ty, id } = entity(text)?;
    Principal::new(&ty, &id).ok_or_else(|| "it is too long".to_owned())
}

/// Reads who is appointed, and for what; nobody names roles that don't go together by naming none.
pub fn operator(text: &str) -> Result<Operator, String> {
    // An id may have an equals sign, but no role has a quotation mark or a colon.
    let parts = text.rsplit_once('=').filter(|(_, roles)| !roles.contains(['"', ':']));
    let Some((who, roles)) = parts else {
        let duties = [Role::Admin, Role::PolicyManager, Role::RegistryManager, Role::Responder, Role::Caretaker];
        return Ok(Operator::person(principal(text)?, &duties));
    };
    let role = |name: &str| {
        let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
        Role::of_name(name).ok_or_else(|| format!("there is no role `{name}`; there are {}", names.join(", ")))
    };
    let roles = roles.split(',').map(role).collect::<Result<Vec<_>, _>>()?;
    Ok(Operator::person(principal(who)?, &roles))
}

/// Reads an amount, exactly.
pub fn decimal(text: &str) -> Result<Decimal, String> {
    Decimal::parse(text).map_err(|error| error.to_string())
}

/// Reads one of some names that the kernel has, and knows all of them.
fn one_of<T: Clone + Send + Sync + 'static>(
    names: impl IntoIterator<Item = &'static str>,
    parse: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names).try_map(move |name| parse(&name).ok_or("there is no such one"))
}

/// Reads a kind of entries.
pub fn kind() -> impl TypedValueParser<Value = Kind> {
    one_of(Kind::ALL.iter().map(|kind| kind.name()), Kind::of_name)
}

/// Reads how a capability is enforced.
pub fn mode() -> impl TypedValueParser<Value = Mode> {
    one_of([Mode::Strict, Mode::Permissive].map(Mode::name), Mode::of_name)
}

/// Reads what has become of a gate.
pub fn gate_state() -> impl TypedValueParser<Value = GateState> {
    one_of(GateState::ALL.iter().map(|state| state.name()), GateState::parse)
}

/// Reads what has become of a permit.
pub fn permit_state() -> impl TypedValueParser<Value = PermitState> {
    one_of(PermitState::ALL.iter().map(|state| state.name()), PermitState::parse)
}

/// Reads what has become of a scope.
pub fn scope_status() -> impl TypedValueParser<Value = ScopeStatus> {
    one_of(ScopeStatus::ALL.iter().map(|status| status.name()), ScopeStatus::parse)
}

/// Reads what can be tidied.
pub fn old() -> impl TypedValueParser<Value = Old> {
    one_of(Old::ALL.iter().map(|old| old.name()), Old::of_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_read_quoted_and_not() {
        let read = |text| entity(text).map(|entity| (entity.ty, entity.id));
        let both = |ty: &str, id: &str| Ok((ty.to_owned(), id.to_owned()));
        assert_eq!(read("Agent::\"ci\""), both("Agent", "ci"));
        assert_eq!(read("Agent::ci"), both("Agent", "ci"));
        assert_eq!(read(r#"Agent::"a\"b\\c::d""#), both("Agent", r#"a"b\c::d"#));
        for wrong in ["", "Agent", "Agent:ci", "::ci", "Agent::", "Agent::\"ci", "Agent::\"ci\"x", r#"Agent::"\n""#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn operators_are_read_with_roles_and_without() {
        let read = |text| operator(text).map(|operator| (operator.principal.id().to_owned(), operator.roles.len()));
        assert_eq!(read("Person::ann"), Ok(("ann".to_owned(), 5)));
        assert_eq!(read("Person::\"a=b\""), Ok(("a=b".to_owned(), 5)));
        assert_eq!(read("Person::\"a=b\"=auditor"), Ok(("a=b".to_owned(), 1)));
        assert_eq!(read("Person::ann=privacy_officer,responder"), Ok(("ann".to_owned(), 2)));
        for wrong in ["ann", "Person::ann=", "Person::ann=king", "Person::ann=auditor,", "=auditor"] {
            assert!(operator(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_are_read() {
        let noon = Timestamp::parse("2026-01-31T12:00:00Z").expect("it is a time");
        assert_eq!(moment("2026-01-31T12:00:00Z"), Ok(Moment::At(noon)));
        let day = Timestamp::parse("2026-01-31T00:00:00Z").expect("it is a time");
        assert_eq!(moment("2026-01-31"), Ok(Moment::At(day)));
        assert_eq!(moment("12h").map(|moment| moment.before(noon)), Ok(Some(day)));
        for wrong in ["", "-1h", "yesterday", "2026-02-30", "2026-1-31"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }
}
