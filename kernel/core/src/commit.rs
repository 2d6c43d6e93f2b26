//! The path of a change: the one place that decides its order.

use std::sync::Arc;

use kjerne_model::{Code, Commit, Refusal};
use kjerne_store::{KeyRow, StoreError, idempotency, journal};

use crate::approvals::{Known, Passes};
use crate::kernel::Kernel;
use crate::outcome::{Outcome, PluginCost, Receipt, Told, Touched, advice};
use crate::plugins::Call;
use crate::prepared::{Answer, Prepared};
use crate::rows_beside::{RowsBeside, Way};
use crate::sealed::Sealed;
use crate::{access, apply, approvals, check, digest, escalation, limits, plugin_sets};
use kjerne_query::Reader;

/// What became of a commit that may have a task behind it.
pub(crate) enum Taken {
    /// It was stored or refused.
    Outcome(Outcome),
    /// What the task behind it was decided on has changed; nothing was stored.
    Overtaken,
}

/// Whether a commit is stored at the end of its path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Store,
    /// It is, or is refused: it cannot wait for approval.
    AtOnce,
    DryRun,
}

impl Kernel {
    /// Does all of a commit's changes, durably, or none of them. This is the only function that
    /// changes a record (promise 1); whatever changes records calls it.
    ///
    /// # Errors
    /// When the store fails. After [`StoreError::Unknown`] the commit may have been stored or not; with
    /// an idempotency key, asking again tells. After any other error nothing was stored.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a commit is given away; it happens once"
    )]
    pub fn commit(&self, commit: Commit) -> Result<Outcome, StoreError> {
        match self.take(&commit, &RowsBeside::default(), Mode::Store)? {
            Taken::Outcome(outcome) => Ok(outcome),
            Taken::Overtaken => Ok(contention()),
        }
    }

    /// The same for whoever cannot wait: where a guard asks for approval, the commit is refused.
    ///
    /// # Errors
    /// Those of [`Kernel::commit`].
    #[expect(clippy::needless_pass_by_value, reason = "takes what `commit` takes")]
    pub fn commit_at_once(&self, commit: Commit) -> Result<Outcome, StoreError> {
        match self.take(&commit, &RowsBeside::default(), Mode::AtOnce)? {
            Taken::Outcome(outcome) => Ok(outcome),
            Taken::Overtaken => Ok(contention()),
        }
    }

    /// Says what [`Kernel::commit`] would answer now, having asked every plugin, and stores nothing.
    ///
    /// # Errors
    /// When the store cannot be read.
    #[expect(clippy::needless_pass_by_value, reason = "takes what `commit` takes")]
    pub fn dry_run(&self, commit: Commit) -> Result<Outcome, StoreError> {
        match self.take(&commit, &RowsBeside::default(), Mode::DryRun)? {
            Taken::Outcome(outcome) => Ok(outcome),
            Taken::Overtaken => Ok(contention()),
        }
    }

    /// Has a commit take its path, and take it anew as long as others change what it was decided on.
    pub(crate) fn take(
        &self,
        commit: &Commit,
        beside: &RowsBeside,
        mode: Mode,
    ) -> Result<Taken, StoreError> {
        if let Some(refusal) = out_of_bounds(commit, beside) {
            return Ok(refused(vec![refusal]));
        }
        let (_under_way, mut costs) = (self.group().enter(), Vec::new());
        let digest = commit.key.as_ref();
        let digest = digest.map(|_| beside.asked.unwrap_or_else(|| digest::of(commit)));
        let way = Way {
            commit,
            digest,
            beside,
        };
        for _ in 0..limits::COMMIT_TRIES.value {
            if let Some(taken) = self.path(&way, mode, &mut costs)? {
                return Ok(taken);
            }
        }
        Ok(Taken::Outcome(contention()))
    }

    /// The path of a change, from top to bottom; none when what it was decided on has changed.
    fn path(
        &self,
        way: &Way<'_>,
        mode: Mode,
        costs: &mut Vec<PluginCost>,
    ) -> Result<Option<Taken>, StoreError> {
        let Way { commit, beside, .. } = *way;
        // A state that does not change, and a note of everything that is read from it.
        let reader = self.remembering()?;

        // A known key: what was done then is the answer now.
        if let Some(known) = known_key(way, &reader)? {
            return self.answer_known(known, beside, mode).map(Some);
        }

        // The records it is about; the versions expected; rights; the changes applied.
        let mut resolved = self.resolve(commit, &reader)?;
        let denied = access::refusals(&commit.actor, &resolved);
        resolved.faults.extend(denied);
        let (mut work, mut faults) = (resolved.work, resolved.faults);
        faults.extend(apply::apply(&mut work, &commit.changes, resolved.places));
        if !faults.is_empty() {
            faults.extend(check::faults_before_shaping(&work));
            return Ok(Some(refused(faults)));
        }

        // Shapes set fields, one after the other.
        let call = self.call(commit, &reader);
        let mut verdicts = Vec::new();
        if let Err(faults) = self.shape(&call, &mut work, &mut verdicts, costs) {
            return Ok(Some(refused(faults)));
        }

        // The kernel's own checks: every fault of every change.
        faults.extend(check::schema_faults(&work));
        let further = check::store_faults(&work, &reader, self.referrers(), &faults)?;
        faults.extend(further);
        faults.extend(escalation::stuck(beside.step.as_ref(), &work));
        if !faults.is_empty() {
            return Ok(Some(refused(faults)));
        }

        // From here on nothing is amended. Every guard is asked.
        let plugin_sets = plugin_sets::of(commit, &work, &verdicts);
        let sealed = Sealed::new(work);
        let found = self.guard(&call, &sealed, &mut verdicts, costs);
        if !found.refusals.is_empty() {
            return Ok(Some(refused(found.refusals)));
        }

        // Where approval is asked for, it was given, or the commit waits for it.
        let act = match self.passes(way, found.asked, &sealed) {
            Passes::Stored(act) => act,
            Passes::Waits(waits) => return self.wait(way, *waits, &sealed, reader, mode),
        };

        // One transaction looks again at what was read, and stores; or everything from the top.
        let told = Told::of(plugin_sets, &verdicts, costs.clone());
        if mode == Mode::DryRun || leaves_no_trace(commit, &sealed, beside) {
            return Ok(Some(accepted(commit, sealed.touched(), told)));
        }
        let prepared = Prepared::new(way, reader, sealed, verdicts, act);
        Ok(match self.group().submit(&**self.store(), prepared)? {
            Answer::Stored(receipt) => Some(stored(receipt, told)),
            Answer::Overtaken => Some(Taken::Overtaken),
            Answer::Changed => None,
        })
    }

    fn call(&self, commit: &Commit, reader: &Arc<Reader>) -> Call {
        let depth = commit.cause.map_or(0, |cause| cause.depth);
        Call {
            now: commit.at,
            actor: commit.actor.clone(),
            depth,
            reader: Arc::clone(reader),
        }
    }

    /// Answers a commit whose key has been used; what has to move with it moves all the same.
    fn answer_known(
        &self,
        known: Outcome,
        beside: &RowsBeside,
        mode: Mode,
    ) -> Result<Taken, StoreError> {
        let is_refused = matches!(known, Outcome::Refused(_));
        if is_refused || beside.moves.is_empty() || mode == Mode::DryRun {
            return Ok(Taken::Outcome(known));
        }
        match self.store_rows(beside.moves.clone(), beside.depends.clone())? {
            Answer::Stored(_) => Ok(Taken::Outcome(known)),
            Answer::Changed | Answer::Overtaken => Ok(Taken::Overtaken),
        }
    }
}

fn refused(refusals: Vec<Refusal>) -> Taken {
    Taken::Outcome(Outcome::refused(refusals))
}

fn stored(receipt: Receipt, told: Told) -> Taken {
    Taken::Outcome(Outcome::Accepted(Receipt {
        plugin_sets: told.plugin_sets,
        advice: told.advice,
        costs: told.costs,
        ..receipt
    }))
}

fn accepted(commit: &Commit, edits: Vec<Touched>, told: Told) -> Taken {
    let receipt = Receipt {
        edits,
        plugin_sets: told.plugin_sets,
        advice: told.advice,
        costs: told.costs,
        ..Receipt::of_nothing(commit.at)
    };
    Taken::Outcome(Outcome::Accepted(receipt))
}

/// What is wrong with a commit before anything is looked up.
fn out_of_bounds(commit: &Commit, beside: &RowsBeside) -> Option<Refusal> {
    let (count, most) = (commit.changes.len(), limits::COMMIT_CHANGES.count());
    if count == 0 && beside.is_empty() {
        let message = "the commit has no changes; name at least one";
        return Some(Refusal::new(Code::BadCommit, message));
    }
    if count > most {
        let message = format!(
            "the commit has {count} changes; at most {most} are allowed; split it into several"
        );
        return Some(Refusal::new(Code::BadCommit, message).by_limit(&limits::COMMIT_CHANGES));
    }
    let (bytes, most) = (
        commit.key.as_ref().map_or(0, String::len),
        limits::COMMIT_KEY.count(),
    );
    if bytes > most || commit.key.as_ref().is_some_and(String::is_empty) {
        let what = match bytes {
            0 => "leave it out, or choose one",
            _ => "shorten it",
        };
        let message =
            format!("the idempotency key has {bytes} bytes; it must have 1 to {most}; {what}");
        return Some(Refusal::new(Code::BadCommit, message).by_limit(&limits::COMMIT_KEY));
    }
    let (depth, most) = (
        commit.cause.map_or(0, |cause| cause.depth),
        limits::REACTION_DEPTH.value,
    );
    (u64::from(depth) > most).then(|| {
        let message = format!(
            "a chain of {depth} reactions; at most {most} are allowed: plugins answer each other; \
             look at the journal to see which, and change their rules"
        );
        Refusal::new(Code::TooDeep, message).by_limit(&limits::REACTION_DEPTH)
    })
}

/// The answer to a commit whose key its actor has used before; none for a new key.
fn known_key(way: &Way<'_>, reader: &Reader) -> Result<Option<Outcome>, StoreError> {
    let Way {
        commit,
        digest,
        beside,
    } = *way;
    let (Some(key), Some(digest)) = (&commit.key, digest) else {
        return Ok(None);
    };
    // Of a commit that has waited, the key leads to the waiting that ends now.
    if beside.approval.is_some() {
        return Ok(None);
    }
    let Some(row) = idempotency::get(reader, &commit.actor, key)? else {
        return Ok(None);
    };
    // A plugin's key names what is done, however the plugin would do it today; one that somebody
    // else gave names what was asked.
    let of_plugin = matches!(commit.actor, kjerne_model::Actor::Plugin(_));
    let same = row.digest == digest || (of_plugin && beside.asked.is_none());
    if !same {
        let message = format!(
            "the idempotency key {key:?} was used before for other changes; use a new key for \
             new changes"
        );
        return Ok(Some(Outcome::refused(vec![Refusal::new(
            Code::KeyReused,
            message,
        )])));
    }
    let named_by_plugin = of_plugin && beside.asked.is_none();
    replay(commit, &row, reader, named_by_plugin).map(Some)
}

/// What the first commit with this key did, from the journal.
fn replay(
    commit: &Commit,
    row: &KeyRow,
    reader: &Reader,
    named_by_plugin: bool,
) -> Result<Outcome, StoreError> {
    let nothing = Receipt {
        replayed: true,
        ..Receipt::of_nothing(commit.at)
    };
    if row.entry == 0 {
        return Ok(Outcome::Accepted(nothing));
    }
    let entry = journal::get(reader, row.entry)?.ok_or_else(|| {
        StoreError::Corrupt(format!(
            "journal entry {}, which a key names, is missing",
            row.entry
        ))
    })?;
    match approvals::known(&entry, reader)? {
        Some(Known::Waits(waiting)) => return Ok(Outcome::Waiting(waiting)),
        // What a plugin names is done once; that somebody did not want it is no fault of a repetition.
        Some(Known::Ended(_)) if named_by_plugin => return Ok(Outcome::Accepted(nothing)),
        Some(Known::Ended(refusal)) => return Ok(Outcome::refused(vec![refusal])),
        None => {}
    }
    let edits = entry.edits.iter().map(Touched::by).collect();
    Ok(Outcome::Accepted(Receipt {
        entry: entry.number,
        at: entry.at,
        edits,
        replayed: true,
        plugin_sets: Vec::new(),
        advice: advice(&entry.verdicts),
        costs: Vec::new(),
    }))
}

/// True when there is nothing to store: no difference, nothing beside it, no key to remember.
fn leaves_no_trace(commit: &Commit, sealed: &Sealed, beside: &RowsBeside) -> bool {
    sealed.is_empty() && beside.is_empty() && commit.key.is_none()
}

pub(crate) fn contention() -> Outcome {
    let tries = limits::COMMIT_TRIES.value;
    let message = format!(
        "other commits kept changing what this one had read, {tries} times in a row; nothing was \
         stored; try again"
    );
    Outcome::refused(vec![
        Refusal::new(Code::Contention, message).by_limit(&limits::COMMIT_TRIES),
    ])
}

/// Names the limit that was passed as a refusal's reason.
trait ByLimit {
    fn by_limit(self, limit: &limits::Limit) -> Self;
}

impl ByLimit for Refusal {
    fn by_limit(mut self, limit: &limits::Limit) -> Self {
        self.reason = Some(limit.name.to_owned());
        self
    }
}
