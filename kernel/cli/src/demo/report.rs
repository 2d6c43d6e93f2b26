//! The summary as a person reads it and as one JSON object.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table};
use kjerne_model::{Currency, Money};
use kjerne_store::costs::CostRow;
use serde_json::{Value as Json, json};

use super::load::Loaded;
use super::summary::{Figures, StageFigures, Targets};
use crate::output::STYLE;

/// Everything the demo tells.
pub struct Report {
    /// What loading came to.
    pub loaded: Loaded,
    /// Seconds it took.
    pub seconds: f64,
    /// The figures of the records.
    pub figures: Figures,
    /// The stages in the order of their pipelines: name and label.
    pub stages: Vec<(String, String)>,
    /// What each plugin cost, by role.
    pub costs: Vec<CostRow>,
    /// Messages waiting to be delivered.
    pub outbox: usize,
    /// Journal entries plugins gave up on.
    pub parked: usize,
}

impl Report {
    /// One JSON object.
    pub fn json(&self) -> Json {
        json!({
            "records": self.figures.records,
            "loaded": {
                "commits": self.loaded.commits,
                "changes": self.loaded.changes,
                "seconds": self.seconds,
                "refused_unexpectedly": self.loaded.unexpected,
            },
            "pipeline": self.ordered().iter().map(|(name, label, stage)| json!({
                "stage": name,
                "label": label,
                "count": stage.count,
                "value_minor": stage.value,
                "weighted_minor": stage.weighted,
                "buying_progress_percent": stage.mean(stage.progress),
                "gap_points": stage.mean(stage.gap),
                "no_decision_at_risk": stage.at_risk,
                "assessed": stage.assessed,
            })).collect::<Vec<_>>(),
            "service_levels": {
                "first_response": targets_json(&self.figures.first_response),
                "resolution": targets_json(&self.figures.resolution),
                "escalations": self.figures.escalations,
            },
            "refusals": self.loaded.refusals.iter().map(|(rule, (count, example))| json!({
                "rule": rule, "count": count, "example": example,
            })).collect::<Vec<_>>(),
            "plugins": self.costs.iter().map(|cost| json!({
                "plugin": cost.plugin,
                "role": cost.role,
                "calls": cost.calls,
                "fuel": cost.fuel,
                "fuel_per_call": cost.fuel / cost.calls.max(1),
                "micros": cost.micros,
                "micros_per_call": cost.micros as f64 / cost.calls.max(1) as f64,
                "faults": cost.faults,
            })).collect::<Vec<_>>(),
            "outbox_waiting": self.outbox,
            "parked": self.parked,
        })
    }

    /// The stages in their pipelines' order, then those no pipeline has.
    fn ordered(&self) -> Vec<(String, String, StageFigures)> {
        let mut rest = self.figures.stages.clone();
        let mut ordered: Vec<(String, String, StageFigures)> = Vec::new();
        for (name, label) in &self.stages {
            if let Some(figures) = rest.remove(name) {
                ordered.push((name.clone(), label.clone(), figures));
            }
        }
        ordered.extend(
            rest.into_iter()
                .map(|(name, figures)| (name.clone(), name, figures)),
        );
        ordered
    }

    /// Pages of tables.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let records: Vec<String> = self
            .figures
            .records
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(kind, count)| format!("{count} {kind}"))
            .collect();
        let _ = writeln!(out, "Records   {}", records.join(", "));
        let _ = writeln!(
            out,
            "Loaded    {} changes in {} commits, {:.1} s, every one asked of the plugins\n",
            self.loaded.changes, self.loaded.commits, self.seconds
        );
        let _ = writeln!(
            out,
            "Pipeline, and how far the customers are with their own jobs"
        );
        let _ = writeln!(out, "{}\n", self.pipeline_table());
        let _ = writeln!(
            out,
            "Service levels ({} escalation steps done)",
            self.figures.escalations
        );
        let _ = writeln!(out, "{}\n", self.service_table());
        let _ = writeln!(out, "Refused, by rule\n{}\n", self.refusal_table());
        let _ = writeln!(out, "What the plugins cost\n{}", self.cost_table());
        let _ = writeln!(
            out,
            "{} messages wait in the outbox, {} reactions are parked.",
            self.outbox, self.parked
        );
        out
    }

    fn pipeline_table(&self) -> Table {
        let mut table = plain(&[
            "Stage",
            "Count",
            "Value",
            "Weighted",
            "Their progress",
            "Gap",
            "May not decide",
        ]);
        for (_, label, stage) in self.ordered() {
            let mean = |sum| {
                stage
                    .mean(sum)
                    .map_or_else(String::new, |mean| format!("{mean}"))
            };
            let percent = stage
                .mean(stage.progress)
                .map_or_else(String::new, |mean| format!("{mean} %"));
            table.add_row(vec![
                label,
                stage.count.to_string(),
                amounts(&stage.value),
                amounts(&stage.weighted),
                percent,
                mean(stage.gap),
                stage.at_risk.to_string(),
            ]);
        }
        right(table, 1..7)
    }

    fn service_table(&self) -> Table {
        let mut table = plain(&[
            "Priority",
            "Answered in time",
            "late",
            "running",
            "Resolved in time",
            "late",
            "running",
        ]);
        for (priority, first) in &self.figures.first_response {
            let resolution = self
                .figures
                .resolution
                .get(priority)
                .copied()
                .unwrap_or_default();
            let numbers = [
                first.met,
                first.missed,
                first.running,
                resolution.met,
                resolution.missed,
                resolution.running,
            ];
            let mut row = vec![priority.clone()];
            row.extend(numbers.iter().map(ToString::to_string));
            table.add_row(row);
        }
        right(table, 1..7)
    }

    fn refusal_table(&self) -> Table {
        let mut table = plain(&["Rule", "Times", "What the person was told"]);
        for (rule, (count, example)) in &self.loaded.refusals {
            table.add_row(vec![rule.clone(), count.to_string(), example.clone()]);
        }
        right(table, 1..2)
    }

    fn cost_table(&self) -> Table {
        let mut table = plain(&[
            "Plugin",
            "Role",
            "Calls",
            "Fuel",
            "Fuel/call",
            "µs/call",
            "Faults",
        ]);
        for cost in &self.costs {
            let calls = cost.calls.max(1);
            table.add_row(vec![
                cost.plugin.clone(),
                cost.role.clone(),
                cost.calls.to_string(),
                cost.fuel.to_string(),
                (cost.fuel / calls).to_string(),
                format!("{:.1}", cost.micros as f64 / calls as f64),
                cost.faults.to_string(),
            ]);
        }
        right(table, 2..7)
    }
}

impl StageFigures {
    fn mean(&self, sum: i64) -> Option<i64> {
        (self.assessed > 0).then(|| sum / self.assessed as i64)
    }
}

fn targets_json(targets: &BTreeMap<String, Targets>) -> Json {
    let rows = targets.iter().map(|(priority, t)| {
        (
            priority.clone(),
            json!({ "met": t.met, "missed": t.missed, "running": t.running }),
        )
    });
    Json::Object(rows.collect())
}

/// Sums are never mixed across currencies; each is shown in whole major units.
fn amounts(by_currency: &BTreeMap<String, i64>) -> String {
    let shown = by_currency.iter().filter_map(|(code, minor)| {
        let currency = Currency::new(code).ok()?;
        let unit = 10i64.pow(u32::from(currency.exponent()));
        let whole = Money {
            minor: minor / unit * unit,
            currency,
        };
        Some(format!("{} {code}", grouped(whole.minor / unit)))
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// `1 250 000`
fn grouped(number: i64) -> String {
    let digits = number.abs().to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    if number < 0 { format!("-{out}") } else { out }
}

fn plain(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(header.to_vec());
    table
}

fn right(mut table: Table, columns: std::ops::Range<usize>) -> Table {
    for index in columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
