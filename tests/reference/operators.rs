//! The builtin operations on values that are no errors, and Kleene's logic on those that may be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pdl::base::limits::COLLECTION_MAX;
use pdl::data::arithmetic::{ArithmeticError, int_abs, int_add, int_div, int_mul, int_neg, int_sub};
use pdl::data::decimal::Decimal;
use pdl::data::duration::Duration;
use pdl::data::ip::{IpAddr, IpNet};
use pdl::data::path::{self, Path};
use pdl::data::timestamp::{Parts, Timestamp};
use pdl::data::url::{self, Url};
use pdl::types::operator::Operator;

use crate::reference::value::{Entity, FaultKind, Outcome, Value};
use crate::reference::world::World;

/// False if one is; else the error that counts; else true.
pub fn kleene_and(left: Outcome, right: Outcome) -> Outcome {
    join(left, right, false)
}

/// True if one is; else the error that counts; else false.
pub fn kleene_or(left: Outcome, right: Outcome) -> Outcome {
    join(left, right, true)
}

fn join(left: Outcome, right: Outcome, settles: bool) -> Outcome {
    let settled = Ok(Value::Bool(settles));
    if left == settled || right == settled {
        return settled;
    }
    match (left, right) {
        (Err(left), Err(right)) => Err(left.earlier(right)),
        (Err(fault), Ok(_)) | (Ok(_), Err(fault)) => Err(fault),
        (Ok(_), Ok(_)) => Ok(Value::Bool(!settles)),
    }
}

/// What an operand is, as Rust has it.
trait Take {
    fn take(value: &Value) -> &Self;
}

macro_rules! take {
    ($($variant:ident $ty:ty),*) => {$(
        impl Take for $ty {
            fn take(value: &Value) -> &$ty {
                match value {
                    Value::$variant(value) => value,
                    other => panic!("{other:?} is not of type {}", stringify!($variant)),
                }
            }
        }
    )*};
}

take!(Bool bool, Int i64, Decimal Decimal, String Arc<str>, Duration Duration, Timestamp Timestamp, Ip IpAddr, Net IpNet,
      Url Url, Path Path, Entity Entity, Set BTreeSet<Value>, List Vec<Value>, Map BTreeMap<Arc<str>, Value>);

fn text(text: &str) -> Value {
    Value::String(text.into())
}

fn perhaps(value: Option<Value>) -> Value {
    value.unwrap_or(Value::Absent)
}

fn checked<T>(value: Result<T, ArithmeticError>, wrap: fn(T) -> Value) -> Result<Value, FaultKind> {
    value.map(wrap).map_err(FaultKind::from)
}

/// Applies an operation, logic excepted.
pub fn apply(world: &World, operator: Operator, operands: &[Value]) -> Result<Value, FaultKind> {
    use Operator as O;

    let first = &operands[0];
    let second = operands.get(1).unwrap_or(first);
    fn at<T: Take>(value: &Value) -> &T {
        T::take(value)
    }
    macro_rules! one {
        ($ty:ty, $apply:expr) => {{
            let apply: fn(&$ty) -> _ = $apply;
            apply(at::<$ty>(first))
        }};
    }
    macro_rules! two {
        ($left:ty, $right:ty, $apply:expr) => {{
            let apply: fn(&$left, &$right) -> _ = $apply;
            apply(at::<$left>(first), at::<$right>(second))
        }};
    }
    let part = |of: fn(&Parts) -> i64| Value::Int(of(&at::<Timestamp>(first).parts()));
    Ok(match operator {
        O::And | O::Or | O::Implies => unreachable!("logic is evaluated elsewhere"),
        O::Not => Value::Bool(!*at::<bool>(first)),

        O::Equal => Value::Bool(first == second),
        O::NotEqual => Value::Bool(first != second),
        O::Less => Value::Bool(first < second),
        O::LessEqual => Value::Bool(first <= second),
        O::Greater => Value::Bool(first > second),
        O::GreaterEqual => Value::Bool(first >= second),

        O::IntAdd => checked(two!(i64, i64, |a, b| int_add(*a, *b)), Value::Int)?,
        O::IntSubtract => checked(two!(i64, i64, |a, b| int_sub(*a, *b)), Value::Int)?,
        O::IntMultiply => checked(two!(i64, i64, |a, b| int_mul(*a, *b)), Value::Int)?,
        O::IntDivide => checked(two!(i64, i64, |a, b| int_div(*a, *b)), Value::Int)?,
        O::IntNegate => checked(one!(i64, |a| int_neg(*a)), Value::Int)?,
        O::IntAbs => checked(one!(i64, |a| int_abs(*a)), Value::Int)?,
        O::IntMin | O::DecimalMin => first.min(second).clone(),
        O::IntMax | O::DecimalMax => first.max(second).clone(),
        O::DecimalTruncate => Value::Int(one!(Decimal, |a| a.truncate())),
        O::IntToDecimal => checked(one!(i64, |a| Decimal::from_int(*a)), Value::Decimal)?,

        O::DecimalAdd => checked(two!(Decimal, Decimal, |a, b| a.checked_add(*b)), Value::Decimal)?,
        O::DecimalSubtract => checked(two!(Decimal, Decimal, |a, b| a.checked_sub(*b)), Value::Decimal)?,
        O::DecimalMultiply => checked(two!(Decimal, Decimal, |a, b| a.checked_mul(*b)), Value::Decimal)?,
        O::DecimalDivide => checked(two!(Decimal, Decimal, |a, b| a.checked_div_const(*b)), Value::Decimal)?,
        O::DecimalNegate => checked(one!(Decimal, |a| a.checked_neg()), Value::Decimal)?,
        O::DecimalAbs => checked(one!(Decimal, |a| a.checked_abs()), Value::Decimal)?,

        O::DurationAdd => checked(two!(Duration, Duration, |a, b| a.checked_add(*b)), Value::Duration)?,
        O::DurationSubtract => checked(two!(Duration, Duration, |a, b| a.checked_sub(*b)), Value::Duration)?,
        O::DurationMultiply => checked(two!(Duration, i64, |a, b| a.checked_mul(*b)), Value::Duration)?,
        O::DurationNegate => checked(one!(Duration, |a| a.checked_neg()), Value::Duration)?,
        O::TimestampAdd => checked(two!(Timestamp, Duration, |a, b| a.checked_add(*b)), Value::Timestamp)?,
        O::TimestampSubtract => checked(two!(Timestamp, Duration, |a, b| a.checked_sub(*b)), Value::Timestamp)?,
        O::TimestampDifference => Value::Duration(two!(Timestamp, Timestamp, |a, b| a.since(*b))),
        O::TimestampYear => part(|parts| parts.year.into()),
        O::TimestampMonth => part(|parts| parts.month.into()),
        O::TimestampDay => part(|parts| parts.day.into()),
        O::TimestampHour => part(|parts| parts.hour.into()),
        O::TimestampMinute => part(|parts| parts.minute.into()),
        O::TimestampSecond => part(|parts| parts.second.into()),
        O::TimestampWeekday => part(|parts| parts.weekday.into()),

        O::StringLength => Value::Int(one!(Arc<str>, |a| a.chars().count() as i64)),
        O::StringStartsWith => Value::Bool(two!(Arc<str>, Arc<str>, |a, b| a.starts_with(&**b))),
        O::StringEndsWith => Value::Bool(two!(Arc<str>, Arc<str>, |a, b| a.ends_with(&**b))),
        O::StringContains => Value::Bool(two!(Arc<str>, Arc<str>, |a, b| a.contains(&**b))),

        O::IpInNet => Value::Bool(two!(IpAddr, IpNet, |a, b| b.contains(*a))),
        O::NetInNet => Value::Bool(two!(IpNet, IpNet, |a, b| b.contains_net(*a))),
        O::IpIsLoopback => Value::Bool(one!(IpAddr, |a| a.is_loopback())),
        O::IpIsPrivate => Value::Bool(one!(IpAddr, |a| a.is_private())),
        O::IpIsLinkLocal => Value::Bool(one!(IpAddr, |a| a.is_link_local())),
        O::IpIsMulticast => Value::Bool(one!(IpAddr, |a| a.is_multicast())),
        O::IpIsUnspecified => Value::Bool(one!(IpAddr, |a| a.is_unspecified())),
        O::IpIsGlobal => Value::Bool(one!(IpAddr, |a| a.is_global())),
        O::IpIsV6 => Value::Bool(one!(IpAddr, |a| a.is_v6())),

        O::UrlScheme => text(at::<Url>(first).view().scheme()),
        O::UrlHost => text(at::<Url>(first).view().host()),
        O::UrlPort => perhaps(at::<Url>(first).view().effective_port().map(|port| Value::Int(port.into()))),
        O::UrlPath => text(at::<Url>(first).view().path()),
        O::UrlQuery => perhaps(at::<Url>(first).view().query().map(text)),
        O::UrlFragment => perhaps(at::<Url>(first).view().fragment().map(text)),
        O::UrlHasCredentials => Value::Bool(at::<Url>(first).view().has_credentials()),
        O::UrlHostAddress => perhaps(at::<Url>(first).view().ip().map(Value::Ip)),
        O::UrlInUrl => Value::Bool(two!(Url, Url, |a, b| url::is_within(a.view(), b.view()))),
        O::UrlHostInDomain => Value::Bool(two!(Url, Arc<str>, |a, b| a.view().host_in_domain(b))),
        O::UrlText => text(at::<Url>(first).as_str()),
        O::PathInPath => Value::Bool(two!(Path, Path, |a, b| path::is_within(a.as_str(), b.as_str()))),
        O::PathName => text(path::name(at::<Path>(first).as_str())),
        O::PathExtension => perhaps(path::extension(at::<Path>(first).as_str()).map(text)),
        O::PathParent => {
            let parent = path::parent(at::<Path>(first).as_str());
            perhaps(parent.map(|parent| Value::Path(Path::parse(parent).expect("a path's parent is one"))))
        }
        O::PathText => text(at::<Path>(first).as_str()),
        O::PathDepth => Value::Int(path::components(at::<Path>(first).as_str()).count() as i64),

        O::Size => Value::Int(match first {
            Value::Set(items) => items.len(),
            Value::List(items) => items.len(),
            Value::Map(items) => items.len(),
            _ => unreachable!("only collections have a size"),
        } as i64),
        O::Contains => Value::Bool(match first {
            Value::Set(items) => items.contains(second),
            Value::List(items) => items.contains(second),
            _ => unreachable!("only sets and lists contain elements"),
        }),
        O::MapHasKey => Value::Bool(two!(BTreeMap<Arc<str>, Value>, Arc<str>, |a, b| a.contains_key(b))),
        O::ContainsAll => Value::Bool(two!(BTreeSet<Value>, BTreeSet<Value>, |a, b| b.is_subset(a))),
        O::ContainsAny => Value::Bool(two!(BTreeSet<Value>, BTreeSet<Value>, |a, b| !a.is_disjoint(b))),
        O::SetUnion => {
            let union: BTreeSet<Value> = two!(BTreeSet<Value>, BTreeSet<Value>, |a, b| a.union(b).cloned().collect());
            if union.len() > COLLECTION_MAX as usize {
                return Err(FaultKind::TooManyElements);
            }
            Value::Set(union)
        }
        O::SetIntersect => {
            Value::Set(two!(BTreeSet<Value>, BTreeSet<Value>, |a, b| a.intersection(b).cloned().collect()))
        }
        O::SetExcept => Value::Set(two!(BTreeSet<Value>, BTreeSet<Value>, |a, b| a.difference(b).cloned().collect())),
        O::ListGet => {
            perhaps(two!(Vec<Value>, i64, |a, b| { usize::try_from(*b).ok().and_then(|at| a.get(at)).cloned() }))
        }
        O::MapGet => perhaps(two!(BTreeMap<Arc<str>, Value>, Arc<str>, |a, b| a.get(b).cloned())),

        O::EntityId => text(&at::<Entity>(first).id),
        O::EntityIn => Value::Bool(world.is_in(at::<Entity>(first), at::<Entity>(second))),
        O::EntityInAny => {
            let one = at::<Entity>(first);
            Value::Bool(at::<BTreeSet<Value>>(second).iter().any(|other| world.is_in(one, at::<Entity>(other))))
        }
    })
}
