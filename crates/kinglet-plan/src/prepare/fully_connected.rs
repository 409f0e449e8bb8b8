use kinglet_kernels::ops::fully_connected::{self, FullyConnectedParams};
use kinglet_kernels::{Choice, Kernel, Place};
use kinglet_tflite::DType;
use kinglet_tflite::ops::{FullyConnected, Sums};

use super::{Emit, Layer, Result, Weighted, layer_quant};
use crate::planner::{Constants, Options, Reference};

fn layer<'l, 'a>(op: &'l FullyConnected<'a>) -> Layer<'l, 'a> {
    let in_float = op.weights.quantization.len() == 1;
    Layer {
        input: &op.input,
        weights: &op.weights,
        bias: op.bias.as_ref(),
        output: &op.output,
        sums: op.sums,
        in_float,
        by_tap: false,
    }
}

/// All but places, tables and scratch.
fn params(op: &FullyConnected<'_>) -> Result<FullyConnectedParams> {
    Ok(FullyConnectedParams {
        input: Place::NONE,
        output: Place::NONE,
        batch: op.batch,
        input_depth: op.depth,
        output_depth: op.outputs,
        quant: layer_quant(&op.input, &op.output, op.activation)?,
        weights: Place::NONE,
        bias: Place::NONE,
        requant: 0,
        requant_len: 0,
        scratch: Place::NONE,
        scratch_len: 0,
        weights_zero_point: op.weights_zero_point,
    })
}

pub(super) fn choose(op: &FullyConnected<'_>, options: &Options) -> Result<Choice> {
    let special = match (op.input.dtype, op.weights.dtype, op.sums) {
        (DType::Int16, _, Sums::Int32) => Some(Kernel::FullyConnectedS16B32),
        (DType::Int16, ..) => Some(Kernel::FullyConnectedS16),
        (_, DType::Int4, _) => Some(Kernel::FullyConnectedS8W4),
        _ if !op.weights.is_constant() => Some(Kernel::FullyConnectedComputed),
        _ if op.weights_zero_point != 0 => Some(Kernel::FullyConnectedOffset),
        _ => None,
    };
    if let Some(kernel) = special {
        return Ok(Choice::new(kernel));
    }
    if options.reference == Reference::Litert {
        return Ok(Choice::new(Kernel::FullyConnectedLitert));
    }
    let layer = layer(op);
    let factor = |i: usize| layer.factor(i);
    Ok(fully_connected::choose(&params(op)?, &layer.constants(&factor), &options.how))
}

pub(super) fn emit(op: &FullyConnected<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let layer = layer(op);
    let params = params(op)?;
    let Weighted { weights, bias, requant, requant_len } = if emit.choice.kernel
        == Kernel::FullyConnectedLitert
    {
        // Real factors: LiteRT rounds `acc * factor` in float64.
        let exact = Layer { in_float: false, ..layer };
        let requant = emit.writer.position();
        for i in 0..layer.factors() {
            let factor = exact.real_factor(i);
            emit.writer.word(factor.to_bits() as u32);
            emit.writer.word((factor.to_bits() >> 32) as u32);
        }
        Weighted {
            weights: emit.place(&op.weights)?,
            bias: emit.optional_place(op.bias.as_ref())?,
            requant,
            requant_len: layer.factors() as u32,
        }
    } else {
        emit.weighted(&layer, |kernel, weights, out| fully_connected::pack(kernel, &params, weights, out))?
    };
    let params = FullyConnectedParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        weights,
        bias,
        requant,
        requant_len,
        scratch: emit.scratch,
        scratch_len: emit.choice.scratch,
        ..params
    };
    emit.params(&params);
    Ok(op.batch)
}
