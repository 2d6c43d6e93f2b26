//! Commits that wait for approval: who lets them through, when, and what comes of it.

mod changed;

use std::sync::Barrier;
use std::thread;

use kjerne_model::{Act, Code, Entry};
use kjerne_store::{PendingRow, StoreError, pending};

use super::*;
use crate::limits;
use crate::{Administered, Ask, Effects, FieldSet, Role, Shaped, TablePlugin, Task, Waiting};

fn user(name: &str) -> Actor {
    Actor::User(name.to_owned())
}

fn found(draft: &Draft<'_>, force: Force, code: &str) -> Finding {
    Finding {
        force,
        change: draft.change,
        field: Some("tier".to_owned()),
        code: code.to_owned(),
        message: format!("rule {code}"),
    }
}

fn asks(role: &str) -> Force {
    Force::AsksApproval {
        role: role.to_owned(),
    }
}

fn text_of(draft: &Draft<'_>, field: &str) -> String {
    let value = draft.after.and_then(|fields| fields.get(field));
    value.map(ToString::to_string).unwrap_or_default()
}

/// Does what the tier of an account says: `boss` or `boss,legal` asks these roles, `advice` advises,
/// `no` refuses; and an account in the industry `frozen` is refused whatever the tier.
fn guard() -> TablePlugin {
    TablePlugin::new("rules")
        .watching([name("account")])
        .guard(|_, drafts| {
            let mut findings = Vec::new();
            for draft in drafts {
                if text_of(draft, "industry") == "frozen" {
                    findings.push(found(draft, Force::Refuses, "frozen"));
                }
                for word in text_of(draft, "tier").split(',') {
                    match word {
                        "boss" | "legal" => findings.push(found(draft, asks(word), "large")),
                        "advice" => findings.push(found(draft, Force::Advises, "odd")),
                        "no" => findings.push(found(draft, Force::Refuses, "never")),
                        _ => {}
                    }
                }
            }
            Ok(Guarded {
                findings,
                fuel: 1,
                ..Guarded::default()
            })
        })
}

fn workspace() -> Arc<Kernel> {
    let kernel = kernel(TablePlugins::none().with(guard()));
    appoint(&kernel);
    accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
    kernel
}

/// Kari and Per are bosses, Per and Liv are legal.
fn appoint(kernel: &Kernel) {
    for (role, who) in [
        ("boss", "kari"),
        ("boss", "per"),
        ("legal", "per"),
        ("legal", "liv"),
        ("boss", "demo"),
    ] {
        let row = Administered::Approver {
            role: role.to_owned(),
            actor: user(who),
        };
        let act = Act::new("approver.add", role);
        kernel
            .administer(&user("admin"), at(0), act, vec![row])
            .unwrap();
    }
}

fn tier(tier: &str) -> Vec<Change> {
    vec![update("account", 1, &[("tier", tier)])]
}

fn waiting(outcome: Outcome) -> Waiting {
    match outcome {
        Outcome::Waiting(waiting) => *waiting,
        other => panic!("it does not wait: {other:#?}"),
    }
}

fn wait(kernel: &Kernel, changes: Vec<Change>) -> Waiting {
    waiting(kernel.commit(commit(changes)).unwrap())
}

fn approve(kernel: &Kernel, waiting: &Waiting, who: &str) -> Outcome {
    let id = waiting.id.unwrap();
    kernel.approve(id, &user(who), None, at(60)).unwrap()
}

fn row(kernel: &Kernel, id: Option<RecordId>) -> Option<PendingRow> {
    pending::get(&*kernel.store().snapshot().unwrap(), id.unwrap()).unwrap()
}

fn last(kernel: &Kernel) -> Entry {
    let last = kernel.last_entry().unwrap();
    kernel.journal(last - 1, 1).unwrap().remove(0)
}

fn operation(entry: &Entry) -> &str {
    entry.act.as_ref().map_or("", |act| act.operation.as_str())
}

fn refused_with(outcome: &Outcome, code: Code, part: &str) {
    let refusals = outcome.refusals();
    let is_it = |one: &kjerne_model::Refusal| one.code == code && one.message.contains(part);
    assert!(refusals.iter().any(is_it), "{code:?} {part}: {outcome:#?}");
}

#[test]
fn advice_is_stored_with_the_commit_and_told_also_when_it_is_repeated() {
    let kernel = workspace();
    let dry = accepted(kernel.dry_run(commit(tier("advice"))).unwrap());
    let make = || keyed("k", tier("advice"));
    let receipt = accepted(kernel.commit(make()).unwrap());
    let again = accepted(kernel.commit(make()).unwrap());
    for advice in [&dry.advice, &receipt.advice, &again.advice] {
        let [one] = advice.as_slice() else {
            panic!("{advice:?}")
        };
        assert_eq!((one.plugin.as_str(), one.code.as_str()), ("rules", "odd"));
        assert_eq!((one.change, one.id), (Some(0), Some(id(1))));
        assert_eq!(one.message, "rule odd");
    }
    let verdict = last(&kernel).verdicts.remove(0);
    assert_eq!(verdict.advice, receipt.advice);
}

#[test]
fn refusing_goes_before_asking_and_asking_before_advising() {
    let kernel = workspace();
    let all = kernel.commit(commit(tier("advice,boss,no"))).unwrap();
    assert_eq!(all.refusals().len(), 1);
    refused_with(&all, Code::Guard, "rule never");
    let asked = wait(&kernel, tier("advice,boss")).asked;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].role, "boss");
}

#[test]
fn a_commit_waits_until_another_person_lets_it_through() {
    on_both_stores(|store| {
        let kernel = kernel_on(store, TablePlugins::none().with(guard()));
        appoint(&kernel);
        let new = create_new("account", &[("name", "B"), ("tier", "boss,advice")]);
        let waiting = wait(&kernel, vec![new]);
        let [made] = waiting.edits.as_slice() else {
            panic!("{waiting:?}")
        };
        assert_eq!(kernel.get("account", made.id).unwrap(), None);
        let asked = last(&kernel);
        assert_eq!(
            (operation(&asked), asked.number),
            ("approval.ask", waiting.entry)
        );
        assert!(asked.edits.is_empty() && asked.actor == user("demo"));
        // Whoever asked is in the role, and is not among those who may.
        assert_eq!(waiting.open[0].approvers, [user("kari"), user("per")]);

        let receipt = accepted(approve(&kernel, &waiting, "kari"));
        assert_eq!(receipt.edits, waiting.edits);
        assert_eq!(receipt.advice.len(), 1);
        assert_eq!(row(&kernel, waiting.id), None);
        let stored = last(&kernel);
        assert_eq!((stored.number, stored.at), (receipt.entry, at(60)));
        assert_eq!(
            (operation(&stored), &stored.actor),
            ("approval.approve", &user("demo"))
        );
        let act = stored.act.unwrap();
        assert_eq!(act.subject, waiting.id.unwrap().to_string());
        let by = ("approved_by".to_owned(), "user:kari as boss".to_owned());
        assert!(act.details.contains(&by), "{act:?}");
        assert_clean(&kernel);
        refused_with(
            &approve(&kernel, &waiting, "per"),
            Code::UnknownRecord,
            "waits",
        );
    });
}

#[test]
fn a_dry_run_says_that_it_would_wait_and_keeps_nothing() {
    let kernel = workspace();
    let before = kernel.last_entry().unwrap();
    let would = waiting(kernel.dry_run(commit(tier("boss"))).unwrap());
    assert_eq!((would.id, would.entry), (None, 0));
    assert_eq!(would.open[0].role, "boss");
    assert_eq!(kernel.last_entry().unwrap(), before);
    let held = pending::held_in_all(&*kernel.store().snapshot().unwrap()).unwrap();
    assert_eq!(held.rows, 0);
}

#[test]
fn who_was_not_asked_lets_nothing_through() {
    let kernel = workspace();
    let waiting = wait(&kernel, tier("boss"));
    let before = kernel.last_entry().unwrap();
    let id = waiting.id.unwrap();
    let plugin = Actor::Plugin("rules".to_owned());
    let system = Actor::System("import".to_owned());
    for (by, role, part) in [
        (user("demo"), None, "has asked for it"),
        (user("liv"), None, "not among those"),
        (user("kari"), Some("legal"), "not among those"),
        (plugin, None, "not among those"),
        (system, None, "not among those"),
    ] {
        let outcome = kernel.approve(id, &by, role, at(1)).unwrap();
        refused_with(&outcome, Code::NotAllowed, part);
        if by != user("demo") && role.is_none() {
            let rejected = kernel.reject(id, &by, "", at(1)).unwrap();
            assert_eq!(rejected.unwrap_err().code, Code::NotAllowed);
        }
        if by != user("demo") {
            let withdrawn = kernel.withdraw(id, &by, at(1)).unwrap();
            assert_eq!(withdrawn.unwrap_err().code, Code::NotAllowed);
        }
    }
    assert_eq!(kernel.last_entry().unwrap(), before);
    assert_eq!(held(&kernel, "account", 1, "tier"), "");
    accepted(approve(&kernel, &waiting, "kari"));
}

#[test]
fn with_nobody_in_the_role_the_answer_says_so_and_nobody_lets_it_through() {
    let kernel = kernel(TablePlugins::none().with(guard()));
    accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
    let waiting = wait(&kernel, tier("boss"));
    assert!(waiting.open[0].approvers.is_empty());
    let outcome = approve(&kernel, &waiting, "kari");
    refused_with(&outcome, Code::NotAllowed, "nobody is in this role");
}

#[test]
fn each_role_asked_is_answered_and_nobody_stands_for_two() {
    let kernel = workspace();
    let waits = wait(&kernel, tier("boss,legal"));
    let id = waits.id.unwrap();
    refused_with(
        &approve(&kernel, &waits, "per"),
        Code::BadCommit,
        "boss, legal",
    );
    let per = |role| kernel.approve(id, &user("per"), Some(role), at(2)).unwrap();
    let open = waiting(per("legal")).open;
    assert_eq!(open.len(), 1);
    assert_eq!(
        (open[0].role.as_str(), &open[0].approvers),
        ("boss", &vec![user("kari")])
    );
    assert_eq!(operation(&last(&kernel)), "approval.approve");
    assert_eq!(last(&kernel).actor, user("per"));
    assert_eq!(held(&kernel, "account", 1, "tier"), "");
    refused_with(&per("boss"), Code::NotAllowed, "approved already");
    accepted(approve(&kernel, &waits, "kari"));
    let act = last(&kernel).act.unwrap();
    let by = "user:per as legal, user:kari as boss";
    assert!(
        act.details
            .contains(&("approved_by".to_owned(), by.to_owned()))
    );
    assert_clean(&kernel);
}

#[test]
fn an_approval_of_somebody_who_is_in_the_role_no_longer_does_not_count() {
    let kernel = workspace();
    let waits = wait(&kernel, tier("boss,legal"));
    waiting(approve(&kernel, &waits, "liv"));
    let (role, actor) = ("legal".to_owned(), user("liv"));
    let rows = vec![Administered::NoApprover { role, actor }];
    let act = Act::new("approver.remove", "legal");
    kernel.administer(&user("admin"), at(1), act, rows).unwrap();
    let open = waiting(approve(&kernel, &waits, "kari")).open;
    assert_eq!(open[0].role, "legal");
    accepted(approve(&kernel, &waits, "per"));
}

#[test]
fn a_guard_that_refuses_by_then_refuses_and_the_commit_waits_on_with_the_reason() {
    let kernel = workspace();
    let waits = wait(&kernel, tier("boss"));
    // Stored past the guard, as by another version of it.
    let free = kernel_on(Arc::clone(kernel.store()), TablePlugins::none());
    accept(&free, vec![update("account", 1, &[("industry", "frozen")])]);
    refused_with(
        &approve(&kernel, &waits, "kari"),
        Code::Guard,
        "rule frozen",
    );
    let kept = row(&kernel, waits.id).unwrap();
    assert!(kept.error.unwrap().contains("rule frozen"));
    assert!(kept.approvals.is_empty());
    assert_eq!(held(&kernel, "account", 1, "tier"), "");
    accept(&free, vec![update("account", 1, &[("industry", "")])]);
    // The record has changed since it was shown: the first look is for nothing, the second counts.
    assert!(waiting(approve(&kernel, &waits, "kari")).renewed);
    assert_eq!(operation(&last(&kernel)), "approval.renew");
    accepted(approve(&kernel, &waits, "kari"));
    assert_clean(&kernel);
}

#[test]
fn a_rule_that_had_not_asked_is_not_satisfied() {
    let kernel = workspace();
    let waits = wait(&kernel, tier("boss"));
    let more = TablePlugin::new("more").guard(|_, drafts| {
        let findings = drafts.iter().map(|one| found(one, asks("boss"), "other"));
        Ok(Guarded {
            findings: findings.collect(),
            fuel: 1,
            ..Guarded::default()
        })
    });
    let plugins = TablePlugins::none().with(guard()).with(more);
    let stricter = kernel_on(Arc::clone(kernel.store()), plugins);
    let renewed = waiting(approve(&stricter, &waits, "kari"));
    assert!(renewed.renewed);
    assert_eq!(renewed.asked.len(), 2);
    accepted(approve(&stricter, &waits, "kari"));
}

#[test]
fn an_expected_version_is_looked_at_again() {
    let kernel = workspace();
    let waits = wait(
        &kernel,
        vec![update_of("account", 1, 1, &[("tier", "boss")])],
    );
    accept(&kernel, vec![update("account", 1, &[("name", "Another")])]);
    let outcome = approve(&kernel, &waits, "kari");
    refused_with(&outcome, Code::StaleVersion, "version 2");
    assert!(row(&kernel, waits.id).unwrap().error.is_some());
}

#[test]
fn shapes_fill_in_anew_when_it_is_approved() {
    let shape = TablePlugin::new("stamps").shape(|call, drafts| {
        let value = Value::Text(call.now.to_string());
        let set = |draft: &Draft<'_>| FieldSet {
            change: draft.change,
            field: name("segment"),
            value: Some(value.clone()),
        };
        Ok(Shaped {
            sets: drafts.iter().map(set).collect(),
            fuel: 1,
            ..Shaped::default()
        })
    });
    let kernel = kernel(TablePlugins::none().with(shape).with(guard()));
    appoint(&kernel);
    accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
    let waits = wait(&kernel, tier("boss"));
    accepted(approve(&kernel, &waits, "kari"));
    assert_eq!(held(&kernel, "account", 1, "segment"), at(60).to_string());
}

#[test]
fn a_key_leads_to_what_waits_and_then_to_what_became_of_it() {
    let kernel = workspace();
    let make = |key| kernel.commit(keyed(key, tier("boss"))).unwrap();
    let first = waiting(make("stored"));
    let again = waiting(make("stored"));
    assert_eq!((first.id, first.entry), (again.id, again.entry));
    assert!(again.replayed && !first.replayed);
    let other = kernel.commit(keyed("stored", tier("legal"))).unwrap();
    refused_with(&other, Code::KeyReused, "stored");
    let receipt = accepted(approve(&kernel, &first, "kari"));
    let replayed = accepted(make("stored"));
    assert_eq!((replayed.entry, replayed.replayed), (receipt.entry, true));

    accept(&kernel, tier(""));
    let rejected = waiting(make("rejected")).id.unwrap();
    let why = "too much";
    kernel
        .reject(rejected, &user("kari"), why, at(1))
        .unwrap()
        .unwrap();
    let outcome = make("rejected");
    refused_with(
        &outcome,
        Code::NotAllowed,
        "rejected, by user:kari (too much)",
    );
    let withdrawn = waiting(make("withdrawn")).id.unwrap();
    kernel
        .withdraw(withdrawn, &user("demo"), at(1))
        .unwrap()
        .unwrap();
    refused_with(&make("withdrawn"), Code::NotAllowed, "withdrawn");
    assert_clean(&kernel);
}

#[test]
fn what_nobody_answers_expires_and_lets_nobody_through_before_the_clock_has_seen_it() {
    let kernel = workspace();
    let waits = wait(&kernel, tier("boss"));
    let until = waits.expires_at;
    let id = waits.id.unwrap();
    let before = until.plus_millis(-1);
    assert_eq!(kernel.expire_pending(before).unwrap(), 0);
    let late = kernel.approve(id, &user("kari"), None, until).unwrap();
    refused_with(&late, Code::NotAllowed, "in time");
    assert_eq!(kernel.expire_pending(until).unwrap(), 1);
    assert_eq!(operation(&last(&kernel)), "approval.expire");
    assert_eq!(row(&kernel, waits.id), None);
    let other = wait(&kernel, tier("boss"));
    let in_time = kernel.approve(other.id.unwrap(), &user("kari"), None, before);
    accepted(in_time.unwrap());
}

#[test]
fn as_much_waits_as_may_and_no_more() {
    let kernel = workspace();
    let by = |who: &str| {
        let changes = tier("boss");
        let actor = user(who);
        kernel
            .commit(Commit {
                actor,
                ..commit(changes)
            })
            .unwrap()
    };
    let most = limits::PENDING_OF_ONE.value;
    let mut first = None;
    for _ in 0..most {
        first.get_or_insert(waiting(by("ola")));
    }
    refused_with(&by("ola"), Code::CannotWait, "pending-of-one");
    kernel
        .withdraw(first.unwrap().id.unwrap(), &user("ola"), at(1))
        .unwrap()
        .unwrap();
    waiting(by("ola"));
    for other in 1..limits::PENDING.value / most {
        (0..most).for_each(|_| drop(waiting(by(&format!("u{other}")))));
    }
    refused_with(&by("another"), Code::CannotWait, "(pending)");
    assert_clean(&kernel);
}

#[test]
fn a_commit_that_is_too_large_to_be_read_does_not_wait() {
    let kernel = workspace();
    let note = |bytes: usize| {
        let text = "x".repeat(bytes);
        let number = |number| {
            create(
                "account",
                number,
                &[("name", "A"), ("tier", "boss"), ("description", &text)],
            )
        };
        kernel
            .commit(commit((2..42).map(number).collect()))
            .unwrap()
    };
    waiting(note(100));
    let large = note(20_000);
    refused_with(&large, Code::CannotWait, "pending-commit");
}

#[test]
fn what_cannot_wait_is_refused_with_the_reason() {
    let kernel = workspace();
    let outcome = kernel.commit_at_once(commit(tier("boss"))).unwrap();
    refused_with(&outcome, Code::CannotWait, "approval of boss");
    assert_eq!(outcome.refusals()[0].plugin.as_deref(), Some("rules"));
    accepted(kernel.commit_at_once(commit(tier("advice"))).unwrap());
    assert_eq!(outcome.refusals()[0].reason.as_deref(), Some("large"));
}

fn raises(role: Role) -> TablePlugin {
    TablePlugin::new("raises")
        .watching([name("contact")])
        .run(role, |_, _| {
            Ok(Effects {
                key: Some("raise".to_owned()),
                changes: tier("boss"),
                messages: vec![message("k", 1)],
                state: vec![("seen".to_owned(), Some(vec![1]))],
                ..Effects::default()
            })
        })
}

#[test]
fn what_a_reaction_proposes_waits_and_the_reaction_goes_on() {
    let plugin = raises(Role::React);
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(guard()).with(plugin));
    appoint(&kernel);
    accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
    accept(&kernel, vec![create("contact", 2, &[("name", "C")])]);
    let moved = kernel.react(&info, Role::React, at(1)).unwrap();
    assert!(
        matches!(moved, crate::Progress::Moved { messages: 0, .. }),
        "{moved:?}"
    );
    let asked = last(&kernel);
    assert_eq!(
        (operation(&asked), asked.actor.to_string().as_str()),
        ("approval.ask", "plugin:raises")
    );
    assert!(
        kernel.outbox_due(at(9), 9).unwrap().is_empty(),
        "its messages wait with it"
    );
    // Its key: proposed again it is the same.
    accept(&kernel, vec![create("contact", 3, &[("name", "D")])]);
    kernel.react(&info, Role::React, at(1)).unwrap();
    assert_eq!(
        kernel.react(&info, Role::React, at(1)).unwrap(),
        crate::Progress::Idle
    );
    let held = pending::held_in_all(&*kernel.store().snapshot().unwrap()).unwrap();
    assert_eq!(held.rows, 1);
    let id = RecordId::parse(&asked.act.unwrap().subject).unwrap();
    accepted(kernel.approve(id, &user("kari"), None, at(9)).unwrap());
    assert_eq!(kernel.outbox_due(at(9), 9).unwrap().len(), 1);
    assert_eq!(last(&kernel).cause.map(|cause| cause.depth), Some(1));
    assert_clean(&kernel);
}

#[test]
fn what_a_plugin_proposed_goes_with_it() {
    let plugin = raises(Role::React);
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(guard()).with(plugin));
    accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
    accept(&kernel, vec![create("contact", 2, &[("name", "C")])]);
    kernel.react(&info, Role::React, at(1)).unwrap();
    let own = wait(&kernel, tier("boss"));
    let held = || {
        let snapshot = kernel.store().snapshot().unwrap();
        pending::held_in_all(&*snapshot).unwrap().rows
    };
    assert_eq!(held(), 2);
    let rows = vec![Administered::PluginRemoved("raises".to_owned())];
    let act = Act::new("plugin.remove", "raises");
    kernel.administer(&user("admin"), at(2), act, rows).unwrap();
    assert_eq!(held(), 1);
    assert!(row(&kernel, own.id).is_some());
    assert_clean(&kernel);
}

#[test]
fn who_has_a_plugin_propose_does_not_approve_of_it() {
    let plugin = raises(Role::Action);
    let info = plugin.info();
    let kernel = kernel(TablePlugins::none().with(guard()).with(plugin));
    appoint(&kernel);
    accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
    let ask = Ask {
        link: None,
        actor: user("kari"),
        now: at(0),
        key: None,
    };
    let task = Task::Action {
        command: "raise".to_owned(),
        arguments: Vec::new(),
    };
    let waits = waiting(kernel.perform(&info, &ask, &task).unwrap().outcome);
    refused_with(
        &approve(&kernel, &waits, "kari"),
        Code::NotAllowed,
        "has asked for it",
    );
    let withdraws = row(&kernel, waits.id).unwrap();
    assert_eq!(withdraws.behind, Some(user("kari")));
    accepted(approve(&kernel, &waits, "per"));
}

#[test]
fn of_two_who_approve_at_once_one_stores_it() {
    on_both_stores(|store| {
        let kernel = kernel_on(store, TablePlugins::none().with(guard()));
        appoint(&kernel);
        accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
        for _ in 0..20 {
            let waits = wait(&kernel, tier("boss"));
            let start = Barrier::new(3);
            let (one, other, withdrawn) = thread::scope(|scope| {
                let race = |who: &'static str| {
                    let (start, kernel, waits) = (&start, &kernel, &waits);
                    scope.spawn(move || {
                        start.wait();
                        approve(kernel, waits, who)
                    })
                };
                let (one, other) = (race("kari"), race("per"));
                start.wait();
                let withdrawn = kernel
                    .withdraw(waits.id.unwrap(), &user("demo"), at(1))
                    .unwrap();
                (one.join().unwrap(), other.join().unwrap(), withdrawn)
            });
            let stored = [&one, &other]
                .iter()
                .filter(|one| one.receipt().is_some())
                .count();
            assert_eq!(
                stored + usize::from(withdrawn.is_ok()),
                1,
                "{one:?} {other:?} {withdrawn:?}"
            );
            let held_now = held(&kernel, "account", 1, "tier");
            assert_eq!(held_now == "boss", stored == 1);
            accept(&kernel, tier(""));
        }
        assert_tied(&kernel);
        assert_clean(&kernel);
    });
}

/// Every commit of what asks for approval has its act, and every act that stored one has its commit.
fn assert_tied(kernel: &Kernel) {
    for entry in kernel.journal(0, 1_000).unwrap() {
        let raised = |edit: &kjerne_model::Edit| {
            let tier = |fields: &Option<Fields>| {
                let held = fields
                    .as_ref()
                    .and_then(|fields| fields.get("tier").cloned());
                held.map(|tier| tier.to_string())
            };
            tier(&edit.after).as_deref() == Some("boss") && tier(&edit.before) != tier(&edit.after)
        };
        let is_raised = entry.edits.iter().any(raised);
        assert_eq!(
            is_raised,
            operation(&entry) == "approval.approve",
            "{entry:?}"
        );
    }
}

/// A store whose write with a number fails at its end, as when the power goes.
struct Failing {
    inner: MemoryStore,
    writes: std::sync::atomic::AtomicUsize,
    fails_at: std::sync::atomic::AtomicUsize,
}

impl Store for Failing {
    fn snapshot(&self) -> Result<kjerne_store::Snapshot, StoreError> {
        self.inner.snapshot()
    }

    fn write(
        &self,
        work: &mut dyn FnMut(&mut dyn kjerne_store::Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        use std::sync::atomic::Ordering::SeqCst;
        let number = self.writes.fetch_add(1, SeqCst);
        self.inner.write(&mut |write| {
            work(write)?;
            match number == self.fails_at.load(SeqCst) {
                true => Err(StoreError::Full("told to".to_owned())),
                false => Ok(()),
            }
        })
    }
}

/// The same story with each of its writes failing once: whatever was stored is whole, and going on from
/// there comes to the same end.
/// One step of a story that is told again after a crash.
type Step = dyn Fn(&Kernel, Option<RecordId>) -> Result<Outcome, StoreError>;

#[test]
fn a_crash_anywhere_leaves_no_commit_without_its_approval_and_no_approval_without_its_commit() {
    let mut failed = 0;
    for fails_at in 0..12 {
        let store = Arc::new(Failing {
            inner: MemoryStore::new(),
            writes: Default::default(),
            fails_at: usize::MAX.into(),
        });
        let open = || {
            let plugins = TablePlugins::none().with(guard());
            kernel_on(Arc::clone(&store) as Arc<dyn Store>, plugins)
        };
        let kernel = open();
        appoint(&kernel);
        accept(&kernel, vec![create("account", 1, &[("name", "A")])]);
        let begun = store.writes.load(std::sync::atomic::Ordering::SeqCst);
        store
            .fails_at
            .store(begun + fails_at, std::sync::atomic::Ordering::SeqCst);
        let mut id = None;
        // Each step is repeated after the crash, on a kernel opened anew.
        let story: [&Step; 3] = [
            &|kernel, _| kernel.commit(keyed("k", tier("boss,legal"))),
            &|kernel, id| kernel.approve(id.unwrap(), &user("liv"), None, at(1)),
            &|kernel, id| kernel.approve(id.unwrap(), &user("kari"), None, at(2)),
        ];
        for step in story {
            let mut kernel = open();
            let outcome = step(&kernel, id).or_else(|_| {
                failed += 1;
                assert_clean(&kernel);
                kernel = open();
                step(&kernel, id)
            });
            if let Outcome::Waiting(waiting) = outcome.unwrap() {
                id = waiting.id;
            }
            assert_clean(&kernel);
        }
        let kernel = open();
        assert_eq!(
            held(&kernel, "account", 1, "tier"),
            "boss,legal",
            "{fails_at}"
        );
        let acts: Vec<String> = kernel
            .journal(0, 100)
            .unwrap()
            .iter()
            .map(|one| operation(one).to_owned())
            .collect();
        let acts = acts.iter().filter(|one| one.starts_with("approval"));
        assert_eq!(
            acts.collect::<Vec<_>>(),
            ["approval.ask", "approval.approve", "approval.approve"]
        );
        let stored = accepted(kernel.commit(keyed("k", tier("boss,legal"))).unwrap());
        assert!(stored.replayed && stored.edits.len() == 1);
    }
    assert_eq!(failed, 3, "each of the three writes has failed once");
}
