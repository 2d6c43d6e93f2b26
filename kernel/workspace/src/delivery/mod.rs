//! Delivers queued messages: to allowed destinations only, signed, in order per key, with back-off.

mod address;
mod places;
mod retry;
pub mod signing;

use std::io::Read;
use std::ops::ControlFlow;
use std::thread;
use std::time::Duration;

use kjerne_core::limits::{GIVEN_UP, REACTION_TRIES, back_off};
use kjerne_core::{Ask, Outcome, Performed, Role, Task, Undelivered};
use kjerne_host::Line;
use kjerne_model::{Actor, Message};
use kjerne_store::StoreError;
use kjerne_store::outbox::OutboxRow;
use ureq::http::{HeaderName, Uri, header};
use ureq::unversioned::transport::DefaultConnector;

use crate::chain;
use crate::error::{Context as _, Error, Result};
use crate::limits::{ANSWER_BODY, DELIVERY_TIME};
use crate::plugin_log;
use crate::runtime::{Runtime, now};
use crate::stderr::tell;
use address::Guarded;
use places::Places;

/// The least time between two looks at the outbox.
const ROUND: Duration = Duration::from_millis(10);

/// The status by which a receiver says that it takes no more.
const GONE: u16 = 410;
/// The status by which a workspace says that the message's chain has come to its end.
const LOOP: u16 = 508;

/// Carries messages out and answers back.
pub struct Courier {
    agent: ureq::Agent,
    /// The hosts messages may go to at all; none: wherever a plugin was granted.
    allow: Option<Vec<String>>,
}

/// What a receiver said.
#[derive(Default)]
struct Answer {
    status: u16,
    content_type: String,
    body: Vec<u8>,
    /// Why there is more of the body than was taken, if there is.
    cut: Option<String>,
    /// How long it asked to be left alone, in milliseconds.
    retry_after: Option<i64>,
}

impl Courier {
    /// A courier that keeps to the workspace's settings.
    #[must_use]
    pub fn new(runtime: &Runtime) -> Self {
        let send = &runtime.workspace.settings().send;
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_millis(DELIVERY_TIME.value)))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            // A proxy would look names up itself, past the check of addresses.
            .proxy(None)
            .user_agent(concat!("kjerne/", env!("CARGO_PKG_VERSION")))
            .build();
        let guarded = Guarded::new(send.private.iter().cloned());
        let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), guarded);
        Self {
            agent,
            allow: send.allow.clone(),
        }
    }

    /// Delivers for as long as the server runs.
    pub fn run(&self, runtime: &Runtime, nap: Duration) {
        let places = Places::default();
        thread::scope(|scope| {
            while !runtime.notifier.is_stopped() {
                let heard = runtime.notifier.count();
                // What went out now could not be marked as delivered, and would go out again and again.
                if runtime.store.health().is_err() {
                    runtime.notifier.sleep(nap);
                    continue;
                }
                match self.start_due(runtime, &places, scope) {
                    Ok(()) => {
                        runtime.notifier.wait(heard, nap);
                        // Deliveries that end together are followed by one look at the outbox.
                        runtime.notifier.sleep(ROUND);
                    }
                    Err(error) => {
                        tell(format_args!("outbox: {error}"));
                        runtime.notifier.sleep(nap);
                    }
                }
            }
        });
    }

    /// Begins to deliver what is due and has a place, each message in a thread of its own. The kernel
    /// hands out one message per plugin and order key, so those at hand may go at the same time.
    fn start_due<'scope, 'env>(
        &'env self,
        runtime: &'env Runtime,
        places: &'env Places,
        scope: &'scope thread::Scope<'scope, 'env>,
    ) -> Result<(), StoreError> {
        // What cannot be noted as delivered would be delivered again and again.
        runtime.store.health()?;
        let mut begin = Vec::new();
        runtime.kernel.outbox_each_due(now(), &mut |row| {
            // The messages of a plugin that is switched off wait until it is on again.
            if runtime.package(&row.plugin).is_some() && places.take(&row) {
                begin.push(row);
            }
            ControlFlow::Continue(())
        })?;
        for row in begin {
            places.tell_when_near(runtime, &row.plugin);
            scope.spawn(move || {
                // Given back when the delivery ends, also by a panic.
                let _place = places.hold(&row, &runtime.notifier);
                if let Err(error) = self.deliver(runtime, &row) {
                    tell(format_args!(
                        "outbox: message {} of {}: {error}",
                        row.message.id, row.plugin
                    ));
                    // It stands in the outbox as it did. Its place is kept for the pause after a first
                    // failure, so that it does not go out as often as there are looks at the outbox.
                    let pause = back_off(1).unsigned_abs();
                    runtime.notifier.sleep(Duration::from_millis(pause));
                }
            });
        }
        Ok(())
    }

    fn deliver(&self, runtime: &Runtime, row: &OutboxRow) -> Result<(), StoreError> {
        // It has its place now, so that what is true here stays true.
        if !runtime.kernel.outbox_holds(row)? {
            return Ok(());
        }
        let sent = self.send(runtime, row);
        let (answer, failure) = match sent {
            Ok(answer) if (200..300).contains(&answer.status) => (Some(answer), None),
            Ok(answer) => {
                let failure = refused(&answer);
                (Some(answer), Some(failure))
            }
            Err(error) => (None, Some(Undelivered::from(error.to_string().as_str()))),
        };
        let delivered = failure.is_none();
        let over = match failure {
            None => {
                runtime.kernel.outbox_done(row.seq)?;
                true
            }
            Some(failure) => not_delivered(runtime, row, failure)?,
        };
        let wanted = runtime
            .package(&row.plugin)
            .is_some_and(|package| package.manifest.answers);
        if over && wanted {
            report(runtime, row, answer, delivered)?;
        }
        Ok(())
    }

    /// Sends one message, after asking again whether it may go there: a grant may have been taken
    /// back since it was queued.
    fn send(&self, runtime: &Runtime, row: &OutboxRow) -> Result<Answer> {
        let message = &row.message;
        if !runtime.host.may_send(&row.plugin, &message.url) {
            return Err(Error::unreadable(format!(
                "{} is not granted to send to {}",
                row.plugin, message.url
            )));
        }
        self.check_allowed(&message.url)?;
        let mut request = self
            .agent
            .post(&message.url)
            .content_type(&message.content_type);
        for (name, value) in message.headers.iter().filter(|(name, _)| is_free(name)) {
            request = request.header(name, value);
        }
        request = request.header(chain::HEADER, chain::written(row.link));
        if let Some(name) = &message.signing_secret {
            if !runtime.host.may_sign(&row.plugin, name) {
                return Err(Error::unreadable(format!(
                    "{} is not granted secret:{name}",
                    row.plugin
                )));
            }
            for (name, value) in signed(runtime, name, message)? {
                request = request.header(name, value);
            }
        }
        let sent = request.send(&message.body[..]);
        let mut response = sent.map_err(|error| Error::failed(error.to_string()))?;
        if response.status().is_redirection() {
            return Err(Error::unreadable(
                "the receiver answered with a redirect, which is not followed",
            ));
        }
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after
            .and_then(|value| value.to_str().ok())
            .and_then(|text| retry::pause(text, now()));
        let content_type = response.headers().get(header::CONTENT_TYPE);
        let content_type = content_type
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let content_type = content_type.to_owned();
        let status = response.status().as_u16();
        let (body, cut) = beginning(response.body_mut().as_reader());
        Ok(Answer {
            status,
            content_type,
            body,
            cut,
            retry_after,
        })
    }

    fn check_allowed(&self, url: &str) -> Result<()> {
        let Some(allow) = &self.allow else {
            return Ok(());
        };
        let uri: Uri = url
            .parse()
            .map_err(|_| Error::unreadable("the address cannot be read"))?;
        let host = uri.host().unwrap_or_default();
        if allow
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(host))
        {
            return Ok(());
        }
        Err(Error::unreadable(format!(
            "{host} is not in [send] allow of the workspace's kjerne.toml"
        )))
    }
}

/// The beginning of an answer's body, as far as a plugin is given it, and why it is not the whole. An
/// answer that breaks off or is too long is still an answer.
fn beginning(body: impl Read) -> (Vec<u8>, Option<String>) {
    let most = ANSWER_BODY.count();
    let mut taken = Vec::new();
    // Each piece that came before a failure is kept.
    let read = body.take(ANSWER_BODY.value + 1).read_to_end(&mut taken);
    let cut = match read {
        Err(error) => Some(format!(
            "the answer broke off after {} bytes: {error}",
            taken.len().min(most)
        )),
        Ok(_) if taken.len() > most => Some(format!(
            "the answer is longer than {most} bytes ({}); the rest was not taken",
            ANSWER_BODY.name
        )),
        Ok(_) => None,
    };
    taken.truncate(most);
    (taken, cut)
}

fn signed(runtime: &Runtime, name: &str, message: &Message) -> Result<[(&'static str, String); 3]> {
    let secrets = runtime.secrets();
    let secret = secrets.secrets.get(name);
    let secret = secret.with_context(|| {
        format!("the workspace has no secret {name:?}; make it with: kjerne secret set {name}")
    })?;
    signing::headers(secret, &message.id, now(), &message.body)
        .with_context(|| format!("secret {name:?}"))
}

/// Headers a plugin may set: those that shape the connection or prove who sent the message are ours.
fn is_free(name: &str) -> bool {
    let Ok(name) = HeaderName::try_from(name) else {
        return false;
    };
    let ours = [
        header::HOST,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::TE,
        header::TRAILER,
        header::UPGRADE,
        header::EXPECT,
        header::PROXY_AUTHORIZATION,
    ];
    let ours_by_name = ["webhook-", "kjerne-"];
    let begins_so = |beginning: &&str| name.as_str().starts_with(beginning);
    !ours.contains(&name) && !ours_by_name.iter().any(begins_so)
}

/// Hands the answer to the plugin; one that fails at it is told about and not asked again, as the
/// contract says.
fn report(
    runtime: &Runtime,
    row: &OutboxRow,
    answer: Option<Answer>,
    delivered: bool,
) -> Result<(), StoreError> {
    let Some(plugin) = runtime.host.serves(&row.plugin, Role::Integration) else {
        return Ok(());
    };
    let answer = answer.unwrap_or_default();
    if let Some(cut) = &answer.cut {
        let message = format!("answer to message {}: {cut}", row.message.id);
        let line = Line::new(now(), Role::Integration, "warn", &message);
        plugin_log::tell(&runtime.workspace, &row.plugin, line);
    }
    let task = Task::Answered {
        id: row.message.id.clone(),
        status: answer.status,
        content_type: answer.content_type,
        body: answer.body,
        delivered,
    };
    let key = Some(format!("answered-{}", row.seq));
    let ask = Ask {
        actor: Actor::System("outbox".to_owned()),
        now: now(),
        key,
        link: Some(row.link),
    };
    let performed = patiently(runtime, || runtime.kernel.perform(&plugin, &ask, &task))?;
    if let Outcome::Refused(refusals) = performed.outcome {
        let why: Vec<String> = refusals.iter().map(ToString::to_string).collect();
        let how = if delivered { "delivered" } else { "given up" };
        let error = format!(
            "it was {how}; what {} wanted to do then was refused: {}",
            row.plugin,
            why.join("; ")
        );
        tell(format_args!(
            "message {} to {}: {error}; see kjerne plugin outbox",
            row.message.id, row.message.url
        ));
        let parked = runtime.kernel.outbox_parked(row, error)?;
        tell_forgotten(&parked.forgotten);
    }
    Ok(())
}

/// Asks again, after pauses, what found no place because too much was going on: a plugin that was not
/// asked has not failed at anything.
fn patiently(
    runtime: &Runtime,
    ask: impl Fn() -> Result<Performed, StoreError>,
) -> Result<Performed, StoreError> {
    let mut performed = ask()?;
    for tries in 1..REACTION_TRIES.value as u32 {
        if !performed.outcome.is_overload() || runtime.notifier.is_stopped() {
            break;
        }
        let pause = Duration::from_millis(back_off(tries).unsigned_abs());
        runtime.notifier.sleep(pause);
        performed = ask()?;
    }
    Ok(performed)
}

/// What a receiver's refusal means for further tries.
fn refused(answer: &Answer) -> Undelivered {
    let error = match answer.status {
        GONE => "the receiver answered 410 Gone: it takes no more messages here".to_owned(),
        LOOP => {
            "the receiver answered 508 Loop Detected: messages and what follows from them lead in \
                 a circle"
                .to_owned()
        }
        status => format!("the receiver answered {status}"),
    };
    Undelivered {
        error,
        wait: answer.retry_after,
        hopeless: matches!(answer.status, GONE | LOOP),
    }
}

/// Keeps that a try failed and returns whether it was the last. A failed try stands in the outbox
/// with its reason; only the end of it is told here.
fn not_delivered(
    runtime: &Runtime,
    row: &OutboxRow,
    failure: Undelivered,
) -> Result<bool, StoreError> {
    let error = failure.error.clone();
    let failed = runtime.kernel.outbox_failed(row.seq, failure, now())?;
    let over = failed.row.is_none_or(|row| row.gave_up);
    if over {
        tell(format_args!(
            "message {} of {} to {} is given up: {error}",
            row.message.id, row.plugin, row.message.url
        ));
    }
    tell_forgotten(&failed.forgotten);
    Ok(over)
}

fn tell_forgotten(rows: &[OutboxRow]) {
    for row in rows {
        tell(format_args!(
            "message {} of {}, given up earlier, is kept no longer: there are {} newer ones",
            row.message.id, row.plugin, GIVEN_UP.value
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// Gives so many bytes, and then what a connection does that breaks.
    struct Breaks(usize);

    impl Read for Breaks {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            if self.0 == 0 {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            let count = into.len().min(self.0).min(1_000);
            into[..count].fill(b'x');
            self.0 -= count;
            Ok(count)
        }
    }

    #[test]
    fn of_an_answer_the_beginning_is_taken_and_told_to_be_no_more() {
        let most = ANSWER_BODY.count();
        let check = |body: &mut dyn Read, bytes: usize, told: Option<&str>| {
            let (taken, cut) = beginning(body);
            assert_eq!(taken.len(), bytes);
            assert_eq!(cut.is_some(), told.is_some(), "{cut:?}");
            assert!(cut.unwrap_or_default().contains(told.unwrap_or_default()));
        };
        check(&mut io::empty(), 0, None);
        check(&mut io::repeat(1).take(most as u64), most, None);
        check(
            &mut io::repeat(1).take(most as u64 + 1),
            most,
            Some("answer-body"),
        );
        check(&mut io::repeat(1), most, Some("answer-body"));
        check(&mut Breaks(70_000), 70_000, Some("broke off after 70000"));
        check(&mut Breaks(0), 0, Some("broke off after 0"));
        check(&mut Breaks(most + 1), most, Some("answer-body"));
    }

    #[test]
    fn headers_of_the_connection_and_the_signature_are_ours() {
        for (name, free) in [
            ("x-api-key", true),
            ("Authorization", true),
            ("Host", false),
            ("content-length", false),
            ("Transfer-Encoding", false),
            ("webhook-signature", false),
            ("Kjerne-Chain", false),
            ("bad name", false),
            ("x\r\ny", false),
        ] {
            assert_eq!(is_free(name), free, "{name}");
        }
    }
}
