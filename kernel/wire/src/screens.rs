//! What plugins show people as JSON: pages of reports, cards of panels, scores.

use kjerne_core::Reply;
use kjerne_core::screens::{
    Card, CardAction, Chart, Figure, Row, Scored, Series, Table, TableColumn, Verdict,
};
use kjerne_model::Value;
use serde_json::{Map, Value as Json, json};

use crate::show::{reply, value};

fn cell(held: Option<&Value>) -> Json {
    held.map_or(Json::Null, value)
}

/// Rows as objects, with the names of the columns.
#[must_use]
pub fn rows(columns: &[&str], rows: &[Row]) -> Vec<Json> {
    let row = |row: &Row| {
        let cells = columns.iter().zip(row);
        let cells = cells.map(|(name, held)| ((*name).to_owned(), cell(held.as_ref())));
        Json::Object(cells.collect::<Map<String, Json>>())
    };
    rows.iter().map(row).collect()
}

/// A card.
#[must_use]
pub fn card(card: &Card) -> Json {
    json!({
        "title": card.title,
        "figures": list(&card.figures, figure),
        "tables": list(&card.tables, table),
        "charts": list(&card.charts, chart),
        "actions": list(&card.actions, action),
        "more": reply(&card.more),
    })
}

fn list<T>(items: &[T], one: impl Fn(&T) -> Json) -> Vec<Json> {
    items.iter().map(one).collect()
}

fn figure(figure: &Figure) -> Json {
    json!({
        "name": figure.name,
        "label": figure.label,
        "value": cell(figure.value.as_ref()),
        "unit": figure.unit,
        "trend": figure.trend,
    })
}

fn table(table: &Table) -> Json {
    let column =
        |one: &TableColumn| json!({ "name": one.name, "label": one.label, "type": one.holds });
    let names: Vec<&str> = table.columns.iter().map(|one| one.name.as_str()).collect();
    json!({
        "label": table.label,
        "columns": list(&table.columns, column),
        "rows": rows(&names, &table.rows),
    })
}

fn chart(chart: &Chart) -> Json {
    let point = |(at, held): &(Value, Option<Value>)| json!({ "at": value(at), "value": cell(held.as_ref()) });
    let series = |one: &Series| json!({ "label": one.label, "points": list(&one.points, point) });
    json!({
        "label": chart.label,
        "kind": chart.kind,
        "series": list(&chart.series, series),
    })
}

/// An action a card offers: a command of the plugin's, with arguments as its address takes them.
fn action(action: &CardAction) -> Json {
    let arguments: &Reply = &action.arguments;
    json!({ "action": action.action, "label": action.label, "arguments": reply(arguments) })
}

/// Records with their scores, or why there is none.
#[must_use]
pub fn scores(scored: &[Scored]) -> Vec<Json> {
    list(scored, score)
}

/// A record with its score, or why there is none.
#[must_use]
pub fn score(scored: &Scored) -> Json {
    let subject = scored.subject.to_string();
    match &scored.verdict {
        Verdict::Score {
            points,
            parts,
            more,
        } => {
            let parts = parts.iter().map(
                |part| json!({ "name": part.name, "weight": part.weight, "reason": part.reason }),
            );
            json!({
                "subject": subject,
                "score": points,
                "parts": parts.collect::<Vec<_>>(),
                "abstained": null,
                "more": reply(more),
            })
        }
        Verdict::Abstained(reason) => json!({
            "subject": subject,
            "score": null,
            "parts": [],
            "abstained": reason,
            "more": {},
        }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use kjerne_model::Instant;

    #[test]
    fn rows_go_by_the_names_of_their_columns() {
        let money = kjerne_model::Money {
            minor: 125_000,
            currency: kjerne_model::Currency::new("NOK").unwrap(),
        };
        let at = Instant::parse("2026-03-02T09:00:00Z").unwrap();
        let table = [
            vec![Some(Value::Money(money)), None],
            vec![None, Some(Value::Instant(at))],
        ];
        let shown = rows(&["sum", "at"], &table);
        assert_eq!(
            shown,
            [
                json!({ "sum": { "amount": "1250.00", "currency": "NOK" }, "at": null }),
                json!({ "sum": null, "at": "2026-03-02T09:00:00Z" }),
            ]
        );
    }
}
