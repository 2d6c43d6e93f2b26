//! Binds a mapping to one file and one kind: every name in it is found, and every fault told at
//! once, before the first row is read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::tz::TimeZone;
use kjerne_model::{Address, Currency, Decimal, Field, FieldType, Kind, Schema, trim};
use kjerne_workspace::error::{Context as _, Error, Result};

use super::form::Form;
use super::forms::{Forms, Grouping};
use super::mapping::{FieldSource, Mapping};
use super::names::{self, MappingFaults};
use super::plan::{Key, Lookup, Piece, Plan, PlanField, PlanSource};
use super::sense;
use crate::limits::IMPORT_UNUSED;

impl Plan {
    /// Binds a mapping.
    pub fn bind(mapping: &Mapping, kind: &str, header: &[String], schema: &Schema) -> Result<Self> {
        let kind = kind_of(mapping, kind, schema)?;
        let mut binder = Binder::new(mapping, kind, header, schema)?;
        let mut fields = Vec::new();
        let sources = mapping.fields()?;
        for (name, source) in &sources {
            if let Some(field) = binder.field(name, source) {
                let faults = sense::of_field(kind, name, source, &field);
                binder.faults.extend(faults);
                fields.push(field);
            }
        }
        let skip = binder.conditions(&mapping.skip);
        let ignored = |name: &String| {
            mapping.ignore.contains(name) || super::reject::COLUMNS.contains(&name.as_str())
        };
        binder
            .used
            .extend((0..header.len()).filter(|&index| ignored(&header[index])));
        let names: Vec<&str> = sources.iter().map(|(name, _)| name.as_str()).collect();
        let key = binder.key(&names);
        let has_key = key.is_some() || mapping.key.is_some();
        let faults = sense::of_mapping(mapping, &names, has_key);
        binder.faults.extend(faults);
        if names.is_empty() {
            binder.faults.push("the mapping maps no field".to_owned());
        }
        if !binder.faults.is_empty() {
            return Err(Error::unreadable(format!(
                "the mapping does not fit the file:\n  - {}",
                binder.faults.told()
            )));
        }
        let unmapped = binder.unused();
        Ok(Self {
            kind: Arc::clone(kind),
            key,
            on_existing: mapping.on_existing,
            repeated_keys: mapping.repeated_keys,
            empty_cells: mapping.empty_cells,
            safe_for_spreadsheets: mapping.safe_for_spreadsheets,
            keep_blanks: mapping.keep_blanks,
            empty: binder.empty,
            skip,
            fields,
            header: header.to_vec(),
            unmapped,
        })
    }
}

/// The kind, which the mapping must not contradict.
fn kind_of<'a>(mapping: &Mapping, kind: &str, schema: &'a Schema) -> Result<&'a Arc<Kind>> {
    let kind = schema
        .kind(kind)
        .with_context(|| unknown_kind(kind, schema))?;
    match &mapping.kind {
        Some(other) if *other != *kind.name.as_str() => Err(Error::unreadable(format!(
            "the mapping is for kind {other}, not for {}",
            kind.name
        ))),
        _ => Ok(kind),
    }
}

/// The number a float was written as, which is certain up to 15 digits.
fn exact(float: f64) -> Option<Decimal> {
    let text = float.to_string();
    let digits = text.trim_start_matches(['-', '0', '.']);
    let digits = digits.bytes().filter(u8::is_ascii_digit).count();
    let zeros = text.len() - text.trim_end_matches('0').len();
    Decimal::parse(&text)
        .ok()
        .filter(|_| digits - zeros.min(digits) <= 15)
}

/// Texts without the blanks at both ends, as cells are compared.
fn trimmed(texts: &[String]) -> impl Iterator<Item = String> {
    texts.iter().map(|text| trim(text).to_owned())
}

fn forms_of(formats: &[String], has_zone: bool, faults: &mut MappingFaults) -> Vec<Form> {
    let mut forms = Vec::new();
    for format in formats {
        match Form::new(format) {
            Ok(form) if !has_zone && form.names_zone() => faults.push(format!(
                "the form {:?} has a time zone as plain text, which is passed over; say zone as well",
                form.text()
            )),
            Ok(form) => forms.push(form),
            Err(fault) => faults.push(fault),
        }
    }
    forms
}

fn grouping(mapping: &Mapping, faults: &mut MappingFaults) -> Grouping {
    let point = if mapping.decimal_comma { "," } else { "." };
    match mapping.grouping.as_deref() {
        None => Grouping::Usual,
        Some("") => Grouping::Absent,
        Some(mark @ ("," | "." | " " | "'")) if mark != point => {
            mark.chars().next().map_or(Grouping::Absent, Grouping::Only)
        }
        Some(mark) => {
            faults.push(format!(
                "grouping {mark:?} is none of these: \",\", \".\", \" \", \"'\" and \"\"; nor is \
                 it the decimal mark {point:?}"
            ));
            Grouping::Usual
        }
    }
}

fn unknown_kind(kind: &str, schema: &Schema) -> String {
    let kinds: Vec<&str> = schema.kinds().map(|kind| kind.name.as_str()).collect();
    format!("there is no kind {kind:?}; there are {}", kinds.join(", "))
}

/// Finds names, and gathers what it did not find.
struct Binder<'a> {
    kind: &'a Arc<Kind>,
    header: &'a [String],
    schema: &'a Schema,
    forms: Forms,
    key: Option<&'a str>,
    empty: BTreeSet<String>,
    used: BTreeSet<usize>,
    faults: MappingFaults,
    /// The file's columns have been told, and the kind's fields.
    told_columns: bool,
    told_fields: bool,
    has_zone: bool,
}

impl<'a> Binder<'a> {
    fn new(
        mapping: &'a Mapping,
        kind: &'a Arc<Kind>,
        header: &'a [String],
        schema: &'a Schema,
    ) -> Result<Self> {
        let zone = match &mapping.zone {
            Some(zone) => TimeZone::get(zone)
                .map_err(|_| Error::unreadable(format!("no time zone {zone:?}")))?,
            None => TimeZone::UTC,
        };
        let currency = mapping.currency.as_deref().map(Currency::new).transpose();
        let mut faults = MappingFaults::default();
        let has_zone = mapping.zone.is_some();
        let forms = Forms {
            zone,
            currency: currency.context("currency of the mapping")?,
            currency_column: None,
            decimal_comma: mapping.decimal_comma,
            grouping: grouping(mapping, &mut faults),
            negative: mapping.negative,
            scale: None,
            dates: forms_of(&mapping.date_formats, has_zone, &mut faults),
            instants: forms_of(&mapping.instant_formats, has_zone, &mut faults),
        };
        let key = mapping.key.as_deref();
        Ok(Self {
            kind,
            header,
            schema,
            forms,
            key,
            empty: trimmed(&mapping.empty).collect(),
            used: BTreeSet::new(),
            faults,
            told_columns: false,
            told_fields: false,
            has_zone,
        })
    }

    /// The first columns nobody asked for, each cut, and how many more there are.
    fn unused(&self) -> Vec<String> {
        let most = IMPORT_UNUSED.count();
        let columns = self.header.iter().enumerate();
        let mut unused: Vec<String> = columns
            .filter(|(index, _)| !self.used.contains(index))
            .map(|(_, name)| names::cut(name))
            .collect();
        let more = unused.len().saturating_sub(most);
        unused.truncate(most);
        unused.extend((more > 0).then(|| format!("and {more} more")));
        unused
    }

    /// The place of a column, which counts as used from now on.
    fn column(&mut self, name: &str) -> Option<usize> {
        let mut places = (0..self.header.len()).filter(|&index| self.header[index] == name);
        match (places.next(), places.next()) {
            (Some(place), None) => {
                self.used.insert(place);
                return Some(place);
            }
            (Some(_), Some(_)) => {
                self.faults
                    .push(format!("the file has more than one column {name:?}"));
            }
            (None, _) => {
                let known = match std::mem::replace(&mut self.told_columns, true) {
                    false => format!(
                        "; it has {}",
                        names::list(self.header.iter().map(String::as_str))
                    ),
                    true => String::new(),
                };
                self.faults
                    .push(format!("the file has no column {name:?}{known}"));
            }
        }
        None
    }

    fn field(&mut self, name: &str, source: &FieldSource) -> Option<PlanField> {
        let (field, part) = if name == "id" {
            (None, None)
        } else {
            let (field, part) = self.target(name)?;
            (Some(field), part)
        };
        Some(PlanField {
            source: self.source(name, source)?,
            values: source.values.as_ref().map(|values| self.values(values)),
            keep_unlisted: source.keep_unlisted,
            lookup: self.lookup(name, field.as_ref(), source)?,
            forms: self.forms(name, field.as_ref(), source)?,
            when: self.conditions(&source.when),
            field,
            part,
        })
    }

    /// Columns with the values they are compared with.
    fn conditions(&mut self, all: &BTreeMap<String, Vec<String>>) -> Vec<(usize, Vec<String>)> {
        let mut found = Vec::new();
        for (column, values) in all {
            values.iter().for_each(|value| self.comparable(value));
            found.extend(
                self.column(column)
                    .map(|at| (at, trimmed(values).collect())),
            );
        }
        found
    }

    /// Their values and ours, as cells are compared: without blanks at both ends.
    fn values(&mut self, values: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        values.keys().for_each(|value| self.comparable(value));
        let mut compared = BTreeMap::new();
        for (theirs, ours) in values {
            let theirs = trim(theirs);
            if compared.insert(theirs.to_owned(), ours.clone()).is_some() {
                self.faults.push(format!(
                    "values names {:?} twice, since blanks at both ends do not count; keep one",
                    names::cut(theirs)
                ));
            }
        }
        compared
    }

    /// A value that means an empty cell is never met by a comparison.
    fn comparable(&mut self, value: &str) {
        let value = trim(value);
        if !value.is_empty() && self.empty.contains(value) {
            self.faults.push(format!(
                "{value:?} means an empty cell; compare with the empty text \"\" instead"
            ));
        }
    }

    /// The field and part a name such as `billing_address.city` means.
    fn target(&mut self, name: &str) -> Option<(Field, Option<&'static str>)> {
        let (field_name, part_name) = match name.split_once('.') {
            Some((field, part)) => (field, Some(part)),
            None => (name, None),
        };
        let Some(field) = self.kind.field(field_name) else {
            let fields: Vec<&str> = self.kind.fields.iter().map(|f| f.name.as_str()).collect();
            let known = match std::mem::replace(&mut self.told_fields, true) {
                false => format!("; it has {}", fields.join(", ")),
                true => String::new(),
            };
            let kind = &self.kind.name;
            self.faults
                .push(format!("kind {kind} has no field {field_name:?}{known}"));
            return None;
        };
        let is_address = field.field_type == FieldType::Address;
        let known = |part: &str| Address::PARTS.into_iter().find(|known| *known == part);
        match part_name {
            None => Some((field.clone(), None)),
            Some(part) if is_address && known(part).is_some() => Some((field.clone(), known(part))),
            Some(part) => {
                self.faults.push(format!(
                    "field {field_name} has no part {part:?}; addresses have {}",
                    Address::PARTS.join(", ")
                ));
                None
            }
        }
    }

    fn source(&mut self, name: &str, source: &FieldSource) -> Option<PlanSource> {
        match (&source.column, &source.template, &source.constant) {
            (Some(column), None, None) => self.column(column).map(PlanSource::Column),
            (None, Some(template), None) => self.template(template).map(PlanSource::Template),
            (None, None, Some(constant)) => Some(PlanSource::Constant(constant.clone())),
            _ => {
                self.faults.push(format!(
                    "field {name:?} needs exactly one of column, template and constant"
                ));
                None
            }
        }
    }

    fn template(&mut self, template: &str) -> Option<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut rest = template;
        while let Some((text, after)) = rest.split_once('{') {
            let Some((column, after)) = after.split_once('}') else {
                self.faults
                    .push(format!("template {template:?} has a '{{' without its '}}'"));
                return None;
            };
            pieces.push(Piece::Text(text.to_owned()));
            pieces.push(Piece::Column(self.column(column)?));
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Some(pieces)
    }

    /// The outer option is for faults, the inner for fields without a lookup.
    #[expect(clippy::option_option, reason = "absent and wrong are two things here")]
    fn lookup(
        &mut self,
        name: &str,
        field: Option<&Field>,
        source: &FieldSource,
    ) -> Option<Option<Lookup>> {
        let Some(lookup) = &source.lookup else {
            return Some(None);
        };
        let found = self.find_lookup(field, lookup, source.take.as_deref());
        match found {
            Ok(lookup) => Some(Some(lookup)),
            Err(fault) => {
                self.faults.push(format!("field {name:?}: {fault}"));
                None
            }
        }
    }

    fn find_lookup(
        &self,
        field: Option<&Field>,
        lookup: &str,
        take: Option<&str>,
    ) -> Result<Lookup> {
        let (kind, by) = lookup
            .split_once('.')
            .with_context(|| format!("lookup {lookup:?} is not written as kind.field"))?;
        let kind = self
            .schema
            .kind(kind)
            .with_context(|| unknown_kind(kind, self.schema))?;
        let by = kind
            .field(by)
            .with_context(|| format!("kind {} has no field {by:?} to look up by", kind.name))?;
        if !by.is_indexed() {
            return Err(Error::unreadable(format!(
                "{}.{} is not indexed, and so nothing is looked up by it",
                kind.name, by.name
            )));
        }
        let take = match take {
            Some(take) => Some(
                kind.field(take)
                    .with_context(|| format!("kind {} has no field {take:?} to take", kind.name))?,
            ),
            None => None,
        };
        let fits = match (field.map(|field| &field.field_type), take) {
            (Some(FieldType::Reference(kinds)), None) => kinds.contains(&kind.name),
            (Some(wanted), Some(taken)) => same_type(wanted, &taken.field_type),
            _ => false,
        };
        if !fits {
            return Err(Error::unreadable(format!(
                "a lookup of {lookup} gives nothing this field takes"
            )));
        }
        Ok(Lookup {
            kind: Arc::clone(kind),
            by: by.clone(),
            take: take.map(|f| f.name.clone()),
        })
    }

    fn forms(&mut self, name: &str, field: Option<&Field>, source: &FieldSource) -> Option<Forms> {
        let mut forms = self.forms.clone();
        if let Some(code) = &source.currency {
            match Currency::new(code) {
                Ok(currency) => forms.currency = Some(currency),
                Err(error) => {
                    self.faults.push(format!("field {name:?}: {error}"));
                    return None;
                }
            }
        }
        if let Some(column) = &source.currency_column {
            forms.currency_column = Some(self.column(column)?);
        }
        if let Some(format) = &source.format {
            forms.dates = forms_of(
                std::slice::from_ref(format),
                self.has_zone,
                &mut self.faults,
            );
            forms.instants.clone_from(&forms.dates);
        }
        if let Some(scale) = &source.scale {
            forms.scale = self.scale(name, field, scale);
        }
        Some(forms)
    }

    /// What a number is multiplied by. A float such as `1e6` is taken as the decimal it is written.
    fn scale(&mut self, name: &str, field: Option<&Field>, scale: &toml::Value) -> Option<Decimal> {
        let is_number = field.is_some_and(|field| {
            use FieldType::{Decimal, Integer, Money};
            matches!(field.field_type, Integer | Decimal | Money)
        });
        let scale = match scale {
            toml::Value::Integer(whole) => Some(Decimal::from(*whole)),
            toml::Value::Float(float) => exact(*float),
            toml::Value::String(text) => Decimal::parse(text).ok(),
            _ => None,
        };
        let scale = scale.filter(|scale| scale.coefficient() != 0 && is_number);
        if scale.is_none() {
            self.faults.push(format!(
                "field {name:?}: scale is a number other than 0, for a number or an amount; with more than \
                 15 digits it is written as text, in quotes"
            ));
        }
        scale
    }

    /// The key asked for, or the external id when that is mapped.
    fn key(&mut self, fields: &[&str]) -> Option<Key> {
        let mapped = |name: &str| fields.contains(&name);
        let name = match self.key {
            Some(key) => key,
            None if mapped("external_id") => "external_id",
            None => return None,
        };
        if !mapped(name) {
            self.faults
                .push(format!("the key {name:?} is not one of the mapped fields"));
            return None;
        }
        if name == "id" {
            return Some(Key::Id);
        }
        let field = self.kind.field(name)?;
        if !field.unique {
            let unique: Vec<&str> = self
                .kind
                .fields
                .iter()
                .filter(|f| f.unique)
                .map(|f| f.name.as_str())
                .collect();
            self.faults.push(format!(
                "the key {name:?} is not unique; these are: id, {}",
                unique.join(", ")
            ));
            return None;
        }
        Some(Key::Field(field.name.clone()))
    }
}

/// Two field types whose values fit one another; what a text or choice takes is checked later.
fn same_type(a: &FieldType, b: &FieldType) -> bool {
    let is_text = |t: &FieldType| {
        matches!(
            t,
            FieldType::Text { .. }
                | FieldType::Choice(_)
                | FieldType::Email
                | FieldType::Phone
                | FieldType::Url
        )
    };
    (is_text(a) && is_text(b)) || std::mem::discriminant(a) == std::mem::discriminant(b)
}
