//! The command line: reads it, opens what it needs, makes one call, prints the answer.

pub mod args;
mod plugins;
mod records;
mod workspaces;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use kjerne_model::Actor;

use crate::exit::{Exit, exit_of, usage};
use crate::output::{Format, Report};
use crate::reading::Reading;
use crate::runtime::{Runtime, now};
use crate::workspace::Workspace;
use crate::{bench, demo, http};
use args::{Cli, Command};

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // Clap ends the program itself on --help and on what it cannot read, with code 2.
    let cli = Cli::parse();
    let format = cli.output;
    match run(cli) {
        Ok(exit) => exit.code().into(),
        Err(error) => {
            report(&error, format);
            exit_of(&error).code().into()
        }
    }
}

/// What went wrong, to standard error: a sentence, or for programs the same as an object.
fn report(error: &anyhow::Error, format: Format) {
    if format != Format::Json {
        return eprintln!("error: {error:#}");
    }
    let refusals = match error.downcast_ref::<crate::exit::Refused>() {
        Some(refused) => crate::wire::refusals(&refused.0),
        None => Vec::new(),
    };
    let exit = exit_of(error).code();
    let json =
        serde_json::json!({ "error": format!("{error:#}"), "exit": exit, "refusals": refusals });
    eprintln!("{json}");
}

/// One command.
struct Context {
    workspace: Option<PathBuf>,
    format: Format,
    /// How the next opener is told who holds the workspace.
    who: String,
}

impl Context {
    fn dir(&self) -> Result<PathBuf> {
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

    fn workspace(&self) -> Result<Workspace> {
        Workspace::open(&self.dir()?)
    }

    /// The workspace with its plugins, to be written to.
    fn runtime(&self) -> Result<Runtime> {
        Runtime::open(self.workspace()?, &self.who)
    }

    /// The workspace without its plugins, to be looked at.
    fn reading(&self) -> Result<Reading> {
        Reading::open(self.workspace()?, &self.who)
    }

    fn print(&self, report: &Report) -> Result<Exit> {
        report.print(self.format)?;
        Ok(Exit::Done)
    }
}

fn run(cli: Cli) -> Result<Exit> {
    let who = format!("kjerne {}", name(&cli.command));
    let context = Context {
        workspace: cli.workspace,
        format: cli.output,
        who,
    };
    match cli.command {
        Command::Init(args) => workspaces::init(&context, &args),
        Command::Serve(args) => workspaces::serve(&context, &args),
        Command::List(args) => records::list(&context, &args),
        Command::Get(args) => records::get(&context, &args),
        Command::Create(args) => records::create(&context, &args),
        Command::Set(args) => records::set(&context, &args),
        Command::Delete(args) => records::delete(&context, &args),
        Command::Journal(args) => records::journal(&context, &args),
        Command::Kinds { kind } => records::kinds(&context, kind.as_deref()),
        Command::Import(args) => workspaces::import(&context, &args),
        Command::Export(args) => workspaces::export(&context, &args),
        Command::Plugin(command) => plugins::run(&context, command),
        Command::Action(args) => plugins::action(&context, &args),
        Command::Token { name } => workspaces::token(&context, &name),
        Command::Secret { name, stdin } => workspaces::secret(&context, &name, stdin),
        Command::Verify => workspaces::verify(&context),
        Command::Demo(args) => run_demo(&context, &args),
        Command::Bench(args) => bench::run(&args, context.format).map(|()| Exit::Done),
        Command::Limits => workspaces::limits(&context),
    }
}

fn run_demo(context: &Context, args: &demo::DemoArgs) -> Result<Exit> {
    let dir = context
        .workspace
        .clone()
        .unwrap_or_else(|| PathBuf::from("demo-workspace"));
    if let Some(runtime) = demo::run(&dir, args, context.format)? {
        http::serve(runtime, None)?;
    }
    Ok(Exit::Done)
}

fn name(command: &Command) -> &'static str {
    match command {
        Command::Init(_) => "init",
        Command::Serve(_) => "serve",
        Command::List(_) => "list",
        Command::Get(_) => "get",
        Command::Create(_) => "create",
        Command::Set(_) => "set",
        Command::Delete(_) => "delete",
        Command::Journal(_) => "journal",
        Command::Kinds { .. } => "kinds",
        Command::Import(_) => "import",
        Command::Export(_) => "export",
        Command::Plugin(_) => "plugin",
        Command::Action(_) => "action",
        Command::Token { .. } => "token",
        Command::Secret { .. } => "secret",
        Command::Verify => "verify",
        Command::Demo(_) => "demo",
        Command::Bench(_) => "bench",
        Command::Limits => "limits",
    }
}

/// Who acts: as told, or as the system knows the person at the keyboard.
fn actor(told: Option<&str>) -> Actor {
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
fn finish(runtime: &Runtime) -> Result<()> {
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
