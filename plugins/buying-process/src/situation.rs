//! What is known of an opportunity's buying group: the input of the assessment.

/// One opportunity with its group.
#[derive(Clone, Debug, Default)]
pub struct Situation {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub now: i64,
    /// Our pipeline.
    pub pipeline: Option<String>,
    /// Our stage.
    pub stage: Option<String>,
    /// Our probability, for a stage the settings do not place.
    pub probability: Option<i64>,
    /// The customer's number of employees.
    pub employees: Option<i64>,
    /// When the opportunity came into being, as far as is known.
    pub begun: Option<i64>,
    /// When something was last heard.
    pub heard: Option<i64>,
    /// The people.
    pub people: Vec<Person>,
    /// Where each of them stands with each job.
    pub rows: Vec<Row>,
}

/// A stakeholder.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Person {
    /// The stakeholder's id.
    pub id: String,
    /// The role in the group.
    pub role: String,
    /// How much the word weighs: `low`, `medium`, `high`, `decisive`.
    pub influence: Option<String>,
    /// `opposed`, `sceptical`, `neutral`, `supportive`, `champion`.
    pub attitude: Option<String>,
}

/// Where somebody stands with a job.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Row {
    /// The job's name.
    pub job: String,
    /// Who; none when the group is meant as one.
    pub person: Option<String>,
    /// The state.
    pub state: State,
    /// Whether we have checked what was said.
    pub validated: bool,
    /// Whether the person agrees; none: has not said.
    pub agrees: Option<bool>,
    /// The activity that shows it.
    pub evidence: Option<String>,
    /// Whether a note says so.
    pub noted: bool,
    /// How often it was opened again.
    pub reopened: i64,
}

/// The state of a job.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum State {
    /// Nobody has begun.
    #[default]
    NotStarted,
    /// Under way.
    Working,
    /// Finished.
    Done,
    /// Was finished and is open again.
    Reopened,
}

impl State {
    /// The state with this name; an unknown one counts as not started.
    pub fn named(name: &str) -> Self {
        match name {
            "working" => Self::Working,
            "done" => Self::Done,
            "reopened" => Self::Reopened,
            _ => Self::NotStarted,
        }
    }

    /// The state's name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Working => "working",
            Self::Done => "done",
            Self::Reopened => "reopened",
        }
    }
}

impl Situation {
    /// The person with this id.
    pub fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id == id)
    }

    /// Whether somebody has this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.people.iter().any(|person| person.role == role)
    }

    /// The rows of a job.
    pub fn rows_of<'a>(&'a self, job: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.job == job)
    }

    /// Whole days since something was last heard, or since the beginning.
    pub fn silent_days(&self) -> i64 {
        let since = self.heard.or(self.begun).unwrap_or(self.now);
        (self.now - since).max(0) / 86_400_000
    }
}

impl Person {
    /// Whether the person works against us.
    pub fn is_opposed(&self) -> bool {
        self.attitude.as_deref() == Some("opposed")
    }
}
