//! Depthwise convolution: taps that stand above each other are interleaved, so that a lane holds the taps of
//! one channel, and channels and pixels follow each other in memory as one long row.

use crate::arch::wide::conv::{Buffer, Padded, RowBlock, RowBlocks, pair, start, vectors};
use crate::arch::wide::layers::{BUFFER, Blocks, MAX_TAPS, SLACK};
use crate::arch::wide::pack::{Column, FLAG_BYTES, Shape};
use crate::arch::wide::vector::Vector;
use crate::ops::depthwise_conv_2d::DepthwiseConv2dParams;
use crate::ops::rows::{Rows, product};
use crate::{Call, Fault};

/// The most output rows in a block.
const MAX_ROWS: usize = 16;

/// Runs a depthwise convolution with packed weights and one filter for each input channel.
///
/// # Safety
/// The machine has the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn depthwise_conv_2d<V: Vector>(
    call: &Call<'_>,
    p: &DepthwiseConv2dParams,
    shape: Shape,
) -> Result<(), Fault> {
    let size = 4 / V::GROUP;
    let [zero_point, _, min, max] = p.quant;
    let depth = product([p.input_depth])?.max(1);
    let (kernel, stride) = (pair(p.kernel), pair(p.stride));
    let (dilation, pad) = (pair(p.dilation), pair(p.pad));
    let out_width = usize::from(p.output_size.1);
    if kernel.0 == 0 || kernel.0 > MAX_TAPS || kernel.1 == 0 || kernel.1 > MAX_TAPS {
        return Err(Fault::BadPlan);
    }
    if stride.0 == 0 || stride.1 == 0 || p.output_depth != p.input_depth || out_width == 0 {
        return Err(Fault::BadPlan);
    }
    let blocks = Blocks::new(shape, depth, kernel);
    let packed = call.constant(p.weights, blocks.bytes().ok_or(Fault::BadPlan)?)?;
    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;

    // With strides, the columns that one tap meets stand together: plane `k` holds every column that is `k`
    // beyond a multiple of the stride.
    let reach = ((kernel.0 - 1) * dilation.0 + 1, (kernel.1 - 1) * dilation.1);
    let plane_of = |columns: usize| columns + reach.1 / stride.1;
    let planes = stride.1.min(reach.1 + 1);
    let row_of = |columns: usize| plane_of(columns).saturating_mul(planes * depth * size);
    let mut columns = out_width;
    while columns > 1 && row_of(columns).saturating_mul(reach.0 + 2 * stride.0) > BUFFER {
        columns = columns.div_ceil(2);
    }
    let (plane, row_bytes) = (plane_of(columns) * depth * size, row_of(columns));
    let fit = BUFFER.checked_div(row_bytes).unwrap_or(0);
    if fit < reach.0 {
        return Err(Fault::BadPlan);
    }
    let block_rows = ((fit - reach.0) / stride.0 + 1).min(MAX_ROWS);
    let mut taps = [0usize; MAX_TAPS];
    for (k, tap) in taps.iter_mut().enumerate().take(kernel.1) {
        let x = k * dilation.1;
        *tap = (x % stride.1) * plane + (x / stride.1) * depth * size;
    }
    let taps = taps.get(..kernel.1).unwrap_or_default();

    let mut buffer = Buffer::new();
    let buffer = buffer.start();
    let mut blocks_of_rows = RowBlocks::new(call, p.output_size.0);
    // A row in pieces is written before all of it has been read.
    blocks_of_rows.most = if columns < out_width { 1 } else { block_rows };
    while let Some(RowBlock { y, batch, first, rows }) = blocks_of_rows.next()? {
        let padded = Padded {
            rows: input,
            first_row: batch.wrapping_mul(p.input_size.0.into()),
            height: p.input_size.0 as isize,
            width: p.input_size.1 as isize,
            depth,
            zero_point,
        };
        let first_y = (first * stride.0) as isize - pad.0 as isize;
        for from in (0..out_width).step_by(columns) {
            let to = (from + columns).min(out_width);
            let first_x = (from * stride.1) as isize - pad.1 as isize;
            let width = plane_of(to - from);
            for row in 0..(rows - 1) * stride.0 + reach.0 {
                let y = first_y + row as isize;
                // SAFETY: `block_rows` rows of windows, each `columns` wide, fit the buffer.
                unsafe {
                    let start = buffer.add(row * row_bytes);
                    if planes == 1 && stride.1 == 1 {
                        padded.load::<V>(y, first_x, width, start)?;
                        continue;
                    }
                    for k in 0..planes {
                        let x = first_x + k as isize;
                        padded.load_every::<V>(y, x, stride.1, width, start.add(k * plane))?;
                    }
                }
            }
            // SAFETY: as above; behind the rows there is slack.
            unsafe { buffer.add(((rows - 1) * stride.0 + reach.0) * row_bytes).write_bytes(0, SLACK) };
            let len = (to - from) * depth;
            for row in 0..rows {
                let cells = output.row(y.wrapping_add(row as u32))?;
                let cells = cells.get(from * depth..to * depth).ok_or(Fault::OutOfBounds)?;
                let task = Task {
                    blocks: &blocks,
                    packed: packed.as_ptr(),
                    taps,
                    // SAFETY: within the block that was loaded.
                    from: unsafe { buffer.add(row * stride.0 * row_bytes) },
                    row_step: dilation.0 * row_bytes,
                    rows: kernel.0,
                    to: start(cells),
                    len,
                    min,
                    max,
                };
                // SAFETY: the rows of the window stand in the buffer, which has slack for a whole block
                // behind; `len` outputs can be written.
                unsafe { task.run::<V>() };
            }
        }
    }
    Ok(())
}

/// One output row, or a part of it.
struct Task<'t> {
    blocks: &'t Blocks,
    packed: *const u8,
    /// Where the columns of the window start, from that of its first.
    taps: &'t [usize],
    from: *const u8,
    row_step: usize,
    /// Rows of the window.
    rows: usize,
    to: *mut i8,
    /// Outputs.
    len: usize,
    min: i8,
    max: i8,
}

impl Task<'_> {
    /// # Safety
    /// The window's rows can be read for `len` outputs and a block beyond; `len` outputs can be written.
    #[inline(always)]
    unsafe fn run<V: Vector>(&self) {
        let block = 4 * V::LANES;
        let Blocks { unit, phases, .. } = *self.blocks;
        for phase in 0..phases {
            let mut at = phase * block;
            // Blocks of one phase share weights and factors.
            // SAFETY: as the caller promises.
            unsafe {
                let group = self.packed.add(phase * self.blocks.group_bytes());
                if V::LANES == 16 {
                    while at + 3 * unit < self.len {
                        self.tile::<V, 4>(group, at, phase);
                        at += 4 * unit;
                    }
                }
                while at + unit < self.len {
                    self.tile::<V, 2>(group, at, phase);
                    at += 2 * unit;
                }
                if at < self.len {
                    self.tile::<V, 1>(group, at, phase);
                }
            }
        }
    }

    /// `P` blocks of one phase, from output `at` on.
    ///
    /// # Safety
    /// As [`run`](Self::run).
    #[inline(always)]
    unsafe fn tile<V: Vector, const P: usize>(&self, group: *const u8, at: usize, phase: usize) {
        let size = 4 / V::GROUP;
        let block = 4 * V::LANES;
        let vector = V::LANES * 4;
        let column = vector * Column::VECTORS;
        let unit = self.blocks.unit;
        // SAFETY: the group has constants of four columns and weights of all steps behind its flag; the rest as
        // the caller promises.
        unsafe {
            let constants = group.add(FLAG_BYTES);
            let mut weights = constants.add(4 * column);
            let bias = vectors::<V, 4>(constants.add(Column::BIAS * vector), column);
            let mut sums = [bias; P];
            let mut first = 0;
            while first < self.rows {
                let mut rows = [self.from.add(first * self.row_step + at * size); 4];
                // Rows beyond the window meet weights of 0.
                for r in 1..V::GROUP.min(self.rows - first) {
                    rows[r] = rows[r].add(r * self.row_step);
                }
                for &tap in self.taps {
                    let step = vectors::<V, 4>(weights, vector);
                    for (i, sums) in sums.iter_mut().enumerate() {
                        let offset = tap + i * unit * size;
                        let [a, b, c, d] = rows;
                        let x = V::interleave([a.add(offset), b.add(offset), c.add(offset), d.add(offset)]);
                        for c in 0..4 {
                            sums[c] = sums[c].dot(x[c], step[c]);
                        }
                    }
                    weights = weights.add(4 * vector);
                }
                first += V::GROUP;
            }
            if *group != 0 {
                for c in 0..4 {
                    let factors = V::factors(constants.add(c * column));
                    for sums in &mut sums {
                        sums[c] = sums[c].rescale(&factors);
                    }
                }
            } else {
                for c in 0..4 {
                    for sums in &mut sums {
                        sums[c] = sums[c].rescale_any(constants.add(c * column));
                    }
                }
            }
            for (i, sums) in sums.into_iter().enumerate() {
                let at = at + i * unit;
                let len = block.min(self.blocks.end(phase, at, self.len) - at);
                V::store(sums, self.to.add(at), len, self.min, self.max);
            }
        }
    }
}
