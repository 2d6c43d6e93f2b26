//! What plugins show people, from the contract's records to plain data.

use kjerne_core::screens::{
    Card, CardAction, Chart, Figure, ReportPage, Row, ScorePart, Scored, Series, Table,
    TableColumn, Verdict,
};
use kjerne_model::{ParseError, Value};

use super::answers::list;
use super::v0_2_0::exports::{panel, report, scoring};
use super::v0_2_0::{reference_in, reply_in, types, value_in};

/// What a record of the contract becomes.
type Taken<T> = Result<T, ParseError>;

/// A page of a report.
pub fn report_page(from: report::Page) -> Taken<ReportPage> {
    Ok(ReportPage {
        rows: list(from.rows, row)?,
        next: from.next,
        more: reply_in(from.more)?,
    })
}

fn row(cells: Vec<Option<types::Value>>) -> Taken<Row> {
    list(cells, maybe)
}

fn maybe(value: Option<types::Value>) -> Taken<Option<Value>> {
    value.map(value_in).transpose()
}

/// A card.
pub fn card(from: panel::Card) -> Taken<Card> {
    Ok(Card {
        title: from.title,
        figures: list(from.figures, figure)?,
        tables: list(from.tables, table)?,
        charts: list(from.charts, chart)?,
        actions: list(from.actions, action)?,
        more: reply_in(from.more)?,
    })
}

fn figure(from: panel::Figure) -> Taken<Figure> {
    Ok(Figure {
        name: from.name,
        label: from.label,
        value: maybe(from.value)?,
        unit: from.unit,
        trend: from.trend,
    })
}

fn table(from: panel::Table) -> Taken<Table> {
    let column = |from: panel::Column| TableColumn {
        name: from.name,
        label: from.label,
        holds: from.holds,
    };
    Ok(Table {
        label: from.label,
        columns: from.columns.into_iter().map(column).collect(),
        rows: list(from.rows, row)?,
    })
}

fn chart(from: panel::Chart) -> Taken<Chart> {
    let point = |from: panel::Point| Ok((value_in(from.at)?, maybe(from.value)?));
    let series = |from: panel::Series| {
        Ok(Series {
            label: from.label,
            points: list(from.points, point)?,
        })
    };
    Ok(Chart {
        label: from.label,
        kind: from.kind,
        series: list(from.series, series)?,
    })
}

fn action(from: panel::CardAction) -> Taken<CardAction> {
    Ok(CardAction {
        action: from.action,
        label: from.label,
        arguments: reply_in(from.arguments)?,
    })
}

/// A record with its verdict.
pub fn scored(from: scoring::ScoredRecord) -> Taken<Scored> {
    let part = |from: scoring::ScorePart| ScorePart {
        name: from.name,
        weight: from.weight,
        reason: from.reason,
    };
    let verdict = match from.verdict {
        scoring::Verdict::Rated(rating) => Verdict::Score {
            points: rating.points,
            parts: rating.parts.into_iter().map(part).collect(),
            more: reply_in(rating.more)?,
        },
        scoring::Verdict::Abstained(reason) => Verdict::Abstained(reason),
    };
    Ok(Scored {
        subject: reference_in(&from.subject)?,
        verdict,
    })
}
