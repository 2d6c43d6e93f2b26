//! Panels on the command line: what plugins show beside a record, or on the day's page.

use anyhow::Result;
use serde_json::Value as Json;

use super::cells::{cell, list, text};
use crate::args::PanelArgs;
use crate::connection::Needs;
use crate::context::Context;
use crate::exit::{Exit, usage};
use crate::output::{Format, Report};
use crate::path::path;
use kjerne_model::shown;

pub(crate) fn run(context: &Context, args: &PanelArgs) -> Result<Exit> {
    let place = match (args.kind.as_str(), &args.id) {
        ("today", None) => path(&["panels", "today"]),
        ("today", Some(_)) => return Err(usage("panel today takes no id")),
        (kind, Some(id)) => path(&["panels", kind, id]),
        (_, None) => return Err(usage("say whose panels: panel KIND ID, or panel today")),
    };
    let answer = context.connect(Needs::Plugins)?.get(&place)?;
    context.print(&match context.format {
        Format::Csv => sheet(&answer),
        _ => Report::of_note(page(&answer)?, answer.clone()),
    })
}

/// All panels, one below the other.
fn page(answer: &Json) -> Result<String> {
    let mut parts = Vec::new();
    for panel in list(&answer["panels"]) {
        parts.push(match panel["fault"].is_null() {
            true => card(panel)?,
            false => {
                let (plugin, why) = (text(panel, "plugin"), text(&panel["fault"], "detail"));
                format!("{} ({plugin}): {}", text(panel, "label"), shown::plain(why))
            }
        });
    }
    if parts.is_empty() {
        parts.push("no plugin shows anything here".to_owned());
    }
    if answer["complete"] != true {
        parts.push(
            "there are more panels than were asked for; kjerne limits says how many".to_owned(),
        );
    }
    Ok(parts.join("\n\n"))
}

fn card(panel: &Json) -> Result<String> {
    let card = &panel["card"];
    let mut lines = vec![shown::plain(text(card, "title"))];
    let figures =
        list(&card["figures"]).map(|one| vec![text(one, "label").to_owned(), figure(one)]);
    let figures: Vec<Vec<String>> = figures.collect();
    if !figures.is_empty() {
        lines.push(table("", &["", ""], figures)?);
    }
    for one in list(&card["tables"]) {
        let labels: Vec<&str> = list(&one["columns"])
            .map(|column| text(column, "label"))
            .collect();
        lines.push(table(text(one, "label"), &labels, rows(one))?);
    }
    for chart in list(&card["charts"]) {
        let of = |series: &Json| {
            let label = text(series, "label").to_owned();
            let points = list(&series["points"]);
            let points =
                points.map(|one| vec![label.clone(), cell(&one["at"]), cell(&one["value"])]);
            points.collect::<Vec<_>>()
        };
        let points = list(&chart["series"]).flat_map(of);
        lines.push(table(
            text(chart, "label"),
            &["", "", ""],
            points.collect(),
        )?);
    }
    lines.extend(list(&card["actions"]).map(|one| offered(text(panel, "plugin"), one)));
    Ok(lines.join("\n"))
}

/// A value with its unit and its trend.
fn figure(figure: &Json) -> String {
    let parts = [cell(&figure["value"]), cell(&figure["unit"]), trend(figure)];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

fn trend(figure: &Json) -> String {
    match text(figure, "trend") {
        "" => String::new(),
        word => format!("({word})"),
    }
}

fn rows(table: &Json) -> Vec<Vec<String>> {
    let names: Vec<&str> = list(&table["columns"])
        .map(|column| text(column, "name"))
        .collect();
    let cells = |row: &Json| names.iter().map(|name| cell(&row[*name])).collect();
    list(&table["rows"]).map(cells).collect()
}

fn table(label: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Result<String> {
    let mut out = Vec::new();
    if !label.is_empty() {
        out.extend_from_slice(format!("{}\n", shown::plain(label)).as_bytes());
    }
    Report::new(columns, rows, Json::Null)
        .with_whole_cells()
        .write(Format::Table, &mut out)?;
    Ok(String::from_utf8_lossy(&out).trim_end().to_owned())
}

/// An action as it is typed.
fn offered(plugin: &str, action: &Json) -> String {
    let arguments = action["arguments"].as_object().into_iter().flatten();
    let arguments = arguments.map(|(name, value)| format!(" {name}={}", cell(value)));
    let label = match text(action, "label") {
        "" => text(action, "action"),
        label => label,
    };
    let line = format!(
        "{label}: kjerne action {plugin} {}{}",
        text(action, "action"),
        arguments.collect::<String>()
    );
    shown::plain(&line)
}

/// Every value by its place, for sheets.
fn sheet(answer: &Json) -> Report {
    let mut all = Vec::new();
    for panel in list(&answer["panels"]) {
        let mut add = |part: &str, name: &str, value: String| {
            let (plugin, of) = (text(panel, "plugin"), text(panel, "panel"));
            let row = [plugin, of, part, name].map(str::to_owned);
            all.push(row.into_iter().chain([value]).collect::<Vec<_>>());
        };
        if !panel["fault"].is_null() {
            add("fault", "", cell(&panel["fault"]["detail"]));
        }
        for one in list(&panel["card"]["figures"]) {
            add("figure", text(one, "name"), cell(&one["value"]));
        }
        for table in list(&panel["card"]["tables"]) {
            for (place, row) in (1..).zip(list(&table["rows"])) {
                let part = format!("{} {place}", text(table, "label"));
                for (name, value) in row.as_object().into_iter().flatten() {
                    add(&part, name, cell(value));
                }
            }
        }
        for series in list(&panel["card"]["charts"]).flat_map(|chart| list(&chart["series"])) {
            for point in list(&series["points"]) {
                add(
                    text(series, "label"),
                    &cell(&point["at"]),
                    cell(&point["value"]),
                );
            }
        }
    }
    Report::new(
        &["plugin", "panel", "part", "name", "value"],
        all,
        Json::Null,
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    fn answer() -> Json {
        let columns = json!([{ "name": "job", "label": "Job", "type": "text" }]);
        json!({ "complete": false, "panels": [
            { "plugin": "p", "panel": "a", "label": "A", "fault": null, "card": {
                "title": "Deal", "more": {},
                "figures": [{ "name": "days", "label": "In stage", "value": 12, "unit": "days", "trend": "bad" }],
                "tables": [{ "label": "Jobs", "columns": columns, "rows": [{ "job": "need" }] }],
                "charts": [{ "label": "Far", "kind": "bar", "series": [
                    { "label": "s", "points": [{ "at": "need", "value": 5 }] },
                ] }],
                "actions": [{ "action": "advance", "label": "", "arguments": { "deal": "opportunity/1" } }],
            } },
            { "plugin": "q", "panel": "b", "label": "B", "card": null, "fault": { "detail": "it broke" } },
        ] })
    }

    #[test]
    fn a_page_holds_every_card_and_every_fault() {
        let page = page(&answer()).unwrap();
        for part in [
            "Deal",
            "12 days (bad)",
            "Jobs",
            "need",
            "advance: kjerne action p advance deal=opportunity/1",
            "B (q): it broke",
            "more panels",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }

    #[test]
    fn a_sheet_has_every_value_by_its_place() {
        let sheet = sheet(&answer());
        assert_eq!(
            sheet.rows,
            [
                ["p", "a", "figure", "days", "12"],
                ["p", "a", "Jobs 1", "job", "need"],
                ["p", "a", "s", "need", "5"],
                ["q", "b", "fault", "", "it broke"],
            ]
        );
    }
}
