//! The entries a document is read into.

/// Bytes the entries of one document may have. The path stands in every entry, so a small document
/// with deep tables could otherwise unfold to gigabytes.
pub const MOST: usize = 2 << 20;

/// One thing a document says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Where: `pipeline[0].stage[2].probability`.
    pub path: String,
    /// The line it stands on, from 1.
    pub line: u32,
    /// What.
    pub value: Value,
}

impl Entry {
    /// How much it counts against [`MOST`]; the fixed part is what an entry takes without texts.
    #[must_use]
    pub fn weight(&self) -> usize {
        let text = match &self.value {
            Value::Text(text) => text.len(),
            _ => 0,
        };
        48 + self.path.len() + text
    }
}

/// What an entry holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// A table; the entries of what is in it follow.
    Table,
    /// A list; the entries of its items follow.
    List,
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// An exact number with a fraction: coefficient / 10^scale.
    Decimal {
        /// All its digits.
        coefficient: i64,
        /// How many of them stand behind the point.
        scale: u8,
    },
    /// A date, in days since 1970-01-01.
    Date(i32),
    /// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
    Instant(i64),
    /// True or false.
    Flag(bool),
}
