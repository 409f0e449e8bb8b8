//! How layers are laid out for the kernels of this module: plain Rust, also run where packing is for another
//! machine.
//!
//! A *column* is one vector of output channels, a *group* up to four columns that are computed together:
//! 64 bytes with a flag, the constants of each column, then the weights, step by step.

use crate::Weights;
use crate::quant::Multiplier;

/// An instruction set as packing sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// 32-bit lanes of a vector.
    pub lanes: usize,
    /// Activations that meet in a lane.
    pub group: usize,
    /// What is added to activations before they are multiplied: 128 where they become unsigned bytes.
    pub offset: i32,
}

/// Bytes before the columns of a group: the flag, and room for alignment.
pub(crate) const FLAG_BYTES: usize = 64;

/// 2^52 + 2^51: a double of this size has its last bit at 1, so the low word of a sum is an integer.
const MAGIC: f64 = 6_755_399_441_055_744.0;

impl Shape {
    /// Bytes of a vector.
    pub(crate) const fn vector(self) -> usize {
        self.lanes * 4
    }

    /// Bytes of a column's constants: bias, multiplier, left and right shift (int32 each), zero point; then
    /// four doubles a lane for the quick way.
    pub(crate) const fn column(self) -> usize {
        self.vector() * Column::VECTORS
    }

    /// Bytes of a group of `columns` with `steps` steps.
    pub(crate) const fn group_bytes(self, columns: usize, steps: usize) -> usize {
        (FLAG_BYTES + columns * (self.column() + steps * self.vector())).next_multiple_of(64)
    }

    /// The channel, counted from the group's first, in lane `lane` of column `column` of `columns`.
    ///
    /// Bytes are narrowed and interleaved within blocks of 128 bits; channels are placed so that the order
    /// is natural again afterwards.
    pub(crate) const fn channel(self, columns: usize, column: usize, lane: usize) -> usize {
        let (block, i) = (lane / 4, lane % 4);
        if columns == 1 {
            lane
        } else if self.group == 4 {
            columns * 4 * block + 4 * column + i
        } else {
            2 * self.lanes * (column / 2) + 8 * block + 4 * (column % 2) + i
        }
    }

    /// Columns of the group that starts at column `first` of `columns`.
    pub(crate) const fn columns_at(first: usize, columns: usize) -> usize {
        match columns - first {
            0 | 1 => 1,
            2 | 3 => 2,
            _ => 4,
        }
    }

    /// Bytes of all groups of a layer with `channels` outputs.
    pub(crate) fn layer_bytes(self, channels: usize, steps: usize) -> Option<usize> {
        let columns = channels.div_ceil(self.lanes);
        let (mut first, mut bytes) = (0, 0usize);
        while first < columns {
            let n = Self::columns_at(first, columns);
            let group = steps.checked_mul(self.vector())?.checked_add(self.column())?.checked_mul(n)?;
            bytes = bytes.checked_add(group.checked_add(FLAG_BYTES + 63)? & !63)?;
            first += n;
        }
        Some(bytes)
    }
}

/// Where the constants of a column start, in vectors.
pub(crate) struct Column;

impl Column {
    /// Initial accumulators.
    pub(crate) const BIAS: usize = 0;
    /// Multipliers.
    pub(crate) const MULTIPLIER: usize = 1;
    /// Shifts to the left.
    pub(crate) const LEFT: usize = 2;
    /// Shifts to the right.
    pub(crate) const RIGHT: usize = 3;
    /// The output zero point.
    pub(crate) const ZERO: usize = 4;
    /// `m`: what an accumulator is multiplied by; doubles take two vectors.
    pub(crate) const M: usize = 5;
    /// `c`: added to the product, it leaves the rounded result in the low word.
    pub(crate) const C: usize = 7;
    /// `s`: the power of two that divides the result, and a little more.
    pub(crate) const S: usize = 9;
    /// `z`: added to that product, it leaves the rounded result and the zero point in the low word.
    pub(crate) const Z: usize = 11;
    /// Vectors of a column.
    pub(crate) const VECTORS: usize = 13;
}

/// The accumulators of the quick way are 2^31 above their value.
pub(crate) const LIFT: i32 = i32::MIN;

/// A layer's constants that packing needs beside its weights.
pub(crate) struct Layer<'w> {
    pub shape: Shape,
    pub weights: Weights<'w>,
    pub input_zero_point: i32,
    pub output_zero_point: i32,
}

/// What packing knows of a channel.
#[derive(Clone, Copy)]
struct Constants {
    bias: i32,
    factor: Multiplier,
    /// The quick way is exact.
    quick: bool,
}

impl Layer<'_> {
    /// Constants of `channel`, whose weights add up to `sum`, and their magnitudes to `magnitude`.
    fn constants(&self, channel: usize, sum: i32, magnitude: u32) -> Constants {
        let offset = self.shape.offset.wrapping_add(self.input_zero_point);
        let bias = self.weights.bias(channel);
        let factor = (self.weights.factor)(channel);
        // |x - zero point| is at most 255.
        let bound = u64::from(magnitude) * 255 + u64::from(bias.unsigned_abs());
        Constants {
            bias: bias.wrapping_sub(offset.wrapping_mul(sum)),
            factor,
            quick: is_quick(factor, bound),
        }
    }

    /// Writes one group. `channel_of(c)` is the layer's channel for the group's channel `c`, `sums` those of a
    /// channel's weights and of their magnitudes. `copy` writes a channel's weights to every `stride`-th word.
    pub(crate) fn group(
        &self,
        out: &mut [u8],
        columns: usize,
        channel_of: impl Fn(usize) -> Option<usize>,
        sums: impl Fn(usize) -> (i32, u32),
        copy: impl Fn(usize, &mut [[u8; 4]], usize),
    ) {
        let shape = self.shape;
        let column_bytes = shape.column();
        let Some((flag, rest)) = out.split_at_mut_checked(FLAG_BYTES) else {
            return;
        };
        let Some((constants, weights)) = rest.split_at_mut_checked(columns * column_bytes) else {
            return;
        };
        let words = weights.as_chunks_mut::<4>().0;
        let stride = columns * shape.lanes;
        let mut quick = true;
        for (column, out) in constants.chunks_exact_mut(column_bytes).enumerate() {
            for lane in 0..shape.lanes {
                let words = words.get_mut(column * shape.lanes + lane..).unwrap_or_default();
                let known = match channel_of(shape.channel(columns, column, lane)) {
                    Some(channel) => {
                        copy(channel, words, stride);
                        let (sum, magnitude) = sums(channel);
                        self.constants(channel, sum, magnitude)
                    }
                    None => {
                        words.iter_mut().step_by(stride).for_each(|word| *word = [0; 4]);
                        Constants { bias: 0, factor: Multiplier { multiplier: 0, shift: 0 }, quick: true }
                    }
                };
                quick &= known.quick;
                self.write_column(out, lane, &known);
            }
        }
        // In the quick way accumulators start lifted.
        if quick {
            for out in constants.chunks_exact_mut(column_bytes) {
                for bias in out.as_chunks_mut::<4>().0.iter_mut().take(shape.lanes) {
                    *bias = i32::from_le_bytes(*bias).wrapping_add(LIFT).to_le_bytes();
                }
            }
        }
        flag.fill(0);
        if let Some(first) = flag.first_mut() {
            *first = quick.into();
        }
    }

    fn write_column(&self, out: &mut [u8], lane: usize, known: &Constants) {
        let lanes = self.shape.lanes;
        let Multiplier { multiplier, shift } = known.factor;
        let (left, right) = (i32::from(shift.max(0)), i32::from(shift.min(0)).wrapping_neg());
        let zero = self.output_zero_point;
        let words = out.as_chunks_mut::<4>().0;
        let ints = [known.bias, multiplier, left, right, zero];
        for (vector, value) in ints.into_iter().enumerate() {
            if let Some(word) = words.get_mut(vector * lanes + lane) {
                *word = value.to_le_bytes();
            }
        }
        // Doubles: first those of the lower two of each four lanes, then those of the upper two.
        let (block, i) = (lane / 4, lane % 4);
        let at = (i / 2) * (lanes / 2) + 2 * block + i % 2;
        let m = f64::from(multiplier) * power(left - 31);
        let c = MAGIC - (2_097_153.0 * f64::from(multiplier)) * power(left);
        let s = power(-right) * (1.0 + power(-30));
        let z = MAGIC - MAGIC * s + f64::from(zero);
        let doubles = out.as_chunks_mut::<8>().0;
        for (vector, value) in [(Column::M, m), (Column::C, c), (Column::S, s), (Column::Z, z)] {
            if let Some(word) = doubles.get_mut(vector * lanes / 2 + at) {
                *word = value.to_le_bytes();
            }
        }
    }
}

/// `2^exponent`.
fn power(exponent: i32) -> f64 {
    f64::from_bits((exponent.wrapping_add(1023) as u64) << 52)
}

/// Two multiplications in float64, each rounded to nearest, are TFLite's requantisation exactly when no
/// accumulator of at most `bound` can make the first rounding meet a tie (float64 would round it to even), and
/// when all constants have an exact double.
///
/// The first product is `x * multiplier * 2^(left - 31)`: it is half of an odd number only where the powers of
/// two in `x` and in the multiplier leave just one factor 2 out. The second is pushed off its ties, away from
/// zero as TFLite rounds them, by a factor of `1 + 2^-30`: too little to matter elsewhere, as the first result
/// is below 2^29.
fn is_quick(factor: Multiplier, bound: u64) -> bool {
    let Multiplier { multiplier, shift } = factor;
    let (left, right) = (u32::from(shift.max(0).unsigned_abs()), u32::from(shift.min(0).unsigned_abs()));
    if left > 2 || right > 21 || bound << left >= 1 << 29 {
        return false;
    }
    multiplier == 0 || left + multiplier.trailing_zeros() + bound.max(1).ilog2() < 30
}

/// Sum and sum of magnitudes.
pub(crate) fn sums(weights: &[i8]) -> (i32, u32) {
    let (mut sum, mut magnitude) = (0i32, 0u32);
    // Sixteen-bit sums of short blocks are what compilers make vectors of.
    for block in weights.chunks(128) {
        let (mut block_sum, mut block_magnitude) = (0i16, 0i16);
        for &weight in block {
            block_sum = block_sum.wrapping_add(weight.into());
            block_magnitude = block_magnitude.wrapping_add(i16::from(weight).wrapping_abs());
        }
        sum = sum.wrapping_add(block_sum.into());
        magnitude = magnitude.wrapping_add(u32::from(block_magnitude.unsigned_abs()));
    }
    (sum, magnitude)
}
