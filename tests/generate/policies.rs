//! Functions, tables, policies and invariants, as pieces of source that can be taken out.

use crate::generate::expressions::Maker;
use crate::generate::package::Piece;
use crate::generate::random::Random;
use crate::generate::scope::{Decls, FunctionDecl, Scope, Sort};

/// How deep expressions of conditions are.
const DEPTH: usize = 3;

/// Declares some functions and tables.
pub fn functions(random: &mut Random, decls: &mut Decls, names: &mut usize, pieces: &mut Vec<Piece>) {
    for at in 0..random.between(1, 4) {
        let table = random.chance(45);
        let columns = [Sort::Bool, Sort::Int, Sort::Enum(0), Sort::Enum(0), Sort::Text, Sort::Duration, Sort::Decimal];
        let parameters: Vec<Sort> = (0..random.between(1, 3))
            .map(|_| match random.below(10) {
                _ if table && random.chance(85) => random.pick(&columns).clone(),
                0 => Sort::Int.maybe(),
                1..=3 if !table => match decls.registered(random) {
                    Some(entity) => Sort::Entity(entity),
                    None => Sort::Text,
                },
                2 => Sort::Text.maybe(),
                _ => decls.sort(random, 1),
            })
            .collect();
        let result = match random.below(6) {
            0 | 1 => Sort::Bool,
            2 | 3 => Sort::Int,
            4 => Sort::Decimal,
            _ => decls.sort(random, 0),
        };
        let name = format!("fn{at}");
        let mut scope = Scope::default();
        for (place, sort) in parameters.iter().enumerate() {
            scope.add(decls, &format!("q{at}_{place}"), sort, 1);
        }
        let shown: Vec<String> =
            parameters.iter().enumerate().map(|(place, sort)| format!("q{at}_{place}: {}", decls.show(sort))).collect();
        let head = format!("{name}({}) -> {}", shown.join(", "), decls.show(&result));
        let mut maker = Maker { random, decls, scope, names };
        let instead = format!("fn {head} = {}\n", maker.literal(&result));
        let rows = if table { rows(&mut maker, &parameters, &result) } else { None };
        let text = match rows {
            Some(rows) => format!("table {head} {{\n{rows}}}\n"),
            None => format!("fn {head} = {}\n", maker.expr(&result, DEPTH)),
        };
        pieces.push(Piece { text, instead: Some(instead) });
        decls.functions.push(FunctionDecl { name, parameters, result });
    }
}

/// Rows that cover everything; none is hidden.
fn rows(maker: &mut Maker<'_>, columns: &[Sort], result: &Sort) -> Option<String> {
    let mut places: Vec<usize> = (0..columns.len()).collect();
    maker.random.shuffle(&mut places);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let first = places[0];
    for pattern in maker.partition(&columns[first])? {
        let mut row = vec!["_".to_owned(); columns.len()];
        row[first] = pattern;
        match places.get(1) {
            Some(&second) if maker.random.chance(50) => {
                for pattern in maker.partition(&columns[second])? {
                    row[second] = pattern;
                    rows.push(row.clone());
                }
            }
            _ => rows.push(row),
        }
    }
    let mut text = String::new();
    for row in rows {
        text.push_str(&format!("    {} => {},\n", row.join(", "), maker.expr(result, 2)));
    }
    Some(text)
}

/// A policy on some actions.
pub fn policy(
    random: &mut Random,
    decls: &Decls,
    names: &mut usize,
    extra: &[(String, Sort)],
    pieces: &mut Vec<Piece>,
) {
    *names += 1;
    let name = format!("pol{names}");
    let shadow = random.chance(20);
    let (on, actions) = target(random, decls);
    pieces.push(Piece::fixed(format!("{}policy {name} on {on} {{\n", if shadow { "shadow " } else { "" })));
    let mut scope = Scope::of_actions(decls, &actions);
    for (name, sort) in extra {
        for _ in 0..3 {
            scope.add(decls, name, sort, 1);
        }
    }
    let mut maker = Maker { random, decls, scope, names };
    lets(&mut maker, pieces);
    if maker.random.chance(25) {
        indexed(&mut maker, pieces);
    }
    for _ in 0..maker.random.between(1, 5) {
        let effect = match maker.random.below(10) {
            0..=5 => "allow",
            6 | 7 => "deny",
            _ => "require approval",
        };
        rule(&mut maker, effect, None, pieces);
    }
    pieces.push(Piece::fixed("}\n".to_owned()));
}

fn target(random: &mut Random, decls: &Decls) -> (String, Vec<usize>) {
    if let Some((name, members, _)) = decls.groups.first()
        && !members.is_empty()
        && random.chance(30)
    {
        return (name.clone(), members.clone());
    }
    let mut actions = vec![random.below(decls.actions.len())];
    if random.chance(20) {
        actions.push(random.below(decls.actions.len()));
        actions.sort_unstable();
        actions.dedup();
    }
    let names: Vec<String> = actions.iter().map(|&at| decls.actions[at].name.clone()).collect();
    (names.join(" | "), actions)
}

fn lets(maker: &mut Maker<'_>, pieces: &mut Vec<Piece>) {
    for _ in 0..maker.random.below(4) {
        let decls = maker.decls;
        let sort = match maker.random.below(6) {
            0 | 1 => Sort::Bool,
            2 => Sort::Int,
            3 => Sort::Decimal,
            _ => decls.sort(maker.random, 1),
        };
        if matches!(sort, Sort::Maybe(_) | Sort::Record(_) | Sort::Entity(_)) {
            continue;
        }
        let name = maker.fresh("v");
        let value = maker.changing(&sort, DEPTH);
        let ty = decls.show(&sort);
        // Bounds of collections grow in unions: nothing is said of the type then.
        let typed = maker.random.chance(30) && sort.is_scalar();
        let text =
            if typed { format!("    let {name}: {ty} = {value}\n") } else { format!("    let {name} = {value}\n") };
        let instead = format!("    let {name}: {ty} = {}\n", maker.literal(&sort));
        pieces.push(Piece { text, instead: Some(instead) });
        for _ in 0..2 {
            maker.scope.add(decls, &name, &sort, 1);
        }
    }
}

/// Many rules that ask for the same thing, as an index likes them.
fn indexed(maker: &mut Maker<'_>, pieces: &mut Vec<Piece>) {
    let found = maker.readable_such(|sort| {
        matches!(
            sort,
            Sort::Enum(_) | Sort::Text | Sort::Int | Sort::Decimal | Sort::Duration | Sort::Timestamp | Sort::Set(_)
        )
    });
    let Some(found) = found else { return };
    for _ in 0..maker.random.between(8, 12) {
        let demand = match &found.sort {
            Sort::Set(inner) => format!("{} contains {}", found.text, maker.literal(inner)),
            sort @ (Sort::Enum(_) | Sort::Text) => {
                if maker.random.chance(30) {
                    format!("{} in {}", found.text, maker.literal(&sort.clone().set()))
                } else {
                    format!("{} == {}", found.text, maker.literal(sort))
                }
            }
            sort => {
                let sign = maker.random.text(&["<", "<=", ">", ">=", "=="]);
                format!("{} {sign} {}", found.text, maker.literal(sort))
            }
        };
        let effect = maker.random.text(&["allow", "allow", "deny", "require approval"]);
        rule(maker, effect, Some(demand), pieces);
    }
}

fn rule(maker: &mut Maker<'_>, effect: &str, demand: Option<String>, pieces: &mut Vec<Piece>) {
    let name = maker.fresh("r");
    let mut text = format!("    {effect} {name}\n");
    match demand {
        Some(demand) => {
            text.push_str(&format!("        when {demand}\n"));
            if maker.random.chance(40) {
                text.push_str(&format!("        when {}\n", maker.changing(&Sort::Bool, 2)));
            }
        }
        None => {
            if effect != "allow" || maker.random.chance(85) {
                text.push_str(&format!("        when {}\n", maker.changing(&Sort::Bool, DEPTH)));
            }
            if maker.random.chance(25) {
                text.push_str(&format!("        unless {}\n", maker.changing(&Sort::Bool, DEPTH - 1)));
            }
        }
    }
    if effect == "require approval" {
        text.push_str(&gate(maker));
    }
    text.push_str(&told(maker, effect != "allow"));
    if effect != "deny" && maker.random.chance(30) {
        let decls = maker.decls;
        let obligation = maker.random.pick(&decls.obligations);
        let arguments: Vec<String> = obligation.parameters.iter().map(|sort| certain(maker, sort)).collect();
        text.push_str(&format!("        oblige {}({})\n", obligation.name, arguments.join(", ")));
    }
    pieces.push(Piece { text, instead: Some(String::new()) });
}

/// A leaf that can't be an error: nothing that a `let` holds.
fn certain(maker: &mut Maker<'_>, sort: &Sort) -> String {
    let kept = maker.scope.clone();
    maker.scope.readables.retain(|readable| !readable.text.starts_with('v'));
    let text = maker.leaf(sort);
    maker.scope = kept;
    text
}

fn group(maker: &mut Maker<'_>) -> String {
    let groups = maker.decls.approval_groups();
    let sort = Sort::Entity(*maker.random.pick(&groups));
    maker.leaf(&sort)
}

fn gate(maker: &mut Maker<'_>) -> String {
    let mut text = format!("        from {}\n", group(maker));
    let quorum = match maker.random.below(4) {
        0 => format!("max(1, min(5, {}))", maker.changing(&Sort::Int, 1)),
        1 => format!("if {} then 1 else 2", maker.changing(&Sort::Bool, 1)),
        _ => maker.random.between(1, 3).to_string(),
    };
    text.push_str(&format!("        quorum {quorum}\n"));
    if maker.random.chance(40) {
        text.push_str("        within 4h\n");
        if maker.random.chance(50) {
            text.push_str(&format!("        escalate to {} after 1h\n", group(maker)));
        }
    }
    if maker.random.chance(15) {
        text.push_str("        distinct\n");
    }
    text
}

/// A code, where one may stand, and a message.
fn told(maker: &mut Maker<'_>, with_code: bool) -> String {
    let mut text = String::new();
    if with_code && maker.random.chance(50) {
        text.push_str(&format!("        code {}\n", maker.random.pick(&["NOT_NOW", "TOO_MUCH", "WRONG_KIND"])));
    }
    if maker.random.chance(50) {
        let mut message = "it is {{".to_owned();
        for _ in 0..maker.random.between(1, 2) {
            let found = maker.readable_such(|sort| match sort {
                Sort::Maybe(inner) => inner.is_scalar(),
                sort => sort.is_scalar(),
            });
            match found {
                // Parameters and locals are no paths of the request; the checker knows which.
                Some(found) if found.text.starts_with(['s', 'c']) || found.text.starts_with("resource") => {
                    message.push_str(&format!(" {{{}}}", found.text));
                }
                _ => message.push_str(" so"),
            }
        }
        text.push_str(&format!("        because \"{message} }}}}\"\n"));
    }
    text
}

/// An invariant.
pub fn invariant(random: &mut Random, decls: &Decls, names: &mut usize, pieces: &mut Vec<Piece>) {
    *names += 1;
    let name = format!("inv{names}");
    let (on, actions) = target(random, decls);
    let scope = Scope::of_actions(decls, &actions);
    let mut maker = Maker { random, decls, scope, names };
    let mut text = format!("invariant {name} on {on} {{\n");
    if maker.random.chance(60) {
        text.push_str(&format!("    when {}\n", maker.changing(&Sort::Bool, 2)));
    }
    // Most of the time an invariant holds.
    let comparison = maker.changing(&Sort::Bool, 2);
    let other = maker.changing(&Sort::Bool, 2);
    text.push_str(&format!("    require ({comparison} or {other})\n"));
    text.push_str(&told(&mut maker, true));
    text.push_str("}\n");
    pieces.push(Piece { text, instead: Some(String::new()) });
}
