//! What plugins cost, on the command line: the ledger, what they cost now, and what they cost a commit.

use std::io::{self, IsTerminal as _, Write as _};
use std::thread;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value as Json;

use super::cells::{cell, list as members, text};
use crate::connection::Needs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Format, Report};
use crate::path::{path, with_words};
use crate::plugin_args::CostArgs;

/// How often `plugin top` looks again.
const LOOK: Duration = Duration::from_secs(2);

/// The figures that every table of costs ends with.
const FIGURES: [&str; 10] = [
    "calls",
    "faults",
    "fuel",
    "fuel/call",
    "micros",
    "micros/call",
    "p50",
    "p99",
    "memory KiB",
    "rows",
];

pub(crate) fn cost(context: &Context, args: &CostArgs) -> Result<Exit> {
    let words = [
        ("plugin", args.plugin.clone()),
        ("since", args.since.clone()),
        ("by", Some(args.by.clone())),
    ];
    let answer = context
        .connect(Needs::Data)?
        .get(&with_words(path(&["costs"]), &words))?;
    let about: &[&str] = match args.by.as_str() {
        "role" => &["plugin", "role", "runtime"],
        "kind" => &["plugin", "kind", "runtime"],
        "version" => &["plugin", "version", "runtime"],
        _ => &["day", "plugin", "version", "role"],
    };
    context.print(&table(&answer, about))
}

pub(crate) fn top(context: &Context, plugin: Option<&str>, once: bool) -> Result<Exit> {
    let words = [("plugin", plugin.map(str::to_owned))];
    let place = with_words(path(&["costs", "recent"]), &words);
    let look = || -> Result<Report> {
        let answer = context.connect(Needs::Data)?.get(&place)?;
        let report = table(&answer, &["plugin", "version", "role"]);
        Ok(report.with_note("what calls of the server used within the last minute"))
    };
    if once || context.format == Format::Json || !io::stdout().is_terminal() {
        return context.print(&look()?);
    }
    loop {
        let report = look()?;
        let mut out = io::stdout().lock();
        // From the upper left corner of an empty screen.
        out.write_all(b"\x1b[2J\x1b[H")?;
        drop(out);
        context.print(&report)?;
        thread::sleep(LOOK);
    }
}

fn table(answer: &Json, about: &[&str]) -> Report {
    let number = |row: &Json, name: &str| row[name].as_u64().unwrap_or_default();
    let rows = members(&answer["costs"]).map(|row| {
        let calls = number(row, "calls").max(1);
        let mut cells: Vec<String> = about.iter().map(|name| named(row, name)).collect();
        cells.extend([
            number(row, "calls").to_string(),
            number(row, "faults").to_string(),
            number(row, "fuel").to_string(),
            (number(row, "fuel") / calls).to_string(),
            number(row, "micros").to_string(),
            (number(row, "micros") / calls).to_string(),
            cell(&row["micros_p50"]),
            cell(&row["micros_p99"]),
            (number(row, "memory") >> 10).to_string(),
            number(row, "rows").to_string(),
        ]);
        cells
    });
    let columns: Vec<&str> = about.iter().copied().chain(FIGURES).collect();
    Report::new(&columns, rows.collect(), answer.clone()).with_numbers(about.len()..columns.len())
}

/// What a row is about; a month by its name and not by its first day.
fn named(row: &Json, name: &str) -> String {
    let value = cell(&row[name]);
    match (name, row["month"] == true) {
        ("day", true) => value.get(..7).unwrap_or(&value).to_owned(),
        _ => value,
    }
}

/// A line for each plugin of what it cost a commit.
pub(crate) fn of_commit(receipt: &Json) -> Vec<String> {
    let costs = members(&receipt["costs"]).map(|cost| {
        let tries = match cost["calls"].as_u64() {
            None | Some(0 | 1) => String::new(),
            Some(calls) => format!(", asked {calls} times"),
        };
        format!(
            "plugin {} cost as {}: fuel {}, {} µs, {} rows read{tries}",
            text(cost, "plugin"),
            text(cost, "role"),
            cell(&cost["fuel"]),
            cell(&cost["micros"]),
            cell(&cost["reads"]),
        )
    });
    costs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_month_is_told_from_its_first_day() {
        let row = |month| json!({ "day": "2026-03-01", "month": month });
        assert_eq!(named(&row(true), "day"), "2026-03");
        assert_eq!(named(&row(false), "day"), "2026-03-01");
    }
}
