//! Every operator refuses what can be wrong with it, before anything runs: one row an operator and fault.

use kinglet::{ErrorKind, Fault, Interpreter, Model, OpKind, Reason};
use kinglet_testmodel::flatbuf::{self, Field};
use kinglet_testmodel::{
    ConvOptions, Model as Draft, Op, Options, PoolOptions, SAME, Subgraph, Tensor, Type, VALID, code,
};
use kinglet_tests::{AlignedBytes, Stage, exercise};

use crate::bad_input::{edit, refuse};

/// A sound model of one operator, and what is told of it.
struct Case {
    draft: Draft,
    /// The fewest and the most inputs that the operator takes.
    inputs: (usize, usize),
    /// It looks at the output's scale.
    scaled: bool,
}

/// Any number of inputs.
const ANY: usize = usize::MAX;

/// An operator whose inputs are those of the model, or constants and variables where they have data.
fn model(code: i32, options: Options, inputs: Vec<Tensor>, outputs: Vec<Tensor>) -> Draft {
    let mut graph = Subgraph::default();
    let mut ids = Vec::new();
    for tensor in inputs {
        let is_input = tensor.data.is_none() && !tensor.variable;
        ids.push(if is_input { graph.input(tensor) } else { graph.tensor(tensor) });
    }
    let outputs: Vec<i32> = outputs.into_iter().map(|tensor| graph.tensor(tensor)).collect();
    graph.outputs.clone_from(&outputs);
    graph.ops.push(Op { code, custom: None, inputs: ids, outputs, options });
    graph.into()
}

fn other(tag: u8, fields: impl IntoIterator<Item = Field>) -> Options {
    Options::Other(tag, (0..).zip(fields).collect())
}

fn int8(shape: &[i32]) -> Tensor {
    Tensor::int8(shape, 0.1, 3)
}

fn float(shape: &[i32]) -> Tensor {
    Tensor::typed(Type::FLOAT32, shape)
}

fn ints(values: &[i32]) -> Tensor {
    Tensor::bias(values)
}

/// A constant of two dimensions.
fn table(shape: [i32; 2], values: &[i32]) -> Tensor {
    Tensor { shape: shape.to_vec(), ..ints(values) }
}

/// An int8 constant.
fn constant(shape: &[i32]) -> Tensor {
    let len = int8(shape).len();
    int8(shape).constant((10..).take(len).collect())
}

fn window() -> Options {
    Options::Pool2d(PoolOptions { padding: VALID, stride: (2, 2), filter: (2, 2), activation: 0 })
}

/// The sound models.
#[rustfmt::skip]
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |code, options, inputs: Vec<Tensor>, output: Tensor, range: (usize, usize), scaled| {
        cases.push(Case { draft: model(code, options, inputs, vec![output]), inputs: range, scaled });
    };
    let image = || int8(&[1, 4, 4, 2]);
    for (code, tag) in [(code::ADD, 11), (code::SUB, 28), (code::MUL, 21), (code::DIV, 29)] {
        add(code, other(tag, [flatbuf::i8(0)]), vec![int8(&[2, 3]), int8(&[3])], int8(&[2, 3]), (2, 2), true);
    }
    for code in [code::SQUARED_DIFFERENCE, code::PRELU] {
        add(code, Options::None, vec![int8(&[2, 3]), int8(&[3])], int8(&[2, 3]), (2, 2), true);
    }
    for code in [code::MAXIMUM, code::MINIMUM] {
        add(code, Options::None, vec![int8(&[2, 3]), int8(&[3])], int8(&[2, 3]), (2, 2), false);
    }
    for code in [code::FLOOR_DIV, code::FLOOR_MOD] {
        add(code, Options::None, vec![float(&[2, 3]), float(&[3])], float(&[2, 3]), (2, 2), false);
    }
    for code in [code::EQUAL, code::NOT_EQUAL, code::GREATER, code::GREATER_EQUAL, code::LESS, code::LESS_EQUAL] {
        add(code, Options::None, vec![int8(&[2, 3]), int8(&[3])], Tensor::typed(Type::BOOL, &[2, 3]), (2, 2), false);
    }
    let truth = |shape: &[i32]| Tensor::typed(Type::BOOL, shape);
    for code in [code::LOGICAL_AND, code::LOGICAL_OR] {
        add(code, Options::None, vec![truth(&[2, 3]), truth(&[3])], truth(&[2, 3]), (2, 2), false);
    }
    add(code::LOGICAL_NOT, Options::None, vec![truth(&[2, 3])], truth(&[2, 3]), (1, 1), false);
    for code in [code::SELECT, code::SELECT_V2] {
        add(code, Options::None, vec![truth(&[2, 3]), int8(&[2, 3]), int8(&[2, 3])], int8(&[2, 3]), (3, 3), true);
    }
    for code in [code::RELU, code::RELU6, code::RELU_N1_TO_1, RELU_0_TO_1, code::HARD_SWISH, code::ELU, code::EXP, code::ABS, code::LOG, code::RSQRT] {
        add(code, Options::None, vec![int8(&[2, 3])], int8(&[2, 3]), (1, 1), true);
    }
    for code in [NEG, SQUARE, FLOOR, CEIL, ROUND, code::SQRT, code::SIGN] {
        add(code, Options::None, vec![float(&[2, 3])], float(&[2, 3]), (1, 1), false);
    }
    add(code::LOGISTIC, Options::None, vec![int8(&[2, 3])], Tensor::int8(&[2, 3], 1.0 / 256.0, -128), (1, 1), true);
    add(code::TANH, Options::None, vec![int8(&[2, 3])], Tensor::int8(&[2, 3], 1.0 / 128.0, 0), (1, 1), true);
    add(code::LEAKY_RELU, other(75, [flatbuf::f32(0.1)]), vec![int8(&[2, 3])], int8(&[2, 3]), (1, 1), true);
    add(code::GELU, other(116, [flatbuf::u8(0)]), vec![int8(&[2, 3])], int8(&[2, 3]), (1, 1), true);
    add(code::CAST, Options::None, vec![int8(&[2, 3])], float(&[2, 3]), (1, 1), false);
    add(code::QUANTIZE, Options::None, vec![float(&[2, 3])], int8(&[2, 3]), (1, 1), true);
    add(code::DEQUANTIZE, Options::None, vec![int8(&[2, 3])], float(&[2, 3]), (1, 1), false);
    add(code::SOFTMAX, Options::Softmax { beta: 1.0 }, vec![int8(&[2, 3])], Tensor::int8(&[2, 3], 1.0 / 256.0, -128), (1, 1), true);
    add(code::LOG_SOFTMAX, Options::None, vec![int8(&[2, 3])], Tensor::int8(&[2, 3], 1.0 / 16.0, 127), (1, 1), true);
    add(code::L2_NORMALIZATION, other(12, [flatbuf::i8(0)]), vec![int8(&[2, 3])], Tensor::int8(&[2, 3], 1.0 / 128.0, 0), (1, 1), true);

    let weights = |shape: &[i32], channels: usize, axis| {
        Tensor::weights(shape, &vec![0.1; channels], axis, &vec![1; shape.iter().product::<i32>() as usize])
    };
    add(code::CONV_2D, Options::Conv2d(ConvOptions::default()), vec![image(), weights(&[3, 3, 3, 2], 3, 0), ints(&[1, 2, 3])], int8(&[1, 4, 4, 3]), (2, 3), true);
    add(code::DEPTHWISE_CONV_2D, Options::DepthwiseConv2d(ConvOptions::default()), vec![image(), weights(&[1, 3, 3, 4], 4, 3), ints(&[1, 2, 3, 4])], int8(&[1, 4, 4, 4]), (2, 3), true);
    add(code::TRANSPOSE_CONV, transpose_conv(SAME, 2, 2), vec![ints(&[1, 8, 8, 3]), weights(&[3, 3, 3, 2], 3, 0), image(), ints(&[1, 2, 3])], int8(&[1, 8, 8, 3]), (3, 4), true);
    add(code::FULLY_CONNECTED, Options::FullyConnected { activation: 0, weights_format: 0 }, vec![int8(&[2, 4]), weights(&[3, 4], 1, 0), ints(&[1, 2, 3])], int8(&[2, 3]), (2, 3), true);
    add(code::BATCH_MATMUL, other(101, [flatbuf::u8(0), flatbuf::u8(0)]), vec![int8(&[2, 3, 4]), int8(&[1, 4, 5])], int8(&[2, 3, 5]), (2, 2), true);
    add(code::AVERAGE_POOL_2D, window(), vec![image()], int8(&[1, 2, 2, 2]), (1, 1), true);
    add(code::MAX_POOL_2D, window(), vec![image()], int8(&[1, 2, 2, 2]), (1, 1), true);
    add(code::L2_POOL_2D, window(), vec![float(&[1, 4, 4, 2])], float(&[1, 2, 2, 2]), (1, 1), false);
    let svdf = vec![int8(&[1, 3]), weights(&[4, 3], 1, 0), weights(&[4, 5], 1, 0), ints(&[1, 2]), Tensor::int8(&[1, 20], 0.5, 7).variable()];
    add(code::SVDF, Options::Svdf { rank: 2, activation: 0 }, svdf, int8(&[1, 2]), (5, 5), true);

    for code in [code::MEAN, code::SUM, code::REDUCE_MAX, code::REDUCE_MIN] {
        add(code, other(27, [flatbuf::u8(0)]), vec![int8(&[2, 3]), ints(&[1])], int8(&[2]), (2, 2), true);
    }
    add(code::REDUCE_PROD, other(27, [flatbuf::u8(0)]), vec![float(&[2, 3]), ints(&[1])], float(&[2]), (2, 2), false);
    for code in [code::REDUCE_ALL, code::REDUCE_ANY] {
        add(code, other(27, [flatbuf::u8(0)]), vec![truth(&[2, 3]), ints(&[1])], truth(&[2]), (2, 2), false);
    }
    for (code, tag) in [(code::ARG_MAX, 40), (code::ARG_MIN, 57)] {
        add(code, other(tag, [flatbuf::i8(2)]), vec![int8(&[2, 3]), ints(&[1])], Tensor::typed(Type::INT32, &[2]), (2, 2), false);
    }
    add(code::CUMSUM, other(102, [flatbuf::u8(0), flatbuf::u8(1)]), vec![int8(&[2, 3]), ints(&[1])], int8(&[2, 3]), (2, 2), true);
    add(code::ADD_N, Options::None, vec![int8(&[2, 3]), int8(&[2, 3])], int8(&[2, 3]), (2, ANY), true);
    add(code::RESIZE_BILINEAR, Options::Other(15, vec![(2, flatbuf::u8(0)), (3, flatbuf::u8(0))]), vec![image(), ints(&[6, 5])], int8(&[1, 6, 5, 2]), (2, 2), true);
    add(code::RESIZE_NEAREST_NEIGHBOR, other(74, [flatbuf::u8(0), flatbuf::u8(0)]), vec![image(), ints(&[6, 5])], int8(&[1, 6, 5, 2]), (2, 2), true);

    add(code::RESHAPE, Options::None, vec![int8(&[2, 3]), ints(&[3, 2])], int8(&[3, 2]), (1, 2), false);
    add(code::EXPAND_DIMS, Options::None, vec![int8(&[2, 3]), ints(&[1])], int8(&[2, 1, 3]), (1, 2), false);
    add(code::SQUEEZE, Options::None, vec![int8(&[2, 1, 3])], int8(&[2, 3]), (1, 2), false);
    add(code::SHAPE, other(55, [flatbuf::i8(2)]), vec![int8(&[2, 3])], Tensor::typed(Type::INT32, &[2]), (1, 1), false);
    add(code::ZEROS_LIKE, Options::None, vec![int8(&[2, 3])], int8(&[2, 3]), (1, 1), false);
    add(code::CONCATENATION, other(10, [flatbuf::i32(1), flatbuf::i8(0)]), vec![int8(&[2, 3]), constant(&[2, 1])], int8(&[2, 4]), (1, ANY), true);
    add(code::PACK, other(59, [flatbuf::i32(2), flatbuf::i32(1)]), vec![int8(&[2, 3]), int8(&[2, 3])], int8(&[2, 2, 3]), (1, ANY), true);
    add(code::PAD, Options::None, vec![int8(&[2, 3]), table([2, 2], &[0, 1, 1, 0])], int8(&[3, 4]), (2, 2), true);
    add(code::PADV2, Options::None, vec![int8(&[2, 3]), table([2, 2], &[0, 1, 1, 0]), constant(&[1])], int8(&[3, 4]), (3, 3), true);
    add(code::MIRROR_PAD, other(77, [flatbuf::i8(0)]), vec![int8(&[2, 3]), table([2, 2], &[0, 1, 2, 0])], int8(&[3, 5]), (2, 2), true);
    add(code::SLICE, Options::None, vec![int8(&[2, 3]), ints(&[0, 1]), ints(&[2, -1])], int8(&[2, 2]), (3, 3), true);
    add(code::STRIDED_SLICE, strided_slice([0; 5]), vec![int8(&[2, 3]), ints(&[0, 2]), ints(&[2, 0]), ints(&[1, -1])], int8(&[2, 2]), (4, 4), true);
    add(code::TRANSPOSE, Options::None, vec![int8(&[2, 3]), ints(&[1, 0])], int8(&[3, 2]), (2, 2), true);
    add(code::REVERSE_V2, Options::None, vec![int8(&[2, 3]), ints(&[1])], int8(&[2, 3]), (2, 2), true);
    add(code::TILE, Options::None, vec![int8(&[2, 3]), ints(&[2, 1])], int8(&[4, 3]), (2, 2), true);
    add(code::FILL, Options::None, vec![ints(&[2, 3]), constant(&[])], int8(&[2, 3]), (2, 2), true);
    add(code::BROADCAST_TO, Options::None, vec![int8(&[2, 1]), ints(&[2, 3])], int8(&[2, 3]), (2, 2), true);
    add(code::SPACE_TO_DEPTH, other(19, [flatbuf::i32(2)]), vec![image()], int8(&[1, 2, 2, 8]), (1, 1), true);
    add(code::DEPTH_TO_SPACE, other(94, [flatbuf::i32(2)]), vec![int8(&[1, 2, 2, 8])], image(), (1, 1), true);
    add(code::SPACE_TO_BATCH_ND, Options::None, vec![image(), ints(&[2, 2]), table([2, 2], &[0; 4])], int8(&[4, 2, 2, 2]), (3, 3), true);
    add(code::BATCH_TO_SPACE_ND, Options::None, vec![int8(&[4, 2, 2, 2]), ints(&[2, 2]), table([2, 2], &[0; 4])], image(), (3, 3), true);
    add(code::GATHER, other(23, [flatbuf::i32(1), flatbuf::i32(0)]), vec![int8(&[2, 3]), ints(&[2, 0])], int8(&[2, 2]), (2, 2), true);
    add(code::GATHER_ND, Options::None, vec![int8(&[2, 3]), table([1, 2], &[1, 2])], int8(&[1]), (2, 2), true);
    add(code::EMBEDDING_LOOKUP, Options::None, vec![ints(&[1, 0]), int8(&[2, 3])], int8(&[2, 3]), (2, 2), true);
    add(code::ONE_HOT, other(61, [flatbuf::i32(-1)]), vec![ints(&[1, 0]), scalar(3), constant(&[]), constant(&[])], int8(&[2, 3]), (4, 4), false);
    add(code::DYNAMIC_UPDATE_SLICE, Options::None, vec![int8(&[2, 3]), int8(&[1, 2]), ints(&[1, 0])], int8(&[2, 3]), (3, 3), true);
    for (code, make) in [(code::SIN, -1), (code::COS, -1)] {
        let _ = make;
        let mut graph = Subgraph::default();
        let input = graph.input(float(&[2, 3]));
        let wide = graph.op(code, Options::None, &[input], float(&[2, 3]));
        let output = graph.op(code::QUANTIZE, Options::None, &[wide], int8(&[2, 3]));
        graph.outputs.push(output);
        cases.push(Case { draft: graph.into(), inputs: (1, 1), scaled: false });
    }
    let parts = |shape: &[i32], count: usize| vec![int8(shape); count];
    for (code, options, inputs, shape, count) in [
        (code::SPLIT, other(35, [flatbuf::i32(3)]), vec![scalar(1), int8(&[2, 3])], [2, 1].as_slice(), 3),
        (code::SPLIT_V, other(79, [flatbuf::i32(3)]), vec![int8(&[2, 3]), ints(&[1, 1, 1]), ints(&[1])], &[2, 1], 3),
        (code::UNPACK, other(64, [flatbuf::i32(3), flatbuf::i32(1)]), vec![int8(&[2, 3])], &[2], 3),
    ] {
        let range = (inputs.len(), inputs.len());
        cases.push(Case { draft: model(code, options, inputs, parts(shape, count)), inputs: range, scaled: true });
    }
    cases
}

const FLOOR: i32 = 8;
const NEG: i32 = 59;
const SQUARE: i32 = 92;
const CEIL: i32 = 104;
const ROUND: i32 = 116;
const RELU_0_TO_1: i32 = 152;

fn scalar(value: i32) -> Tensor {
    Tensor { shape: Vec::new(), ..ints(&[value]) }
}

fn transpose_conv(padding: i8, stride_w: i32, stride_h: i32) -> Options {
    other(49, [flatbuf::i8(padding), flatbuf::i32(stride_w), flatbuf::i32(stride_h), flatbuf::i8(0)])
}

/// Masks of begin, end, ellipsis, new axes and shrunk axes.
fn strided_slice(masks: [i32; 5]) -> Options {
    other(32, masks.map(flatbuf::i32))
}

fn name(code: i32) -> String {
    kinglet_tflite::OpCode(code as u16).to_string()
}

/// The sound model of an operator.
fn sound(code: i32) -> Draft {
    let is_it = |case: &Case| case.draft.subgraphs[0].ops[0].code == code;
    cases().into_iter().find(is_it).unwrap_or_else(|| panic!("{}", name(code))).draft
}

#[test]
fn every_operator_has_a_sound_model() {
    let cases = cases();
    for case in &cases {
        let code = case.draft.subgraphs[0].ops[0].code;
        assert_eq!(refuse(&case.draft.to_bytes()), None, "{}", name(code));
        assert_eq!(exercise(&case.draft.to_bytes()), Stage::Run, "{}", name(code));
    }
    // Operators with state and those that run other graphs have tables of their own.
    let elsewhere = [
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "IF",
        "WHILE",
        "CALL_ONCE",
        "VAR_HANDLE",
        "READ_VARIABLE",
        "ASSIGN_VARIABLE",
    ];
    for kind in OpKind::ALL {
        let has = cases.iter().any(|case| case.draft.subgraphs[0].ops[0].code == i32::from(kind.code().0));
        assert!(has || elsewhere.contains(&kind.name()), "{} has no sound model", kind.name());
    }
}

/// What can be wrong with any operator.
#[test]
fn faults_of_every_operator() {
    for Case { draft, inputs: (least, most), scaled } in cases() {
        let graph = &draft.subgraphs[0];
        let first = &graph.ops[0];
        let operator = name(first.code);
        let refused = |what: &str, draft: Draft| {
            let error = refuse(&draft.to_bytes()).unwrap_or_else(|| panic!("{operator}, {what}: accepted"));
            assert_ne!(error.kind(), ErrorKind::Limit, "{operator}, {what}: {error}");
            error.reason
        };
        let change = |change: &dyn Fn(&mut Subgraph)| edit(draft.clone(), |g| change(g));

        let few = change(&|g| g.ops[0].inputs.truncate(least - 1));
        assert_eq!(refused("an input too few", few), Reason::WrongArity, "{operator}");
        if most != ANY {
            let many = change(&|g| {
                let id = g.ops[0].inputs[0];
                g.ops[0].inputs.resize(most + 1, id);
            });
            assert_eq!(refused("an input too many", many), Reason::WrongArity, "{operator}");
        }
        let none = change(&|g| {
            g.ops.truncate(1);
            g.ops[0].outputs.clear();
            g.outputs.clear();
        });
        assert_eq!(refused("no output", none), Reason::WrongArity, "{operator}");
        refused(
            "an output twice",
            change(&|g| {
                let id = g.ops[0].outputs[0];
                g.ops[0].outputs.push(id);
            }),
        );
        refused("an input left out", change(&|g| g.ops[0].inputs[0] = -1));
        refused("an output left out", change(&|g| g.ops[0].outputs[0] = -1));

        let (input, output) = (first.inputs[0] as usize, first.outputs[0] as usize);
        refused("an input of float16", change(&|g| g.tensors[input].dtype = Type::FLOAT16));
        refused("an output of float16", change(&|g| g.tensors[output].dtype = Type::FLOAT16));
        refused("an output of another rank", change(&|g| g.tensors[output].shape.push(7)));
        let eighth = vec![1; 7];
        refused("an input of rank 7", change(&|g| g.tensors[input].shape.clone_from(&eighth)));
        refused("an output with a dimension of 0", change(&|g| g.tensors[output].shape = vec![0]));
        refused("an output with a dimension below 0", change(&|g| g.tensors[output].shape = vec![-2]));
        refused(
            "a constant as output",
            change(&|g| {
                let bytes =
                    g.tensors[output].len() * if g.tensors[output].dtype == Type::INT8 { 1 } else { 4 };
                g.tensors[output].data = Some(vec![1; bytes]);
            }),
        );
        if first.code != code::BROADCAST_TO {
            refused(
                "an output too large",
                change(&|g| {
                    if let Some(dim) = g.tensors[output].shape.first_mut() {
                        *dim += 1;
                    }
                }),
            );
        }

        for &id in &first.inputs {
            let tensor = &graph.tensors[id as usize];
            if tensor.data.is_some() {
                let short = change(&|g| {
                    g.tensors[id as usize].data.as_mut().unwrap().pop();
                });
                let is_empty = tensor.data.as_ref().is_some_and(|data| data.len() == 1);
                if !is_empty {
                    assert_eq!(refused("a buffer too short", short), Reason::BufferLength, "{operator}");
                }
                refused("a buffer that is not there", change(&|g| g.tensors[id as usize].buffer = Some(99)));
                refused("a constant without data", change(&|g| g.tensors[id as usize].data = None));
            }
        }
        if scaled {
            for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
                refused(
                    "an output scale",
                    change(&|g| {
                        g.tensors[output].quantization.as_mut().unwrap().scales[0] = scale;
                    }),
                );
            }
            refused("an output without scale", change(&|g| g.tensors[output].quantization = None));
        }
        // Numbers that make no sense are refused, or harmless.
        for scale in [1e-38, 1e-20, 1e20, 1e38] {
            for id in 0..graph.tensors.len() {
                let absurd = change(&|g| {
                    if let Some(q) = &mut g.tensors[id].quantization {
                        q.scales.fill(scale);
                    }
                });
                exercise(&absurd.to_bytes());
            }
        }
        if !matches!(first.options, Options::None) {
            let wrong = change(&|g| {
                g.ops[0].options = Options::Other(if first.code == code::CONV_2D { 5 } else { 1 }, vec![])
            });
            // Some say nothing that the tensors do not say.
            let idle = [code::SHAPE, code::SPLIT, code::SPLIT_V, code::ARG_MAX, code::ARG_MIN];
            if !idle.contains(&first.code) {
                assert_eq!(refused("another operator's options", wrong), Reason::WrongOptions, "{operator}");
            }
        }
    }
}

/// What can be wrong with one operator.
#[test]
#[rustfmt::skip]
fn faults_of_one_operator() {
    use Reason as R;
    let ops = |code: i32, options: Options| edit(sound(code), |g| g.ops[0].options = options);
    // Another tensor as an input, by its position.
    let with = |code: i32, position: usize, tensor: Tensor| edit(sound(code), |g| {
        let id = g.ops[0].inputs[position] as usize;
        g.inputs.retain(|&input| input != id as i32);
        if tensor.data.is_none() && !tensor.variable {
            g.inputs.push(id as i32);
        }
        g.tensors[id] = tensor;
    });
    let out = |code: i32, tensor: Tensor| edit(sound(code), |g| {
        let id = g.ops[0].outputs[0] as usize;
        g.tensors[id] = tensor;
    });
    let f32s = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let relu = flatbuf::i8(1);
    let rows = vec![
        ("transpose_conv: stride 0", ops(code::TRANSPOSE_CONV, transpose_conv(SAME, 0, 2)), R::BadStride),
        ("transpose_conv: stride -1", ops(code::TRANSPOSE_CONV, transpose_conv(SAME, 2, -1)), R::BadStride),
        ("transpose_conv: stride 65536", ops(code::TRANSPOSE_CONV, transpose_conv(SAME, 65_536, 2)), R::BadStride),
        ("transpose_conv: an input of another size", ops(code::TRANSPOSE_CONV, transpose_conv(SAME, 1, 2)), R::ShapeMismatch),
        ("transpose_conv: unknown padding", ops(code::TRANSPOSE_CONV, transpose_conv(9, 2, 2)), R::UnknownValue),
        ("transpose_conv: another output shape", with(code::TRANSPOSE_CONV, 0, ints(&[1, 8, 8, 4])), R::ShapeMismatch),
        ("transpose_conv: a negative output shape", with(code::TRANSPOSE_CONV, 0, ints(&[1, 8, -8, 3])), R::ShapeMismatch),
        ("transpose_conv: an output shape too short", with(code::TRANSPOSE_CONV, 0, ints(&[1, 8, 8])), R::ShapeMismatch),
        ("transpose_conv: filters for another depth", with(code::TRANSPOSE_CONV, 2, int8(&[1, 4, 4, 3])), R::ShapeMismatch),
        ("transpose_conv: a bias too long", with(code::TRANSPOSE_CONV, 3, ints(&[0; 4])), R::ShapeMismatch),
        ("transpose_conv: filters that are no constant", with(code::TRANSPOSE_CONV, 1, int8(&[3, 3, 3, 2])), R::NotConstant),
        ("batch_matmul: depths that differ", with(code::BATCH_MATMUL, 1, int8(&[1, 3, 5])), R::ShapeMismatch),
        ("batch_matmul: batches that do not broadcast", with(code::BATCH_MATMUL, 1, int8(&[3, 4, 5])), R::ShapeMismatch),
        ("batch_matmul: a vector", with(code::BATCH_MATMUL, 1, int8(&[4])), R::WrongRank),
        ("batch_matmul: adjoint", ops(code::BATCH_MATMUL, other(101, [flatbuf::u8(1), flatbuf::u8(0)])), R::ShapeMismatch),
        ("batch_matmul: dynamic range", with(code::BATCH_MATMUL, 0, float(&[2, 3, 4])), R::DynamicRange),
        ("l2_normalization: fused relu", ops(code::L2_NORMALIZATION, other(12, [relu.clone()])), R::UnsupportedActivation),
        ("l2_normalization: another output scale", out(code::L2_NORMALIZATION, int8(&[2, 3])), R::OutputScale),
        ("log_softmax: another output scale", out(code::LOG_SOFTMAX, int8(&[2, 3])), R::OutputScale),
        ("log_softmax: float32", with(code::LOG_SOFTMAX, 0, float(&[2, 3])), R::FloatFunction),
        ("mirror_pad: a margin as wide as the input", with(code::MIRROR_PAD, 1, table([2, 2], &[0, 1, 3, -1])), R::BadOption),
        ("mirror_pad: margins beyond the input", edit(with(code::MIRROR_PAD, 1, table([2, 2], &[0, 0, 3, 0])), |g| g.tensors[2].shape = vec![2, 6]), R::ShapeMismatch),
        ("mirror_pad: unknown mode", ops(code::MIRROR_PAD, other(77, [flatbuf::i8(2)])), R::UnknownValue),
        ("mirror_pad: no options", ops(code::MIRROR_PAD, Options::None), R::MissingOptions),
        ("pad: a negative margin", with(code::PAD, 1, table([2, 2], &[0, 1, 2, -1])), R::BadOption),
        ("pad: margins for one dimension", with(code::PAD, 1, ints(&[1, 0])), R::WrongRank),
        ("pad: margins of int8", with(code::PAD, 1, constant(&[2, 2])), R::WrongType),
        ("pad: margins that are no constant", with(code::PAD, 1, Tensor::typed(Type::INT32, &[2, 2])), R::NotConstant),
        ("padv2: a value of another type", with(code::PADV2, 2, ints(&[1])), R::WrongType),
        ("padv2: two values", with(code::PADV2, 2, constant(&[2])), R::ShapeMismatch),
        ("padv2: a value that is no constant", with(code::PADV2, 2, int8(&[1])), R::NotConstant),
        ("slice: a negative begin", with(code::SLICE, 1, ints(&[-1, 0])), R::BadOption),
        ("slice: a begin beyond the input", with(code::SLICE, 1, ints(&[0, 4])), R::BadOption),
        ("slice: more than there is", with(code::SLICE, 2, ints(&[2, 3])), R::ShapeMismatch),
        ("slice: nothing", with(code::SLICE, 2, ints(&[0, 2])), R::ShapeMismatch),
        ("slice: a size of -2", with(code::SLICE, 2, ints(&[-2, 2])), R::BadOption),
        ("slice: a begin for each of three dimensions", with(code::SLICE, 1, ints(&[0, 0, 0])), R::WrongRank),
        ("strided_slice: stride 0", with(code::STRIDED_SLICE, 3, ints(&[1, 0])), R::BadStride),
        ("strided_slice: stride i32::MIN", with(code::STRIDED_SLICE, 3, ints(&[1, i32::MIN])), R::ShapeMismatch),
        ("strided_slice: an end before the begin", with(code::STRIDED_SLICE, 2, ints(&[0, 0])), R::BadShape),
        ("strided_slice: three begins", with(code::STRIDED_SLICE, 1, ints(&[0, 0, 0])), R::WrongRank),
        ("strided_slice: three of each", edit(with(code::STRIDED_SLICE, 1, ints(&[0, 0, 0])), |g| { g.tensors[2] = ints(&[1, 1, 1]); g.tensors[3] = ints(&[1, 1, 1]) }), R::WrongRank),
        ("strided_slice: two ellipses", ops(code::STRIDED_SLICE, strided_slice([0, 0, 3, 0, 0])), R::BadOption),
        ("strided_slice: a new axis that the output has not", ops(code::STRIDED_SLICE, strided_slice([0, 0, 0, 1, 0])), R::WrongRank),
        ("strided_slice: an axis that the output has still", ops(code::STRIDED_SLICE, strided_slice([0, 0, 0, 0, 1])), R::WrongRank),
        ("strided_slice: ends that are offsets", ops(code::STRIDED_SLICE, Options::Other(32, vec![(5, flatbuf::u8(1))])), R::UnsupportedOption),
        ("transpose: an axis twice", with(code::TRANSPOSE, 1, ints(&[1, 1])), R::BadOption),
        ("transpose: axis 2", with(code::TRANSPOSE, 1, ints(&[1, 2])), R::BadOption),
        ("transpose: one axis", with(code::TRANSPOSE, 1, ints(&[0])), R::WrongRank),
        ("reverse_v2: axis 2", with(code::REVERSE_V2, 1, ints(&[2])), R::BadOption),
        ("reverse_v2: axis -3", with(code::REVERSE_V2, 1, ints(&[-3])), R::BadOption),
        ("reverse_v2: axis i32::MIN", with(code::REVERSE_V2, 1, ints(&[i32::MIN])), R::BadOption),
        ("tile: nothing", with(code::TILE, 1, ints(&[0, 1])), R::BadShape),
        ("tile: -1 times", with(code::TILE, 1, ints(&[-1, 1])), R::BadOption),
        ("tile: i32::MAX times", with(code::TILE, 1, ints(&[i32::MAX, i32::MAX])), R::ShapeMismatch),
        ("tile: three dimensions", with(code::TILE, 1, ints(&[2, 1, 1])), R::WrongRank),
        ("fill: another shape", with(code::FILL, 0, ints(&[3, 2])), R::ShapeMismatch),
        ("fill: a negative shape", with(code::FILL, 0, ints(&[2, -3])), R::ShapeMismatch),
        ("fill: two values", with(code::FILL, 1, constant(&[2])), R::ShapeMismatch),
        ("fill: a value of another type", with(code::FILL, 1, ints(&[1])), R::WrongType),
        ("broadcast_to: from three to two", with(code::BROADCAST_TO, 0, int8(&[3, 3])), R::ShapeMismatch),
        ("space_to_depth: block 0", ops(code::SPACE_TO_DEPTH, other(19, [flatbuf::i32(0)])), R::ShapeMismatch),
        ("space_to_depth: block -2", ops(code::SPACE_TO_DEPTH, other(19, [flatbuf::i32(-2)])), R::BadOption),
        ("space_to_depth: block 3", ops(code::SPACE_TO_DEPTH, other(19, [flatbuf::i32(3)])), R::ShapeMismatch),
        ("depth_to_space: block 0", ops(code::DEPTH_TO_SPACE, other(94, [flatbuf::i32(0)])), R::ShapeMismatch),
        ("depth_to_space: block i32::MAX", ops(code::DEPTH_TO_SPACE, other(94, [flatbuf::i32(i32::MAX)])), R::ShapeMismatch),
        ("space_to_batch_nd: block 0", with(code::SPACE_TO_BATCH_ND, 1, ints(&[2, 0])), R::BadOption),
        ("space_to_batch_nd: negative padding", with(code::SPACE_TO_BATCH_ND, 2, table([2, 2], &[0, 0, -1, 1])), R::BadOption),
        ("space_to_batch_nd: padding that fills no block", with(code::SPACE_TO_BATCH_ND, 2, table([2, 2], &[0, 1, 0, 0])), R::ShapeMismatch),
        ("batch_to_space_nd: block -1", with(code::BATCH_TO_SPACE_ND, 1, ints(&[-1, 2])), R::BadOption),
        ("batch_to_space_nd: crops for one dimension", with(code::BATCH_TO_SPACE_ND, 2, ints(&[0, 0])), R::WrongRank),
        ("concatenation: axis 2", ops(code::CONCATENATION, other(10, [flatbuf::i32(2), flatbuf::i8(0)])), R::BadOption),
        ("concatenation: axis -3", ops(code::CONCATENATION, other(10, [flatbuf::i32(-3), flatbuf::i8(0)])), R::BadOption),
        ("concatenation: along another axis", ops(code::CONCATENATION, other(10, [flatbuf::i32(0), flatbuf::i8(0)])), R::ShapeMismatch),
        ("concatenation: fused relu", ops(code::CONCATENATION, other(10, [flatbuf::i32(1), relu.clone()])), R::UnsupportedActivation),
        ("concatenation: another scale", with(code::CONCATENATION, 0, Tensor::int8(&[2, 3], 0.2, 3)), R::ScalesDiffer),
        ("pack: axis 3", ops(code::PACK, other(59, [flatbuf::i32(2), flatbuf::i32(3)])), R::BadOption),
        ("pack: parts that differ", with(code::PACK, 1, int8(&[3, 2])), R::ShapeMismatch),
        ("unpack: axis 2", ops(code::UNPACK, other(64, [flatbuf::i32(3), flatbuf::i32(2)])), R::BadOption),
        ("unpack: along another axis", ops(code::UNPACK, other(64, [flatbuf::i32(3), flatbuf::i32(0)])), R::ShapeMismatch),
        ("split: axis 2", with(code::SPLIT, 0, scalar(2)), R::BadOption),
        ("split: an axis that is no constant", with(code::SPLIT, 0, Tensor::typed(Type::INT32, &[])), R::NotConstant),
        ("split_v: axis -3", with(code::SPLIT_V, 2, ints(&[-3])), R::BadOption),
        ("gather: axis 2", ops(code::GATHER, other(23, [flatbuf::i32(2), flatbuf::i32(0)])), R::BadOption),
        ("gather: axis i32::MIN", ops(code::GATHER, other(23, [flatbuf::i32(i32::MIN), flatbuf::i32(0)])), R::BadOption),
        ("gather: batch dimensions behind the axis", ops(code::GATHER, other(23, [flatbuf::i32(0), flatbuf::i32(1)])), R::BadOption),
        ("gather: batch dimensions that differ", ops(code::GATHER, other(23, [flatbuf::i32(1), flatbuf::i32(2)])), R::BadOption),
        ("gather: index 3 of 3", with(code::GATHER, 1, ints(&[2, 3])), R::IndexOutOfRange),
        ("gather: index -1", with(code::GATHER, 1, ints(&[-1, 0])), R::IndexOutOfRange),
        ("gather: indices of int8", with(code::GATHER, 1, constant(&[2])), R::UnsupportedType),
        ("gather: another scale", with(code::GATHER, 0, Tensor::int8(&[2, 3], 0.2, 3)), R::ScalesDiffer),
        ("gather_nd: index 3 of 3", with(code::GATHER_ND, 1, table([1, 2], &[1, 3])), R::IndexOutOfRange),
        ("gather_nd: index -1", with(code::GATHER_ND, 1, table([1, 2], &[-1, 0])), R::IndexOutOfRange),
        ("gather_nd: more indices than dimensions", with(code::GATHER_ND, 1, table([1, 3], &[0, 0, 0])), R::ShapeMismatch),
        ("gather_nd: a scalar", with(code::GATHER_ND, 1, scalar(1)), R::WrongRank),
        ("embedding_lookup: index 2 of 2", with(code::EMBEDDING_LOOKUP, 0, ints(&[0, 2])), R::IndexOutOfRange),
        ("embedding_lookup: indices of rank 2", with(code::EMBEDDING_LOOKUP, 0, table([1, 2], &[0, 1])), R::WrongRank),
        ("one_hot: another depth", with(code::ONE_HOT, 1, scalar(4)), R::ShapeMismatch),
        ("one_hot: a negative depth", with(code::ONE_HOT, 1, scalar(-3)), R::ShapeMismatch),
        ("one_hot: two depths", with(code::ONE_HOT, 1, ints(&[3, 3])), R::ShapeMismatch),
        ("one_hot: axis 2", ops(code::ONE_HOT, other(61, [flatbuf::i32(2)])), R::BadOption),
        ("one_hot: two values", with(code::ONE_HOT, 2, constant(&[2])), R::ShapeMismatch),
        ("one_hot: a value of another type", with(code::ONE_HOT, 3, scalar(1)), R::WrongType),
        ("one_hot: indices of float32", with(code::ONE_HOT, 0, float(&[2])), R::UnsupportedType),
        ("dynamic_update_slice: a block that is larger", with(code::DYNAMIC_UPDATE_SLICE, 1, int8(&[3, 2])), R::ShapeMismatch),
        ("dynamic_update_slice: a block of another rank", with(code::DYNAMIC_UPDATE_SLICE, 1, int8(&[2])), R::ShapeMismatch),
        ("dynamic_update_slice: one index", with(code::DYNAMIC_UPDATE_SLICE, 2, ints(&[1])), R::ShapeMismatch),
        ("mean: axis 2", with(code::MEAN, 1, ints(&[2])), R::BadOption),
        ("mean: axes of float32", with(code::MEAN, 1, float(&[1]).constant(f32s(&[1.0]))), R::WrongType),
        ("mean: axes that are no constant", with(code::MEAN, 1, Tensor::typed(Type::INT32, &[1])), R::NotConstant),
        ("mean: thirteen axes", with(code::MEAN, 1, ints(&[1; 13])), R::ShapeMismatch),
        ("mean: along another axis", with(code::MEAN, 1, ints(&[0])), R::ShapeMismatch),
        ("mean: dimensions kept", ops(code::MEAN, other(27, [flatbuf::u8(1)])), R::ShapeMismatch),
        ("reduce_max: another scale", out(code::REDUCE_MAX, Tensor::int8(&[2], 0.2, 3)), R::ScalesDiffer),
        ("reduce_all: int8", with(code::REDUCE_ALL, 0, int8(&[2, 3])), R::UnsupportedType),
        ("reduce_prod: int8", with(code::REDUCE_PROD, 0, int8(&[2, 3])), R::UnsupportedType),
        ("arg_max: two axes", with(code::ARG_MAX, 1, ints(&[0, 1])), R::ShapeMismatch),
        ("arg_max: axis -3", with(code::ARG_MAX, 1, ints(&[-3])), R::BadOption),
        ("arg_max: an output of int8", out(code::ARG_MAX, int8(&[2])), R::UnsupportedType),
        ("cumsum: axis 2", with(code::CUMSUM, 1, ints(&[2])), R::BadOption),
        ("cumsum: two axes", with(code::CUMSUM, 1, ints(&[0, 1])), R::ShapeMismatch),
        ("cumsum: no options", ops(code::CUMSUM, Options::None), R::MissingOptions),
        ("add_n: another shape", with(code::ADD_N, 1, int8(&[3, 2])), R::ShapeMismatch),
        ("add_n: another scale", with(code::ADD_N, 1, Tensor::int8(&[2, 3], 0.2, 3)), R::ScalesDiffer),
        ("add_n: another type", with(code::ADD_N, 1, float(&[2, 3])), R::WrongType),
        ("resize: another size", with(code::RESIZE_BILINEAR, 1, ints(&[6, 6])), R::ShapeMismatch),
        ("resize: a negative size", with(code::RESIZE_NEAREST_NEIGHBOR, 1, ints(&[-6, 5])), R::ShapeMismatch),
        ("resize: one size", with(code::RESIZE_BILINEAR, 1, ints(&[6])), R::ShapeMismatch),
        ("resize: both corners and centres", ops(code::RESIZE_BILINEAR, Options::Other(15, vec![(2, flatbuf::u8(1)), (3, flatbuf::u8(1))])), R::BadOption),
        ("equal: a scale of 1", with(code::EQUAL, 0, Tensor::int8(&[2, 3], 1.0, 0)), R::ScaleRatio),
        ("equal: another type", with(code::EQUAL, 1, float(&[3])), R::WrongType),
        ("equal: shapes that do not broadcast", with(code::EQUAL, 1, int8(&[2])), R::ShapeMismatch),
        ("less: an output of int8", out(code::LESS, int8(&[2, 3])), R::WrongType),
        ("greater: bool", edit(with(code::GREATER, 0, Tensor::typed(Type::BOOL, &[2, 3])), |g| g.tensors[1] = Tensor::typed(Type::BOOL, &[3])), R::UnsupportedType),
        ("logical_and: int8", with(code::LOGICAL_AND, 0, int8(&[2, 3])), R::UnsupportedType),
        ("logical_not: int8", with(code::LOGICAL_NOT, 0, int8(&[2, 3])), R::UnsupportedType),
        ("select: a condition of int8", with(code::SELECT, 0, int8(&[2, 3])), R::WrongType),
        ("select: a condition for each row", with(code::SELECT, 0, Tensor::typed(Type::BOOL, &[2])), R::ShapeMismatch),
        ("select_v2: a condition that does not broadcast", with(code::SELECT_V2, 0, Tensor::typed(Type::BOOL, &[4])), R::ShapeMismatch),
        ("select_v2: inputs of two types", with(code::SELECT_V2, 2, float(&[2, 3])), R::WrongType),
        ("select_v2: inputs of two scales", with(code::SELECT_V2, 2, Tensor::int8(&[2, 3], 0.2, 3)), R::ScalesDiffer),
        ("div: int8 by a constant that stands for 0", with(code::DIV, 1, Tensor::int8(&[3], 0.1, 3).constant(vec![4, 3, 2])), R::DivisionByZero),
        ("div: int32 by a constant 0", edit(model(code::DIV, Options::None, vec![Tensor::typed(Type::INT32, &[3]), ints(&[1, 0, 2])], vec![Tensor::typed(Type::INT32, &[3])]), |_| {}), R::DivisionByZero),
        ("div: int16", model(code::DIV, Options::None, vec![Tensor::typed(Type::INT16, &[3]).quantized(0.1, 0); 2], vec![Tensor::typed(Type::INT16, &[3]).quantized(0.1, 0)]), R::UnsupportedType),
        ("floor_div: float32 by a constant 0", with(code::FLOOR_DIV, 1, float(&[3]).constant(f32s(&[1.0, -0.0, 2.0]))), R::DivisionByZero),
        ("floor_mod: int32 by a constant 0", model(code::FLOOR_MOD, Options::None, vec![Tensor::typed(Type::INT32, &[3]), ints(&[0; 3])], vec![Tensor::typed(Type::INT32, &[3])]), R::DivisionByZero),
        ("floor_mod: int8", with(code::FLOOR_MOD, 0, int8(&[2, 3])), R::UnsupportedType),
        ("add: int64 with a fused relu", model(code::ADD, other(11, [relu.clone()]), vec![Tensor::typed(Type::INT64, &[3]); 2], vec![Tensor::typed(Type::INT64, &[3])]), R::UnsupportedActivation),
        ("sin: the result leaves the model", model(code::SIN, Options::None, vec![float(&[3])], vec![float(&[3])]), R::FloatFunction),
        ("sin: another operator reads the result", edit(sound(code::SIN), |g| g.ops[1].code = NEG), R::FloatFunction),
        ("leaky_relu: a slope that is NaN", ops(code::LEAKY_RELU, other(75, [flatbuf::f32(f32::NAN)])), R::BadOption),
        ("gelu: float32", with(code::GELU, 0, float(&[2, 3])), R::UnsupportedType),
        ("gelu: no options", ops(code::GELU, Options::None), R::MissingOptions),
        ("rsqrt: int16", with(code::RSQRT, 0, Tensor::typed(Type::INT16, &[2, 3]).quantized(0.1, 0)), R::UnsupportedType),
        ("l2_pool_2d: int8", with(code::L2_POOL_2D, 0, int8(&[1, 4, 4, 2])), R::UnsupportedType),
        ("l2_pool_2d: stride 0", ops(code::L2_POOL_2D, Options::Pool2d(PoolOptions { padding: VALID, stride: (0, 2), filter: (2, 2), activation: 0 })), R::BadStride),
        ("max_pool_2d: float32 to int8", with(code::MAX_POOL_2D, 0, float(&[1, 4, 4, 2])), R::WrongType),
        ("shape: an output of float32", out(code::SHAPE, float(&[2])), R::UnsupportedType),
        ("cast: to a type that kinglet has not", out(code::CAST, Tensor::typed(Type::INT4, &[2, 3])), R::UnsupportedType),
    ];
    for (what, draft, reason) in rows {
        let error = refuse(&draft.to_bytes()).unwrap_or_else(|| panic!("{what}: accepted"));
        assert_eq!((error.reason, error.op()), (reason, Some(0)), "{what}: {error}");
    }
}

/// What only the values at run time show stops the inference, with the operator's number, and nothing else.
#[test]
fn faults_at_run_time() {
    let int32 = |shape: &[i32]| Tensor::typed(Type::INT32, shape);
    let bytes = |values: &[i32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let gather = || other(23, [flatbuf::i32(0), flatbuf::i32(0)]);
    let outside = Fault::IndexOutOfRange;
    let zero = Fault::DivisionByZero;
    let (three, pair) = (vec![float(&[3]); 2], vec![int32(&[2]); 2]);
    // The model, which of its inputs decides, what it may hold and what not.
    let rows = [
        (
            model(code::GATHER, gather(), vec![int8(&[3, 2]), int32(&[2])], vec![int8(&[2, 2])]),
            1,
            bytes(&[2, 0]),
            bytes(&[0, 3]),
            outside,
        ),
        (
            model(code::GATHER, gather(), vec![int8(&[3, 2]), int32(&[2])], vec![int8(&[2, 2])]),
            1,
            bytes(&[2, 0]),
            bytes(&[-1, 0]),
            outside,
        ),
        (
            model(code::GATHER_ND, Options::None, vec![int8(&[3, 2]), int32(&[1, 2])], vec![int8(&[1])]),
            1,
            bytes(&[2, 1]),
            bytes(&[1, 2]),
            outside,
        ),
        (
            model(
                code::EMBEDDING_LOOKUP,
                Options::None,
                vec![int32(&[2]), int8(&[3, 2])],
                vec![int8(&[2, 2])],
            ),
            0,
            bytes(&[2, 0]),
            bytes(&[i32::MIN, 0]),
            outside,
        ),
        (
            model(code::DIV, Options::None, vec![int8(&[3]); 2], vec![int8(&[3])]),
            1,
            vec![4, 2, 9],
            vec![4, 3, 9],
            zero,
        ),
        (
            model(code::DIV, Options::None, pair.clone(), vec![int32(&[2])]),
            1,
            bytes(&[-1, 5]),
            bytes(&[5, 0]),
            zero,
        ),
        (
            model(code::FLOOR_DIV, Options::None, pair.clone(), vec![int32(&[2])]),
            1,
            bytes(&[-1, 5]),
            bytes(&[5, 0]),
            zero,
        ),
        (
            model(code::FLOOR_MOD, Options::None, pair, vec![int32(&[2])]),
            1,
            bytes(&[-1, 5]),
            bytes(&[5, 0]),
            zero,
        ),
        (
            model(code::FLOOR_DIV, Options::None, three.clone(), vec![float(&[3])]),
            1,
            bytes(&[0x3f80_0000; 3]),
            bytes(&[0; 3]),
            zero,
        ),
        (
            model(code::FLOOR_MOD, Options::None, three, vec![float(&[3])]),
            1,
            bytes(&[0x3f80_0000; 3]),
            bytes(&[i32::MIN; 3]),
            zero,
        ),
    ];
    for (draft, input, sound, unsound, fault) in rows {
        // The operator is the second.
        let draft = edit(draft, |g| {
            let id = g.input(int8(&[4]));
            let output = g.op(code::RELU, Options::None, &[id], int8(&[4]));
            g.outputs.push(output);
            g.ops.swap(0, 1);
        });
        let file = AlignedBytes::new(&draft.to_bytes());
        let operator = name(draft.subgraphs[0].ops[1].code);
        let parsed = Model::parse(file.as_slice()).unwrap();
        let mut memory = AlignedBytes::filled(1 << 14, 0);
        let mut net: Interpreter<'_> = Interpreter::new(&parsed, memory.as_mut_slice()).unwrap();
        for (values, expected) in [(&sound, None), (&unsound, Some(fault)), (&sound, None)] {
            net.input_bytes_mut(0).unwrap().fill(0x11);
            net.input_bytes_mut(1).unwrap().fill(0x11);
            net.input_bytes_mut(input).unwrap().copy_from_slice(values);
            match (net.invoke(), expected) {
                (Ok(()), None) => {}
                (Err(error), Some(fault)) => {
                    assert_eq!((error.op, error.fault), (1, fault), "{operator}");
                    assert!(error.to_string().starts_with("op 1: "), "{operator}: {error}");
                }
                (got, _) => panic!("{operator}: {got:?}"),
            }
        }
    }
}
