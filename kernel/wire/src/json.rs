//! JSON text, read within bounds.
//!
//! A name that stands twice in one object has no meaning everybody agrees on, and is an error. A tree of
//! values takes up to a hundred times the memory of its text, so it is counted while it grows.

use std::cell::Cell;
use std::fmt;

use kjerne_core::limits::Limit;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};

/// The name under which the reader hands over a number, as one text in an object of its own, so that none of
/// its digits are lost in a binary fraction.
const NUMBER: &str = "$serde_json::private::Number";

/// What one value takes in memory beside its text, with its place in a list or its key in an object.
const VALUE_BYTES: usize = 256;

/// How many bytes of memory reading a text takes at most: its texts, which are kept a few times on
/// their way into the store, and a place for each value. Found without reading it.
#[must_use]
pub fn weight(text: &[u8], most: &Limit) -> usize {
    4 * text.len() + VALUE_BYTES * count(text).min(most.count())
}

/// How many values a text has, or a few more: each but the first stands behind one of these signs.
fn count(text: &[u8]) -> usize {
    let (mut values, mut quoted, mut escaped) = (1, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' | b':' | b'[' | b'{' if !quoted => values += 1,
            _ => {}
        }
    }
    values
}

/// Reads JSON of no more than so many values.
///
/// # Errors
/// When it is no JSON, has a name twice in one object, or more values; the sentence says where.
pub fn parse(text: &[u8], most: &Limit) -> Result<Json, String> {
    let (left, digits) = (Cell::new(most.value), Cell::new(false));
    let mut reader = serde_json::Deserializer::from_slice(text);
    let one = One {
        left: &left,
        digits: &digits,
        most,
    };
    let json = one.deserialize(&mut reader);
    let json = json.and_then(|json| reader.end().map(|()| json));
    json.map_err(|error| error.to_string())
}

/// One value, and those in it.
#[derive(Clone, Copy)]
struct One<'a> {
    left: &'a Cell<u64>,
    /// The text just read was the digits of a number.
    digits: &'a Cell<bool>,
    most: &'a Limit,
}

impl One<'_> {
    fn take<E: Error>(self) -> Result<(), E> {
        let Some(left) = self.left.get().checked_sub(1) else {
            let (most, name) = (self.most.value, self.most.name);
            return Err(E::custom(format!("more than {most} values (limit {name})")));
        };
        self.left.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json, D::Error> {
        self.take()?;
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Json, E> {
        Ok(Json::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Number::from_f64(number).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.to_owned()))
    }

    /// Text of a body is lent, so that what somebody calls by the same name is never taken for a number;
    /// the digits of a number are given.
    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        self.digits.set(true);
        Ok(Json::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Json::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut map = Map::new();
        while let Some(name) = items.next_key::<String>()? {
            let twice = map.contains_key(&name);
            if name == NUMBER && !twice {
                let value = items.next_value_seed(Within(self))?;
                match value {
                    Json::String(digits) if self.digits.take() => return number(&digits),
                    value => drop(map.insert(name, value)),
                }
                self.take()?;
                continue;
            }
            if twice {
                let shown: String = name.chars().take(100).collect();
                let what = format!("{shown:?} stands twice in one object");
                return Err(A::Error::custom(what));
            }
            map.insert(name, items.next_value_seed(self)?);
        }
        Ok(Json::Object(map))
    }
}

fn number<E: Error>(digits: &str) -> Result<Json, E> {
    let read: Result<Number, _> = digits.parse();
    read.map(Json::Number).map_err(E::custom)
}

/// A value that has been counted, or will be.
struct Within<'a>(One<'a>);

impl<'de> DeserializeSeed<'de> for Within<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json, D::Error> {
        reader.deserialize_any(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const MOST: Limit = Limit {
        name: "json-values",
        value: 5,
        unit: "values",
        reason: "a test",
    };

    #[test]
    fn what_is_read_is_what_stands_there_or_said_to_be_wrong() {
        let good = [
            ("null", json!(null)),
            (
                "[1, -2, 2.5, 9007199254740993]",
                json!([1, -2, 2.5, 9_007_199_254_740_993_i64]),
            ),
            (
                r#"{"a": {"a": "\\ \" \u00e5"}, "b": true}"#,
                json!({"a": {"a": "\\ \" å"}, "b": true}),
            ),
            ("18446744073709551615", json!(u64::MAX)),
            ("[[],[],[],[]]", json!([[], [], [], []])),
            ("[1,2,3,4]", json!([1, 2, 3, 4])),
            (
                r#"{"$serde_json::private::Number": "12"}"#,
                json!({"$serde_json::private::Number": "12"}),
            ),
            (
                r#"{"\u0024serde_json::private::Number": "12"}"#,
                json!({"$serde_json::private::Number": "12"}),
            ),
            (
                r#"{"$serde_json::private::Number": 5}"#,
                json!({"$serde_json::private::Number": 5}),
            ),
        ];
        for (text, json) in good {
            assert_eq!(parse(text.as_bytes(), &MOST), Ok(json), "{text}");
        }
        for (text, told) in [
            (r#"{"a": 1, "a": 2}"#, "\"a\" stands twice"),
            (r#"{"a": 1, "\u0061": 2}"#, "\"a\" stands twice"),
            (r#"[{"b": {"x": 1, "x": 1}}]"#, "\"x\" stands twice"),
            ("[1, 2, 3, 4, 5]", "more than 5 values (limit json-values)"),
            ("[[[[[[]]]]]]", "more than 5 values"),
            (
                r#"{"$serde_json::private::Number": 1, "\u0024serde_json::private::Number": 1}"#,
                "stands twice",
            ),
            ("[1] 2", "trailing"),
            ("", "EOF"),
            ("{\"a\": }", "expected value"),
            ("\"\u{7}\"", "control character"),
        ] {
            let error = parse(text.as_bytes(), &MOST).err().unwrap_or_default();
            assert!(error.contains(told), "{text}: {error:?}");
        }
        for digits in [
            "-12345678901234567890.123456789",
            "0.10000000000000000555",
            "1e+400",
        ] {
            let read = parse(digits.as_bytes(), &MOST).map(|read| read.to_string());
            assert_eq!(read.as_deref(), Ok(digits));
        }
        let deep = "[".repeat(100_000);
        let most = Limit {
            value: 1_000_000,
            ..MOST
        };
        assert!(parse(deep.as_bytes(), &most).is_err_and(|error| error.contains("recursion")));
    }

    #[test]
    fn a_texts_weight_counts_all_of_its_values() {
        for (text, values) in [
            (r#"[{"a":1},{"a":1},{"a":1}]"#, 10),
            (r#""a,b:[{""#, 1),
            (r#""\",\\""#, 1),
            (r#"{"a":["x","y"]}"#, 5),
        ] {
            assert_eq!(count(text.as_bytes()), values, "{text}");
        }
        let many = format!("[{}]", vec![r#"{"a":1}"#; 875_000].join(","));
        let most = |value| Limit { value, ..MOST };
        // 7 MB that took 705 MB are not taken for 7; and where no more values are read, for less.
        assert!(weight(many.as_bytes(), &most(u64::MAX)) > 600 << 20);
        assert!(weight(many.as_bytes(), &most(200_000)) < 90 << 20);
    }
}
