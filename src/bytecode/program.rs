//! A program as plain data: what the compiler makes, the bundle carries, and the verifier looks at.
//!
//! A `Program` can say anything; only what `verify` makes of it can run.

use crate::bytecode::op::Op;
use crate::bytecode::schema::{Schema, TypeId};
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::ip::{IpAddr, IpNet};
use crate::data::timestamp::Timestamp;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);
    )*};
}

ids! {
    /// Index into `Program::strings`.
    StringId;
    /// Index into `Program::constants`.
    ConstantId;
    /// Index into `Program::patterns`.
    PatternId;
    /// Index into `Program::selectors`.
    SelectorId;
    /// Index into `Program::type_sets`.
    TypeSetId;
    /// Index into `Program::switches`.
    SwitchId;
    /// Index into `Program::functions`.
    FunctionId;
    /// The place of an operation in source order: errors are ordered and reported by it. `Program::sites` tells where it is.
    SiteId;
}

/// A whole program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Program {
    /// The world.
    pub schema: Schema,
    /// Every string that is named anywhere below, each once, sorted.
    pub strings: Vec<Box<str>>,
    /// Every constant, each once. A part (an element, a field) has a smaller id than its whole.
    pub constants: Vec<Constant>,
    /// Regular expressions (globs are translated by the compiler): the whole string has to match.
    pub patterns: Vec<StringId>,
    /// How an attribute is found in each entity type.
    pub selectors: Vec<Selector>,
    /// Sets of entity types for `is`: sorted.
    pub type_sets: Vec<Vec<u32>>,
    /// Jump tables over the variants of an enum.
    pub switches: Vec<Switch>,
    /// Functions. One calls only functions with smaller ids.
    pub functions: Vec<Function>,
    /// The code of all functions, each a stretch of it, in order, without gaps.
    pub code: Vec<Op>,
    /// For instructions that may fail: index of the instruction, and its site; sorted by instruction.
    pub fault_sites: Vec<(u32, SiteId)>,
    /// One for each action of the schema, in the same order.
    pub entries: Vec<Entry>,
    /// How many sites there are (their places are in the source map, which may be stripped).
    pub site_count: u32,
}

/// A constant with its type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Constant {
    /// The type: scalars without refinements' help (`Int` is its full range), collections with their own size as bound.
    pub ty: TypeId,
    /// The value.
    pub value: ConstantValue,
}

/// The value of a constant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ConstantValue {
    /// Absent; its type is an optional.
    Absent,
    /// Bool.
    Bool(bool),
    /// Int.
    Int(i64),
    /// Decimal.
    Decimal(Decimal),
    /// Duration.
    Duration(Duration),
    /// Timestamp.
    Timestamp(Timestamp),
    /// String.
    String(StringId),
    /// IpAddr.
    Ip(IpAddr),
    /// IpNet.
    Net(IpNet),
    /// Url: its normalised text, parsed again at load.
    Url(StringId),
    /// Path: likewise.
    Path(StringId),
    /// A variant.
    Enum(u32),
    /// An entity: its type and id.
    Entity(u32, StringId),
    /// A set: in the order of the constants' values (strings by bytes), without duplicates.
    Set(Vec<ConstantId>),
    /// A list.
    List(Vec<ConstantId>),
    /// A map: sorted by key.
    Map(Vec<(StringId, ConstantId)>),
    /// A record: its fields in order.
    Record(Vec<ConstantId>),
}

/// How an attribute is found: for each entity type that the operand may have, sorted, its place among the attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Entity type and attribute.
    pub columns: Vec<(u32, u32)>,
    /// The type of the result: that of the attribute in every one of them.
    pub ty: TypeId,
}

/// A jump table: a target for each variant of the enum, then one for an operand that is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    /// The enum.
    pub of: u32,
    /// Indices of instructions, as of a jump.
    pub targets: Vec<u32>,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Whose inputs it may read: the entry's number; nobody's: a pure function, which anybody may call.
    pub entry: Option<u32>,
    /// Its value is kept for the length of a decision; it has no parameters. Read by `force`.
    pub memo: bool,
    /// The types of its parameters, which lie in its first slots.
    pub parameters: Vec<TypeId>,
    /// The type of its result.
    pub result: TypeId,
    /// How many slots its frame has, parameters included.
    pub slots: u16,
    /// Its first instruction.
    pub code_start: u32,
    /// One past its last.
    pub code_end: u32,
}

/// What decides an action.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// What its functions read.
    pub inputs: Vec<Input>,
    /// Its rules, in source order.
    pub rules: Vec<Rule>,
    /// How the rules that can match are found.
    pub index: Index,
    /// The certified cost of the action, in steps: no decision takes more.
    pub cost: u64,
}

/// An input of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// The subject.
    Subject,
    /// The resource.
    Resource,
    /// A field of the action's context, by its place; the kernel's fields too.
    Context(u32),
}

/// What a rule does when its condition is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// An `allow` rule.
    Allow,
    /// A `deny` rule.
    Deny,
    /// An `invariant`: its condition is that it is violated.
    Violation,
    /// A `require approval` rule.
    RequireApproval,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The id: `acme.release.licensed`.
    pub id: StringId,
    /// What it does.
    pub effect: Effect,
    /// Reported, never counted.
    pub shadow: bool,
    /// A function of this entry without parameters: Bool.
    pub condition: FunctionId,
    /// Whether the condition can be an error. An entry's decision may leave a rule that cannot unlooked-at once it no
    /// longer matters.
    pub may_fail: bool,
    /// The code.
    pub code: Option<StringId>,
    /// The message.
    pub message: Vec<MessagePart>,
    /// Of `RequireApproval`.
    pub gate: Option<Gate>,
    /// Obligations: index into the schema's, and a function for each argument.
    pub obligations: Vec<(u32, Vec<FunctionId>)>,
    /// Where it stands.
    pub site: SiteId,
}

/// A part of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessagePart {
    /// Text.
    Text(StringId),
    /// The value of a function of this entry without parameters.
    Value(FunctionId),
}

/// An approval gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Gives an entity.
    pub from: FunctionId,
    /// Gives an Int.
    pub quorum: FunctionId,
    /// Milliseconds.
    pub within_ms: Option<i64>,
    /// Next groups (entities) and after how many milliseconds.
    pub escalations: Vec<(FunctionId, i64)>,
    /// Voters of the decision's other gates don't count.
    pub distinct: bool,
}

/// How the rules that can match are found: every rule is under exactly one key, or in `rest`; under an `Equal` key it may
/// be in several buckets (`resource.kind in {page, automation}`). A rule that the index leaves out for
/// a request has a condition that is false for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// Keys.
    pub keys: Vec<Key>,
    /// Rules that are always looked at: places in `Entry::rules`, ascending, as in all lists of rules below.
    pub rest: Vec<u32>,
}

/// A key of the index. A key whose value is an error or absent leaves no rule of its own out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// All these values equal the constants: buckets sorted by constants' ids.
    Equal {
        /// Functions of this entry without parameters, of scalar or entity type; at least one.
        values: Vec<FunctionId>,
        /// A constant for each value, and the rules.
        buckets: Vec<(Vec<ConstantId>, Vec<u32>)>,
    },
    /// A set has the constant: buckets sorted by constant id.
    Member {
        /// A function of this entry without parameters, of set type.
        set: FunctionId,
        /// The constant and the rules.
        buckets: Vec<(ConstantId, Vec<u32>)>,
    },
    /// A value lies below (or at) a bound: of Int, Decimal, Duration or Timestamp.
    Below {
        /// A function of this entry without parameters.
        value: FunctionId,
        /// The rule needs `value <= bound`: sorted by bound, ascending, then by rule.
        rules: Vec<(ConstantId, u32)>,
    },
    /// A value lies above (or at) a bound.
    Above {
        /// A function of this entry without parameters.
        value: FunctionId,
        /// The rule needs `value >= bound`: sorted likewise.
        rules: Vec<(ConstantId, u32)>,
    },
}
