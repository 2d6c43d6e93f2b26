//! Kinds described as data: what a record of a kind may hold.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use kjerne_values::is_blank;

use crate::likeness::Likeness;
use crate::name::Name;
use crate::value::Value;

/// A kind of record, described as data; there is no Rust type per kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kind {
    /// Its name, `account`.
    pub name: Name,
    /// What people call one of them, `Account`.
    pub label: String,
    /// Its fields, in the order people see them.
    pub fields: Vec<Field>,
}

impl Kind {
    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == *name)
    }
}

/// A field of a kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Field {
    /// Its name, `closing_date`.
    pub name: Name,
    /// What people call it, `Closing date`.
    pub label: String,
    /// What it may hold.
    pub field_type: FieldType,
    /// A record without this field is refused.
    pub required: bool,
    /// No two records of the kind hold the same value, as [`Field::likeness`] compares them.
    pub unique: bool,
    /// Text of this field is compared without its case. E-mail addresses always are.
    pub ignore_case: bool,
    /// A reference to the record above in a hierarchy: following it never leads back to the record.
    pub hierarchy: bool,
    /// Kept in an index, so that a filter on it does not read every record. Unique and reference
    /// fields are always indexed.
    pub indexed: bool,
    /// What the value says about a person.
    pub personal: PersonalData,
}

impl Field {
    /// How values of this field are compared: by unique, look-up, filter and order alike.
    #[must_use]
    pub fn likeness(&self) -> Likeness {
        match self.field_type {
            FieldType::Email => Likeness::WithoutCase,
            FieldType::Phone => Likeness::Phone,
            _ if self.ignore_case => Likeness::WithoutCase,
            _ => Likeness::Exact,
        }
    }

    /// The form of a value of this field by which it is compared.
    #[must_use]
    pub fn form<'a>(&self, value: &'a Value) -> Cow<'a, Value> {
        self.likeness().form(value)
    }

    /// True when the store keeps an index entry for each value of this field.
    #[must_use]
    pub fn is_indexed(&self) -> bool {
        self.indexed || self.unique || matches!(self.field_type, FieldType::Reference(_))
    }
}

/// What a field may hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FieldType {
    /// Text of at most so many bytes of UTF-8.
    Text {
        /// The most bytes.
        max_bytes: usize,
    },
    /// A whole number of 64 bits.
    Integer,
    /// An exact decimal number.
    Decimal,
    /// An amount of money with its currency.
    Money,
    /// A calendar date.
    Date,
    /// A point in time.
    Instant,
    /// Yes or no.
    Flag,
    /// One of these choices.
    Choice(Vec<Choice>),
    /// Any of these choices.
    Choices(Vec<Choice>),
    /// An e-mail address.
    Email,
    /// A phone number.
    Phone,
    /// An http or https address.
    Url,
    /// A postal address.
    Address,
    /// A reference to a record of one of these kinds.
    Reference(Vec<Name>),
}

impl FieldType {
    /// What this type is called: `text`, `e-mail`, `reference`, ….
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Money => "money",
            Self::Date => "date",
            Self::Instant => "instant",
            Self::Flag => "flag",
            Self::Choice(_) => "choice",
            Self::Choices(_) => "choices",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Url => "url",
            Self::Address => "address",
            Self::Reference(_) => "reference",
        }
    }
}

/// One choice of a choice field. A field with no choices listed takes any text: its values belong
/// to a plugin's settings (pipeline stages, for one), and the plugin is what refuses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// The stored value.
    pub value: String,
    /// What people see.
    pub label: String,
}

/// What a field says about a person; erasure and export go by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum PersonalData {
    /// Nothing about a person.
    #[default]
    None,
    /// Names or numbers a person: name, e-mail, phone.
    Identifying,
    /// Says something of a person: job title, notes.
    Describing,
    /// Of the special categories of GDPR article 9.
    Sensitive,
}

impl PersonalData {
    /// The class's name: `none`, `identifying`, `describing`, `sensitive`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Identifying => "identifying",
            Self::Describing => "describing",
            Self::Sensitive => "sensitive",
        }
    }
}

/// All kinds of a workspace.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Schema {
    kinds: BTreeMap<Name, Arc<Kind>>,
}

/// Why a set of kinds is no schema.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SchemaError(pub String);

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SchemaError {}

impl Schema {
    /// The most fields a kind may have; bounds the work of one commit.
    pub const MAX_FIELDS: usize = 500;
    /// The most kinds a workspace may have.
    pub const MAX_KINDS: usize = 200;

    /// Takes kinds, after checking them against each other.
    ///
    /// # Errors
    /// When a name is taken twice, a reference names an unknown kind, or a limit is passed.
    pub fn new(kinds: Vec<Kind>) -> Result<Self, SchemaError> {
        if kinds.len() > Self::MAX_KINDS {
            return Err(SchemaError(format!(
                "{} kinds; at most {} are allowed",
                kinds.len(),
                Self::MAX_KINDS
            )));
        }
        let mut schema = Self::default();
        for kind in kinds {
            check_kind(&kind)?;
            let name = kind.name.clone();
            if schema.kinds.insert(name.clone(), Arc::new(kind)).is_some() {
                return Err(SchemaError(format!("kind {name} is described twice")));
            }
        }
        schema.check_references()?;
        Ok(schema)
    }

    fn check_references(&self) -> Result<(), SchemaError> {
        for kind in self.kinds.values() {
            for field in &kind.fields {
                let FieldType::Reference(targets) = &field.field_type else {
                    continue;
                };
                if let Some(missing) = targets.iter().find(|t| !self.kinds.contains_key(*t)) {
                    return Err(SchemaError(format!(
                        "field {}.{} refers to kind {missing}, which is not described",
                        kind.name, field.name
                    )));
                }
            }
        }
        Ok(())
    }

    /// The kind of that name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&Arc<Kind>> {
        self.kinds.get(name)
    }

    /// All kinds, by name.
    pub fn kinds(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.kinds.values()
    }
}

/// What every record has beside its fields; a field of that name could not be asked for.
pub(crate) const OWN_NAMES: [&str; 5] = ["id", "kind", "version", "created_at", "updated_at"];

/// What stands for something else where a filter names a field.
const FILTER_WORD: &str = "not";

/// Columns that files of records have beside the fields: an import would take a field of that name for them.
const EXCHANGE_NAMES: [&str; 5] = [
    "safe_for_spreadsheets",
    "reject_line",
    "reject_column",
    "reject_value",
    "reject_reason",
];

/// True for a text that may be a choice where none are listed: not blank, and no blanks around it.
pub(crate) fn is_plain_choice(value: &str) -> bool {
    !is_blank(value) && value.trim() == value
}

/// A field's marks have to fit its type.
fn check_field(kind: &Kind, field: &Field) -> Result<(), SchemaError> {
    let wrong = |what: &str| {
        let message = format!("field {}.{} {what}", kind.name, field.name);
        Err(SchemaError(message))
    };
    if OWN_NAMES.contains(&field.name.as_str()) {
        return wrong("has a name that every record has already; choose another");
    }
    if field.name == FILTER_WORD {
        return wrong("has a name that means something else in a filter; choose another");
    }
    if EXCHANGE_NAMES.contains(&field.name.as_str()) {
        return wrong(
            "has the name of a column that exports or rejected rows have; choose another",
        );
    }
    let has_case = matches!(
        field.field_type,
        FieldType::Text { .. } | FieldType::Email | FieldType::Url
    );
    if field.ignore_case && !has_case {
        return wrong("cannot ignore case; text, email and url fields can");
    }
    if let Some(fault) = choice_fault(&field.field_type) {
        return wrong(&fault);
    }
    let upwards =
        matches!(&field.field_type, FieldType::Reference(to) if *to == [kind.name.clone()]);
    if field.hierarchy && !upwards {
        return wrong("is no hierarchy; one refers to records of its own kind and no other");
    }
    Ok(())
}

/// Which of the choices a field lists cannot be one.
fn choice_fault(field_type: &FieldType) -> Option<String> {
    let (FieldType::Choice(choices) | FieldType::Choices(choices)) = field_type else {
        return None;
    };
    choices.iter().enumerate().find_map(|(index, choice)| {
        let value = &choice.value;
        if is_blank(value) {
            return Some(format!("lists the choice {value:?}, which is nothing"));
        }
        let twice = choices[..index]
            .iter()
            .any(|earlier| earlier.value == *value);
        twice.then(|| format!("lists the choice {value:?} twice"))
    })
}

fn check_kind(kind: &Kind) -> Result<(), SchemaError> {
    if kind.fields.len() > Schema::MAX_FIELDS {
        return Err(SchemaError(format!(
            "kind {} has {} fields; at most {} are allowed",
            kind.name,
            kind.fields.len(),
            Schema::MAX_FIELDS
        )));
    }
    for (index, field) in kind.fields.iter().enumerate() {
        if kind.fields[..index]
            .iter()
            .any(|earlier| earlier.name == field.name)
        {
            return Err(SchemaError(format!(
                "field {}.{} is described twice",
                kind.name, field.name
            )));
        }
        check_field(kind, field)?;
    }
    Ok(())
}
