//! From the model to JSON.

use kjerne_core::{Page, PluginCost, PluginSet, Receipt, Reply, Touched, Waiting};
use kjerne_model::{
    Act, Address, Asked, Edit, Entry, Fields, Record, Refusal, Remark, Value, Verdict,
};
use kjerne_store::PendingRow;
use kjerne_store::costs::CostRow;
use kjerne_store::cursors::AsideRow;
use kjerne_store::outbox::OutboxRow;
use kjerne_store::parked::ParkedRow;
use kjerne_store::registry::PluginRow;
use serde_json::{Map, Value as Json, json};

/// The greatest whole number that every reader of JSON holds exactly: JavaScript and many others read
/// numbers as binary fractions of 53 digits.
const EXACT: i64 = (1 << 53) - 1;

/// A whole number: as a number where every reader gets it right, else as text, which is read back as
/// well.
#[must_use]
pub fn whole(number: i64) -> Json {
    if (-EXACT..=EXACT).contains(&number) {
        json!(number)
    } else {
        json!(number.to_string())
    }
}

/// One value. Decimals and amounts are text, because a JSON number may lose digits on the way.
#[must_use]
pub fn value(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Integer(number) => whole(*number),
        Value::Decimal(number) => json!(number.to_string()),
        Value::Money(money) => {
            let text = money.to_string();
            let amount = text.split(' ').next().unwrap_or_default();
            json!({ "amount": amount, "currency": money.currency.code() })
        }
        Value::Date(date) => json!(date.to_string()),
        Value::Instant(instant) => json!(instant.to_string()),
        Value::Flag(flag) => json!(flag),
        Value::Choices(choices) => json!(choices),
        Value::Address(address) => address_parts(address),
        Value::Reference(reference) => json!(reference.to_string()),
    }
}

/// The parts of an address that hold something.
fn address_parts(address: &Address) -> Json {
    let parts = Address::PARTS.iter().filter_map(|name| {
        let part = address.part(name).filter(|part| !part.is_empty())?;
        Some(((*name).to_owned(), json!(part)))
    });
    Json::Object(parts.collect())
}

fn fields(fields: &Fields) -> Json {
    Json::Object(
        fields
            .iter()
            .map(|(name, held)| (name.to_string(), value(held)))
            .collect(),
    )
}

/// One record; with names, only those of its fields.
#[must_use]
pub fn record(record: &Record, only: Option<&[String]>) -> Json {
    let shown: Map<String, Json> = record
        .fields
        .iter()
        .filter(|(name, _)| only.is_none_or(|only| only.iter().any(|one| *name == one.as_str())))
        .map(|(name, held)| (name.to_string(), value(held)))
        .collect();
    json!({
        "kind": record.kind.as_str(),
        "id": record.id.to_string(),
        "version": record.version,
        "created_at": record.created_at.to_string(),
        "updated_at": record.updated_at.to_string(),
        "fields": shown,
    })
}

/// A page of records and the cursor of the next one.
#[must_use]
pub fn page(page: &Page, only: Option<&[String]>) -> Json {
    let records: Vec<Json> = page.records.iter().map(|one| record(one, only)).collect();
    json!({ "records": records, "next": page.next })
}

/// What a commit did.
#[must_use]
pub fn receipt(receipt: &Receipt) -> Json {
    let mut shown = json!({
        "entry": receipt.entry,
        "at": receipt.at.to_string(),
        "replayed": receipt.replayed,
        "edits": outcome_edits(receipt),
    });
    let overridden: Vec<Json> = receipt.overridden().map(overridden).collect();
    if !overridden.is_empty() {
        shown["overridden"] = Json::Array(overridden);
    }
    if !receipt.advice.is_empty() {
        shown["advice"] = receipt.advice.iter().map(remark).collect();
    }
    shown
}

/// What a guard says of a commit; absent parts are left out.
fn remark(remark: &Remark) -> Json {
    let mut json = json!({
        "plugin": remark.plugin,
        "code": remark.code,
        "message": remark.message,
    });
    let parts = [
        ("change", remark.change.map(|change| json!(change))),
        (
            "kind",
            remark.kind.as_ref().map(|kind| json!(kind.as_str())),
        ),
        ("id", remark.id.map(|id| json!(id.to_string()))),
        ("field", remark.field.as_ref().map(|field| json!(field))),
    ];
    for (name, part) in parts {
        if let Some(part) = part {
            json[name] = part;
        }
    }
    json
}

/// A rule that asks for approval.
fn asked(asked: &Asked) -> Json {
    let mut json = remark(&asked.remark);
    json["role"] = json!(asked.role);
    json
}

/// A commit that waits for approval.
#[must_use]
pub fn waiting(waiting: &Waiting) -> Json {
    let open = waiting.open.iter().map(|open| {
        let approvers = open.approvers.iter().map(ToString::to_string);
        json!({ "role": open.role, "approvers": approvers.collect::<Vec<_>>() })
    });
    json!({
        "id": waiting.id.map(|id| id.to_string()),
        "entry": waiting.entry,
        "asked": waiting.asked.iter().map(asked).collect::<Vec<_>>(),
        "open": open.collect::<Vec<_>>(),
        "expires_at": waiting.expires_at.to_string(),
        "replayed": waiting.replayed,
        "edits": touched(&waiting.edits),
    })
}

/// A commit that waits for approval, as those who approve look at it: with what it would do, when `whole`.
#[must_use]
pub fn pending(row: &PendingRow, told: &Waiting, whole: bool) -> Json {
    let mut json = waiting(told);
    let approvals = row.approvals.iter().map(|one| {
        let (by, at) = (one.by.to_string(), one.at.to_string());
        json!({ "role": one.role, "by": by, "at": at })
    });
    json["approvals"] = approvals.collect();
    json["asked_at"] = json!(row.asked_at.to_string());
    json["actor"] = json!(row.actor.to_string());
    json["behind"] = json!(row.behind.as_ref().map(ToString::to_string));
    json["error"] = json!(row.error);
    if let Some(map) = json.as_object_mut() {
        // What belongs to the answer to whoever asked.
        map.remove("entry");
        map.remove("replayed");
    }
    if whole {
        json["edits"] = row.edits.iter().map(edit).collect();
    }
    json
}

/// A field that a plugin set to something else than was asked for.
fn overridden(one: &PluginSet) -> Json {
    json!({
        "change": one.change,
        "kind": one.kind.as_str(),
        "id": one.id.to_string(),
        "field": one.field.as_str(),
        "plugin": one.plugin,
        "value": one.value.as_ref().map(value),
    })
}

/// The records a commit touched.
#[must_use]
pub fn outcome_edits(receipt: &Receipt) -> Vec<Json> {
    touched(&receipt.edits)
}

fn touched(edits: &[Touched]) -> Vec<Json> {
    let touched = edits.iter().map(|edit| {
        json!({ "kind": edit.kind.as_str(), "id": edit.id.to_string(), "version": edit.version })
    });
    touched.collect()
}

/// One reason to refuse; absent parts are left out.
#[must_use]
pub fn refusal(refusal: &Refusal) -> Json {
    let mut json = json!({ "code": refusal.code.name(), "message": refusal.message });
    let mut add = |name: &str, part: Option<Json>| {
        if let (Some(part), Some(map)) = (part, json.as_object_mut()) {
            map.insert(name.to_owned(), part);
        }
    };
    add("change", refusal.change.map(|change| json!(change)));
    add(
        "kind",
        refusal.kind.as_ref().map(|kind| json!(kind.as_str())),
    );
    add("id", refusal.id.map(|id| json!(id.to_string())));
    add("field", refusal.field.as_ref().map(|field| json!(field)));
    add(
        "plugin",
        refusal.plugin.as_ref().map(|plugin| json!(plugin)),
    );
    add(
        "reason",
        refusal.reason.as_ref().map(|reason| json!(reason)),
    );
    json
}

/// All reasons, in order of precedence.
#[must_use]
pub fn refusals(refusals: &[Refusal]) -> Vec<Json> {
    refusals.iter().map(refusal).collect()
}

/// One journal entry.
#[must_use]
pub fn entry(entry: &Entry) -> Json {
    json!({
        "number": entry.number,
        "at": entry.at.to_string(),
        "actor": entry.actor.to_string(),
        "key": entry.key,
        "cause": entry.cause.map(|cause| json!({ "entry": cause.entry, "depth": cause.depth })),
        "edits": entry.edits.iter().map(edit).collect::<Vec<_>>(),
        "verdicts": entry.verdicts.iter().map(verdict).collect::<Vec<_>>(),
        "act": entry.act.as_ref().map(act),
    })
}

fn act(act: &Act) -> Json {
    let details = act.details.iter();
    let details = details.map(|(name, value)| (name.clone(), json!(value)));
    json!({
        "operation": act.operation,
        "subject": act.subject,
        "details": Json::Object(details.collect()),
    })
}

fn edit(edit: &Edit) -> Json {
    json!({
        "operation": edit.operation(),
        "kind": edit.kind.as_str(),
        "id": edit.id.to_string(),
        "version": edit.version,
        "changed": edit.changed().iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>(),
        "before": edit.before.as_ref().map(fields),
        "after": edit.after.as_ref().map(fields),
    })
}

fn verdict(verdict: &Verdict) -> Json {
    json!({
        "plugin": verdict.plugin,
        "version": verdict.version,
        "role": verdict.role,
        "fuel": verdict.fuel,
        "set": verdict.set,
        "advice": verdict.advice.iter().map(remark).collect::<Vec<_>>(),
        "broke": verdict.broke,
    })
}

/// What a plugin answers with.
#[must_use]
pub fn reply(reply: &Reply) -> Json {
    let named = reply
        .iter()
        .map(|(name, held)| (name.clone(), held.as_ref().map_or(Json::Null, value)));
    Json::Object(named.collect())
}

/// An installed plugin.
#[must_use]
pub fn plugin_row(row: &PluginRow) -> Json {
    let digest: String = row
        .digest
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({
        "id": row.id,
        "version": row.version,
        "digest": format!("blake3:{digest}"),
        "enabled": row.enabled,
        "grants": row.grants,
        "roles": row.roles,
        "revision": row.revision,
        "position": row.position,
        "limits": row.limits.iter().map(|(name, number)| (name.clone(), json!(number))).collect::<Map<_, _>>(),
        "lets_pass": row.lets_pass,
        "installed_at": row.installed_at.to_string(),
    })
}

/// What a plugin cost: what it is about, as far as that is told apart, and the sums.
#[must_use]
pub fn cost(row: &CostRow) -> Json {
    let told = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let spent = &row.spent;
    json!({
        "plugin": row.plugin,
        "version": told(&row.version),
        "runtime": told(&row.runtime),
        "role": told(&row.role),
        "kind": told(&row.kind),
        "calls": spent.calls,
        "faults": spent.faults,
        "fuel": spent.fuel,
        "micros": spent.micros,
        "micros_p50": spent.within(50),
        "micros_p99": spent.within(99),
        "memory": spent.memory,
        "host_calls": spent.host_calls,
        "rows": spent.rows,
        "bytes_in": spent.bytes_in,
        "bytes_out": spent.bytes_out,
    })
}

/// The same with the day, or the month at its first day.
#[must_use]
pub fn dated_cost(row: &CostRow) -> Json {
    let mut shown = cost(row);
    shown["day"] = json!(row.day.to_string());
    shown["month"] = json!(row.month);
    shown
}

/// What each plugin cost a commit.
#[must_use]
pub fn commit_costs(receipt: &Receipt) -> Json {
    let cost = |cost: &PluginCost| {
        json!({
            "plugin": cost.plugin,
            "role": cost.role,
            "calls": cost.calls,
            "fuel": cost.fuel,
            "micros": cost.micros,
            "reads": cost.reads,
        })
    };
    Json::Array(receipt.costs.iter().map(cost).collect())
}

/// A journal entry a plugin gave up on.
#[must_use]
pub fn parked(row: &ParkedRow) -> Json {
    json!({
        "plugin": row.plugin,
        "role": row.role,
        "entry": row.entry,
        "at": row.at.to_string(),
        "tries": row.tries,
        "error": row.error,
    })
}

/// A journal entry a plugin has put aside; without tries it waits behind another.
#[must_use]
pub fn aside(plugin: &str, role: &str, row: &AsideRow) -> Json {
    json!({
        "plugin": plugin,
        "role": role,
        "entry": row.entry,
        "tries": row.tries,
        "not_before": (row.tries > 0).then(|| row.not_before.to_string()),
        "error": row.error,
    })
}

/// A message in the outbox, without its body.
#[must_use]
pub fn message(row: &OutboxRow) -> Json {
    json!({
        "seq": row.seq,
        "plugin": row.plugin,
        "id": row.message.id,
        "url": row.message.url,
        "order_key": row.message.order_key,
        "queued_at": row.queued_at.to_string(),
        "tries": row.tries,
        "not_before": row.not_before.to_string(),
        "error": row.error,
        "gave_up": row.gave_up,
    })
}
