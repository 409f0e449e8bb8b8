//! Tests of kinglet as a whole, from bytes to outputs.

mod bad_input;
mod properties;
