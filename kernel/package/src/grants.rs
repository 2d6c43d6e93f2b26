//! What a plugin may do: the grammar of grants, and the set that is in effect.
//!
//! A manifest declares items, an administrator grants items, and in effect are the granted ones that
//! a declared one covers. A grant to read is also the projection: only granted fields cross over.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use kjerne_model::{Name, ParseError};

use crate::limits;

/// One thing a plugin may do.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Grant {
    /// `read:KIND` or `read:KIND.FIELD`
    Read(Name, Option<Name>),
    /// `set:KIND.FIELD`: set a field while a commit is shaped.
    Set(Name, Name),
    /// `create:KIND`
    Create(Name),
    /// `update:KIND` or `update:KIND.FIELD`
    Update(Name, Option<Name>),
    /// `delete:KIND`
    Delete(Name),
    /// `state`: a key space of its own.
    State,
    /// `send:https://host[:port]`; a manifest may declare `send:*`.
    Send(Option<Origin>),
    /// `secret:NAME`: have messages signed with it; a manifest may declare `secret:*`.
    Secret(Option<String>),
}

/// A place messages go to: scheme, host and port.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// The place an address belongs to. Only `https` leaves the machine; `http` is taken for the
    /// machine itself. No user or password, no escapes, nothing that two parsers read differently.
    #[must_use]
    pub fn of_url(url: &str) -> Option<Self> {
        let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => return None,
        };
        if !url
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        {
            return None;
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, parse_port(port)?),
            None => (authority, if secure { 443 } else { 80 }),
        };
        let host = host.to_ascii_lowercase();
        (is_host(&host) && (secure || is_loopback(&host))).then_some(Self { secure, host, port })
    }

    /// Reads an origin: an address with nothing after host and port.
    fn parse(text: &str) -> Option<Self> {
        let authority = text.split_once("://")?.1;
        if authority.contains(['/', '?', '#']) {
            None
        } else {
            Self::of_url(text)
        }
    }
}

fn parse_port(text: &str) -> Option<u16> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn is_host(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.len() <= limits::SEND_HOST.count() && host.split('.').all(label)
}

fn is_loopback(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1")
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.secure {
            ("https", 443)
        } else {
            ("http", 80)
        };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port == usual {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

impl Grant {
    /// Reads one item.
    ///
    /// # Errors
    /// When the text is not in the grammar of grants.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text == "state" {
            return Ok(Self::State);
        }
        let wrong = || {
            ParseError::new(
                "a grant: read:KIND[.FIELD], set:KIND.FIELD, create:KIND, update:KIND[.FIELD], \
                 delete:KIND, state, send:https://HOST[:PORT] or secret:NAME",
                text,
            )
        };
        let (verb, what) = text.split_once(':').ok_or_else(wrong)?;
        match verb {
            "read" => path(what).map(|(kind, field)| Self::Read(kind, field)),
            "update" => path(what).map(|(kind, field)| Self::Update(kind, field)),
            "set" => path(what).and_then(|(kind, field)| Some(Self::Set(kind, field?))),
            "create" => Name::new(what).ok().map(Self::Create),
            "delete" => Name::new(what).ok().map(Self::Delete),
            "send" if what == "*" => Some(Self::Send(None)),
            "send" => Origin::parse(what).map(|origin| Self::Send(Some(origin))),
            "secret" if what == "*" => Some(Self::Secret(None)),
            "secret" => is_secret_name(what).then(|| Self::Secret(Some(what.to_owned()))),
            _ => None,
        }
        .ok_or_else(wrong)
    }

    /// True when whoever has this may do all that `other` allows.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Read(kind, None), Self::Read(other, _))
            | (Self::Update(kind, None), Self::Update(other, _)) => kind == other,
            (Self::Send(None), Self::Send(_)) | (Self::Secret(None), Self::Secret(_)) => true,
            _ => self == other,
        }
    }

    /// True for `send:*` and `secret:*`, which can be declared but not granted: the administrator
    /// names the places and secrets.
    #[must_use]
    pub fn is_wildcard(&self) -> bool {
        matches!(self, Self::Send(None) | Self::Secret(None))
    }

    /// The word in front: `read`, `set`, ….
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Read(..) => "read",
            Self::Set(..) => "set",
            Self::Create(_) => "create",
            Self::Update(..) => "update",
            Self::Delete(_) => "delete",
            Self::State => "state",
            Self::Send(_) => "send",
            Self::Secret(_) => "secret",
        }
    }
}

/// `KIND` or `KIND.FIELD`.
fn path(text: &str) -> Option<(Name, Option<Name>)> {
    match text.split_once('.') {
        Some((kind, field)) => Some((Name::new(kind).ok()?, Some(Name::new(field).ok()?))),
        None => Some((Name::new(text).ok()?, None)),
    }
}

fn is_secret_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    !text.is_empty() && text.len() <= limits::SECRET_NAME.count() && text.bytes().all(allowed)
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = self.verb();
        match self {
            Self::Read(kind, Some(field))
            | Self::Update(kind, Some(field))
            | Self::Set(kind, field) => write!(f, "{verb}:{kind}.{field}"),
            Self::Read(kind, None)
            | Self::Update(kind, None)
            | Self::Create(kind)
            | Self::Delete(kind) => write!(f, "{verb}:{kind}"),
            Self::State => f.write_str(verb),
            Self::Send(Some(origin)) => write!(f, "{verb}:{origin}"),
            Self::Secret(Some(name)) => write!(f, "{verb}:{name}"),
            Self::Send(None) | Self::Secret(None) => write!(f, "{verb}:*"),
        }
    }
}

/// Fields of a kind: all of them, or some.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Projection {
    /// Every field.
    All,
    /// These fields.
    Some(BTreeSet<Name>),
}

impl Projection {
    /// True when the field is among them.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(fields) => fields.contains(field),
        }
    }

    fn add(projections: &mut BTreeMap<Name, Self>, kind: &Name, field: Option<&Name>) {
        let entry = projections
            .entry(kind.clone())
            .or_insert_with(|| Self::Some(BTreeSet::new()));
        match (entry, field) {
            (Self::All, _) => {}
            (entry, None) => *entry = Self::All,
            (Self::Some(fields), Some(field)) => {
                fields.insert(field.clone());
            }
        }
    }
}

/// The grants in effect, made for quick answers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Grants {
    items: Vec<Grant>,
    read: BTreeMap<Name, Projection>,
    update: BTreeMap<Name, Projection>,
}

impl Grants {
    /// The granted items that a declared one covers.
    #[must_use]
    pub fn effective(declared: &[Grant], granted: &[Grant]) -> Self {
        let mut grants = Self::default();
        for item in granted {
            let covered = declared.iter().any(|wider| wider.covers(item));
            if covered && !item.is_wildcard() && !grants.items.contains(item) {
                grants.add(item);
            }
        }
        grants
    }

    /// What may be read, as a text that is the same for the same.
    #[must_use]
    pub fn reading(&self) -> String {
        format!("{:?}", self.read)
    }

    fn add(&mut self, item: &Grant) {
        match item {
            Grant::Read(kind, field) => Projection::add(&mut self.read, kind, field.as_ref()),
            Grant::Update(kind, field) => Projection::add(&mut self.update, kind, field.as_ref()),
            _ => {}
        }
        self.items.push(item.clone());
    }

    /// The items in effect, in the order they were granted.
    #[must_use]
    pub fn items(&self) -> &[Grant] {
        &self.items
    }

    /// Those of the needed items that are about reading records and not in effect.
    #[must_use]
    pub fn unseen(&self, needed: &[Grant]) -> Vec<Grant> {
        let reads = needed.iter().filter(|item| matches!(item, Grant::Read(..)));
        reads.filter(|item| !self.has(item)).cloned().collect()
    }

    fn has(&self, wanted: &Grant) -> bool {
        self.items.iter().any(|item| item.covers(wanted))
    }

    /// What of a kind may be read; none when nothing.
    #[must_use]
    pub fn readable(&self, kind: &str) -> Option<&Projection> {
        self.read.get(kind)
    }

    /// What of a kind may be updated; none when nothing.
    #[must_use]
    pub fn updatable(&self, kind: &str) -> Option<&Projection> {
        self.update.get(kind)
    }

    /// Whether a shape may set the field.
    #[must_use]
    pub fn may_set(&self, kind: &str, field: &str) -> bool {
        let is = |item: &Grant| matches!(item, Grant::Set(k, f) if k == kind && f == field);
        self.items.iter().any(is)
    }

    /// Whether records of the kind may be created.
    #[must_use]
    pub fn may_create(&self, kind: &str) -> bool {
        self.items
            .iter()
            .any(|item| matches!(item, Grant::Create(k) if k == kind))
    }

    /// Whether records of the kind may be deleted.
    #[must_use]
    pub fn may_delete(&self, kind: &str) -> bool {
        self.items
            .iter()
            .any(|item| matches!(item, Grant::Delete(k) if k == kind))
    }

    /// Whether it has a key space of its own.
    #[must_use]
    pub fn has_state(&self) -> bool {
        self.has(&Grant::State)
    }

    /// Whether messages may go to the address.
    #[must_use]
    pub fn may_send(&self, url: &str) -> bool {
        Origin::of_url(url).is_some_and(|origin| self.has(&Grant::Send(Some(origin))))
    }

    /// Whether messages may be signed with the secret.
    #[must_use]
    pub fn may_sign(&self, secret: &str) -> bool {
        self.has(&Grant::Secret(Some(secret.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn grants(items: &[&str]) -> Vec<Grant> {
        items
            .iter()
            .map(|item| Grant::parse(item).unwrap())
            .collect()
    }

    #[test]
    fn items_read_back_as_written() {
        for text in [
            "read:account",
            "read:acme:policy.number",
            "set:opportunity.probability",
            "create:task",
            "update:case",
            "update:case.priority",
            "delete:task",
            "state",
            "send:*",
            "send:https://hooks.example.com",
            "send:https://hooks.example.com:8443",
            "send:http://127.0.0.1:9000",
            "secret:*",
            "secret:crm_key",
        ] {
            assert_eq!(Grant::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_not_in_the_grammar_is_refused() {
        for text in [
            "",
            "read",
            "read:",
            "read:*",
            "read:Account",
            "read:account.",
            "read:account.name.first",
            "set:opportunity",
            "create:task.subject",
            "write:account",
            "send:hooks.example.com",
            "send:http://hooks.example.com",
            "send:https://hooks.example.com/path",
            "send:https://user@hooks.example.com",
            "send:https://*.example.com",
            "send:https://hooks.example.com:99999",
            "secret:",
            "secret:A B",
        ] {
            assert!(Grant::parse(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_declared_item_covers_what_is_narrower() {
        let table = [
            ("read:account", "read:account.name", true),
            ("read:account.name", "read:account", false),
            ("read:account", "read:contact.name", false),
            ("read:account", "update:account", false),
            ("update:case", "update:case.priority", true),
            ("set:case.priority", "set:case.priority", true),
            ("set:case.priority", "set:case.queue", false),
            ("send:*", "send:https://a.example.com", true),
            (
                "send:https://a.example.com",
                "send:https://a.example.com:443",
                true,
            ),
            (
                "send:https://a.example.com",
                "send:https://b.example.com",
                false,
            ),
            (
                "send:https://a.example.com",
                "send:https://a.example.com:8443",
                false,
            ),
            ("secret:*", "secret:key", true),
            ("secret:key", "secret:other", false),
            ("state", "state", true),
        ];
        for (wide, narrow, expected) in table {
            let covers = Grant::parse(wide)
                .unwrap()
                .covers(&Grant::parse(narrow).unwrap());
            assert_eq!(covers, expected, "{wide} covers {narrow}");
        }
    }

    #[test]
    fn in_effect_is_what_is_declared_and_granted() {
        let declared = grants(&["read:account", "read:contact.email", "send:*"]);
        let granted = grants(&[
            "read:account.name",
            "read:contact",
            "state",
            "send:*",
            "send:https://a.example.com",
        ]);
        let effective = Grants::effective(&declared, &granted);
        let items: Vec<String> = effective.items().iter().map(Grant::to_string).collect();
        assert_eq!(items, ["read:account.name", "send:https://a.example.com"]);
        assert!(
            effective
                .readable("account")
                .is_some_and(|fields| fields.has("name"))
        );
        assert!(
            effective
                .readable("account")
                .is_some_and(|fields| !fields.has("email"))
        );
        assert!(effective.readable("contact").is_none());
        assert!(!effective.has_state());
    }

    #[test]
    fn a_name_in_a_grant_is_taken_to_the_number_and_not_beyond() {
        let check = |limit: kjerne_core::limits::Limit, grant: &dyn Fn(usize) -> String| {
            let most = limit.count();
            assert!(Grant::parse(&grant(most)).is_ok(), "{}", limit.name);
            assert!(Grant::parse(&grant(most + 1)).is_err(), "{}", limit.name);
        };
        let long = |bytes: usize| "x".repeat(bytes);
        check(limits::SECRET_NAME, &|bytes| {
            format!("secret:{}", long(bytes))
        });
        check(limits::SEND_HOST, &|bytes| {
            format!("send:https://{}", long(bytes))
        });
    }

    #[test]
    fn addresses_that_look_granted_are_not() {
        let all = grants(&["send:https://a.example.com"]);
        let effective = Grants::effective(&all, &all);
        let table = [
            ("https://a.example.com/hook?x=1", true),
            ("https://A.EXAMPLE.com/hook", true),
            ("https://a.example.com:443/", true),
            ("http://a.example.com/", false),
            ("https://a.example.com:444/", false),
            ("https://a.example.com.evil.example/", false),
            ("https://evil.example/https://a.example.com/", false),
            ("https://a.example.com@evil.example/", false),
            ("https://evil.example\\@a.example.com/", false),
            ("https://a.example.com\n.evil.example/", false),
            ("https://xa.example.com/", false),
        ];
        for (url, expected) in table {
            assert_eq!(effective.may_send(url), expected, "{url}");
        }
    }
}
