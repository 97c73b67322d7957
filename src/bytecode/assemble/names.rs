//! What the names of a program stand for. Declarations are found before they are read, so that they may stand in any order.

use std::collections::HashMap;

use crate::bytecode::assemble::text::{Cursor, Kind};
use crate::bytecode::assemble::{Assembler, Parse};

/// A table that things are named in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Table {
    Enum,
    Record,
    Entity,
    Action,
    Obligation,
    Function,
    Constant,
    Pattern,
    Selector,
    TypeSet,
}

#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<(Table, String), u32>,
    counts: HashMap<Table, u32>,
}

impl Names {
    /// The names of what is declared at the beginning of a line.
    pub(super) fn of(cursor: &Cursor<'_>) -> Names {
        let mut names = Names::default();
        let mut depth = 0;
        for pair in cursor.tokens().windows(2) {
            let [declares, name] = [pair[0], pair[1]];
            if declares.kind == Kind::Sign {
                depth += match declares.text {
                    "{" => 1,
                    "}" => -1,
                    _ => 0,
                };
            }
            let table = match declares.text {
                _ if !declares.first || depth != 0 || declares.kind != Kind::Word => continue,
                "enum" => Table::Enum,
                "record" => Table::Record,
                "entity" => Table::Entity,
                "action" => Table::Action,
                "obligation" => Table::Obligation,
                "fn" => Table::Function,
                _ => continue,
            };
            let name = name.text.trim_matches('"');
            names.add(table, name);
        }
        names
    }

    pub(super) fn add(&mut self, table: Table, name: &str) {
        let count = self.counts.entry(table).or_default();
        self.numbers.entry((table, name.to_owned())).or_insert(*count);
        *count += 1;
    }

    /// Names a thing whose number is known.
    pub(super) fn add_at(&mut self, table: Table, name: &str, number: usize) {
        self.numbers.insert((table, name.to_owned()), number as u32);
    }

    pub(super) fn find(&self, table: Table, name: &str) -> Option<u32> {
        self.numbers.get(&(table, name.to_owned())).copied()
    }
}

impl Assembler<'_> {
    /// A name of the table, or a number.
    pub(super) fn reference(&mut self, table: Table) -> Parse<u32> {
        if let Some(number) = self.cursor.take_raw()? {
            return Ok(number);
        }
        let name = self.cursor.name()?;
        self.find(table, &name)
    }

    pub(super) fn find(&self, table: Table, name: &str) -> Parse<u32> {
        self.names.find(table, name).ok_or_else(|| self.cursor.error(&format!("there is no {table:?} `{name}`")))
    }

    /// Names and numbers in braces.
    pub(super) fn references(&mut self, table: Table) -> Parse<Vec<u32>> {
        let mut all = Vec::new();
        self.cursor.expect("{")?;
        while !self.cursor.take("}") {
            all.push(self.reference(table)?);
        }
        Ok(all)
    }
}
