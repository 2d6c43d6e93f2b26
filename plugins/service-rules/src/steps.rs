//! Escalation: a ladder of steps, each done at most once in a run of the clock.
//!
//! `escalation_level` on the case says how far up the ladder it is. A step is done when its time has
//! come, its target is not reached and its level is above the case's; steps below the level reached
//! are not made up for.

use crate::calendar::MINUTE;
use crate::case::Case;
use crate::clock::{Clock, Goal};
use crate::condition::{Condition, Facts};
use crate::duration::parse_minutes;
use crate::person::Person;

/// A step of the ladder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its name, which names what was done for ever.
    pub name: String,
    /// Its place on the ladder.
    pub level: i64,
    /// When it is done.
    pub when: When,
    /// For which cases.
    pub only: Condition,
    /// The priority it sets.
    pub priority: Option<String>,
    /// The queue it moves the case to.
    pub queue: Option<String>,
    /// The owner it gives the case.
    pub owner: Option<Person>,
    /// Who gets a task.
    pub notify: Vec<Person>,
}

/// The point in time at which a step is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct When {
    /// The target it is reckoned from.
    pub goal: Goal,
    /// Where on that target's clock.
    pub point: Point,
}

/// A point on a target's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    /// When so many percent of the promised time are used.
    Percent(i64),
    /// So many business minutes before it falls due.
    Before(i64),
    /// So many business minutes after it fell due.
    After(i64),
    /// So many minutes by the clock on the wall after it fell due.
    AfterByWall(i64),
}

impl When {
    /// Reads `80% of resolution`, `30m before first response`, `resolution overdue` or `first
    /// response overdue + 2h business`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "'{text}' is no time for a step; write '80% of resolution', '30m before first response', \
                 'first response overdue', 'resolution overdue + 2h business' or '… + 2h' (by the clock on the wall)"
            )
        };
        let goal = |name: &str| match name.trim() {
            "resolution" => Ok(Goal::Resolution),
            "first response" => Ok(Goal::FirstResponse),
            _ => Err(wrong()),
        };
        if let Some((percent, name)) = text.split_once("% of ") {
            let percent = percent
                .trim()
                .parse()
                .ok()
                .filter(|percent| (1..=1_000).contains(percent));
            return Ok(Self {
                goal: goal(name)?,
                point: Point::Percent(percent.ok_or_else(wrong)?),
            });
        }
        if let Some((length, name)) = text.split_once(" before ") {
            return Ok(Self {
                goal: goal(name)?,
                point: Point::Before(parse_minutes(length.trim())?),
            });
        }
        let (name, rest) = text.split_once(" overdue").ok_or_else(wrong)?;
        let goal = goal(name)?;
        let Some(length) = rest.trim().strip_prefix('+') else {
            return if rest.trim().is_empty() {
                Ok(Self {
                    goal,
                    point: Point::After(0),
                })
            } else {
                Err(wrong())
            };
        };
        let point = match length.trim().strip_suffix(" business") {
            Some(length) => Point::After(parse_minutes(length.trim())?),
            None => Point::AfterByWall(parse_minutes(length.trim())?),
        };
        Ok(Self { goal, point })
    }

    /// When that is for this case; none when the target is reached or was never set.
    fn at(self, case: &Case, clock: &Clock<'_>) -> Option<i64> {
        if self.goal.reached(case).is_some() {
            return None;
        }
        let due = self.goal.due(case)?;
        let hours = clock.hours;
        match self.point {
            Point::Percent(percent) => {
                let allowed = clock.allowed(self.goal)?;
                let rest = allowed / 100 * (100 - percent);
                if rest >= 0 {
                    hours.subtract(due, rest)
                } else {
                    hours.add(due, -rest)
                }
            }
            Point::Before(minutes) => hours.subtract(due, minutes * MINUTE),
            Point::After(minutes) => hours.add(due, minutes * MINUTE),
            Point::AfterByWall(minutes) => Some(due + minutes * MINUTE),
        }
    }
}

/// The next step of a case and when it is due; none while the clock stands or nothing is left.
pub fn next_step<'a>(
    steps: &'a [Step],
    case: &Case,
    facts: &Facts,
    clock: &Clock<'_>,
) -> Option<(i64, &'a Step)> {
    if case.is_finished() || case.paused_since.is_some() {
        return None;
    }
    let left = steps
        .iter()
        .filter(|step| step.level > case.level() && step.only.fits(facts));
    let timed = left.filter_map(|step| Some((step.when.at(case, clock)?, step)));
    timed.min_by_key(|(at, step)| (*at, step.level))
}

/// The level of the highest step whose time had come by `now`.
pub fn passed_level(
    steps: &[Step],
    case: &Case,
    facts: &Facts,
    clock: &Clock<'_>,
    now: i64,
) -> i64 {
    let mut passed = case.clone();
    while let Some((_, step)) = next_step(steps, &passed, facts, clock).filter(|(at, _)| *at <= now)
    {
        passed.escalation_level = Some(step.level);
    }
    passed.level()
}

/// Names a step done, so that it is done once: the case, the run of its clock, the step.
pub fn step_key(case_id: &str, case: &Case, step: &Step) -> String {
    format!("escalate/{case_id}/{}/{}", case.run(), step.name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn times_of_steps_are_read_as_written() {
        let rows = [
            ("80% of resolution", Goal::Resolution, Point::Percent(80)),
            (
                "120% of first response",
                Goal::FirstResponse,
                Point::Percent(120),
            ),
            (
                "30m before first response",
                Goal::FirstResponse,
                Point::Before(30),
            ),
            (
                "first response overdue",
                Goal::FirstResponse,
                Point::After(0),
            ),
            (
                "resolution overdue + 2h business",
                Goal::Resolution,
                Point::After(120),
            ),
            (
                "resolution overdue + 24h",
                Goal::Resolution,
                Point::AfterByWall(1_440),
            ),
        ];
        for (text, goal, point) in rows {
            assert_eq!(When::parse(text), Ok(When { goal, point }), "{text}");
        }
        for wrong in [
            "",
            "80%",
            "80% of triage",
            "x% of resolution",
            "0% of resolution",
            "resolution",
            "resolution overdue 2h",
            "resolution overdue + 2 days",
        ] {
            assert!(When::parse(wrong).is_err(), "{wrong}");
        }
    }
}
