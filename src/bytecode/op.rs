//! The instruction table: the one place where the machine's instructions are defined.
//!
//! `for_each_op!` hands the table to a macro. From it come the enum `Op`, the encoder and decoder, the assembler and
//! disassembler, the verifier's operand and type checks, the cost of every instruction, and `docs/bytecode.md`.
//!
//! A row: code, variant, mnemonic, operands with roles and types, cost class, whether it may fail by itself, meaning.
//! Codes are explicit and never used again.
//!
//! **Roles.** `out`, `input`: a slot of the frame (16 bits). `count`: a number (16 bits). `constant`, `target`, `function`,
//! `switch`, `entry_input`: a number of 32 bits. `constant24`, `pattern`, `selector`, `type_set`, `record`: a number of 24 bits.
//!
//! **Words.** Eight bytes: opcode, `x` (8 bits), `a`, `b`, `c` (16 bits each, little endian). Operands of 16 bits take
//! `a`, `b`, `c` in order; one of 32 bits takes `b` and `c`; one of 24 bits takes `c` and, as its high byte, `x`.
//! What is not used is zero.
//!
//! **Errors are values.** An instruction with an operand that is an error gives that error; of several, the one with
//! the smallest site. The exceptions (`and`, `or`, the jumps) say so. One marked `fails` may make an error of its own, with
//! the site that `Program::fault_sites` gives it.
//!
//! **Types.** `Any` stands for every type; instructions with it have a rule of their own in the verifier.
//!
//! **Costs**, in steps: `unit` is 1; `text` is 1 and one for each 64 bytes that its strings, URLs and paths may have at most;
//! `elements` is 1 and one for each element that its collections may have at most; `call` is 1 and the cost of the function;
//! `free` is 0. Of a loop the body counts as often as the collection may have elements.

/// Hands the instruction table to the macro named.
#[macro_export]
#[doc(hidden)]
macro_rules! for_each_op {
    ($then:ident) => {
        $then! {
// Moves and constants.
0x01 Move            "move"             (a: out Any, b: input Any)                                unit    safe  "a := b";
0x02 Const           "const"            (a: out Any, k: constant)                                 unit    safe  "a := the constant k";
0x03 Read            "read"             (a: out Any, i: entry_input)                              unit    safe  "a := input i of the entry";
0x04 Raise           "raise"            (a: out Any, b: input Any)                                unit    safe  "a := the error that b is; fits every type";
0x05 Unwrap          "unwrap"           (a: out Any, b: input Any)                                unit    fails "a := the value of the optional b; an error if it is absent";
0x06 IsPresent       "is_present"       (a: out Bool, b: input Any)                               unit    safe  "a := whether the optional b is present";

// Control.
0x10 Jump            "jump"             (to: target)                                              unit    safe  "goes on at `to`, which lies ahead";
0x11 JumpTrue        "jump_true"        (a: input Bool, to: target)                               unit    safe  "goes on at `to` if a is true; not if it is false or an error";
0x12 JumpFalse       "jump_false"       (a: input Bool, to: target)                               unit    safe  "goes on at `to` if a is false; not if it is true or an error";
0x13 JumpError       "jump_error"       (a: input Any, to: target)                                unit    safe  "goes on at `to` if a is an error";
0x14 JumpAbsent      "jump_absent"      (a: input Any, to: target)                                unit    safe  "goes on at `to` if the optional a is absent; not if it is an error";
0x15 Switch          "switch"           (a: input Any, s: switch)                                 unit    safe  "goes on at the target for the variant a in table s, or at its last target if a is an error; all lie ahead";
0x16 Return          "return"           (a: input Any)                                            unit    safe  "ends the function with the value of a";
0x17 Call            "call"             (a: out Any, b: input Any, f: function24)                 call    safe  "a := function f of the values in slots b, b+1, …";
0x18 Force           "force"            (a: out Any, f: function)                                 call    safe  "a := the value of the memo function f, computed at its first need; its cost counts once for an action";
0x19 Iterate         "iterate"          (a: out Iterator, b: input Any)                           unit    safe  "a := an iterator before the first element of the set or list b, or the first key of the map b; b must not be an error";
0x1a Next            "next"             (a: input Iterator, to: target)                           unit    safe  "steps a to its next element, or goes on at `to` if there is none; starts a loop, and `to` is the instruction behind the loop's end";
0x1b Element         "element"          (a: out Any, b: input Iterator)                           unit    safe  "a := the element at which b stands";
0x1c Loop            "loop"             (to: target)                                              unit    safe  "ends a loop: goes back to its `next` at `to`";

// Logic: strong Kleene.
0x20 And             "and"              (a: out Bool, b: input Bool, c: input Bool)               unit    safe  "a := false if b or c is false, else an error if one is, else true";
0x21 Or              "or"               (a: out Bool, b: input Bool, c: input Bool)               unit    safe  "a := true if b or c is true, else an error if one is, else false";
0x22 Not             "not"              (a: out Bool, b: input Bool)                              unit    safe  "a := whether b is false";
0x23 CountIf         "count_if"         (a: out Int, b: input Int, c: input Bool)                 unit    safe  "a := b + 1 if c is true, b if it is false; at most once for each element of a loop, so it cannot overflow";

// Comparison.
0x28 Equal           "equal"            (a: out Bool, b: input Any, c: input Any)                 elements safe "a := whether b equals c; of one type, of any but iterators; sets regardless of order";
0x29 EqualConst      "equal_const"      (a: out Bool, b: input Any, k: constant24)                elements safe "a := whether b equals the constant k";
0x2a NotEqual        "not_equal"        (a: out Bool, b: input Any, c: input Any)                 elements safe "a := whether b differs from c";
0x2b Less            "less"             (a: out Bool, b: input Any, c: input Any)                 text    safe  "a := b < c; of two Int, Decimal, Duration, Timestamp, String, or of one enum";
0x2c LessEqual       "less_equal"       (a: out Bool, b: input Any, c: input Any)                 text    safe  "a := b <= c";

// Int.
0x30 IntAdd          "int_add"          (a: out Int, b: input Int, c: input Int)                  unit    fails "a := b + c; overflow is an error";
0x31 IntSubtract     "int_subtract"     (a: out Int, b: input Int, c: input Int)                  unit    fails "a := b - c";
0x32 IntMultiply     "int_multiply"     (a: out Int, b: input Int, c: input Int)                  unit    fails "a := b * c";
0x33 IntDivide       "int_divide"       (a: out Int, b: input Int, k: constant24)                 unit    fails "a := b / k toward zero; the constant k is an Int other than zero";
0x34 IntNegate       "int_negate"       (a: out Int, b: input Int)                                unit    fails "a := -b";
0x35 IntAbs          "int_abs"          (a: out Int, b: input Int)                                unit    fails "a := the distance of b from zero";
0x36 IntMin          "int_min"          (a: out Int, b: input Int, c: input Int)                  unit    safe  "a := the lesser";
0x37 IntMax          "int_max"          (a: out Int, b: input Int, c: input Int)                  unit    safe  "a := the greater";
0x38 IntToDecimal    "int_to_decimal"   (a: out Decimal, b: input Int)                            unit    fails "a := b as a Decimal";

// Decimal.
0x40 DecimalAdd      "decimal_add"      (a: out Decimal, b: input Decimal, c: input Decimal)      unit    fails "a := b + c; overflow is an error";
0x41 DecimalSubtract "decimal_subtract" (a: out Decimal, b: input Decimal, c: input Decimal)      unit    fails "a := b - c";
0x42 DecimalMultiply "decimal_multiply" (a: out Decimal, b: input Decimal, c: input Decimal)      unit    fails "a := b * c; overflow and inexact are errors";
0x43 DecimalDivide   "decimal_divide"   (a: out Decimal, b: input Decimal, k: constant24)         unit    fails "a := b / k; the constant k is a Decimal other than zero; inexact is an error";
0x44 DecimalNegate   "decimal_negate"   (a: out Decimal, b: input Decimal)                        unit    fails "a := -b";
0x45 DecimalAbs      "decimal_abs"      (a: out Decimal, b: input Decimal)                        unit    fails "a := the distance of b from zero";
0x46 DecimalMin      "decimal_min"      (a: out Decimal, b: input Decimal, c: input Decimal)      unit    safe  "a := the lesser";
0x47 DecimalMax      "decimal_max"      (a: out Decimal, b: input Decimal, c: input Decimal)      unit    safe  "a := the greater";
0x48 DecimalTruncate "decimal_truncate" (a: out Int, b: input Decimal)                            unit    safe  "a := b without the digits behind its point, which always fits";

// Time.
0x50 DurationAdd     "duration_add"     (a: out Duration, b: input Duration, c: input Duration)   unit    fails "a := b + c";
0x51 DurationSubtract "duration_subtract" (a: out Duration, b: input Duration, c: input Duration) unit    fails "a := b - c";
0x52 DurationMultiply "duration_multiply" (a: out Duration, b: input Duration, c: input Int)      unit    fails "a := b * c";
0x53 DurationNegate  "duration_negate"  (a: out Duration, b: input Duration)                      unit    fails "a := -b";
0x54 TimestampAdd    "timestamp_add"    (a: out Timestamp, b: input Timestamp, c: input Duration) unit    fails "a := b + c";
0x55 TimestampSubtract "timestamp_subtract" (a: out Timestamp, b: input Timestamp, c: input Duration) unit fails "a := b - c";
0x56 TimestampDifference "timestamp_difference" (a: out Duration, b: input Timestamp, c: input Timestamp) unit safe "a := b - c, which always fits";
0x57 TimestampYear   "timestamp_year"   (a: out Int, b: input Timestamp)                          unit    safe  "a := the year, UTC, as are the next";
0x58 TimestampMonth  "timestamp_month"  (a: out Int, b: input Timestamp)                          unit    safe  "a := 1 to 12";
0x59 TimestampDay    "timestamp_day"    (a: out Int, b: input Timestamp)                          unit    safe  "a := 1 to 31";
0x5a TimestampHour   "timestamp_hour"   (a: out Int, b: input Timestamp)                          unit    safe  "a := 0 to 23";
0x5b TimestampMinute "timestamp_minute" (a: out Int, b: input Timestamp)                          unit    safe  "a := 0 to 59";
0x5c TimestampSecond "timestamp_second" (a: out Int, b: input Timestamp)                          unit    safe  "a := 0 to 59";
0x5d TimestampWeekday "timestamp_weekday" (a: out Int, b: input Timestamp)                        unit    safe  "a := 1 (Monday) to 7 (Sunday)";

// Text.
0x60 StringLength    "string_length"    (a: out Int, b: input String)                             text    safe  "a := the number of code points";
0x61 StringStartsWith "string_starts_with" (a: out Bool, b: input String, c: input String)        text    safe  "a := whether b starts with c";
0x62 StringEndsWith  "string_ends_with" (a: out Bool, b: input String, c: input String)           text    safe  "a := whether b ends with c";
0x63 StringContains  "string_contains"  (a: out Bool, b: input String, c: input String)           text    safe  "a := whether c is a part of b; linear time";
0x64 Matches         "matches"          (a: out Bool, b: input String, p: pattern)                text    safe  "a := whether the whole of b matches the pattern p";

// Addresses, URLs, paths.
0x70 IpInNet         "ip_in_net"        (a: out Bool, b: input Ip, c: input Net)                  unit    safe  "a := whether b lies in c";
0x71 NetInNet        "net_in_net"       (a: out Bool, b: input Net, c: input Net)                 unit    safe  "a := whether b lies in c";
0x72 IpIsLoopback    "ip_is_loopback"   (a: out Bool, b: input Ip)                                unit    safe  "a := whether b is a loopback address";
0x73 IpIsPrivate     "ip_is_private"    (a: out Bool, b: input Ip)                                unit    safe  "a := whether b is private (RFC 1918, RFC 4193)";
0x74 IpIsLinkLocal   "ip_is_link_local" (a: out Bool, b: input Ip)                                unit    safe  "a := whether b is link-local";
0x75 IpIsMulticast   "ip_is_multicast"  (a: out Bool, b: input Ip)                                unit    safe  "a := whether b is a multicast address";
0x76 IpIsUnspecified "ip_is_unspecified" (a: out Bool, b: input Ip)                               unit    safe  "a := whether b is all zeros";
0x77 IpIsGlobal      "ip_is_global"     (a: out Bool, b: input Ip)                                unit    safe  "a := whether b is in no special-purpose registry";
0x78 IpIsV6          "ip_is_v6"         (a: out Bool, b: input Ip)                                unit    safe  "a := whether b is an IPv6 address";
0x79 UrlScheme       "url_scheme"       (a: out String, b: input Url)                             unit    safe  "a := the scheme";
0x7a UrlHost         "url_host"         (a: out String, b: input Url)                             unit    safe  "a := the host";
0x7b UrlPort         "url_port"         (a: out OptionalInt, b: input Url)                        unit    safe  "a := the port, given or the scheme's own";
0x7c UrlPath         "url_path"         (a: out String, b: input Url)                             unit    safe  "a := the path";
0x7d UrlQuery        "url_query"        (a: out OptionalString, b: input Url)                     unit    safe  "a := the query";
0x7e UrlFragment     "url_fragment"     (a: out OptionalString, b: input Url)                     unit    safe  "a := the fragment";
0x7f UrlHasCredentials "url_has_credentials" (a: out Bool, b: input Url)                          unit    safe  "a := whether a user name or password is given";
0x80 UrlHostAddress  "url_host_address" (a: out OptionalIp, b: input Url)                         unit    safe  "a := the host, if it is an address";
0x81 UrlInUrl        "url_in_url"       (a: out Bool, b: input Url, c: input Url)                 text    safe  "a := whether b has c's scheme, host and port, and lies within its path";
0x82 UrlHostInDomain "url_host_in_domain" (a: out Bool, b: input Url, c: input String)            text    safe  "a := whether the host of b is the domain c or below it";
0x83 UrlText         "url_text"         (a: out String, b: input Url)                             unit    safe  "a := the normalised text";
0x84 PathInPath      "path_in_path"     (a: out Bool, b: input Path, c: input Path)               text    safe  "a := whether b is c or lies within it";
0x85 PathName        "path_name"        (a: out String, b: input Path)                            text    safe  "a := the last component";
0x86 PathExtension   "path_extension"   (a: out OptionalString, b: input Path)                    text    safe  "a := what follows the last dot of the name";
0x87 PathParent      "path_parent"      (a: out OptionalPath, b: input Path)                      text    safe  "a := the path without its last component";
0x88 PathText        "path_text"        (a: out String, b: input Path)                            unit    safe  "a := the normalised text";
0x89 PathDepth       "path_depth"       (a: out Int, b: input Path)                               text    safe  "a := the number of components";

// Collections.
0x90 Size            "size"             (a: out Int, b: input Any)                                unit    safe  "a := how many elements or entries b has";
0x91 Contains        "contains"         (a: out Bool, b: input Any, c: input Any)                 elements safe "a := whether the set or list b has the element c";
0x92 ContainsConst   "contains_const"   (a: out Bool, b: input Any, k: constant24)                elements safe "a := whether the set or list b has the constant k as an element";
0x93 InConst         "in_const"         (a: out Bool, b: input Any, k: constant24)                elements safe "a := whether the constant k, a set, has the element b";
0x94 MapHasKey       "map_has_key"      (a: out Bool, b: input Any, c: input String)              elements safe "a := whether the map b has the key c";
0x95 ContainsAll     "contains_all"     (a: out Bool, b: input Any, c: input Any)                 elements safe "a := whether the set b has every element of the set c";
0x96 ContainsAny     "contains_any"     (a: out Bool, b: input Any, c: input Any)                 elements safe "a := whether the sets b and c share an element";
0x97 SetUnion        "set_union"        (a: out Any, b: input Any, c: input Any)                  elements fails "a := the elements of both; more than the largest bound is an error";
0x98 SetIntersect    "set_intersect"    (a: out Any, b: input Any, c: input Any)                  elements safe "a := the elements that both have";
0x99 SetExcept       "set_except"       (a: out Any, b: input Any, c: input Any)                  elements safe "a := the elements of b that c has not";
0x9a ListGet         "list_get"         (a: out Any, b: input Any, c: input Int)                  unit    safe  "a := the element of the list b at c, from 0; absent beyond either end";
0x9b MapGet          "map_get"          (a: out Any, b: input Any, c: input String)               elements safe "a := the value of the map b at key c, or absent";
0x9c MakeSet         "make_set"         (a: out Any, b: input Any, n: count)                      elements safe "a := the set of the n values in slots b, b+1, …; n is at least 1";
0x9d MakeList        "make_list"        (a: out Any, b: input Any, n: count)                      elements safe "a := the list of them";
0x9e MakeMap         "make_map"         (a: out Any, b: input Any, n: count)                      elements safe "a := the map of n entries, keys and values in turn in slots b, b+1, …; equal keys: the last counts";
0x9f MakeRecord      "make_record"      (a: out Any, b: input Any, r: record)                     elements safe "a := the record r of the values in slots b, b+1, …";
0xa0 Field           "field"            (a: out Any, b: input Any, n: count)                      unit    safe  "a := field n of the record b";

// Graphs.
0xa1 Graph           "graph"            (a: out Graph)                                            unit    safe  "a := a graph without nodes";
0xa2 Link            "link"             (a: input Graph, b: input Any, c: input Any)              elements safe "adds to a the node b, a scalar, with an edge to each element of the set or list c; pays for what `acyclic` does with them";
0xa3 Acyclic         "acyclic"          (a: out Bool, b: input Graph)                             unit    safe  "a := whether no path of edges in b leads from a node to itself; b can't be read any more";

// Entities and lifecycles.
0xa8 Attribute       "attribute"        (a: out Any, b: input Any, s: selector)                   unit    safe  "a := the attribute that selector s finds in the entity b";
0xa9 EntityId        "entity_id"        (a: out String, b: input Any)                             unit    safe  "a := the id of the entity b";
0xaa EntityIn        "entity_in"        (a: out Bool, b: input Any, c: input Any)                 unit    safe  "a := whether the entity b is c or lies below it";
0xab EntityInAny     "entity_in_any"    (a: out Bool, b: input Any, c: input Any)                 elements safe "a := whether the entity b is, or lies below, one of the set c";
0xac IsType          "is_type"          (a: out Bool, b: input Any, t: type_set)                  unit    safe  "a := whether the entity b is of one of the types t";
0xad StepsTo         "steps_to"         (a: out Bool, b: input Any, c: input Any)                 unit    safe  "a := whether the lifecycle of both states lets b step to c";
0xae Narrow          "narrow"           (a: out Any, b: input Any, t: type_set)                  unit    fails "a := the entity b, which is of one of the types t; an error if it is of another";
        }
    };
}

/// A slot of a function's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(pub u16);

/// A number of 24 bits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct U24([u8; 3]);

impl U24 {
    /// The number, if it fits.
    #[must_use]
    pub fn new(number: u32) -> Option<U24> {
        let [a, b, c, d] = number.to_le_bytes();
        (d == 0).then_some(U24([a, b, c]))
    }

    /// The number of these bytes, the least first.
    #[inline]
    #[must_use]
    pub fn from_bytes(bytes: [u8; 3]) -> U24 {
        U24(bytes)
    }

    /// The number.
    #[inline]
    #[must_use]
    pub fn get(self) -> u32 {
        u32::from_le_bytes([self.0[0], self.0[1], self.0[2], 0])
    }
}

impl std::fmt::Debug for U24 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.get(), f)
    }
}

macro_rules! operand_type {
    (out) => {
        Slot
    };
    (input) => {
        Slot
    };
    (count) => {
        u16
    };
    (constant24) => {
        U24
    };
    (pattern) => {
        U24
    };
    (selector) => {
        U24
    };
    (type_set) => {
        U24
    };
    (record) => {
        U24
    };
    (function24) => {
        U24
    };
    ($wide:ident) => {
        u32
    };
}

macro_rules! define_op {
    ($($code:literal $variant:ident $mnemonic:literal
       ($($operand:ident : $role:ident $($ty:ident)?),*) $cost:ident $fails:ident $doc:literal;)*) => {
        /// An instruction, as it runs. Eight bytes, but not the bytes of the bundle.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Op {
            $(
                #[doc = $doc]
                #[allow(missing_docs, reason = "the meaning of the instruction names its operands")]
                $variant { $($operand: operand_type!($role)),* },
            )*
        }
    };
}

for_each_op!(define_op);

#[cfg(test)]
mod tests {
    use super::Op;

    #[test]
    fn an_instruction_in_memory_is_eight_bytes() {
        assert_eq!(size_of::<Op>(), 8);
    }
}
