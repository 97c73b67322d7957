//! A small world with a type of every kind, built by hand: no test here needs a compiler.

use pdl::bytecode::op::{Op, Slot, U24};
use pdl::bytecode::program::{
    Constant, ConstantValue, Effect, Entry, Function, FunctionId, Index, Input, Program, Rule, Selector, SiteId,
    StringId,
};
use pdl::bytecode::schema::{Action, EntityType, Enum, Field, Record, Schema, Type, TypeId};
use pdl::bytecode::verify::{Limits, certify, verify};
use pdl::vm::decode::names::Plan;
use pdl::vm::decode::{Extent, Options, UnknownMembers, Unregistered};
use pdl::vm::image::Image;
use serde_json::Value as Json;

/// Entity types, by their places.
pub const TEAM: u32 = 0;
pub const PERSON: u32 = 1;
pub const AGENT: u32 = 2;
pub const SERVICE: u32 = 3;
pub const DOCUMENT: u32 = 4;

struct Types(Vec<Type>);

impl Types {
    fn add(&mut self, ty: Type) -> TypeId {
        let at = self.0.iter().position(|other| *other == ty).unwrap_or_else(|| {
            self.0.push(ty);
            self.0.len() - 1
        });
        TypeId(at as u32)
    }

    fn optional(&mut self, inner: TypeId) -> TypeId {
        self.add(Type::Optional(inner))
    }
}

fn field(name: &str, ty: TypeId) -> Field {
    let name = name.into();
    Field { name, ty, kernel: false, advisory: false, presented: false, owner: false, sensitive: false }
}

fn entity(name: &str, parents: &[u32], attributes: Vec<Field>) -> EntityType {
    EntityType {
        name: name.into(),
        qualified: format!("acme.{name}").into(),
        presented: false,
        approver: false,
        parents: parents.to_vec(),
        attributes,
        governed_by: None,
    }
}

fn schema() -> Schema {
    let mut types = Types(Vec::new());
    let boolean = types.add(Type::Bool);
    let int = types.add(Type::Int { low: i64::MIN, high: i64::MAX });
    let level = types.add(Type::Int { low: 0, high: 10 });
    let decimal = types.add(Type::Decimal);
    let string = types.add(Type::String { bytes_max: 65_536 });
    let short = types.add(Type::String { bytes_max: 8 });
    let duration = types.add(Type::Duration);
    let time = types.add(Type::Timestamp);
    let (ip, net) = (types.add(Type::Ip), types.add(Type::Net));
    let (url, path) = (types.add(Type::Url), types.add(Type::Path));
    let kind = types.add(Type::Enum(0));
    let tags = types.add(Type::Set(string, 3));
    let waits = types.add(Type::Set(duration, 4));
    let point = types.add(Type::Record(0));
    let points = types.add(Type::List(point, 3));
    let counts = types.add(Type::Map(int, 3));
    let person = types.add(Type::Entity(vec![PERSON]));
    let anyone = types.add(Type::Entity(vec![PERSON, AGENT]));
    let (agents, services) = (types.add(Type::Entity(vec![AGENT])), types.add(Type::Entity(vec![SERVICE])));
    let people = types.add(Type::Set(person, 8));
    types.add(Type::Entity(vec![TEAM]));
    let some_string = types.optional(string);
    let some_person = types.optional(person);
    let some = |types: &mut Types, name: &str, ty: TypeId| field(name, types.optional(ty));
    let context = vec![
        field("commit", string),
        field("cost", decimal),
        some(&mut types, "level", level),
        some(&mut types, "count", int),
        some(&mut types, "short", short),
        some(&mut types, "wait", duration),
        some(&mut types, "at", time),
        some(&mut types, "ip", ip),
        some(&mut types, "net", net),
        some(&mut types, "url", url),
        some(&mut types, "path", path),
        some(&mut types, "kind", kind),
        some(&mut types, "tags", tags),
        some(&mut types, "waits", waits),
        some(&mut types, "point", point),
        some(&mut types, "points", points),
        some(&mut types, "counts", counts),
        some(&mut types, "person", person),
        some(&mut types, "anyone", anyone),
        some(&mut types, "agent", agents),
        some(&mut types, "service", services),
        some(&mut types, "people", people),
        some(&mut types, "urgent", boolean),
        Field { advisory: true, ..field("note", some_string) },
        field("unread", tags),
        Field { kernel: true, ..field("now", time) },
        Field { kernel: true, ..some(&mut types, "votes", int) },
    ];
    let agent = vec![field("level", level), field("tags", tags), field("owner", some_person), field("unread", counts)];
    let service = vec![
        field("kind", kind),
        field("frozen", boolean),
        Field { presented: true, ..field("region", string) },
        Field { presented: true, ..field("load", level) },
    ];
    let entity_types = vec![
        entity("Team", &[TEAM], Vec::new()),
        entity("Person", &[TEAM], vec![field("level", level), field("manager", some_person), field("friends", people)]),
        EntityType { presented: true, ..entity("Agent", &[], agent) },
        entity("Service", &[TEAM], service),
        EntityType { presented: true, ..entity("Document", &[], Vec::new()) },
    ];
    let deploy = Action {
        name: "deploy".into(),
        qualified: "acme.deploy".into(),
        subject: vec![PERSON, AGENT],
        resource: vec![SERVICE, DOCUMENT],
        context,
    };
    let read = Action {
        name: "read".into(),
        qualified: "acme.read".into(),
        subject: vec![PERSON],
        resource: vec![DOCUMENT],
        context: vec![Field { kernel: true, ..field("budget", decimal) }],
    };
    let variants = vec!["webapp".into(), "page".into(), "automation".into()];
    let point = Record { name: "acme.Point".into(), fields: vec![field("x", level), field("label", some_string)] };
    Schema {
        enums: vec![Enum { name: "acme.Kind".into(), variants, lifecycle: None }],
        records: vec![point],
        entity_types,
        actions: vec![deploy, read],
        obligations: Vec::new(),
        types: types.0,
    }
}

/// A program over that schema. Its one rule reads every field of the context but `note` and `unread`, and every attribute but
/// `Agent.unread`; it names the team "shop" and the person "nobody".
pub fn program() -> Program {
    let schema = schema();
    let deploy = &schema.actions[0];
    let read_fields = (0..deploy.context.len() as u32)
        .filter(|&at| !["note", "unread"].contains(&&*deploy.context[at as usize].name))
        .map(Input::Context);
    let inputs: Vec<Input> = [Input::Subject, Input::Resource].into_iter().chain(read_fields).collect();
    let place = |field: &str| {
        let at = deploy.context.iter().position(|other| &*other.name == field).expect("it is there") as u32;
        inputs.iter().position(|input| *input == Input::Context(at)).expect("it is read") as u32
    };
    let (mut selectors, mut code, mut fault_sites) = (Vec::new(), Vec::new(), Vec::new());
    for (ty, operand) in [(PERSON, "person"), (AGENT, "agent"), (SERVICE, "service")] {
        code.push(Op::Read { a: Slot(0), i: place(operand) });
        fault_sites.push((code.len() as u32, SiteId(fault_sites.len() as u32 + 1)));
        code.push(Op::Unwrap { a: Slot(0), b: Slot(0) });
        let attributes = schema.entity_types[ty as usize].attributes.iter().enumerate();
        for (at, attribute) in attributes.filter(|(_, field)| &*field.name != "unread") {
            let s = U24::new(selectors.len() as u32).expect("there are few");
            selectors.push(Selector { columns: vec![(ty, at as u32)], ty: attribute.ty });
            code.push(Op::Attribute { a: Slot(1), b: Slot(0), s });
        }
    }
    code.push(Op::Const { a: Slot(1), k: 0 });
    code.push(Op::Return { a: Slot(1) });
    let boolean = TypeId(0);
    let type_of = |ty: Type| TypeId(schema.types.iter().position(|other| *other == ty).expect("it is there") as u32);
    let person = type_of(Type::Entity(vec![PERSON]));
    let team = type_of(Type::Entity(vec![TEAM]));
    let function = Function {
        entry: Some(0),
        memo: false,
        parameters: Vec::new(),
        result: boolean,
        slots: 2,
        code_start: 0,
        code_end: code.len() as u32,
    };
    let rule = Rule {
        id: StringId(0),
        effect: Effect::Allow,
        shadow: false,
        condition: FunctionId(0),
        may_fail: false,
        code: None,
        message: Vec::new(),
        gate: None,
        obligations: Vec::new(),
        site: SiteId(0),
    };
    let index = Index { keys: Vec::new(), rest: vec![0] };
    let entity = |ty, id, at| Constant { ty, value: ConstantValue::Entity(id, StringId(at)) };
    Program {
        strings: ["acme.r", "nobody", "shop"].map(Box::from).to_vec(),
        constants: vec![
            Constant { ty: boolean, value: ConstantValue::Bool(true) },
            entity(person, PERSON, 1),
            entity(team, TEAM, 2),
        ],
        selectors,
        functions: vec![function],
        code,
        entries: vec![
            Entry { inputs, rules: vec![rule], index, cost: 1_000 },
            Entry { inputs: vec![Input::Context(0)], ..Entry::default() },
        ],
        site_count: fault_sites.len() as u32 + 1,
        fault_sites,
        schema,
        ..Program::default()
    }
}

/// The image of that program, with its plan.
pub fn image() -> (Image, Plan) {
    let mut program = program();
    certify(&mut program).expect("the program has a cost");
    let image =
        Image::new(verify(program, &Limits::STANDARD).expect("the program is sound")).expect("it can be loaded");
    let plan = Plan::new(image.schema());
    (image, plan)
}

/// Entities that fit.
pub const ENTITIES: &str = r#"[
    { "type": "Team", "id": "acme" },
    { "type": "Team", "id": "shop", "in": [{ "type": "Team", "id": "acme" }] },
    { "type": "Person", "id": "ann", "properties": { "level": 9, "friends": [] }, "in": ["shop"] },
    { "type": "acme.Person", "id": "bob", "properties": { "level": 3, "manager": "ann", "friends": ["ann", {"type": "Person", "id": "bob"}] } },
    { "type": "Service", "id": "web", "properties": { "kind": "webapp", "frozen": false, "region": "eu", "load": 1 }, "in": ["shop", "acme"] }
]"#;

/// Options by the names that cases use.
pub fn options(names: &Json) -> Options {
    let mut options = Options::STRICT;
    for name in names.as_array().into_iter().flatten() {
        match name.as_str() {
            Some("assume_presented") => options.unregistered = Unregistered::AssumePresented,
            Some("ignore_unknown_members") => options.unknown_members = UnknownMembers::Ignored,
            Some("everything") => options.extent = Extent::Everything,
            other => panic!("no option is called {other:?}"),
        }
    }
    options
}

/// The bytes of a document that a case gives as JSON, or as a string where it is not.
pub fn bytes(document: &Json) -> Vec<u8> {
    match document.as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => serde_json::to_vec(document).expect("a value can be written"),
    }
}
