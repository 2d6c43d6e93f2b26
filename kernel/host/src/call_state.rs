//! What a store holds during one call: who is asked, what it may do, what it has said so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use kjerne_core::{Call, Draft, FieldSet, Role};
use kjerne_model::{Address, Change, Kind, Message, Name, Value, shown};
use wasmtime::component::ResourceTable;

use crate::found::Found;
use crate::ids::IdSource;
use crate::limits;
use crate::meter::Meter;
use crate::plugin::Plugin;
use crate::stop::Stop;

/// What a call is for, which decides what it may do beside reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To shape or judge a commit: reads records, and nothing else.
    Verdict,
    /// To answer a question: reads.
    Question,
    /// To do something after the fact: reads, and collects what is to be done.
    Work,
    /// To become ready for calls: knows its settings, and nothing that changes without them.
    Preparation,
}

/// Everything the host knows about the call under way.
pub struct CallState {
    /// The plugin asked.
    pub plugin: Arc<Plugin>,
    /// The role it is asked in.
    pub role: Role,
    /// What for.
    pub purpose: Purpose,
    /// The call.
    pub call: Call,
    /// What it uses.
    pub meter: Meter,
    /// Makes ids for the records it proposes.
    pub ids: Arc<IdSource>,
    /// The changes it was shown.
    pub shown: Vec<Shown>,
    /// The kinds of what it was shown, each with how much of it.
    pub kinds: Vec<(Name, u64)>,
    /// The fields it set.
    pub sets: Sets,
    /// What it found.
    pub found: Found,
    /// What it wants done.
    pub wishes: Wishes,
    /// Its queries under preparation.
    pub queries: ResourceTable,
}

impl CallState {
    /// The state at the beginning of a call.
    pub fn new(
        plugin: &Arc<Plugin>,
        ids: &Arc<IdSource>,
        role: Role,
        purpose: Purpose,
        call: &Call,
        meter: Meter,
    ) -> Self {
        let mut queries = ResourceTable::new();
        queries.set_max_capacity(limits::QUERIES.value as usize);
        let reader = Arc::new(call.reader.within(meter.allowance()));
        let call = Call {
            reader,
            ..call.clone()
        };
        Self {
            plugin: Arc::clone(plugin),
            ids: Arc::clone(ids),
            role,
            purpose,
            call,
            meter,
            shown: Vec::new(),
            kinds: Vec::new(),
            sets: Sets::default(),
            found: Found::default(),
            wishes: Wishes::default(),
            queries,
        }
    }

    /// The fields it set, in the order in which each was first set, with what it was set to last.
    pub fn into_sets(mut self) -> Vec<FieldSet> {
        let mut of_parts = |change, field: &Name| {
            let mut shown = self.shown.iter_mut();
            let shown = shown.find(|shown: &&mut Shown| shown.change == change)?;
            whole(shown.addresses.remove(field)?)
        };
        let set = |((change, field), given)| {
            let value = match given {
                Given::Value(value) => Some(value),
                Given::Nothing => None,
                Given::Part => of_parts(change, &field),
            };
            FieldSet {
                change,
                field,
                value,
            }
        };
        self.sets.in_order.into_iter().map(set).collect()
    }

    /// Counts anew from here.
    pub fn begin(&mut self, meter: Meter) {
        self.call.reader = Arc::new(self.call.reader.within(meter.allowance()));
        self.meter = meter;
    }
}

/// What was given for a field.
#[derive(Clone, PartialEq, Debug)]
pub enum Given {
    /// A value of the field's type.
    Value(Value),
    /// Nothing: the field is cleared.
    Nothing,
    /// Something of an address, which stands among the addresses as it is now.
    Part,
}

/// An address as a value; an empty one is none.
pub fn whole(address: Address) -> Option<Value> {
    (!address.is_empty()).then_some(Value::Address(address))
}

/// The fields a shape set. Of several values for one field only the last is kept.
#[derive(Default)]
pub struct Sets {
    in_order: Vec<((usize, Name), Given)>,
    places: BTreeMap<(usize, Name), usize>,
}

impl Sets {
    /// Keeps what a field of a change was set to, in place of what it was set to before.
    pub fn put(&mut self, change: usize, field: Name, given: Given) {
        let key = (change, field);
        match self.places.get(&key) {
            Some(place) => self.in_order[*place].1 = given,
            None => {
                self.places.insert(key.clone(), self.in_order.len());
                self.in_order.push((key, given));
            }
        }
    }
}

/// What is repeated of a name a plugin gave: as much as tells which one it is.
pub fn quoted(name: &str) -> String {
    shown::beginning(name, limits::RULE_NAME.count())
}

/// A kind of the workspace.
pub fn kind_of<'a>(call: &'a Call, name: &str) -> Result<&'a Arc<Kind>, Stop> {
    call.reader.schema().kind(name).ok_or_else(|| {
        Stop::failure(
            "unknown-kind",
            format!("there is no kind {:?}", quoted(name)),
        )
    })
}

/// A change the plugin was shown: enough of it to take what the plugin says about it.
pub struct Shown {
    /// Its place in the commit.
    pub change: usize,
    /// Its kind.
    pub kind: Name,
    /// False for a removal, which has no fields to set.
    pub lives: bool,
    /// Its addresses as they are, since a plugin sets their parts.
    pub addresses: BTreeMap<Name, Address>,
}

impl Shown {
    /// What of a change must be kept; addresses only for a shape.
    pub fn of(draft: &Draft<'_>, role: Role) -> Self {
        let mut addresses = BTreeMap::new();
        if role == Role::Shape {
            for (name, value) in draft.after.into_iter().flatten() {
                if let Value::Address(address) = value {
                    addresses.insert(name.clone(), address.clone());
                }
            }
        }
        Self {
            change: draft.change,
            kind: draft.kind.clone(),
            lives: draft.after.is_some(),
            addresses,
        }
    }
}

/// What the plugin wants done.
#[derive(Default)]
pub struct Wishes {
    /// The key of the commit.
    pub key: Option<String>,
    /// The proposals.
    pub changes: Vec<Change>,
    /// The messages.
    pub messages: Vec<Message>,
    /// Writes to its key space; none removes.
    pub state: BTreeMap<String, Option<Vec<u8>>>,
    /// The bytes its key space would have after these writes; none before the first.
    pub state_bytes: Option<u64>,
}
