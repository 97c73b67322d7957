//! What the instruction table says, as data: for everyone who treats instructions alike instead of one by one.

use crate::bytecode::op::{Op, Slot, U24};
use crate::for_each_op;

/// What an operand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The slot written.
    Out,
    /// A slot read. Of instructions that take several slots in a row, the first.
    Input,
    /// A number.
    Count,
    /// A constant, in 32 bits.
    Constant,
    /// A constant, in 24 bits.
    Constant24,
    /// The instruction to go on at.
    Target,
    /// A function, in 32 bits.
    Function,
    /// A function, in 24 bits.
    Function24,
    /// A jump table.
    Switch,
    /// An input of the entry.
    EntryInput,
    /// A pattern.
    Pattern,
    /// A selector.
    Selector,
    /// A set of entity types.
    TypeSet,
    /// A record of the schema.
    Record,
}

/// Where an operand stands in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// The next of `a`, `b`, `c`.
    Short,
    /// `c` and, as the high byte, `x`.
    Medium,
    /// `b` and `c`.
    Wide,
}

impl Role {
    /// Where an operand of this role stands.
    #[must_use]
    pub const fn width(self) -> Width {
        match self {
            Role::Out | Role::Input | Role::Count => Width::Short,
            Role::Constant24 | Role::Function24 | Role::Pattern | Role::Selector | Role::TypeSet | Role::Record => {
                Width::Medium
            }
            Role::Constant | Role::Target | Role::Function | Role::Switch | Role::EntryInput => Width::Wide,
        }
    }
}

/// The type that the table gives an operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperandType {
    /// Not a slot.
    None,
    /// Every type; the instruction has a rule of its own.
    Any,
    /// Bool.
    Bool,
    /// Int.
    Int,
    /// Decimal.
    Decimal,
    /// String.
    String,
    /// Duration.
    Duration,
    /// Timestamp.
    Timestamp,
    /// IpAddr.
    Ip,
    /// IpNet.
    Net,
    /// Url.
    Url,
    /// Path.
    Path,
    /// An iterator.
    Iterator,
    /// A graph that is being built.
    Graph,
    /// Perhaps an Int.
    OptionalInt,
    /// Perhaps a String.
    OptionalString,
    /// Perhaps an IpAddr.
    OptionalIp,
    /// Perhaps a Path.
    OptionalPath,
}

/// How an instruction is charged for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostClass {
    /// One step.
    Unit,
    /// One, and one for each 64 bytes of its texts.
    Text,
    /// One, and one for each element of its collections.
    Elements,
    /// One, and what the function costs.
    Call,
    /// Nothing.
    Free,
}

/// An operand of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperandInfo {
    /// Its name in the table.
    pub name: &'static str,
    /// What it is.
    pub role: Role,
    /// Its type, of slots.
    pub ty: OperandType,
}

/// A row of the instruction table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpInfo {
    /// The number in the bundle.
    pub code: u8,
    /// The name in assembly.
    pub mnemonic: &'static str,
    /// The operands, in order; at most three.
    pub operands: &'static [OperandInfo],
    /// What it costs.
    pub cost: CostClass,
    /// Whether it may make an error of its own.
    pub fails: bool,
    /// What it does.
    pub meaning: &'static str,
}

/// The operands of an instruction as numbers, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operands {
    numbers: [u32; 3],
    count: u8,
}

impl Operands {
    /// The numbers.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[u32] {
        self.numbers.get(..usize::from(self.count)).unwrap_or(&[])
    }
}

/// A number in an instruction, whatever its width.
trait Number: Sized {
    fn number(self) -> u32;
    fn from_number(number: u32) -> Option<Self>;
}

impl Number for Slot {
    #[inline]
    fn number(self) -> u32 {
        u32::from(self.0)
    }
    fn from_number(number: u32) -> Option<Slot> {
        u16::try_from(number).ok().map(Slot)
    }
}

impl Number for u16 {
    #[inline]
    fn number(self) -> u32 {
        u32::from(self)
    }
    fn from_number(number: u32) -> Option<u16> {
        u16::try_from(number).ok()
    }
}

impl Number for u32 {
    #[inline]
    fn number(self) -> u32 {
        self
    }
    fn from_number(number: u32) -> Option<u32> {
        Some(number)
    }
}

impl Number for U24 {
    #[inline]
    fn number(self) -> u32 {
        self.get()
    }
    fn from_number(number: u32) -> Option<U24> {
        U24::new(number)
    }
}

/// The variant of `Role` for a role as the table writes it.
#[macro_export]
#[doc(hidden)]
macro_rules! role_of {
    (out) => {
        $crate::bytecode::info::Role::Out
    };
    (input) => {
        $crate::bytecode::info::Role::Input
    };
    (count) => {
        $crate::bytecode::info::Role::Count
    };
    (constant) => {
        $crate::bytecode::info::Role::Constant
    };
    (constant24) => {
        $crate::bytecode::info::Role::Constant24
    };
    (target) => {
        $crate::bytecode::info::Role::Target
    };
    (function) => {
        $crate::bytecode::info::Role::Function
    };
    (function24) => {
        $crate::bytecode::info::Role::Function24
    };
    (switch) => {
        $crate::bytecode::info::Role::Switch
    };
    (entry_input) => {
        $crate::bytecode::info::Role::EntryInput
    };
    (pattern) => {
        $crate::bytecode::info::Role::Pattern
    };
    (selector) => {
        $crate::bytecode::info::Role::Selector
    };
    (type_set) => {
        $crate::bytecode::info::Role::TypeSet
    };
    (record) => {
        $crate::bytecode::info::Role::Record
    };
}

macro_rules! type_of {
    () => {
        OperandType::None
    };
    ($ty:ident) => {
        OperandType::$ty
    };
}

macro_rules! cost_of {
    (unit) => {
        CostClass::Unit
    };
    (text) => {
        CostClass::Text
    };
    (elements) => {
        CostClass::Elements
    };
    (call) => {
        CostClass::Call
    };
    (free) => {
        CostClass::Free
    };
}

macro_rules! fails_of {
    (fails) => {
        true
    };
    (safe) => {
        false
    };
}

macro_rules! define_info {
    ($($code:literal $variant:ident $mnemonic:literal
       ($($operand:ident : $role:ident $($ty:ident)?),*) $cost:ident $fails:ident $doc:literal;)*) => {
        enum Row { $($variant,)* }

        /// The instruction table, by ascending code.
        pub static OPS: &[OpInfo] = &[$(
            OpInfo {
                code: $code,
                mnemonic: $mnemonic,
                operands: &[$(OperandInfo {
                    name: stringify!($operand),
                    role: $crate::role_of!($role),
                    ty: type_of!($($ty)?),
                }),*],
                cost: cost_of!($cost),
                fails: fails_of!($fails),
                meaning: $doc,
            },
        )*];

        impl Op {
            /// Its row of the table.
            #[inline]
            #[must_use]
            pub fn info(self) -> &'static OpInfo {
                match self {
                    $(Op::$variant { .. } => &OPS[Row::$variant as usize],)*
                }
            }

            /// Its operands.
            #[inline]
            #[must_use]
            pub fn operands(self) -> Operands {
                let mut numbers = [0; 3];
                let mut count = 0_u8;
                match self {
                    $(Op::$variant { $($operand),* } => {
                        $(
                            numbers[usize::from(count)] = Number::number($operand);
                            count += 1;
                        )*
                    })*
                }
                Operands { numbers, count }
            }

            /// The instruction of this code with these operands, if there is one and they fit.
            #[must_use]
            pub fn from_numbers(code: u8, numbers: &[u32]) -> Option<Op> {
                let mut numbers = numbers.iter().copied();
                let op = match code {
                    $($code => Op::$variant { $($operand: Number::from_number(numbers.next()?)?),* },)*
                    _ => return None,
                };
                numbers.next().is_none().then_some(op)
            }
        }
    };
}

for_each_op!(define_info);

/// The row with this mnemonic.
#[must_use]
pub fn by_mnemonic(mnemonic: &str) -> Option<&'static OpInfo> {
    OPS.iter().find(|info| info.mnemonic == mnemonic)
}

#[cfg(test)]
mod tests {
    use super::{OPS, Role, Width};

    #[test]
    fn codes_ascend_and_names_are_unique() {
        assert!(OPS.windows(2).all(|pair| pair[0].code < pair[1].code));
        let mut names: Vec<_> = OPS.iter().map(|info| info.mnemonic).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), OPS.len());
    }

    #[test]
    fn operands_fit_a_word() {
        for info in OPS {
            let short = info.operands.iter().filter(|operand| operand.role.width() == Width::Short).count();
            let medium = info.operands.iter().filter(|operand| operand.role.width() == Width::Medium).count();
            let wide = info.operands.iter().filter(|operand| operand.role.width() == Width::Wide).count();
            assert!(short + medium + 2 * wide <= 3, "{}", info.mnemonic);
            assert!(medium + wide <= 1, "{}", info.mnemonic);
            assert!(info.operands.iter().filter(|operand| operand.role == Role::Out).count() <= 1, "{}", info.mnemonic);
        }
    }
}
