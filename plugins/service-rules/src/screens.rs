//! What people see of service levels: the panel beside a case, and the report of targets met by month.

use std::collections::BTreeMap;

use kjerne_sdk::{
    Card, CaseTarget, Context, Date, Failure, Fields, Figure, Instant, Record, ReportPage, cells,
    records,
};

/// Cases read for one page, after which the month under way is the page's last.
const MOST_READ: usize = 2_000;
/// Months when nobody says how many, and the most.
const MONTHS: (i32, i32) = (6, 60);

/// The card of a case with its targets; none when nothing was promised.
pub fn card(targets: &[CaseTarget]) -> Option<Card> {
    if targets.is_empty() {
        return None;
    }
    let card = Card::new("Service targets");
    Some(targets.iter().fold(card, |card, target| {
        let label = match target.name.as_str() {
            "first-response" => "First response",
            "resolution" => "Resolution",
            other => other,
        };
        let trend = match target.state.as_str() {
            "met" => "good",
            "missed" => "bad",
            _ if target.used_minutes * 5 >= target.allowed_minutes * 4 => "warning",
            _ => "",
        };
        let name = |what: &str| format!("{}-{what}", target.name);
        let due = target.due.map(Instant::from_millis);
        card.figure(Figure::new(&target.name, label, &target.state).trend(trend))
            .figure(Figure::new(name("due"), format!("{label} due"), due))
            .figure(
                Figure::new(name("used"), format!("{label}, used"), target.used_minutes)
                    .unit(format!("of {} minutes", target.allowed_minutes)),
            )
    }))
}

/// What came of the cases of one month and priority.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    cases: i64,
    first: Reached,
    resolution: Reached,
}

/// How many targets were met, missed, or are neither yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Reached {
    met: i64,
    missed: i64,
    running: i64,
}

impl Reached {
    /// Adds a target: what was noted of it, else whether it is overdue; one that was never promised is none.
    fn add(&mut self, noted: Option<bool>, due: Option<Instant>, now: Instant) {
        match (noted, due) {
            (Some(true), _) => self.met += 1,
            (Some(false), _) => self.missed += 1,
            (None, Some(due)) if due < now => self.missed += 1,
            (None, Some(_)) => self.running += 1,
            (None, None) => {}
        }
    }
}

/// The rows of a page: whole months, the latest first, until enough was read.
///
/// # Errors
/// `bad-argument`, or what the kernel says when a read fails.
pub fn targets(
    context: &Context,
    arguments: &Fields,
    after: Option<&str>,
) -> Result<ReportPage, Failure> {
    let (first, mut month) = span(context.now().date(), arguments, after)?;
    let queue = arguments.text("queue");
    let (mut page, mut read) = (ReportPage::new(), 0);
    while month >= first {
        if read >= MOST_READ {
            return Ok(page.next(format!("{first}/{month}")));
        }
        let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
        read += each(month, queue, |case| add(case, context.now(), &mut sums))?;
        for (priority, sum) in sums {
            page.add(cells![
                month.month(),
                (!priority.is_empty()).then_some(&priority),
                sum.cases,
                sum.first.met,
                sum.first.missed,
                sum.resolution.met,
                sum.resolution.missed,
                sum.first.running + sum.resolution.running
            ]);
        }
        month = month.plus_months(-1);
    }
    Ok(page)
}

/// The first days of the earliest month and of the one to go on with. The cursor of the page before names both,
/// since a month may begin between two pages.
fn span(today: Date, arguments: &Fields, after: Option<&str>) -> Result<(Date, Date), Failure> {
    let wrong = |message: String| Failure::new("bad-argument", message);
    let months = match arguments.integer("months").map(i32::try_from) {
        None => MONTHS.0,
        Some(Ok(months)) if (1..=MONTHS.1).contains(&months) => months,
        Some(_) => return Err(wrong(format!("months is a number from 1 to {}", MONTHS.1))),
    };
    let last = arguments.date("to").unwrap_or(today).month_start();
    let Some(after) = after else {
        return Ok((last.plus_months(1 - months), last));
    };
    let place = after.split_once('/');
    place
        .and_then(|(first, month)| Some((Date::parse(first)?, Date::parse(month)?)))
        .ok_or_else(|| wrong("This is no place in the report; begin anew.".to_owned()))
}

/// Shows every case that came in in a month, and tells how many there were.
fn each(month: Date, queue: Option<&str>, mut show: impl FnMut(&Record)) -> Result<usize, Failure> {
    let (from, to) = (
        Instant::at_midnight(month),
        Instant::at_midnight(month.plus_months(1)),
    );
    let (mut count, mut after) = (0, None);
    loop {
        let condition = format!("received_at ge {from} and received_at lt {to}");
        let mut query = records::query("case").filter(condition).limit(200);
        if let Some(queue) = queue {
            query = query.filter(format!("queue eq '{}'", queue.replace('\'', "''")));
        }
        if let Some(cursor) = after {
            query = query.after(cursor);
        }
        let page = query.run()?;
        count += page.records.len();
        page.records.iter().for_each(&mut show);
        after = page.next;
        if after.is_none() {
            return Ok(count);
        }
    }
}

fn add(case: &Record, now: Instant, sums: &mut BTreeMap<String, Sum>) {
    let fields = &case.fields;
    let priority = fields.text("priority").unwrap_or_default();
    let sum = sums.entry(priority.to_owned()).or_default();
    sum.cases += 1;
    let due = |name| fields.instant(name);
    sum.first.add(
        fields.flag("first_response_met"),
        due("first_response_due"),
        now,
    );
    sum.resolution
        .add(fields.flag("resolution_met"), due("resolution_due"), now);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_target_is_what_was_noted_of_it_or_what_the_clock_says() {
        let at = |day| Some(Instant::at_midnight(Date::from_days(day)));
        let now = at(10).unwrap();
        for (noted, due, expected) in [
            (Some(true), at(5), (1, 0, 0)),
            (Some(false), None, (0, 1, 0)),
            (None, at(9), (0, 1, 0)),
            (None, at(10), (0, 0, 1)),
            (None, None, (0, 0, 0)),
        ] {
            let mut reached = Reached::default();
            reached.add(noted, due, now);
            assert_eq!((reached.met, reached.missed, reached.running), expected);
        }
    }

    #[test]
    fn a_span_ends_with_the_month_under_way_and_a_cursor_keeps_it() {
        let date = |text| Date::parse(text).unwrap();
        let today = date("2026-11-21");
        let asked = Fields::new().with("months", 3_i64);
        let begun = span(today, &asked, None).unwrap();
        assert_eq!(begun, (date("2026-09-01"), date("2026-11-01")));
        let next = span(date("2026-12-02"), &asked, Some("2026-09-01/2026-10-01")).unwrap();
        assert_eq!(next, (date("2026-09-01"), date("2026-10-01")));
        for (months, after) in [(0, None), (61, None), (3, Some("x"))] {
            let asked = Fields::new().with("months", i64::from(months));
            assert_eq!(span(today, &asked, after).unwrap_err().code, "bad-argument");
        }
    }

    #[test]
    fn a_target_that_is_nearly_used_up_warns() {
        let target = |used, state: &str| CaseTarget {
            name: "resolution".into(),
            due: Some(0),
            used_minutes: used,
            allowed_minutes: 100,
            state: state.into(),
            more: Vec::new(),
        };
        for (used, state, trend) in [
            (79, "running", ""),
            (80, "running", "warning"),
            (80, "met", "good"),
            (5, "missed", "bad"),
        ] {
            let card = card(&[target(used, state)]).unwrap();
            assert_eq!(card.figures[0].trend, trend, "{used} {state}");
        }
        assert!(card(&[]).is_none());
    }
}
