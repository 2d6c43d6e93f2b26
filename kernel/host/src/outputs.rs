//! What a plugin says: the fields it sets, what it objects to, what it wants done. Every grant is
//! checked here, at the operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use kjerne_core::{FieldSet, Finding};
use kjerne_model::{
    Address, Change, FieldType, Fields, Kind, Name, Patch, RecordId, Reference, Target, Value,
    shown,
};
use wasmtime::component::Resource;

use crate::call_state::{CallState, Shown, kind_of, quoted};
use crate::imports::reference;
use crate::limits;
use crate::resources::{CallContext, Edits, Findings, Proposals};
use crate::stop::{Ended, Stop};
use crate::wit::v0_1_0::{self as wit, Field, RecordRef, types};

/// Headers the kernel sets itself, and those that would change what a message is.
const OWN_HEADERS: [&str; 14] = [
    "host",
    "connection",
    "content-length",
    "content-type",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "cookie",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "keep-alive",
];

impl types::HostCallContext for CallState {
    fn now(&mut self, _: Resource<CallContext>) -> wasmtime::Result<i64> {
        Ok(self.call.now.millis())
    }

    fn actor(&mut self, _: Resource<CallContext>) -> wasmtime::Result<String> {
        self.meter.check_time().map_err(|_| Ended)?;
        Ok(self.call.actor.to_string())
    }

    fn depth(&mut self, _: Resource<CallContext>) -> wasmtime::Result<u32> {
        Ok(self.call.depth)
    }

    fn drop(&mut self, _: Resource<CallContext>) -> wasmtime::Result<()> {
        Ok(())
    }
}

fn not_granted(what: &str) -> Stop {
    Stop::failure("not-granted", format!("the plugin was not granted {what}"))
}

fn wrong_type(message: impl AsRef<str>) -> Stop {
    Stop::failure("wrong-type", message)
}

/// `billing_address.city` as field and part; a field alone has no part.
fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once('.') {
        Some((field, part)) => (field, Some(part)),
        None => (name, None),
    }
}

/// What a plugin gave for a field, brought into the field's type. A part of an address changes
/// the address in `addresses`, and the whole of it is the field's value.
fn take(
    kind: &Kind,
    name: &str,
    value: Option<types::Value>,
    addresses: &mut BTreeMap<Name, Address>,
) -> Result<(Name, Option<Value>), Stop> {
    let (field_name, part) = split(name);
    let field = kind.field(field_name).ok_or_else(|| {
        wrong_type(format!(
            "kind {} has no field {:?}",
            kind.name,
            quoted(field_name)
        ))
    })?;
    let value = value.map(wit::value_in).transpose();
    let value = value.map_err(|error| wrong_type(format!("{name}: {error}")))?;
    let field_name = field.name.clone();
    match (part, value) {
        (Some(part), value) => {
            let address = addresses.entry(field_name.clone()).or_default();
            set_part(address, &field.field_type, name, part, value)?;
            let whole = (!address.is_empty()).then(|| Value::Address(address.clone()));
            Ok((field_name, whole))
        }
        (None, None) => {
            addresses.remove(&field_name);
            Ok((field_name, None))
        }
        (None, Some(value)) if wit::fits(&field.field_type, &value) => {
            Ok((field_name, Some(value)))
        }
        (None, Some(value)) => {
            let (holds, given) = (field.field_type.name(), value.type_name());
            Err(wrong_type(format!("{name} holds {holds}, not {given}")))
        }
    }
}

fn set_part(
    address: &mut Address,
    field_type: &FieldType,
    name: &str,
    part: &str,
    value: Option<Value>,
) -> Result<(), Stop> {
    let place = match field_type {
        FieldType::Address => address.part_mut(part),
        _ => None,
    };
    let place = place.ok_or_else(|| {
        let parts = Address::PARTS.join(", ");
        wrong_type(format!(
            "there is no {name}; the parts of an address are {parts}"
        ))
    })?;
    match value {
        None => place.clear(),
        Some(value) if value.is_empty() => place.clear(),
        Some(Value::Text(text)) => *place = text,
        Some(other) => {
            return Err(wrong_type(format!(
                "{name} holds text, not {}",
                other.type_name()
            )));
        }
    }
    Ok(())
}

fn unknown_change(change: u32, shown: &[Shown]) -> Stop {
    let message = format!("there is no change {change}; the call has {}", shown.len());
    Stop::failure("unknown-change", message)
}

impl types::HostEdits for CallState {
    fn set(
        &mut self,
        _: Resource<Edits>,
        change: u32,
        field: String,
        value: Option<types::Value>,
    ) -> Result<(), Stop> {
        self.meter.check_time()?;
        let given = [Field { name: field, value }];
        self.meter.output(wit::weight(&given))?;
        let [Field { name, value }] = given;
        let shown = self
            .shown
            .get_mut(change as usize)
            .filter(|shown| shown.lives);
        let Some(shown) = shown else {
            return Err(unknown_change(change, &self.shown));
        };
        if !self.plugin.grants.may_set(&shown.kind, split(&name).0) {
            return Err(not_granted(&format!(
                "set:{}.{}",
                shown.kind,
                split(&name).0
            )));
        }
        let kind = kind_of(&self.call, &shown.kind)?;
        let (field, value) = take(kind, &name, value, &mut shown.addresses)?;
        self.sets.push(FieldSet {
            change: shown.change,
            field,
            value,
        });
        Ok(())
    }

    fn drop(&mut self, _: Resource<Edits>) -> wasmtime::Result<()> {
        Ok(())
    }
}

/// The name of a rule, brought into the form of one. It is never refused: an objection that is lost
/// would let pass what it is about.
pub fn rule_name(code: &str) -> String {
    let word = |c: char| {
        let fits = c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_' || c == '.';
        if fits { c } else { '-' }
    };
    let name: String = quoted(code).chars().map(word).collect();
    if name.is_empty() {
        "unnamed".to_owned()
    } else {
        name
    }
}

impl types::HostFindings for CallState {
    fn refuse(
        &mut self,
        _: Resource<Findings>,
        change: u32,
        field: Option<String>,
        code: String,
        message: String,
    ) -> Result<(), Stop> {
        self.meter.check_time()?;
        let bytes = field.as_ref().map_or(0, String::len) + code.len() + message.len();
        self.meter.output(bytes as u64)?;
        let Some(shown) = self.shown.get(change as usize) else {
            return Err(unknown_change(change, &self.shown));
        };
        let change = shown.change;
        self.objections += 1;
        if self.findings.len() < limits::FINDINGS.count() {
            let field = field
                .map(|field| quoted(&field))
                .filter(|field| !field.trim().is_empty());
            self.findings.push(Finding {
                change,
                field,
                code: rule_name(&code),
                message: shown::beginning(&message, limits::SENTENCE.count()),
            });
        } else if let Some(last) = self.findings.last_mut() {
            last.message = format!(
                "this is one of {} objections; mend the others first",
                self.objections
            );
        }
        Ok(())
    }

    fn drop(&mut self, _: Resource<Findings>) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl CallState {
    /// The addresses a proposal changes in part, as they are now.
    fn addresses_of(
        &self,
        target: &Reference,
        fields: &[Field],
    ) -> Result<BTreeMap<Name, Address>, Stop> {
        if fields.iter().all(|field| split(&field.name).1.is_none()) {
            return Ok(BTreeMap::new());
        }
        let record = self.call.reader.get(&target.kind, target.id)?;
        let fields = record.map(|record| record.fields).unwrap_or_default();
        Ok(fields.into_iter().filter_map(address).collect())
    }
}

fn address((name, value): (Name, Value)) -> Option<(Name, Address)> {
    match value {
        Value::Address(address) => Some((name, address)),
        _ => None,
    }
}

impl types::HostEffects for CallState {
    fn create(
        &mut self,
        _: Resource<Proposals>,
        kind: String,
        fields: Vec<Field>,
    ) -> Result<String, Stop> {
        self.meter.check_time()?;
        self.meter.output(wit::weight(&fields))?;
        let kind = Arc::clone(kind_of(&self.call, &kind)?);
        if !self.plugin.grants.may_create(&kind.name) {
            return Err(not_granted(&format!("create:{}", kind.name)));
        }
        let (mut addresses, mut taken) = (BTreeMap::new(), Fields::new());
        for Field { name, value } in fields {
            match take(&kind, &name, value, &mut addresses)? {
                (name, Some(value)) => taken.insert(name, value),
                (name, None) => taken.remove(&name),
            };
        }
        let id: RecordId = self.ids.next(self.call.now);
        let kind = kind.name.clone();
        self.wishes.changes.push(Change::Create {
            kind,
            id: Some(id),
            fields: taken,
        });
        Ok(id.to_string())
    }

    fn update(
        &mut self,
        _: Resource<Proposals>,
        target: RecordRef,
        expected: Option<u64>,
        fields: Vec<Field>,
    ) -> Result<(), Stop> {
        self.meter.check_time()?;
        self.meter.output(64 + wit::weight(&fields))?;
        let kind = Arc::clone(kind_of(&self.call, &target.kind)?);
        let target = reference(&target)?;
        let granted = self.plugin.grants.updatable(&kind.name);
        let granted = granted.ok_or_else(|| not_granted(&format!("update:{}", kind.name)))?;
        let refused = fields
            .iter()
            .find(|field| !granted.has(split(&field.name).0));
        if let Some(field) = refused {
            return Err(not_granted(&format!(
                "update:{}.{}",
                kind.name,
                split(&field.name).0
            )));
        }
        let mut addresses = self.addresses_of(&target, &fields)?;
        let mut patch = Patch::new();
        for Field { name, value } in fields {
            let (name, value) = take(&kind, &name, value, &mut addresses)?;
            patch.insert(name, value);
        }
        let target = Target {
            kind: target.kind,
            id: target.id,
            expected,
        };
        self.wishes.changes.push(Change::Update { target, patch });
        Ok(())
    }

    fn remove(
        &mut self,
        _: Resource<Proposals>,
        target: RecordRef,
        expected: Option<u64>,
    ) -> Result<(), Stop> {
        self.meter.check_time()?;
        self.meter.output(64)?;
        let kind = Arc::clone(kind_of(&self.call, &target.kind)?);
        let target = reference(&target)?;
        if !self.plugin.grants.may_delete(&kind.name) {
            return Err(not_granted(&format!("delete:{}", kind.name)));
        }
        let target = Target {
            kind: target.kind,
            id: target.id,
            expected,
        };
        self.wishes.changes.push(Change::Delete { target });
        Ok(())
    }

    fn key(&mut self, _: Resource<Proposals>, key: String) -> wasmtime::Result<()> {
        self.meter.output(key.len() as u64).map_err(|_| Ended)?;
        if key.len() > limits::PROPOSAL_KEY.count() {
            self.meter.passes(limits::PROPOSAL_KEY);
            return Err(Ended.into());
        }
        self.wishes.key = Some(key);
        Ok(())
    }

    fn send(
        &mut self,
        _: Resource<Proposals>,
        message: types::OutboundMessage,
    ) -> Result<(), Stop> {
        self.meter.check_time()?;
        self.meter.output(message_weight(&message))?;
        if !self.plugin.grants.may_send(&message.url) {
            let url: String = message.url.chars().take(120).collect();
            return Err(not_granted(&format!("a destination for {url:?}")));
        }
        let secret = message.signing_secret.as_deref();
        if let Some(secret) = secret.filter(|secret| !self.plugin.grants.may_sign(secret)) {
            return Err(not_granted(&format!("secret:{secret}")));
        }
        if let Some(why) = refused_header(&message) {
            return Err(Stop::failure("not-granted", why));
        }
        self.wishes.messages.push(wit::message_in(message));
        Ok(())
    }

    fn drop(&mut self, _: Resource<Proposals>) -> wasmtime::Result<()> {
        Ok(())
    }
}

fn message_weight(message: &types::OutboundMessage) -> u64 {
    let headers: usize = message
        .headers
        .iter()
        .map(|(name, value)| 32 + name.len() + value.len())
        .sum();
    let secret = message.signing_secret.as_ref().map_or(0, String::len);
    let texts = message.url.len() + message.content_type.len() + message.order_key.len();
    (texts + message.id.len() + secret + headers + message.body.len()) as u64
}

/// Why the message's headers cannot be sent. Nothing in them may end a line, since what follows
/// would be a header of its own.
fn refused_header(message: &types::OutboundMessage) -> Option<String> {
    let most = limits::MESSAGE_HEADERS.count();
    if message.headers.len() > most {
        return Some(format!("a message has at most {most} headers"));
    }
    let content_type = ("content-type", message.content_type.as_str());
    let id = ("id", message.id.as_str());
    let given = message
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in given.clone().chain([content_type, id]) {
        let word = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        let clean =
            value.len() <= limits::HEADER_BYTES.count() && !value.chars().any(char::is_control);
        if !word || !clean {
            return Some(format!(
                "the header {:?} cannot be sent as it is",
                quoted(name)
            ));
        }
    }
    let own = given.map(|(name, _)| name.to_ascii_lowercase());
    let mut own =
        own.filter(|name| OWN_HEADERS.contains(&name.as_str()) || name.starts_with("proxy-"));
    own.next()
        .map(|name| format!("the header {name} is set by the kernel"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use kjerne_model::core_kinds;

    fn account() -> Kind {
        core_kinds()
            .into_iter()
            .find(|kind| kind.name == "account")
            .unwrap()
    }

    fn text(text: &str) -> Option<types::Value> {
        Some(types::Value::Text(text.to_owned()))
    }

    #[test]
    fn parts_of_an_address_become_one_value() {
        let (kind, mut addresses) = (account(), BTreeMap::new());
        let mut set = |name: &str, value| take(&kind, name, value, &mut addresses).ok().unwrap().1;
        let shown = |value: Option<Value>| value.map(|value| value.to_string());
        let first = set("billing_address.city", text("Oslo"));
        assert_eq!(shown(first), Some("||Oslo||".to_owned()));
        let second = set("billing_address.country", text("NO"));
        assert_eq!(shown(second), Some("||Oslo||NO".to_owned()));
        set("billing_address.city", None);
        assert_eq!(
            set("billing_address.country", None),
            None,
            "an empty address is no value"
        );
    }

    #[test]
    fn a_value_of_another_type_is_told() {
        let kind = account();
        let table = [
            ("name", Some(types::Value::Integer(1))),
            ("employees", text("many")),
            ("no_such_field", text("x")),
            ("billing_address.planet", text("Mars")),
            ("name.first", text("x")),
            ("billing_address.city", Some(types::Value::Flag(true))),
            (
                "employees",
                Some(types::Value::Other(("area".into(), vec![1]))),
            ),
        ];
        for (name, value) in table {
            let stop = take(&kind, name, value, &mut BTreeMap::new()).err();
            let told = matches!(&stop, Some(Stop::Failure { code, .. }) if code == "wrong-type");
            assert!(told, "{name}");
        }
    }

    #[test]
    fn headers_that_would_change_the_message_are_refused() {
        let message = |name: &str, value: &str| types::OutboundMessage {
            url: "https://hooks.example.com".into(),
            content_type: "text/plain".into(),
            headers: vec![(name.into(), value.into())],
            body: Vec::new(),
            order_key: String::new(),
            id: "1".into(),
            signing_secret: None,
        };
        let table = [
            ("X-Tenant", "north", true),
            ("Host", "other.example.com", false),
            ("content-length", "0", false),
            ("Webhook-Signature", "forged", false),
            ("Proxy-Authorization", "x", false),
            ("x tenant", "north", false),
            ("", "north", false),
            ("x-tenant", "north\r\nhost: other.example.com", false),
        ];
        for (name, value, passes) in table {
            assert_eq!(
                refused_header(&message(name, value)).is_none(),
                passes,
                "{name}: {value}"
            );
        }
    }
}
