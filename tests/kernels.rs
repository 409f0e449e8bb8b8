//! Operators against arithmetic written down from TFLite's 8-bit quantisation specification: sums in 64 bits,
//! rescaled with the two roundings of its fixed-point multiplication, and close to real arithmetic.

use kinglet::{Interpreter, Memory, Model, Options as PlanOptions, Target};
use kinglet_testmodel::random::{Choices, Xorshift};
use kinglet_testmodel::{ConvOptions, Options, PoolOptions, SAME, Subgraph, Tensor, VALID, activation, code};
use kinglet_tests::AlignedBytes;
use proptest::prelude::*;

/// `real` as a fraction of 31 bits and a power of two.
fn fraction(real: f64) -> (i128, i32) {
    let (mut mantissa, mut exponent) = (real, 0);
    while mantissa >= 1.0 {
        mantissa /= 2.0;
        exponent += 1;
    }
    while mantissa < 0.5 {
        mantissa *= 2.0;
        exponent -= 1;
    }
    let q = (mantissa * f64::from(1u32 << 31)).round() as i128;
    match (q, exponent) {
        (_, ..=-32) => (0, 0),
        (0x8000_0000, _) => (q / 2, exponent + 1),
        _ => (q, exponent),
    }
}

/// `value * real` in fixed point: rounded to nearest once after the multiplication (ties upwards), and once
/// after the shift to the right (ties away from zero).
fn rescale(value: i64, real: f64) -> i64 {
    let (q, exponent) = fraction(real);
    let shifted = i128::from(value) << exponent.max(0);
    let product = (shifted * q + (1 << 30)).div_euclid(1 << 31);
    let right = exponent.min(0).unsigned_abs();
    let half = (1i128 << right) / 2;
    let magnitude = (product.abs() + half) >> right;
    (magnitude * product.signum()) as i64
}

/// Scale and zero point.
#[derive(Clone, Copy, Debug)]
struct Quant {
    scale: f32,
    zero: i64,
}

/// Least and greatest output under a fused activation.
fn limits(activation: i8, q: Quant) -> (i64, i64) {
    let at = |real: f32| q.zero + f64::from((real / q.scale).round()) as i64;
    match activation {
        activation::RELU => (at(0.0).max(-128), 127),
        activation::RELU6 => (at(0.0).max(-128), at(6.0).min(127)),
        activation::RELU_N1_TO_1 => (at(-1.0).max(-128), at(1.0).min(127)),
        _ => (-128, 127),
    }
}

fn clamp(value: i64, (min, max): (i64, i64)) -> i8 {
    value.min(max).max(min) as i8
}

/// Draws for one case.
struct Case<'b> {
    choices: Choices<'b>,
    data: Xorshift,
}

impl<'b> Case<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        let mut choices = Choices::new(bytes);
        let data = Xorshift(choices.word() | 1);
        Self { choices, data }
    }

    fn channels(&mut self) -> i32 {
        self.choices.one_of(&[1, 3, 5, 7, 17, 33, 2, 4, 8, 16, 24, 40, 64, 71, 130])
    }

    fn size(&mut self) -> (i32, i32) {
        (self.choices.pick(1, 8), self.choices.pick(1, 8))
    }

    fn quant(&mut self, scale: f32) -> Quant {
        let zero = self.choices.one_of(&[0, -128, 127, -1, 1, -77, 100]);
        // Powers of two make factors whose products lie exactly between two integers.
        let part = if self.choices.one_in(4) { 0.5 / scale } else { 0.25 + self.data.unit() };
        Quant { scale: scale * part, zero }
    }

    fn activation(&mut self) -> i8 {
        self.choices.pick(0, 3) as i8
    }

    /// Random values with some extremes among them.
    fn values(&mut self, len: i32) -> Vec<i8> {
        let mut value = || match self.data.next_word() % 8 {
            0 => i8::MIN,
            1 => i8::MAX,
            _ => self.data.next_word() as i8,
        };
        (0..len).map(|_| value()).collect()
    }

    /// Scales of weights: one, or one for each channel, of very different sizes.
    fn scales(&mut self, channels: i32) -> Vec<f32> {
        let len = if self.choices.one_in(3) { 1 } else { channels };
        let sizes = [1.0, 0.1, 1e-3, 30.0, 1e-9];
        let mut scale = || match self.choices.one_in(4) {
            true => self.choices.one_of(&[0.5, 0.0625, 0.003_906_25]),
            false => 0.01 * self.choices.one_of(&sizes) * (0.5 + self.data.unit()),
        };
        (0..len).map(|_| scale()).collect()
    }

    fn bias(&mut self, channels: i32) -> Option<Vec<i32>> {
        let shift = self.choices.one_of(&[18, 12, 24]);
        let bias = (0..channels).map(|_| self.data.next_word() as i32 >> shift).collect();
        (!self.choices.one_in(4)).then_some(bias)
    }

    /// Options, padding before, and the output's size.
    fn window(&mut self, size: (i32, i32), kernel: (i32, i32), dilate: bool) -> (ConvOptions, Window) {
        let mut o = ConvOptions {
            padding: self.choices.one_of(&[SAME, VALID]),
            stride: (self.choices.pick(1, 3), self.choices.pick(1, 3)),
            dilation: (1, 1),
            activation: self.activation(),
        };
        if dilate {
            o.dilation = (self.choices.one_of(&[1, 1, 2, 3]), self.choices.one_of(&[1, 1, 2, 3]));
        }
        let reach = |kernel: i32, dilation: i32| (kernel - 1) * dilation + 1;
        if reach(kernel.0, o.dilation.0) > size.0 || reach(kernel.1, o.dilation.1) > size.1 {
            o.padding = SAME;
        }
        // The specification of SAME: as many outputs as strides fit, padding on both sides, more behind.
        let axis = |size: i32, reach: i32, stride: i32| match o.padding {
            SAME => {
                let out = (size + stride - 1) / stride;
                (out, ((out - 1) * stride + reach - size).max(0) / 2)
            }
            _ => ((size - reach) / stride + 1, 0),
        };
        let vertical = axis(size.0, reach(kernel.0, o.dilation.0), o.stride.0);
        let horizontal = axis(size.1, reach(kernel.1, o.dilation.1), o.stride.1);
        (o, Window { out: (vertical.0, horizontal.0), pad: (vertical.1, horizontal.1) })
    }
}

#[derive(Clone, Copy)]
struct Window {
    out: (i32, i32),
    pad: (i32, i32),
}

/// Runs one operator on `inputs` (its activations, in order), with the kernels of every family that this
/// machine has.
fn run(graph: &Subgraph, inputs: &[&[i8]]) -> Vec<i8> {
    let mut graph = graph.clone();
    graph.outputs = vec![graph.ops[0].outputs[0]];
    let file = AlignedBytes::new(&kinglet_testmodel::Model::from(graph).to_bytes());
    let model = Model::parse(file.as_slice()).unwrap();
    let portable = run_with(&model, inputs, Target::Portable);
    for target in Target::HOSTS.into_iter().filter(|target| target.runs_here()) {
        assert_eq!(run_with(&model, inputs, target), portable, "{target:?}");
    }
    portable
}

fn run_with(model: &Model<'_>, inputs: &[&[i8]], target: Target) -> Vec<i8> {
    let mut memory = AlignedBytes::filled(1 << 18, 0xa5);
    let mut prepared = AlignedBytes::filled(1 << 20, 0xa5);
    let memory = Memory::from(memory.as_mut_slice()).with_prepared(prepared.as_mut_slice());
    let options = PlanOptions::default().with_target(target);
    let mut net: Interpreter<'_> = Interpreter::with_options(model, memory, &options).unwrap();
    for (i, values) in inputs.iter().enumerate() {
        net.input::<i8>(i).unwrap().copy_from_slice(values);
    }
    net.invoke().unwrap();
    net.output::<i8>(0).unwrap().to_vec()
}

/// What weighted operators make of a sum: the factor is the product of the scales, in float64.
fn finish(acc: i64, factor: f64, output: Quant, activation: i8) -> i8 {
    let exact = clamp(rescale(acc, factor) + output.zero, limits(activation, output));
    // In real numbers: two roundings instead of one are off by less than one.
    let real = (acc as f64 * factor).round() + output.zero as f64;
    let (min, max) = limits(activation, output);
    let real = real.min(max as f64).max(min as f64);
    assert!((real - f64::from(exact)).abs() <= 1.0, "{acc} {factor}: {real} {exact}");
    exact
}

fn at(shape: [i32; 4], n: i32, y: i32, x: i32, c: i32) -> usize {
    (((n * shape[1] + y) * shape[2] + x) * shape[3] + c) as usize
}

fn conv(case: &mut Case<'_>, depthwise: bool) {
    let (n, (h, w)) = (case.choices.pick(1, 2), case.size());
    let kernel = (case.choices.pick(1, 4), case.choices.pick(1, 4));
    let (depth, filters, group_depth) = if depthwise {
        let depth = case.channels();
        let multiplier = if depth > 8 { 1 } else { case.choices.pick(1, 4) };
        (depth, depth * multiplier, 1)
    } else {
        let groups = case.choices.one_of(&[1, 1, 2, 3]);
        let group_depth = case.choices.one_of(&[1, 3, 5, 7, 17, 33]);
        (groups * group_depth, groups * case.choices.one_of(&[1, 2, 3, 5]), group_depth)
    };
    let (o, window) = case.window((h, w), kernel, true);
    let in_shape = [n, h, w, depth];
    let out_shape = [n, window.out.0, window.out.1, filters];
    let (input_q, scales, bias) = (case.quant(0.1), case.scales(filters), case.bias(filters));
    let output_q = case.quant(0.2);
    let input = case.values(in_shape.iter().product());
    let filter_shape =
        if depthwise { [1, kernel.0, kernel.1, filters] } else { [filters, kernel.0, kernel.1, group_depth] };
    let weights = case.values(filter_shape.iter().product());

    let mut expected = vec![0; out_shape.iter().product::<i32>() as usize];
    for b in 0..n {
        for oy in 0..window.out.0 {
            for ox in 0..window.out.1 {
                for f in 0..filters {
                    let mut acc = bias.as_ref().map_or(0, |bias| i64::from(bias[f as usize]));
                    for ky in 0..kernel.0 {
                        for kx in 0..kernel.1 {
                            let y = oy * o.stride.0 + ky * o.dilation.0 - window.pad.0;
                            let x = ox * o.stride.1 + kx * o.dilation.1 - window.pad.1;
                            if y < 0 || y >= h || x < 0 || x >= w {
                                continue;
                            }
                            for k in 0..group_depth {
                                let (c, weight) = if depthwise {
                                    (f / (filters / depth), at(filter_shape, 0, ky, kx, f))
                                } else {
                                    let group = f / (filters / (depth / group_depth));
                                    (group * group_depth + k, at(filter_shape, f, ky, kx, k))
                                };
                                let value = i64::from(input[at(in_shape, b, y, x, c)]) - input_q.zero;
                                acc += value * i64::from(weights[weight]);
                            }
                        }
                    }
                    let scale = scales[f as usize % scales.len()];
                    let factor = f64::from(input_q.scale) * f64::from(scale) / f64::from(output_q.scale);
                    expected[at(out_shape, b, oy, ox, f)] = finish(acc, factor, output_q, o.activation);
                }
            }
        }
    }

    let mut graph = Subgraph::default();
    let mut ids = vec![graph.input(Tensor::int8(&in_shape, input_q.scale, input_q.zero))];
    let axis = if depthwise { 3 } else { 0 };
    ids.push(graph.tensor(Tensor::weights(&filter_shape, &scales, axis, &weights)));
    ids.extend(bias.map(|bias| graph.tensor(Tensor::bias(&bias))));
    let output = Tensor::int8(&out_shape, output_q.scale, output_q.zero);
    let (code, options) = match depthwise {
        true => (code::DEPTHWISE_CONV_2D, Options::DepthwiseConv2d(o)),
        false => (code::CONV_2D, Options::Conv2d(o)),
    };
    graph.op(code, options, &ids, output);
    assert_eq!(run(&graph, &[&input]), expected, "{in_shape:?} {filter_shape:?} {o:?}");
}

fn fully_connected(case: &mut Case<'_>) {
    let (batch, depth, outputs) = (case.choices.pick(1, 3), case.channels() * 2 - 1, case.channels());
    let (input_q, scales, bias) = (case.quant(0.1), case.scales(outputs), case.bias(outputs));
    let (output_q, activation) = (case.quant(0.2), case.activation());
    let (input, weights) = (case.values(batch * depth), case.values(outputs * depth));
    let mut expected = Vec::new();
    for vector in input.chunks(depth as usize) {
        for (o, row) in weights.chunks(depth as usize).enumerate() {
            let products =
                vector.iter().zip(row).map(|(&x, &w)| (i64::from(x) - input_q.zero) * i64::from(w));
            let acc = products.sum::<i64>() + bias.as_ref().map_or(0, |bias| i64::from(bias[o]));
            let scale = scales[o % scales.len()];
            // With one scale for all, TFLite multiplies the scales in float32.
            let product = match scales.len() {
                1 => f64::from(input_q.scale * scale),
                _ => f64::from(input_q.scale) * f64::from(scale),
            };
            expected.push(finish(acc, product / f64::from(output_q.scale), output_q, activation));
        }
    }
    let mut graph = Subgraph::default();
    let mut ids = vec![graph.input(Tensor::int8(&[batch, depth], input_q.scale, input_q.zero))];
    ids.push(graph.tensor(Tensor::weights(&[outputs, depth], &scales, 0, &weights)));
    ids.extend(bias.map(|bias| graph.tensor(Tensor::bias(&bias))));
    let output = Tensor::int8(&[batch, outputs], output_q.scale, output_q.zero);
    let options = Options::FullyConnected { activation, weights_format: 0 };
    graph.op(code::FULLY_CONNECTED, options, &ids, output);
    assert_eq!(run(&graph, &[&input]), expected, "{batch} {depth} {outputs} {scales:?}");
}

fn pool(case: &mut Case<'_>, average: bool) {
    let (n, (h, w), c) = (case.choices.pick(1, 2), case.size(), case.channels());
    let filter = (case.choices.pick(1, 4), case.choices.pick(1, 4));
    let (o, window) = case.window((h, w), filter, false);
    let (in_shape, out_shape) = ([n, h, w, c], [n, window.out.0, window.out.1, c]);
    let q = case.quant(0.1);
    let input = case.values(in_shape.iter().product());
    let mut expected = Vec::new();
    for b in 0..n {
        for oy in 0..window.out.0 {
            for ox in 0..window.out.1 {
                for ch in 0..c {
                    let mut seen = Vec::new();
                    for ky in 0..filter.0 {
                        for kx in 0..filter.1 {
                            let (y, x) =
                                (oy * o.stride.0 + ky - window.pad.0, ox * o.stride.1 + kx - window.pad.1);
                            if (0..h).contains(&y) && (0..w).contains(&x) {
                                seen.push(i64::from(input[at(in_shape, b, y, x, ch)]));
                            }
                        }
                    }
                    let value = match average {
                        // Ties away from zero; padding does not count.
                        true => (seen.iter().sum::<i64>() as f64 / seen.len() as f64).round() as i64,
                        false => seen.into_iter().max().unwrap(),
                    };
                    expected.push(clamp(value, limits(o.activation, q)));
                }
            }
        }
    }
    let mut graph = Subgraph::default();
    let id = graph.input(Tensor::int8(&in_shape, q.scale, q.zero));
    let options = PoolOptions { padding: o.padding, stride: o.stride, filter, activation: o.activation };
    let code = if average { code::AVERAGE_POOL_2D } else { code::MAX_POOL_2D };
    graph.op(code, Options::Pool2d(options), &[id], Tensor::int8(&out_shape, q.scale, q.zero));
    assert_eq!(run(&graph, &[&input]), expected, "{in_shape:?} {options:?}");
}

fn add(case: &mut Case<'_>) {
    let shape: Vec<i32> = (0..case.choices.pick(1, 4)).map(|_| case.choices.pick(1, 5)).collect();
    // Either input may lack outer dimensions, or have 1 in their place.
    let other = |case: &mut Case<'_>| {
        let mut other = shape.clone();
        other.iter_mut().filter(|_| case.choices.one_in(4)).for_each(|dim| *dim = 1);
        let skip = if case.choices.one_in(4) { case.choices.pick(0, shape.len() as i32 - 1) } else { 0 };
        other.split_off(skip as usize)
    };
    let shapes = [other(case), other(case)];
    let rank = shapes[0].len().max(shapes[1].len());
    let dim = |shape: &[i32], i: usize| (i + shape.len()).checked_sub(rank).map_or(1, |i| shape[i]);
    let out: Vec<i32> = (0..rank).map(|i| dim(&shapes[0], i).max(dim(&shapes[1], i))).collect();
    let quants = [case.quant(0.1), case.quant(0.3)];
    let (q, activation) = (case.quant(0.4), case.activation());
    let inputs = shapes.clone().map(|shape| case.values(shape.iter().product()));

    let twice_max = 2.0 * f64::from(quants[0].scale.max(quants[1].scale));
    let scaled = |k: usize, index: &[i32]| {
        let flat = (0..rank).fold(0, |flat, i| {
            let size = dim(&shapes[k], i);
            flat * size + if size == 1 { 0 } else { index[i] }
        });
        let value = (i64::from(inputs[k][flat as usize]) - quants[k].zero) << 20;
        rescale(value, f64::from(quants[k].scale) / twice_max)
    };
    let expected: Vec<i8> = (0..out.iter().product())
        .map(|flat: i32| {
            let mut rest = flat;
            let mut index: Vec<i32> = out
                .iter()
                .rev()
                .map(|&size| {
                    let at = rest % size;
                    rest /= size;
                    at
                })
                .collect();
            index.reverse();
            let sum = scaled(0, &index) + scaled(1, &index);
            let value = rescale(sum, twice_max / (f64::from(1 << 20) * f64::from(q.scale)));
            clamp(value + q.zero, limits(activation, q))
        })
        .collect();

    let mut graph = Subgraph::default();
    let ids = [0, 1].map(|k| graph.input(Tensor::int8(&shapes[k], quants[k].scale, quants[k].zero)));
    graph.op(code::ADD, Options::Add { activation }, &ids, Tensor::int8(&out, q.scale, q.zero));
    assert_eq!(run(&graph, &[&inputs[0], &inputs[1]]), expected, "{shapes:?} {quants:?} {q:?}");
}

fn draws() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 4..120)
}

proptest! {
    #![proptest_config(crate::config(600))]

    #[test]
    fn conv_2d_by_definition(bytes in draws()) {
        conv(&mut Case::new(&bytes), false);
    }

    #[test]
    fn depthwise_conv_2d_by_definition(bytes in draws()) {
        conv(&mut Case::new(&bytes), true);
    }

    #[test]
    fn fully_connected_by_definition(bytes in draws()) {
        fully_connected(&mut Case::new(&bytes));
    }

    #[test]
    fn average_pool_2d_by_definition(bytes in draws()) {
        pool(&mut Case::new(&bytes), true);
    }

    #[test]
    fn max_pool_2d_by_definition(bytes in draws()) {
        pool(&mut Case::new(&bytes), false);
    }

    #[test]
    fn add_by_definition(bytes in draws()) {
        add(&mut Case::new(&bytes));
    }
}

#[test]
fn rescaling_by_hand() {
    assert_eq!(rescale(100, 0.5), 50);
    assert_eq!(rescale(3, 0.5), 2);
    assert_eq!(rescale(-3, 0.5), -1);
    assert_eq!(rescale(-3, 0.25), -1);
    assert_eq!(rescale(10, 3.0), 30);
    assert_eq!(rescale(1 << 30, 1e-12), 0);
}
