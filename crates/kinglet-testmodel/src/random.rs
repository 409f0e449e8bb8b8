//! Random sound models, drawn from bytes.
//!
//! Bytes that decide everything suit both users: property tests shrink them, fuzzers mutate them. When
//! they run out, every draw is the least value, so that every run of bytes gives a model.

mod more;

use crate::flatbuf::{self, Field};
use crate::{
    ConvOptions, Model, Op, Options, PoolOptions, Quantization, SAME, Subgraph, Tensor, Type, VALID, code,
};

/// Bytes that choices are drawn from.
#[derive(Clone, Debug)]
pub struct Choices<'b> {
    bytes: &'b [u8],
}

impl<'b> Choices<'b> {
    /// Draws from `bytes`, first to last.
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes }
    }

    /// There are bytes left.
    pub fn any_left(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        first
    }

    /// Four bytes.
    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// One of `low..=high`, at most 256 of them.
    pub fn pick(&mut self, low: i32, high: i32) -> i32 {
        low + i32::from(self.byte()) % (high - low + 1)
    }

    /// One of several.
    pub fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[usize::from(self.byte()) % values.len()]
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: i32) -> bool {
        self.pick(0, n - 1) == n - 1
    }
}

/// The generator of the device benchmarks: for data that need not be drawn byte by byte.
#[derive(Clone, Debug)]
pub struct Xorshift(pub u32);

impl Xorshift {
    /// The next number.
    pub fn next_word(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// Random bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next_word() as u8).collect()
    }

    /// Random int8 values.
    pub fn int8(&mut self, len: usize) -> Vec<i8> {
        (0..len).map(|_| self.next_word() as i8).collect()
    }

    /// A real number from 0 to 1.
    pub fn unit(&mut self) -> f32 {
        self.next_word() as f32 / u32::MAX as f32
    }
}

/// The scale and zero point of a tensor with one pair.
fn quantization(tensor: &Tensor) -> (f32, i64) {
    let q = tensor.quantization.as_ref();
    q.map_or((1.0, 0), |q| (q.scales[0], q.zero_points[0]))
}

/// Puts a model together op by op.
struct Builder<'c, 'b> {
    choices: &'c mut Choices<'b>,
    data: Xorshift,
    graph: Subgraph,
    /// Activations that an operator may read.
    activations: Vec<i32>,
    /// The subgraphs that operators call, from number 1 on.
    subgraphs: Vec<Subgraph>,
    /// How many calls deep this is.
    depth: i32,
    /// Operators that call subgraphs.
    calls: i32,
}

/// The most operators that call subgraphs, two each.
const MAX_CALLS: i32 = 3;

/// A sound model of up to `max_ops` operators.
pub fn model(choices: &mut Choices<'_>, max_ops: i32) -> Model {
    let data = Xorshift(choices.word() | 1);
    let mut builder = Builder {
        choices,
        data,
        graph: Subgraph::default(),
        activations: Vec::new(),
        subgraphs: Vec::new(),
        depth: 0,
        calls: 0,
    };
    builder.inputs();
    for _ in 0..builder.choices.pick(1, max_ops) {
        builder.op();
    }
    builder.outputs();
    let mut model: Model = builder.graph.into();
    model.subgraphs.extend(builder.subgraphs);
    model
}

impl Builder<'_, '_> {
    fn inputs(&mut self) {
        for _ in 0..self.choices.one_of(&[1, 1, 1, 2]) {
            let shape = match self.choices.pick(0, 3) {
                0 => vec![self.choices.pick(1, 2), self.choices.pick(1, 24)],
                _ => vec![
                    self.choices.one_of(&[1, 1, 1, 2, 3]),
                    self.choices.pick(1, 9),
                    self.choices.pick(1, 9),
                    self.choices.one_of(&[1, 2, 3, 4, 5, 6, 7, 8, 17]),
                ],
            };
            let mut tensor = self.activation(&shape, 0.05);
            if self.choices.one_in(8) {
                tensor = Tensor::typed(Type::FLOAT32, &shape);
            }
            let id = self.graph.input(tensor);
            self.activations.push(id);
        }
    }

    /// What nobody reads is an output, and now and then something else.
    fn outputs(&mut self) {
        for id in self.activations.clone() {
            let read = self.graph.ops.iter().any(|op| op.inputs.contains(&id));
            if !read || self.choices.one_in(8) {
                self.graph.outputs.push(id);
            }
        }
    }

    fn get(&self, id: i32) -> &Tensor {
        &self.graph.tensors[id as usize]
    }

    /// An int8 activation whose scale is about `scale`.
    fn activation(&mut self, shape: &[i32], scale: f32) -> Tensor {
        let zero_point = match self.choices.pick(0, 5) {
            0 => 0,
            1 => -128,
            2 => 127,
            _ => i64::from(self.choices.byte() as i8),
        };
        Tensor::int8(shape, scale * (0.5 + self.data.unit()), zero_point)
    }

    fn fused(&mut self) -> i8 {
        self.choices.one_of(&[0, 0, 1, 2, 3])
    }

    fn add_op(&mut self, code: i32, options: Options, inputs: &[i32], output: Tensor) {
        let id = self.graph.op(code, options, inputs, output);
        self.activations.push(id);
    }

    fn op(&mut self) {
        // Mostly the newest tensor, sometimes an older one: then the graph branches.
        let back = self.choices.one_of(&[0, 0, 0, 1, 2, 5]).min(self.activations.len() - 1);
        let input = self.activations[self.activations.len() - 1 - back];
        let tensor = self.get(input).clone();
        let rank = tensor.shape.len();
        if self.calls < MAX_CALLS && self.choices.one_in(12) {
            self.calls += 1;
            return self.control(input);
        }
        if rank > 0 && self.choices.one_in(3) {
            return self.movement(input);
        }
        match tensor.dtype {
            Type::FLOAT32 if self.choices.one_in(2) => return self.float(input),
            Type::FLOAT32 => return self.quantize(input),
            Type::BOOL => return self.boolean(input),
            Type::INT8 => {}
            _ => {
                let code = self.choices.one_of(&[code::QUANTIZE, code::DEQUANTIZE]);
                let sound = tensor.dtype != Type::INT32;
                return match code {
                    code::DEQUANTIZE if sound => self.dequantize(input),
                    _ => self.quantize(input),
                };
            }
        }
        match self.choices.pick(0, 23) {
            0..=2 if rank == 4 => self.conv(input),
            3 | 4 if rank == 4 => self.depthwise(input),
            5 | 6 if rank == 4 => self.pool(input),
            7 => self.fully_connected(input),
            8 => self.reshape(input),
            9 | 10 => self.binary(input),
            11 if rank >= 1 => self.softmax(input),
            12 if self.choices.one_in(2) => self.relu(input),
            12 => self.unary(input),
            13 => self.quantize(input),
            14 if rank == 2 && self.depth == 0 => self.svdf(input),
            15 => self.dequantize(input),
            16 | 17 if rank > 0 => self.reduce(input),
            18 if rank == 4 => self.resize(input),
            19..=23 => self.more(input),
            _ => self.binary(input),
        }
    }

    /// An operator that calls subgraphs, or a variable.
    fn control(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let tensor = Tensor { name: String::new(), data: None, variable: false, ..tensor };
        match self.choices.pick(0, 3) {
            0 => {
                let condition = Tensor::typed(Type::BOOL, &[1]);
                let condition = if self.depth == 0 {
                    self.graph.input(condition)
                } else {
                    let value = self.choices.byte() % 2;
                    self.graph.tensor(condition.constant(vec![value]))
                };
                let first = self.callee(&tensor, false);
                let second = if self.choices.one_in(4) { first } else { self.callee(&tensor, false) };
                self.add_op(code::IF, Options::branches(first, second), &[condition, input], tensor);
            }
            1 => {
                let counter = || Tensor::typed(Type::INT32, &[1]);
                let limit = self.choices.pick(0, 3);
                let mut condition = Subgraph::default();
                let count = condition.input(counter());
                condition.input(tensor.clone());
                let limit = condition.tensor(counter().constant(limit.to_le_bytes().to_vec()));
                let less = Tensor::typed(Type::BOOL, &[1]);
                let less = condition.op(code::LESS, Options::None, &[count, limit], less);
                condition.outputs.push(less);
                self.subgraphs.push(condition);
                let condition = self.subgraphs.len() as i32;
                let body = self.callee(&tensor, true);
                let zero = self.graph.tensor(counter().constant(vec![0; 4]));
                let outputs = [self.graph.tensor(counter()), self.graph.tensor(tensor)];
                let options = Options::repeat(condition, body);
                self.graph.op_on(code::WHILE, options, &[zero, input], &outputs);
                self.activations.push(outputs[1]);
            }
            _ => {
                let name = format!("v{}_{}", self.subgraphs.len(), self.graph.tensors.len());
                let container = self.choices.one_of(&[None, Some("c")]);
                if self.choices.one_in(2) {
                    let mut init = Subgraph::default();
                    let handle = init.handle(container, &name);
                    if let Some(bytes) = short_len(&tensor) {
                        let value = init.tensor(tensor.clone().constant(vec![self.choices.byte(); bytes]));
                        init.op_on(code::ASSIGN_VARIABLE, Options::None, &[handle, value], &[]);
                    }
                    self.subgraphs.push(init);
                    let options = Options::call_once(self.subgraphs.len() as i32);
                    self.graph.op_on(code::CALL_ONCE, options, &[], &[]);
                }
                let handle = self.graph.handle(container, &name);
                self.add_op(code::READ_VARIABLE, Options::None, &[handle], tensor);
                let handle =
                    if self.choices.one_in(2) { self.graph.handle(container, &name) } else { handle };
                self.graph.op_on(code::ASSIGN_VARIABLE, Options::None, &[handle, input], &[]);
            }
        }
    }

    /// A subgraph from one tensor to another that could take its place; with a counter before it, or not.
    /// Returns its number.
    fn callee(&mut self, tensor: &Tensor, counts: bool) -> i32 {
        let outer = std::mem::take(&mut self.graph);
        let activations = std::mem::take(&mut self.activations);
        self.depth += 1;
        let mut outputs = Vec::new();
        if counts {
            let counter = || Tensor::typed(Type::INT32, &[1]);
            let count = self.graph.input(counter());
            let one = self.graph.tensor(counter().constant(vec![1, 0, 0, 0]));
            let next = self.graph.op(code::ADD, Options::Add { activation: 0 }, &[count, one], counter());
            outputs.push(next);
        }
        let input = self.graph.input(tensor.clone());
        self.activations.push(input);
        for _ in 0..self.choices.pick(0, 3) {
            self.op();
        }
        let fits = |id: &&i32| {
            let other = &self.graph.tensors[**id as usize];
            (other.dtype, other.len()) == (tensor.dtype, tensor.len())
        };
        let output = self.activations.iter().rev().find(fits).copied().unwrap_or(input);
        outputs.push(output);
        // Not those that operators have added: a call gives out just these.
        self.graph.outputs = outputs;
        let callee = std::mem::replace(&mut self.graph, outer);
        self.activations = activations;
        self.depth -= 1;
        self.subgraphs.push(callee);
        self.subgraphs.len() as i32
    }

    /// Padding, strides, dilation and the output's size, for an input of `size` and a filter of `kernel`.
    fn window(&mut self, size: (i32, i32), kernel: (i32, i32), dilate: bool) -> (ConvOptions, (i32, i32)) {
        let mut o = ConvOptions {
            padding: self.choices.one_of(&[SAME, VALID]),
            stride: (self.choices.one_of(&[1, 1, 2, 3]), self.choices.one_of(&[1, 1, 2, 3])),
            dilation: (1, 1),
            activation: self.fused(),
        };
        if dilate && self.choices.one_in(4) {
            o.dilation = (self.choices.pick(1, 3), self.choices.pick(1, 3));
        }
        let reach = |kernel: i32, dilation: i32| (kernel - 1) * dilation + 1;
        let reach = (reach(kernel.0, o.dilation.0), reach(kernel.1, o.dilation.1));
        if reach.0 > size.0 || reach.1 > size.1 {
            o.padding = SAME;
        }
        let out = |size: i32, reach: i32, stride: i32| match o.padding {
            SAME => (size + stride - 1) / stride,
            _ => (size - reach) / stride + 1,
        };
        (o, (out(size.0, reach.0, o.stride.0), out(size.1, reach.1, o.stride.1)))
    }

    fn kernel(&mut self) -> (i32, i32) {
        (self.choices.one_of(&[1, 2, 3, 3, 5]), self.choices.one_of(&[1, 2, 3, 3, 5]))
    }

    /// Weights of `taps` values for each output channel, and maybe a bias: their numbers, and the scale
    /// of an output that uses its range.
    fn weights(&mut self, input: i32, shape: &[i32], axis: usize, taps: i32) -> (i32, Option<i32>, f32) {
        let channels = shape[axis];
        let per_channel = self.choices.one_of(&[true, true, false]);
        let count = if per_channel { channels as usize } else { 1 };
        let scales: Vec<f32> = (0..count).map(|_| 0.004 + 0.02 * self.data.unit()).collect();
        let len = shape.iter().product::<i32>() as usize;
        let data = self.data.int8(len);
        let (input_scale, _) = quantization(self.get(input));
        let output_scale = input_scale * scales[0] * (taps as f32).sqrt() * 40.0;
        let weights = self.graph.tensor(Tensor::weights(shape, &scales, axis as i32, &data));
        let bias = (!self.choices.one_in(4)).then(|| {
            let data: Vec<i32> = (0..channels).map(|_| self.data.next_word() as i32 >> 19).collect();
            self.graph.tensor(Tensor::bias(&data))
        });
        (weights, bias, output_scale)
    }

    /// An operator with weights. A bias that is left out is -1 or not in the list.
    fn weighted(&mut self, code: i32, options: Options, ids: [i32; 2], bias: Option<i32>, output: Tensor) {
        let [input, weights] = ids;
        match bias {
            Some(bias) => self.add_op(code, options, &[input, weights, bias], output),
            None if self.choices.one_in(2) => self.add_op(code, options, &[input, weights], output),
            None => self.add_op(code, options, &[input, weights, -1], output),
        }
    }

    fn conv(&mut self, input: i32) {
        let shape = self.get(input).shape.clone();
        let [n, h, w, c] = shape[..] else { return };
        let divisors: Vec<i32> = (1..=c).filter(|groups| c % groups == 0).collect();
        let groups = if self.choices.one_in(3) { self.choices.one_of(&divisors) } else { 1 };
        let filters = groups * self.choices.one_of(&[1, 2, 3, 4, 5, 8]).min(1.max(24 / groups));
        let kernel = self.kernel();
        let (o, size) = self.window((h, w), kernel, true);
        let filter = [filters, kernel.0, kernel.1, c / groups];
        let (weights, bias, scale) = self.weights(input, &filter, 0, kernel.0 * kernel.1 * c / groups);
        let output = self.activation(&[n, size.0, size.1, filters], scale);
        self.weighted(code::CONV_2D, Options::Conv2d(o), [input, weights], bias, output);
    }

    fn depthwise(&mut self, input: i32) {
        let shape = self.get(input).shape.clone();
        let [n, h, w, c] = shape[..] else { return };
        let depth = c * if c <= 8 { self.choices.one_of(&[1, 1, 2, 3]) } else { 1 };
        let kernel = self.kernel();
        let (o, size) = self.window((h, w), kernel, true);
        let filter = [1, kernel.0, kernel.1, depth];
        let (weights, bias, scale) = self.weights(input, &filter, 3, kernel.0 * kernel.1);
        let output = self.activation(&[n, size.0, size.1, depth], scale);
        let options = Options::DepthwiseConv2d(o);
        self.weighted(code::DEPTHWISE_CONV_2D, options, [input, weights], bias, output);
    }

    fn pool(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let [n, h, w, c] = tensor.shape[..] else { return };
        let filter = self.kernel();
        let (o, size) = self.window((h, w), filter, false);
        let options = PoolOptions { padding: o.padding, stride: o.stride, filter, activation: o.activation };
        let code = self.choices.one_of(&[code::AVERAGE_POOL_2D, code::MAX_POOL_2D]);
        let (scale, zero_point) = quantization(&tensor);
        let output = Tensor::int8(&[n, size.0, size.1, c], scale, zero_point);
        self.add_op(code, Options::Pool2d(options), &[input], output);
    }

    fn fully_connected(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let depth = match self.choices.pick(0, 1) {
            0 => tensor.shape.last().copied().unwrap_or(1),
            _ => tensor.len() as i32,
        };
        let batch = tensor.len() as i32 / depth;
        let outputs = self.choices.one_of(&[1, 2, 3, 5, 7, 10, 17]);
        let (weights, bias, scale) = self.weights(input, &[outputs, depth], 0, depth);
        let output = self.activation(&[batch, outputs], scale);
        let options = Options::FullyConnected { activation: self.fused(), weights_format: 0 };
        self.weighted(code::FULLY_CONNECTED, options, [input, weights], bias, output);
    }

    fn reshape(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let len = tensor.len() as i32;
        let last = tensor.shape.last().copied().unwrap_or(1);
        let shape = match self.choices.pick(0, 4) {
            0 => vec![1, len],
            1 => vec![len],
            2 => vec![1, 1, len / last, last],
            3 => vec![1, len / last, 1, last],
            _ => vec![len, 1],
        };
        let mut inputs = vec![input];
        if self.choices.one_in(2) {
            let bytes = shape.iter().flat_map(|dim| dim.to_le_bytes()).collect();
            let tensor = Tensor::typed(Type::INT32, &[shape.len() as i32]).constant(bytes);
            inputs.push(self.graph.tensor(tensor));
        }
        let options = Options::Reshape { new_shape: shape.clone() };
        self.add_op(code::RESHAPE, options, &inputs, Tensor { shape, name: String::new(), ..tensor });
    }

    /// A function of this and another tensor of the same shape, the tensor itself, or a constant that is
    /// broadcast.
    fn binary(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let (scale, _) = quantization(&tensor);
        let same: Vec<i32> = self
            .activations
            .iter()
            .copied()
            .filter(|&id| self.get(id).shape == tensor.shape && self.get(id).dtype == Type::INT8)
            .collect();
        let last = tensor.shape.last().copied().unwrap_or(1);
        let mut shape = tensor.shape.clone();
        let other = match self.choices.pick(0, 5) {
            0..=3 => self.choices.one_of(&same),
            kind => {
                let constant = match kind {
                    4 => vec![last],
                    _ => vec![1; shape.len().max(1)],
                };
                let data = self.data.bytes(constant.iter().product::<i32>() as usize);
                let constant = self.activation(&constant, scale).constant(data);
                self.graph.tensor(constant)
            }
        };
        if shape.is_empty() {
            shape.clone_from(&self.get(other).shape);
        }
        let (other_scale, _) = quantization(self.get(other));
        let codes = [
            code::ADD,
            code::ADD,
            code::ADD,
            code::SUB,
            code::MUL,
            code::MAXIMUM,
            code::MINIMUM,
            code::SQUARED_DIFFERENCE,
            code::PRELU,
        ];
        let code = match self.choices.one_of(&codes) {
            // Its output has the rank of its first input.
            code::PRELU if tensor.shape.is_empty() => code::ADD,
            code => code,
        };
        let scale = match code {
            code::MUL | code::PRELU => scale * other_scale * 60.0,
            code::SQUARED_DIFFERENCE => scale * other_scale * 120.0,
            _ => scale.max(other_scale) * 1.5,
        };
        let output = self.activation(&shape, scale);
        let fused = self.fused();
        let options = match code {
            code::ADD if fused != 0 => Options::Add { activation: fused },
            code::SUB => options(28, [flatbuf::i8(fused)]),
            code::MUL => options(21, [flatbuf::i8(fused)]),
            _ => Options::None,
        };
        if code == code::PRELU {
            return self.add_op(code, options, &[input, other], output);
        }
        let inputs = if self.choices.one_in(2) { [input, other] } else { [other, input] };
        self.add_op(code, options, &inputs, output);
    }

    fn softmax(&mut self, input: i32) {
        let shape = self.get(input).shape.clone();
        let output = if self.choices.one_in(3) {
            Tensor::typed(Type::INT16, &shape).quantized(1.0 / 65_536.0, -32_768)
        } else {
            Tensor::int8(&shape, 1.0 / 256.0, -128)
        };
        self.add_op(code::SOFTMAX, Options::Softmax { beta: 1.0 }, &[input], output);
    }

    fn relu(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let (scale, _) = quantization(&tensor);
        let code = self.choices.one_of(&[code::RELU, code::RELU6, code::RELU_N1_TO_1]);
        let output = self.activation(&tensor.shape, scale);
        self.add_op(code, Options::None, &[input], output);
    }

    /// A function of one tensor.
    fn unary(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let (scale, _) = quantization(&tensor);
        let codes = [
            code::LOGISTIC,
            code::TANH,
            code::HARD_SWISH,
            code::LEAKY_RELU,
            code::ELU,
            code::EXP,
            code::ABS,
            code::CAST,
            code::LOG,
            code::GELU,
        ];
        let code = self.choices.one_of(&codes);
        let output = match code {
            code::LOGISTIC => Tensor::int8(&tensor.shape, 1.0 / 256.0, -128),
            code::TANH => Tensor::int8(&tensor.shape, 1.0 / 128.0, 0),
            code::CAST => Tensor::typed(self.choices.one_of(&[Type::INT16, Type::FLOAT32]), &tensor.shape),
            _ => self.activation(&tensor.shape, scale),
        };
        if code == code::CAST {
            let id = self.graph.op(code, Options::None, &[input], output);
            return self.graph.outputs.push(id);
        }
        let options = match code {
            code::LEAKY_RELU => options(75, [flatbuf::f32(0.1)]),
            code::GELU => options(116, [flatbuf::u8(self.choices.pick(0, 1) as u8)]),
            _ => Options::None,
        };
        self.add_op(code, options, &[input], output);
    }

    fn quantize(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let (mut scale, _) = quantization(&tensor);
        let to = match tensor.dtype {
            Type::FLOAT32 => {
                scale = 0.05;
                self.choices.one_of(&[Type::INT8, Type::INT8, Type::INT16])
            }
            Type::INT8 => self.choices.one_of(&[Type::INT8, Type::UINT8, Type::INT16, Type::INT32]),
            Type::INT16 => self.choices.one_of(&[Type::INT8, Type::INT8, Type::INT16, Type::INT32]),
            Type::INT32 => self.choices.one_of(&[Type::INT8, Type::INT8, Type::INT16]),
            _ => Type::INT8,
        };
        let (factor, zero_point) = match to {
            Type::UINT8 => (1.0, i64::from(self.choices.byte())),
            Type::INT16 | Type::INT32 => (0.01, 0),
            _ if matches!(tensor.dtype, Type::INT16 | Type::INT32) => (100.0, 3),
            _ => (1.0, i64::from(self.choices.byte() as i8)),
        };
        let scale = scale * factor * (0.5 + self.data.unit());
        let output = Tensor::typed(to, &tensor.shape).quantized(scale, zero_point);
        self.add_op(code::QUANTIZE, Options::None, &[input], output);
    }

    fn dequantize(&mut self, input: i32) {
        let output = Tensor::typed(Type::FLOAT32, &self.get(input).shape.clone());
        self.add_op(code::DEQUANTIZE, Options::None, &[input], output);
    }

    fn svdf(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let [batch, features] = tensor.shape[..] else { return };
        let rank = self.choices.pick(1, 3);
        let units = self.choices.pick(1, 5);
        let memory = self.choices.pick(1, 6);
        let filters = units * rank;
        let (scale, _) = quantization(&tensor);
        let data = self.data.int8((filters * features) as usize);
        let weight_scale = 0.01;
        let feature = self.graph.tensor(Tensor::weights(&[filters, features], &[weight_scale], 0, &data));
        let state_shape = [batch, filters * memory];
        let state_scale = scale * weight_scale * (features as f32).sqrt() * 60.0;
        let (time, state) = if self.choices.one_in(2) {
            let bytes = self.data.bytes((filters * memory * 2) as usize);
            let time = Tensor::typed(Type::INT16, &[filters, memory]).quantized(4e-5, 0).constant(bytes);
            (time, Tensor::typed(Type::INT16, &state_shape).quantized(state_scale / 200.0, 0))
        } else {
            let data = self.data.int8((filters * memory) as usize);
            let state = self.activation(&state_shape, state_scale);
            (Tensor::weights(&[filters, memory], &[weight_scale], 0, &data), state)
        };
        let time = self.graph.tensor(time);
        let state = self.graph.tensor(state.variable());
        let bias = if self.choices.one_in(3) {
            -1
        } else {
            let data: Vec<i32> = (0..units).map(|_| self.data.next_word() as i32 >> 20).collect();
            self.graph.tensor(Tensor::bias(&data))
        };
        let output = self.activation(&[batch, units], state_scale * (memory as f32).sqrt());
        let options = Options::Svdf { rank, activation: 0 };
        let inputs = [input, feature, time, bias, state];
        self.add_op(code::SVDF, options, &inputs, output);
    }
}

/// Options of operators that move, reduce and resize.
fn options(tag: u8, fields: impl IntoIterator<Item = Field>) -> Options {
    Options::Other(tag, (0..).zip(fields).collect())
}

impl Builder<'_, '_> {
    /// A constant of integers.
    fn ints(&mut self, values: &[i32]) -> i32 {
        self.graph.tensor(Tensor::bias(values))
    }

    /// Adds an operator whose outputs are as its input in all but shape.
    fn move_to(&mut self, code: i32, options: Options, inputs: &[i32], like: &Tensor, shapes: &[Vec<i32>]) {
        let mut outputs = Vec::new();
        for shape in shapes {
            let tensor = Tensor { name: String::new(), shape: shape.clone(), data: None, ..like.clone() };
            outputs.push(self.graph.tensor(tensor));
        }
        self.activations.extend(&outputs);
        self.graph.ops.push(Op { code, custom: None, inputs: inputs.to_vec(), outputs, options });
    }

    /// An operator that only moves elements.
    fn movement(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let shape = tensor.shape.clone();
        let rank = shape.len() as i32;
        let axis = self.choices.pick(0, rank - 1);
        let (d, size) = (axis as usize, shape[axis as usize]);
        // An axis may count from the end.
        let named = if self.choices.one_in(4) { axis - rank } else { axis };
        let with = |d: usize, size: i32| {
            let mut shape = shape.clone();
            shape[d] = size;
            shape
        };
        match self.choices.pick(0, 18) {
            15..=18 => self.move_more(input),
            0 | 1 => {
                let mut inputs = vec![input; self.choices.pick(1, 3) as usize];
                let mut sum = size * inputs.len() as i32;
                if self.choices.one_in(3) && tensor.dtype == Type::INT8 {
                    let wide = self.choices.pick(1, 4);
                    let data = self.data.bytes(tensor.len() / size as usize * wide as usize);
                    let constant = Tensor { shape: with(d, wide), ..tensor.clone() }.constant(data);
                    inputs.push(self.graph.tensor(Tensor { name: String::new(), ..constant }));
                    sum += wide;
                }
                let o = options(10, [flatbuf::i32(named), flatbuf::i8(0)]);
                self.move_to(code::CONCATENATION, o, &inputs, &tensor, &[with(d, sum)]);
            }
            2 => {
                let divisors: Vec<i32> = (1..=size.min(4)).filter(|parts| size % parts == 0).collect();
                let parts = self.choices.one_of(&divisors);
                let id = self.graph.tensor(Tensor { shape: Vec::new(), ..Tensor::bias(&[named]) });
                let shapes = vec![with(d, size / parts); parts as usize];
                let o = options(35, [flatbuf::i32(parts)]);
                self.move_to(code::SPLIT, o, &[id, input], &tensor, &shapes);
            }
            3 => {
                let first = self.choices.pick(1, size.min(200));
                let sizes = if first < size { vec![first, size - first] } else { vec![size] };
                let shapes: Vec<_> = sizes.iter().map(|&size| with(d, size)).collect();
                let ids = [input, self.ints(&sizes), self.ints(&[named])];
                let o = options(79, [flatbuf::i32(sizes.len() as i32)]);
                self.move_to(code::SPLIT_V, o, &ids, &tensor, &shapes);
            }
            4 if rank < 6 => {
                let count = self.choices.pick(1, 3);
                let mut shape = shape.clone();
                shape.insert(d, count);
                let o = options(59, [flatbuf::i32(count), flatbuf::i32(axis)]);
                self.move_to(code::PACK, o, &vec![input; count as usize], &tensor, &[shape]);
            }
            5 if size < 9 => {
                let mut shape = shape.clone();
                shape.remove(d);
                let o = options(64, [flatbuf::i32(size), flatbuf::i32(named)]);
                self.move_to(code::UNPACK, o, &[input], &tensor, &vec![shape; size as usize]);
            }
            6 => {
                let begin: Vec<i32> =
                    shape.iter().map(|&size| self.choices.pick(0, size.min(200) - 1)).collect();
                let count: Vec<i32> = shape.iter().zip(&begin).map(|(size, begin)| size - begin).collect();
                let mut asked = count.clone();
                asked[d] = -1;
                let ids = [input, self.ints(&begin), self.ints(&asked)];
                self.move_to(code::SLICE, Options::None, &ids, &tensor, &[count]);
            }
            7 | 8 => self.strided_slice(input),
            9 => {
                let mut order: Vec<i32> = (0..rank).collect();
                for i in 0..order.len() {
                    order.swap(i, self.choices.pick(0, rank - 1) as usize);
                }
                let to = order.iter().map(|&axis| shape[axis as usize]).collect();
                let ids = [input, self.ints(&order)];
                self.move_to(code::TRANSPOSE, Options::None, &ids, &tensor, &[to]);
            }
            10 => {
                let margins: Vec<i32> = (0..2 * rank).map(|_| self.choices.one_of(&[0, 0, 1, 2])).collect();
                let to = shape.iter().zip(margins.chunks(2)).map(|(size, m)| size + m[0] + m[1]).collect();
                let table = self.ints(&margins);
                self.graph.tensors[table as usize].shape = vec![rank, 2];
                self.move_to(code::PAD, Options::None, &[input, table], &tensor, &[to]);
            }
            11 if rank == 4 => {
                let block = self.choices.pick(1, 3);
                let [n, h, w, c] = shape[..] else { return };
                if h % block == 0 && w % block == 0 {
                    let to = vec![n, h / block, w / block, c * block * block];
                    let o = options(19, [flatbuf::i32(block)]);
                    self.move_to(code::SPACE_TO_DEPTH, o, &[input], &tensor, &[to]);
                } else if c % (block * block) == 0 {
                    let to = vec![n, h * block, w * block, c / (block * block)];
                    let o = options(94, [flatbuf::i32(block)]);
                    self.move_to(code::DEPTH_TO_SPACE, o, &[input], &tensor, &[to]);
                }
            }
            12 if rank == 4 => self.batches(input),
            13 => {
                let mut to = shape.clone();
                to.iter_mut().filter(|size| **size == 1).for_each(|size| *size = self.choices.pick(1, 3));
                if rank < 6 && self.choices.one_in(2) {
                    to.insert(0, 2);
                }
                let ids = [input, self.ints(&to)];
                self.move_to(code::BROADCAST_TO, Options::None, &ids, &tensor, &[to]);
            }
            _ => {
                let mut to = shape.clone();
                if rank < 6 {
                    to.insert(d, 1);
                }
                let ids = [input, self.ints(&[axis])];
                self.move_to(code::EXPAND_DIMS, Options::None, &ids, &tensor, &[to]);
            }
        }
    }

    fn strided_slice(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let (mut begin, mut end, mut stride): (Vec<i32>, Vec<i32>, Vec<i32>) = Default::default();
        let mut to = Vec::new();
        let mut shrink = 0;
        for (d, &size) in tensor.shape.iter().enumerate() {
            let step = self.choices.one_of(&[1, 1, 2, 3, -1, -2]);
            let first = self.choices.pick(0, size.min(200) - 1);
            begin.push(first);
            stride.push(if self.choices.one_in(6) { 1 } else { step });
            if stride[d] == 1 && self.choices.one_in(5) {
                shrink |= 1 << d;
                end.push(first + 1);
                continue;
            }
            let (last, left) = if stride[d] > 0 { (size, size - first) } else { (-1 - size, first + 1) };
            end.push(last);
            to.push((left + stride[d].abs() - 1) / stride[d].abs());
        }
        let ids = [input, self.ints(&begin), self.ints(&end), self.ints(&stride)];
        let o = options(32, [0, 0, 0, 0, shrink].map(flatbuf::i32));
        self.move_to(code::STRIDED_SLICE, o, &ids, &tensor, &[to]);
    }

    /// SPACE_TO_BATCH_ND, or BATCH_TO_SPACE_ND where the batch allows.
    fn batches(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let [n, h, w, c] = tensor.shape[..] else { return };
        let block = [self.choices.pick(1, 3), self.choices.pick(1, 2)];
        let margin = [self.choices.pick(0, 2), self.choices.pick(0, 2)];
        let cells = block[0] * block[1];
        let wide = [h * block[0] - margin[0], w * block[1] - margin[1]];
        let (code, margins, to) = if n % cells == 0 && wide[0] > 0 && wide[1] > 0 {
            let margins = [margin[0], 0, 0, margin[1]];
            (code::BATCH_TO_SPACE_ND, margins, vec![n / cells, wide[0], wide[1], c])
        } else {
            // Behind, what is missing to the next block.
            let missing = |size: i32, d: usize| (block[d] - (size + margin[d]) % block[d]) % block[d];
            let margins = [margin[0], missing(h, 0), margin[1], missing(w, 1)];
            let (height, width) = (h + margins[0] + margins[1], w + margins[2] + margins[3]);
            (code::SPACE_TO_BATCH_ND, margins, vec![n * cells, height / block[0], width / block[1], c])
        };
        let ids = [input, self.ints(&block), self.ints(&margins)];
        self.graph.tensors[ids[2] as usize].shape = vec![2, 2];
        self.move_to(code, Options::None, &ids, &tensor, &[to]);
    }

    fn reduce(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let rank = tensor.shape.len() as i32;
        let codes = [
            code::MEAN,
            code::MEAN,
            code::SUM,
            code::REDUCE_MAX,
            code::REDUCE_MIN,
            code::ARG_MAX,
            code::ARG_MIN,
        ];
        let code = self.choices.one_of(&codes);
        let is_arg = matches!(code, code::ARG_MAX | code::ARG_MIN);
        let mut axes = vec![self.choices.pick(0, rank - 1)];
        if !is_arg && self.choices.one_in(2) {
            axes.push(self.choices.pick(0, rank - 1));
        }
        let keep = !is_arg && self.choices.one_in(2);
        let mut shape = Vec::new();
        for (d, &size) in (0..).zip(&tensor.shape) {
            match axes.contains(&d) {
                true if keep => shape.push(1),
                true => {}
                false => shape.push(size),
            }
        }
        let ids = [input, self.ints(&axes)];
        if is_arg {
            let tag = if code == code::ARG_MAX { 40 } else { 57 };
            let o = options(tag, [flatbuf::i8(Type::INT32.0)]);
            let id = self.graph.op(code, o, &ids, Tensor::typed(Type::INT32, &shape));
            self.graph.outputs.push(id);
        } else {
            let o = options(27, [flatbuf::u8(keep.into())]);
            let (scale, zero_point) = quantization(&tensor);
            let output = match code {
                code::MEAN | code::SUM => self.activation(&shape, scale),
                _ => Tensor::int8(&shape, scale, zero_point),
            };
            self.add_op(code, o, &ids, output);
        }
    }

    fn resize(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let [n, _, _, c] = tensor.shape[..] else { return };
        let (h, w) = (self.choices.pick(1, 12), self.choices.pick(1, 12));
        let (align, half) = self.choices.one_of(&[(0, 0), (0, 1), (1, 0)]);
        let ids = [input, self.ints(&[h, w])];
        let flags = [(2, flatbuf::u8(align)), (3, flatbuf::u8(half))];
        let (code, o) = if self.choices.one_in(2) {
            (code::RESIZE_BILINEAR, Options::Other(15, flags.into()))
        } else {
            (code::RESIZE_NEAREST_NEIGHBOR, options(74, flags.map(|(_, field)| field)))
        };
        self.move_to(code, o, &ids, &tensor, &[vec![n, h, w, c]]);
    }
}

/// Changes one thing of a model at random, so that it may no longer be sound.
pub fn mutate(model: &mut Model, choices: &mut Choices<'_>) {
    let kind = choices.pick(0, 15);
    let which = usize::from(choices.byte()) % model.subgraphs.len().max(1);
    let Some(graph) = model.subgraphs.get_mut(which) else { return };
    let op_count = graph.ops.len();
    let dims = [0, -1, 1, 2, 3, 7, 8, 255, 256, 65_535, 65_536, 1 << 30, i32::MAX, i32::MIN];
    let tensors = graph.tensors.len() as i32;
    let odd_index = choices.byte();
    let index = |i: u8| match i {
        250.. => i32::from(i) - 252 + tensors,
        240..=249 => -1,
        _ => i32::from(i) % tensors.max(1),
    };
    let tensor = usize::from(choices.byte()) % graph.tensors.len().max(1);
    let op = usize::from(choices.byte()) % graph.ops.len().max(1);
    let value = choices.byte();
    let place = usize::from(choices.byte());
    let tensor = graph.tensors.get_mut(tensor);
    let op = graph.ops.get_mut(op);
    match (kind, tensor, op) {
        (0, Some(tensor), _) if !tensor.shape.is_empty() => {
            let at = place % tensor.shape.len();
            tensor.shape[at] = dims[usize::from(value) % dims.len()];
        }
        (1, Some(tensor), _) if !tensor.shape.is_empty() => {
            let at = place % tensor.shape.len();
            tensor.shape[at] = i32::from(value);
            // Often the data has to follow for the model to stay sound.
            if let (Some(len), Some(data)) = (short_len(tensor), &mut tensor.data) {
                data.resize(len, value);
            }
        }
        (2, Some(tensor), _) => tensor.shape.insert(place % (tensor.shape.len() + 1), 1),
        (3, Some(tensor), _) => tensor.dtype = Type((value % 24) as i8),
        (4, Some(tensor), _) => {
            let q = tensor.quantization.get_or_insert_with(Quantization::default);
            let scales = [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-38, 1e-45, 1e38, 1e-6, 1.0, 1e6];
            let scale = scales[usize::from(value) % scales.len()];
            match q.scales.len() {
                0 => q.scales.push(scale),
                len => q.scales[place % len] = scale,
            }
        }
        (5, Some(tensor), _) => {
            let q = tensor.quantization.get_or_insert_with(Quantization::default);
            let zeros = [0, -128, 127, 128, -129, 255, 32_767, -32_768, i64::MAX, i64::MIN, 1 << 32];
            let zero = zeros[usize::from(value) % zeros.len()];
            match q.zero_points.len() {
                0 => q.zero_points.push(zero),
                len => q.zero_points[place % len] = zero,
            }
        }
        (6, Some(tensor), _) => match &mut tensor.quantization {
            Some(q) if value < 100 => q.axis = i32::from(value) % 8 - 2,
            Some(q) if value < 180 => q.scales.resize(place % 40, 0.1),
            Some(q) if value < 230 => q.zero_points.resize(place % 40, 0),
            other => *other = None,
        },
        (7, Some(tensor), _) => match &mut tensor.data {
            // Axes, sizes and margins are integers of four bytes.
            Some(data) if value < 160 && data.len() >= 4 => {
                let at = place % (data.len() / 4) * 4;
                let number = dims[usize::from(odd_index) % dims.len()];
                data[at..at + 4].copy_from_slice(&number.to_le_bytes());
            }
            Some(data) if value < 220 => data.truncate(place),
            Some(_) => tensor.data = None,
            None => tensor.data = short_len(tensor).map(|len| vec![value; len]),
        },
        (8, Some(tensor), _) => match value % 4 {
            0 => tensor.sparse = true,
            1 => tensor.buffer = Some(u32::from(odd_index)),
            _ => tensor.variable = !tensor.variable,
        },
        (9, _, Some(op)) if !op.inputs.is_empty() => {
            let at = place % op.inputs.len();
            op.inputs[at] = index(odd_index);
        }
        (10, _, Some(op)) => match value % 5 {
            0 => op.inputs.push(index(odd_index)),
            1 => drop(op.inputs.pop()),
            2 => op.outputs.push(index(odd_index)),
            3 => drop(op.outputs.pop()),
            _ => op.outputs = vec![index(odd_index)],
        },
        (11, _, Some(op)) => {
            let odd = [-1, 114, 127, 130, 200, 209, 300, 70_000];
            op.code = if value < 200 { i32::from(value) } else { odd[place % odd.len()] };
            if op.code == code::CUSTOM {
                op.custom = Some("Custom".to_owned());
            }
        }
        (12 | 13, _, Some(op)) => mutate_options(op, value, place, dims[usize::from(odd_index) % dims.len()]),
        (14, _, _) => {
            let list = if value < 128 { &mut graph.inputs } else { &mut graph.outputs };
            match place % 4 {
                0 => drop(list.pop()),
                1 => list.push(index(odd_index)),
                2 => list.insert(0, index(odd_index)),
                _ => list.clear(),
            }
        }
        (15, _, _) if op_count > 1 => graph.ops.swap(usize::from(value) % op_count, place % op_count),
        _ => match value % 16 {
            0 => graph.alias_ops = u32::from(odd_index),
            1 => graph.alias_tensors = u32::from(odd_index),
            2 => model.alias_subgraphs = u32::from(odd_index),
            3 => model.external_buffers = true,
            4 => model.version = u32::from(odd_index) % 5,
            5 => {
                let copy = graph.clone();
                model.subgraphs.push(copy);
            }
            _ => {}
        },
    }
}

/// The bytes that a tensor's data should have, unless they are many.
fn short_len(tensor: &Tensor) -> Option<usize> {
    tensor.shape.iter().try_fold(element_bytes(tensor.dtype), |len: usize, &dim| {
        len.checked_mul(usize::try_from(dim).ok()?).filter(|&len| len < 1 << 16)
    })
}

/// Bytes an element takes.
fn element_bytes(dtype: Type) -> usize {
    match dtype {
        Type::FLOAT32 | Type::INT32 => 4,
        Type::INT16 => 2,
        Type::INT64 => 8,
        _ => 1,
    }
}

fn mutate_options(op: &mut Op, value: u8, place: usize, number: i32) {
    match &mut op.options {
        Options::Conv2d(o) | Options::DepthwiseConv2d(o) => match place % 6 {
            0 => o.padding = (value % 4) as i8,
            1 => o.stride.0 = number,
            2 => o.stride.1 = number,
            3 => o.dilation.0 = number,
            4 => o.dilation.1 = number,
            _ => o.activation = (value % 8) as i8,
        },
        Options::Pool2d(o) => match place % 6 {
            0 => o.padding = (value % 4) as i8,
            1 => o.stride.0 = number,
            2 => o.stride.1 = number,
            3 => o.filter.0 = number,
            4 => o.filter.1 = number,
            _ => o.activation = (value % 8) as i8,
        },
        Options::FullyConnected { activation, weights_format } => match place % 2 {
            0 => *activation = (value % 8) as i8,
            _ => *weights_format = (value % 4) as i8,
        },
        Options::Softmax { beta } => *beta = f32::from_bits(number as u32 ^ u32::from(value) << 24),
        Options::Add { activation } => *activation = (value % 8) as i8,
        Options::Svdf { rank, .. } => *rank = number,
        Options::Other(_, fields) if !fields.is_empty() => {
            let at = place % fields.len();
            if let Field::Scalar(bytes) = &mut fields[at].1 {
                let number = number.to_le_bytes();
                bytes.iter_mut().zip(number).for_each(|(byte, new)| *byte = new);
            }
        }
        Options::None => op.options = Options::Other(value, Vec::new()),
        _ => op.options = Options::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every operator that the generator has a way to is reached, and soon.
    #[test]
    fn all_operators_are_drawn() {
        let mut seed = Xorshift(1);
        let mut drawn = [false; 256];
        for _ in 0..3_000 {
            let bytes = seed.bytes(200);
            for op in &model(&mut Choices::new(&bytes), 10).subgraphs[0].ops {
                drawn[op.code as usize] = true;
            }
        }
        let wanted = [
            code::EMBEDDING_LOOKUP,
            code::L2_NORMALIZATION,
            code::L2_POOL_2D,
            code::GATHER,
            code::DIV,
            code::LOG_SOFTMAX,
            code::LESS,
            code::TRANSPOSE_CONV,
            code::TILE,
            code::EQUAL,
            code::SQRT,
            code::RSQRT,
            code::SHAPE,
            code::REDUCE_PROD,
            code::LOGICAL_OR,
            code::LOGICAL_NOT,
            code::FLOOR_DIV,
            code::REDUCE_ANY,
            code::ZEROS_LIKE,
            code::FILL,
            code::FLOOR_MOD,
            code::MIRROR_PAD,
            code::REVERSE_V2,
            code::ADD_N,
            code::GATHER_ND,
            code::SELECT_V2,
            code::BATCH_MATMUL,
            code::CUMSUM,
            code::REDUCE_ALL,
            code::DYNAMIC_UPDATE_SLICE,
            code::SIN,
            code::LOG,
            code::GELU,
            code::ONE_HOT,
        ];
        for code in wanted {
            assert!(drawn[code as usize], "{code}");
        }
    }
}
