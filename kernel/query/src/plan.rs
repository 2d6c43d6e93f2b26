//! Choosing how to find the records of a query. Thin, and in one function: a planner that knows
//! costs, composite indexes and summaries takes the place of [`plan`] and leaves the rest alone.

use kjerne_model::filter::{Filter, Operator, Own, Path};
use kjerne_model::{Field, FieldType, Kind, Name, RecordId, Value};

use crate::page::{Order, Query};

/// How the records of a query are found. Each brings up at least those that meet the filter.
#[derive(Clone, PartialEq, Debug)]
pub enum Plan {
    /// One record, by its id.
    One(RecordId),
    /// The records that hold one value in an indexed field, by id.
    Equal {
        /// The field.
        field: Name,
        /// What it holds.
        value: Value,
    },
    /// An index in its order, which is the order asked for as far as its first part goes.
    Ordered {
        /// The field the index is of.
        field: Name,
        /// Where in the index.
        bounds: Bounds,
        /// From its end.
        descending: bool,
    },
    /// The records that hold a value within bounds in an indexed field, in the order of the values.
    Within {
        /// The field the index is of.
        field: Name,
        /// Where in the index.
        bounds: Bounds,
    },
    /// Every record of the kind, by id.
    Scan,
}

/// Bounds of a field's value, both inclusive.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Bounds {
    /// The least value, none for no bound.
    pub from: Option<Value>,
    /// The greatest value, none for no bound.
    pub to: Option<Value>,
}

impl Bounds {
    fn is_open(&self) -> bool {
        self.from.is_none() && self.to.is_none()
    }
}

/// Chooses: an id, else a value that is asked for, else the order's index, else a range, else all.
#[must_use]
pub fn plan(query: &Query, kind: &Kind) -> Plan {
    let conditions = conditions(&query.filter);
    if let Some(id) = conditions.iter().find_map(|condition| id_asked(condition)) {
        return Plan::One(id);
    }
    let equal = conditions
        .iter()
        .filter_map(|condition| value_asked(condition, kind));
    // A unique field names one record; any other may name many.
    if let Some((field, value)) = equal.max_by_key(|(field, _)| field.unique) {
        return Plan::Equal {
            field: field.name.clone(),
            value: value.clone(),
        };
    }
    let ordered = query
        .order
        .first()
        .and_then(|first| order_index(first, &conditions, kind));
    ordered
        .or_else(|| range_index(&conditions, kind))
        .unwrap_or(Plan::Scan)
}

/// The conditions that must all hold.
fn conditions(filter: &Filter) -> Vec<&Filter> {
    match filter {
        Filter::And(a, b) => [conditions(a), conditions(b)].concat(),
        other => vec![other],
    }
}

fn id_asked(condition: &Filter) -> Option<RecordId> {
    match condition {
        Filter::Compare {
            path: Path::Own(Own::Id),
            operator: Operator::Equal,
            value: Some(Value::Text(id)),
        } => RecordId::parse(id).ok(),
        _ => None,
    }
}

fn value_asked<'a>(condition: &'a Filter, kind: &'a Kind) -> Option<(&'a Field, &'a Value)> {
    match condition {
        Filter::Compare {
            path,
            operator: Operator::Equal,
            value: Some(value),
        } => Some((indexed(kind, path)?, value)),
        _ => None,
    }
}

/// A field with an index that has one entry for each record that holds something in it, in the form
/// the path compares.
fn indexed<'a>(kind: &'a Kind, path: &Path) -> Option<&'a Field> {
    kind.field(path.field()?).filter(|field| {
        let single = !matches!(field.field_type, FieldType::Choices(_) | FieldType::Address);
        single && field.is_indexed() && Path::of(field) == *path
    })
}

/// An index serves an order when it has every record the filter lets through: one that holds
/// nothing in the field is not in it.
fn order_index(first: &Order, conditions: &[&Filter], kind: &Kind) -> Option<Plan> {
    let path = &first.path;
    // Amounts are in the index by currency, and a cursor's amount would bound it to its own.
    let field = indexed(kind, path).filter(|field| field.field_type != FieldType::Money)?;
    let bounds = bounds(conditions, path);
    if !field.required && bounds.is_open() && !conditions.iter().any(|one| is_not_null(one, path)) {
        return None;
    }
    Some(Plan::Ordered {
        field: field.name.clone(),
        bounds,
        descending: first.descending,
    })
}

fn is_not_null(condition: &Filter, of: &Path) -> bool {
    matches!(
        condition,
        Filter::Compare { path, operator: Operator::NotEqual, value: None }
            if path == of
    )
}

fn range_index(conditions: &[&Filter], kind: &Kind) -> Option<Plan> {
    conditions.iter().find_map(|condition| {
        let Filter::Compare { path, .. } = condition else {
            return None;
        };
        let field = indexed(kind, path)?;
        let bounds = bounds(conditions, path);
        (!bounds.is_open()).then(|| Plan::Within {
            field: field.name.clone(),
            bounds,
        })
    })
}

/// The first bound on each side; further ones are left to the filter.
fn bounds(conditions: &[&Filter], of: &Path) -> Bounds {
    let mut bounds = Bounds::default();
    for condition in conditions {
        let Filter::Compare {
            path,
            operator,
            value: Some(value),
        } = condition
        else {
            continue;
        };
        if path != of {
            continue;
        }
        let bound = match operator {
            Operator::Greater | Operator::GreaterOrEqual => &mut bounds.from,
            Operator::Less | Operator::LessOrEqual => &mut bounds.to,
            Operator::Equal | Operator::NotEqual => continue,
        };
        bound.get_or_insert_with(|| value.clone());
    }
    bounds
}
