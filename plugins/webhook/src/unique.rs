//! JSON in which a name stands twice has two meanings, and is refused as everywhere else.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What the reader of JSON calls a number whose digits it keeps. An object with this key alone would be
/// taken for one.
pub const NUMBER: &str = "$serde_json::private::Number";

/// Why a text is no JSON of one meaning.
pub fn check(body: &[u8]) -> Result<(), serde_json::Error> {
    serde_json::from_slice(body).map(|Unique| ())
}

/// A value none of whose objects has a name twice.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Names)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Unique, A::Error> {
        while list.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Unique, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = object.next_key::<String>()? {
            if names.contains(&name) {
                // The rest is read to its end by nobody.
                return Err(A::Error::custom(format_args!(
                    "{name:?} stands there twice"
                )));
            }
            // A number comes as an object of its digits.
            if name == NUMBER {
                object.next_value::<IgnoredAny>()?;
            } else {
                object.next_value::<Unique>()?;
            }
            names.insert(name);
        }
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once_in_an_object() {
        for (body, is_one) in [
            (
                r#"{"id":"1","name":"first","more":[{"id":2},{"id":3.50}],"x":null,"y":-1,"z":true}"#,
                true,
            ),
            (r#"[{"a":1},{"a":1}]"#, true),
            ("{}", true),
            (r#"{"name":"first","name":"second"}"#, false),
            (r#"[{"a":{"b":1,"b":1}}]"#, false),
            (r#"{"a":1,"\u0061":2}"#, false),
            ("{", false),
        ] {
            assert_eq!(check(body.as_bytes()).is_ok(), is_one, "{body}");
        }
    }
}
