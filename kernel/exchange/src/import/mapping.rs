//! Mapping files: how the columns of somebody else's file become fields of ours.

use std::collections::BTreeMap;
use std::path::Path;

use kjerne_workspace::error::{Context as _, Error, Result};
use kjerne_workspace::files::read_text;
use serde::Deserialize;

use super::forms::Negative;
use crate::limits::MAPPING;
use crate::spreadsheet::SAFE_COLUMN;

/// A mapping file as written. `docs/mapping.md` tells of every key.
#[derive(Deserialize, Clone, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The kind the mapping is for; checked against the one asked for.
    pub kind: Option<String>,
    /// The field by which a record is found again; `external_id` when that is mapped, else none.
    pub key: Option<String>,
    /// What to do when the record is there already.
    #[serde(default)]
    pub on_existing: OnExisting,
    /// What an empty cell says about the field of a record that is there already.
    #[serde(default)]
    pub empty_cells: EmptyCells,
    /// Blanks around texts are kept. They never count in numbers and dates.
    #[serde(default)]
    pub keep_blanks: bool,
    /// The file's encoding, when what is detected is wrong.
    pub encoding: Option<String>,
    /// The file's delimiter, when what is detected is wrong.
    pub delimiter: Option<String>,
    /// What stands round a field, when it is not `"`.
    pub quote: Option<String>,
    /// What takes its meaning from a quote, delimiter or line end, such as `\`.
    pub escape: Option<String>,
    /// Rows before the header that are none of the table, such as a title.
    #[serde(default)]
    pub rows_before_header: usize,
    /// How many rows the header has; the names of one column are joined by a blank.
    pub header_rows: Option<usize>,
    /// What to do with a row whose key an earlier row of the file has.
    #[serde(default)]
    pub repeated_keys: RepeatedKeys,
    /// The file was exported with cells made safe for spreadsheets, which is taken back.
    #[serde(default)]
    pub safe_for_spreadsheets: bool,
    /// What stands between groups of three digits; empty for nothing.
    pub grouping: Option<String>,
    /// How negative numbers are written.
    #[serde(default)]
    pub negative: Negative,
    /// The time zone of times that name none, `Europe/Oslo`; UTC when not given.
    pub zone: Option<String>,
    /// The currency of amounts that name none.
    pub currency: Option<String>,
    /// Numbers are written `1.234,50`.
    #[serde(default)]
    pub decimal_comma: bool,
    /// How dates are written, as in `%d.%m.%Y`; ISO 8601 is always read.
    #[serde(default)]
    pub date_formats: Vec<String>,
    /// How points in time are written; RFC 3339 is always read.
    #[serde(default)]
    pub instant_formats: Vec<String>,
    /// Texts that mean an empty cell.
    #[serde(default)]
    pub empty: Vec<String>,
    /// Columns known and left out on purpose.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Rows left out on purpose: a column, and the values by which a row is left out.
    #[serde(default)]
    pub skip: BTreeMap<String, Vec<String>>,
    /// Our fields, each with where it comes from: a column's name or a table.
    #[serde(default)]
    fields: BTreeMap<String, toml::Value>,
}

/// What to do with a row whose record is there already.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum OnExisting {
    /// Set the fields that differ.
    #[default]
    Update,
    /// Leave the record as it is.
    Skip,
    /// Reject the row.
    Error,
}

/// What to do with rows of one file that have one key.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum RepeatedKeys {
    /// All but the first are rejected.
    #[default]
    Reject,
    /// The first counts, the others are left out.
    First,
    /// The last counts, the others are left out.
    Last,
    /// Those that say the same as the first are left out, others rejected.
    Same,
}

/// What an empty cell says about a record that is there already.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Default, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum EmptyCells {
    /// Nothing: the field keeps what it holds.
    #[default]
    Keep,
    /// The field is emptied.
    Clear,
}

/// Where one field comes from.
#[derive(Deserialize, Clone, Default, PartialEq, Debug)]
#[serde(deny_unknown_fields)]
pub struct FieldSource {
    /// A column.
    pub column: Option<String>,
    /// Text with columns in braces: `{first} {last}`.
    pub template: Option<String>,
    /// The same text for every row.
    pub constant: Option<String>,
    /// Their values and ours. `"*"` stands for every other value, and an empty text for none.
    pub values: Option<BTreeMap<String, String>>,
    /// A value that is not in `values` is kept as it is; else the row is rejected.
    #[serde(default)]
    pub keep_unlisted: bool,
    /// The record referred to is the one that holds the text in this field: `account.external_id`.
    pub lookup: Option<String>,
    /// The value is not the record found by `lookup` but what it holds in this field.
    pub take: Option<String>,
    /// The currency of this amount.
    pub currency: Option<String>,
    /// The column that names the currency of this amount.
    pub currency_column: Option<String>,
    /// How this date or point in time is written.
    pub format: Option<String>,
    /// What this number is multiplied by, such as `1e6` for a column in millions.
    pub scale: Option<toml::Value>,
    /// The field is filled only where these columns hold one of these values.
    #[serde(default)]
    pub when: BTreeMap<String, Vec<String>>,
}

impl FieldSource {
    /// Every column it names.
    fn columns(&self) -> Vec<String> {
        let template = self.template.as_deref().unwrap_or_default();
        let inside = template.split('{').skip(1);
        let inside = inside.filter_map(|rest| rest.split_once('}'));
        let mut columns: Vec<String> = inside.map(|(column, _)| column.to_owned()).collect();
        columns.extend(self.column.clone());
        columns.extend(self.currency_column.clone());
        columns.extend(self.when.keys().cloned());
        columns
    }
}

impl Mapping {
    /// The text of a mapping file, read no further than one may be long.
    pub fn text(path: &Path) -> Result<String> {
        // Of what is no file, such as a pipe, nobody knows whether and when it ends.
        if path.exists() && !path.is_file() && !path.is_dir() {
            return Err(Error::unreadable(format!(
                "the mapping {} is no regular file; write it into one first",
                path.display()
            )));
        }
        let text = read_text(path, &MAPPING);
        text.with_context(|| format!("cannot read the mapping {}", path.display()))
    }

    /// Reads the text of a mapping file.
    pub fn parse(text: &str) -> Result<Self> {
        let mapping: Self = toml::from_str(text)?;
        mapping.fields()?;
        Ok(mapping)
    }

    /// The mapping of a file whose columns are our own field names, such as an export.
    pub fn identity<'a>(columns: impl Iterator<Item = &'a str>) -> Self {
        let column = |name: &str| (name.to_owned(), toml::Value::String(name.to_owned()));
        let own = |name: &&str| !OWN_COLUMNS.contains(name);
        let columns: Vec<&str> = columns.collect();
        let fields = columns.iter().copied().filter(own).map(column);
        let fields: BTreeMap<String, toml::Value> = fields.collect();
        let own = OWN_COLUMNS
            .into_iter()
            .filter(|name| columns.contains(name));
        Self {
            key: fields.contains_key("id").then(|| "id".to_owned()),
            empty_cells: EmptyCells::Clear,
            keep_blanks: true,
            safe_for_spreadsheets: columns.contains(&SAFE_COLUMN),
            ignore: own.map(str::to_owned).collect(),
            fields,
            ..Self::default()
        }
    }

    /// The same mapping for rows that it rejected: those files are written in one form, whatever
    /// form the original had.
    #[must_use]
    pub fn for_rejects(&self) -> Self {
        Self {
            encoding: None,
            delimiter: None,
            quote: None,
            escape: None,
            rows_before_header: 0,
            header_rows: None,
            ..self.clone()
        }
    }

    /// Every column it uses.
    pub fn columns(&self) -> Vec<String> {
        let fields = self.fields().unwrap_or_default();
        let mut columns: Vec<String> = self.skip.keys().cloned().collect();
        columns.extend(fields.iter().flat_map(|(_, source)| source.columns()));
        columns
    }

    /// Every field with where it comes from.
    pub fn fields(&self) -> Result<Vec<(String, FieldSource)>> {
        let source = |(field, value): (&String, &toml::Value)| {
            let source = match value {
                toml::Value::String(column) => FieldSource {
                    column: Some(column.clone()),
                    ..FieldSource::default()
                },
                table => table
                    .clone()
                    .try_into()
                    .with_context(|| format!("field {field:?} of the mapping"))?,
            };
            Ok((field.clone(), source))
        };
        self.fields.iter().map(source).collect()
    }
}

/// Columns of an export that the kernel keeps itself.
const OWN_COLUMNS: [&str; 4] = ["version", "created_at", "updated_at", SAFE_COLUMN];
