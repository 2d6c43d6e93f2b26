//! From the TOML document to [`Settings`]; every fault is told with its line.

use std::collections::BTreeMap;

use kjerne_sdk::settings::{Node, Settings as Document, Table};
use kjerne_sdk::{Date, known};

use crate::calendar::{Calendar, Span};
use crate::case::STATUSES;
use crate::clock::Goal;
use crate::condition::Condition;
use crate::duration::parse_minutes;
use crate::person::Person;
use crate::settings::{ReopenTargets, Settings, TriageRow, Verdict};
use crate::steps::{Point, Step, When};
use crate::target::TargetRow;

impl Settings {
    /// Reads and checks them. The error is a sentence that says where and what.
    pub fn load() -> Result<Self, String> {
        Self::of(&kjerne_sdk::settings::load())
    }

    #[cfg(test)]
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::of(&kjerne_sdk::testing::settings(text)?)
    }

    fn of(document: &Document) -> Result<Self, String> {
        let settings = read_settings(document.top())?;
        check_names(document.top(), &settings)?;
        check_lengths(document.top(), &settings)?;
        Ok(settings)
    }
}

/// Whether names that must be known are; the error says which is not, and where.
fn check_names(top: Table<'_>, settings: &Settings) -> Result<(), String> {
    let one_of = |at: Node<'_>, what: &str, name: Option<&String>, names: &[String]| match name {
        Some(name) if !names.is_empty() && !names.contains(name) => Err(at.wrong(format!(
            "{what} names '{name}', which is not among {}",
            names.join(", ")
        ))),
        _ => Ok(()),
    };
    let verdict = |at, what: &str, verdict: &Verdict| {
        one_of(at, what, verdict.priority.as_ref(), &settings.priorities)?;
        one_of(at, what, verdict.queue.as_ref(), &settings.queues)
    };
    for (at, row) in top.items("triage")?.into_iter().zip(&settings.triage) {
        verdict(at, &format!("triage rule '{}'", row.rule), &row.verdict)?;
    }
    if let Some(at) = top.get("triage_default") {
        verdict(at, "triage_default", &settings.triage_default)?;
    }
    for (at, step) in top.items("escalation")?.into_iter().zip(&settings.steps) {
        let what = format!("escalation step '{}'", step.name);
        one_of(at, &what, step.priority.as_ref(), &settings.priorities)?;
        one_of(at, &what, step.queue.as_ref(), &settings.queues)?;
    }
    let statuses = STATUSES.map(str::to_owned);
    if let Some(moves) = top.get("moves") {
        for (from, at) in moves.table()?.entries() {
            for name in at.texts()?.iter().chain([&from.to_owned()]) {
                one_of(at, "moves", Some(name), &statuses)?;
            }
        }
    }
    let calendars: Vec<&str> = settings.calendars.keys().map(String::as_str).collect();
    for (at, row) in top.items("target")?.into_iter().zip(&settings.targets) {
        if !calendars.contains(&row.calendar.as_str()) {
            return Err(at.wrong(format!(
                "a target names the calendar '{}', which is not among the calendars: {}",
                row.calendar,
                calendars.join(", ")
            )));
        }
    }
    Ok(())
}

/// Whether every target, and every step after one, falls on a day the calendar can be reckoned to.
fn check_lengths(top: Table<'_>, settings: &Settings) -> Result<(), String> {
    for (at, row) in top.items("target")?.into_iter().zip(&settings.targets) {
        let Some(calendar) = settings.calendars.get(&row.calendar) else {
            continue;
        };
        let goals = [
            (Goal::FirstResponse, row.first_response),
            (Goal::Resolution, row.resolution),
        ];
        for (goal, minutes) in goals {
            let Some(minutes) = minutes else { continue };
            let steps = settings.steps.iter().filter(|step| step.when.goal == goal);
            let until = steps.map(|step| match step.when.point {
                Point::Percent(percent) => minutes * percent / 100,
                Point::After(more) => minutes + more,
                Point::Before(_) | Point::AfterByWall(_) => minutes,
            });
            let longest = until.fold(minutes, i64::max);
            if let Some(wrong) = calendar.wrong_length(longest) {
                let name = goal.name();
                return Err(at.wrong(format!("{name}, with the steps behind it: {wrong}")));
            }
        }
    }
    Ok(())
}

/// A name that is given to something: such as a case can hold.
fn name(node: Node<'_>, text: &str) -> Result<String, String> {
    match known::wrong_name(text) {
        Some(wrong) => Err(node.wrong(wrong)),
        None => Ok(text.to_owned()),
    }
}

/// The name under a key, if there is one.
fn named(table: Table<'_>, key: &str) -> Result<Option<String>, String> {
    let node = table.get(key);
    node.map(|node| name(node, node.text()?)).transpose()
}

/// A list of names.
fn names(table: Table<'_>, key: &str) -> Result<Vec<String>, String> {
    let Some(node) = table.get(key) else {
        return Ok(Vec::new());
    };
    node.texts()?.iter().map(|text| name(node, text)).collect()
}

/// Reads the whole document.
fn read_settings(top: Table<'_>) -> Result<Settings, String> {
    let top = top.only(&[
        "priorities",
        "queues",
        "required_to_resolve",
        "resolution_is_response",
        "import_actors",
        "escalate_imported",
        "default_calendar",
        "reopen",
        "moves",
        "triage",
        "triage_default",
        "target",
        "escalation",
        "calendars",
    ])?;
    let (reopen_days, reopen_targets) = read_reopen(top)?;
    let default_calendar = top.text("default_calendar")?;
    let import_actors = match top.get("import_actors") {
        Some(actors) => {
            let named = actors.texts()?;
            match named.iter().find_map(|one| known::wrong_actor(one)) {
                Some(wrong) => return Err(actors.wrong(wrong)),
                None => named,
            }
        }
        None => vec!["system:import".to_owned(), "system:demo".to_owned()],
    };
    Ok(Settings {
        priorities: names(top, "priorities")?,
        queues: names(top, "queues")?,
        required_to_resolve: top.texts("required_to_resolve")?,
        resolution_is_response: top.flag("resolution_is_response", true)?,
        import_actors,
        escalate_imported: top.flag("escalate_imported", false)?,
        reopen_days,
        reopen_targets,
        moves: read_moves(top)?,
        triage: top
            .items("triage")?
            .into_iter()
            .map(read_triage)
            .collect::<Result<_, _>>()?,
        triage_default: read_default(top)?,
        targets: top
            .items("target")?
            .into_iter()
            .map(|row| read_target(row, default_calendar))
            .collect::<Result<_, _>>()?,
        steps: read_steps(top)?,
        calendars: read_calendars(top)?,
    })
}

fn read_reopen(top: Table<'_>) -> Result<(i64, ReopenTargets), String> {
    let Some(node) = top.get("reopen") else {
        return Ok((14, ReopenTargets::Restart));
    };
    let table = node.table()?.only(&["days", "targets"])?;
    let targets = match table.text("targets")? {
        None | Some("restart") => ReopenTargets::Restart,
        Some("continue") => ReopenTargets::Continue,
        Some(other) => {
            return Err(node.wrong(format!("targets is 'restart' or 'continue', not '{other}'")));
        }
    };
    let days = table.integer("days")?.unwrap_or(14);
    if !(0..=3_650).contains(&days) {
        return Err(node.wrong("days lies between 0 and 3650"));
    }
    Ok((days, targets))
}

fn read_moves(top: Table<'_>) -> Result<BTreeMap<String, Vec<String>>, String> {
    let Some(node) = top.get("moves") else {
        return Ok(BTreeMap::new());
    };
    node.table()?
        .entries()
        .map(|(from, to)| Ok((from.to_owned(), to.texts()?)))
        .collect()
}

fn read_condition(table: Table<'_>, key: &str) -> Result<Condition, String> {
    let Some(node) = table.get(key) else {
        return Ok(Condition::default());
    };
    let wanted = node
        .table()?
        .entries()
        .map(|(name, values)| Ok((name.to_owned(), values.texts()?)));
    Condition::new(wanted.collect::<Result<_, String>>()?).map_err(|error| node.wrong(error))
}

fn read_verdict(table: Table<'_>) -> Result<Verdict, String> {
    Ok(Verdict {
        priority: named(table, "priority")?,
        queue: named(table, "queue")?,
        owner: read_person(
            table,
            "owner",
            &[Person::Owner, Person::Queue, Person::Manager],
        )?,
    })
}

fn read_triage(row: Node<'_>) -> Result<TriageRow, String> {
    let table = row
        .table()?
        .only(&["rule", "when", "unless", "priority", "queue", "owner"])?;
    Ok(TriageRow {
        rule: name(row, table.required("rule")?)?,
        when: read_condition(table, "when")?,
        unless: read_condition(table, "unless")?,
        verdict: read_verdict(table)?,
    })
}

fn read_default(top: Table<'_>) -> Result<Verdict, String> {
    let Some(node) = top.get("triage_default") else {
        return Ok(Verdict::default());
    };
    read_verdict(node.table()?.only(&["priority", "queue", "owner"])?)
}

fn read_target(row: Node<'_>, default_calendar: Option<&str>) -> Result<TargetRow, String> {
    let table = row
        .table()?
        .only(&["when", "calendar", "first_response", "resolution"])?;
    let minutes = |key: &str| {
        let text = table.text(key)?;
        text.map(|text| parse_minutes(text).map_err(|error| row.wrong(error)))
            .transpose()
    };
    let calendar = table.text("calendar")?.or(default_calendar);
    let calendar = calendar.ok_or_else(|| {
        row.wrong("this target has no calendar; name one here or set default_calendar")
    })?;
    Ok(TargetRow {
        when: read_condition(table, "when")?,
        calendar: calendar.to_owned(),
        first_response: minutes("first_response")?,
        resolution: minutes("resolution")?,
    })
}

fn read_steps(top: Table<'_>) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    for row in top.items("escalation")? {
        let below = steps.last().map_or(0, |step| step.level);
        let step = read_step(row, below)?;
        if steps.iter().any(|other| other.name == step.name) {
            return Err(row.wrong(format!(
                "there is a step '{}' already; a step is done once by its name",
                step.name
            )));
        }
        steps.push(step);
    }
    Ok(steps)
}

fn read_step(row: Node<'_>, below: i64) -> Result<Step, String> {
    let table = row
        .table()?
        .only(&["step", "when", "only", "level", "do"])?;
    let level = table.integer("level")?.unwrap_or(below + 1);
    if level <= below {
        return Err(row.wrong(format!(
            "the step's level {level} must be above {below}, the one before"
        )));
    }
    let nothing = || row.wrong("the step does nothing; give it do = { … }");
    let deeds = table.get("do").ok_or_else(nothing)?;
    let deeds = deeds
        .table()?
        .only(&["priority", "queue", "owner", "notify"])?;
    if deeds.entries().next().is_none() {
        return Err(nothing());
    }
    let notify = match deeds.get("notify") {
        None => Vec::new(),
        Some(node) => {
            let people = node.texts()?;
            if people.is_empty() {
                return Err(node.wrong("notify names nobody; name somebody, or leave it out"));
            }
            let people = people.iter().map(|name| person(name, node));
            people.collect::<Result<_, _>>()?
        }
    };
    Ok(Step {
        name: name(row, table.required("step")?)?,
        level,
        when: When::parse(table.required("when")?).map_err(|error| row.wrong(error))?,
        only: read_condition(table, "only")?,
        priority: named(deeds, "priority")?,
        queue: named(deeds, "queue")?,
        owner: read_person(deeds, "owner", &[Person::Owner, Person::Queue])?,
        notify,
    })
}

/// The person under a key, unless it is one who makes no sense there.
fn read_person(
    table: Table<'_>,
    key: &str,
    senseless: &[Person],
) -> Result<Option<Person>, String> {
    let Some(node) = table.get(key) else {
        return Ok(None);
    };
    let found = person(node.text()?, node)?;
    if senseless.contains(&found) {
        return Err(node.wrong(format!(
            "'{}' cannot be the {key} here; write an e-mail address, account-owner or user/ID",
            node.text()?
        )));
    }
    Ok(Some(found))
}

fn person(text: &str, node: Node<'_>) -> Result<Person, String> {
    Ok(match text {
        "owner" => Person::Owner,
        "manager" => Person::Manager,
        "account-owner" => Person::AccountOwner,
        "queue" => Person::Queue,
        _ => match text.strip_prefix("user/") {
            Some(id) if is_id(id) => Person::User(id.to_owned()),
            Some(id) => {
                return Err(node.wrong(format!(
                    "'{id}' is no id of a user; write user/ and the 36 signs of one, or an e-mail address"
                )));
            }
            None if text.contains('@') => Person::Email(text.to_owned()),
            None => return Err(node.wrong(format!(
                "'{text}' is nobody; write owner, manager, account-owner, queue, an e-mail address or user/ID"
            ))),
        },
    })
}

/// Whether a text is a record's id: hexadecimal digits in groups of 8, 4, 4, 4 and 12.
fn is_id(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let digits = |group: &&str| group.bytes().all(|byte| byte.is_ascii_hexdigit());
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(digits)
}

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

fn read_calendars(top: Table<'_>) -> Result<BTreeMap<String, Calendar>, String> {
    let Some(node) = top.get("calendars") else {
        return Ok(BTreeMap::new());
    };
    node.table()?
        .entries()
        .map(|(name, node)| Ok((name.to_owned(), read_calendar(node)?)))
        .collect()
}

fn read_calendar(node: Node<'_>) -> Result<Calendar, String> {
    let table =
        node.table()?
            .only(&["time_zone", "always", "hours", "holidays", "special_days"])?;
    let always = table.flag("always", false)?;
    let mut calendar = Calendar {
        always,
        ..Calendar::default()
    };
    calendar.zone = match table.text("time_zone")? {
        Some(zone) => zone.to_owned(),
        None if always => "UTC".to_owned(),
        None => return Err(node.wrong("time_zone is missing, such as Europe/Oslo")),
    };
    if let Some(hours) = table.get("hours") {
        read_hours(hours, &mut calendar.week)?;
    }
    if !always && calendar.week.iter().all(Vec::is_empty) {
        return Err(node.wrong("the calendar is never open; give it hours or set always = true"));
    }
    let ranges = table
        .items("holidays")?
        .into_iter()
        .map(|day| read_range(day.text()?).map_err(|error| day.wrong(error)));
    calendar.closed = merged(ranges.collect::<Result<_, _>>()?);
    if let Some(special) = table.get("special_days") {
        for (day, spans) in special.table()?.entries() {
            let read = read_spans(&spans.texts()?).map_err(|error| spans.wrong(error))?;
            let date = read_day(day).map_err(|error| spans.wrong(error))?;
            if calendar.special.insert(date, read).is_some() {
                return Err(spans.wrong(format!("the special day {} is named twice", day.trim())));
            }
        }
    }
    check_calendar(node, table, &calendar)?;
    Ok(calendar)
}

/// Whether a calendar says one thing, and opens again.
fn check_calendar(node: Node<'_>, table: Table<'_>, calendar: &Calendar) -> Result<(), String> {
    let hours = ["hours", "holidays", "special_days"];
    let beside = hours.into_iter().find(|key| table.get(key).is_some());
    if let Some(key) = beside.filter(|_| calendar.always) {
        return Err(node.wrong(format!(
            "always is open day and night, and {key} would not count; leave one of them out"
        )));
    }
    calendar.long_closed().map_or(Ok(()), |day| {
        Err(node.wrong(format!(
            "the calendar is closed for more than a year from {day} on; nothing could fall due"
        )))
    })
}

/// `{ monday-thursday = ["08:00-16:00"], friday = ["08:00-12:00"] }`. A day named twice has one of two
/// hours, and nobody could say which.
fn read_hours(hours: Node<'_>, week: &mut [Vec<Span>; 7]) -> Result<(), String> {
    let mut named = [None; 7];
    for (days, spans) in hours.table()?.entries() {
        let read = read_spans(&spans.texts()?).map_err(|error| spans.wrong(error))?;
        for day in read_weekdays(days).map_err(|error| spans.wrong(error))? {
            if let Some(before) = named[day].replace(days) {
                return Err(spans.wrong(format!(
                    "{} is named twice, by '{before}' and by '{days}'",
                    WEEKDAYS[day]
                )));
            }
            week[day].clone_from(&read);
        }
    }
    Ok(())
}

/// `friday` or `monday-thursday`.
fn read_weekdays(text: &str) -> Result<std::ops::RangeInclusive<usize>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let place = |day: &str| WEEKDAYS.iter().position(|name| *name == day);
    match (place(first), place(last)) {
        (Some(first), Some(last)) if first <= last => Ok(first..=last),
        _ => Err(format!(
            "'{text}' is no weekday or range of weekdays such as monday-friday"
        )),
    }
}

/// `["08:00-12:00", "13:00-16:00"]`.
fn read_spans(texts: &[String]) -> Result<Vec<Span>, String> {
    let mut spans: Vec<Span> = Vec::with_capacity(texts.len());
    for text in texts {
        let read = text
            .split_once('-')
            .and_then(|(from, to)| Some((read_minute(from)?, read_minute(to)?)));
        let Some((from, to)) = read.filter(|(from, to)| from < to) else {
            return Err(format!(
                "'{text}' are no opening hours; write 08:00-16:00, and hours over midnight as two spans"
            ));
        };
        if spans.last().is_some_and(|(_, before)| from < *before) {
            return Err(format!(
                "the hours {} overlap or are out of order",
                texts.join(", ")
            ));
        }
        spans.push((from, to));
    }
    Ok(spans)
}

/// `24:00` is the end of the day.
fn read_minute(text: &str) -> Option<i32> {
    let (hour, minute) = text.trim().split_once(':')?;
    let (hour, minute): (i32, i32) = (hour.parse().ok()?, minute.parse().ok()?);
    let valid = (0..24).contains(&hour) && (0..60).contains(&minute);
    (valid || (hour, minute) == (24, 0)).then_some(hour * 60 + minute)
}

fn read_day(text: &str) -> Result<i32, String> {
    let date = Date::parse(text.trim());
    date.map(Date::days)
        .ok_or_else(|| format!("'{text}' is not a date such as 2026-05-17"))
}

/// `2026-05-17` or `2026-12-24..2027-01-01`.
fn read_range(text: &str) -> Result<(i32, i32), String> {
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let range = (read_day(first)?, read_day(last)?);
    if range.0 > range.1 {
        return Err(format!("the holidays '{text}' end before they begin"));
    }
    Ok(range)
}

fn merged(mut ranges: Vec<(i32, i32)>) -> Vec<(i32, i32)> {
    ranges.sort_unstable();
    let mut merged: Vec<(i32, i32)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(before) if first <= before.1 => before.1 = before.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}
