//! Row views and window geometry, shared by the spatial operators.

use core::cell::Cell;

use crate::{Call, Distances, Fault, Place};

/// A tensor as rows of bytes that may lie in a ring: row `y` is at `y mod ring`. A whole tensor is the
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

    /// The cells of all rows.
    pub(crate) fn cells(&self) -> &'a [Cell<i8>] {
        self.cells
    }

    /// Where row `y` starts in the cells; 0 when there are no rows.
    #[inline]
    pub(crate) fn start(&self, y: u32) -> usize {
        let y = if y < self.ring { y } else { y.checked_rem(self.ring).unwrap_or(0) };
        (y as usize).wrapping_mul(self.stride)
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

impl<'a> Rows<'a> {
    /// The cells of the `count` rows from `y` on where they lie one after the other.
    pub(crate) fn run(&self, y: u32, count: u32) -> Option<&'a [Cell<i8>]> {
        let first = if y < self.ring { y } else { y.checked_rem(self.ring)? };
        if count > self.ring - first {
            return None;
        }
        let start = (first as usize).checked_mul(self.stride)?;
        self.cells.get(start..start.checked_add((count as usize).checked_mul(self.stride)?)?)
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

    /// Of the `len` taps from `tap` on, which lie on neighbouring inputs unless there is one: how many lie in
    /// the padding before the input, the input position under the next, and how many lie on the input; `None`
    /// when none does.
    #[inline]
    pub fn run_at(self, out: usize, tap: usize, len: usize) -> Option<(usize, usize, usize)> {
        let padded = out
            .wrapping_mul(usize::from(self.stride))
            .wrapping_add(tap.wrapping_mul(usize::from(self.dilation)));
        let skipped = usize::from(self.pad).saturating_sub(padded);
        let position = padded.saturating_sub(usize::from(self.pad));
        let inside = usize::from(self.input).saturating_sub(position).min(len.saturating_sub(skipped));
        (inside > 0).then_some((skipped, position, inside))
    }
}

/// The rows of an input or output of a window operator.
#[derive(Clone, Copy)]
pub(crate) struct RowShape {
    /// Bytes from row to row.
    pub(crate) stride: u32,
    /// Rows of one image.
    pub(crate) height: u16,
    /// Rows through all batches.
    pub(crate) rows: u32,
}

/// How far apart input and output of a kernel have to be that works row by row: while output row `y` is
/// written, nothing touches the input rows that it and the rows to come need. `axis` is the vertical one of
/// a window of `taps` rows.
pub(crate) fn row_distances(input: RowShape, output: RowShape, axis: Axis, taps: u16) -> Distances {
    // Of output row `y`: the first input row that its window touches, and the row behind the last.
    let height = i64::from(axis.input);
    let first = |y: u16| i64::from(y) * i64::from(axis.stride) - i64::from(axis.pad);
    let reach = i64::from(taps.saturating_sub(1)) * i64::from(axis.dilation) + 1;
    let at = |batch: u32, y: u16| {
        let rows_in = i64::from(batch) * i64::from(input.height);
        let rows_out = i64::from(batch) * i64::from(output.height) + i64::from(y);
        let needed = first(y).clamp(0, height)..(first(y) + reach).clamp(0, height);
        let (stride_in, stride_out) = (i64::from(input.stride), i64::from(output.stride));
        // Saturating: in a damaged plan these are any numbers.
        let bytes = |rows: i64, stride: i64| rows.saturating_mul(stride);
        let lead = bytes(rows_out + 1, stride_out).saturating_sub(bytes(rows_in + needed.start, stride_in));
        let lag = bytes(rows_in + needed.end, stride_in).saturating_sub(bytes(rows_out, stride_out));
        (lead, lag)
    };
    // Linear over the batches; over the rows linear between those at which the window meets an edge.
    let last = output.height.saturating_sub(1);
    let meets = |rows: i64| u16::try_from(rows.max(0) / i64::from(axis.stride.max(1))).unwrap_or(last);
    let top = meets(i64::from(axis.pad));
    let bottom = meets(height + i64::from(axis.pad) - reach);
    let last_batch = output.rows.checked_div(output.height.into()).unwrap_or(1).saturating_sub(1);
    let (mut lead, mut lag) = (0, 0);
    for y in [0, top, top.saturating_add(1), bottom, bottom.saturating_add(1), last] {
        for batch in [0, last_batch] {
            let distances = at(batch, y.min(last));
            lead = distances.0.max(lead);
            lag = distances.1.max(lag);
        }
    }
    let bytes = |distance: i64| u32::try_from(distance).unwrap_or(u32::MAX);
    Distances { lead: bytes(lead), lag: bytes(lag) }
}

/// The product of sizes; a fault when it does not fit.
#[inline(always)]
pub(crate) fn product<const N: usize>(sizes: [u32; N]) -> Result<usize, Fault> {
    let times = |a: usize, b: u32| a.checked_mul(b as usize).ok_or(Fault::BadPlan);
    // Without a loop for the few sizes that it is called with: each step of a plan multiplies some.
    match *sizes.as_slice() {
        [] => Ok(1),
        [a] => Ok(a as usize),
        [a, b] => times(a as usize, b),
        [a, b, c] => times(times(a as usize, b)?, c),
        [a, ref rest @ ..] => rest.iter().try_fold(a as usize, |product, &size| times(product, size)),
    }
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
    use super::*;
    use std::{vec, vec::Vec};

    #[test]
    fn distances_are_the_greatest_over_all_rows() {
        let mut seed = 1u32;
        let mut below = |bound: u16| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) as u16 % bound
        };
        for _ in 0..2_000 {
            let axis =
                Axis { input: 1 + below(12), stride: 1 + below(4), dilation: 1 + below(3), pad: below(5) };
            let (taps, batches) = (1 + below(5), u32::from(1 + below(3)));
            let output_height = 1 + below(12);
            let shape = |stride: u16, height: u16| RowShape {
                stride: stride.into(),
                height,
                rows: u32::from(height) * batches,
            };
            let (input, output) = (shape(1 + below(9), axis.input), shape(1 + below(9), output_height));
            let (mut lead, mut lag) = (0i64, 0i64);
            for row in 0..output.rows {
                let (batch, y) = batch_and_row(row, output_height).unwrap();
                let rows = (0..usize::from(taps)).filter_map(|tap| axis.input_at(y, tap));
                let rows = rows.map(|y| i64::from(batch) * i64::from(axis.input) + y as i64);
                let (row, stride) = (i64::from(row), i64::from(output.stride));
                for input_row in rows {
                    lead = lead.max((row + 1) * stride - input_row * i64::from(input.stride));
                    lag = lag.max((input_row + 1) * i64::from(input.stride) - row * stride);
                }
            }
            let found = row_distances(input, output, axis, taps);
            assert!(i64::from(found.lead) >= lead && i64::from(found.lag) >= lag, "{found:?} {lead} {lag}");
        }
        // A 3x3 window with padding, in place but for one row in front or behind.
        let rows = RowShape { stride: 10, height: 8, rows: 8 };
        let axis = Axis { input: 8, stride: 1, dilation: 1, pad: 1 };
        assert_eq!(row_distances(rows, rows, axis, 3), Distances { lead: 20, lag: 20 });
    }

    #[test]
    fn padding_is_no_input() {
        let axis = Axis { input: 5, stride: 2, dilation: 3, pad: 4 };
        assert_eq!(axis.input_at(0, 0), None);
        assert_eq!(axis.input_at(0, 2), Some(2));
        assert_eq!(axis.input_at(2, 0), Some(0));
        assert_eq!(axis.input_at(4, 0), Some(4));
        assert_eq!(axis.input_at(4, 1), None);
    }

    #[test]
    fn runs_are_the_taps_on_the_input() {
        for (stride, pad, input, len) in
            [(1, 2, 5, 5), (2, 1, 4, 3), (3, 4, 2, 9), (1, 0, 3, 1), (2, 7, 3, 2)]
        {
            let axis = Axis { input, stride, dilation: 1, pad };
            for out in 0..8 {
                let one_by_one: Vec<_> =
                    (0..len).filter_map(|tap| axis.input_at(out, tap).map(|at| (tap, at))).collect();
                let run = axis.run_at(out, 0, len).map_or(vec![], |(skipped, at, inside)| {
                    (0..inside).map(|i| (skipped + i, at + i)).collect()
                });
                assert_eq!(run, one_by_one);
            }
        }
    }
}
