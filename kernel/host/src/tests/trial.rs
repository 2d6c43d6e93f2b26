//! What a file has to pass once it was read, each stage by a file that does not pass it.

use kjerne_package::{Package, Stage};

use super::guests::{component, guard, guard_file, keeping, manifest, options};
use crate::error::Misfit;
use crate::host::Host;
use crate::limits;

fn tried(file: &[u8]) -> Result<(), Misfit> {
    let host = Host::new(options()).unwrap();
    host.try_on(&Package::read(file).unwrap())
}

/// A plugin with nothing in it but what a module begins with.
fn beginning_with(parts: &str) -> Vec<u8> {
    let text = format!(
        "(component (core module {parts}) (instance $guard)
            (export \"kjerne:crm/guard@0.2.0\" (instance $guard)))"
    );
    Package::seal(&wat::parse_str(text).unwrap(), &manifest("guard", &[]), "")
}

#[test]
fn what_a_module_begins_with_is_held_against_what_there_is() {
    let pages = limits::MEMORY_LATER.value >> 16;
    let memory = |pages: u64| format!("(memory {pages})");
    let table = |elements: u64| format!("(table {elements} funcref)");
    let tables = |count: u64| table(1).repeat(count as usize);
    for (limit, most, more) in [
        (limits::MEMORY_LATER, memory(pages), memory(pages + 1)),
        (
            limits::TABLE,
            table(limits::TABLE.value),
            table(limits::TABLE.value + 1),
        ),
        (limits::MODULE_TABLES, tables(4), tables(5)),
        (limits::MODULE_MEMORIES, memory(1), memory(1).repeat(2)),
    ] {
        // It has no function of its role, which is found later.
        let obeyed = tried(&beginning_with(&most)).unwrap_err();
        assert_eq!(obeyed.stage, Stage::Contract, "{}: {obeyed}", limit.name);
        let violated = tried(&beginning_with(&more)).unwrap_err();
        assert_eq!(violated.stage, Stage::Resources, "{violated}");
        let told = violated.to_string();
        assert!(
            told.contains(limit.name) && told.contains(&limit.value.to_string()),
            "{told}"
        );
    }
}

#[test]
fn what_all_instances_take_together_is_found_when_it_is_compiled() {
    let instances = limits::MEMORIES.count() + 1;
    let text = format!(
        "(component (core module $m (memory 1)) {} (instance $guard)
            (export \"kjerne:crm/guard@0.2.0\" (instance $guard)))",
        "(core instance (instantiate $m))".repeat(instances)
    );
    let file = Package::seal(&wat::parse_str(text).unwrap(), &manifest("guard", &[]), "");
    let refused = tried(&file).unwrap_err();
    assert_eq!(refused.stage, Stage::Resources, "{refused}");
}

#[test]
fn an_instance_comes_up_and_is_prepared_before_anything_is_installed() {
    assert_eq!(tried(&guard_file("", &[])), Ok(()));
    let text = guard("");
    let broken = format!(
        "{} (func $broken unreachable) (start $broken))",
        &text[..text.rfind(')').unwrap()]
    );
    let file = component("guard-plugin", "0.2.0", &broken);
    let refused = tried(&Package::seal(&file, &manifest("guard", &[]), "")).unwrap_err();
    assert_eq!(refused.stage, Stage::SmokeRun, "{refused}");

    let both = format!("{}[roles.prepare]\n", manifest("guard", &[]));
    let whole = keeping(1);
    let file = |text: &str| Package::seal(&component("prepared", "0.2.0", text), &both, "");
    assert_eq!(tried(&file(&whole)), Ok(()));
    let breaks = whole.replace("(drop (memory.grow (i32.const 1)))", "(unreachable)");
    assert_ne!(breaks, whole);
    let refused = tried(&file(&breaks)).unwrap_err();
    assert_eq!(refused.stage, Stage::SmokeRun, "{refused}");
}
