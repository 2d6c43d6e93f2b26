//! Kinds and fields a workspace adds to the core kinds, from its `kinds.toml`.

use kjerne_model::{Choice, Field, FieldType, Kind, Name, PersonalData, Schema, core_kinds};
use serde::Deserialize;

use crate::error::{Context as _, Error, Result};

/// The most bytes of a text field that does not say.
const TEXT_BYTES: usize = 1_024;
/// The most bytes a text field may ask for; a record with a few of them still fits a journal entry.
const MOST_TEXT_BYTES: usize = 64 * 1_024;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct KindsFile {
    #[serde(default)]
    kind: Vec<KindTable>,
    #[serde(default)]
    extend: Vec<ExtendTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KindTable {
    name: String,
    label: Option<String>,
    #[serde(default)]
    field: Vec<FieldTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtendTable {
    kind: String,
    #[serde(default)]
    field: Vec<FieldTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldTable {
    name: String,
    label: Option<String>,
    #[serde(rename = "type")]
    field_type: String,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    unique: bool,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    hierarchy: bool,
    #[serde(default)]
    indexed: bool,
    personal: Option<String>,
    max_bytes: Option<usize>,
    #[serde(default)]
    choices: Vec<String>,
    #[serde(default)]
    kinds: Vec<String>,
}

/// The core kinds with what the file's text adds. Every added kind has `external_id`, as the core
/// kinds have, so that it can be imported.
///
/// # Errors
/// When the text does not parse, names an unknown kind or type, or contradicts what is there.
pub fn schema(text: &str) -> Result<Schema> {
    let file: KindsFile = toml::from_str(text)?;
    let mut kinds = core_kinds();
    for table in file.kind {
        kinds.push(kind(table)?);
    }
    for table in file.extend {
        let Some(kind) = kinds
            .iter_mut()
            .find(|kind| kind.name == table.kind.as_str())
        else {
            return Err(Error::unreadable(format!(
                "extend: there is no kind {:?}",
                table.kind
            )));
        };
        for table in table.field {
            kind.fields
                .push(field(table).with_context(|| format!("kind {}", kind.name))?);
        }
    }
    Ok(Schema::new(kinds)?)
}

fn kind(table: KindTable) -> Result<Kind> {
    let name = Name::new(&table.name)?;
    let mut fields = Vec::new();
    for entry in table.field {
        fields.push(field(entry).with_context(|| format!("kind {name}"))?);
    }
    if !fields.iter().any(|field| field.name == "external_id") {
        let mut key = plain_field(
            Name::new("external_id")?,
            FieldType::Text {
                max_bytes: TEXT_BYTES,
            },
        );
        key.unique = true;
        fields.push(key);
    }
    let label = table.label.unwrap_or_else(|| label(&name));
    Ok(Kind {
        name,
        label,
        fields,
    })
}

fn field(table: FieldTable) -> Result<Field> {
    let name = Name::new(&table.name)?;
    let field_type = field_type(&table).with_context(|| format!("field {name}"))?;
    let mut field = plain_field(name, field_type);
    if let Some(label) = table.label {
        field.label = label;
    }
    field.required = table.required;
    field.unique = table.unique;
    field.ignore_case = table.ignore_case;
    field.hierarchy = table.hierarchy;
    field.indexed = table.indexed;
    field.personal = personal(table.personal.as_deref().unwrap_or("none"))?;
    Ok(field)
}

fn plain_field(name: Name, field_type: FieldType) -> Field {
    Field {
        label: label(&name),
        name,
        field_type,
        required: false,
        unique: false,
        ignore_case: false,
        hierarchy: false,
        indexed: false,
        personal: PersonalData::None,
    }
}

fn field_type(table: &FieldTable) -> Result<FieldType> {
    let takes = |part: &str, given: bool, types: &str| {
        if given && !types.split(' ').any(|one| one == table.field_type) {
            return Err(Error::unreadable(format!(
                "{part} belongs to {types} fields, not to {}",
                table.field_type
            )));
        }
        Ok(())
    };
    takes("max_bytes", table.max_bytes.is_some(), "text")?;
    takes("choices", !table.choices.is_empty(), "choice choices")?;
    takes("kinds", !table.kinds.is_empty(), "reference")?;
    Ok(match table.field_type.as_str() {
        "text" => FieldType::Text {
            max_bytes: max_bytes(table.max_bytes)?,
        },
        "integer" => FieldType::Integer,
        "decimal" => FieldType::Decimal,
        "money" => FieldType::Money,
        "date" => FieldType::Date,
        "instant" => FieldType::Instant,
        "flag" => FieldType::Flag,
        "choice" => FieldType::Choice(choices(&table.choices)),
        "choices" => FieldType::Choices(choices(&table.choices)),
        "email" => FieldType::Email,
        "phone" => FieldType::Phone,
        "url" => FieldType::Url,
        "address" => FieldType::Address,
        "reference" => FieldType::Reference(targets(&table.kinds)?),
        other => {
            return Err(Error::unreadable(format!(
                "type {other:?} is none of text, integer, decimal, money, date, instant, flag, choice, \
             choices, email, phone, url, address, reference"
            )));
        }
    })
}

fn max_bytes(asked: Option<usize>) -> Result<usize> {
    match asked.unwrap_or(TEXT_BYTES) {
        bytes @ 1..=MOST_TEXT_BYTES => Ok(bytes),
        bytes => Err(Error::unreadable(format!(
            "max_bytes is {bytes}; it may be 1 to {MOST_TEXT_BYTES}"
        ))),
    }
}

fn choices(values: &[String]) -> Vec<Choice> {
    values
        .iter()
        .map(|value| Choice {
            value: value.clone(),
            label: label(value),
        })
        .collect()
}

fn targets(kinds: &[String]) -> Result<Vec<Name>> {
    if kinds.is_empty() {
        return Err(Error::unreadable(
            "a reference needs kinds, such as kinds = [\"account\"]",
        ));
    }
    kinds.iter().map(|kind| Ok(Name::new(kind)?)).collect()
}

fn personal(name: &str) -> Result<PersonalData> {
    let classes = [
        PersonalData::None,
        PersonalData::Identifying,
        PersonalData::Describing,
        PersonalData::Sensitive,
    ];
    let found = classes.into_iter().find(|class| class.name() == name);
    found.with_context(|| {
        format!("personal {name:?} is none of none, identifying, describing, sensitive")
    })
}

/// `closing_date` is shown as `Closing date`.
fn label(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_file_adds_kinds_and_fields() {
        let schema = schema(
            "[[kind]]\nname = \"policy\"\n\
             [[kind.field]]\nname = \"number\"\ntype = \"text\"\nrequired = true\nunique = true\n\
             [[kind.field]]\nname = \"holder\"\ntype = \"reference\"\nkinds = [\"account\"]\n\
             [[extend]]\nkind = \"account\"\n\
             [[extend.field]]\nname = \"loyalty\"\ntype = \"choice\"\nchoices = [\"gold\"]\n",
        )
        .unwrap();
        let policy = schema.kind("policy").unwrap();
        assert_eq!(policy.label, "Policy");
        assert!(policy.field("number").unwrap().required);
        assert!(policy.field("external_id").unwrap().unique);
        assert!(schema.kind("account").unwrap().field("loyalty").is_some());
    }

    #[test]
    fn a_wrong_file_says_what_is_wrong() {
        let with_field = |text: &str| format!("[[kind]]\nname = \"p\"\n[[kind.field]]\n{text}\n");
        let cases = [
            (
                with_field("name = \"a\"\ntype = \"colour\""),
                "type \"colour\" is none of",
            ),
            (
                with_field("name = \"a\"\ntype = \"reference\""),
                "a reference needs kinds",
            ),
            (
                with_field("name = \"a\"\ntype = \"flag\"\nmax_bytes = 3"),
                "max_bytes belongs to text",
            ),
            (
                with_field("name = \"a\"\ntype = \"text\"\nmax_bytes = 9999999"),
                "it may be 1 to",
            ),
            (
                with_field("name = \"A\"\ntype = \"text\""),
                "expected a name",
            ),
            (
                with_field("name = \"a\"\ntype = \"reference\"\nkinds = [\"x\"]"),
                "kind x, which is not",
            ),
            (
                with_field("name = \"version\"\ntype = \"text\""),
                "a name that every record has already",
            ),
            (
                with_field("name = \"not\"\ntype = \"text\""),
                "means something else in a filter",
            ),
            (
                with_field("name = \"a\"\ntype = \"flag\"\nignore_case = true"),
                "p.a cannot ignore case",
            ),
            (
                with_field(
                    "name = \"a\"\ntype = \"reference\"\nkinds = [\"account\"]\nhierarchy = true",
                ),
                "p.a is no hierarchy",
            ),
            (
                with_field("name = \"a\"\ntype = \"choice\"\nchoices = [\"x\", \"x\"]"),
                "choice \"x\" twice",
            ),
            (
                with_field("name = \"a\"\ntype = \"choices\"\nchoices = [\"x\", \" \"]"),
                "choice \" \"",
            ),
            (
                "[[kind]]\nname = \"account\"\n".to_owned(),
                "described twice",
            ),
            (
                "[[extend]]\nkind = \"nothing\"\n".to_owned(),
                "there is no kind \"nothing\"",
            ),
            (
                "[[kinds]]\nname = \"p\"\n".to_owned(),
                "unknown field `kinds`",
            ),
        ];
        for (text, expected) in cases {
            let error = format!("{:#}", schema(&text).unwrap_err());
            assert!(error.contains(expected), "{text}\n{error}");
        }
    }
}
