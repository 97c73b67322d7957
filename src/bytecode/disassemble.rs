//! A program as assembly: what `assemble` reads back as the same program, if the verifier accepts it.
//!
//! Any program can be written, sane or not; what has no name is written as its number.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::bytecode::assemble::{is_word, quoted};
use crate::bytecode::info::Role;
use crate::bytecode::op::Op;
use crate::bytecode::program::{
    ConstantId, ConstantValue, Effect, Entry, Function, FunctionId, Gate, Input, Key, MessagePart, Program, Rule,
    StringId,
};
use crate::bytecode::schema::{Enum, Field, Schema, Type, TypeId};

/// The assembly of a whole program.
#[must_use]
pub fn disassemble(program: &Program) -> String {
    let mut writer =
        Writer { program, out: String::new(), tables: 0, sites: program.fault_sites.iter().copied().collect() };
    writer.schema();
    writer.constants();
    writer.inputs();
    for number in 0..program.functions.len() {
        writer.function(number);
    }
    // Jump tables that no instruction names in order.
    for table in program.switches.iter().skip(writer.tables) {
        let of = enum_name(&program.schema, table.of);
        writer.line(&format!("switch {of} {{ {} }}", joined(&table.targets)));
    }
    for number in 0..program.entries.len() {
        writer.entry(number);
    }
    writer.line(&format!("sites {}", program.site_count));
    writer.out
}

/// The assembly of one function.
#[must_use]
pub fn disassemble_function(program: &Program, function: u32) -> String {
    let sites = program.fault_sites.iter().copied().collect();
    let mut writer = Writer { program, out: String::new(), tables: usize::MAX, sites };
    writer.function(function as usize);
    writer.out
}

struct Writer<'a> {
    program: &'a Program,
    out: String,
    /// How many jump tables were written with the instructions that name them.
    tables: usize,
    sites: BTreeMap<u32, crate::bytecode::program::SiteId>,
}

fn joined<T: std::fmt::Display>(items: &[T]) -> String {
    let words: Vec<_> = items.iter().map(ToString::to_string).collect();
    words.join(" ")
}

fn name(text: &str) -> String {
    if is_word(text) { text.to_owned() } else { quoted(text) }
}

fn enum_name(schema: &Schema, of: u32) -> String {
    schema.enums.get(of as usize).map_or_else(|| format!("#{of}"), |of| name(&of.name))
}

fn entity_name(schema: &Schema, of: u32) -> String {
    schema.entity_types.get(of as usize).map_or_else(|| format!("#{of}"), |of| name(&of.name))
}

fn record_name(schema: &Schema, of: u32) -> String {
    schema.records.get(of as usize).map_or_else(|| format!("#{of}"), |of| name(&of.name))
}

fn action_name(schema: &Schema, of: u32) -> String {
    schema.actions.get(of as usize).map_or_else(|| format!("#{of}"), |of| name(&of.name))
}

fn variant_name(of: Option<&Enum>, variant: u32) -> String {
    let variants = of.map_or(&[][..], |of| &of.variants);
    variants.get(variant as usize).map_or_else(|| format!("#{variant}"), |variant| name(variant))
}

fn entities(schema: &Schema, types: &[u32]) -> String {
    let names: Vec<_> = types.iter().map(|of| entity_name(schema, *of)).collect();
    format!("{{ {} }}", names.join(" "))
}

impl Writer<'_> {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn ty(&self, id: TypeId) -> String {
        match self.program.schema.types.get(id.0 as usize) {
            // A part that does not come before its whole could go on for ever.
            Some(ty) => self.type_text(ty, id.0),
            None => format!("#{}", id.0),
        }
    }

    fn part(&self, id: TypeId, whole: u32) -> String {
        if id.0 < whole { self.ty(id) } else { format!("#{}", id.0) }
    }

    fn type_text(&self, ty: &Type, at: u32) -> String {
        let schema = &self.program.schema;
        match ty {
            Type::Bool => "Bool".into(),
            Type::Int { low: i64::MIN, high: i64::MAX } => "Int".into(),
            Type::Int { low, high } => format!("Int({low}, {high})"),
            Type::Decimal => "Decimal".into(),
            Type::String { bytes_max } => format!("String({bytes_max})"),
            Type::Duration => "Duration".into(),
            Type::Timestamp => "Timestamp".into(),
            Type::Ip => "Ip".into(),
            Type::Net => "Net".into(),
            Type::Url => "Url".into(),
            Type::Path => "Path".into(),
            Type::Enum(of) => format!("enum {}", enum_name(schema, *of)),
            Type::Record(of) => format!("record {}", record_name(schema, *of)),
            Type::Entity(types) => format!("entity {}", entities(schema, types)),
            Type::Set(inner, max) => format!("Set({}, {max})", self.part(*inner, at)),
            Type::List(inner, max) => format!("List({}, {max})", self.part(*inner, at)),
            Type::Map(inner, max) => format!("Map({}, {max})", self.part(*inner, at)),
            Type::Optional(inner) => format!("{}?", self.part(*inner, at)),
        }
    }

    fn schema(&mut self) {
        let schema = &self.program.schema;
        for (at, ty) in schema.types.iter().enumerate() {
            let text = self.type_text(ty, at as u32);
            self.line(&format!("type {text}"));
        }
        for of in &schema.enums {
            self.enumeration(of);
        }
        for record in &schema.records {
            let fields = self.fields(&record.fields);
            self.line(&format!("record {} {{{fields}}}", name(&record.name)));
        }
        for of in &schema.entity_types {
            let mut text = format!("entity {} = {}", name(&of.name), name(&of.qualified));
            text.push_str(if of.presented { " presented" } else { "" });
            text.push_str(if of.approver { " approver" } else { "" });
            if !of.parents.is_empty() {
                let _ = write!(text, " in {}", entities(schema, &of.parents));
            }
            if let Some(governed_by) = of.governed_by {
                let _ = write!(text, " governed_by {}", enum_name(schema, governed_by));
            }
            let fields = self.fields(&of.attributes);
            self.line(&format!("{text} {{{fields}}}"));
        }
        for action in &schema.actions {
            let fields = self.fields(&action.context);
            self.line(&format!(
                "action {} = {} subject {} resource {} {{{fields}}}",
                name(&action.name),
                name(&action.qualified),
                entities(schema, &action.subject),
                entities(schema, &action.resource)
            ));
        }
        for obligation in &schema.obligations {
            let mut fields = String::new();
            for (parameter, ty) in &obligation.parameters {
                let _ = write!(fields, " {}: {}", name(parameter), self.ty(*ty));
            }
            self.line(&format!("obligation {} {{{fields} }}", name(&obligation.name)));
        }
    }

    fn enumeration(&mut self, of: &Enum) {
        let variants: Vec<_> = of.variants.iter().map(|variant| name(variant)).collect();
        let mut text = format!("enum {} {{ {} }}", name(&of.name), variants.join(" "));
        if let Some(lifecycle) = &of.lifecycle {
            let states = |list: &[u32]| {
                let names: Vec<_> = list.iter().map(|state| variant_name(Some(of), *state)).collect();
                format!("{{ {} }}", names.join(" "))
            };
            let _ = write!(
                text,
                " lifecycle {{ initial {} final {}",
                states(&lifecycle.initial),
                states(&lifecycle.finals)
            );
            for (from, to) in (0..).zip(&lifecycle.steps) {
                let _ = write!(text, " {} -> {}", variant_name(Some(of), from), states(to));
            }
            text.push_str(" }");
        }
        self.line(&text);
    }

    fn fields(&self, fields: &[Field]) -> String {
        let mut text = String::new();
        for field in fields {
            let _ = write!(text, "\n    {}: {}", name(&field.name), self.ty(field.ty));
            let marks = [
                (field.kernel, " @kernel"),
                (field.advisory, " @advisory"),
                (field.presented, " @presented"),
                (field.owner, " @owner"),
                (field.sensitive, " @sensitive"),
            ];
            marks.iter().filter(|(set, _)| *set).for_each(|(_, mark)| text.push_str(mark));
        }
        text.push_str(if fields.is_empty() { "" } else { "\n" });
        text
    }

    fn string(&self, id: StringId) -> String {
        self.program.strings.get(id.0 as usize).map_or_else(|| format!("#{}", id.0), |text| quoted(text))
    }

    fn constants(&mut self) {
        let program = self.program;
        for text in unused_strings(program) {
            self.line(&format!("string {}", quoted(text)));
        }
        for (at, constant) in program.constants.iter().enumerate() {
            let value = self.value(constant.ty, &constant.value);
            let ty = self.ty(constant.ty);
            self.line(&format!("const c{at}: {ty} = {value}"));
        }
        for (at, pattern) in program.patterns.iter().enumerate() {
            let text = self.string(*pattern);
            self.line(&format!("pattern p{at} {text}"));
        }
        for (at, selector) in program.selectors.iter().enumerate() {
            let mut columns = String::new();
            for (of, attribute) in &selector.columns {
                let entity = program.schema.entity_types.get(*of as usize);
                let attribute = entity
                    .and_then(|of| of.attributes.get(*attribute as usize))
                    .map_or_else(|| format!("#{attribute}"), |attribute| name(&attribute.name));
                let of = entity_name(&program.schema, *of);
                let _ = write!(columns, "{of} {attribute} ");
            }
            let ty = self.ty(selector.ty);
            self.line(&format!("selector s{at}: {ty} {{ {columns}}}"));
        }
        for (at, types) in program.type_sets.iter().enumerate() {
            let types = entities(&program.schema, types);
            self.line(&format!("types t{at} {types}"));
        }
    }

    fn constant(&self, id: ConstantId) -> String {
        if (id.0 as usize) < self.program.constants.len() { format!("c{}", id.0) } else { format!("#{}", id.0) }
    }

    fn value(&self, ty: TypeId, value: &ConstantValue) -> String {
        let schema = &self.program.schema;
        let parts = |ids: &[ConstantId]| {
            let names: Vec<_> = ids.iter().map(|id| self.constant(*id)).collect();
            names.join(" ")
        };
        match value {
            ConstantValue::Absent => "absent".into(),
            ConstantValue::Bool(value) => value.to_string(),
            ConstantValue::Int(value) => value.to_string(),
            ConstantValue::Decimal(value) => {
                let text = value.to_string();
                if text.contains('.') { text } else { format!("{text}.0") }
            }
            ConstantValue::Duration(value) => format!("duration {}", value.0),
            ConstantValue::Timestamp(value) => format!("timestamp \"{value}\""),
            ConstantValue::String(id) if (id.0 as usize) < self.program.strings.len() => self.string(*id),
            ConstantValue::String(id) => format!("string #{}", id.0),
            ConstantValue::Ip(value) => format!("ip \"{value}\""),
            ConstantValue::Net(value) => format!("net \"{value}\""),
            ConstantValue::Url(id) => format!("url {}", self.string(*id)),
            ConstantValue::Path(id) => format!("path {}", self.string(*id)),
            ConstantValue::Enum(variant) => {
                // The type says of which enum; the value alone does not.
                match schema.types.get(ty.0 as usize) {
                    Some(Type::Enum(of)) => {
                        let variant = variant_name(schema.enums.get(*of as usize), *variant);
                        format!("enum {} {variant}", enum_name(schema, *of))
                    }
                    _ => format!("enum #0 #{variant}"),
                }
            }
            ConstantValue::Entity(of, id) => format!("entity {} {}", entity_name(schema, *of), self.string(*id)),
            ConstantValue::Set(ids) => format!("set [{}]", parts(ids)),
            ConstantValue::List(ids) => format!("list [{}]", parts(ids)),
            ConstantValue::Map(entries) => {
                let mut text = String::from("map {");
                for (key, id) in entries {
                    let _ = write!(text, " {}: {}", self.string(*key), self.constant(*id));
                }
                text + " }"
            }
            ConstantValue::Record(ids) => format!("record ({})", parts(ids)),
        }
    }

    fn inputs(&mut self) {
        let schema = &self.program.schema;
        for (number, entry) in (0..).zip(&self.program.entries) {
            let inputs: Vec<_> = entry.inputs.iter().map(|input| self.input(number, *input)).collect();
            let action = action_name(schema, number);
            self.line(&format!("entry {action} {{ inputs {{ {} }} }}", inputs.join(" ")));
        }
    }

    fn input(&self, entry: u32, input: Input) -> String {
        match input {
            Input::Subject => "subject".into(),
            Input::Resource => "resource".into(),
            Input::Context(field) => {
                let action = self.program.schema.actions.get(entry as usize);
                match action.and_then(|action| action.context.get(field as usize)) {
                    Some(known) if is_word(&known.name) => format!("context.{}", known.name),
                    Some(known) => format!("context {}", quoted(&known.name)),
                    None => format!("context #{field}"),
                }
            }
        }
    }

    fn function_name(&self, id: u32) -> String {
        if (id as usize) < self.program.functions.len() { format!("f{id}") } else { format!("#{id}") }
    }

    fn function(&mut self, number: usize) {
        let Some(function) = self.program.functions.get(number) else { return };
        let parameters: Vec<_> = function.parameters.iter().map(|ty| self.ty(*ty)).collect();
        let mut head = format!("fn f{number}({})", parameters.join(", "));
        head.push_str(if function.memo { " memo" } else { "" });
        if let Some(entry) = function.entry {
            let _ = write!(head, " entry {}", action_name(&self.program.schema, entry));
        }
        let result = self.ty(function.result);
        self.line(&format!("{head} slots {} -> {result} {{", function.slots));
        let labels = labels(self.program, function);
        for at in function.code_start..function.code_end {
            let Some(op) = self.program.code.get(at as usize).copied() else { break };
            if let Some(label) = labels.get(&at) {
                self.line(&format!("  l{label}:"));
            }
            let text = self.instruction(at, op, function, &labels);
            self.line(&format!("    {text}"));
        }
        self.line("}");
    }

    fn instruction(&mut self, at: u32, op: Op, function: &Function, labels: &BTreeMap<u32, usize>) -> String {
        let program = self.program;
        let info = op.info();
        let mut text = info.mnemonic.to_owned();
        let place = |to: u32| labels.get(&to).map_or_else(|| format!("#{to}"), |label| format!("l{label}"));
        for (index, (operand, number)) in info.operands.iter().zip(op.operands().as_slice()).enumerate() {
            let known = |prefix: &str, length: usize| {
                if (*number as usize) < length { format!("{prefix}{number}") } else { format!("#{number}") }
            };
            let operand = match operand.role {
                Role::Out | Role::Input => format!("r{number}"),
                Role::Count => number.to_string(),
                Role::Constant | Role::Constant24 => self.constant(ConstantId(*number)),
                Role::Target => place(*number),
                Role::Function | Role::Function24 => self.function_name(*number),
                Role::Pattern => known("p", program.patterns.len()),
                Role::Selector => known("s", program.selectors.len()),
                Role::TypeSet => known("t", program.type_sets.len()),
                Role::Record => record_name(&program.schema, *number),
                Role::EntryInput => match function.entry {
                    Some(entry) => {
                        let inputs = program.entries.get(entry as usize).map_or(&[][..], |entry| &entry.inputs);
                        let input = inputs.get(*number as usize);
                        input.map_or_else(|| format!("#{number}"), |input| self.input(entry, *input))
                    }
                    None => format!("#{number}"),
                },
                Role::Switch => match program.switches.get(*number as usize) {
                    // Written here if it is the next in order, so that it is read back as the same number.
                    Some(table) if *number as usize == self.tables || self.tables == usize::MAX => {
                        self.tables = self.tables.saturating_add(1);
                        let targets: Vec<_> = table.targets.iter().map(|to| place(*to)).collect();
                        format!("{} {{ {} }}", enum_name(&program.schema, table.of), targets.join(" "))
                    }
                    _ => format!("#{number}"),
                },
            };
            text.push_str(if index == 0 { " " } else { ", " });
            text.push_str(&operand);
        }
        match self.sites.get(&at) {
            Some(site) => {
                let _ = write!(text, " @ {}", site.0);
            }
            None if info.fails => text.push_str(" @ none"),
            None => {}
        }
        text
    }

    fn entry(&mut self, number: usize) {
        let Some(entry) = self.program.entries.get(number) else { return };
        let action = action_name(&self.program.schema, number as u32);
        self.line(&format!("entry {action} {{"));
        for rule in &entry.rules {
            self.rule(rule);
        }
        self.index(entry);
        self.line(&format!("    cost {}\n}}", entry.cost));
    }

    fn rule(&mut self, rule: &Rule) {
        let effect = match rule.effect {
            Effect::Allow => "allow",
            Effect::Deny => "deny",
            Effect::Violation => "violation",
            Effect::RequireApproval => "require_approval",
        };
        let mut text = format!("    rule {effect} {}", self.string(rule.id));
        text.push_str(if rule.shadow { " shadow" } else { "" });
        let _ = write!(text, " condition {}", self.function_name(rule.condition.0));
        text.push_str(if rule.may_fail { " may_fail" } else { "" });
        if let Some(code) = rule.code {
            let _ = write!(text, " code {}", self.string(code));
        }
        let _ = write!(text, " @ {} {{", rule.site.0);
        for part in &rule.message {
            let _ = match part {
                MessagePart::Text(id) => write!(text, "\n        text {}", self.string(*id)),
                MessagePart::Value(id) => write!(text, "\n        value {}", self.function_name(id.0)),
            };
        }
        if let Some(gate) = &rule.gate {
            text.push_str(&self.gate(gate));
        }
        for (of, arguments) in &rule.obligations {
            let obligations = &self.program.schema.obligations;
            let of = obligations.get(*of as usize).map_or_else(|| format!("#{of}"), |of| name(&of.name));
            let _ = write!(text, "\n        oblige {of} ({})", self.function_names(arguments));
        }
        self.line(&(text + " }"));
    }

    fn function_names(&self, functions: &[FunctionId]) -> String {
        let names: Vec<_> = functions.iter().map(|id| self.function_name(id.0)).collect();
        names.join(", ")
    }

    fn gate(&self, gate: &Gate) -> String {
        let from = self.function_name(gate.from.0);
        let mut text = format!("\n        gate {from} quorum {}", self.function_name(gate.quorum.0));
        if let Some(within) = gate.within_ms {
            let _ = write!(text, " within {within}");
        }
        text.push_str(if gate.distinct { " distinct" } else { "" });
        for (group, after) in &gate.escalations {
            let _ = write!(text, " escalate {} after {after}", self.function_name(group.0));
        }
        text
    }

    fn index(&mut self, entry: &Entry) {
        for key in &entry.index.keys {
            let mut text = String::from("    index ");
            match key {
                Key::Equal { values, buckets } => {
                    let _ = write!(text, "equal ({}) {{", self.function_names(values));
                    for (constants, rules) in buckets {
                        let constants: Vec<_> = constants.iter().map(|id| self.constant(*id)).collect();
                        let _ = write!(text, "\n        {} => {{ {} }}", constants.join(" "), joined(rules));
                    }
                }
                Key::Member { set, buckets } => {
                    let _ = write!(text, "member {} {{", self.function_name(set.0));
                    for (constant, rules) in buckets {
                        let _ = write!(text, "\n        {} => {{ {} }}", self.constant(*constant), joined(rules));
                    }
                }
                Key::Below { value, rules } => self.bounds(&mut text, "below", *value, rules),
                Key::Above { value, rules } => self.bounds(&mut text, "above", *value, rules),
            }
            self.line(&(text + "\n    }"));
        }
        self.line(&format!("    rest {{ {} }}", joined(&entry.index.rest)));
    }

    fn bounds(&self, text: &mut String, kind: &str, value: FunctionId, rules: &[(ConstantId, u32)]) {
        let _ = write!(text, "{kind} {} {{", self.function_name(value.0));
        for (constant, rule) in rules {
            let _ = write!(text, "\n        {} => {rule}", self.constant(*constant));
        }
    }
}

/// The targets of jumps in a function, numbered.
fn labels(program: &Program, function: &Function) -> BTreeMap<u32, usize> {
    let mut targets = BTreeSet::new();
    for at in function.code_start..function.code_end {
        let Some(op) = program.code.get(at as usize) else { break };
        for (operand, number) in op.info().operands.iter().zip(op.operands().as_slice()) {
            match operand.role {
                Role::Target => {
                    targets.insert(*number);
                }
                Role::Switch => {
                    let table = program.switches.get(*number as usize);
                    targets.extend(table.map_or(&[][..], |table| &table.targets));
                }
                _ => {}
            }
        }
    }
    let inside = targets.into_iter().filter(|to| (function.code_start..function.code_end).contains(to));
    inside.zip(0..).collect()
}

/// Strings that nothing names.
fn unused_strings(program: &Program) -> Vec<&str> {
    let mut used = vec![false; program.strings.len()];
    let mut mark = |id: &StringId| {
        if let Some(used) = used.get_mut(id.0 as usize) {
            *used = true;
        }
    };
    for constant in &program.constants {
        match &constant.value {
            ConstantValue::String(id)
            | ConstantValue::Url(id)
            | ConstantValue::Path(id)
            | ConstantValue::Entity(_, id) => mark(id),
            ConstantValue::Map(entries) => entries.iter().for_each(|(key, _)| mark(key)),
            _ => {}
        }
    }
    program.patterns.iter().for_each(&mut mark);
    for rule in program.entries.iter().flat_map(|entry| &entry.rules) {
        mark(&rule.id);
        rule.code.iter().for_each(&mut mark);
        for part in &rule.message {
            if let MessagePart::Text(id) = part {
                mark(id);
            }
        }
    }
    program.strings.iter().zip(used).filter(|(_, used)| !used).map(|(text, _)| &**text).collect()
}
