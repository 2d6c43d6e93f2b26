//! The digest of a commit's changes, by which a repeated idempotency key is told from a reused one.

use kjerne_model::{Change, Commit, Value};

use crate::plugins::Task;

/// FNV-1a with 128 bits. It is stored with every key, so it never changes; it tells an honest
/// client's mistake and has no attacker to withstand, since a key belongs to its actor.
struct Digest(u128);

const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// The digest of what the commit asks for; who asks, when and why is no part of it.
pub(crate) fn of(commit: &Commit) -> [u8; 16] {
    let mut digest = Digest(OFFSET);
    for change in &commit.changes {
        digest.change(change);
    }
    digest.0.to_be_bytes()
}

/// The digest of what a plugin is asked, when whoever asks names it by a key: the same key with another
/// message or command is a mistake, whatever the plugin makes of it. None for what the kernel asks.
pub(crate) fn of_task(task: &Task) -> Option<[u8; 16]> {
    let mut digest = Digest(OFFSET);
    match task {
        Task::Inbound {
            source,
            content_type,
            body,
            ..
        } => {
            digest.text(source);
            digest.text(content_type);
            digest.bytes(body);
        }
        Task::Action { command, arguments } => {
            digest.text(command);
            for (name, value) in arguments {
                digest.text(name);
                match value {
                    Some(value) => digest.value(value),
                    None => digest.text(""),
                }
            }
        }
        // How many it was told went by before it is not what it is: the same run counts anew after a failure.
        Task::Job { job, due } => {
            digest.text(job);
            digest.bytes(&due.at.millis().to_be_bytes());
        }
        Task::React(_) | Task::Outbound(_) | Task::Answered { .. } | Task::Escalate(_) => {
            return None;
        }
    }
    Some(digest.0.to_be_bytes())
}

impl Digest {
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(PRIME);
        }
    }

    /// Text with its length in front, so that two texts cannot run into each other.
    fn text(&mut self, text: &str) {
        self.bytes(&(text.len() as u64).to_be_bytes());
        self.bytes(text.as_bytes());
    }

    fn value(&mut self, value: &Value) {
        self.text(value.type_name());
        match value {
            Value::Text(text) => self.text(text),
            Value::Address(address) => {
                let parts = kjerne_model::Address::PARTS;
                parts
                    .iter()
                    .for_each(|part| self.text(address.part(part).unwrap_or_default()));
            }
            Value::Choices(choices) => {
                self.bytes(&(choices.len() as u64).to_be_bytes());
                choices.iter().for_each(|choice| self.text(choice));
            }
            other => self.text(&other.to_string()),
        }
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Create { kind, id, fields } => {
                self.text("create");
                self.text(kind);
                self.text(&id.map(|id| id.to_string()).unwrap_or_default());
                self.bytes(&(fields.len() as u64).to_be_bytes());
                for (name, value) in fields {
                    self.text(name);
                    self.value(value);
                }
            }
            Change::Update { target, patch } => {
                self.text("update");
                self.target(target);
                self.bytes(&(patch.len() as u64).to_be_bytes());
                for (name, value) in patch {
                    self.text(name);
                    match value {
                        Some(value) => self.value(value),
                        None => self.text(""),
                    }
                }
            }
            Change::Delete { target } => {
                self.text("delete");
                self.target(target);
            }
        }
    }

    fn target(&mut self, target: &kjerne_model::Target) {
        self.text(&target.kind);
        self.bytes(target.id.as_bytes());
        self.bytes(&target.expected.unwrap_or(0).to_be_bytes());
    }
}
