//! Words that lie in some languages and not in others: the product of their automata, made as far as it is walked.
//!
//! A step of the budget is a byte read by up to eight automata.

use std::collections::HashMap;

use super::automata::{AutoId, Automata, Classes, Fate};
use crate::analysis::budget::{Budget, Reason};

/// Automata, each with whether it has to accept.
pub(super) type Wanted = [(AutoId, bool)];

/// How many numbers the states of one product may be made of.
const NUMBERS_MAX: usize = 1 << 22;
/// How many states one product may have.
const STATES_MAX: usize = 1 << 17;

/// The shortest word of at most so many bytes; among those the one that reads best.
pub(super) fn shortest(
    automata: &mut Automata,
    wanted: &Wanted,
    bytes_max: usize,
    budget: &mut Budget,
) -> Result<Option<Vec<u8>>, Reason> {
    let mut product = Product::new(automata, wanted);
    let Some(start) = product.start(automata) else { return Ok(None) };
    let mut from: Vec<(u32, u8)> = vec![(start, 0)];
    let (mut at, mut length, mut level_end) = (0_u32, 0, 1);
    let bytes = product.readable();
    while (at as usize) < product.len() {
        if at as usize == level_end {
            length += 1;
            level_end = product.len();
        }
        if product.accepts(automata, at) {
            return Ok(Some(word_to(&from, at)));
        }
        if length < bytes_max {
            for &byte in &bytes {
                budget.spend(product.cost)?;
                if let Some((_, true)) = product.step(automata, at, byte)? {
                    from.push((at, byte));
                }
            }
        }
        at += 1;
    }
    Ok(None)
}

fn word_to(from: &[(u32, u8)], mut at: u32) -> Vec<u8> {
    let mut word = Vec::new();
    while at > 0 {
        let (before, byte) = from[at as usize];
        word.push(byte);
        at = before;
    }
    word.reverse();
    word
}

/// The least word of at most so many bytes, byte by byte. It may be as long as that.
pub(super) fn least(
    automata: &mut Automata,
    wanted: &Wanted,
    bytes_max: usize,
    budget: &mut Budget,
) -> Result<Option<Vec<u8>>, Reason> {
    let mut product = Product::new(automata, wanted);
    if product.start(automata).is_none() {
        return Ok(None);
    }
    let bytes = product.first_of_classes();
    let mut before: Vec<Vec<u32>> = vec![Vec::new()];
    let mut at = 0_u32;
    while (at as usize) < product.len() {
        for &byte in &bytes {
            budget.spend(product.cost)?;
            if let Some((next, _)) = product.step(automata, at, byte)? {
                before.resize_with(product.len(), Vec::new);
                before[next as usize].push(at);
            }
        }
        at += 1;
    }
    // How many bytes are missing to a whole word, from each state.
    let mut missing = vec![usize::MAX; product.len()];
    let mut queue: Vec<u32> = (0..at).filter(|state| product.accepts(automata, *state)).collect();
    queue.iter().for_each(|state| missing[*state as usize] = 0);
    let mut read = 0;
    while let Some(&state) = queue.get(read) {
        read += 1;
        for &earlier in &before[state as usize] {
            if missing[earlier as usize] == usize::MAX {
                missing[earlier as usize] = missing[state as usize] + 1;
                queue.push(earlier);
            }
        }
    }
    if missing[0] > bytes_max {
        return Ok(None);
    }
    let (mut word, mut state) = (Vec::new(), 0);
    while !product.accepts(automata, state) {
        let left = bytes_max - word.len() - 1;
        let mut next = None;
        for &byte in &bytes {
            budget.spend(product.cost)?;
            if let Some((after, _)) = product.step(automata, state, byte)?
                && missing[after as usize] <= left
            {
                next = Some((after, byte));
                break;
            }
        }
        let Some((after, byte)) = next else { return Err(Reason::Texts) };
        word.push(byte);
        state = after;
    }
    Ok(Some(word))
}

struct Product<'w> {
    wanted: &'w Wanted,
    classes: Classes,
    states: Vec<u32>,
    places: HashMap<Box<[u32]>, u32>,
    count: usize,
    states_max: usize,
    cost: u64,
    buffer: Vec<u32>,
}

impl<'w> Product<'w> {
    fn new(automata: &Automata, wanted: &'w Wanted) -> Product<'w> {
        let mut classes = Classes::one();
        for (id, _) in wanted {
            classes.with(automata.classes(*id));
        }
        Product {
            wanted,
            classes,
            states: Vec::new(),
            places: HashMap::new(),
            count: 0,
            states_max: (NUMBERS_MAX / wanted.len().max(1)).min(STATES_MAX),
            cost: 1 + wanted.len() as u64 / 8,
            buffer: Vec::new(),
        }
    }

    fn len(&self) -> usize {
        self.count
    }

    /// The first state, unless nothing can come of it.
    fn start(&mut self, automata: &mut Automata) -> Option<u32> {
        self.buffer = vec![Automata::START; self.wanted.len()];
        let hopeless = self.wanted.iter().any(|(id, sign)| is_hopeless(automata, *id, Automata::START, *sign));
        if hopeless {
            return None;
        }
        self.place().ok().map(|(state, _)| state)
    }

    /// Where a byte leads, and whether nothing led there before; nowhere where nothing can come of it.
    fn step(&mut self, automata: &mut Automata, state: u32, byte: u8) -> Result<Option<(u32, bool)>, Reason> {
        self.buffer.clear();
        let first = state as usize * self.wanted.len();
        for (place, (id, sign)) in self.wanted.iter().enumerate() {
            let next = automata.step(*id, self.states[first + place], byte);
            if is_hopeless(automata, *id, next, *sign) {
                return Ok(None);
            }
            self.buffer.push(next);
        }
        self.place().map(Some)
    }

    fn place(&mut self) -> Result<(u32, bool), Reason> {
        if let Some(known) = self.places.get(&self.buffer[..]) {
            return Ok((*known, false));
        }
        if self.count >= self.states_max {
            return Err(Reason::TextsTooLong);
        }
        let state = self.count as u32;
        self.count += 1;
        self.states.extend_from_slice(&self.buffer);
        self.places.insert(self.buffer.clone().into(), state);
        Ok((state, true))
    }

    fn accepts(&self, automata: &Automata, state: u32) -> bool {
        let first = state as usize * self.wanted.len();
        let mut own = self.wanted.iter().enumerate();
        own.all(|(place, (id, sign))| automata.accepts(*id, self.states[first + place]) == *sign)
    }

    /// One byte of each class, the most readable of it; readable ones first.
    fn readable(&self) -> Vec<u8> {
        self.one_of_each(&mut (0..=255).collect::<Vec<u8>>(), readability)
    }

    /// One byte of each class, the least of it; in ascending order.
    fn first_of_classes(&self) -> Vec<u8> {
        self.one_of_each(&mut (0..=255).collect::<Vec<u8>>(), |byte| (0, byte))
    }

    fn one_of_each(&self, bytes: &mut [u8], order: impl Fn(u8) -> (u8, u8)) -> Vec<u8> {
        bytes.sort_by_key(|byte| order(*byte));
        let mut seen = [false; 256];
        let is_new = |byte: &&u8| !std::mem::replace(&mut seen[usize::from(self.classes.of(**byte))], true);
        bytes.iter().filter(is_new).copied().collect()
    }
}

fn is_hopeless(automata: &Automata, id: AutoId, state: u32, sign: bool) -> bool {
    automata.fate(id, state) == if sign { Fate::Never } else { Fate::Always }
}

/// Letters, then digits, then what else is printed, then what begins and continues letters beyond ASCII, then the rest.
fn readability(byte: u8) -> (u8, u8) {
    let kind = match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ if byte.is_ascii_graphic() => 3,
        b' ' => 4,
        // é and its neighbours.
        0xc3 | 0xa0..=0xbf => 5,
        0x80.. => 6,
        _ => 7,
    };
    (kind, byte)
}
