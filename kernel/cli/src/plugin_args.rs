//! The commands about plugins as data.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::pair::pair;

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
