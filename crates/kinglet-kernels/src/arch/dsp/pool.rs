//! AVERAGE_POOL_2D and MAX_POOL_2D: four channels at a time.

use core::cell::Cell;

use super::instructions::{halves, max_bytes, sxtab16, sxtab16_odd};
use crate::ops::pool_2d::Pool2dParams;
use crate::ops::rows::{Rows, batch_and_row};
use crate::{Call, Fault};

/// As many int8 values as int16 surely has room for the sum of.
const SUMMANDS: usize = 256;

/// The inputs of one output pixel: `pixels` in each of `rows` rows.
struct Window<'a> {
    /// From the first pixel on.
    cells: &'a [Cell<i8>],
    pixels: usize,
    rows: usize,
    /// Bytes from pixel to pixel.
    depth: usize,
    /// Bytes from row to row.
    stride: usize,
}

impl Window<'_> {
    /// Visits words of four channels: of each pixel the four that start at `channel`. `visit` gets a word, and how
    /// many of them there have been before.
    #[inline(always)]
    fn each_word(&self, channel: usize, mut visit: impl FnMut(i32)) {
        let mut row = self.cells.as_ptr().cast::<i32>().wrapping_byte_add(channel);
        for _ in 0..self.rows {
            let mut pixel = row;
            for _ in 0..self.pixels {
                // SAFETY: `new` has seen to it that the window is within the cells, and every caller that four
                // channels from `channel` on are within a pixel.
                visit(unsafe { pixel.read_unaligned() });
                pixel = pixel.wrapping_byte_add(self.depth);
            }
            row = row.wrapping_byte_add(self.stride);
        }
    }

    /// Visits one channel of each pixel.
    #[inline(always)]
    fn each_byte(&self, channel: usize, mut visit: impl FnMut(i8)) {
        let rows = self.cells.get(channel..).unwrap_or_default().chunks(self.stride.max(1)).take(self.rows);
        for row in rows {
            row.iter().step_by(self.depth.max(1)).take(self.pixels).for_each(|cell| visit(cell.get()));
        }
    }
}

/// Where a window's inputs are along one axis: the first, and how many.
fn inside(out: usize, stride: u16, pad: u16, kernel: u16, size: u16) -> (usize, usize) {
    let start = out.wrapping_mul(stride.into()) as i32 - i32::from(pad);
    let end = start.wrapping_add(kernel.into()).min(size.into());
    let first = start.max(0);
    (first as usize, end.wrapping_sub(first).max(0) as usize)
}

/// Calls `reduce` for each output pixel with its window.
#[inline(always)]
fn pool(call: &Call<'_>, reduce: impl Fn(&Window<'_>, &[Cell<i8>], [i8; 2])) -> Result<(), Fault> {
    let p: Pool2dParams = call.params()?;
    let depth = p.depth as usize;
    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;
    if depth == 0 || p.stride.0 == 0 {
        return Err(Fault::BadPlan);
    }
    for y in call.each_row() {
        let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
        let (first_y, rows) = inside(out_y, p.stride.0, p.pad.0, p.kernel.0, p.input_size.0);
        let first_row = batch.wrapping_mul(p.input_size.0.into()).wrapping_add(first_y as u32);
        let cells = input.run(first_row, rows as u32).ok_or(Fault::OutOfBounds)?;
        let stride = p.input_stride as usize;
        for (out_x, pixel) in output.row(y)?.chunks_exact(depth).enumerate() {
            let (first_x, pixels) = inside(out_x, p.stride.1, p.pad.1, p.kernel.1, p.input_size.1);
            let start = first_x.wrapping_mul(depth);
            let is_within = start.wrapping_add(pixels.wrapping_mul(depth)) <= stride;
            let (Some(cells), true, true) = (cells.get(start..), is_within, rows > 0 && pixels > 0) else {
                return Err(Fault::BadPlan);
            };
            // Whole rows are as one.
            let window = if pixels.wrapping_mul(depth) == stride {
                let pixels = rows.wrapping_mul(pixels);
                Window { cells, pixels, rows: 1, depth, stride: pixels.wrapping_mul(depth) }
            } else {
                Window { cells, pixels, rows, depth, stride }
            };
            reduce(&window, pixel, p.limits.map(|limit| limit as i8));
        }
    }
    Ok(())
}

/// Average pooling, as the portable kernel computes it.
pub fn average_pool_2d(call: &Call<'_>) -> Result<(), Fault> {
    pool(call, |window, pixel, [min, max]| {
        let count = (window.rows.wrapping_mul(window.pixels) as i32).max(1);
        let half = count >> 1;
        let finish = |out: &Cell<i8>, sum: i32| {
            let nudged = if sum > 0 { sum.wrapping_add(half) } else { sum.wrapping_sub(half) };
            let mean = nudged.checked_div(count).unwrap_or(0);
            out.set(mean.min(max.into()).max(min.into()) as i8);
        };
        let (fours, rest) = pixel.as_chunks::<4>();
        for (i, outs) in fours.iter().enumerate() {
            let mut sums = [0i32; 4];
            let (mut even, mut odd, mut left) = (0, 0, SUMMANDS);
            let mut flush = |even: i32, odd: i32| {
                let ([a, c], [b, d]) = (halves(even), halves(odd));
                let [sum_a, sum_b, sum_c, sum_d] = &mut sums;
                *sum_a += a;
                *sum_b += b;
                *sum_c += c;
                *sum_d += d;
            };
            window.each_word(4 * i, |word| {
                (even, odd) = (sxtab16(even, word), sxtab16_odd(odd, word));
                left -= 1;
                if left == 0 {
                    flush(even, odd);
                    (even, odd, left) = (0, 0, SUMMANDS);
                }
            });
            flush(even, odd);
            outs.iter().zip(sums).for_each(|(out, sum)| finish(out, sum));
        }
        for (i, out) in rest.iter().enumerate() {
            let mut sum = 0i32;
            window.each_byte(4 * fours.len() + i, |value| sum = sum.wrapping_add(value.into()));
            finish(out, sum);
        }
    })
}

/// Maximum pooling, as the portable kernel computes it.
pub fn max_pool_2d(call: &Call<'_>) -> Result<(), Fault> {
    pool(call, |window, pixel, [min, max]| {
        let finish = |out: &Cell<i8>, value: i8| out.set(value.min(max).max(min));
        let (fours, rest) = pixel.as_chunks::<4>();
        for (i, outs) in fours.iter().enumerate() {
            let mut greatest = i32::from_ne_bytes([i8::MIN as u8; 4]);
            window.each_word(4 * i, |word| greatest = max_bytes(greatest, word));
            outs.iter().zip(greatest.to_le_bytes()).for_each(|(out, value)| finish(out, value as i8));
        }
        for (i, out) in rest.iter().enumerate() {
            let mut greatest = i8::MIN;
            window.each_byte(4 * fours.len() + i, |value| greatest = greatest.max(value));
            finish(out, greatest);
        }
    })
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::ops::pool_2d;
    use crate::{Params, Place, Region};

    type Kernel = fn(&Call<'_>) -> Result<(), Fault>;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn fast_kernels_equal_the_portable_ones(
            size in (1u16..30, 1u16..30), kernel in (1u16..9, 1u16..9), stride in (1u16..4, 1u16..4),
            is_same: bool, is_global: bool, batches in 1u32..3, depth in 1u32..14, seed: u64, is_max: bool,
            limits in (-128i8..0, 0i8..=127),
        ) {
            let kernel = if is_global { size } else { kernel };
            let size = (size.0.max(kernel.0), size.1.max(kernel.1));
            let one = |size: u16, kernel: u16, stride: u16| {
                let out = if is_same { size.div_ceil(stride) } else { (size - kernel) / stride + 1 };
                (out, ((out - 1) * stride + kernel).saturating_sub(size) / 2)
            };
            let ((height, top), (width, left)) = (one(size.0, kernel.0, stride.0), one(size.1, kernel.1, stride.1));
            let (rows_in, rows_out) = (u32::from(size.0) * batches, u32::from(height) * batches);
            let (stride_in, stride_out) = (u32::from(size.1) * depth, u32::from(width) * depth);
            let params = Pool2dParams {
                input: Place::new(Region::Arena, 0).unwrap(),
                input_stride: stride_in,
                input_ring: rows_in,
                output: Place::new(Region::Arena, stride_in * rows_in).unwrap(),
                output_stride: stride_out,
                output_ring: rows_out,
                input_size: size,
                output_size: (height, width),
                depth,
                kernel,
                stride,
                pad: (top, left),
                limits: [limits.0.into(), limits.1.into()],
            };
            let mut plan = Vec::new();
            params.for_each_word(|word| plan.push(word));
            let run = |kernel: Kernel, cut: u32| {
                let mut state = seed | 1;
                let arena: Vec<Cell<i8>> = (0..stride_in * rows_in + stride_out * rows_out).map(|_| {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    Cell::new(if state % 5 == 0 { -128 } else { (state >> 20) as i8 })
                }).collect();
                for rows in [0..cut, rows_out..cut] {
                    let call = Call {
                        arena: &arena, state: &[], constants: &[], prepared: &[], plan: &plan, params: 0, rows,
                    };
                    kernel(&call).unwrap();
                }
                arena.iter().map(Cell::get).collect::<Vec<_>>()
            };
            let (fast, portable): (Kernel, Kernel) = if is_max {
                (max_pool_2d, pool_2d::max_pool_2d)
            } else {
                (average_pool_2d, pool_2d::average_pool_2d)
            };
            prop_assert_eq!(run(fast, seed as u32 % (rows_out + 1)), run(portable, rows_out), "{:?}", params);
        }
    }
}
