//! Whether the kinds and fields that the settings name are there: asked of the kernel, as far as the
//! plugin may read them, when settings are set. A name nobody has would be waited for in silence.

use kjerne_sdk::{Failure, records};

use crate::settings::{Form, Mapping, Settings, Subscription};

/// An id that no record has, so that asking finds nothing and costs as much.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// Fails with the first name that is not there.
pub fn check(settings: &Settings) -> Result<(), Failure> {
    let subscriptions = settings.subscriptions.iter().filter(|one| one.enabled);
    for subscription in subscriptions {
        check_told(subscription)?;
    }
    settings.mappings.iter().try_for_each(check_made)
}

/// A subscription to several kinds may name a field that only one of them has.
fn check_told(subscription: &Subscription) -> Result<(), Failure> {
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

fn check_made(mapping: &Mapping) -> Result<(), Failure> {
    let what = format!("rule '{}'", mapping.name);
    if let Some(kind) = &mapping.kind {
        fail(unknown(&what, kind, "id"))?;
        let set = mapping.set.iter().map(|(field, _)| field);
        let taken = mapping.fields.iter().map(|(field, _)| field);
        for field in taken.chain(set).chain(&mapping.now) {
            fail(unknown(&what, kind, field))?;
        }
    }
    for (_, source) in &mapping.fields {
        if let Form::Lookup { kind, by } = &source.form {
            fail(unknown(&what, kind, by))?;
        }
    }
    Ok(())
}

fn fail(fault: Option<Failure>) -> Result<(), Failure> {
    fault.map_or(Ok(()), Err)
}

/// What is wrong with a kind's field. What the plugin may not read it cannot know.
fn unknown(what: &str, kind: &str, field: &str) -> Option<Failure> {
    let condition = match field {
        "id" => format!("id eq {NOBODY}"),
        field => format!("id eq {NOBODY} and {field} eq null"),
    };
    let asked = records::query(kind).filter(condition).limit(1).run();
    let failure = asked.err()?;
    let code = failure.code.as_str();
    matches!(code, "unknown-kind" | "bad-filter").then(|| {
        let message = format!("{what} names {kind}.{field}: {}", failure.message);
        Failure::new("bad-settings", message)
    })
}
