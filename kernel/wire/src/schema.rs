//! Kinds, fields and limits as JSON.

use kjerne_core::limits::Limit;
use kjerne_model::{Choice, Field, FieldType, Kind, Likeness};
use serde_json::{Value as Json, json};

/// A kind with its fields.
#[must_use]
pub fn kind(kind: &Kind) -> Json {
    json!({
        "name": kind.name.as_str(),
        "label": kind.label,
        "fields": kind.fields.iter().map(field).collect::<Vec<_>>(),
    })
}

fn field(field: &Field) -> Json {
    let mut json = json!({
        "name": field.name.as_str(),
        "label": field.label,
        "type": field.field_type.name(),
        "required": field.required,
        "unique": field.unique,
        "ignore_case": field.likeness() == Likeness::WithoutCase,
        "hierarchy": field.hierarchy,
        "indexed": field.is_indexed(),
        "personal": field.personal.name(),
    });
    match &field.field_type {
        FieldType::Text { max_bytes } => json["max_bytes"] = json!(max_bytes),
        FieldType::Choice(choices) | FieldType::Choices(choices) => {
            json["choices"] = choices.iter().map(choice).collect();
        }
        FieldType::Reference(kinds) => {
            json["kinds"] = kinds.iter().map(|kind| json!(kind.as_str())).collect();
        }
        _ => {}
    }
    json
}

fn choice(choice: &Choice) -> Json {
    json!({ "value": choice.value, "label": choice.label })
}

/// A limit, and which part it belongs to.
#[must_use]
pub fn limit(part: &str, limit: &Limit) -> Json {
    json!({
        "part": part,
        "name": limit.name,
        "value": limit.value,
        "unit": limit.unit,
        "reason": limit.reason,
    })
}
