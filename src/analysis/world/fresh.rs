//! Values that a request or the registry may give: anything of a type.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::{PerSide, WITNESSES_MAX, World};
use crate::analysis::demand::Known;
use crate::analysis::encode::{Bound, Leaf};
use crate::analysis::formula::{Atom, F};
use crate::analysis::numbers::Linear;
use crate::analysis::text::{Domain, Lang, Measure};
use crate::analysis::value::{Choice, Item, Many, Shape, Sym, Word};
use crate::base::limits::ID_BYTES_MAX;
use crate::data::timestamp::Timestamp;
use crate::types::ty::Type;
use crate::types::typed::{EntityTypeId, EnumId, RecordId, TypedPolicy};

/// The types of a field, for each side that declares it.
type Types<'t> = [Option<&'t Type>];

impl World<'_> {
    /// A new value of these types; `when` it is there.
    pub(super) fn fresh(&mut self, path: &Arc<str>, types: &Types<'_>, when: F) -> PerSide {
        let kinds: BTreeSet<u8> = types.iter().flatten().map(|ty| kind(ty)).collect();
        if kinds.len() > 1 {
            // The sides agree on nothing but the name.
            return (0..types.len())
                .map(|side| {
                    let mut only = vec![None; types.len()];
                    only[side] = types[side];
                    let value = self.fresh(&format!("{path}#{side}").into(), &only, when);
                    value.into_iter().nth(side).flatten()
                })
                .collect();
        }
        let all = |value: Sym| -> PerSide { types.iter().map(|ty| ty.map(|_| value.clone())).collect() };
        let Some(first) = types.iter().flatten().next() else { return vec![None; types.len()] };
        match strip(first) {
            _ if types.iter().flatten().any(|ty| matches!(ty, Type::Optional(_))) => self.optional(path, types, when),
            Type::Bool => all(Sym::Bool(self.cx.formulas.free())),
            Type::Int(_) => {
                let bounds = types.iter().map(|ty| match ty {
                    Some(Type::Int(interval)) => Some((i128::from(interval.low), i128::from(interval.high))),
                    _ => None,
                });
                self.number(path, &bounds.collect::<Vec<_>>(), types, when)
            }
            Type::Decimal | Type::Duration => {
                all(Sym::sum(Linear::variable(self.cx.numbers.variable(i64::MIN.into(), i64::MAX.into()))))
            }
            Type::Timestamp => {
                let (low, high) = (Timestamp::MIN.millis(), Timestamp::MAX.millis());
                all(Sym::sum(Linear::variable(self.cx.numbers.variable(low.into(), high.into()))))
            }
            Type::String(_) => {
                let sizes: Vec<Option<u32>> =
                    types.iter().map(|ty| if let Some(Type::String(max)) = ty { Some(*max) } else { None }).collect();
                let most = sizes.iter().flatten().copied().max().unwrap_or_default();
                let variable = self.cx.texts.variable(Domain::Any(most));
                for (side, size) in sizes.iter().enumerate() {
                    let Some(size) = size.filter(|size| *size != most) else { continue };
                    let language = self.cx.texts.language(Lang::AtLeast(Measure::Bytes, i64::from(size) + 1));
                    let longer = self.cx.formulas.atom(Atom::In(variable, language));
                    // A length in bytes can't be asked for in PDL.
                    let texts = ["at most", "more than"].map(|word| format!("({path} has {word} {size} bytes)"));
                    self.accept(side, when, !longer, texts, None);
                }
                all(Sym::word(variable))
            }
            Type::IpAddr => all(Sym::word(self.cx.texts.variable(Domain::Address))),
            Type::IpNet => all(Sym::word(self.cx.texts.variable(Domain::Net))),
            Type::Url => all(Sym::word(self.cx.texts.variable(Domain::Url))),
            Type::Path => all(Sym::word(self.cx.texts.variable(Domain::Path))),
            Type::Enum(_) => self.variant(path, types, when),
            Type::Record(_) => self.record(path, types, when),
            Type::Entity(_) => self.entity(path, types, when),
            Type::Set(..) => self.many(path, types, when, Shape::Set),
            Type::List(..) => self.many(path, types, when, Shape::List),
            Type::Map(..) => self.many(path, types, when, Shape::Map),
            Type::Optional(_) | Type::Unknown => vec![None; types.len()],
        }
    }

    /// A side accepts the value only if this holds, where the value is there. It and its opposite are said so.
    fn accept(&mut self, side: usize, when: F, condition: F, texts: [String; 2], bound: Option<Bound>) {
        let accepted = self.cx.formulas.implies(when, condition);
        if accepted != F::TRUE {
            self.valid[side].push(accepted);
            if let Some(refused) = &mut self.refused {
                return refused.push((side, !accepted));
            }
            let [text, negated] = texts;
            self.accepted.push(Leaf { text, negated, yes: accepted, no: !accepted, presumes: Vec::new(), bound });
        }
    }

    fn optional(&mut self, path: &Arc<str>, types: &Types<'_>, when: F) -> PerSide {
        let present = self.cx.formulas.free();
        self.simple.push(present);
        let inner: Vec<Option<&Type>> = types.iter().map(|ty| ty.map(strip)).collect();
        let within = self.cx.formulas.both(when, present);
        let values = self.fresh(path, &inner, within);
        let mut all = Vec::with_capacity(types.len());
        for (side, (ty, value)) in types.iter().zip(values).enumerate() {
            all.push(match (ty, value) {
                (Some(Type::Optional(_)), Some(value)) => Some(Sym::perhaps(present, value)),
                (Some(_), Some(value)) => {
                    let texts = [format!("{path} is present"), format!("{path} is absent")];
                    self.accept(side, when, present, texts, None);
                    self.present.insert(value.clone(), present);
                    Some(value)
                }
                _ => None,
            });
        }
        all
    }

    fn number(&mut self, path: &str, bounds: &[Option<(i128, i128)>], types: &Types<'_>, when: F) -> PerSide {
        let low = bounds.iter().flatten().map(|(low, _)| *low).min().unwrap_or_default();
        let high = bounds.iter().flatten().map(|(_, high)| *high).max().unwrap_or_default();
        let sum = Linear::variable(self.cx.numbers.variable(low, high));
        for (side, bound) in bounds.iter().enumerate() {
            let Some((least, greatest)) = bound else { continue };
            let below = self.cx.formulas.at_most(&self.cx.numbers, &sum, least.saturating_sub(1));
            let at_most = self.cx.formulas.at_most(&self.cx.numbers, &sum, *greatest);
            let bound = |order, value: &i128| Bound::whole(path, order, *value);
            let texts = [format!("{path} >= {least}"), format!("{path} < {least}")];
            self.accept(side, when, !below, texts, Some(bound(Ordering::Greater, least)));
            let texts = [format!("{path} <= {greatest}"), format!("{path} > {greatest}")];
            self.accept(side, when, at_most, texts, Some(bound(Ordering::Less, greatest)));
        }
        types.iter().map(|ty| ty.map(|_| Sym::sum(sum.clone()))).collect()
    }

    /// One of so many: each under the condition that some Booleans are its number.
    pub(super) fn one_of<T: Clone>(&mut self, names: &[T]) -> Choice<T> {
        let bits = names.len().next_power_of_two().trailing_zeros();
        let free: Vec<F> = (0..bits).map(|_| self.cx.formulas.free()).collect();
        let coded = |world: &mut Self, number: usize| {
            let parts: Vec<F> = free
                .iter()
                .enumerate()
                .map(|(bit, free)| if number >> bit & 1 == 1 { *free } else { !*free })
                .collect();
            world.cx.formulas.and(parts)
        };
        let choice = names.iter().enumerate().map(|(number, name)| (coded(self, number), name.clone())).collect();
        for number in names.len()..1 << bits {
            let never = coded(self, number);
            self.axioms.push(!never);
        }
        choice
    }

    fn variant(&mut self, path: &str, types: &Types<'_>, when: F) -> PerSide {
        let variants = |world: &Self, side: usize, ty: &Option<&Type>| match ty {
            Some(Type::Enum(id)) => world.sides[side].enums[id.index()].variants.clone(),
            _ => Vec::new(),
        };
        let mut names: Vec<Arc<str>> = Vec::new();
        for (side, ty) in types.iter().enumerate() {
            for name in variants(self, side, ty) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let choice = self.one_of(&names);
        for (side, ty) in types.iter().enumerate().filter(|(_, ty)| ty.is_some()) {
            let own = variants(self, side, ty);
            for (is, name) in choice.iter().filter(|(_, name)| !own.contains(name)) {
                self.accept(side, when, !*is, [format!("{path} != {name}"), format!("{path} == {name}")], None);
            }
        }
        types.iter().map(|ty| ty.map(|_| Sym::Variant(choice.clone()))).collect()
    }

    fn record(&mut self, path: &Arc<str>, types: &Types<'_>, when: F) -> PerSide {
        let fields = |world: &Self, side: usize| match types[side] {
            Some(Type::Record(id)) => &world.sides[side].records[id.index()].fields[..],
            _ => &[],
        };
        let mut names: BTreeSet<Arc<str>> = BTreeSet::new();
        let mut declared: Vec<Vec<(Arc<str>, Type)>> = Vec::new();
        for side in 0..types.len() {
            declared.push(fields(self, side).iter().map(|field| (field.name.clone(), field.ty.clone())).collect());
            names.extend(fields(self, side).iter().map(|field| field.name.clone()));
        }
        let mut records: Vec<Vec<(Arc<str>, Sym)>> = vec![Vec::new(); types.len()];
        for name in names {
            let inner: Vec<Option<&Type>> = declared
                .iter()
                .map(|fields| fields.iter().find(|(found, _)| *found == name).map(|(_, ty)| ty))
                .collect();
            let values = self.fresh(&format!("{path}.{name}").into(), &inner, when);
            for (record, value) in records.iter_mut().zip(values) {
                record.extend(value.map(|value| (name.clone(), value)));
            }
        }
        types.iter().zip(records).map(|(ty, fields)| ty.map(|_| Sym::Record(Arc::new(fields)))).collect()
    }

    fn entity(&mut self, path: &Arc<str>, types: &Types<'_>, when: F) -> PerSide {
        let allowed = |world: &Self, side: usize, ty: &Option<&Type>| -> Vec<Arc<str>> {
            let defs = &world.sides[side].entity_types;
            match ty {
                Some(Type::Entity(ids)) if ids.is_empty() => defs.iter().map(|def| def.wire.clone()).collect(),
                Some(Type::Entity(ids)) => ids.iter().map(|id| defs[id.index()].wire.clone()).collect(),
                _ => Vec::new(),
            }
        };
        let mut names: Vec<Arc<str>> = Vec::new();
        for (side, ty) in types.iter().enumerate() {
            for name in allowed(self, side, ty) {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        let id = Word::Variable(self.cx.texts.variable(Domain::Any(ID_BYTES_MAX)));
        let known = self.cx.formulas.free();
        let mut terms = Vec::with_capacity(names.len());
        for name in &names {
            terms.push(self.a_term(name.clone(), id.clone(), path.clone(), known));
        }
        // Neither the registry nor a request refers to what the registry does not know: both are refused, by each version.
        let axiom = self.cx.formulas.implies(when, known);
        self.axioms.push(axiom);
        let choice = self.one_of(&terms);
        for (side, ty) in types.iter().enumerate().filter(|(_, ty)| ty.is_some()) {
            let own = allowed(self, side, ty);
            for ((is, _), name) in choice.iter().zip(&names) {
                if !own.contains(name) {
                    let texts = [format!("not ({path} is {name})"), format!("{path} is {name}")];
                    self.accept(side, when, !*is, texts, None);
                }
            }
        }
        types.iter().map(|ty| ty.map(|_| Sym::Entity(choice.clone()))).collect()
    }

    fn many(&mut self, path: &Arc<str>, types: &Types<'_>, when: F, shape: Shape) -> PerSide {
        let inner: Vec<Option<&Type>> = types
            .iter()
            .map(|ty| match ty {
                Some(Type::Set(inner, _) | Type::List(inner, _) | Type::Map(inner, _)) => Some(&**inner),
                _ => None,
            })
            .collect();
        let maxima: Vec<u32> = types
            .iter()
            .filter_map(|ty| match ty {
                Some(Type::Set(_, max) | Type::List(_, max) | Type::Map(_, max)) => Some(*max),
                _ => None,
            })
            .collect();
        let most = maxima.iter().copied().max().unwrap_or_default();
        let demand = self.assumed(path);
        let key_types: Vec<Option<&Type>> = match shape {
            Shape::Map => types.iter().map(|ty| ty.map(|_| &KEY)).collect(),
            _ => inner.clone(),
        };
        // What a side takes of each element is told of the collection as a whole.
        let outside = self.refused.replace(Vec::new());
        // An element that one side does not take is a witness of its own, beside those that rules ask for.
        if differ(&self.sides, &inner) {
            let mark = self.silent(&format!("an element of {path} that is not taken"), &[]);
            self.demands.question(path, mark);
        }
        // The items, for each side the same conditions and keys; values may differ.
        let mut items: Vec<(F, PerSide, PerSide)> = Vec::new();
        let finite = if shape == Shape::List { None } else { self.all_values(&key_types) };
        let complete = finite.is_some();
        let mut known: Vec<PerSide> = finite.unwrap_or_default();
        if !complete && shape != Shape::List {
            for constant in &demand.known {
                let value = self.constant(constant);
                known.push(types.iter().map(|ty| ty.map(|_| value.clone())).collect());
            }
        }
        for key in known {
            let there = self.cx.formulas.free();
            self.simple.push(there);
            for (side, value) in key.iter().enumerate() {
                let takes = match (key_types.get(side), value) {
                    (Some(Some(ty)), Some(value)) => takes(self.sides[side], ty, value),
                    _ => true,
                };
                if !takes {
                    self.accept(side, when, !there, [String::new(), String::new()], None);
                }
            }
            items.push((there, key, Vec::new()));
        }
        // Where one version takes fewer than the other, how many there are matters, whoever asks. Where that matters, or
        // how many fit, all of few are spelt out.
        let sized = maxima.iter().any(|max| *max != most);
        let is_limited = self.witnesses_max < WITNESSES_MAX;
        let spelt = (sized || demand.counted && !is_limited) && most as usize <= WITNESSES_MAX;
        let few = if spelt { most as usize } else { 0 };
        // Where there may be more, one is spelt out that stands for any.
        let least = few.max(usize::from(self.loose));
        let slots = if complete { 0 } else { (demand.witnesses + demand.places).max(least).min(most as usize) };
        // More is asked for than is spelt out, or may be: then there may be more.
        let asked = demand.witnesses + demand.places;
        let short = demand.witnesses >= self.witnesses_max || asked >= WITNESSES_MAX || self.loose;
        let short = short && !complete && (most as usize) > slots;
        self.cut |= short && demand.witnesses >= self.witnesses_max && is_limited;
        self.cut |= demand.counted && is_limited && !complete && (most as usize) > slots;
        let mut before = F::TRUE;
        for slot in 0..slots {
            let there = self.cx.formulas.free();
            self.simple.push(there);
            let ordered = self.cx.formulas.implies(there, before);
            self.axioms.push(ordered);
            before = there;
            let within = self.cx.formulas.both(when, there);
            let name: Arc<str> = format!("{path}[{slot}]").into();
            let key = self.fresh(&name, &key_types, within);
            if shape != Shape::List {
                self.distinct(&items, there, &key);
            }
            items.push((there, key, Vec::new()));
        }
        if shape == Shape::Map {
            for (slot, item) in items.iter_mut().enumerate() {
                let within = self.cx.formulas.both(when, item.0);
                item.2 = self.fresh(&format!("{path}[{slot}]").into(), &inner, within);
            }
        }
        let guards: Vec<F> = items.iter().map(|(there, ..)| *there).collect();
        let more = ((demand.sized || sized) && !complete && (most as usize) > slots)
            .then(|| Linear::variable(self.cx.numbers.variable(0, most.into())));
        if guards.len() > most as usize || more.is_some() {
            self.at_most_of(&guards, more.as_ref(), most);
        }
        let over = match (short, &more) {
            (false, _) => F::FALSE,
            (true, Some(more)) => !self.cx.formulas.at_most(&self.cx.numbers, more, 0),
            (true, None) => self.cx.formulas.free(),
        };
        if over != F::FALSE {
            self.simple.push(over);
            self.beyond.push(over);
        }
        if let (Some(more), Some(last)) = (&more, (slots > 0).then_some(before)) {
            // What is not spelt out is there only if everything that could be spelt out is.
            let none = self.cx.formulas.at_most(&self.cx.numbers, more, 0);
            let axiom = self.cx.formulas.either(none, last);
            self.axioms.push(axiom);
        }
        let refused = std::mem::replace(&mut self.refused, outside).unwrap_or_default();
        match &mut self.refused {
            Some(outside) => outside.extend(refused),
            None => self.accepted_of(path, &refused),
        }
        for (side, max) in types.iter().enumerate().filter_map(|(side, ty)| match ty {
            Some(Type::Set(_, max) | Type::List(_, max) | Type::Map(_, max)) => Some((side, *max)),
            _ => None,
        }) {
            if max < most {
                let fits = self.is_at_most(&guards, more.as_ref(), max);
                let texts = [format!("{path}.size <= {max}"), format!("{path}.size > {max}")];
                self.accept(side, when, fits, texts, None);
            }
        }
        (0..types.len())
            .map(|side| {
                types[side]?;
                let items = items.iter().map(|(there, key, value)| {
                    Some(Item {
                        there: *there,
                        element: key.get(side)?.clone()?,
                        value: value.get(side).cloned().flatten(),
                    })
                });
                let items = items.collect::<Option<Vec<Item>>>()?;
                let origins = vec![path.clone()];
                Some(Sym::Many(Arc::new(Many { shape, items, more: more.clone(), over, origins, complete })))
            })
            .collect()
    }

    /// What a side takes of the elements of a collection, as a condition of the collection.
    fn accepted_of(&mut self, path: &str, refused: &[(usize, F)]) {
        for side in 0..self.sides.len() {
            let some = self.cx.formulas.or(refused.iter().filter(|(of, _)| *of == side).map(|(_, refused)| *refused));
            if some != F::FALSE {
                let version = if side == 0 { "old" } else { "new" };
                let text = |verb: &str| format!("({path} {verb} what the {version} version does not take)");
                let (text, negated) = (text("has nothing of"), text("has some of"));
                let leaf = Leaf { text, negated, yes: !some, no: some, presumes: Vec::new(), bound: None };
                self.accepted.push(leaf);
            }
        }
    }

    /// A new element is none of those before it.
    fn distinct(&mut self, items: &[(F, PerSide, PerSide)], there: F, key: &PerSide) {
        let Some(side) = key.iter().position(Option::is_some) else { return };
        for (other, theirs, _) in items {
            let (Some(Some(one)), Some(Some(two))) = (key.get(side), theirs.get(side)) else { continue };
            let same = self.equal(one, two);
            // A constant is left out even where it is not in the set: who asks for it asks its own item.
            let is_constant = matches!(two, Sym::Text(choice) if matches!(choice[..], [(F::TRUE, Word::Known(_))]))
                || matches!(two, Sym::Number(choice) if matches!(&choice[..], [(F::TRUE, sum)] if sum.as_constant().is_some()))
                || matches!(two, Sym::Entity(choice) if matches!(choice[..], [(F::TRUE, _)]));
            let both = if is_constant { there } else { self.cx.formulas.both(there, *other) };
            let axiom = self.cx.formulas.implies(both, !same);
            self.axioms.push(axiom);
        }
    }

    /// All values of a type that has few.
    fn all_values(&mut self, types: &Types<'_>) -> Option<Vec<PerSide>> {
        let per_side = |value: Sym| -> PerSide { types.iter().map(|ty| ty.map(|_| value.clone())).collect() };
        match types.iter().flatten().next()? {
            Type::Bool => Some([false, true].map(|value| per_side(Sym::Bool(F::constant(value)))).into()),
            Type::Enum(_) => {
                let mut names: Vec<Arc<str>> = Vec::new();
                for (side, ty) in types.iter().enumerate() {
                    if let Some(Type::Enum(id)) = ty {
                        let variants = &self.sides[side].enums[id.index()].variants;
                        names.extend(variants.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
                    }
                }
                Some(names.into_iter().map(|name| per_side(Sym::Variant(vec![(F::TRUE, name)]))).collect())
            }
            _ => None,
        }
    }

    /// A constant as a value.
    pub(super) fn constant(&mut self, known: &Known) -> Sym {
        match known {
            Known::Text(word) => Sym::text(word),
            Known::Number(value) => Sym::number(*value),
            Known::Entity(ty, id) => Sym::Entity(vec![(F::TRUE, self.named(ty.clone(), id))]),
        }
    }
}

const KEY: Type = Type::String(crate::base::limits::STRING_DEFAULT_BYTES_MAX);

fn strip(ty: &Type) -> &Type {
    match ty {
        Type::Optional(inner) => inner,
        ty => ty,
    }
}

/// Whether a value that is known is one of a type.
fn takes(policy: &TypedPolicy, ty: &Type, value: &Sym) -> bool {
    match (strip(ty), value) {
        (Type::Int(interval), Sym::Number(choice)) => choice.iter().all(|(_, sum)| {
            sum.as_constant().is_none_or(|value| (interval.low.into()..=interval.high.into()).contains(&value))
        }),
        (Type::String(max), Sym::Text(choice)) => choice.iter().all(|(_, word)| match word {
            Word::Known(word) => word.len() <= *max as usize,
            Word::Variable(_) => true,
        }),
        (Type::Enum(of), Sym::Variant(choice)) => {
            let variants = &policy.enums[of.index()].variants;
            choice.iter().all(|(_, name)| variants.contains(name))
        }
        _ => true,
    }
}

/// Whether the sides declare a type differently, and so may not take the same values.
pub fn differ(sides: &[&TypedPolicy], types: &Types<'_>) -> bool {
    let [Some(old), Some(new)] = types else { return false };
    let &[before, after] = sides else { return false };
    differs([before, after], [old, new])
}

fn differs(sides: [&TypedPolicy; 2], types: [&Type; 2]) -> bool {
    match types {
        [Type::Enum(old), Type::Enum(new)] => {
            let of = |side: usize, id: EnumId| sides[side].enums[id.index()].variants.iter().collect::<BTreeSet<_>>();
            of(0, *old) != of(1, *new)
        }
        [Type::Record(old), Type::Record(new)] => {
            let fields = |side: usize, id: RecordId| &sides[side].records[id.index()].fields;
            let (old, new) = (fields(0, *old), fields(1, *new));
            old.len() != new.len()
                || old
                    .iter()
                    .zip(new)
                    .any(|(one, other)| one.name != other.name || differs(sides, [&one.ty, &other.ty]))
        }
        [Type::Entity(old), Type::Entity(new)] => {
            let of = |side: usize, ids: &[EntityTypeId]| -> BTreeSet<Arc<str>> {
                ids.iter().map(|id| sides[side].entity_types[id.index()].wire.clone()).collect()
            };
            of(0, old) != of(1, new)
        }
        [Type::Set(old, most), Type::Set(new, other)]
        | [Type::List(old, most), Type::List(new, other)]
        | [Type::Map(old, most), Type::Map(new, other)] => most != other || differs(sides, [old, new]),
        [Type::Optional(old), Type::Optional(new)] => differs(sides, [old, new]),
        [old, new] => old != new,
    }
}

/// Types of one kind have values in common.
fn kind(ty: &Type) -> u8 {
    match strip(ty) {
        Type::Bool => 0,
        Type::Int(_) => 1,
        Type::Decimal => 2,
        Type::String(_) => 3,
        Type::Duration => 4,
        Type::Timestamp => 5,
        Type::IpAddr => 6,
        Type::IpNet => 7,
        Type::Url => 8,
        Type::Path => 9,
        Type::Enum(_) => 10,
        Type::Record(_) => 11,
        Type::Entity(_) => 12,
        Type::Set(..) => 13,
        Type::List(..) => 14,
        Type::Map(..) => 15,
        Type::Optional(_) | Type::Unknown => 16,
    }
}
