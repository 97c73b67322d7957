//! The time of a decision, from the bytes of a request to the answer, beside Cedar in the same process.
//!
//! The coding agent of the examples: its rules, its entities, requests of about 1 KB with facts of the kernel beside them.
//! Decoding and the run are measured apart too.
//!
//! The tool-call workload: 52 rules, 500 requests of about 1 KB. Both engines decide all of them, and both have to give the
//! expected answers before anything is timed.

use std::str::FromStr as _;

use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, Schema};
use pdl::vm::decide::{Answer, Kind};
use pdl::vm::machine::{Machine, Question, Scratch};
use pdl_bench::{compile, machine, measure, time};
use serde_json::{Value, json};

const POLICY: &str = include_str!("../policies/tool_calls.pdl");
const REQUESTS: &str = include_str!("../data/tool-calls/requests.jsonl");
const EXPECTED: &str = include_str!("../data/tool-calls/expected.json");
const CEDAR_POLICY: &str = include_str!("../data/tool-calls/policies_ctx.cedar");
const CEDAR_SCHEMA: &str = include_str!("../data/tool-calls/ctx.cedarschema");

fn main() {
    machine();
    coding_agent();
    tool_calls();
}

const AGENT_POLICY: &[(&str, &str)] = &[
    ("files.pdl", include_str!("../../examples/coding-agent/files.pdl")),
    ("guards.pdl", include_str!("../../examples/coding-agent/guards.pdl")),
    ("main.pdl", include_str!("../../examples/coding-agent/main.pdl")),
    ("messages.pdl", include_str!("../../examples/coding-agent/messages.pdl")),
    ("model.pdl", include_str!("../../examples/coding-agent/model.pdl")),
    ("network.pdl", include_str!("../../examples/coding-agent/network.pdl")),
    ("repository.pdl", include_str!("../../examples/coding-agent/repository.pdl")),
    ("shell.pdl", include_str!("../../examples/coding-agent/shell.pdl")),
];
const AGENT_REQUESTS: &str = include_str!("../data/coding-agent/requests.jsonl");
const AGENT_FACTS: &str = include_str!("../data/coding-agent/facts.json");
const AGENT_ENTITIES: &str = include_str!("../data/coding-agent/entities.json");

fn coding_agent() {
    let files = AGENT_POLICY.iter().map(|&(name, text)| (name.to_owned(), text.to_owned()));
    let engine = Machine::new(compile(&files.collect::<Vec<_>>())).expect("the program is sound");
    engine.load_entities(AGENT_ENTITIES.as_bytes()).expect("the entities are sound");
    let requests: Vec<&[u8]> = AGENT_REQUESTS.lines().map(str::as_bytes).collect();
    let bytes: usize = requests.iter().map(|request| request.len()).sum::<usize>() / requests.len();
    let question = |at: usize| {
        let request = requests[at % requests.len()];
        std::hint::black_box(Question { facts: Some(AGENT_FACTS.as_bytes()), ..Question::strict(request) })
    };
    let mut scratch = Scratch::default();
    for at in 0..requests.len() {
        let mut decided = engine.decide(question(at), &mut scratch);
        assert!(decided.kind() != Kind::Error, "request {at}: {}", decided.decision().to_json());
    }
    let batch = 100 * requests.len();
    let whole = measure(40, batch, |at| {
        std::hint::black_box(engine.decide(question(at), &mut scratch).answer());
    });
    let store = engine.entities();
    let decode = measure(40, batch, |at| {
        std::hint::black_box(engine.decode(&store, question(at), &mut scratch).is_ok());
    });
    println!("coding agent: {} requests of {bytes} bytes on average, with facts", requests.len());
    println!("  PDL    bytes to answer    {}", whole.show());
    println!("         decode alone       {}", decode.show());
    println!("         run (difference)   {}\n", time(whole.median() - decode.median()));
}

fn tool_calls() {
    let calls: Vec<Value> = REQUESTS.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let expected: Vec<bool> = serde_json::from_str(EXPECTED).expect("JSON");
    let requests: Vec<Vec<u8>> = calls.iter().map(|call| pdl_request(call).to_string().into_bytes()).collect();
    let bytes: usize = requests.iter().map(Vec::len).sum::<usize>() / requests.len();

    let engine =
        Machine::new(compile(&[("tool_calls.pdl".to_owned(), POLICY.to_owned())])).expect("the program is sound");
    let mut scratch = Scratch::default();
    for (at, (request, &expected)) in requests.iter().zip(&expected).enumerate() {
        let mut decided = engine.decide(Question::strict(request), &mut scratch);
        let allowed = decided.answer() == Answer::Allow;
        assert_eq!(allowed, expected, "request {at}: {}", decided.decision().to_json());
    }
    let whole = measure(40, 20 * requests.len(), |at| {
        let request = &requests[at % requests.len()];
        std::hint::black_box(engine.decide(Question::strict(std::hint::black_box(request)), &mut scratch).answer());
    });
    let store = engine.entities();
    let decode = measure(40, 20 * requests.len(), |at| {
        let request = &requests[at % requests.len()];
        let decoded = engine.decode(&store, Question::strict(std::hint::black_box(request)), &mut scratch);
        std::hint::black_box(decoded.is_ok());
    });

    let schema = Schema::from_cedarschema_str(CEDAR_SCHEMA).expect("a schema").0;
    let policies = PolicySet::from_str(CEDAR_POLICY).expect("policies");
    let contexts: Vec<(EntityUid, EntityUid, EntityUid, Vec<u8>)> = calls.iter().map(cedar_request).collect();
    let authorizer = Authorizer::new();
    let entities = Entities::empty();
    let cedar_request = |(principal, action, resource, context): &(EntityUid, EntityUid, EntityUid, Vec<u8>)| {
        let context = Context::from_json_file(&context[..], Some((&schema, action))).expect("a context");
        Request::new(principal.clone(), action.clone(), resource.clone(), context, Some(&schema)).expect("a request")
    };
    for (context, &expected) in contexts.iter().zip(&expected) {
        let answer = authorizer.is_authorized(&cedar_request(context), &policies, &entities).decision();
        assert_eq!(answer == Decision::Allow, expected);
    }
    let cedar_whole = measure(10, requests.len(), |at| {
        let request = cedar_request(&contexts[at % contexts.len()]);
        std::hint::black_box(authorizer.is_authorized(&request, &policies, &entities).decision());
    });
    let built: Vec<Request> = contexts.iter().map(cedar_request).collect();
    let cedar_run = measure(10, requests.len(), |at| {
        std::hint::black_box(authorizer.is_authorized(&built[at % built.len()], &policies, &entities).decision());
    });

    println!("tool calls: 52 rules, {} requests of {bytes} bytes on average", requests.len());
    println!("  PDL    bytes to answer    {}", whole.show());
    println!("         decode alone       {}", decode.show());
    println!("         run (difference)   {}", time(whole.median() - decode.median()));
    println!("  Cedar  bytes to answer    {}", cedar_whole.show());
    println!("         run alone          {}", cedar_run.show());
    println!("  ratio  bytes to answer    {:.0}×", cedar_whole.median() / whole.median());
    println!("         run                {:.0}×", cedar_run.median() / (whole.median() - decode.median()));
}

/// The tool call as PDL has it: names of actions are names, and sets have no duplicates.
fn pdl_request(call: &Value) -> Value {
    let tool = call["tool"].as_str().expect("a tool");
    let mut context = call.clone();
    for name in ["domains", "attachments", "fields"] {
        if let Some(Value::Array(items)) = context["args"].get_mut(name) {
            let mut seen = Vec::new();
            items.retain(|item| {
                let new = !seen.contains(item);
                seen.push(item.clone());
                new
            });
        }
    }
    json!({
        "subject": { "type": "Agent", "id": call["agent"]["id"] },
        "action": { "name": tool.replace('.', "_") },
        "resource": { "type": "Tool", "id": tool },
        "context": context,
    })
}

fn cedar_request(call: &Value) -> (EntityUid, EntityUid, EntityUid, Vec<u8>) {
    let tool = call["tool"].as_str().expect("a tool");
    let id = call["agent"]["id"].as_str().expect("an id");
    let uid = |ty: &str, id: &str| EntityUid::from_str(&format!("{ty}::{}", json!(id))).expect("an entity");
    (uid("Agent", id), uid("Action", tool), uid("Tool", tool), call.to_string().into_bytes())
}
