//! One guard call with 20 fields, on a fresh instance as production does it and on a warm one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use kjerne_core::{Call, Draft, PluginInfo, Plugins as _, Role};
use kjerne_model::{Actor, Fields, Name, RecordId, Value};

use crate::built_in;
use crate::measured::{BenchArgs, Measured};
use crate::scratch::Scratch;
use kjerne_workspace::runtime::now;
use kjerne_workspace::{Runtime, Workspace};

const CALLS: usize = 4_000;
const FIELDS: usize = 20;
/// What a fresh instance may cost more than three warm calls.
const ALLOWANCE: Duration = Duration::from_micros(15);

pub fn measure(args: &BenchArgs) -> Result<Vec<Measured>> {
    let scratch = Scratch::new("guard")?;
    let workspace = Workspace::init(&scratch.path("workspace"), "Bench")?;
    let runtime = Runtime::open(workspace, "kjerne bench")?;
    built_in::switch_all_on(&runtime, args.plugins.as_deref(), now())?;
    let guards = runtime.host.with_role(Role::Guard);
    let kind = Name::new("opportunity")?;
    let mut guards = guards.iter();
    let guard = guards.find(|guard| guard.watches.of(&kind).is_some());
    let guard = guard.context("no guard watches opportunities")?;
    let call = call(&runtime)?;
    let (before, after) = sides()?;
    let drafts = [Draft {
        change: 0,
        kind: &kind,
        id: RecordId::v7(now(), 1),
        before: Some(&before),
        after: Some(&after),
    }];
    // In turn, so that a slow moment of the machine slows both.
    let (mut fresh, mut warm) = (Vec::new(), Vec::new());
    for _ in 0..8 {
        fresh.extend(fresh_calls(&runtime, guard, &call, &drafts)?);
        warm.extend(runtime.host.guard_warm(guard, &call, &drafts, CALLS / 8)?);
    }
    let (fresh_50, fresh_99) = percentiles(fresh);
    let (warm_50, warm_99) = percentiles(warm);
    let bar = warm_50 * 3 + ALLOWANCE;
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    Ok(vec![
        Measured::held(
            &format!("guard call, {FIELDS} fields, fresh instance, p50"),
            format!("{:.1} µs (p99 {:.1})", micros(fresh_50), micros(fresh_99)),
            &format!("<= 3x warm + 15 µs = {:.1} µs", micros(bar)),
            fresh_50 <= bar,
        ),
        Measured::plain(
            "  the same call, warm instance, p50",
            format!("{:.1} µs (p99 {:.1})", micros(warm_50), micros(warm_99)),
        ),
    ])
}

fn fresh_calls(
    runtime: &Runtime,
    guard: &PluginInfo,
    call: &Call,
    drafts: &[Draft<'_>],
) -> Result<Vec<Duration>> {
    (0..CALLS / 8)
        .map(|_| {
            let began = Instant::now();
            runtime.host.guard(guard, call, drafts)?;
            Ok(began.elapsed())
        })
        .collect()
}

fn call(runtime: &Runtime) -> Result<Call> {
    let reader = Arc::new(runtime.kernel.reader()?);
    Ok(Call {
        now: now(),
        actor: Actor::User("bench".to_owned()),
        depth: 0,
        reader,
    })
}

/// An opportunity that holds 20 fields, before and after an update that moves it nowhere.
fn sides() -> Result<(Fields, Fields)> {
    let mut before = Fields::new();
    for (field, value) in [
        ("name", "Fleet renewal"),
        ("pipeline", "standard"),
        ("stage", "prospect"),
    ] {
        before.insert(Name::new(field)?, Value::Text(value.to_owned()));
    }
    let texts = [
        "next_step",
        "opportunity_type",
        "source",
        "lost_to",
        "next_best_action",
        "description",
        "external_id",
    ];
    for field in texts {
        before.insert(
            Name::new(field)?,
            Value::Text(format!("What stands in {field}")),
        );
    }
    let numbers = [
        "probability",
        "buying_progress",
        "buying_gap",
        "rework_risk",
        "no_decision_risk",
    ];
    for field in numbers {
        before.insert(Name::new(field)?, Value::Integer(5));
    }
    for field in [
        "opened_at",
        "stage_since",
        "last_activity_at",
        "assessed_at",
    ] {
        before.insert(Name::new(field)?, Value::Instant(now()));
    }
    before.insert(
        Name::new("forecast_category")?,
        Value::Text("pipeline".to_owned()),
    );
    anyhow::ensure!(
        before.len() == FIELDS,
        "the record has {} fields",
        before.len()
    );
    let mut after = before.clone();
    after.insert(
        Name::new("next_step")?,
        Value::Text("Call again".to_owned()),
    );
    Ok((before, after))
}

fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}
