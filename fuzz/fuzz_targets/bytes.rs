//! Any bytes, as a model file.
#![no_main]

use kinglet_tests::exercise;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    exercise(bytes);
});
