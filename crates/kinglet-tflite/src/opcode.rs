//! Operators by number and name.

use core::fmt;

use crate::generated::BuiltinOperator;

/// The number of a builtin operator, as in the TFLite schema (`BuiltinOperator`).
///
/// `Display` gives the schema's name, such as `CONV_2D`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpCode(pub u16);

impl OpCode {
    /// No operator.
    pub(crate) const NONE: Self = Self(u16::MAX);
    /// An operator that is known by a name of its own.
    pub const CUSTOM: Self = Self(32);

    /// The schema's name; `None` for a number that it does not name.
    pub fn name(self) -> Option<&'static str> {
        BuiltinOperator::from_wire(self.0.into()).map(BuiltinOperator::name)
    }
}

impl fmt::Display for OpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "builtin operator {}", self.0),
        }
    }
}

macro_rules! op_kinds {
    ($($Kind:ident = $code:literal, $name:literal;)*) => {
        /// The operators that kinglet runs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum OpKind {
            $(#[doc = $name] $Kind,)*
        }

        impl OpKind {
            /// Every operator that kinglet runs.
            pub const ALL: &'static [Self] = &[$(Self::$Kind),*];

            /// The operator of this number; `None` when kinglet does not have it.
            #[inline]
            pub const fn from_code(code: OpCode) -> Option<Self> {
                match code.0 {
                    $($code => Some(Self::$Kind),)*
                    _ => None,
                }
            }

            /// The schema's name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$Kind => $name,)*
                }
            }

            /// The operator's number in the schema.
            pub const fn code(self) -> OpCode {
                match self {
                    $(Self::$Kind => OpCode($code),)*
                }
            }

            /// The set that holds only this operator: one bit of [`OpSet::OPS`](crate::OpSet::OPS).
            pub const fn bit(self) -> u128 {
                1 << self as u8
            }
        }
    };
}

op_kinds! {
    Add = 0, "ADD";
    AveragePool2d = 1, "AVERAGE_POOL_2D";
    ArgMax = 56, "ARG_MAX";
    ArgMin = 79, "ARG_MIN";
    Mean = 40, "MEAN";
    ReduceMax = 82, "REDUCE_MAX";
    ReduceMin = 89, "REDUCE_MIN";
    ResizeBilinear = 23, "RESIZE_BILINEAR";
    ResizeNearestNeighbor = 97, "RESIZE_NEAREST_NEIGHBOR";
    Sum = 74, "SUM";
    BatchToSpaceNd = 37, "BATCH_TO_SPACE_ND";
    BroadcastTo = 130, "BROADCAST_TO";
    Concatenation = 2, "CONCATENATION";
    DepthToSpace = 5, "DEPTH_TO_SPACE";
    ExpandDims = 70, "EXPAND_DIMS";
    Pack = 83, "PACK";
    Pad = 34, "PAD";
    PadV2 = 60, "PADV2";
    Slice = 65, "SLICE";
    SpaceToBatchNd = 38, "SPACE_TO_BATCH_ND";
    SpaceToDepth = 26, "SPACE_TO_DEPTH";
    Split = 49, "SPLIT";
    SplitV = 102, "SPLIT_V";
    Squeeze = 43, "SQUEEZE";
    StridedSlice = 45, "STRIDED_SLICE";
    Transpose = 39, "TRANSPOSE";
    Unpack = 88, "UNPACK";
    Conv2d = 3, "CONV_2D";
    DepthwiseConv2d = 4, "DEPTHWISE_CONV_2D";
    Dequantize = 6, "DEQUANTIZE";
    FullyConnected = 9, "FULLY_CONNECTED";
    MaxPool2d = 17, "MAX_POOL_2D";
    Relu = 19, "RELU";
    ReluN1To1 = 20, "RELU_N1_TO_1";
    Relu6 = 21, "RELU6";
    Reshape = 22, "RESHAPE";
    Softmax = 25, "SOFTMAX";
    Svdf = 27, "SVDF";
    UnidirectionalSequenceLstm = 44, "UNIDIRECTIONAL_SEQUENCE_LSTM";
    Quantize = 114, "QUANTIZE";
    Mul = 18, "MUL";
    Sub = 41, "SUB";
    Div = 42, "DIV";
    Prelu = 54, "PRELU";
    Maximum = 55, "MAXIMUM";
    Minimum = 57, "MINIMUM";
    SquaredDifference = 99, "SQUARED_DIFFERENCE";
    Logistic = 14, "LOGISTIC";
    Tanh = 28, "TANH";
    Exp = 47, "EXP";
    Cast = 53, "CAST";
    Neg = 59, "NEG";
    Square = 92, "SQUARE";
    LeakyRelu = 98, "LEAKY_RELU";
    Abs = 101, "ABS";
    Floor = 8, "FLOOR";
    Ceil = 104, "CEIL";
    Elu = 111, "ELU";
    Round = 116, "ROUND";
    HardSwish = 117, "HARD_SWISH";
    Relu0To1 = 152, "RELU_0_TO_1";
    AssignVariable = 144, "ASSIGN_VARIABLE";
    CallOnce = 129, "CALL_ONCE";
    If = 118, "IF";
    ReadVariable = 143, "READ_VARIABLE";
    VarHandle = 142, "VAR_HANDLE";
    While = 119, "WHILE";
    AddN = 106, "ADD_N";
    BatchMatmul = 126, "BATCH_MATMUL";
    Cos = 108, "COS";
    Cumsum = 128, "CUMSUM";
    DynamicUpdateSlice = 151, "DYNAMIC_UPDATE_SLICE";
    Equal = 71, "EQUAL";
    Fill = 94, "FILL";
    FloorDiv = 90, "FLOOR_DIV";
    FloorMod = 95, "FLOOR_MOD";
    Gelu = 150, "GELU";
    Greater = 61, "GREATER";
    GreaterEqual = 62, "GREATER_EQUAL";
    L2Pool2d = 12, "L2_POOL_2D";
    Less = 58, "LESS";
    LessEqual = 63, "LESS_EQUAL";
    Log = 73, "LOG";
    LogicalAnd = 86, "LOGICAL_AND";
    LogicalNot = 87, "LOGICAL_NOT";
    LogicalOr = 84, "LOGICAL_OR";
    NotEqual = 72, "NOT_EQUAL";
    OneHot = 85, "ONE_HOT";
    ReduceAll = 140, "REDUCE_ALL";
    ReduceAny = 91, "REDUCE_ANY";
    ReduceProd = 81, "REDUCE_PROD";
    ReverseV2 = 105, "REVERSE_V2";
    Rsqrt = 76, "RSQRT";
    Select = 64, "SELECT";
    SelectV2 = 123, "SELECT_V2";
    Sign = 158, "SIGN";
    Sin = 66, "SIN";
    Sqrt = 75, "SQRT";
    Tile = 69, "TILE";
    ZerosLike = 93, "ZEROS_LIKE";
    EmbeddingLookup = 7, "EMBEDDING_LOOKUP";
    Gather = 36, "GATHER";
    GatherNd = 107, "GATHER_ND";
    L2Normalization = 11, "L2_NORMALIZATION";
    LogSoftmax = 50, "LOG_SOFTMAX";
    MirrorPad = 100, "MIRROR_PAD";
    Shape = 77, "SHAPE";
    TransposeConv = 67, "TRANSPOSE_CONV";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_schemas_numbers() {
        for &kind in OpKind::ALL {
            assert_eq!(OpKind::from_code(kind.code()), Some(kind));
            assert_eq!(kind.code().name(), Some(kind.name()));
        }
        assert_eq!(OpKind::DepthwiseConv2d.code().name(), Some("DEPTHWISE_CONV_2D"));
        assert_eq!(OpKind::Quantize.code().name(), Some("QUANTIZE"));
        assert_eq!(OpKind::ReluN1To1.code().name(), Some("RELU_N1_TO_1"));
        assert_eq!(OpCode::CUSTOM.name(), Some("CUSTOM"));
    }
}
