//! Collections and records written out.

use std::sync::Arc;

use crate::base::limits::COLLECTION_MAX;
use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::types::expr::{Checked, Checker};
use crate::types::relate;
use crate::types::ty::Type;
use crate::types::typed::{Const, Expr, ExprKind, RecordId};

impl Checker<'_, '_> {
    /// `{ a, b }`
    pub(super) fn set(&mut self, items: &[ast::Expr], span: Span, expected: Option<&Type>) -> Checked {
        let hint = match expected.map(relate::inner) {
            Some(Type::Set(element, _)) => Some(&**element),
            _ => None,
        };
        let Some((items, element)) = self.elements(items, hint) else { return Checked::unknown(span) };
        if let Type::Record(_) | Type::Set(..) | Type::List(..) | Type::Map(..) = element {
            let what = self.world().show_plain(&element);
            return self.fail(
                Diagnostic::error(Code::BadElement, span, format!("a set can't hold `{what}`"))
                    .help("use a list: `[…]`"),
            );
        }
        self.report_repeated(&items);
        let Some(max) = self.size(items.len(), span) else { return Checked::unknown(span) };
        let ty = Type::Set(Box::new(element), max);
        match constants(&items) {
            Some(mut values) => {
                values.sort();
                values.dedup();
                Checked::constant(Const::Set(values), ty, span)
            }
            None => many(items, ty, span, ExprKind::Set),
        }
    }

    /// `[ a, b ]`
    pub(super) fn list(&mut self, items: &[ast::Expr], span: Span, expected: Option<&Type>) -> Checked {
        let hint = match expected.map(relate::inner) {
            Some(Type::List(element, _)) => Some(&**element),
            _ => None,
        };
        if items.is_empty() {
            return match hint {
                Some(element) => {
                    Checked::constant(Const::List(Vec::new()), Type::List(Box::new(element.clone()), 0), span)
                }
                None => self.needs_type(span, "an empty list"),
            };
        }
        let Some((items, element)) = self.elements(items, hint) else { return Checked::unknown(span) };
        let Some(max) = self.size(items.len(), span) else { return Checked::unknown(span) };
        let ty = Type::List(Box::new(element), max);
        match constants(&items) {
            Some(values) => Checked::constant(Const::List(values), ty, span),
            None => many(items, ty, span, ExprKind::List),
        }
    }

    fn needs_type(&mut self, span: Span, what: &str) -> Checked {
        self.fail(
            Diagnostic::error(Code::NeedsType, span, format!("nothing here says of which type {what} is"))
                .label("of which type?")
                .help("give the `let`, the parameter or the constant that holds it a type"),
        )
    }

    // Elements and their common type; of faulty ones nothing.
    fn elements(&mut self, items: &[ast::Expr], hint: Option<&Type>) -> Option<(Vec<Checked>, Type)> {
        let mut checked: Vec<Checked> = Vec::with_capacity(items.len());
        let mut common: Option<Type> = None;
        let mut good = true;
        for item in items {
            let found = self.infer(item, hint.or(common.as_ref()));
            let found = self.present(found);
            if found.is_unknown() {
                good = false;
                continue;
            }
            let joined = match &common {
                None => Some(found.expr.ty.clone()),
                Some(common) => relate::join(common, &found.expr.ty),
            };
            match joined {
                Some(joined) => common = Some(joined),
                None => {
                    if let Some(common) = &common {
                        self.coerce(found, common);
                    }
                    good = false;
                    continue;
                }
            }
            checked.push(found);
        }
        if good { Some((checked, common?)) } else { None }
    }

    fn report_repeated(&mut self, items: &[Checked]) {
        let mut seen: std::collections::HashMap<&Const, Span> = std::collections::HashMap::new();
        for item in items {
            let Some(value) = item.value() else { continue };
            if let Some(first) = seen.get(value) {
                self.session.sink.push(
                    Diagnostic::error(Code::Repeated, item.expr.span, "this element is there twice")
                        .label("again")
                        .secondary(*first, "first here")
                        .help("a set has each element once"),
                );
            } else {
                seen.insert(value, item.expr.span);
            }
        }
    }

    fn size(&mut self, count: usize, span: Span) -> Option<u32> {
        let size = u32::try_from(count).ok().filter(|size| *size <= COLLECTION_MAX);
        if size.is_none() {
            let message = format!("a collection has at most {COLLECTION_MAX} elements, and this has {count}");
            self.fail(Diagnostic::error(Code::BoundExceeded, span, message));
        }
        size
    }

    /// `{ "a": 1 }`
    pub(super) fn map(&mut self, entries: &[(ast::Expr, ast::Expr)], span: Span, expected: Option<&Type>) -> Checked {
        let hint = match expected.map(relate::inner) {
            Some(Type::Map(value, _)) => Some(&**value),
            _ => None,
        };
        let mut keys: Vec<(Arc<str>, Span)> = Vec::new();
        for (key, _) in entries {
            let key = self.check(key, &Type::String(u32::MAX));
            let key_span = key.expr.span;
            match key.value() {
                Some(Const::String(text)) => {
                    if let Some((_, first)) = keys.iter().find(|(known, _)| known == text) {
                        let first = *first;
                        self.fail(
                            Diagnostic::error(Code::Repeated, key_span, format!("the key `{text}` is there twice"))
                                .label("again")
                                .secondary(first, "first here"),
                        );
                        continue;
                    }
                    keys.push((text.clone(), key_span));
                }
                _ if key.is_unknown() => (),
                _ => {
                    self.fail(
                        Diagnostic::error(Code::NotConstant, key_span, "the keys of a map have to be constant")
                            .label("not constant"),
                    );
                }
            }
        }
        let values: Vec<ast::Expr> = entries.iter().map(|(_, value)| value.clone()).collect();
        let Some((values, element)) = self.elements(&values, hint) else { return Checked::unknown(span) };
        let Some(max) = self.size(entries.len(), span) else { return Checked::unknown(span) };
        if keys.len() != values.len() {
            return Checked::unknown(span);
        }
        let ty = Type::Map(Box::new(element), max);
        let mut pairs: Vec<(Arc<str>, Checked)> = keys.into_iter().map(|(key, _)| key).zip(values).collect();
        pairs.sort_by(|left, right| left.0.cmp(&right.0));
        if pairs.iter().all(|(_, value)| value.value().is_some()) {
            let pairs = pairs.iter().filter_map(|(key, value)| Some((key.clone(), value.value()?.clone()))).collect();
            return Checked::constant(Const::Map(pairs), ty, span);
        }
        let fallible = pairs.iter().any(|(_, value)| value.expr.fallible);
        let pairs = pairs.into_iter().map(|(key, value)| (key, value.expr)).collect();
        Expr { kind: ExprKind::Map(pairs), ty, span, fallible }.into()
    }

    /// `{}`
    pub(super) fn empty_braces(&mut self, span: Span, expected: Option<&Type>) -> Checked {
        match expected.map(relate::inner) {
            Some(Type::Set(element, _)) => {
                Checked::constant(Const::Set(Vec::new()), Type::Set(element.clone(), 0), span)
            }
            Some(Type::Map(value, _)) => Checked::constant(Const::Map(Vec::new()), Type::Map(value.clone(), 0), span),
            Some(Type::Record(id)) => self.record_of(*id, &[], span),
            Some(Type::Unknown) => Checked::unknown(span),
            Some(other) => {
                let other = self.world().show_plain(other);
                self.fail(
                    Diagnostic::error(
                        Code::TypeMismatch,
                        span,
                        format!("`{other}` is needed here, but this is an empty collection"),
                    )
                    .label("empty"),
                )
            }
            None => self.needs_type(span, "`{}`"),
        }
    }

    /// `{ a: 1, b: 2 }`
    pub(super) fn record(&mut self, fields: &[ast::FieldValue], span: Span, expected: Option<&Type>) -> Checked {
        match expected.map(relate::inner) {
            Some(Type::Record(id)) => self.record_of(*id, fields, span),
            other => {
                for field in fields {
                    self.infer(&field.value, None);
                }
                match other {
                    Some(Type::Unknown) => Checked::unknown(span),
                    Some(Type::Map(..)) => self.fail(
                        Diagnostic::error(Code::TypeMismatch, span, "a map is needed here, but this is a record")
                            .label("names before the colons")
                            .help("write the keys of a map as strings: `{ \"key\": value }`"),
                    ),
                    Some(ty) => {
                        let ty = self.world().show_plain(ty);
                        self.fail(
                            Diagnostic::error(
                                Code::TypeMismatch,
                                span,
                                format!("`{ty}` is needed here, but this is a record"),
                            )
                            .label("a record"),
                        )
                    }
                    None => self.needs_type(span, "this record"),
                }
            }
        }
    }

    fn record_of(&mut self, id: RecordId, fields: &[ast::FieldValue], span: Span) -> Checked {
        let world = self.world();
        let def = &world.records[id.index()];
        let mut values: Vec<Option<(Checked, Span)>> = vec![None; def.fields.len()];
        let mut good = true;
        for field in fields {
            let Some((place, declared)) = world.record_field(id, &field.name, self.session.sink) else {
                self.infer(&field.value, None);
                good = false;
                continue;
            };
            let value = self.check(&field.value, &declared.ty);
            good &= !value.is_unknown();
            if let Some((_, first)) = &values[place as usize] {
                let message = format!("`{}` is given twice", field.name.text);
                let first = *first;
                self.fail(
                    Diagnostic::error(Code::Repeated, field.name.span, message)
                        .label("again")
                        .secondary(first, "first here"),
                );
                good = false;
            }
            values[place as usize] = Some((value, field.name.span));
        }
        let lacking: Vec<String> = def
            .fields
            .iter()
            .zip(&values)
            .filter(|(field, value)| value.is_none() && !matches!(field.ty, Type::Optional(_) | Type::Unknown))
            .map(|(field, _)| format!("`{}`", field.name))
            .collect();
        if !lacking.is_empty() {
            let message = format!(
                "{} of record `{}` {} not given",
                lacking.join(", "),
                def.name,
                if lacking.len() == 1 { "is" } else { "are" }
            );
            return self.fail(
                Diagnostic::error(Code::MissingField, span, message)
                    .label("incomplete")
                    .secondary(def.span, "declared here"),
            );
        }
        if !good {
            return Checked::unknown(span);
        }
        let absent = |at: usize| Checked::constant(Const::Absent, def.fields[at].ty.clone(), span);
        let values: Vec<Checked> = values
            .into_iter()
            .enumerate()
            .map(|(at, value)| value.map_or_else(|| absent(at), |(value, _)| value))
            .collect();
        let ty = Type::Record(id);
        match constants(&values) {
            Some(values) => Checked::constant(Const::Record(id, values), ty, span),
            None => many(values, ty, span, |values| ExprKind::Record(id, values)),
        }
    }
}

fn constants(items: &[Checked]) -> Option<Vec<Const>> {
    items.iter().map(|item| item.value().cloned()).collect()
}

fn many(items: Vec<Checked>, ty: Type, span: Span, kind: impl FnOnce(Vec<Expr>) -> ExprKind) -> Checked {
    let fallible = items.iter().any(|item| item.expr.fallible);
    let items = items.into_iter().map(|item| item.expr).collect();
    Expr { kind: kind(items), ty, span, fallible }.into()
}
