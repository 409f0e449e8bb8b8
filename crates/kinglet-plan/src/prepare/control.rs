//! Subgraphs stand in the plan where they are called, between copies into their inputs and out of their
//! outputs; jumps lead around them.
//!
//! | IF | WHILE | CALL_ONCE |
//! |---|---|---|
//! | condition false: jump to *else* | copy the inputs to the outputs | done already: jump to *end* |
//! | call the first branch | *loop:* call the condition | call |
//! | jump to *end* | false: jump to *end* | note that it is done |
//! | *else:* call the second branch | call the body | *end* |
//! | *end* | jump to *loop*; *end* | |

use kinglet_kernels::ops::strided_copy::FillParams;
use kinglet_kernels::{Kernel, Place, Word};
use kinglet_tflite::ops::{CallOnce, If, While};
use kinglet_tflite::{Graph, Indices, Node, OpSet, Reason, Tensor};

use super::{Emit, Result, emit_graph};
use crate::layout::Frame;
use crate::planner::Constants;

pub(super) fn emit_if<S: OpSet>(
    graph: &Graph<'_>,
    node: &Node<'_>,
    op: &If<'_>,
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<()> {
    let arguments = Some((node.inputs, 1));
    let [then_branch, else_branch] = op.branches;
    let condition = emit.place(&op.condition)?;
    let to_else = jump(graph, None, condition, emit)?;
    let inner = call::<S>(graph, arguments, then_branch, emit)?;
    copy_out(graph, node, &inner, emit)?;
    let to_end = jump(graph, None, Place::NONE, emit)?;
    emit.writer.fill(to_else, emit.next_step);
    let inner = call::<S>(graph, arguments, else_branch, emit)?;
    copy_out(graph, node, &inner, emit)?;
    emit.writer.fill(to_end, emit.next_step);
    Ok(())
}

/// The outputs hold what the loop hands on.
pub(super) fn emit_while<S: OpSet>(
    graph: &Graph<'_>,
    node: &Node<'_>,
    op: &While,
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<()> {
    let outer = emit.frame;
    for (from, to) in node.inputs.iter().zip(node.outputs.iter()) {
        copy(&tensor(graph, from)?, outer, &tensor(graph, to)?, outer, emit)?;
    }
    let start = emit.next_step;
    let arguments = Some((node.outputs, 0));
    let inner = call::<S>(graph, arguments, op.condition, emit)?;
    let callee = graph.sibling(op.condition)?;
    emit.frame = inner;
    let condition = emit.place(&tensor(&callee, callee.outputs().get(0))?)?;
    emit.frame = outer;
    let to_end = jump(graph, Some(node.outputs), condition, emit)?;
    let inner = call::<S>(graph, arguments, op.body, emit)?;
    copy_out(graph, node, &inner, emit)?;
    let to_start = jump(graph, Some(node.outputs), Place::NONE, emit)?;
    emit.writer.fill(to_start, start);
    emit.writer.fill(to_end, emit.next_step);
    Ok(())
}

/// A byte of state is 1 until the call was made.
pub(super) fn emit_once<S: OpSet>(
    graph: &Graph<'_>,
    op: &CallOnce,
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<()> {
    let pending = emit.slot(op.slot)?;
    let to_end = jump(graph, None, pending, emit)?;
    call::<S>(graph, None, op.init, emit)?;
    emit.params(&FillParams { output: pending, len: 1, element: 1, value: 0, value_high: 0 });
    emit.step_at(Kernel::Fill, 1, pending, 1);
    emit.writer.fill(to_end, emit.next_step);
    Ok(())
}

fn tensor<'a>(graph: &Graph<'a>, id: Option<u32>) -> Result<Tensor<'a>> {
    graph.tensor(id.ok_or(Reason::MissingInput)?)
}

/// Adds a jump that is taken when the byte at `condition` is 0. Returns where its target is to be written.
fn jump(
    graph: &Graph<'_>,
    outputs: Option<Indices<'_>>,
    condition: Place,
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<u32> {
    emit.params_at = emit.writer.position();
    emit.writer.word(condition.to_word());
    let target = emit.writer.reserve();
    // Whoever looks at the operator after the jump finds its first output, if that is written by then.
    let mut output = (Place::NONE, 0);
    for id in outputs.iter().flat_map(Indices::iter) {
        let first = tensor(graph, id)?;
        if first.has_size() {
            output = (emit.place(&first)?, first.byte_len());
            break;
        }
    }
    emit.step_at(Kernel::Jump, 0, output.0, output.1);
    Ok(target)
}

/// Adds a copy from a tensor of one frame to one of another. Handles need none.
fn copy(
    from: &Tensor<'_>,
    from_frame: Frame,
    to: &Tensor<'_>,
    to_frame: Frame,
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<()> {
    if to.has_size() {
        let frame = emit.frame;
        emit.frame = from_frame;
        let input = emit.place(from)?;
        emit.frame = to_frame;
        let output = emit.place(to)?;
        emit.frame = frame;
        emit.copy(input, output, to.byte_len());
    }
    Ok(())
}

/// Adds a subgraph's steps, with copies from the tensors in a list from some position on to its inputs.
fn call<S: OpSet>(
    graph: &Graph<'_>,
    arguments: Option<(Indices<'_>, usize)>,
    callee: u32,
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<Frame> {
    let callee = graph.sibling(callee)?;
    let mut copies = 0u32;
    for id in callee.inputs().iter() {
        copies = copies.saturating_add(tensor(&callee, id)?.has_size().into());
    }
    let (outer, op) = (emit.frame, emit.op);
    let inner = Frame {
        subgraph: callee.index(),
        first_tensor: emit.next_tensor,
        first_op: callee.first_op()?,
        first_step: emit.next_step.saturating_add(copies),
    };
    emit.next_tensor = emit.next_tensor.saturating_add(callee.tensor_count());
    if let Some((ids, first)) = arguments {
        for (from, to) in ids.iter().skip(first).zip(callee.inputs().iter()) {
            copy(&tensor(graph, from)?, outer, &tensor(&callee, to)?, inner, emit)?;
        }
    }
    emit.frame = inner;
    emit_graph::<S>(&callee, emit)?;
    (emit.frame, emit.op) = (outer, op);
    Ok(inner)
}

/// Adds copies from a subgraph's outputs to those of the operator that called it.
fn copy_out(
    graph: &Graph<'_>,
    node: &Node<'_>,
    inner: &Frame,
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<()> {
    let (outer, callee) = (emit.frame, graph.sibling(inner.subgraph)?);
    for (from, to) in callee.outputs().iter().zip(node.outputs.iter()) {
        copy(&tensor(&callee, from)?, *inner, &tensor(graph, to)?, outer, emit)?;
    }
    Ok(())
}
