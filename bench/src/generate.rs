//! Packages and requests made by number, the same on every run.

use std::fmt::Write as _;

/// A small generator of numbers (SplitMix64), so that a seed means the same for ever.
#[derive(Clone, Debug)]
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// The actions of a generated package.
pub const ACTIONS: u64 = 100;

/// A package of so many rules over [`ACTIONS`] actions, as people write them: conditions on subject, resource and context,
/// of all three effects, with messages and codes. One module declares the world, and ten have the rules.
#[must_use]
pub fn package(rules: u64) -> Vec<(String, String)> {
    let mut numbers = Numbers(7);
    let mut text = String::from(
        "module bench.model\n\n\
         enum Kind { webapp, page, automation, app, integration, content, report, import, batch, mirror }\n\
         enum Environment { production, staging, development }\n\n\
         presented entity Agent { level: Int in 0..=10, team: String, capabilities: Set<String> max 64 }\n\
         presented entity Service { kind: Kind, environment: Environment, frozen: Bool }\n\
         entity Team {}\napprover entity Person in Team {}\n\n",
    );
    for action in 0..ACTIONS {
        let _ = write!(
            text,
            "action act_{action} {{\n    subject: Agent\n    resource: Service\n    context {{\n        \
             amount: Int in 0..=1000000\n        region: String\n    }}\n}}\n\n"
        );
    }
    let mut files = vec![("model.pdl".to_owned(), text)];
    for part in 0..10 {
        let mut text = format!("module bench.rules_{part}\n\nuse bench.model\n\n");
        for action in (0..ACTIONS).filter(|action| action % 10 == part) {
            policy(&mut text, &mut numbers, rules, action);
        }
        files.push((format!("rules_{part}.pdl"), text));
    }
    files
}

/// One policy: the rules of one action.
fn policy(text: &mut String, numbers: &mut Numbers, rules: u64, action: u64) {
    let kinds =
        ["webapp", "page", "automation", "app", "integration", "content", "report", "import", "batch", "mirror"];
    let environments = ["production", "staging", "development"];
    let _ = writeln!(text, "policy rules_{action} on model.act_{action} {{");
    for rule in 0..rules / ACTIONS {
        let kind = kinds[numbers.below(10) as usize];
        let environment = environments[numbers.below(3) as usize];
        let (team, amount, level) = (numbers.below(1 + rules / 500), numbers.below(900_000) + 1, numbers.below(8) + 1);
        let _ = match numbers.below(4) {
            0 => write!(
                text,
                "    deny d_{action}_{rule}\n        when subject.team == \"team-{team}\" and resource.kind == {kind} and \
                 context.amount > {amount}\n        code TOO_MUCH\n        because \"{{subject}} may not \
                 spend {{context.amount}} on {{resource}}\"\n"
            ),
            1 => write!(
                text,
                "    require approval g_{action}_{rule}\n        when resource.environment == {environment} and \
                 subject.level < {level} and resource.kind == {kind}\n        from model.Team::\"team-{team}\"\n        \
                 quorum 2\n        within 4h\n"
            ),
            _ => write!(
                text,
                "    allow a_{action}_{rule}\n        when subject.team == \"team-{team}\" and resource.kind == {kind} \
                 and subject.level >= {level} and context.amount < {amount}\n"
            ),
        };
    }
    text.push_str("}\n\n");
}
