//! The settings: which events go where, and what becomes of what comes in.

use std::collections::BTreeMap;

use kjerne_sdk::settings::{self, Node, Table};
use kjerne_sdk::{Decimal, Money, Operation, Value, Watch, known};

use crate::sendable::{wrong_address, wrong_headers, wrong_secret};
use crate::values::{Form, value_of};

/// Where messages come in, as the manifest declares.
const SOURCES: [&str; 3] = ["form", "device", "signal"];

/// How much an event tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// What changed: the fields before and after.
    Change,
    /// The record as it is now.
    Record,
    /// Only that something happened; the receiver asks for the rest.
    Notice,
}

/// Field → the values it may have; every field named must fit.
pub type Condition = BTreeMap<String, Vec<String>>;

/// Events for one receiver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subscription {
    /// The line of the settings it begins on.
    pub line: u32,
    pub name: String,
    pub enabled: bool,
    pub url: String,
    /// The workspace secret to sign with.
    pub secret: Option<String>,
    pub headers: Vec<(String, String)>,
    /// Empty: every kind.
    pub kinds: Vec<String>,
    pub operations: Vec<String>,
    /// An update counts only if one of these changed; empty: any.
    pub changed: Vec<String>,
    pub when: Condition,
    pub unless: Condition,
    pub exclude_actors: Vec<String>,
    /// The fields told; none: every field the plugin may read.
    pub fields: Option<Vec<String>>,
    pub mode: Mode,
}

impl Subscription {
    /// What of the journal it is about, without what it looks for in a record.
    pub fn watches(&self) -> Vec<Watch> {
        let operations: Vec<Operation> = self
            .operations
            .iter()
            .map(|name| Operation::from(name.clone()))
            .collect();
        let watch = |kind: &String| match self.told_of_one() {
            Some(fields) => Watch::kind(kind).on(&operations).fields(fields),
            None => Watch::kind(kind).on(&operations),
        };
        match self.kinds.as_slice() {
            [] => vec![Watch::every_kind().on(&operations)],
            kinds => kinds.iter().map(watch).collect(),
        }
    }

    /// The fields it goes by, where it is about one kind, names what has to change, and does not tell all.
    fn told_of_one(&self) -> Option<Vec<&str>> {
        let told = match (&self.fields, &self.mode) {
            (_, Mode::Notice) => &[],
            (Some(fields), _) => fields.as_slice(),
            (None, _) => return None,
        };
        if self.kinds.len() != 1 || self.changed.is_empty() {
            return None;
        }
        let looked_at = self.when.keys().chain(self.unless.keys());
        // Of a structured field the whole is watched, whichever part is meant.
        let all = told.iter().chain(&self.changed).chain(looked_at);
        let whole = all.map(|name| {
            name.split_once('.')
                .map_or(name.as_str(), |(whole, _)| whole)
        });
        Some(whole.filter(|name| !known::is_own(name)).collect())
    }
}

/// Where a field's value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// A JSON pointer into the message.
    pub from: String,
    pub form: Form,
    /// Values of the other system and ours.
    pub values: BTreeMap<String, String>,
    pub default: Option<String>,
    pub required: bool,
}

/// What becomes of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mapping {
    /// The line of the settings it begins on.
    pub line: u32,
    pub name: String,
    /// The source it is for: the last part of the address.
    pub source: String,
    /// JSON pointer → the values it may have.
    pub when: Condition,
    pub unless: Condition,
    /// The kind of record made; none: the message is taken and dropped.
    pub kind: Option<String>,
    /// A JSON pointer to what names the message, so that it is taken once.
    pub id: Option<String>,
    pub fields: Vec<(String, Source)>,
    pub set: Vec<(String, Value)>,
    /// Fields set to the time the message came.
    pub now: Vec<String>,
}

/// Who is told about messages that were given up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GivenUp {
    pub task: bool,
    pub owner: Option<String>,
    pub queue: Option<String>,
}

/// All of it, checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The `source` of every event.
    pub source: String,
    /// What event types begin with.
    pub type_prefix: String,
    pub subscriptions: Vec<Subscription>,
    pub mappings: Vec<Mapping>,
    pub given_up: GivenUp,
}

impl Settings {
    /// Reads and checks them. The error is a sentence that says where and what.
    pub fn load() -> Result<Self, String> {
        Self::read(settings::load().top())
    }

    #[cfg(test)]
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::read(kjerne_sdk::testing::settings(text)?.top())
    }

    fn read(top: Table<'_>) -> Result<Self, String> {
        let top = top.only(&[
            "source",
            "type_prefix",
            "subscription",
            "inbound",
            "given_up",
        ])?;
        let subscriptions: Vec<Subscription> = top
            .items("subscription")?
            .into_iter()
            .map(read_subscription)
            .collect::<Result<_, _>>()?;
        let mappings: Vec<Mapping> = top
            .items("inbound")?
            .into_iter()
            .map(read_mapping)
            .collect::<Result<_, _>>()?;
        let names = subscriptions
            .iter()
            .map(|one| (one.name.as_str(), one.line));
        if let Some((name, line)) = twice(names) {
            return Err(format!(
                "line {line}: two subscriptions are named '{name}'; a message is named after its subscription"
            ));
        }
        let names = mappings.iter().map(|one| (one.name.as_str(), one.line));
        if let Some((name, line)) = twice(names) {
            return Err(format!(
                "line {line}: two rules for what comes in are named '{name}'; what was taken before is known by the rule"
            ));
        }
        Ok(Self {
            source: mark(top, "source", "/kjerne")?,
            type_prefix: mark(top, "type_prefix", "kjerne")?,
            subscriptions,
            mappings,
            given_up: read_given_up(top)?,
        })
    }
}

fn read_subscription(row: Node<'_>) -> Result<Subscription, String> {
    let table = row.table()?.only(&[
        "name",
        "enabled",
        "url",
        "secret",
        "headers",
        "kinds",
        "operations",
        "changed",
        "when",
        "unless",
        "exclude_actors",
        "fields",
        "mode",
    ])?;
    let url = table.required("url")?;
    if let Some(wrong) = wrong_address(url) {
        return Err(row.wrong(wrong));
    }
    let mode = match table.text("mode")? {
        None | Some("change") => Mode::Change,
        Some("record") => Mode::Record,
        Some("notice") => Mode::Notice,
        Some(other) => {
            return Err(row.wrong(format!("mode is change, record or notice, not '{other}'")));
        }
    };
    let operations = read_operations(row, table)?;
    let headers = read_headers(row, table)?;
    let exclude_actors = table.texts("exclude_actors")?;
    if let Some(wrong) = exclude_actors
        .iter()
        .find_map(|one| known::wrong_actor(one))
    {
        return Err(row.wrong(wrong));
    }
    let name = table.required("name")?;
    check_id_part(row, name)?;
    if let Some(wrong) = table.text("secret")?.and_then(wrong_secret) {
        return Err(row.wrong(wrong));
    }
    Ok(Subscription {
        line: row.line(),
        name: name.to_owned(),
        enabled: table.flag("enabled", true)?,
        url: url.to_owned(),
        secret: table.text("secret")?.map(str::to_owned),
        headers,
        kinds: table.texts("kinds")?,
        operations,
        changed: table.texts("changed")?,
        when: read_condition(table, "when")?,
        unless: read_condition(table, "unless")?,
        exclude_actors,
        fields: table.get("fields").map(Node::texts).transpose()?,
        mode,
    })
}

/// What a subscription is about; all of it where it says nothing.
fn read_operations(row: Node<'_>, table: Table<'_>) -> Result<Vec<String>, String> {
    let known = ["create", "update", "delete"];
    let operations = match table.get("operations") {
        Some(node) => node.texts()?,
        None => known.map(str::to_owned).to_vec(),
    };
    if operations.is_empty() {
        return Err(
            row.wrong("operations names none; leave it out for all, or set enabled = false")
        );
    }
    let is_known = |name: &&String| known.contains(&name.as_str());
    match operations.iter().find(|name| !is_known(name)) {
        Some(wrong) => Err(row.wrong(format!(
            "operations are create, update and delete, not '{wrong}'"
        ))),
        None => Ok(operations),
    }
}

fn read_headers(row: Node<'_>, table: Table<'_>) -> Result<Vec<(String, String)>, String> {
    let Some(node) = table.get("headers") else {
        return Ok(Vec::new());
    };
    let rows = node
        .table()?
        .entries()
        .map(|(name, value)| Ok((name.to_owned(), value.text()?.to_owned())));
    let headers = by_name(rows)?;
    match wrong_headers(&headers) {
        Some(wrong) => Err(row.wrong(wrong)),
        None => Ok(headers),
    }
}

fn check_id_part(row: Node<'_>, name: &str) -> Result<(), String> {
    if let Some(wrong) = known::wrong_name(name) {
        return Err(row.wrong(wrong));
    }
    let is_plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if !name.is_empty() && name.bytes().all(is_plain) {
        return Ok(());
    }
    Err(row.wrong(format!(
        "'{name}' stands in the id of every message: write it in ASCII, without control characters"
    )))
}

/// A name that stands there more than once, with its line.
fn twice<'a>(names: impl Iterator<Item = (&'a str, u32)>) -> Option<(&'a str, u32)> {
    let mut names: Vec<(&str, u32)> = names.collect();
    names.sort_unstable();
    let pair = names.windows(2).find(|pair| pair[0].0 == pair[1].0)?;
    Some(pair[1])
}

/// A text without blanks, such as every event bears.
fn mark(top: Table<'_>, key: &str, otherwise: &str) -> Result<String, String> {
    let Some(node) = top.get(key) else {
        return Ok(otherwise.to_owned());
    };
    let text = node.text()?;
    if text.is_empty() || text.contains(|sign: char| sign.is_whitespace() || sign.is_control()) {
        return Err(node.wrong(format_args!(
            "{key} is '{text}'; it takes a text without blanks"
        )));
    }
    Ok(text.to_owned())
}

fn read_condition(table: Table<'_>, key: &str) -> Result<Condition, String> {
    let Some(node) = table.get(key) else {
        return Ok(Condition::new());
    };
    let read = |(name, values): (&str, Node<'_>)| {
        let wanted = values.texts()?;
        if wanted.is_empty() {
            return Err(values.wrong(format_args!(
                "{name} is one of nothing, which never is; name a value, \"\" for empty or \"*\" for any"
            )));
        }
        Ok((name.to_owned(), wanted))
    };
    node.table()?.entries().map(read).collect()
}

fn read_mapping(row: Node<'_>) -> Result<Mapping, String> {
    let table = row.table()?.only(&[
        "name", "source", "when", "unless", "kind", "id", "fields", "set", "now",
    ])?;
    let kind = table.text("kind")?.map(str::to_owned);
    let source = table.required("source")?;
    if !SOURCES.contains(&source) {
        return Err(row.wrong(format!(
            "nothing comes in at the source '{source}'; use {}",
            SOURCES.join(", ")
        )));
    }
    let mapping = Mapping {
        line: row.line(),
        name: table.required("name")?.to_owned(),
        source: source.to_owned(),
        when: read_condition(table, "when")?,
        unless: read_condition(table, "unless")?,
        kind,
        id: table.text("id")?.map(str::to_owned),
        fields: read_fields(table)?,
        set: read_constants(table)?,
        now: table.texts("now")?,
    };
    check_once(row, &mapping)?;
    let sources = mapping.fields.iter().map(|(_, source)| &source.from);
    let pointers = mapping
        .when
        .keys()
        .chain(mapping.unless.keys())
        .chain(&mapping.id)
        .chain(sources);
    if let Some(wrong) = pointers
        .into_iter()
        .find(|pointer| !pointer.starts_with('/'))
    {
        return Err(row.wrong(format!(
            "'{wrong}' is no place in the message; write a JSON pointer such as /email"
        )));
    }
    Ok(mapping)
}

/// Whether no field is filled in twice: what the message says of it would be dropped.
fn check_once(row: Node<'_>, mapping: &Mapping) -> Result<(), String> {
    let taken = mapping.fields.iter().map(|(field, _)| field);
    let is_set = |field: &&String| mapping.set.iter().any(|(set, _)| set == *field);
    match taken.chain(&mapping.now).find(is_set) {
        Some(field) => Err(row.wrong(format!(
            "{field} stands in set and again in fields or now; a field is filled in once"
        ))),
        None => Ok(()),
    }
}

/// `email = "/email"`, or a table with more to say.
fn read_fields(table: Table<'_>) -> Result<Vec<(String, Source)>, String> {
    let Some(node) = table.get("fields") else {
        return Ok(Vec::new());
    };
    let read = |(name, node): (&str, Node<'_>)| Ok((name.to_owned(), read_source(node)?));
    by_name(node.table()?.entries().map(read))
}

/// Sorted by name, so that a message makes the same record however its mapping is arranged.
fn by_name<T>(
    rows: impl Iterator<Item = Result<(String, T), String>>,
) -> Result<Vec<(String, T)>, String> {
    let sorted: BTreeMap<_, _> = rows.collect::<Result<_, _>>()?;
    Ok(sorted.into_iter().collect())
}

fn read_source(node: Node<'_>) -> Result<Source, String> {
    if let Some(from) = node.as_text() {
        let from = from.to_owned();
        return Ok(Source {
            from,
            form: Form::Text,
            values: BTreeMap::new(),
            default: None,
            required: false,
        });
    }
    let table = node.table()?.only(&[
        "from", "as", "currency", "kind", "by", "values", "default", "required",
    ])?;
    let values = match table.get("values") {
        None => BTreeMap::new(),
        Some(node) => {
            let rows = node
                .table()?
                .entries()
                .map(|(theirs, ours)| Ok((theirs.to_owned(), ours.text()?.to_owned())));
            rows.collect::<Result<_, String>>()?
        }
    };
    let form = read_form(table, node)?;
    let is_value =
        |text: &str| matches!(form, Form::Lookup { .. }) || value_of(&form, text).is_some();
    if let Some(ours) = values.values().find(|ours: &&String| !is_value(ours)) {
        return Err(node.wrong(format_args!("'{ours}' of values is no value of this form")));
    }
    if let Some(one) = table.get("default") {
        let text = one.text()?;
        let is_value = is_value(text);
        if text.trim().is_empty() || !is_value {
            return Err(one.wrong(format_args!("default '{text}' is no value of this form")));
        }
    }
    Ok(Source {
        from: table.required("from")?.to_owned(),
        form,
        values,
        default: table.text("default")?.map(str::to_owned),
        required: table.flag("required", false)?,
    })
}

fn read_form(table: Table<'_>, node: Node<'_>) -> Result<Form, String> {
    Ok(match table.text("as")?.unwrap_or("text") {
        "text" => Form::Text,
        "integer" => Form::Integer,
        "decimal" => Form::Decimal,
        "money" => {
            let currency = table.text("currency")?;
            let is_known = |code: &str| Money::from_major(Decimal::from(0), code).is_some();
            if let Some(other) = currency.filter(|code| !is_known(code)) {
                return Err(node.wrong(format_args!("'{other}' is no currency of ISO 4217")));
            }
            Form::Money(currency.map(str::to_owned))
        }
        "date" => Form::Date,
        "instant" => Form::Instant,
        "flag" => Form::Flag,
        "choices" => Form::Choices,
        "reference" => Form::Reference,
        "lookup" => Form::Lookup {
            kind: table.required("kind")?.to_owned(),
            by: table.required("by")?.to_owned(),
        },
        other => {
            return Err(node.wrong(format!(
                "'{other}' is no form; write text, integer, decimal, money, date, instant, flag, choices, reference or lookup"
            )));
        }
    })
}

/// Fixed values: texts, whole numbers, flags.
fn read_constants(table: Table<'_>) -> Result<Vec<(String, Value)>, String> {
    let Some(node) = table.get("set") else {
        return Ok(Vec::new());
    };
    let read = |(name, node): (&str, Node<'_>)| {
        if node.as_text().is_some_and(|text| text.trim().is_empty()) {
            return Err(node.wrong(format_args!("{name} is set to nothing; leave it out")));
        }
        let text = node.as_text().map(Value::from);
        let value = text
            .or_else(|| node.as_integer().map(Value::from))
            .or_else(|| node.as_flag().map(Value::from));
        let value =
            value.ok_or_else(|| node.wrong("expected text, a whole number, true or false"))?;
        Ok((name.to_owned(), value))
    };
    by_name(node.table()?.entries().map(read))
}

fn read_given_up(top: Table<'_>) -> Result<GivenUp, String> {
    let Some(node) = top.get("given_up") else {
        return Ok(GivenUp::default());
    };
    let table = node.table()?.only(&["task", "owner", "queue"])?;
    if let Some(wrong) = table.text("queue")?.and_then(known::wrong_name) {
        return Err(node.wrong(wrong));
    }
    Ok(GivenUp {
        task: table.flag("task", false)?,
        owner: table.text("owner")?.map(str::to_owned),
        queue: table.text("queue")?.map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_default_settings_send_nothing_and_take_forms_devices_and_signals() {
        let settings = Settings::parse(include_str!("../settings.toml")).unwrap();
        assert!(
            settings
                .subscriptions
                .iter()
                .all(|subscription| !subscription.enabled)
        );
        let mut sources: Vec<&str> = settings
            .mappings
            .iter()
            .map(|mapping| mapping.source.as_str())
            .collect();
        sources.dedup();
        assert_eq!(sources, ["form", "device", "signal"]);
    }

    #[test]
    fn the_sources_are_those_of_the_manifest() {
        let declared = SOURCES.map(|source| format!("\"{source}\"")).join(", ");
        let manifest = include_str!("../kjerne.toml");
        assert!(manifest.contains(&format!("sources = [{declared}]")));
    }

    #[test]
    fn what_is_wrong_with_the_settings_is_told_with_its_line() {
        let rows = [
            ("sources = 'x'", "line 1: 'sources'"),
            ("[[subscription]]\nname = 'a'", "'url' is missing"),
            (
                "[[subscription]]\nurl = 'https://a.example'",
                "'name' is missing",
            ),
            (
                "[[subscription]]\nname = 'a'\nurl = 'a.example'",
                "https://",
            ),
            (
                "[[subscription]]\nname = 'a'\nurl = 'https://a.example'\nmode = 'all'",
                "'all'",
            ),
            (
                "[[subscription]]\nname = 'a'\nurl = 'https://a.example'\noperations = ['insert']",
                "'insert'",
            ),
            ("[[inbound]]\nname = 'a'", "'source' is missing"),
            ("[[inbound]]\nname = 'a'\nsource = 'forms'", "'forms'"),
            (
                "[[inbound]]\nname = 'a'\nsource = 'form'\n[[inbound]]\nname = 'a'\nsource = 'device'",
                "line 4: two rules for what comes in are named 'a'",
            ),
            ("source = 'not a uri'", "line 1: source is"),
            ("type_prefix = ''", "type_prefix"),
            ("[given_up]\nqueue = ' '", "line 1: a name is empty"),
            (
                "[[subscription]]\nname = 'blåbær'\nurl = 'https://a.example'",
                "'blåbær'",
            ),
            (
                "[[inbound]]\nname = 'a'\nsource = 'form'\nfields = { email = 'email' }",
                "/email",
            ),
            (
                "[[inbound]]\nname = 'a'\nsource = 'form'\nfields = { n = { from = '/n', as = 'number' } }",
                "'number'",
            ),
            (
                "[[inbound]]\nname = 'a'\nsource = 'form'\nfields = { n = { from = '/n', as = 'lookup' } }",
                "'kind' is missing",
            ),
            (
                "[[inbound]]\nname = 'a'\nsource = 'form'\nset = { n = 1 }\nfields = { n = '/n' }",
                "n stands in set and again",
            ),
            (
                "[[inbound]]\nname = 'a'\nsource = 'form'\nfields = { n = { from = '/n', as = 'date', values = { x = 'soon' } } }",
                "'soon' of values",
            ),
            (
                "[[inbound]]\nname = 'a'\nsource = 'form'\nset = { n = [] }",
                "expected text",
            ),
            (
                "[[inbound]]\nname = 'a'\nsource = 'form'\nset = { n = ' ' }",
                "line 4: n is set to nothing",
            ),
            (
                "[[inbound]]\nname = 'a'\nsource = 'form'\nfields = { n = { from = '/n', as = 'integer', default = 'many' } }",
                "line 4: default 'many' is no value",
            ),
            (
                "[[inbound]]\nname = 'a'\nsource = 'form'\nfields = { n = { from = '/n', as = 'money', currency = 'kr' } }",
                "line 4: 'kr' is no currency",
            ),
        ];
        let subscription =
            |more: &str| format!("[[subscription]]\nname = 'a'\nurl = 'https://a.example'\n{more}");
        for (more, named) in [
            ("operations = []", "names none"),
            ("secret = ''", "cannot be a secret"),
            ("exclude_actors = ['kari']", "'kari' is no actor"),
            (
                "headers = { 'bad name' = 'x' }",
                "'bad name' cannot be a header",
            ),
            ("headers = { x = \"a\\r\\nb\" }", "'x' cannot be sent"),
            ("headers = { Content-Type = 'x' }", "set by the kernel"),
            ("when = { stage = [] }", "line 4: stage is one of nothing"),
        ] {
            let error = Settings::parse(&subscription(more)).expect_err(more);
            assert!(error.contains(named), "{more} gives {error:?}");
        }
        for (text, named) in rows {
            let error = Settings::parse(text).expect_err(text);
            assert!(
                error.contains(named),
                "{text:?} gives {error:?}, which does not name {named:?}"
            );
        }
        let twice = "[[subscription]]\nname = 'a'\nurl = 'https://a.example'\n".repeat(2);
        let told = Settings::parse(&twice).unwrap_err();
        assert!(
            told.contains("line 4: two subscriptions are named 'a'"),
            "{told}"
        );
    }
}
