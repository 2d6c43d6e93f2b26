//! What a plugin says: the fields it sets, what it objects to, what it wants done. Every grant is
//! checked here, at the operation.

use std::collections::BTreeMap;
use std::sync::Arc;

use kjerne_core::{Finding, Force};
use kjerne_model::{
    Address, Asked, Change, Fields, Name, RecordId, Reference, Target, Value, shown,
};
use kjerne_values::header;
use wasmtime::component::Resource;

use crate::call_state::{CallState, Shown, kind_of, quoted};
use crate::given::{address_bytes, all, split, take};
use crate::imports::reference;
use crate::limits;
use crate::resources::{CallContext, Edits, Findings, Proposals};
use crate::stop::{Ended, Stop};
use crate::wit::v0_2_0::{self as wit, Field, RecordRef, types};

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
        self.sets.put(shown.change, field, value);
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
    if name.bytes().all(|b| b == b'-') {
        "unnamed".to_owned()
    } else {
        name
    }
}

/// What a plugin says to people; where nothing of it can be read, a sentence that says so.
pub fn sentence(message: &str) -> String {
    let said = shown::beginning(message, limits::SENTENCE.count());
    if said.trim().is_empty() {
        "it does not say why; its author must write a sentence that does".to_owned()
    } else {
        said
    }
}

impl CallState {
    /// Takes what a guard found, brought into its form.
    fn find(
        &mut self,
        force: Force,
        change: u32,
        field: Option<String>,
        code: &str,
        message: &str,
    ) -> Result<(), Stop> {
        self.meter.check_time()?;
        let bytes = field.as_ref().map_or(0, String::len) + code.len() + message.len();
        self.meter.output(bytes as u64)?;
        let Some(shown) = self.shown.get(change as usize) else {
            return Err(unknown_change(change, &self.shown));
        };
        let field = field.map(|field| quoted(&field));
        self.found.add(Finding {
            force,
            change: shown.change,
            field: field.filter(|field| !field.trim().is_empty()),
            code: rule_name(code),
            message: sentence(message),
        });
        Ok(())
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
        self.find(Force::Refuses, change, field, &code, &message)
    }

    fn advise(
        &mut self,
        _: Resource<Findings>,
        change: u32,
        field: Option<String>,
        code: String,
        message: String,
    ) -> Result<(), Stop> {
        self.find(Force::Advises, change, field, &code, &message)
    }

    fn ask_approval(
        &mut self,
        _: Resource<Findings>,
        change: u32,
        role: String,
        field: Option<String>,
        code: String,
        reason: String,
    ) -> Result<(), Stop> {
        self.meter.output_bytes(role.len() as u64)?;
        if Asked::is_role(&role) {
            return self.find(Force::AsksApproval { role }, change, field, &code, &reason);
        }
        // Nobody can be in such a role, and what asks for it must not pass for that.
        let role = quoted(&role);
        let message = format!("it asks for the approval of {role:?}, which is no name of a role");
        self.find(Force::Refuses, change, field, &code, &message)
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
        let given = all(&kind, fields, BTreeMap::new())?;
        let present = |(name, value): (Name, Option<Value>)| Some((name, value?));
        let taken: Fields = given.into_iter().filter_map(present).collect();
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
        let addresses = self.addresses_of(&target, &fields)?;
        let patch = all(&kind, fields, addresses)?;
        // Of an address the whole is kept, whatever part of it was given.
        let whole = patch.values().flatten().map(address_bytes).sum();
        self.meter.output_bytes(whole)?;
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
        self.meter.message(message_weight(&message))?;
        if !self.plugin.grants.may_send(&message.url) {
            let url: String = message.url.chars().take(120).collect();
            return Err(not_granted(&format!("a destination for {url:?}")));
        }
        let secret = message.signing_secret.as_deref();
        if let Some(secret) = secret.filter(|secret| !self.plugin.grants.may_sign(secret)) {
            return Err(not_granted(&format!("secret:{secret}")));
        }
        if let Some(why) = unsendable(&message) {
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

/// Why the message cannot be sent as it is, or would be another one: it would be tried for hours and
/// never arrive. Nothing in its headers may end a line, since what follows would be a header of its own,
/// and letters beyond ASCII have no form there that both sides agree on.
fn unsendable(message: &types::OutboundMessage) -> Option<String> {
    let most = limits::MESSAGE_HEADERS.count();
    if message.headers.len() > most {
        return Some(format!("a message has at most {most} headers"));
    }
    // The grant has seen to all but these, which stand in no address unescaped.
    let url = &message.url;
    if url.len() > limits::HEADER_BYTES.count() || url.contains(['"', '<', '>', '`']) {
        let url = quoted(url);
        return Some(format!("the address {url:?} cannot be sent as it is"));
    }
    let content_type = ("content-type", message.content_type.as_str());
    // It is a header only where the message is signed.
    let id = ("id", message.id.as_str());
    let id = message.signing_secret.as_ref().map(|_| id);
    let given = message
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in given.clone().chain([content_type]).chain(id) {
        let fits = value.len() <= limits::HEADER_BYTES.count() && header::is_value(value);
        if !header::is_name(name) || !fits {
            return Some(format!(
                "the header {:?} cannot be sent as it is",
                quoted(name)
            ));
        }
    }
    let mut own = given.filter(|(name, _)| header::is_own(name));
    own.next().map(|(name, _)| {
        format!(
            "the header {} is set by the kernel",
            name.to_ascii_lowercase()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("Kjerne-Chain", "depth=0, follow-ups=64", false),
            ("x tenant", "north", false),
            ("", "north", false),
            ("x-tenant", "north\r\nhost: other.example.com", false),
            ("x-tenant", "north\tby west", false),
            ("x-tenant", "north by west", true),
            ("authorization", "Bearer pâté", false),
            ("x-tenant", "Trøndelag", false),
            ("x-tenant", "a\u{2028}b", false),
        ];
        for (name, value, passes) in table {
            let refused = unsendable(&message(name, value));
            assert_eq!(refused.is_none(), passes, "{name}: {value}");
        }
    }

    #[test]
    fn what_would_never_arrive_is_refused_before_it_is_queued() {
        let message = |url: &str, content_type: &str, id: &str, signed: bool| {
            unsendable(&types::OutboundMessage {
                url: url.into(),
                content_type: content_type.into(),
                headers: Vec::new(),
                body: Vec::new(),
                order_key: String::new(),
                id: id.into(),
                signing_secret: signed.then(|| "hook".into()),
            })
            .is_none()
        };
        let hook = "https://hooks.example.com/in";
        assert!(message(hook, "text/plain; charset=utf-8", "é", false));
        assert!(message(&format!("{hook}?a=%3C&b=|"), "", "1", true));
        assert!(!message(hook, "text/plain", "é", true));
        assert!(!message(hook, "text/pläin", "1", false));
        assert!(!message(&format!("{hook}/<id>"), "", "1", false));
        assert!(!message(&format!("{hook}?q=\"a\""), "", "1", false));
        let long = |bytes: usize| format!("{hook}?{}", "x".repeat(bytes - hook.len() - 1));
        let most = limits::HEADER_BYTES.count();
        assert!(message(&long(most), "", "1", false));
        assert!(!message(&long(most + 1), "", "1", false));
    }
}
