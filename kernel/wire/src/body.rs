//! The bodies of administrative requests: objects of a few words, flags and lists.

use kjerne_model::Refusal;
use serde_json::{Map, Value as Json};

use crate::read::{object_called, refuse};

/// An object with no keys but these; a misspelt key is an error and never ignored.
///
/// # Errors
/// When it is of another shape.
pub fn object<'a>(body: &'a Json, keys: &[&str]) -> Result<&'a Map<String, Json>, Vec<Refusal>> {
    object_called(body, "the body", keys)
}

/// Texts by name, in the order of their names; a whole number counts as its digits.
///
/// # Errors
/// When it is not there or holds something else.
pub fn named_texts(
    map: &Map<String, Json>,
    name: &str,
) -> Result<Vec<(String, String)>, Vec<Refusal>> {
    let wrong = || refuse(format!("{name:?} is an object of texts or numbers by name"));
    let Some(Json::Object(named)) = map.get(name).filter(|held| held.is_object()) else {
        return Err(wrong());
    };
    let one = |(name, value): (&String, &Json)| match value {
        Json::String(text) => Ok((name.clone(), text.clone())),
        Json::Number(number) => Ok((name.clone(), number.to_string())),
        _ => Err(wrong()),
    };
    named.iter().map(one).collect()
}

/// A text that may be absent.
///
/// # Errors
/// When it is something else than a text.
pub fn optional_text<'a>(
    map: &'a Map<String, Json>,
    name: &str,
) -> Result<Option<&'a str>, Vec<Refusal>> {
    match map.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => Err(refuse(format!("{name:?} is a text"))),
    }
}

/// A flag; absent means false.
///
/// # Errors
/// When it is something else than a flag.
pub fn optional_flag(map: &Map<String, Json>, name: &str) -> Result<bool, Vec<Refusal>> {
    match map.get(name) {
        None | Some(Json::Null) => Ok(false),
        Some(Json::Bool(flag)) => Ok(*flag),
        Some(_) => Err(refuse(format!("{name:?} is true or false"))),
    }
}

/// A list of texts; absent means none.
///
/// # Errors
/// When it is something else than a list of texts.
pub fn optional_texts(map: &Map<String, Json>, name: &str) -> Result<Vec<String>, Vec<Refusal>> {
    let wrong = || refuse(format!("{name:?} is a list of texts"));
    match map.get(name) {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(list)) => {
            let texts = list.iter().map(|one| one.as_str().map(str::to_owned));
            texts.collect::<Option<_>>().ok_or_else(wrong)
        }
        Some(_) => Err(wrong()),
    }
}
