//! Whether the kinds and fields that the settings name are there: asked of the kernel, as far as the
//! plugin may read them, when settings are set. A name nobody has would be waited for in silence.

use kjerne_sdk::settings::Faults;
use kjerne_sdk::{Value, records};

use crate::settings::{Mapping, Settings, Subscription};
use crate::values::Form;

/// An id that no record has, so that asking finds nothing and costs as much.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

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

/// A subscription to several kinds may name a field that only one of them has.
fn check_told(subscription: &Subscription) -> Result<(), String> {
    let what = format!("subscription '{}'", subscription.name);
    let named = subscription.fields.iter().flatten();
    let named = named
        .chain(&subscription.changed)
        .chain(subscription.when.keys())
        .chain(subscription.unless.keys());
    for field in named {
        let mut faults = Vec::new();
        for kind in &subscription.kinds {
            faults.extend(unknown(&what, kind, field));
        }
        if !faults.is_empty() && faults.len() == subscription.kinds.len() {
            return Err(faults.remove(0));
        }
    }
    Ok(())
}

fn check_made(mapping: &Mapping) -> Result<(), String> {
    let what = format!("rule '{}'", mapping.name);
    if let Some(kind) = &mapping.kind {
        fail(unknown(&what, kind, "id"))?;
        let set = mapping.set.iter().map(|(field, _)| field);
        let taken = mapping.fields.iter().map(|(field, _)| field);
        for field in taken.chain(set).chain(&mapping.now) {
            fail(unknown(&what, kind, field))?;
        }
        for (field, value) in &mapping.set {
            fail(untaken(&what, kind, field, value))?;
        }
    }
    for (_, source) in &mapping.fields {
        if let Form::Lookup { kind, by } = &source.form {
            fail(unknown(&what, kind, by))?;
        }
    }
    Ok(())
}

fn fail(fault: Option<String>) -> Result<(), String> {
    fault.map_or(Ok(()), Err)
}

/// What is wrong with a kind's field. What the plugin may not read it cannot know.
fn unknown(what: &str, kind: &str, field: &str) -> Option<String> {
    let condition = match field {
        "id" => String::new(),
        field => format!(" and {field} eq null"),
    };
    let why = refused(kind, &condition)?;
    Some(format!("{what} names {kind}.{field}: {why}"))
}

/// What is wrong with a value that is set: no field of another type, and no choice that has others, is ever
/// equal to it.
fn untaken(what: &str, kind: &str, field: &str, value: &Value) -> Option<String> {
    let literal = match value {
        Value::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Integer(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        _ => return None,
    };
    let why = refused(kind, &format!(" and {field} eq {literal}"))?;
    Some(format!("{what} sets {kind}.{field} to {literal}: {why}"))
}

/// Why the kernel cannot look for such a record, where that is for the names or values in the condition.
fn refused(kind: &str, condition: &str) -> Option<String> {
    let condition = format!("id eq {NOBODY}{condition}");
    let failure = records::query(kind)
        .filter(condition)
        .limit(1)
        .run()
        .err()?;
    let code = failure.code.as_str();
    matches!(code, "unknown-kind" | "bad-filter").then_some(failure.message)
}
