//! Figures of the whole workspace on the command line.

use anyhow::Result;
use kjerne_model::Currency;
use serde_json::Value as Json;

use super::cells::{cell, list, text};
use super::plugin_reports;
use crate::args::ReportCommand;
use crate::connection::Needs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::Report;
use crate::path::path;

pub(crate) fn run(context: &Context, command: &ReportCommand) -> Result<Exit> {
    let (name, report): (&str, fn(&Json) -> Report) = match command {
        ReportCommand::Pipeline => ("pipeline", pipeline),
        ReportCommand::ServiceLevels => ("service-levels", service_levels),
        ReportCommand::List => return plugin_reports::list(context),
        ReportCommand::Run {
            plugin,
            report,
            arguments,
        } => return plugin_reports::run(context, plugin, report, arguments),
    };
    let mut connection = context.connect(Needs::Plugins)?;
    let answer = connection.get(&path(&["reports", name]))?;
    let whole = answer["complete"] == true;
    let mut report = report(&answer);
    if !whole {
        report = report.with_note("there are more records than a report reads");
    }
    context.print(&report)
}

/// Opportunities by stage, and how far the customers are with their own jobs.
pub(crate) fn pipeline(answer: &Json) -> Report {
    let rows = list(&answer["pipeline"]).map(|stage| {
        let progress = match cell(&stage["buying_progress_percent"]) {
            none if none.is_empty() => none,
            percent => format!("{percent} %"),
        };
        vec![
            text(stage, "label").to_owned(),
            cell(&stage["count"]),
            amounts(&stage["value_minor"]),
            amounts(&stage["weighted_minor"]),
            progress,
            cell(&stage["gap_points"]),
            cell(&stage["no_decision_at_risk"]),
        ]
    });
    let columns = [
        "Stage",
        "Count",
        "Value",
        "Weighted",
        "Their progress",
        "Gap",
        "May not decide",
    ];
    Report::new(&columns, rows.collect(), answer.clone()).with_numbers(1..7)
}

/// Service targets by priority.
pub(crate) fn service_levels(answer: &Json) -> Report {
    let first = answer["first_response"].as_object().into_iter().flatten();
    let rows = first.map(|(priority, first)| {
        let resolution = &answer["resolution"][priority];
        let figures = |targets: &Json| {
            ["met", "missed", "running"].map(|name| match targets[name].as_u64() {
                Some(count) => count.to_string(),
                None => "0".to_owned(),
            })
        };
        let mut row = vec![priority.clone()];
        row.extend(figures(first));
        row.extend(figures(resolution));
        row
    });
    let columns = [
        "Priority",
        "Answered in time",
        "late",
        "running",
        "Resolved in time",
        "late",
        "running",
    ];
    let note = format!("{} escalation steps done", cell(&answer["escalations"]));
    Report::new(&columns, rows.collect(), answer.clone())
        .with_numbers(1..7)
        .with_note(note)
}

/// Sums are never mixed across currencies; each is shown in whole major units.
fn amounts(by_currency: &Json) -> String {
    let sums = by_currency.as_object().into_iter().flatten();
    let shown = sums.filter_map(|(code, minor)| {
        let currency = Currency::new(code).ok()?;
        let unit = 10i128.pow(u32::from(currency.exponent()));
        let minor: i128 = cell(minor).parse().ok()?;
        Some(format!("{} {code}", grouped(minor / unit)))
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// `1 250 000`
fn grouped(number: i128) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(' ');
        }
        out.push(digit);
    }
    if number < 0 { format!("-{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn sums_stand_beside_each_other_by_currency() {
        let sums = json!({ "EUR": -123_456_700, "JPY": 5_000 });
        assert_eq!(amounts(&sums), "-1 234 567 EUR, 5 000 JPY");
    }
}
