//! A slimmed model gives the outputs of the original.

use kinglet::{Interpreter, Model};
use kinglet_testmodel::random::{Choices, Xorshift};
use kinglet_testmodel::{ConvOptions, Options, PoolOptions, SAME, Subgraph, Tensor, VALID, activation, code};
use kinglet_tests::AlignedBytes;
use proptest::prelude::*;

/// Weights and biases of `outputs` channels, some of which can have but one value: no weights at all, or a
/// bias that the activation or the range of int8 always cuts off.
fn layer(random: &mut Xorshift, outputs: usize, inputs: usize) -> (Vec<i8>, Vec<i32>) {
    let mut weights = random.int8(outputs * inputs);
    let mut biases = Vec::new();
    for channel in weights.chunks_exact_mut(inputs) {
        let small = (random.next_word() % 4001) as i32 - 2000;
        match random.next_word() % 5 {
            0 => channel.fill(0),
            1 => {
                channel.fill(0);
                biases.push(0);
                continue;
            }
            2 => {
                biases.push(if random.next_word().is_multiple_of(4) { 10_000_000 } else { -10_000_000 });
                continue;
            }
            _ => {}
        }
        biases.push(small);
    }
    (weights, biases)
}

/// A chain of convolutions, depthwise convolutions and pooling, then a fully connected layer.
fn network(bytes: &[u8]) -> Vec<u8> {
    let mut choices = Choices::new(bytes);
    let mut random = Xorshift(choices.word() | 1);
    let mut graph = Subgraph::default();
    let (mut size, mut depth) = (choices.pick(4, 9), choices.pick(1, 5));
    let mut zero_point = i64::from(choices.pick(0, 255)) - 128;
    let mut at = graph.input(Tensor::int8(&[1, size, size, depth], 0.05, zero_point));
    for _ in 0..choices.pick(1, 5) {
        let relu = choices.one_of(&[activation::NONE, activation::RELU, activation::RELU6]);
        let padding = choices.one_of(&[SAME, VALID]);
        let mut kernel = choices.one_of(&[1, 3]).min(size);
        let kind = choices.pick(0, 2);
        let out_depth = if kind == 0 { choices.pick(1, 9) } else { depth };
        if kind == 2 {
            kernel = kernel.min(2);
        }
        // Often the value that a rectified zero has.
        let next_zero = choices.one_of(&[-128, zero_point, 3]);
        let out_size = if padding == SAME { size } else { size - kernel + 1 };
        let output = Tensor::int8(&[1, out_size, out_size, out_depth], 0.05, next_zero);
        let scales: Vec<f32> = (0..out_depth).map(|i| 0.004 + 0.001 * i as f32).collect();
        let options = ConvOptions { padding, activation: relu, ..ConvOptions::default() };
        at = match kind {
            0 => {
                let (weights, biases) =
                    layer(&mut random, out_depth as usize, (kernel * kernel * depth) as usize);
                let weights = Tensor::weights(&[out_depth, kernel, kernel, depth], &scales, 0, &weights);
                let inputs = [at, graph.tensor(weights), graph.tensor(Tensor::bias(&biases))];
                graph.op(code::CONV_2D, Options::Conv2d(options), &inputs, output)
            }
            1 => {
                let (weights, biases) = layer(&mut random, depth as usize, (kernel * kernel) as usize);
                // From channels outermost to channels innermost.
                let taps = (kernel * kernel) as usize;
                let weights: Vec<i8> = (0..weights.len())
                    .map(|i| weights[i % depth as usize * taps + i / depth as usize])
                    .collect();
                let weights = Tensor::weights(&[1, kernel, kernel, depth], &scales, 3, &weights);
                let inputs = [at, graph.tensor(weights), graph.tensor(Tensor::bias(&biases))];
                graph.op(code::DEPTHWISE_CONV_2D, Options::DepthwiseConv2d(options), &inputs, output)
            }
            _ => {
                let output = Tensor::int8(&[1, out_size, out_size, out_depth], 0.05, zero_point);
                let options =
                    PoolOptions { padding, stride: (1, 1), filter: (kernel, kernel), activation: relu };
                let pool = choices.one_of(&[code::AVERAGE_POOL_2D, code::MAX_POOL_2D]);
                graph.op(pool, Options::Pool2d(options), &[at], output)
            }
        };
        if kind != 2 {
            zero_point = next_zero;
        }
        (size, depth) = (out_size, out_depth);
    }
    // To one pixel, so that the fully connected layer reads channels.
    let options = PoolOptions { padding: VALID, stride: (1, 1), filter: (size, size), activation: 0 };
    let output = Tensor::int8(&[1, 1, 1, depth], 0.05, zero_point);
    at = graph.op(code::AVERAGE_POOL_2D, Options::Pool2d(options), &[at], output);
    let shape = graph.tensor(
        Tensor::typed(kinglet_testmodel::Type::INT32, &[2])
            .constant([1, depth].iter().flat_map(|size| size.to_le_bytes()).collect()),
    );
    let output = Tensor::int8(&[1, depth], 0.05, zero_point);
    let options = Options::Reshape { new_shape: vec![1, depth] };
    at = graph.op(code::RESHAPE, options, &[at, shape], output);
    let (weights, biases) = layer(&mut random, 3, depth as usize);
    let weights = graph.tensor(Tensor::weights(&[3, depth], &[0.01], 0, &weights));
    let inputs = [at, weights, graph.tensor(Tensor::bias(&biases))];
    let options = Options::FullyConnected { activation: 0, weights_format: 0 };
    let output = graph.op(code::FULLY_CONNECTED, options, &inputs, Tensor::int8(&[1, 3], 0.1, 4));
    graph.outputs.push(output);
    kinglet_testmodel::Model::from(graph).to_bytes()
}

/// Outputs for random inputs and for inputs of one extreme value.
fn outputs(file: &[u8]) -> Vec<u8> {
    let file = AlignedBytes::new(file);
    let model = Model::parse(file.as_slice()).unwrap();
    let mut memory = AlignedBytes::filled(1 << 16, 0x5a);
    let mut net: Interpreter<'_> = Interpreter::new(&model, memory.as_mut_slice()).unwrap();
    let mut random = Xorshift(7);
    let mut outputs = Vec::new();
    for round in 0..6 {
        for byte in net.input_bytes_mut(0).unwrap() {
            *byte = match round {
                0 => 0x80,
                1 => 0x7f,
                _ => random.next_word() as u8,
            };
        }
        net.invoke().unwrap();
        outputs.extend_from_slice(net.output_bytes(0).unwrap());
    }
    outputs
}

proptest! {
    #![proptest_config(crate::config(1000))]

    #[test]
    fn slimming_changes_no_output(bytes in proptest::collection::vec(any::<u8>(), 40)) {
        let file = network(&bytes);
        let slimmed = kinglet_slim::slim(&file).unwrap();
        prop_assert_eq!(outputs(&file), outputs(&slimmed.file));
    }
}

/// Something is taken out where there is something to take out: or the test above would show nothing.
#[test]
fn constant_channels_are_found() {
    let mut random = Xorshift(1);
    let (mut slimmer, count) = (0, 200);
    for _ in 0..count {
        let file = network(&random.bytes(40));
        slimmer += usize::from(!kinglet_slim::slim(&file).unwrap().removed.is_empty());
    }
    assert!(slimmer > count / 4, "{slimmer} of {count}");
}
