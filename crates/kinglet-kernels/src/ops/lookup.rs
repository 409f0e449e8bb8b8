//! Any function of one int8, as a table of 256 values in the plan: ELU, EXP, LOG, GELU. May run in place.

use crate::ops::float::{erf, exp, ln, tanh};
use crate::ops::unary::{UnaryParams, elements};
use crate::quant::round_to_i32;
use crate::{Call, Element, Fault, Word};

/// Words of a table.
pub const TABLE_WORDS: usize = 64;

/// Portable table look-up, int8. `detail` says where the table stands: four values to a word, the first of
/// them for input 0, those for negative inputs in its second half.
pub fn lookup_s8(call: &Call<'_>) -> Result<(), Fault> {
    let p: UnaryParams = call.params()?;
    let table = call.plan.get(p.detail as usize..).and_then(|words| words.first_chunk());
    let table: &[u32; TABLE_WORDS] = table.ok_or(Fault::BadPlan)?;
    elements(call, &p, |x: i8| {
        let i = usize::from(x as u8);
        let [a, b, c, d] = table.get(i >> 2).map_or([0; 4], |&word| <[i8; 4]>::from_word(word));
        match i & 3 {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        }
    })
}

/// The words of the table for `function`, which is given and gives real numbers.
///
/// TFLite: `PopulateLookupTable` (TFLM), `LUTPopulate`: all in float32.
pub fn table(
    input: (f32, i32),
    output: (f32, i32),
    function: impl Fn(f32) -> f32,
) -> impl Iterator<Item = u32> {
    let ((input_scale, input_zero), (output_scale, output_zero)) = (input, output);
    let inverse_scale = 1.0 / output_scale;
    let entry = move |i: u8| {
        let real = function(input_scale * i32::from(i as i8).wrapping_sub(input_zero) as f32);
        i8::saturating_from(round_to_i32(real * inverse_scale).saturating_add(output_zero))
    };
    (0..TABLE_WORDS as u8).map(move |word| {
        let first = word.wrapping_mul(4);
        [0, 1, 2, 3].map(|i| entry(first.wrapping_add(i))).to_word()
    })
}

/// `exp(x) - 1` for negative `x`, else `x`.
pub fn elu(x: f32) -> f32 {
    if x < 0.0 { exp(x) - 1.0 } else { x }
}

/// The natural logarithm; that of numbers that have none is as that of 0.
pub fn log(x: f32) -> f32 {
    if x > 0.0 { ln(x) } else { f32::NEG_INFINITY }
}

/// `x` times the share of a normal distribution that lies below it.
pub fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * core::f32::consts::FRAC_1_SQRT_2))
}

/// As [`gelu`], approximated with a hyperbolic tangent.
pub fn gelu_tanh(x: f32) -> f32 {
    const SQRT_2_OVER_PI: f32 = 0.797_884_6;
    0.5 * x * (1.0 + tanh(SQRT_2_OVER_PI * (x + 0.044_715 * x * x * x)))
}

/// A function of one int16 as a table: its value at every 128th input, corrected for what lies between.
pub struct TableS16([i16; 513]);

impl TableS16 {
    /// The value for `x`, between two entries in proportion. TFLite: `LUTLookup`.
    #[inline]
    pub fn get(&self, x: i16) -> i16 {
        let i = (256 + (i32::from(x) >> 7)) as usize;
        let (Some(&base), Some(&next)) = (self.0.get(i), self.0.get(i.wrapping_add(1))) else {
            return 0;
        };
        let slope = next.wrapping_sub(base);
        let delta = (i32::from(slope) * i32::from(x & 0x7f) + 64) >> 7;
        base.wrapping_add(delta as i16)
    }

    /// `exp(x)` for inputs of -10 to 0, outputs of -1 to 1.
    pub const fn exp() -> Self {
        Self::new(10.0 / 65_535.0, 32_767, true)
    }

    /// `1 / (1 + x)` for inputs of 0 to 1, outputs of -1 to 1.
    pub const fn one_over_one_plus_x() -> Self {
        Self::new(1.0 / 65_535.0, -32_768, false)
    }

    /// TFLite: `LUTPopulate` for `int16_t`, all in float32. Outputs have scale 2/65535.
    #[allow(clippy::indexing_slicing, reason = "runs at compile time only")]
    const fn new(input_scale: f32, input_zero_point: i32, is_exp: bool) -> Self {
        const STEPS: usize = 512;
        const OUTPUT_SCALE: f32 = 2.0 / 65_535.0;
        const fn round(x: f32) -> f32 {
            round_to_i32(x) as f32
        }
        const fn clamp(x: f32) -> i16 {
            if x < -32_768.0 {
                i16::MIN
            } else if x > 32_767.0 {
                i16::MAX
            } else {
                x as i16
            }
        }
        const fn function(is_exp: bool, x: f32) -> f32 {
            if is_exp { exp(x) } else { 1.0 / (1.0 + x) }
        }
        let input_min = input_scale * (-32_768 - input_zero_point) as f32;
        let input_max = input_scale * (32_767 - input_zero_point) as f32;
        let step = (input_max - input_min) / STEPS as f32;
        let half_step = step / 2.0;
        let inverse = 65_536.0 / (OUTPUT_SCALE * 32_767.0 - OUTPUT_SCALE * -32_768.0);
        let mut table = [0; STEPS + 1];
        let mut i = 0;
        while i < STEPS {
            let value = function(is_exp, input_min + i as f32 * step);
            let midpoint = function(is_exp, input_min + i as f32 * step + half_step);
            let next = function(is_exp, input_min + (i + 1) as f32 * step);
            let sample = round(value * inverse);
            let interpolated = round((next * inverse + round(value * inverse)) / 2.0);
            let bias = round((interpolated - round(midpoint * inverse)) / 2.0);
            table[i] = clamp(sample - bias);
            i += 1;
        }
        table[STEPS] = clamp(round(function(is_exp, input_max) * inverse));
        Self(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Function = fn(f32) -> f32;

    /// The table as the references make it, with the C library's exponential.
    fn reference(input: (f32, i32), output: (f32, i32), function: Function) -> [i8; 256] {
        core::array::from_fn(|i| {
            let real = function(input.0 * (i32::from(i as u8 as i8) - input.1) as f32);
            let rescaled = (real * (1.0 / output.0)).round();
            ((rescaled + output.1 as f32) as i32).clamp(-128, 127) as i8
        })
    }

    #[test]
    fn tables_are_the_references() {
        let functions: [(Function, Function); 2] =
            [(elu, |x| if x < 0.0 { x.exp() - 1.0 } else { x }), (exp, f32::exp)];
        let mut seed = 1u32;
        let mut random = || {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed
        };
        for _ in 0..2_000 {
            let mut scale = || (random() as f32 / u32::MAX as f32 * 9.0 - 9.0).exp();
            let (input, output) = (scale(), scale());
            let mut zero = || i32::from(random() as i8);
            let (input, output) = ((input, zero()), (output, zero()));
            for (ours, theirs) in functions {
                let words = table(input, output, ours).flat_map(<[i8; 4]>::from_word);
                assert!(words.eq(reference(input, output, theirs)), "{input:?} {output:?}");
            }
        }
    }
}
