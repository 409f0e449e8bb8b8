//! ONE_HOT: one value where an index says, another elsewhere.

use crate::ops::gather::IndexType;
use crate::ops::rows::product;
use crate::params::params;
use crate::{Call, Fault, Place};

params! {
    /// Parameters of [`one_hot`]. The whole operator is one row. The indices are `[outer, inner]`, the output is
    /// `[outer, depth, inner]`.
    pub struct OneHotParams {
        /// Indices, anywhere.
        pub indices: Place,
        /// Their type.
        pub index_type: IndexType,
        /// The value where the position is the index, anywhere.
        pub on: Place,
        /// The value elsewhere, anywhere.
        pub off: Place,
        /// Output.
        pub output: Place,
        /// Bytes of an element of the output.
        pub element: u32,
        /// Elements before the new axis.
        pub outer: u32,
        /// Size of the new axis.
        pub depth: u32,
        /// Elements behind it.
        pub inner: u32,
    }
}

/// Portable ONE_HOT: an index outside the axis gives the other value everywhere. Nothing overlaps the output.
pub fn one_hot(call: &Call<'_>) -> Result<(), Fault> {
    let p: OneHotParams = call.params()?;
    let element = p.element as usize;
    let len = product([p.outer, p.inner])?;
    let index = |i: usize| match p.index_type {
        IndexType::S32 => call.source::<i32>(p.indices, len)?.get(i).map(i64::from),
        IndexType::S64 => call.source::<i64>(p.indices, len)?.get(i),
    };
    let on = call.source::<i8>(p.on, element)?;
    let off = call.source::<i8>(p.off, element)?;
    let output = call.view::<i8>(p.output, product([p.outer, p.depth, p.inner, p.element])?)?;
    let mut to = 0usize;
    for outer in 0..p.outer as usize {
        for at in 0..p.depth {
            for inner in 0..p.inner as usize {
                let is_on = index(outer.wrapping_mul(p.inner as usize).wrapping_add(inner))? == i64::from(at);
                let value = if is_on { &on } else { &off };
                for (k, cell) in output.cells(to, element)?.iter().enumerate() {
                    cell.set(value.get(k)?);
                }
                to = to.wrapping_add(element);
            }
        }
    }
    Ok(())
}
