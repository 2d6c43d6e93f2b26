//! One batch of drafts: lookups resolved, records found again, and one commit made of them; when
//! that is refused, of those that are not at fault.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::thread;
use std::time::Duration;

use kjerne_core::limits::{REACTION_TRIES, back_off};
use kjerne_core::{Kernel, Outcome, Receipt, Waiting};
use kjerne_model::{
    Actor, Change, Code, Commit, Fields, Instant, Record, RecordId, Refusal, Target,
};
use kjerne_store::{Read, records};
use kjerne_workspace::error::{Error, Result};

use super::convert::{Draft, schema_faults};
use super::fault::Fault;
use super::lookup::existing;
use super::mapping::OnExisting;
use super::plan::{Key, Plan};
use super::reject::Rejects;
use super::repeats::{Repeat, Repeats};
use super::resolve::{Around, InBatch, Resolved, Resolver};
use super::rows::Row;
use super::same_file::SameFile;
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
    /// Rows left out on purpose: by the mapping's `skip`, by `on_existing = "skip"`, because another
    /// row of the file has the same key, or because a row of a file without a key was stored before.
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
    file: Option<SameFile>,
    /// The rows of the batch whose records are not stored yet, by the ids given to them.
    given: HashMap<RecordId, String>,
    made: u64,
    /// Where rows go that have to wait; none in the last pass.
    pub spool: Option<Spool>,
    /// Rows that still wait in the last pass might be taken in further ones.
    pub gave_up: bool,
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
    /// The file itself, where its rows have no key.
    pub file: Option<SameFile>,
}

/// Who commits what is imported.
pub fn importer() -> Actor {
    Actor::System("import".to_owned())
}

/// What all commits of an import have in common.
#[derive(Clone, Copy)]
pub struct Settings {
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
    /// How often its record was looked up again, since somebody else had made or changed it meanwhile.
    looked: u32,
}

/// A draft with the record it is about.
struct Placed {
    draft: Draft,
    id: RecordId,
    existing: Option<Record>,
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
            file: known.file,
            given: HashMap::new(),
            made: 0,
            spool: None,
            gave_up: false,
            rejects,
            counts: Counts::default(),
            told: Told::default(),
        }
    }

    /// Tells of a row what is odd.
    pub fn look(&mut self, row: &Row) {
        self.shape.look(row, &mut self.told);
    }

    /// Counts a row that holds nothing, which is none.
    pub fn pass_over(&mut self, line: u64) {
        self.counts.rows -= 1;
        self.shape.blank();
        self.told.blank.add(line);
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
        let new = placed.iter().filter(|one| one.existing.is_none());
        let told = |draft: &Draft| self.plan.told_row(draft.row.line, draft.key.as_deref());
        let given = new.map(|one| (one.id, told(&one.draft)));
        self.given = given.collect();
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
        self.settle(items, true)
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
            gave_up: self.gave_up,
        };
        self.resolver.resolve(self.plan, &around, draft)
    }

    /// Rejects a row with cells that cannot be read, after looking what else is wrong with it.
    fn take_faulty(&mut self, read: &dyn Read, here: &InBatch, mut draft: Draft) -> Result<()> {
        let found = self.found(read, &draft)?;
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
        self.reject_row(draft, &faults)
    }

    /// Rejects a row, and remembers it for those that refer to it.
    fn reject_row(&mut self, draft: &Draft, faults: &[Fault]) -> Result<()> {
        self.resolver.rejected(draft);
        Ok(self.rejects.add(&draft.row, faults)?)
    }

    /// The record a draft is about: the one its key leads to, or the one that this row of this file became
    /// before.
    fn found(&self, read: &dyn Read, draft: &Draft) -> Result<Option<Record>> {
        match (&draft.key, &self.file) {
            (Some(key), _) => existing(read, self.plan, key),
            (None, Some(file)) if file.is_known => {
                let id = draft.id.unwrap_or_else(|| file.id(draft.row.line));
                Ok(records::get(read, &self.plan.kind.name, id)?)
            }
            (None, _) => Ok(None),
        }
    }

    /// Finds the record each draft is about, or gives it an id.
    fn place(&mut self, read: &dyn Read, drafts: Vec<Draft>) -> Result<Vec<Placed>> {
        let mut all = Vec::with_capacity(drafts.len());
        let mut ids = HashMap::new();
        for draft in drafts {
            let found = self.found(read, &draft)?;
            if let Some(reason) = self.misnamed(read, &draft, found.as_ref(), &mut ids)? {
                self.reject_row(&draft, &[Fault::of_row(reason)])?;
                continue;
            }
            match (found, self.plan.on_existing) {
                (Some(_), OnExisting::Skip) => self.counts.skipped += 1,
                (Some(record), OnExisting::Error) => {
                    let reason = format!("the record is there already: {}", record.reference());
                    self.rejects.add(&draft.row, &[Fault::of_row(reason)])?;
                }
                (existing, _) => {
                    let id = existing.as_ref().map(|record| record.id).or(draft.id);
                    let id = id.unwrap_or_else(|| self.next_id(draft.row.line));
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

    /// Why the id that a row gives is not that of its record; `ids` are those of the rows before it.
    fn misnamed(
        &self,
        read: &dyn Read,
        draft: &Draft,
        found: Option<&Record>,
        ids: &mut HashMap<RecordId, u64>,
    ) -> Result<Option<String>> {
        let Some(id) = draft.id else {
            return Ok(None);
        };
        let kind = &self.plan.kind.name;
        match found {
            Some(record) if record.id == id => return Ok(None),
            Some(record) if self.plan.on_existing == OnExisting::Update => {
                return Ok(Some(format!(
                    "the row has id {id}, and the record that its key leads to is {}; leave the id out, or correct \
                     the key",
                    record.reference()
                )));
            }
            Some(_) => return Ok(None),
            None => {}
        }
        if let Some(line) = ids.insert(id, draft.row.line) {
            return Ok(Some(format!(
                "the row in line {line} has the same id, {id}; keep one of them, or leave the id out"
            )));
        }
        let advice = match self.plan.key {
            Some(_) => "and its key is another; leave the id out, or correct the key",
            None => {
                "and a file changes records by a key; say key = \"id\" in the mapping, or leave the id out"
            }
        };
        let is_there = records::get(read, kind, id)?.is_some();
        Ok(is_there.then(|| format!("the record {kind}/{id} is there already, {advice}")))
    }

    /// Ids in the order of the rows, so that records of one file lie together.
    fn next_id(&mut self, line: u64) -> RecordId {
        if let Some(file) = &self.file {
            return file.id(line);
        }
        self.made += 1;
        let spread = self.settings.seed ^ u128::from(self.made).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let random = (u128::from(self.made) << 40) | (spread & 0xFF_FFFF_FFFF);
        RecordId::v7(self.settings.at, random)
    }

    fn wait(&mut self, row: &Row) -> Result<()> {
        match &mut self.spool {
            Some(spool) => spool.add(row),
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
            // Without a key nobody can say that the row of today is about the record as it is now.
            Some(_) if self.plan.key.is_none() => {
                self.counts.skipped += 1;
                self.told.left.add(draft.row.line);
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
                let fields: Fields = patch
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, value?)))
                    .collect();
                Change::Create {
                    kind,
                    id: Some(id),
                    fields,
                }
            }
        };
        Some(Item {
            draft,
            change,
            looked: 0,
        })
    }

    /// Commits items. Rows the kernel names in a refusal are taken out and the others tried again;
    /// a refusal that names none, or that keeps coming, splits the batch until it is down to one row.
    /// Rows that clash only with other records are held back, and tried again when others were rejected:
    /// it may have been those that they clash with.
    fn settle(&mut self, mut items: Vec<Item>, may_hold: bool) -> Result<()> {
        let mut held = Vec::new();
        let (mut rounds, rejects) = (0, self.rejects.count);
        while !items.is_empty() {
            let refusals = match self.commit(&items)? {
                Outcome::Accepted(receipt) => {
                    self.count(&items, &receipt);
                    self.tell(&items, &receipt);
                    break;
                }
                Outcome::Refused(refusals) => refusals,
                // Of a dry run alone: what is committed for good does not wait.
                Outcome::Waiting(waiting) => Waiting::refusals(waiting.asked, "a row of a file"),
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
                self.settle(items, may_hold)?;
                self.settle(later, may_hold)?;
                break;
            }
            rounds += 1;
            for (index, refusals) in named.into_iter().rev() {
                let item = items.remove(index);
                let item = match self.overtaken(item, &refusals)? {
                    Overtaken::Not(item) => item,
                    Overtaken::Done => continue,
                    Overtaken::Again(item) => {
                        items.push(item);
                        continue;
                    }
                };
                if may_hold && refusals.iter().all(is_clash) {
                    held.push((item, refusals));
                } else {
                    self.refused(&item.draft, &refusals)?;
                }
            }
        }
        held.sort_by_key(|(item, _)| item.draft.row.line);
        if self.rejects.count > rejects && !held.is_empty() {
            return self.settle(held.into_iter().map(|(item, _)| item).collect(), false);
        }
        for (item, refusals) in held {
            self.refused(&item.draft, &refusals)?;
        }
        Ok(())
    }

    /// A row is not to blame when somebody else made, changed or removed its record since it was looked up: it is
    /// looked up again, and the row is about what it is now.
    fn overtaken(&mut self, item: Item, refusals: &[Refusal]) -> Result<Overtaken> {
        let of_key = |field: Option<&str>| match (&self.plan.key, field) {
            (Some(Key::Field(key)), Some(field)) => key.as_str() == field,
            _ => false,
        };
        let is_new = matches!(item.change, Change::Create { .. });
        let may_be = refusals.iter().any(|refusal| match refusal.code {
            Code::Duplicate => is_new && of_key(refusal.field.as_deref()),
            Code::AlreadyExists => is_new,
            Code::StaleVersion | Code::UnknownRecord => !is_new,
            _ => false,
        });
        if !may_be || item.looked >= REACTION_TRIES.value as u32 {
            return Ok(Overtaken::Not(item));
        }
        let snapshot = self.kernel.store().snapshot()?;
        let found = self.found(&*snapshot, &item.draft)?;
        let version = match &item.change {
            Change::Update { target, .. } => target.expected,
            _ => None,
        };
        if found.as_ref().map(|record| record.version) == version {
            return Ok(Overtaken::Not(item));
        }
        let looked = item.looked + 1;
        let placed = self.place(&*snapshot, vec![item.draft])?.pop();
        let item = placed.and_then(|placed| self.item(placed));
        Ok(item.map_or(Overtaken::Done, |item| {
            Overtaken::Again(Item { looked, ..item })
        }))
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

    /// A commit needs no key of its own: what it stored is found again by the records' keys, or by the file
    /// and line. Only the first of a file without a key has one, by which the file is known from then on.
    fn commit_once(&self, items: &[Item]) -> Result<Outcome> {
        let new_file = self.file.as_ref().filter(|file| !file.is_known);
        let commit = Commit {
            changes: items.iter().map(|item| item.change.clone()).collect(),
            actor: importer(),
            key: new_file.map(|file| file.key.clone()),
            at: self.settings.at,
            cause: None,
        };
        let outcome = if self.settings.dry_run {
            self.kernel.dry_run(commit)?
        } else {
            self.kernel.commit_at_once(commit)?
        };
        let is_taken = |refusal: &Refusal| refusal.code == Code::KeyReused;
        if outcome.refusals().iter().any(is_taken) {
            return Err(Error::failed(
                "somebody else is importing the very same file; wait for that, and import it again",
            ));
        }
        Ok(outcome)
    }

    fn count(&mut self, items: &[Item], receipt: &Receipt) {
        if receipt.replayed {
            self.counts.unchanged += items.len() as u64;
            return;
        }
        if let Some(file) = self.file.as_mut().filter(|_| receipt.entry > 0) {
            file.is_known = true;
        }
        let touched: HashSet<RecordId> = receipt.edits.iter().map(|edit| edit.id).collect();
        for item in items {
            match &item.change {
                Change::Create { id, .. } => {
                    self.counts.created += 1;
                    if let Some(id) = id {
                        self.given.remove(id);
                    }
                }
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
        for advice in &receipt.advice {
            let line = advice.change.and_then(|change| items.get(change));
            self.told
                .advised(advice, line.map(|item| item.draft.row.line));
        }
    }

    /// A refused row waits when all it lacks is a record of its own kind, which may come later in
    /// the file; else it is rejected.
    fn refused(&mut self, draft: &Draft, refusals: &[Refusal]) -> Result<()> {
        let may_come = |refusal: &Refusal| {
            refusal.code == Code::UnknownReference
                && refusal
                    .field
                    .as_deref()
                    .is_some_and(|field| self.plan.refers_to_itself(field))
        };
        let may_wait = refusals.iter().all(may_come);
        if self.spool.is_some() && may_wait {
            return self.wait(&draft.row);
        }
        let mut faults: Vec<Fault> = refusals
            .iter()
            .map(|refusal| self.fault(refusal, &draft.row))
            .collect();
        let is_circle = |refusal: &Refusal| {
            let field = refusal
                .field
                .as_deref()
                .and_then(|name| self.plan.kind.field(name));
            field.is_some_and(|field| !field.hierarchy)
        };
        if may_wait
            && refusals.iter().any(is_circle)
            && let Some(fault) = faults.first_mut()
        {
            fault.reason.push_str(
                ". Where rows refer to one another in a circle, import the file without this column first, \
                 and then with it",
            );
        }
        self.reject_row(draft, &faults)
    }

    fn fault(&self, refusal: &Refusal, row: &Row) -> Fault {
        let field = refusal.field.as_deref();
        let (column, value) =
            field.map_or_else(Default::default, |field| self.plan.shown(field, row));
        // Values of one field may be wrong in several ways, which only the message tells.
        let rule = match (&refusal.plugin, &refusal.reason) {
            (Some(plugin), Some(reason)) => Some(format!("{plugin} {reason}")),
            _ if refusal.code == Code::InvalidValue => None,
            _ => Some(refusal.code.name().to_owned()),
        };
        Fault::new(column, &value, self.reason(refusal)).of_rule(rule)
    }

    fn reason(&self, refusal: &Refusal) -> String {
        let message = self.by_lines(&refusal.message);
        match (&refusal.plugin, &refusal.reason) {
            (Some(plugin), Some(reason)) => format!("{message} ({plugin}: {reason})"),
            _ => message,
        }
    }

    /// A sentence in which rows that are not stored are told by their lines, since nobody can find them by
    /// the ids they were to have.
    fn by_lines(&self, message: &str) -> String {
        let kind = format!("{}/", self.plan.kind.name);
        let (mut told, mut rest) = (String::new(), message);
        while let Some(at) = rest.find(&kind) {
            let (before, after) = rest.split_at(at + kind.len());
            let id = after.get(..ID_CHARS).map(RecordId::parse);
            match id.and_then(|id| self.given.get(&id.ok()?)) {
                Some(row) => {
                    told.push_str(&before[..at]);
                    told.push_str(row);
                    rest = &after[ID_CHARS..];
                }
                None => {
                    told.push_str(before);
                    rest = after;
                }
            }
        }
        told + rest
    }
}

/// What became of a row that was refused for what somebody else may have done meanwhile.
enum Overtaken {
    /// Nobody did anything: it is refused.
    Not(Item),
    /// It is tried again with the record as it is now.
    Again(Item),
    /// There is nothing left to be done for it.
    Done,
}

/// The characters of an id.
const ID_CHARS: usize = 36;

/// True for a refusal that another record is the reason of.
fn is_clash(refusal: &Refusal) -> bool {
    matches!(refusal.code, Code::Duplicate | Code::UnknownReference)
}
