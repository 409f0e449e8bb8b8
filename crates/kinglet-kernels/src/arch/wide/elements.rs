//! ADD, SUB and MUL of int8 tensors of one shape.

use crate::arch::wide::vector::Vector;
use crate::ops::binary::{self, BinaryParams, BinaryQuant, Type};
use crate::{Call, Fault, Source};

/// Which operator.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Add,
    Sub,
    Mul,
}

/// A multiplier and its shifts, in every lane.
#[derive(Clone, Copy)]
struct Factor<V> {
    multiplier: V,
    left: V,
    right: V,
}

impl<V: Vector> Factor<V> {
    #[inline(always)]
    fn new(multiplier: i32, shift: i8, left: i32) -> Self {
        Self {
            multiplier: V::splat_i32(multiplier),
            left: V::splat_i32(left + i32::from(shift.max(0))),
            right: V::splat_i32(i32::from(shift.min(0)).wrapping_neg()),
        }
    }

    #[inline(always)]
    fn apply(&self, x: V) -> V {
        x.multiply(self.multiplier, self.left, self.right)
    }
}

/// Runs an operator on two tensors of one shape; `false` where an input is broadcast.
///
/// # Safety
/// The machine has the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn binary<V: Vector>(call: &Call<'_>, function: Function) -> Result<bool, Fault> {
    let p: BinaryParams = call.params()?;
    let q: BinaryQuant = call.block(p.detail)?;
    // As many elements and no fewer: nothing is broadcast.
    if p.len1 != p.len || p.len2 != p.len {
        return Ok(false);
    }
    let len = p.len as usize;
    let (input1, input2) = (call.source::<i8>(p.input1, len)?, call.source::<i8>(p.input2, len)?);
    let output = call.view::<i8>(p.output, len)?;
    let first = (call.rows.start as usize).checked_mul(p.row_len as usize).ok_or(Fault::BadPlan)?;
    let end = (call.rows.end as usize).checked_mul(p.row_len as usize).ok_or(Fault::BadPlan)?;
    let to = output.cells(first, end.saturating_sub(first))?;
    if end > len || first > end {
        return Err(Fault::OutOfBounds);
    }
    let at = |source: &Source<'_, i8>| match source {
        Source::View(view) => view.cells(0, len).map(|cells| cells.as_ptr().cast::<i8>()),
        Source::Constant(bytes) => Ok(bytes.as_ptr().cast()),
    };
    let (a, b) = (at(&input1)?, at(&input2)?);
    let to = to.as_ptr().cast_mut().cast::<i8>();
    let sum = Sum::<V>::new(&q, function);
    let count = end - first;
    let mut i = 0;
    // SAFETY: `first + count` is within both inputs, and `count` elements of output can be written. What is
    // left goes through buffers.
    unsafe {
        let (a, b) = (a.add(first), b.add(first));
        while i + V::LANES <= count {
            sum.step(a.add(i), b.add(i), to.add(i), V::LANES);
            i += V::LANES;
        }
        if i < count {
            let (mut a2, mut b2) = ([0i8; 64], [0i8; 64]);
            a2.as_mut_ptr().copy_from(a.add(i), count - i);
            b2.as_mut_ptr().copy_from(b.add(i), count - i);
            sum.step(a2.as_ptr(), b2.as_ptr(), to.add(i), count - i);
        }
    }
    Ok(true)
}

struct Sum<V> {
    function: Function,
    zero1: V,
    zero2: V,
    zero: V,
    factor1: Factor<V>,
    factor2: Factor<V>,
    factor: Factor<V>,
    min: i8,
    max: i8,
}

impl<V: Vector> Sum<V> {
    #[inline(always)]
    fn new(q: &BinaryQuant, function: Function) -> Self {
        let [zero1, zero2] = q.zero_points;
        let [min, max] = q.limits;
        let [shift1, shift2, shift, _] = q.shifts;
        // The shift before the multiplication is one for both: it joins the factor's own.
        let by = match function {
            Function::Mul => 0,
            _ => binary::sum_left_shift(Type::S8) as i32,
        };
        Self {
            function,
            zero1: V::splat_i32(zero1.into()),
            zero2: V::splat_i32(zero2.into()),
            zero: V::splat_i32(q.zero_point),
            factor1: Factor::new(q.multiplier1, shift1, by),
            factor2: Factor::new(q.multiplier2, shift2, by),
            factor: Factor::new(q.multiplier, shift, 0),
            min: min.clamp(-128, 127) as i8,
            max: max.clamp(-128, 127) as i8,
        }
    }

    /// # Safety
    /// A vector of bytes can be read from each input; `len` bytes can be written.
    #[inline(always)]
    unsafe fn step(&self, a: *const i8, b: *const i8, to: *mut i8, len: usize) {
        // SAFETY: as the caller promises.
        unsafe {
            let a = V::widen(a).sub(self.zero1);
            let b = V::widen(b).sub(self.zero2);
            let value = if self.function == Function::Mul {
                self.factor.apply(a.mul(b))
            } else {
                let (a, b) = (self.factor1.apply(a), self.factor2.apply(b));
                self.factor.apply(if self.function == Function::Add { a.add(b) } else { a.sub(b) })
            };
            V::store([value.add(self.zero)], to, len, self.min, self.max);
        }
    }
}
