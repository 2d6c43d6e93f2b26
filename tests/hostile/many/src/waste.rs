//! Using up time, memory and the host's patience.

use std::hint::black_box;

use kjerne_sdk::{log, settings};

/// Does what the behaviour says; one it does not know does nothing.
pub fn waste(behaviour: &str) {
    match behaviour {
        "loop" => turn(),
        "bulk" => fill(),
        "recursion" => drop(descend(1)),
        "memory" => take(),
        "log-flood" => loop {
            log::info("one more line");
        },
        "host-flood" => loop {
            black_box(settings::revision());
        },
        "panic" => panic!("as the settings say"),
        "trap" => trap(),
        _ => {}
    }
}

fn turn() {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// One `memory.fill` takes long and is one instruction.
fn fill() {
    let mut block = vec![0_u8; 8 << 20];
    for value in (0..=u8::MAX).cycle() {
        block.fill(value);
        black_box(&mut block);
    }
}

/// Never gets to 0, which the compiler cannot know.
fn descend(depth: u64) -> u64 {
    let deeper = black_box(depth) + 1;
    if deeper == 0 {
        0
    } else {
        black_box(descend(deeper)) + depth
    }
}

fn take() {
    let mut taken = Vec::new();
    loop {
        taken.push(black_box(Vec::<u8>::with_capacity(1 << 20)));
    }
}

fn trap() {
    #[cfg(target_family = "wasm")]
    core::arch::wasm32::unreachable();
}
