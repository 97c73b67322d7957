//! The world of a test as JSON: its entities, and each request with the kernel's facts; as a kernel would be given them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::types::ty::Type;
use crate::types::typed::{Const, EntityTypeId, FieldDef, TestCase, TestDef, TestEntity, TypedPolicy};

/// How deep entities of presented types are written within each other.
const DEPTH_MAX: usize = 16;

/// Writes the documents of one test.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The package.
    pub policy: &'a TypedPolicy,
    /// The test.
    pub test: &'a TestDef,
}

impl World<'_> {
    /// The entities of registered types, with those that are only named.
    ///
    /// # Errors
    /// A sentence, where a test names an entity that has attributes and does not give it.
    pub fn entities(&self) -> Result<String, String> {
        let mut entities = Vec::new();
        for entity in self.test.entities.iter().filter(|entity| !self.is_presented(entity.ty)) {
            let mut members = vec![self.identity(entity.ty, &entity.id)];
            if !entity.attributes.is_empty() {
                members.push(format!("\"properties\":{}", self.object(&entity.attributes, 0)));
            }
            if !entity.parents.is_empty() {
                let parents = entity.parents.iter().map(|(ty, id)| format!("{{{}}}", self.identity(*ty, id)));
                members.push(format!("\"in\":[{}]", parents.collect::<Vec<_>>().join(",")));
            }
            entities.push(format!("{{{}}}", members.join(",")));
        }
        for (ty, id) in self.named()? {
            entities.push(format!("{{{}}}", self.identity(ty, &id)));
        }
        Ok(format!("[{}]", entities.join(",")))
    }

    /// The request of a case.
    #[must_use]
    pub fn request(&self, case: &TestCase) -> String {
        let party = |at: u32| {
            let entity = &self.test.entities[at as usize];
            self.entity(entity.ty, &entity.id, 0)
        };
        let action = &self.policy.actions[case.action.index()];
        format!(
            "{{\"subject\":{},\"action\":{{\"name\":{}}},\"resource\":{},\"context\":{}}}",
            party(case.subject),
            string(&action.wire),
            party(case.resource),
            self.object(&case.context, 0)
        )
    }

    /// The kernel's facts of a case. A fact that the test leaves out and that no rule reads (`is_read` tells, by the
    /// field's place in the context) is made up, since a kernel always gives all of them.
    #[must_use]
    pub fn facts(&self, case: &TestCase, is_read: impl Fn(usize) -> bool) -> String {
        let mut members: Vec<String> =
            case.facts.iter().map(|(name, value)| format!("{}:{}", string(name), self.value(value, 0))).collect();
        let context = self.policy.actions[case.action.index()].context.iter().enumerate();
        for (at, field) in context.filter(|(_, field)| field.kernel) {
            let is_given = case.facts.iter().any(|(name, _)| *name == field.name);
            if !is_given
                && !is_read(at)
                && let Some(value) = self.any(&field.ty, 0)
            {
                members.push(format!("{}:{value}", string(&field.name)));
            }
        }
        format!("{{{}}}", members.join(","))
    }

    fn is_presented(&self, ty: EntityTypeId) -> bool {
        self.policy.entity_types[ty.index()].presented
    }

    fn identity(&self, ty: EntityTypeId, id: &str) -> String {
        format!("\"type\":{},\"id\":{}", string(&self.policy.entity_types[ty.index()].wire), string(id))
    }

    /// An entity in a request: those of presented types with their attributes.
    fn entity(&self, ty: EntityTypeId, id: &str, depth: usize) -> String {
        let given = self.test.entities.iter().find(|entity| entity.ty == ty && *entity.id == *id);
        match given {
            Some(TestEntity { attributes, .. }) if self.is_presented(ty) && depth < DEPTH_MAX => {
                format!("{{{},\"properties\":{}}}", self.identity(ty, id), self.object(attributes, depth + 1))
            }
            _ => format!("{{{}}}", self.identity(ty, id)),
        }
    }

    fn object(&self, members: &[(Arc<str>, Const)], depth: usize) -> String {
        let present = members.iter().filter(|(_, value)| *value != Const::Absent);
        let written = present.map(|(name, value)| format!("{}:{}", string(name), self.value(value, depth)));
        format!("{{{}}}", written.collect::<Vec<_>>().join(","))
    }

    fn value(&self, value: &Const, depth: usize) -> String {
        let array = |values: &[Const]| {
            let written: Vec<String> = values.iter().map(|value| self.value(value, depth)).collect();
            format!("[{}]", written.join(","))
        };
        match value {
            Const::Absent => "null".to_owned(),
            Const::Bool(value) => value.to_string(),
            Const::Int(value) => value.to_string(),
            Const::Decimal(value) => value.to_string(),
            Const::String(value) => string(value),
            Const::Duration(value) => string(&value.to_string()),
            Const::Timestamp(value) => string(&value.to_string()),
            Const::Ip(value) => string(&value.to_string()),
            Const::Net(value) => string(&value.to_string()),
            Const::Url(value) => string(&value.to_string()),
            Const::Path(value) => string(&value.to_string()),
            Const::Enum(of, at) => string(&self.policy.enums[of.index()].variants[*at as usize]),
            Const::Entity(ty, id) => self.entity(*ty, id, depth),
            Const::Record(of, values) => {
                let fields = self.policy.records[of.index()].fields.iter();
                let members: Vec<(Arc<str>, Const)> =
                    fields.zip(values).map(|(field, value)| (field.name.clone(), value.clone())).collect();
                self.object(&members, depth)
            }
            Const::Set(values) | Const::List(values) => array(values),
            Const::Map(entries) => {
                let written =
                    entries.iter().map(|(key, value)| format!("{}:{}", string(key), self.value(value, depth)));
                format!("{{{}}}", written.collect::<Vec<_>>().join(","))
            }
        }
    }

    /// Entities of registered types that the test names and does not give.
    fn named(&self) -> Result<BTreeSet<(EntityTypeId, Arc<str>)>, String> {
        let mut names = Names::default();
        for entity in &self.test.entities {
            names.found.extend(entity.parents.iter().cloned());
            entity.attributes.iter().for_each(|(_, value)| names.collect(value));
        }
        for case in &self.test.cases {
            case.context.iter().chain(&case.facts).for_each(|(_, value)| names.collect(value));
        }
        let is_given =
            |ty: EntityTypeId, id: &str| self.test.entities.iter().any(|entity| entity.ty == ty && *entity.id == *id);
        names.found.retain(|(ty, id)| !self.is_presented(*ty) && !is_given(*ty, id));
        for (ty, id) in &names.found {
            let def = &self.policy.entity_types[ty.index()];
            let required = def.attributes.iter().find(|field| !matches!(field.ty, Type::Optional(_)));
            if let Some(field) = required {
                let name = &def.name;
                return Err(format!(
                    "the test names {name}::{id:?} and does not say what its `{}` is: add `given {name}::{id:?} {{ … }}`",
                    field.name
                ));
            }
        }
        Ok(names.found)
    }

    /// Some value of a type; none where it would be an entity, of which nobody knows which ones there are.
    fn any(&self, ty: &Type, depth: usize) -> Option<String> {
        if depth > DEPTH_MAX {
            return None;
        }
        Some(match ty {
            Type::Bool => "false".to_owned(),
            Type::Int(interval) => 0.clamp(interval.low, interval.high).to_string(),
            Type::Decimal => "0".to_owned(),
            Type::String(_) => "\"\"".to_owned(),
            Type::Duration => "\"0s\"".to_owned(),
            Type::Timestamp => "\"1970-01-01T00:00:00Z\"".to_owned(),
            Type::IpAddr => "\"0.0.0.0\"".to_owned(),
            Type::IpNet => "\"0.0.0.0/0\"".to_owned(),
            Type::Url => "\"https://example.com/\"".to_owned(),
            Type::Path => "\"/\"".to_owned(),
            Type::Enum(of) => string(self.policy.enums[of.index()].variants.first()?),
            Type::Record(of) => {
                let fields = self.policy.records[of.index()].fields.iter();
                let required = fields.filter(|field| !matches!(field.ty, Type::Optional(_)));
                let member =
                    |field: &FieldDef| Some(format!("{}:{}", string(&field.name), self.any(&field.ty, depth + 1)?));
                format!("{{{}}}", required.map(member).collect::<Option<Vec<_>>>()?.join(","))
            }
            Type::Set(..) | Type::List(..) => "[]".to_owned(),
            Type::Map(..) => "{}".to_owned(),
            Type::Optional(_) => "null".to_owned(),
            Type::Entity(_) | Type::Unknown => return None,
        })
    }
}

#[derive(Default)]
struct Names {
    found: BTreeSet<(EntityTypeId, Arc<str>)>,
}

impl Names {
    fn collect(&mut self, value: &Const) {
        match value {
            Const::Entity(ty, id) => {
                self.found.insert((*ty, id.clone()));
            }
            Const::Record(_, values) | Const::Set(values) | Const::List(values) => {
                values.iter().for_each(|value| self.collect(value));
            }
            Const::Map(entries) => entries.iter().for_each(|(_, value)| self.collect(value)),
            _ => {}
        }
    }
}

fn string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
