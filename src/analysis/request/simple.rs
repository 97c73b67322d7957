//! The simplest value of a type, for what no rule reads.

use std::sync::Arc;

use super::{Value, Writer};
use crate::types::ty::Type;

impl Writer<'_, '_> {
    pub(super) fn simple(&mut self, ty: &Type) -> Value {
        match ty {
            Type::Bool => Value::Bool(false),
            Type::Int(interval) => Value::Number(0_i128.clamp(interval.low.into(), interval.high.into())),
            Type::Decimal | Type::Duration | Type::Timestamp => Value::Number(0),
            Type::String(_) => Value::Word("".into()),
            Type::IpAddr => Value::Word("400000000".into()),
            Type::IpNet => Value::Word("400000000/20".into()),
            Type::Url => Value::Word("https://a.example/".into()),
            Type::Path => Value::Word("/".into()),
            Type::Enum(of) => Value::Name(self.policy.enums[of.index()].variants.first().cloned().unwrap_or_default()),
            Type::Record(of) => {
                let fields = &self.policy.records[of.index()].fields;
                Value::Record(fields.iter().map(|field| (field.name.clone(), self.simple(&field.ty))).collect())
            }
            Type::Entity(types) => {
                let first = types.first().map_or(0, |ty| ty.index());
                let Some(def) = self.policy.entity_types.get(first) else { return Value::Absent };
                let ty = def.wire.clone();
                // Somebody who is there already, if there is anybody.
                let known = self.named.iter().find(|(known, _)| *known == ty).map(|(_, id)| id.clone());
                let free = |id: &Arc<str>| !self.unknown.contains(&(ty.clone(), id.clone()));
                let mut ids = (0_u32..).map(|number| match number {
                    0 => Arc::from("a"),
                    number => Arc::from(format!("a{number}")),
                });
                let id: Arc<str> = known.or_else(|| ids.find(free)).unwrap_or_else(|| "a".into());
                self.name(&ty, &id);
                Value::Entity(ty, id, None)
            }
            Type::Set(..) | Type::List(..) => Value::List(Vec::new()),
            Type::Map(..) => Value::Map(Vec::new()),
            Type::Optional(_) | Type::Unknown => Value::Absent,
        }
    }
}
