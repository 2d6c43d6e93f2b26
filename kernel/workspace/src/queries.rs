//! Reads the words of a query, from the command line and from an address alike.

use kjerne_core::{Kernel, Order, Page, Query, QueryError, Reader};
use kjerne_model::filter::{self, Filter, Own, Path};
use kjerne_model::{Kind, Record, RecordId, Schema};

use crate::error::{Error, Result};
use crate::limits::PAGE;

/// A query as text.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// The filter; empty: every record.
    pub filter: String,
    /// `closing_date desc,name`.
    pub order: String,
    /// At most so many records; none: a page as people look at it.
    pub top: Option<usize>,
    /// The cursor of the page before.
    pub after: Option<String>,
}

/// The kind of that name.
///
/// # Errors
/// When there is none; the message lists those there are.
pub fn kind<'a>(schema: &'a Schema, name: &str) -> Result<&'a Kind> {
    schema.kind(name).map(|kind| &**kind).ok_or_else(|| {
        let known: Vec<&str> = schema.kinds().map(|kind| kind.name.as_str()).collect();
        Error::not_found(format!(
            "there is no kind {name:?}; there are: {}",
            known.join(", ")
        ))
    })
}

/// The record's id.
///
/// # Errors
/// When the text is none.
pub fn id(text: &str) -> Result<RecordId> {
    RecordId::parse(text).map_err(|error| Error::unreadable(error.to_string()))
}

/// The record, which has to be there.
///
/// # Errors
/// When it is not.
pub fn record(kernel: &Kernel, kind_name: &str, id_text: &str) -> Result<Record> {
    let kind = kind(kernel.schema(), kind_name)?;
    let id = id(id_text)?;
    let found = kernel.get(&kind.name, id)?;
    found.ok_or_else(|| Error::not_found(format!("there is no {kind_name} {id}")))
}

/// One page of records.
///
/// # Errors
/// When a word cannot be read; filter errors name the position.
pub fn page(reader: &Reader, kind_name: &str, words: &Words) -> Result<Page> {
    let kind = kind(reader.schema(), kind_name)?;
    let query = Query {
        kind: kind.name.clone(),
        filter: filter(kind, &words.filter)?,
        order: order(kind, &words.order)?,
        top: words.top.unwrap_or(PAGE.value as usize),
        after: words.after.clone(),
    };
    reader.query(&query).map_err(of_query)
}

/// A query that was not answered.
pub fn of_query(error: QueryError) -> Error {
    match error {
        QueryError::Wrong(why) => Error::unreadable(why),
        QueryError::Store(error) => error.into(),
    }
}

/// Reads a filter.
///
/// # Errors
/// When it does not parse.
pub fn filter(kind: &Kind, text: &str) -> Result<Filter> {
    if text.trim().is_empty() {
        return Ok(Filter::All);
    }
    filter::parse(text, kind).map_err(|error| Error::unreadable(error.to_string()))
}

/// Reads `closing_date desc,name`; `-closing_date` means the same as `closing_date desc`.
///
/// # Errors
/// When a field is unknown or a direction is none.
pub fn order(kind: &Kind, text: &str) -> Result<Vec<Order>> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    parts.map(|part| order_part(kind, part)).collect()
}

fn order_part(kind: &Kind, part: &str) -> Result<Order> {
    let mut words = part.split_whitespace();
    let name = words.next().unwrap_or_default();
    let (name, minus) = name
        .strip_prefix('-')
        .map_or((name, false), |name| (name, true));
    let descending = match (words.next(), words.next()) {
        (None, _) => minus,
        (Some("asc"), None) if !minus => false,
        (Some("desc"), None) if !minus => true,
        _ => {
            return Err(Error::unreadable(format!(
                "order {part:?}: expected a field, then asc or desc"
            )));
        }
    };
    Ok(Order {
        path: path(kind, name)?,
        descending,
    })
}

fn path(kind: &Kind, text: &str) -> Result<Path> {
    filter::parse_path(text, kind).map_err(|error| {
        let (expected, found) = (error.expected, error.found);
        Error::unreadable(format!(
            "order {text:?}: expected {expected}, found {found}"
        ))
    })
}

/// What a selection keeps: fields, and what every record has beside them.
///
/// # Errors
/// When a name is neither, or there is none.
pub fn select(kind: &Kind, text: &str) -> Result<Vec<String>> {
    let names = text.split(',').map(str::trim);
    let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        let why = "select: expected the names of fields, separated by commas, found none";
        return Err(Error::unreadable(why));
    }
    let known = |name: &str| kind.field(name).is_some() || Own::from_name(name).is_some();
    match names.iter().find(|name| !known(name)) {
        None => Ok(names.into_iter().map(str::to_owned).collect()),
        Some(name) => Err(Error::unreadable(format!(
            "kind {} has no field {name:?}",
            kind.name
        ))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use kjerne_model::core_kinds;

    #[test]
    fn orders_read_or_say_why_not() {
        let schema = Schema::new(core_kinds()).unwrap();
        let kind = kind(&schema, "opportunity").unwrap();
        let read = |text: &str| match order(kind, text) {
            Ok(orders) => {
                let shown = orders
                    .iter()
                    .map(|o| format!("{:?} {}", o.path, o.descending));
                shown.collect::<Vec<_>>().join(", ")
            }
            Err(error) => error.to_string(),
        };
        let cases = [
            ("", ""),
            ("name", "Field(name) false"),
            (
                "closing_date desc, name asc",
                "Field(closing_date) true, Field(name) false",
            ),
            ("-amount/minor", "Part(amount, \"minor\") true"),
            ("updated_at desc", "Own(UpdatedAt) true"),
            (
                "annual_revenue/foo",
                "order \"annual_revenue/foo\": expected a field of opportunity",
            ),
            (
                "amount/foo",
                "order \"amount/foo\": expected amount, amount/minor or amount/currency, found amount/foo",
            ),
            ("id desc,version", "Own(Id) true, Own(Version) false"),
            (
                "nothing",
                "order \"nothing\": expected a field of opportunity",
            ),
            (
                "name down",
                "order \"name down\": expected a field, then asc or desc",
            ),
        ];
        for (text, expected) in cases {
            let told = read(text);
            let rest = told.strip_prefix(expected);
            assert!(
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')),
                "{text}: {told}"
            );
        }
    }

    #[test]
    fn a_selection_names_fields_and_what_every_record_has() {
        let schema = Schema::new(core_kinds()).unwrap();
        let kind = kind(&schema, "account").unwrap();
        let read = |text: &str| select(kind, text);
        assert_eq!(read("id, name,version").unwrap(), ["id", "name", "version"]);
        assert_eq!(read("created_at,updated_at").unwrap().len(), 2);
        for (text, told) in [
            ("", "found none"),
            (" , ", "found none"),
            ("nme", "kind account has no field \"nme\""),
            ("amount/minor", "has no field"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }

    #[test]
    fn an_unknown_kind_is_answered_with_those_there_are() {
        let schema = Schema::new(core_kinds()).unwrap();
        let error = kind(&schema, "acount").unwrap_err().to_string();
        assert!(
            error.contains("\"acount\"") && error.contains("account, activity"),
            "{error}"
        );
    }
}
