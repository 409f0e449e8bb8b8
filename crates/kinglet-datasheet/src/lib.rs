//! Documents about a machine-learning sensor: its footprint, its datasheet, its risk card.
//!
//! The contents are facts from a TOML file and from the model; the texts are in
//! [`kinglet_text`], in four languages; the pages stand alone, print well and need no script.
#![forbid(unsafe_code)]

pub mod chart;
pub mod datasheet;
pub mod footprint;
pub mod lint;
mod number;
mod page;
pub mod risk;
pub mod sheet;
pub mod spec;

pub use number::Number;
