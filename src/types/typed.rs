//! The typed tree: what the checker gives to the compiler, the reference evaluator and the analysis.
//!
//! All names are resolved to ids, every expression has its type, `when`/`unless` are joined, constants are folded,
//! sugar is gone. Nothing in it is faulty: it exists only for a source without errors.

use std::sync::Arc;

use crate::base::span::{SourceMap, Span};
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::ip::{IpAddr, IpNet};
use crate::data::path::Path;
use crate::data::timestamp::Timestamp;
use crate::data::url::Url;
use crate::types::operator::Operator;
use crate::types::ty::Type;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The place in its list.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// Index into `TypedPolicy::modules`.
    ModuleId;
    /// Index into `TypedPolicy::enums`.
    EnumId;
    /// Index into `TypedPolicy::records`.
    RecordId;
    /// Index into `TypedPolicy::entity_types`.
    EntityTypeId;
    /// Index into `TypedPolicy::actions`.
    ActionId;
    /// Index into `TypedPolicy::groups`.
    GroupId;
    /// Index into `TypedPolicy::obligations`.
    ObligationId;
    /// Index into `TypedPolicy::functions`.
    FunctionId;
    /// Index into `TypedPolicy::policies`.
    PolicyId;
    /// A `let`, a function's parameter, or a quantifier's variable; unique within one policy, invariant or function.
    LocalId;
    /// A parameter of the module: index into `Module::parameters`.
    ParameterId;
}

/// A checked package with everything it includes.
#[derive(Clone, Debug)]
pub struct TypedPolicy {
    /// The package's name; of a single file, the module's.
    pub name: Arc<str>,
    /// Its version, `0.0.0` for a single file.
    pub version: Arc<str>,
    /// All sources: the package's own sorted by name, then dependencies', then the standard library's that are used.
    pub sources: SourceMap,
    /// All modules that are looked at.
    pub modules: Vec<Module>,
    /// Which modules are active, with which parameters, in source order.
    pub instances: Vec<Instance>,
    /// Enums, those of lifecycles among them.
    pub enums: Vec<EnumDef>,
    /// Records.
    pub records: Vec<RecordDef>,
    /// Entity types.
    pub entity_types: Vec<EntityTypeDef>,
    /// Actions, groups not among them.
    pub actions: Vec<ActionDef>,
    /// Groups of actions.
    pub groups: Vec<GroupDef>,
    /// Obligations.
    pub obligations: Vec<ObligationDef>,
    /// Functions and tables. A function calls only functions with smaller ids.
    pub functions: Vec<FunctionDef>,
    /// Policies with their rules; of all modules, active or not.
    pub policies: Vec<PolicyDef>,
    /// Invariants; likewise.
    pub invariants: Vec<InvariantDef>,
    /// Claims for the analysis.
    pub proves: Vec<ProveDef>,
    /// Tests of the package's own modules.
    pub tests: Vec<TestDef>,
}

/// A module.
#[derive(Clone, Debug)]
pub struct Module {
    /// The dotted name.
    pub name: Arc<str>,
    /// Typed parameters.
    pub parameters: Vec<ParameterDef>,
    /// The package's own, not a dependency's or the standard library's.
    pub own: bool,
}

/// A module at work: its policies and invariants hold, with these values for its parameters.
#[derive(Clone, Debug)]
pub struct Instance {
    /// The module.
    pub module: ModuleId,
    /// What stands before the ids of its rules: the module's name, or the alias of the `include`.
    pub prefix: Arc<str>,
    /// A value for each parameter.
    pub arguments: Vec<Const>,
    /// Where it was included; of a module that is active by itself, its header.
    pub span: Span,
}

/// A parameter.
#[derive(Clone, Debug)]
pub struct ParameterDef {
    /// The name.
    pub name: Arc<str>,
    /// The type.
    pub ty: Type,
    /// Of functions: the local that holds it. Of modules and obligations meaningless.
    pub local: LocalId,
}

/// An enum.
#[derive(Clone, Debug)]
pub struct EnumDef {
    /// The simple name.
    pub name: Arc<str>,
    /// With the module: `acme.release.Kind`.
    pub qualified: Arc<str>,
    /// The variants, in order.
    pub variants: Vec<Arc<str>>,
    /// Of a lifecycle: its steps.
    pub lifecycle: Option<LifecycleDef>,
    /// Where.
    pub span: Span,
}

/// The steps of a lifecycle, states as variants of its enum.
#[derive(Clone, Debug)]
pub struct LifecycleDef {
    /// Initial states.
    pub initial: Vec<u32>,
    /// Final states.
    pub finals: Vec<u32>,
    /// For each state, in order, the states it may step to, sorted.
    pub steps: Vec<Vec<u32>>,
}

/// A field of a record, an attribute of an entity type, or a field of a context.
#[derive(Clone, Debug)]
pub struct FieldDef {
    /// The name.
    pub name: Arc<str>,
    /// The type.
    pub ty: Type,
    /// `@kernel`: given by the kernel (context only).
    pub kernel: bool,
    /// `@advisory`: never bound, never read by a rule (context only).
    pub advisory: bool,
    /// `@presented`: the request may give it (attributes of registered entity types only).
    pub presented: bool,
    /// `@owner`: whoever it names never counts as an approver (attributes of entity type only).
    pub owner: bool,
    /// `@sensitive`: the log keeps a commitment only.
    pub sensitive: bool,
    /// Where.
    pub span: Span,
}

/// A record.
#[derive(Clone, Debug)]
pub struct RecordDef {
    /// The simple name.
    pub name: Arc<str>,
    /// With the module.
    pub qualified: Arc<str>,
    /// The fields, in source order.
    pub fields: Vec<FieldDef>,
    /// Where.
    pub span: Span,
}

/// An entity type.
#[derive(Clone, Debug)]
pub struct EntityTypeDef {
    /// The simple name.
    pub name: Arc<str>,
    /// With the module.
    pub qualified: Arc<str>,
    /// How requests and entities name it: the simple name, or the qualified one where two share the simple one.
    pub wire: Arc<str>,
    /// Attributes come with the request.
    pub presented: bool,
    /// May approve.
    pub approver: bool,
    /// The types that its direct parents may have, sorted.
    pub parents: Vec<EntityTypeId>,
    /// The attributes, in source order.
    pub attributes: Vec<FieldDef>,
    /// Of a governed record: the enum of its lifecycle; the attribute `status` has that type.
    pub governed_by: Option<EnumId>,
    /// Where.
    pub span: Span,
}

/// An action.
#[derive(Clone, Debug)]
pub struct ActionDef {
    /// The simple name.
    pub name: Arc<str>,
    /// With the module.
    pub qualified: Arc<str>,
    /// How requests name it: the simple name, or the qualified one where two share the simple one.
    pub wire: Arc<str>,
    /// The types its subject may have, sorted.
    pub subject: Vec<EntityTypeId>,
    /// The types its resource may have, sorted.
    pub resource: Vec<EntityTypeId>,
    /// The context, in source order.
    pub context: Vec<FieldDef>,
    /// The groups it is in.
    pub groups: Vec<GroupId>,
    /// Where.
    pub span: Span,
}

/// A group of actions.
#[derive(Clone, Debug)]
pub struct GroupDef {
    /// With the module.
    pub qualified: Arc<str>,
    /// Its members, sorted.
    pub members: Vec<ActionId>,
    /// What a member's subject may be; empty where the group does not say.
    pub subject: Vec<EntityTypeId>,
    /// What its resource may be; likewise.
    pub resource: Vec<EntityTypeId>,
    /// What every member's context has.
    pub context: Vec<FieldDef>,
    /// Where.
    pub span: Span,
}

/// An obligation.
#[derive(Clone, Debug)]
pub struct ObligationDef {
    /// The simple name.
    pub name: Arc<str>,
    /// With the module.
    pub qualified: Arc<str>,
    /// How decisions name it: the simple name, or the qualified one where two share the simple one.
    pub wire: Arc<str>,
    /// Typed parameters.
    pub parameters: Vec<ParameterDef>,
}

/// A function or a table.
#[derive(Clone, Debug)]
pub struct FunctionDef {
    /// The simple name.
    pub name: Arc<str>,
    /// The module; its parameters may be read in the body.
    pub module: ModuleId,
    /// Typed parameters.
    pub parameters: Vec<ParameterDef>,
    /// The result.
    pub result: Type,
    /// What it gives.
    pub body: FunctionBody,
    /// It reads a parameter of its module, by itself or by another function of it: only its module can call it.
    pub reads_parameter: bool,
    /// Where.
    pub span: Span,
}

/// The body of a function.
#[derive(Clone, Debug)]
pub enum FunctionBody {
    /// `fn`
    Expr(Expr),
    /// `table`: the first row whose patterns all match; some row always does.
    Table(Vec<TableRow>),
}

/// A row of a table.
#[derive(Clone, Debug)]
pub struct TableRow {
    /// One for each parameter.
    pub patterns: Vec<Pattern>,
    /// The result.
    pub value: Expr,
    /// Where.
    pub span: Span,
}

/// A pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Pattern {
    /// Matches everything.
    Any,
    /// One of these.
    Or(Vec<Pattern>),
    /// Equal to this constant.
    Const(Const),
    /// Of Int, Decimal, Duration, Timestamp: from, to, both included; a missing side is open.
    Range(Option<Const>, Option<Const>),
    /// Of an optional.
    Present,
    /// Of an optional.
    Absent,
}

/// A policy.
#[derive(Clone, Debug)]
pub struct PolicyDef {
    /// The simple name.
    pub name: Arc<str>,
    /// The module.
    pub module: ModuleId,
    /// Evaluated and reported, never counted.
    pub shadow: bool,
    /// The actions it is for, groups resolved, sorted.
    pub actions: Vec<ActionId>,
    /// Its `let`s, in source order; each may read the ones before. Shared by the rules.
    pub lets: Vec<LetDef>,
    /// Its rules, in source order.
    pub rules: Vec<RuleDef>,
    /// Where.
    pub span: Span,
}

/// A `let`: by need; an error in it is an error of whoever reads it.
#[derive(Clone, Debug)]
pub struct LetDef {
    /// The local.
    pub local: LocalId,
    /// The name.
    pub name: Arc<str>,
    /// The value.
    pub value: Expr,
}

/// What a rule does.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a rule is one of many, but never copied")]
pub enum Effect {
    /// Grants.
    Allow,
    /// Denies.
    Deny,
    /// Asks for approval.
    RequireApproval(Gate),
}

/// Whose approval, how many, until when.
#[derive(Clone, Debug)]
pub struct Gate {
    /// The group: a literal or a path; can't fail.
    pub from: Expr,
    /// How many different ones: an Int of at least 1; evaluated only when the rule matches.
    pub quorum: Expr,
    /// Until when: a constant or module parameter of type Duration.
    pub within: Option<Expr>,
    /// Where it goes next: a group as in `from`, and after how long as in `within`; in source order.
    pub escalations: Vec<(Expr, Expr)>,
    /// Voters of the decision's other gates don't count.
    pub distinct: bool,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct RuleDef {
    /// The simple name, unique in its module among rules and invariants; with the instance's prefix it is the id.
    pub name: Arc<str>,
    /// What it does.
    pub effect: Effect,
    /// When it matches: all `when` and `unless` joined by `And`, in source order; `true` where there is none.
    pub condition: Expr,
    /// `code`
    pub code: Option<Arc<str>>,
    /// `because`
    pub message: Option<Vec<MessagePart>>,
    /// `oblige`: the arguments can't fail.
    pub obligations: Vec<(ObligationId, Vec<Expr>)>,
    /// Where.
    pub span: Span,
}

/// A part of a message.
#[derive(Clone, Debug)]
pub enum MessagePart {
    /// Text.
    Text(Arc<str>),
    /// A read that can't fail: subject, resource, a local that is a path, or a path below one.
    Read(Expr),
}

/// An invariant.
#[derive(Clone, Debug)]
pub struct InvariantDef {
    /// The simple name, as of a rule.
    pub name: Arc<str>,
    /// The module.
    pub module: ModuleId,
    /// The actions it is for, groups resolved, sorted; of a governed record's, all actions on that record.
    pub actions: Vec<ActionId>,
    /// Its `let`s.
    pub lets: Vec<LetDef>,
    /// It is violated exactly if this is true: `(all when) and not (all require)`.
    pub violated: Expr,
    /// `code`
    pub code: Option<Arc<str>>,
    /// `because`
    pub message: Option<Vec<MessagePart>>,
    /// Where.
    pub span: Span,
}

/// A block of claims.
#[derive(Clone, Debug)]
pub struct ProveDef {
    /// The simple name.
    pub name: Arc<str>,
    /// The module.
    pub module: ModuleId,
    /// The actions.
    pub actions: Vec<ActionId>,
    /// Its `let`s.
    pub lets: Vec<LetDef>,
    /// The claims.
    pub claims: Vec<(Claim, Span)>,
    /// Where.
    pub span: Span,
}

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// ALLOW
    Allow,
    /// DENY
    Deny,
    /// REQUIRE_APPROVAL
    RequireApproval,
}

/// A claim.
#[derive(Clone, Debug)]
pub enum Claim {
    /// The answer is never this one when the condition holds.
    Never(Answer, Expr),
    /// The answer is always this one when the condition holds.
    Always(Answer, Expr),
    /// Whatever the first policy's rules alone permit, the second's alone permit.
    PolicyImplies(PolicyId, PolicyId),
    /// Of these rules (policy and place in it) at most one matches.
    AtMostOne(Vec<(PolicyId, u32)>),
    /// Whenever the first matches, the second does.
    RuleImplies((PolicyId, u32), (PolicyId, u32)),
}

/// A constant value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Const {
    /// No value, of an optional.
    Absent,
    /// Bool.
    Bool(bool),
    /// Int.
    Int(i64),
    /// Decimal.
    Decimal(Decimal),
    /// String.
    String(Arc<str>),
    /// Duration.
    Duration(Duration),
    /// Timestamp.
    Timestamp(Timestamp),
    /// IpAddr.
    Ip(IpAddr),
    /// IpNet.
    Net(IpNet),
    /// Url.
    Url(Url),
    /// Path.
    Path(Path),
    /// A variant.
    Enum(EnumId, u32),
    /// An entity, by type and id.
    Entity(EntityTypeId, Arc<str>),
    /// A record: its fields in declaration order.
    Record(RecordId, Vec<Const>),
    /// A set: sorted, without duplicates.
    Set(Vec<Const>),
    /// A list.
    List(Vec<Const>),
    /// A map: sorted by key.
    Map(Vec<(Arc<str>, Const)>),
}

/// An expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Its type; after narrowing, the narrowed one.
    pub ty: Type,
    /// Where; an error of it is reported there, and errors are ordered by it.
    pub span: Span,
    /// Whether its value may be an error.
    pub fallible: bool,
}

/// What an expression may be.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A constant.
    Const(Const),
    /// A `let`, a function's parameter, a quantifier's variable.
    Local(LocalId),
    /// A parameter of the module.
    Parameter(ParameterId),
    /// The subject.
    Subject,
    /// The resource.
    Resource,
    /// A field of the context, by name (policies on several actions find it in each).
    Context(Arc<str>),
    /// The wire name of the action, as a String.
    ActionName,
    /// An attribute of an entity, by name (the operand may be of several types).
    Attribute(Box<Expr>, Arc<str>),
    /// A field of a record, by its place.
    Field(Box<Expr>, u32),
    /// A builtin operation.
    Operator(Operator, Vec<Expr>),
    /// `a matches …`: the whole string. The source of the regular expression that a glob translates to is in it.
    Matches(Box<Expr>, PatternSource),
    /// `x is present`.
    IsPresent(Box<Expr>),
    /// An optional that is known to be present here: its value; an entity that is known to be of fewer types.
    Narrowed(Box<Expr>),
    /// `a ?? b`: the first if present, else the second.
    Default(Box<Expr>, Box<Expr>),
    /// `x is Agent`: of one of these types.
    IsType(Box<Expr>, Vec<EntityTypeId>),
    /// `x is final` (true) or `x is initial` (false), of a lifecycle's state, is `Contains` on a constant set; `a -> b` is this.
    StepsTo(EnumId, Box<Expr>, Box<Expr>),
    /// `if`: an error in the condition is the result.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `match`: the first arm that matches; some arm always does.
    Match(Box<Expr>, Vec<(Pattern, Expr)>),
    /// A function or table.
    Call(FunctionId, Vec<Expr>),
    /// `any`, `all` (Kleene: an error only if nothing decides), `count` (an error if any body is one).
    /// Over a set, a list, or the keys of a map.
    Quantifier(Quantifier, LocalId, Box<Expr>, Box<Expr>),
    /// `acyclic(x in xs: node -> edges)`: whether the graph has no cycle. Over what, the node, and the nodes that its edges
    /// lead to, a set or list of the node's type. An error of any of them is the result.
    Acyclic(LocalId, Box<Expr>, Box<Expr>, Box<Expr>),
    /// A set of values that are not all constant; duplicates fall together.
    Set(Vec<Expr>),
    /// A list.
    List(Vec<Expr>),
    /// A map with constant keys, sorted.
    Map(Vec<(Arc<str>, Expr)>),
    /// A record: its fields in declaration order.
    Record(RecordId, Vec<Expr>),
}

/// `any`, `all`, `count`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// At least one.
    Any,
    /// Every one.
    All,
    /// How many.
    Count,
}

/// A pattern for strings.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PatternSource {
    /// `glob"…"`
    Glob(Arc<str>),
    /// `regex"…"`
    Regex(Arc<str>),
}

/// A test.
#[derive(Clone, Debug)]
pub struct TestDef {
    /// The name.
    pub name: Arc<str>,
    /// The module it stands in.
    pub module: ModuleId,
    /// Entities that are there, subject and resource among them.
    pub entities: Vec<TestEntity>,
    /// The requests, each with what is expected of it.
    pub cases: Vec<TestCase>,
    /// Where.
    pub span: Span,
}

/// An entity of a test.
#[derive(Clone, Debug)]
pub struct TestEntity {
    /// The type.
    pub ty: EntityTypeId,
    /// The id.
    pub id: Arc<str>,
    /// Direct parents.
    pub parents: Vec<(EntityTypeId, Arc<str>)>,
    /// Attributes by name, only those given.
    pub attributes: Vec<(Arc<str>, Const)>,
}

/// A request of a test.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// The action.
    pub action: ActionId,
    /// Index of the subject in the test's entities.
    pub subject: u32,
    /// Index of the resource.
    pub resource: u32,
    /// What the caller gives, only fields given.
    pub context: Vec<(Arc<str>, Const)>,
    /// What the kernel gives.
    pub facts: Vec<(Arc<str>, Const)>,
    /// What is expected.
    pub expects: Vec<ExpectDef>,
    /// Where.
    pub span: Span,
}

/// A group that a test names, as decisions do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupExpect {
    /// The type's name on the wire.
    pub ty: Arc<str>,
    /// The id.
    pub id: Arc<str>,
}

/// What a test expects of a gate; what is not said may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateExpect {
    /// The group that may approve.
    pub from: Option<GroupExpect>,
    /// Until when.
    pub within: Option<Duration>,
    /// Every escalation, in order; none if nothing is said of them.
    pub escalations: Vec<(GroupExpect, Duration)>,
    /// Voters of other gates don't count.
    pub distinct: bool,
}

/// What a test expects.
#[derive(Clone, Debug)]
pub struct ExpectDef {
    /// The answer; `expect error` is `Deny` with `error` set.
    pub answer: Answer,
    /// The kind is `error`.
    pub error: bool,
    /// Ids of rules that must be among the determining ones.
    pub by: Vec<Arc<str>>,
    /// Codes that must be among the decision's.
    pub codes: Vec<Arc<str>>,
    /// The quorum of the gate of the first rule of `by`, or of the only gate.
    pub quorum: Option<i64>,
    /// What else is said of that gate.
    pub gate: GateExpect,
    /// Wire names of obligations that must be there.
    pub obligations: Vec<Arc<str>>,
    /// Where.
    pub span: Span,
}
