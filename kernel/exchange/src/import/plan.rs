//! What becomes of a row: a mapping bound to one file and one kind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use kjerne_model::{Field, FieldType, Kind, Name};

use super::forms::Forms;
use super::mapping::{EmptyCells, OnExisting, RepeatedKeys};
use super::names::cut;
use super::rows::Row;

/// Everything needed to turn rows into changes.
#[derive(Debug)]
pub struct Plan {
    /// The kind the rows become.
    pub kind: Arc<Kind>,
    /// How a record is found again.
    pub key: Option<Key>,
    /// What to do when it is.
    pub on_existing: OnExisting,
    /// What to do with rows of one key.
    pub repeated_keys: RepeatedKeys,
    /// What an empty cell says.
    pub empty_cells: EmptyCells,
    /// Cells were made safe for spreadsheets.
    pub safe_for_spreadsheets: bool,
    /// Blanks around texts are kept.
    pub keep_blanks: bool,
    /// Texts that mean an empty cell.
    pub empty: BTreeSet<String>,
    /// Rows to leave out: a column and its values.
    pub skip: Vec<(usize, Vec<String>)>,
    /// The fields.
    pub fields: Vec<PlanField>,
    /// The file's columns.
    pub header: Vec<String>,
    /// Columns nobody asked for.
    pub unmapped: Vec<String>,
}

/// How a record is found again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// By the record's own id.
    Id,
    /// By a unique field.
    Field(Name),
}

/// One field, or one part of an address.
#[derive(Debug)]
pub struct PlanField {
    /// The field; none for the record's own id.
    pub field: Option<Field>,
    /// The part of an address.
    pub part: Option<&'static str>,
    /// Where it comes from.
    pub source: PlanSource,
    /// Their values and ours.
    pub values: Option<BTreeMap<String, String>>,
    /// Values that are not listed are kept.
    pub keep_unlisted: bool,
    /// How the text leads to a record.
    pub lookup: Option<Lookup>,
    /// How text is read.
    pub forms: Forms,
    /// Filled only where these columns hold one of these values.
    pub when: Vec<(usize, Vec<String>)>,
}

impl PlanField {
    /// The field's name as mappings write it.
    pub fn name(&self) -> String {
        match (&self.field, self.part) {
            (Some(field), Some(part)) => format!("{}.{part}", field.name),
            (Some(field), None) => field.name.to_string(),
            (None, _) => "id".to_owned(),
        }
    }
}

/// Where text comes from, by the columns' places.
#[derive(Debug)]
pub enum PlanSource {
    /// A column.
    Column(usize),
    /// Text and columns in turn.
    Template(Vec<Piece>),
    /// The same for every row.
    Constant(String),
}

/// A piece of a template.
#[derive(Debug)]
pub enum Piece {
    /// Text as it stands.
    Text(String),
    /// What the column holds.
    Column(usize),
}

/// A record found by what one of its fields holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lookup {
    /// The record's kind.
    pub kind: Arc<Kind>,
    /// The field that holds the text.
    pub by: Field,
    /// The value wanted is what the record holds here.
    pub take: Option<Name>,
}

impl Plan {
    /// True when a field refers to records of the kind it belongs to.
    pub fn refers_to_itself(&self, field: &str) -> bool {
        match self.kind.field(field).map(|field| &field.field_type) {
            Some(FieldType::Reference(kinds)) => kinds.contains(&self.kind.name),
            _ => false,
        }
    }

    /// A row as people find it: by its line, and by its key where it has one.
    pub fn told_row(&self, line: u64, key: Option<&str>) -> String {
        let name = match &self.key {
            Some(Key::Id) => Some("id"),
            Some(Key::Field(name)) => Some(name.as_str()),
            None => None,
        };
        match name.zip(key) {
            Some((name, key)) => format!("the row in line {line} ({name} {:?})", cut(key)),
            None => format!("the row in line {line}"),
        }
    }

    /// The column one of our fields comes from, and what a row holds there.
    pub fn shown(&self, field: &str, row: &Row) -> (String, String) {
        let found = self
            .fields
            .iter()
            .find(|one| one.field.as_ref().is_some_and(|f| f.name == *field));
        match found.map(|field| &field.source) {
            Some(PlanSource::Column(index)) => {
                let value = String::from_utf8_lossy(row.field(*index)).into_owned();
                (self.header[*index].clone(), value)
            }
            _ => (field.to_owned(), String::new()),
        }
    }

    /// The fields by which rows look up records of the kind that is being imported.
    pub fn own_lookups(&self) -> BTreeMap<Name, Field> {
        let own = |lookup: &&Lookup| lookup.kind.name == self.kind.name;
        let lookups = self.fields.iter().filter_map(|field| field.lookup.as_ref());
        lookups
            .filter(own)
            .map(|lookup| (lookup.by.name.clone(), lookup.by.clone()))
            .collect()
    }

    /// True when rows can be judged only by what the whole file holds.
    pub fn needs_survey(&self) -> bool {
        let last = self.repeated_keys == RepeatedKeys::Last && self.key.is_some();
        last || self.own_lookups().values().any(|by| !by.unique)
    }
}
