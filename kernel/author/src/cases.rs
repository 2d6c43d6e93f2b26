//! Case files: what is there, what happens, what must come of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kjerne_workspace::error::{Context as _, Error, Result};
use serde::Deserialize;

/// A file of cases.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    case: Vec<Case>,
}

/// One case.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows, as a sentence.
    pub name: String,
    /// Settings instead of the plugin's default ones.
    pub settings: Option<String>,
    /// The most fuel any of its calls may use; less than the limits of production allow.
    pub fuel: Option<u64>,
    /// What is granted besides everything declared.
    #[serde(default)]
    pub grants: Vec<String>,
    /// Records that are there, stored as they are without asking anybody.
    #[serde(default)]
    pub given: Vec<Given>,
    /// What happens, step by step.
    #[serde(default, rename = "step")]
    pub steps: Vec<Step>,
    at: Option<String>,
    actor: Option<String>,
    #[serde(default, rename = "do")]
    changes: Vec<Do>,
    #[serde(default)]
    react: bool,
    #[serde(default)]
    clock: bool,
    action: Option<Run>,
    inbound: Option<Inbound>,
    answered: Option<Answered>,
    job: Option<JobRun>,
    #[serde(default)]
    ask: Vec<Question>,
    expect: Option<Expect>,
}

/// A record that is there.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Given {
    pub kind: String,
    pub id: String,
    #[serde(default)]
    pub fields: Texts,
}

/// Field values, in the form of the command line.
pub type Texts = BTreeMap<String, toml::Value>;

/// One thing that happens, and what must come of it.
#[derive(Deserialize, Clone, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// When.
    pub at: Option<String>,
    /// By whom: `user:kari`.
    pub actor: Option<String>,
    /// A commit of these changes.
    #[serde(default, rename = "do")]
    pub changes: Vec<Do>,
    /// Then the plugin answers the journal.
    #[serde(default)]
    pub react: bool,
    /// Then every escalation that is due is done.
    #[serde(default)]
    pub clock: bool,
    /// A command is run.
    pub action: Option<Run>,
    /// A message comes in.
    pub inbound: Option<Inbound>,
    /// The answer to a message comes back.
    pub answered: Option<Answered>,
    /// A job runs.
    pub job: Option<JobRun>,
    /// Questions to the domain model.
    #[serde(default)]
    pub ask: Vec<Question>,
    /// What must come of it.
    #[serde(default)]
    pub expect: Expect,
}

/// One change of a commit; exactly one of the first three is there.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Do {
    pub create: Option<String>,
    pub update: Option<String>,
    pub delete: Option<String>,
    pub id: String,
    #[serde(default, alias = "fields")]
    pub set: Texts,
}

/// A command to run.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Run {
    pub command: String,
    #[serde(default)]
    pub arguments: Texts,
}

/// A run of a job.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct JobRun {
    pub name: String,
    /// When it was due; the time of the step when absent.
    pub due: Option<String>,
    #[serde(default)]
    pub missed: u64,
}

/// A message from outside.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Inbound {
    pub source: String,
    #[serde(default = "json_type")]
    pub content_type: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

/// What came back for a message; none of the keys is needed.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    pub id: String,
    #[serde(default)]
    pub status: u16,
    #[serde(default = "json_type")]
    pub content_type: String,
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub delivered: bool,
}

/// A question to a domain model, a report or a panel.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub function: String,
    /// Which report or panel.
    pub name: Option<String>,
    pub about: Option<Several>,
    /// What a report is given.
    #[serde(default)]
    pub arguments: Texts,
    /// Values by JSON pointer into the answer.
    #[serde(default)]
    pub expect: BTreeMap<String, toml::Value>,
    /// The code it must fail with, or the limit it must pass.
    pub failed: Option<String>,
}

/// One, or several.
#[derive(Deserialize, Clone, Debug)]
#[serde(untagged)]
pub enum Several {
    One(String),
    Many(Vec<String>),
}

impl Several {
    pub fn list(&self) -> Vec<&str> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many.iter().map(String::as_str).collect(),
        }
    }
}

/// What must come of a step.
#[derive(Deserialize, Clone, Default, Debug)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The reasons it is refused for, exactly; otherwise it must be accepted.
    #[serde(default)]
    pub refused: Vec<String>,
    /// What a guard advises, by its codes, exactly.
    pub advised: Option<Vec<String>>,
    /// The approvals it waits for, each as ROLE/CODE, exactly; otherwise it must not wait.
    #[serde(default)]
    pub waits: Vec<String>,
    /// What records hold afterwards; an empty text is an empty field.
    #[serde(default)]
    pub fields: BTreeMap<String, Texts>,
    /// How many records of a kind there are afterwards.
    #[serde(default)]
    pub count: BTreeMap<String, usize>,
    /// The messages queued in this step, exactly.
    pub messages: Option<Vec<Sent>>,
    /// What a command or an inbound message is answered with.
    #[serde(default)]
    pub reply: Texts,
}

/// A message that must have been queued.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    pub url: Option<String>,
    pub contains: Option<Several>,
}

fn json_type() -> String {
    "application/json".to_owned()
}

impl Case {
    /// Puts what stands directly in the case into a step of its own, before the others.
    fn gathered(mut self) -> Result<Self> {
        let own = Step {
            at: self.at.take(),
            actor: self.actor.take(),
            changes: std::mem::take(&mut self.changes),
            react: self.react,
            clock: self.clock,
            action: self.action.take(),
            inbound: self.inbound.take(),
            answered: self.answered.take(),
            job: self.job.take(),
            ask: std::mem::take(&mut self.ask),
            expect: self.expect.take().unwrap_or_default(),
        };
        if own.does_something() {
            self.steps.insert(0, own);
        }
        if self.steps.iter().any(|step| !step.does_something()) || self.steps.is_empty() {
            return Err(Error::unreadable(
                "nothing happens in a step; it needs do, action, inbound, answered, job, react, clock or ask",
            ));
        }
        Ok(self)
    }
}

impl Step {
    fn does_something(&self) -> bool {
        let asked = self.action.is_some() || self.inbound.is_some() || self.answered.is_some();
        let asked = asked || self.job.is_some();
        !self.changes.is_empty() || self.react || self.clock || asked || !self.ask.is_empty()
    }
}

/// The cases of a plugin's folder, file by file in the order of their names.
pub fn read_all(dir: &Path) -> Result<Vec<(PathBuf, Vec<Case>)>> {
    let folder = dir.join("cases");
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let files =
        fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let files = files.filter_map(|file| Some(file.ok()?.path()));
    let mut files: Vec<PathBuf> = files
        .filter(|file| file.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| read(&file).map(|cases| (file, cases)))
        .collect()
}

fn read(file: &Path) -> Result<Vec<Case>> {
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let parsed: File = toml::from_str(&text)
        .map_err(|error| Error::unreadable(format!("{}: {error}", file.display())))?;
    let gathered = parsed.case.into_iter().map(|case| {
        let name = case.name.clone();
        case.gathered()
            .map_err(|error| Error::unreadable(format!("{}: {name:?}: {error}", file.display())))
    });
    gathered.collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Case>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("one.toml");
        fs::write(&file, text)?;
        read(&file)
    }

    #[test]
    fn what_stands_in_the_case_itself_is_its_first_step() {
        let text = r#"
            [[case]]
            name = "two steps"
            do = [{ create = "task", id = "t", fields = { subject = "Call" } }]
            expect = { count = { task = 1 } }
            [[case.step]]
            react = true
        "#;
        let case = parsed(text).unwrap().remove(0);
        assert_eq!(case.steps.len(), 2);
        assert_eq!(case.steps[0].changes[0].create.as_deref(), Some("task"));
        assert_eq!(case.steps[0].expect.count["task"], 1);
        assert!(case.steps[1].react);
    }

    #[test]
    fn a_case_that_would_show_nothing_is_an_error_with_its_name() {
        let check = |text: &str, part: &str| {
            let error = format!("{:#}", parsed(text).unwrap_err());
            assert!(error.contains(part), "{error}");
        };
        check("[[case]]\nname = \"idle\"", "idle");
        check("[[case]]\nname = \"x\"\nexpcet = {}", "expcet");
        check(
            "[[case]]\nname = \"x\"\n[[case.step]]\nat = \"2026-01-01\"",
            "nothing happens",
        );
    }
}
