//! One batch of drafts: lookups resolved, records found again, and one commit made of them; when
//! that is refused, of those that are not at fault.

use std::collections::{BTreeMap, HashSet};
use std::thread;
use std::time::Duration;

use kjerne_core::limits::{REACTION_TRIES, back_off};
use kjerne_core::{Kernel, Outcome, Receipt};
use kjerne_model::{Actor, Change, Code, Commit, Fields, Instant, RecordId, Refusal, Target};
use kjerne_store::Read;
use kjerne_workspace::error::Result;
use sha2::{Digest, Sha256};

use super::convert::{Draft, Fault, schema_faults};
use super::lookup::existing;
use super::mapping::OnExisting;
use super::plan::Plan;
use super::reject::Rejects;
use super::repeats::{Repeat, Repeats};
use super::resolve::{Around, InBatch, Resolved, Resolver};
use super::rows::Row;
use super::shape::Shape;
use super::spool::Spool;
use super::survey::{Survey, is_sound, key_mark};
use super::told::Told;

/// Refused rows are taken out of a batch this often before it is split in two instead.
const MAX_ROUNDS: usize = 8;

/// How many rows came to what.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Rows read.
    pub rows: u64,
    /// Records made.
    pub created: u64,
    /// Records changed.
    pub updated: u64,
    /// Rows whose record held everything already.
    pub unchanged: u64,
    /// Rows left out on purpose: by the mapping's `skip`, by `on_existing = "skip"`, or because
    /// another row of the file has the same key.
    pub skipped: u64,
    /// Those of them that another row of the file has the same key as.
    pub repeated: u64,
    /// Commits stored.
    pub commits: u64,
}

/// Turns batches into commits.
pub struct Batches<'a> {
    kernel: &'a Kernel,
    plan: &'a Plan,
    settings: Settings,
    resolver: Resolver,
    survey: Survey,
    repeats: Repeats,
    shape: Shape,
    made: u64,
    /// Where rows go that have to wait; none in the last pass.
    pub spool: Option<Spool>,
    /// Rows not taken.
    pub rejects: Rejects,
    /// What came of the others.
    pub counts: Counts,
    /// What a person must know of them.
    pub told: Told,
}

/// What is known of a file before its rows are taken.
pub struct Known {
    /// What all of it holds.
    pub survey: Survey,
    /// What its columns look like.
    pub shape: Shape,
}

/// What all commits of an import have in common.
#[derive(Clone, Copy)]
pub struct Settings {
    /// The file's digest.
    pub digest: [u8; 32],
    /// When it happens.
    pub at: Instant,
    /// Makes ids differ from those of other imports.
    pub seed: u128,
    /// Nothing is stored.
    pub dry_run: bool,
}

/// A draft with what is to be done for it.
struct Item {
    draft: Draft,
    change: Change,
}

/// A draft with the record it is about.
struct Placed {
    draft: Draft,
    id: RecordId,
    existing: Option<kjerne_model::Record>,
}

impl<'a> Batches<'a> {
    /// Begins with no batch.
    pub fn new(
        kernel: &'a Kernel,
        plan: &'a Plan,
        settings: Settings,
        known: Known,
        rejects: Rejects,
    ) -> Self {
        Self {
            kernel,
            plan,
            settings,
            resolver: Resolver::new(plan, settings.dry_run),
            survey: known.survey,
            repeats: Repeats::default(),
            shape: known.shape,
            made: 0,
            spool: None,
            rejects,
            counts: Counts::default(),
            told: Told::default(),
        }
    }

    /// Tells of a row what is odd.
    pub fn look(&mut self, row: &Row) {
        self.shape.look(row, &mut self.told);
    }

    /// True for a draft that is to be taken: no earlier row of the file has its key, or the mapping
    /// says what then. Others are counted or rejected here.
    pub fn is_wanted(&mut self, draft: &Draft) -> Result<bool> {
        // What is wrong with its own cells rejects a row, which then counts for none of its key.
        if !draft.faults.is_empty() || draft.key.is_some() && !is_sound(self.plan, draft) {
            return Ok(true);
        }
        match self.repeats.judge(self.plan, &self.survey, draft) {
            Repeat::Taken => return Ok(true),
            Repeat::LeftOut => {
                self.counts.skipped += 1;
                self.counts.repeated += 1;
            }
            Repeat::Rejected(reason) => {
                self.rejects.add(&draft.row, &[Fault::of_row(reason)])?;
            }
        }
        Ok(false)
    }

    /// Takes a batch.
    pub fn take(&mut self, drafts: Vec<Draft>) -> Result<()> {
        let snapshot = self.kernel.store().snapshot()?;
        let repeated = self.repeated(&drafts);
        let is_faulty = |draft: &Draft| {
            let of_several = key_mark(self.plan, draft).is_some_and(|key| repeated.contains(&key));
            !draft.faults.is_empty() || of_several && !is_sound(self.plan, draft)
        };
        let (faulty, drafts): (Vec<Draft>, Vec<Draft>) = drafts.into_iter().partition(is_faulty);
        let placed = self.place(&*snapshot, drafts)?;
        let here = self
            .resolver
            .in_batch(placed.iter().map(|one| (&one.draft, one.id)));
        let mut items = Vec::new();
        for mut placed in placed {
            let is_new = placed.existing.is_none();
            let own = Some(placed.id);
            match self.resolve(&*snapshot, &here, own, &mut placed.draft)? {
                Resolved::Ready => items.extend(self.item(placed)),
                Resolved::Waits => self.wait(&placed.draft.row)?,
                Resolved::Faulty(faults) => self.reject(&placed.draft, faults, is_new)?,
            }
        }
        for draft in faulty {
            self.take_faulty(&*snapshot, &here, draft)?;
        }
        self.settle(items)
    }

    /// The keys that several rows of a batch have: one of them counts, and the others must not be what it
    /// is refused for.
    fn repeated(&self, drafts: &[Draft]) -> HashSet<u64> {
        let mut seen = HashSet::new();
        let keys = drafts.iter().filter_map(|draft| key_mark(self.plan, draft));
        keys.filter(|key| !seen.insert(*key)).collect()
    }

    fn resolve(
        &mut self,
        read: &dyn Read,
        here: &InBatch,
        own: Option<RecordId>,
        draft: &mut Draft,
    ) -> Result<Resolved> {
        let around = Around {
            read,
            survey: &self.survey,
            here,
            own,
            may_wait: self.spool.is_some(),
        };
        self.resolver.resolve(self.plan, &around, draft)
    }

    /// Rejects a row with cells that cannot be read, after looking what else is wrong with it.
    fn take_faulty(&mut self, read: &dyn Read, here: &InBatch, mut draft: Draft) -> Result<()> {
        let found = match &draft.key {
            Some(key) => existing(read, self.plan, key)?,
            None => None,
        };
        let own = found.as_ref().map(|record| record.id);
        let mut faults = std::mem::take(&mut draft.faults);
        match self.resolve(read, here, own, &mut draft)? {
            Resolved::Waits => return self.wait(&draft.row),
            Resolved::Faulty(others) => faults.extend(others),
            Resolved::Ready => {}
        }
        self.reject(&draft, faults, found.is_none())
    }

    /// Rejects a row with its faults, and with those that the kernel would find in its other fields.
    fn reject(&mut self, draft: &Draft, mut faults: Vec<Fault>, is_new: bool) -> Result<()> {
        let others = schema_faults(self.plan, draft);
        let others = others
            .iter()
            .filter(|refusal| is_new || refusal.code != Code::Required);
        for refusal in others {
            let fault = self.fault(refusal, &draft.row);
            if faults.iter().all(|known| known.column != fault.column) {
                faults.push(fault);
            }
        }
        Ok(self.rejects.add(&draft.row, &faults)?)
    }

    /// Finds the record each draft is about, or gives it an id.
    fn place(&mut self, read: &dyn Read, drafts: Vec<Draft>) -> Result<Vec<Placed>> {
        let mut all = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let found = match &draft.key {
                Some(key) => existing(read, self.plan, key)?,
                None => None,
            };
            match (found, self.plan.on_existing) {
                (Some(_), OnExisting::Skip) => self.counts.skipped += 1,
                (Some(record), OnExisting::Error) => {
                    let reason = format!("the record is there already: {}", record.reference());
                    self.rejects.add(&draft.row, &[Fault::of_row(reason)])?;
                }
                (existing, _) => {
                    let id = existing.as_ref().map(|record| record.id).or(draft.id);
                    let id = id.unwrap_or_else(|| self.next_id());
                    all.push(Placed {
                        draft,
                        id,
                        existing,
                    });
                }
            }
        }
        Ok(all)
    }

    /// Ids in the order of the rows, so that records of one file lie together.
    fn next_id(&mut self) -> RecordId {
        self.made += 1;
        let spread = self.settings.seed ^ u128::from(self.made).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let random = (u128::from(self.made) << 40) | (spread & 0xFF_FFFF_FFFF);
        RecordId::v7(self.settings.at, random)
    }

    fn wait(&mut self, row: &Row) -> Result<()> {
        match &mut self.spool {
            Some(spool) => Ok(spool.add(row)?),
            None => Ok(()),
        }
    }

    /// The change a draft asks for; none when its record holds everything already.
    fn item(&mut self, placed: Placed) -> Option<Item> {
        let Placed {
            draft,
            id,
            existing,
        } = placed;
        let kind = self.plan.kind.name.clone();
        let patch = draft.patch_for(existing.as_ref());
        let change = match existing {
            Some(_) if patch.is_empty() => {
                self.counts.unchanged += 1;
                return None;
            }
            Some(record) => {
                let target = Target {
                    kind,
                    id,
                    expected: Some(record.version),
                };
                Change::Update { target, patch }
            }
            None => {
                // Without a key a second import knows its rows by their commit's key alone, which
                // holds only when the commit is the same; the kernel makes the ids then.
                let id = (self.plan.key.is_some() || draft.id.is_some()).then_some(id);
                let fields: Fields = patch
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value?)))
                    .collect();
                Change::Create { kind, id, fields }
            }
        };
        Some(Item { draft, change })
    }

    /// Commits items. Rows the kernel names in a refusal are taken out and the others tried again;
    /// a refusal that names none, or that keeps coming, splits the batch until it is down to one row.
    fn settle(&mut self, mut items: Vec<Item>) -> Result<()> {
        let mut rounds = 0;
        while !items.is_empty() {
            let refusals = match self.commit(&items)? {
                Outcome::Accepted(receipt) => {
                    self.count(&items, &receipt);
                    self.tell(&items, &receipt);
                    return Ok(());
                }
                Outcome::Refused(refusals) => refusals,
            };
            let mut named: BTreeMap<usize, Vec<Refusal>> = BTreeMap::new();
            for refusal in &refusals {
                if let Some(change) = refusal.change.filter(|change| *change < items.len()) {
                    named.entry(change).or_default().push(refusal.clone());
                }
            }
            if items.len() == 1 {
                named.insert(0, refusals);
            } else if named.is_empty() || rounds == MAX_ROUNDS {
                let later = items.split_off(items.len() / 2);
                self.settle(items)?;
                return self.settle(later);
            }
            rounds += 1;
            for (index, refusals) in named.into_iter().rev() {
                let item = items.remove(index);
                self.refused(&item.draft.row, &refusals)?;
            }
        }
        Ok(())
    }

    /// Commits items, and tries again after a pause where nobody refused them but too much was going on:
    /// no row is to blame for that.
    fn commit(&self, items: &[Item]) -> Result<Outcome> {
        let mut outcome = self.commit_once(items)?;
        for tries in 1..REACTION_TRIES.value as u32 {
            if !outcome.is_overload() {
                break;
            }
            thread::sleep(Duration::from_millis(back_off(tries).unsigned_abs()));
            outcome = self.commit_once(items)?;
        }
        Ok(outcome)
    }

    fn commit_once(&self, items: &[Item]) -> Result<Outcome> {
        let commit = Commit {
            changes: items.iter().map(|item| item.change.clone()).collect(),
            actor: Actor::System("import".to_owned()),
            key: Some(self.commit_key(items)),
            at: self.settings.at,
            cause: None,
        };
        Ok(if self.settings.dry_run {
            self.kernel.dry_run(commit)?
        } else {
            self.kernel.commit(commit)?
        })
    }

    /// Names a commit by its file, its rows, and the records and versions it is about: the same rows
    /// of the same file are stored once, and a record changed since can still be set right.
    fn commit_key(&self, items: &[Item]) -> String {
        let mut digest = Sha256::new();
        digest.update(self.settings.digest);
        digest.update(self.plan.kind.name.as_bytes());
        for item in items {
            digest.update(item.draft.row.line.to_be_bytes());
            match &item.change {
                Change::Create { id: Some(id), .. } => digest.update(id.as_bytes()),
                Change::Create { id: None, .. } => {}
                Change::Update { target, .. } | Change::Delete { target } => {
                    digest.update(target.id.as_bytes());
                    digest.update(target.expected.unwrap_or(0).to_be_bytes());
                }
            }
        }
        let digest = digest.finalize();
        let hex: String = digest
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("import:{hex}")
    }

    fn count(&mut self, items: &[Item], receipt: &Receipt) {
        if receipt.replayed {
            self.counts.unchanged += items.len() as u64;
            return;
        }
        let touched: HashSet<RecordId> = receipt.edits.iter().map(|edit| edit.id).collect();
        for item in items {
            match &item.change {
                Change::Create { .. } => self.counts.created += 1,
                Change::Update { target, .. } if touched.contains(&target.id) => {
                    self.counts.updated += 1;
                }
                // A plugin had the last word on every field the row would change.
                _ => self.counts.unchanged += 1,
            }
        }
        self.counts.commits += u64::from(!receipt.edits.is_empty());
    }

    /// Gathers what became of the fields of rows that were taken: what stayed empty, and what
    /// plugins filled in or set otherwise.
    fn tell(&mut self, items: &[Item], receipt: &Receipt) {
        if receipt.replayed {
            return;
        }
        for item in items {
            if let Change::Create { fields, .. } = &item.change {
                self.told.created(self.plan, fields);
            }
        }
        for set in &receipt.plugin_sets {
            let is_new = items
                .get(set.change)
                .is_some_and(|item| matches!(item.change, Change::Create { .. }));
            self.told.set(set, is_new, self.settings.at);
        }
    }

    /// A refused row waits when all it lacks is a record of its own kind, which may come later in
    /// the file; else it is rejected.
    fn refused(&mut self, row: &Row, refusals: &[Refusal]) -> Result<()> {
        let may_come = |refusal: &Refusal| {
            refusal.code == Code::UnknownReference
                && refusal
                    .field
                    .as_deref()
                    .is_some_and(|field| self.plan.refers_to_itself(field))
        };
        if self.spool.is_some() && refusals.iter().all(may_come) {
            return self.wait(row);
        }
        let faults: Vec<Fault> = refusals
            .iter()
            .map(|refusal| self.fault(refusal, row))
            .collect();
        Ok(self.rejects.add(row, &faults)?)
    }

    fn fault(&self, refusal: &Refusal, row: &Row) -> Fault {
        let field = refusal.field.as_deref();
        let (column, value) =
            field.map_or_else(Default::default, |field| self.plan.shown(field, row));
        Fault {
            column,
            value,
            reason: self.reason(refusal),
        }
    }

    fn reason(&self, refusal: &Refusal) -> String {
        match (&refusal.plugin, &refusal.reason) {
            (Some(plugin), Some(reason)) => format!("{} ({plugin}: {reason})", refusal.message),
            _ => refusal.message.clone(),
        }
    }
}
