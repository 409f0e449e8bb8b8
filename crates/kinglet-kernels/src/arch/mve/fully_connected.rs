//! FULLY_CONNECTED: 8 outputs at a time.

use core::cell::Cell;

use super::conv::{clamp, memory};
use super::requant::{self, CONSTANTS};
use crate::ops::fully_connected::FullyConnectedParams;
use crate::ops::rows::{Rows, product};
use crate::{Call, Choice, Fault, Kernel, Weights};

/// Values of a step.
const STEP: usize = 16;
/// Outputs of a block.
const OUTPUTS: usize = 8;

/// Bytes of a block: for each step 16 weights of each output; then biases, multipliers, addends, shifts.
fn block_bytes(steps: usize) -> Option<usize> {
    steps.checked_mul(OUTPUTS * STEP)?.checked_add(OUTPUTS * CONSTANTS * 4)
}

fn packed_bytes(steps: usize, outputs: usize) -> Option<usize> {
    block_bytes(steps)?.checked_mul(outputs.div_ceil(OUTPUTS))
}

/// Where packed constants `steps` long keep the `word`-th constant of output `i` of a block.
const BIASES: usize = OUTPUTS * 4;

/// Chooses the kernel; `None` where it is not for the layer.
pub(crate) fn choose(p: &FullyConnectedParams, weights: &Weights<'_>) -> Option<Choice> {
    let depth = product([p.input_depth]).ok()?;
    let outputs = product([p.output_depth]).ok()?;
    let channel = |i| requant::channel(weights, p.quant, i, depth, |i, tap| i * depth + tap);
    if outputs == 0 || !(0..outputs).all(|i| channel(i).is_some()) {
        return None;
    }
    let steps = depth.div_ceil(STEP);
    // Inputs that are not whole steps are copied where memory ends behind them.
    let scratch = if depth.is_multiple_of(STEP) { 0 } else { steps.checked_mul(STEP)? };
    let prepared = u32::try_from(packed_bytes(steps, outputs)?).ok()?;
    let scratch = u32::try_from(scratch).ok()?;
    Some(Choice { scratch, prepared, ..Choice::new(Kernel::FullyConnectedMve) })
}

/// Packs weights and constants.
pub(crate) fn pack(p: &FullyConnectedParams, weights: &Weights<'_>, out: &mut [u8]) {
    let (depth, outputs) = (p.input_depth as usize, p.output_depth as usize);
    let Some(len) = block_bytes(depth.div_ceil(STEP)) else {
        return;
    };
    for (block, out) in out.chunks_exact_mut(len).enumerate() {
        // Biases first, weights, the other constants.
        let (biases, out) = out.split_at_mut(BIASES);
        let (packed, constants) = out.split_at_mut(len - OUTPUTS * CONSTANTS * 4);
        for output in 0..OUTPUTS {
            let i = block * OUTPUTS + output;
            let channel = requant::channel(weights, p.quant, i, depth, |i, tap| i * depth + tap);
            let Some(channel) = channel.filter(|_| i < outputs) else {
                continue;
            };
            for (step, row) in packed.chunks_exact_mut(STEP).skip(output).step_by(OUTPUTS).enumerate() {
                for (j, to) in row.iter_mut().enumerate() {
                    let tap = step * STEP + j;
                    let weight = weights.weights.get(i * depth + tap).filter(|_| tap < depth);
                    *to = if channel.is_constant { 0 } else { weight.map_or(0, |&weight| weight as u8) };
                }
            }
            let [bias, more @ ..] = channel.constants;
            let words = biases.chunks_exact_mut(4).skip(output).take(1).zip([bias]);
            let more = constants.chunks_exact_mut(4).skip(output).step_by(OUTPUTS).zip(more);
            for (to, word) in words.chain(more) {
                to.copy_from_slice(&word.to_le_bytes());
            }
        }
    }
}

/// Packed weights.
pub fn fully_connected(call: &Call<'_>) -> Result<(), Fault> {
    let p: FullyConnectedParams = call.params()?;
    let (depth, outputs) = (product([p.input_depth])?, product([p.output_depth])?);
    let steps = depth.div_ceil(STEP);
    let len = block_bytes(steps).ok_or(Fault::BadPlan)?;
    let packed = packed_bytes(steps, outputs).ok_or(Fault::BadPlan)?;
    let weights = call.constant(p.weights, packed)?;
    let input = Rows::new(call, p.input, p.input_depth, p.batch)?;
    let output = Rows::new(call, p.output, p.output_depth, p.batch)?;
    let rest = outputs % OUTPUTS;
    let last = weights.len().saturating_sub(if rest > 0 { len } else { 0 });
    let (whole, last) = weights.split_at_checked(last).ok_or(Fault::BadPlan)?;
    for y in call.rows.clone() {
        let read = steps.checked_mul(STEP).ok_or(Fault::BadPlan)?;
        let behind = memory(call, p.input)?.get(input.start(y)..).and_then(|x| x.get(..read));
        let x = match behind {
            Some(x) => x,
            None => {
                let x = call.view::<i8>(p.scratch, read)?.cells(0, read)?;
                x.iter().zip(input.row(y)?).for_each(|(to, from)| to.set(from.get()));
                x
            }
        };
        let out = output.row(y)?;
        run(x, whole, len, out)?;
        if rest > 0 {
            let few = [0i8; OUTPUTS].map(Cell::new);
            run(x, last, len, &few)?;
            let to = out.get(outputs.wrapping_sub(rest)..).ok_or(Fault::OutOfBounds)?;
            to.iter().zip(&few).for_each(|(to, from)| to.set(from.get()));
        }
        clamp(out, p.quant);
    }
    Ok(())
}

/// Computes the outputs of all blocks in `weights`, each of `len` bytes, from whole steps of `x`.
fn run(x: &[Cell<i8>], weights: &[u8], len: usize, out: &[Cell<i8>]) -> Result<(), Fault> {
    let steps = x.len() / STEP;
    let blocks = weights.len().checked_div(len).ok_or(Fault::BadPlan)?;
    if blocks == 0 {
        return Ok(());
    }
    let is_sound = steps > 0
        && block_bytes(steps) == Some(len)
        && weights.as_ptr().addr().is_multiple_of(4)
        && blocks.checked_mul(OUTPUTS).is_some_and(|outputs| outputs <= out.len());
    if !is_sound {
        return Err(Fault::BadPlan);
    }
    // SAFETY: input, weights and output are as long as is said, and weights are aligned.
    unsafe { inner::run(x, weights, steps, blocks, out) };
    Ok(())
}

#[cfg(kinglet_family = "mve")]
mod inner {
    use super::*;
    use core::arch::naked_asm;

    #[repr(C)]
    struct Args {
        x: *const i8,
        out: *mut i8,
        weights: *const u8,
        weights_bytes: usize,
        /// Bytes of code of the unrolled loop to skip at first.
        skip: usize,
        out_end: *mut i8,
    }

    /// # Safety
    /// There are `steps` times 16 inputs, `blocks` blocks of weights for so many steps, 8 outputs each.
    pub(super) unsafe fn run(x: &[Cell<i8>], weights: &[u8], steps: usize, blocks: usize, out: &[Cell<i8>]) {
        let out: *mut i8 = out.as_ptr().cast_mut().cast();
        let args = Args {
            x: x.as_ptr().cast(),
            weights_bytes: steps * (OUTPUTS * STEP),
            weights: weights.as_ptr(),
            out,
            skip: steps % 2 * 68,
            out_end: out.wrapping_add(blocks * OUTPUTS),
        };
        // SAFETY: the caller's promise.
        unsafe { blocks_of(&args) }
    }

    /// 16 values of 8 outputs. r1 input, r7 weights.
    macro_rules! step {
        () => {
            concat!(
                "vldrb.u8 q0, [r1], #16\n",
                "vldrb.u8 q1, [r7], #16\n",
                "vmladava.s8 r0, q0, q1\n",
                "vldrb.u8 q2, [r7], #16\n",
                "vmladava.s8 r2, q0, q2\n",
                "vldrb.u8 q1, [r7], #16\n",
                "vmladava.s8 r4, q0, q1\n",
                "vldrb.u8 q2, [r7], #16\n",
                "vmladava.s8 r6, q0, q2\n",
                "vldrb.u8 q1, [r7], #16\n",
                "vmladava.s8 r8, q0, q1\n",
                "vldrb.u8 q2, [r7], #16\n",
                "vmladava.s8 r10, q0, q2\n",
                "vldrb.u8 q1, [r7], #16\n",
                "vmladava.s8 r12, q0, q1\n",
                "vldrb.u8 q2, [r7], #16\n",
                "vmladava.s8 lr, q0, q2\n",
            )
        };
    }

    /// # Safety
    /// As for [`run`].
    #[unsafe(naked)]
    unsafe extern "C" fn blocks_of(args: *const Args) {
        naked_asm!(
            core_of_asm!(),
            "push {{r4-r11, lr}}",
            "sub sp, sp, #12",
            "ldm r0, {{r3, r5, r7, r9, r10, r12}}",
            "adr.w r11, 4f + 1",
            "add r10, r10, r11",
            "strd r10, r12, [sp]",
            // 8 outputs: the accumulators start with the biases.
            "3:",
            "mov r1, r3",
            "ldm r7!, {{r0, r2, r4, r6, r8, r10, r12, lr}}",
            "add r11, r7, r9",
            "ldr pc, [sp]",
            ".p2align 2",
            "4:",
            step!(),
            step!(),
            "cmp r7, r11",
            "bne 4b",
            "vmov d0, r0, r2",
            "vmov d1, r4, r6",
            "vmov d2, r8, r10",
            "vmov d3, r12, lr",
            "vldrw.u32 q2, [r7], #16",
            "vldrw.u32 q3, [r7], #16",
            "vqrdmulh.s32 q0, q0, q2",
            "vqrdmulh.s32 q1, q1, q3",
            "vshr.s32 q2, q0, #31",
            "vshr.s32 q3, q1, #31",
            "vadd.i32 q0, q0, q2",
            "vadd.i32 q1, q1, q3",
            "vldrw.u32 q2, [r7], #16",
            "vldrw.u32 q3, [r7], #16",
            "vadd.i32 q0, q0, q2",
            "vadd.i32 q1, q1, q3",
            "vldrw.u32 q2, [r7], #16",
            "vldrw.u32 q3, [r7], #16",
            "vqshl.s32 q0, q0, q2",
            "vqshl.s32 q1, q1, q3",
            "ldr r0, [sp, #4]",
            "vshr.u32 q0, q0, #24",
            "vshr.u32 q1, q1, #24",
            "vstrb.32 q0, [r5], #4",
            "vstrb.32 q1, [r5], #4",
            "cmp r5, r0",
            "bne 3b",
            "add sp, sp, #12",
            "pop {{r4-r11, pc}}",
        )
    }
}

#[cfg(not(kinglet_family = "mve"))]
mod inner {
    use super::super::requant::apply;
    use super::*;
    use crate::arch::dsp::requant::Rule;

    /// # Safety
    /// None is needed here.
    pub(super) unsafe fn run(x: &[Cell<i8>], weights: &[u8], steps: usize, blocks: usize, out: &[Cell<i8>]) {
        let Some(len) = block_bytes(steps) else {
            return;
        };
        for (weights, out) in weights.chunks_exact(len).take(blocks).zip(out.chunks_exact(OUTPUTS)) {
            let word = |at: usize| {
                let bytes = weights.get(at..).and_then(|bytes| bytes.first_chunk());
                i32::from_le_bytes(*bytes.unwrap_or(&[0; 4]))
            };
            for (i, out) in out.iter().enumerate() {
                let rows =
                    weights.get(BIASES..).unwrap_or_default().chunks_exact(STEP).skip(i).step_by(OUTPUTS);
                let mut sum = 0i32;
                for (row, x) in rows.zip(x.chunks_exact(STEP)) {
                    for (&weight, x) in row.iter().zip(x) {
                        sum += i32::from(weight as i8) * i32::from(x.get());
                    }
                }
                let more = |n: usize| word(len - (4 - n) * BIASES + i * 4);
                out.set(apply(sum, [word(i * 4), more(1), more(2), more(3)], Rule::Rounded));
            }
        }
    }
}
