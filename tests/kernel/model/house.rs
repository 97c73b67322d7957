//! The house that the model is of: who is there, what they may ask for, and three bundles that say so differently.

use std::fmt::Write as _;
use std::sync::LazyLock;

use pdl::Digest;

use super::super::house::bundle;

pub const AGENTS: [&str; 2] = ["bot", "bee"];
pub const PEOPLE: [&str; 6] = ["ann", "ben", "zoe", "kim", "ada", "eve"];
pub const TEAMS: [&str; 3] = ["board", "chiefs", "audit"];
pub const BOARD: usize = 0;
pub const CHIEFS: usize = 1;
pub const AUDIT: usize = 2;

/// The second of the bundles asks for other votes, and the third binds what is said beside a payment.
pub static BUNDLES: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    let strict = r#"
    require approval large
        when context.cost >= 100.0
        from Team::"board"  quorum 2  within 1h
        escalate to Team::"chiefs" after 10m
        because "{subject} pays {context.cost}"
    require approval huge
        when context.cost >= 300.0
        from Team::"audit"  quorum 1  within 30m  distinct
"#;
    let lax = r#"
    deny beyond when context.cost > 400.0
    require approval large
        when context.cost >= 200.0
        from Team::"board"  quorum 1  within 20m
"#;
    let texts = [text(strict, "@advisory", 100), text(lax, "@advisory", 50), text(strict, "", 100)];
    texts.map(|text| bundle(&text))
});

/// What nobody pays: an invariant is violated by the one, and with the other a number gets too large.
pub const BAD: [i64; 2] = [66_600, 77_700];

/// From how much on people are asked before a job is done. Jobs are the records of the house.
pub fn dear(bundle: usize) -> i64 {
    if bundle == 1 { 5_000 } else { 10_000 }
}

fn text(rules: &str, note: &str, dear: u32) -> String {
    format!(
        r#"module house
use std.scopes.{{scope_creating, scope_stepping, scoped}}
include std.scopes(attempts_most = 64)
entity Agent in Team {{ limit: Decimal  owner: Person? @owner }}
entity Team {{}}
approver entity Person in Team {{}}
presented entity Order {{}}
presented entity Service {{}}
action pay {{
    subject:  Agent
    resource: Order
    context {{ cost: Decimal  note: String? {note}  memo: String? @sensitive  frozen: Bool @kernel }}
}}
action restart in scoped {{ subject: Agent  resource: Service }}
action open_scope in scope_creating {{ subject: Agent  resource: Service }}
action end_scope in scope_stepping {{ subject: Agent  resource: Service }}
lifecycle JobState {{
    wanted  -> running | dropped
    running -> wanted | done | dropped
    initial wanted
    final done, dropped
}}
record type Job governed by JobState {{
    cost: Decimal
    invariant positive {{
        require resource.cost > 0.0
        code    NOT_POSITIVE
        because "nothing costs {{resource.cost}}"
    }}
}}
action order {{ subject: Agent  resource: Job }}
action amend {{ subject: Agent  resource: Job }}
action look {{ subject: Agent  resource: Job }}
action step {{
    subject: Agent
    resource: Job
    context {{ to: JobState  evidence: String max 64? @kernel }}
}}
policy working on order | amend | look | step {{ allow workers }}
policy looking on look {{
    require approval looked from Team::"board"  quorum 1  within 20m
}}
policy stepping on step {{
    deny unproven when context.to == done and context.evidence is absent
    require approval dear
        when context.to == done and resource.cost >= {dear}.0
        from Team::"board"  quorum 1  within 20m
}}
invariant lucky on pay {{
    require context.cost != 666.0
    code    UNLUCKY
    because "nobody pays {{context.cost}}"
}}
policy paying on pay {{
    allow within_limit when context.cost <= subject.limit
    deny frozen when context.frozen
    deny astray when context.cost == 777.0 and context.cost * 1000000000000.0 > 0.0
{rules}}}
policy mending on restart {{
    allow everybody
    require approval costly
        when context.cost >= 1.0
        from Team::"board"  quorum 1  within 2m
}}
policy opening on open_scope {{ allow anybody }}
policy ending on end_scope {{
    allow makers when context.scope is present and context.scope.created_by == subject.id
}}
"#
    )
}

/// A request that waits for a permit, of which all but what the kernel gives is chosen by whoever asks. Money is in cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    Pay { agent: usize, order: u8, cents: i64, note: u8, memo: bool },
    Restart { agent: usize, scope: Option<String>, cents: i64, incident: bool },
    Job { agent: usize, job: u8, does: Does, proof: Option<u8> },
}

/// What happens to a job, and what it will cost from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    Order { status: &'static str, cents: i64 },
    Amend { cents: i64 },
    Step { to: &'static str, cents: Option<i64> },
    Look,
}

impl Does {
    /// The action.
    pub fn name(self) -> &'static str {
        match self {
            Does::Order { .. } => "order",
            Does::Amend { .. } => "amend",
            Does::Step { .. } => "step",
            Does::Look => "look",
        }
    }
}

impl Want {
    pub fn agent(&self) -> usize {
        match self {
            Want::Pay { agent, .. } | Want::Restart { agent, .. } | Want::Job { agent, .. } => *agent,
        }
    }

    /// What it is called on the wire.
    pub fn action(&self) -> &'static str {
        match self {
            Want::Pay { .. } => "pay",
            Want::Restart { .. } => "restart",
            Want::Job { does, .. } => does.name(),
        }
    }

    pub fn text(&self) -> Vec<u8> {
        let (resource, context) = match self {
            Want::Pay { order, cents, note, memo, .. } => {
                let mut context = format!(r#""cost":{}"#, money(*cents));
                if *note > 0 {
                    _ = write!(context, r#","note":"n{note}""#);
                }
                if *memo {
                    context.push_str(r#","memo":"for the cat""#);
                }
                (format!(r#"{{"type":"Order","id":"o{order}"}}"#), context)
            }
            Want::Restart { scope, cents, incident, .. } => {
                let scope = scope.as_deref().unwrap_or("scope_of_nobody");
                let incident = if *incident { "inc-1" } else { "inc-2" };
                let cost = money(*cents);
                let context =
                    format!(r#""scope_id":"{scope}","incident":"{incident}","cost":{cost},"target_agents":["w"]"#);
                (r#"{"type":"Service","id":"web"}"#.to_owned(), context)
            }
            Want::Job { job, does, .. } => {
                let (mut properties, mut context) = (String::new(), String::new());
                match does {
                    Does::Order { status, cents } => {
                        properties = format!(r#","properties":{{"status":"{status}","cost":{}}}"#, money(*cents));
                    }
                    Does::Step { to, .. } => context = format!(r#""to":"{to}""#),
                    Does::Amend { .. } | Does::Look => {}
                }
                (format!(r#"{{"type":"Job","id":"j{job:03}"{properties}}}"#), context)
            }
        };
        request(self.action(), self.agent(), &resource, &context)
    }

    /// What the embedder knows; 2 is for one who forgot it.
    pub fn facts(&self, frozen: u8) -> Option<Vec<u8>> {
        match (self, frozen) {
            (Want::Pay { .. }, 0) => Some(br#"{"frozen":false}"#.to_vec()),
            (Want::Pay { .. }, 1) => Some(br#"{"frozen":true}"#.to_vec()),
            (Want::Pay { .. }, _) => None,
            (Want::Restart { .. }, _) => Some(br#"{"risk":"low"}"#.to_vec()),
            (Want::Job { proof: Some(proof), does: Does::Step { .. }, .. }, _) => {
                let digest = Digest::of(evidence(*proof).as_bytes()).to_string().replace("sha256:", "");
                Some(format!(r#"{{"evidence":"{digest}"}}"#).into_bytes())
            }
            (Want::Job { .. }, _) => None,
        }
    }
}

/// What shows that a job is done.
pub fn evidence(proof: u8) -> String {
    format!(r#"{{"photo":{proof}}}"#)
}

pub fn request(action: &str, agent: usize, resource: &str, context: &str) -> Vec<u8> {
    let agent = AGENTS[agent];
    format!(
        r#"{{"subject":{{"type":"Agent","id":"{agent}"}},"action":{{"name":"{action}"}},"resource":{resource},
        "context":{{{context}}}}}"#
    )
    .into_bytes()
}

pub fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

/// Who is there, and what the registry says of them. Money is in cents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    /// What an agent may spend; `None` of one that is not registered.
    pub limits: [Option<i64>; 2],
    pub owners: [Option<usize>; 2],
    pub teams: [[bool; TEAMS.len()]; PEOPLE.len()],
}

impl Registry {
    pub fn new() -> Registry {
        let mut teams = [[false; TEAMS.len()]; PEOPLE.len()];
        for (person, team) in [(0, BOARD), (1, BOARD), (2, BOARD), (3, CHIEFS), (3, BOARD), (4, AUDIT), (0, AUDIT)] {
            teams[person][team] = true;
        }
        Registry { limits: [Some(50_000), Some(20_000)], owners: [Some(2), None], teams }
    }

    pub fn agent(&self, at: usize) -> Option<String> {
        let limit = self.limits[at]?;
        let owner = self.owners[at].map_or(String::new(), |owner| format!(r#","owner":"{}""#, PEOPLE[owner]));
        Some(format!(r#"{{"type":"Agent","id":"{}","properties":{{"limit":{}{owner}}}}}"#, AGENTS[at], money(limit)))
    }

    pub fn person(&self, at: usize) -> String {
        let teams = (0..TEAMS.len()).filter(|team| self.teams[at][*team]);
        let teams: Vec<String> = teams.map(|team| format!(r#"{{"type":"Team","id":"{}"}}"#, TEAMS[team])).collect();
        format!(r#"{{"type":"Person","id":"{}","in":[{}]}}"#, PEOPLE[at], teams.join(","))
    }

    pub fn document(&self) -> Vec<u8> {
        let teams = TEAMS.iter().map(|team| format!(r#"{{"type":"Team","id":"{team}"}}"#));
        let people = (0..PEOPLE.len()).map(|at| self.person(at));
        let agents = (0..AGENTS.len()).filter_map(|at| self.agent(at));
        format!("[{}]", teams.chain(people).chain(agents).collect::<Vec<_>>().join(",")).into_bytes()
    }
}
