//! What a store holds during one call: who is asked, what it may do, what it has said so far.

use std::collections::BTreeMap;
use std::sync::Arc;

use kjerne_core::{Call, Draft, FieldSet, Finding, Role};
use kjerne_model::{Address, Change, Instant, Kind, Message, Name, RecordId, Value};
use kjerne_store::StoreError;
use wasmtime::component::ResourceTable;

use crate::host::Active;
use crate::limits;
use crate::meter::{Meter, Passed};
use crate::wit::v0_1_0::Failure;

/// What a call is for, which decides what it may do beside reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To shape or judge a commit: reads records, and nothing else.
    Verdict,
    /// To answer a question: reads.
    Question,
    /// To do something after the fact: reads, and collects what is to be done.
    Work,
}

/// Everything the host knows about the call under way.
pub struct CallState {
    /// The plugin asked.
    pub plugin: Arc<Active>,
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
    /// The fields it set.
    pub sets: Vec<FieldSet>,
    /// What it objects to.
    pub findings: Vec<Finding>,
    /// What it wants done.
    pub wishes: Wishes,
    /// Its queries under preparation.
    pub queries: ResourceTable,
}

impl CallState {
    /// The state at the beginning of a call.
    pub fn new(
        plugin: &Arc<Active>,
        ids: &Arc<IdSource>,
        role: Role,
        purpose: Purpose,
        call: &Call,
        meter: Meter,
    ) -> Self {
        let mut queries = ResourceTable::new();
        queries.set_max_capacity(limits::QUERIES.value as usize);
        Self {
            plugin: Arc::clone(plugin),
            ids: Arc::clone(ids),
            role,
            purpose,
            call: call.clone(),
            meter,
            shown: Vec::new(),
            sets: Vec::new(),
            findings: Vec::new(),
            wishes: Wishes::default(),
            queries,
        }
    }
}

/// A kind of the workspace.
pub fn kind_of<'a>(call: &'a Call, name: &str) -> Result<&'a Arc<Kind>, Stop> {
    call.reader
        .schema()
        .kind(name)
        .ok_or_else(|| Stop::failure("unknown-kind", format!("there is no kind {name:?}")))
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
    pub fn of(draft: &Draft, role: Role) -> Self {
        let mut addresses = BTreeMap::new();
        if role == Role::Shape {
            for (name, value) in draft.after.iter().flatten() {
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

/// Makes ids that no other call makes: a hash of the host's seed and a counter.
pub struct IdSource {
    seed: [u8; 16],
    made: std::sync::atomic::AtomicU64,
}

impl IdSource {
    /// A source; two with the same seed make the same ids.
    pub fn new(seed: u128) -> Self {
        Self {
            seed: seed.to_le_bytes(),
            made: std::sync::atomic::AtomicU64::new(0),
        }
    }

    /// The next id.
    pub fn next(&self, at: Instant) -> RecordId {
        let number = self.made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed).update(&number.to_le_bytes());
        let mut random = [0; 16];
        hasher.finalize_xof().fill(&mut random);
        RecordId::v7(at, u128::from_le_bytes(random))
    }
}

/// The host's side of the resource of that name. There is one per call and it lives in
/// [`CallState`], so the handle carries nothing.
pub enum CallContext {}
/// See [`CallContext`].
pub enum Edits {}
/// See [`CallContext`].
pub enum Findings {}
/// See [`CallContext`].
pub enum Proposals {}

/// A query under preparation.
pub struct QueryDraft {
    /// The kind asked for.
    pub kind: String,
    /// The conditions, all of which must hold.
    pub filters: Vec<String>,
    /// How many records.
    pub limit: u32,
    /// The cursor to go on from.
    pub after: Option<String>,
}

/// Why a function of the host gives no answer.
pub enum Stop {
    /// The plugin asked for something it cannot have, and is told.
    Failure(Failure),
    /// The plugin passed a limit. It is told once; the second time ends the call.
    Limit(Passed),
    /// The host could not do its part; the call ends.
    Broken(String),
}

impl Stop {
    /// A failure the plugin is told.
    pub fn failure(code: &str, message: impl Into<String>) -> Self {
        Self::Failure(Failure {
            code: code.to_owned(),
            message: message.into(),
        })
    }
}

impl From<Passed> for Stop {
    fn from(passed: Passed) -> Self {
        Self::Limit(passed)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Broken(error.to_string())
    }
}

/// The call must end; why is in the meter.
#[derive(Debug)]
pub struct Ended;

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the host ended the call")
    }
}

impl std::error::Error for Ended {}
