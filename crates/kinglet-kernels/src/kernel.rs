//! The kernels by number.

use crate::Target;

/// Calls the macro `$callback` with one line for each kernel:
/// `Variant = id, "family", function, [operators that use it], "what it is";`
///
/// The numbers are part of the plan format: they are never changed or used again. Each family has a range
/// of its own: see [`Kernel::target`].
#[macro_export]
macro_rules! for_each_kernel {
    ($callback:path) => {
        $callback! {
            Nothing = 0, nothing::nothing, [BatchToSpaceNd, ExpandDims, Reshape, SpaceToBatchNd, Squeeze], "nothing to do: the output is its input";
            Copy = 1, copy::copy, [AssignVariable, ExpandDims, If, ReadVariable, Reshape, Squeeze, While], "bytes moved as they are";
            Conv2d = 2, conv_2d::conv_2d, [Conv2d], "portable convolution, OHWI weights";
            DepthwiseConv2d = 3, depthwise_conv_2d::depthwise_conv_2d, [DepthwiseConv2d], "portable depthwise convolution";
            FullyConnected = 4, fully_connected::fully_connected, [FullyConnected], "portable fully connected";
            FullyConnectedLitert = 5, fully_connected::fully_connected_litert, [FullyConnected], "portable fully connected, rounded as LiteRT does";
            SoftmaxS8 = 6, softmax::softmax_s8, [Softmax], "portable softmax, int8 to int8";
            SoftmaxS8S16 = 7, softmax::softmax_s8_s16, [Softmax], "portable softmax, int8 to int16";
            AveragePool2d = 8, pool_2d::average_pool_2d, [AveragePool2d], "portable average pooling";
            MaxPool2d = 9, pool_2d::max_pool_2d, [MaxPool2d], "portable maximum pooling";
            AddS8 = 10, binary::add_s8, [Add], "portable ADD, int8";
            SvdfS8 = 11, svdf::svdf_s8, [Svdf], "portable SVDF, int8 state";
            SvdfS16 = 12, svdf::svdf_s16, [Svdf], "portable SVDF, int16 state";
            Requantize = 13, quantize::requantize, [Quantize, Relu, Relu6, ReluN1To1, Relu0To1], "portable integer rescaling";
            Quantize = 14, quantize::quantize, [Quantize], "portable float32 to integer";
            Fill = 16, strided_copy::fill, [CallOnce, Pad, PadV2, SpaceToBatchNd, ZerosLike], "one value everywhere";
            StridedCopy = 17, strided_copy::strided_copy,
                [BatchToSpaceNd, BroadcastTo, Concatenation, DepthToSpace, Fill, MirrorPad, Pack, Pad, PadV2, ReverseV2, Slice, SpaceToBatchNd, SpaceToDepth, Split, SplitV, StridedSlice, Tile, Transpose, Unpack],
                "a block copied through strides";
            ReduceSum = 18, reduce::reduce_sum, [Mean, Sum], "portable mean and sum";
            ReduceMax = 19, reduce::reduce_max, [ReduceMax], "portable maximum along axes";
            ReduceMin = 20, reduce::reduce_min, [ReduceMin], "portable minimum along axes";
            ArgMax = 21, reduce::arg_max, [ArgMax], "portable index of the greatest";
            ArgMin = 22, reduce::arg_min, [ArgMin], "portable index of the least";
            ResizeNearest = 23, resize::resize_nearest, [ResizeNearestNeighbor], "portable nearest neighbour";
            ResizeBilinear = 24, resize::resize_bilinear, [ResizeBilinear], "portable bilinear interpolation";
            TransposeConv = 25, transpose_conv::transpose_conv, [TransposeConv], "portable transposed convolution, OHWI weights";
            Known = 27, known::known, [Shape], "values known when the plan is made";
            Gather = 28, gather::gather, [Gather, EmbeddingLookup], "slices picked by indices";
            GatherNd = 29, gather::gather_nd, [GatherNd], "slices picked by vectors of indices";
            L2NormalizationS8 = 30, l2_normalization::l2_normalization_s8, [L2Normalization], "portable L2_NORMALIZATION, int8";
            L2NormalizationF32 = 31, l2_normalization::l2_normalization_f32, [L2Normalization], "portable L2_NORMALIZATION, float32";
            LogSoftmaxS8 = 32, log_softmax::log_softmax_s8, [LogSoftmax], "portable LOG_SOFTMAX, int8";
            BatchMatmulS8 = 34, batch_matmul::batch_matmul_s8, [BatchMatmul], "portable BATCH_MATMUL, int8";
            BatchMatmulF32 = 36, batch_matmul::batch_matmul_f32, [BatchMatmul], "portable BATCH_MATMUL, float32";
            DepthwiseAny = 329, dsp::depthwise_any, [DepthwiseConv2d], "depthwise of any size, DSP instructions";
            AveragePool2dDsp = 330, dsp::average_pool_2d, [AveragePool2d], "average pooling, DSP instructions";
            MaxPool2dDsp = 331, dsp::max_pool_2d, [MaxPool2d], "maximum pooling, DSP instructions";
            AddS8Dsp = 332, dsp::add_s8, [Add], "ADD of one shape, int8, DSP instructions";
            SubS8Dsp = 333, dsp::sub_s8, [Sub], "SUB of one shape, int8, DSP instructions";
            MulS8Dsp = 334, dsp::mul_s8, [Mul], "MUL of one shape, int8, DSP instructions";
            Depthwise3x3 = 325, dsp::depthwise_3x3, [DepthwiseConv2d], "depthwise 3x3, DSP instructions";
            Depthwise3x3Relu = 326, dsp::depthwise_3x3_relu, [DepthwiseConv2d], "depthwise 3x3 behind a ReLU, DSP instructions";
            Depthwise3x3Stride2 = 327, dsp::depthwise_3x3_stride_2, [DepthwiseConv2d], "depthwise 3x3 with stride 2, DSP instructions";
            Depthwise3x3Stride2Relu = 328, dsp::depthwise_3x3_stride_2_relu, [DepthwiseConv2d], "depthwise 3x3 with stride 2 behind a ReLU, DSP instructions";
            CumsumS8 = 37, sums::cumsum_s8, [Cumsum], "portable CUMSUM, int8";
            CumsumS32 = 38, sums::cumsum_s32, [Cumsum], "portable CUMSUM, int32";
            CumsumF32 = 39, sums::cumsum_f32, [Cumsum], "portable CUMSUM, float32";
            AddNS8 = 40, sums::add_n_s8, [AddN], "portable ADD_N, int8";
            AddNS32 = 41, sums::add_n_s32, [AddN], "portable ADD_N, int32";
            AddNF32 = 42, sums::add_n_f32, [AddN], "portable ADD_N, float32";
            Relation = 43, relation::relation, [Equal, NotEqual, Greater, GreaterEqual, Less, LessEqual, LogicalAnd, LogicalOr], "portable comparisons and logic";
            Select = 44, select::select, [Select, SelectV2], "elements of one tensor or another";
            DynamicUpdateSlice = 45, dynamic_update_slice::dynamic_update_slice, [DynamicUpdateSlice], "a block replaced";
            ReducePlain = 46, reduce_plain::reduce_plain, [Mean, Sum, ReduceMax, ReduceMin, ReduceProd, ReduceAll, ReduceAny], "portable reductions of float32, int32 and bool";
            ArgF32 = 47, reduce_plain::arg_f32, [ArgMax, ArgMin], "portable index of the greatest or least float32";
            ResizeBilinearF32 = 48, float_images::resize_bilinear_f32, [ResizeBilinear], "portable bilinear interpolation, float32";
            AveragePool2dF32 = 147, float_images::average_pool_2d_f32, [AveragePool2d], "portable average pooling, float32";
            MaxPool2dF32 = 148, float_images::max_pool_2d_f32, [MaxPool2d], "portable maximum pooling, float32";
            L2Pool2dF32 = 149, float_images::l2_pool_2d_f32, [L2Pool2d], "portable L2_POOL_2D, float32";
            DivS8 = 150, binary::div_s8, [Div], "portable DIV, int8";
            DivS32 = 151, binary::div_s32, [Div], "portable DIV, int32";
            FloorDivF32 = 152, binary::floor_div_f32, [FloorDiv], "portable FLOOR_DIV, float32";
            FloorDivS32 = 153, binary::floor_div_s32, [FloorDiv], "portable FLOOR_DIV, int32";
            FloorModF32 = 154, binary::floor_mod_f32, [FloorMod], "portable FLOOR_MOD, float32";
            FloorModS32 = 155, binary::floor_mod_s32, [FloorMod], "portable FLOOR_MOD, int32";
            AddS64 = 156, binary::add_s64, [Add], "portable ADD, int64";
            SubS64 = 157, binary::sub_s64, [Sub], "portable SUB, int64";
            MulS64 = 158, binary::mul_s64, [Mul], "portable MUL, int64";
            MaximumS64 = 159, binary::maximum_s64, [Maximum], "portable MAXIMUM, int64";
            MinimumS64 = 160, binary::minimum_s64, [Minimum], "portable MINIMUM, int64";
            SqrtF32 = 161, unary::sqrt_f32, [Sqrt], "portable SQRT, float32";
            RsqrtF32 = 162, unary::rsqrt_f32, [Rsqrt], "portable RSQRT, float32";
            RsqrtS8 = 163, unary::rsqrt_s8, [Rsqrt], "portable RSQRT, int8";
            ExpF32 = 165, unary::exp_f32, [Exp], "portable EXP, float32";
            EluF32 = 166, unary::elu_f32, [Elu], "portable ELU, float32";
            LogF32 = 167, unary::log_f32, [Log], "portable LOG, float32";
            SinF32 = 168, unary::sin_f32, [Sin], "portable SIN, float32";
            CosF32 = 169, unary::cos_f32, [Cos], "portable COS, float32";
            SignF32 = 170, unary::sign_f32, [Sign], "portable SIGN, float32";
            LogisticF32 = 171, unary::logistic_f32, [Logistic], "portable LOGISTIC, float32";
            TanhF32 = 172, unary::tanh_f32, [Tanh], "portable TANH, float32";
            OneHot = 49, one_hot::one_hot, [OneHot], "one value where an index says, another elsewhere";
            NotBool = 164, unary::not_bool, [LogicalNot], "portable LOGICAL_NOT";
            Dequantize = 15, quantize::dequantize, [Dequantize], "portable integer to float32";
            AddS16 = 100, binary::add_s16, [Add], "portable ADD, int16";
            AddS32 = 101, binary::add_s32, [Add], "portable ADD, int32";
            AddF32 = 102, binary::add_f32, [Add], "portable ADD, float32";
            SubS8 = 103, binary::sub_s8, [Sub], "portable SUB, int8";
            SubS16 = 104, binary::sub_s16, [Sub], "portable SUB, int16";
            SubS32 = 105, binary::sub_s32, [Sub], "portable SUB, int32";
            SubF32 = 106, binary::sub_f32, [Sub], "portable SUB, float32";
            MulS8 = 107, binary::mul_s8, [Mul], "portable MUL, int8";
            MulS16 = 108, binary::mul_s16, [Mul], "portable MUL, int16";
            MulS32 = 109, binary::mul_s32, [Mul], "portable MUL, int32";
            MulF32 = 110, binary::mul_f32, [Mul], "portable MUL, float32";
            DivF32 = 111, binary::div_f32, [Div], "portable DIV, float32";
            MaximumS8 = 112, binary::maximum_s8, [Maximum], "portable MAXIMUM, int8";
            MaximumS16 = 113, binary::maximum_s16, [Maximum], "portable MAXIMUM, int16";
            MaximumS32 = 114, binary::maximum_s32, [Maximum], "portable MAXIMUM, int32";
            MaximumF32 = 115, binary::maximum_f32, [Maximum], "portable MAXIMUM, float32";
            MinimumS8 = 116, binary::minimum_s8, [Minimum], "portable MINIMUM, int8";
            MinimumS16 = 117, binary::minimum_s16, [Minimum], "portable MINIMUM, int16";
            MinimumS32 = 118, binary::minimum_s32, [Minimum], "portable MINIMUM, int32";
            MinimumF32 = 119, binary::minimum_f32, [Minimum], "portable MINIMUM, float32";
            SquaredDifferenceS8 = 120, binary::squared_difference_s8, [SquaredDifference], "portable SQUARED_DIFFERENCE, int8";
            SquaredDifferenceS16 = 121, binary::squared_difference_s16, [SquaredDifference], "portable SQUARED_DIFFERENCE, int16";
            SquaredDifferenceS32 = 122, binary::squared_difference_s32, [SquaredDifference], "portable SQUARED_DIFFERENCE, int32";
            SquaredDifferenceF32 = 123, binary::squared_difference_f32, [SquaredDifference], "portable SQUARED_DIFFERENCE, float32";
            PreluS8 = 124, binary::prelu_s8, [Prelu], "portable PRELU, int8";
            PreluF32 = 125, binary::prelu_f32, [Prelu], "portable PRELU, float32";
            LogisticS8 = 126, logistic::logistic_s8, [Logistic], "portable LOGISTIC, int8";
            LogisticS16 = 127, logistic::logistic_s16, [Logistic], "portable LOGISTIC, int16";
            TanhS8 = 128, logistic::tanh_s8, [Tanh], "portable TANH, int8";
            TanhS16 = 129, logistic::tanh_s16, [Tanh], "portable TANH, int16";
            HardSwishS8 = 130, hard_swish::hard_swish_s8, [HardSwish], "portable HARD_SWISH, int8";
            HardSwishF32 = 131, hard_swish::hard_swish_f32, [HardSwish], "portable HARD_SWISH, float32";
            LeakyReluS8 = 132, unary::leaky_relu_s8, [LeakyRelu], "portable LEAKY_RELU, int8";
            LeakyReluS16 = 133, unary::leaky_relu_s16, [LeakyRelu], "portable LEAKY_RELU, int16";
            LeakyReluF32 = 134, unary::leaky_relu_f32, [LeakyRelu], "portable LEAKY_RELU, float32";
            LookupS8 = 135, lookup::lookup_s8, [Elu, Exp, Log, Gelu], "portable table of a function, int8";
            AbsS8 = 136, unary::abs_s8, [Abs], "portable ABS, int8";
            AbsS16 = 137, unary::abs_s16, [Abs], "portable ABS, int16";
            AbsF32 = 138, unary::abs_f32, [Abs], "portable ABS, float32";
            NegS32 = 139, unary::neg_s32, [Neg], "portable NEG, int32";
            NegF32 = 140, unary::neg_f32, [Neg], "portable NEG, float32";
            SquareF32 = 141, unary::square_f32, [Square], "portable SQUARE, float32";
            FloorF32 = 142, unary::floor_f32, [Floor], "portable FLOOR, float32";
            CeilF32 = 143, unary::ceil_f32, [Ceil], "portable CEIL, float32";
            RoundF32 = 144, unary::round_f32, [Round], "portable ROUND, float32";
            ClampF32 = 145, unary::clamp_f32, [Relu, Relu6, ReluN1To1, Relu0To1], "portable activation of its own, float32";
            Conv2dS8W4 = 190, conv_2d::conv_2d_s8_w4, [Conv2d], "portable convolution, int4 weights";
            Conv2dS16 = 191, conv_2d::conv_2d_s16, [Conv2d], "portable convolution, int16";
            Conv2dS16B32 = 192, conv_2d::conv_2d_s16_b32, [Conv2d], "portable convolution, int16, 32-bit sums";
            DepthwiseConv2dS8W4 = 193, depthwise_conv_2d::depthwise_conv_2d_s8_w4, [DepthwiseConv2d], "portable depthwise convolution, int4 weights";
            DepthwiseConv2dS16 = 194, depthwise_conv_2d::depthwise_conv_2d_s16, [DepthwiseConv2d], "portable depthwise convolution, int16";
            FullyConnectedS8W4 = 195, fully_connected::fully_connected_s8_w4, [FullyConnected], "portable fully connected, int4 weights";
            FullyConnectedS16 = 196, fully_connected::fully_connected_s16, [FullyConnected], "portable fully connected, int16";
            FullyConnectedS16B32 = 197, fully_connected::fully_connected_s16_b32, [FullyConnected], "portable fully connected, int16, 32-bit sums";
            FullyConnectedOffset = 198, fully_connected::fully_connected_offset, [FullyConnected], "portable fully connected, weights with a zero point";
            FullyConnectedComputed = 199, fully_connected::fully_connected_computed, [FullyConnected], "portable fully connected, computed weights";
            AveragePool2dS16 = 200, pool_2d::average_pool_2d_s16, [AveragePool2d], "portable average pooling, int16";
            MaxPool2dS16 = 201, pool_2d::max_pool_2d_s16, [MaxPool2d], "portable maximum pooling, int16";
            SoftmaxS16 = 202, softmax::softmax_s16, [Softmax], "portable softmax, int16";
            TransposeConvS16 = 203, transpose_conv::transpose_conv_s16, [TransposeConv], "portable transposed convolution, int16";
            TransposeConvS16B32 = 204, transpose_conv::transpose_conv_s16_b32, [TransposeConv], "portable transposed convolution, int16, 32-bit sums";
            BatchMatmulS16 = 205, batch_matmul::batch_matmul_s16, [BatchMatmul], "portable BATCH_MATMUL, int16";
            LstmS8 = 206, lstm::lstm_s8, [UnidirectionalSequenceLstm], "portable LSTM, int8";
            LstmS16 = 207, lstm::lstm_s16, [UnidirectionalSequenceLstm], "portable LSTM, int16";
            Cast = 146, cast::cast, [Cast], "portable CAST";
            Jump = 250, jump::jump, [CallOnce, If, While], "the next step is another";
            Conv2dDspFloor = 300, dsp::conv_2d_floor, [Conv2d, DepthwiseConv2d], "DSP convolution, packed weights, outputs of a ReLU";
            Conv2dDspRounded = 301, dsp::conv_2d_rounded, [Conv2d, DepthwiseConv2d], "DSP convolution, packed weights";
            Conv2dDspRowsFloor = 302, dsp::conv_2d_rows_floor, [Conv2d], "DSP convolution, OHWI weights, outputs of a ReLU";
            Conv2dDspRowsRounded = 303, dsp::conv_2d_rows_rounded, [Conv2d], "DSP convolution, OHWI weights";
            Conv2dMveFloor = 350, mve::conv_2d_floor, [Conv2d], "Helium convolution, packed weights, outputs of a ReLU";
            Conv2dMveRounded = 351, mve::conv_2d_rounded, [Conv2d], "Helium convolution, packed weights";
            DepthwiseMveSingle = 352, mve::depthwise_single, [DepthwiseConv2d], "Helium depthwise convolution of a single channel";
            Depthwise3x3MveFloor = 354, mve::depthwise_3x3_floor, [DepthwiseConv2d], "Helium depthwise 3x3, outputs of a ReLU";
            Depthwise3x3MveRounded = 355, mve::depthwise_3x3_rounded, [DepthwiseConv2d], "Helium depthwise 3x3";
            FullyConnectedMve = 353, mve::fully_connected, [FullyConnected], "Helium fully connected, packed weights";
            FullyConnectedDsp = 304, dsp::fully_connected_packed, [FullyConnected], "DSP fully connected, packed weights, one factor";
            FullyConnectedDspRows = 305, dsp::fully_connected_rows, [FullyConnected], "DSP fully connected, weights as in the file";
            FullyConnectedDspChannels = 306, dsp::fully_connected_packed_channels, [FullyConnected], "DSP fully connected, packed weights, a factor for each output";
            Conv2dScalar = 500, scalar::conv_2d, [Conv2d], "scalar convolution";
            DepthwiseConv2dScalar = 501, scalar::depthwise_conv_2d, [DepthwiseConv2d], "scalar depthwise convolution";
            FullyConnectedScalar = 502, scalar::fully_connected, [FullyConnected], "scalar fully connected";
            Conv2dAvx512Vnni = 400, x86::conv_2d_avx512_vnni, [Conv2d], "convolution, AVX-512 VNNI";
            DepthwiseConv2dAvx512Vnni = 401, x86::depthwise_conv_2d_avx512_vnni, [DepthwiseConv2d], "depthwise convolution, AVX-512 VNNI";
            DepthwiseOneAvx512Vnni = 402, x86::depthwise_one_avx512_vnni, [DepthwiseConv2d], "depthwise convolution of one channel, AVX-512 VNNI";
            FullyConnectedAvx512Vnni = 403, x86::fully_connected_avx512_vnni, [FullyConnected], "fully connected, AVX-512 VNNI";
            AddS8Avx512Vnni = 404, x86::add_s8_avx512_vnni, [Add], "ADD, AVX-512 VNNI";
            SubS8Avx512Vnni = 405, x86::sub_s8_avx512_vnni, [Sub], "SUB, AVX-512 VNNI";
            MulS8Avx512Vnni = 406, x86::mul_s8_avx512_vnni, [Mul], "MUL, AVX-512 VNNI";
            AveragePool2dAvx512Vnni = 407, x86::average_pool_2d_avx512_vnni, [AveragePool2d], "average pooling, AVX-512 VNNI";
            MaxPool2dAvx512Vnni = 408, x86::max_pool_2d_avx512_vnni, [MaxPool2d], "maximum pooling, AVX-512 VNNI";
            Conv2dAvxVnni = 417, x86::conv_2d_avx_vnni, [Conv2d], "convolution, AVX-VNNI";
            DepthwiseConv2dAvxVnni = 418, x86::depthwise_conv_2d_avx_vnni, [DepthwiseConv2d], "depthwise convolution, AVX-VNNI";
            DepthwiseOneAvxVnni = 419, x86::depthwise_one_avx_vnni, [DepthwiseConv2d], "depthwise convolution of one channel, AVX-VNNI";
            FullyConnectedAvxVnni = 420, x86::fully_connected_avx_vnni, [FullyConnected], "fully connected, AVX-VNNI";
            AddS8AvxVnni = 421, x86::add_s8_avx_vnni, [Add], "ADD, AVX-VNNI";
            SubS8AvxVnni = 422, x86::sub_s8_avx_vnni, [Sub], "SUB, AVX-VNNI";
            MulS8AvxVnni = 423, x86::mul_s8_avx_vnni, [Mul], "MUL, AVX-VNNI";
            AveragePool2dAvxVnni = 424, x86::average_pool_2d_avx_vnni, [AveragePool2d], "average pooling, AVX-VNNI";
            MaxPool2dAvxVnni = 425, x86::max_pool_2d_avx_vnni, [MaxPool2d], "maximum pooling, AVX-VNNI";
            Conv2dAvx2 = 433, x86::conv_2d_avx2, [Conv2d], "convolution, AVX2";
            DepthwiseConv2dAvx2 = 434, x86::depthwise_conv_2d_avx2, [DepthwiseConv2d], "depthwise convolution, AVX2";
            DepthwiseOneAvx2 = 435, x86::depthwise_one_avx2, [DepthwiseConv2d], "depthwise convolution of one channel, AVX2";
            FullyConnectedAvx2 = 436, x86::fully_connected_avx2, [FullyConnected], "fully connected, AVX2";
            AddS8Avx2 = 437, x86::add_s8_avx2, [Add], "ADD, AVX2";
            SubS8Avx2 = 438, x86::sub_s8_avx2, [Sub], "SUB, AVX2";
            MulS8Avx2 = 439, x86::mul_s8_avx2, [Mul], "MUL, AVX2";
            AveragePool2dAvx2 = 440, x86::average_pool_2d_avx2, [AveragePool2d], "average pooling, AVX2";
            MaxPool2dAvx2 = 441, x86::max_pool_2d_avx2, [MaxPool2d], "maximum pooling, AVX2";
        }
    };
}

macro_rules! define {
    ($($Variant:ident = $id:literal, $module:ident :: $function:ident, [$($Op:ident),*], $doc:literal;)*) => {
        /// A kernel's stable number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        #[non_exhaustive]
        pub enum Kernel {
            $(#[doc = $doc] $Variant = $id,)*
        }

        impl Kernel {
            /// Every kernel, by number.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),*];

            /// The kernel of this number.
            pub const fn from_id(id: u16) -> Option<Self> {
                match id {
                    $($id => Some(Self::$Variant),)*
                    _ => None,
                }
            }

            /// The stable number.
            pub const fn id(self) -> u16 {
                self as u16
            }

            /// Path of the function below [`crate::ops`], for code that is generated.
            pub const fn path(self) -> &'static str {
                match self {
                    $(Self::$Variant => concat!(stringify!($module), "::", stringify!($function)),)*
                }
            }

            /// Its parameters are those of a convolution.
            pub const fn is_conv_2d(self) -> bool {
                matches!(self, Self::Conv2d | Self::Conv2dDspFloor | Self::Conv2dDspRounded)
            }

            /// The family it belongs to.
            pub const fn target(self) -> Target {
                match self as u16 {
                    300..350 => Target::Dsp,
                    350..400 => Target::Mve,
                    400..417 => Target::Avx512Vnni,
                    417..433 => Target::AvxVnni,
                    433..450 => Target::Avx2,
                    500..550 => Target::Scalar,
                    _ => Target::Portable,
                }
            }

            /// What it is, in a few words.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$Variant => $doc,)*
                }
            }
        }
    };
}
for_each_kernel!(define);
