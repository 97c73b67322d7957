//! Who lies below whom: for each entity the set of its ancestors, as bits over the entities that are somebody's parents.
//!
//! Entities with the same direct parents share one set, so that a million members of ten groups cost next to nothing.

use std::collections::HashMap;

use crate::base::limits::ANCESTOR_WORDS_MAX;

/// The hierarchy of a store.
#[derive(Clone, Debug, Default)]
pub struct Ancestors {
    /// For each row its bit; `NONE` for those that are nobody's parents.
    bit_of: Vec<u32>,
    /// For each row the place of its set.
    set_of: Vec<u32>,
    /// All sets, each of so many words.
    bits: Vec<u64>,
    words: usize,
}

const NONE: u32 = u32::MAX;

/// Why a hierarchy can't be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HierarchyError {
    /// Each of these lies below the next one, and the last below the first.
    Cycles(Vec<Vec<u32>>),
    /// The sets take too much room.
    TooLarge,
}

impl Ancestors {
    /// Works out who lies below whom. `parents_of` gives the direct parents of each row, sorted.
    pub fn new(parents_of: &[Vec<u32>]) -> Result<Ancestors, HierarchyError> {
        let order = parents_first(parents_of)?;
        let mut bit_of = vec![NONE; parents_of.len()];
        let mut count = 0;
        for &parent in parents_of.iter().flatten() {
            let bit = &mut bit_of[parent as usize];
            if *bit == NONE {
                *bit = count;
                count += 1;
            }
        }
        let words = (count as usize).div_ceil(64);
        // The first set is the empty one.
        let mut ancestors = Ancestors { bit_of, set_of: vec![0; parents_of.len()], bits: vec![0; words], words };
        let mut known: HashMap<&[u32], u32> = HashMap::new();
        let mut set = vec![0; words];
        for row in order {
            let parents = parents_of[row as usize].as_slice();
            if parents.is_empty() {
                continue;
            }
            if let Some(&place) = known.get(parents) {
                ancestors.set_of[row as usize] = place;
                continue;
            }
            set.fill(0);
            for &parent in parents {
                let bit = ancestors.bit_of[parent as usize] as usize;
                set[bit / 64] |= 1 << (bit % 64);
                let above = ancestors.set(parent);
                set.iter_mut().zip(above).for_each(|(word, other)| *word |= other);
            }
            if ancestors.bits.len() + words > ANCESTOR_WORDS_MAX {
                return Err(HierarchyError::TooLarge);
            }
            let place = (ancestors.bits.len() / words) as u32;
            ancestors.bits.extend_from_slice(&set);
            ancestors.set_of[row as usize] = place;
            known.insert(parents, place);
        }
        Ok(ancestors)
    }

    fn set(&self, row: u32) -> &[u64] {
        let start = self.set_of.get(row as usize).map_or(0, |&place| place as usize * self.words);
        self.bits.get(start..start + self.words).unwrap_or(&[])
    }

    /// Whether a row is another one or lies below it.
    #[inline]
    #[must_use]
    pub fn is_in(&self, row: u32, ancestor: u32) -> bool {
        if row == ancestor {
            return true;
        }
        let bit = self.bit_of.get(ancestor as usize).copied().unwrap_or(NONE);
        bit != NONE && self.set(row).get(bit as usize / 64).is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }
}

/// All rows, parents before children; or the cycles.
fn parents_first(parents_of: &[Vec<u32>]) -> Result<Vec<u32>, HierarchyError> {
    let mut children_of: Vec<Vec<u32>> = vec![Vec::new(); parents_of.len()];
    let mut waiting: Vec<u32> = Vec::with_capacity(parents_of.len());
    let mut order: Vec<u32> = Vec::with_capacity(parents_of.len());
    for (row, parents) in parents_of.iter().enumerate() {
        waiting.push(parents.len() as u32);
        if parents.is_empty() {
            order.push(row as u32);
        }
        for &parent in parents {
            children_of[parent as usize].push(row as u32);
        }
    }
    let mut at = 0;
    while let Some(&row) = order.get(at) {
        for &child in &children_of[row as usize] {
            waiting[child as usize] -= 1;
            if waiting[child as usize] == 0 {
                order.push(child);
            }
        }
        at += 1;
    }
    if order.len() == parents_of.len() { Ok(order) } else { Err(HierarchyError::Cycles(cycles(parents_of, &waiting))) }
}

/// Rows that still wait have a parent that does, so that following those ends in a cycle.
fn cycles(parents_of: &[Vec<u32>], waiting: &[u32]) -> Vec<Vec<u32>> {
    let mut seen_in: Vec<u32> = vec![NONE; parents_of.len()];
    let mut found = Vec::new();
    for start in (0..parents_of.len() as u32).filter(|&row| waiting[row as usize] > 0) {
        let mut path = Vec::new();
        let mut row = start;
        while seen_in[row as usize] == NONE {
            seen_in[row as usize] = start;
            path.push(row);
            let next = parents_of[row as usize].iter().find(|&&parent| waiting[parent as usize] > 0);
            row = *next.expect("a row waits only for a parent that waits");
        }
        if seen_in[row as usize] == start {
            let from = path.iter().position(|&other| other == row).unwrap_or(0);
            found.push(path.split_off(from));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Ancestors, HierarchyError};

    #[test]
    fn descendants_are_found_at_any_distance() {
        // 0 <- 1 <- 2, 0 <- 3, 4 alone, 5 below 2 and 4.
        let parents = [vec![], vec![0], vec![1], vec![0], vec![], vec![2, 4]];
        let ancestors = Ancestors::new(&parents).expect("there is no cycle");
        let above = |row: u32| (0..6).filter(|&other| ancestors.is_in(row, other)).collect::<Vec<u32>>();
        assert_eq!(
            [0, 1, 2, 3, 4, 5].map(above),
            [vec![0], vec![0, 1], vec![0, 1, 2], vec![0, 3], vec![4], vec![0, 1, 2, 4, 5]]
        );
        assert!(!ancestors.is_in(77, 0) && !ancestors.is_in(0, 77));
    }

    #[test]
    fn every_cycle_is_found_once() {
        let parents = [vec![1], vec![2], vec![0], vec![0], vec![4], vec![]];
        let cycles = vec![vec![0, 1, 2], vec![4]];
        assert_eq!(Ancestors::new(&parents).err(), Some(HierarchyError::Cycles(cycles)));
    }
}
