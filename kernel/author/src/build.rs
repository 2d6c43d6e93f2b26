//! Builds a plugin's folder into one file: cargo makes a core module, which becomes a component,
//! which takes in manifest and default settings. Authors need a Rust compiler and nothing else.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use kjerne_host::{MANIFEST_SECTION, Package, SETTINGS_SECTION, Settings};
use kjerne_workspace::error::{Context as _, Error, Result};
use serde_json::Value as Json;
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";

/// How plugins are compiled: no unwinding, and fast before small, because a commit waits for a
/// plugin's fuel and nobody for its bytes. Given on the command line, so that a plugin outside this
/// project need not repeat it.
const PROFILE: [&str; 6] = [
    "profile.plugin.inherits=\"release\"",
    "profile.plugin.opt-level=3",
    "profile.plugin.lto=true",
    "profile.plugin.codegen-units=1",
    "profile.plugin.panic=\"abort\"",
    "profile.plugin.strip=true",
];

/// A guest's stack. Every call begins with a fresh one, so a small one makes calls cheaper.
const STACK: &str = "-Clink-arg=-zstack-size=65536";

/// A built plugin.
#[derive(Clone, Debug)]
pub struct Built {
    /// The file.
    pub file: PathBuf,
    /// What it holds, read back as an installation reads it.
    pub package: Package,
}

/// Builds the plugin in `dir`. The file is `ID-VERSION.wasm` in `out`, which is otherwise `plugins`
/// in cargo's target folder; it is left alone when nothing has changed.
///
/// # Errors
/// When the folder holds no plugin, the compiler complains, or the kernel would not install it.
pub fn component_of(dir: &Path, out: Option<&Path>) -> Result<Built> {
    let manifest = read(dir, "kjerne.toml")?;
    let settings = if dir.join("settings.toml").exists() {
        read(dir, "settings.toml")?
    } else {
        String::new()
    };
    Settings::parse(&settings).map_err(|why| {
        Error::unreadable(format!("{}: {why}", dir.join("settings.toml").display()))
    })?;
    let target = target_folder(dir)?;
    let module = fs::read(compile(dir, &target)?)?;
    let bytes = component(&module, &manifest, &settings)?;
    let package = Package::read(&bytes)
        .map_err(|error| Error::refused(format!("{}: {error}", dir.display())))?;
    let name = format!("{}-{}.wasm", package.manifest.id, package.manifest.version);
    let file = out
        .map_or_else(|| target.join("plugins"), Path::to_path_buf)
        .join(name);
    write_if_new(&file, &bytes)?;
    Ok(Built { file, package })
}

fn read(dir: &Path, name: &str) -> Result<String> {
    let file = dir.join(name);
    fs::read_to_string(&file).map_err(|error| {
        Error::not_found(format!(
            "cannot read {}: {error}; is this a plugin's folder?",
            file.display()
        ))
    })
}

/// Where cargo builds the plugin's workspace.
fn target_folder(dir: &Path) -> Result<PathBuf> {
    let mut ask = cargo(dir);
    ask.args(["metadata", "--no-deps", "--format-version", "1"])
        .stderr(Stdio::inherit());
    let output = ask
        .output()
        .context("cannot start cargo; install Rust from https://rustup.rs")?;
    let answer: Json = serde_json::from_slice(&output.stdout).map_err(|_| {
        Error::refused(format!("cargo cannot read the plugin in {}", dir.display()))
    })?;
    let folder = answer["target_directory"]
        .as_str()
        .context("cargo names no target folder")?;
    Ok(PathBuf::from(folder))
}

fn cargo(dir: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(dir).stdin(Stdio::null());
    command
}

/// Has cargo build the core module and returns where it is. The folder it builds in is not the one
/// the kernel is built in, so that neither waits for the other or undoes its work.
fn compile(dir: &Path, target: &Path) -> Result<PathBuf> {
    let mut build = cargo(dir);
    build.args(["build", "--lib", "--profile", "plugin", "--target", TARGET]);
    build.args(["--message-format", "json-render-diagnostics"]);
    build.arg("--target-dir").arg(target.join("plugin-build"));
    for setting in PROFILE {
        build.args(["--config", setting]);
    }
    build
        .env_remove("RUSTFLAGS")
        .env("CARGO_ENCODED_RUSTFLAGS", flags(target).join("\x1f"));
    build.envs(toolchain()?);
    let output = build
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        return Err(Error::refused(format!(
            "the plugin in {} does not compile. If the compiler misses the standard library for \
             {TARGET}, run `rustup target add {TARGET}` (or `cargo xtask wasm-target` in Kjerne's \
             own folder, where rustup cannot download)",
            dir.display()
        )));
    }
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    let file = messages.lines().rev().find_map(module_file);
    file.with_context(|| {
        format!(
            "{} makes no module; its Cargo.toml needs crate-type = [\"cdylib\", \"rlib\"]",
            dir.display()
        )
    })
}

/// The module in one of cargo's messages.
fn module_file(message: &str) -> Option<PathBuf> {
    let message: Json = serde_json::from_str(message).ok()?;
    let files = message["filenames"].as_array()?;
    let module = files
        .iter()
        .filter_map(Json::as_str)
        .find(|file| file.ends_with(".wasm"))?;
    Some(PathBuf::from(module))
}

/// The compiler's flags. Paths of this machine are cut off, so that the same sources make the same
/// file everywhere.
fn flags(target: &Path) -> Vec<String> {
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let mut flags = vec![STACK.to_owned(), remap(&checkout(), "/kjerne")];
    flags.extend(target.parent().map(|project| remap(project, "/plugin")));
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo")));
    flags.extend(home.map(|home| remap(&home, "/cargo")));
    flags
}

/// The sources this program was built from.
pub(super) fn checkout() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_path_buf()
}

/// What the compiler needs in its environment where rustup could not add the target; left there by
/// `cargo xtask wasm-target`.
fn toolchain() -> Result<Vec<(String, String)>> {
    let file = checkout().join("target/wasm-toolchain/env");
    if !file.exists() {
        return Ok(Vec::new());
    }
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    Ok(pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

/// Turns a core module into a component with manifest and settings inside.
fn component(module: &[u8], manifest: &str, settings: &str) -> Result<Vec<u8>> {
    let encoder = ComponentEncoder::default().validate(true).module(module);
    let mut bytes = encoder
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| {
            Error::refused(format!(
                "the module is no plugin: {error:#}; does it use kjerne_sdk::plugin!?"
            ))
        })?;
    append_section(&mut bytes, MANIFEST_SECTION, manifest);
    append_section(&mut bytes, SETTINGS_SECTION, settings);
    Ok(bytes)
}

/// Appends a custom section: its number, its length, its name, its content.
fn append_section(bytes: &mut Vec<u8>, name: &str, content: &str) {
    let mut body = Vec::new();
    append_length(&mut body, name.len());
    body.extend_from_slice(name.as_bytes());
    body.extend_from_slice(content.as_bytes());
    bytes.push(0);
    append_length(bytes, body.len());
    bytes.extend_from_slice(&body);
}

/// Appends a number as unsigned LEB128: seven bits a byte, the lowest first.
fn append_length(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn write_if_new(file: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let half = file.with_extension("wasm.part");
    fs::write(&half, bytes).with_context(|| format!("cannot write {}", half.display()))?;
    fs::rename(&half, file).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_seven_bits_at_a_time() {
        let check = |number: usize, expected: &[u8]| {
            let mut bytes = Vec::new();
            append_length(&mut bytes, number);
            assert_eq!(bytes, expected, "{number}");
        };
        check(0, &[0]);
        check(127, &[0x7f]);
        check(128, &[0x80, 1]);
        check(624_485, &[0xe5, 0x8e, 0x26]);
    }
}
