//! What the registry says of entities that are named: for those who ask it outside of a decision.

use std::collections::BTreeSet;

use crate::bytecode::schema::{Action, EntityType, Field};
use crate::vm::decision::EntityName;
use crate::vm::entities::Entities as _;
use crate::vm::image::Image;
use crate::vm::memory::{Heap, Memory};
use crate::vm::show::Show;
use crate::vm::store::Store;
use crate::vm::value::{EntityRef, Value};

/// The entities of a store, by their names.
#[derive(Clone, Copy, Debug)]
pub struct Directory<'a> {
    image: &'a Image,
    store: &'a Store,
}

impl<'a> Directory<'a> {
    /// Of a store that was made for this program.
    #[must_use]
    pub fn new(image: &'a Image, store: &'a Store) -> Directory<'a> {
        Directory { image, store }
    }

    /// The entity type of a name, the one on the wire or the qualified one.
    #[must_use]
    pub fn entity_type(self, name: &str) -> Option<&'a EntityType> {
        self.type_at(name).and_then(|at| self.image.schema().entity_types.get(at as usize))
    }

    /// The action of a name, the one on the wire or the qualified one.
    #[must_use]
    pub fn action(self, name: &str) -> Option<&'a Action> {
        self.image.action(name).and_then(|at| self.image.schema().actions.get(at as usize))
    }

    /// The entity with its type's name on the wire, by which it is compared. A type that the program does not have keeps
    /// its name.
    #[must_use]
    pub fn canonical(self, name: &EntityName) -> EntityName {
        let ty = self.entity_type(&name.ty).map_or(&*name.ty, |ty| &ty.name);
        EntityName { ty: ty.to_owned(), id: name.id.clone() }
    }

    /// Whether it is registered.
    #[must_use]
    pub fn is_registered(self, name: &EntityName) -> bool {
        self.find(name).is_some()
    }

    /// Whether it is registered, of a type that may approve.
    #[must_use]
    pub fn is_approver(self, name: &EntityName) -> bool {
        self.entity_type(&name.ty).is_some_and(|ty| ty.approver) && self.is_registered(name)
    }

    /// Whether one entity is in another one, as the operator `in` has it: it is the same, or lies below. Both have to be
    /// registered.
    #[must_use]
    pub fn is_in(self, name: &EntityName, group: &EntityName) -> bool {
        let row = |name| self.find(name).and_then(|entity| entity.row.stored_at());
        match (row(name), row(group)) {
            (Some(row), Some(group)) => self.store.is_in(row, group),
            _ => false,
        }
    }

    /// The attributes of a type that name owners.
    pub fn owner_fields(self, ty: &str) -> impl Iterator<Item = &'a Field> {
        self.entity_type(ty).map_or(&[][..], |ty| &ty.attributes).iter().filter(|field| field.owner)
    }

    /// Whom an attribute names by what is registered: one, several or nobody.
    #[must_use]
    pub fn named_by(self, name: &EntityName, attribute: &str) -> BTreeSet<EntityName> {
        let mut all = BTreeSet::new();
        let place =
            self.entity_type(&name.ty).and_then(|ty| ty.attributes.iter().position(|of| *of.name == *attribute));
        if let (Some(place), Some(row)) = (place, self.find(name).and_then(|entity| entity.row.stored_at()))
            && let Some(value) = self.store.attribute(row, place as u32)
        {
            self.collect(value, &mut all);
        }
        all
    }

    /// Whom the attributes that name owners name, by what is registered.
    #[must_use]
    pub fn owners(self, name: &EntityName) -> BTreeSet<EntityName> {
        self.owner_fields(&name.ty).flat_map(|field| self.named_by(name, &field.name)).collect()
    }

    fn type_at(self, name: &str) -> Option<u32> {
        let types = &self.image.schema().entity_types;
        types.iter().position(|ty| *ty.name == *name || *ty.qualified == *name).map(|at| at as u32)
    }

    fn find(self, name: &EntityName) -> Option<EntityRef> {
        self.store.find(self.image, self.type_at(&name.ty)?, &name.id)
    }

    fn collect(self, value: Value, all: &mut BTreeSet<EntityName>) {
        let local = Heap::default();
        let memory = Memory { program: &self.image.heap, store: self.store.heap(), local: &local };
        match value {
            Value::Entity(entity) => _ = all.insert(Show { schema: self.image.schema(), memory }.entity(entity)),
            Value::Set(seq) | Value::List(seq) => {
                memory.values(seq).iter().for_each(|&element| self.collect(element, all));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytecode::assemble::assemble;
    use crate::bytecode::verify::{Limits, verify};
    use crate::vm::machine::Machine;

    const PROGRAM: &str = "
        entity Team in { Team }
        entity Person = acme.Person approver in { Team } { manager: Person? @owner level: Int }
        entity Agent in { Team } { owner: Person @owner keepers: Set(Person, 4) @owner friend: Person? }
        entity Note presented { author: Person @owner }
        action act subject { Agent } resource { Note } { }
        fn rule entry act -> Bool {
            const r0, true
            return r0
        }
        entry act { rule allow m.all condition rule }";

    const ENTITIES: &str = r#"[
        {"type":"Team","id":"all"},
        {"type":"Team","id":"shop","in":[{"type":"Team","id":"all"}]},
        {"type":"Person","id":"ann","properties":{"level":1},"in":[{"type":"Team","id":"shop"}]},
        {"type":"Person","id":"ben","properties":{"level":1,"manager":"ann"}},
        {"type":"Agent","id":"ci","properties":{"owner":"ben","keepers":["ann","ben"],"friend":"ann"},
         "in":[{"type":"Team","id":"shop"}]}]"#;

    fn name(ty: &str, id: &str) -> EntityName {
        EntityName { ty: ty.to_owned(), id: id.to_owned() }
    }

    fn machine() -> Machine {
        let program = assemble(PROGRAM).unwrap_or_else(|error| panic!("{error}"));
        let program = verify(program, &Limits::STANDARD).unwrap_or_else(|error| panic!("{error}"));
        let machine = Machine::new(program).expect("it runs");
        machine.load_entities(ENTITIES.as_bytes()).expect("they are sound");
        machine
    }

    #[test]
    fn who_is_what_and_in_what() {
        let machine = machine();
        let store = machine.entities();
        let directory = Directory::new(machine.image(), &store);
        let (ann, ben, ci) = (name("Person", "ann"), name("Person", "ben"), name("Agent", "ci"));
        assert_eq!(directory.canonical(&name("acme.Person", "ann")), ann);
        assert_eq!(directory.canonical(&name("Robot", "x")), name("Robot", "x"));
        assert!(directory.is_approver(&ann) && directory.is_approver(&name("acme.Person", "ben")));
        for other in [&ci, &name("Person", "eve"), &name("Team", "shop"), &name("Robot", "x")] {
            assert!(!directory.is_approver(other), "{other}");
        }
        let (shop, all) = (name("Team", "shop"), name("Team", "all"));
        assert!(directory.is_in(&ann, &shop) && directory.is_in(&ann, &all) && directory.is_in(&ann, &ann));
        assert!(!directory.is_in(&ben, &all) && !directory.is_in(&shop, &ann));
        assert!(!directory.is_in(&ann, &name("Team", "none")) && !directory.is_in(&name("Person", "eve"), &all));
        let nobody = name("Team", "none");
        assert!(!directory.is_in(&nobody, &nobody));
    }

    #[test]
    fn owners_are_whom_marked_attributes_name() {
        let machine = machine();
        let store = machine.entities();
        let directory = Directory::new(machine.image(), &store);
        let (ann, ben, ci) = (name("Person", "ann"), name("Person", "ben"), name("Agent", "ci"));
        let set = |names: &[&EntityName]| -> BTreeSet<EntityName> { names.iter().copied().cloned().collect() };
        assert_eq!(directory.owners(&ci), set(&[&ann, &ben]));
        assert_eq!(directory.owners(&ben), set(&[&ann]));
        for nobody in [&ann, &name("Agent", "eve"), &name("Team", "shop"), &name("Note", "n"), &name("Robot", "x")] {
            assert_eq!(directory.owners(nobody), set(&[]), "{nobody}");
        }
        assert_eq!(directory.named_by(&ci, "friend"), set(&[&ann]));
        assert_eq!(directory.named_by(&ci, "keepers"), set(&[&ann, &ben]));
        assert_eq!(directory.named_by(&ben, "level"), set(&[]));
        assert_eq!(directory.named_by(&ci, "boss"), set(&[]));
        let fields = |ty| -> Vec<&str> { directory.owner_fields(ty).map(|field| &*field.name).collect() };
        assert_eq!(fields("Agent"), ["owner", "keepers"]);
        assert_eq!(fields("Note"), ["author"]);
        assert_eq!(fields("Robot"), [""; 0]);
    }
}
