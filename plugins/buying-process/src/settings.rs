//! The model's numbers, as the administrator wrote them.

use kjerne_sdk::known;
use kjerne_sdk::settings::{self, Faults, Section};

/// All settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What the rules of a single buying job go by.
    pub rules: Rules,
    /// Whether opportunities nobody has described the group of are assessed when they change.
    pub assess_without_group: bool,
    /// The most next best actions in an answer.
    pub most_actions: usize,
    /// How far those concerned must be for a job to be done, in percent.
    pub done_from: i64,
    /// Numbers by name: the weight of a person's influence.
    pub influence: Numbers,
    /// Numbers by name: how far a job is in each state.
    pub progress: Numbers,
    /// Numbers by name: how well a statement is borne out.
    pub evidence: Numbers,
    /// Numbers by name: how much an attitude counts as agreement.
    pub attitude: Numbers,
    /// How many people take part.
    pub group: GroupSize,
    /// Numbers by stage, or by pipeline and stage (`renewal/offered`): how far we are.
    pub our_progress: Numbers,
    /// Numbers by name: points of the rework risk.
    pub rework: Numbers,
    /// Numbers by name: points of the no-decision risk.
    pub no_decision: Numbers,
    /// Numbers by name: weights of next best actions.
    pub actions: Numbers,
    /// Numbers by name: points of the score.
    pub score: Numbers,
}

/// What the rules of a single buying job go by: all that a commit needs.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Who may bring records as they once were.
    pub history_actors: Vec<String>,
    /// What a finished job needs.
    pub done_needs: Proof,
    /// The roles with what people call them; empty: any role.
    pub roles: Vec<(String, String)>,
    /// The jobs in the order they are shown.
    pub jobs: Vec<Job>,
}

/// What must stand behind a finished job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proof {
    /// An activity or a note.
    Note,
    /// An activity.
    Activity,
    /// Nothing.
    Nothing,
}

/// One buying job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name in records.
    pub name: String,
    /// What people read.
    pub label: String,
    /// Its share in the overall progress.
    pub weight: i64,
    /// The roles it takes.
    pub roles: Vec<String>,
    /// The jobs it happens within.
    pub within: Vec<String>,
    /// What it measures in those jobs.
    pub measures: Option<Measured>,
}

/// What a job that happens within others measures there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measured {
    /// How much is borne out.
    Validation,
    /// How many agree.
    Consensus,
}

/// Numbers by name; a name that is not there is 0.
#[derive(Clone, Debug, Default)]
pub struct Numbers(Vec<(String, i64)>);

impl Numbers {
    /// The number with this name.
    pub fn get(&self, name: &str) -> i64 {
        self.find(name).unwrap_or(0)
    }

    /// The number with this name, if there is one.
    pub fn find(&self, name: &str) -> Option<i64> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, number)| *number)
    }

    /// The greatest of them, at least 1.
    pub fn greatest(&self) -> i64 {
        self.0.iter().map(|(_, number)| *number).fold(1, i64::max)
    }

    /// Reads a table; the numbers not there are those of `standard`, and a name that `standard`
    /// does not have is a fault unless that has none at all.
    fn read(root: &Section<'_>, key: &'static str, standard: &[(&str, i64)], most: i64) -> Self {
        let mut numbers: Vec<_> = standard
            .iter()
            .map(|(name, number)| ((*name).to_owned(), *number))
            .collect();
        let pairs = root.pairs(key);
        let table = (!pairs.is_empty()).then(|| root.section(key)).flatten();
        let table = table.as_ref().unwrap_or(root);
        for (name, written) in pairs {
            let number = written
                .first()
                .and_then(|text| text.parse().ok())
                .filter(|number| (0..=most).contains(number));
            let place = numbers.iter().position(|(known, _)| *known == name);
            match (number, place) {
                (None, _) => table.fault_at(
                    &name,
                    format_args!("{key}.{name} must be a whole number from 0 to {most}"),
                ),
                (Some(number), Some(place)) => numbers[place].1 = number,
                (Some(number), None) if standard.is_empty() => numbers.push((name, number)),
                (Some(_), None) => {
                    let message = format_args!("{key}.{name} is not a number of this table");
                    table.fault_at(&name, message);
                }
            }
        }
        Self(numbers)
    }
}

/// How many people take part, by the customer's number of employees.
#[derive(Clone, Debug)]
pub struct GroupSize {
    unknown: i64,
    sizes: Vec<(i64, i64)>,
}

impl GroupSize {
    fn read(section: Option<Section<'_>>) -> Self {
        let Some(section) = section else {
            return Self {
                unknown: 7,
                sizes: vec![(1, 3), (100, 7), (501, 10)],
            };
        };
        let mut sizes: Vec<(i64, i64)> = Vec::new();
        for one in section.sections("sizes") {
            let (from, people) = Self::read_size(&one);
            if sizes.iter().any(|(known, _)| *known == from) {
                one.fault(format_args!("there are two sizes from {from} employees on"));
            }
            sizes.push((from, people));
        }
        let size = Self {
            unknown: section.number("unknown", 1..=100).unwrap_or(7),
            sizes,
        };
        section.finish();
        size
    }

    fn read_size(section: &Section<'_>) -> (i64, i64) {
        for key in ["employees_from", "people"] {
            if !section.has(key) {
                section.fault(format_args!("{key} is missing"));
            }
        }
        let from = section
            .number("employees_from", 0..=100_000_000)
            .unwrap_or(0);
        let people = section.number("people", 1..=100).unwrap_or(1);
        section.finish();
        (from, people)
    }

    /// The number of people expected in the group.
    pub fn people(&self, employees: Option<i64>) -> i64 {
        let Some(employees) = employees else {
            return self.unknown;
        };
        let reached = self.sizes.iter().filter(|(from, _)| *from <= employees);
        reached
            .max_by_key(|(from, _)| *from)
            .map_or(self.unknown, |(_, people)| *people)
    }
}

/// The most of what is told in percent.
const PERCENT: i64 = 100;
const INFLUENCE: &[(&str, i64)] = &[
    ("low", 1),
    ("medium", 2),
    ("high", 3),
    ("decisive", 5),
    ("unknown", 2),
];
const PROGRESS: &[(&str, i64)] = &[("working", 50), ("reopened", 25), ("done", 100)];
const EVIDENCE: &[(&str, i64)] = &[("validated", 100), ("activity", 60), ("note", 30)];
const ATTITUDE: &[(&str, i64)] = &[
    ("champion", 60),
    ("supportive", 40),
    ("neutral", 0),
    ("sceptical", 0),
    ("opposed", 0),
];
const REWORK: &[(&str, i64)] = &[
    ("base", 10),
    ("unvalidated", 25),
    ("disagreement", 20),
    ("reopened_now", 12),
    ("reopened_before", 4),
    ("missing_role", 3),
    ("ahead", 20),
    ("late", 20),
    ("late_from", 60),
];
const NO_DECISION: &[(&str, i64)] = &[
    ("silence", 30),
    ("silence_from_days", 14),
    ("silence_full_days", 60),
    ("disagreement", 25),
    ("group", 20),
    ("opposed", 20),
    ("no_champion", 10),
    ("no_economic_buyer", 10),
    ("ahead", 10),
];
const ACTIONS: &[(&str, i64)] = &[
    ("reopened", 90),
    ("opposed", 70),
    ("silence", 60),
    ("missing_role", 50),
    ("group", 45),
    ("disagreement", 40),
    ("unproven", 35),
    ("begin", 30),
    ("ahead", 25),
    ("per_influence", 3),
    ("ahead_from", 20),
];

const SCORE: &[(&str, i64)] = &[
    ("base", 40),
    ("progress", 60),
    ("ahead", 20),
    ("rework", 15),
    ("no_decision", 20),
];

impl Settings {
    /// Reads the settings.
    ///
    /// # Errors
    /// Every fault with its line.
    pub fn load() -> Result<Self, Faults> {
        settings::load().read(Self::read_root)
    }

    /// Reads a document; an empty one means the default one.
    #[cfg(test)]
    pub fn read(text: &str) -> Result<Self, String> {
        let text = if text.is_empty() {
            include_str!("../settings.toml")
        } else {
            text
        };
        let read = kjerne_sdk::testing::settings(text)?.read(Self::read_root);
        read.map_err(|faults| faults.to_string())
    }

    fn read_root(root: &Section<'_>) -> Self {
        let settings = Self {
            rules: Rules::read_root(root),
            assess_without_group: root.flag("assess_without_group", false),
            most_actions: root
                .number("most_actions", 1..=100)
                .and_then(|most| most.try_into().ok())
                .unwrap_or(8),
            done_from: root.number("done_from", 1..=100).unwrap_or(80),
            influence: Numbers::read(root, "influence", INFLUENCE, 3_650),
            progress: Numbers::read(root, "progress", PROGRESS, PERCENT),
            evidence: Numbers::read(root, "evidence", EVIDENCE, PERCENT),
            attitude: Numbers::read(root, "attitude", ATTITUDE, PERCENT),
            group: GroupSize::read(root.section("group")),
            our_progress: Numbers::read(root, "our_progress", &[], PERCENT),
            rework: Numbers::read(root, "rework", REWORK, 3_650),
            no_decision: Numbers::read(root, "no_decision", NO_DECISION, 3_650),
            actions: Numbers::read(root, "actions", ACTIONS, 3_650),
            score: Numbers::read(root, "score", SCORE, PERCENT),
        };
        root.finish();
        settings
    }
}

impl Rules {
    fn read_root(root: &Section<'_>) -> Self {
        let sections = root.sections("job");
        let rules = Self {
            history_actors: root
                .actors("history_actors")
                .unwrap_or_else(|| vec!["system:import".to_owned()]),
            done_needs: match root.one_of("done_needs", &["note", "activity", "nothing"]) {
                "activity" => Proof::Activity,
                "nothing" => Proof::Nothing,
                _ => Proof::Note,
            },
            roles: read_roles(root),
            jobs: sections.iter().map(Job::read).collect(),
        };
        rules.check(root, &sections);
        rules
    }

    fn check(&self, root: &Section<'_>, sections: &[Section<'_>]) {
        if self.jobs.is_empty() {
            root.fault("there is no [[job]]");
        }
        for (place, (job, section)) in self.jobs.iter().zip(sections).enumerate() {
            if self
                .jobs
                .iter()
                .take(place)
                .any(|earlier| earlier.name == job.name)
            {
                section.fault(format_args!("job {} is there twice", job.name));
            }
            let own = |name: &&String| self.job(name).is_none_or(|host| !host.within.is_empty());
            if let Some(name) = job.within.iter().find(own) {
                section.fault(format_args!(
                    "job {} is within {name}, which is no job of its own",
                    job.name
                ));
            }
            let strange = |role: &&String| !self.roles.is_empty() && !self.knows_role(role);
            if let Some(role) = job.roles.iter().find(strange) {
                section.fault(format_args!(
                    "job {} takes role {role}, which is not among the roles",
                    job.name
                ));
            }
        }
    }

    /// The job with this name.
    pub fn job(&self, name: &str) -> Option<&Job> {
        self.jobs.iter().find(|job| job.name == name)
    }

    /// Whether the role is one of the list.
    pub fn knows_role(&self, role: &str) -> bool {
        self.roles.iter().any(|(name, _)| name == role)
    }

    /// What people call a role.
    pub fn role_label(&self, role: &str) -> String {
        let known = self.roles.iter().find(|(name, _)| name == role);
        known.map_or_else(|| role.replace('_', " "), |(_, label)| label.clone())
    }

    /// Whether this actor brings history.
    pub fn is_history(&self, actor: &str) -> bool {
        self.history_actors.iter().any(|name| name == actor)
    }
}

impl Job {
    fn read(section: &Section<'_>) -> Self {
        let name = section.name("name");
        let within = section.texts("within").unwrap_or_default();
        let measures = section.has("measures").then(|| {
            match section.one_of("measures", &["validation", "consensus"]) {
                "consensus" => Measured::Consensus,
                _ => Measured::Validation,
            }
        });
        if measures.is_some() && within.is_empty() {
            section.fault(format_args!("job {name} measures, so it needs within"));
        }
        let job = Self {
            label: section.text("label").unwrap_or_else(|| label(&name)),
            name,
            weight: section.number("weight", 0..=100).unwrap_or(1),
            roles: section.texts("roles").unwrap_or_default(),
            within,
            measures,
        };
        section.finish();
        job
    }

    /// The label within a sentence.
    pub fn phrase(&self) -> String {
        self.label.to_lowercase()
    }
}

fn read_roles(root: &Section<'_>) -> Vec<(String, String)> {
    let roles = root.pairs("roles");
    if let Some(wrong) = roles.iter().find_map(|(name, _)| known::wrong_name(name)) {
        root.fault_at("roles", wrong);
    }
    let roles = roles.into_iter();
    roles
        .filter_map(|(name, label)| Some((name, label.into_iter().next()?)))
        .collect()
}

/// `supplier_selection` is shown as `Supplier selection`.
fn label(name: &str) -> String {
    let spaced = name.replace(['_', '-'], " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
