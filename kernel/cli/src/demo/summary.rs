//! What the demo tells in the end, as a person reads it and as one JSON object.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use kjerne_store::costs::CostRow;
use serde_json::{Value as Json, json};

use crate::commands::reports;
use crate::output::{Format, Report};
use kjerne_bench::demo::load::Loaded;

/// Everything the demo tells.
pub struct Summary {
    /// What loading came to.
    pub loaded: Loaded,
    /// Seconds it took.
    pub seconds: f64,
    /// The records there are, by kind.
    pub records: BTreeMap<String, usize>,
    /// The report of that name.
    pub pipeline: Json,
    /// The report of that name.
    pub service_levels: Json,
    /// What each plugin cost, by role.
    pub costs: Vec<CostRow>,
    /// Messages waiting to be delivered.
    pub outbox: usize,
    /// Journal entries plugins gave up on.
    pub parked: usize,
}

impl Summary {
    /// One JSON object.
    pub fn json(&self) -> Json {
        json!({
            "records": self.records,
            "loaded": {
                "commits": self.loaded.commits,
                "changes": self.loaded.changes,
                "seconds": self.seconds,
                "refused_unexpectedly": self.loaded.unexpected,
            },
            "pipeline": self.pipeline["pipeline"],
            "service_levels": self.service_levels,
            "refusals": self.loaded.refusals.iter().map(|(rule, (count, example))| json!({
                "rule": rule, "count": count, "example": example,
            })).collect::<Vec<_>>(),
            "plugins": self.costs.iter().map(|cost| json!({
                "plugin": cost.plugin,
                "role": cost.role,
                "calls": cost.spent.calls,
                "fuel": cost.spent.fuel,
                "fuel_per_call": cost.spent.fuel / cost.spent.calls.max(1),
                "micros": cost.spent.micros,
                "micros_per_call": cost.spent.micros as f64 / cost.spent.calls.max(1) as f64,
                "faults": cost.spent.faults,
            })).collect::<Vec<_>>(),
            "outbox_waiting": self.outbox,
            "parked": self.parked,
        })
    }

    /// Pages of tables.
    ///
    /// # Errors
    /// When a table cannot be written.
    pub fn text(&self) -> Result<String> {
        let mut out = String::new();
        let there = self.records.iter().filter(|(_, count)| **count > 0);
        let records: Vec<String> = there
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        writeln!(out, "Records   {}", records.join(", "))?;
        writeln!(
            out,
            "Loaded    {} changes in {} commits, {:.1} s, every one asked of the plugins\n",
            self.loaded.changes, self.loaded.commits, self.seconds
        )?;
        writeln!(
            out,
            "Pipeline, and how far the customers are with their own jobs"
        )?;
        writeln!(out, "{}", table(&reports::pipeline(&self.pipeline))?)?;
        writeln!(out, "Service levels")?;
        writeln!(
            out,
            "{}",
            table(&reports::service_levels(&self.service_levels))?
        )?;
        writeln!(out, "Refused, by rule\n{}", table(&self.refusals())?)?;
        writeln!(out, "What the plugins cost\n{}", table(&self.cost_table())?)?;
        writeln!(
            out,
            "{} messages wait in the outbox, {} reactions are parked.",
            self.outbox, self.parked
        )?;
        Ok(out)
    }

    fn refusals(&self) -> Report {
        let rows =
            self.loaded.refusals.iter().map(|(rule, (count, example))| {
                vec![rule.clone(), count.to_string(), example.clone()]
            });
        let columns = ["Rule", "Times", "What the person was told"];
        Report::new(&columns, rows.collect(), Json::Null)
            .with_numbers(1..2)
            .with_whole_cells()
    }

    fn cost_table(&self) -> Report {
        let rows = self.costs.iter().map(|cost| {
            let calls = cost.spent.calls.max(1);
            vec![
                cost.plugin.clone(),
                cost.role.clone(),
                cost.spent.calls.to_string(),
                cost.spent.fuel.to_string(),
                (cost.spent.fuel / calls).to_string(),
                format!("{:.1}", cost.spent.micros as f64 / calls as f64),
                cost.spent.faults.to_string(),
            ]
        });
        let columns = [
            "Plugin",
            "Role",
            "Calls",
            "Fuel",
            "Fuel/call",
            "µs/call",
            "Faults",
        ];
        Report::new(&columns, rows.collect(), Json::Null).with_numbers(2..7)
    }
}

fn table(report: &Report) -> Result<String> {
    let mut out = Vec::new();
    report.write(Format::Table, &mut out)?;
    Ok(String::from_utf8(out)?)
}
