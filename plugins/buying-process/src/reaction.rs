//! Writes the assessment back to opportunities whose customer has moved.

use std::collections::BTreeSet;

use kjerne_sdk::{
    Context, Edit, Effects, Entry, Failure, Fields, Instant, Operation, Record, RecordRef, records,
    state,
};

use crate::assess::assess;
use crate::assessment::Assessment;
use crate::group::{Group, read_situation};
use crate::settings::Settings;

/// The most opportunities assessed in one call: each takes up to nine calls to the host, which
/// allows 2,000. The rest waits in the plugin's own state for the next call.
const MOST: usize = 200;
/// The fields of an opportunity that make it worth assessing anew.
pub const RELEVANT: [&str; 4] = ["pipeline", "stage", "account", "amount"];
/// What stands before the key under which opportunities wait.
const WAITING: &str = "waiting/";

/// Assesses every opportunity these entries concern.
///
/// # Errors
/// What the kernel says when a read or a proposal fails; the entries are tried again.
pub fn react(
    settings: &Settings,
    context: &Context,
    entries: &[Entry],
    effects: &Effects,
) -> Result<(), Failure> {
    let edits = entries.iter().flat_map(|entry| &entry.edits);
    let touched: BTreeSet<_> = edits.flat_map(|edit| touched(settings, edit)).collect();
    let number = entries.last().map_or(0, |entry| entry.number);
    for id in in_turn(touched, number)? {
        assess_one(settings, context.now(), &id, effects)?;
    }
    Ok(())
}

/// The opportunities whose assessment an edit may change.
fn touched(settings: &Settings, edit: &Edit) -> Vec<String> {
    match edit.kind.as_str() {
        "stakeholder" | "buying_job" | "activity" => {
            let sides = [&edit.before, &edit.after].into_iter();
            let homes = sides.filter_map(|fields| fields.reference("opportunity"));
            homes.map(|home| home.id.clone()).collect()
        }
        "opportunity" if is_relevant(settings, edit) => vec![edit.id.clone()],
        _ => Vec::new(),
    }
}

/// Whether a change of an opportunity can change its assessment. One that was never assessed has
/// nobody in its group yet: its first stakeholder or job brings the first assessment.
fn is_relevant(settings: &Settings, edit: &Edit) -> bool {
    let kept = settings.assess_without_group || !edit.after.is_empty("assessed_at");
    let changed = RELEVANT.iter().any(|field| edit.changed(field));
    edit.operation != Operation::Delete && kept && changed
}

/// As many as one call can take: these first, then some of those that have waited longest. What is
/// too much waits under the number of the last entry.
fn in_turn(touched: BTreeSet<String>, number: u64) -> Result<Vec<String>, Failure> {
    let mut due: Vec<_> = touched.into_iter().collect();
    if due.len() > MOST {
        let rest = due.split_off(MOST);
        state::set(
            &format!("{WAITING}{number:020}"),
            rest.join("\n").as_bytes(),
        )?;
        return Ok(due);
    }
    let Some(key) = state::keys(WAITING, None, 1)?.into_iter().next() else {
        return Ok(due);
    };
    let waiting = state::get(&key)?
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default();
    let mut waiting: Vec<_> = waiting.lines().map(str::to_owned).collect();
    let rest = waiting.split_off(waiting.len().min(MOST - due.len()));
    if rest.is_empty() {
        state::remove(&key)?;
    } else {
        state::set(&key, rest.join("\n").as_bytes())?;
    }
    due.extend(
        waiting
            .into_iter()
            .filter(|id| !due.contains(id))
            .collect::<Vec<_>>(),
    );
    Ok(due)
}

fn assess_one(
    settings: &Settings,
    now: Instant,
    id: &str,
    effects: &Effects,
) -> Result<(), Failure> {
    let Some(opportunity) = records::get(&RecordRef::new("opportunity", id))? else {
        return Ok(());
    };
    let Some(fields) = new_fields(settings, &opportunity, now)? else {
        return Ok(());
    };
    effects.update(&opportunity.reference(), Some(opportunity.version), fields)
}

/// What to write on an opportunity; none when nothing differs. One that is closed is not assessed
/// any more: its last numbers stay, and there is nothing left to do.
fn new_fields(
    settings: &Settings,
    opportunity: &Record,
    now: Instant,
) -> Result<Option<Fields>, Failure> {
    let fields = &opportunity.fields;
    if fields.date("closed_on").is_some() {
        let advised = !fields.is_empty("next_best_action");
        return Ok(advised.then(|| Fields::new().cleared("next_best_action")));
    }
    let group = Group::read(&opportunity.reference())?;
    let is_new = fields.is_empty("assessed_at") && !settings.assess_without_group;
    if is_new && group.is_empty() {
        return Ok(None);
    }
    let situation = read_situation(settings, opportunity, &group, now)?;
    let assessment = assess(settings, &situation);
    let new = written(&assessment);
    let differs = new.iter().any(|(name, value)| fields.get(name) != value);
    Ok(differs.then(|| new.with("assessed_at", now)))
}

fn written(assessment: &Assessment) -> Fields {
    let best = assessment
        .actions
        .first()
        .map(|action| action.action.as_str());
    Fields::new()
        .with("buying_progress", assessment.progress)
        .with("buying_gap", assessment.gap)
        .with("rework_risk", assessment.rework)
        .with("no_decision_risk", assessment.no_decision)
        .with_option("next_best_action", best)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use kjerne_sdk::testing::World;

    use super::*;

    fn ids(from: usize, to: usize) -> BTreeSet<String> {
        (from..to)
            .map(|number| format!("deal-{number:04}"))
            .collect()
    }

    #[test]
    fn what_one_call_cannot_take_waits_for_the_next() {
        World::new().enter(|| {
            assert_eq!(in_turn(ids(0, 450), 7).unwrap().len(), MOST);
            assert_eq!(state::keys(WAITING, None, 10).unwrap().len(), 1);
            let second = in_turn(BTreeSet::new(), 8).unwrap();
            assert_eq!((second.len(), second[0].as_str()), (MOST, "deal-0200"));
            let third = in_turn(ids(440, 460), 9).unwrap();
            assert_eq!(third.len(), 20 + 40, "those that come both ways come once");
            assert!(state::keys(WAITING, None, 10).unwrap().is_empty());
            assert!(in_turn(BTreeSet::new(), 10).unwrap().is_empty());
        });
    }
}
