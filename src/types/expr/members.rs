//! Members: attributes of entities, fields of records, and what builtin types offer; `a[b]`.

use crate::base::limits::{PATH_BYTES_MAX, STRING_DEFAULT_BYTES_MAX, URL_BYTES_MAX};
use crate::base::span::Span;
use crate::data::similar::best_match;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::types::expr::names::some_lack;
use crate::types::expr::{Checked, Checker, faults};
use crate::types::interval;
use crate::types::operator::Operator;
use crate::types::relate;
use crate::types::ty::{Interval, Type};
use crate::types::typed::{EntityTypeId, Expr, ExprKind};

impl Checker<'_, '_> {
    /// `base.name`
    pub(super) fn member(&mut self, base: Checked, name: &ast::Name, span: Span) -> Checked {
        let base = self.present(base);
        match base.expr.ty.clone() {
            Type::Unknown => Checked::unknown(span),
            Type::Entity(types) => self.attribute(base, &types, name, span),
            Type::Record(id) => {
                let Some((place, field)) = self.world().record_field(id, name, self.session.sink) else {
                    return Checked::unknown(span);
                };
                let ty = field.ty.clone();
                if let Some(crate::types::typed::Const::Record(_, values)) = base.value() {
                    let value = values.get(place as usize).cloned();
                    return value.map_or(Checked::unknown(span), |value| self.folded(value, &ty, span));
                }
                let fallible = base.expr.fallible;
                self.narrowed(Expr { kind: ExprKind::Field(Box::new(base.expr), place), ty, span, fallible })
            }
            ty => match builtin(&ty, &name.text) {
                Some((operator, result)) => self.operate(operator, vec![base.expr], result, span, false),
                None => self.unknown_member(&ty, name),
            },
        }
    }

    fn attribute(&mut self, base: Checked, types: &[EntityTypeId], name: &ast::Name, span: Span) -> Checked {
        let world = self.world();
        let declared = types.first().is_some_and(|ty| world.attribute(*ty, &name.text).is_some());
        if &*name.text == "id" && !declared {
            let ty = Type::String(STRING_DEFAULT_BYTES_MAX);
            return self.operate(Operator::EntityId, vec![base.expr], ty, span, false);
        }
        let Some((first, rest)) = types.split_first() else {
            return self.fail(
                Diagnostic::error(Code::UnknownMember, name.span, "of an entity of any type only `id` can be read")
                    .label("not known")
                    .help("ask for its type first: `… is Type and …`"),
            );
        };
        if base.value().is_some() {
            return self.fail(
                Diagnostic::error(Code::LiteralAttribute, span, "attributes of an entity that the policy names can't be read")
                    .label("not part of the request")
                    .help("a rule sees the subject, the resource and what the context refers to; an entity named here serves `==` and `in`"),
            );
        }
        let lacking: Vec<EntityTypeId> =
            types.iter().copied().filter(|ty| world.attribute(*ty, &name.text).is_none()).collect();
        if lacking.len() == types.len() {
            world.entity_attribute(*first, name, self.session.sink);
            return Checked::unknown(span);
        }
        if !lacking.is_empty() {
            let names = lacking.iter().map(|ty| &*world.entity_types[ty.index()].name);
            let fault = some_lack(name, "attribute", types.len(), names);
            let has = types.iter().find(|ty| !lacking.contains(ty)).unwrap_or(first);
            let has = &world.entity_types[has.index()].name;
            let value = self.describe(&base.expr).unwrap_or_else(|| "…".to_owned());
            return self.fail(fault.help(format!("ask for the type first: `{value} is {has} and …`")));
        }
        let Some(field) = world.attribute(*first, &name.text) else { return Checked::unknown(span) };
        let mut ty = field.ty.clone();
        for other in rest.iter().filter_map(|other| world.attribute(*other, &name.text)) {
            match relate::join(&ty, &other.ty) {
                Some(joined) => ty = joined,
                None => {
                    let what = format!("`{}` has different types in the types this can be of", name.text);
                    let (one, two) = (world.show_plain(&field.ty), world.show_plain(&other.ty));
                    return self.fail(
                        Diagnostic::error(Code::DifferentInActions, name.span, what)
                            .label("of which type?")
                            .secondary(field.span, format!("`{one}` here"))
                            .secondary(other.span, format!("`{two}` here"))
                            .help("ask for the type first: `… is Type and …`"),
                    );
                }
            }
        }
        let fallible = base.expr.fallible;
        self.narrowed(Expr { kind: ExprKind::Attribute(Box::new(base.expr), name.text.clone()), ty, span, fallible })
    }

    fn unknown_member(&mut self, ty: &Type, name: &ast::Name) -> Checked {
        let known = members_of(ty);
        let mut fault = Diagnostic::error(
            Code::UnknownMember,
            name.span,
            format!("`{}` has no member `{}`", self.world().show_plain(ty), name.text),
        )
        .label("not known");
        if let Some(best) = best_match(&name.text, known.iter().copied()) {
            fault = fault.help(format!("did you mean `{best}`?")).fix(name.span, best);
        } else if known.is_empty() {
            fault = fault.help("it has none at all");
        } else {
            fault = fault.help(format!("it has `{}`", known.join("`, `")));
        }
        self.fail(fault)
    }

    /// `base[at]`
    pub(super) fn index(&mut self, base: &ast::Expr, at: &ast::Expr, span: Span) -> Checked {
        let base = self.infer(base, None);
        let base = self.present(base);
        let (operator, key, element) = match &base.expr.ty {
            Type::Unknown => {
                self.infer(at, None);
                return Checked::unknown(span);
            }
            Type::List(element, _) => (Operator::ListGet, Type::Int(Interval::FULL), element.clone()),
            Type::Map(value, _) => (Operator::MapGet, Type::String(u32::MAX), value.clone()),
            _ => {
                let fault = faults::no_operator(self.world(), "[…]", span, &[&base], "not a list or map")
                    .help("only lists and maps have elements to pick; for a set use `contains`");
                self.infer(at, None);
                return self.fail(fault);
            }
        };
        let at = self.check(at, &key);
        if at.is_unknown() {
            return Checked::unknown(span);
        }
        self.operate(operator, vec![base.expr, at.expr], Type::Optional(element), span, false)
    }
}

fn int(low: i64, high: i64) -> Type {
    Type::Int(Interval { low, high })
}

fn optional(ty: Type) -> Type {
    Type::Optional(Box::new(ty))
}

// The operator and the type of a member of a builtin type.
fn builtin(ty: &Type, name: &str) -> Option<(Operator, Type)> {
    use Operator as Op;
    let url_text = || Type::String(URL_BYTES_MAX as u32);
    let path_text = || Type::String(PATH_BYTES_MAX as u32);
    Some(match (ty, name) {
        (Type::String(max), "length") => (Op::StringLength, Type::Int(interval::size(*max))),
        (Type::Set(_, max) | Type::List(_, max) | Type::Map(_, max), "size") => {
            (Op::Size, Type::Int(interval::size(*max)))
        }
        (Type::Timestamp, "year") => (Op::TimestampYear, int(0, 9999)),
        (Type::Timestamp, "month") => (Op::TimestampMonth, int(1, 12)),
        (Type::Timestamp, "day") => (Op::TimestampDay, int(1, 31)),
        (Type::Timestamp, "hour") => (Op::TimestampHour, int(0, 23)),
        (Type::Timestamp, "minute") => (Op::TimestampMinute, int(0, 59)),
        (Type::Timestamp, "second") => (Op::TimestampSecond, int(0, 59)),
        (Type::Timestamp, "weekday") => (Op::TimestampWeekday, int(1, 7)),
        (Type::IpAddr, "is_loopback") => (Op::IpIsLoopback, Type::Bool),
        (Type::IpAddr, "is_private") => (Op::IpIsPrivate, Type::Bool),
        (Type::IpAddr, "is_link_local") => (Op::IpIsLinkLocal, Type::Bool),
        (Type::IpAddr, "is_multicast") => (Op::IpIsMulticast, Type::Bool),
        (Type::IpAddr, "is_unspecified") => (Op::IpIsUnspecified, Type::Bool),
        (Type::IpAddr, "is_global") => (Op::IpIsGlobal, Type::Bool),
        (Type::IpAddr, "is_v6") => (Op::IpIsV6, Type::Bool),
        (Type::Url, "scheme") => (Op::UrlScheme, url_text()),
        (Type::Url, "host") => (Op::UrlHost, url_text()),
        (Type::Url, "port") => (Op::UrlPort, optional(int(0, 65_535))),
        (Type::Url, "path") => (Op::UrlPath, url_text()),
        (Type::Url, "query") => (Op::UrlQuery, optional(url_text())),
        (Type::Url, "fragment") => (Op::UrlFragment, optional(url_text())),
        (Type::Url, "has_credentials") => (Op::UrlHasCredentials, Type::Bool),
        (Type::Url, "address") => (Op::UrlHostAddress, optional(Type::IpAddr)),
        (Type::Url, "text") => (Op::UrlText, url_text()),
        (Type::Path, "name") => (Op::PathName, path_text()),
        (Type::Path, "extension") => (Op::PathExtension, optional(path_text())),
        (Type::Path, "parent") => (Op::PathParent, optional(Type::Path)),
        (Type::Path, "text") => (Op::PathText, path_text()),
        (Type::Path, "depth") => (Op::PathDepth, int(0, PATH_BYTES_MAX as i64)),
        _ => return None,
    })
}

fn members_of(ty: &Type) -> &'static [&'static str] {
    match ty {
        Type::String(_) => &["length"],
        Type::Set(..) | Type::List(..) | Type::Map(..) => &["size"],
        Type::Timestamp => &["year", "month", "day", "hour", "minute", "second", "weekday"],
        Type::IpAddr => {
            &["is_loopback", "is_private", "is_link_local", "is_multicast", "is_unspecified", "is_global", "is_v6"]
        }
        Type::Url => &["scheme", "host", "port", "path", "query", "fragment", "has_credentials", "address", "text"],
        Type::Path => &["name", "extension", "parent", "text", "depth"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_are_listed_are_there() {
        let string = || Box::new(Type::Bool);
        let types = [
            Type::String(9),
            Type::Set(string(), 4),
            Type::List(string(), 4),
            Type::Map(string(), 4),
            Type::Timestamp,
            Type::IpAddr,
            Type::Url,
            Type::Path,
        ];
        for ty in types {
            for name in members_of(&ty) {
                assert!(builtin(&ty, name).is_some(), "{ty:?} has `{name}`");
            }
        }
    }
}
