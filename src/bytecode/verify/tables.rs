//! Are the tables of a program sane: strings, constants, patterns, selectors, jump tables, functions and fault sites.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::base::limits;
use crate::bytecode::program::{Constant, ConstantId, ConstantValue, Program, Selector, StringId};
use crate::bytecode::schema::Type;
use crate::bytecode::verify::Limits;
use crate::bytecode::verify::error::{Place, Reason, VerifyError};
use crate::bytecode::verify::kinds::{Cell, Kinds, state};
use crate::bytecode::verify::schema::ascends;
use crate::data::path::Path;
use crate::data::url::Url;

type Check<T = ()> = Result<T, VerifyError>;

/// Lengths and strings: what has to hold before anything is looked up.
pub(super) fn check_first(program: &Program, bounds: &Limits) -> Check {
    for length in [
        program.strings.len(),
        program.constants.len(),
        program.patterns.len(),
        program.selectors.len(),
        program.type_sets.len(),
        program.switches.len(),
        program.functions.len(),
        program.entries.len(),
        program.site_count as usize,
    ] {
        if length > bounds.table_max as usize {
            return Err(VerifyError::program(Reason::TableTooLong));
        }
    }
    if program.code.len() > bounds.code_max as usize {
        return Err(VerifyError::program(Reason::TableTooLong));
    }
    for (at, text) in program.strings.iter().enumerate() {
        if text.len() > limits::STRING_BYTES_MAX as usize {
            return Err(VerifyError::item(Reason::StringTooLong, "string", at));
        }
    }
    if let Some(at) = program.strings.windows(2).position(|pair| pair[0] >= pair[1]) {
        return Err(VerifyError::item(Reason::StringOrder, "string", at + 1));
    }
    Ok(())
}

/// All tables but strings; gives what is known of each constant.
pub(super) fn check(program: &Program, kinds: &mut Kinds) -> Check<Vec<Cell>> {
    let constants = check_constants(program, kinds)?;
    for (at, selector) in program.selectors.iter().enumerate() {
        check_selector(program, kinds, selector).map_err(|reason| VerifyError::item(reason, "selector", at))?;
    }
    for (at, types) in program.type_sets.iter().enumerate() {
        let refuse = |reason| VerifyError::item(reason, "type set", at);
        if !ascends(types) {
            return Err(refuse(Reason::EntityOrder));
        }
        if types.iter().any(|of| *of as usize >= program.schema.entity_types.len()) {
            return Err(refuse(Reason::EntityRange));
        }
    }
    for (at, switch) in program.switches.iter().enumerate() {
        let refuse = |reason| VerifyError::item(reason, "switch", at);
        let of = program.schema.enums.get(switch.of as usize).ok_or(refuse(Reason::EnumRange))?;
        if switch.targets.len() != of.variants.len() + 1 {
            return Err(refuse(Reason::SwitchSize));
        }
    }
    check_functions(program)?;
    check_fault_sites(program)?;
    Ok(constants)
}

fn check_constants(program: &Program, kinds: &mut Kinds) -> Check<Vec<Cell>> {
    let mut cells = Vec::with_capacity(program.constants.len());
    let mut seen = HashSet::with_capacity(program.constants.len());
    for (at, constant) in program.constants.iter().enumerate() {
        let refuse = |reason| VerifyError::item(reason, "constant", at);
        let cell = check_constant(program, kinds, &cells, constant).map_err(refuse)?;
        if !seen.insert((constant.ty, &constant.value)) {
            return Err(refuse(Reason::ConstantTwice));
        }
        cells.push(cell);
    }
    Ok(cells)
}

/// A constant whose parts are known already.
fn check_constant(program: &Program, kinds: &mut Kinds, parts: &[Cell], constant: &Constant) -> Result<Cell, Reason> {
    let ty = program.schema.types.get(constant.ty.0 as usize).ok_or(Reason::TypeRange)?;
    let text = |id: StringId| program.strings.get(id.0 as usize).map(|text| &**text).ok_or(Reason::StringRange);
    let holds = |ok: bool| if ok { Ok(()) } else { Err(Reason::ConstantType) };
    let canonical = |ok: bool| if ok { Ok(()) } else { Err(Reason::ConstantForm) };
    let part = |id: ConstantId| match parts.get(id.0 as usize) {
        Some(cell) => Ok(*cell),
        None if (id.0 as usize) < program.constants.len() => Err(Reason::ConstantOrder),
        None => Err(Reason::ConstantRange),
    };
    let cell = kinds.ty(constant.ty);
    match (&constant.value, ty) {
        (ConstantValue::Absent, Type::Optional(_)) => return Ok(Cell::ABSENT),
        (ConstantValue::Bool(value), Type::Bool) => {
            return Ok(Cell { kind: cell.kind, states: if *value { state::TRUE } else { state::FALSE } });
        }
        (ConstantValue::Int(value), Type::Int { low, high }) => holds(low <= value && value <= high)?,
        (ConstantValue::Decimal(_), Type::Decimal)
        | (ConstantValue::Duration(_), Type::Duration)
        | (ConstantValue::Timestamp(_), Type::Timestamp)
        | (ConstantValue::Ip(_), Type::Ip)
        | (ConstantValue::Net(_), Type::Net) => {}
        (ConstantValue::String(id), Type::String { bytes_max }) => holds(text(*id)?.len() <= *bytes_max as usize)?,
        (ConstantValue::Url(id), Type::Url) => canonical(is_canonical_url(text(*id)?))?,
        (ConstantValue::Path(id), Type::Path) => {
            let text = text(*id)?;
            canonical(Path::parse(text).is_ok_and(|path| path.as_str() == text))?;
        }
        (ConstantValue::Enum(variant), Type::Enum(of)) => {
            let of = program.schema.enums.get(*of as usize).ok_or(Reason::EnumRange)?;
            holds((*variant as usize) < of.variants.len())?;
        }
        (ConstantValue::Entity(of, id), Type::Entity(types)) => {
            holds(types.binary_search(of).is_ok())?;
            canonical(text(*id)?.len() <= limits::ID_BYTES_MAX as usize)?;
        }
        (ConstantValue::Set(elements), Type::Set(inner, max)) => {
            let shape = kinds.ty(*inner);
            check_parts(kinds, elements.iter().map(|id| part(*id)), shape)?;
            holds(elements.len() <= *max as usize)?;
            let sorted = elements.windows(2).all(|pair| {
                let value = |id: ConstantId| &program.constants[id.0 as usize].value;
                compare(value(pair[0]), value(pair[1])) == Some(Ordering::Less)
            });
            canonical(sorted)?;
        }
        (ConstantValue::List(elements), Type::List(inner, max)) => {
            let shape = kinds.ty(*inner);
            check_parts(kinds, elements.iter().map(|id| part(*id)), shape)?;
            holds(elements.len() <= *max as usize)?;
        }
        (ConstantValue::Map(entries), Type::Map(inner, max)) => {
            let shape = kinds.ty(*inner);
            check_parts(kinds, entries.iter().map(|(_, id)| part(*id)), shape)?;
            holds(entries.len() <= *max as usize)?;
            for (key, _) in entries {
                canonical(text(*key)?.len() <= limits::ID_BYTES_MAX as usize)?;
            }
            canonical(entries.windows(2).all(|pair| pair[0].0 < pair[1].0))?;
        }
        (ConstantValue::Record(fields), Type::Record(of)) => {
            let of = program.schema.records.get(*of as usize).ok_or(Reason::RecordRange)?;
            holds(fields.len() == of.fields.len())?;
            for (id, field) in fields.iter().zip(&of.fields) {
                let shape = kinds.ty(field.ty);
                check_parts(kinds, [part(*id)].into_iter(), shape)?;
            }
        }
        _ => return Err(Reason::ConstantType),
    }
    Ok(cell)
}

fn check_parts(
    kinds: &mut Kinds,
    parts: impl Iterator<Item = Result<Cell, Reason>>,
    shape: Cell,
) -> Result<(), Reason> {
    for part in parts {
        if !kinds.cell_fits(part?, shape) {
            return Err(Reason::ConstantType);
        }
    }
    Ok(())
}

fn is_canonical_url(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.as_str() == text)
}

/// The order of two scalar constants of one type: that of their values. Strings are sorted, so their numbers have it too.
pub(super) fn compare(left: &ConstantValue, right: &ConstantValue) -> Option<Ordering> {
    Some(match (left, right) {
        (ConstantValue::Bool(a), ConstantValue::Bool(b)) => a.cmp(b),
        (ConstantValue::Int(a), ConstantValue::Int(b)) => a.cmp(b),
        (ConstantValue::Decimal(a), ConstantValue::Decimal(b)) => a.cmp(b),
        (ConstantValue::Duration(a), ConstantValue::Duration(b)) => a.cmp(b),
        (ConstantValue::Timestamp(a), ConstantValue::Timestamp(b)) => a.cmp(b),
        (ConstantValue::Ip(a), ConstantValue::Ip(b)) => a.cmp(b),
        (ConstantValue::Net(a), ConstantValue::Net(b)) => a.cmp(b),
        (ConstantValue::Enum(a), ConstantValue::Enum(b)) => a.cmp(b),
        (ConstantValue::String(a), ConstantValue::String(b))
        | (ConstantValue::Url(a), ConstantValue::Url(b))
        | (ConstantValue::Path(a), ConstantValue::Path(b)) => a.cmp(b),
        (ConstantValue::Entity(a, x), ConstantValue::Entity(b, y)) => (a, x).cmp(&(b, y)),
        _ => return None,
    })
}

fn check_selector(program: &Program, kinds: &mut Kinds, selector: &Selector) -> Result<(), Reason> {
    if selector.ty.0 as usize >= program.schema.types.len() {
        return Err(Reason::TypeRange);
    }
    let in_order = selector.columns.windows(2).all(|pair| pair[0].0 < pair[1].0);
    if selector.columns.is_empty() || !in_order {
        return Err(Reason::SelectorOrder);
    }
    let shape = kinds.ty(selector.ty);
    for (of, attribute) in &selector.columns {
        let of = program.schema.entity_types.get(*of as usize).ok_or(Reason::EntityRange)?;
        let attribute = of.attributes.get(*attribute as usize).ok_or(Reason::SelectorColumn)?;
        let cell = kinds.ty(attribute.ty);
        if !kinds.cell_fits(cell, shape) {
            return Err(Reason::SelectorColumn);
        }
    }
    Ok(())
}

fn check_functions(program: &Program) -> Check {
    let mut next = 0;
    for (at, function) in program.functions.iter().enumerate() {
        let refuse = |reason| VerifyError::item(reason, "function", at);
        if function.code_start != next || function.code_end <= next {
            return Err(refuse(Reason::FunctionCode));
        }
        next = function.code_end;
        if function.entry.is_some_and(|entry| entry as usize >= program.entries.len()) {
            return Err(refuse(Reason::FunctionEntry));
        }
        if function.memo && !function.parameters.is_empty() {
            return Err(refuse(Reason::MemoParameters));
        }
        if function.parameters.len() > usize::from(function.slots) {
            return Err(refuse(Reason::FunctionSlots));
        }
        let types = program.schema.types.len();
        if function.parameters.iter().chain([&function.result]).any(|ty| ty.0 as usize >= types) {
            return Err(refuse(Reason::TypeRange));
        }
    }
    if next as usize == program.code.len() { Ok(()) } else { Err(VerifyError::program(Reason::FunctionCode)) }
}

/// Exactly the instructions that may fail have a site, in order.
fn check_fault_sites(program: &Program) -> Check {
    let mut sites = program.fault_sites.iter();
    for (function, of) in program.functions.iter().enumerate() {
        for at in of.code_start..of.code_end {
            let fails = program.code.get(at as usize).is_some_and(|op| op.info().fails);
            if !fails {
                continue;
            }
            let place = Place::Instruction { function: function as u32, at };
            match sites.next() {
                Some((instruction, _)) if *instruction != at => {
                    return Err(VerifyError::new(Reason::FaultSites, place));
                }
                Some((_, site)) if site.0 >= program.site_count => {
                    return Err(VerifyError::new(Reason::SiteRange, place));
                }
                Some(_) => {}
                None => return Err(VerifyError::new(Reason::FaultSites, place)),
            }
        }
    }
    if sites.next().is_some() { Err(VerifyError::program(Reason::FaultSites)) } else { Ok(()) }
}
