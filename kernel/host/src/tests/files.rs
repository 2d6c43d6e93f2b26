//! Files made to keep the server busy: refused for what they consist of, before they are checked.

use std::time::{Duration, Instant};

use kjerne_core::limits::Limit;
use wasmtime::component::Component;

use super::guests::{self, component, guard, guard_file, installed, manifest, options};
use crate::engine::engine;
use crate::{Host, MANIFEST_SECTION, Package, PackageError, SETTINGS_SECTION};
use kjerne_package::{Outline, limits};

/// The limit a file written in text passes when it is looked through.
fn passed(text: &str) -> Option<&'static str> {
    passed_by(&wat::parse_str(text).unwrap())
}

fn passed_by(bytes: &[u8]) -> Option<&'static str> {
    let started = Instant::now();
    let read = Outline::read(bytes);
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "it takes as long as the file is"
    );
    match read {
        Err(PackageError::TooLarge { limit, .. }) => Some(limit.name),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    }
}

/// A component of one module that holds this.
fn module(parts: &str) -> String {
    format!("(component (core module {parts}))")
}

/// So many components in one another, the outermost counted.
fn nested(levels: usize) -> String {
    format!("{}{}", "(component ".repeat(levels), ")".repeat(levels))
}

#[test]
fn each_part_of_a_file_is_taken_to_the_number_and_not_beyond() {
    let check = |limit: Limit, file: &dyn Fn(usize) -> String| {
        let most = limit.count();
        assert_eq!(passed(&file(most)), None, "{}", limit.name);
        assert_eq!(passed(&file(most + 1)), Some(limit.name));
    };
    check(limits::NESTING, &nested);
    check(limits::SECTION_ITEMS, &|count| {
        format!("(component {})", "(type bool)".repeat(count))
    });
    check(limits::PARAMETERS, &|count| {
        module(&format!("(type (func (param {})))", "i32 ".repeat(count)))
    });
    check(limits::ELEMENTS, &|count| {
        module(&format!("(func) (elem func {})", "0 ".repeat(count)))
    });
    check(limits::JUMPS, &|count| {
        // The last target is the one for all other numbers, and is not counted.
        let targets = "0 ".repeat(count + 1);
        module(&format!(
            "(func (block (br_table {targets} (i32.const 0))))"
        ))
    });
    check(limits::FUNCTIONS, &|count| module(&"(func)".repeat(count)));
    check(limits::ITEMS, &|count| {
        module(&"(global i32 i32.const 0)".repeat(count))
    });
}

/// Sections that hold nothing cost four bytes each, and hundreds where each is kept by itself.
#[test]
fn a_file_has_so_many_sections_whatever_is_in_them() {
    let most = limits::SECTIONS.count();
    let check = |empty: &[u8]| {
        let with = |count: usize| {
            let mut file = wat::parse_str("(component)").unwrap();
            (0..count).for_each(|_| file.extend_from_slice(empty));
            passed_by(&file)
        };
        assert_eq!(with(most), None);
        assert_eq!(with(most + 1), Some("sections"));
    };
    // A custom section of a name without anything in it; types, aliases and exports without any.
    let table: [&[u8]; 4] = [&[0, 2, 1, b'x'], &[7, 1, 0], &[6, 1, 0], &[11, 1, 0]];
    table.into_iter().for_each(check);
    let within = |count: usize| module(&"(@custom \"x\" \"\")".repeat(count));
    // The module itself is one.
    assert_eq!(passed(&within(most - 1)), None);
    assert_eq!(passed(&within(most)), Some("sections"));
}

#[test]
fn a_function_has_its_bytes_and_a_file_its_locals_and_types() {
    let nops = |count: usize| module(&format!("(func {})", "nop ".repeat(count)));
    let most = limits::FUNCTION_BYTES.count();
    // Beside what it does it has its number of locals, and its end.
    assert_eq!(passed(&nops(most - 2)), None);
    assert_eq!(passed(&nops(most - 1)), Some("function-bytes"));

    let locals = |count: usize| {
        let function = format!("(func (local {}))", "i64 ".repeat(50_000));
        module(&function.repeat(count))
    };
    assert_eq!(passed(&locals(100)), None);
    assert_eq!(passed(&locals(101)), Some("locals"));

    let types = |count: usize| module(&"(type (func (param i32 i32 i32 i32)))".repeat(count));
    let each = 7;
    assert_eq!(passed(&types(limits::TYPE_BYTES.count() / each - 10)), None);
    assert_eq!(
        passed(&types(limits::TYPE_BYTES.count() / each + 1)),
        Some("type-bytes")
    );
}

/// Every level makes ten instances of the one below: a few hundred bytes, a hundred thousand instances.
#[test]
fn instances_are_counted_with_those_they_make() {
    let file = |times: &[usize]| {
        let mut text = "(component $c0)".to_owned();
        for (level, times) in times.iter().enumerate() {
            let instances = format!("(instance (instantiate $c{level}))").repeat(*times);
            let below = format!("(alias outer 1 {level} (component $c{level}))");
            text += &format!("(component $c{} {below} {instances})", level + 1);
        }
        let last = times.len();
        format!("(component {text} (instance (instantiate $c{last})))")
    };
    assert_eq!(passed(&file(&[10, 10])), None);
    assert_eq!(passed(&file(&[10, 10, 10])), Some("expanded-instances"));
    assert_eq!(passed(&file(&[10; 5])), Some("expanded-instances"));
    assert_eq!(passed(&file(&[2; 12])), Some("expanded-instances"));
}

/// A component that is handed over would be counted where it is made, not where it is used.
#[test]
fn components_are_no_values() {
    let text =
        "(component (component $a (import \"c\" (component $c)) (instance (instantiate $c))))";
    let refused = Outline::read(&wat::parse_str(text).unwrap());
    assert!(matches!(refused, Err(PackageError::Invalid(_))));
}

/// Three bytes a level: a megabyte of them would go 300,000 levels down.
#[test]
fn types_within_types_end_before_the_stack_does() {
    let file = |levels: usize| {
        let mut section = vec![1];
        for _ in 0..levels {
            section.extend([0x42, 1, 1]);
        }
        section.push(0x7f);
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.push(7);
        let mut length = section.len();
        while length >= 0x80 {
            bytes.push((length as u8 & 0x7f) | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend(section);
        bytes
    };
    let most = limits::TYPE_NESTING.count();
    assert_eq!(passed_by(&file(most)), None);
    assert_eq!(passed_by(&file(most + 1)), Some("type-nesting"));
    assert_eq!(passed_by(&file(340_000)), Some("type-nesting"));
}

#[test]
fn a_file_is_checked_for_so_long_a_time() {
    let good = guard_file("", &[]);
    let now = Instant::now();
    assert!(kjerne_package::validate(&good, now + Duration::from_secs(60)).is_ok());
    let late = kjerne_package::validate(&good, now);
    assert!(
        matches!(late, Err(PackageError::TooLarge { limit, .. }) if limit == limits::VALIDATION)
    );
}

#[test]
fn a_section_that_is_there_twice_is_refused() {
    let good = guard_file("", &[]);
    assert!(Package::read(&good).is_ok());
    for (what, name) in [
        ("manifest", MANIFEST_SECTION),
        ("settings", SETTINGS_SECTION),
    ] {
        let mut twice = good.clone();
        twice.extend([0, name.len() as u8 + 1, name.len() as u8]);
        twice.extend(name.as_bytes());
        let refused = Package::read(&twice).unwrap_err().to_string();
        assert!(
            refused.contains(&format!("{what} section is there twice")),
            "{refused}"
        );
    }
}

#[test]
fn to_seal_again_puts_others_in_their_place() {
    let bare = component("guard-plugin", "0.2.0", &guard(""));
    let first = Package::seal(&bare, &manifest("guard", &[]), "a = 1");
    let text = manifest("guard", &["read:account"]);
    let again = Package::seal(&first, &text, "b = 2");
    assert_eq!(again, Package::seal(&bare, &text, "b = 2"));
    assert_eq!(Package::read(&again).unwrap().settings, "b = 2");
}

/// Two programs in one component hand text from one to the other, which needs the memories of both.
#[test]
fn a_component_composed_of_several_is_taken() {
    let program = "(core module $m (memory (export \"memory\") 1)
        (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) i32.const 0)
        (func (export \"say\") (param i32 i32)))";
    let text = format!(
        "(component
           (component $one {program}
             (core instance $i (instantiate $m))
             (func (export \"say\") (param \"text\" string) (canon lift (core func $i \"say\")
               (memory $i \"memory\") (realloc (func $i \"realloc\")))))
           (component $two
             (import \"say\" (func $say (param \"text\" string)))
             (core module $libc (memory (export \"memory\") 1)
               (func (export \"realloc\") (param i32 i32 i32 i32) (result i32) i32.const 0))
             (core instance $l (instantiate $libc))
             (core func $said (canon lower (func $say) (memory $l \"memory\") (realloc (func $l \"realloc\"))))
             (core module $n (import \"\" \"say\" (func $s (param i32 i32)))
               (func (export \"go\") (call $s (i32.const 0) (i32.const 4))))
             (core instance $g (instantiate $n (with \"\" (instance (export \"say\" (func $said))))))
             (func (export \"go\") (canon lift (core func $g \"go\"))))
           (instance $first (instantiate $one))
           (instance $second (instantiate $two (with \"say\" (func $first \"say\"))))
           (export \"go\" (func $second \"go\")))"
    );
    let bytes = wat::parse_str(&text).unwrap();
    assert_eq!(passed_by(&bytes), None);
    let engine = engine(1).unwrap();
    let compiled = Component::new(&engine, &bytes);
    assert!(compiled.is_ok(), "{:?}", compiled.err());
}

#[test]
fn a_plugin_whose_types_differ_is_refused_with_the_first_place_that_does() {
    let file = Package::seal(&guests::guard_of("0.2.0", ""), &manifest("guard", &[]), "");
    let host = Host::new(options()).unwrap();
    let refused = host.try_on(&Package::read(&file).unwrap()).unwrap_err();
    let told = refused.to_string();
    let part = "part 7 of the record types.change is `because: string` there and is not here";
    assert!(told.contains(part) && told.contains("acme.test"), "{told}");
}

/// The runtime takes an owned handle for a lent one until the function is called.
#[test]
fn a_guard_that_keeps_what_it_is_lent_is_refused_at_install() {
    let keeps = guests::component_of_contract(
        "guard-plugin",
        &guard(""),
        "findings: borrow<findings>",
        "findings: findings",
    );
    let file = Package::seal(&keeps, &manifest("guard", &[]), "");
    let host = Host::new(options()).unwrap();
    let refused = host.try_on(&Package::read(&file).unwrap()).unwrap_err();
    let told = refused.to_string();
    assert!(told.contains("borrow") && told.contains("guard"), "{told}");
    let lent = installed(&guard_file("", &[]), &[]);
    assert!(host.try_on(&lent.package).is_ok());
}
