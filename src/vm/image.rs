//! What the machine makes of a verified program when it loads it: constants as values, patterns as automata, tables for
//! everything that would have to be searched for.
//!
//! An image knows nothing of entities or requests and never changes.

use std::fmt;

use crate::bytecode::op::Op;
use crate::bytecode::program::{ConstantId, ConstantValue, FunctionId, Program, SiteId, StringId};
use crate::bytecode::schema::{Schema, Type};
use crate::bytecode::verify::VerifiedProgram;
use crate::data::pattern::Pattern;
use crate::data::url;
use crate::vm::canonical::order::{Object, Orders};
use crate::vm::compare::make_set;
use crate::vm::memory::{Heap, Memory, UrlValue};
use crate::vm::plan::states::{StatePlan, state_plans};
use crate::vm::plan::{EntryPlan, entry_plans};
use crate::vm::strings::StringIndex;
use crate::vm::value::{EntityRef, Region, Row, StrRef, Value, Variant};

/// A program, ready to run.
#[derive(Debug)]
pub struct Image {
    /// The program itself: what texts and reports are made from.
    pub program: Program,
    /// Its constants and strings: string `i` of the program is string `i` here.
    pub heap: Heap,
    /// The constants.
    pub constants: Vec<Value>,
    /// The entities that the program names, each once: rows 0, 1, … of every store.
    pub named: Vec<EntityRef>,
    /// The patterns.
    pub patterns: Vec<Pattern>,
    /// For each function what a call needs.
    pub functions: Vec<Callee>,
    /// How many functions keep their value for the length of a decision.
    pub memo_count: u32,
    /// For each action what a decision needs.
    pub entries: Vec<EntryPlan>,
    /// For each entity type what holds for one that is stored.
    pub states: Vec<StatePlan>,
    strings: StringIndex,
    actions: Vec<(Box<str>, u32)>,
    orders: Orders,
}

/// What a call of a function needs.
#[derive(Clone, Copy, Debug)]
pub struct Callee {
    /// The first instruction.
    pub start: u32,
    /// How many slots its frame has.
    pub slots: u16,
    /// How many of them are parameters.
    pub parameters: u16,
    /// The place of its value among those that are kept; `u32::MAX` if it is not.
    pub memo: u32,
    /// How many slots it and all that it calls need at once.
    pub stack: u32,
}

/// Why a verified program can't be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageError {
    /// A constant is not the normalised text of a URL.
    Url(StringId),
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImageError::Url(string) => write!(f, "string {} is not a normalised URL", string.0),
        }
    }
}

impl std::error::Error for ImageError {}

impl Image {
    /// Makes an image. Costs time and memory in proportion to the program and its automata.
    pub fn new(program: VerifiedProgram) -> Result<Image, ImageError> {
        let (program, patterns) = program.into_parts();
        let mut heap = Heap::default();
        let mut strings = StringIndex::with_capacity(program.strings.len());
        for (at, text) in program.strings.iter().enumerate() {
            heap.texts.add(text);
            strings.insert(text, at as u32);
        }
        let named = named_entities(&program);
        let constants = constants(&program, &named, &mut heap)?;
        let (functions, memo_count) = callees(&program);
        let entries = entry_plans(&program, &functions, &constants, &heap);
        let states = state_plans(&program);
        let actions = actions(&program.schema);
        let orders = Orders::new(&program.schema);
        Ok(Image {
            program,
            heap,
            constants,
            named,
            patterns,
            functions,
            memo_count,
            entries,
            states,
            strings,
            actions,
            orders,
        })
    }

    /// The context of an action, as it is written.
    #[must_use]
    pub fn context(&self, action: u32) -> Object<'_> {
        self.orders.context(self.schema(), action)
    }

    /// A record, as it is written.
    #[must_use]
    pub fn record(&self, record: u32) -> Object<'_> {
        self.orders.record(self.schema(), record)
    }

    /// The attributes of an entity type, as they are written.
    #[must_use]
    pub fn attributes(&self, ty: u32) -> Object<'_> {
        self.orders.attributes(self.schema(), ty)
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.program.schema
    }

    /// The action (and entry) of this name, as requests may write it.
    #[must_use]
    pub fn action(&self, name: &str) -> Option<u32> {
        let at = self.actions.binary_search_by(|(other, _)| (**other).cmp(name)).ok()?;
        self.actions.get(at).map(|&(_, action)| action)
    }

    /// The number of the program's string with this text.
    #[inline]
    #[must_use]
    pub fn find_string(&self, text: &str) -> Option<StrRef> {
        self.strings.find(text, |number| self.heap.texts.get(number)).map(StrRef)
    }

    /// The same for who knows the hash of the text.
    #[inline]
    #[must_use]
    pub fn find_string_hashed(&self, hash: u32, text: &str) -> Option<StrRef> {
        self.strings.find_hashed(hash, text, |number| self.heap.texts.get(number)).map(StrRef)
    }

    /// The value of a constant.
    #[inline]
    #[must_use]
    pub fn constant(&self, at: u32) -> Value {
        self.constants.get(at as usize).copied().unwrap_or(Value::INTERNAL)
    }

    /// The site of an instruction that may fail.
    #[cold]
    #[must_use]
    pub fn site(&self, instruction: u32) -> SiteId {
        let sites = &self.program.fault_sites;
        match sites.binary_search_by_key(&instruction, |&(at, _)| at) {
            Ok(at) => sites.get(at).map_or(SiteId(u32::MAX), |&(_, site)| site),
            Err(_) => SiteId(u32::MAX),
        }
    }

    /// The place among the kept values of a function.
    #[inline]
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Option<Callee> {
        self.functions.get(id.0 as usize).copied()
    }

    /// The code.
    #[inline]
    #[must_use]
    pub fn code(&self) -> &[Op] {
        &self.program.code
    }
}

/// Every entity that a constant names, once, in the order of the constants.
fn named_entities(program: &Program) -> Vec<EntityRef> {
    let mut names: Vec<(u32, StringId)> = program
        .constants
        .iter()
        .filter_map(|constant| match constant.value {
            ConstantValue::Entity(ty, id) => Some((ty, id)),
            _ => None,
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    names
        .iter()
        .enumerate()
        .map(|(row, &(ty, id))| EntityRef { ty: ty as u16, id: StrRef(id.0), row: Row::stored(row as u32) })
        .collect()
}

fn constants(program: &Program, named: &[EntityRef], heap: &mut Heap) -> Result<Vec<Value>, ImageError> {
    let mut values: Vec<Value> = Vec::with_capacity(program.constants.len());
    let empty = Heap::default();
    for constant in &program.constants {
        let part = |id: &ConstantId| values.get(id.0 as usize).copied().unwrap_or(Value::INTERNAL);
        let value = match &constant.value {
            ConstantValue::Absent => Value::Absent,
            ConstantValue::Bool(value) => Value::Bool(*value),
            ConstantValue::Int(value) => Value::Int(*value),
            ConstantValue::Decimal(value) => Value::Decimal(value.0),
            ConstantValue::Duration(value) => Value::Duration(value.0),
            ConstantValue::Timestamp(value) => Value::Timestamp(value.millis()),
            ConstantValue::String(id) => Value::String(StrRef(id.0)),
            ConstantValue::Ip(value) => heap.add_ip(Region::Program, *value),
            ConstantValue::Net(value) => heap.add_net(Region::Program, *value),
            ConstantValue::Url(id) => {
                let text = program.strings.get(id.0 as usize).map_or("", |text| text);
                let mut normalised = String::new();
                let parts = url::parse_into(text, &mut normalised).map_err(|_| ImageError::Url(*id))?;
                if normalised != text {
                    return Err(ImageError::Url(*id));
                }
                heap.add_url(Region::Program, UrlValue { text: StrRef(id.0), parts })
            }
            ConstantValue::Path(id) => Value::Path(StrRef(id.0)),
            ConstantValue::Enum(at) => match program.schema.ty(constant.ty) {
                Type::Enum(of) => Value::Enum(Variant { of: *of, at: *at }),
                _ => Value::INTERNAL,
            },
            ConstantValue::Entity(ty, id) => {
                let found = named.binary_search_by_key(&(*ty, id.0), |entity| (u32::from(entity.ty), entity.id.0));
                found.ok().and_then(|at| named.get(at)).map_or(Value::INTERNAL, |&entity| Value::Entity(entity))
            }
            ConstantValue::Set(elements) => {
                let mut elements: Vec<Value> = elements.iter().map(part).collect();
                make_set(Memory { program: heap, store: &empty, local: &empty }, &mut elements);
                Value::Set(heap.add_values(Region::Program, &elements))
            }
            ConstantValue::List(elements) => {
                let elements: Vec<Value> = elements.iter().map(part).collect();
                Value::List(heap.add_values(Region::Program, &elements))
            }
            ConstantValue::Map(entries) => {
                let mut entries = entries.clone();
                entries.sort_by_key(|&(key, _)| key);
                let values: Vec<Value> =
                    entries.iter().flat_map(|(key, value)| [Value::String(StrRef(key.0)), part(value)]).collect();
                Value::Map(heap.add_values(Region::Program, &values))
            }
            ConstantValue::Record(fields) => {
                let fields: Vec<Value> = fields.iter().map(part).collect();
                Value::Record(heap.add_values(Region::Program, &fields))
            }
        };
        values.push(value);
    }
    Ok(values)
}

/// A function calls only functions with smaller ids, so one pass finds what each needs.
fn callees(program: &Program) -> (Vec<Callee>, u32) {
    let mut callees: Vec<Callee> = Vec::with_capacity(program.functions.len());
    let mut memo_count = 0;
    for function in &program.functions {
        let code = program.code.get(function.code_start as usize..function.code_end as usize).unwrap_or(&[]);
        let below = code.iter().filter_map(|op| match op {
            Op::Call { f, .. } => callees.get(f.get() as usize),
            Op::Force { f, .. } => callees.get(*f as usize),
            _ => None,
        });
        let deepest = below.map(|callee| callee.stack).max().unwrap_or(0);
        let memo = if function.memo { memo_count } else { u32::MAX };
        memo_count += u32::from(function.memo);
        callees.push(Callee {
            start: function.code_start,
            slots: function.slots,
            parameters: function.parameters.len() as u16,
            memo,
            stack: deepest.saturating_add(u32::from(function.slots)),
        });
    }
    (callees, memo_count)
}

fn actions(schema: &Schema) -> Vec<(Box<str>, u32)> {
    let mut actions: Vec<(Box<str>, u32)> = Vec::new();
    for (at, action) in schema.actions.iter().enumerate() {
        actions.push((action.name.clone(), at as u32));
        actions.push((action.qualified.clone(), at as u32));
    }
    actions.sort();
    actions.dedup_by(|later, earlier| later.0 == earlier.0);
    actions
}
