//! MEAN, SUM, REDUCE_MAX, REDUCE_MIN, ARG_MAX, ARG_MIN: one output for many inputs.

use crate::ops::quantize::{IntType, Integers, Output};
use crate::params::params;
use crate::quant::multiply_by_quantized_multiplier;
use crate::{Call, Fault, Place};

params! {
    /// Parameters of the kernels in this file. The whole operator is one row.
    pub struct ReduceParams {
        /// Input, anywhere.
        pub input: Place,
        /// Its elements.
        pub input_len: u32,
        /// Output.
        pub output: Place,
        /// Its elements.
        pub output_len: u32,
        /// Where the dimensions stand in the plan, two words each: size and step in the input. First those
        /// that are kept, outermost first, then those that are reduced.
        pub dims: u32,
        /// How many are kept.
        pub kept: u32,
        /// How many are reduced; exactly 1 for ARG_MAX and ARG_MIN.
        pub reduced: u32,
        /// Type of the input.
        pub kind: IntType,
        /// Type of the output.
        pub output_kind: IntType,
        /// Inputs for one output, times the input zero point (0 where it is not used).
        pub offset: i32,
        /// Output zero point.
        pub zero_point: i32,
        /// Multiplier of [`reduce_sum`]; for MEAN the division is in it.
        pub multiplier: i32,
        /// Its shift.
        pub shift: i32,
    }
}

/// Calls `visit` with the offset of every position in dimensions of (size, step), outermost first.
pub(crate) fn walk(
    dims: &[[u32; 2]],
    start: u32,
    visit: &mut dyn FnMut(u32) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let Some((&[size, step], inner)) = dims.split_first() else {
        return visit(start);
    };
    let mut at = start;
    for _ in 0..size {
        walk(inner, at, visit)?;
        at = at.wrapping_add(step);
    }
    Ok(())
}

/// Reduces with `begin` and `next`, and writes what `end` makes of it.
fn reduce(
    call: &Call<'_>,
    begin: i32,
    next: impl Fn(i32, i32, u32) -> i32,
    end: impl Fn(&ReduceParams, i32) -> i32,
) -> Result<(), Fault> {
    let p: ReduceParams = call.params()?;
    let table = call.plan.get(p.dims as usize..).ok_or(Fault::BadPlan)?;
    let dims: &[[u32; 2]] = table.as_chunks().0;
    let (kept, rest) = dims.split_at_checked(p.kept as usize).ok_or(Fault::BadPlan)?;
    let reduced = rest.get(..p.reduced as usize).ok_or(Fault::BadPlan)?;
    // A tensor has at most six dimensions: a deeper table is damaged.
    if kept.len() > 6 || reduced.len() > 6 {
        return Err(Fault::BadPlan);
    }
    let input = Integers::new(call, p.kind, p.input, p.input_len as usize)?;
    let output = Output::new(call, p.output_kind, p.output, p.output_len as usize)?;
    let mut out = 0usize;
    walk(kept, 0, &mut |start| {
        let (mut acc, mut count) = (begin, 0u32);
        walk(reduced, start, &mut |at| {
            acc = next(acc, input.get(at as usize)?, count);
            count = count.wrapping_add(1);
            Ok(())
        })?;
        output.set(out, end(&p, acc))?;
        out = out.wrapping_add(1);
        Ok(())
    })
}

/// Portable MEAN and SUM of int8 or int16. TFLite: `QuantizedMeanOrSum`.
///
/// Accumulators wrap at 32 bits. Input and output do not overlap.
pub fn reduce_sum(call: &Call<'_>) -> Result<(), Fault> {
    reduce(
        call,
        0,
        |sum, x, _| sum.wrapping_add(x),
        |p, sum| {
            let sum = sum.wrapping_sub(p.offset);
            multiply_by_quantized_multiplier(sum, p.multiplier, p.shift).wrapping_add(p.zero_point)
        },
    )
}

/// Portable REDUCE_MAX. Input and output do not overlap.
pub fn reduce_max(call: &Call<'_>) -> Result<(), Fault> {
    reduce(call, i32::MIN, |max, x, _| max.max(x), |_, max| max)
}

/// Portable REDUCE_MIN. Input and output do not overlap.
pub fn reduce_min(call: &Call<'_>) -> Result<(), Fault> {
    reduce(call, i32::MAX, |min, x, _| min.min(x), |_, min| min)
}

/// Portable ARG_MAX to int32: the first of the greatest. Input and output do not overlap.
pub fn arg_max(call: &Call<'_>) -> Result<(), Fault> {
    arg(call, |x, best| x > best)
}

/// Portable ARG_MIN to int32: the first of the least. Input and output do not overlap.
pub fn arg_min(call: &Call<'_>) -> Result<(), Fault> {
    arg(call, |x, best| x < best)
}

fn arg(call: &Call<'_>, better: impl Fn(i32, i32) -> bool) -> Result<(), Fault> {
    let best = core::cell::Cell::new(0);
    let next = |index: i32, x: i32, i: u32| {
        if i == 0 || better(x, best.get()) {
            best.set(x);
            i as i32
        } else {
            index
        }
    };
    reduce(call, 0, next, |_, index| index)
}
