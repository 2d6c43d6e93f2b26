//! The command line: reads it, opens what it needs, makes one call, prints the answer.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::args::{Cli, Command};
use crate::bench;
use crate::commands::{approvals, exchange, models, panels, plugins, records, reports, workspaces};
use crate::context::Context;
use crate::demo;
use crate::exit::{Exit, Told, exit_of};
use crate::huge_pages;
use crate::output::Format;
use kjerne_model::shown;
use kjerne_server as http;
use kjerne_workspace::stderr::tell;

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    huge_pages::do_without();
    if std::env::args_os()
        .nth(1)
        .is_some_and(|first| first == kjerne_host::COMPILE_ARGUMENT)
    {
        return kjerne_host::compile_and_end();
    }
    if let Some(program) = this_program() {
        kjerne_host::compile_with(program);
    }
    outlive_file_limit();
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

/// The running program, to be started once more. On Linux by a name that stays when its file is
/// replaced by another version, whose native code would not fit.
fn this_program() -> Option<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() {
        Some(running)
    } else {
        std::env::current_exe().ok()
    }
}

/// The signal of a file that grows beyond the limit set for the process (`ulimit -f`).
#[cfg(unix)]
const FILE_LIMIT: i32 = 25;

/// Has a write beyond the limit on the size of files fail, and be told, where the system would end the
/// program without a word. A handler that is set once stays, whatever becomes of its engine.
#[cfg(unix)]
fn outlive_file_limit() {
    use tokio::signal::unix::{SignalKind, signal};
    let engine = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    if let Ok(engine) = engine {
        // Without it the program ends at the limit as it did; that is no reason not to begin.
        let _ = engine.block_on(async { signal(SignalKind::from_raw(FILE_LIMIT)) });
    }
}

#[cfg(not(unix))]
fn outlive_file_limit() {}

/// What went wrong, to standard error: a sentence, or for programs the same as an object.
fn report(error: &anyhow::Error, format: Format) {
    if format != Format::Json {
        return tell(format_args!("error: {}", lines(&format!("{error:#}"))));
    }
    let told = error.downcast_ref::<Told>();
    let refusals = told.map(|told| told.refusals.clone()).unwrap_or_default();
    let exit = exit_of(error).code();
    let json =
        serde_json::json!({ "error": format!("{error:#}"), "exit": exit, "refusals": refusals });
    tell(format_args!("{json}"));
}

/// A text of several lines without what acts on the screen: an error may repeat what a file said.
fn lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(shown::plain).collect();
    lines.join("\n")
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
        Command::Import(args) => exchange::import(&context, &args),
        Command::Export(args) => exchange::export(&context, &args),
        Command::Plugin(command) => plugins::run(&context, command),
        Command::Action(args) => plugins::action(&context, &args),
        Command::Ask(command) => models::ask(&context, &command),
        Command::Report(command) => reports::run(&context, &command),
        Command::Panel(args) => panels::run(&context, &args),
        Command::Approval(command) => approvals::approval(&context, &command),
        Command::Approver(command) => approvals::approver(&context, &command),
        Command::Token(command) => workspaces::token(&context, &command),
        Command::Secret(command) => workspaces::secret(&context, &command),
        Command::Verify => workspaces::verify(&context),
        Command::Demo(args) => run_demo(&context, &args),
        Command::Bench(args) => bench::run(&args, context.format).map(|()| Exit::Done),
        Command::Limits => workspaces::limits(&context),
    }
}

fn run_demo(context: &Context, args: &demo::arguments::DemoArgs) -> Result<Exit> {
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
        Command::Ask(_) => "ask",
        Command::Report(_) => "report",
        Command::Panel(_) => "panel",
        Command::Approval(_) => "approval",
        Command::Approver(_) => "approver",
        Command::Token(_) => "token",
        Command::Secret(_) => "secret",
        Command::Verify => "verify",
        Command::Demo(_) => "demo",
        Command::Bench(_) => "bench",
        Command::Limits => "limits",
    }
}
