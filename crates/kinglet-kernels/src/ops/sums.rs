//! CUMSUM and ADD_N: sums along an axis, and of many tensors.

use crate::ops::rows::product;
use crate::params::params;
use crate::quant::Multiplier;
use crate::{Call, Element, Fault, Params, Place};

params! {
    /// How int8 summands become an int8 sum. The others leave it all 0.
    pub struct SumQuant {
        /// Input zero point.
        pub input_zero_point: i32,
        /// Output zero point.
        pub output_zero_point: i32,
        /// Multiplier of the sum, whose summands are shifted left by 19 bits.
        pub multiplier: i32,
        /// Its shift, at most 0.
        pub shift: i32,
    }
}

impl SumQuant {
    /// A summand: half of it, shifted left by 20 bits, which is exact.
    fn summand(&self, x: i32) -> i32 {
        x.wrapping_sub(self.input_zero_point).wrapping_shl(19)
    }

    /// What sums begin with. The references do not begin with 0 but with what 0 stands for.
    fn begin(&self) -> i32 {
        self.summand(0)
    }

    fn end(&self, sum: i32) -> i8 {
        let factor = Multiplier { multiplier: self.multiplier, shift: self.shift as i8 };
        i8::saturating_from(factor.apply(sum).wrapping_add(self.output_zero_point))
    }
}

params! {
    /// Parameters of CUMSUM. The whole operator is one row. The tensors are `[outer, depth, inner]`.
    pub struct CumsumParams {
        /// Input, anywhere.
        pub input: Place,
        /// Output.
        pub output: Place,
        /// Elements before the axis.
        pub outer: u32,
        /// Size of the axis.
        pub depth: u32,
        /// Elements behind the axis.
        pub inner: u32,
        /// 1: a sum does not hold the element at its own place.
        pub exclusive: u32,
        /// 1: sums go from the end to the start.
        pub reverse: u32,
        /// Where the [`SumQuant`] of int8 stands in the plan.
        pub detail: u32,
    }
}

/// Portable CUMSUM, int8. TFLite: `CumSum`. May run in place.
pub fn cumsum_s8(call: &Call<'_>) -> Result<(), Fault> {
    let p: CumsumParams = call.params()?;
    let q: SumQuant = call.block(p.detail)?;
    cumsum::<i8, i32>(call, &p, q.begin(), |sum, x| sum.wrapping_add(q.summand(x.into())), |sum| q.end(sum))
}

/// Portable CUMSUM, int32; sums wrap. May run in place.
pub fn cumsum_s32(call: &Call<'_>) -> Result<(), Fault> {
    cumsum::<i32, i32>(call, &call.params()?, 0, i32::wrapping_add, |sum| sum)
}

/// Portable CUMSUM, float32. May run in place.
pub fn cumsum_f32(call: &Call<'_>) -> Result<(), Fault> {
    cumsum::<f32, f32>(call, &call.params()?, 0.0, |sum, x| sum + x, |sum| sum)
}

fn cumsum<T: Element, Sum: Copy>(
    call: &Call<'_>,
    p: &CumsumParams,
    begin: Sum,
    add: impl Fn(Sum, T) -> Sum,
    end: impl Fn(Sum) -> T,
) -> Result<(), Fault> {
    let len = product([p.outer, p.depth, p.inner])?;
    let input = call.source::<T>(p.input, len)?;
    let output = call.view::<T>(p.output, len)?;
    let [depth, inner] = [p.depth, p.inner].map(|size| size as usize);
    for outer in 0..p.outer as usize {
        for within in 0..inner {
            let mut sum = begin;
            for i in 0..depth {
                let i = if p.reverse != 0 { depth.wrapping_sub(i).wrapping_sub(1) } else { i };
                let at = outer.wrapping_mul(depth).wrapping_add(i).wrapping_mul(inner).wrapping_add(within);
                let with = add(sum, input.get(at)?);
                output.set(at, end(if p.exclusive != 0 { sum } else { with }))?;
                sum = with;
            }
        }
    }
    Ok(())
}

params! {
    /// Parameters of ADD_N. A row is `row_len` elements. Behind the block stand the places of the inputs, which
    /// may be anywhere.
    pub struct AddNParams {
        /// Number of inputs.
        pub inputs: u32,
        /// Output.
        pub output: Place,
        /// Elements.
        pub len: u32,
        /// Elements in a row.
        pub row_len: u32,
        /// Where the [`SumQuant`] of int8 stands in the plan.
        pub detail: u32,
    }
}

impl AddNParams {
    /// The places of the inputs: the words behind a parameter block at the start of `words`.
    pub fn inputs<'w>(&self, words: &'w [u32]) -> Option<&'w [u32]> {
        words.get(Self::WORDS..)?.get(..self.inputs as usize)
    }
}

/// Portable ADD_N, int8. TFLite: `AddN`. May run in place on any input.
pub fn add_n_s8(call: &Call<'_>) -> Result<(), Fault> {
    let p: AddNParams = call.params()?;
    let q: SumQuant = call.block(p.detail)?;
    add_n::<i8, i32>(call, &p, q.begin(), |sum, x| sum.wrapping_add(q.summand(x.into())), |sum| q.end(sum))
}

/// Portable ADD_N, int32; sums wrap. May run in place on any input.
pub fn add_n_s32(call: &Call<'_>) -> Result<(), Fault> {
    add_n::<i32, i32>(call, &call.params()?, 0, i32::wrapping_add, |sum| sum)
}

/// Portable ADD_N, float32, from the first input to the last. May run in place on any input.
pub fn add_n_f32(call: &Call<'_>) -> Result<(), Fault> {
    add_n::<f32, f32>(call, &call.params()?, 0.0, |sum, x| sum + x, |sum| sum)
}

fn add_n<T: Element, Sum: Copy>(
    call: &Call<'_>,
    p: &AddNParams,
    begin: Sum,
    add: impl Fn(Sum, T) -> Sum,
    end: impl Fn(Sum) -> T,
) -> Result<(), Fault> {
    use crate::Word;
    let places = call.plan.get(call.params..).and_then(|words| p.inputs(words)).ok_or(Fault::BadPlan)?;
    let output = call.view::<T>(p.output, p.len as usize)?;
    crate::ops::elements::for_each_index(call, p.row_len, |i| {
        let mut sum = begin;
        for &place in places {
            sum = add(sum, call.source::<T>(Place::from_word(place), p.len as usize)?.get(i)?);
        }
        output.set(i, end(sum))
    })
}
