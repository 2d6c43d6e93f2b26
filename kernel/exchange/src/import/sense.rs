//! What a mapping says that cannot come true, or would be passed over: told before the first row is read,
//! since nobody would notice it afterwards.

use kjerne_model::{Address, FieldType, Fields, Kind, check_given, is_blank, trim};

use super::mapping::{FieldSource, Mapping, OnExisting, RepeatedKeys};
use super::names::cut;
use super::plan::PlanField;
use super::read::read_value;

/// Faults of the mapping as a whole.
pub fn of_mapping(mapping: &Mapping, fields: &[&str], has_key: bool) -> Vec<String> {
    let mut faults = Vec::new();
    for (column, _) in mapping.skip.iter().filter(|(_, values)| values.is_empty()) {
        faults.push(format!("skip names no value of {:?}", cut(column)));
    }
    let by_key = [
        ("on_existing", mapping.on_existing != OnExisting::Update),
        (
            "repeated_keys",
            mapping.repeated_keys != RepeatedKeys::Reject,
        ),
    ];
    for (name, _) in by_key.iter().filter(|(_, is_said)| *is_said && !has_key) {
        faults.push(format!(
            "{name} is about records that are found by a key, and no key is mapped: map external_id or say key"
        ));
    }
    for part in Address::PARTS {
        let ends = format!(".{part}");
        let wholes = fields.iter().filter_map(|name| name.strip_suffix(&ends));
        for whole in wholes.filter(|whole| fields.contains(whole)) {
            faults.push(format!(
                "{whole} is mapped as a whole and as {whole}.{part}; keep one"
            ));
        }
    }
    faults
}

/// Faults of where one field comes from.
pub fn of_field(kind: &Kind, name: &str, source: &FieldSource, planned: &PlanField) -> Vec<String> {
    let own = planned.field.as_ref().map(|field| &field.field_type);
    let read = match &planned.lookup {
        Some(lookup) => Some(&lookup.by.field_type),
        None => own.filter(|_| planned.part.is_none()),
    };
    let is_money = matches!(read, Some(FieldType::Money));
    let is_time = matches!(read, Some(FieldType::Date | FieldType::Instant));
    let values = source.values.as_ref();
    let has_rest = values.is_none_or(|values| values.contains_key("*"));
    let says_currency = source.currency.is_some() || source.currency_column.is_some();
    let no_value = source.when.values().any(Vec::is_empty);
    let checks = [
        (
            source.take.is_some() && source.lookup.is_none(),
            "take is for fields with a lookup",
        ),
        (
            source.keep_unlisted && has_rest,
            "keep_unlisted is for values without a \"*\"",
        ),
        (
            source.format.is_some() && !is_time,
            "format is for dates and times",
        ),
        (
            says_currency && !is_money,
            "currency and currency_column are for amounts",
        ),
        (no_value, "when names no value of a column"),
    ];
    let faults = checks.iter().filter(|(is_wrong, _)| *is_wrong);
    let mut faults: Vec<String> = faults
        .map(|(_, rule)| format!("field {name:?}: {rule}"))
        .collect();
    if planned.lookup.is_none() && planned.part.is_none() {
        faults.extend(of_texts(kind, name, source, planned));
    }
    faults
}

/// Texts of the mapping's own that their field never takes.
fn of_texts(kind: &Kind, name: &str, source: &FieldSource, planned: &PlanField) -> Vec<String> {
    let Some(field) = &planned.field else {
        return Vec::new();
    };
    // Its currency is known row by row.
    if planned.forms.currency_column.is_some() {
        return Vec::new();
    }
    let texts: Vec<&String> = match &source.values {
        Some(values) => values.values().collect(),
        None => source.constant.iter().collect(),
    };
    let mut faults = Vec::new();
    for text in texts.into_iter().filter(|text| !is_blank(text)) {
        let why = match read_value(&field.field_type, text, &planned.forms, None) {
            Ok(value) => {
                let given = check_given(kind, &Fields::from([(field.name.clone(), value)]));
                let own = |fault: &Option<String>| fault.as_deref() == Some(field.name.as_str());
                let mut given = given.into_iter();
                given
                    .find(|fault| own(&fault.field))
                    .map(|fault| fault.message)
            }
            Err(why) => Some(why),
        };
        faults.extend(why.map(|why| {
            format!(
                "field {name:?}: {:?} is never taken: {why}",
                cut(trim(text))
            )
        }));
    }
    faults
}
