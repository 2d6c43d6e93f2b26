//! A plugin's file, read and checked without running or compiling anything.

use kjerne_core::Role;
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::Types;
use wasmparser::{Encoding, Parser, Payload, Validator, WasmFeatures};

use crate::error::LoadError;
use crate::limits;
use crate::manifest::Manifest;

/// The version of the contract this host has.
pub const CONTRACT: &str = "0.1.0";
/// The custom section that holds the manifest.
pub const MANIFEST_SECTION: &str = "kjerne:manifest";
/// The custom section that holds the default settings.
pub const SETTINGS_SECTION: &str = "kjerne:settings";

/// The contract's package, in front of each of its interfaces.
const PREFIX: &str = "kjerne:crm/";
/// What a plugin may import.
const IMPORTS: [&str; 6] = ["types", "records", "log", "settings", "state", "time"];

/// A plugin that has been read and checked, and can be installed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Package {
    /// What it says about itself.
    pub manifest: Manifest,
    /// The settings it comes with, in TOML; empty when there are none.
    pub settings: String,
    /// The hash of the file.
    pub digest: [u8; 32],
    bytes: Vec<u8>,
}

impl Package {
    /// Reads a component and checks everything that can be checked without running or compiling
    /// it: what it is, what it was built for, that its manifest says the truth.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, LoadError> {
        at_most("bytes", bytes.len() as u64, limits::PACKAGE.value)?;
        if !bytes.starts_with(b"\0asm") {
            return Err(LoadError::NotWasm);
        }
        if Parser::is_core_wasm(bytes) {
            return Err(LoadError::CoreModule);
        }
        let outline = Outline::read(bytes)?;
        let types = Validator::new_with_features(features())
            .validate_all(bytes)
            .map_err(invalid)?;
        let imports = outline.imports.clone();
        let package = Self::of(bytes, outline)?;
        check_grants(&package.manifest, &imports, &types)?;
        Ok(package)
    }

    /// Reads a file again that [`Package::read`] has taken before, which its hash proves. Not every
    /// function is looked at again, so that a start is quick; another file is read as if it were
    /// new.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn reopen(bytes: &[u8], digest: &[u8; 32]) -> Result<Self, LoadError> {
        if blake3::hash(bytes) != *digest {
            return Self::read(bytes);
        }
        Self::of(bytes, Outline::read(bytes)?)
    }

    fn of(bytes: &[u8], outline: Outline) -> Result<Self, LoadError> {
        let roles = outline.roles()?;
        let manifest = Manifest::parse(outline.manifest.as_deref().ok_or(LoadError::NoManifest)?)?;
        check_contract(&manifest.contract)?;
        check_roles(&manifest, &roles)?;
        outline.check_imports()?;
        Ok(Self {
            manifest,
            settings: outline.settings.unwrap_or_default(),
            digest: *blake3::hash(bytes).as_bytes(),
            bytes: bytes.to_vec(),
        })
    }

    /// Puts a manifest and default settings into a component, which makes it a plugin's file.
    #[must_use]
    pub fn seal(component: &[u8], manifest: &str, settings: &str) -> Vec<u8> {
        let mut bytes = component.to_vec();
        append_section(&mut bytes, MANIFEST_SECTION, manifest.as_bytes());
        append_section(&mut bytes, SETTINGS_SECTION, settings.as_bytes());
        bytes
    }

    /// The file.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A custom section: zero, the length of the rest, the name behind its length, the data.
fn append_section(bytes: &mut Vec<u8>, name: &str, data: &[u8]) {
    let mut head = Vec::new();
    append_length(&mut head, name.len());
    head.extend_from_slice(name.as_bytes());
    bytes.push(0);
    append_length(bytes, head.len() + data.len());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(data);
}

/// A length in LEB128: seven bits a byte, the lowest first.
fn append_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push((length as u8 & 0x7f) | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
}

/// The WebAssembly features a plugin may use; the engine is configured to the same.
fn features() -> WasmFeatures {
    WasmFeatures::WASM2 | WasmFeatures::EXTENDED_CONST | WasmFeatures::COMPONENT_MODEL
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn invalid(error: wasmparser::BinaryReaderError) -> LoadError {
    LoadError::Invalid(error.to_string())
}

fn at_most(unit: &'static str, found: u64, limit: u64) -> Result<(), LoadError> {
    if found > limit {
        Err(LoadError::TooLarge { unit, found, limit })
    } else {
        Ok(())
    }
}

/// What stands at the outside of a component.
#[derive(Default)]
struct Outline {
    imports: Vec<String>,
    exports: Vec<String>,
    manifest: Option<String>,
    settings: Option<String>,
}

impl Outline {
    fn read(bytes: &[u8]) -> Result<Self, LoadError> {
        let mut outline = Self::default();
        let (mut depth, mut functions) = (0_u32, 0);
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(invalid)? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::FunctionSection(section) => functions += u64::from(section.count()),
                Payload::Version {
                    encoding: Encoding::Module,
                    ..
                } if depth == 0 => {
                    return Err(LoadError::CoreModule);
                }
                payload if depth == 0 => outline.take(payload)?,
                _ => {}
            }
        }
        at_most("functions", functions, limits::FUNCTIONS.value)?;
        Ok(outline)
    }

    fn take(&mut self, payload: Payload<'_>) -> Result<(), LoadError> {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section {
                    self.imports
                        .push(import.map_err(invalid)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    self.exports
                        .push(export.map_err(invalid)?.name.name.to_owned());
                }
            }
            Payload::CustomSection(section) => match section.name() {
                MANIFEST_SECTION => {
                    self.manifest = Some(text("manifest", section.data(), limits::MANIFEST.value)?);
                }
                SETTINGS_SECTION => {
                    self.settings = Some(text("settings", section.data(), limits::SETTINGS.value)?);
                }
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    /// The roles exported.
    fn roles(&self) -> Result<Vec<Role>, LoadError> {
        let mut roles = Vec::new();
        for name in self.exports.iter().filter(|name| name.starts_with(PREFIX)) {
            let interface = interface(name)?;
            let role = Role::ALL.into_iter().find(|role| role.name() == interface);
            roles.push(role.ok_or_else(|| LoadError::UnknownExport(name.clone()))?);
        }
        if roles.is_empty() {
            Err(LoadError::NotOurs)
        } else {
            Ok(roles)
        }
    }

    fn check_imports(&self) -> Result<(), LoadError> {
        for name in &self.imports {
            let known = name.starts_with(PREFIX) && IMPORTS.contains(&interface(name)?);
            if !known {
                return Err(LoadError::UnknownImport(name.clone()));
            }
        }
        Ok(())
    }
}

fn text(what: &str, data: &[u8], limit: u64) -> Result<String, LoadError> {
    if data.len() as u64 > limit {
        return Err(LoadError::BadManifest(format!(
            "its {what} section has {} bytes; at most {limit} are allowed",
            data.len()
        )));
    }
    let text = std::str::from_utf8(data)
        .map_err(|_| LoadError::BadManifest(format!("its {what} section is not UTF-8")))?;
    Ok(text.to_owned())
}

/// `guard` of `kjerne:crm/guard@0.1.0`, when the version is one this host has.
fn interface(name: &str) -> Result<&str, LoadError> {
    let rest = name.strip_prefix(PREFIX).unwrap_or(name);
    let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
    check_contract(version)?;
    Ok(interface)
}

/// A plugin fits when it was built for the same line of the contract, and for nothing newer than
/// this host has. Below 1.0, a line is a minor version.
fn check_contract(found: &str) -> Result<(), LoadError> {
    let wrong = || LoadError::WrongContract {
        found: found.to_owned(),
        known: CONTRACT,
    };
    let numbers = |text: &str| -> Option<Vec<u32>> {
        text.split('.').map(|part| part.parse().ok()).collect()
    };
    let (found, known) = (
        numbers(found).ok_or_else(wrong)?,
        numbers(CONTRACT).ok_or_else(wrong)?,
    );
    if found.len() == 3 && found[..2] == known[..2] && found[2] <= known[2] {
        Ok(())
    } else {
        Err(wrong())
    }
}

fn check_roles(manifest: &Manifest, exported: &[Role]) -> Result<(), LoadError> {
    if let Some(missing) = manifest.roles.keys().find(|role| !exported.contains(role)) {
        return Err(LoadError::RoleNotExported(*missing));
    }
    match exported
        .iter()
        .find(|role| !manifest.roles.contains_key(role))
    {
        Some(hidden) => Err(LoadError::RoleNotDeclared(*hidden)),
        None => Ok(()),
    }
}

/// What the use of an imported function takes: interface, function, verb of the grant, an example
/// of it. Unused functions are not imported, so an import is a use.
const NEEDS: [(&str, &str, &str, &str); 7] = [
    ("records", "", "read", "read:KIND"),
    ("state", "", "state", "state"),
    ("types", "[method]edits.set", "set", "set:KIND.FIELD"),
    ("types", "[method]effects.create", "create", "create:KIND"),
    ("types", "[method]effects.update", "update", "update:KIND"),
    ("types", "[method]effects.remove", "delete", "delete:KIND"),
    ("types", "[method]effects.send", "send", "send:*"),
];

fn check_grants(manifest: &Manifest, imports: &[String], types: &Types) -> Result<(), LoadError> {
    for import in imports {
        let own = interface(import)?;
        for (_, function, verb, example) in NEEDS.iter().filter(|need| need.0 == own) {
            let declared = manifest
                .grants
                .iter()
                .any(|item| item.allow.verb() == *verb);
            if !declared && imports_function(types, import, function) {
                let used = function
                    .strip_prefix("[method]")
                    .filter(|name| !name.is_empty());
                return Err(LoadError::GrantNotDeclared {
                    uses: used.unwrap_or(own).to_owned(),
                    needs: (*example).to_owned(),
                });
            }
        }
    }
    Ok(())
}

/// Whether a component imports a function of an interface; an empty name stands for any function.
fn imports_function(types: &Types, import: &str, function: &str) -> bool {
    let types = types.as_ref();
    let Some(item) = types.component_item_for_import(import) else {
        return false;
    };
    let ComponentEntityType::Instance(instance) = item.ty else {
        return false;
    };
    types[instance].exports.iter().any(|(name, item)| {
        matches!(item.ty, ComponentEntityType::Func(_)) && (function.is_empty() || name == function)
    })
}
