//! ADD, int8, with broadcasting.

use crate::params::params;
use crate::quant::Multiplier;
use crate::{Call, Choice, Fault, Kernel, Place, Target};

params! {
    /// Parameters of [`add`]. A row is `row_len` elements of the output.
    pub struct AddParams {
        /// First input, anywhere.
        pub input1: Place,
        /// Elements of the first input.
        pub len1: u32,
        /// Second input, anywhere.
        pub input2: Place,
        /// Elements of the second input.
        pub len2: u32,
        /// Output.
        pub output: Place,
        /// Elements of the output.
        pub len: u32,
        /// Elements in a row.
        pub row_len: u32,
        /// Where the broadcast dimensions stand in the plan: three words each, innermost first: size,
        /// step in input 1, step in input 2.
        pub dims: u32,
        /// Their number: 0 when both inputs have the output's shape.
        pub dims_len: u32,
        /// Zero points of input 1, of input 2 and of the output; the last byte is 0.
        pub zero_points: [i8; 4],
        /// Least and greatest output; the rest is 0.
        pub limits: [i8; 4],
        /// Multiplier of input 1.
        pub multiplier1: i32,
        /// Multiplier of input 2.
        pub multiplier2: i32,
        /// Multiplier of the sum.
        pub multiplier: i32,
        /// Shifts of input 1, of input 2 and of the sum, all at most 0; the last byte is 0.
        pub shifts: [i8; 4],
    }
}

/// Bits by which both inputs are shifted left before they are rescaled.
pub const LEFT_SHIFT: u32 = 20;

/// Chooses the kernel of an addition.
pub fn choose(_target: Target) -> Choice {
    Choice { kernel: Kernel::Add, scratch: 0 }
}

/// Portable addition. May run in place on an input that has the output's shape.
pub fn add(call: &Call<'_>) -> Result<(), Fault> {
    let p: AddParams = call.params()?;
    let [zero1, zero2, zero, _] = p.zero_points.map(i32::from);
    let [min, max, ..] = p.limits.map(i32::from);
    let [shift1, shift2, shift, _] = p.shifts;
    let factor1 = Multiplier { multiplier: p.multiplier1, shift: shift1 };
    let factor2 = Multiplier { multiplier: p.multiplier2, shift: shift2 };
    let factor = Multiplier { multiplier: p.multiplier, shift };
    let input1 = call.source::<i8>(p.input1, p.len1 as usize)?;
    let input2 = call.source::<i8>(p.input2, p.len2 as usize)?;
    let output = call.view::<i8>(p.output, p.len as usize)?;
    let dims = (p.dims_len as usize)
        .checked_mul(3)
        .and_then(|words| call.plan.get(p.dims as usize..)?.get(..words))
        .ok_or(Fault::BadPlan)?;

    for y in call.rows.clone() {
        for x in 0..p.row_len {
            let i = y.wrapping_mul(p.row_len).wrapping_add(x);
            let (i1, i2) = broadcast(dims, i)?;
            let x1 = (i32::from(input1.get(i1 as usize)?) - zero1) << LEFT_SHIFT;
            let x2 = (i32::from(input2.get(i2 as usize)?) - zero2) << LEFT_SHIFT;
            let sum = factor1.apply(x1).wrapping_add(factor2.apply(x2));
            let value = factor.apply(sum).wrapping_add(zero);
            output.set(i as usize, value.min(max).max(min) as i8)?;
        }
    }
    Ok(())
}

/// The elements of both inputs that meet in element `i` of the output.
fn broadcast(dims: &[u32], i: u32) -> Result<(u32, u32), Fault> {
    if dims.is_empty() {
        return Ok((i, i));
    }
    let (mut rest, mut i1, mut i2) = (i, 0u32, 0u32);
    for dim in dims.as_chunks::<3>().0 {
        let &[size, step1, step2] = dim;
        let (Some(quotient), Some(at)) = (rest.checked_div(size), rest.checked_rem(size)) else {
            return Err(Fault::BadPlan);
        };
        i1 = i1.wrapping_add(at.wrapping_mul(step1));
        i2 = i2.wrapping_add(at.wrapping_mul(step2));
        rest = quotient;
    }
    Ok((i1, i2))
}
