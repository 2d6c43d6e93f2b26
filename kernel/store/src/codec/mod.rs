//! Values as bytes: the only place where what the kernel keeps is written and read.
//!
//! Every value begins with the version of its form, so that an older form can be read for as long
//! as there are files that hold it. Numbers are of variable length, text has its length in front.

mod damage;
mod decoder;
mod encoder;
mod entry;
mod fields;
mod pending;
mod provenance;
mod rows;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use entry::{decode_entry, encode_entry};
pub(crate) use fields::{decode_record, encode_fields, encode_record};
pub(crate) use rows::Row;
