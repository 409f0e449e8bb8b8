//! Data movement: filling, and copying through strides.
//!
//! CONCATENATION, SPLIT, SPLIT_V, PACK, UNPACK, SLICE, STRIDED_SLICE, TRANSPOSE, PAD, PADV2,
//! SPACE_TO_DEPTH, DEPTH_TO_SPACE, SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND and BROADCAST_TO are steps of these
//! two kernels.

use crate::ops::rows::product;
use crate::params::params;
use crate::{Call, Fault, Place};

params! {
    /// Parameters of [`fill`]. A row is the whole tensor.
    pub struct FillParams {
        /// Output.
        pub output: Place,
        /// Its elements.
        pub len: u32,
        /// Bytes of an element: 1, 2, 4 or 8.
        pub element: u32,
        /// The value, little-endian, in its low bytes: low half.
        pub value: u32,
        /// High half, for elements of 8 bytes.
        pub value_high: u32,
    }
}

/// Sets every element to one value.
pub fn fill(call: &Call<'_>) -> Result<(), Fault> {
    let p: FillParams = call.params()?;
    let element = product([p.element])?.max(1);
    let len = product([p.len, p.element])?;
    let output = call.view::<i8>(p.output, len)?.cells(0, len)?;
    let value = (u64::from(p.value_high) << 32 | u64::from(p.value)).to_le_bytes();
    for cells in output.chunks_exact(element) {
        for (cell, byte) in cells.iter().zip(value) {
            cell.set(byte as i8);
        }
    }
    Ok(())
}

/// The most dimensions of a [`strided_copy`].
pub const MAX_DIMS: usize = 6;

params! {
    /// Parameters of [`strided_copy`]. A row is the whole piece.
    pub struct StridedCopyParams {
        /// Input tensor, anywhere.
        pub input: Place,
        /// Its bytes.
        pub input_bytes: u32,
        /// Byte offset of the first element to read.
        pub input_start: u32,
        /// Output tensor.
        pub output: Place,
        /// Its bytes.
        pub output_bytes: u32,
        /// Byte offset of the first element to write.
        pub output_start: u32,
        /// Bytes that lie together in both: the innermost dimension.
        pub run: u32,
        /// Where the other dimensions stand in the plan, outermost first, three words each: number, bytes
        /// from one to the next in the input (signed), in the output.
        pub dims: u32,
        /// Their number, at most 6.
        pub dims_len: u32,
    }
}

/// Copies a block of up to six dimensions and a run of bytes from one tensor into another.
///
/// Input and output do not overlap.
pub fn strided_copy(call: &Call<'_>) -> Result<(), Fault> {
    let p: StridedCopyParams = call.params()?;
    let input = call.source::<i8>(p.input, p.input_bytes as usize)?;
    let output = call.view::<i8>(p.output, p.output_bytes as usize)?;
    let words = product([p.dims_len, 3])?;
    let dims = call.plan.get(p.dims as usize..).and_then(|rest| rest.get(..words)).ok_or(Fault::BadPlan)?;
    let dims: &[[u32; 3]] = dims.as_chunks().0;
    let mut position = [0u32; MAX_DIMS];
    if dims.len() > position.len() {
        return Err(Fault::BadPlan);
    }
    // Wrapping sums of signed steps: whatever comes out is checked when the run is taken.
    let (mut from, mut to) = (p.input_start, p.output_start);
    loop {
        let run = p.run as usize;
        let cells = output.cells(to as usize, run)?;
        for (i, cell) in cells.iter().enumerate() {
            cell.set(input.get((from as usize).wrapping_add(i))?);
        }
        // The next position, as an odometer counts: innermost first, with a carry.
        let mut carried = true;
        for (&[count, from_step, to_step], at) in dims.iter().zip(&mut position).rev() {
            *at = at.wrapping_add(1);
            from = from.wrapping_add(from_step);
            to = to.wrapping_add(to_step);
            if *at < count {
                carried = false;
                break;
            }
            from = from.wrapping_sub(from_step.wrapping_mul(*at));
            to = to.wrapping_sub(to_step.wrapping_mul(*at));
            *at = 0;
        }
        if carried {
            return Ok(());
        }
    }
}
