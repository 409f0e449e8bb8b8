//! Moving bytes: for operators that only rename their data, where input and output can't share a place.

use crate::params::params;
use crate::{Call, Fault, Place};

params! {
    /// Parameters of [`copy`]. A row is the whole tensor.
    pub struct CopyParams {
        /// Input, anywhere.
        pub input: Place,
        /// Output.
        pub output: Place,
        /// Bytes to move.
        pub bytes: u32,
    }
}

/// Moves bytes. Input and output do not overlap, or are the same.
pub fn copy(call: &Call<'_>) -> Result<(), Fault> {
    let p: CopyParams = call.params()?;
    let len = p.bytes as usize;
    let input = call.source::<i8>(p.input, len)?;
    let output = call.view::<i8>(p.output, len)?.cells(0, len)?;
    for (i, cell) in output.iter().enumerate() {
        cell.set(input.get(i)?);
    }
    Ok(())
}
