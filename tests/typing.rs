//! What the checker computes of expressions: their types, with the bounds of integers, and whether they may be errors.

use pdl::types::ty::{Interval, Type};
use pdl::types::typed::{FunctionBody, TypedPolicy};

use crate::check::check;

const DECLARATIONS: &str = "module acme.example\n
enum Kind { webapp, page, content }
entity Agent { level: Int in 0..=10, limit: Int?, spent: Decimal, tags: Set<String> max 8 }
table votes(kind: Kind) -> Int in 0..=2 { webapp => 2, page => 1, content => 0, }
fn overflows(x: Int) -> Int = x + 1
";

/// The body of a function with these parameters and this body.
fn body(result: &str, body: &str) -> (Type, bool) {
    let parameters = "a: Agent, small: Int in 0..=10, x: Int, y: Int?, k: Kind, d: Decimal, l: List<Int> max 5, t: Timestamp, b: Bool";
    let source = format!("{DECLARATIONS}fn probe({parameters}) -> {result} = {body}\n");
    let (typed, found, _) = check(&[("typing.pdl".to_owned(), source)]);
    let typed: TypedPolicy = typed.unwrap_or_else(|| panic!("`{body}` is right: {found:#?}"));
    let probe = typed.functions.iter().find(|function| &*function.name == "probe").expect("it was declared");
    match &probe.body {
        FunctionBody::Expr(expr) => (expr.ty.clone(), expr.fallible),
        FunctionBody::Table(_) => panic!("a function is no table"),
    }
}

#[test]
fn bounds_of_integers() {
    for (text, low, high) in [
        ("small + small", 0, 20),
        ("small - 3", -3, 7),
        ("small * -2", -20, 0),
        ("-small", -10, 0),
        ("small / 3", 0, 3),
        ("abs(small - 8)", 0, 8),
        ("min(small, 4)", 0, 4),
        ("max(small, 4)", 4, 10),
        ("a.level", 0, 10),
        ("a.tags.size", 0, 8),
        ("l.size", 0, 5),
        ("count(i in l: i > 3)", 0, 5),
        ("t.hour", 0, 23),
        ("votes(k)", 0, 2),
        ("if b then 3 else small", 0, 10),
        ("if small > 3 then small else 4", 4, 10),
        ("if small > 3 and small != 10 then small else 7", 4, 9),
        ("if x >= 0 and x < 5 then x else 0", 0, 4),
        ("if x < small then min(small, 5) else 0", 0, 5),
        ("if x in {3, 9, 5} then x else 3", 3, 9),
        ("if y is present and y > 3 and y <= 8 then y else 4", 4, 8),
        ("if not (x < 0 or x > 7) then x else 0", 0, 7),
        ("match x { ..=0 => 0, 1..=5 => x, _ => 9, }", 0, 9),
        ("match k { webapp => votes(k), page | content => 5, }", 0, 5),
        ("if 2 * small > 5 then small else 10", 0, 10),
        ("2 + 3 * 4", 14, 14),
    ] {
        assert_eq!(body("Int", text).0, Type::Int(Interval { low, high }), "{text}");
    }
}

#[test]
fn what_may_be_an_error() {
    for (result, text, fails) in [
        ("Int", "small + small", false),
        ("Int", "x + 1", true),
        ("Int", "if x < 100 then x + 1 else x", false),
        ("Int", "if x < 9223372036854775807 then x + 1 else x", false),
        ("Int", "if x != 9223372036854775807 then x + 1 else x", false),
        ("Int", "-x", true),
        ("Int", "x / 2", false),
        ("Int", "x / -1", true),
        ("Int", "abs(x)", true),
        ("Int", "max(x, 0)", false),
        ("Int", "overflows(3)", true),
        ("Int", "votes(k)", false),
        ("Int", "y ?? 3", false),
        ("Int", "if y is present then y else 0", false),
        ("Int", "l[7] ?? 0", false),
        ("Bool", "any(i in l: i + 1 > 3)", true),
        ("Bool", "any(i in l: i > 3)", false),
        ("Bool", "x > 0 and x + 1 > 3", true),
        ("Bool", "x < 5 and x + 1 > 3", false),
        ("Bool", "x + 1 > x or b", true),
        ("Bool", "a.level > 3 and a.tags contains \"x\"", false),
        ("Bool", "t - t > 3h", false),
        ("Bool", "t + 1h > t", true),
        ("Decimal", "d + 1.0", true),
        ("Decimal", "decimal(small)", false),
        ("Decimal", "decimal(x)", true),
        ("Decimal", "min(d, 3.0)", false),
        // What is compared with something that may be an error says nothing of the other side.
        ("Int", "if x < overflows(small) and overflows(small) < 5 then x + 1 else 0", true),
    ] {
        assert_eq!(body(result, text).1, fails, "{text}");
    }
}
