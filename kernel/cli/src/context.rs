//! What every command has at hand.

use std::path::PathBuf;

use anyhow::Result;
use kjerne_workspace::Workspace;

use crate::connection::{Connection, Needs};
use crate::exit::{Exit, usage};
use crate::output::{Format, Report};

/// One command.
pub(crate) struct Context {
    pub(crate) workspace: Option<PathBuf>,
    pub(crate) format: Format,
    /// How the next opener is told who holds the workspace.
    pub(crate) who: String,
}

impl Context {
    pub(crate) fn dir(&self) -> Result<PathBuf> {
        if let Some(dir) = &self.workspace {
            return Ok(dir.clone());
        }
        let here = PathBuf::from(".");
        if here.join("data.redb").exists() {
            return Ok(here);
        }
        Err(usage(
            "which workspace? Say -w DIR, or set KJERNE_WORKSPACE, or run it inside one",
        ))
    }

    pub(crate) fn workspace(&self) -> Result<Workspace> {
        Ok(Workspace::open(&self.dir()?)?)
    }

    /// A way to the workspace, in the name of whoever is at the keyboard.
    pub(crate) fn connect(&self, needs: Needs) -> Result<Connection> {
        self.connect_as(None, needs)
    }

    /// The same in a name that was told, if one was.
    pub(crate) fn connect_as(&self, told: Option<&str>, needs: Needs) -> Result<Connection> {
        // A variable that is not set must not have a change booked to somebody else.
        if told.is_some_and(|name| name.trim().is_empty()) {
            return Err(usage("--actor is empty; name who acts, or leave it out"));
        }
        if told.is_some_and(|name| name.starts_with("user:")) {
            return Err(usage(
                "--actor takes the name alone, without user: in front of it",
            ));
        }
        let actor = actor(told);
        Connection::open(&self.workspace()?, &self.who, needs, &actor)
    }

    pub(crate) fn print(&self, report: &Report) -> Result<Exit> {
        report.print(self.format)?;
        Ok(Exit::Done)
    }
}

/// Who acts: as told, or as the system knows the person at the keyboard.
fn actor(told: Option<&str>) -> String {
    // A name nobody typed is no reason to refuse anything.
    let usable = |name: &String| name.len() <= 128 && !name.chars().any(char::is_control);
    let known = || {
        let name = std::env::var("USER").or_else(|_| std::env::var("USERNAME"));
        name.ok().filter(usable)
    };
    let name = told
        .map(str::to_owned)
        .or_else(known)
        .filter(|name| !name.is_empty());
    name.unwrap_or_else(|| "local".to_owned())
}
