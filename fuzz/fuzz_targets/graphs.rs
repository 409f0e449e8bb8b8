//! Models put together at random, with things changed so that some are no longer sound.
#![no_main]

use kinglet_tests::exercise_graph;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    exercise_graph(bytes);
});
