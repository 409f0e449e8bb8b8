//! ADD, SUB and MUL of int8 tensors of one shape: what takes the portable kernels a division by a power of two
//! for each factor is a multiplication here.
//!
//! The reference brings both inputs of a sum to one scale: `(a - zero) << 20`, times a factor of at most 1/2. For the
//! input with the greater scale the factor is exactly 1/2, so that its part is `(a - zero) << 19`, without any
//! rounding; the other takes SMMULR and the rounding that is left. The sum is requantised by
//! [`Rule::Rounded`](super::requant::Rule::Rounded).

use super::instructions::smmulr;
use super::requant::rounded;
use crate::ops::binary::{BinaryParams, BinaryQuant};
use crate::{Call, Fault, Place, Source};

/// The inputs may be added or subtracted by this kernel: one factor is 1/2, and the rules below are exact.
pub(crate) fn has_sum(q: &BinaryQuant) -> bool {
    let [shift1, shift2, shift, _] = q.shifts;
    let is_half = |multiplier: i32, shift: i8| multiplier == 1 << 30 && shift == 0;
    let is_below = |shift: i8| (-30..=0).contains(&shift);
    (is_half(q.multiplier1, shift1) && is_below(shift2) || is_half(q.multiplier2, shift2) && is_below(shift1))
        && has_result(q, shift)
}

/// The inputs may be multiplied by this kernel.
pub(crate) fn has_product(q: &BinaryQuant) -> bool {
    let [_, _, shift, _] = q.shifts;
    has_result(q, shift)
}

fn has_result(q: &BinaryQuant, shift: i8) -> bool {
    let is_int8 = |zero: i32| (-128..=127).contains(&zero);
    let [zero1, zero2] = q.zero_points.map(i32::from);
    (-31..=-2).contains(&shift)
        && q.limits == [-128, 127]
        && is_int8(zero1)
        && is_int8(zero2)
        && is_int8(q.zero_point)
}

/// Rows of both inputs and of the output, element by element.
struct Elements {
    one: *const i8,
    two: *const i8,
    out: *mut i8,
    len: usize,
}

impl Elements {
    /// The rows that `call` wants.
    fn new(call: &Call<'_>, p: &BinaryParams) -> Result<Self, Fault> {
        let at = |row: u32| row.checked_mul(p.row_len).map(|at| at as usize).ok_or(Fault::BadPlan);
        let (first, end) = (at(call.rows.start)?, at(call.rows.end)?);
        let len = end.checked_sub(first).ok_or(Fault::BadPlan)?;
        let input = |place: Place, elements: u32| {
            let elements = elements as usize;
            let rows = first..end;
            match call.source::<i8>(place, elements)? {
                Source::View(view) => Ok(view.cells(first, len)?.as_ptr().cast::<i8>()),
                Source::Constant(bytes) => {
                    bytes.get(rows).map(|rows| rows.as_ptr().cast()).ok_or(Fault::OutOfBounds)
                }
            }
        };
        let (one, two) = (input(p.input1, p.len1)?, input(p.input2, p.len2)?);
        let out = call.view::<i8>(p.output, p.len as usize)?.cells(first, len)?;
        Ok(Self { one, two, out: out.as_ptr().cast::<i8>().cast_mut(), len })
    }

    /// Sets every output to what `map` makes of the inputs.
    #[inline(always)]
    fn map(self, map: impl Fn(i32, i32) -> i32) {
        let Self { mut one, mut two, mut out, len } = self;
        for _ in 0..len / 4 {
            // SAFETY: `new` has seen to `len` elements of each.
            let a = unsafe { one.cast::<i32>().read_unaligned() };
            // SAFETY: the same.
            let b = unsafe { two.cast::<i32>().read_unaligned() };
            let byte = |word: i32, i: u32| i32::from((word >> (8 * i)) as i8);
            let value = |i: u32| (map(byte(a, i), byte(b, i)) & 0xff) << (8 * i);
            let values = value(0) | value(1) | value(2) | value(3);
            // SAFETY: the same. Cells may be written through any reference.
            unsafe { out.cast::<i32>().write_unaligned(values) };
            one = one.wrapping_add(4);
            two = two.wrapping_add(4);
            out = out.wrapping_add(4);
        }
        for _ in 0..len % 4 {
            // SAFETY: the same.
            let a = unsafe { *one };
            // SAFETY: the same.
            let b = unsafe { *two };
            // SAFETY: the same.
            unsafe { *out = map(a.into(), b.into()) as i8 };
            one = one.wrapping_add(1);
            two = two.wrapping_add(1);
            out = out.wrapping_add(1);
        }
    }
}

/// What [`Rule::Rounded`](super::requant::Rule::Rounded) makes of doubled accumulators.
fn requantization(q: &BinaryQuant) -> impl Fn(i32) -> i32 + Copy {
    let [_, _, shift, _] = q.shifts;
    let power = 1i32.wrapping_shl(32u32.wrapping_sub(shift.unsigned_abs().into()));
    let (multiplier, zero) = (q.multiplier, q.zero_point);
    #[inline(always)]
    move |doubled| rounded(doubled, multiplier, power, zero)
}

/// ADD, int8, of one shape. May run in place.
pub fn add_s8(call: &Call<'_>) -> Result<(), Fault> {
    sum(call, 1)
}

/// SUB, int8, of one shape. May run in place.
pub fn sub_s8(call: &Call<'_>) -> Result<(), Fault> {
    sum(call, -1)
}

/// Input 1 plus input 2 times `sign`.
#[inline(never)]
fn sum(call: &Call<'_>, sign: i32) -> Result<(), Fault> {
    let p: BinaryParams = call.params()?;
    let q: BinaryQuant = call.block(p.detail)?;
    let mut elements = Elements::new(call, &p)?;
    let [zero1, zero2] = q.zero_points.map(i32::from);
    let [shift1, shift2, ..] = q.shifts;
    let is_half = q.multiplier1 == 1 << 30 && shift1 == 0;
    let (zero, shift, multiplier, zero_of_half, sign_of_other, sign_of_half);
    if is_half {
        (zero, shift, multiplier, zero_of_half) = (zero2, shift2, q.multiplier2, zero1);
        (sign_of_half, sign_of_other) = (1, sign);
    } else {
        core::mem::swap(&mut elements.one, &mut elements.two);
        (zero, shift, multiplier, zero_of_half) = (zero1, shift1, q.multiplier1, zero2);
        (sign_of_half, sign_of_other) = (sign, 1);
    }
    // From here on `elements.one` is the input whose factor is 1/2. Its part of the doubled sum:
    let factor = (1 << 20) * sign_of_half;
    let offset = -(zero_of_half * factor);
    // The other's part: twice (b - zero) << 20, times the multiplier, by 2^exponent, and doubled.
    let (minus, twice) = (-(zero << 21), 2 * sign_of_other);
    let exponent = u32::from(shift.unsigned_abs());
    let requantize = requantization(&q);
    if exponent == 0 {
        elements.map(|a, b| {
            let b = smmulr((b << 21).wrapping_add(minus), multiplier);
            requantize(b.wrapping_mul(twice).wrapping_add(a.wrapping_mul(factor).wrapping_add(offset)))
        });
    } else {
        let half = 1i32.wrapping_shl(exponent.wrapping_sub(1));
        elements.map(|a, b| {
            let b = smmulr((b << 21).wrapping_add(minus), multiplier);
            let b = b.wrapping_add(b >> 31).wrapping_add(half).wrapping_shr(exponent);
            requantize(b.wrapping_mul(twice).wrapping_add(a.wrapping_mul(factor).wrapping_add(offset)))
        });
    }
    Ok(())
}

/// MUL, int8, of one shape. May run in place.
pub fn mul_s8(call: &Call<'_>) -> Result<(), Fault> {
    let p: BinaryParams = call.params()?;
    let q: BinaryQuant = call.block(p.detail)?;
    let [zero1, zero2] = q.zero_points.map(i32::from);
    let requantize = requantization(&q);
    Elements::new(call, &p)?.map(|a, b| requantize((a - zero1).wrapping_mul((b - zero2) << 1)));
    Ok(())
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::ops::binary;
    use crate::{Params, Region};

    type Kernel = fn(&Call<'_>) -> Result<(), Fault>;

    fn factor() -> impl Strategy<Value = i32> {
        prop_oneof![Just(1 << 30), Just(i32::MAX), (1i32 << 30)..=i32::MAX]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn fast_kernels_equal_the_portable_ones(
            zeros: [i8; 3], multipliers in [factor(), factor(), factor()], shift in -8i8..=0, last in -31i8..=-2,
            is_first: bool, function in 0usize..3, seed: u64, len in 1usize..600, in_place in 0usize..3,
        ) {
            let [zero1, zero2, zero_point] = zeros;
            let [other, _, multiplier] = multipliers;
            let (one, two) = ((1 << 30, 0), (other, shift));
            let ((multiplier1, shift1), (multiplier2, shift2)) = if is_first { (one, two) } else { (two, one) };
            let quant = BinaryQuant {
                zero_points: [zero1.into(), zero2.into()],
                limits: [-128, 127],
                zero_point: zero_point.into(),
                multiplier1,
                multiplier2,
                multiplier,
                // Of a sum 2^18 times what a product has, so that outputs are not all the same.
                shifts: [shift1, shift2, if function < 2 && last > -16 { last - 15 } else { last }, 0],
            };
            prop_assert!(has_sum(&quant) && has_product(&quant));
            let (fast, portable): (Kernel, Kernel) = match function {
                0 => (add_s8, binary::add_s8),
                1 => (sub_s8, binary::sub_s8),
                _ => (mul_s8, binary::mul_s8),
            };
            let run = |kernel: Kernel, output: usize| {
                let at = |i: usize| Place::new(Region::Arena, (i * len) as u32).unwrap();
                let mut plan = Vec::from([len as u32, 1, 1]);
                quant.for_each_word(|word| plan.push(word));
                let params = plan.len();
                let len = len as u32;
                BinaryParams {
                    input1: at(0), len1: len, input2: at(1), len2: len, output: at(output), len,
                    row_len: 1, dims: 0, dims_len: 1, detail: 3,
                }.for_each_word(|word| plan.push(word));
                let mut state = seed | 1;
                let arena: Vec<Cell<i8>> = (0..3 * len).map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    Cell::new((state >> 20) as i8)
                }).collect();
                let whole = Call {
                    arena: &arena, state: &[], constants: &[], prepared: &[], plan: &plan, params, rows: 0..len,
                };
                let cut = seed as u32 % len;
                kernel(&Call { rows: 0..cut, ..whole.clone() }).unwrap();
                kernel(&Call { rows: cut..len, ..whole }).unwrap();
                arena.iter().skip(output * len as usize).take(len as usize).map(Cell::get).collect::<Vec<_>>()
            };
            prop_assert_eq!(run(fast, in_place), run(portable, 2));
        }
    }
}
