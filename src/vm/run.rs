//! The loop: one function of the program at a time, on one stack of slots that is allocated beforehand.
//!
//! What the verifier accepts stays within the code, the frames and the certified cost. Every access is checked all the
//! same: what should not happen is an internal error, which fails closed, and never a panic.

use crate::base::limits::CALL_DEPTH_MAX;
use crate::bytecode::op::{Op, Slot};
use crate::bytecode::program::FunctionId;
use crate::data::decimal::Decimal;
use crate::data::duration::Duration;
use crate::data::ip::IpAddr;
use crate::data::path;
use crate::data::timestamp::Timestamp;
use crate::vm::entities::Entities;
use crate::vm::image::{Callee, Image};
use crate::vm::make::{Buffers, Maker, reading};
use crate::vm::memory::{Local, Memory};
use crate::vm::ops::collections::{Keep, Shape};
use crate::vm::ops::{Outcome, collections, decimal, entities, failed, graph, int, logic, net, text, time};
use crate::vm::value::{Fault, FaultKind, Value};

/// Counts the steps of a run. The certified cost bounds them, so that only tests do.
pub trait Meter {
    /// An instruction runs.
    fn step(&mut self, op: Op);
}

/// Counts nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unmetered;

impl Meter for Unmetered {
    #[inline]
    fn step(&mut self, _op: Op) {}
}

/// Counts instructions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steps(pub u64);

impl Meter for Steps {
    #[inline]
    fn step(&mut self, _op: Op) {
        self.0 += 1;
    }
}

/// What a run works with, kept from one decision to the next.
#[derive(Clone, Debug, Default)]
pub struct Work {
    stack: Vec<Value>,
    frames: Vec<Frame>,
    /// Values of memo functions, each with the decision that it belongs to.
    memo: Vec<(u32, Value)>,
    decision: u32,
    /// Room for what is being made.
    pub buffers: Buffers,
}

impl Work {
    /// Makes ready for a decision: kept values are forgotten, and there is room for the frames.
    #[inline]
    pub fn begin(&mut self, image: &Image, stack: u32) {
        self.frames.clear();
        if self.stack.len() < stack as usize {
            self.stack.resize(stack as usize, Value::INTERNAL);
        }
        self.decision = self.decision.wrapping_add(1);
        if self.memo.len() != image.memo_count as usize || self.decision == 0 {
            self.memo.clear();
            self.memo.resize(image.memo_count as usize, (0, Value::INTERNAL));
            self.decision = 1;
        }
    }
}

/// Where a caller goes on.
#[derive(Clone, Copy, Debug)]
struct Frame {
    pc: u32,
    base: u32,
    slots: u16,
    out: Slot,
    /// Where the value is kept; `u32::MAX` if it is not.
    memo: u32,
}

/// A run: the program, the entities, what belongs to the decision, and the room.
#[derive(Debug)]
pub struct Run<'a, E, M> {
    /// The program.
    pub image: &'a Image,
    /// The entities.
    pub entities: &'a E,
    /// A value for each of `Entry::inputs`, in that order.
    pub inputs: &'a [Value],
    /// What the request brought along and what the run makes.
    pub local: &'a mut Local,
    /// The room.
    pub work: &'a mut Work,
    /// Counts steps.
    pub meter: M,
}

impl<E: Entities, M: Meter> Run<'_, E, M> {
    /// What can be read.
    #[inline]
    #[must_use]
    pub fn memory(&self) -> Memory<'_> {
        reading(self.image, self.entities, &self.local.heap)
    }

    /// The value of a function without parameters.
    #[inline]
    pub fn value(&mut self, function: FunctionId) -> Value {
        let Some(callee) = self.image.function(function) else { return Value::INTERNAL };
        let kept = self.work.memo.get(callee.memo as usize).copied();
        if let Some((decision, value)) = kept
            && decision == self.work.decision
        {
            return value;
        }
        let value = self.execute(callee);
        if let Some(kept) = self.work.memo.get_mut(callee.memo as usize) {
            *kept = (self.work.decision, value);
        }
        value
    }

    /// Runs a function without parameters from its first instruction.
    fn execute(&mut self, function: Callee) -> Value {
        let Run { image, entities: store, inputs, local, work, meter } = self;
        let (image, store) = (*image, *store);
        let Work { stack, frames, memo, decision, buffers } = &mut **work;
        let code = image.code();
        frames.clear();
        let mut pc = function.start as usize;
        let mut base = 0;
        let mut slots = function.slots;
        if stack.len() < usize::from(slots) {
            return Value::INTERNAL;
        }

        macro_rules! get {
            ($slot:expr) => {
                match stack.get(base + usize::from($slot.0)) {
                    Some(&value) => value,
                    None => return Value::INTERNAL,
                }
            };
        }
        macro_rules! set {
            // Reads the operands first, so that the value is made where it will lie.
            ($slot:expr, |$($operand:ident),*| $value:expr) => {{
                $(let $operand = get!($operand);)*
                match stack.get_mut(base + usize::from($slot.0)) {
                    Some(slot) => *slot = $value,
                    None => return Value::INTERNAL,
                }
            }};
            ($slot:expr, $value:expr) => {{
                let value = $value;
                match stack.get_mut(base + usize::from($slot.0)) {
                    Some(slot) => *slot = value,
                    None => return Value::INTERNAL,
                }
            }};
        }
        // Sets a slot to what an instruction gives that may fail by itself.
        macro_rules! checked {
            ($slot:expr, |$($operand:ident),*| $outcome:expr) => {
                set!($slot, |$($operand),*| {
                    let outcome: Outcome = $outcome;
                    outcome.unwrap_or_else(|kind| fault(image, pc, kind))
                })
            };
        }
        macro_rules! memory {
            () => {
                reading(image, store, &local.heap)
            };
        }
        macro_rules! maker {
            () => {
                Maker::new(image, store, &mut local.heap, buffers)
            };
        }
        macro_rules! make {
            ($out:expr, $first:expr, $count:expr, $shape:expr) => {{
                let first = base + usize::from($first.0);
                let Some(slots) = stack.get(first..first + $count as usize) else { return Value::INTERNAL };
                set!($out, collections::make(maker!(), slots, $shape))
            }};
        }
        macro_rules! enter {
            ($out:expr, $callee:expr, $kept:expr) => {{
                if frames.len() >= CALL_DEPTH_MAX as usize {
                    return Value::INTERNAL;
                }
                frames.push(Frame { pc: pc as u32, base: base as u32, slots, out: $out, memo: $kept });
                base += usize::from(slots);
                slots = $callee.slots;
                if base + usize::from(slots) > stack.len() {
                    return Value::INTERNAL;
                }
                pc = $callee.start as usize;
            }};
        }

        loop {
            let Some(&op) = code.get(pc) else { return Value::INTERNAL };
            pc += 1;
            meter.step(op);
            match op {
                Op::Move { a, b } => set!(a, |b| b),
                Op::Const { a, k } => set!(a, image.constant(k)),
                Op::Read { a, i } => set!(a, inputs.get(i as usize).copied().unwrap_or(Value::INTERNAL)),
                Op::Raise { a, b } => set!(a, |b| failed(&[b])),
                Op::Unwrap { a, b } => checked!(a, |b| logic::unwrap(b)),
                Op::IsPresent { a, b } => set!(a, |b| logic::is_present(b)),

                Op::Jump { to } => pc = to as usize,
                Op::JumpTrue { a, to } => {
                    if let Value::Bool(true) = get!(a) {
                        pc = to as usize;
                    }
                }
                Op::JumpFalse { a, to } => {
                    if let Value::Bool(false) = get!(a) {
                        pc = to as usize;
                    }
                }
                Op::JumpError { a, to } => {
                    if get!(a).is_error() {
                        pc = to as usize;
                    }
                }
                Op::JumpAbsent { a, to } => {
                    if let Value::Absent = get!(a) {
                        pc = to as usize;
                    }
                }
                Op::Switch { a, s } => match target(image, get!(a), s) {
                    Some(to) => pc = to as usize,
                    None => return Value::INTERNAL,
                },
                Op::Return { a } => {
                    let value = get!(a);
                    let Some(frame) = frames.pop() else { return value };
                    if let Some(kept) = memo.get_mut(frame.memo as usize) {
                        *kept = (*decision, value);
                    }
                    pc = frame.pc as usize;
                    base = frame.base as usize;
                    slots = frame.slots;
                    set!(frame.out, value);
                }
                Op::Call { a, b, f } => {
                    let Some(callee) = image.function(FunctionId(f.get())) else { return Value::INTERNAL };
                    let first = base + usize::from(b.0);
                    let arguments = first..first + usize::from(callee.parameters);
                    let to = base + usize::from(slots);
                    if arguments.end > stack.len() || to + usize::from(callee.parameters) > stack.len() {
                        return Value::INTERNAL;
                    }
                    stack.copy_within(arguments, to);
                    enter!(a, callee, u32::MAX);
                }
                Op::Force { a, f } => {
                    let Some(callee) = image.function(FunctionId(f)) else { return Value::INTERNAL };
                    match memo.get(callee.memo as usize) {
                        Some(&(kept, value)) if kept == *decision => set!(a, value),
                        _ => enter!(a, callee, callee.memo),
                    }
                }
                Op::Iterate { a, b } => set!(a, |b| collections::iterate(b)),
                Op::Next { a, to } => {
                    let Value::Iterator(mut iter) = get!(a) else { return failed(&[get!(a)]) };
                    if iter.at >= iter.end {
                        pc = to as usize;
                    } else {
                        iter.at += u32::from(iter.stride);
                        set!(a, Value::Iterator(iter));
                    }
                }
                Op::Element { a, b } => set!(a, |b| collections::element(memory!(), b)),
                Op::Loop { to } => pc = to as usize,

                Op::And { a, b, c } => set!(a, |b, c| logic::and(b, c)),
                Op::Or { a, b, c } => set!(a, |b, c| logic::or(b, c)),
                Op::Not { a, b } => set!(a, |b| logic::not(b)),
                Op::CountIf { a, b, c } => set!(a, |b, c| logic::count_if(b, c)),

                Op::Equal { a, b, c } => set!(a, |b, c| logic::equal(memory!(), b, c)),
                Op::EqualConst { a, b, k } => set!(a, |b| logic::equal(memory!(), b, image.constant(k.get()))),
                Op::NotEqual { a, b, c } => set!(a, |b, c| logic::not_equal(memory!(), b, c)),
                Op::Less { a, b, c } => {
                    set!(a, |b, c| logic::ordered(memory!(), b, c, std::cmp::Ordering::is_lt));
                }
                Op::LessEqual { a, b, c } => {
                    set!(a, |b, c| logic::ordered(memory!(), b, c, std::cmp::Ordering::is_le));
                }

                Op::IntAdd { a, b, c } => checked!(a, |b, c| int::binary(b, c, int::int_add)),
                Op::IntSubtract { a, b, c } => checked!(a, |b, c| int::binary(b, c, int::int_sub)),
                Op::IntMultiply { a, b, c } => checked!(a, |b, c| int::binary(b, c, int::int_mul)),
                Op::IntDivide { a, b, k } => {
                    checked!(a, |b| int::binary(b, image.constant(k.get()), int::int_div));
                }
                Op::IntNegate { a, b } => checked!(a, |b| int::unary(b, int::int_neg)),
                Op::IntAbs { a, b } => checked!(a, |b| int::unary(b, int::int_abs)),
                Op::IntMin { a, b, c } => set!(a, |b, c| int::choose(b, c, Ord::min)),
                Op::IntMax { a, b, c } => set!(a, |b, c| int::choose(b, c, Ord::max)),
                Op::IntToDecimal { a, b } => checked!(a, |b| int::to_decimal(b)),

                Op::DecimalAdd { a, b, c } => checked!(a, |b, c| decimal::binary(b, c, Decimal::checked_add)),
                Op::DecimalSubtract { a, b, c } => {
                    checked!(a, |b, c| decimal::binary(b, c, Decimal::checked_sub));
                }
                Op::DecimalMultiply { a, b, c } => {
                    checked!(a, |b, c| decimal::binary(b, c, Decimal::checked_mul));
                }
                Op::DecimalDivide { a, b, k } => {
                    checked!(a, |b| decimal::binary(b, image.constant(k.get()), Decimal::checked_div_const));
                }
                Op::DecimalNegate { a, b } => checked!(a, |b| decimal::unary(b, Decimal::checked_neg)),
                Op::DecimalAbs { a, b } => checked!(a, |b| decimal::unary(b, Decimal::checked_abs)),
                Op::DecimalMin { a, b, c } => set!(a, |b, c| decimal::choose(b, c, Ord::min)),
                Op::DecimalTruncate { a, b } => set!(a, |b| decimal::truncate(b)),
                Op::DecimalMax { a, b, c } => set!(a, |b, c| decimal::choose(b, c, Ord::max)),

                Op::DurationAdd { a, b, c } => checked!(a, |b, c| time::durations(b, c, Duration::checked_add)),
                Op::DurationSubtract { a, b, c } => {
                    checked!(a, |b, c| time::durations(b, c, Duration::checked_sub));
                }
                Op::DurationMultiply { a, b, c } => checked!(a, |b, c| time::duration_multiply(b, c)),
                Op::DurationNegate { a, b } => checked!(a, |b| time::duration_negate(b)),
                Op::TimestampAdd { a, b, c } => checked!(a, |b, c| time::shift(b, c, Timestamp::checked_add)),
                Op::TimestampSubtract { a, b, c } => {
                    checked!(a, |b, c| time::shift(b, c, Timestamp::checked_sub));
                }
                Op::TimestampDifference { a, b, c } => set!(a, |b, c| time::difference(b, c)),
                Op::TimestampYear { a, b } => set!(a, |b| time::part(b, |parts| parts.year.into())),
                Op::TimestampMonth { a, b } => set!(a, |b| time::part(b, |parts| parts.month.into())),
                Op::TimestampDay { a, b } => set!(a, |b| time::part(b, |parts| parts.day.into())),
                Op::TimestampHour { a, b } => set!(a, |b| time::part(b, |parts| parts.hour.into())),
                Op::TimestampMinute { a, b } => set!(a, |b| time::part(b, |parts| parts.minute.into())),
                Op::TimestampSecond { a, b } => set!(a, |b| time::part(b, |parts| parts.second.into())),
                Op::TimestampWeekday { a, b } => set!(a, |b| time::part(b, |parts| parts.weekday.into())),

                Op::StringLength { a, b } => set!(a, |b| text::length(memory!(), b)),
                Op::StringStartsWith { a, b, c } => {
                    set!(a, |b, c| text::test(memory!(), b, c, |whole, part| whole.starts_with(part)));
                }
                Op::StringEndsWith { a, b, c } => {
                    set!(a, |b, c| text::test(memory!(), b, c, |whole, part| whole.ends_with(part)));
                }
                Op::StringContains { a, b, c } => {
                    set!(a, |b, c| text::test(memory!(), b, c, |whole, part| whole.contains(part)));
                }
                Op::Matches { a, b, p } => set!(a, |b| text::matches(image, memory!(), b, p.get())),

                Op::IpInNet { a, b, c } => set!(a, |b, c| net::ip_in_net(memory!(), b, c)),
                Op::NetInNet { a, b, c } => set!(a, |b, c| net::net_in_net(memory!(), b, c)),
                Op::IpIsLoopback { a, b } => set!(a, |b| net::ip_test(memory!(), b, IpAddr::is_loopback)),
                Op::IpIsPrivate { a, b } => set!(a, |b| net::ip_test(memory!(), b, IpAddr::is_private)),
                Op::IpIsLinkLocal { a, b } => set!(a, |b| net::ip_test(memory!(), b, IpAddr::is_link_local)),
                Op::IpIsMulticast { a, b } => set!(a, |b| net::ip_test(memory!(), b, IpAddr::is_multicast)),
                Op::IpIsUnspecified { a, b } => set!(a, |b| net::ip_test(memory!(), b, IpAddr::is_unspecified)),
                Op::IpIsGlobal { a, b } => set!(a, |b| net::ip_test(memory!(), b, IpAddr::is_global)),
                Op::IpIsV6 { a, b } => set!(a, |b| net::ip_test(memory!(), b, IpAddr::is_v6)),
                Op::UrlScheme { a, b } => set!(a, |b| net::url_part(maker!(), b, |url| Some(url.scheme()))),
                Op::UrlHost { a, b } => set!(a, |b| net::url_part(maker!(), b, |url| Some(url.host()))),
                Op::UrlPort { a, b } => set!(a, |b| net::url_port(memory!(), b)),
                Op::UrlPath { a, b } => set!(a, |b| net::url_part(maker!(), b, |url| Some(url.path()))),
                Op::UrlQuery { a, b } => set!(a, |b| net::url_part(maker!(), b, |url| url.query())),
                Op::UrlFragment { a, b } => set!(a, |b| net::url_part(maker!(), b, |url| url.fragment())),
                Op::UrlHasCredentials { a, b } => set!(a, |b| net::url_has_credentials(memory!(), b)),
                Op::UrlHostAddress { a, b } => set!(a, |b| net::url_host_address(maker!(), b)),
                Op::UrlInUrl { a, b, c } => set!(a, |b, c| net::url_in_url(memory!(), b, c)),
                Op::UrlHostInDomain { a, b, c } => set!(a, |b, c| net::url_host_in_domain(memory!(), b, c)),
                Op::UrlText { a, b } => set!(a, |b| net::url_text(memory!(), b)),
                Op::PathInPath { a, b, c } => set!(a, |b, c| net::path_in_path(memory!(), b, c)),
                Op::PathName { a, b } => set!(a, |b| net::path_part(maker!(), b, |text| Some(path::name(text)))),
                Op::PathExtension { a, b } => set!(a, |b| net::path_part(maker!(), b, path::extension)),
                Op::PathParent { a, b } => set!(a, |b| net::path_parent(maker!(), b)),
                Op::PathText { a, b } => set!(a, |b| net::path_text(b)),
                Op::PathDepth { a, b } => set!(a, |b| net::path_depth(memory!(), b)),

                Op::Size { a, b } => set!(a, |b| collections::size(b)),
                Op::Contains { a, b, c } => set!(a, |b, c| collections::contains(memory!(), b, c)),
                Op::ContainsConst { a, b, k } => {
                    set!(a, |b| collections::contains(memory!(), b, image.constant(k.get())));
                }
                Op::InConst { a, b, k } => {
                    set!(a, |b| collections::contains(memory!(), image.constant(k.get()), b));
                }
                Op::MapHasKey { a, b, c } => set!(a, |b, c| collections::map_has_key(memory!(), b, c)),
                Op::ContainsAll { a, b, c } => set!(a, |b, c| collections::contains_all(memory!(), b, c)),
                Op::ContainsAny { a, b, c } => set!(a, |b, c| collections::contains_any(memory!(), b, c)),
                Op::SetUnion { a, b, c } => {
                    checked!(a, |b, c| collections::merge(maker!(), b, c, Keep::Either));
                }
                Op::SetIntersect { a, b, c } => {
                    checked!(a, |b, c| collections::merge(maker!(), b, c, Keep::Both));
                }
                Op::SetExcept { a, b, c } => checked!(a, |b, c| collections::merge(maker!(), b, c, Keep::First)),
                Op::ListGet { a, b, c } => set!(a, |b, c| collections::list_get(memory!(), b, c)),
                Op::MapGet { a, b, c } => set!(a, |b, c| collections::map_get(memory!(), b, c)),
                Op::MakeSet { a, b, n } => make!(a, b, n, Shape::Set),
                Op::MakeList { a, b, n } => make!(a, b, n, Shape::List),
                Op::MakeMap { a, b, n } => make!(a, b, u32::from(n) * 2, Shape::Map),
                Op::MakeRecord { a, b, r } => {
                    let Some(record) = image.program.schema.records.get(r.get() as usize) else {
                        return Value::INTERNAL;
                    };
                    make!(a, b, record.fields.len(), Shape::Record);
                }
                Op::Field { a, b, n } => set!(a, |b| collections::field(memory!(), b, n)),

                Op::Graph { a } => set!(a, graph::EMPTY),
                Op::Link { a, b, c } => {
                    let (before, node, edges) = (get!(a), get!(b), get!(c));
                    set!(a, graph::link(maker!(), before, node, edges));
                }
                Op::Acyclic { a, b } => set!(a, |b| graph::is_acyclic(memory!(), b, &mut buffers.graph)),

                Op::Attribute { a, b, s } => {
                    set!(a, |b| entities::attribute(image, store, local, b, s.get()));
                }
                Op::EntityId { a, b } => set!(a, |b| entities::id(b)),
                Op::EntityIn { a, b, c } => set!(a, |b, c| entities::is_in(store, memory!(), b, c)),
                Op::EntityInAny { a, b, c } => set!(a, |b, c| entities::is_in_any(store, memory!(), b, c)),
                Op::Narrow { a, b, t } => checked!(a, |b| entities::narrow(image, b, t.get())),
                Op::IsType { a, b, t } => set!(a, |b| entities::is_type(image, b, t.get())),
                Op::StepsTo { a, b, c } => set!(a, |b, c| entities::steps_to(image, b, c)),
            }
        }
    }
}

/// An error of the instruction before `pc`.
#[cold]
fn fault(image: &Image, pc: usize, kind: FaultKind) -> Value {
    Value::Error(Fault { site: image.site(pc as u32 - 1), kind })
}

/// Where a jump table leads.
#[inline]
fn target(image: &Image, value: Value, table: u32) -> Option<u32> {
    let targets = &image.program.switches.get(table as usize)?.targets;
    match value {
        Value::Enum(variant) if (variant.at as usize) + 1 < targets.len() => targets.get(variant.at as usize).copied(),
        Value::Error(_) => targets.last().copied(),
        _ => None,
    }
}
