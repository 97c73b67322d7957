//! Constants, patterns, selectors, sets of types.

use crate::bytecode::assemble::names::Table;
use crate::bytecode::assemble::{Assembler, Parse};
use crate::bytecode::program::{Constant, ConstantId, ConstantValue, PatternId, Selector, SelectorId, TypeSetId};
use crate::bytecode::schema::{Type, TypeId};
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::ip::{IpAddr, IpNet};
use crate::data::timestamp::Timestamp;

impl Assembler<'_> {
    pub(super) fn declare_constant(&mut self) -> Parse {
        let name = self.cursor.name()?;
        let ty = if self.cursor.take(":") { Some(self.ty()?) } else { None };
        self.cursor.expect("=")?;
        let constant = self.value(ty)?;
        self.names.add_at(Table::Constant, &name, self.program.constants.len());
        self.program.constants.push(constant);
        Ok(())
    }

    /// A constant by its name, its number or its value.
    pub(super) fn constant(&mut self) -> Parse<ConstantId> {
        if let Some(number) = self.cursor.take_raw()? {
            return Ok(ConstantId(number));
        }
        const BEGIN_VALUES: &[&str] = &[
            "true",
            "false",
            "absent",
            "duration",
            "timestamp",
            "ip",
            "net",
            "url",
            "path",
            "enum",
            "entity",
            "set",
            "list",
            "map",
            "record",
        ];
        let is_value = BEGIN_VALUES.iter().any(|word| self.cursor.is_word(word));
        if !is_value && !self.cursor.is_string() && !self.cursor.is_number() {
            return self.reference(Table::Constant).map(ConstantId);
        }
        let constant = self.value(None)?;
        let constants = &mut self.program.constants;
        let at = constants.iter().position(|known| *known == constant).unwrap_or_else(|| {
            constants.push(constant);
            constants.len() - 1
        });
        Ok(ConstantId(at as u32))
    }

    fn value(&mut self, ty: Option<TypeId>) -> Parse<Constant> {
        let (value, own) = self.value_and_type()?;
        let ty = match (ty, own) {
            (Some(ty), _) => ty,
            (None, Some(own)) => self.intern(own),
            (None, None) => return Err(self.cursor.error("the type of the constant has to be given")),
        };
        Ok(Constant { ty, value })
    }

    /// A value, and its type where that can be seen.
    fn value_and_type(&mut self) -> Parse<(ConstantValue, Option<Type>)> {
        if self.cursor.is_number() {
            let digits = self.cursor.digits()?;
            if digits.contains('.') {
                let decimal = Decimal::parse(digits).map_err(|error| self.cursor.error(&error.to_string()))?;
                return Ok((ConstantValue::Decimal(decimal), Some(Type::Decimal)));
            }
            let int = digits.parse().map_err(|_| self.cursor.error("the number does not fit"))?;
            return Ok((ConstantValue::Int(int), Some(Type::Int { low: i64::MIN, high: i64::MAX })));
        }
        if self.cursor.is_string() {
            let text = self.cursor.string()?;
            let bytes_max = text.len() as u32;
            return Ok((ConstantValue::String(self.string(&text)), Some(Type::String { bytes_max })));
        }
        let word = self.cursor.word()?;
        Ok(match word {
            "true" => (ConstantValue::Bool(true), Some(Type::Bool)),
            "false" => (ConstantValue::Bool(false), Some(Type::Bool)),
            "absent" => (ConstantValue::Absent, None),
            "string" => (ConstantValue::String(self.string_reference()?), None),
            "duration" => (ConstantValue::Duration(Duration(self.cursor.number()?)), Some(Type::Duration)),
            "timestamp" => {
                let text = self.cursor.string()?;
                let time = Timestamp::parse(&text).map_err(|error| self.cursor.error(&error.to_string()))?;
                (ConstantValue::Timestamp(time), Some(Type::Timestamp))
            }
            "ip" => {
                let text = self.cursor.string()?;
                let address = IpAddr::parse(&text).map_err(|error| self.cursor.error(&error.to_string()))?;
                (ConstantValue::Ip(address), Some(Type::Ip))
            }
            "net" => {
                let text = self.cursor.string()?;
                let net = IpNet::parse(&text).map_err(|error| self.cursor.error(&error.to_string()))?;
                (ConstantValue::Net(net), Some(Type::Net))
            }
            "url" => (ConstantValue::Url(self.string_reference()?), Some(Type::Url)),
            "path" => (ConstantValue::Path(self.string_reference()?), Some(Type::Path)),
            "enum" => {
                let (of, variant) = self.member(Table::Enum)?;
                (ConstantValue::Enum(variant), Some(Type::Enum(of)))
            }
            "entity" => {
                let of = self.reference(Table::Entity)?;
                (ConstantValue::Entity(of, self.string_reference()?), Some(Type::Entity(vec![of])))
            }
            "set" => {
                let parts = self.parts("[", "]")?;
                let ty = self.part_type(&parts).map(|inner| Type::Set(inner, parts.len() as u32));
                (ConstantValue::Set(parts), ty)
            }
            "list" => {
                let parts = self.parts("[", "]")?;
                let ty = self.part_type(&parts).map(|inner| Type::List(inner, parts.len() as u32));
                (ConstantValue::List(parts), ty)
            }
            "map" => {
                let mut entries = Vec::new();
                self.cursor.expect("{")?;
                while !self.cursor.take("}") {
                    let key = self.string_reference()?;
                    self.cursor.expect(":")?;
                    entries.push((key, self.constant()?));
                }
                let parts: Vec<_> = entries.iter().map(|(_, part)| *part).collect();
                let ty = self.part_type(&parts).map(|inner| Type::Map(inner, parts.len() as u32));
                (ConstantValue::Map(entries), ty)
            }
            "record" => (ConstantValue::Record(self.parts("(", ")")?), None),
            _ => return Err(self.cursor.error("a value is expected")),
        })
    }

    fn parts(&mut self, open: &str, close: &str) -> Parse<Vec<ConstantId>> {
        let mut parts = Vec::new();
        self.cursor.expect(open)?;
        while !self.cursor.take(close) {
            parts.push(self.constant()?);
        }
        Ok(parts)
    }

    /// The type of all parts: that of the first, with the largest bound if they are strings.
    fn part_type(&mut self, parts: &[ConstantId]) -> Option<TypeId> {
        let types = |id: &ConstantId| {
            let ty = self.program.constants.get(id.0 as usize)?.ty;
            Some((ty, self.program.schema.types.get(ty.0 as usize)?))
        };
        let (first, kind) = parts.first().and_then(types)?;
        if !matches!(kind, Type::String { .. }) {
            return Some(first);
        }
        let bounds = parts.iter().filter_map(types).map(|(_, ty)| match ty {
            Type::String { bytes_max } => *bytes_max,
            _ => 0,
        });
        let bytes_max = bounds.max()?;
        Some(self.intern(Type::String { bytes_max }))
    }

    /// `Kind.webapp`, or both names or numbers one after the other: a member of an enum or an entity type.
    pub(super) fn member(&mut self, table: Table) -> Parse<(u32, u32)> {
        if !self.cursor.is_string() && !self.cursor.is_sign("#") {
            let text = self.cursor.name()?;
            if let Some((of, member)) = text.rsplit_once('.')
                && let Some(of) = self.names.find(table, of)
            {
                return Ok((of, self.find_member(table, of, member)?));
            }
            let of = self.find(table, &text)?;
            return Ok((of, self.member_of(table, of)?));
        }
        let of = self.reference(table)?;
        Ok((of, self.member_of(table, of)?))
    }

    fn member_of(&mut self, table: Table, of: u32) -> Parse<u32> {
        if let Some(number) = self.cursor.take_raw()? {
            return Ok(number);
        }
        let name = self.cursor.name()?;
        self.find_member(table, of, &name)
    }

    fn find_member(&self, table: Table, of: u32, member: &str) -> Parse<u32> {
        let schema = &self.program.schema;
        let at = if table == Table::Enum {
            let variants = schema.enums.get(of as usize).map_or(&[][..], |of| &of.variants);
            variants.iter().position(|variant| **variant == *member)
        } else {
            let attributes = schema.entity_types.get(of as usize).map_or(&[][..], |of| &of.attributes);
            attributes.iter().position(|attribute| *attribute.name == *member)
        };
        at.map(|at| at as u32).ok_or_else(|| self.cursor.error(&format!("there is no `{member}` in it")))
    }

    pub(super) fn declare_pattern(&mut self) -> Parse {
        let name = self.cursor.name()?;
        let text = self.string_reference()?;
        self.names.add_at(Table::Pattern, &name, self.program.patterns.len());
        self.program.patterns.push(text);
        Ok(())
    }

    pub(super) fn pattern(&mut self) -> Parse<PatternId> {
        let Some(text) = self.cursor.take_string()? else { return self.reference(Table::Pattern).map(PatternId) };
        let id = self.string(&text);
        let patterns = &mut self.program.patterns;
        let at = patterns.iter().position(|known| *known == id).unwrap_or_else(|| {
            patterns.push(id);
            patterns.len() - 1
        });
        Ok(PatternId(at as u32))
    }

    pub(super) fn declare_selector(&mut self) -> Parse {
        let name = self.cursor.name()?;
        self.cursor.expect(":")?;
        let ty = self.ty()?;
        let mut columns = Vec::new();
        self.cursor.expect("{")?;
        while !self.cursor.take("}") {
            columns.push(self.member(Table::Entity)?);
        }
        self.names.add_at(Table::Selector, &name, self.program.selectors.len());
        self.program.selectors.push(Selector { columns, ty });
        Ok(())
    }

    pub(super) fn selector(&mut self) -> Parse<SelectorId> {
        if let Some(number) = self.cursor.take_raw()? {
            return Ok(SelectorId(number));
        }
        let text = self.cursor.name()?;
        if let Some(known) = self.names.find(Table::Selector, &text) {
            return Ok(SelectorId(known));
        }
        let Some((of, attribute)) = text.rsplit_once('.') else {
            return Err(self.cursor.error("there is no such selector"));
        };
        let of = self.find(Table::Entity, of)?;
        let attribute = self.find_member(Table::Entity, of, attribute)?;
        let ty = self.program.schema.entity_types[of as usize].attributes[attribute as usize].ty;
        let selector = Selector { columns: vec![(of, attribute)], ty };
        let selectors = &mut self.program.selectors;
        let at = selectors.iter().position(|known| *known == selector).unwrap_or_else(|| {
            selectors.push(selector);
            selectors.len() - 1
        });
        Ok(SelectorId(at as u32))
    }

    pub(super) fn declare_type_set(&mut self) -> Parse {
        let name = self.cursor.name()?;
        let types = self.references(Table::Entity)?;
        self.names.add_at(Table::TypeSet, &name, self.program.type_sets.len());
        self.program.type_sets.push(types);
        Ok(())
    }

    pub(super) fn type_set(&mut self) -> Parse<TypeSetId> {
        if !self.cursor.is_sign("{") {
            return self.reference(Table::TypeSet).map(TypeSetId);
        }
        let types = self.references(Table::Entity)?;
        let sets = &mut self.program.type_sets;
        let at = sets.iter().position(|known| *known == types).unwrap_or_else(|| {
            sets.push(types);
            sets.len() - 1
        });
        Ok(TypeSetId(at as u32))
    }
}
