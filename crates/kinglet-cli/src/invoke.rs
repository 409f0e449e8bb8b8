//! Running an interpreter and taking note of what it does.

use std::time::{Duration, Instant};

use kinglet::{Interpreter, InvokeError};
use kinglet_cli::golden::Xorshift32;

/// Invokes by steps: the CRC-32 of each operator's first output, taken when the operator is done.
pub(crate) fn op_crcs(net: &mut Interpreter<'_>) -> Result<Vec<String>, InvokeError> {
    let mut crcs: Vec<(u32, u32)> = Vec::new();
    while let Some(done) = net.step()? {
        let crc = crc32fast::hash(done.output);
        match crcs.last_mut() {
            // An operator may take several steps: the last one counts.
            Some((op, last)) if *op == done.op => *last = crc,
            _ => crcs.push((done.op, crc)),
        }
    }
    Ok(crcs.iter().map(|(_, crc)| format!("{crc:08x}")).collect())
}

/// Invokes by steps: how long each operator takes.
pub(crate) fn op_times(net: &mut Interpreter<'_>) -> Result<Vec<(u32, Duration)>, InvokeError> {
    let mut times: Vec<(u32, Duration)> = Vec::new();
    let mut start = Instant::now();
    while let Some(done) = net.step()? {
        let end = Instant::now();
        let time = end - start;
        match times.last_mut() {
            Some((op, total)) if *op == done.op => *total += time,
            _ => times.push((done.op, time)),
        }
        start = Instant::now();
    }
    Ok(times)
}

/// Fills all inputs with the synthetic data of the device protocol.
pub(crate) fn fill_inputs(net: &mut Interpreter<'_>) {
    let mut generator = Xorshift32::new();
    for i in 0..net.input_count() {
        generator.fill(net.input_bytes_mut(i).unwrap_or_default());
    }
}

/// A duration in nanoseconds.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
