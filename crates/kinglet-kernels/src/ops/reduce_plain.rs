//! Reductions of numbers that are not quantised, and of truth values: MEAN, SUM, REDUCE_MAX, REDUCE_MIN,
//! REDUCE_PROD of float32 and int32, ARG_MAX and ARG_MIN of float32, REDUCE_ALL and REDUCE_ANY.

use crate::ops::cast::CastType;
use crate::ops::reduce::walk;
use crate::params::params;
use crate::{Call, Element, Fault, Place, View, Word};

/// What is made of many values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// Their sum divided by their number.
    Mean,
    /// The greatest.
    Max,
    /// The least.
    Min,
    /// Their product.
    Prod,
    /// All are true.
    All,
    /// One is true, or more.
    Any,
}

impl Word for Reduction {
    fn from_word(word: u32) -> Self {
        match word {
            0 => Self::Sum,
            1 => Self::Mean,
            2 => Self::Max,
            3 => Self::Min,
            4 => Self::Prod,
            5 => Self::All,
            _ => Self::Any,
        }
    }
    fn to_word(self) -> u32 {
        self as u32
    }
}

params! {
    /// Parameters of the kernels in this file. The whole operator is one row.
    pub struct ReducePlainParams {
        /// What is made of the values.
        pub reduction: Reduction,
        /// Type of the input: int32, float32 or bool.
        pub ty: CastType,
        /// Input, anywhere.
        pub input: Place,
        /// Its elements.
        pub input_len: u32,
        /// Output: of the input's type, for ARG_MAX and ARG_MIN of indices.
        pub output: Place,
        /// Its elements.
        pub output_len: u32,
        /// Bytes of an element of the output: 8 for indices that are int64.
        pub output_element: u32,
        /// Where the dimensions stand in the plan, as for [`ReduceParams`](crate::ops::reduce::ReduceParams).
        pub dims: u32,
        /// How many are kept.
        pub kept: u32,
        /// How many are reduced.
        pub reduced: u32,
    }
}

/// Reduces values to one of a wider type: from `begin`, by `next`, which also gets the value's number.
fn reduce<T: Element, Out: Element, Acc: Copy>(
    call: &Call<'_>,
    p: &ReducePlainParams,
    begin: Acc,
    next: impl Fn(Acc, T, u32) -> Acc,
    end: impl Fn(Acc, u32) -> Out,
) -> Result<(), Fault> {
    let table = call.plan.get(p.dims as usize..).ok_or(Fault::BadPlan)?;
    let dims: &[[u32; 2]] = table.as_chunks().0;
    let (kept, rest) = dims.split_at_checked(p.kept as usize).ok_or(Fault::BadPlan)?;
    let reduced = rest.get(..p.reduced as usize).ok_or(Fault::BadPlan)?;
    // A tensor has at most six dimensions: a deeper table is damaged.
    if kept.len() > 6 || reduced.len() > 6 {
        return Err(Fault::BadPlan);
    }
    let input = call.source::<T>(p.input, p.input_len as usize)?;
    let output: View<'_, Out> = call.view(p.output, p.output_len as usize)?;
    let mut out = 0usize;
    walk(kept, 0, &mut |start| {
        let (mut acc, mut count) = (begin, 0u32);
        walk(reduced, start, &mut |at| {
            acc = next(acc, input.get(at as usize)?, count);
            count = count.wrapping_add(1);
            Ok(())
        })?;
        output.set(out, end(acc, count))?;
        out = out.wrapping_add(1);
        Ok(())
    })
}

/// Portable reductions of int32, float32 and bool. Input and output do not overlap.
///
/// Sums and products of int32 wrap; MEAN of int32 adds up in 64 bits and rounds towards zero. float32 adds up
/// in the input's order.
pub fn reduce_plain(call: &Call<'_>) -> Result<(), Fault> {
    use Reduction::{All, Any, Max, Mean, Min, Prod, Sum};
    let p: ReducePlainParams = call.params()?;
    match (p.ty, p.reduction) {
        (CastType::F32, Sum) => reduce::<f32, f32, f32>(call, &p, 0.0, |a, x, _| a + x, |a, _| a),
        (CastType::F32, Mean) => {
            reduce::<f32, f32, f32>(call, &p, 0.0, |a, x, _| a + x, |a, count| a / count as f32)
        }
        (CastType::F32, Prod) => reduce::<f32, f32, f32>(call, &p, 1.0, |a, x, _| a * x, |a, _| a),
        (CastType::F32, Max) => {
            reduce::<f32, f32, f32>(call, &p, f32::MIN, |a, x, _| if x > a { x } else { a }, |a, _| a)
        }
        (CastType::F32, Min) => {
            reduce::<f32, f32, f32>(call, &p, f32::MAX, |a, x, _| if x < a { x } else { a }, |a, _| a)
        }
        (CastType::S32, Mean) => {
            let mean = |sum: i64, count: u32| sum.checked_div(count.into()).unwrap_or(0) as i32;
            reduce::<i32, i32, i64>(call, &p, 0, |a, x, _| a.wrapping_add(x.into()), mean)
        }
        (CastType::S32, Prod) => reduce::<i32, i32, i32>(call, &p, 1, |a, x, _| a.wrapping_mul(x), |a, _| a),
        (CastType::S32, Sum) => reduce::<i32, i32, i32>(call, &p, 0, |a, x, _| a.wrapping_add(x), |a, _| a),
        (CastType::Bool, Any) => {
            reduce::<u8, u8, bool>(call, &p, false, |a, x, _| a || x != 0, |a, _| a.into())
        }
        (CastType::Bool, All) => {
            reduce::<u8, u8, bool>(call, &p, true, |a, x, _| a && x != 0, |a, _| a.into())
        }
        _ => Err(Fault::BadPlan),
    }
}

/// Portable ARG_MAX and ARG_MIN of float32 to int32 or int64: the first of the greatest, or of the least.
/// Input and output do not overlap.
pub fn arg_f32(call: &Call<'_>) -> Result<(), Fault> {
    let p: ReducePlainParams = call.params()?;
    let better = |x: f32, best: f32| if p.reduction == Reduction::Max { x > best } else { x < best };
    let next = |(best, index): (f32, u32), x: f32, i: u32| {
        if i == 0 || better(x, best) { (x, i) } else { (best, index) }
    };
    if p.output_element == 8 {
        reduce::<f32, i64, _>(call, &p, (0.0, 0), next, |(_, index), _| index.into())
    } else {
        reduce::<f32, i32, _>(call, &p, (0.0, 0), next, |(_, index), _| index as i32)
    }
}
