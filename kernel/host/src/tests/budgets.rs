//! Every limit fires, and a plugin that passed one harms nobody.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kjerne_core::Plugins;

use super::guests::{Bench, guard_file, modest_file, plugin};
use crate::call::{self, Ask, only};
use crate::call_state::Purpose;
use crate::limits::{self, Budget};
use crate::meter::Meter;

/// A loop that runs `work` so many times.
fn times(count: u32, work: &str) -> String {
    format!(
        "(loop $again {work}
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const {count}))))"
    )
}

const LOG_LINE: &str = "(call $log (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 5))";
const LOOK: &str = r#"(call $get (i32.load (local.get $changes)) (i32.load offset=4 (local.get $changes))
    (i32.load offset=8 (local.get $changes)) (i32.load offset=12 (local.get $changes)) (i32.const 1024))"#;
const GROW: &str =
    "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))";

fn refuse(bytes: u32) -> String {
    format!(
        "(call $refuse (local.get $findings) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.const 0) (i32.const 0) (i32.const 3000000) (i32.const {bytes}) (i32.const 1024))"
    )
}

#[test]
fn each_limit_ends_the_call_and_is_named_with_its_number() {
    let table: [(&str, String, u64); 9] = [
        (
            "fuel",
            "(loop $l (br $l))".into(),
            limits::FUEL_BASE.value + limits::FUEL_CHANGE.value + 4 * limits::FUEL_FIELD.value,
        ),
        (
            "memory",
            format!("{GROW} unreachable"),
            limits::MEMORY_COMMIT.value + 4 * limits::MEMORY_FIELD.value,
        ),
        (
            "table",
            "(drop (table.grow $table (ref.null func) (i32.const 30000))) unreachable".into(),
            limits::TABLE.value,
        ),
        (
            "stack",
            "(drop (call $deeper (i32.const 0)))".into(),
            limits::STACK.value,
        ),
        (
            "host-calls",
            times(200, LOOK),
            limits::HOST_CALLS.value + limits::HOST_CALLS_CHANGE.value,
        ),
        ("log-lines", times(100, LOG_LINE), limits::LOG_LINES.value),
        ("handover", refuse(9 << 20), limits::HANDOVER.value),
        ("output", times(3, &refuse(2 << 20)), limits::OUTPUT.value),
        (
            "output-items",
            times(20_000, &refuse(1)),
            limits::OUTPUT_ITEMS.value,
        ),
    ];
    for (limit, body, allowed) in table {
        let bench = Bench::guard(&body);
        let fault = bench.ask(1).expect_err(limit);
        assert_eq!(
            (fault.limit.as_str(), fault.allowed),
            (limit, Some(allowed)),
            "{fault}"
        );
        assert!(
            fault.message.contains("acme.test") && fault.message.contains(&allowed.to_string())
        );
    }
}

#[test]
fn a_limit_is_told_by_the_name_and_number_it_has_in_the_list() {
    for role in kjerne_core::Role::ALL {
        let budget = Budget::of(role, 0, 0);
        let names = budget.names;
        for (name, number) in [
            (names.fuel, budget.fuel),
            (names.wall, budget.wall_ms),
            (names.memory, budget.memory),
            (names.host_calls, budget.host_calls),
            (names.rows, budget.rows),
        ] {
            let listed = limits::ALL.iter().find(|limit| limit.name == name);
            let listed = listed.map(|limit| limit.value);
            assert_eq!(listed, Some(number), "{name} in {}", role.name());
        }
    }
}

/// What a guest in JavaScript uses for a field and before its first line, as measured.
#[test]
fn budgets_fit_every_language() {
    for (changes, fields) in [(1, 10), (100, 1_000), (300, 6_000)] {
        let budget = Budget::of(super::guests::GUARD, changes, fields);
        let used = 4_000_000 + 77_000 * fields as u64;
        assert!(budget.fuel > 2 * used, "{changes} changes: {}", budget.fuel);
    }
    let most = Budget::of(super::guests::GUARD, 1_000, 1_000_000);
    assert_eq!(
        most.memory,
        limits::MEMORY_LATER.value,
        "a slot has no more"
    );
}

#[test]
fn a_loop_that_ends_in_a_trap_is_booked() {
    let work = times(1_000_000, "");
    let trap = "(drop (i32.div_u (i32.const 1) (i32.sub (local.get $i) (local.get $i))))";
    let booked = |body: &str| {
        let bench = Bench::guard(body);
        assert_eq!(bench.ask(1).unwrap_err().limit, "trap");
        bench.host.ledger()[0].spent.fuel
    };
    let budget = Budget::of(super::guests::GUARD, 1, 4).fuel;
    assert_eq!(booked(&format!("{work} {trap}")), budget);
    let beyond = "(drop (i32.load (i32.const -8)))";
    assert_eq!(booked(&format!("{work} {beyond}")), budget);
    // Where the runtime knows, what was used is booked.
    let known = booked(&format!("{work} unreachable"));
    assert!((1_000_000..budget).contains(&known), "{known}");
}

#[test]
fn a_guard_that_passed_a_limit_and_goes_on_still_refuses() {
    // One call more than allowed: the guest is told, returns, and objects to nothing.
    let one_more = limits::HOST_CALLS.value + limits::HOST_CALLS_CHANGE.value + 1;
    let bench = Bench::guard(&times(one_more as u32, LOOK));
    assert_eq!(bench.ask(1).unwrap_err().limit, "host-calls");
    let allowed = Bench::guard(&times(one_more as u32 - 1, LOOK));
    assert_eq!(allowed.ask(1).unwrap().findings, []);
}

#[test]
fn refused_memory_is_no_fault_when_the_guest_lives_with_it() {
    assert_eq!(Bench::guard(GROW).ask(1).unwrap().findings, []);
}

#[test]
fn the_clock_ends_what_fuel_would_not() {
    let bench = Bench::guard("(loop $l (br $l))");
    let active = bench.host.find(&plugin(), super::guests::GUARD).unwrap();
    let call = bench.call();
    let ask = Ask::new(super::guests::GUARD, Purpose::Verdict, &call);
    let mut store = bench.host.runtime.store(&active.plugin, ask);
    let budget = Budget {
        fuel: u64::MAX,
        wall_ms: 30,
        ..store.data().meter.budget
    };
    store.data_mut().meter = Meter::start(budget, 0);
    call::refuel(&mut store, u64::MAX);
    let started = Instant::now();
    let instance = active.code.pre.instantiate(&mut store).unwrap();
    let guest = active
        .code
        .roles
        .guard
        .as_ref()
        .unwrap()
        .load(&mut store, &instance)
        .unwrap();
    let answer = guest.call_guard(&mut store, only(), &[], only());
    let fault = call::judge(store.data(), answer).unwrap_err();
    assert_eq!(
        (fault.limit.as_str(), fault.allowed),
        ("wall-time", Some(30))
    );
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_trap_spoils_no_later_call() {
    let bench = Bench::guard("(if (i32.gt_u (local.get $count) (i32.const 1)) (then unreachable))");
    assert!(bench.ask(1).is_ok());
    assert_eq!(bench.ask(2).unwrap_err().limit, "trap");
    assert!(bench.ask(1).is_ok());
}

#[test]
fn what_is_no_text_is_bad_output() {
    let body = format!(
        "(i32.store8 (i32.const 3000000) (i32.const 255)) {}",
        refuse(1)
    );
    assert_eq!(Bench::guard(&body).ask(1).unwrap_err().limit, "bad-output");
}

#[test]
fn no_call_sees_what_another_left() {
    let body = format!(
        "(if (global.get $calls) (then {})) (global.set $calls (i32.const 1))",
        refuse(1)
    );
    let bench = Bench::guard(&body);
    for _ in 0..3 {
        assert_eq!(bench.ask(1).unwrap().findings, []);
    }
}

#[test]
fn a_panic_is_told_with_its_words() {
    let say = |at: usize, text: &str| -> String {
        text.bytes()
            .enumerate()
            .map(|(i, b)| format!("(i32.store8 (i32.const {}) (i32.const {b}))", at + i))
            .collect()
    };
    let body = format!(
        "{} {} (call $log (i32.const 8) (i32.const 5) (i32.const 32) (i32.const 14)) unreachable",
        say(8, "error"),
        say(32, "no such stage!")
    );
    let bench = Bench::guard(&body);
    let fault = bench.ask(1).unwrap_err();
    assert_eq!(fault.limit, "panic");
    assert!(fault.message.contains("no such stage!"), "{fault}");
    let lines = bench.host.logs("acme.test");
    assert_eq!(
        (lines[0].level, lines[0].message.as_str()),
        ("error", "no such stage!")
    );
}

#[test]
fn the_same_question_costs_the_same_fuel() {
    let bench = Bench::guard(&times(50, LOOK));
    let fuel: Vec<u64> = (0..3).map(|_| bench.ask(2).unwrap().fuel).collect();
    assert!(fuel[0] > 0);
    assert_eq!(fuel, [fuel[0]; 3]);
}

#[test]
fn a_guard_reads_no_state_even_when_granted() {
    let body = "
        (call $state_get (i32.const 0) (i32.const 1) (i32.const 1024))
        (call $refuse (local.get $findings) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
          (i32.load (i32.const 1028)) (i32.load (i32.const 1032))
          (i32.load (i32.const 1036)) (i32.load (i32.const 1040)) (i32.const 2048))";
    let bench = Bench::new(&guard_file(body, &["state"]), &["state"]);
    assert_eq!(bench.ask(1).unwrap().findings[0].code, "not-now");
}

/// Refuses with the name of the first field of the change, and says how many there are.
const TELL_FIELDS: &str = "
    (call $refuse (local.get $findings) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.load (i32.load offset=32 (local.get $changes)))
      (i32.load offset=4 (i32.load offset=32 (local.get $changes)))
      (i32.const 256) (i32.load offset=36 (local.get $changes)) (i32.const 2048))";

#[test]
fn fields_that_were_not_granted_do_not_cross() {
    let check = |granted: &[&str], fields: usize, first: &str| {
        let file = modest_file(TELL_FIELDS, &["read:account"]);
        let findings = Bench::new(&file, granted).ask(1).unwrap().findings;
        assert_eq!(
            (findings[0].message.len(), findings[0].code.as_str()),
            (fields, first)
        );
    };
    check(&["read:account"], 2, "industry");
    check(&["read:account.name"], 1, "name");
    check(&["read:account.industry"], 1, "industry");
    // Nothing granted, or what was not declared: the change is there, its fields are not.
    let file = modest_file(
        &times(
            1,
            "(if (i32.load offset=36 (local.get $changes)) (then unreachable))",
        ),
        &["read:account"],
    );
    assert!(Bench::new(&file, &[]).ask(1).is_ok());
    assert!(Bench::new(&file, &["read:contact"]).ask(1).is_ok());
}

#[test]
fn records_that_are_read_are_projected_too() {
    let body = format!(
        "{LOOK}
         (call $refuse (local.get $findings) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
           (i32.load (i32.load (i32.const 1064))) (i32.load offset=4 (i32.load (i32.const 1064)))
           (i32.const 256) (i32.load (i32.const 1068)) (i32.const 2048))"
    );
    let file = modest_file(&body, &["read:account"]);
    let findings = Bench::new(&file, &["read:account.name"])
        .ask(1)
        .unwrap()
        .findings;
    assert_eq!(
        (findings[0].message.len(), findings[0].code.as_str()),
        (1, "name")
    );
}

/// What it is not shown would look empty to it.
#[test]
fn a_guard_that_may_not_read_what_it_needs_is_not_asked() {
    let file = guard_file(TELL_FIELDS, &["read:account", "state"]);
    for granted in [&["state"][..], &["state", "read:account.name"], &[]] {
        let bench = Bench::new(&file, granted);
        let fault = bench.ask(1).unwrap_err();
        assert_eq!(fault.limit, "not-granted", "{granted:?}");
        assert!(
            fault.message.contains("needs read:account"),
            "{}",
            fault.message
        );
        let booked: u64 = bench
            .host
            .ledger()
            .iter()
            .map(|cost| cost.spent.faults)
            .sum();
        assert_eq!(booked, 1, "{granted:?}");
    }
    // What it needs beside reading is refused where it is used.
    assert!(Bench::new(&file, &["read:account"]).ask(1).is_ok());
}

#[test]
fn a_call_is_measured_and_booked() {
    let bench = Bench::guard(&times(3, LOOK));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    bench.host.on_call(move |stats| {
        sink.lock()
            .unwrap()
            .push((stats.host_calls, stats.fuel, stats.memory, stats.bytes_in));
    });
    let fuel = bench.ask(1).unwrap().fuel;
    let (host_calls, fuel_seen, memory, bytes_in) = seen.lock().unwrap()[0];
    assert_eq!((host_calls, fuel_seen, memory), (3, fuel, 200 << 16));
    assert!(bytes_in > 0);
    let ledger = bench.host.ledger();
    assert_eq!(
        (
            ledger[0].spent.calls,
            ledger[0].spent.fuel,
            ledger[0].spent.faults
        ),
        (1, fuel, 0)
    );
    assert_eq!(bench.host.ledger(), [], "the ledger is drained");
}

#[test]
fn a_full_house_makes_wait() {
    let bench = Bench::guard("");
    std::thread::scope(|scope| {
        let asked: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| (0..50).all(|_| bench.ask(1).is_ok())))
            .collect();
        assert!(asked.into_iter().all(|thread| thread.join().unwrap()));
    });
}

#[test]
fn a_fresh_instance_costs_little() {
    let bench = Bench::guard("");
    let (call, drafts) = (bench.call(), bench.drafts(1));
    let mut fresh: Vec<Duration> = (0..400)
        .map(|_| {
            let started = Instant::now();
            bench.host.guard(&plugin(), &call, &drafts).unwrap();
            started.elapsed()
        })
        .collect();
    let mut warm = bench
        .host
        .guard_warm(&plugin(), &call, &drafts, 400)
        .unwrap();
    fresh.sort();
    warm.sort();
    println!(
        "fresh p50 {:?}, p99 {:?}; warm p50 {:?}",
        fresh[200], fresh[396], warm[200]
    );
    // The bench asserts the real bound; here only that nothing is compiled or linked per call.
    assert!(fresh[200] < Duration::from_millis(5));
}
