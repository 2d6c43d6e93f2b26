//! Reports of plugins on the command line: which there are, and all pages of one.

use anyhow::Result;
use serde_json::{Value as Json, json};

use super::cells::{cell, cells, list as members, text};
use crate::connection::Needs;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{Format, Report};
use crate::path::{path, with_words};

/// Lists all reports, the built-in ones too.
pub(super) fn list(context: &Context) -> Result<Exit> {
    let answer = context.connect(Needs::Plugins)?.get(&path(&["reports"]))?;
    let rows = members(&answer["reports"]).map(|report| {
        let parameters = members(&report["parameters"]).map(|one| {
            let (name, holds) = (text(one, "name"), text(one, "type"));
            let mark = if one["required"] == true { "" } else { "?" };
            format!("{name}{mark}={holds}")
        });
        let mut row = cells(report, &["plugin", "name", "label"]);
        row.push(parameters.collect::<Vec<_>>().join(" "));
        row
    });
    let columns = ["plugin", "report", "label", "takes"];
    context.print(&Report::new(&columns, rows.collect(), answer.clone()).with_whole_cells())
}

/// Runs a report and prints all its pages as one.
pub(super) fn run(
    context: &Context,
    plugin: &str,
    report: &str,
    arguments: &[(String, String)],
) -> Result<Exit> {
    let mut connection = context.connect(Needs::Plugins)?;
    let place = path(&["reports", plugin, report]);
    let (mut rows, mut cursor, mut moved) = (Vec::new(), None, false);
    let last = loop {
        let given = arguments.iter();
        let given = given.map(|(name, value)| (name.as_str(), Some(value.clone())));
        let words: Vec<_> = given.chain([("cursor", cursor.clone())]).collect();
        let mut page = connection.get(&with_words(place.clone(), &words))?;
        if let Json::Array(more) = page["rows"].take() {
            rows.extend(more);
        }
        moved |= page["moved"] == true;
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break page;
        }
    };
    context.print(&printed(context.format, &last, &rows, moved))
}

/// People see what columns are called, programs and sheets their names.
fn printed(format: Format, last: &Json, rows: &[Json], moved: bool) -> Report {
    let columns = &last["columns"];
    let heads = |of| members(columns).map(move |column| text(column, of).to_owned());
    let names: Vec<String> = heads("name").collect();
    let cells = |row: &Json| names.iter().map(|name| cell(&row[name.as_str()])).collect();
    let mut report = Report {
        columns: match format {
            Format::Table => heads("label").collect(),
            _ => names.clone(),
        },
        rows: rows.iter().map(cells).collect(),
        ..Report::default()
    };
    report.json = json!({
        "columns": columns,
        "chart": last["chart"],
        "rows": rows,
        "journal": last["journal"],
        "moved": moved,
    });
    if moved {
        report.note = Some(
            "records changed while the pages were read; run it again for one state".to_owned(),
        );
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_labels_and_sheets_names() {
        let columns =
            json!([{ "name": "month", "label": "Month" }, { "name": "sum", "label": "Sum" }]);
        let rows =
            || vec![json!({ "month": "2026-03", "sum": { "amount": "1.50", "currency": "NOK" } })];
        let last = json!({ "columns": columns, "chart": null, "journal": 7 });
        let made = |format, moved| printed(format, &last, &rows(), moved);
        let table = made(Format::Table, false);
        assert_eq!(table.columns, ["Month", "Sum"]);
        assert_eq!(table.rows, [["2026-03", "1.50 NOK"]]);
        assert!(table.note.is_none());
        let sheet = made(Format::Csv, true);
        assert_eq!(sheet.columns, ["month", "sum"]);
        assert!(sheet.note.is_some() && sheet.json["moved"] == true);
        assert_eq!(sheet.json["rows"][0]["month"], "2026-03");
    }
}
