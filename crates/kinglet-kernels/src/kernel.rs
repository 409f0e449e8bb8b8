//! The kernels by number.

/// Calls the macro `$callback` with one line for each kernel:
/// `Variant = id, "family", function, [operators that use it], "what it is";`
///
/// The numbers are part of the plan format: they are never changed or used again.
#[macro_export]
macro_rules! for_each_kernel {
    ($callback:path) => {
        $callback! {
            Nothing = 0, nothing::nothing, [BatchToSpaceNd, ExpandDims, Reshape, SpaceToBatchNd, Squeeze], "nothing to do: the output is its input";
            Copy = 1, copy::copy, [ExpandDims, Reshape, Squeeze], "bytes moved as they are";
            Conv2d = 2, conv_2d::conv_2d, [Conv2d], "portable convolution, OHWI weights";
            DepthwiseConv2d = 3, depthwise_conv_2d::depthwise_conv_2d, [DepthwiseConv2d], "portable depthwise convolution";
            FullyConnected = 4, fully_connected::fully_connected, [FullyConnected], "portable fully connected";
            FullyConnectedLitert = 5, fully_connected::fully_connected_litert, [FullyConnected], "portable fully connected, rounded as LiteRT does";
            SoftmaxS8 = 6, softmax::softmax_s8, [Softmax], "portable softmax, int8 to int8";
            SoftmaxS8S16 = 7, softmax::softmax_s8_s16, [Softmax], "portable softmax, int8 to int16";
            AveragePool2d = 8, pool_2d::average_pool_2d, [AveragePool2d], "portable average pooling";
            MaxPool2d = 9, pool_2d::max_pool_2d, [MaxPool2d], "portable maximum pooling";
            Add = 10, add::add, [Add], "portable addition with broadcasting";
            SvdfS8 = 11, svdf::svdf_s8, [Svdf], "portable SVDF, int8 state";
            SvdfS16 = 12, svdf::svdf_s16, [Svdf], "portable SVDF, int16 state";
            Requantize = 13, quantize::requantize, [Quantize, Relu, Relu6, ReluN1To1], "portable integer rescaling";
            Quantize = 14, quantize::quantize, [Quantize], "portable float32 to integer";
            Fill = 16, strided_copy::fill, [Pad, PadV2, SpaceToBatchNd], "one value everywhere";
            StridedCopy = 17, strided_copy::strided_copy,
                [BatchToSpaceNd, BroadcastTo, Concatenation, DepthToSpace, Pack, Pad, PadV2, Slice, SpaceToBatchNd, SpaceToDepth, Split, SplitV, StridedSlice, Transpose, Unpack],
                "a block copied through strides";
            ReduceSum = 18, reduce::reduce_sum, [Mean, Sum], "portable mean and sum";
            ReduceMax = 19, reduce::reduce_max, [ReduceMax], "portable maximum along axes";
            ReduceMin = 20, reduce::reduce_min, [ReduceMin], "portable minimum along axes";
            ArgMax = 21, reduce::arg_max, [ArgMax], "portable index of the greatest";
            ArgMin = 22, reduce::arg_min, [ArgMin], "portable index of the least";
            ResizeNearest = 23, resize::resize_nearest, [ResizeNearestNeighbor], "portable nearest neighbour";
            ResizeBilinear = 24, resize::resize_bilinear, [ResizeBilinear], "portable bilinear interpolation";
            Dequantize = 15, quantize::dequantize, [Dequantize], "portable integer to float32";
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
