//! Programs made by hand: literals, a type table, functions from listings, all of it verified before it runs.

use std::cell::RefCell;
use std::collections::BTreeSet;

use pdl::bytecode::info::{Role, by_mnemonic};
use pdl::bytecode::op::Op;
use pdl::bytecode::program::{Constant, ConstantId, ConstantValue, Entry, Function, Program, SiteId, StringId};
use pdl::bytecode::schema::{Action, EntityType, Enum, Field, Lifecycle, Record, Type, TypeId};
use pdl::bytecode::verify::{Limits, VerifiedProgram, certify, verify};
use pdl::data::decimal::Decimal;
use pdl::data::duration::Duration;
use pdl::data::ip::{IpAddr, IpNet};
use pdl::data::timestamp::Timestamp;
use pdl::vm::entities::Entities;
use pdl::vm::image::Image;
use pdl::vm::memory::{Heap, Memory};
use pdl::vm::value::{Seq, StrRef, Value};

/// A literal of the cases.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Bool(bool),
    Int(i64),
    Decimal(Decimal),
    Duration(i64),
    Timestamp(i64),
    Text(String),
    Ip(IpAddr),
    Net(IpNet),
    Url(String),
    Path(String),
    Variant(u32),
    Entity(String),
    /// An absent value of the type of the other.
    Absent(Box<Literal>),
    /// A present value of an optional type.
    Some(Box<Literal>),
    Set(Vec<Literal>),
    List(Vec<Literal>),
    Map(Vec<(String, Literal)>),
    Record(Vec<Literal>),
    /// An error of this site, of the type of the literal.
    Error(u32, Box<Literal>),
}

/// Reads a literal and what follows it.
pub fn literal(text: &str) -> (Literal, &str) {
    let text = text.trim_start();
    if let Some(rest) = text.strip_prefix('!') {
        let (site, rest) = rest.split_once(':').expect("an error has a type: `!7:true`");
        let (of, rest) = literal(rest);
        return (Literal::Error(site.parse().expect("a site"), Box::new(of)), rest);
    }
    if text.starts_with('"') {
        let (text, rest) = quoted(text);
        return (Literal::Text(text), rest);
    }
    let end = text.find(|c: char| " ,()[]{}=\t".contains(c)).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let inside = |rest: &str, close: char| {
        let (content, rest) = rest[1..].split_once(close).expect("a closing bracket");
        (content.to_owned(), rest.len())
    };
    let tail = |len: usize| &text[text.len() - len..];
    match word {
        "true" | "false" => (Literal::Bool(word == "true"), rest),
        "a" | "b" | "c" => (Literal::Variant(u32::from(word.as_bytes()[0] - b'a')), rest),
        "dur" | "ts" | "ip" | "net" | "url" | "path" | "Team" => {
            let (content, len) = inside(rest, ')');
            let made = match word {
                "dur" => Literal::Duration(content.parse().expect("milliseconds")),
                "ts" => Literal::Timestamp(Timestamp::parse(&content).expect("a timestamp").millis()),
                "ip" => Literal::Ip(IpAddr::parse(&content).expect("an address")),
                "net" => Literal::Net(IpNet::parse(&content).expect("a network")),
                "url" => Literal::Url(content),
                "path" => Literal::Path(content),
                _ => Literal::Entity(content),
            };
            (made, tail(len))
        }
        "absent" | "some" => {
            let (inner, rest) = literal(&rest[1..]);
            let inner = Box::new(inner);
            let made = if word == "absent" { Literal::Absent(inner) } else { Literal::Some(inner) };
            (made, rest.trim_start().strip_prefix(')').expect("a closing bracket"))
        }
        "set" | "list" | "rec" => {
            let (items, rest) = items(&rest[1..], literal);
            let made = match word {
                "set" => Literal::Set(items),
                "list" => Literal::List(items),
                _ => Literal::Record(items),
            };
            (made, rest)
        }
        "map" => {
            let (entries, rest) = items(&rest[1..], |rest| {
                let (key, rest) = quoted(rest.trim_start());
                let (value, rest) = literal(rest.trim_start().strip_prefix(':').expect("a colon"));
                ((key, value), rest)
            });
            (Literal::Map(entries), rest)
        }
        number if number.contains('.') => (Literal::Decimal(Decimal::parse(number).expect("a decimal")), rest),
        number => (Literal::Int(number.parse().unwrap_or_else(|_| panic!("what is `{number}` in `{text}`?"))), rest),
    }
}

fn quoted(text: &str) -> (String, &str) {
    let (content, rest) = text[1..].split_once('"').expect("a closing quote");
    (content.to_owned(), rest)
}

fn items<'t, T>(mut rest: &'t str, item: impl Fn(&'t str) -> (T, &'t str)) -> (Vec<T>, &'t str) {
    let mut items = Vec::new();
    loop {
        rest = rest.trim_start().trim_start_matches(',').trim_start();
        if let Some(rest) = rest.strip_prefix(['}', ']', ')']) {
            return (items, rest);
        }
        let (made, after) = item(rest);
        items.push(made);
        rest = after;
    }
}

impl Literal {
    fn strings(&self, out: &mut BTreeSet<String>) {
        match self {
            Literal::Text(text) | Literal::Url(text) | Literal::Path(text) | Literal::Entity(text) => {
                out.insert(text.clone());
            }
            Literal::Absent(inner) | Literal::Some(inner) | Literal::Error(_, inner) => inner.strings(out),
            Literal::Set(items) | Literal::List(items) | Literal::Record(items) => {
                items.iter().for_each(|item| item.strings(out));
            }
            Literal::Map(entries) => {
                for (key, value) in entries {
                    out.insert(key.clone());
                    value.strings(out);
                }
            }
            _ => {}
        }
    }
}

/// Builds a program. Strings have to be known from the start.
#[derive(Debug)]
pub struct Builder {
    pub program: Program,
    /// How many elements the collections of new types may have.
    pub bound: u32,
}

/// What every test program knows: the enum `Stage` (a → b → c), the record `Pair`, the entity types `Team` (in `Team`,
/// with `level` and `label?`) and `Guest` (presented, with `level`), and the action `act`.
pub const TEAM: u32 = 0;
/// See [`TEAM`].
pub const GUEST: u32 = 1;

pub fn field(name: &str, ty: TypeId) -> Field {
    Field { name: name.into(), ty, kernel: false, advisory: false, presented: false, owner: false, sensitive: false }
}

impl Builder {
    pub fn new<'l>(literals: impl Iterator<Item = &'l Literal>, more: &[&str]) -> Builder {
        let mut strings: BTreeSet<String> = more.iter().map(|&text| text.to_owned()).collect();
        literals.for_each(|literal| literal.strings(&mut strings));
        let mut builder = Builder { program: Program::default(), bound: 1_024 };
        builder.program.strings = strings.into_iter().map(String::into_boxed_str).collect();
        builder.program.site_count = 1_000;
        let int = builder.ty(Type::Int { low: i64::MIN, high: i64::MAX });
        let text = builder.ty(Type::String { bytes_max: 65_536 });
        let label = builder.ty(Type::Optional(text));
        let schema = &mut builder.program.schema;
        schema.enums.push(Enum {
            name: "Stage".into(),
            variants: vec!["a".into(), "b".into(), "c".into()],
            lifecycle: Some(Lifecycle { initial: vec![0], finals: vec![2], steps: vec![vec![1], vec![2], vec![]] }),
        });
        schema.records.push(Record { name: "Pair".into(), fields: vec![field("x", int), field("y", label)] });
        let entity = |name: &str, presented: bool, parents: Vec<u32>, attributes: Vec<Field>| EntityType {
            name: name.into(),
            qualified: format!("m.{name}").into(),
            presented,
            approver: false,
            parents,
            attributes,
            governed_by: None,
        };
        let attributes = vec![field("level", int), field("label", label)];
        schema.entity_types.push(entity("Team", false, vec![TEAM], attributes));
        schema.entity_types.push(entity("Guest", true, vec![], vec![field("level", int)]));
        schema.actions.push(Action {
            name: "act".into(),
            qualified: "m.act".into(),
            subject: vec![GUEST],
            resource: vec![TEAM],
            context: vec![field("amount", int), field("tag", text)],
        });
        builder.program.entries.push(Entry::default());
        builder
    }

    pub fn string(&self, text: &str) -> StringId {
        let at = self.program.strings.binary_search_by(|other| (**other).cmp(text));
        StringId(at.unwrap_or_else(|_| panic!("`{text}` is not among the strings")) as u32)
    }

    pub fn ty(&mut self, ty: Type) -> TypeId {
        let types = &mut self.program.schema.types;
        let at = types.iter().position(|other| *other == ty).unwrap_or_else(|| {
            types.push(ty);
            types.len() - 1
        });
        TypeId(at as u32)
    }

    /// The type of a literal. All collections have one bound, so that equal elements make equal types.
    pub fn type_of(&mut self, literal: &Literal) -> TypeId {
        let ty = match literal {
            Literal::Bool(_) => Type::Bool,
            Literal::Int(_) => Type::Int { low: i64::MIN, high: i64::MAX },
            Literal::Decimal(_) => Type::Decimal,
            Literal::Duration(_) => Type::Duration,
            Literal::Timestamp(_) => Type::Timestamp,
            Literal::Text(_) => Type::String { bytes_max: 65_536 },
            Literal::Ip(_) => Type::Ip,
            Literal::Net(_) => Type::Net,
            Literal::Url(_) => Type::Url,
            Literal::Path(_) => Type::Path,
            Literal::Variant(_) => Type::Enum(0),
            Literal::Entity(_) => Type::Entity(vec![TEAM]),
            Literal::Absent(inner) | Literal::Some(inner) => Type::Optional(self.type_of(inner)),
            Literal::Set(items) => Type::Set(self.first_type(items), self.bound),
            Literal::List(items) => Type::List(self.first_type(items), self.bound),
            Literal::Map(entries) => {
                let inner = entries.first().map_or(Literal::Int(0), |(_, value)| value.clone());
                Type::Map(self.type_of(&inner), self.bound)
            }
            Literal::Record(_) => Type::Record(0),
            Literal::Error(_, inner) => return self.type_of(inner),
        };
        self.ty(ty)
    }

    /// Of an empty collection: Int.
    fn first_type(&mut self, items: &[Literal]) -> TypeId {
        self.type_of(items.first().unwrap_or(&Literal::Int(0)))
    }

    pub fn constant(&mut self, literal: &Literal) -> ConstantId {
        let ty = self.type_of(literal);
        self.constant_of(literal, ty)
    }

    fn constant_of(&mut self, literal: &Literal, ty: TypeId) -> ConstantId {
        let value = match literal {
            Literal::Bool(value) => ConstantValue::Bool(*value),
            Literal::Int(value) => ConstantValue::Int(*value),
            Literal::Decimal(value) => ConstantValue::Decimal(*value),
            Literal::Duration(value) => ConstantValue::Duration(Duration(*value)),
            Literal::Timestamp(value) => ConstantValue::Timestamp(Timestamp::from_millis(*value).expect("in range")),
            Literal::Text(text) => ConstantValue::String(self.string(text)),
            Literal::Ip(value) => ConstantValue::Ip(*value),
            Literal::Net(value) => ConstantValue::Net(*value),
            Literal::Url(text) => ConstantValue::Url(self.string(text)),
            Literal::Path(text) => ConstantValue::Path(self.string(text)),
            Literal::Variant(at) => ConstantValue::Enum(*at),
            Literal::Entity(id) => ConstantValue::Entity(TEAM, self.string(id)),
            Literal::Absent(_) => ConstantValue::Absent,
            // A constant is of an optional type only if it is absent; a present one fits wherever an optional is asked.
            Literal::Some(inner) | Literal::Error(_, inner) => return self.constant(inner),
            Literal::Set(items) => ConstantValue::Set(items.iter().map(|item| self.constant(item)).collect()),
            Literal::List(items) => ConstantValue::List(items.iter().map(|item| self.constant(item)).collect()),
            Literal::Record(items) => ConstantValue::Record(items.iter().map(|item| self.constant(item)).collect()),
            Literal::Map(entries) => ConstantValue::Map(
                entries.iter().map(|(key, value)| (self.string(key), self.constant(value))).collect(),
            ),
        };
        let made = Constant { ty, value };
        let constants = &mut self.program.constants;
        let at = constants.iter().position(|other| *other == made).unwrap_or_else(|| {
            constants.push(made);
            constants.len() - 1
        });
        ConstantId(at as u32)
    }

    /// Adds a function of a listing: an instruction with numbers on each line, targets counted from the function's
    /// start; `@7` at the end is the site of one that may fail.
    pub fn function(
        &mut self,
        entry: Option<u32>,
        memo: bool,
        parameters: &[TypeId],
        result: TypeId,
        listing: &str,
    ) -> pdl::bytecode::program::FunctionId {
        let start = self.program.code.len() as u32;
        let mut slots = parameters.len() as u32;
        for line in listing.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (line, site) = line.split_once('@').map_or((line, None), |(line, site)| (line, Some(site)));
            let mut words = line.split_whitespace();
            let mnemonic = words.next().expect("a mnemonic");
            let info = by_mnemonic(mnemonic).unwrap_or_else(|| panic!("no instruction `{mnemonic}`"));
            let mut numbers: Vec<u32> = words.map(|word| word.parse().expect("a number")).collect();
            for (number, operand) in numbers.iter_mut().zip(info.operands) {
                match operand.role {
                    Role::Target => *number += start,
                    Role::Out | Role::Input => slots = slots.max(*number + 1),
                    _ => {}
                }
            }
            let op = Op::from_numbers(info.code, &numbers).unwrap_or_else(|| panic!("operands of `{line}`"));
            let at = self.program.code.len() as u32;
            self.program.code.push(op);
            if info.fails {
                let site = site.map_or(0, |site| site.trim().parse().expect("a site"));
                self.program.fault_sites.push((at, SiteId(site)));
            }
        }
        self.program.functions.push(Function {
            entry,
            memo,
            parameters: parameters.to_vec(),
            result,
            slots: slots as u16 + 8,
            code_start: start,
            code_end: self.program.code.len() as u32,
        });
        pdl::bytecode::program::FunctionId(self.program.functions.len() as u32 - 1)
    }

    /// Certifies, verifies and loads the program.
    pub fn image(self) -> Image {
        Image::new(self.verified()).expect("a verified program can be loaded")
    }

    /// Certifies and verifies the program.
    pub fn verified(mut self) -> VerifiedProgram {
        if let Err(error) = certify(&mut self.program) {
            let code: Vec<String> = self.program.code.iter().map(|op| format!("{op:?}")).collect();
            panic!("{error:?}\n{}", code.join("\n"));
        }
        verify(self.program, &Limits::STANDARD).expect("a certified program is verified")
    }
}

/// Teams `a` in `b` in `c`; `level` is 1, 2, 3 and `label` the id, but of `c` absent. Team `ghost` is not registered.
#[derive(Debug)]
pub struct Teams {
    heap: Heap,
    ids: Vec<String>,
    strings: Vec<StrRef>,
    known: RefCell<Vec<String>>,
}

impl Teams {
    pub fn new(image: &Image) -> Teams {
        let ids = image.named.iter().map(|team| image.program.strings[team.id.0 as usize].to_string()).collect();
        let strings = image.named.iter().map(|team| team.id).collect();
        Teams { heap: Heap::default(), ids, strings, known: RefCell::default() }
    }
}

impl Entities for Teams {
    fn heap(&self) -> &Heap {
        &self.heap
    }

    fn attribute(&self, row: u32, attribute: u32) -> Option<Value> {
        let id = &self.ids[row as usize];
        let level = ["a", "b", "c"].iter().position(|other| other == id)?;
        Some(match (attribute, level) {
            (0, level) => Value::Int(level as i64 + 1),
            (_, 2) => Value::Absent,
            _ => Value::String(self.strings[row as usize]),
        })
    }

    fn is_in(&self, row: u32, ancestor: u32) -> bool {
        let (id, above) = (&self.ids[row as usize], &self.ids[ancestor as usize]);
        id == above || (id.len() == 1 && above.len() == 1 && id < above)
    }

    fn find_string(&self, text: &str) -> Option<StrRef> {
        self.known.borrow_mut().push(text.to_owned());
        None
    }
}

/// A value in the form of literals.
pub fn describe(image: &Image, memory: Memory<'_>, value: Value) -> String {
    let all = |seq: Seq| {
        let parts: Vec<_> = memory.values(seq).iter().map(|&part| describe(image, memory, part)).collect();
        parts.join(", ")
    };
    match value {
        Value::Absent => "absent".into(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Decimal(value) => Decimal(value).to_string(),
        Value::Duration(value) => format!("dur({value})"),
        Value::Timestamp(value) => format!("ts({})", Timestamp::from_millis(value).expect("in range")),
        Value::Enum(variant) => image.schema().enums[variant.of as usize].variants[variant.at as usize].to_string(),
        Value::String(text) => format!("{:?}", memory.text(text)),
        Value::Entity(entity) => format!("Team({})", memory.text(entity.id)),
        Value::Ip(at) => format!("ip({})", memory.ip(at)),
        Value::Net(at) => format!("net({})", memory.net(at)),
        Value::Url(at) => format!("url({})", memory.text(memory.url(at).text)),
        Value::Path(text) => format!("path({})", memory.text(text)),
        Value::Set(seq) => format!("set{{{}}}", all(seq)),
        Value::List(seq) => format!("list[{}]", all(seq)),
        Value::Map(seq) => {
            let entry =
                |pair: &[Value]| format!("{}: {}", describe(image, memory, pair[0]), describe(image, memory, pair[1]));
            format!("map{{{}}}", memory.values(seq).chunks(2).map(entry).collect::<Vec<_>>().join(", "))
        }
        Value::Record(seq) => format!("rec({})", all(seq)),
        Value::Iterator(_) => "iterator".into(),
        Value::Graph(_) => "graph".into(),
        Value::Error(fault) => format!("!{} {}", fault.site.0, fault.kind.name()),
    }
}
