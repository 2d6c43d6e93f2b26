//! The table of refusals: for every code a commit that meets it and one that does not.

use std::sync::{Arc, OnceLock, Weak};

use kjerne_model::{Cause, Code, Fields, Value};

use super::*;
use crate::{Guarded, Role, Shaped, TablePlugin, limits};

struct Row {
    code: Code,
    violated: Commit,
    obeyed: Commit,
}

fn row(code: Code, violated: Commit, obeyed: Commit) -> Row {
    Row {
        code,
        violated,
        obeyed,
    }
}

fn names(draft: &Draft<'_>, wanted: &str) -> bool {
    let held = draft.after.as_ref().and_then(|fields| fields.get("name"));
    held.and_then(Value::as_text) == Some(wanted)
}

/// A workspace with two accounts, a contact of the first and a user; a shape that breaks over an
/// account called `break`, a guard that refuses `forbidden`, and one that, over `contended`, has
/// somebody else change the very record it has read.
fn workspace() -> Arc<Kernel> {
    let back: Arc<OnceLock<Weak<Kernel>>> = Arc::default();
    let of_guard = Arc::clone(&back);
    let plugins = TablePlugins::none()
        .with(TablePlugin::new("breaks").shape(|_, drafts| {
            let broken = drafts.iter().any(|draft| names(draft, "break"));
            if broken {
                Err(fault("breaks"))
            } else {
                Ok(Shaped::default())
            }
        }))
        .with(TablePlugin::new("refuses").guard(|_, drafts| {
            let found = drafts.iter().find(|draft| names(draft, "forbidden"));
            Ok(found.map_or_else(Guarded::default, |draft| finding(draft, "forbidden-name")))
        }))
        .with(TablePlugin::new("contends").guard(move |call, drafts| {
            if drafts.iter().any(|draft| names(draft, "contended")) {
                let kernel = of_guard.get().and_then(Weak::upgrade).unwrap();
                let read = call.reader.get("account", id(2)).unwrap().unwrap();
                let next = format!("{}", read.version);
                accept(&kernel, vec![update("account", 2, &[("employees", &next)])]);
            }
            Ok(Guarded::default())
        }));
    let kernel = kernel(plugins);
    back.set(Arc::downgrade(&kernel)).unwrap();
    accept(
        &kernel,
        vec![
            create("account", 1, &[("name", "Nordlys AS")]),
            create("account", 2, &[("name", "Fjord AS")]),
            create(
                "contact",
                3,
                &[("name", "Demo Person"), ("account", "account/1")],
            ),
            create(
                "user",
                4,
                &[("name", "Demo User"), ("email", "demo@example.test")],
            ),
        ],
    );
    let first = keyed("used", vec![update("account", 2, &[("tier", "a")])]);
    accepted(kernel.commit(first).unwrap());
    kernel
}

fn deep(depth: u32) -> Commit {
    let cause = Some(Cause {
        entry: 1,
        depth,
        follow_ups: None,
    });
    Commit {
        cause,
        ..commit(vec![update("account", 1, &[("tier", "b")])])
    }
}

fn typed(field: &str, value: Value) -> Commit {
    let fields: Fields = [
        (name("name"), Value::Text("X".into())),
        (name(field), value),
    ]
    .into();
    commit(vec![Change::Create {
        kind: name("account"),
        id: None,
        fields,
    }])
}

fn account(pairs: &[(&str, &str)]) -> Commit {
    commit(vec![create_new("account", pairs)])
}

fn ghost(kind: &str) -> Commit {
    let fields = fields("account", &[("name", "X")]);
    commit(vec![Change::Create {
        kind: name(kind),
        id: None,
        fields,
    }])
}

fn one(change: Change) -> Commit {
    commit(vec![change])
}

fn table() -> Vec<Row> {
    let mut rows = of_the_commit();
    rows.extend(of_its_contents());
    rows
}

fn of_the_commit() -> Vec<Row> {
    let tier = |number, tier| one(update("account", number, &[("tier", tier)]));
    let stale = |version| one(update_of("account", 1, version, &[("tier", "c")]));
    vec![
        row(Code::BadCommit, commit(vec![]), tier(1, "a")),
        row(
            Code::KeyReused,
            keyed("used", vec![update("account", 2, &[("tier", "b")])]),
            keyed("used", vec![update("account", 2, &[("tier", "a")])]),
        ),
        row(Code::TooDeep, deep(9), deep(8)),
        row(Code::UnknownKind, ghost("ghost"), ghost("account")),
        row(Code::UnknownRecord, tier(99, "a"), tier(1, "a")),
        row(
            Code::AlreadyExists,
            one(create("account", 1, &[("name", "X")])),
            one(create("account", 50, &[("name", "X")])),
        ),
        row(Code::StaleVersion, stale(7), stale(1)),
    ]
}

fn of_its_contents() -> Vec<Row> {
    let user = |email| one(create_new("user", &[("name", "X"), ("email", email)]));
    let parent = |parent| account(&[("name", "X"), ("parent", parent)]);
    let text = |text: &str| Value::Text(text.to_owned());
    vec![
        row(
            Code::UnknownField,
            typed("ghost", text("x")),
            typed("tier", text("x")),
        ),
        row(
            Code::PluginFault,
            account(&[("name", "break")]),
            account(&[("name", "hold")]),
        ),
        row(
            Code::WrongType,
            typed("employees", text("ten")),
            typed("employees", Value::Integer(10)),
        ),
        row(
            Code::InvalidValue,
            typed("email", text("no address")),
            typed("email", text("a@b.test")),
        ),
        row(
            Code::Required,
            account(&[("tier", "a")]),
            account(&[("name", "X"), ("tier", "a")]),
        ),
        row(
            Code::UnknownReference,
            parent("account/99"),
            parent("account/1"),
        ),
        row(
            Code::Duplicate,
            user("Demo@Example.test"),
            user("other@example.test"),
        ),
        row(
            Code::StillReferenced,
            one(delete("account", 1)),
            one(delete("account", 2)),
        ),
        row(
            Code::Guard,
            account(&[("name", "forbidden")]),
            account(&[("name", "allowed")]),
        ),
        row(
            Code::Contention,
            account(&[("name", "contended")]),
            account(&[("name", "calm")]),
        ),
    ]
}

#[test]
fn each_code_refuses_what_breaks_its_rule_and_nothing_else() {
    for Row {
        code,
        violated,
        obeyed,
    } in table()
    {
        let kernel = workspace();
        let before = kernel.journal(0, 1_000).unwrap();
        let outcome = kernel.commit(violated).unwrap();
        let codes: Vec<_> = outcome
            .refusals()
            .iter()
            .map(|refusal| refusal.code)
            .collect();
        assert_eq!(codes, [code], "{outcome:#?}");
        let by_the_guard = if code == Code::Contention {
            limits::COMMIT_TRIES.count()
        } else {
            0
        };
        let after = kernel.journal(0, 1_000).unwrap();
        assert_eq!(
            after.len(),
            before.len() + by_the_guard,
            "{code:?} stored something"
        );
        let outcome = kernel.commit(obeyed).unwrap();
        assert!(outcome.receipt().is_some(), "{code:?}: {outcome:#?}");
        assert_clean(&kernel);
    }
}

#[test]
fn the_table_has_every_code_but_those_of_approval() {
    let rows: Vec<_> = table().into_iter().map(|row| row.code).collect();
    let codes: Vec<_> = Code::ALL
        .into_iter()
        // They have tests of their own, in `approvals`.
        .filter(|code| ![Code::NotAllowed, Code::CannotWait].contains(code))
        .collect();
    assert_eq!(rows, codes);
}

#[test]
fn all_faults_of_all_changes_are_told_in_order_of_precedence_and_place() {
    let changes = vec![
        create_new("contact", &[("account", "account/99")]),
        create_new("user", &[("email", "demo@example.test")]),
        delete("account", 1),
        create_new("account", &[("email", "a@b.test")]),
    ];
    let outcome = workspace().commit(commit(changes)).unwrap();
    let told: Vec<_> = outcome
        .refusals()
        .iter()
        .map(|one| (one.code, one.change))
        .collect();
    let expected = [
        (Code::Required, Some(0)),
        (Code::Required, Some(1)),
        (Code::Required, Some(3)),
        (Code::UnknownReference, Some(0)),
        (Code::Duplicate, Some(1)),
        (Code::StillReferenced, Some(2)),
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_earlier_code_hides_no_later_one_that_can_be_told() {
    let mut broken = fields("account", &[("name", "X")]);
    broken.insert(name("employees"), Value::Text("ten".to_owned()));
    let changes = vec![
        Change::Create {
            kind: name("account"),
            id: None,
            fields: broken,
        },
        update("account", 99, &[("tier", "a")]),
    ];
    let outcome = workspace().commit(commit(changes)).unwrap();
    let told: Vec<_> = outcome
        .refusals()
        .iter()
        .map(|one| (one.code, one.change))
        .collect();
    assert_eq!(
        told,
        [(Code::UnknownRecord, Some(1)), (Code::WrongType, Some(0))]
    );
}

#[test]
fn limits_of_a_commit_are_named_in_its_refusal() {
    let kernel = workspace();
    let most = limits::COMMIT_CHANGES.count();
    let many = |count| commit(vec![create_new("account", &[("name", "X")]); count]);
    let long = |bytes| {
        keyed(
            &"k".repeat(bytes),
            vec![create_new("account", &[("name", "X")])],
        )
    };
    let longest = limits::COMMIT_KEY.count();
    let check = |commit: Commit, limit: Option<&limits::Limit>| {
        let outcome = kernel.commit(commit).unwrap();
        let reason = outcome
            .refusals()
            .first()
            .and_then(|one| one.reason.as_deref());
        assert_eq!(reason, limit.map(|limit| limit.name));
    };
    check(many(most), None);
    check(many(most + 1), Some(&limits::COMMIT_CHANGES));
    check(long(longest), None);
    check(long(longest + 1), Some(&limits::COMMIT_KEY));
    check(long(0), Some(&limits::COMMIT_KEY));
    let told = kernel.commit(long(0)).unwrap();
    let told = &told.refusals()[0].message;
    assert!(told.ends_with("leave it out, or choose one"), "{told}");
}

#[test]
fn a_unique_value_that_its_field_does_not_take_is_not_looked_up() {
    let kernel = workspace();
    let long = format!("{}@b.no", "K".repeat(300));
    let twice = |address: &str| {
        let one = create_new("user", &[("name", "X"), ("email", address)]);
        let outcome = kernel.commit(commit(vec![one.clone(), one])).unwrap();
        let codes: Vec<Code> = outcome.refusals().iter().map(|one| one.code).collect();
        codes
    };
    assert_eq!(twice("k@b.no"), [Code::Duplicate]);
    assert_eq!(twice(&long), [Code::InvalidValue, Code::InvalidValue]);
}

#[test]
fn clearing_a_field_that_is_not_there_is_a_fault_too() {
    let patch = [(name("ghost"), None)].into();
    let change = Change::Update {
        target: target("account", 1, None),
        patch,
    };
    let outcome = workspace().commit(commit(vec![change])).unwrap();
    assert_eq!(outcome.refusals()[0].code, Code::UnknownField);
    assert_eq!(outcome.refusals()[0].field.as_deref(), Some("ghost"));
}

#[test]
fn later_changes_see_what_earlier_ones_did() {
    let kernel = workspace();
    let changes = vec![
        create("account", 20, &[("name", "New AS")]),
        update("account", 20, &[("tier", "a")]),
        create(
            "contact",
            21,
            &[("name", "New Person"), ("account", "account/20")],
        ),
        delete("contact", 3),
        delete("account", 1),
    ];
    let receipt = accept(&kernel, changes);
    let touched: Vec<_> = receipt
        .edits
        .iter()
        .map(|edit| (edit.id, edit.version))
        .collect();
    assert_eq!(touched, [(id(20), 1), (id(21), 1), (id(3), 2), (id(1), 2)]);
    let entry = kernel.journal(receipt.entry - 1, 1).unwrap().remove(0);
    let operations: Vec<_> = entry
        .edits
        .iter()
        .map(kjerne_model::Edit::operation)
        .collect();
    assert_eq!(operations, ["create", "create", "delete", "delete"]);
    assert_clean(&kernel);
}

#[test]
fn a_change_without_a_difference_is_no_edit_and_a_commit_without_edits_no_entry() {
    let kernel = workspace();
    let last = kernel.journal(0, 1_000).unwrap().len();
    let same = update("account", 1, &[("name", "Nordlys AS"), ("tier", "")]);
    let receipt = accept(&kernel, vec![same.clone()]);
    assert_eq!((receipt.entry, receipt.edits.len()), (0, 0));
    let receipt = accept(&kernel, vec![same, update("account", 2, &[("tier", "z")])]);
    assert_eq!(receipt.edits.len(), 1);
    let made_and_removed = vec![
        create("account", 60, &[("name", "X")]),
        delete("account", 60),
    ];
    assert_eq!(accept(&kernel, made_and_removed).entry, 0);
    assert_eq!(kernel.journal(0, 1_000).unwrap().len(), last + 1);
    assert_clean(&kernel);
}

#[test]
fn two_records_may_swap_a_unique_value_and_a_new_one_may_take_a_removed_ones() {
    let kernel = workspace();
    accept(
        &kernel,
        vec![create(
            "user",
            5,
            &[("name", "Y"), ("email", "y@example.test")],
        )],
    );
    let swap = vec![
        update("user", 4, &[("email", "y@example.test")]),
        update("user", 5, &[("email", "demo@example.test")]),
    ];
    accept(&kernel, swap);
    assert_eq!(held(&kernel, "user", 4, "email"), "y@example.test");
    let take = vec![
        create("user", 6, &[("name", "Z"), ("email", "demo@example.test")]),
        delete("user", 5),
    ];
    accept(&kernel, take);
    let twice = vec![
        create("user", 7, &[("name", "A"), ("email", "same@example.test")]),
        create("user", 8, &[("name", "B"), ("email", "SAME@example.test")]),
    ];
    let outcome = kernel.commit(commit(twice)).unwrap();
    let told: Vec<_> = outcome
        .refusals()
        .iter()
        .map(|one| (one.code, one.change))
        .collect();
    assert_eq!(told, [(Code::Duplicate, Some(1))]);
    assert_clean(&kernel);
}

#[test]
fn a_dry_run_answers_as_the_commit_would_and_stores_nothing() {
    let kernel = workspace();
    let last = kernel.journal(0, 1_000).unwrap().len();
    let good = commit(vec![update("account", 1, &[("tier", "q")])]);
    let receipt = accepted(kernel.dry_run(good).unwrap());
    assert_eq!((receipt.entry, receipt.edits[0].version), (0, 2));
    let bad = kernel.dry_run(account(&[("name", "forbidden")])).unwrap();
    assert_eq!(bad.refusals()[0].code, Code::Guard);
    assert_eq!(kernel.journal(0, 1_000).unwrap().len(), last);
    assert_eq!(held(&kernel, "account", 1, "tier"), "");
}

#[test]
fn a_known_key_answers_as_the_first_time_even_when_nothing_was_changed_then() {
    on_both_stores(|store| {
        let kernel = kernel_on(store, TablePlugins::none());
        let make = || keyed("make", vec![create_new("account", &[("name", "Once AS")])]);
        let first = accepted(kernel.commit(make()).unwrap());
        let again = accepted(kernel.commit(make()).unwrap());
        assert!(!first.replayed && again.replayed);
        assert_eq!((first.entry, &first.edits), (again.entry, &again.edits));
        // Another actor's key is another key.
        let other = Commit {
            actor: Actor::User("other".to_owned()),
            ..make()
        };
        assert!(!accepted(kernel.commit(other).unwrap()).replayed);

        accept(
            &kernel,
            vec![create("account", 1, &[("name", "A"), ("tier", "a")])],
        );
        let same = || keyed("same", vec![update("account", 1, &[("tier", "a")])]);
        assert_eq!(accepted(kernel.commit(same()).unwrap()).entry, 0);
        accept(&kernel, vec![update("account", 1, &[("tier", "b")])]);
        assert!(accepted(kernel.commit(same()).unwrap()).replayed);
        assert_eq!(held(&kernel, "account", 1, "tier"), "b");
    });
}

#[test]
fn the_limits_have_names_of_their_own_and_reasons() {
    let all = [limits::ALL, limits::QUERIES].concat();
    let mut names: Vec<_> = all.iter().map(|limit| limit.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(
        all.iter()
            .all(|limit| limit.value > 0 && limit.reason.len() > 20)
    );
    assert_eq!(Role::ALL.len(), 13);
}
