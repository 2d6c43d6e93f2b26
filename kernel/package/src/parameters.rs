//! Typed values a manifest declares: the parameters of actions and reports, the columns of reports.

use kjerne_model::{Choice, FieldType, Name, Value, shown};
use serde::Deserialize;

use crate::error::PackageError;
use crate::words::wrong;

/// A command a plugin offers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// Its name, `recalculate`.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What it takes.
    pub parameters: Vec<Parameter>,
}

/// A parameter of a command or a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub field_type: FieldType,
    /// Whether it has to be given.
    pub required: bool,
}

/// A parameter as it stands in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParameterTable {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    required: bool,
}

/// Reads the parameters of an action or a report.
pub fn parameters(of: &str, tables: Vec<ParameterTable>) -> Result<Vec<Parameter>, PackageError> {
    let read = |table: ParameterTable| {
        let what = format!("the parameter {} of {of}", table.name);
        Ok(Parameter {
            field_type: declared_type(&what, &table.kind)?,
            name: shown::plain(&table.name),
            required: table.required,
        })
    };
    tables.into_iter().map(read).collect()
}

/// The type of a parameter or column.
pub fn declared_type(what: &str, text: &str) -> Result<FieldType, PackageError> {
    value_type(text).ok_or_else(|| {
        wrong(&format!(
            "{what} has the type {text:?}; the types are text, integer, decimal, money, date, instant, flag, \
             choice and reference:KIND"
        ))
    })
}

/// A type by the name plugins give it; none when there is no such type.
#[must_use]
pub fn value_type(text: &str) -> Option<FieldType> {
    Some(match text {
        "text" => FieldType::Text {
            max_bytes: 64 << 10,
        },
        "integer" => FieldType::Integer,
        "decimal" => FieldType::Decimal,
        "money" => FieldType::Money,
        "date" => FieldType::Date,
        "instant" => FieldType::Instant,
        "flag" => FieldType::Flag,
        "choice" => FieldType::Choice(Vec::<Choice>::new()),
        _ => FieldType::Reference(vec![Name::new(text.strip_prefix("reference:")?).ok()?]),
    })
}

/// Whether a value is of a type that parameters and columns have.
#[must_use]
pub fn is_of(field_type: &FieldType, value: &Value) -> bool {
    match (field_type, value) {
        (FieldType::Text { .. } | FieldType::Choice(_), Value::Text(_))
        | (FieldType::Integer, Value::Integer(_))
        | (FieldType::Decimal, Value::Decimal(_))
        | (FieldType::Money, Value::Money(_))
        | (FieldType::Date, Value::Date(_))
        | (FieldType::Instant, Value::Instant(_))
        | (FieldType::Flag, Value::Flag(_)) => true,
        (FieldType::Reference(kinds), Value::Reference(to)) => kinds.contains(&to.kind),
        _ => false,
    }
}

/// A type by the name plugins give it: the other way round.
#[must_use]
pub fn type_word(field_type: &FieldType) -> String {
    match field_type {
        FieldType::Reference(kinds) => {
            let kinds: Vec<&str> = kinds.iter().map(Name::as_str).collect();
            format!("reference:{}", kinds.join("|"))
        }
        other => other.name().to_owned(),
    }
}
