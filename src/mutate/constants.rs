//! What else a constant could be: its nearest neighbours.

use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::ip::{IpAddr, IpNet};
use crate::data::path::Path;
use crate::data::timestamp::Timestamp;
use crate::data::url::Url;
use crate::mutate::show;
use crate::types::ty::{Interval, Type};
use crate::types::typed::{Const, TypedPolicy};

/// What a constant becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Neighbour {
    /// Another value.
    Other(Const),
    /// The collection without one of its elements, which is given too.
    Without(Const, Const),
    /// The collection with another element, which is given too.
    With(Const, Const),
    /// A record or a map in which one part is another: the whole, where the part is, what it was and is.
    Inside(Const, String, Const, Const),
}

impl Neighbour {
    /// The value, and what a name says of it.
    pub(super) fn told(self, policy: &TypedPolicy, value: &Const) -> (Const, String) {
        let show = |value: &Const| show::value(policy, value);
        match self {
            Neighbour::Other(other) => {
                let what = format!("`{}` becomes `{}`", show(value), show(&other));
                (other, what)
            }
            Neighbour::Without(other, dropped) => (other, format!("the element `{}` is dropped", show(&dropped))),
            Neighbour::With(other, added) => (other, format!("the element `{}` is added", show(&added))),
            Neighbour::Inside(other, path, from, to) => {
                (other, format!("`{path}: {}` becomes `{path}: {}`", show(&from), show(&to)))
            }
        }
    }

    /// The same, as a part of a whole.
    fn inside(self, name: &str, was: &Const, whole: impl FnOnce(Const) -> Const) -> Neighbour {
        let (part, path, from, to) = match self {
            Neighbour::Other(other) | Neighbour::Without(other, _) | Neighbour::With(other, _) => {
                (other.clone(), name.to_owned(), was.clone(), other)
            }
            Neighbour::Inside(other, path, from, to) => (other, format!("{name}.{path}"), from, to),
        };
        Neighbour::Inside(whole(part), path, from, to)
    }
}

/// Where a constant stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The integers that may stand there.
    pub(super) interval: Interval,
    /// Its order matters, so that both neighbours of a variant are of interest.
    pub(super) ordered: bool,
}

/// The neighbours of a constant, in a fixed order; never itself.
pub(super) fn neighbours(policy: &TypedPolicy, value: &Const, place: Place) -> Vec<Neighbour> {
    let mut found = Vec::new();
    let mut other = |value: Const| found.push(Neighbour::Other(value));
    match value {
        Const::Absent => {}
        Const::Bool(value) => other(Const::Bool(!value)),
        Const::Int(value) => {
            let Interval { low, high } = place.interval;
            let both = [value.checked_add(1), value.checked_sub(1)].into_iter().flatten();
            both.filter(|value| (low..=high).contains(value)).for_each(|value| other(Const::Int(value)));
        }
        Const::Decimal(Decimal(count)) => {
            both(*count).for_each(|count| other(Const::Decimal(Decimal(count))));
        }
        Const::Duration(Duration(count)) => {
            both(*count).for_each(|count| other(Const::Duration(Duration(count))));
        }
        Const::Timestamp(time) => {
            both(time.millis()).filter_map(timestamp).for_each(|time| other(Const::Timestamp(time)));
        }
        Const::String(text) => other(Const::String(changed(text).into())),
        Const::Ip(address) => {
            let next = changed_address(&address.to_string());
            next.and_then(|text| IpAddr::parse(&text).ok()).into_iter().for_each(|next| other(Const::Ip(next)));
        }
        Const::Net(net) => nets(net).for_each(|net| other(Const::Net(net))),
        Const::Url(url) => {
            let text = format!("{}x", url.as_str());
            Url::parse(&text).ok().filter(|next| next != url).into_iter().for_each(|url| other(Const::Url(url)));
        }
        Const::Path(path) => {
            let text = format!("{}/x", path.as_str().trim_end_matches('/'));
            Path::parse(&text).into_iter().for_each(|path| other(Const::Path(path)));
        }
        Const::Enum(of, variant) => {
            let count = policy.enums[of.index()].variants.len() as u32;
            let (next, before) = ((*variant + 1 < count).then_some(variant + 1), variant.checked_sub(1));
            let chosen = if place.ordered { [next, before] } else { [next.or(before), None] };
            chosen.into_iter().flatten().for_each(|variant| other(Const::Enum(*of, variant)));
        }
        Const::Entity(ty, id) => other(Const::Entity(*ty, changed(id).into())),
        Const::Record(of, fields) => {
            let declared = &policy.records[of.index()].fields;
            for (at, field) in fields.iter().enumerate() {
                let place = Place { interval: integers_of(&declared[at].ty), ordered: false };
                for next in neighbours(policy, field, place) {
                    let mut fields = fields.clone();
                    found.push(next.inside(&declared[at].name, field, |part| {
                        fields[at] = part;
                        Const::Record(*of, fields)
                    }));
                }
            }
        }
        Const::Set(items) => {
            found.extend(without(items, &Const::Set));
            found.extend(with_states(policy, items));
        }
        Const::List(items) => found.extend(without(items, &Const::List)),
        Const::Map(entries) => {
            for at in 0..entries.len() {
                let mut left = entries.clone();
                let (key, _) = left.remove(at);
                found.push(Neighbour::Without(Const::Map(left), Const::String(key)));
            }
            for (at, (key, item)) in entries.iter().enumerate() {
                for next in neighbours(policy, item, Place { interval: Interval::FULL, ordered: false }) {
                    let mut entries = entries.clone();
                    found.push(next.inside(&format!("{key:?}"), item, |part| {
                        entries[at].1 = part;
                        Const::Map(entries)
                    }));
                }
            }
        }
    }
    found
}

/// The integers that a field may hold.
fn integers_of(ty: &Type) -> Interval {
    match ty {
        Type::Int(interval) => *interval,
        Type::Optional(inner) => integers_of(inner),
        _ => Interval::FULL,
    }
}

/// A set of states of a lifecycle with one more: what is said of some states is said of another too.
fn with_states(policy: &TypedPolicy, items: &[Const]) -> Vec<Neighbour> {
    let Some(Const::Enum(of, _)) = items.first() else { return Vec::new() };
    if policy.enums[of.index()].lifecycle.is_none() {
        return Vec::new();
    }
    let variants = (0..policy.enums[of.index()].variants.len() as u32).map(|variant| Const::Enum(*of, variant));
    let add = |variant: Const| {
        let mut more = items.to_vec();
        let at = more.binary_search(&variant).err()?;
        more.insert(at, variant.clone());
        Some(Neighbour::With(Const::Set(more), variant))
    };
    variants.filter_map(add).collect()
}

fn without(items: &[Const], make: &dyn Fn(Vec<Const>) -> Const) -> Vec<Neighbour> {
    let drop = |at: usize| {
        let mut left = items.to_vec();
        let item = left.remove(at);
        Neighbour::Without(make(left), item)
    };
    (0..items.len()).map(drop).collect()
}

/// One more and one less.
fn both(count: i64) -> impl Iterator<Item = i64> {
    [count.checked_add(1), count.checked_sub(1)].into_iter().flatten()
}

fn timestamp(millis: i64) -> Option<Timestamp> {
    Timestamp::from_millis(millis)
}

/// Another text, no longer than this one unless this one is empty.
pub(super) fn changed(text: &str) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    match chars.pop() {
        None => "x".to_owned(),
        Some('x') => chars.into_iter().chain(['y']).collect(),
        Some('X') => chars.into_iter().chain(['Y']).collect(),
        Some(last) if last.is_ascii_uppercase() => chars.into_iter().chain(['X']).collect(),
        Some(_) => chars.into_iter().chain(['x']).collect(),
    }
}

/// The text of an address with another last digit.
fn changed_address(text: &str) -> Option<String> {
    let last = text.chars().next_back()?;
    let head = &text[..text.len() - last.len_utf8()];
    Some(format!("{head}{}", if last == '1' { '2' } else { '1' }))
}

/// The network that is half of it, and the one that it is half of.
fn nets(net: &IpNet) -> impl Iterator<Item = IpNet> {
    let text = net.to_string();
    let (address, prefix) = text.split_once('/').unwrap_or((&text, "0"));
    let address = IpAddr::parse(address).ok();
    let prefix: u8 = prefix.parse().unwrap_or(0);
    let made = [prefix.checked_add(1), prefix.checked_sub(1)].map(|prefix| IpNet::new(address?, prefix?).ok());
    made.into_iter().flatten().collect::<Vec<_>>().into_iter()
}
