//! Plugins that are prepared: what a call finds of it, and what happens to those that misbehave meanwhile.

use kjerne_core::Outcome;
use kjerne_host::{Installed, LoadError};

use crate::stage::{Stage, built, host, installed};

fn ready(behaviour: &str, revision: u64) -> Installed {
    let settings = format!("behaviour = \"{behaviour}\"");
    Installed {
        revision,
        ..installed(&built("hostile-ready"), &settings, 1)
    }
}

/// The rule by which the guard refused an account.
fn refusal(stage: &Stage) -> String {
    match stage.create("account", 1, &[("name", "Example AS")]) {
        Outcome::Refused(refusals) => format!("{refusals:?}"),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn each_call_begins_where_prepare_ended_and_with_its_settings() {
    let stage = Stage::new(vec![ready("none", 1)]);
    for _ in 0..3 {
        let told = refusal(&stage);
        assert!(told.contains("call-2-revision-1"), "{told}");
    }
    stage.host.replace(vec![ready("none", 2)]).unwrap();
    assert!(refusal(&stage).contains("call-2-revision-2"));
}

#[test]
fn what_breaks_while_it_is_prepared_is_not_put_in_use() {
    let rows = [
        ("panic", "as its settings say"),
        ("loop", "fuel-later"),
        ("now", "asked for the time"),
    ];
    let host = host(true);
    for (behaviour, told) in rows {
        let refused = host.load(vec![ready(behaviour, 1)]).err();
        match refused {
            Some(LoadError::Unprepared { plugin, why }) => {
                assert_eq!(plugin, "hostile-ready");
                assert!(why.contains(told), "{behaviour}: {why}");
            }
            other => panic!("{behaviour}: {other:?}"),
        }
    }
    assert!(host.load(vec![ready("none", 1)]).is_ok());
}

#[test]
fn what_a_plugin_says_of_its_settings_is_told_whole() {
    let host = host(true);
    for (behaviour, told) in [
        ("faults", "line 1: this is wrong; line 1: and this"),
        ("state", "not-now"),
    ] {
        match host.load(vec![ready(behaviour, 1)]).err() {
            Some(LoadError::BadSettings(why)) => {
                assert!(why.contains(told), "{why}");
                assert!(why.contains("hostile-ready"), "{why}");
            }
            other => panic!("{behaviour}: {other:?}"),
        }
    }
}

#[test]
fn a_handle_that_is_kept_beyond_prepare_ends_the_call_that_uses_it() {
    let stage = Stage::new(vec![ready("keep", 1)]);
    let told = refusal(&stage);
    assert!(
        told.contains("hostile-ready") && !told.contains("call-2"),
        "{told}"
    );
    stage.host.replace(vec![ready("none", 2)]).unwrap();
    assert!(refusal(&stage).contains("call-2"));
}

#[test]
fn prepare_finds_no_record() {
    let stage = Stage::new(Vec::new());
    let made = stage.create("account", 1, &[("name", "Example AS")]);
    assert!(matches!(made, Outcome::Accepted(_)));
    // With a revision no other test has, so that it is not taken from what they left.
    let revision = u64::from(std::process::id()) + 10;
    stage.host.replace(vec![ready("read", revision)]).unwrap();
    let lines = stage.host.logs("hostile-ready");
    let found: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(found, ["found 0"]);
}
