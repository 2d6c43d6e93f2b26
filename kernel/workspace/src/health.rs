//! Whether a workspace is well: whether it takes writes, and whether anything waits for a person.

use std::ops::ControlFlow;

use kjerne_core::Role;
use kjerne_store::{Read, StoreError, journal, outbox, parked, registry};

use crate::limits::HEALTH_PARKED;
use crate::runtime::Runtime;

/// How a workspace does.
#[derive(Debug)]
pub struct Health {
    /// The journal's last entry.
    pub journal: u64,
    /// Why writes are refused, if they are.
    pub refused: Option<StoreError>,
    /// Entries plugins gave up on, counted as far as a limit.
    pub parked: usize,
    /// Messages that were given up and are still kept, of all plugins. They wait for nobody, since nothing
    /// brings them back, and so do not ask for attention.
    pub given_up: u64,
    /// How many plugins are not asked in how many roles together, because their calls broke in a row.
    pub set_aside: usize,
    /// Calls of guards that broke within the last minute and let commits pass without a judgement.
    pub not_judged: u64,
}

impl Health {
    /// One word: `ok`; `attention` when something waits for a person; `read-only` when writes are
    /// refused.
    #[must_use]
    pub fn status(&self) -> &'static str {
        let waits = self.parked > 0 || self.set_aside > 0 || self.not_judged > 0;
        match (&self.refused, waits) {
            (Some(_), _) => "read-only",
            (None, false) => "ok",
            (None, true) => "attention",
        }
    }
}

/// Looks how the workspace does; a store that can be made to take writes again is.
///
/// # Errors
/// When the store cannot even be read.
pub fn look(runtime: &Runtime) -> Result<Health, StoreError> {
    let refused = runtime.store.health().err();
    let snapshot = runtime.store.snapshot()?;
    let mut parked = 0;
    parked::list(&*snapshot, &mut |_| {
        parked += 1;
        if parked < HEALTH_PARKED.count() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    Ok(Health {
        journal: journal::last(&*snapshot)?,
        refused,
        parked,
        given_up: given_up(&*snapshot)?,
        set_aside: runtime.host.set_aside().len(),
        not_judged: not_judged(runtime, &*snapshot)?,
    })
}

/// Commits that a guard should have judged and did not, within the last minute.
fn not_judged(runtime: &Runtime, read: &dyn Read) -> Result<u64, StoreError> {
    let broken = runtime.host.recent().into_iter();
    let broken = broken.filter(|cost| cost.role == Role::Guard && cost.spent.faults > 0);
    let mut all = 0;
    for cost in broken {
        let row = registry::get(read, &cost.plugin)?;
        if row.is_some_and(|row| row.lets_pass) {
            all += cost.spent.faults;
        }
    }
    Ok(all)
}

/// A plugin keeps the number of its own, so that this costs a row for each plugin.
fn given_up(read: &dyn Read) -> Result<u64, StoreError> {
    let mut all = 0;
    for row in registry::list(read)? {
        all += outbox::waiting(read, &row.id)?.given_up;
    }
    Ok(all)
}

/// Tells when the store stops taking writes and when it takes them again, once each.
#[derive(Default)]
pub(crate) struct Watch {
    told: Option<String>,
}

impl Watch {
    /// What there is to be told now, if anything.
    pub(crate) fn look(&mut self, store: &dyn kjerne_store::Store) -> Option<String> {
        let now = store.health().err().map(|error| error.to_string());
        if now == self.told {
            return None;
        }
        self.told.clone_from(&now);
        Some(now.unwrap_or_else(|| "writes are taken again".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::directory::Workspace;
    use kjerne_store::ParkedRow;

    fn runtime() -> (tempfile::TempDir, Runtime) {
        let parent = tempfile::tempdir().unwrap();
        let workspace = Workspace::init(&parent.path().join("crm"), "x").unwrap();
        let runtime = Runtime::open_without_plugins(workspace, "a test").unwrap();
        (parent, runtime)
    }

    #[test]
    fn a_parked_entry_is_told() {
        let (_parent, runtime) = runtime();
        assert_eq!(look(&runtime).unwrap().status(), "ok");
        let row = |entry| ParkedRow {
            plugin: "acme.rule".to_owned(),
            role: "react".to_owned(),
            entry,
            at: kjerne_model::Instant::from_millis(0),
            tries: 8,
            error: "not granted".to_owned(),
        };
        let park = |entries: std::ops::Range<u64>| {
            let rows: Vec<ParkedRow> = entries.map(row).collect();
            let done = runtime
                .store
                .write(&mut |write| rows.iter().try_for_each(|row| parked::put(write, row)));
            done.unwrap();
        };
        park(1..3);
        let health = look(&runtime).unwrap();
        assert_eq!((health.status(), health.parked), ("attention", 2));
        park(3..HEALTH_PARKED.value + 50);
        assert_eq!(look(&runtime).unwrap().parked, HEALTH_PARKED.count());
    }

    #[test]
    fn messages_that_were_given_up_are_counted() {
        let (_parent, runtime) = runtime();
        let row = |seq, gave_up| outbox::OutboxRow {
            seq,
            plugin: "acme.rule".to_owned(),
            message: kjerne_model::Message {
                url: "https://example.no/in".to_owned(),
                content_type: String::new(),
                headers: Vec::new(),
                body: Vec::new(),
                order_key: String::new(),
                id: seq.to_string(),
                signing_secret: None,
            },
            queued_at: kjerne_model::Instant::default(),
            tries: 16,
            not_before: kjerne_model::Instant::default(),
            error: None,
            gave_up,
            link: kjerne_store::Link::default(),
        };
        let plugin = kjerne_store::registry::PluginRow {
            id: "acme.rule".to_owned(),
            version: "0.1.0".to_owned(),
            digest: [0; 32],
            enabled: true,
            grants: Vec::new(),
            settings: String::new(),
            revision: 0,
            position: 1,
            installed_at: kjerne_model::Instant::default(),
            roles: Vec::new(),
            limits: Vec::new(),
            lets_pass: false,
        };
        let done = runtime.store.write(&mut |write| {
            registry::put(write, &plugin)?;
            let rows = [row(1, true), row(2, false), row(3, true)];
            rows.iter().try_for_each(|row| outbox::push(write, row))
        });
        done.unwrap();
        let health = look(&runtime).unwrap();
        assert_eq!((health.status(), health.given_up), ("ok", 2));
    }

    #[cfg(unix)]
    #[test]
    fn a_store_that_takes_no_writes_is_told_once() {
        let (_parent, runtime) = runtime();
        let mut watch = Watch::default();
        assert_eq!(watch.look(&*runtime.store), None);
        let data = runtime.workspace.dir().join("data.redb");
        let away = data.with_extension("away");
        std::fs::rename(&data, &away).unwrap();
        let told = watch.look(&*runtime.store).unwrap();
        assert!(told.contains("moved or removed"), "{told}");
        assert_eq!(watch.look(&*runtime.store), None, "once");
        let health = look(&runtime).unwrap();
        assert_eq!((health.status(), health.journal), ("read-only", 0));
        std::fs::rename(&away, &data).unwrap();
        assert_eq!(
            watch.look(&*runtime.store).unwrap(),
            "writes are taken again"
        );
        runtime.store.write(&mut |_| Ok(())).unwrap();
    }
}
