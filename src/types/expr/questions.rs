//! Questions about a value: `x is …`, `a ?? b`, `text matches …`.

use std::collections::BTreeSet;

use crate::base::span::Span;
use crate::data::pattern::Pattern;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::types::expr::{Checked, Checker, faults};
use crate::types::narrow::{self, Fact, Truth, Values};
use crate::types::operator::Operator;
use crate::types::relate;
use crate::types::resolve::Expected;
use crate::types::ty::Type;
use crate::types::typed::{Const, EntityTypeId, EnumId, Expr, ExprKind, PatternSource};
use crate::types::world::Definition;

impl Checker<'_, '_> {
    /// `value is present`, `… is absent`, `… is initial`, `… is final`, `… is Type`
    pub(super) fn is(&mut self, value: &ast::Expr, what: &ast::Path, span: Span) -> Checked {
        let value = self.infer(value, None);
        match what.parts.as_slice() {
            [word] if &*word.text == "present" => self.is_present(value, span),
            [word] if &*word.text == "absent" => {
                let found = self.is_present(value, span);
                self.negate(found, span)
            }
            [word] if &*word.text == "final" || &*word.text == "initial" => {
                let (value, last) = (self.present(value), &*word.text == "final");
                self.is_state(value, last, span)
            }
            _ => {
                let value = self.present(value);
                self.is_type(value, what, span)
            }
        }
    }

    fn is_present(&mut self, value: Checked, span: Span) -> Checked {
        // What is known to be there is asked for itself, so that asking twice is no fault.
        let expr = match value.expr.kind {
            ExprKind::Narrowed(inner) => *inner,
            _ => value.expr,
        };
        match &expr.ty {
            Type::Unknown => Checked::unknown(span),
            Type::Optional(_) => {
                if let ExprKind::Const(value) = &expr.kind {
                    return Checked::bool(*value != Const::Absent, span);
                }
                let path = narrow::path_of(&expr);
                let truth = self.test(path, Some(Fact::presence(true)), Some(Fact::presence(false)));
                let fallible = expr.fallible;
                let kind = ExprKind::IsPresent(Box::new(expr));
                Checked { expr: Expr { kind, ty: Type::Bool, span, fallible }, truth }
            }
            ty => {
                let ty = self.world().show_plain(ty);
                self.fail(
                    Diagnostic::error(Code::AlwaysPresent, expr.span, "this value is always there")
                        .label(format!("`{ty}`, which is not optional"))
                        .help(format!("leave the question away, or declare it as `{ty}?`")),
                )
            }
        }
    }

    // `final` or `initial`: one of these states.
    fn is_state(&mut self, value: Checked, last: bool, span: Span) -> Checked {
        let word = if last { "is final" } else { "is initial" };
        let Type::Enum(id) = value.expr.ty else {
            return self.no_lifecycle(value, word);
        };
        let Some(lifecycle) = &self.world().enums[id.index()].lifecycle else {
            return self.no_lifecycle(value, word);
        };
        let states: BTreeSet<u32> =
            if last { lifecycle.finals.iter().copied().collect() } else { lifecycle.initial.iter().copied().collect() };
        let set = states.iter().map(|state| Const::Enum(id, *state)).collect();
        let count = states.len() as u32;
        let set = Checked::constant(Const::Set(set), Type::Set(Box::new(Type::Enum(id)), count), span);
        self.contains(Operator::Contains, set, value, span)
    }

    fn no_lifecycle(&mut self, value: Checked, word: &str) -> Checked {
        if value.is_unknown() {
            return value;
        }
        let fault = faults::no_operator(self.world(), word, value.expr.span, &[&value], "not a state of a lifecycle");
        self.fail(fault.help("only the states of a `lifecycle` are initial or final"))
    }

    fn is_type(&mut self, value: Checked, path: &ast::Path, span: Span) -> Checked {
        let Some(Definition::Entity(asked)) =
            self.world().resolve(self.module, path, Expected::Entity, self.session.sink)
        else {
            return Checked::unknown(span);
        };
        let Type::Entity(types) = &value.expr.ty else {
            if value.is_unknown() {
                return Checked::unknown(span);
            }
            let fault = faults::no_operator(self.world(), "is", span, &[&value], "not an entity");
            return self.fail(fault.help("only entities have a type to ask for"));
        };
        let world = self.world();
        let name = &world.entity_types[asked.index()].name;
        // By what is declared the answer has to be open; what conditions say of it may be said again.
        let path = narrow::path_of(&value.expr);
        let open = path.as_ref().and_then(|path| self.known.get(path)).is_some_and(|fact| fact.values != Values::Any);
        if !types.is_empty() && !types.contains(&asked) && !open {
            let fault = Diagnostic::error(Code::AlwaysFalse, span, format!("this can never be of type `{name}`"))
                .label(format!("`{}`", world.show(&value.expr.ty)));
            return self.fail(fault);
        }
        if types.as_slice() == [asked] && !open {
            let fault = Diagnostic::error(Code::AlwaysTrue, span, format!("this is always of type `{name}`"))
                .label("always true")
                .help("leave the question away");
            return self.fail(fault);
        }
        let (never, always) = (!types.is_empty() && !types.contains(&asked), types.as_slice() == [asked]);
        let others: Vec<EntityTypeId> = types.iter().copied().filter(|ty| *ty != asked).collect();
        let yes = Fact::values(Values::Types([asked].into()));
        let no =
            Fact { present: None, values: if others.is_empty() { Values::Any } else { Values::Types(others.into()) } };
        let truth = self.test(path, (!never).then_some(yes), (!always).then_some(no));
        let fallible = value.expr.fallible;
        let kind = ExprKind::IsType(Box::new(value.expr), vec![asked]);
        Checked { expr: Expr { kind, ty: Type::Bool, span, fallible }, truth }
    }

    /// `a ?? b`
    pub(super) fn default(
        &mut self,
        left: &ast::Expr,
        right: &ast::Expr,
        span: Span,
        expected: Option<&Type>,
    ) -> Checked {
        let value = self.infer(left, expected);
        let expr = match value.expr.kind {
            ExprKind::Narrowed(inner) => *inner,
            _ => value.expr,
        };
        let inner = match &expr.ty {
            Type::Unknown => {
                self.infer(right, expected);
                return Checked::unknown(span);
            }
            Type::Optional(inner) => (**inner).clone(),
            ty => {
                let ty = self.world().show_plain(ty);
                self.infer(right, expected);
                return self.fail(
                    Diagnostic::error(
                        Code::AlwaysPresent,
                        expr.span,
                        "this value is always there, its default is never used",
                    )
                    .label(format!("`{ty}`, which is not optional"))
                    .help("leave `??` and what follows it away"),
                );
            }
        };
        let right = self.infer(right, Some(&inner));
        if right.is_unknown() {
            return Checked::unknown(span);
        }
        let Some(ty) = relate::join(&inner, &right.expr.ty) else {
            let right = self.coerce(right, &inner);
            return Checked::unknown(right.expr.span);
        };
        if let ExprKind::Const(value) = &expr.kind {
            return if *value == Const::Absent { right } else { self.folded(value.clone(), &ty, span) };
        }
        let fallible = expr.fallible || right.expr.fallible;
        let kind = ExprKind::Default(Box::new(expr), Box::new(right.expr));
        Expr { kind, ty, span, fallible }.into()
    }

    /// `text matches glob"…"`
    pub(super) fn matches(&mut self, text: &ast::Expr, pattern: &ast::Expr, span: Span) -> Checked {
        let text = self.infer(text, None);
        let text = self.present(text);
        let source = match &pattern.kind {
            ast::ExprKind::Literal(literal) => self.pattern_source(literal, pattern.span),
            ast::ExprKind::Error => return Checked::unknown(span),
            _ => None,
        };
        let Some(source) = source else {
            let fault =
                Diagnostic::error(Code::PatternNotLiteral, pattern.span, "a pattern has to be written out here")
                    .label("not a pattern")
                    .help("write `glob\"…\"` or `regex\"…\"`")
                    .help("for a fixed text use `==`, `starts_with`, `ends_with` or `contains`");
            return self.fail(fault);
        };
        match &text.expr.ty {
            Type::Unknown => return Checked::unknown(span),
            Type::String(_) => (),
            ty => {
                let help = match ty {
                    Type::Url | Type::Path => "compare a part of it (`.host`, `.name`), or all of it: `.text`",
                    _ => "only strings can be matched",
                };
                let fault = faults::no_operator(self.world(), "matches", span, &[&text], "not a string");
                return self.fail(fault.help(help));
            }
        }
        if let Some(Const::String(value)) = text.value() {
            let compiled = match &source {
                PatternSource::Glob(glob) => Pattern::glob(glob),
                PatternSource::Regex(regex) => Pattern::regex(regex),
            };
            return compiled.map_or(Checked::unknown(span), |pattern| Checked::bool(pattern.is_match(value), span));
        }
        let fallible = text.expr.fallible;
        Expr { kind: ExprKind::Matches(Box::new(text.expr), source), ty: Type::Bool, span, fallible }.into()
    }

    /// `not` of something typed.
    pub fn negate(&mut self, found: Checked, span: Span) -> Checked {
        if found.is_unknown() {
            return Checked { truth: found.truth.negated(), ..Checked::unknown(span) };
        }
        let truth = found.truth;
        let operated = self.operate(Operator::Not, vec![found.expr], Type::Bool, span, false);
        Checked { expr: operated.expr, truth: truth.negated() }
    }

    /// `from -> to`, of one lifecycle.
    pub(super) fn steps_to(&mut self, left: &ast::Expr, right: &ast::Expr, at: Span, span: Span) -> Checked {
        let (from, to) = self.same_hint(left, right, None);
        let (from, to) = (self.present(from), self.present(to));
        if from.is_unknown() || to.is_unknown() {
            return Checked::unknown(span);
        }
        let id = match (&from.expr.ty, &to.expr.ty) {
            (Type::Enum(one), Type::Enum(two)) if one == two && self.has_steps(*one) => *one,
            _ => {
                let fault = faults::no_operator(self.world(), "->", at, &[&from, &to], "not states of one lifecycle");
                return self.fail(fault.help("`a -> b` asks whether a `lifecycle` may step from a to b"));
            }
        };
        let steps = self.world().enums[id.index()].lifecycle.as_ref().map(|lifecycle| &lifecycle.steps);
        if let (Some(Const::Enum(_, from)), Some(Const::Enum(_, to)), Some(steps)) = (from.value(), to.value(), steps) {
            return Checked::bool(steps.get(*from as usize).is_some_and(|steps| steps.contains(to)), span);
        }
        let fallible = from.expr.fallible || to.expr.fallible;
        let kind = ExprKind::StepsTo(id, Box::new(from.expr), Box::new(to.expr));
        Checked { expr: Expr { kind, ty: Type::Bool, span, fallible }, truth: Truth::default() }
    }

    fn has_steps(&self, id: EnumId) -> bool {
        self.world().enums[id.index()].lifecycle.is_some()
    }
}
