//! Row views and window geometry, shared by the spatial operators.

use core::cell::Cell;

use crate::{Call, Fault, Place};

/// An int8 tensor as rows that may lie in a ring: row `y` is at `y mod ring`. A whole tensor is the
/// case `ring` = its number of rows (height, times batch).
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    cells: &'a [Cell<i8>],
    stride: usize,
    ring: u32,
}

impl<'a> Rows<'a> {
    /// `ring` rows, `stride` bytes apart, from `place` on.
    pub fn new(call: &Call<'a>, place: Place, stride: u32, ring: u32) -> Result<Self, Fault> {
        let stride = stride as usize;
        let len = stride.checked_mul(ring as usize).ok_or(Fault::BadPlan)?;
        let cells = call.view::<i8>(place, len)?.cells(0, len)?;
        Ok(Self { cells, stride, ring })
    }

    /// The cells of the rows of `range`; `None` where they are not one piece.
    pub fn range(&self, range: &core::ops::Range<u32>) -> Option<&'a [Cell<i8>]> {
        let (start, end) = ((range.start as usize), (range.end as usize));
        self.cells.get(start.checked_mul(self.stride)?..end.checked_mul(self.stride)?)
    }

    /// The cells of row `y`.
    #[inline]
    pub fn row(&self, y: u32) -> Result<&'a [Cell<i8>], Fault> {
        let y = if y < self.ring { y } else { y.checked_rem(self.ring).ok_or(Fault::BadPlan)? };
        // Within `cells` by construction, so the product can't overflow.
        let start = (y as usize).wrapping_mul(self.stride);
        self.cells.get(start..start.wrapping_add(self.stride)).ok_or(Fault::OutOfBounds)
    }
}

/// One spatial dimension of a window that slides over a padded input.
#[derive(Clone, Copy)]
pub struct Axis {
    /// Input size.
    pub input: u16,
    /// Step from one output position to the next.
    pub stride: u16,
    /// Step from one tap to the next.
    pub dilation: u16,
    /// Padding before the first input position.
    pub pad: u16,
}

impl Axis {
    /// The input position under tap `tap` of output position `out`; `None` in the padding.
    #[inline]
    pub fn input_at(self, out: usize, tap: usize) -> Option<usize> {
        let padded = out
            .wrapping_mul(usize::from(self.stride))
            .wrapping_add(tap.wrapping_mul(usize::from(self.dilation)));
        let position = padded.wrapping_sub(usize::from(self.pad));
        (position < usize::from(self.input)).then_some(position)
    }
}

/// The product of sizes; a fault when it does not fit.
pub(crate) fn product<const N: usize>(sizes: [u32; N]) -> Result<usize, Fault> {
    sizes
        .into_iter()
        .try_fold(1usize, |product, size| product.checked_mul(size as usize))
        .ok_or(Fault::BadPlan)
}

/// Splits a row number that counts through all batches into batch and row within it.
pub(crate) fn batch_and_row(y: u32, height: u16) -> Result<(u32, usize), Fault> {
    let height = u32::from(height);
    match (y.checked_div(height), y.checked_rem(height)) {
        (Some(batch), Some(row)) => Ok((batch, row as usize)),
        _ => Err(Fault::BadPlan),
    }
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn padding_is_no_input() {
        let axis = Axis { input: 5, stride: 2, dilation: 3, pad: 4 };
        assert_eq!(axis.input_at(0, 0), None);
        assert_eq!(axis.input_at(0, 2), Some(2));
        assert_eq!(axis.input_at(2, 0), Some(0));
        assert_eq!(axis.input_at(4, 0), Some(4));
        assert_eq!(axis.input_at(4, 1), None);
    }
}
