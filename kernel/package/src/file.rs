//! A plugin's file, read and checked without running or compiling anything.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::{Duration, Instant};

use kjerne_core::Role;
use wasmparser::{Parser, ValidPayload, Validator, WasmFeatures};

use crate::error::PackageError;
use crate::limits;
use crate::manifest::Manifest;
use crate::outline::{MANIFEST_SECTION, Needs, Outline, SETTINGS_SECTION, invalid};

pub use kjerne_contract::VERSION as CONTRACT;

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
    /// What an instance of it takes at least.
    pub needs: Needs,
    bytes: Vec<u8>,
}

impl Package {
    /// The bytes of a file that may be a plugin: of one that is too large no more than tells so.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn bytes_of(file: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let most = limits::PACKAGE.value + 1;
        File::open(file)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Holds the size of a file against the limit.
    ///
    /// # Errors
    /// When it is too large.
    pub fn check_size(bytes: &[u8]) -> Result<(), PackageError> {
        if bytes.len() as u64 <= limits::PACKAGE.value {
            return Ok(());
        }
        // Not all of it may be here to be counted.
        Err(PackageError::TooLarge {
            limit: limits::PACKAGE,
            found: None,
        })
    }

    /// The hash by which a file is known.
    #[must_use]
    pub fn digest_of(bytes: &[u8]) -> [u8; 32] {
        *blake3::hash(bytes).as_bytes()
    }

    /// Reads a component and checks everything that can be checked without running or compiling
    /// it: what it is, what it was built for, that its manifest says the truth.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<Self, PackageError> {
        Self::check_size(bytes)?;
        if !bytes.starts_with(b"\0asm") {
            return Err(PackageError::NotWasm);
        }
        if Parser::is_core_wasm(bytes) {
            return Err(PackageError::CoreModule);
        }
        let outline = Outline::read(bytes)?;
        let manifest = manifest_of(&outline)?;
        let end = Instant::now() + Duration::from_millis(limits::VALIDATION.value);
        validate(bytes, end)?;
        Self::of(bytes, outline, manifest).map_err(|error| compared(error, bytes))
    }

    /// Reads a file again that [`Package::read`] has taken before, which its hash proves. Not every
    /// function is looked at again, so that a start is quick; another file is read as if it were
    /// new.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn reopen(bytes: &[u8], digest: &[u8; 32]) -> Result<Self, PackageError> {
        if blake3::hash(bytes) != *digest {
            return Self::read(bytes);
        }
        let outline = Outline::read_again(bytes)?;
        let manifest = manifest_of(&outline)?;
        Self::of(bytes, outline, manifest)
    }

    fn of(bytes: &[u8], outline: Outline, manifest: Manifest) -> Result<Self, PackageError> {
        let roles = roles(&outline)?;
        check_contract(&manifest.contract)?;
        check_roles(&manifest, &roles)?;
        check_imports(&outline)?;
        Ok(Self {
            manifest,
            needs: outline.needs,
            settings: outline.settings.unwrap_or_default(),
            digest: *blake3::hash(bytes).as_bytes(),
            bytes: bytes.to_vec(),
        })
    }

    /// Puts a manifest and default settings into a component, in the place of those it has, which
    /// makes it a plugin's file.
    #[must_use]
    pub fn seal(component: &[u8], manifest: &str, settings: &str) -> Vec<u8> {
        let mut bytes = without_ours(component);
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

/// Of a plugin for another version of the contract, which is valid, tells where it differs first.
fn compared(error: PackageError, bytes: &[u8]) -> PackageError {
    match error {
        PackageError::WrongContract { found, known, .. } => PackageError::WrongContract {
            found,
            known,
            difference: kjerne_contract::first_difference(bytes),
        },
        other => other,
    }
}

/// The manifest inside; a component of another contract, or of none, has none of ours.
fn manifest_of(outline: &Outline) -> Result<Manifest, PackageError> {
    match outline.manifest.as_deref() {
        Some(text) => Manifest::parse(text),
        None => {
            roles(outline)?;
            Err(PackageError::NoManifest)
        }
    }
}

/// A component without the sections that make it a plugin's file. What cannot be read as a section
/// stays, and is refused where the file is read.
fn without_ours(component: &[u8]) -> Vec<u8> {
    let (head, mut rest) = component.split_at(component.len().min(8));
    let mut kept = head.to_vec();
    while let Some((section, after)) = split_section(rest) {
        let name = section_name(section);
        let ours = [MANIFEST_SECTION, SETTINGS_SECTION];
        if !ours.iter().any(|ours| name == Some(ours.as_bytes())) {
            kept.extend_from_slice(section);
        }
        rest = after;
    }
    kept.extend_from_slice(rest);
    kept
}

/// The first section, with its head, and what follows.
fn split_section(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, content) = read_length(bytes.get(1..)?)?;
    let end = bytes.len() - content.len() + length;
    bytes.split_at_checked(end)
}

/// The name of a custom section.
fn section_name(section: &[u8]) -> Option<&[u8]> {
    if section.first() != Some(&0) {
        return None;
    }
    let (_, content) = read_length(section.get(1..)?)?;
    let (length, content) = read_length(content)?;
    content.get(..length)
}

/// Reads a length in LEB128, and returns it with what follows.
fn read_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut length = 0;
    for (place, byte) in bytes.iter().enumerate().take(5) {
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((length, &bytes[place + 1..]));
        }
    }
    None
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
    WasmFeatures::WASM2
        | WasmFeatures::EXTENDED_CONST
        | WasmFeatures::MULTI_MEMORY
        | WasmFeatures::COMPONENT_MODEL
}

/// Checks the whole file by WebAssembly's rules, part by part, and not for ever: some of the rules
/// take far longer than the part they are about is long.
pub fn validate(bytes: &[u8], end: Instant) -> Result<(), PackageError> {
    let mut validator = Validator::new_with_features(features());
    let mut kept = wasmparser::FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(invalid)?;
        if let ValidPayload::Func(function, body) = validator.payload(&payload).map_err(invalid)? {
            let mut function = function.into_validator(kept);
            function.validate(&body).map_err(invalid)?;
            kept = function.into_allocations();
        }
        if Instant::now() > end {
            return Err(PackageError::TooLarge {
                limit: limits::VALIDATION,
                found: None,
            });
        }
    }
    Ok(())
}

/// The roles exported.
fn roles(outline: &Outline) -> Result<Vec<Role>, PackageError> {
    let mut roles = Vec::new();
    for name in outline
        .exports
        .iter()
        .filter(|name| name.starts_with(PREFIX))
    {
        let interface = interface(name)?;
        let role = Role::ALL.into_iter().find(|role| role.name() == interface);
        roles.push(role.ok_or_else(|| PackageError::UnknownExport(name.clone()))?);
    }
    if roles.is_empty() {
        Err(PackageError::NotOurs)
    } else {
        Ok(roles)
    }
}

fn check_imports(outline: &Outline) -> Result<(), PackageError> {
    for name in &outline.imports {
        let known = name.starts_with(PREFIX) && IMPORTS.contains(&interface(name)?);
        if !known {
            return Err(PackageError::UnknownImport(name.clone()));
        }
    }
    Ok(())
}

/// `guard` of `kjerne:crm/guard@0.2.0`, when the version is one this host has.
fn interface(name: &str) -> Result<&str, PackageError> {
    let rest = name.strip_prefix(PREFIX).unwrap_or(name);
    let (interface, version) = rest.split_once('@').unwrap_or((rest, ""));
    check_contract(version)?;
    Ok(interface)
}

/// A plugin fits when it was built for the same line of the contract, and for nothing newer than
/// this host has. Below 1.0, a line is a minor version.
fn check_contract(found: &str) -> Result<(), PackageError> {
    let wrong = || PackageError::WrongContract {
        found: found.to_owned(),
        known: CONTRACT,
        difference: None,
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

fn check_roles(manifest: &Manifest, exported: &[Role]) -> Result<(), PackageError> {
    if let Some(missing) = manifest.roles.keys().find(|role| !exported.contains(role)) {
        return Err(PackageError::RoleNotExported(*missing));
    }
    match exported
        .iter()
        .find(|role| !manifest.roles.contains_key(role))
    {
        Some(hidden) => Err(PackageError::RoleNotDeclared(*hidden)),
        None => Ok(()),
    }
}
