//! Doubles for a plugin's native unit tests. What needs the kernel (guards of others, filters, real
//! zones, limits) is tested with case files and `kjerne plugin test`.
//!
//! ```
//! use kjerne_sdk::prelude::*;
//! use kjerne_sdk::testing::{self, World};
//!
//! struct Plugin;
//! impl Guard for Plugin {
//!     fn guard(_: &Context, changes: &[Change], findings: &Findings) {
//!         for change in changes.iter().filter(|change| change.after.is_empty("name")) {
//!             findings.refuse(change, Some("name"), "no-name", settings::text());
//!         }
//!     }
//! }
//!
//! let findings = testing::Found::default();
//! World::new().settings("Give it a name.").enter(|| {
//!     let change = testing::create("account", "a-1", Fields::new());
//!     Plugin::guard(&testing::context("2026-01-05T09:00:00Z"), &[change], &findings);
//! });
//! assert_eq!(findings.codes(), ["no-name"]);
//! ```

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::bindings::imports::kjerne::crm::settings;
use crate::change::{Change, Context, Operation, Record};
use crate::contract::{Decimal, Failure, Field, OutboundMessage, RecordRef, Value};
use crate::fields::Fields;
use crate::settings::tree::Settings;
use crate::time::Instant;

thread_local! {
    static CURRENT: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// What a plugin under test finds around it: records, settings, state, zones.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub(crate) records: Vec<Record>,
    pub(crate) settings: String,
    pub(crate) state: BTreeMap<String, Vec<u8>>,
    pub(crate) zones: BTreeMap<String, Vec<(i64, i32)>>,
    pub(crate) lines: Vec<String>,
    pub(crate) unknown: Vec<String>,
    /// What filters hold that are refused, by kind, and why; none where no filter is answered.
    pub(crate) refused: Option<Vec<(String, String, String)>>,
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this settings text.
    #[must_use]
    pub fn settings(mut self, text: impl Into<String>) -> Self {
        self.settings = text.into();
        self
    }

    /// With this record, at version 1.
    #[must_use]
    pub fn record(mut self, kind: &str, id: &str, fields: impl Into<Fields>) -> Self {
        let record = Record {
            kind: kind.to_owned(),
            id: id.to_owned(),
            version: 1,
            fields: fields.into(),
        };
        self.records.push(record);
        self
    }

    /// With a zone of these offsets: from when, seconds east of UTC.
    #[must_use]
    pub fn zone(mut self, name: &str, offsets: &[(Instant, i32)]) -> Self {
        let offsets = offsets
            .iter()
            .map(|(from, offset)| (from.millis(), *offset))
            .collect();
        self.zones.insert(name.to_owned(), offsets);
        self
    }

    /// In which there is no such kind.
    #[must_use]
    pub fn without(mut self, kind: &str) -> Self {
        self.unknown.push(kind.to_owned());
        self
    }

    /// In which a filter on a kind is refused (`bad-filter`) when this stands in it, as the kernel
    /// refuses a name or a value that no field has. All other filters find nothing.
    #[must_use]
    pub fn refuses(mut self, kind: &str, what: &str, message: &str) -> Self {
        let row = (kind.to_owned(), what.to_owned(), message.to_owned());
        self.refused.get_or_insert_default().push(row);
        self
    }

    /// Runs a test inside this world, on this thread, and returns what it returned.
    pub fn enter<T>(self, test: impl FnOnce() -> T) -> T {
        self.visit(test).0
    }

    /// Runs a test inside this world and returns, besides, the lines it logged (`level: text`).
    pub fn visit<T>(self, test: impl FnOnce() -> T) -> (T, Vec<String>) {
        CURRENT.with(|current| *current.borrow_mut() = Some(self));
        let result = test();
        let world = CURRENT.with(|current| current.borrow_mut().take());
        (result, world.map(|world| world.lines).unwrap_or_default())
    }

    pub(crate) fn with<T>(ask: impl FnOnce(&mut Self) -> T) -> T {
        CURRENT.with(|current| match current.borrow_mut().as_mut() {
            Some(world) => ask(world),
            None => panic!(
                "the plugin asked its host for something, and a native test has none: run it inside \
                 kjerne_sdk::testing::World::new().enter(..)"
            ),
        })
    }
}

/// The settings a document says, as [`settings::load`](crate::settings::load) hands them over.
///
/// # Errors
/// When the host would refuse the document: where and why.
pub fn settings(text: &str) -> Result<Settings, String> {
    settings_entries(text).map(Settings::of)
}

pub(crate) fn settings_entries(text: &str) -> Result<Vec<settings::Entry>, String> {
    let entries = kjerne_settings::parse(text)
        .map_err(|fault| format!("line {}: {}", fault.line, fault.message))?;
    let handed = |entry: kjerne_settings::Entry| settings::Entry {
        path: entry.path,
        line: entry.line,
        value: settings_value(entry.value),
    };
    Ok(entries.into_iter().map(handed).collect())
}

fn settings_value(value: kjerne_settings::Value) -> Value {
    use kjerne_settings::Value as Said;
    match value {
        Said::Table => Value::Other(("table".to_owned(), Vec::new())),
        Said::List => Value::Other(("list".to_owned(), Vec::new())),
        Said::Text(text) => Value::Text(text),
        Said::Integer(number) => Value::Integer(number),
        Said::Decimal { coefficient, scale } => Value::Decimal(Decimal { coefficient, scale }),
        Said::Date(days) => Value::Date(days),
        Said::Instant(millis) => Value::Instant(millis),
        Said::Flag(flag) => Value::Flag(flag),
    }
}

/// A call by `user:test` at this time (RFC 3339).
///
/// # Panics
/// When the text is no instant.
#[must_use]
pub fn context(now: &str) -> Context {
    let now = Instant::parse(now).unwrap_or_else(|| panic!("{now:?} is no instant"));
    Context::new(now, "user:test", 0)
}

/// The change that creates a record with these fields.
pub fn create(kind: &str, id: &str, after: impl Into<Fields>) -> Change {
    change(kind, id, Operation::Create, Fields::new(), after.into())
}

/// The change from one set of fields to another.
pub fn update(kind: &str, id: &str, before: impl Into<Fields>, after: impl Into<Fields>) -> Change {
    change(kind, id, Operation::Update, before.into(), after.into())
}

/// The change that removes a record which had these fields.
pub fn delete(kind: &str, id: &str, before: impl Into<Fields>) -> Change {
    change(kind, id, Operation::Delete, before.into(), Fields::new())
}

fn change(kind: &str, id: &str, operation: Operation, before: Fields, after: Fields) -> Change {
    let names: BTreeSet<&str> = before
        .iter()
        .chain(after.iter())
        .map(|(name, _)| name)
        .collect();
    let changed = names
        .into_iter()
        .filter(|name| before.get(name) != after.get(name))
        .map(str::to_owned)
        .collect();
    Change {
        index: 0,
        kind: kind.to_owned(),
        id: id.to_owned(),
        operation,
        before,
        after,
        changed,
    }
}

/// One objection of a guard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// What it does to the commit.
    pub force: Force,
    /// The change's index.
    pub change: u32,
    /// Where the person should look.
    pub field: Option<String>,
    /// The rule's own name.
    pub code: String,
    /// What is wrong and what to do.
    pub message: String,
}

/// What a finding does to the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Force {
    /// It is refused.
    Refuses,
    /// It waits until somebody in this role lets it through.
    AsksApproval(String),
    /// Nothing: it is stored with the commit.
    Advises,
}

/// Collects what a guard finds.
#[derive(Debug, Default)]
pub struct Found(RefCell<Vec<Finding>>);

impl Found {
    /// Everything it found, in order.
    #[must_use]
    pub fn all(&self) -> Vec<Finding> {
        self.0.borrow().clone()
    }

    /// The codes of what it refused for, in order.
    #[must_use]
    pub fn codes(&self) -> Vec<String> {
        self.of(|force| *force == Force::Refuses)
    }

    /// The codes of what it advised, in order.
    #[must_use]
    pub fn advised(&self) -> Vec<String> {
        self.of(|force| *force == Force::Advises)
    }

    /// What it asked approval for, in order: the role and the code, `sales-manager/large-deal`.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        let asked = |finding: &Finding| match &finding.force {
            Force::AsksApproval(role) => Some(format!("{role}/{}", finding.code)),
            _ => None,
        };
        self.0.borrow().iter().filter_map(asked).collect()
    }

    fn of(&self, is_of: impl Fn(&Force) -> bool) -> Vec<String> {
        let findings = self.0.borrow();
        let found = findings.iter().filter(|finding| is_of(&finding.force));
        found.map(|finding| finding.code.clone()).collect()
    }
}

impl Found {
    pub(crate) fn refuse(
        &self,
        change: u32,
        field: Option<&str>,
        code: &str,
        message: &str,
    ) -> Result<(), Failure> {
        self.find(Force::Refuses, change, field, code, message)
    }

    pub(crate) fn advise(
        &self,
        change: u32,
        field: Option<&str>,
        code: &str,
        message: &str,
    ) -> Result<(), Failure> {
        self.find(Force::Advises, change, field, code, message)
    }

    pub(crate) fn ask_approval(
        &self,
        change: u32,
        role: &str,
        field: Option<&str>,
        code: &str,
        reason: &str,
    ) -> Result<(), Failure> {
        let force = Force::AsksApproval(role.to_owned());
        self.find(force, change, field, code, reason)
    }

    fn find(
        &self,
        force: Force,
        change: u32,
        field: Option<&str>,
        code: &str,
        message: &str,
    ) -> Result<(), Failure> {
        let field = field.map(str::to_owned);
        let (code, message) = (code.to_owned(), message.to_owned());
        self.0.borrow_mut().push(Finding {
            force,
            change,
            field,
            code,
            message,
        });
        Ok(())
    }
}

/// Collects what a shape sets.
#[derive(Debug, Default)]
pub struct Set(RefCell<Vec<(u32, String, Option<Value>)>>);

impl Set {
    /// Everything it set, in order: the change's index, the field, the value.
    #[must_use]
    pub fn all(&self) -> Vec<(u32, String, Option<Value>)> {
        self.0.borrow().clone()
    }

    /// What it set on the first change, as fields.
    #[must_use]
    pub fn fields(&self) -> Fields {
        let of_first = |(change, name, value)| (change == 0).then_some((name, value));
        self.all().into_iter().filter_map(of_first).collect()
    }
}

impl Set {
    pub(crate) fn set(
        &self,
        change: u32,
        field: &str,
        value: Option<&Value>,
    ) -> Result<(), Failure> {
        self.0
            .borrow_mut()
            .push((change, field.to_owned(), value.cloned()));
        Ok(())
    }
}

/// One thing a plugin wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// A new record.
    Create(RecordRef, Fields),
    /// Fields to set or clear, with the version expected.
    Update(RecordRef, Option<u64>, Fields),
    /// A record to remove, with the version expected.
    Remove(RecordRef, Option<u64>),
    /// The commit's key.
    Key(String),
    /// A message.
    Send(OutboundMessage),
}

/// Collects what a plugin wants done. New records get the ids `new-1`, `new-2`, ….
#[derive(Debug, Default)]
pub struct Done(RefCell<Vec<Effect>>);

impl Done {
    /// Everything it wants done, in order.
    #[must_use]
    pub fn all(&self) -> Vec<Effect> {
        self.0.borrow().clone()
    }

    /// The messages, in order.
    #[must_use]
    pub fn messages(&self) -> Vec<OutboundMessage> {
        let message = |effect| {
            if let Effect::Send(message) = effect {
                Some(message)
            } else {
                None
            }
        };
        self.all().into_iter().filter_map(message).collect()
    }

    fn push(&self, effect: Effect) {
        self.0.borrow_mut().push(effect);
    }
}

impl Done {
    pub(crate) fn create(&self, kind: &str, fields: &[Field]) -> Result<String, Failure> {
        let made = self
            .0
            .borrow()
            .iter()
            .filter(|e| matches!(e, Effect::Create(..)))
            .count();
        let id = format!("new-{}", made + 1);
        self.push(Effect::Create(
            RecordRef::new(kind, &id),
            fields.to_vec().into(),
        ));
        Ok(id)
    }

    pub(crate) fn update(
        &self,
        target: &RecordRef,
        expected: Option<u64>,
        fields: &[Field],
    ) -> Result<(), Failure> {
        self.push(Effect::Update(
            target.clone(),
            expected,
            fields.to_vec().into(),
        ));
        Ok(())
    }

    pub(crate) fn remove(&self, target: &RecordRef, expected: Option<u64>) -> Result<(), Failure> {
        self.push(Effect::Remove(target.clone(), expected));
        Ok(())
    }

    pub(crate) fn key(&self, key: &str) {
        self.push(Effect::Key(key.to_owned()));
    }

    pub(crate) fn send(&self, message: &OutboundMessage) -> Result<(), Failure> {
        self.push(Effect::Send(message.clone()));
        Ok(())
    }
}
