//! Talks with other systems: journal entries go out as CloudEvents, web forms, device messages and
//! signals come in as records. The kernel signs, delivers, retries and receives; this only maps.

mod events;
mod form;
mod inbound;
mod names;
mod sendable;
mod settings;
mod taken;
mod unique;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use kjerne_sdk::prelude::*;
use kjerne_sdk::settings::Faults;
use serde_json::Value as Json;

use crate::inbound::{Made, make, read_body};
use crate::settings::{Settings, Subscription};
use crate::taken::{Seen, Taken};

/// Longer than any name a sender has good use for.
const LONGEST_ID: usize = 180;

struct Webhook;

kjerne_sdk::plugin!(Webhook: prepare, integration);

static SETTINGS: Prepared<Settings> = Prepared::new(|| Settings::load().map_err(Faults::from));

impl Prepare for Webhook {
    fn prepare() -> Result<(), Faults> {
        let settings = SETTINGS.get().map_err(Clone::clone)?;
        names::check(settings)
    }

    fn watches() -> Watches {
        let settings = SETTINGS.get().ok().into_iter();
        let on = settings.flat_map(|settings| &settings.subscriptions);
        let on = on.filter(|one| one.enabled);
        Watches::as_declared().integration(on.flat_map(Subscription::watches))
    }
}

/// An event about a record of which nothing may be read would tell of one that holds nothing, and so would
/// one about a kind that is not there any more. It waits until there is something to read, or is parked.
fn check_readable(kinds: &BTreeSet<&str>) -> Result<(), Failure> {
    for kind in kinds {
        let Err(failure) = records::query(kind).limit(1).run() else {
            continue;
        };
        let help = match failure.code.as_str() {
            "not-granted" => format!("grant read:{kind}, or single fields of it"),
            "unknown-kind" => "put the kind back into kinds.toml, or skip the entry".to_owned(),
            _ => continue,
        };
        let message =
            format!("A subscription wants {kind}, and nothing of it may be read: {help}.");
        return Err(Failure::new(failure.code, message));
    }
    Ok(())
}

impl Integration for Webhook {
    fn outbound(_: &Context, entries: &[Entry], effects: &Effects) -> Result<(), Failure> {
        let settings = load_settings()?;
        check_readable(&events::bare_kinds(settings, entries))?;
        for message in events::messages(settings, entries) {
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
        let told = load_settings()?.given_up.clone();
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
        let messages = read_body(message).map_err(bad)?;
        let mut taken = Taken::default();
        if let Some(id) = delivery_id(message)? {
            let name = format!("delivery\n{}\n{id}", message.source);
            if let Seen::Again = once(&mut taken, &name, &message.body, "The delivery")? {
                return Ok(repeated(messages.len()));
            }
        }
        let mut finder = Finder::default();
        let single = messages.len() == 1;
        let (mut made, mut again) = (Vec::with_capacity(messages.len()), 0);
        for (place, one) in (1..).zip(&messages) {
            let numbered = |error: String| {
                bad(if single {
                    error
                } else {
                    format!("Message {place}: {error}")
                })
            };
            let mut find = |kind: &str, field: &str, value: &str| finder.find(kind, field, value);
            let one_made = make(settings, &message.source, one, context.now(), &mut find);
            let one_made = one_made.map_err(numbered)?;
            match named(&mut taken, message, one, &one_made, place)? {
                Seen::Again => again += 1,
                _ => made.push(one_made),
            }
        }
        answer(&made, again, taken, effects)
    }
}

fn bad(error: String) -> Failure {
    Failure::new("bad-message", error)
}

/// Makes the records and tells the sender what was done. Their ids are not told: for a message sent
/// twice the records are those of the first time, which nobody here knows.
fn answer(made: &[Made], again: usize, taken: Taken, effects: &Effects) -> Result<Fields, Failure> {
    let mut created = 0_i64;
    for one in made {
        if let Some(kind) = &one.kind {
            effects
                .create(kind, one.fields.clone())
                .map_err(of_sender)?;
            created += 1;
        }
    }
    // What was dropped may come as often as it likes.
    if created > 0 {
        taken.keep()?;
    }
    let rule = made.first().map(|one| one.rule.as_str());
    let answer = Fields::new()
        .with_option("rule", rule)
        .with("created", created);
    Ok(answer.with_option("repeated", (again > 0).then_some(again as i64)))
}

/// A value that its field does not hold came with the message: to send it again would not help.
fn of_sender(failure: Failure) -> Failure {
    if failure.code == "wrong-type" {
        return bad(failure.message);
    }
    failure
}

/// The answer to a delivery that was taken before.
fn repeated(messages: usize) -> Fields {
    Fields::new()
        .with("created", 0_i64)
        .with("repeated", messages as i64)
}

/// What the sender named the delivery, if it did.
fn delivery_id(message: &InboundMessage) -> Result<Option<String>, Failure> {
    let header = |wanted: &str| {
        let found = message
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map(|(_, value)| value.trim())
    };
    let id = match header("idempotency-key") {
        Some(key) => Some(bare(key)?),
        None => header("webhook-id").map(str::to_owned),
    };
    id.map(|id| checked(&id).map(str::to_owned)).transpose()
}

/// An idempotency key without the quotes that the draft standard has round it, as the kernel reads it for
/// commits: most clients send it bare, and both are one key.
fn bare(key: &str) -> Result<String, Failure> {
    let wrong = || bad("Idempotency-Key: expected a key, bare or in double quotes.".to_owned());
    let Some(inside) = key.strip_prefix('"') else {
        return if key.contains('"') {
            Err(wrong())
        } else {
            Ok(key.to_owned())
        };
    };
    let (mut letters, mut id) = (inside.chars(), String::new());
    loop {
        match letters.next().ok_or_else(wrong)? {
            '"' if letters.next().is_none() => return Ok(id),
            '"' => return Err(wrong()),
            '\\' => {
                let letter = letters.next().filter(|letter| matches!(letter, '"' | '\\'));
                id.push(letter.ok_or_else(wrong)?);
            }
            letter => id.push(letter),
        }
    }
}

/// Whether a message was taken before, by what its rule says names it. Each message of a list has a
/// name of its own, so that lists may overlap.
fn named(
    taken: &mut Taken,
    message: &InboundMessage,
    one: &Json,
    made: &Made,
    place: usize,
) -> Result<Seen, Failure> {
    let Some(id) = &made.id else {
        return Ok(Seen::New);
    };
    let name = format!(
        "message\n{}\n{}\n{}",
        message.source,
        made.rule,
        checked(id)?
    );
    once(
        taken,
        &name,
        one.to_string().as_bytes(),
        &format!("Message {place}"),
    )
}

fn checked(id: &str) -> Result<&str, Failure> {
    if id.len() > LONGEST_ID {
        return Err(bad(format!(
            "The message's id is longer than {LONGEST_ID} bytes."
        )));
    }
    Ok(id)
}

/// Whether a name is new; one that was used for something else is the sender's mistake.
fn once(taken: &mut Taken, name: &str, content: &[u8], what: &str) -> Result<Seen, Failure> {
    match taken.note(name, content)? {
        Seen::Otherwise => Err(bad(format!(
            "{what} has the id of another that was taken before and said something else; give it an id of its own."
        ))),
        seen => Ok(seen),
    }
}

/// Looks records up, each once: messages of a list often name the same customer.
#[derive(Default)]
struct Finder(BTreeMap<[String; 3], Option<RecordRef>>);

impl Finder {
    fn find(&mut self, kind: &str, field: &str, value: &str) -> Result<Option<RecordRef>, String> {
        let asked = [kind, field, value].map(str::to_owned);
        if let Some(known) = self.0.get(&asked) {
            return Ok(known.clone());
        }
        let found = find(kind, field, value)?;
        self.0.insert(asked, found.clone());
        Ok(found)
    }
}

fn find(kind: &str, field: &str, value: &str) -> Result<Option<RecordRef>, String> {
    let condition = format!("{field} eq '{}'", value.replace('\'', "''"));
    let page = records::query(kind).filter(condition).limit(1).run();
    let page =
        page.map_err(|failure| format!("The {kind} could not be looked up: {}", failure.message))?;
    Ok(page.records.first().map(Record::reference))
}

fn load_settings() -> Result<&'static Settings, Failure> {
    let settings = SETTINGS.get();
    settings.map_err(|faults| Failure::new("bad-settings", faults.to_string()))
}

#[cfg(test)]
#[path = "lib_tests.rs"]
mod tests;
