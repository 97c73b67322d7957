//! Patterns of tables and of `match`, and the reports of missing and hidden rows.

use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, Literal, PatternKind};
use crate::types::exhaustive::{Column, Report};
use crate::types::expr::literals::constant;
use crate::types::expr::{Checked, Checker, faults};
use crate::types::relate;
use crate::types::ty::Type;
use crate::types::typed::{Const, Pattern};
use crate::types::world::Definition;

impl<'w> Checker<'_, 'w> {
    /// A pattern for values of a type; of a faulty one nothing.
    pub fn pattern(&mut self, pattern: &ast::Pattern, ty: &Type) -> Option<Pattern> {
        let span = pattern.span;
        if *ty == Type::Unknown {
            return None;
        }
        match &pattern.kind {
            PatternKind::Any => Some(Pattern::Any),
            PatternKind::Or(patterns) => {
                let patterns: Vec<Option<Pattern>> = patterns.iter().map(|pattern| self.pattern(pattern, ty)).collect();
                patterns.into_iter().collect::<Option<Vec<_>>>().map(Pattern::Or)
            }
            PatternKind::Present | PatternKind::Absent => {
                if !matches!(ty, Type::Optional(_)) {
                    let ty = self.world().show_plain(ty);
                    return self.bad(
                        Diagnostic::error(Code::BadPattern, span, format!("`{ty}` is always there"))
                            .label("only an optional is present or absent"),
                    );
                }
                Some(if matches!(pattern.kind, PatternKind::Present) { Pattern::Present } else { Pattern::Absent })
            }
            PatternKind::Error => None,
            _ if matches!(ty, Type::Optional(_)) => self.bad(
                Diagnostic::error(Code::BadPattern, span, "the value of an optional can't be matched directly")
                    .label("may be absent")
                    .help("match `present` and `absent`, or give a default first: `match x ?? … { … }`"),
            ),
            PatternKind::Name(path) => self.named_pattern(path, ty),
            PatternKind::Literal(literal) => {
                let value = self.pattern_value(literal, span, ty)?;
                Some(Pattern::Const(value))
            }
            PatternKind::Range(low, high) => self.range_pattern(low.as_ref(), high.as_ref(), span, ty),
        }
    }

    fn bad(&mut self, diagnostic: Diagnostic) -> Option<Pattern> {
        self.fail(diagnostic);
        None
    }

    fn named_pattern(&mut self, path: &ast::Path, ty: &Type) -> Option<Pattern> {
        let names: Vec<&ast::Name> = path.parts.iter().collect();
        if let ([name], Type::Enum(id)) = (names.as_slice(), ty)
            && let Some(variant) = self.world().variant(*id, &name.text)
        {
            return Some(Pattern::Const(Const::Enum(*id, variant)));
        }
        let found = match self.world().lookup_prefix(self.module, &names) {
            Some((Definition::Enum(id), used)) if used + 1 == names.len() => {
                match self.world().variant(id, &names[used].text) {
                    Some(variant) => Checked::constant(Const::Enum(id, variant), Type::Enum(id), path.span),
                    None => self.unknown_variant(id, names[used]),
                }
            }
            Some((Definition::Const(id), used)) if used == names.len() => {
                let def = &self.world().constants[id.0 as usize];
                match &def.value {
                    Some(value) => Checked::constant(value.clone(), def.ty.clone(), path.span),
                    None => return None,
                }
            }
            Some((definition, _)) => {
                let message = format!(
                    "`{}` is {}, which is no pattern",
                    crate::types::world::dotted(&path.parts),
                    definition.sort()
                );
                return self.bad(
                    Diagnostic::error(Code::BadPattern, path.span, message)
                        .label("not constant")
                        .help("a pattern is a variant, a literal, a range, a constant or `_`"),
                );
            }
            None => match (ty, path.parts.last()) {
                (Type::Enum(id), Some(last)) => self.unknown_variant(*id, last),
                _ => {
                    let message = format!("there is no constant `{}` here", crate::types::world::dotted(&path.parts));
                    return self.bad(Diagnostic::error(Code::UnknownName, path.span, message).label("not found"));
                }
            },
        };
        let value = self.pattern_of_type(found, ty)?;
        Some(Pattern::Const(value))
    }

    fn pattern_value(&mut self, literal: &Literal, span: Span, ty: &Type) -> Option<Const> {
        match constant(literal, span) {
            Ok((value, found)) => self.pattern_of_type(Checked::constant(value, found, span), ty),
            Err(diagnostic) => {
                self.fail(*diagnostic);
                None
            }
        }
    }

    fn pattern_of_type(&mut self, found: Checked, ty: &Type) -> Option<Const> {
        if found.is_unknown() {
            return None;
        }
        let ok = match (&found.expr.ty, ty, found.value()) {
            (Type::Int(_), Type::Int(allowed), Some(Const::Int(value))) => {
                if !(allowed.low..=allowed.high).contains(value) {
                    let fault = faults::out_of_range(found.expr.span, *allowed, *allowed, false);
                    let message =
                        format!("{value} is not in {}, so this is never matched", relate::show_interval(*allowed));
                    self.fail(Diagnostic { message, help: Vec::new(), ..fault }.label("never matched"));
                    return None;
                }
                true
            }
            (found, ty, _) => relate::alike(found, ty),
        };
        if ok {
            return found.value().cloned();
        }
        if matches!((&found.expr.ty, ty), (Type::Int(_), Type::Decimal)) {
            let fault = faults::mixed_numbers(&found, "a Decimal is matched here");
            self.fail(fault);
            return None;
        }
        let (one, two) = (self.world().show_plain(&found.expr.ty), self.world().show_plain(ty));
        self.fail(
            Diagnostic::error(
                Code::BadPattern,
                found.expr.span,
                format!("`{two}` is matched here, but this is `{one}`"),
            )
            .label(format!("`{one}`")),
        );
        None
    }

    fn range_pattern(
        &mut self,
        low: Option<&Literal>,
        high: Option<&Literal>,
        span: Span,
        ty: &Type,
    ) -> Option<Pattern> {
        if !matches!(ty, Type::Int(_) | Type::Decimal | Type::Duration | Type::Timestamp) {
            let ty = self.world().show_plain(ty);
            return self.bad(
                Diagnostic::error(Code::BadPattern, span, format!("`{ty}` has no ranges"))
                    .label("a range")
                    .help("name the values, with `|` between them"),
            );
        }
        // Bounds may lie outside of the type's own: then there is just no more in the range.
        let full = match ty {
            Type::Int(_) => Type::Int(crate::types::ty::Interval::FULL),
            other => other.clone(),
        };
        let mut bound = |literal: Option<&Literal>| match literal {
            Some(literal) => self.pattern_value(literal, span, &full).map(Some),
            None => Some(None),
        };
        let low = bound(low);
        let high = bound(high);
        let (low, high) = (low?, high?);
        if let (Some(low), Some(high)) = (&low, &high)
            && low > high
        {
            return self.bad(
                Diagnostic::error(Code::BadPattern, span, "nothing is in this range")
                    .label("empty")
                    .help("write the smaller bound first"),
            );
        }
        if let Type::Int(allowed) = ty {
            let end = |bound: &Option<Const>, open| match bound {
                Some(Const::Int(value)) => *value,
                _ => open,
            };
            if end(&low, allowed.low) > allowed.high || end(&high, allowed.high) < allowed.low {
                let message = format!("nothing in {} is in this range", relate::show_interval(*allowed));
                return self.bad(Diagnostic::error(Code::BadPattern, span, message).label("never matched"));
            }
        }
        Some(Pattern::Range(low, high))
    }

    /// What a column of a type ranges over.
    #[must_use]
    pub fn column(&self, ty: &Type) -> Column<'w> {
        match ty {
            Type::Bool => Column::Bool,
            Type::Enum(id) => Column::Enum(&self.world().enums[id.index()].variants),
            Type::Int(interval) => Column::Int(*interval),
            Type::Decimal => Column::Decimal,
            Type::Duration => Column::Duration,
            Type::Timestamp => Column::Timestamp,
            Type::Optional(_) => Column::Optional,
            _ => Column::Open,
        }
    }

    /// Reports missing and hidden rows. `above` rows stand for what can't be there; `word` is `row` or `arm`.
    pub fn report_rows(&mut self, report: &Report, above: usize, spans: &[Span], whole: Span, word: &str) {
        let what = if word == "arm" { "`match`" } else { "table" };
        if report.gave_up {
            self.fail(
                Diagnostic::error(Code::TooEntangled, whole, format!("this {what} is too entangled to be checked"))
                    .help("split it into several, or use fewer overlapping patterns"),
            );
            return;
        }
        if let Some((first, others)) = report.missing.split_first() {
            let mut fault = Diagnostic::error(
                Code::NotExhaustive,
                whole,
                format!("no {word} of this {what} covers `{}`", first.join(", ")),
            )
            .label("not all cases are covered");
            if !others.is_empty() {
                let others: Vec<String> = others.iter().map(|other| format!("`{}`", other.join(", "))).collect();
                fault = fault.help(format!("missing as well: {}", others.join("; ")));
            }
            self.fail(fault.help(format!("add `{} => …,`", first.join(", "))));
        }
        for (row, hiders) in &report.hidden {
            let Some(span) = row.checked_sub(above).and_then(|row| spans.get(row)) else { continue };
            let mut fault = Diagnostic::error(Code::HiddenRow, *span, format!("this {word} can never be reached"));
            let visible: Vec<&Span> = hiders.iter().filter_map(|hider| spans.get(hider.checked_sub(above)?)).collect();
            fault = fault.label(if visible.is_empty() { "can't be the value here" } else { "never reached" });
            for hider in visible.iter().take(4) {
                let text = if visible.len() == 1 {
                    "all its cases are taken here"
                } else {
                    "some of its cases are taken here"
                };
                fault = fault.secondary(**hider, text);
            }
            self.fail(fault.help(format!("remove it, or move it above the {word} that takes its cases")));
        }
    }

    /// A constant as a source would write it, shortly.
    #[must_use]
    pub fn show_const(&self, value: &Const) -> String {
        match value {
            Const::Absent => "absent".to_owned(),
            Const::Bool(value) => value.to_string(),
            Const::Int(value) => value.to_string(),
            Const::Decimal(value) => value.to_string(),
            Const::String(text) => format!("\"{text}\""),
            Const::Duration(value) => value.to_string(),
            Const::Timestamp(value) => format!("timestamp\"{value}\""),
            Const::Enum(id, variant) => self.world().enums[id.index()]
                .variants
                .get(*variant as usize)
                .map_or_else(String::new, ToString::to_string),
            Const::Entity(ty, id) => format!("{}::\"{id}\"", self.world().entity_types[ty.index()].name),
            _ => "a constant".to_owned(),
        }
    }
}
