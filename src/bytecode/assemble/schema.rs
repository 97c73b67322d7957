//! Types, and the declarations of the schema.

use crate::base::limits;
use crate::bytecode::assemble::names::Table;
use crate::bytecode::assemble::{Assembler, Parse};
use crate::bytecode::schema::{Action, EntityType, Enum, Field, Lifecycle, Obligation, Record, Type, TypeId};

impl Assembler<'_> {
    /// A type, as the number that it has in the table; added to it if it is not there.
    pub(super) fn ty(&mut self) -> Parse<TypeId> {
        if let Some(number) = self.cursor.take_raw()? {
            return self.optional(TypeId(number));
        }
        let ty = self.plain_type()?;
        let id = self.intern(ty);
        self.optional(id)
    }

    fn optional(&mut self, id: TypeId) -> Parse<TypeId> {
        let mut id = id;
        while self.cursor.take("?") {
            id = self.intern(Type::Optional(id));
        }
        Ok(id)
    }

    /// A type that is not added to the table itself; its parts are.
    pub(super) fn type_value(&mut self) -> Parse<Type> {
        if let Some(number) = self.cursor.take_raw()? {
            self.cursor.expect("?")?;
            return Ok(Type::Optional(TypeId(number)));
        }
        let mut ty = self.plain_type()?;
        while self.cursor.take("?") {
            ty = Type::Optional(self.intern(ty));
        }
        Ok(ty)
    }

    pub(super) fn intern(&mut self, ty: Type) -> TypeId {
        let types = &mut self.program.schema.types;
        let at = types.iter().position(|known| *known == ty).unwrap_or_else(|| {
            types.push(ty);
            types.len() - 1
        });
        TypeId(at as u32)
    }

    fn plain_type(&mut self) -> Parse<Type> {
        if self.cursor.is_string() {
            let name = self.cursor.string()?;
            return self.named_type(&name);
        }
        Ok(match self.cursor.word()? {
            "Bool" => Type::Bool,
            "Int" => {
                let (mut low, mut high) = (i64::MIN, i64::MAX);
                if self.cursor.take("(") {
                    low = self.cursor.number()?;
                    self.cursor.expect(",")?;
                    high = self.cursor.number()?;
                    self.cursor.expect(")")?;
                }
                Type::Int { low, high }
            }
            "Decimal" => Type::Decimal,
            "String" => {
                let mut bytes_max = limits::STRING_DEFAULT_BYTES_MAX;
                if self.cursor.take("(") {
                    bytes_max = self.cursor.number()?;
                    self.cursor.expect(")")?;
                }
                Type::String { bytes_max }
            }
            "Duration" => Type::Duration,
            "Timestamp" => Type::Timestamp,
            "Ip" => Type::Ip,
            "Net" => Type::Net,
            "Url" => Type::Url,
            "Path" => Type::Path,
            "enum" => Type::Enum(self.reference(Table::Enum)?),
            "record" => Type::Record(self.reference(Table::Record)?),
            "entity" => Type::Entity(self.references(Table::Entity)?),
            "Set" => {
                let (inner, max) = self.bounded()?;
                Type::Set(inner, max)
            }
            "List" => {
                let (inner, max) = self.bounded()?;
                Type::List(inner, max)
            }
            "Map" => {
                let (inner, max) = self.bounded()?;
                Type::Map(inner, max)
            }
            name => return self.named_type(name),
        })
    }

    fn named_type(&self, name: &str) -> Parse<Type> {
        if let Some(number) = self.names.find(Table::Enum, name) {
            return Ok(Type::Enum(number));
        }
        if let Some(number) = self.names.find(Table::Record, name) {
            return Ok(Type::Record(number));
        }
        Ok(Type::Entity(vec![self.find(Table::Entity, name)?]))
    }

    fn bounded(&mut self) -> Parse<(TypeId, u32)> {
        self.cursor.expect("(")?;
        let inner = self.ty()?;
        let max = if self.cursor.take(",") { self.cursor.number()? } else { limits::COLLECTION_DEFAULT_MAX };
        self.cursor.expect(")")?;
        Ok((inner, max))
    }

    fn fields(&mut self) -> Parse<Vec<Field>> {
        let mut fields = Vec::new();
        self.cursor.expect("{")?;
        while !self.cursor.take("}") {
            let name = self.cursor.name()?.into_boxed_str();
            self.cursor.expect(":")?;
            let ty = self.ty()?;
            let mut field =
                Field { name, ty, kernel: false, advisory: false, presented: false, owner: false, sensitive: false };
            while self.cursor.take("@") {
                match self.cursor.word()? {
                    "kernel" => field.kernel = true,
                    "advisory" => field.advisory = true,
                    "presented" => field.presented = true,
                    "owner" => field.owner = true,
                    "sensitive" => field.sensitive = true,
                    _ => return Err(self.cursor.error("there is no such mark")),
                }
            }
            fields.push(field);
        }
        Ok(fields)
    }

    pub(super) fn declare_enum(&mut self) -> Parse {
        let name = self.cursor.name()?.into_boxed_str();
        let mut variants: Vec<Box<str>> = Vec::new();
        self.cursor.expect("{")?;
        while !self.cursor.take("}") {
            variants.push(self.cursor.name()?.into_boxed_str());
        }
        let lifecycle = if self.cursor.take("lifecycle") { Some(self.lifecycle(&variants)?) } else { None };
        self.program.schema.enums.push(Enum { name, variants, lifecycle });
        Ok(())
    }

    fn lifecycle(&mut self, variants: &[Box<str>]) -> Parse<Lifecycle> {
        let mut lifecycle =
            Lifecycle { initial: Vec::new(), finals: Vec::new(), steps: vec![Vec::new(); variants.len()] };
        self.cursor.expect("{")?;
        while !self.cursor.take("}") {
            if self.cursor.take("initial") {
                lifecycle.initial = self.states(variants)?;
            } else if self.cursor.take("final") {
                lifecycle.finals = self.states(variants)?;
            } else {
                let from = self.state(variants)? as usize;
                self.cursor.expect("->")?;
                let to = self.states(variants)?;
                match lifecycle.steps.get_mut(from) {
                    Some(steps) => *steps = to,
                    None => lifecycle.steps.push(to),
                }
            }
        }
        Ok(lifecycle)
    }

    fn states(&mut self, variants: &[Box<str>]) -> Parse<Vec<u32>> {
        let mut states = Vec::new();
        self.cursor.expect("{")?;
        while !self.cursor.take("}") {
            states.push(self.state(variants)?);
        }
        Ok(states)
    }

    fn state(&mut self, variants: &[Box<str>]) -> Parse<u32> {
        if let Some(number) = self.cursor.take_raw()? {
            return Ok(number);
        }
        let name = self.cursor.name()?;
        let at = variants.iter().position(|variant| **variant == *name);
        at.map(|at| at as u32).ok_or_else(|| self.cursor.error("there is no such state"))
    }

    pub(super) fn declare_record(&mut self) -> Parse {
        let name = self.cursor.name()?.into_boxed_str();
        let fields = self.fields()?;
        self.program.schema.records.push(Record { name, fields });
        Ok(())
    }

    /// A second name, or the first again.
    fn qualified(&mut self, name: &str) -> Parse<Box<str>> {
        if self.cursor.take("=") { self.cursor.name().map(String::into_boxed_str) } else { Ok(name.into()) }
    }

    pub(super) fn declare_entity(&mut self) -> Parse {
        let name = self.cursor.name()?.into_boxed_str();
        let qualified = self.qualified(&name)?;
        let presented = self.cursor.take("presented");
        let approver = self.cursor.take("approver");
        let parents = if self.cursor.take("in") { self.references(Table::Entity)? } else { Vec::new() };
        let governed_by = if self.cursor.take("governed_by") { Some(self.reference(Table::Enum)?) } else { None };
        let attributes = if self.cursor.is_sign("{") { self.fields()? } else { Vec::new() };
        let entity = EntityType { name, qualified, presented, approver, parents, attributes, governed_by };
        self.program.schema.entity_types.push(entity);
        Ok(())
    }

    pub(super) fn declare_action(&mut self) -> Parse {
        let name = self.cursor.name()?.into_boxed_str();
        let qualified = self.qualified(&name)?;
        let subject = if self.cursor.take("subject") { self.references(Table::Entity)? } else { Vec::new() };
        let resource = if self.cursor.take("resource") { self.references(Table::Entity)? } else { Vec::new() };
        let context = if self.cursor.is_sign("{") { self.fields()? } else { Vec::new() };
        self.program.schema.actions.push(Action { name, qualified, subject, resource, context });
        self.program.entries.resize_with(self.program.schema.actions.len(), Default::default);
        Ok(())
    }

    pub(super) fn declare_obligation(&mut self) -> Parse {
        let name = self.cursor.name()?.into_boxed_str();
        let mut parameters = Vec::new();
        if self.cursor.take("{") {
            while !self.cursor.take("}") {
                let name = self.cursor.name()?.into_boxed_str();
                self.cursor.expect(":")?;
                parameters.push((name, self.ty()?));
            }
        }
        self.program.schema.obligations.push(Obligation { name, parameters });
        Ok(())
    }
}
