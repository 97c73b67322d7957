//! Governed records by themselves: what type a stored record has, which states, and whether its invariants hold, without
//! a request.
//!
//! Invariants that read the subject or the caller's context are guards of steps; a decision looks at them. What holds of a
//! record by itself is what every action on it demands and what reads nothing but the resource, and `now`. An invariant
//! that is written outside of the record and is of that kind is no other than one within.
//!
//! ```
//! use pdl::data::timestamp::Timestamp;
//! use pdl::vm::machine::{Machine, Scratch};
//!
//! # fn example(machine: &Machine) -> Result<(), pdl::InputError> {
//! let Some(refund) = machine.record_type("Refund") else { return Ok(()) };
//! assert!(refund.lifecycle().may_step("requested", "approved"));
//! let properties = br#"{"status":"requested","amount":12.50}"#;
//! let (store, mut scratch) = (machine.entities(), Scratch::default());
//! let state = refund.state(&store, "r-17", properties, Timestamp::EPOCH, &mut scratch).map_err(|fault| *fault)?;
//! println!("{} is {}", state.properties.text(), state.status);
//! for violation in &state.violations {
//!     println!("{} {:?} {:?}", violation.id, violation.code, violation.message);
//! }
//! # Ok(()) }
//! ```

use crate::bytecode::program::Input;
use crate::bytecode::schema::{EntityType, Enum, Lifecycle, Type};
use crate::data::timestamp::Timestamp;
use crate::vm::asked::Members;
use crate::vm::canonical::{Form, Writer};
use crate::vm::decide::Sets;
use crate::vm::decision::RuleReport;
use crate::vm::decode::{World, decode_record};
use crate::vm::entities::Entities as _;
use crate::vm::input::{Fail, InputErrorKind, fail};
use crate::vm::machine::{Machine, Scratch};
use crate::vm::memory::Memory;
use crate::vm::plan::states::is_now;
use crate::vm::report::state_report;
use crate::vm::run::{Run, Unmetered};
use crate::vm::store::Store;
use crate::vm::value::Value;

/// The attribute that says in which state a record is.
pub const STATUS: &str = "status";

/// A type of governed records.
#[derive(Clone, Copy, Debug)]
pub struct RecordType<'m> {
    machine: &'m Machine,
    at: u32,
    ty: &'m EntityType,
    states: States<'m>,
    /// The place of the status among the attributes.
    status: usize,
}

/// The lifecycle of a type of records. Names that are no states are not initial, not final, and lead nowhere.
#[derive(Clone, Copy, Debug)]
pub struct States<'m> {
    of: &'m Enum,
    lifecycle: &'m Lifecycle,
}

/// A record that could be read.
#[derive(Clone, Debug)]
pub struct State<'m> {
    /// Its attributes, the status among them: a canonical text in the form of the wire, and its members.
    pub properties: Members<'m>,
    /// The state that it is in.
    pub status: &'m str,
    /// Its invariants that don't hold, in source order. One that is an error is violated, and says which.
    pub violations: Vec<RuleReport>,
}

impl Machine {
    /// The type of governed records of this name, simple or qualified. `None` if there is none: another entity type is
    /// nothing that a kernel keeps.
    #[must_use]
    pub fn record_type(&self, name: &str) -> Option<RecordType<'_>> {
        let types = &self.image().schema().entity_types;
        // As in the plan: the first one of a name.
        let at = types.iter().position(|ty| *ty.name == *name || *ty.qualified == *name)?;
        self.record_type_at(at as u32)
    }

    /// All types of governed records.
    pub fn record_types(&self) -> impl Iterator<Item = RecordType<'_>> {
        (0..self.image().schema().entity_types.len() as u32).filter_map(|at| self.record_type_at(at))
    }

    fn record_type_at(&self, at: u32) -> Option<RecordType<'_>> {
        let schema = self.image().schema();
        let ty = schema.entity_types.get(at as usize)?;
        let governed = ty.governed_by?;
        let of = schema.enums.get(governed as usize)?;
        let states = States { of, lifecycle: of.lifecycle.as_ref()? };
        let status = ty.attributes.iter().position(|field| *field.name == *STATUS)?;
        let is_status = *schema.ty(ty.attributes.get(status)?.ty) == Type::Enum(governed);
        (ty.presented && is_status).then_some(RecordType { machine: self, at, ty, states, status })
    }
}

impl<'m> RecordType<'m> {
    /// The type, with its names and its attributes.
    #[must_use]
    pub fn entity_type(&self) -> &'m EntityType {
        self.ty
    }

    /// Its lifecycle.
    #[must_use]
    pub fn lifecycle(&self) -> States<'m> {
        self.states
    }

    /// The ids of the invariants that hold for a record by itself, in source order.
    pub fn invariants(&self) -> impl Iterator<Item = &'m str> {
        let image = self.machine.image();
        let plan = image.states.get(self.at as usize);
        let entry = plan.and_then(|plan| image.program.entries.get(plan.entry? as usize));
        let rules = plan.map_or(&[][..], |plan| &plan.rules);
        let rules = rules.iter().filter_map(move |&rule| entry?.rules.get(rule as usize));
        rules.map(|rule| image.program.strings.get(rule.id.0 as usize).map_or("", |text| text))
    }

    /// Reads a record, and says which of its invariants don't hold.
    ///
    /// `properties` is a JSON object with all of its attributes and its `status`, read as strictly as a request's. Entities
    /// that it names have to be in the store, unless they come with their attributes.
    ///
    /// # Errors
    /// What is wrong with the document, whose paths begin with `properties`; or that there is no action on such records, so
    /// that no invariant is known.
    pub fn state(
        &self,
        store: &Store,
        id: &str,
        properties: &[u8],
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Result<State<'m>, Fail> {
        let (image, schema) = (self.machine.image(), self.machine.image().schema());
        let Some(plan) = image.states.get(self.at as usize) else { return Err(no_action(self.ty)) };
        let Some(action) = plan.entry else { return Err(no_action(self.ty)) };
        let world = World { image, plan: self.machine.plan(), store };
        let (decode, local) = scratch.parts();
        let record = decode_record(world, self.at, id, properties, decode, local)?;
        let memory = Memory { program: &image.heap, store: store.heap(), local: &local.heap };
        let writer = Writer { image, memory, presented: &local.presented, form: Form::Wire };
        let values = writer.presented(record).map_or(&[][..], |(_, values)| values);
        let properties = Members::write(writer, image.attributes(self.at), values, |_| true);
        let status = match values.get(self.status) {
            Some(&Value::Enum(variant)) => self.states.of.variants.get(variant.at as usize),
            _ => None,
        };
        let status = status.map_or("", |status| &**status);
        let entry = image.program.entries.get(action as usize).map_or(&[][..], |entry| &entry.inputs);
        let context = schema.actions.get(action as usize).map_or(&[][..], |action| &action.context);
        decode.inputs.extend(entry.iter().map(|input| match *input {
            Input::Resource => Value::Entity(record),
            Input::Context(at) if context.get(at as usize).is_some_and(|field| is_now(&image.program, field)) => {
                Value::Timestamp(now.millis())
            }
            // Nothing that is looked at reads it.
            Input::Subject | Input::Context(_) => Value::INTERNAL,
        }));
        let look = |run: &mut Run<'_, Store, Unmetered>, _: &mut Sets| state_report(run, action, plan);
        let mut violations = self.machine.run(store, action, scratch, Unmetered, look);
        if let Some(origin) = self.machine.origin() {
            violations.iter_mut().for_each(|violation| violation.at = origin.place(violation.site));
        }
        Ok(State { properties, status, violations })
    }
}

/// Invariants are compiled for actions. Where there is none, it is not known what holds.
#[cold]
fn no_action(ty: &EntityType) -> Fail {
    let message = format!("there is no action on {}, and so nobody can say what holds for one", ty.name);
    fail(InputErrorKind::UnknownAction, 0, None, message)
}

impl<'m> States<'m> {
    /// The name of the lifecycle.
    #[must_use]
    pub fn name(&self) -> &'m str {
        &self.of.name
    }

    /// The states, in the order in which they are written.
    pub fn all(&self) -> impl Iterator<Item = &'m str> {
        self.of.variants.iter().map(|name| &**name)
    }

    /// The states in which a record may be made.
    pub fn initial(&self) -> impl Iterator<Item = &'m str> {
        self.named(&self.lifecycle.initial)
    }

    /// The states in which a record stays.
    pub fn finals(&self) -> impl Iterator<Item = &'m str> {
        self.named(&self.lifecycle.finals)
    }

    /// Whether a record may be made in a state.
    #[must_use]
    pub fn is_initial(&self, state: &str) -> bool {
        self.initial().any(|other| other == state)
    }

    /// Whether a record stays in a state.
    #[must_use]
    pub fn is_final(&self, state: &str) -> bool {
        self.finals().any(|other| other == state)
    }

    /// Whether a record may step from one state to another. To stay where it is is no step, unless the lifecycle has it.
    #[must_use]
    pub fn may_step(&self, from: &str, to: &str) -> bool {
        let place = |name: &str| self.all().position(|other| other == name);
        let (Some(from), Some(to)) = (place(from), place(to)) else { return false };
        self.lifecycle.steps.get(from).is_some_and(|steps| steps.iter().any(|&step| step as usize == to))
    }

    fn named(&self, states: &'m [u32]) -> impl Iterator<Item = &'m str> {
        let variants = &self.of.variants;
        states.iter().filter_map(|&state| variants.get(state as usize)).map(|name| &**name)
    }
}
