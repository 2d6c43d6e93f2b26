//! What plugins do not watch makes no difference to a commit: the built-in plugins, which say what they
//! watch, shape and judge like ones that are shown every change of the kinds in their manifests, with all its
//! fields. (Reactions go by the clock as well: one that is asked more often may find more.)

use std::collections::BTreeMap;

use kjerne_core::{Outcome, Role};
use kjerne_host::Installed;
use kjerne_model::{
    Actor, Change, Commit, Field, FieldType, Kind, Name, Patch, RecordId, Target, Value,
    parse_value,
};

use crate::stage::{Stage, at, built, installed, record};

const PLUGINS: [&str; 3] = ["sales-stages", "buying-process", "service-rules"];
const KINDS: [&str; 8] = [
    "account",
    "contact",
    "opportunity",
    "stakeholder",
    "buying_job",
    "activity",
    "quote",
    "case",
];

fn plugins() -> Vec<Installed> {
    let places = (1..).zip(PLUGINS);
    places
        .map(|(place, id)| installed(&built(id), "", place))
        .collect()
}

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        ((mixed ^ (mixed >> 27)) >> 8) as usize % end
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// The records there are, by kind.
type Records = BTreeMap<String, Vec<RecordId>>;

/// Words the settings of the plugins know, where a field takes any.
fn words(field: &str) -> &'static [&'static str] {
    match field {
        "pipeline" => &["standard", "renewal", "unheard_of"],
        "stage" => &["prospect", "qualify", "propose", "won", "lost", "offered"],
        "lost_reason" => &["price", "no_decision", "whim"],
        "role" => &["user", "decision_maker", "buyer", "passer_by"],
        "job" => &[
            "problem_identification",
            "solution_exploration",
            "supplier_selection",
        ],
        "priority" => &["high", "normal", "low", "urgent"],
        "queue" => &["support", "first_line", "nobody"],
        "pauses" => &["", "2026-01-02T09:00:00Z/2026-01-02T10:00:00Z"],
        _ => &["Some text", "Another", "Third"],
    }
}

fn value(numbers: &mut Numbers, records: &Records, field: &Field) -> Option<Value> {
    let texts: Vec<&str> = match &field.field_type {
        FieldType::Choice(choices) if !choices.is_empty() => {
            choices.iter().map(|choice| choice.value.as_str()).collect()
        }
        FieldType::Text { .. } | FieldType::Choice(_) | FieldType::Choices(_) => {
            words(&field.name).to_vec()
        }
        FieldType::Integer => vec!["0", "3", "40", "101"],
        FieldType::Decimal => vec!["1.5", "20"],
        FieldType::Money => vec!["100.00 NOK", "2500000.00 NOK"],
        FieldType::Date => vec!["2025-12-24", "2026-02-01"],
        FieldType::Instant => vec!["2025-12-24T08:00:00Z", "2026-01-02T12:00:00Z"],
        FieldType::Flag => vec!["true", "false"],
        FieldType::Reference(kinds) => {
            let kind = numbers.one_of(kinds);
            let known = records.get(kind.as_str()).filter(|ids| !ids.is_empty())?;
            let id = *numbers.one_of(known);
            return Some(Value::Reference(kjerne_model::Reference::new(
                kind.clone(),
                id,
            )));
        }
        _ => return None,
    };
    let text: &&str = numbers.one_of(&texts);
    parse_value(&field.field_type, text).ok()
}

fn patch(numbers: &mut Numbers, records: &Records, kind: &Kind, whole: bool) -> Patch {
    let mut patch = Patch::new();
    for field in &kind.fields {
        let wanted = (field.required && whole) || numbers.below(5) == 0;
        if !wanted {
            continue;
        }
        let value = value(numbers, records, field);
        let is_cleared = !whole && numbers.below(4) == 0;
        if value.is_some() || is_cleared {
            patch.insert(field.name.clone(), value.filter(|_| !is_cleared));
        }
    }
    patch
}

fn change(numbers: &mut Numbers, records: &mut Records, stage: &Stage, next: &mut u64) -> Change {
    let name = *numbers.one_of(&KINDS);
    let kind = stage.kernel.schema().kind(name).unwrap().clone();
    let known = records.entry(name.to_owned()).or_default().clone();
    if known.is_empty() || numbers.below(5) < 2 {
        *next += 1;
        let fields = patch(numbers, records, &kind, true);
        let fields = fields
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let id = record(*next);
        records.entry(name.to_owned()).or_default().push(id);
        return Change::Create {
            kind: Name::new(name).unwrap(),
            id: Some(id),
            fields: fields.collect(),
        };
    }
    let target = Target {
        kind: Name::new(name).unwrap(),
        id: *numbers.one_of(&known),
        expected: None,
    };
    if numbers.below(12) == 0 {
        return Change::Delete { target };
    }
    let patch = patch(numbers, records, &kind, false);
    Change::Update { target, patch }
}

/// What came of a commit, without who was asked and what that cost.
fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted(receipt) => format!("{:?} {:?}", receipt.edits, receipt.advice),
        Outcome::Waiting(waiting) => format!("{:?}", waiting.asked),
        Outcome::Refused(refusals) => format!("{refusals:?}"),
    }
}

#[test]
fn what_plugins_do_not_watch_makes_no_difference() {
    let (narrow, wide) = (Stage::new(plugins()), Stage::new(Vec::new()));
    let all_seeing = wide.host.load(plugins()).unwrap().shown_all_declared();
    wide.host.put_in_use(all_seeing);
    let (mut accepted, mut refused) = (0, 0);
    let (mut numbers, mut records, mut next) = (Numbers(1), Records::new(), 0);
    for turn in 0..1_000 {
        let before = records.clone();
        let count = 1 + numbers.below(3);
        let changes: Vec<Change> = (0..count)
            .map(|_| change(&mut numbers, &mut records, &narrow, &mut next))
            .collect();
        let commit = Commit {
            changes,
            actor: Actor::User("test".to_owned()),
            key: None,
            at: at(turn * 3_600),
            cause: None,
        };
        let one = narrow.kernel.commit(commit.clone()).unwrap();
        let other = wide.kernel.commit(commit.clone()).unwrap();
        assert_eq!(told(&one), told(&other), "{commit:?}");
        match one {
            Outcome::Accepted(_) => accepted += 1,
            Outcome::Waiting(_) | Outcome::Refused(_) => {
                refused += 1;
                records = before;
            }
        }
        for (kind, ids) in &records {
            for id in ids.iter().rev().take(40) {
                let held =
                    |stage: &Stage| stage.kernel.get(kind, *id).unwrap().map(|one| one.fields);
                assert_eq!(held(&narrow), held(&wide), "{kind}/{id} after {commit:?}");
            }
        }
    }
    assert!(
        accepted > 100 && refused > 100,
        "{accepted} accepted, {refused} refused"
    );
    let calls = |stage: &Stage| {
        let used = stage.used();
        let of = |role| used.iter().filter(|one| one.role == role).count();
        [of(Role::Shape), of(Role::Guard)]
    };
    let (few, many) = (calls(&narrow), calls(&wide));
    assert!(few[0] < many[0] && few[1] < many[1], "{few:?} of {many:?}");
    println!("{accepted} accepted, {refused} refused; shapes and guards: {few:?} of {many:?}");
}
