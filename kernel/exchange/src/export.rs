//! Export of all records of a kind, as CSV or JSON Lines, as they were at one moment.
//!
//! The CSV's columns are our own field names, addresses by their parts, so that it can be imported
//! again without a mapping and changes nothing.

use std::io::{self, Write};
use std::ops::ControlFlow;

use kjerne_core::{Kernel, Reader};
use kjerne_model::filter::{self, Filter};
use kjerne_model::{Address, FieldType, Kind, Name, Record, Value};
use kjerne_store::records;

use kjerne_workspace::error::{Context as _, Result};

use crate::spreadsheet::{SAFE_COLUMN, guarded};

/// How records are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExportFormat {
    /// Comma-separated values, with a line of column names.
    Csv,
    /// The same with cells that no spreadsheet takes for formulas, and a last column that says so to
    /// an import, which takes them back exactly.
    SafeCsv,
    /// One JSON object a line, in the form the HTTP interface has.
    JsonLines,
}

/// Writes the records of a kind as they are now.
///
/// # Errors
/// As [`write_from`].
pub fn write(
    kernel: &Kernel,
    kind: &str,
    filter: &str,
    format: ExportFormat,
    out: &mut dyn Write,
) -> Result<u64> {
    write_from(&kernel.reader()?, kind, filter, format, out)
}

/// Writes the records of a kind that meet a filter (empty text: all), in the order of their ids,
/// and says how many there were. They are what the reader sees, and written as they are read.
///
/// # Errors
/// When there is no such kind, the filter does not parse, or reading or writing fails.
pub fn write_from(
    reader: &Reader,
    kind: &str,
    filter: &str,
    format: ExportFormat,
    out: &mut dyn Write,
) -> Result<u64> {
    let schema = reader.schema();
    let kind = schema.kind(kind).with_context(|| {
        let kinds: Vec<&str> = schema.kinds().map(|kind| kind.name.as_str()).collect();
        format!("there is no kind {kind:?}; there are {}", kinds.join(", "))
    })?;
    let filter = filter::parse(filter, kind)?;
    match format {
        ExportFormat::Csv | ExportFormat::SafeCsv => {
            let safe = format == ExportFormat::SafeCsv;
            let columns = columns(kind, safe);
            let mut writer = csv::Writer::from_writer(out);
            let header = writer.write_record(columns.iter().map(Column::name));
            header.map_err(io::Error::from)?;
            let count = each(reader, kind, &filter, &mut |record| {
                for column in &columns {
                    let text = column.text(record);
                    if safe && !column.is_number(record) {
                        writer.write_field(guarded(&text).as_ref())?;
                    } else {
                        writer.write_field(text)?;
                    }
                }
                Ok(writer.write_record(None::<&[u8]>)?)
            })?;
            writer.flush()?;
            Ok(count)
        }
        ExportFormat::JsonLines => {
            let count = each(reader, kind, &filter, &mut |record| {
                writeln!(out, "{}", kjerne_wire::record(record, None))
            })?;
            out.flush()?;
            Ok(count)
        }
    }
}

/// Shows `write` each record of a snapshot that meets the filter.
fn each(
    reader: &Reader,
    kind: &Kind,
    filter: &Filter,
    write: &mut dyn FnMut(&Record) -> io::Result<()>,
) -> Result<u64> {
    let (mut count, mut failed) = (0, None);
    records::scan(reader, &kind.name, None, &mut |record| {
        if !filter.matches(&record) {
            return ControlFlow::Continue(());
        }
        match write(&record) {
            Ok(()) => {
                count += 1;
                ControlFlow::Continue(())
            }
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(count),
    }
}

/// One column of an export.
enum Column {
    Id,
    Version,
    CreatedAt,
    UpdatedAt,
    Field(Name),
    Part(Name, &'static str),
    /// Empty: its name says that the cells are safe.
    Safe,
}

/// The id first, then the fields in the order of the kind, then what the kernel keeps.
fn columns(kind: &Kind, safe: bool) -> Vec<Column> {
    let mut columns = vec![Column::Id];
    for field in &kind.fields {
        let name = &field.name;
        if field.field_type == FieldType::Address {
            columns.extend(Address::PARTS.map(|part| Column::Part(name.clone(), part)));
        } else {
            columns.push(Column::Field(name.clone()));
        }
    }
    columns.extend([Column::Version, Column::CreatedAt, Column::UpdatedAt]);
    columns.extend(safe.then_some(Column::Safe));
    columns
}

impl Column {
    fn name(&self) -> String {
        match self {
            Self::Id => "id".to_owned(),
            Self::Version => "version".to_owned(),
            Self::CreatedAt => "created_at".to_owned(),
            Self::UpdatedAt => "updated_at".to_owned(),
            Self::Field(name) => name.to_string(),
            Self::Part(name, part) => format!("{name}.{part}"),
            Self::Safe => SAFE_COLUMN.to_owned(),
        }
    }

    /// A plain number is no formula, also when it is below zero.
    fn is_number(&self, record: &Record) -> bool {
        let value = match self {
            Self::Field(name) => record.get(name),
            _ => None,
        };
        matches!(value, Some(Value::Integer(_) | Value::Decimal(_)))
    }

    fn text(&self, record: &Record) -> String {
        match self {
            Self::Safe => String::new(),
            Self::Id => record.id.to_string(),
            Self::Version => record.version.to_string(),
            Self::CreatedAt => record.created_at.to_string(),
            Self::UpdatedAt => record.updated_at.to_string(),
            Self::Field(name) => record
                .get(name)
                .map(ToString::to_string)
                .unwrap_or_default(),
            Self::Part(name, part) => match record.get(name) {
                Some(Value::Address(address)) => address.part(part).unwrap_or_default().to_owned(),
                _ => String::new(),
            },
        }
    }
}
