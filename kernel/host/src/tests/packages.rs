//! Files that are refused before anything of them runs.

use kjerne_core::Role;

use super::guests::{component, guard, guard_file, guard_of, manifest, react};
use kjerne_package::limits;

use crate::{Package, PackageError};

const LOOKS: &str =
    r#"(call $get (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 1024))"#;

/// The refusal of a guard with this body and manifest.
fn refusal(body: &str, manifest: &str) -> PackageError {
    let component = component("guard-plugin", "0.2.0", &guard(body));
    Package::read(&Package::seal(&component, manifest, "")).unwrap_err()
}

#[test]
fn a_good_file_is_read_whole() {
    let package = Package::read(&guard_file(LOOKS, &["read:account"])).unwrap();
    assert_eq!(package.manifest.id, "acme.test");
    assert_eq!(package.settings, "colour = \"blue\"");
    assert!(package.manifest.roles.contains_key(&Role::Guard));
}

#[test]
fn a_file_read_again_is_the_same_and_another_is_checked_as_new() {
    let good = guard_file(LOOKS, &["read:account"]);
    let package = Package::read(&good).unwrap();
    assert_eq!(Package::reopen(&good, &package.digest).unwrap(), package);
    // One instruction pushes a number of another type.
    let mut damaged = good;
    let push = damaged
        .windows(3)
        .position(|code| code == [0x41, 0x80, 0x08]);
    damaged[push.unwrap()] = 0x42;
    let refused = Package::reopen(&damaged, &package.digest).unwrap_err();
    assert!(matches!(refused, PackageError::Invalid(_)), "{refused}");
}

#[test]
fn what_is_no_component_of_ours_is_refused() {
    let core = wat::parse_str("(module)").unwrap();
    let stranger = component(
        "stranger",
        "0.2.0",
        r#"(module (memory (export "memory") 1) (func (export "run"))
             (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable))"#,
    );
    let table: [(&[u8], PackageError); 4] = [
        (b"", PackageError::NotWasm),
        (b"PK\x03\x04 a zip file", PackageError::NotWasm),
        (&core, PackageError::CoreModule),
        (&stranger, PackageError::NotOurs),
    ];
    for (bytes, expected) in table {
        assert_eq!(Package::read(bytes).unwrap_err(), expected);
    }
    let large = vec![0; limits::PACKAGE.value as usize + 1];
    assert!(matches!(
        Package::read(&large),
        Err(PackageError::TooLarge {
            limit: limits::PACKAGE,
            ..
        })
    ));
}

#[test]
fn of_a_file_that_is_too_large_no_more_is_read_than_tells_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.wasm");
    let most = limits::PACKAGE.value;
    std::fs::File::create(&file)
        .unwrap()
        .set_len(20 * most)
        .unwrap();
    let bytes = Package::bytes_of(&file).unwrap();
    assert_eq!(bytes.len() as u64, most + 1);
    assert!(Package::read(&bytes).is_err());
}

#[test]
fn a_damaged_file_is_refused_wherever_it_is_damaged() {
    let good = guard_file(LOOKS, &["read:account"]);
    for cut in (8..good.len()).step_by(97) {
        assert!(Package::read(&good[..cut]).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_component_without_manifest_is_refused() {
    let bare = component("guard-plugin", "0.2.0", &guard(""));
    assert_eq!(Package::read(&bare).unwrap_err(), PackageError::NoManifest);
}

#[test]
fn a_manifest_that_lies_about_roles_is_refused() {
    let declared_only = manifest("guard", &[]) + "[roles.react]\n";
    assert_eq!(
        refusal("", &declared_only),
        PackageError::RoleNotExported(Role::React)
    );
    assert_eq!(
        refusal("", &manifest("react", &[])),
        PackageError::RoleNotExported(Role::React)
    );
    let both = component("react-plugin", "0.2.0", &react("(i32.const 1024)"));
    let hidden = Package::seal(&both, &manifest("guard", &[]), "");
    assert!(matches!(
        Package::read(&hidden),
        Err(PackageError::RoleNotExported(Role::Guard))
    ));
}

#[test]
fn an_unreadable_manifest_is_refused() {
    assert!(matches!(refusal("", "id = "), PackageError::BadManifest(_)));
}

#[test]
fn an_interface_from_elsewhere_is_refused_by_name() {
    let text = guard("(call $open (i32.const 0) (i32.const 0))");
    let thief = component("thief", "0.2.0", &text);
    let file = Package::seal(&thief, &manifest("guard", &[]), "");
    let expected = PackageError::UnknownImport("evil:fs/files@1.0.0".to_owned());
    assert_eq!(Package::read(&file).unwrap_err(), expected);
}

#[test]
fn another_version_of_the_contract_is_refused_with_both_versions() {
    for version in ["0.1.0", "0.3.0"] {
        let file = Package::seal(&guard_of(version, ""), &manifest("guard", &[]), "");
        let message = Package::read(&file).unwrap_err().to_string();
        let told = [
            &format!("kjerne:crm {version}, and this kernel has 0.2.0; build it"),
            "part 7 of the record types.change is `because: string` there and is not here",
        ];
        for part in told {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
    // Where it fits all the same, the versions alone are told.
    let newer = component(
        "guard-plugin",
        "0.3.0",
        &guard("").replace("@0.2.0", "@0.3.0"),
    );
    let file = Package::seal(&newer, &manifest("guard", &[]), "");
    let message = Package::read(&file).unwrap_err().to_string();
    assert!(
        message.contains("kjerne:crm 0.3.0") && !message.contains("difference"),
        "{message}"
    );
    let says_newer = manifest("guard", &[]).replace("contract = \"0.2.0\"", "contract = \"0.2.7\"");
    let expected = PackageError::WrongContract {
        found: "0.2.7".to_owned(),
        known: "0.2.0",
        difference: None,
    };
    assert_eq!(refusal("", &says_newer), expected);
}

/// Guests in JavaScript and Python import whole interfaces, used or not.
#[test]
fn an_import_is_no_use() {
    let file = guard_file(LOOKS, &[]);
    assert!(Package::read(&file).is_ok());
    let zeros = "(i32.const 0) ".repeat(17);
    let text = react(&format!("(call $send {zeros}) (i32.const 1024)"));
    let sends = component("react-plugin", "0.2.0", &text);
    assert!(Package::read(&Package::seal(&sends, &manifest("react", &[]), "")).is_ok());
}
