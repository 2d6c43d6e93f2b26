//! The one WebAssembly engine of the process: what guests may use, and how they are interrupted.

use std::num::NonZeroUsize;
use std::time::Duration;

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, ModuleVersionStrategy, OptLevel,
    PoolingAllocationConfig, Strategy, WasmBacktraceDetails,
};

use crate::error::HostError;
use crate::limits;

/// The runtime's full version. The runtime itself compares only the first number when it takes
/// native code back, and a fix in the compiler changes only the last.
pub const RUNTIME_VERSION: &str = "48.0.8";

/// How often guests can be interrupted, and so how exact a deadline is.
const TICK: Duration = Duration::from_millis(5);

/// Memory of a slot that stays with the process between calls. A Rust guest with a small stack
/// touches less; more would be cleared at every call.
const KEEP_RESIDENT: usize = 1 << 20;

/// Makes the engine, with a pool of `slots` places when the machine has the address space for it.
///
/// # Errors
/// When the machine cannot run WebAssembly so.
pub fn engine(slots: usize) -> Result<Engine, HostError> {
    let pooled = InstanceAllocationStrategy::Pooling(pool(slots));
    let engine = build(pooled).or_else(|_| build(InstanceAllocationStrategy::OnDemand));
    let engine = engine.map_err(|error| HostError::Engine(format!("{error:#}")))?;
    start_ticking(&engine)?;
    Ok(engine)
}

fn build(allocation: InstanceAllocationStrategy) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .wasm_memory64(false)
        // Components made of several programs copy between their memories.
        .wasm_multi_memory(true)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .wasm_wide_arithmetic(false)
        // The same input gives the same verdict and the same fuel on every machine.
        .cranelift_nan_canonicalization(true)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(limits::STACK.value as usize)
        .wasm_backtrace_max_frames(NonZeroUsize::new(20))
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .native_unwind_info(false)
        // A slot is as large as the largest guest; small slots pack well.
        .memory_reservation(limits::MEMORY_LATER.value)
        .memory_guard_size(32 << 20)
        .module_version(ModuleVersionStrategy::Custom(RUNTIME_VERSION.to_owned()))?
        .allocation_strategy(allocation);
    Engine::new(&config)
}

fn pool(slots: usize) -> PoolingAllocationConfig {
    let slots = u32::try_from(slots).unwrap_or(u32::MAX / 64);
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(slots)
        .total_memories(limits::MEMORIES.value as u32 * slots)
        .total_tables(limits::COMPONENT_TABLES.value as u32 * slots)
        .total_core_instances(limits::POOL_INSTANCES.value as u32 * slots)
        .max_memory_size(limits::MEMORY_LATER.count())
        .table_elements(limits::TABLE.count())
        .max_memories_per_module(limits::MODULE_MEMORIES.value as u32)
        .max_tables_per_module(limits::MODULE_TABLES.value as u32)
        .max_core_instances_per_component(limits::INSTANCES.value as u32)
        .max_memories_per_component(limits::MEMORIES.value as u32)
        .max_tables_per_component(limits::COMPONENT_TABLES.value as u32)
        .max_component_instance_size(limits::INSTANCE_SIZE.count())
        .max_core_instance_size(limits::INSTANCE_SIZE.count())
        .max_unused_warm_slots(slots)
        .decommit_batch_size(1);
    // Keeping memory resident halves the cost of a call where the kernel can say which pages were
    // written, and doubles it where it cannot.
    if PoolingAllocationConfig::is_pagemap_scan_available() {
        pool.pagemap_scan(Enabled::Yes)
            .linear_memory_keep_resident(KEEP_RESIDENT)
            .table_keep_resident(256 << 10);
    }
    pool
}

/// Counts up the engine's epoch until the engine is gone.
fn start_ticking(engine: &Engine) -> Result<(), HostError> {
    let weak = engine.weak();
    let tick = move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    };
    let started = std::thread::Builder::new()
        .name("plugin-clock".to_owned())
        .spawn(tick);
    started
        .map(drop)
        .map_err(|error| HostError::Engine(format!("no thread for the clock: {error}")))
}
