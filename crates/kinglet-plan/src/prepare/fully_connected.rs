use kinglet_kernels::Choice;
use kinglet_kernels::ops::fully_connected::{self, FullyConnectedParams};
use kinglet_tflite::ops::FullyConnected;

use super::{Emit, Result, int8_quant, requant_factors, requant_table};
use crate::planner::{Constants, Options, Reference};

pub(super) fn choose(_op: &FullyConnected<'_>, options: &Options) -> Choice {
    fully_connected::choose(options.target, options.reference == Reference::Litert)
}

pub(super) fn emit(
    op: &FullyConnected<'_>,
    options: &Options,
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<u32> {
    let (input_scale, _) = op.input.per_tensor()?;
    let (output_scale, _) = op.output.per_tensor()?;
    let scale = |i: usize| op.weights.quantization.scale(i).unwrap_or(0.0);
    let per_tensor = op.weights.quantization.len() == 1;
    let (requant, requant_len) = if options.reference == Reference::Litert {
        let at = emit.writer.position();
        let len = op.weights.quantization.len();
        for i in 0..len {
            let factor = f64::from(input_scale) * f64::from(scale(i)) / f64::from(output_scale);
            emit.writer.word(factor.to_bits() as u32);
            emit.writer.word((factor.to_bits() >> 32) as u32);
        }
        (at, len as u32)
    } else if per_tensor {
        // TFLite multiplies the two scales in float32 here (`GetQuantizedConvolutionMultipler`).
        let product = f64::from(input_scale * scale(0));
        requant_factors(emit, 1, |_| product / f64::from(output_scale))?
    } else {
        requant_table(emit, &op.input, &op.weights, &op.output)?
    };
    let params = FullyConnectedParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        batch: op.batch,
        input_depth: op.depth,
        output_depth: op.outputs,
        quant: int8_quant(&op.input, &op.output, op.activation)?,
        weights: emit.place(&op.weights)?,
        bias: emit.optional_place(op.bias.as_ref())?,
        requant,
        requant_len,
        scratch: emit.scratch,
    };
    emit.params(&params);
    Ok(op.batch)
}
