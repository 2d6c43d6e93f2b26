//! The command line as data.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use kjerne_model::Instant;

use crate::output::Format;
use crate::pair::pair;
use crate::plugin_args::PluginCommand;

/// A customer record kernel with plugins.
#[derive(Parser, Debug)]
#[command(name = "kjerne", version, after_help = crate::exit::help(), max_term_width = 100)]
pub struct Cli {
    /// The workspace's directory.
    #[arg(
        short,
        long,
        global = true,
        env = "KJERNE_WORKSPACE",
        value_name = "DIR"
    )]
    pub workspace: Option<PathBuf>,
    /// How to print.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub output: Format,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Make a workspace.
    Init(InitArgs),
    /// Serve HTTP, run reactions, deliver messages.
    Serve(ServeArgs),
    /// List the records of a kind.
    List(ListArgs),
    /// Show one record.
    Get(RecordArgs),
    /// Make a record: create account name=Acme employees=12
    Create(CreateArgs),
    /// Change a record: set account ID region=North website=   (an empty value clears)
    Set(SetArgs),
    /// Remove a record; its history stays in the journal.
    Delete(DeleteArgs),
    /// Show what happened, commit by commit.
    Journal(JournalArgs),
    /// Show the kinds, or the fields of one.
    Kinds {
        /// The kind.
        kind: Option<String>,
    },
    /// Import a file of other people's.
    Import(ImportArgs),
    /// Write all records of a kind.
    Export(ExportArgs),
    /// Make, install and look after plugins.
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Run a plugin's command: action PLUGIN COMMAND name=value …
    Action(ActionArgs),
    /// Ask the domain models, whichever plugins are bound to them.
    #[command(subcommand)]
    Ask(AskCommand),
    /// Show figures of the whole workspace, built in or by plugins.
    #[command(subcommand)]
    Report(ReportCommand),
    /// Show what plugins show beside a record, panel KIND ID, or on the day's page, panel today
    Panel(PanelArgs),
    /// Look at commits that wait for approval, and approve, reject or withdraw them.
    #[command(subcommand)]
    Approval(ApprovalCommand),
    /// Say who may approve, by role.
    #[command(subcommand)]
    Approver(ApproverCommand),
    /// Make, list and take back bearer tokens; who comes with one acts as user:NAME.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Keep, list and forget the secrets messages are signed with.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Check records, indexes and journal against each other.
    Verify,
    /// Make a workspace with demo data, print its summary, serve it.
    Demo(crate::demo::arguments::DemoArgs),
    /// Measure.
    Bench(kjerne_bench::BenchArgs),
    /// Print every limit: its name, number and reason.
    Limits,
}

/// `init`
#[derive(Args, Debug)]
pub struct InitArgs {
    /// Where; otherwise the directory of -w.
    pub dir: Option<PathBuf>,
    /// What people call the workspace; otherwise the directory's name.
    #[arg(long)]
    pub name: Option<String>,
}

/// `serve`
#[derive(Args, Debug, Default)]
pub struct ServeArgs {
    /// Address and port; otherwise the settings', which begin with 127.0.0.1:7380.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
}

/// `list`
#[derive(Args, Debug)]
pub struct ListArgs {
    /// The kind.
    pub kind: String,
    /// Only these: "stage eq 'won' and closing_date ge 2026-01-01"
    #[arg(long, default_value = "", hide_default_value = true)]
    pub filter: String,
    /// In this order: "closing_date desc,name"
    #[arg(
        long,
        value_name = "FIELDS",
        default_value = "",
        hide_default_value = true
    )]
    pub order_by: String,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = kjerne_workspace::limits::PAGE.count())]
    pub top: usize,
    /// From where the page before ended; the note under a page says.
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<String>,
    /// Only these fields: name,stage,amount
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    pub select: Vec<String>,
}

/// One record.
#[derive(Args, Debug)]
pub struct RecordArgs {
    /// The kind.
    pub kind: String,
    /// The record's id.
    pub id: String,
}

/// `create`
#[derive(Args, Debug)]
pub struct CreateArgs {
    /// The kind.
    pub kind: String,
    /// What it holds.
    #[arg(value_name = "FIELD=VALUE", value_parser = pair)]
    pub fields: Vec<(String, String)>,
    #[command(flatten)]
    pub commit: CommitArgs,
}

/// `set`
#[derive(Args, Debug)]
pub struct SetArgs {
    /// The kind.
    pub kind: String,
    /// The record's id.
    pub id: String,
    /// What to set; an empty value clears the field.
    #[arg(value_name = "FIELD=VALUE", value_parser = pair, required = true)]
    pub fields: Vec<(String, String)>,
    /// Only when the record has this version.
    #[arg(long, value_name = "VERSION")]
    pub expected: Option<u64>,
    #[command(flatten)]
    pub commit: CommitArgs,
}

/// `delete`
#[derive(Args, Debug)]
pub struct DeleteArgs {
    /// The kind.
    pub kind: String,
    /// The record's id.
    pub id: String,
    /// Only when the record has this version.
    #[arg(long, value_name = "VERSION")]
    pub expected: Option<u64>,
    #[command(flatten)]
    pub commit: CommitArgs,
}

/// What every command that changes records takes.
#[derive(Args, Debug, Default)]
pub struct CommitArgs {
    /// Find out what would happen and store nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Names the commit: given again, it does nothing and answers the same.
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// Say what each plugin cost it.
    #[arg(long)]
    pub costs: bool,
    /// Who does it; otherwise the name the system knows you by.
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
}

/// `journal`
#[derive(Args, Debug)]
pub struct JournalArgs {
    /// Only what was done since: 2026-03-02T09:00:00+01:00, or so long ago: 30m, 12h, 7d
    #[arg(long, value_name = "WHEN", value_parser = since)]
    pub since: Option<Since>,
    /// Only entries after this number.
    #[arg(long, value_name = "N")]
    pub after: Option<u64>,
    /// Only entries before this number; the note under a page says.
    #[arg(long, value_name = "N")]
    pub before: Option<u64>,
    /// Only what touched this record.
    #[arg(long, value_name = "KIND/ID")]
    pub record: Option<String>,
    /// At most so many.
    #[arg(long, visible_alias = "limit", value_name = "N", default_value_t = kjerne_workspace::limits::PAGE.count())]
    pub top: usize,
    /// In the order it happened, and not the newest first.
    #[arg(long)]
    pub oldest_first: bool,
}

/// From when on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Since {
    /// From a time on.
    At(Instant),
    /// From so many milliseconds ago on.
    Ago(i64),
}

/// `import`
#[derive(Args, Debug)]
pub struct ImportArgs {
    /// The file.
    pub file: PathBuf,
    /// The kind its rows become.
    #[arg(long = "as", value_name = "KIND")]
    pub kind: String,
    /// What column goes where; without it the columns are our own field names, as in an export.
    #[arg(long, value_name = "MAP.toml")]
    pub map: Option<PathBuf>,
    /// Find out what would happen and store nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Where rows go that are not taken, with the reason.
    #[arg(long, value_name = "OUT.csv")]
    pub rejects: Option<PathBuf>,
}

/// `export`
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// The kind.
    pub kind: String,
    /// Only these.
    #[arg(long, default_value = "", hide_default_value = true)]
    pub filter: String,
    /// Where to; otherwise standard output.
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Put an apostrophe before cells that a spreadsheet would take for formulas; an import takes it
    /// off again.
    #[arg(long)]
    pub safe_for_spreadsheets: bool,
    /// Write over a file that is there.
    #[arg(long, requires = "to")]
    pub force: bool,
}

/// `action`
#[derive(Args, Debug)]
pub struct ActionArgs {
    /// The plugin.
    pub plugin: String,
    /// The command.
    pub command: String,
    /// Its arguments.
    #[arg(value_name = "NAME=VALUE", value_parser = pair)]
    pub arguments: Vec<(String, String)>,
    /// Who asks; otherwise the name the system knows you by.
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
}

/// `ask`
#[derive(Subcommand, Debug)]
pub enum AskCommand {
    /// Where an opportunity stands, where it may go, and what stands in the way.
    Standing {
        /// The opportunity's id.
        id: String,
    },
    /// How far the customer is with the buying jobs of an opportunity.
    Assess {
        /// The opportunity's id.
        id: String,
    },
    /// The service targets of a case: due, used, met or missed.
    Targets {
        /// The case's id.
        id: String,
    },
    /// What the service rules make of a case.
    Triage {
        /// The case's id.
        id: String,
    },
    /// The open opportunities that have stood still for too long.
    Stale,
    /// The pipelines and their stages.
    Pipelines,
    /// The jobs customers do.
    Jobs,
    /// How good the chances of a record are, and why.
    Score {
        /// The kind.
        kind: String,
        /// The record's id.
        id: String,
    },
    /// How good the chances of records are, a page of them at a time.
    Scores {
        /// The kind.
        kind: String,
        /// Only these: "closed_on eq null"
        #[arg(long, default_value = "", hide_default_value = true)]
        filter: String,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = kjerne_workspace::limits::PAGE.count())]
        top: usize,
        /// From where the page before ended; the note under a page says.
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
    },
}

/// `report`
#[derive(Subcommand, Debug)]
pub enum ReportCommand {
    /// Opportunities by stage, and how far the customers are with their own jobs.
    Pipeline,
    /// Service targets by priority: met, missed, running.
    ServiceLevels,
    /// List all reports, with what they take.
    List,
    /// Run a plugin's report, all its pages: run PLUGIN REPORT name=value …
    Run {
        /// The plugin.
        plugin: String,
        /// The report.
        report: String,
        /// Its arguments.
        #[arg(value_name = "NAME=VALUE", value_parser = pair)]
        arguments: Vec<(String, String)>,
    },
}

/// `panel`
#[derive(Args, Debug)]
pub struct PanelArgs {
    /// The kind, or today.
    pub kind: String,
    /// The record's id.
    pub id: Option<String>,
}

/// `approval`
#[derive(Subcommand, Debug)]
pub enum ApprovalCommand {
    /// List what waits, the oldest first.
    List,
    /// Show what waits: what it would do, and why somebody is asked.
    Show {
        /// Its id.
        id: String,
    },
    /// Let it through; the commit takes its whole path again, on the records as they are now.
    Approve {
        #[command(flatten)]
        which: Pending,
        /// In which role, when you are in several that are asked.
        #[arg(long, value_name = "ROLE")]
        role: Option<String>,
    },
    /// Refuse it for good.
    Reject {
        #[command(flatten)]
        which: Pending,
        /// Why.
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
    },
    /// Take back what you have asked for.
    Withdraw {
        #[command(flatten)]
        which: Pending,
    },
}

/// A commit that waits, and who answers.
#[derive(Args, Debug)]
pub struct Pending {
    /// Its id.
    pub id: String,
    /// Who answers; otherwise the name the system knows you by.
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
}

/// `approver`
#[derive(Subcommand, Debug)]
pub enum ApproverCommand {
    /// Put somebody in a role: approver add sales-manager user:kari
    Add {
        /// The role, as plugins' settings name it.
        role: String,
        /// Who, as user:NAME.
        actor: String,
    },
    /// List who is in which role.
    List,
    /// Take somebody out of a role.
    Remove {
        /// The role.
        role: String,
        /// Who, as user:NAME.
        actor: String,
    },
}

/// `token`
#[derive(Subcommand, Debug)]
pub enum TokenCommand {
    /// Make a token, over one there was; it is shown this once.
    Add {
        /// Whose token.
        name: String,
    },
    /// List who has one.
    List,
    /// Take a token back.
    Remove {
        /// Whose token.
        name: String,
    },
}

/// `secret`
#[derive(Subcommand, Debug)]
pub enum SecretCommand {
    /// Make a secret, or take one from standard input, over one there was.
    Set {
        /// The name plugins' settings use.
        name: String,
        /// Read the secret from standard input.
        #[arg(long)]
        stdin: bool,
    },
    /// List the names.
    List,
    /// Forget a secret.
    Remove {
        /// Its name.
        name: String,
    },
}

fn since(text: &str) -> Result<Since, String> {
    let unit = match text.chars().last() {
        Some('m') => 60_000,
        Some('h') => 3_600_000,
        Some('d') => 86_400_000,
        _ => {
            let expected = "expected a time with its offset, 2026-03-02T09:00:00+01:00, or how long \
                            ago, 30m, 12h or 7d";
            // A date alone does not say in which zone its day begins.
            let time = Some(text).filter(|text| text.contains(':'));
            let time = time.and_then(Instant::read);
            return time.map(Since::At).ok_or_else(|| expected.to_owned());
        }
    };
    let count: u32 = text[..text.len() - 1]
        .parse()
        .map_err(|_| "expected how long ago, 30m, 12h or 7d".to_owned())?;
    Ok(Since::Ago(i64::from(count) * unit))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_ends_with_the_exit_codes() {
        let help = Cli::command().render_long_help().to_string();
        assert!(
            help.contains("Exit codes:") && help.contains("6  the data file is damaged"),
            "{help}"
        );
    }

    #[test]
    fn since_is_a_time_or_how_long_ago() {
        let at = |text| Ok(Since::At(Instant::read(text).unwrap()));
        assert_eq!(
            since("2026-03-02T09:00:00+01:00"),
            at("2026-03-02T08:00:00Z")
        );
        for (text, millis) in [("30m", 1_800_000), ("12h", 43_200_000), ("0d", 0)] {
            assert_eq!(since(text), Ok(Since::Ago(millis)), "{text}");
        }
        for text in [
            "",
            "2026-03-02",
            "2026-03-02T09:00:00",
            "h",
            "-3h",
            "1.5h",
            "9 d",
            "år",
        ] {
            assert!(since(text).is_err(), "{text}");
        }
    }

    #[test]
    fn field_arguments_keep_every_sign_after_the_first() {
        let cli =
            Cli::try_parse_from(["kjerne", "create", "account", "name=a=b", "region="]).unwrap();
        let Command::Create(create) = cli.command else {
            panic!("another command")
        };
        assert_eq!(create.fields[0], ("name".into(), "a=b".into()));
        assert_eq!(create.fields[1], ("region".into(), String::new()));
        assert!(Cli::try_parse_from(["kjerne", "create", "account", "name"]).is_err());
    }
}
