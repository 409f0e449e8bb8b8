//! Running an interpreter and taking note of what it does.

use std::time::{Duration, Instant};

use kinglet::{Interpreter, InvokeError};
use kinglet_cli::golden::Xorshift32;

/// What an operator did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpRun {
    /// Its number in the file.
    pub(crate) op: u32,
    pub(crate) time: Duration,
    /// CRC-32 of its first output, taken when it is done; 0 when nobody asked for it.
    pub(crate) crc32: u32,
}

impl OpRun {
    /// 8 hex digits.
    pub(crate) fn crc32(&self) -> String {
        format!("{:08x}", self.crc32)
    }
}

/// Invokes by steps. Checksums are taken outside the times.
pub(crate) fn by_ops(net: &mut Interpreter<'_>, with_crcs: bool) -> Result<Vec<OpRun>, InvokeError> {
    let mut ops: Vec<OpRun> = Vec::new();
    loop {
        let start = Instant::now();
        let Some(done) = net.step()? else { return Ok(ops) };
        let time = start.elapsed();
        let op = done.op;
        let crc32 = if with_crcs { crc32fast::hash(done.output) } else { 0 };
        match ops.last_mut() {
            // An operator may take several steps; its output is whole after the last.
            Some(last) if last.op == op => *last = OpRun { op, time: last.time + time, crc32 },
            _ => ops.push(OpRun { op, time, crc32 }),
        }
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
