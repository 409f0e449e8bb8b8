//! Operators that pick, compare, normalise and multiply.

use super::{Builder, element_bytes, options, quantization};
use crate::{Op, Options, SAME, Tensor, Type, VALID, code, flatbuf};

impl Builder<'_, '_> {
    /// One of the operators in this file, on an int8 tensor.
    pub(super) fn more(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let rank = tensor.shape.len();
        match self.choices.pick(0, 13) {
            0..=2 if rank == 4 => self.transpose_conv(input),
            3 if rank >= 2 => self.batch_matmul(input),
            4 if rank >= 1 => self.gather(input),
            5 if rank >= 1 => self.gather_nd(input),
            6 if rank >= 1 => self.normalize(input),
            7 if rank >= 1 => self.cumsum(input),
            8 => self.add_n(input),
            9 => self.div(input),
            10 if rank >= 1 => self.update_slice(input),
            11 => self.float_function(input),
            12 if rank >= 1 => self.one_hot(input),
            _ => self.relation(input),
        }
    }

    /// A function that converters leave between DEQUANTIZE and QUANTIZE.
    fn float_function(&mut self, input: i32) {
        let shape = self.get(input).shape.clone();
        let float = || Tensor::typed(Type::FLOAT32, &shape);
        let codes =
            [code::SIN, code::COS, code::LOG, code::EXP, code::ELU, code::TANH, code::LOGISTIC, code::SIGN];
        let code = self.choices.one_of(&codes);
        let wide = self.graph.op(code::DEQUANTIZE, Options::None, &[input], float());
        let made = self.graph.op(code, Options::None, &[wide], float());
        let output = self.activation(&shape, 0.02);
        self.add_op(code::QUANTIZE, Options::None, &[made], output);
    }

    fn one_hot(&mut self, input: i32) {
        let shape = self.get(input).shape.clone();
        let Some((_, kept)) = shape.split_last() else { return };
        let axis = self.ints(&[shape.len() as i32 - 1]);
        let o = options(40, [flatbuf::i8(Type::INT32.0)]);
        let index = self.graph.op(code::ARG_MAX, o, &[input, axis], Tensor::typed(Type::INT32, kept));
        let depth = self.choices.pick(1, 5);
        let scalar = |value: u8| Tensor::int8(&[], 0.1, 0).constant(vec![value]);
        let depth_id = self.graph.tensor(Tensor { shape: Vec::new(), ..Tensor::bias(&[depth]) });
        let [on, off] = [100, 3].map(|value| self.graph.tensor(scalar(value)));
        let output = Tensor::int8(&[kept, &[depth]].concat(), 0.1, 0);
        let o = options(61, [flatbuf::i32(-1)]);
        self.add_op(code::ONE_HOT, o, &[index, depth_id, on, off], output);
    }

    fn transpose_conv(&mut self, input: i32) {
        let shape = self.get(input).shape.clone();
        let [n, h, w, c] = shape[..] else { return };
        let kernel = self.kernel();
        let stride = (self.choices.one_of(&[1, 1, 2, 3]), self.choices.one_of(&[1, 2, 2]));
        let padding = self.choices.one_of(&[SAME, VALID]);
        let mut out = |size: i32, kernel: i32, stride: i32| match padding {
            SAME => size * stride - self.choices.pick(0, stride - 1),
            _ => (size - 1) * stride + kernel + self.choices.pick(0, stride - 1),
        };
        let size = (out(h, kernel.0, stride.0), out(w, kernel.1, stride.1));
        let filters = self.choices.pick(1, 4);
        let (weights, bias, scale) =
            self.weights(input, &[filters, kernel.0, kernel.1, c], 0, kernel.0 * kernel.1 * c);
        let dims = [n, size.0, size.1, filters];
        let output = self.activation(&dims, scale);
        let mut inputs = vec![self.ints(&dims), weights, input];
        inputs.extend(bias);
        let fields =
            [flatbuf::i8(padding), flatbuf::i32(stride.1), flatbuf::i32(stride.0), flatbuf::i8(self.fused())];
        self.add_op(code::TRANSPOSE_CONV, options(49, fields), &inputs, output);
    }

    /// By a constant, or by itself transposed.
    fn batch_matmul(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let (scale, _) = quantization(&tensor);
        let Some((batch, &[rows, depth])) = tensor.shape.split_last_chunk() else { return };
        let (other, columns, adjoint) = if self.choices.one_in(2) {
            (input, rows, true)
        } else {
            let columns = self.choices.pick(1, 5);
            let adjoint = self.choices.one_in(2);
            let shape = if adjoint { [columns, depth] } else { [depth, columns] };
            let data = self.data.bytes((columns * depth) as usize);
            let constant = self.activation(&shape, 0.02).constant(data);
            (self.graph.tensor(constant), columns, adjoint)
        };
        let (other_scale, _) = quantization(self.get(other));
        let shape = [batch, &[rows, columns][..]].concat();
        let output = self.activation(&shape, scale * other_scale * 100.0);
        let o = options(101, [flatbuf::u8(0), flatbuf::u8(adjoint.into())]);
        self.add_op(code::BATCH_MATMUL, o, &[input, other], output);
    }

    fn gather(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let rank = tensor.shape.len() as i32;
        let axis = self.choices.pick(0, rank - 1);
        let size = tensor.shape[axis as usize];
        let count = self.choices.pick(1, 4);
        let indices: Vec<i32> = (0..count).map(|_| self.choices.pick(0, size.min(200) - 1)).collect();
        let mut shape = tensor.shape.clone();
        shape[axis as usize] = count;
        if rank >= 2 && axis == 0 && self.choices.one_in(3) {
            let ids = [self.ints(&indices), input];
            return self.move_to(code::EMBEDDING_LOOKUP, Options::None, &ids, &tensor, &[shape]);
        }
        let ids = [input, self.ints(&indices)];
        let o = options(23, [flatbuf::i32(axis), flatbuf::i32(0)]);
        self.move_to(code::GATHER, o, &ids, &tensor, &[shape]);
    }

    fn gather_nd(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let depth = self.choices.pick(1, tensor.shape.len() as i32) as usize;
        let vectors = self.choices.pick(1, 3);
        let mut indices = Vec::new();
        for _ in 0..vectors {
            for &size in &tensor.shape[..depth] {
                indices.push(self.choices.pick(0, size.min(200) - 1));
            }
        }
        let table = self.ints(&indices);
        self.graph.tensors[table as usize].shape = vec![vectors, depth as i32];
        let shape = [&[vectors], &tensor.shape[depth..]].concat();
        self.move_to(code::GATHER_ND, Options::None, &[input, table], &tensor, &[shape]);
    }

    fn normalize(&mut self, input: i32) {
        let shape = self.get(input).shape.clone();
        if self.choices.one_in(2) {
            let output = Tensor::int8(&shape, 1.0 / 128.0, 0);
            self.add_op(code::L2_NORMALIZATION, options(12, [flatbuf::i8(0)]), &[input], output);
        } else {
            let output = Tensor::int8(&shape, 16.0 / 256.0, 127);
            self.add_op(code::LOG_SOFTMAX, Options::None, &[input], output);
        }
    }

    fn cumsum(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let (scale, _) = quantization(&tensor);
        let axis = self.choices.pick(0, tensor.shape.len() as i32 - 1);
        let flags = [self.choices.pick(0, 1), self.choices.pick(0, 1)].map(|flag| flatbuf::u8(flag as u8));
        let output = self.activation(&tensor.shape, scale * 2.0);
        let ids = [input, self.ints(&[axis])];
        self.add_op(code::CUMSUM, options(102, flags), &ids, output);
    }

    fn add_n(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let (scale, _) = quantization(&tensor);
        let inputs = vec![input; self.choices.pick(2, 5) as usize];
        let output = self.activation(&tensor.shape, scale * 2.0);
        self.add_op(code::ADD_N, Options::None, &inputs, output);
    }

    /// By a constant that holds no 0.
    fn div(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let (scale, _) = quantization(&tensor);
        let last = tensor.shape.last().copied().unwrap_or(1);
        let data = self.data.bytes(last as usize).into_iter().map(|byte| byte | 1).collect();
        let constant = self.graph.tensor(Tensor::int8(&[last], 0.05, 6).constant(data));
        let shape = if tensor.shape.is_empty() { vec![last] } else { tensor.shape };
        let output = self.activation(&shape, scale * 2.0);
        let fused = self.fused();
        self.add_op(code::DIV, options(29, [flatbuf::i8(fused)]), &[input, constant], output);
    }

    fn update_slice(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let part: Vec<i32> = tensor.shape.iter().map(|&size| self.choices.pick(1, size.min(200))).collect();
        let start: Vec<i32> = tensor.shape.iter().map(|_| self.choices.pick(-2, 9)).collect();
        let data = self.data.bytes(part.iter().product::<i32>() as usize);
        let update = Tensor { name: String::new(), shape: part, ..tensor.clone() }.constant(data);
        let ids = [input, self.graph.tensor(update), self.ints(&start)];
        let shapes = [tensor.shape.clone()];
        self.move_to(code::DYNAMIC_UPDATE_SLICE, Options::None, &ids, &tensor, &shapes);
    }

    /// A comparison with this tensor's first row, or with itself.
    fn relation(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        if quantization(&tensor).0 >= 1.0 {
            return;
        }
        let codes =
            [code::EQUAL, code::NOT_EQUAL, code::GREATER, code::GREATER_EQUAL, code::LESS, code::LESS_EQUAL];
        let code = self.choices.one_of(&codes);
        let last = tensor.shape.last().copied().unwrap_or(1);
        let data = self.data.bytes(last as usize);
        let other = self.activation(&[last], 0.05).constant(data);
        let other = if tensor.shape.is_empty() { input } else { self.graph.tensor(other) };
        self.add_op(code, Options::None, &[input, other], Tensor::typed(Type::BOOL, &tensor.shape));
    }

    /// What is made of truth values.
    pub(super) fn boolean(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let same = (0..)
            .zip(&self.graph.tensors)
            .find(|(id, other)| {
                other.dtype == Type::INT8 && other.shape == tensor.shape && self.activations.contains(id)
            })
            .map(|(id, _)| id);
        match self.choices.pick(0, 4) {
            0 => self.add_op(code::LOGICAL_NOT, Options::None, &[input], tensor),
            1 | 2 => {
                let code = self.choices.one_of(&[code::LOGICAL_AND, code::LOGICAL_OR]);
                self.add_op(code, Options::None, &[input, input], tensor);
            }
            3 if !tensor.shape.is_empty() => {
                let code = self.choices.one_of(&[code::REDUCE_ALL, code::REDUCE_ANY]);
                let axes = self.ints(&[0]);
                let output = Tensor::typed(Type::BOOL, &tensor.shape[1..]);
                self.add_op(code, options(27, [flatbuf::u8(0)]), &[input, axes], output);
            }
            _ => {
                let Some(same) = same else { return };
                let other = self.get(same).clone();
                let data = self.data.bytes(1);
                let constant = Tensor { name: String::new(), shape: vec![1], ..other.clone() }.constant(data);
                // A condition that is a scalar goes with inputs of any rank, a constant of one element not.
                let id = if tensor.shape.is_empty() { same } else { self.graph.tensor(constant) };
                let shapes = [other.shape.clone()];
                self.move_to(code::SELECT_V2, Options::None, &[input, same, id], &other, &shapes);
            }
        }
    }

    /// Functions and reductions of float32.
    pub(super) fn float(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let shape = tensor.shape.clone();
        match self.choices.pick(0, 5) {
            0 | 1 => {
                let codes = [code::SQRT, code::RSQRT, code::L2_NORMALIZATION, code::ABS];
                let code = self.choices.one_of(&codes);
                if code == code::L2_NORMALIZATION && shape.is_empty() {
                    return;
                }
                self.add_op(code, Options::None, &[input], Tensor::typed(Type::FLOAT32, &shape));
            }
            2 if !shape.is_empty() => {
                let codes = [code::MEAN, code::SUM, code::REDUCE_MAX, code::REDUCE_MIN, code::REDUCE_PROD];
                let code = self.choices.one_of(&codes);
                let axes = self.ints(&[0]);
                let output = Tensor::typed(Type::FLOAT32, &shape[1..]);
                self.add_op(code, options(27, [flatbuf::u8(0)]), &[input, axes], output);
            }
            3 if shape.len() == 4 => {
                let (h, w) = (shape[1], shape[2]);
                let (o, size) = self.window((h, w), (2, 2), false);
                let output = Tensor::typed(Type::FLOAT32, &[shape[0], size.0, size.1, shape[3]]);
                let codes = [code::AVERAGE_POOL_2D, code::MAX_POOL_2D, code::L2_POOL_2D];
                let code = self.choices.one_of(&codes);
                let o = crate::PoolOptions {
                    padding: o.padding,
                    stride: o.stride,
                    filter: (2, 2),
                    activation: o.activation,
                };
                self.add_op(code, Options::Pool2d(o), &[input], output);
            }
            4 if shape.len() == 4 => self.resize(input),
            _ => {
                let divisor = Tensor::typed(Type::FLOAT32, &[]).constant(1.5f32.to_le_bytes().to_vec());
                let divisor = self.graph.tensor(divisor);
                let code = self.choices.one_of(&[code::FLOOR_DIV, code::FLOOR_MOD, code::MAXIMUM]);
                let output = Tensor::typed(Type::FLOAT32, &shape);
                self.add_op(code, Options::None, &[input, divisor], output);
            }
        }
    }

    /// Operators that move elements in ways of their own.
    pub(super) fn move_more(&mut self, input: i32) {
        let tensor = self.get(input).clone();
        let shape = tensor.shape.clone();
        let rank = shape.len() as i32;
        match self.choices.pick(0, 4) {
            0 => {
                let edge = self.choices.pick(0, 1);
                let mut margins = Vec::new();
                for &size in &shape {
                    for _ in 0..2 {
                        margins.push(self.choices.one_of(&[0, 0, 1, 2]).min(size - edge));
                    }
                }
                // Reflect is 0, and does not repeat the edge.
                let mode = 1 - edge;
                let to = shape.iter().zip(margins.chunks(2)).map(|(size, m)| size + m[0] + m[1]).collect();
                let table = self.ints(&margins);
                self.graph.tensors[table as usize].shape = vec![rank, 2];
                let o = options(77, [flatbuf::i8(mode as i8)]);
                self.move_to(code::MIRROR_PAD, o, &[input, table], &tensor, &[to]);
            }
            1 => {
                let axes = [self.choices.pick(0, rank - 1)];
                let ids = [input, self.ints(&axes)];
                self.move_to(code::REVERSE_V2, Options::None, &ids, &tensor, &[shape]);
            }
            2 => {
                let mut multiples = vec![1; shape.len()];
                for _ in 0..2 {
                    multiples[self.choices.pick(0, rank - 1) as usize] = self.choices.pick(1, 2);
                }
                let to = shape.iter().zip(&multiples).map(|(size, multiple)| size * multiple).collect();
                let ids = [input, self.ints(&multiples)];
                self.move_to(code::TILE, Options::None, &ids, &tensor, &[to]);
            }
            3 => {
                let output = Tensor { name: String::new(), ..tensor };
                self.add_op(code::ZEROS_LIKE, Options::None, &[input], output);
            }
            _ => {
                let id = self.graph.tensor(Tensor::typed(Type::INT32, &[rank]));
                self.graph.ops.push(Op {
                    code: code::SHAPE,
                    custom: None,
                    inputs: vec![input],
                    outputs: vec![id],
                    options: Options::None,
                });
                let scalar = Tensor { name: String::new(), shape: Vec::new(), ..tensor.clone() };
                let data = self.data.bytes(element_bytes(tensor.dtype));
                let value = self.graph.tensor(scalar.constant(data));
                self.move_to(code::FILL, Options::None, &[id, value], &tensor, &[shape]);
            }
        }
    }
}
