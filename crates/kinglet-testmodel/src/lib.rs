//! Writes small TensorFlow Lite models in memory, sound ones and broken ones: for tests and fuzzing.
//!
//! A [`Model`] is plain data. Its parts are numbered as in the file, nothing is checked, and
//! [`Model::to_bytes`] writes whatever it holds. [`random::model`] makes sound ones.
#![forbid(unsafe_code)]

pub mod flatbuf;
pub mod random;

use flatbuf::{Field, Object};

/// Element type of a tensor, by its number in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type(pub i8);

#[allow(missing_docs, reason = "they are called as in the schema")]
impl Type {
    pub const FLOAT32: Self = Self(0);
    pub const FLOAT16: Self = Self(1);
    pub const INT32: Self = Self(2);
    pub const UINT8: Self = Self(3);
    pub const INT64: Self = Self(4);
    pub const BOOL: Self = Self(6);
    pub const RESOURCE: Self = Self(13);
    pub const INT16: Self = Self(7);
    pub const INT8: Self = Self(9);
    pub const INT4: Self = Self(17);
}

/// Scales and zero points.
#[derive(Clone, Debug, Default)]
pub struct Quantization {
    /// One, or one for each slice along `axis`.
    pub scales: Vec<f32>,
    /// As many, or fewer.
    pub zero_points: Vec<i64>,
    /// The dimension that they run along.
    pub axis: i32,
}

/// A tensor.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Dimensions.
    pub shape: Vec<i32>,
    /// Element type.
    pub dtype: Type,
    /// Scales and zero points.
    pub quantization: Option<Quantization>,
    /// Contents of a constant.
    pub data: Option<Vec<u8>>,
    /// Takes the data of this buffer instead, whether there is one or not.
    pub buffer: Option<u32>,
    /// Kept from one inference to the next.
    pub variable: bool,
    /// Says that it is sparse.
    pub sparse: bool,
}

impl Tensor {
    /// An int8 activation with one scale and zero point.
    pub fn int8(shape: &[i32], scale: f32, zero_point: i64) -> Self {
        Self::typed(Type::INT8, shape).quantized(scale, zero_point)
    }

    /// An activation that is not quantised.
    pub fn typed(dtype: Type, shape: &[i32]) -> Self {
        Self {
            name: String::new(),
            shape: shape.to_vec(),
            dtype,
            quantization: None,
            data: None,
            buffer: None,
            variable: false,
            sparse: false,
        }
    }

    /// An int8 constant, symmetric, with one scale for each index of dimension `axis`.
    pub fn weights(shape: &[i32], scales: &[f32], axis: i32, data: &[i8]) -> Self {
        let zero_points = vec![0; scales.len()];
        Self {
            quantization: Some(Quantization { scales: scales.to_vec(), zero_points, axis }),
            ..Self::typed(Type::INT8, shape).constant(data.iter().map(|&value| value as u8).collect())
        }
    }

    /// An int32 constant of one dimension.
    pub fn bias(data: &[i32]) -> Self {
        let bytes = data.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self::typed(Type::INT32, &[data.len() as i32]).constant(bytes)
    }

    /// The same, with one scale and zero point.
    #[must_use]
    pub fn quantized(mut self, scale: f32, zero_point: i64) -> Self {
        self.quantization =
            Some(Quantization { scales: vec![scale], zero_points: vec![zero_point], axis: 0 });
        self
    }

    /// The same as a constant.
    #[must_use]
    pub fn constant(mut self, data: Vec<u8>) -> Self {
        self.data = Some(data);
        self
    }

    /// The same as a variable.
    #[must_use]
    pub fn variable(mut self) -> Self {
        self.variable = true;
        self
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().map(|&dim| dim.max(0) as usize).product()
    }

    /// It has no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn to_object(&self, buffer: u32) -> Object {
        let mut fields = vec![
            (0, flatbuf::i32s(&self.shape)),
            (1, flatbuf::i8(self.dtype.0)),
            (2, flatbuf::u32(self.buffer.unwrap_or(buffer))),
            (3, flatbuf::text(&self.name)),
        ];
        if let Some(q) = &self.quantization {
            let table = Object::Table(vec![
                (2, flatbuf::f32s(&q.scales)),
                (3, flatbuf::i64s(&q.zero_points)),
                (6, flatbuf::i32(q.axis)),
            ]);
            fields.push((4, Field::Offset(table)));
        }
        if self.variable {
            fields.push((5, flatbuf::u8(1)));
        }
        if self.sparse {
            fields.push((6, Field::Offset(Object::Table(Vec::new()))));
        }
        Object::Table(fields)
    }
}

/// Padding, by its number in the schema.
pub const SAME: i8 = 0;
/// Padding, by its number in the schema.
pub const VALID: i8 = 1;

/// Fused activations, by their numbers in the schema.
#[allow(missing_docs, reason = "they are called as in the schema")]
pub mod activation {
    pub const NONE: i8 = 0;
    pub const RELU: i8 = 1;
    pub const RELU_N1_TO_1: i8 = 2;
    pub const RELU6: i8 = 3;
    pub const TANH: i8 = 4;
}

/// Options of CONV_2D and DEPTHWISE_CONV_2D; pairs are (height, width).
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "they are called as in the schema")]
pub struct ConvOptions {
    pub padding: i8,
    pub stride: (i32, i32),
    pub dilation: (i32, i32),
    pub activation: i8,
}

impl Default for ConvOptions {
    fn default() -> Self {
        Self { padding: SAME, stride: (1, 1), dilation: (1, 1), activation: activation::NONE }
    }
}

/// Options of the pooling operators; pairs are (height, width).
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "they are called as in the schema")]
pub struct PoolOptions {
    pub padding: i8,
    pub stride: (i32, i32),
    pub filter: (i32, i32),
    pub activation: i8,
}

/// An operator's options.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "they are called as in the schema")]
pub enum Options {
    None,
    Conv2d(ConvOptions),
    DepthwiseConv2d(ConvOptions),
    Pool2d(PoolOptions),
    FullyConnected {
        activation: i8,
        weights_format: i8,
    },
    Softmax {
        beta: f32,
    },
    Add {
        activation: i8,
    },
    Svdf {
        rank: i32,
        activation: i8,
    },
    Reshape {
        new_shape: Vec<i32>,
    },
    /// Any union member, by its tag, with these fields.
    Other(u8, Vec<(u16, Field)>),
}

impl Options {
    /// IF: the branches.
    pub fn branches(then_branch: i32, else_branch: i32) -> Self {
        Self::Other(92, vec![(0, flatbuf::i32(then_branch)), (1, flatbuf::i32(else_branch))])
    }

    /// WHILE: condition and body.
    pub fn repeat(condition: i32, body: i32) -> Self {
        Self::Other(93, vec![(0, flatbuf::i32(condition)), (1, flatbuf::i32(body))])
    }

    /// CALL_ONCE: the subgraph.
    pub fn call_once(init: i32) -> Self {
        Self::Other(103, vec![(0, flatbuf::i32(init))])
    }

    /// VAR_HANDLE: container, if any, and name.
    pub fn handle(container: Option<&str>, name: &str) -> Self {
        let mut fields = vec![(1, flatbuf::text(name))];
        fields.extend(container.map(|container| (0, flatbuf::text(container))));
        Self::Other(111, fields)
    }

    /// The union's tag and the table.
    fn to_table(&self) -> Option<(u8, Object)> {
        let (tag, fields) = match self {
            Self::None => return None,
            Self::Conv2d(o) => (
                1,
                vec![
                    (0, flatbuf::i8(o.padding)),
                    (1, flatbuf::i32(o.stride.1)),
                    (2, flatbuf::i32(o.stride.0)),
                    (3, flatbuf::i8(o.activation)),
                    (4, flatbuf::i32(o.dilation.1)),
                    (5, flatbuf::i32(o.dilation.0)),
                ],
            ),
            Self::DepthwiseConv2d(o) => (
                2,
                vec![
                    (0, flatbuf::i8(o.padding)),
                    (1, flatbuf::i32(o.stride.1)),
                    (2, flatbuf::i32(o.stride.0)),
                    (4, flatbuf::i8(o.activation)),
                    (5, flatbuf::i32(o.dilation.1)),
                    (6, flatbuf::i32(o.dilation.0)),
                ],
            ),
            Self::Pool2d(o) => (
                5,
                vec![
                    (0, flatbuf::i8(o.padding)),
                    (1, flatbuf::i32(o.stride.1)),
                    (2, flatbuf::i32(o.stride.0)),
                    (3, flatbuf::i32(o.filter.1)),
                    (4, flatbuf::i32(o.filter.0)),
                    (5, flatbuf::i8(o.activation)),
                ],
            ),
            Self::Svdf { rank, activation } => {
                (6, vec![(0, flatbuf::i32(*rank)), (1, flatbuf::i8(*activation))])
            }
            Self::FullyConnected { activation, weights_format } => {
                (8, vec![(0, flatbuf::i8(*activation)), (1, flatbuf::i8(*weights_format))])
            }
            Self::Softmax { beta } => (9, vec![(0, flatbuf::f32(*beta))]),
            Self::Add { activation } => (11, vec![(0, flatbuf::i8(*activation))]),
            Self::Reshape { new_shape } => (17, vec![(0, flatbuf::i32s(new_shape))]),
            Self::Other(tag, fields) => (*tag, fields.clone()),
        };
        Some((tag, Object::Table(fields)))
    }
}

/// Operators, by their numbers in the schema.
#[allow(missing_docs, reason = "they are called as in the schema")]
pub mod code {
    pub const ADD: i32 = 0;
    pub const AVERAGE_POOL_2D: i32 = 1;
    pub const CONCATENATION: i32 = 2;
    pub const CONV_2D: i32 = 3;
    pub const DEPTHWISE_CONV_2D: i32 = 4;
    pub const DEPTH_TO_SPACE: i32 = 5;
    pub const DEQUANTIZE: i32 = 6;
    pub const EMBEDDING_LOOKUP: i32 = 7;
    pub const FULLY_CONNECTED: i32 = 9;
    pub const L2_NORMALIZATION: i32 = 11;
    pub const L2_POOL_2D: i32 = 12;
    pub const LOGISTIC: i32 = 14;
    pub const MAX_POOL_2D: i32 = 17;
    pub const MUL: i32 = 18;
    pub const RELU: i32 = 19;
    pub const RELU_N1_TO_1: i32 = 20;
    pub const RELU6: i32 = 21;
    pub const RESHAPE: i32 = 22;
    pub const RESIZE_BILINEAR: i32 = 23;
    pub const SOFTMAX: i32 = 25;
    pub const SPACE_TO_DEPTH: i32 = 26;
    pub const SVDF: i32 = 27;
    pub const TANH: i32 = 28;
    pub const CUSTOM: i32 = 32;
    pub const UNIDIRECTIONAL_SEQUENCE_LSTM: i32 = 44;
    pub const PAD: i32 = 34;
    pub const GATHER: i32 = 36;
    pub const BATCH_TO_SPACE_ND: i32 = 37;
    pub const SPACE_TO_BATCH_ND: i32 = 38;
    pub const TRANSPOSE: i32 = 39;
    pub const MEAN: i32 = 40;
    pub const SUB: i32 = 41;
    pub const DIV: i32 = 42;
    pub const SQUEEZE: i32 = 43;
    pub const STRIDED_SLICE: i32 = 45;
    pub const EXP: i32 = 47;
    pub const SPLIT: i32 = 49;
    pub const LOG_SOFTMAX: i32 = 50;
    pub const CAST: i32 = 53;
    pub const PRELU: i32 = 54;
    pub const MAXIMUM: i32 = 55;
    pub const ARG_MAX: i32 = 56;
    pub const MINIMUM: i32 = 57;
    pub const LESS: i32 = 58;
    pub const PADV2: i32 = 60;
    pub const GREATER: i32 = 61;
    pub const GREATER_EQUAL: i32 = 62;
    pub const LESS_EQUAL: i32 = 63;
    pub const SELECT: i32 = 64;
    pub const SLICE: i32 = 65;
    pub const SIN: i32 = 66;
    pub const TRANSPOSE_CONV: i32 = 67;
    pub const TILE: i32 = 69;
    pub const EXPAND_DIMS: i32 = 70;
    pub const EQUAL: i32 = 71;
    pub const NOT_EQUAL: i32 = 72;
    pub const LOG: i32 = 73;
    pub const SUM: i32 = 74;
    pub const SQRT: i32 = 75;
    pub const RSQRT: i32 = 76;
    pub const SHAPE: i32 = 77;
    pub const ARG_MIN: i32 = 79;
    pub const REDUCE_PROD: i32 = 81;
    pub const REDUCE_MAX: i32 = 82;
    pub const PACK: i32 = 83;
    pub const LOGICAL_OR: i32 = 84;
    pub const ONE_HOT: i32 = 85;
    pub const LOGICAL_AND: i32 = 86;
    pub const LOGICAL_NOT: i32 = 87;
    pub const UNPACK: i32 = 88;
    pub const REDUCE_MIN: i32 = 89;
    pub const FLOOR_DIV: i32 = 90;
    pub const REDUCE_ANY: i32 = 91;
    pub const ZEROS_LIKE: i32 = 93;
    pub const FILL: i32 = 94;
    pub const FLOOR_MOD: i32 = 95;
    pub const RESIZE_NEAREST_NEIGHBOR: i32 = 97;
    pub const LEAKY_RELU: i32 = 98;
    pub const SQUARED_DIFFERENCE: i32 = 99;
    pub const MIRROR_PAD: i32 = 100;
    pub const ABS: i32 = 101;
    pub const SPLIT_V: i32 = 102;
    pub const REVERSE_V2: i32 = 105;
    pub const ADD_N: i32 = 106;
    pub const GATHER_ND: i32 = 107;
    pub const COS: i32 = 108;
    pub const ELU: i32 = 111;
    pub const QUANTIZE: i32 = 114;
    pub const HARD_SWISH: i32 = 117;
    pub const SELECT_V2: i32 = 123;
    pub const BATCH_MATMUL: i32 = 126;
    pub const CUMSUM: i32 = 128;
    pub const BROADCAST_TO: i32 = 130;
    pub const IF: i32 = 118;
    pub const WHILE: i32 = 119;
    pub const CALL_ONCE: i32 = 129;
    pub const VAR_HANDLE: i32 = 142;
    pub const READ_VARIABLE: i32 = 143;
    pub const ASSIGN_VARIABLE: i32 = 144;
    pub const REDUCE_ALL: i32 = 140;
    pub const GELU: i32 = 150;
    pub const DYNAMIC_UPDATE_SLICE: i32 = 151;
    pub const SIGN: i32 = 158;
}

/// An operator.
#[derive(Clone, Debug)]
pub struct Op {
    /// Its number in the schema.
    pub code: i32,
    /// Name of a custom operator.
    pub custom: Option<String>,
    /// Tensors it reads; -1 for one that is left out.
    pub inputs: Vec<i32>,
    /// Tensors it writes.
    pub outputs: Vec<i32>,
    /// Its options.
    pub options: Options,
}

/// A subgraph.
#[derive(Clone, Debug, Default)]
pub struct Subgraph {
    /// Its tensors.
    pub tensors: Vec<Tensor>,
    /// Tensors that the caller writes.
    pub inputs: Vec<i32>,
    /// Tensors that the caller reads.
    pub outputs: Vec<i32>,
    /// Its operators, in the order in which they run.
    pub ops: Vec<Op>,
    /// Where above 0: the list of tensors names the first this many times.
    pub alias_tensors: u32,
    /// Where above 0: the list of operators names the first this many times.
    pub alias_ops: u32,
}

impl Subgraph {
    /// Adds a tensor; returns its number.
    pub fn tensor(&mut self, mut tensor: Tensor) -> i32 {
        let id = self.tensors.len() as i32;
        if tensor.name.is_empty() {
            tensor.name = format!("t{id}");
        }
        self.tensors.push(tensor);
        id
    }

    /// Adds a tensor that is an input.
    pub fn input(&mut self, tensor: Tensor) -> i32 {
        let id = self.tensor(tensor);
        self.inputs.push(id);
        id
    }

    /// Adds an operator on tensors that are there already.
    pub fn op_on(&mut self, code: i32, options: Options, inputs: &[i32], outputs: &[i32]) {
        self.ops.push(Op { code, custom: None, inputs: inputs.to_vec(), outputs: outputs.to_vec(), options });
    }

    /// Adds a handle of a variable; returns its number.
    pub fn handle(&mut self, container: Option<&str>, name: &str) -> i32 {
        let handle = Tensor::typed(Type::RESOURCE, &[]);
        self.op(code::VAR_HANDLE, Options::handle(container, name), &[], handle)
    }

    /// Adds an operator with a new tensor as its output; returns the tensor's number.
    pub fn op(&mut self, code: i32, options: Options, inputs: &[i32], output: Tensor) -> i32 {
        let id = self.tensor(output);
        self.ops.push(Op { code, custom: None, inputs: inputs.to_vec(), outputs: vec![id], options });
        id
    }
}

/// A model.
#[derive(Clone, Debug)]
pub struct Model {
    /// Version of the schema.
    pub version: u32,
    /// Bytes 4..8 of the file.
    pub identifier: [u8; 4],
    /// The subgraphs; the first is the one that runs.
    pub subgraphs: Vec<Subgraph>,
    /// Where above 0: the list of subgraphs names the first this many times.
    pub alias_subgraphs: u32,
    /// Names and contents of metadata.
    pub metadata: Vec<(String, Vec<u8>)>,
    /// Says that the data of constants is behind the FlatBuffer.
    pub external_buffers: bool,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            version: 3,
            identifier: *b"TFL3",
            subgraphs: Vec::new(),
            alias_subgraphs: 0,
            metadata: Vec::new(),
            external_buffers: false,
        }
    }
}

impl From<Subgraph> for Model {
    fn from(subgraph: Subgraph) -> Self {
        Self { subgraphs: vec![subgraph], ..Self::default() }
    }
}

impl Model {
    /// The bytes of a `.tflite` file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut buffers = vec![Object::Table(Vec::new())];
        let mut add_buffer = |data: &[u8]| {
            let mut fields = vec![(0, flatbuf::bytes(data, 16))];
            if self.external_buffers {
                fields.push((1, flatbuf::u64(1 << 20)));
                fields.push((2, flatbuf::u64(data.len() as u64)));
            }
            buffers.push(Object::Table(fields));
            buffers.len() as u32 - 1
        };
        // Each pair of number and custom name has one operator code.
        let mut codes: Vec<(i32, Option<&str>)> = Vec::new();
        let mut subgraphs = Vec::new();
        for subgraph in &self.subgraphs {
            let tensors = subgraph.tensors.iter().map(|tensor| {
                let buffer = tensor.data.as_deref().map_or(0, &mut add_buffer);
                tensor.to_object(buffer)
            });
            let tensors = list(tensors.collect(), subgraph.alias_tensors);
            let ops = subgraph.ops.iter().map(|op| {
                let code = (op.code, op.custom.as_deref());
                let index = codes.iter().position(|&other| other == code).unwrap_or_else(|| {
                    codes.push(code);
                    codes.len() - 1
                });
                op_object(op, index as u32)
            });
            let ops = list(ops.collect(), subgraph.alias_ops);
            subgraphs.push(Object::Table(vec![
                (0, tensors),
                (1, flatbuf::i32s(&subgraph.inputs)),
                (2, flatbuf::i32s(&subgraph.outputs)),
                (3, ops),
            ]));
        }
        let metadata: Vec<Object> = self
            .metadata
            .iter()
            .map(|(name, data)| {
                Object::Table(vec![(0, flatbuf::text(name)), (1, flatbuf::u32(add_buffer(data)))])
            })
            .collect();
        let codes = codes.into_iter().map(|(number, custom)| {
            let mut fields = vec![(0, flatbuf::i8(number.clamp(-128, 127) as i8)), (3, flatbuf::i32(number))];
            if let Some(name) = custom {
                fields.push((1, flatbuf::text(name)));
            }
            Object::Table(fields)
        });
        let root = Object::Table(vec![
            (0, flatbuf::u32(self.version)),
            (1, flatbuf::tables(codes)),
            (2, list(subgraphs, self.alias_subgraphs)),
            (3, flatbuf::text("made by kinglet-testmodel")),
            (6, flatbuf::tables(metadata)),
            (4, flatbuf::tables(buffers)),
        ]);
        flatbuf::file(self.identifier, &root)
    }
}

fn op_object(op: &Op, code: u32) -> Object {
    let mut fields =
        vec![(0, flatbuf::u32(code)), (1, flatbuf::i32s(&op.inputs)), (2, flatbuf::i32s(&op.outputs))];
    if let Some((tag, table)) = op.options.to_table() {
        fields.push((3, flatbuf::u8(tag)));
        fields.push((4, Field::Offset(table)));
    }
    Object::Table(fields)
}

/// A vector of tables, or of so many offsets to the first.
fn list(objects: Vec<Object>, alias: u32) -> Field {
    match objects.into_iter() {
        mut objects if alias > 0 && objects.len() > 0 => {
            let first = objects.next().unwrap_or(Object::Table(Vec::new()));
            Field::Offset(Object::Alias(alias, Box::new(first)))
        }
        objects => flatbuf::tables(objects),
    }
}
