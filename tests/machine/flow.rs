//! Instructions that steer: jumps, jump tables, calls, memo functions, loops; and what a run may cost.

use pdl::bytecode::program::{Effect, FunctionId, Index, Input, Rule, SiteId, Switch};
use pdl::bytecode::schema::{Type, TypeId};
use pdl::vm::image::Image;
use pdl::vm::memory::Local;
use pdl::vm::run::{Run, Steps, Work};
use pdl::vm::value::Value;

use super::harness::{Builder, Literal, Teams, describe, literal};

/// A builder that knows some constants, by their place in `literals`.
fn builder(literals: &[&str]) -> Builder {
    let literals: Vec<Literal> = literals.iter().map(|text| literal(text).0).collect();
    let mut builder = Builder::new(literals.iter(), &["m.p.r"]);
    for literal in &literals {
        builder.constant(literal);
    }
    builder
}

fn int(builder: &mut Builder) -> TypeId {
    builder.type_of(&Literal::Int(0))
}

fn finish(mut builder: Builder) -> Image {
    let bool = builder.ty(Type::Bool);
    let yes = builder.constant(&Literal::Bool(true));
    let condition = builder.function(Some(0), false, &[], bool, &format!("const 0 {}\nreturn 0", yes.0));
    let id = builder.string("m.p.r");
    let entry = &mut builder.program.entries[0];
    entry.index = Index { keys: vec![], rest: vec![0] };
    entry.rules.push(Rule {
        id,
        effect: Effect::Allow,
        shadow: false,
        condition,
        may_fail: false,
        code: None,
        message: vec![],
        gate: None,
        obligations: vec![],
        site: SiteId(0),
    });
    builder.image()
}

/// The value of a function, and how many steps it took.
fn run(image: &Image, inputs: &[Value], function: FunctionId) -> (String, u64) {
    let teams = Teams::new(image);
    let (mut local, mut work) = (Local::default(), Work::default());
    work.begin(image, 1_024);
    let mut run = Run { image, entities: &teams, inputs, local: &mut local, work: &mut work, meter: Steps::default() };
    let value = run.value(function);
    (describe(image, run.memory(), value), run.meter.0)
}

/// Runs a listing that gives an Int; `$1` stands for literal 1.
fn listing(literals: &[&str], listing: &str) -> String {
    let mut builder = builder(literals);
    let int = int(&mut builder);
    let mut listing = listing.to_owned();
    for (at, text) in literals.iter().enumerate().rev() {
        let constant = builder.constant(&literal(text).0);
        listing = listing.replace(&format!("${at}"), &constant.0.to_string());
    }
    let function = builder.function(None, false, &[], int, &listing);
    run(&finish(builder), &[], function).0
}

const OVERFLOW: &str = "const 9 0\nint_add 9 9 9 @7\n";

#[test]
fn jumps_look_at_one_operand() {
    let literals = ["9223372036854775807", "1", "2", "true", "false"];
    let taken = |set: &str, name: &str| {
        let text = format!("{OVERFLOW}{set}\n{name} 0 6\nconst 1 1\njump 7\nconst 1 2\nreturn 1");
        match listing(&literals, &text).as_str() {
            "2" => true,
            "1" => false,
            other => panic!("{name}: {other}"),
        }
    };
    assert!(taken("const 0 3", "jump_true"));
    assert!(!taken("const 0 4", "jump_true"));
    assert!(taken("const 0 4", "jump_false"));
    assert!(!taken("const 0 3", "jump_false"));
    assert!(taken("move 0 9", "jump_error"));
    assert!(!taken("const 0 1", "jump_error"));
}

#[test]
fn jumps_on_conditions_pass_errors_by() {
    // `less` of an error is an error of Bool.
    for name in ["jump_true", "jump_false"] {
        let text = format!("{OVERFLOW}less 0 9 9\n{name} 0 6\nconst 1 1\njump 7\nconst 1 2\nreturn 1");
        assert_eq!(listing(&["9223372036854775807", "1", "2"], &text), "1", "{name}");
    }
}

#[test]
fn jump_absent_tells_absent_from_present_and_error() {
    let literals = ["9223372036854775807", "1", "2", "list[5]"];
    for (index, expected) in [("const 2 $1", "2"), ("int_subtract 2 9 9 @8", "1"), ("int_add 2 9 9 @8", "1")] {
        // The list has one element: place 1 is beyond it, place 0 is there, an error stays one.
        let text = format!(
            "const 9 $0\n{index}\nconst 3 $3\nlist_get 0 3 2\njump_absent 0 7\nconst 1 $1\njump 8\nconst 1 $2\nreturn 1"
        );
        assert_eq!(listing(&literals, &text), expected, "{index}");
    }
}

#[test]
fn a_jump_table_has_a_target_for_errors() {
    let literals = ["9223372036854775807", "10", "20", "30", "40", "a", "b", "c"];
    for (set, expected) in [("const 0 5", "10"), ("const 0 6", "20"), ("const 0 7", "30"), ("", "40")] {
        let mut builder = builder(&literals);
        let int = int(&mut builder);
        // A variant, or by way of a jump an error of that type.
        let make = if set.is_empty() {
            "const 9 0\nint_add 8 9 9 @7\njump_error 8 5\nconst 0 5\njump 6\nraise 0 8".to_owned()
        } else {
            format!("{set}\n").repeat(6)
        };
        let text = format!(
            "{make}\nswitch 0 0\nconst 1 1\njump 14\nconst 1 2\njump 14\nconst 1 3\njump 14\nconst 1 4\nreturn 1"
        );
        builder.program.switches.push(Switch { of: 0, targets: vec![7, 9, 11, 13] });
        let function = builder.function(None, false, &[], int, &text);
        assert_eq!(run(&finish(builder), &[], function).0, expected, "{set}");
    }
}

#[test]
fn calls_pass_arguments_and_keep_frames_apart() {
    let mut builder = builder(&["3", "4", "9223372036854775807"]);
    let int = int(&mut builder);
    // The inner one is x + x + y; both have slots of their own.
    let inner = builder.function(None, false, &[int, int], int, "int_add 2 0 0 @1\nint_add 2 2 1 @2\nreturn 2");
    let outer = builder.function(
        None,
        false,
        &[int],
        int,
        &format!("move 1 0\nmove 2 0\ncall 3 1 {}\nint_add 3 3 0 @3\nreturn 3", inner.0),
    );
    let text =
        format!("const 0 0\nconst 1 1\ncall 2 0 {}\ncall 3 1 {}\nint_subtract 2 3 2 @4\nreturn 2", inner.0, outer.0);
    let main = builder.function(None, false, &[], int, &text);
    let failing = builder.function(None, false, &[], int, &format!("const 1 2\ncall 0 1 {}\nreturn 0", outer.0));
    let image = finish(builder);
    assert_eq!(run(&image, &[], main).0, "6");
    // An error in a callee is its value: the first in source order of those on the way.
    assert_eq!(run(&image, &[], failing).0, "!1 overflow");
}

#[test]
fn memo_functions_run_once_in_a_decision() {
    let mut builder = builder(&["3"]);
    let int = int(&mut builder);
    let memo = builder.function(None, true, &[], int, "const 0 0\nint_add 0 0 0 @1\nint_add 0 0 0 @2\nreturn 0");
    let text = format!("force 0 {0}\nforce 1 {0}\nint_add 0 0 1 @3\nreturn 0", memo.0);
    let main = builder.function(None, false, &[], int, &text);
    let image = finish(builder);
    assert_eq!(run(&image, &[], main), ("24".to_owned(), 8));
}

#[test]
fn loops_go_through_sets_lists_and_the_keys_of_maps() {
    let literals = ["0", "set{4, 5, 6}", "list[7, 7]", "map{\"x\": 1, \"y\": 2, \"z\": 3}", "set{}", "\"x\"", "5"];
    // Counts elements that differ from constant 6 (or, of the map, 5).
    let count = |collection: u32, other: u32| {
        let text = format!(
            "const 0 $0\nconst 1 ${collection}\niterate 2 1\nnext 2 9\nelement 3 2\nequal_const 4 3 ${other}\nnot 4 4\n\
             count_if 0 0 4\nloop 3\nreturn 0"
        );
        listing(&literals, &text)
    };
    assert_eq!(count(1, 6), "2");
    assert_eq!(count(2, 6), "2");
    assert_eq!(count(3, 5), "2");
    assert_eq!(count(4, 6), "0");
}

#[test]
fn loops_nest() {
    // All pairs (x, y) of {1, 2, 3} with x < y.
    let text = "const 0 $0\nconst 1 $1\niterate 2 1\nnext 2 13\nelement 3 2\niterate 4 1\nnext 4 12\nelement 5 4\n\
                less 6 3 5\ncount_if 0 0 6\nmove 7 6\nloop 6\nloop 3\nreturn 0";
    assert_eq!(listing(&["0", "set{1, 2, 3}"], text), "3");
}

/// Each link as its node and the set of what its edges lead to, constants 1 on.
fn acyclic(links: &[&str]) -> String {
    let mut text = String::from("graph 0\n");
    for (at, _) in links.chunks(2).enumerate() {
        text += &format!("const 1 ${}\nconst 2 ${}\nlink 0 1 2\n", at * 2, at * 2 + 1);
    }
    let zero = links.len();
    listing(&[links, &["0"]].concat(), &format!("{text}acyclic 3 0\nconst 4 ${zero}\ncount_if 4 4 3\nreturn 4"))
}

#[test]
fn a_graph_is_acyclic_if_no_path_leads_back() {
    assert_eq!(acyclic(&[]), "1");
    assert_eq!(acyclic(&["1", "set{}"]), "1");
    assert_eq!(acyclic(&["1", "set{1}"]), "0");
    assert_eq!(acyclic(&["1", "set{2}", "2", "set{1}"]), "0");
    assert_eq!(acyclic(&["1", "set{2}", "2", "set{3}"]), "1");
    assert_eq!(acyclic(&["\"a\"", "list[\"b\", \"b\"]", "\"b\"", "list[\"z\"]"]), "1");
    assert_eq!(acyclic(&["\"a\"", "list[\"b\", \"b\"]", "\"b\"", "list[\"a\"]"]), "0");
    // A diamond, and one with an edge back; what lies behind a cycle is no matter.
    assert_eq!(acyclic(&["1", "set{2, 3}", "2", "set{4}", "3", "set{4}", "4", "set{}"]), "1");
    assert_eq!(acyclic(&["1", "set{2, 3}", "2", "set{4}", "3", "set{4}", "4", "set{3}"]), "0");
    // Of one node twice all edges count.
    assert_eq!(acyclic(&["1", "set{}", "2", "set{1}", "1", "set{2}"]), "0");
}

#[test]
fn an_error_of_a_node_or_of_edges_is_that_of_the_graph() {
    let fails = "const 4 $3\nint_add 4 4 4 @9\nconst 5 $2\nint_add 5 5 5 @7\n";
    let text = |links: &str| {
        format!("{fails}graph 0\nconst 1 $0\nconst 2 $1\n{links}\nacyclic 3 0\nconst 6 $4\ncount_if 6 6 3\nreturn 6")
    };
    let run = |links: &str| listing(&["1", "set{1}", "9223372036854775807", "9223372036854775806", "0"], &text(links));
    assert_eq!(run("link 0 1 2"), "0");
    assert_eq!(run("link 0 4 2\nlink 0 1 2"), "!9 overflow");
    assert_eq!(run("link 0 4 2\nlink 0 5 2"), "!7 overflow");
    assert_eq!(run("link 0 5 2\nlink 0 4 2"), "!7 overflow");
}

/// What is certified bounds time; room has a bound of its own.
#[test]
fn a_decision_holds_only_so_many_values() {
    let numbers: Vec<String> = (0..1_000).map(|number| number.to_string()).collect();
    let all = format!("set{{{}}}", numbers.join(", "));
    // For each of a thousand elements, for each again: a set of eight.
    let eight: String = (10..18).map(|slot| format!("const {slot} ${}\n", slot - 8)).collect();
    let text = "const 0 $0\nconst 1 $1\niterate 2 1\nnext 2 20\niterate 4 1\nnext 4 19\nmake_set 8 10 8\nsize 7 8\n\
                less 6 0 7\ncount_if 0 0 6\nloop 13\nloop 11\nreturn 0";
    let literals = ["0", all.as_str(), "1", "2", "3", "4", "5", "6", "7", "8"];
    assert_eq!(listing(&literals, &format!("{eight}{text}")), "!4294967293 too_much_memory");
}

/// A string that a run makes is that of the program if the program has it, and else the decision's own.
#[test]
fn strings_that_are_made_equal_those_that_are_known() {
    let literals = ["0", "path(/a/known)", "path(/a/new)", "\"known\"", "path(/b/new)", "path(/b/other)"];
    let text = |test: &str| {
        format!(
            "const 0 $0\nconst 1 $1\nconst 2 $2\nconst 3 $3\nconst 4 $4\nconst 5 $5\npath_name 1 1\npath_name 2 2\n\
             path_name 4 4\npath_name 5 5\n{test}\ncount_if 0 0 6\nreturn 0"
        )
    };
    let holds = |test: &str| listing(&literals, &text(test)) == "1";
    assert!(holds("equal 6 1 3"));
    assert!(holds("equal 6 2 4"));
    assert!(!holds("equal 6 2 5"));
    assert!(!holds("equal 6 2 3"));
    // Sets of both kinds of strings: {known, new} has {new}, and shares nothing with {other}.
    assert!(holds("move 7 1\nmove 8 2\nmake_set 7 7 2\nmake_set 8 4 1\ncontains_all 6 7 8"));
    assert!(holds("move 7 1\nmove 8 2\nmake_set 7 7 2\ncontains 6 7 3"));
    assert!(!holds("move 7 1\nmove 8 2\nmake_set 7 7 2\nmake_set 8 5 1\ncontains_any 6 7 8"));
    // In messages and for `<` they stand in the order of their characters.
    assert!(holds("less 6 3 2"));
    assert!(!holds("less 6 5 2"));
}

#[test]
fn functions_of_an_entry_read_its_inputs() {
    let mut builder = builder(&[]);
    let int = int(&mut builder);
    builder.program.entries[0].inputs = vec![Input::Context(0)];
    let function = builder.function(Some(0), false, &[], int, "read 0 0\nreturn 0");
    let image = finish(builder);
    assert_eq!(run(&image, &[Value::Int(77)], function).0, "77");
}

#[test]
fn what_never_happens_is_an_internal_error_and_no_panic() {
    let mut builder = builder(&[]);
    let int = int(&mut builder);
    builder.program.entries[0].inputs = vec![Input::Context(0)];
    let function = builder.function(Some(0), false, &[], int, "read 0 0\nint_add 0 0 0 @1\nreturn 0");
    let image = finish(builder);
    let internal = "!4294967295 internal";
    // No inputs, one of a wrong type, a function that is not there.
    assert_eq!(run(&image, &[], function).0, internal);
    assert_eq!(run(&image, &[Value::Bool(true)], function).0, internal);
    assert_eq!(run(&image, &[], FunctionId(999)).0, internal);
    // A stack that was not made ready.
    let teams = Teams::new(&image);
    let (mut local, mut work) = (Local::default(), Work::default());
    let inputs = [Value::Int(1)];
    let mut bare = Run {
        image: &image,
        entities: &teams,
        inputs: &inputs,
        local: &mut local,
        work: &mut work,
        meter: Steps::default(),
    };
    assert!(bare.value(function).is_error());
}
