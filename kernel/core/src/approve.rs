//! Commits that wait for approval: approved, rejected, withdrawn, expired.
//!
//! An approval is a task like a plugin's: it is decided on what waits and on who is in which role, and
//! stored in one transaction with what it lets through, or not at all. So of two who approve at once one
//! stores the commit, and there is never a commit without the approval beside it in its journal entry.

use std::ops::ControlFlow;
use std::sync::Arc;

use kjerne_model::{Act, Actor, Code, Commit, Instant, RecordId, Refusal, shown};
use kjerne_store::{Approval, PendingRow, StoreError, approvers, pending};

use crate::approvals::{EXPIRE, REJECT, WITHDRAW, Waits, act, expires_at, open_roles, roles, told};
use crate::commit::{Mode, Taken, contention};
use crate::kernel::Kernel;
use crate::limits;
use crate::outcome::{Outcome, Waiting};
use crate::prepared::{Answer, Prepared};
use crate::rows_beside::{Approving, Row, RowsBeside, Way, no_room_for};
use crate::sealed::Sealed;
use kjerne_query::Reader;

/// Commits that stop waiting on one turn of the clock.
const EXPIRED_AT_ONCE: usize = 100;

/// Why a commit goes on waiting, or the number of the entry that ended it.
type Ended = Result<u64, Box<Refusal>>;

/// What somebody who wants to end the waiting of a commit may not do it for.
type Against<'a> = dyn Fn(&PendingRow, &Reader) -> Result<Option<Refusal>, StoreError> + 'a;

impl Kernel {
    /// Has a commit wait that may not be stored yet; none when what it was decided on has changed.
    pub(crate) fn wait(
        &self,
        way: &Way<'_>,
        waits: Waits,
        sealed: &Sealed,
        reader: Arc<Reader>,
        mode: Mode,
    ) -> Result<Option<Taken>, StoreError> {
        let Way { commit, beside, .. } = *way;
        let Waits { row, act, renewed } = waits;
        let cannot = match (mode, &beside.step) {
            (Mode::AtOnce, _) => Some("a row of a file"),
            (_, Some(_)) => Some("a step of the service clock"),
            _ => None,
        };
        if let Some(who) = cannot {
            let refusals = Waiting::refusals(row.asked, who);
            return Ok(Some(Taken::Outcome(Outcome::refused(refusals))));
        }
        if let Some(limit) = no_room_for(reader.unremembered(), &row)? {
            let refusal = no_room(limit);
            return Ok(Some(Taken::Outcome(Outcome::refused(vec![refusal]))));
        }
        let mut waiting = Waiting {
            edits: sealed.touched(),
            renewed,
            ..told(&row, 0, &reader)?
        };
        if mode == Mode::DryRun {
            waiting.id = None;
            return Ok(Some(Taken::Outcome(Outcome::Waiting(Box::new(waiting)))));
        }
        let by = match &beside.approval {
            Some(approving) => approving.by.clone(),
            None => commit.actor.clone(),
        };
        let prepared = Prepared::waiting(way, reader, row, (by, act));
        Ok(match self.group().submit(&**self.store(), prepared)? {
            Answer::Stored(receipt) => {
                waiting.entry = receipt.entry;
                Some(Taken::Outcome(Outcome::Waiting(Box::new(waiting))))
            }
            Answer::Overtaken => Some(Taken::Overtaken),
            Answer::Changed => None,
        })
    }

    /// Lets a commit through that waits, in a role in which somebody was asked; the role has to be said by
    /// who is in several of them. When nobody else has to approve, the commit takes its whole path again,
    /// on the records as they are now, and is stored together with the approval. Refused then, it waits on.
    ///
    /// # Errors
    /// When the store fails.
    pub fn approve(
        &self,
        id: RecordId,
        by: &Actor,
        role: Option<&str>,
        now: Instant,
    ) -> Result<Outcome, StoreError> {
        for _ in 0..limits::COMMIT_TRIES.value {
            let reader = self.remembering()?;
            let Some(row) = pending::get(&*reader, id)? else {
                return Ok(Outcome::refused(vec![none_waits(id)]));
            };
            let (row, role) = match admitted(row, by, role, now, &reader)? {
                Ok(admitted) => admitted,
                Err(refusal) => return Ok(Outcome::refused(vec![*refusal])),
            };
            let commit = Commit {
                changes: row.changes.clone(),
                actor: row.actor.clone(),
                key: row.key.as_ref().map(|(key, _)| key.clone()),
                at: now,
                cause: row.cause,
            };
            let by = by.clone();
            let beside = beside(Approving { row, by, role }, &reader, now);
            let Taken::Outcome(outcome) = self.take(&commit, &beside, Mode::Store)? else {
                continue;
            };
            if matches!(outcome, Outcome::Refused(_)) && !outcome.is_overload() {
                self.keep_error(id, outcome.told(), &reader)?;
            }
            return Ok(outcome);
        }
        Ok(contention())
    }

    /// Keeps why a commit that waits was refused, for whoever asks what became of it.
    fn keep_error(
        &self,
        id: RecordId,
        error: String,
        reader: &Arc<Reader>,
    ) -> Result<(), StoreError> {
        if let Some(mut row) = pending::get(&**reader, id)? {
            row.error = Some(error);
            let rows = vec![Row::Pending(Box::new(row))];
            // Where somebody was faster there is something newer to tell.
            self.store_rows(rows, Some(Arc::clone(reader))).map(drop)?;
        }
        Ok(())
    }

    /// Ends the waiting of a commit: somebody who was asked does not want it.
    ///
    /// # Errors
    /// When the store fails.
    pub fn reject(
        &self,
        id: RecordId,
        by: &Actor,
        why: &str,
        now: Instant,
    ) -> Result<Ended, StoreError> {
        let (bytes, most) = (why.len(), limits::REJECTION.value);
        if bytes as u64 > most {
            let name = limits::REJECTION.name;
            let message = format!("the reason has {bytes} bytes; at most {most} are kept ({name})");
            return Ok(Err(Box::new(Refusal::new(Code::BadCommit, message))));
        }
        let why = shown::plain(why);
        self.end(id, by, now, (REJECT, &why), &|row, reader| {
            for role in roles(row) {
                if is_person(by) && approvers::has(reader, role, by)? {
                    return Ok(None);
                }
            }
            not_asked(row, by, reader).map(Some)
        })
    }

    /// Ends the waiting of a commit: whoever asked for it wants it no longer.
    ///
    /// # Errors
    /// When the store fails.
    pub fn withdraw(&self, id: RecordId, by: &Actor, now: Instant) -> Result<Ended, StoreError> {
        self.end(id, by, now, (WITHDRAW, ""), &|row, _| {
            let is_own = row.actor == *by || row.behind.as_ref() == Some(by);
            Ok((!is_own).then(|| {
                let of = row.behind.as_ref().unwrap_or(&row.actor);
                not_allowed(format!(
                    "only {of} can withdraw it; who is asked can reject it"
                ))
            }))
        })
    }

    /// Ends the waiting of the commits that nobody has answered in time, and says how many.
    ///
    /// # Errors
    /// When the store fails.
    pub fn expire_pending(&self, now: Instant) -> Result<usize, StoreError> {
        let mut due = Vec::new();
        pending::list(&*self.store().snapshot()?, &mut |row| {
            if expires_at(&row) > now || due.len() == EXPIRED_AT_ONCE {
                return ControlFlow::Break(());
            }
            due.push(row.id);
            ControlFlow::Continue(())
        })?;
        let by = Actor::System("approvals".to_owned());
        let mut expired = 0;
        for id in due {
            let ended = self.end(id, &by, now, (EXPIRE, ""), &|_, _| Ok(None))?;
            expired += usize::from(ended.is_ok());
        }
        Ok(expired)
    }

    /// Ends the waiting of a commit, unless `against` has something against it.
    fn end(
        &self,
        id: RecordId,
        by: &Actor,
        now: Instant,
        (operation, why): (&str, &str),
        against: &Against<'_>,
    ) -> Result<Ended, StoreError> {
        for _ in 0..limits::COMMIT_TRIES.value {
            let reader = self.remembering()?;
            let Some(row) = pending::get(&*reader, id)? else {
                return Ok(Err(Box::new(none_waits(id))));
            };
            if let Some(refusal) = against(&row, &reader)? {
                return Ok(Err(Box::new(refusal)));
            }
            let act: Act = act(operation, &row).with("why", why);
            let prepared = Prepared::ended(row, reader, by.clone(), now, act);
            if let Answer::Stored(receipt) = self.group().submit(&**self.store(), prepared)? {
                return Ok(Ok(receipt.entry));
            }
        }
        let refusal = contention().refusals().first().cloned();
        Ok(Err(Box::new(refusal.unwrap_or_else(|| none_waits(id)))))
    }
}

/// A commit that waits, and how it is told.
///
/// # Errors
/// When the store cannot be read.
pub fn pending_commit(
    reader: &Reader,
    id: RecordId,
) -> Result<Option<(PendingRow, Waiting)>, StoreError> {
    let Some(row) = pending::get(reader, id)? else {
        return Ok(None);
    };
    let told = told(&row, 0, reader)?;
    Ok(Some((row, told)))
}

/// What goes with a commit that has waited.
fn beside(approving: Approving, reader: &Arc<Reader>, now: Instant) -> RowsBeside {
    let row = &approving.row;
    let (plugin, link) = (row.actor.clone(), row.link);
    let queued = row.messages.iter().filter_map(|message| match &plugin {
        Actor::Plugin(plugin) => Some(Row::Message {
            plugin: plugin.clone(),
            message: message.clone(),
            at: now,
            link,
        }),
        _ => None,
    });
    RowsBeside {
        effects: queued.chain([Row::PendingEnded(row.id)]).collect(),
        depends: Some(Arc::clone(reader)),
        asked: row.key.as_ref().map(|(_, digest)| *digest),
        behind: row.behind.clone(),
        link,
        approval: Some(Box::new(approving)),
        ..RowsBeside::default()
    }
}

/// What waits, with one more approval and without those of people who are in their role no longer, and the
/// role that was approved in; or why this person cannot.
fn admitted(
    mut row: PendingRow,
    by: &Actor,
    role: Option<&str>,
    now: Instant,
    reader: &Reader,
) -> Result<Result<(PendingRow, String), Box<Refusal>>, StoreError> {
    let no = |message: String| Ok(Err(Box::new(not_allowed(message))));
    if expires_at(&row) <= now {
        return no("nobody has answered in time, and it waits no longer".to_owned());
    }
    if row.actor == *by || row.behind.as_ref() == Some(by) {
        return no(format!(
            "{by} has asked for it; somebody else has to approve"
        ));
    }
    let mut kept = Vec::new();
    for approval in std::mem::take(&mut row.approvals) {
        if approvers::has(reader, &approval.role, &approval.by)? {
            kept.push(approval);
        }
    }
    row.approvals = kept;
    if let Some(earlier) = row.approvals.iter().find(|one| one.by == *by) {
        let (role, open) = (&earlier.role, open_roles(&row).join(", "));
        return no(format!(
            "{by} has approved already, as {role}; nobody stands for two roles, and it waits for {open}"
        ));
    }
    let mut own = Vec::new();
    for open in open_roles(&row) {
        let is_meant = role.is_none_or(|role| role == open);
        if is_meant && is_person(by) && approvers::has(reader, open, by)? {
            own.push(open.to_owned());
        }
    }
    let role = match own.as_slice() {
        [] => return Ok(Err(Box::new(not_asked(&row, by, reader)?))),
        [role] => role.clone(),
        several => {
            let several = several.join(", ");
            let message =
                format!("{by} is in several of the roles asked: say in which ({several})");
            return Ok(Err(Box::new(Refusal::new(Code::BadCommit, message))));
        }
    };
    row.approvals.push(Approval {
        role: role.clone(),
        by: by.clone(),
        at: now,
    });
    Ok(Ok((row, role)))
}

/// Neither a plugin nor a job of the kernel lets anything through.
fn is_person(by: &Actor) -> bool {
    matches!(by, Actor::User(_))
}

/// Somebody who was not asked, and who was.
fn not_asked(row: &PendingRow, by: &Actor, reader: &Reader) -> Result<Refusal, StoreError> {
    let told = told(row, 0, reader)?;
    let roles = told.open.iter().map(|open| {
        let names: Vec<String> = open.approvers.iter().map(ToString::to_string).collect();
        match names.is_empty() {
            true => format!("{} (nobody is in this role)", open.role),
            false => format!("{} ({})", open.role, names.join(", ")),
        }
    });
    let roles: Vec<String> = roles.collect();
    Ok(not_allowed(format!(
        "{by} is not among those who are asked: {}",
        roles.join("; ")
    )))
}

fn not_allowed(message: String) -> Refusal {
    Refusal::new(Code::NotAllowed, message)
}

fn none_waits(id: RecordId) -> Refusal {
    let message = format!(
        "no commit {id} waits for approval; the journal tells what became of it, if there was one"
    );
    Refusal::new(Code::UnknownRecord, message)
}

fn no_room(limit: &limits::Limit) -> Refusal {
    let (most, unit, name) = (limit.value, limit.unit, limit.name);
    let message = format!(
        "a guard asks for approval, and the commit cannot wait for it: at most {most} {unit} ({name}); \
         make it smaller, or have what waits answered first"
    );
    let mut refusal = Refusal::new(Code::CannotWait, message);
    refusal.reason = Some(name.to_owned());
    refusal
}
