//! Sorts of expressions, what is declared, and what can be read where.

use crate::generate::random::Random;

/// A type, without intervals and bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sort {
    Bool,
    Int,
    Decimal,
    Text,
    Duration,
    Timestamp,
    Ip,
    Net,
    Url,
    Path,
    Enum(usize),
    Record(usize),
    Entity(usize),
    Set(Box<Sort>),
    List(Box<Sort>),
    Map(Box<Sort>),
    Maybe(Box<Sort>),
}

impl Sort {
    pub fn set(self) -> Sort {
        Sort::Set(Box::new(self))
    }

    pub fn list(self) -> Sort {
        Sort::List(Box::new(self))
    }

    pub fn map(self) -> Sort {
        Sort::Map(Box::new(self))
    }

    pub fn maybe(self) -> Sort {
        Sort::Maybe(Box::new(self))
    }

    pub fn has_order(&self) -> bool {
        matches!(self, Sort::Int | Sort::Decimal | Sort::Text | Sort::Duration | Sort::Timestamp | Sort::Enum(_))
    }

    pub fn is_scalar(&self) -> bool {
        !matches!(self, Sort::Record(_) | Sort::Set(_) | Sort::List(_) | Sort::Map(_) | Sort::Maybe(_))
    }
}

#[derive(Clone, Debug)]
pub struct EnumDecl {
    pub name: String,
    pub variants: Vec<String>,
    pub lifecycle: bool,
}

#[derive(Clone, Debug)]
pub struct FieldDecl {
    pub name: String,
    pub sort: Sort,
    /// Nobody may read it.
    pub advisory: bool,
}

#[derive(Clone, Debug)]
pub struct RecordDecl {
    pub name: String,
    pub fields: Vec<FieldDecl>,
}

#[derive(Clone, Debug)]
pub struct EntityDecl {
    pub name: String,
    pub presented: bool,
    pub approver: bool,
    pub parents: Vec<usize>,
    pub attributes: Vec<FieldDecl>,
}

#[derive(Clone, Debug)]
pub struct ActionDecl {
    pub name: String,
    pub subject: Vec<usize>,
    pub resource: Vec<usize>,
    pub context: Vec<FieldDecl>,
}

#[derive(Clone, Debug)]
pub struct FunctionDecl {
    pub name: String,
    pub parameters: Vec<Sort>,
    pub result: Sort,
}

#[derive(Clone, Debug)]
pub struct ObligationDecl {
    pub name: String,
    pub parameters: Vec<Sort>,
}

/// What is declared.
#[derive(Clone, Debug, Default)]
pub struct Decls {
    pub enums: Vec<EnumDecl>,
    pub records: Vec<RecordDecl>,
    pub entities: Vec<EntityDecl>,
    pub actions: Vec<ActionDecl>,
    /// Names of groups, with the context that members share; place of the last action is a member of none.
    pub groups: Vec<(String, Vec<usize>, Vec<FieldDecl>)>,
    pub functions: Vec<FunctionDecl>,
    pub obligations: Vec<ObligationDecl>,
}

impl Decls {
    /// Whether an entity of the one type can lie below one of the other.
    pub fn can_be_in(&self, from: usize, to: usize) -> bool {
        let (mut seen, mut open) = (Vec::new(), vec![from]);
        while let Some(ty) = open.pop() {
            for &parent in &self.entities[ty].parents {
                if parent == to {
                    return true;
                }
                if !seen.contains(&parent) {
                    seen.push(parent);
                    open.push(parent);
                }
            }
        }
        false
    }

    /// The types that can be the group of an approval.
    pub fn approval_groups(&self) -> Vec<usize> {
        let approvers: Vec<usize> = (0..self.entities.len()).filter(|&at| self.entities[at].approver).collect();
        (0..self.entities.len())
            .filter(|&group| approvers.iter().any(|&approver| self.can_be_in(approver, group)))
            .collect()
    }

    /// A sort as it is written.
    pub fn show(&self, sort: &Sort) -> String {
        match sort {
            Sort::Bool => "Bool".to_owned(),
            Sort::Int => "Int".to_owned(),
            Sort::Decimal => "Decimal".to_owned(),
            Sort::Text => "String".to_owned(),
            Sort::Duration => "Duration".to_owned(),
            Sort::Timestamp => "Timestamp".to_owned(),
            Sort::Ip => "IpAddr".to_owned(),
            Sort::Net => "IpNet".to_owned(),
            Sort::Url => "Url".to_owned(),
            Sort::Path => "Path".to_owned(),
            Sort::Enum(at) => self.enums[*at].name.clone(),
            Sort::Record(at) => self.records[*at].name.clone(),
            Sort::Entity(at) => self.entities[*at].name.clone(),
            Sort::Set(inner) => format!("Set<{}>", self.show(inner)),
            Sort::List(inner) => format!("List<{}>", self.show(inner)),
            Sort::Map(inner) => format!("Map<String, {}>", self.show(inner)),
            Sort::Maybe(inner) => format!("{}?", self.show(inner)),
        }
    }

    /// Any sort of a value that fields may have.
    pub fn sort(&self, random: &mut Random, depth: usize) -> Sort {
        match random.below(if depth == 0 { 16 } else { 24 }) {
            0 | 1 => Sort::Bool,
            2..=4 => Sort::Int,
            5 => Sort::Decimal,
            6 | 7 => Sort::Text,
            8 => Sort::Duration,
            9 => Sort::Timestamp,
            10 => Sort::Ip,
            11 => Sort::Net,
            12 => Sort::Url,
            13 => Sort::Path,
            14 | 15 if !self.enums.is_empty() => Sort::Enum(random.below(self.enums.len())),
            16 | 17 => self.scalar(random).set(),
            18 => self.sort(random, 0).list(),
            19 => self.sort(random, 0).map(),
            20 | 21 => self.sort(random, depth - 1).maybe(),
            22 if !self.records.is_empty() => Sort::Record(random.below(self.records.len())),
            23 if !self.entities.is_empty() => match self.registered(random) {
                Some(entity) => Sort::Entity(entity),
                None => Sort::Int,
            },
            _ => Sort::Text,
        }
        .flat()
    }

    /// A sort of elements of sets.
    pub fn scalar(&self, random: &mut Random) -> Sort {
        let sort = self.sort(random, 0);
        if random.chance(20)
            && let Some(entity) = self.registered(random)
        {
            return Sort::Entity(entity);
        }
        sort
    }

    pub fn registered(&self, random: &mut Random) -> Option<usize> {
        let all: Vec<usize> = (0..self.entities.len()).filter(|&at| !self.entities[at].presented).collect();
        if all.is_empty() { None } else { Some(*random.pick(&all)) }
    }
}

impl Sort {
    // Optionals do not nest.
    fn flat(self) -> Sort {
        match self {
            Sort::Maybe(inner) => match *inner {
                Sort::Maybe(inner) => Sort::Maybe(inner),
                inner => Sort::Maybe(Box::new(inner)),
            },
            other => other,
        }
    }
}

/// Something that can be read, as text.
#[derive(Clone, Debug)]
pub struct Readable {
    pub text: String,
    pub sort: Sort,
}

/// What can be read at a place.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    pub readables: Vec<Readable>,
    /// `subject` or `resource` of several types.
    pub unions: Vec<(String, Vec<usize>)>,
    /// Whether `action.name` can be read.
    pub request: bool,
}

impl Scope {
    /// Adds something and what lies below it.
    pub fn add(&mut self, decls: &Decls, text: &str, sort: &Sort, levels: usize) {
        self.readables.push(Readable { text: text.to_owned(), sort: sort.clone() });
        if levels == 0 {
            return;
        }
        let fields: &[FieldDecl] = match sort {
            Sort::Entity(at) => &decls.entities[*at].attributes,
            Sort::Record(at) => &decls.records[*at].fields,
            _ => &[],
        };
        for field in fields {
            self.add(decls, &format!("{text}.{}", field.name), &field.sort, levels - 1);
        }
    }

    /// Adds `subject` or `resource`.
    pub fn add_role(&mut self, decls: &Decls, text: &str, types: &[usize]) {
        if let [only] = types {
            self.add(decls, text, &Sort::Entity(*only), 2);
            return;
        }
        self.unions.push((text.to_owned(), types.to_vec()));
        let (first, rest) = types.split_first().expect("a role has types");
        for field in &decls.entities[*first].attributes {
            let same = |ty: &usize| {
                decls.entities[*ty].attributes.iter().any(|other| other.name == field.name && other.sort == field.sort)
            };
            if rest.iter().all(same) {
                self.add(decls, &format!("{text}.{}", field.name), &field.sort, 1);
            }
        }
    }

    /// The scope of a policy on these actions.
    pub fn of_actions(decls: &Decls, actions: &[usize]) -> Scope {
        let mut scope = Scope { request: true, ..Scope::default() };
        let merged = |types: fn(&ActionDecl) -> &Vec<usize>| {
            let mut all: Vec<usize> = actions.iter().flat_map(|&at| types(&decls.actions[at]).clone()).collect();
            all.sort_unstable();
            all.dedup();
            all
        };
        scope.add_role(decls, "subject", &merged(|action| &action.subject));
        scope.add_role(decls, "resource", &merged(|action| &action.resource));
        let (first, rest) = actions.split_first().expect("a policy is on actions");
        for field in decls.actions[*first].context.iter().filter(|field| !field.advisory) {
            let same = |at: &usize| {
                let context = &decls.actions[*at].context;
                context.iter().any(|other| other.name == field.name && other.sort == field.sort && !other.advisory)
            };
            if rest.iter().all(same) {
                scope.add(decls, &format!("context.{}", field.name), &field.sort, 2);
            }
        }
        scope
    }
}
