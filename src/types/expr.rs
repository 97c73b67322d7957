//! Typing of expressions: from the syntax tree to the typed tree.
//!
//! [`Checker::infer`] types an expression, with the type that its place asks for as a hint (a bare variant or `{}` means
//! nothing without one); [`Checker::check`] holds the result to that type. Each result brings along what it says about
//! the things it reads when it is true and when it is false ([`narrow`]); constants are folded on
//! the way. A fault is reported once, and what depends on it is of the type `Unknown`, about which nothing is said.

mod branches;
mod calls;
mod collections;
mod compare;
mod faults;
mod literals;
mod members;
mod membership;
mod names;
mod operators;
mod patterns;
mod questions;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub use membership::can_be_in;

use crate::base::span::Span;
use crate::data::arithmetic::ArithmeticError;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast;
use crate::types::narrow::{self, Fact, Facts, Known, Truth, Values, Variants};
use crate::types::operator::Operator;
use crate::types::relate;
use crate::types::ty::Type;
use crate::types::typed::{ActionId, Const, EnumId, Expr, ExprKind, LocalId, ModuleId, PatternSource};
use crate::types::world::{Definition, World};
use crate::types::{fold, interval};

/// What is shared by all bodies of a run.
#[derive(Debug)]
pub struct Session<'w> {
    /// The declarations.
    pub world: &'w World,
    /// Where faults go.
    pub sink: &'w mut Diagnostics,
    /// Of each function typed so far, whether its body may be an error.
    pub fallible: Vec<bool>,
    /// Of each function typed so far, whether it reads a parameter of its module.
    pub reading: Vec<bool>,
    /// Patterns that compile.
    pub patterns: HashSet<PatternSource>,
}

/// Where an expression stands: what it may read.
#[derive(Debug)]
pub enum Place<'w> {
    /// Constants only; the values of the module's parameters, where they are known.
    Constant(&'w [Const]),
    /// Parameters of the function and of the module.
    Function,
    /// Requests of these actions.
    Actions(Box<Request>),
}

/// What can be read of a request.
#[derive(Debug)]
pub struct Request {
    /// The actions.
    pub actions: Vec<ActionId>,
    /// All types of the subject.
    pub subject: Type,
    /// All types of the resource.
    pub resource: Type,
    /// Context fields that were looked up: their common type, nothing where they are faulty.
    pub fields: HashMap<Arc<str>, Option<Type>>,
}

/// A `let`, a parameter of a function, the variable of a quantifier.
#[derive(Debug)]
pub struct Local {
    /// The name.
    pub name: Arc<str>,
    /// Where it is declared.
    pub span: Span,
    /// Its number.
    pub id: LocalId,
    /// Its type.
    pub ty: Type,
    /// Of a `let` that is constant: its value.
    pub constant: Option<Const>,
    /// Of a `let` of type Bool: what it says.
    pub truth: Truth,
    /// Its value may be an error.
    pub fallible: bool,
    /// Of a `let`: its value is read, not computed.
    pub is_path: bool,
    /// Somebody reads it.
    pub used: bool,
}

/// A typed expression and what it says.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The expression.
    pub expr: Expr,
    /// Of a condition: what is known when it is true and when it is false.
    pub truth: Truth,
}

impl Checked {
    /// Stands for something faulty.
    #[must_use]
    pub fn unknown(span: Span) -> Checked {
        Expr { kind: ExprKind::Const(Const::Absent), ty: Type::Unknown, span, fallible: false }.into()
    }

    /// A constant.
    #[must_use]
    pub fn constant(value: Const, ty: Type, span: Span) -> Checked {
        Expr { kind: ExprKind::Const(value), ty, span, fallible: false }.into()
    }

    /// A condition whose value is known.
    #[must_use]
    pub fn bool(value: bool, span: Span) -> Checked {
        Checked::constant(Const::Bool(value), Type::Bool, span)
    }

    /// Whether it is faulty.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.expr.ty == Type::Unknown
    }

    /// Its value, where it is constant.
    #[must_use]
    pub fn value(&self) -> Option<&Const> {
        match &self.expr.kind {
            ExprKind::Const(value) if !self.is_unknown() => Some(value),
            _ => None,
        }
    }
}

impl From<Expr> for Checked {
    fn from(expr: Expr) -> Checked {
        let truth = match &expr.kind {
            ExprKind::Const(Const::Bool(value)) => Truth::constant(*value),
            _ => Truth::default(),
        };
        Checked { expr, truth }
    }
}

/// Types the expressions of one body.
#[derive(Debug)]
pub struct Checker<'s, 'w> {
    /// What is shared.
    pub session: &'s mut Session<'w>,
    /// The module.
    pub module: ModuleId,
    /// What may be read.
    pub place: Place<'w>,
    /// Locals in scope, innermost last.
    pub locals: Vec<Local>,
    /// The next free number of a local.
    pub next_local: u32,
    /// Facts that hold here.
    pub known: Known,
    /// A parameter of the module was read.
    pub reads_parameter: bool,
}

impl<'s, 'w> Checker<'s, 'w> {
    /// A checker without locals.
    pub fn new(session: &'s mut Session<'w>, module: ModuleId, place: Place<'w>) -> Checker<'s, 'w> {
        let (locals, known) = (Vec::new(), Known::default());
        Checker { session, module, place, locals, next_local: 0, known, reads_parameter: false }
    }

    /// The declarations.
    #[must_use]
    pub fn world(&self) -> &'w World {
        self.session.world
    }

    /// Reports a fault; gives what stands for the faulty.
    pub fn fail(&mut self, diagnostic: Diagnostic) -> Checked {
        let span = diagnostic.primary.span;
        self.session.sink.push(diagnostic);
        Checked::unknown(span)
    }

    /// Types an expression that has to be of a type.
    pub fn check(&mut self, expr: &ast::Expr, expected: &Type) -> Checked {
        let found = self.infer(expr, Some(expected));
        self.coerce(found, expected)
    }

    /// Types a condition.
    pub fn condition(&mut self, expr: &ast::Expr) -> Checked {
        self.check(expr, &Type::Bool)
    }

    /// Types an expression; the expected type is a hint.
    pub fn infer(&mut self, expr: &ast::Expr, expected: Option<&Type>) -> Checked {
        let span = expr.span;
        match &expr.kind {
            ast::ExprKind::Literal(literal) => self.literal(literal, span, expected),
            ast::ExprKind::Name(name) => self.name(name, expected),
            ast::ExprKind::Field(..) => self.field_chain(expr),
            ast::ExprKind::Index(base, at) => self.index(base, at, span),
            ast::ExprKind::Call(path, arguments) => self.call(path, arguments, span, expected),
            ast::ExprKind::Entity(path, id) => self.entity_literal(path, id, span),
            ast::ExprKind::Set(items) => self.set(items, span, expected),
            ast::ExprKind::List(items) => self.list(items, span, expected),
            ast::ExprKind::Record(fields) => self.record(fields, span, expected),
            ast::ExprKind::Map(entries) => self.map(entries, span, expected),
            ast::ExprKind::EmptyBraces => self.empty_braces(span, expected),
            ast::ExprKind::Unary(op, inner) => self.unary(*op, inner, span, expected),
            ast::ExprKind::Binary(op, left, right, at) => self.binary(*op, left, right, *at, span, expected),
            ast::ExprKind::Matches(text, pattern) => self.matches(text, pattern, span),
            ast::ExprKind::Is(inner, path) => self.is(inner, path, span),
            ast::ExprKind::If(condition, yes, no) => self.if_else(condition, yes, no, span, expected),
            ast::ExprKind::Match(value, arms) => self.match_arms(value, arms, span, expected),
            ast::ExprKind::Quantifier(kind, name, over, body) => self.quantifier(*kind, name, over, body, span),
            ast::ExprKind::Acyclic(name, over, node, edges) => self.acyclic(name, over, node, edges, span),
            ast::ExprKind::Paren(inner) => self.infer(inner, expected),
            ast::ExprKind::Error => Checked::unknown(span),
        }
    }

    /// Holds an expression to a type.
    pub fn coerce(&mut self, found: Checked, expected: &Type) -> Checked {
        if relate::fits(&found.expr.ty, expected) {
            return found;
        }
        let (span, world) = (found.expr.span, self.world());
        let (ty, wanted) = (&found.expr.ty, relate::inner(expected));
        if matches!(ty, Type::Optional(_)) && relate::alike(relate::inner(ty), wanted) {
            return self.maybe_absent(found);
        }
        let diagnostic = match (ty, wanted) {
            (Type::Int(computed), Type::Int(allowed)) => {
                let value = found.value().is_some();
                faults::out_of_range(span, *computed, *allowed, value)
            }
            (Type::Int(_), Type::Decimal) => faults::mixed_numbers(&found, "a Decimal is needed here"),
            (ty, wanted) if relate::alike(ty, wanted) && relate::overlap(ty, wanted) => {
                let (ty, wanted) = (world.show(ty), world.show(wanted));
                Diagnostic::error(Code::BoundExceeded, span, format!("`{wanted}` is needed here, and this can be more"))
                    .label(format!("`{ty}`"))
                    .help("declare the same type, with the same bound, in both places")
            }
            (ty, wanted) => {
                let typed = match (found.value(), wanted) {
                    (Some(Const::String(text)), Type::Timestamp) => Some(format!("write `timestamp\"{text}\"`")),
                    (Some(Const::String(text)), Type::Entity(types)) => match types.as_slice() {
                        [only] => Some(format!("write `{}::\"{text}\"`", world.entity_types[only.index()].name)),
                        _ => None,
                    },
                    _ => None,
                };
                let (ty, wanted) = (world.show_plain(ty), world.show_plain(wanted));
                Diagnostic::error(Code::TypeMismatch, span, format!("`{wanted}` is needed here, but this is `{ty}`"))
                    .label(format!("`{ty}`"))
                    .help_if(typed)
            }
        };
        self.fail(diagnostic)
    }

    /// Of an optional that is not known to be there.
    pub fn maybe_absent(&mut self, found: Checked) -> Checked {
        let path = narrow::path_of(&found.expr);
        let known = path.as_ref().and_then(|path| self.known.get(path)).and_then(|fact| fact.present);
        let name = self.describe(&found.expr);
        let subject = name.as_ref().map_or("this value".to_owned(), |name| format!("`{name}`"));
        let name = name.unwrap_or_else(|| "…".to_owned());
        let diagnostic = if known == Some(false) {
            Diagnostic::error(Code::MaybeAbsent, found.expr.span, format!("{subject} is known to be absent here"))
                .label("absent")
                .help(format!("read it where the opposite was asked: `{name} is present and …`"))
        } else {
            Diagnostic::error(Code::MaybeAbsent, found.expr.span, format!("{subject} may be absent"))
                .label(format!("`{}`", self.world().show_plain(&found.expr.ty)))
                .help(format!("ask first: `{name} is present and …`"))
                .help(format!("or give a default: `{name} ?? …`"))
        };
        self.fail(diagnostic)
    }

    /// What is read, as a source would write it.
    #[must_use]
    pub fn describe(&self, expr: &Expr) -> Option<String> {
        Some(match &expr.kind {
            ExprKind::Subject => "subject".to_owned(),
            ExprKind::Resource => "resource".to_owned(),
            ExprKind::Context(name) => format!("context.{name}"),
            ExprKind::Local(id) => self.locals.iter().find(|local| local.id == *id)?.name.to_string(),
            ExprKind::Narrowed(inner) => self.describe(inner)?,
            ExprKind::Attribute(base, name) => format!("{}.{name}", self.describe(base)?),
            ExprKind::Field(base, place) => {
                let Type::Record(id) = base.ty else { return None };
                let field = self.world().records[id.index()].fields.get(*place as usize)?;
                format!("{}.{}", self.describe(base)?, field.name)
            }
            _ => return None,
        })
    }

    /// The value itself; of an optional there is a fault.
    pub fn present(&mut self, found: Checked) -> Checked {
        if matches!(found.expr.ty, Type::Optional(_)) { self.maybe_absent(found) } else { found }
    }

    /// An operator on typed operands, folded where they are constant.
    pub fn operate(
        &mut self,
        operator: Operator,
        operands: Vec<Expr>,
        ty: Type,
        span: Span,
        may_fail: bool,
    ) -> Checked {
        if operands.iter().all(|operand| matches!(operand.kind, ExprKind::Const(_))) {
            let values: Vec<Const> = operands
                .iter()
                .filter_map(|operand| match &operand.kind {
                    ExprKind::Const(value) => Some(value.clone()),
                    _ => None,
                })
                .collect();
            match fold::operate(operator, &values) {
                Some(Ok(value)) => return self.folded(value, &ty, span),
                Some(Err(error)) => {
                    return self.fail(
                        Diagnostic::error(
                            Code::CannotCalculate,
                            span,
                            format!("this constant can't be calculated: {error}"),
                        )
                        .label("always an error")
                        .help(match error {
                            ArithmeticError::Overflow => "numbers have 64 bits; use smaller ones",
                            ArithmeticError::Inexact => {
                                "a Decimal has six digits after the point, and nothing is ever rounded"
                            }
                        }),
                    );
                }
                None => (),
            }
        }
        let fallible = may_fail || operands.iter().any(|operand| operand.fallible);
        Expr { kind: ExprKind::Operator(operator, operands), ty, span, fallible }.into()
    }

    // A folded value with the narrowest type: an absent optional stays one, a present one is its value.
    fn folded(&self, value: Const, ty: &Type, span: Span) -> Checked {
        let ty = match (&value, ty) {
            (Const::Absent, ty) => ty.clone(),
            (Const::Int(value), _) => Type::Int(interval::exactly(*value)),
            (_, ty) => relate::inner(ty).clone(),
        };
        Checked::constant(value, ty, span)
    }

    /// What is known here of something that is read.
    pub fn narrowed(&self, expr: Expr) -> Checked {
        if self.known.is_empty() && expr.ty != Type::Bool {
            return expr.into();
        }
        let Some(path) = narrow::path_of(&expr) else { return expr.into() };
        let fact = self.known.get(&path);
        let mut expr = expr;
        if let Some(fact) = fact {
            if fact.present == Some(true)
                && let Type::Optional(inner) = &expr.ty
            {
                let ty = (**inner).clone();
                let (span, fallible) = (expr.span, expr.fallible);
                expr = Expr { kind: ExprKind::Narrowed(Box::new(expr)), ty, span, fallible };
            }
            match (&fact.values, &expr.ty) {
                (Values::Int(known), Type::Int(declared)) => {
                    expr.ty = Type::Int(interval::intersect(*known, *declared).unwrap_or(*known));
                }
                (Values::Types(types), Type::Entity(declared)) if types[..] != declared[..] => {
                    let (span, fallible) = (expr.span, expr.fallible);
                    let ty = Type::Entity(types.to_vec());
                    expr = Expr { kind: ExprKind::Narrowed(Box::new(expr)), ty, span, fallible };
                }
                _ => (),
            }
        }
        if expr.ty == Type::Bool {
            let says = |value| Fact::values(Values::Bool(value));
            let truth = self.test(Some(path), Some(says(true)), Some(says(false)));
            return Checked { expr, truth };
        }
        expr.into()
    }

    /// What a test of a path says, given what is known of the path already.
    pub fn test(&self, path: Option<narrow::Path>, yes: Option<Fact>, no: Option<Fact>) -> Truth {
        let Some(path) = path else { return Truth::of(None, yes, no) };
        let known = self.known.get(&path).cloned();
        let with = |fact: Option<Fact>| match (&known, fact) {
            (Some(known), Some(fact)) => known.and(&fact),
            (_, fact) => fact,
        };
        let (yes, no) = (with(yes), with(no));
        Truth::of(Some(path), yes, no)
    }

    /// The variants that an expression of an enum can have here.
    #[must_use]
    pub fn variants_of(&self, expr: &Expr, id: EnumId) -> Variants {
        let known = narrow::path_of(expr).and_then(|path| self.known.get(&path).cloned());
        match known {
            Some(Fact { values: Values::Enum(variants), .. }) => variants,
            _ => Variants::all(self.world().enums[id.index()].variants.len()),
        }
    }

    /// Types something while facts hold; where they can't hold, as if there were none.
    pub fn under<T>(&mut self, facts: Option<&Facts>, body: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.known.mark();
        if let Some(facts) = facts {
            self.known.assume(facts);
        }
        let result = body(self);
        self.known.back_to(mark);
        result
    }

    /// Declares a local and gives its number; a name that is taken is reported.
    pub fn declare(&mut self, name: &ast::Name, ty: Type) -> LocalId {
        self.check_free(name);
        let id = LocalId(self.next_local);
        self.next_local += 1;
        self.locals.push(Local {
            name: name.text.clone(),
            span: name.span,
            id,
            ty,
            constant: None,
            truth: Truth::default(),
            fallible: false,
            is_path: false,
            used: false,
        });
        id
    }

    fn check_free(&mut self, name: &ast::Name) {
        let text = &*name.text;
        let (what, declared) = if matches!(text, "subject" | "resource" | "context" | "action") {
            (format!("`{text}` always means the request's own"), None)
        } else if let Some(other) = self.locals.iter().find(|local| &*local.name == text) {
            (format!("there is a `{text}` here already"), Some(other.span))
        } else if let Some(binding) = self.world().modules[self.module.index()].scope.names.get(text)
            && is_value(binding.definition)
        {
            (format!("`{text}` is {} here", binding.definition.sort()), Some(binding.span))
        } else {
            return;
        };
        let mut diagnostic =
            Diagnostic::error(Code::Shadowing, name.span, what).label("would hide it").help("choose another name");
        if let Some(declared) = declared {
            diagnostic = diagnostic.secondary(declared, "declared here");
        }
        self.session.sink.push(diagnostic);
    }
}

fn is_value(definition: Definition) -> bool {
    matches!(definition, Definition::Const(_) | Definition::Parameter(..))
}
