//! Expressions of a given sort, within a budget of depth.

use crate::generate::pools;
use crate::generate::random::Random;
use crate::generate::scope::{Decls, Readable, Scope, Sort};

/// What makes expressions.
#[derive(Debug)]
pub struct Maker<'a> {
    pub random: &'a mut Random,
    pub decls: &'a Decls,
    pub scope: Scope,
    /// For names of locals, unique in a package.
    pub names: &'a mut usize,
}

impl Maker<'_> {
    pub fn fresh(&mut self, prefix: &str) -> String {
        *self.names += 1;
        format!("{prefix}{}", self.names)
    }

    /// Something that is read and has this sort.
    pub fn readable(&mut self, sort: &Sort) -> Option<String> {
        let all: Vec<&Readable> = self.scope.readables.iter().filter(|readable| readable.sort == *sort).collect();
        if all.is_empty() { None } else { Some(self.random.pick(&all).text.clone()) }
    }

    /// A readable of any sort for which it holds.
    pub fn readable_such(&mut self, holds: impl Fn(&Sort) -> bool) -> Option<Readable> {
        let all: Vec<&Readable> = self.scope.readables.iter().filter(|readable| holds(&readable.sort)).collect();
        if all.is_empty() { None } else { Some((*self.random.pick(&all)).clone()) }
    }

    /// A literal.
    pub fn literal(&mut self, sort: &Sort) -> String {
        let random = &mut *self.random;
        match sort {
            Sort::Int if random.chance(4) => return "LIMIT".to_owned(),
            Sort::Text if random.chance(4) => return "NAME".to_owned(),
            _ => {}
        }
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\\\""));
        match sort {
            Sort::Bool => (if random.chance(50) { "true" } else { "false" }).to_owned(),
            Sort::Int => {
                let value = if random.chance(60) { *random.pick(pools::SMALL_INTS) } else { *random.pick(pools::INTS) };
                if value < 0 { format!("({value})") } else { value.to_string() }
            }
            Sort::Decimal => {
                let text = random.text(pools::DECIMALS);
                if text.starts_with('-') { format!("({text})") } else { text.to_owned() }
            }
            Sort::Text => quoted(random.text(pools::TEXTS)),
            Sort::Duration => (random.text(pools::DURATIONS)).to_owned(),
            Sort::Timestamp => format!("timestamp{}", quoted(random.text(pools::TIMESTAMPS))),
            Sort::Ip => format!("ip{}", quoted(random.text(pools::IPS))),
            Sort::Net => format!("net{}", quoted(random.text(pools::NETS))),
            Sort::Url => format!("url{}", quoted(random.text(pools::URLS))),
            Sort::Path => format!("path{}", quoted(random.text(pools::PATHS))),
            Sort::Enum(at) => {
                let of = &self.decls.enums[*at];
                format!("{}.{}", of.name, random.pick(&of.variants))
            }
            Sort::Entity(at) => {
                let id = if random.chance(12) { pools::GHOST } else { random.text(pools::IDS) };
                format!("{}::\"{id}\"", self.decls.entities[*at].name)
            }
            Sort::Set(inner) => {
                let count = random.between(1, 3);
                let mut items: Vec<String> = (0..count).map(|_| self.literal(inner)).collect();
                items.sort();
                items.dedup();
                format!("{{{}}}", items.join(", "))
            }
            Sort::List(inner) => {
                let count = random.between(1, 3);
                let items: Vec<String> = (0..count).map(|_| self.literal(inner)).collect();
                format!("[{}]", items.join(", "))
            }
            Sort::Map(inner) => {
                let count = random.between(1, pools::KEYS.len());
                let items: Vec<String> =
                    pools::KEYS[..count].iter().map(|key| format!("\"{key}\": {}", self.literal(inner))).collect();
                format!("{{{}}}", items.join(", "))
            }
            Sort::Record(at) => {
                let decls = self.decls;
                let mut items = Vec::new();
                for field in &decls.records[*at].fields {
                    match &field.sort {
                        Sort::Maybe(_) if self.random.chance(40) => {}
                        Sort::Maybe(inner) => items.push(format!("{}: {}", field.name, self.literal(inner))),
                        sort => items.push(format!("{}: {}", field.name, self.literal(sort))),
                    }
                }
                format!("{{{}}}", items.join(", "))
            }
            Sort::Maybe(inner) => self.literal(inner),
        }
    }

    /// A leaf.
    pub fn leaf(&mut self, sort: &Sort) -> String {
        if self.random.chance(85)
            && let Some(text) = self.readable(sort)
        {
            return text;
        }
        self.literal(sort)
    }

    /// An expression that is not constant, if anything can be read that helps.
    pub fn changing(&mut self, sort: &Sort, depth: usize) -> String {
        if (depth == 0 || self.random.chance(30))
            && let Some(text) = self.readable(sort)
        {
            return text;
        }
        self.expr(sort, depth.max(1))
    }

    /// An expression.
    pub fn expr(&mut self, sort: &Sort, depth: usize) -> String {
        if depth == 0 || self.random.chance(15) {
            return self.leaf(sort);
        }
        if self.random.chance(22)
            && let Some(text) = self.any_sort(sort, depth - 1)
        {
            return text;
        }
        let depth = depth - 1;
        match sort {
            Sort::Bool => self.condition(depth),
            Sort::Int => self.int(depth),
            Sort::Decimal => self.decimal(depth),
            Sort::Text => self.text(depth),
            Sort::Duration => self.duration(depth),
            Sort::Timestamp => {
                let (moment, span) = (self.changing(sort, depth), self.expr(&Sort::Duration, depth));
                match self.random.below(3) {
                    0 => format!("({moment} - {span})"),
                    1 => format!("({span} + {moment})"),
                    _ => format!("({moment} + {span})"),
                }
            }
            Sort::Path => self.member_default("parent", &Sort::Path, sort, depth),
            Sort::Ip => self.member_default("address", &Sort::Url, sort, depth),
            Sort::Set(_) => {
                let (one, other) = (self.changing(sort, depth), self.expr(sort, depth));
                let word = self.random.text(&["union", "intersect", "except"]);
                format!("({one} {word} {other})")
            }
            Sort::List(inner) | Sort::Map(inner) => {
                let (one, two) = (self.changing(inner, depth), self.expr(inner, depth));
                if matches!(sort, Sort::List(_)) {
                    format!("[{one}, {two}]")
                } else {
                    format!("{{\"a\": {one}, \"k\": {two}}}")
                }
            }
            Sort::Maybe(inner) => self.maybe(inner, depth),
            _ => self.leaf(sort),
        }
    }

    /// Forms that every sort has.
    fn any_sort(&mut self, sort: &Sort, depth: usize) -> Option<String> {
        // Where nothing tells the type of a record, it can't be written out.
        let typed = !matches!(sort, Sort::Record(_));
        match self.random.below(5) {
            0 if typed => {
                let condition = self.changing(&Sort::Bool, depth);
                let (yes, no) = (self.expr(sort, depth), self.expr(sort, depth));
                Some(format!("(if {condition} then {yes} else {no})"))
            }
            1 if typed => self.matched(sort, depth),
            2 => self.call(sort, depth),
            3 if !matches!(sort, Sort::Maybe(_) | Sort::Record(_)) => {
                let value = self.present_or_not(sort, depth)?;
                let default = self.expr(sort, depth);
                Some(format!("({value} ?? {default})"))
            }
            4 if typed => self.narrowed(sort, depth),
            _ => None,
        }
    }

    /// An optional of the sort.
    pub fn present_or_not(&mut self, inner: &Sort, depth: usize) -> Option<String> {
        if self.random.chance(80)
            && let Some(text) = self.readable(&inner.clone().maybe())
        {
            return Some(text);
        }
        Some(self.maybe(inner, depth))
    }

    /// `if x is present then …`, or of a type.
    fn narrowed(&mut self, sort: &Sort, depth: usize) -> Option<String> {
        let found = self.readable_such(|sort| matches!(sort, Sort::Maybe(_)))?;
        let Sort::Maybe(inner) = &found.sort else { return None };
        let no = self.expr(sort, depth);
        let kept = self.scope.clone();
        self.assume_present(&found.text, inner);
        let yes = if **inner == *sort && self.random.chance(50) { found.text.clone() } else { self.expr(sort, depth) };
        self.scope = kept;
        Some(format!("(if {} is present then {yes} else {no})", found.text))
    }

    pub fn assume_present(&mut self, text: &str, inner: &Sort) {
        self.scope.readables.retain(|readable| readable.text != text);
        let decls = self.decls;
        // More than once, so that it is likely to be read.
        for _ in 0..3 {
            self.scope.add(decls, text, inner, 1);
        }
    }

    /// `match`
    fn matched(&mut self, sort: &Sort, depth: usize) -> Option<String> {
        let (scrutinee, patterns) = match self.random.below(5) {
            0 | 1 => {
                let found = self.readable_such(|sort| matches!(sort, Sort::Enum(_)))?;
                let patterns = self.partition(&found.sort)?;
                (found.text, patterns)
            }
            2 => {
                let patterns = self.partition(&Sort::Int)?;
                (self.changing(&Sort::Int, depth), patterns)
            }
            3 => {
                let found = self.readable_such(|sort| matches!(sort, Sort::Maybe(_)))?;
                (found.text, vec!["present".to_owned(), "absent".to_owned()])
            }
            _ => {
                let of = self.random.pick(&[Sort::Bool, Sort::Text, Sort::Decimal, Sort::Duration, Sort::Ip]).clone();
                let patterns = self.partition(&of)?;
                (self.changing(&of, depth), patterns)
            }
        };
        let arms: Vec<String> =
            patterns.into_iter().map(|pattern| format!("{pattern} => {}", self.expr(sort, depth))).collect();
        Some(format!("(match {scrutinee} {{ {} }})", arms.join(", ")))
    }

    /// Patterns that cover a sort, none hidden.
    pub fn partition(&mut self, sort: &Sort) -> Option<Vec<String>> {
        let literals = |texts: &[&str], random: &mut Random| {
            let mut texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            random.shuffle(&mut texts);
            let mut taken = texts[..random.between(1, 2)].to_vec();
            taken.push("_".to_owned());
            taken
        };
        Some(match sort {
            Sort::Bool => vec!["true".to_owned(), "false".to_owned()],
            Sort::Enum(at) => {
                let of = &self.decls.enums[*at];
                let mut variants: Vec<String> = of.variants.clone();
                self.random.shuffle(&mut variants);
                let mut patterns = Vec::new();
                while !variants.is_empty() {
                    let count = self.random.between(1, variants.len().min(3));
                    let group: Vec<String> = variants
                        .drain(..count)
                        .map(|name| if self.random.chance(30) { format!("{}.{name}", of.name) } else { name })
                        .collect();
                    patterns.push(group.join(" | "));
                }
                if patterns.len() > 1 && self.random.chance(40) {
                    *patterns.last_mut()? = "_".to_owned();
                }
                patterns
            }
            Sort::Int => self
                .random
                .pick(&[
                    &["..=0", "1..=9", "10.."][..],
                    &["0", "1 | 2", "_"],
                    &["-5..=-1", "0..=3", "_"],
                    &["7..", "..=6"],
                    &["0", "1", "2", "3..=10", "_"],
                ])
                .iter()
                .map(|text| (*text).to_owned())
                .collect(),
            Sort::Decimal => self
                .random
                .pick(&[&["..=0.5", "_"][..], &["0.1", "1.0..=3.0", "_"]])
                .iter()
                .map(|text| (*text).to_owned())
                .collect(),
            Sort::Duration => self
                .random
                .pick(&[&["..=15m", "_"][..], &["4h", "1s..=2d", "_"]])
                .iter()
                .map(|text| (*text).to_owned())
                .collect(),
            Sort::Timestamp => vec!["timestamp\"2026-01-31T12:00:00Z\"..".to_owned(), "_".to_owned()],
            Sort::Text => literals(&["\"a\"", "\"b\"", "\"deploy\"", "\"é\""], self.random),
            Sort::Ip => literals(&["ip\"127.0.0.1\"", "ip\"::1\"", "ip\"8.8.8.8\""], self.random),
            Sort::Path => literals(&["path\"/srv\"", "path\"/\""], self.random),
            Sort::Maybe(_) => vec!["present".to_owned(), "absent".to_owned()],
            _ => return None,
        })
    }

    fn maybe(&mut self, inner: &Sort, depth: usize) -> String {
        if *inner == Sort::Text && self.random.chance(50) {
            let parts = [("query", Sort::Url), ("fragment", Sort::Url), ("extension", Sort::Path)];
            let (name, of) = self.random.pick(&parts);
            return format!("{}.{name}", self.changing(of, depth));
        }
        match (inner, self.random.below(3)) {
            (Sort::Int, 0) => format!("{}.port", self.changing(&Sort::Url, depth)),
            (Sort::Path, 0) => format!("{}.parent", self.changing(&Sort::Path, depth)),
            (Sort::Ip, 0) => format!("{}.address", self.changing(&Sort::Url, depth)),
            (Sort::Record(_), _) => match self.readable(&inner.clone().list()) {
                Some(list) => format!("{list}[{}]", self.expr(&Sort::Int, depth)),
                None => self.leaf_maybe(inner),
            },
            (_, 1) => {
                let list = self.changing(&inner.clone().list(), depth);
                let at = if self.random.chance(60) {
                    self.random.below(3).to_string()
                } else {
                    self.expr(&Sort::Int, depth)
                };
                format!("{list}[{at}]")
            }
            _ => {
                let map = self.changing(&inner.clone().map(), depth);
                let key = if self.random.chance(60) {
                    format!("\"{}\"", self.random.text(pools::KEYS))
                } else {
                    self.expr(&Sort::Text, depth)
                };
                format!("{map}[{key}]")
            }
        }
    }

    fn leaf_maybe(&mut self, inner: &Sort) -> String {
        match self.readable(&inner.clone().maybe()) {
            Some(text) => text,
            None => format!("[{}][0]", self.literal(&Sort::Int)),
        }
    }

    fn member_default(&mut self, name: &str, of: &Sort, sort: &Sort, depth: usize) -> String {
        let (base, default) = (self.changing(of, depth), self.expr(sort, depth));
        format!("({base}.{name} ?? {default})")
    }

    fn int(&mut self, depth: usize) -> String {
        let sort = Sort::Int;
        match self.random.below(16) {
            0..=5 => {
                let (one, two) = (self.changing(&sort, depth), self.expr(&sort, depth));
                let sign = self.random.text(&["+", "-", "*"]);
                format!("({one} {sign} {two})")
            }
            6 => {
                let divisor = self.random.text(&["2", "3", "(-1)", "10", "(-7)"]);
                format!("({} / {divisor})", self.changing(&sort, depth))
            }
            7 => format!("(-({}))", self.changing(&sort, depth)),
            8 if self.random.chance(50) => format!("truncate({})", self.changing(&Sort::Decimal, depth)),
            8 => format!("abs({})", self.changing(&sort, depth)),
            9 | 10 => {
                let word = self.random.text(&["min", "max"]);
                format!("{word}({}, {})", self.changing(&sort, depth), self.expr(&sort, depth))
            }
            11 => format!("{}.length", self.changing(&Sort::Text, depth)),
            12 => match self.collection(depth) {
                Some((text, _)) => format!("{text}.size"),
                None => self.leaf(&sort),
            },
            13 => {
                let part = self.random.text(&["year", "month", "day", "hour", "minute", "second", "weekday"]);
                format!("{}.{part}", self.changing(&Sort::Timestamp, depth))
            }
            14 => format!("{}.depth", self.changing(&Sort::Path, depth)),
            _ => self.quantifier("count", depth),
        }
    }

    fn decimal(&mut self, depth: usize) -> String {
        let sort = Sort::Decimal;
        match self.random.below(10) {
            0..=4 => {
                let (one, two) = (self.changing(&sort, depth), self.expr(&sort, depth));
                let sign = self.random.text(&["+", "-", "*", "*"]);
                format!("({one} {sign} {two})")
            }
            5 => {
                let divisor = self.random.text(&["2.0", "3.0", "(-0.5)", "100.0"]);
                format!("({} / {divisor})", self.changing(&sort, depth))
            }
            6 => format!("(-({}))", self.changing(&sort, depth)),
            7 => format!("abs({})", self.changing(&sort, depth)),
            8 => {
                let word = self.random.text(&["min", "max"]);
                format!("{word}({}, {})", self.changing(&sort, depth), self.expr(&sort, depth))
            }
            _ => format!("decimal({})", self.changing(&Sort::Int, depth)),
        }
    }

    fn duration(&mut self, depth: usize) -> String {
        let sort = Sort::Duration;
        match self.random.below(6) {
            0 => format!("({} + {})", self.changing(&sort, depth), self.expr(&sort, depth)),
            1 => format!("({} - {})", self.changing(&sort, depth), self.expr(&sort, depth)),
            2 => format!("({} * {})", self.changing(&sort, depth), self.expr(&Sort::Int, depth)),
            3 => format!("({} * {})", self.changing(&Sort::Int, depth), self.expr(&sort, depth)),
            4 => format!("(-({}))", self.changing(&sort, depth)),
            _ => {
                let moment = Sort::Timestamp;
                format!("({} - {})", self.changing(&moment, depth), self.expr(&moment, depth))
            }
        }
    }

    fn text(&mut self, depth: usize) -> String {
        match self.random.below(6) {
            0 => match self.readable_such(|sort| matches!(sort, Sort::Entity(_))) {
                Some(found) => format!("{}.id", found.text),
                None => self.leaf(&Sort::Text),
            },
            1 if self.scope.request => "action.name".to_owned(),
            2 | 3 => {
                let part = self.random.text(&["scheme", "host", "path", "text"]);
                format!("{}.{part}", self.changing(&Sort::Url, depth))
            }
            4 => {
                let part = self.random.text(&["name", "text"]);
                format!("{}.{part}", self.changing(&Sort::Path, depth))
            }
            _ => self.leaf(&Sort::Text),
        }
    }

    /// A collection, with the sort of its elements (of a map, its keys).
    pub fn collection(&mut self, depth: usize) -> Option<(String, Sort)> {
        if self.random.chance(20) {
            let inner = self.random.pick(&[Sort::Int, Sort::Text]).clone();
            return Some((self.changing(&inner.clone().set(), depth), inner));
        }
        let found = self.readable_such(|sort| matches!(sort, Sort::Set(_) | Sort::List(_) | Sort::Map(_)))?;
        let inner = match &found.sort {
            Sort::Set(inner) | Sort::List(inner) => (**inner).clone(),
            _ => Sort::Text,
        };
        Some((found.text, inner))
    }

    /// `any`, `all`, `count`, `acyclic`
    pub fn quantifier(&mut self, word: &str, depth: usize) -> String {
        let Some((over, inner)) = self.collection(depth) else {
            let sort = if word == "count" { Sort::Int } else { Sort::Bool };
            return self.leaf(&sort);
        };
        let name = self.fresh("x");
        let kept = self.scope.clone();
        let decls = self.decls;
        for _ in 0..3 {
            self.scope.add(decls, &name, &inner, 1);
        }
        let body = if word == "acyclic" {
            self.link(&name, &inner, depth)
        } else if inner.is_scalar() && self.random.chance(50) {
            self.comparison_with(&name, &inner, depth)
        } else {
            self.changing(&Sort::Bool, depth)
        };
        self.scope = kept;
        format!("{word}({name} in {over}: {body})")
    }

    /// A node and its edges: often the element itself, and what may lead back to others.
    fn link(&mut self, name: &str, inner: &Sort, depth: usize) -> String {
        let (node, sort) = if inner.is_scalar() && self.random.chance(70) {
            (name.to_owned(), inner.clone())
        } else {
            let sort = self.random.pick(&[Sort::Int, Sort::Text, Sort::Enum(0)]).clone();
            (self.changing(&sort, depth), sort)
        };
        let edges = if self.random.chance(30) { sort.list() } else { sort.set() };
        let edges = if self.random.chance(40) { self.literal(&edges) } else { self.changing(&edges, depth) };
        format!("{node} -> {edges}")
    }
}
