//! Rewrites a file: shorter vectors stay where they were, so that every offset still holds.

use kinglet_tflite::{Graph, Op, Tensor};

use crate::channels::Cuts;
use crate::ranges::data;
use crate::{Removed, Slimmed};

/// Slots of the tables that are rewritten, as in the TFLite schema.
mod slot {
    pub(super) const MODEL_SUBGRAPHS: usize = 2;
    pub(super) const MODEL_BUFFERS: usize = 4;
    pub(super) const SUBGRAPH_TENSORS: usize = 0;
    pub(super) const SUBGRAPH_OPERATORS: usize = 3;
    pub(super) const TENSOR_SHAPE: usize = 0;
    pub(super) const TENSOR_BUFFER: usize = 2;
    pub(super) const TENSOR_QUANTIZATION: usize = 4;
    pub(super) const TENSOR_SHAPE_SIGNATURE: usize = 7;
    pub(super) const QUANTIZATION_MIN: usize = 0;
    pub(super) const QUANTIZATION_MAX: usize = 1;
    pub(super) const QUANTIZATION_SCALE: usize = 2;
    pub(super) const QUANTIZATION_ZERO_POINT: usize = 3;
    pub(super) const OPERATOR_OPTIONS: usize = 4;
    pub(super) const RESHAPE_NEW_SHAPE: usize = 0;
    pub(super) const BUFFER_DATA: usize = 0;
}

/// A file that is being rewritten.
struct Rewrite {
    bytes: Vec<u8>,
    /// Where vectors were rewritten already: one that several tables share is not rewritten twice.
    done: Vec<usize>,
}

/// Cuts the channels out of the file; `None` when it is not laid out as expected.
pub(crate) fn apply(file: &[u8], graph: &Graph<'_>, ops: &[Op<'_>], cuts: &Cuts) -> Option<Slimmed> {
    let mut rewrite = Rewrite { bytes: file.to_vec(), done: Vec::new() };
    let root = rewrite.target(0)?;
    let subgraphs = rewrite.field(root, slot::MODEL_SUBGRAPHS)?;
    let subgraph = rewrite.element(rewrite.target(subgraphs)?, 0)?;
    let places = Places {
        buffers: rewrite.target(rewrite.field(root, slot::MODEL_BUFFERS)?)?,
        tensors: rewrite.target(rewrite.field(subgraph, slot::SUBGRAPH_TENSORS)?)?,
        operators: rewrite.target(rewrite.field(subgraph, slot::SUBGRAPH_OPERATORS)?)?,
    };

    let mut removed = Vec::new();
    for (index, op) in ops.iter().enumerate() {
        let node = graph.node(index as u32).ok()?;
        let kept = |tensor: &Tensor<'_>| cuts.kept.get(tensor.id as usize).and_then(Option::as_ref);
        let (input, output, weights, bias) = match op {
            Op::Conv2d(op) => (&op.input, &op.output, &op.filter, op.bias.as_ref()),
            Op::DepthwiseConv2d(op) => (&op.input, &op.output, &op.filter, op.bias.as_ref()),
            Op::FullyConnected(op) => (&op.input, &op.output, &op.weights, op.bias.as_ref()),
            Op::Reshape(op) => {
                if let Some(kept) = kept(&op.output) {
                    rewrite.reshape(&places, index, node.inputs.get(1), kept.len())?;
                }
                continue;
            }
            _ => continue,
        };
        let (kept_in, kept_out) = (kept(input), kept(output));
        if kept_in.is_none() && kept_out.is_none() {
            continue;
        }
        let layer = Layer { op, input, output, weights, bias, kept_in, kept_out };
        rewrite.layer(&places, &layer, cuts)?;
        let count = |tensor: &Tensor<'_>, kept: Option<&Vec<usize>>| {
            (tensor.shape.last(), kept.map_or(tensor.shape.last(), |kept| kept.len() as u32))
        };
        removed.push(Removed {
            op: index as u32,
            name: node.code.name().unwrap_or("?"),
            outputs: count(output, kept_out),
            inputs: count(input, kept_in),
        });
    }
    for (id, kept) in cuts.kept.iter().enumerate() {
        if let Some(kept) = kept {
            rewrite.set_last_dimension(&places, id, kept.len())?;
        }
    }
    Some(Slimmed { file: rewrite.bytes, removed })
}

/// Positions of the vectors that everything is found by.
struct Places {
    buffers: usize,
    tensors: usize,
    operators: usize,
}

/// An operator with weights, and the channels that stay.
struct Layer<'l, 'a> {
    op: &'l Op<'a>,
    input: &'l Tensor<'a>,
    output: &'l Tensor<'a>,
    weights: &'l Tensor<'a>,
    bias: Option<&'l Tensor<'a>>,
    kept_in: Option<&'l Vec<usize>>,
    kept_out: Option<&'l Vec<usize>>,
}

impl Rewrite {
    fn word(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?))
    }

    fn set_word(&mut self, at: usize, word: u32) -> Option<()> {
        self.bytes.get_mut(at..)?.first_chunk_mut::<4>()?.copy_from_slice(&word.to_le_bytes());
        Some(())
    }

    /// What the offset at `at` leads to.
    fn target(&self, at: usize) -> Option<usize> {
        at.checked_add(self.word(at)? as usize)
    }

    /// Position of a table's field; `None` when it is absent.
    fn field(&self, table: usize, slot: usize) -> Option<usize> {
        let vtable = usize::try_from(table as i64 - i64::from(self.word(table)? as i32)).ok()?;
        let half = |at: usize| Some(u16::from_le_bytes(*self.bytes.get(at..)?.first_chunk()?) as usize);
        let entry = 4 + 2 * slot;
        if entry + 2 > half(vtable)? {
            return None;
        }
        let offset = half(vtable + entry)?;
        (offset > 0).then_some(table + offset)
    }

    /// The table that element `i` of a vector of tables leads to.
    fn element(&self, vector: usize, i: usize) -> Option<usize> {
        if i >= self.word(vector)? as usize {
            return None;
        }
        self.target(vector + 4 + 4 * i)
    }

    fn tensor(&self, places: &Places, id: usize) -> Option<usize> {
        self.element(places.tensors, id)
    }

    /// The elements of a vector, each of `size` bytes, that `kept` names, moved to its front.
    fn shorten(&mut self, vector: usize, size: usize, kept: &[usize]) -> Option<()> {
        if self.done.contains(&vector) {
            return Some(());
        }
        self.done.push(vector);
        let len = self.word(vector)? as usize * size;
        let old = self.bytes.get(vector + 4..)?.get(..len)?.to_vec();
        let mut new = Vec::with_capacity(len);
        for &i in kept {
            new.extend(old.get(i * size..(i + 1) * size)?);
        }
        self.set_word(vector, (new.len() / size) as u32)?;
        new.resize(len, 0);
        self.bytes.get_mut(vector + 4..)?.get_mut(..len)?.copy_from_slice(&new);
        Some(())
    }

    /// New, shorter data of a constant tensor. A buffer that other tensors name is left to them: the data
    /// goes to the end of the file then, with a buffer field of its own.
    fn set_data(&mut self, places: &Places, id: usize, data: &[u8]) -> Option<()> {
        let buffer_of = |this: &Self, id: usize| {
            let field = this.field(this.tensor(places, id)?, slot::TENSOR_BUFFER)?;
            this.word(field)
        };
        let buffer = buffer_of(self, id)?;
        let tensors = self.word(places.tensors)? as usize;
        if (0..tensors).any(|other| other != id && buffer_of(self, other) == Some(buffer)) {
            return None;
        }
        let vector =
            self.target(self.field(self.element(places.buffers, buffer as usize)?, slot::BUFFER_DATA)?)?;
        let len = self.word(vector)? as usize;
        if data.len() > len || self.done.contains(&vector) {
            return None;
        }
        self.done.push(vector);
        self.set_word(vector, data.len() as u32)?;
        let old = self.bytes.get_mut(vector + 4..)?.get_mut(..len)?;
        old.fill(0);
        old.get_mut(..data.len())?.copy_from_slice(data);
        Some(())
    }

    /// Writes a layer's weights, biases and scales without the channels that go.
    fn layer(&mut self, places: &Places, layer: &Layer<'_, '_>, cuts: &Cuts) -> Option<()> {
        let old = data(layer.weights)?;
        let (inputs, outputs) = (layer.input.shape.last() as usize, layer.output.shape.last() as usize);
        let all_in: Vec<usize> = (0..inputs).collect();
        let all_out: Vec<usize> = (0..outputs).collect();
        let (ins, outs) = (layer.kept_in.unwrap_or(&all_in), layer.kept_out.unwrap_or(&all_out));
        let depthwise = matches!(layer.op, Op::DepthwiseConv2d(_));
        let mut new = Vec::new();
        if depthwise {
            for tap in old.chunks_exact(outputs) {
                new.extend(outs.iter().filter_map(|&channel| tap.get(channel)));
            }
        } else {
            for &channel in outs {
                let filter_len = old.len() / outputs;
                for tap in old.get(channel * filter_len..(channel + 1) * filter_len)?.chunks_exact(inputs) {
                    new.extend(ins.iter().filter_map(|&channel| tap.get(channel)));
                }
            }
        }
        self.set_data(places, layer.weights.id as usize, &new)?;
        self.set_dimensions(places, layer, ins.len(), outs.len(), depthwise)?;

        if let Some(bias) = layer.bias {
            let (_, zero_point) = layer.input.per_tensor().ok()?;
            let kinglet_tflite::Storage::Constant { bytes, .. } = bias.storage else { return None };
            let constants = cuts.constants.get(layer.input.id as usize)?;
            let mut biases = Vec::new();
            for &channel in outs {
                let bytes = bytes.get(channel * 4..)?.first_chunk::<4>()?;
                let mut value = i32::from_le_bytes(*bytes);
                if !depthwise {
                    let filter_len = old.len() / outputs;
                    let filter = old.get(channel * filter_len..(channel + 1) * filter_len)?;
                    for tap in filter.chunks_exact(inputs) {
                        for (i, &weight) in
                            tap.iter().enumerate().filter(|(i, _)| ins.binary_search(i).is_err())
                        {
                            let constant = (*constants.get(i)?)?;
                            value = value.wrapping_add(i32::from(weight as i8) * (constant - zero_point));
                        }
                    }
                }
                biases.extend(value.to_le_bytes());
            }
            self.set_data(places, bias.id as usize, &biases)?;
            self.set_last_dimension(places, bias.id as usize, outs.len())?;
            self.shorten_scales(places, bias.id as usize, outputs, outs)?;
        }
        self.shorten_scales(places, layer.weights.id as usize, outputs, outs)
    }

    /// Scales and the like, where there is one for each of `channels`.
    fn shorten_scales(&mut self, places: &Places, id: usize, channels: usize, kept: &[usize]) -> Option<()> {
        if kept.len() == channels {
            return Some(());
        }
        let Some(field) = self.field(self.tensor(places, id)?, slot::TENSOR_QUANTIZATION) else {
            return Some(());
        };
        let quantization = self.target(field)?;
        let sizes = [
            (slot::QUANTIZATION_MIN, 4),
            (slot::QUANTIZATION_MAX, 4),
            (slot::QUANTIZATION_SCALE, 4),
            (slot::QUANTIZATION_ZERO_POINT, 8),
        ];
        for (slot, size) in sizes {
            let Some(field) = self.field(quantization, slot) else { continue };
            let vector = self.target(field)?;
            if self.done.contains(&vector) {
                // Two tensors share it; it can be cut for one only.
                return None;
            }
            if self.word(vector)? as usize == channels && channels > 1 {
                self.shorten(vector, size, kept)?;
            }
        }
        Some(())
    }

    /// Shape of the weights: `[o, h, w, i]`, `[1, h, w, o]` or `[o, i]`.
    fn set_dimensions(
        &mut self,
        places: &Places,
        layer: &Layer<'_, '_>,
        ins: usize,
        outs: usize,
        depthwise: bool,
    ) -> Option<()> {
        let id = layer.weights.id as usize;
        if depthwise {
            return self.set_last_dimension(places, id, outs);
        }
        self.set_last_dimension(places, id, ins)?;
        self.each_shape(places, id, |this, vector| this.set_word(vector + 4, outs as u32))
    }

    fn set_last_dimension(&mut self, places: &Places, id: usize, size: usize) -> Option<()> {
        self.each_shape(places, id, |this, vector| {
            let rank = this.word(vector)? as usize;
            match rank {
                0 => Some(()),
                _ => this.set_word(vector + 4 * rank, size as u32),
            }
        })
    }

    /// Shape and shape signature of a tensor.
    fn each_shape(
        &mut self,
        places: &Places,
        id: usize,
        change: impl Fn(&mut Self, usize) -> Option<()>,
    ) -> Option<()> {
        let tensor = self.tensor(places, id)?;
        for slot in [slot::TENSOR_SHAPE, slot::TENSOR_SHAPE_SIGNATURE] {
            if let Some(field) = self.field(tensor, slot) {
                let vector = self.target(field)?;
                change(self, vector)?;
            }
        }
        Some(())
    }

    /// The last dimension that a reshape is told, by a constant or by its options.
    fn reshape(&mut self, places: &Places, op: usize, shape: Option<u32>, size: usize) -> Option<()> {
        let operator = self.element(places.operators, op)?;
        if let Some(options) = self.field(operator, slot::OPERATOR_OPTIONS)
            && let Some(field) = self.field(self.target(options)?, slot::RESHAPE_NEW_SHAPE)
        {
            let vector = self.target(field)?;
            self.set_dimension_at(vector, 4 * self.word(vector)? as usize, size)?;
        }
        let Some(shape) = shape else { return Some(()) };
        let buffer = self.word(self.field(self.tensor(places, shape as usize)?, slot::TENSOR_BUFFER)?)?;
        let data = self.field(self.element(places.buffers, buffer as usize)?, slot::BUFFER_DATA)?;
        let vector = self.target(data)?;
        self.set_dimension_at(vector, self.word(vector)? as usize, size)
    }

    /// Sets the int32 that ends `end` bytes into a vector's elements, unless it is -1 ("what is left").
    fn set_dimension_at(&mut self, vector: usize, end: usize, size: usize) -> Option<()> {
        if end == 0 || self.word(vector + end)? == u32::MAX {
            return Some(());
        }
        self.set_word(vector + end, size as u32)
    }
}
