//! The kernels of x86-64. They take the parameter blocks of the portable kernels that they stand in for, with
//! constants packed; on machines without the instruction set they return [`Fault::MissingKernel`].

use crate::{Call, Fault};

macro_rules! entries {
    ($($(#[$meta:meta])* $name:ident = $module:ident :: $function:ident;)*) => {$(
        $(#[$meta])*
        pub fn $name(call: &Call<'_>) -> Result<(), Fault> {
            #[cfg(kinglet_wide = "x86")]
            return crate::arch::x86::$module::$function(call);
            #[cfg(not(kinglet_wide = "x86"))]
            {
                let _ = call;
                Err(Fault::MissingKernel)
            }
        }
    )*};
}

entries! {
    /// Convolution, AVX-512 VNNI.
    conv_2d_avx512_vnni = avx512_vnni::conv_2d;
    /// Depthwise convolution, AVX-512 VNNI.
    depthwise_conv_2d_avx512_vnni = avx512_vnni::depthwise_conv_2d;
    /// Depthwise convolution of one input channel, AVX-512 VNNI.
    depthwise_one_avx512_vnni = avx512_vnni::depthwise_one;
    /// Fully connected, AVX-512 VNNI.
    fully_connected_avx512_vnni = avx512_vnni::fully_connected;
    /// Convolution, AVX-VNNI.
    conv_2d_avx_vnni = avx_vnni::conv_2d;
    /// Depthwise convolution, AVX-VNNI.
    depthwise_conv_2d_avx_vnni = avx_vnni::depthwise_conv_2d;
    /// Depthwise convolution of one input channel, AVX-VNNI.
    depthwise_one_avx_vnni = avx_vnni::depthwise_one;
    /// Fully connected, AVX-VNNI.
    fully_connected_avx_vnni = avx_vnni::fully_connected;
    /// Convolution, AVX2.
    conv_2d_avx2 = avx2::conv_2d;
    /// Depthwise convolution, AVX2.
    depthwise_conv_2d_avx2 = avx2::depthwise_conv_2d;
    /// Depthwise convolution of one input channel, AVX2.
    depthwise_one_avx2 = avx2::depthwise_one;
    /// Fully connected, AVX2.
    fully_connected_avx2 = avx2::fully_connected;
    /// ADD, int8, AVX-512 VNNI.
    add_s8_avx512_vnni = avx512_vnni::add_s8;
    /// SUB, int8, AVX-512 VNNI.
    sub_s8_avx512_vnni = avx512_vnni::sub_s8;
    /// MUL, int8, AVX-512 VNNI.
    mul_s8_avx512_vnni = avx512_vnni::mul_s8;
    /// Average pooling, int8, AVX-512 VNNI.
    average_pool_2d_avx512_vnni = avx512_vnni::average_pool_2d;
    /// Maximum pooling, int8, AVX-512 VNNI.
    max_pool_2d_avx512_vnni = avx512_vnni::max_pool_2d;
    /// ADD, int8, AVX-VNNI.
    add_s8_avx_vnni = avx_vnni::add_s8;
    /// SUB, int8, AVX-VNNI.
    sub_s8_avx_vnni = avx_vnni::sub_s8;
    /// MUL, int8, AVX-VNNI.
    mul_s8_avx_vnni = avx_vnni::mul_s8;
    /// Average pooling, int8, AVX-VNNI.
    average_pool_2d_avx_vnni = avx_vnni::average_pool_2d;
    /// Maximum pooling, int8, AVX-VNNI.
    max_pool_2d_avx_vnni = avx_vnni::max_pool_2d;
    /// ADD, int8, AVX2.
    add_s8_avx2 = avx2::add_s8;
    /// SUB, int8, AVX2.
    sub_s8_avx2 = avx2::sub_s8;
    /// MUL, int8, AVX2.
    mul_s8_avx2 = avx2::mul_s8;
    /// Average pooling, int8, AVX2.
    average_pool_2d_avx2 = avx2::average_pool_2d;
    /// Maximum pooling, int8, AVX2.
    max_pool_2d_avx2 = avx2::max_pool_2d;
}
