//! Fully connected layers: each vector of the batch by itself, which is what batches of one want.

use crate::arch::wide::conv::{Packed, start, vectors};
use crate::arch::wide::pack::{Column, FLAG_BYTES, Shape};
use crate::arch::wide::vector::Vector;
use crate::ops::fully_connected::FullyConnectedParams;
use crate::ops::rows::{Rows, product};
use crate::{Call, Fault};

/// Runs a fully connected layer with packed weights.
///
/// # Safety
/// The machine has the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn fully_connected<V: Vector>(
    call: &Call<'_>,
    p: &FullyConnectedParams,
    shape: Shape,
) -> Result<(), Fault> {
    let [_, _, min, max] = p.quant;
    let depth = product([p.input_depth])?;
    let channels = product([p.output_depth])?.max(1);
    let steps = depth.div_ceil(V::GROUP);
    let len = shape.layer_bytes(channels, steps).ok_or(Fault::BadPlan)?;
    let packed = Packed { bytes: call.constant(p.weights, len)?, shape, channels, steps, min, max };
    let input = Rows::new(call, p.input, p.input_depth, p.batch)?;
    let output = Rows::new(call, p.output, p.output_depth, p.batch)?;
    for y in call.rows.clone() {
        let (from, to) = (input.row(y)?, output.row(y)?);
        if from.len() != depth || to.len() != channels {
            return Err(Fault::BadPlan);
        }
        let (from, to) = (start(from).cast_const(), start(to));
        for (first, columns, group) in packed.groups() {
            let len = (columns * V::LANES).min(channels - first);
            // SAFETY: the group has constants and weights of all columns; `depth` inputs can be read, and
            // `len` outputs from `first` on can be written.
            unsafe {
                let (group, to) = (group.as_ptr(), to.add(first));
                match columns {
                    4 => column_sums::<V, 4, 2>(&packed, group, from, depth, to, len),
                    2 => column_sums::<V, 2, 4>(&packed, group, from, depth, to, len),
                    _ => column_sums::<V, 1, 4>(&packed, group, from, depth, to, len),
                }
            }
        }
    }
    Ok(())
}

/// One vector times `C` columns; `U` steps are summed apart, so that no sum has to wait for the one before.
///
/// # Safety
/// The group has constants and weights of `C` columns; `depth` inputs can be read, `len` outputs written.
#[inline(always)]
unsafe fn column_sums<V: Vector, const C: usize, const U: usize>(
    packed: &Packed<'_>,
    group: *const u8,
    from: *const i8,
    depth: usize,
    to: *mut i8,
    len: usize,
) {
    let vector = V::LANES * 4;
    let column = vector * Column::VECTORS;
    // SAFETY: as the caller promises; a step reads `GROUP` inputs, the last one what is left of them.
    unsafe {
        let constants = group.add(FLAG_BYTES);
        let mut weights = constants.add(C * column);
        let mut sums = [[V::zero(); C]; U];
        sums[0] = vectors(constants.add(Column::BIAS * vector), column);
        let mut at = 0;
        while at + U * V::GROUP <= depth {
            for u in 0..U {
                let x = V::splat_group(read::<V>(from.add(at + u * V::GROUP)));
                for c in 0..C {
                    sums[u][c] = sums[u][c].dot(x, V::load(weights.add((u * C + c) * vector)));
                }
            }
            weights = weights.add(U * C * vector);
            at += U * V::GROUP;
        }
        while at < depth {
            let raw = if at + V::GROUP <= depth {
                read::<V>(from.add(at))
            } else {
                let mut raw = 0;
                for i in 0..depth - at {
                    raw |= u32::from(from.add(at + i).read() as u8) << (8 * i);
                }
                raw
            };
            let x = V::splat_group(raw);
            for c in 0..C {
                sums[0][c] = sums[0][c].dot(x, V::load(weights.add(c * vector)));
            }
            weights = weights.add(C * vector);
            at += V::GROUP;
        }
        let mut total = sums[0];
        for sums in &sums[1..] {
            for c in 0..C {
                total[c] = total[c].add(sums[c]);
            }
        }
        for c in 0..C {
            let column = constants.add(c * column);
            total[c] = match *group {
                0 => total[c].rescale_any(column),
                _ => total[c].rescale(&V::factors(column)),
            };
        }
        V::store(total, to, len, packed.min, packed.max);
    }
}

/// The next group of inputs.
///
/// # Safety
/// `GROUP` bytes can be read.
#[inline(always)]
unsafe fn read<V: Vector>(from: *const i8) -> u32 {
    // SAFETY: as the caller promises.
    unsafe {
        if V::GROUP == 4 {
            from.cast::<u32>().read_unaligned()
        } else {
            from.cast::<u16>().read_unaligned().into()
        }
    }
}

/// Takes products in registers alone, `rounds` times twelve vectors of them: the most that the machine can do.
/// Returns the number of multiply-accumulates, and a value so that they are not left out.
///
/// # Safety
/// The machine has the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn peak<V: Vector>(rounds: u32) -> (u64, i8) {
    let mut x = V::splat_i32(rounds as i32);
    let mut sums = [V::zero(); 12];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = sum.dot(x, x);
        }
        // Otherwise some products could be taken once for all.
        x = x.add(V::splat_i32(0x0101_0101));
    }
    let mut total = V::zero();
    for sum in sums {
        total = total.add(sum);
    }
    let mut bytes = [0i8; 16];
    // SAFETY: a vector has at most 16 lanes.
    unsafe { V::store([total], bytes.as_mut_ptr(), V::LANES, i8::MIN, i8::MAX) };
    (u64::from(rounds) * (12 * V::LANES * V::GROUP) as u64, bytes[0])
}
