//! FULLY_CONNECTED: a vector times a matrix, by [`product`].
//!
//! [`product`]: super::product

use core::cell::Cell;

use super::product::{Product, packed_words, scratch_words};
use super::requant::{Channel, accumulator_range};
use super::widen::words;
use crate::ops::fully_connected::FullyConnectedParams;
use crate::ops::rows::product;
use crate::{Call, Choice, Fault, How, Kernel, Place, Region, Weights};

/// Accumulators of packed layers are below 2^this.
const BITS: u32 = 23;

/// Accumulators of layers in rows are below 2^this.
const ROW_BITS: u32 = 30;

/// Chooses a kernel for a core with the DSP extension, where there is one for the layer.
pub(crate) fn choose(p: &FullyConnectedParams, weights: &Weights<'_>, how: &How) -> Option<Choice> {
    let depth = product([p.input_depth]).ok().filter(|&depth| depth > 0)?;
    let channels = product([p.output_depth]).ok()?;
    let scratch = scratch_words(depth).checked_mul(4)?;
    if how.prepare && (0..channels).all(|i| packed_channel(p, weights, i, BITS).is_some()) {
        let (kernel, requant) = if is_uniform(p, weights) {
            (Kernel::FullyConnectedDsp, 2)
        } else {
            (Kernel::FullyConnectedDspChannels, channels.checked_mul(2)?)
        };
        let packed = packed_words(depth).checked_mul(channels.div_ceil(4))?;
        let prepared = u32::try_from(packed.checked_add(requant)?.checked_mul(4)?).ok()?;
        let choice = Choice::new(kernel);
        return Some(Choice { scratch: u32::try_from(scratch).ok()?, prepared, ..choice });
    }
    if !depth.is_multiple_of(4) || !(0..channels).all(|i| row_channel(p, weights, i).is_some()) {
        return None;
    }
    let scratch = scratch.checked_add(channels.checked_mul(8)?)?;
    Some(Choice { scratch: u32::try_from(scratch).ok()?, ..Choice::new(Kernel::FullyConnectedDspRows) })
}

/// The weights of output `i`.
fn row<'a>(p: &FullyConnectedParams, weights: &Weights<'a>, i: usize) -> Option<&'a [i8]> {
    let depth = p.input_depth as usize;
    weights.weights.get(i.checked_mul(depth)?..)?.get(..depth)
}

/// All outputs have the same factor.
fn is_uniform(p: &FullyConnectedParams, weights: &Weights<'_>) -> bool {
    (1..p.output_depth as usize).all(|i| (weights.factor)(i) == (weights.factor)(0))
}

/// An output as it is computed from weights in rows.
fn row_channel(p: &FullyConnectedParams, weights: &Weights<'_>, i: usize) -> Option<Channel> {
    let row = row(p, weights, i)?;
    let bias = weights.bias(i);
    let range = accumulator_range(&mut row.iter().copied(), bias, p.quant[0]);
    Channel::varying(range, bias, (weights.factor)(i)).filter(|channel| channel.bits <= ROW_BITS)
}

/// An output as it is computed from packed weights, with accumulators of at most `bits` bits.
fn packed_channel(p: &FullyConnectedParams, weights: &Weights<'_>, i: usize, bits: u32) -> Option<Channel> {
    // A half that is 256 times a weight plus another needs the weight above -128.
    let is_packable = i.is_multiple_of(2) || !row(p, weights, i)?.contains(&-128);
    row_channel(p, weights, i).filter(|channel| channel.bits <= bits && is_packable)
}

/// Packs constants and weights for [`Product::packed`].
pub(crate) fn pack(p: &FullyConnectedParams, weights: &Weights<'_>, out: &mut [u8]) {
    let (depth, channels) = (p.input_depth as usize, p.output_depth as usize);
    let mut out = out.chunks_exact_mut(4);
    let mut put = |word: i32| {
        if let Some(out) = out.next() {
            out.copy_from_slice(&word.to_le_bytes());
        }
    };
    let requants = if is_uniform(p, weights) { 1 } else { channels };
    for i in 0..requants {
        let channel = row_channel(p, weights, i);
        put(channel.map_or(0, |channel| channel.multiplier));
        put(channel.map_or(0, |channel| channel.rounded_power()));
    }
    for first in (0..channels).step_by(4) {
        (first..first + 4).for_each(|i| put(if i < channels { weights.bias(i) } else { 0 }));
        let weight = |i: usize, at: usize| {
            let row = row(p, weights, first + i).filter(|_| first + i < channels);
            row.and_then(|row| row.get(at)).map_or(0, |&weight| i32::from(weight))
        };
        for four in (0..depth).step_by(4) {
            for low in [four, four + 1] {
                for pair in [0, 2] {
                    let half = |at| 256 * weight(pair + 1, at) + weight(pair, at);
                    put((half(low) & 0xffff) | half(low + 2) << 16);
                }
            }
        }
    }
}

/// Packed weights, one factor.
#[inline(never)]
pub fn fully_connected_packed(call: &Call<'_>) -> Result<(), Fault> {
    packed(call, true)
}

/// Packed weights, a factor for each output.
#[inline(never)]
pub fn fully_connected_packed_channels(call: &Call<'_>) -> Result<(), Fault> {
    packed(call, false)
}

#[inline(always)]
fn packed(call: &Call<'_>, is_uniform: bool) -> Result<(), Fault> {
    let p = call.params::<FullyConnectedParams>();
    let p = p.as_ref().map_err(|&fault| fault)?;
    // As many constants as there are from here on: how many are needed, the product knows.
    let constants = match p.weights.region() {
        Some(Region::Constants) => call.constants,
        Some(Region::Prepared) => call.prepared,
        _ => return Err(Fault::OutOfBounds),
    };
    let constants = constants.get(p.weights.offset()..).ok_or(Fault::OutOfBounds)?;
    let x = scratch(call, p)?;
    for y in call.each_row() {
        let product = vector(call, p, y, x)?;
        product.packed(constants, is_uniform)?;
        clamp(product.out, p.quant);
    }
    Ok(())
}

/// Weights as in the file.
#[inline(never)]
pub fn fully_connected_rows(call: &Call<'_>) -> Result<(), Fault> {
    let p = call.params::<FullyConnectedParams>();
    let p = p.as_ref().map_err(|&fault| fault)?;
    let channels = p.output_depth as usize;
    let weights = call.constant(p.weights, product([p.output_depth, p.input_depth])?)?;
    let bias = match p.bias.region() {
        None => None,
        Some(_) => Some(call.constant(p.bias, channels.checked_mul(4).ok_or(Fault::BadPlan)?)?),
    };
    let is_uniform = p.requant_len == 1;
    let table = call.requant(p.requant, p.requant_len)?;
    let requants = if is_uniform { 1 } else { channels };
    let (requant, x) = scratch(call, p)?.split_at_checked(requants.wrapping_mul(2)).ok_or(Fault::BadPlan)?;
    for (i, to) in requant.chunks_exact(2).enumerate() {
        let factor = table.get(i)?;
        if let [multiplier, power] = to {
            multiplier.set(factor.multiplier);
            power.set(1i32.wrapping_shl((32 + i32::from(factor.shift)) as u32));
        }
    }
    for y in call.each_row() {
        let product = vector(call, p, y, x)?;
        product.rows(weights, bias, requant, is_uniform)?;
        clamp(product.out, p.quant);
    }
    Ok(())
}

/// Bytes of a tensor.
#[inline(always)]
fn cells<'a>(call: &Call<'a>, place: Place, skip: usize, len: usize) -> Option<&'a [Cell<i8>]> {
    let memory = match place.region()? {
        Region::Arena => call.arena,
        Region::State => call.state,
        _ => return None,
    };
    let start = place.offset().checked_add(skip)?;
    memory.get(start..start.checked_add(len)?)
}

/// Scratch memory of a layer.
#[inline(always)]
fn scratch<'a>(call: &Call<'a>, p: &FullyConnectedParams) -> Result<&'a [Cell<i32>], Fault> {
    cells(call, p.scratch, 0, p.scratch_len as usize).and_then(words).ok_or(Fault::BadPlan)
}

/// Vector `y` of a layer.
#[inline(always)]
fn vector<'a>(
    call: &Call<'a>,
    p: &FullyConnectedParams,
    y: u32,
    x: &'a [Cell<i32>],
) -> Result<Product<'a>, Fault> {
    let (y, depth, channels) = (y as usize, p.input_depth as usize, p.output_depth as usize);
    let input = cells(call, p.input, y.saturating_mul(depth), depth).ok_or(Fault::OutOfBounds)?;
    let out = cells(call, p.output, y.saturating_mul(channels), channels).ok_or(Fault::OutOfBounds)?;
    Ok(Product { input, zero_point: p.quant[0], x, out, output_zero: p.quant[1] })
}

/// Limits outputs where the least and the greatest are not those of int8.
#[inline(always)]
fn clamp(out: &[Cell<i8>], [_, _, min, max]: [i8; 4]) {
    if (min, max) != (-128, 127) {
        out.iter().for_each(|out| out.set(out.get().min(max).max(min)));
    }
}
