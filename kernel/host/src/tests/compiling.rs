//! Compiling apart: what a compiler may take, and how it is ended. Other programs stand for the compiler
//! here, which knows no component that takes just so much.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::compiler::{Allowed, Uncompiled, compile_apart};
use crate::limits;

/// What becomes of a shell command that stands for the compiler.
fn compiled(command: &str, allowed: &Allowed) -> Result<usize, &'static str> {
    let began = Instant::now();
    let mut shell = Command::new("sh");
    let done = compile_apart(shell.args(["-c", command]), b"a component", allowed);
    assert!(began.elapsed() < Duration::from_secs(20), "it is ended");
    match done {
        Ok(code) => Ok(code.len()),
        Err(Uncompiled::TooMuch(limit)) => Err(limit.name),
        Err(Uncompiled::Refused(why) | Uncompiled::NoRoom(why)) => {
            assert!(why.contains("cannot"), "{why}");
            Err("refused")
        }
    }
}

fn allowed() -> Allowed {
    Allowed::of(0)
}

#[test]
fn a_file_is_compiled_for_so_long_a_time() {
    assert_eq!(compiled("cat", &allowed()), Ok(11));
    let mut short = allowed();
    short.time.value = 50;
    assert_eq!(
        compiled("exec sleep 60", &short),
        Err(limits::COMPILE_TIME.name)
    );
}

#[test]
fn a_compiler_has_so_much_memory() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let fill = "kept=$(head -c 60000000 /dev/zero | tr '\\0' x); exec 1>&-; sleep 1; echo $kept | head -c 1 >&2";
    let mut little = allowed();
    assert!(compiled(fill, &little).is_ok());
    little.memory.value = 16 << 20;
    assert_eq!(compiled(fill, &little), Err(limits::COMPILE_MEMORY.name));
}

#[test]
fn native_code_has_so_many_bytes() {
    let mut few = allowed();
    few.code.value = 1_000;
    assert_eq!(compiled("head -c 1000 /dev/zero", &few), Ok(1_000));
    assert_eq!(
        compiled("head -c 1001 /dev/zero", &few),
        Err(limits::COMPILED.name)
    );
}

#[test]
fn a_compiler_that_breaks_has_refused() {
    for command in ["exit 1", "kill -9 $$", "echo it cannot >&2; exit 1"] {
        assert_eq!(compiled(command, &allowed()), Err("refused"), "{command}");
    }
}

#[test]
fn a_larger_file_may_take_more() {
    let of = |bytes: u64| {
        let allowed = Allowed::of(bytes);
        (allowed.time.value, allowed.memory.value)
    };
    let (time, memory) = (limits::COMPILE_TIME.value, limits::COMPILE_MEMORY.value);
    assert_eq!(of(0), (time, memory));
    let (each_time, each_memory) = (limits::COMPILE_TIME_MIB, limits::COMPILE_MEMORY_MIB);
    assert_eq!(
        of(4 << 20),
        (time + 4 * each_time.value, memory + 4 * each_memory.value)
    );
}
