//! Operators on two tensors, element by element, with broadcasting: ADD, SUB, MUL, DIV, MAXIMUM, MINIMUM,
//! SQUARED_DIFFERENCE, PRELU, FLOOR_DIV, FLOOR_MOD.
//!
//! All kernels here may run in place on an input that has the output's shape.

use crate::arch::wide::layers;
use crate::ops::dsp;
use crate::ops::elements::for_each_pair;
use crate::ops::float::floor_f64;
use crate::params::params;
use crate::quant::{
    Multiplier, reciprocal, rounding_divide_by_pot, saturating_rounding_doubling_high_mul, saturating_shl,
};
use crate::{Call, Choice, Element, Fault, Kernel, Overlap, Place, Target, Word};

params! {
    /// Parameters of the kernels in this file. A row is `row_len` elements of the output.
    pub struct BinaryParams {
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
        /// Where the dimensions stand in the plan: three words each, innermost first: size, step in
        /// input 1, step in input 2; a step is 0 where the input is broadcast.
        pub dims: u32,
        /// Their number, at most [`MAX_DIMS`](crate::ops::elements::MAX_DIMS).
        pub dims_len: u32,
        /// Where the [`BinaryQuant`] of a quantised kernel or the [`Limits`] of another stand in the plan.
        pub detail: u32,
    }
}

params! {
    /// How quantised inputs become a quantised output.
    pub struct BinaryQuant {
        /// Zero points of input 1 and input 2.
        pub zero_points: [i16; 2],
        /// Least and greatest output.
        pub limits: [i16; 2],
        /// Zero point of the output.
        pub zero_point: i32,
        /// Multiplier of input 1. PRELU: of inputs that are not negative. MUL: not used.
        pub multiplier1: i32,
        /// Multiplier of input 2. MUL and PRELU: not used.
        pub multiplier2: i32,
        /// Multiplier of the result.
        pub multiplier: i32,
        /// Shifts of input 1, of input 2 and of the result; the last byte is 0.
        pub shifts: [i8; 4],
    }
}

params! {
    /// Least and greatest output of an operator that is not quantised: int32, or the bits of float32.
    pub struct Limits {
        /// Least output.
        pub min: u32,
        /// Greatest output.
        pub max: u32,
    }
}

/// Which function of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
    /// The greater.
    Maximum,
    /// The lesser.
    Minimum,
    /// `(a - b)^2`
    SquaredDifference,
    /// `a` where it is not negative, else `a * b`.
    Prelu,
    /// `a / b`, rounded down.
    FloorDiv,
    /// `a - b * floor(a / b)`
    FloorMod,
}

/// Element type of inputs and output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// int8
    S8,
    /// int16
    S16,
    /// int32
    S32,
    /// int64
    S64,
    /// float32
    F32,
    /// One byte, 0 or 1.
    Bool,
}

/// Chooses the kernel; `None` where there is none for the type.
pub fn choose(function: Function, ty: Type, target: Target) -> Option<Choice> {
    if cfg!(kinglet_wide)
        && ty == Type::S8
        && let Some(kernel) = layers::binary(function, target)
    {
        return Some(Choice::new(kernel).with_overlap(Overlap::Elements));
    }
    let kernel = match (function, ty) {
        (Function::Add, Type::S8) => Kernel::AddS8,
        (Function::Add, Type::S16) => Kernel::AddS16,
        (Function::Add, Type::S32) => Kernel::AddS32,
        (Function::Add, Type::F32) => Kernel::AddF32,
        (Function::Sub, Type::S8) => Kernel::SubS8,
        (Function::Sub, Type::S16) => Kernel::SubS16,
        (Function::Sub, Type::S32) => Kernel::SubS32,
        (Function::Sub, Type::F32) => Kernel::SubF32,
        (Function::Mul, Type::S8) => Kernel::MulS8,
        (Function::Mul, Type::S16) => Kernel::MulS16,
        (Function::Mul, Type::S32) => Kernel::MulS32,
        (Function::Mul, Type::F32) => Kernel::MulF32,
        (Function::Div, Type::F32) => Kernel::DivF32,
        (Function::Div, Type::S8) => Kernel::DivS8,
        (Function::Div, Type::S32) => Kernel::DivS32,
        (Function::FloorDiv, Type::F32) => Kernel::FloorDivF32,
        (Function::FloorDiv, Type::S32) => Kernel::FloorDivS32,
        (Function::FloorMod, Type::F32) => Kernel::FloorModF32,
        (Function::FloorMod, Type::S32) => Kernel::FloorModS32,
        (Function::Add, Type::S64) => Kernel::AddS64,
        (Function::Sub, Type::S64) => Kernel::SubS64,
        (Function::Mul, Type::S64) => Kernel::MulS64,
        (Function::Maximum, Type::S64) => Kernel::MaximumS64,
        (Function::Minimum, Type::S64) => Kernel::MinimumS64,
        (Function::Maximum, Type::S8) => Kernel::MaximumS8,
        (Function::Maximum, Type::S16) => Kernel::MaximumS16,
        (Function::Maximum, Type::S32) => Kernel::MaximumS32,
        (Function::Maximum, Type::F32) => Kernel::MaximumF32,
        (Function::Minimum, Type::S8) => Kernel::MinimumS8,
        (Function::Minimum, Type::S16) => Kernel::MinimumS16,
        (Function::Minimum, Type::S32) => Kernel::MinimumS32,
        (Function::Minimum, Type::F32) => Kernel::MinimumF32,
        (Function::SquaredDifference, Type::S8) => Kernel::SquaredDifferenceS8,
        (Function::SquaredDifference, Type::S16) => Kernel::SquaredDifferenceS16,
        (Function::SquaredDifference, Type::S32) => Kernel::SquaredDifferenceS32,
        (Function::SquaredDifference, Type::F32) => Kernel::SquaredDifferenceF32,
        (Function::Prelu, Type::S8) => Kernel::PreluS8,
        (Function::Prelu, Type::F32) => Kernel::PreluF32,
        _ => return None,
    };
    Some(Choice::new(kernel).with_overlap(Overlap::Elements))
}

/// Chooses the kernel of an int8 operator on tensors of one shape; `None` where [`choose`] knows no worse one.
pub fn choose_same_shape(function: Function, quant: &BinaryQuant, target: Target) -> Option<Choice> {
    if !target.has_dsp() {
        return None;
    }
    let kernel = match function {
        Function::Add if dsp::binary::has_sum(quant) => Kernel::AddS8Dsp,
        Function::Sub if dsp::binary::has_sum(quant) => Kernel::SubS8Dsp,
        Function::Mul if dsp::binary::has_product(quant) => Kernel::MulS8Dsp,
        _ => return None,
    };
    Some(Choice::new(kernel).with_overlap(Overlap::Elements))
}

/// Bits by which the inputs of a quantised ADD or SUB are shifted left before they are rescaled.
pub const fn sum_left_shift(ty: Type) -> u32 {
    match ty {
        Type::S8 => 20,
        _ => 15,
    }
}

/// Bits by which the inputs of a quantised SQUARED_DIFFERENCE are shifted left before they are rescaled.
pub const fn square_left_shift(ty: Type) -> u32 {
    match ty {
        Type::S8 => 7,
        _ => 0,
    }
}

/// Portable ADD, int8.
pub fn add_s8(call: &Call<'_>) -> Result<(), Fault> {
    rescaled::<i8>(call, sum_left_shift(Type::S8), i32::wrapping_add)
}

/// Portable ADD, int16.
pub fn add_s16(call: &Call<'_>) -> Result<(), Fault> {
    rescaled::<i16>(call, sum_left_shift(Type::S16), i32::wrapping_add)
}

/// Portable ADD, int32; sums wrap.
pub fn add_s32(call: &Call<'_>) -> Result<(), Fault> {
    limited::<i32>(call, i32::wrapping_add)
}

/// Portable ADD, float32.
pub fn add_f32(call: &Call<'_>) -> Result<(), Fault> {
    limited::<f32>(call, |a, b| a + b)
}

/// Portable SUB, int8.
pub fn sub_s8(call: &Call<'_>) -> Result<(), Fault> {
    rescaled::<i8>(call, sum_left_shift(Type::S8), i32::wrapping_sub)
}

/// Portable SUB, int16.
pub fn sub_s16(call: &Call<'_>) -> Result<(), Fault> {
    rescaled::<i16>(call, sum_left_shift(Type::S16), i32::wrapping_sub)
}

/// Portable SUB, int32; differences wrap.
pub fn sub_s32(call: &Call<'_>) -> Result<(), Fault> {
    limited::<i32>(call, i32::wrapping_sub)
}

/// Portable SUB, float32.
pub fn sub_f32(call: &Call<'_>) -> Result<(), Fault> {
    limited::<f32>(call, |a, b| a - b)
}

/// Portable MUL, int8.
pub fn mul_s8(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<i8>(call, |q, a, b| q.result().apply(a.wrapping_mul(b)))
}

/// Portable MUL, int16.
pub fn mul_s16(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<i16>(call, |q, a, b| q.result().apply(a.wrapping_mul(b)))
}

/// Portable MUL, int32; products wrap.
pub fn mul_s32(call: &Call<'_>) -> Result<(), Fault> {
    limited::<i32>(call, i32::wrapping_mul)
}

/// Portable MUL, float32.
pub fn mul_f32(call: &Call<'_>) -> Result<(), Fault> {
    limited::<f32>(call, |a, b| a * b)
}

/// Portable DIV, float32.
pub fn div_f32(call: &Call<'_>) -> Result<(), Fault> {
    limited::<f32>(call, |a, b| a / b)
}

/// Portable DIV, int8. A divisor that stands for 0 is a [`Fault::DivisionByZero`]. TFLite: `DivElementwise`.
pub fn div_s8(call: &Call<'_>) -> Result<(), Fault> {
    quantized_or_fault::<i8>(call, |q, a, b| {
        // The reciprocal is that of a positive number.
        let (a, b) = if b < 0 { (a.wrapping_neg(), b.wrapping_neg()) } else { (a, b) };
        if b == 0 {
            return Err(Fault::DivisionByZero);
        }
        let (inverse, bits_over_unit) = reciprocal(b, 31);
        // As many bits as the dividend has to spare.
        let headroom = if a < 0 { a.leading_ones() } else { a.leading_zeros() }.wrapping_sub(1);
        let quotient = saturating_rounding_doubling_high_mul(a.wrapping_shl(headroom), inverse);
        let factor = q.result();
        let shift = i32::from(factor.shift).wrapping_sub(bits_over_unit).wrapping_sub(headroom as i32);
        let rounded = saturating_rounding_doubling_high_mul(quotient, factor.multiplier);
        Ok(match shift {
            // Rounded to nothing; the reference does not go there.
            ..=-32 => 0,
            -31..=0 => rounding_divide_by_pot(rounded, shift.unsigned_abs()),
            _ => saturating_shl(rounded, shift.unsigned_abs().min(31)),
        })
    })
}

/// Portable DIV, int32: towards zero. A divisor of 0 is a [`Fault::DivisionByZero`].
pub fn div_s32(call: &Call<'_>) -> Result<(), Fault> {
    limited_or_fault::<i32>(call, |a, b| {
        if b == 0 { Err(Fault::DivisionByZero) } else { Ok(a.checked_div(b).unwrap_or(i32::MIN)) }
    })
}

/// Portable FLOOR_DIV, float32: in float64, as TFLite does. A divisor of 0 is a [`Fault::DivisionByZero`].
pub fn floor_div_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain_or_fault::<f32>(call, |a, b| {
        if b == 0.0 {
            return Err(Fault::DivisionByZero);
        }
        Ok(floor_f64(f64::from(a) / f64::from(b)) as f32)
    })
}

/// Portable FLOOR_DIV, int32. A divisor of 0 is a [`Fault::DivisionByZero`].
pub fn floor_div_s32(call: &Call<'_>) -> Result<(), Fault> {
    plain_or_fault::<i32>(call, |a, b| {
        let (Some(quotient), Some(rest)) =
            (i64::from(a).checked_div(b.into()), i64::from(a).checked_rem(b.into()))
        else {
            return Err(Fault::DivisionByZero);
        };
        let below = rest != 0 && (rest < 0) != (b < 0);
        // Beyond int32 only for i32::MIN / -1.
        Ok(quotient.wrapping_sub(below.into()).min(i32::MAX.into()) as i32)
    })
}

/// Portable FLOOR_MOD, float32. A divisor of 0 is a [`Fault::DivisionByZero`].
pub fn floor_mod_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain_or_fault::<f32>(call, |a, b| {
        if b == 0.0 {
            return Err(Fault::DivisionByZero);
        }
        let rest = a % b;
        Ok(if rest != 0.0 && (b < 0.0) != (rest < 0.0) { rest + b } else { rest })
    })
}

/// Portable FLOOR_MOD, int32. A divisor of 0 is a [`Fault::DivisionByZero`].
pub fn floor_mod_s32(call: &Call<'_>) -> Result<(), Fault> {
    plain_or_fault::<i32>(call, |a, b| {
        if b == 0 {
            return Err(Fault::DivisionByZero);
        }
        // None where the quotient overflows: then there is no rest.
        let rest = a.checked_rem(b).unwrap_or(0);
        Ok(if rest != 0 && (b < 0) != (rest < 0) { rest.wrapping_add(b) } else { rest })
    })
}

/// Portable ADD, int64; sums wrap.
pub fn add_s64(call: &Call<'_>) -> Result<(), Fault> {
    plain::<i64>(call, i64::wrapping_add)
}

/// Portable SUB, int64; differences wrap.
pub fn sub_s64(call: &Call<'_>) -> Result<(), Fault> {
    plain::<i64>(call, i64::wrapping_sub)
}

/// Portable MUL, int64; products wrap.
pub fn mul_s64(call: &Call<'_>) -> Result<(), Fault> {
    plain::<i64>(call, i64::wrapping_mul)
}

/// Portable MAXIMUM, int64.
pub fn maximum_s64(call: &Call<'_>) -> Result<(), Fault> {
    plain::<i64>(call, greater)
}

/// Portable MINIMUM, int64.
pub fn minimum_s64(call: &Call<'_>) -> Result<(), Fault> {
    plain::<i64>(call, lesser)
}

/// Portable MAXIMUM, int8.
pub fn maximum_s8(call: &Call<'_>) -> Result<(), Fault> {
    plain::<i8>(call, greater)
}

/// Portable MAXIMUM, int16.
pub fn maximum_s16(call: &Call<'_>) -> Result<(), Fault> {
    plain::<i16>(call, greater)
}

/// Portable MAXIMUM, int32.
pub fn maximum_s32(call: &Call<'_>) -> Result<(), Fault> {
    plain::<i32>(call, greater)
}

/// Portable MAXIMUM, float32.
pub fn maximum_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain::<f32>(call, greater)
}

/// Portable MINIMUM, int8.
pub fn minimum_s8(call: &Call<'_>) -> Result<(), Fault> {
    plain::<i8>(call, lesser)
}

/// Portable MINIMUM, int16.
pub fn minimum_s16(call: &Call<'_>) -> Result<(), Fault> {
    plain::<i16>(call, lesser)
}

/// Portable MINIMUM, int32.
pub fn minimum_s32(call: &Call<'_>) -> Result<(), Fault> {
    plain::<i32>(call, lesser)
}

/// Portable MINIMUM, float32.
pub fn minimum_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain::<f32>(call, lesser)
}

/// Portable SQUARED_DIFFERENCE, int8.
pub fn squared_difference_s8(call: &Call<'_>) -> Result<(), Fault> {
    rescaled::<i8>(call, square_left_shift(Type::S8), squared_difference)
}

/// Portable SQUARED_DIFFERENCE, int16.
pub fn squared_difference_s16(call: &Call<'_>) -> Result<(), Fault> {
    rescaled::<i16>(call, square_left_shift(Type::S16), squared_difference)
}

/// Portable SQUARED_DIFFERENCE, int32; wraps.
pub fn squared_difference_s32(call: &Call<'_>) -> Result<(), Fault> {
    plain::<i32>(call, squared_difference)
}

/// Portable SQUARED_DIFFERENCE, float32.
pub fn squared_difference_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain::<f32>(call, |a, b| (a - b) * (a - b))
}

/// Portable PRELU, int8; input 2 is alpha.
pub fn prelu_s8(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<i8>(call, |q, x, alpha| {
        if x >= 0 { q.factors()[0].apply(x) } else { q.result().apply(x.wrapping_mul(alpha)) }
    })
}

/// Portable PRELU, float32; input 2 is alpha.
pub fn prelu_f32(call: &Call<'_>) -> Result<(), Fault> {
    plain::<f32>(call, |x, alpha| if x >= 0.0 { x } else { x * alpha })
}

fn squared_difference(a: i32, b: i32) -> i32 {
    let difference = a.wrapping_sub(b);
    difference.wrapping_mul(difference)
}

/// The first where it is greater; not the first where either is NaN.
fn greater<T: PartialOrd>(a: T, b: T) -> T {
    if a > b { a } else { b }
}

/// The first where it is lesser; not the first where either is NaN.
fn lesser<T: PartialOrd>(a: T, b: T) -> T {
    if a < b { a } else { b }
}

impl BinaryQuant {
    /// The factors of the inputs.
    fn factors(&self) -> [Multiplier; 2] {
        let [shift1, shift2, ..] = self.shifts;
        [
            Multiplier { multiplier: self.multiplier1, shift: shift1 },
            Multiplier { multiplier: self.multiplier2, shift: shift2 },
        ]
    }

    /// The factor of the result.
    fn result(&self) -> Multiplier {
        let [_, _, shift, _] = self.shifts;
        Multiplier { multiplier: self.multiplier, shift }
    }
}

/// Brings both inputs to one scale, combines them, and brings the result to the output's scale.
fn rescaled<T: Element>(
    call: &Call<'_>,
    left_shift: u32,
    combine: impl Fn(i32, i32) -> i32,
) -> Result<(), Fault> {
    quantized::<T>(call, |q, a, b| {
        let [factor1, factor2] = q.factors();
        let a = factor1.apply(a.wrapping_shl(left_shift));
        let b = factor2.apply(b.wrapping_shl(left_shift));
        q.result().apply(combine(a, b))
    })
}

/// A quantised operator: `combine` turns elements less their zero points into one on the output's scale.
fn quantized<T: Element>(
    call: &Call<'_>,
    combine: impl Fn(&BinaryQuant, i32, i32) -> i32,
) -> Result<(), Fault> {
    quantized_or_fault::<T>(call, |q, a, b| Ok(combine(q, a, b)))
}

fn quantized_or_fault<T: Element>(
    call: &Call<'_>,
    combine: impl Fn(&BinaryQuant, i32, i32) -> Result<i32, Fault>,
) -> Result<(), Fault> {
    let p: BinaryParams = call.params()?;
    let q: BinaryQuant = call.block(p.detail)?;
    let [zero1, zero2] = q.zero_points.map(i32::from);
    let [min, max] = q.limits.map(i32::from);
    elements::<T>(call, &p, |a, b| {
        let (a, b): (i32, i32) = (a.as_(), b.as_());
        let value = combine(&q, a.wrapping_sub(zero1), b.wrapping_sub(zero2))?.wrapping_add(q.zero_point);
        Ok(T::saturating_from(value.max(min).min(max)))
    })
}

/// An operator with a fused activation that is not quantised.
fn limited<T: Element + Word + PartialOrd>(
    call: &Call<'_>,
    combine: impl Fn(T, T) -> T,
) -> Result<(), Fault> {
    limited_or_fault::<T>(call, |a, b| Ok(combine(a, b)))
}

fn limited_or_fault<T: Element + Word + PartialOrd>(
    call: &Call<'_>,
    combine: impl Fn(T, T) -> Result<T, Fault>,
) -> Result<(), Fault> {
    let p: BinaryParams = call.params()?;
    let limits: Limits = call.block(p.detail)?;
    let (min, max) = (T::from_word(limits.min), T::from_word(limits.max));
    elements::<T>(call, &p, |a, b| {
        let value = combine(a, b)?;
        // Written so that NaN stays NaN.
        let value = if value < min { min } else { value };
        Ok(if max < value { max } else { value })
    })
}

/// An operator that takes the elements as they are.
fn plain<T: Element>(call: &Call<'_>, combine: impl Fn(T, T) -> T) -> Result<(), Fault> {
    plain_or_fault::<T>(call, |a, b| Ok(combine(a, b)))
}

fn plain_or_fault<T: Element>(
    call: &Call<'_>,
    combine: impl Fn(T, T) -> Result<T, Fault>,
) -> Result<(), Fault> {
    let p: BinaryParams = call.params()?;
    elements::<T>(call, &p, combine)
}

fn elements<T: Element>(
    call: &Call<'_>,
    p: &BinaryParams,
    combine: impl Fn(T, T) -> Result<T, Fault>,
) -> Result<(), Fault> {
    let input1 = call.source::<T>(p.input1, p.len1 as usize)?;
    let input2 = call.source::<T>(p.input2, p.len2 as usize)?;
    let output = call.view::<T>(p.output, p.len as usize)?;
    let dims = (p.dims_len as usize)
        .checked_mul(3)
        .and_then(|words| call.plan.get(p.dims as usize..)?.get(..words))
        .ok_or(Fault::BadPlan)?;
    for_each_pair(call, p.row_len, dims, |i, i1, i2| {
        output.set(i, combine(input1.get(i1)?, input2.get(i2)?)?)
    })
}
