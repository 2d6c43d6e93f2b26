//! Journal entries as bytes.
//!
//! An edit keeps the fields before in full and the fields after as the difference, which for the
//! usual update is one or two fields.

use std::collections::BTreeSet;

use kjerne_model::{Act, Actor, Cause, Edit, Entry, Fields, Name, Patch, Remark, Verdict};

use super::damage::Damage;
use super::decoder::Decoder;
use super::encoder::Encoder;

const USER: u8 = 1;
const PLUGIN: u8 = 2;
const SYSTEM: u8 = 3;

const CREATED: u8 = 1;
const UPDATED: u8 = 2;
const REMOVED: u8 = 3;
/// Neither before nor after: no commit makes one, but the type can hold it.
const NOTHING: u8 = 4;

/// What stands before a cause; entries written before messages were counted along a chain have one
/// without a count.
const NO_CAUSE: u8 = 0;
const CAUSE: u8 = 1;
const CAUSE_AND_FOLLOW_UPS: u8 = 2;

/// An entry without its number, which is its key.
pub(crate) fn encode_entry(entry: &Entry) -> Vec<u8> {
    let mut out = Encoder::new();
    out.instant(entry.at);
    out.actor(&entry.actor);
    out.optional_text(entry.key.as_deref());
    out.cause(entry.cause);
    out.count(entry.edits.len());
    entry.edits.iter().for_each(|edit| out.edit(edit));
    out.count(entry.verdicts.len());
    entry
        .verdicts
        .iter()
        .for_each(|verdict| out.verdict(verdict));
    out.flag(entry.act.is_some());
    if let Some(act) = &entry.act {
        out.act(act);
    }
    out.finish()
}

/// The entry that `bytes` hold under `number`.
pub(crate) fn decode_entry(number: u64, bytes: &[u8]) -> Result<Entry, Damage> {
    let mut from = Decoder::new(bytes)?;
    let entry = Entry {
        number,
        at: from.instant()?,
        actor: from.actor()?,
        key: from.optional_text()?,
        cause: from.cause()?,
        edits: from.edits()?,
        verdicts: from.verdicts()?,
        act: from.act()?,
    };
    from.finish()?;
    Ok(entry)
}

impl Encoder {
    pub(super) fn actor(&mut self, actor: &Actor) {
        let (tag, name) = match actor {
            Actor::User(name) => (USER, name),
            Actor::Plugin(name) => (PLUGIN, name),
            Actor::System(name) => (SYSTEM, name),
        };
        self.byte(tag);
        self.text(name);
    }

    pub(super) fn cause(&mut self, cause: Option<Cause>) {
        let Some(cause) = cause else {
            return self.byte(NO_CAUSE);
        };
        self.byte(match cause.follow_ups {
            None => CAUSE,
            Some(_) => CAUSE_AND_FOLLOW_UPS,
        });
        self.number(cause.entry);
        self.number(u64::from(cause.depth));
        if let Some(follow_ups) = cause.follow_ups {
            self.number(u64::from(follow_ups));
        }
    }

    pub(super) fn edit(&mut self, edit: &Edit) {
        self.text(&edit.kind);
        self.raw(edit.id.as_bytes());
        self.number(edit.version);
        match (&edit.before, &edit.after) {
            (None, None) => self.byte(NOTHING),
            (None, Some(after)) => {
                self.byte(CREATED);
                self.fields(after);
            }
            (Some(before), None) => {
                self.byte(REMOVED);
                self.fields(before);
            }
            (Some(before), Some(after)) => {
                self.byte(UPDATED);
                self.fields(before);
                self.difference(before, after);
            }
        }
    }

    /// The fields to set and clear to get from `before` to `after`.
    fn difference(&mut self, before: &Fields, after: &Fields) {
        let names: BTreeSet<&Name> = before.keys().chain(after.keys()).collect();
        let changed: Vec<&Name> = names
            .into_iter()
            .filter(|name| before.get(*name) != after.get(*name))
            .collect();
        self.count(changed.len());
        for name in changed {
            self.text(name);
            self.flag(after.contains_key(name));
            if let Some(value) = after.get(name) {
                self.value(value);
            }
        }
    }

    fn verdict(&mut self, verdict: &Verdict) {
        self.text(&verdict.plugin);
        self.text(&verdict.version);
        self.text(&verdict.role);
        self.number(verdict.fuel);
        self.texts(&verdict.set);
        self.optional_text(verdict.broke.as_deref());
        self.count(verdict.advice.len());
        verdict.advice.iter().for_each(|one| self.remark(one));
    }

    pub(super) fn remark(&mut self, remark: &Remark) {
        self.text(&remark.plugin);
        self.text(&remark.code);
        self.text(&remark.message);
        self.flag(remark.change.is_some());
        if let Some(change) = remark.change {
            self.count(change);
        }
        self.optional_text(remark.kind.as_deref());
        self.flag(remark.id.is_some());
        if let Some(id) = remark.id {
            self.raw(id.as_bytes());
        }
        self.optional_text(remark.field.as_deref());
    }

    fn act(&mut self, act: &Act) {
        self.text(&act.operation);
        self.text(&act.subject);
        self.count(act.details.len());
        for (name, value) in &act.details {
            self.text(name);
            self.text(value);
        }
    }
}

impl Decoder<'_> {
    pub(super) fn actor(&mut self) -> Result<Actor, Damage> {
        let make = match self.byte()? {
            USER => Actor::User,
            PLUGIN => Actor::Plugin,
            SYSTEM => Actor::System,
            other => return Err(Damage::new(format!("{other} is no kind of actor"))),
        };
        self.text().map(make)
    }

    pub(super) fn cause(&mut self) -> Result<Option<Cause>, Damage> {
        let counts = match self.byte()? {
            NO_CAUSE => return Ok(None),
            CAUSE => false,
            CAUSE_AND_FOLLOW_UPS => true,
            other => return Err(Damage::new(format!("{other} is no kind of cause"))),
        };
        let (entry, depth) = (self.number()?, self.small()?);
        let follow_ups = if counts { Some(self.small()?) } else { None };
        Ok(Some(Cause {
            entry,
            depth,
            follow_ups,
        }))
    }

    pub(super) fn edits(&mut self) -> Result<Vec<Edit>, Damage> {
        let count = self.count()?;
        (0..count).map(|_| self.edit()).collect()
    }

    pub(super) fn edit(&mut self) -> Result<Edit, Damage> {
        let (kind, id, version) = (self.name()?, self.id()?, self.number()?);
        let (before, after) = match self.byte()? {
            NOTHING => (None, None),
            CREATED => (None, Some(self.fields()?)),
            REMOVED => (Some(self.fields()?), None),
            UPDATED => {
                let before = self.fields()?;
                let after = apply(&before, self.difference()?);
                (Some(before), Some(after))
            }
            other => return Err(Damage::new(format!("{other} is no kind of edit"))),
        };
        Ok(Edit {
            kind,
            id,
            version,
            before,
            after,
        })
    }

    pub(super) fn difference(&mut self) -> Result<Patch, Damage> {
        let count = self.count()?;
        let one = |from: &mut Self| {
            let name = from.name()?;
            let value = if from.flag()? {
                Some(from.value()?)
            } else {
                None
            };
            Ok((name, value))
        };
        (0..count).map(|_| one(self)).collect()
    }

    fn verdicts(&mut self) -> Result<Vec<Verdict>, Damage> {
        let count = self.count()?;
        (0..count).map(|_| self.verdict()).collect()
    }

    fn verdict(&mut self) -> Result<Verdict, Damage> {
        Ok(Verdict {
            plugin: self.text()?,
            version: self.text()?,
            role: self.text()?,
            fuel: self.number()?,
            set: self.texts()?,
            broke: self.optional_text()?,
            advice: self.remarks()?,
        })
    }

    fn remarks(&mut self) -> Result<Vec<Remark>, Damage> {
        let count = self.count()?;
        (0..count).map(|_| self.remark()).collect()
    }

    pub(super) fn remark(&mut self) -> Result<Remark, Damage> {
        Ok(Remark {
            plugin: self.text()?,
            code: self.text()?,
            message: self.text()?,
            change: if self.flag()? {
                Some(self.small()? as usize)
            } else {
                None
            },
            kind: if self.flag()? {
                Some(self.name()?)
            } else {
                None
            },
            id: if self.flag()? { Some(self.id()?) } else { None },
            field: self.optional_text()?,
        })
    }

    fn act(&mut self) -> Result<Option<Act>, Damage> {
        if !self.flag()? {
            return Ok(None);
        }
        let (operation, subject) = (self.text()?, self.text()?);
        let count = self.count()?;
        let details = (0..count).map(|_| Ok((self.text()?, self.text()?)));
        Ok(Some(Act {
            operation,
            subject,
            details: details.collect::<Result<_, Damage>>()?,
        }))
    }
}

fn apply(before: &Fields, difference: Patch) -> Fields {
    let mut after = before.clone();
    for (name, value) in difference {
        match value {
            Some(value) => after.insert(name, value),
            None => after.remove(&name),
        };
    }
    after
}
