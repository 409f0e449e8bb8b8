use kinglet_kernels::ops::logistic::TableStep;
use kinglet_kernels::ops::lstm::{Gate, LstmParams};
use kinglet_kernels::quant::Multiplier;
use kinglet_kernels::{Choice, Kernel};
use kinglet_tflite::ops::Lstm;
use kinglet_tflite::{DType, Reason, Tensor};

use super::{Emit, Result, multiplier};
use crate::planner::Constants;

/// Scale of what the gates' functions are taken of, and scale of the functions.
const GATE_INPUT: f32 = 1.0 / 4_096.0;
const GATE_OUTPUT: f64 = 1.0 / 32_768.0;

pub(super) fn choose(op: &Lstm<'_>) -> Choice {
    Choice::new(if op.input.dtype == DType::Int16 { Kernel::LstmS16 } else { Kernel::LstmS8 })
}

/// TFLM: `PrepareGateParametersInteger`, `CreateInterGateMulParams`, `CreateLstmCellStateInfo`.
pub(super) fn emit(op: &Lstm<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let ((_, input_zero), (hidden_scale, hidden_zero)) = (op.input.per_tensor()?, op.hidden.per_tensor()?);
    let (cell_scale, _) = op.cell.per_tensor()?;
    let cell = f64::from(cell_scale);
    let gates = emit.writer.position();
    for i in 0..4 {
        let gate = op.gate(i)?;
        let by_input = factor(&op.input, &gate.input_weights)?;
        let by_hidden = factor(&op.hidden, &gate.recurrent_weights)?;
        let params = Gate {
            input_weights: emit.place(&gate.input_weights)?,
            recurrent_weights: emit.place(&gate.recurrent_weights)?,
            bias: emit.place(&gate.bias)?,
            input_multiplier: by_input.multiplier,
            recurrent_multiplier: by_hidden.multiplier,
            shifts: [by_input.shift, by_hidden.shift, 0, 0],
        };
        emit.writer.params(&params);
    }
    let keep = multiplier(GATE_OUTPUT * cell / cell)?;
    let add = multiplier(GATE_OUTPUT * GATE_OUTPUT / cell)?;
    let give = multiplier(GATE_OUTPUT * GATE_OUTPUT / f64::from(hidden_scale))?;
    let TableStep { multiplier: cell_multiplier, shift: cell_shift } =
        TableStep::of_power(cell_scale).ok_or(Reason::ScaleRatio)?;
    let params = LstmParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        hidden: emit.place(&op.hidden)?,
        cell: emit.place(&op.cell)?,
        batch: op.batch,
        steps: op.steps,
        features: op.features,
        units: op.units,
        time_major: op.time_major.into(),
        gates,
        // int8 by their types; those of int16 are 0.
        zero_points: [input_zero as i8, hidden_zero as i8, 0, 0],
        keep_multiplier: keep.multiplier,
        add_multiplier: add.multiplier,
        output_multiplier: give.multiplier,
        shifts: [keep.shift, add.shift, give.shift, 0],
        cell_clip: (f64::from(op.cell_clip) / cell).min(32_767.0) as i32,
        cell_multiplier,
        cell_shift,
    };
    emit.params(&params);
    Ok(1)
}

/// The factor of a gate's sum. TFLite: `GetQuantizedConvolutionMultipler`, whose product of scales is a float32.
fn factor(vector: &Tensor<'_>, weights: &Tensor<'_>) -> Result<Multiplier> {
    let ((scale, _), (weights_scale, _)) = (vector.per_tensor()?, weights.per_tensor()?);
    let factor = multiplier(f64::from(scale * weights_scale) / f64::from(GATE_INPUT))?;
    if vector.dtype == DType::Int16 && !factor.is_wide() {
        return Err(Reason::ScaleRatio.into());
    }
    Ok(factor)
}
