//! Cursors: the place of the last record of a page, as text.
//!
//! A cursor carries what the record held at each path of the order, and its id. It goes with one
//! kind and order; with another it is refused and never misread.

use kjerne_model::{Address, Currency, Date, Decimal, Instant, Money, RecordId, Reference, Value};

use super::page::{Query, QueryError};
use super::sort::Place;

/// Separates the parts; no part holds it, since text is written in hexadecimal digits.
const BETWEEN: char = '.';

/// Writes the cursor that goes on behind `place`.
pub(super) fn write(query: &Query, place: &Place) -> String {
    let mut parts = vec![mark(query), hex(place.id.as_bytes())];
    parts.extend(
        place
            .values
            .iter()
            .map(|value| value.as_ref().map_or_else(String::new, part)),
    );
    parts.join(&BETWEEN.to_string())
}

/// Reads a cursor that was made for this query.
pub(super) fn read(query: &Query, text: &str) -> Result<Place, QueryError> {
    let parts: Vec<&str> = text.split(BETWEEN).collect();
    let place = match parts.as_slice() {
        [of, id, values @ ..] if *of == mark(query) && values.len() == query.order.len() => {
            place(id, values)
        }
        _ => None,
    };
    place.ok_or_else(|| {
        let what = "the cursor does not belong to this kind and order; ask again from the first \
                    page, and pass cursors on unchanged";
        QueryError::Wrong(what.to_owned())
    })
}

fn place(id: &str, values: &[&str]) -> Option<Place> {
    let id = RecordId::from_bytes(unhex(id)?.try_into().ok()?);
    let value = |part: &&str| {
        if part.is_empty() {
            Some(None)
        } else {
            value(part).map(Some)
        }
    };
    Some(Place {
        values: values.iter().map(value).collect::<Option<_>>()?,
        id,
    })
}

/// Tells the queries apart that a cursor does not fit: a short hash of kind and order (FNV-1a).
fn mark(query: &Query) -> String {
    let shape = format!("{} {:?}", query.kind, query.order);
    let hash = shape.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{:08x}", hash >> 32)
}

fn part(value: &Value) -> String {
    let (tag, text) = match value {
        Value::Text(text) => ('t', hex(text.as_bytes())),
        Value::Integer(number) => ('i', number.to_string()),
        Value::Decimal(number) => ('d', format!("{}e{}", number.coefficient(), number.scale())),
        Value::Money(money) => ('m', format!("{}{}", money.currency.code(), money.minor)),
        Value::Date(date) => ('y', date.days().to_string()),
        Value::Instant(at) => ('z', at.millis().to_string()),
        Value::Flag(flag) => ('f', u8::from(*flag).to_string()),
        Value::Choices(choices) => (
            'c',
            choices
                .iter()
                .map(|one| hex(one.as_bytes()))
                .collect::<Vec<_>>()
                .join(","),
        ),
        Value::Address(address) => {
            let parts = Address::PARTS
                .iter()
                .map(|name| address.part(name).unwrap_or_default());
            (
                'a',
                parts
                    .map(|text| hex(text.as_bytes()))
                    .collect::<Vec<_>>()
                    .join(","),
            )
        }
        Value::Reference(to) => ('r', format!("{},{}", hex(to.kind.as_bytes()), to.id)),
    };
    format!("{tag}{text}")
}

fn value(part: &str) -> Option<Value> {
    let (tag, text) = (part.chars().next()?, part.get(1..)?);
    let texts = || text.split(',').map(unhex_text).collect::<Option<Vec<_>>>();
    Some(match tag {
        't' => Value::Text(unhex_text(text)?),
        'i' => Value::Integer(text.parse().ok()?),
        'd' => {
            let (coefficient, scale) = text.split_once('e')?;
            Value::Decimal(Decimal::new(
                coefficient.parse().ok()?,
                scale.parse().ok()?,
            )?)
        }
        'm' => {
            let (currency, minor) = (text.get(..3)?, text.get(3..)?);
            let currency = Currency::new(currency).ok()?;
            Value::Money(Money {
                minor: minor.parse().ok()?,
                currency,
            })
        }
        'y' => Value::Date(Date::from_days(text.parse().ok()?)),
        'z' => Value::Instant(Instant::from_millis(text.parse().ok()?)),
        'f' => Value::Flag(text == "1"),
        'c' => Value::Choices(if text.is_empty() {
            Vec::new()
        } else {
            texts()?
        }),
        'a' => address(&texts()?)?,
        'r' => {
            let (kind, id) = text.split_once(',')?;
            Value::Reference(Reference::parse(&format!("{}/{id}", unhex_text(kind)?)).ok()?)
        }
        _ => return None,
    })
}

fn address(parts: &[String]) -> Option<Value> {
    let mut address = Address::default();
    for (name, text) in Address::PARTS.iter().zip(parts) {
        address.part_mut(name)?.clone_from(text);
    }
    (parts.len() == Address::PARTS.len()).then_some(Value::Address(address))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs
        .map(|pair| if pair.len() == 2 { byte(pair) } else { None })
        .collect()
}

fn unhex_text(text: &str) -> Option<String> {
    String::from_utf8(unhex(text)?).ok()
}
