//! Commits that wait for approval as bytes.

use kjerne_model::{Asked, Change, Patch, Target};

use super::damage::Damage;
use super::decoder::Decoder;
use super::encoder::Encoder;
use super::rows::Row;
use crate::rows::{Approval, Link, PendingRow};

const CREATE: u8 = 1;
const UPDATE: u8 = 2;
const DELETE: u8 = 3;

impl Row for PendingRow {
    fn write(&self, out: &mut Encoder) {
        out.raw(self.id.as_bytes());
        out.instant(self.asked_at);
        out.actor(&self.actor);
        out.flag(self.behind.is_some());
        self.behind.iter().for_each(|behind| out.actor(behind));
        out.list(&self.changes, Encoder::change);
        out.flag(self.key.is_some());
        if let Some((key, digest)) = &self.key {
            out.text(key);
            out.raw(digest);
        }
        out.cause(self.cause);
        out.list(&self.messages, Encoder::message);
        out.number(self.link.entry);
        out.number(u64::from(self.link.depth));
        out.number(u64::from(self.link.follow_ups));
        out.list(&self.edits, Encoder::edit);
        out.list(&self.asked, Encoder::asked);
        out.list(&self.approvals, Encoder::approval);
        out.list(&self.told, Encoder::actor);
        out.optional_text(self.error.as_deref());
    }

    fn read(from: &mut Decoder<'_>) -> Result<Self, Damage> {
        Ok(Self {
            id: from.id()?,
            asked_at: from.instant()?,
            actor: from.actor()?,
            behind: if from.flag()? {
                Some(from.actor()?)
            } else {
                None
            },
            changes: from.list(Decoder::change)?,
            key: if from.flag()? {
                Some((from.text()?, from.array()?))
            } else {
                None
            },
            cause: from.cause()?,
            messages: from.list(Decoder::message)?,
            link: Link {
                entry: from.number()?,
                depth: from.small()?,
                follow_ups: from.small()?,
            },
            edits: from.edits()?,
            asked: from.list(Decoder::asked)?,
            approvals: from.list(Decoder::approval)?,
            told: from.list(Decoder::actor)?,
            error: from.optional_text()?,
        })
    }
}

impl Encoder {
    fn list<T>(&mut self, list: &[T], write: impl Fn(&mut Self, &T)) {
        self.count(list.len());
        list.iter().for_each(|one| write(self, one));
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Create { kind, id, fields } => {
                self.byte(CREATE);
                self.text(kind);
                self.flag(id.is_some());
                id.iter().for_each(|id| self.raw(id.as_bytes()));
                self.fields(fields);
            }
            Change::Update { target, patch } => {
                self.byte(UPDATE);
                self.target(target);
                self.patch(patch);
            }
            Change::Delete { target } => {
                self.byte(DELETE);
                self.target(target);
            }
        }
    }

    fn target(&mut self, target: &Target) {
        self.text(&target.kind);
        self.raw(target.id.as_bytes());
        self.flag(target.expected.is_some());
        target.expected.iter().for_each(|one| self.number(*one));
    }

    fn patch(&mut self, patch: &Patch) {
        self.count(patch.len());
        for (name, value) in patch {
            self.text(name);
            self.flag(value.is_some());
            value.iter().for_each(|value| self.value(value));
        }
    }

    fn asked(&mut self, asked: &Asked) {
        self.text(&asked.role);
        self.remark(&asked.remark);
    }

    fn approval(&mut self, approval: &Approval) {
        self.text(&approval.role);
        self.actor(&approval.by);
        self.instant(approval.at);
    }
}

impl Decoder<'_> {
    fn list<T>(&mut self, read: impl Fn(&mut Self) -> Result<T, Damage>) -> Result<Vec<T>, Damage> {
        let count = self.count()?;
        (0..count).map(|_| read(self)).collect()
    }

    fn change(&mut self) -> Result<Change, Damage> {
        match self.byte()? {
            CREATE => Ok(Change::Create {
                kind: self.name()?,
                id: if self.flag()? { Some(self.id()?) } else { None },
                fields: self.fields()?,
            }),
            UPDATE => Ok(Change::Update {
                target: self.target()?,
                patch: self.difference()?,
            }),
            DELETE => Ok(Change::Delete {
                target: self.target()?,
            }),
            other => Err(Damage::new(format!("{other} is no kind of change"))),
        }
    }

    fn target(&mut self) -> Result<Target, Damage> {
        Ok(Target {
            kind: self.name()?,
            id: self.id()?,
            expected: if self.flag()? {
                Some(self.number()?)
            } else {
                None
            },
        })
    }

    fn asked(&mut self) -> Result<Asked, Damage> {
        Ok(Asked {
            role: self.text()?,
            remark: self.remark()?,
        })
    }

    fn approval(&mut self) -> Result<Approval, Damage> {
        Ok(Approval {
            role: self.text()?,
            by: self.actor()?,
            at: self.instant()?,
        })
    }
}
