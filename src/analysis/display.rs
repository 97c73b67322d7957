//! Typed expressions and constants as PDL, for people: what a `let` or a parameter stands for is put in its place.

use std::cell::{Cell, RefCell};

use crate::data::duration::Shown;
use crate::types::operator::Operator;
use crate::types::ty::Type;
use crate::types::typed::{Const, Expr, ExprKind, LocalId, Pattern, PatternSource, Quantifier, TypedPolicy};

/// How tightly the parts of an expression hold together; what holds less tightly gets parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Implies,
    Or,
    And,
    Not,
    Compare,
    Sum,
    Product,
    Postfix,
}

/// An expression as PDL. `arguments` are those of the module; `local` says what a name of a `let` or parameter stands for.
pub fn expression(
    policy: &TypedPolicy,
    arguments: &[Const],
    expr: &Expr,
    local: &dyn Fn(LocalId) -> Option<String>,
) -> String {
    Printer::new(policy, arguments, local).at(expr, Level::Implies)
}

/// As [`expression`], to stand beside an operator of comparison.
pub fn operand(
    policy: &TypedPolicy,
    arguments: &[Const],
    expr: &Expr,
    local: &dyn Fn(LocalId) -> Option<String>,
) -> String {
    Printer::new(policy, arguments, local).at(expr, Level::Sum)
}

/// What an expression reads that has to be there for it to be PDL, each as the condition that it is.
pub fn presumed(
    policy: &TypedPolicy,
    arguments: &[Const],
    expr: &Expr,
    local: &dyn Fn(LocalId) -> Option<String>,
) -> Vec<String> {
    let printer = Printer::new(policy, arguments, local);
    let _ = printer.whole(expr);
    printer.narrowed.into_inner()
}

/// An expression with every name told apart: equal texts mean equal expressions.
pub fn precise(
    policy: &TypedPolicy,
    arguments: &[Const],
    expr: &Expr,
    local: &dyn Fn(LocalId) -> Option<String>,
) -> String {
    Printer { precise: true, ..Printer::new(policy, arguments, local) }.at(expr, Level::Implies)
}

struct Printer<'a> {
    policy: &'a TypedPolicy,
    arguments: &'a [Const],
    local: &'a dyn Fn(LocalId) -> Option<String>,
    precise: bool,
    /// What is read as if it was there.
    narrowed: RefCell<Vec<String>>,
    /// Within what asks for itself whether something is there.
    within: Cell<u32>,
}

impl<'a> Printer<'a> {
    fn new(
        policy: &'a TypedPolicy,
        arguments: &'a [Const],
        local: &'a dyn Fn(LocalId) -> Option<String>,
    ) -> Printer<'a> {
        Printer { policy, arguments, local, precise: false, narrowed: RefCell::default(), within: Cell::new(0) }
    }
}

impl Printer<'_> {
    fn at(&self, expr: &Expr, level: Level) -> String {
        let (text, own) = self.whole(expr);
        if own < level { format!("({text})") } else { text }
    }

    fn list(&self, items: &[Expr]) -> String {
        items.iter().map(|item| self.at(item, Level::Implies)).collect::<Vec<_>>().join(", ")
    }

    fn variable(&self, local: LocalId) -> String {
        (self.local)(local).unwrap_or_else(|| format!("x{}", local.0))
    }

    fn whole(&self, expr: &Expr) -> (String, Level) {
        let asks = matches!(
            expr.kind,
            ExprKind::If(..)
                | ExprKind::Match(..)
                | ExprKind::Quantifier(..)
                | ExprKind::Operator(Operator::And | Operator::Or | Operator::Implies, _)
        );
        self.within.set(self.within.get() + u32::from(asks));
        let told = self.shown(expr);
        self.within.set(self.within.get() - u32::from(asks));
        told
    }

    fn shown(&self, expr: &Expr) -> (String, Level) {
        let postfix = |text: String| (text, Level::Postfix);
        match &expr.kind {
            ExprKind::Const(value) if self.precise => postfix(format!("{}{value:?}", constant(self.policy, value))),
            ExprKind::Const(value) => postfix(constant(self.policy, value)),
            ExprKind::Parameter(id) => {
                postfix(self.arguments.get(id.index()).map_or_else(String::new, |value| constant(self.policy, value)))
            }
            ExprKind::Local(local) => {
                let text = self.variable(*local);
                let simple = text.chars().all(|c| c.is_ascii_alphanumeric() || "_.\"".contains(c));
                if simple { postfix(text) } else { (text, Level::Implies) }
            }
            ExprKind::Subject => postfix("subject".to_owned()),
            ExprKind::Resource => postfix("resource".to_owned()),
            ExprKind::Context(name) => postfix(format!("context.{name}")),
            ExprKind::ActionName => postfix("action.name".to_owned()),
            ExprKind::Attribute(of, name) => postfix(format!("{}.{name}", self.at(of, Level::Postfix))),
            ExprKind::Field(of, place) => {
                let name = match &of.ty {
                    Type::Record(id) => {
                        self.policy.records[id.index()].fields.get(*place as usize).map(|field| field.name.clone())
                    }
                    _ => None,
                };
                postfix(format!("{}.{}", self.at(of, Level::Postfix), name.as_deref().unwrap_or("?")))
            }
            ExprKind::Operator(operator, operands) => self.operator(*operator, operands),
            ExprKind::Matches(text, source) => {
                let pattern = match source {
                    PatternSource::Glob(source) => format!("glob\"{}\"", tagged(source)),
                    PatternSource::Regex(source) => format!("regex\"{}\"", tagged(source)),
                };
                (format!("{} matches {pattern}", self.at(text, Level::Sum)), Level::Compare)
            }
            ExprKind::IsPresent(of) => (format!("{} is present", self.at(of, Level::Sum)), Level::Compare),
            ExprKind::Narrowed(of) if self.precise => postfix(format!("known({})", self.at(of, Level::Implies))),
            ExprKind::Narrowed(of) => {
                let (text, level) = self.whole(of);
                if self.within.get() == 0 {
                    self.narrowed.borrow_mut().push(format!("{text} is present"));
                }
                (text, level)
            }
            ExprKind::Default(of, other) => {
                // It binds tighter than a comparison, and is read more easily in parentheses.
                (format!("{} ?? {}", self.at(of, Level::Postfix), self.at(other, Level::Postfix)), Level::Compare)
            }
            ExprKind::IsType(of, types) => {
                let names: Vec<String> = types
                    .iter()
                    .map(|ty| format!("{} is {}", self.at(of, Level::Sum), self.policy.entity_types[ty.index()].name))
                    .collect();
                let level = if names.len() == 1 { Level::Compare } else { Level::Or };
                (names.join(" or "), level)
            }
            ExprKind::StepsTo(_, from, to) => {
                (format!("{} -> {}", self.at(from, Level::Sum), self.at(to, Level::Sum)), Level::Compare)
            }
            ExprKind::If(condition, yes, no) => {
                let part = |expr: &Expr| self.at(expr, Level::Implies);
                (format!("if {} then {} else {}", part(condition), part(yes), part(no)), Level::Implies)
            }
            ExprKind::Match(of, arms) => {
                let arms: Vec<String> = arms
                    .iter()
                    .map(|(pattern, arm)| format!("{} => {}", self.pattern(pattern), self.at(arm, Level::Implies)))
                    .collect();
                postfix(format!("match {} {{ {} }}", self.at(of, Level::Implies), arms.join(", ")))
            }
            ExprKind::Call(function, arguments) => {
                let name = &self.policy.functions[function.index()].name;
                let number = if self.precise { format!("#{}", function.0) } else { String::new() };
                postfix(format!("{name}{number}({})", self.list(arguments)))
            }
            ExprKind::Quantifier(quantifier, local, over, body) => {
                let word = match quantifier {
                    Quantifier::Any => "any",
                    Quantifier::All => "all",
                    Quantifier::Count => "count",
                };
                let (over, body) = (self.at(over, Level::Implies), self.at(body, Level::Implies));
                postfix(format!("{word}({} in {over}: {body})", self.variable(*local)))
            }
            ExprKind::Acyclic(local, over, node, edges) => {
                let (node, edges) = (self.at(node, Level::Sum), self.at(edges, Level::Sum));
                postfix(format!(
                    "acyclic({} in {}: {node} -> {edges})",
                    self.variable(*local),
                    self.at(over, Level::Implies)
                ))
            }
            ExprKind::Set(items) => postfix(format!("{{{}}}", self.list(items))),
            ExprKind::List(items) => postfix(format!("[{}]", self.list(items))),
            ExprKind::Map(items) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|(key, value)| format!("{}: {}", quoted(key), self.at(value, Level::Implies)))
                    .collect();
                postfix(format!("{{{}}}", items.join(", ")))
            }
            ExprKind::Record(of, values) => {
                let fields = self.policy.records[of.index()].fields.iter().zip(values);
                let fields: Vec<String> = fields
                    .map(|(field, value)| format!("{}: {}", field.name, self.at(value, Level::Implies)))
                    .collect();
                postfix(format!("{{ {} }}", fields.join(", ")))
            }
        }
    }

    fn operator(&self, operator: Operator, operands: &[Expr]) -> (String, Level) {
        use Operator as O;
        let at = |place: usize, level: Level| operands.get(place).map_or_else(String::new, |expr| self.at(expr, level));
        let joined = |word: &str, level: Level, inner: Level| {
            let parts: Vec<String> = operands.iter().map(|operand| self.at(operand, inner)).collect();
            (parts.join(&format!(" {word} ")), level)
        };
        let member = |name: &str| (format!("{}.{name}", at(0, Level::Postfix)), Level::Postfix);
        let called = |name: &str| (format!("{name}({})", self.list(operands)), Level::Postfix);
        let compare = |word: &str| joined(word, Level::Compare, Level::Sum);
        match operator {
            O::And => joined("and", Level::And, Level::Not),
            O::Or => joined("or", Level::Or, Level::And),
            O::Implies => (format!("{} implies {}", at(0, Level::Or), at(1, Level::Or)), Level::Implies),
            O::Not => (format!("not {}", at(0, Level::Compare)), Level::Not),
            O::Equal => compare("=="),
            O::NotEqual => compare("!="),
            O::Less => compare("<"),
            O::LessEqual => compare("<="),
            O::Greater => compare(">"),
            O::GreaterEqual => compare(">="),
            O::IntAdd | O::DecimalAdd | O::DurationAdd | O::TimestampAdd => joined("+", Level::Sum, Level::Product),
            O::IntSubtract
            | O::DecimalSubtract
            | O::DurationSubtract
            | O::TimestampSubtract
            | O::TimestampDifference => joined("-", Level::Sum, Level::Product),
            O::IntMultiply | O::DecimalMultiply | O::DurationMultiply => joined("*", Level::Product, Level::Postfix),
            O::IntDivide | O::DecimalDivide => joined("/", Level::Product, Level::Postfix),
            O::IntNegate | O::DecimalNegate | O::DurationNegate => {
                (format!("-{}", at(0, Level::Postfix)), Level::Product)
            }
            O::IntAbs | O::DecimalAbs => called("abs"),
            O::IntMin | O::DecimalMin => called("min"),
            O::IntMax | O::DecimalMax => called("max"),
            O::IntToDecimal => called("decimal"),
            O::DecimalTruncate => called("truncate"),
            O::TimestampYear => member("year"),
            O::TimestampMonth => member("month"),
            O::TimestampDay => member("day"),
            O::TimestampHour => member("hour"),
            O::TimestampMinute => member("minute"),
            O::TimestampSecond => member("second"),
            O::TimestampWeekday => member("weekday"),
            O::StringLength => member("length"),
            O::StringStartsWith => compare("starts_with"),
            O::StringEndsWith => compare("ends_with"),
            O::Contains if operands.first().is_some_and(is_written_out) => {
                (format!("{} in {}", at(1, Level::Sum), at(0, Level::Sum)), Level::Compare)
            }
            O::StringContains | O::Contains | O::MapHasKey => compare("contains"),
            O::ContainsAll => compare("contains_all"),
            O::ContainsAny => compare("contains_any"),
            O::IpInNet | O::NetInNet | O::UrlInUrl | O::PathInPath | O::EntityIn | O::EntityInAny => compare("in"),
            O::IpIsLoopback => member("is_loopback"),
            O::IpIsPrivate => member("is_private"),
            O::IpIsLinkLocal => member("is_link_local"),
            O::IpIsMulticast => member("is_multicast"),
            O::IpIsUnspecified => member("is_unspecified"),
            O::IpIsGlobal => member("is_global"),
            O::IpIsV6 => member("is_v6"),
            O::UrlScheme => member("scheme"),
            O::UrlHost => member("host"),
            O::UrlPort => member("port"),
            O::UrlPath => member("path"),
            O::UrlQuery => member("query"),
            O::UrlFragment => member("fragment"),
            O::UrlHasCredentials => member("has_credentials"),
            O::UrlHostAddress => member("address"),
            O::UrlHostInDomain => {
                (format!("{}.host_in({})", at(0, Level::Postfix), at(1, Level::Implies)), Level::Postfix)
            }
            O::UrlText | O::PathText => member("text"),
            O::PathName => member("name"),
            O::PathExtension => member("extension"),
            O::PathParent => member("parent"),
            O::PathDepth => member("depth"),
            O::Size => member("size"),
            O::SetUnion => joined("union", Level::Sum, Level::Product),
            O::SetIntersect => joined("intersect", Level::Sum, Level::Product),
            O::SetExcept => joined("except", Level::Sum, Level::Product),
            O::ListGet | O::MapGet => (format!("{}[{}]", at(0, Level::Postfix), at(1, Level::Implies)), Level::Postfix),
            O::EntityId => member("id"),
        }
    }

    fn pattern(&self, pattern: &Pattern) -> String {
        let end = |bound: &Option<Const>| bound.as_ref().map_or_else(String::new, |bound| constant(self.policy, bound));
        match pattern {
            Pattern::Any => "_".to_owned(),
            Pattern::Or(parts) => parts.iter().map(|part| self.pattern(part)).collect::<Vec<_>>().join(" | "),
            Pattern::Const(value) => constant(self.policy, value),
            Pattern::Range(low, None) => format!("{}..", end(low)),
            Pattern::Range(low, high) => format!("{}..={}", end(low), end(high)),
            Pattern::Present => "present".to_owned(),
            Pattern::Absent => "absent".to_owned(),
        }
    }
}

/// A collection whose elements stand there; one asks whether something is in it.
fn is_written_out(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Const(_) | ExprKind::Set(_) | ExprKind::List(_))
}

/// A constant as PDL.
#[must_use]
pub fn constant(policy: &TypedPolicy, value: &Const) -> String {
    let list = |items: &[Const]| items.iter().map(|item| constant(policy, item)).collect::<Vec<_>>().join(", ");
    match value {
        Const::Absent => "absent".to_owned(),
        Const::Bool(value) => value.to_string(),
        Const::Int(value) => value.to_string(),
        Const::Decimal(value) => {
            let text = value.to_string();
            if text.contains('.') { text } else { format!("{text}.0") }
        }
        Const::String(text) => quoted(text),
        Const::Duration(value) => Shown(*value).to_string(),
        Const::Timestamp(value) => format!("timestamp\"{value}\""),
        Const::Ip(value) => format!("ip\"{value}\""),
        Const::Net(value) => format!("net\"{value}\""),
        Const::Url(value) => format!("url\"{}\"", tagged(value.as_str())),
        Const::Path(value) => format!("path\"{}\"", tagged(value.as_str())),
        Const::Enum(of, variant) => policy.enums[of.index()].variants[*variant as usize].to_string(),
        Const::Entity(ty, id) => format!("{}::{}", policy.entity_types[ty.index()].name, quoted(id)),
        Const::Record(of, fields) => {
            let names = policy.records[of.index()].fields.iter();
            let fields = names.zip(fields).map(|(def, field)| format!("{}: {}", def.name, constant(policy, field)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Const::Set(items) => format!("{{{}}}", list(items)),
        Const::List(items) => format!("[{}]", list(items)),
        Const::Map(entries) => {
            let entries = entries.iter().map(|(key, item)| format!("{}: {}", quoted(key), constant(policy, item)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A string literal.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut all = String::with_capacity(text.len() + 2);
    all.push('"');
    for c in text.chars() {
        match c {
            '"' => all.push_str("\\\""),
            '\\' => all.push_str("\\\\"),
            '\n' => all.push_str("\\n"),
            '\t' => all.push_str("\\t"),
            c if c.is_control() || !plain(c) => {
                all.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
            }
            c => all.push(c),
        }
    }
    all.push('"');
    all
}

/// Characters that may stand in a source: no controls, nothing that reorders text.
fn plain(c: char) -> bool {
    !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
}

/// The text of a tagged literal, which knows no other escape.
fn tagged(text: &str) -> String {
    text.replace('"', "\\\"")
}
