//! Says how a plugin broke: which plugin, which limit, which number, what to do.

use kjerne_core::{Fault, Role};
use kjerne_model::shown;
use wasmtime::Trap;

use crate::limits;
use crate::meter::{Meter, Passed};
use kjerne_package::grants::Grant;

/// How the runtime's error begins when one call handed over too much. Its type is private; a test
/// notices when the words change.
const HANDOVER_EXHAUSTED: &str = "too much data";

/// The limit of a call that the host could not serve; the plugin has no part in it.
pub const OF_HOST: &str = "store";

/// What ended a call.
enum End {
    Limit(Passed),
    Broken(String),
    Panic(String),
    Trap(String),
    Output(String),
}

/// The fault behind an error of the runtime.
pub fn of_call(plugin: &str, role: Role, error: &wasmtime::Error, meter: &Meter) -> Fault {
    describe(plugin, role, end(error, meter))
}

/// Whether the runtime still knows how much fuel a call has used that ended so. At most traps it
/// forgets what was used since the guest last called the host, and so it does when the clock ends a
/// call.
pub fn counts_fuel(error: &wasmtime::Error, meter: &Meter) -> bool {
    if meter.is_late() {
        return false;
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => matches!(
            trap,
            Trap::OutOfFuel | Trap::StackOverflow | Trap::UnreachableCodeReached
        ),
        None => true,
    }
}

/// The fault of a call that passed a limit and went on as if nothing had happened.
pub fn of_limit(plugin: &str, role: Role, passed: Passed) -> Fault {
    describe(plugin, role, End::Limit(passed))
}

/// What the host has noted decides; then what the runtime says; and a trap after memory was
/// refused is a guest's way to say that it has no memory.
fn end(error: &wasmtime::Error, meter: &Meter) -> End {
    if let Some(why) = &meter.broken {
        return End::Broken(why.clone());
    }
    if let Some(passed) = meter.passed {
        return End::Limit(passed);
    }
    let limit = |limit, allowed, unit| {
        End::Limit(Passed {
            limit,
            allowed,
            unit,
        })
    };
    if error
        .root_cause()
        .to_string()
        .starts_with(HANDOVER_EXHAUSTED)
    {
        return End::Limit(Passed::of(limits::HANDOVER));
    }
    match (error.downcast_ref::<Trap>(), meter.refused) {
        (Some(Trap::OutOfFuel), _) => limit(meter.budget.names.fuel, meter.budget.fuel, "fuel"),
        (Some(Trap::Interrupt), _) => limit(meter.budget.names.wall, meter.budget.wall_ms, "ms"),
        (Some(Trap::StackOverflow), _) => limit("stack", limits::STACK.value, limits::STACK.unit),
        (_, Some(refused)) => End::Limit(refused),
        (Some(Trap::UnreachableCodeReached), None) if meter.last_error.is_some() => {
            End::Panic(meter.last_error.clone().unwrap_or_default())
        }
        (Some(trap), None) => End::Trap(trap.to_string()),
        // No trap of the guest's: the runtime could not make sense of what it handed over.
        (None, None) => End::Output(error.root_cause().to_string()),
    }
}

fn describe(plugin: &str, role: Role, end: End) -> Fault {
    let name = role.name();
    let fault = |limit: &str, allowed, message| Fault {
        plugin: plugin.to_owned(),
        limit: limit.to_owned(),
        allowed,
        message,
    };
    match end {
        End::Limit(Passed {
            limit,
            allowed,
            unit,
        }) => fault(
            limit,
            Some(allowed),
            format!(
                "plugin {plugin} passed its limit {limit} of {allowed} {unit} in {name} and was \
                 stopped; {}",
                advice(limit)
            ),
        ),
        End::Broken(why) => fault(
            OF_HOST,
            None,
            format!("plugin {plugin} could not be served in {name}: {why}; this is not its fault"),
        ),
        End::Panic(said) => fault(
            "panic",
            None,
            format!(
                "plugin {plugin} panicked in {name}: {said}; its author must mend it, or disable it"
            ),
        ),
        End::Output(why) => bad_output(plugin, role, &why),
        End::Trap(trap) => fault(
            "trap",
            None,
            format!(
                "plugin {plugin} broke in {name}: {trap}; its author must mend it, or disable it"
            ),
        ),
    }
}

fn advice(limit: &str) -> &'static str {
    match limit {
        "fuel" | "fuel-later" | "fuel-question" | "fuel-panel" => {
            "it works too long: give its author the case, commit fewer records at once, or disable it"
        }
        "wall-time" | "wall-time-person" | "wall-time-later" | "wall-time-panel" => {
            "it waits or works too long: look for queries that read much, or disable it"
        }
        "memory" | "memory-later" | "table" => {
            "it keeps too much at once: its author must work in smaller pieces"
        }
        "stack" => "it calls itself too deeply: its author must mend it, or disable it",
        "host-calls" | "host-calls-later" => {
            "it asks too often: its author must read several records with one query"
        }
        "read" | "query-bytes" => "it reads too much: its author must ask for fewer records",
        "rows" | "rows-later" => {
            "it looks at too many records: its author must ask by a field with an index"
        }
        "query-text" | "query-conditions" | "queries" | "kept" => {
            "it asks with too many conditions: its author must ask several shorter questions, and \
             drop each when it is answered"
        }
        "report-rows" | "report-bytes" | "report-cursor" => {
            "its author must answer shorter pages, and go on where each ended"
        }
        "card-items" | "card-bytes" => "its author must show less, and put the rest into a report",
        "log-lines" => "it logs in a loop: its author must log less",
        _ => "it hands over too much: its author must do the work in several steps",
    }
}

/// A plugin whose answer cannot be taken.
pub fn bad_output(plugin: &str, role: Role, why: &dyn std::fmt::Display) -> Fault {
    let why = shown::beginning(&why.to_string(), limits::SENTENCE.count());
    Fault {
        plugin: plugin.to_owned(),
        limit: "bad-output".to_owned(),
        allowed: None,
        message: format!(
            "plugin {plugin} answered in {} with something that cannot be taken: {why}; its author \
             must mend it",
            role.name()
        ),
    }
}

/// A call that found no place in time, of those its plugin has in the role.
pub fn busy(plugin: &str, role: Role, share: usize) -> Fault {
    Fault {
        plugin: plugin.to_owned(),
        limit: Fault::BUSY.to_owned(),
        allowed: Some(share as u64),
        message: format!(
            "plugin {plugin} was not asked in {}: its {share} places there, or those of all plugins, \
             were taken for {} ms; try again, and look at what takes them with kjerne plugin cost",
            role.name(),
            limits::QUEUE.value
        ),
    }
}

/// A plugin that lost what it needs to read: what it is not shown looks empty to it, and nobody could
/// tell its word from a right one.
pub fn unseen(plugin: &str, role: Role, unseen: &[Grant]) -> Fault {
    let items: Vec<String> = unseen.iter().map(Grant::to_string).collect();
    let items = items.join(" ");
    Fault {
        plugin: plugin.to_owned(),
        limit: "not-granted".to_owned(),
        allowed: None,
        message: format!(
            "plugin {plugin} was not asked in {}: it needs {items} and is not granted that; kjerne \
             plugin grant {plugin} {items}, or disable it",
            role.name()
        ),
    }
}

/// A plugin that is not there, or has not the role.
pub fn absent(plugin: &str, role: Role) -> Fault {
    Fault {
        plugin: plugin.to_owned(),
        limit: "absent".to_owned(),
        allowed: None,
        message: format!(
            "plugin {plugin} is not enabled in the role {}; enable it, or ask without it",
            role.name()
        ),
    }
}
