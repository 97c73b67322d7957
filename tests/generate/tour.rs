//! Conditions that visit every operation, each as often as any other.

use crate::generate::expressions::Maker;
use crate::generate::scope::Sort;

/// Conditions with holes: `{sort}` takes any expression, `{sort!}` one that is read where that can be, `@` a name.
const STATIONS: &[&str] = &[
    "({ts!}.year >= 2000)",
    "({ts!}.year > {int!})",
    "({ts!}.month < {int!})",
    "({ts!}.day == 31)",
    "({ts!}.hour < 12)",
    "({ts!}.minute == 0)",
    "({ts!}.second != {int!})",
    "({ts!}.weekday <= 5)",
    "(({ts!} - {dur}) < {ts!})",
    "(({ts!} + {dur!}) >= {ts!})",
    "(({ts!} - {ts!}) <= {dur!})",
    "(({dur!} + {dur}) > {dur!})",
    "(({dur!} - {dur}) > {dur!})",
    "(({dur!} * {int!}) > {dur!})",
    "((-({dur!})) < {dur!})",
    "(({int!} + {int!}) > {int})",
    "(({int!} - {int!}) > {int})",
    "(({int!} * {int}) > {int!})",
    "(({int!} / 3) == 1)",
    "(({int!} / (-1)) < {int!})",
    "((-({int!})) < {int!})",
    "(abs({int!}) > 3)",
    "(min({int!}, {int!}) > 2)",
    "(max({int!}, {int!}) > 2)",
    "(decimal({int!}) > {dec!})",
    "(({dec!} + {dec!}) > {dec})",
    "(({dec!} - {dec!}) > {dec})",
    "(({dec!} * {dec!}) > {dec})",
    "(({dec!} / 3.0) > {dec!})",
    "(({dec!} / 0.5) > {dec!})",
    "((-({dec!})) < {dec!})",
    "(abs({dec!}) > 0.5)",
    "(truncate({dec!}) > {int!})",
    "(min({dec!}, {dec!}) > 0.5)",
    "(max({dec!}, {dec!}) > 0.5)",
    "({text!}.length > 1)",
    "({text!} starts_with {text!})",
    "({text!} ends_with {text!})",
    "({text!} contains {text!})",
    "({text!} < {text!})",
    "({text!} matches glob\"a*\")",
    "({text!} matches regex\"[a-d]+\")",
    "({ip!} in {net!})",
    "({net!} in {net!})",
    "({ip!} == {ip!})",
    "{ip!}.is_loopback",
    "({ip!}.is_loopback or {bool!})",
    "{ip!}.is_private",
    "({ip!}.is_private or {bool!})",
    "{ip!}.is_link_local",
    "({ip!}.is_link_local or {bool!})",
    "{ip!}.is_multicast",
    "({ip!}.is_multicast or {bool!})",
    "{ip!}.is_unspecified",
    "({ip!}.is_unspecified or {bool!})",
    "{ip!}.is_global",
    "({ip!}.is_global or {bool!})",
    "{ip!}.is_v6",
    "({bool!} and {ip!}.is_v6)",
    "({url!}.scheme == \"https\")",
    "({url!}.host ends_with \".com\")",
    "(({url!}.port ?? 1) == 443)",
    "({url!}.path starts_with \"/v1\")",
    "({url!}.query is present)",
    "({url!}.fragment is present)",
    "{url!}.has_credentials",
    "({url!}.address is present)",
    "({url!} in {url!})",
    "host_in({url!}, {text!})",
    "host_in({url!}, \"good.com\")",
    "({url!}.text contains \"good\")",
    "({path!} in {path!})",
    "({path!}.name == \"app\")",
    "({path!}.extension is present)",
    "(({path!}.parent ?? {path!}) == path\"/srv\")",
    "({path!}.text contains \"app\")",
    "({path!}.depth > 1)",
    "({texts!}.size > 1)",
    "({list!}.size > 1)",
    "({map!}.size > 1)",
    "({list!} contains {text!})",
    "({texts!} contains {text!})",
    "({texts!} contains \"a\")",
    "({map!} contains \"a\")",
    "({texts!} contains_all {texts!})",
    "({texts!} contains_any {texts!})",
    "(({texts!} union {texts!}).size > 2)",
    "(({texts!} intersect {texts!}) == {texts!})",
    "(({texts!} except {\"a\", {text!}}).size > 1)",
    "(({list!}[{int!}] ?? \"a\") == \"a\")",
    "(({list!}[0] ?? \"\") == {text!})",
    "(({map!}[\"a\"] ?? 0) > {int!})",
    "(({map!}[{text!}] ?? 0) > {int!})",
    "({text!} in {{text!}, {text!}})",
    "({text!} in [{text!}, {text!}])",
    "({\"a\": {int!}, \"b\": {int!}} contains {text!})",
    "({int!} in {1, 2, 3, 5})",
    "({kind!} in {{kind}, {kind!}})",
    "({kind!} < {kind!})",
    "(match {kind!} { k0_0 => {int!} > 1, k0_1 => {bool!}, _ => {dec!} > 0.5 })",
    "(count(@ in {texts!}: @ starts_with \"a\") > 1)",
    "(count(@ in {list!}: @.length > {int!}) < 2)",
    "any(@ in {map!}: @ == {text!})",
    "any(@ in {ints!}: (@ * {int!}) > 10)",
    "all(@ in {ints!}: (@ + {int!}) > 0)",
    "any(@ in {texts!}: {texts!} contains @)",
    "acyclic(@ in {texts!}: @ -> {texts!})",
    "acyclic(@ in {ints!}: (@ + {int!}) -> {ints!})",
    "acyclic(@ in {list!}: @ -> [{text!}, {text!}])",
    "({bool!} or ({int!} * {int!}) > 5)",
    "(({int!} * {int!}) > 5 and {bool!})",
    "({bool!} implies ({dec!} * {dec!}) > 5.0)",
    "((({int!} + 1) > 0) == {bool!})",
    "(if ({int!} - {int!}) > 0 then {bool!} else {bool!})",
    "({life!} -> {life!})",
    "({life!} is final)",
    "({life!} is initial)",
];

impl Maker<'_> {
    /// One of them.
    pub fn station(&mut self) -> String {
        if self.random.chance(4)
            && let Some(found) = self.readable_such(|sort| matches!(sort, Sort::Record(_)))
            && let Sort::Record(at) = found.sort
        {
            return format!("({} == {})", found.text, self.record(at, 1));
        }
        let station = self.random.turn(STATIONS);
        if station.contains("{life") && !self.decls.enums.iter().any(|of| of.lifecycle) {
            return self.leaf(&Sort::Bool);
        }
        // A name for the variable, which nothing in the holes hides.
        let name = self.fresh("y");
        self.fill(&station.replace('@', &name))
    }

    fn fill(&mut self, station: &str) -> String {
        let mut text = String::new();
        let mut rest = station;
        while let Some(open) = rest.find('{') {
            text.push_str(&rest[..open]);
            rest = &rest[open + 1..];
            let name: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
            let read = rest[name.len()..].starts_with('!');
            let closed = rest[name.len() + usize::from(read)..].starts_with('}');
            let Some(sort) = self.hole(&name).filter(|_| closed) else {
                text.push('{');
                continue;
            };
            rest = &rest[name.len() + usize::from(read) + 1..];
            let value = if read { self.readable(&sort) } else { None };
            text.push_str(&value.unwrap_or_else(|| self.expr(&sort, 1)));
        }
        text + rest
    }

    fn hole(&self, name: &str) -> Option<Sort> {
        Some(match name {
            "bool" => Sort::Bool,
            "int" => Sort::Int,
            "dec" => Sort::Decimal,
            "text" => Sort::Text,
            "dur" => Sort::Duration,
            "ts" => Sort::Timestamp,
            "ip" => Sort::Ip,
            "net" => Sort::Net,
            "url" => Sort::Url,
            "path" => Sort::Path,
            "texts" => Sort::Text.set(),
            "ints" => Sort::Int.set(),
            "list" => Sort::Text.list(),
            "map" => Sort::Int.map(),
            "kind" => Sort::Enum(0),
            "life" => Sort::Enum(self.decls.enums.iter().position(|of| of.lifecycle)?),
            _ => return None,
        })
    }
}

/// The sorts that an action needs so that all stations can be reached.
pub fn sorts() -> Vec<Sort> {
    vec![
        Sort::Bool,
        Sort::Int,
        Sort::Int,
        Sort::Decimal,
        Sort::Decimal,
        Sort::Text,
        Sort::Text,
        Sort::Duration,
        Sort::Duration,
        Sort::Timestamp,
        Sort::Timestamp,
        Sort::Ip,
        Sort::Net,
        Sort::Net,
        Sort::Url,
        Sort::Url,
        Sort::Path,
        Sort::Path,
        Sort::Text.set(),
        Sort::Text.set(),
        Sort::Int.set(),
        Sort::Text.list(),
        Sort::Int.map(),
        Sort::Enum(0),
        Sort::Enum(0),
    ]
}
