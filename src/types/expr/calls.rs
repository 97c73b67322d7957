//! Calls of functions, tables and builtin functions, and the quantifiers.

use crate::base::limits::COLLECTION_MAX;
use crate::base::span::Span;
use crate::data::decimal::Decimal;
use crate::data::similar::best_match;
use crate::data::url::is_domain_name;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{self, QuantifierKind};
use crate::types::expr::{Checked, Checker, Place, faults};
use crate::types::interval::{self, Bounds};
use crate::types::narrow::Truth;
use crate::types::operator::Operator;
use crate::types::relate;
use crate::types::resolve::Expected;
use crate::types::ty::{Interval, Type};
use crate::types::typed::{Const, Expr, ExprKind, FunctionId, Quantifier};
use crate::types::world::{Definition, FunctionSignature, dotted};

/// The builtin functions, with what they take.
const BUILTINS: [(&str, usize); 6] =
    [("min", 2), ("max", 2), ("abs", 1), ("decimal", 1), ("truncate", 1), ("host_in", 2)];

/// Words that stand between their operands, and in other languages are called like methods.
const OPERATORS: [&str; 6] = ["contains", "contains_all", "contains_any", "starts_with", "ends_with", "matches"];

impl Checker<'_, '_> {
    /// `f(a, b)`
    pub(super) fn call(
        &mut self,
        path: &ast::Path,
        arguments: &[ast::Expr],
        span: Span,
        expected: Option<&Type>,
    ) -> Checked {
        if let Some(Definition::Function(id)) = self.world().lookup(self.module, path) {
            return self.call_function(id, path, arguments, span);
        }
        if let [only] = path.parts.as_slice()
            && let Some((name, count)) = BUILTINS.iter().find(|(name, _)| **name == *only.text)
        {
            if arguments.len() != *count {
                arguments.iter().for_each(|argument| _ = self.infer(argument, None));
                return self.wrong_count(name, *count, arguments.len(), span, None);
            }
            return self.builtin(name, arguments, span, expected);
        }
        // `url.host_in("good.com")`, the one function that may be written behind its first operand.
        if let Some((last, before)) = path.parts.split_last()
            && &*last.text == "host_in"
            && !before.is_empty()
            && let [domain] = arguments
        {
            let url = before.iter().cloned().map(name_expr).reduce(|base, name| {
                let span = base.span.to(name.span);
                match name.kind {
                    ast::ExprKind::Name(name) => ast::Expr { kind: ast::ExprKind::Field(Box::new(base), name), span },
                    _ => base,
                }
            });
            if let Some(url) = url {
                let url = self.infer(&url, None);
                return self.host_in(url, domain, span);
            }
        }
        if let [before @ .., last] = path.parts.as_slice()
            && !before.is_empty()
            && OPERATORS.contains(&&*last.text)
        {
            let message = format!("`{}` is an operator, not a function", last.text);
            return self.fail(
                Diagnostic::error(Code::UnknownName, path.span, message)
                    .label("it stands between its operands")
                    .help(format!("write `{} {} …`", dotted(before), last.text)),
            );
        }
        arguments.iter().for_each(|argument| _ = self.infer(argument, None));
        if let [only] = path.parts.as_slice()
            && self.world().lookup(self.module, path).is_none()
            && let Some(best) = best_match(&only.text, BUILTINS.iter().map(|(name, _)| *name))
        {
            return self.fail(
                Diagnostic::error(Code::UnknownName, path.span, format!("there is no function `{}` here", only.text))
                    .label("not found")
                    .help(format!("did you mean `{best}`?")),
            );
        }
        self.world().resolve(self.module, path, Expected::Function, self.session.sink);
        Checked::unknown(span)
    }

    fn call_function(&mut self, id: FunctionId, path: &ast::Path, arguments: &[ast::Expr], span: Span) -> Checked {
        if matches!(self.place, Place::Constant(_)) {
            arguments.iter().for_each(|argument| _ = self.infer(argument, None));
            let message = format!("`{}` can't be called in a constant", dotted(&path.parts));
            return self.fail(
                Diagnostic::error(Code::NotConstant, span, message)
                    .label("worked out per request")
                    .help("write the value, or an operator on constants"),
            );
        }
        let world = self.world();
        let Some(signature) = world.signatures.get(id.index()) else { return Checked::unknown(span) };
        if signature.parameters.len() != arguments.len() {
            arguments.iter().for_each(|argument| _ = self.infer(argument, None));
            let name = dotted(&path.parts);
            return self.wrong_count(&name, signature.parameters.len(), arguments.len(), span, Some(signature.span));
        }
        let mut typed = Vec::with_capacity(arguments.len());
        let mut good = true;
        for (argument, parameter) in arguments.iter().zip(&signature.parameters) {
            let found = self.check(argument, &parameter.ty);
            good &= !found.is_unknown();
            typed.push(found.expr);
        }
        if !good || signature.result == Type::Unknown {
            return Checked::unknown(span);
        }
        if self.session.reading.get(id.index()).is_some_and(|reads| *reads) {
            if signature.source.module != self.module {
                return self.foreign_parameter(signature, path);
            }
            self.reads_parameter = true;
        }
        let body = self.session.fallible.get(id.index()).copied().unwrap_or(false);
        let fallible = body || typed.iter().any(|argument| argument.fallible);
        Expr { kind: ExprKind::Call(id, typed), ty: signature.result.clone(), span, fallible }.into()
    }

    /// The module may be active several times, with other values each time, or not at all.
    fn foreign_parameter(&mut self, signature: &FunctionSignature, path: &ast::Path) -> Checked {
        let module = &self.world().modules[signature.source.module.index()].name;
        let message = format!("`{}` reads a parameter of module `{module}`", dotted(&path.parts));
        self.fail(
            Diagnostic::error(Code::ForeignParameter, path.span, message)
                .label(format!("its value is known in `{module}` only"))
                .secondary(signature.span, "declared here")
                .help("give the function the value as an argument"),
        )
    }

    fn wrong_count(&mut self, name: &str, wanted: usize, given: usize, span: Span, declared: Option<Span>) -> Checked {
        let things = if wanted == 1 { "argument" } else { "arguments" };
        let message =
            format!("`{name}` takes {wanted} {things}, and {given} {} given", if given == 1 { "is" } else { "are" });
        let mut fault = Diagnostic::error(Code::WrongCount, span, message).label(format!("{given} given"));
        if let Some(declared) = declared {
            fault = fault.secondary(declared, "declared here");
        }
        self.fail(fault)
    }

    fn builtin(&mut self, name: &str, arguments: &[ast::Expr], span: Span, expected: Option<&Type>) -> Checked {
        match (name, arguments) {
            ("host_in", [url, domain]) => {
                let url = self.infer(url, None);
                self.host_in(url, domain, span)
            }
            (_, [only]) => {
                // `decimal(5)` stands where a Decimal is expected: its argument does not. `truncate` likewise.
                let hint = if name == "abs" { expected } else { None };
                let value = self.infer(only, hint);
                let value = self.present(value);
                self.builtin_of_one(name, value, span)
            }
            (_, [left, right]) => {
                let (left, right) = self.same_hint(left, right, expected);
                let (left, right) = (self.present(left), self.present(right));
                self.builtin_of_two(name, left, right, span)
            }
            _ => Checked::unknown(span),
        }
    }

    fn builtin_of_one(&mut self, name: &str, value: Checked, span: Span) -> Checked {
        match (name, &value.expr.ty) {
            (_, Type::Unknown) => Checked::unknown(span),
            ("abs", Type::Int(bounds)) => {
                let Bounds { interval, may_overflow } = interval::abs(*bounds);
                self.operate(Operator::IntAbs, vec![value.expr], Type::Int(interval), span, may_overflow)
            }
            ("abs", Type::Decimal) => self.operate(Operator::DecimalAbs, vec![value.expr], Type::Decimal, span, true),
            ("decimal", Type::Int(bounds)) => {
                let limit = i64::MAX / 1_000_000;
                let may_overflow = bounds.low < -limit || bounds.high > limit;
                self.operate(Operator::IntToDecimal, vec![value.expr], Type::Decimal, span, may_overflow)
            }
            ("decimal", Type::Decimal) => self.fail(
                Diagnostic::error(Code::TypeMismatch, value.expr.span, "this is a Decimal already")
                    .label("a Decimal")
                    .help("leave `decimal(…)` away"),
            ),
            ("truncate", Type::Decimal) => {
                let interval = Interval { low: Decimal::MIN.truncate(), high: Decimal::MAX.truncate() };
                self.operate(Operator::DecimalTruncate, vec![value.expr], Type::Int(interval), span, false)
            }
            ("truncate", Type::Int(_)) => self.fail(
                Diagnostic::error(Code::TypeMismatch, value.expr.span, "this is an Int already")
                    .label("an Int")
                    .help("leave `truncate(…)` away"),
            ),
            _ => {
                let needs = match name {
                    "abs" => "neither an Int nor a Decimal",
                    "truncate" => "not a Decimal",
                    _ => "not an Int",
                };
                let fault = faults::no_operator(self.world(), name, span, &[&value], needs);
                self.fail(fault)
            }
        }
    }

    fn builtin_of_two(&mut self, name: &str, left: Checked, right: Checked, span: Span) -> Checked {
        let least = name == "min";
        match (&left.expr.ty, &right.expr.ty) {
            (Type::Unknown, _) | (_, Type::Unknown) => Checked::unknown(span),
            (Type::Int(one), Type::Int(two)) => {
                let (operator, interval) = if least {
                    (Operator::IntMin, interval::min(*one, *two))
                } else {
                    (Operator::IntMax, interval::max(*one, *two))
                };
                self.operate(operator, vec![left.expr, right.expr], Type::Int(interval), span, false)
            }
            (Type::Decimal, Type::Decimal) => {
                let operator = if least { Operator::DecimalMin } else { Operator::DecimalMax };
                self.operate(operator, vec![left.expr, right.expr], Type::Decimal, span, false)
            }
            (Type::Int(_), Type::Decimal) => {
                let fault = faults::mixed_numbers(&left, "the other number is a Decimal");
                self.fail(fault)
            }
            (Type::Decimal, Type::Int(_)) => {
                let fault = faults::mixed_numbers(&right, "the other number is a Decimal");
                self.fail(fault)
            }
            _ => {
                let fault = faults::no_operator(
                    self.world(),
                    name,
                    span,
                    &[&left, &right],
                    "neither two Ints nor two Decimals",
                );
                self.fail(fault)
            }
        }
    }

    fn host_in(&mut self, url: Checked, domain: &ast::Expr, span: Span) -> Checked {
        let url = self.present(url);
        let domain = self.check(domain, &Type::String(u32::MAX));
        if url.is_unknown() || domain.is_unknown() {
            return Checked::unknown(span);
        }
        if url.expr.ty != Type::Url {
            let fault = faults::no_operator(self.world(), "host_in", span, &[&url], "not a URL");
            return self.fail(fault);
        }
        if let Some(Const::String(text)) = domain.value()
            && !is_domain_name(text)
        {
            return self.fail(
                Diagnostic::error(Code::BadUrl, domain.expr.span, format!("`{text}` is no domain name"))
                    .label("no host is ever in it")
                    .help("write the name alone, in lower case, without scheme, port, path or a dot at either end: `\"good.example\"`"),
            );
        }
        self.operate(Operator::UrlHostInDomain, vec![url.expr, domain.expr], Type::Bool, span, false)
    }

    /// What a quantifier goes over, with the type of what its variable stands for and how many of it there are at most.
    fn gone_over(&mut self, word: &str, over: &ast::Expr, span: Span) -> (Checked, Type, u32) {
        let over = self.infer(over, None);
        let over = self.present(over);
        let (element, max) = match &over.expr.ty {
            Type::Set(element, max) | Type::List(element, max) => ((**element).clone(), *max),
            Type::Map(_, max) => (Type::String(crate::base::limits::STRING_DEFAULT_BYTES_MAX), *max),
            Type::Unknown => (Type::Unknown, 0),
            _ => {
                let fault = faults::no_operator(self.world(), word, span, &[&over], "not a set, list or map");
                self.fail(fault);
                (Type::Unknown, 0)
            }
        };
        (over, element, max)
    }

    /// `acyclic(x in xs: node -> edges)`
    pub(super) fn acyclic(
        &mut self,
        name: &ast::Name,
        over: &ast::Expr,
        node: &ast::Expr,
        edges: &ast::Expr,
        span: Span,
    ) -> Checked {
        let (over, element, _) = self.gone_over("acyclic", over, span);
        let local = self.declare(name, element);
        let node = self.infer(node, None);
        let node = self.present(node);
        // Variants and an empty set that are written out take their type from the node.
        let hint = (!node.is_unknown()).then(|| Type::Set(Box::new(node.expr.ty.clone()), COLLECTION_MAX));
        let edges = self.infer(edges, hint.as_ref());
        let edges = self.present(edges);
        self.locals.pop();
        if over.is_unknown() || node.is_unknown() || edges.is_unknown() {
            return Checked::unknown(span);
        }
        let needs = match (&node.expr.ty, &edges.expr.ty) {
            (Type::Set(..) | Type::List(..) | Type::Map(..) | Type::Record(_), _) => {
                let needs = "a node is a scalar, a variant or an entity";
                let fault = faults::no_operator(self.world(), "acyclic", span, &[&node], needs);
                return self.fail(
                    fault.help("write what tells one node from another, as in `acyclic(s in steps: s.id -> s.needs)`"),
                );
            }
            (node, Type::Set(other, _) | Type::List(other, _)) => {
                if relate::alike(node, other) {
                    None
                } else {
                    Some("edges lead to other things than nodes")
                }
            }
            _ => Some("edges are a set or list of nodes"),
        };
        if let Some(needs) = needs {
            let fault = faults::no_operator(self.world(), "acyclic", span, &[&node, &edges], needs);
            return self.fail(fault.help("behind `->` stands a set or list of what stands before it"));
        }
        let fallible = over.expr.fallible || node.expr.fallible || edges.expr.fallible;
        let kind = ExprKind::Acyclic(local, Box::new(over.expr), Box::new(node.expr), Box::new(edges.expr));
        Expr { kind, ty: Type::Bool, span, fallible }.into()
    }

    /// `any(x in xs: e)`
    pub(super) fn quantifier(
        &mut self,
        kind: QuantifierKind,
        name: &ast::Name,
        over: &ast::Expr,
        body: &ast::Expr,
        span: Span,
    ) -> Checked {
        let word = match kind {
            QuantifierKind::Any => "any",
            QuantifierKind::All => "all",
            QuantifierKind::Count => "count",
        };
        let (over, element, max) = self.gone_over(word, over, span);
        let local = self.declare(name, element);
        let body = self.condition(body);
        self.locals.pop();
        if over.is_unknown() || body.is_unknown() {
            return Checked::unknown(span);
        }
        let (quantifier, ty, truth) = match kind {
            QuantifierKind::Any => {
                let yes = if body.truth.never() { None } else { Some(Vec::new()) };
                (Quantifier::Any, Type::Bool, Truth { yes, no: Some(Vec::new()) })
            }
            QuantifierKind::All => {
                let no = if body.truth.always() { None } else { Some(Vec::new()) };
                (Quantifier::All, Type::Bool, Truth { yes: Some(Vec::new()), no })
            }
            QuantifierKind::Count => (Quantifier::Count, Type::Int(interval::size(max)), Truth::default()),
        };
        let fallible = over.expr.fallible || body.expr.fallible;
        let kind = ExprKind::Quantifier(quantifier, local, Box::new(over.expr), Box::new(body.expr));
        Checked { expr: Expr { kind, ty, span, fallible }, truth }
    }
}

fn name_expr(name: ast::Name) -> ast::Expr {
    let span = name.span;
    ast::Expr { kind: ast::ExprKind::Name(name), span }
}
