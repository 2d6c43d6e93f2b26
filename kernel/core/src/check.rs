//! The kernel's own checks of a commit: all faults of all changes.

use std::collections::{HashMap, HashSet};

use kjerne_model::{Code, Field, FieldType, Fields, Name, RecordId, Reference, Refusal, Value};
use kjerne_model::{Schema, check_fields, check_new};
use kjerne_store::{StoreError, index};

use crate::apply::{Slot, Work};
use crate::limits;
use kjerne_query::Reader;

/// Which fields of which kinds may refer to a kind.
pub(crate) struct Referrers(HashMap<Name, Vec<(Name, Name)>>);

impl Referrers {
    pub(crate) fn of(schema: &Schema) -> Self {
        let mut referrers: HashMap<Name, Vec<(Name, Name)>> = HashMap::new();
        for kind in schema.kinds() {
            for (field, targets) in kind.fields.iter().filter_map(reference_targets) {
                for target in targets {
                    let place = (kind.name.clone(), field.name.clone());
                    referrers.entry(target.clone()).or_default().push(place);
                }
            }
        }
        Self(referrers)
    }

    fn to(&self, kind: &Name) -> &[(Name, Name)] {
        self.0.get(kind).map_or(&[], Vec::as_slice)
    }
}

fn reference_targets(field: &Field) -> Option<(&Field, &[Name])> {
    match &field.field_type {
        FieldType::Reference(targets) => Some((field, targets)),
        _ => None,
    }
}

/// What the fields themselves are checked for.
pub(crate) fn schema_faults(work: &Work) -> Vec<Refusal> {
    let faults_of = |slot: &Slot| {
        let mut faults = slot
            .current()
            .map_or_else(Vec::new, |fields| check_fields(&slot.kind, fields));
        faults.extend(new_faults(slot, &faults));
        let (change, kind, id) = (slot.change, slot.kind.name.clone(), slot.id);
        faults
            .into_iter()
            .map(move |fault| fault.at(change, &kind).record(id))
    };
    work.changed().flat_map(faults_of).collect()
}

/// What the fields that the commit writes are checked for beside, but for those that are told already.
fn new_faults(slot: &Slot, told: &[Refusal]) -> Vec<Refusal> {
    let fields = slot.current().into_iter().flatten();
    let written = fields.filter(|(name, _)| {
        let is_told = |fault: &Refusal| fault.field.as_deref() == Some(name.as_str());
        slot.changes(name) && !told.iter().any(is_told)
    });
    let checked = |(name, value): (&Name, &Value)| check_new(slot.kind.field(name)?, value);
    written.filter_map(checked).collect()
}

/// The faults of the fields that no shape can mend: a required one it may still fill.
pub(crate) fn faults_before_shaping(work: &Work) -> impl Iterator<Item = Refusal> {
    let faults = schema_faults(work).into_iter();
    faults.filter(|fault| fault.code != Code::Required)
}

/// What the commit is checked for against other records: references lead somewhere, unique values
/// are free, nothing refers to what is deleted.
///
/// What the fields themselves are at fault for is not looked up: a value that is too long is to cost no
/// more than its length.
pub(crate) fn store_faults(
    work: &Work,
    reader: &Reader,
    referrers: &Referrers,
    told: &[Refusal],
) -> Result<Vec<Refusal>, StoreError> {
    let told: HashSet<(Option<RecordId>, Option<&str>)> = told
        .iter()
        .map(|fault| (fault.id, fault.field.as_deref()))
        .collect();
    let mut faults = Vec::new();
    let mut claims = Claims::default();
    for slot in work.changed() {
        match slot.current() {
            Some(fields) => {
                for field in slot
                    .kind
                    .fields
                    .iter()
                    .filter(|field| slot.changes(&field.name))
                    .filter(|field| !told.contains(&(Some(slot.id), Some(&*field.name))))
                {
                    let Some(value) = fields.get(&field.name) else {
                        continue;
                    };
                    faults.extend(reference_fault(work, reader, slot, field, value)?);
                    faults.extend(hierarchy_fault(work, reader, slot, field, value)?);
                    if field.unique {
                        faults.extend(claims.take(work, reader, slot, field, value)?);
                    }
                }
            }
            None => faults.extend(referrer_fault(work, reader, referrers, slot)?),
        }
    }
    Ok(faults)
}

fn reference_fault(
    work: &Work,
    reader: &Reader,
    slot: &Slot,
    field: &Field,
    value: &Value,
) -> Result<Option<Refusal>, StoreError> {
    let (Some((_, kinds)), Value::Reference(to)) = (reference_targets(field), value) else {
        return Ok(None);
    };
    // A reference to a kind the field does not take is a fault of the value, told already.
    if !kinds.contains(&to.kind) || is_there(work, reader, to)? {
        return Ok(None);
    }
    let name = &field.name;
    let message = format!("{name} refers to {to}, which does not exist; create it first");
    Ok(Some(
        slot.refusal(Code::UnknownReference, message).field(name),
    ))
}

fn is_there(work: &Work, reader: &Reader, to: &Reference) -> Result<bool, StoreError> {
    match work.find(&to.kind, to.id) {
        Some(slot) => Ok(slot.current().is_some()),
        None => reader.exists(&to.kind, to.id),
    }
}

/// A hierarchy is followed upwards from the record that was changed: it must come to an end, within
/// [`limits::HIERARCHY`], and not at the record itself. What is read on the way is looked at again in
/// the transaction, so that two commits cannot close a circle together.
fn hierarchy_fault(
    work: &Work,
    reader: &Reader,
    slot: &Slot,
    field: &Field,
    value: &Value,
) -> Result<Option<Refusal>, StoreError> {
    let (name, own) = (&field.name, slot.reference());
    let mut above = value.as_reference().filter(|_| field.hierarchy).cloned();
    let mut passed = Vec::new();
    while let Some(at) = above.take() {
        let wrong = if at == own {
            format!("{name} leads back to {own}; nothing can be above itself, so choose another")
        } else if passed.contains(&at) {
            format!("{name} leads to {at}, which is above itself; mend that one first")
        } else if passed.len() >= limits::HIERARCHY.count() {
            let most = limits::HIERARCHY.value;
            format!(
                "{name} has more than {most} records above one another; at most {most} are allowed"
            )
        } else {
            above = held_reference(work, reader, &at, name)?;
            passed.push(at);
            continue;
        };
        return Ok(Some(slot.refusal(Code::InvalidValue, wrong).field(name)));
    }
    Ok(None)
}

/// What a reference field of a record holds once the commit is made.
fn held_reference(
    work: &Work,
    reader: &Reader,
    at: &Reference,
    field: &str,
) -> Result<Option<Reference>, StoreError> {
    let of = |fields: &Fields| fields.get(field).and_then(Value::as_reference).cloned();
    match work.find(&at.kind, at.id) {
        Some(slot) => Ok(slot.current().and_then(of)),
        None => Ok(reader
            .get(&at.kind, at.id)?
            .and_then(|record| of(&record.fields))),
    }
}

/// The unique values the commit's own records take, so that two of them cannot take the same.
#[derive(Default)]
struct Claims(HashMap<(Name, Name, Value), RecordId>);

impl Claims {
    fn take(
        &mut self,
        work: &Work,
        reader: &Reader,
        slot: &Slot,
        field: &Field,
        value: &Value,
    ) -> Result<Option<Refusal>, StoreError> {
        let (kind, name) = (&slot.kind.name, &field.name);
        let key = (kind.clone(), name.clone(), field.form(value).into_owned());
        let claimed = self
            .0
            .insert(key, slot.id)
            .filter(|other| *other != slot.id);
        let holder = match claimed {
            Some(other) => Some(other),
            None => index::holder(reader, kind, field, value)?
                .filter(|other| *other != slot.id && still_holds(work, kind, *other, field, value)),
        };
        Ok(holder.map(|other| {
            let message = format!(
                "{name} {value} is taken by {kind}/{other}, and no two records may share it; \
                 use that record, or another value"
            );
            slot.refusal(Code::Duplicate, message).field(name)
        }))
    }
}

/// Whether a record that holds a unique value now holds it after the commit as well.
fn still_holds(work: &Work, kind: &Name, id: RecordId, field: &Field, value: &Value) -> bool {
    let Some(slot) = work.find(kind, id) else {
        return true;
    };
    let held = slot.current().and_then(|fields| fields.get(&field.name));
    held.is_some_and(|held| field.form(held) == field.form(value))
}

fn referrer_fault(
    work: &Work,
    reader: &Reader,
    referrers: &Referrers,
    slot: &Slot,
) -> Result<Option<Refusal>, StoreError> {
    let target = slot.reference();
    for (kind, field) in referrers.to(&slot.kind.name) {
        let lets_go = |id| {
            let other = work.find(kind, id);
            other.is_some_and(|other| !refers(other.current(), field, &target))
        };
        if let Some(id) = reader.referrer(&target, kind, field, &lets_go)? {
            let message = format!(
                "{target} cannot be deleted while {kind}/{id} refers to it in {field}; \
                 delete that record or clear its field first"
            );
            return Ok(Some(slot.refusal(Code::StillReferenced, message)));
        }
    }
    Ok(None)
}

fn refers(fields: Option<&Fields>, field: &str, target: &Reference) -> bool {
    let held = fields.and_then(|fields| fields.get(field));
    held.and_then(Value::as_reference) == Some(target)
}
