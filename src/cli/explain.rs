//! `pdl explain`: why a request is answered as it is and what would be allowed; who can do something, and what somebody
//! can do.

mod data;
mod tell;
mod who;

use super::args::Format;
use super::args::meaning::ExplainArgs;
use super::decider::{Standing, answer};
use super::eval;
use super::files;
use super::output::Output;
use super::policy::{self, Built, Warnings};
use super::status::{Failure, Status};
use crate::analysis::decision::Does;
use crate::analysis::explain::{self, Explanation, Given, Nearest, RuleTree};
use crate::analysis::pin::{Asked, Registry};
use crate::analysis::request::Json;
use crate::base::limits::REQUEST_BYTES_MAX;
use crate::vm::decide::{Answer, Kind};
use crate::vm::decision::{Decision, ErrorReport, GateReport};

/// Explains; the exit status of a request is its answer.
pub fn run(args: &ExplainArgs, output: &mut Output) -> Result<Status, Failure> {
    let built = policy::build(&args.path, Warnings::Hidden, output)?;
    let Some(path) = &args.request else { return who::run(args, &built, output) };
    let mut standing = Standing::new(&built, &args.entities)?;
    let facts = eval::facts(args.facts.as_deref(), args.now, standing.machine())?;
    let request = files::read_up_to(path, REQUEST_BYTES_MAX).map_err(|error| Failure::io("read", path, &error))?;
    let decision = standing.decision(&request, facts.as_deref());
    let told = Told::of(args, &built, &mut standing, decision, &request, facts.as_deref())?;
    let text = match args.format {
        Format::Human => tell::human(&built, &told, eval::asked(&request).as_deref(), output.color_data()),
        Format::Json => format!("{}\n", data::document(&built, &told)),
    };
    output.data(&text)?;
    Ok(match told.decision.answer() {
        Answer::Allow => Status::Success,
        Answer::RequireApproval => Status::RequireApproval,
        Answer::Deny => Status::Deny,
    })
}

/// A decision with what there is to be said of it.
pub struct Told {
    /// What the machine said.
    pub decision: Decision,
    /// What the analysis says; why it says nothing.
    pub explanation: Result<Explanation, String>,
    /// Whom the nearest requests would ask, in the order in which they are told.
    pub gates: Vec<Vec<GateReport>>,
}

impl Told {
    fn of(
        args: &ExplainArgs,
        built: &Built,
        standing: &mut Standing,
        decision: Decision,
        request: &[u8],
        facts: Option<&[u8]>,
    ) -> Result<Told, Failure> {
        if let Some(ErrorReport::Input { .. }) = decision.error {
            let explanation = Err("no rule was asked: the request is not one that the policy takes".to_owned());
            return Ok(Told { decision, explanation, gates: Vec::new() });
        }
        let asked = Asked { request: parsed(request)?, facts: parsed(facts.unwrap_or(b"{}"))? };
        let registry = registry(args, built)?.unwrap_or_default();
        let kind = asked.kind(&built.policy).ok_or_else(|| Failure::new("the request is of no kind that is known"))?;
        let failed = match &decision.error {
            Some(ErrorReport::Evaluation { rule, .. }) => Some(rule.as_str().into()),
            _ => None,
        };
        let matched = match failed {
            // Of one that fails not all that is told holds.
            Some(_) => Vec::new(),
            None => decision.rules.iter().map(|rule| rule.id.as_str().into()).collect(),
        };
        let given = Given { answer: answer(&decision), matched, failed };
        let mut machine = |near: &Json| answer(&standing.decision(near.to_string().as_bytes(), facts));
        let explanation = explain::explain(&built.policy, &kind, (&asked, &registry), &given, args.steps, &mut machine);
        let mut gates = Vec::new();
        for (_, nearest) in explanation.iter().flat_map(|explanation| &explanation.nearest) {
            if let Nearest::Found(all) = nearest {
                gates
                    .extend(all.iter().map(|near| standing.decision(near.request.to_string().as_bytes(), facts).gates));
            }
        }
        Ok(Told { decision, explanation, gates })
    }

    /// The rules that determine the decision; where none allows it, those that came nearest to that.
    #[must_use]
    pub fn rules(&self) -> Vec<&RuleTree> {
        let Ok(explanation) = &self.explanation else { return Vec::new() };
        let failed = match &self.decision.error {
            Some(ErrorReport::Evaluation { rule, .. }) => Some(rule.as_str()),
            _ => None,
        };
        let determines = |rule: &&RuleTree| {
            let named = self.decision.rules.iter().any(|told| *told.id == *rule.id);
            (named || failed == Some(&*rule.id)) && !rule.shadow
        };
        if self.decision.kind != Kind::NotPermitted {
            return explanation.rules.iter().filter(determines).collect();
        }
        let mut near: Vec<&RuleTree> =
            explanation.rules.iter().filter(|rule| rule.does == Does::Allow && !rule.shadow).collect();
        near.sort_by_key(|rule| rule.condition.misses(true));
        near.truncate(NEAR_MAX);
        near
    }
}

/// So many rules that nearly allow something are told.
const NEAR_MAX: usize = 3;

fn parsed(text: &[u8]) -> Result<Json, Failure> {
    Json::parse(text).map_err(|error| Failure::new(format!("what was asked is no JSON: {error}")))
}

/// The entities of the command line.
fn registry(args: &ExplainArgs, built: &Built) -> Result<Option<Registry>, Failure> {
    if args.entities.is_empty() {
        return Ok(None);
    }
    let (bytes, named) = eval::joined_entities(&args.entities)?;
    let document =
        Json::parse(&bytes).map_err(|error| Failure::new(format!("the entities in {named} are no JSON: {error}")))?;
    Ok(Some(Registry::read(&built.policy, &document)))
}
