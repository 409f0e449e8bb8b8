//! A layer's constants: biases with the zero point folded in, requantisation factors, weights.

use core::cell::Cell;

use crate::arch::dsp::widen::words;
use crate::call::{Bias, Requant};
use crate::quant::Multiplier;
use crate::{Call, Fault, Place, Weights};

/// Bytes before the weights for each channel: bias, multiplier, shift.
const CHANNEL_BYTES: usize = 12;

/// Where a layer's constants lie.
pub(super) struct Constants<'a> {
    pub(super) weights: &'a [i8],
    pub(super) channels: Channels<'a>,
}

pub(super) enum Channels<'a> {
    /// Prepared: bias, multiplier and shift of each channel.
    Packed(&'a [[i32; 3]]),
    /// The biases in scratch memory, the factors in the plan.
    InScratch(&'a [Cell<i32>], Requant<'a>),
}

/// Where constants that are not prepared are found.
pub(super) struct InFile {
    pub(super) bias: Place,
    pub(super) requant: u32,
    pub(super) requant_len: u32,
    pub(super) scratch: Place,
    pub(super) scratch_len: u32,
}

/// Bytes of prepared constants.
pub(super) fn packed_bytes(channels: usize, weights: usize) -> Option<u32> {
    u32::try_from(channels.checked_mul(CHANNEL_BYTES)?.checked_add(weights)?).ok()
}

/// Bytes of scratch memory for constants that are not prepared.
pub(super) fn scratch_bytes(channels: usize) -> Option<u32> {
    u32::try_from(channels.checked_mul(4)?).ok()
}

/// The bias with what the zero point subtracts from each sum of products. It wraps as the sums do.
fn fold(bias: i32, zero_point: i32, weights: impl Iterator<Item = i8>) -> i32 {
    let sum = weights.fold(0i32, |sum, weight| sum.wrapping_add(weight.into()));
    bias.wrapping_sub(sum.wrapping_mul(zero_point))
}

/// Packs the constants of a layer. `of_channel` gives the weights of a channel.
pub(super) fn pack<'w, I: Iterator<Item = i8> + 'w>(
    weights: &Weights<'w>,
    channels: usize,
    zero_point: i8,
    of_channel: impl Fn(usize) -> I,
    out: &mut [u8],
) {
    let Some((words, rest)) = out.split_at_mut_checked(channels * CHANNEL_BYTES) else {
        return;
    };
    for (i, words) in words.chunks_exact_mut(CHANNEL_BYTES).enumerate() {
        let Multiplier { multiplier, shift } = (weights.factor)(i);
        let bias = fold(weights.bias(i), zero_point.into(), of_channel(i));
        for (word, value) in words.chunks_exact_mut(4).zip([bias, multiplier, shift.into()]) {
            word.copy_from_slice(&value.to_le_bytes());
        }
    }
    for (to, &from) in rest.iter_mut().zip(weights.weights) {
        *to = from as u8;
    }
}

impl<'a> Constants<'a> {
    /// The constants of `channels` channels with `weights_len` weights in all; folds what is not prepared.
    pub(super) fn new<I: Iterator<Item = i8> + 'a>(
        call: &Call<'a>,
        place: Place,
        (channels, weights_len): (usize, usize),
        zero_point: i8,
        file: &InFile,
        of_channel: impl Fn(&'a [i8], usize) -> I,
    ) -> Result<Self, Fault> {
        if file.requant_len == 0 {
            let len = packed_bytes(channels, weights_len).ok_or(Fault::BadPlan)?;
            let block = call.constant(place, len as usize)?;
            let (words, weights) = block.split_at_checked(channels * CHANNEL_BYTES).ok_or(Fault::BadPlan)?;
            let words: &[i32] = bytemuck::try_cast_slice(words).map_err(|_| Fault::BadPlan)?;
            let channels = Channels::Packed(words.as_chunks().0);
            return Ok(Self { weights: bytemuck::cast_slice(weights), channels });
        }
        let weights = call.weights(place, weights_len)?;
        let bias: Bias<'_> = call.bias(file.bias, channels)?;
        let requant = call.requant(file.requant, file.requant_len)?;
        let scratch = call.view::<i8>(file.scratch, file.scratch_len as usize)?;
        let folded = words(scratch.cells(0, file.scratch_len as usize)?).ok_or(Fault::BadPlan)?;
        let folded = folded.get(..channels).ok_or(Fault::BadPlan)?;
        for (i, folded) in folded.iter().enumerate() {
            folded.set(fold(bias.get(i)?, zero_point.into(), of_channel(weights, i)));
        }
        Ok(Self { weights, channels: Channels::InScratch(folded, requant) })
    }
}

impl Channels<'_> {
    /// The bias of a channel, and its factor.
    #[inline]
    pub(super) fn get(&self, i: usize) -> Result<(i32, Multiplier), Fault> {
        match self {
            Self::Packed(channels) => {
                let &[bias, multiplier, shift] = channels.get(i).ok_or(Fault::OutOfBounds)?;
                Ok((bias, Multiplier { multiplier, shift: shift as i8 }))
            }
            Self::InScratch(folded, requant) => {
                Ok((folded.get(i).ok_or(Fault::OutOfBounds)?.get(), requant.get(i)?))
            }
        }
    }
}

/// Zero point, least and greatest output, as whole words: widening them takes longer than the rest.
#[derive(Clone, Copy)]
pub(super) struct Output {
    zero_point: i32,
    min: i32,
    max: i32,
}

impl Output {
    /// From the parameters of a layer.
    pub(super) fn new([_, zero_point, min, max]: [i8; 4]) -> Self {
        Self { zero_point: zero_point.into(), min: min.into(), max: max.into() }
    }

    /// From a sum of products to the output.
    #[inline]
    pub(super) fn of(&self, sum: i32, (bias, factor): (i32, Multiplier)) -> i8 {
        let value = factor.apply(sum.wrapping_add(bias)).wrapping_add(self.zero_point);
        value.min(self.max).max(self.min) as i8
    }
}
