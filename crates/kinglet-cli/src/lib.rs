//! What the `kinglet` binary shares with the repository's own tasks: golden folders.
#![forbid(unsafe_code)]

pub mod golden;
