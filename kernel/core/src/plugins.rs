//! The seam between the kernel and its plugins.
//!
//! Two implementations: the WebAssembly host, and a table of closures in this crate's own tests and
//! tools. Plugins are asked with everything they may know and answer with data; nothing they do
//! takes effect before the kernel has checked it.

use std::fmt;
use std::sync::Arc;

use kjerne_model::models::Reply;
use kjerne_model::{
    Actor, Change, Entry, Fields, Instant, Message, Name, RecordId, Reference, Value,
};

use kjerne_store::DueRun;

use crate::watches::Watches;
use kjerne_query::Reader;

/// The plugins of a workspace.
pub trait Plugins: Send + Sync {
    /// The enabled plugins with this role, in the workspace's fixed order.
    fn with_role(&self, role: Role) -> Vec<Arc<PluginInfo>>;

    /// Asks one plugin to shape a commit. `drafts` holds the changes it watches.
    ///
    /// # Errors
    /// When the plugin broke; the commit is refused.
    fn shape(
        &self,
        plugin: &PluginInfo,
        call: &Call,
        drafts: &[Draft<'_>],
    ) -> Result<Shaped, Fault>;

    /// Asks one plugin to allow or refuse a commit.
    ///
    /// # Errors
    /// When the plugin broke; the commit is refused.
    fn guard(
        &self,
        plugin: &PluginInfo,
        call: &Call,
        drafts: &[Draft<'_>],
    ) -> Result<Guarded, Fault>;

    /// Has one plugin do something after the fact, and collects what it wants done.
    ///
    /// # Errors
    /// When the plugin broke or said it failed; nothing it wanted is done.
    fn run(&self, plugin: &PluginInfo, call: &Call, task: &Task) -> Result<Effects, Fault>;
}

/// An installed, enabled plugin, as of the time it was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PluginInfo {
    /// Its id, `sales-stages` or `acme.credit-check`.
    pub id: String,
    /// Its version.
    pub version: String,
    /// What it watches in the role asked for.
    pub watches: Watches,
    /// Whether a commit passes when it breaks as a guard; the journal's entry says so. Else it is refused.
    pub lets_pass: bool,
}

/// What a plugin can be asked to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Sets fields before a commit is checked.
    Shape,
    /// Allows or refuses a commit.
    Guard,
    /// Answers stored commits with proposals and messages.
    React,
    /// Runs commands by name.
    Action,
    /// Is asked about pipelines and stages.
    SalesStages,
    /// Is asked about the customer's buying process.
    BuyingProcess,
    /// Is asked about service levels, and escalates.
    ServiceRules,
    /// Turns journal entries into messages and takes what comes in.
    Integration,
    /// Does jobs that are due by the clock.
    Schedule,
    /// Reads its settings once, so that calls need not. The kernel never asks for it; the host does.
    Prepare,
    /// Answers rows about many records, page by page.
    Report,
    /// Makes cards about a record or about the day.
    Panel,
    /// Is asked how good the chances of records are.
    Scoring,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 13] = [
        Self::Shape,
        Self::Guard,
        Self::React,
        Self::Action,
        Self::SalesStages,
        Self::BuyingProcess,
        Self::ServiceRules,
        Self::Integration,
        Self::Schedule,
        Self::Prepare,
        Self::Report,
        Self::Panel,
        Self::Scoring,
    ];

    /// The role's name, which is the name of its interface in the contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::Guard => "guard",
            Self::React => "react",
            Self::Action => "action",
            Self::SalesStages => "sales-stages",
            Self::BuyingProcess => "buying-process",
            Self::ServiceRules => "service-rules",
            Self::Integration => "integration",
            Self::Schedule => "schedule",
            Self::Prepare => "prepare",
            Self::Report => "report",
            Self::Panel => "panel",
            Self::Scoring => "scoring",
        }
    }
}

/// What a call is about.
#[derive(Clone)]
pub struct Call {
    /// The only time the plugin sees.
    pub now: Instant,
    /// Who asked.
    pub actor: Actor,
    /// How many reactions led here.
    pub depth: u32,
    /// What the plugin reads through; remembers what was read.
    pub reader: Arc<Reader>,
}

/// One change of a commit under way, as plugins see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Draft<'a> {
    /// Its place in the commit, counted from 0.
    pub change: usize,
    /// The record's kind.
    pub kind: &'a Name,
    /// The record's id.
    pub id: RecordId,
    /// The record's fields before; none for a create.
    pub before: Option<&'a Fields>,
    /// The record's fields as they would be stored; none for a delete.
    pub after: Option<&'a Fields>,
}

/// What a shape did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shaped {
    /// The fields it set, in order.
    pub sets: Vec<FieldSet>,
    /// The fuel it used.
    pub fuel: u64,
    /// The time it took, in millionths of a second.
    pub micros: u64,
    /// The rows of records and indexes it looked at.
    pub reads: u64,
}

/// One field set by a shape.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldSet {
    /// The change, by its place in the commit.
    pub change: usize,
    /// The field.
    pub field: Name,
    /// The value; none clears the field.
    pub value: Option<Value>,
}

/// What a guard said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Guarded {
    /// What it found; empty when it allows the commit and has nothing to say.
    pub findings: Vec<Finding>,
    /// The fuel it used.
    pub fuel: u64,
    /// The time it took, in millionths of a second.
    pub micros: u64,
    /// The rows of records and indexes it looked at.
    pub reads: u64,
}

/// What a finding does to the commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Force {
    /// It is refused.
    Refuses,
    /// It waits until somebody with the role lets it through.
    AsksApproval {
        /// The role.
        role: String,
    },
    /// Nothing: it is stored with the commit, and shown.
    Advises,
}

/// One thing a guard found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What it does to the commit.
    pub force: Force,
    /// The change, by its place in the commit.
    pub change: usize,
    /// The field the person should look at.
    pub field: Option<String>,
    /// The rule's own name.
    pub code: String,
    /// What is wrong and what to do; or what to look at, or why somebody is asked.
    pub message: String,
}

/// Something a plugin is asked to do after the fact.
#[derive(Clone, PartialEq, Debug)]
pub enum Task {
    /// Answer these entries ([`Role::React`]).
    React(Vec<Entry>),
    /// Turn these entries into messages ([`Role::Integration`]).
    Outbound(Vec<Entry>),
    /// Take the answer to a message ([`Role::Integration`]).
    Answered {
        /// The message's id.
        id: String,
        /// The HTTP status; 0 when none came.
        status: u16,
        /// The answer's content type.
        content_type: String,
        /// The answer's body, cut at its limit.
        body: Vec<u8>,
        /// Whether it was delivered (else it was given up).
        delivered: bool,
    },
    /// Take a message from outside ([`Role::Integration`]).
    Inbound {
        /// Which of the plugin's sources it came to.
        source: String,
        /// Its content type.
        content_type: String,
        /// Its headers, names in small letters.
        headers: Vec<(String, String)>,
        /// Its body.
        body: Vec<u8>,
    },
    /// Do the next escalation step of a case ([`Role::ServiceRules`]).
    Escalate(Reference),
    /// Do a job that is due ([`Role::Schedule`]).
    Job {
        /// Its name.
        job: String,
        /// The time it was due, and how many went by before it.
        due: DueRun,
    },
    /// Run a command ([`Role::Action`]).
    Action {
        /// Its name.
        command: String,
        /// Its arguments, by name.
        arguments: Vec<(String, Option<Value>)>,
    },
}

impl Task {
    /// The role the task belongs to.
    #[must_use]
    pub fn role(&self) -> Role {
        match self {
            Self::React(_) => Role::React,
            Self::Outbound(_) | Self::Answered { .. } | Self::Inbound { .. } => Role::Integration,
            Self::Escalate(_) => Role::ServiceRules,
            Self::Job { .. } => Role::Schedule,
            Self::Action { .. } => Role::Action,
        }
    }
}

/// What a plugin wants done.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Effects {
    /// The key of the commit its proposals make.
    pub key: Option<String>,
    /// Its proposals, which become one commit.
    pub changes: Vec<Change>,
    /// Its messages.
    pub messages: Vec<Message>,
    /// Writes to its own key space; none removes the key.
    pub state: Vec<(String, Option<Vec<u8>>)>,
    /// What to show whoever asked (actions and inbound messages).
    pub reply: Reply,
    /// The fuel it used.
    pub fuel: u64,
}

/// How a plugin broke, or that it said it failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The plugin.
    pub plugin: String,
    /// The limit passed (`fuel`, `wall-time`, `memory`, `host-calls`, `output`, `log-lines`, …), or
    /// `trap`, `panic`, `bad-output`, `failed`.
    pub limit: String,
    /// The limit's number, when it is a limit.
    pub allowed: Option<u64>,
    /// A sentence that names the plugin, the limit and the number, and says what to do.
    pub message: String,
}

impl Fault {
    /// The limit of a call that found no place in time: the plugin was not asked at all.
    pub const BUSY: &str = "busy";

    /// The limit of a call that was not made because the plugin broke too often of late.
    pub const SET_ASIDE: &str = "set-aside";

    /// Whether the plugin was not asked because too much was going on.
    #[must_use]
    pub fn is_overload(&self) -> bool {
        self.limit == Self::BUSY
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
