//! Compares what came of a step with what was expected, and tells every difference.

use kjerne_model::{Code, Refusal, Value, parse_value};
use kjerne_store::OutboxRow;
use kjerne_workspace::error::Result;
use serde_json::Value as Json;

use super::cases::{Expect, Question, Sent, Step, Texts};
use super::play::Happened;
use super::stage::{Stage, plain};

/// Every difference, as a sentence. `before` is the outbox's last place before the step.
pub fn differences(
    stage: &Stage<'_>,
    step: &Step,
    happened: &Happened,
    before: u64,
) -> Result<Vec<String>> {
    let mut found = happened.faults.clone();
    let expect = &step.expect;
    found.extend(refusals(expect, happened));
    if expect.waits != happened.waits {
        let told = |list: &[String]| match list {
            [] => "none".to_owned(),
            list => list.join(", "),
        };
        let (expected, held) = (told(&expect.waits), told(&happened.waits));
        found.push(format!(
            "approvals asked for: expected {expected}; found {held}"
        ));
    }
    if let Some(expected) = &expect.advised
        && *expected != happened.advised
    {
        let (expected, held) = (expected.join(", "), happened.advised.join(", "));
        found.push(format!("advised: expected [{expected}]; found [{held}]"));
    }
    for (alias, texts) in &expect.fields {
        fields(stage, alias, texts, &mut found)?;
    }
    for (kind, expected) in &expect.count {
        let count = stage.all(kind)?.len();
        if count != *expected {
            found.push(format!(
                "{kind}: expected {expected} records, found {count}"
            ));
        }
    }
    if let Some(expected) = &expect.messages {
        messages(expected, &stage.messages(before)?, &mut found);
    }
    reply(stage, expect, happened, &mut found);
    for (question, answer) in step.ask.iter().zip(&happened.answers) {
        answers(stage, question, answer, &mut found);
    }
    Ok(found)
}

/// What a refusal is called in a case: the guard's own code, otherwise the kernel's.
fn reason(refusal: &Refusal) -> &str {
    match (&refusal.reason, refusal.code) {
        (Some(reason), Code::Guard) => reason,
        (_, code) => code.name(),
    }
}

/// The kernel's code and the plugin's reason or the limit it broke: `plugin-fault/fuel`.
fn in_full(refusal: &Refusal) -> String {
    format!(
        "{}/{}",
        refusal.code.name(),
        refusal.reason.as_deref().unwrap_or_default()
    )
}

fn refusals(expect: &Expect, happened: &Happened) -> Option<String> {
    let found = &happened.refusals;
    let same = |(expected, refusal): (&String, &Refusal)| {
        *expected == reason(refusal) || *expected == in_full(refusal)
    };
    if found.len() == expect.refused.len() && expect.refused.iter().zip(found).all(same) {
        return None;
    }
    let told = happened
        .refusals
        .iter()
        .map(|refusal| format!("\n    {}: {refusal}", reason(refusal)));
    let expected = match expect.refused.is_empty() {
        true => "to be accepted".to_owned(),
        false => format!("to be refused with {}", expect.refused.join(", ")),
    };
    let found = match found.is_empty() {
        true => "accepted".to_owned(),
        false => format!("refused:{}", told.collect::<String>()),
    };
    Some(format!("expected {expected}; it was {found}"))
}

fn fields(stage: &Stage<'_>, alias: &str, texts: &Texts, found: &mut Vec<String>) -> Result<()> {
    let Some(record) = stage.look_up(alias)? else {
        found.push(format!("{alias}: there is no such record"));
        return Ok(());
    };
    for (name, wanted) in texts {
        let field_type = stage.field_type(&record.kind, name)?;
        let text = stage.text(Some(field_type), wanted);
        let wanted: Option<Value> = match text.is_empty() {
            true => None,
            false => Some(parse_value(field_type, &text)?),
        };
        let held = record.get(name);
        if held != wanted.as_ref() {
            let (wanted, held) = (shown(wanted.as_ref()), shown(held));
            found.push(format!("{alias}.{name}: expected {wanted}, found {held}"));
        }
    }
    Ok(())
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| format!("\"{value}\""))
}

fn messages(expected: &[Sent], queued: &[OutboxRow], found: &mut Vec<String>) {
    if expected.len() != queued.len() {
        let told = queued.iter().map(|row| format!("\n    {}", letter(row)));
        let told: String = told.collect();
        found.push(format!(
            "expected {} messages, found {}:{told}",
            expected.len(),
            queued.len()
        ));
        return;
    }
    for (place, (expected, row)) in expected.iter().zip(queued).enumerate() {
        let body = String::from_utf8_lossy(&row.message.body);
        let contains = expected
            .contains
            .as_ref()
            .map(super::cases::Several::list)
            .unwrap_or_default();
        let there = expected
            .url
            .as_ref()
            .is_none_or(|url| *url == row.message.url);
        if !there || contains.iter().any(|part| !body.contains(part)) {
            found.push(format!(
                "message {}: expected {expected:?}, found\n    {}",
                place + 1,
                letter(row)
            ));
        }
    }
}

fn letter(row: &OutboxRow) -> String {
    format!(
        "{}: {}",
        row.message.url,
        String::from_utf8_lossy(&row.message.body)
    )
}

fn reply(stage: &Stage<'_>, expect: &Expect, happened: &Happened, found: &mut Vec<String>) {
    for (name, wanted) in &expect.reply {
        let wanted = stage.resolved(&plain(wanted));
        let held = happened.reply.iter().find(|(held, _)| held == name);
        let held = held
            .and_then(|(_, value)| value.as_ref())
            .map(ToString::to_string)
            .unwrap_or_default();
        if held != wanted {
            found.push(format!("reply {name}: expected {wanted:?}, found {held:?}"));
        }
    }
}

fn answers(
    stage: &Stage<'_>,
    question: &Question,
    answer: &std::result::Result<Json, kjerne_host::AskError>,
    found: &mut Vec<String>,
) {
    let name = &question.function;
    let answer = match (answer, &question.failed) {
        (Ok(answer), None) => answer,
        (Err(kjerne_host::AskError::Failed { code, .. }), Some(expected)) if code == expected => {
            return;
        }
        (Err(kjerne_host::AskError::Fault(fault)), Some(expected)) if fault.limit == *expected => {
            return;
        }
        (Ok(_), Some(expected)) => {
            return found.push(format!("{name}: expected {expected}, found an answer"));
        }
        (Err(error), _) => return found.push(format!("{name}: {error}")),
    };
    for (pointer, expected) in &question.expect {
        let held = answer.pointer(pointer).unwrap_or(&Json::Null);
        if !same(stage, expected, held) {
            found.push(format!(
                "{name} {pointer}: expected {expected}, found {held}"
            ));
        }
    }
}

/// Whether an answer's value is the one expected; records go by the names of the case, and an empty
/// text is nothing.
fn same(stage: &Stage<'_>, expected: &toml::Value, held: &Json) -> bool {
    match (expected, held) {
        (toml::Value::String(text), Json::Null) => text.is_empty(),
        (toml::Value::String(text), Json::String(held)) => {
            text == held || stage.resolved(text) == *held
        }
        (toml::Value::Integer(number), held) => held.as_i64() == Some(*number),
        (toml::Value::Float(number), held) => held.as_f64() == Some(*number),
        (toml::Value::Boolean(flag), held) => held.as_bool() == Some(*flag),
        (toml::Value::Array(list), Json::Array(held)) => {
            list.len() == held.len()
                && list
                    .iter()
                    .zip(held)
                    .all(|(one, other)| same(stage, one, other))
        }
        (toml::Value::Table(table), Json::Object(held)) => table
            .iter()
            .all(|(name, value)| same(stage, value, held.get(name).unwrap_or(&Json::Null))),
        _ => false,
    }
}
