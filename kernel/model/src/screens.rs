//! What plugins show people, as plain data: pages of reports, cards of panels, scores. They mirror the
//! contract's records; words and their meaning are explained there.

use crate::id::Reference;
use crate::models::Reply;
use crate::value::Value;

/// A row of cells; one without a value is empty.
pub type Row = Vec<Option<Value>>;

/// Some rows of a report.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct ReportPage {
    /// The rows, each as long as the report has columns.
    pub rows: Vec<Row>,
    /// Where the next page begins, in the plugin's own words.
    pub next: Option<String>,
    /// Further named values.
    pub more: Reply,
}

/// A card of a panel.
#[derive(Clone, PartialEq, Debug, Default)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Card {
    pub title: String,
    pub figures: Vec<Figure>,
    pub tables: Vec<Table>,
    pub charts: Vec<Chart>,
    pub actions: Vec<CardAction>,
    pub more: Reply,
}

/// One number or word that stands for itself.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Figure {
    pub name: String,
    pub label: String,
    pub value: Option<Value>,
    pub unit: String,
    pub trend: String,
}

/// Rows under columns.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Table {
    pub label: String,
    pub columns: Vec<TableColumn>,
    pub rows: Vec<Row>,
}

/// A column of a table.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct TableColumn {
    pub name: String,
    pub label: String,
    pub holds: String,
}

/// A chart.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Chart {
    pub label: String,
    pub kind: String,
    pub series: Vec<Series>,
}

/// One line, or one colour of bars, of a chart.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct Series {
    pub label: String,
    pub points: Vec<(Value, Option<Value>)>,
}

/// An action of the plugin's own, with arguments filled in.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct CardAction {
    pub action: String,
    pub label: String,
    pub arguments: Reply,
}

/// A record with what came of scoring it.
#[derive(Clone, PartialEq, Debug)]
pub struct Scored {
    /// The record.
    pub subject: Reference,
    /// What came of it.
    pub verdict: Verdict,
}

/// What came of scoring a record.
#[derive(Clone, PartialEq, Debug)]
pub enum Verdict {
    /// A score.
    Score {
        /// 0 to 100; higher is better.
        points: u8,
        /// What it is made of.
        parts: Vec<ScorePart>,
        /// Further named values.
        more: Reply,
    },
    /// No score, and why.
    Abstained(String),
}

/// One thing a score is made of.
#[derive(Clone, PartialEq, Debug)]
#[expect(missing_docs, reason = "documented field by field in the contract")]
pub struct ScorePart {
    pub name: String,
    pub weight: i32,
    pub reason: String,
}
