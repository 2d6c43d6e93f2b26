//! What a guest builds up over several calls, has looked at, and says: each has a bound that counts
//! over all its calls.

use kjerne_core::Role;
use kjerne_store::StoreError;
use wasmtime::component::Resource;

use super::bounds::{add_accounts, under_way};
use super::guests::{Bench, GUARD, guard_file};
use crate::call_state::{CallState, Purpose, Shown};
use crate::limits::{self, Budget};
use crate::meter::Meter;
use crate::resources::QueryDraft;
use crate::stop::Stop;
use crate::wit::v0_2_0::records::{self, HostQuery};
use crate::wit::v0_2_0::types::{self, HostFindings};

const READS: &[&str] = &["read:account"];

fn bench() -> Bench {
    Bench::new(&guard_file("", READS), READS)
}

/// Has a guard's call under way do something; returns the limit it has passed by then.
fn guarding<R>(bench: &Bench, work: impl FnOnce(&mut CallState) -> R) -> (R, Option<&'static str>) {
    let call = bench.call();
    let mut store = under_way(bench, GUARD, Purpose::Verdict, &call);
    // As a commit of the most changes has it, so that calls are not what ends it.
    let budget = Budget::of(GUARD, 1_000, 0);
    store.data_mut().begin(Meter::start(budget, 0));
    let said = work(store.data_mut());
    (said, store.data().meter.passed.map(|passed| passed.limit))
}

fn query(state: &mut CallState, kind: &str) -> wasmtime::Result<u32> {
    HostQuery::new(state, kind.to_owned()).map(|query| query.rep())
}

fn held(query: u32) -> Resource<QueryDraft> {
    Resource::new_borrow(query)
}

/// Gives a query so many conditions, one at a time, and asks it.
fn asked(state: &mut CallState, conditions: usize, condition: &str) -> Result<usize, String> {
    let query = query(state, "account").map_err(|error| error.to_string())?;
    for _ in 0..conditions {
        HostQuery::filter(state, held(query), condition.to_owned())
            .map_err(|error| error.to_string())?;
    }
    match HostQuery::run(state, held(query)) {
        Ok((found, _)) => Ok(found.len()),
        Err(Stop::Limit(passed)) => Err(passed.limit.to_owned()),
        Err(Stop::Failure { code, message }) => Err(format!("{code}: {message}")),
        Err(Stop::Halted) => Err(state.meter.halted().limit.to_owned()),
        Err(Stop::Broken(why)) => Err(why),
    }
}

#[test]
fn conditions_given_one_by_one_have_the_bound_of_a_filter_together() {
    let bench = bench();
    let most = limits::QUERY_CONDITIONS.count();
    let ask = |count, condition: &str| guarding(&bench, |state| asked(state, count, condition)).0;
    assert_eq!(ask(most, "version gt 0"), Ok(1));
    let refused = Err("query-conditions".to_owned());
    assert_eq!(ask(most + 1, "version gt 0"), refused);
    assert_eq!(ask(4, &vec!["version gt 0"; 65].join(" or ")), refused);
    // What says nothing counts for nothing.
    assert_eq!(ask(most + 1, " "), Ok(1));
    // Each is read by itself: two halves make no whole.
    let torn = ask(1, "version gt 0) or (version gt 0").unwrap_err();
    assert!(torn.starts_with("bad-filter"), "{torn}");
}

#[test]
fn the_text_of_a_querys_conditions_has_its_bytes() {
    let bench = bench();
    let text = |bytes: usize| {
        let filter = |state: &mut CallState| {
            let query = query(state, "account").unwrap();
            let half = " ".repeat(bytes / 2);
            HostQuery::filter(state, held(query), half.clone()).is_ok()
                && HostQuery::filter(state, held(query), half).is_ok()
        };
        guarding(&bench, filter)
    };
    let most = limits::QUERY_TEXT.count();
    assert_eq!(text(most), (true, None));
    assert_eq!(text(most + 2), (false, Some("query-text")));
}

#[test]
fn what_the_host_keeps_for_queries_has_its_bytes_and_is_given_back() {
    let bench = bench();
    let most = limits::KEPT.count();
    let open = |kinds: &[usize]| {
        guarding(&bench, |state| {
            let mut kinds = kinds.iter();
            kinds.all(|bytes| query(state, &"k".repeat(*bytes)).is_ok())
        })
    };
    assert_eq!(open(&[most - 64]), (true, None));
    assert_eq!(open(&[most - 63]), (false, Some("kept")));
    assert_eq!(open(&[most / 100; 101]), (false, Some("kept")));
    // Cursors are kept as well.
    let cursors = |state: &mut CallState| {
        let query = query(state, "account").unwrap();
        let half = "c".repeat(most / 2);
        (0..3).all(|_| HostQuery::after(state, held(query), half.clone()).is_ok())
    };
    assert_eq!(guarding(&bench, cursors), (false, Some("kept")));
    let dropped = |state: &mut CallState| {
        (0..1_000).all(|_| {
            let query = query(state, &"k".repeat(most / 2)).unwrap();
            HostQuery::drop(state, Resource::new_own(query)).is_ok()
        })
    };
    assert_eq!(guarding(&bench, dropped), (true, None));
}

#[test]
fn one_question_ends_at_its_rows_and_at_its_time() {
    let bench = bench();
    add_accounts(&bench, 99);
    let ask = |rows: u64, wall_ms: u64| {
        guarding(&bench, |state| {
            let budget = Budget {
                rows,
                wall_ms,
                ..state.meter.budget
            };
            state.begin(Meter::start(budget, 0));
            asked(state, 1, "name ne 'Example AS'")
        })
    };
    assert_eq!(ask(100, 60_000), (Ok(0), None));
    assert_eq!(ask(99, 60_000), (Err("rows".to_owned()), Some("rows")));
    // The clock is looked at while rows are, and not only when a call to the host begins.
    let late = guarding(&bench, |state| {
        let budget = Budget {
            wall_ms: 0,
            ..state.meter.budget
        };
        state.begin(Meter::start(budget, 0));
        let read = state.call.reader.get("account", bench.account);
        assert!(matches!(read, Err(StoreError::Halted(_))));
        state.meter.halted().limit
    });
    assert_eq!(late, ("wall-time", Some("wall-time")));
}

#[test]
fn a_name_that_is_repeated_is_cut() {
    let bench = bench();
    let long = "\u{1b}".repeat(4 << 20);
    let told = guarding(&bench, |state| {
        let kind = records::Host::related(
            state,
            types::RecordRef {
                kind: "account".into(),
                id: "x".into(),
            },
            long.clone(),
            long.clone(),
            1,
        );
        match kind {
            Err(Stop::Failure { message, .. }) => message,
            _ => String::new(),
        }
    });
    assert!((1..1_000).contains(&told.0.len()), "{} bytes", told.0.len());
    assert!(!told.0.contains('\u{1b}'));
}

/// A call of a guard that was shown one change.
fn objecting(work: impl FnOnce(&mut CallState)) -> Vec<kjerne_core::Finding> {
    let bench = bench();
    let call = bench.call();
    let mut store = under_way(&bench, GUARD, Purpose::Verdict, &call);
    let state = store.data_mut();
    state.shown = vec![Shown::of(&bench.drafts(1)[0], Role::Guard)];
    work(state);
    std::mem::take(&mut state.found).into_findings()
}

fn refuse(state: &mut CallState, field: Option<&str>, code: &str, message: &str) {
    let (field, findings) = (field.map(str::to_owned), Resource::new_borrow(0));
    let said = HostFindings::refuse(state, findings, 0, field, code.into(), message.into());
    assert!(said.is_ok(), "an objection is never refused");
}

#[test]
fn what_a_guard_says_is_brought_into_its_form_where_it_says_it() {
    let long = "x".repeat(100_000);
    let unsaid = "it does not say why; its author must write a sentence that does";
    let table = [
        (
            (Some("name"), "no-name", "Write one."),
            (Some("name"), "no-name", "Write one."),
        ),
        ((Some(""), "", ""), (None, "unnamed", unsaid)),
        (
            (Some(" "), "\u{200b}", "\u{200b}\u{202e}"),
            (None, "unnamed", unsaid),
        ),
        (
            (
                Some("na\u{1b}[2Jme"),
                "Red\u{1b}[31m",
                "one\ntwo\u{202e}three",
            ),
            (Some("na [2Jme"), "-ed--31m", "one two three"),
        ),
        (
            (Some(long.as_str()), long.as_str(), long.as_str()),
            (
                Some(&long[..limits::RULE_NAME.count()]),
                &long[..limits::RULE_NAME.count()],
                &long[..limits::SENTENCE.count()],
            ),
        ),
    ];
    for ((field, code, message), expected) in table {
        let said = objecting(|state| refuse(state, field, code, message));
        let said = (
            said[0].field.as_deref(),
            said[0].code.as_str(),
            said[0].message.as_str(),
        );
        assert_eq!(said, expected);
    }
}

#[test]
fn so_many_objections_are_kept_and_the_last_tells_the_number() {
    let most = limits::FINDINGS.count();
    let said =
        |count: usize| objecting(|state| (0..count).for_each(|_| refuse(state, None, "no", "No.")));
    let all = said(most);
    assert_eq!((all.len(), all[most - 1].message.as_str()), (most, "No."));
    let more = said(most + 1);
    assert_eq!(more.len(), most);
    assert!(more[most - 1].message.contains(&(most + 1).to_string()));
}
