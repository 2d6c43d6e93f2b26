//! Talks with other systems: journal entries go out as CloudEvents, web forms, device messages and
//! signals come in as records. The kernel signs, delivers, retries and receives; this only maps.

mod events;
mod form;
mod inbound;
mod settings;

use kjerne_sdk::prelude::*;

use crate::inbound::{Made, make, read_body};
use crate::settings::Settings;

/// What fits into the key of a commit together with the name of the source.
const LONGEST_ID: usize = 180;

struct Webhook;

kjerne_sdk::plugin!(Webhook: integration);

impl Integration for Webhook {
    fn outbound(_: &Context, entries: &[Entry], effects: &Effects) -> Result<(), Failure> {
        let settings = load_settings()?;
        for message in events::messages(&settings, entries) {
            let name = message.id.rsplit('/').next().unwrap_or_default().to_owned();
            // Nothing is skipped: the entries are tried again once the grant is there.
            effects.send(message).map_err(|failure| {
                Failure::new(
                    failure.code,
                    format!("Subscription '{name}': {}", failure.message),
                )
            })?;
        }
        Ok(())
    }

    fn answered(context: &Context, answer: &Answer, effects: &Effects) -> Result<(), Failure> {
        if answer.outcome != "given-up" {
            return Ok(());
        }
        let status = if answer.status == 0 {
            "no answer".to_owned()
        } else {
            format!("status {}", answer.status)
        };
        log::error(format!(
            "Message {} was given up after its last try: {status}.",
            answer.id
        ));
        let told = load_settings()?.given_up;
        if !told.task {
            return Ok(());
        }
        effects.key(format!("given-up/{}", answer.id));
        let owner = told
            .owner
            .and_then(|address| find("user", "email", &address).ok().flatten());
        let task = Fields::new()
            .with("subject", format!("Message {} could not be delivered ({status})", answer.id))
            .with("status", "open")
            .with("priority", "high")
            .with("due", context.now().date())
            .with_option("queue", told.queue)
            .with_option("owner", owner)
            .with("description", "The receiver did not take it in any of the tries. See to the receiver, then send the event again from the journal.");
        effects.create("task", task)?;
        Ok(())
    }

    fn inbound(
        context: &Context,
        message: &InboundMessage,
        effects: &Effects,
    ) -> Result<Fields, Failure> {
        let settings = load_settings()?;
        let bad = |error: String| Failure::new("bad-message", error);
        let messages = read_body(message).map_err(bad)?;
        let single = messages.len() == 1;
        let mut made = Vec::with_capacity(messages.len());
        for (place, one) in (1..).zip(&messages) {
            let one = make(&settings, &message.source, one, context.now(), &find);
            made.push(one.map_err(|error| {
                bad(if single {
                    error
                } else {
                    format!("Message {place}: {error}")
                })
            })?);
        }
        if let Some(id) = message_id(message, &made) {
            if id.len() > LONGEST_ID {
                return Err(bad(format!(
                    "The message's id is longer than {LONGEST_ID} bytes."
                )));
            }
            effects.key(format!("{}/{id}", message.source));
        }
        answer(&made, effects)
    }
}

/// Makes the records and tells the sender what was done. Their ids are not told: for a message sent
/// twice the records are those of the first time, which nobody here knows.
fn answer(made: &[Made], effects: &Effects) -> Result<Fields, Failure> {
    let mut created = 0_i64;
    for one in made {
        if let Some(kind) = &one.kind {
            effects.create(kind, one.fields.clone())?;
            created += 1;
        }
    }
    let rule = made.first().map(|one| one.rule.as_str());
    Ok(Fields::new()
        .with_option("rule", rule)
        .with("created", created))
}

/// What names the delivery, so that one sent twice is taken once: the sender's header, or what the
/// rule finds in a message that came alone.
fn message_id(message: &InboundMessage, made: &[Made]) -> Option<String> {
    let header = |wanted: &str| {
        let found = message
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.clone())
    };
    let inside = || match made {
        [one] => one.id.clone(),
        _ => None,
    };
    header("idempotency-key")
        .or_else(|| header("webhook-id"))
        .or_else(inside)
}

fn find(kind: &str, field: &str, value: &str) -> Result<Option<RecordRef>, String> {
    let condition = format!("{field} eq '{}'", value.replace('\'', "''"));
    let page = records::query(kind).filter(condition).limit(1).run();
    let page =
        page.map_err(|failure| format!("The {kind} could not be looked up: {}", failure.message))?;
    Ok(page.records.first().map(Record::reference))
}

fn load_settings() -> Result<Settings, Failure> {
    Settings::load().map_err(|error| Failure::new("bad-settings", error))
}

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;
