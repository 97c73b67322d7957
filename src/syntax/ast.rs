//! The tree that the parser builds: what was written, nothing resolved.
//!
//! Every node has a span. `Error` variants stand where the source could not be read; whoever meets one says nothing
//! more about it, so that one fault gives one message. Some things are parsed as a superset of what is legal (any
//! order and number of rule clauses, any annotation) and sorted out by the checker, which can say it better.

use std::sync::Arc;

use crate::base::span::{FileId, Span};

/// A name as written, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The text.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

/// A code for programs: `LEVEL_TOO_LOW`, or, as another system spells it, `"A-001"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeName {
    /// The code, without quotes.
    pub name: Name,
    /// Whether it is written as a string.
    pub quoted: bool,
}

/// A dotted path of names: `acme.release.Kind`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// The parts, at least one.
    pub parts: Vec<Name>,
    /// The whole.
    pub span: Span,
}

/// One file.
#[derive(Clone, Debug)]
pub struct File {
    /// Which file.
    pub file: FileId,
    /// `module a.b(parameters)`, when given.
    pub module: Option<ModuleHeader>,
    /// The items, in source order.
    pub items: Vec<Item>,
}

/// `module acme.release(freeze: Bool, limit: Int = 5)`
#[derive(Clone, Debug)]
pub struct ModuleHeader {
    /// `///` lines above it.
    pub doc: Doc,
    /// The name.
    pub path: Path,
    /// Typed parameters, each perhaps with a default.
    pub parameters: Vec<Parameter>,
    /// The header.
    pub span: Span,
}

/// The text of the `///` lines above something, without the slashes; empty when there is none.
pub type Doc = Vec<Arc<str>>;

/// `name: Type = default`
#[derive(Clone, Debug)]
pub struct Parameter {
    /// `///` lines above it.
    pub doc: Doc,
    /// The name.
    pub name: Name,
    /// The declared type.
    pub ty: Type,
    /// A default: module parameters only.
    pub default: Option<Expr>,
    /// The whole.
    pub span: Span,
}

/// An item with its doc comment.
#[derive(Clone, Debug)]
pub struct Item {
    /// `///` lines above it.
    pub doc: Doc,
    /// What it is.
    pub kind: ItemKind,
    /// The whole, without the doc comment.
    pub span: Span,
}

/// What may stand at the top level of a file.
#[derive(Clone, Debug)]
pub enum ItemKind {
    /// `use a.b.C`, `use a.b.{C, D as E}`, `use a.b as m`
    Use(Use),
    /// `include m(parameter = value) as strict`
    Include(Include),
    /// `const LIMIT: Int = 5`
    Const(Const),
    /// `enum Kind { a, b }`
    Enum(Enum),
    /// `record Money { amount: Decimal }`
    Record(Record),
    /// `record type Job governed by JobState { … }`
    GovernedRecord(GovernedRecord),
    /// `[presented] [approver] entity Person in Team { … }`
    Entity(Entity),
    /// `action deploy in mutating { … }` or `action group mutating { … }`
    Action(Action),
    /// `obligation notify(channel: String)`
    Obligation(Obligation),
    /// `fn f(x: Int) -> Bool = x > 3`
    Function(Function),
    /// `table t(a: A, b: B) -> Int { … }`
    Table(Table),
    /// `lifecycle JobState { … }`
    Lifecycle(Lifecycle),
    /// `[shadow] policy p on a { … }`
    Policy(Policy),
    /// `invariant i on a { … }`
    Invariant(Invariant),
    /// `prove p on a { … }`
    Prove(Prove),
    /// `test "…" { … }`
    Test(Test),
    /// Could not be read; already reported.
    Error,
}

/// `use a.b.{C, D as E}`
#[derive(Clone, Debug)]
pub struct Use {
    /// The path before the braces, or the whole path.
    pub path: Path,
    /// The braces, when given.
    pub names: Option<Vec<UseName>>,
    /// `as x`, without braces only.
    pub alias: Option<Name>,
}

/// `D as E`
#[derive(Clone, Debug)]
pub struct UseName {
    /// The name in the other module.
    pub name: Name,
    /// The name here.
    pub alias: Option<Name>,
}

/// `include acme.guardrails(freeze = false) as strict`
#[derive(Clone, Debug)]
pub struct Include {
    /// The module.
    pub path: Path,
    /// Values for its parameters.
    pub arguments: Vec<NamedArgument>,
    /// A name for this instance: it stands before the ids of its rules instead of the module's name.
    pub alias: Option<Name>,
}

/// `freeze = false`
#[derive(Clone, Debug)]
pub struct NamedArgument {
    /// The parameter.
    pub name: Name,
    /// The value.
    pub value: Expr,
}

/// `const LIMIT: Int = 5`
#[derive(Clone, Debug)]
pub struct Const {
    /// The name.
    pub name: Name,
    /// The type; left out where the value tells.
    pub ty: Option<Type>,
    /// The value.
    pub value: Expr,
}

/// `enum Kind { a, b }`; the order is the order of `<`.
#[derive(Clone, Debug)]
pub struct Enum {
    /// The name.
    pub name: Name,
    /// The variants with their docs.
    pub variants: Vec<(Doc, Name)>,
}

/// `name: Type @annotation`
#[derive(Clone, Debug)]
pub struct Field {
    /// `///` lines above it.
    pub doc: Doc,
    /// The name.
    pub name: Name,
    /// The type.
    pub ty: Type,
    /// `@kernel`, `@advisory`, `@presented`, `@owner`, `@sensitive`, as written; the checker knows which go where.
    pub annotations: Vec<Name>,
    /// The whole.
    pub span: Span,
}

/// `record Money { amount: Decimal, currency: Currency }`
#[derive(Clone, Debug)]
pub struct Record {
    /// The name.
    pub name: Name,
    /// The fields.
    pub fields: Vec<Field>,
}

/// `record type Job governed by JobState { fields and invariants }`: declares a kind of record that the kernel keeps.
/// It is a presented entity type with the fields and `status: JobState`; its invariants hold on every action whose
/// resource it is.
#[derive(Clone, Debug)]
pub struct GovernedRecord {
    /// The name.
    pub name: Name,
    /// The lifecycle.
    pub lifecycle: Path,
    /// The fields.
    pub fields: Vec<Field>,
    /// The invariants; `on` is empty.
    pub invariants: Vec<(Doc, Invariant)>,
}

/// `entity Agent in Team { level: Int in 0..=10 }`
#[derive(Clone, Debug)]
pub struct Entity {
    /// The name.
    pub name: Name,
    /// `presented`: attributes come with the request.
    pub presented: Option<Span>,
    /// `approver`: may vote on approvals.
    pub approver: Option<Span>,
    /// The types its parents may have.
    pub parents: Vec<Path>,
    /// The attributes.
    pub fields: Vec<Field>,
}

/// `action deploy in mutating { subject: A | B  resource: C  context { … } }`
#[derive(Clone, Debug)]
pub struct Action {
    /// The name.
    pub name: Name,
    /// `action group`.
    pub is_group: bool,
    /// The groups that it is a member of.
    pub groups: Vec<Path>,
    /// `subject: A | B`; a group may leave it out, an action may not. Several entries are a fault.
    pub subject: Vec<(Span, Vec<Path>)>,
    /// `resource: C`, likewise.
    pub resource: Vec<(Span, Vec<Path>)>,
    /// `context { … }`; several entries are a fault.
    pub context: Vec<(Span, Vec<Field>)>,
}

/// `obligation notify(channel: String, level: Int)`
#[derive(Clone, Debug)]
pub struct Obligation {
    /// The name.
    pub name: Name,
    /// Typed parameters.
    pub parameters: Vec<Parameter>,
}

/// `fn f(x: Int, y: Int) -> Bool = x > y`
#[derive(Clone, Debug)]
pub struct Function {
    /// The name.
    pub name: Name,
    /// Typed parameters.
    pub parameters: Vec<Parameter>,
    /// The result type.
    pub result: Type,
    /// The body.
    pub body: Expr,
}

/// `table t(a: A) -> Int in 0..=2 { pattern, pattern => expr, }`
#[derive(Clone, Debug)]
pub struct Table {
    /// The name.
    pub name: Name,
    /// Typed parameters: the columns.
    pub parameters: Vec<Parameter>,
    /// The result type.
    pub result: Type,
    /// The rows; the first that matches counts, but no row may be hidden by rows above it.
    pub rows: Vec<Row>,
}

/// One row of a table.
#[derive(Clone, Debug)]
pub struct Row {
    /// `///` lines above it.
    pub doc: Doc,
    /// A pattern for each column.
    pub patterns: Vec<Pattern>,
    /// The result.
    pub value: Expr,
    /// The whole.
    pub span: Span,
}

/// A pattern of a table or a `match`.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// What it is.
    pub kind: PatternKind,
    /// Where.
    pub span: Span,
}

/// What a pattern may be.
#[derive(Clone, Debug)]
pub enum PatternKind {
    /// `_`
    Any,
    /// `a | b`
    Or(Vec<Pattern>),
    /// A bare or qualified variant: `webapp`, `Kind.webapp`; also a constant.
    Name(Path),
    /// A literal, perhaps negative: `true`, `5`, `-1`, `"x"`, `1h`, `0.5`.
    Literal(Literal),
    /// `1..=5`; a side that is missing is open.
    Range(Option<Literal>, Option<Literal>),
    /// `present` / `absent`, of an optional.
    Present,
    /// See `Present`.
    Absent,
    /// Could not be read; already reported.
    Error,
}

/// `lifecycle JobState { a -> b | c  final c }`
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// The name.
    pub name: Name,
    /// The lines with their docs, in source order; the first state named is the initial one unless `initial` names
    /// others.
    pub lines: Vec<(Doc, LifecycleLine)>,
}

/// One line of a lifecycle.
#[derive(Clone, Debug)]
pub enum LifecycleLine {
    /// `a | b -> c | d`
    Steps {
        /// From each of these …
        from: Vec<Name>,
        /// … to each of these.
        to: Vec<Name>,
        /// The line.
        span: Span,
    },
    /// `initial a, b`
    Initial(Vec<Name>, Span),
    /// `final c, d`
    Final(Vec<Name>, Span),
}

/// `shadow policy p on a | b { … }`
#[derive(Clone, Debug)]
pub struct Policy {
    /// The name.
    pub name: Name,
    /// `shadow`.
    pub shadow: Option<Span>,
    /// The actions and groups.
    pub on: Vec<Path>,
    /// The lines, in source order.
    pub lines: Vec<PolicyLine>,
}

/// One line of a policy.
#[derive(Clone, Debug)]
pub enum PolicyLine {
    /// `let needed = …`, seen by the lines below it.
    Let(Let),
    /// A rule.
    Rule(Rule),
    /// Could not be read; already reported.
    Error(Span),
}

/// `let x: T = e`
#[derive(Clone, Debug)]
pub struct Let {
    /// `///` lines above it.
    pub doc: Doc,
    /// The name.
    pub name: Name,
    /// The type, when given.
    pub ty: Option<Type>,
    /// The value.
    pub value: Expr,
    /// The whole.
    pub span: Span,
}

/// What a rule does when it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `allow`
    Allow,
    /// `deny`
    Deny,
    /// `require approval`
    RequireApproval,
}

/// `deny newcomers when … because "…"`
#[derive(Clone, Debug)]
pub struct Rule {
    /// `///` lines above it.
    pub doc: Doc,
    /// The effect.
    pub effect: Effect,
    /// The name: with the module and policy not needed in it, `module.name` is the rule's id.
    pub name: Name,
    /// The clauses, in source order, any number of each; the checker says which may stand where and how often.
    pub clauses: Vec<Clause>,
    /// The whole.
    pub span: Span,
}

/// A clause of a rule, an invariant.
#[derive(Clone, Debug)]
pub struct Clause {
    /// What it is.
    pub kind: ClauseKind,
    /// The whole.
    pub span: Span,
}

/// What a clause may be.
#[derive(Clone, Debug)]
pub enum ClauseKind {
    /// `when e`; several are joined by `and`.
    When(Expr),
    /// `unless e`, which is `when not (e)`.
    Unless(Expr),
    /// `from Team::"x"`
    From(Expr),
    /// `quorum e`
    Quorum(Expr),
    /// `within 4h`
    Within(Expr),
    /// `escalate to Team::"y" after 2h`
    Escalate {
        /// The next group.
        to: Expr,
        /// After how long.
        after: Expr,
    },
    /// `distinct`: people who voted on another gate of the decision don't count on this one.
    Distinct,
    /// `code LEVEL_TOO_LOW`
    Code(CodeName),
    /// `because "{subject} may not"`
    Because(Message),
    /// `oblige notify("x")`
    Oblige {
        /// The obligation.
        name: Path,
        /// Positional arguments.
        arguments: Vec<Expr>,
    },
    /// Could not be read; already reported.
    Error,
}

/// A string with `{path}` in it; `{{` and `}}` are braces.
#[derive(Clone, Debug)]
pub struct Message {
    /// The parts.
    pub parts: Vec<MessagePart>,
    /// The whole literal.
    pub span: Span,
}

/// A part of a message.
#[derive(Clone, Debug)]
pub enum MessagePart {
    /// Text.
    Text(Arc<str>),
    /// `{resource.kind}`: a path of names, as an expression; the span is that of the inside.
    Path(Expr),
}

/// `invariant i on a { let … require e  code C  because "…" }`
#[derive(Clone, Debug)]
pub struct Invariant {
    /// The name.
    pub name: Name,
    /// The actions and groups.
    pub on: Vec<Path>,
    /// The lines, in source order.
    pub lines: Vec<InvariantLine>,
    /// The whole.
    pub span: Span,
}

/// A line of an invariant.
#[derive(Clone, Debug)]
pub enum InvariantLine {
    /// `let x = e`
    Let(Let),
    /// `require e`; several are joined by `and`.
    Require(Expr),
    /// `code`, `because`, `oblige`; `when` restricts where it holds. Others are faults.
    Clause(Clause),
}

/// `prove p on a { claims }`
#[derive(Clone, Debug)]
pub struct Prove {
    /// The name.
    pub name: Name,
    /// The actions and groups.
    pub on: Vec<Path>,
    /// `let` lines.
    pub lets: Vec<Let>,
    /// The claims.
    pub claims: Vec<Claim>,
}

/// One claim.
#[derive(Clone, Debug)]
pub struct Claim {
    /// `///` lines above it.
    pub doc: Doc,
    /// What is claimed.
    pub kind: ClaimKind,
    /// The whole.
    pub span: Span,
}

/// What may be claimed.
#[derive(Clone, Debug)]
pub enum ClaimKind {
    /// `never allow when e` (the answer is never ALLOW), `never deny …`, `never require approval …`
    Never(Effect, Option<Expr>),
    /// `always deny when e` and so on: the answer is that one.
    Always(Effect, Option<Expr>),
    /// `policy a implies policy b`: whatever `a` alone permits, `b` alone permits.
    PolicyImplies(Path, Path),
    /// `at most one of a, b, c`: of these rules.
    AtMostOne(Vec<Path>),
    /// `rule a implies rule b`: whenever a matches, b matches.
    RuleImplies(Path, Path),
    /// Could not be read; already reported.
    Error,
}

/// `test "…" { lines }`
#[derive(Clone, Debug)]
pub struct Test {
    /// The name.
    pub name: Arc<str>,
    /// Its place.
    pub name_span: Span,
    /// The lines, in source order.
    pub lines: Vec<TestLine>,
}

/// A line of a test.
#[derive(Clone, Debug)]
pub enum TestLine {
    /// `given subject = Agent::"ci" in Team::"shop" { … }` or `given Person::"ann" in Team::"x" { … }`
    Given {
        /// `subject` or `resource`, or nothing: then it is just there.
        role: Option<Name>,
        /// The entity.
        entity: EntityLiteral,
        /// The whole.
        span: Span,
    },
    /// `when deploy { commit: "x" }`: the caller's context; several make several requests, each with its expectations.
    When {
        /// The action.
        action: Path,
        /// The context.
        context: Vec<FieldValue>,
        /// The whole.
        span: Span,
    },
    /// `facts { now: timestamp"…" }`: the kernel's fields.
    Facts(Vec<FieldValue>, Span),
    /// `expect deny by newcomers code LEVEL_TOO_LOW`
    Expect(Expect),
    /// Could not be read; already reported.
    Error(Span),
}

/// `Agent::"ci" in Team::"shop" { level: 5 }`
#[derive(Clone, Debug)]
pub struct EntityLiteral {
    /// The type.
    pub ty: Path,
    /// The id.
    pub id: Arc<str>,
    /// The id's place.
    pub id_span: Span,
    /// Parents: type and id of each.
    pub parents: Vec<(Path, Arc<str>, Span)>,
    /// Attributes, when a body is given.
    pub fields: Option<Vec<FieldValue>>,
    /// The whole.
    pub span: Span,
}

/// `level: 5`
#[derive(Clone, Debug)]
pub struct FieldValue {
    /// The name.
    pub name: Name,
    /// The value.
    pub value: Expr,
}

/// `expect require_approval by a, b quorum 2 code X kind violated`
#[derive(Clone, Debug)]
pub struct Expect {
    /// `allow`, `deny`, `require_approval`, `error`, as written.
    pub answer: Name,
    /// `by a, b`: these rules are among the determining ones.
    pub by: Vec<Path>,
    /// `code X, Y`: these codes are among the decision's.
    pub codes: Vec<CodeName>,
    /// `quorum 2`: of the one gate (or the gate of the rule after `by`).
    pub quorum: Option<Expr>,
    /// `from`, `within`, `escalate`, `distinct`: of the same gate.
    pub gate: Vec<Clause>,
    /// `oblige a, b`: these obligations are there.
    pub obligations: Vec<Path>,
    /// The whole.
    pub span: Span,
}

/// A type as written.
#[derive(Clone, Debug)]
pub struct Type {
    /// What it is.
    pub kind: TypeKind,
    /// Where.
    pub span: Span,
}

/// What a type may be.
#[derive(Clone, Debug)]
pub enum TypeKind {
    /// `Int`, `String`, `Kind`, `a.b.Kind`
    Name(Path),
    /// `Int in 0..=10`: the bounds are constant expressions.
    Range(Box<Type>, Box<Expr>, Box<Expr>),
    /// `Set<T>`, `List<T>`, `Map<String, T>`: the arguments are sorted out by the checker.
    Generic(Name, Vec<Type>),
    /// `String max 200`, `Set<T> max 64`
    Max(Box<Type>, Box<Expr>),
    /// `T?`
    Optional(Box<Type>),
    /// Could not be read; already reported.
    Error,
}

/// A literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// `true`, `false`
    Bool(bool),
    /// `5`, `-5`, `1_000`: text without underscores, so that a number too large is the checker's to report.
    Int(Arc<str>),
    /// `0.10`
    Decimal(Arc<str>),
    /// `4h`, `1h30m`
    Duration(Arc<str>),
    /// `"text"`, unescaped
    String(Arc<str>),
    /// `timestamp"…"`, `ip"…"`, `net"…"`, `url"…"`, `path"…"`, `glob"…"`, `regex"…"`: kind and raw text
    Tagged(Tag, Arc<str>),
}

/// The word before a tagged string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// RFC 3339.
    Timestamp,
    /// An address.
    Ip,
    /// A network.
    Net,
    /// A URL.
    Url,
    /// An absolute path.
    Path,
    /// A glob.
    Glob,
    /// A regular expression.
    Regex,
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// What an expression may be.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A literal.
    Literal(Literal),
    /// A bare name: a variable, a parameter, a constant, a variant, `subject`, `resource`, `context`, `action`.
    Name(Name),
    /// `a.b`
    Field(Box<Expr>, Name),
    /// `a[b]`
    Index(Box<Expr>, Box<Expr>),
    /// `f(a, b)`: a function, a table or a builtin
    Call(Path, Vec<Expr>),
    /// `Team::"x"`
    Entity(Path, Arc<str>),
    /// `{ a, b }` of elements: a set.
    Set(Vec<Expr>),
    /// `[ a, b ]`
    List(Vec<Expr>),
    /// `{ a: 1, b: 2 }`: a record, or with string keys a map.
    Record(Vec<FieldValue>),
    /// `{ "a": 1 }`
    Map(Vec<(Expr, Expr)>),
    /// `{}`: an empty set, record or map, as the expected type says.
    EmptyBraces,
    /// `not a`, `-a`
    Unary(UnaryOp, Box<Expr>),
    /// `a and b`
    Binary(BinaryOp, Box<Expr>, Box<Expr>, Span),
    /// `a matches glob"…"`; the right side is any expression here, a pattern literal for the checker.
    Matches(Box<Expr>, Box<Expr>),
    /// `x is present`, `x is absent`, `x is Agent`, `x is final`, `x is initial`: the word or type after `is`.
    Is(Box<Expr>, Path),
    /// `if a then b else c`
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `match e { p => a, _ => b, }`
    Match(Box<Expr>, Vec<MatchArm>),
    /// `any(x in xs: e)`
    Quantifier(QuantifierKind, Name, Box<Expr>, Box<Expr>),
    /// `acyclic(x in xs: node -> edges)`
    Acyclic(Name, Box<Expr>, Box<Expr>, Box<Expr>),
    /// `(a)`: kept, so that the formatter shows what was written.
    Paren(Box<Expr>),
    /// Could not be read; already reported.
    Error,
}

/// One arm of a `match`.
#[derive(Clone, Debug)]
pub struct MatchArm {
    /// The pattern.
    pub pattern: Pattern,
    /// The result.
    pub value: Expr,
    /// The whole.
    pub span: Span,
}

/// `any`, `all`, `count`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantifierKind {
    /// At least one element.
    Any,
    /// Every element.
    All,
    /// How many elements: an Int.
    Count,
}

/// An operator before its operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `not`
    Not,
    /// `-`
    Negate,
}

/// An operator between its operands; strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    /// `implies`: right-associative, binds weakest.
    Implies,
    /// `or`
    Or,
    /// `and`
    And,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `a in b`: member of a set or list, key-less; entity within an entity; address in a net; path or URL within another.
    In,
    /// `a contains b`: a set or list and an element, a map and a key, a string and a part of it.
    Contains,
    /// `contains_all`
    ContainsAll,
    /// `contains_any`
    ContainsAny,
    /// `starts_with`
    StartsWith,
    /// `ends_with`
    EndsWith,
    /// `a -> b`: of a lifecycle: may step from a to b.
    StepsTo,
    /// `a ?? b`: right-associative; binds stronger than the comparisons.
    Default,
    /// `a union b`
    Union,
    /// `a intersect b`
    Intersect,
    /// `a except b`
    Except,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`: by a constant that is not zero
    Divide,
}
