//! Who watches what is asked about it, and about nothing else: shapes and guards by the changes of a
//! commit, reactions by the entries of the journal.

use std::sync::{Arc, Mutex};

use super::{accept, at, create, delete, kernel, name, update};
use crate::{
    Effects, Guarded, Operations, Role, Shaped, TablePlugin, TablePlugins, Task, Watch, Watches,
};

type Seen = Arc<Mutex<Vec<String>>>;

/// Accounts when they are made, contacts when their name changes, leads when they are removed, and
/// tasks beside those.
fn watches() -> Watches {
    let only = |text: &str| Operations {
        create: text == "create",
        update: text == "update",
        delete: text == "delete",
    };
    let of = |operations| Watch {
        operations,
        ..Watch::ALL
    };
    let mut watches = Watches::default();
    watches.add(Some(name("account")), &of(only("create")));
    let named = Watch {
        fields: Some([name("name")].into()),
        ..of(only("update"))
    };
    watches.add(Some(name("contact")), &named);
    watches.add(Some(name("lead")), &of(only("delete")));
    let beside = Watch {
        beside: true,
        ..Watch::ALL
    };
    watches.add(Some(name("task")), &beside);
    watches
}

/// A plugin that watches this as a shape, a guard and in its reaction, and notes what it is shown.
fn watcher(seen: &Seen) -> TablePlugin {
    let note = |role: &'static str| {
        let seen = Arc::clone(seen);
        move |kinds: Vec<&str>| {
            seen.lock()
                .unwrap()
                .push(format!("{role} {}", kinds.join(" ")));
        }
    };
    let (shape, guard, react) = (note("shape"), note("guard"), note("react"));
    TablePlugin::new("watcher")
        .watching_of(watches())
        .shape(move |_, drafts| {
            shape(drafts.iter().map(|draft| draft.kind.as_str()).collect());
            Ok(Shaped::default())
        })
        .guard(move |_, drafts| {
            guard(drafts.iter().map(|draft| draft.kind.as_str()).collect());
            Ok(Guarded::default())
        })
        .run(Role::React, move |_, task| {
            let Task::React(entries) = task else {
                panic!("{task:?}")
            };
            let edits = entries.iter().flat_map(|entry| &entry.edits);
            react(edits.map(|edit| edit.kind.as_str()).collect());
            Ok(Effects::default())
        })
}

#[test]
fn what_nobody_watches_asks_nobody() {
    let seen = Seen::default();
    let plugin = watcher(&seen);
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(plugin));
    let asked = |changes| {
        accept(&kernel, changes);
        while let crate::Progress::Moved { .. } = kernel.react(&info, Role::React, at(0)).unwrap() {
        }
        std::mem::take(&mut *seen.lock().unwrap())
    };
    let all = |kinds: &str| ["shape", "guard", "react"].map(|role| format!("{role} {kinds}"));
    let task = |number| create("task", number, &[("subject", "Call"), ("status", "open")]);
    let person = create("contact", 2, &[("name", "C"), ("email", "c@example.com")]);
    let lead = create("lead", 3, &[("name", "L")]);

    assert_eq!(
        asked(vec![create("account", 1, &[("name", "A")])]),
        all("account")
    );
    assert!(asked(vec![update("account", 1, &[("name", "B")])]).is_empty());
    assert!(asked(vec![person, lead]).is_empty());
    assert!(asked(vec![update("contact", 2, &[("email", "d@example.com")])]).is_empty());
    assert_eq!(
        asked(vec![update("contact", 2, &[("name", "D")])]),
        all("contact")
    );
    assert!(asked(vec![update("lead", 3, &[("name", "M")])]).is_empty());
    // A task is nobody's business by itself, and shown beside what is.
    assert!(asked(vec![task(4)]).is_empty());
    let both = vec![task(5), delete("lead", 3)];
    assert_eq!(asked(both), all("task lead"));
    assert!(asked(vec![create("product", 6, &[("name", "P"), ("sku", "1")])]).is_empty());
}
