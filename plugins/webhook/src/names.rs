//! Whether the kinds and fields that the settings name are there, and take what the settings say: asked of
//! the kernel, as far as the plugin may read them, when settings are set. A name nobody has and a value no
//! field holds would be waited for in silence, and a value that a field does not take fails at the first
//! message.

use kjerne_sdk::Value;
use kjerne_sdk::known::{self, ANY_AMOUNT, ANY_TEXT};
use kjerne_sdk::settings::Faults;

use crate::settings::{Condition, Mapping, Settings, Source, Subscription};
use crate::values::Form;

/// Tells of every subscription and rule the first name that is not there, with its line.
pub fn check(settings: &Settings) -> Result<(), Faults> {
    let mut faults = Faults::default();
    for one in settings.subscriptions.iter().filter(|one| one.enabled) {
        let found = check_told(one).err();
        found
            .into_iter()
            .for_each(|fault| faults.add(one.line, fault));
    }
    for one in &settings.mappings {
        let found = check_made(one).err();
        found
            .into_iter()
            .for_each(|fault| faults.add(one.line, fault));
    }
    faults.settle(())
}

/// A subscription to several kinds may name a field, or a value, that only one of them has.
fn check_told(subscription: &Subscription) -> Result<(), String> {
    let what = format!("subscription '{}'", subscription.name);
    let of_all = |wrong: &dyn Fn(&str) -> Option<String>| {
        let kinds = &subscription.kinds;
        let mut faults: Vec<String> = kinds.iter().filter_map(|kind| wrong(kind)).collect();
        let is_fault = !faults.is_empty() && faults.len() == kinds.len();
        fail(is_fault.then(|| faults.remove(0)))
    };
    for kind in &subscription.kinds {
        fail(known::wrong_kind(kind).map(|why| format!("{what} names {kind}: {why}")))?;
    }
    // What every record has beside its fields is told in any case.
    let told = subscription.fields.iter().flatten();
    let told = told.filter(|field| !known::is_own(field));
    let conditions = || subscription.when.keys().chain(subscription.unless.keys());
    for field in told.chain(&subscription.changed).chain(conditions()) {
        of_all(&|kind| unknown(&what, kind, field))?;
    }
    let wanted = |condition: &Condition| -> Result<(), String> {
        for (field, values) in condition {
            for value in values
                .iter()
                .filter(|value| !["", "*"].contains(&value.as_str()))
            {
                of_all(&|kind| {
                    let why = known::wrong_value(kind, field, value)?;
                    Some(format!(
                        "{what} asks whether {kind}.{field} is '{value}': {why}"
                    ))
                })?;
            }
        }
        Ok(())
    };
    wanted(&subscription.when)?;
    wanted(&subscription.unless)
}

fn check_made(mapping: &Mapping) -> Result<(), String> {
    let what = format!("rule '{}'", mapping.name);
    if let Some(kind) = &mapping.kind {
        fail(known::wrong_kind(kind).map(|why| format!("{what} names {kind}: {why}")))?;
        let set = mapping.set.iter().map(|(field, _)| field);
        let taken = mapping.fields.iter().map(|(field, _)| field);
        for field in taken.chain(set).chain(&mapping.now) {
            fail(unknown(&what, kind, field))?;
        }
        for (field, value) in &mapping.set {
            fail(untaken(&what, kind, field, value))?;
        }
        let asked = |field: &String, literal: &str| {
            let why = known::wrong_literal(kind, field, literal)?;
            Some(format!("{what} fills in {kind}.{field}: {why}"))
        };
        for field in &mapping.now {
            fail(asked(field, "2026-01-31T00:00:00Z"))?;
        }
        for (field, source) in &mapping.fields {
            if let Some(literal) = literal_of(&source.form) {
                fail(asked(field, &literal))?;
            }
            fail(unlisted(&what, kind, field, source))?;
        }
    }
    for (_, source) in &mapping.fields {
        if let Form::Lookup { kind, by } = &source.form {
            fail(known::wrong_kind(kind).map(|why| format!("{what} names {kind}: {why}")))?;
            let why = (by != "id")
                .then(|| known::wrong_literal(kind, by, ANY_TEXT))
                .flatten();
            fail(why.map(|why| format!("{what} looks a {kind} up by {by}: {why}")))?;
        }
    }
    Ok(())
}

fn fail(fault: Option<String>) -> Result<(), String> {
    fault.map_or(Ok(()), Err)
}

/// What is wrong with a kind's field.
fn unknown(what: &str, kind: &str, field: &str) -> Option<String> {
    let why = known::wrong_field(kind, field)?;
    Some(format!("{what} names {kind}.{field}: {why}"))
}

/// What is wrong with a value that is set: no field of another type, and no choice that has others, is ever
/// equal to it.
fn untaken(what: &str, kind: &str, field: &str, value: &Value) -> Option<String> {
    let (literal, why) = match value {
        Value::Text(text) => {
            let why = known::wrong_literal(kind, field, ANY_TEXT);
            let why = why.or_else(|| known::wrong_value(kind, field, text));
            (format!("'{text}'"), why)
        }
        Value::Integer(number) => (
            number.to_string(),
            known::wrong_literal(kind, field, &number.to_string()),
        ),
        Value::Flag(flag) => (
            flag.to_string(),
            known::wrong_literal(kind, field, &flag.to_string()),
        ),
        _ => return None,
    };
    Some(format!("{what} sets {kind}.{field} to {literal}: {}", why?))
}

/// What is wrong with the words of ours that a field is filled in with, where the settings say them.
fn unlisted(what: &str, kind: &str, field: &str, source: &Source) -> Option<String> {
    if source.form != Form::Text {
        return None;
    }
    let mut ours = source.values.values().chain(&source.default);
    ours.find_map(|word| {
        let why = known::wrong_value(kind, field, word)?;
        Some(format!(
            "{what} fills in {kind}.{field} with '{word}': {why}"
        ))
    })
}

/// Something of a form, that only a field which takes the form is equal to; none where that cannot be asked.
fn literal_of(form: &Form) -> Option<String> {
    Some(match form {
        Form::Text => ANY_TEXT.to_owned(),
        Form::Integer | Form::Decimal => "1".to_owned(),
        Form::Date => "2026-01-31".to_owned(),
        Form::Instant => "2026-01-31T00:00:00Z".to_owned(),
        Form::Flag => "true".to_owned(),
        Form::Lookup { kind, .. } => format!("{kind}/{}", known::NOBODY),
        Form::Money(_) => ANY_AMOUNT.to_owned(),
        Form::Choices | Form::Reference => return None,
    })
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
