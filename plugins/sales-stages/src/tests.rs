//! The rules on records that are only texts: fast, and without the host. `cases/` has the same
//! rules in the real one.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::cmp::Ordering;
use std::collections::BTreeMap;

use kjerne_sdk::{Date, Money, Value};

use crate::bound;
use crate::criterion::{Deal, Selection};
use crate::forecast::Risks;
use crate::rules::judge;
use crate::settings::Settings;
use crate::shaping::{Draft, To, shape};

const TODAY: i32 = 20_000;

/// A record as texts, with related records of one field each.
#[derive(Clone, Default)]
struct Fake {
    fields: BTreeMap<String, String>,
    related: Vec<(&'static str, &'static str, &'static str)>,
}

impl Deal for Fake {
    fn text(&self, field: &str) -> Option<String> {
        self.fields.get(field).cloned()
    }
    fn compare(&self, field: &str, bound: &str) -> Option<Ordering> {
        let number: i64 = self.fields.get(field)?.parse().ok()?;
        bound::compare(&Value::from(number), bound, Date::from_days(TODAY))
    }
    fn count(&self, selection: &Selection) -> Result<usize, String> {
        if selection.kind == "secret" {
            return Err("it may not read secret".to_owned());
        }
        let meets = |(kind, field, value): &&(&str, &str, &str)| {
            *kind == selection.kind
                && selection.fields.iter().all(|(name, values)| {
                    name == field && values.iter().any(|wanted| wanted == value)
                })
        };
        Ok(self.related.iter().filter(meets).count())
    }
}

/// `stage=propose amount=5 stakeholder.role=economic_buyer` as a record.
fn deal(text: &'static str) -> Fake {
    let mut fake = Fake::default();
    for pair in text.split_whitespace() {
        let (name, value) = pair.split_once('=').unwrap();
        match name.split_once('.') {
            Some((kind, field)) => fake.related.push((kind, field, value)),
            None => drop(fake.fields.insert(name.to_owned(), value.to_owned())),
        }
    }
    fake
}

fn settings() -> Settings {
    Settings::read("").expect("the default settings are good")
}

/// The codes found for a change from one record (none: a create) to another.
fn check(before: &'static str, after: &'static str, expected: &[&str]) {
    check_with(&settings(), before, after, expected);
}

fn check_with(settings: &Settings, before: &'static str, after: &'static str, expected: &[&str]) {
    let (old, new) = (deal(before), deal(after));
    let old = (!before.is_empty()).then_some(&old as &dyn Deal);
    let found = judge(settings, old, &new, false);
    let codes: Vec<_> = found
        .iter()
        .map(|obstacle| obstacle.code.as_str())
        .collect();
    assert_eq!(codes, expected, "{before} -> {after}: {found:?}");
    for obstacle in found {
        assert!(
            obstacle.message.ends_with('.') && obstacle.message.contains(": "),
            "{obstacle:?}"
        );
    }
}

#[test]
fn a_new_opportunity_meets_all_that_lies_before_its_stage() {
    check("", "stage=prospect", &[]);
    check("", "stage=qualify", &["missing-account"]);
    check("", "stage=qualify account=a", &[]);
    check(
        "",
        "stage=propose",
        &[
            "missing-account",
            "too-few-stakeholder",
            "missing-amount",
            "missing-closing-date",
            "too-few-stakeholder",
        ],
    );
    check(
        "",
        "stage=propose account=a amount=1 closing_date=d stakeholder.role=economic_buyer",
        &[],
    );
    check(
        "",
        "stage=won account=a amount=1 closing_date=d stakeholder.role=economic_buyer",
        &["too-few-quote"],
    );
    check(
        "",
        "stage=won account=a amount=1 closing_date=d stakeholder.role=economic_buyer quote.status=sent",
        &[],
    );
    check("", "stage=nowhere", &["unknown-stage"]);
    check("", "stage=prospect pipeline=nowhere", &["unknown-pipeline"]);
    check("", "name=n", &["unknown-stage"]);
    check("", "stage=lost", &["missing-lost-reason"]);
    check("", "stage=lost lost_reason=price", &[]);
    check(
        "",
        "stage=lost lost_reason=moonlight",
        &["unknown-lost-reason"],
    );
    check(
        "",
        "stage=prospect probability=101",
        &["probability-out-of-range"],
    );
}

#[test]
fn a_move_follows_the_stage_it_leaves() {
    check("stage=prospect", "stage=qualify account=a", &[]);
    check("stage=negotiate", "stage=prospect", &["move-not-allowed"]);
    check("stage=negotiate", "stage=discover", &[]);
    check(
        "stage=won",
        "stage=lost lost_reason=price",
        &["move-not-allowed"],
    );
    check("stage=won", "stage=negotiate", &[]);
    check("stage=lost", "stage=qualify", &["missing-account"]);
    check(
        "stage=prospect",
        "pipeline=renewal stage=offered account=a",
        &["missing-amount", "missing-closing-date"],
    );
    check("stage=gone", "stage=qualify", &["missing-account"]);
    check("stage=gone", "stage=gone name=x", &[]);
}

#[test]
fn what_a_stage_required_stays_filled() {
    check(
        "stage=propose amount=1 account=a",
        "stage=propose account=a",
        &["missing-amount"],
    );
    check("stage=propose", "stage=propose name=x", &[]);
    check("stage=prospect amount=1", "stage=prospect", &[]);
    check(
        "stage=lost lost_reason=price",
        "stage=lost",
        &["missing-lost-reason"],
    );
    check("stage=lost", "stage=lost name=x", &[]);
}

#[test]
fn history_brings_any_stage_there_is() {
    let codes = |text| {
        let found = judge(&settings(), None, &deal(text), true);
        found
            .into_iter()
            .map(|obstacle| obstacle.code)
            .collect::<Vec<_>>()
    };
    assert!(codes("stage=won").is_empty());
    assert!(codes("stage=lost").is_empty());
    assert_eq!(
        codes("stage=lost lost_reason=moonlight"),
        ["unknown-lost-reason"]
    );
    assert_eq!(codes("stage=closed_won"), ["unknown-stage"]);
}

const LANGUAGE: &str = r#"
[[pipeline]]
name = "p"
[[pipeline.stage]]
name = "a"
exit = [{ field = "next_step" }]
[[pipeline.stage]]
name = "b"
entry = [
  { field = "source", one_of = ["web", "call"] },
  { field = "lost_to", present = false, code = "still-lost", say = "Take back: the competitor." },
  { field = "amount", at_least = 100, when = [{ field = "source", equals = "web" }] },
  { field = "amount", at_most = 1000 },
]
[[pipeline.stage]]
name = "c"
entry = [
  { any = [{ field = "contact" }, { related = "stakeholder", where = { role = "champion" } }] },
  { related = "task", at_most = 0 },
  { field = "team", none_of = ["closed"] },
]
[[pipeline.stage]]
name = "d"
entry = [{ related = "secret" }]
"#;

#[test]
fn the_language_of_criteria() {
    let settings = Settings::read(LANGUAGE).unwrap();
    let check = |before, after, expected: &[&str]| check_with(&settings, before, after, expected);
    check(
        "stage=a",
        "stage=b source=web amount=100",
        &["missing-next-step"],
    );
    check("stage=a", "stage=b next_step=n source=web amount=100", &[]);
    check(
        "stage=a",
        "stage=b next_step=n source=mail amount=5",
        &["wrong-source"],
    );
    check(
        "stage=a",
        "stage=b next_step=n source=web amount=99",
        &["low-amount"],
    );
    check(
        "stage=a",
        "stage=b next_step=n source=call amount=1001",
        &["high-amount"],
    );
    check(
        "stage=a",
        "stage=b next_step=n source=call amount=1 lost_to=x",
        &["still-lost"],
    );
    check("stage=b", "stage=c", &["missing-contact"]);
    check("stage=b", "stage=c contact=x", &[]);
    check("stage=b", "stage=c stakeholder.role=champion", &[]);
    check(
        "stage=b",
        "stage=c contact=x task.status=open",
        &["too-many-task"],
    );
    check("stage=b", "stage=c contact=x team=closed", &["wrong-team"]);
    check("stage=c", "stage=d", &["cannot-check"]);
}

#[test]
fn settings_name_every_fault_with_its_line() {
    let check = |text: &str, expected: &[&str]| {
        let error = Settings::read(text).unwrap_err();
        for part in expected {
            assert!(error.contains(part), "{part:?} is not in {error:?}");
        }
    };
    check("x = ", &["line 1: "]);
    check(
        "colour = 1",
        &[
            "there is no [[pipeline]]",
            "line 1: there is no setting colour",
        ],
    );
    check(
        "[[pipeline]]\nname = \"p\"\n[[pipeline.stage]]\nprobability = 200\n",
        &[
            "line 3: name is missing",
            "line 4: probability must be a whole number from 0 to 100",
        ],
    );
    check(
        "[[pipeline]]\nname = \"p\"\n[[pipeline.stage]]\nname = \"a\"\nmoves = [\"z\"]\n[[pipeline.stage]]\nname = \"a\"\n",
        &["stage a is in pipeline p twice", "moves of stage a name z"],
    );
    check(
        "default_pipeline = \"q\"\n[[pipeline]]\nname = \"p\"\n[[pipeline.stage]]\nname = \"w\"\noutcome = \"won\"",
        &["default_pipeline q", "must begin with an open stage"],
    );
    check(
        "[[pipeline]]\nname = \"p\"\n[[pipeline.stage]]\nname = \"a\"\nentry = [{ at_least = 1 }]",
        &["line 5: a criterion needs field, related or any"],
    );
    check(
        "[[pipeline]]\nname = \"p\"\n[[pipeline.stage]]\nname = \"a\"\nentry = [{ field = \"amount\", at_least = \"much\" }]",
        &["line 5: at_least must be"],
    );
    check(
        "[[pipeline]]\nname = \"p\"\n[[pipeline]]\nname = \"p\"\n",
        &["line 3: pipeline p is there twice"],
    );
    let stage = "[[pipeline]]\nname = \"p\"\n[[pipeline.stage]]\nname = \"a\"\n";
    for (never, told) in [
        ("required = [\"id\"]", "line 5: a stage cannot require id"),
        (
            "required = [\"name\", \"version\"]",
            "cannot require version",
        ),
        (
            "entry = [{ field = \"created_at\" }]",
            "line 5: created_at is no field",
        ),
        (
            "entry = [{ field = \"amount\", at_least = \"5 XXY\" }]",
            "currency of ISO 4217",
        ),
        (
            "entry = [{ field = \"amount\", at_most = \"5 nok\" }]",
            "currency of ISO 4217",
        ),
        (
            "exit = [{ field = \"source\", one_of = [] }]",
            "line 5: one_of names nothing",
        ),
        (
            "exit = [{ field = \"source\", one_of = [\"\", \" \"] }]",
            "one_of names nothing",
        ),
        (
            "exit = [{ field = \"source\", equals = \"\" }]",
            "equals names nothing",
        ),
        ("exit = [{ any = [] }]", "line 5: any names no criterion"),
        (
            "exit = [{ any = [{ field = \"a\", one_of = [] }] }]",
            "one_of names nothing",
        ),
        (
            "exit = [{ related = \"quote\", where = { status = [] } }]",
            "status is one of nothing",
        ),
        (
            "exit = [{ related = \"quote\", at_least = 3, at_most = 2 }]",
            "more than at_most",
        ),
    ] {
        check(&format!("{stage}{never}"), &[told]);
    }
    let good = format!("{stage}entry = [{{ field = \"amount\", at_least = \"5 NOK\" }}]\n");
    Settings::read(&good).unwrap();
}

/// The fields set for a change, written `field=value`.
fn shaped(
    settings: &Settings,
    before: &'static str,
    after: &'static str,
    history: bool,
) -> Vec<String> {
    let (old, new) = (deal(before), deal(after));
    let before = (!before.is_empty()).then_some(&old as &dyn Deal);
    let edits = shape(
        settings,
        &Draft {
            before,
            after: &new,
            history,
        },
    );
    let write = |(field, to)| match to {
        To::Text(text) => format!("{field}={text}"),
        To::Integer(number) => format!("{field}={number}"),
        To::Now => format!("{field}=now"),
        To::Today => format!("{field}=today"),
        To::Empty => format!("{field}="),
    };
    edits.into_iter().map(write).collect()
}

#[test]
fn shaping_keeps_what_follows_from_the_stage() {
    let settings = settings();
    let check = |before, after, expected: &[&str]| {
        assert_eq!(
            shaped(&settings, before, after, false),
            expected,
            "{before} -> {after}"
        );
    };
    check(
        "",
        "name=n",
        &[
            "pipeline=standard",
            "stage=prospect",
            "stage_since=now",
            "opened_at=now",
            "probability=5",
            "forecast_category=pipeline",
        ],
    );
    check(
        "pipeline=standard stage=propose probability=50 forecast_category=best-case",
        "pipeline=standard stage=won probability=50 forecast_category=best-case",
        &[
            "stage_since=now",
            "closed_on=today",
            "probability=100",
            "forecast_category=won",
        ],
    );
    check(
        "pipeline=standard stage=lost closed_on=d lost_reason=price",
        "pipeline=standard stage=qualify closed_on=d lost_reason=price",
        &[
            "stage_since=now",
            "closed_on=",
            "lost_reason=",
            "probability=15",
            "forecast_category=pipeline",
        ],
    );
    check(
        "pipeline=standard stage=qualify probability=15 forecast_category=pipeline",
        "pipeline=standard stage=qualify probability=15 forecast_category=pipeline name=x",
        &[],
    );
    check(
        "pipeline=standard stage=qualify probability=15 forecast_category=pipeline",
        "pipeline=standard stage=qualify probability=90 forecast_category=pipeline",
        &["probability=15"],
    );
    check(
        "pipeline=standard stage=qualify probability=15",
        "pipeline=renewal stage=qualify probability=15",
        &[
            "stage=upcoming",
            "stage_since=now",
            "probability=60",
            "forecast_category=pipeline",
        ],
    );
    check("pipeline=gone stage=x", "pipeline=gone stage=x name=n", &[]);
}

#[test]
fn history_keeps_the_dates_it_brings() {
    let settings = settings();
    let edits = shaped(
        &settings,
        "",
        "stage=won stage_since=s closed_on=d opened_at=o",
        true,
    );
    assert_eq!(
        edits,
        [
            "pipeline=standard",
            "probability=100",
            "forecast_category=won"
        ]
    );
    let edits = shaped(&settings, "", "stage=won closed_on=d", false);
    assert!(
        edits.contains(&"closed_on=today".to_owned()),
        "only history says when: {edits:?}"
    );
}

#[test]
fn a_sellers_own_number_stays_until_the_next_move() {
    let settings = Settings {
        own_forecast: true,
        ..settings()
    };
    let check = |before, after, expected: &[&str]| {
        assert_eq!(
            shaped(&settings, before, after, false),
            expected,
            "{before} -> {after}"
        );
    };
    let base = "pipeline=standard stage=negotiate probability=75 forecast_category=commit";
    check(
        base,
        "pipeline=standard stage=negotiate probability=90 forecast_category=commit",
        &[],
    );
    check(
        base,
        "pipeline=standard stage=negotiate probability=75 forecast_category=commit rework_risk=60",
        &["probability=60", "forecast_category=best-case"],
    );
    check(
        "pipeline=standard stage=negotiate probability=90 forecast_category=commit",
        "pipeline=standard stage=negotiate probability=90 forecast_category=commit rework_risk=50",
        &[],
    );
    check(
        "pipeline=standard stage=negotiate probability=90 forecast_category=commit",
        "pipeline=standard stage=propose probability=90 forecast_category=commit",
        &[
            "stage_since=now",
            "probability=50",
            "forecast_category=best-case",
        ],
    );
}

#[test]
fn risk_lowers_the_forecast() {
    let settings = settings();
    let stage = |name| settings.pipeline(None).unwrap().stage(name).unwrap();
    let check = |name, rework, no_decision, probability, category| {
        let risks = Risks {
            rework,
            no_decision,
        };
        assert_eq!(
            settings.forecast.probability(stage(name), risks),
            probability,
            "{name} {risks:?}"
        );
        assert_eq!(
            settings.forecast.category(stage(name), risks),
            category,
            "{name} {risks:?}"
        );
    };
    check("negotiate", 0, 0, 75, "commit");
    check("negotiate", 40, 60, 75, "best-case");
    check("negotiate", 41, 0, 74, "commit");
    check("negotiate", 60, 0, 60, "best-case");
    check("negotiate", 100, 100, 15, "best-case");
    check("won", 100, 100, 100, "won");
    check("prospect", 100, 100, 1, "pipeline");
}

#[test]
fn bounds_compare_exactly() {
    use Ordering::{Equal, Greater, Less};
    let amount = |minor| Value::from(Money::new(minor, "NOK"));
    let day = || Value::from(Date::from_days(TODAY));
    let check = |value: Value, bound: &str, expected| {
        let found = bound::compare(&value, bound, Date::from_days(TODAY));
        assert_eq!(found, expected, "{value:?} against {bound}");
    };
    check(Value::from(5), "5", Some(Equal));
    check(Value::from(-5), "-4.5", Some(Less));
    check(amount(100_000), "1000", Some(Equal));
    check(amount(99_999), "1000.00 NOK", Some(Less));
    check(amount(99_999), "1000.00 EUR", None);
    check(amount(1), "much", None);
    check(day(), "today", Some(Equal));
    check(day(), "today+1", Some(Less));
    check(day(), "2024-10-03", Some(Greater));
    check(day(), "2024-10-04", Some(Equal));
    check(day(), "soon", None);
    check(Value::from("text"), "5", None);
}

#[test]
fn b4_names_that_no_record_holds_and_actors_that_nobody_is_are_refused() {
    let long = "x".repeat(300);
    let stage = |more: &str| format!("[[pipeline]]\nname = 'p'\n[[pipeline.stage]]\n{more}");
    for (text, named) in [
        (
            stage(&format!("name = '{long}'")),
            "line 4: name: the name 'xxx",
        ),
        (
            stage(&format!("name = 'a'\nforecast = '{long}'")),
            "more than 200 bytes",
        ),
        (stage("name = ' '"), "a name is empty"),
        (
            stage("name = 'a'").replace("'p'", &format!("'{long}'")),
            "line 2: name",
        ),
        (
            format!("history_actors = ['import']\n{}", stage("name = 'a'")),
            "'import' is no actor",
        ),
    ] {
        let told = Settings::read(&text).expect_err(&text);
        assert!(told.contains(named), "{text}: {told}");
    }
}

#[test]
fn what_is_asked_about_is_read_or_refused_with_its_fault() {
    let read = |table: &str| {
        let stage = "[[pipeline]]\nname = 'p'\n[[pipeline.stage]]\nname = 'a'";
        Settings::read(&format!("[approval]\n{table}\n{stage}"))
    };
    for (table, part) in [
        ("role = 'The Boss'", "line 2: role must be"),
        ("amount_above = 'much'", "amount_above must be"),
        ("amount_above = 'today'", "amount_above must be"),
        ("discount_above = 101", "discount_above"),
        ("anything = 1", "anything"),
    ] {
        let fault = read(table).err().unwrap_or_default();
        assert!(fault.contains(part), "{table}: {fault:?}");
    }
    let whole = "role = 'boss'\namount_above = '5 NOK'\nskipped_stages = true\ndiscount_above = 5";
    let approval = read(whole).unwrap().approval.unwrap();
    assert_eq!(
        (approval.role.as_str(), approval.discount_above),
        ("boss", Some(5))
    );
    assert!(
        Settings::read("").unwrap().approval.is_none(),
        "nobody is asked"
    );
}
