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
