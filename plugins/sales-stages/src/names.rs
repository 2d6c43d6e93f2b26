//! What only the kernel knows of the settings: whether there are the kinds and fields that criteria look at,
//! and whether a field ever holds what they ask for. A criterion that nothing meets would refuse every move.

use std::collections::BTreeSet;

use kjerne_sdk::known;
use kjerne_sdk::settings::Faults;

use crate::criterion::{Check, Criterion, Selection, Test};
use crate::pipeline::Stage;
use crate::settings::Settings;

/// The kind that stages are about.
const OPPORTUNITY: &str = "opportunity";

/// Tells of every stage what is wrong with its criteria, with its line; each name once.
pub fn check(settings: &Settings) -> Result<(), Faults> {
    let (mut told, mut faults) = (BTreeSet::new(), Faults::default());
    for stage in settings.stages() {
        let criteria = stage.entry.iter().chain(&stage.exit);
        for test in criteria.flat_map(Criterion::tests) {
            let wrong = match test {
                Test::Field(field, check) => wrong_field(stage, field, check),
                Test::Count(selection, _) => wrong_count(selection),
                Test::Any(_) => None,
            };
            if let Some(wrong) = wrong.filter(|wrong| told.insert(wrong.clone())) {
                faults.add(stage.line, format_args!("stage {} {wrong}", stage.name));
            }
        }
    }
    let approval = settings.approval.as_ref();
    let amount = approval.and_then(|approval| approval.amount_above.as_ref().zip(Some(approval)));
    if let Some((amount, approval)) = amount
        && let Some(why) = wrong_bound("amount", amount)
    {
        let message = format_args!("amount_above is compared with {OPPORTUNITY}.amount: {why}");
        faults.add(approval.line, message);
    }
    faults.settle(())
}

/// What is wrong with a test of one of the opportunity's fields.
fn wrong_field(stage: &Stage, field: &String, check: &Check) -> Option<String> {
    if known::wrong_field(OPPORTUNITY, field).is_some() {
        let required = stage.required.contains(field);
        let what = if required { "requires" } else { "looks at" };
        return Some(format!(
            "{what} {field}, which an opportunity does not have"
        ));
    }
    match check {
        Check::Present(_) => None,
        Check::OneOf(values) | Check::NoneOf(values) => wrong_values(OPPORTUNITY, field, values),
        Check::AtLeast(bound) | Check::AtMost(bound) => {
            let why = wrong_bound(field, bound)?;
            Some(format!(
                "compares {OPPORTUNITY}.{field} with '{bound}': {why}"
            ))
        }
    }
}

fn wrong_count(selection: &Selection) -> Option<String> {
    let Selection { kind, by, fields } = selection;
    if known::wrong_kind(kind).is_some() {
        return Some(format!("counts {kind}, and there is no such kind"));
    }
    let opportunity = format!("{OPPORTUNITY}/{}", known::NOBODY);
    if let Some(why) = known::wrong_literal(kind, by, &opportunity) {
        return Some(format!(
            "counts {kind} by {by}, which points to no opportunity: {why}"
        ));
    }
    fields.iter().find_map(|(field, values)| {
        let unknown = known::wrong_field(kind, field);
        let unknown = unknown.map(|why| format!("looks at {kind}.{field}: {why}"));
        unknown.or_else(|| wrong_values(kind, field, values))
    })
}

/// The first of some values that a field never holds.
fn wrong_values(kind: &str, field: &str, values: &[String]) -> Option<String> {
    let mut said = values.iter().filter(|value| !value.trim().is_empty());
    said.find_map(|value| {
        let why = known::wrong_value(kind, field, value)?;
        Some(format!("asks whether {kind}.{field} is '{value}': {why}"))
    })
}

/// What is wrong with a bound: a number is one for amounts too, in whole units of whatever currency, and
/// `today` is a date.
fn wrong_bound(field: &str, bound: &str) -> Option<String> {
    if field == "probability" && bound.parse::<u8>().map_or(true, |percent| percent > 100) {
        return Some("a probability is a whole number from 0 to 100".to_owned());
    }
    let bound = match bound.strip_prefix("today") {
        Some(_) => "2026-01-31",
        None => bound,
    };
    let why = known::wrong_bound(OPPORTUNITY, field, bound)?;
    if kjerne_sdk::Decimal::parse(bound).is_some() {
        known::wrong_literal(OPPORTUNITY, field, known::ANY_AMOUNT)?;
    }
    // A date is a bound of a time as well.
    if kjerne_sdk::Date::parse(bound).is_some() {
        known::wrong_literal(OPPORTUNITY, field, "2026-01-31T00:00:00Z")?;
    }
    Some(why)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use kjerne_sdk::testing::World;

    use super::*;

    /// The faults of a stage with this entry criterion, where the kernel refuses what holds these.
    fn told(entry: &str, refused: &[(&str, &str)]) -> String {
        let text = format!(
            "[[pipeline]]\nname = 'p'\n[[pipeline.stage]]\nname = 'a'\n[[pipeline.stage]]\nname = 'b'\nentry = [{{ {entry} }}]"
        );
        let settings = Settings::read(&text).expect("settings");
        let world = World::new().refuses("none", "none", "");
        let refuse = |world: World, (kind, what): &(&str, &str)| {
            world.refuses(kind, what, "says the kernel")
        };
        let world = refused.iter().fold(world, refuse);
        world
            .enter(|| check(&settings))
            .map_or_else(|faults| faults.to_string(), |()| String::new())
    }

    #[test]
    fn b4_a_criterion_that_nothing_meets_is_refused_when_it_is_set() {
        for (entry, refused) in [
            (
                "related = 'quote', where = { status = ['snt'] }",
                &[("quote", "status eq 'snt'")][..],
            ),
            (
                "related = 'quote', where = { nosuch = 'x' }",
                &[("quote", "nosuch eq null")],
            ),
            (
                "related = 'stakeholder', by = 'role'",
                &[("stakeholder", "role eq opportunity/")],
            ),
            ("related = 'nosuch'", &[("nosuch", "id eq")]),
            (
                "field = 'name', at_least = 5",
                &[("opportunity", "name ge"), ("opportunity", "name/minor")],
            ),
            ("field = 'probability', at_least = 500", &[]),
            (
                "field = 'account', equals = 'nosuch'",
                &[("opportunity", "account eq 'nosuch'")],
            ),
            (
                "field = 'amount', at_least = '100.001 NOK'",
                &[("opportunity", "amount ge '100.001 NOK'")],
            ),
            (
                "field = 'closing_date', at_least = 5",
                &[
                    ("opportunity", "closing_date ge"),
                    ("opportunity", "closing_date/minor"),
                ],
            ),
            (
                "field = 'amount', at_most = 'today+3'",
                &[
                    ("opportunity", "amount ge"),
                    ("opportunity", "amount eq 2026"),
                ],
            ),
            (
                "any = [{ field = 'nosuch' }]",
                &[("opportunity", "nosuch eq null")],
            ),
            (
                "field = 'name', when = [{ field = 'stage', one_of = ['x'] }]",
                &[("opportunity", "stage eq 'x'")],
            ),
        ] {
            let wrong = told(entry, refused);
            assert!(wrong.starts_with("line 5: stage b "), "{entry}: {wrong:?}");
        }
        for entry in [
            "related = 'quote', where = { status = ['sent'] }",
            "field = 'amount', at_least = 5",
            "field = 'probability', at_least = 50",
            "field = 'closing_date', at_most = 'today+3'",
        ] {
            let refused = [
                ("opportunity", "amount ge '5'"),
                ("opportunity", "amount ge 5"),
            ];
            assert_eq!(told(entry, &refused), "", "{entry}");
        }
    }
}
