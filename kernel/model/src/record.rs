//! Records: what the workspace knows of one account, contact, case, ….

use std::collections::BTreeMap;

use kjerne_values::Instant;

use crate::id::{RecordId, Reference};
use crate::name::Name;
use crate::value::Value;

/// The fields that hold something, by name.
pub type Fields = BTreeMap<Name, Value>;

/// Fields to set, by name; none clears the field. Fields not named keep what they hold.
pub type Patch = BTreeMap<Name, Option<Value>>;

/// One record as stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// Its kind.
    pub kind: Name,
    /// Its id.
    pub id: RecordId,
    /// 1 when created, one more with every commit that changed it.
    pub version: u64,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
    /// What it holds.
    pub fields: Fields,
}

impl Record {
    /// What the field of that name holds.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.fields.get(field)
    }

    /// What a text field of that name holds.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field).and_then(Value::as_text)
    }

    /// A reference to this record.
    #[must_use]
    pub fn reference(&self) -> Reference {
        Reference::new(self.kind.clone(), self.id)
    }
}
