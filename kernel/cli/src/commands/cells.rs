//! Values of JSON answers as the cells of a table: the form in which they are typed.

use kjerne_model::Value;
use serde_json::Value as Json;

/// One value.
pub(super) fn cell(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(list) => Value::Choices(list.iter().map(cell).collect()).to_string(),
        Json::Object(money) if money.contains_key("currency") => {
            format!("{} {}", cell(&value["amount"]), cell(&value["currency"]))
        }
        Json::Object(_) => kjerne_model::Address::PARTS
            .map(|part| cell(&value[part]))
            .join("|"),
        Json::Bool(_) | Json::Number(_) => value.to_string(),
    }
}

/// The named values of an object, in this order.
pub(super) fn cells(object: &Json, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| cell(&object[*name])).collect()
}

/// The members of a list; none when it is none.
pub(super) fn list(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

/// The texts of a list.
pub(super) fn texts(json: &Json) -> Vec<&str> {
    list(json).filter_map(Json::as_str).collect()
}

/// A text; empty when it is none.
pub(super) fn text<'a>(json: &'a Json, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cell_is_what_would_be_typed() {
        for (value, expected) in [
            (json!(null), ""),
            (json!("Acme"), "Acme"),
            (json!(12), "12"),
            (json!(true), "true"),
            (json!(["a", "b"]), "a;b"),
            (json!(["a;b", "c"]), "\"a;b\";c"),
            (json!({ "amount": "12.50", "currency": "NOK" }), "12.50 NOK"),
            (json!({ "city": "Oslo", "country": "NO" }), "||Oslo||NO"),
        ] {
            assert_eq!(cell(&value), expected);
        }
    }
}
