//! Pooling: sums and maxima of whole pixels, in pieces that stay in registers. Plain loops; compilers make
//! vectors of them where the entry has the instruction set.

use crate::ops::pool_2d::Pool2dParams;
use crate::ops::rows::{Axis, Rows, batch_and_row, product};
use crate::{Call, Fault};

/// Channels of a piece.
const PIECE: usize = 64;

/// Average pooling, or maximum pooling. TFLite rounds averages to nearest, ties away from zero.
#[inline(always)]
pub(crate) fn pool<const AVERAGE: bool>(call: &Call<'_>) -> Result<(), Fault> {
    let p: Pool2dParams = call.params()?;
    let [min, max] = p.limits.map(|limit| limit.clamp(-128, 127) as i8);
    let vertical = Axis { input: p.input_size.0, stride: p.stride.0, dilation: 1, pad: p.pad.0 };
    let horizontal = Axis { input: p.input_size.1, stride: p.stride.1, dilation: 1, pad: p.pad.1 };
    let depth = product([p.depth])?.max(1);
    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;
    for y in call.each_row() {
        let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
        let first_row = batch.wrapping_mul(p.input_size.0.into());
        for (out_x, pixel) in output.row(y)?.chunks_exact(depth).enumerate() {
            for (piece, out) in pixel.chunks(PIECE).enumerate() {
                let first = piece.wrapping_mul(PIECE);
                let (mut sums, mut count) = ([if AVERAGE { 0 } else { -128i32 }; PIECE], 0i32);
                let mut greatest = [i8::MIN; PIECE];
                for tap_y in 0..usize::from(p.kernel.0) {
                    let Some(in_y) = vertical.input_at(out_y, tap_y) else { continue };
                    let row = input.row(first_row.wrapping_add(in_y as u32))?;
                    for tap_x in 0..usize::from(p.kernel.1) {
                        let Some(in_x) = horizontal.input_at(out_x, tap_x) else { continue };
                        let at = in_x.wrapping_mul(depth).wrapping_add(first);
                        let cells = row.get(at..at.wrapping_add(out.len())).ok_or(Fault::OutOfBounds)?;
                        count = count.wrapping_add(1);
                        // Whole pieces have a length that the compiler knows.
                        if let Some(cells) = cells.first_chunk::<PIECE>() {
                            for i in 0..PIECE {
                                if AVERAGE {
                                    sums[i] = sums[i].wrapping_add(cells[i].get().into());
                                } else {
                                    greatest[i] = greatest[i].max(cells[i].get());
                                }
                            }
                        } else {
                            for ((cell, sum), greatest) in cells.iter().zip(&mut sums).zip(&mut greatest) {
                                *sum = sum.wrapping_add(cell.get().into());
                                *greatest = cell.get().max(*greatest);
                            }
                        }
                    }
                }
                if AVERAGE {
                    // An empty window is a damaged plan: the graph's checks leave none.
                    let half = count / 2;
                    if count == 0 {
                        return Err(Fault::BadPlan);
                    }
                    // Doubles hold the quotient exactly enough: truncated, it is that of the integers.
                    let divisor = f64::from(count);
                    for (sum, greatest) in sums.iter().zip(&mut greatest) {
                        let nudged = if *sum > 0 { sum.wrapping_add(half) } else { sum.wrapping_sub(half) };
                        *greatest = (f64::from(nudged) / divisor) as i8;
                    }
                }
                for (cell, value) in out.iter().zip(greatest) {
                    cell.set(value.min(max).max(min));
                }
            }
        }
    }
    Ok(())
}
