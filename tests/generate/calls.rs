//! Conditions, and calls of functions.

use crate::generate::expressions::Maker;
use crate::generate::pools;
use crate::generate::scope::{FunctionDecl, Sort};

const COMPARISONS: &[&str] = &["==", "!=", "<", "<=", ">", ">="];

impl Maker<'_> {
    /// A condition that is not a leaf.
    pub fn condition(&mut self, depth: usize) -> String {
        if self.random.chance(50) {
            return self.station();
        }
        match self.random.below(30) {
            0..=5 => {
                let word = self.random.text(&["and", "or", "and", "or", "implies"]);
                let (one, two) = (self.changing(&Sort::Bool, depth), self.changing(&Sort::Bool, depth));
                format!("({one} {word} {two})")
            }
            6 => format!("(not {})", self.changing(&Sort::Bool, depth)),
            7..=12 => self.comparison(depth),
            13 | 14 => self.member(depth),
            15 => {
                let inner = self.random.pick(&[Sort::Int, Sort::Text, Sort::Enum(0)]).clone();
                let sort = inner.set();
                let (one, two) = (self.changing(&sort, depth), self.expr(&sort, depth));
                let word = self.random.text(&["contains_all", "contains_any"]);
                format!("({one} {word} {two})")
            }
            16 | 17 => self.text_test(depth),
            18 => self.address_test(depth),
            19 => self.url_test(depth),
            20 => match self.random.below(2) {
                0 => format!("({} in {})", self.changing(&Sort::Path, depth), self.expr(&Sort::Path, depth)),
                _ => {
                    let map = self.random.pick(&[Sort::Int, Sort::Text]).clone().map();
                    let map = match self.readable_such(|sort| matches!(sort, Sort::Map(_))) {
                        Some(found) => found.text,
                        None => self.changing(&map, depth),
                    };
                    format!("({map} contains \"{}\")", self.random.text(pools::KEYS))
                }
            },
            21 | 22 => self.presence(depth),
            23 | 24 => self.hierarchy(depth),
            25 | 29 => self.of_type(depth),
            26 => self.state(depth),
            27 | 28 => {
                let word = self.random.text(&["any", "all", "acyclic"]);
                self.quantifier(word, depth)
            }
            _ => {
                let inner = self.random.pick(&[Sort::Int, Sort::Text, Sort::Duration, Sort::Ip]).clone();
                let value = self.present_or_not(&inner, depth).unwrap_or_default();
                let word = self.random.text(&["present", "absent"]);
                format!("({value} is {word})")
            }
        }
    }

    /// Two values of one sort.
    fn comparison(&mut self, depth: usize) -> String {
        let decls = self.decls;
        let sort = match self.readable_such(|sort| !matches!(sort, Sort::Maybe(_))) {
            Some(found) if self.random.chance(60) => found.sort,
            _ => decls.sort(self.random, 1),
        };
        if matches!(sort, Sort::Maybe(_)) {
            return self.leaf(&Sort::Bool);
        }
        let left = self.changing(&sort, depth);
        self.comparison_with(&left, &sort, depth)
    }

    /// A value and another one.
    pub fn comparison_with(&mut self, left: &str, sort: &Sort, depth: usize) -> String {
        let count = if sort.has_order() { COMPARISONS.len() } else { 2 };
        let mut sign = COMPARISONS[self.random.below(count)];
        if self.random.chance(30) {
            sign = "==";
        }
        // Of a record that is written out the other side tells the type.
        let right = if let (Sort::Record(at), true) = (sort, self.random.chance(50)) {
            self.record(*at, depth)
        } else if let (Sort::Enum(at), true) = (sort, self.random.chance(40)) {
            let decls = self.decls;
            self.random.pick(&decls.enums[*at].variants).clone()
        } else if self.random.chance(40) {
            self.literal(sort)
        } else {
            self.expr(sort, depth)
        };
        if matches!(sort, Sort::Record(_)) && left.starts_with('{') {
            return self.leaf(&Sort::Bool);
        }
        if self.random.chance(15) && !matches!(sort, Sort::Record(_)) && self.random.chance(70) {
            let turned = match sign {
                "<" => ">",
                "<=" => ">=",
                ">" => "<",
                ">=" => "<=",
                same => same,
            };
            return format!("({right} {turned} {left})");
        }
        format!("({left} {sign} {right})")
    }

    /// A record written out.
    pub fn record(&mut self, at: usize, depth: usize) -> String {
        let decls = self.decls;
        let mut items = Vec::new();
        for field in &decls.records[at].fields {
            let sort = match &field.sort {
                Sort::Maybe(_) if self.random.chance(40) => continue,
                Sort::Maybe(inner) => inner,
                sort => sort,
            };
            let value = match sort {
                Sort::Set(_) | Sort::List(_) | Sort::Map(_) | Sort::Record(_) => self.leaf(sort),
                sort => self.expr(sort, depth),
            };
            items.push(format!("{}: {value}", field.name));
        }
        format!("{{{}}}", items.join(", "))
    }

    fn member(&mut self, depth: usize) -> String {
        let found = self.readable_such(|sort| match sort {
            Sort::Set(inner) | Sort::List(inner) => !matches!(**inner, Sort::Entity(_)),
            _ => false,
        });
        let (of, inner) = match found {
            Some(found) if self.random.chance(60) => {
                let (Sort::Set(inner) | Sort::List(inner)) = found.sort else { return self.leaf(&Sort::Bool) };
                (found.text, *inner)
            }
            _ => {
                let inner = self.random.pick(&[Sort::Int, Sort::Text, Sort::Enum(0), Sort::Ip, Sort::Decimal]).clone();
                let of = if self.random.chance(25) { inner.clone().list() } else { inner.clone().set() };
                let of = if self.random.chance(60) { self.literal(&of) } else { self.changing(&of, depth) };
                (of, inner)
            }
        };
        let item = if self.random.chance(40) && !of.starts_with(['{', '[']) {
            self.literal(&inner)
        } else {
            self.changing(&inner, depth)
        };
        if self.random.chance(50) { format!("({item} in {of})") } else { format!("({of} contains {item})") }
    }

    fn text_test(&mut self, depth: usize) -> String {
        let left = self.changing(&Sort::Text, depth);
        match self.random.below(5) {
            0 => format!("({left} matches glob\"{}\")", self.random.text(pools::GLOBS)),
            1 => format!("({left} matches regex\"{}\")", self.random.text(pools::REGEXES)),
            2 => format!("({left} starts_with {})", self.expr(&Sort::Text, depth)),
            3 => format!("({left} ends_with {})", self.expr(&Sort::Text, depth)),
            _ => format!("({left} contains {})", self.expr(&Sort::Text, depth)),
        }
    }

    fn address_test(&mut self, depth: usize) -> String {
        match self.random.below(3) {
            0 => format!("({} in {})", self.changing(&Sort::Ip, depth), self.expr(&Sort::Net, depth)),
            1 => format!("({} in {})", self.changing(&Sort::Net, depth), self.literal(&Sort::Net)),
            _ => {
                let members = [
                    "is_loopback",
                    "is_private",
                    "is_link_local",
                    "is_multicast",
                    "is_unspecified",
                    "is_global",
                    "is_v6",
                ];
                let name = *self.random.pick(&members);
                format!("{}.{name}", self.changing(&Sort::Ip, depth))
            }
        }
    }

    fn url_test(&mut self, depth: usize) -> String {
        let url = self.changing(&Sort::Url, depth);
        match self.random.below(4) {
            0 => format!("{url}.has_credentials"),
            1 => format!("({url} in {})", self.expr(&Sort::Url, depth)),
            2 if self.readable(&Sort::Text).is_some() => {
                format!("host_in({url}, {})", self.readable(&Sort::Text).unwrap_or_default())
            }
            _ => format!("host_in({url}, \"{}\")", self.random.text(pools::DOMAINS)),
        }
    }

    /// `x is present and …`
    fn presence(&mut self, depth: usize) -> String {
        let Some(found) = self.readable_such(|sort| matches!(sort, Sort::Maybe(_))) else {
            return self.leaf(&Sort::Bool);
        };
        let Sort::Maybe(inner) = &found.sort else { return self.leaf(&Sort::Bool) };
        let kept = self.scope.clone();
        self.assume_present(&found.text, inner);
        let decided = if inner.is_scalar() && self.random.chance(60) {
            self.comparison_with(&found.text, inner, depth)
        } else {
            self.changing(&Sort::Bool, depth)
        };
        self.scope = kept;
        match self.random.below(3) {
            0 => format!("({} is absent or {decided})", found.text),
            1 => format!("({} is present implies {decided})", found.text),
            _ => format!("({} is present and {decided})", found.text),
        }
    }

    fn hierarchy(&mut self, depth: usize) -> String {
        let decls = self.decls;
        let Some(found) = self.readable_such(|sort| match sort {
            Sort::Entity(at) => !decls.entities[*at].presented && !decls.entities[*at].parents.is_empty(),
            _ => false,
        }) else {
            return self.leaf(&Sort::Bool);
        };
        let Sort::Entity(from) = found.sort else { return self.leaf(&Sort::Bool) };
        let above: Vec<usize> = (0..decls.entities.len()).filter(|&to| decls.can_be_in(from, to)).collect();
        let group = Sort::Entity(*self.random.pick(&above));
        let of = match self.random.below(4) {
            0 => self.literal(&group.clone().set()),
            1 => self.changing(&group.clone().set(), depth),
            2 => self.changing(&group, depth),
            _ => self.literal(&group),
        };
        format!("({} in {of})", found.text)
    }

    fn of_type(&mut self, depth: usize) -> String {
        if self.scope.unions.is_empty() {
            return self.leaf(&Sort::Bool);
        }
        let unions = self.scope.unions.clone();
        let (text, types) = self.random.pick(&unions);
        let ty = *self.random.pick(types);
        let name = &self.decls.entities[ty].name;
        if self.random.chance(30) {
            return format!("({text} is {name})");
        }
        let kept = self.scope.clone();
        let decls = self.decls;
        self.scope.unions.retain(|(other, _)| other != text);
        for _ in 0..2 {
            self.scope.add(decls, text, &Sort::Entity(ty), 2);
        }
        let body = self.changing(&Sort::Bool, depth);
        self.scope = kept;
        format!("({text} is {name} and {body})")
    }

    fn state(&mut self, depth: usize) -> String {
        let Some(at) = self.decls.enums.iter().position(|of| of.lifecycle) else { return self.leaf(&Sort::Bool) };
        let sort = Sort::Enum(at);
        let from = self.changing(&sort, depth);
        match self.random.below(4) {
            0 => format!("({from} is final)"),
            1 => format!("({from} is initial)"),
            _ => format!("({from} -> {})", self.expr(&sort, depth)),
        }
    }

    /// A call of a function with this result.
    pub fn call(&mut self, sort: &Sort, depth: usize) -> Option<String> {
        let all: Vec<&FunctionDecl> = self.decls.functions.iter().filter(|function| function.result == *sort).collect();
        if all.is_empty() {
            return None;
        }
        let function = (*self.random.pick(&all)).clone();
        let arguments: Vec<String> = function.parameters.iter().map(|sort| self.argument(sort, depth)).collect();
        Some(format!("{}({})", function.name, arguments.join(", ")))
    }

    // Bounds of collections add up in expressions, so arguments of such types are small.
    fn argument(&mut self, sort: &Sort, depth: usize) -> String {
        match sort {
            Sort::Set(_) | Sort::List(_) | Sort::Map(_) | Sort::Record(_) => self.leaf(sort),
            Sort::Maybe(inner) => match self.random.below(3) {
                0 => self.expr(inner, depth.min(1)),
                _ => self.leaf(sort),
            },
            _ => self.expr(sort, depth),
        }
    }
}
