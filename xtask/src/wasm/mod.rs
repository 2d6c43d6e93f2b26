//! Makes sure that Rust can build WebAssembly on this machine.
//!
//! In this order: the target is there; rustup adds it; Debian's packages make it. What building a
//! plugin needs in its environment is left in `target/wasm-toolchain/env`, where `kjerne plugin build`
//! finds it; no such file means that nothing is needed.

mod debian;
mod target;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use self::target::{TARGET, has_std};
use crate::run;

/// Set to `rustup` or `debian` to use one way only; for trying out the other than usual.
const ROUTE: &str = "KJERNE_WASM_ROUTE";

/// Where what is not installed by rustup lies. Not under `CARGO_TARGET_DIR`: the `kjerne` program
/// looks for it in the checkout it was built from.
fn folder() -> PathBuf {
    run::root().join("target/wasm-toolchain")
}

/// Makes sure that plugins can be built, and says on stderr what it does when it does something.
pub fn set_up() -> Result<()> {
    match env::var(ROUTE).unwrap_or_default().as_str() {
        "" => any_route(),
        "rustup" => rustup(),
        "debian" => debian::set_up(&folder()),
        other => bail!("{ROUTE} is {other:?}; it may be rustup or debian, or not set"),
    }
}

fn any_route() -> Result<()> {
    if target_installed() {
        return forget(&folder());
    }
    if debian::ready(&folder()) {
        return debian::set_up(&folder());
    }
    let Err(from_rustup) = rustup() else {
        return Ok(());
    };
    run::say(format!(
        "rustup cannot add {TARGET}; trying Debian's packages"
    ));
    let Err(from_debian) = debian::set_up(&folder()) else {
        return Ok(());
    };
    bail!(
        "Rust cannot build WebAssembly on this machine yet, and that cannot be changed from here.\n\
         - rustup: {from_rustup:#}\n\
         - Debian packages: {from_debian:#}\n\
         Install the target {TARGET} for the Rust compiler in use (`rustup target add {TARGET}` where \
         its downloads can be reached), then run this again."
    )
}

/// Whether the compiler in use has the target's standard library.
fn target_installed() -> bool {
    let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let asked =
        run::read(run::command(compiler).args(["--print", "target-libdir", "--target", TARGET]));
    asked.is_ok_and(|folder| has_std(Path::new(&folder)))
}

fn rustup() -> Result<()> {
    if !target_installed() {
        run::say(format!("adding {TARGET} with rustup"));
        run::read(run::command("rustup").args(["target", "add", TARGET]))?;
        if !target_installed() {
            bail!("rustup added {TARGET}, but not to the compiler in use");
        }
    }
    forget(&folder())
}

/// Lets plugins be built without any extra environment.
fn forget(folder: &Path) -> Result<()> {
    let file = folder.join("env");
    if file.exists() {
        fs::remove_file(file)?;
    }
    Ok(())
}
