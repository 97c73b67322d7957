//! What the program says, read as the text of a stranger; and what is said to it where it is wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use easy_smt::{SExpr, SExprData};

use super::script::Script;
use crate::analysis::formula::{F, Node};
use crate::analysis::numbers::NumVar;
use crate::analysis::solver::Model;
use crate::analysis::text::{Domain, TextVar, is_of};

/// What is proposed.
#[derive(Debug, Default)]
pub(super) struct Proposal {
    pub(super) model: Model,
    numbers: BTreeMap<NumVar, i128>,
    /// Words, as bytes.
    words: BTreeMap<TextVar, Vec<u8>>,
    atoms: BTreeMap<F, bool>,
}

const STRANGE: &str = "an answer that can't be read";

/// Asks for the values of everything that was declared.
pub(super) fn proposal(script: &mut Script<'_>) -> Result<Proposal, String> {
    let mut found = Proposal::default();
    let numbers: Vec<(NumVar, SExpr)> = script.numbers.iter().map(|(number, name)| (*number, *name)).collect();
    for (number, value) in values(script, numbers)? {
        found.numbers.insert(number, int(script, value).ok_or(STRANGE)?);
    }
    let roots: Vec<(TextVar, SExpr)> = script.roots.iter().map(|(text, name)| (*text, *name)).collect();
    let mut words = BTreeMap::new();
    for (text, value) in values(script, roots)? {
        let bytes = bytes(script.smt.get_str(value).ok_or(STRANGE)?).ok_or(STRANGE)?;
        if let Ok(word) = String::from_utf8(bytes.clone()) {
            words.insert(text, Arc::from(word));
        }
        found.words.insert(text, bytes);
    }
    let free: Vec<(u32, SExpr)> = script.free.iter().map(|(free, name)| (*free, *name)).collect();
    let mut chosen = Vec::new();
    for (free, value) in values(script, free)? {
        if truth(script, value).ok_or(STRANGE)? {
            chosen.push(free);
        }
    }
    let atoms: Vec<(F, SExpr)> = script.atoms.iter().map(|(atom, name)| (*atom, *name)).collect();
    for (atom, value) in values(script, atoms)? {
        found.atoms.insert(atom, truth(script, value).ok_or(STRANGE)?);
    }
    found.model = Model::of(chosen, found.numbers.clone(), words);
    Ok(found)
}

/// Says what is wrong of a proposal. Whether there was something to say.
pub(super) fn correct(script: &mut Script<'_>, proposal: &Proposal) -> bool {
    let context = script.context;
    let mut said = false;
    // Of each word whether it is one; and while all words and numbers are those, what each atom is.
    let mut same = Vec::new();
    for (text, bytes) in &proposal.words {
        let Some(name) = script.roots.get(text).copied() else { continue };
        let is_so = script.equal(name, script.literal(bytes));
        same.push(is_so);
        let domain = context.texts.domain(*text);
        let word = std::str::from_utf8(bytes).ok();
        if !domain.zip(word).is_some_and(|(domain, word)| is_of(domain, word)) {
            let is_wrong = match (domain, word) {
                (_, None) => script.is_in(name, script.star(script.character())),
                (Some(Domain::Net), Some(word)) => bits_behind(script, name, word),
                _ => script.not(is_so),
            };
            script.assert(is_wrong);
            said = true;
        }
    }
    if said {
        return true;
    }
    for (number, value) in &proposal.numbers {
        if let (None, Some(name)) = (context.numbers.source(*number), script.numbers.get(number).copied()) {
            let is_so = script.equal(name, script.int(*value));
            same.push(is_so);
        }
    }
    let same = script.all_hold(same);
    let same = script.named(same);
    for (number, value) in &proposal.numbers {
        let own = proposal.model.number(context, *number);
        if let Some(name) = script.numbers.get(number).copied().filter(|_| own != *value) {
            let is_so = script.equal(name, script.int(own));
            script.assert_if(same, is_so);
            said = true;
        }
    }
    for (atom, value) in &proposal.atoms {
        let Node::Atom(own) = context.formulas.node(*atom) else { continue };
        let own = proposal.model.atom_holds(context, own);
        if let Some(name) = script.atoms.get(atom).copied().filter(|_| own != *value) {
            let is_so = if own { name } else { script.not(name) };
            script.assert_if(same, is_so);
            said = true;
        }
    }
    said
}

/// Of a network with the prefix of this word: which bits are not set.
fn bits_behind(script: &Script<'_>, name: SExpr, word: &str) -> SExpr {
    let (address, prefix) = word.split_once('/').unwrap_or_default();
    let v6 = address.starts_with('6');
    let width: u8 = if v6 { 128 } else { 32 };
    let ends = script.call("str.suffixof", [script.literal(format!("/{prefix}").as_bytes()), name]);
    let begins = script.call("str.prefixof", [script.literal(if v6 { b"6" } else { b"4" }), name]);
    let so = match u8::from_str_radix(prefix, 16) {
        Ok(prefix) if prefix <= width => script.is_in(name, script.networks(v6, prefix)),
        _ => script.smt.false_(),
    };
    script.call("=>", [script.all_hold(vec![ends, begins]), so])
}

/// The values of names. (What the crate has for it takes for granted that the program answers as it should.)
fn values<T: Copy>(script: &mut Script<'_>, names: Vec<(T, SExpr)>) -> Result<Vec<(T, SExpr)>, String> {
    let mut all = Vec::new();
    for part in names.chunks(64) {
        let list = script.smt.list(part.iter().map(|(_, name)| *name).collect());
        let answer = script.ask(script.call("get-value", [list]))?;
        let pairs = script.smt.get_list(answer).filter(|pairs| pairs.len() == part.len()).ok_or(STRANGE)?;
        for ((what, _), pair) in part.iter().zip(pairs) {
            match script.smt.get_list(*pair) {
                Some([_, value]) => all.push((*what, *value)),
                _ => return Err(STRANGE.to_owned()),
            }
        }
    }
    Ok(all)
}

fn truth(script: &Script<'_>, value: SExpr) -> Option<bool> {
    match script.smt.get_atom(value)? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

fn int(script: &Script<'_>, value: SExpr) -> Option<i128> {
    match script.smt.get(value) {
        SExprData::Atom(text) => text.parse().ok(),
        SExprData::List([minus, value]) if script.smt.get_atom(*minus)? == "-" => {
            script.smt.get_atom(*value)?.parse::<i128>().ok()?.checked_neg()
        }
        _ => None,
    }
}

/// The bytes of a word: characters from U+0100 to U+01FF, each as `\u{…}`.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, behind) = rest.strip_prefix("\\u{")?.split_once('}')?;
        let number = u32::from_str_radix(digits, 16).ok()?;
        bytes.push(u8::try_from(number.checked_sub(0x100)?).ok()?);
        rest = behind;
    }
    Some(bytes)
}
