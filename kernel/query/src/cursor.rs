//! Cursors: the place of the last record of a page, as text.
//!
//! A cursor carries what the record held at each path of the order, and its id. It goes with one
//! kind and order; with another it is refused and never misread.
//!
//! It has to fit into an address, so that of a long value it carries a mark and, of text, the beginning: the
//! record is read again. One that was changed or removed meanwhile leaves the beginning to go by. Records
//! whose texts begin alike for so long may then come twice, and none is left out.

use kjerne_model::{
    Address, Currency, Date, Decimal, Instant, Money, Record, RecordId, Reference, Value,
};
use kjerne_store::StoreError;

use crate::limits::CURSOR_VALUE;
use crate::page::{Order, Query, QueryError};
use crate::sort::Place;

/// Separates the parts; no part holds it, since text is written in hexadecimal digits.
const BETWEEN: char = '.';

/// Writes the cursor that goes on behind `place`.
pub(crate) fn write(query: &Query, place: &Place) -> String {
    let mut parts = vec![mark(query), hex(place.id.as_bytes())];
    parts.extend(
        place
            .values
            .iter()
            .map(|value| value.as_ref().map_or_else(String::new, part)),
    );
    parts.join(&BETWEEN.to_string())
}

/// Reads a cursor that was made for this query; `find` reads its record, where that is needed.
pub(crate) fn read(
    query: &Query,
    text: &str,
    find: impl FnOnce(RecordId) -> Result<Option<Record>, StoreError>,
) -> Result<Place, QueryError> {
    let foreign = "the cursor does not belong to this kind and order; ask again from the first page, \
                   and pass cursors on unchanged";
    let foreign = || QueryError::Wrong(foreign.to_owned());
    let parts: Vec<&str> = text.split(BETWEEN).collect();
    let [of, id, parts @ ..] = parts.as_slice() else {
        return Err(foreign());
    };
    if *of != mark(query) || parts.len() != query.order.len() {
        return Err(foreign());
    }
    let id = id_of(id).ok_or_else(foreign)?;
    let is_cut = parts.iter().any(|part| part.starts_with(CUT));
    let record = if is_cut { find(id)? } else { None };
    let mut values = Vec::new();
    for (order, part) in query.order.iter().zip(parts) {
        values.push(match part.strip_prefix(CUT) {
            Some(cut) => Some(again(order, cut, record.as_ref())?),
            None if part.is_empty() => None,
            None => Some(value(part).ok_or_else(foreign)?),
        });
    }
    Ok(Place { values, id })
}

fn id_of(text: &str) -> Option<RecordId> {
    Some(RecordId::from_bytes(unhex(text)?.try_into().ok()?))
}

/// Stands before what is there in place of a long value.
const CUT: char = 'x';

/// The letters of a hash.
const HASH: usize = 16;

/// The value that was too long for the cursor: what the record still holds, or a text that comes before
/// all that begin like the one it held.
fn again(order: &Order, cut: &str, record: Option<&Record>) -> Result<Value, QueryError> {
    let held = record.and_then(|record| order.path.read(record));
    let (hash, beginning) = cut.split_at_checked(HASH).unwrap_or((cut, ""));
    if let Some(value) = held.filter(|value| hash_of(&whole(value)) == hash) {
        return Ok(value);
    }
    let beginning = unhex_text(beginning).filter(|text| !text.is_empty());
    let Some(mut text) = beginning else {
        let gone = "the record that the cursor stands on was changed or removed, and the cursor has no room \
                    for what it held; ask again from the first page";
        return Err(QueryError::Wrong(gone.to_owned()));
    };
    if order.descending {
        text.push(char::MAX);
    }
    Ok(Value::Text(text))
}

/// Tells the queries apart that a cursor does not fit: a short hash of kind and order.
fn mark(query: &Query) -> String {
    let mut hash = hash_of(&format!("{} {:?}", query.kind, query.order));
    hash.truncate(HASH / 2);
    hash
}

/// A hash (FNV-1a), in letters.
fn hash_of(text: &str) -> String {
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

/// A value, whole or what stands in its place.
fn part(value: &Value) -> String {
    let whole = whole(value);
    let most = CURSOR_VALUE.count();
    // Each byte is written by two letters.
    if whole.len() <= 1 + 2 * most {
        return whole;
    }
    let beginning = value
        .as_text()
        .map_or("", |text| &text[..text.floor_char_boundary(most)]);
    format!("{CUT}{}{}", hash_of(&whole), hex(beginning.as_bytes()))
}

fn whole(value: &Value) -> String {
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
