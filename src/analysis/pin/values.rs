//! That a symbolic value is the one that stands in a document.

use std::sync::Arc;

use super::Maker;
use crate::analysis::encode::{address_word, net_word};
use crate::analysis::formula::F;
use crate::analysis::request::Json;
use crate::analysis::value::{Item, Many, Shape, Sym, Word, same_word};
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::ip::{IpAddr, IpNet};
use crate::data::path::Path;
use crate::data::timestamp::Timestamp;
use crate::data::url::Url;
use crate::types::ty::Type;
use crate::types::typed::EntityTypeId;

impl Maker<'_, '_, '_> {
    /// That a value is the given one. `firm`: nothing but this value will be looked at, so that entities in it are known.
    pub(super) fn value(&mut self, ty: &Type, sym: &Sym, given: Option<&Json>, path: &str, firm: bool) -> F {
        match (ty, sym, given) {
            (_, Sym::Optional(present, _), None) => !*present,
            (ty, Sym::Optional(present, value), Some(given)) => {
                let Some(value) = value else { return F::FALSE };
                let inner = if let Type::Optional(inner) = ty { inner } else { ty };
                let value = self.value(inner, value, Some(given), path, firm);
                self.world.cx.formulas.both(*present, value)
            }
            (Type::Optional(inner), sym, given) => self.value(inner, sym, given, path, firm),
            (Type::Record(of), Sym::Record(_), Some(given)) => {
                let policy = self.policy;
                let mut parts = Vec::new();
                for field in &policy.records[of.index()].fields {
                    if let Some(inner) = sym.field(&field.name) {
                        let path = format!("{path}.{}", field.name);
                        parts.push(self.value(&field.ty, inner, given.member(&field.name), &path, firm));
                    }
                }
                self.world.cx.formulas.and(parts)
            }
            (Type::Entity(types), Sym::Entity(_), Some(given)) => self.entity(types, sym, given, path, firm),
            (Type::Set(inner, _) | Type::List(inner, _), Sym::Many(many), Some(Json::Array(items))) => {
                let items: Vec<(Option<&str>, &Json)> = items.iter().map(|item| (None, item)).collect();
                self.many(inner, many, &items, path, firm)
            }
            (Type::Map(inner, _), Sym::Many(many), Some(Json::Object(members))) => {
                let items: Vec<(Option<&str>, &Json)> =
                    members.iter().map(|(key, value)| (Some(key.as_str()), value)).collect();
                self.many(inner, many, &items, path, firm)
            }
            (ty, sym, Some(given)) => match self.scalar(ty, given) {
                Some(value) => self.world.equal(sym, &value),
                None => self.doubt(path),
            },
            _ => self.doubt(path),
        }
    }

    /// A value that can't be read leaves the field open.
    fn doubt(&mut self, path: &str) -> F {
        self.pins.doubts.push(format!("what {path} is"));
        F::TRUE
    }

    /// A value without parts.
    fn scalar(&self, ty: &Type, given: &Json) -> Option<Sym> {
        Some(match (ty, given) {
            (Type::Bool, Json::Bool(value)) => Sym::Bool(F::constant(*value)),
            (Type::Int(_), Json::Number(text)) => Sym::number(text.parse::<i64>().ok()?.into()),
            (Type::Decimal, Json::Number(text)) => Sym::number(Decimal::parse_json(text).ok()?.0.into()),
            (Type::Duration, Json::Text(text)) => Sym::number(Duration::parse_json(text).ok()?.0.into()),
            (Type::Timestamp, Json::Text(text)) => Sym::number(Timestamp::parse(text).ok()?.millis().into()),
            (Type::String(_), Json::Text(text)) => Sym::text(text),
            (Type::IpAddr, Json::Text(text)) => Sym::text(&address_word(IpAddr::parse(text).ok()?)),
            (Type::IpNet, Json::Text(text)) => Sym::text(&net_word(IpNet::parse(text).ok()?)),
            (Type::Url, Json::Text(text)) => Sym::text(Url::parse(text).ok()?.as_str()),
            (Type::Path, Json::Text(text)) => Sym::text(Path::parse(text).ok()?.as_str()),
            (Type::Enum(_), Json::Text(name)) => Sym::Variant(vec![(F::TRUE, name.as_str().into())]),
            _ => return None,
        })
    }

    /// The type (by its name on the wire) and the id that an entity is given by.
    fn named(&self, types: &[EntityTypeId], given: &Json) -> Option<(Arc<str>, Arc<str>)> {
        let defs = &self.policy.entity_types;
        if let (Json::Text(id), [only]) = (given, types) {
            return Some((defs.get(only.index())?.wire.clone(), id.as_str().into()));
        }
        let ty = given.member("type").and_then(Json::text)?;
        let def = defs.iter().find(|def| *def.wire == *ty || *def.qualified == *ty)?;
        Some((def.wire.clone(), given.member("id").and_then(Json::text)?.into()))
    }

    fn entity(&mut self, types: &[EntityTypeId], sym: &Sym, given: &Json, path: &str, firm: bool) -> F {
        let (Sym::Entity(choice), Some((ty, id))) = (sym, self.named(types, given)) else { return self.doubt(path) };
        let mut cases = Vec::new();
        for (when, term) in choice {
            if self.world.term(*term).ty != ty {
                continue;
            }
            let own = self.world.term(*term).id.clone();
            if firm && matches!(own, Word::Variable(_)) {
                self.fixed.insert(*term, id.clone());
            }
            let mut parts = vec![*when, same_word(&mut self.world.cx, &own, &Word::Known(id.clone()))];
            if let Some(def) = self.world.entity_type(self.side, &ty).filter(|def| def.presented) {
                for field in &def.attributes {
                    let Some(read) = self.world.attribute_read(self.side, *term, &field.name).cloned() else {
                        continue;
                    };
                    let value = given.member("properties").and_then(|properties| properties.member(&field.name));
                    let path = format!("{path}.{}", field.name);
                    parts.push(self.value(&field.ty, &read, value, &path, firm));
                }
            }
            let is = self.world.cx.formulas.and(parts);
            cases.push(is);
        }
        self.world.cx.formulas.or(cases)
    }

    /// Each element that is given stands for one item: the one that is the same constant, or the next that is none.
    fn many(&mut self, inner: &Type, many: &Many, given: &[(Option<&str>, &Json)], path: &str, firm: bool) -> F {
        let mut free: Vec<usize> =
            (0..many.items.len()).filter(|at| many.items.get(*at).is_some_and(|item| !self.is_known(item))).collect();
        free.reverse();
        let mut there = vec![false; many.items.len()];
        let mut parts = Vec::new();
        let mut left: u32 = 0;
        let mut needed = 0;
        for (key, value) in given {
            let known = (many.shape != Shape::List)
                .then(|| (0..many.items.len()).find(|at| self.is_same(inner, &many.items[*at], *key, value)))
                .flatten();
            needed += usize::from(known.is_none());
            let Some(at) = known.or_else(|| free.pop()) else {
                left = left.saturating_add(1);
                continue;
            };
            let item = many.items[at].clone();
            there[at] = true;
            let path = format!("{path}[{at}]");
            match (key, &item.value) {
                (Some(key), held) => {
                    parts.push(self.world.equal(&item.element, &Sym::text(key)));
                    if let Some(held) = held {
                        parts.push(self.value(inner, held, Some(value), &path, firm));
                    }
                }
                (None, _) => parts.push(self.value(inner, &item.element, Some(value), &path, firm)),
            }
        }
        for origin in &many.origins {
            self.world.demands.places(origin, needed);
        }
        for (item, there) in many.items.iter().zip(there) {
            parts.push(if there { item.there } else { !item.there });
        }
        if let Some(more) = &many.more {
            parts.push(self.world.cx.formulas.equals(&self.world.cx.numbers, more, left.into()));
        }
        if left == 0 {
            parts.push(!many.over);
        } else {
            self.pins.doubts.push(format!("more elements of {path} than are looked at"));
        }
        self.world.cx.formulas.and(parts)
    }

    /// An item that stands for one constant.
    fn is_known(&self, item: &Item) -> bool {
        match &item.element {
            Sym::Bool(truth) => matches!(*truth, F::TRUE | F::FALSE),
            Sym::Text(choice) => matches!(choice[..], [(F::TRUE, Word::Known(_))]),
            Sym::Number(choice) => matches!(&choice[..], [(F::TRUE, sum)] if sum.as_constant().is_some()),
            Sym::Variant(choice) => matches!(choice[..], [(F::TRUE, _)]),
            Sym::Entity(choice) => {
                matches!(choice[..], [(F::TRUE, term)] if matches!(self.world.term(term).id, Word::Known(_)))
            }
            _ => false,
        }
    }

    /// An item that stands for the constant that is given.
    fn is_same(&self, inner: &Type, item: &Item, key: Option<&str>, given: &Json) -> bool {
        if !self.is_known(item) {
            return false;
        }
        if let (Type::Entity(types), Sym::Entity(choice)) = (inner, &item.element) {
            let [(_, term)] = choice[..] else { return false };
            let of = self.world.term(term);
            return self.named(types, given).is_some_and(|(ty, id)| of.ty == ty && of.id == Word::Known(id));
        }
        match key {
            Some(key) => item.element == Sym::text(key),
            None => self.scalar(inner, given).is_some_and(|value| value == item.element),
        }
    }
}
