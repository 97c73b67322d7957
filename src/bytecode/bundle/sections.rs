//! How the parts of a program lie in the sections of a bundle.

use crate::bytecode::bundle::Section;
use crate::bytecode::op::Op;
use crate::bytecode::program::{
    Constant, ConstantId, ConstantValue, Effect, Entry, Function, FunctionId, Gate, Index, Input, Key, MessagePart,
    PatternId, Program, Rule, Selector, SelectorId, SiteId, StringId, Switch, SwitchId, TypeSetId,
};
use crate::bytecode::schema::{Action, EntityType, Enum, Field, Lifecycle, Obligation, Record, Schema, Type, TypeId};
use crate::bytecode::wire::{Reader, Wire, WireError, from_bytes, to_bytes, wire_enums, wire_ids, wire_structs};
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::ip::{IpAddr, IpNet};
use crate::data::timestamp::Timestamp;

wire_ids! {
    TypeId, StringId, ConstantId, PatternId, SelectorId, TypeSetId, SwitchId, FunctionId, SiteId, Decimal, Duration,
}

wire_structs! {
    Schema { types, enums, records, entity_types, actions, obligations }
    Field { name, ty, kernel, advisory, presented, owner, sensitive }
    Enum { name, variants, lifecycle }
    Lifecycle { initial, finals, steps }
    Record { name, fields }
    EntityType { name, qualified, presented, approver, parents, attributes, governed_by }
    Action { name, qualified, subject, resource, context }
    Obligation { name, parameters }
    Constant { ty, value }
    Selector { columns, ty }
    Switch { of, targets }
    Function { entry, memo, parameters, result, slots, code_start, code_end }
    Rule { id, effect, shadow, condition, may_fail, code, message, gate, obligations, site }
    Gate { from, quorum, within_ms, escalations, distinct }
    Index { keys, rest }
    Constants { constants, patterns, selectors, type_sets, switches }
    Code { functions, code, fault_sites }
    Entries { entries, site_count }
    EntryRules { inputs, rules, index }
}

wire_enums! {
    Type {
        0 Bool; 1 Int { low, high }; 2 Decimal; 3 String { bytes_max }; 4 Duration; 5 Timestamp; 6 Ip; 7 Net; 8 Url;
        9 Path; 10 Enum(of); 11 Record(of); 12 Entity(types); 13 Set(inner, max); 14 List(inner, max);
        15 Map(inner, max); 16 Optional(inner);
    }
    ConstantValue {
        0 Absent; 1 Bool(value); 2 Int(value); 3 Decimal(value); 4 Duration(value); 5 Timestamp(value); 6 String(id);
        7 Ip(value); 8 Net(value); 9 Url(id); 10 Path(id); 11 Enum(variant); 12 Entity(of, id); 13 Set(parts);
        14 List(parts); 15 Map(entries); 16 Record(parts);
    }
    Input { 0 Subject; 1 Resource; 2 Context(field); }
    Effect { 0 Allow; 1 Deny; 2 Violation; 3 RequireApproval; }
    MessagePart { 0 Text(id); 1 Value(id); }
    Key {
        0 Equal { values, buckets }; 1 Member { set, buckets }; 2 Below { value, rules }; 3 Above { value, rules };
    }
}

impl Wire for Timestamp {
    fn write(&self, out: &mut Vec<u8>) {
        self.millis().write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Timestamp, WireError> {
        Timestamp::from_millis(reader.read()?).ok_or(WireError::Range)
    }
}

impl Wire for IpAddr {
    fn write(&self, out: &mut Vec<u8>) {
        self.is_v6().write(out);
        self.bits().write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<IpAddr, WireError> {
        IpAddr::from_parts(reader.read()?, reader.read()?).ok_or(WireError::Range)
    }
}

impl Wire for IpNet {
    fn write(&self, out: &mut Vec<u8>) {
        self.address().write(out);
        self.prefix().write(out);
    }

    fn read(reader: &mut Reader<'_>) -> Result<IpNet, WireError> {
        IpNet::new(reader.read()?, reader.read()?).map_err(|_| WireError::Range)
    }
}

/// The section of constants and what is like them.
struct Constants {
    constants: Vec<Constant>,
    patterns: Vec<StringId>,
    selectors: Vec<Selector>,
    type_sets: Vec<Vec<u32>>,
    switches: Vec<Switch>,
}

struct Code {
    functions: Vec<Function>,
    code: Vec<Op>,
    fault_sites: Vec<(u32, SiteId)>,
}

struct Entries {
    entries: Vec<EntryRules>,
    site_count: u32,
}

/// An entry without its cost, which has a section of its own.
struct EntryRules {
    inputs: Vec<Input>,
    rules: Vec<Rule>,
    index: Index,
}

/// The mandatory sections of a program, in order; the manifest is not among them.
pub(super) fn write(program: &Program) -> Vec<(Section, Vec<u8>)> {
    let constants = Constants {
        constants: program.constants.clone(),
        patterns: program.patterns.clone(),
        selectors: program.selectors.clone(),
        type_sets: program.type_sets.clone(),
        switches: program.switches.clone(),
    };
    let code = Code {
        functions: program.functions.clone(),
        code: program.code.clone(),
        fault_sites: program.fault_sites.clone(),
    };
    let entry = |entry: &Entry| EntryRules {
        inputs: entry.inputs.clone(),
        rules: entry.rules.clone(),
        index: entry.index.clone(),
    };
    let entries = Entries { entries: program.entries.iter().map(entry).collect(), site_count: program.site_count };
    let costs: Vec<u64> = program.entries.iter().map(|entry| entry.cost).collect();
    vec![
        (Section::Schema, to_bytes(&program.schema)),
        (Section::Strings, to_bytes(&program.strings)),
        (Section::Constants, to_bytes(&constants)),
        (Section::Code, to_bytes(&code)),
        (Section::Entries, to_bytes(&entries)),
        (Section::Costs, to_bytes(&costs)),
    ]
}

/// The program that mandatory sections hold; `bytes` gives those of a section.
pub(super) fn read<'a, E>(
    bytes: impl Fn(Section) -> Result<&'a [u8], E>,
    malformed: impl Fn(Section, WireError) -> E,
) -> Result<Program, E> {
    fn part<'a, T: Wire, E>(
        section: Section,
        bytes: &impl Fn(Section) -> Result<&'a [u8], E>,
        malformed: &impl Fn(Section, WireError) -> E,
    ) -> Result<T, E> {
        from_bytes(bytes(section)?).map_err(|error| malformed(section, error))
    }
    let schema: Schema = part(Section::Schema, &bytes, &malformed)?;
    let strings = part(Section::Strings, &bytes, &malformed)?;
    let constants: Constants = part(Section::Constants, &bytes, &malformed)?;
    let code: Code = part(Section::Code, &bytes, &malformed)?;
    let entries: Entries = part(Section::Entries, &bytes, &malformed)?;
    let costs: Vec<u64> = part(Section::Costs, &bytes, &malformed)?;
    if costs.len() != entries.entries.len() {
        return Err(malformed(Section::Costs, WireError::Range));
    }
    let with_cost =
        |(entry, cost): (EntryRules, u64)| Entry { inputs: entry.inputs, rules: entry.rules, index: entry.index, cost };
    Ok(Program {
        schema,
        strings,
        constants: constants.constants,
        patterns: constants.patterns,
        selectors: constants.selectors,
        type_sets: constants.type_sets,
        switches: constants.switches,
        functions: code.functions,
        code: code.code,
        fault_sites: code.fault_sites,
        entries: entries.entries.into_iter().zip(costs).map(with_cost).collect(),
        site_count: entries.site_count,
    })
}
