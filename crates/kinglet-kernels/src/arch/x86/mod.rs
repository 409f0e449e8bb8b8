//! x86-64: AVX-512 VNNI, AVX-VNNI and AVX2.

mod ymm;
mod zmm;

use ymm::{EVEX, PAIRS, VEX, Ymm};
use zmm::Zmm;

use crate::arch::wide::elements::Function;
use crate::arch::wide::layers::{as_conv, depthwise_shape, shape};
use crate::arch::wide::{conv, dense, depthwise, elements, pool};
use crate::ops::conv_2d::Conv2dParams;
use crate::ops::depthwise_conv_2d::DepthwiseConv2dParams;
use crate::ops::fully_connected::FullyConnectedParams;
use crate::{Call, Fault, Target, ops};

/// This machine has the instruction set of `target`. The answer is found once; then it costs a load.
pub(crate) fn has(target: Target) -> bool {
    use std::is_x86_feature_detected as has;
    match target {
        Target::Avx512Vnni => {
            has!("avx512f")
                && has!("avx512bw")
                && has!("avx512vl")
                && has!("avx512vnni")
                && has!("avx2")
                && has!("fma")
        }
        Target::AvxVnni => has!("avxvnni") && has!("avx2") && has!("fma"),
        Target::Avx2 => has!("avx2") && has!("fma"),
        _ => false,
    }
}

/// Defines the entries of one family: each checks that the machine has the instruction set.
macro_rules! family {
    ($module:ident, $Target:ident, $features:literal, $Wide:ty, $Narrow:ty) => {
        pub(crate) mod $module {
            use super::*;

            const TARGET: Target = Target::$Target;

            fn check() -> Result<(), Fault> {
                if has(TARGET) { Ok(()) } else { Err(Fault::MissingKernel) }
            }

            pub(crate) fn conv_2d(call: &Call<'_>) -> Result<(), Fault> {
                let p: Conv2dParams = call.params()?;
                check()?;
                // SAFETY: the machine has the instruction set.
                unsafe { conv(call, &p) }
            }

            pub(crate) fn depthwise_one(call: &Call<'_>) -> Result<(), Fault> {
                let p: DepthwiseConv2dParams = call.params()?;
                let p = as_conv(&p).ok_or(Fault::BadPlan)?;
                check()?;
                // SAFETY: the machine has the instruction set.
                unsafe { conv(call, &p) }
            }

            pub(crate) fn depthwise_conv_2d(call: &Call<'_>) -> Result<(), Fault> {
                let p: DepthwiseConv2dParams = call.params()?;
                check()?;
                // SAFETY: the machine has the instruction set.
                unsafe { depthwise(call, &p) }
            }

            pub(crate) fn fully_connected(call: &Call<'_>) -> Result<(), Fault> {
                let p: FullyConnectedParams = call.params()?;
                check()?;
                // SAFETY: the machine has the instruction set.
                unsafe { dense(call, &p) }
            }

            pub(crate) fn add_s8(call: &Call<'_>) -> Result<(), Fault> {
                check()?;
                // SAFETY: the machine has the instruction set.
                if unsafe { binary(call, Function::Add)? } { Ok(()) } else { ops::binary::add_s8(call) }
            }

            pub(crate) fn sub_s8(call: &Call<'_>) -> Result<(), Fault> {
                check()?;
                // SAFETY: the machine has the instruction set.
                if unsafe { binary(call, Function::Sub)? } { Ok(()) } else { ops::binary::sub_s8(call) }
            }

            pub(crate) fn mul_s8(call: &Call<'_>) -> Result<(), Fault> {
                check()?;
                // SAFETY: the machine has the instruction set.
                if unsafe { binary(call, Function::Mul)? } { Ok(()) } else { ops::binary::mul_s8(call) }
            }

            pub(crate) fn average_pool_2d(call: &Call<'_>) -> Result<(), Fault> {
                check()?;
                // SAFETY: the machine has the instruction set.
                unsafe { average(call) }
            }

            pub(crate) fn max_pool_2d(call: &Call<'_>) -> Result<(), Fault> {
                check()?;
                // SAFETY: the machine has the instruction set.
                unsafe { maximum(call) }
            }

            pub(crate) fn peak(rounds: u32) -> Option<(u64, i8)> {
                check().ok()?;
                // SAFETY: the machine has the instruction set.
                Some(unsafe { products(rounds) })
            }

            #[target_feature(enable = $features)]
            fn products(rounds: u32) -> (u64, i8) {
                // SAFETY: this function is compiled for the instruction set.
                unsafe { dense::peak::<$Wide>(rounds) }
            }

            #[target_feature(enable = $features)]
            fn binary(call: &Call<'_>, function: Function) -> Result<bool, Fault> {
                // SAFETY: this function is compiled for the instruction set.
                unsafe {
                    match function {
                        Function::Add => elements::binary::<$Wide>(call, Function::Add),
                        Function::Sub => elements::binary::<$Wide>(call, Function::Sub),
                        Function::Mul => elements::binary::<$Wide>(call, Function::Mul),
                    }
                }
            }

            #[target_feature(enable = $features)]
            fn average(call: &Call<'_>) -> Result<(), Fault> {
                pool::pool::<true>(call)
            }

            #[target_feature(enable = $features)]
            fn maximum(call: &Call<'_>) -> Result<(), Fault> {
                pool::pool::<false>(call)
            }

            #[target_feature(enable = $features)]
            fn conv(call: &Call<'_>, p: &Conv2dParams) -> Result<(), Fault> {
                let shape = shape(TARGET, p.output_depth as usize).ok_or(Fault::BadPlan)?;
                // SAFETY: this function is compiled for the instruction set.
                unsafe {
                    if shape.lanes == 16 {
                        conv::conv_2d::<$Wide>(call, p, shape)
                    } else {
                        conv::conv_2d::<$Narrow>(call, p, shape)
                    }
                }
            }

            #[target_feature(enable = $features)]
            fn depthwise(call: &Call<'_>, p: &DepthwiseConv2dParams) -> Result<(), Fault> {
                let shape = depthwise_shape(TARGET).ok_or(Fault::BadPlan)?;
                // SAFETY: this function is compiled for the instruction set.
                unsafe { depthwise::depthwise_conv_2d::<$Wide>(call, p, shape) }
            }

            #[target_feature(enable = $features)]
            fn dense(call: &Call<'_>, p: &FullyConnectedParams) -> Result<(), Fault> {
                let shape = shape(TARGET, p.output_depth as usize).ok_or(Fault::BadPlan)?;
                // SAFETY: this function is compiled for the instruction set.
                unsafe {
                    if shape.lanes == 16 {
                        dense::fully_connected::<$Wide>(call, p, shape)
                    } else {
                        dense::fully_connected::<$Narrow>(call, p, shape)
                    }
                }
            }
        }
    };
}
family!(avx512_vnni, Avx512Vnni, "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma", Zmm, Ymm<EVEX>);
family!(avx_vnni, AvxVnni, "avxvnni,avx2,fma", Ymm<VEX>, Ymm<VEX>);
family!(avx2, Avx2, "avx2,fma", Ymm<PAIRS>, Ymm<PAIRS>);
