//! The two targets of a case: when they fall due, what a pause does to them, how they stand.

use crate::calendar::{Hours, MINUTE};
use crate::case::Case;
use crate::pauses::Pauses;
use crate::target::TargetRow;

/// Which target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goal {
    /// The first answer to the customer.
    FirstResponse,
    /// The case resolved.
    Resolution,
}

impl Goal {
    /// The target's name in the contract.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstResponse => "first-response",
            Self::Resolution => "resolution",
        }
    }

    /// When it falls due, if it does.
    pub fn due(self, case: &Case) -> Option<i64> {
        match self {
            Self::FirstResponse => case.first_response_due,
            Self::Resolution => case.resolution_due,
        }
    }

    /// When it was reached, if it was.
    pub fn reached(self, case: &Case) -> Option<i64> {
        match self {
            Self::FirstResponse => case.first_response_at,
            Self::Resolution => case
                .resolved_at
                .or(case.closed_at)
                .filter(|_| case.is_finished()),
        }
    }
}

/// The row of the target table that holds for a case, and the hours it is counted in.
#[derive(Clone, Copy, Debug)]
pub struct Clock<'a> {
    /// What was promised.
    pub row: &'a TargetRow,
    /// Along what it is counted.
    pub hours: Hours<'a>,
}

impl Clock<'_> {
    /// The business time promised for a target.
    pub fn allowed(&self, goal: Goal) -> Option<i64> {
        let minutes = match goal {
            Goal::FirstResponse => self.row.first_response,
            Goal::Resolution => self.row.resolution,
        };
        minutes.map(|minutes| minutes * MINUTE)
    }

    /// When a target falls due for a clock that began at `start` and stood for `paused` minutes.
    pub fn due_from(&self, goal: Goal, start: i64, paused: i64) -> Option<i64> {
        self.hours.add(start, self.allowed(goal)? + paused * MINUTE)
    }

    /// When the clock began, reckoned back from when it ends; works for a reopened case, too.
    pub fn start(&self, case: &Case) -> Option<i64> {
        let used = self.allowed(Goal::Resolution)? + case.paused_minutes.unwrap_or(0) * MINUTE;
        self.hours.subtract(case.resolution_due?, used)
    }

    /// Ends a pause that lasted until `until`: the targets not yet reached move by its business
    /// minutes, and so many are added to the minutes paused.
    pub fn resume(&self, case: &mut Case, since: i64, until: i64) {
        let paused = self.hours.minutes(since, until);
        let mut pauses = Pauses::of(case);
        pauses.add(since, until, &self.hours);
        case.paused_since = None;
        case.pauses = pauses.written();
        case.paused_minutes = Some(case.paused_minutes.unwrap_or(0) + paused);
        let moved = |due: Option<i64>| due.and_then(|due| self.hours.add(due, paused * MINUTE));
        if case.first_response_at.is_none_or(|at| at > since) {
            case.first_response_due = moved(case.first_response_due);
        }
        case.resolution_due = moved(case.resolution_due);
    }

    /// Whether a target was reached in time; none until it is reached. A pause under way counts.
    pub fn judge(&self, goal: Goal, case: &Case) -> Option<bool> {
        let (at, mut due) = (goal.reached(case)?, goal.due(case)?);
        if let Some(since) = case.paused_since {
            due = self.hours.add(due, self.hours.between(since, at))?;
        }
        Some(at <= due)
    }

    /// How a target stands at `now`; none when nothing was promised, or when the case is finished and
    /// nobody noted when the target was reached.
    pub fn standing(&self, goal: Goal, case: &Case, now: i64) -> Option<Standing> {
        let (due, allowed) = (goal.due(case)?, self.allowed(goal)?);
        let reached = goal.reached(case);
        if reached.is_none() && case.is_finished() {
            return None;
        }
        let counted_to = reached.or(case.paused_since).unwrap_or(now);
        let used = if counted_to <= due {
            allowed - self.hours.between(counted_to, due)
        } else {
            allowed + self.hours.between(due, counted_to)
        };
        let late = counted_to > due;
        let paused = reached.is_none() && case.paused_since.is_some();
        let state = match (late, reached, paused) {
            (true, ..) => "missed",
            (false, Some(_), _) => "met",
            (false, None, true) => "paused",
            (false, None, false) => "running",
        };
        Some(Standing {
            due: Some(due).filter(|_| !paused),
            used_minutes: used.max(0) / MINUTE,
            allowed_minutes: allowed / MINUTE,
            state,
        })
    }
}

/// How a target stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// When it falls due; none while the clock stands.
    pub due: Option<i64>,
    /// Business minutes used.
    pub used_minutes: i64,
    /// Business minutes promised.
    pub allowed_minutes: i64,
    /// `running`, `paused`, `met` or `missed`.
    pub state: &'static str,
}
