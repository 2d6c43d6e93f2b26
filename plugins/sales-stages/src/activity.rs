//! Notes on an opportunity when something last happened with its customer.
//!
//! An activity is recorded after the fact by a person, an import or another plugin; whoever it was,
//! the opportunity knows of it at once, and the list of stale ones does not name it.

use std::collections::BTreeMap;

use kjerne_sdk::{
    Context, Edit, Effects, Entry, Failure, Fields, Instant, Operation, RecordRef, records,
};

/// The field that is kept.
const FIELD: &str = "last_activity_at";

/// Brings the opportunities up to date that these entries' activities are about.
///
/// # Errors
/// What the kernel says when a read or a proposal fails; the entries are tried again.
pub fn react(context: &Context, entries: &[Entry], effects: &Effects) -> Result<(), Failure> {
    let edits = entries.iter().flat_map(|entry| &entry.edits);
    for (id, at) in latest(edits, context.now()) {
        let opportunity = RecordRef::new("opportunity", &id);
        let Some(record) = records::get(&opportunity)? else {
            continue;
        };
        if record.fields.instant(FIELD).is_none_or(|known| known < at) {
            effects.update(&opportunity, None, Fields::new().with(FIELD, at))?;
        }
    }
    Ok(())
}

/// The latest activity of each opportunity. One that lies ahead counts as now: it was agreed on.
fn latest<'a>(edits: impl Iterator<Item = &'a Edit>, now: Instant) -> BTreeMap<String, Instant> {
    let mut latest = BTreeMap::new();
    for edit in edits.filter(|edit| is_activity(edit)) {
        let Some(at) = edit.after.instant("at") else {
            continue;
        };
        for opportunity in opportunities(&edit.after) {
            let known = latest.entry(opportunity).or_insert(at.min(now));
            *known = (*known).max(at.min(now));
        }
    }
    latest
}

fn is_activity(edit: &Edit) -> bool {
    edit.kind == "activity" && edit.operation != Operation::Delete
}

/// The opportunities an activity is about.
fn opportunities(activity: &Fields) -> impl Iterator<Item = String> {
    let named = ["opportunity", "about"].into_iter();
    let named = named.filter_map(|field| activity.reference(field));
    named
        .filter(|target| target.kind == "opportunity")
        .map(|target| target.id.clone())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use kjerne_sdk::testing::{Done, Effect, World, context};

    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    fn activity(field: &str, id: &str, when: &str, operation: Operation) -> Edit {
        Edit {
            kind: "activity".into(),
            id: "a".into(),
            version: 1,
            operation,
            before: Fields::new(),
            after: Fields::new()
                .with(field, RecordRef::new("opportunity", id))
                .with("at", at(when)),
            changed: vec![],
        }
    }

    /// What is written to which opportunity; `old` has an activity already, `new` has none.
    fn written(edits: Vec<Edit>) -> Vec<(String, Instant)> {
        let entry = Entry {
            number: 7,
            at: at("2026-03-02T09:00:00Z"),
            actor: "system:import".into(),
            depth: 0,
            edits,
        };
        let done = Done::default();
        let known = Fields::new().with(FIELD, at("2026-03-01T00:00:00Z"));
        World::new()
            .record("opportunity", "old", known)
            .record("opportunity", "new", Fields::new())
            .enter(|| react(&context("2026-03-02T09:00:00Z"), &[entry], &done).unwrap());
        let told = |effect: &Effect| match effect {
            Effect::Update(target, None, fields) => {
                (target.id.clone(), fields.instant(FIELD).unwrap())
            }
            other => panic!("{other:?}"),
        };
        done.all().iter().map(told).collect()
    }

    #[test]
    fn the_latest_activity_is_noted_and_an_older_one_is_not() {
        let made = |field, id, when| activity(field, id, when, Operation::Create);
        let found = written(vec![
            made("opportunity", "new", "2026-02-01T00:00:00Z"),
            made("about", "new", "2026-02-03T00:00:00Z"),
            made("opportunity", "new", "2026-02-02T00:00:00Z"),
            made("opportunity", "old", "2026-02-28T00:00:00Z"),
            made("opportunity", "gone", "2026-02-28T00:00:00Z"),
        ]);
        assert_eq!(found, [("new".to_owned(), at("2026-02-03T00:00:00Z"))]);
    }

    #[test]
    fn what_is_planned_counts_as_now_and_what_is_removed_not_at_all() {
        let found = written(vec![
            activity("about", "old", "2027-01-01T00:00:00Z", Operation::Update),
            activity("about", "new", "2026-02-01T00:00:00Z", Operation::Delete),
        ]);
        assert_eq!(found, [("old".to_owned(), at("2026-03-02T09:00:00Z"))]);
    }
}
