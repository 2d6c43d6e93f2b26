//! What only the kernel knows of the settings: the zones, and whether a case has the fields and holds the
//! values that they name. Asked when settings are set; a value no case ever has would be a rule that never
//! fits.

use kjerne_sdk::settings::{Faults, Node, Table};
use kjerne_sdk::{Instant, Zone, known};

use crate::condition::Condition;
use crate::settings::Settings;

/// The facts that are a field of a record each, compared as a whole, and of which.
const FIELDS: [(&str, &str, &str); 13] = [
    ("category", "case", "category"),
    ("sentiment", "case", "sentiment"),
    ("tier", "case", "tier"),
    ("channel", "case", "channel"),
    ("status", "case", "status"),
    ("priority", "case", "priority"),
    ("queue", "case", "queue"),
    ("account_type", "account", "account_type"),
    ("account_tier", "account", "tier"),
    ("account_segment", "account", "segment"),
    ("account_industry", "account", "industry"),
    ("account_region", "account", "region"),
    ("account_service_strategy", "account", "service_strategy"),
];

/// Checks all of it. What cannot be asked is no fault of the settings.
pub fn check(settings: &Settings) -> Result<(), Faults> {
    let (from, to) = (Instant::from_millis(0), Instant::from_millis(0));
    for (name, calendar) in &settings.calendars {
        Zone::load(&calendar.zone, from, to).map_err(|failure| {
            let message = format!("time_zone '{}': {}", calendar.zone, failure.message);
            at(&["calendars", name, "time_zone"], message)
        })?;
    }
    for field in &settings.required_to_resolve {
        if known::wrong_field("case", field).is_some() {
            let fault = format!("required_to_resolve names '{field}', which a case does not have");
            return Err(at(&["required_to_resolve"], fault));
        }
    }
    let triage = settings.triage.iter().map(|row| [&row.when, &row.unless]);
    let targets = settings.targets.iter().map(|row| [&row.when, &row.when]);
    let steps = settings.steps.iter().map(|step| [&step.only, &step.only]);
    check_list(settings, "triage", triage)?;
    check_list(settings, "target", targets)?;
    check_list(settings, "escalation", steps)
}

/// Checks the conditions of each row of a list.
fn check_list<'a>(
    settings: &Settings,
    list: &str,
    rows: impl Iterator<Item = [&'a Condition; 2]>,
) -> Result<(), Faults> {
    for (place, conditions) in rows.enumerate() {
        for condition in conditions {
            for (fact, values) in condition.wanted() {
                let wrong = values.iter().find_map(|value| wrong(settings, fact, value));
                if let Some(message) = wrong {
                    return Err(at_row(list, place, message));
                }
            }
        }
    }
    Ok(())
}

/// What is wrong with a value of a condition, which compares without case.
fn wrong(settings: &Settings, fact: &str, value: &str) -> Option<String> {
    if ["", "*"].contains(&value) {
        return None;
    }
    let listed = match fact {
        "priority" => settings.priorities.as_slice(),
        "queue" => settings.queues.as_slice(),
        _ => &[],
    };
    let small = value.to_lowercase();
    if !listed.is_empty() && !listed.iter().any(|one| one.to_lowercase() == small) {
        let listed = listed.join(", ");
        return Some(format!(
            "no case has the {fact} '{value}'; it is one of {listed}"
        ));
    }
    let (_, kind, field) = FIELDS.iter().find(|(name, ..)| *name == fact)?;
    let why = known::wrong_value(kind, field, value)?;
    known::wrong_value(kind, field, &small)?;
    Some(format!("no {kind} has the {field} '{value}': {why}"))
}

/// A fault of what stands at a place of the settings. They are taken over once more for its line, which
/// only who has a fault to tell pays for.
fn at(path: &[&str], message: String) -> Faults {
    let settings = kjerne_sdk::settings::load();
    let (mut table, mut found) = (Some(settings.top()), None);
    for key in path {
        found = table.and_then(|table| table.get(key)).or(found);
        table = found.and_then(Node::as_table);
    }
    told(found, message)
}

/// The same for a row of a list.
fn at_row(list: &str, place: usize, message: String) -> Faults {
    let settings = kjerne_sdk::settings::load();
    let rows = |top: Table<'_>| {
        top.items(list)
            .ok()?
            .into_iter()
            .nth(place)
            .map(|row| row.wrong(&message))
    };
    rows(settings.top()).unwrap_or(message).into()
}

fn told(node: Option<Node<'_>>, message: String) -> Faults {
    let told = node.map(|node| node.wrong(&message));
    told.unwrap_or(message).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use kjerne_sdk::testing::World;

    use super::*;

    fn told(text: &str, kind: &str, refused: &[&str]) -> String {
        let settings = Settings::parse(text).expect("settings");
        let world = World::new().settings(text).refuses("none", "none", "");
        let world = world.zone("UTC", &[(Instant::from_millis(0), 0)]);
        let world = refused.iter().fold(world, |world, one| {
            world.refuses(kind, one, "says the kernel")
        });
        world
            .enter(|| check(&settings))
            .map_or_else(|faults| faults.to_string(), |()| String::new())
    }

    #[test]
    fn b4_a_condition_on_a_value_that_no_case_has_is_refused_with_its_line() {
        let calendar = "default_calendar = 'a'\npriorities = ['urgent', 'low']\n[calendars.a]\nalways = true\n";
        let target =
            |when: &str| format!("{calendar}[[target]]\nwhen = {{ {when} }}\nresolution = '4h'");
        let wrong = told(&target("priority = 'urgnt'"), "case", &[]);
        assert!(
            wrong.contains("line 5: no case has the priority 'urgnt'"),
            "{wrong}"
        );
        assert_eq!(
            told(&target("priority = ['Urgent', '', '*']"), "case", &[]),
            ""
        );
        let sad = target("sentiment = 'sad'");
        let wrong = told(&sad, "case", &["sentiment eq 'sad'"]);
        assert!(
            wrong.contains("line 5: no case has the sentiment 'sad': says"),
            "{wrong}"
        );
        // Case does not matter in a condition.
        assert_eq!(
            told(&target("status = 'Open'"), "case", &["status eq 'Open'"]),
            ""
        );
        let kind = target("account_type = 'x'");
        assert!(told(&kind, "account", &["account_type eq 'x'"]).contains("no account has"));
        let triage = "[[triage]]\nrule = 'r'\nunless = { channel = 'x' }";
        assert!(told(triage, "case", &["channel eq 'x'"]).contains("line 1"));
    }
}
