//! Constant folding: the value of an operator on constants, by the very functions that the machine uses.
//!
//! What needs to know more than its operands (where an entity lies in the hierarchy) is not folded.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::data::arithmetic::{self, ArithmeticError};
use crate::data::decimal::Decimal;
use crate::data::{path, url};
use crate::types::operator::Operator;
use crate::types::typed::Const;

/// The value, or why there is none; `None` where constants alone don't tell.
#[must_use]
pub fn operate(operator: Operator, operands: &[Const]) -> Option<Result<Const, ArithmeticError>> {
    use Operator as Op;
    if let [left, right] = operands
        && let Some(value) = comparison(operator, left, right)
    {
        return Some(Ok(Const::Bool(value)));
    }
    match operands {
        [Const::Bool(value)] if operator == Op::Not => Some(Ok(Const::Bool(!value))),
        [Const::Bool(left), Const::Bool(right)] => logic(operator, *left, *right).map(|value| Ok(Const::Bool(value))),
        [Const::Int(value)] => int(operator, *value),
        [Const::Int(left), Const::Int(right)] => ints(operator, *left, *right).map(|value| value.map(Const::Int)),
        [Const::Decimal(value)] => match operator {
            Op::DecimalNegate => Some(value.checked_neg().map(Const::Decimal)),
            Op::DecimalAbs => Some(value.checked_abs().map(Const::Decimal)),
            Op::DecimalTruncate => Some(Ok(Const::Int(value.truncate()))),
            _ => None,
        },
        [Const::Decimal(left), Const::Decimal(right)] => {
            decimals(operator, *left, *right).map(|value| value.map(Const::Decimal))
        }
        [Const::Duration(..) | Const::Timestamp(..), ..] => times(operator, operands),
        [Const::String(..), ..] => texts(operator, operands).map(Ok),
        [Const::Ip(..) | Const::Net(..), ..] => addresses(operator, operands).map(Ok),
        [Const::Url(..), ..] => urls(operator, operands).map(Ok),
        [Const::Path(..), ..] => paths(operator, operands).map(Ok),
        [Const::Set(..) | Const::List(..) | Const::Map(..), ..] => collections(operator, operands).map(Ok),
        [Const::Entity(_, id)] if operator == Op::EntityId => Some(Ok(Const::String(id.clone()))),
        _ => None,
    }
}

fn comparison(operator: Operator, left: &Const, right: &Const) -> Option<bool> {
    let order = || left.cmp(right);
    match operator {
        Operator::Equal => Some(left == right),
        Operator::NotEqual => Some(left != right),
        Operator::Less => Some(order() == Ordering::Less),
        Operator::LessEqual => Some(order() != Ordering::Greater),
        Operator::Greater => Some(order() == Ordering::Greater),
        Operator::GreaterEqual => Some(order() != Ordering::Less),
        _ => None,
    }
}

fn logic(operator: Operator, left: bool, right: bool) -> Option<bool> {
    match operator {
        Operator::And => Some(left && right),
        Operator::Or => Some(left || right),
        Operator::Implies => Some(!left || right),
        _ => None,
    }
}

fn int(operator: Operator, value: i64) -> Option<Result<Const, ArithmeticError>> {
    match operator {
        Operator::IntNegate => Some(arithmetic::int_neg(value).map(Const::Int)),
        Operator::IntAbs => Some(arithmetic::int_abs(value).map(Const::Int)),
        Operator::IntToDecimal => Some(Decimal::from_int(value).map(Const::Decimal)),
        _ => None,
    }
}

fn ints(operator: Operator, left: i64, right: i64) -> Option<Result<i64, ArithmeticError>> {
    match operator {
        Operator::IntAdd => Some(arithmetic::int_add(left, right)),
        Operator::IntSubtract => Some(arithmetic::int_sub(left, right)),
        Operator::IntMultiply => Some(arithmetic::int_mul(left, right)),
        Operator::IntDivide => Some(arithmetic::int_div(left, right)),
        Operator::IntMin => Some(Ok(left.min(right))),
        Operator::IntMax => Some(Ok(left.max(right))),
        _ => None,
    }
}

fn decimals(operator: Operator, left: Decimal, right: Decimal) -> Option<Result<Decimal, ArithmeticError>> {
    match operator {
        Operator::DecimalAdd => Some(left.checked_add(right)),
        Operator::DecimalSubtract => Some(left.checked_sub(right)),
        Operator::DecimalMultiply => Some(left.checked_mul(right)),
        Operator::DecimalDivide => Some(left.checked_div_const(right)),
        Operator::DecimalMin => Some(Ok(left.min(right))),
        Operator::DecimalMax => Some(Ok(left.max(right))),
        _ => None,
    }
}

fn times(operator: Operator, operands: &[Const]) -> Option<Result<Const, ArithmeticError>> {
    use Operator as Op;
    Some(match (operator, operands) {
        (Op::DurationAdd, [Const::Duration(left), Const::Duration(right)]) => {
            left.checked_add(*right).map(Const::Duration)
        }
        (Op::DurationSubtract, [Const::Duration(left), Const::Duration(right)]) => {
            left.checked_sub(*right).map(Const::Duration)
        }
        (Op::DurationMultiply, [Const::Duration(left), Const::Int(right)]) => {
            left.checked_mul(*right).map(Const::Duration)
        }
        (Op::DurationNegate, [Const::Duration(value)]) => value.checked_neg().map(Const::Duration),
        (Op::TimestampAdd, [Const::Timestamp(left), Const::Duration(right)]) => {
            left.checked_add(*right).map(Const::Timestamp)
        }
        (Op::TimestampSubtract, [Const::Timestamp(left), Const::Duration(right)]) => {
            left.checked_sub(*right).map(Const::Timestamp)
        }
        (Op::TimestampDifference, [Const::Timestamp(left), Const::Timestamp(right)]) => {
            Ok(Const::Duration(left.since(*right)))
        }
        (_, [Const::Timestamp(value)]) => {
            let parts = value.parts();
            Ok(Const::Int(match operator {
                Op::TimestampYear => i64::from(parts.year),
                Op::TimestampMonth => i64::from(parts.month),
                Op::TimestampDay => i64::from(parts.day),
                Op::TimestampHour => i64::from(parts.hour),
                Op::TimestampMinute => i64::from(parts.minute),
                Op::TimestampSecond => i64::from(parts.second),
                Op::TimestampWeekday => i64::from(parts.weekday),
                _ => return None,
            }))
        }
        _ => return None,
    })
}

fn texts(operator: Operator, operands: &[Const]) -> Option<Const> {
    match (operator, operands) {
        (Operator::StringLength, [Const::String(text)]) => Some(count(text.chars().count())),
        (Operator::StringStartsWith, [Const::String(text), Const::String(part)]) => {
            Some(Const::Bool(text.starts_with(&**part)))
        }
        (Operator::StringEndsWith, [Const::String(text), Const::String(part)]) => {
            Some(Const::Bool(text.ends_with(&**part)))
        }
        (Operator::StringContains, [Const::String(text), Const::String(part)]) => {
            Some(Const::Bool(text.contains(&**part)))
        }
        _ => None,
    }
}

fn addresses(operator: Operator, operands: &[Const]) -> Option<Const> {
    Some(Const::Bool(match (operator, operands) {
        (Operator::IpInNet, [Const::Ip(ip), Const::Net(net)]) => net.contains(*ip),
        (Operator::NetInNet, [Const::Net(inner), Const::Net(outer)]) => outer.contains_net(*inner),
        (Operator::IpIsLoopback, [Const::Ip(ip)]) => ip.is_loopback(),
        (Operator::IpIsPrivate, [Const::Ip(ip)]) => ip.is_private(),
        (Operator::IpIsLinkLocal, [Const::Ip(ip)]) => ip.is_link_local(),
        (Operator::IpIsMulticast, [Const::Ip(ip)]) => ip.is_multicast(),
        (Operator::IpIsUnspecified, [Const::Ip(ip)]) => ip.is_unspecified(),
        (Operator::IpIsGlobal, [Const::Ip(ip)]) => ip.is_global(),
        (Operator::IpIsV6, [Const::Ip(ip)]) => ip.is_v6(),
        _ => return None,
    }))
}

fn urls(operator: Operator, operands: &[Const]) -> Option<Const> {
    match operands {
        [Const::Url(url)] => {
            let view = url.view();
            Some(match operator {
                Operator::UrlScheme => text(view.scheme()),
                Operator::UrlHost => text(view.host()),
                Operator::UrlPort => view.effective_port().map_or(Const::Absent, |port| Const::Int(i64::from(port))),
                Operator::UrlPath => text(view.path()),
                Operator::UrlQuery => view.query().map_or(Const::Absent, text),
                Operator::UrlFragment => view.fragment().map_or(Const::Absent, text),
                Operator::UrlHasCredentials => Const::Bool(view.has_credentials()),
                Operator::UrlHostAddress => view.ip().map_or(Const::Absent, Const::Ip),
                Operator::UrlText => text(view.as_str()),
                _ => return None,
            })
        }
        [Const::Url(inner), Const::Url(outer)] if operator == Operator::UrlInUrl => {
            Some(Const::Bool(url::is_within(inner.view(), outer.view())))
        }
        [Const::Url(url), Const::String(domain)] if operator == Operator::UrlHostInDomain => {
            Some(Const::Bool(url.view().host_in_domain(domain)))
        }
        _ => None,
    }
}

fn paths(operator: Operator, operands: &[Const]) -> Option<Const> {
    match operands {
        [Const::Path(path)] => Some(match operator {
            Operator::PathName => text(path::name(path.as_str())),
            Operator::PathExtension => path::extension(path.as_str()).map_or(Const::Absent, text),
            Operator::PathParent => match path::parent(path.as_str()) {
                Some(parent) => Const::Path(path::Path::parse(parent).ok()?),
                None => Const::Absent,
            },
            Operator::PathText => text(path.as_str()),
            Operator::PathDepth => count(path::components(path.as_str()).count()),
            _ => return None,
        }),
        [Const::Path(inner), Const::Path(outer)] if operator == Operator::PathInPath => {
            Some(Const::Bool(path::is_within(inner.as_str(), outer.as_str())))
        }
        _ => None,
    }
}

fn collections(operator: Operator, operands: &[Const]) -> Option<Const> {
    use Operator as Op;
    Some(match (operator, operands) {
        (Op::Size, [Const::Set(items) | Const::List(items)]) => count(items.len()),
        (Op::Size, [Const::Map(entries)]) => count(entries.len()),
        (Op::Contains, [Const::Set(items), item]) => Const::Bool(items.binary_search(item).is_ok()),
        (Op::Contains, [Const::List(items), item]) => Const::Bool(items.contains(item)),
        (Op::MapHasKey, [Const::Map(entries), Const::String(key)]) => Const::Bool(entry(entries, key).is_some()),
        (Op::MapGet, [Const::Map(entries), Const::String(key)]) => {
            entry(entries, key).cloned().unwrap_or(Const::Absent)
        }
        (Op::ListGet, [Const::List(items), Const::Int(at)]) => {
            usize::try_from(*at).ok().and_then(|at| items.get(at)).cloned().unwrap_or(Const::Absent)
        }
        (_, [Const::Set(left), Const::Set(right)]) => {
            let left: BTreeSet<&Const> = left.iter().collect();
            let right: BTreeSet<&Const> = right.iter().collect();
            match operator {
                Op::ContainsAll => Const::Bool(right.is_subset(&left)),
                Op::ContainsAny => Const::Bool(!right.is_disjoint(&left)),
                Op::SetUnion => Const::Set(left.union(&right).map(|item| (*item).clone()).collect()),
                Op::SetIntersect => Const::Set(left.intersection(&right).map(|item| (*item).clone()).collect()),
                Op::SetExcept => Const::Set(left.difference(&right).map(|item| (*item).clone()).collect()),
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn entry<'m>(entries: &'m [(Arc<str>, Const)], key: &str) -> Option<&'m Const> {
    let at = entries.binary_search_by(|(known, _)| (**known).cmp(key)).ok()?;
    entries.get(at).map(|(_, value)| value)
}

fn text(text: &str) -> Const {
    Const::String(text.into())
}

fn count(count: usize) -> Const {
    Const::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::duration::Duration;

    #[test]
    fn values_and_failures() {
        let int = Const::Int;
        assert_eq!(operate(Operator::IntAdd, &[int(2), int(3)]), Some(Ok(int(5))));
        assert_eq!(operate(Operator::IntAdd, &[int(i64::MAX), int(1)]), Some(Err(ArithmeticError::Overflow)));
        assert_eq!(operate(Operator::Less, &[int(2), int(3)]), Some(Ok(Const::Bool(true))));
        let hour = Const::Duration(Duration(3_600_000));
        assert_eq!(
            operate(Operator::DurationMultiply, &[hour, int(2)]),
            Some(Ok(Const::Duration(Duration(7_200_000))))
        );
    }

    #[test]
    fn sets_stay_sorted() {
        let set = |items: &[i64]| Const::Set(items.iter().map(|item| Const::Int(*item)).collect());
        assert_eq!(operate(Operator::SetUnion, &[set(&[3, 5]), set(&[1, 5])]), Some(Ok(set(&[1, 3, 5]))));
        assert_eq!(operate(Operator::SetExcept, &[set(&[3, 5]), set(&[1, 5])]), Some(Ok(set(&[3]))));
        assert_eq!(operate(Operator::ContainsAll, &[set(&[3, 5]), set(&[5])]), Some(Ok(Const::Bool(true))));
    }

    #[test]
    fn members_of_urls() {
        let Ok(url) = url::Url::parse("https://a.example:8443/x?q") else { panic!("a URL") };
        let url = Const::Url(url);
        assert_eq!(operate(Operator::UrlPort, std::slice::from_ref(&url)), Some(Ok(Const::Int(8443))));
        assert_eq!(operate(Operator::UrlFragment, std::slice::from_ref(&url)), Some(Ok(Const::Absent)));
        assert_eq!(
            operate(Operator::UrlHostInDomain, &[url, Const::String("example".into())]),
            Some(Ok(Const::Bool(true)))
        );
    }
}
