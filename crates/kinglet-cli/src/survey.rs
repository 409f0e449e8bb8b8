//! What a model consists of, whether kinglet runs it or not.

use std::collections::{BTreeMap, BTreeSet};

use kinglet::{AllOps, ErrorKind, Model, ModelError, OpCode, Reason};
use kinglet_tflite::{Graph, Node, Op, Storage, Tensor};
use serde::Serialize;

use crate::failure::Failure;
use crate::macs::macs;

/// An operator.
#[derive(Debug, Serialize)]
pub(crate) struct OpReport {
    /// Counted through all subgraphs.
    pub(crate) index: u32,
    pub(crate) subgraph: u32,
    /// It is in the first subgraph, or in one that an operator calls.
    #[serde(skip)]
    pub(crate) is_called: bool,
    pub(crate) name: String,
    pub(crate) custom: bool,
    pub(crate) macs: Option<u64>,
    pub(crate) supported: bool,
    pub(crate) reason: Option<String>,
    pub(crate) kernel: Option<&'static str>,
    /// `null` where an optional input is absent, or the tensor can't be read.
    pub(crate) inputs: Vec<Option<TensorReport>>,
    pub(crate) outputs: Vec<Option<TensorReport>>,
}

/// A tensor.
#[derive(Debug, Serialize)]
pub(crate) struct TensorReport {
    pub(crate) name: String,
    pub(crate) shape: Vec<u32>,
    pub(crate) dtype: &'static str,
    /// `null` when the tensor is not quantised as a whole.
    pub(crate) scale: Option<f64>,
    pub(crate) zero_point: Option<i32>,
    pub(crate) bytes: u32,
    pub(crate) constant: bool,
}

impl TensorReport {
    fn new(tensor: &Tensor<'_>) -> Self {
        let quantization = tensor.per_tensor().ok();
        Self {
            name: text(tensor.name),
            shape: tensor.shape.dims().to_vec(),
            dtype: tensor.dtype.name(),
            scale: quantization.map(|(scale, _)| scale.into()),
            zero_point: quantization.map(|(_, zero_point)| zero_point),
            bytes: tensor.byte_len(),
            constant: tensor.is_constant(),
        }
    }
}

/// The operators of all subgraphs, beginning with `graph`, the first.
///
/// # Errors
/// When one that may run is malformed: what is merely unsupported is in the list.
pub(crate) fn ops(graph: &Graph<'_>) -> Result<Vec<OpReport>, ModelError> {
    let model = graph.model();
    let mut called = BTreeSet::from([0]);
    let mut waiting = vec![0];
    while let Some(index) = waiting.pop() {
        for op in model.graph(index)?.ops::<AllOps>().flatten() {
            let callees = match op {
                Op::If(op) => op.branches.to_vec(),
                Op::While(op) => vec![op.condition, op.body],
                Op::CallOnce(op) => vec![op.init],
                _ => continue,
            };
            waiting.extend(callees.into_iter().filter(|&callee| called.insert(callee)));
        }
    }
    let mut ops = Vec::new();
    for index in 0..model.subgraph_count() as u32 {
        let graph = model.graph(index)?;
        let is_called = called.contains(&index);
        for node in graph.nodes() {
            let node = node?;
            let reason = match graph.op::<AllOps>(node.index) {
                Ok(_) => None,
                Err(error) if error.kind() == ErrorKind::Unsupported || !is_called => {
                    Some(error.reason.text().to_owned())
                }
                Err(error) => return Err(error),
            };
            ops.push(OpReport {
                index: ops.len() as u32,
                subgraph: index,
                is_called,
                name: op_name(&node),
                custom: node.code == OpCode::CUSTOM,
                macs: macs(&graph, &node),
                supported: reason.is_none(),
                reason,
                kernel: None,
                inputs: tensors(&graph, node.inputs.iter()),
                outputs: tensors(&graph, node.outputs.iter()),
            });
        }
    }
    Ok(ops)
}

/// Tensors by number.
pub(crate) fn tensors(
    graph: &Graph<'_>,
    ids: impl Iterator<Item = Option<u32>>,
) -> Vec<Option<TensorReport>> {
    ids.map(|id| graph.tensor(id?).ok().map(|t| TensorReport::new(&t))).collect()
}

/// Multiply-accumulate operations of the operators whose number is known, each counted once however often
/// it runs.
pub(crate) fn total_macs(ops: &[OpReport]) -> u64 {
    ops.iter().filter(|op| op.is_called).filter_map(|op| op.macs).sum()
}

/// Bytes of weights and other constants in the file, each counted once.
pub(crate) fn weights_bytes(model: &Model<'_>) -> u64 {
    let mut buffers = BTreeMap::new();
    for index in 0..model.subgraph_count() as u32 {
        let Ok(graph) = model.graph(index) else {
            continue;
        };
        for id in 0..graph.tensor_count() {
            if let Ok(tensor) = graph.tensor(id)
                && let Storage::Constant { offset, bytes } = tensor.storage
            {
                buffers.insert(offset, bytes.len() as u64);
            }
        }
    }
    buffers.values().sum()
}

/// The operators that kinglet does not run, with the reasons: "NAME: reason".
pub(crate) fn unsupported(ops: &[OpReport]) -> Vec<String> {
    let distinct: BTreeSet<_> = ops
        .iter()
        .filter(|op| op.is_called)
        .filter_map(|op| Some(format!("{}: {}", op.name, op.reason.as_ref()?)))
        .collect();
    distinct.into_iter().collect()
}

/// Adds to a refusal what a custom operator is called, and which other operators kinglet does not have.
pub(crate) fn name_ops(model: &Model<'_>, failure: Failure) -> Failure {
    let Ok(graph) = model.graph(0) else {
        return failure;
    };
    let Some(first) = failure.op.and_then(|op| graph.node(op).ok()) else {
        return failure;
    };
    let first_name = op_name(&first);
    let is_missing = |node: &Node<'_>| {
        let reason = graph.op::<AllOps>(node.index).err()?.reason;
        matches!(reason, Reason::UnsupportedOp | Reason::CustomOp).then(|| op_name(node))
    };
    let mut others: BTreeSet<String> = graph.nodes().filter_map(|node| is_missing(&node.ok()?)).collect();
    others.remove(&first_name);

    let mut failure = failure;
    if first.code == OpCode::CUSTOM {
        failure = failure.at(format!("op {} ({first_name})", first.index));
    }
    if others.is_empty() {
        return failure;
    }
    let names: Vec<_> = others.into_iter().collect();
    failure.add(&format!("; also not supported: {}", names.join(", ")))
}

/// An operator's name in the schema; a custom operator's own name.
fn op_name(node: &Node<'_>) -> String {
    if node.code == OpCode::CUSTOM && !node.custom_name.is_empty() {
        text(node.custom_name)
    } else {
        node.code.to_string()
    }
}

/// The name of operator `index`, counted through `graph` and the subgraphs behind it.
pub(crate) fn op_name_at(graph: &Graph<'_>, index: u32) -> String {
    match (graph.node(index), index.checked_sub(graph.op_count()), graph.sibling(graph.index() + 1)) {
        (Ok(node), ..) => op_name(&node),
        (_, Some(behind), Ok(next)) => op_name_at(&next, behind),
        _ => "?".to_owned(),
    }
}

/// Text from a file, safe to print: a terminal would obey control characters.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}
