//! How much memory what is read takes, so that a page is bounded by bytes as well as by number.
//!
//! The bytes of the texts, and a flat price for everything that has a place of its own: exact enough
//! for a bound, and the same on every machine.

use kjerne_model::{Address, Entry, Fields, Record, Value};

/// What one thing in memory takes beside the bytes of its text.
const PLACE: usize = 48;

/// What a record takes.
#[must_use]
pub fn record(record: &Record) -> usize {
    PLACE + fields(&record.fields)
}

/// What a journal entry takes.
#[must_use]
pub fn entry(entry: &Entry) -> usize {
    let edits = entry.edits.iter().map(|edit| {
        let sides = [&edit.before, &edit.after].into_iter().flatten();
        PLACE + sides.map(fields).sum::<usize>()
    });
    let verdicts = entry.verdicts.iter().map(|verdict| {
        let set = verdict.set.iter().map(|name| PLACE + name.len());
        let advice = verdict.advice.iter();
        let advice = advice.map(|one| 4 * PLACE + one.code.len() + one.message.len());
        PLACE + set.sum::<usize>() + advice.sum::<usize>()
    });
    let details = entry.act.iter().flat_map(|act| &act.details);
    let details = details.map(|(name, value)| PLACE + name.len() + value.len());
    PLACE + edits.sum::<usize>() + verdicts.sum::<usize>() + details.sum::<usize>()
}

fn fields(fields: &Fields) -> usize {
    let one = |(name, held): (&kjerne_model::Name, &Value)| PLACE + name.len() + value(held);
    fields.iter().map(one).sum()
}

fn value(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Choices(choices) => choices.iter().map(|one| PLACE + one.len()).sum(),
        Value::Address(address) => {
            let parts = Address::PARTS.iter().filter_map(|name| address.part(name));
            PLACE + parts.map(str::len).sum::<usize>()
        }
        _ => 0,
    }
}
