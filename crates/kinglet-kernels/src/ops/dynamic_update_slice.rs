//! DYNAMIC_UPDATE_SLICE: a tensor with a block of it replaced, at a place that arrives at run time.

use crate::ops::gather::IndexType;
use crate::ops::rows::product;
use crate::params::params;
use crate::{Call, Fault, Place};

params! {
    /// Parameters of [`dynamic_update_slice`]. The whole operator is one row.
    pub struct DynamicUpdateSliceParams {
        /// The tensor, anywhere.
        pub input: Place,
        /// Its bytes, and the output's.
        pub bytes: u32,
        /// The block, anywhere.
        pub update: Place,
        /// Its bytes.
        pub update_bytes: u32,
        /// Where the block goes: one index for each dimension, anywhere.
        pub start: Place,
        /// Their type.
        pub index_type: IndexType,
        /// Output.
        pub output: Place,
        /// Bytes of an element.
        pub element: u32,
        /// Where the dimensions stand in the plan, outermost first, two words each: the tensor's size, the
        /// block's.
        pub dims: u32,
        /// Their number, at most 6.
        pub rank: u32,
    }
}

/// Portable DYNAMIC_UPDATE_SLICE: the block is moved as far as it has to be to lie within the tensor. May run
/// in place on the tensor.
pub fn dynamic_update_slice(call: &Call<'_>) -> Result<(), Fault> {
    let p: DynamicUpdateSliceParams = call.params()?;
    let (element, rank) = (p.element as usize, p.rank as usize);
    let input = call.source::<i8>(p.input, p.bytes as usize)?;
    let update = call.source::<i8>(p.update, p.update_bytes as usize)?;
    let output = call.view::<i8>(p.output, p.bytes as usize)?;
    let words = product([p.rank, 2])?;
    let dims = call.plan.get(p.dims as usize..).and_then(|rest| rest.get(..words)).ok_or(Fault::BadPlan)?;
    let dims: &[[u32; 2]] = dims.as_chunks().0;
    let start = |i: usize| -> Result<i64, Fault> {
        match p.index_type {
            IndexType::S32 => call.source::<i32>(p.start, rank)?.get(i).map(i64::from),
            IndexType::S64 => call.source::<i64>(p.start, rank)?.get(i),
        }
    };
    for i in 0..p.bytes as usize {
        output.set(i, input.get(i)?)?;
    }
    // Bytes before the block's first element.
    let mut first = 0usize;
    for (i, &[size, part]) in dims.iter().enumerate() {
        let most = i64::from(size).saturating_sub(part.into()).max(0);
        first = first.wrapping_mul(size as usize).wrapping_add(start(i)?.clamp(0, most) as usize);
    }
    let first = first.wrapping_mul(element);
    for i in 0..(p.update_bytes as usize).checked_div(element).ok_or(Fault::BadPlan)? {
        // The element's position in the block, from the innermost dimension outwards.
        let (mut rest, mut step, mut to) = (i, element, first);
        for &[size, part] in dims.iter().rev() {
            let (Some(outer), Some(at)) = (rest.checked_div(part as usize), rest.checked_rem(part as usize))
            else {
                return Err(Fault::BadPlan);
            };
            to = to.wrapping_add(at.wrapping_mul(step));
            step = step.wrapping_mul(size as usize);
            rest = outer;
        }
        let from = i.wrapping_mul(element);
        for (k, cell) in output.cells(to, element)?.iter().enumerate() {
            cell.set(update.get(from.wrapping_add(k))?);
        }
    }
    Ok(())
}
