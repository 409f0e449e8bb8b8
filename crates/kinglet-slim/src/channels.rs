//! Which channels are taken out of which tensors.

use kinglet_tflite::{DType, Graph, ModelError, Op, Tensor};

use crate::ranges::{Channels, data};

/// What is taken out.
#[derive(Debug, Default)]
pub(crate) struct Cuts {
    /// By tensor: its channels that stay; `None` when all do.
    pub(crate) kept: Vec<Option<Vec<usize>>>,
    /// By tensor: the value of each channel that is constant.
    pub(crate) constants: Vec<Vec<Option<i32>>>,
}

/// Tensors that have the same channels, as sets of a union-find structure.
struct Groups(Vec<usize>);

impl Groups {
    fn root(&self, mut id: usize) -> usize {
        while let Some(&parent) = self.0.get(id) {
            if parent == id {
                break;
            }
            id = parent;
        }
        id
    }

    fn join(&mut self, a: &Tensor<'_>, b: &Tensor<'_>) {
        let (a, b) = (self.root(a.id as usize), self.root(b.id as usize));
        if let Some(parent) = self.0.get_mut(a) {
            *parent = b;
        }
    }
}

/// Finds the channels that no operator needs to compute.
pub(crate) fn find(
    graph: &Graph<'_>,
    ops: &[Op<'_>],
    ranges: &[Option<Channels>],
) -> Result<Cuts, ModelError> {
    let count = graph.tensor_count() as usize;
    let mut groups = Groups((0..count).collect());
    // Tensors whose channels have to stay.
    let mut pinned = vec![false; count];
    let mut pin = |id: u32| {
        if let Some(pinned) = pinned.get_mut(id as usize) {
            *pinned = true;
        }
    };
    graph.inputs().iter().chain(graph.outputs().iter()).flatten().for_each(&mut pin);
    let uses = |id: u32| {
        let inputs = graph.nodes().flatten().flat_map(|node| node.inputs.iter().collect::<Vec<_>>());
        inputs.filter(|input| *input == Some(id)).count()
    };
    for (index, op) in ops.iter().enumerate() {
        let mut pin_all = || {
            let node = graph.node(index as u32)?;
            node.inputs.iter().chain(node.outputs.iter()).flatten().for_each(&mut pin);
            Ok::<_, ModelError>(())
        };
        // Weights that several operators share would have to be cut in several ways.
        let is_own = |weights: &Tensor<'_>, bias: Option<&Tensor<'_>>| {
            data(weights).is_some()
                && uses(weights.id) == 1
                && bias
                    .is_none_or(|bias| bias.is_constant() && bias.dtype == DType::Int32 && uses(bias.id) == 1)
        };
        match op {
            Op::Conv2d(op) if op.groups == 1 && is_own(&op.filter, op.bias.as_ref()) => {}
            Op::FullyConnected(op)
                if op.input.shape.last() == op.depth && is_own(&op.weights, op.bias.as_ref()) => {}
            Op::DepthwiseConv2d(op) if op.depth_multiplier == 1 && is_own(&op.filter, op.bias.as_ref()) => {
                groups.join(&op.input, &op.output);
            }
            Op::Pool2d(op) => groups.join(&op.input, &op.output),
            // A reshape that only drops or adds dimensions of size 1. Its shape is patched.
            Op::Reshape(op)
                if op.input.shape.last() == op.output.shape.last()
                    && op.input.dtype == DType::Int8
                    && graph.node(index as u32)?.inputs.get(1).is_none_or(|shape| uses(shape) == 1) =>
            {
                groups.join(&op.input, &op.output);
            }
            _ => pin_all()?,
        }
    }

    let constants: Vec<Vec<Option<i32>>> = ranges
        .iter()
        .map(|channels| {
            let constant = |&(low, high): &(i32, i32)| (low == high).then_some(low);
            channels.iter().flatten().map(constant).collect()
        })
        .collect();
    let constant = |tensor: &Tensor<'_>, channel: usize| {
        constants.get(tensor.id as usize).and_then(|channels| *channels.get(channel)?)
    };

    // By root of a group: whether a channel may go. What counts is what convolutions and fully connected
    // layers read in the end; a group that none of them reads is an output of the model, and pinned.
    let mut goes: Vec<Option<Vec<bool>>> = vec![None; count];
    for op in ops {
        let (input, padded, bias) = match op {
            Op::Conv2d(op) => {
                let padded = is_padded(op);
                (&op.input, padded, op.bias.is_some())
            }
            Op::FullyConnected(op) => (&op.input, false, op.bias.is_some()),
            _ => continue,
        };
        let Ok((_, zero_point)) = input.per_tensor() else { continue };
        let channels = (0..input.shape.last() as usize).map(|channel| match constant(input, channel) {
            Some(value) => value == zero_point || (!padded && bias),
            None => false,
        });
        let channels: Vec<bool> = channels.collect();
        if let Some(goes) = goes.get_mut(groups.root(input.id as usize)) {
            match goes {
                Some(goes) => goes.iter_mut().zip(channels).for_each(|(goes, channel)| *goes &= channel),
                None => *goes = Some(channels),
            }
        }
    }
    for id in 0..count {
        if pinned.get(id) == Some(&true)
            && let Some(goes) = goes.get_mut(groups.root(id))
        {
            *goes = None;
        }
    }

    let mut cuts = Cuts { kept: vec![None; count], constants };
    for (id, kept) in cuts.kept.iter_mut().enumerate() {
        let Some(Some(goes)) = goes.get(groups.root(id)) else { continue };
        let tensor_is_cut =
            ranges.get(id).is_some_and(|channels| channels.as_ref().is_some_and(|c| c.len() == goes.len()));
        if !goes.contains(&true) || !tensor_is_cut {
            continue;
        }
        let mut stay: Vec<usize> =
            (0..goes.len()).filter(|&channel| goes.get(channel) == Some(&false)).collect();
        // A tensor has at least one channel, and kernels take them four at a time: some constants stay.
        let round = stay.len().max(1).next_multiple_of(4).min(goes.len());
        let others = (0..goes.len()).filter(|&channel| goes.get(channel) == Some(&true));
        stay.extend(others.take(round - stay.len()).collect::<Vec<_>>());
        stay.sort_unstable();
        if stay.len() < goes.len() {
            *kept = Some(stay);
        }
    }
    Ok(cuts)
}

/// Some window of the convolution lies over padding.
fn is_padded(op: &kinglet_tflite::ops::Conv2d<'_>) -> bool {
    let (Ok([_, height, width, _]), Ok([_, out_height, out_width, _])) =
        (op.input.shape.nhwc(), op.output.shape.nhwc())
    else {
        return true;
    };
    let window = &op.window;
    let beyond = |size: u32, out: u32, kernel: u16, stride: u16, dilation: u16, pad: u16| {
        let reach =
            (u64::from(out) - 1) * u64::from(stride) + (u64::from(kernel) - 1) * u64::from(dilation) + 1;
        pad > 0 || reach > u64::from(size)
    };
    let ((kh, kw), (sh, sw)) = (window.kernel, window.stride);
    let ((dh, dw), (ph, pw)) = (window.dilation, window.pad);
    beyond(height, out_height, kh, sh, dh, ph) || beyond(width, out_width, kw, sw, dw, pw)
}
