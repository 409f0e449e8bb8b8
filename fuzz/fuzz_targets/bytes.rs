//! Any bytes, as a model file.
#![no_main]

use kinglet_tests::{Stage, exercise};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    // A further change seldom mends a file that is refused: those that reach the planner are built on.
    match exercise(bytes) {
        Stage::Refused | Stage::Read => Corpus::Reject,
        _ => Corpus::Keep,
    }
});
