//! Entries: inputs, rules, the index.

use crate::bytecode::assemble::names::Table;
use crate::bytecode::assemble::{Assembler, Parse};
use crate::bytecode::program::{ConstantId, Effect, Entry, FunctionId, Gate, Key, MessagePart, Rule, SiteId};

impl Assembler<'_> {
    pub(super) fn declare_entry(&mut self) -> Parse {
        let number = self.reference(Table::Action)?;
        let entries = &mut self.program.entries;
        if number as usize >= entries.len() && number < 1 << 16 {
            entries.resize_with(number as usize + 1, Default::default);
        }
        let Some(known) = entries.get_mut(number as usize) else {
            return Err(self.cursor.error("there is no such entry"));
        };
        let mut entry = std::mem::take(known);
        let mut indexed = false;
        self.cursor.expect("{")?;
        while !self.cursor.take("}") {
            match self.cursor.word()? {
                "inputs" => {
                    entry.inputs.clear();
                    self.cursor.expect("{")?;
                    while !self.cursor.take("}") {
                        entry.inputs.push(self.input_name(number)?);
                    }
                }
                "rule" => {
                    let rule = self.rule()?;
                    entry.rules.push(rule);
                }
                "index" => self.key(&mut entry)?,
                "rest" => {
                    indexed = true;
                    entry.index.rest = self.numbers()?;
                }
                "cost" => {
                    self.certify = false;
                    entry.cost = self.cursor.number()?;
                }
                _ => return Err(self.cursor.error("`inputs`, `rule`, `index`, `rest` or `cost` is expected")),
            }
        }
        if !indexed {
            let indexed = indexed_rules(&entry);
            entry.index.rest = (0..entry.rules.len() as u32).filter(|rule| !indexed.contains(rule)).collect();
        }
        self.program.entries[number as usize] = entry;
        Ok(())
    }

    /// Numbers in braces.
    fn numbers(&mut self) -> Parse<Vec<u32>> {
        let mut all = Vec::new();
        self.cursor.expect("{")?;
        while !self.cursor.take("}") {
            all.push(self.cursor.number()?);
        }
        Ok(all)
    }

    fn function(&mut self) -> Parse<FunctionId> {
        self.reference(Table::Function).map(FunctionId)
    }

    fn functions(&mut self) -> Parse<Vec<FunctionId>> {
        let mut all = Vec::new();
        self.cursor.expect("(")?;
        while !self.cursor.take(")") {
            all.push(self.function()?);
            self.cursor.take(",");
        }
        Ok(all)
    }

    fn rule(&mut self) -> Parse<Rule> {
        let effect = match self.cursor.word()? {
            "allow" => Effect::Allow,
            "deny" => Effect::Deny,
            "violation" => Effect::Violation,
            "require_approval" => Effect::RequireApproval,
            _ => return Err(self.cursor.error("`allow`, `deny`, `violation` or `require_approval` is expected")),
        };
        let id = self.string_reference()?;
        let shadow = self.cursor.take("shadow");
        if !self.cursor.take("condition") {
            return Err(self.cursor.error("`condition` is expected"));
        }
        let condition = self.function()?;
        let may_fail = self.cursor.take("may_fail");
        let code = if self.cursor.take("code") { Some(self.string_reference()?) } else { None };
        let site = if self.cursor.take("@") { self.cursor.number()? } else { self.program.site_count };
        self.program.site_count = self.program.site_count.max(site.saturating_add(1));
        let site = SiteId(site);
        let (message, obligations) = (Vec::new(), Vec::new());
        let mut rule = Rule { id, effect, shadow, condition, may_fail, code, message, gate: None, obligations, site };
        if self.cursor.take("{") {
            while !self.cursor.take("}") {
                self.rule_part(&mut rule)?;
            }
        }
        Ok(rule)
    }

    fn rule_part(&mut self, rule: &mut Rule) -> Parse {
        match self.cursor.word()? {
            "text" => {
                let text = self.string_reference()?;
                rule.message.push(MessagePart::Text(text));
            }
            "value" => {
                let value = self.function()?;
                rule.message.push(MessagePart::Value(value));
            }
            "gate" => rule.gate = Some(self.gate()?),
            "oblige" => {
                let of = self.reference(Table::Obligation)?;
                let arguments = self.functions()?;
                rule.obligations.push((of, arguments));
            }
            _ => return Err(self.cursor.error("`text`, `value`, `gate` or `oblige` is expected")),
        }
        Ok(())
    }

    fn gate(&mut self) -> Parse<Gate> {
        let from = self.function()?;
        if !self.cursor.take("quorum") {
            return Err(self.cursor.error("`quorum` is expected"));
        }
        let quorum = self.function()?;
        let within_ms = if self.cursor.take("within") { Some(self.cursor.number()?) } else { None };
        let distinct = self.cursor.take("distinct");
        let mut escalations = Vec::new();
        while self.cursor.take("escalate") {
            let group = self.function()?;
            if !self.cursor.take("after") {
                return Err(self.cursor.error("`after` is expected"));
            }
            escalations.push((group, self.cursor.number()?));
        }
        Ok(Gate { from, quorum, within_ms, escalations, distinct })
    }

    fn key(&mut self, entry: &mut Entry) -> Parse {
        let kind = self.cursor.word()?;
        let key = match kind {
            "equal" => {
                let values = self.functions()?;
                let mut buckets = Vec::new();
                self.cursor.expect("{")?;
                while !self.cursor.take("}") {
                    let mut constants = Vec::new();
                    while !self.cursor.take("=>") {
                        constants.push(self.constant()?);
                    }
                    buckets.push((constants, self.numbers()?));
                }
                Key::Equal { values, buckets }
            }
            "member" => {
                let set = self.function()?;
                let mut buckets = Vec::new();
                self.cursor.expect("{")?;
                while !self.cursor.take("}") {
                    let constant = self.constant()?;
                    self.cursor.expect("=>")?;
                    buckets.push((constant, self.numbers()?));
                }
                Key::Member { set, buckets }
            }
            "below" => {
                let (value, rules) = self.bounds()?;
                Key::Below { value, rules }
            }
            "above" => {
                let (value, rules) = self.bounds()?;
                Key::Above { value, rules }
            }
            _ => return Err(self.cursor.error("`equal`, `member`, `below` or `above` is expected")),
        };
        entry.index.keys.push(key);
        Ok(())
    }

    fn bounds(&mut self) -> Parse<(FunctionId, Vec<(ConstantId, u32)>)> {
        let value = self.function()?;
        let mut rules = Vec::new();
        self.cursor.expect("{")?;
        while !self.cursor.take("}") {
            let constant = self.constant()?;
            self.cursor.expect("=>")?;
            rules.push((constant, self.cursor.number()?));
        }
        Ok((value, rules))
    }
}

fn indexed_rules(entry: &Entry) -> Vec<u32> {
    let mut rules = Vec::new();
    for key in &entry.index.keys {
        match key {
            Key::Equal { buckets, .. } => rules.extend(buckets.iter().flat_map(|(_, rules)| rules)),
            Key::Member { buckets, .. } => rules.extend(buckets.iter().flat_map(|(_, rules)| rules)),
            Key::Below { rules: bounds, .. } | Key::Above { rules: bounds, .. } => {
                rules.extend(bounds.iter().map(|(_, rule)| *rule));
            }
        }
    }
    rules
}
