//! The contract, one file per version: bindings made from WIT, and the model's types on both sides.

pub mod answers;
pub mod screens;
pub mod v0_2_0;
