//! The command line as data.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use kjerne_model::Instant;

use crate::output::Format;

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

/// `plugin cost`
#[derive(Args, Debug)]
pub struct CostArgs {
    /// Only this plugin.
    pub plugin: Option<String>,
    /// Only from this day on: 2026-03-02
    #[arg(long, value_name = "DAY")]
    pub since: Option<String>,
    /// What is told apart.
    #[arg(long, value_name = "WHAT", default_value = "day", value_parser = ["day", "role", "kind", "version"])]
    pub by: String,
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

/// `plugin keygen`
#[derive(Args, Debug)]
pub struct KeygenArgs {
    /// What the files are called, without their endings.
    #[arg(default_value = "kjerne")]
    pub name: PathBuf,
    /// Keep the secret key without a password. Else one is asked for; where nobody sits in front of it,
    /// it is a line of standard input.
    #[arg(long)]
    pub no_password: bool,
    /// The secret key this one comes after, which signs it: NAME.pub.minisig.
    #[arg(long, value_name = "FILE")]
    pub successor_of: Option<PathBuf>,
}

/// `plugin install`
#[derive(Args, Debug)]
pub struct InstallArgs {
    /// The file.
    pub file: PathBuf,
    /// Its signature; otherwise FILE.minisig when it is there.
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
    /// The publisher's public key, or its file; otherwise the one that is known, or that the signature names.
    #[arg(long, short = 'P', value_name = "KEY")]
    pub public_key: Option<String>,
    /// The old key's word for a new one: the NAME.pub.minisig its publisher made.
    #[arg(long, value_name = "FILE")]
    pub succession: Option<PathBuf>,
    /// Take it although nobody signed it; it stays marked.
    #[arg(long, conflicts_with_all = ["signature", "public_key", "succession"])]
    pub unsigned: bool,
}

/// `plugin accept`
#[derive(Args, Debug)]
pub struct AcceptArgs {
    /// The plugin.
    pub plugin: String,
    /// The version that was looked at; another one is not accepted.
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Grant this as well, such as send:https://host where it asks for send:*
    #[arg(long = "grant", value_name = "ITEM")]
    pub items: Vec<String>,
    /// Grant everything it declares.
    #[arg(long)]
    pub all_declared: bool,
}

/// `plugin`
#[derive(Subcommand, Debug)]
pub enum PluginCommand {
    /// Begin a plugin: a folder that builds and passes its tests.
    New(NewArgs),
    /// Build a plugin's folder into one file.
    Build {
        /// The plugin's folder.
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Run a plugin's cases in the real host under production limits.
    Test {
        /// The plugin's folder.
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Make a key to sign plugins with: NAME.key, which is secret, and NAME.pub.
    Keygen(KeygenArgs),
    /// Sign a plugin's file: FILE.minisig beside it.
    Sign {
        /// The file.
        file: PathBuf,
        /// The secret key.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Verify the signature of a plugin's file.
    Verify {
        /// The file.
        file: PathBuf,
        /// The publisher's public key, or its file.
        #[arg(long, short = 'P', value_name = "KEY")]
        public_key: String,
        /// The signature; otherwise FILE.minisig.
        #[arg(long, value_name = "FILE")]
        signature: Option<PathBuf>,
    },
    /// Install a plugin's file, or upgrade to it. Installing grants nothing and enables nothing.
    Install(InstallArgs),
    /// Show what a version that waits would change, item by item.
    Review {
        /// The plugin.
        plugin: String,
    },
    /// Have the version that waits take its place, and grant what it needs.
    Accept(AcceptArgs),
    /// Forget the version that waits; the one in use stays.
    Reject {
        /// The plugin.
        plugin: String,
    },
    /// List the publishers whose keys are known, or pin a key to one.
    Trust {
        /// The publisher.
        publisher: Option<String>,
        /// The key that signs for them, or its file.
        #[arg(long, short = 'P', value_name = "KEY", requires = "publisher")]
        public_key: Option<String>,
    },
    /// Revoke a publisher's keys: nothing they signed is installed or switched on any more.
    Distrust {
        /// The publisher.
        publisher: String,
    },
    /// Take the version back that was in use before; its file is kept in the workspace.
    Rollback {
        /// The plugin.
        plugin: String,
        /// Another kept version; kjerne plugin list shows them.
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
    },
    /// List the installed plugins.
    List,
    /// Show what a plugin is, asks for and may do: of a file, or an installed one.
    Inspect {
        /// The file or the plugin.
        plugin: String,
        /// Each item it asks for with its reason, and not a line for each group.
        #[arg(long)]
        items: bool,
    },
    /// Grant what a plugin declares, item by item.
    Grant {
        /// The plugin.
        plugin: String,
        /// Items such as read:opportunity, set:opportunity.probability, send:https://host
        items: Vec<String>,
        /// All it declares about a kind, or state; kjerne plugin inspect shows the groups.
        #[arg(long = "group", value_name = "KIND")]
        groups: Vec<String>,
        /// Everything it declares (wildcards are named concretely).
        #[arg(long)]
        all_declared: bool,
    },
    /// Take grants back.
    Revoke {
        /// The plugin.
        plugin: String,
        /// The items.
        items: Vec<String>,
        /// Everything it was granted.
        #[arg(long)]
        all: bool,
    },
    /// Switch a plugin on, and bind the domain interfaces it offers that nobody has.
    Enable {
        /// The plugin.
        plugin: String,
        /// Bind the domain interfaces it offers even when another plugin has them.
        #[arg(long)]
        bind: bool,
        /// Let its reactions see the journal from the beginning, not from now on.
        #[arg(long)]
        from_start: bool,
    },
    /// Switch a plugin off. Its settings, grants and state stay.
    Disable {
        /// The plugin.
        plugin: String,
    },
    /// Remove a plugin with its state and its file.
    Remove {
        /// The plugin.
        plugin: String,
    },
    /// Show a plugin's settings, or set them from a file.
    Settings {
        /// The plugin.
        plugin: String,
        /// The new settings.
        file: Option<PathBuf>,
        /// Back to the settings it was delivered with.
        #[arg(long, conflicts_with = "file")]
        default: bool,
    },
    /// Show what plugins cost: calls, faults, fuel, time, memory and rows.
    Cost(CostArgs),
    /// Show what plugins cost now: within the last minute, again and again.
    Top {
        /// Only this plugin.
        plugin: Option<String>,
        /// Once, and not again and again.
        #[arg(long)]
        once: bool,
    },
    /// Show what a plugin's calls may use, or set it.
    Limits {
        /// The plugin.
        plugin: String,
        /// A limit of a role, such as fuel.guard=30000000 or fuel.guard=usual; faults.guard=let-pass has
        /// commits pass when the guard breaks, and faults.guard=refuse has them refused.
        #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
        set: Vec<(String, String)>,
    },
    /// Have a plugin asked again that is set aside because its calls broke.
    Resume {
        /// The plugin.
        plugin: String,
    },
    /// Show what plugins do by the clock: last run, next run, state, what was missed.
    Jobs {
        /// Only this plugin.
        plugin: Option<String>,
    },
    /// Run a job now; when it is due next stays as it is.
    RunJob {
        /// The plugin.
        plugin: String,
        /// The job.
        job: String,
    },
    /// Show the journal entries and runs of jobs that plugins gave up on.
    Parked {
        /// Only this plugin.
        plugin: Option<String>,
    },
    /// Have a plugin try a parked entry again, or the run of a job.
    Retry(ParkedArgs),
    /// Forget a parked entry or run: the plugin will never answer it.
    Skip(ParkedArgs),
    /// Show the messages waiting to be delivered, and those given up.
    Outbox,
    /// Show what a plugin logged lately.
    Logs {
        /// The plugin.
        plugin: String,
    },
}

/// `plugin retry` and `plugin skip`
#[derive(Args, Debug)]
pub struct ParkedArgs {
    /// The plugin.
    pub plugin: String,
    /// The journal entry.
    #[arg(required_unless_present = "job")]
    pub entry: Option<u64>,
    /// The role it gave up in.
    #[arg(long, default_value = "react", value_name = "ROLE")]
    pub role: String,
    /// The job whose run it gave up.
    #[arg(long, value_name = "JOB", conflicts_with_all = ["entry", "role"])]
    pub job: Option<String>,
}

/// `plugin new`
#[derive(Args, Debug)]
pub struct NewArgs {
    /// Its id, which is also the folder's name: acme.credit-check
    pub id: String,
    /// What it does.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "guard",
        value_name = "ROLE"
    )]
    pub role: Vec<String>,
    /// The kind it is about.
    #[arg(long, default_value = "opportunity")]
    pub kind: String,
    /// Where to put the folder.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub into: PathBuf,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("expected name=value, found {text:?}")),
    }
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
