//! Whether settings name what is there, and say what a field takes: asked of the kernel when settings
//! are set. A word that no field ever holds would be waited for in silence, and one that a field does
//! not take would fail at the first record.
//!
//! What the plugin may not read it cannot know, and is no fault.

use crate::contract::Decimal;
use crate::records;

/// The most bytes of a name that settings give to something: a stage, a queue, a rule, a step. It fits a
/// choice of a record, and stands in the keys of commits beside an id.
pub const LONGEST_NAME: usize = 200;

/// An id that no record has, so that asking finds nothing and costs as much.
pub const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// What every record has beside its fields.
const OWN: [&str; 5] = ["id", "kind", "version", "created_at", "updated_at"];

/// What [`wrong_literal`] takes in place of a literal, for a field of text and for an amount.
pub const ANY_TEXT: &str = "any text";
/// See [`ANY_TEXT`].
pub const ANY_AMOUNT: &str = "any amount";

/// Whether every record has this beside its fields.
#[must_use]
pub fn is_own(field: &str) -> bool {
    OWN.contains(&field)
}

/// What is wrong with a name that settings give to something, if anything is.
#[must_use]
pub fn wrong_name(name: &str) -> Option<String> {
    if name.trim().is_empty() {
        return Some("a name is empty; write a word".to_owned());
    }
    if name.trim() != name {
        return Some(format!(
            "the name '{name}' has blanks at its ends, which no record keeps; take them off"
        ));
    }
    (name.len() > LONGEST_NAME).then(|| {
        let begin: String = name.chars().take(40).collect();
        format!("the name '{begin}…' has more than {LONGEST_NAME} bytes; write a shorter one")
    })
}

/// What is wrong with the name of an actor, if anything is.
#[must_use]
pub fn wrong_actor(actor: &str) -> Option<String> {
    let known = ["user:", "plugin:", "system:"];
    let rest = known.iter().find_map(|prefix| actor.strip_prefix(prefix));
    let is_one = rest.is_some_and(|name| !name.is_empty());
    (!is_one).then(|| format!("'{actor}' is no actor; write user:NAME, plugin:ID or system:JOB"))
}

/// What is wrong with a kind, if anything is.
#[must_use]
pub fn wrong_kind(kind: &str) -> Option<String> {
    refused(kind, "")
}

/// What is wrong with the name of a kind's field, if anything is. What every record has beside its fields
/// is none.
#[must_use]
pub fn wrong_field(kind: &str, field: &str) -> Option<String> {
    if is_own(field) {
        return Some(format!(
            "{field} is no field that a {kind} is filled in with"
        ));
    }
    refused(kind, &format!(" and {} eq null", path(field)))
}

/// What is wrong with a value as settings write it, if a field is never equal to it.
#[must_use]
pub fn wrong_value(kind: &str, field: &str, written: &str) -> Option<String> {
    let path = path(field);
    untaken(
        kind,
        literals(written).map(|one| format!("{path} eq {one}")),
    )
}

/// What is wrong with a value of one type, written as a filter has it, if a field never holds such.
#[must_use]
pub fn wrong_literal(kind: &str, field: &str, literal: &str) -> Option<String> {
    let path = path(field);
    refused(
        kind,
        &match literal {
            ANY_TEXT => format!(" and startswith({path},'x')"),
            ANY_AMOUNT => format!(" and {path}/minor eq 1"),
            literal => format!(" and {path} eq {literal}"),
        },
    )
}

/// What is wrong with a bound as settings write it, if what a field holds is never more or less.
#[must_use]
pub fn wrong_bound(kind: &str, field: &str, written: &str) -> Option<String> {
    let path = path(field);
    untaken(
        kind,
        literals(written).map(|one| format!("{path} ge {one}")),
    )
}

/// The ways to write a value in a filter: in quotes, and numbers and flags without.
fn literals(written: &str) -> impl Iterator<Item = String> {
    let is_bare = Decimal::parse(written).is_some() || matches!(written, "true" | "false");
    let bare = is_bare.then(|| written.to_owned());
    let quoted = format!("'{}'", written.replace('\'', "''"));
    std::iter::once(quoted).chain(bare)
}

/// Why the kernel looks for none of these; the first reason, and none where it looks for one.
fn untaken(kind: &str, conditions: impl Iterator<Item = String>) -> Option<String> {
    let mut first = None;
    for condition in conditions {
        let why = refused(kind, &format!(" and {condition}"))?;
        first = first.or(Some(why));
    }
    first
}

/// A part of a structured field is named with a dot, and asked for with a stroke.
fn path(field: &str) -> String {
    field.replace('.', "/")
}

/// What was asked while a plugin is prepared: many settings name the same, and the kernel answers so many
/// questions in one call and no more.
#[cfg(target_family = "wasm")]
mod asked {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    type Answers = BTreeMap<(String, String), Option<String>>;

    thread_local! {
        static ANSWERS: RefCell<Answers> = const { RefCell::new(Answers::new()) };
    }

    pub fn once(
        kind: &str,
        condition: &str,
        ask: fn(&str, &str) -> Option<String>,
    ) -> Option<String> {
        let key = (kind.to_owned(), condition.to_owned());
        let known = ANSWERS.with_borrow(|answers| answers.get(&key).cloned());
        known.unwrap_or_else(|| {
            let answer = ask(kind, condition);
            ANSWERS.with_borrow_mut(|answers| answers.insert(key, answer.clone()));
            answer
        })
    }

    /// Calls begin with the memory as it was left, and ask nothing of this.
    pub fn forget() {
        ANSWERS.take();
    }
}

#[cfg(target_family = "wasm")]
pub(crate) use asked::forget;

/// Why the kernel cannot look for such a record, where that is for the names or values in the condition.
fn refused(kind: &str, condition: &str) -> Option<String> {
    #[cfg(target_family = "wasm")]
    return asked::once(kind, condition, refused_now);
    // Each native test has a world of its own.
    #[cfg(not(target_family = "wasm"))]
    refused_now(kind, condition)
}

fn refused_now(kind: &str, condition: &str) -> Option<String> {
    let asked = records::query(kind).filter(format!("id eq {NOBODY}{condition}"));
    let failure = asked.limit(1).run().err()?;
    let code = failure.code.as_str();
    matches!(code, "unknown-kind" | "bad-filter").then_some(failure.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[test]
    fn names_and_actors_are_such_as_can_be_stored() {
        assert_eq!(wrong_name("first-line"), None);
        assert!(wrong_name(" ").is_some());
        assert_eq!(wrong_name(&"x".repeat(LONGEST_NAME)), None);
        assert!(wrong_name(&"x".repeat(LONGEST_NAME + 1)).is_some());
        for (actor, good) in [("user:kari", true), ("system:", false), ("import", false)] {
            assert_eq!(wrong_actor(actor).is_none(), good, "{actor}");
        }
    }

    #[test]
    fn a_value_is_wrong_when_the_kernel_takes_it_in_no_form() {
        let world = World::new()
            .refuses("case", "status eq 'opne'", "one of 'new', 'open'")
            .refuses("case", "minutes eq '5'", "a whole number")
            .refuses("case", "none eq null", "case has no field none");
        world.enter(|| {
            assert_eq!(wrong_value("case", "status", "open"), None);
            let told = wrong_value("case", "status", "opne");
            assert_eq!(told.as_deref(), Some("one of 'new', 'open'"));
            assert_eq!(wrong_value("case", "minutes", "5"), None);
            assert!(wrong_field("case", "none").is_some());
            assert!(wrong_field("case", "created_at").is_some());
        });
    }
}
