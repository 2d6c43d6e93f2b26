//! What the SDK asks of its surroundings: the host inside a component, a double in native tests.

#[cfg(not(target_family = "wasm"))]
mod double;
#[cfg(target_family = "wasm")]
mod imports;

#[cfg(not(target_family = "wasm"))]
pub use double::*;
#[cfg(target_family = "wasm")]
pub use imports::*;
