//! Shapes and guards: in which order, with what, and what becomes of what they say.

use std::sync::Mutex;

use kjerne_model::{Code, Verdict};

use super::*;
use crate::{FieldSet, Guarded, Shaped, TablePlugin};

fn set(change: usize, field: &str, text: &str) -> FieldSet {
    let value = (!text.is_empty()).then(|| value("account", field, text));
    FieldSet {
        change,
        field: name(field),
        value,
    }
}

fn shaping(id: &str, sets: Vec<FieldSet>) -> TablePlugin {
    TablePlugin::new(id)
        .watching([name("account")])
        .shape(move |_, _| {
            Ok(Shaped {
                sets: sets.clone(),
                fuel: 3,
                micros: 30,
                reads: 7,
            })
        })
}

fn guarding(id: &'static str) -> TablePlugin {
    TablePlugin::new(id).guard(move |_, drafts| Ok(finding(&drafts[0], id)))
}

#[test]
fn shapes_run_in_order_and_the_journal_tells_what_each_set_and_cost() {
    let upper = TablePlugin::new("second").shape(|_, drafts| {
        let tier = drafts[0]
            .after
            .as_ref()
            .unwrap()
            .get("tier")
            .unwrap()
            .to_string();
        Ok(Shaped {
            sets: vec![set(0, "segment", &format!("{tier}-after"))],
            fuel: 4,
            ..Shaped::default()
        })
    });
    let plugins = TablePlugins::none()
        .with(shaping(
            "first",
            vec![set(0, "tier", "gold"), set(0, "industry", "")],
        ))
        .with(upper)
        .with(TablePlugin::new("allows").guard(|_, _| {
            Ok(Guarded {
                findings: vec![],
                fuel: 9,
                ..Guarded::default()
            })
        }));
    let kernel = kernel(plugins);
    accept(
        &kernel,
        vec![create("account", 1, &[("name", "A"), ("industry", "fish")])],
    );
    assert_eq!(held(&kernel, "account", 1, "segment"), "gold-after");
    assert_eq!(held(&kernel, "account", 1, "industry"), "");
    let entry = kernel.journal(0, 1).unwrap().remove(0);
    let told = |verdict: &Verdict| {
        (
            verdict.plugin.clone(),
            verdict.role.clone(),
            verdict.fuel,
            verdict.set.join(" "),
        )
    };
    let row = |plugin: &str, role: &str, fuel, set: &str| {
        (plugin.to_owned(), role.to_owned(), fuel, set.to_owned())
    };
    assert_eq!(
        entry.verdicts.iter().map(told).collect::<Vec<_>>(),
        [
            row("first", "shape", 3, "0.tier 0.industry"),
            row("second", "shape", 4, "0.segment"),
            row("allows", "guard", 9, ""),
        ]
    );
}

#[test]
fn plugins_are_asked_once_per_commit_with_the_kinds_they_watch() {
    let calls: Arc<Mutex<Vec<Vec<String>>>> = Arc::default();
    let seen = Arc::clone(&calls);
    let guard = TablePlugin::new("watches")
        .watching([name("account")])
        .guard(move |_, drafts| {
            let what = drafts
                .iter()
                .map(|draft| format!("{} {}", draft.change, draft.kind));
            seen.lock().unwrap().push(what.collect());
            Ok(Guarded::default())
        });
    let kernel = kernel(TablePlugins::none().with(guard));
    let changes = vec![
        create("account", 1, &[("name", "A")]),
        create("contact", 2, &[("name", "C")]),
        create("account", 3, &[("name", "B")]),
    ];
    accept(&kernel, changes);
    accept(&kernel, vec![update("contact", 2, &[("name", "D")])]);
    // A change without a difference is nobody's business.
    accept(&kernel, vec![update("account", 1, &[("name", "A")])]);
    assert_eq!(*calls.lock().unwrap(), [["0 account", "2 account"]]);
}

#[test]
fn all_guards_are_asked_and_the_first_in_order_comes_first() {
    let plugins = TablePlugins::none()
        .with(guarding("zebra"))
        .with(TablePlugin::new("breaks").guard(|_, _| Err(fault("breaks"))))
        .with(guarding("aardvark"));
    let outcome = kernel(plugins)
        .commit(commit(vec![create("account", 1, &[("name", "A")])]))
        .unwrap();
    let told: Vec<_> = outcome
        .refusals()
        .iter()
        .map(|one| {
            (
                one.code,
                one.plugin.as_deref().unwrap(),
                one.reason.as_deref().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Code::PluginFault, "breaks", "fuel"),
            (Code::Guard, "zebra", "zebra"),
            (Code::Guard, "aardvark", "aardvark"),
        ]
    );
}

#[test]
fn guards_are_not_asked_about_what_the_kernel_refuses() {
    let outcome = kernel(TablePlugins::none().with(guarding("never")))
        .commit(commit(vec![create("account", 1, &[("tier", "a")])]))
        .unwrap();
    assert_eq!(
        outcome
            .refusals()
            .iter()
            .map(|one| one.code)
            .collect::<Vec<_>>(),
        [Code::Required]
    );
}

#[test]
fn what_a_shape_sets_is_checked_like_anything_else() {
    let check = |sets, code: Code, plugin: Option<&str>| {
        let kernel = kernel(TablePlugins::none().with(shaping("shape", sets)));
        let outcome = kernel
            .commit(commit(vec![create("account", 1, &[("name", "A")])]))
            .unwrap();
        assert_eq!(outcome.refusals()[0].code, code, "{outcome:?}");
        assert_eq!(outcome.refusals()[0].plugin.as_deref(), plugin);
    };
    check(vec![set(7, "tier", "a")], Code::PluginFault, Some("shape"));
    check(vec![set(0, "name", "")], Code::Required, None);
    check(
        vec![set(0, "parent", "account/9")],
        Code::UnknownReference,
        None,
    );
    let ghost = FieldSet {
        change: 0,
        field: name("ghost"),
        value: None,
    };
    check(vec![ghost], Code::PluginFault, Some("shape"));
}

#[test]
fn a_shape_may_fill_a_required_field_and_undo_the_only_difference() {
    let kernel =
        kernel(TablePlugins::none().with(shaping("fills", vec![set(0, "name", "Filled")])));
    accept(&kernel, vec![create("account", 1, &[("tier", "a")])]);
    assert_eq!(held(&kernel, "account", 1, "name"), "Filled");
    let undone = accept(&kernel, vec![update("account", 1, &[("name", "Other")])]);
    assert_eq!(undone.entry, 0);
}

#[test]
fn plugins_see_time_actor_and_depth_of_the_commit() {
    let seen: Arc<Mutex<Vec<(Instant, String, u32)>>> = Arc::default();
    let into = Arc::clone(&seen);
    let guard = TablePlugin::new("sees").guard(move |call, _| {
        into.lock()
            .unwrap()
            .push((call.now, call.actor.to_string(), call.depth));
        Ok(Guarded::default())
    });
    let kernel = kernel(TablePlugins::none().with(guard));
    let cause = Some(kjerne_model::Cause {
        entry: 4,
        depth: 2,
        follow_ups: None,
    });
    let changes = vec![create("account", 1, &[("name", "A")])];
    accepted(
        kernel
            .commit(Commit {
                at: at(5),
                cause,
                ..commit(changes)
            })
            .unwrap(),
    );
    assert_eq!(*seen.lock().unwrap(), [(at(5), "user:demo".to_owned(), 2)]);
    assert_eq!(kernel.journal(0, 1).unwrap()[0].cause, cause);
}

#[test]
fn what_a_shape_makes_of_what_was_asked_for_is_told() {
    let plugins = TablePlugins::none()
        .with(shaping(
            "first",
            vec![set(0, "tier", "silver"), set(0, "industry", "fish")],
        ))
        .with(shaping(
            "second",
            vec![set(0, "tier", "gold"), set(0, "segment", "")],
        ));
    let kernel = kernel(plugins);
    let told = |receipt: Receipt| -> Vec<String> {
        let tell = |one: &crate::PluginSet| {
            let value = one.value.as_ref().map(Value::to_string);
            format!("{} {}={}", one.plugin, one.field, value.unwrap_or_default())
        };
        receipt.overridden().map(tell).collect()
    };
    let asked = [
        ("name", "Acme"),
        ("tier", "bronze"),
        ("industry", "fish"),
        ("segment", "small"),
    ];
    let made = accept(&kernel, vec![create("account", 1, &asked)]);
    assert_eq!(told(made), ["second segment=", "second tier=gold"]);
    // Nothing changes in the end, and that is told, too.
    let again = accept(&kernel, vec![update("account", 1, &[("tier", "silver")])]);
    assert_eq!(again.entry, 0);
    assert_eq!(told(again), ["second tier=gold"]);
    let agreed = accept(
        &kernel,
        vec![update(
            "account",
            1,
            &[("tier", "gold"), ("employees", "1")],
        )],
    );
    assert_eq!(told(agreed), [""; 0]);
    // Of two changes of one record the last says what was asked for.
    let last = || TablePlugins::none().with(shaping("last", vec![set(1, "tier", "gold")]));
    for (asked, expected) in [("gold", &[][..]), ("silver", &["last tier=gold"])] {
        let twice = vec![
            create("account", 1, &[("name", "Acme"), ("tier", "bronze")]),
            update("account", 1, &[("tier", asked)]),
        ];
        assert_eq!(told(accept(&super::kernel(last()), twice)), expected);
    }
}

/// A guard that broke has judged nothing: the commit is refused, or passes and the journal says so. One that
/// found no place is asked again, and a shape that broke always refuses: the fields would not be set.
#[test]
fn what_becomes_of_a_commit_whose_guard_breaks_is_set() {
    type Case = (fn(&str) -> crate::Fault, bool, Option<Code>);
    let cases: [Case; 4] = [
        (fault, false, Some(Code::PluginFault)),
        (fault, true, None),
        (busy, true, Some(Code::PluginFault)),
        (busy, false, Some(Code::PluginFault)),
    ];
    for (how, passes, refused) in cases {
        let broken = TablePlugin::new("broken").guard(move |_, _| Err(how("broken")));
        let broken = if passes {
            broken.letting_pass()
        } else {
            broken
        };
        let after = TablePlugin::new("after").guard(|_, _| Ok(Guarded::default()));
        let kernel = kernel(TablePlugins::none().with(broken).with(after));
        let outcome = kernel.commit(commit(vec![create("account", 1, &[("name", "A")])]));
        let codes: Vec<Code> = outcome
            .unwrap()
            .refusals()
            .iter()
            .map(|one| one.code)
            .collect();
        assert_eq!(codes, Vec::from_iter(refused), "{passes}");
        if refused.is_none() {
            let verdicts = kernel.journal(0, 1).unwrap().remove(0).verdicts;
            let told: Vec<_> = verdicts
                .iter()
                .map(|one| (one.plugin.as_str(), one.broke.as_deref()))
                .collect();
            assert_eq!(told, [("broken", Some("fuel")), ("after", None)]);
        }
    }
    let shape = TablePlugin::new("shape").shape(|_, _| Err(fault("shape")));
    let kernel = kernel(TablePlugins::none().with(shape.letting_pass()));
    let outcome = kernel.commit(commit(vec![create("account", 1, &[("name", "A")])]));
    assert!(outcome.unwrap().has(Code::PluginFault));
}

#[test]
fn a_receipt_tells_what_each_plugin_cost_over_all_tries() {
    let back: Arc<std::sync::OnceLock<std::sync::Weak<Kernel>>> = Arc::default();
    let of_plugin = Arc::clone(&back);
    let tries = Mutex::new(0);
    let guard = TablePlugin::new("guard")
        .watching([name("task")])
        .guard(move |call, _| {
            call.reader.get("account", id(1)).unwrap();
            let mut tries = tries.lock().unwrap();
            *tries += 1;
            if *tries == 1 {
                let kernel = of_plugin.get().and_then(std::sync::Weak::upgrade).unwrap();
                accept(&kernel, vec![update("account", 1, &[("region", "North")])]);
            }
            Ok(Guarded {
                fuel: 5,
                micros: 2,
                reads: 1,
                ..Guarded::default()
            })
        });
    let kernel = kernel(
        TablePlugins::none()
            .with(shaping("shape", vec![]))
            .with(guard),
    );
    back.set(Arc::downgrade(&kernel)).unwrap();
    accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
    let task = || create("task", 2, &[("subject", "Call"), ("status", "open")]);
    let both = vec![task(), update("account", 1, &[("tier", "a")])];
    let receipt = accepted(kernel.commit(keyed("k", both)).unwrap());
    let told: Vec<_> = receipt
        .costs
        .iter()
        .map(|one| {
            (
                one.plugin.as_str(),
                one.role,
                one.calls,
                one.fuel,
                one.micros,
                one.reads,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("shape", "shape", 2, 6, 60, 14),
            ("guard", "guard", 2, 10, 4, 2)
        ]
    );
    let both = vec![task(), update("account", 1, &[("tier", "a")])];
    let again = accepted(kernel.commit(keyed("k", both)).unwrap());
    assert!(again.replayed && again.costs.is_empty());
}
