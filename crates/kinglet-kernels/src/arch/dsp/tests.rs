//! Fast convolutions and fully connected layers against the portable ones: shapes, extremes, every range of rows in
//! both directions, outputs as close to their inputs as the descriptor allows.

#![allow(clippy::single_range_in_vec_init, reason = "ranges are what is meant")]

use core::cell::Cell;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use crate::ops::conv_2d::{self, Conv2dParams};
use crate::ops::fully_connected::{self, FullyConnectedParams};
use crate::quant::Multiplier;
use crate::{Call, Choice, How, Kernel, Overlap, Params, Place, Region, Target, Weights};

/// xorshift64*, for what needs no shrinking.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end
    }

    /// Any int8, or only extremes.
    fn values(&mut self, len: usize, extremes: bool) -> Vec<i8> {
        (0..len)
            .map(|_| if extremes { [-128, -127, 127, 0][self.below(4)] } else { self.next() as i8 })
            .collect()
    }
}

/// The constants of a layer.
struct Layer {
    weights: Vec<i8>,
    bias: Option<Vec<i32>>,
    factors: Vec<Multiplier>,
    quant: [i8; 4],
}

impl Layer {
    fn new(random: &mut Random, channels: usize, depth: usize) -> Self {
        let kind = random.below(4);
        let mut weights = random.values(channels * depth, kind == 0);
        if kind > 1 {
            weights.iter_mut().for_each(|weight| *weight = (*weight).max(-127));
        }
        // Some channels are dead, with a huge bias or without.
        let bias = (random.below(4) > 0).then(|| {
            let bits = [8, 14, 20, 30][random.below(4)];
            (0..channels).map(|_| random.next() as i32 >> (32 - bits)).collect::<Vec<_>>()
        });
        for row in weights.chunks_exact_mut(depth) {
            if random.below(6) == 0 {
                row.fill(0);
            }
        }
        let uniform = random.below(3) == 0;
        let middle = 5 + random.below(7) as i8;
        let factor = |random: &mut Random| {
            let multiplier = match random.below(4) {
                0 => 1 << 30,
                1 => i32::MAX,
                _ => (1 << 30) | (random.next() as i32 & 0x3fff_ffff),
            };
            let spread =
                if random.below(12) == 0 { random.below(31) as i8 - middle } else { random.below(3) as i8 };
            Multiplier { multiplier, shift: -(middle + spread) }
        };
        let factors = (0..if uniform { 1 } else { channels }).map(|_| factor(random)).collect();
        let [zero, output] = [0, 1].map(|_| [-128, 127, 0, random.next() as i8][random.below(4)]);
        let quant = match random.below(3) {
            0 => [zero, -128, -128, 127],
            1 => [zero, output, -128, 127],
            _ => [zero, output, output.max(-100), 100.max(output)],
        };
        Self { weights, bias, factors, quant }
    }

    fn with_weights<R>(&self, f: impl FnOnce(&Weights<'_>) -> R) -> R {
        let factor = |i: usize| self.factors[if self.factors.len() == 1 { 0 } else { i }];
        let bias = self.bias.as_ref().map(|bias| bytemuck::cast_slice(bias));
        // Descriptors look at the alignment of weights in a file.
        let mut aligned = vec![0u128; self.weights.len().div_ceil(16)];
        let copy = &mut bytemuck::cast_slice_mut(&mut aligned)[..self.weights.len()];
        copy.copy_from_slice(&self.weights);
        f(&Weights { weights: copy, apart: 1, bias, factor: &factor })
    }
}

/// Everything that a call names.
struct Memory {
    arena: Vec<u128>,
    constants: Vec<u8>,
    plan: Vec<u32>,
}

const WEIGHTS: usize = 64;

impl Memory {
    /// Constants: weights as in the file, biases, what is prepared. Returns the places of weights and biases.
    fn new(layer: &Layer, prepared: &[u8], arena_bytes: usize) -> (Self, Place, Place) {
        let mut constants = vec![0x55; WEIGHTS];
        if prepared.is_empty() {
            constants.extend(layer.weights.iter().map(|&weight| weight as u8));
        } else {
            constants.extend(prepared);
        }
        let bias = constants.len();
        if let Some(biases) = &layer.bias {
            constants.extend(biases.iter().flat_map(|bias| bias.to_le_bytes()));
        }
        let mut plan: Vec<u32> = layer.factors.iter().map(|factor| factor.multiplier as u32).collect();
        let mut shifts: Vec<u8> = layer.factors.iter().map(|factor| factor.shift as u8).collect();
        shifts.resize(shifts.len().next_multiple_of(4), 0);
        plan.extend(shifts.chunks(4).map(|four| u32::from_le_bytes(four.try_into().unwrap())));
        let place = |offset| Place::new(Region::Constants, offset as u32).unwrap();
        let bias = if layer.bias.is_some() { place(bias) } else { Place::NONE };
        let memory = Self { arena: vec![0; arena_bytes.div_ceil(16)], constants, plan };
        (memory, place(WEIGHTS), bias)
    }

    fn bytes(&mut self) -> &mut [i8] {
        bytemuck::cast_slice_mut(&mut self.arena)
    }

    /// Runs `kernel` on `rows`.
    fn run(&mut self, kernel: Kernel, params: &impl Params, rows: core::ops::Range<u32>) {
        let at = self.plan.len();
        params.for_each_word(|word| self.plan.push(word));
        // In a vector of its own size, so that constants are aligned and nothing is behind them.
        let mut aligned = vec![0u128; self.constants.len().div_ceil(16)];
        let constants = &mut bytemuck::cast_slice_mut::<u128, u8>(&mut aligned)[..self.constants.len()];
        constants.copy_from_slice(&self.constants);
        let arena = bytemuck::cast_slice_mut::<u128, i8>(&mut self.arena);
        let arena = Cell::from_mut(arena).as_slice_of_cells();
        let call = Call { arena, state: &[], constants, prepared: &[], plan: &self.plan, params: at, rows };
        let run = match kernel {
            Kernel::Conv2d => conv_2d::conv_2d,
            Kernel::Conv2dDspFloor => super::conv_2d_floor,
            Kernel::Conv2dDspRounded => super::conv_2d_rounded,
            Kernel::Conv2dDspRowsFloor => super::conv_2d_rows_floor,
            Kernel::Conv2dDspRowsRounded => super::conv_2d_rows_rounded,
            Kernel::FullyConnected => fully_connected::fully_connected,
            Kernel::FullyConnectedDsp => super::fully_connected_packed,
            Kernel::FullyConnectedDspChannels => super::fully_connected_packed_channels,
            Kernel::FullyConnectedDspRows => super::fully_connected_rows,
            other => panic!("{other:?}"),
        };
        run(&call).unwrap();
        self.plan.truncate(at);
    }
}

fn arena(offset: usize) -> Place {
    Place::new(Region::Arena, offset as u32).unwrap()
}

#[derive(Clone, Debug)]
struct Shape {
    batch: u16,
    input: (u16, u16),
    depth: u32,
    kernel: (u16, u16),
    stride: (u16, u16),
    dilation: (u16, u16),
    pad: (u16, u16),
    channels: u32,
}

impl Shape {
    fn output(&self) -> Option<(u16, u16)> {
        let side = |input: u16, kernel: u16, stride: u16, dilation: u16, pad: u16| {
            let reach = (kernel - 1) * dilation + 1;
            Some((input + 2 * pad).checked_sub(reach)? / stride + 1)
        };
        Some((
            side(self.input.0, self.kernel.0, self.stride.0, self.dilation.0, self.pad.0)?,
            side(self.input.1, self.kernel.1, self.stride.1, self.dilation.1, self.pad.1)?,
        ))
    }
}

fn shapes() -> impl Strategy<Value = Shape> {
    let depth = prop_oneof![1u32..6, Just(8), Just(16), Just(17), Just(32), Just(36), Just(64), Just(65)];
    let pointwise =
        (1u16..3, (1u16..7, 1u16..9), depth.clone(), 1u32..8).prop_map(|(batch, input, depth, channels)| {
            Shape {
                batch,
                input,
                depth,
                kernel: (1, 1),
                stride: (1, 1),
                dilation: (1, 1),
                pad: (0, 0),
                channels,
            }
        });
    let any = (
        1u16..3,
        (1u16..9, 1u16..12),
        depth,
        (1u16..5, 1u16..5),
        (1u16..4, 1u16..4),
        (1u16..3, 1u16..3),
        (0u16..3, 0u16..3),
        1u32..8,
    )
        .prop_map(|(batch, input, depth, kernel, stride, dilation, pad, channels)| {
            // Most layers are not dilated.
            let dilation = if channels.is_multiple_of(3) { dilation } else { (1, 1) };
            Shape { batch, input, depth, kernel, stride, dilation, pad, channels }
        });
    prop_oneof![pointwise, any].prop_filter("the window fits", |shape| shape.output().is_some())
}

fn conv_params(shape: &Shape, quant: [i8; 4]) -> Conv2dParams {
    let output = shape.output().unwrap();
    Conv2dParams {
        input: Place::NONE,
        input_stride: u32::from(shape.input.1) * shape.depth,
        input_ring: u32::from(shape.batch) * u32::from(shape.input.0),
        output: Place::NONE,
        output_stride: u32::from(output.1) * shape.channels,
        output_ring: u32::from(shape.batch) * u32::from(output.0),
        input_size: shape.input,
        input_depth: shape.depth,
        output_size: output,
        output_depth: shape.channels,
        kernel: shape.kernel,
        group_depth: shape.depth,
        group_filters: shape.channels,
        stride: shape.stride,
        dilation: shape.dilation,
        pad: shape.pad,
        quant,
        weights: Place::NONE,
        bias: Place::NONE,
        requant: 0,
        requant_len: 0,
        scratch: Place::NONE,
        scratch_len: 0,
    }
}

fn how(prepare: bool) -> How {
    How { target: Target::Dsp, prepare }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn convolutions_are_the_portable_one(shape in shapes(), seed in 1u64.., prepare: bool, mode in 0..6) {
        let random = &mut Random(seed);
        let depth = usize::from(shape.kernel.0) * usize::from(shape.kernel.1) * shape.depth as usize;
        let layer = Layer::new(random, shape.channels as usize, depth);
        let p = conv_params(&shape, layer.quant);
        let choice = layer.with_weights(|weights| conv_2d::choose(&p, weights, &how(prepare)));
        let mut prepared = vec![0; choice.prepared as usize];
        layer.with_weights(|weights| conv_2d::pack(choice.kernel, &p, weights, &mut prepared));
        let (input_len, output_len) =
            ((p.input_stride * p.input_ring) as usize, (p.output_stride * p.output_ring) as usize);
        let input = random.values(input_len, seed % 3 == 0);
        let Choice { kernel, scratch, overlap, .. } = choice;

        // The reference: everything apart from each other.
        let (mut reference, weights, bias) = Memory::new(&layer, &[], input_len + output_len);
        reference.bytes()[..input_len].copy_from_slice(&input);
        let table = Conv2dParams { weights, bias, requant_len: layer.factors.len() as u32, ..p };
        let portable = Conv2dParams { input: arena(0), output: arena(input_len), ..table };
        reference.run(Kernel::Conv2d, &portable, 0..p.output_ring);
        let expected = &reference.bytes()[input_len..][..output_len];

        let Overlap::Rows(distances) = overlap else { panic!("{overlap:?}") };
        let (lead, lag) = (distances.lead as usize, distances.lag as usize);
        let scratch_at = (lead + lag + input_len + output_len).next_multiple_of(16);
        let rows = p.output_ring;
        // Where input and output lie: apart, or as close as they may.
        let (from, to, ranges) = match mode {
            0 | 1 => (0, input_len, vec![0..rows]),
            2 => {
                let middle = random.below(rows as usize + 1) as u32;
                (0, input_len, vec![middle..rows, 0..middle])
            }
            3 => (0, input_len, (0..rows).map(|row| row + 1..row).collect()),
            4 => (lead, 0, vec![0..rows]),
            _ => (0, lag, vec![rows..0]),
        };
        let (mut memory, weights, bias) = Memory::new(&layer, &prepared, scratch_at + scratch as usize);
        memory.bytes()[from..][..input_len].copy_from_slice(&input);
        let mut fast = Conv2dParams {
            input: arena(from),
            output: arena(to),
            scratch: arena(scratch_at),
            scratch_len: scratch,
            weights,
            ..table
        };
        if prepared.is_empty() {
            fast.bias = bias;
        } else {
            (fast.bias, fast.requant_len) = (Place::NONE, 0);
        }
        for range in ranges {
            memory.run(kernel, &fast, range);
        }
        prop_assert_eq!(&memory.bytes()[to..][..output_len], expected, "{:?}", kernel);
    }

    #[test]
    fn fully_connected_layers_are_the_portable_one(
        depth in prop_oneof![1usize..40, Just(64), Just(131)], channels in 1usize..14, batch in 1u32..4,
        seed in 1u64.., prepare: bool,
    ) {
        let random = &mut Random(seed);
        let layer = Layer::new(random, channels, depth);
        let p = FullyConnectedParams {
            input: arena(0),
            output: Place::NONE,
            batch,
            input_depth: depth as u32,
            output_depth: channels as u32,
            quant: layer.quant,
            weights: Place::NONE,
            bias: Place::NONE,
            requant: 0,
            requant_len: 0,
            scratch: Place::NONE,
            scratch_len: 0,
            weights_zero_point: 0,
        };
        let choice = layer.with_weights(|weights| fully_connected::choose(&p, weights, &how(prepare)));
        let mut prepared = vec![0; choice.prepared as usize];
        layer.with_weights(|weights| fully_connected::pack(choice.kernel, &p, weights, &mut prepared));
        let (input_len, output_len) = (depth * batch as usize, channels * batch as usize);
        let input = random.values(input_len, seed % 3 == 0);
        let output = arena(input_len);
        let mut results = [(Kernel::FullyConnected, &[][..], 0), (choice.kernel, &prepared, choice.scratch)]
            .map(|(kernel, prepared, scratch)| {
                let scratch_at = (input_len + output_len).next_multiple_of(16);
                let (mut memory, weights, bias) =
                    Memory::new(&layer, prepared, scratch_at + scratch as usize);
                memory.bytes()[..input_len].copy_from_slice(&input);
                let (bias, requant_len) =
                    if prepared.is_empty() { (bias, layer.factors.len() as u32) } else { (Place::NONE, 0) };
                let (scratch, scratch_len) = (arena(scratch_at), scratch);
                let p = FullyConnectedParams { output, weights, bias, requant_len, scratch, scratch_len, ..p };
                memory.run(kernel, &p, 0..batch);
                memory.bytes()[input_len..][..output_len].to_vec()
            })
            .into_iter();
        prop_assert_eq!(results.next(), results.next(), "{:?}", choice.kernel);
    }
}
