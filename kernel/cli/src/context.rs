//! What every command has at hand.

use std::path::PathBuf;

use anyhow::Result;
use kjerne_model::Actor;
use kjerne_workspace::Workspace;
use kjerne_workspace::read_only::ReadOnly;
use kjerne_workspace::runtime::{Runtime, now};

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

    /// The workspace with its plugins, to be written to.
    pub(crate) fn runtime(&self) -> Result<Runtime> {
        Ok(Runtime::open(self.workspace()?, &self.who)?)
    }

    /// The workspace without its plugins, to be looked at.
    pub(crate) fn reading(&self) -> Result<ReadOnly> {
        Ok(ReadOnly::open(self.workspace()?, &self.who)?)
    }

    pub(crate) fn print(&self, report: &Report) -> Result<Exit> {
        report.print(self.format)?;
        Ok(Exit::Done)
    }
}

/// Who acts: as told, or as the system knows the person at the keyboard.
pub(crate) fn actor(told: Option<&str>) -> Actor {
    let known = || {
        std::env::var("USER")
            .or_else(|_| std::env::var("USERNAME"))
            .ok()
    };
    let name = told
        .map(str::to_owned)
        .or_else(known)
        .filter(|name| !name.is_empty());
    Actor::User(name.unwrap_or_else(|| "local".to_owned()))
}

/// Runs the reactions a command has caused, so that it leaves the workspace as a server would, and
/// says what is left to do.
pub(crate) fn finish(runtime: &Runtime) -> Result<()> {
    let settled = runtime.settle(now())?;
    for failure in &settled.failed {
        eprintln!("note: reaction failed, and will be tried again: {failure}");
    }
    if settled.cut {
        eprintln!("note: reactions are still answering each other; kjerne serve goes on with them");
    }
    if settled.messages > 0 {
        let count = settled.messages;
        let words = if count == 1 {
            "message waits"
        } else {
            "messages wait"
        };
        eprintln!("note: {count} {words} to be delivered by kjerne serve");
    }
    Ok(runtime.flush_costs()?)
}
