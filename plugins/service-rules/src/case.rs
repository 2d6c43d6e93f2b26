//! A case as far as the rules know it.

/// The states a case can be in.
pub const STATUSES: [&str; 6] = [
    "new",
    "open",
    "waiting_customer",
    "waiting_internal",
    "resolved",
    "closed",
];

/// A case's fields. Points in time are milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Case {
    pub status: String,
    pub tier: Option<String>,
    pub priority: Option<String>,
    pub queue: Option<String>,
    /// The record id of the user who owns it.
    pub owner: Option<String>,
    pub triage_rule: Option<String>,
    pub received_at: Option<i64>,
    pub first_response_at: Option<i64>,
    pub resolved_at: Option<i64>,
    pub closed_at: Option<i64>,
    pub first_response_due: Option<i64>,
    pub resolution_due: Option<i64>,
    pub first_response_met: Option<bool>,
    pub resolution_met: Option<bool>,
    pub paused_since: Option<i64>,
    pub paused_minutes: Option<i64>,
    /// When the clock stood, see [`Pauses`](crate::pauses::Pauses).
    pub pauses: Option<String>,
    pub escalation_level: Option<i64>,
    pub escalate_at: Option<i64>,
    pub reopened_times: Option<i64>,
}

impl Case {
    /// Whether somebody still has to do something.
    pub fn is_open(&self) -> bool {
        !self.is_finished()
    }

    /// Resolved or closed.
    pub fn is_finished(&self) -> bool {
        matches!(self.status.as_str(), "resolved" | "closed")
    }

    /// Whether the clock is to stand.
    pub fn waits_for_customer(&self) -> bool {
        self.status == "waiting_customer"
    }

    /// When it was finished, as far as that is known: what reopening counts from.
    pub fn finished_at(&self) -> Option<i64> {
        self.closed_at
            .filter(|_| self.status == "closed")
            .or(self.resolved_at)
    }

    /// The level reached; 0 before the first step.
    pub fn level(&self) -> i64 {
        self.escalation_level.unwrap_or(0)
    }

    /// Which run of the clock this is: 0 until it is first reopened.
    pub fn run(&self) -> i64 {
        self.reopened_times.unwrap_or(0)
    }
}
