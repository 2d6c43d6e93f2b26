//! What a manifest says of reports and panels: which there are, with their columns, and where they are shown.
//! What a plugin answers is held against it.

use std::collections::BTreeSet;

use kjerne_core::limits::Limit;
use kjerne_core::screens::{Card, CardAction, Row, Table};
use kjerne_model::{FieldType, Name, Value, shown};
use serde::Deserialize;

use crate::error::PackageError;
use crate::limits;
use crate::parameters::{
    Command, Parameter, ParameterTable, declared_type, is_of, parameters, type_word, value_type,
};
use crate::words::{check_field, check_word, twice, wrong};

/// The word behind the `?` of a report's address that is no argument.
const CURSOR: &str = "cursor";

/// The kinds of chart a report may hint at.
const CHARTS: [&str; 3] = ["bar", "line", "pie"];

/// A report a plugin offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Its name, `forecast`.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What it takes.
    pub parameters: Vec<Parameter>,
    /// What its rows consist of.
    pub columns: Vec<Column>,
    /// How it may be drawn.
    pub chart: Option<ChartHint>,
}

/// A column of a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What its cells hold.
    pub field_type: FieldType,
}

/// How a report may be drawn.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChartHint {
    /// `bar`, `line` or `pie`.
    pub kind: String,
    /// The column that goes along.
    pub x: String,
    /// The columns that go up.
    pub series: Vec<String>,
}

/// A panel a plugin offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Panel {
    /// Its name, `stage`.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// The kinds beside whose records it stands.
    pub kinds: BTreeSet<Name>,
    /// Whether it stands on the day's page.
    pub today: bool,
}

/// A report as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportTable {
    name: String,
    label: Option<String>,
    #[serde(default)]
    parameters: Vec<ParameterTable>,
    columns: Vec<ColumnTable>,
    chart: Option<ChartTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnTable {
    name: String,
    label: Option<String>,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChartTable {
    kind: String,
    x: String,
    series: Vec<String>,
}

/// A panel as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelTable {
    name: String,
    label: Option<String>,
    #[serde(default)]
    kinds: Vec<String>,
    #[serde(default)]
    today: bool,
}

/// Reads the reports.
pub fn reports(tables: Vec<ReportTable>) -> Result<Vec<Report>, PackageError> {
    few("[[report]]", tables.len(), limits::REPORTS)?;
    let reports: Vec<Report> = tables.into_iter().map(report).collect::<Result<_, _>>()?;
    match twice(reports.iter().map(|report| report.name.as_str())) {
        Some(name) => Err(wrong(&format!("the report {name} is there twice"))),
        None => Ok(reports),
    }
}

fn report(table: ReportTable) -> Result<Report, PackageError> {
    check_word("a report", &table.name)?;
    let of = format!("report {}", table.name);
    few(
        &format!("columns of {of}"),
        table.columns.len(),
        limits::COLUMNS,
    )?;
    if table.columns.is_empty() {
        return Err(wrong(&format!("{of} has no columns")));
    }
    let columns = table.columns.into_iter().map(|column| {
        check_field(&format!("a column of {of}"), &column.name)?;
        let what = format!("the column {} of {of}", column.name);
        Ok(Column {
            label: shown::plain(&column.label.unwrap_or_else(|| column.name.clone())),
            field_type: declared_type(&what, &column.kind)?,
            name: column.name,
        })
    });
    let report = Report {
        label: shown::plain(&table.label.unwrap_or_else(|| table.name.clone())),
        parameters: parameters(&of, table.parameters)?,
        columns: columns.collect::<Result<_, PackageError>>()?,
        chart: table.chart.map(|chart| ChartHint {
            kind: chart.kind,
            x: chart.x,
            series: chart.series,
        }),
        name: table.name,
    };
    report.check(&of)?;
    Ok(report)
}

/// Reads the panels.
pub fn panels(tables: Vec<PanelTable>) -> Result<Vec<Panel>, PackageError> {
    few("[[panel]]", tables.len(), limits::PANELS)?;
    let panels: Vec<Panel> = tables.into_iter().map(panel).collect::<Result<_, _>>()?;
    match twice(panels.iter().map(|panel| panel.name.as_str())) {
        Some(name) => Err(wrong(&format!("the panel {name} is there twice"))),
        None => Ok(panels),
    }
}

fn panel(table: PanelTable) -> Result<Panel, PackageError> {
    check_word("a panel", &table.name)?;
    if table.kinds.is_empty() != table.today {
        return Err(wrong(&format!(
            "the panel {} needs either kinds = [\"…\"], beside whose records it stands, or today = true",
            table.name
        )));
    }
    let kinds = table.kinds.iter().map(|kind| Name::new(kind));
    let kinds = kinds.collect::<Result<_, _>>();
    Ok(Panel {
        label: shown::plain(&table.label.unwrap_or_else(|| table.name.clone())),
        kinds: kinds.map_err(|error| wrong(&format!("the panel {}: {error}", table.name)))?,
        today: table.today,
        name: table.name,
    })
}

fn few(what: &str, found: usize, most: Limit) -> Result<(), PackageError> {
    if found <= most.count() {
        return Ok(());
    }
    let (name, most) = (most.name, most.value);
    Err(wrong(&format!(
        "there are {found} {what}; at most {most} are allowed (limit {name})"
    )))
}

impl Report {
    /// What is wrong between its parts.
    fn check(&self, of: &str) -> Result<(), PackageError> {
        let parameters = self.parameters.iter().map(|one| one.name.as_str());
        let columns = || self.columns.iter().map(|one| one.name.as_str());
        if let Some(name) = twice(parameters.clone()) {
            return Err(wrong(&format!("{of} has the parameter {name} twice")));
        }
        if let Some(name) = twice(columns()) {
            return Err(wrong(&format!("{of} has the column {name} twice")));
        }
        for name in parameters {
            check_field(&format!("a parameter of {of}"), name)?;
            if name == CURSOR {
                let why = "that word names the next page; choose another";
                return Err(wrong(&format!("{of} has a parameter {CURSOR}: {why}")));
            }
        }
        let Some(chart) = &self.chart else {
            return Ok(());
        };
        if !CHARTS.contains(&chart.kind.as_str()) || chart.series.is_empty() {
            let (kind, known) = (&chart.kind, CHARTS.join(", "));
            return Err(wrong(&format!(
                "{of} has a chart of kind {kind:?}; it needs one of {known}, and at least one series"
            )));
        }
        let drawn = chart.series.iter().chain([&chart.x]);
        let mut unknown = drawn.filter(|name| !columns().any(|column| column == name.as_str()));
        unknown.next().map_or(Ok(()), |name| {
            Err(wrong(&format!(
                "the chart of {of} names {name:?}, which is no column"
            )))
        })
    }

    /// What is wrong with the rows of a page, with the row and the column.
    ///
    /// # Errors
    /// The first cell or row that is not as the columns say.
    pub fn check_rows(&self, rows: &[Row]) -> Result<(), String> {
        let columns = self
            .columns
            .iter()
            .map(|one| (one.name.as_str(), &one.field_type));
        check_rows(
            &format!("report {}", self.name),
            &columns.collect::<Vec<_>>(),
            rows,
        )
    }
}

/// Holds rows against the columns they stand under.
fn check_rows(of: &str, columns: &[(&str, &FieldType)], rows: &[Row]) -> Result<(), String> {
    for (place, row) in (1..).zip(rows) {
        if row.len() != columns.len() {
            let (cells, most) = (row.len(), columns.len());
            return Err(format!(
                "row {place} of {of} has {cells} cells, for {most} columns"
            ));
        }
        for ((name, field_type), cell) in columns.iter().zip(row) {
            if let Some(value) = cell.as_ref().filter(|value| !is_of(field_type, value)) {
                let (wanted, found) = (type_word(field_type), told(value));
                return Err(format!(
                    "row {place} of {of} has {found} in the column {name}, which holds {wanted}"
                ));
            }
        }
    }
    Ok(())
}

/// A value's type, with the kind of a reference.
fn told(value: &Value) -> String {
    match value {
        Value::Reference(to) => format!("a reference to {}", to.kind),
        other => other.type_name().to_owned(),
    }
}

/// What is wrong with a card: a cell that is not as its column says, a point that cannot be drawn, an action
/// that the plugin does not declare or with arguments it does not take.
///
/// # Errors
/// The first thing that is wrong.
pub fn check_card(card: &Card, actions: &[Command]) -> Result<(), String> {
    card.tables.iter().try_for_each(check_table)?;
    for series in card.charts.iter().flat_map(|chart| &chart.series) {
        let values = series.points.iter().filter_map(|(_, value)| value.as_ref());
        let is_number = |value: &Value| {
            matches!(
                value,
                Value::Integer(_) | Value::Decimal(_) | Value::Money(_)
            )
        };
        if let Some(wrong) = values.into_iter().find(|value| !is_number(value)) {
            let (label, found) = (shown::plain(&series.label), told(wrong));
            return Err(format!(
                "the series {label:?} has a point of {found}, which is no number"
            ));
        }
    }
    card.actions
        .iter()
        .try_for_each(|action| check_action(action, actions))
}

fn check_table(table: &Table) -> Result<(), String> {
    let label = shown::plain(&table.label);
    let of = format!("the table {label:?}");
    if table.columns.len() > limits::COLUMNS.count() {
        let (most, name) = (limits::COLUMNS.value, limits::COLUMNS.name);
        return Err(format!("{of} has more than {most} columns (limit {name})"));
    }
    if let Some(name) = twice(table.columns.iter().map(|column| column.name.as_str())) {
        return Err(format!(
            "{of} has the column {:?} twice",
            shown::plain(name)
        ));
    }
    let mut columns = Vec::new();
    for column in &table.columns {
        let field_type = value_type(&column.holds).ok_or_else(|| {
            let (name, holds) = (shown::plain(&column.name), shown::plain(&column.holds));
            format!("{of} has a column {name:?} of the type {holds:?}, which there is not")
        })?;
        columns.push((column.name.as_str(), field_type));
    }
    let columns: Vec<(&str, &FieldType)> = columns.iter().map(|(name, of)| (*name, of)).collect();
    check_rows(&of, &columns, &table.rows)
}

fn check_action(asked: &CardAction, actions: &[Command]) -> Result<(), String> {
    let name = shown::plain(&asked.action);
    let Some(action) = actions.iter().find(|action| action.name == asked.action) else {
        return Err(format!(
            "the card offers the action {name:?}, which the manifest does not have"
        ));
    };
    let mut seen = BTreeSet::new();
    for (argument, value) in &asked.arguments {
        let parameter = action.parameters.iter().find(|one| one.name == *argument);
        let argument = shown::plain(argument);
        let Some(parameter) = parameter.filter(|_| seen.insert(argument.clone())) else {
            return Err(format!(
                "the card fills in {argument:?} of the action {name}, which has no such parameter or has it filled \
                 in already"
            ));
        };
        if let Some(value) = value
            .as_ref()
            .filter(|value| !is_of(&parameter.field_type, value))
        {
            let (wanted, found) = (type_word(&parameter.field_type), told(value));
            return Err(format!(
                "the card fills in {argument} of the action {name} with {found}; it holds {wanted}"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::Manifest;

    const GOOD: &str = r#"
        id = "acme.sums"
        version = "0.1.0"
        contract = "0.2.0"
        [roles.report]
        [roles.panel]
        [[report]]
        name = "sums"
        parameters = [{ name = "from", type = "date" }]
        columns = [{ name = "month", label = "Month", type = "text" }, { name = "sum_of", type = "money" }]
        chart = { kind = "bar", x = "month", series = ["sum_of"] }
        [[panel]]
        name = "beside"
        kinds = ["account"]
        [[panel]]
        name = "day"
        today = true
    "#;

    #[test]
    fn reports_and_panels_are_read_whole() {
        let manifest = Manifest::parse(GOOD).unwrap();
        let report = &manifest.reports[0];
        assert_eq!(
            (report.label.as_str(), report.columns[0].label.as_str()),
            ("sums", "Month")
        );
        assert_eq!(type_word(&report.columns[1].field_type), "money");
        assert_eq!(report.chart.as_ref().unwrap().series, ["sum_of"]);
        assert!(manifest.panels[0].kinds.contains("account") && !manifest.panels[0].today);
        assert!(manifest.panels[1].kinds.is_empty() && manifest.panels[1].today);
    }

    #[test]
    fn what_does_not_fit_together_is_told() {
        for (from, to, told) in [
            (
                "[roles.report]",
                "[roles.action]",
                "[[report]] and [roles.report] belong together",
            ),
            (
                "[roles.panel]",
                "",
                "[[panel]] and [roles.panel] belong together",
            ),
            ("name = \"sums\"", "name = \"Sums\"", "small letters"),
            (
                "type = \"money\"",
                "type = \"area\"",
                "the column sum_of of report sums has the type",
            ),
            (
                "name = \"from\"",
                "name = \"cursor\"",
                "names the next page",
            ),
            (
                "name = \"sum_of\"",
                "name = \"month\"",
                "has the column month twice",
            ),
            (
                "name = \"sum_of\"",
                "name = \"sum of\"",
                "a column of report sums",
            ),
            ("kind = \"bar\"", "kind = \"cake\"", "bar, line, pie"),
            (
                "x = \"month\"",
                "x = \"week\"",
                "names \"week\", which is no column",
            ),
            (
                "series = [\"sum_of\"]",
                "series = []",
                "at least one series",
            ),
            ("today = true", "", "either kinds"),
            (
                "today = true",
                "today = true\nkinds = [\"account\"]",
                "either kinds",
            ),
            (
                "name = \"day\"",
                "name = \"beside\"",
                "the panel beside is there twice",
            ),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD, "{from} changes nothing");
            let message = Manifest::parse(&text).unwrap_err().to_string();
            assert!(message.contains(told), "{told}: {message}");
        }
    }

    #[test]
    fn as_many_are_taken_as_the_limits_say_and_no_more() {
        let columns = |count: usize| {
            let columns = (0..count).map(|n| format!("{{ name = \"c{n}\", type = \"text\" }}"));
            columns.collect::<Vec<_>>().join(", ")
        };
        let report = |name: usize, count| {
            format!(
                "[[report]]\nname = \"r{name}\"\ncolumns = [{}]\n",
                columns(count)
            )
        };
        let panel = |name: usize| format!("[[panel]]\nname = \"p{name}\"\ntoday = true\n");
        let check = |role: &str, tables: String, limit: Limit, taken: bool| {
            let text = format!(
                "id = \"a\"\nversion = \"0.1.0\"\ncontract = \"0.2.0\"\n[roles.{role}]\n{tables}"
            );
            let told = Manifest::parse(&text).map_err(|error| error.to_string());
            assert_eq!(told.is_ok(), taken, "{}: {told:?}", limit.name);
            let names = told.err().is_none_or(|told| {
                told.contains(limit.name) && told.contains(&limit.value.to_string())
            });
            assert!(names, "{}", limit.name);
        };
        for (more, taken) in [(0, true), (1, false)] {
            let many = |limit: Limit| 0..limit.count() + more;
            let reports = many(limits::REPORTS).map(|name| report(name, 1)).collect();
            check("report", reports, limits::REPORTS, taken);
            check(
                "panel",
                many(limits::PANELS).map(panel).collect(),
                limits::PANELS,
                taken,
            );
            check(
                "report",
                report(0, limits::COLUMNS.count() + more),
                limits::COLUMNS,
                taken,
            );
        }
    }
}
