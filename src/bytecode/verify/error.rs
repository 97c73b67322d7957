//! Why a program is refused: one reason, with a stable name, and a place.

use std::fmt;

macro_rules! reasons {
    ($($reason:ident $name:literal $sentence:literal;)*) => {
        /// Why a program is refused. The names are stable; sentences may become better.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Reason {
            $(#[doc = $sentence] $reason,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Reason] = &[$(Reason::$reason),*];

            /// The stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Reason::$reason => $name),* }
            }

            /// What is wrong, as a part of a sentence.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self { $(Reason::$reason => $sentence),* }
            }
        }
    };
}

reasons! {
// Tables and the schema.
TableTooLong "table_too_long" "a table is longer than the limit";
StringTooLong "string_too_long" "a string is longer than the limit";
StringOrder "string_order" "the strings are not sorted, or one is there twice";
TypeRange "type_range" "a number stands for no type";
TypeOrder "type_order" "a part of a type does not come before it";
TypeTwice "type_twice" "a type is in the table twice";
TypeNesting "type_nesting" "an optional in an optional, or something other than a scalar in a set";
TypeBound "type_bound" "the bound of a type is over the limit, or its interval is empty";
TypeDepth "type_depth" "a type is nested too deeply";
TypeCycle "type_cycle" "a record, or an entity type that comes with the request, contains itself";
TypeOpen "type_open" "a field is of an entity of any type, which cannot be decoded";
EnumRange "enum_range" "a number stands for no enum";
EnumSize "enum_size" "an enum has no variants, or more than the limit";
RecordRange "record_range" "a number stands for no record";
EntityRange "entity_range" "a number stands for no entity type";
EntityOrder "entity_order" "entity types are not sorted, or one is there twice";
EntityParents "entity_parents" "an entity type has a parent, or is one, though it comes with the request";
NameTwice "name_twice" "a name is there twice";
NameForm "name_form" "a name is empty or longer than the limit";
FieldFlags "field_flags" "a field is marked as something that it cannot be";
LifecycleRange "lifecycle_range" "a lifecycle names a state that its enum has not, or not every state has its steps";
LifecycleOrder "lifecycle_order" "states of a lifecycle are not sorted, or one is there twice";
GovernedBy "governed_by" "what governs an entity type is not the enum of a lifecycle";
// Constants and other tables.
StringRange "string_range" "a number stands for no string";
ConstantRange "constant_range" "a number stands for no constant";
ConstantOrder "constant_order" "a part of a constant does not come before it";
ConstantType "constant_type" "the value of a constant is not of its type";
ConstantForm "constant_form" "a constant is not in its canonical form";
ConstantTwice "constant_twice" "a constant is in the table twice";
PatternInvalid "pattern_invalid" "a pattern is not a regular expression that the machine takes";
PatternTooLong "pattern_too_long" "a pattern, or its automaton, is over the limit";
PatternRange "pattern_range" "a number stands for no pattern";
SelectorRange "selector_range" "a number stands for no selector";
SelectorOrder "selector_order" "the columns of a selector are not sorted, or there is none";
SelectorColumn "selector_column" "a selector names an attribute that is not there, or that is not of its type";
TypeSetRange "type_set_range" "a number stands for no set of entity types";
SwitchRange "switch_range" "a number stands for no jump table";
SwitchSize "switch_size" "a jump table has not one target for each variant and one for errors";
SiteRange "site_range" "a number stands for no site";
FaultSites "fault_sites" "the sites are not those of the instructions that may fail";
// Functions and their code.
FunctionRange "function_range" "a number stands for no function";
FunctionCode "function_code" "the functions do not divide the code among them in order";
FunctionEntry "function_entry" "a function belongs to no entry of the program";
FunctionSlots "function_slots" "a function has fewer slots than parameters, or more than the limit";
MemoParameters "memo_parameters" "a memo function has parameters";
SlotRange "slot_range" "a slot lies outside the frame";
InputRange "input_range" "a number stands for no input of the entry";
FieldRange "field_range" "a record has no field of this number";
CountZero "count_zero" "a collection is made of no elements, or of more than the limit";
JumpRange "jump_range" "a jump leaves the function";
JumpBackward "jump_backward" "a jump goes back";
JumpIntoLoop "jump_into_loop" "a jump leads into the body of a loop";
LoopForm "loop_form" "a loop is not closed where its start says";
LoopDepth "loop_depth" "loops are nested too deeply";
IteratorOverwritten "iterator_overwritten" "the body of a loop writes to its iterator";
ElementOutside "element_outside" "an element is asked for outside the loop of its iterator";
FallsOff "falls_off" "the code of a function goes on behind its end";
CallCycle "call_cycle" "a function calls one that does not come before it";
CallMemo "call_memo" "a memo function is called, or one that is not is forced";
CallEntry "call_entry" "a function uses one of another entry, or a pure one uses one that is not";
ReadPure "read_pure" "a pure function reads an input";
ReadAdvisory "read_advisory" "an advisory field is read";
// Flow.
Unassigned "unassigned" "a slot is read that need not have a value";
OperandType "operand_type" "an operand is not of the type that the instruction asks for";
OperandAbsent "operand_absent" "an operand may be absent where the instruction asks for a value";
OperandError "operand_error" "an operand may be an error where the instruction asks for a value";
NotAnError "not_an_error" "what is raised need not be an error";
OperandsDiffer "operands_differ" "two operands are not of one type";
DivisorZero "divisor_zero" "a divisor is not a constant other than zero";
NoLifecycle "no_lifecycle" "the enum has no lifecycle";
ArgumentType "argument_type" "an argument is not of the type of the parameter";
ResultType "result_type" "a result is not of the type that the function declares";
TooComplex "too_complex" "the code takes too long to verify";
// Entries.
EntryCount "entry_count" "there is not one entry for each action";
InputTwice "input_twice" "an entry has an input twice";
RootFunction "root_function" "a function of another entry, or one with parameters, serves an entry";
ConditionType "condition_type" "a condition is not a Bool";
MessageType "message_type" "a value in a message is not a scalar or an entity";
GateMissing "gate_missing" "a rule that asks for approval has no gate, or another rule has one";
GateType "gate_type" "a gate has a group that is not an entity, or a quorum that is not an Int";
GateTime "gate_time" "a time of a gate is negative, or its escalations are not in order";
ObligationRange "obligation_range" "a number stands for no obligation";
ObligationEffect "obligation_effect" "a rule has obligations that only takes away";
ObligationArguments "obligation_arguments" "an obligation has not one argument of the right type for each parameter";
IndexRules "index_rules" "a rule is not in exactly one place of the index";
IndexOrder "index_order" "a list of the index is not sorted, or empty";
IndexType "index_type" "a key of the index has a value that it cannot have, or constants of another type";
CallDepth "call_depth" "functions call one another too deeply";
StackSlots "stack_slots" "the frames of functions take more slots than the limit";
CostWrong "cost_wrong" "the certified cost of an entry is not the one that its code has";
CostTooHigh "cost_too_high" "the cost of an entry is over the budget";
}

/// Where a program is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// No place in particular.
    Program,
    /// An item of a table, by the table's name and the item's number.
    Item(&'static str, u32),
    /// An instruction: the function, and the instruction's number in the code of the program.
    Instruction {
        /// The function.
        function: u32,
        /// The instruction.
        at: u32,
    },
    /// A rule: its entry and its number there.
    Rule {
        /// The entry.
        entry: u32,
        /// The rule.
        rule: u32,
    },
}

/// Why and where a program is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyError {
    /// Why.
    pub reason: Reason,
    /// Where.
    pub place: Place,
}

impl VerifyError {
    #[cold]
    pub(crate) fn new(reason: Reason, place: Place) -> VerifyError {
        VerifyError { reason, place }
    }

    #[cold]
    pub(crate) fn item(reason: Reason, table: &'static str, at: usize) -> VerifyError {
        VerifyError { reason, place: Place::Item(table, u32::try_from(at).unwrap_or(u32::MAX)) }
    }

    #[cold]
    pub(crate) fn program(reason: Reason) -> VerifyError {
        VerifyError { reason, place: Place::Program }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Program => f.write_str("the program"),
            Place::Item(table, at) => write!(f, "{table} {at}"),
            Place::Instruction { function, at } => write!(f, "function {function}, instruction {at}"),
            Place::Rule { entry, rule } => write!(f, "entry {entry}, rule {rule}"),
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.place, self.reason.sentence(), self.reason)
    }
}

impl std::error::Error for VerifyError {}
