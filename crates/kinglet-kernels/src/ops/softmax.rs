//! SOFTMAX over the last dimension: int8 in, int8 or int16 out; int16.

use crate::ops::lookup::TableS16;
use crate::ops::rows::product;
use crate::params::params;
use crate::quant::{
    exp_on_negative_values, multiply_by_quantized_multiplier, reciprocal, rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
};
use crate::{Call, Choice, Element, Fault, Kernel, Overlap, Place, Target};

params! {
    /// Parameters of the softmax kernels. A row is one vector.
    pub struct SoftmaxParams {
        /// Input vectors, one after the other.
        pub input: Place,
        /// Output vectors, one after the other.
        pub output: Place,
        /// Number of vectors.
        pub batch: u32,
        /// Length of a vector.
        pub depth: u32,
        /// `beta * input scale` in Q5.26: multiplier. int16: `beta * input scale * 65535 / 10`.
        pub multiplier: i32,
        /// `beta * input scale` in Q5.26: left shift, 0..=31. int16: its shift.
        pub shift: i32,
        /// Differences to the greatest input below this one count as exp() = 0. int16: not used.
        pub diff_min: i32,
    }
}

/// Integer bits of the differences that exp() is taken of.
const DIFF_INTEGER_BITS: u32 = 5;
/// Integer bits of the sum of exp(): up to 4,096 summands of 1.
const SUM_INTEGER_BITS: u32 = 12;

impl SoftmaxParams {
    /// `multiplier`, `shift` and `diff_min` for an exponent factor `beta` and an input scale; `None`
    /// when their product is too small for TFLite's representation (at most 2^-26) or not finite.
    ///
    /// TFLite: `PreprocessSoftmaxScaling`, `CalculateInputRadius`.
    pub fn scaling(beta: f32, input_scale: f32) -> Option<(i32, i32, i32)> {
        let real = f64::from(beta) * f64::from(input_scale) * f64::from(1u32 << (31 - DIFF_INTEGER_BITS));
        if !(real > 1.0 && real.is_finite()) {
            return None;
        }
        // 2^31 - 1 is as good as any greater factor: exp() of a difference of 1 is then 0.
        let real = real.min(f64::from(i32::MAX));
        let bits = crate::quant::Multiplier::from_real(real / 2.0)?;
        let shift = i32::from(bits.shift) + 1;
        let radius = ((1i64 << DIFF_INTEGER_BITS) - 1) << (31 - DIFF_INTEGER_BITS);
        let diff_min = -(radius >> shift) as i32;
        Some((bits.multiplier, shift, diff_min))
    }

    /// The same for the int16 kernel, which takes differences of 10 to the end of its table; `None` when the
    /// product is not finite or too great.
    ///
    /// TFLite: `CalculateSoftmaxParams`.
    pub fn scaling_s16(beta: f32, input_scale: f32) -> Option<(i32, i32, i32)> {
        let real = f64::from(input_scale) * f64::from(beta) / (10.0 / 65_535.0);
        let factor = crate::quant::Multiplier::from_real(real)?;
        // Differences take 17 bits.
        (factor.shift <= 14).then_some((factor.multiplier, factor.shift.into(), 0))
    }
}

/// Chooses the kernel of int8 to int8 softmax.
pub fn choose_s8(_target: Target) -> Choice {
    Choice::new(Kernel::SoftmaxS8).with_overlap(Overlap::Elements)
}

/// Chooses the kernel of int8 to int16 softmax.
pub fn choose_s8_s16(_target: Target) -> Choice {
    Choice::new(Kernel::SoftmaxS8S16)
}

/// Portable softmax; the output has scale 1/256 and zero point -128. May run in place.
pub fn softmax_s8(call: &Call<'_>) -> Result<(), Fault> {
    softmax::<i8>(call)
}

/// Portable softmax; the output has scale 1/65536 and zero point -32768. Input and output do not overlap.
pub fn softmax_s8_s16(call: &Call<'_>) -> Result<(), Fault> {
    softmax::<i16>(call)
}

/// The tables of the int16 kernel.
static EXP: TableS16 = TableS16::exp();
static ONE_OVER_ONE_PLUS_X: TableS16 = TableS16::one_over_one_plus_x();

/// Portable softmax, int16 to int16; the output has scale 1/32768. May run in place.
///
/// TFLite: `SoftmaxInt16`.
pub fn softmax_s16(call: &Call<'_>) -> Result<(), Fault> {
    let p: SoftmaxParams = call.params()?;
    let depth = p.depth as usize;
    let len = product([p.batch, p.depth])?;
    let input = call.view::<i16>(p.input, len)?;
    let output = call.view::<i16>(p.output, len)?;

    for y in call.rows.clone() {
        let start = (y as usize).wrapping_mul(depth);
        let vector = start..start.wrapping_add(depth);
        let mut greatest = i16::MIN;
        for i in vector.clone() {
            greatest = greatest.max(input.get(i)?);
        }
        // The exponentials, in Q0.15, and their sum, in Q16.15.
        let mut sum = 0i32;
        for i in vector.clone() {
            let diff = i32::from(input.get(i)?) - i32::from(greatest);
            let diff = multiply_by_quantized_multiplier(diff, p.multiplier, p.shift);
            let exp = EXP.get(i16::saturating_from(diff.saturating_add(32_767)));
            output.set(i, exp)?;
            sum = sum.wrapping_add(exp.into());
        }
        // The sum as 1 + x, x in 0..1.
        let headroom = sum.leading_zeros();
        let normalised = i64::from(sum).wrapping_shl(headroom.wrapping_sub(1)).wrapping_add(1 << 13) >> 14;
        let x = (normalised as i32).wrapping_sub((1 << 15) + (1 << 16));
        let reciprocal = ONE_OVER_ONE_PLUS_X.get(i16::saturating_from(x));
        let shift = 31u32.wrapping_sub(headroom);
        let round = 1i32.wrapping_shl(shift.wrapping_sub(1));
        for i in vector {
            let product = i32::from(output.get(i)?) * i32::from(reciprocal);
            let share = product.wrapping_add(round).wrapping_shr(shift);
            output.set(i, i16::saturating_from(share.max(0)))?;
        }
    }
    Ok(())
}

fn softmax<Output: Element>(call: &Call<'_>) -> Result<(), Fault> {
    let p: SoftmaxParams = call.params()?;
    let depth = p.depth as usize;
    let len = product([p.batch, p.depth])?;
    let input = call.view::<i8>(p.input, len)?;
    let output = call.view::<Output>(p.output, len)?;
    let lowest: i32 = Output::min_value().as_();
    let exp =
        |diff: i32| exp_on_negative_values(multiply_by_quantized_multiplier(diff, p.multiplier, p.shift));

    for y in call.rows.clone() {
        let start = (y as usize).wrapping_mul(depth);
        let vector = input.cells(start, depth)?;
        let greatest = vector.iter().map(|x| i32::from(x.get())).max().unwrap_or(0);
        let mut sum = 0i32;
        for x in vector {
            let diff = i32::from(x.get()) - greatest;
            if diff >= p.diff_min {
                sum = sum.wrapping_add(rounding_divide_by_pot(exp(diff), SUM_INTEGER_BITS));
            }
        }
        let (scale, bits_over_unit) = reciprocal(sum, SUM_INTEGER_BITS);
        let shift = (bits_over_unit + 31 - 8 * Output::SIZE as i32).clamp(0, 31) as u32;
        for (i, x) in vector.iter().enumerate() {
            let diff = i32::from(x.get()) - greatest;
            let value = if diff >= p.diff_min {
                let share = saturating_rounding_doubling_high_mul(scale, exp(diff));
                Output::saturating_from(rounding_divide_by_pot(share, shift).wrapping_add(lowest))
            } else {
                Output::min_value()
            };
            output.set(start.wrapping_add(i), value)?;
        }
    }
    Ok(())
}
