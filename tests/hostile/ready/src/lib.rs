//! Misbehaves while it is prepared, as its settings say, and tells in its guard what a call finds of that.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use kjerne_sdk::bindings::imports::kjerne::crm::records::Query;
use kjerne_sdk::bindings::imports::kjerne::crm::time;
use kjerne_sdk::prelude::*;
use kjerne_sdk::settings::Faults;

struct Plugin;

/// Counts prepare and calls, in memory that begins with each call as prepare left it.
static CALLS: AtomicU32 = AtomicU32::new(0);
/// A handle of the host, kept for longer than it lives.
static KEPT: Mutex<Option<Query>> = Mutex::new(None);

kjerne_sdk::plugin!(Plugin: prepare, guard);

impl Prepare for Plugin {
    fn prepare() -> Result<(), Faults> {
        CALLS.fetch_add(1, Ordering::Relaxed);
        let read = settings::load().read(|root| {
            let behaviour = root.text("behaviour").unwrap_or_default();
            if behaviour == "faults" {
                root.fault("this is wrong");
                root.fault("and this");
            }
            root.finish();
            behaviour
        });
        match read?.as_str() {
            "panic" => panic!("as its settings say"),
            "loop" => loop {
                std::hint::black_box(0);
            },
            "now" => log::info(format!("it is {}", time::now())),
            "state" => {
                return state::set("key", b"value").map_err(|failure| failure.code.into());
            }
            "keep" => *kept() = Some(Query::new("account")),
            "read" => {
                let found = records::query("account").run();
                let found = found.map_err(|failure| failure.message)?;
                log::info(format!("found {}", found.records.len()));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Guard for Plugin {
    fn guard(_: &Context, _: &[Change], findings: &Findings) {
        if let Some(query) = kept().as_ref() {
            query.limit(1);
        }
        let call = CALLS.fetch_add(1, Ordering::Relaxed) + 1;
        let code = format!("call-{call}-revision-{}", settings::revision());
        findings.refuse(0, None, &code, "Refused to say which call this is.");
    }
}

fn kept() -> std::sync::MutexGuard<'static, Option<Query>> {
    KEPT.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
