//! Any bytes, as a model file.
#![no_main]

use kinglet_tests::{Stage, exercise};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    // A file that is refused early is a poor start for more changes: one in eight is kept.
    let sum = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    match exercise(bytes) {
        Stage::Refused | Stage::Read if sum % 8 != 0 => Corpus::Reject,
        _ => Corpus::Keep,
    }
});
