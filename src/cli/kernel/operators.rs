//! `pdl kernel operators`: who governs the kernel, and as what.

use serde_json::{Value, json};

use super::super::args::Format;
use super::super::args::kernel::{OperatorsArgs, OperatorsCommand, PlaceArgs};
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::{table, trouble};
use crate::kernel::KernelError;
use crate::kernel::govern::operators::{Change, Operator};
use crate::kernel::record::Principal;
use crate::vm::decision::EntityName;

/// Does what was asked.
pub fn run(args: &OperatorsArgs, output: &mut Output) -> Result<Status, Failure> {
    let failed = |error: KernelError| trouble::kernel(&error);
    match &args.command {
        OperatorsCommand::List(args) => {
            let kernel = Place::new(&args.place.store).open()?;
            let operators = kernel.operators(&args.who).map_err(failed)?;
            shown(&operators, &args.place, output)
        }
        OperatorsCommand::Appoint(args) => {
            let kernel = Place::new(&args.act.place.store).open()?;
            let (automated, suspended) = (args.automated, args.suspended);
            let appoint = |operator: &Operator| Change::Appoint(Operator { automated, suspended, ..operator.clone() });
            let changes: Vec<Change> = args.operators.iter().map(appoint).collect();
            told(kernel.change_operators(&args.act.who, &changes).map_err(failed)?, &args.act.place, output)
        }
        OperatorsCommand::Remove(args) => {
            let kernel = Place::new(&args.act.place.store).open()?;
            let changes: Vec<Change> = args.principals.iter().cloned().map(Change::Remove).collect();
            told(kernel.change_operators(&args.act.who, &changes).map_err(failed)?, &args.act.place, output)
        }
    }
}

fn named(who: &Principal) -> String {
    EntityName { ty: who.ty().to_owned(), id: who.id().to_owned() }.to_string()
}

fn roles(operator: &Operator) -> Vec<&'static str> {
    operator.roles.iter().map(|role| role.name()).collect()
}

fn shown(operators: &[Operator], place: &PlaceArgs, output: &mut Output) -> Result<Status, Failure> {
    match place.format {
        Format::Human => {
            let row = |operator: &Operator| {
                let kind = if operator.automated { "program" } else { "person" };
                let standing = if operator.suspended { "suspended" } else { "on duty" };
                let (who, roles) = (named(&operator.principal), roles(operator).join(", "));
                vec![who, kind.to_owned(), standing.to_owned(), roles]
            };
            let rows: Vec<Vec<String>> = operators.iter().map(row).collect();
            output.data(&table::text(output, &["WHO", "IS", "AND IS", "ROLES"], &rows))?;
        }
        Format::Json => {
            let list = operators.iter().map(|operator| {
                json!({
                    "principal": { "type": operator.principal.ty(), "id": operator.principal.id() },
                    "roles": roles(operator), "automated": operator.automated, "suspended": operator.suspended,
                })
            });
            output.data(&format!("{:#}\n", json!({ "operators": list.collect::<Vec<Value>>() })))?;
        }
    }
    Ok(Status::Success)
}

fn told(version: u64, place: &PlaceArgs, output: &mut Output) -> Result<Status, Failure> {
    match place.format {
        Format::Human => output.say(&format!("version {version} of the operators governs")),
        Format::Json => output.data(&format!("{:#}\n", json!({ "version": version })))?,
    }
    Ok(Status::Success)
}
