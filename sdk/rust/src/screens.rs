//! Builders of what people are shown: rows of a report, cards of a panel, scores.

use crate::contract::{
    Card, CardAction, Chart, Decimal, Field, Figure, Money, Point, Rating, RecordRef, ReportPage,
    ScorePart, ScoredRecord, Series, Table, TableColumn, Value, Verdict,
};
use crate::fields::Fields;
use crate::time::{Date, Instant};

/// A row of cells, each of whatever can be a value or is an [`Option`] of one; see [`cells!`](crate::cells).
pub type Row = Vec<Option<Value>>;

/// What can stand in a cell: a value, or none.
pub trait Cell {
    /// The cell.
    fn cell(self) -> Option<Value>;
}

impl<T: Cell> Cell for Option<T> {
    fn cell(self) -> Option<Value> {
        self.and_then(Cell::cell)
    }
}

macro_rules! cell {
    ($($type:ty),+ $(,)?) => {
        $(impl Cell for $type {
            fn cell(self) -> Option<Value> {
                Some(self.into())
            }
        })+
    };
}

cell!(
    Value, &str, &String, String, i64, i32, u32, u8, Decimal, Money, &Money, Date, Instant, bool,
    RecordRef, &RecordRef,
);

impl ReportPage {
    /// A page without rows, after which there are none.
    #[must_use]
    pub fn new() -> Self {
        Self {
            rows: Vec::new(),
            next: None,
            more: Vec::new(),
        }
    }

    /// Adds a row: a cell for each column of the manifest, in its order.
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// The same page with a row more.
    #[must_use]
    pub fn row(mut self, row: Row) -> Self {
        self.add(row);
        self
    }

    /// The same page, with another one behind it that begins here.
    #[must_use]
    pub fn next(mut self, after: impl Into<String>) -> Self {
        self.next = Some(after.into());
        self
    }
}

impl Default for ReportPage {
    fn default() -> Self {
        Self::new()
    }
}

impl Card {
    /// A card with nothing on it yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            figures: Vec::new(),
            tables: Vec::new(),
            charts: Vec::new(),
            actions: Vec::new(),
            more: Vec::new(),
        }
    }

    /// The same card with a figure more.
    #[must_use]
    pub fn figure(mut self, figure: Figure) -> Self {
        self.figures.push(figure);
        self
    }

    /// The same card with a table more; one without rows is left out.
    #[must_use]
    pub fn table(mut self, table: Table) -> Self {
        self.tables
            .extend(Some(table).filter(|table| !table.rows.is_empty()));
        self
    }

    /// The same card with a chart more.
    #[must_use]
    pub fn chart(mut self, chart: Chart) -> Self {
        self.charts.push(chart);
        self
    }

    /// The same card with something to do about it: one of the plugin's own actions, its arguments filled
    /// in. An empty label stands for the one of the manifest.
    #[must_use]
    pub fn action(
        mut self,
        action: impl Into<String>,
        label: impl Into<String>,
        arguments: impl Into<Fields>,
    ) -> Self {
        let arguments: Fields = arguments.into();
        let arguments: Vec<Field> = arguments.into();
        self.actions.push(CardAction {
            action: action.into(),
            label: label.into(),
            arguments,
        });
        self
    }
}

impl Figure {
    /// A figure; [`None`] for one that is not known.
    pub fn new(name: impl Into<String>, label: impl Into<String>, value: impl Cell) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            value: value.cell(),
            unit: String::new(),
            trend: String::new(),
        }
    }

    /// The same figure, counted in this: `days`, `percent`.
    #[must_use]
    pub fn unit(mut self, unit: impl Into<String>) -> Self {
        self.unit = unit.into();
        self
    }

    /// The same figure, going this way: `up`, `down`, `steady`, `good`, `warning`, `bad`.
    #[must_use]
    pub fn trend(mut self, trend: impl Into<String>) -> Self {
        self.trend = trend.into();
        self
    }
}

impl Table {
    /// A table without columns and rows.
    pub fn new(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            columns: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// The same table with a column more, of a type that parameters of actions have: `text`, `integer`,
    /// `reference:account`.
    #[must_use]
    pub fn column(
        mut self,
        name: impl Into<String>,
        label: impl Into<String>,
        holds: impl Into<String>,
    ) -> Self {
        self.columns.push(TableColumn {
            name: name.into(),
            label: label.into(),
            holds: holds.into(),
        });
        self
    }

    /// The same table with these rows more, each with a cell for each column.
    #[must_use]
    pub fn rows(mut self, rows: impl IntoIterator<Item = Row>) -> Self {
        self.rows.extend(rows);
        self
    }
}

impl Chart {
    /// A chart of a kind: `bar`, `line` or `pie`.
    pub fn new(kind: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            kind: kind.into(),
            series: Vec::new(),
        }
    }

    /// The same chart with a series more, of places and numbers.
    #[must_use]
    pub fn series<X: Into<Value>, Y: Cell>(
        mut self,
        label: impl Into<String>,
        points: impl IntoIterator<Item = (X, Y)>,
    ) -> Self {
        let point = |(at, value): (X, Y)| Point {
            at: at.into(),
            value: value.cell(),
        };
        self.series.push(Series {
            label: label.into(),
            points: points.into_iter().map(point).collect(),
        });
        self
    }
}

impl Rating {
    /// A score without parts; 0 to 100, what lies beyond is cut.
    #[must_use]
    pub fn new(points: i64) -> Self {
        Self {
            points: points.clamp(0, 100) as u8,
            parts: Vec::new(),
            more: Vec::new(),
        }
    }

    /// The score that parts come to, cut to 0 to 100.
    #[must_use]
    pub fn of(parts: Vec<ScorePart>) -> Self {
        let sum = parts.iter().map(|part| i64::from(part.weight)).sum();
        Self {
            parts,
            ..Self::new(sum)
        }
    }
}

impl ScorePart {
    /// One thing a score is made of: the points it gives or takes off, and why.
    pub fn new(name: impl Into<String>, weight: i32, reason: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            weight,
            reason: reason.into(),
        }
    }
}

impl ScoredRecord {
    /// A record with its score.
    #[must_use]
    pub fn rated(subject: &RecordRef, rating: Rating) -> Self {
        Self {
            subject: subject.clone(),
            verdict: Verdict::Rated(rating),
        }
    }

    /// A record without a score, and why.
    pub fn abstained(subject: &RecordRef, reason: impl Into<String>) -> Self {
        Self {
            subject: subject.clone(),
            verdict: Verdict::Abstained(reason.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells;

    #[test]
    fn a_card_is_built_up_piece_by_piece() {
        let table = Table::new("Deals").column("name", "Name", "text");
        let empty = Table::new("None");
        let card = Card::new("Stage")
            .figure(Figure::new("days", "Days", 12).unit("days").trend("bad"))
            .table(table.rows([cells!["Big"], cells![None::<&str>]]))
            .table(empty)
            .chart(
                Chart::new("bar", "By month")
                    .series("Sum", [("2026-03", Some(5)), ("2026-04", None)]),
            )
            .action(
                "advance",
                "",
                [("deal", RecordRef::new("opportunity", "1").into())],
            );
        assert_eq!(card.figures[0].value, Some(Value::Integer(12)));
        assert_eq!(card.tables.len(), 1, "one without rows is left out");
        assert_eq!(card.tables[0].rows, [vec![Some("Big".into())], vec![None]]);
        assert_eq!(card.charts[0].series[0].points[1].value, None);
        assert_eq!(card.actions[0].arguments.len(), 1);
    }

    #[test]
    fn a_score_is_what_its_parts_come_to_within_its_bounds() {
        let part = |weight| ScorePart::new("part", weight, "why");
        for (weights, points) in [
            (vec![50, -20], 30),
            (vec![80, 80], 100),
            (vec![10, -50], 0),
            (vec![], 0),
        ] {
            let rating = Rating::of(weights.into_iter().map(part).collect());
            assert_eq!(rating.points, points);
        }
    }
}
