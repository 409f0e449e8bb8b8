//! Walking over elements, shared by the element-wise operators.

use crate::{Call, Fault};

/// The most dimensions that an output walked by `for_each_pair` can have.
pub const MAX_DIMS: usize = 6;

/// Visits each element of the rows that are to be computed.
pub(crate) fn for_each_index(
    call: &Call<'_>,
    row_len: u32,
    mut visit: impl FnMut(usize) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for y in call.rows.clone() {
        for x in 0..row_len {
            visit(y.wrapping_mul(row_len).wrapping_add(x) as usize)?;
        }
    }
    Ok(())
}

/// Visits each element of the rows that are to be computed, together with the elements of two inputs that
/// meet in it.
///
/// `dims` has three words for each dimension, innermost first: size, step in input 1, step in input 2. A
/// step is 0 where the input is broadcast.
pub(crate) fn for_each_pair(
    call: &Call<'_>,
    row_len: u32,
    dims: &[u32],
    mut visit: impl FnMut(usize, usize, usize) -> Result<(), Fault>,
) -> Result<(), Fault> {
    for_each_meeting(call, row_len, dims.as_chunks().0, |i, &[_, i1, i2]| visit(i, i1 as usize, i2 as usize))
}

/// As `for_each_pair`, for any number of inputs: `dims` has the size and then a step for each input, `visit`
/// gets an index for each input behind a word that means nothing.
pub(crate) fn for_each_meeting<const WORDS: usize>(
    call: &Call<'_>,
    row_len: u32,
    dims: &[[u32; WORDS]],
    mut visit: impl FnMut(usize, &[u32; WORDS]) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let first = call.rows.start.checked_mul(row_len).ok_or(Fault::BadPlan)?;
    let end = call.rows.end.checked_mul(row_len).ok_or(Fault::BadPlan)?;
    let mut at = [0u32; MAX_DIMS];
    if dims.len() > at.len() {
        return Err(Fault::BadPlan);
    }
    let size = |dim: &[u32; WORDS]| dim.first().copied().unwrap_or(0);

    // Where the first element is: only this takes divisions.
    let (mut rest, mut indices) = (first, [0u32; WORDS]);
    for (at, dim) in at.iter_mut().zip(dims) {
        let (Some(quotient), Some(remainder)) = (rest.checked_div(size(dim)), rest.checked_rem(size(dim)))
        else {
            return Err(Fault::BadPlan);
        };
        *at = remainder;
        for (index, step) in indices.iter_mut().zip(dim) {
            *index = index.wrapping_add(remainder.wrapping_mul(*step));
        }
        rest = quotient;
    }

    for i in first..end {
        visit(i as usize, &indices)?;
        // Like an odometer: one on, and a dimension that has come round takes the next one on.
        for (at, dim) in at.iter_mut().zip(dims) {
            *at = at.wrapping_add(1);
            for (index, step) in indices.iter_mut().zip(dim) {
                *index = index.wrapping_add(*step);
            }
            if *at < size(dim) {
                break;
            }
            *at = 0;
            for (index, step) in indices.iter_mut().zip(dim) {
                *index = index.wrapping_sub(size(dim).wrapping_mul(*step));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn pairs(rows: core::ops::Range<u32>, row_len: u32, dims: &[u32]) -> Vec<(usize, usize, usize)> {
        let call = Call { arena: &[], state: &[], constants: &[], prepared: &[], plan: &[], params: 0, rows };
        let mut pairs = Vec::new();
        for_each_pair(&call, row_len, dims, |i, i1, i2| {
            pairs.push((i, i1, i2));
            Ok(())
        })
        .unwrap();
        pairs
    }

    #[test]
    fn broadcasting_repeats_elements() {
        // [2, 3, 2] from [2, 1, 2] and [3, 1].
        let dims = [2, 1, 0, 3, 0, 1, 2, 2, 0];
        let all = pairs(0..6, 2, &dims);
        let expected: Vec<_> = (0..12).map(|i| (i, i / 6 * 2 + i % 2, i / 2 % 3)).collect();
        assert_eq!(all, expected);
        // The rest of the rows gives the rest of the elements.
        assert_eq!(pairs(2..5, 2, &dims), expected[4..10]);
    }

    #[test]
    fn damaged_dimensions_are_faults() {
        let call =
            Call { arena: &[], state: &[], constants: &[], prepared: &[], plan: &[], params: 0, rows: 0..2 };
        let walk = |row_len, dims: &[u32]| for_each_pair(&call, row_len, dims, |_, _, _| Ok(()));
        assert_eq!(walk(1, &[0, 1, 1]), Err(Fault::BadPlan));
        assert_eq!(walk(1, &[1; 21]), Err(Fault::BadPlan));
        assert_eq!(walk(u32::MAX, &[1, 1, 1]), Err(Fault::BadPlan));
        assert_eq!(walk(1, &[u32::MAX; 18]), Ok(()));
    }
}
