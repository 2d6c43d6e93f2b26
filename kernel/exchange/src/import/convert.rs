//! One row of a file becomes one draft of a record; every fault of the row is told.

use std::borrow::Cow;

use kjerne_model::{
    Address, Fields, Name, Patch, Record, RecordId, Refusal, Value, check_given, is_blank, trim,
};

use super::fault::Fault;
use super::mapping::EmptyCells;
use super::names;
use super::plan::{Key, Piece, Plan, PlanField, PlanSource};
use super::read::read_value;
use super::rows::{MAX_COLUMNS, MAX_FIELD_BYTES, MAX_ROW_BYTES, Row, RowFault};
use crate::limits::IMPORT_TEMPLATE;
use crate::spreadsheet::unguarded;

/// What a row becomes.
#[derive(Debug)]
pub enum Taken {
    /// A record to be.
    Draft(Box<Draft>),
    /// Left out, as the mapping says.
    Skipped,
    /// Nothing: no cell of the row holds anything.
    Blank,
    /// Nothing, for these reasons.
    Faulty(Vec<Fault>),
}

/// A record to be, before its lookups are resolved.
#[derive(Debug)]
pub struct Draft {
    /// The row it comes from.
    pub row: Row,
    /// What its key holds.
    pub key: Option<String>,
    /// The id the file gives it.
    pub id: Option<RecordId>,
    /// Fields to set or clear.
    pub patch: Patch,
    /// Parts of addresses to set; empty text clears.
    pub parts: Vec<(Name, &'static str, String)>,
    /// Fields that wait for a lookup: which of the plan's, and the text to look up.
    pub pending: Vec<(usize, String)>,
    /// Cells that cannot be read. Such a row is rejected, with what else is wrong with it.
    pub faults: Vec<Fault>,
}

impl Draft {
    /// How many bytes of memory its texts take, for which a batch has room: a template makes much of little.
    pub fn bytes(&self) -> usize {
        let held = |value: &Option<Value>| match value {
            Some(Value::Text(text)) => text.len(),
            Some(Value::Address(address)) => {
                let parts = Address::PARTS.iter().filter_map(|part| address.part(part));
                parts.map(str::len).sum()
            }
            Some(Value::Choices(chosen)) => chosen.iter().map(String::len).sum(),
            _ => 0,
        };
        let faults = self.faults.iter().map(Fault::bytes).sum::<usize>();
        let patch = self.patch.values().map(held).sum::<usize>();
        let parts = self.parts.iter().map(|(_, _, text)| text.len());
        let pending = self.pending.iter().map(|(_, text)| text.len());
        self.row.bytes() + faults + patch + parts.chain(pending).sum::<usize>()
    }

    /// The draft's fields against what the record holds, addresses put together from their parts.
    pub fn patch_for(&self, existing: Option<&Record>) -> Patch {
        let mut patch = self.patch.clone();
        for (field, part, text) in &self.parts {
            let held = || match existing.and_then(|record| record.get(field)) {
                Some(Value::Address(address)) => address.clone(),
                _ => Address::default(),
            };
            let entry = patch
                .entry(field.clone())
                .or_insert_with(|| Some(Value::Address(held())));
            let address = entry.get_or_insert_with(|| Value::Address(held()));
            if let Value::Address(address) = address
                && let Some(place) = address.part_mut(part)
            {
                place.clone_from(text);
            }
        }
        for value in patch.values_mut() {
            if matches!(value, Some(Value::Address(address)) if address.is_empty()) {
                *value = None;
            }
        }
        patch
            .retain(|field, value| existing.and_then(|record| record.get(field)) != value.as_ref());
        patch
    }
}

/// Turns a row into a draft.
pub fn convert(plan: &Plan, row: &Row) -> Taken {
    if is_nothing(plan, row) {
        return Taken::Blank;
    }
    let faults = row_faults(plan, row);
    if !faults.is_empty() {
        return Taken::Faulty(faults);
    }
    let mut draft = Draft {
        row: row.clone(),
        key: None,
        id: None,
        patch: Patch::new(),
        parts: Vec::new(),
        pending: Vec::new(),
        faults,
    };
    for condition in &plan.skip {
        match holds(plan, row, condition) {
            Ok(true) => return Taken::Skipped,
            Ok(false) => {}
            Err(fault) => draft.faults.push(fault),
        }
    }
    for (index, field) in plan.fields.iter().enumerate() {
        if let Err(fault) = fill(plan, index, field, &mut draft)
            && !draft.faults.contains(&fault)
        {
            draft.faults.push(fault);
        }
    }
    if draft.faults.is_empty() && plan.key.is_some() && draft.key.is_none() {
        draft.faults.push(Fault::of_row(
            "the key by which the record is found again is empty",
        ));
    }
    Taken::Draft(Box::new(draft))
}

/// What the kind refuses of a draft's fields, as far as they are known.
pub fn schema_faults(plan: &Plan, draft: &Draft) -> Vec<Refusal> {
    let fields: Fields = draft
        .patch_for(None)
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
    check_given(&plan.kind, &fields)
}

/// True when a column holds one of the values, as every comparison of a mapping sees it: without
/// blanks at both ends, and empty when the text means so.
fn holds(plan: &Plan, row: &Row, (column, values): &(usize, Vec<String>)) -> Result<bool, Fault> {
    let text = cell(plan, row, *column)?;
    let text = trim(text);
    Ok(values.iter().any(|value| value == text))
}

/// True for a row of delimiters, as spreadsheets write them below a table: nothing that would be stored for it
/// would come from the file.
fn is_nothing(plan: &Plan, row: &Row) -> bool {
    row.fault.is_none()
        && row.fields().all(|field| {
            std::str::from_utf8(field)
                .is_ok_and(|text| is_blank(text) || plan.empty.contains(trim(text)))
        })
}

/// What is wrong with a row whatever its columns mean.
fn row_faults(plan: &Plan, row: &Row) -> Vec<Fault> {
    let fault = match &row.fault {
        Some(RowFault::LongField { column, bytes }) => Fault::new(
            plan.header.get(*column).cloned().unwrap_or_default(),
            "",
            format!(
                "the field is {bytes} bytes long; at most {MAX_FIELD_BYTES} are read. Is a quote \
                 not closed?"
            ),
        ),
        Some(RowFault::LongRow) => {
            Fault::of_row(format!("the row is longer than {MAX_ROW_BYTES} bytes"))
        }
        Some(RowFault::ManyColumns) => {
            Fault::of_row(format!("the row has more than {MAX_COLUMNS} columns"))
        }
        Some(RowFault::OpenQuote { line }) => Fault::of_row(format!(
            "the quote opened at line {line} is not closed before the file ends"
        )),
        Some(RowFault::AfterQuote { column, line }) => {
            let place = if *line == row.line {
                String::new()
            } else {
                format!("line {line}: ")
            };
            Fault::new(
                plan.header.get(*column).cloned().unwrap_or_default(),
                &String::from_utf8_lossy(row.field(*column)),
                format!(
                    "{place}the field goes on after its closing quote; a quote within a field is \
                     doubled, or the mapping has an escape"
                ),
            )
        }
        None if is_header(plan, row) => Fault::of_row("the row is the header once more"),
        None if row.len() != plan.header.len() => Fault::of_row(format!(
            "the row has {} columns, and the header has {}",
            row.len(),
            plan.header.len()
        )),
        None => return Vec::new(),
    };
    vec![fault]
}

/// True for a row that repeats the names of the columns, as joined files have it.
fn is_header(plan: &Plan, row: &Row) -> bool {
    row.len() == plan.header.len()
        && plan.header.iter().any(|name| !name.is_empty())
        && row
            .fields()
            .zip(&plan.header)
            .all(|(field, name)| trim(&String::from_utf8_lossy(field)) == name)
}

/// Fills one field of a draft.
fn fill(plan: &Plan, index: usize, field: &PlanField, draft: &mut Draft) -> Result<(), Fault> {
    let mut text = text_of(plan, field, &draft.row)?;
    for condition in &field.when {
        if !holds(plan, &draft.row, condition)? {
            text = Cow::Borrowed("");
        }
    }
    let fault = |text: &str, reason: String| Fault::new(column_of(plan, field), text, reason);
    let text = our_value(field, text).map_err(|text| {
        let listed = field.values.as_ref().map(|values| values.keys());
        let listed = listed.map(|keys| names::list(keys.map(String::as_str)));
        let listed = listed.unwrap_or_default();
        fault(&text, format!("is none of the mapped values: {listed}"))
    })?;
    if is_key(plan, field) {
        draft.key = (!text.is_empty()).then(|| text.to_string());
    }
    let Some(own) = &field.field else {
        if !text.is_empty() {
            let id = RecordId::parse(&text).map_err(|e| fault(&text, e.to_string()))?;
            draft.id = Some(id);
        }
        return Ok(());
    };
    if text.is_empty() {
        if plan.empty_cells == EmptyCells::Clear {
            match field.part {
                Some(part) => draft.parts.push((own.name.clone(), part, String::new())),
                None => drop(draft.patch.insert(own.name.clone(), None)),
            }
        }
        return Ok(());
    }
    if let Some(part) = field.part {
        draft
            .parts
            .push((own.name.clone(), part, text.into_owned()));
    } else if let Some(lookup) = &field.lookup {
        // What is looked up is compared as it is stored, an amount with the currency that its row tells; what
        // cannot be read so is found nowhere.
        let currency = currency_of(plan, field, &draft.row)?;
        let by = &lookup.by.field_type;
        let read = read_value(by, &text, &field.forms, currency.as_deref());
        let text = read.map_or_else(|_| text.into_owned(), |value| value.to_string());
        if is_key(plan, field) {
            draft.key = Some(text.clone());
        }
        draft.pending.push((index, text));
    } else {
        let currency = currency_of(plan, field, &draft.row)?;
        let value = read_value(&own.field_type, &text, &field.forms, currency.as_deref());
        let value = value.map_err(|reason| fault(&text, reason))?;
        if is_key(plan, field) {
            draft.key = Some(value.to_string());
        }
        // A list without a choice, such as `;`, is an empty cell, and so is an address of blanks.
        if !value.is_empty() {
            draft.patch.insert(own.name.clone(), Some(value));
        } else if plan.empty_cells == EmptyCells::Clear {
            draft.patch.insert(own.name.clone(), None);
        }
    }
    Ok(())
}

fn is_key(plan: &Plan, field: &PlanField) -> bool {
    match (&plan.key, &field.field) {
        (Some(Key::Id), None) => true,
        (Some(Key::Field(key)), Some(field)) => *key == field.name,
        _ => false,
    }
}

/// The column a fault of this field is about.
pub fn column_of(plan: &Plan, field: &PlanField) -> String {
    match &field.source {
        PlanSource::Column(index) => plan.header[*index].clone(),
        PlanSource::Template(_) | PlanSource::Constant(_) => field.name(),
    }
}

fn currency_of(plan: &Plan, field: &PlanField, row: &Row) -> Result<Option<String>, Fault> {
    let Some(column) = field.forms.currency_column else {
        return Ok(None);
    };
    let code = cell(plan, row, column)?;
    Ok(Some(trim(code).to_owned()))
}

/// The text a field comes from.
fn text_of<'a>(plan: &'a Plan, field: &'a PlanField, row: &'a Row) -> Result<Cow<'a, str>, Fault> {
    match &field.source {
        PlanSource::Column(index) => cell(plan, row, *index).map(Cow::Borrowed),
        PlanSource::Constant(text) => Ok(Cow::Borrowed(text)),
        PlanSource::Template(pieces) => template_of(plan, field, pieces, row).map(Cow::Owned),
    }
}

/// The text that a template makes of a row. It is given up as soon as it is longer than any field takes, since a
/// short template can make much of one cell.
fn template_of(
    plan: &Plan,
    field: &PlanField,
    pieces: &[Piece],
    row: &Row,
) -> Result<String, Fault> {
    let (mut text, mut filled) = (String::new(), false);
    for piece in pieces {
        let next = match piece {
            Piece::Text(between) => between,
            Piece::Column(index) => cell(plan, row, *index)?,
        };
        filled |= matches!(piece, Piece::Column(_)) && !next.is_empty();
        if text.len() + next.len() > IMPORT_TEMPLATE.count() {
            let reason = format!(
                "the template makes more than {} bytes of this row (limit {}); take fewer or shorter columns",
                IMPORT_TEMPLATE.value, IMPORT_TEMPLATE.name
            );
            return Err(Fault::new(field.name(), &text, reason));
        }
        text.push_str(next);
    }
    // What only the template's own words would be left of is empty.
    Ok(if filled {
        trim(&text).to_owned()
    } else {
        String::new()
    })
}

/// What a cell holds, empty when it has nothing to read or one of the texts that mean so.
fn cell<'a>(plan: &Plan, row: &'a Row, index: usize) -> Result<&'a str, Fault> {
    let bytes = row.field(index);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let reason = format!(
            "the text is broken at its byte {}: not in the file's encoding",
            error.valid_up_to()
        );
        let value = String::from_utf8_lossy(bytes);
        Fault::new(plan.header[index].as_str(), &value, reason)
    })?;
    let text = if plan.safe_for_spreadsheets {
        unguarded(text)
    } else {
        text
    };
    if is_blank(text) || plan.empty.contains(trim(text)) {
        return Ok("");
    }
    Ok(if plan.keep_blanks { text } else { trim(text) })
}

/// Their value turned into ours; the text itself when it is none of the mapped ones.
fn our_value<'a>(field: &'a PlanField, text: Cow<'a, str>) -> Result<Cow<'a, str>, String> {
    let Some(values) = &field.values else {
        return Ok(text);
    };
    match values.get(trim(&text)).or_else(|| values.get("*")) {
        Some(ours) => Ok(Cow::Borrowed(ours)),
        None if field.keep_unlisted || text.is_empty() => Ok(text),
        None => Err(text.into_owned()),
    }
}
