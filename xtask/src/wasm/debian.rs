//! The way through Debian's packages, for machines that cannot reach Rust's own server.
//!
//! Debian carries a compiler for browsers' needs together with its standard library's sources. They
//! are downloaded and unpacked into a private folder; nothing is installed and nobody need be root.
//! The standard library for WebAssembly is then built once. Cargo and the linker stay those of the
//! toolchain in use.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::target::{TARGET, has_std};
use crate::run;

/// The packages everything else follows from: the compiler and the sources of its library.
const WANTED: [&str; 2] = ["rustc-web", "rust-web-src"];

/// Whether the private toolchain is there and its compiler runs.
pub fn ready(folder: &Path) -> bool {
    let tools = Toolchain::at(folder);
    has_std(&tools.target_libraries()) && run::read(tools.compiler().arg("--version")).is_ok()
}

/// Downloads, unpacks and builds what is missing, and leaves the environment for plugin builds.
pub fn set_up(folder: &Path) -> Result<()> {
    if !ready(folder) {
        make(folder)?;
    }
    fs::write(folder.join("env"), Toolchain::at(folder).environment()?)?;
    Ok(())
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let apt = Apt::at(folder)?;
    run::say("looking for a Rust compiler among Debian's packages");
    apt.update()?;
    let packages = apt.packages()?;
    let tools = Toolchain::at(folder);
    if run::read(tools.compiler().arg("--version")).is_err() || !tools.sources().is_dir() {
        run::say(format!(
            "downloading {} (about 140 MB, once)",
            packages.join(", ")
        ));
        apt.unpack(&packages, &tools.top)?;
    }
    let version = run::read(tools.compiler().arg("--version"))
        .context("the compiler that was unpacked does not run")?;
    run::say(format!(
        "building the standard library for {TARGET} with {version} (about a minute, once)"
    ));
    tools.build_std(folder)?;
    tools.tidy()?;
    fs::remove_dir_all(apt.folder)?;
    run::say("WebAssembly can be built now");
    Ok(())
}

/// Debian's package tools, with their lists and downloads in a private folder.
struct Apt {
    folder: PathBuf,
}

impl Apt {
    fn at(folder: &Path) -> Result<Self> {
        for tool in ["apt-get", "apt-cache", "dpkg"] {
            run::read(run::command(tool).arg("--version"))
                .with_context(|| format!("{tool} is not there, so this is no Debian"))?;
        }
        let folder = folder.join("apt");
        for part in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(part))?;
        }
        Ok(Self { folder })
    }

    fn command(&self, tool: &str) -> Command {
        let mut command = run::command(tool);
        let private = |key: &str, part: &str| format!("{key}={}", self.folder.join(part).display());
        command
            .arg("-o")
            .arg(private("Dir::State", "state"))
            .arg("-o")
            .arg(private("Dir::Cache", "cache"))
            .args([
                "-o",
                "Dir::State::status=/var/lib/dpkg/status",
                "-o",
                "APT::Sandbox::User=",
            ])
            .env("LC_ALL", "C");
        command
    }

    fn update(&self) -> Result<()> {
        run::read(self.command("apt-get").args(["-qq", "update"])).map(drop)
    }

    /// The packages wanted and, of what they depend on, Rust's and LLVM's own libraries and what
    /// is not installed.
    fn packages(&self) -> Result<Vec<String>> {
        let mut open: Vec<String> = WANTED.map(str::to_owned).to_vec();
        let mut found = BTreeSet::new();
        while let Some(package) = open.pop() {
            let answer =
                run::read(
                    self.command("apt-cache")
                        .args(["depends", "--important", &package]),
                )
                .with_context(|| format!("Debian's lists here have no package {package}"))?;
            let depends = answer
                .lines()
                .filter_map(|line| line.trim().strip_prefix("Depends: "));
            open.extend(
                depends
                    .filter(|name| needed(name) && !found.contains(*name))
                    .map(str::to_owned),
            );
            found.insert(package);
        }
        Ok(found.into_iter().collect())
    }

    fn unpack(&self, packages: &[String], into: &Path) -> Result<()> {
        let downloads = self.folder.join("downloads");
        if downloads.exists() {
            fs::remove_dir_all(&downloads)?;
        }
        fs::create_dir_all(&downloads)?;
        let mut download = self.command("apt-get");
        download
            .args(["-qq", "download"])
            .args(packages)
            .current_dir(&downloads);
        run::read(&mut download)?;
        for file in fs::read_dir(&downloads)?.flatten() {
            run::must(run::command("dpkg").arg("-x").arg(file.path()).arg(into))?;
        }
        Ok(())
    }
}

/// Whether a dependency must be unpacked too.
fn needed(package: &str) -> bool {
    let ours = ["libstd-rust", "libllvm"]
        .iter()
        .any(|start| package.starts_with(start));
    let installed = || {
        let status = ["-W", "-f", "${db:Status-Status}", package];
        run::read(run::command("dpkg-query").args(status)).is_ok_and(|status| status == "installed")
    };
    ours || (package.starts_with("lib") && !installed())
}

/// The unpacked compiler.
struct Toolchain {
    top: PathBuf,
}

impl Toolchain {
    fn at(folder: &Path) -> Self {
        Self {
            top: folder.join("root"),
        }
    }

    fn compiler(&self) -> Command {
        let mut command = run::command(self.top.join("usr/bin/rustc"));
        command.env("LD_LIBRARY_PATH", self.libraries());
        command
    }

    /// The sources of the standard library.
    fn sources(&self) -> PathBuf {
        self.top.join("usr/lib/rustlib/src/rust/library")
    }

    /// Where the target's standard library belongs.
    fn target_libraries(&self) -> PathBuf {
        self.top.join("usr/lib/rustlib").join(TARGET).join("lib")
    }

    /// The folder of shared libraries: `usr/lib/x86_64-linux-gnu` on such a machine.
    fn libraries(&self) -> PathBuf {
        let all = fs::read_dir(self.top.join("usr/lib"))
            .into_iter()
            .flatten()
            .flatten();
        let mut folders = all.map(|entry| entry.path());
        let own = folders.find(|path| path.to_string_lossy().ends_with("-linux-gnu"));
        own.unwrap_or_else(|| self.top.join("usr/lib"))
    }

    /// The variables that make cargo build for WebAssembly with this compiler.
    fn variables(&self) -> Result<Vec<(&'static str, String)>> {
        Ok(vec![
            (
                "RUSTC",
                self.top.join("usr/bin/rustc").display().to_string(),
            ),
            ("LD_LIBRARY_PATH", self.libraries().display().to_string()),
            (
                "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER",
                linker()?.display().to_string(),
            ),
        ])
    }

    /// The same, one to a line, as `kjerne plugin build` reads them.
    fn environment(&self) -> Result<String> {
        let lines = self
            .variables()?
            .into_iter()
            .map(|(name, value)| format!("{name}={value}\n"));
        Ok(lines.collect())
    }

    /// Builds the standard library for WebAssembly and puts it where the compiler looks for it.
    fn build_std(&self, folder: &Path) -> Result<()> {
        let project = folder.join("std");
        fs::create_dir_all(project.join("src"))?;
        fs::write(
            project.join("Cargo.toml"),
            "[package]\nname = \"probe\"\nedition = \"2021\"\n\n[workspace]\n",
        )?;
        fs::write(project.join("src/lib.rs"), "")?;
        let mut build = run::cargo();
        build
            .args(["build", "--quiet", "--release", "--target", TARGET])
            .args(["-Z", "build-std=std,panic_abort", "--target-dir", "target"])
            .current_dir(&project)
            .envs(self.variables()?)
            .env("RUSTC_BOOTSTRAP", "1")
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS");
        run::must(&mut build)?;
        self.place_std(&project.join("target").join(TARGET).join("release/deps"))?;
        fs::remove_dir_all(&project)?;
        Ok(())
    }

    fn place_std(&self, built: &Path) -> Result<()> {
        let into = self.target_libraries();
        fs::create_dir_all(&into)?;
        for file in fs::read_dir(built)?.flatten() {
            let name = file.file_name().to_string_lossy().into_owned();
            if name.ends_with(".rlib") && !name.starts_with("libprobe-") {
                fs::copy(file.path(), into.join(name))?;
            }
        }
        if !has_std(&into) {
            bail!("cargo built no standard library in {}", built.display());
        }
        Ok(())
    }

    /// Removes what was needed for building only, and is most of what was unpacked.
    fn tidy(&self) -> Result<()> {
        for part in ["usr/src", "usr/share"] {
            let folder = self.top.join(part);
            if folder.is_dir() {
                fs::remove_dir_all(folder)?;
            }
        }
        Ok(())
    }
}

/// The linker that comes with the toolchain in use.
fn linker() -> Result<PathBuf> {
    let compiler = || run::command(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let top = run::read(compiler().args(["--print", "sysroot"]))?;
    let version = run::read(compiler().arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("rustc -vV names no host")?;
    let linker = Path::new(&top)
        .join("lib/rustlib")
        .join(host)
        .join("bin/rust-lld");
    if !linker.is_file() {
        bail!(
            "the Rust toolchain in use has no linker at {}",
            linker.display()
        );
    }
    Ok(linker)
}
