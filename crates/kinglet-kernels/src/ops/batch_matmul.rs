//! BATCH_MATMUL: int8, int16, float32.

use crate::ops::elements::for_each_pair;
use crate::ops::layer::Sum;
use crate::params::params;
use crate::quant::Multiplier;
use crate::{Call, Element, Fault, Place};

params! {
    /// Parameters of the kernels in this file. A row is one matrix of the output.
    pub struct BatchMatmulParams {
        /// First factor, anywhere.
        pub input1: Place,
        /// Its elements.
        pub len1: u32,
        /// Second factor, anywhere.
        pub input2: Place,
        /// Its elements.
        pub len2: u32,
        /// Output.
        pub output: Place,
        /// Its elements.
        pub len: u32,
        /// Rows of a matrix of the first factor and of the output.
        pub rows: u32,
        /// Columns of a matrix of the second factor and of the output.
        pub columns: u32,
        /// Columns of a matrix of the first factor, and rows of the second.
        pub depth: u32,
        /// Which factors lie transposed: bit 0 the first, bit 1 the second.
        pub adjoint: u32,
        /// Where the leading dimensions stand in the plan, as for
        /// [`BinaryParams`](crate::ops::binary::BinaryParams), in matrices.
        pub dims: u32,
        /// Their number.
        pub dims_len: u32,
        /// Zero points of the factors.
        pub zero_points: [i16; 2],
        /// Zero point of the output.
        pub zero_point: i32,
        /// Multiplier of the result.
        pub multiplier: i32,
        /// Its shift.
        pub shift: i32,
    }
}

/// Portable BATCH_MATMUL, int8. Sums wrap at 32 bits. Inputs and output do not overlap.
pub fn batch_matmul_s8(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<i8, i32>(call)
}

/// Portable BATCH_MATMUL, int16. Sums wrap at 64 bits. Inputs and output do not overlap.
pub fn batch_matmul_s16(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<i16, i64>(call)
}

fn quantized<T: Element, S: Sum>(call: &Call<'_>) -> Result<(), Fault> {
    let p: BatchMatmulParams = call.params()?;
    let [zero1, zero2] = p.zero_points.map(i32::from);
    let factor = Multiplier { multiplier: p.multiplier, shift: p.shift as i8 };
    matrices::<T, S>(
        call,
        &p,
        |sum, a, b| sum.plus_product(a.as_().wrapping_sub(zero1), b.as_().wrapping_sub(zero2)),
        |sum| T::saturating_from(sum.scale(factor).wrapping_add(p.zero_point)),
    )
}

/// Portable BATCH_MATMUL, float32; sums go from the first to the last. Inputs and output do not overlap.
pub fn batch_matmul_f32(call: &Call<'_>) -> Result<(), Fault> {
    matrices::<f32, f32>(call, &call.params()?, |sum, a, b| sum + a * b, |sum| sum)
}

fn matrices<T: Element, S: Default>(
    call: &Call<'_>,
    p: &BatchMatmulParams,
    add: impl Fn(S, T, T) -> S,
    end: impl Fn(S) -> T,
) -> Result<(), Fault> {
    let a = call.source::<T>(p.input1, p.len1 as usize)?;
    let b = call.source::<T>(p.input2, p.len2 as usize)?;
    let output = call.view::<T>(p.output, p.len as usize)?;
    let dims = (p.dims_len as usize)
        .checked_mul(3)
        .and_then(|words| call.plan.get(p.dims as usize..)?.get(..words))
        .ok_or(Fault::BadPlan)?;
    let [rows, columns, depth] = [p.rows, p.columns, p.depth].map(|size| size as usize);
    // Steps from one row, or column, of the output to the next, and along the depth.
    let (a_step, a_depth) = if p.adjoint & 1 == 0 { (depth, 1) } else { (1, rows) };
    let (b_step, b_depth) = if p.adjoint & 2 == 0 { (1, columns) } else { (depth, 1) };
    for_each_pair(call, 1, dims, |i, i1, i2| {
        let first = |i: usize, rows: usize, columns: usize| i.wrapping_mul(rows).wrapping_mul(columns);
        let (a_start, b_start) = (first(i1, rows, depth), first(i2, depth, columns));
        let mut out = first(i, rows, columns);
        for row in 0..rows {
            for column in 0..columns {
                let mut a_at = a_start.wrapping_add(row.wrapping_mul(a_step));
                let mut b_at = b_start.wrapping_add(column.wrapping_mul(b_step));
                let mut sum = S::default();
                for _ in 0..depth {
                    sum = add(sum, a.get(a_at)?, b.get(b_at)?);
                    a_at = a_at.wrapping_add(a_depth);
                    b_at = b_at.wrapping_add(b_depth);
                }
                output.set(out, end(sum))?;
                out = out.wrapping_add(1);
            }
        }
        Ok(())
    })
}
