//! Between the fields of a record and what the rules work with.

use kjerne_sdk::{Fields, Instant, Value};

use crate::case::Case;
use crate::condition::Facts;
use crate::pauses::Pauses;

/// The fields the rules know.
pub const OF_CASE: [&str; 20] = [
    "status",
    "tier",
    "priority",
    "queue",
    "owner",
    "triage_rule",
    "received_at",
    "first_response_at",
    "resolved_at",
    "closed_at",
    "first_response_due",
    "resolution_due",
    "first_response_met",
    "resolution_met",
    "paused_since",
    "paused_minutes",
    "pauses",
    "escalation_level",
    "escalate_at",
    "reopened_times",
];

/// The fields that conditions look at beside those, or that lead to what they look at.
pub const OF_FACTS: [&str; 8] = [
    "category",
    "language",
    "sentiment",
    "channel",
    "thread",
    "subject",
    "account",
    "product",
];

/// Reads the fields the rules know.
pub fn case_of(fields: &Fields) -> Case {
    let text = |name| fields.text(name).map(str::to_owned);
    let instant = |name| fields.instant(name).map(Instant::millis);
    Case {
        status: text("status").unwrap_or_default(),
        tier: text("tier"),
        priority: text("priority"),
        queue: text("queue"),
        owner: fields.reference("owner").map(|owner| owner.id.clone()),
        triage_rule: text("triage_rule"),
        received_at: instant("received_at"),
        first_response_at: instant("first_response_at"),
        resolved_at: instant("resolved_at"),
        closed_at: instant("closed_at"),
        first_response_due: instant("first_response_due"),
        resolution_due: instant("resolution_due"),
        first_response_met: fields.flag("first_response_met"),
        resolution_met: fields.flag("resolution_met"),
        paused_since: instant("paused_since"),
        paused_minutes: fields.integer("paused_minutes"),
        pauses: text("pauses"),
        escalation_level: fields.integer("escalation_level"),
        escalate_at: instant("escalate_at"),
        reopened_times: fields.integer("reopened_times"),
    }
}

/// The fields that differ, with their new values; the status and the owner are not the rules' to set.
pub fn differences(old: &Case, new: &Case) -> Vec<(&'static str, Option<Value>)> {
    let all = values(new).into_iter().zip(values(old));
    all.filter(|((_, new), (_, old))| new != old)
        .map(|(new, _)| new)
        .collect()
}

fn values(case: &Case) -> [(&'static str, Option<Value>); 18] {
    let text = |text: &Option<String>| text.as_ref().map(Value::from);
    let instant =
        |millis: Option<i64>| millis.map(|millis| Value::from(Instant::from_millis(millis)));
    [
        ("tier", text(&case.tier)),
        ("priority", text(&case.priority)),
        ("queue", text(&case.queue)),
        ("triage_rule", text(&case.triage_rule)),
        ("received_at", instant(case.received_at)),
        ("first_response_at", instant(case.first_response_at)),
        ("resolved_at", instant(case.resolved_at)),
        ("closed_at", instant(case.closed_at)),
        ("first_response_due", instant(case.first_response_due)),
        ("resolution_due", instant(case.resolution_due)),
        (
            "first_response_met",
            case.first_response_met.map(Value::from),
        ),
        ("resolution_met", case.resolution_met.map(Value::from)),
        ("paused_since", instant(case.paused_since)),
        ("paused_minutes", case.paused_minutes.map(Value::from)),
        ("pauses", text(&case.pauses)),
        ("escalation_level", case.escalation_level.map(Value::from)),
        ("escalate_at", instant(case.escalate_at)),
        ("reopened_times", case.reopened_times.map(Value::from)),
    ]
}

/// The points in time a case speaks of: what the zones must cover.
pub fn instants(fields: &Fields) -> Vec<i64> {
    let named = times(fields);
    named.into_iter().map(|(_, at)| at).collect()
}

/// The same, each with the field it stands in.
pub fn times(fields: &Fields) -> Vec<(&str, i64)> {
    let own = fields
        .iter()
        .filter_map(|(name, value)| Some((name, value?.as_instant()?.millis())));
    let pauses = Pauses::read(fields.text("pauses").unwrap_or_default()).unwrap_or_default();
    let pauses = pauses.ends().map(|at| ("pauses", at));
    own.chain(pauses.collect::<Vec<_>>()).collect()
}

/// What the case itself says, as facts for conditions.
pub fn facts_of(fields: &Fields) -> Facts {
    let names = [
        "category",
        "language",
        "sentiment",
        "channel",
        "thread",
        "subject",
    ];
    let known = names
        .into_iter()
        .filter_map(|name| Some((name, vec![fields.text(name)?.to_owned()])));
    known.collect()
}

/// Adds texts of a record the case points to, under names of their own.
pub fn add_facts(facts: &mut Facts, fields: &Fields, names: &[(&'static str, &[&str])]) {
    for (fact, sources) in names {
        let known = sources
            .iter()
            .filter_map(|source| fields.text(source))
            .map(str::to_owned);
        facts.insert(fact, known.collect());
    }
}
