//! Compiles plugins in a process of its own, which is ended when it takes too long or too much memory.
//!
//! A small file can keep a compiler busy for minutes and fill the memory of the machine, by what its
//! functions come to rather than by their size. No count of its parts tells that beforehand, and a
//! compiler cannot be stopped from within: so it runs where it can be ended from outside.

use std::io::{self, Read, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use kjerne_core::limits::Limit;
use wasmtime::Engine;

use crate::engine::engine;
use crate::limits;

/// The first argument of a program that is to compile and do nothing else.
pub const ARGUMENT: &str = "compile-plugin-from-standard-input";

/// How often the compiler is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// What Linux counts a process's work in, on every machine.
const TICK: Duration = Duration::from_millis(10);

/// So many times as long as it may work may pass by the clock.
const BUSY: u32 = 8;

/// The most of a compiler's complaint that is kept.
const COMPLAINT: u64 = 4_096;

/// The program that compiles; none compiles within the process.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Why there is no native code.
#[derive(Debug)]
pub enum Uncompiled {
    /// It took more than it may.
    TooMuch(Limit),
    /// The compiler did not take it, or could not be started.
    Refused(String),
    /// Of what was compiled, no instance would have room.
    NoRoom(String),
}

/// Has plugins compiled by this program from now on: the running one, when it calls [`serve`] where
/// its first argument is [`ARGUMENT`]. Tests and programs that do not say compile within themselves.
pub fn compile_with(program: PathBuf) {
    // Who says it twice says the same.
    let _ = PROGRAM.set(program);
}

/// What the program does that was started to compile: reads a component, writes its native code.
#[must_use]
pub fn serve() -> ExitCode {
    match compile_piped() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Whoever waits for it has gone when it cannot be told.
            let _ = write!(io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn compile_piped() -> wasmtime::Result<()> {
    end_with_parent();
    let mut bytes = Vec::new();
    io::stdin().read_to_end(&mut bytes)?;
    let engine = engine(1).map_err(|error| wasmtime::Error::msg(error.to_string()))?;
    let code = compile_here(&engine, &bytes)?;
    io::stdout().write_all(&code)?;
    Ok(())
}

/// Ends this process when the one that started it has: nobody would end it at its limits then.
#[cfg(unix)]
fn end_with_parent() {
    use std::os::unix::process::parent_id;
    let parent = parent_id();
    thread::spawn(move || {
        while parent_id() == parent {
            thread::sleep(LOOK);
        }
        std::process::exit(1);
    });
}

#[cfg(not(unix))]
fn end_with_parent() {}

/// A component's native code.
pub fn compile(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>, Uncompiled> {
    match PROGRAM.get() {
        Some(program) => {
            let allowed = Allowed::of(bytes.len() as u64);
            compile_apart(Command::new(program).arg(ARGUMENT), bytes, &allowed)
        }
        None => {
            let compiled = compile_here(engine, bytes);
            compiled.map_err(|error| Uncompiled::Refused(format!("{error:#}")))
        }
    }
}

/// A compiler that panics over a component has refused it: it is a pure function of the file, and
/// nothing it leaves behind is used.
fn compile_here(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Vec<u8>> {
    let compiled = catch_unwind(AssertUnwindSafe(|| engine.precompile_component(bytes)));
    compiled.unwrap_or_else(|_| Err(wasmtime::Error::msg("the compiler cannot take it")))
}

/// What compiling one file may take.
pub struct Allowed {
    /// Time it works.
    pub time: Limit,
    /// Memory of the process.
    pub memory: Limit,
    /// Bytes of native code.
    pub code: Limit,
}

impl Allowed {
    /// For a file of so many bytes.
    pub fn of(bytes: u64) -> Self {
        let more = |base: Limit, each: Limit| Limit {
            value: base.value + each.value * bytes / (1 << 20),
            ..base
        };
        Self {
            time: more(limits::COMPILE_TIME, limits::COMPILE_TIME_MIB),
            memory: more(limits::COMPILE_MEMORY, limits::COMPILE_MEMORY_MIB),
            code: limits::COMPILED,
        }
    }
}

/// Has a command compile what it is given, and ends it when it takes more than it may.
pub fn compile_apart(
    command: &mut Command,
    bytes: &[u8],
    allowed: &Allowed,
) -> Result<Vec<u8>, Uncompiled> {
    let no_start = |error: io::Error| Uncompiled::Refused(format!("no compiler starts: {error}"));
    // Half of the machine is for whoever commits meanwhile.
    let half = thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
    let mut child = command
        .env("RAYON_NUM_THREADS", half.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(no_start)?;
    let code = read_to(child.stdout.take(), allowed.code.value + 1);
    let complaint = read_to(child.stderr.take(), COMPLAINT);
    let stdin = child.stdin.take();
    let passed = thread::scope(|scope| {
        // It may end before it has read all, which its end tells.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(bytes)));
        watch(&mut child, allowed)
    });
    let ended = child.wait().map_err(no_start)?;
    let (code, complaint) = (taken(code), taken(complaint));
    match passed {
        Some(limit) => Err(Uncompiled::TooMuch(limit)),
        None if code.len() as u64 > allowed.code.value => Err(Uncompiled::TooMuch(allowed.code)),
        None if ended.success() => Ok(code),
        None => Err(Uncompiled::Refused(complaint_of(&complaint))),
    }
}

fn complaint_of(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim();
    if text.is_empty() {
        "the compiler cannot take it".to_owned()
    } else {
        text.to_owned()
    }
}

/// Waits until the compiler has ended, or ends it; with the limit it passed.
fn watch(child: &mut Child, allowed: &Allowed) -> Option<Limit> {
    let began = Instant::now();
    let most = Duration::from_millis(allowed.time.value);
    // What cannot be asked whether it has ended has.
    while let Ok(None) = child.try_wait() {
        let works = work_of(child.id()).unwrap_or_else(|| began.elapsed());
        // On a busy machine it waits for its turn, but not for ever.
        let passed = if works > most || began.elapsed() > most * BUSY {
            Some(allowed.time)
        } else {
            memory_of(child.id())
                .filter(|memory| *memory > allowed.memory.value)
                .map(|_| allowed.memory)
        };
        if passed.is_some() {
            // It has ended by itself when it cannot be ended.
            let _ = child.kill();
            return passed;
        }
        thread::sleep(LOOK);
    }
    None
}

/// How much a process has worked; unknown where the system does not tell it in a file, and then the
/// clock counts.
fn work_of(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<u64>);
    let (own, system) = (ticks.next()?.ok()?, ticks.next()?.ok()?);
    Some(TICK * u32::try_from(own + system).ok()?)
}

/// Bytes of memory a process has; unknown where the system does not tell it in a file, and then the
/// time is the only bound.
fn memory_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}

/// Reads a pipe beside whatever else is done, as far as `most` bytes. What comes after them is not
/// read, and whoever writes it finds the pipe closed.
fn read_to(pipe: Option<impl Read + Send + 'static>, most: u64) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What was read before an error is all there is.
            let _ = pipe.take(most).read_to_end(&mut bytes);
        }
        bytes
    })
}

fn taken(reader: JoinHandle<Vec<u8>>) -> Vec<u8> {
    reader.join().unwrap_or_default()
}
