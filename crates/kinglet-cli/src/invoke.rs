//! Running an interpreter and taking note of what it does.

use std::time::{Duration, Instant};

use kinglet::{Interpreter, InvokeError, Phase};
use kinglet_cli::golden::Xorshift32;

/// What an operator did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpRun {
    /// Its number in the file.
    pub(crate) op: u32,
    pub(crate) time: Duration,
    /// CRC-32 of its first output, taken when it is done; 0 when only times were asked for.
    pub(crate) crc32: u32,
}

impl OpRun {
    /// 8 hex digits.
    pub(crate) fn crc32(&self) -> String {
        format!("{:08x}", self.crc32)
    }
}

/// Invokes by steps. Checksums are taken outside the times. An operator that runs several times, or in several
/// parts, is in the list once, with all its time.
pub(crate) fn by_ops(net: &mut Interpreter<'_>) -> Result<Vec<OpRun>, InvokeError> {
    let mut ops: Vec<OpRun> = Vec::new();
    loop {
        let start = Instant::now();
        let Some(done) = net.step()? else { return Ok(ops) };
        let time = start.elapsed();
        let op = done.op;
        let crc32 = crc32fast::hash(done.output);
        // Its output is whole after the last of its steps.
        add(&mut ops, OpRun { op, time, crc32 });
    }
}

/// Invokes, and measures each operator.
pub(crate) fn times(net: &mut Interpreter<'_>) -> Result<Vec<OpRun>, InvokeError> {
    let mut ops: Vec<OpRun> = Vec::new();
    let mut start = Instant::now();
    net.invoke_with(|op, phase| match phase {
        Phase::Start => start = Instant::now(),
        Phase::End => add(&mut ops, OpRun { op, time: start.elapsed(), crc32: 0 }),
    })?;
    Ok(ops)
}

fn add(ops: &mut Vec<OpRun>, run: OpRun) {
    match ops.iter_mut().rev().find(|other| other.op == run.op) {
        Some(other) => *other = OpRun { time: other.time + run.time, ..run },
        None => ops.push(run),
    }
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
