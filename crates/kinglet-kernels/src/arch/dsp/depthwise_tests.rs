//! The depthwise kernels against the portable one: random shapes, row ranges, extreme values, in place.

use core::cell::Cell;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::{
    conv_2d_floor, conv_2d_rounded, depthwise_3x3, depthwise_3x3_relu, depthwise_3x3_stride_2,
    depthwise_3x3_stride_2_relu, depthwise_any,
};
use crate::ops::depthwise_conv_2d::{DepthwiseConv2dParams, as_conv_2d, choose, depthwise_conv_2d, pack};
use crate::quant::Multiplier;
use crate::{Call, Fault, How, Kernel, Overlap, Params, Place, Region, Target, Weights};

/// Draws from a seed.
struct Draw(u64);

impl Draw {
    fn word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }

    /// From `least` to `greatest`.
    fn pick(&mut self, least: u32, greatest: u32) -> u32 {
        least + self.word() % (greatest - least + 1)
    }

    fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.word() as usize % values.len()]
    }

    /// Often an extreme.
    fn byte(&mut self) -> i8 {
        match self.word() % 8 {
            0 => i8::MIN,
            1 => i8::MAX,
            _ => self.word() as i8,
        }
    }
}

/// A layer in memory: the input at the start of the arena, then the output, then scratch.
struct Layer {
    params: DepthwiseConv2dParams,
    /// The parameters of the fast kernel.
    fast: Vec<u32>,
    kernel: Kernel,
    overlap: Overlap,
    plan: Vec<u32>,
    constants: Vec<u8>,
    input: Vec<i8>,
    input_bytes: usize,
    output_bytes: usize,
}

fn at(region: Region, offset: usize) -> Place {
    Place::new(region, offset as u32).unwrap()
}

impl Layer {
    fn draw(seed: u64) -> Self {
        let mut draw = Draw(seed | 1);
        let kernel = draw.one_of(&[(3u16, 3u16), (3, 3), (3, 3), (5, 5), (1, 3), (7, 1), (4, 2), (10, 8)]);
        let same = draw.pick(0, 1) == 1;
        let stride = draw.one_of(&[(1u16, 1u16), (1, 1), (2, 2), (2, 2), (1, 2), (3, 1)]);
        let input_depth = draw.one_of(&[1, 1, 2, 3, 4, 5, 7, 8, 9, 13, 16, 33]);
        let depth_multiplier = draw.one_of(&[1, 1, 1, 1, 2, 3, 8]);
        let batches = draw.one_of(&[1, 1, 1, 2]);
        let one = |draw: &mut Draw, kernel: u16, stride: u16| {
            let size = draw.one_of(&[1, 2, 3, 4, 5, 7, 9, 12, 26, 51]) as u16;
            let size = if same { size } else { size + kernel - 1 };
            let output = if same { size.div_ceil(stride) } else { (size - kernel) / stride + 1 };
            let pad = ((output - 1) * stride + kernel).saturating_sub(size) / 2;
            (size, output, pad)
        };
        let (height, output_height, pad_top) = one(&mut draw, kernel.0, stride.0);
        let (width, output_width, pad_left) = one(&mut draw, kernel.1, stride.1);
        let output_depth = input_depth * depth_multiplier;
        let quant = match draw.pick(0, 3) {
            0 => [draw.byte(), draw.byte(), -128, 127],
            1 => [draw.byte(), -5, -5, 100],
            _ => [draw.byte(), -128, -128, 127],
        };
        let input_stride = u32::from(width) * input_depth;
        let output_stride = u32::from(output_width) * output_depth;
        let (input_rows, output_rows) = (u32::from(height) * batches, u32::from(output_height) * batches);

        let taps = usize::from(kernel.0) * usize::from(kernel.1);
        let weights: Vec<i8> = (0..taps * output_depth as usize).map(|_| draw.byte()).collect();
        let big = draw.pick(0, 5) == 0;
        let bias: Vec<i32> = (0..output_depth)
            .map(|_| draw.word() as i32 >> if big { draw.pick(0, 20) } else { draw.pick(12, 28) })
            .collect();
        let has_bias = draw.pick(0, 4) > 0;
        let shifts = draw.one_of(&[(5, 9), (5, 9), (5, 9), (0, 12), (-3, 31)]);
        let factors: Vec<Multiplier> = (0..if draw.pick(0, 3) == 0 { 1 } else { output_depth })
            .map(|_| {
                let multiplier = match draw.pick(0, 4) {
                    0 => 1 << 30,
                    1 => i32::MAX,
                    _ => (1 << 30) | (draw.word() >> 2) as i32,
                };
                let exponent = draw.pick(0, (shifts.1 - shifts.0) as u32) as i32 + shifts.0;
                Multiplier { multiplier, shift: -exponent as i8 }
            })
            .collect();

        let mut constants: Vec<u8> = weights.iter().map(|&weight| weight as u8).collect();
        let bias_at = constants.len();
        let mut bias_bytes = Vec::new();
        bias.iter().for_each(|bias| bias_bytes.extend(bias.to_le_bytes()));
        constants.extend(&bias_bytes);
        let mut plan: Vec<u32> = factors.iter().map(|factor| factor.multiplier as u32).collect();
        for shifts in factors.chunks(4) {
            let mut bytes = [0; 4];
            bytes.iter_mut().zip(shifts).for_each(|(byte, factor)| *byte = factor.shift as u8);
            plan.push(u32::from_le_bytes(bytes));
        }

        let input_bytes = (input_stride * input_rows) as usize;
        let output_bytes = (output_stride * output_rows) as usize;
        let mut params = DepthwiseConv2dParams {
            input: at(Region::Arena, 0),
            input_stride,
            input_ring: input_rows,
            output: at(Region::Arena, input_bytes.next_multiple_of(4)),
            output_stride,
            output_ring: output_rows,
            input_size: (height, width),
            input_depth,
            output_size: (output_height, output_width),
            output_depth,
            depth_multiplier,
            kernel,
            stride,
            dilation: (1, 1),
            pad: (pad_top, pad_left),
            quant,
            weights: at(Region::Constants, 0),
            bias: if has_bias { at(Region::Constants, bias_at) } else { Place::NONE },
            requant: 0,
            requant_len: factors.len() as u32,
            scratch: at(Region::Arena, (input_bytes.next_multiple_of(4) + output_bytes).next_multiple_of(4)),
            scratch_len: 0,
        };
        let factor = |i: usize| factors[if factors.len() == 1 { 0 } else { i }];
        let seen = Weights {
            weights: &weights,
            apart: output_depth as usize,
            bias: has_bias.then_some(&bias_bytes),
            factor: &factor,
        };
        let prepare = draw.pick(0, 1) == 1;
        let choice = choose(&params, &seen, &How { target: Target::Dsp, prepare });
        params.scratch_len = choice.scratch;
        let mut fast: Vec<u32> = Vec::new();
        let prepared_at = constants.len().next_multiple_of(16);
        let packed = DepthwiseConv2dParams {
            weights: at(Region::Constants, prepared_at),
            bias: Place::NONE,
            requant_len: 0,
            ..params
        };
        if choice.kernel.is_conv_2d() {
            constants.resize(prepared_at + choice.prepared as usize, 0);
            pack(choice.kernel, &params, &seen, &mut constants[prepared_at..]);
            as_conv_2d(&packed).unwrap().for_each_word(|word| fast.push(word));
        } else {
            params.for_each_word(|word| fast.push(word));
        }
        let input = (0..input_bytes).map(|_| draw.byte()).collect();
        let (kernel, overlap) = (choice.kernel, choice.overlap);
        Self { params, fast, kernel, overlap, plan, constants, input, input_bytes, output_bytes }
    }

    /// Runs a kernel over blocks of rows that end at `ends`, with the output `from` behind the arena's start.
    fn run(
        &self,
        kernel: fn(&Call<'_>) -> Result<(), Fault>,
        block: &[u32],
        output: Place,
        ends: &[u32],
    ) -> Vec<i8> {
        let scratch_end = self.params.scratch.offset() + self.params.scratch_len as usize;
        // Bytes behind the end that must stay as they are.
        let mut arena = vec![0i8; scratch_end + 64];
        arena[..self.input_bytes].copy_from_slice(&self.input);
        arena[scratch_end..].fill(99);
        // Words, so that the memory is aligned.
        let mut words: Vec<u64> = vec![0; arena.len().div_ceil(8)];
        let cells = Cell::from_mut(&mut bytemuck::cast_slice_mut::<u64, i8>(&mut words)[..arena.len()]);
        cells.as_slice_of_cells().iter().zip(&arena).for_each(|(cell, &value)| cell.set(value));
        let cells = cells.as_slice_of_cells();
        let mut plan = self.plan.clone();
        let at = plan.len();
        plan.extend(block);
        let mut first = 0;
        for &end in ends {
            let call = Call {
                arena: cells,
                state: &[],
                constants: &self.constants,
                prepared: &[],
                plan: &plan,
                params: at,
                rows: first..end,
            };
            kernel(&call).unwrap();
            first = end;
        }
        assert!(cells[scratch_end..].iter().all(|cell| cell.get() == 99));
        let output = output.offset();
        cells[output..output + self.output_bytes].iter().map(Cell::get).collect()
    }
}

fn function(kernel: Kernel) -> fn(&Call<'_>) -> Result<(), Fault> {
    match kernel {
        Kernel::Depthwise3x3 => depthwise_3x3,
        Kernel::Depthwise3x3Relu => depthwise_3x3_relu,
        Kernel::Depthwise3x3Stride2 => depthwise_3x3_stride_2,
        Kernel::Depthwise3x3Stride2Relu => depthwise_3x3_stride_2_relu,
        Kernel::DepthwiseAny => depthwise_any,
        Kernel::Conv2dDspFloor => conv_2d_floor,
        Kernel::Conv2dDspRounded => conv_2d_rounded,
        _ => depthwise_conv_2d,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn fast_kernels_equal_the_portable_one(seed: u64, cut in 0u32..200) {
        let layer = Layer::draw(seed);
        let rows = layer.params.output_ring;
        let words = |params: &DepthwiseConv2dParams| {
            let mut words = Vec::new();
            params.for_each_word(|word| words.push(word));
            words
        };
        let output = layer.params.output;
        let expected = layer.run(depthwise_conv_2d, &words(&layer.params), output, &[rows]);
        let fast = function(layer.kernel);
        let whole = layer.run(fast, &layer.fast, output, &[rows]);
        prop_assert_eq!(&whole, &expected, "{:?} {:?}", layer.kernel, layer.params);
        let cut = cut % (rows + 1);
        let parts = layer.run(fast, &layer.fast, output, &[cut, rows]);
        prop_assert_eq!(&parts, &expected, "in parts {:?} {:?}", layer.kernel, layer.params);
        if layer.overlap == Overlap::InPlace {
            let params = DepthwiseConv2dParams { output: layer.params.input, ..layer.params };
            let in_place = layer.run(fast, &words(&params), params.output, &[rows]);
            prop_assert_eq!(&in_place, &expected, "in place {:?} {:?}", layer.kernel, layer.params);
        }
    }
}
