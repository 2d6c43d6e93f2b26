//! What a case may not do: one fault for each rule broken.

use crate::case::Case;
use crate::rules::Moment;
use crate::settings::Settings;

const DAY: i64 = 86_400_000;

/// A broken rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The field to look at.
    pub field: String,
    /// The rule's name.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}

fn fault(field: &str, code: &str, message: String) -> Fault {
    Fault {
        field: field.to_owned(),
        code: code.to_owned(),
        message,
    }
}

/// Everything that is wrong with a change of a case (or a new one, when there is no `before`).
/// `has` says whether the case has a value in a field.
pub fn faults(
    settings: &Settings,
    moment: Moment,
    before: Option<&Case>,
    after: &Case,
    has: &dyn Fn(&str) -> bool,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(before) = before.filter(|before| before.status != after.status && !moment.importing)
    {
        check_move(settings, moment.now, before, after, &mut faults);
    }
    let finishes = after.is_finished() && before.is_none_or(Case::is_open);
    if finishes && !moment.importing {
        check_required(settings, has, &mut faults);
    }
    check_names(settings, before, after, &mut faults);
    check_order(before, after, &mut faults);
    faults
}

fn check_move(settings: &Settings, now: i64, before: &Case, after: &Case, faults: &mut Vec<Fault>) {
    let (from, to) = (&before.status, &after.status);
    if let Some(allowed) = settings
        .moves
        .get(from)
        .filter(|allowed| !allowed.contains(to))
    {
        let where_to = if allowed.is_empty() {
            "nowhere; open a new case".to_owned()
        } else {
            allowed.join(", ")
        };
        let message = format!(
            "A case cannot go from '{from}' to '{to}'. From '{from}' it can go to: {where_to}."
        );
        faults.push(fault("status", "forbidden-move", message));
    }
    let days = settings.reopen_days;
    let too_late = before.finished_at().is_some_and(|at| now - at > days * DAY);
    if before.is_finished() && after.is_open() && too_late {
        let message = format!(
            "The case was {from} more than {days} days ago and can no longer be reopened; open a new case."
        );
        faults.push(fault("status", "reopen-too-late", message));
    }
}

fn check_required(settings: &Settings, has: &dyn Fn(&str) -> bool, faults: &mut Vec<Fault>) {
    for field in settings
        .required_to_resolve
        .iter()
        .filter(|field| !has(field))
    {
        let message =
            format!("A resolved case must have '{field}'; fill it in before resolving the case.");
        faults.push(fault(
            field,
            &format!("missing-{}", field.replace('_', "-")),
            message,
        ));
    }
}

/// History may use names of its own; a case that is still worked on may not.
fn check_names(settings: &Settings, before: Option<&Case>, after: &Case, faults: &mut Vec<Fault>) {
    if before.is_none() && after.is_finished() {
        return;
    }
    let named = [
        (
            "priority",
            &settings.priorities,
            &after.priority,
            before.map(|before| &before.priority),
        ),
        (
            "queue",
            &settings.queues,
            &after.queue,
            before.map(|before| &before.queue),
        ),
    ];
    for (field, known, value, old) in named {
        let Some(name) = value.as_ref().filter(|_| old != Some(value)) else {
            continue;
        };
        if !known.is_empty() && !known.contains(name) {
            let message = format!(
                "There is no {field} '{name}'; use one of {}.",
                known.join(", ")
            );
            faults.push(fault(field, &format!("unknown-{field}"), message));
        }
    }
}

fn check_order(before: Option<&Case>, after: &Case, faults: &mut Vec<Fault>) {
    type Read = fn(&Case) -> Option<i64>;
    let received: Read = |case| case.received_at;
    let orders: [(&str, &str, Read, &str, Read); 3] = [
        (
            "first_response_at",
            "response-before-received",
            |case| case.first_response_at,
            "received_at",
            received,
        ),
        (
            "resolved_at",
            "resolved-before-received",
            |case| case.resolved_at,
            "received_at",
            received,
        ),
        (
            "closed_at",
            "closed-before-resolved",
            |case| case.closed_at,
            "resolved_at",
            |case| case.resolved_at,
        ),
    ];
    for (field, code, later, earlier_field, earlier) in orders {
        let wrong = later(after)
            .zip(earlier(after))
            .is_some_and(|(later, earlier)| later < earlier);
        let same = before.is_some_and(|before| {
            later(before) == later(after) && earlier(before) == earlier(after)
        });
        if wrong && !same {
            let message = format!("'{field}' lies before '{earlier_field}'; correct one of them.");
            faults.push(fault(field, code, message));
        }
    }
}
