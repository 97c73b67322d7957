//! What formulas are about: their nodes, the numbers and the texts, which grow together.

use crate::analysis::formula::Formulas;
use crate::analysis::numbers::Numbers;
use crate::analysis::text::Texts;

/// Formulas with all that they name.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// The Boolean structure.
    pub formulas: Formulas,
    /// Variables that stand for integers.
    pub numbers: Numbers,
    /// Variables that stand for words, and languages.
    pub texts: Texts,
}
