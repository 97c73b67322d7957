//! How much a search may cost, and why one ends without an answer.
//!
//! A budget counts steps and never time, so that the same question always ends in the same way. All parts of the solver
//! spend from one budget; what a step is, each of them says, and each keeps what it stores proportional to what it spent.

use std::fmt;

/// What is left to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How many steps.
    pub steps_left: u64,
}

/// The budget is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

impl Budget {
    /// So many steps.
    #[must_use]
    pub fn new(steps: u64) -> Budget {
        Budget { steps_left: steps }
    }

    /// Takes so many steps; where fewer are left, none are from then on.
    pub fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        match self.steps_left.checked_sub(steps) {
            Some(left) => {
                self.steps_left = left;
                Ok(())
            }
            None => {
                self.steps_left = 0;
                Err(Exhausted)
            }
        }
    }
}

/// Why a question stays undecided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The budget is spent.
    Steps,
    /// Numbers left what 128 bits can hold.
    Numbers,
    /// No texts were found that fit together, and that there are none is not proved.
    Texts,
    /// The texts that would fit are more, or longer, than are tried.
    TextsTooLong,
    /// A pattern or a constant that a text is compared with is not one.
    Pattern,
}

impl From<Exhausted> for Reason {
    fn from(Exhausted: Exhausted) -> Reason {
        Reason::Steps
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Steps => "the search used up its budget",
            Reason::Numbers => "the numbers are too large to reason about",
            Reason::Texts => "no texts were found that fit together, and it is not proved that there are none",
            Reason::TextsTooLong => "the texts in question are too many or too long to search",
            Reason::Pattern => "a text is compared with something that cannot be read",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_gone() {
        let mut budget = Budget::new(10);
        assert_eq!(budget.spend(10), Ok(()));
        assert_eq!(budget.spend(0), Ok(()));
        assert_eq!(budget.spend(1), Err(Exhausted));
        let mut budget = Budget::new(10);
        assert_eq!(budget.spend(11), Err(Exhausted));
        assert_eq!(budget.steps_left, 0);
    }
}
