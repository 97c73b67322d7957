//! Instructions as words of eight bytes, and back: the form they have in a bundle.
//!
//! One instruction has one word: what decodes encodes to the same bytes. Unknown codes and unused bits that are not zero
//! are refused.

use crate::bytecode::info::Width;
use crate::bytecode::op::{Op, Slot, U24};
use crate::for_each_op;

/// Takes operands off a word, each where its width says.
struct Fields {
    word: [u8; 8],
    short: usize,
}

impl Fields {
    #[inline]
    fn short(&mut self) -> u16 {
        self.short += 2;
        u16::from_le_bytes([self.word[self.short - 2], self.word[self.short - 1]])
    }

    #[inline]
    fn medium(&self) -> U24 {
        U24::from_bytes([self.word[6], self.word[7], self.word[1]])
    }

    #[inline]
    fn wide(&self) -> u32 {
        u32::from_le_bytes([self.word[4], self.word[5], self.word[6], self.word[7]])
    }
}

macro_rules! take {
    ($fields:ident out) => {
        Slot($fields.short())
    };
    ($fields:ident input) => {
        Slot($fields.short())
    };
    ($fields:ident count) => {
        $fields.short()
    };
    ($fields:ident constant) => {
        $fields.wide()
    };
    ($fields:ident target) => {
        $fields.wide()
    };
    ($fields:ident function) => {
        $fields.wide()
    };
    ($fields:ident switch) => {
        $fields.wide()
    };
    ($fields:ident entry_input) => {
        $fields.wide()
    };
    ($fields:ident $medium:ident) => {
        $fields.medium()
    };
}

macro_rules! define_decode {
    ($($code:literal $variant:ident $mnemonic:literal
       ($($operand:ident : $role:ident $($ty:ident)?),*) $cost:ident $fails:ident $doc:literal;)*) => {
        impl Op {
            /// The instruction of a word; nothing if no instruction has exactly this word.
            #[must_use]
            pub fn decode(word: [u8; 8]) -> Option<Op> {
                #[allow(unused_mut, reason = "not every instruction has operands of 16 bits")]
                let mut fields = Fields { word, short: 2 };
                let op = match word[0] {
                    $($code => Op::$variant { $($operand: take!(fields $role)),* },)*
                    _ => return None,
                };
                (op.encode() == word).then_some(op)
            }
        }
    };
}

for_each_op!(define_decode);

impl Op {
    /// The word of the instruction.
    #[must_use]
    pub fn encode(self) -> [u8; 8] {
        let info = self.info();
        let mut word = [info.code, 0, 0, 0, 0, 0, 0, 0];
        let mut short = 2;
        for (operand, number) in info.operands.iter().zip(self.operands().as_slice()) {
            let bytes = number.to_le_bytes();
            match operand.role.width() {
                Width::Short => {
                    word[short..short + 2].copy_from_slice(&bytes[..2]);
                    short += 2;
                }
                Width::Medium => {
                    word[6..].copy_from_slice(&bytes[..2]);
                    word[1] = bytes[2];
                }
                Width::Wide => word[4..].copy_from_slice(&bytes),
            }
        }
        word
    }
}

#[cfg(test)]
mod tests {
    use crate::bytecode::info::{OPS, Width};
    use crate::bytecode::op::Op;

    #[test]
    fn every_instruction_survives_encoding() {
        for info in OPS {
            let numbers: Vec<u32> = info
                .operands
                .iter()
                .enumerate()
                .map(|(at, operand)| match operand.role.width() {
                    Width::Short => 0xfedc - at as u32,
                    Width::Medium => 0x00fe_dcba,
                    Width::Wide => 0xfedc_ba98,
                })
                .collect();
            let op = Op::from_numbers(info.code, &numbers).expect("the operands fit");
            assert_eq!(op.operands().as_slice(), numbers, "{}", info.mnemonic);
            assert_eq!(Op::decode(op.encode()), Some(op), "{}", info.mnemonic);
        }
    }

    #[test]
    fn what_decodes_encodes_to_the_same_word() {
        for code in 0..=u8::MAX {
            let known = OPS.iter().any(|info| info.code == code);
            assert_eq!(Op::decode([code, 0, 0, 0, 0, 0, 0, 0]).is_some(), known);
            for bit in 8..64 {
                let word = (u64::from(code) | 1 << bit).to_le_bytes();
                if let Some(op) = Op::decode(word) {
                    assert_eq!(op.encode(), word);
                }
            }
        }
    }
}
