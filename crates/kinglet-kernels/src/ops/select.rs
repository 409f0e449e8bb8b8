//! SELECT and SELECT_V2.

use crate::ops::elements::for_each_meeting;
use crate::ops::rows::product;
use crate::params::params;
use crate::{Call, Fault, Place};

params! {
    /// Parameters of [`select`]. A row is `row_len` elements of the output.
    pub struct SelectParams {
        /// The condition, anywhere: bytes, 0 or not.
        pub condition: Place,
        /// Its elements.
        pub condition_len: u32,
        /// What is taken where the condition is true, anywhere.
        pub input1: Place,
        /// Its elements.
        pub len1: u32,
        /// What is taken where it is false, anywhere.
        pub input2: Place,
        /// Its elements.
        pub len2: u32,
        /// Output.
        pub output: Place,
        /// Its elements.
        pub len: u32,
        /// Bytes of an element.
        pub element: u32,
        /// Elements in a row.
        pub row_len: u32,
        /// Where the dimensions stand in the plan: four words each, innermost first: size, steps in condition
        /// and inputs; a step is 0 where one is broadcast.
        pub dims: u32,
        /// Their number, at most [`MAX_DIMS`](crate::ops::elements::MAX_DIMS).
        pub dims_len: u32,
    }
}

/// Portable SELECT and SELECT_V2: elements are copied as they are. May run in place on an input that has the
/// output's shape.
pub fn select(call: &Call<'_>) -> Result<(), Fault> {
    let p: SelectParams = call.params()?;
    let element = p.element as usize;
    let condition = call.source::<u8>(p.condition, p.condition_len as usize)?;
    let input1 = call.source::<i8>(p.input1, product([p.len1, p.element])?)?;
    let input2 = call.source::<i8>(p.input2, product([p.len2, p.element])?)?;
    let output = call.view::<i8>(p.output, product([p.len, p.element])?)?;
    let words = product([p.dims_len, 4])?;
    let dims = call.plan.get(p.dims as usize..).and_then(|rest| rest.get(..words)).ok_or(Fault::BadPlan)?;
    for_each_meeting(call, p.row_len, dims.as_chunks().0, |i, &[_, at, i1, i2]| {
        let (input, from) = if condition.get(at as usize)? != 0 { (&input1, i1) } else { (&input2, i2) };
        let from = (from as usize).wrapping_mul(element);
        for (k, cell) in output.cells(i.wrapping_mul(element), element)?.iter().enumerate() {
            cell.set(input.get(from.wrapping_add(k))?);
        }
        Ok(())
    })
}
