//! Every kind of bad input is refused with its reason, and the error names the operator and the tensor.

use kinglet::{
    AllOps, Error, ErrorKind, Interpreter, Limits, Memory, Model, ModelError, Reason, TensorError,
};
use kinglet_testmodel::{
    ConvOptions, Model as Draft, Op, Options, PoolOptions, SAME, Subgraph, Tensor, Type, VALID, activation,
    code, flatbuf,
};
use kinglet_tests::{AlignedBytes, model_file};

/// Why a file is refused.
pub(crate) fn refuse(file: &[u8]) -> Option<ModelError> {
    refuse_with(file, &Limits::default())
}

fn refuse_with(file: &[u8], limits: &Limits) -> Option<ModelError> {
    let file = AlignedBytes::new(file);
    let mut memory = AlignedBytes::filled(1 << 20, 0);
    let model = match Model::parse_with(file.as_slice(), limits) {
        Ok(model) => model,
        Err(error) => return Some(error),
    };
    let net: Result<Interpreter<'_>, Error> = Interpreter::new(&model, memory.as_mut_slice());
    match net {
        Ok(_) => None,
        Err(Error::Model(error)) => Some(error),
        Err(error) => panic!("another error: {error}"),
    }
}

/// CONV_2D: input 0, filter 1, bias 2, output 3.
fn conv() -> Draft {
    let mut graph = Subgraph::default();
    let input = graph.input(Tensor::int8(&[1, 4, 4, 2], 0.1, 3));
    let filter = graph.tensor(Tensor::weights(&[3, 3, 3, 2], &[0.1, 0.2, 0.3], 0, &[1; 54]));
    let bias = graph.tensor(Tensor::bias(&[1, 2, 3]));
    let options = Options::Conv2d(ConvOptions::default());
    let output = Tensor::int8(&[1, 4, 4, 3], 0.5, -3);
    let output = graph.op(code::CONV_2D, options, &[input, filter, bias], output);
    graph.outputs.push(output);
    graph.into()
}

/// DEPTHWISE_CONV_2D: input 0, filter 1, bias 2, output 3.
fn depthwise() -> Draft {
    let mut draft = conv();
    let graph = &mut draft.subgraphs[0];
    graph.tensors[1] = Tensor::weights(&[1, 3, 3, 4], &[0.1, 0.2, 0.3, 0.4], 3, &[1; 36]);
    graph.tensors[2] = Tensor::bias(&[1, 2, 3, 4]);
    graph.tensors[3].shape[3] = 4;
    graph.ops[0].code = code::DEPTHWISE_CONV_2D;
    graph.ops[0].options = Options::DepthwiseConv2d(ConvOptions::default());
    draft
}

/// FULLY_CONNECTED: input 0, weights 1, bias 2, output 3.
fn fully_connected() -> Draft {
    let mut graph = Subgraph::default();
    let input = graph.input(Tensor::int8(&[2, 4], 0.1, 3));
    let weights = graph.tensor(Tensor::weights(&[3, 4], &[0.1], 0, &[1; 12]));
    let bias = graph.tensor(Tensor::bias(&[1, 2, 3]));
    let options = Options::FullyConnected { activation: 0, weights_format: 0 };
    let output = Tensor::int8(&[2, 3], 0.5, -3);
    let output = graph.op(code::FULLY_CONNECTED, options, &[input, weights, bias], output);
    graph.outputs.push(output);
    graph.into()
}

/// An operator on input 0 that gives tensor 1.
fn simple(code: i32, options: Options, input: Tensor, output: Tensor) -> Draft {
    let mut graph = Subgraph::default();
    let input = graph.input(input);
    let output = graph.op(code, options, &[input], output);
    graph.outputs.push(output);
    graph.into()
}

fn pool() -> Draft {
    let options = PoolOptions { padding: VALID, stride: (2, 2), filter: (2, 2), activation: 0 };
    let [input, output] = [[1, 4, 4, 2], [1, 2, 2, 2]].map(|shape| Tensor::int8(&shape, 0.1, 3));
    simple(code::AVERAGE_POOL_2D, Options::Pool2d(options), input, output)
}

fn softmax() -> Draft {
    let output = Tensor::int8(&[1, 4], 1.0 / 256.0, -128);
    simple(code::SOFTMAX, Options::Softmax { beta: 1.0 }, Tensor::int8(&[1, 4], 0.1, 3), output)
}

fn reshape() -> Draft {
    let [input, output] = [&[1, 4][..], &[4]].map(|shape| Tensor::int8(shape, 0.1, 3));
    simple(code::RESHAPE, Options::None, input, output)
}

fn relu() -> Draft {
    let [input, output] = [0.1, 0.2].map(|scale| Tensor::int8(&[1, 4], scale, 3));
    simple(code::RELU, Options::None, input, output)
}

fn quantize() -> Draft {
    let input = Tensor::typed(Type::FLOAT32, &[1, 4]);
    simple(code::QUANTIZE, Options::None, input, Tensor::int8(&[1, 4], 0.1, 3))
}

fn dequantize() -> Draft {
    let output = Tensor::typed(Type::FLOAT32, &[1, 4]);
    simple(code::DEQUANTIZE, Options::None, Tensor::int8(&[1, 4], 0.1, 3), output)
}

/// ADD: inputs 0 and 1, output 2.
fn add() -> Draft {
    let mut graph = Subgraph::default();
    let a = graph.input(Tensor::int8(&[1, 4, 3], 0.1, 3));
    let b = graph.input(Tensor::int8(&[4, 1], 0.2, 4));
    let output = Tensor::int8(&[1, 4, 3], 0.3, 5);
    let output = graph.op(code::ADD, Options::Add { activation: 0 }, &[a, b], output);
    graph.outputs.push(output);
    graph.into()
}

/// SVDF: input 0, feature filters 1, time filters 2, bias 3, state 4, output 5.
fn svdf() -> Draft {
    let mut graph = Subgraph::default();
    let input = graph.input(Tensor::int8(&[1, 3], 0.1, 3));
    let feature = graph.tensor(Tensor::weights(&[4, 3], &[0.1], 0, &[1; 12]));
    let time = graph.tensor(Tensor::weights(&[4, 5], &[0.1], 0, &[1; 20]));
    let bias = graph.tensor(Tensor::bias(&[1, 2]));
    let state = graph.tensor(Tensor::int8(&[1, 20], 0.5, 7).variable());
    let options = Options::Svdf { rank: 2, activation: 0 };
    let output = Tensor::int8(&[1, 2], 0.5, -3);
    let output = graph.op(code::SVDF, options, &[input, feature, time, bias, state], output);
    graph.outputs.push(output);
    graph.into()
}

/// UNIDIRECTIONAL_SEQUENCE_LSTM: input 0, weights 1 to 8, biases 9 to 12, last outputs 13, cells 14, output 15.
fn lstm() -> Draft {
    let mut graph = Subgraph::default();
    let mut inputs = vec![graph.input(Tensor::int8(&[1, 2, 3], 0.1, 3))];
    for depth in [3, 4] {
        for _ in 0..4 {
            let weights = Tensor::weights(&[4, depth], &[0.1], 0, &vec![1; 4 * depth as usize]);
            inputs.push(graph.tensor(weights));
        }
    }
    inputs.extend([-1; 3]);
    for _ in 0..4 {
        inputs.push(graph.tensor(Tensor::bias(&[1, 2, 3, 4])));
    }
    inputs.extend([-1; 2]);
    inputs.push(graph.tensor(Tensor::int8(&[1, 4], 1.0 / 128.0, 0).variable()));
    let cells = Tensor::typed(Type::INT16, &[1, 4]).quantized(1.0 / 2_048.0, 0);
    inputs.push(graph.tensor(cells.variable()));
    inputs.extend([-1; 4]);
    let output = Tensor::int8(&[1, 2, 4], 1.0 / 128.0, 0);
    let output =
        graph.op(code::UNIDIRECTIONAL_SEQUENCE_LSTM, lstm_options(activation::TANH, 0.0), &inputs, output);
    graph.outputs.push(output);
    graph.into()
}

fn lstm_options(activation: i8, cell_clip: f32) -> Options {
    Options::Other(71, vec![(0, flatbuf::i8(activation)), (1, flatbuf::f32(cell_clip))])
}

/// Two RELUs in a row: input 0, then tensors 1 and 2.
fn chain() -> Draft {
    let mut draft = relu();
    let graph = &mut draft.subgraphs[0];
    let output = graph.op(code::RELU6, Options::None, &[1], Tensor::int8(&[1, 4], 0.1, 0));
    graph.outputs = vec![output];
    draft
}

#[test]
fn the_drafts_are_sound() {
    let drafts = [
        conv(),
        depthwise(),
        lstm(),
        fully_connected(),
        pool(),
        softmax(),
        reshape(),
        relu(),
        quantize(),
        dequantize(),
        add(),
        svdf(),
        chain(),
    ];
    for (i, draft) in drafts.iter().enumerate() {
        assert_eq!(refuse(&draft.to_bytes()), None, "draft {i}");
    }
}

/// What is wrong, the model, the reason, and the operator and tensor that the error names.
type Row = (&'static str, Draft, Reason, Option<u32>, Option<u32>);

/// A sound model with one thing changed in its subgraph.
pub(crate) fn edit(mut draft: Draft, change: impl FnOnce(&mut Subgraph)) -> Draft {
    change(&mut draft.subgraphs[0]);
    draft
}

fn conv_options(change: impl FnOnce(&mut ConvOptions)) -> Draft {
    edit(conv(), |graph| {
        let Options::Conv2d(options) = &mut graph.ops[0].options else { unreachable!() };
        change(options);
    })
}

fn pool_options(change: impl FnOnce(&mut PoolOptions)) -> Draft {
    edit(pool(), |graph| {
        let Options::Pool2d(options) = &mut graph.ops[0].options else { unreachable!() };
        change(options);
    })
}

/// The model with another scale for tensor `id`.
fn scale(draft: Draft, id: usize, scale: f32) -> Draft {
    edit(draft, |graph| graph.tensors[id].quantization.as_mut().unwrap().scales[0] = scale)
}

fn zero_point(draft: Draft, id: usize, zero_point: i64) -> Draft {
    edit(draft, |graph| graph.tensors[id].quantization.as_mut().unwrap().zero_points[0] = zero_point)
}

fn shape(draft: Draft, id: usize, shape: &[i32]) -> Draft {
    edit(draft, |graph| graph.tensors[id].shape = shape.to_vec())
}

fn dtype(draft: Draft, id: usize, dtype: Type) -> Draft {
    edit(draft, |graph| graph.tensors[id].dtype = dtype)
}

/// The tensors `ids` as int16, which is symmetric.
fn int16(draft: Draft, ids: &[usize]) -> Draft {
    edit(draft, |graph| {
        for &id in ids {
            graph.tensors[id].dtype = Type::INT16;
            graph.tensors[id].quantization.as_mut().unwrap().zero_points[0] = 0;
        }
    })
}

/// The weights as int4.
fn int4(draft: Draft) -> Draft {
    edit(draft, |graph| {
        let weights = &mut graph.tensors[1];
        weights.dtype = Type::INT4;
        weights.data.as_mut().unwrap().truncate((weights.shape.iter().product::<i32>() as usize).div_ceil(2));
    })
}

/// The bias as int64.
fn int64_bias(draft: Draft) -> Draft {
    edit(draft, |graph| {
        let bias = &mut graph.tensors[2];
        bias.dtype = Type::INT64;
        bias.data = Some(vec![0; bias.shape[0] as usize * 8]);
    })
}

fn check(rows: Vec<Row>) {
    for (name, draft, reason, op, tensor) in rows {
        let error = refuse(&draft.to_bytes()).unwrap_or_else(|| panic!("{name}: accepted"));
        assert_eq!((error.reason, error.op(), error.tensor()), (reason, op, tensor), "{name}: {error}");
        // One line that says what and where.
        let text = error.to_string();
        assert!(text.contains(reason.text()) && !text.contains('\n'), "{name}: {text}");
        assert!(op.is_none_or(|op| text.starts_with(&format!("op {op} ("))), "{name}: {text}");
        assert!(tensor.is_none_or(|id| text.contains(&format!("tensor {id}:"))), "{name}: {text}");
    }
}

#[test]
#[rustfmt::skip]
fn operators() {
    use Reason as R;
    check(vec![
        ("an operator that kinglet does not have", edit(relu(), |g| g.ops[0].code = 48), R::UnsupportedOp, Some(0), None),
        ("an operator newer than the schema", edit(relu(), |g| g.ops[0].code = 9_999), R::UnsupportedOp, Some(0), None),
        ("a custom operator", edit(relu(), |g| { g.ops[0].code = code::CUSTOM; g.ops[0].custom = Some("Mine".into()) }), R::CustomOp, Some(0), None),
        ("a negative operator code", edit(relu(), |g| g.ops[0].code = -1), R::BadIndex, Some(0), None),
        ("the second of two operators", edit(chain(), |g| g.ops[1].code = 48), R::UnsupportedOp, Some(1), None),

        ("conv: one input", edit(conv(), |g| g.ops[0].inputs.truncate(1)), R::WrongArity, Some(0), None),
        ("conv: four inputs", edit(conv(), |g| g.ops[0].inputs.push(2)), R::WrongArity, Some(0), None),
        ("conv: no output", edit(conv(), |g| { g.ops[0].outputs.clear(); g.outputs.clear() }), R::WrongArity, Some(0), None),
        ("conv: two outputs", edit(conv(), |g| g.ops[0].outputs.push(3)), R::WrongArity, Some(0), None),
        ("add: one input", edit(add(), |g| g.ops[0].inputs.truncate(1)), R::WrongArity, Some(0), None),
        ("relu: two inputs", edit(relu(), |g| g.ops[0].inputs.push(0)), R::WrongArity, Some(0), None),
        ("svdf: four inputs", edit(svdf(), |g| g.ops[0].inputs.truncate(4)), R::WrongArity, Some(0), None),
        ("conv: filter left out", edit(conv(), |g| g.ops[0].inputs[1] = -1), R::MissingInput, Some(0), None),
        ("add: input left out", edit(add(), |g| g.ops[0].inputs[1] = -1), R::MissingInput, Some(0), None),
        ("add: output left out", edit(add(), |g| { g.ops[0].outputs[0] = -1; g.outputs.clear() }), R::WrongArity, Some(0), None),

        ("conv: no options", edit(conv(), |g| g.ops[0].options = Options::None), R::MissingOptions, Some(0), None),
        ("conv: pooling's options", edit(conv(), |g| g.ops[0].options = Options::Other(5, vec![])), R::WrongOptions, Some(0), None),
        ("add: pooling's options", edit(add(), |g| g.ops[0].options = Options::Other(5, vec![])), R::WrongOptions, Some(0), None),
        ("softmax: no options", edit(softmax(), |g| g.ops[0].options = Options::None), R::MissingOptions, Some(0), None),
        ("conv: options of an operator to come", edit(conv(), |g| g.ops[0].options = Options::Other(200, vec![])), R::UnknownValue, Some(0), None),
        ("conv: zero stride", conv_options(|o| o.stride.0 = 0), R::BadStride, Some(0), Some(0)),
        ("conv: negative stride", conv_options(|o| o.stride.1 = -1), R::BadStride, Some(0), Some(0)),
        ("conv: stride 65536", conv_options(|o| o.stride.1 = 65_536), R::BadStride, Some(0), Some(0)),
        ("conv: dilation 0", conv_options(|o| o.dilation.0 = 0), R::BadStride, Some(0), Some(0)),
        ("conv: dilation of i32::MIN", conv_options(|o| o.dilation.1 = i32::MIN), R::BadStride, Some(0), Some(0)),
        ("conv: window beyond its input", conv_options(|o| { o.padding = VALID; o.dilation.0 = 2 }), R::WindowTooLarge, Some(0), Some(0)),
        ("conv: unknown padding", conv_options(|o| o.padding = 7), R::UnknownValue, Some(0), None),
        ("conv: unknown activation", conv_options(|o| o.activation = 77), R::UnknownValue, Some(0), None),
        ("conv: TANH is not for integers", conv_options(|o| o.activation = activation::TANH), R::UnsupportedActivation, Some(0), None),
        ("pool: zero stride", pool_options(|o| o.stride.0 = 0), R::BadStride, Some(0), Some(0)),
        ("pool: window of height 0", pool_options(|o| o.filter.0 = 0), R::BadWindow, Some(0), Some(0)),
        ("pool: window of width -1", pool_options(|o| o.filter.1 = -1), R::BadWindow, Some(0), None),
        ("pool: window of width 65536", pool_options(|o| o.filter.1 = 65_536), R::BadWindow, Some(0), Some(0)),
        ("pool: window beyond its input", pool_options(|o| o.filter.1 = 5), R::WindowTooLarge, Some(0), Some(0)),
        ("softmax: beta 0", edit(softmax(), |g| g.ops[0].options = Options::Softmax { beta: 0.0 }), R::BadOption, Some(0), None),
        ("softmax: beta NaN", edit(softmax(), |g| g.ops[0].options = Options::Softmax { beta: f32::NAN }), R::BadOption, Some(0), None),
        ("svdf: rank 0", edit(svdf(), |g| g.ops[0].options = Options::Svdf { rank: 0, activation: 0 }), R::BadOption, Some(0), None),
        ("svdf: rank 3 of 4 filters", edit(svdf(), |g| g.ops[0].options = Options::Svdf { rank: 3, activation: 0 }), R::ShapeMismatch, Some(0), Some(1)),
        ("lstm: 19 inputs", edit(lstm(), |g| g.ops[0].inputs.truncate(19)), R::WrongArity, Some(0), None),
        ("lstm: 25 inputs", edit(lstm(), |g| g.ops[0].inputs.push(0)), R::WrongArity, Some(0), None),
        ("lstm: no options", edit(lstm(), |g| g.ops[0].options = Options::None), R::MissingOptions, Some(0), None),
        ("lstm: RELU in the cells", edit(lstm(), |g| g.ops[0].options = lstm_options(activation::RELU, 0.0)), R::UnsupportedActivation, Some(0), None),
        ("lstm: cells clipped at NaN", edit(lstm(), |g| g.ops[0].options = lstm_options(activation::TANH, f32::NAN)), R::BadOption, Some(0), None),
        ("lstm: cells clipped at -1", edit(lstm(), |g| g.ops[0].options = lstm_options(activation::TANH, -1.0)), R::BadOption, Some(0), None),
        ("lstm: peepholes", edit(lstm(), |g| g.ops[0].inputs[9] = 9), R::UnsupportedOption, Some(0), None),
        ("lstm: projection", edit(lstm(), |g| g.ops[0].inputs[16] = 5), R::UnsupportedOption, Some(0), None),
        ("lstm: layer normalisation", edit(lstm(), |g| g.ops[0].inputs[23] = 9), R::UnsupportedOption, Some(0), None),
        ("lstm: no input gate", edit(lstm(), |g| g.ops[0].inputs[1] = -1), R::MissingInput, Some(0), None),
        ("lstm: a bias left out", edit(lstm(), |g| g.ops[0].inputs[15] = -1), R::MissingInput, Some(0), None),
        ("lstm: no cells", edit(lstm(), |g| g.ops[0].inputs[19] = -1), R::MissingInput, Some(0), None),
        ("fully connected: shuffled weights", edit(fully_connected(), |g| g.ops[0].options = Options::FullyConnected { activation: 0, weights_format: 1 }), R::UnsupportedWeights, Some(0), None),
    ]);
}

#[test]
#[rustfmt::skip]
fn tensors() {
    use Reason as R;
    check(vec![
        ("a dimension of 0", shape(conv(), 0, &[1, 0, 4, 2]), R::BadShape, None, Some(0)),
        ("a negative dimension", shape(conv(), 3, &[1, 4, -4, 3]), R::BadShape, Some(0), Some(3)),
        ("rank 7", shape(relu(), 0, &[1, 1, 1, 1, 1, 1, 4]), R::RankTooHigh, None, Some(0)),
        ("2^30 elements", shape(relu(), 0, &[1 << 15, 1 << 15]), R::TensorTooLarge, None, Some(0)),
        ("2^60 elements", shape(relu(), 1, &[1 << 30, 1 << 30]), R::TensorTooLarge, Some(0), Some(1)),
        ("conv: input of rank 5", shape(conv(), 0, &[1, 1, 4, 4, 2]), R::WrongRank, Some(0), Some(0)),
        ("conv: input of rank 3", shape(conv(), 0, &[4, 4, 2]), R::WrongRank, Some(0), Some(0)),
        ("conv: filter of rank 2", shape(conv(), 1, &[3, 18]), R::WrongRank, Some(0), Some(1)),
        ("conv: output of rank 5", shape(conv(), 3, &[1, 1, 4, 4, 3]), R::ShapeMismatch, Some(0), Some(3)),
        ("conv: height above 65535", shape(conv(), 0, &[1, 65_536, 1, 2]), R::DimensionTooLarge, Some(0), Some(0)),
        ("conv: channels that the filters do not divide", shape(conv(), 0, &[1, 4, 4, 3]), R::ShapeMismatch, Some(0), Some(1)),
        ("conv: filters that the groups do not divide", shape(conv(), 0, &[1, 4, 4, 4]), R::ShapeMismatch, Some(0), Some(1)),
        ("conv: output too high", shape(conv(), 3, &[1, 5, 4, 3]), R::ShapeMismatch, Some(0), Some(3)),
        ("conv: output of another batch", shape(conv(), 3, &[2, 4, 4, 3]), R::ShapeMismatch, Some(0), Some(3)),
        ("conv: output too deep", shape(conv(), 3, &[1, 4, 4, 4]), R::ShapeMismatch, Some(0), Some(3)),
        ("depthwise: filter for two batches", shape(depthwise(), 1, &[2, 3, 3, 2]), R::ShapeMismatch, Some(0), Some(1)),
        ("depthwise: channels that the input does not divide", shape(depthwise(), 0, &[1, 4, 4, 3]), R::ShapeMismatch, Some(0), Some(1)),
        ("fully connected: input does not fill vectors", shape(fully_connected(), 0, &[1, 7]), R::ShapeMismatch, Some(0), Some(0)),
        ("fully connected: output of another batch", shape(fully_connected(), 3, &[3, 3]), R::ShapeMismatch, Some(0), Some(3)),
        ("fully connected: weights of rank 4", shape(fully_connected(), 1, &[3, 1, 1, 4]), R::WrongRank, Some(0), Some(1)),
        ("pool: output too wide", shape(pool(), 1, &[1, 2, 3, 2]), R::ShapeMismatch, Some(0), Some(1)),
        ("softmax: another shape", shape(softmax(), 1, &[4]), R::ShapeMismatch, Some(0), Some(1)),
        ("lstm: input of rank 2", shape(lstm(), 0, &[2, 3]), R::WrongRank, Some(0), Some(0)),
        ("lstm: input of another length", shape(lstm(), 0, &[1, 2, 4]), R::ShapeMismatch, Some(0), Some(1)),
        ("lstm: recurrent weights too long", edit(lstm(), |g| { g.tensors[8].shape[1] = 5; g.tensors[8].data = Some(vec![0; 20]) }), R::ShapeMismatch, Some(0), Some(8)),
        ("lstm: bias too short", edit(lstm(), |g| g.tensors[10] = Tensor::bias(&[0; 3])), R::ShapeMismatch, Some(0), Some(10)),
        ("lstm: state of another batch", shape(lstm(), 13, &[2, 4]), R::ShapeMismatch, Some(0), Some(13)),
        ("lstm: fewer cells", shape(lstm(), 14, &[1, 3]), R::ShapeMismatch, Some(0), Some(14)),
        ("lstm: output too long", shape(lstm(), 15, &[1, 2, 5]), R::ShapeMismatch, Some(0), Some(15)),
        ("lstm: output of rank 2", shape(lstm(), 15, &[2, 4]), R::WrongRank, Some(0), Some(15)),
        ("lstm: int8 cells", dtype(lstm(), 14, Type::INT8), R::WrongType, Some(0), Some(14)),
        ("lstm: int16 state of int8 units", dtype(lstm(), 13, Type::INT16), R::WrongType, Some(0), Some(13)),
        ("lstm: cells are no variable", edit(lstm(), |g| { g.tensors[14].variable = false; g.inputs.push(14) }), R::NotVariable, Some(0), Some(14)),
        ("lstm: weights are no constant", edit(lstm(), |g| { g.tensors[6].data = None; g.inputs.push(6) }), R::NotConstant, Some(0), Some(6)),
        ("lstm: int64 bias of int8 units", edit(lstm(), |g| { g.tensors[9].dtype = Type::INT64; g.tensors[9].data = Some(vec![0; 32]) }), R::WrongType, Some(0), Some(9)),
        ("lstm: int32 bias of int16 units", int16(lstm(), &[0, 13, 15]), R::WrongType, Some(0), Some(9)),
        ("lstm: one variable for both states", edit(int16(lstm(), &[0, 13, 15]), |g| g.ops[0].inputs[18] = 14), R::WrongType, Some(0), Some(14)),
        ("lstm: the input is the state", edit(lstm(), |g| g.ops[0].inputs[0] = 13), R::ConstantActivation, Some(0), Some(13)),
        ("softmax: a scalar", shape(shape(softmax(), 0, &[]), 1, &[]), R::WrongRank, Some(0), Some(0)),
        ("reshape: fewer elements", shape(reshape(), 1, &[3]), R::ShapeMismatch, Some(0), Some(1)),
        ("relu: another shape", shape(relu(), 1, &[4, 1]), R::ShapeMismatch, Some(0), Some(1)),
        ("add: shapes that do not broadcast", shape(add(), 1, &[2, 3]), R::ShapeMismatch, Some(0), Some(1)),
        ("add: output of too low a rank", shape(add(), 2, &[4, 3]), R::ShapeMismatch, Some(0), Some(2)),
        ("add: output too small", shape(add(), 2, &[1, 4, 1]), R::ShapeMismatch, Some(0), Some(2)),
        ("svdf: input of another length", shape(svdf(), 0, &[1, 4]), R::ShapeMismatch, Some(0), Some(1)),
        ("svdf: state too short", shape(svdf(), 4, &[1, 19]), R::ShapeMismatch, Some(0), Some(4)),
        ("svdf: output too long", shape(svdf(), 5, &[1, 4]), R::ShapeMismatch, Some(0), Some(5)),

        ("conv: bias too long", edit(conv(), |g| g.tensors[2] = Tensor::bias(&[0; 4])), R::ShapeMismatch, Some(0), Some(2)),
        ("conv: bias too short", edit(conv(), |g| g.tensors[2] = Tensor::bias(&[0; 2])), R::ShapeMismatch, Some(0), Some(2)),
        ("fully connected: bias too long", edit(fully_connected(), |g| g.tensors[2] = Tensor::bias(&[0; 4])), R::ShapeMismatch, Some(0), Some(2)),
        ("svdf: bias for each filter", edit(svdf(), |g| g.tensors[3] = Tensor::bias(&[0; 4])), R::ShapeMismatch, Some(0), Some(3)),
        ("conv: int8 bias", edit(conv(), |g| g.tensors[2] = Tensor::weights(&[3], &[1.0], 0, &[1; 3])), R::WrongType, Some(0), Some(2)),
        ("conv: bias is no constant", edit(conv(), |g| { g.tensors[2].data = None; g.inputs.push(2) }), R::NotConstant, Some(0), Some(2)),
        ("conv: filter is no constant", edit(conv(), |g| { g.tensors[1].data = None; g.inputs.push(1) }), R::NotConstant, Some(0), Some(1)),
        ("svdf: state is no variable", edit(svdf(), |g| { g.tensors[4].variable = false; g.inputs.push(4) }), R::NotVariable, Some(0), Some(4)),

        ("a buffer too short", edit(conv(), |g| g.tensors[1].data = Some(vec![0; 53])), R::BufferLength, Some(0), Some(1)),
        ("a buffer too long", edit(conv(), |g| g.tensors[1].data = Some(vec![0; 55])), R::BufferLength, Some(0), Some(1)),
        ("a buffer that is not there", edit(conv(), |g| g.tensors[1].buffer = Some(99)), R::BadIndex, Some(0), Some(1)),
        ("an empty buffer for weights", edit(conv(), |g| g.tensors[1].data = Some(Vec::new())), R::NotConstant, Some(0), Some(1)),
        ("a sparse tensor", edit(conv(), |g| g.tensors[1].sparse = true), R::Sparse, Some(0), Some(1)),
        ("buffers outside the FlatBuffer", Draft { external_buffers: true, ..conv() }, R::ExternalBuffer, Some(0), Some(1)),

        ("relu: int16 output", dtype(relu(), 1, Type::INT16), R::WrongType, Some(0), Some(1)),
        ("add: float32 input", dtype(add(), 1, Type::FLOAT32), R::WrongType, Some(0), Some(1)),
        ("quantize: float16 input", dtype(quantize(), 0, Type::FLOAT16), R::UnsupportedType, Some(0), Some(1)),
        ("dequantize: int8 output", dtype(dequantize(), 1, Type::INT8), R::WrongType, Some(0), Some(1)),
        ("dequantize: int32 input", dtype(dequantize(), 0, Type::INT32), R::UnsupportedType, Some(0), Some(0)),
        ("reshape: another type", dtype(reshape(), 1, Type::UINT8), R::WrongType, Some(0), Some(1)),
        ("a type beyond the schema", dtype(relu(), 0, Type(99)), R::UnknownValue, None, Some(0)),
        ("conv: int4 filter cut short", edit(conv(), |g| { g.tensors[1].dtype = Type::INT4; g.tensors[1].data = Some(vec![0; 26]) }), R::BufferLength, Some(0), Some(1)),
        ("conv: int4 filter for int16", int4(int16(conv(), &[0, 3])), R::UnsupportedType, Some(0), Some(1)),
        ("conv: int16 filter", edit(int16(conv(), &[0, 1, 3]), |g| g.tensors[1].data = Some(vec![0; 108])), R::UnsupportedType, Some(0), Some(1)),
        ("conv: int16 input, int8 output", int16(conv(), &[0]), R::WrongType, Some(0), Some(3)),
        ("conv: int16 with a zero point", zero_point(int16(conv(), &[0, 3]), 3, 1), R::BadZeroPoint, Some(0), Some(3)),
        ("conv: int64 bias for int8", int64_bias(conv()), R::WrongType, Some(0), Some(2)),
        ("conv: int64 bias too long", edit(int64_bias(int16(conv(), &[0, 3])), |g| { g.tensors[2].shape[0] = 4; g.tensors[2].data = Some(vec![0; 32]) }), R::ShapeMismatch, Some(0), Some(2)),
        ("depthwise: int32 bias for int16", int16(depthwise(), &[0, 3]), R::UnsupportedType, Some(0), Some(2)),
        ("fully connected: int4 weights with a scale each", edit(int4(fully_connected()), |g| g.tensors[1].quantization.as_mut().unwrap().scales = vec![0.1; 3]), R::UnsupportedWeights, Some(0), Some(1)),
        ("fully connected: int16 with computed weights", edit(int16(fully_connected(), &[0, 3]), |g| { g.tensors[1].data = None; g.inputs.push(1) }), R::NotConstant, Some(0), Some(1)),
        ("fully connected: weights in a variable", edit(fully_connected(), |g| { g.tensors[1].data = None; g.tensors[1].variable = true }), R::NotConstant, Some(0), Some(1)),
        ("pool: int16 input, int8 output", int16(pool(), &[0]), R::WrongType, Some(0), Some(1)),
        ("pool: int16 with a zero point", zero_point(int16(pool(), &[0, 1]), 0, 3), R::BadZeroPoint, Some(0), Some(0)),
        ("softmax: int16 input, int8 output", int16(softmax(), &[0]), R::UnsupportedType, Some(0), Some(1)),
        ("conv: uint8 input", dtype(conv(), 0, Type::UINT8), R::UnsupportedType, Some(0), Some(0)),
    ]);
}

#[test]
#[rustfmt::skip]
fn quantisation() {
    use Reason as R;
    let without = |draft: Draft, id: usize| edit(draft, |g| g.tensors[id].quantization = None);
    let channels = |draft: Draft, scales: usize, zero_points: usize, axis: i32| edit(draft, |g| {
        let q = g.tensors[1].quantization.as_mut().unwrap();
        (q.scales, q.zero_points, q.axis) = (vec![0.1; scales], vec![0; zero_points], axis);
    });
    check(vec![
        ("conv: input without scale", without(conv(), 0), R::NoQuantization, Some(0), Some(0)),
        ("conv: filter without scale", without(conv(), 1), R::NoQuantization, Some(0), Some(1)),
        ("conv: output without scale", without(conv(), 3), R::NoQuantization, Some(0), Some(3)),
        ("quantize: output without scale", without(quantize(), 1), R::NoQuantization, Some(0), Some(1)),
        ("NaN", scale(conv(), 0, f32::NAN), R::BadScale, Some(0), Some(0)),
        ("0", scale(conv(), 1, 0.0), R::BadScale, Some(0), Some(1)),
        ("negative", scale(conv(), 1, -0.1), R::BadScale, Some(0), Some(1)),
        ("infinite", scale(conv(), 3, f32::INFINITY), R::BadScale, Some(0), Some(3)),
        ("pool: NaN", scale(pool(), 0, f32::NAN), R::BadScale, Some(0), Some(0)),
        ("pool: another scale", scale(pool(), 1, 0.2), R::ScalesDiffer, Some(0), Some(1)),
        ("pool: another zero point", zero_point(pool(), 1, 4), R::ScalesDiffer, Some(0), Some(1)),
        ("softmax: another output scale", scale(softmax(), 1, 0.1), R::OutputScale, Some(0), Some(1)),
        ("softmax: another output zero point", zero_point(softmax(), 1, 0), R::OutputScale, Some(0), Some(1)),
        ("softmax: input scale of next to nothing", scale(softmax(), 0, 1e-30), R::ScaleRatio, Some(0), Some(0)),
        ("lstm: cells with a zero point", zero_point(lstm(), 14, 1), R::BadZeroPoint, Some(0), Some(14)),
        ("lstm: asymmetric weights", zero_point(lstm(), 3, 1), R::AsymmetricWeights, Some(0), Some(3)),
        ("lstm: weights with a scale each", edit(lstm(), |g| g.tensors[2].quantization.as_mut().unwrap().scales = vec![0.1; 4]), R::QuantizationCount, Some(0), Some(2)),
        ("lstm: cells of a scale beyond the table", scale(lstm(), 14, 4.0), R::ScaleRatio, Some(0), None),
        ("conv: int16 scales too far apart", scale(int64_bias(int16(conv(), &[0, 3])), 3, 1e-5), R::ScaleRatio, Some(0), None),
        ("softmax: int16 with int8's output scale", int16(softmax(), &[0, 1]), R::OutputScale, Some(0), Some(1)),
        ("softmax: int16 input scale far too great", scale(scale(int16(softmax(), &[0, 1]), 1, 1.0 / 32_768.0), 0, 1e9), R::ScaleRatio, Some(0), Some(0)),
        ("fully connected: weights with a scale and a zero point each", edit(channels(fully_connected(), 3, 3, 0), |g| g.tensors[1].quantization.as_mut().unwrap().zero_points[1] = 1), R::AsymmetricWeights, Some(0), Some(1)),
        ("conv: scales too far apart", scale(conv(), 3, 1e-30), R::ScaleRatio, Some(0), None),
        ("add: output scale far too small", scale(add(), 2, 1e-9), R::ScaleRatio, Some(0), None),
        ("zero point above int8", zero_point(conv(), 0, 128), R::BadZeroPoint, Some(0), Some(0)),
        ("zero point below int8", zero_point(conv(), 3, -129), R::BadZeroPoint, Some(0), Some(3)),
        ("zero point beyond 32 bits", zero_point(relu(), 0, 1 << 32), R::BadZeroPoint, Some(0), Some(0)),
        ("conv: asymmetric filter", zero_point(conv(), 1, 1), R::AsymmetricWeights, Some(0), Some(1)),
        ("svdf: asymmetric filter", zero_point(svdf(), 1, 1), R::AsymmetricWeights, Some(0), Some(1)),
        ("conv: a scale too few", channels(conv(), 2, 2, 0), R::QuantizationCount, Some(0), Some(1)),
        ("conv: a scale too many", channels(conv(), 4, 4, 0), R::QuantizationCount, Some(0), Some(1)),
        ("conv: a zero point too few", channels(conv(), 3, 2, 0), R::QuantizationCount, Some(0), Some(1)),
        ("conv: scales along another axis", channels(conv(), 3, 3, 3), R::QuantizationCount, Some(0), Some(1)),
        ("depthwise: scales along another axis", channels(depthwise(), 4, 4, 0), R::QuantizationCount, Some(0), Some(1)),
        ("svdf: a scale for each filter", channels(svdf(), 4, 4, 0), R::QuantizationCount, Some(0), Some(1)),
        ("relu: two scales for an activation", edit(relu(), |g| g.tensors[0].quantization.as_mut().unwrap().scales.push(0.1)), R::QuantizationCount, Some(0), Some(0)),
    ]);
}

#[test]
#[rustfmt::skip]
fn graphs() {
    use Reason as R;
    check(vec![
        ("no subgraph", Draft::default(), R::NoSubgraph, None, None),
        ("schema version 2", Draft { version: 2, ..relu() }, R::BadVersion, None, None),
        ("wrong identifier", Draft { identifier: *b"TFL2", ..relu() }, R::NotTflite, None, None),
        ("an operator's input out of range", edit(relu(), |g| g.ops[0].inputs[0] = 2), R::BadIndex, Some(0), Some(2)),
        ("an operator's output out of range", edit(relu(), |g| g.ops[0].outputs[0] = 60_000), R::BadIndex, Some(0), Some(60_000)),
        ("an input of the model out of range", edit(relu(), |g| g.inputs[0] = 2), R::BadIndex, None, None),
        ("an input of the model left out", edit(relu(), |g| g.inputs[0] = -1), R::BadIndex, None, None),
        ("an output of the model out of range", edit(relu(), |g| g.outputs[0] = i32::MAX), R::BadIndex, None, None),
        ("read before written", edit(relu(), |g| g.inputs.clear()), R::NotProduced, Some(0), Some(0)),
        ("operators in the wrong order", edit(chain(), |g| g.ops.swap(0, 1)), R::NotProduced, Some(0), Some(1)),
        ("a cycle", edit(chain(), |g| g.ops[0].inputs[0] = 2), R::NotProduced, Some(0), Some(2)),
        ("an operator that reads its own output", edit(relu(), |g| g.ops[0].inputs[0] = 1), R::NotProduced, Some(0), Some(1)),
        ("an output of the model that nobody writes", edit(relu(), |g| { g.ops.clear() }), R::NotProduced, None, Some(1)),
        ("written twice", edit(chain(), |g| { g.ops[1].outputs[0] = 1; g.outputs[0] = 1 }), R::WrittenTwice, Some(1), Some(1)),
        ("an input of the model is written", edit(chain(), |g| g.ops[1].outputs[0] = 0), R::WrittenTwice, Some(1), Some(0)),
        ("a constant is written", edit(relu(), |g| g.tensors[1].data = Some(vec![0; 4])), R::ConstantWritten, Some(0), Some(1)),
        ("a variable is written", edit(relu(), |g| g.tensors[1].variable = true), R::ConstantWritten, Some(0), Some(1)),
        ("an input of the model is a constant", edit(relu(), |g| g.tensors[0].data = Some(vec![0; 4])), R::ConstantInput, None, Some(0)),
        ("an input of the model is a variable", edit(relu(), |g| g.tensors[0].variable = true), R::ConstantInput, None, Some(0)),
        ("an input of the model of a type that kinglet has not", edit(relu(), |g| { let id = g.tensor(Tensor::typed(Type::FLOAT16, &[1])); g.inputs.push(id) }), R::UnsupportedType, None, Some(2)),
        ("an output of the model of a type that kinglet has not", edit(relu(), |g| { let id = g.tensor(Tensor::typed(Type::FLOAT16, &[1]).constant(vec![0; 2])); g.outputs.push(id) }), R::UnsupportedType, None, Some(2)),
    ]);
}

/// Kernels read these inputs in the arena: a constant there is refused, not found out at run time.
#[test]
fn constant_activations() {
    let drafts = [conv(), depthwise(), fully_connected(), pool(), softmax(), svdf()];
    check(
        drafts
            .into_iter()
            .map(|draft| {
                let draft = edit(draft, |g| {
                    g.inputs.clear();
                    g.tensors[0].data = Some(vec![1; g.tensors[0].len()]);
                });
                ("a constant activation", draft, Reason::ConstantActivation, Some(0), Some(0))
            })
            .collect(),
    );
    let own_state = edit(svdf(), |g| {
        g.tensors[0] = Tensor::int8(&[1, 20], 0.1, 3).variable();
        g.tensors[1] = Tensor::weights(&[4, 20], &[0.1], 0, &[1; 80]);
        g.inputs.clear();
        g.ops[0].inputs[4] = 0;
    });
    check(vec![("svdf on its own state", own_state, Reason::ConstantActivation, Some(0), Some(0))]);
    // These read from anywhere.
    for (draft, len) in [(relu(), 4), (reshape(), 4), (add(), 12), (dequantize(), 4)] {
        let file = edit(draft, |g| {
            g.inputs.remove(0);
            g.tensors[0].data = Some(vec![1; len]);
        })
        .to_bytes();
        assert_eq!(kinglet_tests::exercise(&file), kinglet_tests::Stage::Run);
    }
}

/// The first files that newcomers bring: the error says what they are and how to convert them.
#[test]
fn float_and_dynamic_range_models() {
    let float = edit(conv(), |g| {
        for id in [0, 1, 2, 3] {
            g.tensors[id].dtype = Type::FLOAT32;
            g.tensors[id].quantization = None;
        }
        g.tensors[1].data = Some(vec![0; 54 * 4]);
    });
    let dynamic = edit(fully_connected(), |g| {
        for id in [0, 2, 3] {
            g.tensors[id].dtype = Type::FLOAT32;
            g.tensors[id].quantization = None;
        }
    });
    for (draft, reason) in [(float, Reason::FloatModel), (dynamic, Reason::DynamicRange)] {
        let error = refuse(&draft.to_bytes()).unwrap();
        assert_eq!((error.reason, error.kind()), (reason, ErrorKind::Unsupported));
        assert_eq!((error.op(), error.tensor()), (Some(0), Some(0)));
        let text = error.to_string();
        for word in ["representative_dataset", "TFLITE_BUILTINS_INT8", "int8"] {
            assert!(text.contains(word), "{text}");
        }
    }
}

#[test]
fn files_that_are_no_models() {
    let reason = |file: &[u8]| refuse(file).map(|error| error.reason);
    assert_eq!(reason(b""), Some(Reason::Empty));
    assert_eq!(reason(b"TFL3"), Some(Reason::NotTflite));
    assert_eq!(reason(b"<!DOCTYPE html>\n<html><body>Not found</body></html>"), Some(Reason::NotTflite));
    assert_eq!(reason(b"\x89PNG\r\n\x1a\n"), Some(Reason::NotTflite));
    assert_eq!(reason(b"\xff\xff\xff\xffTFL3"), Some(Reason::Truncated));
    assert_eq!(reason(b"\0\0\0\0TFL3\0\0\0\0"), Some(Reason::Truncated));
}

/// Offsets may lead to the same place many times: limits count each.
#[test]
fn small_files_that_ask_for_much() {
    let mut limits = Limits::default();
    (limits.subgraphs, limits.tensors, limits.ops, limits.indices) = (10, 100, 20, 50);
    let reason = |draft: &Draft, limits: &Limits| {
        let error = refuse_with(&draft.to_bytes(), limits).unwrap();
        assert_eq!(error.kind(), ErrorKind::Limit);
        error.reason
    };
    let aliased = |alias_subgraphs, alias_ops, alias_tensors| {
        let mut draft = edit(relu(), |g| (g.alias_ops, g.alias_tensors) = (alias_ops, alias_tensors));
        draft.alias_subgraphs = alias_subgraphs;
        draft
    };
    assert_eq!(reason(&aliased(11, 0, 0), &limits), Reason::TooManySubgraphs);
    assert_eq!(reason(&aliased(0, 21, 0), &limits), Reason::TooManyOps);
    assert_eq!(reason(&aliased(0, 0, 101), &limits), Reason::TooManyTensors);
    // All subgraphs together.
    assert_eq!(reason(&aliased(7, 3, 0), &limits), Reason::TooManyOps);
    assert_eq!(reason(&aliased(6, 0, 17), &limits), Reason::TooManyTensors);
    let many = edit(add(), |g| g.ops[0].inputs = vec![0; 60]);
    assert_eq!(reason(&many, &limits), Reason::TooManyIndices);
    assert_eq!(reason(&edit(relu(), |g| g.outputs = vec![1; 60]), &limits), Reason::TooManyIndices);
    limits.buffers = 2;
    assert_eq!(reason(&conv(), &limits), Reason::TooManyBuffers);

    // 60 KB that name 64 subgraphs of 4,096 operators each.
    let bomb = aliased(64, 4_096, 16_384);
    assert_eq!(reason(&bomb, &Limits::default()), Reason::TooManyTensors);
}

#[test]
fn truncated_at_every_length() {
    let files = ["digits", "hello_sine"].map(|name| model_file(&format!("{name}/model.tflite")));
    for file in files {
        let file = file.as_slice();
        for len in 0..file.len() {
            // What a file loses at its end may be what nobody reads; then it still has to run.
            if let Some(error) = refuse(&file[..len]) {
                assert!(
                    matches!(error.reason, Reason::Empty | Reason::NotTflite | Reason::Truncated),
                    "{len}: {error}"
                );
            } else {
                assert!(len + 16 > file.len(), "accepted at {len}");
            }
        }
    }
}

#[test]
fn inputs_and_outputs_of_the_wrong_size() {
    let file = model_file("digits/model.tflite");
    let model = Model::parse(file.as_slice()).unwrap();
    let mut memory = AlignedBytes::filled(16 * 1024, 0);
    let mut net: Interpreter<'_> = Interpreter::new(&model, memory.as_mut_slice()).unwrap();
    let wrong = |given| TensorError::WrongLength { expected: 64, given };
    assert_eq!(net.quantize_input(0, &[0.0; 63]), Err(wrong(63)));
    assert_eq!(net.quantize_input(0, &[0.0; 65]), Err(wrong(65)));
    assert_eq!(net.quantize_input(0, &[]), Err(wrong(0)));
    assert_eq!(net.quantize_input(1, &[0.0; 64]), Err(TensorError::NoSuchTensor));
    assert_eq!(net.input::<u8>(0).unwrap_err(), TensorError::WrongType);
    assert_eq!(net.output::<f32>(0).unwrap_err(), TensorError::WrongType);
    assert_eq!(net.output::<i8>(1).unwrap_err(), TensorError::NoSuchTensor);
    let wrong = TensorError::WrongLength { expected: 10, given: 9 };
    assert_eq!(net.dequantize_output(0, &mut [0.0; 9]), Err(wrong));
    assert_eq!(wrong.to_string(), "the tensor has 10 elements, not 9");
    assert_eq!(net.input(0).map(|values: &mut [i8]| values.len()), Ok(64));
}

/// Gives memory of `len` bytes to a model.
fn one_slice(file: &[u8], len: usize) -> Result<usize, Error> {
    let model = Model::parse(file).unwrap();
    let mut memory = AlignedBytes::filled(len, 0);
    let net: Interpreter<'_> = Interpreter::new(&model, memory.as_mut_slice())?;
    Ok(net.usage().total_bytes)
}

fn two_slices(file: &[u8], arena: usize, state: usize) -> Result<(), Error> {
    let model = Model::parse(file).unwrap();
    let [mut arena, mut state] = [arena, state].map(|len| AlignedBytes::filled(len, 0));
    let memory = Memory::new(arena.as_mut_slice(), state.as_mut_slice());
    let mut net: Interpreter<'_> = Interpreter::new(&model, memory)?;
    net.invoke().unwrap();
    Ok(())
}

#[test]
fn memory_one_byte_too_small() {
    let drafts = [conv(), fully_connected(), add(), svdf(), chain(), reshape()];
    let mut files: Vec<AlignedBytes> = drafts.map(|draft| AlignedBytes::new(&draft.to_bytes())).into();
    files.extend(["digits", "hello_sine"].map(|name| model_file(&format!("{name}/model.tflite"))));
    for file in &files {
        let file = file.as_slice();
        let total = one_slice(file, 1 << 20).unwrap();
        assert_eq!(one_slice(file, total), Ok(total));
        assert_eq!(
            one_slice(file, total - 1),
            Err(Error::MemoryTooSmall { needed: total, given: total - 1 })
        );
        // What an error asks for brings one further, and never too far.
        let mut len = 0;
        let steps = (1..).find(|_| match one_slice(file, len) {
            Ok(_) => true,
            Err(Error::MemoryTooSmall { needed, given }) => {
                assert!(given == len && needed > len && needed <= total, "{needed} {given} {len} {total}");
                len = needed;
                false
            }
            Err(error) => panic!("{error}"),
        });
        assert!(steps <= Some(3) && len == total);

        let needed_arena = (0..1 << 16).find(|&len| two_slices(file, len, 1 << 16).is_ok()).unwrap();
        let needed_state = (0..1 << 16).find(|&len| two_slices(file, 1 << 16, len).is_ok()).unwrap();
        assert_eq!(
            two_slices(file, needed_arena - 1, 1 << 16),
            Err(Error::ArenaTooSmall { needed: needed_arena, given: needed_arena - 1 })
        );
        assert_eq!(
            two_slices(file, 1 << 16, needed_state - 1),
            Err(Error::StateTooSmall { needed: needed_state, given: needed_state - 1 })
        );
        assert_eq!(two_slices(file, needed_arena, needed_state), Ok(()));
    }
}

#[test]
fn static_memory_one_byte_too_small() {
    for draft in [conv(), svdf()] {
        let compiled = kinglet_build::plan(&draft.to_bytes(), &Default::default()).unwrap();
        let [plan, constants] = [&compiled.plan, &compiled.constants].map(|bytes| AlignedBytes::new(bytes));
        let run = |memory: Memory<'_>| {
            let net: Result<Interpreter<'_>, Error> =
                Interpreter::from_plan(plan.as_slice(), constants.as_slice(), memory);
            net.map(|net| net.usage().total_bytes)
        };
        let mut memory = AlignedBytes::filled(1 << 16, 0);
        let total = run(memory.as_mut_slice().into()).unwrap();
        assert_eq!(total, compiled.state_bytes.next_multiple_of(16) + compiled.arena_bytes);
        assert_eq!(run((&mut memory.as_mut_slice()[..total]).into()), Ok(total));
        assert_eq!(
            run((&mut memory.as_mut_slice()[..total - 1]).into()),
            Err(Error::MemoryTooSmall { needed: total, given: total - 1 })
        );
        let (needed, given) = (compiled.arena_bytes, compiled.arena_bytes - 1);
        let mut arena = AlignedBytes::filled(given, 0);
        assert_eq!(
            run(Memory::new(arena.as_mut_slice(), memory.as_mut_slice())),
            Err(Error::ArenaTooSmall { needed, given })
        );
        if let (needed @ 1.., given) = (compiled.state_bytes, compiled.state_bytes.saturating_sub(1)) {
            let mut state = AlignedBytes::filled(given, 0);
            assert_eq!(
                run(Memory::new(memory.as_mut_slice(), state.as_mut_slice())),
                Err(Error::StateTooSmall { needed, given })
            );
        }
    }
}

#[test]
fn misaligned_memory() {
    let file = model_file("digits/model.tflite");
    let model = Model::parse(file.as_slice()).unwrap();
    let new = |memory: Memory<'_>| {
        let net: Result<Interpreter<'_>, Error> = Interpreter::new(&model, memory);
        net.map(|_| ())
    };
    let mut memory = AlignedBytes::filled(1 << 16, 0);
    let mut other = AlignedBytes::filled(1 << 16, 0);
    for by in 1..16 {
        assert_eq!(new((&mut memory.as_mut_slice()[by..]).into()), Err(Error::Misaligned));
        let (arena, state) = (&mut memory.as_mut_slice()[by..], other.as_mut_slice());
        assert_eq!(new(Memory::new(arena, state)), Err(Error::Misaligned));
        let (arena, state) = (other.as_mut_slice(), &mut memory.as_mut_slice()[by..]);
        assert_eq!(new(Memory::new(arena, state)), Err(Error::Misaligned));
    }
    let mut moved = AlignedBytes::filled(file.as_slice().len() + 1, 0);
    moved.as_mut_slice()[1..].copy_from_slice(file.as_slice());
    let model = Model::parse(&moved.as_slice()[1..]).unwrap();
    let net: Result<Interpreter<'_>, Error> = Interpreter::new(&model, memory.as_mut_slice());
    assert_eq!(net.map(|_| ()).unwrap_err(), Error::Misaligned);
    assert!(Error::Misaligned.to_string().contains("16 bytes"));
}

/// An operator that the program was built without.
#[test]
fn operators_left_out() {
    let file = AlignedBytes::new(&edit(chain(), |g| g.ops[1].code = code::RELU).to_bytes());
    let model = Model::parse(file.as_slice()).unwrap();
    let mut memory = AlignedBytes::filled(4096, 0);
    let net = Interpreter::<kinglet::ops![Relu6, Softmax]>::new(&model, memory.as_mut_slice());
    let Err(Error::Model(error)) = net else { panic!("accepted") };
    assert_eq!((error.reason, error.op()), (Reason::OpNotSelected, Some(0)));
    assert!(error.to_string().contains("ops!["), "{error}");
    let net = Interpreter::<kinglet::ops![Relu]>::new(&model, memory.as_mut_slice());
    assert!(net.is_ok());
}

/// A file with many inputs takes no more than a moment.
#[test]
fn many_inputs_and_outputs() {
    let mut graph = Subgraph::default();
    for _ in 0..1_500 {
        let id = graph.input(Tensor::int8(&[1], 0.1, 0));
        graph.outputs.push(id);
    }
    let file = AlignedBytes::new(&Draft::from(graph).to_bytes());
    let started = std::time::Instant::now();
    assert!(one_slice(file.as_slice(), 1 << 20).is_ok());
    assert!(started.elapsed().as_secs() < 120, "{:?}", started.elapsed());
}

/// A variable that no operator touches keeps its initial value.
#[test]
fn a_variable_as_output() {
    let draft = edit(relu(), |g| {
        let id = g.tensor(Tensor::int8(&[3], 0.1, 5).variable());
        g.outputs.push(id);
    });
    let file = AlignedBytes::new(&draft.to_bytes());
    let model = Model::parse(file.as_slice()).unwrap();
    let mut memory = AlignedBytes::filled(4096, 0);
    let mut net: Interpreter<'_, AllOps> = Interpreter::new(&model, memory.as_mut_slice()).unwrap();
    net.invoke().unwrap();
    assert_eq!(net.output::<i8>(1), Ok(&[5; 3][..]));
}

#[test]
fn subgraphs_that_are_not_there() {
    let file = relu().to_bytes();
    let model = Model::parse(&file).unwrap();
    assert_eq!(model.graph(1).unwrap_err().reason, Reason::BadIndex);
    let graph = model.graph(0).unwrap();
    assert_eq!(graph.tensor(2).unwrap_err().reason, Reason::BadIndex);
    assert_eq!(graph.node(1).unwrap_err().reason, Reason::BadIndex);
    // The second subgraph's operators are read, and not run.
    let mut draft = relu();
    draft.subgraphs.push(edit(relu(), |g| g.ops[0].code = 48).subgraphs.remove(0));
    let file = draft.to_bytes();
    assert_eq!(refuse(&file), None);
    let model = Model::parse(&file).unwrap();
    let error = model.graph(1).unwrap().op::<AllOps>(0).unwrap_err();
    assert_eq!(error.reason, Reason::UnsupportedOp);
    // Its indices are checked like the first's.
    draft.subgraphs[1].ops.push(Op {
        code: code::RELU,
        custom: None,
        inputs: vec![17],
        outputs: vec![0],
        options: Options::None,
    });
    assert_eq!(refuse(&draft.to_bytes()).map(|error| error.reason), Some(Reason::BadIndex));
}

#[test]
fn strided_same_windows() {
    // SAME with a stride beyond the input: one output.
    let draft = conv_options(|o| (o.padding, o.stride) = (SAME, (9, 9)));
    let draft = shape(draft, 3, &[1, 1, 1, 3]);
    assert_eq!(refuse(&draft.to_bytes()), None);
}
