//! Removes work from a `.tflite` model that changes none of its outputs: channels that are constant.
//!
//! A channel is constant when the integer arithmetic can't give anything but one value there, whatever the
//! input is: all its weights are zero, say, or its bias is so low that the activation always cuts it off.
//! Such a channel is not computed: it is taken out of the operators that make it and that read it, and what
//! it would have added is added to the bias of the operator that reads it.
//!
//! That is exact. Ranges are found with the very requantisation that the kernels use ([`ranges`]), and where
//! a constant meets padding, it is only taken out when it equals the zero point, which is what padding is.
//!
//! The result is a model like any other, with the same inputs and outputs, for every TFLite runtime.
#![forbid(unsafe_code)]

mod channels;
mod file;
pub mod ranges;

use kinglet_tflite::{AllOps, Model, ModelError, Op};

/// A model without its constant channels.
#[derive(Clone, Debug)]
pub struct Slimmed {
    /// The file. It has the length of the original or more; what is no longer needed in it is zero.
    pub file: Vec<u8>,
    /// What was taken out, by operator; empty when nothing was.
    pub removed: Vec<Removed>,
}

/// The channels that were taken out of an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    /// Number of the operator.
    pub op: u32,
    /// The operator's name in the schema.
    pub name: &'static str,
    /// Its output channels, before and after.
    pub outputs: (u32, u32),
    /// The input channels that it reads, before and after.
    pub inputs: (u32, u32),
}

/// The operators still fit together.
fn is_sound(file: &[u8]) -> bool {
    let ops = Model::parse(file).and_then(|model| {
        let graph = model.graph(0)?;
        graph.ops::<AllOps>().try_for_each(|op| op.map(|_| ()))
    });
    ops.is_ok()
}

/// Takes the constant channels out of a model. A model with several subgraphs is left as it is.
///
/// # Errors
/// [`ModelError`] when the model is malformed or has operators that kinglet does not run.
pub fn slim(file: &[u8]) -> Result<Slimmed, ModelError> {
    let model = Model::parse(file)?;
    let unchanged = || Slimmed { file: file.to_vec(), removed: Vec::new() };
    if model.subgraph_count() != 1 {
        return Ok(unchanged());
    }
    let graph = model.graph(0)?;
    let ops: Vec<Op<'_>> = graph.ops::<AllOps>().collect::<Result<_, _>>()?;
    let ranges = ranges::find(&graph, &ops)?;
    let cuts = channels::find(&graph, &ops, &ranges)?;
    // A file whose parts are not where they are looked for is left as it is.
    let slimmed = file::apply(file, &graph, &ops, &cuts).filter(|slimmed| is_sound(&slimmed.file));
    Ok(slimmed.unwrap_or_else(unchanged))
}
