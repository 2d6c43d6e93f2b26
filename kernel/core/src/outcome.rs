//! What became of a commit.

use kjerne_model::{
    Actor, Asked, Code, Edit, Instant, Name, RecordId, Refusal, Remark, Value, Verdict,
};

use crate::faults::Faults;
use crate::plugins::Fault;

/// The answer to a commit. Broken storage is not an outcome but an error.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was stored, durably (or, for a dry run, it would have been).
    Accepted(Receipt),
    /// It is not stored: it waits until those who are asked let it through (or, for a dry run, it would).
    Waiting(Box<Waiting>),
    /// It was refused and nothing was stored: the reasons found, the first in order of precedence in
    /// front, up to a limit; the last then says how many more there were. Never empty.
    Refused(Vec<Refusal>),
}

impl Outcome {
    /// The receipt, if it was accepted.
    #[must_use]
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Accepted(receipt) => Some(receipt),
            Self::Waiting(_) | Self::Refused(_) => None,
        }
    }

    /// The reasons, if it was refused.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        match self {
            Self::Accepted(_) | Self::Waiting(_) => &[],
            Self::Refused(refusals) => refusals,
        }
    }

    /// Refused, with the reasons brought into order: by precedence of their codes, then by the place
    /// of the change; reasons of one code and change keep the order they were found in, which for
    /// guards is the fixed order of the plugins.
    pub(crate) fn refused(refusals: Vec<Refusal>) -> Self {
        let mut faults = Faults::default();
        faults.extend(refusals);
        Self::Refused(faults.told())
    }

    /// Whether it was refused only because too much was going on: nobody said no, and the same may well be
    /// taken a moment later.
    #[must_use]
    pub fn is_overload(&self) -> bool {
        let refusals = self.refusals();
        !refusals.is_empty() && refusals.iter().all(is_overload)
    }

    /// Whether it was refused only because records had changed since they were read.
    pub(crate) fn is_stale(&self) -> bool {
        let refusals = self.refusals();
        let stale = |refusal: &Refusal| refusal.code == Code::StaleVersion;
        !refusals.is_empty() && refusals.iter().all(stale)
    }

    /// Its reasons in one line, for rows that keep an error.
    pub(crate) fn told(&self) -> String {
        let reasons: Vec<String> = self
            .refusals()
            .iter()
            .map(|one| format!("{}: {one}", one.code.name()))
            .collect();
        reasons.join("; ")
    }

    /// True when `code` is among the reasons.
    pub(crate) fn has(&self, code: Code) -> bool {
        self.refusals().iter().any(|refusal| refusal.code == code)
    }
}

fn is_overload(refusal: &Refusal) -> bool {
    match refusal.code {
        Code::Contention => true,
        Code::PluginFault => refusal.reason.as_deref() == Some(Fault::BUSY),
        _ => false,
    }
}

/// What an accepted commit did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The number of its journal entry; 0 when there is none: a dry run, or nothing changed.
    pub entry: u64,
    /// The commit's time.
    pub at: Instant,
    /// The records it changed, in the order of the changes; a record changed by several changes
    /// stands here once.
    pub edits: Vec<Touched>,
    /// True when a commit with the same key had been stored before, and this is what it did.
    pub replayed: bool,
    /// The fields that plugins filled in or set to something else than was asked for; not told again
    /// when it is replayed.
    pub plugin_sets: Vec<PluginSet>,
    /// What guards advise, in the plugins' fixed order.
    pub advice: Vec<Remark>,
    /// What each plugin that was asked cost it; not told again when it is replayed.
    pub costs: Vec<PluginCost>,
}

/// What one plugin cost a commit in one role, over all tries of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PluginCost {
    /// The plugin.
    pub plugin: String,
    /// `shape` or `guard`.
    pub role: &'static str,
    /// How often it was asked: more than once when others changed meanwhile what the commit had read.
    pub calls: u64,
    /// The fuel it used.
    pub fuel: u64,
    /// The time it took, in millionths of a second.
    pub micros: u64,
    /// The rows of records and indexes it looked at.
    pub reads: u64,
}

impl PluginCost {
    /// Adds one call of a plugin to what a commit has cost so far.
    pub(crate) fn add(costs: &mut Vec<Self>, call: Self) {
        let same = |sum: &&mut Self| sum.plugin == call.plugin && sum.role == call.role;
        match costs.iter_mut().find(same) {
            Some(sum) => {
                sum.calls += call.calls;
                sum.fuel = sum.fuel.saturating_add(call.fuel);
                sum.micros = sum.micros.saturating_add(call.micros);
                sum.reads = sum.reads.saturating_add(call.reads);
            }
            None => costs.push(call),
        }
    }
}

impl Receipt {
    /// Of a commit that changed nothing.
    pub(crate) fn of_nothing(at: Instant) -> Self {
        Self {
            entry: 0,
            at,
            edits: Vec::new(),
            replayed: false,
            plugin_sets: Vec::new(),
            advice: Vec::new(),
            costs: Vec::new(),
        }
    }

    /// The fields that were asked to have one value and were given another by a plugin.
    pub fn overridden(&self) -> impl Iterator<Item = &PluginSet> {
        self.plugin_sets.iter().filter(|one| one.asked)
    }
}

/// What plugins did to a commit and said of it, for its receipt.
#[derive(Default)]
pub(crate) struct Told {
    pub(crate) plugin_sets: Vec<PluginSet>,
    pub(crate) advice: Vec<Remark>,
    pub(crate) costs: Vec<PluginCost>,
}

impl Told {
    /// What shapes set, what guards advise, and what both cost.
    pub(crate) fn of(
        plugin_sets: Vec<PluginSet>,
        verdicts: &[Verdict],
        costs: Vec<PluginCost>,
    ) -> Self {
        Self {
            plugin_sets,
            advice: advice(verdicts),
            costs,
        }
    }
}

/// What the guards among the plugins asked advise.
pub(crate) fn advice(verdicts: &[Verdict]) -> Vec<Remark> {
    let advice = verdicts.iter().flat_map(|verdict| &verdict.advice);
    advice.cloned().collect()
}

/// A commit that waits for approval.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Its id; none for a dry run.
    pub id: Option<RecordId>,
    /// The number of the journal entry that tells so; 0 for a dry run.
    pub entry: u64,
    /// The rules that ask, and why.
    pub asked: Vec<Asked>,
    /// The roles that have not approved yet.
    pub open: Vec<OpenRole>,
    /// When it stops waiting.
    pub expires_at: Instant,
    /// The records it would change.
    pub edits: Vec<Touched>,
    /// True when a commit with the same key waits already, and this is it.
    pub replayed: bool,
    /// True when an approval did not count, since what it was for has changed meanwhile: those who were
    /// asked have to look at it as it is now.
    pub renewed: bool,
}

/// A role that is asked, and who may answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenRole {
    /// The role.
    pub role: String,
    /// Who may approve in it; nobody unless somebody was put there.
    pub approvers: Vec<Actor>,
}

impl Waiting {
    /// The reasons to refuse a commit that would have to wait and cannot; `who` says what it is.
    #[must_use]
    pub fn refusals(asked: Vec<Asked>, who: &str) -> Vec<Refusal> {
        let refusal = |Asked { role, mut remark }: Asked| {
            let why = remark.message.trim_end_matches('.');
            remark.message =
                format!("{why}. It needs the approval of {role}, and {who} cannot wait");
            of_remark(Code::CannotWait, remark)
        };
        asked.into_iter().map(refusal).collect()
    }
}

/// What a guard said, as a refusal with this code.
pub(crate) fn of_remark(code: Code, remark: Remark) -> Refusal {
    Refusal {
        code,
        change: remark.change,
        kind: remark.kind,
        id: remark.id,
        field: remark.field,
        message: remark.message,
        plugin: Some(remark.plugin),
        reason: Some(remark.code),
    }
}

/// A field that a shape filled in, or set to something else than was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PluginSet {
    /// The change that asked, or the record's last one, by its place in the commit.
    pub change: usize,
    /// The record's kind.
    pub kind: Name,
    /// The record's id.
    pub id: RecordId,
    /// The field.
    pub field: Name,
    /// The plugin that set it.
    pub plugin: String,
    /// What the field holds now; none when it is empty.
    pub value: Option<Value>,
    /// Whether the commit had asked for another value.
    pub asked: bool,
}

/// One record a commit changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Touched {
    /// Its kind.
    pub kind: Name,
    /// Its id.
    pub id: RecordId,
    /// Its version after the commit; for a record that was removed, the version it would have had.
    pub version: u64,
}

impl Touched {
    /// What an edit touched.
    pub(crate) fn by(edit: &Edit) -> Self {
        Self {
            kind: edit.kind.clone(),
            id: edit.id,
            version: edit.version,
        }
    }
}
