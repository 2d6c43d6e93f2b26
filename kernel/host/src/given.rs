//! What a plugin gives for fields, brought into the fields' types.
//!
//! The parts of an address travel as fields of their own and become one value. The whole is made once,
//! from all that was given: a copy of it for each part would be work and memory that nobody counts.

use std::collections::BTreeMap;

use kjerne_model::{Address, FieldType, Kind, Name, Patch, Value};

use crate::call_state::{Given, quoted, whole};
use crate::limits;
use crate::stop::Stop;
use crate::wit::v0_2_0::{self as wit, Field, types};

fn wrong_type(message: impl AsRef<str>) -> Stop {
    Stop::failure("wrong-type", message)
}

/// `billing_address.city` as field and part; a field alone has no part.
pub fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once('.') {
        Some((field, part)) => (field, Some(part)),
        None => (name, None),
    }
}

/// What a plugin gave for all fields of a record. `addresses` are those it has.
pub fn all(
    kind: &Kind,
    fields: Vec<Field>,
    mut addresses: BTreeMap<Name, Address>,
) -> Result<Patch, Stop> {
    let mut patch = Patch::new();
    let mut changed = Vec::new();
    for Field { name, value } in fields {
        match take(kind, &name, value, &mut addresses)? {
            (name, Given::Value(value)) => drop(patch.insert(name, Some(value))),
            (name, Given::Nothing) => drop(patch.insert(name, None)),
            (name, Given::Part) => changed.push(name),
        }
    }
    for name in changed {
        if let Some(address) = addresses.remove(&name) {
            patch.insert(name, whole(address));
        }
    }
    Ok(patch)
}

/// The bytes of an address; 0 of any other value.
pub fn address_bytes(value: &Value) -> u64 {
    let Value::Address(address) = value else {
        return 0;
    };
    let parts = Address::PARTS.iter().filter_map(|part| address.part(part));
    parts.map(|part| part.len() as u64).sum()
}

/// What a plugin gave for a field, brought into the field's type. A part of an address changes
/// the address in `addresses`.
pub fn take(
    kind: &Kind,
    name: &str,
    value: Option<types::Value>,
    addresses: &mut BTreeMap<Name, Address>,
) -> Result<(Name, Given), Stop> {
    let (field_name, part) = split(name);
    let field = kind.field(field_name).ok_or_else(|| {
        wrong_type(format!(
            "kind {} has no field {:?}",
            kind.name,
            quoted(field_name)
        ))
    })?;
    let value = value.map(wit::value_in).transpose();
    let value = value.map_err(|error| wrong_type(format!("{}: {error}", quoted(name))))?;
    if let Some(value) = &value {
        check_length(&field.field_type, name, value)?;
    }
    let field_name = field.name.clone();
    match (part, value) {
        (Some(part), value) => {
            let address = addresses.entry(field_name.clone()).or_default();
            set_part(address, &field.field_type, name, part, value)?;
            Ok((field_name, Given::Part))
        }
        (None, None) => {
            addresses.remove(&field_name);
            Ok((field_name, Given::Nothing))
        }
        (None, Some(value)) if wit::fits(&field.field_type, &value) => {
            Ok((field_name, Given::Value(value)))
        }
        (None, Some(value)) => {
            let (holds, given) = (field.field_type.name(), value.type_name());
            Err(wrong_type(format!("{name} holds {holds}, not {given}")))
        }
    }
}

/// Refuses what is longer than anything the field can hold, before it is kept.
fn check_length(field_type: &FieldType, name: &str, value: &Value) -> Result<(), Stop> {
    let most = match field_type {
        FieldType::Text { max_bytes } => *max_bytes,
        _ => limits::VALUE_BYTES.count(),
    };
    let longest = match value {
        Value::Text(text) => text.len(),
        Value::Choices(choices) => choices.iter().map(String::len).max().unwrap_or(0),
        _ => 0,
    };
    if longest <= most {
        return Ok(());
    }
    let name = quoted(name);
    Err(wrong_type(format!(
        "{name} is {longest} bytes long; at most {most} are allowed"
    )))
}

fn set_part(
    address: &mut Address,
    field_type: &FieldType,
    name: &str,
    part: &str,
    value: Option<Value>,
) -> Result<(), Stop> {
    let place = match field_type {
        FieldType::Address => address.part_mut(part),
        _ => None,
    };
    let place = place.ok_or_else(|| {
        let (name, parts) = (quoted(name), Address::PARTS.join(", "));
        wrong_type(format!(
            "there is no {name}; the parts of an address are {parts}"
        ))
    })?;
    match value {
        None => place.clear(),
        Some(value) if value.is_empty() => place.clear(),
        Some(Value::Text(text)) => *place = text,
        Some(other) => {
            return Err(wrong_type(format!(
                "{name} holds text, not {}",
                other.type_name()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use kjerne_model::core_kinds;

    fn account() -> Kind {
        core_kinds()
            .into_iter()
            .find(|kind| kind.name == "account")
            .unwrap()
    }

    fn text(text: &str) -> Option<types::Value> {
        Some(types::Value::Text(text.to_owned()))
    }

    #[test]
    fn parts_of_an_address_become_one_value() {
        let field = |(name, value): &(&str, &str)| Field {
            name: format!("billing_address{name}"),
            value: (!value.is_empty()).then(|| text(value)).flatten(),
        };
        let given = |fields: &[(&str, &str)]| {
            let fields = fields.iter().map(field).collect();
            let mut patch = all(&account(), fields, BTreeMap::new()).ok().unwrap();
            let value = patch.remove("billing_address").unwrap();
            value.map(|value| value.to_string())
        };
        let (city, country) = ((".city", "Oslo"), (".country", "NO"));
        let check = |fields: &[(&str, &str)], expected: Option<&str>| {
            assert_eq!(given(fields).as_deref(), expected, "{fields:?}");
        };
        check(&[city], Some("||Oslo||"));
        check(&[city, country], Some("||Oslo||NO"));
        check(&[city, country, ("", "")], None);
        check(&[city, ("", ""), country], Some("||||NO"));
        check(&[city, country, (".city", ""), (".country", "")], None);
    }

    #[test]
    fn what_no_field_of_the_type_can_hold_is_refused_before_it_is_kept() {
        let longest = limits::VALUE_BYTES.count();
        let kind = account();
        let FieldType::Text { max_bytes } = kind.field("name").unwrap().field_type else {
            panic!("a name is text")
        };
        for (name, most) in [
            ("name", max_bytes),
            ("billing_address.street", longest),
            ("phone", longest),
            ("website", longest),
        ] {
            let taken = |bytes| take(&kind, name, text(&"x".repeat(bytes)), &mut BTreeMap::new());
            assert!(taken(most).is_ok(), "{name}");
            let refused = taken(most + 1).err();
            let told = matches!(&refused, Some(Stop::Failure { code, .. }) if code == "wrong-type");
            assert!(told, "{name}");
        }
    }

    #[test]
    fn a_value_of_another_type_is_told() {
        let kind = account();
        let table = [
            ("name", Some(types::Value::Integer(1))),
            ("employees", text("many")),
            ("no_such_field", text("x")),
            ("billing_address.planet", text("Mars")),
            ("name.first", text("x")),
            ("billing_address.city", Some(types::Value::Flag(true))),
            (
                "employees",
                Some(types::Value::Other(("area".into(), vec![1]))),
            ),
        ];
        for (name, value) in table {
            let stop = take(&kind, name, value, &mut BTreeMap::new()).err();
            let told = matches!(&stop, Some(Stop::Failure { code, .. }) if code == "wrong-type");
            assert!(told, "{name}");
        }
    }
}
