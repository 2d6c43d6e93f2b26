//! Does the step of the ladder that is due: proposes the case's update and the tasks for those who
//! must know.

use kjerne_sdk::{Date, Effects, Failure, Fields, Instant, Record, RecordRef};

use crate::case::Case;
use crate::clock::{Clock, Goal};
use crate::condition::Facts;
use crate::fields::case_of;
use crate::person::Person;
use crate::rules::{Rules, current};
use crate::settings::Settings;
use crate::steps::{Step, next_step, step_key};
use crate::surroundings::Surroundings;

/// Does the next step of a case if it is due, or else only corrects when it will be.
pub fn escalate(
    settings: &Settings,
    around: &Surroundings,
    now: Instant,
    record: &Record,
    effects: &Effects,
) -> Result<(), Failure> {
    let rules = Rules {
        settings,
        zones: &around.zones,
    };
    let mut case = case_of(&record.fields);
    let facts = current(&around.facts(&record.fields, false), &case);
    let clock = rules.clock(&facts, &case);
    let next = clock
        .as_ref()
        .and_then(|clock| next_step(&settings.steps, &case, &facts, clock));
    let is_due = |next: &(i64, &Step)| next.0 <= now.millis();
    let Some((_, first)) = next.filter(is_due) else {
        let at = next.map(|(at, _)| Instant::from_millis(at));
        return effects.update(
            &record.reference(),
            Some(record.version),
            Fields::new().with_option("escalate_at", at),
        );
    };
    let mut told = record.fields.clone();
    let mut climb = Climb {
        rules,
        facts: &facts,
        around,
        case: &mut case,
        told: &mut told,
        fields: Fields::new(),
    };
    climb.take(first);
    let (mut step, mut passed) = (first, Vec::new());
    // A case that comes late has missed several steps: those that the next has overtaken do what they
    // do to the case, and tell nobody.
    while let Some((_, further)) = following(&rules, &facts, climb.case).filter(is_due) {
        passed.push(step.name.as_str());
        step = further;
        climb.take(step);
    }
    let fields = climb.fields;
    effects.key(step_key(&record.id, &case, step));
    let at = following(&rules, &facts, &case).map(|(at, _)| Instant::from_millis(at));
    effects.update(
        &record.reference(),
        Some(record.version),
        fields.with_option("escalate_at", at),
    )?;
    let today = clock
        .as_ref()
        .map_or(now.date().days(), |clock| clock.hours.day(now.millis()));
    let due = Date::from_days(today);
    for task in tasks(
        around,
        step,
        &passed,
        &case,
        &told,
        &record.reference(),
        due,
    ) {
        effects.create("task", task)?;
    }
    Ok(())
}

/// A case on its way up the ladder.
struct Climb<'a> {
    rules: Rules<'a>,
    facts: &'a Facts,
    around: &'a Surroundings,
    case: &'a mut Case,
    /// The record's fields as they will be, by which people are found.
    told: &'a mut Fields,
    /// What is set.
    fields: Fields,
}

impl Climb<'_> {
    /// Does to the case what a step does.
    fn take(&mut self, step: &Step) {
        let before = self.case.clone();
        self.fields.set("escalation_level", Some(step.level));
        self.case.escalation_level = Some(step.level);
        if let Some(priority) = raised(self.rules.settings, self.case, step) {
            self.fields.set("priority", Some(priority));
            self.case.priority = Some(priority.to_owned());
        }
        if let Some(queue) = &step.queue {
            self.fields.set("queue", Some(queue));
            self.case.queue = Some(queue.clone());
        }
        self.rules.keep_promise(self.facts, &before, self.case);
        let owner = step.owner.as_ref();
        if let Some(owner) = owner.and_then(|person| self.around.find(person, self.told)) {
            self.fields.set("owner", Some(&owner));
            self.told.set("owner", Some(owner));
        }
    }
}

/// The step after the one reached and when it is due, in the state that leaves the case in.
fn following<'a>(rules: &Rules<'a>, facts: &Facts, case: &Case) -> Option<(i64, &'a Step)> {
    let facts = current(facts, case);
    let clock: Clock<'_> = rules.clock(&facts, case)?;
    next_step(&rules.settings.steps, case, &facts, &clock)
}

/// The priority a step sets. A step raises a priority and never lowers it; where the settings do not
/// order the priorities, the step's word counts.
fn raised<'a>(settings: &Settings, case: &Case, step: &'a Step) -> Option<&'a str> {
    let place = |name: &str| settings.priorities.iter().position(|known| known == name);
    let wanted = step.priority.as_deref()?;
    match (place(wanted), case.priority.as_deref().and_then(place)) {
        (Some(wanted_place), Some(place)) if wanted_place >= place => None,
        _ => Some(wanted),
    }
}

/// One task for each person or queue told; nobody gets two for one step. When none of them can be
/// found, the queue is told, so that no step passes unnoticed.
fn tasks(
    around: &Surroundings,
    step: &Step,
    passed: &[&str],
    case: &Case,
    fields: &Fields,
    reference: &RecordRef,
    due: Date,
) -> Vec<Fields> {
    let mut owners: Vec<Option<RecordRef>> = Vec::new();
    for person in &step.notify {
        let owner = around.find(person, fields);
        if (owner.is_some() || *person == Person::Queue) && !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    if owners.is_empty() && !step.notify.is_empty() {
        owners.push(None);
    }
    let subject = format!(
        "{}: {}",
        what_happened(step),
        fields.text("subject").unwrap_or("a case")
    );
    // A task takes the same priorities by name; another name is the case's own.
    let known = ["low", "normal", "high", "urgent"];
    let priority = case
        .priority
        .as_deref()
        .filter(|name| known.contains(name))
        .unwrap_or("high");
    let mut description = format!("Escalation step '{}', level {}.", step.name, step.level);
    if !passed.is_empty() {
        description.push_str(" Overtaken by it and passed over: ");
        description.push_str(&passed.join(", "));
        description.push('.');
    }
    let task = |owner: Option<RecordRef>| {
        Fields::new()
            .with("subject", cut(&subject))
            .with("status", "open")
            .with("due", due)
            .with("priority", priority)
            .with("about", reference)
            .with_option("queue", case.queue.as_ref())
            .with_option("owner", owner)
            .with("description", &description)
    };
    owners.into_iter().map(task).collect()
}

fn what_happened(step: &Step) -> &'static str {
    use crate::steps::Point;
    let ahead = matches!(step.when.point, Point::Percent(..100) | Point::Before(_));
    match (step.when.goal, ahead) {
        (Goal::FirstResponse, true) => "First response soon due",
        (Goal::FirstResponse, false) => "First response overdue",
        (Goal::Resolution, true) => "Resolution soon due",
        (Goal::Resolution, false) => "Resolution overdue",
    }
}

/// A task's subject takes 1,024 bytes.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(1_000);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
