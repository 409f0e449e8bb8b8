//! What a TinyML device costs the climate: embodied and operational kg CO2-equivalent.
//!
//! The model and its numbers are those of the TinyML Footprint calculator and of the paper behind it (Prakash and
//! others, "Is TinyML Sustainable?", CACM, November 2023, doi 10.1145/3608473); where the two differ, both are
//! here, by name ([`DataSet`]). Hardware values go back to Pirson and Bol, J. Cleaner Production 322 (2021)
//! 128966. All arithmetic is in decimals, exact to 28 digits.
//!
//! ```
//! use kinglet_footprint::{DataSet, Device};
//! let vision = Device::new(DataSet::Calculator);
//! assert_eq!(vision.footprint().total().to_string(), "3.24");
//! ```
#![forbid(unsafe_code)]

pub mod board;
pub mod data;
mod device;
pub mod energy;
mod file;
pub mod grid;
pub mod scale;
pub mod table;

pub use data::{Component, DataSet};
pub use device::{Device, Footprint, Origin, Part, PartName, UnknownChoice};
pub use file::{Description, EnergySource, GridSource, LOAD_KEYS, ModelFacts, SECTIONS};
