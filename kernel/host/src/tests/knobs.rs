//! What is set for a plugin's calls has an effect on them, and a plugin that breaks in a row is set aside.

use kjerne_core::{Fault, Plugins as _, Role};

use super::guests::{Bench, guard_file, installed, name, now, options, plugin};
use crate::Installed;
use crate::call::Ask;
use crate::call_state::Purpose;
use crate::knobs::{Knob, Numbers};
use crate::limits;
use kjerne_ledger::limits as of_ledger;

const LOOK: &str = r#"(call $get (i32.load (local.get $changes)) (i32.load offset=4 (local.get $changes))
    (i32.load offset=8 (local.get $changes)) (i32.load offset=12 (local.get $changes)) (i32.const 1024))"#;

fn times(count: u32, work: &str) -> String {
    format!(
        "(loop $again {work}
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $again (i32.lt_u (local.get $i) (i32.const {count}))))"
    )
}

fn bench(body: &str, revision: u64, limits: Numbers) -> Bench {
    let bench = Bench::empty(options());
    let file = guard_file(body, &["read:account"]);
    let plugin = Installed {
        revision,
        limits,
        ..installed(&file, &["read:account"])
    };
    bench.host.replace(vec![plugin]).unwrap();
    bench
}

fn one(knob: Knob, number: u64) -> Numbers {
    Numbers::from([((Role::Guard, knob), number)])
}

/// No knob without effect: a call that goes well under the usual limits ends at the one that is set, and the
/// fault names it. Places and time, which nothing here could show without waiting, are looked at where they are
/// kept.
#[test]
fn every_limit_that_is_set_flips_the_outcome_of_some_call() {
    let refuse = "(call $refuse (local.get $findings) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 0) (i32.const 0) (i32.const 3000000) (i32.const 100) (i32.const 1024))";
    // The guest has 200 pages to begin with, and asks for 16 more.
    let grow = "(if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))";
    let looks = times(20, LOOK);
    for (knob, number, body) in [
        (Knob::Fuel, 1, times(1_000_000, "")),
        (Knob::Memory, 201 << 16, grow.to_owned()),
        (Knob::HostCalls, 1, looks.clone()),
        (Knob::Rows, 1, looks.clone()),
        (Knob::Read, 1, looks),
        (Knob::Output, 1, refuse.to_owned()),
    ] {
        let usual = bench(&body, 1, Numbers::new());
        assert!(usual.ask(1).is_ok(), "{}", knob.name());
        let set = bench(&body, 1, one(knob, number));
        let fault = set.ask(1).unwrap_err();
        assert_eq!(fault.limit, knob.name(), "{fault}");
    }
    let set = bench("", 1, one(Knob::WallTime, 30));
    let active = set.host.find(&plugin(), Role::Guard).unwrap();
    let call = set.call();
    let ask = Ask::new(Role::Guard, Purpose::Verdict, &call);
    let store = set.host.runtime.store(&active.plugin, ask);
    assert_eq!(store.data().meter.budget.wall_ms, 30);
    assert_eq!(set.host.runtime.slots.share(Role::Guard, Some(1)), 1);
}

/// What is set too low breaks calls; the plugin is loaded all the same, so that it can be set anew.
#[test]
fn a_limit_that_is_set_too_low_keeps_no_plugin_from_being_loaded() {
    let bench = bench("", 1, one(Knob::Memory, 1));
    assert_eq!(bench.ask(1).unwrap_err().limit, "memory");
}

/// The same commit costs the same fuel, whatever it may use.
#[test]
fn promise_5_what_is_set_changes_no_fuel() {
    let body = times(50, LOOK);
    let usual = bench(&body, 1, Numbers::new()).ask(1).unwrap().fuel;
    let set = bench(&body, 1, one(Knob::Fuel, limits::FUEL_BASE.value * 3));
    assert_eq!(set.ask(1).unwrap().fuel, usual);
}

#[test]
fn promise_7_a_plugin_that_breaks_in_a_row_is_not_run_until_it_is_due_or_resumed() {
    let body = "unreachable";
    let bench = bench(body, 1, Numbers::new());
    let most = of_ledger::QUARANTINE_BREAKS.value as i64;
    let ask = |millis: i64| {
        let call = kjerne_core::Call {
            now: now().plus_millis(millis),
            ..bench.call()
        };
        bench
            .host
            .guard(&plugin(), &call, &bench.drafts(1))
            .unwrap_err()
    };
    for millis in 1..=most {
        assert_eq!(ask(millis).limit, "trap");
    }
    let fault = ask(most + 1);
    let until = now().plus_millis(most + of_ledger::QUARANTINE_FIRST.value as i64);
    assert_eq!(fault.limit, Fault::SET_ASIDE);
    for part in [
        "acme.test",
        "guard",
        &until.to_string(),
        "trap",
        "kjerne plugin resume",
    ] {
        assert!(fault.message.contains(part), "{part}: {fault}");
    }
    let told = bench.host.set_aside().remove(0);
    assert_eq!(
        (told.role, told.until, told.breaks),
        (Role::Guard, until, most as u64)
    );
    assert!(bench.host.resume("acme.test") && !bench.host.resume("acme.other"));
    assert_eq!(ask(0).limit, "trap");
    assert_eq!(bench.host.set_aside(), []);

    // The same file with the same settings goes on as it was; with others it begins anew.
    (1..most).for_each(|millis| drop(ask(millis)));
    assert_eq!(bench.host.set_aside().len(), 1);
    let again = |revision: u64| {
        let plugin = Installed {
            revision,
            ..installed(&guard_file(body, &["read:account"]), &["read:account"])
        };
        bench.host.replace(vec![plugin]).unwrap();
        ask(most).limit
    };
    assert_eq!(again(1), Fault::SET_ASIDE);
    assert_eq!(again(2), "trap");
}

#[test]
fn what_a_call_cost_is_booked_on_the_kind_it_was_about() {
    let bench = bench(LOOK, 1, Numbers::new());
    bench.ask(2).unwrap();
    let ledger = bench.host.ledger();
    assert_eq!(ledger.len(), 1);
    let spent = &ledger[0].spent;
    assert_eq!(ledger[0].kind, Some(name("account")));
    assert!(
        spent.rows > 0 && spent.host_calls == 1 && spent.memory > 0,
        "{spent:?}"
    );
    assert_eq!(spent.times.iter().sum::<u64>(), 1);
    let recent = bench.host.recent();
    assert_eq!((recent.len(), recent[0].spent), (1, *spent));
}
