//! Operators on one tensor, element by element, that take little arithmetic: LEAKY_RELU, ABS, NEG, SQUARE,
//! FLOOR, CEIL, ROUND, SQRT, RSQRT, EXP, LOG, SIN, COS, SIGN, LOGICAL_NOT, and the stand-alone activations of float32.
//!
//! All kernels here may run in place.

use crate::ops::binary::Limits;
use crate::ops::elements::for_each_index;
use crate::ops::float::{self, sqrt};
use crate::ops::l2_normalization::inverse_sqrt;
use crate::params::params;
use crate::quant::{Multiplier, multiply_by_quantized_multiplier};
use crate::{Call, Choice, Element, Fault, Kernel, Overlap, Place, Target, Word};

params! {
    /// Parameters of element-wise kernels with one input. A row is `row_len` elements.
    pub struct UnaryParams {
        /// Input, anywhere.
        pub input: Place,
        /// Output.
        pub output: Place,
        /// Elements.
        pub len: u32,
        /// Elements in a row.
        pub row_len: u32,
        /// Where the kernel's own block stands in the plan, for kernels that have one.
        pub detail: u32,
    }
}

params! {
    /// The block of a quantised kernel that rescales by one factor or another.
    pub struct UnaryQuant {
        /// Zero points of input and output.
        pub zero_points: [i16; 2],
        /// Multiplier of inputs that are not negative. ABS: of the magnitude.
        pub multiplier: i32,
        /// Multiplier of negative inputs. ABS: not used.
        pub negative_multiplier: i32,
        /// Shifts of the two; 1 where the product of a negative input changes its sign; the last byte is 0.
        pub shifts: [i8; 4],
    }
}

params! {
    /// The block of LEAKY_RELU for float32.
    pub struct Slope {
        /// Factor of negative inputs.
        pub alpha: f32,
    }
}

/// Which function of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `1 / (1 + exp(-x))`
    Logistic,
    /// `tanh(x)`
    Tanh,
    /// `x * min(6, max(0, x + 3)) / 6`
    HardSwish,
    /// `x` where it is not negative, else `x * alpha`.
    LeakyRelu,
    /// A table.
    Lookup,
    /// `|x|`
    Abs,
    /// `-x`
    Neg,
    /// `x^2`
    Square,
    /// The greatest integer that is not greater.
    Floor,
    /// The least integer that is not less.
    Ceil,
    /// The nearest integer, ties to even.
    Round,
    /// The square root.
    Sqrt,
    /// `1 / sqrt(x)`
    Rsqrt,
    /// True where the element is false.
    Not,
    /// `exp(x)`
    Exp,
    /// `x` where it is not negative, else `exp(x) - 1`.
    Elu,
    /// The natural logarithm.
    Log,
    /// `sin(x)`
    Sin,
    /// `cos(x)`
    Cos,
    /// -1, 0 or 1.
    Sign,
}

/// Element type of input and output.
pub use crate::ops::binary::Type;

/// Chooses the kernel; `None` where there is none for the type.
pub fn choose(function: Function, ty: Type, _target: Target) -> Option<Choice> {
    let kernel = match (function, ty) {
        (Function::Logistic, Type::S8) => Kernel::LogisticS8,
        (Function::Logistic, Type::S16) => Kernel::LogisticS16,
        (Function::Tanh, Type::S8) => Kernel::TanhS8,
        (Function::Tanh, Type::S16) => Kernel::TanhS16,
        (Function::HardSwish, Type::S8) => Kernel::HardSwishS8,
        (Function::HardSwish, Type::F32) => Kernel::HardSwishF32,
        (Function::LeakyRelu, Type::S8) => Kernel::LeakyReluS8,
        (Function::LeakyRelu, Type::S16) => Kernel::LeakyReluS16,
        (Function::LeakyRelu, Type::F32) => Kernel::LeakyReluF32,
        (Function::Lookup, Type::S8) => Kernel::LookupS8,
        (Function::Abs, Type::S8) => Kernel::AbsS8,
        (Function::Abs, Type::S16) => Kernel::AbsS16,
        (Function::Abs, Type::F32) => Kernel::AbsF32,
        (Function::Neg, Type::S32) => Kernel::NegS32,
        (Function::Neg, Type::F32) => Kernel::NegF32,
        (Function::Square, Type::F32) => Kernel::SquareF32,
        (Function::Floor, Type::F32) => Kernel::FloorF32,
        (Function::Ceil, Type::F32) => Kernel::CeilF32,
        (Function::Round, Type::F32) => Kernel::RoundF32,
        (Function::Sqrt, Type::F32) => Kernel::SqrtF32,
        (Function::Rsqrt, Type::F32) => Kernel::RsqrtF32,
        (Function::Rsqrt, Type::S8) => Kernel::RsqrtS8,
        (Function::Not, Type::Bool) => Kernel::NotBool,
        (Function::Exp, Type::F32) => Kernel::ExpF32,
        (Function::Elu, Type::F32) => Kernel::EluF32,
        (Function::Log, Type::F32) => Kernel::LogF32,
        (Function::Sin, Type::F32) => Kernel::SinF32,
        (Function::Cos, Type::F32) => Kernel::CosF32,
        (Function::Sign, Type::F32) => Kernel::SignF32,
        (Function::Logistic, Type::F32) => Kernel::LogisticF32,
        (Function::Tanh, Type::F32) => Kernel::TanhF32,
        _ => return None,
    };
    Some(Choice::new(kernel).with_overlap(Overlap::Elements))
}

/// Portable LEAKY_RELU, int8.
pub fn leaky_relu_s8(call: &Call<'_>) -> Result<(), Fault> {
    leaky_relu::<i8>(call)
}

/// Portable LEAKY_RELU, int16.
pub fn leaky_relu_s16(call: &Call<'_>) -> Result<(), Fault> {
    leaky_relu::<i16>(call)
}

/// Portable LEAKY_RELU, float32.
pub fn leaky_relu_f32(call: &Call<'_>) -> Result<(), Fault> {
    let p: UnaryParams = call.params()?;
    let slope: Slope = call.block(p.detail)?;
    elements(call, &p, |x: f32| if x > 0.0 { x } else { x * slope.alpha })
}

/// Portable ABS, int8.
pub fn abs_s8(call: &Call<'_>) -> Result<(), Fault> {
    abs::<i8>(call)
}

/// Portable ABS, int16.
pub fn abs_s16(call: &Call<'_>) -> Result<(), Fault> {
    abs::<i16>(call)
}

/// Portable ABS, float32.
pub fn abs_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, |x: f32| f32::from_bits(x.to_bits() & !SIGN))
}

/// Portable NEG, int32; wraps.
pub fn neg_s32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, i32::wrapping_neg)
}

/// Portable NEG, float32.
pub fn neg_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, |x: f32| -x)
}

/// Portable SQUARE, float32.
pub fn square_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, |x: f32| x * x)
}

/// Portable FLOOR, float32.
pub fn floor_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, floor)
}

/// Portable CEIL, float32.
pub fn ceil_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, |x: f32| -floor(-x))
}

/// Portable ROUND, float32; ties to even. What rounds up to zero is a positive zero, as in the reference.
pub fn round_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, |x: f32| {
        let whole = floor(x);
        let fraction = x - whole;
        // Numbers that have a fraction fit in an i32.
        let is_even = whole as i32 & 1 == 0;
        if fraction > 0.5 || (fraction == 0.5 && !is_even) { whole + 1.0 } else { whole }
    })
}

/// Portable SQRT, float32.
pub fn sqrt_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, sqrt)
}

/// Portable RSQRT, float32.
pub fn rsqrt_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, |x: f32| 1.0 / sqrt(x))
}

/// Bits that keep the root of RSQRT an integer between its two factors.
pub const RSQRT_SHIFT: i32 = 20;

/// Portable RSQRT, int8: that of 0 is the greatest output, as is that of negative numbers, which have none.
/// `shifts` of the block is that of the factor less [`RSQRT_SHIFT`]. TFLite: `RsqrtEvalQuantized`.
pub fn rsqrt_s8(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<i8>(call, |q, x| {
        if x <= 0 {
            return i32::from(i16::MAX);
        }
        let (multiplier, shift) = inverse_sqrt(x);
        q.factor().apply(multiply_by_quantized_multiplier(1, multiplier, shift.wrapping_add(RSQRT_SHIFT)))
    })
}

/// Portable LOGICAL_NOT.
pub fn not_bool(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, |x: u8| u8::from(x == 0))
}

/// Portable EXP, float32.
pub fn exp_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, float::exp)
}

/// Portable ELU, float32.
pub fn elu_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, |x: f32| if x < 0.0 { float::exp_minus_1(x) } else { x })
}

/// Portable LOG, float32.
pub fn log_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, float::ln)
}

/// Portable SIN, float32.
pub fn sin_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, float::sin)
}

/// Portable COS, float32.
pub fn cos_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, float::cos)
}

/// Portable SIGN, float32.
pub fn sign_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, float::sign)
}

/// Portable LOGISTIC, float32.
pub fn logistic_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, float::logistic)
}

/// Portable TANH, float32.
pub fn tanh_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain(call, float::tanh)
}

/// Portable RELU, RELU6, RELU_N1_TO_1 and RELU_0_TO_1, float32: a value within [`Limits`].
pub fn clamp_f32(call: &Call<'_>) -> Result<(), Fault> {
    let p: UnaryParams = call.params()?;
    let limits: Limits = call.block(p.detail)?;
    let (min, max) = (f32::from_word(limits.min), f32::from_word(limits.max));
    elements(call, &p, |x: f32| {
        if x > max {
            max
        } else if x < min {
            min
        } else {
            x
        }
    })
}

/// The sign of a float32.
const SIGN: u32 = 1 << 31;

/// The greatest integer that is not greater than `x`; the sign of a zero stays.
fn floor(x: f32) -> f32 {
    let magnitude = f32::from_bits(x.to_bits() & !SIGN);
    // From 2^23 on, numbers have no fraction.
    if magnitude >= 8_388_608.0 || x.is_nan() || magnitude == 0.0 {
        return x;
    }
    let whole = x as i32 as f32;
    if whole > x { whole - 1.0 } else { whole }
}

impl UnaryQuant {
    fn factor(&self) -> Multiplier {
        let [shift, ..] = self.shifts;
        Multiplier { multiplier: self.multiplier, shift }
    }

    fn negative_factor(&self) -> Multiplier {
        let [_, shift, ..] = self.shifts;
        Multiplier { multiplier: self.negative_multiplier, shift }
    }
}

fn leaky_relu<T: Element>(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<T>(call, |q, x| {
        if x >= 0 {
            return q.factor().apply(x);
        }
        let value = q.negative_factor().apply(x);
        let [_, _, changes_sign, _] = q.shifts;
        if changes_sign != 0 { value.wrapping_neg() } else { value }
    })
}

fn abs<T: Element>(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<T>(call, |q, x| q.factor().apply(x.wrapping_abs()))
}

/// A quantised operator: `map` turns an element less its zero point into one on the output's scale.
fn quantized<T: Element>(call: &Call<'_>, map: impl Fn(&UnaryQuant, i32) -> i32) -> Result<(), Fault> {
    let p: UnaryParams = call.params()?;
    let q: UnaryQuant = call.block(p.detail)?;
    let [input_zero, output_zero] = q.zero_points.map(i32::from);
    elements(call, &p, |x: T| {
        let x: i32 = x.as_();
        T::saturating_from(map(&q, x.wrapping_sub(input_zero)).wrapping_add(output_zero))
    })
}

/// An operator that takes the elements as they are.
fn plain<T: Element>(call: &Call<'_>, map: impl Fn(T) -> T) -> Result<(), Fault> {
    elements(call, &call.params()?, map)
}

/// Maps each element of the rows that are to be computed.
pub(crate) fn elements<T: Element>(
    call: &Call<'_>,
    p: &UnaryParams,
    map: impl Fn(T) -> T,
) -> Result<(), Fault> {
    let input = call.source::<T>(p.input, p.len as usize)?;
    let output = call.view::<T>(p.output, p.len as usize)?;
    for_each_index(call, p.row_len, |i| output.set(i, map(input.get(i)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Params, Region};
    use core::cell::Cell;
    use std::vec::Vec;

    fn run(kernel: fn(&Call<'_>) -> Result<(), Fault>, x: f32) -> f32 {
        let place = Place::new(Region::Arena, 0).unwrap();
        let params = UnaryParams { input: place, output: place, len: 1, row_len: 1, detail: 0 };
        let mut plan = Vec::new();
        params.for_each_word(|word| plan.push(word));
        let arena = x.to_le_bytes().map(|byte| Cell::new(byte as i8));
        let call = Call {
            arena: &arena,
            state: &[],
            constants: &[],
            prepared: &[],
            plan: &plan,
            params: 0,
            rows: 0..1,
        };
        kernel(&call).unwrap();
        f32::from_le_bytes(arena.map(|cell| cell.get() as u8))
    }

    #[test]
    fn floats_become_integers_as_in_the_standard_library() {
        let mut samples: Vec<f32> = (-40..=40).map(|i| i as f32 * 0.25).collect();
        samples.extend([0.1, 0.499_999_97, 8_388_607.5, 8_388_608.0, 4_194_303.5, 1e30, f32::INFINITY]);
        for x in samples.iter().flat_map(|&x| [x, -x]) {
            assert_eq!(run(floor_f32, x).to_bits(), x.floor().to_bits(), "{x}");
            assert_eq!(run(ceil_f32, x).to_bits(), x.ceil().to_bits(), "{x}");
            assert_eq!(run(round_f32, x), x.round_ties_even(), "{x}");
            assert_eq!(run(abs_f32, x).to_bits(), x.abs().to_bits(), "{x}");
        }
        assert!(run(floor_f32, f32::NAN).is_nan());
    }
}
