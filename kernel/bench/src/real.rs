//! The import of a real data set with all plugins on, and a server started on what came of it.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::built_in;
use crate::measured::{BenchArgs, Measured};
use crate::scratch::Scratch;
use kjerne_workspace::runtime::now;
use kjerne_workspace::{Runtime, Workspace};

/// The files in the order they refer to each other, with the kind each becomes and its mapping.
const FILES: [(&str, &str, &str); 5] = [
    ("accounts.csv", "account", "leadforge-accounts.toml"),
    ("contacts.csv", "contact", "leadforge-contacts.toml"),
    ("leads.csv", "lead", "leadforge-leads.toml"),
    (
        "opportunities.csv",
        "opportunity",
        "leadforge-opportunities.toml",
    ),
    (
        "sales_activities.csv",
        "activity",
        "leadforge-activities.toml",
    ),
];

const ROWS_PER_SECOND: f64 = 5_000.0;
const READY_MS: f64 = 300.0;
const RESIDENT_MB: f64 = 120.0;

pub fn measure(args: &BenchArgs) -> Result<Vec<Measured>> {
    let Some(data) = &args.data else {
        let what = "import and serve";
        return Ok(vec![Measured::plain(
            what,
            "skipped: name the data with --data DIR".to_owned(),
        )]);
    };
    let scratch = Scratch::new("real")?;
    let dir = scratch.path("workspace");
    let runtime = Runtime::open(Workspace::init(&dir, "Bench")?, "kjerne bench")?;
    built_in::switch_all_on(&runtime, args.plugins.as_deref(), now())?;
    drop(runtime);
    let mut rows = import(&dir, data, &args.maps)?;
    rows.extend(serve(&dir)?);
    Ok(rows)
}

/// Each file in a process of its own, as a person would do it.
fn import(dir: &Path, data: &Path, maps: &Path) -> Result<Vec<Measured>> {
    let (mut total, mut seconds, mut peak) = (0usize, 0.0, 0.0f64);
    let mut rows = Vec::new();
    for (file, kind, map) in FILES {
        let path = data.join(file);
        let lines = fs::read(&path)
            .with_context(|| format!("cannot read {}", path.display()))?
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let began = Instant::now();
        let mut command = own()?;
        command.arg("-w").arg(dir).arg("import").arg(&path);
        command
            .arg("--as")
            .arg(kind)
            .arg("--map")
            .arg(maps.join(map))
            .stdout(Stdio::null());
        let resident = watched(command.spawn()?)?;
        let took = began.elapsed().as_secs_f64();
        rows.push(Measured::plain(
            &format!("  import {file}"),
            format!(
                "{:.0} rows/s, peak {resident:.0} MB",
                (lines - 1) as f64 / took
            ),
        ));
        (total, seconds, peak) = (total + lines - 1, seconds + took, peak.max(resident));
    }
    let rate = total as f64 / seconds;
    let figure = format!("{rate:.0} rows/s over {total} rows, peak {peak:.0} MB resident");
    let bar = format!(">= {ROWS_PER_SECOND:.0} rows/s");
    rows.insert(
        0,
        Measured::held(
            "import, all files, plugins on",
            figure,
            &bar,
            rate >= ROWS_PER_SECOND,
        ),
    );
    Ok(rows)
}

/// Waits for a process and returns the most memory it had, in MB, as far as it was seen.
fn watched(mut child: Child) -> Result<f64> {
    let mut peak = 0.0f64;
    loop {
        if let Some(resident) = memory(child.id(), "VmHWM:") {
            peak = peak.max(resident);
        }
        if let Some(status) = child.try_wait()? {
            if !matches!(status.code(), Some(0 | 3)) {
                bail!("the import ended with {status}");
            }
            return Ok(peak);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn serve(dir: &Path) -> Result<Vec<Measured>> {
    let address = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        listener.local_addr()?.to_string()
    };
    let (mut fastest, mut resident) = (f64::MAX, 0.0);
    // The first start fills the cache of native code; the others find it warm.
    for round in 0..4 {
        let (ready, memory) = start_once(dir, &address)?;
        if round > 0 {
            fastest = fastest.min(ready);
            resident = memory;
        }
    }
    Ok(vec![
        Measured::held(
            "serve: ready with a warm cache",
            format!("{fastest:.0} ms, best of 3"),
            &format!("< {READY_MS:.0} ms"),
            fastest < READY_MS,
        ),
        Measured::held(
            "serve: resident when ready",
            format!("{resident:.0} MB"),
            &format!("< {RESIDENT_MB:.0} MB"),
            resident < RESIDENT_MB,
        ),
    ])
}

fn start_once(dir: &Path, address: &str) -> Result<(f64, f64)> {
    let began = Instant::now();
    let mut child = own()?
        .arg("-w")
        .arg(dir)
        .args(["serve", "--listen", address])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let health = format!("http://{address}/v1/health");
    while ureq::get(&health).call().is_err() {
        if child.try_wait()?.is_some() || began.elapsed() > Duration::from_secs(20) {
            let _ = child.kill();
            bail!("the server did not start");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let ready = began.elapsed().as_secs_f64() * 1e3;
    let resident = memory(child.id(), "VmRSS:").unwrap_or(f64::NAN);
    child.kill()?;
    child.wait()?;
    Ok((ready, resident))
}

fn own() -> Result<Command> {
    Ok(Command::new(std::env::current_exe()?))
}

/// A line of the process's status file, in MB; none where there is no such file.
fn memory(process: u32, line: &str) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let value = status.lines().find_map(|text| text.strip_prefix(line))?;
    let kilobytes: f64 = value.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes / 1_024.0)
}
