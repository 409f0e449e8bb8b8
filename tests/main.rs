//! Tests of kinglet as a whole, from bytes to outputs.

mod bad_input;
mod bad_options;
mod kernels;
mod modes;
mod mutation;
mod plans;
mod properties;
mod regressions;
mod slim;
mod subgraphs;

use proptest::test_runner::Config;

/// So many cases, each from a new seed. A case that fails is printed in full: make a test of it.
fn config(cases: u32) -> Config {
    Config { cases, failure_persistence: None, ..Config::default() }
}
