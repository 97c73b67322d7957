//! When a rule that both versions have is told in other words.

use crate::analysis::decision::{Argument, Does, Rule};
use crate::analysis::diff::compare::sayable;
use crate::analysis::encode::{Encoder, Leaf};
use crate::analysis::formula::F;
use crate::analysis::world::World;
use crate::types::typed::{LetDef, MessagePart};

/// When the message of a rule differs, where the rule holds in both versions.
///
/// Messages of the same words differ where what they name differs; others always, although what one of them names could
/// happen to be what the other one says.
pub(super) fn differ(world: &mut World<'_>, old: &Rule, new: &Rule, said: &mut Vec<Leaf>) -> F {
    // What is read for a message alone is encoded only if it has to be.
    if old.follows == new.follows {
        return F::FALSE;
    }
    let (one, other) = (message(world, 0, old), message(world, 1, new));
    let (Some(one), Some(other)) = (&one, &other) else { return F::constant(one.is_some() != other.is_some()) };
    if one.len() != other.len() {
        return F::TRUE;
    }
    let mut cases = Vec::new();
    for pair in one.iter().zip(other) {
        match pair {
            (Said::Words(one), Said::Words(other)) if one == other => {}
            (Said::Value(one, ty), Said::Value(other, theirs)) if ty == theirs => {
                cases.push(!sayable(world, one, other, said));
            }
            _ => return F::TRUE,
        }
    }
    world.cx.formulas.or(cases)
}

enum Said {
    Words(std::sync::Arc<str>),
    /// A value, and its type.
    Value(Argument, String),
}

fn message(world: &mut World<'_>, side: usize, rule: &Rule) -> Option<Vec<Said>> {
    let policy = world.sides[side];
    let (at, place) = rule.place;
    let (lets, parts): (&[LetDef], _) = if rule.does == Does::Violation {
        let def = policy.invariants.get(at)?;
        (&def.lets, def.message.as_ref()?)
    } else {
        let def = policy.policies.get(at)?;
        (&def.lets, def.rules.get(place)?.message.as_ref()?)
    };
    let mut encoder = Encoder::new(world, side, rule.instance, lets);
    let say = |part: &MessagePart| match part {
        MessagePart::Text(words) => Said::Words(words.clone()),
        MessagePart::Read(expr) => {
            let argument = Argument { sym: encoder.value(expr).sym, text: encoder.shown(expr) };
            Said::Value(argument, super::schema::shown(policy, &expr.ty))
        }
    };
    Some(parts.iter().map(say).collect())
}
