//! The schema of a package: what its declarations say of requests and entities.

use std::collections::HashMap;

use crate::bytecode::schema::{Action, EntityType, Enum, Field, Lifecycle, Obligation, Record, Schema, Type, TypeId};
use crate::types::ty::{self, Interval};
use crate::types::typed::{FieldDef, TypedPolicy};

/// The schema under construction, with the place of every type that it has.
#[derive(Debug, Default)]
pub(super) struct SchemaBuilder {
    pub(super) schema: Schema,
    places: HashMap<Type, TypeId>,
}

impl SchemaBuilder {
    /// The id of a type, which is added where it is new.
    pub(super) fn intern(&mut self, ty: Type) -> TypeId {
        if let Some(&id) = self.places.get(&ty) {
            return id;
        }
        let id = TypeId(self.schema.types.len() as u32);
        self.schema.types.push(ty.clone());
        self.places.insert(ty, id);
        id
    }

    /// The id of a type of the checker.
    pub(super) fn type_id(&mut self, ty: &ty::Type) -> TypeId {
        let ty = match ty {
            ty::Type::Bool => Type::Bool,
            ty::Type::Int(Interval { low, high }) => Type::Int { low: *low, high: *high },
            ty::Type::Decimal => Type::Decimal,
            ty::Type::String(bytes_max) => Type::String { bytes_max: *bytes_max },
            ty::Type::Duration => Type::Duration,
            ty::Type::Timestamp => Type::Timestamp,
            ty::Type::IpAddr => Type::Ip,
            ty::Type::IpNet => Type::Net,
            ty::Type::Url => Type::Url,
            ty::Type::Path => Type::Path,
            ty::Type::Enum(id) => Type::Enum(id.0),
            ty::Type::Record(id) => Type::Record(id.0),
            ty::Type::Entity(types) => Type::Entity(types.iter().map(|id| id.0).collect()),
            ty::Type::Set(element, bound) => Type::Set(self.type_id(element), *bound),
            ty::Type::List(element, bound) => Type::List(self.type_id(element), *bound),
            ty::Type::Map(element, bound) => Type::Map(self.type_id(element), *bound),
            ty::Type::Optional(inner) => Type::Optional(self.type_id(inner)),
            ty::Type::Unknown => unreachable!("a checked package has no unknown types"),
        };
        self.intern(ty)
    }

    fn field(&mut self, field: &FieldDef) -> Field {
        Field {
            name: (*field.name).into(),
            ty: self.type_id(&field.ty),
            kernel: field.kernel,
            advisory: field.advisory,
            presented: field.presented,
            owner: field.owner,
            sensitive: field.sensitive,
        }
    }

    fn fields(&mut self, fields: &[FieldDef]) -> Vec<Field> {
        fields.iter().map(|field| self.field(field)).collect()
    }
}

/// The schema of all declarations, in their order.
pub(super) fn schema(policy: &TypedPolicy) -> SchemaBuilder {
    let mut builder = SchemaBuilder::default();
    for def in &policy.enums {
        let lifecycle = def.lifecycle.as_ref().map(|lifecycle| Lifecycle {
            initial: lifecycle.initial.clone(),
            finals: lifecycle.finals.clone(),
            steps: lifecycle.steps.clone(),
        });
        let variants = def.variants.iter().map(|name| (**name).into()).collect();
        builder.schema.enums.push(Enum { name: (*def.qualified).into(), variants, lifecycle });
    }
    for def in &policy.records {
        let fields = builder.fields(&def.fields);
        builder.schema.records.push(Record { name: (*def.qualified).into(), fields });
    }
    for def in &policy.entity_types {
        let attributes = builder.fields(&def.attributes);
        builder.schema.entity_types.push(EntityType {
            name: (*def.wire).into(),
            qualified: (*def.qualified).into(),
            presented: def.presented,
            approver: def.approver,
            parents: def.parents.iter().map(|id| id.0).collect(),
            attributes,
            governed_by: def.governed_by.map(|id| id.0),
        });
    }
    for def in &policy.actions {
        let context = builder.fields(&def.context);
        builder.schema.actions.push(Action {
            name: (*def.wire).into(),
            qualified: (*def.qualified).into(),
            subject: def.subject.iter().map(|id| id.0).collect(),
            resource: def.resource.iter().map(|id| id.0).collect(),
            context,
        });
    }
    for def in &policy.obligations {
        let parameters =
            def.parameters.iter().map(|parameter| ((*parameter.name).into(), builder.type_id(&parameter.ty))).collect();
        builder.schema.obligations.push(Obligation { name: (*def.wire).into(), parameters });
    }
    builder
}

impl SchemaBuilder {
    /// The checker's type of an id.
    pub(super) fn checker_type(&self, id: TypeId) -> ty::Type {
        use crate::types::typed::{EntityTypeId, EnumId, RecordId};
        match self.schema.ty(id) {
            Type::Bool => ty::Type::Bool,
            Type::Int { low, high } => ty::Type::Int(Interval { low: *low, high: *high }),
            Type::Decimal => ty::Type::Decimal,
            Type::String { bytes_max } => ty::Type::String(*bytes_max),
            Type::Duration => ty::Type::Duration,
            Type::Timestamp => ty::Type::Timestamp,
            Type::Ip => ty::Type::IpAddr,
            Type::Net => ty::Type::IpNet,
            Type::Url => ty::Type::Url,
            Type::Path => ty::Type::Path,
            Type::Enum(id) => ty::Type::Enum(EnumId(*id)),
            Type::Record(id) => ty::Type::Record(RecordId(*id)),
            Type::Entity(types) => ty::Type::Entity(types.iter().map(|&id| EntityTypeId(id)).collect()),
            Type::Set(element, bound) => ty::Type::Set(Box::new(self.checker_type(*element)), *bound),
            Type::List(element, bound) => ty::Type::List(Box::new(self.checker_type(*element)), *bound),
            Type::Map(element, bound) => ty::Type::Map(Box::new(self.checker_type(*element)), *bound),
            Type::Optional(inner) => ty::Type::Optional(Box::new(self.checker_type(*inner))),
        }
    }
}
