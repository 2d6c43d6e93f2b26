//! Web forms as browsers send them: `application/x-www-form-urlencoded`.

use serde_json::{Map, Value as Json};

/// Reads a form as an object of texts; a name that comes several times is a list.
pub fn read_form(body: &[u8]) -> Result<Json, String> {
    let body = std::str::from_utf8(body).map_err(|_| "The form is not in UTF-8.".to_owned())?;
    let mut form = Map::new();
    for pair in body.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, Json::String(decode(value)?));
        match form.get_mut(&name) {
            None => {
                form.insert(name, value);
            }
            Some(Json::Array(values)) => values.push(value),
            Some(first) => {
                let first = first.take();
                form.insert(name, Json::Array(vec![first, value]));
            }
        }
    }
    Ok(Json::Object(form))
}

/// `+` is a blank, `%C3%B8` is ø.
fn decode(text: &str) -> Result<String, String> {
    let wrong = || {
        format!(
            "'{}' is no encoded text of a form.",
            text.chars().take(80).collect::<String>()
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (digit().ok_or_else(wrong)?, digit().ok_or_else(wrong)?);
                bytes.push((high * 16 + low) as u8);
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_form_is_read_as_browsers_write_it() {
        let rows = [
            (
                "name=Kari+Nordmann&city=%C3%85lesund",
                r#"{"city":"Ålesund","name":"Kari Nordmann"}"#,
            ),
            ("a=1&a=2&a=3", r#"{"a":["1","2","3"]}"#),
            ("empty=&alone", r#"{"alone":"","empty":""}"#),
            ("", "{}"),
        ];
        for (body, json) in rows {
            assert_eq!(
                read_form(body.as_bytes()).unwrap().to_string(),
                json,
                "{body}"
            );
        }
        for wrong in ["a=%G1", "a=%4", "a=%FF"] {
            assert!(read_form(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
