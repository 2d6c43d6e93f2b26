//! What comes of a commit for which guards ask approval: it waits, or those who were asked have let it
//! through.
//!
//! An approval is for what those who approve were shown. So it satisfies exactly the rules that asked
//! then, by plugin, code, role and change, and only while the records are as they were: the changes
//! themselves are kept with the commit and never amended. Where a rule asks that had not, or a record has
//! changed, nothing is let through; the commit waits on as it is now, and everybody asked looks again.

use kjerne_model::{Act, Asked, Change, Code, Edit, Entry, Message, RecordId, Refusal};
use kjerne_store::{Approval, PendingRow, StoreError, approvers, pending};

use crate::kernel::Kernel;
use crate::limits;
use crate::outcome::{OpenRole, Touched, Waiting};
use crate::rows_beside::{Approving, Row, Way};
use crate::sealed::Sealed;
use kjerne_query::Reader;

/// A guard has asked, and the commit waits.
pub(crate) const ASK: &str = "approval.ask";
/// Somebody has approved. In the entry of the commit itself: the last who was asked.
pub(crate) const APPROVE: &str = "approval.approve";
/// What waits has changed, and the approvals so far are for nothing.
pub(crate) const RENEW: &str = "approval.renew";
/// Somebody who was asked does not want it.
pub(crate) const REJECT: &str = "approval.reject";
/// Whoever asked wants it no longer.
pub(crate) const WITHDRAW: &str = "approval.withdraw";
/// It has waited for too long.
pub(crate) const EXPIRE: &str = "approval.expire";

/// The most rules an act names; who wants them all looks at the commit.
const TOLD: usize = 10;

/// What comes of a commit that no guard refuses.
pub(crate) enum Passes {
    /// It is stored; with the act that let it through, where it had to wait.
    Stored(Option<Act>),
    /// It waits.
    Waits(Box<Waits>),
}

/// A commit that waits, and the act that tells so.
pub(crate) struct Waits {
    pub(crate) row: PendingRow,
    pub(crate) act: Act,
    /// Whether an approval came too late for it.
    pub(crate) renewed: bool,
}

/// What became of a commit that a key leads to, when it had to wait.
pub(crate) enum Known {
    Waits(Box<Waiting>),
    Ended(Refusal),
}

impl Kernel {
    /// Whether a commit may be stored that these rules ask approval for.
    pub(crate) fn passes(&self, way: &Way<'_>, asked: Vec<Asked>, sealed: &Sealed) -> Passes {
        let Way {
            commit,
            digest,
            beside,
        } = *way;
        if let Some(approving) = &beside.approval {
            return approved(approving, asked, sealed);
        }
        if asked.is_empty() {
            return Passes::Stored(None);
        }
        let row = PendingRow {
            id: self.ids().next(commit.at),
            asked_at: commit.at,
            actor: commit.actor.clone(),
            behind: beside.behind.clone(),
            changes: with_ids(&commit.changes, sealed),
            key: commit.key.clone().zip(digest),
            cause: commit.cause,
            messages: beside.effects.iter().filter_map(message).collect(),
            link: beside.link,
            edits: sealed.edits(),
            asked,
            approvals: Vec::new(),
            told: Vec::new(),
            error: None,
        };
        let act = act(ASK, &row).with("expires_at", expires_at(&row).to_string());
        Passes::Waits(Box::new(Waits {
            row,
            act,
            renewed: false,
        }))
    }
}

/// Whether an approval lets through what has waited, as it is now.
fn approved(approving: &Approving, asked: Vec<Asked>, sealed: &Sealed) -> Passes {
    let Approving { row, by, role } = approving;
    let edits = sealed.edits();
    let was_asked = |one: &Asked| row.asked.iter().any(|known| is_same(known, one));
    let is_as_it_was = versions(&edits).eq(versions(&row.edits)) && asked.iter().all(was_asked);
    // Once it has changed, each who approves has to have been told so: whoever looked before saw another.
    let is_as_shown = is_as_it_was && (row.told.is_empty() || row.told.contains(by));
    let mut row = PendingRow {
        edits,
        asked,
        error: None,
        ..row.clone()
    };
    if open_roles(&row).is_empty() {
        let by = row.approvals.iter();
        let by: Vec<String> = by
            .map(|one| format!("{} as {}", one.by, one.role))
            .collect();
        if is_as_shown || row.asked.is_empty() {
            let act = act(APPROVE, &row).with("approved_by", by.join(", "));
            return Passes::Stored(Some(act));
        }
    }
    let act = if is_as_shown {
        act(APPROVE, &row)
            .with("approved_by", format!("{by} as {role}"))
            .with("still_open", open_roles(&row).join(", "))
    } else {
        if is_as_it_was {
            row.approvals.retain(|one| one.by != *by);
        } else {
            row.approvals.clear();
            row.told.clear();
        }
        row.told.push(by.clone());
        act(RENEW, &row).with(
            "because",
            "what it is about has changed since it was asked for",
        )
    };
    Passes::Waits(Box::new(Waits {
        row,
        act,
        renewed: !is_as_shown,
    }))
}

/// Whether it is the same rule that asks the same people about the same change.
fn is_same(one: &Asked, other: &Asked) -> bool {
    let key = |asked: &Asked| {
        let Asked { role, remark } = asked;
        let rule = (remark.plugin.clone(), remark.code.clone());
        (role.clone(), rule, remark.change)
    };
    key(one) == key(other)
}

/// The records a commit is about, each in the version it would have.
fn versions(edits: &[Edit]) -> impl Iterator<Item = (&str, RecordId, u64)> {
    edits
        .iter()
        .map(|edit| (edit.kind.as_str(), edit.id, edit.version))
}

/// The changes, with the ids that the records they create were given.
fn with_ids(changes: &[Change], sealed: &Sealed) -> Vec<Change> {
    let with_id = |(index, change): (usize, &Change)| {
        let mut change = change.clone();
        if let Change::Create { id, .. } = &mut change {
            *id = sealed.work().of_change(index).map(|slot| slot.id);
        }
        change
    };
    changes.iter().enumerate().map(with_id).collect()
}

fn message(row: &Row) -> Option<Message> {
    match row {
        Row::Message { message, .. } => Some(message.clone()),
        _ => None,
    }
}

/// The roles asked, each once, in the order of their names.
pub(crate) fn roles(row: &PendingRow) -> Vec<&str> {
    let mut roles: Vec<&str> = row.asked.iter().map(|one| one.role.as_str()).collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

/// The roles in which nobody has approved yet.
pub(crate) fn open_roles(row: &PendingRow) -> Vec<&str> {
    let is_open = |role: &&str| row.approvals.iter().all(|one: &Approval| one.role != *role);
    roles(row).into_iter().filter(is_open).collect()
}

/// When a commit stops waiting.
pub(crate) fn expires_at(row: &PendingRow) -> kjerne_model::Instant {
    row.asked_at.plus_millis(limits::PENDING_AGE.value as i64)
}

/// An act about a commit that waits.
pub(crate) fn act(operation: &str, row: &PendingRow) -> Act {
    let rule = |one: &Asked| format!("{}/{}", one.remark.plugin, one.remark.code);
    let mut rules: Vec<String> = row.asked.iter().map(rule).collect();
    rules.sort_unstable();
    rules.dedup();
    let more = rules.len().saturating_sub(TOLD);
    rules.truncate(TOLD);
    if more > 0 {
        rules.push(format!("and {more} more"));
    }
    let of = match &row.behind {
        Some(behind) => format!("{} for {behind}", row.actor),
        None => row.actor.to_string(),
    };
    Act::new(operation, &row.id.to_string())
        .with("of", of)
        .with("roles", roles(row).join(", "))
        .with("rules", rules.join(", "))
}

/// A commit that waits, as it is told: who is asked, and who may answer.
///
/// # Errors
/// When the store cannot be read.
pub(crate) fn told(row: &PendingRow, entry: u64, reader: &Reader) -> Result<Waiting, StoreError> {
    let mut open = Vec::new();
    for role in open_roles(row) {
        let mut approvers = approvers::of_role(reader, role)?;
        approvers.retain(|who| *who != row.actor && row.behind.as_ref() != Some(who));
        approvers.retain(|who| row.approvals.iter().all(|one| one.by != *who));
        open.push(OpenRole {
            role: role.to_owned(),
            approvers,
        });
    }
    Ok(Waiting {
        id: Some(row.id),
        entry,
        asked: row.asked.clone(),
        open,
        expires_at: expires_at(row),
        edits: row.edits.iter().map(Touched::by).collect(),
        replayed: false,
        renewed: false,
    })
}

/// What became of a commit that had to wait, by the entry its key leads to; none for an entry that stored
/// it, or has nothing to do with approval.
pub(crate) fn known(entry: &Entry, reader: &Reader) -> Result<Option<Known>, StoreError> {
    let Some(act) = &entry.act else {
        return Ok(None);
    };
    let became = match act.operation.as_str() {
        ASK => {
            let id = RecordId::parse(&act.subject).ok();
            let row = id.map(|id| pending::get(reader, id)).transpose()?.flatten();
            let Some(row) = row else {
                let message =
                    "what was asked for with this key is gone with the plugin that proposed it";
                let refusal = Refusal::new(Code::NotAllowed, message);
                return Ok(Some(Known::Ended(refusal)));
            };
            let waiting = told(&row, entry.number, reader)?;
            return Ok(Some(Known::Waits(Box::new(Waiting {
                replayed: true,
                ..waiting
            }))));
        }
        REJECT => "rejected",
        WITHDRAW => "withdrawn",
        EXPIRE => "not answered in time",
        _ => return Ok(None),
    };
    let why = act.details.iter().find(|(name, _)| name == "why");
    let why = why.map_or(String::new(), |(_, why)| format!(" ({why})"));
    let message = format!(
        "what was asked for with this key was {became}, by {}{why}; ask with another key to ask anew",
        entry.actor
    );
    Ok(Some(Known::Ended(Refusal::new(Code::NotAllowed, message))))
}
